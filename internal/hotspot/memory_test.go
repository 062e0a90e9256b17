package hotspot_test

import (
	"runtime"
	"testing"

	"gridgov/internal/hotspot"
)

// Ten times the places take ten times the memory: who neighbours whom, and what is found.
func TestMemoryIsLinear(t *testing.T) {
	taken := func(side int) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n := square(side)
		x := make([]float64, n.Len())
		for i := range x {
			x[i] = float64(i * 7919 % 23)
		}
		must(hotspot.FindSpots(x, n))
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	small, large := taken(60), taken(190)
	if by := large / small * 60 * 60 / (190 * 190); by > 1.5 {
		t.Errorf("each place takes %.2f times as much where there are ten times as many (%.0f and %.0f bytes)", by, small, large)
	}
}

// square is who touches whom on a lattice.
func square(side int) hotspot.Neighbours {
	lists := make([][]int, side*side)
	for y := range side {
		for x := range side {
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					if nx, ny := x+dx, y+dy; (dx != 0 || dy != 0) && nx >= 0 && ny >= 0 && nx < side && ny < side {
						lists[y*side+x] = append(lists[y*side+x], ny*side+nx)
					}
				}
			}
		}
	}
	return must(hotspot.Lists(lists))
}
