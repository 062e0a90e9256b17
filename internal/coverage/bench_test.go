package coverage

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

// million is a million vertices in 72,900 fields.
func million() []Polygon {
	return newSubdivision(rand.New(rand.NewPCG(1, 1)), orb.Point{120, 30}, 270, 270, 500).fields()
}

// outlineOf a million vertices: one polygon.
func hugeRing(n int) Polygon {
	rng := rand.New(rand.NewPCG(1, 1))
	var ring orb.Ring
	for k := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(n))
		r := 1 + 0.000001*rng.Float64()
		ring = append(ring, orb.Point{120 + r*cos, 30 + r*sin})
	}
	return Polygon{Code: "huge", Shape: orb.MultiPolygon{{append(ring, ring[0])}}}
}

func BenchmarkBuildMillionVertices(b *testing.B) {
	polygons := million()
	b.ResetTimer()
	for b.Loop() {
		if _, _, err := Build(b.Context(), polygons, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromFacesMillionVertices(b *testing.B) {
	polygons := million()
	b.ResetTimer()
	for b.Loop() {
		if _, err := FromFaces(polygons); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBuildOneRingOfAMillionVertices(b *testing.B) {
	polygons := []Polygon{hugeRing(1_000_000)}
	b.ResetTimer()
	for b.Loop() {
		if _, findings, err := Build(b.Context(), polygons, Options{}); err != nil || HasRefused(findings) {
			b.Fatal(err, findings)
		}
	}
}

func BenchmarkSimplifyMillionVertices(b *testing.B) {
	c, err := FromFaces(million())
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		c.Simplify(50)
	}
}

func BenchmarkDissolveMillionVertices(b *testing.B) {
	c, err := FromFaces(million())
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		c.Dissolve(func(i int) string { return c.Faces[i].Code[:3] })
	}
}
