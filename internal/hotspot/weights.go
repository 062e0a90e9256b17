package hotspot

import "slices"

// Style is how much a neighbour weighs.
type Style string

// Binary: 1. Row: the neighbours of a place weigh 1 together.
const (
	Binary Style = "binary"
	Row    Style = "row"
)

// Weights say how much each neighbour of a place weighs; with itself, where it is asked for, as one of them. All neighbours of a place
// weigh the same, so a weight is kept for each place and not for each link.
type Weights struct {
	Neighbours
	Style Style
	Self  bool
}

// Weighted gives neighbours their weights.
func (n Neighbours) Weighted(s Style) Weights { return Weights{Neighbours: n, Style: s} }

// WithSelf has each place be a neighbour of its own, as Gi* has it.
func (w Weights) WithSelf() Weights {
	w.Self = true
	return w
}

// count is of how many the weights of place i are, itself included where it is.
func (w Weights) count(i int) int {
	k := int(w.start[i+1] - w.start[i])
	if w.Self {
		k++
	}
	return k
}

// each is what one neighbour of place i weighs.
func (w Weights) each(i int) float64 {
	if w.Style == Row {
		if k := w.count(i); k > 0 {
			return 1 / float64(k)
		}
	}
	return 1
}

// lag is the weighted sum of the values around place i.
func (w Weights) lag(x []float64, i int) float64 {
	var sum float64
	for _, j := range w.Of(i) {
		sum += x[j]
	}
	if w.Self {
		sum += x[i]
	}
	return sum * w.each(i)
}

// sums are S0, S1 and S2 of Cliff and Ord, Spatial Processes, 1981, p. 19: of all weights; half the squares of each pair's both ways;
// the squares of what goes out from a place and comes in to it. Self-inclusion does not count.
func (w Weights) sums() (s0, s1, s2 float64) {
	w.Self = false
	in := make([]float64, w.Len())
	for i := range w.Len() {
		each := w.each(i)
		for _, j := range w.Of(i) {
			in[j] += each
			if w.links(int(j), int32(i)) {
				s1 += sq(each+w.each(int(j))) / 2
			} else {
				s1 += sq(each) // (i, j) and (j, i), each with this way alone
			}
		}
	}
	for i := range w.Len() {
		k := float64(w.count(i))
		s0 += k * w.each(i)
		s2 += sq(k*w.each(i) + in[i])
	}
	return s0, s1, s2
}

// linked leaves out the islands: places that nobody neighbours and that neighbour nobody tell nothing of who lies beside whom.
func (w Weights) linked(x []float64) ([]float64, Weights) {
	named := make([]bool, w.Len())
	for i := range named {
		named[i] = named[i] || len(w.Of(i)) > 0
		for _, j := range w.Of(i) {
			named[j] = true
		}
	}
	if !slices.Contains(named, false) {
		return x, w
	}
	place := make([]int32, len(named)) // where a place is among those that stay
	var values []float64
	for i, is := range named {
		if place[i] = int32(len(values)); is {
			values = append(values, x[i])
		}
	}
	sets := make([][]int32, 0, len(values))
	for i, is := range named {
		if !is {
			continue
		}
		set := make([]int32, 0, len(w.Of(i)))
		for _, j := range w.Of(i) {
			set = append(set, place[j])
		}
		sets = append(sets, set)
	}
	w.Neighbours = gather(sets)
	return values, w
}
