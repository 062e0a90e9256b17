package hotspot

import (
	"math"
	"slices"
)

// Trend is which way values went over time.
type Trend struct {
	Verdict  Verdict // TooFew: below four steps; Constant: all are the same
	S        int     // later above earlier, less later below earlier, over all pairs
	Variance float64
	Z        float64
	P        float64
	Sided    Sided
}

// MannKendall tests for a steady rise or fall: S = Σi<j sign(xj − xi), variance corrected for ties, z with continuity correction (Mann,
// Nonparametric Tests Against Trend, 1945; Kendall, Rank Correlation Methods, 1975). Null hypothesis: the values are in no order.
func MannKendall(x []float64, sided Sided) Trend {
	t := Trend{P: 1, Sided: sided}
	n := len(x)
	if n < 4 {
		t.Verdict = TooFew
		return t
	}
	for i := range x {
		for j := i + 1; j < n; j++ {
			switch {
			case x[j] > x[i]:
				t.S++
			case x[j] < x[i]:
				t.S--
			}
		}
	}
	term := func(n int) float64 { return float64(n) * float64(n-1) * float64(2*n+5) / 18 }
	t.Variance = term(n)
	sorted := slices.Sorted(slices.Values(x))
	for from := 0; from < n; {
		to := from + 1
		for to < n && sorted[to] == sorted[from] {
			to++
		}
		t.Variance -= term(to - from)
		from = to
	}
	if !(t.Variance > 0) {
		t.Verdict, t.Variance = Constant, 0
		return t
	}
	t.Verdict = Tested
	switch {
	case t.S > 0:
		t.Z = float64(t.S-1) / math.Sqrt(t.Variance)
	case t.S < 0:
		t.Z = float64(t.S+1) / math.Sqrt(t.Variance)
	}
	t.P = normalP(t.Z, sided)
	return t
}

// Heat is what a place was found to be in a step of time.
type Heat int8

// Hot and Cold are findings; Neither is not.
const (
	Cold    Heat = -1
	Neither Heat = 0
	Hot     Heat = 1
)

// Step is a step of time at a place.
type Step struct {
	Heat Heat
	Z    float64 // of Gi*
}

// Class is how a hot spot, or a cold one, has come about.
type Class string

// The classes, of hot spots as of cold ones.
const (
	NoPattern    Class = "none"
	New          Class = "new"          // in the last step, and never before
	Consecutive  Class = "consecutive"  // in the last steps, two at least, without a gap, and never before them
	Intensifying Class = "intensifying" // in nine of ten steps and the last, and more and more so
	Persistent   Class = "persistent"   // in nine of ten steps and the last, without a trend
	Diminishing  Class = "diminishing"  // in nine of ten steps and the last, and less and less so
	Sporadic     Class = "sporadic"     // in the last step, and now and then before; never the opposite
	Oscillating  Class = "oscillating"  // in the last step, and the opposite at some time before
	Historical   Class = "historical"   // in nine of ten steps, but not in the last
)

// Emerged is a class, of which kind, and the trend of z over the steps.
type Emerged struct {
	Class Class
	Heat  Heat
	Trend Trend
}

// Emerge classifies the steps of a place, the oldest first, as Esri's Emerging Hot Spot Analysis does (ArcGIS Pro, Space Time Pattern Mining,
// How Emerging Hot Spot Analysis works); a trend counts where its two-sided p is at most alpha. A class is the first that fits, of those
// that ask for nine of ten steps before the others; of a place that was both, the last finding decides which it is.
func Emerge(steps []Step, alpha float64) Emerged {
	z := make([]float64, len(steps))
	for i, s := range steps {
		z[i] = s.Z
	}
	e := Emerged{Class: NoPattern, Trend: MannKendall(z, TwoSided)}
	n := len(steps)
	for i := n - 1; i >= 0 && e.Heat == Neither; i-- {
		e.Heat = steps[i].Heat
	}
	if e.Heat == Neither {
		return e
	}
	times, opposite, run, first := 0, false, 0, -1
	for i, s := range steps {
		switch s.Heat {
		case e.Heat:
			times++
			if run++; first < 0 {
				first = i
			}
		default:
			run = 0
			opposite = opposite || s.Heat != Neither
		}
	}
	last, mostly := steps[n-1].Heat == e.Heat, 10*times >= 9*n
	rising := e.Trend.P <= alpha && e.Trend.Z*float64(e.Heat) > 0
	falling := e.Trend.P <= alpha && e.Trend.Z*float64(e.Heat) < 0
	switch {
	case !last && mostly:
		e.Class = Historical
	case !last:
		e.Class, e.Heat = NoPattern, Neither
	case times == 1 && !opposite:
		e.Class = New
	case mostly && rising:
		e.Class = Intensifying
	case mostly && falling:
		e.Class = Diminishing
	case mostly:
		e.Class = Persistent
	case opposite:
		e.Class = Oscillating
	case first == n-run:
		e.Class = Consecutive
	default:
		e.Class = Sporadic
	}
	return e
}
