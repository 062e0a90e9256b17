package contact

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Release takes the link away between reports and who told them, in the caller's transaction, and erases those who told nothing else
// as [Service.Erase] does. It returns the recipients that they were, and how many people.
func Release(ctx context.Context, tx pgx.Tx, reports []int64, at time.Time) (recipients [][]byte, people int, err error) {
	// The locks first: who files a report of one of them meanwhile is waited for, and then counted.
	rows, err := tx.Query(ctx, `
		SELECT id FROM contact WHERE id IN (SELECT contact_id FROM reporter WHERE report_num = ANY ($1)) ORDER BY id FOR UPDATE`, reports)
	if err != nil {
		return nil, 0, fmt.Errorf("lock who told reports: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(ids) == 0 {
		return nil, 0, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM reporter WHERE report_num = ANY ($1)`, reports); err != nil {
		return nil, 0, fmt.Errorf("take the link to who told reports away: %w", err)
	}
	rows, err = tx.Query(ctx, `
		SELECT id, phone_index, email_index FROM contact c
		WHERE id = ANY ($1) AND erased_at IS NULL AND NOT EXISTS (SELECT FROM reporter r WHERE r.contact_id = c.id)`, ids)
	if err != nil {
		return nil, 0, fmt.Errorf("read who told nothing else: %w", err)
	}
	var gone []uuid.UUID
	var id uuid.UUID
	var phone, email []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &phone, &email}, func() error {
		gone, recipients = append(gone, id), append(recipients, recipientsOf(phone, email)...)
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read who told nothing else: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE contact SET data_key = NULL, key_id = NULL, name = NULL, phone = NULL, email = NULL, home = NULL,
			phone_index = NULL, email_index = NULL, told = NULL, erased_at = $2
		WHERE id = ANY ($1)`, gone, at)
	if err != nil {
		return nil, 0, fmt.Errorf("erase who told nothing else: %w", err)
	}
	return recipients, len(gone), nil
}

// recipientsOf copies, as what was scanned is scanned again.
func recipientsOf(indexes ...[]byte) (out [][]byte) {
	for _, x := range recipients(indexes...) {
		out = append(out, append([]byte(nil), x...))
	}
	return out
}
