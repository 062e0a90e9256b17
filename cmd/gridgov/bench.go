package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"gridgov/internal/api"
	"gridgov/internal/app"
	"gridgov/internal/bench/citybench"
	"gridgov/internal/bench/tilebench"
	"gridgov/internal/fault"
	"gridgov/internal/hotspot/hotspotbench"
	"gridgov/internal/placement/placementbench"
	"gridgov/internal/postgres"
)

// bench measures this build on this machine, each figure beside its rival in the same run. It works in a database of its
// own, which it throws away; --database names a server to make it on.
func (t *tool) bench() *cobra.Command {
	var reports, rounds, alone int
	var each time.Duration
	var explain bool
	sub := func(use, short string, run func(context.Context, *citybench.Bench) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withBench(cmd.Context(), reports, rounds, run)
		}}
	}
	placing := sub("placement", "Points placed a second, beside PostGIS's set join", func(ctx context.Context, b *citybench.Bench) error {
		r, err := placementbench.Run(ctx, b.DB.Owner(), placementbench.Options{Points: reports, Rounds: rounds})
		if err == nil {
			_, err = r.WriteTo(t.out)
		}
		return err
	})
	intake := sub("intake", "Reports filed over HTTP beside pgbench, an import beside psql's COPY, a new plan over it, the cube's start", func(ctx context.Context, b *citybench.Bench) error {
		if err := t.benchFiling(ctx, b, each); err != nil {
			return err
		}
		return t.benchIntake(ctx, b)
	})
	feeding := sub("feed", "Reports filed one by one, each on disk when acknowledged", func(ctx context.Context, b *citybench.Bench) error {
		c, err := b.City(ctx, "feed")
		if err != nil {
			return err
		}
		defer c.Close()
		for _, writers := range []int{1, 8, 64, 512} {
			f, err := b.Feed(ctx, c, writers, each)
			if err != nil {
				return err
			}
			t.print("feed       %4d writers  %8.0f reports/s", f.Writers, f.Rate)
		}
		return nil
	})
	tile := sub("tiles", "Tiles beside SQL, and what live reports cost the readers", func(ctx context.Context, b *citybench.Bench) error {
		return t.benchTiles(ctx, b, each, explain)
	})
	var requests int
	queues := sub("queue", "First byte of the desk's queue and of a case, a tenth of the cases open; what another list, rules or calendar would do to them", func(ctx context.Context, b *citybench.Bench) error {
		return t.benchQueue(ctx, b, requests)
	})
	queues.Flags().IntVar(&requests, "requests", 1000, "how many of each kind")
	cubes := &cobra.Command{Use: "cube", Short: "A province's reports in the cube alone, without database and service", Args: noArgs, RunE: func(*cobra.Command, []string) error {
		tilebench.CubeAlone(1, alone, 10, 10_000, t.out)
		return nil
	}}
	cubes.Flags().IntVar(&alone, "alone", 30_000_000, "how many reports; 30 million take 4 GB and a minute")
	var villages string
	hotspots := &cobra.Command{Use: "hotspot", Short: "Statistics of hotspots beside R's spdep, and densities; tiles of hot spots after each new report", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		dir, err := os.MkdirTemp("", "gridgov-bench-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // the system's own folder of temporary files
		if err := hotspotbench.Run(cmd.Context(), hotspotbench.Options{Villages: villages, Rounds: rounds, Seed: 1, Dir: dir, Out: t.out}); err != nil {
			return err
		}
		return t.withBench(cmd.Context(), reports, rounds, t.benchSpots)
	}}
	hotspots.Flags().StringVar(&villages, "villages", "", "a file of villages whose code is in VILLAGESN (a lattice of as many squares)")
	searching := sub("search", "The first fifty of a million reports that have words, and of their cases", func(ctx context.Context, b *citybench.Bench) error {
		return t.benchSearch(ctx, b)
	})
	g := group("bench", "Measure this build on this machine, beside its rivals", placing, tile, cubes, intake, feeding, queues, searching, hotspots)
	g.PersistentFlags().IntVar(&reports, "reports", 1_000_000, "how many reports or points")
	g.PersistentFlags().IntVar(&rounds, "rounds", 3, "the best of so many counts")
	g.PersistentFlags().DurationVar(&each, "each", 3*time.Second, "how long each measurement takes")
	tile.Flags().BoolVar(&explain, "explain", false, "print the rivals' plans")
	return g
}

