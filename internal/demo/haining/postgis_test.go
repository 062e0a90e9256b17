package haining

import (
	"context"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb/encoding/wkb"

	"gridgov/internal/postgres/pgtest"
)

// TestPostGIS lets PostGIS judge: every polygon is valid, areas sum up, nothing overlaps, children cover their parents.
func TestPostGIS(t *testing.T) {
	p := plan(t)
	pool := pgtest.New(t)
	ctx := context.Background()
	if _, err := pool.Exec(ctx, `CREATE TABLE face (level text, code text, parent text, shape geometry(Polygon, 4490))`); err != nil {
		t.Fatal(err)
	}
	batch := &pgx.Batch{}
	for _, role := range roles {
		for _, d := range p.Level(role) {
			raw, err := wkb.Marshal(d.Shape)
			if err != nil {
				t.Fatal(err)
			}
			batch.Queue(`INSERT INTO face VALUES ($1, $2, $3, ST_GeomFromWKB($4, 4490))`, role, d.Code, d.Parent, raw)
		}
	}
	if err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() }); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`CREATE INDEX ON face USING gist (shape)`, `ANALYZE face`} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	count := func(sql string) (n int) {
		t.Helper()
		if err := pool.QueryRow(ctx, sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(`SELECT count(*) FROM face WHERE NOT ST_IsValid(shape)`); n != 0 {
		t.Errorf("%d invalid polygons", n)
	}
	if n := count(`SELECT count(*) FROM face a JOIN face b ON a.level = b.level AND a.code < b.code AND a.shape && b.shape
		WHERE ST_Relate(a.shape, b.shape, '2********')`); n != 0 {
		t.Errorf("%d pairs overlap", n)
	}
	if n := count(`SELECT count(*) FROM (SELECT parent, ST_Union(shape) u FROM face WHERE level <> 'city' GROUP BY parent) c
		JOIN face f ON f.code = c.parent WHERE NOT ST_Equals(c.u, f.shape)`); n != 0 {
		t.Errorf("%d parents are not the union of their children", n)
	}
	rows, err := pool.Query(ctx, `SELECT level, sum(ST_Area(shape::geography)) FROM face GROUP BY level`)
	if err != nil {
		t.Fatal(err)
	}
	areas := map[string]float64{}
	var level string
	var area float64
	if _, err := pgx.ForEachRow(rows, []any{&level, &area}, func() error { areas[level] = area; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, role := range roles {
		if math.Abs(areas[role]-areas["city"]) > 10 {
			t.Errorf("%s: %.1f m² of the city's %.1f", role, areas[role], areas["city"])
		}
	}
	if km2 := areas["city"] / 1e6; km2 < 845 || km2 > 875 {
		t.Errorf("the city has %.1f km², published are about 863", km2)
	}
}
