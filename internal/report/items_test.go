package report_test

import (
	"fmt"
	"strings"
	"testing"

	"gridgov/internal/app/apptest"
	"gridgov/internal/fault"
	"gridgov/internal/report"
)

// A row that does not go in leaves no item behind, whyever it does not.
func TestRejectedRowsCreateNoItems(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	tally(t, c, table(3, 4, nil), false)
	out, rejects := tally(t, c, table(0, 5, func(r *report.Row) {
		r.New.Item = fmt.Sprintf("new-%d", r.Line)
		switch r.Line {
		case 2:
			r.New.X, r.New.Y = r.New.Y, r.New.X
		case 3:
			r.New.Title = "a\x00b"
		case 4:
			r.New.Item = "4,new"
		case 6:
			r.ItemName = "a name"
		}
	}), true)
	if out != (report.Imported{Added: 1, Rejected: 4}) {
		t.Errorf("%+v", out)
	}
	for line, code := range map[int]string{2: "swapped", 3: "control_character", 4: "comma", 5: "other_content"} {
		if rejects[line] != code {
			t.Errorf("line %d is rejected for %q, want %q", line, rejects[line], code)
		}
	}
	list, err := c.Reports.Items(t.Context())
	if err != nil || len(list) != 3 || list[2].Code != "new-6" || list[2].Name != "a name" {
		t.Errorf("items %+v, %v", list, err)
	}
}

// A column that holds no item codes is found out before anything of it is kept.
func TestImportCreatesOnlySoManyItems(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	distinct := func(n int) func(*report.Row) {
		return func(r *report.Row) { r.New.Item = fmt.Sprintf("x%d", r.Line%n) }
	}
	_, err := c.Reports.Import(t.Context(), table(0, 12_000, distinct(9000)), report.ImportOptions{CreateItems: true})
	f, ok := fault.As(err)
	if !ok || f.Code != "too_many_items" || f.Field != "item" || f.Line == 0 || !strings.Contains(f.Message, "map item to") {
		t.Errorf("9000 items: %v", err)
	}
	if items, reports := count(t, c, `SELECT count(*) FROM item`), count(t, c, `SELECT count(*) FROM report`); items != 2 || reports != 0 {
		t.Errorf("%d items and %d reports are kept", items, reports)
	}
	if out, _ := tally(t, c, table(0, 12_000, distinct(1000)), true); out.Added != 12_000 {
		t.Errorf("1000 items: %+v", out)
	}
	if n := count(t, c, `SELECT count(*) FROM item`); n != 1002 {
		t.Errorf("%d items", n)
	}
}

// Items are numbered by smallint. The last one is told, and what is set again or refused uses no number up.
func TestItemNumbersEnd(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	if _, err := db.Owner().Exec(t.Context(), `ALTER TABLE testcity.item ALTER COLUMN num RESTART WITH 32767`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := c.Reports.SetItems(t.Context(), []report.Item{{Code: "01", Name: "renamed"}}); err != nil {
			t.Fatal(err)
		}
	}
	if out, rejects := tally(t, c, table(0, 1, func(r *report.Row) { r.New.Item = "last" }), true); out.Added != 1 {
		t.Errorf("%+v, %v", out, rejects)
	}
	_, err := c.Reports.Import(t.Context(), table(1, 2, func(r *report.Row) { r.New.Item = "one more" }), report.ImportOptions{CreateItems: true})
	if f, ok := fault.As(err); !ok || f.Code != "too_many_items" || f.Field != "item" {
		t.Errorf("imported: %v", err)
	}
	err = c.Reports.SetItems(t.Context(), []report.Item{{Code: "and more", Name: "x"}})
	if f, ok := fault.As(err); !ok || f.Code != "too_many_items" {
		t.Errorf("set: %v", err)
	}
	if n := count(t, c, `SELECT count(*) FROM report`); n != 1 {
		t.Errorf("%d reports", n)
	}
	if n := count(t, c, `SELECT count(*) FROM item WHERE name = 'renamed'`); n != 1 {
		t.Error("01 was not renamed")
	}
}

// Filters list items with commas between them, so no code has one, whoever brings it.
func TestNoItemCodeHasAComma(t *testing.T) {
	db, c := apptest.City(t)
	err := c.Reports.SetItems(t.Context(), []report.Item{{Code: "03", Name: "x"}, {Code: "a,b", Name: "x"}})
	if f, ok := fault.As(err); !ok || f.Code != "comma" || f.Field != "item" {
		t.Errorf("set: %v", err)
	}
	if n := count(t, c, `SELECT count(*) FROM item`); n != 2 {
		t.Errorf("%d items", n)
	}
	if _, err := db.Owner().Exec(t.Context(), `INSERT INTO testcity.item (code, name) VALUES ('a,b', 'x')`); err == nil {
		t.Error("the table takes it")
	}
	p := apptest.Center(0, 0)
	_, _, err = c.Reports.File(t.Context(), report.New{ID: report.ID{1}, Source: "web", Item: "a,b", CapturedAt: apptest.Now, X: &p[0], Y: &p[1]})
	if f, ok := fault.As(err); !ok || f.Code != "comma" || f.Field != "item" {
		t.Errorf("filed: %v", err)
	}
}
