package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

func TestCreateCityMakesItWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	made, pool := create(t, db, city("haining"))
	if made.Role != "gridgov_haining" && len(made.Role) != len("gridgov_haining_123456") {
		t.Errorf("role %q", made.Role)
	}
	got, err := db.City(t.Context(), "haining")
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "海宁" || got.SRID != 4549 || got.Levels.String() != postgres.DefaultLevels || got.Role != made.Role {
		t.Errorf("read back: %+v", got)
	}
	if who := scalar[string](t, pool, "SELECT current_user || ' ' || current_schema()"); who != made.Role+" haining" {
		t.Errorf("the pool serves as %q", who)
	}
	if n := scalar[int](t, pool, "SELECT count(*) FROM feed"); n != 1 {
		t.Errorf("%d rows in feed", n)
	}

	_, err = db.CreateCity(t.Context(), city("haining"))
	wantFault(t, err, fault.KindConflict, "city_exists")

	// A schema in the way: neither role nor row is left behind.
	if _, err := db.Owner().Exec(t.Context(), "CREATE SCHEMA taken"); err != nil {
		t.Fatal(err)
	}
	_, err = db.CreateCity(t.Context(), city("taken"))
	wantFault(t, err, fault.KindConflict, "schema_exists")
	_, err = db.City(t.Context(), "taken")
	wantFault(t, err, fault.KindNotFound, "not_found")
	if n := scalar[int](t, db.Owner(), "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'gridgov_taken%'"); n != 0 {
		t.Error("a role is left over")
	}
}

// A city's code may be a word of SQL.
func TestCreateCityNamedLikeAWordOfSQL(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	for _, code := range []string{"user", "table", "select"} {
		_, pool := create(t, db, city(code))
		if got := scalar[string](t, pool, "SELECT current_schema()"); got != code {
			t.Errorf("schema %q; want %q", got, code)
		}
	}
	if err := db.Migrate(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestCreateCityAtOnceIsMadeOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	a, b := connect(t, url, postgres.Options{}), connect(t, url, postgres.Options{})
	if err := a.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			db := a
			if i%2 == 1 {
				db = b
			}
			_, errs[i] = db.CreateCity(context.Background(), city("once"))
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		wantFault(t, err, fault.KindConflict, "city_exists")
	}
	if made != 1 {
		t.Errorf("made %d times", made)
	}
}

