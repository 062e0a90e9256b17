package casework

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/assign"
	"gridgov/internal/audit"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/regime"
	"gridgov/internal/report"
)

// Service keeps a city's cases.
type Service struct {
	Pool   *pgxpool.Pool
	Feed   *feed.Writer
	Intake *Intake
	// Committer is that of the reports, with the same writer.
	Committer *feed.Committer
	Terms     func(context.Context, *Case) (*Terms, error) // of a case: the list it was opened under, and the calendar of now
	Unit      func(policy.UnitID) (assign.Unit, bool)
	// Evidence links photos to the act n of a case (below 0: the late act -n), in its transaction: they are the person's own, or it refuses them.
	Evidence func(ctx context.Context, tx pgx.Tx, by uuid.UUID, of Ref, n int, photos []uuid.UUID) error
	// TellLate tells who was quicker that an act came too late, in its transaction, and returns the events of it.
	TellLate func(ctx context.Context, tx pgx.Tx, at time.Time, came CameLate) ([]feed.Event, error)
	Now      func() time.Time
	Batch    int // report numbers at a time, when cases of earlier reports are opened; 0: 5,000
}

// querier is a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

var selectCase = `SELECT ` + strings.Join(Columns, ", ") + ` FROM cases WHERE `

// Get reads a case with its clocks, as they were kept.
func (s *Service) Get(ctx context.Context, ref Ref) (*Case, error) {
	return s.get(ctx, s.Pool, ref, "")
}

// get reads a case; lock may be " FOR UPDATE".
func (s *Service) get(ctx context.Context, q querier, ref Ref, lock string) (*Case, error) {
	rows, err := q.Query(ctx, selectCase+`report_num = $1 AND part = $2`+lock, ref.Report, ref.Part)
	if err != nil {
		return nil, fmt.Errorf("read case %s: %w", ref, err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoCase(ref)
	}
	if err != nil {
		return nil, fmt.Errorf("read case %s: %w", ref, err)
	}
	rows, err = q.Query(ctx, `SELECT kind, stage, marks, calendar_id FROM clock WHERE report_num = $1 AND part = $2 ORDER BY n`, ref.Report, ref.Part)
	if err != nil {
		return nil, fmt.Errorf("read the clocks of case %s: %w", ref, err)
	}
	c.Clocks, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (k Clock, err error) {
		var marks []byte
		var calendar *regime.ID
		if err := row.Scan(&k.Kind, &k.Stage, &marks, &calendar); err != nil {
			return k, err
		}
		k.Calendar = deref(calendar)
		return k, k.UnmarshalJSON(marks)
	})
	if err != nil {
		return nil, fmt.Errorf("read the clocks of case %s: %w", ref, err)
	}
	return c, nil
}

// UnitsOf are the units that lead or support the case, or a part, of each of the reports.
func (s *Service) UnitsOf(ctx context.Context, nums []report.Num) (map[report.Num][]policy.UnitID, error) {
	return unitsOf(ctx, s.Pool, nums)
}

