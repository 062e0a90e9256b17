// Package retention makes matters anonymous that are over for as long as the city keeps who told them, and empties what was typed into
// investigations once all their evidence is, and where people stood on patrol: once a day, in small transactions, each on record. It can be broken off anywhere and goes on
// from there.
package retention

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"gridgov/internal/audit"
	"gridgov/internal/casework"
	"gridgov/internal/contact"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/investigation"
	"gridgov/internal/patrol"
	"gridgov/internal/photo"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
	"gridgov/internal/resident"
)

// Service makes a city's matters anonymous.
type Service struct {
	Pool      *pgxpool.Pool
	Feed      *feed.Writer
	Now       func() time.Time
	Log       *slog.Logger
	Reports   *report.Service
	Committed func() // something was committed that the feed tells of; may be nil
	Batch     int    // reports, orders, proposals or visits in one transaction; 0: 200
}

// Bounds of what a city may set, in days. A matter can be re-opened by who told it for a week.
const (
	MinDays = 90
	MaxDays = 36500
)

const (
	keySetting = "retention"
	batch      = 200
	stretch    = 20_000 // report numbers that are looked at, at once
)

// setting is the value of the setting: 0 keeps all.
type setting struct {
	Days int `json:"days"`
}

// Days is how long matters keep who told them after their end; 0: for good.
func (s *Service) Days(ctx context.Context) (int, error) {
	var v setting
	err := s.Pool.QueryRow(ctx, `SELECT value FROM setting WHERE key = $1`, keySetting).Scan(&v)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("read how long matters are kept: %w", err)
	}
	return v.Days, nil
}

// Check refuses what is no retention: a fault of field retention_days.
func Check(days int) error {
	if days != 0 && (days < MinDays || days > MaxDays) {
		return fault.Invalid("retention_days", "out_of_range", "is 0, which keeps all, or %d to %d days", MinDays, MaxDays)
	}
	return nil
}

