package report_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/report"
)

// answersOf maps reports to the grid and the plan of the answer in force.
func answersOf(t *testing.T, c *app.City) map[report.Num][2]string {
	t.Helper()
	rows, err := c.Pool.Query(t.Context(), `SELECT report_num, coalesce(grid, ''), coalesce(plan_id::text, '') FROM placement`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[report.Num][2]string{}
	for rows.Next() {
		var num report.Num
		var a [2]string
		if err := rows.Scan(&num, &a[0], &a[1]); err != nil {
			t.Fatal(err)
		}
		all[num] = a
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return all
}

// A re-placement that is broken off again and again, each time in the middle of its ranges, and that two run at once,
// comes to the same answers as one that is not, counts each change once and tells progress that never goes back.
func TestReplaceGoesOnWhereItStopped(t *testing.T) {
	report.ReplaceInSteps(t, 7, 3)
	const reports = 400
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	tally(t, c, table(0, reports, func(r *report.Row) {
		*r.New.X -= apptest.Step * float64(r.Line%5) / 10 // from the middle to the western border
	}), true)
	before := answersOf(t, c)
	apptest.Publish(t, c, "second", .0025, apptest.Now.AddDate(0, -1, 0))
	placer := c.State().Placer

	var mu sync.Mutex
	last := int64(0)
	done := false
	for run := 0; !done; run++ {
		if run > reports {
			t.Fatal("it never ends")
		}
		var work sync.WaitGroup
		for range 2 {
			work.Go(func() {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				steps := 0
				r, err := c.Reports.Replace(ctx, placer, func(p report.Replacing) {
					mu.Lock()
					defer mu.Unlock()
					if p.Done < 0 || p.Done > p.Total || p.Total != reports {
						t.Errorf("progress %+v", p)
					}
					last = max(last, p.Done)
					if steps++; steps == 6 {
						stop()
					}
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					done = done || r.Done == r.Total
				case !errors.Is(err, context.Canceled):
					t.Error(err)
				}
			})
		}
		work.Wait()
	}
	if last != reports {
		t.Errorf("progress ended at %d", last)
	}

	changed := 0
	for num, a := range answersOf(t, c) {
		var x, y float64
		if err := c.Pool.QueryRow(t.Context(), `SELECT lon, lat FROM report WHERE num = $1`, num).Scan(&x, &y); err != nil {
			t.Fatal(err)
		}
		want := placer.At([2]float64{x, y}, 0, report.LocatedPoint)
		if a[0] != want.Grid {
			t.Errorf("report %d lies in %q, not in %q", num, a[0], want.Grid)
		}
		if a[1] != before[num][1] {
			changed++
		} else if a[0] != before[num][0] {
			t.Errorf("report %d has another grid under the same plan", num)
		}
	}
	if changed < reports/10 || changed > reports*9/10 {
		t.Fatalf("%d answers changed: the test tells little", changed)
	}
	for what, n := range map[string]int{
		"counted": count(t, c, `SELECT changed FROM replacing WHERE plan_id = $1`, placer.PlanID),
		"kept":    count(t, c, `SELECT count(*) FROM placement_past`),
		"told":    count(t, c, `SELECT coalesce(sum(jsonb_array_length(data->'nums')), 0) FROM event WHERE type = 'report.replaced'`),
	} {
		if n != changed {
			t.Errorf("%d changes, %d %s", changed, n, what)
		}
	}
}
