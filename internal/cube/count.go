package cube

import (
	"math"

	"github.com/paulmach/orb"
)

// Count returns how many reports match, inside the bound if there is one. The bound is in degrees, its sides belong to
// it; it is compared on the cube's 32-bit cells.
func (v View) Count(f Filter, within *orb.Bound) uint64 {
	n := uint64(0)
	v.each(f, within, func(r *run, i int, sign uint64) { n += sign })
	return n
}

// Span returns the times of the earliest and the latest report that match; any is false when none does.
func (v View) Span(f Filter) (first, last uint32, any bool) {
	s := v.scratch.Get().(*scratch)
	defer v.scratch.Put(s)
	m := v.compile(f)
	s.spans = append(s.spans[:0], tileSpan(0, 0, 0))
	s.dead = v.casualties(&m, s.spans, s.dead)
	first = math.MaxUint32
	v.live(&m, s.spans, s.dead, func(r *run, i int) {
		first, last, any = min(first, r.at[i]), max(last, r.at[i]), true
	})
	return first, last, any
}

// Histogram counts the reports that match by time: result[i] is the number with edges[i] <= At < edges[i+1], so there is
// one count fewer than edges. Edges must rise; fewer than two give nothing.
func (v View) Histogram(f Filter, within *orb.Bound, edges []uint32) []uint64 {
	if len(edges) < 2 {
		return nil
	}
	counts := make([]uint64, len(edges)-1)
	steps, ok := f.stepsOf(edges)
	if !ok {
		return counts
	}
	v.each(f, within, func(r *run, i int, sign uint64) { counts[steps.of(r.at[i])] += sign })
	return counts
}

// CountByPlace adds to counts[place·steps + step] the reports that match: places[face] is the place of a face, below 0 for none, and a
// step is from one edge to the next, so there is one fewer than edges. A face beyond places has none.
func (v View) CountByPlace(f Filter, places []int32, edges []uint32, counts []uint64) {
	if len(edges) < 2 {
		return
	}
	steps, ok := f.stepsOf(edges)
	if !ok {
		return
	}
	m, wide := v.compile(f), len(edges)-1
	v.runs(&m, []span{tileSpan(0, 0, 0)}, func(r *run) {
		sign := uint64(1)
		if r.negative {
			sign = ^uint64(0)
		}
		// A million rows are looked at each time: what most filters ask stands in the loop.
		simple := m.faces == nil && m.hours == nil && m.deep == nil && (r.byItem || r.anyItem)
		faces, ats, attrs := r.face[r.lo:r.hi], r.at[r.lo:r.hi], r.attr[r.lo:r.hi]
		for i, face := range faces {
			if m.inWindow(ats[i])&uint32(m.attrs>>(attrs[i]&63))&1 == 0 || uint64(face) >= uint64(len(places)) || places[face] < 0 || !simple && !r.matches(&m, r.lo+i) {
				continue
			}
			step := 0
			if wide > 1 {
				step = steps.of(ats[i])
			}
			counts[int(places[face])*wide+step] += sign
		}
	})
}

// Squares are columns and rows of the squares of a zoom, from the one at X, Y on: x grows eastward, y southward.
type Squares struct {
	Z, X, Y    uint32 // Z is at most 32, and 1 at least
	Cols, Rows int
}

// CountBySquare adds to counts[row·Cols + column] the reports that match.
func (v View) CountBySquare(f Filter, s Squares, counts []float64) {
	shift := 64 - 2*s.Z
	v.each(f, nil, func(r *run, i int, sign uint64) {
		x, y := deinterleave(r.code[i] >> shift)
		if x, y = x-s.X, y-s.Y; uint64(x) < uint64(s.Cols) && uint64(y) < uint64(s.Rows) { // below X or Y it is very large
			counts[int(y)*s.Cols+int(x)] += float64(int64(sign))
		}
	})
}

// steps find the step of a time. A table of equal slots says where to begin to look; edges need not be equally far apart (days with a
// clock change).
type steps struct {
	edges []uint32
	slot  uint32
	begin [4096]int32
}

// stepsOf also cuts the filter to the edges, two at least, which must rise; ok is false when nothing is left.
func (f *Filter) stepsOf(edges []uint32) (s *steps, ok bool) {
	first, last := edges[0], edges[len(edges)-1]
	f.From = max(f.From, first)
	if f.To == 0 || f.To > last {
		f.To = last
	}
	if f.To <= f.From {
		return nil, false
	}
	s = &steps{edges: edges}
	slots := uint32(len(s.begin))
	s.slot = (last-first)/slots + 1
	step := 0
	for i := range s.begin {
		for step+2 < len(edges) && uint64(edges[step+1]) <= uint64(first)+uint64(i)*uint64(s.slot) {
			step++
		}
		s.begin[i] = int32(step)
	}
	return s, true
}

// of is the step of a time within the edges.
func (s *steps) of(at uint32) int {
	step := int(s.begin[(at-s.edges[0])/s.slot])
	for at >= s.edges[step+1] {
		step++
	}
	return step
}

