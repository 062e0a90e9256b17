package geofile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gridgov/internal/fault"
	"gridgov/internal/geofile"
)

// result is all that a file gave.
type result struct {
	features []geofile.Feature
	rows     []*geofile.RowError
	err      error // from Open or the last Next; nil for a file read to its end
	format   string
	crs      string
	notes    []string
}

// readAll reads standard input's content, as an upload is read.
func readAll(t *testing.T, content string, opts geofile.Options) result {
	t.Helper()
	opts.Stdin = bytes.NewReader([]byte(content))
	return readPath(t, "-", opts)
}

func readPath(t testing.TB, path string, opts geofile.Options) result {
	t.Helper()
	if opts.TempDir == "" {
		opts.TempDir = t.TempDir()
	}
	r, err := geofile.Open(context.Background(), path, opts)
	if err != nil {
		if left, _ := os.ReadDir(opts.TempDir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		return result{err: err}
	}
	var got result
	for {
		f, err := r.Next()
		row := (*geofile.RowError)(nil)
		switch {
		case err == nil:
			got.features = append(got.features, f)
			continue
		case errors.As(err, &row):
			got.rows = append(got.rows, row)
			continue
		case !errors.Is(err, io.EOF):
			got.err = err
		}
		if _, again := r.Next(); again == nil || again.Error() != err.Error() {
			t.Errorf("after %v came %v", err, again)
		}
		break
	}
	got.format, got.crs, got.notes = r.Format(), r.CRS(), r.Notes()
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if left, _ := os.ReadDir(opts.TempDir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return got
}

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(t testing.TB, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wantFault checks the machine-readable part of a fault, and that it has words.
func wantFault(t testing.TB, name string, err error, code string, line int) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok {
		t.Errorf("%s: %v is no fault; want %s", name, err, code)
		return
	}
	if f.Code != code || f.Line != line || f.Message == "" {
		t.Errorf("%s: fault %q at line %d: %v; want %q at line %d", name, f.Code, f.Line, f, code, line)
	}
}
