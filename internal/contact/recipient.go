package contact

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/report"
)

// Recipient is a phone number or an e-mail address that messages go to.
type Recipient struct {
	Reporter report.Reporter // with the number or the address in its normal form, and nothing else
	MAC      []byte          // by which the person is found
}

// Recipient reads a phone number or an e-mail address, whichever is not empty. Faults: bad_phone, bad_email, key_missing.
func (s *Service) Recipient(phone, email string) (to Recipient, err error) {
	if to.Reporter, err = normal(report.Reporter{Phone: phone, Email: email}); err != nil {
		return to, err
	}
	index, err := s.indexer()
	if err != nil {
		return to, err
	}
	if to.MAC = index.phone(to.Reporter.Phone); to.MAC == nil {
		to.MAC = index.email(to.Reporter.Email)
	}
	if to.MAC == nil {
		return to, fault.Invalid("reporter", "required", "is missing")
	}
	return to, nil
}

// HoldTold tells whether the recipient told the report. If so the person is not erased before the transaction ends.
func HoldTold(ctx context.Context, tx pgx.Tx, num report.Num, to Recipient) (bool, error) {
	rows, err := tx.Query(ctx, `
		SELECT true FROM reporter w JOIN contact c ON c.id = w.contact_id
		WHERE w.report_num = $1 AND (c.phone_index = $2 OR c.email_index = $2) FOR KEY SHARE OF c`, num, to.MAC)
	if err != nil {
		return false, fmt.Errorf("read who told report %d: %w", num, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil {
		return false, fmt.Errorf("read who told report %d: %w", num, err)
	}
	return len(found) > 0, nil
}