// Cities that are made at once, while other commands start, do not get into each other's way.
func TestCreateCitiesAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	a, b := connect(t, url, postgres.Options{}), connect(t, url, postgres.Options{})
	if err := a.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if _, err := []*postgres.Database{a, b}[i%2].CreateCity(context.Background(), city(fmt.Sprintf("atonce%d", i))); err != nil {
				t.Errorf("city %d: %v", i, err)
			}
		})
		wg.Go(func() {
			for range 10 {
				if err := b.Migrate(context.Background(), nil); err != nil {
					t.Errorf("migrate: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// Roles belong to the server: a second database with a city of the same code gets a role of another name, and the first
// city's login goes on working.
func TestSameCodeInTwoDatabasesOfAServer(t *testing.T) {
	t.Parallel()
	one, pool1 := create(t, open(t, postgres.Options{}), city("twice"))
	two, pool2 := create(t, open(t, postgres.Options{}), city("twice"))
	if one.Role == two.Role {
		t.Errorf("both are served by %s", one.Role)
	}
	for _, pool := range []interface{ Ping(context.Context) error }{pool1, pool2} {
		if err := pool.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// The registry may keep a city on another server; here it is another database.
func TestCityOnAnotherServer(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	far := city("far")
	far.Conn = pgtest.URL(t)
	_, pool := create(t, db, far)
	here := scalar[string](t, db.Owner(), "SELECT current_database()")
	if there := scalar[string](t, pool, "SELECT current_database()"); there == here {
		t.Error("the city lies in the registry's database")
	}
	if n := scalar[int](t, pool, "SELECT count(*) FROM feed"); n != 1 {
		t.Errorf("%d rows in feed", n)
	}
	if err := db.Migrate(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestCreateCityRefuses(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	for _, test := range []struct {
		reason string
		change func(*postgres.City)
	}{
		{"bad_city_code", func(c *postgres.City) { c.Code = "a" }},
		{"bad_city_code", func(c *postgres.City) { c.Code = "Haining" }},
		{"bad_city_code", func(c *postgres.City) { c.Code = "pg_toast" }},
		{"bad_city_code", func(c *postgres.City) { c.Code = "information_schema" }},
		{"bad_city_code", func(c *postgres.City) { c.Code = `x"; DROP SCHEMA registry; --` }},
		{"bad_city_code", func(c *postgres.City) { c.Code = "abcdefghijklmnopqrstuvwxyz123456" }},
		{"bad_city_code", func(c *postgres.City) { c.Code = "hai\nning" }},
		{"reserved_city_code", func(c *postgres.City) { c.Code = "registry" }},
		{"reserved_city_code", func(c *postgres.City) { c.Code = "public" }},
		{"reserved_city_code", func(c *postgres.City) { c.Code = "healthz" }},
		{"bad_name", func(c *postgres.City) { c.Name = " " }},
		{"bad_name", func(c *postgres.City) { c.Name = "a\x00b" }},
		{"unknown_timezone", func(c *postgres.City) { c.Timezone = "Asia/Haining" }},
		{"unknown_timezone", func(c *postgres.City) { c.Timezone = "Local" }},
		{"unknown_timezone", func(c *postgres.City) { c.Timezone = "../etc/passwd" }},
		{"unknown_srid", func(c *postgres.City) { c.SRID = 1 }},
		{"srid_not_metric", func(c *postgres.City) { c.SRID = 4490 }},
		{"srid_not_metric", func(c *postgres.City) { c.SRID = 4978 }},
		{"srid_not_metric", func(c *postgres.City) { c.SRID = 2263 }}, // feet
		{"srid_distorts", func(c *postgres.City) { c.SRID = 3857 }},
		{"bad_levels", func(c *postgres.City) { c.Levels = nil }},
	} {
		c := city("fine")
		test.change(&c)
		_, err := db.CreateCity(t.Context(), c)
		wantFault(t, err, fault.KindInvalid, test.reason)
	}
	if cities, err := db.Cities(t.Context()); err != nil || len(cities) != 0 {
		t.Errorf("cities %v, error %v; want none", cities, err)
	}
}

func TestReservedCodesAreRefused(t *testing.T) {
	t.Parallel()
	for _, code := range postgres.ReservedCodes() {
		if postgres.CheckCode(code) == nil {
			t.Errorf("%q is taken for a city", code)
		}
	}
}

func TestParseLevels(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want string }{
		{"city,town:ward,village:anc,grid:smd", "city,town:ward,village:anc,grid:smd"},
		{"grid", "grid"},
		{" town : Ward , grid , microgrid ", "town:Ward,grid,microgrid"},
		{"town:镇街,grid:网格", "town:镇街,grid:网格"},
	} {
		got, err := postgres.ParseLevels(test.in)
		if err != nil || got.String() != test.want {
			t.Errorf("%q: %v, %v; want %s", test.in, got, err, test.want)
		}
	}
	for _, in := range []string{
		"", "town", "microgrid", "grid,town", "grid,grid", "city,ward,grid", "town:,grid", "town:a:b,grid", "town:x,grid:X",
		"town:village,grid", "town:grid,grid", "city:Microgrid,grid", "town:a\x00b,grid", "town:\xff,grid",
	} {
		levels, err := postgres.ParseLevels(in)
		if err == nil {
			t.Errorf("%q is taken for %v", in, levels)
			continue
		}
		wantFault(t, err, fault.KindInvalid, "bad_levels")
	}
	levels, _ := postgres.ParseLevels("town:ward,grid:SMD")
	for _, name := range []string{"grid", "smd", "SMD", "Grid"} {
		if l, err := levels.Find(name); err != nil || l.Role != postgres.RoleGrid {
			t.Errorf("Find(%q) = %v, %v", name, l, err)
		}
	}
	_, err := levels.Find("village")
	wantFault(t, err, fault.KindInvalid, "unknown_level")
}

func TestWatchCitiesTellsOfANewCity(t *testing.T) {
	t.Parallel()
	for name, interval := range map[string]time.Duration{"told": time.Hour, "polled": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.URL(t)
			serve, command := connect(t, url, postgres.Options{}), connect(t, url, postgres.Options{})
			if err := serve.Migrate(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			lists := make(chan string, 10)
			done := make(chan struct{})
			go func() {
				defer close(done)
				serve.WatchCities(ctx, interval, func(cities []postgres.City) {
					var codes []string
					for _, c := range cities {
						codes = append(codes, c.Code)
					}
					lists <- fmt.Sprint(codes)
				}, nil)
			}()
			want := func(list string) {
				t.Helper()
				select {
				case got := <-lists:
					if got != list {
						t.Fatalf("seen %s; want %s", got, list)
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("not told of %s", list)
				}
			}
			want("[]")
			create(t, command, city("bb"))
			want("[bb]")
			if name == "polled" { // the listener's connection is cut; looking goes on
				if _, err := command.Owner().Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN%' OR query LIKE '%registry.city%')"); err != nil {
					t.Fatal(err)
				}
			}
			create(t, command, city("aa"))
			want("[aa bb]")
			cancel()
			<-done
		})
	}
}

func TestCityPoolsShareTheirCap(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{CityConns: 3, TotalConns: 3})
	_, a := create(t, db, city("aa"))
	_, b := create(t, db, city("bb"))
	if n := a.Stat().TotalConns(); n != 0 {
		t.Errorf("a pool starts with %d connections", n)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		for i := range 24 {
			wg.Go(func() {
				pool := a
				if i%2 == 1 {
					pool = b
				}
				if _, err := pool.Exec(context.Background(), "SELECT pg_sleep(0.05)"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}()
	most := 0
	for working := true; working; {
		select {
		case <-done:
			working = false
		default:
			most = max(most, scalar[int](t, db.Owner(), `SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND usename LIKE 'gridgov\_%' AND state = 'active'`))
		}
	}
	if most != 3 {
		t.Errorf("%d connections of cities at work at once; want 3", most)
	}
}

func TestReadSurvivesARestartOfTheDatabase(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Options{})
	made, pool := create(t, db, city("aa"))
	for range 5 {
		if got := readUser(t, pool); got != made.Role {
			t.Fatalf("user %q", got)
		}
		ended := scalar[[]bool](t, db.Owner(), "SELECT array_agg(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE usename = $1", made.Role)
		if slices.Contains(ended, false) || len(ended) == 0 {
			t.Fatalf("ended %v", ended)
		}
	}
	if got := readUser(t, pool); got != made.Role {
		t.Errorf("user %q", got)
	}
}
