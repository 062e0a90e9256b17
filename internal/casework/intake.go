package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/assign"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// Standing is what decides about a case at a moment.
type Standing struct {
	Regime   *regime.Regime
	World    *assign.World
	ItemName func(code string) worktime.Words // of items that the list does not have; zero: no such item is known
	Opened   func(policy.UnitID)              // is told who leads a case that was opened and is open; may be nil
}

// Intake opens a case for each report as it is kept. It implements [report.Cases].
type Intake struct {
	At func(time.Time) Standing // what decides at a moment, from memory
	// Now is asked what decides: a report is decided when it comes, be the matter as old as it may.
	Now func() time.Time
}

// Opened is the case of a report that is about to be kept.
type Opened struct {
	Case     *Case
	Act      *ActRow // what has been done with it; nil: nothing
	calendar *worktime.Calendar
	row      []any
	clocks   [][]any
}

// ActRow is a row of table case_act.
type ActRow struct {
	N       int
	At      time.Time
	Act     Act
	Was, Is State
}

// OpenedAt is from when a case of a report counts. What is told here counts from when it is here: a phone may have been
// without a network, or its clock be wrong, and nobody could have acted before. What is brought from elsewhere (an import,
// a demo's reports) was known there when it was made, and counts from then, so that its times are the real ones; it is as
// late as it is. No case begins after it is here.
func OpenedAt(m *report.Matter) time.Time {
	at := m.ReceivedAt
	if (m.Source == "import" || m.Generated) && m.CapturedAt.Before(at) {
		at = m.CapturedAt
	}
	return at.UTC().Truncate(time.Microsecond)
}

// TermsOf are what a regime says of an item.
func TermsOf(r *regime.Regime, item string) *Terms {
	t := &Terms{Calendar: r.Calendar, CalendarID: r.CalendarID}
	limits := r.Catalogue.Other
	if i := r.Catalogue.Item(item); i != nil {
		limits, t.MaySettle = i.Limits, i.MaySettle
	}
	t.First = limits.First
	for _, s := range limits.Stages {
		t.Stages = append(t.Stages, Stage(s))
	}
	t.Steps = Steps(r.Catalogue.Steps)
	return t
}

