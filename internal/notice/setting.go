package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
	"gridgov/internal/worktime"
)

// Settings are a city's own.
type Settings struct {
	Grace worktime.Budget `json:"grace"` // after a clock fell due, until the town looks after it
	// E-mail is held from one time of day until the other, in the city's zone, but for matters whose limit is in clock hours. Both
	// the same: never.
	QuietFrom  Clock `json:"quiet_from"`
	QuietUntil Clock `json:"quiet_until"`
}

// Clock is a time of day as 22:00.
type Clock string

// Defaults are what holds where a city has set nothing.
var Defaults = Settings{Grace: worktime.WorkDays(1), QuietFrom: "22:00", QuietUntil: "07:00"}

var clockPattern = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)

// Check refuses what is no setting: by field grace, quiet_from, quiet_until.
func (s *Settings) Check() error {
	if s.Grace.IsZero() {
		return fault.Invalid("grace", "missing", "say how long a matter may be overdue before the town looks after it, such as 1 wd")
	}
	for field, v := range map[string]Clock{"quiet_from": s.QuietFrom, "quiet_until": s.QuietUntil} {
		if !clockPattern.MatchString(string(v)) {
			return fault.Invalid(field, "bad_time", "%.20q is no time of day, such as 22:00", string(v))
		}
	}
	return nil
}

// QuietUntilAt is when the quiet hours end that a moment lies in; zero where it lies in none. The first moment of the morning is
// not quiet.
func (s *Settings) QuietUntilAt(at time.Time, zone *time.Location) time.Time {
	if s.QuietFrom == s.QuietUntil {
		return time.Time{}
	}
	local := at.In(zone)
	now := Clock(local.Format("15:04"))
	night := s.QuietFrom > s.QuietUntil // it goes over midnight
	quiet := now >= s.QuietFrom && now < s.QuietUntil
	if night {
		quiet = now >= s.QuietFrom || now < s.QuietUntil
	}
	if !quiet {
		return time.Time{}
	}
	end, _ := time.Parse("15:04", string(s.QuietUntil)) // checked
	y, m, d := local.Date()
	if night && now >= s.QuietFrom {
		d++
	}
	out := time.Date(y, m, d, end.Hour(), end.Minute(), 0, 0, zone)
	if !out.After(at) { // the clocks were put forward over it
		out = at.Add(time.Minute)
	}
	return out
}

// keySettings is where table setting has them.
const keySettings = "escalation"

// querier is a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// ReadSettings reads a city's settings.
func ReadSettings(ctx context.Context, q querier) (Settings, error) {
	s := Defaults
	err := q.QueryRow(ctx, `SELECT value FROM setting WHERE key = $1`, keySettings).Scan(&s)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return s, fmt.Errorf("read how overdue matters are told: %w", err)
	}
	return s, nil
}

// WriteSettings keeps them, on record.
func WriteSettings(ctx context.Context, pool *pgxpool.Pool, w *feed.Writer, at time.Time, s Settings) error {
	if err := s.Check(); err != nil {
		return err
	}
	return postgres.Transact(ctx, pool, func(tx pgx.Tx) error {
		before := Defaults
		err := tx.QueryRow(ctx, `SELECT value FROM setting WHERE key = $1 FOR UPDATE`, keySettings).Scan(&before)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("read how overdue matters are told: %w", err)
		}
		if before == s {
			return nil
		}
		value, err := json.Marshal(s)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, keySettings, value)
		if err != nil {
			return fmt.Errorf("keep how overdue matters are told: %w", err)
		}
		_, err = w.Append(ctx, tx, at, nil, audit.Record{Act: "setting.change", Subject: "setting:escalation", Before: before, After: s})
		return err
	})
}
