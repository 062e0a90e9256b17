package auth_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"gridgov/internal/auth"
	"gridgov/internal/fault"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// interval is a stretch of time in which something held; a zero end has not come yet.
type interval struct{ from, to time.Time }

// heldSince tells whether it held at some moment of the 5 s before at.
func heldSince(list []interval, at time.Time) bool {
	for _, i := range list {
		if !i.from.After(at) && (i.to.IsZero() || i.to.After(at.Add(-5*time.Second))) {
			return true
		}
	}
	return false
}

// held tells whether it held all the while, from 5 s ago until now.
func heldThroughout(list []interval, at time.Time) bool {
	for _, i := range list {
		if !i.from.After(at.Add(-5*time.Second)) && (i.to.IsZero() || i.to.After(at)) {
			return true
		}
	}
	return false
}

// What one node does, another knows within 5 s, by nothing but the clock: no session and no right outlives its end by
// more, and none that lasts is refused.
func TestNoRightSurvivesItsEndByFiveSeconds(t *testing.T) {
	w := newWorld(t)
	other := w.node()
	ctx := t.Context()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		ok := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		runs++
		login := fmt.Sprintf("user%d", runs)
		p, err := w.people.Create(ctx, person.New{Name: login})
		ok(err)
		_, err = other.CreateAccount(ctx, auth.NewAccount{Person: p.ID, Login: login, Password: password})
		ok(err)
		type session struct {
			token string
			id    uuid.UUID
			valid []interval
			used  time.Time // at the latest
		}
		var sessions []*session
		var right []interval
		var post *person.Post
		disabled := false
		now := w.clock.now
		endAll := func(keep *session) {
			for _, s := range sessions {
				if last := &s.valid[len(s.valid)-1]; s != keep && last.to.IsZero() {
					last.to = now()
				}
			}
		}
		day := func() person.Day { return person.Day(now().In(w.people.Zone).Format(time.DateOnly)) }
		yesterday := func() person.Day { return person.Day(now().In(w.people.Zone).AddDate(0, 0, -1).Format(time.DateOnly)) }
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) {
				if disabled || len(sessions) > 5 {
					t.Skip()
				}
				in, err := other.SignIn(ctx, auth.Attempt{Login: login, Password: password})
				ok(err)
				sessions = append(sessions, &session{in.Token, in.Identity.Session, []interval{{from: now()}}, now()})
			},
			"end": func(t *rapid.T) {
				if len(sessions) == 0 {
					t.Skip()
				}
				s := rapid.SampledFrom(sessions).Draw(t, "session")
				if s.valid[0].to.IsZero() {
					s.valid[0].to = now()
				}
				_ = other.EndSession(ctx, p.ID, s.id) // it may have ended
			},
			"disable": func(t *rapid.T) {
				if disabled {
					ok(other.Enable(ctx, p.ID))
				} else {
					ok(other.Disable(ctx, p.ID))
					endAll(nil)
				}
				disabled = !disabled
			},
			"post": func(t *rapid.T) {
				if post != nil {
					t.Skip()
				}
				from := day()
				made, err := w.people.CreatePost(ctx, person.Post{Person: p.ID, Role: policy.GridWorker, Area: grid, Begins: from})
				if f, is := fault.As(err); is && f.Code == "post_overlaps" {
					t.Skip() // one that ends today is held today already
				}
				ok(err)
				post = &made
				right = append(right, interval{from: now()})
			},
			"end post": func(t *rapid.T) {
				if post == nil {
					t.Skip()
				}
				last := rapid.SampledFrom([]person.Day{day(), yesterday()}).Draw(t, "last")
				_, err := w.people.EndPost(ctx, post.ID, post.Version, last)
				ok(err)
				end := now()
				if last == day() { // until midnight, without anybody acting
					y, m, d := now().In(w.people.Zone).Date()
					end = time.Date(y, m, d+1, 0, 0, 0, 0, w.people.Zone)
				}
				right[len(right)-1].to = end
				post = nil
			},
			"wait": func(t *rapid.T) {
				w.clock.add(time.Duration(rapid.SampledFrom([]int{1, 500, 999, 3999, 4000, 5000, 60_000, 3600_000 * 7}).Draw(t, "ms")) * time.Millisecond)
				w.Close()
			},
			"to midnight": func(*rapid.T) {
				y, m, d := now().In(w.people.Zone).Date()
				w.clock.add(max(0, time.Date(y, m, d+1, 0, 0, 0, 0, w.people.Zone).Sub(now())-2*time.Second))
			},
			"": func(t *rapid.T) {
				for _, s := range sessions {
					id, err := w.Identify(ctx, s.token)
					idle := now().Sub(s.used) >= auth.DefaultLimits.Idle || now().Sub(s.valid[0].from) >= auth.DefaultLimits.Absolute
					if idle && s.valid[0].to.IsZero() {
						s.valid[0].to = now()
					}
					switch {
					case err == nil && !heldSince(s.valid, now()):
						t.Fatalf("a session lives on: %+v at %v", s.valid, now())
					case err != nil && heldThroughout(s.valid, now()):
						t.Fatalf("a session is refused: %v, %+v at %v", err, s.valid, now())
					case err != nil:
						continue
					}
					s.used = now()
					reach := id.Actor.Reach(policy.ReportPosition, now())
					if !reach.Empty() && !heldSince(right, now()) {
						t.Fatalf("a right lives on: %+v at %v", right, now())
					}
					if reach.Empty() && heldThroughout(right, now()) {
						t.Fatalf("a right is missing: %+v at %v", right, now())
					}
				}
			},
		})
	})
}

