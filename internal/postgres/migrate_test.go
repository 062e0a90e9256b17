package postgres_test

import (
	"context"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
	"gridgov/migrations"
)

func steps(t *testing.T) int {
	t.Helper()
	names, err := fs.Glob(migrations.City(), "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("steps %v, error %v", names, err)
	}
	return len(names)
}

// structure tells everything of a schema that a migration makes, but for the schema's and the role's own names.
func structure(t *testing.T, owner *pgxpool.Pool, c postgres.City) []string {
	t.Helper()
	return strings(t, owner, `
		WITH r AS (SELECT oid, relname, relkind, relacl, relpersistence FROM pg_class WHERE relnamespace = $1::text::regnamespace)
		SELECT format('%s %s %s', relkind, relname, relpersistence) FROM r
		UNION ALL SELECT replace(format('%s.%s %s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
			pg_get_expr(adbin, adrelid)), $1 || '.', '') FROM r JOIN pg_attribute a ON attrelid = r.oid LEFT JOIN pg_attrdef d ON adrelid = r.oid AND adnum = attnum
			WHERE attnum > 0 AND NOT attisdropped
		UNION ALL SELECT format('%s: %s', relname, replace(pg_get_constraintdef(c.oid), $1 || '.', '')) FROM r JOIN pg_constraint c ON conrelid = r.oid
		UNION ALL SELECT replace(pg_get_indexdef(oid), $1 || '.', '') FROM r WHERE relkind IN ('i', 'I')
		UNION ALL SELECT format('%s grants %s', relname, privilege_type) FROM r, aclexplode(relacl) WHERE grantee = $2::text::regrole
		UNION ALL SELECT format('%s.%s grants %s', relname, attname, privilege_type) FROM r JOIN pg_attribute ON attrelid = r.oid,
			aclexplode(attacl) WHERE grantee = $2::text::regrole
		UNION ALL SELECT replace(p.oid::regprocedure::text, $1 || '.', '') FROM pg_proc p WHERE pronamespace = $1::text::regnamespace`, c.Code, c.Role)
}

func TestMigrateForwardFromEveryVersion(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	fresh, _ := create(t, db, city("fresh"))
	want := structure(t, db.Owner(), fresh)
	if len(want) < 50 {
		t.Fatalf("a city's schema has only %d parts: %v", len(want), want)
	}
	var old []postgres.City
	for k := range steps(t) {
		c, err := db.CreateCityAt(t.Context(), city("from"+string(rune('a'+k))), k)
		if err != nil {
			t.Fatal(err)
		}
		old = append(old, c)
	}
	told := map[string]postgres.Migrated{}
	if err := db.Migrate(t.Context(), func(m postgres.Migrated) { told[m.Schema] = m }); err != nil {
		t.Fatal(err)
	}
	for k, c := range old {
		if m := told[c.Code]; m.From != k || m.To != steps(t) {
			t.Errorf("told %+v; want %d to %d", m, k, steps(t))
		}
		if got := structure(t, db.Owner(), c); !slices.Equal(got, want) {
			t.Errorf("from version %d: structure differs from a fresh city's:\n%v\nwant\n%v", k, got, want)
		}
	}
}

func TestNodesThatStartAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	nodes := []*postgres.Database{connect(t, url, postgres.Options{}), connect(t, url, postgres.Options{}), connect(t, url, postgres.Options{})}
	if err := nodes[0].Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"aa", "bb"} {
		if _, err := nodes[0].CreateCityAt(t.Context(), city(code), 0); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	applied := map[string]int{}
	var wg sync.WaitGroup
	for _, node := range nodes {
		wg.Go(func() {
			err := node.Migrate(context.Background(), func(m postgres.Migrated) {
				mu.Lock()
				defer mu.Unlock()
				applied[m.Schema] += m.To - m.From
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, code := range []string{"aa", "bb"} {
		if applied[code] != steps(t) {
			t.Errorf("%s: %d steps applied; want %d", code, applied[code], steps(t))
		}
	}
}

// The first start of several nodes on an empty database.
func TestNodesThatStartOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	var wg sync.WaitGroup
	for range 3 {
		node := connect(t, url, postgres.Options{})
		wg.Go(func() {
			if err := node.Migrate(context.Background(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestMigrateRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	create(t, db, city("aa"))
	if _, err := db.Owner().Exec(t.Context(), "UPDATE aa.schema_version SET version = version + 1"); err != nil {
		t.Fatal(err)
	}
	wantFault(t, db.Migrate(t.Context(), nil), fault.KindConflict, "schema_newer")
}

func TestAStepThatFailsLeavesTheStepBefore(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	if _, err := db.Owner().Exec(t.Context(), "CREATE SCHEMA steps"); err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{
		"001_good.sql": {Data: []byte("CREATE TABLE one (id int PRIMARY KEY);")},
		"002_bad.sql":  {Data: []byte("CREATE TABLE two (id int PRIMARY KEY);\n\nINSERT INTO two (id) VALUES (1), (1);")},
	}
	if _, err := db.MigrateFiles(t.Context(), "steps", files); err == nil {
		t.Error("the step went through")
	}
	tables := strings(t, db.Owner(), "SELECT tablename FROM pg_tables WHERE schemaname = 'steps'")
	if version := scalar[int](t, db.Owner(), "SELECT version FROM steps.schema_version"); version != 1 || !slices.Equal(tables, []string{"one", "schema_version"}) {
		t.Errorf("version %d, tables %v; want the first step alone", version, tables)
	}
	files["002_bad.sql"].Data = []byte("CREATE TABLE two (id int PRIMARY KEY);")
	if m, err := db.MigrateFiles(t.Context(), "steps", files); err != nil || m.From != 1 || m.To != 2 {
		t.Errorf("after mending: %+v, %v", m, err)
	}
}

// The rules that keep a city's schema fit to be one of many over Citus workers.
func TestSchemasKeepTheRulesOfDistribution(t *testing.T) {
	t.Parallel()
	owner, _, code := pgtest.City(t)
	for what, sql := range map[string]string{
		"tables without a primary key": `SELECT relname FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = $1::text::regnamespace
			AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')`,
		"triggers": `SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = $1::text::regnamespace AND NOT tgisinternal`,
		"defaults": `SELECT relname || ': ' || pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_class c ON c.oid = adrelid
			WHERE relnamespace = $1::text::regnamespace AND pg_get_expr(adbin, adrelid) ~ '(now|clock_timestamp|random|gen_random_uuid|nextval|current_)'`,
		"tables that are not logged or inherit": `SELECT relname FROM pg_class c WHERE relnamespace = $1::text::regnamespace
			AND (relpersistence <> 'p' OR NOT relispartition AND EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid AND c.relkind = 'r'))`,
	} {
		if found := strings(t, owner, sql, code); len(found) > 0 {
			t.Errorf("%s: %v", what, found)
		}
	}
}

func TestExtendFeedMakesRoomAhead(t *testing.T) {
	t.Parallel()
	db, c := pgtest.Database(t)
	pool, err := db.CityPool(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	event := func(seq int64) error {
		_, err := pool.Exec(t.Context(), "INSERT INTO event (seq, at, type, data) VALUES ($1, '2026-01-01', 'test', '{}')", seq)
		return err
	}
	const last = 5*postgres.EventsPerPartition - 1
	if event(last) == nil {
		t.Fatal("the feed had room already: the test shows nothing")
	}
	if _, err := pool.Exec(t.Context(), "UPDATE feed SET seq = $1", int64(last)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // again changes nothing
		if err := db.ExtendFeed(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, seq := range []int64{last, last + 1, last + postgres.EventsPerPartition} {
		if err := event(seq); err != nil {
			t.Errorf("event %d: %v", seq, err)
		}
	}
	wantDenied(t, pool, "DELETE FROM event")
	wantDenied(t, pool, "DELETE FROM event_4")
}
