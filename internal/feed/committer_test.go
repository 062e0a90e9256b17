package feed

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgtest"
)

// Several nodes commit, imports append beside them, acts fail in between. The feed must have each acknowledged event once
// and no other, without holes at any moment, and an act that was acknowledged before another began comes before it. Each
// follower sees all of it, in order.
func TestFeedIsGaplessInCommitOrder(t *testing.T) {
	const nodes, writers, acts, importers = 3, 12, 25, 2
	_, pool, _ := pgtest.City(t)
	ctx := t.Context()
	var logs []*Log
	var running sync.WaitGroup
	run, stop := context.WithCancel(ctx)
	defer func() { stop(); running.Wait() }()
	for range 3 { // the last of them only polls
		l, err := NewLog(ctx, pool, quiet())
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, l)
		running.Go(func() { l.Run(run) })
	}
	wake := func(Seq) { logs[0].Wake(); logs[1].Wake() }

	var mu sync.Mutex
	var acknowledged []int
	lists := make([][]int, nodes*writers+importers) // of each writer, as acknowledged
	ack := func(w, n int) {
		mu.Lock()
		defer mu.Unlock()
		acknowledged, lists[w] = append(acknowledged, n), append(lists[w], n)
	}
	var committers []*Committer
	var writer *Writer // of the last node; the imports are its own too
	var work sync.WaitGroup
	for node := range nodes {
		writer = &Writer{Key: key}
		c := NewCommitter(pool, writer, clock, wake)
		committers = append(committers, c)
		for i := range writers {
			w := node*writers + i
			work.Go(func() {
				rng := rand.New(rand.NewPCG(1, uint64(w)))
				for k := range acts {
					n := w*1000 + k
					var err error
					switch rng.IntN(4) {
					case 0:
						err = c.Do(ctx, addItem(n))
					case 1:
						err = c.Do(ctx, func(ctx context.Context, tx pgx.Tx) (Step, error) {
							left, _ := addItem(n)(ctx, tx)
							return left, errors.New("no")
						})
					default:
						err = c.DoStatement(ctx, itemStatement(n))
					}
					if err == nil {
						ack(w, n)
					} else if err.Error() != "no" {
						t.Errorf("act %d: %v", n, err)
					}
				}
			})
		}
	}
	for i := range importers {
		w := nodes*writers + i
		work.Go(func() {
			for k := range acts {
				n := w*1000 + k
				err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					_, err := writer.Append(ctx, tx, start, step(n).Events, step(n).Records...)
					return err
				})
				if err != nil {
					t.Errorf("import %d: %v", n, err)
				}
				ack(w, n)
			}
		})
	}
	busy := make(chan struct{})
	running.Go(func() {
		for {
			select {
			case <-busy:
				return
			default:
				checkNoHole(t, pool)
			}
		}
	})
	work.Wait()
	close(busy)
	for _, c := range committers {
		c.Close()
	}

	all := whole(t, pool)
	order := numbers(t, all)
	checkChain(t, pool, order)
	if got := slices.Sorted(slices.Values(order)); !slices.Equal(got, slices.Sorted(slices.Values(acknowledged))) {
		t.Errorf("%d events, %d acknowledged; they differ", len(order), len(acknowledged))
	}
	for w, list := range lists {
		own := slices.DeleteFunc(slices.Clone(order), func(n int) bool { return n/1000 != w })
		if !slices.Equal(own, list) {
			t.Errorf("writer %d was acknowledged %v, the feed has %v", w, list, own)
		}
	}
	for i, l := range logs {
		var seen []int
		for at := (ID{1, 0}); at.Seq < Seq(len(all)); {
			events, err := l.Next(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, numbers(t, events)...)
			at.Seq = events[len(events)-1].Seq
		}
		if !slices.Equal(seen, order) {
			t.Errorf("follower %d saw %d events, want %d, in another order or number", i, len(seen), len(order))
		}
	}
}

// checkNoHole looks at one moment of the feed.
func checkNoHole(t *testing.T, pool *pgxpool.Pool) {
	var head, last, count int
	err := pool.QueryRow(t.Context(), `
		SELECT f.seq, e.last, e.n FROM feed f, (SELECT coalesce(max(seq), 0) AS last, count(*) AS n FROM event) e`).Scan(&head, &last, &count)
	if err != nil || head != last || last != count {
		t.Errorf("at one moment the head is %d, the last event %d, and there are %d: %v", head, last, count, err)
	}
}

// The same id from two sides at once, each inserting in the other's order, ends in a deadlock now and then: both sides
// must be told that it is there, and it is there once.
func TestSameIDsFromManySides(t *testing.T) {
	const ids, sides = 40, 6
	_, pool, _ := pgtest.City(t)
	c := NewCommitter(pool, &Writer{Key: key}, clock, func(Seq) {})
	defer c.Close()
	var work sync.WaitGroup
	for side := range sides {
		order := rand.New(rand.NewPCG(2, uint64(side))).Perm(ids)
		for _, n := range order {
			work.Go(func() {
				if err := c.DoStatement(t.Context(), itemStatement(n)); err != nil {
					t.Errorf("side %d, id %d: %v", side, n, err)
				}
			})
		}
	}
	work.Wait()
	got := numbers(t, whole(t, pool))
	slices.Sort(got)
	if len(got) != ids || len(slices.Compact(got)) != ids {
		t.Errorf("the feed tells of %v", got)
	}
	checkChain(t, pool, got)
}

func TestCallerWhoLeaves(t *testing.T) {
	_, pool, _ := pgtest.City(t)
	c := NewCommitter(pool, &Writer{Key: key}, clock, func(Seq) {})
	defer c.Close()
	release := make(chan struct{})
	var blocked sync.WaitGroup
	running := make(chan struct{})
	leave, gone := context.WithCancel(t.Context())
	for n := range MaxUnderWay {
		blocked.Go(func() {
			err := c.Do(leave, func(ctx context.Context, tx pgx.Tx) (Step, error) {
				running <- struct{}{}
				<-release
				return addItem(n)(ctx, tx)
			})
			if err != nil {
				t.Errorf("an act that was under way when its caller left: %v", err)
			}
		})
		<-running // one by one: a worker may take up two that come together
	}
	gone()
	// All workers are at work: this one waits to be taken up, and leaves.
	var ran atomic.Bool
	short, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		left <- c.Do(short, func(ctx context.Context, tx pgx.Tx) (Step, error) {
			ran.Store(true)
			return addItem(100)(ctx, tx)
		})
	}()
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left hears %v", err)
	}
	close(release)
	blocked.Wait()
	if got := numbers(t, whole(t, pool)); len(got) != MaxUnderWay || ran.Load() {
		t.Errorf("the feed holds %v; the act of who left ran: %v", got, ran.Load())
	}
}

func TestCloseWaitsAndRefuses(t *testing.T) {
	_, pool, _ := pgtest.City(t)
	c := NewCommitter(pool, &Writer{Key: key}, clock, func(Seq) {})
	running, release := make(chan struct{}), make(chan struct{})
	var finished atomic.Bool
	under := make(chan error, 1)
	go func() {
		under <- c.Do(t.Context(), func(ctx context.Context, tx pgx.Tx) (Step, error) {
			close(running)
			<-release
			finished.Store(true)
			return addItem(1)(ctx, tx)
		})
	}()
	<-running
	closed := make(chan struct{})
	go func() {
		c.Close()
		if !finished.Load() {
			t.Error("closed before the act under way was done")
		}
		close(closed)
	}()
	// Close has begun when Do refuses; there is no other sign of it.
	for err := error(nil); err == nil; {
		err = c.Do(t.Context(), func(context.Context, pgx.Tx) (Step, error) { return Step{}, nil })
		if err != nil && !fault.Is(err, fault.KindUnavailable) {
			t.Errorf("after Close: %v", err)
		}
	}
	close(release)
	<-closed
	if err := <-under; err != nil {
		t.Errorf("the act under way: %v", err)
	}
	if got := numbers(t, whole(t, pool)); !slices.Equal(got, []int{1}) {
		t.Errorf("the feed holds %v", got)
	}
}
