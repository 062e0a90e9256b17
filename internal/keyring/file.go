package keyring

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gridgov/internal/fault"
)

// maxFile is more than a file of keys rotated every day for ten years takes.
const maxFile = 1 << 20

// stamp tells two states of a file apart.
type stamp struct {
	modified time.Time
	size     int64
	inode    uint64
}

func stampOf(info fs.FileInfo) stamp {
	s := stamp{modified: info.ModTime(), size: info.Size()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	return s
}

// Open reads a key file. The error is ErrMissing when there is none. A file that others than its owner may read is
// refused: whoever read it has the keys.
func Open(path string) (*Ring, error) {
	r := &Ring{path: path}
	f, err := r.open()
	if err != nil {
		return nil, err
	}
	return r, f.Close()
}

// open reads the file into the ring and leaves it open.
func (r *Ring) open() (_ *os.File, err error) {
	f, err := os.Open(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrMissing, r.path)
	} else if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fault.Invalid("key-file", "bad_key_file", "the key file %s is no file: name one, or the place for a new one", r.path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fault.Forbidden("key_file_open",
			"the key file %s may be used by others than its owner (mode %04o): see who may have read it, then run chmod 600 on it", r.path, mode)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	keys, err := decode(b)
	if err != nil || len(b) > maxFile {
		return nil, fault.Invalid("key-file", "bad_key_file", "the key file %s cannot be read: %v; put its copy in its place", r.path, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys, r.read = keys, stampOf(info)
	return f, nil
}

// refresh reads the file again if it is another than the one read; if that cannot be done the ring stays as it is.
func (r *Ring) refresh() {
	info, err := os.Stat(r.path)
	if err != nil {
		return
	}
	r.mu.RLock()
	same := r.read == stampOf(info)
	r.mu.RUnlock()
	if same {
		return
	}
	if f, err := r.open(); err == nil {
		_ = f.Close()
	}
}

// Create makes a key file with one new key. It fails with fs.ErrExist when there is a file, and never leaves half of one.
func Create(path string) (*Ring, error) {
	if err := write(path, []key{newKey(time.Now())}, os.Link); err != nil {
		return nil, err
	}
	return Open(path)
}

// Rotate appends a new key to the file, which seals from now on. Other processes may rotate at the same time: no key is lost.
func (r *Ring) Rotate(now time.Time) error {
	if r == nil {
		return ErrNoKey
	}
	f, err := r.lock()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // and with it the lock
	r.mu.RLock()
	keys := append([]key(nil), r.keys...)
	r.mu.RUnlock()
	k := newKey(now)
	for r.Has(k.id) { // one of four billion
		k = newKey(now)
	}
	if err := write(r.path, append(keys, k), os.Rename); err != nil {
		return err
	}
	again, err := r.open()
	if err != nil {
		return err
	}
	return again.Close()
}

// lock reads the file and holds it against other processes' Rotate. The file may be replaced while it waits for the lock.
func (r *Ring) lock() (*os.File, error) {
	for {
		f, err := os.Open(r.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s", ErrMissing, r.path)
		} else if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			_ = f.Close()
			return nil, err
		}
		locked, err := f.Stat()
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		read, err := r.open()
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		_ = read.Close()
		r.mu.RLock()
		same := r.read == stampOf(locked)
		r.mu.RUnlock()
		if same {
			return f, nil
		}
		_ = f.Close()
	}
}

// write brings a whole file with the keys to its place by os.Link, which leaves one that is there, or os.Rename, and
// returns when it is on disk.
func write(path string, keys []key, place func(from, to string) error) (err error) {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if e := os.Remove(f.Name()); !errors.Is(e, fs.ErrNotExist) { // renamed
			err = errors.Join(err, e)
		}
	}()
	_, err = f.Write(encode(keys))
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
