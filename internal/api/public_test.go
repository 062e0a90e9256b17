package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb/maptile"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
)

// A city that has opened its map shows boundaries and the public heat to anybody, and nothing else; one that has not shows
// nothing.
func TestPublicMap(t *testing.T) {
	s := newSite(t)
	here := apptest.Center(1, 1)
	old := filing{"captured_at": "2026-10-05T04:00:00Z"}
	for range 3 {
		s.file(aReport(1, 1, old))
	}
	for range 2 {
		s.file(aReport(2, 2, old)) // too few
	}
	for range 3 {
		s.file(aReport(1, 1, filing{"captured_at": "2026-11-22T15:59:59Z"})) // the last second of the day before yesterday
		s.file(aReport(1, 1, filing{"captured_at": "2026-11-22T16:00:00Z"})) // yesterday, by Shanghai's clock
		s.file(aReport(1, 1, old, filing{"lon": apptest.West - 0.2}))        // in no grid
	}
	s.settle()
	visitor := s.as("")
	paths := map[string]int{"/": 200, "/plans": 200, "/jurisdictions/grid/" + apptest.GridCode(0, 0): 200, "/tiles/jurisdictions": 200, "/search?q=330481": 200,
		"/locate?lon=120.605&lat=30.505": 200, tilePath("jurisdictions", here[0], here[1], 12): 200, "/public/heat": 200,
		strings.Replace(tilePath("heat", here[0], here[1], 14), "/tiles/heat", "/public/heat/2026-10", 1): 200}
	for path := range paths {
		visitor.do("GET", path, nil).problem(http.StatusUnauthorized, "sign_in", "")
	}
	if err := s.live.Auth.SetSettings(t.Context(), auth.Settings{PublicMap: true}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	for path, status := range paths {
		a := visitor.do("GET", path, nil).want(status)
		if strings.Contains(string(a.body), `"reports"`) || strings.Contains(string(a.body), `"unplaced"`) {
			t.Errorf("%s tells of reports: %s", path, a.body)
		}
	}
	for _, path := range []string{"/reports", "/reports/1", "/counts", tilePath("heat", here[0], here[1], 12), tilePath("reports", here[0], here[1], 14), "/account", "/events"} {
		visitor.do("GET", path, nil).problem(http.StatusUnauthorized, "sign_in", "")
	}
	var layer api.PublicHeat
	visitor.do("GET", "/public/heat", nil).want(200).into(&layer)
	if !slices.Equal(layer.Months, []string{"2026-10", "2026-11"}) || layer.Until.Format("2006-01-02T15:04Z") != "2026-11-22T16:00Z" {
		t.Errorf("%+v", layer)
	}
	for month, want := range map[string]int{"2026-10": 3, "2026-11": 3} {
		for z := range 15 {
			path := strings.Replace(tilePath("heat", here[0], here[1], maptile.Zoom(z)), "/tiles/heat", "/public/heat/"+month, 1)
			tile := visitor.do("GET", path, nil).want(200)
			if n := counted(t, tile.body); n != want {
				t.Errorf("%s: %d reports, want %d", path, n, want)
			}
			if tile.header.Get("Cache-Control") != "public, max-age=3600" {
				t.Errorf("%s: %q", path, tile.header.Get("Cache-Control"))
			}
		}
	}
	for path, status := range map[string]int{"/public/heat/2026-09/0/0/0": 404, "/public/heat/2026-12/0/0/0": 404, "/public/heat/2026-13/0/0/0": 404,
		"/public/heat/x/0/0/0": 404, "/public/heat/2026-10/15/27300/13400": 404, "/public/heat/2026-10/0/0/0?item=01": 400, "/public/heat/2026-10/0/0/0?from=2026-10-01": 400} {
		visitor.do("GET", path, nil).want(status)
	}
}

// Months without a report after the last are not offered: of a city whose reports are old they would be most of the list.
func TestPublicMonthsEndWithTheReports(t *testing.T) {
	s := newSite(t)
	for _, at := range []string{"2026-08-05T04:00:00Z", "2026-09-30T15:59:59Z"} {
		s.file(aReport(1, 1, filing{"captured_at": at}))
	}
	if err := s.live.Auth.SetSettings(t.Context(), auth.Settings{PublicMap: true}); err != nil {
		t.Fatal(err)
	}
	s.settle()
	var layer api.PublicHeat
	s.as("").do("GET", "/public/heat", nil).want(200).into(&layer)
	if !slices.Equal(layer.Months, []string{"2026-08", "2026-09"}) {
		t.Errorf("%v", layer.Months)
	}
}
