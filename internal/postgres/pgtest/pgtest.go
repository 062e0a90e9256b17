// Package pgtest gives tests real databases with PostGIS.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestStore(t *testing.T) {
//		pool := pgtest.New(t) // a database of its own, gone after the test
//	}
//
// With GRIDGOV_DATABASE (a superuser's URL) databases are made on that server. Without it each test binary starts a
// private server of the system's PostgreSQL in a temporary folder when the first test asks for it. A missing server
// fails the test; it never skips.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"
)

// process holds the one server of this test binary: TestMain and the tests share nothing else that could carry it.
var process struct {
	mu      sync.Mutex
	running bool // Main is at work, so that the server will be stopped
	server  *server
	err     error // why it did not start; told to each test
}

// startTimeout bounds the start of the server, the first template included.
const startTimeout = time.Minute

// Option changes Main.
type Option func(*settings)

type settings struct {
	leaks   bool
	leakOpt []goleak.Option
}

// CheckLeaks makes Main fail when goroutines are left over after all tests have passed.
func CheckLeaks(opts ...goleak.Option) Option {
	return func(s *settings) { s.leaks, s.leakOpt = true, opts }
}

// Main runs the package's tests, stops the server if one was started, and exits with the tests' code.
func Main(m *testing.M, opts ...Option) {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	process.mu.Lock()
	process.running = true
	process.mu.Unlock()

	code := m.Run()

	process.mu.Lock()
	process.running = false
	if process.server != nil {
		if err := process.server.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = max(code, 1)
		}
	}
	process.mu.Unlock()
	if code == 0 && s.leaks {
		if err := goleak.Find(s.leakOpt...); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest: goroutines left over:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// New returns a pool on a fresh database with PostGIS in public. Pool and database are gone after the test; a
// connection that the test never gave back fails it. Each call makes another database.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return Pool(t, URL(t))
}

// Pool opens a pool on the URL that is closed after the test; a connection that the test never gave back fails it.
func Pool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return open(t, cfg)
}

func open(t testing.TB, cfg *pgxpool.Config) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() { closeInTime(t, pool.Close) })
	return pool
}

// closeInTime turns a pool's endless wait for a connection that is never given back into a failure of the test.
func closeInTime(t testing.TB, closing func()) {
	closed := make(chan struct{})
	go func() { closing(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("pgtest: the test has not given back all connections of a pool")
	}
}

// URL returns the superuser's URL of a fresh database with PostGIS in public, dropped after the test. Each call makes
// another database; for that of New's pool ask pool.Config().ConnString().
func URL(t testing.TB) string {
	t.Helper()
	return fresh(t, postgisTemplate)
}

func fresh(t testing.TB, tpl template) string {
	t.Helper()
	srv := started(t)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	name, err := srv.createDatabase(ctx, tpl)
	if err != nil {
		t.Fatalf("pgtest: create a database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		if err := srv.dropDatabase(ctx, name); err != nil {
			t.Errorf("pgtest: drop database %s: %v", name, err)
		}
	})
	return srv.url(name)
}

func started(t testing.TB) *server {
	t.Helper()
	process.mu.Lock()
	defer process.mu.Unlock()
	if !process.running {
		t.Fatal("pgtest: the package needs: func TestMain(m *testing.M) { pgtest.Main(m) }")
	}
	if process.server == nil && process.err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		process.server, process.err = startServer(ctx)
	}
	if process.err != nil {
		t.Fatalf("pgtest: no PostgreSQL with PostGIS for the tests: %v", process.err)
	}
	return process.server
}
