package postgres_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
)

// Levels that are read are written the same, and each is found by its role and its name.
func FuzzParseLevels(f *testing.F) {
	for _, s := range []string{postgres.DefaultLevels, "city,town:ward,village:anc,grid:smd", "grid:网格", "town:grid,grid", ",", "grid:\xff", "grid: a-b_c "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		levels, err := postgres.ParseLevels(s)
		if err != nil {
			if !fault.Is(err, fault.KindInvalid) {
				t.Errorf("%q: error %v is no fault", s, err)
			}
			return
		}
		again, err := postgres.ParseLevels(levels.String())
		if err != nil || !slices.Equal(again, levels) {
			t.Errorf("%q: %v was written %q and read as %v, %v", s, levels, levels, again, err)
		}
		for _, l := range levels {
			for _, name := range []string{l.Role, l.Name} {
				if found, err := levels.Find(name); err != nil || found != l {
					t.Errorf("%q: Find(%q) = %v, %v; want %v", s, name, found, err, l)
				}
			}
		}
	})
}

// Whatever stands in a file that is said to be a backup, it is refused by name or is one.
func FuzzReadArchive(f *testing.F) {
	var whole bytes.Buffer
	w := tar.NewWriter(&whole)
	manifest, dump := `{"format": 1}`, "PGDMP"
	sums := fmt.Sprintf("%x  manifest.json\n%x  database.dump\n", sha256.Sum256([]byte(manifest)), sha256.Sum256([]byte(dump)))
	for _, e := range [][2]string{{"manifest.json", manifest}, {"database.dump", dump}, {"SHA256SUMS", sums}} {
		if err := w.WriteHeader(&tar.Header{Name: e[0], Size: int64(len(e[1])), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write([]byte(e[1])); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "whole.tar")
	if err := os.WriteFile(path, whole.Bytes(), 0o600); err != nil {
		f.Fatal(err)
	}
	if _, err := postgres.ReadArchive(path); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add(whole.Bytes()[:1000])
	f.Add([]byte("PGDMP"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "backup.tar")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := postgres.ReadArchive(path)
		if err == nil && m.Format == 0 {
			t.Error("a file without a format is taken for a backup")
		}
		if err != nil && !fault.Is(err, fault.KindInvalid) {
			t.Errorf("error %v is no fault", err)
		}
	})
}
