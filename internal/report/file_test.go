package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"gridgov/internal/app/apptest"
	"gridgov/internal/fault"
	"gridgov/internal/report"
)

// web is a report with an id of its own, in the middle of the city.
func web(id byte, title string) report.New {
	p := apptest.Center(1, 1)
	return report.New{ID: report.ID{15: id}, Source: "web", Item: "01", Title: title, CapturedAt: apptest.Now, X: &p[0], Y: &p[1]}
}

// A conflict tells which field stands against what is kept, and names the report that has it.
func TestConflictsNameTheirField(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	first := web(1, "")
	first.ExternalID = "E1"
	num, existed, err := c.Reports.File(t.Context(), first)
	if err != nil || existed {
		t.Fatal(existed, err)
	}
	if again, existed, err := c.Reports.File(t.Context(), first); again != num || !existed || err != nil {
		t.Errorf("the same again: %d, %v, %v", again, existed, err)
	}
	other := web(2, "")
	if _, _, err := c.Reports.File(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	changed := first
	changed.Title = "changed"
	taken := web(3, "")
	taken.ExternalID = "E1"
	both := web(2, "") // the id of one, the external id of the other
	both.ExternalID = "E1"
	for _, tc := range []struct {
		name        string
		n           report.New
		field, code string
		says        string
	}{
		{"other content", changed, "id", "other_content", first.ID.String()},
		{"another id, the same external id", taken, "external_id", "external_id_taken", fmt.Sprintf("report %d ", num)},
		{"between two", both, "id", "other_content", other.ID.String()},
	} {
		_, _, err := c.Reports.File(t.Context(), tc.n)
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.KindConflict || f.Field != tc.field || f.Code != tc.code || !strings.Contains(f.Message, tc.says) {
			t.Errorf("%s: %+v", tc.name, err)
		}
	}
	elsewhere := taken // the external ids of another source are its own
	elsewhere.Source = "phone"
	if _, _, err := c.Reports.File(t.Context(), elsewhere); err != nil {
		t.Error(err)
	}
}

func TestImportConflictsNameLineAndField(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	tally(t, c, table(0, 3, nil), false)
	var got []report.Reject
	_, err := c.Reports.Import(t.Context(), table(2, 3, func(r *report.Row) { r.New.Title = "changed" }),
		report.ImportOptions{Reject: func(r report.Reject) { got = append(got, r) }})
	if err != nil || len(got) != 1 || got[0].Reason.Line != 4 || got[0].Reason.Field != "id" || got[0].Reason.Kind != fault.KindConflict {
		t.Errorf("%+v, %v", got, err)
	}
}

// Of several reports of one identity that come together the first is kept and the others are held against it, each time.
func TestFileAllKeepsTheFirst(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	for round := range 50 {
		web := func(id byte, title string) report.New { n := web(id, title); n.ID[14] = byte(round + 1); return n }
		ext := func(n report.New) report.New { n.ExternalID = fmt.Sprintf("E%d", round); return n }
		bad := web(2, "bad")
		bad.Item = "no such item"
		out := c.Reports.FileAll(t.Context(), []report.New{
			web(1, "a"), web(1, "b"), web(1, "a"), // one id
			ext(web(3, "c")), ext(web(4, "d")), web(4, "e"), // one external id, then the id of who did not go in
			bad, web(2, "good"), // the first that goes in
		})
		var got []string
		for _, f := range out {
			switch e, ok := fault.As(f.Err); {
			case ok:
				got = append(got, e.Code)
			case f.Err != nil:
				t.Fatal(f.Err)
			case f.Existed:
				got = append(got, "existed")
			default:
				got = append(got, "new")
			}
		}
		if s := strings.Join(got, " "); s != "new other_content existed new external_id_taken new unknown_item new" {
			t.Fatalf("round %d: %s", round, s)
		}
		if out[2].Num != out[0].Num {
			t.Errorf("the same report is number %d and %d", out[0].Num, out[2].Num)
		}
	}
}

// plain is all of a report, with times in one zone and lists that are there.
func plain(t rapid.TB, r *report.Report) string {
	c := *r
	c.CapturedAt, c.ReceivedAt, c.Placement.Since = c.CapturedAt.UTC(), c.ReceivedAt.UTC(), c.Placement.Since.UTC()
	if c.ClosedAt != nil {
		at := c.ClosedAt.UTC()
		c.ClosedAt = &at
	}
	for _, list := range []*[]string{&c.Placement.Near, &c.Placement.Candidates} {
		*list = append([]string{}, *list...)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What filing tells of a report is what is read of it afterwards, whatever it was sent with.
func TestFiledIsWhatIsRead(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.SampledFrom([]string{"", "沟里有水", "a b"}).Draw(t, name) }
		n := report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Item: "01", Title: text("title"), Text: text("text"), Address: text("address"),
			Source:     rapid.SampledFrom([]report.Source{"phone", "hotline", "web", "sensor", "import", "patrol"}).Draw(t, "source"),
			Kind:       rapid.SampledFrom([]report.Kind{"", "inquiry", "problem", "conflict"}).Draw(t, "kind"),
			Generated:  rapid.Bool().Draw(t, "generated"),
			CapturedAt: apptest.Now.Add(-time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "ago"))).In(time.FixedZone("", 8*3600)),
		}
		if rapid.Bool().Draw(t, "external") {
			n.ExternalID = n.ID.String()
		}
		if n.Source == "import" && rapid.Bool().Draw(t, "ended") {
			at := n.CapturedAt.Add(time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "after")))
			n.ClosedAt = &at
		}
		if n.Address == "" || rapid.Bool().Draw(t, "point") {
			p := apptest.Center(1, 1)
			p[0] += rapid.Float64Range(-0.05, 0.05).Draw(t, "east")
			n.X, n.Y = &p[0], &p[1]
			if rapid.Bool().Draw(t, "accuracy") {
				m := rapid.Float64Range(0, 500).Draw(t, "m")
				n.AccuracyM, n.PositionSource = &m, "gps"
			}
			n.CRS = rapid.SampledFrom([]string{"", "EPSG:4326", "gcj02"}).Draw(t, "crs")
		}
		f := c.Reports.FileOne(t.Context(), n)
		if f.Err != nil || f.Existed {
			t.Fatal(f.Existed, f.Err)
		}
		got, err := c.Reports.Get(t.Context(), f.Num)
		if err != nil {
			t.Fatal(err)
		}
		if read, told := plain(t, &got), plain(t, f.Kept); read != told {
			t.Fatalf("read %s\ntold %s", read, told)
		}
		if again := c.Reports.FileOne(t.Context(), n); again.Err != nil || !again.Existed || again.Kept != nil || again.Num != f.Num {
			t.Fatalf("again: %+v", again)
		}
	})
}
