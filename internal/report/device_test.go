package report_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"gridgov/internal/placement"
	"gridgov/internal/report"
)

var noon = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

// told is a report of a phone that measured where it is, and whose answer is the service's.
func told(change func(s *report.Seen)) *report.Seen {
	lon, lat, accuracy, source := 120.69, 30.53, 8.0, "gps"
	who := uuid.MustParse("0198c0de-0000-7000-8000-000000000001")
	at := noon
	s := &report.Seen{
		Report: &report.Report{Num: 7, Source: "phone", CapturedAt: noon, ReceivedAt: noon.Add(time.Minute), Lon: &lon, Lat: &lat, Located: report.LocatedPoint,
			AccuracyM: &accuracy, PositionSource: &source, FiledBy: &who,
			Placement: report.Placement{PlanID: 1, Method: placement.MethodInside, Grid: "330481101004001", Since: noon.Add(time.Minute)}},
		Device: &report.Device{PositionAt: &at, Plan: "11", Grid: "330481101004001", Sure: true},
	}
	if change != nil {
		change(s)
	}
	if s.Told == nil && s.Report.Located == report.LocatedPoint {
		s.Told = &orb.Point{lon, lat}
	}
	return s
}

// east moves a point so many metres along its parallel, about.
func east(p orb.Point, m float64) orb.Point { return orb.Point{p[0] + m/95_900, p[1]} }

