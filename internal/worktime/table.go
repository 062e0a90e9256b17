package worktime

import (
	"sort"
	"time"
)

// Counted time is cut into chunks of 2^25 seconds (388 days). A chunk's table is made when it is first asked for: a
// calendar serves the present and its neighbours, and 30 kB a calendar keep thousands of versions at hand.
const (
	chunkBits = 25
	chunkMask = 1<<chunkBits - 1
	chunks    = 256
	horizon   = chunks << chunkBits

	// A slot is 2^16 seconds (18 hours); it leads to the first interval that may hold a moment.
	slotBits = 16
	slots    = 1 << (chunkBits - slotBits)
)

const secondsPerDay = 24 * 60 * 60

// clamp keeps Unix seconds within counted time.
func clamp(unix int64) int64 { return min(max(unix, 0), horizon) }

// table holds one chunk's working intervals and what was worked before each. Moments are seconds since the chunk's
// beginning.
type table struct {
	intervals []interval
	first     [slots + 1]uint16 // by slot: the first interval that ends after the slot's beginning
	total     int64
}

// interval is working time [from, to).
type interval struct {
	from, to, before int32
}

// worked is the working time in [0, at).
func (t *table) worked(at int64) int64 {
	for i := int(t.first[at>>slotBits]); i < len(t.intervals); i++ {
		v := &t.intervals[i]
		if at < int64(v.to) {
			return int64(v.before) + max(0, at-int64(v.from))
		}
	}
	return t.total
}

// reached is the first moment at which want has been worked, for 0 < want <= total.
func (t *table) reached(want int64) int64 {
	i := sort.Search(len(t.intervals), func(i int) bool { return int64(t.intervals[i].before) >= want }) - 1
	v := t.intervals[i]
	return int64(v.from) + want - int64(v.before)
}

// table returns a chunk's table. Two goroutines may make the same one at once; they are equal, and either is kept.
func (c *Calendar) table(chunk int64) *table {
	if chunk == chunks {
		return &table{} // the Horizon itself: nothing is worked from there
	}
	if t := c.tables[chunk].Load(); t != nil {
		return t
	}
	t := c.newTable(chunk << chunkBits)
	c.tables[chunk].Store(t)
	return t
}

func (c *Calendar) newTable(start int64) *table {
	t := &table{}
	for s := range c.stretches(start, start+1<<chunkBits) {
		if !s.work {
			continue
		}
		// Intervals that touch, as over midnight, may stay two: a due at the end of one is the beginning of the other.
		t.intervals = append(t.intervals, interval{from: int32(s.from - start), to: int32(s.to - start), before: int32(t.total)})
		t.total += s.to - s.from
	}
	i := 0
	for slot := range t.first {
		for i < len(t.intervals) && int64(t.intervals[i].to) <= int64(slot)<<slotBits {
			i++
		}
		t.first[slot] = uint16(i)
	}
	return t
}

// stretch is time [from, to) in Unix seconds, of one local date, one offset of the zone, and all work or none.
type stretch struct {
	from, to int64
	date     Date
	work     bool
}

// stretches cuts [a, b) into stretches, in order and without a gap. It is the package's one reading of the definition:
// within a time of constant offset the wall clock is a sum.
func (c *Calendar) stretches(a, b int64) func(yield func(stretch) bool) {
	return func(yield func(stretch) bool) {
		for at := a; at < b; {
			moment := time.Unix(at, 0).In(c.zone)
			_, seconds := moment.Zone()
			offset, end := int64(seconds), b
			if _, next := moment.ZoneBounds(); !next.IsZero() {
				// On 31 December of leap years beyond a zone's listed changes, ZoneBounds ends at that day's beginning in
				// UTC: there the offset holds until the year's end.
				if end = min(b, next.Unix()); end <= at {
					end = min(b, (at/secondsPerDay+1)*secondsPerDay)
				}
			}
			for at < end {
				date := dateOfLocal(at + offset)
				midnight := int64(date)*secondsPerDay - offset
				for _, h := range c.hoursOf(date) {
					from, to := min(midnight+int64(h.From)*60, end), min(midnight+int64(h.To)*60, end)
					if from > at {
						if !yield(stretch{from: at, to: from, date: date}) {
							return
						}
						at = from
					}
					if to > at {
						if !yield(stretch{from: at, to: to, date: date, work: true}) {
							return
						}
						at = to
					}
				}
				if to := min(midnight+secondsPerDay, end); to > at {
					if !yield(stretch{from: at, to: to, date: date}) {
						return
					}
					at = to
				}
			}
		}
	}
}

// dateOfLocal is the date of a wall clock reading, given as Unix seconds as if the zone were UTC.
func dateOfLocal(local int64) Date {
	day := local / secondsPerDay
	if local%secondsPerDay < 0 {
		day--
	}
	return Date(day)
}

func (c *Calendar) hoursOf(date Date) []Hours {
	if d := c.days[date]; d != nil {
		return d.hours
	}
	return c.week[date.Weekday()]
}
