package report_test

import (
	"testing"

	"gridgov/internal/app/apptest"
	"gridgov/internal/report"
)

// Points set within one tick of the clock are all on record, in their order, and so are the answers before them.
func TestPositionsWithinOneMicrosecond(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	p := apptest.Center(0, 0)
	num, _, err := c.Reports.File(t.Context(), report.New{ID: report.ID{1}, Source: "web", Item: "01", CapturedAt: apptest.Now, X: &p[0], Y: &p[1]})
	if err != nil {
		t.Fatal(err)
	}
	const moves = 4 // the city's clock stands
	for x := range moves {
		if err := c.Reports.SetPosition(t.Context(), num, apptest.Center(x, 3), "seen"); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, c, `SELECT count(*) FROM position_set WHERE report_num = $1`, num); n != moves {
		t.Errorf("%d positions are on record", n)
	}
	if n := count(t, c, `
		SELECT count(*) FROM (
			SELECT until, lead(since) OVER (ORDER BY since) AS next FROM (
				SELECT since, until FROM placement_past WHERE report_num = $1
				UNION ALL SELECT since, NULL FROM placement WHERE report_num = $1) a) b
		WHERE until = next`, num); n != moves {
		t.Errorf("%d answers end where the next begins", n)
	}
	var grid string
	if err := c.Pool.QueryRow(t.Context(), `SELECT grid FROM placement WHERE report_num = $1`, num).Scan(&grid); err != nil {
		t.Fatal(err)
	}
	if grid != apptest.GridCode(moves-1, 3) {
		t.Errorf("it lies in %s", grid)
	}
}
