package coverage

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/soak"
)

// twoByTwo is four squares of 0.01°, in the parents west and east, and those parents.
func twoByTwo() (children []Polygon, parents *Coverage) {
	for i, code := range []string{"w1", "w2", "e1", "e2"} {
		x, y := 120+0.01*float64(i/2), 30+0.01*float64(i%2)
		parent := map[byte]string{'w': "west", 'e': "east"}[code[0]]
		children = append(children, Polygon{Code: code, Parent: parent, Line: i + 2, Shape: orb.MultiPolygon{{ringOf(x, y, x+0.01, y+0.01)}}})
	}
	parents, err := FromFaces([]Polygon{
		{Code: "west", Shape: orb.MultiPolygon{{ringOf(120, 30, 120.01, 30.02)}}},
		{Code: "east", Shape: orb.MultiPolygon{{ringOf(120.01, 30, 120.02, 30.02)}}},
	})
	if err != nil {
		panic(err)
	}
	return children, parents
}

func ringOf(x0, y0, x1, y1 float64) orb.Ring {
	return orb.Ring{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}, {x0, y0}}
}

func TestFacesMustLieInTheirParents(t *testing.T) {
	for _, test := range []struct {
		name     string
		damage   func(children []Polygon)
		severity Severity // "" for none
		code     string
		areaM2   float64
	}{
		{"as drawn", func([]Polygon) {}, "", "", 0},
		{"unknown parent", func(p []Polygon) { p[0].Parent = "north" }, Refused, "w1", -1},
		{"no parent", func(p []Polygon) { p[1].Parent = "" }, Refused, "w2", -1},
		{"the other parent", func(p []Polygon) { p[2].Parent = "west" }, Refused, "e1", -1},
		// 1.2 mm of 965 m beyond the parent's rim is below 0.1 %, 10 m is above.
		{"a hair out", func(p []Polygon) { p[0].Shape = orb.MultiPolygon{{ringOf(119.9999999, 30, 120.01, 30.01)}} }, Warning, "w1", 10.69},
		{"a strip out", func(p []Polygon) { p[0].Shape = orb.MultiPolygon{{ringOf(119.9999, 30, 120.01, 30.01)}} }, Refused, "w1", 10695},
		{"under the tolerance", func(p []Polygon) { p[0].Shape = orb.MultiPolygon{{ringOf(119.999999995, 30, 120.01, 30.01)}} }, "", "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			children, parents := twoByTwo()
			test.damage(children)
			c, findings := mustBuild(t, children, Options{Parent: parents})
			found, areaM2 := ofKind(findings, OutOfParent)
			if test.severity == "" {
				if len(found) > 0 || HasRefused(findings) {
					t.Fatalf("unexpected: %+v", findings)
				}
				return
			}
			if len(found) != 1 || found[0].Severity != test.severity || !slices.Equal(found[0].Codes, []string{test.code}) || found[0].Line == 0 {
				t.Fatalf("found %+v", findings)
			}
			want := test.areaM2
			if want < 0 {
				want = c.AreaM2(c.Index(test.code))
			}
			if math.Abs(areaM2-want) > 0.001*want {
				t.Errorf("%v m², want %v", areaM2, want)
			}
		})
	}
}

