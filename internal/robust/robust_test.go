package robust

import (
	"math"
	"math/big"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// rational is the definition in unbounded rationals.
func rational(a, b, c orb.Point) int {
	r := func(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }
	sub := func(p, q float64) *big.Rat { return new(big.Rat).Sub(r(p), r(q)) }
	left := new(big.Rat).Mul(sub(a[0], c[0]), sub(b[1], c[1]))
	return left.Cmp(new(big.Rat).Mul(sub(a[1], c[1]), sub(b[0], c[0])))
}

// ulps moves v by n representable steps.
func ulps(v float64, n int) float64 {
	for ; n > 0; n-- {
		v = math.Nextafter(v, math.Inf(1))
	}
	for ; n < 0; n++ {
		v = math.Nextafter(v, math.Inf(-1))
	}
	return v
}

func checkAll(t interface{ Fatalf(string, ...any) }, a, b, c orb.Point) {
	want := rational(a, b, c)
	for _, q := range []struct {
		got  int
		what string
	}{
		{Orient2D(a, b, c), "a b c"}, {Orient2D(b, c, a), "b c a"}, {Orient2D(c, a, b), "c a b"},
		{-Orient2D(b, a, c), "b a c"}, {-Orient2D(a, c, b), "a c b"}, {-Orient2D(c, b, a), "c b a"},
		{orientBig(a, b, c), "big"},
	} {
		if q.got != want {
			t.Fatalf("%s of %v %v %v: got %d, want %d", q.what, a, b, c, q.got, want)
		}
	}
}

func TestOrient2DIsExactForAnyFiniteDoubles(t *testing.T) {
	coordinate := rapid.OneOf(
		rapid.Float64Range(-180, 180),
		rapid.Float64().Filter(func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }),
		rapid.SampledFrom([]float64{0, 1, -1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64,
			-math.SmallestNonzeroFloat64, 0x1p-1022, 0x1p-400, 0x1p400, 0x1p-401, 0x1p401, 0x1p-537, 0x1p511}),
	)
	point := rapid.Custom(func(t *rapid.T) orb.Point { return orb.Point{coordinate.Draw(t, "x"), coordinate.Draw(t, "y")} })
	rapid.Check(t, func(t *rapid.T) {
		checkAll(t, point.Draw(t, "a"), point.Draw(t, "b"), point.Draw(t, "c"))
	})
}

// Points put on a segment by rounding, and a few ulps beside it, are where a plain determinant errs.
func TestOrient2DIsExactBesideASegment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := math.Ldexp(1, rapid.IntRange(-900, 900).Draw(t, "scale"))
		a := orb.Point{rapid.Float64Range(-180, 180).Draw(t, "ax") * scale, rapid.Float64Range(-90, 90).Draw(t, "ay") * scale}
		b := orb.Point{rapid.Float64Range(-180, 180).Draw(t, "bx") * scale, rapid.Float64Range(-90, 90).Draw(t, "by") * scale}
		s := rapid.Float64Range(-0.5, 1.5).Draw(t, "s")
		c := orb.Point{a[0] + s*(b[0]-a[0]), a[1] + s*(b[1]-a[1])}
		c[0] = ulps(c[0], rapid.IntRange(-4, 4).Draw(t, "dx"))
		c[1] = ulps(c[1], rapid.IntRange(-4, 4).Draw(t, "dy"))
		checkAll(t, a, b, c)
	})
}

func TestOrient2DDecidesTheClassicFailure(t *testing.T) {
	// Kettner et al., Classroom Examples of Robustness Problems, 2008: a 256×256 neighbourhood of ulps beside a diagonal.
	b, c := orb.Point{12, 12}, orb.Point{24, 24}
	for i := 0; i < 256; i += 5 {
		for j := 0; j < 256; j += 5 {
			a := orb.Point{ulps(0.5, i), ulps(0.5, j)}
			if got, want := Orient2D(a, b, c), rational(a, b, c); got != want {
				t.Fatalf("(%d, %d): got %d, want %d", i, j, got, want)
			}
		}
	}
}

func TestOrient2DHasNoSideForWhatIsNotANumber(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for i := 0; i < 6; i++ {
			p := [3]orb.Point{{0, 0}, {1, 0}, {0, 1}}
			p[i/2][i%2] = v
			if got := Orient2D(p[0], p[1], p[2]); got != 0 {
				t.Errorf("coordinate %d = %v: got %d, want 0", i, v, got)
			}
		}
	}
}

func BenchmarkOrient2D(b *testing.B) {
	for name, c := range map[string]orb.Point{"clear": {120.5, 30.4}, "collinear": {120.5, 30.5}} {
		b.Run(name, func(b *testing.B) {
			sum := 0
			for b.Loop() {
				sum += Orient2D(orb.Point{120, 30}, orb.Point{121, 31}, c)
			}
			_ = sum
		})
	}
}
