package api

import (
	"context"
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

func vehicleOf(v *team.Vehicle) Vehicle {
	return Vehicle{Id: int(v.ID), Plate: v.Plate, Kind: string(v.Kind), Seats: v.Seats, InService: v.InService, Version: v.Version}
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
