package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gridgov/internal/casework"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// ownChanges is how long a list waits for what this node has just committed: who did something sees it done.
const ownChanges = 250 * time.Millisecond

// ListCases reads a page of the cases of the reports that a reach covers: of open ones from the board, else from the tables.
// count: what is open is counted, too.
func (l *Live) ListCases(ctx context.Context, q casework.Query, reach *policy.Reach, count bool) (casework.Page, error) {
	l.readBy(&q, reach)
	if q.OnBoard() {
		l.seeOwnChanges(ctx)
		return l.board.Load().List(&q, l.State().lies(reach), count)
	}
	if len(reach.Areas) > 0 {
		q.Within = l.State().within(reach)
	}
	most := cmp.Or(l.LookThrough, lookThrough)
	look := max(most/8, 1)
	having := func() ([]report.Num, error) { return l.Reports.Having(ctx, q.Search.Query) }
	switch {
	case q.Search == nil || q.Nums != nil:
	case q.Open():
		l.seeOwnChanges(ctx)
		return l.searchBoard(ctx, q, l.State().lies(reach), look, most, having)
	case q.Ended():
		return l.Cases.SearchEnded(ctx, q, look, most, having)
	}
	return l.Cases.List(ctx, q)
}

// searchBoard reads a page of open cases by words: a frequent word is found among what the board has first; of another having tells all
// reports that have it.
func (l *Live) searchBoard(ctx context.Context, q casework.Query, lies func(*casework.Entry) bool, look, most int, having func() ([]report.Num, error)) (casework.Page, error) {
	board := l.board.Load()
	found := func(nums []report.Num) ([]report.Num, error) { return l.Cases.Found(ctx, &q, nums) }
	page, whole, err := board.Search(&q, lies, look, most, found)
	if err != nil || whole {
		return page, err
	}
	narrow := q
	if narrow.Nums, err = having(); err != nil {
		return page, err
	}
	page, _, err = board.Search(&narrow, lies, look, 0, found)
	return page, err
}

// CountCases tells how many open cases of the reports that a reach covers each query selects.
func (l *Live) CountCases(ctx context.Context, queries []casework.Query, reach *policy.Reach) []int {
	l.seeOwnChanges(ctx)
	for i := range queries {
		l.readBy(&queries[i], reach)
	}
	return l.board.Load().Count(queries, l.State().lies(reach))
}

// readBy says who reads, but for the territory.
func (l *Live) readBy(q *casework.Query, reach *policy.Reach) {
	q.Whole, q.Led = reach.City, reach.Units
	if reach.Own {
		q.Filer = reach.Me
	}
}

// lies tells of an open case whether it lies, or may lie, in the territory of a reach; nil: there is none.
func (s *State) lies(reach *policy.Reach) func(*casework.Entry) bool {
	if len(reach.Areas) == 0 || reach.City {
		return nil
	}
	areas := policy.Reach{Areas: reach.Areas}
	return func(e *casework.Entry) bool {
		if slices.ContainsFunc(areas.Areas, e.Cell.In) {
			return true
		}
		if len(e.Candidates) == 0 {
			return false
		}
		subject := s.subject(&Cell{e.Cell, e.Candidates})
		return areas.Covers(&subject) != policy.Hidden
	}
}

// About is an open case as rights see it.
func (s *State) About(e *casework.Entry) policy.Subject {
	out := s.subject(&Cell{e.Cell, e.Candidates})
	out.Filer, out.Units = e.Filer, e.About
	return out
}

// Across are the grids near the border at which a report lies, or in which it may lie as well, with what holds them; the nearest
// first.
func (s *State) Across(p *report.Placement) (cells []policy.Cell) {
	for _, grid := range append(slices.Clone(p.Near), p.Candidates...) {
		if cell := s.cellOf(grid); grid != p.Grid && !slices.Contains(cells, cell) {
			cells = append(cells, cell)
		}
	}
	return cells
}

// seeOwnChanges waits until the board has what was committed here. It is a courtesy: a list that is a moment old is better than
// none.
func (l *Live) seeOwnChanges(ctx context.Context) {
	at := feed.ID{Epoch: l.Applied().Epoch, Seq: feed.Seq(l.kept.Load())}
	if l.Applied().Seq >= at.Seq {
		return
	}
	short, cancel := context.WithTimeout(ctx, ownChanges)
	defer cancel()
	_ = l.WaitApplied(short, at)
}

// loadBoard reads what is open anew.
func (l *Live) loadBoard(ctx context.Context) error {
	list, err := l.Cases.OpenCases(ctx)
	if err != nil {
		return err
	}
	l.board.Store(casework.NewBoard(list))
	return nil
}

// boardNews brings the board up to date with what the feed told of.
func (l *Live) boardNews(ctx context.Context, n *news) error {
	nums := slices.Clone(n.nums)
	nums = append(nums, n.cases...)
	if len(nums) > 0 {
		slices.Sort(nums)
		nums = slices.Compact(nums)
		list, err := l.Cases.OpenCasesOf(ctx, nums)
		if err != nil {
			return err
		}
		l.board.Load().Put(nums, list)
	}
	for _, r := range append(slices.Clone(n.ranges), n.opened...) {
		list, err := l.Cases.OpenCasesBetween(ctx, r.from, r.to)
		if err != nil {
			return err
		}
		var there []report.Num
		for _, e := range list {
			if len(there) == 0 || there[len(there)-1] != e.Report {
				there = append(there, e.Report)
			}
		}
		l.board.Load().Put(there, list)
	}
	return nil
}
