// Package placementbench measures placement beside PostGIS's join of the same points with the same faces.
package placementbench

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"gridgov/internal/placement"
	"gridgov/internal/placement/madeup"
)

// Options of a run; zero values are replaced by those in brackets.
type Options struct {
	Grids  int    // about, in villages of nine [2000]
	Points int    // [1,000,000]
	Rounds int    // the best one counts [3]
	Seed   uint64 // of the made-up town and its points [1]
}

// Report is what a run measured. Rates are points a second on one core unless they say otherwise.
type Report struct {
	Grids, Villages, Edges, Points int

	Build   time.Duration // of the index
	Bytes   int           // held by it
	At      float64       // points anywhere in the box around the town
	Border  float64       // points next to borders, 10 nm to 1 m
	Locate  float64       // reasons, distances and neighbours included
	P50     time.Duration // of one At, the clock's own cost included
	P99     time.Duration
	All     time.Duration // of AtAll over the points, on all cores
	PostGIS float64       // the set join, one process, the faces indexed as a city's are
	Swapped float64       // the same with the points indexed instead: each face is prepared once, its points looked up
	Ratio   float64       // At to PostGIS

	Differ int // points of a sample for which At and ST_Covers … ORDER BY code LIMIT 1 differ: 0, or the run is void
}

// WriteTo writes the report as lines of text.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	n, err := fmt.Fprintf(w, `placement  %d grids, %d villages, %d edges, %d points
  index    %v to build, %.1f MB
  at       %.2f M points/s, p50 %v, p99 %v
  borders  %.2f M points/s
  locate   %.2f M points/s
  at all   %v for all points on %d cores
  postgis  %.4f M points/s by a set join: %.0f times slower; %.4f with the points indexed instead: %.0f times
  differ   %d
