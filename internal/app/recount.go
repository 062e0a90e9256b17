package app

import (
	"context"
	"slices"
	"time"

	"gridgov/internal/casework"
	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// RecountCases counts the open cases by the calendar in force, as far as they are counted by an older one.
func (c *City) RecountCases(ctx context.Context) (casework.Recounted, error) {
	now := c.now()
	// The database is asked, not what is in memory: a node that does not know the latest calendar yet counts nothing back.
	current, err := c.Regimes.Current(ctx, regime.Calendar, now)
	if err != nil {
		return casework.Recounted{}, err
	}
	all, err := c.Regimes.List(ctx, regime.Calendar)
	if err != nil {
		return casework.Recounted{}, err
	}
	calendar, err := worktime.Parse(current.Content)
	if err != nil {
		return casework.Recounted{}, err
	}
	defer c.Announce()
	return c.Cases.Recount(ctx, calendar, current.ID, before(all, current.ID), nil)
}

// TakeCasesOver takes open cases over to the lists in force of which that was asked.
func (c *City) TakeCasesOver(ctx context.Context) error {
	now := c.now()
	asked, err := c.Cases.ToRelimit(ctx, now)
	if err != nil || len(asked) == 0 {
		return err
	}
	all, err := c.Regimes.List(ctx, regime.Catalogue)
	if err != nil {
		return err
	}
	in, err := c.Regimes.InForce(ctx, now)
	if err != nil {
		return err
	}
	defer c.Announce()
	list := func(id regime.ID) (*catalogue.Catalogue, error) { return c.ListUnder(ctx, id) }
	for _, to := range asked {
		moved, err := c.Cases.TakeOver(ctx, to, in, before(all, to.ID), list, nil)
		if err != nil {
			return err
		}
		c.log.Info("open cases were taken over to the list in force", "list", to.ID, "cases", moved.Cases, "clocks", moved.Clocks)
	}
	return nil
}

// before are the published documents that came in force before one of them.
func before(all []regime.Document, id regime.ID) (older []regime.ID) {
	at := slices.IndexFunc(all, func(d regime.Document) bool { return d.ID == id })
	for i := range all {
		if d := &all[i]; at >= 0 && !d.Draft && d.InForceFrom.Before(all[at].InForceFrom) {
			older = append(older, d.ID)
		}
	}
	return older
}

// How often, and how long after another calendar came in force, it is looked whether somebody who did not know it yet has
// counted a case by the one before.
const (
	lateTime  = 3 * time.Minute
	lateEvery = 15 * time.Second
)

// watchOpenCases counts open cases anew when another calendar comes in force, and takes them over to another list where that was
// asked for: at once when it is published, at its moment when it was published ahead, and at the start, as whoever began it may
// have stopped.
func (l *Live) watchOpenCases(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var done, list regime.ID
	var since, last time.Time
	for {
		id := l.Regime().CalendarID
		if id != done || time.Since(since) < lateTime && time.Since(last) >= lateEvery {
			moved, err := l.RecountCases(ctx)
			switch {
			case err == nil:
				if last = time.Now(); id != done {
					done, since = id, last
				}
				if moved.Clocks > 0 {
					l.log.Info("open cases are counted by the calendar in force", "calendar", id, "cases", moved.Cases, "clocks", moved.Clocks)
				}
			case ctx.Err() == nil && !fault.Is(err, fault.KindNotFound):
				l.log.Warn("counting open cases by the calendar in force stopped, will go on", "err", err)
			}
		}
		if id := l.Regime().CatalogueID; id != list {
			if err := l.TakeCasesOver(ctx); err == nil {
				list = id
			} else if ctx.Err() == nil {
				l.log.Warn("taking open cases over to the list in force stopped, will go on", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
