package geofile

import (
	"math"
	"slices"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// arcList is the value of "arcs" of a geometry: indices, nested like coordinates without their positions.
type arcList struct {
	indices []int32 // ~i means arc i backwards
	kids    []arcList
	depth   int // 1 a list of indices, 2 a list of such lists, …; 0 for an empty array
}

// arcList reads the indices of a geometry's "arcs".
func (r *jsonReader) arcList(o *object) (arcList, error) {
	var out arcList
	wrong := func() {
		o.found(bad("wrong_arcs", "arcs", "the arcs are no evenly nested lists of arc numbers"))
	}
	if r.peek() != '[' || r.dec.StackDepth() > 64 {
		wrong()
		return out, r.skip()
	}
	if _, err := r.token(); err != nil {
		return out, err
	}
	for {
		switch r.peek() {
		case ']':
			_, err := r.token()
			return out, err
		case '0':
			t, err := r.token()
			if err != nil {
				return out, err
			}
			i, err := t.Int()
			if err != nil || i > math.MaxInt32 || i < math.MinInt32 || out.depth > 1 {
				wrong()
				continue
			}
			out.depth = 1
			if r.vertices++; r.room(o) {
				out.indices = append(out.indices, int32(i))
			}
		case '[':
			kid, err := r.arcList(o)
			if err != nil {
				return out, err
			}
			switch {
			case kid.depth == 0:
				o.found(bad("empty", "arcs", "a part of the geometry is empty"))
			case out.depth != 0 && out.depth != kid.depth+1:
				wrong()
			default:
				out.depth = kid.depth + 1
				if r.vertices++; r.room(o) {
					out.kids = append(out.kids, kid)
				}
			}
		case 0:
			_, err := r.token()
			if err == nil {
				err = fault.Invalid("", "not_json", "this is not valid JSON").AtLine(r.lineNow())
			}
			return out, err
		default:
			wrong()
			if err := r.skip(); err != nil {
				return out, err
			}
		}
	}
}

// dequantise undoes the delta encoding: running sums of whole numbers, scaled and shifted.
func (t *topology) dequantise() {
	if !t.quant {
		return
	}
	for _, arc := range t.arcs {
		var x, y float64
		for i, p := range arc {
			x, y = x+p[0], y+p[1]
			arc[i] = t.place(orb.Point{x, y})
		}
	}
}

func (t *topology) place(p orb.Point) orb.Point {
	if !t.quant {
		return p
	}
	// The products are rounded before the sum (no fused multiply-add), so that every machine gives the same doubles.
	return orb.Point{float64(p[0]*t.scale[0]) + t.shift[0], float64(p[1]*t.scale[1]) + t.shift[1]}
}

// resolve turns arcs into coordinates. left counts down the vertices that the feature may still have: a small file can
// name a large arc many times.
func (t *topology) resolve(s *rawShape, left *int, depth int) *problem {
	if depth > maxCollectionDepth {
		return bad("too_deep", "geometry", "collections of geometries nest deeper than %d", maxCollectionDepth)
	}
	for i := range s.shapes {
		if p := t.resolve(&s.shapes[i], left, depth+1); p != nil {
			return p
		}
	}
	switch s.kind {
	case "Point", "MultiPoint":
		if s.coords != nil {
			s.coords.pos = t.place(s.coords.pos)
			for i, p := range s.coords.points {
				s.coords.points[i] = t.place(p)
			}
		}
	case "LineString", "MultiLineString", "Polygon", "MultiPolygon":
		if s.arcs == nil {
			return bad("no_coordinates", "arcs", "the %s has no arcs", s.kind)
		}
		c, p := t.stitch(*s.arcs, left)
		if p != nil {
			return p
		}
		s.coords, s.arcs = &c, nil
	}
	return nil
}

// stitch joins arcs to lines; an arc's first point repeats the last one of the arc before.
func (t *topology) stitch(a arcList, left *int) (coords, *problem) {
	if a.depth == 0 {
		return coords{depth: -1}, nil
	}
	out := coords{depth: a.depth}
	for _, kid := range a.kids {
		c, p := t.stitch(kid, left)
		if p != nil {
			return out, p
		}
		out.kids = append(out.kids, c)
	}
	for _, i := range a.indices {
		backwards := i < 0
		if backwards {
			i = ^i
		}
		if int(i) >= len(t.arcs) {
			return out, bad("unknown_arc", "arcs", "there is no arc %d; the file has %d", i, len(t.arcs))
		}
		arc := t.arcs[i]
		if *left -= len(arc); *left < 0 {
			return out, bad("too_many_vertices", "arcs", "the geometry has too many vertices")
		}
		from := len(out.points)
		out.points = append(out.points, arc...)
		if backwards {
			slices.Reverse(out.points[from:])
		}
		if from > 0 && len(out.points) > from {
			out.points = slices.Delete(out.points, from, from+1)
		}
	}
	if a.depth == 1 && len(out.points) == 0 {
		out.depth = -1
	}
	return out, nil
}
