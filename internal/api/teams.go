package api

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/team"
)

// crew is a unit's team as who asks stands to it.
type crew struct {
	person.Unit
	plans     bool // may plan the roster
	positions bool // may see positions
	mine      bool // works in it
}

// crewOf finds the unit of the path, as far as its team may be seen, and refuses who may not do the action with it. That there is a
// unit elsewhere is nobody's business.
func (c *call) crewOf(r *http.Request, action policy.Action) (crew, error) {
	none := fault.NotFound("there is no team %.40q", r.PathValue("unit"))
	id, err := strconv.ParseInt(r.PathValue("unit"), 10, 64)
	if err != nil {
		return crew{}, none
	}
	u, err := c.People.Unit(r.Context(), policy.UnitID(id))
	if fault.Is(err, fault.KindNotFound) {
		return crew{}, none
	} else if err != nil {
		return crew{}, err
	}
	view := c.may(policy.TeamView)
	if !c.CoversUnit(&view, &u) {
		return crew{}, none
	}
	if reach := c.may(action); !c.CoversUnit(&reach, &u) {
		return crew{}, refusal(c.who)
	}
	return c.crew(u), nil
}

func (c *call) crew(u person.Unit) crew {
	plans, positions, own := c.may(policy.RosterEdit), c.may(policy.PositionView), c.may(policy.DutyOwn)
	return crew{u, c.CoversUnit(&plans, &u), c.CoversUnit(&positions, &u), slices.Contains(own.Units, u.ID)}
}

// names are what people are called.
type names map[uuid.UUID]string

func (n names) of(id uuid.UUID) TeamPerson { return TeamPerson{Id: id, Name: n[id]} }

func (c *call) leaderOf(r *team.Roster, unit policy.UnitID, n names) *TeamLeader {
	id, by, ok := r.Leader(unit, c.at)
	if !ok {
		return nil
	}
	return &TeamLeader{Person: n.of(id), By: string(by), Why: wordsOf(team.LeaderWords(by, r.Standing(unit, c.at).State))}
}

func (a *api) listTeams(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	units, err := c.People.Units(r.Context())
	if err != nil {
		return err
	}
	units = slices.DeleteFunc(units, func(u person.Unit) bool { return u.ClosedAt != nil || !c.CoversUnit(&c.reach, &u) })
	roster := c.Roster()
	var ids []uuid.UUID
	for i := range units {
		if id, _, ok := roster.Leader(units[i].ID, c.at); ok {
			ids = append(ids, id)
		}
	}
	named, err := c.People.Names(r.Context(), ids)
	if err != nil {
		return err
	}
	clocks, err := c.pressures(r.Context(), units...)
	if err != nil {
		return err
	}
	out := TeamList{Teams: make([]TeamSummary, len(units))}
	for i := range units {
		of, s := c.crew(units[i]), roster.Standing(units[i].ID, c.at)
		out.Teams[i] = TeamSummary{Unit: c.unitOf(&units[i]), Members: len(roster.People(of.ID, c.at)), OnDuty: s.OnDuty, Leader: c.leaderOf(roster, of.ID, named),
			Load: clocks[of.ID].Running, Overdue: clocks[of.ID].Overdue, Amber: clocks[of.ID].Amber, Hole: s.State == team.Hole, Mine: of.mine, Plans: of.plans}
	}
	return writeJSON(w, http.StatusOK, out)
}

func (c *call) pressures(ctx context.Context, units ...person.Unit) (map[policy.UnitID]casework.Pressure, error) {
	ids := make([]policy.UnitID, len(units))
	for i := range units {
		ids[i] = units[i].ID
	}
	return casework.Pressures(ctx, c.Pool, ids, c.at)
}

// ahead is how far ahead what is amiss with a roster is told of without being asked.
const ahead = 14 * 24 * time.Hour

