package jurisdiction_test

import (
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/app/apptest"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
)

// squares are faces of 0.01° in a row, the first at a point.
func squares(n int, from orb.Point, deg float64) (out []jurisdiction.Face) {
	for i := range n {
		x, y := from[0]+deg*float64(i), from[1]
		out = append(out, jurisdiction.Face{Code: string(rune('a' + i)), Name: "n", Line: i + 2,
			Shape: orb.MultiPolygon{{{{x, y}, {x + deg, y}, {x + deg, y + deg}, {x, y + deg}, {x, y}}}}})
	}
	return out
}

// Before a plan is in force only the city's projected system tells where the city is.
func TestFacesMustLieWhereTheCitysSystemIsMeantFor(t *testing.T) {
	_, c := apptest.City(t)
	level, err := c.Plans.Level("grid")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		srid int
		at   orb.Point
		deg  float64
		code string // "" for none
	}{
		{"Haining", 4549, orb.Point{120.6, 30.5}, .01, ""},
		{"Haining by the next zone", 4548, orb.Point{120.6, 30.5}, .01, ""},
		{"Haining, its degrees taken for metres", 4549, orb.Point{115.51, .0003}, 1e-7, "too_small"},
		{"Ürümqi in Haining's system", 4549, orb.Point{87.6, 43.8}, .01, "far_away"},
		{"Washington", 26985, orb.Point{-77.03, 38.9}, .01, ""},
		{"Washington swapped", 26985, orb.Point{38.9, -77.03}, .01, "swapped"},
		{"Washington by UTM swapped", 32618, orb.Point{38.9, -77.03}, .01, "swapped"},
		{"Berlin", 25833, orb.Point{13.4, 52.5}, .01, ""},
		{"Berlin swapped", 25833, orb.Point{52.5, 13.4}, .01, "swapped"},
		{"Rome by Europe's system", 3035, orb.Point{12.5, 41.9}, .01, ""},
		{"Rome by Europe's system swapped", 3035, orb.Point{41.9, 12.5}, .01, "swapped"},
		{"Nice by France's system", 2154, orb.Point{7.3, 43.7}, .01, ""},
		{"Miami by all states' system", 5070, orb.Point{-80.2, 25.8}, .01, ""},
		{"Leh swapped", 32643, orb.Point{34.2, 77.6}, .01, "swapped"},
		{"São Paulo", 31983, orb.Point{-46.6, -23.5}, .01, ""},
		{"São Paulo swapped", 31983, orb.Point{-23.5, -46.6}, .01, "swapped"},
		{"the Chathams by New Zealand's system", 2193, orb.Point{-176.5, -44}, .01, ""},
		{"Bern", 2056, orb.Point{7.4, 46.9}, .01, ""},
		{"Bern swapped", 2056, orb.Point{46.9, 7.4}, .01, "swapped"},
		{"Amsterdam swapped", 28992, orb.Point{52.4, 4.9}, .01, "swapped"},
		{"anywhere by a system of the whole world", 6933, orb.Point{38.9, -77}, .01, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			plans := *c.Plans
			plans.SRID = test.srid
			out, err := plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: test.name, Level: level, File: "x", Faces: squares(3, test.at, test.deg)})
			f, _ := fault.As(err)
			switch {
			case test.code == "" && (err != nil || len(out.Rejects) > 0 || out.Faces != 3):
				t.Errorf("%d faces, %v, %v", out.Faces, out.Rejects, err)
			case test.code != "" && (f == nil || f.Code != test.code || out.Faces != 0):
				t.Errorf("%d faces, %v", out.Faces, err)
			}
			if _, err := c.Plans.Plan(t.Context(), test.name); fault.Is(err, fault.KindNotFound) != (test.code != "") {
				t.Errorf("the draft: %v", err)
			}
		})
	}
	// One that strayed is left out by its line.
	strayed := append(squares(3, orb.Point{120.6, 30.5}, .01), jurisdiction.Face{Code: "z", Name: "z", Line: 9, Shape: squares(1, orb.Point{2, 48}, .01)[0].Shape})
	out, err := c.Plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: "strayed", Level: level, File: "x", Faces: strayed})
	if err != nil || out.Faces != 3 || len(out.Rejects) != 1 || out.Rejects[0].Line != 9 || out.Rejects[0].Code != "far_away" || !strings.Contains(out.Rejects[0].Message, "EPSG:4549") {
		t.Errorf("%d faces, %v, %v", out.Faces, out.Rejects, err)
	}
}
