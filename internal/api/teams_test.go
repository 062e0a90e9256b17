package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/team"
)

// barracks is a city with two towns' worth of teams: one whose people ask, and one beside it.
type barracks struct {
	*site
	unit, other                    policy.UnitID
	head, leader, officer, another *hand // of the unit
	stranger                       *hand // head of the other unit
	desk, worker, admin, centre    *hand
}

// hand is somebody who asks.
type hand struct {
	*site
	id uuid.UUID
}

func (s *site) hand(t *testing.T, role policy.Role, unit policy.UnitID, area policy.Area) *hand {
	p := apptest.Post(role, area)
	p.Unit = unit
	token, id := apptest.SignIn(t, s.live.City, p)
	return &hand{s.as(token), id}
}

func newBarracks(t *testing.T) *barracks {
	s := newSite(t)
	b := &barracks{site: s}
	b.unit, b.other = apptest.Unit(t, s.live.City, policy.TownTeam, apptest.TownArea), apptest.Unit(t, s.live.City, policy.LineDepartment, apptest.CityArea)
	centre := apptest.Unit(t, s.live.City, policy.CommandCenter, apptest.CityArea)
	b.head, b.leader = s.hand(t, policy.UnitHead, b.unit, apptest.TownArea), s.hand(t, policy.DutyLeader, b.unit, apptest.TownArea)
	b.officer, b.another = s.hand(t, policy.Officer, b.unit, apptest.TownArea), s.hand(t, policy.Officer, b.unit, apptest.TownArea)
	b.stranger = s.hand(t, policy.UnitHead, b.other, policy.Area{})
	b.desk, b.centre = s.hand(t, policy.Desk, centre, apptest.CityArea), s.hand(t, policy.CentreHead, centre, apptest.CityArea)
	b.worker, b.admin = s.hand(t, policy.GridWorker, 0, apptest.GridArea(1, 1)), s.hand(t, policy.Administrator, 0, apptest.CityArea)
	apptest.Rules(t, s.live.City, assign.Rule{Lead: assign.Party{Unit: b.unit}})
	return b
}

func (b *barracks) path(format string, args ...any) string {
	return fmt.Sprintf("/teams/%d", b.unit) + fmt.Sprintf(format, args...)
}

// at is a moment so many hours from now.
func at(hours float64) string {
	return apptest.Now.Add(time.Duration(hours * float64(time.Hour))).Format(time.RFC3339)
}

func aShift(who uuid.UUID, from, to float64, kind string) obj {
	return obj{"person": who, "from": at(from), "to": at(to), "kind": kind}
}

// plan plans shifts and loads what hangs on them.
func (b *barracks) plan(shifts ...obj) []api.Shift {
	b.t.Helper()
	var out api.ShiftList
	b.head.do("POST", b.path("/shifts"), obj{"shifts": shifts}).want(http.StatusCreated).into(&out)
	b.reload()
	return out.Shifts
}

