package geofile_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/geofile"
)

// rings is a shape with every ring turned to one direction and start: formats order them differently.
func rings(t testing.TB, g orb.Geometry) []string {
	t.Helper()
	polygons, ok := geofile.Polygonal(g)
	if !ok {
		t.Fatalf("%v is not polygonal", g)
	}
	var out []string
	for _, p := range polygons {
		for i, r := range p {
			r = slices.Clone(r[:len(r)-1])
			if r.Orientation() == orb.CW {
				slices.Reverse(r)
			}
			first := 0
			for k, v := range r {
				if v[0] < r[first][0] || v[0] == r[first][0] && v[1] < r[first][1] {
					first = k
				}
			}
			out = append(out, fmt.Sprint(i > 0, append(r[first:], r[:first]...)))
		}
	}
	slices.Sort(out)
	return out
}

// GDAL's own GeoJSON and TopoJSON readers find in a file what ours find.
func TestAgreesWithGDAL(t *testing.T) {
	for name, content := range map[string]string{"p.geojson": parishes, "q.topojson": quantised, "r.topojson": plainTopology} {
		source := write(t, name, content)
		compareWithGDAL(t, source)
	}
}

func compareWithGDAL(t testing.TB, source string) {
	t.Helper()
	ours := readPath(t, source, geofile.Options{})
	out := filepath.Join(t.TempDir(), "out.geojsonl")
	ogr2ogr(t, "-f", "GeoJSONSeq", out, source, "-lco", "COORDINATE_PRECISION=17")
	theirs := readPath(t, out, geofile.Options{})
	if ours.err != nil || theirs.err != nil || len(ours.features) == 0 {
		t.Fatalf("%s: %v, %v", source, ours.err, theirs.err)
	}
	// GDAL hands on GeoJSON features without geometry, which are then rejected here, and drops those of TopoJSON.
	if ours.format == "TopoJSON" {
		ours.rows = theirs.rows
	}
	if len(ours.features) != len(theirs.features) || len(ours.rows) != len(theirs.rows) {
		t.Fatalf("%s: %d features and %d rejects, GDAL has %d and %d", source, len(ours.features), len(ours.rows), len(theirs.features), len(theirs.rows))
	}
	for i, f := range ours.features {
		g := theirs.features[i]
		same := reflect.DeepEqual(f.Shape, g.Shape)
		if _, polygonal := geofile.Polygonal(f.Shape); polygonal {
			same = slices.Equal(rings(t, f.Shape), rings(t, g.Shape))
		}
		if !same {
			t.Errorf("%s: record %d is %v, by GDAL %v", source, f.Record, f.Shape, g.Shape)
		}
		for name, value := range f.Properties {
			if v, ok := g.Properties[name]; ok && !sameValue(v, value) {
				t.Errorf("%s: record %d has %s = %q, by GDAL %q", source, f.Record, name, value, v)
			}
		}
	}
}

// sameValue compares properties: GDAL writes numbers with other digits for the same double, and objects with spaces.
func sameValue(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return a == b || errX == nil && errY == nil && x == y || strings.ReplaceAll(a, " ", "") == strings.ReplaceAll(b, " ", "")
}
