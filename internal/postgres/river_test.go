package postgres_test

import (
	"regexp"
	"slices"
	str "strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"gridgov/internal/postgres"
)

// riverParts tells of River's tables in a schema all that its statements hang on.
func riverParts(t *testing.T, owner *pgxpool.Pool, schema string) (parts []string) {
	t.Helper()
	list := strings(t, owner, `
		WITH r AS (SELECT oid, relname, relkind FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relname ~ '^river_' AND relname !~ '^river_migration')
		SELECT format('%s %s', relkind, relname) FROM r
		UNION ALL SELECT format('%s.%s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull) FROM r JOIN pg_attribute ON attrelid = r.oid
			WHERE attnum > 0 AND NOT attisdropped
		UNION ALL SELECT format('%s: %s', relname, pg_get_constraintdef(c.oid)) FROM r JOIN pg_constraint c ON conrelid = r.oid
		UNION ALL SELECT pg_get_indexdef(oid) FROM r WHERE relkind = 'i'
		UNION ALL SELECT e.enumlabel::text FROM pg_enum e JOIN pg_type y ON y.oid = e.enumtypid WHERE y.typnamespace = $1::text::regnamespace AND y.typname = 'river_job_state'
		UNION ALL SELECT p.oid::regprocedure::text || regexp_replace(p.prosrc, '\s+', ' ', 'g') || p.provolatile::text FROM pg_proc p
			WHERE pronamespace = $1::text::regnamespace AND proname ~ '^river_'`, schema)
	for _, p := range list {
		parts = append(parts, regexp.MustCompile(`\s+`).ReplaceAllString(str.ReplaceAll(p, schema+".", ""), " "))
	}
	slices.Sort(parts)
	return parts
}

// The tables of jobs in a city's schema are those that River makes of its own migrations, as far as its statements can tell. One that
// comes with a later version of River and is missing here fails.
func TestRiverFindsItsTables(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	c, _ := create(t, db, city("aa"))
	if _, err := db.Owner().Exec(t.Context(), "CREATE SCHEMA theirs"); err != nil {
		t.Fatal(err)
	}
	m, err := rivermigrate.New(riverpgxv5.New(db.Owner()), &rivermigrate.Config{Schema: "theirs"})
	if err == nil {
		_, err = m.Migrate(t.Context(), rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	want, got := riverParts(t, db.Owner(), "theirs"), riverParts(t, db.Owner(), c.Code)
	if len(want) < 60 {
		t.Fatalf("River made only %d parts: %v", len(want), want)
	}
	for _, p := range want {
		if !slices.Contains(got, p) {
			t.Errorf("missing: %s", p)
		}
	}
	for _, p := range got {
		if !slices.Contains(want, p) {
			t.Errorf("not River's: %s", p)
		}
	}
}
