package tilebench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"gridgov/internal/bench/wire"
	"gridgov/tiles"
)

// BoundaryFigures are what boundary tiles measured, in tiles a second.
type BoundaryFigures struct {
	Ours, SQL, Over float64 // without any cache
	Served, OfFixed float64 // by the service, which keeps them, and as a part of the fixed body's rate
	Tiles           int     // compared with SQL's by their polygons
	Polygons        [2]int  // ours, SQL's
	OursBytes       float64 // mean size, uncompressed
	SQLBytes        float64
}

// boundaryText is the usual SQL of a plan: each level's polygons from its zoom on, and its labels. It has no borders of
// their own, which ours has besides.
const boundaryText = `
WITH tile AS MATERIALIZED (
	SELECT envelope, ST_Expand(envelope, (ST_XMax(envelope) - ST_XMin(envelope)) / 64) AS wide
	FROM ST_TileEnvelope($1::integer, $2::integer, $3::integer) AS envelope
)
SELECT coalesce(string_agg(layer, ''::bytea), ''::bytea) FROM (
	SELECT ST_AsMVT(polygon, polygon.level, 4096, 'geom') AS layer FROM (
		SELECT ST_AsMVTGeom(geom, envelope, 4096, 64, true) AS geom, code, name, name_latin, level, parent, generated
		FROM tilebench.face, tile WHERE geom && wide AND min_zoom <= $1::integer
	) AS polygon WHERE geom IS NOT NULL GROUP BY polygon.level
	UNION ALL
	SELECT ST_AsMVT(label, 'labels', 4096, 'geom') FROM (
		SELECT ST_AsMVTGeom(label, envelope, 4096, 0, true) AS geom, code, name, name_latin, level, parent, generated
		FROM tilebench.face, tile WHERE label && envelope AND min_zoom <= $1::integer
	) AS label WHERE geom IS NOT NULL HAVING count(*) > 0
) AS layers`

