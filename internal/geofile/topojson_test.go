package geofile_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/geofile"
)

// The example of the TopoJSON specification, 1.1: quantised, and the same without.
const (
	quantised = `{"type":"Topology","transform":{"scale":[0.0005000500050005,0.00010001000100010001],"translate":[100,0]},
"objects":{"example":{"type":"GeometryCollection","geometries":[
{"type":"Point","properties":{"prop0":"value0"},"coordinates":[4000,5000]},
{"type":"LineString","properties":{"prop0":"value0","prop1":0},"arcs":[0]},
{"type":"Polygon","properties":{"prop0":"value0","prop1":{"this":"that"}},"arcs":[[1]]}]}},
"arcs":[[[4000,0],[1999,9999],[2000,-9999],[2000,9999]],[[0,0],[0,9999],[2000,0],[0,-9999],[-2000,0]]]}`
	plainTopology = `{"arcs":[[[102.0,0.0],[103.0,1.0],[104.0,0.0],[105.0,1.0]],[[100.0,0.0],[101.0,0.0],[101.0,1.0],[100.0,1.0],[100.0,0.0]]],
"objects":{"example":{"type":"GeometryCollection","geometries":[
{"type":"Point","properties":{"prop0":"value0"},"coordinates":[102,0.5]},
{"type":"LineString","properties":{"prop0":"value0","prop1":0},"arcs":[0]},
{"type":"Polygon","properties":{"prop0":"value0","prop1":{"this":"that"}},"arcs":[[1]]}]}},"type":"Topology"}`
)

func TestTopoJSON(t *testing.T) {
	plain := readAll(t, plainTopology, geofile.Options{})
	if plain.err != nil || plain.format != "TopoJSON" || len(plain.features) != 3 {
		t.Fatalf("%+v", plain)
	}
	want := []geofile.Feature{
		{Line: 3, Record: 1, Properties: map[string]string{"prop0": "value0"}, Columns: []string{"prop0"}, Shape: orb.Point{102, 0.5}},
		{Line: 4, Record: 2, Properties: map[string]string{"prop0": "value0", "prop1": "0"}, Columns: []string{"prop0", "prop1"}, Shape: orb.LineString{{102, 0}, {103, 1}, {104, 0}, {105, 1}}},
		{Line: 5, Record: 3, Properties: map[string]string{"prop0": "value0", "prop1": `{"this":"that"}`}, Columns: []string{"prop0", "prop1"}, Shape: orb.Polygon{{{100, 0}, {101, 0}, {101, 1}, {100, 1}, {100, 0}}}},
	}
	if !reflect.DeepEqual(plain.features, want) {
		t.Errorf("got %+v\nwant %+v", plain.features, want)
	}
	got := readAll(t, zipped(t, quantised), geofile.Options{})
	if got.err != nil || len(got.features) != 3 {
		t.Fatalf("%+v", got)
	}
	line := got.features[1].Shape.(orb.LineString)
	for i, p := range want[1].Shape.(orb.LineString) {
		if d := p[0] - line[i][0]; d > 0.0006 || d < -0.0006 || line[i][1]-p[1] > 0.0002 || p[1]-line[i][1] > 0.0002 {
			t.Errorf("vertex %d is %v, want about %v", i, line[i], p)
		}
	}
}

// Two squares share an arc, which one of them goes backwards.
func TestSharedArcs(t *testing.T) {
	got := readAll(t, `{"type":"Topology","objects":{"x":{"type":"GeometryCollection","geometries":[
{"type":"Polygon","id":"west","arcs":[[0,1]]},{"type":"MultiPolygon","id":"east","arcs":[[[-1,2]]]}]}},
"arcs":[[[1,0],[1,1]],[[1,1],[0,1],[0,0],[1,0]],[[1,0],[2,0],[2,1],[1,1]]]}`, geofile.Options{})
	if got.err != nil || len(got.features) != 2 {
		t.Fatalf("%+v", got)
	}
	west, east := orb.Polygon{{{1, 0}, {1, 1}, {0, 1}, {0, 0}, {1, 0}}}, orb.MultiPolygon{{{{1, 1}, {1, 0}, {2, 0}, {2, 1}, {1, 1}}}}
	if !reflect.DeepEqual(got.features[0].Shape, orb.Geometry(west)) || !reflect.DeepEqual(got.features[1].Shape, orb.Geometry(east)) || got.features[1].ID != "east" {
		t.Errorf("%+v", got.features)
	}
}

