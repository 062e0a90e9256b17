package patrol_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/patrol"
	"gridgov/internal/policy"
)

var zones = []string{"Asia/Shanghai", "America/New_York", "Pacific/Apia", "UTC"}

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// What a point says on the days around its due one, by the city's midnights.
func TestStanding(t *testing.T) {
	z := zone(t, "Asia/Shanghai")
	made := time.Date(2026, 11, 1, 15, 59, 59, 0, time.UTC) // the last second of 1 November there
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, z)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		last string
		days int
		now  string
		want patrol.Standing
	}{
		{"", 7, "2026-11-01 23:59:59", patrol.Standing{State: patrol.Never, Due: "2026-11-08"}},
		{"", 7, "2026-11-08 12:00:00", patrol.Standing{State: patrol.Never, Due: "2026-11-08"}},
		{"", 7, "2026-11-09 00:00:00", patrol.Standing{State: patrol.Never, Due: "2026-11-08", OverdueDays: 1}},
		{"2026-11-03 00:00:00", 7, "2026-11-09 23:59:59", patrol.Standing{State: patrol.OK, Due: "2026-11-10"}},
		{"2026-11-03 23:59:59", 7, "2026-11-10 00:00:00", patrol.Standing{State: patrol.Due, Due: "2026-11-10"}},
		{"2026-11-03 23:59:59", 7, "2026-11-10 23:59:59", patrol.Standing{State: patrol.Due, Due: "2026-11-10"}},
		{"2026-11-03 00:00:00", 7, "2026-11-11 00:00:00", patrol.Standing{State: patrol.Overdue, Due: "2026-11-10", OverdueDays: 1}},
		{"2026-11-03 00:00:00", 1, "2026-12-04 00:00:00", patrol.Standing{State: patrol.Overdue, Due: "2026-11-04", OverdueDays: 30}},
		{"2026-11-03 00:00:00", 366, "2026-11-03 00:00:01", patrol.Standing{State: patrol.OK, Due: "2027-11-04"}},
	} {
		p := patrol.Point{MadeAt: made, RhythmDays: c.days}
		if c.last != "" {
			p.Last = at(c.last)
		}
		if got := p.Standing(at(c.now), z); got != c.want {
			t.Errorf("last %q, every %d days, now %s: %+v, want %+v", c.last, c.days, c.now, got, c.want)
		}
	}
}

