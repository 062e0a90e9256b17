package coverage

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/soak"
)

// checkSimplified holds for any coverage and tolerance: still a coverage with the same faces, nodes, arcs and neighbours,
// made of vertices that were there.
func checkSimplified(t *testing.T, c *Coverage, toleranceM float64) *Coverage {
	t.Helper()
	s := c.Simplify(toleranceM)
	if !reflect.DeepEqual(s.Nodes, c.Nodes) || len(s.Arcs) != len(c.Arcs) || s.Len() != c.Len() {
		t.Fatalf("at %v m: %d nodes, %d arcs, %d faces of %d, %d, %d", toleranceM, len(s.Nodes), len(s.Arcs), s.Len(), len(c.Nodes), len(c.Arcs), c.Len())
	}
	for i, a := range s.Arcs {
		full := c.Arcs[i]
		if a.From != full.From || a.To != full.To || a.Left != full.Left || a.Right != full.Right {
			t.Fatalf("arc %d became another", i)
		}
		rest := full.Points
		for _, p := range a.Points {
			k := slices.Index(rest, p)
			if k < 0 {
				t.Fatalf("arc %d has %v, which was not there or not in this order", i, p)
			}
			rest = rest[k+1:]
		}
		if a.Points[0] != c.Nodes[a.From] || a.Points[len(a.Points)-1] != c.Nodes[a.To] {
			t.Fatalf("arc %d lost an end", i)
		}
	}
	// The strictest judge of crossings and lost faces: it must read as stored, and have the same faces and neighbours.
	again, err := FromFaces(s.Polygons())
	if err != nil {
		t.Fatalf("at %v m it is no coverage: %v", toleranceM, err)
	}
	for i, f := range s.Faces {
		if again.Faces[i].Code != f.Code || len(s.Faces[i].Parts) != len(again.Faces[i].Parts) {
			t.Fatalf("at %v m face %s changed its parts", toleranceM, f.Code)
		}
		if !slices.Equal(s.Neighbours(i), c.Neighbours(i)) {
			t.Fatalf("at %v m face %s borders on %v, before on %v", toleranceM, f.Code, s.Neighbours(i), c.Neighbours(i))
		}
	}
	return s
}

func vertices(c *Coverage) (n int) {
	for _, a := range c.Arcs {
		n += len(a.Points)
	}
	return n
}

func TestSimplifiedSubdivisionsStayCoverages(t *testing.T) {
	eachSeed(t, soak.Or(40, 1000), func(t *testing.T, rng *rand.Rand) {
		s := randomSubdivision(rng)
		c := mustBeClean(t, s.fields())
		colours := make([]string, c.Len())
		for i := range colours {
			colours[i] = []string{"", "red", "green", "blue", "white"}[rng.IntN(5)]
		}
		for _, c := range []*Coverage{c, c.Dissolve(func(i int) string { return colours[i] })} {
			before := math.MaxInt
			for _, share := range []float64{0.01, 0.03, 0.1, 1, 1e6} {
				n := vertices(checkSimplified(t, c, share*s.cellM))
				if n > before {
					t.Errorf("a larger tolerance keeps more vertices: %d after %d", n, before)
				}
				before = n
			}
		}
	})
}

// Thin, wound and nested borders leave little room: soup has them.
func TestSimplifiedSoupsStayCoverages(t *testing.T) {
	eachSeed(t, soak.Or(100, 3000), func(t *testing.T, rng *rand.Rand) {
		c, _ := mustBuild(t, soup(rng, orb.Point{120, 30}, 1+rng.IntN(5), 4+rng.IntN(20), 10, 1), Options{})
		for _, tolerance := range []float64{1, 10, 1e5} {
			checkSimplified(t, c, tolerance)
		}
	})
}

func TestSimplifyDropsSmallTrianglesOnly(t *testing.T) {
	// A square of 1000 m with two bumps on its lower side, of 10 m and of 100 m on a base of 200 m.
	s := scaleAt(30)
	at := func(x, y float64) orb.Point { return orb.Point{120 + x/s.lon, 30 + y/s.lat} }
	ring := orb.Ring{at(0, 0), at(200, 0), at(300, -10), at(400, 0), at(600, 0), at(700, -100), at(800, 0), at(1000, 0), at(1000, 1000), at(0, 1000), at(0, 0)}
	c := mustBeClean(t, []Polygon{{Code: "a", Shape: orb.MultiPolygon{{ring}}}})
	for _, test := range []struct {
		toleranceM float64
		has, hasNo []orb.Point
	}{
		{0, ring, nil},
		{math.NaN(), ring, nil},
		{25, []orb.Point{at(300, -10), at(700, -100)}, nil},                                       // below √(10·200/2) ≈ 31.6
		{40, []orb.Point{at(700, -100), at(1000, 0)}, []orb.Point{at(300, -10)}},                  // above it
		{110, []orb.Point{at(1000, 0), at(1000, 1000)}, []orb.Point{at(300, -10), at(700, -100)}}, // above √(100·200/2) = 100
	} {
		got := checkSimplified(t, c, test.toleranceM).Shape(0)[0][0]
		for _, p := range test.has {
			if !slices.Contains(got, p) {
				t.Errorf("at %v m %v is missing", test.toleranceM, p)
			}
		}
		for _, p := range test.hasNo {
			if slices.Contains(got, p) {
				t.Errorf("at %v m %v is still there", test.toleranceM, p)
			}
		}
	}
}
