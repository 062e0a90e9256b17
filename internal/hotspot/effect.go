package hotspot

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/integrate/quad"
)

// Reading is what may be said of a change.
type Reading string

// The readings. TooEarly: fewer than MinAfter days have passed. TooFew: there are fewer than MinAlike grids alike, they have fewer than
// fewAlike reports before or after, or of so few at the place no number after could have told anything. NoChange: the interval holds 1.
const (
	ReadTooEarly Reading = "too_early"
	ReadTooFew   Reading = "too_few"
	ReadNoChange Reading = "no_change"
	ReadFell     Reading = "fell"
	ReadRose     Reading = "rose"
)

// MinAfter is after how many days a change is read. A High of MaxRatio: the counts set no upper bound.
const (
	MinAfter = 28
	MaxRatio = 1000
	fewAlike = 10
	// MaxCompared bounds the matters of a place, and so the time of an answer: some seconds.
	MaxCompared = 10_000
)

// Compared is what was counted at a place around an order, beside the grids alike.
type Compared struct {
	Chosen     int // before: in the screening's window, by which the place was chosen
	ChosenDays float64
	Least      int // the smallest Chosen with which it would still have been chosen; 0: its count had no part in that
	Waited     int // before: from the data's cut to the day of the order, by which nobody chose
	WaitedDays float64
	After      int
	AfterDays  float64

	Alike                   int // grids
	AlikeBefore, AlikeAfter int // of all of them: in both parts of before, and after
	Dispersion              float64
}

// Change is what became of a place. Of one that cannot be read all numbers are 0.
type Change struct {
	Reading   Reading
	Ratio     float64 // after by before, against the grids alike; as often too high as too low
	Low, High float64 // 95 %
	Usual     float64 // after by before of the grids alike
}

// By tells between which shares, of 1, it fell or rose; 0, 0 where neither. A rise to MaxRatio has no upper bound.
func (c Change) By() (from, to float64) {
	switch c.Reading {
	case ReadFell:
		return 1 - c.High, 1 - c.Low
	case ReadRose:
		return c.Low - 1, c.High - 1
	}
	return 0, 0
}

// LeastChosen is the smallest count with which a place of b would still have been chosen; still asks the screening, and a larger count
// is chosen where a smaller one is.
func LeastChosen(b int, still func(count int) bool) int { return sort.Search(b, still) }

// Effect compares after with before at a place that was chosen for its count, against grids alike: ratio ρ with a 95 % interval.
//
// Model: counts of the place are independent, of means μ·days before and ρ·γ·μ·days after, with a variance of φ means (negative binomial
// of a size that goes with the mean, so that months add up to years of the same φ); the place is seen only where Chosen ≥ Least. Given
// N = before + after, μ falls out: after is beta-binomial of N, with sizes in the ratio θ = ργ·daysAfter/daysBefore that are M/(φ−1) together,
// M being expected in all (binomial for φ = 1), weighed by the chance, from the like urn, of Least or more of the N − after in the window; which
// is 0 or 1 without a wait. Null hypothesis for each ρ: after is a draw from that. Its mid-p tails (Lancaster, Significance Tests in Discrete
// Distributions, 1961; two Poisson counts given their sum: Przyborowski and Wilenski, Homogeneity of Results in Testing Samples from Poisson
// Series, 1940) are averaged over ln γ, normal about that of the grids alike, each of their sums raised by one half, with the variance
// φ(1/before + 1/after). The interval are those ρ with 2.5 % and more in both tails. On conditioning on selection: Fithian, Sun and Taylor,
// Optimal Inference After Model Selection, 2014. A place that was chosen by a hair tells little of a fall, whatever came after.
//
// The place would have gone on as the grids alike did, but for chance: a trend of its own that was no part of the twelve months reads as
// an effect.
//
// ρ is sought between 1/MaxRatio, below which Low is 0, and MaxRatio.
func Effect(c Compared) (Change, error) {
	if err := c.check(); err != nil {
		return Change{}, err
	}
	switch {
	case c.AfterDays < MinAfter:
		return Change{Reading: ReadTooEarly}, nil
	case c.Alike < MinAlike || c.AlikeBefore < fewAlike || c.AlikeAfter < fewAlike:
		return Change{Reading: ReadTooFew}, nil
	}
	t := newTails(c)
	if n := t.n - t.least; t.below(0, 0) > oneTail && t.below(n, 0) < 1-oneTail {
		return Change{Reading: ReadTooFew}, nil
	}
	out := Change{Reading: ReadNoChange, Ratio: t.solve(c.After, 0.5), Low: t.solve(c.After, 1-oneTail), High: t.solve(c.After, oneTail),
		Usual: float64(c.AlikeAfter) / c.AfterDays / (float64(c.AlikeBefore) / (c.ChosenDays + c.WaitedDays))}
	switch {
	case out.High < 1:
		out.Reading = ReadFell
	case out.Low > 1:
		out.Reading = ReadRose
	}
	return out, nil
}

