package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"gridgov/internal/policy"
)

var (
	now    = time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)
	me     = uuid.MustParse("01980000-0000-7000-8000-000000000001")
	xucun  = policy.Cell{Town: "330481101", Village: "330481101201", Grid: "330481101201001", Microgrid: "33048110120100101"}
	changa = policy.Cell{Town: "330481103", Village: "330481103200", Grid: "330481103200001", Microgrid: "33048110320000101"}
)

func holds(posts ...policy.Post) *policy.Actor { return &policy.Actor{Person: me, Posts: posts} }

func at(role policy.Role, level policy.Level, code string) policy.Post {
	return policy.Post{ID: 1, Role: role, Area: policy.Area{Level: level, Code: code}, From: now.Add(-time.Hour)}
}

func inUnit(role policy.Role, unit policy.UnitID, area policy.Area) policy.Post {
	return policy.Post{ID: 2, Role: role, Unit: unit, Area: area, From: now.Add(-time.Hour)}
}

// Every action has rules, every rule a reason and roles that exist, and no two lines say the same.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	given := map[policy.Role]bool{}
	for _, r := range policy.Rules {
		if r.Reason == "" || len(r.Roles) == 0 {
			t.Errorf("%s %s has no reason or no roles", r.Action, r.Relation)
		}
		for _, role := range r.Roles {
			pseudo := role == policy.Visitor || role == policy.Public || role == policy.Telling || role == policy.SignedIn
			if !slices.Contains(policy.Roles, role) && !pseudo {
				t.Errorf("%s: there is no role %s", r.Action, role)
			}
			if pseudo && r.Relation != policy.InCity {
				t.Errorf("%s: %s has no post that %s could be about", r.Action, role, r.Relation)
			}
			key := string(r.Action) + " " + string(r.Relation) + " " + string(role)
			if seen[key] {
				t.Errorf("%s stands in the table twice", key)
			}
			seen[key], given[role] = true, true
		}
	}
	for _, role := range policy.Roles {
		if !given[role] {
			t.Errorf("role %s may do nothing", role)
		}
		if sources := policy.Sources[role]; (len(sources) > 0) != allows(role, policy.ReportFile) {
			t.Errorf("role %s files from %v", role, sources)
		}
	}
	if policy.Known("report.burn") {
		t.Error("an action that no line names is known")
	}
}

func allows(role policy.Role, action policy.Action) bool {
	return slices.ContainsFunc(policy.Rules, func(r policy.Rule) bool { return r.Action == action && slices.Contains(r.Roles, role) })
}

