package casework

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// Recounted tells what a document that came in force has moved: cases and clocks that have other times since.
type Recounted struct {
	Cases, Clocks int64
}

// recountBatch is how many cases are counted anew in one transaction: who acts on one of them waits for it.
const recountBatch = 250

// Recount counts the clocks of all open cases by the calendar in force, in the place of the older ones. What is stopped keeps
// what was true of it. It is done in transactions of some hundred cases that lock them as acts do, so that no act is lost.
// What is counted by the calendar, or by a later one, is not counted again: several nodes may do it at once, it may stop at
// any moment, and whoever runs it next goes on. When nothing is left it goes on record, once. before is called before each
// transaction; it may be nil.
func (s *Service) Recount(ctx context.Context, calendar *worktime.Calendar, id regime.ID, older []regime.ID, before func(context.Context) error) (moved Recounted, err error) {
	if len(older) == 0 {
		return moved, nil
	}
	if err := s.beginRecount(ctx, id); err != nil {
		return moved, err
	}
	last := Ref{}
	for {
		if before != nil {
			if err := before(ctx); err != nil {
				return moved, err
			}
		}
		n, some, err := s.recountSome(ctx, calendar, id, older, &last)
		moved.Cases, moved.Clocks = moved.Cases+n.Cases, moved.Clocks+n.Clocks
		if err != nil {
			return moved, fmt.Errorf("count open cases by calendar %d: %w", id, err)
		}
		if !some {
			return moved, s.endRecount(ctx, id, regime.Calendar, audit.Record{Act: "regime.recount"})
		}
	}
}

func (s *Service) beginRecount(ctx context.Context, id regime.ID) error {
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO recount (regime_id, begun_at, cases, clocks) VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING`, id, s.Now().UTC())
		if err != nil {
			return fmt.Errorf("begin to recount: %w", err)
		}
		return nil
	})
}

// endRecount puts on record what a document moved, once.
func (s *Service) endRecount(ctx context.Context, id regime.ID, kind regime.Kind, done audit.Record) error {
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		at := s.Now().UTC()
		var moved Recounted
		err := tx.QueryRow(ctx, `UPDATE recount SET done_at = $2 WHERE regime_id = $1 AND done_at IS NULL RETURNING cases, clocks`, id, at).Scan(&moved.Cases, &moved.Clocks)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // it was done before
		}
		if err != nil {
			return fmt.Errorf("end recounting: %w", err)
		}
		done.Subject, done.After = fmt.Sprintf("regime:%d", id), map[string]any{"kind": kind, "cases": moved.Cases, "clocks": moved.Clocks}
		_, err = s.Feed.Append(ctx, tx, at, nil, done)
		return err
	})
}

// recountSome counts the next cases after the last one. The row of the recount is held: another node waits, and goes on
// behind them.
func (s *Service) recountSome(ctx context.Context, calendar *worktime.Calendar, id regime.ID, older []regime.ID, last *Ref) (moved Recounted, some bool, err error) {
	var end Ref
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		moved, some = Recounted{}, false
		refs, err := s.claimRecount(ctx, tx, id, `
			SELECT DISTINCT report_num, part FROM clock
			WHERE stopped_at IS NULL AND (calendar_id IS NULL OR calendar_id = ANY ($1)) AND (report_num, part) > ($2, $3)
			ORDER BY report_num, part LIMIT $4`, older, last.Report, last.Part, cmp.Or(s.Batch, recountBatch))
		if err != nil || len(refs) == 0 {
			return err
		}
		some, end = true, refs[len(refs)-1]
		open, err := lockCases(ctx, tx, refs)
		if err != nil {
			return err
		}
		at := s.Now().UTC().Truncate(time.Microsecond)
		changes := recountChanges{calendar: int64(id)}
		for i := range open {
			changes.add(&open[i], calendar, older, at)
		}
		if err := changes.write(ctx, tx); err != nil {
			return err
		}
		moved = Recounted{int64(len(changes.nums)), changes.moved}
		return s.keepRecount(ctx, tx, id, at, moved, changes.nums)
	})
	if err == nil && some {
		*last = end
	}
	return moved, some, err
}

// claimRecount holds the row of a recount, and finds the next cases.
func (s *Service) claimRecount(ctx context.Context, tx pgx.Tx, id regime.ID, next string, args ...any) ([]Ref, error) {
	if _, err := tx.Exec(ctx, `SELECT FROM recount WHERE regime_id = $1 FOR UPDATE`, id); err != nil {
		return nil, fmt.Errorf("hold the recount: %w", err)
	}
	rows, err := tx.Query(ctx, next, args...)
	if err != nil {
		return nil, fmt.Errorf("find the next cases: %w", err)
	}
	refs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Ref, err error) { return r, row.Scan(&r.Report, &r.Part) })
	if err != nil {
		return nil, fmt.Errorf("find the next cases: %w", err)
	}
	return refs, nil
}

// keepRecount keeps how much was moved, and tells of it.
func (s *Service) keepRecount(ctx context.Context, tx pgx.Tx, id regime.ID, at time.Time, moved Recounted, nums []uint32, events ...feed.Event) error {
	if moved == (Recounted{}) {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE recount SET cases = cases + $2, clocks = clocks + $3 WHERE regime_id = $1`, id, moved.Cases, moved.Clocks)
	if err != nil {
		return fmt.Errorf("keep how much was recounted: %w", err)
	}
	if len(nums) > 0 {
		slices.Sort(nums)
		events = append(events, feed.Event{Type: feed.CasesRecounted, Data: feed.Recounted{Regime: int64(id), Nums: slices.Compact(nums)}})
	}
	_, err = s.Feed.Append(ctx, tx, at, events)
	return err
}

