package tilebench

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

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
