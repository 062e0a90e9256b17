package placement_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"gridgov/internal/fault"
	"gridgov/internal/placement"
	"gridgov/internal/placement/madeup"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/soak"
)

// distances lists each point's faces with their distances on PostGIS's spheroid, nearest first. Edges are cut to metres, as
// an edge is straight in lon/lat here and a geodesic there.
const distances = `SELECT p.n, (SELECT string_agg(f.code || '=' || d, ' ' ORDER BY d, f.code)
	FROM (SELECT code, ST_Distance(geog, ST_SetSRID(ST_MakePoint(p.x, p.y), 4326)::geography) AS d FROM near) f) FROM pt p`

func square(west, south, east, north float64) orb.MultiPolygon {
	return orb.MultiPolygon{{{{west, south}, {east, south}, {east, north}, {west, north}, {west, south}}}}
}

func TestDistancesEqualGeography(t *testing.T) {
	town := madeup.New(4, madeup.Plan{West: 120.3, South: 30.2, CellDeg: 0.01, Columns: 5, Rows: 4, Bends: 4})
	x, pool := index(t, town.Faces), pgtest.New(t)
	store(t, pool, town.Faces)
	if _, err := pool.Exec(t.Context(), `CREATE TABLE near AS SELECT code, ST_Segmentize(ST_SetSRID(geom, 4326), 0.0001)::geography AS geog FROM face`); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(8, 9))
	n := soak.Or(60, 3000)
	points := town.Random(rng, n)
	points = append(points, madeup.Offsets(rng, town.OnEdges(rng, n))...)
	for range n / 2 { // from a kilometre away to the other side of the earth
		d := math.Pow(10, -2+3.5*rng.Float64())
		s, c := math.Sincos(2 * math.Pi * rng.Float64())
		points = append(points, orb.Point{math.Remainder(120.32+d*c, 360), math.Mod(30.22+d*s/4, 90)})
	}
	places := map[placement.Method]int{}
	for i, line := range ask(t, pool, points, distances) {
		type reached struct {
			code string
			m    float64
		}
		var want []reached
		for _, word := range strings.Fields(line) {
			code, d, _ := strings.Cut(word, "=")
			m, err := strconv.ParseFloat(d, 64)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, reached{code, m})
		}
		// The geography type knows nothing below some micrometres: 1.6 µm is 0 m there.
		same := func(got, want float64) bool { return math.Abs(got-want) <= 0.005*want+1e-5 }
		a := x.Locate(points[i], 200)
		places[a.Method]++
		codes := x.Codes(0)
		if a.Nearest >= 0 {
			k := slices.IndexFunc(want, func(r reached) bool { return r.code == codes[a.Nearest] })
			if !same(a.DistanceM, want[0].m) || !same(a.DistanceM, want[k].m) {
				t.Errorf("%v: nearest %s at %v m, PostGIS has %s at %v m and %s at %v m", points[i], codes[a.Nearest], a.DistanceM, want[0].code, want[0].m, want[k].code, want[k].m)
			}
		}
		if a.Method == placement.MethodUnplaced {
			if want[0].m < 200*0.995 {
				t.Errorf("%v is unplaced though %s is %v m away", points[i], want[0].code, want[0].m)
			}
			continue
		}
		placed := codes[a.Faces[0]]
		for _, r := range want {
			if r.code == placed {
				continue
			}
			face, _ := x.Find(0, r.code)
			if near := slices.Contains(a.Near, face); near != (r.m <= placement.NearBorderM) && !same(r.m, placement.NearBorderM) {
				t.Errorf("%v: %s at %v m: near %v", points[i], r.code, r.m, near)
			}
			if candidate := slices.Contains(a.Candidates, face); candidate != (r.m <= 200) && !same(r.m, 200) {
				t.Errorf("%v: %s at %v m: candidate %v", points[i], r.code, r.m, candidate)
			}
		}
		if a.Ambiguous != (len(a.Candidates) > 0) {
			t.Errorf("%v: ambiguous %v with candidates %v", points[i], a.Ambiguous, a.Candidates)
		}
	}
	if len(places) < 3 {
		t.Errorf("only these methods were met: %v", places)
	}
}

