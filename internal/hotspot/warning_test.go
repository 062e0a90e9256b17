package hotspot_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gridgov/internal/hotspot"
)

// A city of places that differ, with weekdays and a season: where nothing has changed hardly anything is told, and what has trebled is.
func TestWarn(t *testing.T) {
	const places, days, recent = 120, 500, 7
	from := time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC)
	quiet, small, told := 0, 0, 0
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 9))
		counts := make([][]int, places)
		for i := range counts {
			level := 0.2 + rng.ExpFloat64()*0.5
			for d := range days {
				mean := level * []float64{1, 1, 1.1, 1, 1.3, 0.5, 0.4}[d%7] * (1 + 0.4*math.Sin(2*math.Pi*float64(d)/365.25))
				if i < 3 && d >= days-recent {
					mean = 3*mean + 2
				}
				counts[i] = append(counts[i], int(poisson(rng, mean)))
			}
		}
		for _, w := range must(hotspot.Warn(counts, from, recent)) {
			seen := 0
			for _, c := range counts[w.Place][days-recent:] {
				seen += c
			}
			if seen != w.Seen || !(w.Expected > 0) || w.P < 0 || w.P > 1 || w.Q < w.P {
				t.Fatalf("%+v, %d were seen", w, seen)
			}
			switch {
			case w.Place < 3 && w.Q <= 0.05:
				told++
			case w.Place >= 3:
				quiet++
				if w.P <= 0.05 {
					small++
				}
				if w.Q <= 0.05 {
					t.Logf("seed %d: %+v", seed, w)
				}
			}
		}
	}
	t.Logf("%d of 36 places that have trebled are told; %d of %d others have a p of 0.05 at most", told, small, quiet)
	if told < 33 || float64(small) > 0.07*float64(quiet) {
		t.Error("too few that have changed are told, or too many that have not")
	}
	for name, bad := range map[string]struct {
		counts [][]int
		recent int
	}{"no place": {nil, 7}, "no day before": {[][]int{make([]int, 7)}, 7}, "too few days": {[][]int{make([]int, 40)}, 7}, "other days": {[][]int{make([]int, 90), make([]int, 80)}, 7}, "none recent": {[][]int{make([]int, 90)}, 0}} {
		if _, err := hotspot.Warn(bad.counts, from, bad.recent); err == nil {
			t.Errorf("%s: nothing is wrong with it", name)
		}
	}
}
