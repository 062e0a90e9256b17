package geofile_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"

	"gridgov/internal/geofile"
)

// The touching, nested and degenerate shapes of tg's relation tests, written as GeoJSON, come back as they are, or are
// refused for the reason that is in them: emptiness, or a ring that is none.
func TestRelations(t *testing.T) {
	files, err := filepath.Glob("testdata/tg/*.gz")
	if err != nil || len(files) != 7 {
		t.Fatal(files, err)
	}
	var shapes []orb.Geometry
	var lines []string
	empty := 0
	for _, file := range files {
		for _, text := range relations(t, file) {
			if strings.Contains(text, "EMPTY") {
				kind, _, _ := strings.Cut(text, " ")
				lines = append(lines, fmt.Sprintf(`{"type":"%s","coordinates":[],"geometries":[]}`, typeName[kind]))
				shapes = append(shapes, nil)
				empty++
				continue
			}
			g, err := wkt.Unmarshal(text)
			if err != nil && strings.HasPrefix(text, "MULTIPOINT") {
				continue // written without inner brackets, which orb does not read
			}
			if err != nil {
				t.Fatalf("%s: %q: %v", file, text, err)
			}
			shapes = append(shapes, g)
			lines = append(lines, geoJSON(t, g))
		}
	}
	got := readAll(t, strings.Join(lines, "\n"), geofile.Options{})
	if got.err != nil || len(got.features)+len(got.rows) != len(shapes) || empty == 0 || len(got.features) < 180 {
		t.Fatalf("%d features, %d rejects of %d, %v", len(got.features), len(got.rows), len(shapes), got.err)
	}
	for _, f := range got.features {
		if want := shapes[f.Record-1]; !reflect.DeepEqual(f.Shape, want) {
			t.Errorf("record %d is %v, want %v", f.Record, f.Shape, want)
		}
	}
	for _, r := range got.rows {
		if shapes[r.Record-1] == nil && r.Code == "empty" {
			empty--
		} else if r.Code != "too_few_points" && r.Code != "not_closed" {
			t.Errorf("%v: %s", r, lines[r.Record-1])
		}
	}
	if empty != 0 {
		t.Errorf("%d empty shapes passed", empty)
	}
}

var typeName = map[string]string{
	"POINT": "Point", "MULTIPOINT": "MultiPoint", "LINESTRING": "LineString", "MULTILINESTRING": "MultiLineString",
	"POLYGON": "Polygon", "MULTIPOLYGON": "MultiPolygon", "GEOMETRYCOLLECTION": "GeometryCollection",
}

// relations reads the pairs of shapes of a file, JSON with trailing commas.
func relations(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // read only
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`,(\s*[\]}])`).ReplaceAll(text, []byte("$1")) // trailing commas
	var cases []struct {
		Geoms []any `json:"geoms"` // WKT, or a few Features that are left out
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var all []string
	for _, c := range cases {
		for _, g := range c.Geoms {
			if text, ok := g.(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}

// geoJSON writes a shape on one line: orb's types are the coordinate arrays of GeoJSON.
func geoJSON(t *testing.T, g orb.Geometry) string {
	t.Helper()
	if all, ok := g.(orb.Collection); ok {
		parts := make([]string, len(all))
		for i, part := range all {
			parts[i] = geoJSON(t, part)
		}
		return `{"type":"GeometryCollection","geometries":[` + strings.Join(parts, ",") + `]}`
	}
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return `{"type":"` + g.GeoJSONType() + `","coordinates":` + string(b) + `}`
}
