package tiles_test

import (
	"fmt"
	"testing"

	"gridgov/internal/bench/tilebench"
	"gridgov/internal/cube"
	"gridgov/tiles"
)

// BenchmarkCut makes heat tiles, zipped, of a million reports: whole, and cut to half of the faces, which lie strewn about
// there as no territory does.
func BenchmarkCut(b *testing.B) {
	v := cube.Load(tilebench.Rows(1, 1_000_000)).View()
	var half []uint32
	for face := uint32(0); face < tilebench.Faces; face += 2 {
		half = append(half, face)
	}
	var m tiles.Maker
	for _, z := range []uint32{10, 12, 14} {
		requests := tilebench.Requests(1, 5_000, z, tilebench.AnyItem, v)
		for _, cut := range []struct {
			name  string
			faces *cube.FaceSet
		}{{"whole", nil}, {"cut", cube.FacesOf(half...)}} {
			b.Run(fmt.Sprintf("z%d/%s", z, cut.name), func(b *testing.B) {
				var raw, zipped []byte
				for i := 0; b.Loop(); i++ {
					r := requests[i%len(requests)]
					r.Filter.Faces = cut.faces
					raw = m.Heat(raw[:0], v, r.Address, r.Filter)
					zipped = tiles.AppendGzip(zipped[:0], raw)
				}
			})
		}
	}
}
