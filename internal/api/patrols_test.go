package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
)

// point sets a point in the middle of a grid.
func (s *site) point(x, y int) (p api.PatrolPoint) {
	s.t.Helper()
	c := apptest.Center(x, y)
	s.do("POST", "/patrols/points", obj{"name": fmt.Sprintf("点%d%d", x, y), "note": "看水位", "lon": c[0], "lat": c[1], "rhythm_days": 7}).want(http.StatusCreated).into(&p)
	return p
}

// aVisit is a visit to a point as a phone tells it; nil leaves a field out.
func aVisit(p *api.PatrolPoint, change obj) obj {
	v := obj{"id": uuid.Must(uuid.NewV7()).String(), "point": p.Id, "at": at(0), "lon": p.Lon, "lat": p.Lat, "accuracy_m": 8}
	for k, w := range change {
		if v[k] = w; w == nil {
			delete(v, k)
		}
	}
	return v
}

// beat is a small city with whom patrols are about: a village's secretary and its grids' workers, the secretary of the village east of it,
// the desk of the city.
type beat struct {
	*site
	secretary, worker, other, east, desk, officer *hand
}

func newBeat(t *testing.T) *beat {
	s := newSite(t)
	unit := func(kind policy.UnitKind, area policy.Area) policy.UnitID {
		return apptest.Unit(t, s.live.City, kind, area)
	}
	return &beat{site: s, secretary: s.hand(t, policy.VillageSecretary, 0, apptest.VillageArea(0, 0)), worker: s.hand(t, policy.GridWorker, 0, apptest.GridArea(0, 0)),
		other: s.hand(t, policy.GridWorker, 0, apptest.GridArea(1, 1)), east: s.hand(t, policy.VillageSecretary, 0, apptest.VillageArea(1, 0)),
		desk:    s.hand(t, policy.Desk, unit(policy.CommandCenter, apptest.CityArea), apptest.CityArea),
		officer: s.hand(t, policy.Officer, unit(policy.TownTeam, apptest.TownArea), apptest.TownArea)}
}

// at has points and visits told so many days before now, or after.
func (b *beat) at(days int) {
	b.live.Patrols.Now = func() time.Time { return apptest.Now.AddDate(0, 0, days) }
}

func (s *site) points(query string) (list []api.PatrolPoint) {
	s.t.Helper()
	var out api.PatrolPointList
	got := s.do("GET", "/patrols/points"+query, nil).want(http.StatusOK)
	if got.header.Get("Cache-Control") != "no-store" {
		s.t.Errorf("points may be kept: %q", got.header.Get("Cache-Control"))
	}
	got.into(&out)
	return out.Points
}

