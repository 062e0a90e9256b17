package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/postgres/pgserver"
)

// server is where the databases of this test binary are made.
type server struct {
	base  *url.URL      // superuser's URL of the maintenance database
	admin *pgxpool.Pool // on it
	child *pgserver.Child
	dir   string   // of the child, else ""
	lease *os.File // locked while the folder is in use

	mu        sync.Mutex
	templates map[string]bool // known to exist
}

func startServer(ctx context.Context) (*server, error) {
	s := &server{templates: map[string]bool{}}
	given := os.Getenv("GRIDGOV_DATABASE")
	if given == "" {
		if err := s.startChild(ctx); err != nil {
			return nil, errors.Join(err, s.stop())
		}
		given = "postgres://" + pgserver.Superuser + "@/postgres?host=" + url.QueryEscape(s.dir)
	}
	base, err := url.Parse(given)
	if err != nil {
		return nil, errors.Join(errors.New("GRIDGOV_DATABASE is not a URL such as postgres://user@host/db"), s.stop())
	}
	s.base = base
	if s.admin, err = pgxpool.New(ctx, given); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	if err = s.admin.Ping(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// startChild makes a data folder and runs a server on it. Durability is off: these databases end with the tests.
func (s *server) startChild(ctx context.Context) error {
	in, err := pgserver.Find(ctx, os.Getenv("PG_BIN"))
	if err != nil {
		return err
	}
	as, err := pgserver.CurrentAccount()
	if err != nil {
		return err
	}
	root := os.TempDir()
	if !pgserver.SocketPathFits(filepath.Join(root, folderPrefix+"0123456789")) || !as.CanEnter(root) {
		root = "/tmp"
	}
	sweep(root)
	if s.dir, err = os.MkdirTemp(root, folderPrefix); err != nil {
		return err
	}
	if s.lease, err = lock(s.dir); err != nil {
		return err
	}
	if err = as.Own(s.dir); err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	if err = in.InitDB(ctx, as, data, "--no-sync"); err != nil {
		return err
	}
	conf := strings.Join([]string{
		"listen_addresses = ''",
		"unix_socket_directories = '" + s.dir + "'",
		"max_connections = 200",
		"shared_buffers = 128MB",
		"fsync = off", "synchronous_commit = off", "full_page_writes = off",
		"max_wal_size = 2GB",
		"timezone = 'UTC'", "log_timezone = 'UTC'",
		"autovacuum_naptime = 10s",
	}, "\n") + "\n"
	if err = as.WriteFile(filepath.Join(data, "postgresql.auto.conf"), []byte(conf)); err != nil {
		return err
	}
	s.child, err = in.StartChild(ctx, as, data, filepath.Join(s.dir, "log"))
	return err
}

func (s *server) stop() error {
	if s.admin != nil {
		s.admin.Close()
	}
	if s.child != nil {
		s.child.Stop()
	}
	var err error
	if s.dir != "" {
		err = os.RemoveAll(s.dir)
	}
	if s.lease != nil {
		err = errors.Join(err, s.lease.Close())
	}
	return err
}

const folderPrefix = "gridgov-test-"

// sweep removes folders of test binaries that were killed: those whose lease nobody holds.
func sweep(root string) {
	dirs, _ := filepath.Glob(filepath.Join(root, folderPrefix+"*")) // the pattern is well formed
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, leaseName)); err != nil {
			continue // being made at this moment, or not ours
		}
		if f, err := lock(dir); err == nil {
			_ = os.RemoveAll(dir) // another user's folder stays
			_ = f.Close()
		}
	}
}

const leaseName = "lease"

func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, leaseName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s *server) url(database string) string {
	u := *s.base
	u.Path = "/" + database
	return u.String()
}

// template is a database that is cloned and never connected to once it is whole.
type template struct {
	name string
	fill func(ctx context.Context, url string) error
}

var postgisTemplate = template{name: "gridgov_test_postgis_gist", fill: func(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	for _, name := range []string{"postgis", "btree_gist"} {
		if _, createErr := conn.Exec(ctx, "CREATE EXTENSION "+name+" SCHEMA public"); createErr != nil {
			err = errors.Join(err, createErr)
		}
	}
	return errors.Join(err, conn.Close(ctx))
}}

func (s *server) createDatabase(ctx context.Context, from template) (string, error) {
	if err := s.ensureTemplate(ctx, from); err != nil {
		return "", fmt.Errorf("template %s: %w", from.name, err)
	}
	name := "gridgov_test_" + strings.ToLower(rand.Text()[:16])
	// Copying files beats the default, which logs every page.
	_, err := s.admin.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY file_copy", name, from.name))
	return name, err
}

func (s *server) dropDatabase(ctx context.Context, name string) error {
	_, err := s.admin.Exec(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
	return err
}

// ensureTemplate makes the template unless it is there. It is filled under another name, so that a name that exists is
// always whole; other test binaries on the same server wait at the lock.
func (s *server) ensureTemplate(ctx context.Context, tpl template) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.templates[tpl.name] {
		return nil
	}
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	const key = "SELECT %s(hashtextextended('gridgov_test_template', 0))"
	if _, err = conn.Exec(ctx, fmt.Sprintf(key, "pg_advisory_lock")); err != nil {
		return err
	}
	defer func() {
		_, unlockErr := conn.Exec(context.WithoutCancel(ctx), fmt.Sprintf(key, "pg_advisory_unlock"))
		err = errors.Join(err, unlockErr)
	}()
	var exists bool
	if err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", tpl.name).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		raw := tpl.name + "_raw"
		for _, sql := range []string{
			"DROP DATABASE IF EXISTS " + raw + " WITH (FORCE)", // of a binary that was killed half way
			"CREATE DATABASE " + raw,
		} {
			if _, err = conn.Exec(ctx, sql); err != nil {
				return err
			}
		}
		if err = tpl.fill(ctx, s.url(raw)); err != nil {
			return explain(err)
		}
		if _, err = conn.Exec(ctx, fmt.Sprintf("ALTER DATABASE %s RENAME TO %s", raw, tpl.name)); err != nil {
			return err
		}
	}
	s.templates[tpl.name] = true
	return nil
}

// explain says what to install when PostGIS is missing (SQLSTATE 58P01 or 0A000).
func explain(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && (pgErr.Code == "58P01" || pgErr.Code == "0A000") {
		return fmt.Errorf("PostGIS is not installed on the server (apt-get install postgresql-15-postgis-3): %w", err)
	}
	return err
}
