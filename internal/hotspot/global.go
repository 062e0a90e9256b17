package hotspot

import (
	"fmt"
	"math"
)

// Global is one number for the whole map.
type Global struct {
	Verdict  Verdict
	Stat     float64
	Expected float64 // under the null hypothesis
	Variance float64 // likewise
	Z        float64 // how many standard deviations above what is expected; positive: like lies beside like (of Global G: high beside high)
	P        float64
	Sided    Sided
	Weak     bool // fewer than 30 places: P is a rough one
}

// finish tells z and p of a statistic. sign is −1 for one that is small where like lies beside like.
func (g Global) finish(places int, sign float64, sided Sided) Global {
	g.Sided, g.Weak = sided, places < FewPlaces
	if !(g.Variance > 0) {
		g.Verdict, g.Z, g.P = Constant, 0, 1
		return g
	}
	g.Verdict = Tested
	g.Z = sign * (g.Stat - g.Expected) / math.Sqrt(g.Variance)
	g.P = normalP(g.Z, sided)
	return g
}

// Null is the null hypothesis of a global statistic.
type Null string

// Randomised: every arrangement of these values over the places is as likely. Normal: the values are independent draws from one normal
// distribution.
const (
	Randomised Null = "randomised"
	Normal     Null = "normal"
)

// beginning is what the statistics of a whole map need: its places but for the islands, without self-inclusion, and their sums.
type beginning struct {
	x          []float64
	w          Weights
	s0, s1, s2 float64
	m          moments
}

func begin(x []float64, w Weights) (b beginning, err error) {
	if _, err = check(x, w.Len()); err != nil {
		return b, err
	}
	w.Self = false
	b.x, b.w = w.linked(x)
	b.s0, b.s1, b.s2 = b.w.sums()
	b.m, err = check(b.x, b.w.Len())
	return b, err
}

// untested is the answer where a statistic needs more places, links or difference than there are; ok: it can be had.
func (b *beginning) untested(sided Sided) (g Global, ok bool) {
	g = Global{P: 1, Sided: sided, Weak: len(b.x) < FewPlaces}
	switch {
	case b.s0 == 0:
		g.Verdict = Alone
	case len(b.x) < 4:
		g.Verdict = TooFew
	case b.m.constant():
		g.Verdict = Constant
	default:
		return g, true
	}
	return g, false
}

// Moran is Moran's I: n/S0 · Σ wij zi zj / Σ zi², with zi = xi − x̄. Expectation −1/(n−1); variances by Cliff and Ord, Spatial Processes,
// 1981, (1.37) and (1.38). Null hypothesis: where a value lies has nothing to do with those around it. Islands are left out,
// here and in the others below.
func Moran(x []float64, w Weights, null Null, sided Sided) (Global, error) {
	b, err := begin(x, w)
	if err != nil {
		return Global{}, err
	}
	g, ok := b.untested(sided)
	if !ok {
		return g, nil
	}
	x, w, n, s0, s1, s2, m := b.x, b.w, float64(len(b.x)), b.s0, b.s1, b.s2, b.m
	var cross float64
	for i := range x {
		cross += (x[i] - m.mean) * (w.lag(x, i) - m.mean*float64(w.count(i))*w.each(i))
	}
	g.Stat = n / s0 * cross / (m.m2 * n)
	g.Expected = -1 / (n - 1)
	if null == Normal {
		g.Variance = (n*n*s1-n*s2+3*s0*s0)/((n*n-1)*s0*s0) - sq(g.Expected)
	} else {
		k := m.m4 / sq(m.m2)
		g.Variance = (n*((n*n-3*n+3)*s1-n*s2+3*s0*s0)-k*((n*n-n)*s1-2*n*s2+6*s0*s0))/((n-1)*(n-2)*(n-3)*s0*s0) - sq(g.Expected)
	}
	return g.finish(len(x), 1, sided), nil
}

// Geary is Geary's C: (n−1)/(2 S0) · Σ wij (xi − xj)² / Σ zi². Expectation 1; variances by Cliff and Ord, 1981, (1.42) and (1.43). Null
// hypothesis as Moran's. Z is positive where C is below 1: neighbours are alike.
func Geary(x []float64, w Weights, null Null, sided Sided) (Global, error) {
	b, err := begin(x, w)
	if err != nil {
		return Global{}, err
	}
	g, ok := b.untested(sided)
	if !ok {
		return g, nil
	}
	x, w, n, s0, s1, s2, m := b.x, b.w, float64(len(b.x)), b.s0, b.s1, b.s2, b.m
	var apart float64
	for i := range x {
		for _, j := range w.Of(i) {
			apart += w.each(i) * sq(x[i]-x[j])
		}
	}
	g.Stat = (n - 1) / (2 * s0) * apart / (m.m2 * n)
	g.Expected = 1
	if null == Normal {
		g.Variance = ((2*s1+s2)*(n-1) - 4*s0*s0) / (2 * (n + 1) * s0 * s0)
	} else {
		k := m.m4 / sq(m.m2)
		g.Variance = ((n-1)*s1*(n*n-3*n+3-(n-1)*k) - (n-1)*s2*(n*n+3*n-6-(n*n-n+2)*k)/4 + s0*s0*(n*n-3-sq(n-1)*k)) / (n * (n - 2) * (n - 3) * s0 * s0)
	}
	return g.finish(len(x), -1, sided), nil
}

// GlobalG is Getis and Ord's general G: Σ wij xi xj / Σi≠j xi xj. Expectation S0/(n(n−1)), variance by Getis and Ord, The Analysis of
// Spatial Association by Use of Distance Statistics, 1992, (6). Null hypothesis: every arrangement is as likely. It is of values that are
// not negative, with a natural zero; Z is positive where high lies beside high.
func GlobalG(x []float64, w Weights, sided Sided) (Global, error) {
	b, err := begin(x, w)
	if err != nil {
		return Global{}, err
	}
	for i, v := range x {
		if v < 0 {
			return Global{}, fmt.Errorf("the value of place %d is %g: general G takes none below 0", i, v)
		}
	}
	g, ok := b.untested(sided)
	if !ok {
		return g, nil
	}
	x, w, n, s0, s1, s2 := b.x, b.w, float64(len(b.x)), b.s0, b.s1, b.s2
	var m1, m2, m3, m4, cross float64
	for i, v := range x {
		m1, m2, m3, m4 = m1+v, m2+v*v, m3+v*v*v, m4+v*v*v*v
		cross += v * w.lag(x, i)
	}
	pairs := m1*m1 - m2
	if !(pairs > 0) { // one place has all
		g.Verdict = Constant
		return g, nil
	}
	g.Stat = cross / pairs
	g.Expected = s0 / (n * (n - 1))
	b0 := (n*n-3*n+3)*s1 - n*s2 + 3*s0*s0
	b1 := -((n*n-n)*s1 - 2*n*s2 + 6*s0*s0)
	b2 := -(2*n*s1 - (n+3)*s2 + 6*s0*s0)
	b3 := 4*(n-1)*s1 - 2*(n+1)*s2 + 8*s0*s0
	b4 := s1 - s2 + s0*s0
	square := (b0*m2*m2 + b1*m4 + b2*m1*m1*m2 + b3*m1*m3 + b4*m1*m1*m1*m1) / (pairs * pairs * n * (n - 1) * (n - 2) * (n - 3))
	g.Variance = square - sq(g.Expected)
	return g.finish(len(x), 1, sided), nil
}
