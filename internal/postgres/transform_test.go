package postgres_test

import (
	"math"
	"testing"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

func TestTransform(t *testing.T) {
	t.Parallel()
	proj := &postgres.Projector{DB: pgtest.New(t)}
	nan, inf := math.NaN(), math.Inf(1)
	// The origin of EPSG:4549 is 120°E on the equator, 500 km east of its false origin.
	xs := []float64{500000, nan, 500000, 1e30, inf, 500000}
	ys := []float64{0, 1, nan, 1e30, 0, 3320113.398}
	lons, lats, err := proj.LonLat(t.Context(), 4549, xs, ys)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]float64{{120, 0}, {nan, nan}, {nan, nan}, {nan, nan}, {nan, nan}, {120, 30}} {
		if far(lons[i], want[0]) || far(lats[i], want[1]) {
			t.Errorf("(%g, %g) became (%g, %g); want (%g, %g)", xs[i], ys[i], lons[i], lats[i], want[0], want[1])
		}
	}
	// Degrees keep their order: longitude first, although EPSG:4326 itself says latitude first.
	lons, lats, err = proj.LonLat(t.Context(), 4326, []float64{120.5}, []float64{30.25})
	if err != nil || far(lons[0], 120.5) || far(lats[0], 30.25) {
		t.Errorf("4326: %v, %v, %v", lons, lats, err)
	}
	for _, code := range []int{0, -1, 999999} {
		_, _, err = proj.LonLat(t.Context(), code, []float64{1}, []float64{1})
		wantFault(t, err, fault.KindInvalid, "unknown_crs")
	}
	if lons, _, err := proj.LonLat(t.Context(), 4549, nil, nil); err != nil || len(lons) != 0 {
		t.Errorf("no points: %v, %v", lons, err)
	}
}

// What systems are is told by PROJ, also of those that spatial_ref_sys does not have (9057, 3855, 5703).
func TestProjectorKinds(t *testing.T) {
	t.Parallel()
	proj := &postgres.Projector{DB: pgtest.New(t)}
	for range 2 { // the second time from memory
		for code, want := range map[int]bool{4326: true, 4269: true, 4214: true, 4258: true, 4979: true, 9057: true, 4807: true,
			4549: false, 26985: false, 3857: false, 3034: false, 27700: false, 5041: false} {
			if got, err := proj.Degrees(t.Context(), code); err != nil || got != want {
				t.Errorf("EPSG:%d is measured in degrees: %v, %v", code, got, err)
			}
		}
		for code, kind := range map[int]string{4978: "unusable_crs", 4936: "unusable_crs", 7656: "unusable_crs", 3855: "unusable_crs",
			5703: "unusable_crs", 5773: "unusable_crs", 32: "unknown_crs"} {
			_, err := proj.Degrees(t.Context(), code)
			wantFault(t, err, fault.KindInvalid, kind)
			_, _, err = proj.LonLat(t.Context(), code, []float64{1}, []float64{1})
			wantFault(t, err, fault.KindInvalid, kind)
		}
	}
}

func far(a, b float64) bool { return math.IsNaN(a) != math.IsNaN(b) || math.Abs(a-b) > 1e-8 }
