package hotspot

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// drawn are the moments of the sum of k values drawn without replacement from others (Cramér, Mathematical Methods of Statistics, 1946,
// 27.2 and 27.9, for the sum).
type drawn struct{ variance, skew float64 }

// ofDraw tells them for k of n values with central moments m2 and m3.
func ofDraw(n, k, m2, m3 float64) drawn {
	d := drawn{variance: k * m2 * (n - k) / (n - 1)}
	if n > 2 && d.variance > 0 {
		d.skew = k * m3 * (n - k) * (n - 2*k) / ((n - 1) * (n - 2)) / math.Pow(d.variance, 1.5)
	}
	return d
}

// tail is the chance of z or more, of a sum with such a skewness: Pearson's third type, a gamma distribution with the same three moments.
func (d drawn) tail(z float64) float64 {
	switch {
	case math.Abs(d.skew) < 1e-4:
		return normalP(z, Greater)
	case d.skew < 0:
		return 1 - drawn{skew: -d.skew}.tail(-z)
	}
	shape := 4 / sq(d.skew)
	x := shape + z*math.Sqrt(shape)
	if x <= 0 {
		return 1
	}
	return mathext.GammaIncRegComp(shape, x)
}

// cautious is the chance of a sum as far out as z: the larger one of a normal sum and of one with this skewness. Where the tail is long it
// is the latter; where it is short a gamma distribution ends too early, and would find what is none. half is half a step of what is
// counted, in standard deviations: a sum of whole numbers is met by all that rounds to it.
func (d drawn) cautious(z, half float64, sided Sided) float64 {
	more, fewer := normalP(z-half, Greater), normalP(z+half, Less)
	if sided == TwoSided && min(more, fewer) > 0.25 {
		return min(1, 2*min(more, fewer)) // nothing is found there, whatever the tails are; it is half of all places
	}
	more, fewer = max(more, d.tail(z-half)), max(fewer, 1-d.tail(z+half))
	switch sided {
	case Greater:
		return min(1, more)
	case Less:
		return min(1, fewer)
	default:
		return min(1, 2*min(more, fewer))
	}
}

// whole tells that all values are whole numbers: counts.
func whole(x []float64) bool {
	for _, v := range x {
		if v != math.Trunc(v) {
			return false
		}
	}
	return true
}
