package api

import (
	"net/http"

	"github.com/google/uuid"

	"gridgov/internal/policy"
	"gridgov/internal/team"
)

func positionOf(p team.Position) TeamPosition {
	return TeamPosition{Lon: p.Lon, Lat: p.Lat, AccuracyM: p.AccuracyM, At: utc(p.At)}
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
