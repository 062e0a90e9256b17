package geofile

import (
	"errors"
	"io"
	"strings"

	"gridgov/internal/fault"
)

// document reads one JSON text token by token: a FeatureCollection, a Topology, a Feature, a bare geometry, or several
// of the last two one after another.
type document struct {
	jsonReader

	in       bool // inside "features"
	open     bool // inside the top object, after "features"
	seen     bool // a top object with features was read
	top      *object
	first    *object // read by prefetch
	topology *topology
	queue    func() (*object, error) // records of a topology
	record   int
	declared string // CRS
	streamed bool   // features were given before the end of the top object
}

func newDocument(t io.Reader, opts Options, n *notes) *document {
	return &document{jsonReader: jsonReader{stream: newStream(t), opts: opts, notes: n}}
}

func (d *document) crs() string { return d.declared }

func (d *document) format() string {
	if d.queue != nil {
		return "TopoJSON"
	}
	return "GeoJSON"
}

// prefetch reads the top object up to its features, so that the format and a declared system are known at once.
func (d *document) prefetch() error {
	o, err := d.begin()
	d.first = o
	if errors.Is(err, io.EOF) {
		return nil // nextObject meets it again
	}
	return err
}

func (d *document) nextObject() (*object, int, error) {
	if o := d.first; o != nil {
		d.first = nil
		return o, d.record, nil
	}
	o, err := d.following()
	return o, d.record, err
}

// following is the next record as read, checked for nothing yet; io.EOF at the end.
func (d *document) following() (*object, error) {
	for {
		d.perRecord, d.names = perRecord{}, 0
		switch {
		case d.queue != nil:
			o, err := d.queue()
			if err == nil {
				d.record++
			}
			return o, err
		case d.in:
			o, err := d.element()
			if o != nil || err != nil {
				return o, err
			}
		case d.open:
			if err := d.finish(); err != nil {
				return nil, err
			}
		default:
			o, err := d.begin()
			if o != nil || err != nil {
				return o, err
			}
		}
	}
}

// begin reads the next value at the top, up to its features if it has any.
func (d *document) begin() (*object, error) {
	switch d.peek() {
	case '{':
		if d.seen {
			return nil, fault.Invalid("", "trailing_data", "there is text after the end of the collection").AtLine(d.lineNow())
		}
	case 0:
		_, err := d.dec.ReadToken()
		if err == io.EOF { //nolint:errorlint // the decoder returns it bare, at the very end only
			if d.record == 0 && !d.seen {
				return nil, fault.Invalid("", "empty", "the file holds no feature")
			}
			return nil, io.EOF
		}
		return nil, d.explain(err)
	default:
		return nil, fault.Invalid("", "not_geojson", "this is JSON but neither GeoJSON nor TopoJSON: an object is expected").AtLine(d.lineNow())
	}
	if _, err := d.token(); err != nil {
		return nil, err
	}
	d.top = &object{line: d.lineNow()}
	return d.members()
}

// members goes through the top object until its features begin (both results nil, d.in set) or it ends.
func (d *document) members() (*object, error) {
	for {
		name, ok, err := d.name()
		if err != nil {
			return nil, err
		}
		if !ok {
			return d.end()
		}
		if name == "features" && d.peek() == '[' && (d.top.kind == "" || d.top.kind == "FeatureCollection") {
			_, err := d.token()
			d.in = true
			return nil, err
		}
		if err := d.member(d.top, name, d.topologyMember); err != nil {
			return nil, err
		}
		if d.top.crs != "" {
			d.declared = d.top.crs
		}
	}
}

// element reads one element of "features"; both results are nil after the last one.
func (d *document) element() (*object, error) {
	switch d.peek() {
	case ']':
		_, err := d.token()
		d.in, d.open, d.seen, d.streamed = false, true, true, d.record > 0
		return nil, err
	case '{':
		d.record++
		if _, err := d.token(); err != nil {
			return nil, err
		}
		o, err := d.object(nil)
		if err != nil {
			return nil, err
		}
		if o.kind != "Feature" {
			o.found(bad("not_a_feature", "type", "a member of the collection is no Feature"))
		}
		return o, nil
	case 0:
		_, err := d.token()
		return nil, err
	}
	d.record++
	o := &object{line: d.lineNow()}
	o.found(bad("not_a_feature", "", "a member of the collection is no object"))
	return o, d.skip()
}

// finish reads what follows the features.
func (d *document) finish() error {
	before := d.declared
	if _, err := d.members(); err != nil {
		return err
	}
	d.open = false
	if d.top.kind != "FeatureCollection" {
		return fault.Invalid("type", "not_geojson", "the object with features has the type %q where FeatureCollection is expected",
			clip(d.top.kind, 40)).AtLine(d.lineNow())
	}
	if d.declared != before && d.streamed && !isLonLat(d.declared) && d.opts.CRS == "" {
		return fault.Invalid("crs", "late_crs",
			"the file names its coordinate system %q only after its features; name it when importing (--crs)", clip(d.declared, 60))
	}
	return nil
}

// end decides what a top object was that ended without having streamed features.
func (d *document) end() (*object, error) {
	if d.open {
		return nil, nil //nolint:nilnil // finish goes on
	}
	switch d.top.kind {
	case "FeatureCollection":
		return nil, fault.Invalid("features", "not_geojson", "the FeatureCollection has no features").AtLine(d.lineNow())
	case "Topology":
		d.seen = true
		if d.topology == nil {
			d.topology = &topology{}
		}
		queue, err := d.topology.records(d.opts)
		d.queue = queue
		return nil, err
	case "Feature", "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection":
		d.record++
		return d.top, nil
	}
	return nil, fault.Invalid("type", "not_geojson", "this is JSON but neither GeoJSON nor TopoJSON: its type is %q", clip(d.top.kind, 40)).AtLine(d.lineNow())
}

// isLonLat reports whether a declared system means what GeoJSON means without one.
func isLonLat(crs string) bool {
	u := strings.ToUpper(crs)
	return crs == "" || strings.HasSuffix(u, "CRS84") || strings.HasSuffix(u, ":4326") || strings.HasSuffix(u, ":4490")
}
