package app_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/cube"
	"gridgov/internal/hotspot"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// Spots count what SQL counts: by place and month, told and found apart, among the places of a reach; and Gi* is that of these counts, held
// against each other alone. A report that comes is counted at once.
func TestSpotsAreOfWhatIsSeen(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	l := node(t, db.URL(), apptest.Clock)
	rng := rand.New(rand.NewPCG(7, 0))
	for range 400 {
		file(t, l.City, random(rng))
	}
	caughtUp(t, l)
	var edges []uint32
	for week := range 3 {
		edges = append(edges, uint32(apptest.Now.AddDate(0, 0, 7*week-10).Unix()))
	}
	item, _ := l.Names().Item("01")
	web := uint8(1) << report.Source("web").Number()
	reaches := map[string]policy.Reach{
		"the city": {City: true}, "the town": {Areas: []policy.Area{apptest.TownArea}}, "two villages": {Areas: []policy.Area{apptest.VillageArea(0, 0), apptest.VillageArea(1, 0)}},
		"a grid": {Areas: []policy.Area{apptest.GridArea(2, 2)}}, "nothing": {},
	}
	filters := map[string]struct {
		cube  cube.Filter
		where string
	}{
		"all":          {cube.Filter{}, `true`},
		"of an item":   {cube.Filter{Items: []uint16{item}}, `r.item = '01'`},
		"from the web": {cube.Filter{Sources: web}, `r.source = 'web'`},
		"in the small hours": {cube.Filter{Hours: l.Dial().Hours(1<<0 | 1<<23)},
			`to_char(r.captured_at AT TIME ZONE 'Asia/Shanghai', 'HH24') IN ('00', '23')`},
	}
	ask := func(level, filter string, reach policy.Reach) *app.Spots {
		t.Helper()
		q := app.SpotQuery{Level: level, Filter: filters[filter].cube, Key: filter, Rule: hotspot.Rule{Kind: "rook"}, Edges: edges}
		s, err := l.Spots(t.Context(), &q, &reach)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, reach := range reaches {
		for filter, f := range filters {
			for _, level := range []string{"grid", "village"} {
				s := ask(level, filter, reach)
				told, found := countsBySQL(t, l, level, f.where, edges)
				if want := map[string][2]int{"the city": {16, 4}, "the town": {16, 4}, "two villages": {8, 2}, "a grid": {1, 0}}[name]; len(s.Units) != map[string]int{"grid": want[0], "village": want[1]}[level] {
					t.Errorf("%s: %d places of level %s", name, len(s.Units), level)
				}
				x := make([]float64, len(s.Units))
				for i, u := range s.Units {
					code := s.Level.Units[u].Code
					var patrols uint64
					if s.Found != nil {
						patrols = s.Found[i]
					} else {
						found[code] = 0 // the filter names sources: what is counted is counted together
					}
					if patrols != found[code] || s.N[i] != sum(told[code]) || !slices.Equal(s.Series[i*s.Steps:(i+1)*s.Steps], told[code]) {
						t.Errorf("%s, %s, %s: %v and %d by patrols, SQL has %v and %d", name, filter, code, s.Series[i*s.Steps:(i+1)*s.Steps], patrols, told[code], found[code])
					}
					x[i] = float64(s.N[i])
				}
				giStar(t, s, x)
			}
		}
	}

	before := ask("grid", "all", reaches["the city"])
	if again := ask("grid", "all", reaches["the city"]); again != before {
		t.Error("the same is found twice")
	}
	n := at(1, 1, "01")
	file(t, l.City, n)
	caughtUp(t, l)
	after := ask("grid", "all", reaches["the city"])
	i := after.Place(after.Level.Coverage.Index(apptest.GridCode(1, 1)))
	if after.N[i] != before.N[i]+1 || after.Around[i] != before.Around[i]+1 {
		t.Errorf("%d reports and %d around after one more, before %d and %d", after.N[i], after.Around[i], before.N[i], before.Around[i])
	}
	// What is known from before makes no difference to what is found: a node that was asked nothing yet says the same.
	fresh := node(t, db.URL(), apptest.Clock)
	caughtUp(t, fresh)
	anew, err := fresh.Spots(t.Context(), &app.SpotQuery{Level: "grid", Rule: hotspot.Rule{Kind: "rook"}, Edges: edges}, &policy.Reach{City: true})
	if err != nil {
		t.Fatal(err)
	}
	moved := 0
	for i := range anew.Units {
		for step := range anew.Steps {
			if !sameStep(after.Step(i, step), anew.Step(i, step)) {
				t.Errorf("place %d, step %d: %+v, asked for the first time %+v", i, step, after.Step(i, step), anew.Step(i, step))
			}
			if !sameStep(after.Step(i, step), before.Step(i, step)) {
				moved++
			}
		}
		if fmt.Sprint(after.Emerged[i]) != fmt.Sprint(anew.Emerged[i]) {
			t.Errorf("place %d: %+v, asked for the first time %+v", i, after.Emerged[i], anew.Emerged[i])
		}
	}
	if moved == 0 || moved > len(anew.Units) {
		t.Errorf("%d steps of places moved, which should be those of one step", moved)
	}
	if rate, ok := after.RateOf(i); ok != (after.N[i] >= 20) || ok && !(rate > 0) {
		t.Errorf("a rate of %g from %d reports", rate, after.N[i])
	}
}

func sameStep(a, b hotspot.Step) bool {
	return a.Heat == b.Heat && (a.Z == b.Z || math.IsNaN(a.Z) && math.IsNaN(b.Z))
}

func sum(x []uint64) (n uint64) {
	for _, v := range x {
		n += v
	}
	return n
}

// countsBySQL counts reports by units and steps: told ones, and those that patrols found.
func countsBySQL(t *testing.T, l *app.Live, level, where string, edges []uint32) (told map[string][]uint64, found map[string]uint64) {
	t.Helper()
	told, found = map[string][]uint64{}, map[string]uint64{}
	layout := l.State().Layout
	for i := range layout.Levels {
		for _, u := range layout.Levels[i].Units {
			told[u.Code] = make([]uint64, len(edges)-1)
		}
	}
	for step := range len(edges) - 1 {
		rows, err := l.Pool.Query(t.Context(), `
			SELECT p.`+level+`, r.source = 'patrol' AND $3, count(*) FROM report r JOIN placement p ON p.report_num = r.num
			WHERE p.`+level+` IS NOT NULL AND r.captured_at >= $1 AND r.captured_at < $2 AND `+where+` GROUP BY 1, 2`,
			time.Unix(int64(edges[step]), 0), time.Unix(int64(edges[step+1]), 0), where != `r.source = 'web'`)
		if err != nil {
			t.Fatal(err)
		}
		var code string
		var patrol bool
		var n uint64
		if _, err := pgx.ForEachRow(rows, []any{&code, &patrol, &n}, func() error {
			if patrol {
				found[code] += n
			} else {
				told[code][step] += n
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return told, found
}

// giStar works out Gi* by its definition, with who touches whom told by the lattice.
func giStar(t *testing.T, s *app.Spots, x []float64) {
	t.Helper()
	n := float64(len(x))
	var mean, squares float64
	for _, v := range x {
		mean += v / n
		squares += v * v / n
	}
	sd := math.Sqrt(squares - mean*mean)
	for i, u := range s.Units {
		around, k := 0.0, 0.0
		c := s.Level.Units[u].Center
		for j, w := range s.Units {
			d := s.Level.Units[w].Center
			step := apptest.Step
			if len(s.Level.Units) == 4 {
				step *= 2
			}
			if math.Abs(c[0]-d[0])+math.Abs(c[1]-d[1]) < 1.5*step { // itself, and across one side
				around, k = around+x[j], k+1
			}
		}
		if k < 2 || sd == 0 || k == n {
			if s.Verdict[i] == hotspot.Tested {
				t.Errorf("%s was tested: %g around of %g", s.Level.Units[u].Code, k, n)
			}
			continue
		}
		if z := (around - mean*k) / (sd * math.Sqrt((n*k-k*k)/(n-1))); math.Abs(z-s.Z[i]) > 1e-9 || s.Around[i] != uint64(around) {
			t.Errorf("%s: z %g, %d around; by hand %g, %g", s.Level.Units[u].Code, s.Z[i], s.Around[i], z, around)
		}
	}
}

// What cannot be asked is said.
func TestSpotsThatCannotBe(t *testing.T) {
	db, c := apptest.City(t)
	l := node(t, db.URL(), apptest.Clock)
	q := app.SpotQuery{Level: "grid", Rule: hotspot.Rule{Kind: "queen"}, Edges: []uint32{1, 2}}
	all := policy.Reach{City: true}
	if _, err := l.Spots(t.Context(), &q, &all); code(err) != "no_plan" {
		t.Errorf("without a plan: %v", err)
	}
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	c.Announce()
	await(t, "the plan is in force", func() bool { return l.State().Layout != nil })
	for level, want := range map[string]string{"street": "unknown_level", "city": "unknown_level", "grid": ""} {
		q.Level = level
		if _, err := l.Spots(t.Context(), &q, &all); code(err) != want {
			t.Errorf("level %s: %v", level, err)
		}
	}
	q.Level, q.Rates = "village", true // villages have no households
	if _, err := l.Spots(t.Context(), &q, &all); code(err) != "no_base" {
		t.Errorf("rates without households: %v", err)
	}
	q.Level, q.Rates = "grid", false
	q.Rule = hotspot.Rule{Kind: "knn", K: 1 << 20}
	if _, err := l.Spots(t.Context(), &q, &all); code(err) != "too_many" {
		t.Errorf("a million neighbours each: %v", err)
	}
	q.Rule = hotspot.Rule{Kind: "queen"}
	s, err := l.Spots(t.Context(), &q, &all)
	if err != nil || s.Verdict[0] != hotspot.Constant || s.Q[0] != 1 {
		t.Errorf("without a report: %v, %v", s.Verdict, err)
	}
}