func unitsOf(ctx context.Context, q querier, nums []report.Num) (map[report.Num][]policy.UnitID, error) {
	list := make([]int64, len(nums))
	for i, n := range nums {
		list[i] = int64(n)
	}
	rows, err := q.Query(ctx, `SELECT report_num, unit_id, supporting FROM cases WHERE report_num = ANY ($1) ORDER BY report_num, part`, list)
	if err != nil {
		return nil, fmt.Errorf("read the units of cases: %w", err)
	}
	out := map[report.Num][]policy.UnitID{}
	var num report.Num
	var lead policy.UnitID
	var supporting []policy.UnitID
	_, err = pgx.ForEachRow(rows, []any{&num, &lead, &supporting}, func() error {
		out[num] = append(append(out[num], lead), supporting...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the units of cases: %w", err)
	}
	return out, nil
}

// Loads counts the cases that units lead and whose clocks run: about those that are open, by one look at an index.
func Loads(ctx context.Context, q querier) (map[policy.UnitID]int, error) {
	rows, err := q.Query(ctx, `SELECT unit_id, count(*) FROM cases WHERE due_at IS NOT NULL GROUP BY unit_id`)
	if err != nil {
		return nil, fmt.Errorf("count open cases: %w", err)
	}
	out := map[policy.UnitID]int{}
	var id policy.UnitID
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { out[id] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count open cases: %w", err)
	}
	return out, nil
}

// Pressure is how many cases with a clock that runs a unit leads, how many of them are past their due, and how many are close to it.
type Pressure struct{ Running, Overdue, Amber int }

// Pressures tell how the clocks of units' cases stand at a moment.
func Pressures(ctx context.Context, q querier, units []policy.UnitID, at time.Time) (map[policy.UnitID]Pressure, error) {
	rows, err := q.Query(ctx, `
		SELECT unit_id, count(*), count(*) FILTER (WHERE due_at < $2), count(*) FILTER (WHERE due_at >= $2 AND amber_at <= $2)
		FROM cases WHERE unit_id = ANY ($1) AND due_at IS NOT NULL GROUP BY unit_id`, units, at)
	if err != nil {
		return nil, fmt.Errorf("count clocks: %w", err)
	}
	out := map[policy.UnitID]Pressure{}
	var id policy.UnitID
	var p Pressure
	if _, err := pgx.ForEachRow(rows, []any{&id, &p.Running, &p.Overdue, &p.Amber}, func() error { out[id] = p; return nil }); err != nil {
		return nil, fmt.Errorf("count clocks: %w", err)
	}
	return out, nil
}

// earlierBatch is how many report numbers are looked at, and at most cases opened, in one transaction.
const earlierBatch = 5000

// OpenEarlier opens the cases of reports that have none: those kept before there were cases, or by a node of an earlier
// version since. It goes on from where the last run stopped; two nodes may do it at once, and it may stop at any moment: what
// is opened is not opened again. before is called before each batch.
func (s *Service) OpenEarlier(ctx context.Context, before func(context.Context) error) (opened int64, err error) {
	for {
		var next, last int64
		if err := s.Pool.QueryRow(ctx, `SELECT next_num, (SELECT coalesce(max(num), 0) FROM report) FROM case_opening`).Scan(&next, &last); err != nil {
			return opened, fmt.Errorf("read how far cases were opened: %w", err)
		}
		if next > last {
			return opened, nil
		}
		if err := before(ctx); err != nil {
			return opened, err
		}
		n, err := s.openRange(ctx, next, min(next+int64(cmp.Or(s.Batch, earlierBatch))-1, last))
		opened += n
		if err != nil {
			return opened, err
		}
	}
}

// openRange opens the missing cases of reports by number, and keeps that it did.
func (s *Service) openRange(ctx context.Context, from, to int64) (opened int64, err error) {
	missing, err := matters(ctx, s.Pool, `r.num BETWEEN $1 AND $2 AND NOT EXISTS (SELECT FROM cases c WHERE c.report_num = r.num)`, from, to)
	if err != nil {
		return 0, err
	}
	sql := func(shape int) string {
		types := typesOf(shape)
		arg := func(i int) string { return fmt.Sprintf("$%d::%s", i+2, types[i]) }
		return `WITH n AS (SELECT $1::bigint AS num), ` + with(shape, arg, ` ON CONFLICT DO NOTHING`) + ` SELECT report_num FROM opened`
	}
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		opened = 0
		var b pgx.Batch
		for i := range missing {
			o, err := s.Intake.Open(&missing[i])
			if err != nil {
				return err
			}
			b.Queue(sql(o.Shape()), append([]any{int64(missing[i].Num)}, o.Args()...)...).Exec(func(tag pgconn.CommandTag) error {
				opened += tag.RowsAffected() // another node may have been quicker
				return nil
			})
		}
		b.Queue(`UPDATE case_opening SET next_num = $2 WHERE next_num < $2 AND next_num >= $1`, from, to+1)
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("open the cases of reports %d to %d: %w", from, to, err)
		}
		if opened == 0 {
			return nil
		}
		_, err := s.Feed.Append(ctx, tx, s.Now().UTC(), []feed.Event{{Type: feed.CasesOpened,
			Data: feed.Opened{FromNum: uint32(from), ToNum: uint32(to), Count: int(opened)}}}, audit.Record{Act: "case.open", Subject: "reports",
			After: map[string]any{"from_num": from, "to_num": to, "count": opened}})
		return err
	})
	return opened, err
}

// matters reads reports as who opens their cases sees them, by number.
func matters(ctx context.Context, q querier, where string, args ...any) ([]report.Matter, error) {
	rows, err := q.Query(ctx, `
		SELECT r.num, r.item, coalesce(r.kind, ''), r.source, r.captured_at, r.received_at, r.closed_at, r.generated,
			coalesce(p.town, ''), coalesce(p.village, ''), coalesce(p.grid, ''), coalesce(p.microgrid, '')
		FROM report r JOIN placement p ON p.report_num = r.num WHERE `+where+` ORDER BY r.num`, args...)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m report.Matter, err error) {
		err = row.Scan(&m.Num, &m.Item, &m.Kind, &m.Source, &m.CapturedAt, &m.ReceivedAt, &m.ClosedAt, &m.Generated,
			&m.Cell.Town, &m.Cell.Village, &m.Cell.Grid, &m.Cell.Microgrid)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return list, nil
}
