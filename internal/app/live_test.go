package app_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/cube"
	"gridgov/internal/feed"
	"gridgov/internal/report"
)

func file(t testing.TB, c *app.City, n report.New) report.Num {
	t.Helper()
	num, _, err := c.Reports.File(t.Context(), n)
	if err != nil {
		t.Error(err)
	}
	return num
}

func importRows(t testing.TB, c *app.City, rng *rand.Rand, prefix string, n int) {
	t.Helper()
	var rows iter.Seq2[report.Row, *report.Reject] = func(yield func(report.Row, *report.Reject) bool) {
		for i := range n {
			row := report.Row{Line: i + 1, New: random(rng)}
			row.New.Source, row.New.ExternalID, row.New.ID = "import", fmt.Sprintf("%s-%d", prefix, i), report.ID{}
			row.New.Item = fmt.Sprintf("%s-%d", prefix, i%3) // items that nobody knows yet
			if !yield(row, nil) {
				return
			}
		}
	}
	out, err := c.Reports.Import(t.Context(), rows, report.ImportOptions{CreateItems: true, Progress: func(int64) { c.Announce() }})
	if err != nil || out.Added != int64(n) {
		t.Errorf("import: %+v, %v", out, err)
	}
}

// Two nodes serve one city. Reports are filed at both and by a third who knows of no later plan, points are set by hand,
// files imported, while plans with shifted borders come in force one after the other. In the end each report has the
// last plan's answer, and both cubes equal a recount, as does a cube loaded anew.
func TestTrafficAndPlans(t *testing.T) {
	db, city := apptest.City(t)
	apptest.Publish(t, city, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	now := newClock(apptest.Now).now
	third := open(t, db, now)
	defer third.Close()
	a, b := node(t, db.URL(), now), node(t, db.URL(), now)
	var work sync.WaitGroup
	for w, c := range []*app.City{a.City, b.City, third, a.City, b.City, third} {
		work.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(w)))
			var nums []report.Num
			for i := range 60 {
				switch {
				case i%20 == 10:
					importRows(t, c, rng, fmt.Sprintf("i%d-%d", w, i), 50)
				case len(nums) > 0 && i%5 == 0:
					if err := c.Reports.SetPosition(t.Context(), nums[rng.IntN(len(nums))], randomPoint(rng), "seen"); err != nil {
						t.Error(err)
					}
				default:
					nums = append(nums, file(t, c, random(rng)))
				}
			}
		})
	}
	work.Go(func() {
		publisher := open(t, db, now) // as the command line does
		defer publisher.Close()
		for i := range 4 {
			apptest.Publish(t, publisher, fmt.Sprintf("plan %d", i), float64(i%2+1)*.003, apptest.Now.AddDate(0, i-6, 0))
			publisher.Announce()
			if i%2 == 0 { // else the nodes do it
				if _, err := publisher.Replace(t.Context(), publisher.State().Placer, nil); err != nil {
					t.Error(err)
				}
			}
		}
	})
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { watchWhileRunning(t, a, done) })
	work.Wait()
	close(done)
	watch.Wait()
	await(t, "all reports lie as the last plan says", func() bool { return misplaced(t, third) == 0 })
	recount(t, a)
	recount(t, b)
	recount(t, node(t, db.URL(), now))
}

// watchWhileRunning holds the cube between two counts by SQL: what was committed before must be in it once it is said to
// be, and nothing that was not committed by then.
func watchWhileRunning(t *testing.T, l *app.Live, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		var before, after int
		var head feed.ID
		err := l.Pool.QueryRow(t.Context(), `SELECT count(lon), (SELECT epoch FROM feed), (SELECT seq FROM feed) FROM report`).Scan(&before, &head.Epoch, &head.Seq)
		if err == nil {
			err = l.WaitApplied(t.Context(), head)
		}
		view := l.View()
		if err == nil {
			err = l.Pool.QueryRow(t.Context(), `SELECT count(lon) FROM report`).Scan(&after)
		}
		if err != nil {
			t.Error(err)
			return
		}
		sum := 0
		for _, c := range view.Heat(0, 0, 0, cube.Filter{}, nil) {
			sum += int(c.Count)
		}
		if n := view.Len(); n < before || n > after || sum != n {
			t.Errorf("the cube holds %d reports and shows %d; there were %d before and %d after", n, sum, before, after)
		}
	}
}

