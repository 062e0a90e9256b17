package app_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/demo/dc"
	"gridgov/internal/demo/haining"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

// demoCity loads a demo into a fresh database and opens its city.
func demoCity(t *testing.T, code string, load func(app.Demo) error) (*app.City, *postgres.Database) {
	t.Helper()
	db, _ := pgtest.Database(t)
	d := app.Demo{DB: db, Log: apptest.Quiet(), Now: apptest.Clock, Until: apptest.Now.AddDate(0, 0, -1), Say: func(string, ...any) {}}
	if err := load(d); err != nil {
		t.Fatal(err)
	}
	c := openCity(t, db, code)
	head, err := feed.Head(t.Context(), c.Pool)
	if err != nil {
		t.Fatal(err)
	}
	if set, err := c.Auth.Settings(t.Context()); err != nil || !set.PublicMap || !set.ResidentReports || set.RequireTOTPAdmin {
		t.Errorf("the demo is shown to nobody who has not signed in: %+v, %v", set, err)
	}
	if err := load(d); err != nil {
		t.Fatal(err)
	}
	if again, err := feed.Head(t.Context(), c.Pool); err != nil || again != head {
		t.Errorf("loaded again, the demo moves its feed from %s to %s, %v", head, again, err)
	}
	if err := c.Auth.SetSettings(t.Context(), auth.Settings{RequireTOTPAdmin: true}); err != nil {
		t.Fatal(err)
	}
	if err := load(d); err != nil {
		t.Fatal(err)
	}
	if set, err := c.Auth.Settings(t.Context()); err != nil || set != (auth.Settings{RequireTOTPAdmin: true}) {
		t.Errorf("loaded again, the demo is opened against its administrator's choice: %+v, %v", set, err)
	}
	return c, db
}

