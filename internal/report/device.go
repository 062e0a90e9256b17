package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/placement"
)

// Device is what only the phone that took a report knows.
type Device struct {
	// PositionAt is when the phone was where the report says, by the service's clock as far as the phone knows it; nil: it did not
	// measure its position.
	PositionAt *time.Time
	AheadMs    int64  // how far the phone's clock was ahead of the service's
	Plan       string // the version of the plan under which it placed the report; "": it placed none
	Grid       string // its code; "": in none that the phone knows
	Sure       bool   // whether its answer is that of whoever knows all grids
}

// maxAheadMs bounds how far off a phone's clock may be said to be: one that began anew in 1970 is.
const maxAheadMs = 100 * 365 * 24 * 3_600_000

func (d *Device) check(now time.Time) *fault.Error {
	if err := checkText("device.plan", d.Plan, 64, false); err != nil {
		return err
	}
	if err := checkText("device.grid", d.Grid, 64, false); err != nil {
		return err
	}
	switch {
	case d.AheadMs > maxAheadMs || d.AheadMs < -maxAheadMs:
		return fault.Invalid("device.clock_ahead_ms", "out_of_range", "is more than a hundred years")
	case d.Plan == "" && (d.Grid != "" || d.Sure):
		return fault.Invalid("device.plan", "required", "is missing: say by which plan the phone placed the report")
	case d.PositionAt != nil && (d.PositionAt.Year() < 1970 || d.PositionAt.After(now.Add(clockAhead))):
		return fault.Invalid("device.position_at", "out_of_range", "%s is before 1970 or more than a day ahead", d.PositionAt.Format(time.RFC3339))
	}
	return nil
}

// stored is what of it the database keeps, by which a retry is known.
func (d *Device) stored() *Device {
	if d == nil {
		return nil
	}
	c := *d
	if c.PositionAt != nil {
		at := stored(*c.PositionAt)
		c.PositionAt = &at
	}
	return &c
}

func (d *Device) insert(ctx context.Context, tx pgx.Tx, num Num) error {
	if _, err := tx.Exec(ctx, `INSERT INTO report_device (report_num, position_at, ahead_ms, plan, grid, sure) VALUES ($1, $2, $3, $4, $5, $6)`,
		num, d.PositionAt, d.AheadMs, null(d.Plan), null(d.Grid), d.Sure); err != nil {
		return fmt.Errorf("keep what the phone knows of report %d: %w", num, err)
	}
	return nil
}

// DeviceOf reads what the phone that took a report told of itself; nil: none did, or the report was made anonymous.
func (s *Service) DeviceOf(ctx context.Context, num Num) (*Device, error) {
	var d Device
	var plan, grid *string
	err := s.Pool.QueryRow(ctx, `SELECT position_at, ahead_ms, plan, grid, sure FROM report_device WHERE report_num = $1`, num).
		Scan(&d.PositionAt, &d.AheadMs, &plan, &grid, &d.Sure)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read what the phone knows of a report: %w", err)
	}
	d.Plan, d.Grid = deref(plan), deref(grid)
	return &d, nil
}

// Fix is where somebody was, by a phone that measured it.
type Fix struct {
	At        time.Time
	Point     orb.Point
	AccuracyM float64
}

// FixesAround are the same person's measured positions before and after a report: of the report on either side of it in time, none
// where there is none, or nobody is known to have filed it.
func (s *Service) FixesAround(ctx context.Context, r *Report) ([]Fix, error) {
	if r.FiledBy == nil {
		return nil, nil
	}
	const side = `(SELECT coalesce(d.position_at, r.captured_at), r.lon, r.lat, coalesce(r.accuracy_m, $4) FROM report r LEFT JOIN report_device d ON d.report_num = r.num
		WHERE r.filed_by = $1 AND r.num <> $3 AND r.captured_at %s $2 AND r.source = 'phone' AND r.position_source IN ('gps', 'network') AND r.located = 'point'
		ORDER BY r.captured_at %s, r.num LIMIT 1)`
	rows, err := s.Pool.Query(ctx, fmt.Sprintf(side, "<=", "DESC")+` UNION ALL `+fmt.Sprintf(side, ">", "ASC"), *r.FiledBy, r.CapturedAt, r.Num, placement.DefaultAccuracyM)
	if err != nil {
		return nil, fmt.Errorf("read where somebody was: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f Fix, err error) {
		err = row.Scan(&f.At, &f.Point[0], &f.Point[1], &f.AccuracyM)
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("read where somebody was: %w", err)
	}
	return list, nil
}

// AsTold is where a report lay before anybody moved it; nil: it had no point, or was made anonymous.
func (s *Service) AsTold(ctx context.Context, r *Report) (*orb.Point, error) {
	if r.Located != LocatedHand {
		if r.Lon == nil {
			return nil, nil
		}
		return &orb.Point{*r.Lon, *r.Lat}, nil
	}
	var lon, lat *float64
	err := s.Pool.QueryRow(ctx, `SELECT lon_before, lat_before FROM position_set WHERE report_num = $1 ORDER BY at LIMIT 1`, r.Num).Scan(&lon, &lat)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read where a report lay: %w", err)
	}
	if lon == nil {
		return nil, nil
	}
	return &orb.Point{*lon, *lat}, nil
}

