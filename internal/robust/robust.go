// Package robust holds the geometric predicates whose answer must be right for every pair of doubles.
//
// A sign that is wrong by rounding puts a point on neither side of a shared edge, or on both. The predicates here are
// exact: a floating-point filter answers nearly always, expansion arithmetic answers the rest, and only coordinates whose
// products would overflow or underflow go to arbitrary precision.
package robust

import (
	"math"
	"math/big"

	"github.com/paulmach/orb"
)

const (
	// filterBound is (3 + 16ε)ε with ε = 2⁻⁵³: beyond it the rounded determinant has the right sign.
	// Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates, 1997, section 4.3.
	filterBound = (3 + 16*0x1p-53) * 0x1p-53

	// Coordinates that are zero or of a size in [minSafe, maxSafe] have products and roundoff terms that neither overflow
	// nor underflow: the smallest term of a product is a multiple of 2⁻⁹⁰⁴, far above the smallest double 2⁻¹⁰⁷⁴.
	minSafe = 0x1p-400
	maxSafe = 0x1p+400

	// exactBits hold any sum of products of doubles without rounding: exponents run from 2·(−1074) to 2·1024.
	exactBits = 4608
)

// Orient2D tells on which side of the directed line a→b the point c lies, in a plane whose y axis points up:
// +1 left (a, b, c turn counter-clockwise), −1 right, 0 exactly on the line. It is exact for all finite doubles, including
// subnormal and huge ones. A coordinate that is NaN or infinite has no side: the answer is 0.
func Orient2D(a, b, c orb.Point) int {
	acx, bcx := a[0]-c[0], b[0]-c[0]
	acy, bcy := a[1]-c[1], b[1]-c[1]
	// The conversions keep compilers of other processors from fusing the product with the subtraction.
	left, right := float64(acx*bcy), float64(acy*bcx)
	det := left - right
	// Below 2⁻⁹⁰⁰ a product may have lost bits to underflow, above it an infinite one makes the comparison false.
	if sum := math.Abs(left) + math.Abs(right); math.Abs(det) > filterBound*sum && sum > 0x1p-900 && sum <= math.MaxFloat64 {
		if det > 0 {
			return 1
		}
		return -1
	}
	return orientExact(a, b, c)
}

func orientExact(a, b, c orb.Point) int {
	safe := true
	for _, v := range [...]float64{a[0], a[1], b[0], b[1], c[0], c[1]} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0
		}
		if size := math.Abs(v); size != 0 && (size < minSafe || size > maxSafe) {
			safe = false
		}
	}
	// Coinciding points and axis-parallel lines are the usual exact zeros; they need no arithmetic.
	if a == b || b == c || a == c || (a[0] == b[0] && b[0] == c[0]) || (a[1] == b[1] && b[1] == c[1]) {
		return 0
	}
	if safe {
		return orientExpansion(a, b, c)
	}
	return orientBig(a, b, c)
}

// orientExpansion sums the six products of the determinant as a nonoverlapping expansion, smallest component first;
// its largest component that is not zero has the sign of the sum.
func orientExpansion(a, b, c orb.Point) int {
	var e [12]float64
	n := 0
	add := func(term float64) {
		for i := 0; i < n; i++ {
			term, e[i] = twoSum(term, e[i])
		}
		e[n] = term
		n++
	}
	for _, p := range [...][2]float64{{a[0], b[1]}, {-a[1], b[0]}, {b[0], c[1]}, {-b[1], c[0]}, {c[0], a[1]}, {-c[1], a[0]}} {
		product := float64(p[0] * p[1])
		add(math.FMA(p[0], p[1], -product))
		add(product)
	}
	for i := n - 1; i >= 0; i-- {
		if e[i] != 0 {
			return sign(e[i])
		}
	}
	return 0
}

// twoSum returns the rounded sum and its exact roundoff (Knuth).
func twoSum(a, b float64) (sum, err float64) {
	sum = a + b
	bv := sum - a
	return sum, (a - (sum - bv)) + (b - bv)
}

func orientBig(a, b, c orb.Point) int {
	exact := func(v float64) *big.Float { return new(big.Float).SetPrec(exactBits).SetFloat64(v) }
	diff := func(p, q float64) *big.Float { d := exact(p); return d.Sub(d, exact(q)) }
	left, right := diff(a[0], c[0]), diff(a[1], c[1])
	left.Mul(left, diff(b[1], c[1]))
	right.Mul(right, diff(b[0], c[0]))
	return left.Cmp(right)
}

func sign(v float64) int {
	if v > 0 {
		return 1
	}
	return -1
}
