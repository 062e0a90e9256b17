package hotspot

import (
	"cmp"
	"slices"
)

// FDR turns p-values into q-values: the share of false discoveries among all with a p no larger, as Benjamini and Hochberg bound it
// (Controlling the False Discovery Rate, 1995; step-up, the q of Yekutieli and Benjamini, 1999). tests tells which p count: places that
// were not tested are no tests, and have a q of 1.
func FDR(p []float64, tested func(i int) bool) []float64 {
	q := make([]float64, len(p))
	var order []int
	for i := range p {
		q[i] = 1
		if tested(i) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p[a], p[b]), cmp.Compare(a, b)) })
	least := 1.0
	for rank := len(order); rank > 0; rank-- {
		i := order[rank-1]
		least = min(least, p[i]*float64(len(order))/float64(rank))
		q[i] = least
	}
	return q
}

// FeedsFDR tells whether so many draws are enough that their p may be corrected for so many tests: 20 for each, or 40 where it is two-sided.
// With fewer, the smallest p there is could not pass at 5 %.
func FeedsFDR(draws, tests int, sided Sided) bool {
	if sided == TwoSided {
		tests *= 2
	}
	return draws >= 20*tests
}