`, r.Grids, r.Villages, r.Edges, r.Points, r.Build.Round(time.Millisecond), float64(r.Bytes)/(1<<20), r.At/1e6, r.P50, r.P99, r.Border/1e6,
		r.Locate/1e6, r.All.Round(time.Millisecond), runtime.GOMAXPROCS(0), r.PostGIS/1e6, r.Ratio, r.Swapped/1e6, r.At/r.Swapped, r.Differ)
	return int64(n), err
}

// Run measures. pool is any database with PostGIS; only temporary tables are made there.
func Run(ctx context.Context, pool *pgxpool.Pool, o Options) (Report, error) {
	o.Grids, o.Points, o.Rounds, o.Seed = or(o.Grids, 2000), or(o.Points, 1_000_000), or(o.Rounds, 3), or(o.Seed, 1)
	side := int(math.Ceil(math.Sqrt(float64(o.Grids))))
	town := madeup.New(o.Seed, madeup.Plan{West: 120.3, South: 30.2, CellDeg: 0.4 / float64(side), Columns: side, Rows: side, Bends: 20, Plain: true})
	villages := make([]placement.Face, len(town.Parents))
	for i, code := range town.Parents {
		villages[i].Code = code
	}
	levels := []placement.Level{{Role: "village", Faces: villages}, {Role: "grid", Faces: town.Faces, Parent: town.Parent}}
	rng := rand.New(rand.NewPCG(o.Seed, 2))
	points := town.Random(rng, o.Points)
	border := madeup.Offsets(rng, town.OnEdges(rng, o.Points/10))

	r := Report{Grids: len(town.Faces), Villages: len(villages), Edges: len(town.Edges), Points: len(points)}
	var x *placement.Index
	var err error
	r.Build = best(o.Rounds, func() { x, err = placement.New(levels) })
	if err != nil {
		return r, err
	}
	r.Bytes = x.Bytes()
	r.measure(x, o.Rounds, points, border)
	if err := r.rival(ctx, pool, o.Rounds, town, x, points); err != nil {
		return r, fmt.Errorf("postgis: %w", err)
	}
	r.Ratio = r.At / r.PostGIS
	return r, nil
}

// or is v, or d if v is zero.
func or[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// best is the shortest of n runs.
func best(n int, run func()) time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for range n {
		start := time.Now()
		run()
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}

func (r *Report) measure(x *placement.Index, rounds int, points, border []orb.Point) {
	found := 0
	place := func(points []orb.Point) float64 {
		return float64(len(points)) / best(rounds, func() {
			for _, p := range points {
				if x.At(p)[1] >= 0 {
					found++
				}
			}
		}).Seconds()
	}
	r.At, r.Border = place(points), place(border)

	few := points[:min(len(points), 200_000)]
	r.Locate = float64(len(few)) / best(rounds, func() {
		for _, p := range few {
			if x.Locate(p, 20).Method == placement.MethodInside {
				found++
			}
		}
	}).Seconds()

	took := make([]time.Duration, len(few))
	for i, p := range few {
		start := time.Now()
		if x.At(p)[1] >= 0 {
			found++
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	r.P50, r.P99 = took[len(took)/2], took[len(took)*99/100]

	lon, lat, dst := make([]float64, len(points)), make([]float64, len(points)), make([]placement.Faces, len(points))
	for i, p := range points {
		lon[i], lat[i] = p[0], p[1]
	}
	r.All = best(rounds, func() { x.AtAll(lon, lat, dst) })
	runtime.KeepAlive(found)
}

// sample is how many points are compared one by one.
const sample = 20_000

// rival times PostGIS's join and compares answers.
func (r *Report) rival(ctx context.Context, pool *pgxpool.Pool, rounds int, town madeup.Town, x *placement.Index, points []orb.Point) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // temporary tables only: nothing is lost
	for _, sql := range []string{
		`SET LOCAL max_parallel_workers_per_gather = 0`,
		`CREATE TEMP TABLE bench_face (code text COLLATE "C", geom geometry) ON COMMIT DROP`,
		`CREATE TEMP TABLE bench_point (n int, x float8, y float8, geom geometry GENERATED ALWAYS AS (ST_MakePoint(x, y)) STORED) ON COMMIT DROP`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	batch := &pgx.Batch{}
	for _, f := range town.Faces {
		bytes, err := wkb.Marshal(f.Shape)
		if err != nil {
			return err
		}
		batch.Queue(`INSERT INTO bench_face VALUES ($1, ST_GeomFromWKB($2))`, f.Code, bytes)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"bench_point"}, []string{"n", "x", "y"},
		pgx.CopyFromSlice(len(points), func(i int) ([]any, error) { return []any{i, points[i][0], points[i][1]}, nil })); err != nil {
		return err
	}
	for _, way := range []struct {
		rate    *float64
		indexed string
	}{
		{&r.PostGIS, `CREATE INDEX bench_i ON bench_face USING gist (geom); ANALYZE bench_face; ANALYZE bench_point`},
		{&r.Swapped, `DROP INDEX bench_i; CREATE INDEX bench_i ON bench_point USING gist (geom)`},
	} {
		if _, err := tx.Exec(ctx, way.indexed); err != nil {
			return err
		}
		var pairs int
		took := best(rounds, func() {
			if err == nil {
				err = tx.QueryRow(ctx, `SELECT count(f.code) FROM bench_point p JOIN bench_face f ON ST_Covers(f.geom, p.geom)`).Scan(&pairs)
			}
		})
		if err != nil {
			return err
		}
		*way.rate = float64(len(points)) / took.Seconds()
	}
	if _, err := tx.Exec(ctx, `CREATE INDEX ON bench_face USING gist (geom)`); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `SELECT p.n, coalesce((SELECT f.code FROM bench_face f WHERE ST_Covers(f.geom, p.geom) ORDER BY f.code LIMIT 1), '')
		FROM bench_point p WHERE p.n < $1`, sample)
	if err != nil {
		return err
	}
	var n int
	var code string
	_, err = pgx.ForEachRow(rows, []any{&n, &code}, func() error {
		got := ""
		if face := x.At(points[n])[1]; face >= 0 {
			got = x.Codes(1)[face]
		}
		if got != code {
			r.Differ++
		}
		return nil
	})
	return err
}
