package pgtest_test

import (
	"context"
	"testing"

	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, pgtest.CheckLeaks()) }

func TestNewGivesDatabasesThatShareNothing(t *testing.T) {
	ctx := context.Background()
	a, b := pgtest.New(t), pgtest.New(t)
	if _, err := a.Exec(ctx, "CREATE TABLE only_in_a (id int PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := b.QueryRow(ctx, "SELECT to_regclass('only_in_a') IS NOT NULL").Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		t.Error("a table made in one database is seen in the other")
	}
	var covers bool
	if err := b.QueryRow(ctx, "SELECT ST_Covers(ST_MakeEnvelope(0, 0, 2, 2, 4490), ST_Point(1, 1, 4490))").Scan(&covers); err != nil || !covers {
		t.Errorf("PostGIS: covers = %v, err = %v", covers, err)
	}
}

func TestDatabaseIsGoneAfterItsTest(t *testing.T) {
	ctx := context.Background()
	watch := pgtest.New(t)
	var name string
	t.Run("inner", func(t *testing.T) {
		if err := pgtest.New(t).QueryRow(ctx, "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	var left int
	if err := watch.QueryRow(ctx, "SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if name == "" || left != 0 {
		t.Errorf("database %q: %d left", name, left)
	}
}

func TestCityGivesAMigratedCityServedByItsRole(t *testing.T) {
	ctx := context.Background()
	for range 2 { // the second is cloned from the first's template
		owner, city, code := pgtest.City(t)
		if _, err := owner.Exec(ctx, "INSERT INTO item (code, name) VALUES ('01', 'open burning')"); err != nil {
			t.Fatal(err)
		}
		var items int
		var schema string
		var super bool
		err := city.QueryRow(ctx, "SELECT count(*), current_schema(), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) FROM item").
			Scan(&items, &schema, &super)
		if err != nil || items != 1 || schema != code || super {
			t.Errorf("%d items, schema %s, superuser %v, error %v", items, schema, super, err)
		}
	}
}
