package coverage

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gridgov/internal/fault"
	"gridgov/internal/soak"

	"github.com/paulmach/orb"
)

func TestACleanSubdivisionKeepsItsDoubles(t *testing.T) {
	eachSeed(t, soak.Or(40, 1000), func(t *testing.T, rng *rand.Rand) {
		s := randomSubdivision(rng)
		c := mustBeClean(t, turned(rng, s.fields()))
		if c.Len() != s.w*s.h {
			t.Fatalf("%d faces of %d fields", c.Len(), s.w*s.h)
		}
		for i := range c.Faces {
			if want := fromSmallest(s.field(i).Shape[0][0]); !reflect.DeepEqual(c.Shape(i), orb.MultiPolygon{{want}}) {
				t.Fatalf("face %d is %v, want %v", i, c.Shape(i), want)
			}
			if !slices.Equal(c.Neighbours(i), s.neighbours(i)) {
				t.Fatalf("face %d borders on %v, want %v", i, c.Neighbours(i), s.neighbours(i))
			}
			if c.Index(s.code(i)) != i {
				t.Fatalf("code %s is face %d, want %d", s.code(i), c.Index(s.code(i)), i)
			}
		}
		// Corners inside have four borders, those on the rim three, but for the four outermost: they are no nodes.
		if want := (s.w+1)*(s.h+1) - 4; len(c.Nodes) != want {
			t.Errorf("%d nodes, want %d", len(c.Nodes), want)
		}
		if want := s.w*(s.h+1) + s.h*(s.w+1) - 4; len(c.Arcs) != want {
			t.Errorf("%d arcs, want %d", len(c.Arcs), want)
		}
		if c.Index("f9999") != -1 || c.Index("") != -1 {
			t.Error("an unknown code was found")
		}
		again, err := FromFaces(turned(rng, c.Polygons()))
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("read back it is another coverage: %v", err)
		}
	})
}

func fromSmallest(closed orb.Ring) orb.Ring {
	open := slices.Clone(closed[:len(closed)-1])
	start := slices.Index(open, slices.MinFunc(open, comparePoints))
	open = append(open[start:], open[:start]...)
	return append(open, open[0])
}

// Vertices moved by less than the tolerance, left out, or added on a border: what drawing each polygon by itself does.
func TestNoiseUnderTheToleranceIsRepaired(t *testing.T) {
	eachSeed(t, soak.Or(40, 1000), func(t *testing.T, rng *rand.Rand) {
		s := randomSubdivision(rng)
		const noiseM = 0.0003
		noisy := s.fields()
		for n := range noisy {
			ring := noisy[n].Shape[0][0]
			var open orb.Ring
			for k, p := range ring[:len(ring)-1] {
				open = append(open, s.moved(p, rng.Float64()*noiseM, rng.Float64()*2*math.Pi))
				if rng.IntN(4) == 0 { // a vertex that the neighbour does not have
					q := ring[k+1]
					on := orb.Point{p[0] + 0.4*(q[0]-p[0]), p[1] + 0.4*(q[1]-p[1])}
					open = append(open, s.moved(on, rng.Float64()*noiseM, rng.Float64()*2*math.Pi))
				}
			}
			noisy[n].Shape = orb.MultiPolygon{{append(open, open[0])}}
		}
		c, findings := mustBuild(t, turned(rng, noisy), Options{})
		for _, f := range findings {
			if f.Severity != Repaired {
				t.Errorf("not repaired: %+v", f)
			}
		}
		if joined, _ := ofKind(findings, Joined); len(joined) != 1 || !(joined[0].WidthM > 0 && joined[0].WidthM <= defaultToleranceM) {
			t.Errorf("joined: %+v", joined)
		}
		given := map[orb.Point]bool{}
		for _, p := range noisy {
			for _, q := range p.Shape[0][0] {
				given[q] = true
			}
		}
		for i := range c.Faces {
			if !slices.Equal(c.Neighbours(i), s.neighbours(i)) {
				t.Errorf("face %d borders on %v, want %v", i, c.Neighbours(i), s.neighbours(i))
			}
			for _, p := range c.Shape(i)[0][0] {
				if !given[p] {
					t.Errorf("vertex %v was in no polygon", p)
				}
			}
		}
		if again, findings := mustBuild(t, c.Polygons(), Options{}); !reflect.DeepEqual(c, again) {
			t.Errorf("building it again changes it: %v", findings)
		}
	})
}