// The border of a grid is as far as PostGIS says, holes and all, down to nanometres.
func TestBorderDistanceEqualsGeography(t *testing.T) {
	town := madeup.New(6, madeup.Plan{West: -77, South: 38.8, CellDeg: 0.01, Columns: 4, Rows: 4, Bends: 3})
	x, pool := index(t, town.Faces), pgtest.New(t)
	store(t, pool, town.Faces)
	if _, err := pool.Exec(t.Context(), `CREATE TABLE border AS SELECT code, ST_Boundary(ST_SetSRID(geom, 4326)) AS geom FROM face`); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(8, 9))
	points := town.Random(rng, 200)
	points = append(points, madeup.Offsets(rng, town.OnEdges(rng, 1000))...)
	// On the plane of degrees scaled to metres, as the geography type stops at a tenth of a millimetre.
	for i, line := range ask(t, pool, points, `SELECT p.n, (SELECT string_agg(b.code || '=' || ST_Distance(
		ST_Scale(ST_Translate(b.geom, -p.x, -p.y), 86500, 111000), ST_SetSRID(ST_MakePoint(0, 0), 4326)), ' ') FROM border b) FROM pt p`) {
		a := x.Locate(points[i], math.NaN())
		if a.Method != placement.MethodInside && a.Method != placement.MethodEdge {
			continue
		}
		_, rest, _ := strings.Cut(" "+line, " "+x.Codes(0)[a.Faces[0]]+"=")
		text, _, _ := strings.Cut(rest, " ")
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a.BorderM-want) > 0.005*want+1e-9 {
			t.Errorf("%v: border at %v m, PostGIS %v m", points[i], a.BorderM, want)
		}
	}
}

