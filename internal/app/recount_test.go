package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/casework"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// otherDays is the city's calendar with days off from the city's today on.
func otherDays(t testing.TB, c *app.City, days int) worktime.Document {
	t.Helper()
	d := c.Regime().Calendar.Document()
	var kept []worktime.Day
	off := map[string]bool{}
	for i := range days {
		off[apptest.Now.In(c.Zone).AddDate(0, 0, i).Format(time.DateOnly)] = true
	}
	for _, day := range d.Days {
		if !off[day.Date.String()] {
			kept = append(kept, day)
		}
	}
	for date := range off {
		day := worktime.Day{Kind: worktime.KindHoliday, Words: worktime.Words{ZH: "停电", EN: "no power"}}
		if err := day.Date.UnmarshalText([]byte(date)); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, day)
	}
	d.Days = kept
	return d
}

// countedRight tells that each clock is kept as its marks say, in the calendar in force, or, where it is stopped, in the one
// in force then; that each case is due when the first of its clocks is; and that each ledger ends at the kept due.
func countedRight(t testing.TB, c *app.City) {
	t.Helper()
	now := c.Regime()
	for _, row := range tableRows(t, c.Pool, `SELECT report_num, part, due_at, amber_at FROM cases ORDER BY report_num, part`) {
		k := caseOf2(t, c, casework.Ref{Report: report.Num(row[0].(int64)), Part: int(row[1].(int16))})
		amber, due := k.Due(now.Calendar)
		if !same(row[2], due) || !same(row[3], amber) {
			t.Errorf("case %s is kept as due %v, amber %v; its clocks say %s, %s", k.Ref, row[2], row[3], due, amber)
		}
		kept := tableRows(t, c.Pool, fmt.Sprintf(`SELECT amber_at, due_at, late FROM clock WHERE report_num = %d AND part = %d ORDER BY n`, k.Report, k.Part))
		for i := range k.Clocks {
			clock := &k.Clocks[i]
			if clock.Phase() != worktime.Stopped && clock.Calendar != now.CalendarID {
				t.Errorf("case %s: clock %d runs by calendar %d, in force is %d", k.Ref, i, clock.Calendar, now.CalendarID)
			}
			cal, err := c.CalendarOf(t.Context(), clock)
			if err != nil {
				t.Fatal(err)
			}
			s := clock.State(cal)
			late := s.Phase == worktime.Stopped && s.Late(s.Stopped)
			if !same(kept[i][0], s.Amber) || !same(kept[i][1], s.Due) || kept[i][2].(bool) != late {
				t.Errorf("case %s: clock %d is kept as %v; by its calendar %s, %s, %v", k.Ref, i, kept[i], s.Amber, s.Due, late)
			}
			if s.Phase != worktime.Running {
				continue
			}
			var used int64
			for _, l := range worktime.Ledger(cal, clock.Clock, s.Due) {
				used += l.Seconds
			}
			if used != s.Budget {
				t.Errorf("case %s: the ledger of clock %d holds %d s at its due, of %d", k.Ref, i, used, s.Budget)
			}
		}
	}
}

// same tells whether a column is a moment; NULL is none.
func same(column any, at time.Time) bool {
	got, ok := column.(time.Time)
	return ok == !at.IsZero() && (!ok || got.Equal(at))
}

// someCases files reports and brings their cases to different states.
func (o *office) someCases(n int) (refs []casework.Ref) {
	o.t.Helper()
	ways := [][]casework.Act{
		nil,
		{casework.AskConfirm},
		{casework.Accept, casework.File, casework.Dispatch},
		{casework.Accept, casework.File, casework.Dispatch, casework.Receive},
		{casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin},
		{casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin, casework.Suspend},
		{casework.Accept, casework.File, casework.Dispatch, casework.Return},
		{casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin, casework.FeedBack},
		{casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin, casework.FeedBack, casework.Verify, casework.Close},
		{casework.Void},
	}
	for i := range n {
		ref := casework.Ref{Report: o.filed()}
		o.do(ref, ways[i%len(ways)]...)
		refs = append(refs, ref)
	}
	return refs
}

