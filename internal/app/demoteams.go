package app

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/team"
)

// The teams of a demo: its town teams are on duty around the clock, by a roster that is planned on from day to day, so that it never
// runs dry however late the demo is looked at.

// enlist gives the people of a town's team their parts: a head, who leads the shifts, officers with certificates, and an auxiliary.
// Of the third team one certificate has run out.
func enlist(people []member, n int) []member {
	for len(people) < 6 {
		people = append(people, member{name: madeUp(500 + 10*n + len(people))})
	}
	for i := range people {
		m := &people[i]
		switch m.until = "2199-12-31"; i {
		case 0:
			m.role = policy.UnitHead
		case 1:
			m.role = policy.DutyLeader
		case len(people) - 1:
			m.role, m.until = policy.Auxiliary, ""
		default:
			m.role = policy.Officer
		}
	}
	if n == 2 {
		people[2].until = "2026-06-30"
	}
	return people
}

// How much of a roster is planned, and in which hours: a day shift and a night shift.
const (
	rosterPast   = 14 // days
	rosterFuture = 28
	dayBegins    = 8 // o'clock
	dayEnds      = 20
)

// demoSkills and demoVehicles go round among the teams.
var (
	demoSkills   = [][]string{{"law", "mediation"}, {"driving", "first_aid"}, {"drone"}, {"dialect", "会说海宁话"}, {"food_safety"}, {"environment", "boat"}, {"animals"}}
	demoVehicles = []team.Vehicle{{Plate: "执法一号车", Kind: "car", Seats: 5, InService: true}, {Plate: "执法二号车", Kind: "van", Seats: 7, InService: true},
		{Plate: "巡查电动车", Kind: "electric", Seats: 2, InService: false}, {Plate: "无人机", Kind: "drone", InService: true}}
)

