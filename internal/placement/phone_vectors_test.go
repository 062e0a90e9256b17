package placement_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/demo/haining"
	"gridgov/internal/placement"
	"gridgov/internal/placement/madeup"
)

var update = flag.Bool("update", false, "write the vectors that the phone's placement is held to")

// phoneSet is a plan's grids, and what Locate says of points.
type phoneSet struct {
	Name   string       `json:"name"`
	Faces  []phoneFace  `json:"faces"`
	Points []phonePoint `json:"points"`
}

type phoneFace struct {
	Code  string           `json:"code"`
	Shape orb.MultiPolygon `json:"shape"`
	Parts []phoneFace      `json:"parts,omitempty"` // microgrids, in a plan whose microgrids nest
}

type phonePoint struct {
	At   orb.Point     `json:"at"`
	Says []phoneAnswer `json:"says"`
}

// phoneAnswer is an Answer in codes; what is NaN or None there is missing here.
type phoneAnswer struct {
	AccuracyM  *float64         `json:"accuracy_m,omitempty"`
	Method     placement.Method `json:"method"`
	Code       string           `json:"code,omitempty"`
	Microgrid  string           `json:"microgrid,omitempty"`
	Nearest    string           `json:"nearest,omitempty"`
	DistanceM  *float64         `json:"distance_m,omitempty"`
	BorderM    *float64         `json:"border_m,omitempty"`
	Near       []string         `json:"near,omitempty"`
	Candidates []string         `json:"candidates,omitempty"`
	Ambiguous  bool             `json:"ambiguous,omitempty"`
}

// phoneVectors is read by frontend/src/field/place/places.test.ts too, so that phone and service answer alike. It is written on amd64,
// where nothing is fused: there the two agree on distances to the last bit.
const phoneVectors = "../../frontend/src/field/place/testdata/locate.json.gz"