// locked is an open case that is held, with its clocks as they are kept.
type locked struct {
	Ref
	amber, due time.Time
	clocks     []keptClock
}

// keptClock is a row of table clock.
type keptClock struct {
	Clock
	n                int
	amber, due, next time.Time
}

// lockCases holds cases in their order, as acts do, and reads their clocks as they are then.
func lockCases(ctx context.Context, tx pgx.Tx, refs []Ref) ([]locked, error) {
	nums, parts := make([]int64, len(refs)), make([]int16, len(refs))
	for i, r := range refs {
		nums[i], parts[i] = int64(r.Report), int16(r.Part)
	}
	rows, err := tx.Query(ctx, `
		SELECT c.report_num, c.part, c.amber_at, c.due_at FROM cases c
		WHERE (c.report_num, c.part) IN (SELECT * FROM unnest($1::bigint[], $2::smallint[]))
		ORDER BY c.report_num, c.part FOR UPDATE`, nums, parts)
	if err != nil {
		return nil, fmt.Errorf("hold cases: %w", err)
	}
	held, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k locked, err error) {
		var amber, due *time.Time
		err = row.Scan(&k.Report, &k.Part, &amber, &due)
		k.amber, k.due = utc(amber), utc(due)
		return k, err
	})
	if err != nil {
		return nil, fmt.Errorf("hold cases: %w", err)
	}
	kept, err := clocksOf(ctx, tx, nums, parts)
	if err != nil {
		return nil, err
	}
	for i := range held {
		held[i].clocks = kept[held[i].Ref]
	}
	return held, nil
}