func openCity(t *testing.T, db *postgres.Database, code string) *app.City {
	t.Helper()
	info, err := db.City(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Open(t.Context(), db, info, nil, apptest.Quiet(), apptest.Clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// table reads a CSV file as rows by column name.
func table(t *testing.T, r io.Reader) []map[string]string {
	t.Helper()
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		out = append(out, row)
	}
	return out
}

// TestWashingtonAgreesWithItsLabels places the official reports in the official boundaries and holds each against the
// ward that the city wrote on it.
func TestWashingtonAgreesWithItsLabels(t *testing.T) {
	c, _ := demoCity(t, dc.Code, func(d app.Demo) error { return d.DC(t.Context()) })
	file, err := dc.Open(dc.ReportsFile)
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, row := range table(t, file) {
		labels[row["request_id"]] = row[dc.WardLabel]
	}
	var exported bytes.Buffer
	n, err := c.ExportPlacements(t.Context(), &exported)
	if err != nil || n != dc.Reports {
		t.Fatalf("%d placements, %v", n, err)
	}
	labelled := 0
	var disagree []string // lines of the table
	for _, row := range table(t, &exported) {
		if row["town"] == "" || row["village"] == "" || row["grid"] == "" || (row["method"] != "inside" && row["method"] != "edge") {
			t.Errorf("report %s: %v", row["id"], row)
		}
		label := labels[row["id"]]
		if label == "" || label == "NULL" {
			continue
		}
		labelled++
		if label == row["town"] {
			continue
		}
		var toBorderM, sourceM float64
		err := c.Pool.QueryRow(t.Context(), `
			SELECT ST_Distance(ST_Boundary(ST_SetSRID(a.geom, 4326))::geography, p), ST_Distance(ST_SetSRID(b.geom, 4326)::geography, p)
			FROM boundary a, boundary b, (SELECT ST_SetSRID(ST_MakePoint($1::text::float8, $2::text::float8), 4326)::geography AS p) q
			WHERE a.role = 'town' AND a.code = $3 AND b.role = 'town' AND b.code = $4`,
			row["lon"], row["lat"], row["town"], label).Scan(&toBorderM, &sourceM)
		if err != nil {
			t.Fatal(err)
		}
		disagree = append(disagree, fmt.Sprintf("| %s | %s | %s | %.2f |\n", row["id"], label, row["town"], 1000*toBorderM))
		if toBorderM > 0.001 || math.IsNaN(sourceM) {
			t.Errorf("report %s disagrees with its label and lies %.6f m from the border", row["id"], toBorderM)
		}
	}
	if labelled != dc.LabelledIn || float64(len(disagree)) > 0.002*float64(labelled) {
		t.Errorf("%d labelled, %d disagree", labelled, len(disagree))
	}
	compareLabels(t, labelled, disagree)
	t.Run("ST_Covers", func(t *testing.T) { coversEverywhere(t, c) })
	// Every report also lies where ST_Covers puts it on the boundaries as published.
	for role, file := range map[string]string{"grid": dc.SMDsFile, "village": dc.ANCsFile, "town": dc.WardsFile} {
		geojson := readAll(t, file)
		field := map[string]string{"grid": "SMD_ID", "village": "ANC_ID", "town": "WARD_ID"}[role]
		rows, err := c.Pool.Query(t.Context(), `
			WITH source AS MATERIALIZED (
				SELECT f->'properties'->>$2 AS code, ST_SetSRID(ST_GeomFromGeoJSON(f->>'geometry'), 4490) AS geom
				FROM jsonb_array_elements($1::jsonb->'features') f),
			point AS MATERIALIZED (
				SELECT r.num, ST_SetSRID(ST_MakePoint(r.lon, r.lat), 4490) AS geom, CASE $3 WHEN 'grid' THEN p.grid WHEN 'village' THEN p.village ELSE p.town END AS code
				FROM report r JOIN placement p ON p.report_num = r.num),
			-- The polygons outside, the points inside: PostGIS prepares each polygon once.
			covered AS (
				SELECT c.num, min(s.code COLLATE "C") AS code
				FROM source s CROSS JOIN LATERAL (SELECT num FROM point WHERE ST_Covers(s.geom, point.geom) OFFSET 0) c GROUP BY c.num)
			SELECT point.num, (SELECT min(ST_Distance(ST_Boundary(ST_SetSRID(s.geom, 4326))::geography, ST_SetSRID(point.geom, 4326)::geography)) FROM source s WHERE ST_DWithin(s.geom, point.geom, 1e-5))
			FROM point LEFT JOIN covered USING (num) WHERE point.code IS DISTINCT FROM covered.code ORDER BY point.num`,
			geojson, field, role)
		if err != nil {
			t.Fatal(err)
		}
		var num int64
		var borderM float64
		_, err = pgx.ForEachRow(rows, []any{&num, &borderM}, func() error {
			t.Logf("%s: report number %d lies %.4f mm from a border that was repaired", role, num, 1000*borderM)
			if role != "village" || borderM > 0.001 { // ANCs were given the union of their SMDs
				t.Errorf("%s: report number %d lies elsewhere than ST_Covers on the published polygons, %.4f mm from the border", role, num, 1000*borderM)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

var update = flag.Bool("update", false, "write what is compared with committed files")

// compareLabels holds the disagreements against the table in the documentation, or writes it.
func compareLabels(t *testing.T, labelled int, disagree []string) {
	t.Helper()
	const file = "../../docs/washington-labels.md"
	slices.Sort(disagree)
	got := fmt.Sprintf(`# Where Washington's ward labels disagree

The city wrote a ward on %d of its 311 reports. %d of them (%.2f %%) lie in that ward of the official boundaries; the other
%d are these. Each lies less than a millimetre from the border of the two wards.

`+"`go test ./internal/app -run Washington -update`"+` writes this page; without -update the test compares it.

| Report | Label | Ward placed | From its border, mm |
|---|---|---|---|
%s`, labelled, labelled-len(disagree), 100*float64(labelled-len(disagree))/float64(labelled), len(disagree), strings.Join(disagree, ""))
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s is not what the reports say, %v; look at this, then run with -update:\n%s", file, err, got)
	}
}

func readAll(t *testing.T, name string) string {
	t.Helper()
	f, err := dc.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHainingIsWholeAndItsPlacesArePostGISs loads the generated city and asks PostGIS about every placement.
func TestHainingIsWholeAndItsPlacesArePostGISs(t *testing.T) {
	load := func(d app.Demo) error { return d.Haining(t.Context()) }
	c, db := demoCity(t, haining.Code, load)
	l := c.State().Layout
	want := map[string]int{"city": 1, "town": haining.Towns, "village": haining.Villages}
	for i, lv := range l.Levels {
		if n, ok := want[string(lv.Role)]; ok && n != len(lv.Units) {
			t.Errorf("%d units of level %s", len(lv.Units), lv.Role)
		}
		if lv.Nests != (i > 0) {
			t.Errorf("level %s nests: %v", lv.Role, lv.Nests)
		}
	}
	var reports, unplaced, geocoded, generated int
	err := c.Pool.QueryRow(t.Context(), `
		SELECT count(*), count(*) FILTER (WHERE p.method = 'unplaced'), count(*) FILTER (WHERE p.method = 'geocoded'), count(*) FILTER (WHERE r.generated)
		FROM report r JOIN placement p ON p.report_num = r.num`).Scan(&reports, &unplaced, &geocoded, &generated)
	if err != nil || reports != haining.Total || generated != reports || unplaced == 0 || geocoded == 0 {
		t.Errorf("%d reports, %d generated, %d unplaced, %d geocoded, %v", reports, generated, unplaced, geocoded, err)
	}
	t.Run("ST_Covers", func(t *testing.T) { coversEverywhere(t, c) })
	t.Run("teams", func(t *testing.T) { teamsOfHaining(t, c) })
	t.Run("proposals", func(t *testing.T) { hotspotsOfHaining(t, c) })
	t.Run("effects", func(t *testing.T) { effectsInHaining(t, c, db) })
	t.Run("patrols", func(t *testing.T) { patrolsOfHaining(t, c) })
	t.Run("patrols that were cut off", func(t *testing.T) { patrolsGoOn(t, c, db, load) })
	if pl := c.State().Placer; pl.PlanID == 0 {
		t.Error("no plan is in force")
	}
	if n := wholeCases(t, c); n != reports {
		t.Errorf("%d cases of %d reports", n, reports)
	}
	if n := counted(t, c, `SELECT count(*) FROM cases WHERE rule = 0 AND report_num IN (SELECT report_num FROM placement WHERE grid IS NOT NULL)`); n > 0 {
		t.Errorf("no rule decided about %d placed reports", n)
	}
	if n := counted(t, c, `SELECT count(DISTINCT unit_id) FROM cases`); n < haining.Towns+5 {
		t.Errorf("%d units have cases", n)
	}
	if n := counted(t, c, `SELECT count(DISTINCT state) FROM cases WHERE state IN ('reported', 'dispatched', 'returned', 'disposing', 'suspended')`); n != 5 {
		t.Errorf("open cases are in %d of five states", n)
	}
	if demo, err := c.Auth.DemoAccounts(t.Context()); err != nil || len(demo) != 21 {
		t.Errorf("%d demo accounts, %v", len(demo), err)
	}
	in, err := c.Auth.SignIn(t.Context(), auth.Attempt{Login: "grid_worker", Password: app.DemoPassword})
	if err != nil || len(in.Identity.Actor.Posts) != 1 || !l.Has(in.Identity.Actor.Posts[0].Area.Code) {
		t.Errorf("the grid worker signs in as %+v, %v", in.Identity, err)
	}
	if _, p := c.State().Placer.Address("海宁市长安镇褚石村"); p.Village != "330481103200" || p.Method != "geocoded" {
		t.Errorf("the address lies in %+v", p)
	}
	if b := l.Bound; !b.Contains(orb.Point{120.69, 30.53}) {
		t.Errorf("bound %v", b)
	}
	var first, last time.Time
	if err := c.Pool.QueryRow(t.Context(), `SELECT min(captured_at), max(captured_at) FROM report`).Scan(&first, &last); err != nil || last.After(apptest.Now) || last.Sub(first) < 728*24*time.Hour {
		t.Errorf("from %v to %v, %v", first, last, err)
	}
}

// TestWashingtonsReportsAreCases holds the cases of the 311 reports against what the city itself did with them.
func TestWashingtonsReportsAreCases(t *testing.T) {
	c, _ := demoCity(t, dc.Code, func(d app.Demo) error { return d.DC(t.Context()) })
	if n := wholeCases(t, c); n != dc.Reports {
		t.Errorf("%d cases", n)
	}
	type kept struct {
		state, unit string
		opened      time.Time
		closed, due *time.Time
		late        bool
	}
	cases := map[string]kept{}
	rows, err := c.Pool.Query(t.Context(), `
		SELECT r.external_id, c.state, u.name, c.opened_at, c.closed_at, k.due_at, coalesce(k.late, false)
		FROM report r JOIN cases c ON c.report_num = r.num JOIN unit u ON u.id = c.unit_id
			LEFT JOIN clock k ON k.report_num = r.num AND k.kind IN ('disposal', 'first')`)
	if err != nil {
		t.Fatal(err)
	}
	var id string
	var k kept
	if _, err := pgx.ForEachRow(rows, []any{&id, &k.state, &k.unit, &k.opened, &k.closed, &k.due, &k.late}, func() error { cases[id] = k; return nil }); err != nil {
		t.Fatal(err)
	}
	summer := time.FixedZone("EDT", -4*60*60) // as docs/washington-limits.md found
	clock := func(s string) time.Time {
		at, err := time.ParseInLocation("2006-01-02T15:04:05Z", s, summer)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	closed, dues, foretold, agree := 0, 0, 0, 0
	for _, row := range table(t, strings.NewReader(readAll(t, dc.ReportsFile))) {
		if row["request_id"] == "" {
			continue
		}
		k, ok := cases[row["request_id"]]
		if !ok {
			t.Errorf("%s has no case", row["request_id"])
			continue
		}
		if !strings.HasPrefix(k.unit, row["agency"]+" ") {
			t.Errorf("%s is %s's, and the file says %s", row["request_id"], k.unit, row["agency"])
		}
		if (k.state == "closed") != (row["resolved"] != "") || (k.state == "dispatched") != (row["resolved"] == "") {
			t.Errorf("%s is %s, resolved %q", row["request_id"], k.state, row["resolved"])
		}
		if row["resolved"] != "" {
			closed++
		}
		if row["due"] == "" {
			continue
		}
		dues++
		due := clock(row["due"])
		if off := k.due.Sub(due); off > -time.Minute && off < time.Minute {
			foretold++
		}
		if row["resolved"] != "" && k.late == clock(row["resolved"]).After(due) {
			agree++
		}
	}
	t.Logf("%d closed; of %d dues %d are ours within a minute; of the closed %d are late or in time by both", closed, dues, foretold, agree)
	hotspotsAreR(t, c)
	if closed != dc.Reports-6809 || 1000*foretold < 995*dues || 1000*agree < 995*closed {
		t.Errorf("%d closed, %d of %d dues, %d agree", closed, foretold, dues, agree)
	}
}
