package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/audit"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// matter is a case with its report, as the reader of it stands to it.
type matter struct {
	*casework.Case
	rep     report.Report
	subject policy.Subject // with the units of all parts
	sight   caseSight
}

// matterOf finds the case of the path, as far as a reach covers its report. That there is one elsewhere is nobody's business.
func (c *call) matterOf(r *http.Request, view *policy.Reach) (matter, error) {
	none := fault.NotFound("there is no case %.40q", r.PathValue("case"))
	ref, ok := casework.ParseRef(r.PathValue("case"))
	if !ok {
		return matter{}, none
	}
	m, err := c.matter(r.Context(), ref, view)
	if fault.Is(err, fault.KindNotFound) {
		return matter{}, none
	}
	return m, err
}

func (c *call) matter(ctx context.Context, ref casework.Ref, view *policy.Reach) (m matter, err error) {
	if m.rep, err = c.Reports.Get(ctx, ref.Report); err != nil {
		return m, err
	}
	list, err := c.Subjects(ctx, []report.Report{m.rep}, view, &c.reach)
	if err != nil {
		return m, err
	}
	m.subject = list[0]
	if view.Covers(&m.subject) == policy.Hidden {
		return matter{}, fault.NotFound("there is no case %s", ref)
	}
	m.sight = sightOf(*view, &m.subject)
	m.Case, err = c.Cases.Get(ctx, ref)
	return m, err
}

// mayOn tells whether an action may be done with a case that these units lead or support, and by which post.
func (c *call) mayOn(action policy.Action, s policy.Subject, units []policy.UnitID) (policy.PostID, bool) {
	reach := c.may(action)
	s.Units = units
	return reach.Post, reach.Covers(&s) == policy.Whole
}

