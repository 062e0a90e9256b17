package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"go.uber.org/goleak"

	"gridgov/internal/blob"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// s3 starts a real S3 server with an empty bucket and gives the bucket's URL.
func s3(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	server := filepath.Join(dir, "server")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", server, "github.com/versity/versitygw/cmd/versitygw")
	build.Dir = filepath.Join("testdata", "s3server")
	build.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the S3 server of the tests could not be built: %v\n%s", err, out)
	}
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(filepath.Join(data, "photos"), 0o750); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "gridgov-test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "a secret of the test's")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "no config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "no credentials"))
	var log bytes.Buffer
	cmd := exec.Command(server, "--access", "gridgov-test", "--secret", "a secret of the test's", "--port", addr, "posix", data)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the S3 server said: %s", log.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + addr + "/")
		if err == nil {
			_ = resp.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the S3 server does not answer: %v\n%s", err, log.String())
		}
	}
	q := url.Values{"region": {"us-east-1"}, "endpoint": {"http://" + addr}, "use_path_style": {"true"}}
	return "s3://photos?" + q.Encode()
}

func open(t *testing.T, where string) *blob.Root {
	t.Helper()
	root, err := blob.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return root
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	conform(t, open(t, dir))
	// What was put is on disk under its digest, for nobody else's eyes, and nothing is left on its way.
	root := open(t, dir)
	d, _, err := put(t.Context(), root.City("haining"), strings.NewReader("a word"), 100)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "haining", d.String()[:2], d.String())
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	left, err := os.ReadDir(filepath.Join(dir, ".staging"))
	if err != nil || len(left) > 0 {
		t.Errorf("on its way: %v, %v", left, err)
	}
	// A file that was damaged is whole again once the same is put.
	if err := os.WriteFile(path, []byte("a w"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := put(t.Context(), root.City("haining"), strings.NewReader("a word"), 100); err != nil {
		t.Fatal(err)
	}
	if got := read(t, root.City("haining"), d); string(got) != "a word" {
		t.Errorf("it is %q", got)
	}
}

func TestS3(t *testing.T) {
	where := s3(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	root := open(t, where)
	conform(t, root)
	// A prefix is a room of its own in the bucket.
	apart := open(t, where+"&prefix=apart%2F")
	conform(t, apart)
	d, _, err := put(t.Context(), apart.City("haining"), strings.NewReader("in a room of its own"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := root.City("haining").Has(t.Context(), d); ok || err != nil {
		t.Errorf("what is put under a prefix lies without it: %v, %v", ok, err)
	}
	if _, err := blob.Open(t.Context(), strings.Replace(where, "//photos", "//nowhere", 1)); err == nil {
		t.Error("a bucket that there is not was opened")
	}

	// What a process left that was killed the next one finds, and takes nothing from those that live.
	var staged []*blob.Staged
	for _, content := range []string{"of who lives", "of who was killed"} {
		f, err := open(t, where).City("haining").Stage(t.Context(), strings.NewReader(content), 100)
		if err != nil {
			t.Fatal(err)
		}
		staged = append(staged, f)
	}
	left, err := filepath.Glob(filepath.Join(temp, "*", "*"))
	if err != nil || len(left) != 2 {
		t.Fatalf("on their way: %v, %v", left, err)
	}
	old := time.Now().Add(-3 * time.Hour)
	for _, path := range left {
		b, err := os.ReadFile(path)
		if err == nil && string(b) == "of who was killed" {
			err = os.Chtimes(path, old, old)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	next, err := blob.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	if err := next.CleanStaging(time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
	if err := staged[1].Keep(t.Context()); err == nil {
		t.Error("what was left over is still there")
	}
	if err := staged[0].Keep(t.Context()); err != nil {
		t.Errorf("what was on its way is gone: %v", err)
	}

	// A folder that others can look into is not used.
	if err := os.Chmod(filepath.Dir(left[0]), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Open(t.Context(), where); err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("a folder that others see: %v", err)
	}
}

// put stages a file and keeps it at once.
func put(ctx context.Context, s *blob.Store, r io.Reader, most int64) (blob.Digest, int64, error) {
	f, err := s.Stage(ctx, r, most)
	if err != nil {
		return blob.Digest{}, 0, err
	}
	return f.Digest, f.Size, f.Keep(ctx)
}

func read(t *testing.T, s *blob.Store, d blob.Digest) []byte {
	t.Helper()
	r, size, err := s.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil || int64(len(b)) != size {
		t.Fatalf("%d of %d bytes, %v", len(b), size, err)
	}
	return b
}

// conform is what every place has to do.
func conform(t *testing.T, root *blob.Root) {
	t.Helper()
	ctx := t.Context()
	s, other := root.City("haining"), root.City("dc")
	large := make([]byte, 20<<20)
	_, _ = rand.Read(large)
	for _, content := range [][]byte{{}, []byte("x"), large} {
		d, size, err := put(ctx, s, bytes.NewReader(content), 20<<20)
		if err != nil || d != blob.Of(content) || size != int64(len(content)) {
			t.Fatalf("%d bytes became %s, %d: %v", len(content), d, size, err)
		}
		if again, _, err := put(ctx, s, iotest.OneByteReader(bytes.NewReader(content[:min(len(content), 1000)])), 20<<20); len(content) < 1000 && (err != nil || again != d) {
			t.Errorf("put again it is %s, %v", again, err)
		}
		if got := read(t, s, d); !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back as %d others", len(content), len(got))
		}
		if ok, err := s.Has(ctx, d); !ok || err != nil {
			t.Errorf("has: %v, %v", ok, err)
		}
		if ok, err := other.Has(ctx, d); ok || err != nil {
			t.Errorf("another city has it: %v, %v", ok, err)
		}
		for range 2 { // the second time there is nothing to delete
			if err := s.Delete(ctx, d); err != nil {
				t.Error(err)
			}
		}
		if ok, err := s.Has(ctx, d); ok || err != nil {
			t.Errorf("has after it was deleted: %v, %v", ok, err)
		}
		if _, _, err := s.Open(ctx, d); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("opened after it was deleted: %v", err)
		}
	}

	if _, _, err := put(ctx, s, bytes.NewReader(large), int64(len(large)-1)); !errors.Is(err, blob.ErrTooLong) {
		t.Errorf("one byte too many: %v", err)
	}
	if ok, _ := s.Has(ctx, blob.Of(large)); ok {
		t.Error("what was too long is kept")
	}
	broken := errors.New("the line broke")
	if _, _, err := put(ctx, s, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), 100); !errors.Is(err, broken) {
		t.Errorf("a broken line: %v", err)
	}
	if ok, _ := s.Has(ctx, blob.Of([]byte("half"))); ok {
		t.Error("half of what was sent is kept")
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := put(gone, s, strings.NewReader("late"), 100); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone: %v", err)
	}

	// The same from many at once is one file, whole at every moment.
	var all sync.WaitGroup
	content := bytes.Repeat([]byte("the same "), 50_000)
	for range 8 {
		all.Go(func() {
			d, _, err := put(ctx, s, bytes.NewReader(content), 1<<20)
			if err != nil {
				t.Error(err)
				return
			}
			r, size, err := s.Open(ctx, d)
			if err != nil {
				t.Error(err)
				return
			}
			b, err := io.ReadAll(r)
			if _ = r.Close(); err != nil || size != int64(len(content)) || !bytes.Equal(b, content) {
				t.Errorf("%d of %d bytes, %v", len(b), size, err)
			}
		})
	}
	all.Wait()

	// What is staged is not there before it is kept, and not after it was discarded.
	f, err := s.Stage(ctx, strings.NewReader("on its way"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := s.Has(ctx, f.Digest); ok {
		t.Error("what is staged is there")
	}
	f.Discard()
	if err := f.Keep(ctx); err == nil {
		t.Error("what was discarded was kept")
	}
}

func TestCleanStaging(t *testing.T) {
	dir := t.TempDir()
	root := open(t, dir)
	f, err := root.City("haining").Stage(t.Context(), strings.NewReader("killed"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := root.CleanStaging(time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := f.Keep(t.Context()); err != nil {
		t.Errorf("what was on its way is gone: %v", err)
	}
	if f, err = root.City("haining").Stage(t.Context(), strings.NewReader("killed"), 100); err != nil {
		t.Fatal(err)
	}
	if err := root.CleanStaging(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := f.Keep(t.Context()); err == nil {
		t.Error("what was left over is still there")
	}
}

func TestPlacesThatAreNone(t *testing.T) {
	for _, where := range []string{"s3://", "gs://bucket", "file:///tmp/x", "http://127.0.0.1/", "mem://", "s3://b?region=us-east-1&colour=red"} {
		if root, err := blob.Open(t.Context(), where); err == nil {
			_ = root.Close()
			t.Errorf("%s was opened", where)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Open(t.Context(), file); err == nil {
		t.Error("a file was opened as a folder")
	}
}

func TestDigestOf(t *testing.T) {
	want := blob.Of([]byte("x"))
	if d, ok := blob.DigestOf(want[:]); !ok || d != want {
		t.Errorf("%s, %v", d, ok)
	}
	for _, n := range []int{0, 31, 33, 64} {
		if _, ok := blob.DigestOf(make([]byte, n)); ok {
			t.Errorf("%d bytes are a digest", n)
		}
	}
	if s := fmt.Sprint(want); len(s) != 64 {
		t.Errorf("it prints as %s", s)
	}
}
