package hotspot

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Months is over how many months grids are alike.
const Months = 12

// MinAlike is from how many grids alike a change is read; MaxAlike of how many, the likest ones, it is.
const (
	MinAlike = 10
	MaxAlike = 300
)

// caliper is how many standard deviations of chance level and trend of a grid alike may lie from the place's.
const caliper = 2

// Alike lists the grids, at most MaxAlike and ascending, that are like a place by what was counted in the twelve months before the
// screening's window. Two distances, each divided by the standard deviation that Poisson's chance alone gives it, are at most 2, and the
// sum of their squares orders the grids, then the index: of the level, 2√(all of the twelve months), for a place of several units the
// mean of these; of the trend, the mean month of the reports. (Variances: 1, by Anscombe's square root, and (12²−1)/12 by the reports.)
// months are by unit, the oldest first; place are its units. Neither the place nor its neighbours are taken, nor whom may refuses: units
// with an order of their own, and those that the screening found hot, as a surge elsewhere is no trend of the city. (Few are hot by chance
// alone. Whoever refuses all that are merely high has the rest rise by itself.) Fewer than MinAlike are answered all the same: Effect then
// reads too_few.
func Alike(months [][]int, place []int, n Neighbours, may func(unit int) bool) ([]int, error) {
	if len(months) != n.Len() {
		return nil, fmt.Errorf("%d units have months, %d have neighbours", len(months), n.Len())
	}
	all, mid := make([]int, len(months)), make([]float64, len(months)) // of each unit, the sum and the mean month
	for i, row := range months {
		if len(row) != Months {
			return nil, fmt.Errorf("unit %d has %d months: give %d", i, len(row), Months)
		}
		for t, c := range row {
			if c < 0 {
				return nil, fmt.Errorf("unit %d has %d matters in month %d", i, c, t)
			}
			all[i] += c
			mid[i] += float64(t * c)
		}
	}
	near, err := around(place, n)
	if err != nil {
		return nil, err
	}
	var sum, turn float64
	for _, i := range place {
		sum, turn = sum+float64(all[i]), turn+mid[i]
	}
	units := float64(len(place))
	const ofMonth = (Months*Months - 1) / 12.0
	type like struct {
		unit int
		d2   float64
	}
	var found []like
	for i := range months {
		if slices.Contains(place, i) || slices.Contains(near, i) || !may(i) {
			continue
		}
		level := 2 * (math.Sqrt(float64(all[i])) - math.Sqrt(sum/units)) / math.Sqrt(1+1/units)
		var trend float64
		if c := float64(all[i]); c > 0 && sum > 0 {
			trend = (mid[i]/c - turn/sum) / math.Sqrt(ofMonth/c+ofMonth/sum)
		}
		if math.Abs(level) <= caliper && math.Abs(trend) <= caliper {
			found = append(found, like{i, sq(level) + sq(trend)})
		}
	}
	slices.SortFunc(found, func(a, b like) int { return cmp.Or(cmp.Compare(a.d2, b.d2), cmp.Compare(a.unit, b.unit)) })
	var out []int
	for _, f := range found[:min(MaxAlike, len(found))] {
		out = append(out, f.unit)
	}
	slices.Sort(out)
	return out, nil
}

// around lists the units that neighbour a place and are no part of it, ascending.
func around(place []int, n Neighbours) ([]int, error) {
	if len(place) == 0 {
		return nil, fmt.Errorf("a place without units has no like")
	}
	var near []int
	for k, i := range place {
		if i < 0 || i >= n.Len() || slices.Contains(place[:k], i) {
			return nil, fmt.Errorf("unit %d of the place is not one of %d, or named twice", i, n.Len())
		}
		for _, j := range n.Of(i) {
			if !slices.Contains(place, int(j)) {
				near = append(near, int(j))
			}
		}
	}
	slices.Sort(near)
	return slices.Compact(near), nil
}

// Dispersion φ is by how much counts of units by months vary more than Poisson's. Of Pearson's Σ (seen − expected)²/expected, where expected is
// row sum × column sum / N, each row's own trend is taken off, (Σ (t − t̄)(seen − expected))²/(row sum × the variance of t); what is left
// is X times its mean under chance alone, (rows − 1)(columns − 2)·N/(N − 1) (McCullagh and Nelder, Generalized Linear Models, 1989, 6.2.3; both
// margins given: Haldane, The Mean and Variance of χ², 1940). So each unit may have its level and its trend, by which grids alike were
// chosen, and all together their season. Given its sum n, a row of negative binomials varies by 1 + (φ−1)(n−1)/(n+φ−1) and not by φ (the
// variance of a Dirichlet-multinomial): φ is that of which the rows' mean is X. Never below 1, which is also of what is all the same, or
// too little to vary; at most 1e6.
func Dispersion(rows [][]int) float64 {
	var ofRow, ofColumn []float64
	var all float64
	for i, row := range rows {
		ofRow = append(ofRow, 0)
		for t, c := range row {
			if t == len(ofColumn) {
				ofColumn = append(ofColumn, 0)
			}
			ofRow[i] += float64(c)
			ofColumn[t] += float64(c)
			all += float64(c)
		}
	}
	var mid, spread, columns float64
	for t, c := range ofColumn {
		if c > 0 {
			mid += float64(t) * c / all
			columns++
		}
	}
	for t, c := range ofColumn {
		if c > 0 {
			spread += sq(float64(t)-mid) * c / all
		}
	}
	var chi2 float64
	var sums []float64 // of the rows that have any
	for i, row := range rows {
		if ofRow[i] == 0 {
			continue
		}
		sums = append(sums, ofRow[i])
		var trend float64
		for t, c := range row {
			if e := ofRow[i] * ofColumn[t] / all; e > 0 {
				chi2 += sq(float64(c)-e) / e
				trend += (float64(t) - mid) * (float64(c) - e)
			}
		}
		if spread > 0 {
			chi2 -= sq(trend) / (ofRow[i] * spread)
		}
	}
	free := float64(len(sums)-1) * (columns - 2)
	if free < 1 {
		return 1
	}
	low, high := 0.0, maxDispersion-1.0
	for range 60 {
		over := (low + high) / 2
		var x float64
		for _, n := range sums {
			x += (1 + over*(n-1)/(n+over)) / float64(len(sums))
		}
		if x < chi2*(all-1)/(all*free) {
			low = over
		} else {
			high = over
		}
	}
	return 1 + low
}

// maxDispersion is what no count has.
const maxDispersion = 1e6
