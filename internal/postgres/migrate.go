package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"

	"gridgov/internal/fault"
	"gridgov/migrations"
)

const registrySchema = "registry"

// Migrated says from which version to which a schema was brought; both are equal when nothing was to do.
type Migrated struct {
	Schema   string
	From, To int
}

// Migrate brings the registry, then each city's schema, to this program's version. It may run on several nodes at once:
// each schema is migrated by one of them while the others wait. Each step is a transaction of its own, so that a step
// that fails leaves its schema at the step before. say, when given, is told of every schema once it is done.
func (d *Database) Migrate(ctx context.Context, say func(Migrated)) error {
	if say == nil {
		say = func(Migrated) {}
	}
	done, err := d.migrateRegistry(ctx)
	if err != nil {
		return err
	}
	say(done)
	cities, err := d.Cities(ctx)
	if err != nil {
		return err
	}
	for _, city := range cities {
		done, err := d.migrateCity(ctx, city, latest)
		if err != nil {
			return fmt.Errorf("city %s: %w", city.Code, err)
		}
		say(done)
		if err := d.ExtendFeed(ctx, city); err != nil {
			return fmt.Errorf("city %s: %w", city.Code, err)
		}
	}
	return nil
}

func (d *Database) migrateRegistry(ctx context.Context) (Migrated, error) {
	conn, err := connectTo(ctx, d.url, registrySchema)
	if err != nil {
		return Migrated{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := lockSchema(ctx, conn, registrySchema); err != nil {
		return Migrated{}, err
	}
	// Databases that began under PostgreSQL 14 let every role make tables in public.
	for _, sql := range []string{"CREATE SCHEMA IF NOT EXISTS " + registrySchema, "REVOKE CREATE ON SCHEMA public FROM PUBLIC"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return Migrated{}, err
		}
	}
	return migrateSchema(ctx, conn, registrySchema, migrations.Registry(), nil, latest)
}

func (d *Database) migrateCity(ctx context.Context, city City, target int) (Migrated, error) {
	conn, err := connectTo(ctx, d.ownerURL(city), city.Code)
	if err != nil {
		return Migrated{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := lockSchema(ctx, conn, city.Code); err != nil {
		return Migrated{}, err
	}
	return migrateSchema(ctx, conn, city.Code, migrations.City(), cityData(city), target)
}

func cityData(city City) map[string]any { return map[string]any{"role": ident(city.Role)} }

// connectTo opens one connection as the owner whose search_path is the schema. tern resets the session after each step:
// a start-up parameter outlives that.
func connectTo(ctx context.Context, databaseURL, schema string) (*pgx.Conn, error) {
	cfg, err := ownerConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	cfg.ConnConfig.RuntimeParams["search_path"] = ident(schema) + ", public"
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, unreachable(err)
	}
	return conn, nil
}

// lockSchema holds the schema for this session; the lock ends with the connection.
func lockSchema(ctx context.Context, conn *pgx.Conn, schema string) error {
	_, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended('gridgov migrate ' || $1, 0))", schema)
	return err
}

const (
	versionTable = "schema_version"
	latest       = -1 // as target: every step there is
)

// migrateSchema applies the steps that the connection's schema lacks, up to target. Callers hold the schema's lock.
// Called inside a transaction, its steps are savepoints of it.
func migrateSchema(ctx context.Context, conn *pgx.Conn, schema string, files fs.FS, data map[string]any, target int) (Migrated, error) {
	// Made here and not by tern, which would take a table of that name in public for ours, and sends two statements in one
	// message.
	table := ident(schema) + "." + versionTable
	for _, sql := range []string{
		"CREATE TABLE IF NOT EXISTS " + table + " (version integer PRIMARY KEY)",
		"INSERT INTO " + table + " (version) SELECT 0 WHERE NOT EXISTS (SELECT FROM " + table + ")",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return Migrated{}, err
		}
	}
	// DisableTx makes tern send one statement a message; the transaction is ours.
	m, err := migrate.NewMigratorEx(ctx, conn, versionTable, &migrate.MigratorOptions{DisableTx: true})
	if err != nil {
		return Migrated{}, err
	}
	m.Data = data
	if err := m.LoadMigrations(files); err != nil {
		return Migrated{}, err
	}
	if target == latest {
		target = len(m.Migrations)
	}
	from, err := m.GetCurrentVersion(ctx)
	if err != nil {
		return Migrated{}, err
	}
	if int(from) > len(m.Migrations) {
		return Migrated{}, fault.Conflict("schema_newer",
			"schema %s is at version %d, this program knows only %d: run the newer gridgov that made it", schema, from, len(m.Migrations))
	}
	for v := from + 1; int(v) <= target; v++ {
		if err := inTransaction(ctx, conn, func() error { return m.MigrateTo(ctx, v) }); err != nil {
			return Migrated{}, fmt.Errorf("schema %s, step %d of %d: %w", schema, v, target, err)
		}
	}
	return Migrated{Schema: schema, From: int(from), To: max(int(from), target)}, nil
}

// inTransaction runs work on the connection in a transaction, or in a savepoint when one is open.
func inTransaction(ctx context.Context, conn *pgx.Conn, work func() error) error {
	begin, commit, rollback := "BEGIN", "COMMIT", "ROLLBACK"
	if conn.PgConn().TxStatus() != 'I' {
		begin, commit, rollback = "SAVEPOINT step", "RELEASE SAVEPOINT step", "ROLLBACK TO SAVEPOINT step"
	}
	if _, err := conn.Exec(ctx, begin); err != nil {
		return err
	}
	if err := work(); err != nil {
		_, rollbackErr := conn.Exec(context.WithoutCancel(ctx), rollback)
		if conn.IsClosed() {
			rollbackErr = nil // the transaction went with the connection
		}
		return errors.Join(err, rollbackErr)
	}
	_, err := conn.Exec(ctx, commit)
	return err
}

// eventsPerPartition is the width of the feed's partitions, as the first of them were made by the city's migrations.
const eventsPerPartition = 4 << 20

// ExtendFeed makes partitions of the city's feed ahead, so that at least one whole partition lies before the next event.
// It is cheap when there is nothing to do: call it at start and once a day. Writers are not held up.
func (d *Database) ExtendFeed(ctx context.Context, city City) error {
	conn, err := connectTo(ctx, d.ownerURL(city), city.Code)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := lockSchema(ctx, conn, city.Code); err != nil {
		return err
	}
	var seq, have int64
	err = conn.QueryRow(ctx, `SELECT (SELECT seq FROM feed),
		(SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass)`).Scan(&seq, &have)
	if err != nil {
		return err
	}
	for n := have; n <= seq/eventsPerPartition+1; n++ {
		name := fmt.Sprintf("event_%d", n)
		err := inTransaction(ctx, conn, func() error {
			// PARTITION OF would lock all of event against writers; attaching does not.
			if _, err := conn.Exec(ctx, "CREATE TABLE "+name+" (LIKE event INCLUDING ALL)"); err != nil {
				return err
			}
			_, err := conn.Exec(ctx, fmt.Sprintf("ALTER TABLE event ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)",
				name, n*eventsPerPartition, (n+1)*eventsPerPartition))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
