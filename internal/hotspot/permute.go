package hotspot

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// MaxPermutations bounds how often a map may be drawn anew.
const MaxPermutations = 999_999

// Permuted is how values around each place lie among those of random draws.
type Permuted struct {
	N     int       // draws a place
	P     []float64 // never below 1/(N+1), where two-sided twice that; 1 where it was not tested
	Sided Sided
	Seed  uint64
}

// Floor is the smallest P that so many draws can give.
func (p Permuted) Floor() float64 { return tail(0, p.N, p.Sided) }

// tail is the p of a draw that so many of n were at least as far out as.
func tail(beyond, n int, sided Sided) float64 {
	p := float64(beyond+1) / float64(n+1)
	if sided == TwoSided {
		p *= 2
	}
	return min(1, p)
}

// Permute draws, n times for each place, as many others as it has neighbours, without regard to where they lie, and tells how often these
// sum to at least as much as those around the place: (b+1)/(n+1), both sides of it twice the smaller one (Anselin, Local Indicators of
// Spatial Association — LISA, 1995, conditional permutation). The place's own value stays where it is, so the answer is that of Gi and of Gi*;
// that of local Moran is PermuteMoran's. Null hypothesis: the values around the place are a draw at random from all others.
//
// Some thirty places, far from each other by index, share their draws: a shuffle of all places, of which each takes the first that are not
// itself. Every such flock has a random stream of its own, by seed and number, so the answer is the same on any number of cores.
func Permute(ctx context.Context, x []float64, w Weights, n int, seed uint64, sided Sided) (Permuted, error) {
	m, err := check(x, w.Len())
	if err != nil {
		return Permuted{}, err
	}
	if n < 1 || n > MaxPermutations {
		return Permuted{}, fmt.Errorf("%d draws a place: give 1 to %d", n, MaxPermutations)
	}
	out := Permuted{N: n, P: make([]float64, m.n), Sided: sided, Seed: seed}
	t := table{x: x, w: w, flocks: (m.n + flockSize - 1) / flockSize, scale: math.Abs(m.mean) + math.Sqrt(m.m2)}
	decks := make(chan []int32, runtime.GOMAXPROCS(0))
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(cap(decks))
	for range cap(decks) {
		deck := make([]int32, m.n)
		for i := range deck {
			deck[i] = int32(i)
		}
		decks <- deck
	}
	for flock := range t.flocks {
		workers.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			deck := <-decks
			t.draw(out, flock, deck)
			decks <- deck
			return nil
		})
	}
	return out, workers.Wait()
}

// PermuteMoran is Permute for local Moran: of a place below the mean, Ii is larger the less lies around it, so that one-sided the other tail
// counts. Both are of the same draws.
func PermuteMoran(ctx context.Context, x []float64, w Weights, n int, seed uint64, sided Sided) (Permuted, error) {
	p, err := Permute(ctx, x, w, n, seed, sided)
	if err != nil || sided == TwoSided {
		return p, err
	}
	below, err := Permute(ctx, x, w, n, seed, sided.opposite())
	if err != nil {
		return Permuted{}, err
	}
	m, err := check(x, w.Len())
	for i, v := range x {
		if v < m.mean {
			p.P[i] = below.P[i]
		}
	}
	return p, err
}

// flockSize is how many places share their draws. Fewer would cost more random numbers, more would make the errors of more p alike.
const flockSize = 32

// table is what is drawn from.
type table struct {
	x      []float64
	w      Weights
	flocks int
	scale  float64 // of the values
}

// draw tells the p of a flock's places: flock, flock + flocks, and so on. deck holds all places in order, and does again after each draw.
func (t *table) draw(out Permuted, flock int, deck []int32) {
	type member struct {
		at              int     // the place
		k               int     // its neighbours
		seen            float64 // their sum
		ties            float64 // sums in another order may differ by as much
		pick            int     // as which the place itself was drawn; −1: it was not
		atLeast, atMost int
	}
	var members []member
	most := 0
	for i := flock; i < len(t.x); i += t.flocks {
		m := member{at: i, k: len(t.w.Of(i)), pick: -1}
		for _, j := range t.w.Of(i) {
			m.seen += t.x[j]
		}
		m.ties = t.scale * float64(m.k) * 1e-12
		most = max(most, m.k)
		members = append(members, m)
	}
	n := len(deck)
	most = min(most, n-1)
	sums := make([]float64, most+2) // of the first so many
	swaps := make([]int32, most+1)
	rng := stream(out.Seed, flock)
	for range out.N {
		var drawn [8]int // members that were drawn themselves
		own := drawn[:0]
		for at := range swaps { // one more than anybody has neighbours, for whom was drawn himself
			other := at + int(rng.Uint32N(uint32(n-at)))
			swaps[at] = int32(other)
			deck[at], deck[other] = deck[other], deck[at]
			j := int(deck[at])
			sums[at+1] = sums[at] + t.x[j]
			if j%t.flocks == flock {
				members[j/t.flocks].pick = at
				own = append(own, j/t.flocks)
			}
		}
		for i := range members {
			m := &members[i]
			sum := sums[m.k]
			if m.pick >= 0 && m.pick < m.k {
				sum = sums[m.k+1] - t.x[m.at]
			}
			if sum >= m.seen-m.ties {
				m.atLeast++
			}
			if sum <= m.seen+m.ties {
				m.atMost++
			}
		}
		for _, i := range own {
			members[i].pick = -1
		}
		for at := most; at >= 0; at-- {
			other := swaps[at]
			deck[at], deck[other] = deck[other], deck[at]
		}
	}
	for _, m := range members {
		switch {
		case m.k == 0 || m.k >= n-1:
			out.P[m.at] = 1 // nothing to compare it with
		case out.Sided == Greater:
			out.P[m.at] = tail(m.atLeast, out.N, out.Sided)
		case out.Sided == Less:
			out.P[m.at] = tail(m.atMost, out.N, out.Sided)
		default:
			out.P[m.at] = tail(min(m.atLeast, m.atMost), out.N, out.Sided)
		}
	}
}