// Open implements [report.Cases].
func (i *Intake) Open(m *report.Matter) (report.Opened, error) {
	o, err := openCase(i.At(i.Now()), m)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// decide finds the unit of a matter by the rules; units that gave it back are passed over.
func decide(s *Standing, m *report.Matter, at time.Time, not ...policy.UnitID) (assign.Decision, error) {
	f := assign.Facts{Item: m.Item, Kind: string(m.Kind), Cell: m.Cell, AtWork: s.Regime.Calendar.AtWork(at), Not: not}
	if item := s.Regime.Catalogue.Item(m.Item); item != nil {
		f.ItemName, f.Aspect = item.Name, item.Aspect
	} else {
		f.ItemName = s.ItemName(m.Item)
	}
	return s.Regime.Rules.Decide(s.World, &f)
}

func openCase(s Standing, m *report.Matter) (*Opened, error) {
	at := OpenedAt(m)
	d, err := decide(&s, m, at)
	if err != nil {
		return nil, err
	}
	o := &Opened{calendar: s.Regime.Calendar}
	t := TermsOf(s.Regime, m.Item)
	c := Case{Ref: Ref{Report: m.Num}, Item: m.Item, CatalogueID: s.Regime.CatalogueID, RulesID: s.Regime.RulesID}
	if m.ClosedAt == nil {
		o.Case, err = Open(c, d, t, at)
	} else {
		o.Case, err = OpenPast(c, d, t, at)
	}
	if err != nil {
		return nil, fmt.Errorf("open the case of a report: %w", err)
	}
	if m.ClosedAt != nil {
		end := m.ClosedAt.UTC().Truncate(time.Microsecond)
		if end.Before(at) {
			end = at // it ended before it began: the report keeps what it came with
		}
		was := o.Case.State
		if o.Case, err = Concluded(o.Case, t, end); err != nil {
			return nil, fmt.Errorf("close the case of a report: %w", err)
		}
		o.Act = &ActRow{N: o.Case.Version, At: end, Act: Conclude, Was: was, Is: o.Case.State}
	} else if s.Opened != nil {
		s.Opened(d.Unit)
	}
	if o.row, err = o.Case.Values(o.calendar); err != nil {
		return nil, err
	}
	o.clocks, err = o.Case.ClockValues(o.calendar)
	return o, err
}

// Units implements [report.Opened].
func (o *Opened) Units() []int64 {
	list := []int64{int64(o.Case.Unit)}
	for _, u := range o.Case.Supporting {
		list = append(list, int64(u))
	}
	return list
}

var actColumns = []string{"report_num", "part", "n", "at", "act", "was", "is_now", "detail"}

func (a *ActRow) values(r Ref) []any {
	return []any{r.Report, r.Part, a.N, a.At, a.Act, a.Was, a.Is, json.RawMessage(`{}`)}
}

// Shape implements [report.Opened]: how many clocks there are, and whether something was done with it.
func (o *Opened) Shape() int {
	shape := 2 * len(o.clocks)
	if o.Act != nil {
		shape++
	}
	return shape
}

// Types implements [report.Cases].
func (i *Intake) Types(shape int) []string { return typesOf(shape) }

func typesOf(shape int) []string {
	types := slices.Clone(columnTypes)
	for range shape / 2 {
		types = append(types, clockTypes...)
	}
	if shape%2 == 1 {
		types = append(types, actTypes...)
	}
	return types
}

// With implements [report.Cases]: the case's row, its clocks, and what was done with it, which is nothing of nearly all. Each
// shape has a statement of its own: arrays for any number of clocks would cost the database half as much again.
func (i *Intake) With(shape int, arg func(i int) string) string { return with(shape, arg, "") }

// with are the CTEs that keep the opened cases of the reports that CTE n has.
func with(shape int, arg func(i int) string, onConflict string) string {
	taken := 0
	take := func(count int) string {
		all := make([]string, count)
		for k := range all {
			all[k] = arg(taken + k)
		}
		taken += count
		return strings.Join(all, ", ")
	}
	var s strings.Builder
	fmt.Fprintf(&s, `opened AS (
		INSERT INTO cases (%s) SELECT num, %s FROM n%s
		RETURNING report_num
	)`, strings.Join(Columns, ", "), take(len(columnTypes)), onConflict)
	if clocks := shape / 2; clocks > 0 {
		rows := make([]string, clocks)
		for k := range rows {
			rows[k] = "(" + take(len(clockTypes)) + ")"
		}
		fmt.Fprintf(&s, `, clocks AS (
		INSERT INTO clock (report_num, part, %s) SELECT num, 0, c.* FROM n JOIN opened ON report_num = num, LATERAL (VALUES %s) c
	)`, strings.Join(ClockColumns[2:], ", "), strings.Join(rows, ", "))
	}
	if shape%2 == 1 {
		fmt.Fprintf(&s, `, done AS (
		INSERT INTO case_act (report_num, part, %s) SELECT num, 0, %s FROM n JOIN opened ON report_num = num
	)`, strings.Join(actColumns[2:], ", "), take(len(actTypes)))
	}
	return s.String()
}

// The types of Columns after report_num, of ClockColumns and of actColumns after report_num and part.
var (
	columnTypes = []string{"smallint", "smallint", "boolean", "text", "integer", "text", "bigint", "bigint", "integer", "bigint", "bigint[]", "text", "text",
		"bigint[]", "uuid", "uuid", "timestamptz", "timestamptz", "timestamptz", "text", "smallint", "jsonb", "bigint", "smallint", "text", "smallint",
		"timestamptz", "timestamptz", "timestamptz"}
	clockTypes = []string{"smallint", "text", "smallint", "jsonb", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "boolean", "bigint"}
	actTypes   = []string{"integer", "timestamptz", "text", "text", "text", "jsonb"}
)

// Args implements [report.Opened]: the arguments of With.
func (o *Opened) Args() []any {
	args := slices.Clone(o.row[1:])
	for _, clock := range o.clocks {
		args = append(args, clock[2:]...)
	}
	if o.Act != nil {
		args = append(args, o.Act.values(o.Case.Ref)[2:]...)
	}
	return args
}

// Copy implements [report.Cases].
func (i *Intake) Copy(ctx context.Context, tx pgx.Tx, nums []report.Num, cases []report.Opened) error {
	var clocks, acts [][]any
	rows := make([][]any, len(cases))
	for k, of := range cases {
		o, ok := of.(*Opened)
		if !ok {
			return fmt.Errorf("case %d was opened elsewhere", nums[k])
		}
		rows[k] = o.row
		rows[k][0] = int64(nums[k])
		for _, clock := range o.clocks {
			clock[0] = int64(nums[k])
			clocks = append(clocks, clock)
		}
		if o.Act != nil {
			acts = append(acts, o.Act.values(Ref{Report: nums[k]}))
		}
	}
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{{"cases", Columns, rows}, {"clock", ClockColumns, clocks}, {"case_act", actColumns, acts}} {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.table}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
			return fmt.Errorf("copy %s: %w", t.table, err)
		}
	}
	return nil
}
