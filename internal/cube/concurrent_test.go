package cube_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"gridgov/internal/bench/tilebench"
	"gridgov/internal/cube"
)

// Readers sum the heat over the tiles of a zoom while reports pour in, move, change and go, and the cube merges: each sum
// is the number of reports at one moment, never half a change. Each change set keeps the number of reports of item 3
// twice that of item 7.
func TestReadersSeeWholeChanges(t *testing.T) {
	const batches, pairs = 300, 20
	c := cube.Load(func(yield func(cube.Row) bool) {
		for r := range tilebench.Rows(1, 3000) {
			r.Item = []uint16{3, 3, 7}[r.Num%3]
			if !yield(r) {
				return
			}
		}
	})
	fresh := slices.Collect(tilebench.Rows(2, 3*batches*pairs))
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		defer done.Store(true)
		for i := range batches {
			var changes []cube.Change
			for _, r := range fresh[3*pairs*i : 3*pairs*(i+1)] {
				r.Item = []uint16{3, 3, 7}[r.Num%3]
				r.Num += 3000
				changes = append(changes, cube.Change{Row: r, Set: cube.AllFields})
			}
			if i%3 == 0 { // take a triple away, and move another one
				first := uint32(3*i + 3)
				for num := first; num < first+3; num++ {
					changes = append(changes, cube.Change{Row: cube.Row{Num: num}, Remove: true},
						cube.Change{Row: cube.Row{Num: num + 3, Lon: 120.6, Lat: 30.4}, Set: cube.FieldPosition})
				}
			}
			if missed := c.Apply(changes); missed != 0 {
				t.Errorf("batch %d: %d changes missed", i, missed)
			}
		}
	})
	wg.Go(func() {
		for !done.Load() {
			c.Merge()
		}
	})
	for range 2 {
		wg.Go(func() {
			var cells []cube.Cell
			last := 0
			for again := true; again; again = !done.Load() {
				v := c.View()
				var sum [2]int
				for k, item := range []uint16{3, 7} {
					for x := uint32(853); x < 858; x++ {
						for y := uint32(418); y < 425; y++ {
							cells = v.Heat(10, x, y, cube.Filter{Items: []uint16{item}}, cells[:0])
							for _, cell := range cells {
								sum[k] += int(cell.Count)
							}
						}
					}
				}
				if sum[0] != 2*sum[1] || sum[0]+sum[1] != v.Len() || v.Len() < last {
					t.Errorf("%d reports of item 3 and %d of item 7 of %d, after %d", sum[0], sum[1], v.Len(), last)
					return
				}
				last = v.Len()
			}
		})
	}
	wg.Wait()
	if want := 3000 + 3*batches*pairs - 3*batches/3; c.View().Len() != want {
		t.Errorf("%d reports in the end, want %d", c.View().Len(), want)
	}
	c.Merge()
	if c.View().Pending() != 0 {
		t.Errorf("%d rows pending after a merge", c.View().Pending())
	}
}

// Changes beyond the deltas' sizes go through all tiers and, with nobody merging, into the base by themselves.
func TestApplyFoldsByItself(t *testing.T) {
	c := cube.Load(tilebench.Rows(1, 10_000))
	rows := slices.Collect(tilebench.Rows(3, 200_000))
	seen := false
	for chunk := range slices.Chunk(rows, 700) {
		changes := make([]cube.Change, len(chunk))
		for i, r := range chunk {
			changes[i] = cube.Change{Row: r, Set: cube.AllFields}
		}
		c.Apply(changes)
		seen = seen || c.MergeDue()
		if c.View().Pending() > 200_000 {
			t.Fatalf("%d rows pending", c.View().Pending())
		}
	}
	if !seen {
		t.Error("a merge was never due")
	}
	want := cube.Load(slices.Values(rows)).View()
	got := c.View()
	if got.Len() != want.Len() {
		t.Fatalf("%d reports, want %d", got.Len(), want.Len())
	}
	for z, list := range map[uint32][][2]uint32{8: {{213, 105}}, 12: {{3418, 1683}, {3417, 1684}}} {
		for _, at := range list {
			f := cube.Filter{Items: []uint16{1, 5, 9}, From: 1_680_000_000}
			if !slices.Equal(got.Heat(z, at[0], at[1], f, nil), want.Heat(z, at[0], at[1], f, nil)) {
				t.Errorf("tile %d/%v differs from that of a cube loaded afresh", z, at)
			}
			a, _ := got.Points(z, at[0], at[1], f, 5000, nil)
			b, _ := want.Points(z, at[0], at[1], f, 5000, nil)
			if !slices.Equal(a, b) || len(a) < 100 {
				t.Errorf("points of tile %d/%v differ from those of a cube loaded afresh", z, at)
			}
		}
	}
}

func TestColumnsStayWithin64BytesAReport(t *testing.T) {
	c := cube.Load(tilebench.Rows(1, 50_000))
	v := c.View()
	if perReport := float64(v.Bytes()) / float64(v.Len()); perReport > 64 {
		t.Errorf("%v bytes a report", perReport)
	}
	changes := make([]cube.Change, 0, 2000)
	for r := range tilebench.Rows(9, 2000) {
		r.Num += 50_000
		changes = append(changes, cube.Change{Row: r, Set: cube.AllFields})
	}
	c.Apply(changes)
	c.Merge()
	if perReport := float64(c.View().Bytes()) / float64(c.View().Len()); perReport > 64 {
		t.Errorf("%v bytes a report after a merge", perReport)
	}
}
