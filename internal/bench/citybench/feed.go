package citybench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/bench/tilebench"
	"gridgov/internal/report"
)

// Feed are the figures of reports filed one by one, each acknowledged when it is on disk.
type Feed struct {
	Writers int
	Rate    float64 // reports a second, best of the rounds
}

// Feed files reports from many writers at once for a while.
func (b *Bench) Feed(ctx context.Context, c *app.City, writers int, each time.Duration) (Feed, error) {
	out := Feed{Writers: writers}
	for range b.Rounds {
		var filed atomic.Int64
		var failed atomic.Pointer[error]
		var wg sync.WaitGroup
		began := time.Now()
		for w := range writers {
			wg.Go(func() {
				for i := 0; time.Since(began) < each && failed.Load() == nil; i++ {
					lon, lat := 120.4+float64((w*31+i)%300)/1000, 30.3+float64(i%200)/1000
					id, err := uuid.NewV7()
					if err == nil {
						_, _, err = c.Reports.File(ctx, report.New{ID: report.ID(id), Source: "web", CapturedAt: time.Now(), X: &lon, Y: &lat, Item: itemCode(1 + i%tilebench.Items)})
					}
					if err != nil {
						failed.Store(&err)
						return
					}
					filed.Add(1)
				}
			})
		}
		wg.Wait()
		if p := failed.Load(); p != nil {
			return out, *p
		}
		out.Rate = max(out.Rate, float64(filed.Load())/time.Since(began).Seconds())
	}
	return out, nil
}
