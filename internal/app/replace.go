package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/report"
)

// strays are reports that were placed under another plan than the one in force here, and are to be looked at again.
type strays struct {
	mu     sync.Mutex
	ranges []numRange
	more   chan struct{}
}

func newStrays() strays { return strays{more: make(chan struct{}, 1)} }

func (s *strays) add(r ...numRange) {
	s.mu.Lock()
	s.ranges = append(s.ranges, r...)
	s.mu.Unlock()
	signal(s.more)
}

func (s *strays) take() []numRange {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.ranges
	s.ranges = nil
	return r
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// lookAtPlan says that the plan in force may be another one.
func (l *Live) lookAtPlan() { signal(l.switched) }

// watchPlan sees to it that the plan in force is the one served: at once when one is published, and when the moment of
// one published ahead has come. A plan that follows another ends the placing under that one.
func (l *Live) watchPlan(ctx context.Context) {
	end := l.startPlacing(ctx) // also finishes what an earlier run has left
	defer func() { end() }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.changed:
			if err := l.ReloadPlaces(ctx); err != nil && ctx.Err() == nil {
				l.log.Warn("places could not be loaded, will try again with the next change", "err", err)
			}
			continue
		case <-l.rebuilt:
			end()
			end = l.startPlacing(ctx)
			l.warm()
			continue
		case <-l.switched:
		case <-tick.C:
		}
		changed, err := l.Reload(ctx)
		if err != nil && ctx.Err() == nil {
			l.log.Warn("the plan in force could not be loaded, will try again", "err", err)
		}
		if changed {
			end()
			end = l.startPlacing(ctx)
			l.warm()
		}
	}
}

// startPlacing places all reports under the plan in force in the background, and strays as they come; end ends it.
func (l *Live) startPlacing(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if placer := l.State().Placer; placer.PlanID != 0 {
			l.placeAll(ctx, placer)
			l.placeStrays(ctx, placer)
		}
	}()
	return func() { cancel(); <-done }
}

func (l *Live) placeAll(ctx context.Context, placer *report.Placer) {
	defer l.replacing.Store(nil)
	for ctx.Err() == nil {
		result, err := l.Replace(ctx, placer, func(p report.Replacing) {
			if p.Done < p.Total {
				l.replacing.Store(&p)
			}
			l.Announce()
		})
		if err == nil {
			if result.Here > 0 {
				l.log.Info("reports placed under the plan in force", "changed", result.Here)
			}
			l.Announce()
			return
		}
		if ctx.Err() == nil {
			l.log.Warn("placing under the new plan stopped, will go on", "err", err)
			pause(ctx, time.Second)
		}
	}
}

func (l *Live) placeStrays(ctx context.Context, placer *report.Placer) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.strays.more:
		}
		list := l.strays.take()
		for i, r := range list {
			if _, err := l.Reports.ReplaceRange(ctx, placer, r.from, r.to); err != nil {
				l.strays.add(list[i:]...)
				if ctx.Err() == nil {
					l.log.Warn("could not place again, will go on", "from", r.from, "to", r.to, "err", err)
					pause(ctx, time.Second)
				}
				break
			}
		}
		l.Announce()
	}
}

// strayTime is how long before a plan's evaluation begins a report may have been placed and be kept only afterwards, with
// clocks that differ between nodes.
const strayTime = 10 * time.Minute

// maxRange is about how many reports are evaluated at a time.
const maxRange = 50_000

// Replace places all reports under a plan: those there are, and those that were filed under an older plan while it was
// evaluated, or since by somebody who did not know it yet.
func (c *City) Replace(ctx context.Context, placer *report.Placer, progress func(report.Replacing)) (report.Replacing, error) {
	r, err := c.Reports.Replace(ctx, placer, progress)
	if err != nil {
		return r, err
	}
	list, err := c.findStrays(ctx, placer)
	if err != nil {
		return r, err
	}
	for _, s := range list {
		n, err := c.Reports.ReplaceRange(ctx, placer, s.from, s.to)
		if err != nil {
			return r, err
		}
		r.Changed, r.Here = r.Changed+int64(n), r.Here+int64(n)
	}
	return r, nil
}

func (c *City) findStrays(ctx context.Context, placer *report.Placer) ([]numRange, error) {
	rows, err := c.Pool.Query(ctx, `
		SELECT p.report_num FROM placement p JOIN replacing s ON s.plan_id = $1
		WHERE p.plan_id IS DISTINCT FROM s.plan_id AND p.since >= s.started_at - $2::interval
		ORDER BY p.report_num`, placer.PlanID, strayTime)
	if err != nil {
		return nil, fmt.Errorf("find reports placed under an older plan: %w", err)
	}
	var list []numRange
	var num report.Num
	_, err = pgx.ForEachRow(rows, []any{&num}, func() error {
		if n := len(list); n > 0 && num-list[n-1].from < maxRange {
			list[n-1].to = num
		} else {
			list = append(list, numRange{num, num})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find reports placed under an older plan: %w", err)
	}
	return list, nil
}
