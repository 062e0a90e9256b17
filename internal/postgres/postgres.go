// Package postgres keeps the databases: the private cluster, the registry of cities, each city's schema with a role and
// a pool of its own, migrations, backup and restore.
//
// A city is a schema. The owner (the role of the URL given to Connect) makes schemas, roles and tables; serving goes
// through CityPool, which logs in as the city's role and can reach that schema alone.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgserver"
)

// Options bound what a Database takes from its server. Zero fields have the defaults told at them.
type Options struct {
	OwnerConns int32 // most connections as the owner; 4
	CityConns  int32 // most connections of one city's pool; 8
	TotalConns int32 // most connections of all cities' pools together; half the server's max_connections
}

// Database is the owner's hold on one PostgreSQL database with PostGIS.
type Database struct {
	url     string
	opts    Options
	owner   *pgxpool.Pool
	slots   *semaphore.Weighted // one a connection of the cities' pools
	waiting atomic.Int32        // how many connections wait for a slot

	mu    sync.Mutex
	pools map[string]*pgxpool.Pool // of cities, by code
}

// Connect opens the database as its owner, who must be able to make schemas and roles, and sees to it that PostGIS
// and btree_gist are in public. It fails with a fault that says what to do when the server cannot be reached, is too old,
// is not UTF-8 or lacks one of the two.
func Connect(ctx context.Context, databaseURL string, opts Options) (*Database, error) {
	cfg, err := ownerConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	if opts.OwnerConns <= 0 {
		opts.OwnerConns = 4
	}
	if opts.CityConns <= 0 {
		opts.CityConns = 8
	}
	cfg.MaxConns = opts.OwnerConns
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	d := &Database{url: databaseURL, opts: opts, owner: pool, pools: map[string]*pgxpool.Pool{}}
	if err := d.prepare(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return d, nil
}

// ownerConfig parses a URL; pools start empty.
func ownerConfig(databaseURL string) (*pgxpool.Config, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		// The URL may hold a password: it is not repeated.
		return nil, fault.Invalid("database", "bad_database_url", "the database is not a URL such as postgres://user:password@host:5432/gridgov")
	}
	cfg, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fault.Invalid("database", "bad_database_url", "the database URL cannot be read: check its user, host, port and parameters")
	}
	cfg.MinConns, cfg.MinIdleConns = 0, 0
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "gridgov"
	}
	return cfg, nil
}

func (d *Database) prepare(ctx context.Context) error {
	var version, maxConns int
	var encoding string
	err := d.owner.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('max_connections')::int,
		current_setting('server_encoding')`).Scan(&version, &maxConns, &encoding)
	if err != nil {
		return unreachable(err)
	}
	if version/10000 < pgserver.MinMajor {
		return fault.Invalid("database", "postgresql_too_old", "the server is PostgreSQL %d; %d or newer is needed", version/10000, pgserver.MinMajor)
	}
	if encoding != "UTF8" {
		return fault.Invalid("database", "bad_encoding", "the database's encoding is %s; make one with ENCODING 'UTF8'", encoding)
	}
	if d.opts.TotalConns <= 0 {
		d.opts.TotalConns = max(2, int32(maxConns/2))
	}
	d.slots = semaphore.NewWeighted(int64(d.opts.TotalConns))
	return ensureExtensions(ctx, d.owner)
}

// extension is one that cities' tables need in public.
type extension struct {
	name, title string
	code        string // of faults: no_CODE, CODE_elsewhere
	install     string // what to install where the server lacks it
	grant       string // what the owner needs to add it
}

var extensions = []extension{
	{name: "postgis", title: "PostGIS", code: "postgis", install: fmt.Sprintf("postgresql-%d-postgis-3", pgserver.MinMajor), grant: "a superuser"},
	{name: "btree_gist", title: "the extension btree_gist", code: "btree_gist", install: "postgresql-contrib (of Debian it is part of postgresql)",
		grant: "a superuser, or whoever may create in the database (it is trusted),"},
}

// Two nodes that start at once may both find one missing: they take turns.
func ensureExtensions(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('gridgov postgis', 0))"); err != nil {
			return err
		}
		for _, e := range extensions {
			if err := e.ensure(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *extension) ensure(ctx context.Context, tx pgx.Tx) error {
	var schema *string
	err := tx.QueryRow(ctx, `SELECT (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE e.extname = $1)`, e.name).Scan(&schema)
	if err != nil {
		return err
	}
	if schema != nil {
		if *schema != "public" {
			return fault.Invalid("database", e.code+"_elsewhere", "%s is in schema %s; gridgov needs it in public: ALTER EXTENSION %s SET SCHEMA public, where it can be moved", e.title, *schema, e.name)
		}
		return nil
	}
	_, err = tx.Exec(ctx, "CREATE EXTENSION "+e.name+" SCHEMA public")
	switch state(err) {
	case "0A000", "58P01": // feature_not_supported, undefined_file: not installed
		return fault.Unavailable("no_"+e.code, "%s is not installed on the server: install its package, for instance %s", e.title, e.install)
	case "42501": // insufficient_privilege
		return fault.Forbidden("no_"+e.code, "the database has not got %s and its owner may not add it: let %s run CREATE EXTENSION %s SCHEMA public", e.title, e.grant, e.name)
	}
	return err
}

// Owner returns the owner's pool, for the work that no city's role may do. It is closed with the Database.
func (d *Database) Owner() *pgxpool.Pool { return d.owner }

// URL returns what Connect was given. It may hold a password.
func (d *Database) URL() string { return d.url }

// Close closes all pools, those of cities too, and waits until their connections are given back.
func (d *Database) Close() {
	d.mu.Lock()
	pools := d.pools
	d.pools = map[string]*pgxpool.Pool{}
	d.mu.Unlock()
	for _, p := range pools {
		p.Close()
	}
	d.owner.Close()
}

// unreachable tells a user why there is no connection, without the address's secrets.
func unreachable(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	switch state(err) {
	case "28P01", "28000": // invalid_password, invalid_authorization_specification
		return fault.Forbidden("database_refused", "the database refuses the login: check user and password of the database URL")
	case "3D000": // invalid_catalog_name
		return fault.NotFound("the server has no such database: create it, or mend the name in the database URL")
	case "57P03": // cannot_connect_now
		return fault.Unavailable("database_starting", "the database is starting or stopping: try again in a moment")
	case "53300": // too_many_connections
		return fault.Unavailable("database_full", "the database takes no more connections: raise max_connections or end idle clients")
	case "":
		return fmt.Errorf("%w (%w)", fault.Unavailable("database_unreachable", "the database cannot be reached: is it running, are host and port right?"), err)
	}
	return err
}

// state returns the SQLSTATE in the error's chain, or "".
func state(err error) string {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr.Code
	}
	return ""
}

// ident quotes a name for SQL. Codes are checked, yet a code may be a word of SQL: a city may be called user.
func ident(name string) string { return pgx.Identifier{name}.Sanitize() }
