package casework

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"unique"

	"github.com/google/uuid"

	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// Board holds a city's open cases in memory, sorted as queues are. Whatever is asked of it — a part of the city, a unit, an item,
// how many there are — is one pass over what is open, which is a small part of what there is: a million cases take no longer
// than those of them that are open. What keeps it follows the feed (package app).
type Board struct {
	mu       sync.RWMutex
	of       map[report.Num][]*Entry
	byDue    []*Entry
	byOpened []*Entry
}

// Entry is an open case on a board. It is not changed; another one takes its place.
type Entry struct {
	Row
	Supporting []policy.UnitID
	About      []policy.UnitID // that lead or support a part of its report, be it open or not: their people see it
	Cell       policy.Cell     // where its report lies
	Candidates []string        // grids in which it may lie as well
	Filer      uuid.UUID       // nil: nobody with an account
	bit        uint32          // of its state, as bits has it
}

// bits are states as a set of bits: a board asks for them a hundred thousand times.
func bits(states ...State) (set uint32) {
	for _, s := range states {
		set |= 1 << max(0, slices.Index(States, s))
	}
	return set
}

// NewBoard is a board with these cases on it.
func NewBoard(list []*Entry) *Board {
	b := &Board{of: make(map[report.Num][]*Entry, len(list))}
	b.Put(nil, list)
	return b
}

// Put says what is open of some reports: list takes the place of whatever the board has of them.
func (b *Board) Put(nums []report.Num, list []*Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var gone []*Entry
	for _, num := range nums {
		gone = append(gone, b.of[num]...)
		delete(b.of, num)
	}
	for _, e := range list {
		b.of[e.Report] = append(b.of[e.Report], e)
	}
	b.byDue = placed(b.byDue, gone, list, byDue)
	b.byOpened = placed(b.byOpened, gone, list, byOpened)
}

// placed takes some entries out of a sorted list and others into it. What lies between them is moved, not compared.
func placed(sorted, gone, come []*Entry, order func(a, b *Entry) int) []*Entry {
	var out []int
	for _, e := range gone {
		if i, there := slices.BinarySearchFunc(sorted, e, order); there {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	kept := len(sorted)
	if len(out) > 0 {
		kept = out[0]
		for k, i := range out {
			next := len(sorted)
			if k+1 < len(out) {
				next = out[k+1]
			}
			kept += copy(sorted[kept:], sorted[i+1:next])
		}
		clear(sorted[kept:])
		sorted = sorted[:kept]
	}
	come = slices.SortedFunc(slices.Values(come), order)
	sorted = slices.Grow(sorted, len(come))[:kept+len(come)]
	for k := len(come) - 1; k >= 0; k-- {
		i, _ := slices.BinarySearchFunc(sorted[:kept], come[k], order)
		copy(sorted[i+k+1:], sorted[i:kept])
		sorted[i+k], kept = come[k], i
	}
	return sorted
}

func byDue(a, b *Entry) int { return a.Compare(&b.Row) }

func byOpened(a, b *Entry) int {
	return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.Report, b.Report), cmp.Compare(a.Part, b.Part))
}

// Len is how many cases are open.
func (b *Board) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.byDue)
}

// Open tells whether what a query asks for is open, all of it: a board has nothing else.
func (q *Query) Open() bool {
	return !slices.ContainsFunc(q.States, func(s State) bool { return !s.Open() })
}

// Ended tells whether all that a query asks for has ended.
func (q *Query) Ended() bool {
	return q.States != nil && !slices.ContainsFunc(q.States, State.Open)
}

// OnBoard tells whether a board answers a query alone: it knows no words.
func (q *Query) OnBoard() bool { return q.Search == nil && q.Open() }

// List is a page of what a query selects, in its order. lies tells of an entry whether the reader's territory has it; it is not
// asked where the reader sees the whole city. count: how many there are on all pages is told too.
func (b *Board) List(q *Query, lies func(*Entry) bool, count bool) (Page, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	list, order := b.byDue, byDue
	if q.Order == ByOpened {
		list, order = b.byOpened, byOpened
	}
	from := 0
	if q.After != "" {
		last, err := parsePlace(q.After)
		if err != nil {
			return Page{}, err
		}
		mark := &Entry{Row: Row{Ref: last.Ref, OpenedAt: last.due, DueAt: last.due}}
		var there bool
		from, there = slices.BinarySearchFunc(list, mark, order)
		switch {
		case q.Last:
			from = len(list) - from
		case there:
			from++
		}
	}
	page := Page{Rows: []Row{}, Total: -1}
	if count {
		page.Total = 0
	}
	m := q.matcher(lies)
	for i := range list {
		if !count && (i < from || len(page.Rows) > q.Limit) {
			if i < from {
				continue
			}
			break
		}
		e := list[i]
		if q.Last {
			e = list[len(list)-1-i]
		}
		if !m.has(e) {
			continue
		}
		if count {
			page.Total++
		}
		if i >= from && len(page.Rows) <= q.Limit {
			page.Rows = append(page.Rows, e.Row)
		}
	}
	page.cut(q)
	return page, nil
}

