package hotspot_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/hotspot"
)

// R's cor.test(…, method = "kendall", exact = FALSE, continuity = TRUE) against time is the same test. The script: testdata/expected.R.
func TestMannKendallAsR(t *testing.T) {
	for name, c := range read[map[string]struct {
		X    []float64
		S, P float64
	}](t, "trend.json") {
		got := hotspot.MannKendall(c.X, hotspot.TwoSided)
		near(t, name+": S", float64(got.S), c.S)
		near(t, name+": p", got.P, c.P)
	}
	if got := hotspot.MannKendall([]float64{3, 3, 3, 3, 3}, hotspot.TwoSided); got.Verdict != hotspot.Constant || got.P != 1 {
		t.Errorf("%+v", got)
	}
	if got := hotspot.MannKendall([]float64{1, 2, 3}, hotspot.TwoSided); got.Verdict != hotspot.TooFew || got.P != 1 {
		t.Errorf("%+v", got)
	}
}

// Each class by a case worked by hand: + hot, - cold, . neither; z rises, falls or wavers.
func TestEmerge(t *testing.T) {
	for _, c := range []struct {
		steps string
		z     string
		class hotspot.Class
		heat  hotspot.Heat
	}{
		{".........+", "wavers", hotspot.New, hotspot.Hot},
		{".........-", "wavers", hotspot.New, hotspot.Cold},
		{".......+++", "rises", hotspot.Consecutive, hotspot.Hot},
		{".......---", "wavers", hotspot.Consecutive, hotspot.Cold},
		{"++++++++++", "rises", hotspot.Intensifying, hotspot.Hot},
		{"++++++++++", "falls", hotspot.Diminishing, hotspot.Hot},
		{"++++++++++", "wavers", hotspot.Persistent, hotspot.Hot},
		{".+++++++++", "rises", hotspot.Intensifying, hotspot.Hot},
		{"----------", "falls", hotspot.Intensifying, hotspot.Cold},
		{"----------", "rises", hotspot.Diminishing, hotspot.Cold},
		{"+..+...+.+", "wavers", hotspot.Sporadic, hotspot.Hot},
		{"..++....++", "wavers", hotspot.Sporadic, hotspot.Hot},
		{"..-.....++", "wavers", hotspot.Oscillating, hotspot.Hot},
		{"+........-", "wavers", hotspot.Oscillating, hotspot.Cold},
		{"+++++++++.", "wavers", hotspot.Historical, hotspot.Hot},
		{"---------.", "rises", hotspot.Historical, hotspot.Cold},
		{"++........", "wavers", hotspot.NoPattern, hotspot.Neither},
		{"..........", "rises", hotspot.NoPattern, hotspot.Neither},
		{"", "wavers", hotspot.NoPattern, hotspot.Neither},
	} {
		var steps []hotspot.Step
		for i, s := range c.steps {
			z := map[string]float64{"rises": float64(i), "falls": -float64(i), "wavers": math.Abs(float64(i)-4.5) * float64(1-i%2*2)}[c.z]
			steps = append(steps, hotspot.Step{Heat: hotspot.Heat(strings.IndexRune("-.+", s) - 1), Z: z})
		}
		if e := hotspot.Emerge(steps, 0.05); e.Class != c.class || e.Heat != c.heat {
			t.Errorf("%q that %s: %s %d, want %s %d", c.steps, c.z, e.Class, e.Heat, c.class, c.heat)
		}
	}
}

