package coverage

import (
	"testing"

	"gridgov/internal/robust"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// The sense of a triangle is exact however thin it is; areas of some 1e-9 m² are below what metres resolve.
func TestTheSenseOfARingIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := orb.Point{rapid.Float64Range(-180, 180).Draw(t, "lon"), rapid.Float64Range(-90, 90).Draw(t, "lat")}
		off := rapid.SampledFrom([]float64{0, 1e-14, -1e-14, 1e-12, 1e-9, -1e-9, 1e-8, 1e-3, 1})
		b := orb.Point{a[0] + off.Draw(t, "bx"), a[1] + off.Draw(t, "by")}
		c := orb.Point{a[0] + off.Draw(t, "cx"), a[1] + off.Draw(t, "cy")}
		turn := robust.Orient2D(a, b, c)
		if turn == 0 {
			return
		}
		if got := runsCounterClockwise([]orb.Point{a, b, c}); got != (turn > 0) {
			t.Fatalf("%v %v %v: counter-clockwise is %v", a, b, c, got)
		}
	})
}

func TestALargeLobeDecidesTheSense(t *testing.T) {
	// A square whose lowest corner is crossed into a small inverted loop.
	ring := []orb.Point{{0.001, 0}, {0, 0.001}, {0, 0}, {1, 1}, {0.5, 1}}
	if runsCounterClockwise(ring) != (ringAreaM2(ring) > 0) {
		t.Error("the small loop decided")
	}
}
