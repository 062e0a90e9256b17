package app

import (
	"sync"
	"time"

	"gridgov/internal/cube"
	"gridgov/internal/policy"
)

// PublicLeast is how many reports a square of the public heat holds at least.
const PublicLeast = 3

// publicHeat keeps the months that were asked for, as they were at the start of a day.
type publicHeat struct {
	mu     sync.Mutex
	until  time.Time // nothing captured from here on is in them
	months map[time.Time]*cube.Published
}

// maxMonths bounds the months kept; a city that shows more makes them anew.
const maxMonths = 240

// PublicUntil is up to when reports are in the public heat: the start of yesterday in the city, so that whoever sees
// somebody report does not find the report a moment later.
func (c *City) PublicUntil() time.Time {
	y, m, d := c.now().In(c.Zone).Date()
	return time.Date(y, m, d-1, 0, 0, 0, 0, c.Zone)
}

// PublicMonths lists the months that the public heat has, from that of the first report to that of the last, by their starts in
// the city's zone.
func (l *Live) PublicMonths() (months []time.Time) {
	first, last, any := l.Span()
	until := l.PublicUntil()
	if !any || !first.Before(until) {
		return nil
	}
	y, m, _ := first.In(l.Zone).Date()
	for at := time.Date(y, m, 1, 0, 0, 0, 0, l.Zone); at.Before(until) && !at.After(last); at = at.AddDate(0, 1, 0) {
		months = append(months, at)
	}
	return months
}

// PublicHeat counts the placed reports that were captured in the month that begins then; ok is false for a month that it
// does not have.
func (l *Live) PublicHeat(month time.Time) (p *cube.Published, ok bool) {
	until := l.PublicUntil()
	if months := l.PublicMonths(); len(months) == 0 || month.Before(months[0]) || !month.Before(until) || month.Day() != 1 {
		return nil, false
	}
	h := &l.public
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.until.Equal(until) || len(h.months) >= maxMonths {
		h.until, h.months = until, map[time.Time]*cube.Published{}
	}
	if p = h.months[month]; p == nil {
		end := month.AddDate(0, 1, 0)
		if end.After(until) {
			end = until
		}
		p = l.View().Publish(cube.Filter{From: seconds(month), To: max(seconds(end), 1), Faces: l.placed()}, PublicLeast)
		h.months[month] = p
	}
	return p, true
}

func seconds(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), 1<<32-2)) }

// placed are the faces that lie in a grid.
func (l *Live) placed() *cube.FaceSet {
	return l.FacesIn(policy.Area{Level: policy.City})
}
