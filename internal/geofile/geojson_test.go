package geofile_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/paulmach/orb"

	"gridgov/internal/geofile"
)

const square = `{"type":"Polygon","coordinates":[[[120,30],[121,30],[121,31],[120,31],[120,30]]]}`

var squareShape = orb.Polygon{{{120, 30}, {121, 30}, {121, 31}, {120, 31}, {120, 30}}}

func TestGeoJSON(t *testing.T) {
	got := readAll(t, `{
 "type": "FeatureCollection", "name": "x",
 "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
 "features": [
  {"type": "Feature", "id": 7, "properties": {"code": "330481", "n": 1.50, "big": 12345678901234567890, "no": null, "yes": true, "list": [1, {"a": "b"}]},
   "geometry": `+square+`},
  {"properties": null, "geometry": {"coordinates": [1, 2, 3], "type": "Point"}, "type": "Feature", "bbox": [1, 2, 1, 2]},

  {"type": "Feature", "properties": {}, "geometry": {"type": "GeometryCollection", "geometries": [
    {"type": "MultiPolygon", "coordinates": [[[[0,0],[1,0],[1,1],[0,0]]]]}, `+square+`]}}
 ], "after": {"features": [1]}}
`, geofile.Options{})
	if got.err != nil || len(got.rows) != 0 || got.format != "GeoJSON" || got.crs != "urn:ogc:def:crs:OGC:1.3:CRS84" {
		t.Fatalf("%+v", got)
	}
	want := []geofile.Feature{
		{Line: 5, Record: 1, ID: "7", Shape: squareShape, Properties: map[string]string{
			"code": "330481", "n": "1.50", "big": "12345678901234567890", "yes": "true", "list": `[1,{"a":"b"}]`,
		}, Columns: []string{"code", "n", "big", "no", "yes", "list"}},
		{Line: 7, Record: 2, Shape: orb.Point{1, 2}},
		{Line: 9, Record: 3, Properties: map[string]string{}, Shape: orb.Collection{
			orb.MultiPolygon{{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}}}, squareShape,
		}},
	}
	if !reflect.DeepEqual(got.features, want) {
		t.Errorf("got %+v\nwant %+v", got.features, want)
	}
	if len(got.notes) != 1 || !strings.Contains(got.notes[0], "third dimension") {
		t.Errorf("notes %q", got.notes)
	}
	if polygons, ok := geofile.Polygonal(got.features[2].Shape); !ok || len(polygons) != 2 {
		t.Errorf("the collection's polygons: %v, %v", polygons, ok)
	}
	if _, ok := geofile.Polygonal(got.features[1].Shape); ok {
		t.Error("a point passed as polygons")
	}
}

