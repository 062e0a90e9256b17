package app

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/hotspot"
	"gridgov/internal/jurisdiction"
)

// maxPeriods bounds the memory of what is counted by unit and period.
const maxPeriods = 1000

// epoch is day 0 of what is counted in days of the city's calendar.
const epoch = `DATE '1970-01-01'`

// Events are the reports that lie in a unit of the level, with their points in a plane in metres, and their days as the city's calendar
// has them, in the order in which they were filed; of too many for Knox, one more than it takes. Faults: those of counting, no_reports.
func (c *City) Events(ctx context.Context, q Counted) ([]hotspot.Event, error) {
	lv, err := c.counting(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := c.Pool.Query(ctx, `SELECT r.lon, r.lat, (r.captured_at AT TIME ZONE $4)::date - `+epoch+lv.from+`AND r.lon IS NOT NULL ORDER BY r.num LIMIT $5`,
		append(lv.args, c.Zone.String(), hotspot.MaxEvents+1)...)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	var points []orb.Point
	var events []hotspot.Event
	var p orb.Point
	var day int
	if _, err := pgx.ForEachRow(rows, []any{&p[0], &p[1], &day}, func() error {
		points, events = append(points, p), append(events, hotspot.Event{Day: float64(day)})
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	if len(events) == 0 {
		return nil, noReports()
	}
	for i, at := range hotspot.Plane(points) {
		events[i].At = at
	}
	return events, nil
}

func noReports() error {
	return fault.Invalid("from", "no_reports", "no report of that item and time lies in a unit of the level")
}

// Periods is a level of the plan in force with what was counted in each of its units, by periods of some days.
type Periods struct {
	Units []jurisdiction.Unit
	Seen  [][]int   // by unit, then by period
	Base  []float64 // as of Mapped
	First time.Time // day of the first period, 00:00 in the city
	Days  int       // of a period; the last one may have begun only
}

// Periods counts reports by the units of a level and by so many days, from q.From on, or from the day of the first report, to q.To or the
// day of the last one. Faults: those of counting, no_reports, bad_days.
func (c *City) Periods(ctx context.Context, q Counted, days int) (*Periods, error) {
	if days < 1 {
		return nil, fault.Invalid("days", "bad_days", "a period of %d days: give 1 or more", days)
	}
	lv, err := c.counting(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := c.Pool.Query(ctx, `SELECT `+lv.unit+`, (r.captured_at AT TIME ZONE $4)::date - `+epoch+`, count(*)`+lv.from+`GROUP BY 1, 2 ORDER BY 2, 1`,
		append(lv.args, c.Zone.String())...)
	if err != nil {
		return nil, fmt.Errorf("count reports by day: %w", err)
	}
	type counted struct{ unit, day, n int }
	var all []counted
	var code string
	var day, n int
	if _, err := pgx.ForEachRow(rows, []any{&code, &day, &n}, func() error {
		if unit := lv.Coverage.Index(code); unit >= 0 {
			all = append(all, counted{unit, day, n})
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("count reports by day: %w", err)
	}
	if len(all) == 0 {
		return nil, noReports()
	}
	first, last := all[0].day, all[len(all)-1].day
	if !q.From.IsZero() {
		first = dayOf(q.From, c.Zone)
	}
	if !q.To.IsZero() {
		last = max(last, min(dayOf(q.To.Add(-time.Nanosecond), c.Zone), dayOf(c.now(), c.Zone)))
	}
	periods := (last-first)/days + 1
	if periods > maxPeriods {
		return nil, fault.Invalid("days", "bad_days", "%d days are %d periods of %d: take longer ones, or a shorter time, %d at most", last-first+1, periods, days, maxPeriods)
	}
	out := &Periods{Units: lv.Units, Seen: make([][]int, len(lv.Units)), Base: bases(lv.Units), Days: days, First: time.Date(1970, 1, 1+first, 0, 0, 0, 0, c.Zone)}
	for i := range out.Seen {
		out.Seen[i] = make([]int, periods)
	}
	for _, k := range all {
		out.Seen[k.unit][(k.day-first)/days] += k.n
	}
	return out, nil
}

// dayOf counts days of the city's calendar from epoch on.
func dayOf(at time.Time, zone *time.Location) int {
	y, m, d := at.In(zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}