// cut leaves a page's rows on it, where there is one more, which tells that there is a next page.
func (p *Page) cut(q *Query) {
	if len(p.Rows) <= q.Limit {
		return
	}
	p.Rows = p.Rows[:q.Limit]
	last := &p.Rows[q.Limit-1]
	at := last.DueAt
	if q.Order == ByOpened {
		at = last.OpenedAt
	}
	p.Next = place{at, last.Ref}.String()
}

// Search is a page of what a query with words selects, in its order: of the first look cases on the board that it selects but for the
// words, of eight times as many, and so on up to most; 0: until there are no others. found tells which of some reports have the words.
// Not whole: there may be others, and no more than hardly any of those had the words, or all that were looked at were not enough.
func (b *Board) Search(q *Query, lies func(*Entry) bool, look, most int, found func([]report.Num) ([]report.Num, error)) (page Page, whole bool, err error) {
	for n := look; most == 0 || n <= most; n *= 8 {
		first := *q
		first.Limit = n
		shown, err := b.List(&first, lies, false)
		if err != nil {
			return Page{}, false, err
		}
		nums := make([]report.Num, len(shown.Rows))
		for i := range shown.Rows {
			nums[i] = shown.Rows[i].Report
		}
		slices.Sort(nums)
		have, err := found(slices.Compact(nums))
		if err != nil {
			return Page{}, false, err
		}
		there := setOf(have)
		page = Page{Rows: slices.DeleteFunc(shown.Rows, func(r Row) bool { return !there[r.Report] }), Total: -1}
		if len(page.Rows) > q.Limit || shown.Next == "" {
			page.cut(q)
			return page, true, nil
		}
		if most > 0 && len(page.Rows) < hardlyAny {
			break
		}
	}
	return page, false, nil
}

// hardlyAny is how many are so few that looking at more of the same is in vain.
const hardlyAny = 3

// Count tells how many cases each of some queries selects, in one pass.
func (b *Board) Count(queries []Query, lies func(*Entry) bool) []int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	counts := make([]int, len(queries))
	matchers := make([]matcher, len(queries))
	for i := range queries {
		matchers[i] = queries[i].matcher(nil)
	}
	for _, e := range b.byDue {
		seen := false
		for i := range matchers {
			if !matchers[i].matches(e) {
				continue
			}
			if !seen && !matchers[i].sees(e, lies) { // they are of one reader
				break
			}
			seen = true
			counts[i]++
		}
	}
	return counts
}

// matcher is a query made ready for many entries.
type matcher struct {
	*Query
	lies         func(*Entry) bool
	states       uint32
	items, towns map[string]bool
	nums         map[report.Num]bool
}

func (q *Query) matcher(lies func(*Entry) bool) matcher {
	m := matcher{q, lies, ^uint32(0), setOf(q.Items), setOf(q.Towns), setOf(q.Nums)}
	if q.States != nil {
		m.states = bits(q.States...)
	}
	return m
}

// setOf is a list as a set; nil of nil.
func setOf[T comparable](list []T) map[T]bool {
	if list == nil {
		return nil
	}
	set := make(map[T]bool, len(list))
	for _, v := range list {
		set[v] = true
	}
	return set
}

func (m *matcher) has(e *Entry) bool { return m.matches(e) && m.sees(e, m.lies) }

// matches tells whether an entry is what the query asks for, whoever asks.
func (m *matcher) matches(e *Entry) bool {
	switch {
	case m.states&e.bit == 0,
		m.nums != nil && !m.nums[e.Report],
		m.items != nil && !m.items[e.Item],
		m.towns != nil && !m.towns[e.Cell.Town],
		m.Units != nil && !e.of(m.Units),
		m.Teams != nil && !slices.Contains(m.Teams, e.Unit),
		m.Settled != nil && !slices.Contains(m.Settled, e.Settled),
		!m.DueBefore.IsZero() && (e.DueAt.IsZero() || !e.DueAt.Before(m.DueBefore)),
		!m.DueFrom.IsZero() && (e.DueAt.IsZero() || e.DueAt.Before(m.DueFrom)),
		m.Colours != nil && !slices.Contains(m.Colours, e.ColourAt(m.At)):
		return false
	}
	return m.Mine == nil || e.Handler == m.Mine.Person && e.Handler != uuid.Nil || e.of(m.Mine.Units)
}

