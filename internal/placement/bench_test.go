package placement_test

import (
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/placement"
	"gridgov/internal/placement/madeup"
)

// grids is a plan of n×n grids and their villages, about 40 km across, as large as a county-level city.
func grids(b *testing.B, n int) (madeup.Town, *placement.Index) {
	b.Helper()
	town := madeup.New(3, madeup.Plan{West: 120.3, South: 30.2, CellDeg: 0.4 / float64(n), Columns: n, Rows: n, Bends: 20, Plain: true})
	villages := make([]placement.Face, len(town.Parents))
	for i, code := range town.Parents {
		villages[i].Code = code
	}
	x, err := placement.New([]placement.Level{{Role: "village", Faces: villages}, {Role: "grid", Faces: town.Faces, Parent: town.Parent}})
	if err != nil {
		b.Fatal(err)
	}
	return town, x
}

func BenchmarkAt(b *testing.B) {
	for name, n := range map[string]int{"2025Grids": 45, "9025Grids": 95} {
		b.Run(name, func(b *testing.B) {
			town, x := grids(b, n)
			rng := rand.New(rand.NewPCG(1, 2))
			for _, s := range []struct {
				name   string
				points []orb.Point
			}{
				{"Anywhere", town.Random(rng, 1<<20)},
				{"OnBorders", town.OnEdges(rng, 1<<20)},
				{"NextToBorders", madeup.Offsets(rng, town.OnEdges(rng, 1<<20))},
			} {
				b.Run(s.name, func(b *testing.B) {
					sum := int32(0)
					for i := range b.N {
						sum += x.At(s.points[i&(1<<20-1)])[1]
					}
					b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpoints/s")
					b.ReportMetric(float64(x.Bytes())/(1<<20), "MB")
					if sum == -int32(b.N) {
						b.Fatal("no point is in a grid")
					}
				})
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	town, _ := grids(b, 45)
	for b.Loop() {
		if _, err := placement.New([]placement.Level{{Role: "grid", Faces: town.Faces}}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLocate(b *testing.B) {
	town, x := grids(b, 45)
	points := town.Random(rand.New(rand.NewPCG(1, 2)), 1<<20)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		x.Locate(points[i&(1<<20-1)], 20)
	}
}