// The top object's members may come in any order; a Feature or a geometry may stand alone.
func TestGeoJSONForms(t *testing.T) {
	feature := `{"type":"Feature","properties":{"a":"b"},"geometry":` + square + `}`
	for name, content := range map[string]string{
		"features first":   `{"features":[` + feature + `],"type":"FeatureCollection"}`,
		"one feature":      feature,
		"spread feature":   "{\"geometry\":" + square + ",\n\"properties\":{},\n\"type\":\"Feature\"}",
		"bare geometry":    square,
		"byte order mark":  "\ufeff" + feature,
		"compressed":       zipped(t, feature),
		"twice compressed": "",
	} {
		if content == "" {
			continue
		}
		got := readAll(t, content, geofile.Options{})
		if got.err != nil || len(got.features) != 1 || !reflect.DeepEqual(got.features[0].Shape, orb.Geometry(squareShape)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	pair := strings.ReplaceAll(feature, ",", ",\n") + "\n" + feature
	if got := readAll(t, pair, geofile.Options{}); got.err != nil || len(got.features) != 2 {
		t.Errorf("features one after another, over lines: %+v", got)
	}
}

// Each bad geometry costs its own feature only, and is named by line, member and reason.
func TestBadGeometries(t *testing.T) {
	for _, c := range []struct{ name, geometry, code, field string }{
		{"null", `null`, "no_geometry", "geometry"},
		{"not an object", `7`, "no_geometry", "geometry"},
		{"no type", `{"coordinates":[1,2]}`, "no_type", "geometry.type"},
		{"type is a number", `{"type":3,"coordinates":[1,2]}`, "no_type", "type"},
		{"unknown type", `{"type":"Circle","coordinates":[1,2]}`, "unknown_type", "geometry.type"},
		{"no coordinates", `{"type":"Point"}`, "no_coordinates", "geometry.coordinates"},
		{"null coordinates", `{"type":"Point","coordinates":null}`, "no_coordinates", "geometry.coordinates"},
		{"a null coordinate", `{"type":"Point","coordinates":[null,2]}`, "not_a_number", "geometry.coordinates"},
		{"a text coordinate", `{"type":"Point","coordinates":["120",2]}`, "not_a_number", "geometry.coordinates"},
		{"too large", `{"type":"Point","coordinates":[1e999,2]}`, "not_finite", "geometry.coordinates"},
		{"one number", `{"type":"Point","coordinates":[1]}`, "wrong_position", "geometry.coordinates"},
		{"five numbers", `{"type":"Point","coordinates":[1,2,3,4,5]}`, "wrong_position", "geometry.coordinates"},
		{"array in a position", `{"type":"Point","coordinates":[1,[2]]}`, "not_a_number", "geometry.coordinates"},
		{"number after array", `{"type":"LineString","coordinates":[[1,2],3]}`, "wrong_nesting", "geometry.coordinates"},
		{"mixed dimensions", `{"type":"LineString","coordinates":[[1,2],[3,4,5]]}`, "mixed_dimensions", "geometry.coordinates"},
		{"empty point", `{"type":"Point","coordinates":[]}`, "empty", "geometry.coordinates"},
		{"empty polygon", `{"type":"Polygon","coordinates":[]}`, "empty", "geometry.coordinates"},
		{"empty ring", `{"type":"Polygon","coordinates":[[]]}`, "empty", "geometry.coordinates"},
		{"what ends PostGIS 3.3", `{"type":"MultiPoint","coordinates":[[],[80,20]]}`, "empty", "geometry.coordinates"},
		{"empty member of many", `{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[]]}`, "empty", "geometry.coordinates"},
		{"too shallow", `{"type":"Polygon","coordinates":[[0,0],[1,0],[1,1],[0,0]]}`, "wrong_nesting", "geometry.coordinates"},
		{"too deep", `{"type":"Polygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}`, "wrong_nesting", "geometry.coordinates"},
		{"uneven", `{"type":"MultiLineString","coordinates":[[[0,0],[1,0]],[1,1]]}`, "wrong_nesting", "geometry.coordinates"},
		{"very deep", `{"type":"Polygon","coordinates":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, "too_deep", "geometry.coordinates"},
		{"one point of a line", `{"type":"LineString","coordinates":[[1,2]]}`, "too_few_points", "geometry.coordinates"},
		{"unclosed", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`, "not_closed", "geometry.coordinates"},
		{"three positions", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}`, "too_few_points", "geometry.coordinates"},
		{"two points only", `{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,0],[0,0]]]}`, "too_few_points", "geometry.coordinates"},
		{"bad hole", `{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[1,1],[1,1],[1,1],[1,1]]]}`, "too_few_points", "geometry.coordinates"},
		{"empty collection", `{"type":"GeometryCollection","geometries":[]}`, "empty", "geometry.geometries"},
		{"collection of nothing", `{"type":"GeometryCollection"}`, "no_coordinates", "geometry.geometries"},
		{"null in a collection", `{"type":"GeometryCollection","geometries":[null]}`, "no_geometry", "geometry.geometries"},
		{"bad in a collection", `{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"Point","coordinates":[]}]}`, "empty", "geometry.coordinates"},
		{"deep collections", strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 5) + square + strings.Repeat(`]}`, 5), "too_deep", "geometry"},
		{"very deep collections", strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 500) + strings.Repeat(`]}`, 500), "too_deep", "geometry"},
		{"too many vertices", `{"type":"LineString","coordinates":[[1,2]` + strings.Repeat(`,[3,4]`, 2000) + `]}`, "too_many_vertices", "geometry.coordinates"},
	} {
		good := `{"type":"Feature","properties":{},"geometry":` + square + "}"
		bad := `{"type":"Feature","properties":{},"geometry":` + c.geometry + "}"
		for form, content := range map[string]string{
			"collection": `{"type":"FeatureCollection","features":[` + "\n" + good + ",\n" + bad + ",\n" + good + "\n]}",
			"lines":      "\n" + good + "\n" + bad + "\n" + good,
		} {
			got := readAll(t, content, geofile.Options{MaxVertices: 1000})
			if got.err != nil || len(got.features) != 2 || got.features[1].Record != 3 || got.features[1].Line != 4 {
				t.Errorf("%s, %s: %d features, %v", c.name, form, len(got.features), got.err)
				continue
			}
			if len(got.rows) != 1 {
				t.Errorf("%s, %s: rejects %v", c.name, form, got.rows)
				continue
			}
			row := got.rows[0]
			if row.Line != 3 || row.Record != 2 || row.Code != c.code || row.Field != c.field || row.Reason == "" {
				t.Errorf("%s, %s: %+v; want %s of %s", c.name, form, row, c.code, c.field)
			}
			if f := row.Fault(); f.Line != 3 || f.Code != c.code {
				t.Errorf("%s, %s: as a fault %+v", c.name, form, f)
			}
		}
	}
}

// What breaks the text as a whole ends reading, with the line.
func TestBrokenDocuments(t *testing.T) {
	head := `{"type":"FeatureCollection","features":[` + "\n"
	good := `{"type":"Feature","properties":{},"geometry":` + square + "}"
	for _, c := range []struct {
		name, content, code string
		line, features      int
	}{
		{"duplicate key", head + good + ",\n" + `{"type":"Feature","properties":{"a":1,"a":2},"geometry":null}]}`, "duplicate_key", 3, 1},
		{"duplicate member", head + `{"type":"Feature","type":"Feature"}]}`, "duplicate_key", 2, 0},
		{"NaN", head + good + ",\n" + `{"type":"Feature","geometry":{"type":"Point","coordinates":[NaN,1]}}]}`, "not_json", 3, 1},
		{"bad UTF-8", head + good + ",\n{\"type\":\"Feature\",\"properties\":{\"a\":\"\xff\"},\"geometry\":null}]}", "unknown_encoding", 3, 0},
		{"cut off", head + good + ",\n" + `{"type":"Feature","geom`, "not_json", 3, 1},
		{"cut after a feature", head + good, "not_json", 2, 1},
		{"text after the end", head + good + "]}\n{}", "trailing_data", 2, 1},
		{"garbage after the end", head + good + "]}\nx", "not_json", 3, 1},
		{"missing comma", head + good + good + "]}", "not_json", 2, 1},
		{"deeper than any", head + `{"type":"Feature","properties":{"a":` + strings.Repeat("[", 100_000) + "\n", "not_json", 2, 0},
		{"no features", `{"type":"FeatureCollection"}`, "not_geojson", 1, 0},
		{"features are no array", `{"type":"FeatureCollection","features":{}}`, "not_geojson", 1, 0},
		{"another type", `{"type":"Report","features":[]}`, "not_geojson", 1, 0},
		{"no type", `{"a":1}`, "not_geojson", 1, 0},
		{"an array", `[1,2]`, "not_geojson", 1, 0},
		{"empty", " \n ", "empty", 0, 0},
	} {
		got := readAll(t, c.content, geofile.Options{})
		wantFault(t, c.name, got.err, c.code, c.line)
		if len(got.features) != c.features {
			t.Errorf("%s: %d features before it, want %d", c.name, len(got.features), c.features)
		}
	}
}