func TestLocateSaysWhy(t *testing.T) {
	// Grids 1 and 2 side by side, a lake in 2, ward W over grid 1 and a strip of 2.
	two := square(120.01, 30, 120.02, 30.01)
	two[0] = append(two[0], square(120.014, 30.004, 120.016, 30.006)[0][0])
	x, err := placement.New([]placement.Level{
		{Role: "town", Faces: []placement.Face{{Code: "W", Shape: square(120, 30, 120.011, 30.01)}}},
		{Role: "village", Faces: []placement.Face{{Code: "V"}, {Code: "U"}}},
		{Role: "grid", Faces: []placement.Face{{Code: "2", Shape: two}, {Code: "1", Shape: square(120, 30, 120.01, 30.01)}}, Parent: []int32{0, 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	unknown := math.NaN()
	degree := 111_320 * math.Cos(30.005*math.Pi/180) // metres along the parallel, about
	for _, c := range []struct {
		name             string
		p                orb.Point
		accuracyM        float64
		method           placement.Method
		faces            string
		nearest          string
		distanceM        float64
		borderM          float64
		near, candidates string
	}{
		{"in the middle", orb.Point{120.005, 30.005}, unknown, "inside", "W U 1", "-", 0, 0.005 * degree, "", ""},
		{"18 m from a neighbour", orb.Point{120.01 - 18/degree, 30.005}, unknown, "inside", "W U 1", "-", 0, 18, "2", ""},
		{"and known to 10 m", orb.Point{120.01 - 18/degree, 30.005}, 10, "inside", "W U 1", "-", 0, 18, "2", ""},
		{"and known to 20 m", orb.Point{120.01 - 18/degree, 30.005}, 20, "inside", "W U 1", "-", 0, 18, "2", "2"},
		{"known to 100 m, 80 m from it", orb.Point{120.01 - 80/degree, 30.005}, 100, "inside", "W U 1", "-", 0, 80, "", "2"},
		{"a millimetre from it", orb.Point{120.01 - 0.001/degree, 30.005}, unknown, "inside", "W U 1", "-", 0, 0.001, "2", ""},
		{"on the shared line", orb.Point{120.01, 30.005}, unknown, "edge", "W U 1", "-", 0, 0, "2", ""},
		{"on the shared line, exactly known", orb.Point{120.01, 30.005}, 0, "edge", "W U 1", "-", 0, 0, "2", "2"},
		{"on the lake's shore", orb.Point{120.014, 30.005}, unknown, "edge", "- V 2", "-", 0, 0, "", ""},
		{"30 m into the lake", orb.Point{120.014 + 30/degree, 30.005}, unknown, "nearest", "- V 2", "2", 30, 30, "", ""},
		{"and known to 20 m", orb.Point{120.014 + 30/degree, 30.005}, 20, "unplaced", "- - -", "2", 30, 30, "", ""},
		{"40 m west of the city", orb.Point{120 - 40/degree, 30.005}, unknown, "nearest", "W U 1", "1", 40, 40, "", ""},
		{"60 m west of the city", orb.Point{120 - 60/degree, 30.005}, unknown, "unplaced", "- - -", "1", 60, 60, "", ""},
		{"and known to 70 m", orb.Point{120 - 60/degree, 30.005}, 70, "nearest", "W U 1", "1", 60, 60, "", ""},
		{"an accuracy below zero is none", orb.Point{120 - 40/degree, 30.005}, -1, "nearest", "W U 1", "1", 40, 40, "", ""},
		{"nor is an infinite one", orb.Point{120 - 60/degree, 30.005}, math.Inf(1), "unplaced", "- - -", "1", 60, 60, "", ""},
		{"no number", orb.Point{math.NaN(), 30}, unknown, "unplaced", "- - -", "-", math.NaN(), math.NaN(), "", ""},
		{"infinite", orb.Point{120, math.Inf(-1)}, 10, "unplaced", "- - -", "-", math.NaN(), math.NaN(), "", ""},
		{"swapped", orb.Point{30.005, 120.005}, 10, "unplaced", "- - -", "-", math.NaN(), math.NaN(), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := x.Locate(c.p, c.accuracyM)
			code := func(level int, face int32) string {
				if face < 0 {
					return "-"
				}
				return x.Codes(level)[face]
			}
			list := func(faces []int32) string {
				var out []string
				for _, f := range faces {
					out = append(out, code(2, f))
				}
				return strings.Join(out, " ")
			}
			faces := fmt.Sprint(code(0, a.Faces[0]), " ", code(1, a.Faces[1]), " ", code(2, a.Faces[2]))
			if a.Method != c.method || faces != c.faces || code(2, a.Nearest) != c.nearest {
				t.Errorf("%s in %s, nearest %s; want %s in %s, nearest %s", a.Method, faces, code(2, a.Nearest), c.method, c.faces, c.nearest)
			}
			for _, d := range []struct {
				name      string
				got, want float64
			}{{"distance", a.DistanceM, c.distanceM}, {"border", a.BorderM, c.borderM}} {
				if math.IsNaN(d.got) != math.IsNaN(d.want) || math.Abs(d.got-d.want) > 0.005*d.want {
					t.Errorf("%s %v m, want %v", d.name, d.got, d.want)
				}
			}
			if list(a.Near) != c.near || list(a.Candidates) != c.candidates || a.Ambiguous != (c.candidates != "") {
				t.Errorf("near %q, candidates %q, ambiguous %v; want %q, %q", list(a.Near), list(a.Candidates), a.Ambiguous, c.near, c.candidates)
			}
		})
	}
}

// The order in which faces are given does not matter, nor what the caller does with them afterwards.
func TestOrderOfFacesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		town := madeup.New(rapid.Uint64().Draw(t, "seed"), madeup.Plan{West: 10, South: 50, CellDeg: 0.01, Columns: 3, Rows: 3, Bends: 2})
		shuffled := slices.Clone(town.Faces)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 1))
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		x, err := placement.New([]placement.Level{{Role: "grid", Faces: town.Faces}})
		if err != nil {
			t.Fatal(err)
		}
		y, err := placement.New([]placement.Level{{Role: "grid", Faces: shuffled}})
		if err != nil {
			t.Fatal(err)
		}
		points := append(town.OnEdges(rng, 50), town.Random(rng, 50)...)
		for i := range shuffled {
			shuffled[i] = placement.Face{}
		}
		for _, p := range points {
			if a, b := codeAt(x, p), codeAt(y, p); a != b {
				t.Fatalf("%v is in %q or in %q", p, a, b)
			}
			a, b := x.Locate(p, 100), y.Locate(p, 100)
			if a.Method != b.Method || a.BorderM != b.BorderM || len(a.Candidates) != len(b.Candidates) {
				t.Fatalf("%v: %+v or %+v", p, a, b)
			}
		}
	})
}

