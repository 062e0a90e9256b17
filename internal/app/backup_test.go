package app_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

// TestRestoredCityHasTheSamePlacements backs a city up and restores it into an empty database.
func TestRestoredCityHasTheSamePlacements(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	for i := range 40 {
		p := apptest.Center(i%apptest.Side, i/apptest.Side%apptest.Side)
		p[0] -= 0.4 * apptest.Step // the second plan gives these to the western neighbour
		if i%10 == 9 {
			p[0] += 1 // far outside
		}
		_, _, err := c.Reports.File(t.Context(), report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: "web", CapturedAt: apptest.Now, Item: "01", X: &p[0], Y: &p[1]})
		if err != nil {
			t.Fatal(err)
		}
	}
	apptest.Publish(t, c, "second", 0.002, apptest.Now.AddDate(0, 0, -1))
	if _, err := c.Replace(t.Context(), c.State().Placer, nil); err != nil {
		t.Fatal(err)
	}
	before := placements(t, c)
	file := filepath.Join(t.TempDir(), "backup")
	opt := postgres.BackupOptions{At: apptest.Now}
	if _, err := db.Backup(t.Context(), file, opt); err != nil {
		t.Fatal(err)
	}
	empty, err := postgres.Connect(t.Context(), pgtest.URL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(empty.Close)
	if _, err := empty.Restore(t.Context(), file, opt); err != nil {
		t.Fatal(err)
	}
	restored := openCity(t, empty, c.Code)
	if after := placements(t, restored); after != before {
		t.Errorf("restored:\n%s\nwant\n%s", after, before)
	}
	if p := restored.State().Layout.Plan; p.Name != "second" {
		t.Errorf("plan %q is in force", p.Name)
	}
	var past int
	if err := restored.Pool.QueryRow(t.Context(), `SELECT count(*) FROM placement_past`).Scan(&past); err != nil {
		t.Fatal(err)
	}
	var pastBefore int
	if err := c.Pool.QueryRow(t.Context(), `SELECT count(*) FROM placement_past`).Scan(&pastBefore); err != nil || past != pastBefore || past == 0 {
		t.Errorf("%d past answers, had %d, %v", past, pastBefore, err)
	}
}

func placements(t *testing.T, c *app.City) string {
	t.Helper()
	var b bytes.Buffer
	if n, err := c.ExportPlacements(t.Context(), &b); err != nil || n != 40 {
		t.Fatalf("%d placements, %v", n, err)
	}
	return b.String()
}
