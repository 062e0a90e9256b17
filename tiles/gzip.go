package tiles

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// AppendGzip appends a tile as one gzip member (RFC 1952). A tile of heat is all but one pattern of bytes, which is known
// here: its cells are written as matches and literals without a search, in codes that need not be learned of each tile.
// That takes a fraction of the library's time for about its size. All else is the library's, at its fastest level.
func AppendGzip(dst, tile []byte) []byte {
	if out, ok := appendHeatGzip(dst, tile); ok {
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

// The bytes of a cell's feature, as Heat writes it: head, tags, middle, two coordinates, tail.
//
//	12 L 12 T 00 | count 01 density | 18 03 22 0b 09 | x y | 1a 02 00 00 02 01 00 0f
const (
	cellHead     = 5
	cellMiddle   = 5
	cellTail     = 8
	cellRest     = cellMiddle + 2 + cellTail // of a feature, after its tags
	middleStart  = uint32(tagFeatureType | typePolygon<<8 | tagFeatureGeometry<<16 | 11<<24)
	tailBytes    = uint64(3<<3|lineTo) | 2<<8 | 2<<32 | 1<<40 | (1<<3|closePath)<<56
	leastTags    = 4
	mostTags     = 10 // counts and indexes below 2^28
	cellLeast    = cellHead - 1 + leastTags + cellRest
	cellMost     = cellHead - 1 + mostTags + cellRest
	leastMatch   = 3
	longestRun   = 2 * cellMost // two cells that follow one another are never the same
	learnedCells = 32           // from so many cells on, the codes for cells are shorter than the fixed ones, their own size included
)

// appendHeatGzip writes a tile of heat, or tells that it is none.
func appendHeatGzip(dst, tile []byte) (out []byte, ok bool) {
	at, n := layerStart(tile)
	if n == 0 {
		return dst, false
	}
	c := heatCodes[0]()
	if n >= learnedCells {
		c = heatCodes[1]()
	}
	dst = append(dst, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255) // deflate, no name, no time, no system
	dst = slices.Grow(dst, 2*len(tile)+len(c.header)+64)    // a code has at most 15 bits
	w := bitWriter{out: dst[:cap(dst)], at: len(dst)}
	for _, b := range c.header {
		w.put(b)
	}
	end := c.cells(&w, tile, at)
	for _, b := range tile[end:] {
		w.put(c.literal[b])
	}
	w.put(c.end)
	dst = w.out[:w.flush()]
	dst = binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(tile))
	return binary.LittleEndian.AppendUint32(dst, uint32(len(tile))), true
}

// layerStart returns where the features of a tile's first layer begin, and about how many there are; 0 where the tile does
// not begin with the feature of a cell.
func layerStart(tile []byte) (at, cells int) {
	if len(tile) == 0 || tile[0] != tagTileLayer {
		return 0, 0
	}
	length, n := binary.Uvarint(tile[1:])
	at = 1 + n
	if n <= 0 || length != uint64(len(tile)-at) || cellSize(tile, at) == 0 {
		return 0, 0
	}
	return at, len(tile) / (cellSize(tile, at) + 2)
}

// cellSize is the size of the cell's feature at a place of a tile, 0 where there is none.
func cellSize(tile []byte, at int) int {
	if len(tile)-at < cellMost || tile[at] != tagLayerFeature { // the layer's name and keys come after the last cell
		return 0
	}
	tags := int(tile[at+3])
	size := cellHead - 1 + tags + cellRest
	rest := at + size - cellRest
	if tags < leastTags || tags > mostTags || int(tile[at+1]) != size-2 || tile[at+2] != tagFeatureTags || tile[at+4] != 0 ||
		binary.LittleEndian.Uint32(tile[rest:]) != middleStart || tile[rest+4] != 1<<3|moveTo ||
		binary.LittleEndian.Uint64(tile[rest+cellRest-cellTail:]) != tailBytes {
		return 0
	}
	return size
}

// cells writes the tile up to the end of its cells and returns where that is. A cell is matched with the one before it,
// as far back as it is long: what is the same is a match, which goes on into the next cell of that length.
func (c *codes) cells(w *bitWriter, tile []byte, at int) (end int) {
	size := cellSize(tile, at)
	end = at + size
	for _, b := range tile[:end] {
		w.put(c.literal[b])
	}
	run := 0 // bytes before the one looked at that are the same, and not written yet
	for next := cellSize(tile, end); next > 0; next = cellSize(tile, end) {
		i, rest := end+cellHead, end+next-cellRest // the first byte that may differ, and where the tags end
		if next == size {
			run += cellHead
		} else {
			c.run(w, tile, end, size, run)
			for _, b := range tile[end:rest] {
				w.put(c.literal[b])
			}
			run, size, i = cellMiddle, next, rest+cellMiddle
		}
		end += next
		match := &c.match[size]
		out, to, pending := w.out, w.at, w.pending // in registers
		for {
			if b := tile[i]; b == tile[i-size] {
				run++
			} else {
				if run >= leastMatch {
					pending = pending.then(match[run])
				} else {
					for _, b := range tile[i-run : i] {
						pending = pending.then(c.literal[b])
					}
				}
				to, pending = drain(out, to, pending.then(c.literal[b]))
				run = 0
			}
			if i++; i == rest {
				i += cellMiddle
				run += cellMiddle
			} else if i == end-cellTail {
				break
			}
		}
		w.at, w.pending = to, pending
		run += cellTail
	}
	c.run(w, tile, end, size, run)
	return end
}

// run writes the run of bytes before at: as a match, or as literals where it is too short for one.
func (c *codes) run(w *bitWriter, tile []byte, at, size, run int) {
	if run >= leastMatch {
		w.put(c.match[size][run])
		return
	}
	for _, b := range tile[at-run : at] {
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
