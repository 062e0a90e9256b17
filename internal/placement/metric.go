package placement

import (
	"math"

	"github.com/paulmach/orb"
)

// The ellipsoid of CGCS2000. WGS 84 differs from it by a tenth of a millimetre at the poles.
const (
	equatorM   = 6378137.0
	flattening = 1 / 298.257222101
	meanM      = 6371008.8
)

// metric measures metres around a point: degrees times the metres that a degree is worth there. Up to localM it is within
// 0.3 % of the geodesic below 60° of latitude; beyond, distances are taken through the earth's body, see geocentre.
//
// It works with differences of coordinates, which are exact for neighbours, so that the smallest distances are right too.
type metric struct {
	at         orb.Point
	lonM, latM float64 // metres a degree
}

// localM is how far the plane metric is trusted.
const localM = 10_000

func metricAt(p orb.Point) metric {
	m := metric{at: p}
	sinLat, cosLat := math.Sincos(p[1] * math.Pi / 180)
	const e2 = flattening * (2 - flattening)
	w2 := 1 - e2*sinLat*sinLat
	prime := equatorM / math.Sqrt(w2) // radius across the meridian
	meridian := prime * (1 - e2) / w2 // radius along it
	m.lonM = prime * cosLat * math.Pi / 180
	m.latM = meridian * math.Pi / 180
	return m
}

// DistanceM is how far two points are apart, on the ellipsoid: as a plane around the first up to 10 km (50 m to a micrometre), through the
// earth's body beyond. It is NaN where a coordinate is.
func DistanceM(a, b orb.Point) float64 {
	if d := math.Sqrt(metricAt(a).edgeM2(b, b)); d <= localM {
		return d
	}
	return arcM(geocentre(a).minus(geocentre(b)).length())
}

// edgeM2 is the square of the distance to the edge a–b, in the plane.
func (m metric) edgeM2(a, b orb.Point) float64 {
	ax, ay := (a[0]-m.at[0])*m.lonM, (a[1]-m.at[1])*m.latM
	dx, dy := (b[0]-a[0])*m.lonM, (b[1]-a[1])*m.latM
	if length2 := dx*dx + dy*dy; length2 > 0 {
		if t := -(ax*dx + ay*dy) / length2; t >= 1 {
			ax, ay = (b[0]-m.at[0])*m.lonM, (b[1]-m.at[1])*m.latM
		} else if t > 0 {
			// The distance to the line, from the cross product: the foot's coordinates would cancel.
			across := ax*dy - ay*dx
			return across * across / length2
		}
	}
	return ax*ax + ay*ay
}

// boxM2 is the square of the distance to a box, in the plane; 0 within it.
func (m metric) boxM2(minX, minY, maxX, maxY float64) float64 {
	x := max(minX-m.at[0], m.at[0]-maxX, 0) * m.lonM
	y := max(minY-m.at[1], m.at[1]-maxY, 0) * m.latM
	return x*x + y*y
}

func (m metric) boxM(b orb.Bound) float64 {
	if b.IsEmpty() {
		return math.Inf(1)
	}
	return math.Sqrt(m.boxM2(b.Min[0], b.Min[1], b.Max[0], b.Max[1]))
}

// box is the box around a circle of the radius.
func (m metric) box(radiusM float64) orb.Bound {
	const wider = 1 + 1e-9
	x, y := radiusM*wider/max(m.lonM, 1), radiusM*wider/m.latM
	return orb.Bound{Min: orb.Point{m.at[0] - x, m.at[1] - y}, Max: orb.Point{m.at[0] + x, m.at[1] + y}}
}

// borderM is the distance to a face's border, holes included; +Inf for a face without edges.
func (p *plane) borderM(face int32, m metric) float64 {
	f := &p.faces[face]
	best := math.Inf(1)
	if f.from == f.to {
		return best
	}
	for r := p.rings[f.from].from; r < p.rings[f.to-1].to; r++ {
		c := &p.runs[r]
		if m.boxM2(c.minX, c.minY, c.maxX, c.maxY) >= best {
			continue
		}
		for k := c.from; k < c.to; k++ {
			best = min(best, m.edgeM2(p.pts[k], p.pts[k+1]))
		}
	}
	return math.Sqrt(best)
}

// clear tells whether a face's border lies further away than reachM, beyond doubt.
func (p *plane) clear(face int32, m metric, reachM float64) bool {
	const wider = 1 + 1e-9
	reachM2 := reachM * reachM * wider * wider
	f := &p.faces[face]
	if f.from == f.to {
		return true
	}
	for r := p.rings[f.from].from; r < p.rings[f.to-1].to; r++ {
		c := &p.runs[r]
		if m.boxM2(c.minX, c.minY, c.maxX, c.maxY) > reachM2 {
			continue
		}
		for k := c.from; k < c.to; k++ {
			if m.edgeM2(p.pts[k], p.pts[k+1]) <= reachM2 {
				return false
			}
		}
	}
	return true
}

// nearest returns the face nearest to a point outside all of them and its distance; None and NaN without faces. Of equally
// near ones it is the smallest code.
func (p *plane) nearest(m metric) (face int32, distanceM float64) {
	n, best := None, math.Inf(1)
	closer := func(k int32) {
		if m.boxM(p.faces[k].bound) <= best {
			if d := p.borderM(k, m); d < best || (d == best && k < n) {
				n, best = k, d
			}
		}
	}
	for reachM := 500.0; reachM <= localM; reachM *= 4.4 {
		p.bucket.meeting(m.box(reachM), p, closer)
		if best <= reachM {
			return p.ids[n], best
		}
	}
	n, best = p.nearestFar(m.at)
	if n == None {
		return None, math.NaN()
	}
	return p.ids[n], best
}