// withBench runs work on a database that is thrown away.
func (t *tool) withBench(ctx context.Context, reports, rounds int, work func(context.Context, *citybench.Bench) error) error {
	dir, err := os.MkdirTemp("", "gridgov-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()     // the system's own folder of temporary files
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // the server's user passes through it
		return err
	}
	if t.database != "" {
		return usagef("bench works in a private database of its own: leave out --database (PG_BIN names another PostgreSQL)")
	}
	t.data = filepath.Join(dir, "data")
	db, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	psql, err := findPsql()
	if err != nil {
		return err
	}
	t.print("gridgov bench on %s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	return work(ctx, &citybench.Bench{Options: citybench.Options{Reports: reports, Rounds: rounds, Seed: 1, Psql: psql, Dir: dir, Out: t.out}, DB: db})
}

func findPsql() (string, error) {
	if bin := os.Getenv("PG_BIN"); bin != "" {
		return filepath.Join(bin, "psql"), nil
	}
	p, err := exec.LookPath("psql")
	if err != nil {
		return "", fault.Unavailable("no_psql", "psql is needed as the rival: install postgresql-client, or set PG_BIN")
	}
	return p, nil
}

// filingBar is how long a report's answer may take at the most, but for one in a hundred.
const filingBar = 50 * time.Millisecond

func (t *tool) benchFiling(ctx context.Context, b *citybench.Bench, each time.Duration) error {
	all := b.Reports
	b.Reports = min(all, 100_000) // a city at work has some
	defer func() { b.Reports = all }()
	c, err := b.Filled(ctx, "filing")
	if err != nil {
		return err
	}
	err = b.Settle(ctx, c)
	c.Close()
	if err != nil {
		return err
	}
	if err := b.Rival(ctx); err != nil {
		return err
	}
	live, h, token, stop, err := serveCity(ctx, b, "filing")
	if err != nil {
		return err
	}
	defer stop()
	for _, clients := range []int{8, 64} {
		f, err := b.Filing(ctx, live, h, token, clients, each)
		if err != nil {
			return err
		}
		verdict := "within"
		if f.P99 > filingBar {
			verdict = "over"
		}
		t.print("filing     %4d clients  %8.0f reports/s, p50 %5.1f ms, p99 %5.1f ms (%s %d ms); pgbench of the same rows %.0f/s: %.2f times it", f.Clients, f.Rate,
			float64(f.P50.Microseconds())/1000, float64(f.P99.Microseconds())/1000, verdict, filingBar.Milliseconds(), f.Rival, f.Ratio)
	}
	return nil
}

func (t *tool) benchIntake(ctx context.Context, b *citybench.Bench) error {
	in, c, err := b.Intake(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	t.print("import     %d reports in %.1f s, %.0f/s; psql COPY of the same rows %.1f s: %.2f of its rate", in.Reports, in.Import.Seconds(),
		float64(in.Reports)/in.Import.Seconds(), in.Copy.Seconds(), in.Ratio)
	s, live, err := b.Start(ctx, c)
	if err != nil {
		return err
	}
	live.Leave()
	t.print("cube       %d reports loaded in %.2f s, %.1f bytes a report", s.Reports, s.Took.Seconds(), s.PerReport)
	p, err := b.Plan(ctx, c)
	if err != nil {
		return err
	}
	t.print("new plan   %d reports evaluated in %.2f s; %d new answers, written in %.1f s in all", p.Total, p.Evaluate.Seconds(), p.Changed, p.Replace.Seconds())
	return nil
}

func (t *tool) benchTiles(ctx context.Context, b *citybench.Bench, each time.Duration, explain bool) error {
	c, err := b.Filled(ctx, "tiles")
	if err != nil {
		return err
	}
	err = b.Settle(ctx, c) // else the readers are measured beside a million late clocks that are told of
	c.Close()
	if err != nil {
		return err
	}
	live, h, token, stop, err := serveCity(ctx, b, "tiles")
	if err != nil {
		return err
	}
	defer stop()
	if err := tilebench.Prepare(ctx, b.DB.Owner(), tilebench.Rows(b.Seed, b.Reports)); err != nil {
		return err
	}
	pool, err := rivalPool(ctx, b.DB)
	if err != nil {
		return err
	}
	defer pool.Close()
	h = signedIn(h, token)
	config := tilebench.Config{Pool: pool, View: live.View(), Handler: h,
		Path:  func(l tilebench.Layer, r tilebench.Request) string { return citybench.TilePath("tiles", l, r) },
		Fixed: "/tiles/v1/fixed", Seed: b.Seed, Requests: 10_000, Each: each, Rounds: b.Rounds, Out: t.out}
	figures, err := tilebench.Run(ctx, config, tilebench.Cases())
	if err != nil {
		return err
	}
	plan := live.State().Boundaries
	if err := tilebench.PrepareBoundaries(ctx, b.DB.Owner(), plan); err != nil {
		return err
	}
	if _, err := tilebench.RunBoundaries(ctx, config, plan); err != nil {
		return err
	}
	if explain {
		for _, f := range figures {
			t.print("\n%s z%d, usual SQL:\n%s\nbest SQL:\n%s", f.Layer, f.Zoom, f.UsualPlan, f.Plan)
		}
	}
	l, err := b.Live(ctx, live, h, 500, each)
	if err != nil {
		return err
	}
	t.print("live       %.0f reports/s cost the readers %.1f %% (%.0f → %.0f tiles/s); in tiles %.1f ms after the answer, p99 %.1f ms",
		l.Rate, 100*l.Cost, l.Quiet, l.Busy, float64(l.P50.Microseconds())/1000, float64(l.P99.Microseconds())/1000)
	return nil
}

// queueBar is how long the queue and a case may take at the most, at a million cases.
const queueBar = 50 * time.Millisecond

func (t *tool) benchQueue(ctx context.Context, b *citybench.Bench, requests int) error {
	if requests < 1 {
		return usagef("--requests has to be at least 1")
	}
	c, err := b.Filled(ctx, "queue")
	if err != nil {
		return err
	}
	err = b.Settle(ctx, c)
	c.Close()
	if err != nil {
		return err
	}
	live, h, token, stop, err := serveCity(ctx, b, "queue")
	if err != nil {
		return err
	}
	defer stop()
	figures, err := b.Queue(ctx, live, signedIn(h, token), requests)
	if err != nil {
		return err
	}
	for _, f := range figures {
		verdict := "within"
		if f.P99 > queueBar {
			verdict = "over"
		}
		t.print("queue      %-22s first byte p50 %6.2f ms, p99 %6.2f ms: %s %d ms", f.What, float64(f.P50.Microseconds())/1000,
			float64(f.P99.Microseconds())/1000, verdict, queueBar.Milliseconds())
	}
	effects, err := b.Effects(ctx, live.City)
	if err != nil {
		return err
	}
	for _, f := range effects {
		t.print("effect     of another %-9s on %d cases, %d moved: %.2f s", f.Kind, f.Looked, f.Moved, f.Took.Seconds())
	}
	return nil
}

// spotsBar is how long a tile of hot spots may take after a new report.
const spotsBar = 50 * time.Millisecond

func (t *tool) benchSpots(ctx context.Context, b *citybench.Bench) error {
	c, err := b.Filled(ctx, "spots")
	if err != nil {
		return err
	}
	err = b.Settle(ctx, c)
	c.Close()
	if err != nil {
		return err
	}
	live, h, token, stop, err := serveCity(ctx, b, "spots")
	if err != nil {
		return err
	}
	defer stop()
	const rounds = 300
	figures, err := b.Spots(ctx, live, signedIn(h, token), rounds)
	for _, f := range figures {
		verdict := "within"
		if f.P99 > spotsBar {
			verdict = "over"
		}
		t.print("tile       %-34s after a new report of %d: p50 %6.2f ms, p99 %6.2f ms: %s %d ms", f.What, b.Reports, float64(f.P50.Microseconds())/1000,
			float64(f.P99.Microseconds())/1000, verdict, spotsBar.Milliseconds())
	}
	return err
}

// serveCity serves the bench's database until stop, and returns one of its cities, the service with its log, and the token of a desk
// that sees the whole city.
func serveCity(ctx context.Context, b *citybench.Bench, code string) (live *app.Live, h http.Handler, token string, stop func(), err error) {
	server := app.NewServer(b.DB, nil, slog.New(slog.DiscardHandler), time.Now)
	run, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { server.Run(run); close(done) }()
	stop = func() { cancel(); <-done }
	if live, err = citybench.Await(ctx, server, code); err == nil {
		token, err = citybench.SignIn(ctx, live)
	}
	if err != nil {
		stop()
		return nil, nil, "", nil, err
	}
	return live, benchHandler(server), token, stop, nil
}

// signedIn asks as a command centre's desk, so that what finding out who asks costs is in every figure.
func signedIn(h http.Handler, token string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header["Cookie"] = []string{"gridgov=" + token}
		h.ServeHTTP(w, r)
	})
}