// What people of the domain may not do, and beside it what they may: each forbidden sentence has a twin that is allowed,
// so that nothing is forbidden only because everything is.
func TestForbiddenSentences(t *testing.T) {
	grid := at(policy.GridWorker, policy.Grid, changa.Grid)
	village := at(policy.VillageSecretary, policy.Village, changa.Village)
	town := policy.Area{Level: policy.Town, Code: changa.Town}
	city := policy.Area{Level: policy.City, Code: "330481"}
	team := inUnit(policy.Officer, 7, town)
	department := inUnit(policy.UnitMember, 9, policy.Area{})
	desk := inUnit(policy.Desk, 3, city)
	townDesk := inUnit(policy.Desk, 4, town)
	ended := grid
	ended.Until = now
	coming := grid
	coming.From = now.Add(time.Second)
	neighbour := policy.Cell{Town: changa.Town, Village: changa.Village, Grid: "330481103200002", Microgrid: "33048110320000201"}
	here, there := policy.Subject{Cell: changa}, policy.Subject{Cell: xucun}
	doubtful := policy.Subject{Cell: xucun, Candidates: []policy.Cell{changa}}
	led := policy.Subject{Cell: xucun, Units: []policy.UnitID{9}}
	mine := policy.Subject{Cell: xucun, Filer: me}
	for _, c := range []struct {
		sentence string
		who      *policy.Actor
		action   policy.Action
		what     policy.Subject
		want     policy.Sight
	}{
		{"a grid worker of Chang'an reads a report of Xucun", holds(grid), policy.ReportView, there, policy.Hidden},
		{"a grid worker of Chang'an reads a report of his grid", holds(grid), policy.ReportView, here, policy.Whole},
		{"a grid worker reads a report of the grid next door", holds(grid), policy.ReportView, policy.Subject{Cell: neighbour}, policy.Hidden},
		{"a grid worker reads what he told across the border", holds(grid), policy.ReportView, mine, policy.Whole},
		{"a grid worker reads whole what may lie in his grid", holds(grid), policy.ReportView, doubtful, policy.Glimpse},
		{"a grid worker reads what lies nowhere", holds(grid), policy.ReportView, policy.Subject{}, policy.Hidden},
		{"a department's member keeps a view for the department", holds(department), policy.QueueShare, led, policy.Hidden},
		{"a department's head keeps a view for the department", holds(inUnit(policy.UnitHead, 9, policy.Area{})), policy.QueueShare, led, policy.Whole},
		{"a department's head keeps a view for another unit", holds(inUnit(policy.UnitHead, 9, policy.Area{})), policy.QueueShare, policy.Subject{Units: []policy.UnitID{7}}, policy.Hidden},
		{"a town's committee decides about its town", holds(inUnit(policy.Committee, 5, town)), policy.ProposalDecide, here, policy.Whole},
		{"a town's committee decides about another town", holds(inUnit(policy.Committee, 5, town)), policy.ProposalDecide, there, policy.Hidden},
		{"the leader of a town decides about investigations", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.ProposalDecide, here, policy.Hidden},
		{"the leader of a town sees what is proposed there", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.ScreeningView, here, policy.Whole},
		{"the desk decides about investigations", holds(desk), policy.ProposalDecide, here, policy.Hidden},
		{"an officer sees what is proposed", holds(team), policy.ScreeningView, here, policy.Hidden},
		{"an officer sees where the own unit is to go", holds(inUnit(policy.Officer, 9, policy.Area{})), policy.InvestigationView, led, policy.Whole},
		{"an officer sees where another unit is to go", holds(team), policy.InvestigationView, led, policy.Hidden},
		{"a department's officer says what was found", holds(inUnit(policy.Officer, 9, policy.Area{})), policy.InvestigationRecord, led, policy.Whole},
		{"a department's member says what was found", holds(department), policy.InvestigationRecord, led, policy.Hidden},
		{"the administrator orders investigations", holds(at(policy.Administrator, policy.City, "330481")), policy.ProposalDecide, here, policy.Hidden},
		{"a grid worker sets a patrol point in his grid", holds(grid), policy.PatrolEdit, here, policy.Hidden},
		{"a grid worker tells that he was at a point of his grid", holds(grid), policy.PatrolVisit, here, policy.Whole},
		{"a grid worker tells that he was at a point of the grid next door", holds(grid), policy.PatrolVisit, policy.Subject{Cell: neighbour}, policy.Hidden},
		{"a grid worker sees the points of the grid next door", holds(grid), policy.PatrolView, policy.Subject{Cell: neighbour}, policy.Hidden},
		{"a village secretary sets a point in her village", holds(village), policy.PatrolEdit, here, policy.Whole},
		{"a village secretary sets a point in another village", holds(village), policy.PatrolEdit, there, policy.Hidden},
		{"the desk sets a point", holds(desk), policy.PatrolEdit, there, policy.Whole},
		{"a town's desk sets a point in another town", holds(townDesk), policy.PatrolEdit, there, policy.Hidden},
		{"the desk tells that it was at a point", holds(desk), policy.PatrolVisit, here, policy.Hidden},
		{"an officer of the town's team sees the town's points", holds(team), policy.PatrolView, here, policy.Whole},
		{"an officer tells that she was at a point", holds(team), policy.PatrolVisit, here, policy.Hidden},
		{"a department's member sees points", holds(department), policy.PatrolView, here, policy.Hidden},
		{"a volunteer of the grid tells that she was at a point", holds(at(policy.Volunteer, policy.Grid, changa.Grid)), policy.PatrolVisit, here, policy.Whole},
		{"a volunteer without a territory sees points", holds(inUnit(policy.Volunteer, 9, policy.Area{})), policy.PatrolView, here, policy.Hidden},
		{"the leader of a town sees where nobody goes", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.PatrolView, here, policy.Whole},
		{"the leader of a town sets a point", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.PatrolEdit, here, policy.Hidden},
		{"a resident sees points", holds(at(policy.Resident, policy.City, "330481")), policy.PatrolView, here, policy.Hidden},
		{"the desk keeps a view for all", holds(desk), policy.QueueShare, here, policy.Hidden},
		{"a planner keeps a view of the queue", holds(at(policy.Planner, policy.City, "330481")), policy.QueueKeep, here, policy.Hidden},
		{"a grid worker keeps a view of the queue", holds(grid), policy.QueueKeep, here, policy.Whole},
		{"a grid worker moves a report of Xucun", holds(grid), policy.ReportPosition, there, policy.Hidden},
		{"a grid worker moves a report of his grid", holds(grid), policy.ReportPosition, here, policy.Whole},
		{"a grid worker moves what he told across the border", holds(grid), policy.ReportPosition, mine, policy.Hidden},
		{"a grid worker reads who told a report of his grid", holds(grid), policy.ReportUnmask, here, policy.Hidden},
		{"a grid worker whose post has ended reads a report of his grid", holds(ended), policy.ReportView, here, policy.Hidden},
		{"a grid worker whose post begins tomorrow reads a report of the grid", holds(coming), policy.ReportView, here, policy.Hidden},
		{"a grid worker lists people", holds(grid), policy.PersonView, here, policy.Hidden},
		{"a grid worker gives posts", holds(grid), policy.PersonEdit, here, policy.Hidden},
		{"a grid worker reads the audit", holds(grid), policy.AuditView, here, policy.Hidden},
		{"a grid worker reads drafts of plans", holds(grid), policy.PlanView, here, policy.Hidden},
		{"a microgrid leader reads the other microgrids of the grid", holds(at(policy.MicrogridLeader, policy.Microgrid, changa.Microgrid)),
			policy.ReportView, policy.Subject{Cell: policy.Cell{Town: changa.Town, Village: changa.Village, Grid: changa.Grid, Microgrid: "33048110320000102"}}, policy.Hidden},
		{"a microgrid leader reads his microgrid", holds(at(policy.MicrogridLeader, policy.Microgrid, changa.Microgrid)), policy.ReportView, here, policy.Whole},
		{"a village secretary reads another village's report", holds(village), policy.ReportView, there, policy.Hidden},
		{"a village secretary reads her village's report", holds(village), policy.ReportView, here, policy.Whole},
		{"a village secretary moves a report of her village", holds(village), policy.ReportPosition, here, policy.Hidden},
		{"a village secretary reads who told a report", holds(village), policy.ReportUnmask, here, policy.Hidden},
		{"an officer reads another town's report", holds(team), policy.ReportView, there, policy.Hidden},
		{"an officer reads the town's report", holds(team), policy.ReportView, here, policy.Whole},
		{"an officer sets a position", holds(team), policy.ReportPosition, here, policy.Hidden},
		{"a department's member reads what the department has no part in", holds(department), policy.ReportView, here, policy.Hidden},
		{"a department's member reads what it leads in another town", holds(department), policy.ReportView, led, policy.Whole},
		{"a department's member reads what lies nowhere", holds(department), policy.ReportView, policy.Subject{}, policy.Hidden},
		{"a pro bono lawyer reads a report that he is not asked to", holds(inUnit(policy.ProBonoLawyer, 11, policy.Area{})), policy.ReportView, led, policy.Hidden},
		{"a volunteer reads the grid he helps in", holds(at(policy.Volunteer, policy.Grid, changa.Grid)), policy.ReportView, here, policy.Hidden},
		{"a volunteer reads what he told", holds(at(policy.Volunteer, policy.Grid, changa.Grid)), policy.ReportView, mine, policy.Whole},
		{"a town's desk reads another town's report", holds(townDesk), policy.ReportView, there, policy.Hidden},
		{"a town's desk reads what lies nowhere", holds(townDesk), policy.ReportView, policy.Subject{}, policy.Hidden},
		{"the city's desk reads what lies nowhere", holds(desk), policy.ReportView, policy.Subject{}, policy.Whole},
		{"the city's desk finds the place of what lies nowhere", holds(desk), policy.ReportPosition, policy.Subject{}, policy.Whole},
		{"a town's desk finds the place of what lies nowhere", holds(townDesk), policy.ReportPosition, policy.Subject{}, policy.Hidden},
		{"the city's desk reads who told a report", holds(desk), policy.ReportUnmask, there, policy.Whole},
		{"a town's desk reads who told another town's report", holds(townDesk), policy.ReportUnmask, there, policy.Hidden},
		{"the city's desk gives posts", holds(desk), policy.PersonEdit, here, policy.Hidden},
		{"a planner reads who told a report", holds(at(policy.Planner, policy.City, "330481")), policy.ReportUnmask, here, policy.Hidden},
		{"a planner reads what lies nowhere", holds(at(policy.Planner, policy.City, "330481")), policy.ReportView, policy.Subject{}, policy.Hidden},
		{"a planner reads every report that lies somewhere", holds(at(policy.Planner, policy.City, "330481")), policy.ReportView, there, policy.Whole},
		{"a planner files reports", holds(at(policy.Planner, policy.City, "330481")), policy.ReportFile, here, policy.Hidden},
		{"a town's leader reads another town's report", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.ReportView, there, policy.Hidden},
		{"a town's committee reads another town's report", holds(inUnit(policy.Committee, 12, town)), policy.ReportView, there, policy.Hidden},
		{"a town's committee gives posts", holds(inUnit(policy.Committee, 12, town)), policy.PersonEdit, here, policy.Hidden},
		{"the administrator reads who told a report", holds(at(policy.Administrator, policy.City, "330481")), policy.ReportUnmask, here, policy.Hidden},
		{"the administrator reads what lies nowhere", holds(at(policy.Administrator, policy.City, "330481")), policy.ReportView, policy.Subject{}, policy.Whole},
		{"the administrator files reports", holds(at(policy.Administrator, policy.City, "330481")), policy.ReportFile, here, policy.Hidden},
		{"a grid worker sees a photo of Xucun", holds(grid), policy.PhotoView, there, policy.Hidden},
		{"a grid worker sees a photo of his grid", holds(grid), policy.PhotoView, here, policy.Whole},
		{"a grid worker sees his own photo", holds(grid), policy.PhotoView, policy.Subject{Filer: me}, policy.Whole},
		{"a grid worker sees what somebody else took and nothing uses", holds(grid), policy.PhotoView, policy.Subject{Filer: uuid.New()}, policy.Hidden},
		{"a planner sees photos", holds(at(policy.Planner, policy.City, "330481")), policy.PhotoView, here, policy.Hidden},
		{"the administrator sees photos", holds(at(policy.Administrator, policy.City, "330481")), policy.PhotoView, here, policy.Hidden},
		{"a town's leader sees a photo of the town", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.PhotoView, here, policy.Whole},
		{"a town's leader sees where a photo of the town was taken", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.PhotoOriginal, here, policy.Hidden},
		{"an officer of the town sees where a photo was taken", holds(team), policy.PhotoOriginal, here, policy.Hidden},
		{"a department's member sees where a photo of what it leads was taken", holds(department), policy.PhotoOriginal, led, policy.Whole},
		{"the city's desk sees where a photo was taken", holds(desk), policy.PhotoOriginal, there, policy.Whole},
		{"the city's desk sees a photo of what lies nowhere", holds(desk), policy.PhotoView, policy.Subject{}, policy.Whole},
		{"a visitor uploads a photo", &policy.Actor{Public: true, Told: true}, policy.PhotoUpload, here, policy.Hidden},
		{"the hotline reads others' reports", holds(at(policy.Hotline, policy.City, "330481")), policy.ReportView, here, policy.Hidden},
		{"the hotline reads what it told", holds(at(policy.Hotline, policy.City, "330481")), policy.ReportView, mine, policy.Whole},
		{"a sensor lists people", holds(at(policy.Sensor, policy.City, "330481")), policy.PersonView, here, policy.Hidden},
		{"a grid worker sends a case of his grid to a unit", holds(grid), policy.CaseTriage, here, policy.Hidden},
		{"the city's desk sends a case to a unit", holds(desk), policy.CaseTriage, there, policy.Whole},
		{"the city's desk sends the case of what lies nowhere", holds(desk), policy.CaseTriage, policy.Subject{}, policy.Whole},
		{"a town's desk sends another town's case", holds(townDesk), policy.CaseTriage, there, policy.Hidden},
		{"a town's desk sends its town's case", holds(townDesk), policy.CaseTriage, here, policy.Whole},
		{"a town's desk sends what only may lie in the town", holds(townDesk), policy.CaseTriage, doubtful, policy.Glimpse},
		{"a town's desk sends the case of what lies nowhere", holds(townDesk), policy.CaseTriage, policy.Subject{}, policy.Hidden},
		{"the desk voids a case", holds(desk), policy.CaseVoid, there, policy.Hidden},
		{"the head of the centre voids a case", holds(inUnit(policy.CentreHead, 3, city)), policy.CaseVoid, there, policy.Whole},
		{"the desk stops a clock", holds(desk), policy.CaseSuspend, there, policy.Hidden},
		{"the desk disposes of a case itself", holds(desk), policy.CaseHandle, led, policy.Hidden},
		{"an officer disposes of his town's case that another unit leads", holds(team), policy.CaseHandle, here, policy.Hidden},
		{"an officer disposes of what his unit leads in another town", holds(team), policy.CaseHandle, policy.Subject{Cell: xucun, Units: []policy.UnitID{7}}, policy.Whole},
		{"a unit's member of another town receives a case", holds(inUnit(policy.UnitMember, 8, town)), policy.CaseHandle, led, policy.Hidden},
		{"a department's member receives what the department leads", holds(department), policy.CaseHandle, led, policy.Whole},
		{"a unit's member gives a case back", holds(department), policy.CaseReturn, led, policy.Hidden},
		{"a unit's duty leader gives a case back", holds(inUnit(policy.DutyLeader, 9, policy.Area{})), policy.CaseReturn, led, policy.Whole},
		{"a unit's member gives more time", holds(department), policy.CaseExtend, led, policy.Hidden},
		{"a duty leader asks for more time a second time", holds(inUnit(policy.DutyLeader, 9, policy.Area{})), policy.CaseAskExtension, led, policy.Hidden},
		{"a unit's head asks for more time a second time", holds(inUnit(policy.UnitHead, 9, policy.Area{})), policy.CaseAskExtension, led, policy.Whole},
		{"a unit's head grants more time a second time", holds(inUnit(policy.UnitHead, 9, policy.Area{})), policy.CaseSuspend, led, policy.Hidden},
		{"a department verifies what it disposed of", holds(department), policy.CaseVerify, led, policy.Hidden},
		{"a grid worker verifies in the grid next door", holds(grid), policy.CaseVerify, policy.Subject{Cell: neighbour}, policy.Hidden},
		{"a grid worker verifies in his grid", holds(grid), policy.CaseVerify, here, policy.Whole},
		{"a microgrid leader verifies", holds(at(policy.MicrogridLeader, policy.Microgrid, changa.Microgrid)), policy.CaseVerify, here, policy.Hidden},
		{"a volunteer looks on the spot whether it is so", holds(at(policy.Volunteer, policy.Grid, changa.Grid)), policy.CaseConfirm, here, policy.Hidden},
		{"a village secretary settles at once in another village", holds(village), policy.CaseSelfSettle, there, policy.Hidden},
		{"a village secretary settles at once in her village", holds(village), policy.CaseSelfSettle, here, policy.Whole},
		{"a resident rates another's report", holds(at(policy.Resident, policy.City, "330481")), policy.CaseEvaluate, here, policy.Hidden},
		{"a resident rates what became of his report", holds(at(policy.Resident, policy.City, "330481")), policy.CaseEvaluate, mine, policy.Whole},
		{"a town's leader looks after another town's case", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.CaseSupervise, there, policy.Hidden},
		{"a town's leader looks after the town's case", holds(at(policy.TownLeader, policy.Town, changa.Town)), policy.CaseSupervise, here, policy.Whole},
		{"a desk sees what a draft of the rules would do", holds(desk), policy.RegimeEdit, here, policy.Hidden},
		{"a head of the centre sees what a draft of the calendar would do", holds(inUnit(policy.CentreHead, 3, city)), policy.RegimeEdit, here, policy.Hidden},
		{"the administrator sees what a draft of the rules would do", holds(at(policy.Administrator, policy.City, "330481")), policy.RegimeEdit, here, policy.Whole},
		{"a village secretary sees the rates of another village", holds(village), policy.ReportView, there, policy.Hidden},
		{"the administrator does anything with a case", holds(at(policy.Administrator, policy.City, "330481")), policy.CaseAct, here, policy.Hidden},
		{"a planner does anything with a case", holds(at(policy.Planner, policy.City, "330481")), policy.CaseAct, here, policy.Hidden},
		{"a grid worker does something with a case of his grid", holds(grid), policy.CaseAct, here, policy.Whole},
		{"a token for filing alone does anything with a case", &policy.Actor{Person: me, Posts: []policy.Post{desk}, Only: []policy.Action{policy.ReportFile}},
			policy.CaseAct, here, policy.Hidden},
		{"a token for notes leaves one", &policy.Actor{Person: me, Posts: []policy.Post{desk}, Only: []policy.Action{policy.CaseNote}}, policy.CaseAct, here, policy.Whole},
		{"somebody without a post reads a report", holds(), policy.ReportView, here, policy.Hidden},
		{"somebody without a post reads the map", holds(), policy.CityView, here, policy.Whole},
		{"a visitor reads the map of a city that has not opened it", &policy.Actor{}, policy.CityView, here, policy.Hidden},
		{"a visitor reads the map of a city that has opened it", &policy.Actor{Public: true}, policy.CityView, here, policy.Whole},
		{"a visitor reads a report", &policy.Actor{Public: true}, policy.ReportView, here, policy.Hidden},
		{"a visitor reads a report that nobody filed", &policy.Actor{Public: true}, policy.ReportView, policy.Subject{}, policy.Hidden},
		{"a visitor tells of a matter where residents may", &policy.Actor{Told: true}, policy.PublicReport, here, policy.Whole},
		{"a visitor tells of a matter where they may not", &policy.Actor{Public: true}, policy.PublicReport, here, policy.Hidden},
		{"a visitor who may tell files as those who sign in do", &policy.Actor{Told: true}, policy.ReportFile, here, policy.Hidden},
		{"a visitor who may tell reads a report", &policy.Actor{Told: true}, policy.ReportView, here, policy.Hidden},
		{"a visitor who may tell reads the map", &policy.Actor{Told: true}, policy.CityView, here, policy.Hidden},
		{"a visitor has an account", &policy.Actor{Public: true}, policy.AccountOwn, policy.Subject{}, policy.Hidden},
		{"a token for filing alone reads what its owner may read", &policy.Actor{Person: me, Posts: []policy.Post{desk}, Only: []policy.Action{policy.ReportFile}},
			policy.ReportView, here, policy.Hidden},
		{"a token without scopes signs in", &policy.Actor{Person: me, Posts: []policy.Post{desk}, Only: []policy.Action{}}, policy.AccountOwn, here, policy.Hidden},
	} {
		r := c.who.Reach(c.action, now)
		if got := r.Covers(&c.what); got != c.want {
			t.Errorf("%s: sight %d, want %d", c.sentence, got, c.want)
		}
	}
}

