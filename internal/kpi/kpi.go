// Package kpi says how well a city does, in the figures of the domain. It is pure: what is counted, others count.
package kpi

// FewBelow is how many there have to be for a rate to say something: with fewer, "too few" is shown in its place.
const FewBelow = 20

// Tally is what was counted of cases that are due in a span of time.
type Tally struct {
	Due       int // suspended ones among them
	Closed    int
	OnTime    int // closed, and their limit was kept
	Suspended int
}

// Rate is a share with what it is a share of.
type Rate struct {
	Part, N int
}

// Closure is closed / (due − suspended).
func (t Tally) Closure() Rate { return Rate{t.Closed, t.Due - t.Suspended} }

// OnTimeRate is closed on time / (due − suspended).
func (t Tally) OnTimeRate() Rate { return Rate{t.OnTime, t.Due - t.Suspended} }

// Add is both tallies in one.
func (t Tally) Add(o Tally) Tally {
	return Tally{t.Due + o.Due, t.Closed + o.Closed, t.OnTime + o.OnTime, t.Suspended + o.Suspended}
}

// TooFew tells that the rate says nothing: it is of fewer than FewBelow.
func (r Rate) TooFew() bool { return r.N < FewBelow }

// Percent is the rate in percent with two decimals, halves up: of 911 in 972 it is 93.72. It is 0 of none.
func (r Rate) Percent() float64 {
	if r.N <= 0 {
		return 0
	}
	// In whole numbers: a float's quotient may lie on the other side of a half.
	return float64((int64(r.Part)*20000+int64(r.N))/(2*int64(r.N))) / 100
}
