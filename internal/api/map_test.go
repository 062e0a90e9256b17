package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/feed"
)

// settle waits until the cube holds all that is committed.
func (s *site) settle() {
	s.t.Helper()
	head, err := feed.Head(s.t.Context(), s.live.Pool)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if err := s.live.WaitApplied(ctx, head); err != nil {
		s.t.Fatal(err)
	}
}

func tilePath(layer string, lon, lat float64, z maptile.Zoom) string {
	t := maptile.At([2]float64{lon, lat}, z)
	return fmt.Sprintf("/tiles/%s/%d/%d/%d", layer, t.Z, t.X, t.Y)
}

// counted sums the property count over a heat tile's features.
func counted(t *testing.T, body []byte) (n int) {
	t.Helper()
	layers, err := mvt.Unmarshal(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range layers[0].Features {
		n += int(f.Properties["count"].(float64))
	}
	return n
}

func TestTilesFollowTheReports(t *testing.T) {
	s := newSite(t)
	p := apptest.Center(1, 1)
	s.do("GET", tilePath("heat", p[0], p[1], 10), nil).want(http.StatusNoContent)
	for range 3 {
		s.file(aReport(1, 1))
	}
	s.file(aReport(1, 1, filing{"item": "02", "captured_at": "2026-10-01T00:00:00Z"}))
	s.settle()
	a := s.do("GET", tilePath("heat", p[0], p[1], 10), nil).want(200)
	if n := counted(t, a.body); n != 4 {
		t.Errorf("heat counts %d reports, want 4", n)
	}
	if ct := a.header.Get("Content-Type"); ct != "application/vnd.mapbox-vector-tile" {
		t.Errorf("content type %q", ct)
	}
	for query, want := range map[string]int{"item=01": 3, "item=02": 1, "from=2026-11-01": 3, "to=2026-11-01": 1, "item=01,02&source=web": 4} {
		if n := counted(t, s.do("GET", tilePath("heat", p[0], p[1], 10)+"?"+query, nil).want(200).body); n != want {
			t.Errorf("%s counts %d, want %d", query, n, want)
		}
	}
	s.do("GET", tilePath("heat", p[0], p[1], 10)+"?item=77", nil).want(http.StatusNoContent)

	req, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+"/testcity/v1"+tilePath("heat", p[0], p[1], 10), nil)
	req.Header.Set("If-None-Match", a.header.Get("ETag"))
	req.Header.Set("Accept-Encoding", "gzip") // as the transport set it when the tag was given
	s.send(req).want(http.StatusNotModified)
	s.file(aReport(1, 1))
	s.settle()
	s.send(req.Clone(t.Context())).want(200)

	layers, err := mvt.Unmarshal(s.do("GET", tilePath("reports", p[0], p[1], 14), nil).want(200).body)
	if err != nil || len(layers[0].Features) != 5 {
		t.Fatalf("%v: %d points", err, len(layers[0].Features))
	}
	if f := layers[0].Features[0]; f.Properties["item"] == nil || f.Properties["grid"] != apptest.GridCode(1, 1) || f.ID == nil {
		t.Errorf("a point says %v", f.Properties)
	}
	s.do("GET", tilePath("reports", p[0], p[1], 10), nil).want(http.StatusNoContent) // points begin at zoom 12
}

func TestJurisdictionTilesArePlansOwn(t *testing.T) {
	s := newSite(t)
	var city api.City
	s.do("GET", "/", nil).want(200).into(&city)
	p := apptest.Center(1, 1)
	path := tilePath("jurisdictions", p[0], p[1], 13)
	a := s.do("GET", path+"?plan="+city.Plan.Version, nil).want(200)
	if cc := a.header.Get("Cache-Control"); !strings.Contains(cc, "immutable") {
		t.Errorf("cache control %q", cc)
	}
	if cc := s.do("GET", path, nil).want(200).header.Get("Cache-Control"); strings.Contains(cc, "immutable") {
		t.Errorf("without the plan's version: cache control %q", cc)
	}
	layers, err := mvt.Unmarshal(a.body)
	if err != nil {
		t.Fatal(err)
	}
	grids := map[any]bool{}
	for _, l := range layers {
		for _, f := range l.Features {
			if l.Name == "grid" {
				grids[f.Properties["code"]] = true
			}
		}
	}
	if !grids[apptest.GridCode(1, 1)] {
		t.Errorf("the grid is missing among %v", grids)
	}
}

