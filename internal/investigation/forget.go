package investigation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/screening"
)

// Forgotten are the orders and proposals of which words were emptied.
type Forgotten struct {
	Orders    []ID                   `json:"orders,omitempty"`
	Proposals []screening.ProposalID `json:"proposals,omitempty"`
}

// None tells that there was nothing to empty.
func (f *Forgotten) None() bool { return len(f.Orders)+len(f.Proposals) == 0 }

// ForgetWords empties, in the caller's transaction, what was typed into investigations whose evidence was made anonymous, all of it: of at
// most so many orders that are done or cancelled, what was to be visited and was, what was found, in words, and the reasons of acts; and of at
// most so many proposals that are declined, or whose order was emptied, the reasons of decisions. Whether anything was found stays, and how many
// objects it were; so do who did what when, and all numbers. What is open keeps its words until it ends.
//
// Orders are locked before proposals, each by number, as those who act on them do. What somebody reopens at the same moment keeps its words.
func ForgetWords(ctx context.Context, tx pgx.Tx, at time.Time, most int) (f Forgotten, err error) {
	if f.Orders, err = forgetOrders(ctx, tx, at, most); err != nil {
		return f, fmt.Errorf("empty what was written about orders: %w", err)
	}
	if f.Proposals, err = forgetProposals(ctx, tx, at, most); err != nil {
		return f, fmt.Errorf("empty what was written about proposals: %w", err)
	}
	return f, nil
}

// An order's proposals are those that it was ordered of: one that was cancelled is not theirs any more. That nothing is left is asked of some
// evidence: where there is none to be found, nothing is known of its end.
func forgetOrders(ctx context.Context, tx pgx.Tx, at time.Time, most int) ([]ID, error) {
	const evidence = `order_act a CROSS JOIN LATERAL jsonb_array_elements_text(a.detail -> 'proposals') AS t (id) JOIN proposal_evidence e ON e.proposal_id = t.id::bigint
				WHERE a.order_id = o.id AND a.n = 1`
	rows, err := tx.Query(ctx, `
		SELECT o.id FROM investigation_order o
		WHERE o.state IN ('done', 'cancelled') AND o.anonymised_at IS NULL AND EXISTS (SELECT FROM `+evidence+`)
			AND NOT EXISTS (SELECT FROM `+evidence+` AND NOT EXISTS (SELECT FROM anonymised y WHERE y.report_num = e.report_num))
		ORDER BY o.id LIMIT $1 FOR UPDATE OF o`, most)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	_, err = tx.Exec(ctx, `
		UPDATE investigation_order SET anonymised_at = $2, objects_gone = cardinality(objects), objects = '{}', visited_gone = cardinality(visited),
			visited = CASE WHEN state = 'done' THEN '{}'::text[] END, findings = CASE WHEN state = 'done' THEN '' END
		WHERE id = ANY ($1)`, ids, at)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `UPDATE order_act SET reason = NULL WHERE order_id = ANY ($1) AND reason IS NOT NULL`, ids)
	return ids, err
}

func forgetProposals(ctx context.Context, tx pgx.Tx, at time.Time, most int) ([]screening.ProposalID, error) {
	rows, err := tx.Query(ctx, `
		SELECT p.id FROM proposal p
		WHERE EXISTS (SELECT FROM proposal_act a WHERE a.proposal_id = p.id AND a.reason IS NOT NULL)
			AND (p.state = 'declined' AND EXISTS (SELECT FROM proposal_evidence e WHERE e.proposal_id = p.id)
					AND NOT EXISTS (SELECT FROM proposal_evidence e WHERE e.proposal_id = p.id AND NOT EXISTS (SELECT FROM anonymised y WHERE y.report_num = e.report_num))
				OR p.state = 'done' AND EXISTS (SELECT FROM investigation_order o WHERE o.id = p.order_id AND o.anonymised_at IS NOT NULL))
		ORDER BY p.id LIMIT $1 FOR UPDATE OF p`, most)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[screening.ProposalID])
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	// Another run may have been here while this one waited: what it emptied is not told of twice.
	rows, err = tx.Query(ctx, `UPDATE proposal_act SET reason = NULL WHERE proposal_id = ANY ($1) AND reason IS NOT NULL RETURNING proposal_id`, ids)
	if err != nil {
		return nil, err
	}
	if ids, err = pgx.CollectRows(rows, pgx.RowTo[screening.ProposalID]); err != nil {
		return nil, err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	_, err = tx.Exec(ctx, `UPDATE proposal SET anonymised_at = $2 WHERE id = ANY ($1)`, ids, at)
	return ids, err
}
