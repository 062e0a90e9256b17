package api

import (
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/patrol"
	"gridgov/internal/policy"
)

// coversCell tells whether a reach covers what lies in a cell. What lies in none lies in the city still.
func coversCell(r *policy.Reach, c *policy.Cell) bool {
	return c.Grid == "" && wholeCity(r) || r.Covers(&policy.Subject{Cell: *c}) == policy.Whole
}

// mayPatrol tells whether who asks may do an action with a point. One that they may not see is not there.
func (c *call) mayPatrol(action policy.Action) patrol.May {
	view, reach := c.may(policy.PatrolView), c.may(action)
	return func(p *patrol.Point) error {
		switch {
		case coversCell(&reach, &p.Cell):
			return nil
		case coversCell(&view, &p.Cell):
			return refusal(c.who)
		}
		return patrol.NoPointAt(p.ID)
	}
}

// parts are the parts of a city that are asked for.
type parts struct{ towns, villages, grids []string }

func (q *query) parts() parts { return parts{q.list("town"), q.list("village"), q.list("grid")} }

func (p *parts) have(c *policy.Cell) bool {
	has := func(list []string, code string) bool { return list == nil || slices.Contains(list, code) }
	return has(p.towns, c.Town) && has(p.villages, c.Village) && has(p.grids, c.Grid)
}

func (a *api) listPatrolPoints(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	asked, states := q.parts(), q.list("state")
	for _, s := range states {
		if !slices.Contains(patrol.States, patrol.State(s)) {
			q.fail(fault.Invalid("state", "unknown_value", "%.40q is none of ok, due, overdue, never", s))
		}
	}
	if err := q.done(); err != nil {
		return err
	}
	points, err := c.Patrols.Points(r.Context())
	if err != nil {
		return err
	}
	edit, visit := c.may(policy.PatrolEdit), c.may(policy.PatrolVisit)
	people := make([]uuid.UUID, len(points))
	for i := range points {
		people[i] = points[i].ChangedBy
	}
	named, err := c.People.Names(r.Context(), people)
	if err != nil {
		return err
	}
	out := PatrolPointList{Points: []PatrolPoint{}, MaySet: !edit.Empty()}
	for i := range points {
		p := &points[i]
		if !asked.have(&p.Cell) || !coversCell(&c.reach, &p.Cell) || states != nil && !slices.Contains(states, string(p.Standing(c.at, c.Zone).State)) {
			continue
		}
		out.Points = append(out.Points, c.patrolPointOf(p, &edit, &visit, named))
	}
	return writePrivate(w, http.StatusOK, out)
}

// patrolPointOf tells of a point; who changed it last, to who may change it too.
func (c *call) patrolPointOf(p *patrol.Point, edit, visit *policy.Reach, n names) PatrolPoint {
	s := p.Standing(c.at, c.Zone)
	out := PatrolPoint{Id: int(p.ID), Name: p.Name, Note: optional(p.Note), Lon: p.Place[0], Lat: p.Place[1], RhythmDays: p.RhythmDays, Version: p.Version, MadeAt: utc(p.MadeAt),
		ChangedAt: utc(p.ChangedAt), Generated: optional(p.Generated), State: string(s.State), LastAt: moment(p.Last), Due: s.Due, OverdueDays: s.OverdueDays, May: []string{}}
	for _, in := range []struct {
		to   **JurisdictionRef
		role jurisdiction.Role
		code string
	}{{&out.Grid, jurisdiction.RoleGrid, p.Cell.Grid}, {&out.Village, jurisdiction.RoleVillage, p.Cell.Village}, {&out.Town, jurisdiction.RoleTown, p.Cell.Town}} {
		if in.code != "" {
			*in.to = new(unitRef(c.State().Layout, in.role, in.code))
		}
	}
	if coversCell(edit, &p.Cell) {
		out.May, out.ChangedBy = append(out.May, "edit"), new(n.of(p.ChangedBy))
	}
	if coversCell(visit, &p.Cell) {
		out.May = append(out.May, "visit")
	}
	return out
}

