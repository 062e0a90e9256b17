package placement_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"gridgov/internal/placement"
	"gridgov/internal/placement/madeup"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/soak"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// store puts the faces into table face.
func store(t testing.TB, pool *pgxpool.Pool, faces []placement.Face) {
	t.Helper()
	ctx := context.Background()
	for _, sql := range []string{
		`CREATE TABLE face (code text COLLATE "C" PRIMARY KEY, geom geometry NOT NULL)`,
		`ALTER TABLE face ALTER geom SET STORAGE EXTERNAL`, // not to decompress a ward for each point
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	batch := &pgx.Batch{}
	for _, f := range faces {
		bytes, err := wkb.Marshal(f.Shape)
		if err != nil {
			t.Fatal(err)
		}
		batch.Queue(`INSERT INTO face VALUES ($1, ST_GeomFromWKB($2))`, f.Code, bytes)
	}
	if err := pool.SendBatch(ctx, batch).Close(); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`CREATE INDEX ON face USING gist (geom)`, `ANALYZE face`} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
}

// ask runs a query over the points, which are in table pt (n, geom), and returns the text column by n.
func ask(t testing.TB, pool *pgxpool.Pool, points []orb.Point, query string) []string {
	t.Helper()
	ctx := context.Background()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, sql := range []string{`DROP TABLE IF EXISTS pt`, `CREATE TEMP TABLE pt (n int, x float8, y float8)`} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"pt"}, []string{"n", "x", "y"},
		pgx.CopyFromSlice(len(points), func(i int) ([]any, error) { return []any{i, points[i][0], points[i][1]}, nil }))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(points))
	var n int
	var code *string
	if _, err = pgx.ForEachRow(rows, []any{&n, &code}, func() error {
		if code != nil {
			out[n] = *code
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// covers is the sentence that placement has to equal.
const covers = `SELECT p.n, (SELECT f.code FROM face f WHERE ST_Covers(f.geom, ST_MakePoint(p.x, p.y)) ORDER BY f.code LIMIT 1) FROM pt p`

// relates asks GEOS, whose orientation is exact to twice the precision of a double.
const relates = `SELECT p.n, (SELECT f.code FROM face f WHERE f.geom && ST_MakePoint(p.x, p.y)
	AND ST_Relate(f.geom, ST_MakePoint(p.x, p.y), '******FF*') ORDER BY f.code LIMIT 1) FROM pt p`

func index(t testing.TB, faces []placement.Face) *placement.Index {
	t.Helper()
	x, err := placement.New([]placement.Level{{Role: "grid", Faces: faces}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func codeAt(x *placement.Index, p orb.Point) string {
	n := x.At(p)[0]
	if n < 0 {
		return ""
	}
	return x.Codes(0)[n]
}

// tally counts what compare saw.
type tally struct{ points, found, cracks, rim int }

// compare holds At against PostGIS: equal wherever PostGIS names a face. Where it names none, At names one just in a crack:
// the face that GEOS finds there. A point that GEOS finds in a face, and PostGIS and At in none, must be at the rim.
func compare(t *testing.T, x *placement.Index, town madeup.Town, pool *pgxpool.Pool, points []orb.Point) (c tally) {
	t.Helper()
	want := ask(t, pool, points, covers)
	var doubtful []orb.Point
	for i, p := range points {
		got := codeAt(x, p)
		c.points++
		if want[i] != "" {
			c.found++
			if got != want[i] {
				t.Errorf("(%v, %v): placed in %q, PostGIS says %q", p[0], p[1], got, want[i])
			}
			continue
		}
		if got != "" || len(points) < 300_000 {
			doubtful = append(doubtful, p)
		}
	}
	if len(doubtful) == 0 {
		return c
	}
	exact := ask(t, pool, doubtful, relates)
	for i, p := range doubtful {
		got := codeAt(x, p)
		switch {
		case got != exact[i] && got != "":
			t.Errorf("(%v, %v): placed in %q, PostGIS says none and GEOS %q", p[0], p[1], got, exact[i])
		case got != "":
			c.cracks++
		case exact[i] != "":
			c.rim++
			if !atRim(town, p) {
				t.Errorf("(%v, %v): placed nowhere between faces, GEOS says %q", p[0], p[1], exact[i])
			}
		}
	}
	return c
}

// atRim tells whether p is within a few ulps of an edge of the rim.
func atRim(t madeup.Town, p orb.Point) bool {
	for _, e := range t.Rim {
		a, b := e[0], e[1]
		const d = 1e-12
		if p[0] < min(a[0], b[0])-d || p[0] > max(a[0], b[0])+d || p[1] < min(a[1], b[1])-d || p[1] > max(a[1], b[1])+d {
			continue
		}
		across := (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0])
		if across*across <= d*d*((b[0]-a[0])*(b[0]-a[0])+(b[1]-a[1])*(b[1]-a[1])) {
			return true
		}
	}
	return false
}

func TestEqualsPostGISInMadeUpTowns(t *testing.T) {
	n := soak.Or(1_000, 200_000)
	for _, c := range []struct {
		name string
		plan madeup.Plan
	}{
		{"a town of short edges", madeup.Plan{West: 120.3, South: 30.2, CellDeg: 0.01, Columns: 24, Rows: 18, Bends: 9}},
		{"few long edges", madeup.Plan{West: 119, South: 29, CellDeg: 0.7, Columns: 4, Rows: 3, Bends: 1}},
		{"around the origin", madeup.Plan{West: -0.03, South: -0.02, CellDeg: 0.01, Columns: 6, Rows: 5, Bends: 4}},
		{"large and rough, west and south", madeup.Plan{West: -70, South: -35, CellDeg: 5, Columns: 6, Rows: 5, Bends: 3, Plain: true}},
		{"metres across", madeup.Plan{West: 120.3, South: 30.2, CellDeg: 1e-6, Columns: 7, Rows: 7, Bends: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			town := madeup.New(1, c.plan)
			x, pool := index(t, town.Faces), pgtest.New(t)
			store(t, pool, town.Faces)
			rng := rand.New(rand.NewPCG(2, 3))
			var points []orb.Point
			points = append(points, town.Random(rng, n)...)
			points = append(points, town.Vertices(rng, n)...)
			points = append(points, town.Level(rng, n)...)
			edge := town.OnEdges(rng, n)
			points = append(points, edge...)
			points = append(points, madeup.Ulps(rng, edge)...)
			points = append(points, madeup.Ulps(rng, town.Vertices(rng, n))...)
			points = append(points, madeup.Offsets(rng, edge)...)
			c := compare(t, x, town, pool, points)
			t.Logf("%+v of %d faces, %d edges, %d bytes", c, len(town.Faces), len(town.Edges), x.Bytes())
		})
	}
}

// Where longitude and latitude are near 0, doubles are finer than the differences that PostGIS computes with, and many
// points next to an edge are misjudged: torn out of both faces, or put into both. Elsewhere that is one in millions.
func TestPointsThatPostGISMisjudges(t *testing.T) {
	rng, pool := rand.New(rand.NewPCG(5, 6)), pgtest.New(t)
	var cracks, rim, twice, total int
	for range soak.Or(12, 300) {
		if _, err := pool.Exec(t.Context(), `DROP TABLE IF EXISTS face`); err != nil {
			t.Fatal(err)
		}
		// An edge that passes the origin within an ulp of its ends, and a triangle on either side.
		a := orb.Point{-0.1 - rng.Float64(), -0.1 - rng.Float64()}
		k := 0.3 + rng.Float64()
		b := orb.Point{-a[0] * k, -a[1] * k}
		pair := madeup.Of([]placement.Face{
			{Code: "west", Shape: orb.MultiPolygon{{{a, b, {a[0], b[1]}, a}}}},
			{Code: "east", Shape: orb.MultiPolygon{{{b, a, {b[0], a[1]}, b}}}},
		})
		points := make([]orb.Point, 1000)
		for i := range points {
			d := math.Pow(10, -14-4*rng.Float64())
			points[i] = orb.Point{(rng.Float64() - 0.5) * d, 0}
			points[i][1] = points[i][0]*a[1]/a[0] + (rng.Float64()-0.5)*1e-17
		}
		store(t, pool, pair.Faces)
		both := compare(t, index(t, pair.Faces), pair, pool, points)
		for _, n := range ask(t, pool, points, `SELECT p.n, count(*)::text FROM pt p JOIN face f ON ST_Covers(f.geom, ST_MakePoint(p.x, p.y)) GROUP BY p.n`) {
			if n == "2" {
				twice++
			}
		}
		alone := madeup.Of(pair.Faces[:1])
		if _, err := pool.Exec(context.Background(), `DELETE FROM face WHERE code = 'east'`); err != nil {
			t.Fatal(err)
		}
		one := compare(t, index(t, alone.Faces), alone, pool, points)
		if one.cracks != 0 {
			t.Errorf("%d cracks at the rim of a single face", one.cracks)
		}
		cracks, rim, total = cracks+both.cracks, rim+one.rim, total+len(points)
	}
	if cracks == 0 || rim == 0 || twice == 0 {
		t.Error("a kind of misjudged point was not met")
	}
	t.Logf("%d points: %d torn out of both faces, %d in both, %d torn out of one at a rim", total, cracks, twice, rim)
}