// Another calendar comes in force: the clocks of open cases are counted by it, those that are stopped keep what was true. It
// is killed in the middle, two nodes do it at once, and it goes on record once, with what it moved.
func TestAnotherCalendarRecountsOpenCases(t *testing.T) {
	o := newOffice(t)
	c := o.c
	o.someCases(60)
	countedRight(t, c)
	stopped := `SELECT report_num, part, n, marks::text, amber_at, due_at, late, calendar_id FROM clock WHERE stopped_at IS NOT NULL ORDER BY 1, 2, 3`
	before := fmt.Sprint(tableRows(t, c.Pool, stopped))
	dues := fmt.Sprint(tableRows(t, c.Pool, `SELECT report_num, due_at FROM cases WHERE due_at IS NOT NULL ORDER BY 1`))
	first := c.Regime().CalendarID
	apptest.PublishRegime(t, c, regime.Calendar, otherDays(t, c, 9))

	// Killed after three batches: what is counted stays, what is not is as it was.
	c.Cases.Batch = 4
	batches := 0
	ctx, kill := context.WithCancel(t.Context())
	_, err := c.Cases.Recount(ctx, c.Regime().Calendar, c.Regime().CalendarID, []regime.ID{first}, func(context.Context) error {
		if batches++; batches > 3 {
			kill()
		}
		return nil
	})
	if err == nil {
		t.Fatal("it was not killed")
	}
	if done, left := counted(t, c, fmt.Sprintf(`SELECT count(*) FROM clock WHERE stopped_at IS NULL AND calendar_id = %d`, c.Regime().CalendarID)),
		counted(t, c, fmt.Sprintf(`SELECT count(*) FROM clock WHERE stopped_at IS NULL AND calendar_id = %d`, first)); done == 0 || left == 0 {
		t.Fatalf("%d clocks are counted anew, %d are left", done, left)
	}
	if n := counted(t, c, `SELECT count(*) FROM audit WHERE act = 'regime.recount'`); n != 0 {
		t.Errorf("%d records of what is not done", n)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, err := c.RecountCases(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	countedRight(t, c)
	if after := fmt.Sprint(tableRows(t, c.Pool, stopped)); after != before {
		t.Errorf("clocks that were stopped are others:\n%s\nwere\n%s", after, before)
	}
	if after := fmt.Sprint(tableRows(t, c.Pool, `SELECT report_num, due_at FROM cases WHERE due_at IS NOT NULL ORDER BY 1`)); after == dues {
		t.Error("nothing moved")
	}
	again, err := c.RecountCases(t.Context())
	if err != nil || again != (casework.Recounted{}) {
		t.Errorf("again: %+v, %v", again, err)
	}
	if n := counted(t, c, `SELECT count(*) FROM audit WHERE act = 'regime.recount'`); n != 1 {
		t.Errorf("%d records", n)
	}
	onRecord := counted(t, c, `SELECT (after ->> 'cases')::int FROM audit WHERE act = 'regime.recount'`)
	told := counted(t, c, `SELECT count(DISTINCT n)::int FROM event, jsonb_array_elements(data -> 'nums') n WHERE type = 'cases.recounted'`)
	if onRecord == 0 || told != onRecord {
		t.Errorf("%d cases are on record, %d were told of", onRecord, told)
	}
}

// While open cases are counted anew people go on with them, some of them on a node that does not know the calendar yet: no act
// is lost, and in the end each case is counted by the calendar in force.
func TestActsGoOnWhileCasesAreRecounted(t *testing.T) {
	o := newOffice(t)
	c := o.c
	refs := o.someCases(80)
	before := counted(t, c, `SELECT sum(version)::int FROM cases`)
	apptest.PublishRegime(t, c, regime.Calendar, otherDays(t, c, 5))
	c.Cases.Batch = 3
	var acts atomic.Int64
	var wg sync.WaitGroup
	stop, begun := make(chan struct{}), make(chan struct{})
	for w := range 3 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 1))
			for {
				select {
				case <-stop:
					return
				default:
				}
				ref := refs[rng.IntN(len(refs))]
				act := []casework.Act{casework.Note, casework.Accept, casework.File, casework.Suspend, casework.Resume, casework.Receive, casework.Begin, casework.Extend}[rng.IntN(8)]
				if _, err := c.Cases.Do(t.Context(), o.ask(ref, act)); err == nil {
					if acts.Add(1) == 1 {
						close(begun)
					}
				} else if code(err) == "" {
					t.Error(err)
				}
			}
		})
	}
	<-begun // else all may be counted before anybody has done anything
	if _, err := c.RecountCases(t.Context()); err != nil {
		t.Error(err)
	}
	close(stop)
	wg.Wait()
	if _, err := c.RecountCases(t.Context()); err != nil {
		t.Error(err)
	}
	countedRight(t, c)
	for _, ref := range refs {
		o.whole(caseOf2(t, c, ref))
	}
	if n := counted(t, c, `SELECT sum(version)::int FROM cases`); n != before+int(acts.Load()) {
		t.Errorf("%d acts were done, %d before, the cases have %d", acts.Load(), before, n)
	}
}

