package tiles

import (
	"math"

	"github.com/paulmach/orb"
)

// vertex is a point of the unit square of web mercator, y southward.
type vertex struct{ x, y float64 }

// mercator projects degrees; latitudes beyond the square end at its side.
func mercator(p orb.Point) vertex {
	s := math.Sin(p[1] * math.Pi / 180)
	y := 0.5 - math.Atanh(max(-1+1e-15, min(1-1e-15, s)))/(2*math.Pi)
	return vertex{(p[0] + 180) / 360, max(0, min(1, y))}
}

// box is a rectangle in the unit square, sides included.
type box struct{ minX, minY, maxX, maxY float64 }

var emptyBox = box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}

func (b box) with(v vertex) box {
	return box{min(b.minX, v.x), min(b.minY, v.y), max(b.maxX, v.x), max(b.maxY, v.y)}
}

func (b box) union(o box) box {
	return box{min(b.minX, o.minX), min(b.minY, o.minY), max(b.maxX, o.maxX), max(b.maxY, o.maxY)}
}

func (b box) meets(o box) bool {
	return b.minX <= o.maxX && o.minX <= b.maxX && b.minY <= o.maxY && o.minY <= b.maxY
}

// pathEdges is how many edges of a path share a box, so that clipping passes over what is far away.
const pathEdges = 32

// path is a line, or a ring whose last vertex repeats the first.
type path struct {
	vertices []vertex
	boxes    []box // of edges [i·pathEdges, (i+1)·pathEdges)
	box      box
}

func newPath(vertices []vertex) path {
	p := path{vertices: vertices, box: emptyBox}
	for from := 0; from+1 < len(vertices); from += pathEdges {
		b := emptyBox
		for _, v := range p.stretch(from / pathEdges) {
			b = b.with(v)
		}
		p.boxes = append(p.boxes, b)
		p.box = p.box.union(b)
	}
	return p
}

// stretch is the vertices of one box, ends included.
func (p *path) stretch(i int) []vertex {
	return p.vertices[i*pathEdges : min((i+1)*pathEdges+1, len(p.vertices))]
}

// ring is a path that bounds a face; shells have positive area where y grows southward, holes negative.
type ring struct {
	path
	shell bool
}

type shape struct {
	rings []ring
	box   box
}

// newShape projects a multipolygon whose shells run counter-clockwise in degrees (RFC 7946). Turning the rings round
// keeps the inside on the same hand when y is turned over.
func newShape(m orb.MultiPolygon) shape {
	s := shape{box: emptyBox}
	for _, poly := range m {
		for i, r := range poly {
			vertices := make([]vertex, len(r))
			for k, p := range r {
				vertices[len(r)-1-k] = mercator(p)
			}
			s.rings = append(s.rings, ring{newPath(vertices), i == 0})
			s.box = s.box.union(s.rings[len(s.rings)-1].box)
		}
	}
	return s
}