// What a parent covers and no child does is told along the rim too, where nothing encloses it.
func TestNothingOfAParentIsLeftOut(t *testing.T) {
	squares := func(rings ...orb.Ring) (p []Polygon) {
		for i, ring := range rings {
			p = append(p, Polygon{Code: string(rune('a' + i)), Parent: "p", Line: i + 2, Shape: orb.MultiPolygon{{ring}}})
		}
		return p
	}
	// A parent of 30 × 10 squares of 0.001°: one of them is 0.33 % of it, a strip of 0.00001° along a short side 0.033 %.
	parents, err := FromFaces([]Polygon{{Code: "p", Shape: orb.MultiPolygon{{ringOf(120, 30, 120.03, 30.01)}}}, {Code: "q", Shape: orb.MultiPolygon{{ringOf(120.03, 30, 120.04, 30.01)}}}})
	if err != nil {
		t.Fatal(err)
	}
	other := ringOf(120.03, 30, 120.04, 30.01)
	type want struct {
		parent   string
		severity Severity
		share    float64 // of the parent's area
	}
	for _, test := range []struct {
		name     string
		children []Polygon
		accepted string
		want     []want
	}{
		{"nothing", squares(ringOf(120, 30, 120.03, 30.01), other), "", nil},
		{"less than the tolerance", squares(ringOf(120.000000005, 30, 120.03, 30.01), other), "", nil},
		{"a hair", squares(ringOf(120.00001, 30, 120.03, 30.01), other), "", []want{{"p", Warning, 0.01 / 30}}},
		{"a strip", squares(ringOf(120.001, 30, 120.03, 30.01), other), "", []want{{"p", Refused, 1. / 30}}},
		{"a strip, meant", squares(ringOf(120.001, 30, 120.03, 30.01), other), "a river", []want{{"p", Warning, 1. / 30}}},
		{"strips that meet", squares(ringOf(120.001, 30.001, 120.03, 30.009), other), "", []want{{"p", Refused, 68. / 300}}},
		{"two strips apart", squares(ringOf(120, 30.001, 120.03, 30.008), other), "", []want{{"p", Refused, 0.2}, {"p", Refused, 0.1}}},
		{"hairs apart", squares(ringOf(120, 30.000005, 120.03, 30.009996), other), "", []want{{"p", Warning, 0.0009}}},
		{"hairs apart that add up", squares(ringOf(120, 30.000008, 120.03, 30.009992), other), "", []want{{"p", Refused, 0.0016}}},
		{"all of a parent", squares(ringOf(120, 30, 120.03, 30.01)), "", []want{{"q", Refused, 1}}},
		{"of both parents, in one piece", squares(ringOf(120, 30.001, 120.04, 30.01)), "", []want{{"p", Refused, 0.1}, {"q", Refused, 0.1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for i := range test.children {
				if test.children[i].Shape[0][0][0] == other[0] {
					test.children[i].Parent = "q"
				}
			}
			c, findings := mustBuild(t, test.children, Options{Parent: parents, Upper: []*Coverage{parents}, AcceptGaps: test.accepted})
			found, _ := ofKind(findings, Gap)
			alone, err := Uncovered(t.Context(), c, parents, 0, test.accepted)
			if err != nil || !reflect.DeepEqual(found, alone) {
				t.Errorf("compared by themselves they have %+v, %v", alone, err)
			}
			if len(found) != len(test.want) {
				t.Fatalf("found %+v", findings)
			}
			for i, w := range test.want {
				f, of := found[i], parents.Index(w.parent)
				if !slices.Equal(f.Codes, []string{w.parent}) || f.Severity != w.severity || math.Abs(f.AreaM2-w.share*parents.AreaM2(of)) > 0.001*f.AreaM2 ||
					test.accepted != "" && !strings.Contains(f.Message, test.accepted) {
					t.Errorf("told %+v, want %s, %v of %s", f, w.severity, w.share, w.parent)
				}
				if b := parents.Shape(of).Bound(); !b.Contains(f.Place) {
					t.Errorf("%v is not in %s", f.Place, w.parent)
				}
				for _, child := range test.children {
					if child.Shape.Bound().Contains(f.Place) {
						t.Errorf("%v is in %s", f.Place, child.Code)
					}
				}
			}
		})
	}
	// What children enclose is told once, by them.
	ring := squares(ringOf(120, 30, 120.03, 30.01), other)
	ring[1].Parent = "q"
	ring[0].Shape[0] = append(ring[0].Shape[0], ringOf(120.01, 30.004, 120.012, 30.006))
	if _, findings := mustBuild(t, ring, Options{Parent: parents, Upper: []*Coverage{parents}}); len(findings) != 1 || findings[0].Kind != Gap || !slices.Equal(findings[0].Codes, []string{"a"}) {
		t.Errorf("a hole is told as %+v", findings)
	}
}

func TestHoles(t *testing.T) {
	frame := func(hole orb.Ring) []Polygon {
		return []Polygon{{Code: "a", Line: 2, Shape: orb.MultiPolygon{{ringOf(120, 30, 120.01, 30.01), hole}}}}
	}
	wide, narrow := ringOf(120.004, 30.004, 120.005, 30.005), ringOf(120.004, 30.004, 120.004005, 30.006)
	above, err := FromFaces([]Polygon{{Code: "above", Shape: orb.MultiPolygon{{ringOf(119.9, 29.9, 120.1, 30.1)}}}})
	if err != nil {
		t.Fatal(err)
	}
	beside, err := FromFaces([]Polygon{{Code: "beside", Shape: orb.MultiPolygon{{ringOf(119.9, 29.9, 120.1, 30.1), wide}}}})
	if err != nil {
		t.Fatal(err)
	}
	partly, err := FromFaces([]Polygon{{Code: "partly", Shape: orb.MultiPolygon{{ringOf(119.9, 29.9, 120.0041, 30.1)}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		hole     orb.Ring
		options  Options
		kind     Kind
		severity Severity
	}{
		{"a lake", wide, Options{}, Enclave, Warning},
		{"a lake above too", wide, Options{Upper: []*Coverage{beside}}, Enclave, Warning},
		{"covered above", wide, Options{Upper: []*Coverage{beside, above}}, Gap, Refused},
		{"covered above in part", wide, Options{Upper: []*Coverage{partly}}, Gap, Refused},
		{"covered above and accepted", wide, Options{Upper: []*Coverage{above}, AcceptGaps: "to be drawn"}, Gap, Warning},
		{"half a metre wide", narrow, Options{}, Gap, Refused},
		{"half a metre wide and accepted", narrow, Options{AcceptGaps: "a wall"}, Gap, Warning},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, findings := mustBuild(t, frame(test.hole), test.options)
			if len(findings) != 1 || findings[0].Kind != test.kind || findings[0].Severity != test.severity {
				t.Fatalf("found %+v", findings)
			}
			want := math.Abs(ringAreaM2(test.hole))
			if math.Abs(findings[0].AreaM2-want) > 1e-6*want || !test.hole.Bound().Contains(findings[0].Place) {
				t.Errorf("told %v m² at %v, want %v", findings[0].AreaM2, findings[0].Place, want)
			}
			if len(c.Shape(0)[0]) != 2 {
				t.Error("the hole was filled")
			}
		})
	}
}

// An island in a lake in a face in an enclave of another: components within components keep their place.
func TestNestedComponents(t *testing.T) {
	var rings []orb.Ring
	for k := range 6 {
		d := 0.001 * float64(k)
		rings = append(rings, ringOf(120+d, 30+d, 120.02-d, 30.02-d))
	}
	c, findings := mustBuild(t, []Polygon{
		{Code: "a", Shape: orb.MultiPolygon{{rings[0], rings[1]}, {rings[2], rings[3]}}},
		{Code: "b", Shape: orb.MultiPolygon{{rings[1], rings[2]}, {rings[4], rings[5]}}},
	}, Options{})
	if enclaves, _ := ofKind(findings, Enclave); len(enclaves) != 2 || len(findings) != 2 {
		t.Fatalf("found %+v", findings)
	}
	for i := range 2 {
		for _, part := range c.Shape(i) {
			if len(part) != 2 {
				t.Errorf("a part of %s has %d rings", c.Faces[i].Code, len(part))
			}
		}
		if len(c.Shape(i)) != 2 {
			t.Errorf("%s has %d parts", c.Faces[i].Code, len(c.Shape(i)))
		}
	}
	if !slices.Equal(c.Neighbours(0), []int{1}) {
		t.Errorf("neighbours %v", c.Neighbours(0))
	}
}

func TestNests(t *testing.T) {
	eachSeed(t, soak.Or(20, 500), func(t *testing.T, rng *rand.Rand) {
		s := randomSubdivision(rng)
		fields := s.fields()
		c := mustBeClean(t, fields)
		byColumn := func(i int) string { return string(rune('a' + i%s.w)) }
		parents := c.Dissolve(byColumn)
		if found := Nests(c, parents, 0); len(found) > 0 {
			t.Fatalf("parents made of their children: %+v", found)
		}
		// A field that says it belongs to another column does not nest with its whole area.
		n := rng.IntN(len(fields))
		for i := range fields {
			fields[i].Parent = byColumn(i)
		}
		fields[n].Parent = byColumn(n + 1)
		strayed := mustBeClean(t, fields)
		found := Nests(strayed, parents, 0)
		if len(found) != 1 || found[0].Kind != OutOfParent || !slices.Equal(found[0].Codes, []string{s.code(n), byColumn(n)}) ||
			math.Abs(found[0].AreaM2-c.AreaM2(n)) > 1e-6*c.AreaM2(n) {
			t.Fatalf("strayed: %+v", found)
		}
		// A field missing below is a gap of its parent.
		without := mustNotRefuse(t, slices.Delete(slices.Clone(s.fields()), n, n+1))
		found = Nests(without, parents, 0)
		if len(found) != 1 || found[0].Kind != Gap || !slices.Equal(found[0].Codes, []string{byColumn(n)}) ||
			math.Abs(found[0].AreaM2-c.AreaM2(n)) > 1e-6*c.AreaM2(n) {
			t.Fatalf("missing: %+v", found)
		}
	})
}

// mustNotRefuse allows the enclave that a missing field leaves.
func mustNotRefuse(t *testing.T, polygons []Polygon) *Coverage {
	t.Helper()
	c, findings := mustBuild(t, polygons, Options{})
	if HasRefused(findings) {
		t.Fatalf("refused: %+v", findings)
	}
	return c
}
