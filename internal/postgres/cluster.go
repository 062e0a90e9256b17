package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgserver"
)

// ClusterOptions say where a private cluster lives.
type ClusterOptions struct {
	Dir   string       // the data folder (--data); it holds the cluster in postgres/
	PGBin string       // folder of initdb and postgres; empty: the system's newest that fits the data
	Say   func(string) // told in one line each of what is done and where; may be nil
}

// Cluster is a PostgreSQL server of this product's own: it listens on a socket in a folder that admits its owner alone,
// and on no network address. Processes share it by leases: who needs it starts it if it is not running, and who leaves
// last stops it. A lease is a file lock, so it ends with its process, however that ends.
type Cluster struct {
	place   place
	install pgserver.Install
	say     func(string)
	lease   *lease
}

// databaseName is the one database of a private cluster.
const databaseName = "gridgov"

// Start takes a lease on the cluster in opts.Dir, makes it if there is none, starts it if it is not running (stopped,
// crashed, or left behind by a machine that lost power) and returns when it takes connections and has its database.
func Start(ctx context.Context, opts ClusterOptions) (*Cluster, error) {
	c, err := find(ctx, opts)
	if err != nil {
		return nil, err
	}
	if c.install, err = installFor(ctx, c.place, opts.PGBin); err != nil {
		return nil, err
	}
	if err := c.place.make(); err != nil {
		return nil, err
	}
	if c.lease, err = takeLease(ctx, c.place); err != nil {
		return nil, err
	}
	if err := c.Ensure(ctx); err != nil {
		return nil, errors.Join(err, c.lease.release())
	}
	return c, nil
}

// Ensure starts the server again if it is not running, as after a crash or an upgrade of its package.
func (c *Cluster) Ensure(ctx context.Context) error {
	unlock, err := lockFile(ctx, c.place.file("starting"))
	if err != nil {
		return err
	}
	defer unlock()
	running, err := c.awaitEarlier(ctx)
	if err != nil {
		return err
	}
	if running {
		return c.ensureDatabase(ctx)
	}
	if _, err := pgserver.DataMajor(c.place.data()); errors.Is(err, fs.ErrNotExist) {
		if err := c.create(ctx); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	c.say("starting PostgreSQL " + fmt.Sprint(c.install.Major) + " in " + c.place.dir)
	if err := c.configure(); err != nil {
		return err
	}
	if err := c.install.StartDetached(ctx, c.place.account, c.place.data(), c.place.file("start.log")); err != nil {
		return fault.Unavailable("cluster_not_started", "PostgreSQL does not start in %s: %v\n%s", c.place.dir, err, c.place.lastWords())
	}
	return c.ensureDatabase(ctx)
}

// awaitEarlier reports whether a server answers. One that is there but does not answer is still recovering, stopping, or
// is what its crash has left: starting beside it would fail, so that its end or its answer is waited for.
func (c *Cluster) awaitEarlier(ctx context.Context) (bool, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for said := false; ; said = true {
		if answers(ctx, c.place.url("postgres")) == nil {
			return true, nil
		}
		if !c.place.account.WorksIn(c.place.data()) {
			return false, c.place.removeLocks()
		}
		if !said {
			c.say("waiting for PostgreSQL in " + c.place.dir + ", which is starting or stopping")
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-tick.C:
		}
	}
}

// Keep looks every interval whether the server answers and starts it again when it does not, until ctx ends. failed, when
// given, is told why it could not.
func (c *Cluster) Keep(ctx context.Context, interval time.Duration, failed func(error)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if answers(ctx, c.place.url("postgres")) == nil || ctx.Err() != nil {
			continue
		}
		if err := c.Ensure(ctx); err != nil && failed != nil && ctx.Err() == nil {
			failed(err)
		}
	}
}

// create makes the data folder under another name first, so that one that was cut short is never taken for whole.
func (c *Cluster) create(ctx context.Context) error {
	c.say("making a database cluster in " + c.place.dir)
	fresh := c.place.file("data.new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := c.install.InitDB(ctx, c.place.account, fresh, "--data-checksums"); err != nil {
		return fault.Unavailable("cluster_not_made", "no database cluster could be made in %s: %v", c.place.dir, err)
	}
	return os.Rename(fresh, c.place.data())
}

// configure writes our settings anew at each start, fitted to this machine. Settings made by ALTER SYSTEM go before them.
func (c *Cluster) configure() error {
	main := filepath.Join(c.place.data(), "postgresql.conf")
	conf, err := os.ReadFile(main)
	if err != nil {
		return err
	}
	const include = "include = '" + confName + "'"
	if !hasLine(conf, include) {
		conf = append(conf, []byte("\n# Settings that gridgov writes at each start; use ALTER SYSTEM to overrule them.\n"+include+"\n")...)
		if err := c.place.account.WriteFile(main, conf); err != nil {
			return err
		}
	}
	return c.place.account.WriteFile(filepath.Join(c.place.data(), confName), []byte(serverSettings(c.place.socket, totalMemory())))
}