func (c *call) writePatrolPoint(w http.ResponseWriter, r *http.Request, status int, p *patrol.Point) error {
	edit, visit := c.may(policy.PatrolEdit), c.may(policy.PatrolVisit)
	named, err := c.People.Names(r.Context(), []uuid.UUID{p.ChangedBy})
	if err != nil {
		return err
	}
	return writePrivate(w, status, c.patrolPointOf(p, &edit, &visit, named))
}

// pointGiven reads a place whose halves a body may lack.
func pointGiven(lon, lat *float64) (orb.Point, error) {
	switch {
	case lon == nil:
		return orb.Point{}, fault.Invalid("lon", "required", "is missing")
	case lat == nil:
		return orb.Point{}, fault.Invalid("lat", "required", "is missing")
	}
	return orb.Point{*lon, *lat}, nil
}

func (a *api) setPatrolPoint(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewPatrolPoint
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	place, err := pointGiven(in.Lon, in.Lat)
	if err != nil {
		return err
	}
	p, err := c.Patrols.Set(r.Context(), patrol.Point{Name: in.Name, Note: trimmed(in.Note), Place: place, RhythmDays: in.RhythmDays}, c.mayPatrol(policy.PatrolEdit))
	if err != nil {
		return err
	}
	return c.writePatrolPoint(w, r, http.StatusCreated, &p)
}

func (a *api) changePatrolPoint(w http.ResponseWriter, r *http.Request, c *call) error {
	var in PatrolPointChange
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := numbered(r, "id", "point")
	if err != nil {
		return err
	}
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	p, err := c.Patrols.Change(r.Context(), patrol.PointID(id), in.Version, patrol.Change{Name: in.Name, Note: in.Note, Lon: in.Lon, Lat: in.Lat, RhythmDays: in.RhythmDays},
		c.mayPatrol(policy.PatrolEdit))
	if err != nil {
		return err
	}
	return c.writePatrolPoint(w, r, http.StatusOK, &p)
}

func (a *api) removePatrolPoint(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	version := q.integer("version", 1, math.MaxInt32, 0)
	if version == 0 {
		q.fail(fault.Invalid("version", "required", "say which version you saw"))
	}
	if err := q.done(); err != nil {
		return err
	}
	id, err := numbered(r, "id", "point")
	if err != nil {
		return err
	}
	return noContent(w, c.Patrols.Remove(r.Context(), patrol.PointID(id), version, c.mayPatrol(policy.PatrolEdit)))
}

func (a *api) restorePatrolPoint(w http.ResponseWriter, r *http.Request, c *call) error {
	var in PatrolPointVersion
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := numbered(r, "id", "point")
	if err != nil {
		return err
	}
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	p, err := c.Patrols.Restore(r.Context(), patrol.PointID(id), in.Version, c.mayPatrol(policy.PatrolEdit))
	if err != nil {
		return err
	}
	return c.writePatrolPoint(w, r, http.StatusOK, &p)
}

func (a *api) listPatrolVisits(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	id, limit := patrol.PointID(q.integer("point", 1, math.MaxInt64, 0)), q.integer("limit", 1, 200, 50)
	if id == 0 {
		q.fail(fault.Invalid("point", "required", "say of which point"))
	}
	if err := q.done(); err != nil {
		return err
	}
	p, err := c.Patrols.Point(r.Context(), id)
	if err == nil {
		err = c.mayPatrol(policy.PatrolView)(&p)
	}
	if err != nil {
		return err
	}
	visits, err := c.Patrols.Visits(r.Context(), id, limit)
	if err != nil {
		return err
	}
	people := make([]uuid.UUID, len(visits))
	for i := range visits {
		people[i] = visits[i].Person
	}
	named, err := c.People.Names(r.Context(), people)
	if err != nil {
		return err
	}
	edit := c.may(policy.PatrolEdit)
	out := PatrolVisitList{Visits: make([]PatrolVisit, len(visits))}
	for i := range visits {
		out.Visits[i] = c.patrolVisitOf(&visits[i], named, coversCell(&edit, &p.Cell))
	}
	return writePrivate(w, http.StatusOK, out)
}

