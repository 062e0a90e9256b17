package casework

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// over is a condition on a report r: all its cases have ended, and nothing was done with any of them since $1 (a time); so have
// those into which one of them was merged, whose own report has been made anonymous where it was merged on. What can still be
// re-opened, evaluated or appealed against is younger than the shortest time that a city may set.
const over = `
	EXISTS (SELECT FROM cases c WHERE c.report_num = r.num)
	AND NOT EXISTS (SELECT FROM cases c WHERE c.report_num = r.num AND (c.state = ANY ($2)
		OR greatest(c.opened_at, c.closed_at, (SELECT max(a.at) FROM case_act a WHERE a.report_num = c.report_num AND a.part = c.part)) >= $1))
	AND NOT EXISTS (SELECT FROM cases c JOIN cases t ON t.report_num = c.merged_num AND t.part = c.merged_part WHERE c.report_num = r.num
		AND (t.state = ANY ($2) OR t.state = 'merged' AND NOT EXISTS (SELECT FROM anonymised y WHERE y.report_num = t.report_num)
			OR greatest(t.opened_at, t.closed_at, (SELECT max(a.at) FROM case_act a WHERE a.report_num = t.report_num AND a.part = t.part)) >= $1))
	AND NOT EXISTS (SELECT FROM anonymised y WHERE y.report_num = r.num)`

// OverSince counts the reports that are over since before, and tells when the first of them was captured.
func OverSince(ctx context.Context, q querier, before time.Time) (n int, first *time.Time, err error) {
	rows, err := q.Query(ctx, `SELECT count(*), min(r.captured_at) FROM report r WHERE `+over, before, open)
	if err != nil {
		return 0, nil, fmt.Errorf("count matters that are over: %w", err)
	}
	_, err = pgx.ForEachRow(rows, []any{&n, &first}, func() error { return nil })
	if err != nil {
		return 0, nil, fmt.Errorf("count matters that are over: %w", err)
	}
	return n, first, nil
}

// TakeOver locks the cases of reports after a number that are over since before, at most so many reports, by number. Those that
// somebody works with at the moment are left out.
func TakeOver(ctx context.Context, tx pgx.Tx, before time.Time, after, upTo int64, most int) ([]int64, error) {
	rows, err := tx.Query(ctx, `SELECT r.num FROM report r WHERE r.num > $3 AND r.num <= $4 AND `+over+` ORDER BY r.num LIMIT $5`, before, open, after, upTo, most)
	if err != nil {
		return nil, fmt.Errorf("look for matters that are over: %w", err)
	}
	nums, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(nums) == 0 {
		return nil, err
	}
	// Locked in one order, as those who act on cases do; then asked again, as one may have been re-opened before.
	if _, err := tx.Exec(ctx, `SELECT FROM cases WHERE report_num = ANY ($1) ORDER BY report_num, part FOR UPDATE`, nums); err != nil {
		return nil, fmt.Errorf("lock matters that are over: %w", err)
	}
	rows, err = tx.Query(ctx, `SELECT r.num FROM report r WHERE r.num = ANY ($3) AND `+over+` ORDER BY r.num`, before, open, nums)
	if err != nil {
		return nil, fmt.Errorf("look for matters that are over: %w", err)
	}
	if nums, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
		return nil, fmt.Errorf("look for matters that are over: %w", err)
	}
	return nums, nil
}

// gone stands where words were that may have named somebody.
const goneZH, goneEN = "（已按保存期限匿名化）", "(made anonymous after the city's retention)"

// ForgetWords empties, in the caller's transaction, what was written about cases of reports in words: reasons of acts, why a unit was
// chosen by hand, what the matter is linked to, and the reasons that clocks carry. What was done, when, by which unit and how long it
// took stays; so does who of the staff did it, as the record of acts has it too.
func ForgetWords(ctx context.Context, tx pgx.Tx, reports []int64) error {
	var b pgx.Batch
	b.Queue(`UPDATE case_act SET reason = NULL, detail = detail - 'words' - 'was' - 'evidence' WHERE report_num = ANY ($1)`, reports)
	b.Queue(`UPDATE late_act SET reason = NULL, detail = detail - 'evidence' WHERE report_num = ANY ($1)`, reports)
	b.Queue(`UPDATE cases SET words_zh = $2, words_en = $3, object = NULL, asked = NULL WHERE report_num = ANY ($1)`, reports, goneZH, goneEN)
	b.Queue(`
		UPDATE clock SET marks = (SELECT jsonb_agg(CASE WHEN m ? 'reason' THEN m || jsonb_build_object('reason', jsonb_build_object('zh', $2::text, 'en', $3::text)) ELSE m END ORDER BY ord)
			FROM jsonb_array_elements(marks) WITH ORDINALITY AS t (m, ord))
		WHERE report_num = ANY ($1) AND jsonb_path_exists(marks, '$[*].reason')`, reports, goneZH, goneEN)
	b.Queue(`DELETE FROM notice WHERE report_num = ANY ($1)`, reports)
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("empty what was written about cases: %w", err)
	}
	return nil
}
