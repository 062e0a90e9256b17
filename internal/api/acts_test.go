package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
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
	"gridgov/internal/casework"
	"gridgov/internal/policy"
)

// bureau is a city in which a department leads all cases, with the people who see a matter through.
type bureau struct {
	*site
	led, other policy.UnitID
	desk       *site // of the city
	leader     *site // the department's duty leader
	member     *site
	stranger   *site // the duty leader of another department
	worker     *site // of the grid where it lies
	neighbour  *site // a grid worker next door
	head       *site // of the centre
}

// newBureau makes it. first are rules that come before the one by which the department leads.
func newBureau(t *testing.T, first ...func(*bureau) assign.Rule) *bureau {
	return newBureauAt(t, apptest.Clock, first...)
}

func newBureauAt(t *testing.T, clock func() time.Time, first ...func(*bureau) assign.Rule) *bureau {
	s := newSiteAt(t, clock)
	b := &bureau{site: s}
	staff := func(role policy.Role, unit policy.UnitID) *site {
		p := apptest.Post(role, policy.Area{})
		p.Unit = unit
		token, _ := apptest.SignIn(t, s.live.City, p)
		return s.as(token)
	}
	centre := apptest.Unit(t, s.live.City, policy.CommandCenter, apptest.CityArea)
	b.led, b.other = apptest.Unit(t, s.live.City, policy.LineDepartment, apptest.CityArea), apptest.Unit(t, s.live.City, policy.LineDepartment, apptest.CityArea)
	in := func(role policy.Role, unit policy.UnitID) *site {
		p := apptest.Post(role, apptest.CityArea)
		p.Unit = unit
		token, _ := apptest.SignIn(t, s.live.City, p)
		return s.as(token)
	}
	b.desk, b.head = in(policy.Desk, centre), in(policy.CentreHead, centre)
	b.leader, b.member, b.stranger = staff(policy.DutyLeader, b.led), staff(policy.UnitMember, b.led), staff(policy.DutyLeader, b.other)
	for k, x := range []int{1, 2} {
		token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(x, 1)))
		if k == 0 {
			b.worker = s.as(token)
		} else {
			b.neighbour = s.as(token)
		}
	}
	var rules []assign.Rule
	for _, rule := range first {
		rules = append(rules, rule(b))
	}
	apptest.Rules(t, s.live.City, append(rules, assign.Rule{Lead: assign.Party{Unit: b.led}})...)
	return b
}

// told is a new case, which the rules give to the department.
func (b *bureau) told() string { return fmt.Sprint(b.file(aReport(1, 1)).Num) }

func (s *site) matter(ref string) (out api.CaseDetail) {
	s.t.Helper()
	s.do("GET", "/cases/"+ref, nil).want(http.StatusOK).into(&out)
	return out
}

// act does something with a case as it is now.
func (s *site) act(ref, act string, more ...obj) answer {
	s.t.Helper()
	body := obj{"act": act, "version": s.matter(ref).Case.Version}
	for _, m := range more {
		maps.Copy(body, m)
	}
	return s.do("POST", "/cases/"+ref+"/acts", body)
}

func (s *site) acts(ref string, more obj, acts ...string) {
	s.t.Helper()
	for _, act := range acts {
		s.act(ref, act, more).want(http.StatusOK)
	}
}

func names(list []api.AllowedAct) (out []string) {
	for _, a := range list {
		out = append(out, string(a.Act))
	}
	return out
}

// done is what feeding back carries: a photo of who does it among it.
func (s *site) done() obj {
	return obj{"evidence": []string{s.photo()}, "settled_by": "town_team", "measure": "guided"}
}

// photo is one of who asks.
func (s *site) photo() string {
	s.t.Helper()
	var me api.Session
	s.do("GET", "/session", nil).want(http.StatusOK).into(&me)
	return apptest.Photo(s.t, s.live.City, me.Person.Id).String()
}