func TestMembersThatAreNoFeatures(t *testing.T) {
	got := readAll(t, `{"type":"FeatureCollection","features":[null,7,[],`+square+`,{"type":"Feature","properties":7,"geometry":`+square+`}]}`, geofile.Options{})
	if got.err != nil || len(got.rows) != 4 || len(got.features) != 1 || got.features[0].Record != 5 {
		t.Errorf("%+v", got)
	}
	for _, row := range got.rows {
		if row.Code != "not_a_feature" {
			t.Errorf("%v", row)
		}
	}
}

// A system that is named when the features are already read would have them misread.
func TestLateCRS(t *testing.T) {
	const crs = `"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::26985"}}`
	feature := `"features":[{"type":"Feature","properties":{},"geometry":` + square + `}]`
	early := readAll(t, `{"type":"FeatureCollection",`+crs+`,`+feature+`}`, geofile.Options{})
	if early.err != nil || early.crs != "urn:ogc:def:crs:EPSG::26985" {
		t.Errorf("named before: %+v", early)
	}
	late := readAll(t, `{"type":"FeatureCollection",`+feature+`,`+crs+`}`, geofile.Options{})
	wantFault(t, "named after", late.err, "late_crs", 0)
	if told := readAll(t, `{"type":"FeatureCollection",`+feature+`,`+crs+`}`, geofile.Options{CRS: "EPSG:26985"}); told.err != nil || len(told.features) != 1 {
		t.Errorf("named by the caller: %+v", told)
	}
}

