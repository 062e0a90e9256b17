package cube

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

func TestNewestEqualsSortedModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	m := model{}
	row := func(num uint32) Row {
		return Row{Num: num, Lon: 120.3 + rng.Float64()*.6, Lat: 30.2 + rng.Float64()*.4, At: uint32(1000 + rng.IntN(300)), Item: uint16(1 + rng.IntN(4)), Kind: uint8(rng.IntN(4)), Source: uint8(rng.IntN(6))}
	}
	var base []Row
	for n := range uint32(800) {
		r := row(n + 1)
		base, m[r.Num] = append(base, r), r
	}
	c := Load(slices.Values(base))
	for range 40 { // moves, new times and removals wait in deltas
		ch := Change{Row: row(1 + rng.Uint32N(900)), Set: AllFields, Remove: rng.IntN(5) == 0}
		c.Apply([]Change{ch})
		m.apply(ch)
	}
	for range 200 {
		f := Filter{From: uint32(1000 + rng.IntN(200))}
		if rng.IntN(2) == 0 {
			f.Items = []uint16{uint16(1 + rng.IntN(4))}
		}
		x, y := 120.3+rng.Float64()*.4, 30.2+rng.Float64()*.3
		within := &orb.Bound{Min: orb.Point{x, y}, Max: orb.Point{x + .3, y + .3}}
		if rng.IntN(3) == 0 {
			within = nil
		}
		limit := 1 + rng.IntN(60)
		var among Nums
		some := map[uint32]bool{}
		if rng.IntN(2) == 0 {
			for range rng.IntN(400) {
				some[1+rng.Uint32N(900)] = true
			}
			among = NumsOf(slices.Collect(maps.Keys(some)))
		}
		var matching []Row
		for _, r := range m {
			if (among == nil || some[r.Num]) && f.naive(r) && (within == nil || r.Lon >= within.Min[0] && r.Lon <= within.Max[0] && r.Lat >= within.Min[1] && r.Lat <= within.Max[1]) {
				matching = append(matching, r)
			}
		}
		slices.SortFunc(matching, func(a, b Row) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.Num, a.Num)) })
		var want []uint32
		for _, r := range matching {
			if len(matching) <= limit || r.At >= matching[limit-1].At {
				want = append(want, r.Num)
			}
		}
		if got := c.View().Newest(f, within, among, limit); !slices.Equal(got, want) {
			t.Fatalf("%+v within %v, among %d, limit %d: %d numbers, want %d", f, within, len(some), limit, len(got), len(want))
		}
	}
}

// Over years, too, the newest are those that sorting all of them would give.
func TestNewestOfYears(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var rows []Row
	for i := range 3000 {
		rows = append(rows, Row{Num: uint32(i + 1), At: rng.Uint32N(1<<20) << (rng.IntN(12)), Lon: 120.4, Lat: 30.4})
	}
	view := Load(slices.Values(rows)).View()
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.Num, a.Num)) })
	for _, limit := range []int{1, 7, 50, 400, 2999, 3000, 5000} {
		var want []uint32
		for _, r := range rows {
			if limit >= len(rows) || r.At >= rows[limit-1].At {
				want = append(want, r.Num)
			}
		}
		if got := view.Newest(Filter{}, nil, nil, limit); !slices.Equal(got, want) {
			t.Errorf("limit %d: %d numbers, want %d", limit, len(got), len(want))
		}
	}
}