// From a point on the map to its visit: who sets it, how it stands, who is told of whom, two who change it, its end.
func TestPatrol(t *testing.T) {
	b := newBeat(t)
	b.at(-10)
	p := b.secretary.point(0, 0)
	b.at(0)
	if p.State != "never" || p.Due != "2026-11-21" || p.OverdueDays != 3 || p.Grid == nil || p.Grid.Code != apptest.GridCode(0, 0) || p.Grid.Name != "网格00" || p.Village.Code != apptest.VillageCode(0, 0) ||
		p.Town.Code != apptest.TownArea.Code || p.Version != 1 || *p.Note != "看水位" || !slices.Equal(p.May, []string{"edit", "visit"}) || p.Generated != nil {
		t.Errorf("%+v", p)
	}
	at := fmt.Sprintf("/patrols/points/%d", p.Id)
	if list := b.worker.points(""); len(list) != 1 || !slices.Equal(list[0].May, []string{"visit"}) || b.other.points("") != nil && len(b.other.points("")) != 0 {
		t.Errorf("the grid's worker sees %+v, that of another %+v", list, b.other.points(""))
	}
	var v, again api.PatrolVisit
	in := aVisit(&p, obj{"note": "栏杆松动", "lat": p.Lat + 0.0003})
	b.worker.do("POST", "/patrols/visits", in).want(http.StatusCreated).into(&v)
	if !v.Counts || len(v.Flags) != 0 || v.DistanceM < 33 || v.DistanceM > 34 || !v.Mine || v.By.Id != b.worker.id || *v.Note != "栏杆松动" {
		t.Errorf("%+v", v)
	}
	b.worker.do("POST", "/patrols/visits", in).want(http.StatusOK).into(&again)
	if again.Id != v.Id || !again.ToldAt.Equal(v.ToldAt) || again.DistanceM != v.DistanceM {
		t.Errorf("%+v, first %+v", again, v)
	}
	in["note"] = "栏杆修好了"
	b.worker.do("POST", "/patrols/visits", in).problem(409, "other_content", "id")
	b.secretary.do("POST", "/patrols/visits", in).problem(409, "id_taken", "id")
	var far api.PatrolVisit
	b.worker.do("POST", "/patrols/visits", aVisit(&p, obj{"lon": p.Lon + 3, "accuracy_m": 0, "at": "2026-10-20T00:00:00Z"})).want(http.StatusCreated).into(&far)
	if far.Counts || fmt.Sprint(far.Flags) != "[too_far not_there exact_zero late]" || far.DistanceM < 280_000 {
		t.Errorf("%+v", far)
	}
	// Who was there is told to who sets points there, and to themselves; where they stood to nobody.
	for who, names := range map[*hand]bool{b.secretary: true, b.desk: true, b.worker: true, b.officer: false} {
		got := who.do("GET", fmt.Sprintf("/patrols/visits?point=%d", p.Id), nil).want(http.StatusOK)
		var list api.PatrolVisitList
		if got.into(&list); len(list.Visits) != 2 || list.Visits[0].Id != v.Id {
			t.Errorf("%+v", list)
		}
		if strings.Contains(string(got.body), b.worker.id.String()) != names || strings.Contains(string(got.body), "栏杆") != names || strings.Contains(string(got.body), `"lon"`) {
			t.Errorf("names are told: %v, %s", names, got.body)
		}
	}
	b.other.do("GET", fmt.Sprintf("/patrols/visits?point=%d", p.Id), nil).problem(404, "not_found", "")
	b.secretary.do("GET", "/patrols/visits", nil).problem(400, "required", "point")
	if list := b.desk.points(""); list[0].State != "ok" || list[0].LastAt == nil || !list[0].LastAt.Equal(apptest.Now) || list[0].Due != "2026-12-01" {
		t.Errorf("%+v", list)
	}
	// The second of two who saw the same is told who was first.
	var q api.PatrolPoint
	b.desk.do("PUT", at, obj{"version": 1, "rhythm_days": 3}).want(http.StatusOK).into(&q)
	if q.Version != 2 || q.Due != "2026-11-27" || q.Name != p.Name {
		t.Errorf("%+v", q)
	}
	got := b.secretary.do("PUT", at, obj{"version": 1, "name": "桥头"})
	if got.problem(409, "point_changed", ""); !strings.Contains(string(got.body), "王小明 changed the point at 16:00 on 24 November") {
		t.Errorf("%s", got.body)
	}
	b.secretary.do("DELETE", at+"?version=1", nil).problem(409, "point_changed", "")
	b.at(-10)
	late := b.secretary.point(1, 0)
	b.at(0)
	b.secretary.do("POST", "/patrols/visits", aVisit(&late, obj{"at": "2026-11-15T16:00:00Z"})).want(http.StatusCreated) // the 16th here
	if list := b.secretary.points("?state=overdue,due"); len(list) != 1 || list[0].Id != late.Id || list[0].OverdueDays != 1 || list[0].State != "overdue" {
		t.Errorf("%+v", list)
	}
	b.secretary.do("DELETE", fmt.Sprintf("/patrols/points/%d?version=1", late.Id), nil).want(http.StatusNoContent)
	if len(b.secretary.points("?state=ok")) != 1 || len(b.desk.points("?village="+apptest.VillageCode(0, 0))) != 1 || len(b.desk.points("?village="+apptest.VillageCode(1, 0))) != 0 ||
		len(b.desk.points("?grid="+apptest.GridCode(0, 0)+","+apptest.GridCode(1, 0))) != 1 || len(b.desk.points("?town=none")) != 0 {
		t.Error("the filters do not hold")
	}
	// Its place stays in the territory: of two villages the east has it in none of the ways.
	east := apptest.Center(2, 0)
	b.secretary.do("PUT", at, obj{"version": 2, "lon": east[0]}).problem(403, "not_allowed", "lon")
	b.secretary.do("PUT", at, obj{"version": 2, "lon": 120.1}).problem(400, "outside", "lon")
	b.secretary.do("POST", "/patrols/points", obj{"name": "x", "lon": east[0], "lat": east[1], "rhythm_days": 7}).problem(403, "not_allowed", "lon")
	b.east.do("PUT", at, obj{"version": 2, "rhythm_days": 30}).problem(404, "not_found", "")
	b.east.do("DELETE", at+"?version=2", nil).problem(404, "not_found", "")
	b.worker.do("PUT", at, obj{"version": 2, "rhythm_days": 30}).problem(403, "not_allowed", "")
	b.officer.do("DELETE", at+"?version=2", nil).problem(403, "not_allowed", "")
	b.secretary.do("DELETE", at, nil).problem(400, "required", "version")
	b.secretary.do("DELETE", at+"?version=2", nil).want(http.StatusNoContent)
	b.secretary.do("DELETE", at+"?version=2", nil).want(http.StatusNoContent)
	if len(b.desk.points("")) != 0 {
		t.Error("a point that was removed is there")
	}
	b.secretary.do("PUT", at, obj{"version": 3, "rhythm_days": 30}).problem(409, "point_changed", "")
	b.worker.do("POST", "/patrols/visits", aVisit(&p, nil)).want(http.StatusCreated).into(&v)
	if v.Counts || fmt.Sprint(v.Flags) != "[not_there]" {
		t.Errorf("%+v", v)
	}
	// It is put back with its visits, those of in between too, by who may change it.
	restore := at + "/restore"
	b.worker.do("POST", restore, obj{"version": 3}).problem(403, "not_allowed", "")
	b.east.do("POST", restore, obj{"version": 3}).problem(404, "not_found", "")
	b.secretary.do("POST", restore, obj{"version": 2}).problem(409, "point_changed", "")
	b.secretary.do("POST", restore, obj{"version": 3}).want(http.StatusOK).into(&q)
	if q.Version != 4 || q.ChangedBy == nil || q.ChangedBy.Id != b.secretary.id || q.LastAt == nil || !q.LastAt.Equal(v.At) || len(b.desk.points("")) != 1 {
		t.Errorf("%+v", q)
	}
	b.secretary.do("POST", restore, obj{"version": 3}).want(http.StatusOK)
	var list api.PatrolVisitList
	b.secretary.do("GET", fmt.Sprintf("/patrols/visits?point=%d&limit=2", p.Id), nil).want(http.StatusOK).into(&list)
	if len(list.Visits) != 2 {
		t.Errorf("%+v", list)
	}
}

