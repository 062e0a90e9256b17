package postgres

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"gridgov/internal/fault"
)

// A backup is a tar file of three: the manifest, the dump in pg_dump's custom format, and their SHA-256 sums in the form
// that sha256sum checks.
const (
	manifestName = "manifest.json"
	dumpName     = "database.dump"
	sumsName     = "SHA256SUMS"
	// archiveFormat is raised when an older program could no longer restore a backup.
	archiveFormat = 1
	maxManifest   = 64 << 20
)

// Manifest tells what a backup holds.
type Manifest struct {
	Format     int            `json:"format"`
	CreatedAt  time.Time      `json:"created_at"`
	PostgreSQL string         `json:"postgresql"`
	PostGIS    string         `json:"postgis"`
	Cities     []ManifestCity `json:"cities"`
	// Elsewhere are cities that lie on servers of their own: their rows are not in the backup.
	Elsewhere []string `json:"elsewhere,omitempty"`
}

// ManifestCity tells what a backup holds of one city.
type ManifestCity struct {
	Code    string           `json:"code"`
	Version int              `json:"version"`
	Rows    map[string]int64 `json:"rows"` // by table
	Grants  []grant          `json:"grants"`
}

// archiveWriter writes a backup beside its final name, to which it moves when it is whole and on disk.
type archiveWriter struct {
	file *os.File
	path string
	sums bytes.Buffer
}

func newArchive(path string) (*archiveWriter, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return nil, fault.Invalid("file", "cannot_write", "the backup cannot be written beside %s: %v", path, err)
	}
	return &archiveWriter{file: f, path: path}, nil
}

// add appends an entry whose length is known only once content has run out: its header is written last.
func (a *archiveWriter) add(name string, at time.Time, content func(io.Writer) error) error {
	start, err := a.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := a.file.Write(make([]byte, tarBlock)); err != nil {
		return err
	}
	sum := sha256.New()
	count := &counter{}
	if err := content(io.MultiWriter(a.file, sum, count)); err != nil {
		return err
	}
	if pad := -count.n & (tarBlock - 1); pad > 0 {
		if _, err := a.file.Write(make([]byte, pad)); err != nil {
			return err
		}
	}
	var head bytes.Buffer
	header := tar.Header{Name: name, Mode: 0o600, Size: count.n, ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatGNU}
	if err := tar.NewWriter(&head).WriteHeader(&header); err != nil {
		return err
	}
	if head.Len() != tarBlock {
		return fmt.Errorf("tar header of %s has %d bytes", name, head.Len())
	}
	if _, err := a.file.WriteAt(head.Bytes(), start); err != nil {
		return err
	}
	fmt.Fprintf(&a.sums, "%x  %s\n", sum.Sum(nil), name)
	return nil
}

const tarBlock = 512

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// finish writes the sums and the end, brings all to disk and gives the file its name.
func (a *archiveWriter) finish(at time.Time) error {
	sums := bytes.Clone(a.sums.Bytes())
	err := a.add(sumsName, at, func(w io.Writer) error {
		_, err := w.Write(sums)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := a.file.Write(make([]byte, 2*tarBlock)); err != nil {
		return err
	}
	if err := a.file.Sync(); err != nil {
		return err
	}
	if err := a.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(a.file.Name(), a.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(a.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// discard removes what finish has not given its name.
func (a *archiveWriter) discard() error {
	_ = a.file.Close() // may be closed
	if err := os.Remove(a.file.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func damaged(path, format string, args ...any) error {
	return fault.Invalid("file", "backup_damaged", "%s is no whole backup of gridgov: %s; use another copy", path, fmt.Sprintf(format, args...))
}

// readArchive reads a backup to its end, checks its sums and returns its manifest. dump, when given, gets the dump's
// content.
func readArchive(path string, dump func(io.Reader) error) (Manifest, error) {
	var m Manifest
	f, err := os.Open(path)
	if err != nil {
		return m, fault.Invalid("file", "cannot_read", "the backup cannot be read: %v", err)
	}
	defer f.Close()
	archive := tar.NewReader(f)
	var sums bytes.Buffer
	entry := func(name string, read func(io.Reader) error) error {
		h, err := archive.Next()
		if err != nil {
			return damaged(path, "%s is missing (%v)", name, err)
		}
		if h.Name != name || h.Typeflag != tar.TypeReg {
			return damaged(path, "%.60q stands where %s should", h.Name, name)
		}
		sum := sha256.New()
		if err := read(io.TeeReader(archive, sum)); err != nil {
			return err
		}
		if _, err := io.Copy(sum, archive); err != nil { //nolint:gosec // only its digest is made, nothing is kept
			return damaged(path, "%s ends early", name)
		}
		return writeSum(&sums, sum, name)
	}
	err = entry(manifestName, func(r io.Reader) error {
		b, err := io.ReadAll(io.LimitReader(r, maxManifest))
		if err != nil {
			return damaged(path, "the manifest ends early")
		}
		if err := json.Unmarshal(b, &m); err != nil {
			return damaged(path, "the manifest cannot be read")
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	if m.Format < 1 || m.Format > archiveFormat {
		return m, fault.Invalid("file", "backup_newer", "%s was made by a newer gridgov (format %d): restore it with that", path, m.Format)
	}
	if dump == nil {
		dump = func(io.Reader) error { return nil }
	}
	if err := entry(dumpName, dump); err != nil {
		return m, err
	}
	want := bytes.Clone(sums.Bytes())
	var got []byte
	err = entry(sumsName, func(r io.Reader) (err error) {
		if got, err = io.ReadAll(io.LimitReader(r, 1<<16)); err != nil {
			return damaged(path, "the sums end early")
		}
		return nil
	})
	if err == nil && !bytes.Equal(got, want) {
		err = damaged(path, "its content does not have the sums that it was written with")
	}
	return m, err
}

func writeSum(w io.Writer, sum hash.Hash, name string) error {
	_, err := fmt.Fprintf(w, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), name)
	return err
}
