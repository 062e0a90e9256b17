package coverage

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/soak"
)

// reshape moves every vertex.
func reshape(shape orb.MultiPolygon, move func(orb.Point) orb.Point) orb.MultiPolygon {
	var out orb.MultiPolygon
	for _, poly := range shape {
		var rings orb.Polygon
		for _, ring := range poly {
			var moved orb.Ring
			for _, p := range ring {
				moved = append(moved, move(p))
			}
			rings = append(rings, moved)
		}
		out = append(out, rings)
	}
	return out
}

// damage is one face replaced by another shape, or dropped (empty).
type damage struct {
	clean *Coverage
	whole *Coverage // all of it in one face, the parent: no hole may pass for a lake, and no piece of the rim for nobody's land
	face  int
	shape orb.MultiPolygon
}

// away is how far a place is from what it is told for, in metres: for an overlap the farther of the two faces, for a gap the
// face as it was, or how deep it lies in the face as it is, for what is out of the parent the face as it is, or how deep it
// lies in the parent. Joining moves borders by up to the tolerance, which moves the end
// of a wedge thinner than that by much more along it; so not the wedge is asked, but the faces that make it.
// Distances are taken in the plane of lon and lat, stretched to metres by $5 and $6: geography would bend the edges.
const away = `WITH place AS (SELECT ST_Scale(ST_MakePoint($1::float8, $2::float8), $5::float8, $6::float8) AS geom),
		before AS (SELECT ST_Scale(ST_SetSRID(geom, 0), $5, $6) AS geom FROM clean WHERE code = CASE $4::text WHEN 'gap' THEN $3::text ELSE $4 END),
		now AS (SELECT ST_Scale(ST_SetSRID(geom, 0), $5, $6) AS geom FROM damaged WHERE code = $3),
		parent AS (SELECT ST_Scale(ST_SetSRID(geom, 0), $5, $6) AS geom FROM whole)
	SELECT greatest(
		(SELECT ST_Distance(before.geom, place.geom) FROM before, place),
		(SELECT CASE WHEN $4 <> 'gap' THEN ST_Distance(now.geom, place.geom)
			WHEN ST_Covers(now.geom, place.geom) THEN ST_Distance(ST_Boundary(now.geom), place.geom)
			ELSE 0 END FROM now, place),
		(SELECT CASE WHEN $4 = 'out' AND ST_Covers(parent.geom, place.geom) THEN ST_Distance(ST_Boundary(parent.geom), place.geom) ELSE 0 END FROM parent, place))`

