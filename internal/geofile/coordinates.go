package geofile

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// room reports whether the feature may still grow; past the limit it is rejected, but read to its end.
func (r *jsonReader) room(o *object) bool {
	if r.vertices <= r.opts.MaxVertices {
		return true
	}
	if !r.overfull {
		r.overfull = true
		o.found(bad("too_many_vertices", "geometry.coordinates", "the geometry has more than %d vertices", r.opts.MaxVertices))
		o.problem.code, o.problem.reason = "too_many_vertices", "the geometry has more than "+strconv.Itoa(r.opts.MaxVertices)+" vertices"
	}
	return false
}

// coordinates reads an array, whose bracket is next, of positions, of arrays, or a position itself.
func (r *jsonReader) coordinates(o *object) (coords, error) {
	if _, err := r.token(); err != nil {
		return coords{}, err
	}
	out := coords{depth: -1}
	for {
		switch r.peek() {
		case ']':
			_, err := r.token()
			return out, err
		case '0', 'n', '"', 't', 'f', '{':
			if out.depth > 0 {
				o.found(bad("wrong_nesting", "geometry.coordinates", "numbers and arrays are mixed in one array"))
				if err := r.skip(); err != nil {
					return out, err
				}
				continue
			}
			p, err := r.position(o)
			return coords{pos: p}, err
		case '[':
			if r.dec.StackDepth() > 32 {
				o.found(bad("too_deep", "geometry.coordinates", "the coordinates nest too deeply"))
				if err := r.skip(); err != nil {
					return out, err
				}
				continue
			}
			kid, err := r.coordinates(o)
			if err != nil {
				return out, err
			}
			r.adopt(o, &out, kid)
		default: // the end, or an error
			_, err := r.token()
			if err == nil {
				err = fault.Invalid("", "not_json", "this is not valid JSON").AtLine(r.lineNow())
			}
			return out, err
		}
	}
}

// adopt adds a child to an array of coordinates; all children must be alike.
func (r *jsonReader) adopt(o *object, to *coords, kid coords) {
	if kid.depth < 0 {
		o.found(bad("empty", "geometry.coordinates", "a part of the geometry is empty"))
		return
	}
	if to.depth < 0 {
		to.depth = kid.depth + 1
	}
	if to.depth != kid.depth+1 {
		o.found(bad("wrong_nesting", "geometry.coordinates", "the coordinates nest unevenly"))
		return
	}
	if r.vertices++; !r.room(o) {
		return
	}
	if kid.depth == 0 {
		to.points = append(to.points, kid.pos)
	} else {
		to.kids = append(to.kids, kid)
	}
}

// position reads the numbers of a position, whose bracket was read, and the closing bracket.
func (r *jsonReader) position(o *object) (orb.Point, error) {
	var p orb.Point
	for n := 0; ; n++ {
		switch r.peek() {
		case ']':
			switch {
			case n < 2:
				o.found(bad("wrong_position", "geometry.coordinates", "a position has %d number where it needs 2", n))
			case n > 4:
				o.found(bad("wrong_position", "geometry.coordinates", "a position has %d numbers; 2 are used and 4 allowed", n))
			case n > 2:
				r.notes.add("the third dimension was dropped")
			}
			if r.dimensions != 0 && r.dimensions != n {
				o.found(bad("mixed_dimensions", "geometry.coordinates", "positions of %d and of %d numbers are mixed", r.dimensions, n))
			}
			r.dimensions = n
			_, err := r.token()
			return p, err
		case '0':
			t, err := r.token()
			if err != nil {
				return p, err
			}
			v, err := t.Float()
			if err != nil {
				o.found(bad("not_finite", "geometry.coordinates", "the number %s is too large", clip(t.String(), 40)))
			}
			if n < 2 {
				p[n] = v
			}
		case 0:
			_, err := r.token()
			if err == nil {
				err = fault.Invalid("", "not_json", "this is not valid JSON").AtLine(r.lineNow())
			}
			return p, err
		default:
			o.found(bad("not_a_number", "geometry.coordinates", "a coordinate is %s where it must be a number", kindWord(r.peek())))
			if err := r.skip(); err != nil {
				return p, err
			}
		}
	}
}

func kindWord(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case '"':
		return "text"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "true or false"
}
