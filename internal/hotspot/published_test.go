package hotspot_test

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/hotspot"
)

// read reads a file of published values.
func read[T any](t testing.TB, name string) (v T) {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err == nil {
		err = json.NewDecoder(z).Decode(&v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// near tells that a figure is the published one, to 1e-6 of it.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > 1e-6*max(1e-3, math.Abs(want)) {
		t.Errorf("%s is %.12g, published is %.12g", what, got, want)
	}
}

// lists makes neighbours of lists that count from one.
func lists(t testing.TB, oneBased [][]int) hotspot.Neighbours {
	t.Helper()
	zero := make([][]int, len(oneBased))
	for i, list := range oneBased {
		for _, j := range list {
			zero[i] = append(zero[i], j-1)
		}
	}
	n, err := hotspot.Lists(zero)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type published struct {
	Name       string
	Y          []float64
	Neighbours [][]int `json:"neighbours_1based"`
	Moran      struct {
		I       float64
		EI      float64
		VIRand  float64 `json:"VI_rand"`
		ZRand   float64 `json:"z_rand"`
		PRand   float64 `json:"p_rand_greater"`
		VINorm  float64 `json:"VI_norm"`
		PNormal float64 `json:"p_norm_greater"`
	}
	Geary struct {
		C, EC, Z float64
		VC       float64 `json:"VC_rand"`
	}
	GlobalG struct {
		G, EG, VG float64
		Z         [][]float64
		P         [][]float64 `json:"p_greater"`
	} `json:"globalG"`
	LocalMoranI []float64 `json:"local_moran_Ii"`
	LocalMoranZ []float64 `json:"local_moran_Z"`
	LocalG      []float64 `json:"localG_binary"`
	LocalGstar  []float64 `json:"localGstar_binary"`
	Queen       [][]int   `json:"queen_neighbours_1based"`
	Joins       map[string]struct {
		Statistic, Expectation, Variance, Z, P float64
	} `json:"joincount_queen_B"`
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The statistics are those that R's spdep computes, and those that PySAL has published.
func TestAsPublished(t *testing.T) {
	for _, name := range []string{"columbus_crime.json", "dc311_smd_all.json", "sids_sidr74.json", "stl_hr8893.json"} {
		t.Run(name, func(t *testing.T) {
			d := read[published](t, name)
			n := lists(t, d.Neighbours)
			if !n.Symmetric() || len(d.Y) < 40 {
				t.Fatalf("%d values, symmetric: %t", len(d.Y), n.Symmetric())
			}
			binary, row := n.Weighted(hotspot.Binary), n.Weighted(hotspot.Row)
			g := must(hotspot.Moran(d.Y, row, hotspot.Randomised, hotspot.Greater))
			near(t, "Moran's I", g.Stat, d.Moran.I)
			near(t, "its expectation", g.Expected, d.Moran.EI)
			near(t, "its variance", g.Variance, d.Moran.VIRand)
			near(t, "its z", g.Z, d.Moran.ZRand)
			near(t, "its p", g.P, d.Moran.PRand)
			g = must(hotspot.Moran(d.Y, row, hotspot.Normal, hotspot.Greater))
			near(t, "its variance, normal", g.Variance, d.Moran.VINorm)
			near(t, "its p, normal", g.P, d.Moran.PNormal)
			g = must(hotspot.Geary(d.Y, row, hotspot.Randomised, hotspot.TwoSided))
			near(t, "Geary's C", g.Stat, d.Geary.C)
			near(t, "its expectation", g.Expected, d.Geary.EC)
			near(t, "its variance", g.Variance, d.Geary.VC)
			near(t, "its z", g.Z, d.Geary.Z)
			g = must(hotspot.GlobalG(d.Y, binary, hotspot.Greater))
			near(t, "general G", g.Stat, d.GlobalG.G)
			near(t, "its expectation", g.Expected, d.GlobalG.EG)
			near(t, "its variance", g.Variance, d.GlobalG.VG)
			near(t, "its z", g.Z, d.GlobalG.Z[0][0])
			near(t, "its p", g.P, d.GlobalG.P[0][0])
			moran := must(hotspot.LocalMoran(d.Y, row, hotspot.TwoSided))
			gi := must(hotspot.Getis(d.Y, binary, hotspot.TwoSided))
			star := must(hotspot.Getis(d.Y, binary.WithSelf(), hotspot.TwoSided))
			for i := range d.Y {
				near(t, "local Moran's I", moran.Stat[i], d.LocalMoranI[i])
				near(t, "its z", moran.Z[i], d.LocalMoranZ[i])
				near(t, "Gi", gi.Z[i], d.LocalG[i])
				near(t, "Gi*", star.Z[i], d.LocalGstar[i])
				if p := 2 * (0.5 * math.Erfc(math.Abs(star.Z[i])/math.Sqrt2)); math.Abs(star.P[i]-p) > 1e-12 || star.Verdict[i] != hotspot.Tested {
					t.Errorf("p of place %d is %g, %s", i, star.P[i], star.Verdict[i])
				}
			}
			if len(d.Joins) > 0 {
				high := make([]bool, len(d.Y))
				for i, y := range d.Y {
					high[i] = y > 35 // as spdep's example cuts it
				}
				j := must(hotspot.JoinCounts(high, lists(t, d.Queen).Weighted(hotspot.Binary)))
				for of, got := range map[string]hotspot.Global{"high:high": j.BB, "low:low": j.WW} {
					want := d.Joins[of]
					near(t, of, got.Stat, want.Statistic)
					near(t, of+"'s expectation", got.Expected, want.Expectation)
					near(t, of+"'s variance", got.Variance, want.Variance)
					near(t, of+"'s z", got.Z, want.Z)
					near(t, of+"'s p", got.P, want.P)
				}
			}
		})
	}
}

// lattice are places of a square lattice; queen: corners count too.
func lattice(side int, queen bool) [][]int {
	out := make([][]int, side*side)
	for i := range out {
		for j := range out {
			dx, dy := i%side-j%side, i/side-j/side
			if d := dx*dx + dy*dy; d == 1 || queen && d == 2 {
				out[i] = append(out[i], j)
			}
		}
	}
	return out
}

func TestSmallPublishedCases(t *testing.T) {
	d := read[struct {
		Points struct {
			Points   []orb.Point
			Y        []float64
			Band     float64 `json:"distance_band"`
			G        float64
			P        float64 `json:"G_p_norm"`
			GBinary  float64 `json:"local_G_binary_Z0"`
			GRow     float64 `json:"local_G_rowstd_Z0"`
			GsBinary float64 `json:"local_Gstar_binary_Z0"`
			GsRow    float64 `json:"local_Gstar_rowstd_Z0"`
		} `json:"getis_ord_points"`
		Joins struct {
			Y          []int
			BB, BW, WW float64
			Chi2       float64
			Chi2P      float64 `json:"chi2_p"`
		} `json:"join_count_4x4_rook"`
		Moran struct {
			Y      []float64
			VIRand float64 `json:"VI_rand"`
			VINorm float64 `json:"VI_norm"`
		} `json:"moran_3x3_rook_binary"`
	}](t, "small_published.json")
	p := d.Points
	n := must(hotspot.Within(p.Points, p.Band))
	binary, row := n.Weighted(hotspot.Binary), n.Weighted(hotspot.Row)
	g := must(hotspot.GlobalG(p.Y, binary, hotspot.Greater))
	near(t, "general G", g.Stat, p.G)
	if math.Abs(g.P-p.P) > 1e-6 { // six digits were published
		t.Errorf("its p is %g, published is %g", g.P, p.P)
	}
	if !g.Weak {
		t.Error("six places are said to be enough")
	}
	near(t, "Gi of the first point", must(hotspot.Getis(p.Y, binary, hotspot.TwoSided)).Z[0], p.GBinary)
	near(t, "Gi* of the first point", must(hotspot.Getis(p.Y, binary.WithSelf(), hotspot.TwoSided)).Z[0], p.GsBinary)
	// By the formula of 1995 it is the same whatever a row weighs. PySAL has that of 1992 for rows too, which takes the sum of the weights
	// for that of their squares: of k neighbours among m places it has the variance m−1 where it is (m−k)/k.
	of1992 := func(m, k float64) float64 { return math.Sqrt((m - k) / k / (m - 1)) }
	near(t, "Gi of rows", must(hotspot.Getis(p.Y, row, hotspot.TwoSided)).Z[0]*of1992(5, 2), p.GRow)
	near(t, "Gi* of rows", must(hotspot.Getis(p.Y, row.WithSelf(), hotspot.TwoSided)).Z[0]*of1992(6, 3), p.GsRow)
	kinds := make([]bool, len(d.Joins.Y))
	for i, y := range d.Joins.Y {
		kinds[i] = y == 1
	}
	j := must(hotspot.JoinCounts(kinds, must(hotspot.Lists(lattice(4, false))).Weighted(hotspot.Binary)))
	near(t, "BB", j.BB.Stat, d.Joins.BB)
	near(t, "BW", j.BW.Stat, d.Joins.BW)
	near(t, "WW", j.WW.Stat, d.Joins.WW)
	near(t, "χ²", j.Chi2, d.Joins.Chi2)
	near(t, "its p", j.Chi2P, d.Joins.Chi2P)
	w := must(hotspot.Lists(lattice(3, false))).Weighted(hotspot.Binary)
	near(t, "variance of I", must(hotspot.Moran(d.Moran.Y, w, hotspot.Randomised, hotspot.TwoSided)).Variance, d.Moran.VIRand)
	near(t, "variance of I, normal", must(hotspot.Moran(d.Moran.Y, w, hotspot.Normal, hotspot.TwoSided)).Variance, d.Moran.VINorm)
}

func orbs(points [][2]float64) []orb.Point {
	out := make([]orb.Point, len(points))
	for i, p := range points {
		out[i] = p
	}
	return out
}

// Rates of deaths among births, by PySAL, and by R's EBest.
func TestRatesAsPublished(t *testing.T) {
	d := read[struct {
		Rate struct {
			I float64
			P float64 `json:"p_norm"`
		} `json:"moran_rate_sids79"`
	}](t, "small_published.json")
	counties := read[struct {
		Features []struct {
			Properties struct{ SID79, BIR79 float64 }
		}
	}](t, "sids2.geojson")
	var deaths, births []float64
	for _, f := range counties.Features {
		deaths, births = append(deaths, f.Properties.SID79), append(births, f.Properties.BIR79)
	}
	r := must(hotspot.EmpiricalBayes(deaths, births))
	n := lists(t, read[published](t, "sids_sidr74.json").Neighbours)
	g := must(hotspot.Moran(r.Standard, n.Weighted(hotspot.Row), hotspot.Normal, hotspot.Greater))
	near(t, "I of rates", g.Stat, d.Rate.I)
	near(t, "its p", g.P, d.Rate.P)
	for i, want := range []float64{0.00162492458314662, 0.00226270694998679, 0.00186202483392163, 0.00202962146985981, 0.00195648724510051} { // R's EBest
		near(t, "shrunk rate", r.Shrunk[i], want)
	}
}

// R's joincount.multi of a lattice of four by four, mixed joins and their variance too.
func TestMixedJoinsAsR(t *testing.T) {
	var kinds []bool
	for _, y := range []int{0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1} {
		kinds = append(kinds, y == 1)
	}
	j := must(hotspot.JoinCounts(kinds, must(hotspot.Lists(lattice(4, false))).Weighted(hotspot.Binary)))
	for _, c := range []struct {
		what                     string
		got                      hotspot.Global
		stat, expected, variance float64
	}{{"WW", j.WW, 3, 5.6, 1.87076923077}, {"BB", j.BB, 5, 5.6, 1.87076923077}, {"BW", j.BW, 16, 12.8, 5.34974358974}} {
		near(t, c.what, c.got.Stat, c.stat)
		near(t, c.what+"'s expectation", c.got.Expected, c.expected)
		near(t, c.what+"'s variance", c.got.Variance, c.variance)
	}
}

// A place without neighbours is left out: the figures are those of R's moran.test, geary.test and globalG.test without it. (With it and
// zero.policy the third is the same; the first two count it in the mean, and their variances by two different rules.)
func TestIslandsAreLeftOut(t *testing.T) {
	sets := lattice(3, false)
	sets[0] = nil
	for i, list := range sets {
		sets[i] = slices.DeleteFunc(list, func(j int) bool { return j == 0 })
	}
	n := must(hotspot.Lists(sets))
	if !slices.Equal(n.Islands(), []int{0}) {
		t.Fatalf("islands are %v", n.Islands())
	}
	x := []float64{9, 2, 3, 4, 7, 1, 8, 5, 6}
	w := n.Weighted(hotspot.Binary)
	for _, c := range []struct {
		what                     string
		got                      hotspot.Global
		stat, expected, variance float64
	}{
		{"Moran's I", must(hotspot.Moran(x, w, hotspot.Randomised, hotspot.TwoSided)), -0.2, -0.142857142857143, 0.068281179138322},
		{"Geary's C", must(hotspot.Geary(x, w, hotspot.Randomised, hotspot.TwoSided)), 1.08333333333333, 1, 0.0633888888888889},
		{"general G", must(hotspot.GlobalG(x, w, hotspot.TwoSided)), 0.368131868131868, 0.357142857142857, 0.0022615357780193},
	} {
		near(t, c.what, c.got.Stat, c.stat)
		near(t, c.what+"'s expectation", c.got.Expected, c.expected)
		near(t, c.what+"'s variance", c.got.Variance, c.variance)
	}
}