func (a *api) getTeam(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	of, err := c.crewOf(r, policy.TeamView)
	if err != nil {
		return err
	}
	span := team.Span{From: c.at, To: c.at.Add(ahead)}
	roster, err := c.Teams.Roster(r.Context(), team.Span{From: span.From.Add(-team.MaxShift), To: span.To}, of.ID)
	if err != nil {
		return err
	}
	n, err := c.namesOf(r.Context(), roster, of.ID, span)
	if err != nil {
		return err
	}
	clocks, err := c.pressures(r.Context(), of.Unit)
	if err != nil {
		return err
	}
	standing := roster.Standing(of.ID, c.at)
	out := Team{Unit: c.unitOf(&of.Unit), Hours: string(roster.Hours(of.ID)), Leader: c.leaderOf(roster, of.ID, n), OnDuty: standing.OnDuty, Load: clocks[of.ID].Running, Overdue: clocks[of.ID].Overdue, Amber: clocks[of.ID].Amber,
		Findings: c.findingsOf(roster, of.ID, span, n), Mine: of.mine, Plans: of.plans, SeesPositions: of.positions, HasForces: of.Kind == policy.TownTeam && of.Area.Level == policy.Town,
		Skills: make([]Skill, len(team.Skills)), Vehicles: []Vehicle{}}
	if head, ok := roster.Head(of.ID, c.at); ok {
		out.Head = new(n.of(head))
	}
	for i, s := range team.Skills {
		out.Skills[i] = Skill{Code: s.Code, Words: wordsOf(s.Name)}
	}
	if out.Members, err = c.membersOf(r.Context(), &of, roster, n); err != nil {
		return err
	}
	vehicles, err := c.Teams.VehiclesOf(r.Context(), of.ID)
	for i := range vehicles {
		out.Vehicles = append(out.Vehicles, vehicleOf(&vehicles[i]))
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// namesOf are the names of all whom a roster names within a span.
func (c *call) namesOf(ctx context.Context, roster *team.Roster, unit policy.UnitID, span team.Span, more ...uuid.UUID) (names, error) {
	ids := more
	for _, at := range []time.Time{span.From, span.To.Add(-time.Second), c.at} {
		for _, m := range roster.Posts(unit, at) {
			ids = append(ids, m.Person)
		}
	}
	for _, s := range roster.Shifts(unit) {
		ids = append(ids, s.Person)
	}
	return c.People.Names(ctx, ids)
}

// membersOf are the people of a unit now: who leads it, then who is on duty, then the others.
func (c *call) membersOf(ctx context.Context, of *crew, roster *team.Roster, n names) ([]TeamMember, error) {
	people := roster.People(of.ID, c.at)
	ids := make([]uuid.UUID, len(people))
	for i := range people {
		ids[i] = people[i].Person
	}
	skills, err := c.Teams.SkillsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	claims, err := c.Teams.Claims(ctx, ids)
	if err != nil {
		return nil, err
	}
	positions := map[uuid.UUID]team.Position{}
	if of.positions {
		if positions, err = c.Teams.Positions(ctx, ids); err != nil {
			return nil, err
		}
	}
	phones, err := c.phonesOf(ctx, of.ID)
	if err != nil {
		return nil, err
	}
	leader, by, _ := roster.Leader(of.ID, c.at)
	out := make([]TeamMember, len(people))
	place := map[uuid.UUID]int{}
	for i := range people {
		id := people[i].Person
		duty := roster.Of(of.ID, id, c.at)
		m := TeamMember{Person: n.of(id), Phone: optional(phones[id]), Posts: []TeamPost{}, Skills: append([]string{}, skills[id]...), OnDuty: duty.On, Away: duty.Away,
			DutyUntil: moment(duty.Until), Load: claims[id]}
		if by == team.ByShift && id == leader {
			m.Leads = new(true)
		}
		if p, ok := positions[id]; ok && duty.On {
			m.Position = new(positionOf(p))
		}
		out[i], place[id] = m, i
	}
	for _, p := range roster.Posts(of.ID, c.at) {
		m := &out[place[p.Person]]
		post := TeamPost{Role: string(p.Role)}
		if !p.CertifiedUntil.IsZero() {
			post.CertificateUntil = new(p.CertifiedUntil.In(c.Zone).AddDate(0, 0, -1).Format(time.DateOnly))
			post.CertificateExpired = new(!p.Certified(c.at))
			if of.plans || c.who != nil && c.who.Person == p.Person {
				post.Certificate = optional(p.Certificate)
			}
		}
		m.Posts = append(m.Posts, post)
	}
	rank := func(m *TeamMember) int {
		switch {
		case m.Leads != nil:
			return 0
		case slices.ContainsFunc(m.Posts, func(p TeamPost) bool { return p.Role == string(policy.UnitHead) }):
			return 1
		case m.OnDuty:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(out, func(a, b TeamMember) int { return rank(&a) - rank(&b) })
	return out, nil
}

// phonesOf are the phone numbers of a unit's people, of those whom one may look up.
func (c *call) phonesOf(ctx context.Context, unit policy.UnitID) (map[uuid.UUID]string, error) {
	out := map[uuid.UUID]string{}
	reach := c.may(policy.PersonView)
	if reach.Empty() {
		return out, nil
	}
	page, err := c.People.List(ctx, person.Query{Reach: &reach, Unit: unit, State: person.InForce, Limit: 200})
	for i := range page.People {
		out[page.People[i].ID] = page.People[i].Phone
	}
	return out, err
}

func positionOf(p team.Position) TeamPosition {
	return TeamPosition{Lon: p.Lon, Lat: p.Lat, AccuracyM: p.AccuracyM, At: utc(p.At)}
}

func vehicleOf(v *team.Vehicle) Vehicle {
	return Vehicle{Id: int(v.ID), Plate: v.Plate, Kind: string(v.Kind), Seats: v.Seats, InService: v.InService, Version: v.Version}
}

func (c *call) findingsOf(roster *team.Roster, unit policy.UnitID, span team.Span, n names) []RosterFinding {
	out := []RosterFinding{}
	for _, f := range roster.Findings(unit, span, c.Zone, func(id uuid.UUID) string { return n[id] }) {
		found := RosterFinding{Kind: string(f.Kind), From: utc(f.From), To: utc(f.To), Words: wordsOf(f.Words)}
		if f.Person != uuid.Nil {
			found.Person = new(n.of(f.Person))
		}
		if f.Shift != 0 {
			found.Shift = new(int(f.Shift))
		}
		out = append(out, found)
	}
	return out
}

func (a *api) listPositions(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	of, err := c.crewOf(r, policy.PositionView)
	if err != nil {
		return err
	}
	roster := c.Roster()
	var ids []uuid.UUID
	for _, m := range roster.People(of.ID, c.at) {
		if roster.Of(of.ID, m.Person, c.at).On {
			ids = append(ids, m.Person)
		}
	}
	positions, err := c.Teams.Positions(r.Context(), ids)
	if err != nil {
		return err
	}
	named, err := c.People.Names(r.Context(), ids)
	if err != nil {
		return err
	}
	out := PositionList{Positions: []MemberPosition{}}
	for _, id := range ids {
		if p, ok := positions[id]; ok {
			out.Positions = append(out.Positions, MemberPosition{Person: names(named).of(id), Position: positionOf(p)})
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

// MaxRosterDays is how much of a roster is told at once.
const maxRosterDays = 62

func (a *api) getRoster(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	span := team.Span{From: q.time("from", c.Zone), To: q.time("to", c.Zone)}
	if err := q.done(); err != nil {
		return err
	}
	if span.From.IsZero() {
		now := c.at.In(c.Zone)
		monday := (int(now.Weekday()) + 6) % 7
		span.From = time.Date(now.Year(), now.Month(), now.Day()-monday, 0, 0, 0, 0, c.Zone)
	}
	if span.To.IsZero() {
		span.To = span.From.AddDate(0, 0, 14)
	}
	if !span.To.After(span.From) || span.To.Sub(span.From) > maxRosterDays*24*time.Hour {
		return fault.Invalid("to", "out_of_range", "ask for at most %d days, from the first on", maxRosterDays)
	}
	of, err := c.crewOf(r, policy.TeamView)
	if err != nil {
		return err
	}
	ctx := r.Context()
	roster, err := c.Teams.Roster(ctx, span, of.ID)
	if err != nil {
		return err
	}
	leaves, err := c.Teams.LeavesOf(ctx, of.ID, span)
	if err != nil {
		return err
	}
	swaps, err := c.Teams.SwapsOf(ctx, of.ID, span)
	if err != nil {
		return err
	}
	var more []uuid.UUID
	for i := range leaves {
		more = append(more, leaves[i].Person)
	}
	for i := range swaps {
		more = append(more, swaps[i].Person, swaps[i].Other)
	}
	n, err := c.namesOf(ctx, roster, of.ID, span, more...)
	if err != nil {
		return err
	}
	out := Roster{From: utc(span.From), To: utc(span.To), Hours: string(roster.Hours(of.ID)), Kept: roster.Keeps(of.ID, span.From) || len(roster.Shifts(of.ID)) > 0, Shifts: []Shift{},
		Leaves: []Leave{}, Swaps: []Swap{}, Findings: c.findingsOf(roster, of.ID, span, n), Plans: of.plans}
	for _, s := range roster.Shifts(of.ID) {
		out.Shifts = append(out.Shifts, shiftOf(&s, n))
	}
	for i := range leaves {
		out.Leaves = append(out.Leaves, c.leaveOf(&leaves[i], n, of.plans))
	}
	for i := range swaps {
		out.Swaps = append(out.Swaps, c.swapOf(&swaps[i], n))
	}
	return writeJSON(w, http.StatusOK, out)
}

func shiftOf(s *team.Shift, n names) Shift {
	return Shift{Id: int(s.ID), Person: n.of(s.Person), From: utc(s.From), To: utc(s.To), Kind: string(s.Kind), Version: s.Version}
}

// leaveOf tells of leave; why it is taken is told to who plans and to whose it is.
func (c *call) leaveOf(l *team.Leave, n names, plans bool) Leave {
	out := Leave{Id: int(l.ID), Person: n.of(l.Person), From: utc(l.From), To: utc(l.To), Granted: l.Granted}
	if plans || c.who != nil && c.who.Person == l.Person {
		out.Kind = new(string(l.Kind))
	}
	return out
}

func (c *call) swapOf(s *team.Swap, n names) Swap {
	out := Swap{Id: int(s.ID), Unit: new(int(s.Unit)), Person: n.of(s.Person), From: utc(s.From), To: utc(s.To), Other: n.of(s.Other), State: string(s.State), AskedAt: utc(s.AskedAt),
		AnsweredAt: moment(s.AnsweredAt), OtherFrom: moment(s.OtherSpan.From), OtherTo: moment(s.OtherSpan.To)}
	if s.Shift != 0 {
		out.Shift = new(int(s.Shift))
	}
	if s.OtherShift != 0 {
		out.OtherShift = new(int(s.OtherShift))
	}
	switch {
	case c.who == nil:
	case c.who.Person == s.Other:
		out.Mine = "asked"
	case c.who.Person == s.Person:
		out.Mine = "asks"
	}
	return out
}

// asked reads a request that does an action with the unit of its path; into may be nil where there is no body.
func (c *call) asked(r *http.Request, action policy.Action, into any) (crew, error) {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return crew{}, err
	}
	of, err := c.crewOf(r, action)
	if err != nil || into == nil {
		return of, err
	}
	return of, decode(r, maxForm, into)
}

// thing is the number in the path of something that the unit has.
func thing(r *http.Request, what string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fault.NotFound("the unit has no %s %.40q", what, r.PathValue("id"))
	}
	return id, nil
}

func noContent(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (a *api) setTeamHours(w http.ResponseWriter, r *http.Request, c *call) error {
	var in TeamHoursChange
	of, err := c.asked(r, policy.RosterEdit, &in)
	if err != nil {
		return err
	}
	return noContent(w, c.Teams.SetHours(r.Context(), of.ID, team.Hours(in.Hours)))
}

func (a *api) setSkills(w http.ResponseWriter, r *http.Request, c *call) error {
	var in SkillsChange
	of, err := c.asked(r, policy.TeamView, &in)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("person"))
	if err != nil {
		return fault.NotFound("the unit has no person %.40q", r.PathValue("person"))
	}
	if !of.plans && (!of.mine || c.who.Person != id) {
		return fault.Forbidden("not_allowed", "what colleagues can do is set by themselves, or by who plans the roster")
	}
	return noContent(w, c.Teams.SetSkills(r.Context(), of.ID, id, in.Skills))
}

func (a *api) addVehicle(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewVehicle
	of, err := c.asked(r, policy.RosterEdit, &in)
	if err != nil {
		return err
	}
	v, err := c.Teams.AddVehicle(r.Context(), team.Vehicle{Unit: of.ID, Plate: in.Plate, Kind: team.VehicleKind(in.Kind), Seats: in.Seats, InService: in.InService == nil || *in.InService})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, vehicleOf(&v))
}

func (a *api) changeVehicle(w http.ResponseWriter, r *http.Request, c *call) error {
	var in VehicleChange
	of, err := c.asked(r, policy.RosterEdit, &in)
	if err != nil {
		return err
	}
	id, err := thing(r, "vehicle")
	if err != nil {
		return err
	}
	v, err := c.Teams.ChangeVehicle(r.Context(), of.ID, team.VehicleID(id), in.Version, team.VehicleChange{Plate: in.Plate, Kind: (*team.VehicleKind)(in.Kind), Seats: in.Seats, InService: in.InService})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, vehicleOf(&v))
}

func (a *api) removeVehicle(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.RosterEdit, nil)
	if err != nil {
		return err
	}
	id, err := thing(r, "vehicle")
	if err != nil {
		return err
	}
	return noContent(w, c.Teams.RemoveVehicle(r.Context(), of.ID, team.VehicleID(id)))
}

func (a *api) addShifts(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewShifts
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	of, err := c.crewOf(r, policy.RosterEdit)
	if err != nil {
		return err
	}
	if err := decode(r, 64<<10, &in); err != nil {
		return err
	}
	list := make([]team.Shift, len(in.Shifts))
	for i, s := range in.Shifts {
		list[i] = team.Shift{Person: s.Person, Kind: team.ShiftKind(s.Kind), Span: team.Span{From: s.From, To: s.To}}
	}
	if list, err = c.Teams.AddShifts(r.Context(), of.ID, list); err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(list))
	for i := range list {
		ids[i] = list[i].Person
	}
	n, err := c.People.Names(r.Context(), ids)
	if err != nil {
		return err
	}
	out := ShiftList{Shifts: make([]Shift, len(list))}
	for i := range list {
		out.Shifts[i] = shiftOf(&list[i], n)
	}
	return writeJSON(w, http.StatusCreated, out)
}

func (a *api) changeShift(w http.ResponseWriter, r *http.Request, c *call) error {
	var in ShiftChange
	of, err := c.asked(r, policy.RosterEdit, &in)
	if err != nil {
		return err
	}
	id, err := thing(r, "shift")
	if err != nil {
		return err
	}
	s, err := c.Teams.ChangeShift(r.Context(), of.ID, team.ShiftID(id), in.Version, team.ShiftChange{Person: in.Person, From: in.From, To: in.To, Kind: (*team.ShiftKind)(in.Kind)})
	if err != nil {
		return err
	}
	n, err := c.People.Names(r.Context(), []uuid.UUID{s.Person})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shiftOf(&s, n))
}

