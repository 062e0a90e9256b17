package cube

import (
	"testing"

	"pgregory.net/rapid"
)

// What is published is the sum, at each zoom, of the finest cells that hold enough; held against counting report by report.
func TestPublishedIsTheSumOfWhatIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.Uint32Range(0, 4).Draw(t, "least")
		spots := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]float64 {
			return [2]float64{120.6 + float64(rapid.IntRange(0, 40).Draw(t, "x"))*1e-4, 30.5 + float64(rapid.IntRange(0, 40).Draw(t, "y"))*1e-4}
		}), 1, 30).Draw(t, "spots")
		n := rapid.IntRange(0, 60).Draw(t, "reports")
		var rows []Row
		for i := range n {
			p := rapid.SampledFrom(spots).Draw(t, "spot")
			rows = append(rows, Row{Num: uint32(i + 1), Lon: p[0], Lat: p[1], At: rapid.Uint32Range(0, 3).Draw(t, "at"), Face: rapid.SampledFrom([]uint32{0, FaceNone}).Draw(t, "face")})
		}
		split := rapid.IntRange(0, n).Draw(t, "loaded")
		c := Load(func(yield func(Row) bool) {
			for _, r := range rows[:split] {
				if !yield(r) {
					return
				}
			}
		})
		var changes []Change
		for _, r := range rows[split:] {
			changes = append(changes, Change{Row: r, Set: AllFields})
		}
		for i := range min(split, 3) { // and some that move
			rows[i].Lon, rows[i].Lat = spots[0][0], spots[0][1]
			changes = append(changes, Change{Row: rows[i], Set: AllFields})
		}
		c.Apply(changes)
		f := Filter{From: 1, To: 3, Faces: FacesOf(0)}
		fine := map[[2]uint32]uint32{}
		cellOf := func(r Row, z uint32) [2]uint32 {
			x, y, _ := project(r.Lon, r.Lat)
			return [2]uint32{x >> (32 - z - heatBits), y >> (32 - z - heatBits)}
		}
		matches := func(r Row) bool { return r.At >= 1 && r.At < 3 && r.Face == 0 }
		for _, r := range rows {
			if matches(r) {
				fine[cellOf(r, PublishedZoom)]++
			}
		}
		p := c.View().Publish(f, least)
		total := 0
		for z := uint32(0); z <= PublishedZoom; z++ {
			want := map[[2]uint32]uint32{}
			for _, r := range rows {
				if matches(r) && fine[cellOf(r, PublishedZoom)] >= least {
					want[cellOf(r, z)]++
				}
			}
			got := map[[2]uint32]uint32{}
			tiles := map[[2]uint32]bool{}
			for _, r := range rows {
				cell := cellOf(r, z)
				tiles[[2]uint32{cell[0] >> heatBits, cell[1] >> heatBits}] = true
			}
			for tile := range tiles {
				for _, c := range p.Heat(z, tile[0], tile[1], nil) {
					got[[2]uint32{tile[0]<<heatBits | uint32(c.X), tile[1]<<heatBits | uint32(c.Y)}] += c.Count
				}
			}
			sum := 0
			for cell, n := range want {
				if sum += int(n); got[cell] != n {
					t.Fatalf("zoom %d, cell %v: %d published, want %d", z, cell, got[cell], n)
				}
			}
			if len(got) != len(want) || z > 0 && sum != total {
				t.Fatalf("zoom %d: %d cells with %d reports, want %d with %d", z, len(got), sum, len(want), total)
			}
			total = sum
		}
		if p.Total() != total || len(p.Heat(PublishedZoom+1, 0, 0, nil)) != 0 {
			t.Fatalf("%d published, want %d", p.Total(), total)
		}
	})
}