// From report to closed by the desk, the department's duty leader, its member and a grid worker: each is offered what is
// theirs, does it, and is told what became of it.
func TestFourPeopleSeeACaseThrough(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	if got := names(b.desk.matter(ref).AllowedActions); !slices.Equal(got, []string{"ask_confirm", "accept", "reject", "merge", "relate", "note"}) {
		t.Errorf("the desk may %v", got)
	}
	if got := names(b.member.matter(ref).AllowedActions); slices.Contains(got, "receive") {
		t.Errorf("a member may %v before it is dispatched", got)
	}
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	if got := names(b.leader.matter(ref).AllowedActions); !slices.Contains(got, "receive") || !slices.Contains(got, "return") || slices.Contains(got, "dispatch") {
		t.Errorf("the leader may %v", got)
	}
	b.leader.acts(ref, nil, "receive")
	b.member.acts(ref, nil, "claim", "begin")
	b.member.act(ref, "feed_back").problem(400, "missing", "evidence")
	b.member.acts(ref, b.member.done(), "feed_back")
	if got := names(b.member.matter(ref).AllowedActions); slices.Contains(got, "verify") {
		t.Errorf("who fed it back may %v", got)
	}
	b.worker.acts(ref, nil, "verify")
	var last api.CaseDetail
	b.desk.act(ref, "close").want(http.StatusOK).into(&last)
	if last.Case.State != "closed" || *last.Case.SettledBy != "town_team" || last.Case.Version != 9 || len(last.Acts) != 9 {
		t.Errorf("%+v", last)
	}
	for i, want := range []string{"accept", "file", "dispatch", "receive", "claim", "begin", "feed_back", "verify", "close"} {
		a := last.Acts[i]
		if a.Act != want || a.N != i+1 || a.By == nil || i > 0 && a.Was != last.Acts[i-1].Is {
			t.Errorf("act %d is %+v", i, a)
		}
	}
	if m := last.Acts[0].By.Me; m == nil || !*m || last.Acts[3].By.Role == nil || *last.Acts[3].By.Role != "duty_leader" || last.Acts[3].By.Unit.Id != int(b.led) {
		t.Errorf("%+v, %+v", last.Acts[0].By, last.Acts[3].By)
	}
	for _, k := range last.Case.Clocks {
		sum := 0
		for _, l := range *k.Ledger {
			sum += l.Seconds
		}
		if sum != k.UsedS {
			t.Errorf("the ledger of %s sums up to %d, not %d", k.Kind, sum, k.UsedS)
		}
	}
	// Names are for who may know people.
	if a := b.member.matter(ref).Acts[0].By; a.Name != nil || a.Role == nil || *a.Role != "desk" {
		t.Errorf("a member is told %+v", a)
	}
	if a := b.as(b.token).matter(ref).Acts[0].By; a.Name == nil {
		t.Errorf("who may see people is told %+v", a)
	}
}

