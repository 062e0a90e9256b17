package report_test

import (
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// row is the i-th of a made table, in one of the 16 grids.
func row(i int) report.Row {
	p := apptest.Center(i%4, i/4%4)
	return report.Row{Line: i + 2, New: report.New{ExternalID: fmt.Sprintf("R%d", i), Source: "import", Item: "01",
		CapturedAt: apptest.Now.Add(-time.Duration(i) * time.Minute), X: &p[0], Y: &p[1]}}
}

func table(from, to int, change func(*report.Row)) iter.Seq2[report.Row, *report.Reject] {
	return func(yield func(report.Row, *report.Reject) bool) {
		for i := from; i < to; i++ {
			r := row(i)
			if change != nil {
				change(&r)
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// tally imports and returns what was done, with the rejects by line.
func tally(t *testing.T, c *app.City, rows iter.Seq2[report.Row, *report.Reject], create bool) (report.Imported, map[int]string) {
	t.Helper()
	rejects := map[int]string{}
	out, err := c.Reports.Import(t.Context(), rows, report.ImportOptions{CreateItems: create,
		Reject: func(r report.Reject) { rejects[r.Line] = r.Reason.Code }})
	if err != nil {
		t.Fatal(err)
	}
	if int(out.Rejected) != len(rejects) {
		t.Errorf("%d rejected, %d told", out.Rejected, len(rejects))
	}
	return out, rejects
}

func count(t *testing.T, c *app.City, sql string, args ...any) (n int) {
	t.Helper()
	if err := c.Pool.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestImportIsIdempotentAndResumes(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	if out, _ := tally(t, c, table(0, 7000, nil), true); out != (report.Imported{Added: 7000}) {
		t.Errorf("first: %+v", out)
	}
	if out, _ := tally(t, c, table(0, 12_345, nil), true); out != (report.Imported{Added: 5345, Present: 7000}) {
		t.Errorf("resumed: %+v", out)
	}
	if n := count(t, c, `SELECT count(*) FROM report r JOIN placement p ON p.report_num = r.num WHERE p.method = 'inside'`); n != 12_345 {
		t.Errorf("%d placed", n)
	}
	if n := count(t, c, `SELECT count(*) FROM placement WHERE grid = $1`, apptest.GridCode(3, 2)); n != 771 { // i%16 = 11
		t.Errorf("%d in one grid", n)
	}
	// The same rows again, one with other content, and one twice in the file.
	out, rejects := tally(t, c, func(yield func(report.Row, *report.Reject) bool) {
		changed := row(3)
		changed.New.Title = "changed"
		twice := row(20_000)
		_ = yield(row(1), nil) && yield(changed, nil) && yield(twice, nil) && yield(twice, nil)
	}, true)
	if out != (report.Imported{Added: 1, Present: 2, Rejected: 1}) || rejects[5] != "other_content" {
		t.Errorf("%+v %v", out, rejects)
	}
}

func TestImportRejectsRowsAlone(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	bad := map[int]func(*report.Row){
		2: func(r *report.Row) { r.New.Item = "77" },
		3: func(r *report.Row) { r.New.X, r.New.Y = r.New.Y, r.New.X },
		4: func(r *report.Row) { r.New.X = nil },
		5: func(r *report.Row) { r.New.CapturedAt = time.Time{} },
		6: func(r *report.Row) { r.New.Title = "a\x00b" },
	}
	rows := table(0, 100, func(r *report.Row) {
		if f := bad[r.Line]; f != nil {
			f(r)
		}
	})
	out, rejects := tally(t, c, rows, false)
	if out.Added != 95 || out.Rejected != 5 {
		t.Errorf("%+v", out)
	}
	for line, code := range map[int]string{2: "unknown_item", 3: "swapped", 4: "half_a_point", 5: "required", 6: "control_character"} {
		if rejects[line] != code {
			t.Errorf("line %d is rejected for %q, want %q", line, rejects[line], code)
		}
	}
	// With items created, the first goes in; the others stay out.
	if out, _ := tally(t, c, rows, true); out.Added != 1 || out.Present != 95 || out.Rejected != 4 {
		t.Errorf("with items created: %+v", out)
	}
}

func TestTwoImportsOfTheSameFileAtOnce(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var added, present int64
	for range 3 {
		wg.Go(func() {
			out, err := c.Reports.Import(t.Context(), table(0, 6000, nil), report.ImportOptions{CreateItems: true})
			mu.Lock()
			defer mu.Unlock()
			added, present = added+out.Added, present+out.Present
			if err != nil || out.Added+out.Present != 6000 {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
	wg.Wait()
	if added != 6000 || present != 12_000 {
		t.Errorf("added %d, present %d", added, present)
	}
	if n := count(t, c, `SELECT count(*) FROM report`); n != 6000 {
		t.Errorf("%d reports", n)
	}
	if n := count(t, c, `SELECT sum((data->>'count')::int) FROM event WHERE type = 'report.imported'`); n != 6000 {
		t.Errorf("the feed tells of %d", n)
	}
}

func TestProjectedImportIsBroughtToDegrees(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	p := apptest.Center(2, 1)
	var x, y float64
	if err := c.Pool.QueryRow(t.Context(), `SELECT ST_X(g), ST_Y(g) FROM ST_Transform(ST_SetSRID(ST_MakePoint($1, $2), 4490), 4549) g`, p[0], p[1]).Scan(&x, &y); err != nil {
		t.Fatal(err)
	}
	out, rejects := tally(t, c, table(0, 1, func(r *report.Row) { r.New.X, r.New.Y, r.New.CRS = &x, &y, "EPSG:4549" }), true)
	if out.Added != 1 {
		t.Fatalf("%+v %v", out, rejects)
	}
	if n := count(t, c, `SELECT count(*) FROM placement WHERE grid = $1`, apptest.GridCode(2, 1)); n != 1 {
		t.Error("it lies elsewhere")
	}
	r, err := c.Reports.Get(t.Context(), 1)
	if err != nil || r.CRS != "EPSG:4549" {
		t.Errorf("its system is kept as %q, %v", r.CRS, err)
	}
}

func TestMappingReadsLocalTimes(t *testing.T) {
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	base := map[string]string{"id": " 7 ", "item": " S05 ", "lon": "120.6", "lat": "30.5"}
	for _, c := range []struct {
		at, want string
		localZ   bool
	}{
		{"2016-07-08T00:19:28Z", "2016-07-08T00:19:28Z", false}, {"2016-07-08T00:19:28Z", "2016-07-08T04:19:28Z", true},
		{"2016-01-08 00:19", "2016-01-08T05:19:00Z", false}, {"2016-07-08T08:00:00+08:00", "2016-07-08T00:00:00Z", false}, {"8 July 2016", "", false},
	} {
		base["at"] = c.at
		r, bad := report.RowOptions{Zone: ny, LocalZ: c.localZ}.Row(5, base)
		if c.want == "" {
			if bad == nil || bad.Field != "at" || bad.Line != 5 {
				t.Errorf("%s: %v", c.at, bad)
			}
			continue
		}
		if bad != nil || r.New.CapturedAt.UTC().Format(time.RFC3339) != c.want || r.New.ExternalID != "7" || r.New.Item != "S05" {
			t.Errorf("%s: %+v %v", c.at, r.New, bad)
		}
	}
	for _, m := range []string{"", "id=A", "id=A,at=B,item=C", "id=A,at=B,item=C,lon=D", "id=A,at=B,item=C,lon=D,lat=E,colour=F", "id=A,id=B"} {
		if _, err := report.ParseMapping(m); err == nil {
			t.Errorf("%q is taken", m)
		}
	}
}
