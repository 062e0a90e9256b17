package geofile

import (
	"encoding/json"
	"errors"

	"github.com/paulmach/orb"
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

	perRecord
}

// perRecord is counted anew for each record.
type perRecord struct {
	vertices   int
	overfull   bool
	dimensions int // numbers in the positions read so far, 0 before the first
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
	p, g := o.problem, orb.Geometry(nil)
	if p == nil {
		g, p = shape.build()
	}
	if p != nil {
		bad := p.at(o.line, record)
		bad.ID, bad.Properties = o.id, o.properties
		return Feature{}, bad
	}
	return Feature{Line: o.line, Record: record, ID: o.id, Properties: o.properties, Columns: o.columns, Shape: g}, nil
}
