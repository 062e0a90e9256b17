package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"gridgov/internal/postgres"
)

func tables(t *testing.T, db *postgres.Database, schema string) []string {
	t.Helper()
	return strings(t, db.Owner(), "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = $1::text::regnamespace", schema)
}

// The first city's role tries to reach what is the second's.
func TestACitysRoleReachesNothingOfAnother(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	mine, pool := create(t, db, city("mine"))
	theirs, _ := create(t, db, city("theirs"))
	if _, err := db.Owner().Exec(t.Context(), "CREATE FUNCTION theirs.secret() RETURNS int LANGUAGE sql AS 'SELECT 42'"); err != nil {
		t.Fatal(err)
	}
	for _, schema := range []string{theirs.Code, "registry"} {
		names := tables(t, db, schema)
		if len(names) == 0 {
			t.Fatalf("%s has no tables", schema)
		}
		for _, table := range names {
			wantDenied(t, pool, fmt.Sprintf("SELECT FROM %s.%s", schema, table))
			wantDenied(t, pool, fmt.Sprintf("DELETE FROM %s.%s", schema, table))
			wantDenied(t, pool, fmt.Sprintf("TRUNCATE %s.%s", schema, table))
			wantDenied(t, pool, fmt.Sprintf("DROP TABLE %s.%s", schema, table))
			wantDenied(t, pool, fmt.Sprintf("COPY %s.%s TO STDOUT", schema, table))
		}
		wantDenied(t, pool, fmt.Sprintf("CREATE TABLE %s.mine (id int)", schema))
		wantDenied(t, pool, fmt.Sprintf("DROP SCHEMA %s CASCADE", schema))
	}
	for _, sql := range []string{
		"SELECT theirs.secret()",
		"INSERT INTO theirs.item (code, name) VALUES ('x', 'x')",
		"UPDATE theirs.feed SET seq = 0",
		"SET ROLE " + theirs.Role,
		"SET SESSION AUTHORIZATION " + theirs.Role,
		"ALTER ROLE " + theirs.Role + " PASSWORD 'mine'",
		"ALTER ROLE " + mine.Role + " CREATEROLE",
		"GRANT " + theirs.Role + " TO " + mine.Role,
		"CREATE ROLE another",
		"CREATE SCHEMA another",
		"CREATE TABLE public.mine (id int)",
		"CREATE EXTENSION hstore",
		"SELECT pg_read_file('pg_hba.conf')",
		"COPY item TO PROGRAM 'cat'",
		"DO LANGUAGE plpgsql $$ BEGIN PERFORM count(*) FROM theirs.item; END $$",
	} {
		wantDenied(t, pool, sql)
	}
	seen := strings(t, pool, "SELECT query FROM pg_stat_activity WHERE usename NOT IN (current_user)")
	if slices.ContainsFunc(seen, func(q string) bool { return q != "<insufficient privilege>" && q != "" }) {
		t.Errorf("queries of others are seen: %q", seen)
	}
	// What is public is at hand.
	if got := scalar[string](t, pool, "SELECT ST_AsText(ST_Transform(ST_SetSRID(ST_MakePoint(120, 0), 4490), 4549), 0)"); got != "POINT(500000 0)" {
		t.Errorf("PostGIS answers %s", got)
	}
}

func TestServingRolesAlterNothingAndOnlyAppend(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	_, pool := create(t, db, city("mine"))
	names := tables(t, db, "mine")
	for _, table := range names {
		wantDenied(t, pool, "ALTER TABLE "+table+" ADD COLUMN more int")
		wantDenied(t, pool, "DROP TABLE "+table)
		wantDenied(t, pool, "TRUNCATE "+table)
		wantDenied(t, pool, "CREATE INDEX ON "+table+" ((1))")
	}
	wantDenied(t, pool, "CREATE TABLE more (id int)")
	wantDenied(t, pool, "UPDATE schema_version SET version = 0")
	wantDenied(t, pool, "UPDATE feed SET epoch = 1")
	wantDenied(t, pool, "INSERT INTO feed (one, epoch, seq) VALUES (true, 1, 0)")
	for _, table := range []string{"audit", "event", "placement_past", "position_set"} {
		if !slices.Contains(names, table) {
			t.Errorf("there is no table %s", table)
			continue
		}
		column := scalar[string](t, db.Owner(), "SELECT attname::text FROM pg_attribute WHERE attrelid = ('mine.' || $1)::regclass AND attnum = 1", table)
		wantDenied(t, pool, fmt.Sprintf("UPDATE %s SET %s = %[2]s", table, column))
		wantDenied(t, pool, "DELETE FROM "+table)
	}
	// What it is for, it may do.
	if _, err := pool.Exec(t.Context(), "INSERT INTO event (seq, at, type, data) VALUES (1, '2026-01-01', 'test', '{}')"); err != nil {
		t.Error(err)
	}
}
