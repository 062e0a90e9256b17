package coverage

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/soak"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// postgis is the independent judge.
type postgis struct {
	t    *testing.T
	pool *pgxpool.Pool
}

func newPostGIS(t *testing.T) *postgis {
	t.Helper()
	return &postgis{t: t, pool: pgtest.New(t)}
}

// on is the same judge for a subtest.
func (g *postgis) on(t *testing.T) *postgis { return &postgis{t: t, pool: g.pool} }

func (g *postgis) exec(sql string, args ...any) {
	g.t.Helper()
	if _, err := g.pool.Exec(context.Background(), sql, args...); err != nil {
		g.t.Fatalf("%v\n%s", err, sql)
	}
}

func (g *postgis) number(sql string, args ...any) float64 {
	g.t.Helper()
	var v float64
	if err := g.pool.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		g.t.Fatalf("%v\n%s", err, sql)
	}
	return v
}

func (g *postgis) texts(sql string, args ...any) []string    { return column[string](g, sql, args...) }
func (g *postgis) numbers(sql string, args ...any) []float64 { return column[float64](g, sql, args...) }

func column[T any](g *postgis, sql string, args ...any) []T {
	g.t.Helper()
	rows, err := g.pool.Query(context.Background(), sql, args...)
	if err != nil {
		g.t.Fatalf("%v\n%s", err, sql)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		g.t.Fatalf("%v\n%s", err, sql)
	}
	return out
}

// load fills a table face(code, geom).
func (g *postgis) load(table string, polygons []Polygon) {
	g.t.Helper()
	g.exec(fmt.Sprintf("DROP TABLE IF EXISTS %s", table))
	g.exec(fmt.Sprintf("CREATE TABLE %s (code text, geom geometry(MultiPolygon, 4326))", table))
	batch := &pgx.Batch{}
	for _, p := range polygons {
		batch.Queue(fmt.Sprintf("INSERT INTO %s VALUES ($1, ST_GeomFromWKB($2, 4326))", table), p.Code, wkb.MustMarshal(p.Shape))
	}
	if err := g.pool.SendBatch(context.Background(), batch).Close(); err != nil {
		g.t.Fatal(err)
	}
	g.exec(fmt.Sprintf("CREATE INDEX ON %s USING gist (geom)", table))
	g.exec("ANALYZE " + table)
}

// flat is an SQL expression: the area in m² of a small geometry, in an equal-area projection about its own middle. Edges
// are cut short first, as they are straight in lon/lat and not there.
func flat(at orb.Point, geom string) string {
	return fmt.Sprintf("ST_Area(ST_Transform(ST_Segmentize(%s, 0.0001), '+proj=laea +lat_0=%.6f +lon_0=%.6f +ellps=GRS80 +units=m'))", geom, at[1], at[0])
}

// agrees checks a coverage without refused findings: valid faces, no common interiors, areas that add up to the union.
func (g *postgis) agrees(c *Coverage) {
	g.t.Helper()
	g.load("face", c.Polygons())
	for _, bad := range g.texts("SELECT code || ': ' || ST_IsValidReason(geom) FROM face WHERE NOT ST_IsValid(geom) ORDER BY code") {
		g.t.Errorf("invalid: %s", bad)
	}
	for _, bad := range g.texts(`SELECT a.code || ' and ' || b.code FROM face a JOIN face b ON a.code < b.code AND a.geom && b.geom
		WHERE ST_Relate(a.geom, b.geom, 'T********') OR ST_Overlaps(a.geom, b.geom)
			OR ST_Area(ST_CollectionExtract(ST_Intersection(a.geom, b.geom), 3)) > 0 ORDER BY 1`) {
		g.t.Errorf("overlap: %s", bad)
	}
	sum, union := g.number("SELECT sum(ST_Area(geom)) FROM face"), g.number("SELECT ST_Area(ST_Union(geom)) FROM face")
	if math.Abs(sum-union) > 1e-9*union {
		g.t.Errorf("areas add up to %v square degrees, their union has %v", sum, union)
	}
	var ours float64
	measured := g.numbers("SELECT ST_Area(geom::geography) FROM face ORDER BY code COLLATE \"C\"")
	for i, theirs := range measured {
		ours += c.AreaM2(i)
		if math.Abs(c.AreaM2(i)-theirs) > 0.005*theirs {
			g.t.Errorf("%s has %v m², PostGIS says %v", c.Faces[i].Code, c.AreaM2(i), theirs)
		}
	}
	if theirs := g.number("SELECT ST_Area(ST_Union(geom)::geography) FROM face"); math.Abs(ours-theirs) > 0.005*theirs {
		g.t.Errorf("all have %v m², PostGIS says %v", ours, theirs)
	}
}

// Fields coloured at random and dissolved: faces with holes, of several parts, that touch themselves and each other in
// corners. PostGIS's union of the fields says what each must be.
func TestDissolvedColoursAgreeWithPostGIS(t *testing.T) {
	all := newPostGIS(t)
	eachSeed(t, soak.Or(12, 300), func(t *testing.T, rng *rand.Rand) {
		g := all.on(t)
		s := randomSubdivision(rng)
		c := mustBeClean(t, s.fields())
		colours := make([]string, c.Len())
		for i := range colours {
			colours[i] = []string{"", "red", "green", "blue"}[rng.IntN(4)]
		}
		d := c.Dissolve(func(i int) string { return colours[i] })
		g.agrees(d)
		fields := s.fields()
		for i := range fields {
			fields[i].Code = colours[i]
		}
		g.load("field", fields)
		for _, bad := range g.texts(`SELECT colour.code FROM (SELECT code, ST_Union(geom) AS geom FROM field WHERE code <> '' GROUP BY code) colour
			FULL JOIN face USING (code) WHERE (ST_Equals(colour.geom, face.geom)) IS NOT TRUE`) {
			t.Errorf("%s is not the union of its fields", bad)
		}
		given := map[orb.Point]bool{}
		for _, f := range fields {
			for _, p := range f.Shape[0][0] {
				given[p] = true
			}
		}
		for _, a := range d.Arcs {
			for _, p := range a.Points {
				if !given[p] {
					t.Fatalf("vertex %v was in no field", p)
				}
			}
		}
		if found := Nests(c, d, 0); colours[0] != "" && len(found) > 0 && found[0].Kind != OutOfParent {
			t.Errorf("dissolved parents leave a gap: %+v", found[0])
		}
	})
}

// What PostGIS calls invalid has a finding, and what comes out of any soup is valid.
func TestSoupAgreesWithPostGIS(t *testing.T) {
	all := newPostGIS(t)
	eachSeed(t, soak.Or(12, 300), func(t *testing.T, rng *rand.Rand) {
		g := all.on(t)
		polygons := soup(rng, orb.Point{120, 30}, 1+rng.IntN(6), 3+rng.IntN(6), 50, []float64{0, 1}[rng.IntN(2)])
		g.load("soup", polygons)
		c, findings := mustBuild(t, polygons, Options{})
		told := map[string]bool{}
		for _, f := range findings {
			for _, code := range f.Codes {
				told[code] = true
			}
		}
		for _, bad := range g.texts("SELECT code FROM soup WHERE NOT ST_IsValid(geom) ORDER BY code") {
			if !told[bad] {
				t.Errorf("%s is invalid and was not told", bad)
			}
		}
		g.agrees(c)
	})
}
