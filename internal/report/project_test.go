package report_test

import (
	"errors"
	"math"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/app/apptest"
	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

// Coordinates of systems that need PROJ are checked as those in degrees of EPSG:4490 are.
func TestCoordinatesOfOtherSystems(t *testing.T) {
	dc := orb.Bound{Min: orb.Point{-77.12, 38.79}, Max: orb.Point{-76.90, 39.0}}
	haining := orb.Bound{Min: orb.Point{120.30, 30.25}, Max: orb.Point{120.87, 30.58}}
	proj := &postgres.Projector{DB: pgtest.New(t)}
	in := func(city orb.Bound) *report.Service {
		return &report.Service{Project: proj, Bound: func() orb.Bound { return city }}
	}
	capitol := orb.Point{-77.00905, 38.88982}
	east, north := 399214.4, 135770.7 // the same in EPSG:26985
	for _, c := range []struct {
		system string
		p      orb.Point
		city   orb.Bound
		code   string
	}{
		{"EPSG:4269", capitol, dc, ""}, {"EPSG:4979", capitol, dc, ""}, {"EPSG:26985", orb.Point{east, north}, dc, ""},
		{"EPSG:4269", orb.Point{38.9, -77.03}, dc, "swapped"}, {"EPSG:4979", orb.Point{38.9, -77.03}, dc, "swapped"},
		{"EPSG:4258", orb.Point{30.4, 120.5}, haining, "swapped"}, {"EPSG:4214", orb.Point{30.4, 120.5}, haining, "swapped"},
		{"EPSG:4214", orb.Point{30.4, 120.5}, orb.Bound{}, "swapped"}, // by its range alone
		{"EPSG:26985", orb.Point{north, east}, dc, "swapped"},
		{"EPSG:4269", orb.Point{}, dc, "zero"}, {"EPSG:4214", orb.Point{}, haining, "zero"}, {"EPSG:26985", orb.Point{}, dc, "zero"},
		{"EPSG:26985", capitol, dc, "degrees"}, {"EPSG:26985", orb.Point{38.9, -77.03}, dc, "degrees"}, {"EPSG:4549", orb.Point{120.5, 30.4}, haining, "degrees"},
		{"EPSG:4549", orb.Point{30.4, 120.5}, haining, "degrees"},
		{"EPSG:4269", orb.Point{east, north}, dc, "projected"}, {"EPSG:4269", orb.Point{181, 10}, dc, "out_of_range"}, {"EPSG:4269", orb.Point{0, 90}, dc, "out_of_range"},
		{"EPSG:3857", orb.Point{1e300, 1e300}, dc, "not_projectable"}, {"EPSG:3857", orb.Point{1e6, 1e9}, dc, "not_projectable"},
		{"EPSG:4978", orb.Point{1115000, -4843000}, dc, "unusable_crs"}, {"EPSG:5703", capitol, dc, "unusable_crs"},
		{"EPSG:4326", orb.Point{-77, 90}, dc, "out_of_range"},
		// Far away is no fault: such a report is kept and is unplaced.
		{"EPSG:4269", orb.Point{-122.4, 37.8}, dc, ""}, {"EPSG:26985", orb.Point{300000, 100000}, dc, ""}, {"EPSG:3857", orb.Point{13450000, 3560000}, dc, ""},
	} {
		p, err := in(c.city).LonLat(t.Context(), c.system, c.p)
		f, _ := fault.As(err)
		switch {
		case c.code == "" && (err != nil || math.Abs(p[0]) > 180 || math.Abs(p[1]) >= 90):
			t.Errorf("%s %v: %v, %v", c.system, c.p, p, err)
		case c.code == "" && c.city == dc && c.system == "EPSG:26985" && c.p[0] == east && math.Hypot(p[0]-capitol[0], p[1]-capitol[1]) > 1e-4:
			t.Errorf("%s %v lies at %v", c.system, c.p, p)
		case c.code != "" && (f == nil || f.Code != c.code || f.Field == ""):
			t.Errorf("%s %v: %v, %v, want %s", c.system, c.p, p, err, c.code)
		}
	}
}

// What is said of a point is said to whoever files it, and by line to whoever imports it; nothing of it is kept.
func TestBadCoordinatesAreRefusedWhereverTheyComeFrom(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	good := apptest.Center(1, 2)
	points := map[int]struct {
		x, y float64
		code string
	}{2: {good[1], good[0], "swapped"}, 3: {0, 0, "zero"}, 4: {good[0], good[1], ""}, 5: {200, 10, "out_of_range"}}
	out, rejects := tally(t, c, table(0, 4, func(r *report.Row) {
		p := points[r.Line]
		r.New.X, r.New.Y, r.New.CRS = &p.x, &p.y, "EPSG:4258"
	}), true)
	if out != (report.Imported{Added: 1, Rejected: 3}) {
		t.Errorf("%+v", out)
	}
	for line, p := range points {
		if rejects[line] != p.code {
			t.Errorf("line %d is rejected for %q, want %q", line, rejects[line], p.code)
		}
		if p.code == "" {
			continue
		}
		_, _, err := c.Reports.File(t.Context(), report.New{ID: report.ID{15: byte(line)}, Source: "web", Item: "01", CapturedAt: apptest.Now, X: &p.x, Y: &p.y, CRS: "EPSG:4258"})
		if f := (*fault.Error)(nil); !errors.As(err, &f) || f.Code != p.code {
			t.Errorf("(%g, %g) is filed: %v, want %s", p.x, p.y, err, p.code)
		}
	}
	if n := count(t, c, `SELECT count(*) FROM report`); n != 1 {
		t.Errorf("%d reports are kept", n)
	}
}
