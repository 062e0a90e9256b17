package casework

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/regime"
)

// EffectOf counts what a change would do, over all cases of one moment. progress is told now and then how many of how many
// cases were looked at; it may be nil.
func (s *Service) EffectOf(ctx context.Context, ch *Change, progress func(done, total int)) (*Effect, error) {
	e := &Effect{}
	err := s.look(ctx, ch, Ref{}, progress, e, func(*Moved) bool { return true })
	e.sort()
	return e, err
}

// MovedBy tells each of the cases that a change would move, by number, those after a case. It ends when each returns false,
// with the case that it did so at: of one case all is told or nothing.
func (s *Service) MovedBy(ctx context.Context, ch *Change, after Ref, each func(*Moved) bool) error {
	return s.look(ctx, ch, after, nil, &Effect{}, each)
}

// errEnough ends a look early.
var errEnough = errors.New("enough")

// lookBatch is how many cases are read at a time, and after how many it is told how far a look has come.
const lookBatch = 5000

// look goes through the cases that a change may move, in one snapshot, some thousand at a time: a million of them take no
// memory.
func (s *Service) look(ctx context.Context, ch *Change, after Ref, progress func(done, total int), e *Effect, each func(*Moved) bool) error {
	where, args := `c.state = ANY (@states)`, pgx.NamedArgs{"states": open, "limit": lookBatch}
	if ch.Kind == regime.Rules {
		where = `NOT c.task AND (c.opened_at >= @from AND c.opened_at < @to OR c.state = ANY (@states))`
		args["from"], args["to"] = ch.From, ch.To
	}
	sql := looked(ch.Kind, where)
	err := pgx.BeginTxFunc(ctx, s.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		done, total := 0, 0
		if progress != nil {
			if err := tx.QueryRow(ctx, `SELECT count(*) FROM cases c WHERE `+where, args).Scan(&total); err != nil {
				return fmt.Errorf("count cases: %w", err)
			}
			progress(0, total)
		}
		for more := true; more; {
			args["num"], args["part"] = after.Report, after.Part
			rows, err := tx.Query(ctx, sql, args)
			if err != nil {
				return fmt.Errorf("read cases: %w", err)
			}
			n := 0
			err = eachSeen(rows, ch.Kind != regime.Rules, func(k *seen) error {
				n++
				after = k.Ref
				enough := false
				if err := ch.look(e, k, func(m *Moved) { enough = !each(m) || enough }); err != nil {
					return err
				}
				if enough {
					return errEnough
				}
				return nil
			})
			rows.Close()
			if err != nil {
				return err
			}
			if done, more = done+n, n == lookBatch; progress != nil {
				progress(done, total)
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// looked is the query of a look; of clocks each row is a clock.
func looked(kind regime.Kind, where string) string {
	columns, from, order := ``, ``, ``
	if kind != regime.Rules {
		columns = `, k.kind, k.stage, k.marks, coalesce(k.calendar_id, 0)`
		from = ` LEFT JOIN clock k ON k.report_num = c.report_num AND k.part = c.part`
		order = `, k.n`
	}
	return `SELECT c.report_num, c.part, c.state, c.version, c.item, c.catalogue_id, c.unit_id, c.returned_by, c.opened_at, r.id, coalesce(r.kind, ''),
		coalesce(p.town, ''), coalesce(p.village, ''), coalesce(p.grid, ''), coalesce(p.microgrid, '')` + columns + `
		FROM (SELECT * FROM cases c WHERE ` + where + ` AND (c.report_num, c.part) > (@num, @part) ORDER BY c.report_num, c.part LIMIT @limit) c
		JOIN report r ON r.num = c.report_num JOIN placement p ON p.report_num = c.report_num` + from + `
		ORDER BY c.report_num, c.part` + order
}

// eachSeen reads the rows of a look, the clocks of one case gathered.
func eachSeen(rows pgx.Rows, clocks bool, each func(*seen) error) error {
	var k, next seen
	var kind *ClockKind // nil: the case has no clock at all
	var stage *int
	var calendar regime.ID
	var marks []byte
	var opened time.Time
	into := []any{&next.Report, &next.Part, &next.State, &next.Version, &next.Item, &next.CatalogueID, &next.Unit, &next.ReturnedBy, &opened, &next.ID, &next.Kind,
		&next.Cell.Town, &next.Cell.Village, &next.Cell.Grid, &next.Cell.Microgrid}
	if clocks {
		into = append(into, &kind, &stage, &marks, &calendar)
	}
	for rows.Next() {
		next.ReturnedBy = nil
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("read cases: %w", err)
		}
		next.OpenedAt = opened.UTC()
		if next.Ref != k.Ref {
			if k.ID != uuid.Nil {
				if err := each(&k); err != nil {
					return err
				}
			}
			kept := k.Clocks[:0]
			k = next
			k.Clocks = kept
		}
		if kind != nil {
			clock := Clock{Kind: *kind, Stage: *stage, Calendar: calendar}
			if err := clock.UnmarshalJSON(marks); err != nil {
				return fmt.Errorf("case %s: %w", k.Ref, err)
			}
			k.Clocks = append(k.Clocks, clock)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read cases: %w", err)
	}
	if k.ID != uuid.Nil {
		return each(&k)
	}
	return nil
}