// PrepareBoundaries writes the faces of a plan's levels into a table of the rival's, in the schema that Prepare made or a new one.
func PrepareBoundaries(ctx context.Context, pool *pgxpool.Pool, b *tiles.Boundaries) error {
	for _, s := range []string{
		`CREATE SCHEMA IF NOT EXISTS tilebench`,
		`DROP TABLE IF EXISTS tilebench.face`,
		`CREATE TABLE tilebench.face (level text, min_zoom integer, code text, name text, name_latin text, parent text,
			generated boolean, geom geometry(MultiPolygon, 3857), label geometry(Point, 3857))`,
	} {
		if _, err := pool.Exec(ctx, s); err != nil {
			return err
		}
	}
	for _, l := range b.Levels() {
		minZoom := uint32(0)
		for _, r := range tiles.Roles() {
			if r.Name == l.Role {
				minZoom = r.MinZoom
			}
		}
		var batch pgx.Batch
		for i, u := range l.Units {
			shape, err := wkb.Marshal(l.Coverage.Shape(i))
			if err != nil {
				return err
			}
			p := l.Coverage.InnerPoint(i)
			batch.Queue(`INSERT INTO tilebench.face SELECT $1, $2, $3, $4, $5, $6, $7,
				ST_Transform(ST_GeomFromWKB($8, 4326), 3857), ST_Transform(ST_SetSRID(ST_MakePoint($9, $10), 4326), 3857)`,
				l.Role, int32(minZoom), u.Code, u.Name, u.NameLatin, u.Parent, u.Generated, shape, p[0], p[1])
		}
		tx, err := pool.Begin(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(tx.SendBatch(ctx, &batch).Close(), tx.Commit(ctx)); err != nil {
			return err
		}
	}
	for _, s := range []string{
		`CREATE INDEX ON tilebench.face USING gist (geom)`, `CREATE INDEX ON tilebench.face USING gist (label)`,
		`VACUUM (ANALYZE, FREEZE) tilebench.face`,
	} {
		if _, err := pool.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// BoundaryRequests returns n tiles over the bound, zooms 6 to 16 in turn, always the same for the same seed.
func BoundaryRequests(seed uint64, n int, bound orb.Bound) []tiles.Address {
	rng := rand.New(rand.NewPCG(seed, 3))
	list := make([]tiles.Address, n)
	for i := range list {
		z := uint32(6 + i%11)
		x, y := tileOf(between(rng, bound.Min[0], bound.Max[0]), between(rng, bound.Min[1], bound.Max[1]), z)
		list[i] = tiles.Address{Z: z, X: x, Y: y}
	}
	return list
}

// RunBoundaries compares the plan's tiles with the usual SQL: two goroutines on our side, eight connections on the
// other's; then the service's with the fixed body, where there is one. Zooms are prepared first, as they are when a plan
// is published.
func RunBoundaries(ctx context.Context, c Config, b *tiles.Boundaries) (BoundaryFigures, error) {
	requests := BoundaryRequests(c.Seed, c.Requests, b.Bound())
	b.Warm()
	var f BoundaryFigures
	if err := c.compareBoundaries(ctx, b, requests[:min(len(requests), 330)], &f); err != nil {
		return f, err
	}
	for range c.Rounds {
		rate, _, err := race(2, c.Each, func(int) (func(i int) error, error) {
			var out []byte
			return func(i int) error {
				out = b.Tile(out[:0], requests[i%len(requests)])
				return nil
			}, nil
		})
		if err != nil {
			return f, err
		}
		f.Ours = max(f.Ours, rate)
		rate, closing, err := race(Connections, c.Each, func(int) (func(i int) error, error) {
			conn, err := c.connect(ctx)
			if err != nil {
				return nil, err
			}
			ask := func(i int) error {
				if i < 0 {
					return conn.Close(ctx)
				}
				a := requests[i%len(requests)]
				var tile []byte
				return conn.QueryRow(ctx, boundaryText, int32(a.Z), int32(a.X), int32(a.Y)).Scan(&tile)
			}
			return ask, ask(0)
		})
		for _, end := range closing {
			err = errors.Join(err, end(-1))
		}
		if err != nil {
			return f, err
		}
		f.SQL = max(f.SQL, rate)
	}
	f.Over = f.Ours / f.SQL
	if err := c.serveBoundaries(ctx, requests, &f); err != nil {
		return f, err
	}
	if c.Out != nil {
		fmt.Fprintf(c.Out, "boundaries, no cache: ours %.0f/s (%.0f bytes), ST_AsMVT %.0f/s (%.0f bytes): × %.1f; %d polygons, SQL's %d, in %d tiles\n",
			f.Ours, f.OursBytes, f.SQL, f.SQLBytes, f.Over, f.Polygons[0], f.Polygons[1], f.Tiles)
		fmt.Fprintf(c.Out, "boundaries, kept and served: %.0f/s, %.2f of the fixed body\n", f.Served, f.OfFixed)
	}
	return f, nil
}

// serveBoundaries asks the service for the tiles, which it keeps after the first time.
func (c *Config) serveBoundaries(ctx context.Context, requests []tiles.Address, f *BoundaryFigures) error {
	if c.Handler == nil {
		return nil
	}
	s, err := wire.Serve(c.Handler)
	if err != nil {
		return err
	}
	defer s.Stop()
	paths := make([]string, len(requests))
	for i, a := range requests {
		paths[i] = c.Path(Jurisdictions, Request{Address: a})
	}
	fixed := 0.0
	for range c.Rounds {
		run, err := s.Load(ctx, wire.Get(paths), Connections, c.Each)
		if err != nil {
			return err
		}
		f.Served = max(f.Served, run.Rate())
		if run, err = s.Load(ctx, wire.Get([]string{c.Fixed}), Connections, c.Each); err != nil {
			return err
		}
		fixed = max(fixed, run.Rate())
	}
	f.OfFixed = f.Served / fixed
	return nil
}

// compareBoundaries counts the polygons and labels of the tiles on both sides. Faces thinner than a unit or just at the
// buffer's end may be in one alone; more than one in a hundred is an error.
func (c *Config) compareBoundaries(ctx context.Context, b *tiles.Boundaries, requests []tiles.Address, f *BoundaryFigures) error {
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, a := range requests {
		ours := b.Tile(nil, a)
		var sql []byte
		if err := conn.QueryRow(ctx, boundaryText, int32(a.Z), int32(a.X), int32(a.Y)).Scan(&sql); err != nil {
			return err
		}
		for i, tile := range [][]byte{ours, sql} {
			n, err := featuresOf(tile, "borders")
			if err != nil {
				return err
			}
			f.Polygons[i] += n
		}
		f.OursBytes += float64(len(ours)) / float64(len(requests))
		f.SQLBytes += float64(len(sql)) / float64(len(requests))
	}
	f.Tiles = len(requests)
	if d := f.Polygons[0] - f.Polygons[1]; d*100 > f.Polygons[1] || -d*100 > f.Polygons[1] {
		return fmt.Errorf("boundary tiles hold %d polygons and labels, SQL's %d", f.Polygons[0], f.Polygons[1])
	}
	return nil
}

// race runs workers for the time and returns calls a second, and the workers to be closed.
func race(workers int, each time.Duration, start func(worker int) (func(i int) error, error)) (rate float64, running []func(i int) error, err error) {
	for w := range workers {
		work, err := start(w)
		if work != nil {
			running = append(running, work)
		}
		if err != nil {
			return 0, running, err
		}
	}
	var next, calls atomic.Int64
	errs := make([]error, workers)
	var wg sync.WaitGroup
	began := time.Now()
	for w, work := range running {
		wg.Go(func() {
			for time.Since(began) < each && errs[w] == nil {
				errs[w] = work(int(next.Add(1) - 1))
				calls.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(calls.Load()) / time.Since(began).Seconds(), running, errors.Join(errs...)
}
