package notice_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/fault"
	"gridgov/internal/notice"
	"gridgov/internal/worktime"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestQuietHours(t *testing.T) {
	shanghai, washington := zone(t, "Asia/Shanghai"), zone(t, "America/New_York")
	night := notice.Settings{Grace: worktime.WorkDays(1), QuietFrom: "22:00", QuietUntil: "07:00"}
	noon := notice.Settings{Grace: worktime.WorkDays(1), QuietFrom: "12:00", QuietUntil: "13:30"}
	never := notice.Settings{Grace: worktime.WorkDays(1), QuietFrom: "00:00", QuietUntil: "00:00"}
	for _, c := range []struct {
		set  notice.Settings
		zone *time.Location
		at   string
		want string // "": not quiet
	}{
		{night, shanghai, "2026-11-24 21:59:59", ""},
		{night, shanghai, "2026-11-24 22:00:00", "2026-11-25 07:00"},
		{night, shanghai, "2026-11-25 00:00:00", "2026-11-25 07:00"},
		{night, shanghai, "2026-11-25 06:59:59", "2026-11-25 07:00"},
		{night, shanghai, "2026-11-25 07:00:00", ""},
		{night, shanghai, "2026-12-31 23:00:00", "2027-01-01 07:00"},
		{noon, shanghai, "2026-11-24 12:15:00", "2026-11-24 13:30"},
		{noon, shanghai, "2026-11-24 13:30:00", ""},
		{never, shanghai, "2026-11-24 00:00:00", ""},
		{night, washington, "2026-03-07 23:00:00", "2026-03-08 07:00"}, // the clocks are put forward in that night
		{night, washington, "2026-10-31 23:00:00", "2026-11-01 07:00"}, // and back
	} {
		at, err := time.ParseInLocation(time.DateTime, c.at, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if end := c.set.QuietUntilAt(at, c.zone); !end.IsZero() {
			got = end.In(c.zone).Format("2006-01-02 15:04")
		}
		if got != c.want {
			t.Errorf("%s in %s: quiet until %q, want %q", c.at, c.zone, got, c.want)
		}
	}
}

// What is held is held until a moment that comes, is less than a day away, and is not quiet itself; and none is held twice.
func TestQuietHoursEnd(t *testing.T) {
	zones := []*time.Location{zone(t, "Asia/Shanghai"), zone(t, "America/New_York"), zone(t, "Australia/Lord_Howe"), zone(t, "America/St_Johns")}
	clock := rapid.Custom(func(t *rapid.T) notice.Clock {
		return notice.Clock(time.Date(2026, 1, 1, rapid.IntRange(0, 23).Draw(t, "h"), rapid.IntRange(0, 59).Draw(t, "m"), 0, 0, time.UTC).Format("15:04"))
	})
	rapid.Check(t, func(t *rapid.T) {
		set := notice.Settings{Grace: worktime.WorkDays(1), QuietFrom: clock.Draw(t, "from"), QuietUntil: clock.Draw(t, "until")}
		z := rapid.SampledFrom(zones).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(1767225600, 1830297600).Draw(t, "at"), 0)
		if err := set.Check(); err != nil {
			t.Fatal(err)
		}
		end := set.QuietUntilAt(at, z)
		if end.IsZero() {
			return
		}
		if !end.After(at) || end.Sub(at) > 26*time.Hour {
			t.Fatalf("held from %s until %s", at.In(z), end.In(z))
		}
	})
}

func TestSettingsAreChecked(t *testing.T) {
	for field, s := range map[string]notice.Settings{
		"grace":       {QuietFrom: "22:00", QuietUntil: "07:00"},
		"quiet_from":  {Grace: worktime.WorkDays(1), QuietFrom: "24:00", QuietUntil: "07:00"},
		"quiet_until": {Grace: worktime.WorkDays(1), QuietFrom: "22:00", QuietUntil: "7"},
	} {
		if f, ok := fault.As(s.Check()); !ok || f.Field != field {
			t.Errorf("%+v: %v, want a fault of %s", s, s.Check(), field)
		}
	}
	d := notice.Defaults
	if err := d.Check(); err != nil {
		t.Error(err)
	}
}
