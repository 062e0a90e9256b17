package postgres_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
)

var backupTime = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func backupOptions() postgres.BackupOptions {
	return postgres.BackupOptions{PGBin: os.Getenv("PG_BIN"), At: backupTime}
}

// filled returns a database with two cities, each with rows in tables of several kinds.
func filled(t *testing.T, marks ...string) *postgres.Database {
	t.Helper()
	db := open(t, postgres.Options{})
	for i, mark := range marks {
		_, pool := create(t, db, city([]string{"haining", "user"}[i]))
		for _, sql := range []string{
			"INSERT INTO item (code, name) SELECT to_char(n, 'FM00'), '" + mark + "' FROM generate_series(1, 16) n",
			"INSERT INTO plan (name, state, created_at) VALUES ('" + mark + "', 'draft', '2026-01-01')",
			"INSERT INTO event (seq, at, type, data) SELECT n, '2026-01-01', 'test', '{}' FROM generate_series(1, 1000) n",
			"UPDATE feed SET seq = 1000",
		} {
			if _, err := pool.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		pool.Reset() // a restore refuses a database that is served
	}
	return db
}

// fingerprint tells all rows of a city's tables that the tests write to.
func fingerprint(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	pool.Reset() // the test may have ended its sessions
	return scalar[string](t, pool, `SELECT concat_ws(' ', (SELECT md5(string_agg(item::text, ',' ORDER BY code)) FROM item),
		(SELECT md5(string_agg(event::text, ',' ORDER BY seq)) FROM event), (SELECT string_agg(plan::text, ',') FROM plan), (SELECT seq FROM feed))`)
}

func pool(t *testing.T, db *postgres.Database, code string) *pgxpool.Pool {
	t.Helper()
	c, err := db.City(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	p, err := db.CityPool(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func backup(t *testing.T, db *postgres.Database) (string, postgres.Manifest) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup.tar")
	m, err := db.Backup(t.Context(), file, backupOptions())
	if err != nil {
		t.Fatal(err)
	}
	return file, m
}

func TestBackupAndRestoreGiveTheSameRows(t *testing.T) {
	t.Parallel()
	from := filled(t, "first", "second")
	file, saved := backup(t, from)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode is %v, error %v; it holds what others may not read", info.Mode(), err)
	}
	to := open(t, postgres.Options{})
	got, err := to.Restore(t.Context(), file, backupOptions())
	if err != nil {
		t.Fatal(err)
	}
	again := describe(t, to)
	for i, c := range saved.Cities {
		if c.Rows["event"] != 1000 || c.Rows["item"] != 16 {
			t.Errorf("%s: rows %v", c.Code, c.Rows)
		}
		if !maps.Equal(c.Rows, got.Cities[i].Rows) || !maps.Equal(c.Rows, again.Cities[i].Rows) {
			t.Errorf("%s: rows %v; want %v", c.Code, again.Cities[i].Rows, c.Rows)
		}
		if fmt.Sprint(c.Grants) != fmt.Sprint(again.Cities[i].Grants) || len(c.Grants) == 0 {
			t.Errorf("%s: grants %v; want %v", c.Code, again.Cities[i].Grants, c.Grants)
		}
		old, restored := pool(t, from, c.Code), pool(t, to, c.Code)
		if a, b := fingerprint(t, old), fingerprint(t, restored); a != b {
			t.Errorf("%s: restored %s; want %s", c.Code, b, a)
		}
		if a, b := scalar[int](t, old, "SELECT epoch FROM feed"), scalar[int](t, restored, "SELECT epoch FROM feed"); b <= a {
			t.Errorf("%s: epoch %d after %d; followers would go on as if nothing had happened", c.Code, b, a)
		}
		// Identities go on after the rows that are there, and the role has its rights.
		if _, err := restored.Exec(t.Context(), "INSERT INTO plan (name, state, created_at) VALUES ('next', 'draft', '2026-01-01')"); err != nil {
			t.Error(err)
		}
		wantDenied(t, restored, "DELETE FROM event")
	}
}

func describe(t *testing.T, db *postgres.Database) postgres.Manifest {
	t.Helper()
	_, m := backup(t, db)
	return m
}

func TestRestoreReplacesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	file, _ := backup(t, filled(t, "saved"))
	db := filled(t, "first", "second")
	before := fingerprint(t, pool(t, db, "haining"))
	pool(t, db, "haining").Reset()

	_, err := db.Restore(t.Context(), file, backupOptions())
	wantFault(t, err, fault.KindConflict, "restore_not_empty")

	opts := backupOptions()
	opts.Replace = true
	held, err := pool(t, db, "haining").Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Restore(t.Context(), file, opts)
	wantFault(t, err, fault.KindConflict, "database_in_use")
	held.Release()
	if got := fingerprint(t, pool(t, db, "haining")); got != before {
		t.Errorf("a refused restore has changed the rows: %s; want %s", got, before)
	}
	endSessions(t, db)

	if _, err := db.Restore(t.Context(), file, opts); err != nil {
		t.Fatal(err)
	}
	if got := scalar[string](t, pool(t, db, "haining"), "SELECT name FROM plan"); got != "saved" {
		t.Errorf("plan %q; want saved", got)
	}
	if cities, err := db.Cities(t.Context()); err != nil || len(cities) != 1 {
		t.Errorf("cities %v, error %v; want the backup's one", cities, err)
	}
	left := strings(t, db.Owner(), "SELECT nspname FROM pg_namespace WHERE nspname IN ('user', 'haining', 'registry') OR nspname LIKE 'before%'")
	if fmt.Sprint(left) != "[haining registry]" {
		t.Errorf("schemas %v", left)
	}
	// The same backup again gives another epoch each time: at once, by a clock that was set back, and an hour later.
	for _, later := range []time.Duration{0, -24 * time.Hour, time.Hour} {
		before := scalar[int](t, pool(t, db, "haining"), "SELECT epoch FROM feed")
		endSessions(t, db)
		opts.At = opts.At.Add(later)
		if _, err := db.Restore(t.Context(), file, opts); err != nil {
			t.Fatal(err)
		}
		if again := scalar[int](t, pool(t, db, "haining"), "SELECT epoch FROM feed"); again <= before {
			t.Errorf("%v later: epoch %d after %d", later, again, before)
		}
	}
}

func endSessions(t *testing.T, db *postgres.Database) {
	t.Helper()
	if _, err := db.Owner().Exec(t.Context(), "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE 'gridgov\\_%'"); err != nil {
		t.Fatal(err)
	}
}

func TestRestoreRefusesADamagedFile(t *testing.T) {
	t.Parallel()
	file, _ := backup(t, filled(t, "saved"))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	db := open(t, postgres.Options{})
	for name, content := range map[string][]byte{
		"a bit flipped":    flipped,
		"cut short":        whole[:len(whole)/2],
		"its sums cut off": whole[:len(whole)-2048],
		"empty":            {},
		"another kind":     []byte("PGDMP and so on"),
		"a manifest of its own": rewrite(t, whole, func(name string, b []byte) []byte {
			if name == "manifest.json" {
				return bytes.ReplaceAll(b, []byte("haining"), []byte("hainong"))
			}
			return b
		}, false),
	} {
		path := filepath.Join(t.TempDir(), "damaged.tar")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := db.Restore(t.Context(), path, backupOptions())
		if f, ok := fault.As(err); !ok || f.Code != "backup_damaged" {
			t.Errorf("%s: error %v; want backup_damaged", name, err)
		}
	}
	_, err = db.Restore(t.Context(), filepath.Join(t.TempDir(), "none"), backupOptions())
	wantFault(t, err, fault.KindInvalid, "cannot_read")
}

// A restore that fails half way leaves what was there: here the dump is no dump, or holds other rows than its manifest
// says, under sums that are right.
func TestRestoreThatFailsLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	file, _ := backup(t, filled(t, "saved", "besides"))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db := filled(t, "first")
	before := fingerprint(t, pool(t, db, "haining"))
	opts := backupOptions()
	opts.Replace = true
	for name, change := range map[string]func(string, []byte) []byte{
		"no dump": func(name string, b []byte) []byte {
			if name == "database.dump" {
				return []byte("nothing")
			}
			return b
		},
		"half a dump": func(name string, b []byte) []byte {
			if name == "database.dump" {
				return b[:len(b)*2/3]
			}
			return b
		},
		"other rows": func(name string, b []byte) []byte {
			return bytes.Replace(b, []byte(`"event": 1000`), []byte(`"event": 1001`), 1)
		},
		"other rights": func(name string, b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(`"INSERT"`), []byte(`"TRUNCATE"`))
		},
	} {
		endSessions(t, db)
		path := filepath.Join(t.TempDir(), "bad.tar")
		if err := os.WriteFile(path, rewrite(t, whole, change, true), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Restore(t.Context(), path, opts); err == nil {
			t.Errorf("%s: restored", name)
		}
		if got := fingerprint(t, pool(t, db, "haining")); got != before {
			t.Errorf("%s: rows %s; want %s", name, got, before)
		}
		if n := scalar[int](t, db.Owner(), "SELECT count(*) FROM pg_namespace WHERE nspname = 'user' OR nspname LIKE 'before%'"); n != 0 {
			t.Errorf("%s: %d schemas are left over", name, n)
		}
	}
}

