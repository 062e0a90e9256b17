package feed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgtest"
)

// idle is a committer without workers: the test forms the groups.
func idle(t testing.TB, kept *[]Seq) *Committer {
	_, pool, _ := pgtest.City(t)
	return &Committer{pool: pool, writer: &Writer{Key: key}, now: clock, committed: func(s Seq) { *kept = append(*kept, s) }}
}

func act(a Act) *pending {
	return &pending{ctx: context.Background(), act: a, ready: make(chan struct{})}
}

func statement(s Statement) *pending {
	return &pending{ctx: context.Background(), quick: &s, act: s.Otherwise, ready: make(chan struct{})}
}

// raise makes the database fail with a SQLSTATE.
func raise(ctx context.Context, tx pgx.Tx, state string) error {
	_, err := tx.Exec(ctx, `DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '`+state+`'; END $$`)
	return err
}

// kinds are the ways an act may go, each with what its caller must hear; "" is success.
var kinds = []struct {
	name   string
	make   func(n int) *pending
	stored bool
	hears  string
}{
	{"statement", func(n int) *pending { return statement(itemStatement(n)) }, true, ""},
	{"act", func(n int) *pending { return act(addItem(n)) }, true, ""},
	{"statement with nothing to do", func(int) *pending { return statement(itemStatement(0)) }, false, ""},
	{"statement against a constraint", func(n int) *pending {
		s := itemStatement(n)
		s.Args, s.Otherwise = []any{""}, func(ctx context.Context, tx pgx.Tx) (Step, error) {
			_, err := tx.Exec(ctx, `INSERT INTO item (code, name) VALUES ('', $1)`, fmt.Sprint(n))
			return step(n), err
		}
		return statement(s)
	}, false, "23514"},
	{"statement that cannot be sent", func(n int) *pending {
		s := itemStatement(n)
		s.Args = []any{struct{}{}}
		s.Otherwise = func(ctx context.Context, tx pgx.Tx) (Step, error) {
			_, err := tx.Exec(ctx, itemForm.One(), s.Args...)
			return step(n), err
		}
		return statement(s)
	}, false, "encode"},
	{"statement whose reader panics", func(n int) *pending {
		s := itemStatement(n)
		s.Read, s.Otherwise = func(int64) (Step, error) { panic("reader") }, addItem(n)
		return statement(s)
	}, true, ""},
	{"act that writes and then fails", func(n int) *pending {
		return act(func(ctx context.Context, tx pgx.Tx) (Step, error) {
			left, _ := addItem(n)(ctx, tx)
			return left, errors.New("changed my mind")
		})
	}, false, "changed my mind"},
	{"act that panics", func(n int) *pending {
		return act(func(ctx context.Context, tx pgx.Tx) (Step, error) {
			_, _ = addItem(n)(ctx, tx)
			panic("act")
		})
	}, false, "panic: act"},
	{"act that leaves rows open", func(int) *pending {
		return act(func(ctx context.Context, tx pgx.Tx) (Step, error) {
			_, _ = tx.Query(ctx, `SELECT generate_series(1, 10)`)
			return Step{}, errors.New("left")
		})
	}, false, "left"},
	{"act in a deadlock at first", func(n int) *pending {
		first := true
		return act(func(ctx context.Context, tx pgx.Tx) (Step, error) {
			if first {
				first = false
				_, _ = addItem(n)(ctx, tx)
				return Step{}, raise(ctx, tx, "40P01")
			}
			return addItem(n)(ctx, tx)
		})
	}, true, ""},
	{"act that never gets its lock", func(int) *pending {
		return act(func(ctx context.Context, tx pgx.Tx) (Step, error) { return Step{}, raise(ctx, tx, "55P03") })
	}, false, "database_unavailable"},
	{"act with no fit record", func(n int) *pending {
		return act(func(ctx context.Context, tx pgx.Tx) (Step, error) {
			left, err := addItem(n)(ctx, tx)
			left.Records[0].Subject = ""
			return left, err
		})
	}, false, "no act can be"},
	{"caller gone", func(n int) *pending {
		p := act(addItem(n))
		var cancel context.CancelFunc
		p.ctx, cancel = context.WithCancel(p.ctx)
		cancel()
		return p
	}, false, "canceled"},
}

