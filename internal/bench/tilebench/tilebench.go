// Package tilebench measures the tiles of reports against the SQL that others serve them with: the same generated
// reports, the same requests, on the same machine in the same run, the counts checked against each other.
//
// The rivals are two: the usual SQL, a function layer as pg_tileserv serves it, over raw points with the indexes one
// would give them; and the best SQL that we found, over an index that holds all it needs in the cube's own order. Both
// run straight on the database's connections, without the cost of HTTP that our side bears.
package tilebench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/bench/wire"
	"gridgov/internal/cube"
)

// Layer is a kind of tile.
type Layer string

// The layers: of reports, and of the plan.
const (
	Heat          Layer = "heat"
	Reports       Layer = "reports"
	Jurisdictions Layer = "jurisdictions"
)

// Case is what one line of the benchmark asks.
type Case struct {
	Layer Layer
	Zoom  uint32
	Pick  Pick
}

// Cases are the ones with a goal: an item at three zooms, the hard filters, and single reports.
func Cases() []Case {
	return []Case{
		{Heat, 10, OneItem}, {Heat, 12, OneItem}, {Heat, 14, OneItem},
		{Heat, 12, EightItems}, {Heat, 12, AnyItem}, {Reports, 14, OneItem},
	}
}

// Config is what the benchmark needs of its caller.
type Config struct {
	Pool    *pgxpool.Pool // where Prepare put the reports; each rival opens eight connections of its own
	View    cube.View     // the same reports, to draw the requests by
	Handler http.Handler  // the service with the same reports
	// Path is the request's path and query, URL-encoded, as the service takes it.
	Path func(Layer, Request) string
	// Fixed is the path of a fixed body of 2 kB behind the same router, log and headers.
	Fixed string

	Seed     uint64
	Requests int           // in the list, such as 10,000
	Each     time.Duration // how long each measurement takes, such as 5 s
	Rounds   int           // the best of so many counts
	Out      io.Writer     // for the figures; may be nil
}

// Connections is how many requests are under way at a time.
const Connections = 8

// Figures are what one case measured; rates are tiles a second.
type Figures struct {
	Case
	Ours, Fixed     float64
	Usual, Best     float64 // Usual is 0 where the case has no such rival
	CPU             time.Duration
	P50, P99        time.Duration // at one connection
	Checked         int           // requests whose counts were compared with SQL's
	Bytes           float64       // mean size of an answer, compressed
	OverUsual       float64       // Ours / Usual
	OverBest        float64
	OfFixed         float64
	UsualPlan, Plan string // EXPLAIN of the last request, of the usual and the best SQL
}

// Run measures all cases and returns their figures. It fails if a count differs from SQL's.
func Run(ctx context.Context, c Config, cases []Case) ([]Figures, error) {
	out := c.Out
	if out == nil {
		out = io.Discard
	}
	service, err := wire.Serve(c.Handler)
	if err != nil {
		return nil, err
	}
	defer service.Stop()

	var all []Figures
	fmt.Fprintf(out, "%-8s %3s %-7s %9s %9s %9s %9s %7s %7s %7s %9s %9s %9s %8s\n", "layer", "z", "items",
		"ours/s", "fixed/s", "usual/s", "best/s", "×usual", "×best", "×fixed", "cpu", "p50", "p99", "checked")
	for _, k := range cases {
		requests := Requests(c.Seed, c.Requests, k.Zoom, k.Pick, c.View)
		f, err := c.measure(ctx, service, k, requests)
		if err != nil {
			return all, fmt.Errorf("%s tiles at zoom %d, %s: %w", k.Layer, k.Zoom, k.Pick, err)
		}
		all = append(all, f)
		fmt.Fprintf(out, "%-8s %3d %-7s %9.0f %9.0f %9.1f %9.1f %7.1f %7.1f %7.2f %9s %9s %9s %8d\n", k.Layer, k.Zoom, k.Pick,
			f.Ours, f.Fixed, f.Usual, f.Best, f.OverUsual, f.OverBest, f.OfFixed,
			f.CPU.Round(100*time.Nanosecond), f.P50.Round(time.Microsecond), f.P99.Round(time.Microsecond), f.Checked)
	}
	return all, nil
}

// measure runs one case: the rivals first, whose counts ours are then checked against, then the service and the fixed
// body alternately.
func (c *Config) measure(ctx context.Context, service *wire.Service, k Case, requests []Request) (Figures, error) {
	f := Figures{Case: k}
	sums := map[int]uint64{}
	for range c.Rounds {
		if k.Layer == Heat {
			rate, err := c.rival(ctx, usualSQL, k, requests, sums)
			if err != nil {
				return f, fmt.Errorf("usual SQL: %w", err)
			}
			f.Usual = max(f.Usual, rate)
		}
		rate, err := c.rival(ctx, bestSQL(k), k, requests, sums)
		if err != nil {
			return f, fmt.Errorf("best SQL: %w", err)
		}
		f.Best = max(f.Best, rate)
	}
	for i, want := range sums {
		got, err := sumOf(c.Handler, c.Path(k.Layer, requests[i]))
		if err != nil {
			return f, err
		}
		if got != want {
			return f, fmt.Errorf("%s has %d reports, SQL counts %d", c.Path(k.Layer, requests[i]), got, want)
		}
	}
	f.Checked = len(sums)

	paths := make([]string, len(requests))
	for i, r := range requests {
		paths[i] = c.Path(k.Layer, r)
	}
	for range c.Rounds {
		run, err := service.Load(ctx, wire.Get(paths), Connections, c.Each)
		if err != nil {
			return f, err
		}
		f.Ours, f.Bytes = max(f.Ours, run.Rate()), run.MeanBytes()
		if run, err = service.Load(ctx, wire.Get([]string{c.Fixed}), Connections, c.Each); err != nil {
			return f, err
		}
		f.Fixed = max(f.Fixed, run.Rate())
	}
	alone, err := service.Load(ctx, wire.Get(paths), 1, c.Each)
	if err != nil {
		return f, err
	}
	f.P50, f.P99 = alone.Quantile(0.5), alone.Quantile(0.99)
	if f.CPU, err = cpuOf(c.Handler, paths); err != nil {
		return f, err
	}
	f.OverBest, f.OfFixed = f.Ours/f.Best, f.Ours/f.Fixed
	if f.Usual > 0 {
		f.OverUsual = f.Ours / f.Usual
	}
	last := requests[len(requests)-2] // a dense one
	if f.Plan, err = c.explain(ctx, bestSQL(k), k, last); err == nil && k.Layer == Heat {
		f.UsualPlan, err = c.explain(ctx, usualSQL, k, last)
	}
	return f, err
}
