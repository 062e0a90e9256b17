package geofile

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// object is a GeoJSON or TopoJSON object as far as it is of use here, read member by member in any order.
type object struct {
	kind       string // "type"
	nullKind   bool   // "type": null, as d3's TopoJSON writes a missing geometry
	id         string
	properties map[string]string
	columns    []string  // names of the properties in their order, those with null too
	geometry   *rawShape // of a Feature
	shape      rawShape  // of a geometry: coordinates, arcs, geometries
	crs        string
	problem    *problem // the first thing found wrong with it
	line       int
}

// jsonReader reads features out of a stream.
type jsonReader struct {
	*stream
	opts  Options
	notes *notes

	vertices int // of the feature being read
	overfull bool
}

// found keeps the first problem of a record; reading goes on to its end.
func (o *object) found(p *problem) {
	if o.problem == nil {
		o.problem = p
	}
}

// object reads an object whose opening brace was read. Other members are handed to more, if given, which says whether it
// consumed the value.
func (r *jsonReader) object(more func(o *object, name string) (bool, error)) (*object, error) {
	o := &object{line: r.lineNow()}
	for {
		name, ok, err := r.name()
		if err != nil || !ok {
			return o, err
		}
		if err := r.member(o, name, more); err != nil {
			return o, err
		}
	}
}

func (r *jsonReader) member(o *object, name string, more func(*object, string) (bool, error)) error {
	if more != nil {
		if done, err := more(o, name); done || err != nil {
			return err
		}
	}
	switch name {
	case "type":
		return r.typeMember(o)
	case "id":
		return r.idMember(o)
	case "properties":
		return r.properties(o)
	case "geometry":
		return r.geometryMember(o)
	case "coordinates":
		if r.peek() != '[' {
			o.found(bad("no_coordinates", "geometry.coordinates", "the coordinates are no array"))
			return r.skip()
		}
		c, err := r.coordinates(o)
		o.shape.coords = &c
		return err
	case "geometries":
		return r.geometries(o)
	case "arcs":
		arcs, err := r.arcList(o)
		o.shape.arcs = &arcs
		return err
	case "crs":
		return r.crsMember(o)
	}
	return r.skip()
}

func (r *jsonReader) typeMember(o *object) error {
	switch r.peek() {
	case '"':
		t, err := r.token()
		if err == nil {
			o.kind = t.String()
			o.shape.kind = o.kind
		}
		return err
	case 'n':
		o.nullKind, o.shape.null = true, true
	default:
		o.found(bad("no_type", "type", "the type is no text"))
	}
	return r.skip()
}

func (r *jsonReader) idMember(o *object) error {
	switch r.peek() {
	case '"', '0':
		t, err := r.token()
		if err == nil {
			o.id = t.String()
			if len(o.id) > r.opts.MaxRow {
				o.found(bad("too_large", "id", "the id has more than %d bytes", r.opts.MaxRow))
				o.id = ""
			}
		}
		return err
	}
	return r.skip()
}

// properties keeps what a column can hold. A feature's properties together have at most MaxRow bytes.
func (r *jsonReader) properties(o *object) error {
	if r.peek() != '{' {
		return r.skip() // null is allowed; anything else has no columns
	}
	if _, err := r.token(); err != nil {
		return err
	}
	o.properties = map[string]string{}
	size := 0
	for {
		name, ok, err := r.name()
		if err != nil || !ok {
			return err
		}
		var text string
		kind := r.peek()
		switch kind {
		case '{', '[':
			v, err := r.value()
			if err != nil {
				return err
			}
			if err := v.Compact(); err != nil {
				return r.explain(err)
			}
			text = string(v)
		default:
			t, err := r.token()
			if err != nil {
				return err
			}
			text = t.String() // a number's literal text, a text's value, true, false
		}
		if size += len(name) + len(text); size > r.opts.MaxRow {
			o.found(bad("too_large", "properties", "the properties have more than %d bytes", r.opts.MaxRow))
			o.properties, o.columns = map[string]string{}, nil
			continue
		}
		o.columns = append(o.columns, name)
		if kind != 'n' {
			o.properties[name] = text
		}
	}
}

func (r *jsonReader) geometryMember(o *object) error {
	switch r.peek() {
	case 'n':
		o.geometry = &rawShape{null: true}
		return r.skip()
	case '{':
		g, err := r.shape(o)
		o.geometry = &g
		return err
	}
	o.found(bad("no_geometry", "geometry", "the geometry is neither an object nor null"))
	return r.skip()
}

// shape reads a geometry object; its problems are o's.
func (r *jsonReader) shape(o *object) (rawShape, error) {
	if _, err := r.token(); err != nil {
		return rawShape{}, err
	}
	g, err := r.object(nil)
	if g.problem != nil {
		o.found(g.problem)
	}
	return g.shape, err
}

func (r *jsonReader) geometries(o *object) error {
	if r.peek() != '[' {
		return r.skip()
	}
	if r.dec.StackDepth() > 64 { // recursion ends here; build refuses far less
		o.found(bad("too_deep", "geometry", "collections of geometries nest deeper than %d", maxCollectionDepth))
		return r.skip()
	}
	o.shape.listed = true
	if _, err := r.token(); err != nil {
		return err
	}
	for r.peek() != ']' {
		if r.peek() != '{' {
			o.found(bad("no_geometry", "geometry.geometries", "a member of the collection is no geometry"))
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		g, err := r.shape(o)
		if err != nil {
			return err
		}
		if r.vertices++; r.room(o) {
			o.shape.shapes = append(o.shape.shapes, g)
		}
	}
	_, err := r.token()
	return err
}

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

// crsMember reads the old "crs" member: {"type": "name", "properties": {"name": "urn:…"}}.
func (r *jsonReader) crsMember(o *object) error {
	if r.peek() != '{' {
		return r.skip()
	}
	v, err := r.value()
	if err != nil {
		return err
	}
	var c struct {
		Properties struct {
			Name string `json:"name"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(v, &c); err != nil {
		if typ := (*json.UnmarshalTypeError)(nil); !errors.As(err, &typ) {
			return err
		}
		return nil // a link or something older: as if it were not there
	}
	o.crs = c.Properties.Name
	return nil
}

// feature makes the record's answer from what was read.
func (o *object) feature(record int) (Feature, error) {
	shape := o.geometry
	switch {
	case o.kind == "Feature" && shape == nil:
		shape = &rawShape{null: true}
	case o.kind != "Feature":
		shape = &o.shape
	}
	if o.problem != nil {
		return Feature{}, o.problem.at(o.line, record)
	}
	g, p := shape.build()
	if p != nil {
		return Feature{}, p.at(o.line, record)
	}
	return Feature{Line: o.line, Record: record, ID: o.id, Properties: o.properties, Shape: g}, nil
}