// check builds with the damage and compares what was found with what PostGIS measures on the shapes: the overlap with each
// other face, the gap that is left and what is out of the parent, by area and place. What the tolerance may swallow is a hair
// along the outline. The tables clean and whole are there.
func (d damage) check(g *postgis) {
	t := g.t
	t.Helper()
	truth := d.clean.Polygons()
	for i := range truth {
		truth[i].Parent = "whole"
	}
	damaged := slices.Clone(truth)
	code := truth[d.face].Code
	damaged[d.face].Shape = d.shape
	if len(d.shape) == 0 {
		damaged = slices.Delete(damaged, d.face, d.face+1)
	}
	c, findings := mustBuild(t, damaged, Options{Upper: []*Coverage{d.whole}, Parent: d.whole})
	if len(findings) == 0 && !slices.Contains(d.clean.atRim(), d.face) { // beyond the rim nothing is joined or given away
		t.Fatal("nothing was found")
	}

	g.exec("DROP TABLE IF EXISTS damaged")
	g.load("damaged", []Polygon{{Code: code, Shape: d.shape}})
	at := d.clean.InnerPoint(d.face)
	g.exec("DROP TABLE IF EXISTS expected")
	g.exec(`CREATE TABLE expected AS
		SELECT f.code, ST_CollectionExtract(ST_Intersection(f.geom, d.geom), 3) AS geom
		FROM clean f, damaged d WHERE f.code <> d.code AND ST_Intersects(f.geom, d.geom)
		UNION ALL
		SELECT 'gap', ST_CollectionExtract(ST_Difference(f.geom, d.geom), 3) FROM clean f JOIN damaged d USING (code)
		UNION ALL
		SELECT 'out', ST_CollectionExtract(ST_Difference(d.geom, w.geom), 3) FROM damaged d, whole w`)
	hair := 0.0
	for _, poly := range d.clean.Shape(d.face) {
		for _, ring := range poly {
			hair += 2 * defaultToleranceM * perimeterM(ring)
		}
	}
	if len(d.shape) == 0 {
		hair = 0
	}
	found := map[string][]Finding{}
	for _, f := range findings {
		severity := Refused
		switch f.Kind {
		case Gap:
			if slices.Equal(f.Codes, []string{"whole"}) && f.AreaM2 < toldOutside*d.whole.AreaM2(0) { // at the rim
				severity = Warning
			}
			found["gap"] = append(found["gap"], f)
		case OutOfParent:
			if !slices.Equal(f.Codes, []string{code}) {
				t.Errorf("%v is out of its parent", f.Codes)
			} else if f.AreaM2 < toldOutside*c.AreaM2(c.Index(code)) {
				severity = Warning
			}
			found["out"] = append(found["out"], f)
		case Overlap:
			if len(f.Codes) != 2 || !slices.Contains(f.Codes, code) {
				t.Errorf("an overlap of %v", f.Codes)
				continue
			}
			other := f.Codes[0]
			if other == code {
				other = f.Codes[1]
			}
			found[other] = append(found[other], f)
		case Joined, Sliver, SelfCrossing:
			severity = Repaired
		default:
			t.Errorf("unexpected: %+v", f)
		}
		if f.Severity != severity {
			t.Errorf("not %s: %+v", severity, f)
		}
	}
	codes := g.texts("SELECT code FROM expected ORDER BY code")
	for _, other := range codes {
		want := g.number("SELECT coalesce(sum("+flat(at, "geom")+"), 0) FROM expected WHERE code = $1", other)
		var got float64
		for _, f := range found[other] {
			s := scaleAt(f.Place[1])
			got += f.AreaM2
			if off := g.number(away, f.Place[0], f.Place[1], code, other, s.lon, s.lat); off > 2*defaultToleranceM {
				t.Errorf("%s at %v is told %v m away from it", f.Kind, f.Place, off)
			}
		}
		if math.Abs(got-want) > hair+1e-6*want+1e-6 {
			t.Errorf("with %s: found %v m², PostGIS measures %v m² (± %v)", other, got, want, hair)
		}
		delete(found, other)
	}
	for other, f := range found {
		t.Errorf("with %s nothing should be: %+v", other, f)
	}
}

func wholeOf(c *Coverage) *Coverage { return c.Dissolve(func(int) string { return "whole" }) }

