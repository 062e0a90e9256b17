package cube

import (
	"slices"
	"sort"
)

// Published are counts that anybody may see: of the finest cells, those with too few reports are left out, and every coarser
// cell is the sum of the fine ones that are left. So no difference between zooms, or between neighbours, tells of what was
// left out. It is immutable.
type Published struct {
	cells []publishedCell // by code
}

type publishedCell struct {
	code  uint64 // Morton code of the cell at publishedBits
	count uint32
}

// PublishedZoom is the deepest zoom whose tiles show published counts; the finest cells are those of its tiles.
const PublishedZoom = 14

const publishedBits = PublishedZoom + heatBits // an axis

// Publish counts the reports that match by the finest cells, and leaves out those with fewer than least.
func (v View) Publish(f Filter, least uint32) *Published {
	s := v.scratch.Get().(*scratch)
	defer v.scratch.Put(s)
	m := v.compile(f)
	s.spans = append(s.spans[:0], tileSpan(0, 0, 0))
	counts := map[uint64]uint32{}
	v.runs(&m, s.spans, func(r *run) {
		one := uint32(1)
		if r.negative {
			one = ^uint32(0)
		}
		for i := r.lo; i < r.hi; i++ {
			if r.matches(&m, i) {
				counts[r.code[i]>>(64-2*publishedBits)] += one
			}
		}
	})
	p := &Published{}
	for code, n := range counts {
		if n >= max(least, 1) {
			p.cells = append(p.cells, publishedCell{code, n})
		}
	}
	slices.SortFunc(p.cells, func(a, b publishedCell) int {
		if a.code < b.code {
			return -1
		}
		return 1 // no two are the same
	})
	return p
}

// Total is the number of reports in the cells that are left.
func (p *Published) Total() (n int) {
	for _, c := range p.cells {
		n += int(c.count)
	}
	return n
}

// Heat appends the cells of a tile, as [View.Heat] does, down to PublishedZoom.
func (p *Published) Heat(z, x, y uint32, dst []Cell) []Cell {
	if z > PublishedZoom || x>>z != 0 || y>>z != 0 {
		return dst
	}
	shift := 2 * (publishedBits - z) // of a tile
	first := interleave(x, y)
	at := sort.Search(len(p.cells), func(i int) bool { return p.cells[i].code>>shift >= first })
	begin := len(dst)
	for ; at < len(p.cells) && p.cells[at].code>>shift == first; at++ {
		cx, cy := deinterleave(p.cells[at].code >> (2 * (PublishedZoom - z)) & (heatCells - 1))
		cell := Cell{X: uint8(cx), Y: uint8(cy), Count: p.cells[at].count}
		if last := len(dst) - 1; last >= begin && dst[last].X == cell.X && dst[last].Y == cell.Y {
			dst[last].Count += cell.Count
			continue
		}
		dst = append(dst, cell)
	}
	return dst
}
