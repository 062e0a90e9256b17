package hotspot_test

import (
	"math"
	"testing"
	"time"

	"gridgov/internal/hotspot"
)

// R's MASS::glm.nb finds the same (testdata/expected.R).
func TestBaselineAsR(t *testing.T) {
	d := read[struct {
		From         string
		Counts       []int
		Coefficients []float64
		Theta        float64
		Above        [][4]float64
	}](t, "baseline.json")
	from := must(time.Parse(time.DateOnly, d.From))
	b := must(hotspot.FitBaseline(d.Counts, from))
	if len(b.Coefficients) != len(d.Coefficients) {
		t.Fatalf("%d coefficients, want %d", len(b.Coefficients), len(d.Coefficients))
	}
	for i, want := range d.Coefficients {
		near(t, "coefficient", b.Coefficients[i], want)
	}
	near(t, "θ", b.Theta, d.Theta)
	for _, a := range d.Above {
		near(t, "upper tail", hotspot.Above(int(a[0]), a[1], a[2]), a[3])
	}
	var want float64 // of the third day, a Friday
	for i, c := range d.Coefficients {
		turn := 2 * math.Pi * 4 / 365.25
		want += c * []float64{1, 0, 0, 0, 1, 0, 0, math.Sin(turn), math.Cos(turn), math.Sin(2 * turn), math.Cos(2 * turn)}[i]
	}
	near(t, "the third day", b.Expected(from.AddDate(0, 0, 2)), math.Exp(want))
}

func TestBaselineOfLittle(t *testing.T) {
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for name, counts := range map[string][]int{"too few days": make([]int, 20), "no matter": make([]int, 100), "below none": append(make([]int, 99), -1)} {
		if _, err := hotspot.FitBaseline(counts, from); err == nil {
			t.Errorf("%s: a baseline is learnt", name)
		}
	}
	same := make([]int, 70)
	for i := range same {
		if i%7 != 6 { // never on a Sunday
			same[i] = 4
		}
	}
	b := must(hotspot.FitBaseline(same, from))
	if !math.IsInf(b.Theta, 1) || math.Abs(b.Expected(from)-4) > 1e-6 || b.Expected(from.AddDate(0, 0, 6)) > 1e-6 {
		t.Errorf("%+v; on Monday %g, on Sunday %g", b, b.Expected(from), b.Expected(from.AddDate(0, 0, 6)))
	}
	if p := hotspot.Above(5, 4, math.Inf(1)); math.Abs(p-0.3711630648) > 1e-9 { // 1 − ppois(4, 4)
		t.Errorf("upper tail of Poisson is %.10g", p)
	}
	if hotspot.Above(0, 3, 2) != 1 || hotspot.Above(3, 0, 2) != 0 {
		t.Error("the ends of the tail")
	}
}
