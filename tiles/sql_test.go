package tiles

import (
	"context"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/cube"
	"gridgov/internal/postgres/pgtest"
)

// reportTable copies rows into a table, where SQL recounts them.
func reportTable(t *testing.T, pool *pgxpool.Pool, rows []cube.Row) {
	t.Helper()
	ctx := context.Background()
	_, err := pool.Exec(ctx, `CREATE TABLE report (num integer PRIMARY KEY, lon double precision, lat double precision,
		at bigint, item integer, kind integer, source integer)`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.CopyFrom(ctx, pgx.Identifier{"report"}, []string{"num", "lon", "lat", "at", "item", "kind", "source"},
		pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
			r := rows[i]
			return []any{int32(r.Num), r.Lon, r.Lat, int64(r.At), int32(r.Item), int32(r.Kind), int32(r.Source)}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
}

// The heat of all tiles of a zoom is what SQL counts by the cell's formula in doubles, and its density is the count by the
// area that PostGIS gives the cell on the ellipsoid.
func TestHeatAgreesWithSQL(t *testing.T) {
	ctx := context.Background()
	pool := pgtest.New(t)
	rows := sample(8, 30_000)
	reportTable(t, pool, rows)
	view := load(rows)
	var m Maker
	f := cube.Filter{Items: []uint16{2, 3}, Sources: 0b011111, From: 1_705_000_000, To: 1_740_000_000}
	for _, z := range []uint32{8, 10, 12, 14} {
		got := map[[2]uint32]heatCell{}
		asked := map[Address]bool{}
		for _, r := range rows {
			x, y := cellOf(r, z)
			a := Address{z, x / 64, y / 64}
			if asked[a] {
				continue
			}
			asked[a] = true
			for _, c := range heatCells(t, m.Heat(nil, view, a, f), a) {
				got[c.cell] = c
			}
		}
		const query = `
			SELECT x, y, n, n / (ST_Area(ST_Transform(ST_MakeEnvelope(
				-w + x * s, w - (y + 1) * s, -w + (x + 1) * s, w - y * s, 3857), 4326)::geography) / 1e6)
			FROM (
				SELECT floor((lon + 180) / 360 * 2.0 ^ $1)::bigint AS x,
					greatest(0, least(2.0 ^ $1 - 1, floor((0.5 - ln(tan(pi() / 4 +
						greatest(-85.05112877980659, least(85.05112877980659, lat)) * pi() / 360)) / (2 * pi())) * 2.0 ^ $1)))::bigint AS y,
					count(*) AS n
				FROM report
				WHERE item IN (2, 3) AND source < 5 AND at >= $2 AND at < $3
				GROUP BY 1, 2
			) cell, (VALUES (20037508.342789244, 2 * 20037508.342789244 / 2.0 ^ $1)) AS world (w, s)`
		found, err := pool.Query(ctx, query, float64(z+6), int64(f.From), int64(f.To))
		if err != nil {
			t.Fatal(err)
		}
		var x, y, n int64
		var density float64
		_, err = pgx.ForEachRow(found, []any{&x, &y, &n, &density}, func() error {
			cell := [2]uint32{uint32(x), uint32(y)}
			c := got[cell]
			if c.count != uint64(n) {
				t.Errorf("zoom %d, cell %v: %d reports, SQL counts %d", z, cell, c.count, n)
			}
			// PostGIS's sides are geodesics where ours are parallels, which shows in wide cells near the poles only.
			if rel := float64(c.perKM2)/density - 1; math.Abs(rel) > 1e-4 {
				t.Errorf("zoom %d, cell %v: %v reports by km², PostGIS says %v", z, cell, c.perKM2, density)
			}
			delete(got, cell)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 0 {
			t.Errorf("zoom %d: %d cells that SQL does not have, such as %v", z, len(got), got)
		}
	}
}

// Points and histogram answer as SQL does.
func TestPointsAndHistogramAgreeWithSQL(t *testing.T) {
	ctx := context.Background()
	pool := pgtest.New(t)
	rows := sample(9, 20_000)
	reportTable(t, pool, rows)
	view := load(rows)
	f := cube.Filter{Kinds: 0b110, From: 1_705_000_000}
	edges := []uint32{1_700_000_000, 1_705_086_400, 1_710_000_000, 1_710_003_600, 1_740_000_000}
	for i, got := range view.Histogram(f, nil, edges) {
		var want uint64
		err := pool.QueryRow(ctx, `SELECT count(*) FROM report WHERE kind IN (1, 2) AND at >= 1705000000 AND at >= $1 AND at < $2`,
			int64(edges[i]), int64(edges[i+1])).Scan(&want)
		if err != nil || got != want {
			t.Errorf("bucket %d: %d, SQL counts %d, %v", i, got, want, err)
		}
	}
	var m Maker
	x, y := cellOf(rows[1], 12)
	a := Address{12, x / 64, y / 64}
	tile, _ := m.Reports(nil, view, a, f, names)
	var nums []int64
	for _, feature := range decodeLayers(t, tile)["reports"].features {
		nums = append(nums, int64(feature.id))
	}
	var missing, extra int
	err := pool.QueryRow(ctx, `
		WITH tile AS (SELECT ST_Transform(ST_TileEnvelope(12, $1, $2), 4326) AS box),
		inside AS (
			SELECT num FROM report, tile
			WHERE kind IN (1, 2) AND at >= 1705000000 AND lon >= ST_XMin(box) AND lon < ST_XMax(box) AND lat > ST_YMin(box) AND lat <= ST_YMax(box)
		)
		SELECT (SELECT count(*) FROM inside WHERE num <> ALL ($3::bigint[])),
			(SELECT count(*) FROM unnest($3::bigint[]) AS drawn (num) WHERE num NOT IN (SELECT num FROM inside))`,
		int32(a.X), int32(a.Y), nums).Scan(&missing, &extra)
	if err != nil || missing+extra > 0 || len(nums) < 100 {
		t.Errorf("of %d points drawn, SQL misses %d and has %d others, %v", len(nums), extra, missing, err)
	}
}