func (a *api) getCase(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	m, err := c.matterOf(r, &c.reach)
	if err != nil {
		return err
	}
	out, err := c.caseDetail(r.Context(), &m)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// caseDetail is all that is told of one case.
func (c *call) caseDetail(ctx context.Context, m *matter) (CaseDetail, error) {
	k := m.Case
	out := CaseDetail{Ref: k.Ref.String(), Num: int(k.Report), Part: k.Part, Task: k.Task, Item: k.Item, Rating: optional(k.Rating), Parts: []CaseRow{},
		Acts: []DoneAct{}, Late: []LateAct{}, AllowedActions: []AllowedAct{}}
	if k.Part > 0 {
		out.Parent = new(casework.Ref{Report: k.Report, Part: k.Parent}.String())
	}
	out.SupervisedAt = moment(k.SupervisedAt)
	if k.MergedInto != nil {
		out.MergedInto = new(k.MergedInto.String())
	}
	if k.Asked != nil {
		out.Asked = new(wordsOf(k.Asked.By.Words()))
	}
	if m.sight == partly {
		out.Partly = new(true)
	} else {
		out.Title = m.rep.Title
	}
	if m.sight == inWhole {
		out.Object = optional(k.Object)
	}
	shown, err := c.caseAs(ctx, k, m.sight, true)
	if err != nil {
		return out, err
	}
	out.Case = *shown
	parts, err := c.Cases.Parts(ctx, k.Ref)
	if err != nil {
		return out, err
	}
	for i := range parts {
		out.Parts = append(out.Parts, c.caseRow(&parts[i], &m.rep, m.sight))
	}
	if err := c.tellHistory(ctx, m, &out); err != nil {
		return out, err
	}
	if out.Photos, err = c.casePhotos(ctx, m); err != nil {
		return out, err
	}
	if out.AllowedActions, err = c.allowedActs(ctx, m, casework.OpenPartsOf(parts)); err != nil {
		return out, err
	}
	if _, may := c.mayOn(policy.CaseTriage, m.subject, k.Units()); may && k.State == casework.Returned {
		d, err := c.Cases.Propose(ctx, k)
		if err != nil {
			return out, err
		}
		out.Proposal = &CaseProposal{Unit: c.caseUnit(d.Unit), Supporting: c.caseUnits(d.Supporting), Rule: d.Rule, Why: wordsOf(d.Words)}
	}
	return out, nil
}

// allowedActs are the acts that who asks may do with a case now, with what each has to carry.
func (c *call) allowedActs(ctx context.Context, m *matter, openParts int) ([]AllowedAct, error) {
	out := []AllowedAct{}
	if c.who == nil {
		return out, nil
	}
	terms, err := c.Cases.Terms(ctx, m.Case)
	if err != nil {
		return nil, err
	}
	may := func(action policy.Action) bool {
		_, may := c.mayOn(action, m.subject, m.Units())
		return may
	}
	for _, act := range casework.Allowed(m.Case, terms, casework.Doing{At: c.at, Person: c.who.Person, May: may, OpenParts: openParts}) {
		one := AllowedAct{Act: CaseActName(act), Needs: []AllowedActNeeds{}}
		for _, need := range casework.Needs(m.Case, act, may) {
			one.Needs = append(one.Needs, AllowedActNeeds(need))
		}
		out = append(out, one)
	}
	return out, nil
}

// tellHistory adds what was done with a case, and who has claimed it.
func (c *call) tellHistory(ctx context.Context, m *matter, out *CaseDetail) error {
	acts, err := c.Cases.History(ctx, m.Ref)
	if err != nil {
		return err
	}
	late, err := c.Cases.LateActs(ctx, m.Ref)
	if err != nil {
		return err
	}
	var people []uuid.UUID
	if m.sight == inWhole {
		people = append(people, m.Handler)
		for i := range acts {
			people = append(people, acts[i].Person)
		}
		for i := range late {
			people = append(people, late[i].Person)
		}
	}
	people = slices.DeleteFunc(people, func(id uuid.UUID) bool { return id == uuid.Nil })
	reach := c.may(policy.PersonView)
	names, err := c.People.NamesWithin(ctx, people, &reach)
	if err != nil {
		return err
	}
	actor := func(d *casework.Done) *Actor {
		if d.Person == uuid.Nil {
			return nil
		}
		by := &Actor{Name: optional(names[d.Person]), Role: optional(string(d.Role))}
		if c.who != nil && d.Person == c.who.Person {
			by.Me = new(true)
		}
		if d.Of != 0 {
			by.Unit = new(c.caseUnit(d.Of))
		}
		return by
	}
	isMine := func(d *casework.Done) bool { return c.who != nil && d.Person == c.who.Person }
	handler := casework.Done{Person: m.Handler}
	for i := range acts {
		d := &acts[i]
		if d.Person == m.Handler {
			handler = *d
		}
		one := DoneAct{N: d.N, At: utc(d.At), Act: string(d.Act), Was: CaseState(d.Was), Is: CaseState(d.Is), By: actor(d), Target: optional(d.Target),
			Verdict: d.Verdict, Rating: optional(d.Rating), Stage: d.Stage, Parts: optional(d.Parts)}
		if m.sight == inWhole || m.sight == asTeller && (isMine(d) || d.Act == casework.Reject) { // who told it is told why
			one.Reason = optional(d.Reason)
		}
		if m.sight == inWhole {
			one.DoneAt = moment(d.DoneAt)
			if len(d.Evidence) > 0 {
				one.Evidence = &d.Evidence
			}
		}
		if d.Unit != 0 {
			one.Unit = new(c.caseUnit(d.Unit))
		}
		if d.By != nil && !d.By.IsZero() {
			one.MoreTime = new(wordsOf(d.By.Words()))
		}
		if d.SettledBy != "" {
			one.SettledBy = new(CaseSettledBy(d.SettledBy))
		}
		if d.Measure != "" {
			one.Measure = new(Measure(d.Measure))
		}
		out.Acts = append(out.Acts, one)
	}
	out.Handler = actor(&handler)
	for i := range late {
		l := &late[i]
		if m.sight != inWhole && !(m.sight == asTeller && isMine(&l.Done)) {
			continue
		}
		one := LateAct{N: l.N, At: utc(l.At), DoneAt: moment(l.DoneAt), Seen: l.Seen, Was: CaseState(l.Was), After: l.After, Act: CaseActName(l.Act),
			Before: []CaseActName{}, By: actor(&l.Done), Reason: optional(l.Reason), Verdict: l.Verdict, SettledBy: optional(CaseSettledBy(l.SettledBy)),
			Measure: optional(Measure(l.Measure))}
		for _, act := range l.Before {
			one.Before = append(one.Before, CaseActName(act))
		}
		if m.sight == inWhole && len(l.Evidence) > 0 {
			one.Evidence = &l.Evidence
		}
		out.Late = append(out.Late, one)
	}
	return nil
}

// caseRow is a case as lists show it.
func (c *call) caseRow(row *casework.Row, rep *report.Report, sight caseSight) CaseRow {
	p := placementOf(c.Live, &rep.Placement)
	out := CaseRow{Ref: row.Ref.String(), Num: int(row.Report), Part: row.Part, Task: row.Task, Item: row.Item, Lon: rep.Lon, Lat: rep.Lat, Town: p.Town,
		Village: p.Village, Grid: p.Grid, State: CaseState(row.State), Version: row.Version, Unit: c.caseUnit(row.Unit), OpenedAt: utc(row.OpenedAt),
		AmberAt: moment(row.AmberAt), DueAt: moment(row.DueAt)}
	if sight == partly {
		out.Partly = new(true)
	} else {
		out.Title = rep.Title
	}
	if c.who != nil && row.Handler == c.who.Person {
		out.Mine = new(true)
	}
	return out
}

func (a *api) listCases(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	query := q.queue(c)
	query.Search = q.search(c)
	count := q.yes("count")
	if err := q.done(); err != nil {
		return err
	}
	page, err := c.ListCases(r.Context(), query, &c.reach, count)
	if err != nil {
		return err
	}
	out := CasePage{Cases: []CaseRow{}, Next: optional(page.Next)}
	if page.Total >= 0 {
		out.Total = &page.Total
	}
	if len(page.Rows) == 0 {
		return writeJSON(w, http.StatusOK, out)
	}
	of := map[report.Num]int{} // in the reports below
	var nums []report.Num
	for i := range page.Rows {
		nums = append(nums, page.Rows[i].Report)
	}
	reports, err := c.Reports.List(r.Context(), report.Query{Nums: nums, Limit: len(nums)})
	if err != nil {
		return err
	}
	subjects, err := c.Subjects(r.Context(), reports.Reports, &c.reach)
	if err != nil {
		return err
	}
	for i := range reports.Reports {
		of[reports.Reports[i].Num] = i
	}
	for i := range page.Rows {
		n, there := of[page.Rows[i].Report]
		// Asked once more, by other code than the list's condition: a report may have moved, or a case gone to another unit.
		if there && c.reach.Covers(&subjects[n]) != policy.Hidden {
			row := c.caseRow(&page.Rows[i], &reports.Reports[n], sightOf(c.reach, &subjects[n]))
			c.suggest(&row, &page.Rows[i], &reports.Reports[n], &subjects[n])
			out.Cases = append(out.Cases, row)
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) actOnCase(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in struct {
		NewAct
		Version *int `json:"version"` // what is left out is told apart from 0
	}
	if err := decode(r, maxReport, &in); err != nil {
		return err
	}
	// An identity may have been read some seconds ago: an act is judged by the posts that are held now.
	posts, err := c.People.PostsOf(r.Context(), c.Pool, c.who.Person)
	if err != nil {
		return err
	}
	actor := *c.actor
	actor.Posts = posts
	c.actor = &actor
	if c.reach = c.may(policy.CaseAct); c.reach.Empty() {
		return refusal(c.who)
	}
	view := c.may(policy.ReportView)
	m, err := c.matterOf(r, &view)
	if err != nil {
		return err
	}
	subjects := map[report.Num]policy.Subject{m.Report: m.subject}
	if c.reach.Covers(&m.subject) != policy.Whole {
		return fault.Forbidden("not_allowed", "none of your posts in force lets you do anything with this case")
	}
	ask, err := askOf(&in.NewAct, in.Version)
	if err != nil {
		return err
	}
	ask.Ref, ask.Person = m.Ref, c.who.Person
	if ask.Target != nil && ask.Target.Report != m.Report {
		other, err := c.Reports.Get(r.Context(), ask.Target.Report)
		if fault.Is(err, fault.KindNotFound) {
			return fault.NotFound("there is no case %s", ask.Target)
		}
		if err != nil {
			return err
		}
		if subjects[other.Num], err = c.subject(r.Context(), &other, &view); err != nil {
			return err
		}
	}
	ask.May = app.MayOn(c.actor, c.at, subjects)
	// The record names the post that allows the last of the acts, by the case as it was seen; each act's own is in the history.
	by := audit.AuthorOf(r.Context())
	if post := app.PostOf(&ask, m.Case); post != 0 {
		by.Post = int64(post)
	}
	done, err := c.Cases.Do(audit.By(r.Context(), by), ask)
	if f, ok := fault.As(err); ok && (f.Field == string(casework.NeedBudget) || f.Field == "limit") {
		named := *f
		named.Field = "by"
		return &named
	}
	if err != nil {
		return err
	}
	m.Case = done
	out, err := c.caseDetail(r.Context(), &m)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// askOf reads an act that somebody asks for.
func askOf(in *NewAct, version *int) (casework.Ask, error) {
	out := casework.Ask{Reason: text(in.Reason), Verdict: in.Verdict, Object: text(in.Object)}
	var acts []casework.Act
	field := "act"
	switch {
	case in.Act != nil && in.Acts != nil:
		return out, fault.Invalid("acts", "both_given", "give act, or acts, not both")
	case in.Act != nil:
		acts = append(acts, casework.Act(*in.Act))
	case in.Acts != nil:
		field = "acts"
		for _, act := range *in.Acts {
			acts = append(acts, casework.Act(act))
		}
	}
	if len(acts) == 0 {
		return out, fault.Invalid(field, "required", "say what to do: allowed_actions of the case tells what may be done")
	}
	for _, act := range acts {
		if !slices.ContainsFunc(casework.Table, func(t casework.Transition) bool { return t.Act == act }) {
			return out, fault.Invalid(field, "unknown_value", "%.40q is nothing that is done with a case", string(act))
		}
	}
	out.Act, out.Before = acts[len(acts)-1], acts[:len(acts)-1]
	switch {
	case version == nil:
		return out, fault.Invalid("version", "required", "give the version of the case that you saw")
	case *version < 0:
		return out, fault.Invalid("version", "out_of_range", "%d is no version of a case", *version)
	}
	out.Version = *version
	if in.Key != nil {
		out.Key = *in.Key
	}
	if in.DoneAt != nil {
		out.DoneAt = *in.DoneAt
	}
	out.KeepLate = in.KeepLate != nil && *in.KeepLate
	if in.Target != nil {
		ref, ok := casework.ParseRef(*in.Target)
		if !ok {
			return out, fault.Invalid("target", "bad_case", "%.40q is not what a case is called, such as 1234 or 1234-2", *in.Target)
		}
		out.Target = &ref
	}
	if in.By != nil {
		by, err := worktime.ParseBudget(*in.By)
		if f, ok := fault.As(err); ok {
			f.Field = "by"
			return out, f
		}
		out.By = by
	}
	for _, number := range []struct {
		field   string
		from    *int
		to      *int
		most    int
		atLeast int
	}{{"stage", in.Stage, &out.Stage, 99, 0}, {"rating", in.Rating, &out.Rating, 5, 1}} {
		if number.from == nil {
			continue
		}
		if *number.from < number.atLeast || *number.from > number.most {
			return out, fault.Invalid(number.field, "out_of_range", "%d is not a number from %d to %d", *number.from, number.atLeast, number.most)
		}
		*number.to = *number.from
	}
	if in.SettledBy != nil {
		out.SettledBy = casework.SettledBy(*in.SettledBy)
		if !slices.Contains(casework.Settlers, out.SettledBy) {
			return out, fault.Invalid("settled_by", "unknown_value", "%.40q is none of %v", string(out.SettledBy), casework.Settlers)
		}
	}
	if in.Measure != nil {
		out.Measure = casework.Measure(*in.Measure)
	}
	if in.Officers != nil {
		out.Officers = *in.Officers
	}
	if in.Evidence != nil {
		out.Evidence = *in.Evidence
	}
	unit := func(field string, n *int, to *policy.UnitID) error {
		if n != nil && *n < 1 {
			return fault.Invalid(field, "unknown_unit", "there is no unit %d", *n)
		}
		if n != nil {
			*to = policy.UnitID(*n)
		}
		return nil
	}
	if err := unit("unit", in.Unit, &out.Unit); err != nil {
		return out, err
	}
	if in.Supporting != nil {
		for _, n := range *in.Supporting {
			var id policy.UnitID
			if err := unit("supporting", &n, &id); err != nil {
				return out, err
			}
			out.Supporting = append(out.Supporting, id)
		}
	}
	if in.Parts != nil {
		for i, p := range *in.Parts {
			part := casework.Part{Item: text(p.Item)}
			if err := unit("parts["+strconv.Itoa(i)+"].unit", p.Unit, &part.Unit); err != nil {
				return out, err
			}
			out.Parts = append(out.Parts, part)
		}
	}
	return out, nil
}