// Each role, in its territory and outside, against the table: what it sees, may change and may tell of, and of which grids and areas it is told.
func TestPatrolsAsEachRole(t *testing.T) {
	m := newMatrix(t)
	type placed struct {
		api.PatrolPoint
		policy.Subject
	}
	var points []placed
	for _, at := range [][2]int{{0, 0}, {1, 1}, {2, 0}, {2, 2}, {3, 3}} {
		p := m.point(at[0], at[1])
		points = append(points, placed{p, policy.Subject{Cell: policy.Cell{Town: p.Town.Code, Village: p.Village.Code, Grid: p.Grid.Code}}})
	}
	whole := func(r *policy.Reach, s *policy.Subject) bool { return r.Covers(s) == policy.Whole }
	seen, edited, visited := 0, 0, 0
	for i := range m.askers {
		a := &m.askers[i]
		t.Run(a.name, func(t *testing.T) {
			s := *a.signed
			s.t = t
			view, edit, visit := a.actor.Reach(policy.PatrolView, apptest.Now), a.actor.Reach(policy.PatrolEdit, apptest.Now), a.actor.Reach(policy.PatrolVisit, apptest.Now)
			refused := http.StatusForbidden
			if a.actor.Person == uuid.Nil {
				refused = http.StatusUnauthorized
			}
			for i := range points {
				p := &points[i]
				for _, c := range []struct {
					method, path string
					body         any
					reach        *policy.Reach
					done         int // what is answered where it is allowed
				}{
					{"PUT", fmt.Sprintf("/patrols/points/%d", p.Id), obj{"version": 99}, &edit, http.StatusConflict},
					{"DELETE", fmt.Sprintf("/patrols/points/%d?version=99", p.Id), nil, &edit, http.StatusConflict},
					{"POST", fmt.Sprintf("/patrols/points/%d/restore", p.Id), obj{"version": 2}, &edit, http.StatusOK},
					{"POST", "/patrols/visits", aVisit(&p.PatrolPoint, nil), &visit, http.StatusCreated},
					{"GET", fmt.Sprintf("/patrols/visits?point=%d", p.Id), nil, &view, http.StatusOK},
				} {
					want := c.done
					switch {
					case c.reach.Empty():
						want = refused
					case !whole(&view, &p.Subject):
						want = http.StatusNotFound
					case !whole(c.reach, &p.Subject):
						want = http.StatusForbidden
					}
					if got := s.do(c.method, c.path, c.body); got.status != want {
						t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, got.status, want, got.body)
					}
				}
				at := obj{"name": "x", "lon": p.Lon, "lat": p.Lat, "rhythm_days": 0}
				if got := s.do("POST", "/patrols/points", at); got.status != map[bool]int{true: refused, false: 400}[edit.Empty()] {
					t.Errorf("a point without a rhythm: %d", got.status)
				}
			}
			if view.Empty() {
				s.do("GET", "/patrols/points", nil).want(refused)
				s.do("GET", "/patrols/coverage", nil).want(refused)
				return
			}
			list := s.points("")
			for i := range points {
				p := &points[i]
				k := slices.IndexFunc(list, func(o api.PatrolPoint) bool { return o.Id == p.Id })
				if (k >= 0) != whole(&view, &p.Subject) {
					t.Errorf("point %s is listed: %v", p.Name, k >= 0)
				}
				if k >= 0 {
					seen++
					if e := slices.Contains(list[k].May, "edit"); e != whole(&edit, &p.Subject) || e != (list[k].ChangedBy != nil) {
						t.Errorf("point %s may be edited: %v, by %v", p.Name, e, list[k].ChangedBy)
					} else if e {
						edited++
					}
					if e := slices.Contains(list[k].May, "visit"); e != whole(&visit, &p.Subject) {
						t.Errorf("point %s may be visited: %v", p.Name, e)
					} else if e {
						visited++
					}
				}
			}
			var cover api.PatrolCoverage
			s.do("GET", "/patrols/coverage", nil).want(http.StatusOK).into(&cover)
			told, settable := map[string]bool{}, map[string]bool{}
			for _, g := range cover.Grids {
				told[g.Grid.Code], settable[g.Grid.Code] = true, g.MaySet
				if g.Village == nil || g.Town == nil || *g.Town != apptest.TownArea.Code {
					t.Errorf("%+v", g)
				}
			}
			hidden := map[string]bool{}
			for y := range apptest.Side {
				for x := range apptest.Side {
					c := policy.Subject{Cell: policy.Cell{Town: apptest.TownArea.Code, Village: apptest.VillageCode(x/2, y/2), Grid: apptest.GridCode(x, y)}}
					if told[c.Cell.Grid] != whole(&view, &c) {
						t.Errorf("grid %s is told of: %v", c.Cell.Grid, told[c.Cell.Grid])
					}
					if settable[c.Cell.Grid] != (told[c.Cell.Grid] && whole(&edit, &c)) {
						t.Errorf("points may be set in grid %s: %v", c.Cell.Grid, settable[c.Cell.Grid])
					}
					if !told[c.Cell.Grid] {
						for _, code := range []string{apptest.CityArea.Code, c.Cell.Town, c.Cell.Village} {
							hidden[code] = true
						}
					}
				}
			}
			for _, area := range cover.Areas {
				if hidden[area.Area.Code] {
					t.Errorf("%s is told of, of which a grid is hidden", area.Area.Code)
				}
			}
			if cover.Visited.N != len(told) {
				t.Errorf("%+v of %d grids", cover.Visited, len(told))
			}
		})
	}
	if seen < 30 || edited < 10 || visited < 8 || edited == seen || visited == seen {
		t.Errorf("%d are seen, %d may be edited, %d visited", seen, edited, visited)
	}
}