func hears(err error) string {
	switch pg := (*pgconn.PgError)(nil); {
	case err == nil:
		return ""
	case fault.Is(err, fault.KindUnavailable):
		f, _ := fault.As(err)
		return f.Code
	case errors.As(err, &pg):
		return pg.Code
	}
	return err.Error()
}

// Whatever else is in its group, each act is kept or fails by its own merits; what is kept has its event, once.
func TestEachActStandsAlone(t *testing.T) {
	var seqs []Seq
	c := idle(t, &seqs)
	c.commit([]*pending{act(addItem(0))})
	want, n := []int{0}, 0
	check := func(t rapid.TB, group []int) {
		list := make([]*pending, len(group))
		first := n + 1
		for i, k := range group {
			n++
			list[i] = kinds[k].make(n)
		}
		c.commit(list)
		var now []int
		for i, k := range group {
			if kinds[k].stored {
				now = append(now, first+i)
			}
			if got := hears(list[i].err); kinds[k].hears == "" && got != "" || !strings.Contains(got, kinds[k].hears) {
				t.Fatalf("group %v: %s hears %q, want %q", group, kinds[k].name, got, kinds[k].hears)
			}
		}
		got := numbers(t, whole(t, c.pool))
		slices.Sort(got)
		if want = append(want, now...); !slices.Equal(got, want) {
			t.Fatalf("group %v: the feed holds %v, want %v", group, got, want)
		}
		if codes := items(t, c.pool); len(codes) != len(want) {
			t.Fatalf("group %v: %d items are kept, want %d", group, len(codes), len(want))
		}
		checkChain(t, c.pool, want)
		if len(now) > 0 && seqs[len(seqs)-1] != Seq(len(want)) {
			t.Fatalf("group %v: told of commit %d, want %d", group, seqs[len(seqs)-1], len(want))
		}
	}
	for k := range kinds {
		check(t, []int{k})
		check(t, []int{0, 1, k, 1, 0})
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.SliceOfN(rapid.IntRange(0, len(kinds)-1), 1, 12).Draw(t, "group"))
	})
}

// Of acts in one group that would do the same, one is done, and the others hear that it is there.
func TestSameStatementIsDoneOnce(t *testing.T) {
	var seqs []Seq
	c := idle(t, &seqs)
	var group []*pending
	for _, n := range []int{1, 2, 1, 3, 2, 1, 4, 4, 4, 4, 4} {
		group = append(group, statement(itemStatement(n)))
	}
	c.commit(group)
	for i, p := range group {
		if p.err != nil {
			t.Errorf("act %d hears %v", i, p.err)
		}
	}
	got := numbers(t, whole(t, c.pool))
	slices.Sort(got)
	if !slices.Equal(got, []int{1, 2, 3, 4}) {
		t.Errorf("the feed holds %v", got)
	}
	checkChain(t, c.pool, []int{1, 2, 3, 4})
}

