package hotspot

import "math"

// Joins counts the joins of a map of two kinds of places.
type Joins struct {
	BB, WW, BW Global // both of the first kind (true), both of the second, one of each
	// Chi2 is of the ends of all joins: who lies beside whom, with Yates' correction, one degree of freedom; its p looks for any
	// association. Where a kind has no join at all it is 0, and its p 1.
	Chi2, Chi2P float64
}

// JoinCounts counts joins between neighbours of the same kind and of different ones, each pair by its weight, both ways halved. Moments
// under non-free sampling, the number of each kind being given (Cliff and Ord, Spatial Processes, 1981, (1.27) to (1.30)). Null
// hypothesis: every arrangement of the kinds is as likely. One-sided, greater, as a cluster has more joins of a kind and fewer mixed ones;
// Z of BW is positive where there are more mixed ones than expected.
func JoinCounts(kind []bool, w Weights) (Joins, error) {
	x := make([]float64, len(kind))
	for i, is := range kind {
		if is {
			x[i] = 1
		}
	}
	b, err := begin(x, w)
	if err != nil {
		return Joins{}, err
	}
	x, w, n, s0, s1, s2 := b.x, b.w, float64(len(b.x)), b.s0, b.s1, b.s2
	var black float64
	for _, is := range x {
		black += is
	}
	white := n - black
	var bb, bw float64
	for i := range x {
		lag := w.lag(x, i)
		bb += x[i] * lag / 2
		bw += (x[i]*(w.each(i)*float64(w.count(i))-lag) + (1-x[i])*lag) / 2
	}
	one := func(stat, expected, variance float64) Global {
		g, ok := b.untested(Greater)
		if !ok {
			return g
		}
		g.Stat, g.Expected, g.Variance = stat, expected, variance
		return g.finish(len(x), 1, Greater)
	}
	same := func(a float64) (float64, float64) {
		p2, p3, p4 := a*(a-1)/(n*(n-1)), a*(a-1)*(a-2)/(n*(n-1)*(n-2)), a*(a-1)*(a-2)*(a-3)/(n*(n-1)*(n-2)*(n-3))
		return s0 * p2 / 2, (s1*p2 + (s2-2*s1)*p3 + (s0*s0+s1-s2)*p4 - sq(s0*p2)) / 4
	}
	var out Joins
	e, v := same(black)
	out.BB = one(bb, e, v)
	ww := s0/2 - bb - bw
	e, v = same(white)
	out.WW = one(ww, e, v)
	mixed := black * white / (n * (n - 1))
	v = (2*s1*mixed + (s2-2*s1)*mixed + 4*(s0*s0+s1-s2)*black*(black-1)*white*(white-1)/(n*(n-1)*(n-2)*(n-3)) - 4*sq(s0*mixed)) / 4
	out.BW = one(bw, s0*mixed, v)
	out.Chi2, out.Chi2P = yates(bb, bw/2, ww)
	return out, nil
}

// yates is χ² of the table [[a, b], [b, c]] with Yates' continuity correction, and its p with one degree of freedom.
func yates(a, b, c float64) (chi2, p float64) {
	all := a + 2*b + c
	for _, cell := range [3]struct{ seen, row, col, times float64 }{{a, a + b, a + b, 1}, {b, a + b, b + c, 2}, {c, b + c, b + c, 1}} {
		expected := cell.row * cell.col / all
		if !(expected > 0) {
			return 0, 1
		}
		off := math.Abs(cell.seen - expected)
		chi2 += cell.times * sq(off-min(0.5, off)) / expected
	}
	return chi2, math.Erfc(math.Sqrt(chi2 / 2))
}
