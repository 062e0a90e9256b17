package placement

import (
	"math"

	"github.com/paulmach/orb"
)

// vector is a place on the ellipsoid seen from the earth's centre, in metres.
type vector [3]float64

func geocentre(p orb.Point) vector {
	sinLon, cosLon := math.Sincos(p[0] * math.Pi / 180)
	sinLat, cosLat := math.Sincos(p[1] * math.Pi / 180)
	const e2 = flattening * (2 - flattening)
	n := equatorM / math.Sqrt(1-e2*sinLat*sinLat)
	return vector{n * cosLat * cosLon, n * cosLat * sinLon, n * (1 - e2) * sinLat}
}

func (a vector) minus(b vector) vector { return vector{a[0] - b[0], a[1] - b[1], a[2] - b[2]} }
func (a vector) dot(b vector) float64  { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }
func (a vector) length() float64       { return math.Sqrt(a.dot(a)) }
func (a vector) plus(b vector, t float64) vector {
	return vector{a[0] + t*b[0], a[1] + t*b[1], a[2] + t*b[2]}
}

// arcM is the length along the surface of a chord.
func arcM(chordM float64) float64 { return 2 * meanM * math.Asin(min(chordM/(2*meanM), 1)) }

// ball holds a face; radiusM is -Inf for a face without edges.
type ball struct {
	centre  vector
	radiusM float64
}

// ballAround is about the middle of a box. Edges bulge between the corners, by far less than the tenth that is added.
func ballAround(b orb.Bound) ball {
	if b.IsEmpty() {
		return ball{radiusM: math.Inf(-1)}
	}
	out := ball{centre: geocentre(b.Center())}
	for _, corner := range [...]orb.Point{b.Min, b.Max, {b.Min[0], b.Max[1]}, {b.Max[0], b.Min[1]}} {
		out.radiusM = max(out.radiusM, 1.1*geocentre(corner).minus(out.centre).length())
	}
	return out
}

// nearestFar is nearest for a point more than localM away, by chords through the earth. The longer an edge, the more its
// chord sinks below the surface: a kilometre by two centimetres, ten by two metres, nothing at these distances.
func (p *plane) nearestFar(q orb.Point) (n int32, distanceM float64) {
	from := geocentre(q)
	// The nearest ball gives a first distance, which spares nearly all others.
	first, middle := None, math.Inf(1)
	for i, b := range p.balls {
		if d := b.centre.minus(from).length(); d < middle && b.radiusM >= 0 {
			first, middle = int32(i), d
		}
	}
	if first == None {
		return None, math.NaN()
	}
	n, best := first, p.chordM(first, from)
	for i, b := range p.balls {
		if k := int32(i); k != first && b.centre.minus(from).length()-b.radiusM <= best {
			if d := p.chordM(k, from); d < best || (d == best && k < n) {
				best, n = d, k
			}
		}
	}
	return n, arcM(best)
}

// chordM is the length of the shortest chord to a face's border.
func (p *plane) chordM(face int32, from vector) float64 {
	f := &p.faces[face]
	best := math.Inf(1)
	for i := f.from; i < f.to; i++ {
		r := p.rings[i]
		var a vector
		for c := r.from; c < r.to; c++ {
			k := p.runs[c].from
			if c == r.from {
				a = geocentre(p.pts[k]).minus(from)
			}
			for k++; k <= p.runs[c].to; k++ {
				b := geocentre(p.pts[k]).minus(from)
				best = min(best, segment2(a, b))
				a = b
			}
		}
	}
	return math.Sqrt(best)
}

// segment2 is the square of the distance from the origin to the segment a–b.
func segment2(a, b vector) float64 {
	d := b.minus(a)
	if length2 := d.dot(d); length2 > 0 {
		a = a.plus(d, min(max(-a.dot(d)/length2, 0), 1))
	}
	return a.dot(a)
}
