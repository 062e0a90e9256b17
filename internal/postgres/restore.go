package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgserver"
)

// aside stands before the names of schemas that a restore has put aside. A city's code has no underscore.
const aside = "before_restore_"

// Restore brings back the registry and the cities of a backup, whole or not at all: what is there is put aside first, and
// is back when anything fails. The cities get new roles and passwords, people have to sign in again, and feeds get a new
// epoch, so that no follower takes what comes now for what it has seen. Who told reports and was erased in a city whose
// place it takes stays erased. A backup of an earlier version is migrated forward.
//
// It refuses a damaged file, a database that has cities (unless opts.Replace gives them up), and one that is being served.
func (d *Database) Restore(ctx context.Context, file string, opts BackupOptions) (Manifest, error) {
	opts.say("checking %s", file)
	m, err := readArchive(file, nil)
	if err != nil {
		return m, err
	}
	for _, c := range m.Cities {
		if err := CheckCode(c.Code); err != nil {
			return m, damaged(file, "it holds a city %.40q", c.Code)
		}
	}
	install, err := d.client(ctx, opts.PGBin)
	if err != nil {
		return m, err
	}
	conn, err := connectTo(ctx, d.url, registrySchema)
	if err != nil {
		return m, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := lockSchema(ctx, conn, registrySchema); err != nil {
		return m, err
	}
	r := restoring{db: d, conn: conn, manifest: m, opts: opts}
	if err := r.run(ctx, install, file); err != nil {
		return m, err
	}
	if err := conn.Close(ctx); err != nil { // gives the lock to Migrate
		return m, err
	}
	err = d.Migrate(ctx, func(done Migrated) {
		if done.From != done.To {
			opts.say("schema %s brought from version %d to %d", done.Schema, done.From, done.To)
		}
	})
	if err != nil {
		return m, err
	}
	for _, code := range r.erased {
		city, err := d.City(ctx, code)
		if err == nil {
			err = d.Scrub(ctx, city, true)
		}
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

type restoring struct {
	db       *Database
	conn     *pgx.Conn // holds the registry's lock
	manifest Manifest
	opts     BackupOptions
	old      []City   // that are there
	erased   []string // restored cities in which people were erased again
}

func (r *restoring) run(ctx context.Context, install pgserver.Install, file string) error {
	if err := r.putBack(ctx); err != nil { // of a restore that was killed
		return err
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	if err := r.putAside(ctx); err != nil {
		return err
	}
	r.opts.say("restoring %d cities as of %s", len(r.manifest.Cities), r.manifest.CreatedAt.Format("2006-01-02 15:04 MST"))
	err := r.load(ctx, install, file)
	if err == nil {
		err = r.finish(ctx)
	}
	if err != nil {
		return errors.Join(err, r.putBack(context.WithoutCancel(ctx)))
	}
	r.db.forgetPools()
	return nil
}

// look refuses what must not be overwritten.
func (r *restoring) look(ctx context.Context) error {
	var registry bool
	if err := r.conn.QueryRow(ctx, "SELECT to_regclass('registry.city') IS NOT NULL").Scan(&registry); err != nil {
		return err
	}
	if registry {
		var err error
		if r.old, err = r.db.Cities(ctx); err != nil {
			return err
		}
	}
	codes, roles := []string{}, []string{}
	for _, c := range r.old {
		codes, roles = append(codes, c.Code), append(roles, c.Role)
	}
	if len(codes) > 0 && !r.opts.Replace {
		return fault.Conflict("restore_not_empty", "the database has cities (%s): restore into an empty one, or say --replace to give them up", strings.Join(codes, ", "))
	}
	var served bool
	if err := r.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY($1))", roles).Scan(&served); err != nil {
		return err
	}
	if served {
		return fault.Conflict("database_in_use", "the database is being served: stop gridgov serve first")
	}
	for _, c := range r.manifest.Cities {
		var taken bool
		err := r.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1 AND nspname <> ALL($2))", c.Code, codes).Scan(&taken)
		if err != nil {
			return err
		}
		if taken {
			return fault.Conflict("schema_exists", "the database has a schema %s that belongs to no city: rename or drop it", c.Code)
		}
	}
	return nil
}

func (r *restoring) putAside(ctx context.Context) error {
	return pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		schemas := []string{registrySchema}
		for _, c := range r.old {
			if c.Conn == "" {
				schemas = append(schemas, c.Code)
			}
		}
		for _, s := range schemas {
			// The registry may be missing, and so may a schema that somebody dropped.
			if err := renameSchema(ctx, tx, s, aside+s); err != nil {
				return err
			}
		}
		return nil
	})
}