// A reach is the union of what each post in force gives alone, and no more than each rule's relation says: held against
// the table read line by line.
func TestReachIsTheTable(t *testing.T) {
	codes := []policy.Cell{xucun, changa, {Town: "330481101", Village: "330481101202", Grid: "330481101202001"}, {}}
	rapid.Check(t, func(t *rapid.T) {
		actor := &policy.Actor{Public: rapid.Bool().Draw(t, "public"), Told: rapid.Bool().Draw(t, "telling")}
		if rapid.Bool().Draw(t, "signed in") {
			actor.Person = me
			actor.Posts = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) policy.Post {
				p := policy.Post{ID: 1, Role: rapid.SampledFrom(policy.Roles).Draw(t, "role"),
					From:  now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "from")) * time.Hour),
					Unit:  policy.UnitID(rapid.IntRange(0, 3).Draw(t, "unit")),
					Until: rapid.SampledFrom([]time.Time{{}, now.Add(-time.Minute), now, now.Add(time.Minute)}).Draw(t, "until")}
				c := rapid.SampledFrom(codes[:3]).Draw(t, "where")
				p.Area = rapid.SampledFrom([]policy.Area{{}, {Level: policy.City, Code: "330481"}, {Level: policy.Town, Code: c.Town},
					{Level: policy.Village, Code: c.Village}, {Level: policy.Grid, Code: c.Grid}}).Draw(t, "area")
				return p
			}), 0, 4).Draw(t, "posts")
		}
		action := rapid.SampledFrom(append(policy.Actions(), policy.CaseAct)).Draw(t, "action")
		s := policy.Subject{Cell: rapid.SampledFrom(codes).Draw(t, "cell"), Filer: rapid.SampledFrom([]uuid.UUID{uuid.Nil, me}).Draw(t, "filer")}
		if rapid.Bool().Draw(t, "led") {
			s.Units = []policy.UnitID{2}
		}
		reach := actor.Reach(action, now)
		if got, want := reach.Covers(&s) == policy.Whole, permitted(actor, action, &s); got != want {
			t.Fatalf("%s is %v, by the table %v", action, got, want)
		}
	})
}

