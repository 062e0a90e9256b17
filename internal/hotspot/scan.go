package hotspot

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"
)

// Scan is how a space–time scan looks: through cylinders, whose floors are a place with its nearest, and whose heights are periods.
type Scan struct {
	MaxPlaces  int     // of a floor
	MaxPeriods int     // of a height
	MaxShare   float64 // of all that is expected, in a cylinder: at most one half
	Alive      bool    // only what lasts until the last period
	Draws      int
	Seed       uint64
}

// maxLooks bounds the time of a scan, to some minutes: cylinders by draws.
const maxLooks = 10_000_000_000

// Shares are what a scan may expect of seen, by place and period: each period has as many as it has, each place its share of them: by base,
// or, without one, as of all periods together, so that a place which always has more is no cluster. Draws then let a place's sum vary
// that was taken from what was seen: p is a cautious one.
func Shares(seen [][]int, base []float64) [][]float64 {
	var periods []float64
	places, all := make([]float64, len(seen)), 0.0
	for i, row := range seen {
		for t, c := range row {
			if t == len(periods) {
				periods = append(periods, 0)
			}
			periods[t] += float64(c)
			places[i] += float64(c)
		}
	}
	if base != nil {
		places = base
	}
	for _, n := range places {
		all += n
	}
	out := make([][]float64, len(seen))
	for i := range out {
		out[i] = make([]float64, len(seen[i]))
		for t := range out[i] {
			if all > 0 {
				out[i][t] = places[i] * periods[t] / all
			}
		}
	}
	return out
}

// Cluster is a cylinder in which there is more than expected.
type Cluster struct {
	Centre   int
	Places   []int // the centre first, then by distance
	From, To int   // periods, both included
	Seen     int
	Expected float64
	LLR      float64 // log likelihood ratio
	P        float64 // never below 1/(draws+1)
}

