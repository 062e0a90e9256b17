//go:build testdata

package geofile_test

import (
	"os"
	"path/filepath"
	"testing"

	"gridgov/internal/geofile"
)

// outside is a folder of data that is not part of the project; it is missing loudly.
func outside(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("GRIDGOV_TESTDATA")
	if root == "" {
		t.Fatal("GRIDGOV_TESTDATA names no folder")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// Taiwan's villages, towns and counties as g0v published them: all of them, and each row without a geometry by number.
func TestTaiwan(t *testing.T) {
	for _, c := range []struct {
		file           string
		features, null int
	}{
		{"twVillage1982.topo.json", 7599, 468},
		{"twTown1982.topo.json", 382, 743},
		{"twCounty2010.topo.json", 0, 0},
	} {
		path := outside(t, "tw_villages", c.file)
		got := readPath(t, path, geofile.Options{})
		if got.err != nil || got.format != "TopoJSON" {
			t.Fatalf("%s: %v", c.file, got.err)
		}
		if c.features > 0 && (len(got.features) != c.features || len(got.rows) != c.null) {
			t.Errorf("%s: %d features and %d rejects, want %d and %d", c.file, len(got.features), len(got.rows), c.features, c.null)
		}
		for _, r := range got.rows {
			if r.Code != "no_geometry" || r.Record == 0 {
				t.Errorf("%s: %v", c.file, r)
			}
		}
		compareWithGDAL(t, path)
	}
}

// Washington's boundaries and Haining's outline agree with GDAL's reading double for double.
func TestOfficialBoundaries(t *testing.T) {
	for _, file := range []string{"dc311/smd_2013.geojson", "dc311/anc_2013.geojson", "dc311/wards_2012.geojson", "haining/outline.geojson"} {
		compareWithGDAL(t, outside(t, filepath.FromSlash(file)))
	}
}

func TestReportsOfWashington(t *testing.T) {
	f, err := os.Open(outside(t, "dc311", "reports.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // read only
	got := readTable(t, f, geofile.Options{})
	if got.err != nil || len(got.rejects) != 0 || len(got.rows) != 22_577 {
		t.Errorf("%d rows, rejects %v, %v", len(got.rows), got.rejects, got.err)
	}
}
