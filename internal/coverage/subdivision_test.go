package coverage

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/paulmach/orb"
)

// subdivision is a lattice of w × h fields with bent borders: the truth that tests damage. Neighbouring fields have the
// same doubles along their border.
type subdivision struct {
	w, h  int
	scale scale
	cellM float64
	lying [][]orb.Point // the border from corner (i, j) to (i+1, j), at j·w+i
	stand [][]orb.Point // the border from corner (i, j) to (i, j+1), at j·(w+1)+i
}

func newSubdivision(rng *rand.Rand, origin orb.Point, w, h int, cellM float64) *subdivision {
	s := &subdivision{w: w, h: h, scale: scaleAt(origin[1]), cellM: cellM}
	at := func(x, y float64) orb.Point {
		return orb.Point{origin[0] + x*cellM/s.scale.lon, origin[1] + y*cellM/s.scale.lat}
	}
	type corner struct{ x, y float64 }
	corners := make([]corner, (w+1)*(h+1))
	for k := range corners {
		i, j := float64(k%(w+1)), float64(k/(w+1))
		corners[k] = corner{i + 0.3*(rng.Float64()-0.5), j + 0.3*(rng.Float64()-0.5)}
	}
	border := func(a, b corner) []orb.Point {
		line := []orb.Point{at(a.x, a.y)}
		bends := rng.IntN(6)
		for k := range bends {
			t := float64(k+1) / float64(bends+1)
			off := 0.05 * (2*rng.Float64() - 1) * 4 * t * (1 - t)
			line = append(line, at(a.x+t*(b.x-a.x)-off*(b.y-a.y), a.y+t*(b.y-a.y)+off*(b.x-a.x)))
		}
		return append(line, at(b.x, b.y))
	}
	for j := range h + 1 {
		for i := range w {
			s.lying = append(s.lying, border(corners[j*(w+1)+i], corners[j*(w+1)+i+1]))
		}
	}
	for j := range h {
		for i := range w + 1 {
			s.stand = append(s.stand, border(corners[j*(w+1)+i], corners[(j+1)*(w+1)+i]))
		}
	}
	return s
}

func randomSubdivision(rng *rand.Rand) *subdivision {
	origin := orb.Point{rng.Float64()*340 - 170, rng.Float64()*150 - 75}
	return newSubdivision(rng, origin, 3+rng.IntN(5), 3+rng.IntN(5), math.Pow(10, 1+2.5*rng.Float64()))
}

// index and code of field (i, j); codes sort like indices.
func (s *subdivision) index(i, j int) int { return j*s.w + i }
func (s *subdivision) code(n int) string  { return fmt.Sprintf("f%04d", n) }

// field is the polygon of a field: closed, counter-clockwise from its lower left corner.
func (s *subdivision) field(n int) Polygon {
	i, j := n%s.w, n/s.w
	back := func(line []orb.Point) []orb.Point {
		line = slices.Clone(line)
		slices.Reverse(line)
		return line
	}
	var ring orb.Ring
	for _, side := range [][]orb.Point{
		s.lying[j*s.w+i], s.stand[j*(s.w+1)+i+1], back(s.lying[(j+1)*s.w+i]), back(s.stand[j*(s.w+1)+i]),
	} {
		ring = append(ring, side[:len(side)-1]...)
	}
	return Polygon{Code: s.code(n), Line: n + 2, Shape: orb.MultiPolygon{{append(ring, ring[0])}}}
}

func (s *subdivision) fields() []Polygon {
	out := make([]Polygon, s.w*s.h)
	for n := range out {
		out[n] = s.field(n)
	}
	return out
}

// neighbours of a field across its four sides, ascending.
func (s *subdivision) neighbours(n int) []int {
	var out []int
	i, j := n%s.w, n/s.w
	for _, d := range [][2]int{{0, -1}, {-1, 0}, {1, 0}, {0, 1}} {
		if x, y := i+d[0], j+d[1]; x >= 0 && x < s.w && y >= 0 && y < s.h {
			out = append(out, s.index(x, y))
		}
	}
	return out
}

// turned starts rings elsewhere, turns some of them round and shuffles the polygons: the same boundaries to a reader.
func turned(rng *rand.Rand, polygons []Polygon) []Polygon {
	out := slices.Clone(polygons)
	for k := range out {
		var shape orb.MultiPolygon
		for _, poly := range out[k].Shape {
			var rings orb.Polygon
			for _, ring := range poly {
				open := ring[:len(ring)-1]
				start := rng.IntN(len(open))
				open = append(slices.Clone(open[start:]), open[:start]...)
				if rng.IntN(2) == 0 {
					slices.Reverse(open)
				}
				rings = append(rings, append(open, open[0]))
			}
			shape = append(shape, rings)
		}
		out[k].Shape = shape
	}
	rng.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

func mustBuild(t *testing.T, polygons []Polygon, o Options) (*Coverage, []Finding) {
	t.Helper()
	c, findings, err := Build(context.Background(), polygons, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, findings
}

func mustBeClean(t *testing.T, polygons []Polygon) *Coverage {
	t.Helper()
	c, findings := mustBuild(t, polygons, Options{})
	if len(findings) > 0 {
		t.Fatalf("unexpected: %d findings, the first %+v", len(findings), findings[0])
	}
	return c
}

// ofKind sums the findings of a kind.
func ofKind(findings []Finding, kind Kind) (found []Finding, areaM2 float64) {
	for _, f := range findings {
		if f.Kind == kind {
			found = append(found, f)
			areaM2 += f.AreaM2
		}
	}
	return found, areaM2
}

// eachSeed runs a property as one subtest a seed, so that a failing one can be run alone.
func eachSeed(t *testing.T, n int, property func(t *testing.T, rng *rand.Rand)) {
	for seed := range n {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			property(t, rand.New(rand.NewPCG(uint64(seed), 2024)))
		})
	}
}
