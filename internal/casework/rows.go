package casework

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// Columns are those of table cases, in the order of Values.
var Columns = []string{"report_num", "part", "parent", "task", "state", "version", "item", "catalogue_id", "rules_id", "rule", "unit_id", "supporting",
	"words_zh", "words_en", "returned_by", "handler", "done_by", "opened_at", "dispatched_at", "closed_at", "settled_by", "extensions", "asked",
	"merged_num", "merged_part", "object", "rating", "amber_at", "due_at", "supervised_at"}

// Values are a row of table cases. The times of the clocks are foretold by the calendar.
func (c *Case) Values(cal *worktime.Calendar) ([]any, error) {
	var asked []byte
	if c.Asked != nil {
		var err error
		if asked, err = json.Marshal(c.Asked); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Ref, err)
		}
	}
	var parent, mergedPart *int
	var mergedNum *report.Num
	if c.Part > 0 {
		parent = &c.Parent
	}
	if c.MergedInto != nil {
		mergedNum, mergedPart = &c.MergedInto.Report, &c.MergedInto.Part
	}
	amber, due := c.Due(cal)
	return []any{c.Report, c.Part, parent, c.Task, c.State, c.Version, c.Item, c.CatalogueID, c.RulesID, c.Rule, c.Unit, units(c.Supporting),
		c.Words.ZH, c.Words.EN, units(c.ReturnedBy), orNull(c.Handler), orNull(c.DoneBy), c.OpenedAt, orNull(c.DispatchedAt), orNull(c.ClosedAt),
		orNull(c.SettledBy), c.Extensions, asked, mergedNum, mergedPart, orNull(c.Object), orNull(c.Rating), orNull(amber), orNull(due),
		orNull(c.SupervisedAt)}, nil
}

func (r Ref) String() string {
	if r.Part == 0 {
		return fmt.Sprint(r.Report)
	}
	return fmt.Sprintf("%d-%d", r.Report, r.Part+1) // people count from one
}

// ParseRef reads what String writes, and nothing else.
func ParseRef(s string) (Ref, bool) {
	num, part, split := strings.Cut(s, "-")
	n, err := strconv.ParseUint(num, 10, 32)
	r := Ref{Report: report.Num(n)}
	if split {
		p, err2 := strconv.ParseUint(part, 10, 15)
		r.Part, err = int(p)-1, errors.Join(err, err2)
	}
	return r, err == nil && r.String() == s
}

func units(list []policy.UnitID) []policy.UnitID {
	if list == nil {
		return []policy.UnitID{}
	}
	return list
}

// orNull turns a zero into NULL.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// scan reads a row of Columns but for the clocks' times, which follow from the clocks.
func scan(row pgx.CollectableRow) (*Case, error) {
	c := new(Case)
	var parent, mergedPart, rating *int
	var mergedNum *report.Num
	var handler, doneBy *uuid.UUID
	var dispatched, closed, amber, due, supervised *time.Time
	var settled *SettledBy
	var object *string
	var asked []byte
	err := row.Scan(&c.Report, &c.Part, &parent, &c.Task, &c.State, &c.Version, &c.Item, &c.CatalogueID, &c.RulesID, &c.Rule, &c.Unit, &c.Supporting,
		&c.Words.ZH, &c.Words.EN, &c.ReturnedBy, &handler, &doneBy, &c.OpenedAt, &dispatched, &closed, &settled, &c.Extensions, &asked,
		&mergedNum, &mergedPart, &object, &rating, &amber, &due, &supervised)
	if err != nil {
		return nil, err
	}
	c.Parent, c.Handler, c.DoneBy, c.SettledBy, c.Object, c.Rating = deref(parent), deref(handler), deref(doneBy), deref(settled), deref(object), deref(rating)
	c.OpenedAt, c.DispatchedAt, c.ClosedAt, c.SupervisedAt = c.OpenedAt.UTC(), deref(dispatched).UTC(), deref(closed).UTC(), deref(supervised).UTC()
	if mergedNum != nil {
		c.MergedInto = &Ref{*mergedNum, *mergedPart}
	}
	if asked != nil {
		c.Asked = new(Extension)
		if err := json.Unmarshal(asked, c.Asked); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Ref, err)
		}
	}
	return c, nil
}

// ClockColumns are those of table clock, in the order of ClockValues.
var ClockColumns = []string{"report_num", "part", "n", "kind", "stage", "marks", "started_at", "stopped_at", "amber_at", "due_at", "next_at", "late",
	"calendar_id"}

// ClockValues are the rows of table clock.
func (c *Case) ClockValues(cal *worktime.Calendar) ([][]any, error) {
	rows := make([][]any, len(c.Clocks))
	for n := range c.Clocks {
		k := &c.Clocks[n]
		marks, err := json.Marshal(k.Clock)
		if err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Ref, err)
		}
		s := k.State(cal)
		var next time.Time
		if s.Phase == worktime.Running {
			next = s.Amber
		}
		rows[n] = []any{c.Report, c.Part, n, k.Kind, k.Stage, marks, s.Started, orNull(s.Stopped), orNull(s.Amber), orNull(s.Due), orNull(next),
			s.Phase == worktime.Stopped && s.Late(s.Stopped), orNull(k.Calendar)}
	}
	return rows, nil
}