// What people may not do with a case, each beside somebody who may.
func TestForbiddenActs(t *testing.T) {
	b := newBureau(t)
	in := func(role policy.Role, kind policy.UnitKind, area policy.Area) *site {
		p := apptest.Post(role, policy.Area{})
		if p.Unit = apptest.Unit(t, b.live.City, kind, area); kind.HasTerritory() {
			p.Area = area
		}
		token, _ := apptest.SignIn(t, b.live.City, p)
		return b.as(token)
	}
	at := func(role policy.Role, area policy.Area) *site {
		token, _ := apptest.SignIn(t, b.live.City, apptest.Post(role, area))
		return b.as(token)
	}
	auxiliary := func() *site {
		p := apptest.Post(policy.Auxiliary, policy.Area{})
		p.Unit = b.led
		token, _ := apptest.SignIn(t, b.live.City, p)
		return b.as(token)
	}()
	both := func() *site { // of the department, and a grid worker where it lies
		p := apptest.Post(policy.UnitMember, policy.Area{})
		p.Unit = b.led
		token, _ := apptest.SignIn(t, b.live.City, p, apptest.Post(policy.GridWorker, apptest.GridArea(1, 1)))
		return b.as(token)
	}()
	village := at(policy.VillageSecretary, apptest.VillageArea(0, 0))
	steps := map[string]func(ref string){
		"reported":   func(string) {},
		"dispatched": func(ref string) { b.desk.acts(ref, nil, "accept", "file", "dispatch") },
		"disposing": func(ref string) {
			b.desk.acts(ref, nil, "accept", "file", "dispatch")
			b.leader.acts(ref, nil, "receive", "begin")
		},
	}
	fed := func(ref string) { steps["disposing"](ref); both.acts(ref, both.done(), "feed_back") }
	penalty := obj{"evidence": []string{auxiliary.photo()}, "settled_by": "town_team", "measure": "penalised", "officers": []string{uuid.NewString()}}
	why := obj{"reason": "because"}
	for _, c := range []struct {
		sentence string
		before   func(string)
		who      *site
		act      string
		with     obj
		status   int
		code     string
	}{
		{"a grid worker verifies what they disposed of", fed, both, "verify", nil, 409, "other_person"},
		{"a grid worker verifies what another disposed of", fed, b.worker, "verify", nil, 200, ""},
		{"a grid worker of the grid next door verifies", fed, b.neighbour, "verify", nil, 404, "not_found"},
		{"the department verifies", fed, b.member, "verify", nil, 403, "not_allowed"},
		{"a unit's member of another department receives a case", steps["dispatched"], b.stranger, "receive", nil, 404, "not_found"},
		{"a town team's officer receives a case of the town that a department leads", steps["dispatched"], in(policy.Officer, policy.TownTeam, apptest.TownArea), "receive", nil, 403, "not_allowed"},
		{"the department's member receives a case", steps["dispatched"], b.member, "receive", nil, 200, ""},
		{"the desk receives a case for a unit", steps["dispatched"], b.desk, "receive", nil, 403, "not_allowed"},
		{"a member gives a case back", steps["dispatched"], b.member, "return", why, 403, "not_allowed"},
		{"the duty leader gives a case back", steps["dispatched"], b.leader, "return", why, 200, ""},
		{"the duty leader gives a case back without a reason", steps["dispatched"], b.leader, "return", nil, 400, "missing"},
		{"an auxiliary feeds back a penalty", steps["disposing"], auxiliary, "feed_back", penalty, 409, "two_certificated"},
		{"an auxiliary feeds back guidance", steps["disposing"], auxiliary, "feed_back", auxiliary.done(), 200, ""},
		{"the duty leader adds working time to a limit that runs day and night", steps["disposing"], b.leader, "extend", obj{"reason": "rain", "by": "2 wh"}, 400, "unit_mismatch"},
		{"a member gives more time", steps["disposing"], b.member, "extend", obj{"reason": "rain", "by": "2 ch"}, 403, "not_allowed"},
		{"the duty leader gives more time", steps["disposing"], b.leader, "extend", obj{"reason": "rain", "by": "2 ch"}, 200, ""},
		{"the department stops its own clock", steps["disposing"], b.leader, "suspend", why, 403, "not_allowed"},
		{"the head of the centre stops a clock", steps["disposing"], b.head, "suspend", why, 200, ""},
		{"the desk voids a case", steps["reported"], b.desk, "void", why, 403, "not_allowed"},
		{"the head of the centre voids a case", steps["reported"], b.head, "void", why, 200, ""},
		{"a grid worker takes a case on", steps["reported"], b.worker, "accept", nil, 403, "not_allowed"},
		{"a village secretary takes a case on", steps["reported"], village, "accept", nil, 403, "not_allowed"},
		{"a village secretary of another village leaves a note", steps["reported"], at(policy.VillageSecretary, apptest.VillageArea(1, 1)), "note", why, 404, "not_found"},
		{"a village secretary leaves a note", steps["reported"], village, "note", why, 200, ""},
		{"the administrator takes a case on", steps["reported"], at(policy.Administrator, apptest.CityArea), "accept", nil, 403, "not_allowed"},
		{"a planner leaves a note", steps["reported"], at(policy.Planner, apptest.CityArea), "note", why, 403, "not_allowed"},
		{"a town's leader leaves a note", steps["reported"], at(policy.TownLeader, apptest.TownArea), "note", why, 403, "not_allowed"},
		{"a town's leader looks after what hangs", steps["reported"], at(policy.TownLeader, apptest.TownArea), "supervise", why, 200, ""},
		{"a visitor leaves a note", steps["reported"], b.as(""), "note", why, 401, "sign_in"},
	} {
		ref := b.told()
		c.before(ref)
		version := b.as(b.token).matter(ref).Case.Version
		body := obj{"act": c.act, "version": version}
		maps.Copy(body, c.with)
		got := c.who.do("POST", "/cases/"+ref+"/acts", body)
		var p api.Problem
		if got.status != 200 {
			got.into(&p)
		}
		if got.status != c.status || p.Code != c.code {
			t.Errorf("%s: status %d %s, want %d %s: %.300s", c.sentence, got.status, p.Code, c.status, c.code, got.body)
		}
		if after := b.as(b.token).matter(ref).Case.Version; (after == version) != (c.status != 200) {
			t.Errorf("%s: version %d after %d", c.sentence, after, version)
		}
	}
}