// What one post lets somebody do it lets them do in its territory alone, whatever another one lets them see elsewhere.
func TestPatrolsByTwoPosts(t *testing.T) {
	b := newBeat(t)
	here, there := b.desk.point(0, 0), b.desk.point(2, 2)
	leads := apptest.Post(policy.TownLeader, apptest.TownArea)
	for _, c := range []struct {
		also          policy.Post
		edits, visits int // what is answered there
	}{
		{apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)), 403, 403},
		{apptest.Post(policy.VillageSecretary, apptest.VillageArea(0, 0)), 403, 403},
		{apptest.Post(policy.VillageSecretary, apptest.VillageArea(1, 1)), 409, 201},
	} {
		token, _ := apptest.SignIn(t, b.live.City, leads, c.also)
		who := b.as(token)
		if len(who.points("")) != 2 {
			t.Error("the town's leader does not see both")
		}
		who.do("POST", "/patrols/visits", aVisit(&there, nil)).want(c.visits)
		who.do("PUT", fmt.Sprintf("/patrols/points/%d", there.Id), obj{"version": 99}).want(c.edits)
		want := 201
		if c.also.Area == apptest.VillageArea(1, 1) {
			want = 403
		}
		who.do("POST", "/patrols/visits", aVisit(&here, nil)).want(want)
	}
}