func (a *api) removeShift(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.RosterEdit, nil)
	if err != nil {
		return err
	}
	id, err := thing(r, "shift")
	if err != nil {
		return err
	}
	return noContent(w, c.Teams.RemoveShift(r.Context(), of.ID, team.ShiftID(id)))
}

func (c *call) writeSwap(w http.ResponseWriter, r *http.Request, status int, s *team.Swap) error {
	n, err := c.People.Names(r.Context(), []uuid.UUID{s.Person, s.Other})
	if err != nil {
		return err
	}
	return writeJSON(w, status, c.swapOf(s, n))
}

func (a *api) askSwap(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewSwap
	of, err := c.asked(r, policy.DutyOwn, &in)
	if err != nil {
		return err
	}
	other := 0
	if in.OtherShift != nil {
		if other = *in.OtherShift; other <= 0 || other == in.Shift {
			return fault.Invalid("other_shift", "not_theirs", "is no shift of the colleague in this unit")
		}
	}
	s, err := c.Teams.AskSwap(r.Context(), of.ID, c.who.Person, team.ShiftID(in.Shift), in.Other, team.ShiftID(other))
	if err != nil {
		return err
	}
	return c.writeSwap(w, r, http.StatusCreated, &s)
}

func (a *api) answerSwap(w http.ResponseWriter, r *http.Request, c *call) error {
	var in SwapAnswer
	of, err := c.asked(r, policy.DutyOwn, &in)
	if err != nil {
		return err
	}
	id, err := thing(r, "swap")
	if err != nil {
		return err
	}
	s, err := c.Teams.AnswerSwap(r.Context(), of.ID, c.who.Person, team.SwapID(id), in.Accept)
	if err != nil {
		return err
	}
	return c.writeSwap(w, r, http.StatusOK, &s)
}

