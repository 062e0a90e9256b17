package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/audit"
	"gridgov/internal/cube"
	"gridgov/internal/feed"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// Attribution lists whom the city's lines and reports are from, as shown on its map.
func (c *City) Attribution() []string { return c.state.Load().Attribution }

// PlanName names a plan by its number, "" for none.
func (c *City) PlanName(id int64) string { return c.state.Load().planNames[jurisdiction.PlanID(id)] }

// PlanOfVersion is the name of the plan that was published as a version; "" where there is none.
func (c *City) PlanOfVersion(version string) string { return c.state.Load().planVersions[version] }

// loadWords reads attributions and plan names.
func (c *City) loadWords(ctx context.Context, s *State) error {
	plans, err := c.Plans.Plans(ctx)
	if err != nil {
		return err
	}
	s.planNames, s.planVersions = map[jurisdiction.PlanID]string{}, map[string]string{}
	for _, p := range plans {
		s.planNames[p.ID] = p.Name
		if p.Version != "" {
			s.planVersions[p.Version] = p.Name
		}
	}
	s.Attribution, err = attribution(ctx, c.Pool)
	return err
}

func attribution(ctx context.Context, q postgres.Querier) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT text FROM attribution ORDER BY ord`)
	if err != nil {
		return nil, fmt.Errorf("read attributions: %w", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read attributions: %w", err)
	}
	return lines, nil
}

// SetAttribution replaces the city's attributions where they are others.
func (c *City) SetAttribution(ctx context.Context, lines []string) error {
	return pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		if there, err := attribution(ctx, tx); err != nil || slices.Equal(there, lines) {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(`DELETE FROM attribution`)
		for i, text := range lines {
			b.Queue(`INSERT INTO attribution (ord, text) VALUES ($1, $2)`, i, text)
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		_, err := c.Writer.Append(ctx, tx, c.now().UTC(), []feed.Event{{Type: feed.CityChanged, Data: feed.Changed{What: "attribution"}}},
			audit.Record{Act: "attribution.set", Subject: "attribution", After: map[string]any{"lines": len(lines)}})
		return err
	})
}

// Span returns the times of the earliest and the latest report in the cube, in whole seconds; any is false without one.
func (l *Live) Span() (first, last time.Time, any bool) {
	s := l.span.Load()
	if s == nil {
		return first, last, false
	}
	return time.Unix(int64(s[0]), 0), time.Unix(int64(s[1]), 0), true
}

// Totals counts the city's reports: all of them, and those without a point, which the cube does not hold.
func (l *Live) Totals(ctx context.Context) (all, nowhere int, err error) {
	if nowhere, err = l.Reports.Nowhere(ctx); err != nil {
		return 0, 0, err
	}
	return l.View().Len() + nowhere, nowhere, nil
}

// CountIn counts the reports of a jurisdiction that pass the filter.
func (l *Live) CountIn(role jurisdiction.Role, code string, f cube.Filter) int {
	view := l.View() // before the faces: what it holds is among them
	if role != jurisdiction.RoleCity {
		f.Faces = f.Faces.And(l.FacesIn(policy.Area{Level: policy.Level(role), Code: code}))
	}
	return int(view.Count(f, nil))
}

// sparse is up to how many matching reports the cube picks a page's candidates; above that a walk down the index of
// times finds a page sooner.
const sparse = 200_000

// List reads a page of the reports that a reach covers. For a part of the map or of the city the cube says which reports
// can be on the page, so that the database need not walk through all others; page and order are the database's.
func (l *Live) List(ctx context.Context, q report.Query, f cube.Filter, reach *policy.Reach) (report.Page, error) {
	if reach.City {
		return l.list(ctx, q, f)
	}
	var page report.Page
	var err error
	if len(reach.Areas) > 0 {
		cut, lies := q, f
		cut.Within = l.State().within(reach)
		lies.Faces = f.Faces.And(l.Faces(reach))
		if page, err = l.list(ctx, cut, lies); err != nil {
			return page, err
		}
	}
	if reach.Own {
		own := q
		own.FiledBy = &reach.Me
		if q.Search != nil {
			own.Search = &report.Search{Query: q.Search.Query, Own: true}
		}
		more, err := l.Reports.List(ctx, own)
		if err != nil {
			return page, err
		}
		page = page.Merge(more, q.Limit)
	}
	if len(reach.Units) > 0 { // wherever it lies
		led, leads := q, f
		led.Units, leads.Crews = reach.Units, f.Crews.And(l.OfUnits(reach.Units))
		more, err := l.list(ctx, led, leads)
		if err != nil {
			return page, err
		}
		page = page.Merge(more, q.Limit)
	}
	return page, nil
}

func (l *Live) list(ctx context.Context, q report.Query, f cube.Filter) (report.Page, error) {
	if q.Search != nil {
		return l.search(ctx, q, f)
	}
	whole := q.Bound == nil && q.Within == nil && len(q.Areas()) == 0 && q.Units == nil && !q.Fate.Any()
	if whole || q.Nums != nil || q.IDs != nil || len(q.Methods) > 0 || !l.upToDate(ctx) {
		return l.Reports.List(ctx, q)
	}
	view := l.View()
	f, within := l.narrowed(&q, f)
	if view.Count(f, within) > sparse {
		return l.Reports.List(ctx, q)
	}
	// One more than the page, for the reports of the cursor's own second that were on the page before: their number is
	// not known, so a page that comes out short is read again without the cube's help.
	nums := view.Newest(f, within, nil, q.Limit+1)
	narrow := q
	narrow.OrNowhere = orNowhere(&q)
	narrow.Nums = make([]report.Num, len(nums))
	for i, n := range nums {
		narrow.Nums[i] = report.Num(n)
	}
	page, err := l.Reports.List(ctx, narrow)
	if err == nil && page.Next == "" && len(nums) > q.Limit {
		return l.Reports.List(ctx, q)
	}
	return page, err
}

// narrowed is the cube's filter with all of a query's that the cube knows.
func (l *Live) narrowed(q *report.Query, f cube.Filter) (cube.Filter, *orb.Bound) {
	var within *orb.Bound
	if q.Bound != nil { // the cube rounds to cells of about a centimetre
		within = &orb.Bound{Min: orb.Point{q.Bound.Min[0] - cellDeg, q.Bound.Min[1] - cellDeg}, Max: orb.Point{q.Bound.Max[0] + cellDeg, q.Bound.Max[1] + cellDeg}}
	}
	if at, ok := q.Before(); ok {
		if end := at.Unix() + 1; f.To == 0 || end < int64(f.To) {
			f.To = uint32(max(end, 1))
		}
	}
	for _, area := range q.Areas() {
		f.Faces = f.Faces.And(l.FacesIn(policy.Area{Level: policy.Level(area.Role), Code: area.Code}))
	}
	return f, within
}

// orNowhere tells that reports without a point, which the cube does not hold, may be on a page.
func orNowhere(q *report.Query) bool {
	return q.Bound == nil && q.Within == nil && len(q.Areas()) == 0
}

// lookThrough is how many are looked through for words, one after the other; an eighth of them before. What hardly any of these have is
// left to the index of words at once.
const (
	lookThrough = 4000
	hardlyAny   = 3
)

// search reads a page by words. A frequent word is found among the newest reports, one after the other. Of another the index of words
// tells all reports that have it, whatever else was asked for, and the cube which of them can be on the page: to look each of them up
// in the tables would take longer than all the rest.
func (l *Live) search(ctx context.Context, q report.Query, f cube.Filter) (report.Page, error) {
	if q.Nums != nil || q.IDs != nil || len(q.Methods) > 0 || !l.upToDate(ctx) {
		return l.Reports.List(ctx, q)
	}
	view := l.View()
	f, within := l.narrowed(&q, f)
	most := cmp.Or(l.LookThrough, lookThrough)
	page, whole, err := l.among(ctx, q, view.Newest(f, within, nil, most), most)
	if err != nil || whole {
		return page, err
	}
	having, err := l.Reports.Having(ctx, q.Search.Query)
	if err != nil {
		return page, err
	}
	page, whole, err = l.among(ctx, q, view.Newest(f, within, cube.NumsOf(having), most), most)
	if err != nil || whole {
		return page, err
	}
	return l.Reports.List(ctx, q)
}

// among reads a page by words of the newest reports that could be on it, fewer than most if there are no others. Not whole: enough of
// them are not, and what is older has to be read.
func (l *Live) among(ctx context.Context, q report.Query, newest []uint32, most int) (page report.Page, whole bool, err error) {
	q.OrNowhere, q.Nums = orNowhere(&q), make([]report.Num, len(newest))
	for i, num := range newest {
		q.Nums[i] = report.Num(num)
	}
	for _, n := range []int{most / 8, most} {
		if n < 1 || n > len(newest) {
			continue
		}
		first := q
		first.Nums = q.Nums[:n]
		first.Search = &report.Search{Query: q.Search.Query, Own: q.Search.Own, Last: first.Nums[n-1]}
		if page, err = l.Reports.List(ctx, first); err != nil || page.Next != "" {
			return page, true, err
		}
		if len(page.Reports) < hardlyAny && len(newest) >= most {
			return page, false, nil
		}
	}
	if len(newest) >= most {
		return page, false, nil
	}
	page, err = l.Reports.List(ctx, q)
	return page, true, err
}

// behind is how long a list waits for the cube before it does without.
const behind = 250 * time.Millisecond

// upToDate tells whether the cube has all that is committed now, or has it in a moment: a report that was acknowledged is
// on the next page that is asked for.
func (l *Live) upToDate(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, behind)
	defer cancel()
	head, err := feed.Head(ctx, l.Pool)
	return err == nil && l.WaitApplied(ctx, head) == nil
}

// cellDeg is a few of the cube's cells, in degrees.
const cellDeg = 1e-6

// Leave ends the followers and keeps the city open.
func (l *Live) Leave() {
	l.stop()
	l.done.Wait()
}