func (c *Cluster) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.place.url("postgres"))
	if err != nil {
		return unreachable(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", databaseName).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+databaseName)
	}
	return err
}

// URL returns the owner's URL of the cluster's database.
func (c *Cluster) URL() string { return c.place.url(databaseName) }

// Dir returns where the cluster lies, which need not be where it was asked for (see Start's message).
func (c *Cluster) Dir() string { return c.place.dir }

// Release gives the lease back and stops the server unless another process holds a lease or StayUp was called.
func (c *Cluster) Release(ctx context.Context) error {
	unlock, err := lockFile(ctx, c.place.file("starting"))
	if err != nil {
		return errors.Join(err, c.lease.release())
	}
	defer unlock()
	last, err := c.lease.releaseIfLast()
	if err != nil || !last {
		return err
	}
	if _, err := os.Stat(c.place.file("stay")); err == nil {
		return nil
	}
	return c.stop(ctx)
}

// StayUp lets the server run on after the last lease is given back, until Stop: gridgov db start.
func (c *Cluster) StayUp() error {
	return c.place.account.WriteFile(c.place.file("stay"), nil)
}

func (c *Cluster) stop(ctx context.Context) error {
	c.say("stopping PostgreSQL in " + c.place.dir)
	if err := c.install.StopDetached(ctx, c.place.account, c.place.data()); err != nil {
		return err
	}
	// PostgreSQL says that it has stopped a moment before its process is gone: who looks next is to find none.
	for end := time.Now().Add(lingers); c.place.account.WorksIn(c.place.data()) && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// lingers is for how long a server that has stopped is waited for.
const lingers = 10 * time.Second

// Stop stops the server in opts.Dir and returns whether it was running. While a process holds a lease, Stop refuses.
func Stop(ctx context.Context, opts ClusterOptions) (bool, error) {
	c, err := find(ctx, opts)
	if err != nil {
		return false, err
	}
	if _, err := os.Stat(c.place.data()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if c.install, err = installFor(ctx, c.place, opts.PGBin); err != nil {
		return false, err
	}
	unlock, err := lockFile(ctx, c.place.file("starting"))
	if err != nil {
		return false, err
	}
	defer unlock()
	if err := os.Remove(c.place.file("stay")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	free, err := leaseFree(c.place)
	if err != nil {
		return false, err
	}
	if !free {
		return false, fault.Conflict("cluster_in_use", "the database in %s is in use by another gridgov process: stop that first; the database then stops with it", c.place.dir)
	}
	if !c.place.account.WorksIn(c.place.data()) {
		return false, nil
	}
	return true, c.stop(ctx)
}

// ClusterStatus is what can be told of a cluster without touching it.
type ClusterStatus struct {
	Dir     string // where it lies
	Exists  bool
	Major   int // of the PostgreSQL that made it; 0 when it does not exist
	Running bool
	InUse   bool // a process holds a lease
	StaysUp bool // it was started to stay
	URL     string
}

// Status tells of the cluster in opts.Dir.
func Status(ctx context.Context, opts ClusterOptions) (ClusterStatus, error) {
	c, err := find(ctx, opts)
	if err != nil {
		return ClusterStatus{}, err
	}
	s := ClusterStatus{Dir: c.place.dir, URL: c.place.url(databaseName)}
	s.Major, err = pgserver.DataMajor(c.place.data())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return s, err
	}
	s.Exists = true
	s.Running = answers(ctx, c.place.url("postgres")) == nil
	free, err := leaseFree(c.place)
	s.InUse = !free
	_, stay := os.Stat(c.place.file("stay"))
	s.StaysUp = stay == nil
	return s, err
}

func find(ctx context.Context, opts ClusterOptions) (*Cluster, error) {
	say := opts.Say
	if say == nil {
		say = func(string) {}
	}
	p, err := locate(opts.Dir, say)
	if err != nil {
		return nil, err
	}
	return &Cluster{place: p, say: say}, ctx.Err()
}

// installFor finds the PostgreSQL that can run the data that is there, or the newest for a new cluster.
func installFor(ctx context.Context, p place, bin string) (pgserver.Install, error) {
	major, err := pgserver.DataMajor(p.data())
	if errors.Is(err, fs.ErrNotExist) {
		return pgserver.Find(ctx, bin)
	} else if err != nil {
		return pgserver.Install{}, err
	}
	if bin == "" {
		if in, ok := pgserver.FindMajor(ctx, major); ok {
			return in, nil
		}
	}
	in, err := pgserver.Find(ctx, bin)
	if err != nil {
		return pgserver.Install{}, err
	}
	if in.Major != major {
		return pgserver.Install{}, fault.Conflict("cluster_other_major",
			"the cluster in %s was made by PostgreSQL %d, and only %d is at hand. To upgrade: install postgresql-%d again beside it, run gridgov db backup FILE, move the folder away, set PG_BIN=%s, run gridgov db restore FILE",
			p.dir, major, in.Major, major, in.Bin)
	}
	return in, nil
}

func answers(ctx context.Context, databaseURL string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
