package tiles

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
)

const latticeSide = 8 // grids a side; villages are 2 × 2 of them, towns 4 × 4

// lattice is a small city: grids with crooked sides, the levels above dissolved from them.
func lattice(t testing.TB) []Level {
	t.Helper()
	west, south, step := 120.5, 30.35, 0.01
	corner := func(i, j int) orb.Point {
		return orb.Point{
			west + step*float64(i) + 0.001*math.Sin(float64(3*i+7*j)), south + step*float64(j) + 0.001*math.Cos(float64(5*i+2*j)),
		}
	}
	side := func(a, b orb.Point) []orb.Point { // from a on, without b; the same backwards
		const n = 12
		out := []orb.Point{a}
		for k := 1; k < n; k++ {
			f, wave := float64(k)/n, 0.0004*math.Sin(float64(k)*2.4)
			if b[0]+b[1] < a[0]+a[1] {
				f, wave = 1-float64(n-k)/n, 0.0004*math.Sin(float64(n-k)*2.4)
				p := orb.Point{b[0] + (a[0]-b[0])*(1-f), b[1] + (a[1]-b[1])*(1-f)}
				out = append(out, orb.Point{p[0] + wave, p[1] - wave})
				continue
			}
			p := orb.Point{a[0] + (b[0]-a[0])*f, a[1] + (b[1]-a[1])*f}
			out = append(out, orb.Point{p[0] + wave, p[1] - wave})
		}
		return out
	}
	sides := map[[4]int][]orb.Point{}
	between := func(i0, j0, i1, j1 int) []orb.Point {
		key := [4]int{i0, j0, i1, j1}
		if i1 < i0 || j1 < j0 {
			key = [4]int{i1, j1, i0, j0}
		}
		s, ok := sides[key]
		if !ok {
			s = append(side(corner(key[0], key[1]), corner(key[2], key[3])), corner(key[2], key[3]))
			sides[key] = s
		}
		if i1 < i0 || j1 < j0 {
			s = slices.Clone(s)
			slices.Reverse(s)
		}
		return s[:len(s)-1]
	}
	var polygons []coverage.Polygon
	for i := range latticeSide {
		for j := range latticeSide {
			ring := orb.Ring(slices.Concat(
				between(i, j, i+1, j), between(i+1, j, i+1, j+1), between(i+1, j+1, i, j+1), between(i, j+1, i, j)))
			polygons = append(polygons, coverage.Polygon{
				Code: fmt.Sprintf("c%d%d%d%d%d%d", i/4, j/4, i/2, j/2, i, j), Shape: orb.MultiPolygon{{append(ring, ring[0])}},
			})
		}
	}
	grids, err := coverage.FromFaces(polygons)
	if err != nil {
		t.Fatal(err)
	}
	prefix := func(n int) *coverage.Coverage {
		return grids.Dissolve(func(i int) string { return grids.Faces[i].Code[:n] })
	}
	var levels []Level
	for _, l := range []struct {
		role     string
		coverage *coverage.Coverage
		parent   int
	}{{"city", prefix(1), 0}, {"town", prefix(3), 1}, {"village", prefix(5), 3}, {"grid", grids, 5}} {
		level := Level{Role: l.role, Coverage: l.coverage}
		for _, f := range l.coverage.Faces {
			level.Units = append(level.Units, Unit{
				Code: f.Code, Name: "名" + f.Code, NameLatin: "Name " + f.Code, Parent: f.Code[:l.parent], Generated: l.role == "grid",
			})
		}
		levels = append(levels, level)
	}
	return levels
}

func newBoundaries(t testing.TB, levels []Level) *Boundaries {
	t.Helper()
	b, err := NewBoundaries(levels)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tilesOver lists the tiles of a zoom over a bound and one more on each side.
func tilesOver(b orb.Bound, z uint32) (list []Address) {
	n := math.Exp2(float64(z))
	lo, hi := mercator(orb.Point{b.Min[0], b.Max[1]}), mercator(orb.Point{b.Max[0], b.Min[1]})
	for x := math.Floor(lo.x*n) - 1; x <= math.Floor(hi.x*n)+1; x++ {
		for y := math.Floor(lo.y*n) - 1; y <= math.Floor(hi.y*n)+1; y++ {
			if x >= 0 && x < n && y >= 0 && y < n {
				list = append(list, Address{z, uint32(x), uint32(y)})
			}
		}
	}
	return list
}

func decodeLayers(t testing.TB, b []byte) map[string]tileLayer {
	t.Helper()
	layers, err := decodeTile(b)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]tileLayer{}
	for _, l := range layers {
		byName[l.name] = l
	}
	return byName
}

