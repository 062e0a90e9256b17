package tiles

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gridgov/internal/cube"
)

// gdalFeatures reads a layer of a tile with GDAL's MVT driver, which finds the tile's place by its path.
func gdalFeatures(t *testing.T, tile []byte, a Address, layer string) []gdalFeature {
	t.Helper()
	dir := filepath.Join(t.TempDir(), fmt.Sprint(a.Z), fmt.Sprint(a.X))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprint(a.Y)+".mvt")
	if err := os.WriteFile(file, tile, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", "MVT:"+file, layer, "-t_srs", "EPSG:4326", "-oo", "CLIP=NO", "-lco", "COORDINATE_PRECISION=12")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ogr2ogr: %v", err)
	}
	var doc struct{ Features []gdalFeature }
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatalf("%v in %.300s", err, out)
	}
	return doc.Features
}

type gdalFeature struct {
	Properties map[string]any
	Geometry   struct {
		Type        string
		Coordinates json.RawMessage
	}
}

// GDAL counts the reports that the cube holds.
func TestGDALReadsHeat(t *testing.T) {
	rows := sample(6, 20_000)
	view := load(rows)
	var m Maker
	x, y := cellOf(rows[1], 11)
	a := Address{11, x / 64, y / 64}
	features := gdalFeatures(t, m.Heat(nil, view, a, cube.Filter{}), a, "heat")
	got, want := 0.0, 0.0
	for _, f := range features {
		got += f.Properties["count"].(float64)
		if f.Geometry.Type != "Polygon" && f.Geometry.Type != "MultiPolygon" || f.Properties["per_km2"].(float64) <= 0 {
			t.Fatalf("feature %+v", f)
		}
	}
	for _, r := range rows {
		if rx, ry := cellOf(r, 11); rx/64 == a.X && ry/64 == a.Y {
			want++
		}
	}
	if got != want || want < 1000 {
		t.Errorf("GDAL counts %v reports, the recount %v", got, want)
	}
}

func TestGDALReadsReports(t *testing.T) {
	rows := sample(7, 5000)
	view := load(rows)
	var m Maker
	x, y := cellOf(rows[1], 13)
	a := Address{13, x / 64, y / 64}
	tile, _ := m.Reports(nil, view, a, cube.Filter{}, names)
	features := gdalFeatures(t, tile, a, "reports")
	for _, f := range features {
		var at [2]float64
		if err := json.Unmarshal(f.Geometry.Coordinates, &at); err != nil {
			t.Fatal(err)
		}
		r := rows[int(f.Properties["mvt_id"].(float64))-1]
		if dx, dy := at[0]-r.Lon, at[1]-r.Lat; dx > 1e-5 || dx < -1.2e-5 || dy > 1.2e-5 || dy < -1e-5 { // a unit is 1.1e-5°
			t.Errorf("report %d is drawn %v, %v degrees off", r.Num, dx, dy)
		}
		if f.Properties["source"] != names.Sources[r.Source] || f.Properties["at"].(float64) != float64(r.At) {
			t.Errorf("report %d is drawn with %v", r.Num, f.Properties)
		}
	}
	want := 0
	for _, r := range rows {
		if rx, ry := cellOf(r, 13); rx/64 == a.X && ry/64 == a.Y {
			want++
		}
	}
	if len(features) != want || want < 10 {
		t.Errorf("GDAL reads %d reports, the recount %d", len(features), want)
	}
}

func TestGDALReadsJurisdictions(t *testing.T) {
	levels := lattice(t)
	b := newBoundaries(t, levels)
	v := mercator(b.Bound().Center())
	a := Address{13, uint32(v.x * (1 << 13)), uint32(v.y * (1 << 13))}
	tile := b.Tile(nil, a)
	for name, layer := range decodeLayers(t, tile) {
		features := gdalFeatures(t, tile, a, name)
		if len(features) != len(layer.features) {
			t.Errorf("layer %s: GDAL reads %d features, our decoder %d", name, len(features), len(layer.features))
		}
		for i, f := range features {
			want := layer.features[i].properties
			if f.Properties["level"] != want["level"] || f.Properties["code"] != want["code"] && name != "borders" {
				t.Errorf("layer %s: GDAL reads %v, our decoder %v", name, f.Properties, want)
			}
		}
	}
}
