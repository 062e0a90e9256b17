package hotspot_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

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

// A million reports on 512 × 512 cells.
func BenchmarkDensity(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	r := hotspot.Raster{Cell: 100, Cols: 512, Rows: 512}
	points := make([]orb.Point, 1_000_000)
	for i := range points {
		points[i] = orb.Point{math.Mod(math.Abs(25600+rng.NormFloat64()*6000), 51200), rng.Float64() * 51200}
	}
	inside := make([]bool, 512*512)
	for i := range inside {
		inside[i] = i%512 > 20
	}
	for _, k := range []hotspot.Kernel{hotspot.Gaussian, hotspot.Quartic} {
		b.Run(string(k), func(b *testing.B) {
			for b.Loop() {
				h := hotspot.Bandwidth(points, k)
				must(hotspot.Density(r, points, k, h, inside))
			}
			b.ReportMetric(hotspot.Bandwidth(points, k)/r.Cell, "cells/bandwidth")
		})
	}
}