// putBack gives schemas that lie aside their names again, in place of what a failed restore has left there.
func (r *restoring) putBack(ctx context.Context) error {
	return pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		lying, err := asideSchemas(ctx, tx)
		if err != nil || len(lying) == 0 {
			return err
		}
		restored := []string{registrySchema}
		for _, c := range r.manifest.Cities {
			restored = append(restored, c.Code)
		}
		for _, s := range append(restored, lying...) {
			if _, err := tx.Exec(ctx, "DROP SCHEMA IF EXISTS "+ident(s)+" CASCADE"); err != nil {
				return err
			}
		}
		for _, s := range lying {
			if err := renameSchema(ctx, tx, aside+s, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// asideSchemas returns the names that the schemas lying aside had. The registry is always among them.
func asideSchemas(ctx context.Context, tx pgx.Tx) ([]string, error) {
	rows, err := tx.Query(ctx, "SELECT substr(nspname, $2) FROM pg_namespace WHERE starts_with(nspname, $1) ORDER BY 1", aside, len(aside)+1)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func renameSchema(ctx context.Context, tx pgx.Tx, from, to string) error {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", from).Scan(&exists); err != nil || !exists {
		return err
	}
	_, err := tx.Exec(ctx, "ALTER SCHEMA "+ident(from)+" RENAME TO "+ident(to))
	return err
}

// load reads the file once more, into pg_restore, whose work is one transaction.
func (r *restoring) load(ctx context.Context, install pgserver.Install, file string) error {
	_, err := readArchive(file, func(dump io.Reader) error {
		cmd, err := r.db.tool(ctx, install, "pg_restore", "--format=custom", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
		if err != nil {
			return err
		}
		cmd.Stdin = dump
		return runTool(ctx, cmd)
	})
	return err
}

// epochZero is the moment from which epochs are counted, 2020-01-01.
const epochZero = 1577836800

// finish compares what was restored with what was saved, gives it roles, and drops what lies aside, in one transaction.
func (r *restoring) finish(ctx context.Context) error {
	return pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		epochs, err := asideEpochs(ctx, tx)
		if err != nil {
			return err
		}
		if err := r.keepErased(ctx, tx); err != nil {
			return err
		}
		if err := r.dropAside(ctx, tx); err != nil {
			return err
		}
		for _, c := range r.manifest.Cities {
			if err := r.finishCity(ctx, tx, c, epochs[c.Code]); err != nil {
				return fmt.Errorf("city %s: %w", c.Code, err)
			}
		}
		_, err = tx.Exec(ctx, "SELECT pg_notify($1, '')", citiesChannel)
		return err
	})
}

// asideEpochs are the epochs of the feeds that lie aside, by city.
func asideEpochs(ctx context.Context, tx pgx.Tx) (map[string]int, error) {
	lying, err := asideSchemas(ctx, tx)
	if err != nil {
		return nil, err
	}
	epochs := map[string]int{}
	for _, s := range lying {
		feed := ident(aside+s) + ".feed"
		var has bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", feed).Scan(&has); err != nil {
			return nil, err
		}
		if !has {
			continue // the registry, or older than the feed
		}
		var epoch int
		if err := tx.QueryRow(ctx, "SELECT coalesce(max(epoch), 0) FROM "+feed).Scan(&epoch); err != nil {
			return nil, err
		}
		epochs[s] = epoch
	}
	return epochs, nil
}

// finishCity gives a restored city its role, and its feed an epoch above replaced, that of the feed whose place it takes.
func (r *restoring) finishCity(ctx context.Context, tx pgx.Tx, c ManifestCity, replaced int) error {
	rows, err := countRows(ctx, tx, c.Code)
	if err != nil {
		return err
	}
	if !maps.Equal(rows, c.Rows) {
		return fault.Conflict("restore_differs", "the restored tables do not have the rows that were saved: have %v, want %v", rows, c.Rows)
	}
	password := rand.Text()
	role, err := createRole(ctx, tx, c.Code, password)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE registry.city SET role = $2 WHERE code = $1", c.Code, role); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO registry.login (role, password) VALUES ($1, $2)", role, password); err != nil {
		return err
	}
	if err := giveGrants(ctx, tx, c.Code, role, c.Grants); err != nil {
		return err
	}
	// Sessions that have ended since the backup must not live again, nor what was on the way to one, and the devices that were
	// forgotten since are strangers'; what hangs on sessions neither.
	for _, table := range []string{"session", "device", "push_subscription", "oidc_flow", "oidc_pending", "resident_code", "message"} {
		if _, has := rows[table]; has {
			if _, err := tx.Exec(ctx, "DELETE FROM "+pgx.Identifier{c.Code, table}.Sanitize()); err != nil {
				return err
			}
		}
	}
	if _, has := rows["feed"]; !has {
		return nil // older than the feed
	}
	// Restoring one backup twice must give two epochs, also where nothing is left of the feed of the first time: they follow
	// the clock, in seconds, of which an integer counts 68 years.
	clock := r.opts.At.Unix() - epochZero
	_, err = tx.Exec(ctx, "UPDATE "+ident(c.Code)+".feed SET epoch = greatest(epoch + 1, $1, $2)", replaced+1, clock)
	return err
}

// dropAside drops what was there before, with its roles as far as no other database uses them.
func (r *restoring) dropAside(ctx context.Context, tx pgx.Tx) error {
	lying, err := asideSchemas(ctx, tx)
	if err != nil {
		return err
	}
	for _, s := range lying {
		if _, err := tx.Exec(ctx, "DROP SCHEMA "+ident(aside+s)+" CASCADE"); err != nil {
			return err
		}
	}
	for _, c := range r.old {
		if c.Conn != "" {
			continue // its role is on its own server
		}
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "DROP OWNED BY "+ident(c.Role)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "DROP ROLE "+ident(c.Role))
			return err
		})
		if err != nil && state(err) != "2BP01" { // dependent_objects_still_exist
			return err
		}
	}
	return nil
}

// forgetPools closes the cities' pools: their roles are gone.
func (d *Database) forgetPools() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for code, p := range d.pools {
		p.Close()
		delete(d.pools, code)
	}
}
