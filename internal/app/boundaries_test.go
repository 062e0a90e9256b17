package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/demo/dc"
	"gridgov/internal/fault"
	"gridgov/internal/geofile"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

// swap turns each pair of numbers in GeoJSON's coordinates round.
func swap(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	if _, ok := list[0].(float64); ok {
		list[0], list[1] = list[1], list[0]
		return list
	}
	for i := range list {
		list[i] = swap(list[i])
	}
	return list
}

// A city without a plan takes its first boundaries only where its own system is meant for.
func TestSwappedBoundariesAreRefusedBeforeTheFirstPlan(t *testing.T) {
	db, _ := pgtest.Database(t)
	levels, err := postgres.ParseLevels(dc.Levels)
	if err != nil {
		t.Fatal(err)
	}
	info, err := db.CreateCity(t.Context(), postgres.City{Code: dc.Code, Name: dc.Name, Timezone: dc.Timezone, SRID: dc.SRID, Levels: levels, CreatedAt: apptest.Now})
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Open(t.Context(), db, info, nil, apptest.Quiet(), apptest.Clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ward, err := c.Plans.Level("ward")
	if err != nil {
		t.Fatal(err)
	}
	var wards map[string]any
	if err := json.Unmarshal([]byte(readAll(t, dc.WardsFile)), &wards); err != nil {
		t.Fatal(err)
	}
	for _, f := range wards["features"].([]any) {
		g := f.(map[string]any)["geometry"].(map[string]any)
		g["coordinates"] = swap(g["coordinates"])
	}
	swapped, err := json.Marshal(wards)
	if err != nil {
		t.Fatal(err)
	}
	load := func(text, system string) (jurisdiction.Imported, error) {
		return c.ImportBoundaries(t.Context(), app.BoundaryFile{Path: "-", Options: geofile.Options{Stdin: strings.NewReader(text)}, Plan: "p", Level: ward,
			Fields: jurisdiction.Fields{Code: "WARD_ID", Name: "NAME"}, CRS: system}, nil)
	}
	if out, err := load(string(swapped), ""); faultCode(err) != "swapped" || out.Faces != 0 {
		t.Errorf("swapped: %d faces, %v", out.Faces, err)
	}
	square := `{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"WARD_ID": "1", "NAME": "Ward 1"},
		"geometry": {"type": "Polygon", "coordinates": [[[-77.1, 38.8], [-76.9, 38.8], [-76.9, 39], [-77.1, 39], [-77.1, 38.8]]]}}]}`
	if out, err := load(square, "EPSG:26985"); faultCode(err) != "too_small" || out.Faces != 0 {
		t.Errorf("degrees taken for metres: %d faces, %v", out.Faces, err)
	}
	if out, err := load(readAll(t, dc.WardsFile), ""); err != nil || out.Faces != dc.Wards {
		t.Errorf("as published: %d faces, %v", out.Faces, err)
	}
}

func faultCode(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	return ""
}
