package api

import (
	"math"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// queue reads what a queue is asked for.
func (q *query) queue(c *call) casework.Query {
	f := casework.Filter{Aspects: q.list("aspect"), Items: q.list("item"), Towns: q.list("town"), Due: casework.Due(q.get("due")), Mine: q.yes("mine"), Last: q.either("order", "asc", "desc")}
	for _, s := range q.list("state") {
		state, ok := casework.ParseState(s)
		if !ok {
			q.fail(fault.Invalid("state", "unknown_value", "%.40q is none of %v", s, casework.States))
		}
		f.States = append(f.States, state)
	}
	for _, n := range q.numbers("unit", math.MaxInt64) {
		f.Units = append(f.Units, policy.UnitID(n))
	}
	for _, n := range q.numbers("team", math.MaxInt64) {
		f.Teams = append(f.Teams, policy.UnitID(n))
	}
	for _, s := range q.list("settled_by") {
		f.Settled = append(f.Settled, casework.SettledBy(s))
	}
	for _, s := range q.list("colour") {
		f.Colours = append(f.Colours, casework.Colour(s))
	}
	if q.either("sort", "due", "opened") {
		f.Sort = casework.ByOpened
	}
	if err, ok := fault.As(f.Check()); ok {
		if named := map[string]string{"colours": "colour", "aspects": "aspect", "items": "item", "towns": "town", "units": "unit", "teams": "team", "states": "state"}[err.Field]; named != "" {
			err.Field = named
		}
		q.fail(err)
	}
	out := f.Query(c.mine(), c.at, c.Zone, c.Regime().Catalogue)
	if before := q.time("due_before", c.Zone); !before.IsZero() {
		out.DueBefore = before
	}
	for _, n := range q.numbers("num", math.MaxUint32) {
		out.Nums = append(out.Nums, report.Num(n))
	}
	if len(out.Nums) > 200 {
		q.fail(fault.Invalid("num", "too_many", "at most 200 numbers"))
	}
	out.After, out.Limit = q.get("after"), q.integer("limit", 1, 200, 50)
	return out
}

// mine is what is somebody's own: what they have claimed, and what a unit has in which they hold a post now.
func (c *call) mine() *casework.Mine {
	out := &casework.Mine{Person: c.actor.Person}
	for i := range c.actor.Posts {
		if p := &c.actor.Posts[i]; p.Unit != 0 && p.InForce(c.at) {
			out.Units = append(out.Units, p.Unit)
		}
	}
	return out
}

// yes reads a parameter that is true or false.
func (q *query) yes(name string) bool {
	switch s := q.get(name); s {
	case "", "false":
	case "true":
		return true
	default:
		q.fail(fault.Invalid(name, "unknown_value", "%.40q is neither true nor false", s))
	}
	return false
}

// either reads a parameter that is one of two words, and tells whether it is the second.
func (q *query) either(name, usual, other string) bool {
	switch s := q.get(name); s {
	case "", usual:
	case other:
		return true
	default:
		q.fail(fault.Invalid(name, "unknown_value", "%.40q is neither %s nor %s", s, usual, other))
	}
	return false
}

// numbers reads whole numbers from 1 to most.
func (q *query) numbers(name string, most int64) (list []int64) {
	for _, s := range q.list(name) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 || n > most {
			q.fail(fault.Invalid(name, "unknown_value", "%.40q is no number from 1 to %d", s, most))
		}
		list = append(list, n)
	}
	return list
}

// suggest adds to a row of the queue what its desk may want to look at: that it may be told twice, or lie across a border.
func (c *call) suggest(out *CaseRow, row *casework.Row, rep *report.Report, s *policy.Subject) {
	reach := c.may(policy.CaseTriage)
	if reach.Covers(s) != policy.Whole || !row.State.Open() {
		return
	}
	if casework.Needs(&casework.Case{State: row.State}, casework.Merge, func(policy.Action) bool { return true }) != nil {
		n := 0
		for _, d := range c.Duplicates(row.Ref, row.Item) {
			there := c.State().About(d.Entry)
			if d.SameItem && reach.Covers(&there) == policy.Whole {
				n++
			}
		}
		out.Duplicates = optional(n)
	}
	if len(c.State().Across(&rep.Placement)) > 0 {
		out.BorderM = rep.Placement.BorderM
	}
}

// toTriage finds the case of the path, which the desk that asks may triage.
func (c *call) toTriage(r *http.Request) (matter, error) {
	view := c.may(policy.ReportView)
	m, err := c.matterOf(r, &view)
	if err != nil {
		return m, err
	}
	if c.reach.Covers(&m.subject) != policy.Whole {
		return m, fault.Forbidden("not_allowed", "none of your posts in force lets you triage this case")
	}
	return m, nil
}

func (a *api) listDuplicates(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	m, err := c.toTriage(r)
	if err != nil {
		return err
	}
	out := Duplicates{Duplicates: []Duplicate{}}
	found := c.Duplicates(m.Ref, m.Item)
	if len(found) == 0 {
		return writeJSON(w, http.StatusOK, out)
	}
	var nums []report.Num
	for i := range found {
		nums = append(nums, found[i].Report)
	}
	reports, err := c.Reports.List(r.Context(), report.Query{Nums: nums, Limit: len(nums)})
	if err != nil {
		return err
	}
	photos := c.may(policy.PhotoView)
	subjects, err := c.Subjects(r.Context(), reports.Reports, &c.reach, &photos)
	if err != nil {
		return err
	}
	for i := range found {
		for k := range reports.Reports {
			rep, s := &reports.Reports[k], &subjects[k]
			if rep.Num != found[i].Report || c.reach.Covers(s) != policy.Whole {
				continue
			}
			one := Duplicate{Case: c.caseRow(&found[i].Row, rep, inWhole), DistanceM: math.Round(found[i].DistanceM*10) / 10,
				ApartS: int(found[i].Apart.Seconds()), SameItem: found[i].SameItem, CapturedAt: utc(rep.CapturedAt)}
			if photos.Covers(s) == policy.Whole {
				shown, err := c.Photos.Of(r.Context(), photo.Use{Report: rep.Num})
				if err != nil {
					return err
				}
				if len(shown) > 0 {
					one.Photo = new(uuid.UUID(shown[0]))
				}
			}
			out.Duplicates = append(out.Duplicates, one)
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) listNeighbours(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	m, err := c.toTriage(r)
	if err != nil {
		return err
	}
	l := c.State().Layout
	out := Neighbours{Grid: unitRef(l, jurisdiction.RoleGrid, m.rep.Placement.Grid), BorderM: m.rep.Placement.BorderM, Neighbours: []Neighbour{}}
	cells := c.State().Across(&m.rep.Placement)
	if len(cells) == 0 {
		return writeJSON(w, http.StatusOK, out)
	}
	decisions, err := c.Cases.ProposeIn(r.Context(), m.Case, cells)
	if err != nil {
		return err
	}
	for i, d := range decisions {
		one := Neighbour{Grid: unitRef(l, jurisdiction.RoleGrid, cells[i].Grid), Unit: c.caseUnit(d.Unit), Supporting: c.caseUnits(d.Supporting),
			Same: d.Unit == m.Unit, Why: wordsOf(d.Words)}
		if cells[i].Village != "" {
			one.Village = new(unitRef(l, jurisdiction.RoleVillage, cells[i].Village))
		}
		if cells[i].Town != "" {
			one.Town = new(unitRef(l, jurisdiction.RoleTown, cells[i].Town))
		}
		out.Neighbours = append(out.Neighbours, one)
	}
	return writeJSON(w, http.StatusOK, out)
}
