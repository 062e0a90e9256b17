package casework

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// EndWith is the act by which the service keeps that the case into which one was merged has been closed, and this one with it.
// It is in no line of the table: nobody can do it. The case stays merged; what becomes of it is what becomes of the other.
const EndWith Act = "end_with"

// Ended is a merged case whose matter has been closed.
func Ended(c *Case) *Case {
	n := c.clone()
	n.Version++
	return n
}

// endMerged closes with a case all that was merged into it, and into those in turn: each has it in its history, and whoever
// follows it hears of it.
func (d *deed) endMerged(ctx context.Context, closed *Case) error {
	rows, err := d.tx.Query(ctx, `
		WITH RECURSIVE m AS (
			SELECT report_num, part FROM cases WHERE merged_num = $1 AND merged_part = $2
			UNION SELECT c.report_num, c.part FROM cases c JOIN m ON c.merged_num = m.report_num AND c.merged_part = m.part
		)
		SELECT report_num, part FROM m ORDER BY report_num, part`, closed.Report, closed.Part)
	if err != nil {
		return fmt.Errorf("find what was merged into case %s: %w", closed.Ref, err)
	}
	refs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Ref])
	if err != nil {
		return fmt.Errorf("find what was merged into case %s: %w", closed.Ref, err)
	}
	for _, ref := range refs {
		was, err := d.get(ctx, d.tx, ref, " FOR UPDATE")
		if err != nil {
			return err
		}
		now := Ended(was)
		if err := d.write(ctx, was, now); err != nil {
			return err
		}
		if err := d.keepAct(ctx, EndWith, was, now, uuid.Nil, 0, "", uuid.Nil); err != nil {
			return err
		}
	}
	return nil
}

// Outcome is what became of a case as who told it is told: of one that was merged, what became of the other.
type Outcome struct {
	*Case
	Merged bool
	Reason string // why it was rejected; "" of a merged one: it may speak of somebody else's words
}

// maxMerges bounds how far a chain of merged cases is followed; the table lets none lead back to itself.
const maxMerges = 100

// OutcomeOf tells what became of a case.
func (s *Service) OutcomeOf(ctx context.Context, ref Ref) (Outcome, error) {
	var out Outcome
	for range maxMerges {
		c, err := s.Get(ctx, ref)
		if err != nil {
			return out, err
		}
		out.Case = c
		if c.MergedInto == nil {
			break
		}
		out.Merged, ref = true, *c.MergedInto
	}
	if out.State != Rejected || out.Merged {
		return out, nil
	}
	err := s.Pool.QueryRow(ctx, `SELECT coalesce(reason, '') FROM case_act WHERE report_num = $1 AND part = $2 AND act = $3 ORDER BY n DESC LIMIT 1`,
		ref.Report, ref.Part, Reject).Scan(&out.Reason)
	if err != nil {
		return out, fmt.Errorf("read why case %s was rejected: %w", ref, err)
	}
	return out, nil
}