// The density is that of a sum over all points, and its volume is the number of matters, also at the city's rim.
func TestDensity(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	r := hotspot.Raster{West: 1000, South: -500, Cell: 10, Cols: 90, Rows: 70}
	var points []orb.Point
	for range 400 { // in the middles of cells: what lies elsewhere is put there
		points = append(points, orb.Point{r.West + (float64(rng.IntN(r.Cols))+0.5)*r.Cell, r.South + (float64(rng.IntN(r.Rows))+0.5)*r.Cell})
	}
	inside := make([]bool, r.Cols*r.Rows)
	for i := range inside {
		inside[i] = i%r.Cols > 10 && i/r.Cols > 5
	}
	for _, k := range []hotspot.Kernel{hotspot.Gaussian, hotspot.Quartic} {
		const h = 60.0
		d := must(hotspot.Density(r, points, k, h, nil))
		var worst float64
		for c := range d.Values {
			at := orb.Point{r.West + (float64(c%r.Cols)+0.5)*r.Cell, r.South + (float64(c/r.Cols)+0.5)*r.Cell}
			var want float64
			for _, p := range points {
				d2 := ((p[0]-at[0])*(p[0]-at[0]) + (p[1]-at[1])*(p[1]-at[1])) / h / h
				switch {
				case k == hotspot.Gaussian:
					want += math.Exp(-d2/2) / (2 * math.Pi * h * h) * 1e6
				case d2 < 1:
					want += 3 * (1 - d2) * (1 - d2) / (math.Pi * h * h) * 1e6
				}
			}
			worst = max(worst, math.Abs(d.Values[c]-want)/1e6*h*h) // by the height of one kernel
		}
		if worst > 0.01 {
			t.Errorf("%s: off by %g of a kernel", k, worst)
		}
		// With the outline no matter is lost.
		one := must(hotspot.Density(r, []orb.Point{{r.West + 115, r.South + 65}}, k, h, inside)) // in the inner corner
		var volume float64
		for c, v := range one.Values {
			if v > 0 && !inside[c] {
				t.Fatal("there is something outside of the city")
			}
			volume += v * r.Cell * r.Cell / 1e6
		}
		uncorrected := must(hotspot.Density(r, []orb.Point{{r.West + 115, r.South + 65}}, k, h, nil))
		var within float64
		for c, v := range uncorrected.Values {
			if inside[c] {
				within += v * r.Cell * r.Cell / 1e6
			}
		}
		if math.Abs(volume-1) > 1e-9 || within > 0.45 {
			t.Errorf("%s: %g of one matter in the corner lie inside, uncorrected %g", k, volume, within)
		}
	}
	for _, bad := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := hotspot.Density(r, points, hotspot.Gaussian, bad, nil); err == nil {
			t.Errorf("a bandwidth of %g is taken", bad)
		}
	}
	if h := hotspot.Bandwidth(points[:1], hotspot.Gaussian); h != 0 {
		t.Errorf("one point has a bandwidth of %g", h)
	}
}

// The bandwidth by rule is the same of points as of what was counted by cells, when they lie in the middles; points in one place have none.
func TestBandwidthOfCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	r := hotspot.Raster{Cell: 7.3, Cols: 41, Rows: 29, Values: make([]float64, 41*29)}
	var points []orb.Point
	for range 500 {
		x, y := rng.IntN(r.Cols), rng.IntN(r.Rows)
		r.Values[y*r.Cols+x]++
		points = append(points, orb.Point{float64(x) * r.Cell, float64(y) * r.Cell})
	}
	for _, k := range []hotspot.Kernel{hotspot.Gaussian, hotspot.Quartic} {
		if got, want := r.Bandwidth(k), hotspot.Bandwidth(points, k); math.Abs(got-want) > 1e-9*want || want < 10 {
			t.Errorf("%s: %g of cells, %g of points", k, got, want)
		}
	}
	for cell := range r.Values {
		for n := range 8 {
			one := hotspot.Raster{Cell: 7.3, Cols: 41, Rows: 29, Values: make([]float64, 41*29)}
			if one.Values[cell] = float64(n); !(one.Bandwidth(hotspot.Gaussian) < 1e-3) {
				t.Fatalf("%d matters in cell %d have a bandwidth of %g", n, cell, one.Bandwidth(hotspot.Gaussian))
			}
		}
	}
}
