package hotspot_test

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

// The simulated cities' time: twelve months, the screening's window, the wait for an order, and after.
const (
	monthDays, chosenDays, waitedDays, afterDays = 30.4, 28.0, 14.0, 56.0
	varies                                       = 1.3 // variance by mean
)

// spread draws from a negative binomial whose variance is so many means.
func spread(rng *rand.Rand, mean float64) int {
	level := distuv.Gamma{Alpha: mean / (varies - 1), Beta: 1 / (varies - 1), Src: rng}.Rand()
	if level > 300 {
		panic("too many for Knuth's method")
	}
	return int(poisson(rng, level))
}

// past is what happened in a city until a screening, with a season, a trend, grids of several levels, and a surge in some: what
// screening is for.
type past struct {
	hotspot.Watched
	level []float64 // a day, in the window and later
}

func season(day float64) float64 {
	return math.Exp(0.2*math.Sin(2*math.Pi*day/365) + 0.15*day/365)
}

func newPast(rng *rand.Rand, n hotspot.Neighbours, perMonth float64, surges map[int]float64) *past {
	c := &past{Watched: hotspot.Watched{ChosenDays: chosenDays, WaitedDays: waitedDays, AfterDays: afterDays, Neighbours: n}}
	for i := range n.Len() {
		level := perMonth / monthDays * math.Exp(0.4*rng.NormFloat64())
		var months []int
		for m := range hotspot.Months {
			months = append(months, spread(rng, level*monthDays*season((float64(m)-12)*monthDays)))
		}
		c.Months = append(c.Months, months)
		c.level = append(c.level, level*max(1, surges[i]))
		c.Chosen = append(c.Chosen, spread(rng, c.level[i]*chosenDays*season(chosenDays/2)))
		c.Waited = append(c.Waited, spread(rng, c.level[i]*waitedDays*season(chosenDays+waitedDays/2)))
		c.After = append(c.After, spread(rng, c.level[i]*afterDays*season(chosenDays+waitedDays+afterDays/2)))
	}
	return c
}

// order has matters of a place change by so much, and tells the grids that are like it; the screening chose others as well.
func (c *past) order(rng *rand.Rand, place int, chosen []bool, effect float64) (alike []int) {
	c.After[place] = spread(rng, (1+effect)*c.level[place]*afterDays*season(chosenDays+waitedDays+afterDays/2))
	return must(hotspot.Alike(c.Months, []int{place}, c.Neighbours, func(i int) bool { return !chosen[i] }))
}

// score counts readings of one effect.
type score struct{ read, few, covered, fell, rose float64 }

