package hotspot_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridgov/internal/hotspot"
)

// counts are of places where chance alone rules.
func counts(rng *rand.Rand, n int, mean float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = poisson(rng, mean)
	}
	return x
}

// poisson draws by Knuth's product of uniforms.
func poisson(rng *rand.Rand, mean float64) float64 {
	for n, p, limit := 0.0, rng.Float64(), math.Exp(-mean); ; n++ {
		if p < limit {
			return n
		}
		p *= rng.Float64()
	}
}

// Draws give the p of all arrangements: on a map so small that all of them can be gone through, within what chance does to so many draws.
func TestPermutationsAgreeWithAllArrangements(t *testing.T) {
	n := must(hotspot.Lists(lattice(3, false)))
	x := []float64{9, 7, 1, 6, 2, 2, 0, 1, 5}
	const draws = 20_000
	for _, sided := range []hotspot.Sided{hotspot.TwoSided, hotspot.Greater, hotspot.Less} {
		p := must(hotspot.Permute(t.Context(), x, n.Weighted(hotspot.Binary), draws, 7, sided))
		for i := range x {
			var others []float64
			for j, v := range x {
				if j != i {
					others = append(others, v)
				}
			}
			var seen float64
			for _, j := range n.Of(i) {
				seen += x[j]
			}
			var all, most, least float64
			choose(others, len(n.Of(i)), func(sum float64) {
				all++
				if sum >= seen {
					most++
				}
				if sum <= seen {
					least++
				}
			})
			want := map[hotspot.Sided]float64{hotspot.TwoSided: min(1, 2*min(most, least)/all), hotspot.Greater: most / all, hotspot.Less: least / all}[sided]
			share, sides := want, 1.0
			if sided == hotspot.TwoSided {
				share, sides = want/2, 2
			}
			if sd := sides * math.Sqrt(share*(1-share)/draws); math.Abs(p.P[i]-want) > 4*sd+3.0/draws {
				t.Errorf("place %d, %s: p is %g, of all arrangements %g", i, sided, p.P[i], want)
			}
		}
	}
}

// choose calls f with the sum of each k of some values.
func choose(values []float64, k int, f func(sum float64)) {
	var pick func(from, left int, sum float64)
	pick = func(from, left int, sum float64) {
		if left == 0 {
			f(sum)
			return
		}
		for i := from; i <= len(values)-left; i++ {
			pick(i+1, left-1, sum+values[i])
		}
	}
	pick(0, k, 0)
}

// Whoever has many neighbours and whoever has few share their draws, and each p is near that of the formula.
func TestDrawsAgreeWithTheFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := counts(rng, 300, 30)
	sets := make([][]int, len(x))
	for i := range sets {
		for _, k := range rng.Perm(len(x))[:5+i%90] {
			if k != i {
				sets[i] = append(sets[i], k)
			}
		}
	}
	w := must(hotspot.Lists(sets)).Weighted(hotspot.Binary)
	z := must(hotspot.Getis(x, w, hotspot.TwoSided))
	p := must(hotspot.Permute(t.Context(), x, w, 4000, 3, hotspot.TwoSided))
	var off float64
	for i := range x {
		off += (p.P[i] - z.P[i]) / float64(len(x))
		if d := math.Abs(p.P[i] - z.P[i]); d > 0.08 {
			t.Errorf("place %d with %d neighbours: %g by draws, %g by the formula", i, len(w.Of(i)), p.P[i], z.P[i])
		}
	}
	if math.Abs(off) > 0.01 {
		t.Errorf("all draws are off by %g", off)
	}
}

func TestTheSameSeedIsTheSameAnswer(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x := counts(rng, 900, 4)
	w := must(hotspot.Lists(lattice(30, true))).Weighted(hotspot.Binary)
	first := must(hotspot.Permute(t.Context(), x, w, 199, 11, hotspot.TwoSided))
	was := runtime.GOMAXPROCS(1)
	again := must(hotspot.Permute(t.Context(), x, w, 199, 11, hotspot.TwoSided))
	runtime.GOMAXPROCS(was)
	if !slices.Equal(first.P, again.P) {
		t.Error("one core gives another answer than several")
	}
	if other := must(hotspot.Permute(t.Context(), x, w, 199, 12, hotspot.TwoSided)); slices.Equal(first.P, other.P) {
		t.Error("the seed changes nothing")
	}
	if first.Floor() != 2.0/200 || slices.Min(first.P) < first.Floor() {
		t.Errorf("floor %g, least %g", first.Floor(), slices.Min(first.P))
	}
}