const oneTail = 0.025

func (c *Compared) check() error {
	for _, n := range []int{c.Chosen, c.Least, c.Waited, c.After, c.Alike, c.AlikeBefore, c.AlikeAfter} {
		if n < 0 {
			return fmt.Errorf("there is a count of %d", n)
		}
	}
	for _, d := range []float64{c.ChosenDays, c.WaitedDays, c.AfterDays} {
		if !(d >= 0) || math.IsInf(d, 1) {
			return fmt.Errorf("there is a time of %g days", d)
		}
	}
	switch {
	case c.ChosenDays == 0 || c.WaitedDays == 0 && c.Waited > 0 || c.AfterDays == 0 && c.After > 0:
		return fmt.Errorf("%d, %d and %d matters were in %g, %g and %g days", c.Chosen, c.Waited, c.After, c.ChosenDays, c.WaitedDays, c.AfterDays)
	case c.Chosen < c.Least:
		return fmt.Errorf("a place of %d was not chosen where %d are the least", c.Chosen, c.Least)
	case !(c.Dispersion >= 1 && c.Dispersion <= maxDispersion):
		return fmt.Errorf("a dispersion of %g: give 1, or more", c.Dispersion)
	case c.Chosen+c.Waited+c.After > MaxCompared:
		return fmt.Errorf("more than %d matters: compare a smaller place", MaxCompared)
	}
	return nil
}

// tails are those of what may come after.
type tails struct {
	n, least     int
	waiting      float64   // its part of the time before
	over         float64   // φ − 1
	odds, chance []float64 // ln of after against before by time and grids alike, each with its weight
	sizes        map[int]float64
	weights      []float64 // scratch
}

func newTails(c Compared) *tails {
	t := &tails{n: c.Chosen + c.Waited + c.After, least: c.Least, waiting: c.WaitedDays / (c.ChosenDays + c.WaitedDays)}
	t.over, t.sizes = max(c.Dispersion-1, 1e-12), map[int]float64{} // near enough to Poisson's
	before, after := float64(c.AlikeBefore)+0.5, float64(c.AlikeAfter)+0.5
	spread := math.Sqrt(c.Dispersion * (1/before + 1/after))
	const nodes = 16
	t.odds, t.chance = make([]float64, nodes), make([]float64, nodes)
	quad.Hermite{}.FixedLocations(t.odds, t.chance, math.Inf(-1), math.Inf(1))
	for k, x := range t.odds {
		t.odds[k] = math.Log(after/before) + math.Sqrt2*spread*x // γ·daysAfter/daysBefore is the ratio of their counts
		t.chance[k] /= math.SqrtPi
	}
	return t
}

// below is the chance of fewer than so many after, and of half of just so many, where ln ρ is x: it falls with x.
func (t *tails) below(after int, x float64) (p float64) {
	for k, odds := range t.odds {
		p += t.chance[k] * t.given(after, max(-40, min(40, odds+x)))
	}
	return p
}

// given is that for θ. n is how many come before; the chance of it is kept in logarithms and up to a factor, as it may be very small.
func (t *tails) given(after int, lnTheta float64) float64 {
	size := t.size(lnTheta)
	ofAfter, ofBefore := size/(1+math.Exp(-lnTheta)), size/(1+math.Exp(lnTheta))
	waiting, k := ofBefore*t.waiting, float64(t.least-1)
	// Pólya's urn: the chances of n before; of Least or more of them in the window; that the next one is what makes it so many.
	var chance, enough, next float64
	most := math.Inf(-1)
	t.weights = t.weights[:0]
	for n := t.least; n <= t.n; n++ {
		t.weights = append(t.weights, chance+enough)
		most = max(most, chance+enough)
		b, a := float64(n), float64(t.n-n)
		chance += math.Log(a / (b + 1) * (b + ofBefore) / (a - 1 + ofAfter))
		if waiting > 0 && t.least > 0 {
			next += math.Log(b / (b - k) * (b - 1 - k + waiting) / (b + ofBefore))
			enough = max(enough, next) + math.Log1p(math.Exp(-math.Abs(enough-next)))
		}
	}
	var fewer, all float64
	for i, w := range t.weights {
		w = math.Exp(w - most)
		all += w
		switch a := t.n - t.least - i; {
		case a < after:
			fewer += w
		case a == after:
			fewer += w / 2
		}
	}
	return fewer / all
}