func (a *api) withdrawSwap(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.DutyOwn, nil)
	if err != nil {
		return err
	}
	id, err := thing(r, "swap")
	if err != nil {
		return err
	}
	return noContent(w, c.Teams.WithdrawSwap(r.Context(), of.ID, c.who.Person, team.SwapID(id)))
}

func (a *api) askLeave(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewLeave
	of, err := c.asked(r, policy.TeamView, &in)
	if err != nil {
		return err
	}
	l := team.Leave{Unit: of.ID, Person: c.who.Person, Kind: team.LeaveKind(in.Kind), Span: team.Span{From: in.From, To: in.To}}
	switch {
	case in.Person == nil || *in.Person == l.Person:
		if !of.mine {
			return fault.Forbidden("not_allowed", "you do not work in this unit")
		}
	case !of.plans:
		return fault.Forbidden("not_allowed", "leave of colleagues is granted by who plans the roster")
	default:
		l.Person, l.Granted = *in.Person, true
	}
	if l, err = c.Teams.AskLeave(r.Context(), l); err != nil {
		return err
	}
	return c.writeLeave(w, r, http.StatusCreated, &of, &l)
}

func (c *call) writeLeave(w http.ResponseWriter, r *http.Request, status int, of *crew, l *team.Leave) error {
	n, err := c.People.Names(r.Context(), []uuid.UUID{l.Person})
	if err != nil {
		return err
	}
	return writeJSON(w, status, c.leaveOf(l, n, of.plans))
}

