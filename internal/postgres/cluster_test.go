package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

// holdVariable makes this test binary hold a lease on the named data folder instead of testing.
const holdVariable = "GRIDGOV_TEST_HOLD"

func hold(dir string) {
	if _, err := postgres.Start(context.Background(), options(dir)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	select {} // until killed
}

// TestCluster takes one cluster through its life: making one takes seconds. Each part leaves it stopped.
func TestCluster(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T, string)
	}{
		{"it stops with the last lease", clusterStopsWithTheLastLease},
		{"it stays up when told", clusterStaysUp},
		{"it comes back after a crash", clusterComesBackAfterACrash},
		{"it starts despite a stranger's number", clusterStartsDespiteAStrangersNumber},
		{"it outlives a killed process", clusterOutlivesAKilledProcess},
	} {
		t.Run(part.name, func(t *testing.T) {
			if running(t, dir) {
				t.Fatal("the part before has left it running")
			}
			part.run(t, dir)
		})
	}
}

func dataDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(openTempDir(t), "data")
	t.Cleanup(func() {
		if _, err := postgres.Stop(context.Background(), options(dir)); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// openTempDir returns a folder that others may pass through: the server of root's tests runs as another user.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func options(dir string) postgres.ClusterOptions {
	return postgres.ClusterOptions{Dir: dir, PGBin: os.Getenv("PG_BIN")}
}

func start(t *testing.T, dir string) *postgres.Cluster {
	t.Helper()
	c, err := postgres.Start(t.Context(), options(dir))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func release(t *testing.T, c *postgres.Cluster) {
	t.Helper()
	if err := c.Release(context.Background()); err != nil {
		t.Error(err)
	}
}

func running(t *testing.T, dir string) bool {
	t.Helper()
	s, err := postgres.Status(t.Context(), options(dir))
	if err != nil {
		t.Fatal(err)
	}
	return s.Running
}

func clusterStopsWithTheLastLease(t *testing.T, dir string) {
	var first, second *postgres.Cluster
	var wg sync.WaitGroup
	wg.Go(func() { first = start(t, dir) })
	wg.Go(func() { second = start(t, dir) })
	wg.Wait()
	pool := pgtest.Pool(t, second.URL())
	if got := scalar[string](t, pool, "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s", got)
	}
	if got := scalar[string](t, pool, "SHOW listen_addresses"); got != "" {
		t.Errorf("it listens on %q", got)
	}
	release(t, first)
	if !running(t, dir) {
		t.Error("it stopped although a lease is held")
	}
	_, err := postgres.Stop(t.Context(), options(dir))
	wantFault(t, err, fault.KindConflict, "cluster_in_use")
	release(t, second)
	if running(t, dir) {
		t.Error("it runs on without a lease")
	}
}

func clusterStaysUp(t *testing.T, dir string) {
	c := start(t, dir)
	if err := c.StayUp(); err != nil {
		t.Fatal(err)
	}
	release(t, c)
	release(t, start(t, dir))
	if !running(t, dir) {
		t.Error("it stopped with a lease although it was to stay")
	}
	for _, want := range []bool{true, false} {
		if was, err := postgres.Stop(t.Context(), options(dir)); err != nil || was != want {
			t.Errorf("Stop: was running %v, error %v; want %v", was, err, want)
		}
	}
	release(t, start(t, dir))
	if running(t, dir) {
		t.Error("Stop did not end the stay")
	}
}

func clusterComesBackAfterACrash(t *testing.T, dir string) {
	c := start(t, dir)
	pool := pgtest.Pool(t, c.URL())
	if _, err := pool.Exec(t.Context(), "CREATE TABLE kept AS SELECT 42 AS n"); err != nil {
		t.Fatal(err)
	}
	postmaster := scalar[int](t, pool, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
	if err := syscall.Kill(postmaster, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := c.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	pool.Reset()
	if n := scalar[int](t, pool, "SELECT n FROM kept"); n != 42 {
		t.Errorf("read %d", n)
	}
	release(t, c)
}

// After a reboot the number in postmaster.pid may be any process's, here this one's.
func clusterStartsDespiteAStrangersNumber(t *testing.T, dir string) {
	release(t, start(t, dir))
	s, err := postgres.Status(t.Context(), options(dir))
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(s.Dir, "data")
	pid := strconv.Itoa(os.Getppid()) + "\n" + data + "\n1\n5432\n\n\n"
	if err := os.WriteFile(filepath.Join(data, "postmaster.pid"), []byte(pid), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := postgres.Status(t.Context(), options(dir)); err != nil || s.Running || !s.Exists {
		t.Errorf("status %+v, error %v; want stopped", s, err)
	}
	release(t, start(t, dir))
}

func clusterOutlivesAKilledProcess(t *testing.T, dir string) {
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holdVariable+"="+dir)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "held" {
	}
	if s, err := postgres.Status(t.Context(), options(dir)); err != nil || !s.InUse || !s.Running {
		t.Errorf("status %+v, error %v; want running and in use", s, err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // it was killed
	if s, err := postgres.Status(t.Context(), options(dir)); err != nil || s.InUse || !s.Running {
		t.Errorf("status %+v, error %v; want running and free", s, err)
	}
	release(t, start(t, dir))
	if running(t, dir) {
		t.Error("who left last did not stop it")
	}
}

func TestClusterOfAnotherMajorIsRefused(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	s, err := postgres.Status(t.Context(), options(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(s.Dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.Start(t.Context(), options(dir))
	wantFault(t, err, fault.KindConflict, "cluster_other_major")
	if err := os.RemoveAll(s.Dir); err != nil {
		t.Fatal(err)
	}
}

// Root's own folders are closed to the user that PostgreSQL runs as; an ordinary user's are open to himself. A socket's
// path holds 107 bytes; folders may lie deeper.
func TestClusterInAFolderClosedToOthers(t *testing.T) {
	t.Parallel()
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(closed, "a-folder-with-a-name-of-some-length", "and-another-one-within-it",
		"and-so-on-and-so-forth", "until-it-is-too-long")
	var said []string
	opts := options(dir)
	opts.Say = func(s string) { said = append(said, s) }
	c, err := postgres.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(c.Dir()); err != nil {
			t.Error(err)
		}
	})
	moved := c.Dir() != filepath.Join(dir, "postgres")
	if moved != (os.Geteuid() == 0) {
		t.Errorf("it lies in %s", c.Dir())
	}
	if moved && len(said) != 3 {
		t.Errorf("said %q; want a line on the folder, the making and the start", said)
	}
	if n := scalar[int](t, pgtest.Pool(t, c.URL()), "SELECT 1"); n != 1 {
		t.Errorf("read %d", n)
	}
	release(t, c)
}
