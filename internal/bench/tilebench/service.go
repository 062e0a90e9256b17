package tilebench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// service is the handler behind a listener on the loopback.
type service struct {
	server   *http.Server
	listener net.Listener
}

func serve(h http.Handler) (*service, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{&http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, l}
	go s.server.Serve(l) //nolint:errcheck // ends with Close
	return s, nil
}

func (s *service) stop() { s.server.Close() }

// loadRun is what one stretch of load measured.
type loadRun struct {
	took      time.Duration
	latencies []time.Duration
	bytes     int64
}

func (r *loadRun) rate() float64 { return float64(len(r.latencies)) / r.took.Seconds() }

func (r *loadRun) meanBytes() float64 { return float64(r.bytes) / float64(max(1, len(r.latencies))) }

func (r *loadRun) quantile(q float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	slices.Sort(r.latencies)
	return r.latencies[int(q*float64(len(r.latencies)-1))]
}

// load asks for the paths in turn on so many connections, each with one request under way. The client reads as little of
// HTTP as it can, since it shares the processors with the service.
func (s *service) load(ctx context.Context, paths []string, connections int, each time.Duration) (*loadRun, error) {
	asked := make([][]byte, len(paths))
	for i, p := range paths {
		asked[i] = []byte("GET " + p + " HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n")
	}
	var next atomic.Int64
	runs := make([]loadRun, connections)
	errs := make([]error, connections)
	var wg sync.WaitGroup
	started := time.Now()
	for worker := range connections {
		wg.Go(func() {
			errs[worker] = func() error {
				var d net.Dialer
				conn, err := d.DialContext(ctx, "tcp", s.listener.Addr().String())
				if err != nil {
					return err
				}
				defer conn.Close()
				r := bufio.NewReaderSize(conn, 64<<10)
				run := &runs[worker]
				for ctx.Err() == nil {
					before := time.Now()
					if before.Sub(started) >= each {
						return nil
					}
					if _, err := conn.Write(asked[int(next.Add(1)-1)%len(asked)]); err != nil {
						return err
					}
					n, err := readAnswer(r)
					if err != nil {
						return err
					}
					run.bytes += n
					run.latencies = append(run.latencies, time.Since(before))
				}
				return ctx.Err()
			}()
		})
	}
	wg.Wait()
	all := &loadRun{took: time.Since(started)}
	for i := range runs {
		all.latencies = append(all.latencies, runs[i].latencies...)
		all.bytes += runs[i].bytes
	}
	return all, errors.Join(errs...)
}

// readAnswer reads one answer and returns the size of its body: 200 with a length or in chunks, or 204.
func readAnswer(r *bufio.Reader) (int64, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	status := string(line[min(9, len(line)):min(12, len(line))])
	if status != "200" && status != "204" {
		return 0, fmt.Errorf("answer %q", bytes.TrimSpace(line))
	}
	length, chunked := int64(-1), false
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	switch {
	case status == "204":
		return 0, nil
	case length >= 0:
		n, err := r.Discard(int(length))
		return int64(n), err
	case !chunked:
		return 0, errors.New("answer without a length")
	}
	total := int64(0)
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 32)
		if err != nil {
			return 0, err
		}
		total += size
		if _, err := r.Discard(int(size) + 2); err != nil || size == 0 {
			return total, err
		}
	}
}

// answer takes an answer without a network; without a body to keep it in, it is only counted as written.
type answer struct {
	header http.Header
	status int
	body   *bytes.Buffer
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) { w.status = status }

func (w *answer) Write(b []byte) (int, error) {
	if w.body != nil {
		w.body.Write(b)
	}
	return len(b), nil
}

// request is a request as the server would hand it on.
func request(path string) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodGet, path, nil)
	if err == nil {
		r.RequestURI, r.RemoteAddr, r.Host = path, "127.0.0.1:1", "localhost"
	}
	return r, err
}

// cpuOf is the processor time of one answer, routing and compression included, the network not.
func cpuOf(h http.Handler, paths []string) (time.Duration, error) {
	n := min(len(paths), 5000)
	requests := make([]*http.Request, n)
	for i := range requests {
		r, err := request(paths[i])
		if err != nil {
			return 0, err
		}
		requests[i] = r
		requests[i].Header.Set("Accept-Encoding", "gzip")
	}
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		return 0, err
	}
	for _, r := range requests {
		h.ServeHTTP(&answer{header: http.Header{}}, r)
	}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		return 0, err
	}
	used := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	return time.Duration(used / int64(n)), nil
}

// sumOf is the number of reports in the handler's uncompressed answer.
func sumOf(h http.Handler, path string) (uint64, error) {
	r, err := request(path)
	if err != nil {
		return 0, err
	}
	w := &answer{header: http.Header{}, status: http.StatusOK, body: new(bytes.Buffer)}
	h.ServeHTTP(w, r)
	if w.status != http.StatusOK && w.status != http.StatusNoContent {
		return 0, fmt.Errorf("%s: status %d, %.200s", path, w.status, w.body)
	}
	n, err := reportsIn(w.body.Bytes())
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return n, err
}

var errTile = errors.New("not a vector tile")

// reportsIn sums the property `count` over a tile's features; a feature without it is a report and counts one.
func reportsIn(tile []byte) (sum uint64, err error) {
	err = each(tile, func(number protowire.Number, layer []byte, _ uint64) error {
		if number != 3 {
			return errTile
		}
		key, keys := -1, 0
		var values []uint64
		err := each(layer, func(number protowire.Number, b []byte, _ uint64) error {
			switch number {
			case 3:
				if string(b) == "count" {
					key = keys
				}
				keys++
			case 4:
				value := uint64(0)
				err := each(b, func(number protowire.Number, _ []byte, v uint64) error {
					if number == 4 || number == 5 {
						value = v
					}
					if number == 6 {
						value = uint64(protowire.DecodeZigZag(v))
					}
					return nil
				})
				values = append(values, value)
				return err
			}
			return nil
		})
		if err != nil {
			return err
		}
		return each(layer, func(number protowire.Number, feature []byte, _ uint64) error {
			if number != 2 {
				return nil
			}
			n := uint64(1)
			err := each(feature, func(number protowire.Number, tags []byte, _ uint64) error {
				for number == 2 && len(tags) > 0 {
					k, a := protowire.ConsumeVarint(tags)
					v, b := protowire.ConsumeVarint(tags[max(0, a):])
					if a < 0 || b < 0 || v >= uint64(len(values)) {
						return errTile
					}
					if k == uint64(key) {
						n = values[v]
					}
					tags = tags[a+b:]
				}
				return nil
			})
			sum += n
			return err
		})
	})
	return sum, err
}

// featuresOf counts the features of all layers but one.
func featuresOf(tile []byte, but string) (n int, err error) {
	err = each(tile, func(_ protowire.Number, layer []byte, _ uint64) error {
		features, name := 0, ""
		err := each(layer, func(number protowire.Number, b []byte, _ uint64) error {
			switch number {
			case 1:
				name = string(b)
			case 2:
				features++
			}
			return nil
		})
		if name != but {
			n += features
		}
		return err
	})
	return n, err
}

// each calls visit for the fields of a protobuf message: bytes or a varint.
func each(b []byte, visit func(number protowire.Number, bytes []byte, varint uint64) error) error {
	for len(b) > 0 {
		number, wire, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errTile
		}
		b = b[n:]
		var raw []byte
		var v uint64
		switch wire {
		case protowire.BytesType:
			raw, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(number, wire, b)
		}
		if n < 0 {
			return errTile
		}
		if err := visit(number, raw, v); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
