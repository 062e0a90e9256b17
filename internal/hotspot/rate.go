package hotspot

import (
	"fmt"
	"math"
)

// Rates are matters by those they are counted for: households, or people.
type Rates struct {
	Verdict  []Verdict // Alone: a place without anybody; its rates are those of all
	Raw      []float64 // matters by base
	Shrunk   []float64 // drawn towards the rate of all, the more the fewer there are
	Standard []float64 // deviation from the rate of all, by what is expected of so many
	All      float64   // the rate of all places together
}

// EmpiricalBayes draws the rates of small places towards that of all (Marshall, Mapping Disease and Mortality Rates Using Empirical Bayes
// Estimators, 1991, global, by moments): m + a/(a + m/bi) (ri − m), where m is the rate of all, s² the mean of (ri − m)² by base, and
// a = s² − m/b̄, 0 where that is below it. Standard is (ri − m)/√(a + m/bi) (Assunção and Reis, A New Proposal to Adjust Moran's I for
// Population Density, 1999), to be tested in the place of rates.
func EmpiricalBayes(matters, base []float64) (Rates, error) {
	if len(matters) != len(base) {
		return Rates{}, fmt.Errorf("%d counts for %d bases", len(matters), len(base))
	}
	n := len(base)
	r := Rates{Verdict: make([]Verdict, n), Raw: make([]float64, n), Shrunk: make([]float64, n), Standard: make([]float64, n)}
	var count, bases float64
	peopled := 0
	for i, b := range base {
		if !(matters[i] >= 0) || !(b >= 0) || math.IsInf(matters[i]+b, 1) {
			return Rates{}, fmt.Errorf("place %d has %g matters of %g: give numbers that are not below 0", i, matters[i], b)
		}
		if b > 0 {
			count, bases = count+matters[i], bases+b
			peopled++
		}
	}
	if peopled == 0 {
		for i := range r.Verdict {
			r.Verdict[i] = Alone
		}
		return r, nil
	}
	r.All = count / bases
	var s2 float64
	for i, b := range base {
		if b > 0 {
			s2 += b * sq(matters[i]/b-r.All) / bases
		}
	}
	between := s2 - r.All/(bases/float64(peopled))
	for i, b := range base {
		if b == 0 {
			r.Verdict[i], r.Raw[i], r.Shrunk[i] = Alone, r.All, r.All
			continue
		}
		r.Verdict[i] = Tested
		r.Raw[i] = matters[i] / b
		r.Shrunk[i] = r.All
		if a := max(0, between); a > 0 {
			r.Shrunk[i] += a / (a + r.All/b) * (r.Raw[i] - r.All)
		}
		// What varies between places may come out below 0 by chance; the noise of so many alone is then what stays.
		v := between + r.All/b
		if !(v > 0) {
			v = r.All / b
		}
		if v > 0 {
			r.Standard[i] = (r.Raw[i] - r.All) / math.Sqrt(v)
		}
	}
	return r, nil
}
