package hotspot

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sort"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"
)

// Event is a matter in space, in a plane in metres, and in time, in days.
type Event struct {
	At  orb.Point
	Day float64
}

// NearRepeat counts pairs of events by how far they are apart in space and in time.
type NearRepeat struct {
	Metres, Days []float64   // upper limits of the bands, each including its own
	Seen         [][]int     // pairs, by band of space and of time
	Expected     [][]float64 // under the null hypothesis: the mean of all orders of the times, which is exact
	P            [][]float64 // by draws, of so many or more; 1 where no pair could be
	Draws        int
	Seed         uint64
	Sided        Sided // Greater
}

// MaxEvents bounds how many events are dealt out anew, draw by draw.
const MaxEvents = 200_000

// maxPairs bounds the memory that pairs near in space take.
const maxPairs = 20_000_000

// Knox tells whether what lies near in space lies near in time more often than by chance (Knox, The Detection of Space–Time Interactions,
// 1964; with several bands as Ratcliffe and Rengert, Near-Repeat Patterns in Philadelphia Shootings, 2008). The pairs near in space stay,
// the times are dealt out anew. Null hypothesis: where and when have nothing to do with each other. Limits rise; a first limit of
// 0 m is of pairs in the same place.
func Knox(ctx context.Context, events []Event, metres, days []float64, draws int, seed uint64) (NearRepeat, error) {
	for _, limits := range [][]float64{metres, days} {
		for i, l := range limits {
			if !(l >= 0) || math.IsInf(l, 1) || i > 0 && l <= limits[i-1] {
				return NearRepeat{}, fmt.Errorf("limits of bands are %v: give numbers that rise, from 0 on", limits)
			}
		}
	}
	switch {
	case len(metres) == 0 || len(days) == 0:
		return NearRepeat{}, fmt.Errorf("there is no band of space and of time: give a limit of each")
	case len(events) > MaxEvents:
		return NearRepeat{}, fmt.Errorf("more than %d matters are to be compared in pairs: take one item, or a shorter time", MaxEvents)
	case draws < 1 || draws > MaxPermutations:
		return NearRepeat{}, fmt.Errorf("%d draws: give 1 to %d", draws, MaxPermutations)
	}
	points, times := make([]orb.Point, len(events)), make([]float64, len(events))
	for i, e := range events {
		if math.IsNaN(e.Day) || math.IsInf(e.Day, 0) {
			return NearRepeat{}, fmt.Errorf("event %d has a day of %g", i, e.Day)
		}
		points[i], times[i] = e.At, e.Day
	}
	near, err := pairsWithin(points, metres)
	if err != nil {
		return NearRepeat{}, err
	}
	r := NearRepeat{Metres: metres, Days: days, Draws: draws, Seed: seed, Sided: Greater, Seen: table2[int](metres, days), Expected: table2[float64](metres, days), P: table2[float64](metres, days)}
	seen := near.count(times, days)
	// Any pair is as likely to be near in time as any other: what is expected is the product of the margins.
	all := float64(len(events)) * float64(len(events)-1) / 2
	inTime := timePairs(times, days)
	type tally struct{ atLeast []int }
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(runtime.GOMAXPROCS(0))
	const chunk = 16
	tallies := make([]tally, (draws+chunk-1)/chunk)
	for c := range tallies {
		workers.Go(func() error {
			rng := stream(seed, c)
			dealt := slices.Clone(times)
			t := tally{make([]int, len(seen))}
			for range min(chunk, draws-c*chunk) {
				if err := ctx.Err(); err != nil {
					return err
				}
				rng.Shuffle(len(dealt), func(i, j int) { dealt[i], dealt[j] = dealt[j], dealt[i] })
				for b, n := range near.count(dealt, days) {
					if n >= seen[b] {
						t.atLeast[b]++
					}
				}
			}
			tallies[c] = t
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return NearRepeat{}, err
	}
	for s := range metres {
		for d := range days {
			b := s*len(days) + d
			beyond := 0
			for _, t := range tallies {
				beyond += t.atLeast[b]
			}
			r.Seen[s][d] = seen[b]
			if all > 0 {
				r.Expected[s][d] = float64(near.inBand[s]) * float64(inTime[d]) / all
			}
			r.P[s][d] = tail(beyond, draws, Greater)
		}
	}
	return r, nil
}

func table2[T any](rows, cols []float64) [][]T {
	t := make([][]T, len(rows))
	for i := range t {
		t[i] = make([]T, len(cols))
	}
	return t
}

// pairs are those near in space, with the band of each.
type pairs struct {
	a, b   []int32
	band   []uint8
	inBand []int
}

func pairsWithin(points []orb.Point, metres []float64) (*pairs, error) {
	if len(metres) > 250 {
		return nil, fmt.Errorf("%d bands of space: give 250 at most", len(metres))
	}
	index, err := newBuckets(points)
	if err != nil {
		return nil, err
	}
	p := &pairs{inBand: make([]int, len(metres))}
	far := metres[len(metres)-1]
	for i, at := range points {
		for ring := 0; ring <= index.span && (ring == 0 || index.side*float64(ring-1) <= far); ring++ {
			index.ring(at, ring, func(j int32) {
				if int(j) <= i {
					return
				}
				if band := sort.SearchFloat64s(metres, math.Sqrt(dist2(at, points[j]))); band < len(metres) {
					p.a, p.b, p.band = append(p.a, int32(i)), append(p.b, j), append(p.band, uint8(band))
					p.inBand[band]++
				}
			})
		}
		if len(p.a) > maxPairs {
			return nil, fmt.Errorf("more than %d pairs lie within %g m: take fewer matters, or a shorter distance", maxPairs, far)
		}
	}
	return p, nil
}

// count tells how many pairs are in each band of space and of time.
func (p *pairs) count(times, days []float64) []int {
	n := make([]int, len(p.inBand)*len(days))
	for i, a := range p.a {
		apart := math.Abs(times[a] - times[p.b[i]])
		if apart > days[len(days)-1] {
			continue
		}
		d := 0
		for apart > days[d] {
			d++
		}
		n[int(p.band[i])*len(days)+d]++
	}
	return n
}

// timePairs counts all pairs by their band of time.
func timePairs(times, days []float64) []int {
	sorted := slices.Sorted(slices.Values(times))
	upTo := make([]int, len(days))
	for d, limit := range days {
		from := 0
		for to := range sorted {
			for sorted[to]-sorted[from] > limit {
				from++
			}
			upTo[d] += to - from
		}
	}
	for d := len(days) - 1; d > 0; d-- {
		upTo[d] -= upTo[d-1]
	}
	return upTo
}