func TestTileAddresses(t *testing.T) {
	s := newSite(t)
	for path, code := range map[string]int{
		"/tiles/heat/3/8/0": 404, "/tiles/heat/23/0/0": 404, "/tiles/heat/-1/0/0": 404, "/tiles/heat/1/0/x": 404, "/tiles/heat/01/0/0": 404,
		"/tiles/clouds/1/0/0": 404, "/tiles/heat/1/0/0?plan=x": 400, "/tiles/jurisdictions/1/0/0?item=01": 400, "/tiles/heat/1/0/0?kind=wish": 400, "/tiles/clouds": 404,
	} {
		s.do("GET", path, nil).want(code)
	}
	for _, layer := range []string{"jurisdictions", "reports", "heat"} {
		var doc struct {
			TileJSON     string `json:"tilejson"`
			Tiles        []string
			VectorLayers []struct{ ID string } `json:"vector_layers"`
		}
		s.do("GET", "/tiles/"+layer, nil).want(200).into(&doc)
		if doc.TileJSON != "3.0.0" || len(doc.Tiles) != 1 || len(doc.VectorLayers) == 0 {
			t.Errorf("%s: %+v", layer, doc)
		}
	}
}

// stream reads events until ctx ends.
func (s *site) stream(ctx context.Context, lastID string) <-chan [3]string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/testcity/v1/events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	req.AddCookie(&http.Cookie{Name: "gridgov", Value: s.token})
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	events := make(chan [3]string, 100)
	go func() {
		defer close(events)
		defer func() { _ = resp.Body.Close() }()
		var e [3]string
		for sc := bufio.NewScanner(resp.Body); sc.Scan(); {
			name, value, _ := strings.Cut(sc.Text(), ": ")
			switch {
			case name == "id":
				e[0] = value
			case name == "event":
				e[1] = value
			case name == "data":
				e[2] = value
			case sc.Text() == "" && e[1] != "":
				events <- e
				e = [3]string{}
			}
		}
	}()
	return events
}

func TestEventsTellWhatTheTilesShow(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events := s.stream(ctx, "")
	r := s.file(aReport(2, 2, filing{"title": "机密标题", "reporter": filing{"name": "李某"}}))
	e := <-events
	var d feed.Filed
	if err := json.Unmarshal([]byte(e[2]), &d); err != nil || e[1] != feed.ReportFiled || int(d.Num) != r.Num || d.Grid != apptest.GridCode(2, 2) {
		t.Fatalf("event %v: %v", e, err)
	}
	if strings.Contains(e[2], "机密") || strings.Contains(e[2], "李某") || strings.Contains(e[2], "lon") {
		t.Errorf("the event tells too much: %s", e[2])
	}
	p := apptest.Center(2, 2)
	if n := counted(t, s.do("GET", tilePath("heat", p[0], p[1], 10), nil).want(200).body); n != 1 {
		t.Errorf("after the event the tile counts %d", n)
	}
	s.file(aReport(2, 2))
	<-events
	again := <-s.stream(ctx, e[0])
	if again[0] == e[0] || again[1] != feed.ReportFiled {
		t.Errorf("read on from %s came %v", e[0], again)
	}
	if reset := <-s.stream(ctx, "7-1"); reset[1] != "reset" {
		t.Errorf("an id of another epoch is answered by %v", reset)
	}
	s.do("GET", "/events?last_event_id=nonsense", nil).problem(400, "bad_event_id", "Last-Event-ID")
}