// sees tells whether the reader sees an entry.
func (m *matcher) sees(e *Entry, lies func(*Entry) bool) bool {
	return m.Whole || m.Filer != uuid.Nil && e.Filer == m.Filer || meet(e.About, m.Led) || lies != nil && lies(e)
}

// of tells whether one of some units leads or supports a case.
func (e *Entry) of(units []policy.UnitID) bool {
	return slices.Contains(units, e.Unit) || meet(e.Supporting, units)
}

func meet[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(v T) bool { return slices.Contains(b, v) })
}

// Which reports is said of each table, so that a plan that knows nothing of a table's size, as the first after an import,
// does not read all of one.
const boardRows = `SELECT ` + rowColumns + `, c.supporting, coalesce(p.town, ''), coalesce(p.village, ''), coalesce(p.grid, ''), coalesce(p.microgrid, ''),
	p.candidates, r.filed_by FROM cases c JOIN report r ON r.num = c.report_num JOIN placement p ON p.report_num = c.report_num `

// OpenCases reads all open cases. The condition is that of index cases_open.
func (s *Service) OpenCases(ctx context.Context) ([]*Entry, error) {
	return s.entries(ctx, boardRows+`WHERE c.report_num IN (
		SELECT o.report_num FROM cases o WHERE o.state NOT IN ('closed', 'evaluated', 'rejected', 'merged', 'voided')) ORDER BY c.report_num, c.part`)
}

// OpenCasesOf reads what is open of some reports.
func (s *Service) OpenCasesOf(ctx context.Context, nums []report.Num) ([]*Entry, error) {
	return s.entries(ctx, boardRows+`WHERE c.report_num = ANY ($1) AND r.num = ANY ($1) AND p.report_num = ANY ($1) ORDER BY c.report_num, c.part`, nums)
}

// OpenCasesBetween reads what is open of the reports of some numbers, both among them.
func (s *Service) OpenCasesBetween(ctx context.Context, from, to report.Num) ([]*Entry, error) {
	return s.entries(ctx, boardRows+`WHERE c.report_num BETWEEN $1 AND $2 AND r.num BETWEEN $1 AND $2 AND p.report_num BETWEEN $1 AND $2
		ORDER BY c.report_num, c.part`, int64(from), int64(to))
}

// entries reads cases by report, those that have ended too, and leaves these out once it is known whose people they concern.
func (s *Service) entries(ctx context.Context, sql string, args ...any) ([]*Entry, error) {
	rows, err := s.Pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read open cases: %w", err)
	}
	defer rows.Close()
	var all, report []*Entry
	for rows.Next() {
		e := new(Entry)
		var filer *uuid.UUID
		if err := e.scan(rows, &e.Supporting, &e.Cell.Town, &e.Cell.Village, &e.Cell.Grid, &e.Cell.Microgrid, &e.Candidates, &filer); err != nil {
			return nil, fmt.Errorf("read open cases: %w", err)
		}
		e.Filer = deref(filer)
		for _, s := range []*string{&e.Item, (*string)(&e.State), &e.Cell.Town, &e.Cell.Village, &e.Cell.Grid, &e.Cell.Microgrid} {
			*s = unique.Make(*s).Value() // a few words, in a hundred thousand rows
		}
		if len(report) > 0 && report[0].Report != e.Report {
			all = append(all, openOf(report)...)
			report = report[:0]
		}
		report = append(report, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read open cases: %w", err)
	}
	return append(all, openOf(report)...), nil
}

// openOf are those of the cases of one report that are open; each is told the units of all of them.
func openOf(cases []*Entry) (list []*Entry) {
	var about []policy.UnitID
	for _, e := range cases {
		for _, u := range append([]policy.UnitID{e.Unit}, e.Supporting...) {
			if !slices.Contains(about, u) {
				about = append(about, u)
			}
		}
	}
	for _, e := range cases {
		if e.State.Open() {
			e.About, e.bit = about, bits(e.State)
			list = append(list, e)
		}
	}
	return list
}

// Of are the open cases of a report.
func (b *Board) Of(num report.Num) []*Entry {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clone(b.of[num])
}
