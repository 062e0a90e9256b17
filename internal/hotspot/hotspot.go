// Package hotspot tells where matters are more, or fewer, than chance would have it, and how sure that is.
//
// It is pure: numbers of places and who neighbours whom come in, statistics go out. What is random takes a seed, and gives the same for
// the same seed on any number of cores. Each statistic names its formula, its source and its null hypothesis; each p-value says whether
// it looks to one side or to both. What cannot be answered (a place without neighbours, values that are all the same) is answered as
// such, by a Verdict and a p of 1, and never by NaN or by a guess.
package hotspot

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Sided tells of which alternatives a p-value speaks.
type Sided string

// TwoSided: more or fewer; Greater: more, or more alike, alone; Less: fewer, or less alike, alone.
const (
	TwoSided Sided = "two"
	Greater  Sided = "greater"
	Less     Sided = "less"
)

// opposite is what speaks of the other direction.
func (s Sided) opposite() Sided {
	switch s {
	case Greater:
		return Less
	case Less:
		return Greater
	}
	return s
}

// normalP is the share of a standard normal distribution that is as far out as z.
func normalP(z float64, sided Sided) float64 {
	switch sided {
	case Greater:
		return math.Erfc(z/math.Sqrt2) / 2
	case Less:
		return math.Erfc(-z/math.Sqrt2) / 2
	default:
		return min(1, math.Erfc(math.Abs(z)/math.Sqrt2))
	}
}

// stream is a random stream of its own for each number.
func stream(seed uint64, number int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(number))) //nolint:gosec // draws that the same seed gives again
}

// Verdict tells whether a statistic could be had.
type Verdict string

// Tested: it stands. Alone: the place has no neighbours. Constant: the values, or those around the place, are all the same, so nothing
// can stand out. TooFew: there are fewer places than the formula needs.
const (
	Tested   Verdict = "tested"
	Alone    Verdict = "alone"
	Constant Verdict = "constant"
	TooFew   Verdict = "too_few"
)

// FewPlaces is below how many places the normal approximation of a statistic is weak, which its result says.
const FewPlaces = 30

// moments are of the values of n places.
type moments struct {
	n    int
	mean float64
	m2   float64 // mean square of the deviations
	m4   float64 // mean fourth power of them
}

// check refuses values that are none, and tells the moments. The deviations are taken from the mean, so large values cost no digits.
func check(x []float64, places int) (m moments, err error) {
	if len(x) != places {
		return m, fmt.Errorf("%d values for %d places", len(x), places)
	}
	m.n = len(x)
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return m, fmt.Errorf("the value of place %d is %g: leave the place out, or give a number", i, v)
		}
		m.mean += (v - m.mean) / float64(i+1)
	}
	for _, v := range x {
		d := sq(v - m.mean)
		m.m2 += d / float64(m.n)
		m.m4 += d * d / float64(m.n)
	}
	return m, nil
}

// constant tells that the values are all the same, but for what rounding leaves.
func (m moments) constant() bool { return m.m2 <= sq(m.mean*1e-14) }