func TestDeskSetsAPosition(t *testing.T) {
	s := newSite(t)
	r := s.file(aReport(0, 0, filing{"lon": 121.5, "lat": 30.5}))
	if r.Placement.Method != "unplaced" || r.Placement.Nearest == nil || *r.Placement.DistanceM < 10_000 {
		t.Fatalf("far away it is %+v", r.Placement)
	}
	var page api.ReportPage
	s.do("GET", "/reports?method=unplaced", nil).want(200).into(&page)
	if len(page.Reports) != 1 {
		t.Fatalf("%d unplaced", len(page.Reports))
	}
	p := apptest.Center(3, 0)
	var now api.Report
	s.do("PUT", fmt.Sprintf("/reports/%d/position", r.Num), filing{"lon": p[0], "lat": p[1], "reason": "电话核实"}).want(200).into(&now)
	if now.Placement.Method != "manual" || now.Placement.Grid.Code != apptest.GridCode(3, 0) || *now.Lon != p[0] {
		t.Errorf("set by hand it is %+v", now.Placement)
	}
	var kept int
	if err := s.live.Pool.QueryRow(t.Context(), `SELECT count(*) FROM position_set s JOIN placement_past p USING (report_num)
		WHERE s.reason = '电话核实' AND s.lon_before = 121.5 AND p.method = 'unplaced'`).Scan(&kept); err != nil || kept != 1 {
		t.Errorf("on record: %d, %v", kept, err)
	}
	s.settle()
	if n := counted(t, s.do("GET", tilePath("heat", p[0], p[1], 14), nil).want(200).body); n != 1 {
		t.Errorf("the tile counts %d", n)
	}
	s.do("PUT", "/reports/1/position", filing{"lon": 30.5, "lat": 120.6}).problem(400, "swapped", "lon")
	s.do("PUT", "/reports/1/position", filing{"lon": 120.6}).problem(400, "required", "lon")
	s.do("PUT", "/reports/77/position", filing{"lon": p[0], "lat": p[1]}).problem(404, "not_found", "")
}

func TestReportByAddressIsLookedUp(t *testing.T) {
	s := newSite(t)
	r := s.file(aReport(0, 0, filing{"lon": nil, "lat": nil, "address": "许村镇村10东侧"}))
	if r.Placement.Method != "geocoded" || r.Placement.Village.Code != apptest.VillageCode(1, 0) || r.Placement.Score == nil {
		t.Errorf("placement %+v", r.Placement)
	}
	r = s.file(aReport(0, 0, filing{"lon": nil, "lat": nil, "address": "某处"}))
	if r.Placement.Method != "unplaced" || r.Placement.Rule != "no_position" || r.Beidou != nil {
		t.Errorf("placement %+v", r.Placement)
	}
	s.settle()
	var city api.City
	s.do("GET", "/", nil).want(200).into(&city)
	if *city.Reports != 2 || *city.Unplaced != 1 {
		t.Errorf("%d reports, %d unplaced", *city.Reports, *city.Unplaced)
	}
}

func TestCountsLeaveTheirOwnFilterOut(t *testing.T) {
	s := newSite(t)
	for i := range 6 {
		f := aReport(i%4, 0, filing{"item": []string{"01", "02"}[i%2], "captured_at": fmt.Sprintf("2026-11-0%dT16:30:00Z", 1+i)}) // past midnight in Shanghai
		if i < 2 {
			f["kind"] = "conflict"
		}
		s.file(f)
	}
	s.settle()
	var c api.Counts
	s.do("GET", "/counts?item=01&from=2026-11-03", nil).want(200).into(&c)
	if c.All != 6 || c.Total != 2 {
		t.Errorf("all %d, total %d", c.All, c.Total)
	}
	if c.ByItem["01"] != 2 || c.ByItem["02"] != 3 {
		t.Errorf("by item %v", c.ByItem)
	}
	if c.ByKind["conflict"] != 0 || c.ByKind["none"] != 2 || c.BySource["web"] != 2 {
		t.Errorf("by kind %v, by source %v", c.ByKind, c.BySource)
	}
	sum := 0
	for _, n := range c.Histogram.Counts {
		sum += n
	}
	if sum != 3 || len(c.Histogram.Starts) != 6 || time.Unix(int64(c.Histogram.Starts[0]), 0).UTC().Format(time.RFC3339) != "2026-11-01T16:00:00Z" {
		t.Errorf("histogram %+v", c.Histogram)
	}
	s.do("GET", "/counts?bucket=year", nil).problem(400, "unknown_value", "bucket")
	s.do("GET", "/counts?bucket=hour&span_from=2020-01-01&span_to=2026-01-01", nil).problem(400, "too_many", "bucket")
}

