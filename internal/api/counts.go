package api

import (
	"net/http"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/report"
)

// maxBuckets bounds a histogram: 730 days and then some, or 90 days by the hour.
const maxBuckets = 4000

func (a *api) countReports(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	f := q.filter(c.Zone, c.at)
	bound := q.bbox()
	bucket := q.get("bucket")
	spanFrom, spanTo := q.time("span_from", c.Zone), q.time("span_to", c.Zone)
	if bucket == "" {
		bucket = "day"
	}
	step, ok := steps[bucket]
	if !ok {
		q.fail(fault.Invalid("bucket", "unknown_value", "%.40q is none of hour, day, week, month", bucket))
	}
	if err := q.done(); err != nil {
		return err
	}
	at, view, names := c.Applied(), c.View(), c.Names()
	if spanFrom.IsZero() || spanTo.IsZero() {
		first, last, any := c.span(view, &c.reach)
		if any && spanFrom.IsZero() {
			spanFrom = first
		}
		if any && spanTo.IsZero() {
			spanTo = last.Add(time.Second)
		}
	}
	starts := bucketStarts(step, spanFrom.In(c.Zone), spanTo)
	if len(starts) > maxBuckets {
		return fault.Invalid("bucket", "too_many", "the span has more than %d buckets: choose a wider bucket or a shorter span", maxBuckets)
	}
	all := c.cut(f.cube(c))
	nowhere := 0
	if c.reach.City { // who sees a part of the city sees what lies in it
		rest := f.query(c)
		rest.Nowhere = true
		var err error
		if nowhere, err = c.Reports.Count(r.Context(), rest); err != nil {
			return err
		}
	}
	out := Counts{Nowhere: nowhere, Total: int(view.Count(all, bound)), All: int(view.Count(c.cut(cube.Filter{}), nil)), ByItem: map[string]int{}, ByKind: map[string]int{}, BySource: map[string]int{}, Seq: int(at.Seq)}
	byItem(&out, view, names, f.ofAspects(c, all), bound)
	kinds := all
	for k := range len(report.Kinds) + 1 {
		kinds.Kinds = 1 << k
		name := "none"
		if k > 0 {
			name = string(report.Kinds[k-1])
		}
		out.ByKind[name] = int(view.Count(kinds, bound))
	}
	sources := all
	for s, name := range report.Sources {
		sources.Sources = 1 << s
		out.BySource[string(name)] = int(view.Count(sources, bound))
	}
	c.countFates(&out, view, f, bound)
	out.Histogram.Bucket = bucket
	out.Histogram.Starts, out.Histogram.Counts = []int{}, []int{}
	if len(starts) > 1 {
		whole := all
		whole.From, whole.To = 0, 0
		edges := make([]uint32, len(starts))
		for i, t := range starts {
			edges[i] = uint32(min(max(t.Unix(), 0), 1<<32-1))
		}
		for i, n := range view.Histogram(whole, bound, edges) {
			out.Histogram.Starts = append(out.Histogram.Starts, int(starts[i].Unix()))
			out.Histogram.Counts = append(out.Histogram.Counts, int(n))
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

func byItem(out *Counts, view cube.View, names *app.Names, f cube.Filter, bound *orb.Bound) {
	counts := make([]uint64, len(names.Names.Items))
	view.CountByItem(f, bound, counts)
	for _, i := range names.Items {
		out.ByItem[i.Code] = int(counts[i.Num])
	}
}

// steps give the start of the bucket that holds t, and of the next one, in t's zone: days and months are as long as the
// calendar has them.
var steps = map[string]func(t time.Time) (start, next time.Time){
	"hour": func(t time.Time) (time.Time, time.Time) {
		// By the wall clock, but stepping in real time, so that the hour of a changed clock comes twice.
		s := t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
		return s, s.Add(time.Hour)
	},
	"day": func(t time.Time) (time.Time, time.Time) {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, t.Location()), time.Date(y, m, d+1, 0, 0, 0, 0, t.Location())
	},
	"week": func(t time.Time) (time.Time, time.Time) { // from Monday
		y, m, d := t.Date()
		d -= (int(t.Weekday()) + 6) % 7
		return time.Date(y, m, d, 0, 0, 0, 0, t.Location()), time.Date(y, m, d+7, 0, 0, 0, 0, t.Location())
	},
	"month": func(t time.Time) (time.Time, time.Time) {
		y, m, _ := t.Date()
		return time.Date(y, m, 1, 0, 0, 0, 0, t.Location()), time.Date(y, m+1, 1, 0, 0, 0, 0, t.Location())
	},
}

// bucketStarts lists the starts of the buckets that cover [from, to), and the end of the last.
func bucketStarts(step func(time.Time) (time.Time, time.Time), from, to time.Time) []time.Time {
	if from.IsZero() || !from.Before(to) {
		return nil
	}
	start, next := step(from)
	out := []time.Time{start, next}
	for next.Before(to) && len(out) <= maxBuckets+1 {
		_, next = step(next)
		out = append(out, next)
	}
	return out
}
