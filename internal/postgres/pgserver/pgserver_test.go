package pgserver_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgserver"
)

// fake returns a folder of programs that say they are of the version.
func fake(t *testing.T, version string, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range programs {
		script := "#!/bin/sh\necho '" + name + " (PostgreSQL) " + version + "'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindInAGivenFolder(t *testing.T) {
	server := []string{"initdb", "postgres", "pg_ctl"}
	for _, test := range []struct {
		dir    string
		major  int
		reason string
	}{
		{fake(t, "17.2 (Debian 17.2-1)", server...), 17, ""},
		{fake(t, "16beta1", server...), 16, ""},
		{fake(t, "13.14", server...), 0, "postgresql_too_old"},
		{fake(t, "17.2", "initdb", "postgres"), 0, "no_postgresql"},
		{fake(t, "none at all", server...), 0, "no_postgresql"},
		{filepath.Join(t.TempDir(), "missing"), 0, "no_postgresql"},
	} {
		in, err := pgserver.Find(t.Context(), test.dir)
		f, _ := fault.As(err)
		if in.Major != test.major || (f != nil) != (test.reason != "") || f != nil && f.Code != test.reason {
			t.Errorf("%s: PostgreSQL %d, error %v; want %d, %s", test.dir, in.Major, err, test.major, test.reason)
		}
	}
}

// A machine whose database is elsewhere has the client's programs alone.
func TestFindClient(t *testing.T) {
	dir := fake(t, "17.2", "pg_dump", "pg_restore")
	if in, err := pgserver.FindClient(t.Context(), dir, 16); err != nil || in.Major != 17 {
		t.Errorf("PostgreSQL %d, error %v; want 17", in.Major, err)
	}
	if _, err := pgserver.FindClient(t.Context(), dir, 18); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("error %v; want that 18 is missing", err)
	}
}

func TestDataMajor(t *testing.T) {
	dir := t.TempDir()
	if _, err := pgserver.DataMajor(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v; want that it does not exist", err)
	}
	for content, want := range map[string]int{"15\n": 15, "": 0, "x": 0} {
		if err := os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := pgserver.DataMajor(dir); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, error %v; want %d", content, got, err, want)
		}
	}
}

func TestSocketPathFits(t *testing.T) {
	const name = "/.s.PGSQL.5432"
	longest := "/" + strings.Repeat("d", pgserver.MaxSocketPath-len(name)-1)
	if !pgserver.SocketPathFits(longest) || pgserver.SocketPathFits(longest+"d") {
		t.Errorf("the limit is not at %d bytes", pgserver.MaxSocketPath)
	}
}

// Two commands that start a database at the same time make its folder at the same time.
func TestMkdirAllIsSafeBesideItself(t *testing.T) {
	as, err := pgserver.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	parent := filepath.Join(t.TempDir(), "a")
	for round := range 100 {
		dir := filepath.Join(parent, strconv.Itoa(round))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := as.MkdirAll(dir); err != nil {
					t.Error(err)
				} else if err := as.CheckPrivate(dir); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if made, err := os.ReadDir(parent); err != nil || len(made) != 100 {
		t.Errorf("%d folders, error %v; want 100", len(made), err)
	}
}

func TestAFolderOfAnothersIsNotPrivate(t *testing.T) {
	as, err := pgserver.CurrentAccount()
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(t.TempDir(), "a", "b")
	if err := as.MkdirAll(mine); err != nil {
		t.Fatal(err)
	}
	if err := as.CheckPrivate(mine); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(mine, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := as.CheckPrivate(mine); !fault.Is(err, fault.KindForbidden) {
		t.Errorf("open to a group: error %v", err)
	}
	link := filepath.Join(filepath.Dir(mine), "link")
	if err := os.Symlink(mine, link); err != nil {
		t.Fatal(err)
	}
	if err := as.CheckPrivate(link); !fault.Is(err, fault.KindForbidden) {
		t.Errorf("a link: error %v", err)
	}
}
