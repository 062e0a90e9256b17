package geofile

import (
	"io"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// maxTopologyPoints bounds what a topology keeps in memory: its arcs are needed until the last feature.
const maxTopologyPoints = 20_000_000

// arcList is the value of "arcs" of a geometry: indices, nested like coordinates without their positions.
type arcList struct {
	indices []int32 // ~i means arc i backwards
	kids    []arcList
	depth   int // 1 a list of indices, 2 a list of such lists, …; 0 for an empty array
}

// topology is the whole of a TopoJSON file.
type topology struct {
	arcs   [][]orb.Point
	points int
	layers []layer
	quant  bool
	scale  orb.Point
	shift  orb.Point
}

type layer struct {
	name    string
	objects []*object
	areas   bool // holds a polygon
}

// topologyMember reads the members of a top object that only a Topology has.
func (d *document) topologyMember(o *object, name string) (bool, error) {
	if o.kind != "" && o.kind != "Topology" {
		return false, nil
	}
	if d.topology == nil {
		d.topology = &topology{}
	}
	t := d.topology
	switch {
	case name == "arcs" && d.peek() == '[':
		return true, d.topologyArcs(o)
	case name == "objects" && d.peek() == '{':
		return true, d.topologyObjects()
	case name == "transform" && d.peek() == '{':
		return true, d.transform(t)
	}
	return false, nil
}

// topologyArcs reads the arcs as they stand; quantised ones are undone when all is read.
func (d *document) topologyArcs(o *object) error {
	if _, err := d.token(); err != nil {
		return err
	}
	t := d.topology
	for d.peek() != ']' {
		if d.peek() != '[' {
			return fault.Invalid("arcs", "not_topojson", "an arc is no array").AtLine(d.lineNow())
		}
		d.vertices, d.overfull = 0, false
		c, err := d.coordinates(o)
		if err != nil {
			return err
		}
		if o.problem != nil {
			return fault.Invalid("arcs", o.problem.code, "arc %d: %s", len(t.arcs), o.problem.reason).AtLine(d.lineNow())
		}
		if c.depth != 1 && c.depth != -1 {
			return fault.Invalid("arcs", "not_topojson", "arc %d is no list of positions", len(t.arcs)).AtLine(d.lineNow())
		}
		if t.points += len(c.points) + 1; t.points > maxTopologyPoints {
			return fault.TooLarge("arcs", "the topology has more than %d points", maxTopologyPoints)
		}
		t.arcs = append(t.arcs, c.points)
	}
	_, err := d.token()
	return err
}

// topologyObjects reads every layer. The members of a layer's collection are its features.
func (d *document) topologyObjects() error {
	if _, err := d.token(); err != nil {
		return err
	}
	for {
		name, ok, err := d.name()
		if err != nil || !ok {
			return err
		}
		if d.peek() != '{' {
			return fault.Invalid("objects", "not_topojson", "the object %q is no geometry", clip(name, 40)).AtLine(d.lineNow())
		}
		if _, err := d.token(); err != nil {
			return err
		}
		l := layer{name: name}
		whole, err := d.object(func(o *object, member string) (bool, error) {
			if member != "geometries" || d.peek() != '[' || o.kind != "" && o.kind != "GeometryCollection" {
				return false, nil
			}
			return true, d.layerMembers(&l)
		})
		if err != nil {
			return err
		}
		if whole.kind != "GeometryCollection" {
			l.objects = []*object{whole}
		}
		for _, o := range l.objects {
			l.areas = l.areas || o.kind == "Polygon" || o.kind == "MultiPolygon"
		}
		d.topology.layers = append(d.topology.layers, l)
	}
}

func (d *document) layerMembers(l *layer) error {
	if _, err := d.token(); err != nil {
		return err
	}
	for d.peek() != ']' {
		d.vertices, d.overfull, d.names = 0, false, 0
		if d.peek() != '{' {
			o := &object{line: d.lineNow()}
			o.found(bad("no_geometry", "", "a member of the layer is no geometry"))
			l.objects = append(l.objects, o)
			if err := d.skip(); err != nil {
				return err
			}
			continue
		}
		if _, err := d.token(); err != nil {
			return err
		}
		o, err := d.object(nil)
		if err != nil {
			return err
		}
		if d.topology.points += len(o.properties) + 1; d.topology.points > maxTopologyPoints {
			return fault.TooLarge("objects", "the topology is too large")
		}
		l.objects = append(l.objects, o)
	}
	_, err := d.token()
	return err
}

// transform reads scale and translate of a quantised topology.
func (d *document) transform(t *topology) error {
	if _, err := d.token(); err != nil {
		return err
	}
	t.quant = true
	found := 0
	for {
		name, ok, err := d.name()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if name != "scale" && name != "translate" || d.peek() != '[' {
			if err := d.skip(); err != nil {
				return err
			}
			continue
		}
		o := &object{}
		c, err := d.coordinates(o)
		if err != nil {
			return err
		}
		if o.problem != nil || c.depth != 0 {
			break
		}
		found++
		if name == "scale" {
			t.scale = c.pos
		} else {
			t.shift = c.pos
		}
	}
	if found != 2 {
		return fault.Invalid("transform", "not_topojson", "the transform needs scale and translate of two numbers each").AtLine(d.lineNow())
	}
	return nil
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

// records chooses the layer and gives its objects one by one, their arcs put together.
func (t *topology) records(opts Options) (func() (*object, error), error) {
	names, areas := make([]string, len(t.layers)), make([]bool, len(t.layers))
	for i, l := range t.layers {
		names[i], areas[i] = l.name, l.areas
	}
	chosen, err := chooseLayer(opts.Layer, names, areas)
	if err != nil {
		return nil, err
	}
	t.dequantise()
	objects := t.layers[chosen].objects
	return func() (*object, error) {
		if len(objects) == 0 {
			return nil, io.EOF
		}
		o := objects[0]
		objects[0] = nil // let it go as reading goes on
		objects = objects[1:]
		if o.problem == nil {
			left := opts.MaxVertices
			if p := t.resolve(&o.shape, &left, 0); p != nil {
				o.found(p)
			}
		}
		return o, nil
	}, nil
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

// chooseLayer picks the layer asked for, the only one, or the only one with polygons.
func chooseLayer(want string, names []string, areas []bool) (int, error) {
	if len(names) == 0 {
		return 0, fault.Invalid("", "no_layer", "the file has no layer with geometry")
	}
	if want != "" {
		if i := slices.Index(names, want); i >= 0 {
			return i, nil
		}
		return 0, fault.Invalid("layer", "unknown_layer", "the file has no layer “%s”; it has %s", clip(want, 60), quoteList(names))
	}
	if len(names) == 1 {
		return 0, nil
	}
	chosen := -1
	for i, area := range areas {
		if area && chosen >= 0 {
			chosen = -1
			break
		}
		if area {
			chosen = i
		}
	}
	if chosen < 0 {
		return 0, fault.Invalid("layer", "several_layers", "the file has several layers: %s; choose one (--layer)", quoteList(names))
	}
	return chosen, nil
}