// A case that somebody is acting on is waited for, and counted as it is then.
func TestRecountWaitsForAnAct(t *testing.T) {
	o := newOffice(t)
	c := o.c
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin)
	apptest.PublishRegime(t, c, regime.Calendar, otherDays(t, c, 9))
	first := caseOf2(t, c, ref).Clocks[0].Calendar
	var wg sync.WaitGroup
	use := c.Cases.Evidence
	c.Cases.Evidence = func(ctx context.Context, tx pgx.Tx, by uuid.UUID, of casework.Ref, n int, photos []uuid.UUID) error {
		wg.Go(func() {
			if _, err := c.Cases.Recount(t.Context(), c.Regime().Calendar, c.Regime().CalendarID, []regime.ID{first}, nil); err != nil {
				t.Error(err)
			}
		})
		await(t, "it waits for the case", func() bool {
			return counted(t, c, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid <> pg_backend_pid()`) > 0
		})
		return use(ctx, tx, by, of, n, photos)
	}
	o.do(ref, casework.FeedBack)
	wg.Wait()
	countedRight(t, c)
}

// A node that has not heard of the calendar writes by the one before: the next look finds it. And one whose clock is behind
// counts nothing back.
func TestRecountFindsWhatWasCountedByTheOneBefore(t *testing.T) {
	o := newOffice(t)
	c := o.c
	o.someCases(10)
	before := c.Regime()
	apptest.PublishRegime(t, c, regime.Calendar, otherDays(t, c, 9))
	if _, err := c.RecountCases(t.Context()); err != nil {
		t.Fatal(err)
	}
	terms := c.Cases.Terms
	c.Cases.Terms = func(ctx context.Context, k *casework.Case) (*casework.Terms, error) {
		list, err := c.ListUnder(ctx, k.CatalogueID)
		return casework.TermsOf(&regime.Regime{Catalogue: list, Calendar: before.Calendar, CalendarID: before.CalendarID}, k.Item), err
	}
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive)
	c.Cases.Terms = terms
	if n := counted(t, c, fmt.Sprintf(`SELECT count(*) FROM clock WHERE stopped_at IS NULL AND calendar_id = %d`, before.CalendarID)); n == 0 {
		t.Fatal("nothing is counted by the one before")
	}
	if moved, err := c.RecountCases(t.Context()); err != nil || moved.Cases != 1 {
		t.Errorf("%+v, %v", moved, err)
	}
	countedRight(t, c)
	late := open(t, o.db, func() time.Time { return apptest.Now.Add(-time.Hour) })
	t.Cleanup(late.Close)
	if moved, err := late.RecountCases(t.Context()); err != nil || moved != (casework.Recounted{}) {
		t.Errorf("counted back: %+v, %v", moved, err)
	}
	countedRight(t, c)
}

// Published for later, the calendar counts from its very moment on, without anybody telling, on whichever node is there.
func TestACalendarPublishedAheadRecountsAtItsMoment(t *testing.T) {
	db, city := apptest.City(t)
	apptest.Publish(t, city, "first", 0, apptest.Now.Add(-time.Hour))
	manned(t, city, policy.TownTeam, "许村队", apptest.TownArea)
	for i := range 12 {
		file(t, city, at(i%4, i/4, "01"))
	}
	now := newClock(apptest.Now)
	nodes := []*app.Live{node(t, db.URL(), now.now), node(t, db.URL(), now.now)}
	later := apptest.Now.Add(time.Hour)
	content, err := json.Marshal(otherDays(t, city, 9))
	if err != nil {
		t.Fatal(err)
	}
	d, err := city.Regimes.Save(t.Context(), regime.Calendar, content, regime.Seen{}, uuid.Nil)
	if err == nil {
		_, err = city.Regimes.Publish(t.Context(), regime.Calendar, regime.Seen{ID: d.ID, Edits: d.Edits}, later)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range nodes {
		if err := l.LoadDesk(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	now.leap(later)
	await(t, "it is on record", func() bool { return counted(t, city, `SELECT count(*) FROM audit WHERE act = 'regime.recount'`) == 1 })
	countedRight(t, nodes[0].City)
	if n := counted(t, city, `SELECT (after ->> 'cases')::int FROM audit WHERE act = 'regime.recount'`); n != 12 {
		t.Errorf("%d cases moved", n)
	}
}