func (b *barracks) reload() {
	b.t.Helper()
	if err := b.live.LoadDesk(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *barracks) team(as *hand) (out api.Team) {
	b.t.Helper()
	as.do("GET", b.path(""), nil).want(http.StatusOK).into(&out)
	return out
}

// A day of a team: planned, led, swapped, on leave, with a hole that falls to the head; and what a case says of it.
func TestTeamAtWork(t *testing.T) {
	b := newBarracks(t)
	b.reload()
	if got := b.team(b.head); got.OnDuty != -1 || got.Leader == nil || got.Leader.Person.Id != b.head.id || got.Leader.Why.Zh != "没有值班表，由负责人接办" || !got.Plans || !got.Mine || !got.HasForces {
		t.Fatalf("a team without a roster: %+v", got)
	}
	if why := b.matter(fmt.Sprint(b.file(aReport(1, 1)).Num)).Case.Why; !strings.Contains(why.Zh, "人员 4 人，在办 ") {
		t.Errorf("without a roster: %s", why.Zh)
	}
	shifts := b.plan(aShift(b.leader.id, -1, 4, "leader"), aShift(b.officer.id, -1, 4, "duty"), aShift(b.another.id, 4, 8, "standby"))
	got := b.team(b.desk)
	if got.OnDuty != 2 || got.Leader.Person.Id != b.leader.id || got.Leader.By != "shift" || got.Plans || got.Members[0].Person.Id != b.leader.id || !got.Members[0].OnDuty {
		t.Fatalf("on shift: %+v", got)
	}
	if why := b.matter(fmt.Sprint(b.file(aReport(1, 1)).Num)).Case.Why; !strings.Contains(why.Zh, "在岗 2 人，在办 ") || !strings.Contains(why.En, "2 on shift, ") {
		t.Errorf("on shift: %s %s", why.Zh, why.En)
	}
	// Nobody is on two shifts at a time, nor on one while on leave; and leave is not granted over a shift.
	b.head.do("POST", b.path("/shifts"), obj{"shifts": []obj{aShift(b.another.id, 30, 31, "duty"), aShift(b.officer.id, 3, 5, "duty")}}).problem(409, "shift_overlaps", "shifts[1].person")
	b.head.do("POST", b.path("/leaves"), obj{"person": b.officer.id, "from": at(3), "to": at(20), "kind": "sick"}).problem(409, "leave_meets_shifts", "from")
	var leave api.Leave
	b.another.do("POST", b.path("/leaves"), obj{"from": at(30), "to": at(50), "kind": "annual"}).want(http.StatusCreated).into(&leave)
	if leave.Granted {
		t.Error("leave that is asked for is granted")
	}
	b.another.do("PUT", b.path("/leaves/%d", leave.Id), nil).problem(403, "not_allowed", "")
	b.head.do("PUT", b.path("/leaves/%d", leave.Id), nil).want(http.StatusOK).into(&leave)
	b.another.do("DELETE", b.path("/leaves/%d", leave.Id), nil).problem(403, "leave_granted", "")
	b.head.do("POST", b.path("/shifts"), obj{"shifts": []obj{aShift(b.another.id, 40, 60, "duty")}}).problem(409, "on_leave", "shifts[0].person")
	// A stale change is refused.
	b.head.do("PUT", b.path("/shifts/%d", shifts[1].Id), obj{"version": 7, "kind": "leader"}).problem(409, "stale", "")
	// The hole: nobody is on duty, the head answers, and the team, the list of teams and the case say so.
	b.head.do("PUT", b.path("/hours"), obj{"hours": "always"}).want(http.StatusNoContent)
	for _, s := range shifts[:2] {
		b.head.do("DELETE", b.path("/shifts/%d", s.Id), nil).want(http.StatusNoContent)
	}
	b.head.do("POST", b.path("/shifts"), obj{"shifts": []obj{aShift(b.officer.id, -20, -2, "duty")}}).want(http.StatusCreated)
	b.reload()
	got = b.team(b.head)
	if got.OnDuty != 0 || got.Leader.Person.Id != b.head.id || len(got.Findings) == 0 || got.Findings[0].Kind != "hole" || !strings.Contains(got.Findings[0].Words.Zh, "由负责人") {
		t.Errorf("a hole: %+v", got)
	}
	var list api.TeamList
	b.head.do("GET", "/teams", nil).want(http.StatusOK).into(&list)
	if len(list.Teams) != 1 || !list.Teams[0].Hole || !list.Teams[0].Mine {
		t.Errorf("the list: %+v", list)
	}
	why := b.matter(fmt.Sprint(b.file(aReport(1, 1)).Num)).Case.Why
	if !strings.Contains(why.Zh, "在岗 0 人，值班表此刻空缺，由单位负责人接办") || !strings.Contains(why.En, "a hole in the roster: the unit's head takes it") {
		t.Errorf("a case in a hole: %s %s", why.Zh, why.En)
	}
}

// Swaps: asked by whose shift it is, answered by who was asked, once; what was asked of a shift that is changed is overtaken.
func TestSwaps(t *testing.T) {
	b := newBarracks(t)
	shifts := b.plan(aShift(b.officer.id, 10, 20, "duty"), aShift(b.another.id, 30, 40, "duty"))
	ask := obj{"shift": shifts[0].Id, "other": b.another.id, "other_shift": shifts[1].Id}
	b.another.do("POST", b.path("/swaps"), ask).problem(403, "not_yours", "")
	b.officer.do("POST", b.path("/swaps"), obj{"shift": shifts[0].Id, "other": b.stranger.id}).problem(400, "not_in_unit", "other")
	b.officer.do("POST", b.path("/swaps"), obj{"shift": shifts[0].Id, "other": b.leader.id, "other_shift": shifts[1].Id}).problem(400, "not_theirs", "other_shift")
	var swap api.Swap
	b.officer.do("POST", b.path("/swaps"), ask).want(http.StatusCreated).into(&swap)
	b.officer.do("POST", b.path("/swaps"), ask).problem(409, "swap_asked", "")
	answer := b.path("/swaps/%d/answer", swap.Id)
	for _, who := range []*hand{b.officer, b.leader, b.head} { // colleagues who were not asked
		who.do("POST", answer, obj{"accept": true}).problem(403, "not_asked", "")
	}
	b.stranger.do("POST", answer, obj{"accept": true}).problem(404, "not_found", "")
	var mine api.MyDuty
	b.another.do("GET", "/duty", nil).want(http.StatusOK).into(&mine)
	if len(mine.Swaps) != 1 || mine.Swaps[0].Mine != "asked" || len(mine.Shifts) != 1 {
		t.Errorf("who is asked: %+v", mine)
	}
	// Of many answers one counts.
	var done atomic.Int32
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if a := b.another.do("POST", answer, obj{"accept": true}); a.status == http.StatusOK {
				done.Add(1)
			} else if a.status != http.StatusConflict {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 {
		t.Errorf("accepted %d times", done.Load())
	}
	var roster api.Roster
	b.head.do("GET", b.path("/roster?from=2026-11-24&to=2026-11-30"), nil).want(http.StatusOK).into(&roster)
	if len(roster.Shifts) != 2 || roster.Shifts[0].Person.Id != b.another.id || roster.Shifts[1].Person.Id != b.officer.id || roster.Shifts[0].Version != 2 ||
		len(roster.Swaps) != 1 || roster.Swaps[0].State != "accepted" || roster.Swaps[0].AnsweredAt == nil {
		t.Errorf("after the swap: %+v", roster)
	}
	b.officer.do("DELETE", b.path("/swaps/%d", swap.Id), nil).problem(409, "swap_over", "")
	// One that is overtaken.
	b.another.do("POST", b.path("/swaps"), obj{"shift": shifts[0].Id, "other": b.officer.id}).want(http.StatusCreated).into(&swap)
	b.head.do("PUT", b.path("/shifts/%d", shifts[0].Id), obj{"version": 2, "to": at(19)}).want(http.StatusOK)
	b.officer.do("POST", b.path("/swaps/%d/answer", swap.Id), obj{"accept": true}).problem(409, "swap_over", "")
	// One whose shift would overlap another of who takes it.
	b.another.do("POST", b.path("/swaps"), obj{"shift": shifts[0].Id, "other": b.officer.id}).want(http.StatusCreated).into(&swap)
	b.plan(aShift(b.officer.id, 12, 14, "duty"))
	b.officer.do("POST", b.path("/swaps/%d/answer", swap.Id), obj{"accept": true}).problem(409, "shift_overlaps", "person")
	b.officer.do("POST", b.path("/swaps/%d/answer", swap.Id), obj{"accept": false}).want(http.StatusOK)
}

// Positions are kept with consent and on duty alone, and go with either; who else asks is told nothing.
func TestPositions(t *testing.T) {
	b := newBarracks(t)
	here := obj{"lon": 120.61, "lat": 30.51, "accuracy_m": 12, "at": at(0)}
	b.plan(aShift(b.officer.id, -1, 4, "duty"))
	b.officer.do("PUT", "/duty/position", here).problem(409, "no_consent", "")
	for _, who := range []*hand{b.officer, b.another} {
		who.do("PUT", "/duty/consent", obj{"consent": true}).want(http.StatusNoContent)
	}
	b.another.do("PUT", "/duty/position", here).problem(409, "off_duty", "")
	b.officer.do("PUT", "/duty/position", obj{"lon": 200, "lat": 30.51, "accuracy_m": 12, "at": at(0)}).problem(400, "out_of_range", "lon")
	b.officer.do("PUT", "/duty/position", obj{"lon": 120, "lat": 30.51, "accuracy_m": 12, "at": at(-1)}).problem(400, "too_old", "at")
	b.officer.do("PUT", "/duty/position", here).want(http.StatusNoContent)
	seen := func(who *hand) int {
		var out api.PositionList
		who.do("GET", b.path("/positions"), nil).want(http.StatusOK).into(&out)
		return len(out.Positions)
	}
	for _, who := range []*hand{b.head, b.desk, b.centre} {
		if seen(who) != 1 {
			t.Errorf("who may see positions sees %d", seen(who))
		}
	}
	// One that was on its way for longer does not take the place of a newer one.
	before := apptest.Now.Add(-time.Minute).Format(time.RFC3339)
	b.officer.do("PUT", "/duty/position", obj{"lon": 120.55, "lat": 30.5, "accuracy_m": 12, "at": before}).want(http.StatusNoContent)
	if told := string(b.head.do("GET", b.path("/positions"), nil).want(http.StatusOK).body); !strings.Contains(told, "120.61") || strings.Contains(told, "120.55") {
		t.Errorf("an older position came later: %s", told)
	}
	for _, who := range []*hand{b.leader, b.another} {
		who.do("GET", b.path("/positions"), nil).problem(403, "not_allowed", "")
		if strings.Contains(string(who.do("GET", b.path(""), nil).want(http.StatusOK).body), "120.61") {
			t.Error("the team tells a colleague where somebody is")
		}
	}
	b.stranger.do("GET", b.path("/positions"), nil).problem(404, "not_found", "")
	b.officer.do("PUT", "/duty/consent", obj{"consent": false}).want(http.StatusNoContent)
	if seen(b.head) != 0 {
		t.Error("a position outlives the consent")
	}
	// The end of the shift: what sweeps forgets it.
	b.officer.do("PUT", "/duty/consent", obj{"consent": true}).want(http.StatusNoContent)
	b.officer.do("PUT", "/duty/position", here).want(http.StatusNoContent)
	if gone, err := b.live.Teams.SweepPositions(t.Context(), b.live.Roster()); err != nil || gone != 0 {
		t.Errorf("%d were forgotten on duty, %v", gone, err)
	}
	var roster api.Roster
	b.head.do("GET", b.path("/roster"), nil).want(http.StatusOK).into(&roster)
	b.head.do("DELETE", b.path("/shifts/%d", roster.Shifts[0].Id), nil).want(http.StatusNoContent)
	b.plan(aShift(b.leader.id, -1, 4, "duty"))
	if gone, err := b.live.Teams.SweepPositions(t.Context(), b.live.Roster()); err != nil || gone != 1 {
		t.Errorf("%d were forgotten after duty, %v", gone, err)
	}
}

// Who is proposed for a case: free and near first; distances from positions are told to who may see these.
func TestOfficersOfACase(t *testing.T) {
	b := newBarracks(t)
	b.plan(aShift(b.officer.id, -1, 4, "duty"), aShift(b.another.id, -1, 4, "duty"))
	c := apptest.Center(1, 1)
	for who, lon := range map[*hand]float64{b.officer: c[0] + 0.03, b.another: c[0]} {
		who.do("PUT", "/duty/consent", obj{"consent": true}).want(http.StatusNoContent)
		who.do("PUT", "/duty/position", obj{"lon": lon, "lat": c[1], "accuracy_m": 5, "at": at(0)}).want(http.StatusNoContent)
	}
	ref := fmt.Sprint(b.file(aReport(1, 1)).Num)
	var out api.OfficerList
	b.desk.do("GET", "/cases/"+ref+"/officers", nil).want(http.StatusOK).into(&out)
	if len(out.Officers) < 2 || out.Officers[0].Person.Id != b.another.id || !out.Officers[0].Free || *out.Officers[0].DistanceFrom != "position" || out.Leader == nil ||
		out.Officers[1].Person.Id != b.officer.id || *out.Officers[1].DistanceM < 2000 {
		t.Fatalf("%+v", out)
	}
	b.officer.do("GET", "/cases/"+ref+"/officers", nil).want(http.StatusOK).into(&out)
	for _, o := range out.Officers {
		if o.DistanceFrom != nil && *o.DistanceFrom == "position" {
			t.Errorf("a colleague is told where somebody is: %+v", o)
		}
	}
	b.worker.do("GET", "/cases/"+ref+"/officers", nil).problem(403, "not_allowed", "")
	b.stranger.do("GET", "/cases/"+ref+"/officers", nil).problem(404, "not_found", "")
	// Who has claimed a case is not free.
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	b.another.acts(ref, nil, "receive", "claim")
	b.desk.do("GET", "/cases/"+ref+"/officers", nil).want(http.StatusOK).into(&out)
	if out.Officers[0].Person.Id != b.officer.id || out.Officers[1].Load != 1 || out.Officers[1].Free {
		t.Errorf("after a claim: %+v", out.Officers)
	}
}

// The calendar: a secret for each person, made anew, ended, and gone with the person; any other is not found.
func TestDutyCalendar(t *testing.T) {
	b := newBarracks(t)
	b.plan(aShift(b.officer.id, 10, 20, "leader"))
	address := func() string {
		var out api.CalendarAddress
		b.officer.do("POST", "/duty/calendar", nil).want(http.StatusCreated).into(&out)
		return strings.TrimPrefix(out.Path, "/testcity/v1")
	}
	nobody := b.as("")
	first := address()
	got := nobody.do("GET", first, nil).want(http.StatusOK)
	if !strings.HasPrefix(got.header.Get("Content-Type"), "text/calendar") || !strings.Contains(string(got.body), "DTSTART:20261124T180000Z\r\n") || strings.Contains(string(got.body), "王小明") {
		t.Errorf("%v %s", got.header, got.body)
	}
	second := address()
	nobody.do("GET", first, nil).problem(404, "not_found", "")
	nobody.do("GET", second, nil).want(http.StatusOK)
	almost := []byte(second)
	if at := len("/calendars/"); almost[at] == 'A' {
		almost[at] = 'B'
	} else {
		almost[at] = 'A'
	}
	for _, wrong := range []string{"/calendars/x.ics", "/calendars/" + strings.Repeat("A", 43) + ".ics", string(almost)} {
		nobody.do("GET", wrong, nil).problem(404, "not_found", "")
	}
	b.officer.do("DELETE", "/duty/calendar", nil).want(http.StatusNoContent)
	nobody.do("GET", second, nil).problem(404, "not_found", "")
	third := address()
	b.officer.do("PUT", b.path("/members/%s/skills", b.officer.id), obj{"skills": []string{"drone", "会海宁话"}}).want(http.StatusNoContent)
	b.officer.do("PUT", "/duty/consent", obj{"consent": true}).want(http.StatusNoContent)
	if err := b.live.Auth.Erase(t.Context(), b.officer.id); err != nil {
		t.Fatal(err)
	}
	nobody.do("GET", third, nil).problem(404, "not_found", "")
	var left int
	if err := b.live.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM person_skill) + (SELECT count(*) FROM position_consent) + (SELECT count(*) FROM calendar_feed)`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left of who was erased, %v", left, err)
	}
}

// Sentences by hand that the table of rights has to keep.
func TestForbiddenDuty(t *testing.T) {
	b := newBarracks(t)
	shifts := b.plan(aShift(b.officer.id, 10, 20, "duty"))
	shift := obj{"shifts": []obj{aShift(b.another.id, 30, 31, "duty")}}
	for _, c := range []struct {
		sentence     string
		who          *hand
		method, path string
		body         any
		status       int
	}{
		{"a grid worker plans no roster", b.worker, "POST", b.path("/shifts"), shift, 403},
		{"a grid worker sees no team", b.worker, "GET", b.path(""), nil, 403},
		{"an officer does not plan", b.officer, "POST", b.path("/shifts"), shift, 403},
		{"an officer does not take a shift off", b.officer, "DELETE", b.path("/shifts/%d", shifts[0].Id), nil, 403},
		{"the head of another unit sees nothing of this one", b.stranger, "GET", b.path("/roster"), nil, 404},
		{"the head of another unit plans nothing here", b.stranger, "POST", b.path("/shifts"), shift, 404},
		{"the desk sees the roster and does not plan it", b.desk, "POST", b.path("/shifts"), shift, 403},
		{"an officer grants no leave to a colleague", b.officer, "POST", b.path("/leaves"), obj{"person": b.another.id, "from": at(50), "to": at(60), "kind": "sick"}, 403},
		{"an officer does not say what a colleague can do", b.officer, "PUT", b.path("/members/%s/skills", b.another.id), obj{"skills": []string{"law"}}, 403},
		{"the desk asks for no leave in a unit that it does not work in", b.desk, "POST", b.path("/leaves"), obj{"from": at(50), "to": at(60), "kind": "sick"}, 403},
		{"who is signed out reads no roster", &hand{b.as(""), uuid.Nil}, "GET", b.path("/roster"), nil, 401},
		{"who plans sees no positions by that", b.admin, "GET", b.path("/positions"), nil, 403},
	} {
		if got := c.who.do(c.method, c.path, c.body); got.status != c.status {
			t.Errorf("%s: %d %.200s", c.sentence, got.status, got.body)
		}
	}
	if got := b.team(b.admin); !got.Plans || got.Mine {
		t.Errorf("the administrator plans, too: %+v", got)
	}
}

// What the team has: vehicles, skills, certificates; a town's forces with its stationed officer.
func TestWhatATeamHas(t *testing.T) {
	b := newBarracks(t)
	b.reload()
	var car api.Vehicle
	b.head.do("POST", b.path("/vehicles"), obj{"plate": " 浙F·A1234 ", "kind": "van", "seats": 7}).want(http.StatusCreated).into(&car)
	b.head.do("POST", b.path("/vehicles"), obj{"plate": "浙F·A1234", "kind": "car", "seats": 5}).problem(409, "vehicle_exists", "plate")
	b.head.do("POST", b.path("/vehicles"), obj{"plate": "浙F·B", "kind": "car", "seats": 500}).problem(400, "out_of_range", "seats")
	b.head.do("PUT", b.path("/vehicles/%d", car.Id), obj{"version": 1, "in_service": false}).want(http.StatusOK).into(&car)
	if car.InService || car.Plate != "浙F·A1234" || car.Version != 2 {
		t.Errorf("%+v", car)
	}
	b.head.do("PUT", b.path("/members/%s/skills", b.officer.id), obj{"skills": []string{"law", "a\x00b"}}).problem(400, "bad_text", "skills")
	b.head.do("PUT", b.path("/members/%s/skills", b.officer.id), obj{"skills": []string{"law", " law ", "会海宁话"}}).want(http.StatusNoContent)
	b.head.do("PUT", b.path("/members/%s/skills", b.stranger.id), obj{"skills": []string{"law"}}).problem(404, "not_found", "")
	certificate := func(as *hand, of uuid.UUID) (number string) {
		for _, m := range b.team(as).Members {
			if m.Person.Id == of && m.Posts[0].Certificate != nil {
				return *m.Posts[0].Certificate
			}
		}
		return ""
	}
	if certificate(b.head, b.officer.id) != "ZJ-1" || certificate(b.officer, b.officer.id) != "ZJ-1" || certificate(b.another, b.officer.id) != "" {
		t.Error("a certificate's number is told to who plans and to its holder alone")
	}
	post, err := b.live.People.CreatePost(t.Context(), person.Post{Person: b.officer.id, Role: policy.StationedOfficer, Area: apptest.VillageArea(0, 0), Begins: "2026-01-01", Station: "deputy_secretary"})
	if err != nil || post.Station != "deputy_secretary" {
		t.Fatal(post, err)
	}
	if _, err := b.live.People.CreatePost(t.Context(), person.Post{Person: b.officer.id, Role: policy.UnitMember, Unit: b.unit, Begins: "2026-01-01", Station: "deputy_secretary"}); err == nil {
		t.Error("a member of a unit is stationed in no village")
	}
	var forces api.Forces
	b.head.do("GET", b.path("/forces"), nil).want(http.StatusOK).into(&forces)
	stationed := 0
	for _, v := range forces.Villages {
		for _, s := range v.Stationed {
			if stationed++; s.Person.Id != b.officer.id || *s.Station != "deputy_secretary" || s.Unit == nil || s.Unit.Id != int(b.unit) {
				t.Errorf("%+v", s)
			}
		}
	}
	if !forces.Core.Seen || forces.Core.OnDuty != -1 || len(forces.Departments) == 0 || forces.Departments[0].Seen {
		t.Errorf("the head sees the own team, which keeps no roster, and no department's: %+v", forces)
	}
	if stationed != 1 || forces.Core.Members != 4 || forces.GridStaff.GridWorkers != 1 || len(forces.Departments) == 0 {
		t.Errorf("%+v", forces)
	}
	b.stranger.do("GET", fmt.Sprintf("/teams/%d/forces", b.other), nil).problem(404, "not_found", "")
}

// Where clocks are set back somebody may be on duty from eight to eight, which is 25 hours.
func TestDutyWhileClocksAreSetBack(t *testing.T) {
	b := newBarracks(t)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	teams := *b.live.Teams
	teams.Zone = zone
	eight := func(day int) time.Time { return time.Date(2027, 11, day, 8, 0, 0, 0, zone) } // they are on the 7th
	out, err := teams.AddShifts(t.Context(), b.unit, []team.Shift{{Person: b.officer.id, Kind: team.OnDuty, Span: team.Span{From: eight(6), To: eight(7)}}})
	if err != nil || out[0].To.Sub(out[0].From) != 25*time.Hour {
		t.Fatalf("%+v %v", out, err)
	}
	roster, err := teams.Roster(t.Context(), team.Span{From: eight(7).Add(-time.Minute), To: eight(8)}, b.unit)
	if err != nil || len(roster.OnShift(b.unit, eight(7).Add(-time.Second))) != 1 || len(roster.OnShift(b.unit, eight(7))) != 0 {
		t.Errorf("in its last hour: %+v, %v", roster, err)
	}
}

// Whatever is planned, changed, taken off, granted and swapped, one after the other: nobody is ever on two shifts at a time, nor on
// one while on leave.
func TestNobodyIsOnDutyTwice(t *testing.T) {
	b := newBarracks(t)
	ids := []uuid.UUID{b.head.id, b.leader.id, b.officer.id, b.another.id}
	ctx, teams := t.Context(), b.live.Teams
	rapid.Check(t, func(r *rapid.T) {
		span := func() team.Span {
			from := apptest.Now.Add(time.Duration(rapid.IntRange(1, 60).Draw(r, "from")) * time.Hour)
			return team.Span{From: from, To: from.Add(time.Duration(rapid.IntRange(1, 24).Draw(r, "hours")) * time.Hour)}
		}
		who := func() uuid.UUID { return rapid.SampledFrom(ids).Draw(r, "who") }
		var shifts []team.Shift
		var swaps []team.Swap
		r.Repeat(map[string]func(*rapid.T){
			"plan": func(r *rapid.T) {
				if out, err := teams.AddShifts(ctx, b.unit, []team.Shift{{Person: who(), Kind: team.OnDuty, Span: span()}}); err == nil {
					shifts = append(shifts, out...)
				}
			},
			"change": func(r *rapid.T) {
				if len(shifts) > 0 {
					s := rapid.SampledFrom(shifts).Draw(r, "shift")
					in, id := span(), who()
					_, _ = teams.ChangeShift(ctx, b.unit, s.ID, rapid.IntRange(1, 3).Draw(r, "version"), team.ShiftChange{Person: &id, From: &in.From, To: &in.To})
				}
			},
			"leave": func(r *rapid.T) {
				_, _ = teams.AskLeave(ctx, team.Leave{Unit: b.unit, Person: who(), Kind: "annual", Granted: rapid.Bool().Draw(r, "granted"), Span: span()})
			},
			"grant": func(r *rapid.T) {
				list, err := teams.LeavesOf(ctx, b.unit, team.Span{From: apptest.Now, To: apptest.Now.AddDate(0, 1, 0)})
				if err != nil {
					r.Fatal(err)
				}
				if len(list) > 0 {
					_, _ = teams.GrantLeave(ctx, b.unit, rapid.SampledFrom(list).Draw(r, "leave").ID)
				}
			},
			"ask": func(r *rapid.T) {
				if len(shifts) > 0 {
					s, o := rapid.SampledFrom(shifts).Draw(r, "mine"), rapid.SampledFrom(shifts).Draw(r, "theirs")
					given := o.ID
					if rapid.Bool().Draw(r, "for nothing") {
						given = 0
					}
					if s.ID != o.ID {
						if out, err := teams.AskSwap(ctx, b.unit, s.Person, s.ID, o.Person, given); err == nil {
							swaps = append(swaps, out)
						}
					}
				}
			},
			"answer": func(r *rapid.T) {
				if len(swaps) > 0 {
					s := rapid.SampledFrom(swaps).Draw(r, "swap")
					before, err := teams.AnswerSwap(ctx, b.unit, s.Other, s.ID, rapid.Bool().Draw(r, "accept"))
					if _, again := teams.AnswerSwap(ctx, b.unit, s.Other, s.ID, true); err == nil && again == nil {
						r.Fatalf("%+v was answered twice", before)
					}
				}
			},
			"": func(r *rapid.T) {
				var twice, away int
				err := b.live.Pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM shift a JOIN shift b ON a.id < b.id AND a.person_id = b.person_id AND a.from_at < b.to_at AND b.from_at < a.to_at),
					(SELECT count(*) FROM shift s JOIN leave l ON l.person_id = s.person_id AND l.granted AND l.from_at < s.to_at AND s.from_at < l.to_at)`).Scan(&twice, &away)
				if err != nil || twice != 0 || away != 0 {
					r.Fatalf("%d shifts overlap, %d meet leave, %v", twice, away, err)
				}
			},
		})
		if _, err := b.live.Pool.Exec(ctx, `DELETE FROM shift_swap`); err != nil {
			r.Fatal(err)
		}
		for _, sql := range []string{`DELETE FROM shift`, `DELETE FROM leave`} {
			if _, err := b.live.Pool.Exec(ctx, sql); err != nil {
				r.Fatal(err)
			}
		}
	})
}
