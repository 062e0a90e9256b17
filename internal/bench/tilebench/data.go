package tilebench

import (
	"iter"
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"

	"gridgov/internal/cube"
)

// The generated city: Haining's box, its 16 items, two years.
const (
	Items     = 16
	Kinds     = 3
	Sources   = 6
	Days      = 730
	Faces     = 1400
	epoch     = 1_672_531_200 // 2023-01-01T00:00:00Z, the first day
	hotspots  = 80
	spreadOut = 0.25 // share of reports anywhere in the box
)

// Box is where the reports lie.
var box = orb.Bound{Min: orb.Point{120.30, 30.25}, Max: orb.Point{120.87, 30.58}}

// Rows generates n reports, always the same for the same seed: three quarters in clusters of unequal weight and width
// (about 150 m to 2.5 km), the rest anywhere in Haining's box, in the order of time over 730 days, items unequally often.
func Rows(seed uint64, n int) iter.Seq[cube.Row] {
	return func(yield func(cube.Row) bool) {
		rng := rand.New(rand.NewPCG(seed, 1))
		type cluster struct{ lon, lat, width, until float64 }
		clusters := make([]cluster, hotspots)
		sum := 0.0
		for i := range clusters {
			sum += math.Pow(float64(i+1), -0.8) // a few are far heavier than the rest
			clusters[i] = cluster{
				lon: between(rng, box.Min[0]+0.02, box.Max[0]-0.02), lat: between(rng, box.Min[1]+0.02, box.Max[1]-0.02),
				width: 0.0014 * math.Exp(rng.Float64()*2.8), until: sum,
			}
		}
		for i := range n {
			p := orb.Point{between(rng, box.Min[0], box.Max[0]), between(rng, box.Min[1], box.Max[1])}
			if rng.Float64() >= spreadOut {
				u, k := rng.Float64()*sum, 0
				for clusters[k].until < u {
					k++
				}
				c := clusters[k]
				p = orb.Point{
					max(box.Min[0], min(box.Max[0], c.lon+rng.NormFloat64()*c.width)),
					max(box.Min[1], min(box.Max[1], c.lat+rng.NormFloat64()*c.width)),
				}
			}
			item := uint16(Items * math.Pow(rng.Float64(), 1.3))
			row := cube.Row{
				Num: uint32(i + 1), Lon: p[0], Lat: p[1],
				At:   epoch + uint32(float64(i)/float64(n)*Days*86400),
				Item: min(item, Items-1), Kind: uint8(rng.IntN(Kinds)), Source: uint8(rng.IntN(Sources)), Face: uint32(rng.IntN(Faces)),
			}
			if !yield(row) {
				return
			}
		}
	}
}

func between(rng *rand.Rand, lo, hi float64) float64 { return lo + rng.Float64()*(hi-lo) }
