package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
)

// pollEach is how often a node looks for batches whose time has come: nobody tells it of those that were made elsewhere.
const pollEach = time.Second

// Wake tells the worker that a batch was made here.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run carries out what is due until ctx ends. Several nodes may: each batch is taken up by one of them.
func (s *Service) Run(ctx context.Context) {
	var swept time.Time
	for ctx.Err() == nil {
		did, err := s.Round(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("a batch could not be carried out, will be taken up again", "err", err)
		}
		if did && err == nil {
			continue
		}
		if now := s.Now(); now.Sub(swept) > time.Hour {
			if s.sweep(ctx, now) == nil {
				swept = now
			}
		}
		t := time.NewTimer(pollEach)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// Round takes up one batch whose time has come, if there is one, and carries it out.
func (s *Service) Round(ctx context.Context) (did bool, err error) {
	now := s.Now().UTC()
	var due bool
	err = s.Pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM batch WHERE state IN ('waiting', 'running') AND starts_at <= $1 AND (state = 'waiting' OR held_until < $1))`, now).Scan(&due)
	if err != nil {
		return false, fmt.Errorf("look for batches: %w", err)
	}
	if !due {
		return false, nil
	}
	b, again, err := s.take(ctx, now)
	if errors.Is(err, errNone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, s.carryOut(ctx, &b, again)
}

// errNone: another node was quicker.
var errNone = errors.New("no batch is due")

// errLost: another node holds the batch now, as this one took too long.
var errLost = errors.New("another node has taken the batch over")

// take makes this node the one that holds a batch. again: another one has begun with it and is gone.
func (s *Service) take(ctx context.Context, now time.Time) (b Batch, again bool, err error) {
	err = s.Committer.Do(ctx, func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		var id ID
		var was State
		err := tx.QueryRow(ctx, `
			SELECT id, state FROM batch WHERE state IN ('waiting', 'running') AND starts_at <= $1 AND (state = 'waiting' OR held_until < $1)
			ORDER BY starts_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`, now).Scan(&id, &was)
		if errors.Is(err, pgx.ErrNoRows) {
			return feed.Step{}, errNone
		}
		if err != nil {
			return feed.Step{}, fmt.Errorf("take up a batch: %w", err)
		}
		again = was == Running
		if _, err := tx.Exec(ctx, `UPDATE batch SET state = 'running', holder = $2, held_until = $3 WHERE id = $1`, id, s.node, now.Add(lease)); err != nil {
			return feed.Step{}, fmt.Errorf("take up batch %s: %w", id, err)
		}
		if b, _, err = get(ctx, tx, id, ""); err != nil {
			return feed.Step{}, err
		}
		return b.step(), nil
	})
	return b, again, err
}

// carryOut does what is left of a batch. An error leaves it to whoever takes it up next.
func (s *Service) carryOut(ctx context.Context, b *Batch, again bool) error {
	for n := range b.Cases {
		c := &b.Cases[n]
		if c.Outcome != "" {
			continue
		}
		done := false
		if again { // whoever had it may have done this one and not written it down; rights may have ended since
			if err := s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM case_act WHERE key = $1)`, b.key(n)).Scan(&done); err != nil {
				return fmt.Errorf("look for what was done: %w", err)
			}
		}
		if !done {
			if err := s.one(ctx, b, n); err != nil {
				return err
			}
		} else {
			c.Outcome = WasDone
		}
		if err := s.writeDown(ctx, b, n); err != nil {
			return err
		}
	}
	return s.end(ctx, b)
}

// one does what is asked of one case, and sets what became of it. An error is the service's, and says nothing of the case.
func (s *Service) one(ctx context.Context, b *Batch, n int) error {
	c := &b.Cases[n]
	err := s.Do(ctx, b.Address, b.ask(n))
	f, known := fault.As(err)
	switch {
	case err == nil:
		c.Outcome = WasDone
	case ctx.Err() != nil:
		return ctx.Err()
	case known && f.Kind != fault.KindUnavailable:
		c.Outcome, c.Why, c.Words = LeftOut, f.Code, f.Message
	case known, postgres.Disconnected(err):
		return err
	default:
		s.Log.Error("a case of a batch failed", "batch", b.ID, "case", c.Ref.String(), "err", err)
		c.Outcome, c.Why, c.Words = Failed, "internal", "something went wrong; it is in the log"
	}
	if r := []rune(c.Words); len(r) > 500 {
		c.Words = string(r[:500])
	}
	return nil
}

// writeDown keeps what became of a case, and that this node is at work.
func (s *Service) writeDown(ctx context.Context, b *Batch, n int) error {
	c := &b.Cases[n]
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE batch SET held_until = $3 WHERE id = $1 AND holder = $2`, b.ID, s.node, s.Now().UTC().Add(lease))
		if err != nil {
			return fmt.Errorf("hold batch %s: %w", b.ID, err)
		}
		if tag.RowsAffected() == 0 {
			return errLost
		}
		_, err = tx.Exec(ctx, `UPDATE batch_case SET outcome = $3, why = nullif($4, ''), words = nullif($5, '') WHERE batch_id = $1 AND n = $2 AND outcome IS NULL`,
			b.ID, n, c.Outcome, c.Why, c.Words)
		if err != nil {
			return fmt.Errorf("write down what became of case %s: %w", c.Ref, err)
		}
		return nil
	})
}

// end says that a batch is done.
func (s *Service) end(ctx context.Context, b *Batch) error {
	return s.Committer.Do(ctx, func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		b.State, b.EndedAt = Done, s.Now().UTC().Truncate(time.Microsecond)
		tag, err := tx.Exec(ctx, `UPDATE batch SET state = $3, holder = NULL, held_until = NULL, ended_at = $4 WHERE id = $1 AND holder = $2`, b.ID, s.node, b.State, b.EndedAt)
		if err != nil {
			return feed.Step{}, fmt.Errorf("end batch %s: %w", b.ID, err)
		}
		if tag.RowsAffected() == 0 {
			return feed.Step{}, errLost
		}
		done, leftOut, failed := b.Tally()
		return b.step(audit.Record{Act: "batch.carry_out", Subject: b.ID.subject(), After: map[string]int{"done": done, "left_out": leftOut, "failed": failed}}), nil
	})
}

// sweep removes batches that have ended long ago.
func (s *Service) sweep(ctx context.Context, now time.Time) error {
	before := now.Add(-Kept).UTC()
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		for _, sql := range []string{`DELETE FROM batch_case WHERE batch_id IN (SELECT id FROM batch WHERE ended_at < $1)`, `DELETE FROM batch WHERE ended_at < $1`} {
			if _, err := tx.Exec(ctx, sql, before); err != nil {
				return fmt.Errorf("remove old batches: %w", err)
			}
		}
		return nil
	})
}