// Over the tiles of each zoom, each visible level has each label once, each face's polygons with its own properties, and
// nothing of the levels that are not yet visible.
func TestLevelsShowByZoom(t *testing.T) {
	levels := lattice(t)
	b := newBoundaries(t, levels)
	for _, z := range []uint32{0, 6, 7, 9, 10, 11, 12, 14, 17, 19} {
		labels, faces := map[string]int{}, map[string]bool{}
		for _, a := range tilesOver(b.Bound(), z) {
			for name, layer := range decodeLayers(t, b.Tile(nil, a)) {
				ids := map[uint64]bool{}
				for _, f := range layer.features {
					if ids[f.id] && name != "labels" {
						t.Fatalf("%+v: id %d twice in %s", a, f.id, name)
					}
					ids[f.id] = true
					code, _ := f.properties["code"].(string)
					switch name {
					case "borders":
						continue
					case "labels":
						labels[code]++
						p := f.lines[0][0]
						if p.x < 0 || p.x >= Extent || p.y < 0 || p.y >= Extent {
							t.Fatalf("label %s at %v", code, p)
						}
					default:
						if f.properties["level"] != name {
							t.Fatalf("%s in layer %s", code, name)
						}
						faces[code] = true
					}
					checkUnit(t, levels, f.properties)
				}
			}
		}
		want := 0
		for _, l := range levels {
			role := roles[slices.IndexFunc(roles[:], func(r Role) bool { return r.Name == l.Role })]
			if z < role.MinZoom {
				continue
			}
			want += len(l.Units)
			for _, u := range l.Units {
				if labels[u.Code] != 1 || z > 5 && !faces[u.Code] {
					t.Errorf("zoom %d: %s has %d labels, polygon %v", z, u.Code, labels[u.Code], faces[u.Code])
				}
			}
		}
		if len(labels) != want {
			t.Errorf("zoom %d: %d labels, want %d", z, len(labels), want)
		}
	}
}

func checkUnit(t *testing.T, levels []Level, got map[string]any) {
	t.Helper()
	for rank, l := range levels {
		if l.Role != got["level"] {
			continue
		}
		i := l.Coverage.Index(got["code"].(string))
		u := l.Units[i]
		want := map[string]any{
			"code": u.Code, "name": u.Name, "name_latin": u.NameLatin, "level": l.Role, "rank": uint64(rank), "generated": u.Generated,
		}
		if u.Parent != "" {
			want["parent"] = u.Parent
		}
		if fmt.Sprint(want) != fmt.Sprint(got) {
			t.Fatalf("%v, want %v", got, want)
		}
		return
	}
	t.Fatalf("no level of %v", got)
}

type edge [2]pixel

func edgeOf(p, q pixel) edge {
	if q.x < p.x || q.x == p.x && q.y < p.y {
		p, q = q, p
	}
	return edge{p, q}
}

// Each border is drawn once, with the highest level that it bounds: the sides of all polygons are the lines of `borders`.
func TestBordersAreDrawnOnce(t *testing.T) {
	b := newBoundaries(t, lattice(t))
	lines := 0
	for i, a := range tilesOver(b.Bound(), fullZoom) {
		if i%2 != 0 {
			continue
		}
		layers := decodeLayers(t, b.Tile(nil, a))
		drawn := map[edge]string{}
		for _, f := range layers["borders"].features {
			level := f.properties["level"].(string)
			for _, line := range f.lines {
				for k := 1; k < len(line); k++ {
					e := edgeOf(line[k-1], line[k])
					if other, twice := drawn[e]; twice {
						t.Fatalf("%+v: %v is drawn as %s and as %s", a, e, other, level)
					}
					drawn[e] = level
					lines++
				}
			}
		}
		highest := map[edge]string{}
		for _, role := range []string{"grid", "village", "town", "city"} { // upwards: the highest stays
			for _, f := range layers[role].features {
				for _, ring := range f.lines {
					for k, p := range ring {
						q := ring[(k+1)%len(ring)]
						if onSide := p.x == q.x && (p.x == -Buffer || p.x == Extent+Buffer) ||
							p.y == q.y && (p.y == -Buffer || p.y == Extent+Buffer); !onSide {
							highest[edgeOf(p, q)] = role
						}
					}
				}
			}
		}
		for e, role := range highest {
			if drawn[e] != role {
				t.Fatalf("%+v: side %v of a %s is drawn as %q", a, e, role, drawn[e])
			}
		}
		if len(highest) != len(drawn) {
			t.Fatalf("%+v: %d lines for %d sides", a, len(drawn), len(highest))
		}
	}
	if lines < 1000 {
		t.Errorf("only %d lines seen", lines)
	}
}

