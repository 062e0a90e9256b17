package basemap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gridgov/internal/basemap"
	"gridgov/internal/fault"
)

// archive is a whole header of one vector tile's archive, followed by its parts, which nobody reads here.
func archive() []byte {
	b := make([]byte, 127, 200)
	copy(b, "PMTiles\x03")
	for i, part := range [][2]uint64{{127, 5}, {132, 30}, {162, 0}, {162, 38}} {
		binary.LittleEndian.PutUint64(b[8+16*i:], part[0])
		binary.LittleEndian.PutUint64(b[16+16*i:], part[1])
	}
	copy(b[97:], []byte{2, 2, 1, 0, 14})
	for len(b) < cap(b) {
		b = append(b, byte(len(b)))
	}
	return b
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ground.pmtiles")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefusesWhatNoBrowserCouldDraw(t *testing.T) {
	number := func(at int, v uint64) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint64(b[at:], v); return b }
	}
	octet := func(at int, v byte) func([]byte) []byte {
		return func(b []byte) []byte { b[at] = v; return b }
	}
	cut := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }
	tests := map[string]struct {
		damage func([]byte) []byte
		want   string
	}{
		"empty":                       {cut(0), "not a PMTiles archive"},
		"magic alone":                 {cut(7), "not a PMTiles archive"},
		"SQLite":                      {func([]byte) []byte { return []byte("SQLite format 3\x00 and much more") }, "not a PMTiles archive"},
		"version 2":                   {octet(7, 2), "version 2"},
		"version 4":                   {octet(7, 4), "version 4"},
		"cut in the header":           {cut(126), "ends within its header"},
		"cut in the tiles":            {cut(199), "tile data reaches beyond"},
		"no root":                     {number(16, 0), "root directory is empty"},
		"no tiles":                    {number(64, 0), "tile data is empty"},
		"root over the header":        {number(8, 0), "root directory reaches"},
		"offset beyond":               {number(24, 1<<40), "metadata reaches"},
		"sum that overflows":          {number(64, 1<<64-100), "tile data reaches"},
		"leaf directories beyond":     {number(48, 500), "leaf directories reaches"},
		"root far away":               {func(b []byte) []byte { return append(number(8, 16380)(b), make([]byte, 20000)...) }, "first 16 KiB"},
		"directories in Zstandard":    {octet(97, 4), "compressed"},
		"tiles in Brotli":             {octet(98, 3), "compressed"},
		"tiles of an unknown kind":    {octet(99, 0), "type 0"},
		"tiles no browser here reads": {octet(99, 6), "type 6"},
		"zooms the wrong way round":   {octet(100, 15), "zooms 15 to 14"},
		"zooms without end":           {octet(101, 27), "zooms 0 to 27"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, tt.damage(archive()))
			_, err := basemap.Open(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("said %v, want the path and %q", err, tt.want)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe, filepath.Join(dir, "missing.pmtiles")} {
		if _, err := basemap.Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: said %v", path, err)
		}
	}
}

func TestServeGivesRangesAndFollowsTheFile(t *testing.T) {
	content := archive()
	path := write(t, content)
	a, err := basemap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(header ...string) (*http.Response, []byte) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		if err := a.Serve(w, r); err != nil {
			t.Fatal(err)
		}
		resp := w.Result()
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, body
	}

	part, body := ask("Range", "bytes=127-131", "Accept-Encoding", "gzip")
	if part.StatusCode != http.StatusPartialContent || !bytes.Equal(body, content[127:132]) || part.Header.Get("Content-Encoding") != "" {
		t.Errorf("a range: %d %v %v", part.StatusCode, body, part.Header)
	}
	tag := part.Header.Get("Etag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		t.Errorf("ETag %q is not a strong one", tag)
	}
	if same, _ := ask("If-None-Match", tag); same.StatusCode != http.StatusNotModified {
		t.Errorf("an unchanged file: %d", same.StatusCode)
	}
	if beyond, _ := ask("Range", "bytes=900-"); beyond.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a range beyond the end: %d", beyond.StatusCode)
	}

	next := write(t, append(archive(), 1, 2, 3))
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
	if changed, _ := ask("Range", "bytes=0-6"); changed.Header.Get("Etag") == tag {
		t.Error("another file has the same ETag")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	err = a.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.KindNotFound || strings.Contains(f.Message, path) {
		t.Errorf("a file that is gone: %v", err)
	}
}
