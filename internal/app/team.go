package app

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"gridgov/internal/jurisdiction"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/team"
)

// CoversUnit tells whether a reach covers a unit: one's own, one that works in a part of the city that the reach has, or, with the
// whole city, any.
func (c *City) CoversUnit(r *policy.Reach, u *person.Unit) bool {
	if r.City || slices.Contains(r.Units, u.ID) {
		return true
	}
	for _, a := range r.Areas {
		if a.Level == policy.City || u.Kind.HasTerritory() && c.lies(u.Area, a) {
			return true
		}
	}
	return false
}

// lies tells whether a jurisdiction is another one, or lies in it by the plan in force.
func (c *City) lies(area, in policy.Area) bool {
	if area == in {
		return area.Level != ""
	}
	l := c.layout()
	if l == nil {
		return false
	}
	level, unit, ok := l.Unit(jurisdiction.Role(area.Level), area.Code)
	if !ok {
		return false
	}
	for _, p := range l.Parents(level, unit) {
		if policy.Level(p.Level) == in.Level && p.Code == in.Code {
			return true
		}
	}
	return false
}

// Middle is a point inside of a jurisdiction; nil: the plan in force does not have it.
func (c *City) Middle(a policy.Area) *team.Place {
	l := c.layout()
	if l == nil {
		return nil
	}
	level, unit, ok := l.Unit(jurisdiction.Role(a.Level), a.Code)
	if !ok {
		return nil
	}
	p := l.Levels[level].Units[unit].Center
	return &team.Place{Lon: p[0], Lat: p[1]}
}

// Below are the jurisdictions that lie in one by the plan in force, itself first.
func (c *City) Below(a policy.Area) []policy.Area {
	if l := c.layout(); l != nil {
		return areas{l, c.Code}.Below(a)
	}
	return nil
}

// OfficersFor are the officers of a unit as they stand to a place; nil: nobody knows where it is. Positions are looked at where the
// reader may see them.
func (c *City) OfficersFor(ctx context.Context, unit policy.UnitID, place *team.Place, positions bool) ([]team.Candidate, error) {
	r, now := c.Roster(), c.now()
	var ids []uuid.UUID
	for _, m := range r.People(unit, now) {
		ids = append(ids, m.Person)
	}
	s := team.Scene{Unit: unit, At: now, Case: place}
	if u, ok := c.UnitNamed(unit); ok {
		s.Territory = c.Middle(u.Area)
	}
	var err error
	if s.Claims, err = c.Teams.Claims(ctx, ids); err != nil {
		return nil, err
	}
	if positions {
		if s.Positions, err = c.Teams.Positions(ctx, ids); err != nil {
			return nil, err
		}
	}
	return r.Officers(&s), nil
}
