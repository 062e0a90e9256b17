package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/postgres"
)

func (t *tool) demo() *cobra.Command {
	var until, truth string
	one := func(name, short string) *cobra.Command {
		return &cobra.Command{Use: name, Short: short, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			load, err := t.demoLoader(name, until, truth)
			if err != nil {
				return err
			}
			db, done, err := t.open(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			return load(cmd.Context(), db)
		}}
	}
	g := group("demo", "Load a whole city to look at; loading it again changes nothing",
		one("haining", "Haining: real outline and names, generated lines and reports"),
		one("dc", "Washington: official boundaries and 311 reports (DC government, opendata.dc.gov)"))
	g.PersistentFlags().StringVar(&until, "until", "", "last day of generated reports (today)")
	g.PersistentFlags().StringVar(&truth, "truth", "", "file for the list of hotspots planted among generated reports")
	return g
}

// demoLoader gives what loads a demo; "" loads nothing.
func (t *tool) demoLoader(name, until, truth string) (func(context.Context, *postgres.Database) error, error) {
	if name != "" && name != "haining" && name != "dc" {
		return nil, usagef("there is no demo %q; there are haining and dc", name)
	}
	var last time.Time
	if until != "" {
		var err error
		if last, err = time.Parse(time.DateOnly, until); err != nil {
			return nil, usagef("--until %q is not a date such as 2026-11-01", until)
		}
	}
	return func(ctx context.Context, db *postgres.Database) error {
		show, finish := t.progress("demo " + name)
		defer finish()
		d := app.Demo{DB: db, Keys: t.keys, Log: t.logger(), Now: time.Now, Say: t.say, Show: show, Until: last}
		if truth != "" {
			f, err := os.Create(truth)
			if err != nil {
				return usagef("--truth: %w", err)
			}
			defer func() { _ = f.Close() }() // what was not written has been told
			d.Truth = f
		}
		switch name {
		case "haining":
			return d.Haining(ctx)
		case "dc":
			return d.DC(ctx)
		}
		return nil
	}, nil
}
