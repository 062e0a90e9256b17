package app_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/casework"
	"gridgov/internal/cube"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// What a reach covers is the same held against each report in memory, as the condition of a list, and as faces of the
// cube; under a later plan, too, and when reports come while it is kept.
func TestReachIsTheSameEverywhere(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	l := node(t, db.URL(), newClock(apptest.Now).now)
	bureau, helper := manned(t, c, policy.LineDepartment, "水利局", apptest.CityArea), manned(t, c, policy.XForce, "联合队", apptest.CityArea)
	apptest.Rules(t, c, assign.Rule{Items: []string{"02"}, Kinds: []string{"problem"}, Lead: assign.Party{Unit: bureau}, Support: []assign.Party{{Unit: helper}}},
		assign.Rule{Items: []string{"02"}, Lead: assign.Party{Unit: helper}})
	c.Announce()
	await(t, "the node knows the rules", func() bool { return l.Regime().RulesID == c.Regime().RulesID })
	people := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	rng := rand.New(rand.NewPCG(41, 0))
	fileSome := func(n int) {
		for range n {
			r := random(rng)
			if rng.IntN(2) == 0 && r.X != nil {
				r.AccuracyM = new(float64(rng.IntN(900)))
			}
			if who := rng.IntN(4); who < 3 {
				r.FiledBy = &people[who]
			}
			file(t, l.City, r)
		}
	}
	city := policy.Area{Level: policy.City, Code: "330481"}
	town := policy.Area{Level: policy.Town, Code: "330481101"}
	village := func(x, y int) policy.Area { return policy.Area{Level: policy.Village, Code: apptest.VillageCode(x, y)} }
	grid := func(x, y int) policy.Area { return policy.Area{Level: policy.Grid, Code: apptest.GridCode(x, y)} }
	elsewhere := policy.Area{Level: policy.Town, Code: "330481199"}
	reaches := map[string]policy.Reach{
		"everything":            {City: true},
		"nothing":               {},
		"what lies somewhere":   {Areas: []policy.Area{city}},
		"the town":              {Areas: []policy.Area{town}},
		"another town":          {Areas: []policy.Area{elsewhere}},
		"a village":             {Areas: []policy.Area{village(0, 1)}},
		"two villages":          {Areas: []policy.Area{village(0, 1), village(1, 0)}},
		"a grid":                {Areas: []policy.Area{grid(1, 2)}},
		"one's own":             {Own: true, Me: people[0]},
		"a grid and one's own":  {Areas: []policy.Area{grid(3, 3)}, Own: true, Me: people[1]},
		"what a unit leads":     {Units: []policy.UnitID{bureau}},
		"leads or supports":     {Units: []policy.UnitID{helper}},
		"a unit's and a town's": {Areas: []policy.Area{village(1, 0)}, Units: []policy.UnitID{bureau}, Own: true, Me: people[2]},
		"a village and a grid":  {Areas: []policy.Area{village(1, 1), grid(0, 0)}},
	}
	fileSome(300)
	for _, step := range []string{"as filed", "with more", "under another plan"} {
		switch step {
		case "with more":
			fileSome(60)
		case "under another plan":
			apptest.Publish(t, c, "second", .004, apptest.Now.AddDate(0, -1, 0))
			c.Announce()
			await(t, "the second plan is in force and all reports lie as it says", func() bool {
				return l.State().Layout.Plan.Name == "second" && misplaced(t, l.City) == 0
			})
		}
		caughtUp(t, l)
		all, err := l.Reports.List(t.Context(), report.Query{Limit: 1000})
		if err != nil || len(all.Reports) < 300 || all.Next != "" {
			t.Fatalf("%d reports, %v", len(all.Reports), err)
		}
		for name, reach := range reaches {
			agree(t, l, step+", "+name, reach, all.Reports)
		}
	}
}