// hainingTeams gives the town teams hours, skills, vehicles and rosters, once; and the team of the demo's accounts more colleagues.
func hainingTeams(ctx context.Context, c *City) error {
	units, err := c.People.Manned(ctx)
	if err != nil {
		return err
	}
	n := 0
	for i := range units {
		u := &units[i]
		if u.Kind != policy.TownTeam || u.ClosedAt != nil {
			continue
		}
		n++
		vehicles, err := c.Teams.VehiclesOf(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(vehicles) > 0 { // made before
			continue
		}
		if err := c.reinforce(ctx, u, n); err != nil {
			return fmt.Errorf("people of %s: %w", u.Name, err)
		}
		if err := c.equip(ctx, u.ID, n); err != nil {
			return fmt.Errorf("what %s has: %w", u.Name, err)
		}
	}
	return c.planOn(ctx, true)
}

// reinforce sees to it that a team is enough people for a roster.
func (c *City) reinforce(ctx context.Context, u *person.Manned, n int) error {
	for k := u.Members; k < 7; k++ {
		m := member{name: madeUp(700 + 10*n + k), role: policy.Officer, until: "2199-12-31"}
		p, err := c.People.Create(ctx, person.New{Name: m.name})
		if err == nil {
			_, err = c.People.CreatePost(ctx, m.post(p.ID, u.ID))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// equip says what a team has.
func (c *City) equip(ctx context.Context, unit policy.UnitID, n int) error {
	if err := c.Teams.SetHours(ctx, unit, team.Always); err != nil {
		return err
	}
	now := c.now()
	roster, err := c.Teams.Roster(ctx, team.Span{From: now, To: now.Add(time.Hour)}, unit)
	if err != nil {
		return err
	}
	for i, m := range roster.People(unit, now) {
		if err := c.Teams.SetSkills(ctx, unit, m.Person, demoSkills[(n+i)%len(demoSkills)]); err != nil {
			return err
		}
	}
	for k := range 2 + n%2 {
		v := demoVehicles[(n+k)%len(demoVehicles)]
		v.Unit = unit
		if _, err := c.Teams.AddVehicle(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// rollRosters plans the rosters of a demo on, once a day.
func (l *Live) rollRosters(ctx context.Context) error {
	today := l.People.Today()
	if l.rolled == today {
		return nil
	}
	if err := l.planOn(ctx, false); err != nil {
		return err
	}
	l.rolled = today
	return nil
}

// planOn plans the shifts of the town teams from the last one on, as far ahead as a demo has it. Without first only teams that have a
// roster are planned for.
func (c *City) planOn(ctx context.Context, first bool) error {
	now := c.now().In(c.Zone)
	day := func(n int) time.Time { return time.Date(now.Year(), now.Month(), now.Day()+n, 0, 0, 0, 0, c.Zone) }
	span := team.Span{From: day(-rosterPast), To: day(rosterFuture)}
	roster, err := c.Teams.Roster(ctx, span)
	if err != nil {
		return err
	}
	units, err := c.People.Manned(ctx)
	if err != nil {
		return err
	}
	for i := range units {
		u := &units[i]
		planned := roster.Shifts(u.ID)
		if u.Kind != policy.TownTeam || u.ClosedAt != nil || !first && !roster.Ever(u.ID) {
			continue
		}
		from := span.From
		for _, s := range planned {
			if end := s.To; end.After(from) {
				from = end
			}
		}
		if err := c.planTeam(ctx, roster, u.ID, team.Span{From: from, To: span.To}); err != nil {
			return fmt.Errorf("roster of %s: %w", u.Name, err)
		}
	}
	return nil
}

// cannot tells that a shift cannot be planned as things stand with whose it would be.
func cannot(err error) bool {
	f, ok := fault.As(err)
	return ok && (f.Kind == fault.KindConflict || f.Code == "not_in_unit")
}

// planTeam plans the shifts of a team that begin within a span. On working days the duty leader has the day; the others go round. In
// the night to Monday nobody is there: that is the hole in the roster.
func (c *City) planTeam(ctx context.Context, roster *team.Roster, unit policy.UnitID, in team.Span) error {
	var leader uuid.UUID
	var others []uuid.UUID
	for _, m := range roster.People(unit, c.now()) {
		switch {
		case m.Role == policy.UnitHead:
		case m.Role == policy.DutyLeader && leader == uuid.Nil:
			leader = m.Person
		default:
			others = append(others, m.Person)
		}
	}
	if len(others) < 3 {
		return nil
	}
	var list []team.Shift
	add := func(who uuid.UUID, kind team.ShiftKind, from, to time.Time) {
		if !from.Before(in.From) && from.Before(in.To) {
			list = append(list, team.Shift{Person: who, Kind: kind, Span: team.Span{From: from, To: to}})
		}
	}
	start := in.From.In(c.Zone)
	for n := 0; ; n++ {
		at := func(days, hour int) time.Time {
			return time.Date(start.Year(), start.Month(), start.Day()+n+days, hour, 0, 0, 0, c.Zone)
		}
		begins, ends, morning := at(0, dayBegins), at(0, dayEnds), at(1, dayBegins)
		if !begins.Before(in.To) {
			break
		}
		// By the day's number, so that what is planned later goes on where this ends.
		k := int(at(0, 12).Unix()/86400) * 3
		who := func(i int) uuid.UUID { return others[(k+i)%len(others)] }
		weekend := begins.Weekday() == time.Saturday || begins.Weekday() == time.Sunday
		if leader != uuid.Nil && !weekend {
			add(leader, team.Leads, begins, ends)
			add(who(0), team.OnDuty, begins, ends)
		} else {
			add(who(0), team.Leads, begins, ends)
		}
		if begins.Weekday() != time.Sunday {
			add(who(1), team.Leads, ends, morning)
			add(who(2), team.OnDuty, ends, morning)
		}
	}
	for len(list) > 0 {
		n := min(len(list), team.MaxShifts)
		_, err := c.Teams.AddShifts(ctx, unit, list[:n])
		for i := 0; i < n && cannot(err); i++ { // somebody is away, leaves before, or plans too: what is free is planned
			if _, one := c.Teams.AddShifts(ctx, unit, list[i:i+1]); one != nil && !cannot(one) {
				return one
			}
			if i == n-1 {
				err = nil
			}
		}
		if err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}
