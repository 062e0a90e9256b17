// Package wire measures a service over HTTP on the loopback, by a client that shares the machine with it and therefore does
// as little as it can.
package wire

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
	"time"
)

// Service is a handler behind a listener on the loopback.
type Service struct {
	server   *http.Server
	listener net.Listener
}

// Serve begins to serve the handler; Stop ends it.
func Serve(h http.Handler) (*Service, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Service{&http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, l}
	go s.server.Serve(l) //nolint:errcheck // ends with Close
	return s, nil
}

// Stop breaks off what is under way.
func (s *Service) Stop() { s.server.Close() }

// Run is what one stretch of load measured.
type Run struct {
	Took      time.Duration
	Latencies []time.Duration // of each answer
	Bytes     int64           // of the bodies
}

// Rate is how many answers came in a second.
func (r *Run) Rate() float64 { return float64(len(r.Latencies)) / r.Took.Seconds() }

// MeanBytes is the size of a body.
func (r *Run) MeanBytes() float64 { return float64(r.Bytes) / float64(max(1, len(r.Latencies))) }

// Quantile is the latency that the share q of the answers did not exceed.
func (r *Run) Quantile(q float64) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	slices.Sort(r.Latencies)
	return r.Latencies[int(q*float64(len(r.Latencies)-1))]
}

// Load sends requests on so many connections, each with one under way, for a while. next gives the bytes of a connection's
// i-th request, and is called from one goroutine a connection.
func (s *Service) Load(ctx context.Context, next func(connection, i int) []byte, connections int, each time.Duration) (*Run, error) {
	runs := make([]Run, connections)
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
				for i := 0; ctx.Err() == nil; i++ {
					asked := next(worker, i)
					before := time.Now()
					if before.Sub(started) >= each {
						return nil
					}
					if _, err := conn.Write(asked); err != nil {
						return err
					}
					n, err := readAnswer(r)
					if err != nil {
						return err
					}
					run.Bytes += n
					run.Latencies = append(run.Latencies, time.Since(before))
				}
				return ctx.Err()
			}()
		})
	}
	wg.Wait()
	all := &Run{Took: time.Since(started)}
	for i := range runs {
		all.Latencies = append(all.Latencies, runs[i].Latencies...)
		all.Bytes += runs[i].Bytes
	}
	return all, errors.Join(errs...)
}

// Get makes the requests of paths in turn, for Load.
func Get(paths []string) func(connection, i int) []byte {
	asked := make([][]byte, len(paths))
	for i, p := range paths {
		asked[i] = []byte("GET " + p + " HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n")
	}
	var next atomic.Int64
	return func(int, int) []byte { return asked[int(next.Add(1)-1)%len(asked)] }
}

// readAnswer reads one answer and returns the size of its body: 200 or 201 with a length or in chunks, or 204.
func readAnswer(r *bufio.Reader) (int64, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	status := string(line[min(9, len(line)):min(12, len(line))])
	if status != "200" && status != "201" && status != "204" {
		said, _ := r.Peek(r.Buffered())
		return 0, fmt.Errorf("answer %q\n%s", bytes.TrimSpace(line), said)
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
