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
	pool := pgtest.New(t)
	nan, inf := math.NaN(), math.Inf(1)
	// The origin of EPSG:4549 is 120°E on the equator, 500 km east of its false origin.
	xs := []float64{500000, nan, 500000, 1e30, inf, 500000}
	ys := []float64{0, 1, nan, 1e30, 0, 3320113.398}
	lons, lats, err := postgres.Transform(t.Context(), pool, 4549, xs, ys)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]float64{{120, 0}, {nan, nan}, {nan, nan}, {nan, nan}, {nan, nan}, {120, 30}} {
		if far(lons[i], want[0]) || far(lats[i], want[1]) {
			t.Errorf("(%g, %g) became (%g, %g); want (%g, %g)", xs[i], ys[i], lons[i], lats[i], want[0], want[1])
		}
	}
	// Degrees keep their order: longitude first, although EPSG:4326 itself says latitude first.
	lons, lats, err = postgres.Transform(t.Context(), pool, 4326, []float64{120.5}, []float64{30.25})
	if err != nil || far(lons[0], 120.5) || far(lats[0], 30.25) {
		t.Errorf("4326: %v, %v, %v", lons, lats, err)
	}
	for _, code := range []int{0, -1, 999999} {
		_, _, err = postgres.Transform(t.Context(), pool, code, []float64{1}, []float64{1})
		wantFault(t, err, fault.KindInvalid, "unknown_crs")
	}
	if lons, _, err := postgres.Transform(t.Context(), pool, 4549, nil, nil); err != nil || len(lons) != 0 {
		t.Errorf("no points: %v, %v", lons, err)
	}
}

func far(a, b float64) bool { return math.IsNaN(a) != math.IsNaN(b) || math.Abs(a-b) > 1e-8 }
