package citybench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/bench/tilebench"
	"gridgov/internal/feed"
	"gridgov/internal/report"
)

// Spots files a report, waits until the map has it, and asks for a tile of hot spots, or of a density, of which nothing is kept then; so often.
func (b *Bench) Spots(ctx context.Context, live *app.Live, h http.Handler, rounds int) ([]First, error) {
	base := "/" + live.Code + "/v1/tiles/"
	now := time.Now().UTC().Format(time.DateOnly)
	var out []First
	for _, m := range []struct{ what, path string }{
		{"hot spots, all, by month", "hotspots/9/427/210?from=2023-01-01&to=" + now + "&step=month"},
		{"hot spots, an item, a month by day", "hotspots/9/427/210?item=03&from=2024-11-01&to=2024-12-01&step=day"},
		{"a district, all, by month", "hotspots/13/6840/3368?from=2023-01-01&to=" + now + "&step=month"},
		{"density, all", "heat/9/427/210?kernel=gaussian&bandwidth=500"},
	} {
		ask := func() (time.Duration, error) {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, base+m.path, nil)
			r.Host = "localhost"
			r.Header.Set("Accept-Encoding", "gzip")
			began := time.Now()
			h.ServeHTTP(w, r)
			took := time.Since(began)
			if w.Code != http.StatusOK {
				return 0, fmt.Errorf("%s: status %d: %.300s", m.path, w.Code, w.Body)
			}
			return took, nil
		}
		// Who neighbours whom, and which squares lie in the city, is found out once for a plan, not for a report.
		if _, err := ask(); err != nil {
			return nil, err
		}
		took := make([]time.Duration, rounds)
		for i := range took {
			lon, lat := 120.4+float64(i%300)/1000, 30.3+float64(i%200)/1000
			n := report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: "web", CapturedAt: time.Now(), Item: itemCode(1 + i%tilebench.Items), X: &lon, Y: &lat}
			if _, _, err := live.Reports.File(ctx, n); err != nil {
				return nil, err
			}
			head, err := feed.Head(ctx, live.Pool)
			if err == nil {
				err = live.WaitApplied(ctx, head)
			}
			if err == nil {
				took[i], err = ask()
			}
			if err != nil {
				return nil, err
			}
		}
		slices.Sort(took)
		out = append(out, First{What: m.what, P50: took[len(took)/2], P99: took[len(took)*99/100]})
	}
	return out, nil
}
