package api_test

import (
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
)

// told files n reports in a grid, one an hour back from the city's time.
func (s *site) tell(x, y, n int, more ...filing) {
	s.t.Helper()
	for range n {
		s.file(aReport(x, y, more...))
	}
}

// List, tile, table, outlines and the page of a place say the same of it.
func TestHotspotsSayTheSameEverywhere(t *testing.T) {
	s := newSite(t)
	for x := range 4 {
		for y := range 4 {
			n := 1
			if x < 2 && y < 2 {
				n = 12
			}
			s.tell(x, y, n)
		}
	}
	s.tell(3, 3, 30, filing{"source": "patrol"})
	s.tell(0, 0, 9, filing{"captured_at": "2026-10-03T18:30:00Z", "item": "02"}) // 02:30 in the city
	s.settle()
	var list api.HotspotList
	s.do("GET", "/hotspots?weights=queen&from=2026-10-01&step=month", nil).want(200).into(&list)
	m := list.Map
	if len(list.Places) != 16 || m.Units != 16 || m.Tested != 16 || m.Total != 69 || m.Found != 30 || !m.Weak || m.Hot == 0 || m.Weights != "queen" || m.Nothing != nil || len(m.Steps) != 2 ||
		*m.RateBy != api.ByHouseholds {
		t.Fatalf("%+v", m)
	}
	first := list.Places[0]
	if first.Class == nil || *first.Class != api.HotspotClassHot || first.Q > .1 || first.Few {
		t.Errorf("the first is %+v", first)
	}
	for i, h := range list.Places {
		if i > 0 && h.Q < list.Places[i-1].Q {
			t.Errorf("%s with q %g comes after %g", h.Code, h.Q, list.Places[i-1].Q)
		}
		switch {
		case h.Code == apptest.GridCode(3, 3) && (h.N != 1 || *h.Found != 30 || h.Class != nil && *h.Class == api.HotspotClassHot):
			t.Errorf("patrols make a hotspot: %+v", h)
		case h.Code == apptest.GridCode(0, 0) && (h.N != 21 || h.Rate == nil || *h.Rate <= 0):
			t.Errorf("%+v has no rate", h)
		case h.N < 20 && h.Rate != nil:
			t.Errorf("%s has a rate of %d reports", h.Code, h.N)
		}
	}

	const asked = "?weights=queen&from=2026-10-01&step=month"
	tile := map[string]map[string]any{}
	for x := range 4 {
		for y := range 4 {
			p := apptest.Center(x, y)
			layers, err := mvt.Unmarshal(s.do("GET", tilePath("hotspots", p[0], p[1], 9)+asked, nil).want(200).body)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range layers[0].Features {
				tile[f.Properties["code"].(string)] = f.Properties
			}
		}
	}
	shapes, err := geojson.UnmarshalFeatureCollection(s.do("GET", "/hotspots.geojson"+asked, nil).want(200).body)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(s.do("GET", "/hotspots.csv"+asked, nil).want(200).body), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 17 || len(shapes.Features) != 16 || len(tile) != 16 {
		t.Fatalf("%d rows, %d outlines, %d in tiles; %v", len(rows), len(shapes.Features), len(tile), err)
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	for i, h := range list.Places {
		in, row, shape := tile[h.Code], rows[i+1], shapes.Features[i]
		class := ""
		if h.Class != nil {
			class = string(*h.Class)
		}
		inTile, _ := in["class"].(string)
		if in["n"] != float64(h.N) || math.Abs(in["z"].(float64)-h.Z) > 1e-5*math.Abs(h.Z) || inTile != class || in["around"] != float64(h.Around) {
			t.Errorf("the tile says %v of %+v", in, h)
		}
		if row[0] != h.Code || row[3] != strconv.Itoa(h.N) || math.Abs(number(row[8])-h.Z) > 1e-5*math.Abs(h.Z) || row[11] != class {
			t.Errorf("the table says %v of %+v", row, h)
		}
		if shape.Properties["code"] != h.Code || shape.Properties["q"] != h.Q || !shape.Geometry.(orb.MultiPolygon).Bound().Contains(orb.Point{h.Center[0], h.Center[1]}) {
			t.Errorf("the outlines say %v of %+v", shape.Properties, h)
		}
		var one api.HotspotDetail
		s.do("GET", "/hotspots/"+h.Code+asked, nil).want(200).into(&one)
		sum, found, around := 0, 0, one.Place.N
		for _, step := range one.Series {
			sum, found = sum+step.N, found+*step.Found
		}
		for _, n := range one.Neighbours {
			around += n.N
		}
		byItem := 0
		for _, n := range one.ByItem {
			byItem += n
		}
		if byItem != h.N || h.Code == apptest.GridCode(0, 0) && one.ByItem["02"] != 9 {
			t.Errorf("%s has %v by item, %d in all", h.Code, one.ByItem, h.N)
		}
		if one.Place.Z != h.Z || sum != h.N || found != *h.Found || around != h.Around || len(one.Series) != 2 || one.Map.Total != m.Total {
			t.Errorf("the page says %+v of %+v", one, h)
		}
	}

	for query, want := range map[string]int{"?item=02": 9, "?hour=2": 9, "?hour=3,4": 0, "?source=patrol": 30, "?from=2026-11-01": 60, "?class=hot&limit=1": 69, "?step=week": 69, "?level=village": 69} {
		var l api.HotspotList
		s.do("GET", "/hotspots"+query, nil).want(200).into(&l)
		if l.Map.Total != want {
			t.Errorf("%s counts %d, want %d", query, l.Map.Total, want)
		}
		if query == "?class=hot&limit=1" && (len(l.Places) != 1 || l.Matched != l.Map.Hot) {
			t.Errorf("%s: %d places of %d, %d are hot", query, len(l.Places), l.Matched, l.Map.Hot)
		}
		if nothing := l.Map.Nothing != nil && *l.Map.Nothing == api.NoReports; nothing != (want == 0) {
			t.Errorf("%s: nothing is %v", query, l.Map.Nothing)
		}
	}
	var counts api.Counts
	s.do("GET", "/counts?hour=2", nil).want(200).into(&counts)
	var reports api.ReportPage
	s.do("GET", "/reports?hour=2&limit=500", nil).want(200).into(&reports)
	if counts.Total != 9 || len(reports.Reports) != 9 || counted(t, s.do("GET", "/tiles/heat/0/0/0?hour=2", nil).want(200).body) != 9 {
		t.Errorf("in the small hours %d are counted and %d listed, of 9", counts.Total, len(reports.Reports))
	}
}

// What cannot be asked is told with the field and what to do.
func TestHostileHotspots(t *testing.T) {
	s := newSite(t)
	s.tell(1, 1, 2)
	for query, code := range map[string]string{
		"from=2026-11-02&to=2026-11-02": "empty_window", "from=2026-11-03&to=2026-11-02": "empty_window", "from=2026-12-01": "empty_window", "from=2026-12-01&to=2027-01-01": "in_the_future",
		"weights=band:0": "bad_weights", "weights=band:NaN": "bad_weights", "weights=knn:0": "bad_weights", "weights=stars": "bad_weights", "value=luck": "unknown_value",
		"step=hour": "unknown_value", "level=street": "unknown_level", "level=city": "unknown_level", "hour=24": "unknown_value", "hour=-1": "unknown_value", "hour=x": "unknown_value",
		"from=2000-01-01&step=day": "too_many", "sort=z": "unknown_parameter", "from=yesterday": "bad_time", "value=rate&level=village": "no_base",
	} {
		for _, path := range []string{"/hotspots", "/hotspots.csv", "/hotspots.geojson", "/hotspots/" + apptest.GridCode(1, 1), "/tiles/hotspots/9/427/210"} {
			var p api.Problem
			s.do("GET", path+"?"+query, nil).want(400).into(&p)
			if p.Code != code {
				t.Errorf("%s?%s: %s, want %s", path, query, p.Code, code)
			}
		}
	}
	for query, code := range map[string]string{"bandwidth=0": "out_of_range", "bandwidth=NaN": "out_of_range", "bandwidth=-5": "out_of_range", "bandwidth=1e9": "out_of_range", "kernel=round": "unknown_value"} {
		for _, path := range []string{"/density", "/tiles/heat/9/427/210"} {
			var p api.Problem
			s.do("GET", path+"?"+query, nil).want(400).into(&p)
			if p.Code != code {
				t.Errorf("%s?%s: %s, want %s", path, query, p.Code, code)
			}
		}
	}
	s.do("GET", "/tiles/reports/12/0/0?kernel=gaussian", nil).want(400)
	s.do("GET", "/hotspots?class=warm", nil).want(400)
	s.do("GET", "/hotspots?limit=0", nil).want(400)
	s.do("GET", "/hotspots/none", nil).want(404)
	s.do("GET", "/tiles/hotspots/99/0/0", nil).want(404)
	var l api.HotspotList
	s.do("GET", "/hotspots?weights=band:1", nil).want(200).into(&l) // nobody is so near
	if l.Map.Tested != 0 || *l.Map.Nothing != api.NothingStandsOut || *l.Places[0].Class != api.HotspotClassAlone {
		t.Errorf("without neighbours: %+v", l.Map)
	}
}

// hotspots holds the map of hot spots against what the reach covers: its places lie in the territory, and it counts what is seen there.
func (m *matrix) hotspots(t *testing.T, a *asker, view *policy.Reach) {
	t.Helper()
	if view.Empty() {
		return
	}
	s := *a.signed
	s.t = t
	m.settle()
	var list api.HotspotList
	s.do("GET", "/hotspots?limit=1000&from=2020-01-01&step=month", nil).want(200).into(&list)
	seen := map[string]int{}
	whole := policy.Reach{City: view.City, Areas: view.Areas, Units: view.Units}
	page := m.all(t)
	for i := range page {
		if subject := apptest.Subject(t, m.live.City, &page[i]); page[i].Lon != nil && whole.Covers(&subject) != policy.Hidden {
			seen[page[i].Placement.Grid]++
		}
	}
	for _, p := range list.Places {
		if n := p.N + *p.Found; n != seen[p.Code] {
			t.Errorf("the map counts %d in %s, %d are seen there", n, p.Code, seen[p.Code])
		}
		cell := policy.Subject{Cell: policy.Cell{Town: apptest.TownArea.Code, Village: p.Code[:12], Grid: p.Code}}
		if territory := (policy.Reach{City: view.City, Areas: view.Areas}); len(view.Areas) > 0 && territory.Covers(&cell) != policy.Whole {
			t.Errorf("the map shows %s, which lies outside of the territory", p.Code)
		}
	}
	var d api.Density
	s.do("GET", "/density", nil).want(200).into(&d)
	placed := 0
	for grid, n := range seen {
		if grid != "" {
			placed += n
		}
	}
	if d.Reports > placed+seen[""] || d.Reports < placed && view.City || len(view.Areas) == 0 && len(view.Units) == 0 && !view.City && d.Reports > 0 {
		t.Errorf("the density is of %d reports, %d are seen and placed", d.Reports, placed)
	}
	if len(view.Areas) == 0 && !view.City && len(view.Units) == 0 && len(list.Places) > 0 {
		t.Errorf("%d places are shown to who sees their own reports alone", len(list.Places))
	}
}
