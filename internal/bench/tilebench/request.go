package tilebench

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gridgov/internal/cube"
	"gridgov/tiles"
)

// Pick is which items each request of a list asks for.
type Pick int

// OneItem is the usual request; the others are the hard ones.
const (
	OneItem Pick = iota
	EightItems
	AnyItem
)

func (p Pick) String() string { return [...]string{"one", "8 of 16", "all"}[p] }

// Window is the time every request asks for, in days.
const Window = 91

// Request is a tile with its filter.
type Request struct {
	Address tiles.Address
	Filter  cube.Filter
	Dense   bool
}

// Requests returns n requests of a zoom, always the same for the same seed and rows, alternately dense and sparse: a dense
// one asks for the tile of a report drawn at random, so tiles come up by their weight; a sparse one for one of the tiles
// over the box that are not above the median in reports. Each has a window of 91 days and items of its own.
func Requests(seed uint64, n int, z uint32, pick Pick, view cube.View) []Request {
	rng := rand.New(rand.NewPCG(seed, 2+uint64(z)))
	minX, minY := tileOf(box.Min[0], box.Max[1], z)
	maxX, maxY := tileOf(box.Max[0], box.Min[1], z)
	type weighed struct {
		address tiles.Address
		reports uint64
	}
	var all []weighed
	sum := uint64(0)
	for x := minX; x <= maxX; x++ {
		for y := minY; y <= maxY; y++ {
			w := weighed{address: tiles.Address{Z: z, X: x, Y: y}}
			for _, cell := range view.Heat(z, x, y, cube.Filter{}, nil) {
				w.reports += uint64(cell.Count)
			}
			sum += w.reports
			all = append(all, w)
		}
	}
	slices.SortStableFunc(all, func(a, b weighed) int { return cmp.Compare(a.reports, b.reports) })
	sparse := all[:(len(all)+1)/2]

	requests := make([]Request, n)
	for i := range requests {
		r := &requests[i]
		r.Dense = i%2 == 0
		if r.Dense {
			left := rng.Uint64N(sum)
			k := 0
			for left >= all[k].reports {
				left -= all[k].reports
				k++
			}
			r.Address = all[k].address
		} else {
			r.Address = sparse[rng.IntN(len(sparse))].address
		}
		switch pick {
		case OneItem:
			r.Filter.Items = []uint16{uint16(rng.IntN(Items))}
		case EightItems:
			for _, item := range rng.Perm(Items)[:Items/2] {
				r.Filter.Items = append(r.Filter.Items, uint16(item))
			}
			slices.Sort(r.Filter.Items)
		case AnyItem:
		}
		r.Filter.From = epoch + uint32(rng.IntN((Days-Window)*86400))
		r.Filter.To = r.Filter.From + Window*86400
	}
	return requests
}

func tileOf(lon, lat float64, z uint32) (x, y uint32) {
	n := math.Exp2(float64(z))
	s := math.Sin(lat * math.Pi / 180)
	return uint32((lon + 180) / 360 * n), uint32((0.5 - math.Atanh(s)/(2*math.Pi)) * n)
}
