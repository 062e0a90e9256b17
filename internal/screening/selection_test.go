package screening

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"gridgov/internal/hotspot"
	"gridgov/internal/soak"
)

// A simulated city of some 1,400 grids, with a season and a trend, in which matters of one item surge in a few blocks.
const (
	wide, tall                                   = 38, 37
	monthDays, windowDays, waitedDays, afterDays = 365.0 / 12, 28.0, 14.0, 56.0
	varies                                       = 1.3 // variance by mean
)

func draw(rng *rand.Rand, mean float64) int {
	level := distuv.Gamma{Alpha: mean / (varies - 1), Beta: 1 / (varies - 1), Src: rng}.Rand()
	return int(distuv.Poisson{Lambda: max(level, 1e-12), Src: rng}.Rand())
}

func season(day float64) float64 {
	return math.Exp(0.2*math.Sin(2*math.Pi*day/365) + 0.15*day/365)
}

type simulated struct {
	hotspot.Watched
	cut   *Cut
	level []float64
}

func simulate(rng *rand.Rand, perMonth, surge float64) *simulated {
	c := &simulated{cut: &Cut{Plan: 1, HasLevel: true, From: 0, To: windowDays * day, Items: []Item{{Code: "01"}}}}
	c.ChosenDays, c.WaitedDays, c.AfterDays = windowDays, waitedDays, afterDays
	surges := make([]float64, wide*tall)
	for i := range surges {
		surges[i] = 1
	}
	for range 4 {
		x, y := rng.IntN(wide-2), rng.IntN(tall-2)
		for dy := range 2 + rng.IntN(2) {
			for dx := range 2 + rng.IntN(2) {
				surges[(y+dy)*wide+x+dx] = surge
			}
		}
	}
	lists := make([][]int, wide*tall)
	for y := range tall {
		for x := range wide {
			i := y*wide + x
			var near []int32
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					if (dx != 0 || dy != 0) && x+dx >= 0 && x+dx < wide && y+dy >= 0 && y+dy < tall {
						near = append(near, int32((y+dy)*wide+x+dx))
						lists[i] = append(lists[i], (y+dy)*wide+x+dx)
					}
				}
			}
			c.cut.Neighbours = append(c.cut.Neighbours, near)
			c.cut.Units = append(c.cut.Units, Unit{Code: fmt.Sprintf("%04d", i), Town: "t"})
			level := perMonth / monthDays * math.Exp(0.4*rng.NormFloat64())
			var months []int
			for m := range hotspot.Months {
				months = append(months, draw(rng, level*monthDays*season((float64(m)-12)*monthDays)))
			}
			level *= surges[i]
			c.Months, c.level = append(c.Months, months), append(c.level, level)
			c.Chosen = append(c.Chosen, draw(rng, level*windowDays*season(windowDays/2)))
			c.Waited = append(c.Waited, draw(rng, level*waitedDays*season(windowDays+waitedDays/2)))
			c.After = append(c.After, draw(rng, level*afterDays*season(windowDays+waitedDays+afterDays/2)))
			for range c.Chosen[i] {
				c.cut.Reports = append(c.cut.Reports, Report{Num: uint32(len(c.cut.Reports) + 1), Unit: int32(i), Crew: -1, At: 1})
			}
		}
	}
	near, err := hotspot.Lists(lists)
	if err != nil {
		panic(err)
	}
	c.Neighbours = near
	return c
}

// score counts readings of one effect.
type score struct{ read, covered, fell, rose float64 }

func (s *score) add(c hotspot.Change, truth float64) {
	switch c.Reading {
	case hotspot.ReadTooFew:
		return
	case hotspot.ReadFell:
		s.fell++
	case hotspot.ReadRose:
		s.rose++
	}
	s.read++
	if c.Low <= truth && truth <= c.High {
		s.covered++
	}
}

// What is read of places that the screening itself chose, of several units most of them, whose matters then change by a known share: 95 %
// intervals hold it, of no effect nothing is read, and the neighbours, of whom nothing changed, are where they were.
func TestEffectOfWhatWasScreened(t *testing.T) {
	p := Params{Level: "grid", Days: windowDays, Least: 12, Q: 0.05}
	effects := []float64{0, -0.2, -0.5}
	for k, by := range []struct{ perMonth, surge float64 }{{8, 2.5}, {2, 6}} {
		t.Run(fmt.Sprintf("%g a month, %g times", by.perMonth, by.surge), func(t *testing.T) {
			t.Parallel()
			var scores [3]score
			var near score
			for seed := range uint64(soak.Or(14, 400)) {
				rng := rand.New(rand.NewPCG(seed, uint64(k)))
				c := simulate(rng, by.perMonth, by.surge)
				r := must(Screen(c.cut, p))
				for i := range r.Proposals {
					c.ordered(rng, must(Select(c.cut, p, &r.Proposals[i])), func(e int, truth float64, change, around hotspot.Change) {
						scores[e].add(change, truth)
						if e == 0 {
							near.add(around, 1)
						}
					}, effects)
				}
			}
			for e, s := range scores {
				t.Logf("effect %g: of %g covered %.1f %%, fell %.1f %%, rose %.1f %%", effects[e], s.read, 100*s.covered/s.read, 100*s.fell/s.read, 100*s.rose/s.read)
				between(t, fmt.Sprintf("effect %g: covered", effects[e]), s)
			}
			t.Logf("neighbours: of %g covered %.1f %%", near.read, 100*near.covered/near.read)
			between(t, "neighbours: covered", near)
			if none, half := scores[0], scores[2]; none.fell+none.rose > 0.15*none.read || half.fell < 0.6*half.read {
				t.Errorf("of %g places something is read of %g without an effect, and of %g with one of a half", none.read, none.fell+none.rose, half.fell)
			}
		})
	}
}

// ordered has the matters of a place change by each of some shares, and tells what is read of it.
func (c *simulated) ordered(rng *rand.Rand, s *Selection, tell func(e int, truth float64, change, around hotspot.Change), effects []float64) {
	var place []int
	for _, u := range s.place {
		place = append(place, int(u))
	}
	hot := s.Hot()
	alike := must(hotspot.Alike(c.Months, place, c.Neighbours, func(i int) bool { return !hot[c.cut.Units[i].Code] }))
	least, around := must(s.Least()), must(s.LeastAround())
	was := slices.Clone(c.After)
	for e, effect := range effects {
		for _, i := range place {
			c.After[i] = draw(rng, (1+effect)*c.level[i]*afterDays*season(windowDays+waitedDays+afterDays/2))
		}
		tell(e, 1+effect, must(c.Effect(place, alike, least)), must(c.Displacement(place, alike, around)))
	}
	copy(c.After, was)
}

// between holds that a share is one of 93 to 97 %: in full counts as it is, in a sample as far as chance lets it be told.
func between(t *testing.T, what string, s score) {
	t.Helper()
	fewer, more := distuv.Binomial{N: s.read, P: 0.93}.CDF(s.covered), 1-distuv.Binomial{N: s.read, P: 0.97}.CDF(s.covered-1)
	if soak.Or(fewer < 0.001 || more < 0.001, s.covered < 0.93*s.read || s.covered > 0.97*s.read) {
		t.Errorf("%s: %g of %g", what, s.covered, s.read)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
