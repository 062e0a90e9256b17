package app

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/auth"
	"gridgov/internal/casework"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/keyring"
	"gridgov/internal/notice"
	"gridgov/internal/patrol"
	"gridgov/internal/person"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/push"
	"gridgov/internal/report"
)

// openPeople makes the services of people and of their accounts. Without keys there is no second factor.
func (c *City) openPeople(keys *keyring.Ring) {
	var sealer auth.Sealer
	if keys != nil {
		sealer = keys
	}
	c.People = &person.Service{Pool: c.Pool, Feed: c.Writer, Now: c.now, Zone: c.Zone, Demo: c.City.Demo, Plan: func() person.Plan {
		if l := c.layout(); l != nil {
			return areas{l, c.Code}
		}
		return nil
	}}
	c.Auth = auth.New(auth.Config{Pool: c.Pool, Feed: c.Writer, People: c.People, Now: c.now, Sealer: sealer, Demo: c.City.Demo, City: c.Code, Name: c.Name,
		Area: c.Area, Erasing: func(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
			return errors.Join(c.Teams.Forget(ctx, tx, id), photo.ForgetSpoken(ctx, tx, id), notice.Forget(ctx, tx, id), push.Forget(ctx, tx, id, uuid.Nil), casework.ForgetViews(ctx, tx, id), patrol.Forget(ctx, tx, id),
				report.ForgetDevices(ctx, tx, id))
		}, Ended: func(ctx context.Context, tx pgx.Tx, e auth.Ended) error {
			if e.Person != uuid.Nil {
				return push.Forget(ctx, tx, e.Person, e.Keep)
			}
			return push.EndSessions(ctx, tx, e.Sessions, e.Next)
		}})
}

// layout is the plan in force, nil without.
func (c *City) layout() *jurisdiction.Layout {
	if s := c.state.Load(); s != nil {
		return s.Layout
	}
	return nil
}

// Area is the whole city as a jurisdiction: by the code that the plan in force has for it, else by the city's own.
func (c *City) Area() policy.Area {
	if l := c.layout(); l != nil && l.Levels[0].Role == jurisdiction.RoleCity && len(l.Levels[0].Units) == 1 {
		return policy.Area{Level: policy.City, Code: l.Levels[0].Units[0].Code}
	}
	return policy.Area{Level: policy.City, Code: c.Code}
}

// areas are the jurisdictions of a plan.
type areas struct {
	*jurisdiction.Layout
	city string // its code, which stands for the whole city whatever the plan calls it
}

// Has implements person.Plan.
func (p areas) Has(a policy.Area) bool {
	_, _, ok := p.Unit(jurisdiction.Role(a.Level), a.Code)
	return ok || a.Level == policy.City && a.Code == p.city
}

// Below implements person.Plan.
func (p areas) Below(a policy.Area) []policy.Area {
	level, unit, ok := p.Unit(jurisdiction.Role(a.Level), a.Code)
	if !ok {
		return nil
	}
	out := []policy.Area{a}
	in := map[string]bool{p.Levels[level].Units[unit].Code: true}
	for level++; level < len(p.Levels) && p.Levels[level].WithParent; level++ {
		below := map[string]bool{}
		for i := range p.Levels[level].Units {
			if u := &p.Levels[level].Units[i]; in[u.Parent] {
				below[u.Code] = true
				out = append(out, policy.Area{Level: policy.Level(p.Levels[level].Role), Code: u.Code})
			}
		}
		in = below
	}
	return out
}