func agree(t *testing.T, l *app.Live, name string, reach policy.Reach, all []report.Report) {
	t.Helper()
	want, glimpses, drawn := map[report.Num]bool{}, 0, 0
	byPlace := policy.Reach{City: reach.City, Areas: reach.Areas, Units: reach.Units}
	for i := range all {
		s := apptest.Subject(t, l.City, &all[i])
		sight := reach.Covers(&s)
		if sight != policy.Hidden {
			want[all[i].Num] = true
		}
		if sight == policy.Glimpse {
			glimpses++
		}
		if all[i].Lon != nil && byPlace.Covers(&s) != policy.Hidden {
			drawn++
		}
	}
	if len(reach.Areas) > 0 && !reach.City && len(want) > 0 && reach.Areas[0].Level == policy.Grid && glimpses == 0 {
		t.Errorf("%s: no report may lie there: the test tells little", name)
	}
	got := map[report.Num]bool{}
	q := report.Query{Limit: 37}
	for {
		page, err := l.List(t.Context(), q, cube.Filter{}, &reach)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Reports {
			if got[r.Num] {
				t.Errorf("%s: report %d comes twice", name, r.Num)
			}
			got[r.Num] = true
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	for i := range all {
		if n := all[i].Num; got[n] != want[n] {
			t.Errorf("%s: report %d (%+v) is listed: %v, covered: %v", name, n, all[i].Placement, got[n], want[n])
		}
	}
	cut := l.Cut(cube.Filter{}, &reach)
	if n := int(l.View().Count(cut, nil)); n != drawn {
		t.Errorf("%s: the cube counts %d, %d are covered", name, n, drawn)
	}
	heat := 0
	for _, c := range l.View().Heat(0, 0, 0, cut, nil) {
		heat += int(c.Count)
	}
	if heat != drawn {
		t.Errorf("%s: the heat shows %d, %d are covered", name, heat, drawn)
	}
	filters(t, l, name, reach, all)
}

// filters holds what is asked of cases, in the list and in the cube, against each report: none of them shows what the reach cuts.
func filters(t *testing.T, l *app.Live, name string, reach policy.Reach, all []report.Report) {
	t.Helper()
	byPlace := policy.Reach{City: reach.City, Areas: reach.Areas, Units: reach.Units}
	fates := map[report.Num]casework.Fate{}
	if err := l.Cases.Fates(t.Context(), 0, 1<<32-1, func(f *casework.Fate) { fates[f.Report] = *f }); err != nil {
		t.Fatal(err)
	}
	at := apptest.Now
	lead := fates[all[len(all)/2].Num].Lead
	for what, ask := range map[string]struct {
		fate   report.Fate
		filter cube.Filter
		holds  func(f *casework.Fate) bool
	}{
		"reported": {report.Fate{States: []string{string(casework.Reported)}}, cube.Filter{States: 1 << casework.Reported.Number()},
			func(f *casework.Fate) bool { return f.State == casework.Reported }},
		"closed": {report.Fate{States: []string{string(casework.Closed)}}, cube.Filter{States: 1 << casework.Closed.Number()},
			func(f *casework.Fate) bool { return f.State == casework.Closed }},
		"settled by nobody": {report.Fate{Ends: []string{"none"}}, cube.Filter{Ends: 1}, func(f *casework.Fate) bool { return f.SettledBy == "" }},
		"led":               {report.Fate{Teams: []policy.UnitID{lead}}, cube.Filter{Crews: l.LedBy([]policy.UnitID{lead})}, func(f *casework.Fate) bool { return f.Lead == lead }},
		"overdue": {report.Fate{Colours: []string{"red"}, At: at}, cube.Filter{Clocks: cube.Red, Now: uint32(at.Unix())},
			func(f *casework.Fate) bool { return f.DueAt != 0 && f.DueAt < at.Unix() }},
	} {
		listed, drawn := map[report.Num]bool{}, 0
		for i := range all {
			s, f := apptest.Subject(t, l.City, &all[i]), fates[all[i].Num]
			if !ask.holds(&f) {
				continue
			}
			if reach.Covers(&s) != policy.Hidden {
				listed[all[i].Num] = true
			}
			if all[i].Lon != nil && byPlace.Covers(&s) != policy.Hidden {
				drawn++
			}
		}
		page, err := l.List(t.Context(), report.Query{Limit: 1000, Fate: ask.fate}, ask.filter, &reach)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Reports {
			if !listed[r.Num] {
				t.Errorf("%s, %s: report %d is listed", name, what, r.Num)
			}
			delete(listed, r.Num)
		}
		if len(listed) > 0 {
			t.Errorf("%s, %s: %v are not listed", name, what, listed)
		}
		if n := int(l.View().Count(l.Cut(ask.filter, &reach), nil)); n != drawn {
			t.Errorf("%s, %s: the cube counts %d, want %d", name, what, n, drawn)
		}
	}
}
