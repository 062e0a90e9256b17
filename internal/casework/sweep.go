package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// DueClock is a running clock whose next moment has come, with what of its case decides who is told.
type DueClock struct {
	Ref
	N     int // of the case's clocks
	Kind  ClockKind
	Clock worktime.Clock
	// Amber and Due are as kept; Told is how much was told of grant ToldRound.
	Amber, Due      time.Time
	ToldRound, Told int

	State        State
	Version      int
	Item         string
	Unit         policy.UnitID
	Supporting   []policy.UnitID
	Handler      uuid.UUID
	SupervisedAt time.Time
	Cell         policy.Cell
}

// Round counts how often time was granted: each may be told anew, while a pause or another calendar grants nothing.
func (d *DueClock) Round() int { return Round(d.Clock) }

// Round counts the grants of a clock.
func Round(c worktime.Clock) (n int) {
	for _, m := range c.Marks() {
		switch m.Act {
		case worktime.ActStart, worktime.ActExtend, worktime.ActReopen, worktime.ActRework, worktime.ActRelimit:
			n++
		}
	}
	return n
}

// NextDue is when the next clock has to be looked at; zero: none.
func NextDue(ctx context.Context, pool *pgxpool.Pool) (time.Time, error) {
	var at *time.Time
	if err := pool.QueryRow(ctx, `SELECT min(next_at) FROM clock WHERE next_at IS NOT NULL`).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("look for the next clock: %w", err)
	}
	return deref(at), nil
}

// TakeDue locks clocks whose moment has come, the earliest first, with their cases. What another transaction is at is left to it,
// or to the next time: nothing waits here, so nothing can wait for each other.
func TakeDue(ctx context.Context, tx pgx.Tx, now time.Time, most int) ([]DueClock, error) {
	rows, err := tx.Query(ctx, `
		SELECT k.report_num, k.part, k.n, k.kind, k.marks, k.amber_at, k.due_at, k.told_round, k.told_step,
			c.state, c.version, c.item, c.unit_id, c.supporting, c.handler, c.supervised_at,
			coalesce(p.town, ''), coalesce(p.village, ''), coalesce(p.grid, ''), coalesce(p.microgrid, '')
		FROM clock k JOIN cases c ON c.report_num = k.report_num AND c.part = k.part JOIN placement p ON p.report_num = k.report_num
		WHERE k.next_at <= $1 ORDER BY k.next_at, k.report_num, k.part, k.n LIMIT $2
		FOR UPDATE OF k, c SKIP LOCKED`, now, most)
	if err != nil {
		return nil, fmt.Errorf("look for clocks that are due: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d DueClock, err error) {
		var marks []byte
		var amber, due, supervised *time.Time
		var handler *uuid.UUID
		err = row.Scan(&d.Report, &d.Part, &d.N, &d.Kind, &marks, &amber, &due, &d.ToldRound, &d.Told, &d.State, &d.Version, &d.Item, &d.Unit, &d.Supporting,
			&handler, &supervised, &d.Cell.Town, &d.Cell.Village, &d.Cell.Grid, &d.Cell.Microgrid)
		if err != nil {
			return d, err
		}
		d.Amber, d.Due, d.SupervisedAt, d.Handler = deref(amber).UTC(), deref(due).UTC(), deref(supervised), deref(handler)
		return d, d.Clock.UnmarshalJSON(marks)
	})
	if err != nil {
		return nil, fmt.Errorf("look for clocks that are due: %w", err)
	}
	return list, nil
}

// Told is what becomes of a clock that was looked at.
type Told struct {
	Ref
	N           int
	Round, Step int
	Next        time.Time // zero: nothing is to come
}