func TestPhoneVectorsAreWhatLocateSays(t *testing.T) {
	if *update {
		writePhoneVectors(t, makePhoneSets(t))
	}
	sets := readPhoneVectors(t)
	if len(sets) == 0 {
		t.Fatal("no set")
	}
	for _, s := range sets {
		x := s.index(t)
		wrong := 0
		for _, p := range s.Points {
			for _, want := range p.Says {
				if got := say(x, p.At, want.AccuracyM); !got.same(want) {
					if wrong++; wrong < 4 {
						t.Errorf("%s: %v: the file has %s and Locate says %s", s.Name, p.At, asJSON(want), asJSON(got))
					}
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d answers are others than the file's; look at why, then run with -update", s.Name, wrong)
		}
	}
}

func (s phoneSet) index(t *testing.T) *placement.Index {
	t.Helper()
	levels := []placement.Level{{Role: "grid"}, {Role: "microgrid", Parent: []int32{}}}
	for i, f := range s.Faces {
		levels[0].Faces = append(levels[0].Faces, placement.Face{Code: f.Code, Shape: f.Shape})
		for _, part := range f.Parts {
			levels[1].Faces = append(levels[1].Faces, placement.Face{Code: part.Code, Shape: part.Shape})
			levels[1].Parent = append(levels[1].Parent, int32(i))
		}
	}
	if len(levels[1].Faces) == 0 {
		levels = levels[:1]
	}
	x, err := placement.New(levels)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// say is Locate's answer; no accuracy is none known.
func say(x *placement.Index, p orb.Point, accuracyM *float64) phoneAnswer {
	known := math.NaN()
	if accuracyM != nil {
		known = *accuracyM
	}
	a := x.Locate(p, known)
	code := func(level int, face int32) string {
		if level >= len(x.Levels()) || face < 0 {
			return ""
		}
		return x.Codes(level)[face]
	}
	list := func(faces []int32) (out []string) {
		for _, f := range faces {
			out = append(out, code(0, f))
		}
		return out
	}
	number := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	return phoneAnswer{accuracyM, a.Method, code(0, a.Faces[0]), code(1, a.Faces[1]), code(0, a.Nearest),
		number(a.DistanceM), number(a.BorderM), list(a.Near), list(a.Candidates), a.Ambiguous}
}

// same leaves to distances what another processor may round otherwise.
func (a phoneAnswer) same(b phoneAnswer) bool {
	alike := func(v, w *float64) bool {
		return (v == nil) == (w == nil) && (v == nil || math.Abs(*v-*w) <= 1e-9*math.Abs(*w))
	}
	return a.Method == b.Method && a.Code == b.Code && a.Microgrid == b.Microgrid && a.Nearest == b.Nearest && a.Ambiguous == b.Ambiguous &&
		alike(a.DistanceM, b.DistanceM) && alike(a.BorderM, b.BorderM) && slices.Equal(a.Near, b.Near) && slices.Equal(a.Candidates, b.Candidates)
}

func asJSON(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and finite numbers
	}
	return out
}

func readPhoneVectors(t *testing.T) (sets []phoneSet) {
	t.Helper()
	f, err := os.Open(phoneVectors)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(&sets); err != nil {
		t.Fatal(err)
	}
	return sets
}

func writePhoneVectors(t *testing.T, sets []phoneSet) {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(asJSON(sets)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(phoneVectors, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// makePhoneSets draws plans and points. Between them they have holes, lakes, islands, faces in two parts, cracks, distances beyond the
// plane metric, more grids near than are told, and microgrids whose order is not that of their grids.
func makePhoneSets(t *testing.T) []phoneSet {
	t.Helper()
	var sets []phoneSet
	for i, c := range []struct {
		name string
		n    int
		plan madeup.Plan
	}{
		{"a town of short edges", 50, madeup.Plan{West: 120.3, South: 30.2, CellDeg: 0.01, Columns: 7, Rows: 5, Bends: 9}},
		{"blocks of houses", 60, madeup.Plan{West: 120.3, South: 30.2, CellDeg: 0.001, Columns: 9, Rows: 8, Bends: 3}},
		{"few long edges", 30, madeup.Plan{West: 119, South: 29, CellDeg: 0.7, Columns: 4, Rows: 3, Bends: 1}},
		{"around the origin", 60, madeup.Plan{West: -0.03, South: -0.02, CellDeg: 0.01, Columns: 6, Rows: 5, Bends: 4}},
		{"in the north", 25, madeup.Plan{West: 17, South: 59.3, CellDeg: 0.002, Columns: 5, Rows: 4, Bends: 4}},
		{"metres across, south and west", 25, madeup.Plan{West: -70, South: -35, CellDeg: 1e-6, Columns: 5, Rows: 5, Bends: 3}},
	} {
		town := madeup.New(uint64(i+1), c.plan)
		set := phoneSet{Name: c.name}
		for _, f := range town.Faces {
			set.Faces = append(set.Faces, phoneFace{Code: f.Code, Shape: f.Shape})
		}
		set.ask(t, phonePoints(town, c.n))
		sets = append(sets, set)
	}
	pair, alone := tornSets(t)
	return append(sets, pair, alone, hainingSet(t))
}

// phonePoints are of all kinds, about 10 n.
func phonePoints(town madeup.Town, n int) []orb.Point {
	rng := rand.New(rand.NewPCG(11, 12))
	edge := town.OnEdges(rng, n)
	points := slices.Concat(town.Random(rng, 2*n), town.Vertices(rng, n), town.Level(rng, n), edge, madeup.Ulps(rng, edge),
		madeup.Ulps(rng, town.Vertices(rng, n)), madeup.Offsets(rng, edge))
	moved := func(p orb.Point, m float64) orb.Point {
		s, c := math.Sincos(2 * math.Pi * rng.Float64())
		return orb.Point{p[0] + m*c/(111_320*math.Cos(p[1]*math.Pi/180)), p[1] + m*s/111_320}
	}
	for _, p := range madeup.On(rng, town.Rim, 2*n) {
		points = append(points, moved(p, 10+290*rng.Float64()))
	}
	for _, p := range madeup.On(rng, town.Rim, n/2) {
		points = append(points, moved(p, math.Pow(10, 2+3*rng.Float64())))
	}
	return append(points, orb.Point{-60, -40}, orb.Point{170, 10}, orb.Point{180, 90}, orb.Point{30.2, 120.3})
}

// ask fills in what Locate says of each point without accuracy and with two.
func (s *phoneSet) ask(t *testing.T, points []orb.Point) {
	t.Helper()
	x := s.index(t)
	rng := rand.New(rand.NewPCG(13, 14))
	accuracies := []float64{0, 5, 20, 49.5, 80, 150, 240, 260, 900, 5000, 20_000, -1}
	for _, p := range points {
		point := phonePoint{At: p, Says: []phoneAnswer{say(x, p, nil)}}
		for range 2 {
			accuracyM := accuracies[rng.IntN(len(accuracies))]
			point.Says = append(point.Says, say(x, p, &accuracyM))
		}
		s.Points = append(s.Points, point)
	}
}

// tornSets are two triangles at an edge through 0, 0, and one of them alone, with points that PostGIS misjudges: tears out of both, out of the
// one at its rim, or puts into both. See TestPointsThatPostGISMisjudges.
func tornSets(t *testing.T) (pair, alone phoneSet) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	a := orb.Point{-0.1 - rng.Float64(), -0.1 - rng.Float64()}
	k := 0.3 + rng.Float64()
	b := orb.Point{-a[0] * k, -a[1] * k}
	pair = phoneSet{Name: "torn at the origin", Faces: []phoneFace{
		{Code: "west", Shape: orb.MultiPolygon{{{a, b, {a[0], b[1]}, a}}}},
		{Code: "east", Shape: orb.MultiPolygon{{{b, a, {b[0], a[1]}, b}}}},
	}}
	alone = phoneSet{Name: "torn at a rim", Faces: pair.Faces[:1]}
	points := make([]orb.Point, 500)
	for i := range points {
		d := math.Pow(10, -14-4*rng.Float64())
		points[i] = orb.Point{(rng.Float64() - 0.5) * d, 0}
		points[i][1] = points[i][0]*a[1]/a[0] + (rng.Float64()-0.5)*1e-17
	}
	pair.ask(t, points)
	alone.ask(t, points)
	return pair, alone
}

// hainingSet is a piece of the demo city with microgrids. Their codes are read backwards, so that the smallest microgrid at a point is
// often not in the smallest grid.
func hainingSet(t *testing.T) phoneSet {
	t.Helper()
	plan, err := haining.Boundaries()
	if err != nil {
		t.Fatal(err)
	}
	set := phoneSet{Name: "a piece of Haining"}
	var faces []placement.Face
	at := map[string]int{}
	first := slices.IndexFunc(plan.Grids, func(d haining.Division) bool { return d.Parent == haining.VillageCode })
	for _, g := range plan.Grids {
		if math.Hypot(g.Label[0]-plan.Grids[first].Label[0], g.Label[1]-plan.Grids[first].Label[1]) > 0.012 {
			continue
		}
		at[g.Code] = len(set.Faces)
		set.Faces = append(set.Faces, phoneFace{Code: g.Code, Shape: orb.MultiPolygon{g.Shape}})
	}
	for _, g := range plan.Microgrids {
		if i, in := at[g.Parent]; in {
			shape := orb.MultiPolygon{g.Shape}
			code := []byte(g.Code)
			slices.Reverse(code)
			set.Faces[i].Parts = append(set.Faces[i].Parts, phoneFace{Code: string(code), Shape: shape})
			faces = append(faces, placement.Face{Code: string(code), Shape: shape})
		}
	}
	set.ask(t, phonePoints(madeup.Of(faces), 50))
	return set
}
