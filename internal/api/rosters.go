package api

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/team"
)

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

// maxRosterDays is how much of a roster is told at once.
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

func (a *api) setTeamHours(w http.ResponseWriter, r *http.Request, c *call) error {
	var in TeamHoursChange
	of, err := c.asked(r, policy.RosterEdit, &in)
	if err != nil {
		return err
	}
	return noContent(w, c.Teams.SetHours(r.Context(), of.ID, team.Hours(in.Hours)))
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