// Tell writes down what was told of clocks, by one statement.
func Tell(ctx context.Context, tx pgx.Tx, list []Told) error {
	n := len(list)
	nums, parts, ns, rounds, steps, next := make([]int64, n), make([]int, n), make([]int, n), make([]int, n), make([]int, n), make([]*time.Time, n)
	for i := range list {
		t := &list[i]
		nums[i], parts[i], ns[i], rounds[i], steps[i], next[i] = int64(t.Report), t.Part, t.N, t.Round, t.Step, orNull(t.Next)
	}
	_, err := tx.Exec(ctx, `
		UPDATE clock k SET told_round = t.round, told_step = t.step, next_at = t.next
		FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::smallint[], $5::smallint[], $6::timestamptz[]) AS t (num, part, n, round, step, next)
		WHERE k.report_num = t.num AND k.part = t.part AND k.n = t.n`, nums, parts, ns, rounds, steps, next)
	if err != nil {
		return fmt.Errorf("write down what was told: %w", err)
	}
	return nil
}

// SuperviseBy is an act of the service: the town looks after cases that stay overdue. It does to them what the act of a leader does.
// The cases are locked ([TakeDue]) and open; each is named once. words say why.
func SuperviseBy(ctx context.Context, tx pgx.Tx, at time.Time, list []*DueClock, words func(*DueClock) worktime.Words) (feed.Step, error) {
	var step feed.Step
	n := len(list)
	if n == 0 {
		return step, nil
	}
	nums, parts, states, details := make([]int64, n), make([]int, n), make([]string, n), make([][]byte, n)
	for i, d := range list {
		w := words(d)
		more, err := json.Marshal(detail{Words: &w})
		if err != nil {
			return step, err
		}
		nums[i], parts[i], states[i], details[i] = int64(d.Report), d.Part, string(d.State), more
		step.Events = append(step.Events, feed.Event{Type: feed.CaseChanged, Data: feed.Case{Num: uint32(d.Report), Part: d.Part, Version: d.Version + 1,
			State: string(d.State), Units: unitNumbers(append([]policy.UnitID{d.Unit}, d.Supporting...))}})
		is := recorded{d.State, d.Unit}
		step.Records = append(step.Records, audit.Record{Act: "case." + string(Supervise), Subject: d.subject(), Before: is, After: is})
	}
	_, err := tx.Exec(ctx, `
		WITH t AS (SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::jsonb[]) AS t (num, part, state, detail)),
		done AS (
			UPDATE cases c SET version = c.version + 1, supervised_at = $5 FROM t WHERE c.report_num = t.num AND c.part = t.part
			RETURNING c.report_num, c.part, c.version
		)
		INSERT INTO case_act (report_num, part, n, at, act, was, is_now, detail)
		SELECT d.report_num, d.part, d.version, $5, $6, t.state, t.state, t.detail FROM done d JOIN t ON t.num = d.report_num AND t.part = d.part`,
		nums, parts, states, details, at, Supervise)
	if err != nil {
		return step, fmt.Errorf("put cases under supervision: %w", err)
	}
	return step, nil
}

// StillRunning tells for each of the clocks whether it runs, as it did when round grants of it were made.
func StillRunning(ctx context.Context, q querier, refs []Ref, clocks, rounds []int) ([]Running, error) {
	n := len(refs)
	nums, parts := make([]int64, n), make([]int, n)
	for i, r := range refs {
		nums[i], parts[i] = int64(r.Report), r.Part
	}
	out := make([]Running, n)
	rows, err := q.Query(ctx, `
		SELECT t.ord, k.marks FROM unnest($1::bigint[], $2::smallint[], $3::smallint[]) WITH ORDINALITY AS t (num, part, n, ord)
		JOIN clock k ON k.report_num = t.num AND k.part = t.part AND k.n = t.n`, nums, parts, clocks)
	if err != nil {
		return nil, fmt.Errorf("read clocks: %w", err)
	}
	var ord int
	var marks []byte
	_, err = pgx.ForEachRow(rows, []any{&ord, &marks}, func() error {
		var c worktime.Clock
		if err := c.UnmarshalJSON(marks); err != nil {
			return err
		}
		out[ord-1] = Running{c.Phase() == worktime.Running && Round(c) == rounds[ord-1], c.Limit().Unit() == worktime.ClockHour}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read clocks: %w", err)
	}
	return out, nil
}

// Running is what StillRunning tells of a clock.
type Running struct {
	Still  bool // it runs, and no time was granted since
	Urgent bool // its limit is in clock hours
}
