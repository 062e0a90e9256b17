package screening

import (
	"fmt"
	"math"
	"slices"

	"gridgov/internal/hotspot"
)

// Selection is how a place came to be chosen: what is asked of a screening again, with other counts, to tell what was chosen by chance.
type Selection struct {
	*screen
	item     int
	place    []int32
	near     []int32 // units that touch the place
	x        []float64
	evidence float64 // share of what was told in the place that served for no proposal
	hotUnits []bool
}

// Select asks a cut how a proposal of its screening came to be.
func Select(cut *Cut, p Params, of *Proposal) (*Selection, error) {
	s, err := newScreen(cut, p)
	if err != nil {
		return nil, err
	}
	out := &Selection{screen: s, item: slices.IndexFunc(cut.Items, func(i Item) bool { return i.Code == of.Item })}
	if out.item < 0 {
		return nil, fmt.Errorf("the cut of a screening has no item %q", of.Item)
	}
	s.told(out.item)
	out.x = slices.Clone(s.x)
	is := map[string]bool{}
	for _, u := range of.Units {
		is[u.Code] = true
	}
	for i := range cut.Units {
		if is[cut.Units[i].Code] {
			out.place = append(out.place, int32(i))
		}
	}
	if len(out.place) != len(is) || of.Told == 0 {
		return nil, fmt.Errorf("the cut of a screening has %d of %d units", len(out.place), len(is))
	}
	for _, u := range out.place {
		for _, j := range cut.Neighbours[u] {
			if !slices.Contains(out.place, j) {
				out.near = append(out.near, j)
			}
		}
	}
	slices.Sort(out.near)
	out.near = slices.Compact(out.near)
	out.evidence = float64(len(of.Evidence)) / float64(of.Told)
	if _, _, err := out.test(out.x); err != nil {
		return nil, err
	}
	out.hotUnits = slices.Clone(s.hot)
	return out, nil
}

// Hot are the codes of all units that were hot for the item.
func (s *Selection) Hot() map[string]bool {
	hot := map[string]bool{}
	for i, is := range s.hotUnits {
		if is {
			hot[s.Units[i].Code] = true
		}
	}
	return hot
}

// Least is with how few told in the place, its units having their shares of them, the screening would still have named it.
func (s *Selection) Least() (int, error) { return s.fewest(s.place) }

// LeastAround is with how few told by the place's neighbours, all together, the screening would still have named the place.
func (s *Selection) LeastAround() (int, error) { return s.fewest(s.near) }

func (s *Selection) fewest(units []int32) (int, error) {
	var sum float64
	for _, u := range units {
		sum += s.x[u]
	}
	var failed error
	least := hotspot.LeastChosen(int(sum), func(count int) bool {
		x := slices.Clone(s.x)
		left, of := float64(count), sum
		for _, u := range units {
			if of > 0 {
				x[u] = math.Round(left * s.x[u] / of)
			}
			left, of = left-x[u], of-s.x[u]
		}
		if _, _, err := s.test(x); err != nil {
			failed = err
		}
		return s.named(x)
	})
	return least, failed
}

// named tells whether the place is still named, once test has told what is hot: a unit of it is hot, and enough was told. That all of them be
// hot would be too much to ask: a large surge has units at its rim that are hot by a hair, and little of its count hangs on these.
func (s *Selection) named(x []float64) bool {
	var told float64
	hot := false
	for _, u := range s.place {
		told += x[u]
		hot = hot || s.hot[u]
	}
	return hot && math.Round(told*s.evidence) >= float64(s.least(s.item))
}