// clocksOf reads the clocks of cases, in order.
func clocksOf(ctx context.Context, tx pgx.Tx, nums []int64, parts []int16) (map[Ref][]keptClock, error) {
	rows, err := tx.Query(ctx, `
		SELECT report_num, part, n, kind, stage, marks, calendar_id, amber_at, due_at, next_at FROM clock
		WHERE (report_num, part) IN (SELECT * FROM unnest($1::bigint[], $2::smallint[])) ORDER BY report_num, part, n`, nums, parts)
	if err != nil {
		return nil, fmt.Errorf("read clocks: %w", err)
	}
	out := make(map[Ref][]keptClock, len(nums))
	var ref Ref
	var k keptClock
	var marks []byte
	var calendar *regime.ID
	var amber, due, next *time.Time
	_, err = pgx.ForEachRow(rows, []any{&ref.Report, &ref.Part, &k.n, &k.Kind, &k.Stage, &marks, &calendar, &amber, &due, &next}, func() error {
		k.Clock.Clock = worktime.Clock{}
		if err := k.UnmarshalJSON(marks); err != nil {
			return fmt.Errorf("case %s: %w", ref, err)
		}
		k.Calendar, k.amber, k.due, k.next = deref(calendar), utc(amber), utc(due), utc(next)
		out[ref] = append(out[ref], k)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read clocks: %w", err)
	}
	return out, nil
}

// recountChanges are the rows that change, as columns.
type recountChanges struct {
	calendar int64
	moved    int64    // clocks with other times
	nums     []uint32 // of reports whose case has other times

	clockNum                        []int64
	clockPart, clockN               []int16
	clockAmber, clockDue, clockNext []*time.Time
	caseNum                         []int64
	casePart                        []int16
	caseAmber, caseDue              []*time.Time
}

// add counts a case by the calendar. Its clocks that are stopped stay as they are.
func (c *recountChanges) add(k *locked, calendar *worktime.Calendar, older []regime.ID, at time.Time) {
	moved := false
	now := Case{}
	for i := range k.clocks {
		clock := &k.clocks[i]
		now.Clocks = append(now.Clocks, clock.Clock)
		if clock.Phase() == worktime.Stopped || clock.Calendar != 0 && !slices.Contains(older, clock.Calendar) {
			continue
		}
		s := clock.State(calendar)
		if !s.Amber.Equal(clock.amber) || !s.Due.Equal(clock.due) {
			c.moved++
			moved = true
		}
		c.clockNum, c.clockPart, c.clockN = append(c.clockNum, int64(k.Report)), append(c.clockPart, int16(k.Part)), append(c.clockN, int16(clock.n))
		c.clockAmber, c.clockDue = append(c.clockAmber, orNull(s.Amber)), append(c.clockDue, orNull(s.Due))
		c.clockNext = append(c.clockNext, orNull(clock.nextBy(&s, at)))
	}
	amber, due := now.Due(calendar)
	if !amber.Equal(k.amber) || !due.Equal(k.due) {
		c.caseNum, c.casePart = append(c.caseNum, int64(k.Report)), append(c.casePart, int16(k.Part))
		c.caseAmber, c.caseDue = append(c.caseAmber, orNull(amber)), append(c.caseDue, orNull(due))
		moved = true
	}
	if moved {
		c.nums = append(c.nums, uint32(k.Report))
	}
}

// nextBy is when the sweep has to look at the clock again. What was told is not told again: the sweep knows how far it came.
func (k *keptClock) nextBy(s *worktime.State, at time.Time) time.Time {
	switch {
	case s.Phase != worktime.Running:
		return time.Time{}
	case !k.next.IsZero() && k.next.Equal(k.amber) && !k.amber.Equal(k.due):
		return s.Amber
	case !k.next.IsZero() || s.Due.After(at):
		return s.Due
	}
	return time.Time{}
}

func (c *recountChanges) write(ctx context.Context, tx pgx.Tx) error {
	var b pgx.Batch
	b.Queue(`
		UPDATE clock k SET calendar_id = $1, amber_at = v.amber, due_at = v.due, next_at = v.next
		FROM unnest($2::bigint[], $3::smallint[], $4::smallint[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[]) AS v (num, part, n, amber, due, next)
		WHERE k.report_num = v.num AND k.part = v.part AND k.n = v.n`, c.calendar, c.clockNum, c.clockPart, c.clockN, c.clockAmber, c.clockDue, c.clockNext)
	b.Queue(`
		UPDATE cases c SET amber_at = v.amber, due_at = v.due
		FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::timestamptz[]) AS v (num, part, amber, due)
		WHERE c.report_num = v.num AND c.part = v.part`, c.caseNum, c.casePart, c.caseAmber, c.caseDue)
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("keep what was recounted: %w", err)
	}
	return nil
}
