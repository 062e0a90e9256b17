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
	t := &Terms{Calendar: r.Calendar}
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

func openCase(s Standing, m *report.Matter) (*Opened, error) {
	at := OpenedAt(m)
	f := assign.Facts{Item: m.Item, Kind: string(m.Kind), Cell: m.Cell, AtWork: s.Regime.Calendar.AtWork(at)}
	if item := s.Regime.Catalogue.Item(m.Item); item != nil {
		f.ItemName, f.Aspect = item.Name, item.Aspect
	} else {
		f.ItemName = s.ItemName(m.Item)
	}
	d, err := s.Regime.Rules.Decide(s.World, &f)
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

// clockTypes are those of ClockColumns from n on.
var clockTypes = []string{"smallint", "text", "smallint", "jsonb", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "timestamptz", "boolean"}

// clockFirst is where the columns of a clock's own begin: before them stand report and part.
const clockFirst = 2

// With implements [report.Cases]: the case's row, its clocks as arrays, and what was done with it, which is nothing of nearly
// all.
func (i *Intake) With(first int) string { return with("r", "num", first, false) }

// with are the CTEs that keep an opened case of the number that a CTE has. Guarded, nothing is kept where the report has a
// case.
func with(from, num string, first int, guarded bool) string {
	n := first
	next := func() string { n++; return fmt.Sprintf("$%d", n-1) }
	list := func(count int) string {
		all := make([]string, count)
		for k := range all {
			all[k] = next()
		}
		return strings.Join(all, ", ")
	}
	var s strings.Builder
	conflict := ""
	if guarded {
		conflict = " ON CONFLICT DO NOTHING"
	}
	fmt.Fprintf(&s, `opened AS (
		INSERT INTO cases (%s) SELECT %s, %s FROM %s%s
		RETURNING report_num
	)`, strings.Join(Columns, ", "), num, list(len(Columns)-1), from, conflict)
	arrays := make([]string, len(clockTypes))
	for k, t := range clockTypes {
		arrays[k] = next() + "::" + t + "[]"
	}
	own := strings.Join(ClockColumns[clockFirst:], ", ")
	fmt.Fprintf(&s, `, clocks AS (
		INSERT INTO clock (report_num, part, %s) SELECT report_num, 0, k.* FROM opened, unnest(%s) AS k (%s)
	)`, own, strings.Join(arrays, ", "), own)
	fmt.Fprintf(&s, `, done AS (
		INSERT INTO case_act (report_num, part, n, at, act, was, is_now, detail)
		SELECT report_num, 0, a.n, a.at, a.act, a.was, a.is_now, '{}' FROM opened, unnest(%s::integer[], %s::timestamptz[], %s::text[], %s::text[], %s::text[]) AS a (n, at, act, was, is_now)
	)`, next(), next(), next(), next(), next())
	return s.String()
}

// Args implements [report.Opened]: the arguments of With.
func (o *Opened) Args() []any {
	args := slices.Clone(o.row[1:])
	for k := range clockTypes {
		args = append(args, columnOf(k, o.clocks))
	}
	var ns []int32
	var ats []time.Time
	var acts, was, is []string
	if a := o.Act; a != nil {
		ns, ats, acts, was, is = []int32{int32(a.N)}, []time.Time{a.At}, []string{string(a.Act)}, []string{string(a.Was)}, []string{string(a.Is)}
	}
	return append(args, ns, ats, acts, was, is)
}

// columnOf are the values of a clock's own column, as an array.
func columnOf(k int, rows [][]any) any {
	switch clockTypes[k] {
	case "smallint":
		return column(rows, k, func(v any) int16 { return int16(v.(int)) }) //nolint:errcheck // ClockValues has it so
	case "text":
		return column(rows, k, func(v any) string { return string(v.(ClockKind)) }) //nolint:errcheck // likewise
	case "jsonb":
		return column(rows, k, func(v any) []byte { return v.([]byte) }) //nolint:errcheck // likewise
	case "boolean":
		return column(rows, k, func(v any) bool { return v.(bool) }) //nolint:errcheck // likewise
	}
	return column(rows, k, func(v any) *time.Time {
		switch v := v.(type) {
		case time.Time:
			return &v
		case *time.Time:
			return v
		}
		panic(fmt.Sprintf("casework: %T is no time", v))
	})
}

func column[T any](rows [][]any, k int, of func(any) T) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = of(row[clockFirst+k])
	}
	return out
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