// atRim lists the faces that border on none somewhere.
func (c *Coverage) atRim() []int {
	var out []int
	for _, a := range c.Arcs {
		if f := max(a.Left, a.Right); min(a.Left, a.Right) < 0 {
			out = append(out, int(f))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// someDamage moves a face, makes it larger, smaller, or drops it, by 1 mm to 5 m. Every other time the face is at the rim.
func someDamage(rng *rand.Rand, c, whole *Coverage) (string, damage) {
	d := damage{clean: c, whole: whole, face: rng.IntN(c.Len()), shape: orb.MultiPolygon{}}
	if rim := c.atRim(); rng.IntN(2) == 0 {
		d.face = rim[rng.IntN(len(rim))]
	}
	shape := c.Shape(d.face)
	s := scaleAt(shape[0][0][0][1])
	byM := math.Pow(10, -3+rng.Float64()*math.Log10(5000))
	direction := rng.Float64() * 2 * math.Pi
	switch rng.IntN(4) {
	case 0:
		d.shape = reshape(shape, func(p orb.Point) orb.Point {
			return orb.Point{p[0] + byM*math.Cos(direction)/s.lon, p[1] + byM*math.Sin(direction)/s.lat}
		})
		return fmt.Sprintf("%s shifted by %.3g m", c.Faces[d.face].Code, byM), d
	case 1: // one vertex dragged away, the same all over when it comes twice
		ring := shape[0][0]
		at := ring[rng.IntN(len(ring)-1)]
		d.shape = reshape(shape, func(p orb.Point) orb.Point {
			if p != at {
				return p
			}
			return orb.Point{p[0] + byM*math.Cos(direction)/s.lon, p[1] + byM*math.Sin(direction)/s.lat}
		})
		return fmt.Sprintf("%s with a vertex dragged by %.3g m", c.Faces[d.face].Code, byM), d
	case 2: // swollen or shrunk about its middle
		b := shape.Bound()
		mid := b.Center()
		factor := 1 + byM/((b.Max[1]-b.Min[1])*s.lat)*float64(1-2*rng.IntN(2))
		d.shape = reshape(shape, func(p orb.Point) orb.Point {
			return orb.Point{mid[0] + (p[0]-mid[0])*factor, mid[1] + (p[1]-mid[1])*factor}
		})
		return fmt.Sprintf("%s scaled by %.7g", c.Faces[d.face].Code, factor), d
	}
	return c.Faces[d.face].Code + " dropped", d
}

func TestDamageIsFoundInFull(t *testing.T) {
	all := newPostGIS(t)
	eachSeed(t, soak.Or(20, 500), func(t *testing.T, rng *rand.Rand) {
		g := all.on(t)
		origin := orb.Point{rng.Float64()*340 - 170, rng.Float64()*140 - 70}
		s := newSubdivision(rng, origin, 4+rng.IntN(3), 4+rng.IntN(3), math.Pow(10, 2+rng.Float64()))
		c := mustBeClean(t, s.fields())
		whole := wholeOf(c)
		g.load("clean", c.Polygons())
		g.load("whole", whole.Polygons())
		what, d := someDamage(rng, c, whole)
		t.Log(what)
		d.check(g)
	})
}

func TestACopyOfAFaceIsFound(t *testing.T) {
	eachSeed(t, soak.Or(10, 200), func(t *testing.T, rng *rand.Rand) {
		checkCopy(t, rng, mustBeClean(t, randomSubdivision(rng).fields()))
	})
}

// checkCopy gives some face a second time, under a code that sorts before or after its own.
func checkCopy(t *testing.T, rng *rand.Rand, clean *Coverage) {
	t.Helper()
	n := rng.IntN(clean.Len())
	polygons := clean.Polygons()
	copied := polygons[n]
	copied.Code = []string{"!", "~"}[rng.IntN(2)] + copied.Code
	codes := []string{polygons[n].Code, copied.Code}
	slices.Sort(codes)
	c, findings := mustBuild(t, turned(rng, append(polygons, copied)), Options{})
	found, areaM2 := ofKind(findings, Duplicate)
	if len(found) != 1 || found[0].Severity != Refused || !slices.Equal(found[0].Codes, codes) || math.Abs(areaM2-clean.AreaM2(n)) > 1e-9*clean.AreaM2(n) {
		t.Fatalf("%v were found as %+v", codes, findings)
	}
	onOutline := false
	for _, poly := range clean.Shape(n) {
		for _, ring := range poly {
			onOutline = onOutline || slices.Contains(ring, found[0].Place)
		}
	}
	if !onOutline {
		t.Errorf("%v is no vertex of %s", found[0].Place, polygons[n].Code)
	}
	for _, f := range findings {
		if f.Kind != Duplicate && f.Severity != Repaired {
			t.Errorf("unexpected: %+v", f)
		}
	}
	if c.Len() != clean.Len() || c.Index(codes[0]) < 0 || c.Index(codes[1]) >= 0 {
		t.Errorf("%d of %d faces are left", c.Len(), clean.Len())
	}
}
