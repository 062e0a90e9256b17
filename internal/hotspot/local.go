package hotspot

import (
	"math"
	"slices"
)

// Local is one number for each place.
type Local struct {
	Verdict []Verdict
	Stat    []float64 // the statistic itself
	Z       []float64 // standardised; 0 where it was not tested
	P       []float64 // of Z, as a normal one's, which is how it is published; 1 where it was not tested
	// Cautious is P or, where that is larger, the p of a sum with the skewness of what is drawn from; of counts, as of whole
	// numbers. FDR goes by it: a few matters, or a few places with very many, make no false alarm.
	Cautious []float64
	Sided    Sided
	Weak     bool // fewer than 30 places: P is a rough one
}

func newLocal(n int, sided Sided) Local {
	l := Local{Verdict: make([]Verdict, n), Stat: make([]float64, n), Z: make([]float64, n), P: make([]float64, n), Sided: sided, Weak: n < FewPlaces}
	for i := range l.P {
		l.P[i] = 1
	}
	return l
}

// set tells z of place i, and its p.
func (l *Local) set(i int, z float64) {
	l.Verdict[i], l.Z[i], l.P[i] = Tested, z, normalP(z, l.Sided)
}

// Getis is Getis and Ord's local statistic, standardised as in Ord and Getis, Local Spatial Autocorrelation Statistics: Distributional
// Issues and an Application, 1995, (5) and (6): Gi* where the weights are with self, else Gi, which leaves the place itself out of mean and
// variance too. Stat is the share of all that lies around the place. Null hypothesis: the values around the place are a draw at random
// from all (of Gi, from all others). A positive z is a hot spot, a negative one a cold spot.
func Getis(x []float64, w Weights, sided Sided) (Local, error) {
	m, err := check(x, w.Len())
	if err != nil {
		return Local{}, err
	}
	l := newLocal(m.n, sided)
	l.Cautious = slices.Clone(l.P)
	n := float64(m.n)
	total, squares := m.mean*n, m.m2*n // squares and cubes: of the deviations from the mean of all
	var cubes float64
	for _, v := range x {
		cubes += sq(v-m.mean) * (v - m.mean)
	}
	half := 0.0
	if whole(x) {
		half = 0.5
	}
	for i := range x {
		k, each := float64(w.count(i)), w.each(i)
		sum, others := w.lag(x, i), total
		mean, s2, s3, of := m.mean, m.m2, cubes/n, n
		if !w.Self {
			// Of the others alone: x̄(i) and s²(i).
			d := x[i] - m.mean
			of = n - 1
			mean = m.mean - d/of
			s2 = (squares - d*d - d*d/of) / of
			shift := -d / of
			s3 = (cubes-d*d*d-3*shift*(squares-d*d)-3*shift*shift*d)/of - shift*shift*shift
			others -= x[i]
		}
		if others != 0 {
			l.Stat[i] = sum / others
		}
		spread := s2 * each * each * k * (of - k) / (of - 1) // s² (of·ΣW² − (ΣW)²) / (of − 1), all weights of a row being alike
		switch {
		case k == 0 || w.Self && k == 1:
			l.Verdict[i] = Alone
		case of < 2:
			l.Verdict[i] = TooFew
		case s2 <= sq(mean*1e-14) || !(spread > 0):
			l.Verdict[i] = Constant
		default:
			l.set(i, (sum-each*k*mean)/math.Sqrt(spread))
			draw := ofDraw(of, k, s2, s3)
			l.Cautious[i] = draw.cautious(l.Z[i], half/math.Sqrt(draw.variance), sided)
		}
	}
	return l, nil
}

// LocalMoran is Anselin's local Moran's Ii: zi/m2 · Σ wij zj, m2 = Σ z²/n (Anselin, Local Indicators of Spatial Association — LISA, 1995,
// (12)); expectation and variance given the place's own value (Sokal, Oden and Thomson, Local Spatial Autocorrelation in a Biological
// Model, 1998, (A1) to (A6)). Null hypothesis: the values around the place are a draw at random from all others. A positive Ii: the place
// is like those around it; a negative one: it stands out from them. Z is that of Gi, with its sign turned for a place below the mean.
func LocalMoran(x []float64, w Weights, sided Sided) (Local, error) {
	m, err := check(x, w.Len())
	if err != nil {
		return Local{}, err
	}
	w.Self = false
	l := newLocal(m.n, sided)
	l.Cautious = slices.Clone(l.P)
	around, err := Getis(x, w, sided)
	if err != nil {
		return Local{}, err
	}
	below, err := Getis(x, w, sided.opposite())
	if err != nil {
		return Local{}, err
	}
	n := float64(m.n)
	for i := range x {
		k, each := float64(w.count(i)), w.each(i)
		z := x[i] - m.mean
		switch {
		case k == 0:
			l.Verdict[i] = Alone
			continue
		case m.n < 3:
			l.Verdict[i] = TooFew
			continue
		case m.constant():
			l.Verdict[i] = Constant
			continue
		}
		l.Stat[i] = z / m.m2 * (w.lag(x, i) - m.mean*k*each)
		expected := -z * z * k * each / ((n - 1) * m.m2)
		variance := sq(z/m.m2) * n / (n - 2) * (k*each*each - sq(k*each)/(n-1)) * (m.m2 - z*z/(n-1))
		if !(variance > 0) { // the place's own value is the mean, or all others are the same
			l.Verdict[i] = Constant
			continue
		}
		l.set(i, (l.Stat[i]-expected)/math.Sqrt(variance))
		if l.Cautious[i] = around.Cautious[i]; z < 0 {
			l.Cautious[i] = below.Cautious[i]
		}
	}
	return l, nil
}
