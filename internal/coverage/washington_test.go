package coverage

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"gridgov/internal/geofile"
	"gridgov/internal/soak"

	"github.com/paulmach/orb"
)

// readPolygons reads a boundary file with its codes. Records that cannot be taken are returned as errors.
func readPolygons(t testing.TB, path, code, parent string) (polygons []Polygon, rejected []*geofile.RowError) {
	t.Helper()
	r, err := geofile.Open(context.Background(), path, geofile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		f, err := r.Next()
		var row *geofile.RowError
		switch {
		case errors.Is(err, io.EOF):
			return polygons, rejected
		case errors.As(err, &row):
			rejected = append(rejected, row)
			continue
		case err != nil:
			t.Fatal(err)
		}
		p := Polygon{Code: f.Properties[code], Parent: f.Properties[parent], Line: f.Line}
		switch shape := f.Shape.(type) {
		case orb.Polygon:
			p.Shape = orb.MultiPolygon{shape}
		case orb.MultiPolygon:
			p.Shape = shape
		default:
			t.Fatalf("%s is a %T", p.Code, shape)
		}
		polygons = append(polygons, p)
	}
}

// The levels of Washington, D.C. (DC government, opendata.dc.gov), as shipped with the demo.
func wards(t testing.TB) []Polygon { return washington(t, "wards_2012", "WARD", "", 8) }
func ancs(t testing.TB) []Polygon  { return washington(t, "anc_2013", "ANC_ID", "", 40) }
func smds(t testing.TB) []Polygon  { return washington(t, "smd_2013", "SMD_ID", "ANC_ID", 296) }

func washington(t testing.TB, name, code, parent string, count int) []Polygon {
	t.Helper()
	polygons, rejected := readPolygons(t, "../demo/dc/data/"+name+".geojson.gz", code, parent)
	if len(polygons) != count || len(rejected) > 0 {
		t.Fatalf("%s: %d polygons, rejected %v", name, len(polygons), rejected)
	}
	return polygons
}

// Each level by itself is a clean coverage: its publisher's doubles stay as they are.
func TestWashingtonsLevelsAreCoverages(t *testing.T) {
	all := newPostGIS(t)
	for _, level := range []struct {
		name string
		read func(testing.TB) []Polygon
	}{{"wards", wards}, {"ANCs", ancs}, {"SMDs", smds}} {
		t.Run(level.name, func(t *testing.T) {
			polygons := level.read(t)
			c := mustBeClean(t, polygons)
			for _, p := range polygons {
				got := c.Shape(c.Index(p.Code))
				if len(got) != 1 || len(got[0]) != len(p.Shape[0]) || !sameRing(got[0][0], fromSmallest(withoutRepeats(p.Shape[0][0]))) {
					t.Errorf("%s did not keep its outline", p.Code)
				}
			}
			again, err := FromFaces(c.Polygons())
			if err != nil || !reflect.DeepEqual(c, again) {
				t.Errorf("read back it is another coverage: %v", err)
			}
			if level.name == "wards" || soak.Or(0, 1) == 1 { // half a minute for the others
				all.on(t).agrees(c)
			}
			for _, tolerance := range []float64{2, 20, 200} {
				checkSimplified(t, c, tolerance)
			}
		})
	}
}

func withoutRepeats(ring orb.Ring) orb.Ring { return slices.Compact(slices.Clone(ring)) }

// sameRing compares rings from their smallest vertex in either direction.
func sameRing(a, b orb.Ring) bool {
	if slices.Equal(a, b) {
		return true
	}
	b = slices.Clone(b)
	slices.Reverse(b)
	return slices.Equal(a, b)
}

// SMDs nest in ANCs within the tolerance. ANCs do not nest in wards: 3G and 6D lie in two, and along the District's
// straight sides and the wards' lines the levels were drawn apart. PostGIS measures each piece on the published polygons.
func TestWashingtonsLevelsAgainstEachOther(t *testing.T) {
	w, a, s := mustBeClean(t, wards(t)), mustBeClean(t, ancs(t)), mustBeClean(t, smds(t))
	if found := Nests(s, a, 0); len(found) > 0 {
		t.Errorf("SMDs in ANCs: %+v", found[0])
	}
	dissolved := s.Dissolve(func(i int) string { return s.Faces[i].Parent })
	if dissolved.Len() != a.Len() {
		t.Errorf("%d ANCs made of SMDs", dissolved.Len())
	}
	found := Nests(a, w, 0)
	g := newPostGIS(t)
	g.load("ward", wards(t))
	g.load("anc", ancs(t))
	g.exec("CREATE TABLE whole AS SELECT (SELECT ST_Union(geom) FROM ward) AS wards, (SELECT ST_Union(geom) FROM anc) AS ancs")
	split := map[string]string{}
	for _, f := range found {
		var want float64
		at := f.Place
		hair := defaultToleranceM
		for _, code := range f.Codes {
			if i := a.Index(code); i >= 0 {
				hair *= perimeterM(a.Shape(i)[0][0])
			} else if len(f.Codes) == 1 {
				hair *= perimeterM(w.Shape(w.Index(code))[0][0])
			}
		}
		switch {
		case f.Kind == Gap:
			want = g.number("SELECT "+flat(at, "ST_Difference(geom, ancs)")+" FROM ward, whole WHERE code = $1", f.Codes[0])
		case len(f.Codes) == 1:
			want = g.number("SELECT "+flat(at, "ST_Difference(geom, wards)")+" FROM anc, whole WHERE code = $1", f.Codes[0])
		default:
			want = g.number("SELECT "+flat(at, "ST_Intersection(a.geom, w.geom)")+" FROM anc a, ward w WHERE a.code = $1 AND w.code = $2", f.Codes[0], f.Codes[1])
			if f.AreaM2 > 10_000 {
				split[f.Codes[0]] += f.Codes[1]
			}
		}
		if math.Abs(f.AreaM2-want) > hair+1e-6*want {
			t.Errorf("%s %v: %v m², PostGIS measures %v (± %v)", f.Kind, f.Codes, f.AreaM2, want, hair)
		}
	}
	if want := map[string]string{"3G": "3", "6D": "2"}; !reflect.DeepEqual(split, want) {
		t.Errorf("split by wards: %v, want %v", split, want)
	}
}

func TestDamageOfWashingtonIsFoundInFull(t *testing.T) {
	clean := smds(t)
	c := mustBeClean(t, clean)
	whole := wholeOf(c)
	all := newPostGIS(t)
	all.load("clean", clean)
	all.load("whole", whole.Polygons())
	eachSeed(t, soak.Or(6, 200), func(t *testing.T, rng *rand.Rand) {
		if rng.IntN(5) == 0 {
			t.Log("one copied")
			checkCopy(t, rng, c)
			return
		}
		what, d := someDamage(rng, c, whole)
		t.Log(what)
		d.check(all.on(t))
	})
}