func (a *api) grantLeave(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.RosterEdit, nil)
	if err != nil {
		return err
	}
	id, err := thing(r, "leave")
	if err != nil {
		return err
	}
	l, err := c.Teams.GrantLeave(r.Context(), of.ID, team.LeaveID(id))
	if err != nil {
		return err
	}
	return c.writeLeave(w, r, http.StatusOK, &of, &l)
}

func (a *api) removeLeave(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.TeamView, nil)
	if err != nil {
		return err
	}
	id, err := thing(r, "leave")
	if err != nil {
		return err
	}
	by := c.who.Person // one's own alone, while it is asked for
	switch {
	case of.plans:
		by = uuid.Nil
	case !of.mine:
		return fault.Forbidden("not_allowed", "leave is refused by who plans the roster")
	}
	return noContent(w, c.Teams.RemoveLeave(r.Context(), of.ID, team.LeaveID(id), by))
}

func (a *api) getDuty(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	ctx, me := r.Context(), c.who.Person
	out := MyDuty{Units: []UnitRef{}, Shifts: []MyShift{}, Leaves: []Leave{}, Swaps: []Swap{}}
	for _, id := range c.reach.Units {
		out.Units = append(out.Units, c.dutyUnit(id))
	}
	duty := c.Roster().Anywhere(me, c.at)
	out.OnDuty, out.DutyUntil = duty.On, moment(duty.Until)
	var err error
	if out.Consent, err = c.Teams.Consents(ctx, me); err != nil {
		return err
	}
	positions, err := c.Teams.Positions(ctx, []uuid.UUID{me})
	if err != nil {
		return err
	}
	if p, ok := positions[me]; ok {
		out.Position = new(positionOf(p))
	}
	made, err := c.Teams.CalendarMade(ctx, me)
	if err != nil {
		return err
	}
	out.CalendarMadeAt = moment(made)
	shifts, err := c.Teams.ShiftsOf(ctx, me, c.at)
	if err != nil {
		return err
	}
	leaves, err := c.Teams.MyLeaves(ctx, me)
	if err != nil {
		return err
	}
	swaps, err := c.Teams.MySwaps(ctx, me)
	if err != nil {
		return err
	}
	ids := []uuid.UUID{me}
	for i := range swaps {
		ids = append(ids, swaps[i].Person, swaps[i].Other)
	}
	n, err := c.People.Names(ctx, ids)
	if err != nil {
		return err
	}
	for i := range shifts {
		s := shiftOf(&shifts[i], n)
		out.Shifts = append(out.Shifts, MyShift{Id: s.Id, Person: s.Person, From: s.From, To: s.To, Kind: s.Kind, Version: s.Version, Unit: c.dutyUnit(shifts[i].Unit)})
	}
	for i := range leaves {
		out.Leaves = append(out.Leaves, c.leaveOf(&leaves[i], n, false))
	}
	for i := range swaps {
		out.Swaps = append(out.Swaps, c.swapOf(&swaps[i], n))
	}
	return writeJSON(w, http.StatusOK, out)
}