// permitted reads the table line by line, as a person would.
func permitted(a *policy.Actor, action policy.Action, s *policy.Subject) bool {
	onReports := strings.HasPrefix(string(action), "report.") && action != policy.ReportFile || strings.HasPrefix(string(action), "case.") ||
		strings.HasPrefix(string(action), "photo.") && action != policy.PhotoUpload
	nowhere := s.Cell.Grid == "" && onReports &&
		(action == policy.ReportViewUnplaced || permitted(a, policy.ReportViewUnplaced, s))
	for _, rule := range policy.Rules {
		if rule.Action != action && (action != policy.CaseAct || !strings.HasPrefix(string(rule.Action), "case.")) {
			continue
		}
		for _, role := range rule.Roles {
			switch role {
			case policy.Visitor:
				return true
			case policy.Public:
				if a.Public {
					return true
				}
			case policy.Telling:
				if a.Told {
					return true
				}
			case policy.SignedIn:
				if a.Person != uuid.Nil {
					return true
				}
			}
			for _, p := range a.Posts {
				if p.Role != role || p.From.After(now) || !p.Until.IsZero() && !p.Until.After(now) {
					continue
				}
				lies := s.Cell.In(p.Area)
				switch rule.Relation {
				case policy.Own:
					if s.Filer == a.Person {
						return true
					}
				case policy.OwnGrid:
					if lies && (p.Area.Level == policy.Grid || p.Area.Level == policy.Microgrid) {
						return true
					}
				case policy.Subtree:
					if lies || nowhere && p.Area.Level == policy.City {
						return true
					}
				case policy.MyUnit:
					if p.Unit != 0 && slices.Contains(s.Units, p.Unit) {
						return true
					}
				case policy.InCity:
					return true
				}
			}
		}
	}
	return false
}

// Between two moments that Until names, no reach changes.
func TestUntilIsWhenRightsChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a policy.Actor
		a.Person = me
		for range rapid.IntRange(0, 4).Draw(t, "posts") {
			p := at(policy.GridWorker, policy.Grid, rapid.SampledFrom([]string{xucun.Grid, changa.Grid}).Draw(t, "grid"))
			p.From = now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "from")) * time.Minute)
			if d := rapid.IntRange(0, 6).Draw(t, "long"); d > 0 {
				p.Until = p.From.Add(time.Duration(d) * time.Minute)
			}
			a.Posts = append(a.Posts, p)
		}
		until := a.Until(now)
		before := a.Reach(policy.ReportView, now)
		for m := range 12 {
			later := now.Add(time.Duration(m)*time.Minute + 30*time.Second)
			if !until.IsZero() && !later.Before(until) {
				break
			}
			after := a.Reach(policy.ReportView, later)
			if !slices.Equal(before.Areas, after.Areas) || before.Own != after.Own {
				t.Fatalf("the reach changes before %v", until)
			}
		}
		if !until.IsZero() && !until.After(now) {
			t.Fatalf("until %v lies before now", until)
		}
	})
}
