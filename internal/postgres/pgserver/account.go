package pgserver

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"gridgov/internal/fault"
)

// Self is this process's own account, for programs that do not mind being run by root.
var Self = Account{}

// Account is whom the server runs as: the user who asks, or for root, whom PostgreSQL refuses, the system's postgres.
type Account struct {
	Name     string
	uid, gid int
	other    bool // another user than the one this process runs as
}

// CurrentAccount returns the account for a server started by this process.
func CurrentAccount() (Account, error) {
	if os.Geteuid() != 0 {
		return Account{Name: "uid " + strconv.Itoa(os.Geteuid()), uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return Account{}, fault.Unavailable("no_postgres_user",
			"PostgreSQL does not run as root and the system has no user postgres: install the postgresql package, or start gridgov as another user")
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return Account{}, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return Account{}, err
	}
	return Account{Name: u.Username, uid: uid, gid: gid, other: true}, nil
}

// Other reports whether the server runs as another user than this process.
func (a Account) Other() bool { return a.other }

func (a Account) apply(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if a.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}

// Own hands a file or folder that this process made to the account.
func (a Account) Own(path string) error {
	if !a.other {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// MkdirAll makes the last folder of the path with mode 0700 for the account, and those missing above it with 0755 whatever
// the umask, as the account must pass through them.
func (a Account) MkdirAll(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	parent := filepath.Dir(path)
	var missing []string
	for dir := parent; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		missing = append(missing, dir)
	}
	if err := os.MkdirAll(parent, 0o755); err != nil { //nolint:gosec // PostgreSQL runs as another user and has to pass through
		return err
	}
	for _, dir := range missing {
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // likewise
			return err
		}
	}
	// Another process may make it at the same time, and must never see it before it is the account's: it is made under a
	// name of its own and moved there.
	fresh, err := os.MkdirTemp(parent, filepath.Base(path)+".new") // of mode 0700
	if err != nil {
		return err
	}
	if err = a.Own(fresh); err == nil {
		err = os.Rename(fresh, path)
	}
	if err == nil {
		return nil
	}
	err = errors.Join(err, os.RemoveAll(fresh))
	if errors.Is(err, fs.ErrExist) {
		return nil // the other was first
	}
	return err
}

// WriteFile writes a file of mode 0600 that the account owns.
func (a Account) WriteFile(path string, content []byte) error {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	return a.Own(path)
}

// CanEnter reports whether the account may change into the folder. It asks by trying, as modes, ACLs and mount options
// all have a say.
func (a Account) CanEnter(dir string) bool {
	cmd := exec.Command("/bin/sh", "-c", `cd -- "$1"`, "sh", dir)
	cmd.Dir = "/"
	a.apply(cmd)
	return cmd.Run() == nil
}

// WorksIn reports whether a process of the account has the folder as its current one, as each process of a server has its
// data folder. A number in postmaster.pid says less: it may have gone to a stranger since.
func (a Account) WorksIn(dir string) bool {
	target, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is well formed
	if a.other {
		// In a container root may not look into another user's processes: let the account look into its own.
		cmd := exec.Command("readlink", append([]string{"--"}, links...)...)
		cmd.Dir = "/"
		a.apply(cmd)
		out, _ := cmd.Output() // fails on the processes of others, and tells of its own
		return slices.Contains(strings.Split(string(out), "\n"), target)
	}
	return slices.ContainsFunc(links, func(link string) bool {
		cwd, err := os.Readlink(link)
		return err == nil && cwd == target
	})
}
