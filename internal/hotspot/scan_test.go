package hotspot_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/hotspot"
)

// Five places in a row and three periods, gone through by hand: the best cylinder is places 1 and 2 in the last two periods.
func TestKulldorffByHand(t *testing.T) {
	seen := [][]int{{1, 1, 0}, {1, 4, 5}, {0, 3, 4}, {1, 0, 1}, {1, 1, 1}}
	expected := make([][]float64, 5)
	var points []orb.Point
	for i := range expected {
		expected[i] = []float64{1, 1, 1}
		points = append(points, orb.Point{float64(i * 100), 0})
	}
	o := hotspot.Scan{MaxPlaces: 3, MaxPeriods: 3, MaxShare: 0.5, Draws: 999, Seed: 4}
	found := must(hotspot.Kulldorff(t.Context(), seen, expected, points, o))
	// 24 matters over 15 cells: 1.6 are expected in each, 6.4 in the four; 16 are there.
	want := 16*math.Log(16/6.4) + 8*math.Log(8/(24-6.4))
	b := found[0]
	if slices.Sort(b.Places); !slices.Equal(b.Places, []int{1, 2}) || b.From != 1 || b.To != 2 || b.Seen != 16 || math.Abs(b.Expected-6.4) > 1e-9 || math.Abs(b.LLR-want) > 1e-9 {
		t.Errorf("%+v, want a ratio of %g", b, want)
	}
	if b.P > 0.02 {
		t.Errorf("p is %g", b.P)
	}
	for i, c := range found {
		for _, other := range found[:i] {
			if slices.ContainsFunc(c.Places, func(p int) bool { return slices.Contains(other.Places, p) }) {
				t.Errorf("%+v and %+v share a place", c, other)
			}
		}
	}
	seen[1], seen[2] = []int{5, 4, 1}, []int{4, 3, 0}
	o.Alive, o.MaxPeriods = true, 1
	for _, c := range must(hotspot.Kulldorff(t.Context(), seen, expected, points, o)) {
		if c.From != 2 || c.To != 2 || c.P < 0.05 {
			t.Errorf("what is over is found among what lasts: %+v", c)
		}
	}
}

// The best cylinder is that of a look through all; p of random maps is spread evenly.
func TestKulldorffAgainstAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var points []orb.Point
	for range 16 {
		points = append(points, orb.Point{rng.Float64(), rng.Float64()})
	}
	var ps []float64
	for round := range 60 {
		seen, expected := make([][]int, len(points)), make([][]float64, len(points))
		total, all := 0, 0.0
		for i := range points {
			for range 6 {
				e := 1 + rng.Float64()
				c := int(poisson(rng, e))
				seen[i], expected[i] = append(seen[i], c), append(expected[i], e)
				total, all = total+c, all+e
			}
		}
		o := hotspot.Scan{MaxPlaces: 6, MaxPeriods: 4, MaxShare: 0.4, Draws: 99, Seed: uint64(round)}
		found := must(hotspot.Kulldorff(t.Context(), seen, expected, points, o))
		var best float64
		for c := range points {
			order := make([]int, len(points))
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(a, b int) int {
				d := func(i int) float64 { return math.Hypot(points[i][0]-points[c][0], points[i][1]-points[c][1]) }
				if d(a) < d(b) {
					return -1
				}
				return 1
			})
			for size := 1; size <= o.MaxPlaces; size++ {
				for from := range 6 {
					for to := from; to < min(6, from+o.MaxPeriods); to++ {
						var n, e float64
						for _, p := range order[:size] {
							for t := from; t <= to; t++ {
								n, e = n+float64(seen[p][t]), e+expected[p][t]*float64(total)/all
							}
						}
						if n > e && e <= o.MaxShare*float64(total) {
							best = max(best, n*math.Log(n/e)+(float64(total)-n)*math.Log((float64(total)-n)/(float64(total)-e)))
						}
					}
				}
			}
		}
		if math.Abs(found[0].LLR-best) > 1e-9 {
			t.Fatalf("the best ratio is %g, want %g", found[0].LLR, best)
		}
		ps = append(ps, found[0].P)
	}
	var mean float64
	for _, p := range ps {
		mean += p / float64(len(ps))
	}
	if math.Abs(mean-0.5) > 4*math.Sqrt(1.0/12/float64(len(ps))) {
		t.Errorf("p of random maps is %g on the mean", mean)
	}
}

// What is expected is by hand: a period has 6 or 3, of nine matters the places have 3 and 6, of four households 1 and 3.
func TestShares(t *testing.T) {
	seen := [][]int{{2, 1}, {4, 2}}
	for name, c := range map[string]struct {
		base []float64
		want [][]float64
	}{"as they are": {nil, [][]float64{{2, 1}, {4, 2}}}, "by households": {[]float64{1, 3}, [][]float64{{1.5, 0.75}, {4.5, 2.25}}}, "nobody": {[]float64{0, 0}, [][]float64{{0, 0}, {0, 0}}}} {
		got := hotspot.Shares(seen, c.base)
		for i := range got {
			if !slices.Equal(got[i], c.want[i]) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}

// A scan that would last for hours is refused before it begins.
func TestScansHaveABound(t *testing.T) {
	seen, points := make([][]int, 1400), make([]orb.Point, 1400)
	for i := range seen {
		seen[i] = make([]int, 104)
		seen[i][0] = 1
		points[i] = orb.Point{float64(i), 0}
	}
	_, err := hotspot.Kulldorff(t.Context(), seen, hotspot.Shares(seen, nil), points, hotspot.Scan{MaxPlaces: 50, MaxPeriods: 52, MaxShare: 0.5, Draws: 999})
	if err == nil || !strings.Contains(err.Error(), "1e+10 at most") {
		t.Errorf("%v", err)
	}
}
