package coverage

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// soup is polygons without any order: rings of random points on a coarse lattice, so that points coincide, edges overlap
// and cross, and rings cross themselves. step is the lattice in metres; jitter moves points by up to that share of it.
func soup(rng *rand.Rand, origin orb.Point, polygons, lattice int, stepM, jitter float64) []Polygon {
	s := scaleAt(origin[1])
	point := func() orb.Point {
		x := float64(rng.IntN(lattice)) + jitter*(rng.Float64()-0.5)
		y := float64(rng.IntN(lattice)) + jitter*(rng.Float64()-0.5)
		return orb.Point{origin[0] + x*stepM/s.lon, origin[1] + y*stepM/s.lat}
	}
	var out []Polygon
	for i := range polygons {
		var shape orb.MultiPolygon
		for range 1 + rng.IntN(2) {
			var poly orb.Polygon
			for range 1 + rng.IntN(2) {
				var ring orb.Ring
				for range 3 + rng.IntN(8) {
					ring = append(ring, point())
				}
				poly = append(poly, append(ring, ring[0]))
			}
			shape = append(shape, poly)
		}
		out = append(out, Polygon{Code: fmt.Sprintf("%03d", i), Line: i + 2, Shape: shape})
	}
	return out
}

// Whatever comes in, what comes out is a coverage: readable as stored to the same doubles, and stable.
func TestBuildMakesACoverageOfAnySoup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		origin := orb.Point{rapid.Float64Range(-179, 179).Draw(t, "lon"), rapid.Float64Range(-89, 89).Draw(t, "lat")}
		step := math.Pow(10, rapid.Float64Range(-3.5, 4).Draw(t, "log step"))
		polygons := soup(rng, origin, 1+rng.IntN(8), 2+rng.IntN(8), math.Min(step, 1000), rapid.SampledFrom([]float64{0, 1e-6, 1e-3, 1}).Draw(t, "jitter"))
		c, findings, err := Build(context.Background(), polygons, Options{})
		if err != nil {
			t.Fatalf("build: %v", err)
		}
		again, err := FromFaces(c.Polygons())
		if err != nil {
			t.Fatalf("not a coverage: %v", err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("read back it is another coverage")
		}
		stable, left, err := Build(context.Background(), c.Polygons(), Options{AcceptGaps: "as drawn"})
		if err != nil || HasRefused(left) || !reflect.DeepEqual(c.Arcs, stable.Arcs) {
			t.Fatalf("built again it changes: %v, %v", err, left)
		}
		rng.Shuffle(len(polygons), func(i, k int) { polygons[i], polygons[k] = polygons[k], polygons[i] })
		shuffled, findingsAgain, err := Build(context.Background(), polygons, Options{})
		if err != nil || !reflect.DeepEqual(c, shuffled) || !reflect.DeepEqual(findings, findingsAgain) {
			t.Fatalf("the order of input matters: %v", err)
		}
	})
}
