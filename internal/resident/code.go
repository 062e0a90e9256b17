package resident

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/contact"
	"gridgov/internal/fault"
	"gridgov/internal/message"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// SendCode sends a code to a number or an address, in the place of the one before. Whether it did, the answer does not tell:
// a recipient who was sent one a moment ago, or five within the hour, is sent none. Faults: bad_phone, bad_email,
// channel_not_offered, too_many_codes.
func (s *Service) SendCode(ctx context.Context, ask Ask) error {
	over := time.After(answerTime)
	to, normal, err := s.recipient(ctx, ask.Channel, ask.To)
	if err != nil {
		return err
	}
	now := s.Now()
	if wait := s.throttle.take(now, counter{"a" + host(ask.Address), perAddress}, counter{"c", perCity}); wait > 0 {
		return fault.TooMany("too_many_codes", wait, "too many codes were asked for from here; wait, and ask again")
	}
	if s.throttle.take(now, counter{"m" + string(to.MAC), perRecipient[0]}, counter{"h" + string(to.MAC), perRecipient[1]}) == 0 {
		if err := s.sendCode(ctx, ask, to, normal, now.UTC()); err != nil {
			return err
		}
	}
	select {
	case <-over:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (s *Service) sendCode(ctx context.Context, ask Ask, to contact.Recipient, normal string, now time.Time) error {
	code, err := newCode()
	if err != nil {
		return err
	}
	mac, err := s.mac(to, code)
	if err != nil {
		return err
	}
	m := s.codeMessage(ask.Language, code)
	m.Channel, m.To, m.Recipient = ask.Channel, normal, to.MAC
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM resident_code WHERE expires_at < $1`, now.Add(-CodeAge)); err != nil {
			return fmt.Errorf("remove old codes: %w", err)
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO resident_code (recipient, hash, made_at, expires_at, tries) VALUES ($1, $2, $3, $4, 0)
			ON CONFLICT (recipient) DO UPDATE SET hash = excluded.hash, made_at = excluded.made_at, expires_at = excluded.expires_at,
				tries = excluded.tries, report_id = excluded.report_id`, to.MAC, mac, now, now.Add(CodeAge))
		if err != nil {
			return fmt.Errorf("keep a code: %w", err)
		}
		return s.Messages.Add(ctx, tx, m, now.Add(CodeAge))
	})
	if err == nil {
		s.Messages.Wake()
	}
	return err
}

// errWrongCode is one answer to all that is wrong with a code.
var errWrongCode = fault.Invalid("code", "wrong_code", "is not the code that was sent last, or it is too old, was used or was tried too often: look again, or ask for a new one")

// useCode binds a code to a report: the same report may come again with it, no other may. A wrong one is counted.
func (s *Service) useCode(ctx context.Context, to contact.Recipient, code string, id report.ID) error {
	mac, err := s.mac(to, code)
	if err != nil {
		return err
	}
	right := false
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		right = false
		var hash []byte
		var tries int
		var usedFor *uuid.UUID
		err := tx.QueryRow(ctx, `SELECT hash, tries, report_id FROM resident_code WHERE recipient = $1 AND expires_at > $2 FOR UPDATE`, to.MAC, s.Now().UTC()).
			Scan(&hash, &tries, &usedFor)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a code: %w", err)
		}
		if tries >= CodeTries {
			return nil
		}
		right = hmac.Equal(hash, mac) && (usedFor == nil || *usedFor == uuid.UUID(id))
		if right {
			_, err = tx.Exec(ctx, `UPDATE resident_code SET report_id = $2 WHERE recipient = $1`, to.MAC, id)
		} else {
			_, err = tx.Exec(ctx, `UPDATE resident_code SET tries = tries + 1 WHERE recipient = $1`, to.MAC)
		}
		if err != nil {
			return fmt.Errorf("count a code: %w", err)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case !right:
		return errWrongCode
	}
	return nil
}

// Forget removes in the caller's transaction what is kept of an erased person's reports and recipients.
func Forget(ctx context.Context, tx pgx.Tx, reports []int64, recipients [][]byte) error {
	if _, err := tx.Exec(ctx, `DELETE FROM follow WHERE report_num = ANY ($1)`, reports); err != nil {
		return fmt.Errorf("forget links: %w", err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM resident_code WHERE recipient = ANY ($1)`, recipients); err != nil {
		return fmt.Errorf("forget codes: %w", err)
	}
	return message.Forget(ctx, tx, recipients)
}

// Hold adds what is kept of a person's reports and recipients to what is handed out to the person.
func Hold(ctx context.Context, pool *pgxpool.Pool, h *contact.Held, recipients [][]byte) error {
	nums := make([]int64, len(h.Reports))
	for i := range h.Reports {
		nums[i] = int64(h.Reports[i].Num)
	}
	rows, err := pool.Query(ctx, `SELECT report_num, made_at FROM follow WHERE report_num = ANY ($1) ORDER BY made_at, report_num`, nums)
	if err == nil {
		h.Links, err = pgx.CollectRows(rows, pgx.RowToStructByPos[contact.HeldLink])
	}
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	rows, err = pool.Query(ctx, `
		SELECT coalesce(u.report_num, p.told_with), p.id, p.made_at, p.taken_at, p.lon, p.lat
		FROM photo p LEFT JOIN photo_use u ON u.photo_id = p.id AND u.n = 0
		WHERE u.report_num = ANY ($1) OR p.told_with = ANY ($1) ORDER BY p.made_at, p.id`, nums)
	if err == nil {
		h.Photos, err = pgx.CollectRows(rows, pgx.RowToStructByPos[contact.HeldPhoto])
	}
	if err != nil {
		return fmt.Errorf("read photos: %w", err)
	}
	if err := pool.QueryRow(ctx, `SELECT max(made_at) FROM resident_code WHERE recipient = ANY ($1)`, recipients).Scan(&h.CodeAskedAt); err != nil {
		return fmt.Errorf("read codes: %w", err)
	}
	rows, err = pool.Query(ctx, `
		SELECT channel, made_at, false FROM message WHERE recipient = ANY ($1)
		UNION ALL SELECT channel, at, true FROM outbox WHERE recipient = ANY ($1) ORDER BY 2`, recipients)
	if err == nil {
		h.Messages, err = pgx.CollectRows(rows, pgx.RowToStructByPos[contact.HeldMessage])
	}
	if err != nil {
		return fmt.Errorf("read messages: %w", err)
	}
	return nil
}
