package geofile

import (
	"io"
	"slices"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// maxTopologyPoints bounds what a topology keeps in memory: its arcs are needed until the last feature.
const maxTopologyPoints = 20_000_000

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
		d.perRecord = perRecord{}
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
		d.perRecord, d.names = perRecord{}, 0
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