func (s *score) add(c hotspot.Change, truth float64) {
	switch c.Reading {
	case hotspot.ReadTooFew:
		s.few++
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

// screened is a rule that chooses grids; least, around: with how few a grid, and its neighbours, would still have had it chosen.
type screened struct {
	name          string
	past          func(rng *rand.Rand, n hotspot.Neighbours) *past
	chosen        func(c *past) []bool
	least, around func(c *past, i int) int
}

// threshold is how many make a grid high by its own twelve months.
func threshold(months []int) int {
	var sum float64
	for _, m := range months {
		sum += float64(m)
	}
	mean := sum / hotspot.Months
	return int(max(8, math.Ceil(mean+3*math.Sqrt(mean))))
}

// hot are the hot grids by Gi* that have ten at least.
func hot(c *past, counts []int) []bool {
	x := make([]float64, len(counts))
	for i, v := range counts {
		x[i] = float64(v)
	}
	l := must(hotspot.Getis(x, c.Neighbours.Weighted(hotspot.Binary).WithSelf(), hotspot.Greater))
	q := hotspot.FDR(l.Cautious, func(i int) bool { return l.Verdict[i] == hotspot.Tested })
	is := make([]bool, len(x))
	for i := range is {
		is[i] = q[i] <= 0.1 && counts[i] >= 10
	}
	return is
}

var screenings = []screened{
	{"by its own past",
		func(rng *rand.Rand, n hotspot.Neighbours) *past {
			surges := map[int]float64{}
			for range n.Len() / 100 {
				surges[rng.IntN(n.Len())] = 1.6
			}
			return newPast(rng, n, 6, surges)
		},
		func(c *past) []bool {
			is := make([]bool, len(c.Months))
			for i, m := range c.Months {
				is[i] = c.Chosen[i] >= threshold(m)
			}
			return is
		},
		func(c *past, i int) int { return threshold(c.Months[i]) },
		func(*past, int) int { return 0 },
	},
	{"by Gi*",
		func(rng *rand.Rand, n hotspot.Neighbours) *past {
			surges := map[int]float64{}
			for range 4 { // blocks of two by two
				at := rng.IntN(tall-1)*wide + rng.IntN(wide-1)
				for _, i := range []int{at, at + 1, at + wide, at + wide + 1} {
					surges[i] = 2.5
				}
			}
			return newPast(rng, n, 8, surges)
		},
		func(c *past) []bool { return hot(c, c.Chosen) },
		func(c *past, i int) int {
			return hotspot.LeastChosen(c.Chosen[i], func(b int) bool {
				counts := slices.Clone(c.Chosen)
				counts[i] = b
				return hot(c, counts)[i]
			})
		},
		func(c *past, i int) int { // as the neighbours have their parts of the sum
			sum := 0
			for _, j := range c.Neighbours.Of(i) {
				sum += c.Chosen[j]
			}
			return hotspot.LeastChosen(sum, func(b int) bool {
				counts := slices.Clone(c.Chosen)
				left, of := b, sum
				for _, j := range c.Neighbours.Of(i) {
					if of > 0 {
						counts[j] = int(math.Round(float64(left) * float64(c.Chosen[j]) / float64(of)))
					}
					left, of = left-counts[j], of-c.Chosen[j]
				}
				return hot(c, counts)[i]
			})
		},
	},
}

// In cities where nothing but chance, and here and there a surge, makes grids high, those that a screening chooses are compared with what
// comes after an order of a known effect: 95 % intervals hold it, and of none nothing is read. Whoever forgets that they were chosen for
// being high takes what chance gives back for an effect.
func TestEffectOfWhatWasChosen(t *testing.T) {
	n := city(t)
	cities, each := soak.Or(150, 1000), soak.Or(1, 5)
	for s, by := range screenings {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			effects := []float64{0, -0.2, -0.5}
			scores := make([]score, len(effects))
			var forgotten, near score
			all := 0
			for seed := range uint64(cities) {
				rng := rand.New(rand.NewPCG(seed, uint64(s)))
				c := by.past(rng, n)
				chosen := by.chosen(c)
				var list []int
				for i, is := range chosen {
					if is {
						list = append(list, i)
					}
				}
				all += len(list)
				rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
				for _, i := range list[:min(each, len(list))] {
					place, least, after := []int{i}, by.least(c, i), c.After[i]
					for k, effect := range effects {
						alike := c.order(rng, i, chosen, effect)
						scores[k].add(must(c.Effect(place, alike, least)), 1+effect)
						if k == 0 {
							near.add(must(c.Displacement(place, alike, by.around(c, i))), 1)
							forgotten.add(must(c.Effect(place, alike, 0)), 1)
						}
					}
					c.After[i] = after // its neighbours may be next
				}
			}
			share := func(a, b float64) string { return fmt.Sprintf("%.1f %%", 100*a/b) }
			t.Logf("%d chosen in %d cities", all, cities)
			for k, effect := range effects {
				c := scores[k]
				t.Logf("effect %g: of %g (and %g too few) covered %s, fell %s, rose %s", effect, c.read, c.few, share(c.covered, c.read), share(c.fell, c.read), share(c.rose, c.read))
				between(t, fmt.Sprintf("effect %g: covered", effect), c.covered, c.read)
			}
			t.Logf("neighbours: of %g covered %s; selection forgotten: covered %s, fell %s", near.read, share(near.covered, near.read), share(forgotten.covered, forgotten.read), share(forgotten.fell, forgotten.read))
			between(t, "neighbours: covered", near.covered, near.read)
			if below := (distuv.Binomial{N: forgotten.read, P: 0.93}).CDF(forgotten.covered); s == 0 && (below > 1e-6 || forgotten.fell < 0.15*forgotten.read) {
				t.Errorf("with selection forgotten %s are covered and %s fell: there was nothing to mend", share(forgotten.covered, forgotten.read), share(forgotten.fell, forgotten.read))
			}
		})
	}
}

// between holds that a share is one of 93 to 97 %: in full counts as it is, in a sample as far as chance lets it be told.
func between(t *testing.T, what string, some, all float64) {
	t.Helper()
	fewer, more := distuv.Binomial{N: all, P: 0.93}.CDF(some), 1-distuv.Binomial{N: all, P: 0.97}.CDF(some-1)
	if soak.Or(fewer < 0.001 || more < 0.001, some < 0.93*all || some > 0.97*all) {
		t.Errorf("%s: %g of %g", what, some, all)
	}
}