// ForgetDevices removes, in the transaction that erases somebody who works here, where and when their phone was.
func ForgetDevices(ctx context.Context, tx pgx.Tx, person uuid.UUID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM report_device d USING report r WHERE r.num = d.report_num AND r.filed_by = $1`, person); err != nil {
		return fmt.Errorf("forget what somebody's phone knew: %w", err)
	}
	return nil
}

// Doubt is why a position, a time or a place is to be looked at by somebody. It refuses nothing.
type Doubt string

// The doubts, in the order in which they are told.
const (
	Stale          Doubt = "stale"           // the position was measured more than 2 minutes before the report was made
	ExactZero      Doubt = "exact_zero"      // an accuracy of exactly 0 is measured by no phone: it was made up
	TooFast        Doubt = "too_fast"        // faster than 50 m/s from where the same person was before, or to where they were after
	PhotoElsewhere Doubt = "photo_elsewhere" // a photo was taken more than 1 km away, by what it says of itself
	ClockOff       Doubt = "clock_off"       // the phone's clock was more than 5 minutes off
	Late           Doubt = "late"            // it came more than 30 days after
	Far            Doubt = "far"             // more than 2 km outside of all grids
	OtherGrid      Doubt = "other_grid"      // the phone said another grid than the service did when it came
)

// Limits of what is doubted.
const (
	staleAfter   = 2 * time.Minute
	fastest      = 50.0   // m/s: 180 km/h, of which no road of a grid is
	elsewhereM   = 1000.0 // twice what a camera is off that takes GCJ-02 for WGS 84, some 490 m at Haining
	clockOff     = 5 * time.Minute
	lateAfter    = 30 * 24 * time.Hour
	farM         = 2000.0
	guessedM     = 50.0 // accuracy of a camera's position, which says none
	shortestTime = time.Second
)

// Flag is a doubt with what it is about.
type Flag struct {
	Doubt  Doubt
	Metres float64       // too_fast, photo_elsewhere
	Time   time.Duration // stale, too_fast, clock_off (ahead of the service's where it is positive), late
}

// Seen is a report with what stands beside it when it is looked at.
type Seen struct {
	Report *Report
	Told   *orb.Point  // where it lay before anybody moved it; nil: nowhere
	Device *Device     // nil: no phone told of itself
	Around []Fix       // where the same person was before and after
	Photos []orb.Point // where its photos say that they were taken
}

// Flags finds what is doubtful of a report. Positions are given the benefit of their accuracies: what may be true is not doubted.
func (s *Seen) Flags() []Flag {
	var out []Flag
	r, d := s.Report, s.Device
	source := deref(r.PositionSource)
	measured := s.Told != nil && (source == "gps" || source == "network")
	if d != nil && d.PositionAt != nil && measured {
		if age := r.CapturedAt.Sub(*d.PositionAt); age > staleAfter {
			out = append(out, Flag{Doubt: Stale, Time: age})
		}
	}
	if measured && r.AccuracyM != nil && *r.AccuracyM == 0 {
		out = append(out, Flag{Doubt: ExactZero})
	}
	if measured {
		here := Fix{At: r.CapturedAt, Point: *s.Told, AccuracyM: accuracy(r)}
		if d != nil && d.PositionAt != nil {
			here.At = *d.PositionAt
		}
		if f, ok := fastestOf(here, s.Around); ok {
			out = append(out, f)
		}
	}
	if s.Told != nil && source != "" {
		far := 0.0
		for _, p := range s.Photos {
			far = max(far, placement.DistanceM(*s.Told, p)-accuracy(r)-guessedM)
		}
		if far > elsewhereM {
			out = append(out, Flag{Doubt: PhotoElsewhere, Metres: far})
		}
	}
	if d != nil {
		if ahead := time.Duration(d.AheadMs) * time.Millisecond; ahead.Abs() > clockOff {
			out = append(out, Flag{Doubt: ClockOff, Time: ahead})
		}
	}
	if age := r.ReceivedAt.Sub(r.CapturedAt); r.Source == "phone" && age > lateAfter {
		out = append(out, Flag{Doubt: Late, Time: age})
	}
	if p := &r.Placement; r.Located == LocatedPoint && p.Method == placement.MethodUnplaced && p.PlanID != 0 && (p.DistanceM == nil || *p.DistanceM > farM) {
		out = append(out, Flag{Doubt: Far, Metres: deref(p.DistanceM)})
	}
	// Of a report that was placed anew since, the phone's answer is that to another question.
	if d != nil && d.Sure && r.Located == LocatedPoint && !r.Placement.Since.After(r.ReceivedAt) && d.Grid != r.Placement.Grid {
		out = append(out, Flag{Doubt: OtherGrid})
	}
	return out
}

// accuracy is a report's own, or what is taken where none was told.
func accuracy(r *Report) float64 {
	if r.AccuracyM == nil {
		return placement.DefaultAccuracyM
	}
	return *r.AccuracyM
}

// fastestOf finds the greatest speed to or from other positions, each as near as its accuracy allows.
func fastestOf(here Fix, around []Fix) (Flag, bool) {
	worst, speed := Flag{Doubt: TooFast}, fastest
	for _, o := range around {
		took := here.At.Sub(o.At).Abs()
		way := placement.DistanceM(here.Point, o.Point) - here.AccuracyM - o.AccuracyM
		if v := way / max(took, shortestTime).Seconds(); v > speed {
			worst.Metres, worst.Time, speed = way, took, v
		}
	}
	return worst, speed > fastest
}
