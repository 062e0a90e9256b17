package tilebench

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/cube"
)

// tables are what Prepare makes: raw points as one keeps them, with their mercator point at hand so that no row has to be
// transformed; and the same rows by the cube's code (62 of its bits, to fit a bigint), for index-only scans.
var tables = []string{
	`DROP SCHEMA IF EXISTS tilebench CASCADE`,
	`CREATE SCHEMA tilebench`,
	`CREATE TABLE tilebench.point (num integer, item smallint, kind smallint, source smallint, at integer, geom geometry(Point, 3857))`,
	`CREATE TABLE tilebench.code (num integer, item smallint, kind smallint, source smallint, at integer, code bigint)`,
}

var indexes = []string{
	`CREATE INDEX ON tilebench.point USING gist (geom)`,
	`CREATE INDEX ON tilebench.point (item, at)`,
	`CREATE INDEX ON tilebench.code (item, code) INCLUDE (at, num, kind, source)`,
	`CREATE INDEX ON tilebench.code (code) INCLUDE (at, item)`,
	`VACUUM (ANALYZE, FREEZE) tilebench.point`,
	`VACUUM (ANALYZE, FREEZE) tilebench.code`,
}

// Prepare writes the rows into tables of the rivals' in a schema of its own, `tilebench`, which it replaces, with their
// indexes, vacuumed and analysed. Drop takes it away.
func Prepare(ctx context.Context, pool *pgxpool.Pool, rows iter.Seq[cube.Row]) error {
	for _, statement := range tables {
		if _, err := pool.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `CREATE TEMPORARY TABLE raw (num integer, item smallint, kind smallint, source smallint, at integer, x double precision, y double precision, code bigint)`); err != nil {
		return err
	}
	next, stop := iter.Pull(rows)
	defer stop()
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"raw"}, []string{"num", "item", "kind", "source", "at", "x", "y", "code"},
		pgx.CopyFromFunc(func() ([]any, error) {
			r, ok := next()
			if !ok {
				return nil, nil
			}
			x, y := mercator(r.Lon, r.Lat)
			return []any{
				int32(r.Num), int16(r.Item), int16(r.Kind), int16(r.Source), int32(r.At), (x - 0.5) * world, (0.5 - y) * world,
				int64(interleave(uint32(x*(1<<31)), uint32(y*(1<<31)))),
			}, nil
		}))
	if err != nil {
		return err
	}
	for _, statement := range append([]string{
		`INSERT INTO tilebench.point SELECT num, item, kind, source, at, ST_SetSRID(ST_MakePoint(x, y), 3857) FROM raw`,
		`INSERT INTO tilebench.code SELECT num, item, kind, source, at, code FROM raw ORDER BY item, code`,
		`DROP TABLE raw`,
	}, indexes...) {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// Drop removes what Prepare made.
func Drop(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, `DROP SCHEMA IF EXISTS tilebench CASCADE`)
	return err
}

const world = 2 * math.Pi * 6378137 // sides of the web-mercator square in its metres

func mercator(lon, lat float64) (x, y float64) {
	return (lon + 180) / 360, 0.5 - math.Atanh(math.Sin(lat*math.Pi/180))/(2*math.Pi)
}

func interleave(x, y uint32) (code uint64) {
	for bit := range 31 {
		code |= uint64(x>>bit&1)<<(2*bit) | uint64(y>>bit&1)<<(2*bit+1)
	}
	return code
}

// statement is one rival's text and its arguments for a request.
type statement struct {
	text      string
	arguments func(Request) []any
}

func items(r Request) []int16 {
	list := make([]int16, len(r.Filter.Items))
	for i, item := range r.Filter.Items {
		list[i] = int16(item)
	}
	return list
}

// itemIs is the condition on the item: written for each kind of request, since a condition that covers all of them
// ($n IS NULL OR …) would hide the index from the planner.
func itemIs(p Pick) string {
	switch p {
	case OneItem:
		return "AND item = ($6::smallint[])[1]"
	case EightItems:
		return "AND item = ANY ($6::smallint[])"
	}
	return "AND $6::smallint[] IS NOT NULL"
}

// usualText is what one writes for pg_tileserv as a function layer, or for tegola as a layer's SQL: the tile's envelope
// selects raw points, a window and items filter them, cells count them, ST_AsMVTGeom and ST_AsMVT make the tile. What && finds
// beyond the envelope, by the rounding of its boxes, falls out as a cell that the tile does not have.
const usualText = `
WITH tile AS MATERIALIZED (
	SELECT envelope, ST_XMin(envelope) AS west, ST_YMax(envelope) AS north, (ST_XMax(envelope) - ST_XMin(envelope)) / 64 AS side
	FROM ST_TileEnvelope($1::integer, $2::integer, $3::integer) AS envelope
), cell AS (
	SELECT floor((ST_X(geom) - west) / side) AS cx, floor((north - ST_Y(geom)) / side) AS cy, count(*) AS n
	FROM tilebench.point, tile
	WHERE geom && ST_TileEnvelope($1::integer, $2::integer, $3::integer) AND at >= $4::integer AND at < $5::integer %s
	GROUP BY 1, 2
	HAVING floor((ST_X(geom) - west) / side) BETWEEN 0 AND 63 AND floor((north - ST_Y(geom)) / side) BETWEEN 0 AND 63
), feature AS (
	SELECT ST_AsMVTGeom(square, envelope, 4096, 64, true) AS geom, n AS count,
		n / (side * side / 1e6 * cos(radians(ST_Y(ST_Transform(ST_Centroid(square), 4326)))) ^ 2) AS per_km2
	FROM cell, tile, LATERAL ST_MakeEnvelope(west + cx * side, north - (cy + 1) * side, west + (cx + 1) * side, north - cy * side, 3857) AS square
)
SELECT ST_AsMVT(feature, 'heat', 4096, 'geom') FROM feature`