func (c *call) dutyUnit(id policy.UnitID) UnitRef {
	u, _ := c.UnitNamed(id)
	return UnitRef{Id: int(id), Name: u.Name.ZH, Kind: optional(string(u.Kind))}
}

func (a *api) setConsent(w http.ResponseWriter, r *http.Request, c *call) error {
	var in Consent
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	return noContent(w, c.Teams.SetConsent(r.Context(), c.who.Person, in.Consent))
}

func (a *api) tellPosition(w http.ResponseWriter, r *http.Request, c *call) error {
	var in DutyPosition
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	return noContent(w, c.Teams.TellPosition(r.Context(), c.who.Person, team.Position{Lon: in.Lon, Lat: in.Lat, AccuracyM: in.AccuracyM, At: in.At},
		c.Roster().Anywhere(c.who.Person, c.at)))
}

func (a *api) makeCalendar(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	secret, err := c.Teams.MakeCalendar(r.Context(), c.who.Person)
	if err != nil {
		return err
	}
	out := CalendarAddress{Path: "/" + c.Code + "/v1/calendars/" + secret + ".ics"}
	if base, err := a.sentURL(r); err == nil {
		out.Url = new(base + out.Path)
	}
	return writeJSON(w, http.StatusCreated, out)
}

func (a *api) removeCalendar(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	return noContent(w, c.Teams.RemoveCalendar(r.Context(), c.who.Person))
}