// The grids of a tile cover what the city covers of it, without gap and without overlap, at every zoom.
func TestLowerLevelsCoverTheUpperOnes(t *testing.T) {
	b := newBoundaries(t, lattice(t))
	for _, z := range []uint32{12, 13, 15, 18} {
		list := tilesOver(b.Bound(), z)
		stride := max(1, len(list)/150)
		for i := 0; i < len(list); i += stride {
			a := list[i]
			layers := decodeLayers(t, b.Tile(nil, a))
			areas := map[string]int64{}
			var sides int
			for name, l := range layers {
				for k := range l.features {
					if l.features[k].kind != typePolygon {
						continue
					}
					outer, inner := l.areas(&l.features[k])
					areas[name] += outer - inner
					for _, r := range l.features[k].lines {
						sides += len(r)
					}
				}
			}
			// Levels are simplified each by itself, by at most a quarter of a pixel.
			slack := int64(16 * (Extent + sides))
			if z >= fullZoom {
				slack = int64(2 * sides)
			}
			for _, name := range []string{"town", "village", "grid"} {
				if d := areas[name] - areas["city"]; d > slack || d < -slack {
					t.Errorf("%+v: twice the area of %s is %d, of the city %d", a, name, areas[name], areas["city"])
				}
			}
		}
	}
}

func TestBoundariesRefuseWrongLevels(t *testing.T) {
	levels := lattice(t)
	for _, c := range []struct {
		name   string
		levels []Level
	}{
		{"unknown role", []Level{{Role: "county", Coverage: levels[0].Coverage, Units: levels[0].Units}}},
		{"order", []Level{levels[1], levels[0]}},
		{"twice", []Level{levels[0], levels[0]}},
		{"units", []Level{{Role: "city", Coverage: levels[0].Coverage}}},
	} {
		if _, err := NewBoundaries(c.levels); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
}

func TestBoundaryTilesOfNothing(t *testing.T) {
	b := newBoundaries(t, lattice(t))
	for _, a := range []Address{{10, 0, 0}, {23, 0, 0}, {3, 8, 0}} {
		if got := b.Tile([]byte("kept"), a); string(got) != "kept" {
			t.Errorf("%+v has %d bytes", a, len(got))
		}
	}
	if got := newBoundaries(t, nil).Tile(nil, Address{}); len(got) != 0 {
		t.Errorf("a plan without levels makes %d bytes", len(got))
	}
}

func TestDocumentNamesTheLayersThatTilesHave(t *testing.T) {
	levels := lattice(t)
	b := newBoundaries(t, levels)
	doc := b.Document(Source{City: "haining", URL: "/haining/v1/tiles/jurisdictions/{z}/{x}/{y}"})
	described := map[string]VectorLayer{}
	for _, l := range doc.VectorLayers {
		described[l.ID] = l
	}
	seen := map[string]bool{}
	for z := range uint32(16) {
		for _, a := range tilesOver(b.Bound(), z) {
			for name, layer := range decodeLayers(t, b.Tile(nil, a)) {
				l, ok := described[name]
				if !ok || z < l.MinZoom {
					t.Fatalf("zoom %d: layer %s is not described", z, name)
				}
				seen[name] = true
				for key := range layer.features[0].properties {
					if !strings.Contains(l.Fields[key], ":") {
						t.Errorf("layer %s: field %s is not described", name, key)
					}
				}
			}
		}
	}
	if doc.TileJSON != "3.0.0" || doc.MinZoom != 0 || doc.MaxZoom != MaxZoom || doc.Bounds[0] > 120.51 || doc.Bounds[2] < 120.57 {
		t.Errorf("document %+v", doc)
	}
}

// A kept tile is the same as one made anew, whoever asks first, and many may ask at once.
func TestKeptBoundaryTilesAreTheSame(t *testing.T) {
	b := newBoundaries(t, lattice(t))
	v := mercator(b.Bound().Center())
	at := func(z int) Address {
		return Address{uint32(z), uint32(v.x * float64(uint32(1)<<z)), uint32(v.y * float64(uint32(1)<<z))}
	}
	var got [4][2 * (MaxZoom + 1)]Compressed
	var work sync.WaitGroup
	for w := range got {
		work.Go(func() {
			for i := range got[w] {
				got[w][i] = b.Compressed(at((i + w) % (MaxZoom + 1)))
			}
		})
	}
	work.Wait()
	for w := range got {
		for i, c := range got[w] {
			a := at((i + w) % (MaxZoom + 1))
			want := b.Tile(nil, a)
			if len(want) == 0 || c.ETag != ETag(want) || !bytes.Equal(unzip(t, c.Gzip), want) {
				t.Errorf("%v: the kept tile is another", a)
			}
		}
	}
	if got := b.Compressed(Address{12, 0, 0}); got.ETag != "" || got.Gzip != nil {
		t.Errorf("of nothing: %+v", got)
	}
}
