package hotspot_test

import (
	"math/rand/v2"
	"testing"

	"gridgov/internal/hotspot"
)

// As many places as Taiwan has villages, with 999 draws each.
func BenchmarkPermute(b *testing.B) {
	w := must(hotspot.Lists(lattice(87, true))).Weighted(hotspot.Binary).WithSelf()
	x := counts(rand.New(rand.NewPCG(1, 1)), 87*87, 5)
	for b.Loop() {
		must(hotspot.Permute(b.Context(), x, w, 999, 1, hotspot.TwoSided))
	}
}

// 1,400 grids by 16 items by 52 weeks.
func BenchmarkGetis(b *testing.B) {
	w := must(hotspot.Lists(lattice(37, true))).Weighted(hotspot.Binary).WithSelf()
	x := counts(rand.New(rand.NewPCG(1, 1)), 37*37, 1)
	for b.Loop() {
		for range 16 * 52 {
			must(hotspot.Getis(x, w, hotspot.TwoSided))
		}
	}
}