// moved is a point some metres away in a direction.
func (s *subdivision) moved(p orb.Point, byM, direction float64) orb.Point {
	return orb.Point{p[0] + byM*math.Cos(direction)/s.scale.lon, p[1] + byM*math.Sin(direction)/s.scale.lat}
}

func square(x, y, size float64) orb.Ring {
	return orb.Ring{{x, y}, {x + size, y}, {x + size, y + size}, {x, y + size}, {x, y}}
}

func TestWhatCannotBeReadIsToldWithItsLine(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	good := Polygon{Code: "a", Line: 2, Shape: orb.MultiPolygon{{square(120, 30, 0.01)}}}
	beside := orb.MultiPolygon{{square(120.01, 30, 0.01)}}
	for _, test := range []struct {
		name     string
		shape    orb.MultiPolygon
		code     string
		kind     Kind
		severity Severity
		says     string
		faces    int
	}{
		{"not a number", orb.MultiPolygon{{{{nan, 30}, {121, 30}, {121, 31}, {nan, 30}}}}, "b", InvalidRing, Refused, "not a finite number", 1},
		{"infinite", orb.MultiPolygon{{{{120, inf}, {121, 30}, {121, 31}, {120, inf}}}}, "b", InvalidRing, Refused, "not a finite number", 1},
		{"swapped", orb.MultiPolygon{{{{30, 120}, {31, 120}, {31, 121}, {30, 120}}}}, "b", InvalidRing, Refused, "swapped", 1},
		{"metres", orb.MultiPolygon{{{{400000, 140000}, {400100, 140000}, {400100, 140100}, {400000, 140000}}}}, "b", InvalidRing, Refused, "not in degrees", 1},
		{"no geometry", nil, "b", Empty, Refused, "no geometry", 1},
		{"empty rings", orb.MultiPolygon{{}, {{}, {}}}, "b", Empty, Refused, "no geometry", 1},
		{"two points", orb.MultiPolygon{{{{120.02, 30}, {120.03, 30}, {120.02, 30}}}}, "b", InvalidRing, Refused, "at least 4", 1},
		{"a line", orb.MultiPolygon{{{{121, 30}, {122, 30}, {123, 30}, {121, 30}}}}, "b", Empty, Refused, "thinner than the tolerance", 1},
		{"a point", orb.MultiPolygon{{{{121, 30}, {121, 30}, {121, 30}, {121, 30}}}}, "b", Empty, Refused, "thinner than the tolerance", 1},
		{"not closed", orb.MultiPolygon{{beside[0][0][:4]}}, "b", InvalidRing, Refused, "not closed", 2},
		{"nearly closed", orb.MultiPolygon{{append(beside[0][0][:4:4], orb.Point{120.01, 30.000000001})}}, "b", InvalidRing, Repaired, "was closed", 2},
		{"bow tie", orb.MultiPolygon{{{{120.01, 30}, {120.02, 30.01}, {120.02, 30}, {120.01, 30.012}, {120.01, 30}}}}, "b", SelfCrossing, Refused, "crosses itself", 2},
		{"hole outside", orb.MultiPolygon{{beside[0][0], square(120.03, 30, 0.01)}}, "b", SelfCrossing, Refused, "wrong side", 2},
		{"holes in one another", orb.MultiPolygon{{square(120.01, 30, 0.02), square(120.011, 30.001, 0.005), square(120.012, 30.002, 0.002)}}, "b", SelfCrossing, Refused, "wrong side", 2},
		{"parts in one another", orb.MultiPolygon{{square(120.01, 30, 0.02)}, {square(120.012, 30.002, 0.002)}}, "b", SelfCrossing, Refused, "in it twice", 2},
		{"a spike", orb.MultiPolygon{{{{120.01, 30}, {120.02, 30}, {120.03, 30}, {120.02, 30}, {120.02, 30.01}, {120.01, 30.01}, {120.01, 30}}}}, "b", SelfCrossing, Repaired, "runs back", 2},
		{"parts side by side", orb.MultiPolygon{{square(120.01, 30, 0.01)}, {square(120.02, 30, 0.01)}}, "b", SelfCrossing, Repaired, "runs back", 2},
		{"a pinch", orb.MultiPolygon{{{{120.01, 30}, {120.02, 30}, {120.02, 30.01}, {120.03, 30.01}, {120.03, 30.02}, {120.02, 30.02}, {120.02, 30.01}, {120.01, 30.01}, {120.01, 30}}}}, "b", SelfCrossing, Repaired, "touches itself", 2},
		{"code twice", beside, "a", Duplicate, Refused, "came before on line 2", 1},
		{"geometry twice", good.Shape, "b", Duplicate, Refused, "same geometry as a", 1},
		{"no code", beside, "", InvalidRing, Refused, "no code", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, findings := mustBuild(t, []Polygon{good, {Code: test.code, Line: 3, Shape: test.shape}}, Options{})
			found, _ := ofKind(findings, test.kind)
			if len(found) == 0 {
				t.Fatalf("no %s in %+v", test.kind, findings)
			}
			f := found[0]
			if f.Severity != test.severity || !strings.Contains(f.Message, test.says) {
				t.Errorf("found %s: %s", f.Severity, f.Message)
			}
			if wantLine := 3; f.Line != wantLine && test.name != "geometry twice" {
				t.Errorf("line %d, want %d", f.Line, wantLine)
			}
			if c.Len() != test.faces {
				t.Errorf("%d faces, want %d", c.Len(), test.faces)
			}
			if HasRefused(findings) != (test.severity == Refused) {
				t.Errorf("refused: %v", HasRefused(findings))
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, tolerance := range []float64{-1, 1e-9, 2, math.NaN(), math.Inf(1)} {
		_, _, err := Build(context.Background(), nil, Options{ToleranceM: tolerance})
		if !fault.Is(err, fault.KindInvalid) {
			t.Errorf("tolerance %v: %v", tolerance, err)
		}
	}
	c, findings := mustBuild(t, nil, Options{})
	if c.Len() != 0 || len(findings) != 0 || !c.Bound().IsEmpty() {
		t.Errorf("nothing makes %+v, %v", c, findings)
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := newSubdivision(rand.New(rand.NewPCG(1, 1)), orb.Point{120, 30}, 5, 5, 100)
	if _, _, err := Build(ctx, s.fields(), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTooManyVerticesAreRefusedBeforeAnyWork(t *testing.T) {
	ring := make(orb.Ring, maxVertices/4+1) // shared by five parts: the limit counts, memory does not
	shape := orb.MultiPolygon{{ring}, {ring}, {ring}, {ring}, {ring}}
	if _, _, err := Build(context.Background(), []Polygon{{Code: "a", Shape: shape}}, Options{}); !fault.Is(err, fault.KindTooLarge) {
		t.Errorf("got %v", err)
	}
}

// A scribble crosses itself some hundred million times. It is refused while they are counted, not after.
func TestAScribbleIsRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var ring orb.Ring
	for range 30_000 {
		ring = append(ring, orb.Point{120 + rng.Float64(), 30 + rng.Float64()})
	}
	if _, _, err := Build(context.Background(), []Polygon{{Code: "a", Shape: orb.MultiPolygon{{append(ring, ring[0])}}}}, Options{}); !fault.Is(err, fault.KindTooLarge) {
		t.Errorf("got %v", err)
	}
	if _, err := FromFaces([]Polygon{{Code: "a", Shape: orb.MultiPolygon{{append(ring[:100:100], ring[0])}}}}); err == nil {
		t.Error("a scribble was read as stored")
	}
}
