package citybench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"gridgov/internal/app"
)

// openOf is which share of the cases is open: one in so many.
const openOf = 10

// Settle ends all but a tenth of a city's cases, as they are in a city that has worked for a year, and takes it that of the open ones'
// late clocks was told: telling of a hundred thousand at once is no city's day.
func (b *Bench) Settle(ctx context.Context, c *app.City) error {
	for _, sql := range []string{
		`UPDATE clock SET stopped_at = greatest(started_at, now()), late = false, next_at = NULL WHERE stopped_at IS NULL AND report_num % $1 <> 0`,
		`UPDATE clock SET next_at = NULL WHERE next_at <= now() AND report_num % $1 = 0`,
		`UPDATE cases SET state = 'closed', version = version + 1, closed_at = greatest(opened_at, now()), settled_by = 'town_team', amber_at = NULL, due_at = NULL WHERE report_num % $1 <> 0`,
	} {
		if _, err := c.Pool.Exec(ctx, sql, openOf); err != nil {
			return fmt.Errorf("settle cases: %w", err)
		}
	}
	for _, table := range written { // as the database does by itself in a while
		if _, err := b.DB.Owner().Exec(ctx, `VACUUM ANALYZE `+c.Code+`.`+table); err != nil {
			return err
		}
	}
	return nil
}

// First is how long answers took until their first byte.
type First struct {
	What     string
	P50, P99 time.Duration
}

// Queue asks for what the desk's page asks for, one after the other: pages of the queue under its filters, and cases.
func (b *Bench) Queue(ctx context.Context, live *app.Live, h http.Handler, requests int) ([]First, error) {
	base := "/" + live.Code + "/v1"
	open, err := body[struct {
		Total int
		Cases []struct{ Ref string }
	}](ctx, h, base+"/cases?count=true&limit=200")
	if err != nil {
		return nil, err
	}
	if len(open.Cases) == 0 {
		return nil, fmt.Errorf("no case is open of %d", b.Reports)
	}
	b.say("  %d cases, of which %d are open", b.Reports, open.Total)
	var out []First
	for _, m := range []struct {
		what string
		path func(i int) string
	}{
		{"queue page, counted", func(int) string { return "/cases?count=true&limit=100" }},
		{"queue page, filtered", func(i int) string {
			return fmt.Sprintf("/cases?count=true&limit=100&item=%s&colour=red,amber", itemCode(1+i%10))
		}},
		{"counts of the views", func(int) string { return "/views" }},
		{"case", func(i int) string { return "/cases/" + open.Cases[i%len(open.Cases)].Ref }},
		{"case, of all", func(i int) string { return fmt.Sprintf("/cases/%d", 1+(i*7919)%b.Reports) }},
	} {
		took := make([]time.Duration, requests)
		for i := range took {
			w := &firstByte{ResponseRecorder: httptest.NewRecorder()}
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, base+m.path(i), nil)
			r.Host = "localhost"
			began := time.Now()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				return nil, fmt.Errorf("%s: status %d: %s", r.URL, w.Code, w.Body)
			}
			took[i] = w.at.Sub(began)
		}
		slices.Sort(took)
		out = append(out, First{m.what, took[len(took)/2], took[len(took)*99/100]})
	}
	return out, nil
}

// firstByte notes when an answer's first byte was written.
type firstByte struct {
	*httptest.ResponseRecorder
	at time.Time
}

func (w *firstByte) Write(p []byte) (int, error) {
	if w.at.IsZero() {
		w.at = time.Now()
	}
	return w.ResponseRecorder.Write(p)
}

// body reads an answer.
func body[T any](ctx context.Context, h http.Handler, path string) (out T, err error) {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.Host = "localhost"
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return out, fmt.Errorf("%s: status %d: %s", path, w.Code, w.Body)
	}
	err = json.Unmarshal(w.Body.Bytes(), &out)
	return out, err
}
