package postgres

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// lease is a shared lock on the cluster's file lease: the kernel gives it back when the process ends, even by kill -9.
type lease struct{ file *os.File }

func takeLease(ctx context.Context, p place) (*lease, error) {
	f, err := openLock(p.file("lease"))
	if err != nil {
		return nil, err
	}
	// Somebody who asks whether he is the last holds it exclusively, for a moment.
	if err := flock(ctx, f, syscall.LOCK_SH); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &lease{file: f}, nil
}

func (l *lease) release() error { return l.file.Close() }

// releaseIfLast gives the lease back and reports whether it was the last.
func (l *lease) releaseIfLast() (bool, error) {
	err := syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, l.release()
	}
	return err == nil, errors.Join(err, l.release())
}

// leaseFree reports whether no process holds a lease.
func leaseFree(p place) (bool, error) {
	f, err := os.Open(p.file("lease"))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	l := lease{file: f}
	return l.releaseIfLast()
}

// lockFile holds the file exclusively until unlock is called.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := openLock(path)
	if err != nil {
		return nil, err
	}
	if err := flock(ctx, f, syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil // closing a file that was not written gives the lock back
}

func openLock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
}

// flock waits for the lock by trying, as a wait in the kernel could not be given up when ctx ends.
func flock(ctx context.Context, f *os.File, how int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
