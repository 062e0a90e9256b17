package tiles

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// AppendGzip appends a tile as one gzip member (RFC 1952). The fields of a layer are much like one another: each is
// matched with the last one of its kind and length, without a search, and written in codes that need not be learned of
// each tile. That takes a fraction of the library's time for about its size. A tile of long fields, such as borders, is
// the library's, at its fastest level.
func AppendGzip(dst, tile []byte) []byte {
	if out, ok := appendFields(dst, tile); ok {
		return out
	}
	z := zippers.Get().(*zipper)
	defer zippers.Put(z)
	z.out.Reset()
	z.gz.Reset(&z.out)
	_, _ = z.gz.Write(tile) // a buffer takes everything
	_ = z.gz.Close()
	return append(dst, z.out.Bytes()...)
}

type zipper struct {
	out bytes.Buffer
	gz  *gzip.Writer
}

var zippers = sync.Pool{New: func() any {
	z := &zipper{}
	z.gz, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a constant: no error
	return z
}}

const (
	shortField  = 128             // bytes: the length of a shorter field is one byte
	leastMatch  = 3               // bytes: DEFLATE has no shorter match
	farthest    = 32_768          // bytes back that a match may copy from
	describedAt = 1000            // bytes of a tile from which on codes of its own are shorter than the fixed ones, description included
	mostLeft    = 16 + shortField // bytes of a tile that may be left over: a last field, extent and version
)

// appendFields writes a tile of one layer of short fields, or tells that it is none.
func appendFields(dst, tile []byte) (out []byte, ok bool) {
	start, end := shortFields(tile)
	if start == end || len(tile)-end > mostLeft {
		return dst, false
	}
	c := fixedCodes()
	if len(tile) >= describedAt {
		c = tileCodes()
	}
	dst = append(dst, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255) // deflate, no name, no time, no system
	dst = slices.Grow(dst, 2*len(tile)+len(c.header)+64)    // a code has at most 15 bits
	w := bitWriter{out: dst[:cap(dst)], at: len(dst)}
	for _, b := range c.header {
		w.put(b)
	}
	c.literals(&w, tile[:start])
	c.fields(&w, tile, start, end)
	c.literals(&w, tile[end:])
	w.put(c.end)
	dst = w.out[:w.flush()]
	dst = binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(tile))
	return binary.LittleEndian.AppendUint32(dst, uint32(len(tile))), true
}

// shortFields returns where the short fields of a tile's first layer begin and end. Eight bytes may be read from each
// byte of theirs.
func shortFields(tile []byte) (start, end int) {
	if len(tile) < 2 || tile[0] != tagTileLayer {
		return 0, 0
	}
	_, n := binary.Uvarint(tile[1:])
	if n <= 0 {
		return 0, 0
	}
	start = 1 + n
	for end = start; end+1 < len(tile) && tile[end]&7 == 2 && tile[end+1] < shortField; {
		next := end + 2 + int(tile[end+1])
		if next+8 > len(tile) {
			break
		}
		end = next
	}
	return start, end
}

// fields writes the short fields.
func (c *codes) fields(w *bitWriter, tile []byte, start, end int) {
	var last [4 * shortField]int // by kind and length: where the last such field is
	from := start                // what is not written yet, up to the byte looked at, is as it is so far back:
	back, backCode := 0, code{}
	for at := start; at < end; {
		size := 2 + int(tile[at+1])
		kind := int(tile[at]>>3&3)*shortField + size - 2
		distance := at - last[kind]
		if last[kind] == 0 || distance > farthest {
			distance = 0
		}
		last[kind] = at
		if distance != back || at-from >= shortField { // a match is never longer than DEFLATE has it
			c.run(w, tile[from:at], backCode)
			from = at
			if distance != back {
				back, backCode = distance, c.distance(distance)
			}
		}
		if distance == 0 {
			c.literals(w, tile[at:at+size])
			at += size
			from = at
			continue
		}
		out, to, pending := w.out, w.at, w.pending // in registers
		for k := at; k < at+size; k += 8 {
			differ := binary.LittleEndian.Uint64(tile[k:]) ^ binary.LittleEndian.Uint64(tile[k-distance:])
			if rest := at + size - k; rest < 8 {
				differ &= 1<<(8*rest) - 1
			}
			for differ != 0 {
				n := bits.TrailingZeros64(differ) / 8
				differ &^= 0xff << (8 * n)
				if run := k + n - from; run >= leastMatch {
					to, pending = drain(out, to, pending.then(c.length[run]).then(backCode))
				} else {
					for _, b := range tile[from : k+n] {
						pending = pending.then(c.literal[b])
					}
				}
				to, pending = drain(out, to, pending.then(c.literal[tile[k+n]]))
				from = k + n + 1
			}
		}
		w.at, w.pending = to, pending
		at += size
	}
	c.run(w, tile[from:end], backCode)
}

// run writes what is the same so far back: as a match, or as literals where it is too short for one.
func (c *codes) run(w *bitWriter, same []byte, back code) {
	if len(same) < leastMatch {
		c.literals(w, same)
		return
	}
	w.put(c.length[len(same)].then(back))
}

func (c *codes) literals(w *bitWriter, text []byte) {
	for _, b := range text {
		w.put(c.literal[b])
	}
}

// code is at most 56 bits to write, the first lowest.
type code struct {
	bits uint64
	n    uint
}

func (c code) then(next code) code { return code{c.bits | next.bits<<(c.n&63), c.n + next.n} }

// bitWriter writes bits into out, which is long enough.
type bitWriter struct {
	out     []byte
	at      int
	pending code // less than a byte
}

func (w *bitWriter) put(c code) { w.at, w.pending = drain(w.out, w.at, w.pending.then(c)) }

// drain writes the whole bytes of the pending bits at a place of out, and returns the place after them and what is left.
func drain(out []byte, at int, pending code) (int, code) {
	binary.LittleEndian.PutUint64(out[at:], pending.bits)
	return at + int(pending.n>>3), code{pending.bits >> (pending.n & 56), pending.n & 7}
}

// flush ends the last byte and returns where the output ends.
func (w *bitWriter) flush() int { return w.at + int(w.pending.n+7)>>3 }
