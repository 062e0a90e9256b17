package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/fault"
)

// Act is one use case's work in a transaction. It returns the events to append. It may run more than once (a group that
// met a deadlock is done again act by act), so it sets its results anew each time and has no other effect than SQL.
type Act func(ctx context.Context, tx pgx.Tx) ([]Event, error)

// Beginner is what the committer needs of a pool.
type Beginner interface {
	Begin(ctx context.Context) (pgx.Tx, error)
}

// Limits of a committer. A city's ceiling is one transaction per commit latency, since the feed's lock is held through
// the commit; so acts that arrive together share one.
const (
	MaxUnderWay = 8  // transactions at once
	MaxGroup    = 64 // acts in one transaction
	actTimeout  = 10 * time.Second
)

// Committer commits acts in groups: each act in a savepoint of its own (one that fails fails alone), all their events
// appended together, one commit.
type Committer struct {
	db        Beginner
	now       func() time.Time
	committed func(Seq)

	acts chan *pending
	stop context.CancelFunc
	done sync.WaitGroup
}

type pending struct {
	ctx    context.Context
	act    Act
	events []Event
	err    error
	ready  chan struct{}
}

// NewCommitter starts the workers; Close ends them. committed is called after each commit that appended events, with
// the last number; it must not block.
func NewCommitter(db Beginner, now func() time.Time, committed func(Seq)) *Committer {
	ctx, stop := context.WithCancel(context.Background())
	c := &Committer{db: db, now: now, committed: committed, acts: make(chan *pending), stop: stop}
	for range MaxUnderWay {
		c.done.Go(func() { c.work(ctx) })
	}
	return c
}

// Close waits for what is under way and refuses the rest.
func (c *Committer) Close() {
	c.stop()
	c.done.Wait()
}

// Do runs act in a shared transaction and returns when it is durably committed, or has failed. When ctx ends earlier
// the act may still be committed: what calls Do must be idempotent.
func (c *Committer) Do(ctx context.Context, act Act) error {
	p := &pending{ctx: ctx, act: act, ready: make(chan struct{})}
	select {
	case c.acts <- p:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-p.ready:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Committer) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-c.acts:
			c.commit(c.gather(p))
		}
	}
}

// gather takes what else is waiting now; it never waits for more.
func (c *Committer) gather(first *pending) []*pending {
	group := []*pending{first}
	for len(group) < MaxGroup {
		select {
		case p := <-c.acts:
			group = append(group, p)
		default:
			return group
		}
	}
	return group
}

func (c *Committer) commit(group []*pending) {
	live := group[:0]
	for _, p := range group {
		if p.err = p.ctx.Err(); p.err != nil { // nobody waits for it any more
			close(p.ready)
			continue
		}
		live = append(live, p)
	}
	err := c.try(live)
	if err != nil && len(live) > 1 && retryable(err) {
		for _, p := range live {
			p.err = c.try([]*pending{p})
		}
		err = nil
	}
	for _, p := range live {
		if err != nil {
			p.err = err
		}
		close(p.ready)
	}
}

// try runs one transaction. An error is the whole group's; errors of single acts are left in them.
func (c *Committer) try(group []*pending) error {
	if len(group) == 0 {
		return nil
	}
	// Not a request's context: one who leaves must not take the others' transaction with him.
	ctx, cancel := context.WithTimeout(context.Background(), actTimeout)
	defer cancel()
	tx, err := c.db.Begin(ctx)
	if err != nil {
		return broken(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // no effect after the commit

	var events []Event
	ok := false
	for _, p := range group {
		p.events, p.err = runAct(ctx, tx, p.act, len(group) > 1)
		if p.err == nil {
			events, ok = append(events, p.events...), true
			continue
		}
		if retryable(p.err) || tx.Conn().IsClosed() {
			return p.err
		}
	}
	if !ok {
		return nil // nothing to commit; each act has its own error
	}
	last, err := Append(ctx, tx, c.now(), events)
	if err != nil {
		return broken(err)
	}
	if err := tx.Commit(ctx); err != nil {
		return broken(err)
	}
	if last > 0 {
		c.committed(last)
	}
	return nil
}

// runAct runs one act, in a savepoint when it shares its transaction.
func runAct(ctx context.Context, tx pgx.Tx, act Act, shared bool) ([]Event, error) {
	if !shared {
		return act(ctx, tx)
	}
	sp, err := tx.Begin(ctx)
	if err != nil {
		return nil, broken(err)
	}
	events, err := act(ctx, sp)
	if err != nil {
		if rerr := sp.Rollback(ctx); rerr != nil {
			return nil, broken(errors.Join(err, rerr))
		}
		return nil, err
	}
	if err := sp.Commit(ctx); err != nil {
		return nil, broken(err)
	}
	return events, nil
}

// retryable tells the errors after which the same act may succeed alone: deadlock, serialization, lock timeout.
func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001" || pg.Code == "55P03")
}

// broken marks a failure of the transaction as a whole: nothing is acknowledged, the caller may send it again.
func broken(err error) error {
	return fmt.Errorf("%w (%w)", err, fault.Unavailable("database_unavailable",
		"the database did not take the change; send it again, the same id is not stored twice"))
}