// benchHandler is the service with its log on, as users run it, writing to nowhere.
func benchHandler(server *app.Server) http.Handler {
	m := newMetrics(server)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		panic(err) // every system has it
	}
	handler, err := api.New(api.Config{Server: server, Log: slog.New(slog.NewTextHandler(null, nil)), Now: time.Now, Observe: m.observe, FixedBody: make([]byte, 2048),
		Edge: api.Edge{Hosts: []string{api.LocalHosts}, Limits: api.NoLimits}})
	if err != nil {
		panic(err) // the routes are the program's own
	}
	return handler
}

// rivalPool has a connection for each of the rivals' requests under way.
func rivalPool(ctx context.Context, db *postgres.Database) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(db.URL())
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = tilebench.Connections
	return pgxpool.NewWithConfig(ctx, cfg)
}

func (t *tool) benchSearch(ctx context.Context, b *citybench.Bench) error {
	c, err := b.Written(ctx, "search")
	if err != nil {
		return err
	}
	c.Close()
	live, h, token, stop, err := serveCity(ctx, b, "search")
	if err != nil {
		return err
	}
	defer stop()
	return b.Search(ctx, live, signedIn(h, token), "search", 40*b.Rounds, func(s citybench.SearchTimes) {
		t.print("search     %-28s %-26s %2d rows  p50 %6.1f ms  p95 %6.1f ms  %s", s.List, s.What, s.Rows, float64(s.P50.Microseconds())/1000, float64(s.P95.Microseconds())/1000, s.Query)
	})
}
