// Package worktime counts working time: the engine of every deadline.
//
// One definition carries the package: a moment is working time when the wall clock of the calendar's zone then reads a
// time within the hours of that date. All else follows. An hour that the zone skips in spring holds no working time, one
// that it repeats in autumn holds it twice, a day that a zone never had holds none, and midnight is a moment like others.
//
// Conventions. Intervals are half-open: hours 08:30-12:00 hold 08:30:00 and not 12:00:00. All is counted in whole seconds;
// the fraction of a moment is cut off first. Due is the first moment at which the budget is used up, so it falls on the
// end of a working interval (17:00) and never on the beginning of the next one (09:00 tomorrow). Hence, for all moments
// a, b, c and all s, t ≥ 0 whose dues lie before the Horizon:
//
//	Between(a, b) + Between(b, c) == Between(a, c)
//	Between(a, Due(a, s)) == s
//	Due(Due(a, s), t) == Due(a, s+t)
//	Due(a, Between(a, b)) <= b                     where a <= b
//
// The package is pure: no SQL, no HTTP, no clock of its own. A Calendar never changes once made and may be used by any
// number of goroutines; a Clock is a value.
package worktime

import (
	"slices"
	"sync/atomic"
	"time"
)

// Horizon is the end of counted time, 2242-03-16T12:56:32Z; counted time begins in 1970. Outside no calendar has working
// time: a due that would lie beyond is the Horizon, which is to say never. It keeps each search finite.
var Horizon = time.Unix(horizon, 0).UTC()

// Calendar tells working time from other time in one zone. Make it with New or Parse.
type Calendar struct {
	doc    Document
	zone   *time.Location
	week   [7][]Hours // by time.Weekday
	days   map[Date]*dayRule
	known  [2]int // first and last year whose days that differ are listed; 0, 0: none
	tables [chunks]atomic.Pointer[table]
}

// dayRule is a day that differs, prepared.
type dayRule struct {
	kind  Kind
	name  Words
	hours []Hours
}

// Zone is the zone whose wall clock the hours are read on.
func (c *Calendar) Zone() *time.Location { return c.zone }

// DaySeconds is the nominal length of a working day: what one work_day counts, in seconds.
func (c *Calendar) DaySeconds() int64 { return int64(c.doc.DayMinutes) * 60 }

// Between is the working time in [a, b), in seconds; it is negative where b lies before a.
func (c *Calendar) Between(a, b time.Time) int64 {
	from, to := clamp(a.Unix()), clamp(b.Unix())
	if from>>chunkBits == to>>chunkBits {
		t := c.table(from >> chunkBits)
		return t.worked(to&chunkMask) - t.worked(from&chunkMask)
	}
	if to < from {
		return -c.between(to, from)
	}
	return c.between(from, to)
}

// between is Between for moments of different chunks, from before to.
func (c *Calendar) between(from, to int64) int64 {
	first := c.table(from >> chunkBits)
	sum := first.total - first.worked(from&chunkMask)
	for i := from>>chunkBits + 1; i < to>>chunkBits; i++ {
		sum += c.table(i).total
	}
	if i := to >> chunkBits; i < chunks {
		sum += c.table(i).worked(to & chunkMask)
	}
	return sum
}

// Due is the first moment at which seconds of working time have passed since from, in the calendar's zone and in whole
// seconds. No budget, or less, is due at from itself. A due that would lie beyond the Horizon is the Horizon, or from
// itself where that is later.
func (c *Calendar) Due(from time.Time, seconds int64) time.Time {
	if seconds <= 0 {
		return time.Unix(from.Unix(), 0).In(c.zone)
	}
	at := clamp(from.Unix())
	if at < horizon {
		t := c.table(at >> chunkBits)
		want := t.worked(at&chunkMask) + seconds // counted from the chunk's beginning
		for i := at >> chunkBits; ; t = c.table(i) {
			if want <= t.total {
				return time.Unix(i<<chunkBits+t.reached(want), 0).In(c.zone)
			}
			want -= t.total
			if i++; i == chunks {
				break
			}
		}
	}
	return time.Unix(max(from.Unix(), horizon), 0).In(c.zone)
}

// AtWork reports whether the moment is working time.
func (c *Calendar) AtWork(at time.Time) bool {
	s := clamp(at.Unix())
	if s != at.Unix() || s == horizon {
		return false
	}
	t := c.table(s >> chunkBits)
	return t.worked(s&chunkMask+1) > t.worked(s&chunkMask)
}

// Spells are the spells of working time between two moments, in order, as far as a year on from the first.
func (c *Calendar) Spells(a, b time.Time) func(yield func(from, to time.Time) bool) {
	from, to := clamp(a.Unix()), clamp(b.Unix())
	to = min(to, from+366*secondsPerDay)
	return func(yield func(from, to time.Time) bool) {
		var open [2]int64
		for s := range c.stretches(from, to) {
			if !s.work {
				continue
			}
			if s.from == open[1] && open[1] > open[0] {
				open[1] = s.to
				continue
			}
			if open[1] > open[0] && !yield(time.Unix(open[0], 0), time.Unix(open[1], 0)) {
				return
			}
			open = [2]int64{s.from, s.to}
		}
		if open[1] > open[0] {
			yield(time.Unix(open[0], 0), time.Unix(open[1], 0))
		}
	}
}

// Knows reports whether the calendar lists the year's days that differ. In a year that it does not know, the week alone
// decides.
func (c *Calendar) Knows(year int) bool {
	return c.known[0] <= year && year <= c.known[1] && c.known[0] != 0
}

// UnknownYears lists the years, ascending, that [a, b] touches in the calendar's zone and whose days that differ it does
// not list: a deadline between the two depends on a list that is not there yet. Years beyond the Horizon are left out.
func (c *Calendar) UnknownYears(a, b time.Time) []int {
	if b.Before(a) {
		a, b = b, a
	}
	var years []int
	last := min(b.In(c.zone).Year(), Horizon.Year())
	for y := max(a.In(c.zone).Year(), 1970); y <= last; y++ {
		if !c.Knows(y) {
			years = append(years, y)
		}
	}
	return years
}

// DayOf is how the calendar takes a date: the kind and names of a day that differs (KindOrdinary and none for others) and
// the hours in force.
func (c *Calendar) DayOf(date Date) Day {
	if d := c.days[date]; d != nil {
		return Day{Date: date, Kind: d.kind, Words: d.name, Hours: slices.Clone(d.hours)}
	}
	return Day{Date: date, Kind: KindOrdinary, Hours: slices.Clone(c.week[date.Weekday()])}
}