func TestFlags(t *testing.T) {
	here := orb.Point{120.69, 30.53}
	fix := func(before time.Duration, m, accuracy float64) report.Fix {
		return report.Fix{At: noon.Add(-before), Point: east(here, m), AccuracyM: accuracy}
	}
	for name, c := range map[string]struct {
		change func(s *report.Seen)
		want   []report.Doubt
	}{
		"nothing":                       {nil, nil},
		"no phone told of itself":       {func(s *report.Seen) { s.Device = nil }, nil},
		"measured two minutes before":   {func(s *report.Seen) { at := noon.Add(-2 * time.Minute); s.Device.PositionAt = &at }, nil},
		"measured a second more before": {func(s *report.Seen) { at := noon.Add(-121 * time.Second); s.Device.PositionAt = &at }, []report.Doubt{report.Stale}},
		"set by hand, measured long before": {func(s *report.Seen) {
			at := noon.Add(-time.Hour)
			s.Device.PositionAt = &at
			*s.Report.PositionSource = "map"
		}, nil},
		"an accuracy of exactly 0":            {func(s *report.Seen) { *s.Report.AccuracyM = 0 }, []report.Doubt{report.ExactZero}},
		"an accuracy that is not told":        {func(s *report.Seen) { s.Report.AccuracyM = nil }, nil},
		"0 of a pin":                          {func(s *report.Seen) { *s.Report.AccuracyM = 0; *s.Report.PositionSource = "map" }, nil},
		"a walk":                              {func(s *report.Seen) { s.Around = []report.Fix{fix(time.Minute, 90, 10)} }, nil},
		"a train":                             {func(s *report.Seen) { s.Around = []report.Fix{fix(time.Minute, 4_000, 10)} }, []report.Doubt{report.TooFast}},
		"to where they were after":            {func(s *report.Seen) { s.Around = []report.Fix{fix(time.Hour, 10, 8), fix(-time.Minute, 4_000, 10)} }, []report.Doubt{report.TooFast}},
		"as far as accuracies allow":          {func(s *report.Seen) { s.Around = []report.Fix{fix(time.Minute, 4_000, 1_000)} }, nil},
		"two places at once":                  {func(s *report.Seen) { s.Around = []report.Fix{fix(0, 200, 8)} }, []report.Doubt{report.TooFast}},
		"twice in a second, a few metres off": {func(s *report.Seen) { s.Around = []report.Fix{fix(0, 30, 8)} }, nil},
		"a photo of here":                     {func(s *report.Seen) { s.Photos = []orb.Point{east(here, 1_040)} }, nil},
		"a photo of elsewhere":                {func(s *report.Seen) { s.Photos = []orb.Point{here, east(here, 1_200)} }, []report.Doubt{report.PhotoElsewhere}},
		"a clock five minutes off":            {func(s *report.Seen) { s.Device.AheadMs = -300_000 }, nil},
		"a clock hours behind":                {func(s *report.Seen) { s.Device.AheadMs = -3 * 3_600_000 }, []report.Doubt{report.ClockOff}},
		"told 31 days after": {func(s *report.Seen) {
			s.Report.ReceivedAt = noon.Add(31 * 24 * time.Hour)
			s.Report.Placement.Since = s.Report.ReceivedAt
		}, []report.Doubt{report.Late}},
		"imported years after": {func(s *report.Seen) {
			s.Report.Source, s.Report.ReceivedAt, s.Device = "import", noon.AddDate(5, 0, 0), nil
		}, nil},
		"another grid":                      {func(s *report.Seen) { s.Device.Grid = "330481101004002" }, []report.Doubt{report.OtherGrid}},
		"another grid, but it was not sure": {func(s *report.Seen) { s.Device.Grid, s.Device.Sure = "330481101004002", false }, nil},
		"another grid, as it was placed anew": {func(s *report.Seen) {
			s.Device.Grid = "330481101004002"
			s.Report.Placement.Since = noon.Add(time.Hour)
		}, nil},
		"300 km away": {func(s *report.Seen) {
			s.Report.Placement, s.Device.Grid = report.Placement{PlanID: 1, Method: placement.MethodUnplaced, Since: noon}, ""
		}, []report.Doubt{report.Far}},
		"a little outside": {func(s *report.Seen) {
			m := 1_900.0
			s.Report.Placement, s.Device.Grid = report.Placement{PlanID: 1, Method: placement.MethodUnplaced, DistanceM: &m, Since: noon}, ""
		}, nil},
		"where there is no plan": {func(s *report.Seen) {
			s.Report.Placement, s.Device.Grid, s.Device.Sure = report.Placement{Method: placement.MethodUnplaced, Since: noon}, "", false
		}, nil},
		"moved by the desk": {func(s *report.Seen) {
			*s.Report.AccuracyM, s.Report.Located, s.Told = 0, report.LocatedHand, &orb.Point{120.69, 30.53}
			s.Photos, s.Device.Grid = []orb.Point{east(here, 5_000)}, "330481101004002"
		}, []report.Doubt{report.ExactZero, report.PhotoElsewhere}},
		"measured when they were there, kept later": {func(s *report.Seen) {
			at := noon.Add(-90 * time.Second)
			s.Device.PositionAt, s.Around = &at, []report.Fix{fix(60*time.Second+90*time.Second, 1_500, 8)}
		}, nil},
		"of no accuracy, a few steps": {func(s *report.Seen) { s.Report.AccuracyM = nil; s.Around = []report.Fix{fix(time.Second, 67, 8)} }, nil},
		"by its address": {func(s *report.Seen) {
			s.Report.Located = report.LocatedAddress
			s.Photos = []orb.Point{east(here, 90_000)}
		}, nil},
		"all that is bad": {func(s *report.Seen) {
			at := noon.Add(-time.Hour)
			s.Device.PositionAt, s.Device.AheadMs, *s.Report.AccuracyM = &at, 3_600_000, 0
			s.Around, s.Photos = []report.Fix{fix(time.Minute, 300_000, 0)}, []orb.Point{east(here, 300_000)}
			s.Report.ReceivedAt = noon.AddDate(0, 3, 0)
			s.Report.Placement = report.Placement{PlanID: 1, Method: placement.MethodUnplaced, Since: noon}
		}, []report.Doubt{report.Stale, report.ExactZero, report.TooFast, report.PhotoElsewhere, report.ClockOff, report.Late, report.Far, report.OtherGrid}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []report.Doubt
			for _, f := range told(c.change).Flags() {
				got = append(got, f.Doubt)
				if (f.Doubt == report.TooFast || f.Doubt == report.PhotoElsewhere) && f.Metres <= 0 {
					t.Errorf("%s of %v m", f.Doubt, f.Metres)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// Who walks and measures honestly is never doubted, however imprecise the measuring: what was measured lies within its accuracy.
func TestHonestWalksAreNotDoubted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := orb.Point{rapid.Float64Range(118, 122).Draw(t, "lon"), rapid.Float64Range(29, 32).Draw(t, "lat")}
		speed := rapid.Float64Range(0, 30).Draw(t, "m/s") // up to 108 km/h, and straight
		measure := func(name string, true_ orb.Point) (orb.Point, float64) {
			accuracy := rapid.Float64Range(1, 2_000).Draw(t, name+" accuracy")
			return east(true_, rapid.Float64Range(-0.95, 0.95).Draw(t, name+" off")*accuracy), accuracy
		}
		s := told(nil)
		p, accuracy := measure("here", at)
		s.Report.Lon, s.Report.Lat, s.Report.AccuracyM, s.Told, s.Device.PositionAt = &p[0], &p[1], &accuracy, &p, &s.Report.CapturedAt
		for _, name := range []string{"before", "after"} {
			took := time.Duration(rapid.IntRange(1, 86_400).Draw(t, name)) * time.Second
			q, a := measure(name, east(at, speed*took.Seconds()))
			when := noon.Add(-took)
			if name == "after" {
				when = noon.Add(took)
			}
			s.Around = append(s.Around, report.Fix{At: when, Point: q, AccuracyM: a})
		}
		s.Photos = []orb.Point{at}
		if flags := s.Flags(); len(flags) > 0 {
			t.Fatalf("%+v", flags)
		}
	})
}
