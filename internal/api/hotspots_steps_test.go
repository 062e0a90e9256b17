package api

import (
	"testing"
	"time"
)

// On a Monday morning the week is no step to judge by, and neither is a week that the window cuts.
func TestWholeSteps(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02T15", s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		step, from, to, now string
		want                [2]int
	}{
		{"week", "2026-08-31T00", "2026-11-24T00", "2026-11-23T08", [2]int{0, 12}},  // Monday to Monday's end: the twelve weeks before it
		{"week", "2026-09-02T00", "2026-11-24T00", "2026-11-23T08", [2]int{1, 12}},  // the first is cut
		{"day", "2026-11-01T00", "2026-12-01T00", "2026-11-27T09", [2]int{0, 26}},   // what is to come
		{"day", "2026-11-01T00", "2026-11-10T00", "2026-11-27T09", [2]int{0, 9}},    // all of what is over
		{"month", "2025-12-02T00", "2026-12-02T00", "2026-12-01T09", [2]int{1, 12}}, // the first of a month
		{"day", "2026-11-27T00", "2026-11-28T00", "2026-11-27T09", [2]int{}},        // today alone
	} {
		from, to := at(c.from), at(c.to)
		if got := wholeSteps(bucketStarts(steps[c.step], from, to), from, to, at(c.now)); got != c.want {
			t.Errorf("%s from %s to %s at %s: %v, want %v", c.step, c.from, c.to, c.now, got, c.want)
		}
	}
}