// A commit that the database refuses is acknowledged to nobody, and leaves no number behind.
func TestRefusedCommitIsAcknowledgedToNobody(t *testing.T) {
	owner, pool, _ := pgtest.City(t)
	for _, sql := range []string{
		`CREATE TABLE late (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)`,
		`GRANT INSERT ON late TO ` + pgx.Identifier{pool.Config().ConnConfig.User}.Sanitize(),
	} {
		if _, err := owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	c := &Committer{pool: pool, writer: &Writer{Key: key}, now: clock, committed: func(Seq) { t.Error("told of a commit") }}
	late := act(func(ctx context.Context, tx pgx.Tx) (Step, error) {
		_, err := tx.Exec(ctx, `INSERT INTO late SELECT 1 FROM generate_series(1, 2)`)
		return step(1), err
	})
	group := []*pending{statement(itemStatement(2)), late, act(addItem(3))}
	c.commit(group)
	for i, p := range group {
		if !fault.Is(p.err, fault.KindUnavailable) {
			t.Errorf("act %d hears %v", i, p.err)
		}
	}
	if all, codes := whole(t, pool), items(t, pool); len(all)+len(codes) > 0 {
		t.Errorf("%d events and %d items are kept", len(all), len(codes))
	}
	checkChain(t, pool, nil)
}

// Connections that went stale before the commit, as after a restart of the database, cost no act.
func TestLostConnectionIsReplaced(t *testing.T) {
	var seqs []Seq
	c := idle(t, &seqs)
	runs := 0
	dies := act(func(ctx context.Context, tx pgx.Tx) (Step, error) {
		if runs++; runs == 1 {
			_, err := tx.Exec(ctx, `SELECT pg_terminate_backend(pg_backend_pid())`)
			return Step{}, err
		}
		return addItem(2)(ctx, tx)
	})
	group := []*pending{statement(itemStatement(1)), dies, act(addItem(3))}
	c.commit(group)
	for i, p := range group {
		if p.err != nil {
			t.Errorf("act %d hears %v", i, p.err)
		}
	}
	if got := numbers(t, whole(t, c.pool)); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("the feed holds %v", got)
	}
	checkChain(t, c.pool, []int{1, 2, 3})
}

// turns counts how often a connection writes after it has read: its round trips.
type turns struct {
	net.Conn
	read  atomic.Bool
	count *atomic.Int32
}

func (c *turns) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Store(true)
	return n, err
}

func (c *turns) Write(b []byte) (int, error) {
	if c.read.Swap(false) {
		c.count.Add(1)
	}
	return c.Conn.Write(b)
}

// A full group of statements costs two round trips: the statements, then feed and commit.
func TestGroupCostsTwoRoundTrips(t *testing.T) {
	_, city, _ := pgtest.City(t)
	cfg := city.Config()
	cfg.MaxConns = 1
	dial := cfg.ConnConfig.DialFunc
	var count atomic.Int32
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &turns{Conn: conn, count: &count}, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c := &Committer{pool: pool, writer: &Writer{Key: key}, now: clock, committed: func(Seq) {}}
	n := 0
	full := func() []*pending {
		group := make([]*pending, MaxGroup)
		for i := range group {
			n++
			group[i] = statement(itemStatement(n))
		}
		return group
	}
	c.commit(full()) // prepares the statements
	count.Store(0)
	c.commit(full())
	if got := count.Load(); got != 2 {
		t.Errorf("%d round trips, want 2", got)
	}
	if all := whole(t, pool); len(all) != n {
		t.Errorf("%d events of %d", len(all), n)
	}
	checkChain(t, pool, numbers(t, whole(t, pool)))
}

// Whoever takes the feed waits for a lock for two seconds at most.
func TestLockTimeoutIsSet(t *testing.T) {
	var seqs []Seq
	c := idle(t, &seqs)
	show := func(ctx context.Context, tx pgx.Tx) (s string) {
		if err := tx.QueryRow(ctx, `SHOW lock_timeout`).Scan(&s); err != nil {
			t.Error(err)
		}
		return s
	}
	var inAct, afterAppend string
	c.commit([]*pending{act(func(ctx context.Context, tx pgx.Tx) (Step, error) {
		inAct = show(ctx, tx)
		return Step{}, nil
	})})
	err := pgx.BeginFunc(t.Context(), c.pool, func(tx pgx.Tx) error {
		_, err := (&Writer{Key: key}).Append(t.Context(), tx, start, []Event{event(1)})
		afterAppend = show(t.Context(), tx)
		return err
	})
	if err != nil || inAct != "2s" || afterAppend != "2s" {
		t.Errorf("in an act %q, with the feed %q, %v", inAct, afterAppend, err)
	}
}
