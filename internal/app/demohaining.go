package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/audit"
	"gridgov/internal/demo/haining"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/place"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// Haining loads the city of Haining: its real outline and names, and generated lines and reports. The day of the first
// load is kept, so that loading again, on whatever day, generates the same reports and changes nothing.
func (d Demo) Haining(ctx context.Context) error {
	levels, err := postgres.ParseLevels(haining.Levels)
	if err != nil {
		return err
	}
	c, err := d.ensureCity(ctx, postgres.City{Code: haining.Code, Name: haining.Name, Timezone: haining.Timezone, SRID: haining.SRID,
		Levels: levels, Generated: true, Demo: true})
	if err != nil {
		return err
	}
	defer c.Close()
	until, done, err := d.demoDay(ctx, c)
	if err != nil {
		return err
	}
	if done {
		if err := makeAccounts(ctx, c, haining.VillageCode); err != nil {
			return err
		}
		if err := hainingDesk(ctx, c); err != nil {
			return err
		}
		if _, err := c.OpenEarlier(ctx); err != nil { // of a demo that an earlier version loaded
			return err
		}
		if err := hainingPatrols(ctx, c, until); err != nil { // likewise
			return err
		}
		d.Say("haining: loaded before, with reports up to %s", until.Format(time.DateOnly))
		return d.hainingTruth(until)
	}
	d.Say("haining: drawing the demo's lines")
	plan, err := haining.Boundaries()
	if err != nil {
		return err
	}
	if err := c.SetAttribution(ctx, []string{haining.Attribution}); err != nil {
		return err
	}
	if err := d.hainingItems(ctx, c); err != nil {
		return err
	}
	if err := d.hainingBoundaries(ctx, c, plan, until); err != nil {
		return err
	}
	if err := d.hainingPlaces(ctx, c, plan); err != nil {
		return err
	}
	if err := makeAccounts(ctx, c, haining.VillageCode); err != nil {
		return err
	}
	if err := hainingDesk(ctx, c); err != nil {
		return err
	}
	if err := d.hainingReports(ctx, c, plan, until); err != nil {
		return err
	}
	if err := workDemo(ctx, c); err != nil {
		return err
	}
	if err := hainingOrders(ctx, c, plan.Hotspots(until), until); err != nil {
		return err
	}
	if err := hainingPatrols(ctx, c, until); err != nil {
		return err
	}
	if err := finishDemo(ctx, c); err != nil {
		return err
	}
	return d.hainingTruth(until)
}

// hainingTruth writes what was planted among the generated reports, for whoever tests what finds it.
func (d Demo) hainingTruth(until time.Time) error {
	if d.Truth == nil {
		return nil
	}
	plan, err := haining.Boundaries()
	if err != nil {
		return err
	}
	e := json.NewEncoder(d.Truth)
	e.SetIndent("", "  ")
	return e.Encode(plan.Hotspots(until))
}

// demoDay returns the last day of the city's generated reports: the one kept from the first load, or this one, which it
// keeps. done tells that the demo was loaded whole.
func (d Demo) demoDay(ctx context.Context, c *City) (until time.Time, done bool, err error) {
	until = d.Until
	if until.IsZero() {
		until = d.Now().In(c.Zone)
	}
	err = pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO demo (one, until, loaded) VALUES (true, $1, false) ON CONFLICT (one) DO NOTHING`, until.Format(time.DateOnly))
		return err
	})
	if err != nil {
		return until, false, fmt.Errorf("keep the demo's day: %w", err)
	}
	var day time.Time
	if err := c.Pool.QueryRow(ctx, `SELECT until, loaded FROM demo`).Scan(&day, &done); err != nil {
		return until, false, fmt.Errorf("read the demo's day: %w", err)
	}
	y, m, dd := day.Date()
	return time.Date(y, m, dd, 12, 0, 0, 0, c.Zone), done, nil
}

func finishDemo(ctx context.Context, c *City) error {
	return pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE demo SET loaded = true WHERE one`); err != nil {
			return err
		}
		_, err := c.Writer.Append(ctx, tx, c.now().UTC(), nil, audit.Record{Act: "demo.load", Subject: "city:" + c.Code})
		return err
	})
}