// Several acts at once are all done or none.
func TestActsInOneGo(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	key := uuid.NewString()
	go3 := obj{"acts": []string{"accept", "file", "dispatch"}, "version": 0, "key": key}
	var k api.CaseDetail
	b.desk.do("POST", "/cases/"+ref+"/acts", go3).want(200).into(&k)
	if k.Case.State != "dispatched" || k.Case.Version != 3 || len(k.Acts) != 3 {
		t.Errorf("%+v", k)
	}
	b.desk.do("POST", "/cases/"+ref+"/acts", go3).want(200).into(&k)
	if k.Case.Version != 3 {
		t.Errorf("sent twice it was done twice: %+v", k.Case)
	}
	b.desk.do("POST", "/cases/"+ref+"/acts", obj{"acts": []string{"accept", "file"}, "version": 3, "key": uuid.NewString()}).problem(409, "case_state", "")
	other := b.told()
	b.desk.do("POST", "/cases/"+other+"/acts", go3).problem(409, "key_taken", "")
	b.desk.do("POST", "/cases/"+other+"/acts", obj{"acts": []string{"accept", "file", "receive"}, "version": 0}).problem(409, "case_state", "")
	b.desk.do("POST", "/cases/"+other+"/acts", obj{"acts": []string{"accept", "file", "dispatch", "receive"}, "version": 0}).problem(403, "not_allowed", "")
	if k := b.desk.matter(other); k.Case.Version != 0 || k.Case.State != "reported" {
		t.Errorf("half of it was done: %+v", k.Case)
	}
	// To another unit, with the reason on the last act alone.
	b.desk.do("POST", "/cases/"+other+"/acts", obj{"acts": []string{"accept", "file", "dispatch"}, "version": 0, "unit": b.other, "reason": "theirs"}).want(200).into(&k)
	if k.Case.Unit.Id != int(b.other) || k.Acts[0].Reason != nil || k.Acts[2].Reason == nil || *k.Acts[2].Reason != "theirs" {
		t.Errorf("%+v", k)
	}
}

