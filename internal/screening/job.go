package screening

import (
	"cmp"
	"context"
	"time"

	"github.com/riverqueue/river"

	"gridgov/internal/fault"
)

// Args ask for the week's screening.
type Args struct{}

// Kind implements [river.JobArgs].
func (Args) Kind() string { return "screen" }

// InsertOpts implements [river.JobArgsWithInsertOpts]: one at a time in a city.
func (Args) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 5, UniqueOpts: river.UniqueOpts{ByPeriod: time.Hour}}
}

// Worker makes it.
type Worker struct {
	river.WorkerDefaults[Args]
	Service *Service
}

// Timeout implements [river.Worker].
func (w *Worker) Timeout(*river.Job[Args]) time.Duration { return 10 * time.Minute }

// Work implements [river.Worker].
func (w *Worker) Work(ctx context.Context, _ *river.Job[Args]) error {
	if w.Service.Filling != nil {
		if filling, err := w.Service.Filling(ctx); err != nil || filling {
			return cmp.Or(err, river.JobSnooze(time.Minute))
		}
	}
	_, err := w.Service.Weekly(ctx)
	if f, ok := fault.As(err); ok && f.Code == "screening_running" {
		return river.JobSnooze(time.Minute)
	}
	return err
}
