package hotspot_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gridgov/internal/hotspot"
	"gridgov/internal/soak"
)

const (
	wide  = 38 // 1,406 grids, a city's
	tall  = 37
	share = 0.05
)

func city(t testing.TB) hotspot.Neighbours {
	t.Helper()
	sets := make([][]int, wide*tall)
	for i := range sets {
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				if x, y := i%wide+dx, i/wide+dy; (dx != 0 || dy != 0) && x >= 0 && x < wide && y >= 0 && y < tall {
					sets[i] = append(sets[i], y*wide+x)
				}
			}
		}
	}
	return must(hotspot.Lists(sets))
}

// found are the hot and cold spots of a map, by Gi* where the weights are with self, else by local Moran.
func found(x []float64, w hotspot.Weights) []bool {
	test := hotspot.LocalMoran
	if w.Self {
		test = hotspot.Getis
	}
	l := must(test(x, w, hotspot.TwoSided))
	q := hotspot.FDR(l.Cautious, func(i int) bool { return l.Verdict[i] == hotspot.Tested })
	is := make([]bool, len(x))
	for i := range is {
		is[i] = q[i] <= share
	}
	return is
}

// On maps of chance alone something is found no more often than it may be, however few matters there are.
func TestChanceFindsNothing(t *testing.T) {
	n := city(t)
	maps := soak.Or(60, 1000)
	for _, mean := range []float64{0.3, 1, 5, 20, -0.3, -5} {
		w := n.Weighted(hotspot.Binary).WithSelf()
		if mean < 0 { // local Moran
			mean, w.Self = -mean, false
		}
		t.Run(fmt.Sprint(mean, " ", w.Self), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(uint64(mean*10), 5))
			false1 := 0
			for range maps {
				for _, is := range found(counts(rng, wide*tall, mean), w) {
					if is {
						false1++
						break
					}
				}
			}
			rate := float64(false1) / float64(maps)
			t.Logf("%d of %d maps with %g matters a grid have a finding", false1, maps, mean)
			if rate > share+2*math.Sqrt(share*(1-share)/float64(maps)) {
				t.Errorf("%g of the maps have a finding", rate)
			}
		})
	}
}

// Blocks of twice as many as elsewhere are found, and hardly anything else. False is what is found where none of the places counted was
// planted: Gi* speaks of a place with its neighbours.
func TestPlantedBlocksAreFound(t *testing.T) {
	n := city(t)
	w := n.Weighted(hotspot.Binary).WithSelf()
	var planted, recalled, all, wrong float64
	for seed := range uint64(soak.Or(40, 200)) {
		rng := rand.New(rand.NewPCG(seed, 17))
		x := counts(rng, wide*tall, 20)
		is := make([]bool, len(x))
		for range 1 + seed%3 { // one to three blocks
			left, low := rng.IntN(wide-2), rng.IntN(tall-2)
			for i := range x {
				if dx, dy := i%wide-left, i/wide-low; dx >= 0 && dx < 2 && dy >= 0 && dy < 2+int(seed%2) && !is[i] {
					is[i] = true
					x[i] = poisson(rng, 40)
				}
			}
		}
		for i, hot := range found(x, w) {
			near := is[i]
			for _, j := range n.Of(i) {
				near = near || is[j]
			}
			if is[i] {
				planted++
				if hot {
					recalled++
				}
			}
			if hot {
				all++
				if !near {
					wrong++
				}
			}
		}
	}
	t.Logf("%g of %g planted grids are found; %g of %g findings are false", recalled, planted, wrong, all)
	if recalled < 0.9*planted || wrong > 0.1*all {
		t.Errorf("recall %g, false %g", recalled/planted, wrong/all)
	}
}

// The p by which FDR goes is that of draws, also far out and of few matters, where a normal one is not.
func TestCautiousTails(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 3))
	x := counts(rng, 400, 0.5)
	for i := range 12 { // a block with many
		x[i/4*20+i%4] += 3
	}
	w := must(hotspot.Lists(lattice(20, true))).Weighted(hotspot.Binary)
	l := must(hotspot.Getis(x, w, hotspot.Greater))
	p := must(hotspot.Permute(t.Context(), x, w, 99_999, 5, hotspot.Greater))
	normal, exact, n := 0.0, 0.0, 0.0
	for i := range x {
		if p.P[i] > 2e-4 && p.P[i] < 0.05 {
			normal += math.Abs(math.Log(l.P[i] / p.P[i]))
			exact += math.Abs(math.Log(l.Cautious[i] / p.P[i]))
			n++
		}
	}
	t.Logf("of %g places a normal p is off by a factor of %.2f, the cautious one by %.2f", n, math.Exp(normal/n), math.Exp(exact/n))
	if n < 5 || math.Exp(exact/n) > 1.25 || exact > normal/2 {
		t.Error("the tails are not those of draws")
	}
}

// Of real counts, which are far from normal, no cautious p is far below that of draws: cold spots are not made of a tail that ends early.
func TestRealTailsAreCautious(t *testing.T) {
	for _, name := range []string{"columbus_crime.json", "dc311_smd_all.json", "sids_sidr74.json", "stl_hr8893.json"} {
		d := read[published](t, name)
		w := lists(t, d.Neighbours).Weighted(hotspot.Binary)
		l := must(hotspot.Getis(d.Y, w, hotspot.TwoSided))
		p := must(hotspot.Permute(t.Context(), d.Y, w, 50_000, 3, hotspot.TwoSided))
		for i := range d.Y {
			if l.Cautious[i] < l.P[i]-1e-12 || l.Cautious[i] < 0.3*p.P[i]-1e-4 {
				t.Errorf("%s, place %d: z %.3f, p %.5f, cautious %.5f, of draws %.5f", name, i, l.Z[i], l.P[i], l.Cautious[i], p.P[i])
			}
		}
	}
}

// One-sided, local Moran's draws look to the side on which a place is like those around it; its p is near that of the formula.
func TestMoransDrawsLookToTheRightSide(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	x := counts(rng, 400, 30)
	w := must(hotspot.Lists(lattice(20, true))).Weighted(hotspot.Row)
	l := must(hotspot.LocalMoran(x, w, hotspot.Greater))
	p := must(hotspot.PermuteMoran(t.Context(), x, w, 4000, 5, hotspot.Greater))
	for i := range x {
		if math.Abs(p.P[i]-l.P[i]) > 0.06 || l.Cautious[i] < l.P[i]-1e-12 {
			t.Errorf("place %d: %g by draws, %g by the formula, cautious %g", i, p.P[i], l.P[i], l.Cautious[i])
		}
	}
}
