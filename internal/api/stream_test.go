package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
)

// heard reads events of a stream until one of the kind comes, and returns those before it.
func heard(t *testing.T, events <-chan [3]string, kind string) (before [][3]string, found [3]string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before %s; it told %v", kind, before)
			}
			if e[1] == kind {
				return before, e
			}
			before = append(before, e)
		case <-timeout:
			t.Fatalf("no %s in time; the stream told %v", kind, before)
		}
	}
}

// Who sees a grid hears of reports in it, and of others no more than that something has changed.
func TestStreamTellsOfTheTerritory(t *testing.T) {
	s := newSite(t)
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	events := s.as(token).stream(t.Context(), "")
	elsewhere := s.file(aReport(3, 3))
	p := apptest.Center(2, 2)
	s.do("PUT", fmt.Sprintf("/reports/%d/position", elsewhere.Num), map[string]any{"lon": p[0], "lat": p[1]}).want(200)
	here := s.file(aReport(0, 0))
	before, filed := heard(t, events, "report.filed")
	if !strings.Contains(filed[2], here.Id.String()) {
		t.Errorf("the grid's worker hears of %s, not of %s", filed[2], here.Id)
	}
	for _, e := range before {
		if e[1] != "reports.changed" || e[2] != "{}" {
			t.Errorf("the grid's worker hears %v", e)
		}
	}
	if len(before) != 1 {
		t.Errorf("before it came %v", before)
	}
}

// A post that ends takes its territory with it: from tiles, counts and lists at once, and from a stream within 5 s, with
// nobody doing anything. So does one that is taken away on another node, and a session that is ended.
func TestRightsEndWithThePost(t *testing.T) {
	var offset atomic.Int64
	clock := func() time.Time { return apptest.Now.Add(time.Duration(offset.Load())) }
	s := newSiteAt(t, clock)
	s.file(aReport(0, 0))
	s.settle()
	midnight := time.Date(2026, 11, 25, 0, 0, 0, 0, s.live.Zone)
	offset.Store(int64(7 * time.Hour))
	village, grid := apptest.Post(policy.VillageSecretary, apptest.VillageArea(1, 1)), apptest.Post(policy.GridWorker, apptest.GridArea(0, 0))
	grid.Until = midnight
	both, _ := apptest.SignInAt(t, s.live.Pool, clock(), village, grid)
	alone, person := apptest.SignInAt(t, s.live.Pool, clock(), grid)
	tile := tilePath("heat", apptest.Center(0, 0)[0], apptest.Center(0, 0)[1], 10)
	s.as(both).do("GET", tile, nil).want(200)
	s.as(alone).do("GET", tile, nil).want(200)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	streams := map[string]<-chan [3]string{"both": s.as(both).stream(ctx, ""), "alone": s.as(alone).stream(ctx, "")}

	offset.Store(int64(midnight.Add(-time.Millisecond).Sub(apptest.Now)))
	s.as(alone).do("GET", tile, nil).want(200)
	offset.Store(int64(midnight.Sub(apptest.Now)))
	s.as(both).do("GET", tile, nil).want(204)
	s.as(alone).do("GET", tile, nil).problem(403, "not_allowed", "")
	s.as(alone).do("GET", "/reports/1", nil).problem(403, "not_allowed", "")
	s.as(both).do("GET", "/reports/1", nil).problem(404, "not_found", "")
	began := time.Now()
	heard(t, streams["both"], "access")
	for range streams["alone"] { // until it ends
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the streams knew after %v", took)
	}

	sessions, err := s.live.Auth.Sessions(t.Context(), person)
	if err != nil || len(sessions) != 1 {
		t.Fatalf("%v %v", sessions, err)
	}
	if err := s.live.Auth.EndSession(t.Context(), person, sessions[0].ID); err != nil {
		t.Fatal(err)
	}
	s.as(alone).do("GET", "/reports/1", nil).problem(401, "sign_in", "")
}