// Of many acts that saw the same case one is done, the others are told what it is now.
func TestActsAtOnce(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	var won, told atomic.Int32
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			got := b.desk.do("POST", "/cases/"+ref+"/acts", obj{"act": []string{"accept", "reject"}[i%2], "reason": "because", "version": 0})
			switch {
			case got.status == 200:
				won.Add(1)
			case got.status == 409 && strings.Contains(string(got.body), "case_changed"):
				told.Add(1)
			default:
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || told.Load() != 5 {
		t.Errorf("%d were done, %d told", won.Load(), told.Load())
	}
}

// Bodies that say nothing, or what is none, are refused by the field's name, and leave the case as it was.
func TestHostileActs(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	path := "/cases/" + ref + "/acts"
	for body, want := range map[string][2]string{
		`{}`:                                                                        {"required", "act"},
		`{"version":0}`:                                                             {"required", "act"},
		`{"act":"accept"}`:                                                          {"required", "version"},
		`{"act":"accept","version":-1}`:                                             {"out_of_range", "version"},
		`{"act":"burn","version":0}`:                                                {"unknown_value", "act"},
		`{"act":"conclude","version":0}`:                                            {"unknown_value", "act"},
		`{"act":"gather_parts","version":0}`:                                        {"unknown_value", "act"},
		`{"acts":[],"version":0}`:                                                   {"required", "acts"},
		`{"acts":["accept"],"act":"accept","version":0}`:                            {"both_given", "acts"},
		`{"act":"accept","version":0,"state":"closed"}`:                             {"unknown_field", "state"},
		`{"act":"accept","act":"void","version":0}`:                                 {"duplicate_key", "act"},
		`{"act":"accept","version":"0"}`:                                            {"wrong_type", "version"},
		`{"act":"accept","version":1e99}`:                                           {"", "version"},
		`{"act":"accept","version":null}`:                                           {"required", "version"},
		`{"act":"accept","version":0,"key":"no"}`:                                   {"", "key"},
		`{"act":"merge","version":0}`:                                               {"missing", "target"},
		`{"act":"merge","version":0,"target":"1-1"}`:                                {"bad_case", "target"},
		`{"act":"merge","version":0,"target":"0x1"}`:                                {"bad_case", "target"},
		`{"act":"reject","version":0}`:                                              {"missing", "reason"},
		`{"act":"reject","version":0,"reason":"  "}`:                                {"missing", "reason"},
		`{"act":"reject","version":0,"reason":"a\u0000b"}`:                          {"bad_text", "reason"},
		`{"act":"accept","version":0,"by":"soon"}`:                                  {"wrong_budget", "by"},
		`{"act":"accept","version":0,"rating":9}`:                                   {"out_of_range", "rating"},
		`{"act":"accept","version":0,"stage":-1}`:                                   {"out_of_range", "stage"},
		`{"act":"accept","version":0,"settled_by":"me"}`:                            {"unknown_value", "settled_by"},
		`{"act":"accept","version":0,"measure":"arrested"}`:                         {"unknown_value", "measure"},
		`{"act":"relate","version":0,"object":"shop 3\nback door"}`:                 {"bad_text", "object"},
		`{"act":"relate","version":0,"object":"shop\u007f"}`:                        {"bad_text", "object"},
		`{"act":"note","version":0,"reason":"x","measure":"penalised"}`:             {"not_here", "measure"},
		`{"act":"settle","version":0,"measure":"inspected"}`:                        {"not_here", "measure"},
		`{"act":"accept","version":0,"unit":0}`:                                     {"unknown_unit", "unit"},
		`{"act":"accept","version":0,"supporting":[-1]}`:                            {"unknown_unit", "supporting"},
		`{"act":"accept","version":0,"parts":[{"unit":-1}]}`:                        {"unknown_unit", "parts[0].unit"},
		`{"act":"reject","version":0,"reason":"` + strings.Repeat("长", 2001) + `"}`: {"bad_text", "reason"},
		`[]`: {"", ""},
		``:   {"", ""},
	} {
		got := b.desk.do("POST", path, body)
		var p api.Problem
		got.into(&p)
		field := ""
		if p.Field != nil {
			field = *p.Field
		}
		if got.status != 400 || want[0] != "" && p.Code != want[0] || field != want[1] {
			t.Errorf("%.80s: %d %s %q, want %v: %s", body, got.status, p.Code, field, want, got.body)
		}
	}
	for _, bad := range []string{"0", "-1", "01", "1-1", "1-", "1-0", "1-99999", "99999999", "4294967296", "1x", "%00", "١"} {
		b.desk.do("POST", "/cases/"+bad+"/acts", obj{"act": "accept", "version": 0}).want(404)
		b.desk.do("GET", "/cases/"+bad, nil).want(404)
	}
	b.desk.do("POST", path, obj{"act": "merge", "version": 0, "target": "99999"}).problem(404, "not_found", "")
	for query, field := range map[string]string{"state=nothing": "state", "unit=x": "unit", "unit=0": "unit", "mine=maybe": "mine", "due_before=soon": "due_before",
		"limit=0": "limit", "limit=201": "limit", "after=x": "after", "after=LTEuMS4w": "", "after=LTIuMS4w": "after", "sort=late": "sort"} {
		got := b.desk.do("GET", "/cases?"+query, nil)
		if field == "" {
			got.want(200)
			continue
		}
		var p api.Problem
		got.want(400).into(&p)
		if p.Field == nil || *p.Field != field {
			t.Errorf("%s: %s", query, got.body)
		}
	}
	if k := b.desk.matter(ref); k.Case.Version != 0 {
		t.Errorf("%+v", k.Case)
	}
}

// Who loses the post loses the case with it: the very next request finds nothing, and does nothing.
func TestALostPostLosesTheCase(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	p := apptest.Post(policy.UnitMember, policy.Area{})
	p.Unit = b.led
	token, who := apptest.SignIn(t, b.live.City, p)
	member := b.as(token)
	seen := member.matter(ref).Case.Version
	posts, err := b.live.People.PostsOf(t.Context(), b.live.Pool, who)
	if err != nil {
		t.Fatal(err)
	}
	b.do("PUT", fmt.Sprintf("/people/%s/posts/%d", who, posts[0].ID), obj{"version": 1, "ends": "2026-11-23"}).want(http.StatusOK)
	got := member.do("POST", "/cases/"+ref+"/acts", obj{"act": "receive", "version": seen})
	got.problem(http.StatusForbidden, "not_allowed", "")
	b.settle()
	member.do("GET", "/cases/"+ref, nil).want(http.StatusForbidden)
	if k := b.as(b.token).matter(ref); k.Case.Version != seen {
		t.Errorf("%+v", k.Case)
	}
}

// The unit that a case goes away from does not see it any more.
func TestATransferredCaseIsGone(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	b.stranger.do("GET", "/cases/"+ref, nil).want(404)
	seen := b.member.matter(ref).Case.Version
	b.desk.acts(ref, obj{"unit": b.other, "reason": "theirs"}, "transfer")
	b.member.do("GET", "/cases/"+ref, nil).want(404)
	b.member.do("POST", "/cases/"+ref+"/acts", obj{"act": "receive", "version": seen}).problem(404, "not_found", "")
	b.stranger.acts(ref, nil, "receive")
}

// A unit that gives a case back is not proposed again, and the desk is told which the rules name now.
func TestAReturnedCaseHasAProposal(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	b.leader.acts(ref, obj{"reason": "not ours"}, "return")
	k := b.desk.matter(ref)
	if k.Case.State != "returned" || k.Proposal == nil || k.Proposal.Unit.Id == int(b.led) || k.Proposal.Why.Zh == "" {
		t.Errorf("%+v", k.Proposal)
	}
	if k := b.leader.matter(ref); k.Proposal != nil {
		t.Errorf("who gave it back is told %+v", k.Proposal)
	}
	b.desk.act(ref, "dispatch").problem(400, "missing", "unit")
}

// case.changed reaches those who see the report, and those whose unit it goes to; nobody else.
func TestCasesChangeInTheFeed(t *testing.T) {
	b := newBureau(t)
	ours, next, far := b.member.stream(t.Context(), ""), b.worker.stream(t.Context(), ""), b.neighbour.stream(t.Context(), "")
	ref := b.told()
	b.desk.acts(ref, nil, "accept")
	for name, events := range map[string]<-chan [3]string{"the unit's member": ours, "the grid's worker": next} {
		if _, e := heard(t, events, "case.changed"); !strings.Contains(e[2], `"state":"accepted"`) && !strings.Contains(e[2], `"state": "accepted"`) {
			t.Errorf("%s hears %v", name, e)
		}
	}
	here := fmt.Sprint(b.file(aReport(2, 1)).Num)
	b.desk.acts(here, nil, "accept")
	if skipped, e := heard(t, far, "case.changed"); !strings.Contains(e[2], here) || strings.Contains(fmt.Sprint(skipped), "case.changed") {
		t.Errorf("the worker next door hears %v after %v", e, skipped)
	}
}

// After any acts over HTTP the row is the fold of its acts, whatever came too late between them.
func TestTheRowIsTheFold(t *testing.T) {
	b := newBureau(t)
	people := []*site{b.desk, b.leader, b.member, b.worker, b.head}
	with := obj{"reason": "because", "verdict": true, "rating": 4, "by": "1 ch", "stage": 0, "settled_by": "town_team", "object": "a shop"}
	rapid.Check(t, func(rt *rapid.T) {
		ref := b.told()
		for range rapid.IntRange(1, 12).Draw(rt, "acts") {
			who := people[rapid.IntRange(0, len(people)-1).Draw(rt, "who")]
			got := who.do("GET", "/cases/"+ref, nil)
			if got.status != 200 {
				continue
			}
			var k api.CaseDetail
			got.into(&k)
			offered := slices.DeleteFunc(names(k.AllowedActions), func(a string) bool {
				return slices.Contains([]string{"merge", "split", "task", "transfer", "void", "reject"}, a)
			})
			if len(offered) == 0 {
				continue
			}
			act := rapid.SampledFrom(offered).Draw(rt, "act")
			body := obj{"act": act, "version": k.Case.Version}
			maps.Copy(body, with)
			if slices.Contains([]string{"self_settle", "settle", "feed_back"}, act) {
				body["evidence"] = []string{who.photo()}
			}
			if act == "dispatch" && k.Proposal != nil {
				body["unit"] = b.led
			}
			if a := who.do("POST", "/cases/"+ref+"/acts", body); a.status != 200 {
				rt.Fatalf("%s was offered and answered %d %s", act, a.status, a.body)
			}
			if rapid.Bool().Draw(rt, "late") {
				comesTooLate(rt, people[rapid.IntRange(0, len(people)-1).Draw(rt, "slower")], ref, k.Case.Version)
			}
		}
		num, _ := casework.ParseRef(ref)
		whole(rt, b.site, num)
	})
}

// comesTooLate sends something that was done on a version up to one that is past, and holds every row of the case to be what it was.
func comesTooLate(t *rapid.T, who *site, ref string, past int) {
	rows := func() (out string) {
		num, _ := casework.ParseRef(ref)
		err := who.live.Pool.QueryRow(t.Context(), `
			SELECT concat((SELECT jsonb_agg(to_jsonb(c) ORDER BY part) FROM cases c WHERE report_num = $1), (SELECT jsonb_agg(to_jsonb(k) ORDER BY part, n) FROM clock k WHERE report_num = $1),
				(SELECT jsonb_agg(to_jsonb(a) ORDER BY part, n) FROM case_act a WHERE report_num = $1))`, num.Report).Scan(&out)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := rows()
	body := who.late(ref, string(rapid.SampledFrom(casework.Lateable).Draw(t, "what")), rapid.IntRange(0, past).Draw(t, "seen"),
		obj{"reason": "because", "verdict": true, "settled_by": "town_team", "evidence": []string{who.photo()}})
	if a := who.ask(ref, body); a.status < 400 {
		t.Fatalf("%v was answered %d %s", body, a.status, a.body)
	}
	if after := rows(); after != before {
		t.Fatalf("the case was\n%s\nis\n%s", before, after)
	}
}

// whole folds the acts of a case anew and holds the row against it, column by column.
func whole(t *rapid.T, s *site, ref casework.Ref) {
	k, err := s.live.Cases.Get(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	history, err := s.live.Cases.History(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	terms, err := s.live.Cases.Terms(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	first := assign.Decision{Unit: k.Unit, Supporting: k.Supporting, Rule: 1, Words: k.Words}
	c, err := casework.Open(casework.Case{Ref: ref, Item: k.Item, CatalogueID: k.CatalogueID, RulesID: k.RulesID}, first, terms, k.OpenedAt)
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	for i := range history {
		h := &history[i]
		d := casework.Doing{Act: h.Act, At: h.At, Person: h.Person, May: func(policy.Action) bool { return true }, Reason: h.Reason, Evidence: len(h.Evidence), Verdict: &yes,
			Rating: h.Rating, SettledBy: h.SettledBy, Measure: h.Measure, Object: "a shop"}
		if h.By != nil {
			d.By = *h.By
		}
		if h.Act == casework.Dispatch {
			d.Decision = assign.Decision{Unit: h.Unit, Rule: k.Rule, Words: k.Words}
		}
		if c, err = casework.Apply(c, terms, d); err != nil {
			t.Fatalf("act %d, %s: %v", h.N, h.Act, err)
		}
	}
	if len(k.ReturnedBy) == 0 {
		k.ReturnedBy = c.ReturnedBy
	}
	if len(k.Supporting) == 0 {
		k.Supporting = c.Supporting
	}
	c.Rule, c.Words = k.Rule, k.Words // whose texts are not part of a history as it is shown
	a, _ := json.Marshal(c)
	kept, _ := json.Marshal(k)
	if string(a) != string(kept) {
		t.Fatalf("the fold is\n%s\nthe row\n%s", a, kept)
	}
}