func (a *api) proposeOfficers(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	view := c.may(policy.ReportView)
	m, err := c.matterOf(r, &view)
	if err != nil {
		return err
	}
	if _, may := c.mayOn(policy.CaseOfficers, m.subject, m.subject.Units); !may {
		return refusal(c.who)
	}
	var at *team.Place
	if m.rep.Lon != nil && m.rep.Lat != nil {
		at = &team.Place{Lon: *m.rep.Lon, Lat: *m.rep.Lat}
	}
	u, err := c.People.Unit(r.Context(), m.Unit)
	if err != nil {
		return err
	}
	list, err := c.OfficersFor(r.Context(), u.ID, at, c.crew(u).positions)
	if err != nil {
		return err
	}
	roster := c.Roster()
	var ids []uuid.UUID
	for i := range list {
		ids = append(ids, list[i].Person)
	}
	if id, _, ok := roster.Leader(u.ID, c.at); ok {
		ids = append(ids, id)
	}
	n, err := c.People.Names(r.Context(), ids)
	if err != nil {
		return err
	}
	out := OfficerList{Unit: c.caseUnit(u.ID), Leader: c.leaderOf(roster, u.ID, n), Officers: make([]Officer, len(list))}
	for i := range list {
		o := &list[i]
		out.Officers[i] = Officer{Person: names(n).of(o.Person), Free: o.Free(), Certificated: o.Certificated, OnDuty: o.Duty.On, Away: o.Duty.Away, Load: o.Claims, Why: wordsOf(o.Why)}
		if !o.CertificateUntil.IsZero() {
			out.Officers[i].CertificateUntil = new(o.CertificateUntil.In(c.Zone).AddDate(0, 0, -1).Format(time.DateOnly))
		}
		if !math.IsNaN(o.DistanceM) {
			out.Officers[i].DistanceM, out.Officers[i].DistanceFrom = new(math.Round(o.DistanceM)), new(string(o.From))
		}
	}
	return writeJSON(w, http.StatusOK, out)
}
