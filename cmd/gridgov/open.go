package main

import (
	"context"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/postgres"
)

// open connects to the database, starting the private cluster when none is named, brings it to this version and loads the
// keys.
func (t *tool) open(ctx context.Context) (db *postgres.Database, done func(), err error) {
	url := t.database
	stop := func() {}
	if url == "" {
		cluster, err := postgres.Start(ctx, t.clusterOptions())
		if err != nil {
			return nil, nil, err
		}
		url = cluster.URL()
		keep, end := context.WithCancel(ctx)
		kept := make(chan struct{})
		go func() {
			defer close(kept)
			cluster.Keep(keep, time.Second, func(err error) { t.say("the private database cannot be started again yet: %v", err) })
		}()
		stop = func() {
			end()
			<-kept // or it would start what is being stopped
			if err := cluster.Release(context.WithoutCancel(ctx)); err != nil {
				t.say("the private database could not be stopped: %v", err)
			}
		}
	}
	db, err = postgres.Connect(ctx, url, postgres.Options{})
	if err == nil {
		if err = db.Migrate(ctx, func(m postgres.Migrated) {
			if m.From != m.To {
				t.say("schema %s brought from version %d to %d", m.Schema, m.From, m.To)
			}
		}); err == nil {
			err = t.loadKeys(ctx, db)
		}
		if err != nil {
			db.Close()
		}
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return db, func() { db.Close(); stop() }, nil
}

// inCity runs work in one city.
func (t *tool) inCity(ctx context.Context, code string, work func(*app.City) error) error {
	return t.inCityOf(ctx, code, func(_ *postgres.Database, c *app.City) error { return work(c) })
}

// inCityOf is inCity for what the owner of the database does besides.
func (t *tool) inCityOf(ctx context.Context, code string, work func(*postgres.Database, *app.City) error) error {
	if code == "" {
		return usagef("name the city with --city")
	}
	db, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	info, err := db.City(ctx, code)
	if err != nil {
		return err
	}
	c, err := app.Open(ctx, db, info, t.keys, t.logger(), time.Now)
	if err != nil {
		return err
	}
	defer c.Close()
	return work(db, c)
}
