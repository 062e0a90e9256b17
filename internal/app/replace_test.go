package app_test

import (
	"fmt"
	"testing"

	"gridgov/internal/app/apptest"
	"gridgov/internal/report"
)

// A run that finds its work done says that it changed nothing, whatever earlier runs of the plan changed.
func TestReplaceAgain(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	p := apptest.Center(1, 1)
	p[0] += 0.4 * apptest.Step
	for i := range 3 {
		n := report.New{ExternalID: fmt.Sprint(i), Source: "web", Item: "01", CapturedAt: apptest.Now, X: &p[0], Y: &p[1]}
		n.ID[0], n.ID[6], n.ID[8] = byte(i), 0x70, 0x80
		if _, _, err := c.Reports.File(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	// The neighbour in the east reaches beyond the point now.
	apptest.Publish(t, c, "second", -0.3*apptest.Step, apptest.Now.AddDate(0, -1, 0))
	for run, here := range []int64{3, 0} {
		r, err := c.Replace(t.Context(), c.State().Placer, nil)
		if err != nil || r.Changed != 3 || r.Here != here {
			t.Errorf("run %d: %+v, %v; want %d changed here", run, r, err, here)
		}
	}
}
