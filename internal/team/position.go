package team

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
)

// SetConsent lets those who lead see where somebody is while on duty, or no more: then the last position is deleted.
func (s *Service) SetConsent(ctx context.Context, id uuid.UUID, given bool) error {
	return s.transact(ctx, 0, func(w *work) error {
		if given {
			n, err := w.exec("consent", `INSERT INTO position_consent (person_id, given_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, w.at)
			if n > 0 {
				w.record("consent.give", subjectOf(id), nil, nil)
			}
			return err
		}
		if _, err := w.exec("forget position", `DELETE FROM last_position WHERE person_id = $1`, id); err != nil {
			return err
		}
		n, err := w.exec("consent", `DELETE FROM position_consent WHERE person_id = $1`, id)
		if n > 0 {
			w.record("consent.withdraw", subjectOf(id), nil, nil)
		}
		return err
	})
}

// Consents tells whether somebody's position may be kept.
func (s *Service) Consents(ctx context.Context, id uuid.UUID) (given bool, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM position_consent WHERE person_id = $1)`, id).Scan(&given)
	if err != nil {
		return false, fmt.Errorf("read consent: %w", err)
	}
	return given, nil
}

// TellPosition keeps where somebody is, in the place of where that was before; it is no act that is kept on record, as where people
// go is nobody's. duty is how the person stands now.
func (s *Service) TellPosition(ctx context.Context, id uuid.UUID, p Position, duty Duty) error {
	if f := p.check(s.Now()); f != nil {
		return f
	}
	if !duty.On {
		return fault.Conflict("off_duty", "you are not on duty: where you are is kept on duty alone")
	}
	return s.transact(ctx, 0, func(w *work) error {
		var last time.Time
		err := w.tx.QueryRow(w.ctx, `SELECT at FROM last_position WHERE person_id = $1 FOR UPDATE`, id).Scan(&last)
		if err == nil && last.After(p.At) { // one that was on its way for longer
			return nil
		}
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("read the last position: %w", err)
		}
		n, err := w.exec("keep position", `INSERT INTO last_position (person_id, lon, lat, accuracy_m, at)
			SELECT $1, $2::float8, $3::float8, $4::float8, $5::timestamptz FROM position_consent WHERE person_id = $1
			ON CONFLICT (person_id) DO UPDATE SET lon = excluded.lon, lat = excluded.lat, accuracy_m = excluded.accuracy_m, at = excluded.at`,
			id, p.Lon, p.Lat, p.AccuracyM, p.At.UTC())
		if err == nil && n == 0 {
			err = fault.Conflict("no_consent", "you have not agreed that your position may be kept")
		}
		return err
	})
}

// Positions are where people were seen last.
func (s *Service) Positions(ctx context.Context, people []uuid.UUID) (map[uuid.UUID]Position, error) {
	out := map[uuid.UUID]Position{}
	var id uuid.UUID
	var p Position
	rows, err := s.Pool.Query(ctx, `SELECT person_id, lon, lat, accuracy_m, at FROM last_position WHERE person_id = ANY ($1)`, people)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&id, &p.Lon, &p.Lat, &p.AccuracyM, &p.At}, func() error { out[id] = p; return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	return out, nil
}

// SweepPositions deletes the positions of those who are not on duty any more, and those of whom nothing was heard for a shift's
// length.
func (s *Service) SweepPositions(ctx context.Context, r *Roster) (gone int64, err error) {
	now := s.Now()
	ids, err := collect(ctx, s.Pool, "positions", pgx.RowTo[uuid.UUID], `SELECT person_id FROM last_position`)
	if err != nil {
		return 0, err
	}
	var over []uuid.UUID
	for _, id := range ids {
		if !r.Anywhere(id, now).On {
			over = append(over, id)
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	err = s.transact(ctx, 0, func(w *work) (err error) {
		gone, err = w.exec("forget positions", `DELETE FROM last_position WHERE person_id = ANY ($1) OR at < $2`, over, now.Add(-MaxShift))
		return err
	})
	return gone, err
}

// secretBytes is how long a calendar's secret is.
const secretBytes = 32

// MakeCalendar gives a secret under which a calendar reads somebody's shifts; the one before ends.
func (s *Service) MakeCalendar(ctx context.Context, id uuid.UUID) (secret string, err error) {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails
	secret = base64.RawURLEncoding.EncodeToString(raw)
	hash := sha256.Sum256([]byte(secret))
	err = s.transact(ctx, 0, func(w *work) error {
		_, err := w.exec("make calendar", `INSERT INTO calendar_feed (person_id, hash, made_at) VALUES ($1, $2, $3)
			ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, made_at = excluded.made_at`, id, hash[:], w.at)
		w.record("calendar.make", subjectOf(id), nil, nil)
		return err
	})
	return secret, err
}

// RemoveCalendar ends the secret.
func (s *Service) RemoveCalendar(ctx context.Context, id uuid.UUID) error {
	return s.transact(ctx, 0, func(w *work) error {
		n, err := w.exec("end calendar", `DELETE FROM calendar_feed WHERE person_id = $1`, id)
		if n > 0 {
			w.record("calendar.remove", subjectOf(id), nil, nil)
		}
		return err
	})
}

// CalendarMade tells since when there is a calendar's address; zero: there is none.
func (s *Service) CalendarMade(ctx context.Context, id uuid.UUID) (at time.Time, err error) {
	err = s.Pool.QueryRow(ctx, `SELECT made_at FROM calendar_feed WHERE person_id = $1`, id).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read calendar: %w", err)
	}
	return at, nil
}

// WhoseCalendar finds whose shifts a secret is for. It is not found where it is nobody's, or that of somebody who was erased or whose
// account is out of use.
func (s *Service) WhoseCalendar(ctx context.Context, secret string) (id uuid.UUID, err error) {
	none := fault.NotFound("there is no such calendar: make another address under “my duty”")
	if len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return uuid.Nil, none
	}
	hash := sha256.Sum256([]byte(secret))
	err = s.Pool.QueryRow(ctx, `SELECT c.person_id FROM calendar_feed c JOIN person p ON p.id = c.person_id LEFT JOIN account a ON a.person_id = p.id
		WHERE c.hash = $1 AND p.erased_at IS NULL AND a.disabled_at IS NULL`, hash[:]).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, none
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("read calendar: %w", err)
	}
	return id, nil
}

// ShiftsOf are somebody's shifts that end after a moment, in order.
func (s *Service) ShiftsOf(ctx context.Context, id uuid.UUID, after time.Time) ([]Shift, error) {
	return collect(ctx, s.Pool, "shifts", scanShift, selectShift+`WHERE s.person_id = $1 AND s.to_at > $2 ORDER BY s.from_at LIMIT 2000`, id, after)
}

// MyLeaves is somebody's leave that is not over.
func (s *Service) MyLeaves(ctx context.Context, id uuid.UUID) ([]Leave, error) {
	return collect(ctx, s.Pool, "leave", scanLeave, selectLeave+`WHERE l.person_id = $1 AND l.to_at > $2 ORDER BY l.from_at`, id, s.Now())
}

// MySwaps are the swaps that somebody asks for or is asked, and that are not answered.
func (s *Service) MySwaps(ctx context.Context, id uuid.UUID) ([]Swap, error) {
	return collect(ctx, s.Pool, "swaps", scanSwap, selectSwap+`WHERE w.state = 'asked' AND (w.person_id = $1 OR w.other_id = $1) AND w.to_at > $2 ORDER BY w.from_at, w.id`, id, s.Now())
}
