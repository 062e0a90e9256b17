package screening

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// A kept cut is compressed: the length of the JSON of what is not listed by the thousand, that JSON, then neighbours and reports as
// variable-length integers, each number as its difference from the one before.

// pack writes a cut.
func (c *Cut) pack() ([]byte, error) {
	head, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	b := append(binary.AppendUvarint(nil, uint64(len(head))), head...)
	b = binary.AppendUvarint(b, uint64(len(c.Neighbours)))
	for i, list := range c.Neighbours {
		b = binary.AppendUvarint(b, uint64(len(list)))
		last := int64(i)
		for _, j := range list {
			b = binary.AppendVarint(b, int64(j)-last)
			last = int64(j)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(c.Reports)))
	var last Report
	for _, r := range c.Reports {
		for _, d := range [...]int64{int64(r.Num) - int64(last.Num), int64(r.Unit), int64(r.Item), int64(r.Crew), r.At - last.At, int64(r.Object), flags(&r)} {
			b = binary.AppendVarint(b, d)
		}
		last = r
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return z.EncodeAll(b, nil), z.Close()
}

func flags(r *Report) (f int64) {
	if r.Patrol {
		f |= 1
	}
	if r.Used {
		f |= 2
	}
	return f
}

// mostUnpacked bounds what a kept cut unpacks to.
const mostUnpacked = 4 << 30

// unpack reads what pack wrote.
func unpack(packed []byte) (*Cut, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostUnpacked))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	b, err := z.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack a cut: %w", err)
	}
	r := &reader{b: b}
	head := r.take(r.count())
	if r.bad {
		return nil, errCut
	}
	c := new(Cut)
	if err := json.Unmarshal(head, c); err != nil {
		return nil, fmt.Errorf("unpack a cut: %w", err)
	}
	c.Neighbours = make([][]int32, r.count())
	for i := range c.Neighbours {
		list := make([]int32, r.count())
		last := int64(i)
		for k := range list {
			last += r.number()
			list[k] = int32(last)
		}
		c.Neighbours[i] = list
	}
	c.Reports = make([]Report, r.count())
	var last Report
	for i := range c.Reports {
		var v [7]int64
		for k := range v {
			v[k] = r.number()
		}
		last = Report{Num: uint32(int64(last.Num) + v[0]), Unit: int32(v[1]), Item: int32(v[2]), Crew: int32(v[3]), At: last.At + v[4], Object: uint32(v[5]),
			Patrol: v[6]&1 != 0, Used: v[6]&2 != 0}
		c.Reports[i] = last
	}
	if r.bad || len(r.b) > 0 || len(c.Neighbours) != len(c.Units) {
		return nil, errCut
	}
	return c, nil
}

var errCut = errors.New("unpack a cut: it is damaged")

// reader reads integers; bad tells that there was none.
type reader struct {
	b   []byte
	bad bool
}

// count is a number of things that follow, each of a byte at least.
func (r *reader) count() int {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > uint64(len(r.b)-size) {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return int(n)
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) take(n int) []byte {
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}
