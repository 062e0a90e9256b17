package app

import (
	"context"
	"time"

	"gridgov/internal/casework"
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
	var older []regime.ID
	for i := range all {
		if d := &all[i]; !d.Draft && d.InForceFrom.Before(current.InForceFrom) {
			older = append(older, d.ID)
		}
	}
	calendar, err := worktime.Parse(current.Content)
	if err != nil {
		return casework.Recounted{}, err
	}
	defer c.Announce()
	return c.Cases.Recount(ctx, calendar, current.ID, older, nil)
}

// How often, and how long after another calendar came in force, it is looked whether somebody who did not know it yet has
// counted a case by the one before.
const (
	lateTime  = 3 * time.Minute
	lateEvery = 15 * time.Second
)

// watchCalendar counts open cases anew when another calendar comes in force: at once when it is published, at its moment when
// it was published ahead, and at the start, as whoever began it may have stopped.
func (l *Live) watchCalendar(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var done regime.ID
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
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
