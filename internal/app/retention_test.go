package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/patrol"
	"gridgov/internal/photo"
	"gridgov/internal/report"
)

// Words that are planted wherever a matter holds words.
var planted = []string{"canaryname", "13912345678", "canary@example.com", "canarytitle", "canarytext", "canaryaddress", "canaryreason", "canaryobject", "canaryhand",
	"canarypause", "canaryextension", "canaryplan", "canarylate", "120.6054321", "30.5056789"}

// tell files a report with words of all kinds, by somebody who is known.
func (w *watch) tell() report.Num {
	w.t.Helper()
	n := at(0, 0, "1")
	n.X, n.Y = new(120.6054321), new(30.5056789)
	n.Title, n.Text, n.Address = "canarytitle", "canarytext", "canaryaddress 7"
	n.Reporter = &report.Reporter{Name: "canaryname", Phone: "13912345678", Email: "canary@example.com"}
	n.Device = &report.Device{Plan: "canaryplan"}
	num, _, err := w.c.Reports.File(w.t.Context(), n)
	if err != nil {
		w.t.Fatal(err)
	}
	return num
}

// settle does with a case all that leaves words behind, and closes it.
func (w *watch) settle(num report.Num) {
	w.t.Helper()
	ref := casework.Ref{Report: num}
	do := func(act casework.Act, reason string, more func(*casework.Ask)) {
		w.t.Helper()
		a := w.ask(ref, act)
		a.Reason = reason
		if more != nil {
			more(&a)
		}
		if act == casework.Verify {
			a.Person = w.other
		}
		if _, err := w.c.Cases.Do(w.t.Context(), a); err != nil {
			w.t.Fatalf("%s: %v", act, err)
		}
	}
	do(casework.Accept, "", nil)
	do(casework.File, "", nil)
	do(casework.Dispatch, "canaryhand", func(a *casework.Ask) { a.Unit = w.far })
	do(casework.Receive, "", nil)
	do(casework.Relate, "", func(a *casework.Ask) { a.Object = "canaryobject" })
	do(casework.Begin, "", nil)
	do(casework.Extend, "canaryextension", nil)
	do(casework.AskExtension, "canaryextension", nil)
	do(casework.Suspend, "canarypause", nil)
	do(casework.Resume, "", nil)
	do(casework.Note, "canaryreason", nil)
	lateEvidence := apptest.Photo(w.t, w.c, w.worker)
	late := w.ask(ref, casework.Note)
	late.Reason, late.Version, late.Key, late.KeepLate, late.Evidence = "canarylate", 1, uuid.New(), true, []uuid.UUID{lateEvidence}
	if _, err := w.c.Cases.Do(w.t.Context(), late); code(err) != "kept_late" {
		w.t.Fatal(err)
	}
	do(casework.FeedBack, "", nil)
	do(casework.Verify, "", nil)
	do(casework.Close, "", nil)
	if err := w.c.Reports.SetPosition(w.t.Context(), num, orb.Point{120.6054321, 30.5056789}, "canaryreason"); err != nil {
		w.t.Fatal(err)
	}
	w.exec(`INSERT INTO follow (hash, report_num, made_at) VALUES (decode(md5($1::bigint::text) || md5($1::bigint::text), 'hex'), $1::bigint, $2)`, num, w.now)
	id := apptest.Photo(w.t, w.c, w.worker)
	err := pgx.BeginFunc(w.t.Context(), w.c.Pool, func(tx pgx.Tx) error {
		if err := w.c.Photos.Use(w.t.Context(), tx, w.worker, photo.Use{Report: num}, photo.ID(id)); err != nil {
			return err
		}
		return w.c.Photos.UseVoice(w.t.Context(), tx, w.worker, num, photo.ID(apptest.Voice(w.t, w.c, w.worker)))
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// found are the planted words that stand in any column of any table of the city.
func (w *watch) found() (out []string) {
	w.t.Helper()
	rows, err := w.db.Owner().Query(w.t.Context(), `SELECT relname FROM pg_class WHERE relnamespace = 'testcity'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`)
	if err != nil {
		w.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 40 {
		w.t.Fatal(tables, err)
	}
	for _, table := range tables {
		for _, word := range planted {
			var n int
			err := w.db.Owner().QueryRow(w.t.Context(), fmt.Sprintf(`SELECT count(*) FROM testcity.%s t WHERE t::text ILIKE '%%' || $1 || '%%'`, table), word).Scan(&n)
			if err != nil {
				w.t.Fatal(err)
			}
			if n > 0 {
				out = append(out, table+": "+word)
			}
		}
	}
	return out
}

// What is over for as long as the city keeps it holds no word of anybody in any table afterwards; what is counted stays, the record of
// acts verifies, and what is open or lately closed keeps all.
func TestMattersAreMadeAnonymous(t *testing.T) {
	w := newWatch(t)
	old := w.tell()
	w.settle(old)
	before := w.found()
	for _, word := range planted[3:] { // who told it is sealed
		if !slices.ContainsFunc(before, func(f string) bool { return strings.HasSuffix(f, word) }) {
			t.Errorf("%s was planted nowhere: the test shows nothing", word)
		}
	}
	counted := w.figures()
	if err := w.c.Retention.SetDays(t.Context(), 730); err != nil {
		t.Fatal(err)
	}
	w.now = apptest.Now.AddDate(0, 0, 729)
	if n, err := w.c.Retention.Run(t.Context()); err != nil || n != 0 {
		t.Fatalf("%d before their time, %v", n, err)
	}
	w.now = apptest.Now.AddDate(0, 0, 731)
	open, late := w.tell(), w.tell()
	w.settle(late)
	p, err := w.c.Retention.Preview(t.Context(), 730)
	if err != nil || p.Reports != 1 {
		t.Errorf("the preview says %+v, %v", p, err)
	}
	if n, err := w.c.Retention.Run(t.Context()); err != nil || n != 1 {
		t.Fatalf("%d were made anonymous, %v", n, err)
	}
	for _, num := range []report.Num{open, late} {
		r, err := w.c.Reports.Get(t.Context(), num)
		if err != nil || r.Text == nil || *r.Text != "canarytext" || w.count(`SELECT count(*) FROM reporter WHERE report_num = $1`, num) != 1 {
			t.Errorf("report %d lost its words: %+v, %v", num, r, err)
		}
	}
	// Those two go with their time; then nothing is left anywhere.
	w.do(casework.Ref{Report: open}, casework.Void)
	w.now = w.now.AddDate(0, 0, 731)
	if n, err := w.c.Retention.Run(t.Context()); err != nil || n != 2 {
		t.Fatalf("%d more, %v", n, err)
	}
	if left := w.found(); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	if n := w.count(`SELECT count(*) FROM contact WHERE erased_at IS NULL`) + w.count(`SELECT count(*) FROM reporter`) + w.count(`SELECT count(*) FROM follow`) +
		w.count(`SELECT count(*) FROM photo`); n != 0 {
		t.Errorf("%d people, links and photos are left", n)
	}
	if got := w.figures()[:len(counted)]; !slices.Equal(got, counted) {
		t.Errorf("figures are\n%v, were\n%v", got, counted)
	}
	// Nothing is written about it any more, which nobody would take away.
	for _, act := range []casework.Act{casework.Note, casework.Reopen} {
		if _, err := w.c.Cases.Do(t.Context(), w.ask(casework.Ref{Report: old}, act)); code(err) != "anonymised" {
			t.Errorf("%s: %v", act, err)
		}
	}
	if err := w.c.Reports.SetPosition(t.Context(), old, orb.Point{120.41, 30.41}, "canaryreason"); code(err) != "anonymised" && code(err) != "outside_city" {
		t.Errorf("its point: %v", err)
	}
	k := caseOf2(t, w.c, casework.Ref{Report: old}) // it reads as a case
	if k.State != casework.Closed || k.Words.ZH == "" || len(k.Clocks) == 0 {
		t.Errorf("%+v", k)
	}
	if misplaced(t, w.c) != 0 {
		t.Error("a point lies in another grid than its report")
	}
	if res, err := audit.Verify(t.Context(), w.c.Pool, audit.Keys(w.c.Contacts.Ring, w.c.Code)); err != nil || res.Fault != nil || res.Rows == 0 {
		t.Errorf("the record of acts: %+v, %v", res, err)
	}
	if n := w.count(`SELECT count(*) FROM audit WHERE act = 'report.anonymise'`); n != 2 {
		t.Errorf("%d records of it", n)
	}
	if n, err := w.c.Retention.Run(t.Context()); err != nil || n != 0 {
		t.Errorf("again: %d, %v", n, err)
	}
}

// figures are what is counted: by report its item, grid, times, states and how long it took.
func (w *watch) figures() (out []string) {
	w.t.Helper()
	rows, err := w.c.Pool.Query(w.t.Context(), `
		SELECT concat_ws(' ', r.num, r.item, r.source, r.captured_at, p.grid, p.village, p.town, c.state, c.settled_by, c.opened_at, c.closed_at, c.unit_id,
			(SELECT string_agg(concat_ws(' ', k.kind, k.started_at, k.stopped_at, k.due_at, k.late), ', ' ORDER BY k.n) FROM clock k WHERE k.report_num = r.num),
			(SELECT string_agg(concat_ws(' ', a.act, a.at, a.person_id), ', ' ORDER BY a.n) FROM case_act a WHERE a.report_num = r.num))
		FROM report r JOIN placement p ON p.report_num = r.num JOIN cases c ON c.report_num = r.num ORDER BY r.num, c.part`)
	if err == nil {
		out, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// What is merged into a matter stays as long as that does; a part that is open holds its whole report.
func TestWhatHangsTogetherStays(t *testing.T) {
	w := newWatch(t)
	if err := w.c.Retention.SetDays(t.Context(), 90); err != nil {
		t.Fatal(err)
	}
	first, twin, whole := w.filed(), w.filed(), w.filed()
	a := w.ask(casework.Ref{Report: twin}, casework.Merge)
	a.Target = &casework.Ref{Report: first}
	if _, err := w.c.Cases.Do(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	w.do(casework.Ref{Report: whole}, casework.Accept)
	a = w.ask(casework.Ref{Report: whole}, casework.Split)
	a.Parts = []casework.Part{{Item: "2"}, {Item: "1"}}
	if _, err := w.c.Cases.Do(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	w.do(casework.Ref{Report: whole, Part: 1}, casework.Void)
	w.now = w.now.AddDate(0, 0, 91)
	if n, err := w.c.Retention.Run(t.Context()); err != nil || n != 0 {
		t.Fatalf("%d were made anonymous while they hang on what is open, %v", n, err)
	}
	w.do(casework.Ref{Report: first}, casework.Void)
	w.do(casework.Ref{Report: whole, Part: 2}, casework.Void)
	w.now = w.now.AddDate(0, 0, 91)
	if n, err := w.c.Retention.Run(t.Context()); err != nil || n != 3 {
		t.Fatalf("%d were made anonymous, want 3, %v", n, err)
	}
}

// Broken off anywhere it goes on; two at once do nothing twice.
func TestAnonymisingGoesOn(t *testing.T) {
	w := newWatch(t)
	const matters = 12
	for range matters {
		w.do(casework.Ref{Report: w.tell()}, casework.Void)
	}
	if err := w.c.Retention.SetDays(t.Context(), 90); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.AddDate(0, 0, 100)
	w.c.Retention.Batch = 2
	ctx, stop := context.WithCancel(t.Context())
	w.c.Retention.Committed = stop // after the first batch
	if n, err := w.c.Retention.Run(ctx); err == nil || n != 2 {
		t.Fatalf("%d were made anonymous, %v", n, err)
	}
	w.c.Retention.Committed = nil
	second := open(t, w.db, func() time.Time { return w.now })
	t.Cleanup(second.Close)
	second.Retention.Batch = 3
	done := make(chan int, 2)
	for _, c := range []*app.City{w.c, second} {
		go func() {
			n, err := c.Retention.Run(t.Context())
			if err != nil {
				t.Error(err)
			}
			done <- n
		}()
	}
	if n := <-done + <-done; n != matters-2 {
		t.Errorf("%d, want %d", n, matters-2)
	}
	if n := w.count(`SELECT count(*) FROM anonymised`); n != matters {
		t.Errorf("%d", n)
	}
}

// Where people stood on patrol, and what they wrote, goes with the city's time; that a point was visited stays, by whom too.
func TestVisitsAreForgotten(t *testing.T) {
	w := newWatch(t)
	ctx := audit.By(t.Context(), audit.Author{Person: w.worker})
	anything := func(*patrol.Point) error { return nil }
	w.c.Patrols.Now = func() time.Time { return w.now }
	p, err := w.c.Patrols.Set(ctx, patrol.Point{Name: "桥头", Place: apptest.Center(0, 0), RhythmDays: 7}, anything)
	if err != nil {
		t.Fatal(err)
	}
	tell := func() {
		t.Helper()
		v := patrol.Visit{ID: patrol.VisitID(uuid.Must(uuid.NewV7())), Point: p.ID, At: w.now, Place: &p.Place, AccuracyM: 5, Note: "canarynote"}
		if _, _, err := w.c.Patrols.Tell(ctx, v, anything); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		tell()
	}
	w.c.Retention.Batch = 2
	for _, c := range []struct{ keep, after, left int }{{0, 1000, 5}, {90, 90, 5}, {90, 91, 0}} {
		if err := w.c.Retention.SetDays(ctx, c.keep); err != nil {
			t.Fatal(err)
		}
		if w.now = apptest.Now.AddDate(0, 0, c.after); c.left == 0 {
			tell()
		}
		if _, err := w.c.Retention.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := w.count(`SELECT count(*) FROM patrol_visit WHERE told_at = $1 AND lon IS NOT NULL AND note = 'canarynote'`, apptest.Now); n != c.left {
			t.Errorf("kept for %d days, %d of 5 are whole after %d", c.keep, n, c.after)
		}
	}
	kept := w.count(`SELECT count(*) FROM patrol_visit WHERE within AND person_id = $1`, w.worker)
	if whole, acts := w.count(`SELECT count(*) FROM patrol_visit WHERE lat IS NOT NULL`), w.count(`SELECT count(*) FROM audit WHERE act = 'patrol.anonymise'`); kept != 6 || whole != 1 || acts != 3 {
		t.Errorf("%d visits are kept, %d of them whole, in %d acts", kept, whole, acts)
	}
}

func TestRetentionIsChecked(t *testing.T) {
	w := newWatch(t)
	for _, days := range []int{-1, 1, 89, 40000} {
		if f, ok := fault.As(w.c.Retention.SetDays(t.Context(), days)); !ok || f.Field != "retention_days" {
			t.Errorf("%d days: %v", days, f)
		}
	}
	if n, err := w.c.Retention.Run(t.Context()); err != nil || n != 0 {
		t.Errorf("a city that set nothing: %d, %v", n, err)
	}
}
