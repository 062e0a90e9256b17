package tiles

import (
	"cmp"
	"math"
	"slices"
)

// loop is a ring of a clipped polygon: pixels [lo, hi), without repeating the first.
type loop struct {
	lo, hi int
	area2  int64 // twice the signed area; positive: a shell
}

// crossing is an end of a chain on the box's side.
type crossing struct {
	way   float64
	chain int
	entry bool
}

// polygon clips a shape and leaves its rings in c.loops: shells with positive area where y grows downwards, holes with
// negative, none of less than three corners or without area. It reports whether any is left.
func (c *clipper) polygon(s *shape) bool {
	c.start()
	c.loops, c.pixels = c.loops[:0], c.pixels[:0]
	linked := false
	for i := range s.rings {
		r := &s.rings[i]
		if !r.box.meets(c.bound) {
			continue
		}
		first := len(c.chains)
		c.cut(&r.path, true)
		for k := first; k < len(c.chains); k++ {
			c.chains[k].shell = r.shell
			linked = linked || !c.chains[k].closed
		}
	}
	for _, ch := range c.chains {
		if ch.closed {
			c.loop(c.spots[ch.lo:ch.hi], ch.shell)
		}
	}
	switch {
	case linked:
		if !c.link() {
			c.cutBySides(s)
		}
	case c.cornerInside(s):
		c.loop(corners[:], true)
	}
	return len(c.loops) > 0
}

// link joins the open chains along the box's side into shells. Their inside lies to the left when x goes right and y up,
// so from each exit the side is followed, by growing way, to the next entry. Where rounding made rings of the shape cross
// one another, exits and entries may not alternate: then it returns false.
func (c *clipper) link() bool {
	c.order = c.order[:0]
	for i, ch := range c.chains {
		if !ch.closed {
			c.order = append(c.order, crossing{ch.entry, i, true}, crossing{ch.exit, i, false})
		}
	}
	slices.SortFunc(c.order, func(a, b crossing) int { return cmp.Compare(a.way, b.way) })
	n := len(c.order)
	for i := 1; i < n; i++ {
		if c.order[i].entry == c.order[i-1].entry {
			if i+1 == n || c.order[i+1].way != c.order[i].way || c.order[i+1].entry == c.order[i].entry {
				return false
			}
			c.order[i], c.order[i+1] = c.order[i+1], c.order[i]
		}
	}
	if c.order[0].entry == c.order[n-1].entry {
		return false
	}
	for i := range c.order { // each unused exit begins a loop
		if c.order[i].entry || c.order[i].chain < 0 {
			continue
		}
		c.spare = c.spare[:0]
		for at := i; c.order[at].chain >= 0; {
			exit := &c.order[at]
			ch := c.chains[exit.chain]
			c.spare = append(c.spare, c.spots[ch.lo:ch.hi]...)
			exit.chain = -1
			next := (at + 1) % n
			c.follow(ch.exit, c.order[next].way)
			at = c.exitOf(c.order[next].chain)
			if at < 0 {
				break
			}
		}
		c.loop(c.spare, true)
	}
	return true
}

// exitOf finds the unused exit of a chain, or -1.
func (c *clipper) exitOf(chain int) int {
	return slices.IndexFunc(c.order, func(x crossing) bool { return !x.entry && x.chain == chain })
}

// follow adds the corners between two ways, onward from the first.
func (c *clipper) follow(from, to float64) {
	if to < from {
		to += 4 * side
	}
	for k := math.Floor(from/side) + 1; k*side <= to; k++ {
		c.spare = append(c.spare, corners[int(k-1)%4])
	}
}

// loop rounds a ring, drops repeated corners and spikes, and keeps it if it still has area of the right sign.
func (c *clipper) loop(spots []spot, shell bool) {
	lo := len(c.pixels)
	for _, s := range spots {
		p := s.pixel()
		n := len(c.pixels)
		switch {
		case n > lo && c.pixels[n-1] == p:
		case n > lo+1 && c.pixels[n-2] == p:
			c.pixels = c.pixels[:n-1]
		default:
			c.pixels = append(c.pixels, p)
		}
	}
	ring := c.pixels[lo:]
	for len(ring) > 2 {
		n := len(ring)
		switch {
		case ring[0] == ring[n-1] || ring[1] == ring[n-1]: // closed twice, or the first corner is a spike
			if ring[1] == ring[n-1] {
				ring = ring[1:]
				lo++
			}
			ring = ring[:len(ring)-1]
			continue
		case ring[0] == ring[n-2]: // the last corner is a spike
			ring = ring[:n-2]
			continue
		}
		break
	}
	area2 := int64(0)
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		area2 += int64(p.x)*int64(q.y) - int64(q.x)*int64(p.y)
	}
	if len(ring) < 3 || area2 == 0 || area2 > 0 != shell {
		c.pixels = c.pixels[:lo]
		return
	}
	c.pixels = c.pixels[:lo+len(ring)]
	c.loops = append(c.loops, loop{lo, lo + len(ring), area2})
}

// cornerInside reports whether the box's first corner lies in the shape. The corner lies between whole units, so no
// vertex is level with it.
func (c *clipper) cornerInside(s *shape) bool {
	cornerX := (c.originX + clipLo + 1) / c.scale
	levelLo, levelHi := (c.originY+clipLo-1)/c.scale, (c.originY+clipLo+1)/c.scale
	odd := false
	for i := range s.rings {
		p := &s.rings[i].path
		for k, b := range p.boxes {
			if b.minY > levelHi || b.maxY < levelLo || b.minX > cornerX {
				continue
			}
			stretch := p.stretch(k)
			last := c.at(stretch[0])
			for _, v := range stretch[1:] {
				next := c.at(v)
				if (last.y < clipLo) != (next.y < clipLo) && atY(last, next, clipLo).x < clipLo {
					odd = !odd
				}
				last = next
			}
		}
	}
	return odd
}

// cutBySides clips ring by ring, side after side (Sutherland and Hodgman): right in area whatever the rings look like, at
// the price of seams along the box's side. It replaces what is in c.loops.
func (c *clipper) cutBySides(s *shape) {
	c.loops, c.pixels = c.loops[:0], c.pixels[:0]
	for i := range s.rings {
		r := &s.rings[i]
		in := c.spots[:0]
		for _, v := range r.vertices[1:] {
			in = append(in, c.at(v))
		}
		out := c.spare[:0]
		for _, limit := range [2]float64{clipLo, clipHi} {
			sign := 1.0
			if limit == clipHi {
				sign = -1
			}
			for axis := range 2 {
				out = out[:0]
				for k, q := range in {
					p := in[(k+len(in)-1)%len(in)]
					keepP, keepQ := (p.on(axis)-limit)*sign > 0, (q.on(axis)-limit)*sign > 0
					if keepP != keepQ {
						if axis == 0 {
							out = append(out, atX(p, q, limit))
						} else {
							out = append(out, atY(p, q, limit))
						}
					}
					if keepQ {
						out = append(out, q)
					}
				}
				in, out = out, in
			}
		}
		c.loop(in, r.shell)
		c.spots, c.spare = in, out
	}
}

func (p spot) on(axis int) float64 {
	if axis == 0 {
		return p.x
	}
	return p.y
}
