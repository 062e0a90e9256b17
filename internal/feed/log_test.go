package feed

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"gridgov/internal/postgres/pgtest"
)

func appendEvents(t rapid.TB, pool *pgxpool.Pool, nums ...int) (last Seq) {
	t.Helper()
	list := make([]Event, len(nums))
	for i, n := range nums {
		list[i] = event(n)
	}
	err := pgx.BeginFunc(context.Background(), pool, func(tx pgx.Tx) error {
		var err error
		last, err = (&Writer{Key: key}).Append(context.Background(), tx, start, list)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// model is what a feed's database holds, and held in earlier epochs.
type model struct {
	epoch   int
	numbers map[int][]int // by epoch, from seq 1
	oldest  Seq           // the first event still kept
	next    int           // number of the next event
}

func (m *model) head() Seq { return Seq(len(m.numbers[m.epoch])) }

// A log against a model: events come, the feed is restored to an earlier state under a new epoch, old events are
// dropped, the log reads now and then, and readers ask from anywhere. What they get is what the feed held after their
// place, and a reset comes exactly when that is not to be had.
func TestLogAgainstModel(t *testing.T) {
	owner, pool, _ := pgtest.City(t)
	ctx := context.Background()
	m := model{epoch: 1, numbers: map[int][]int{}, oldest: 1}
	exec := func(t *rapid.T, sql string, args ...any) {
		if _, err := owner.Exec(ctx, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	restore := func(t *rapid.T, to Seq) {
		kept := slices.Clone(m.numbers[m.epoch][:to])
		m.epoch++
		m.numbers[m.epoch] = kept
		m.oldest = min(m.oldest, to+1)
		exec(t, `DELETE FROM event WHERE seq > $1`, to)
		exec(t, `UPDATE feed SET epoch = $1, seq = $2`, m.epoch, to)
	}
	rapid.Check(t, func(t *rapid.T) {
		restore(t, 0)
		l, err := NewLog(ctx, pool, quiet())
		if err != nil {
			t.Fatal(err)
		}
		ended, end := context.WithCancel(ctx)
		end()
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				var nums []int
				for range rapid.IntRange(1, 30).Draw(t, "n") {
					nums = append(nums, m.next)
					m.next++
				}
				if last := appendEvents(t, pool, nums...); last != m.head()+Seq(len(nums)) {
					t.Fatalf("Append says %d after %d and %d more", last, m.head(), len(nums))
				}
				m.numbers[m.epoch] = append(m.numbers[m.epoch], nums...)
			},
			"restore": func(t *rapid.T) { restore(t, Seq(rapid.IntRange(0, int(m.head())).Draw(t, "to"))) },
			"drop": func(t *rapid.T) {
				m.oldest = Seq(rapid.IntRange(int(m.oldest), int(m.head()+1)).Draw(t, "oldest"))
				exec(t, `DELETE FROM event WHERE seq < $1`, m.oldest)
			},
			"read": func(t *rapid.T) {
				for more := true; more; {
					var err error
					if more, err = l.read(ctx); err != nil {
						t.Fatal(err)
					}
				}
				if l.Head() != (ID{m.epoch, m.head()}) {
					t.Fatalf("the log stands at %s, the feed at %d-%d", l.Head(), m.epoch, m.head())
				}
			},
			"next": func(t *rapid.T) {
				at := l.Head()
				after := ID{rapid.IntRange(max(1, m.epoch-1), m.epoch+1).Draw(t, "epoch"), Seq(rapid.IntRange(0, int(at.Seq)+3).Draw(t, "seq"))}
				if after.Epoch > m.epoch {
					after.Epoch = at.Epoch // mostly the log's own
				}
				call := ctx
				if after == at || after.Epoch == m.epoch && at.Epoch == m.epoch && after.Seq > at.Seq && after.Seq <= m.head() {
					call = ended // it waits: for the next event, or for the log to read what another node has
				}
				events, err := l.Next(call, after)
				foreign := after.Epoch != at.Epoch || after.Seq > at.Seq && (after.Seq > m.head() || after.Epoch != m.epoch)
				switch got := numbers(t, events); {
				case err == nil:
					want := m.numbers[after.Epoch][after.Seq:]
					if foreign || len(got) == 0 || len(got) > len(want) || !slices.Equal(got, want[:len(got)]) || events[0].Seq != after.Seq+1 {
						t.Fatalf("after %s (the log at %s): got %v, want the beginning of %v", after, at, got, want)
					}
				case errors.Is(err, ErrReset):
					gone := after.Epoch != m.epoch || after.Seq+1 < m.oldest
					if !foreign && !gone {
						t.Fatalf("after %s (the log at %s): reset", after, at)
					}
				case call == ctx || !errors.Is(err, context.Canceled):
					t.Fatalf("after %s (the log at %s): %v", after, at, err)
				}
			},
		})
	})
}

// A reader who starts at the beginning goes through what only the database holds into what the log holds in memory, and
// meets each event once.
func TestReaderPassesFromDatabaseToMemory(t *testing.T) {
	_, pool, _ := pgtest.City(t)
	l, err := NewLog(t.Context(), pool, quiet())
	if err != nil {
		t.Fatal(err)
	}
	const batch, batches = 2500, 8 // more than the memory of the log
	for b := range batches {
		nums := make([]int, batch)
		for i := range nums {
			nums[i] = b*batch + i
		}
		appendEvents(t, pool, nums...)
		for more := true; more; {
			if more, err = l.read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(l.tail); n < tailSize || n > 2*tailSize {
		t.Errorf("%d events in memory", n)
	}
	n := 0
	for at := (ID{1, 0}); at.Seq < batch*batches; {
		events, err := l.Next(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range numbers(t, events) {
			if got != n {
				t.Fatalf("event %d where %d is due", got, n)
			}
			n++
		}
		at.Seq = events[len(events)-1].Seq
	}
}

// The log is woken by a notification alone, by its own process alone, and without either it polls.
func TestLogIsWokenOrPolls(t *testing.T) {
	for name, c := range map[string]struct {
		poll   time.Duration
		listen bool
		tell   func(context.Context, *Log, *pgxpool.Pool, string) error
	}{
		"notified": {time.Hour, true, func(ctx context.Context, _ *Log, pool *pgxpool.Pool, code string) error {
			return Notify(ctx, pool, code)
		}},
		"woken":   {time.Hour, false, func(_ context.Context, l *Log, _ *pgxpool.Pool, _ string) error { l.Wake(); return nil }},
		"polling": {time.Millisecond, false, func(context.Context, *Log, *pgxpool.Pool, string) error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			_, pool, code := pgtest.City(t)
			l, err := NewLog(t.Context(), pool, quiet())
			if err != nil {
				t.Fatal(err)
			}
			l.poll = c.poll
			run, stop := context.WithCancel(t.Context())
			var running sync.WaitGroup
			defer func() { stop(); running.Wait() }()
			running.Go(func() { l.Run(run) })
			if c.listen {
				running.Go(func() { l.Listen(run, code) })
				awaitListener(t, pool)
			}
			for n := range 5 {
				appendEvents(t, pool, n)
				if err := c.tell(t.Context(), l, pool, code); err != nil {
					t.Fatal(err)
				}
				events, err := l.Next(t.Context(), ID{1, Seq(n)})
				if err != nil || !slices.Equal(numbers(t, events), []int{n}) {
					t.Fatalf("event %d: %v, %v", n, numbers(t, events), err)
				}
			}
		})
	}
}

// awaitListener waits until a session of the city's role listens.
func awaitListener(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	for n := 0; n == 0; {
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE usename = current_user AND query LIKE 'LISTEN %' AND state = 'idle'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// All connections are cut, as by a restart of the database: the log goes on, and listens again.
func TestLogOutlivesItsConnections(t *testing.T) {
	owner, pool, code := pgtest.City(t)
	l, err := NewLog(t.Context(), pool, quiet())
	if err != nil {
		t.Fatal(err)
	}
	l.poll = 10 * time.Millisecond
	run, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer func() { stop(); running.Wait() }()
	running.Go(func() { l.Run(run) })
	running.Go(func() { l.Listen(run, code) })
	for n := range 4 {
		awaitListener(t, pool)
		if _, err := owner.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1`,
			pool.Config().ConnConfig.User); err != nil {
			t.Fatal(err)
		}
		pool.Reset()
		appendEvents(t, owner, n)
		events, err := l.Next(t.Context(), ID{1, Seq(n)})
		if err != nil || !slices.Equal(numbers(t, events), []int{n}) {
			t.Fatalf("event %d: %v, %v", n, numbers(t, events), err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"1-0", "1-4711", "2-9223372036854775807", "0-1", "-1-1", "1", "1-", "1--1", "+1-1", "01-1", "1-1-1", "9999999999-1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := ParseID(s)
		if !ok {
			return
		}
		if id.Epoch < 1 || id.Seq < 0 {
			t.Fatalf("%q is read as %+v", s, id)
		}
		if again, ok := ParseID(id.String()); !ok || again != id {
			t.Fatalf("%q is read as %v, and that as %v", s, id, again)
		}
	})
}