// Held against a calendar on which one counts days by hand, also where clocks change or a day is left out.
func TestStandingIsByTheCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		moment := func(name string) time.Time {
			return time.Unix(rapid.Int64Range(1_293_000_000, 1_800_000_000).Draw(t, name), 0)
		}
		p := patrol.Point{MadeAt: moment("made"), RhythmDays: rapid.IntRange(1, 366).Draw(t, "days")}
		since := p.MadeAt
		if rapid.Bool().Draw(t, "visited") {
			p.Last = since.Add(time.Duration(rapid.Int64Range(0, 400*86400).Draw(t, "after")) * time.Second)
			since = p.Last
		}
		now := since.Add(time.Duration(rapid.Int64Range(-86400, 800*86400).Draw(t, "now")) * time.Second)
		y, m, d := since.In(z).Date()
		due := time.Date(y, m, d+p.RhythmDays, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		today := now.In(z).Format(time.DateOnly)
		over := 0
		for y, m, d := now.In(z).Date(); time.Date(y, m, d-over, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) > due; {
			over++
		}
		want := patrol.Standing{State: patrol.OK, Due: due, OverdueDays: over}
		switch {
		case p.Last.IsZero():
			want.State = patrol.Never
		case today == due:
			want.State = patrol.Due
		case today > due:
			want.State = patrol.Overdue
		}
		if got := p.Standing(now, z); got != want {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

// Flags at both sides of each of their bounds.
func TestFlags(t *testing.T) {
	told := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	good := patrol.Visit{At: told, ToldAt: told, AccuracyM: 5, Within: true, There: true}
	for _, c := range []struct {
		name   string
		change func(*patrol.Visit)
		want   string
		counts bool
	}{
		{"nothing amiss", func(*patrol.Visit) {}, "[]", true},
		{"too far", func(v *patrol.Visit) { v.Within = false }, "[too_far]", false},
		{"not there", func(v *patrol.Visit) { v.There = false }, "[not_there]", false},
		{"exactly 0", func(v *patrol.Visit) { v.AccuracyM = 0 }, "[exact_zero]", true},
		{"nearly 0", func(v *patrol.Visit) { v.AccuracyM = 0.001 }, "[]", true},
		{"100 m", func(v *patrol.Visit) { v.AccuracyM = 100 }, "[]", true},
		{"above 100 m", func(v *patrol.Visit) { v.AccuracyM = 100.5 }, "[inaccurate]", true},
		{"30 days", func(v *patrol.Visit) { v.At = told.Add(-30 * 24 * time.Hour) }, "[]", true},
		{"above 30 days", func(v *patrol.Visit) { v.At = told.Add(-30*24*time.Hour - time.Second) }, "[late]", true},
		{"5 minutes ahead", func(v *patrol.Visit) { v.At = told.Add(5 * time.Minute) }, "[]", true},
		{"more than that", func(v *patrol.Visit) { v.At = told.Add(5*time.Minute + time.Second) }, "[clock_off]", true},
	} {
		v := good
		c.change(&v)
		if got := fmt.Sprint(v.Flags()); got != c.want || v.Counts() != c.counts {
			t.Errorf("%s: %s, counts %v, want %s, %v", c.name, got, v.Counts(), c.want, c.counts)
		}
	}
}

var city = policy.Area{Level: policy.City, Code: "330481"}

// grids are those of two towns of two villages each of up to four grids.
func grids(most int) (list []policy.Cell) {
	for town := range 2 {
		for village := range 2 {
			for grid := range most {
				c := policy.Cell{Town: fmt.Sprintf("T%d", town)}
				c.Village = fmt.Sprintf("%sV%d", c.Town, village)
				c.Grid = fmt.Sprintf("%sG%d", c.Village, grid)
				list = append(list, c)
			}
		}
	}
	return list
}

// Coverage is held against sets: which grids are seen, have a point, were visited; and which areas nobody hides a grid of.
func TestCoverIsOfSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := grids(rapid.IntRange(1, 4).Draw(t, "grids"))
		cell := rapid.SampledFrom(append(slices.Clone(all), policy.Cell{}, policy.Cell{Town: "T0", Village: "T0V0", Grid: "of another plan"}))
		seen, hidden := map[string]bool{}, map[string]bool{}
		for _, c := range all {
			if rapid.IntRange(0, 3).Draw(t, "see "+c.Grid) > 0 {
				seen[c.Grid] = true
				continue
			}
			for _, code := range []string{city.Code, c.Town, c.Village} {
				hidden[code] = true
			}
		}
		tallies := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) patrol.Tally {
			return patrol.Tally{Cell: cell.Draw(t, "cell"), Visits: rapid.IntRange(0, 3).Draw(t, "visits")}
		}), 0, 20).Draw(t, "tallies")
		got := patrol.Cover(city, all, func(c *policy.Cell) bool { return seen[c.Grid] }, tallies)

		state := map[string]patrol.GridState{}
		part, n, none := map[string]int{}, map[string]int{}, map[string]int{}
		for _, c := range all {
			if !seen[c.Grid] {
				continue
			}
			state[c.Grid] = patrol.NoPoint
			for _, y := range tallies {
				if y.Cell.Grid == c.Grid && state[c.Grid] != patrol.Visited {
					state[c.Grid] = map[bool]patrol.GridState{true: patrol.Visited, false: patrol.Missed}[y.Visits > 0]
				}
			}
			for _, code := range []string{"", city.Code, c.Town, c.Village} {
				n[code]++
				switch state[c.Grid] {
				case patrol.Visited:
					part[code]++
				case patrol.NoPoint:
					none[code]++
				case patrol.Missed:
				}
			}
		}
		if len(got.Grids) != len(seen) || !slices.IsSortedFunc(got.Grids, func(a, b patrol.GridCover) int { return strings.Compare(a.Grid, b.Grid) }) {
			t.Fatalf("%d grids are told of, %d are seen", len(got.Grids), len(seen))
		}
		for _, g := range got.Grids {
			if state[g.Grid] != g.State {
				t.Fatalf("%+v, want %s", g, state[g.Grid])
			}
		}
		told := map[string]bool{}
		for _, a := range append(got.Areas, got.Total) {
			if told[a.Code] = true; hidden[a.Code] || a.Visited.Part != part[a.Code] || a.Visited.N != n[a.Code] || a.NoPoint != none[a.Code] {
				t.Fatalf("%+v, want %d of %d and %d without a point, hidden %v", a, part[a.Code], n[a.Code], none[a.Code], hidden[a.Code])
			}
		}
		for code := range n {
			if !told[code] && !hidden[code] {
				t.Fatalf("%s is seen whole and is not told of", code)
			}
		}
	})
}