func TestBadTopologies(t *testing.T) {
	for _, c := range []struct{ name, content, code string }{
		{"arc no array", `{"type":"Topology","objects":{},"arcs":[7]}`, "not_topojson"},
		{"arc of arcs", `{"type":"Topology","objects":{},"arcs":[[[[1,2]]]]}`, "not_topojson"},
		{"arc of nulls", `{"type":"Topology","objects":{},"arcs":[[[null,1],[2,3]]]}`, "not_a_number"},
		{"object no object", `{"type":"Topology","objects":{"a":3},"arcs":[]}`, "not_topojson"},
		{"no objects", `{"type":"Topology","arcs":[]}`, "no_layer"},
		{"half a transform", `{"type":"Topology","transform":{"scale":[1,1]},"objects":{},"arcs":[]}`, "not_topojson"},
		{"bad transform", `{"type":"Topology","transform":{"scale":[1,1],"translate":["a"]},"objects":{},"arcs":[]}`, "not_topojson"},
		{"duplicate object", `{"type":"Topology","objects":{"a":{},"a":{}},"arcs":[]}`, "duplicate_key"},
	} {
		got := readAll(t, c.content, geofile.Options{})
		line := 1
		if c.code == "no_layer" {
			line = 0
		}
		wantFault(t, c.name, got.err, c.code, line)
	}
	for _, c := range []struct{ name, geometry, code string }{
		{"null type", `{"type":null,"properties":{}}`, "no_geometry"},
		{"null", `null`, "no_geometry"},
		{"unknown arc", `{"type":"LineString","arcs":[5]}`, "unknown_arc"},
		{"unknown arc backwards", `{"type":"LineString","arcs":[-3]}`, "unknown_arc"},
		{"fraction", `{"type":"LineString","arcs":[0.5]}`, "wrong_arcs"},
		{"huge number", `{"type":"LineString","arcs":[99999999999]}`, "wrong_arcs"},
		{"smallest number", `{"type":"LineString","arcs":[-2147483648]}`, "unknown_arc"},
		{"text", `{"type":"LineString","arcs":["0"]}`, "wrong_arcs"},
		{"no arcs", `{"type":"LineString"}`, "no_coordinates"},
		{"empty arcs", `{"type":"LineString","arcs":[]}`, "empty"},
		{"empty ring", `{"type":"Polygon","arcs":[[]]}`, "empty"},
		{"empty arc", `{"type":"LineString","arcs":[1]}`, "empty"},
		{"uneven", `{"type":"Polygon","arcs":[[0],0]}`, "wrong_arcs"},
		{"too shallow", `{"type":"Polygon","arcs":[0]}`, "wrong_nesting"},
		{"very deep", `{"type":"Polygon","arcs":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, "wrong_arcs"},
		{"unclosed", `{"type":"Polygon","arcs":[[0]]}`, "not_closed"},
		{"many times a large arc", `{"type":"LineString","arcs":[0` + strings.Repeat(",0", 900) + `]}`, "too_many_vertices"},
		{"deep collections", strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 6) + `{"type":"Point","coordinates":[1,2]}` + strings.Repeat(`]}`, 6), "too_deep"},
	} {
		got := readAll(t, `{"type":"Topology","objects":{"x":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},`+
			c.geometry+`,{"type":"LineString","arcs":[0,-1]}]}},"arcs":[[[0,0],[1,1],[2,0]],[]]}`, geofile.Options{MaxVertices: 1000})
		if got.err != nil || len(got.features) != 2 || len(got.rows) != 1 || got.rows[0].Record != 2 || got.rows[0].Code != c.code || got.rows[0].Fault().Line != 2 {
			t.Errorf("%s: %d features, rejects %v, %v; want %s", c.name, len(got.features), got.rows, got.err, c.code)
		}
	}
}

func TestLayersOfATopology(t *testing.T) {
	content := func(second string) string {
		return `{"type":"Topology","objects":{"towns":{"type":"GeometryCollection","geometries":[{"type":"Polygon","arcs":[[0]]}]},"b":` + second +
			`},"arcs":[[[0,0],[1,0],[1,1],[0,0]]]}`
	}
	points := content(`{"type":"Point","coordinates":[1,2],"properties":{"n":1}}`)
	if got := readAll(t, points, geofile.Options{}); got.err != nil || len(got.features) != 1 || len(got.features[0].Shape.(orb.Polygon)[0]) != 4 {
		t.Errorf("the only layer with polygons: %+v", got)
	}
	if got := readAll(t, points, geofile.Options{Layer: "b"}); got.err != nil || len(got.features) != 1 || got.features[0].Shape != orb.Geometry(orb.Point{1, 2}) {
		t.Errorf("layer by name: %+v", got)
	}
	two := content(`{"type":"Polygon","arcs":[[0]]}`)
	wantFault(t, "two layers", readAll(t, two, geofile.Options{}).err, "several_layers", 0)
	err := readAll(t, two, geofile.Options{Layer: "c"}).err
	wantFault(t, "unknown layer", err, "unknown_layer", 0)
	if names := []string{"“towns”", "“b”"}; slices.ContainsFunc(names, func(n string) bool { return !strings.Contains(err.Error(), n) }) {
		t.Errorf("%v does not list the layers", err)
	}
}