// What is no point, and no visit, is refused by its field; nothing of it is kept.
func TestHostilePatrols(t *testing.T) {
	b := newBeat(t)
	p := b.secretary.point(0, 0)
	for _, c := range []struct {
		change      obj
		code, field string
	}{
		{obj{"name": ""}, "required", "name"}, {obj{"name": strings.Repeat("长", 101)}, "bad_text", "name"}, {obj{"name": "a\nb"}, "bad_text", "name"}, {obj{"note": "a\x00b"}, "bad_text", "note"},
		{obj{"lon": nil}, "required", "lon"}, {obj{"lat": nil}, "required", "lat"}, {obj{"lon": 999}, "out_of_range", "lon"}, {obj{"lat": -1e300}, "out_of_range", "lat"}, {obj{"lon": "NaN"}, "wrong_type", "lon"},
		{obj{"lon": 123.6}, "outside", "lon"}, {obj{"lon": 0, "lat": 0}, "outside", "lon"}, {obj{"rhythm_days": 0}, "out_of_range", "rhythm_days"}, {obj{"rhythm_days": 367}, "out_of_range", "rhythm_days"},
		{obj{"rhythm_days": -1}, "out_of_range", "rhythm_days"}, {obj{"rhythm_days": 1.5}, "wrong_type", "rhythm_days"}, {obj{"rhythm_days": nil}, "out_of_range", "rhythm_days"},
		{obj{"made_by": b.worker.id}, "unknown_field", "made_by"}, {obj{"generated": true}, "unknown_field", "generated"},
	} {
		in := obj{"name": "点", "lon": p.Lon, "lat": p.Lat, "rhythm_days": 7}
		for k, v := range c.change {
			if in[k] = v; v == nil {
				delete(in, k)
			}
		}
		b.secretary.do("POST", "/patrols/points", in).problem(400, c.code, c.field)
		if _, there := c.change["lon"]; !there && len(c.change) == 1 && in["rhythm_days"] != nil && in["lat"] != nil { // likewise of a change
			b.secretary.do("PUT", fmt.Sprintf("/patrols/points/%d", p.Id), obj{"version": 1, onlyKey(c.change): in[onlyKey(c.change)]}).problem(400, c.code, c.field)
		}
	}
	for _, c := range []struct {
		change      obj
		code, field string
	}{
		{obj{"id": nil}, "bad_uuid", "id"}, {obj{"id": "x"}, "bad_uuid", "id"}, {obj{"id": uuid.Nil.String()}, "bad_uuid", "id"}, {obj{"id": strings.ToUpper(uuid.NewString()) + " "}, "bad_uuid", "id"},
		{obj{"at": nil}, "required", "at"}, {obj{"at": "yesterday"}, "wrong_type", "at"}, {obj{"at": "1960-01-01T00:00:00Z"}, "out_of_range", "at"}, {obj{"at": "2026-11-25T08:00:01Z"}, "in_the_future", "at"},
		{obj{"lon": nil}, "required", "lon"}, {obj{"lat": nil}, "required", "lat"}, {obj{"lon": -180.1}, "out_of_range", "lon"}, {obj{"lat": 1e308}, "out_of_range", "lat"}, {obj{"accuracy_m": nil}, "required", "accuracy_m"},
		{obj{"accuracy_m": -1}, "out_of_range", "accuracy_m"}, {obj{"accuracy_m": 1e6}, "out_of_range", "accuracy_m"}, {obj{"note": strings.Repeat("长", 501)}, "bad_text", "note"}, {obj{"person": b.secretary.id}, "unknown_field", "person"},
		{obj{"told_at": at(0)}, "unknown_field", "told_at"},
	} {
		b.worker.do("POST", "/patrols/visits", aVisit(&p, c.change)).problem(400, c.code, c.field)
	}
	for _, body := range []string{`{"lon":NaN}`, `{"lon":1e999}`, `[]`, `{"id":"a","id":"b"}`, `null`} {
		if got := b.worker.do("POST", "/patrols/visits", body); got.status != 400 {
			t.Errorf("%s: %d", body, got.status)
		}
	}
	b.worker.do("POST", "/patrols/visits", aVisit(&p, obj{"point": p.Id + 1})).problem(404, "not_found", "")
	b.worker.do("POST", "/patrols/visits", aVisit(&p, obj{"point": -5})).problem(404, "not_found", "")
	for path, want := range map[string][2]string{
		"/patrols/points?state=late": {"unknown_value", "state"}, "/patrols/points?limit=5": {"unknown_parameter", "limit"}, "/patrols/visits?point=0": {"out_of_range", "point"},
		"/patrols/visits?point=1&limit=201": {"out_of_range", "limit"}, "/patrols/coverage?from=2026-11-24&to=2026-11-24": {"out_of_range", "to"},
		"/patrols/coverage?from=2025-11-01&to=2026-11-24": {"out_of_range", "to"}, "/patrols/coverage?from=soon": {"bad_time", "from"}, "/patrols/coverage?days=3": {"unknown_parameter", "days"},
		"/patrols/coverage?from=2026-11-25": {"out_of_range", "to"},
	} {
		b.secretary.do("GET", path, nil).problem(400, want[0], want[1])
	}
	for _, path := range []string{"/patrols/points/x", "/patrols/points/99999999999999999999", "/patrols/points/-1", "/patrols/points/0"} {
		b.secretary.do("PUT", path, obj{"version": 1}).problem(404, "not_found", "")
		b.secretary.do("DELETE", path+"?version=1", nil).problem(404, "not_found", "")
	}
	if list := b.desk.points(""); len(list) != 1 || list[0].Version != 1 || list[0].LastAt != nil {
		t.Errorf("%+v", list)
	}
	var n int
	if err := b.live.Pool.QueryRow(t.Context(), `SELECT count(*) FROM patrol_visit`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d visits are kept, %v", n, err)
	}
}