// size is M/(φ−1), where M are as many as are expected in all: what makes the mean of N, given Least or more in the window, be N. It is kept
// for each quarter of ln θ, and between two lies on the line.
func (t *tails) size(lnTheta float64) float64 {
	if t.least == 0 || t.over < 1e-6 {
		return float64(t.n) / t.over
	}
	const steps = 4
	at := func(step int) float64 {
		if s, known := t.sizes[step]; known {
			return s
		}
		window := (1 - t.waiting) / (1 + math.Exp(float64(step)/steps))
		low, high := 0.001*float64(t.n), float64(t.n)
		for range 30 {
			m := (low + high) / 2
			mean := m * window
			given := float64(t.least)
			if p := Above(t.least, mean, mean/t.over); p > 0 {
				given = mean * Above(t.least-1, mean+t.over, mean/t.over+1) / p
			}
			if m-mean+given > float64(t.n) {
				high = m
			} else {
				low = m
			}
		}
		t.sizes[step] = (low + high) / 2 / t.over
		return t.sizes[step]
	}
	step := math.Floor(lnTheta * steps)
	part := lnTheta*steps - step
	return (1-part)*at(int(step)) + part*at(int(step)+1)
}

// solve is the ρ with that chance.
func (t *tails) solve(after int, chance float64) float64 {
	low, high := -math.Log(MaxRatio), math.Log(MaxRatio)
	switch {
	case t.below(after, low) <= chance:
		return 0
	case t.below(after, high) >= chance:
		return MaxRatio
	}
	for range 34 { // to 1e-9
		if mid := (low + high) / 2; t.below(after, mid) > chance {
			low = mid
		} else {
			high = mid
		}
	}
	return math.Exp((low + high) / 2)
}

// Watched is what was counted by unit around an order. Before is all up to the day it was done.
type Watched struct {
	Months                            [][]int // the twelve before the window, the oldest first
	Chosen, Waited, After             []int   // as in Compared
	ChosenDays, WaitedDays, AfterDays float64
	Neighbours                        Neighbours
}

// Effect is that of a place against grids alike, as Alike has them.
func (w *Watched) Effect(place, alike []int, least int) (Change, error) {
	return w.effect(place, alike, least)
}

// Displacement is the effect upon the neighbours of a place, all together: whether matters have gone there, or are fewer there too.
// least is of the sum of their counts, that of the place being what it was.
func (w *Watched) Displacement(place, alike []int, least int) (Change, error) {
	near, err := around(place, w.Neighbours)
	if err != nil {
		return Change{}, err
	}
	return w.effect(near, alike, least)
}

func (w *Watched) effect(units, alike []int, least int) (Change, error) {
	n := w.Neighbours.Len()
	for _, l := range []int{len(w.Months), len(w.Chosen), len(w.Waited), len(w.After)} {
		if l != n {
			return Change{}, fmt.Errorf("%d units have counts, %d have neighbours", l, n)
		}
	}
	c := Compared{Least: least, ChosenDays: w.ChosenDays, WaitedDays: w.WaitedDays, AfterDays: w.AfterDays, Alike: len(alike)}
	var rows [][]int
	for k, i := range slices.Concat(units, alike) {
		if i < 0 || i >= n || k >= len(units) && slices.Contains(units, i) {
			return Change{}, fmt.Errorf("unit %d is not one of %d, or compared with itself", i, n)
		}
		rows = append(rows, w.Months[i])
		if k < len(units) {
			c.Chosen, c.Waited, c.After = c.Chosen+w.Chosen[i], c.Waited+w.Waited[i], c.After+w.After[i]
		} else {
			c.AlikeBefore, c.AlikeAfter = c.AlikeBefore+w.Chosen[i]+w.Waited[i], c.AlikeAfter+w.After[i]
		}
	}
	c.Dispersion = Dispersion(rows)
	return Effect(c)
}
