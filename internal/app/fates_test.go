package app_test

import (
	"testing"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/casework"
	"gridgov/internal/cube"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
)

// What is done with a case on one node moves it in the cubes of all: to another state, another unit, another colour;
// and a node that starts later has the same.
func TestCasesMoveInEachCube(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	bureau := manned(t, c, "line_department", "水利局", apptest.CityArea)
	if _, err := c.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock := newClock(apptest.Now)
	here, there := node(t, db.URL(), clock.now), node(t, db.URL(), clock.now)
	var nums []report.Num
	for range 4 {
		nums = append(nums, file(t, here.City, at(0, 0, "01")))
	}
	in := func(l *app.Live, s casework.State) int {
		return int(l.View().Count(cube.Filter{States: 1 << s.Number()}, nil))
	}
	done := func(num report.Num, acts ...casework.Ask) {
		t.Helper()
		for _, a := range acts {
			a.Ref.Report, a.Version, a.May = num, -1, anything
			if _, err := here.Cases.Do(t.Context(), a); err != nil {
				t.Fatal(a.Act, err)
			}
		}
	}
	for _, l := range []*app.Live{here, there} {
		if caughtUp(t, l); in(l, casework.Reported) != 4 {
			t.Fatalf("%d are reported", in(l, casework.Reported))
		}
	}
	done(nums[0], casework.Ask{Act: casework.Reject, Reason: "not_a_matter"})
	done(nums[1], casework.Ask{Act: casework.Accept}, casework.Ask{Act: casework.File}, casework.Ask{Act: casework.Dispatch, Unit: bureau, Reason: "theirs"})
	done(nums[2], casework.Ask{Act: casework.Accept}, casework.Ask{Act: casework.File}, casework.Ask{Act: casework.Dispatch})
	for _, l := range []*app.Live{here, there} {
		caughtUp(t, l)
		if in(l, casework.Reported) != 1 || in(l, casework.Dispatched) != 2 {
			t.Errorf("%d are reported, %d dispatched", in(l, casework.Reported), in(l, casework.Dispatched))
		}
		if n := l.View().Count(cube.Filter{Crews: l.LedBy([]policy.UnitID{bureau})}, nil); n != 1 {
			t.Errorf("%d are led by the department", n)
		}
		now := uint32(apptest.Now.Unix())
		green, red := l.View().Count(cube.Filter{Clocks: cube.Green, Now: now}, nil), l.View().Count(cube.Filter{Clocks: cube.Red, Now: now + 30*86400}, nil)
		if stopped := l.View().Count(cube.Filter{Clocks: cube.Stopped}, nil); green != 3 || red != 3 || stopped != 1 {
			t.Errorf("%d are in time, %d overdue a month later, %d stopped", green, red, stopped)
		}
		recount(t, l)
	}
	recount(t, node(t, db.URL(), clock.now))
}

// Another calendar moves clocks, and nothing else of a case: each cube has the new times, the one of a node that did not count
// them as well, and that of a node that starts later.
func TestARecountReachesEachCube(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	clock := newClock(apptest.Now)
	here, there := node(t, db.URL(), clock.now), node(t, db.URL(), clock.now)
	for i := range 5 {
		num := file(t, here.City, at(i%4, 0, "01"))
		a := casework.Ask{Ref: casework.Ref{Report: num}, Version: -1, May: anything, Reason: "because"}
		if i == 0 { // what has ended has no clock to be moved
			a.Act = casework.Reject
			if _, err := here.Cases.Do(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A moment at which the clocks of the desk have run out, or not, by the calendar.
	later := uint32(apptest.Now.Add(30 * time.Hour).Unix())
	red := func(l *app.Live) int {
		return int(l.View().Count(cube.Filter{Clocks: cube.Red, Now: later}, nil))
	}
	for _, l := range []*app.Live{here, there} {
		if caughtUp(t, l); red(l) != 4 {
			t.Fatalf("%d of 4 open cases will be overdue", red(l))
		}
	}
	apptest.PublishRegime(t, here.City, regime.Calendar, otherDays(t, here.City, 20))
	moved, err := here.RecountCases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*app.Live{here, there} {
		if recount(t, l); red(l) != 0 {
			t.Errorf("%d cases will be overdue after days off", red(l))
		}
	}
	if stopped := here.View().Count(cube.Filter{Clocks: cube.Stopped}, nil); stopped != 1 {
		t.Errorf("%d cases have no clock", stopped)
	}
	last := node(t, db.URL(), clock.now)
	if recount(t, last); red(last) != 0 {
		t.Errorf("%d will be overdue on a node that starts later", red(last))
	}
	t.Logf("%d cases, %d clocks were moved by this node", moved.Cases, moved.Clocks)
}
