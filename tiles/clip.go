package tiles

import (
	"math"
	"slices"
)

// Buffer is how far polygons and lines reach beyond the tile, in units.
const Buffer = 64

// The clipping box lies half a unit inside the buffer: vertices are whole units, so none ever lies on a side and every
// crossing is a true one. What is cut ends on the whole unit outside.
const (
	clipLo = -Buffer + 0.5
	clipHi = Extent + Buffer - 0.5
	side   = clipHi - clipLo
)

// spot is a place in tile units, as floating point while it is being cut.
type spot struct{ x, y float64 }

func (p spot) inside() bool { return p.x > clipLo && p.x < clipHi && p.y > clipLo && p.y < clipHi }

// less orders spots so that an edge is cut at the same place from both of its sides.
func (p spot) less(q spot) bool { return p.x < q.x || p.x == q.x && p.y < q.y }

// pixel is a whole unit of the tile.
type pixel struct{ x, y int32 }

func (p spot) pixel() pixel { return pixel{whole(p.x), whole(p.y)} }

func whole(v float64) int32 {
	switch v {
	case clipLo:
		return -Buffer
	case clipHi:
		return Extent + Buffer
	}
	return int32(math.Floor(v + 0.5))
}

// around is the way of a spot on the box's side from the corner (lo, lo), first along growing x.
func (p spot) around() float64 {
	switch {
	case p.y == clipLo:
		return p.x - clipLo
	case p.x == clipHi:
		return side + p.y - clipLo
	case p.y == clipHi:
		return 2*side + clipHi - p.x
	}
	return 3*side + clipHi - p.y
}

var corners = [4]spot{{clipHi, clipLo}, {clipHi, clipHi}, {clipLo, clipHi}, {clipLo, clipLo}} // at side, 2·side, …

// chain is a stretch of a path inside the box: spots [lo, hi).
type chain struct {
	lo, hi      int
	entry, exit float64 // ways around of its ends; for polygons only
	closed      bool    // a whole ring
	shell       bool    // of a closed one
}

// clipper cuts paths at one tile. The zero value with its tile set is ready; its memory is kept.
type clipper struct {
	scale, originX, originY float64 // unit square → tile
	bound                   box     // the box in the unit square, a unit wider

	spots  []spot
	chains []chain
	loops  []loop
	pixels []pixel
	order  []crossing
	spare  []spot
}

func (c *clipper) aim(a Address) {
	c.scale = math.Exp2(float64(a.Z)) * Extent
	c.originX, c.originY = float64(a.X)*Extent, float64(a.Y)*Extent
	c.bound = box{
		(c.originX + clipLo - 1) / c.scale, (c.originY + clipLo - 1) / c.scale,
		(c.originX + clipHi + 1) / c.scale, (c.originY + clipHi + 1) / c.scale,
	}
}

// at rounds a vertex to the whole units of the zoom, the same in every tile, and returns its place in this one.
func (c *clipper) at(v vertex) spot {
	return spot{math.Floor(v.x*c.scale+0.5) - c.originX, math.Floor(v.y*c.scale+0.5) - c.originY}
}

func (c *clipper) start() {
	c.spots, c.chains = c.spots[:0], c.chains[:0]
}

// cut appends the chains of a path inside the box. A ring that begins inside is joined across its beginning.
func (c *clipper) cut(p *path, closed bool) {
	first := len(c.chains)
	open := false // a chain is under way
	var last spot
	for i, b := range p.boxes {
		if !b.meets(c.bound) { // its ends are outside, so no chain is under way
			continue
		}
		stretch := p.stretch(i)
		last = c.at(stretch[0])
		if i == 0 && last.inside() {
			c.begin(last)
			open = true
		}
		for _, v := range stretch[1:] {
			next := c.at(v)
			if next != last {
				open = c.edge(last, next, open)
				last = next
			}
		}
	}
	if !open {
		return
	}
	tail := &c.chains[len(c.chains)-1]
	tail.hi = len(c.spots)
	if !closed {
		return
	}
	if len(c.chains)-1 == first { // never left the box
		tail.closed = true
		return
	}
	head := c.chains[first] // begins where the tail ends
	c.spots = append(c.spots, c.spots[head.lo+1:head.hi]...)
	tail.hi, tail.exit = len(c.spots), head.exit
	c.chains = slices.Delete(c.chains, first, first+1)
}

func (c *clipper) begin(p spot) {
	c.chains = append(c.chains, chain{lo: len(c.spots)})
	c.spots = append(c.spots, p)
}

// edge adds what lies inside of one edge and says whether a chain is under way after it.
func (c *clipper) edge(p, q spot, open bool) bool {
	if open {
		if q.inside() {
			c.spots = append(c.spots, q)
			return true
		}
		c.end(leave(p, q))
		return false
	}
	if q.inside() {
		entry := leave(q, p)
		c.begin(entry)
		c.chains[len(c.chains)-1].entry = entry.around()
		c.spots = append(c.spots, q)
		return true
	}
	if in, out, ok := pass(p, q); ok {
		c.begin(in)
		c.chains[len(c.chains)-1].entry = in.around()
		c.end(out)
	}
	return false
}

func (c *clipper) end(exit spot) {
	c.spots = append(c.spots, exit)
	last := &c.chains[len(c.chains)-1]
	last.hi, last.exit = len(c.spots), exit.around()
}

// atX is where an edge has the given x, and atY the given y; both are the same from either end.
func atX(p, q spot, x float64) spot {
	if q.less(p) {
		p, q = q, p
	}
	return spot{x, p.y + (x-p.x)/(q.x-p.x)*(q.y-p.y)}
}

func atY(p, q spot, y float64) spot {
	if q.less(p) {
		p, q = q, p
	}
	return spot{p.x + (y-p.y)/(q.y-p.y)*(q.x-p.x), y}
}

func between(v float64) bool { return v >= clipLo && v <= clipHi }

// leave is where an edge from inside to outside crosses the box.
func leave(in, out spot) spot {
	for _, limit := range [2]float64{clipLo, clipHi} {
		if (out.x < limit) != (in.x < limit) {
			if s := atX(in, out, limit); between(s.y) {
				return s
			}
		}
	}
	limit := clipHi
	if out.y < clipLo {
		limit = clipLo
	}
	s := atY(in, out, limit)
	s.x = max(clipLo, min(clipHi, s.x)) // through a corner, but for rounding
	return s
}

// pass is where an edge between two spots outside enters and leaves the box, if it does.
func pass(p, q spot) (in, out spot, ok bool) {
	if max(p.x, q.x) < clipLo || min(p.x, q.x) > clipHi || max(p.y, q.y) < clipLo || min(p.y, q.y) > clipHi {
		return in, out, false
	}
	n := 0
	var hits [4]spot
	for _, limit := range [2]float64{clipLo, clipHi} {
		if (p.x < limit) != (q.x < limit) {
			if s := atX(p, q, limit); between(s.y) {
				hits[n] = s
				n++
			}
		}
		if (p.y < limit) != (q.y < limit) {
			if s := atY(p, q, limit); s.x > clipLo && s.x < clipHi { // corners belong to the other sides
				hits[n] = s
				n++
			}
		}
	}
	if n != 2 || hits[0] == hits[1] {
		return in, out, false
	}
	in, out = hits[0], hits[1]
	if (out.x-in.x)*(q.x-p.x)+(out.y-in.y)*(q.y-p.y) < 0 {
		in, out = out, in
	}
	return in, out, true
}