// Plain GeoJSON has no layers, an archive's are its files.
func TestLayerOfGeoJSON(t *testing.T) {
	one := `{"type":"Feature","properties":{},"geometry":` + square + `}`
	for name, text := range map[string]string{"collection": `{"type":"FeatureCollection","features":[` + one + `]}`, "sequence": one + "\n" + one} {
		wantFault(t, name, readAll(t, text, geofile.Options{Layer: "towns"}).err, "unknown_layer", 0)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("maps/towns.geojson")
	if err == nil {
		_, err = f.Write([]byte(one))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, b.String(), geofile.Options{Layer: "towns"}); got.err != nil || len(got.features) != 1 {
		t.Errorf("the archive's only file by name: %+v", got)
	}
	wantFault(t, "another file of the archive", readAll(t, b.String(), geofile.Options{Layer: "wards"}).err, "unknown_layer", 0)
}

// What is left out can be told by its id and its properties.
func TestBadFeatureIsKnown(t *testing.T) {
	got := readAll(t, `{"type":"FeatureCollection","features":[{"type":"Feature","id":7,"properties":{"code":"001"},"geometry":null}]}`, geofile.Options{})
	if len(got.rows) != 1 || got.rows[0].ID != "7" || got.rows[0].Properties["code"] != "001" {
		t.Errorf("%+v", got)
	}
}

func TestPropertiesOfAMegabyte(t *testing.T) {
	big := strings.Repeat("x", 3000)
	got := readAll(t, `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"a":"`+big+`","b":1},"geometry":`+square+`},
{"type":"Feature","properties":{"b":1},"geometry":`+square+`}]}`, geofile.Options{MaxRow: 1000})
	if got.err != nil || len(got.features) != 1 || len(got.rows) != 1 || got.rows[0].Code != "too_large" || got.rows[0].Field != "properties" {
		t.Errorf("%+v", got)
	}
}

// repeat gives a text n times between a head and a foot, without holding it.
func repeat(head, text string, n int, foot string) io.Reader {
	long := &endless{text: strings.Repeat(text, 1+1<<16/len(text))}
	return io.MultiReader(strings.NewReader(head), io.LimitReader(long, int64(len(text)*n)), strings.NewReader(foot))
}

type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		k := copy(p[n:], e.text[e.at:])
		n, e.at = n+k, (e.at+k)%len(e.text)
	}
	return len(p), nil
}