func TestAtAllEqualsAt(t *testing.T) {
	town := madeup.New(9, madeup.Plan{West: 120, South: 30, CellDeg: 0.01, Columns: 6, Rows: 6, Bends: 3})
	x, err := placement.New([]placement.Level{
		{Role: "village", Faces: func() (f []placement.Face) {
			for _, code := range town.Parents {
				f = append(f, placement.Face{Code: code})
			}
			return f
		}()},
		{Role: "grid", Faces: town.Faces, Parent: town.Parent},
	})
	if err != nil {
		t.Fatal(err)
	}
	points := town.Random(rand.New(rand.NewPCG(1, 1)), 100_001)
	lon, lat := make([]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		lon[i], lat[i] = p[0], p[1]
	}
	got := make([]placement.Faces, len(points))
	x.AtAll(lon, lat, got)
	for i, p := range points {
		if got[i] != x.At(p) {
			t.Fatalf("point %d: %v, alone %v", i, got[i], x.At(p))
		}
		if v, g := got[i][0], got[i][1]; g >= 0 && !strings.HasPrefix(x.Codes(1)[g], x.Codes(0)[v]) {
			t.Fatalf("grid %s in village %s", x.Codes(1)[g], x.Codes(0)[v])
		}
	}
	x.AtAll(nil, nil, nil)
}

func TestNewRefuses(t *testing.T) {
	ok := square(0, 0, 1, 1)
	grid := func(faces ...placement.Face) []placement.Level {
		return []placement.Level{{Role: "grid", Faces: faces}}
	}
	for name, c := range map[string]struct {
		levels []placement.Level
		code   string
	}{
		"no level":              {nil, "level_count"},
		"too many":              {make([]placement.Level, placement.MaxLevels+1), "level_count"},
		"a code twice":          {grid(placement.Face{Code: "a", Shape: ok}, placement.Face{Code: "a", Shape: ok}), "duplicate_code"},
		"an open ring":          {grid(placement.Face{Code: "a", Shape: orb.MultiPolygon{{{{0, 0}, {1, 0}, {1, 1}, {0, 1}}}}}), "open_ring"},
		"an empty ring":         {grid(placement.Face{Code: "a", Shape: orb.MultiPolygon{{{}}}}), "open_ring"},
		"projected":             {grid(placement.Face{Code: "a", Shape: square(0, 0, 500_000, 1)}), "out_of_range"},
		"no number":             {grid(placement.Face{Code: "a", Shape: orb.MultiPolygon{{{{0, 0}, {1, math.NaN()}, {1, 1}, {0, 0}}}}}), "out_of_range"},
		"parents of the top":    {[]placement.Level{{Role: "grid", Faces: []placement.Face{{Code: "a"}}, Parent: []int32{0}}}, "parent_count"},
		"too few parents":       {[]placement.Level{{Role: "town"}, {Role: "grid", Faces: []placement.Face{{Code: "a"}}, Parent: []int32{}}}, "parent_count"},
		"a parent out of range": {[]placement.Level{{Role: "town"}, {Role: "grid", Faces: []placement.Face{{Code: "a"}}, Parent: []int32{0}}}, "unknown_parent"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := placement.New(c.levels)
			if f, is := fault.As(err); !is || f.Code != c.code {
				t.Errorf("%v, want a fault %s", err, c.code)
			}
		})
	}
}