func onlyKey(o obj) string {
	for k := range o {
		return k
	}
	return ""
}

// Over HTTP too, of those who come at once one edits, and a visit is kept once.
func TestPatrolsAtOnce(t *testing.T) {
	b := newBeat(t)
	p := b.secretary.point(0, 0)
	v := aVisit(&p, nil)
	edits, visits := make([]int, 6), make([]int, 6)
	var wg sync.WaitGroup
	for i := range edits {
		who := []*hand{b.secretary, b.desk}[i%2]
		wg.Go(func() {
			edits[i] = who.do("PUT", fmt.Sprintf("/patrols/points/%d", p.Id), obj{"version": 1, "rhythm_days": 10 + i}).status
		})
		wg.Go(func() { visits[i] = b.worker.do("POST", "/patrols/visits", v).status })
	}
	wg.Wait()
	slices.Sort(edits)
	slices.Sort(visits)
	if !slices.Equal(edits, []int{200, 409, 409, 409, 409, 409}) || !slices.Equal(visits, []int{200, 200, 200, 200, 200, 201}) {
		t.Errorf("edits %v, visits %v", edits, visits)
	}
}

// Which grids were visited, and which gaps are of which kind, as an independent statement over the boundaries says; the shares, by area.
func TestPatrolCoverage(t *testing.T) {
	b, now := newBeat(t), apptest.Now
	visit := func(p api.PatrolPoint, who *hand, change obj) {
		t.Helper()
		who.do("POST", "/patrols/visits", aVisit(&p, change)).want(http.StatusCreated)
	}
	b.at(-10)
	first, second, far, gone := b.secretary.point(0, 0), b.secretary.point(1, 0), b.secretary.point(1, 1), b.secretary.point(0, 1)
	b.desk.point(2, 0)
	b.at(0)
	visit(first, b.worker, obj{"at": now.Format(time.RFC3339)})
	visit(first, b.worker, obj{"at": now.AddDate(0, 0, -1).Format(time.RFC3339)})
	visit(second, b.secretary, obj{"at": now.AddDate(0, 0, -9).Format(time.RFC3339)})
	visit(far, b.secretary, obj{"at": now.Format(time.RFC3339), "lat": far.Lat + 0.001})
	visit(gone, b.secretary, obj{"at": now.AddDate(0, 0, -2).Format(time.RFC3339)})
	b.secretary.do("DELETE", fmt.Sprintf("/patrols/points/%d?version=1", gone.Id), nil).want(http.StatusNoContent)
	visit(gone, b.secretary, obj{"at": now.Format(time.RFC3339)})
	for _, c := range []struct {
		who              *hand
		query            string
		part, n, noPoint int
		areas            string
	}{
		{b.desk, "?to=2026-11-25", 3, 16, 11, "330481 3/16 330481101 3/16 330481101001 3/4 330481101002 0/4 330481101003 0/4 330481101004 0/4"},
		{b.desk, "?from=2026-11-17&to=2026-11-25", 2, 16, 11, "330481 2/16 330481101 2/16 330481101001 2/4 330481101002 0/4 330481101003 0/4 330481101004 0/4"},
		{b.desk, "?from=2026-11-24T08:00:00Z&to=2026-11-25", 1, 16, 12, "330481 1/16 330481101 1/16 330481101001 1/4 330481101002 0/4 330481101003 0/4 330481101004 0/4"},
		{b.desk, "?to=2026-11-14", 0, 16, 16, "330481 0/16 330481101 0/16 330481101001 0/4 330481101002 0/4 330481101003 0/4 330481101004 0/4"},
		{b.desk, "?village=" + apptest.VillageCode(0, 0), 3, 4, 0, "330481101001 3/4"},
		{b.desk, "?grid=" + apptest.GridCode(0, 0) + "," + apptest.GridCode(3, 3), 1, 2, 1, ""},
		{b.desk, "?town=elsewhere", 0, 0, 0, ""},
		{b.secretary, "", 3, 4, 0, "330481101001 3/4"},
		{b.secretary, "?village=" + apptest.VillageCode(1, 0), 0, 0, 0, ""},
		{b.worker, "", 1, 1, 0, ""},
		{b.east, "", 0, 4, 3, "330481101002 0/4"},
	} {
		var out api.PatrolCoverage
		c.who.do("GET", "/patrols/coverage"+c.query, nil).want(http.StatusOK).into(&out)
		var areas []string
		for _, a := range out.Areas {
			areas = append(areas, fmt.Sprintf("%s %d/%d", a.Area.Code, a.Visited.Part, a.Visited.N))
		}
		if out.Visited.Part != c.part || out.Visited.N != c.n || out.NoPoint != c.noPoint || strings.Join(areas, " ") != c.areas || len(out.Grids) != c.n || out.Visited.TooFew != (c.n < 20) {
			t.Errorf("%q: %d/%d visited, %d without a point, areas %v, want %+v", c.query, out.Visited.Part, out.Visited.N, out.NoPoint, areas, c)
		}
		// By PostGIS, which grid holds which point, and by hand what counts.
		rows, err := b.live.Pool.Query(t.Context(), `
			SELECT g.code, count(DISTINCT p.id), count(v.id) FROM boundary g JOIN plan ON plan.id = g.plan_id
				LEFT JOIN patrol_point p ON ST_Covers(g.geom, ST_SetSRID(ST_MakePoint(p.lon, p.lat), ST_SRID(g.geom))) AND tstzrange(p.made_at, p.removed_at) && tstzrange($1, $2)
				LEFT JOIN patrol_visit v ON v.point_id = p.id AND v.distance_m <= 50 AND v.at <@ tstzrange($1, $2) AND v.at <@ tstzrange(p.made_at, p.removed_at)
			WHERE g.role = 'grid' AND plan.state = 'published' GROUP BY g.code`, out.From, out.To)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][2]int{}
		for rows.Next() {
			var code string
			var n [2]int
			if err := rows.Scan(&code, &n[0], &n[1]); err != nil {
				t.Fatal(err)
			}
			want[code] = n
		}
		if len(want) != 16 || rows.Err() != nil {
			t.Fatal(want, rows.Err())
		}
		for _, g := range out.Grids {
			state := "no_point"
			switch n := want[g.Grid.Code]; {
			case n[1] > 0:
				state = "visited"
			case n[0] > 0:
				state = "missed"
			}
			if n := want[g.Grid.Code]; g.Points != n[0] || g.Visits != n[1] || g.State != state || (g.LastAt != nil) != (n[1] > 0) {
				t.Errorf("%q: %+v, the database has %v", c.query, g, n)
			}
		}
	}
	// Under another plan, which moves the inner corners by half a grid, a point lies where it lies in that, and nothing had to be written.
	apptest.Publish(t, b.live.City, "second", apptest.Step*0.6, apptest.Now.AddDate(0, 0, -1))
	list := b.desk.points("")
	if i := slices.IndexFunc(list, func(p api.PatrolPoint) bool { return p.Id == far.Id }); i < 0 || list[i].Grid.Code != apptest.GridCode(0, 1) {
		t.Errorf("%+v", list)
	}
}