// CountByFace adds to counts[face] the reports that match, and returns the number of those whose face has no place in
// counts (FaceNone among them).
func (v View) CountByFace(f Filter, within *orb.Bound, counts []uint64) (others uint64) {
	v.each(f, within, func(r *run, i int, sign uint64) {
		if face := r.face[i]; uint64(face) < uint64(len(counts)) {
			counts[face] += sign
		} else {
			others += sign
		}
	})
	return others
}

// CountByItem adds to counts[item] the reports that match, and returns the number of those whose item has no place in
// counts.
func (v View) CountByItem(f Filter, within *orb.Bound, counts []uint64) (others uint64) {
	v.each(f, within, func(r *run, i int, sign uint64) {
		if item := r.itemAt(i); int(item) < len(counts) {
			counts[item] += sign
		} else {
			others += sign
		}
	})
	return others
}

// CountByFate counts the reports that match by the state of their case and by how it ended.
func (v View) CountByFate(f Filter, within *orb.Bound) (states [MaxStates]uint64, ends [MaxEnds]uint64) {
	v.each(f, within, func(r *run, i int, sign uint64) {
		states[stateOf(r.lot[i])] += sign
		ends[endOf(r.lot[i])] += sign
	})
	return states, ends
}

// CountByCrew adds to counts[crew] the reports that match, and returns the number of those whose crew has no place in counts
// (CrewNone among them).
func (v View) CountByCrew(f Filter, within *orb.Bound, counts []uint64) (others uint64) {
	v.each(f, within, func(r *run, i int, sign uint64) {
		if crew := crewOf(r.lot[i]); uint64(crew) < uint64(len(counts)) {
			counts[crew] += sign
		} else {
			others += sign
		}
	})
	return others
}

// each calls visit for every row that matches; sign is 1, or 2⁶⁴-1 (that is -1) for a row taken away.
func (v View) each(f Filter, within *orb.Bound, visit func(r *run, i int, sign uint64)) {
	s := v.scratch.Get().(*scratch)
	defer v.scratch.Put(s)
	m := v.compile(f)
	var box cellBox
	s.spans = append(s.spans[:0], tileSpan(0, 0, 0))
	if within != nil {
		var ok bool
		if box, ok = boxOf(*within); !ok {
			return
		}
		s.spans = box.spans(s.spans[:0])
	}
	v.runs(&m, s.spans, func(r *run) {
		sign := uint64(1)
		if r.negative {
			sign = ^uint64(0)
		}
		for i := r.lo; i < r.hi; i++ {
			if r.matches(&m, i) && (r.whole || box.holds(r.code[i])) {
				visit(r, i, sign)
			}
		}
	})
}

// cellBox is a box of cells, all four sides included.
type cellBox struct{ minX, minY, maxX, maxY uint32 }

func boxOf(b orb.Bound) (box cellBox, ok bool) {
	if !(b.Min[0] <= b.Max[0] && b.Min[1] <= b.Max[1]) { // NaN too
		return box, false
	}
	for _, p := range []*orb.Point{&b.Min, &b.Max} { // an infinite side reaches the end of the world
		p[0] = math.Max(-180, math.Min(180, p[0]))
		p[1] = math.Max(-90, math.Min(90, p[1]))
	}
	box.minX, box.maxY, _ = project(b.Min[0], b.Min[1])
	box.maxX, box.minY, _ = project(b.Max[0], b.Max[1])
	return box, true
}

func (b cellBox) holds(code uint64) bool {
	x, y := deinterleave(code)
	return b.minX <= x && x <= b.maxX && b.minY <= y && y <= b.maxY
}

// spans covers the box by ranges of codes in rising order: squares inside the box whole, and along its sides squares of
// about a sixteenth of it whose rows have to be looked at one by one.
func (b cellBox) spans(dst []span) []span {
	side := max(b.maxX-b.minX, b.maxY-b.minY) / 16
	var split func(x, y uint32, z uint32)
	split = func(x, y, z uint32) {
		size := uint64(worldCells) >> z
		x0, y0 := uint64(x)*size, uint64(y)*size
		x1, y1 := x0+size-1, y0+size-1
		if x0 > uint64(b.maxX) || x1 < uint64(b.minX) || y0 > uint64(b.maxY) || y1 < uint64(b.minY) {
			return
		}
		whole := x0 >= uint64(b.minX) && x1 <= uint64(b.maxX) && y0 >= uint64(b.minY) && y1 <= uint64(b.maxY)
		if whole || size <= uint64(side) || z == 32 {
			sp := tileSpan(z, x, y)
			sp.whole = whole
			if last := len(dst) - 1; last >= 0 && dst[last].whole == whole && dst[last].last+1 == sp.first {
				dst[last].last = sp.last
				return
			}
			dst = append(dst, sp)
			return
		}
		for q := range uint32(4) {
			split(2*x+q&1, 2*y+q>>1, z+1)
		}
	}
	split(0, 0, 0)
	return dst
}
