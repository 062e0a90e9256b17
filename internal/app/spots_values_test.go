package app

import (
	"testing"

	"gridgov/internal/hotspot"
	"gridgov/internal/jurisdiction"
)

// A row of sixty places, of which three that touch have many matters: in all steps but the last, which has just begun.
func row(t *testing.T, households func(place int) int) *Spots {
	t.Helper()
	const places, steps = 60, 5
	var links [][]int
	s := &Spots{Steps: steps, Level: &jurisdiction.LayoutLevel{}, N: make([]uint64, places)}
	for i := range places {
		var near []int
		if i > 0 {
			near = append(near, i-1)
		}
		if i < places-1 {
			near = append(near, i+1)
		}
		links = append(links, near)
		s.Level.Units = append(s.Level.Units, jurisdiction.Unit{Households: new(households(i))})
		s.Units = append(s.Units, i)
		for step := range steps {
			n := uint64(5)
			if (i == 4 || i == 5 || i == 6) && step < steps-1 {
				n = 60
			}
			s.Series = append(s.Series, n)
			s.N[i] += n
		}
	}
	var err error
	if s.Neighbours, err = hotspot.Lists(links); err != nil {
		t.Fatal(err)
	}
	return s
}

// The trend goes by the whole steps: of a place hot in all of them it is not told that it was hot once.
func TestTrendGoesByWholeSteps(t *testing.T) {
	s := row(t, func(int) int { return 100 })
	class := func(whole [2]int) hotspot.Class {
		t.Helper()
		s.Whole = whole
		if err := s.emerge(false, nil); err != nil {
			t.Fatal(err)
		}
		return s.Emerged[5].Class
	}
	if got := class([2]int{0, 4}); got != hotspot.Persistent {
		t.Errorf("by the whole steps it is %q", got)
	}
	if got := class([2]int{0, 5}); got == hotspot.Persistent {
		t.Error("the last step counts for nothing")
	}
}

// Where nobody lives there is no rate; and where so many live that much is to be expected, rates are hot in no step.
func TestRatesAreOfWhoLivesThere(t *testing.T) {
	s := row(t, func(place int) int {
		switch place {
		case 0:
			return 0
		case 4, 5, 6:
			return 1200
		}
		return 100
	})
	s.N[0] = 500
	if err := s.values(true); err != nil {
		t.Fatal(err)
	}
	if rate, ok := s.RateOf(0); ok {
		t.Errorf("a place without households has a rate of %g", rate)
	}
	if _, ok := s.RateOf(1); !ok {
		t.Error("a place with 100 households and 25 matters has no rate")
	}
	s.Whole = [2]int{0, 4}
	for _, rates := range []bool{false, true} {
		if err := s.emerge(rates, nil); err != nil {
			t.Fatal(err)
		}
		if hot := s.Step(5, 0).Heat == hotspot.Hot; hot == rates {
			t.Errorf("rates %t: hot is %t", rates, hot)
		}
	}
}
