package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgserver"
)

// place is where a cluster lies and whom it belongs to.
type place struct {
	dir     string // absolute; holds data, locks and the log of starts
	socket  string // folder of the socket
	account pgserver.Account
}

func (p place) file(name string) string { return filepath.Join(p.dir, name) }
func (p place) data() string            { return p.file("data") }

func (p place) url(database string) string {
	return "postgres://" + pgserver.Superuser + "@/" + database + "?host=" + url.QueryEscape(p.socket)
}

// systemDir holds the clusters of root, where the server's user cannot enter the folder that was asked for.
const systemDir = "/var/lib/gridgov"

// locate decides where the cluster of a data folder lies: in its subfolder postgres or, for root, when the server's user
// may not enter there, in a folder of systemDir that is named after it.
func locate(dir string, say func(string)) (place, error) {
	account, err := pgserver.CurrentAccount()
	if err != nil {
		return place{}, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return place{}, err
	}
	p := place{dir: filepath.Join(abs, "postgres"), account: account}
	if account.Other() {
		sum := sha256.Sum256([]byte(abs))
		moved := filepath.Join(systemDir, strings.Trim(filepath.Base(abs), ".")+"-"+hex.EncodeToString(sum[:4]))
		_, here := os.Stat(p.data())
		_, there := os.Stat(filepath.Join(moved, "data"))
		switch enter := account.CanEnter(existing(p.dir)); {
		case here == nil && !enter:
			return place{}, fault.Forbidden("cluster_closed", "user %s, as whom PostgreSQL runs, can no longer enter %s: open the folders above it (chmod o+x)", account.Name, p.dir)
		case here != nil && (there == nil || !enter):
			say(fmt.Sprintf("user %s, as whom PostgreSQL runs for root, cannot enter %s: the database lies in %s", account.Name, abs, moved))
			p.dir = moved
		}
	}
	p.socket = p.file("socket")
	if !pgserver.SocketPathFits(p.socket) {
		sum := sha256.Sum256([]byte(p.dir))
		p.socket = filepath.Join("/tmp", fmt.Sprintf("gridgov-%d-%s", os.Geteuid(), hex.EncodeToString(sum[:4])))
	}
	return p, nil
}

// existing returns the lowest folder of the path that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// make makes the folders. Each admits the server's user alone; one that is another's is refused, as it could be a trap.
func (p place) make() error {
	for _, dir := range []string{p.dir, p.socket} {
		if err := p.account.MkdirAll(dir); err != nil {
			return fault.Forbidden("no_data_folder", "the folder %s cannot be made: %v", dir, err)
		}
		if err := p.account.CheckPrivate(dir); err != nil {
			return err
		}
	}
	return nil
}

// removeLocks removes what a server that is gone has left behind. The number in these files may be a stranger's by now, or
// that of a dead process which nobody has waited for; PostgreSQL would take either for itself and not start.
func (p place) removeLocks() error {
	for _, path := range []string{
		filepath.Join(p.data(), "postmaster.pid"),
		filepath.Join(p.socket, ".s.PGSQL.5432.lock"),
		filepath.Join(p.socket, ".s.PGSQL.5432"),
	} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lastWords returns the last lines of the server's newest log, which say why it did not start.
func (p place) lastWords() string {
	logs, _ := filepath.Glob(p.file("log/*.log")) // the pattern is well formed
	var newest string
	var at time.Time
	for _, path := range logs {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
	}
	b, err := os.ReadFile(newest)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}
