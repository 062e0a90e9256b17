package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gridgov/internal/fault"
)

// StartDetached starts a server that outlives this process and returns when it takes connections. A crashed server's
// recovery may take minutes; ctx bounds the wait, not the server's life.
func (in Install) StartDetached(ctx context.Context, as Account, dataDir, logPath string) error {
	if err := as.WriteFile(logPath, nil); err != nil {
		return err
	}
	err := in.Run(ctx, as, "pg_ctl", "start", "-D", dataDir, "-l", logPath, "-s", "-w", "-t", "3600")
	if err == nil || ctx.Err() != nil {
		return err
	}
	log, readErr := os.ReadFile(logPath)
	if readErr != nil {
		return err
	}
	return fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(log)))
}

// StopDetached ends the server's sessions and the server, and returns when it is gone. A server that is not running is
// no error.
func (in Install) StopDetached(ctx context.Context, as Account, dataDir string) error {
	err := in.Run(ctx, as, "pg_ctl", "stop", "-D", dataDir, "-m", "fast", "-s", "-w", "-t", "3600")
	if err != nil {
		if _, statErr := os.Stat(filepath.Join(dataDir, "postmaster.pid")); errors.Is(statErr, fs.ErrNotExist) {
			return nil
		}
	}
	return err
}

// FindMajor returns an installation of exactly that major version among the system's.
func FindMajor(ctx context.Context, major int) (Install, bool) {
	for _, dir := range candidates() {
		if in, err := inspect(ctx, dir, serverPrograms); err == nil && in.Major == major {
			return in, true
		}
	}
	return Install{}, false
}

// CheckPrivate refuses a folder that is not the account's or that others may write to.
func (a Account) CheckPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(st.Uid) != a.uid || info.Mode().Perm()&0o077 != 0 {
		return fault.Forbidden("folder_not_private", "%s must be a folder of %s with mode 0700: another user's gridgov may have made it; use another --data folder", dir, a.Name)
	}
	return nil
}