// Kulldorff looks for clusters in space and time by a scan with a Poisson model (Kulldorff, Prospective Time Periodic Geographical Disease
// Surveillance Using a Scan Statistic, 2001): of all cylinders the one whose log likelihood ratio c ln(c/e) + (C−c) ln((C−c)/(C−e)), c > e,
// is the largest, and then others that share no place with those before. p is by draws of all C matters over places and periods as they
// are expected, each with its largest ratio anywhere: that so many cylinders were looked at is accounted for. Null hypothesis: matters
// come independently, in proportion to what is expected everywhere. seen and expected are by place, then by period; expected is scaled
// to as many as were seen. points are the places' middles, in a plane.
func Kulldorff(ctx context.Context, seen [][]int, expected [][]float64, points []orb.Point, o Scan) ([]Cluster, error) {
	s, err := newScanner(seen, expected, points, o)
	if err != nil || s.total == 0 {
		return nil, err
	}
	best := s.best(s.cumulated(seen))
	largest := make([]float64, o.Draws)
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(runtime.GOMAXPROCS(0))
	const chunk = 8
	for from := 0; from < o.Draws; from += chunk {
		workers.Go(func() error {
			counts := make([][]int, len(seen))
			for i := range counts {
				counts[i] = make([]int, s.periods)
			}
			for d := from; d < min(from+chunk, o.Draws); d++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				s.deal(counts, stream(o.Seed, d))
				largest[d] = s.largest(s.cumulated(counts))
			}
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(best, func(a, b Cluster) int { return cmp.Compare(b.LLR, a.LLR) })
	taken := map[int]bool{}
	var out []Cluster
	for _, c := range best {
		if c.LLR <= 0 || slices.ContainsFunc(c.Places, func(p int) bool { return taken[p] }) {
			continue
		}
		beyond := 0
		for _, l := range largest {
			if l >= c.LLR-1e-9 {
				beyond++
			}
		}
		c.P = tail(beyond, o.Draws, Greater)
		for _, p := range c.Places {
			taken[p] = true
		}
		out = append(out, c)
	}
	return out, nil
}

// scanner is what all draws of a scan share.
type scanner struct {
	Scan
	periods, total int
	floors         [][]int32   // of each centre: places by distance, itself first
	sums           [][]float64 // expected up to a period, by place
	logs           []float64   // n ln n
	dealer         alias
}

func newScanner(seen [][]int, expected [][]float64, points []orb.Point, o Scan) (*scanner, error) {
	n := len(points)
	switch {
	case len(seen) != n || len(expected) != n:
		return nil, fmt.Errorf("%d places have counts, %d expectations and %d a point", len(seen), len(expected), n)
	case o.MaxPlaces < 1 || o.MaxPeriods < 1 || o.Draws < 1 || o.Draws > MaxPermutations:
		return nil, fmt.Errorf("a scan of %d places, %d periods and %d draws looks at nothing: give 1 of each at least", o.MaxPlaces, o.MaxPeriods, o.Draws)
	case !(o.MaxShare > 0 && o.MaxShare <= 0.5):
		return nil, fmt.Errorf("a cylinder of %g of all: give more than 0, and one half at most", o.MaxShare)
	}
	s := &scanner{Scan: o}
	var all float64
	var cells []float64
	for i := range seen {
		if i == 0 {
			s.periods = len(seen[0])
		}
		if len(seen[i]) != s.periods || len(expected[i]) != s.periods {
			return nil, fmt.Errorf("place %d has %d counts and %d expectations, the first place has %d", i, len(seen[i]), len(expected[i]), s.periods)
		}
		for t, c := range seen[i] {
			e := expected[i][t]
			if c < 0 || !(e >= 0) || math.IsInf(e, 1) || c > 0 && e == 0 {
				return nil, fmt.Errorf("place %d has %d matters where %g are expected, in period %d", i, c, e, t)
			}
			s.total, all = s.total+c, all+e
			cells = append(cells, e)
		}
	}
	if s.total == 0 {
		return s, nil
	}
	high := min(o.MaxPeriods, s.periods)
	if looks := float64(n) * float64(min(n, o.MaxPlaces)) * float64(high) * (float64(s.periods) - float64(high-1)/2) * float64(o.Draws+1); looks > maxLooks {
		return nil, fmt.Errorf("%d places, %d periods and %d draws are %.0g looks at a cylinder: take fewer of one of these; %.0g at most", n, s.periods, o.Draws, looks, float64(maxLooks))
	}
	near, err := Nearest(points, max(1, o.MaxPlaces-1))
	if err != nil {
		return nil, err
	}
	for i := range points {
		floor := slices.Clone(near.Of(i))
		slices.SortFunc(floor, func(a, b int32) int {
			return nearer(distant{a, dist2(points[i], points[a])}, distant{b, dist2(points[i], points[b])})
		})
		floor = append([]int32{int32(i)}, floor...)
		s.floors = append(s.floors, floor[:min(o.MaxPlaces, len(floor))])
		sum := make([]float64, s.periods+1)
		for t, e := range expected[i] {
			sum[t+1] = sum[t] + e*float64(s.total)/all
		}
		s.sums = append(s.sums, sum)
	}
	s.logs = make([]float64, s.total+1)
	for c := 1; c <= s.total; c++ {
		s.logs[c] = float64(c) * math.Log(float64(c))
	}
	s.dealer = newAlias(cells)
	return s, nil
}

// cumulated is how many there are up to a period, by place.
func (s *scanner) cumulated(counts [][]int) [][]int {
	out := make([][]int, len(counts))
	for i, row := range counts {
		out[i] = make([]int, s.periods+1)
		for t, c := range row {
			out[i][t+1] = out[i][t] + c
		}
	}
	return out
}

// deal spreads all matters as they are expected.
func (s *scanner) deal(counts [][]int, rng *rand.Rand) {
	for _, row := range counts {
		clear(row)
	}
	for range s.total {
		cell := s.dealer.draw(rng)
		counts[cell/s.periods][cell%s.periods]++
	}
}

// each calls f with the cylinders of a centre that hold more than expected.
func (s *scanner) each(centre int, upTo [][]int, f func(places, from, to, c int, e float64)) {
	seen, expected := make([]int, s.periods+1), make([]float64, s.periods+1)
	most := s.MaxShare * float64(s.total)
	for size, place := range s.floors[centre] {
		for t := range seen {
			seen[t] += upTo[place][t]
			expected[t] += s.sums[place][t]
		}
		least := 1
		if s.Alive {
			least = s.periods
		}
		for to := least; to <= s.periods; to++ {
			for from := to - 1; from >= max(0, to-s.MaxPeriods); from-- {
				c, e := seen[to]-seen[from], expected[to]-expected[from]
				if e > most {
					break
				}
				if float64(c) > e && c > 0 {
					f(size+1, from, to-1, c, e)
				}
			}
		}
	}
}

// llr is the log likelihood ratio of a cylinder.
func (s *scanner) llr(c int, e float64) float64 {
	rest := s.total - c
	v := s.logs[c] - float64(c)*math.Log(e)
	if rest > 0 {
		v += s.logs[rest] - float64(rest)*math.Log(float64(s.total)-e)
	}
	return v
}

// best is the best cylinder of each centre.
func (s *scanner) best(upTo [][]int) []Cluster {
	var out []Cluster
	for centre := range s.floors {
		b, size := Cluster{Centre: centre}, 0
		s.each(centre, upTo, func(places, from, to, c int, e float64) {
			if l := s.llr(c, e); l > b.LLR+1e-12 {
				size = places
				b.From, b.To, b.Seen, b.Expected, b.LLR = from, to, c, e, l
			}
		})
		for _, p := range s.floors[centre][:size] {
			b.Places = append(b.Places, int(p))
		}
		out = append(out, b)
	}
	return out
}

func (s *scanner) largest(upTo [][]int) (most float64) {
	for centre := range s.floors {
		s.each(centre, upTo, func(_, _, _, c int, e float64) { most = max(most, s.llr(c, e)) })
	}
	return most
}

// alias draws numbers by their weights, in a time that does not depend on how many there are (Vose, A Linear Algorithm for Generating
// Random Numbers with a Given Distribution, 1991).
type alias struct {
	keep  []float64
	other []int32
}

func newAlias(weights []float64) alias {
	n := len(weights)
	a := alias{make([]float64, n), make([]int32, n)}
	var sum float64
	for _, w := range weights {
		sum += w
	}
	scaled := make([]float64, n)
	var small, large []int32
	for i, w := range weights {
		if scaled[i] = w * float64(n) / sum; scaled[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.keep[s], a.other[s] = scaled[s], l
		if scaled[l] -= 1 - scaled[s]; scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) { // one, but for what rounding leaves
		a.keep[i], a.other[i] = 1, i
	}
	return a
}

func (a alias) draw(rng *rand.Rand) int {
	i := int(rng.Uint32N(uint32(len(a.keep))))
	if rng.Float64() < a.keep[i] {
		return i
	}
	return int(a.other[i])
}