// rewrite changes a backup's entries and, when told, makes its sums right again.
func rewrite(t *testing.T, archive []byte, change func(name string, content []byte) []byte, sums bool) []byte {
	t.Helper()
	var out, right bytes.Buffer
	w := tar.NewWriter(&out)
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case h.Name != "SHA256SUMS":
			b = change(h.Name, b)
			fmt.Fprintf(&right, "%x  %s\n", sha256.Sum256(b), h.Name)
		case sums:
			b = right.Bytes()
		}
		if err := w.WriteHeader(&tar.Header{Name: h.Name, Size: int64(len(b)), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A backup that fails leaves neither a file nor half of one.
func TestBackupThatFailsLeavesNoFile(t *testing.T) {
	t.Parallel()
	db := filled(t, "first")
	dir := t.TempDir()
	opts := backupOptions()
	opts.PGBin = dir // holds no pg_dump
	_, err := db.Backup(t.Context(), filepath.Join(dir, "b.tar"), opts)
	wantFault(t, err, fault.KindUnavailable, "no_postgresql_client")
	if _, err := db.Owner().Exec(t.Context(), "DROP TABLE haining.schema_version"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context(), filepath.Join(dir, "b.tar"), backupOptions()); err == nil {
		t.Error("a broken city was backed up")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, error %v", left, err)
	}
}

// Posts are kept apart in the restored city as they were before, and nobody is signed in.
func TestRestoredPeopleSignInAgain(t *testing.T) {
	t.Parallel()
	from := filled(t, "first")
	const post = `INSERT INTO post (person_id, role, level, code, begins, version)
		VALUES ('01980000-0000-7000-8000-000000000000', 'grid_worker', 'grid', '1', '2026-01-01', 1)`
	p := pool(t, from, "haining")
	for _, sql := range []string{
		`INSERT INTO person (id, name, machine, created_at, version) VALUES ('01980000-0000-7000-8000-000000000000', '王芳', false, '2026-01-01', 1)`,
		post,
		`INSERT INTO account (person_id, login, password_at, must_change, demo, totp_step, created_at)
			VALUES ('01980000-0000-7000-8000-000000000000', 'wang', '2026-01-01', false, false, 0, '2026-01-01')`,
		`INSERT INTO session (id, hash, person_id, made_at, seen_at, ends_at, address, agent)
			SELECT person_id, sha256('a'), person_id, '2026-01-01', '2026-01-01', '2027-01-01', '', '' FROM account`,
		`INSERT INTO device (hash, person_id, made_at, seen_at) SELECT sha256('b'), person_id, '2026-01-01', '2026-01-01' FROM account`,
	} {
		if _, err := p.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	p.Reset()
	file, saved := backup(t, from)
	if rows := saved.Cities[0].Rows; rows["session"] != 1 || rows["post"] != 1 {
		t.Errorf("saved %v", rows)
	}
	to := open(t, postgres.Options{})
	if _, err := to.Restore(t.Context(), file, backupOptions()); err != nil {
		t.Fatal(err)
	}
	restored := pool(t, to, "haining")
	if n := scalar[int](t, restored, `SELECT (SELECT count(*) FROM session) + (SELECT count(*) FROM device)`); n != 0 {
		t.Errorf("%d sessions and devices live again", n)
	}
	if n := scalar[int](t, restored, `SELECT count(*) FROM post JOIN account USING (person_id)`); n != 1 {
		t.Errorf("%d posts", n)
	}
	_, err := restored.Exec(t.Context(), post)
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "23P01" {
		t.Errorf("the restored city takes a post twice: %v", err)
	}
}
