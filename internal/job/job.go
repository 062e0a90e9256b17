// Package job runs what a city has to do outside of a request: River's jobs, in the city's own schema. A job is inserted in the
// transaction of what it follows from, so it is there if and only if that is; it is run at least once, and more than once only
// where a process ended between the work and the note that it is done. So each job is idempotent, or says by an id of its own
// that it is the same again.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// What bounds the jobs of a city on a node.
const (
	workers       = 4                // jobs at once
	timeout       = 2 * time.Minute  // of a job, unless its worker says otherwise
	pollEach      = time.Second      // a city takes no connection of its own to listen
	rescueAfter   = 10 * time.Minute // a job whose process ended is taken up again after
	keptWhenDone  = time.Hour        // a job that is done
	keptOtherwise = 30 * 24 * time.Hour
)

// Queue is a city's jobs. Make it with [Open]; Start works on them.
type Queue struct {
	client *river.Client[pgx.Tx]
	pool   *pgxpool.Pool
}

// Outside is the queue of jobs that call machines of others: one that hangs holds up its like alone. Push is that of those that call push
// services, which from some networks cannot be reached.
const (
	Outside = "outside"
	Push    = "push"
)

// Options change how jobs are run; for tests.
type Options struct {
	RescueAfter time.Duration // 0: 10 min
}

// Open makes the queue. Jobs may be inserted at once.
func Open(pool *pgxpool.Pool, log *slog.Logger, w *river.Workers, periodic []*river.PeriodicJob, opt Options) (*Queue, error) {
	cfg := &river.Config{
		Logger: slog.New(quieter{log.Handler()}), Workers: w, PeriodicJobs: periodic, PollOnly: true, FetchPollInterval: pollEach,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}, Outside: {MaxWorkers: workers}, Push: {MaxWorkers: workers}}, JobTimeout: timeout, RescueStuckJobsAfter: rescueAfter,
		CompletedJobRetentionPeriod: keptWhenDone, CancelledJobRetentionPeriod: keptOtherwise, DiscardedJobRetentionPeriod: keptOtherwise,
		ReindexerSchedule: river.NeverSchedule(), // the serving role owns no index
	}
	if opt.RescueAfter > 0 {
		cfg.JobTimeout, cfg.RescueStuckJobsAfter = min(timeout, opt.RescueAfter), opt.RescueAfter
	}
	client, err := river.NewClient(riverpgxv5.New(pool), cfg)
	if err != nil {
		return nil, fmt.Errorf("open the queue of jobs: %w", err)
	}
	return &Queue{client, pool}, nil
}

// Daily is a job that is run once a day, and when the first node of a city starts.
func Daily(id string, args func() river.JobArgs) *river.PeriodicJob {
	return each(24*time.Hour, id, args)
}

// Hourly is one that is run once an hour, likewise: it finds out itself whether there is anything to do.
func Hourly(id string, args func() river.JobArgs) *river.PeriodicJob {
	return each(time.Hour, id, args)
}

func each(interval time.Duration, id string, args func() river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) { return args(), nil },
		&river.PeriodicJobOpts{ID: id, RunOnStart: true})
}

// stopWithin is how long jobs under way have when the service stops; then they are broken off, and run again elsewhere.
const stopWithin = 5 * time.Second

// Run works on jobs until ctx ends. Several processes may: each job is taken up by one of them.
func (q *Queue) Run(ctx context.Context) error {
	work := context.WithoutCancel(ctx)
	if err := q.client.Start(work); err != nil {
		return fmt.Errorf("start to work on jobs: %w", err)
	}
	<-ctx.Done()
	soft, cancel := context.WithTimeout(work, stopWithin)
	defer cancel()
	if err := q.client.Stop(soft); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop to work on jobs: %w", err)
	} else if err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(work, stopWithin)
	defer cancel()
	if err := q.client.StopAndCancel(hard); err != nil {
		return fmt.Errorf("break jobs off: %w", err)
	}
	return nil
}

// Insert adds jobs in the caller's transaction.
func (q *Queue) Insert(ctx context.Context, tx pgx.Tx, jobs ...river.JobArgs) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i].Args = j
	}
	if _, err := q.client.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("insert jobs: %w", err)
	}
	return nil
}

// Standing tells how much waits in a queue.
type Standing struct {
	Waiting int           // due, and not yet taken up
	Later   int           // to be tried again, or held
	Running int           //
	GivenUp int           // kept for a month
	Oldest  time.Duration // how long the oldest of those that are due has waited
}

// Standing counts the jobs.
func (q *Queue) Standing(ctx context.Context) (s Standing, err error) {
	var oldest float64
	err = q.pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE state = 'available' OR state IN ('retryable', 'scheduled') AND scheduled_at <= $1),
			count(*) FILTER (WHERE state IN ('retryable', 'scheduled') AND scheduled_at > $1), count(*) FILTER (WHERE state = 'running'),
			count(*) FILTER (WHERE state IN ('discarded', 'cancelled')),
			coalesce(extract(epoch FROM $1 - min(scheduled_at) FILTER (WHERE state IN ('available', 'retryable', 'scheduled') AND scheduled_at <= $1)), 0)
		FROM river_job WHERE state <> 'completed'`, time.Now().UTC()).Scan(&s.Waiting, &s.Later, &s.Running, &s.GivenUp, &oldest)
	if err != nil {
		return s, fmt.Errorf("count jobs: %w", err)
	}
	s.Oldest = time.Duration(oldest * float64(time.Second))
	return s, nil
}

// GiveUpAfter is how long what goes out of the house is tried.
const GiveUpAfter = 24 * time.Hour

// Tries is more than [Pause] allows within that time.
const Tries = 60

// Pause is how long to wait after so many tries: half a minute first, then twice as long each time, at most an hour.
func Pause(tries int) time.Duration {
	const first, longest = 30 * time.Second, time.Hour
	if tries > 7 {
		return longest
	}
	return min(first<<max(0, tries-1), longest)
}

// quieter lets warnings and errors through: River tells of each start and stop.
type quieter struct{ slog.Handler }

func (q quieter) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

func (q quieter) WithAttrs(a []slog.Attr) slog.Handler { return quieter{q.Handler.WithAttrs(a)} }

func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }
