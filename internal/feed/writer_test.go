package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/postgres/pgtest"
)

// node is one process that writes to a city.
func node(pool *pgxpool.Pool) *Committer {
	return &Committer{pool: pool, writer: &Writer{Key: key}, now: clock, committed: func(Seq) {}}
}

// keepAll commits acts as one group.
func (c *Committer) keepAll(t testing.TB, group ...*pending) {
	t.Helper()
	c.commit(group)
	for i, p := range group {
		if p.err != nil {
			t.Fatalf("act %d: %v", i, p.err)
		}
	}
}

// A node that did not see what another wrote finds out at its next commit, and loses nothing.
func TestNodesGoOnFromEachOther(t *testing.T) {
	_, pool, _ := pgtest.City(t)
	a, b := node(pool), node(pool)
	var want []int
	for n := range 20 {
		c := a
		if n%3 > 0 {
			c = b
		}
		c.keepAll(t, statement(itemStatement(2*n)), act(addItem(2*n+1)))
		want = append(want, 2*n, 2*n+1)
	}
	checkChain(t, pool, want)
	if a.writer.lockNext == 0 || b.writer.lockNext == 0 {
		t.Error("a node that met another does not lock first")
	}
}

// Two nodes at once, each with groups and with transactions of its own, under load.
func TestNodesUnderLoad(t *testing.T) {
	const nodes, writers, acts = 2, 20, 20
	_, pool, _ := pgtest.City(t)
	var work sync.WaitGroup
	var want []int
	for range nodes {
		w := &Writer{Key: key}
		c := NewCommitter(pool, w, clock, func(Seq) {})
		defer c.Close()
		for range writers {
			first := len(want)
			for k := range acts {
				want = append(want, first+k)
			}
			work.Go(func() {
				for n := first; n < first+acts; n++ {
					var err error
					if n%10 == 0 {
						err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
							left, err := addItem(n)(t.Context(), tx)
							if err == nil {
								_, err = w.Append(t.Context(), tx, start, left.Events, left.Records...)
							}
							return err
						})
					} else {
						err = c.DoStatement(t.Context(), itemStatement(n))
					}
					if err != nil {
						t.Errorf("act %d: %v", n, err)
					}
				}
			})
		}
	}
	work.Wait()
	checkChain(t, pool, want)
	if got := numbers(t, whole(t, pool)); len(got) != len(want) {
		t.Errorf("%d events of %d", len(got), len(want))
	}
}

// What was appended and then not committed leaves nothing, and whoever comes next does not wait for more than its end.
func TestAppendThatIsRolledBack(t *testing.T) {
	_, pool, _ := pgtest.City(t)
	c := node(pool)
	c.keepAll(t, act(addItem(1)))
	appended, end := make(chan struct{}), make(chan error)
	done := make(chan error)
	go func() {
		done <- pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			left := step(2)
			_, err := c.writer.Append(t.Context(), tx, start, left.Events, left.Records...)
			close(appended)
			return errors.Join(err, <-end)
		})
	}()
	<-appended
	next := make(chan struct{})
	go func() {
		c.keepAll(t, act(addItem(3)))
		close(next)
	}()
	awaitLock(t, pool)
	end <- errors.New("no")
	<-next
	if err := <-done; err == nil || err.Error() != "no" {
		t.Fatal(err)
	}
	checkChain(t, pool, []int{1, 3})
	c.keepAll(t, act(addItem(4)))
	checkChain(t, pool, []int{1, 3, 4})
}

// awaitLock waits until a session of the city's role waits for a lock.
func awaitLock(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	for n := 0; n == 0; {
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND wait_event_type = 'Lock'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The database goes at the commit itself: what came of it is open, and the next act goes on from what is there.
func TestConnectionLostAtTheCommit(t *testing.T) {
	owner, pool, _ := pgtest.City(t)
	for _, sql := range []string{
		`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'`,
		`CREATE CONSTRAINT TRIGGER die AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.code = '2') EXECUTE FUNCTION die()`,
	} {
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	c := node(pool)
	c.keepAll(t, act(addItem(1)))
	lost := statement(itemStatement(2))
	c.commit([]*pending{lost})
	if lost.err == nil {
		t.Error("an act whose commit got no answer is acknowledged")
	}
	if c.writer.known {
		t.Error("the chain's end is taken for known")
	}
	c.keepAll(t, act(addItem(3)), statement(itemStatement(4)))
	checkChain(t, pool, []int{1, 3, 4})
}

// An older state of the database is brought back under a running process.
func TestDatabaseIsSetBack(t *testing.T) {
	owner, pool, _ := pgtest.City(t)
	c := node(pool)
	c.keepAll(t, act(addItem(1)))
	old, err := audit.HeadOf(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	c.keepAll(t, act(addItem(2)))
	c.keepAll(t, act(addItem(3)))
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{`DELETE FROM audit WHERE seq > $1`, []any{old.Seq}},
		{`DELETE FROM event WHERE seq > 1`, nil},
		{`UPDATE feed SET epoch = epoch + 1, seq = 1, audit_seq = $1, audit_mac = $2, audit_sum = $3`, []any{old.Seq, old.MAC, old.Sum}},
	} {
		if _, err := owner.Exec(t.Context(), s.sql, s.args...); err != nil {
			t.Fatal(err)
		}
	}
	c.keepAll(t, statement(itemStatement(4)))
	checkChain(t, pool, []int{1, 4})
}

// Whoever leaves while others extend the chain is not kept waiting, and leaves nothing.
func TestLeavingBeforeTheTurn(t *testing.T) {
	_, pool, _ := pgtest.City(t)
	c := node(pool)
	if err := c.writer.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := c.writer.Append(short, tx, start, nil, step(1).Records...)
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who left hears %v", err)
	}
	// Events alone wait for nobody, and a group waits for its turn.
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := c.writer.Append(t.Context(), tx, start, []Event{event(7)})
		return err
	})
	if err != nil {
		t.Error(err)
	}
	done := make(chan struct{})
	go func() {
		c.keepAll(t, act(addItem(2)))
		close(done)
	}()
	select {
	case <-done:
		t.Error("a group went before its turn")
	case <-time.After(50 * time.Millisecond):
	}
	c.writer.give()
	<-done
	checkChain(t, pool, []int{2})
}

// Each act of a group is on record as its own author's; one without an event is none for the followers.
func TestAuthorsOfAGroup(t *testing.T) {
	_, pool, _ := pgtest.City(t)
	var seqs []Seq
	c := node(pool)
	c.committed = func(s Seq) { seqs = append(seqs, s) }
	var group []*pending
	authors := []audit.Author{{Person: uuid.New(), Post: 3, Address: "192.0.2.1"}, {}, {Person: uuid.New(), Address: "::1"}}
	for i, a := range authors {
		p := statement(itemStatement(i))
		if i == 2 {
			p = act(func(context.Context, pgx.Tx) (Step, error) { return Step{Records: step(i).Records}, nil })
		}
		p.ctx = audit.By(p.ctx, a)
		group = append(group, p)
	}
	c.keepAll(t, group...)
	c.keepAll(t, act(func(context.Context, pgx.Tx) (Step, error) { return Step{Records: step(9).Records}, nil }))
	page, err := audit.List(t.Context(), pool, audit.Query{Limit: 10})
	if err != nil || len(page.Rows) != 4 {
		t.Fatalf("%d rows, %v", len(page.Rows), err)
	}
	slices.Reverse(page.Rows)
	for i, a := range authors {
		r := page.Rows[i]
		if r.Person != a.Person || r.Post != a.Post || r.Address != a.Address || r.Subject != fmt.Sprintf("item:%d", i) || !r.At.Equal(start) {
			t.Errorf("act %d is on record as %+v", i, r)
		}
	}
	if !slices.Equal(seqs, []Seq{2}) {
		t.Errorf("told of %v", seqs)
	}
	checkChain(t, pool, []int{0, 1, 2, 9})
}
