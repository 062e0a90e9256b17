package app_test

import (
	"fmt"
	"testing"
	"time"

	"gridgov/internal/app/apptest"
	"gridgov/internal/casework"
	"gridgov/internal/kpi"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// The figures that the practice publishes, of 972 cases that are due in a month, 911 of them closed and 737 on time: most came
// with their end, as an import brings them, some were seen through by two people, act by act.
func TestThePublishedRates(t *testing.T) {
	o := newOffice(t)
	c := o.c
	now := newClock(apptest.Now)
	c.Cases.Now, c.Cases.Intake.Now = now.now, now.now
	const due, closed, onTime, byHand = 972, 911, 737, 40
	end := time.Date(2026, 11, 16, 2, 0, 0, 0, time.UTC) // Monday 10:00
	rows := func(yield func(report.Row, *report.Reject) bool) {
		for i := range due - byHand {
			n := at(i%4, i/4%4, "1")
			n.ID, n.Source, n.ExternalID, n.CapturedAt = report.ID{}, "import", fmt.Sprint("E", i), end
			switch {
			case i < onTime-byHand/2:
				n.ClosedAt = new(end.Add(time.Hour))
			case i < closed-byHand:
				n.ClosedAt = new(end.AddDate(0, 0, 30))
			}
			if !yield(report.Row{Line: i + 2, New: n}, nil) {
				return
			}
		}
	}
	if out, err := c.Reports.Import(t.Context(), rows, report.ImportOptions{}); err != nil || out.Added != due-byHand {
		t.Fatalf("%+v, %v", out, err)
	}
	// Half of the others in time, half of them a month late.
	var late []casework.Ref
	first := []casework.Act{casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin}
	last := []casework.Act{casework.FeedBack, casework.Verify, casework.Close}
	for i := range byHand {
		ref := casework.Ref{Report: o.filed()}
		o.do(ref, first...)
		if i%2 == 0 {
			o.do(ref, last...)
		} else {
			late = append(late, ref)
		}
	}
	now.leap(apptest.Now.AddDate(0, 1, 0))
	for _, ref := range late {
		o.do(ref, last...)
	}
	// Beside them what counts in none: voided, rejected, a task, and what is due in another month.
	o.do(casework.Ref{Report: o.filed()}, casework.Void)
	o.do(casework.Ref{Report: o.filed()}, casework.Reject)
	ask := casework.RateQuery{Query: casework.Query{Whole: true}, From: end.AddDate(0, 0, -3), To: apptest.Now.AddDate(0, 0, 20)}
	rates := func() kpi.Tally {
		t.Helper()
		tally, err := c.Cases.Rates(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		return tally
	}
	got := rates()
	// The 61 that are open are due at the desk, and so are in the span.
	if got != (kpi.Tally{Due: due, Closed: closed, OnTime: onTime}) {
		t.Fatalf("%+v", got)
	}
	if c, o := got.Closure().Percent(), got.OnTimeRate().Percent(); c != 93.72 || o != 75.82 {
		t.Errorf("%v %%, %v %%", c, o)
	}
	// Parts of it make up the whole.
	var sum kpi.Tally
	for vx := range 2 {
		for vy := range 2 {
			ask.Area = &policy.Area{Level: policy.Village, Code: apptest.VillageCode(vx, vy)}
			sum = sum.Add(rates())
		}
	}
	if sum != got {
		t.Errorf("by village %+v", sum)
	}
	ask.Area, ask.Units = nil, []policy.UnitID{o.bureau}
	if none := rates(); none != (kpi.Tally{}) {
		t.Errorf("of a unit that has none: %+v", none)
	}
	ask.Units = nil

	// A suspended one is due and in no rate.
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, append(first, casework.Suspend)...)
	ask.From, ask.To = apptest.Now.AddDate(0, 0, 25), apptest.Now.AddDate(0, 2, 0)
	if s := rates(); s.Suspended != 1 || s.Due != 1 || s.Closure().N != 0 {
		t.Errorf("%+v", s)
	}
	o.do(ref, append([]casework.Act{casework.Resume}, last...)...)
	if s := rates(); s != (kpi.Tally{Due: 1, Closed: 1, OnTime: 1}) {
		t.Errorf("%+v", s)
	}
}