// A plan published ahead comes in force when its moment comes, without anybody doing anything.
func TestPlanPublishedAhead(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	ticking := newClock(apptest.Now)
	l := node(t, db.URL(), ticking.now)
	rng := rand.New(rand.NewPCG(4, 0))
	for range 100 {
		file(t, l.City, random(rng))
	}
	later := apptest.Now.Add(time.Hour)
	apptest.Publish(t, c, "second", .004, later)
	caughtUp(t, l)
	if name := l.State().Layout.Plan.Name; name != "first" || misplaced(t, l.City) != 0 {
		t.Fatalf("an hour ahead the plan in force is %q", name)
	}
	ticking.leap(later)
	if misplaced(t, l.City) == 0 {
		t.Fatal("no report changes its grid: the test tells nothing")
	}
	await(t, "the second plan is in force and all reports lie as it says", func() bool {
		return l.State().Layout.Plan.Name == "second" && misplaced(t, l.City) == 0
	})
	recount(t, l)
}

// A process that knows of no later plan files a report, and sets the point of an old one, after the later plan was
// evaluated, and nobody is there to see it. Who comes next puts both right.
func TestStraysAreFoundAfterARestart(t *testing.T) {
	db, city := apptest.City(t)
	apptest.Publish(t, city, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	now := newClock(apptest.Now).now
	old := open(t, db, now)
	defer old.Close()
	early := file(t, old, filedAt(1, apptest.West))
	publisher := open(t, db, now)
	defer publisher.Close()
	apptest.Publish(t, publisher, "second", .004, apptest.Now.AddDate(0, -1, 0))
	if _, err := publisher.Replace(t.Context(), publisher.State().Placer, nil); err != nil {
		t.Fatal(err)
	}
	// Between the border's places in the two plans.
	contested := apptest.Center(1, 1)
	contested[0] = apptest.West + apptest.Step + .001
	if err := old.Reports.SetPosition(t.Context(), early, contested, ""); err != nil {
		t.Fatal(err)
	}
	n := filedAt(2, contested[0])
	file(t, old, n)
	if got := misplaced(t, old); got != 2 {
		t.Fatalf("%d reports lie as the first plan says, want 2: the test tells nothing", got)
	}
	l := node(t, db.URL(), now)
	await(t, "both lie as the second plan says", func() bool { return misplaced(t, old) == 0 })
	recount(t, l)

	// And who is behind does not undo it.
	last, err := old.Reports.LastNum(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Reports.ReplaceRange(t.Context(), old.State().Placer, 1, last); err != nil {
		t.Fatal(err)
	}
	if got := misplaced(t, old); got != 0 {
		t.Errorf("%d reports went back to the first plan's answer", got)
	}
}

// A report that a third plan puts where the first did still names the first. Who knows the second alone leaves it there.
func TestWhoIsBehindMovesNothing(t *testing.T) {
	db, city := apptest.City(t)
	apptest.Publish(t, city, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	now := newClock(apptest.Now).now
	publisher := open(t, db, now)
	defer publisher.Close()
	file(t, publisher, filedAt(1, apptest.West+apptest.Step+.001))
	apptest.Publish(t, publisher, "second", .004, apptest.Now.AddDate(0, -2, 0))
	behind := open(t, db, now)
	defer behind.Close()
	if n, err := behind.Reports.Evaluate(t.Context(), behind.State().Placer, 1, 1); err != nil || n != 1 {
		t.Fatalf("%d reports lie elsewhere under the second plan: the test tells nothing (%v)", n, err)
	}
	apptest.Publish(t, publisher, "third", 0, apptest.Now.AddDate(0, -1, 0))
	if n, err := behind.Reports.ReplaceRange(t.Context(), behind.State().Placer, 1, 1); err != nil || n != 0 {
		t.Errorf("%d reports were moved, %v", n, err)
	}
	if n := misplaced(t, publisher); n != 0 {
		t.Errorf("%d reports lie elsewhere than the third plan says", n)
	}
}

func filedAt(id byte, lon float64) report.New {
	lat := apptest.Center(1, 1)[1]
	return report.New{ID: report.ID{15: id}, Source: "web", Item: "01", CapturedAt: apptest.Now, X: &lon, Y: &lat}
}

// The database is restored to an earlier state under a new epoch while readers read: the cube is loaded anew, and so is
// what hangs on the plan in force, although it is the same one; a re-placement that was half done there is finished.
func TestResetLoadsAnew(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	l := node(t, db.URL(), apptest.Clock)
	rng := rand.New(rand.NewPCG(5, 0))
	for range 50 {
		file(t, l.City, random(rng))
	}
	recount(t, l)
	done := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				l.View().Count(cube.Filter{}, nil)
				l.Span()
			}
		}
	})
	await(t, "all that is due was told", func() bool { // or that comes between
		return counted(t, c, fmt.Sprintf(`SELECT count(*) FROM clock WHERE next_at <= '%s'`, apptest.Now.Format(time.RFC3339))) == 0
	})
	caughtUp(t, l)
	before := l.Applied()
	for _, sql := range []string{`UPDATE clock SET next_at = NULL`,
		`DELETE FROM clock WHERE report_num > 20`, `DELETE FROM case_act WHERE report_num > 20`, `DELETE FROM cases WHERE report_num > 20`, `DELETE FROM proposal_evidence`, `DELETE FROM placement WHERE report_num > 20`, `DELETE FROM report_words WHERE report_num > 20`, `DELETE FROM report WHERE num > 20`,
		`UPDATE plan SET name = 'renamed'`, `INSERT INTO attribution (ord, text) VALUES (0, 'of the backup')`,
		`INSERT INTO place (name, aliases, kind, lon, lat) VALUES ('老码头', '{}', 'place', 120.605, 30.505)`,
		`UPDATE placement SET grid = 'stale', answer = 0, plan_id = NULL WHERE grid IS NOT NULL`, `UPDATE replacing SET next_num = 1, last_num = 20`,
		`DELETE FROM event WHERE seq > 21`, `UPDATE feed SET epoch = 2, seq = 21`} {
		if _, err := db.Owner().Exec(t.Context(), `SET search_path = testcity, public`); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Owner().Exec(t.Context(), `SET search_path = testcity, public; `+sql); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	at, err := l.Resume(ctx, before)
	if err != nil || at != (feed.ID{Epoch: 2, Seq: 21}) {
		t.Errorf("readers go on from %s, %v", at, err)
	}
	if name, words := l.PlanName(int64(l.State().Layout.Plan.ID)), l.Attribution(); name != "renamed" || !slices.Equal(words, []string{"of the backup"}) {
		t.Errorf("the plan is %q, the attribution %q", name, words)
	}
	if pt, a := l.State().Placer.Address("老码头"); pt == nil || a.Grid != apptest.GridCode(0, 0) {
		t.Errorf("the restored place lies at %v, %+v", pt, a)
	}
	await(t, "the re-placement is finished", func() bool { return misplaced(t, l.City) == 0 })
	file(t, l.City, random(rng))
	recount(t, l)
	close(done)
	readers.Wait()
}

// Items that come after the start, with a report or an import, have names at once.
func TestNewItemsHaveNames(t *testing.T) {
	_, live := apptest.Server(t)
	if err := live.Reports.SetItems(t.Context(), []report.Item{{Code: "03", Name: "new"}}); err != nil {
		t.Fatal(err)
	}
	n := filedAt(1, apptest.West)
	n.Item = "03"
	file(t, live.City, n)
	recount(t, live)
	if _, ok := live.Names().Item("03"); !ok {
		t.Error("the new item has no number")
	}
}
