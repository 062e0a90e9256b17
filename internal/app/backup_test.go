package app_test

import (
	"bytes"
	"maps"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/keyring"
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
	by := audit.Author{Person: uuid.New(), Post: 5, Address: "192.0.2.1"}
	if err := c.Reports.SetPosition(audit.By(t.Context(), by), 1, apptest.Center(2, 2), "looked"); err != nil {
		t.Fatal(err)
	}
	before, acts := placements(t, c), onRecord(t, c, c.Contacts.Ring)
	for act, want := range map[string]int{"report.file": 40, "report.position": 1, "plan.publish": 2, "plan.check": 2, "report.replace": 1, "items.set": 1} {
		if acts[act] != want {
			t.Errorf("%d acts %s are on record, want %d: %v", acts[act], act, want, acts)
		}
	}
	page, err := audit.List(t.Context(), c.Pool, audit.Query{Act: "report.position", Limit: 1})
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("%v, %v", page.Rows, err)
	}
	if r := page.Rows[0]; r.Subject != "report:1" || r.Person != by.Person || r.Post != 5 || r.Address != "192.0.2.1" ||
		!strings.Contains(string(r.Before), `"grid":"`) || !strings.Contains(string(r.After), `"grid":"`+apptest.GridCode(2, 2)+`"`) {
		t.Errorf("on record is %+v, %s → %s", r, r.Before, r.After)
	}
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
	for _, table := range []string{"cases", "clock", "regime"} {
		sql := `SELECT t::text FROM ` + table + ` t ORDER BY t::text`
		if after, before := tableRows(t, restored.Pool, sql), tableRows(t, c.Pool, sql); !reflect.DeepEqual(after, before) || len(after) == 0 {
			t.Errorf("%d rows of %s are restored, or are others than the %d before", len(after), table, len(before))
		}
	}
	wholeCases(t, restored)
	if after := placements(t, restored); after != before {
		t.Errorf("restored:\n%s\nwant\n%s", after, before)
	}
	if after := onRecord(t, restored, c.Contacts.Ring); !maps.Equal(after, acts) {
		t.Errorf("restored are the acts %v, want %v", after, acts)
	}
	if err := restored.SetAttribution(t.Context(), []string{"x"}); err != nil {
		t.Error(err)
	}
	if after := onRecord(t, restored, c.Contacts.Ring); after["attribution.set"] != 1 {
		t.Errorf("the record does not go on: %v", after)
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

// onRecord counts the acts on record, which must be a whole chain.
func onRecord(t *testing.T, c *app.City, keys *keyring.Ring) map[string]int {
	t.Helper()
	report, err := audit.Verify(t.Context(), c.Pool, audit.Keys(keys, c.Code))
	if err != nil || report.Fault != nil {
		t.Fatalf("%v, %v", report.Fault, err)
	}
	page, err := audit.List(t.Context(), c.Pool, audit.Query{Limit: 1000})
	if err != nil || int64(len(page.Rows)) != report.Rows {
		t.Fatalf("%d rows listed of %d, %v", len(page.Rows), report.Rows, err)
	}
	acts := map[string]int{}
	for _, r := range page.Rows {
		acts[r.Act]++
	}
	return acts
}

func placements(t *testing.T, c *app.City) string {
	t.Helper()
	var b bytes.Buffer
	if n, err := c.ExportPlacements(t.Context(), &b); err != nil || n != 40 {
		t.Fatalf("%d placements, %v", n, err)
	}
	return b.String()
}
