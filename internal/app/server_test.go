package app_test

import (
	"context"
	"testing"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

// run runs a server until the test ends.
func run(t testing.TB, db *postgres.Database) *app.Server {
	s := app.NewServer(db, nil, apptest.Quiet(), apptest.Clock)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return s
}

func TestServerTakesUpNewCities(t *testing.T) {
	db, city := pgtest.Database(t)
	s := run(t, db)
	await(t, "the server is ready", func() bool { return s.Ready() == nil })
	second := city
	second.Code, second.Name = "second", "Second"
	if _, err := db.CreateCity(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	await(t, "the new city is live", func() bool { c, _ := s.City("second"); return c != nil })
	if err := s.Ready(); err != nil {
		t.Error(err)
	}
	if _, starting := s.City("third"); starting {
		t.Error("a city that nobody made is starting")
	}
	if got := s.Cities(); len(got) != 2 || got[0].Code != "second" || got[1].Code != pgtest.CityCode {
		t.Errorf("%d cities are served", len(got))
	}
}

// A city that cannot be started is tried again until it can, and takes nothing from the others.
func TestServerTriesAgain(t *testing.T) {
	db, city := pgtest.Database(t)
	second := city
	second.Code, second.Name = "second", "Second"
	if _, err := db.CreateCity(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Owner().Exec(t.Context(), `ALTER TABLE second.item RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	s := run(t, db)
	await(t, "the other city is live", func() bool { c, _ := s.City(pgtest.CityCode); return c != nil })
	await(t, "the server says that one city does not start", func() bool { return s.Ready() != nil })
	if c, starting := s.City("second"); c != nil || !starting {
		t.Errorf("the broken city is %v, starting %v", c, starting)
	}
	if _, err := db.Owner().Exec(t.Context(), `ALTER TABLE second.gone RENAME TO item`); err != nil {
		t.Fatal(err)
	}
	await(t, "the city is live once it is whole", func() bool { c, _ := s.City("second"); return c != nil && s.Ready() == nil })
}
