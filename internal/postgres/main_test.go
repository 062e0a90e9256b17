package postgres_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		hold(dir)
	}
	pgtest.Main(m, pgtest.CheckLeaks())
}

// open connects to a fresh, migrated database.
func open(t *testing.T, opts postgres.Options) *postgres.Database {
	t.Helper()
	db := connect(t, pgtest.URL(t), opts)
	if err := db.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return db
}

func connect(t *testing.T, url string, opts postgres.Options) *postgres.Database {
	t.Helper()
	db, err := postgres.Connect(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func city(code string) postgres.City {
	levels, err := postgres.ParseLevels(postgres.DefaultLevels)
	if err != nil {
		panic(err)
	}
	return postgres.City{Code: code, Name: "海宁", Timezone: "Asia/Shanghai", SRID: 4549, Levels: levels,
		CreatedAt: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
}

func create(t *testing.T, db *postgres.Database, c postgres.City) (postgres.City, *pgxpool.Pool) {
	t.Helper()
	c, err := db.CreateCity(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := db.CityPool(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return c, pool
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Code != code {
		t.Errorf("error %v (%#v); want kind %d, code %s", err, f, kind, code)
	}
}

// wantDenied runs SQL that the role must be refused for want of a right, and for no other reason.
func wantDenied(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	_, err := pool.Exec(t.Context(), sql)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "42501" {
		t.Errorf("%s: error %v; want insufficient_privilege (42501)", sql, err)
	}
}

func scalar[T any](t *testing.T, pool *pgxpool.Pool, sql string, args ...any) (v T) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func strings(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) []string {
	t.Helper()
	s := scalar[[]string](t, pool, "SELECT coalesce(array_agg(q.v::text), '{}') FROM ("+sql+") q(v)", args...)
	slices.Sort(s)
	return s
}

func readUser(t *testing.T, pool *pgxpool.Pool) (user string) {
	t.Helper()
	err := postgres.Read(t.Context(), pool, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT current_user").Scan(&user)
	})
	if err != nil {
		t.Fatal(err)
	}
	return user
}
