package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/fault"
	"gridgov/internal/postgres"
)

func (t *tool) key() *cobra.Command {
	one := func(use, short, long string, before func() error) *cobra.Command {
		var only []string
		cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			db, done, err := t.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			cities, err := namedCities(cmd.Context(), db, only)
			if err != nil {
				return err
			}
			if t.keys == nil {
				return fault.Unavailable("key_missing", "there is no key file: put its copy in its place")
			}
			if err := before(); err != nil {
				return err
			}
			return t.rewrap(cmd.Context(), db, cities)
		}}
		cmd.Flags().StringArrayVar(&only, "city", nil, "this city alone; may be given again (all)")
		return cmd
	}
	rotate := one("rotate", "Make a new master key, and seal by it what others sealed",
		"rotate adds a key to the key file and seals by it what the older ones sealed. The older keys stay in the file: backups need\n"+
			"them. Broken off, it is finished by key rewrap. A service that runs takes up the new key when it meets it.",
		func() error {
			if err := t.keys.Rotate(t.now()); err != nil {
				return err
			}
			t.say("the current key is %s now: keep a copy of the key file, apart from the backups of the database", t.keys.Current())
			return nil
		})
	rewrap := one("rewrap", "Seal by the current master key what an older one still seals, as after a rotation that was broken off", "", func() error { return nil })
	return group("key", "Rotate the master keys", rotate, rewrap)
}

// namedCities are the cities of these codes, or all.
func namedCities(ctx context.Context, db *postgres.Database, codes []string) ([]postgres.City, error) {
	if len(codes) == 0 {
		return db.Cities(ctx)
	}
	var list []postgres.City
	for _, code := range slices.Compact(slices.Sorted(slices.Values(codes))) {
		info, err := db.City(ctx, code)
		if err != nil {
			return nil, err
		}
		list = append(list, info)
	}
	return list, nil
}

// rewrap goes on with the other cities where one fails.
func (t *tool) rewrap(ctx context.Context, db *postgres.Database, cities []postgres.City) error {
	failed := false
	for _, info := range cities {
		people, factors, err := t.rewrapCity(ctx, db, info)
		if ctx.Err() != nil {
			return err
		}
		t.say("city %s: %d people's data keys and %d second factors are sealed anew", info.Code, people, factors)
		if err != nil {
			failed = true
			t.say("city %s: %v", info.Code, err)
		}
	}
	if failed {
		return errRejected
	}
	return nil
}

func (t *tool) rewrapCity(ctx context.Context, db *postgres.Database, info postgres.City) (people, factors int, err error) {
	c, err := app.Open(ctx, db, info, t.keys, t.logger(), t.now)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	if people, err = c.Contacts.Rewrap(ctx, nil); err != nil {
		return people, 0, err
	}
	if factors, err = c.Auth.Reseal(ctx); err != nil {
		return people, factors, err
	}
	if err := c.Sending.Rewrap(ctx); err != nil {
		return people, factors, err
	}
	if err := c.Webhooks.Rewrap(ctx); err != nil {
		return people, factors, err
	}
	return people, factors, c.Push.Rewrap(ctx)
}
