package report

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"gridgov/internal/postgres"
)

// Replacing is how far the re-placement under a plan has come, in report numbers.
type Replacing struct {
	Done, Total int64
	Changed     int64 // new answers, also of runs before this one and on other nodes
	Here        int64 // of them, those of this run
}

// Variables for the tests' sake alone.
var (
	replaceRead  = int64(20_000) // report numbers evaluated at a time
	replaceWrite = 5_000         // answers written in one transaction, as the feed's lock is held for its last step
)

const replaceWorkers = 2 // each with a connection: one reads and places while the other writes

// Replace evaluates all reports under a plan and writes a new answer where it differs from the one in force. It goes on
// from where an interrupted run of the same plan stopped, and two nodes may run it at once. Reports filed under an older
// plan while it runs are not its matter: their events name that plan, and ReplaceRange is called for them. progress, when
// given, is never called twice at once.
func (s *Service) Replace(ctx context.Context, placer *Placer, progress func(Replacing)) (Replacing, error) {
	last, err := s.LastNum(ctx)
	if err != nil {
		return Replacing{}, err
	}
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO replacing (plan_id, next_num, last_num, changed, started_at) VALUES ($1, 1, $2, 0, $3)
			ON CONFLICT (plan_id) DO NOTHING`, placer.PlanID, int64(last), s.Now().UTC())
		return err
	})
	if err != nil {
		return Replacing{}, fmt.Errorf("start re-placement: %w", err)
	}
	r := &replacer{Service: s, placer: placer, progress: progress, open: map[int64]bool{}}
	group, run := errgroup.WithContext(ctx)
	for range replaceWorkers {
		group.Go(func() error { return r.work(run) })
	}
	if err := group.Wait(); err != nil {
		return r.at, err
	}
	_, err = r.look(ctx)
	return r.at, err
}

// replacer is one run of Replace.
type replacer struct {
	*Service
	placer   *Placer
	progress func(Replacing)

	mu   sync.Mutex
	at   Replacing
	next int64          // the first number that no worker here has taken
	open map[int64]bool // where the ranges begin that are taken and not done
}

func (r *replacer) work(ctx context.Context) error {
	for {
		from, to, err := r.take(ctx)
		if err != nil || from > to {
			return err
		}
		changed, err := r.ReplaceRange(ctx, r.placer, Num(from), Num(to))
		r.mu.Lock()
		r.at.Here += int64(changed)
		r.mu.Unlock()
		if err != nil {
			return err
		}
		if err := r.done(ctx, from); err != nil {
			return err
		}
	}
}

// take returns the next range to evaluate, from > to when there is none. What another node has done is passed over.
func (r *replacer) take(ctx context.Context) (from, to int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored, err := r.look(ctx)
	if err != nil {
		return 0, 0, err
	}
	from = max(r.next, stored)
	to = min(from+replaceRead-1, r.at.Total)
	if from <= to {
		r.next, r.open[from] = to+1, true
	}
	return from, to, nil
}

// look reads and tells how far all nodes have come together, and returns the first number that is not done.
func (r *replacer) look(ctx context.Context) (next int64, err error) {
	err = r.Pool.QueryRow(ctx, `SELECT next_num, last_num, changed FROM replacing WHERE plan_id = $1`, r.placer.PlanID).
		Scan(&next, &r.at.Total, &r.at.Changed)
	if err != nil {
		return 0, fmt.Errorf("read re-placement: %w", err)
	}
	r.at.Done = next - 1
	if r.progress != nil {
		r.progress(r.at)
	}
	return next, nil
}

// done keeps that everything is done below the lowest range that is still open here, so that a run after this one
// begins there. Evaluating a report twice changes nothing.
func (r *replacer) done(ctx context.Context, from int64) error {
	r.mu.Lock()
	delete(r.open, from)
	next := r.next
	for n := range r.open {
		next = min(next, n)
	}
	r.mu.Unlock()
	err := postgres.Transact(ctx, r.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE replacing SET next_num = $2 WHERE plan_id = $1 AND next_num < $2`, r.placer.PlanID, next)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep how far the re-placement has come: %w", err)
	}
	return nil
}

// ReplaceRange evaluates the reports from ≤ num ≤ to under a plan, writes the new answers, and returns how many there were.
func (s *Service) ReplaceRange(ctx context.Context, placer *Placer, from, to Num) (changed int, err error) {
	stale, err := s.evaluate(ctx, placer, from, to)
	if err != nil {
		return 0, err
	}
	return s.rewrite(ctx, placer, stale)
}

// Evaluate places the reports from ≤ num ≤ to under a plan, writes nothing, and returns how many would have a new answer.
func (s *Service) Evaluate(ctx context.Context, placer *Placer, from, to Num) (changed int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(replaceWorkers)
	var mu sync.Mutex
	for at := int64(from); at <= int64(to); at += replaceRead {
		group.Go(func() error {
			stale, err := s.evaluate(ctx, placer, Num(at), Num(min(at+replaceRead-1, int64(to))))
			mu.Lock()
			changed += len(stale)
			mu.Unlock()
			return err
		})
	}
	return changed, group.Wait()
}