// patrolVisitOf tells of a visit; who it was and what they wrote, to who may know, and to themselves. Where they stood exactly is told to
// nobody: the distance says what it is asked for.
func (c *call) patrolVisitOf(v *patrol.Visit, n names, whole bool) PatrolVisit {
	out := PatrolVisit{Id: v.ID.String(), Point: int(v.Point), At: utc(v.At), ToldAt: utc(v.ToldAt), DistanceM: v.DistanceM, AccuracyM: v.AccuracyM, Counts: v.Counts(),
		Flags: []string{}, Mine: c.who != nil && v.Person == c.who.Person, Generated: optional(v.Generated)}
	for _, f := range v.Flags() {
		out.Flags = append(out.Flags, string(f))
	}
	if whole || out.Mine {
		out.By, out.Note = new(n.of(v.Person)), optional(v.Note)
	}
	return out
}

func (a *api) tellPatrolVisit(w http.ResponseWriter, r *http.Request, c *call) error {
	var in NewPatrolVisit
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	id, f := patrol.ParseVisitID(in.Id)
	if f != nil {
		return f
	}
	place, err := pointGiven(in.Lon, in.Lat)
	if err != nil {
		return err
	}
	if in.AccuracyM == nil {
		return fault.Invalid("accuracy_m", "required", "is missing")
	}
	v, existed, err := c.Patrols.Tell(r.Context(), patrol.Visit{ID: id, Point: patrol.PointID(in.Point), At: in.At, Place: &place, AccuracyM: *in.AccuracyM, Note: trimmed(in.Note)},
		c.mayPatrol(policy.PatrolVisit))
	if err != nil {
		return err
	}
	named, err := c.People.Names(r.Context(), []uuid.UUID{v.Person})
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if existed {
		status = http.StatusOK
	}
	return writePrivate(w, status, c.patrolVisitOf(&v, named, true))
}

// The window of a coverage.
const (
	usualCoverage = 30 // days
	maxCoverage   = 366 * 24 * time.Hour
)

func (a *api) getPatrolCoverage(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	from, to, asked := q.time("from", c.Zone), q.time("to", c.Zone), q.parts()
	if err := q.done(); err != nil {
		return err
	}
	if to.IsZero() {
		to = c.at
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -usualCoverage)
	}
	if !to.After(from) || to.Sub(from) > maxCoverage {
		return fault.Invalid("to", "out_of_range", "ask for at most 366 days, from the first on")
	}
	tallies, err := c.Patrols.Tallies(r.Context(), from, to)
	if err != nil {
		return err
	}
	found := patrol.Cover(c.Area(), c.GridCells(), func(cell *policy.Cell) bool { return asked.have(cell) && coversCell(&c.reach, cell) }, tallies)
	l := c.State().Layout
	edit := c.may(policy.PatrolEdit)
	out := PatrolCoverage{From: utc(from), To: utc(to), Grids: make([]PatrolGrid, len(found.Grids)), Areas: make([]PatrolArea, len(found.Areas)), Visited: rateOf(found.Total.Visited),
		NoPoint: found.Total.NoPoint}
	for i := range found.Grids {
		g := &found.Grids[i]
		out.Grids[i] = PatrolGrid{Grid: unitRef(l, jurisdiction.RoleGrid, g.Grid), State: string(g.State), Points: g.Points, Visits: g.Visits, LastAt: moment(g.Last), Village: optional(g.Village),
			Town: optional(g.Town), MaySet: coversCell(&edit, &g.Cell)}
	}
	for i := range found.Areas {
		area := &found.Areas[i]
		out.Areas[i] = PatrolArea{Area: unitRef(l, jurisdiction.Role(area.Level), area.Code), Visited: rateOf(area.Visited), NoPoint: area.NoPoint}
	}
	return writePrivate(w, http.StatusOK, out)
}
