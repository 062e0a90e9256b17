package placement

import (
	"github.com/paulmach/orb"

	"gridgov/internal/robust"
)

// whereabouts of a point and a face.
type whereabouts int8

const (
	outside whereabouts = iota - 1
	onBorder
	inside
)

// arithmetic chooses how the side of an edge is found.
type arithmetic bool

const (
	asPostGIS arithmetic = false // rounded, operation by operation as PostGIS does
	exactly   arithmetic = true
)

// where tells whether q is outside a face, on its border or inside, as point_in_multipolygon of PostGIS 3.3 does
// (postgis/lwgeom_functions_analytic.c): winding numbers ring by ring, the first polygon that does not exclude the point
// decides, and the border of a hole is the face's. ST_Covers is where ≠ outside.
func (p *plane) where(face int32, q orb.Point, how arithmetic) whereabouts {
	f := &p.faces[face]
	for i := f.from; i < f.to; {
		w := p.inRing(i, q, how)
		hole := i + 1
		for ; hole < f.to && !p.rings[hole].outer; hole++ {
			if w != inside {
				continue
			}
			switch p.inRing(hole, q, how) {
			case inside:
				w = outside
			case onBorder:
				return onBorder
			}
		}
		if w != outside {
			return w
		}
		i = hole
	}
	return outside
}

// inRing is the winding number test of PostGIS's point_in_ring. Edges wholly left of q cannot count, whatever the rounding:
// each factor of the one product is then at most that of the other, and rounding keeps the order of products.
func (p *plane) inRing(i uint32, q orb.Point, how arithmetic) whereabouts {
	turns := 0
	x, y := q[0], q[1]
	for r := p.rings[i].from; r < p.rings[i].to; r++ {
		c := &p.runs[r]
		if y < c.minY || y > c.maxY || x > c.maxX {
			continue
		}
		pts := p.pts[c.from : c.to+1]
		for k := 1; k < len(pts); k++ {
			a, b := pts[k-1], pts[k]
			if (a[1] > y && b[1] > y) || (a[1] < y && b[1] < y) || a == b {
				continue
			}
			s := side(a, b, q, how)
			if s == 0 && x >= min(a[0], b[0]) && x <= max(a[0], b[0]) {
				return onBorder
			}
			if a[1] <= y && y < b[1] && s > 0 {
				turns++
			} else if b[1] <= y && y < a[1] && s < 0 {
				turns--
			}
		}
	}
	if turns == 0 {
		return outside
	}
	return inside
}

// side is positive when q is left of a→b, negative when right, 0 on the line.
func side(a, b, q orb.Point, how arithmetic) float64 {
	if how == exactly {
		return float64(robust.Orient2D(a, b, q))
	}
	// determineSide of PostGIS. The conversions forbid a fused multiply-add, which rounds differently.
	left := float64((b[0] - a[0]) * (q[1] - a[1]))
	right := float64((q[0] - a[0]) * (b[1] - a[1]))
	return left - right
}

// inCrack tells, for a point that a face contains exactly and PostGIS denies to all faces, whether every edge of the face
// whose side PostGIS rounds to a wrong one is shared with another face. If one is not, the point lies at the rim of the
// coverage, where nothing is torn apart and PostGIS's answer, none, stands.
func (p *plane) inCrack(face int32, q orb.Point) bool {
	misjudged := 0
	shared := true
	p.edgesAt(face, q, func(a, b orb.Point) bool {
		if sign(side(a, b, q, asPostGIS)) == sign(side(a, b, q, exactly)) {
			return true
		}
		misjudged++
		shared = p.hasTwin(face, a, b, q)
		return shared
	})
	return misjudged > 0 && shared
}

// hasTwin tells whether a face other than the given one has the edge too; q is a point on the edge's parallels.
func (p *plane) hasTwin(face int32, a, b, q orb.Point) bool {
	for _, n := range p.bucket.at(q) {
		if n == face {
			continue
		}
		found := false
		p.edgesAt(n, q, func(c, d orb.Point) bool {
			found = (a == c && b == d) || (a == d && b == c)
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

// edgesAt calls yield with the edges of a face that q's parallel touches, until yield returns false.
func (p *plane) edgesAt(face int32, q orb.Point, yield func(a, b orb.Point) bool) {
	f := &p.faces[face]
	for i := f.from; i < f.to; i++ {
		for r := p.rings[i].from; r < p.rings[i].to; r++ {
			c := &p.runs[r]
			if q[1] < c.minY || q[1] > c.maxY {
				continue
			}
			for k := c.from; k < c.to; k++ {
				a, b := p.pts[k], p.pts[k+1]
				if min(a[1], b[1]) <= q[1] && q[1] <= max(a[1], b[1]) && a != b && !yield(a, b) {
					return
				}
			}
		}
	}
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