// bestText counts along the index and writes squares in tile units, so that nothing has to be clipped or transformed. The
// density is the row's, by a power series' first term: the cosine at the tile's middle.
const bestText = `
SELECT ST_AsMVT(feature, 'heat', 4096, 'geom') FROM (
	SELECT ST_MakeEnvelope(cx * 64, cy * 64, cx * 64 + 64, cy * 64 + 64) AS geom, n AS count, n * $4::double precision AS per_km2
	FROM (
		SELECT (cell & 1) | ((cell >> 1) & 2) | ((cell >> 2) & 4) | ((cell >> 3) & 8) | ((cell >> 4) & 16) | ((cell >> 5) & 32) AS cx,
			((cell >> 1) & 1) | ((cell >> 2) & 2) | ((cell >> 3) & 4) | ((cell >> 4) & 8) | ((cell >> 5) & 16) | ((cell >> 6) & 32) AS cy, n
		FROM (
			SELECT ((code >> $3::integer) & 4095)::integer AS cell, count(*) AS n
			FROM tilebench.code
			WHERE code >= $1::bigint AND code < $2::bigint AND at >= $5::integer AND at < $7::integer %s
			GROUP BY 1
		) AS counted
	) AS placed
) AS feature`

// bestPointsText draws the tile's first 20,000 reports in the index's order.
const bestPointsText = `
SELECT ST_AsMVT(feature, 'reports', 4096, 'geom', 'num') FROM (
	SELECT ST_MakePoint(
			(code & 1) | ((code >> 1) & 2) | ((code >> 2) & 4) | ((code >> 3) & 8) | ((code >> 4) & 16) | ((code >> 5) & 32)
			| ((code >> 6) & 64) | ((code >> 7) & 128) | ((code >> 8) & 256) | ((code >> 9) & 512) | ((code >> 10) & 1024) | ((code >> 11) & 2048),
			((code >> 1) & 1) | ((code >> 2) & 2) | ((code >> 3) & 4) | ((code >> 4) & 8) | ((code >> 5) & 16) | ((code >> 6) & 32)
			| ((code >> 7) & 64) | ((code >> 8) & 128) | ((code >> 9) & 256) | ((code >> 10) & 512) | ((code >> 11) & 1024) | ((code >> 12) & 2048)
		) AS geom, num, item, kind, source, at
	FROM (
		SELECT code >> $3::integer AS code, num, item, kind, source, at
		FROM tilebench.code
		WHERE code >= $1::bigint AND code < $2::bigint AND at >= $5::integer AND at < $7::integer AND $4::double precision > 0 %s
		LIMIT 20000
	) AS found
) AS feature`

func usualSQL(p Pick) statement {
	return statement{fmt.Sprintf(usualText, itemIs(p)), func(r Request) []any {
		return []any{int32(r.Address.Z), int32(r.Address.X), int32(r.Address.Y), int32(r.Filter.From), int32(r.Filter.To), items(r)}
	}}
}

func bestSQL(k Case) func(Pick) statement {
	text, unitBits := bestText, uint32(6)
	if k.Layer == Reports {
		text, unitBits = bestPointsText, 12
	}
	return func(p Pick) statement {
		return statement{fmt.Sprintf(text, itemIs(p)), func(r Request) []any {
			a := r.Address
			first := int64(interleave(a.X, a.Y)) << (62 - 2*a.Z)
			y := (float64(a.Y) + 0.5) / math.Exp2(float64(a.Z))
			sideM := world / math.Exp2(float64(a.Z+6)) / math.Cosh(math.Pi*(1-2*y))
			return []any{
				first, first + int64(1)<<(62-2*a.Z), int32(62 - 2*(a.Z+unitBits)), 1e6 / (sideM * sideM),
				int32(r.Filter.From), items(r), int32(r.Filter.To),
			}
		}}
	}
}

// explain is the plan of a request as it ran.
func (c *Config) explain(ctx context.Context, of func(Pick) statement, k Case, r Request) (string, error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	st := of(k.Pick)
	rows, err := conn.Query(ctx, "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) "+st.text, st.arguments(r)...)
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(lines, "\n"), err
}
