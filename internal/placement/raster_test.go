package placement

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// The raster answers as the faces themselves do, or not at all: whatever the faces look like, and be they no coverage.
func TestRasterEqualsTheFaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shape := rapid.SampledFrom([]func(*rand.Rand) []Face{tangle, steps, slivers}).Draw(t, "shape")
		faces := shape(rng)
		x, err := New([]Level{{Role: "grid", Faces: faces}})
		if err != nil {
			t.Fatal(err)
		}
		p := x.levels[0].plane
		sure := 0
		points := around(rng, faces)
		for _, q := range points {
			got, certain := p.raster.at(q, p.slack)
			if !certain {
				continue
			}
			sure++
			want := None
			if n, _ := p.decide(q); n >= 0 {
				want = p.ids[n]
			}
			if got != want {
				t.Fatalf("(%v, %v): %d in the raster, %d by the faces", q[0], q[1], got, want)
			}
		}
		if sure < len(points)/10 {
			t.Fatalf("the raster answers %d of %d points", sure, len(points))
		}
	})
}

// tangle is polygons that cross themselves and one another.
func tangle(rng *rand.Rand) []Face {
	var faces []Face
	for i := range 1 + rng.IntN(6) {
		var polygon orb.Polygon
		for range 1 + rng.IntN(2) {
			r := make(orb.Ring, 3+rng.IntN(12))
			for k := range r {
				r[k] = orb.Point{120 + rng.Float64(), 30 + rng.Float64()}
			}
			polygon = append(polygon, append(r, r[0]))
		}
		faces = append(faces, Face{Code: string(rune('a' + i)), Shape: orb.MultiPolygon{polygon}})
	}
	return faces
}

// steps is rectangles on a coarse lattice: edges along the axes, many of them shared in part only, many overlapping.
func steps(rng *rand.Rand) []Face {
	var faces []Face
	at := func() float64 { return float64(rng.IntN(12)) / 8 }
	for i := range 1 + rng.IntN(8) {
		w, e, s, n := at(), at(), at(), at()
		faces = append(faces, Face{Code: string(rune('a' + i)), Shape: orb.MultiPolygon{{{{w, s}, {e, s}, {e, n}, {w, n}, {w, s}}}}})
	}
	return faces
}

// slivers is fans of thin triangles and edges a few ulps from being level.
func slivers(rng *rand.Rand) []Face {
	var faces []Face
	hub := orb.Point{-5 + rng.Float64(), 52 + rng.Float64()}
	prior := orb.Point{hub[0] + 1, hub[1]}
	for i := range 2 + rng.IntN(10) {
		next := orb.Point{prior[0], prior[1] + math.Pow(10, -15*rng.Float64())*0.2}
		faces = append(faces, Face{Code: string(rune('a' + i)), Shape: orb.MultiPolygon{{{hub, prior, next, hub}}}})
		prior = next
	}
	return faces
}

// around is points anywhere, of vertices' latitudes, and next to edges.
func around(rng *rand.Rand, faces []Face) []orb.Point {
	var vertices []orb.Point
	b := nowhere
	for _, f := range faces {
		for _, polygon := range f.Shape {
			for _, r := range polygon {
				vertices = append(vertices, r...)
				b = union(b, r.Bound())
			}
		}
	}
	w, h := b.Max[0]-b.Min[0], b.Max[1]-b.Min[1]
	var points []orb.Point
	for i := range 400 {
		q := orb.Point{b.Min[0] + w*(rng.Float64()*1.1-0.05), b.Min[1] + h*(rng.Float64()*1.1-0.05)}
		v := vertices[rng.IntN(len(vertices))]
		switch i % 4 {
		case 1:
			q[1] = math.Nextafter(v[1], float64(1000*rng.IntN(3)-1000))
		case 2:
			q[0] = v[0]
		case 3:
			k := rng.IntN(len(vertices) - 1)
			a, c, f := vertices[k], vertices[k+1], rng.Float64()
			d := math.Pow(10, -16*rng.Float64())
			q = orb.Point{a[0] + (c[0]-a[0])*f + d*(rng.Float64()-0.5), a[1] + (c[1]-a[1])*f + d*(rng.Float64()-0.5)}
		}
		points = append(points, q)
	}
	return points
}

// A face of many vertices in little space, and many faces over one another, cost memory and time in proportion.
func TestCrowdedPlaces(t *testing.T) {
	n := 200_000
	star := make(orb.Ring, n)
	for i := range star {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		r := 1e-4 * (1 + 0.5*float64(i%2))
		star[i] = orb.Point{120 + r*c, 30 + r*s}
	}
	star = append(star, star[0])
	far := orb.Ring{{121, 31}, {122, 31}, {122, 32}, {121, 31}}
	pile := make([]Face, 3000)
	for i := range pile {
		d := 1 + float64(i)*1e-7
		pile[i] = Face{Code: string(rune('a'+i%26)) + string(rune(0x4e00+i)), Shape: orb.MultiPolygon{{{{-d, -d}, {d, -d}, {d, d}, {-d, d}, {-d, -d}}}}}
	}
	for name, c := range map[string]struct {
		faces []Face
		at    orb.Point
	}{
		"a star":          {[]Face{{Code: "star", Shape: orb.MultiPolygon{{star}}}, {Code: "z", Shape: orb.MultiPolygon{{far}}}}, orb.Point{120, 30}},
		"a pile of faces": {pile, orb.Point{0.3, 0.2}},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := New([]Level{{Role: "grid", Faces: c.faces}})
			if err != nil {
				t.Fatal(err)
			}
			if got := x.At(c.at)[0]; got != 0 {
				t.Errorf("at the centre is face %d, want the first", got)
			}
			if x.Bytes() > 64<<20 {
				t.Errorf("%d bytes", x.Bytes())
			}
		})
	}
}

func FuzzLocate(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, err := New([]Level{{Role: "town", Faces: tangle(rng)}, {Role: "grid", Faces: append(slivers(rng), Face{Code: "none"})}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(120.5, 30.5, 20.0)
	f.Add(-5.0, 52.5, math.NaN())
	f.Add(math.Inf(1), math.NaN(), -1.0)
	f.Add(-180.0, 90.0, 1e300)
	f.Add(5e-324, math.Copysign(0, -1), 0.0)
	f.Fuzz(func(t *testing.T, lon, lat, accuracyM float64) {
		p := orb.Point{lon, lat}
		a := x.Locate(p, accuracyM)
		if at := x.At(p); at[1] >= 0 && a.Faces != at {
			t.Errorf("located in %v, at %v", a.Faces, at)
		}
		if placed := a.Method != MethodUnplaced; placed != (a.Faces[1] >= 0) {
			t.Errorf("%s in %v", a.Method, a.Faces)
		}
		if onEarth(p) != (a.BorderM >= 0 && a.DistanceM >= 0) {
			t.Errorf("distances %v and %v", a.DistanceM, a.BorderM)
		}
		if len(a.Near) > MaxCandidates || len(a.Candidates) > MaxCandidates || a.Ambiguous != (len(a.Candidates) > 0) {
			t.Errorf("%d near, %d candidates, ambiguous %v", len(a.Near), len(a.Candidates), a.Ambiguous)
		}
	})
}