// A point that lies in no grid any more, as another plan is in force, is the whole city's: its desk sees it and takes it away.
func TestPatrolPointInNoGrid(t *testing.T) {
	b := newBeat(t)
	p := b.secretary.point(0, 0)
	b.live.Patrols.Cell = func(orb.Point) policy.Cell { return policy.Cell{} }
	if list := b.desk.points(""); len(list) != 1 || list[0].Grid != nil || !slices.Equal(list[0].May, []string{"edit"}) {
		t.Errorf("%+v", list)
	}
	at := fmt.Sprintf("/patrols/points/%d?version=1", p.Id)
	for _, who := range []*hand{b.secretary, b.officer} {
		if len(who.points("")) != 0 {
			t.Error("it is seen by who has a part of the city")
		}
	}
	b.secretary.do("DELETE", at, nil).problem(404, "not_found", "")
	b.worker.do("POST", "/patrols/visits", aVisit(&p, nil)).problem(404, "not_found", "")
	b.desk.do("DELETE", at, nil).want(http.StatusNoContent)
}

// The stream tells of a point and its visits to who sees it, and to nobody else; not who it was.
func TestStreamTellsOfPatrols(t *testing.T) {
	b := newBeat(t)
	here, there := b.worker.stream(t.Context(), ""), b.east.stream(t.Context(), "")
	p := b.secretary.point(0, 0)
	if _, e := heard(t, here, "patrol.changed"); !strings.Contains(e[2], apptest.GridCode(0, 0)) {
		t.Errorf("%v", e)
	}
	b.secretary.do("POST", "/patrols/visits", aVisit(&p, nil)).want(http.StatusCreated)
	if _, e := heard(t, here, "patrol.changed"); strings.Contains(e[2], b.secretary.id.String()) {
		t.Errorf("%v", e)
	}
	east := b.desk.point(2, 0)
	if before, e := heard(t, there, "patrol.changed"); len(before) != 0 || !strings.Contains(e[2], fmt.Sprintf(`"point":%d`, east.Id)) && !strings.Contains(e[2], fmt.Sprintf(`"point": %d`, east.Id)) {
		t.Errorf("%v, before it %v", e, before)
	}
}

// A point and a visit of another city are not known here.
func TestPatrolsOfAnotherCity(t *testing.T) {
	s, second := neighbours(t)
	apptest.Publish(t, second.City, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	there := *s
	there.live, there.router = second, specRouter(t, s.url+"/second/v1")
	there.token, _ = apptest.SignIn(t, second.City, apptest.Everything()...)
	p := there.point(0, 0)
	v := aVisit(&p, nil)
	there.do("POST", "/patrols/visits", v).want(http.StatusCreated)
	for request, body := range map[string]any{fmt.Sprintf("PUT /patrols/points/%d", p.Id): obj{"version": 1, "rhythm_days": 1}, fmt.Sprintf("DELETE /patrols/points/%d?version=1", p.Id): nil,
		fmt.Sprintf("GET /patrols/visits?point=%d", p.Id): nil, "POST /patrols/visits": v} {
		method, path, _ := strings.Cut(request, " ")
		s.do(method, path, body).problem(404, "not_found", "")
	}
	if len(s.points("")) != 0 || len(there.points("")) != 1 {
		t.Error("points are shared by two cities")
	}
	s.as(there.token).do("GET", "/patrols/points", nil).problem(401, "sign_in", "")
}
