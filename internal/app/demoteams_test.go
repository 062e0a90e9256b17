package app_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/demo/haining"
	"gridgov/internal/policy"
	"gridgov/internal/team"
)

// teamsOfHaining looks whether each town's team is at work: people with certificates, something to drive, a roster of which somebody
// leads the shift now, and one hole a week that falls to the head. It is planned on however late the demo is looked at.
func teamsOfHaining(t *testing.T, c *app.City) {
	ctx := t.Context()
	units, err := c.People.Units(ctx)
	if err != nil {
		t.Fatal(err)
	}
	teams := 0
	look := func(unit policy.UnitID, now time.Time) (holes int) {
		in := team.Span{From: now, To: now.AddDate(0, 0, 14)}
		r, err := c.Teams.Roster(ctx, in, unit)
		if err != nil {
			t.Fatal(err)
		}
		id, by, ok := r.Leader(unit, now)
		if local := now.In(c.Zone); local.Weekday() != time.Sunday && (!ok || by != team.ByShift || id == uuid.Nil) {
			t.Errorf("unit %d is led by %v at %v", unit, by, now)
		}
		for _, f := range r.Findings(unit, in, c.Zone, func(uuid.UUID) string { return "x" }) {
			switch f.Kind {
			case team.FoundHole:
				if holes++; f.From.In(c.Zone).Weekday() != time.Sunday {
					t.Errorf("a hole %v", f.Words.EN)
				}
			case team.CertificateExpired:
			case team.FoundNoLeader, team.NoHead, team.NoMembers, team.NotMember:
				t.Errorf("unit %d: %s %s", unit, f.Kind, f.Words.EN)
			}
		}
		return holes
	}
	later := apptest.Now.AddDate(0, 3, 1)
	if err := c.PlanOnAt(ctx, later); err != nil {
		t.Fatal(err)
	}
	for i := range units {
		u := &units[i]
		if u.Kind != policy.TownTeam {
			continue
		}
		teams++
		if n := look(u.ID, apptest.Now); n != 2 {
			t.Errorf("%s has %d holes in two weeks", u.Name, n)
		}
		if n := look(u.ID, later); n != 2 {
			t.Errorf("%s, three months on, has %d holes in two weeks", u.Name, n)
		}
		list, err := c.OfficersFor(ctx, u.ID, nil, true)
		if err != nil || len(list) < 3 {
			t.Errorf("%s has %d officers, %v", u.Name, len(list), err)
		}
		if cars, err := c.Teams.VehiclesOf(ctx, u.ID); err != nil || len(cars) < 2 {
			t.Errorf("%s drives %v, %v", u.Name, cars, err)
		}
	}
	if teams != haining.Towns {
		t.Errorf("%d teams", teams)
	}
	// A visitor lets somebody leave within the weeks that are planned: the others' shifts are planned all the same.
	if _, err := c.Pool.Exec(ctx, `UPDATE post SET ends = $1 WHERE id = (SELECT min(p.id) FROM post p JOIN unit u ON u.id = p.unit_id
		WHERE u.kind = 'town_team' AND p.role = 'officer' AND p.ends IS NULL)`, later.AddDate(0, 0, 10)); err != nil {
		t.Fatal(err)
	}
	if err := c.LoadDesk(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.PlanOnAt(ctx, later.AddDate(0, 0, 7)); err != nil {
		t.Error("planned on with somebody who leaves:", err)
	}
}
