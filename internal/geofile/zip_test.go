package geofile

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"gridgov/internal/fault"
)

const onePoint = `{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}}`

// archive packs names and contents; a header may be changed before it is written.
func archive(t testing.TB, change func(*zip.FileHeader), files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := &zip.FileHeader{Name: files[i], Method: zip.Deflate}
		h.SetMode(0o644)
		if change != nil {
			change(h)
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openBytes(t testing.TB, content []byte, opts Options) (*Reader, error) {
	opts.Stdin, opts.TempDir = bytes.NewReader(content), t.TempDir()
	r, err := Open(context.Background(), "-", opts)
	if err != nil {
		if left, _ := os.ReadDir(opts.TempDir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		return nil, err
	}
	t.Cleanup(func() {
		r.Close() // read only
		if left, _ := os.ReadDir(opts.TempDir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return r, nil
}

func TestArchive(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("长安镇.geojson")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"plain":        archive(t, nil, "readme.txt", "x", "a.geojson", onePoint),
		"in a folder":  archive(t, nil, "maps/", "", "maps/a.json", onePoint, "__MACOSX/maps/._a.json", "junk", "maps/.hidden.json", "x"),
		"Chinese name": archive(t, func(h *zip.FileHeader) { h.NonUTF8 = true }, gbk, onePoint),
	} {
		r, err := openBytes(t, content, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f, err := r.Next(); err != nil || f.Line != 1 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	two := archive(t, nil, "towns.geojson", onePoint, "grids.geojson", strings.Replace(onePoint, "1,2", "3,4", 1))
	_, err = openBytes(t, two, Options{})
	if f, _ := fault.As(err); f == nil || f.Code != "several_layers" || !strings.Contains(f.Message, "“grids”, “towns”") {
		t.Errorf("two data sets: %v", err)
	}
	if r, err := openBytes(t, two, Options{Layer: "towns"}); err != nil {
		t.Error(err)
	} else if f, err := r.Next(); err != nil || f.Shape.Bound().Min[0] != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestUnsafeArchives(t *testing.T) {
	zeros := string(make([]byte, 40<<20))
	good := archive(t, nil, "a.geojson", onePoint)
	encrypted := bytes.Clone(good)
	directory := bytes.Index(encrypted, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint16(encrypted[directory+8:], 1)
	lying := bytes.Clone(archive(t, nil, "a.geojson", onePoint+strings.Repeat(" ", 1000)))
	directory = bytes.Index(lying, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(lying[directory+24:], 10) // declares ten bytes
	many := make([]string, 0, 2*(maxZipEntries+1))
	for i := range maxZipEntries + 1 {
		many = append(many, strings.Repeat("x", 1+i%200)+string(rune('a'+i%26))+strings.Repeat("y", i/200)+".txt", "")
	}
	for _, c := range []struct {
		name    string
		content []byte
		code    string
	}{
		{"above", archive(t, nil, "../a.geojson", onePoint), "unsafe_archive"},
		{"above, later", archive(t, nil, "b/../../a.geojson", onePoint), "unsafe_archive"},
		{"absolute", archive(t, nil, "/tmp/a.geojson", onePoint), "unsafe_archive"},
		{"Windows", archive(t, nil, `..\a.geojson`, onePoint), "unsafe_archive"},
		{"drive", archive(t, nil, `C:a.geojson`, onePoint), "unsafe_archive"},
		{"zero byte", archive(t, nil, "a\x00.geojson", onePoint), "unsafe_archive"},
		{"a folder above", archive(t, nil, "../b/", ""), "unsafe_archive"},
		{"link", archive(t, func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }, "a.geojson", "/etc/passwd"), "unsafe_archive"},
		{"device", archive(t, func(h *zip.FileHeader) { h.SetMode(fs.ModeDevice | 0o666) }, "a.geojson", ""), "unsafe_archive"},
		{"twice", archive(t, nil, "a.geojson", onePoint, "A.geojson", onePoint), "unsafe_archive"},
		{"file and folder", archive(t, nil, "a.geojson", onePoint, "a.geojson/b.json", onePoint), "damaged_archive"},
		{"encrypted", encrypted, "encrypted_archive"},
		{"bomb", archive(t, nil, "a.geojson", zeros), "archive_bomb"},
		{"more than it declares", lying, "damaged_archive"},
		{"too many files", archive(t, nil, many...), "too_large"},
		{"cut off", good[:len(good)-30], "damaged_archive"},
		{"nothing of use", archive(t, nil, "a.txt", "x"), "unknown_format"},
		{"another content", archive(t, nil, "a.geojson", "id,lon,lat\n"), "unknown_format"},
		{"an archive inside", archive(t, nil, "a.geojson", string(good)), "unknown_format"},
	} {
		r, err := openBytes(t, c.content, Options{})
		if f, ok := fault.As(err); !ok || f.Code != c.code || f.Message == "" {
			t.Errorf("%s: %v, %v; want %s", c.name, r, err, c.code)
		}
	}
	if _, err := openBytes(t, archive(t, nil, "a.geojson", onePoint, "b.txt", strings.Repeat("ab", 5000)), Options{MaxBytes: 9000}); !fault.Is(err, fault.KindTooLarge) {
		t.Errorf("more than the limit: %v", err)
	}
}

// Whatever an archive holds, unpacking stays in its folder and within its limit.
func FuzzZip(f *testing.F) {
	for _, files := range [][]string{
		{"a.geojson", onePoint}, {"../a", "x"}, {"a/b/c.shp", "x", "a/b/c.dbf", ""}, {"x.gdb/a.gdbtable", "y"}, {"/a", "b"}, {"a", "b", "a/c", "d"},
	} {
		f.Add(archive(f, nil, files...))
	}
	f.Add(archive(f, func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }, "a", "/etc"))
	f.Fuzz(func(t *testing.T, content []byte) {
		const limit = 1 << 16
		z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		entries, err := guardZip(z, limit)
		if err != nil {
			return
		}
		outer := t.TempDir()
		dir := filepath.Join(outer, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := unpack(context.Background(), entries, dir); err != nil && !errors.As(err, new(*fault.Error)) {
			t.Fatalf("an error that is no fault: %v", err)
		}
		if beside, _ := os.ReadDir(outer); len(beside) != 1 {
			t.Fatalf("written outside: %v", beside)
		}
		var total int64
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if !d.Type().IsRegular() {
				t.Fatalf("%s is no plain file", path)
			}
			info, err := d.Info()
			if err == nil {
				total += info.Size()
			}
			return err
		})
		if err != nil || total > limit+int64(len(entries)) {
			t.Fatalf("%d bytes unpacked, %v", total, err)
		}
		dataSets(entries)
	})
}