func TestMillionVertices(t *testing.T) {
	const n = 1_000_000
	r, err := geofile.Open(context.Background(), "-", geofile.Options{Stdin: repeat(
		`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[0,0]`,
		`,[1.25,0],[1,1]`, n/2, `,[0,0]]]}}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if ring := f.Shape.(orb.Polygon)[0]; len(ring) != n+2 || ring[n-1] != (orb.Point{1.25, 0}) {
		t.Errorf("%d vertices", len(ring))
	}
}

// A text without an end is refused when the window is full, not when memory is.
func TestEndlessText(t *testing.T) {
	for name, in := range map[string]io.Reader{
		"string": repeat(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":"`, "x", 1<<30, ""),
		"number": repeat(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1`, "0", 1<<30, ""),
		"nested": repeat(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":[`, "1,", 1<<30, ""),
	} {
		got := readPath(t, "-", geofile.Options{Stdin: in})
		wantFault(t, name, got.err, "too_large", 1)
	}
	got := readPath(t, "-", geofile.Options{Stdin: repeat(`{"type":"FeatureCollection","features":[`, " ", 1<<30, ""), MaxBytes: 1 << 20})
	wantFault(t, "file", got.err, "too_large", 1)
	got = readPath(t, "-", geofile.Options{Stdin: repeat(`{"type":"FeatureCollection","features":[`, "\n", 1<<30, "")})
	wantFault(t, "blank lines", got.err, "too_large", 1)
}

func TestSequenceGoesOnAfterABadLine(t *testing.T) {
	feature := func(n int) string {
		return fmt.Sprintf(`{"type":"Feature","properties":{"n":%d},"geometry":%s}`, n, square)
	}
	lines := []string{
		feature(1), "", `{"type":"Feature","properties":{"n":2,"n":3}}`, feature(4), `{"type":"Feature","prop`, "[1]",
		feature(7) + " " + feature(8), "{\"type\":\"Feature\",\"properties\":{\"a\":\"\xff\"}}", `{"type":"FeatureCollection","features":[]}`, feature(10),
	}
	for sep, content := range map[string]string{
		"line feed":        strings.Join(lines, "\n"),
		"line feed at end": strings.Join(lines, "\n") + "\n\n",
		"record separator": "\x1e" + strings.Join(lines, "\n\x1e") + "\n",
	} {
		got := readAll(t, content, geofile.Options{Encoding: "utf-8"})
		if got.err != nil || got.format != "GeoJSONSeq" {
			t.Errorf("%s: %v, %s", sep, got.err, got.format)
		}
		var at []string
		for _, f := range got.features {
			at = append(at, fmt.Sprint(f.Properties["n"], "@", f.Line, "/", f.Record))
		}
		if want := []string{"1@1/1", "4@4/3", "10@10/9"}; !slices.Equal(at, want) {
			t.Errorf("%s: features %v, want %v", sep, at, want)
		}
		at = nil
		for _, r := range got.rows {
			at = append(at, fmt.Sprint(r.Code, "@", r.Line))
		}
		if want := []string{"duplicate_key@3", "not_json@5", "not_a_feature@6", "trailing_data@7", "not_json@8", "unknown_type@9"}; !slices.Equal(at, want) {
			t.Errorf("%s: rejects %v, want %v", sep, at, want)
		}
	}
}

// GeoJSON has to be UTF-8, and often is not.
func TestGeoJSONInOtherEncodings(t *testing.T) {
	content := `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"名称":"长安镇褚石村"},"geometry":` + square + `}]}`
	units := utf16.Encode([]rune(content))
	var le, be []byte
	for _, u := range units {
		le = append(le, byte(u), byte(u>>8))
		be = append(be, byte(u>>8), byte(u))
	}
	for name, text := range map[string]string{
		"UTF-8": content, "UTF-16LE": "\xff\xfe" + string(le), "UTF-16BE": "\xfe\xff" + string(be), "UTF-16LE without a mark": string(le),
		"GBK": gbk(t, content),
	} {
		got := readAll(t, text, geofile.Options{})
		if got.err != nil || len(got.features) != 1 || got.features[0].Properties["名称"] != "长安镇褚石村" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
