package api

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

func (a *api) listCities(w http.ResponseWriter, r *http.Request) error {
	type city struct {
		Code      string `json:"code"`
		Name      string `json:"name"`
		NameEN    string `json:"name_en,omitempty"`
		Timezone  string `json:"timezone"`
		Generated bool   `json:"generated"`
	}
	out := struct {
		Cities []city `json:"cities"`
	}{Cities: []city{}}
	for _, c := range a.Server.Cities() {
		out.Cities = append(out.Cities, city{c.Code, c.Name, nameLatin(c.State().Layout), c.Timezone, c.Generated})
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) getCity(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	state := c.State()
	out := City{Code: c.Code, Name: c.Name, Timezone: c.Timezone, Srid: c.SRID, Generated: c.Generated, Levels: []Level{}, Items: []Item{},
		Bbox: []float64{-180, -85, 180, 85}}
	if err := c.tellReports(r, &out); err != nil {
		return err
	}
	for _, l := range c.Levels {
		out.Levels = append(out.Levels, Level{Role: Role(l.Role), Name: l.Name, Count: count(state.Layout, jurisdiction.Role(l.Role))})
	}
	for _, i := range c.Names().Items {
		out.Items = append(out.Items, Item{Code: i.Code, Name: i.Name, NameEn: optional(i.NameEN), Aspect: optional(i.Aspect)})
	}
	for _, k := range report.Kinds {
		out.Kinds = append(out.Kinds, Kind(k))
	}
	for _, s := range report.Sources {
		out.Sources = append(out.Sources, Source(s))
	}
	out.NameEn = optional(nameLatin(state.Layout))
	if state.Layout != nil {
		out.Plan, out.Bbox = new(planOf(state.Layout.Plan)), box(state.Layout.Bound)
	}
	if p, ok := c.Replacing(); ok && c.who != nil {
		out.Replacing = &Progress{Done: int(p.Done), Total: int(p.Total)}
	}
	if list := c.Attribution(); len(list) > 0 {
		out.Attribution = &list
	}
	out.Basemap = optional(a.Basemap != nil)
	return writeJSON(w, http.StatusOK, out)
}

// tellReports adds how many reports there are and of which time, as far as who asks may see reports.
func (c *call) tellReports(r *http.Request, out *City) error {
	reach := c.may(policy.ReportView)
	if reach.Empty() {
		return nil
	}
	at, view := c.Applied(), c.View()
	out.Epoch, out.Seq = &at.Epoch, new(int(at.Seq))
	if first, last, ok := c.span(view, &reach); ok {
		out.First, out.Last = new(first.UTC()), new(last.UTC())
	}
	if !reach.City {
		out.Reports, out.Unplaced = new(int(view.Count(c.Cut(cube.Filter{}, &reach), nil))), new(0)
		return nil
	}
	unplaced, err := c.Reports.Unplaced(r.Context())
	if err != nil {
		return err
	}
	total, _, err := c.Totals(r.Context())
	if err != nil {
		return err
	}
	out.Reports, out.Unplaced = &total, &unplaced
	return nil
}

// span returns the times of the earliest and the latest report within a reach.
func (c *call) span(view cube.View, reach *policy.Reach) (first, last time.Time, any bool) {
	if reach.City {
		return c.Span()
	}
	from, to, any := view.Span(c.Cut(cube.Filter{}, reach))
	return time.Unix(int64(from), 0), time.Unix(int64(to), 0), any
}

// nameLatin is the city's own name in Latin letters, if its plan has it.
func nameLatin(l *jurisdiction.Layout) string {
	if l != nil && len(l.Levels) > 0 && l.Levels[0].Role == jurisdiction.RoleCity && len(l.Levels[0].Units) == 1 {
		return l.Levels[0].Units[0].NameLatin
	}
	return ""
}

func count(l *jurisdiction.Layout, role jurisdiction.Role) int {
	if l != nil {
		for _, lv := range l.Levels {
			if lv.Role == role {
				return len(lv.Units)
			}
		}
	}
	return 0
}

func planOf(p jurisdiction.Plan) Plan {
	out := Plan{Name: p.Name, Version: p.Version, State: PlanState(p.State), CreatedAt: p.CreatedAt, InForceFrom: p.InForceFrom,
		AcceptedGaps: optional(p.AcceptedGaps), Findings: map[string]int{}}
	for _, s := range []coverage.Severity{coverage.Repaired, coverage.Warning, coverage.Refused} {
		out.Findings[string(s)] = p.Findings[s]
	}
	return out
}

func (a *api) listPlans(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	list, err := c.Plans.Plans(r.Context())
	if err != nil {
		return err
	}
	out := struct {
		Plans []Plan `json:"plans"`
	}{Plans: []Plan{}}
	drafts := c.may(policy.PlanView)
	for _, p := range list {
		if !drafts.Empty() || p.State == jurisdiction.Published || p.State == jurisdiction.Retired {
			out.Plans = append(out.Plans, planOf(p))
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) getJurisdiction(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	f := q.filter(c.Zone, c.at)
	if err := q.done(); err != nil {
		return err
	}
	l := c.State().Layout
	if l == nil {
		return fault.NotFound("no boundary plan is in force yet")
	}
	role, code := jurisdiction.Role(r.PathValue("level")), r.PathValue("code")
	level, unit, ok := l.Unit(role, code)
	if !ok {
		return fault.NotFound("the plan in force has no %.20s %.64q", role, code)
	}
	u := &l.Levels[level].Units[unit]
	out := Jurisdiction{Level: Role(role), Code: u.Code, Name: u.Name, NameLatin: optional(u.NameLatin), Plan: l.Plan.Name, AreaM2: u.AreaM2,
		Households: u.Households, Population: u.Population, Bbox: box(u.Bound), Center: &[]float64{u.Center[0], u.Center[1]},
		Parents: []JurisdictionRef{}, Neighbours: []JurisdictionRef{}, Generated: l.Generated}
	for _, p := range l.Parents(level, unit) {
		out.Parents = append(out.Parents, refOf(p))
	}
	for _, n := range l.Neighbours(level, unit) {
		out.Neighbours = append(out.Neighbours, refOf(n))
	}
	if reach := c.may(policy.ReportView); !reach.Empty() {
		out.Reports = new(c.CountIn(role, code, c.Cut(f.cube(c), &reach)))
	}
	return writeJSON(w, http.StatusOK, out)
}

func refOf(r jurisdiction.Ref) JurisdictionRef {
	return JurisdictionRef{Level: Role(r.Level), Code: r.Code, Name: r.Name, NameLatin: optional(r.NameLatin)}
}

// unitRef names a code of the plan in force; a code it does not have (of an older plan) stands for itself.
func unitRef(l *jurisdiction.Layout, role jurisdiction.Role, code string) JurisdictionRef {
	out := JurisdictionRef{Level: Role(role), Code: code, Name: code}
	if l == nil {
		return out
	}
	if level, unit, ok := l.Unit(role, code); ok {
		return refOf(jurisdiction.Ref{Level: role, Unit: &l.Levels[level].Units[unit]})
	}
	return out
}

func box(b orb.Bound) []float64 { return []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]} }

func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func utc(t time.Time) time.Time { return t.UTC() }

func uuidOf(id report.ID) uuid.UUID { return uuid.UUID(id) }
