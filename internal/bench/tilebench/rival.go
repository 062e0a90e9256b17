package tilebench

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// settle makes a connection plan each request by its own values; a plan for all would be several times slower. Parallel
// workers help one request and harm eight at a time. All else is left to the planner: keeping the best SQL to index-only
// scans, or telling that pages are in memory, made both rivals slower with a million reports.
var settle = []string{`SET plan_cache_mode = force_custom_plan`, `SET max_parallel_workers_per_gather = 0`, `SET jit = off`}

// connect opens a connection of the rivals' own, whatever the pool's size is.
func (c *Config) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, c.Pool.Config().ConnConfig.Copy())
	if err != nil {
		return nil, err
	}
	for _, s := range settle {
		if _, err := conn.Exec(ctx, s); err != nil {
			conn.Close(ctx)
			return nil, err
		}
	}
	return conn, nil
}

// rival runs the statement over the list on all connections for the case's time and returns tiles a second. The reports
// of each answer go into sums, by request; two rivals that differ are an error.
func (c *Config) rival(ctx context.Context, of func(Pick) statement, k Case, requests []Request, sums map[int]uint64) (float64, error) {
	st := of(k.Pick)
	var next, tiles atomic.Int64
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	begin := make(chan struct{})
	var deadline time.Time
	found := make([]map[int]uint64, Connections)
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if failed == nil {
			failed = err
		}
	}
	for worker := range Connections {
		conn, err := c.connect(ctx)
		if err != nil {
			fail(err)
			break
		}
		var first []byte // loads what PostGIS keeps for a connection
		if err := conn.QueryRow(ctx, st.text, st.arguments(requests[0])...).Scan(&first); err != nil {
			fail(err)
		}
		found[worker] = map[int]uint64{}
		wg.Go(func() {
			defer conn.Close(ctx)
			<-begin
			for time.Now().Before(deadline) {
				i := int(next.Add(1)-1) % len(requests)
				var tile []byte
				if err := conn.QueryRow(ctx, st.text, st.arguments(requests[i])...).Scan(&tile); err != nil {
					fail(err)
					return
				}
				tiles.Add(1)
				n, err := reportsIn(tile)
				if err != nil {
					fail(err)
					return
				}
				found[worker][i] = n
			}
		})
	}
	started := time.Now()
	deadline = started.Add(c.Each)
	close(begin)
	wg.Wait()
	took := time.Since(started)
	if failed != nil {
		return 0, failed
	}
	for _, part := range found {
		for i, n := range part {
			if other, ok := sums[i]; ok && other != n {
				return 0, fmt.Errorf("request %d: SQL counts %d reports, and %d another way", i, n, other)
			}
		}
		maps.Copy(sums, part)
	}
	return float64(tiles.Load()) / took.Seconds(), nil
}
