package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
)

// idleTime is how long a connection of a city may lie idle: cities sleep, and a node serves many.
const idleTime = 5 * time.Minute

// CityPool returns the pool that logs in as the city's role, with search_path set to the city's schema and public. There
// is one a city: each call gives the same, and Close of the Database closes it. It starts empty, holds at most
// Options.CityConns connections and shares Options.TotalConns with the other cities' pools; when those are used up,
// connections of other cities are closed as soon as they are idle.
func (d *Database) CityPool(ctx context.Context, city City) (*pgxpool.Pool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if pool := d.pools[city.Code]; pool != nil {
		return pool, nil
	}
	cfg, err := ownerConfig(d.ownerURL(city))
	if err != nil {
		return nil, err
	}
	var password string
	err = d.owner.QueryRow(ctx, "SELECT password FROM registry.login WHERE role = $1", city.Role).Scan(&password)
	if errors.Is(err, pgx.ErrNoRows) {
		// Backups leave passwords out, and Restore cannot make one on another server.
		return nil, fault.Unavailable("no_login", "the registry has no password for role %s: give it one on its server (ALTER ROLE) and in registry.login", city.Role)
	} else if err != nil {
		return nil, err
	}
	cfg.ConnConfig.User, cfg.ConnConfig.Password = city.Role, password
	cfg.ConnConfig.RuntimeParams["search_path"] = ident(city.Code) + ", public"
	cfg.ConnConfig.RuntimeParams["application_name"] = "gridgov " + city.Code
	cfg.MaxConns, cfg.MaxConnIdleTime = d.opts.CityConns, idleTime
	cfg.AfterRelease = func(*pgx.Conn) bool { return d.waiting.Load() == 0 }
	d.countConnections(cfg.ConnConfig)
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return nil, err
	}
	d.pools[city.Code] = pool
	return pool, nil
}

func (d *Database) ownerURL(city City) string {
	if city.Conn != "" {
		return city.Conn
	}
	return d.url
}

// countConnections makes each network connection hold one slot from before it is dialled until it is closed, whoever
// closes it and why.
func (d *Database) countConnections(cfg *pgx.ConnConfig) {
	dial := cfg.DialFunc
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !d.slots.TryAcquire(1) {
			if err := d.waitForSlot(ctx); err != nil {
				return nil, err
			}
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			d.slots.Release(1)
			return nil, err
		}
		return &countedConn{Conn: conn, release: func() { d.slots.Release(1) }}, nil
	}
}

// waitForSlot waits for one of the cities' connections to be closed, and sees to it: idle ones at once, those at work when
// they are given back, as AfterRelease closes them while somebody waits.
func (d *Database) waitForSlot(ctx context.Context) error {
	d.waiting.Add(1)
	defer d.waiting.Add(-1)
	d.mu.Lock()
	for _, p := range d.pools {
		p.Reset()
	}
	d.mu.Unlock()
	return d.slots.Acquire(ctx, 1)
}

type countedConn struct {
	net.Conn
	once    sync.Once
	release func()
}

func (c *countedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.release)
	return err
}

// Read runs work in a read-only transaction that sees one state of the database. When the connection turns out to be
// stale, as after a restart of the database, it runs work once more on a fresh one: work may run twice and must not keep
// what it read in a failed run.
func Read(ctx context.Context, pool *pgxpool.Pool, work func(tx pgx.Tx) error) error {
	read := func() error {
		return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, work)
	}
	err := read()
	if err == nil || ctx.Err() != nil || !Disconnected(err) {
		return err
	}
	pool.Reset() // the others are as stale
	return read()
}

// Disconnected reports whether the error means that the connection to the database was lost or refused, so that the same
// read may succeed on another.
func Disconnected(err error) bool {
	switch s := state(err); {
	case s == "57P01", s == "57P02", s == "57P03", len(s) == 5 && s[:2] == "08": // shutdown, crash, starting; connection exceptions
		return true
	case s != "":
		return false
	}
	var netErr net.Error
	var connectErr *pgconn.ConnectError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &netErr) || errors.As(err, &connectErr) || pgconn.SafeToRetry(err)
}