func TestJurisdictionSearchAndLocate(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.file(aReport(1, 1))
	}
	s.file(aReport(2, 1))
	s.settle()
	var j api.Jurisdiction
	s.do("GET", "/jurisdictions/grid/"+apptest.GridCode(1, 1), nil).want(200).into(&j)
	if *j.Reports != 3 || len(j.Neighbours) != 4 || len(j.Parents) != 3 || j.Parents[0].Code != apptest.VillageCode(0, 0) || j.Households == nil || *j.Households != 400 {
		t.Errorf("grid %+v", j)
	}
	if j.AreaM2 < 1_060_000 || j.AreaM2 > 1_070_000 { // 0.01° × 0.01° at 30.5° N
		t.Errorf("area %f m²", j.AreaM2)
	}
	s.do("GET", "/jurisdictions/village/"+apptest.VillageCode(1, 0)+"?item=01", nil).want(200).into(&j)
	if *j.Reports != 1 {
		t.Errorf("village counts %d", *j.Reports)
	}
	s.do("GET", "/jurisdictions/grid/nope", nil).problem(404, "not_found", "")

	var found struct{ Results []api.Found }
	s.do("GET", "/search?q="+apptest.GridCode(1, 1), nil).want(200).into(&found)
	if len(found.Results) == 0 || *found.Results[0].Code != apptest.GridCode(1, 1) || found.Results[0].Type != "jurisdiction" {
		t.Errorf("found %+v", found)
	}
	s.do("GET", "/search?q=Xucun", nil).want(200).into(&found)
	if len(found.Results) == 0 || found.Results[0].Name != "许村镇" {
		t.Errorf("found %+v", found)
	}
	s.do("GET", "/search?q=%20", nil).problem(400, "required", "q")

	var l api.Located
	s.do("GET", fmt.Sprintf("/locate?lon=%v&lat=%v&accuracy_m=80", apptest.West+1.9995*apptest.Step, apptest.South+.5*apptest.Step), nil).want(200).into(&l)
	if l.Placement.Grid.Code != apptest.GridCode(1, 0) || !l.Placement.Ambiguous || l.Placement.Candidates[0].Code != apptest.GridCode(2, 0) || *l.Placement.BorderM > 10 {
		t.Errorf("near the border: %+v", l.Placement)
	}
	s.do("GET", "/locate?lon=x&lat=30", nil).problem(400, "not_a_number", "lon")
	gcj := s.do("GET", "/locate?lon=120.6245&lat=30.5125&crs=gcj02", nil).want(200)
	gcj.into(&l)
	if d := 120.6245 - l.Lon; d < .003 || d > .007 {
		t.Errorf("GCJ-02 moved by %f°", d)
	}
}

func TestStrangersAreSentAway(t *testing.T) {
	s := newSite(t)
	for name, change := range map[string]func(*http.Request){
		"foreign host": func(r *http.Request) { r.Host = "evil.example" },
		"cross origin": func(r *http.Request) {
			r.Method = "POST"
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+"/testcity/v1/reports", nil)
		change(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
	}
	for path, want := range map[string]int{"/nowhere/v1/reports": 404, "/testcity/v1/nothing": 404, "/assets/../../etc/passwd": 404, "/cities": 200, "/": 200, "/testcity": 200} {
		resp, err := http.Get(s.url + path) //nolint:noctx // a test's
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
	resp, err := http.Post(s.url+"/testcity/v1/plans", "application/json", nil) //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST where GET is: status %d", resp.StatusCode)
	}
	a := s.do("GET", "/docs", nil).want(200)
	if !strings.Contains(string(a.body), "Which grid a point lies in") {
		t.Error("the reference lacks an operation")
	}
}
