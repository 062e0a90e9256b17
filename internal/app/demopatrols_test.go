package app_test

import (
	"fmt"
	"slices"
	"testing"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/demo/haining"
	"gridgov/internal/patrol"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
)

// patrolsOfHaining looks whether the village of the demo's accounts is gone by as one would be: a point in most grids, gaps of both kinds,
// visits that count and some that do not, points that are due and points that are not.
func patrolsOfHaining(t *testing.T, c *app.City) {
	ctx := t.Context()
	points, err := c.Patrols.Points(ctx)
	if err != nil {
		t.Fatal(err)
	}
	states, counts, too := map[patrol.State]int{}, 0, 0
	for i := range points {
		p := &points[i]
		if !p.Generated || p.Cell.Village != haining.VillageCode || p.Cell.Microgrid == "" {
			t.Errorf("%+v", p)
		}
		states[p.Standing(apptest.Now, c.Zone).State]++
		visits, err := c.Patrols.Visits(ctx, p.ID, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for k := range visits {
			v := &visits[k]
			if v.Counts() {
				counts++
			}
			if slices.Contains(v.Flags(), patrol.TooFar) {
				too++
			}
			if !v.Generated || !v.There || v.At.After(apptest.Now) || v.ToldAt.Before(v.At) || v.Post == 0 {
				t.Errorf("%+v", v)
			}
		}
	}
	if len(points) < 6 || states[patrol.Never] == 0 || states[patrol.Overdue] == 0 || states[patrol.OK] == 0 || counts < 30 || too == 0 || too > counts/4 {
		t.Errorf("%d points, %v, %d visits that count, %d too far", len(points), states, counts, too)
	}
	tallies, err := c.Patrols.Tallies(ctx, apptest.Now.AddDate(0, 0, -30), apptest.Now)
	if err != nil {
		t.Fatal(err)
	}
	village := policy.Area{Level: policy.Village, Code: haining.VillageCode}
	cover := patrol.Cover(c.Area(), c.GridCells(), func(cell *policy.Cell) bool { return cell.In(village) }, tallies)
	missed := cover.Total.Visited.N - cover.Total.Visited.Part - cover.Total.NoPoint
	if cover.Total.Visited.Part < 3 || missed == 0 || cover.Total.NoPoint == 0 || len(cover.Areas) != 1 {
		t.Errorf("%+v of %d points", cover.Total, len(points))
	}
	t.Logf("%+v of %d points, %v, %d visits that count, %d too far", cover.Total, len(points), states, counts, too)
}

// A demo whose patrols were cut off in the middle is made whole by the next start, and what was there is as it was.
func patrolsGoOn(t *testing.T, c *app.City, db *postgres.Database, load func(app.Demo) error) {
	all := func() (rows []string) {
		for _, sql := range []string{`SELECT name, lon, lat, rhythm_days, made_at FROM patrol_point ORDER BY lon, lat`,
			`SELECT v.id, p.lon, p.lat, v.person_id, v.at, v.told_at, v.lon, v.lat, v.accuracy_m, v.within FROM patrol_visit v JOIN patrol_point p ON p.id = v.point_id ORDER BY v.id`} {
			for _, row := range tableRows(t, c.Pool, sql) {
				rows = append(rows, fmt.Sprint(row...))
			}
		}
		return rows
	}
	whole := all()
	for _, sql := range []string{`SET search_path = haining, public; DELETE FROM patrol_visit WHERE id::text > '8'`,
		`SET search_path = haining, public; DELETE FROM patrol_point p WHERE NOT EXISTS (SELECT FROM patrol_visit v WHERE v.point_id = p.id)`} {
		if _, err := db.Owner().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if part := all(); len(part) >= len(whole) || len(part) == 0 {
		t.Fatalf("%d of %d rows are left", len(part), len(whole))
	}
	if err := load(app.Demo{DB: db, Log: apptest.Quiet(), Now: apptest.Clock, Say: func(string, ...any) {}}); err != nil {
		t.Fatal(err)
	}
	if got := all(); !slices.Equal(got, whole) {
		t.Errorf("%d rows, %d before", len(got), len(whole))
	}
}
