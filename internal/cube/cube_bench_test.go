package cube_test

import (
	"fmt"
	"sync"
	"testing"

	"gridgov/internal/bench/tilebench"
	"gridgov/internal/cube"
	"gridgov/internal/soak"
)

// loaded is a million reports, or thirty with GRIDGOV_SOAK=1 (3 GB of memory, a minute).
var loaded = sync.OnceValue(func() *cube.Cube {
	return cube.Load(tilebench.Rows(1, soak.Or(1_000_000, 30_000_000)))
})

func BenchmarkLoad(b *testing.B) {
	var rows []cube.Row
	for r := range tilebench.Rows(1, 1_000_000) {
		rows = append(rows, r)
	}
	for b.Loop() {
		c := cube.Load(func(yield func(cube.Row) bool) {
			for _, r := range rows {
				if !yield(r) {
					return
				}
			}
		})
		b.ReportMetric(float64(c.View().Bytes())/1e6, "B/report")
	}
}

func BenchmarkHeat(b *testing.B) {
	c := loaded()
	var half []uint32 // of the faces, which lie strewn about: the worst of cuts
	for face := range uint32(tilebench.Faces) {
		if face%2 == 0 {
			half = append(half, face)
		}
	}
	for _, pick := range []struct {
		name string
		pick tilebench.Pick
	}{{"item", tilebench.OneItem}, {"8items", tilebench.EightItems}, {"all", tilebench.AnyItem}} {
		for _, z := range []uint32{10, 12, 14} {
			v := c.View()
			requests := tilebench.Requests(1, 10_000, z, pick.pick, v)
			for _, cut := range []struct {
				name  string
				faces *cube.FaceSet
			}{{"", nil}, {"/cut", cube.FacesOf(half...)}} {
				b.Run(fmt.Sprintf("%s/z%d%s", pick.name, z, cut.name), func(b *testing.B) {
					var cells []cube.Cell
					total := 0
					for i := 0; b.Loop(); i++ {
						r := requests[i%len(requests)]
						r.Filter.Faces = cut.faces
						cells = v.Heat(z, r.Address.X, r.Address.Y, r.Filter, cells[:0])
						total += len(cells)
					}
					b.ReportMetric(float64(total)/float64(b.N), "cells")
				})
			}
		}
	}
}

func BenchmarkApply(b *testing.B) {
	c := cube.Load(tilebench.Rows(1, 1_000_000))
	num := uint32(2_000_000)
	var fresh []cube.Row
	for r := range tilebench.Rows(2, 100_000) {
		fresh = append(fresh, r)
	}
	i := 0
	for b.Loop() {
		r := fresh[i%len(fresh)]
		num++
		r.Num = num
		c.Apply([]cube.Change{{Row: r, Set: cube.AllFields}})
		if c.MergeDue() {
			c.Merge()
		}
		i++
	}
}

func BenchmarkMerge(b *testing.B) {
	rows := make([]cube.Change, 0, 30_000)
	for r := range tilebench.Rows(2, 30_000) {
		r.Num += 1_000_000
		rows = append(rows, cube.Change{Row: r, Set: cube.AllFields})
	}
	for b.Loop() {
		b.StopTimer()
		c := cube.Load(tilebench.Rows(1, 1_000_000))
		c.Apply(rows)
		b.StartTimer()
		c.Merge()
	}
}

func BenchmarkCountByPlace(b *testing.B) {
	v := cube.Load(tilebench.Rows(1, 1_000_000)).View()
	places := make([]int32, tilebench.Faces)
	for i := range places {
		places[i] = int32(i)
	}
	for _, steps := range []int{1, 48} {
		edges := make([]uint32, steps+1)
		for i := range edges {
			edges[i] = 1_672_531_200 + uint32(i*730*86400/steps)
		}
		counts := make([]uint64, len(places)*steps)
		b.Run(fmt.Sprint(steps), func(b *testing.B) {
			for b.Loop() {
				v.CountByPlace(cube.Filter{Sources: ^uint8(1 << 5)}, places, edges, counts)
			}
		})
	}
}
