// Package pgserver finds the system's PostgreSQL, makes data folders and runs servers on them.
//
// It knows processes and files only. Who may share a server and when it stops is decided by postgres.Cluster for the
// product and by pgtest for tests.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gridgov/internal/fault"
)

// MinMajor is the oldest PostgreSQL that works: CREATE DATABASE … STRATEGY and NULLS NOT DISTINCT came with it.
const MinMajor = 15

// Install is one PostgreSQL on this machine.
type Install struct {
	Bin   string // folder that holds initdb, postgres, pg_ctl, pg_dump, pg_restore
	Major int
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// Find returns the PostgreSQL in bin, or when bin is empty the newest of those that Debian's packages, other
// distributions' and the PATH offer. The error says what to install.
func Find(ctx context.Context, bin string) (Install, error) {
	if bin != "" {
		in, err := inspect(ctx, bin, serverPrograms)
		if err != nil {
			return Install{}, fault.Invalid("PG_BIN", "no_postgresql", "PG_BIN=%s holds no usable PostgreSQL: %v; name the folder of initdb and postgres", bin, err)
		}
		if in.Major < MinMajor {
			return Install{}, fault.Invalid("PG_BIN", "postgresql_too_old", "PG_BIN=%s is PostgreSQL %d; %d or newer is needed", bin, in.Major, MinMajor)
		}
		return in, nil
	}
	best := newest(ctx, serverPrograms)
	if err := ctx.Err(); err != nil {
		return Install{}, err
	}
	if best.Major < MinMajor {
		return Install{}, fault.Unavailable("no_postgresql",
			"PostgreSQL %d or newer is not installed: run scripts/setup.sh, or apt-get install postgresql postgresql-15-postgis-3, or set PG_BIN to the folder of initdb, or name a server with --database", MinMajor)
	}
	return best, nil
}

// The programs that an installation must have, the one that is asked for its version first. A machine whose database is
// elsewhere has the client's alone.
var (
	serverPrograms = []string{"initdb", "postgres", "pg_ctl"}
	clientPrograms = []string{"pg_dump", "pg_restore"}
)

// FindClient returns an installation, in bin or of the system, whose pg_dump and pg_restore work with a server of the
// major version: those of the same version if they are there, else the newest.
func FindClient(ctx context.Context, bin string, major int) (Install, error) {
	var in Install
	if bin != "" {
		in, _ = inspect(ctx, bin, clientPrograms) // else Major is 0, which is too old
	} else {
		for _, dir := range candidates() {
			if same, err := inspect(ctx, dir, clientPrograms); err == nil && same.Major == major {
				return same, nil
			}
		}
		in = newest(ctx, clientPrograms)
	}
	if err := ctx.Err(); err != nil {
		return Install{}, err
	}
	if in.Major < major {
		return Install{}, fault.Unavailable("no_postgresql_client",
			"pg_dump and pg_restore of PostgreSQL %d or newer are needed for this server: install postgresql-client-%d, or set PG_BIN to their folder", major, major)
	}
	return in, nil
}

func newest(ctx context.Context, programs []string) (best Install) {
	for _, dir := range candidates() {
		if in, err := inspect(ctx, dir, programs); err == nil && in.Major > best.Major {
			best = in
		}
	}
	return best
}

func candidates() []string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is constant: no error is possible
	more, _ := filepath.Glob("/usr/pgsql-*/bin")
	dirs = append(dirs, more...)
	for _, name := range []string{"initdb", "pg_dump"} {
		if p, err := exec.LookPath(name); err == nil {
			if p, err = filepath.EvalSymlinks(p); err == nil {
				dirs = append(dirs, filepath.Dir(p))
			}
		}
	}
	return dirs
}

func inspect(ctx context.Context, dir string, programs []string) (Install, error) {
	for _, name := range programs {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return Install{}, err
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, programs[0]), "--version").Output()
	if err != nil {
		return Install{}, err
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return Install{}, fmt.Errorf("%s --version says %q", programs[0], out)
	}
	major, err := strconv.Atoi(string(m[1]))
	return Install{Bin: dir, Major: major}, err
}

// Command prepares one of the installation's programs to run as the account, away from the caller's folder and without
// the caller's PG* variables, which would point it at another server.
func (in Install) Command(ctx context.Context, as Account, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(in.Bin, name), args...)
	cmd.Dir = "/"
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C.UTF-8")
	as.apply(cmd)
	return cmd
}

// Run runs one of the installation's programs to its end; the error carries what it printed.
func (in Install) Run(ctx context.Context, as Account, name string, args ...string) error {
	out, err := in.Command(ctx, as, name, args...).CombinedOutput()
	if err != nil {
		if ctxErr := ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// InitDB makes a data folder whose superuser is postgres. Over the socket the superuser is trusted (the socket's folder
// admits its owner alone), every other role needs its password, as on a server elsewhere.
func (in Install) InitDB(ctx context.Context, as Account, dataDir string, extra ...string) error {
	args := append([]string{"-D", dataDir, "-U", Superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"}, extra...)
	if err := in.Run(ctx, as, "initdb", args...); err != nil {
		return err
	}
	const hba = "local all " + Superuser + " trust\nlocal all all scram-sha-256\n"
	return as.WriteFile(filepath.Join(dataDir, "pg_hba.conf"), []byte(hba))
}

// Superuser is the role that owns everything in a private cluster.
const Superuser = "postgres"

// MaxSocketPath is how many bytes the path of a Unix socket may have on Linux.
const MaxSocketPath = 107

// SocketPathFits reports whether the server's socket in the folder has a path short enough.
func SocketPathFits(dir string) bool {
	return len(filepath.Join(dir, ".s.PGSQL.5432")) <= MaxSocketPath
}

// DataMajor reads which major version made a data folder. A folder without one answers os.ErrNotExist.
func DataMajor(dataDir string) (int, error) {
	b, err := os.ReadFile(filepath.Join(dataDir, "PG_VERSION"))
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, errors.New("PG_VERSION is not a number: the data folder is damaged")
	}
	return major, nil
}
