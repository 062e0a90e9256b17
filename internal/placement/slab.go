package placement

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// cellBuilder turns the edges near a cell into its slabs.
type cellBuilder struct {
	p     *plane
	words []uint64
	limit int        // of words
	edges []edge     // of the cell
	sides []float64  // parallels that divide it
	level []float64  // parallels with an edge along them
	turns []float64  // latitudes where a gap changes its shape
	slab  []crossing // edges of the slab, west to east
	prior []crossing // of the slab below
	faces []uint32   // of the slab's gaps
	last  []uint32   // of the slab below
}

// edge is directed upward (an edge along a parallel is none), whichever way its ring runs: twins become equal.
type edge struct{ low, high orb.Point }

// crossing is an edge in a slab: its abscissas at the bottom and the top.
type crossing struct {
	edge        edge
	bottom, top float64
	slope       float64
}

// mixed appends the slabs of a cell and returns its word: mixed | offset, a face if the edges turn out to miss the cell,
// or unsure where edges cross one another.
func (b *cellBuilder) mixed(x, y int, pairs []uint32) uint32 {
	r, d := &b.p.raster, b.p.reach()
	west, east := r.minX+float64(x)/r.perX, r.minX+float64(x+1)/r.perX
	floor, ceiling := r.minY+float64(y)/r.perY-d, r.minY+float64(y+1)/r.perY+d

	b.collect(pairs, floor, ceiling)
	at := len(b.words)
	b.words = append(b.words, math.Float64bits(floor))
	b.prior, b.last = b.prior[:0], b.last[:0]
	lastHead := -1 // where the previous slab begins
	for i := 1; i < len(b.sides); i++ {
		bottom, top := b.sides[i-1], b.sides[i]
		if !b.cross(bottom, top, west-d, east+d) {
			b.words = b.words[:at]
			return unsure
		}
		b.judge(bottom, top, west, east)
		if len(b.words)-at > mostCellWords || len(b.words) > b.limit {
			b.words = b.words[:at]
			return unsure
		}
		last := i == len(b.sides)-1
		if last {
			top = math.Inf(1) // the raster has chosen the cell; no point of it is above
		}
		if lastHead >= 0 && b.continues(bottom) {
			b.words[lastHead] = math.Float64bits(top)
			continue
		}
		lastHead = len(b.words)
		b.words = append(b.words, math.Float64bits(top), uint64(len(b.slab))<<32|uint64(b.faces[0]))
		for k, c := range b.slab {
			b.words = append(b.words, math.Float64bits(c.bottom), math.Float64bits(c.slope), uint64(b.faces[k+1]))
		}
		b.prior, b.slab = b.slab, b.prior
		b.last, b.faces = b.faces, b.last
	}
	if lastHead == at+1 && len(b.prior) == 0 { // one slab without an edge
		b.words = b.words[:at]
		return b.last[0]
	}
	return mixed | uint32(at)
}

// collect finds the distinct edges and the parallels that divide the cell.
func (b *cellBuilder) collect(pairs []uint32, floor, ceiling float64) {
	b.edges, b.sides, b.level = b.edges[:0], append(b.sides[:0], floor, ceiling), b.level[:0]
	for _, k := range pairs {
		e := edge{b.p.pts[k], b.p.pts[k+1]}
		if e.low[1] > e.high[1] {
			e.low, e.high = e.high, e.low
		}
		for _, y := range [...]float64{e.low[1], e.high[1]} {
			if y > floor && y < ceiling {
				b.sides = append(b.sides, y)
			}
		}
		switch {
		case e.low[1] == e.high[1]:
			b.level = append(b.level, e.low[1])
		case !slices.Contains(b.edges, e):
			b.edges = append(b.edges, e)
		}
	}
	slices.Sort(b.sides)
	b.sides = slices.Compact(b.sides)
}

