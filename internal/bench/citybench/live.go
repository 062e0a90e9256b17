package citybench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/bench/tilebench"
	"gridgov/internal/cube"
	"gridgov/internal/feed"
	"gridgov/internal/report"
)

// Plan are the figures of a new plan over all reports.
type Plan struct {
	Evaluate time.Duration // reading and placing all reports, best of the rounds
	Replace  time.Duration // evaluating and writing what changed, once
	Changed  int64
	Total    int64
}

// Plan publishes another plan over the city's reports and places them under it.
func (b *Bench) Plan(ctx context.Context, c *app.City) (Plan, error) {
	out := Plan{Evaluate: 1 << 62}
	if err := b.publish(ctx, c, "second", b.Seed+1); err != nil {
		return out, err
	}
	placer := c.State().Placer
	last, err := c.Reports.LastNum(ctx)
	if err != nil {
		return out, err
	}
	for range b.Rounds {
		began := time.Now()
		if _, err := c.Reports.Evaluate(ctx, placer, 1, last); err != nil {
			return out, err
		}
		out.Evaluate = min(out.Evaluate, time.Since(began))
	}
	began := time.Now()
	r, err := c.Replace(ctx, placer, nil)
	out.Replace, out.Changed, out.Total = time.Since(began), r.Changed, r.Total
	return out, err
}

// Start are the figures of a city's start: the cube built from PostGIS.
type Start struct {
	Took      time.Duration // best of the rounds
	Reports   int
	PerReport float64 // bytes of the cube a report
}

// Start makes the city live, as often as there are rounds, and leaves the last one running.
func (b *Bench) Start(ctx context.Context, c *app.City) (Start, *app.Live, error) {
	out := Start{Took: 1 << 62}
	var live *app.Live
	for range b.Rounds {
		if live != nil {
			live.Leave()
		}
		began := time.Now()
		var err error
		if live, err = c.Start(ctx); err != nil {
			return out, nil, err
		}
		out.Took = min(out.Took, time.Since(began))
	}
	v := live.View()
	out.Reports, out.PerReport = v.Len(), float64(v.Bytes())/float64(v.Len())
	return out, live, nil
}

// Live are the figures of reports that pour in while others read.
type Live struct {
	Rate        float64       // reports a second that were filed
	Quiet, Busy float64       // tiles a second without and with them
	Cost        float64       // share of the readers' rate that is lost
	P50, P99    time.Duration // from the commit's acknowledgement until a tile shows the report
}

// Live reads tiles on one connection a core, alone and then while inserts of the given rate go on.
func (b *Bench) Live(ctx context.Context, live *app.Live, h http.Handler, rate int, each time.Duration) (Live, error) {
	out := Live{}
	for range b.Rounds {
		quiet, err := b.read(ctx, live, h, each)
		if err != nil {
			return out, err
		}
		stop := make(chan struct{})
		type result struct {
			filed int
			waits []time.Duration
			err   error
		}
		done := make(chan result, 1)
		began := time.Now()
		go func() {
			n, waits, err := pour(ctx, live, rate, stop)
			done <- result{n, waits, err}
		}()
		busy, err := b.read(ctx, live, h, each)
		close(stop)
		r := <-done
		if err = errors.Join(err, r.err); err != nil {
			return out, err
		}
		if cost := 1 - busy/quiet; out.Quiet == 0 || cost < out.Cost {
			out.Quiet, out.Busy, out.Cost, out.Rate = quiet, busy, cost, float64(r.filed)/time.Since(began).Seconds()
			slices.Sort(r.waits)
			out.P50, out.P99 = r.waits[len(r.waits)/2], r.waits[len(r.waits)*99/100]
		}
	}
	return out, nil
}

// read asks for heat tiles in turn and returns the rate.
func (b *Bench) read(ctx context.Context, live *app.Live, h http.Handler, each time.Duration) (float64, error) {
	requests := tilebench.Requests(b.Seed, 2000, 12, tilebench.OneItem, live.View())
	paths := make([]*http.Request, len(requests))
	for i, r := range requests {
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, TilePath(live.Code, tilebench.Heat, r), nil)
		req.Host = "localhost"
		paths[i] = req
	}
	var n int
	began := time.Now()
	for time.Since(began) < each {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, paths[n%len(paths)])
		if rec.Code != http.StatusOK && rec.Code != http.StatusNoContent {
			return 0, fmt.Errorf("%s: status %d", paths[n%len(paths)].URL, rec.Code)
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// pour files reports at a rate until stop. Of one in asked it measures how long after its commit the cube shows it; the
// others cost nothing but the filing.
func pour(ctx context.Context, live *app.Live, rate int, stop <-chan struct{}) (filed int, waits []time.Duration, err error) {
	const asked = 25
	var under sync.WaitGroup
	var mu sync.Mutex // of what is returned
	began := time.Now()
	for i := 0; ; i++ {
		due := time.NewTimer(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		select {
		case <-stop:
			due.Stop()
			under.Wait()
			return filed, waits, err
		case <-due.C:
		}
		under.Go(func() {
			wait, fault := fileOne(ctx, live, i, i%asked == 0)
			mu.Lock()
			defer mu.Unlock()
			filed++
			err = errors.Join(err, fault)
			if i%asked == 0 {
				waits = append(waits, wait)
			}
		})
	}
}

// fileOne files the i-th report and, when it is to wait, returns how long after the commit the cube shows it.
func fileOne(ctx context.Context, live *app.Live, i int, wait bool) (time.Duration, error) {
	lon, lat := 120.4+float64(i%300)/1000, 30.3+float64(i%200)/1000
	id, err := uuid.NewV7()
	if err != nil {
		return 0, err
	}
	_, _, err = live.Reports.File(ctx, report.New{ID: report.ID(id), Source: "web", CapturedAt: time.Now(), X: &lon, Y: &lat, Item: itemCode(1 + i%tilebench.Items)})
	if err != nil || !wait {
		return 0, err
	}
	began := time.Now()
	head, err := feed.Head(ctx, live.Pool) // at or after this report's event
	if err == nil {
		err = live.WaitApplied(ctx, head)
	}
	return time.Since(began), err
}

// TilePath is the path and query of a tile of the bench's city, as the service takes it.
func TilePath(city string, layer tilebench.Layer, r tilebench.Request) string {
	path := fmt.Sprintf("/%s/v1/tiles/%s/%d/%d/%d", city, layer, r.Address.Z, r.Address.X, r.Address.Y)
	if layer == tilebench.Jurisdictions {
		return path
	}
	return path + "?" + query(r.Filter)
}

func query(f cube.Filter) string {
	q := fmt.Sprintf("from=%s&to=%s", stamp(f.From), stamp(f.To))
	for i, item := range f.Items {
		sep := ","
		if i == 0 {
			sep = "&item="
		}
		q += sep + itemCode(1+int(item))
	}
	return q
}

func stamp(t uint32) string { return time.Unix(int64(t), 0).UTC().Format(time.RFC3339) }
