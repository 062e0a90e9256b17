package api

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/team"
	"gridgov/internal/worktime"
)

// getForces tells a town's 1+1+X: its team, the grid staff, and who helps.
func (a *api) getForces(w http.ResponseWriter, r *http.Request, c *call) error {
	of, err := c.asked(r, policy.TeamView, nil)
	if err != nil {
		return err
	}
	if of.Kind != policy.TownTeam || of.Area.Level != policy.Town {
		return fault.NotFound("%s is no town's team: only a town has forces of its own", of.Name)
	}
	ctx := r.Context()
	units, err := c.People.Units(ctx)
	if err != nil {
		return err
	}
	below := c.Below(of.Area)
	staff, err := c.Teams.StaffIn(ctx, below)
	if err != nil {
		return err
	}
	roster := c.Roster()
	var ids []uuid.UUID
	for i := range staff {
		if staff[i].Role == policy.StationedOfficer {
			ids = append(ids, staff[i].Person)
		}
	}
	for i := range units {
		if id, ok := roster.Head(units[i].ID, c.at); ok {
			ids = append(ids, id)
		}
	}
	n, err := c.People.Names(ctx, ids)
	if err != nil {
		return err
	}
	out := Forces{Town: *c.areaOf(of.Area), Core: c.forceOf(roster, &of.Unit, n), XForces: []ForceUnit{}, Departments: []ForceUnit{}, Villages: c.villagesOf(below, staff, n)}
	for i := range out.Villages {
		v := &out.Villages[i]
		out.GridStaff.GridLeaders += v.GridLeaders
		out.GridStaff.GridWorkers += v.GridWorkers
		out.GridStaff.MicrogridLeaders += v.MicrogridLeaders
	}
	for i := range units {
		u := &units[i]
		here := u.Area == of.Area || u.Area.Level == policy.City || u.Area.Level == ""
		switch {
		case u.ClosedAt != nil || !here:
		case u.Kind == policy.XForce:
			out.XForces = append(out.XForces, c.forceOf(roster, u, n))
		case u.Kind == policy.LineDepartment:
			out.Departments = append(out.Departments, c.forceOf(roster, u, n))
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

func (c *call) forceOf(roster *team.Roster, u *person.Unit, n names) ForceUnit {
	view := c.may(policy.TeamView)
	out := ForceUnit{Unit: c.unitOf(u), Members: len(roster.People(u.ID, c.at)), OnDuty: roster.Standing(u.ID, c.at).OnDuty, Seen: c.CoversUnit(&view, u)}
	if id, ok := roster.Head(u.ID, c.at); ok {
		out.Head = new(n.of(id))
	}
	for _, p := range roster.Posts(u.ID, c.at) {
		switch p.Role { //nolint:exhaustive // the others are members
		case policy.ProBonoLawyer:
			out.Lawyers++
		case policy.Volunteer:
			out.Volunteers++
		}
	}
	return out
}

// villagesOf counts the grid staff of each village, and names its stationed officers.
func (c *call) villagesOf(below []policy.Area, staff []team.AreaPost, n names) []VillageStaff {
	out := []VillageStaff{}
	place := map[string]int{}
	for _, a := range below {
		if a.Level == policy.Village {
			place[a.Code] = len(out)
			out = append(out, VillageStaff{Village: *c.areaOf(a), Stationed: []Stationed{}})
		}
	}
	l := c.State().Layout
	for i := range staff {
		p := &staff[i]
		code := p.Area.Code
		if level, unit, ok := l.Unit(jurisdiction.Role(p.Area.Level), code); ok && p.Area.Level != policy.Village {
			for _, up := range l.Parents(level, unit) {
				if up.Level == jurisdiction.RoleVillage {
					code = up.Code
				}
			}
		}
		k, ok := place[code]
		if !ok {
			continue
		}
		v := &out[k]
		switch p.Role { //nolint:exhaustive // no others are read
		case policy.GridLeader:
			v.GridLeaders++
		case policy.GridWorker:
			v.GridWorkers++
		case policy.MicrogridLeader:
			v.MicrogridLeaders++
		case policy.StationedOfficer:
			s := Stationed{Person: n.of(p.Person), Station: optional(string(p.Station))}
			if p.Unit != 0 {
				s.Unit = new(c.dutyUnit(p.Unit))
			}
			v.Stationed = append(v.Stationed, s)
		}
	}
	return out
}

// readCalendar gives somebody's shifts to whoever holds the address's secret.
func (a *api) readCalendar(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	secret, _ := strings.CutSuffix(r.PathValue("secret"), ".ics")
	id, err := c.Teams.WhoseCalendar(r.Context(), secret)
	if err != nil {
		return err
	}
	shifts, err := c.Teams.ShiftsOf(r.Context(), id, c.at.Add(-team.Behind))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="duty.ics"`)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	return team.WriteCalendar(w, c.Code, worktime.Words{ZH: "我的值班", EN: "My duty"}, shifts, func(id policy.UnitID) worktime.Words {
		u, _ := c.UnitNamed(id)
		return u.Name
	})
}