// What cannot be tested is said, and nothing is NaN or above 1, whatever the values and neighbours are.
func TestNothingIsEverNaN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "places")
		sets := make([][]int, n)
		for i := range sets {
			for j := range n {
				if i != j && rapid.IntRange(0, 3).Draw(t, "link") == 0 {
					sets[i] = append(sets[i], j)
				}
			}
		}
		x := make([]float64, n)
		for i := range x {
			x[i] = rapid.SampledFrom([]float64{0, 0, 1, 1, 2, 1e9, 1e-9}).Draw(t, "value")
		}
		neighbours := must(hotspot.Lists(sets))
		fine := func(what string, values ...float64) {
			for _, v := range values {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%s: %v", what, values)
				}
			}
		}
		for _, w := range []hotspot.Weights{neighbours.Weighted(hotspot.Binary), neighbours.Weighted(hotspot.Row), neighbours.Weighted(hotspot.Row).WithSelf()} {
			for _, null := range []hotspot.Null{hotspot.Normal, hotspot.Randomised} {
				for _, g := range []hotspot.Global{must(hotspot.Moran(x, w, null, hotspot.TwoSided)), must(hotspot.Geary(x, w, null, hotspot.Less)), must(hotspot.GlobalG(x, w, hotspot.Greater))} {
					fine("global", g.Stat, g.Z, g.P, g.Expected, g.Variance)
					if g.P > 1 || g.P < 0 || g.Verdict == "" || g.Verdict != hotspot.Tested && g.P != 1 {
						t.Fatalf("%+v", g)
					}
				}
			}
			for _, l := range []hotspot.Local{must(hotspot.Getis(x, w, hotspot.TwoSided)), must(hotspot.LocalMoran(x, w, hotspot.TwoSided))} {
				fine("local", l.Stat...)
				fine("local z", l.Z...)
				for i, p := range l.P {
					if !(p >= 0 && p <= 1) || l.Verdict[i] == "" || l.Verdict[i] != hotspot.Tested && (p != 1 || l.Z[i] != 0) || len(neighbours.Of(i)) == 0 && l.Verdict[i] == hotspot.Tested {
						t.Fatalf("place %d: p %g, %s, %d neighbours", i, p, l.Verdict[i], len(neighbours.Of(i)))
					}
				}
			}
			for i, p := range must(hotspot.Permute(t.Context(), x, w, 9, 1, hotspot.TwoSided)).P {
				if !(p > 0 && p <= 1) {
					t.Fatalf("place %d: p %g", i, p)
				}
			}
		}
		b := make([]bool, n)
		for i := range b {
			b[i] = x[i] > 0
		}
		j := must(hotspot.JoinCounts(b, neighbours.Weighted(hotspot.Binary)))
		fine("joins", j.BB.Z, j.BW.Z, j.WW.Z, j.BB.P, j.BW.P, j.WW.P, j.Chi2, j.Chi2P)
	})
}

// q by its definition, not by stepping: the least of p·m/rank over all that are at least as large.
func TestFDR(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1e-9, 0.001, 0.01, 0.02, 0.02, 0.049, 0.2, 0.5, 1}), 0, 30).Draw(t, "p")
		out := rapid.IntRange(-1, len(p)).Draw(t, "not tested")
		q := hotspot.FDR(p, func(i int) bool { return i != out })
		for i := range p {
			want := 1.0
			for j := range p {
				if i == out || j == out || p[j] < p[i] {
					continue
				}
				var tests, upTo float64
				for k := range p {
					if k != out {
						tests++
						if p[k] <= p[j] {
							upTo++
						}
					}
				}
				want = min(want, p[j]*tests/upTo)
			}
			if math.Abs(q[i]-want) > 1e-15 {
				t.Fatalf("q of %v without %d is %v at %d, want %g", p, out, q, i, want)
			}
		}
	})
	if hotspot.FeedsFDR(999, 50, hotspot.Greater) || !hotspot.FeedsFDR(1000, 50, hotspot.Greater) || hotspot.FeedsFDR(1999, 50, hotspot.TwoSided) || !hotspot.FeedsFDR(2000, 50, hotspot.TwoSided) {
		t.Error("how many draws feed FDR is another number than 20 times the tests, each side")
	}
}

// Neighbours by buckets are those by comparing all pairs.
func TestNearestAndWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]float64 {
			return [2]float64{float64(rapid.IntRange(0, 9).Draw(t, "x")), rapid.SampledFrom([]float64{0, 1, 1.5, 700}).Draw(t, "y")}
		}), 0, 30).Draw(t, "points")
		k, band := rapid.IntRange(1, 8).Draw(t, "k"), rapid.SampledFrom([]float64{0.5, 1, 2, 100, 1e6}).Draw(t, "band")
		near, within := must(hotspot.Nearest(orbs(points), k)), must(hotspot.Within(orbs(points), band))
		for i, p := range points {
			order := []int32{}
			inside := []int32{}
			for j, o := range points {
				if i == j {
					continue
				}
				order = append(order, int32(j))
				if math.Hypot(p[0]-o[0], p[1]-o[1]) <= band {
					inside = append(inside, int32(j))
				}
			}
			d2 := func(j int32) float64 {
				dx, dy := p[0]-points[j][0], p[1]-points[j][1]
				return dx*dx + dy*dy
			}
			slices.SortStableFunc(order, func(a, b int32) int {
				switch {
				case d2(a) < d2(b):
					return -1
				case d2(a) > d2(b):
					return 1
				}
				return 0
			})
			order = order[:min(k, len(order))]
			slices.Sort(order)
			if !slices.Equal(near.Of(i), order) || !slices.Equal(within.Of(i), inside) {
				t.Fatalf("of %v place %d has %v and %v, want %v and %v", points, i, near.Of(i), within.Of(i), order, inside)
			}
		}
	})
}
