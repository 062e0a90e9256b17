package report_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"gridgov/internal/report"
)

// Numbers are read as decimals and nothing else, and what is none is told with what to write.
func TestRowReadsDecimalsOnly(t *testing.T) {
	values := func(field, text string) map[string]string {
		v := map[string]string{"id": "7", "item": "01", "at": "2026-11-24 08:00", "lon": "120.6", "lat": "30.5", "accuracy_m": "12"}
		v[field] = text
		return v
	}
	for _, c := range []struct{ field, text, says string }{
		{"lon", "0x1p3", ""}, {"lon", "-7_7.03", ""}, {"lat", "Inf", ""}, {"lat", "1e999", ""}, {"accuracy_m", "0x10", ""},
		{"lon", "-77,03", "dot"}, {"lat", "38°54N", "decimal degrees"}, {"lon", "77.03W", "decimal degrees"},
	} {
		_, bad := report.RowOptions{Zone: time.UTC}.Row(9, values(c.field, c.text))
		if bad == nil || bad.Code != "not_a_number" || bad.Field != c.field || bad.Line != 9 || !strings.Contains(bad.Message, c.says) {
			t.Errorf("%s=%s: %v", c.field, c.text, bad)
		}
	}
	r, bad := report.RowOptions{Zone: time.UTC}.Row(9, values("lon", "-1.5e1"))
	if bad != nil || *r.New.X != -15 || *r.New.Y != 30.5 || *r.New.AccuracyM != 12 {
		t.Errorf("%+v, %v", r.New, bad)
	}
}

// Who told it comes from columns of its own; a row without is told by nobody.
func TestRowHasWhoToldIt(t *testing.T) {
	row := func(more map[string]string) *report.Reporter {
		t.Helper()
		v := map[string]string{"id": "7", "item": "01", "at": "2026-11-24 08:00", "lon": "120.6", "lat": "30.5"}
		maps.Copy(v, more)
		r, bad := report.RowOptions{Zone: time.UTC}.Row(9, v)
		if bad != nil {
			t.Fatal(bad)
		}
		return r.New.Reporter
	}
	if r := row(map[string]string{"reporter_name": " ", "reporter_phone": ""}); r != nil {
		t.Errorf("%+v", r)
	}
	r := row(map[string]string{"reporter_name": " 王某", "reporter_phone": "138 0013 8000", "reporter_email": "a@b.cn"})
	if r == nil || *r != (report.Reporter{Name: "王某", Phone: "138 0013 8000", Email: "a@b.cn"}) {
		t.Errorf("%+v", r)
	}
}

func FuzzParseMapping(f *testing.F) {
	for _, s := range []string{"", "id=A,at=B,item=C,lon=D,lat=E", "id=A,at=B,item=C,address=D", "id=A,id=B", "id==,at= ,=x", "id=A,at=B,item=C,lon=D", "\xff=A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := report.ParseMapping(s)
		if err != nil {
			return
		}
		if (m["lon"] == "") != (m["lat"] == "") || m["lon"] == "" && m["address"] == "" {
			t.Fatalf("%q says nowhere where reports are: %v", s, m)
		}
		fields, columns := m.Columns()
		if len(fields) != len(m) || len(columns) != len(m) {
			t.Fatalf("%q: %d fields, of which %v", s, len(m), fields)
		}
		for i, field := range fields {
			if m[field] != columns[i] || strings.TrimSpace(columns[i]) == "" {
				t.Fatalf("%q: %s is in column %q", s, field, columns[i])
			}
		}
	})
}

// A row that passes can be checked: its times are whole, its numbers finite, and what is wrong has line and field.
func FuzzRow(f *testing.F) {
	for _, at := range []string{"2016-07-08T00:19:28Z", "2026-11-24 08:00", "2026/1/2 3:04", "2026-03-08 02:30", "0000-01-01", "9999-12-31T23:59:60Z", ""} {
		f.Add("7", at, "2026/11/24", "120.6", "30.5", "12", "01", true)
	}
	f.Add("7", "2026-11-24", "0000-01-01T00:00:00+08:00", "120.6", "30.5", "12", "01", false)
	f.Add("", "2026-11-24", "x", "0x1p3", "1_0", "-1", "", false)
	f.Add("7", "2026-11-24", "", "", "", "", "a,b", false)
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, id, at, closed, lon, lat, accuracy, item string, localZ bool) {
		row, bad := report.RowOptions{Zone: ny, LocalZ: localZ}.Row(3, map[string]string{"id": id, "at": at, "closed_at": closed,
			"lon": lon, "lat": lat, "accuracy_m": accuracy, "item": item})
		if bad != nil {
			if bad.Line != 3 || bad.Field == "" || bad.Message == "" {
				t.Fatalf("told as %+v", bad)
			}
			return
		}
		n := row.New
		if row.Line != 3 || n.ExternalID != strings.TrimSpace(id) || n.Item != strings.TrimSpace(item) || n.CapturedAt.IsZero() && strings.TrimSpace(at) == "" {
			t.Fatalf("%+v", row)
		}
		if (n.ClosedAt == nil) != (strings.TrimSpace(closed) == "") || (n.X == nil) != (strings.TrimSpace(lon) == "") {
			t.Fatalf("%+v", n)
		}
		n.ID = report.ID{1}
		if bad := n.Check(now); bad == nil {
			report.Content(n) // panics on what cannot be encoded
		} else if bad.Field == "" || bad.Message == "" {
			t.Fatalf("checked as %+v", bad)
		}
	})
}
