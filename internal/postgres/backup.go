package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgserver"
)

// BackupOptions serve Backup and Restore.
type BackupOptions struct {
	PGBin   string       // folder of pg_dump and pg_restore; empty: the system's that fit the server
	At      time.Time    // now
	Replace bool         // Restore: give up the cities that are there
	Say     func(string) // told in one line each of what is done; may be nil
}

func (o BackupOptions) say(format string, args ...any) {
	if o.Say != nil {
		o.Say(fmt.Sprintf(format, args...))
	}
}

// Backup writes the registry and all cities of this database, as they are at one moment while work goes on, to a file
// that is there whole or not at all. Roles and passwords are left out: Restore makes them anew.
func (d *Database) Backup(ctx context.Context, file string, opts BackupOptions) (Manifest, error) {
	install, err := d.client(ctx, opts.PGBin)
	if err != nil {
		return Manifest{}, err
	}
	archive, err := newArchive(file)
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	err = pgx.BeginTxFunc(ctx, d.owner, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var snapshot string
		if err := tx.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot); err != nil {
			return err
		}
		if m, err = describe(ctx, tx, opts.At); err != nil {
			return err
		}
		opts.say("backing up %d cities", len(m.Cities))
		err := archive.add(manifestName, opts.At, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(m)
		})
		if err != nil {
			return err
		}
		return archive.add(dumpName, opts.At, func(w io.Writer) error { return d.dump(ctx, install, m, snapshot, w) })
	})
	if err == nil {
		err = archive.finish(opts.At)
	}
	if err != nil {
		_ = archive.discard() // the first error is the one to tell
		return Manifest{}, err
	}
	return m, nil
}

func describe(ctx context.Context, tx pgx.Tx, at time.Time) (Manifest, error) {
	m := Manifest{Format: archiveFormat, CreatedAt: at.UTC()}
	if err := tx.QueryRow(ctx, "SELECT current_setting('server_version'), postgis_lib_version()").Scan(&m.PostgreSQL, &m.PostGIS); err != nil {
		return m, err
	}
	rows, err := tx.Query(ctx, "SELECT "+cityColumns+" FROM registry.city ORDER BY code")
	if err != nil {
		return m, err
	}
	cities, err := pgx.CollectRows(rows, scanCity)
	if err != nil {
		return m, err
	}
	for _, city := range cities {
		if city.Conn != "" {
			m.Elsewhere = append(m.Elsewhere, city.Code)
			continue
		}
		c := ManifestCity{Code: city.Code}
		if err := tx.QueryRow(ctx, "SELECT version FROM "+ident(city.Code)+"."+versionTable).Scan(&c.Version); err != nil {
			return m, err
		}
		if c.Rows, err = countRows(ctx, tx, city.Code); err != nil {
			return m, err
		}
		if c.Grants, err = readGrants(ctx, tx, city.Code, city.Role); err != nil {
			return m, err
		}
		m.Cities = append(m.Cities, c)
	}
	return m, nil
}

func (d *Database) dump(ctx context.Context, install pgserver.Install, m Manifest, snapshot string, w io.Writer) error {
	args := []string{"--format=custom", "--compress=3", "--no-owner", "--no-privileges", "--strict-names", "--lock-wait-timeout=60s",
		"--snapshot=" + snapshot, "--schema=" + registrySchema, "--exclude-table-data=" + registrySchema + ".login"}
	for _, c := range m.Cities {
		args = append(args, "--schema="+c.Code)
	}
	cmd, err := d.tool(ctx, install, "pg_dump", args...)
	if err != nil {
		return err
	}
	cmd.Stdout = w
	return runTool(ctx, cmd)
}

// client finds the programs that fit the server.
func (d *Database) client(ctx context.Context, bin string) (pgserver.Install, error) {
	var version int
	if err := d.owner.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return pgserver.Install{}, unreachable(err)
	}
	return pgserver.FindClient(ctx, bin, version/10000)
}

// libpqParameters are those of a URL that pgx and libpq understand alike; pgx takes others for settings of the session.
var libpqParameters = []string{"sslmode", "sslcert", "sslkey", "sslrootcert", "connect_timeout", "target_session_attrs", "application_name", "options"}

// tool prepares one of PostgreSQL's programs to work on this database. The password travels in its environment, as
// arguments are everyone's to see.
func (d *Database) tool(ctx context.Context, install pgserver.Install, name string, args ...string) (*exec.Cmd, error) {
	given, err := url.Parse(d.url)
	if err != nil {
		return nil, err
	}
	cfg := d.owner.Config().ConnConfig
	q := url.Values{"host": {cfg.Host}, "port": {strconv.Itoa(int(cfg.Port))}}
	for key, values := range given.Query() {
		if slices.Contains(libpqParameters, key) {
			q[key] = values
		}
	}
	target := url.URL{Scheme: "postgres", User: url.User(cfg.User), Path: "/" + cfg.Database, RawQuery: q.Encode()}
	cmd := install.Command(ctx, pgserver.Self, name, append(args, "--no-password", "--dbname="+target.String())...)
	cmd.Env = append(cmd.Env, "PGPASSWORD="+cfg.Password)
	for _, key := range []string{"PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"} {
		if v, ok := os.LookupEnv(key); ok {
			cmd.Env = append(cmd.Env, key+"="+v)
		}
	}
	return cmd, nil
}

// runTool runs the program; the error carries the last of what it said.
func runTool(ctx context.Context, cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	return fault.Unavailable("tool_failed", "%s failed (%v): %s", cmd.Args[0], err, strings.Join(lines[max(0, len(lines)-5):], "\n"))
}