// statements counts what is sent to the database.
type statements struct {
	mu sync.Mutex
	n  int
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (s *statements) since(n *int) (more int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	more, *n = s.n-*n, s.n
	return more
}

func TestASessionIsReadByOneStatement(t *testing.T) {
	var count statements
	w := newWorld(t, func(c *auth.Config) {
		cfg := c.Pool.Config()
		cfg.ConnConfig.Tracer = &count
		pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		c.Pool = pool
	})
	ctx := t.Context()
	who := w.user("wang")
	for i := range 30 {
		w.post(who, policy.GridWorker, policy.Area{Level: policy.Grid, Code: fmt.Sprint(i)}, "2026-01-01", "")
	}
	in := w.in("wang")
	n := 0
	count.since(&n)
	for range 100 {
		_, err := w.Identify(ctx, in.Token)
		w.ok(err)
	}
	if more := count.since(&n); more != 0 {
		t.Errorf("%d statements right after the sign-in", more)
	}
	w.clock.add(4 * time.Second)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := w.Identify(ctx, in.Token); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if more := count.since(&n); more != 1 {
		t.Errorf("%d statements for fifty requests at once", more)
	}
	for i := range 20 { // two minutes: the use of the session is written twice
		w.clock.add(6 * time.Second)
		_, err := w.Identify(ctx, in.Token)
		w.ok(err)
		if i%5 == 4 {
			w.Close()
		}
	}
	if more := count.since(&n); more != 20+2*3 {
		t.Errorf("%d statements in two minutes", more)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	who := w.user("wang")
	_, err := w.pool.Exec(ctx, `INSERT INTO session (id, hash, person_id, made_at, seen_at, ends_at, address, agent)
		SELECT gen_random_uuid(), sha256(convert_to(lpad(i::text, 43, 'A'), 'UTF8')), $1, $2::timestamptz, $2::timestamptz, $2::timestamptz + interval '1 day', '', '' FROM generate_series(1, $3) i`,
		who, w.clock.now(), auth.MostCached+50)
	w.ok(err)
	for i := range auth.MostCached + 50 {
		_, err := w.Identify(ctx, fmt.Sprintf("%s%d", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"[:43-len(fmt.Sprint(i+1))], i+1))
		w.ok(err)
	}
	if n := w.Cached(); n > auth.MostCached {
		t.Errorf("%d in memory", n)
	}
}

func BenchmarkIdentify(b *testing.B) {
	w := newWorld(b)
	w.user("wang")
	in := w.in("wang")
	for b.Loop() {
		if _, err := w.Identify(b.Context(), in.Token); err != nil {
			b.Fatal(err)
		}
	}
}

// forgetter drops what a node has in memory while it reads a session: as a change does that comes between.
type forgetter struct {
	mu    sync.Mutex
	do    func()
	reads int
}

type readKey struct{}

func (f *forgetter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, readKey{}, strings.Contains(q.SQL, "FROM session h"))
}

func (f *forgetter) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if read, _ := ctx.Value(readKey{}).(bool); !read {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reads++; f.do != nil {
		f.do()
	}
}

func TestWhatWasReadBeforeAChangeIsNotKept(t *testing.T) {
	var f forgetter
	w := newWorld(t, func(c *auth.Config) {
		cfg := c.Pool.Config()
		cfg.ConnConfig.Tracer = &f
		pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		c.Pool = pool
	})
	w.user("wang")
	in := w.in("wang")
	w.Forget()
	for _, c := range []struct {
		do   func()
		want int
	}{{w.Forget, 2}, {nil, 1}} {
		f.mu.Lock()
		f.do, f.reads = c.do, 0
		f.mu.Unlock()
		for range 2 {
			_, err := w.Identify(t.Context(), in.Token)
			w.ok(err)
		}
		if f.reads != c.want {
			t.Errorf("the session was read %d times, want %d", f.reads, c.want)
		}
	}
}
