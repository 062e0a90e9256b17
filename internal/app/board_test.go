package app_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/casework"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
)

// paged reads a queue page by page, and holds what the pages tell of how many there are against that.
func paged(t testing.TB, l *app.Live, q casework.Query, reach *policy.Reach) (all []casework.Row) {
	t.Helper()
	q.Limit = 3
	var total int
	for {
		page, err := l.ListCases(t.Context(), q, reach, true)
		if err != nil {
			t.Fatal(err)
		}
		total = page.Total
		all = append(all, page.Rows...)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if q.OnBoard() && total != len(all) {
		t.Errorf("%+v: %d rows on the pages, %d are told of", q, len(all), total)
	}
	return all
}

// tables reads the same from the tables, in one page.
func tables(t testing.TB, l *app.Live, q casework.Query, reach *policy.Reach) []casework.Row {
	t.Helper()
	q.Limit, q.Whole, q.Led = 10_000, reach.City, reach.Units
	if reach.Own {
		q.Filer = reach.Me
	}
	if !reach.City {
		q.Within = app.Within(l, reach)
	}
	backwards, order := q.Last, q.Order
	q.Last, q.Order = false, casework.ByDue
	page, err := l.Cases.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if order == casework.ByOpened {
		slices.SortStableFunc(page.Rows, func(a, b casework.Row) int {
			if c := a.OpenedAt.Compare(b.OpenedAt); c != 0 {
				return c
			}
			if a.Report != b.Report {
				return int(a.Report) - int(b.Report)
			}
			return a.Part - b.Part
		})
	}
	if backwards {
		slices.Reverse(page.Rows)
	}
	return page.Rows
}

// What the board lists and counts is what the tables have, whoever asks for whatever: while cases are opened, acted on, split,
// moved and closed.
func TestTheBoardIsTheTables(t *testing.T) {
	clock := newClock(apptest.Now)
	_, l := apptest.ServerAt(t, clock.now)
	near := manned(t, l.City, policy.TownTeam, "近队", policy.Area{Level: policy.Town, Code: apptest.TownArea.Code})
	bureau := manned(t, l.City, policy.LineDepartment, "局", policy.Area{})
	if err := l.LoadDesk(t.Context()); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	o := &office{t: t, c: l.City, near: near, bureau: bureau}
	_, o.worker = apptest.SignIn(t, l.City)
	_, filer := apptest.SignIn(t, l.City)
	var nums []report.Num
	file := func() {
		n := random(rng)
		if rng.IntN(3) == 0 {
			n.FiledBy = &filer
		}
		if rng.IntN(4) == 0 {
			n.AccuracyM = new(float64(rng.IntN(400)))
		}
		num, _, err := l.Reports.File(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		nums = append(nums, num)
	}
	for range 40 {
		file()
	}
	pick := func(list []casework.State) casework.State { return list[rng.IntN(len(list))] }
	for round := range 8 {
		for range 30 {
			clock.leap(clock.now().Add(time.Duration(rng.IntN(1200)) * time.Second))
			ref := casework.Ref{Report: nums[rng.IntN(len(nums))], Part: rng.IntN(2)}
			k, err := l.Cases.Get(t.Context(), ref)
			if err != nil {
				continue
			}
			acts := casework.Allowed(k, &casework.Terms{Calendar: l.Regime().Calendar, MaySettle: true}, casework.Doing{At: clock.now(), Person: o.worker, May: func(policy.Action) bool { return true }})
			if len(acts) == 0 {
				continue
			}
			a := o.ask(ref, acts[rng.IntN(len(acts))])
			a.Unit = []policy.UnitID{near, bureau}[rng.IntN(2)]
			if a.Unit == near {
				a.Supporting = []policy.UnitID{bureau}
			}
			a.Parts = []casework.Part{{Unit: bureau}}
			a.Target = &casework.Ref{Report: nums[rng.IntN(len(nums))]}
			_, _ = l.Cases.Do(t.Context(), a) // what does not go is told, and changes nothing
		}
		if err := l.Reports.SetPosition(t.Context(), nums[rng.IntN(len(nums))], apptest.Center(rng.IntN(4), rng.IntN(4)), "moved"); err != nil {
			t.Fatal(err)
		}
		file()
		if round == 4 { // times that another calendar moves are on the board, too, though no case is of another version
			apptest.PublishRegime(t, l.City, regime.Calendar, otherDays(t, l.City, 20))
			if _, err := l.RecountCases(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		caughtUp(t, l)
		now := clock.now()
		found := 0
		for range 200 {
			f := casework.Filter{Last: rng.IntN(4) == 0, Mine: rng.IntN(6) == 0}
			if rng.IntN(2) == 0 {
				f.States = []casework.State{pick(casework.States[:13]), pick(casework.States[:13])}
			}
			if rng.IntN(5) == 0 {
				f.Units = []policy.UnitID{bureau}
			}
			if rng.IntN(5) == 0 {
				f.Items = []string{"01"}
			}
			if rng.IntN(8) == 0 {
				f.Teams = []policy.UnitID{bureau}
			}
			if rng.IntN(8) == 0 {
				f.Settled = [][]casework.SettledBy{{casework.NoSettler}, {casework.TownTeam}, {casework.VillageOnsite, casework.NoSettler}}[rng.IntN(3)]
			}
			if rng.IntN(8) == 0 {
				f.Aspects = []string{l.Regime().Catalogue.Items[0].Aspect}
			}
			if rng.IntN(6) == 0 {
				f.Towns = []string{apptest.TownArea.Code}
			}
			if rng.IntN(4) == 0 {
				f.Colours = []casework.Colour{casework.Colours[rng.IntN(4)]}
			}
			if rng.IntN(5) == 0 {
				f.Due = casework.Dues[rng.IntN(3)]
			}
			if rng.IntN(4) == 0 {
				f.Sort = casework.ByOpened
			}
			reach := []policy.Reach{{City: true}, {Areas: []policy.Area{apptest.TownArea}}, {Areas: []policy.Area{apptest.VillageArea(0, 1)}},
				{Areas: []policy.Area{apptest.GridArea(2, 2)}}, {Units: []policy.UnitID{bureau}}, {Own: true, Me: filer}, {}}[rng.IntN(7)]
			q := f.Query(&casework.Mine{Person: o.worker, Units: []policy.UnitID{near}}, now, l.Zone, l.Regime().Catalogue)
			got, want := paged(t, l, q, &reach), tables(t, l, q, &reach)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("round %d, %+v as %+v:\n%v\nwant\n%v", round, f, reach, got, want)
			}
			if n := l.CountCases(t.Context(), []casework.Query{q}, &reach); n[0] != len(want) {
				t.Errorf("%+v as %+v: counted %d of %d", f, reach, n[0], len(want))
			}
			found += len(got)
		}
		if found < 200 {
			t.Errorf("round %d: %d rows in all: too few to tell", round, found)
		}
	}
	// Who asks right after an act sees it done.
	ref := casework.Ref{Report: nums[len(nums)-1]}
	q := casework.Query{Nums: []report.Num{ref.Report}, Limit: 1}
	for range 20 {
		if k, err := l.Cases.Get(t.Context(), ref); err != nil || !k.State.Open() {
			t.Fatalf("%v, %v", k, err)
		}
		k := o.do(ref, casework.Note)
		page, err := l.ListCases(t.Context(), q, &policy.Reach{City: true}, false)
		if err != nil || len(page.Rows) != 1 || page.Rows[0].Version != k.Version {
			t.Fatalf("%+v, %v; the case is at %d", page, err, k.Version)
		}
	}
}

// How a unit's clocks stand is what its open cases say, whatever the moment.
func TestPressuresAreTheCases(t *testing.T) {
	o := newOffice(t)
	o.someCases(40)
	units := []policy.UnitID{o.near, o.far, o.bureau}
	for _, after := range []time.Duration{-time.Hour, 30 * time.Hour, 100 * time.Hour, 1000 * time.Hour} {
		at := apptest.Now.Add(after)
		want := map[policy.UnitID]casework.Pressure{}
		for _, row := range tableRows(t, o.c.Pool, `SELECT unit_id, amber_at, due_at FROM cases WHERE due_at IS NOT NULL`) {
			unit := policy.UnitID(row[0].(int64))
			p := want[unit]
			p.Running++
			amber, warned := row[1].(time.Time)
			switch due := row[2].(time.Time); {
			case due.Before(at):
				p.Overdue++
			case warned && !amber.After(at):
				p.Amber++
			}
			want[unit] = p
		}
		got, err := casework.Pressures(t.Context(), o.c.Pool, units, at)
		if err != nil || !maps.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s after: %v, want %v, %v", after, got, want, err)
		}
	}
}
