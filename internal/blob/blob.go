// Package blob keeps files by the digest of their content, each city's apart: in a folder, or in a bucket that speaks S3.
//
// What is kept never changes, so it may be kept twice and is one; whoever names a digest is given what was put, or is told
// that it is missing. A file is there whole or not at all, and is on disk before Keep returns. Which files are still wanted
// is the caller's to know.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Digest is the SHA-256 of a file's content, and its name.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Of is the digest of bytes.
func Of(b []byte) Digest { return sha256.Sum256(b) }

// DigestOf reads the bytes that a row has; false when they are no digest.
func DigestOf(b []byte) (d Digest, ok bool) { return d, copy(d[:], b) == len(d) && len(b) == len(d) }

var (
	// ErrMissing says that a file is not there: it was never put, was deleted, or did not come back with a backup.
	ErrMissing = errors.New("blob: no such file")
	// ErrTooLong says that there is more to read than may be kept.
	ErrTooLong = errors.New("blob: longer than allowed")
)

// place is where files lie, by key.
type place interface {
	// put takes the file at a path to a key, in the place of what is there. It returns when that is on disk.
	put(ctx context.Context, key, path string) error
	open(ctx context.Context, key string) (io.ReadCloser, int64, error)
	has(ctx context.Context, key string) (bool, error)
	remove(ctx context.Context, key string) error
	close() error
}

// Root is a folder or a bucket, with the files of all cities.
type Root struct {
	place
	staging string // a folder for what is on its way in, of all processes
}

// Open opens a folder, which is made where it is not there, or s3://BUCKET?region=…&endpoint=….
func Open(ctx context.Context, where string) (*Root, error) {
	if scheme, _, isURL := strings.Cut(where, "://"); isURL {
		u, err := url.Parse(where)
		if err != nil || scheme != "s3" || u.Host == "" {
			return nil, fmt.Errorf("%.100q names no place for files: give a folder, or s3://BUCKET?region=REGION", where)
		}
		bucket, err := openBucket(ctx, u)
		if err != nil {
			return nil, err
		}
		staging, err := stagingFolder()
		if err != nil {
			return nil, errors.Join(err, bucket.close())
		}
		return &Root{bucket, staging}, nil
	}
	root, err := filepath.Abs(where)
	if err != nil {
		return nil, err
	}
	staging := filepath.Join(root, ".staging") // in the same file system, so that a file is moved by its name alone
	if err := os.MkdirAll(staging, 0o700); err != nil {
		return nil, err
	}
	return &Root{folder(root), staging}, nil
}

// stagingFolder is where files lie on their way to a bucket. The processes of a machine share it, so that what one leaves when
// it is killed is found by those that come after it.
func stagingFolder() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("gridgov-photos-%d", os.Geteuid()))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	// Anybody may write beside it: what another has put there in its place is not used.
	if owner, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || info.Mode().Perm() != 0o700 || !ok || int64(owner.Uid) != int64(os.Geteuid()) {
		return "", fmt.Errorf("%s is for files on their way to the bucket and is not a folder of this user's alone (mode 0700): remove it, or name another place by TMPDIR", dir)
	}
	return dir, nil
}

// Close lets go of a bucket.
func (r *Root) Close() error { return r.close() }

// City is the store of one city.
func (r *Root) City(code string) *Store { return &Store{r, code} }

// CleanStaging removes what was on its way in when a process was killed: what has not grown since.
func (r *Root) CleanStaging(since time.Time) error {
	entries, err := os.ReadDir(r.staging)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process was quicker
		}
		if err != nil {
			return err
		}
		if info.ModTime().Before(since) {
			if err := os.Remove(filepath.Join(r.staging, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Store keeps the files of one city. It is safe for concurrent use.
type Store struct {
	root *Root
	city string
}

func (s *Store) key(d Digest) string {
	name := d.String()
	return s.city + "/" + name[:2] + "/" + name
}

// Staged is a file that was read to its end and is not kept yet. Keep or Discard ends it.
type Staged struct {
	Digest Digest
	Size   int64

	store *Store
	path  string
}

// Stage reads what is to be kept, to its end, so that its digest is known. There may be so many bytes at most: ErrTooLong.
func (s *Store) Stage(ctx context.Context, r io.Reader, most int64) (staged *Staged, err error) {
	f, err := os.CreateTemp(s.root.staging, s.city+"-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("make room for a file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(within{ctx, r}, most+1))
	switch {
	case err != nil:
		return nil, err
	case size > most:
		return nil, ErrTooLong
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("write a file to disk: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("write a file to disk: %w", err)
	}
	return &Staged{Digest(sum.Sum(nil)), size, s, f.Name()}, nil
}

// within ends reading when ctx ends.
type within struct {
	ctx context.Context
	r   io.Reader
}

func (w within) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(b)
}

// Keep takes the file to its place. When it returns without an error the file is on disk there.
func (f *Staged) Keep(ctx context.Context) error {
	err := f.store.root.put(ctx, f.store.key(f.Digest), f.path)
	f.Discard()
	if err != nil {
		return fmt.Errorf("keep file %s: %w", f.Digest, err)
	}
	return nil
}

// Discard gives up what is not kept.
func (f *Staged) Discard() {
	_ = os.Remove(f.path) // it may have been moved; what is left over CleanStaging removes
}

// Open opens a file and tells its size; ErrMissing.
func (s *Store) Open(ctx context.Context, d Digest) (io.ReadCloser, int64, error) {
	return s.root.open(ctx, s.key(d))
}

// Has tells whether a file is there.
func (s *Store) Has(ctx context.Context, d Digest) (bool, error) { return s.root.has(ctx, s.key(d)) }

// Delete removes a file; one that is not there is removed already.
func (s *Store) Delete(ctx context.Context, d Digest) error {
	if err := s.root.remove(ctx, s.key(d)); err != nil {
		return fmt.Errorf("delete file %s: %w", d, err)
	}
	return nil
}