func (d Demo) hainingItems(ctx context.Context, c *City) error {
	var items []report.Item
	for _, i := range haining.Items() {
		items = append(items, report.Item{Code: i.Code, Name: i.Name, NameEN: i.Latin, Aspect: i.Aspect})
	}
	return c.Reports.SetItems(ctx, items)
}

func (d Demo) hainingBoundaries(ctx context.Context, c *City, plan *haining.Plan, until time.Time) error {
	if p, err := c.Plans.Plan(ctx, haining.PlanName); err == nil && (p.State == jurisdiction.Published || p.State == jurisdiction.Retired) {
		return nil
	}
	for i, level := range c.Plans.Levels {
		in := jurisdiction.Import{Plan: haining.PlanName, Level: level, File: "generated", WithParent: i > 0, Generated: true}
		for n, v := range plan.Level(string(level.Role)) {
			in.Faces = append(in.Faces, jurisdiction.Face{Code: v.Code, Name: v.Name, NameLatin: v.Latin, Parent: v.Parent,
				Households: new(v.Households), Population: new(v.Population), Line: n + 1, Shape: orb.MultiPolygon{v.Shape}})
		}
		out, err := c.Plans.ImportLevel(ctx, in)
		if err != nil {
			return err
		}
		if len(out.Rejects) > 0 {
			return fmt.Errorf("level %s: %w", level.Role, out.Rejects[0])
		}
		d.Say("haining: %s, %d faces", level.Name, out.Faces)
	}
	// In force from before the first report.
	if _, err := c.Plans.Publish(ctx, haining.PlanName, until.AddDate(0, 0, -haining.Days-1)); err != nil {
		return err
	}
	return c.settle(ctx)
}

func (d Demo) hainingPlaces(ctx context.Context, c *City, plan *haining.Plan) error {
	var entries []place.Entry
	for _, p := range plan.Places() {
		if len(p.Aliases) > 0 { // the others are known by the plan's own names
			entries = append(entries, place.Entry{Code: p.Code, Name: p.Aliases[0], Aliases: p.Aliases[1:], Kind: "division", Lon: p.At[0], Lat: p.At[1]})
		}
	}
	if _, err := place.Save(ctx, c.Pool, c.Writer, d.Now().UTC(), entries); err != nil {
		return err
	}
	return c.ReloadPlaces(ctx)
}

func (d Demo) hainingReports(ctx context.Context, c *City, plan *haining.Plan, until time.Time) error {
	var first *report.Reject
	out, err := c.Reports.Import(ctx, generated(plan.Reports(until)), report.ImportOptions{
		Reject: func(r report.Reject) { first = &r },
		Progress: func(rows int64) {
			c.Announce()
			if d.Show != nil {
				d.Show(rows, haining.Total)
			}
		}})
	if err == nil && first != nil {
		err = errors.Join(errors.New("a generated report was refused"), first.Reason)
	}
	if err != nil {
		return err
	}
	d.Say("haining: %d generated reports added, %d there before; %d lie in no grid", out.Added, out.Present, out.Unplaced)
	return nil
}

// generated turns the demo's reports into rows of an import. Their ids are their own: they have no other source.
func generated(reports iter.Seq[haining.Report]) iter.Seq2[report.Row, *report.Reject] {
	return func(yield func(report.Row, *report.Reject) bool) {
		line := 0
		for r := range reports {
			line++
			n := report.New{ID: report.ID(r.ID), Source: report.Source(r.Source), CapturedAt: r.CapturedAt, Item: r.Item, Kind: report.Kind(r.Kind),
				Title: r.Title, Address: r.Address, Generated: true}
			if r.Located {
				n.X, n.Y = &r.Lon, &r.Lat
			}
			if r.AccuracyM > 0 {
				n.AccuracyM = &r.AccuracyM
			}
			if !r.ClosedAt.IsZero() {
				n.ClosedAt = &r.ClosedAt
			}
			if !yield(report.Row{Line: line, New: n}, nil) {
				return
			}
		}
	}
}