// SetDays keeps how long, on record.
func (s *Service) SetDays(ctx context.Context, days int) error {
	if err := Check(days); err != nil {
		return err
	}
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		var before setting
		err := tx.QueryRow(ctx, `SELECT value FROM setting WHERE key = $1 FOR UPDATE`, keySetting).Scan(&before)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("read how long matters are kept: %w", err)
		}
		if before.Days == days {
			return nil
		}
		value, err := json.Marshal(setting{days})
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, `INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, keySetting, value); err != nil {
			return fmt.Errorf("keep how long matters are kept: %w", err)
		}
		_, err = s.Feed.Append(ctx, tx, s.Now().UTC(), nil, audit.Record{Act: "setting.change", Subject: "setting:retention", Before: before, After: setting{days}})
		return err
	})
}

// Preview is what a retention would do now.
type Preview struct {
	Reports int
	First   *time.Time // when the oldest of them was captured
}

// Preview counts without changing anything.
func (s *Service) Preview(ctx context.Context, days int) (p Preview, err error) {
	if err := Check(days); err != nil || days == 0 {
		return p, err
	}
	p.Reports, p.First, err = casework.OverSince(ctx, s.Pool, s.before(days))
	return p, err
}

func (s *Service) before(days int) time.Time { return s.Now().UTC().AddDate(0, 0, -days) }

// Run makes anonymous what is over for as long as the city keeps it, what was typed into investigations of it, and visits as old; it returns how many
// reports it was.
func (s *Service) Run(ctx context.Context) (total int, err error) {
	days, err := s.Days(ctx)
	if err != nil || days == 0 {
		return 0, err
	}
	before := s.before(days)
	var last int64
	if err := s.Pool.QueryRow(ctx, `SELECT coalesce(max(num), 0) FROM report`).Scan(&last); err != nil {
		return 0, fmt.Errorf("read how many reports there are: %w", err)
	}
	// From the last to the first: what is merged into another came after it, mostly, and waits for it; what is left is found by the
	// next run.
	for again := true; again; {
		again = false
		for from := int64(0); from < last; {
			to := min(from+stretch, last)
			n, reached, err := s.some(ctx, before, from, to)
			if err != nil {
				return total, err
			}
			total += n
			again = again || n > 0
			if from = to; n > 0 {
				from = reached
			}
		}
	}
	if total > 0 {
		s.Log.Info("matters were made anonymous", "reports", total, "days", days)
	}
	// After the reports, and also where none was left: an order may have ended since.
	if err := s.investigations(ctx); err != nil {
		return total, err
	}
	return total, s.visits(ctx, before)
}

// visits empties, batch by batch, the visits of patrols that were told before a moment.
func (s *Service) visits(ctx context.Context, before time.Time) error {
	total := int64(0)
	for {
		var gone int64
		err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) (err error) {
			gone, err = patrol.ForgetBefore(ctx, tx, before, s.size())
			if err != nil || gone == 0 {
				return err
			}
			_, err = s.Feed.Append(ctx, tx, s.Now().UTC().Truncate(time.Microsecond), nil, audit.Record{Act: "patrol.anonymise", Subject: "patrols", After: map[string]int64{"visits": gone}})
			return err
		})
		if err != nil {
			return fmt.Errorf("make visits anonymous: %w", err)
		}
		if gone == 0 {
			break
		}
		total += gone
	}
	if total > 0 {
		s.Log.Info("visits were made anonymous", "visits", total)
	}
	return nil
}

// investigations empties, batch by batch, what was typed into investigations of which all evidence is anonymous.
func (s *Service) investigations(ctx context.Context) error {
	orders, proposals := 0, 0
	for {
		var gone investigation.Forgotten
		err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) (err error) {
			at := s.Now().UTC().Truncate(time.Microsecond)
			gone, err = investigation.ForgetWords(ctx, tx, at, s.size())
			if err != nil || gone.None() {
				return err
			}
			_, err = s.Feed.Append(ctx, tx, at, nil, audit.Record{Act: "investigation.anonymise", Subject: "investigations", After: gone})
			return err
		})
		if err != nil {
			return fmt.Errorf("make investigations anonymous: %w", err)
		}
		if gone.None() {
			break
		}
		orders, proposals = orders+len(gone.Orders), proposals+len(gone.Proposals)
	}
	if orders+proposals > 0 {
		s.Log.Info("investigations were made anonymous", "orders", orders, "proposals", proposals)
	}
	return nil
}

func (s *Service) size() int {
	if s.Batch == 0 {
		return batch
	}
	return s.Batch
}

// some makes one batch anonymous of the reports after a number; reached is the last of them.
func (s *Service) some(ctx context.Context, before time.Time, after, upTo int64) (n int, reached int64, err error) {
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		n = 0
		nums, err := casework.TakeOver(ctx, tx, before, after, upTo, s.size())
		if err != nil || len(nums) == 0 {
			return err
		}
		n, reached = len(nums), nums[len(nums)-1]
		return s.anonymise(ctx, tx, nums)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("make matters anonymous: %w", err)
	}
	if n > 0 && s.Committed != nil {
		s.Committed()
	}
	return n, reached, nil
}

func (s *Service) anonymise(ctx context.Context, tx pgx.Tx, nums []int64) error {
	at := s.Now().UTC().Truncate(time.Microsecond)
	recipients, people, err := contact.Release(ctx, tx, nums, at)
	if err != nil {
		return err
	}
	if err := resident.Forget(ctx, tx, nums, recipients); err != nil {
		return err
	}
	photos, err := photo.ForgetAll(ctx, tx, nums)
	if err != nil {
		return err
	}
	if err := casework.ForgetWords(ctx, tx, nums); err != nil {
		return err
	}
	if err := s.Reports.Coarsen(ctx, tx, nums, at); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO anonymised (report_num, at) SELECT num, $2 FROM unnest($1::bigint[]) AS num`, nums, at); err != nil {
		return fmt.Errorf("write down what was made anonymous: %w", err)
	}
	list := make([]uint32, len(nums))
	for i, n := range nums {
		list[i] = uint32(n)
	}
	events := []feed.Event{
		{Type: feed.ReportErased, Data: feed.Erased{Nums: list}},
		{Type: feed.ReportReplaced, Data: feed.Replaced{Plan: s.Reports.Placer().PlanID, Nums: list}}, // the points moved
	}
	_, err = s.Feed.Append(ctx, tx, at, events, audit.Record{Act: "report.anonymise", Subject: "reports",
		After: map[string]any{"nums": nums, "people": people, "photos": photos}})
	return err
}

// Anonymised tells when a report was made anonymous; nil: it was not.
func (s *Service) Anonymised(ctx context.Context, num report.Num) (*time.Time, error) {
	var at *time.Time
	err := s.Pool.QueryRow(ctx, `SELECT at FROM anonymised WHERE report_num = $1`, num).Scan(&at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read whether report %d was made anonymous: %w", num, err)
	}
	return at, nil
}

// Args ask for a run.
type Args struct{}

// Kind implements [river.JobArgs].
func (Args) Kind() string { return "anonymise" }

// InsertOpts implements [river.JobArgsWithInsertOpts]: one at a time in a city.
func (Args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 5, UniqueOpts: river.UniqueOpts{ByPeriod: time.Hour}}
}

// Worker runs it.
type Worker struct {
	river.WorkerDefaults[Args]
	Service *Service
}

// Timeout implements [river.Worker]: what is not done by then goes on with the next run.
func (w *Worker) Timeout(*river.Job[Args]) time.Duration { return 5 * time.Minute }

// Work implements [river.Worker].
func (w *Worker) Work(ctx context.Context, _ *river.Job[Args]) error {
	_, err := w.Service.Run(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return river.JobSnooze(time.Minute)
	}
	return err
}
