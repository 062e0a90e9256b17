package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/app/apptest"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/postgres"
)

// service is the real binary with a private database of its own. It is killed and started again; its address changes
// each time.
type service struct {
	t      *testing.T
	binary string
	data   string // folder
	log    bytes.Buffer

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{} // the process is gone and its output read
	base  string        // URL of the service
	token string        // of a session that may do everything
}

// newService builds the binary. The data folder lies where the account that PostgreSQL runs as can enter.
func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, binary: filepath.Join(t.TempDir(), "gridgov")}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", s.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	var err error
	if s.data, err = os.MkdirTemp("/tmp", "gridgov-crash-"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.data, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if err := os.RemoveAll(s.data); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the service said:\n%s", lastLines(s.log.String(), 60))
		}
	})
	return s
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func (s *service) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.binary, args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GRIDGOV_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "GRIDGOV_DATA="+s.data)
	return cmd
}

// run runs a command of the binary beside the service.
func (s *service) run(stdin string, args ...string) {
	s.t.Helper()
	cmd := s.command(args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("gridgov %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// start starts the service, on a port that is free, and returns when it listens.
func (s *service) start() {
	s.t.Helper()
	cmd := s.command("serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--rate", "0", "--anchor", filepath.Join(s.data, "anchors"))
	said, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	serves := make(chan string, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			s.log.WriteString(lines.Text() + "\n")
			if url, ok := strings.CutPrefix(lines.Text(), "gridgov serves on "); ok {
				serves <- url
			}
		}
		_ = cmd.Wait() // how it ends is the test's doing
	}()
	select {
	case url := <-serves:
		s.mu.Lock()
		s.cmd, s.ended, s.base = cmd, ended, url
		s.mu.Unlock()
	case <-ended:
		s.t.Fatalf("the service ended at its start:\n%s", lastLines(s.log.String(), 20))
	}
}

// url is where the service serves now.
func (s *service) url() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// kill ends the service at once, as a power cut would, and returns when it is gone.
func (s *service) kill() {
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	<-s.ended
}

// stop ends the service in order; it takes its database with it.
func (s *service) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-s.ended
}

func (s *service) status() postgres.ClusterStatus {
	s.t.Helper()
	st, err := postgres.Status(context.Background(), postgres.ClusterOptions{Dir: s.data})
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// postmaster is the number of the database's first process, 0 when it is not running.
func (s *service) postmaster() int {
	b, err := os.ReadFile(filepath.Join(s.status().Dir, "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return 0 // being written
	}
	return pid
}

// sessions are the processes that the postmaster has started.
func sessions(postmaster int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	var out []int
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // gone meanwhile
		}
		// pid (name) state ppid …, and the name may hold anything
		text := string(b)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if len(fields) > 1 && fields[1] == strconv.Itoa(postmaster) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				out = append(out, pid)
			}
		}
	}
	return out
}

// killDatabase ends all processes of the database at once.
func (s *service) killDatabase() {
	if pid := s.postmaster(); pid > 0 {
		rest := sessions(pid)
		_ = syscall.Kill(pid, syscall.SIGKILL) // may be gone: the test killed it a moment ago
		for _, p := range rest {
			_ = syscall.Kill(p, syscall.SIGKILL)
		}
	}
}

// killPostmaster ends the first process alone: its sessions find out by themselves.
func (s *service) killPostmaster() {
	if pid := s.postmaster(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// immediate makes the database end without a checkpoint.
func (s *service) immediate() {
	if pid := s.postmaster(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGQUIT)
	}
}

// get reads JSON from the service until it answers 200.
func (s *service) get(path string, v any) {
	s.t.Helper()
	status, body := s.fetch(path)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
}

func (s *service) fetch(path string) (int, []byte) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url()+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Cookie", "gridgov="+s.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, body
}

// await polls until the condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// signIn puts a session into the database.
func (s *service) signIn() {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.status().URL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(s.t.Context()) }()
	if _, err := conn.Exec(s.t.Context(), `SET search_path = crash, public`); err != nil {
		s.t.Fatal(err)
	}
	s.token, _ = apptest.SignInAt(s.t, conn, time.Now(), apptest.Everything()...)
}

// makeCity makes a city of sixteen grids and two items while the service runs, and returns when it serves it.
func (s *service) makeCity() {
	s.t.Helper()
	type feature struct {
		Type       string         `json:"type"`
		Properties map[string]any `json:"properties"`
		Geometry   map[string]any `json:"geometry"`
	}
	var features []feature
	for _, f := range apptest.Faces(jurisdiction.RoleGrid, 0) {
		features = append(features, feature{"Feature", map[string]any{"code": f.Code, "name": f.Name},
			map[string]any{"type": "MultiPolygon", "coordinates": f.Shape}})
	}
	file, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	if err != nil {
		s.t.Fatal(err)
	}
	s.run("", "city", "create", "crash", "--name", "Crash", "--timezone", "Asia/Shanghai", "--srid", "4549", "--levels", "grid")
	s.run(string(file), "import", "boundaries", "-", "--city", "crash", "--level", "grid", "--code", "code", "--name", "name", "--publish")
	c := apptest.Center(0, 0)
	table := "id,lon,lat,at,item\n"
	for i, item := range []string{"01", "02"} {
		table += fmt.Sprintf("first-%d,%v,%v,2026-01-0%dT00:00:00Z,%s\n", i, c[0], c[1], i+1, item)
	}
	s.run(table, "import", "reports", "-", "--city", "crash", "--map", "id=id,lon=lon,lat=lat,at=at,item=item", "--items", "create")
	s.signIn()
	await(s.t, "the running service takes up the new city", func() bool {
		status, body := s.fetch("/crash/v1/")
		var city struct {
			Plan    *struct{}
			Items   []struct{}
			Reports int
		}
		return status == http.StatusOK && json.Unmarshal(body, &city) == nil && city.Plan != nil && len(city.Items) == 2 && city.Reports == 2
	})
}