// Nothing is found without faces, and nothing fails.
func TestWithoutFaces(t *testing.T) {
	for name, faces := range map[string][]placement.Face{
		"none":          nil,
		"without shape": {{Code: "a"}, {Code: "b", Shape: orb.MultiPolygon{{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			x := index(t, faces)
			a := x.Locate(orb.Point{120, 30}, 50)
			if a.Method != placement.MethodUnplaced || a.Nearest != placement.None || !math.IsNaN(a.DistanceM) || a.Faces != x.At(orb.Point{}) {
				t.Errorf("%+v", a)
			}
			if !x.Bound().IsEmpty() {
				t.Errorf("bound %v", x.Bound())
			}
		})
	}
}

func TestLookUps(t *testing.T) {
	x, err := placement.New([]placement.Level{
		{Role: "town", Faces: []placement.Face{{Code: "t", Shape: square(0, 0, 2, 1)}}},
		{Role: "grid", Faces: []placement.Face{{Code: "b", Shape: square(1, 0, 2, 1)}, {Code: "a", Shape: square(0, 0, 1, 1)}}, Parent: []int32{0, 0}},
		{Role: "microgrid", Faces: []placement.Face{{Code: "m", Shape: square(0, 0, 1, 1)}, {Code: "n", Shape: square(1, 0, 2, 1)}}, Parent: []int32{1, 0}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if x.Grid() != 1 || !slices.Equal(x.Levels(), []string{"town", "grid", "microgrid"}) {
		t.Errorf("grid level %d of %v", x.Grid(), x.Levels())
	}
	for code, want := range map[string]int32{"a": 1, "b": 0, "c": placement.None, "": placement.None} {
		if got, ok := x.Find(1, code); got != want || ok != (want >= 0) {
			t.Errorf("%q is %d, %v", code, got, ok)
		}
	}
	if up := x.Up(2, 0); up != (placement.Faces{0, 1, 0, placement.None, placement.None}) {
		t.Errorf("above m: %v", up)
	}
	if x.Bound() != (orb.Bound{Max: orb.Point{2, 1}}) {
		t.Errorf("bound %v", x.Bound())
	}
	// Distances are the grid's, though microgrids are finer.
	if a := x.Locate(orb.Point{0.9999, 0.5}, 20); a.Faces != (placement.Faces{0, 1, 0, -1, -1}) || len(a.Candidates) != 1 || a.Candidates[0] != 0 {
		t.Errorf("%+v", a)
	}
}

// Deep says of a point what Locate would say, and misses only points whose border is not further away than it looks.
func TestDeepEqualsLocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		town := madeup.New(rapid.Uint64().Draw(t, "seed"), madeup.Plan{West: 120, South: 30, CellDeg: 0.002, Columns: 4, Rows: 4, Bends: 3})
		x, err := placement.New([]placement.Level{{Role: "grid", Faces: town.Faces}})
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "points"), 2))
		reachM := rapid.Float64Range(placement.NearBorderM, placement.MaxAccuracyM).Draw(t, "reach")
		if rapid.Bool().Draw(t, "short") {
			reachM = placement.NearBorderM
		}
		points := append(town.Random(rng, 100), madeup.Offsets(rng, town.OnEdges(rng, 50))...)
		points = append(points, orb.Point{math.NaN(), 30}, orb.Point{120, math.Inf(1)}, orb.Point{-10, -10})
		for _, p := range points {
			a := x.Locate(p, reachM)
			faces, deep := x.Deep(p, reachM)
			if deep && (a.Method != placement.MethodInside || a.Faces != faces || len(a.Near)+len(a.Candidates) > 0) {
				t.Fatalf("%v within %v m: said to lie deep in %v; %+v", p, reachM, faces, a)
			}
			if clear := a.Method == placement.MethodInside && a.BorderM > reachM*(1+1e-6); clear && !deep {
				t.Fatalf("%v: the border is %v m away, which is further than %v m, and it does not lie deep", p, a.BorderM, reachM)
			}
		}
	})
}

// Two points are as far apart as PostGIS says, from a millimetre to the other side of the earth, also across 180°.
func TestDistanceOfPointsEqualsGeography(t *testing.T) {
	pool, rng := pgtest.New(t), rand.New(rand.NewPCG(11, 12))
	for i := range soak.Or(300, 20_000) {
		a := orb.Point{360*rng.Float64() - 180, 120*rng.Float64() - 60}
		d := math.Pow(10, -8+10*rng.Float64()) // degrees
		s, c := math.Sincos(2 * math.Pi * rng.Float64())
		b := orb.Point{math.Remainder(a[0]+d*c, 360), max(-90, min(90, a[1]+d*s))}
		if i == 0 {
			a, b = orb.Point{179.9999, 30}, orb.Point{-179.9999, 30}
		}
		var want float64
		if err := pool.QueryRow(t.Context(), `SELECT ST_Distance(ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography, ST_SetSRID(ST_MakePoint($3, $4), 4326)::geography)`,
			a[0], a[1], b[0], b[1]).Scan(&want); err != nil {
			t.Fatal(err)
		}
		near := 0.005*want + 1e-5 // as for grids
		if want < 100 {
			near = 1e-5*want + 1e-5
		}
		if got := placement.DistanceM(a, b); !(math.Abs(got-want) <= near) {
			t.Errorf("%v to %v: %v m, PostGIS has %v", a, b, got, want)
		}
	}
	if d := placement.DistanceM(orb.Point{math.NaN(), 0}, orb.Point{0, 0}); !math.IsNaN(d) {
		t.Errorf("from nowhere it is %v m", d)
	}
}