// cross finds the edges that cross the slab between the meridians, west to east. It returns false if two of them cross.
func (b *cellBuilder) cross(bottom, top, west, east float64) bool {
	b.slab = b.slab[:0]
	for _, e := range b.edges {
		if e.low[1] > bottom || e.high[1] < top {
			continue
		}
		slope := (e.high[0] - e.low[0]) / (e.high[1] - e.low[1])
		c := crossing{e, abscissa(e, bottom), abscissa(e, top), slope}
		if max(c.bottom, c.top) < west || min(c.bottom, c.top) > east {
			continue
		}
		b.slab = append(b.slab, c)
	}
	slices.SortFunc(b.slab, func(l, r crossing) int {
		switch d := (l.bottom - r.bottom) + (l.top - r.top); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	tolerance := b.p.slack / 4
	for i := 1; i < len(b.slab); i++ {
		l, r := b.slab[i-1], b.slab[i]
		if l.bottom > r.bottom+tolerance || l.top > r.top+tolerance {
			return false
		}
	}
	return true
}

// abscissa is the edge's longitude at a latitude of its range; exact at its ends.
func abscissa(e edge, y float64) float64 {
	switch y {
	case e.low[1]:
		return e.low[0]
	case e.high[1]:
		return e.high[0]
	}
	return e.low[0] + (e.high[0]-e.low[0])*((y-e.low[1])/(e.high[1]-e.low[1]))
}

// judge finds the face of each gap between the slab's edges, from the faces themselves, at a point of the gap that is clear
// of the edges. A gap without such a point holds none that at would answer.
func (b *cellBuilder) judge(bottom, top, west, east float64) {
	b.faces = b.faces[:0]
	for i := 0; i <= len(b.slab); i++ {
		var left, right *crossing
		if i > 0 {
			left = &b.slab[i-1]
		}
		if i < len(b.slab) {
			right = &b.slab[i]
		}
		face := uint32(0)
		if q, clear := b.sample(left, right, bottom, top, west, east); clear {
			face = b.p.faceAt(q)
		}
		b.faces = append(b.faces, face)
	}
}

// sample returns the middle of a parallel that is long within the gap and the cell. The length is a concave function of
// latitude, linear between the latitudes where an edge passes the cell's sides, and of one sign there: halfway it is at
// least half of the greatest. Where an edge is so level that these lie a few ulps apart, the doubles around them are tried.
func (b *cellBuilder) sample(left, right *crossing, bottom, top, west, east float64) (q orb.Point, clear bool) {
	turns := b.turns[:0]
	turns = append(turns, bottom, top)
	for _, c := range [...]*crossing{left, right} {
		if c == nil || c.slope == 0 {
			continue
		}
		for _, x := range [...]float64{west, east} {
			if y := bottom + (x-c.bottom)/c.slope; y > bottom && y < top {
				turns = append(turns, y)
			}
		}
	}
	slices.Sort(turns)
	b.turns = turns
	best := b.p.slack / 4 // at answers where the greatest is above the slack
	try := func(y float64) {
		if !(y > bottom && y < top) {
			return
		}
		from, to := west, east
		if left != nil {
			from = max(from, left.bottom+left.slope*(y-bottom))
		}
		if right != nil {
			to = min(to, right.bottom+right.slope*(y-bottom))
		}
		if to-from > best {
			best, q, clear = to-from, orb.Point{from + (to-from)/2, y}, true
		}
	}
	for i := 1; i < len(turns); i++ {
		try(turns[i-1] + (turns[i]-turns[i-1])/2)
	}
	if clear {
		return q, true
	}
	for _, turn := range turns {
		below, above := turn, turn
		try(turn)
		for range 2 {
			below, above = math.Nextafter(below, -90), math.Nextafter(above, 90)
			try(below)
			try(above)
		}
	}
	return q, clear
}

// continues tells whether the slab has the edges and faces of the one below it, with no edge along the parallel between
// them: then they are one.
func (b *cellBuilder) continues(bottom float64) bool {
	return !slices.Contains(b.level, bottom) && slices.Equal(b.faces, b.last) && slices.EqualFunc(b.slab, b.prior, func(l, r crossing) bool { return l.edge == r.edge })
}
