package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/catalogue"
	"gridgov/internal/demo/haining"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/screening"
)

// wide is the wide city, without a server.
func wide(t *testing.T) *app.City {
	t.Helper()
	_, c := apptest.City(t)
	apptest.PublishWide(t, c)
	return c
}

func screen(t testing.TB, c *app.City) screening.Run {
	t.Helper()
	_, who := apptest.SignIn(t, c, apptest.Post(policy.CentreHead, apptest.CityArea))
	run, _, err := c.Screenings.Screen(audit.By(t.Context(), audit.Author{Person: who}))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func proposals(t testing.TB, c *app.City) []screening.Kept {
	t.Helper()
	list, err := c.Screenings.Proposals(t.Context(), screening.Query{Within: screening.Within{All: true}, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func evidenceOf(t testing.TB, c *app.City, id screening.ProposalID) []uint32 {
	t.Helper()
	nums, err := c.Screenings.Evidence(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return nums
}

// sql runs a statement in a transaction of the serving role.
func sql(t testing.TB, c *app.City, statement string, args ...any) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), c.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), statement, args...)
		return err
	})
}

// A planted hotspot becomes one proposal, with the reports that were told there as its evidence, and with nothing else: not what a patrol found,
// not what was refused, nor what came from before.
func TestAPlantedHotspotIsProposed(t *testing.T) {
	c := wide(t)
	want := apptest.Plant(t, c, 3, 3, 12, "01")
	found := apptest.Tell(t, c, 3, 3, 5, "01", "patrol", 30*time.Hour)
	refused := apptest.Tell(t, c, 3, 3, 1, "01", "phone", 30*time.Hour)
	apptest.Tell(t, c, 4, 4, 3, "01", "phone", 29*24*time.Hour)
	apptest.Tell(t, c, 10, 8, 1, "02", "phone", time.Hour)
	if err := sql(t, c, `UPDATE cases SET state = 'rejected' WHERE report_num = $1`, refused[0]); err != nil {
		t.Fatal(err)
	}
	if err := sql(t, c, `UPDATE cases SET object = '大桥排档' WHERE report_num = ANY ($1)`, []int64{int64(want[2]), int64(want[5]), int64(want[9])}); err != nil {
		t.Fatal(err)
	}
	run := screen(t, c)
	if run.Made != 1 || run.Why != "" || run.Units != 160 || run.Reports != 160+48+1 || run.Plan == 0 || run.Seq == 0 || run.Params != (screening.Params{Level: "grid", Days: 28, Least: 12, Q: 0.05, Seed: uint64(apptest.Now.Unix())}) {
		t.Errorf("%+v", run)
	}
	list := proposals(t, c)
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	p := &list[0]
	grids := []string{apptest.WideGrid(3, 3), apptest.WideGrid(4, 3), apptest.WideGrid(3, 4), apptest.WideGrid(4, 4)}
	if !slices.Equal(p.Place.Units, grids) || p.Place.Town != apptest.WideTown(3).Code || !slices.Equal(p.Place.Villages, []string{apptest.WideVillage(3, 3).Code}) || p.State != screening.IsOpen {
		t.Errorf("%+v", p)
	}
	if p.Told != 52 || p.Found != len(found) {
		t.Errorf("told %d, found %d", p.Told, p.Found)
	}
	if got := evidenceOf(t, c, p.ID); !slices.EqualFunc(got, want, func(a uint32, b report.Num) bool { return a == uint32(b) }) {
		t.Errorf("evidence %v, want %v", got, want)
	}
	facts, err := p.Facts()
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Objects) != 1 || facts.Objects[0] != (screening.Object{Report: uint32(want[2]), N: 3}) || facts.Weeks[11].Told != 3 {
		t.Errorf("objects %+v, weeks %+v", facts.Objects, facts.Weeks)
	}
	if names, err := c.Screenings.ObjectNames(t.Context(), []uint32{facts.Objects[0].Report}); err != nil || names[uint32(want[2])] != "大桥排档" {
		t.Errorf("%v %v", names, err)
	}
	// Nobody's words are kept.
	var kept []byte
	if err := c.Pool.QueryRow(t.Context(), `SELECT result FROM screening`).Scan(&kept); err != nil || !json.Valid(kept) || slices.Contains([]rune(string(kept)), '桥') {
		t.Errorf("%s, %v", kept, err)
	}
	// Once more: what served serves no more.
	if again := screen(t, c); again.Made != 0 || again.Why != screening.TooFew {
		t.Errorf("%+v", again)
	}
	// A dozen more, and there is another one beside the first.
	more := apptest.Tell(t, c, 4, 4, 12, "01", "web", time.Hour)
	screen(t, c)
	list = proposals(t, c)
	if len(list) != 2 || len(evidenceOf(t, c, list[0].ID)) != len(more) {
		t.Fatalf("%+v", list)
	}
	for i, other := range []int{1, 0} {
		if related, err := c.Screenings.Related(t.Context(), list[i].ID); err != nil || len(related) != 1 || related[0].ID != list[other].ID {
			t.Errorf("with %d: %+v, %v", list[i].ID, related, err)
		}
	}
}

// A screening is made again from what it kept, byte by byte, whatever has become of the reports.
func TestAgainGivesTheSameBytes(t *testing.T) {
	c := wide(t)
	nums := apptest.Plant(t, c, 9, 5, 12, "02")
	run := screen(t, c)
	if run.Made != 1 {
		t.Fatalf("%+v", run)
	}
	p := apptest.Center(1, 1)
	for _, n := range nums[:40] {
		if err := c.Reports.SetPosition(t.Context(), n, p, ""); err != nil {
			t.Fatal(err)
		}
	}
	apptest.Plant(t, c, 2, 2, 20, "02")
	same, _, err := c.Screenings.Again(t.Context(), run.ID)
	if err != nil || !same {
		t.Errorf("the same: %v, %v", same, err)
	}
	if now := screen(t, c); string(now.Digest) == string(run.Digest) {
		t.Error("though all is other now, a new screening says the same")
	}
	if _, _, err := c.Screenings.Again(t.Context(), 99); faultCode(err) != "not_found" {
		t.Errorf("%v", err)
	}
}

// Many screenings at once, as of many nodes: each is kept whole, or is one that was kept of the same; no report serves twice, and none is made
// of fewer than it takes.
func TestScreeningsAtOnce(t *testing.T) {
	c := wide(t)
	apptest.Plant(t, c, 3, 3, 12, "01")
	apptest.Plant(t, c, 10, 6, 12, "02")
	_, who := apptest.SignIn(t, c, apptest.Post(policy.CentreHead, apptest.CityArea))
	ctx := audit.By(t.Context(), audit.Author{Person: who})
	var wg sync.WaitGroup
	runs, kept, errs := make([]screening.Run, 6), make([]bool, 6), make([]error, 6)
	for i := range runs {
		node := &screening.Service{Pool: c.Pool, Feed: c.Writer, City: c.Code, Zone: c.Zone, Now: apptest.Clock, Log: apptest.Quiet(), World: c.Screenings.World}
		wg.Go(func() { runs[i], kept[i], errs[i] = node.Screen(ctx) })
	}
	wg.Wait()
	made := 0
	for i := range runs {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if kept[i] {
			made += runs[i].Made
		}
		if runs[i].Made == 0 && runs[i].Why != screening.Overtaken && runs[i].Why != screening.TooFew {
			t.Errorf("%+v", runs[i])
		}
	}
	if made != 2 || len(proposals(t, c)) != 2 {
		t.Errorf("%d proposals were made, %d are there", made, len(proposals(t, c)))
	}
	for _, p := range proposals(t, c) {
		if n := len(evidenceOf(t, c, p.ID)); n != 52 {
			t.Errorf("%d reports are the evidence of %d", n, p.ID)
		}
	}
}

// Two screenings that see different parts: the one that comes second keeps what is left, where that is enough, and drops what is not.
func TestTheSecondScreeningKeepsWhatIsLeft(t *testing.T) {
	for _, c := range []struct {
		taken, made int
		why         screening.Why
	}{{40, 1, ""}, {41, 0, screening.Overtaken}} {
		city := wide(t)
		nums := apptest.Plant(t, city, 3, 3, 12, "01") // 52
		run, err := overtaken(t, city, nums[:c.taken])
		if err != nil || run.Made != c.made || run.Why != c.why || run.Proposals != 1 {
			t.Errorf("%d taken: %+v, %v", c.taken, run, err)
		}
		if c.made == 1 {
			if n := len(evidenceOf(t, city, proposals(t, city)[0].ID)); n != 52-c.taken {
				t.Errorf("%d reports are left as evidence", n)
			}
		}
	}
}

// overtaken makes a screening that has read its cut when another is kept, whose one proposal has some reports as evidence.
func overtaken(t *testing.T, c *app.City, nums []report.Num) (run screening.Run, err error) {
	t.Helper()
	list := make([]int64, len(nums))
	for i := range nums {
		list[i] = int64(nums[i])
	}
	done := make(chan struct{})
	failed := pgx.BeginFunc(t.Context(), c.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(hashtextextended('gridgov screening ' || $1, 0))`, c.Code); err != nil {
			return err
		}
		go func() { run, _, err = c.Screenings.Screen(t.Context()); close(done) }()
		waits := false
		for deadline := time.Now().Add(30 * time.Second); !waits; {
			if err := c.Pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database
				WHERE datname = current_database()))`).Scan(&waits); err != nil || time.Now().After(deadline) {
				return fmt.Errorf("it does not wait: %w", err)
			}
		}
		for _, statement := range []string{`
			INSERT INTO screening (at, epoch, seq, list_id, level, days, least, q, seed, from_at, to_at, reports, units, proposals, made, took_ms, cut, result, digest)
			SELECT $1, 1, 1, min(id), 'grid', 28, 2, 0.05, 1, $1, $1, 0, 0, 1, 1, 1, '', '', decode(repeat('00', 32), 'hex') FROM regime WHERE kind = 'catalogue'`, `
			INSERT INTO proposal (screening_id, n, item, level, town, villages, grids, units, told, found, expected, facts, made_at, state, version)
			SELECT id, 0, '01', 'grid', '', '{}', '{}', '{x}', 1, 0, 1, '{}', $1, 'open', 0 FROM screening`} {
			if _, err := tx.Exec(t.Context(), statement, apptest.Now); err != nil {
				return err
			}
		}
		_, err := tx.Exec(t.Context(), `INSERT INTO proposal_evidence SELECT num, (SELECT max(id) FROM proposal) FROM unnest($1::bigint[]) AS num`, list)
		return err
	})
	if failed != nil {
		t.Fatal(failed)
	}
	<-done
	return run, err
}

// The week's screening is made once, whatever nodes ask; weeks in which nobody asked are made up for by one.
func TestWeeklyScreening(t *testing.T) {
	c := wide(t)
	apptest.Plant(t, c, 3, 3, 12, "01") // on Monday and before: Now is a Tuesday
	var wg sync.WaitGroup
	made := make([]bool, 5)
	now := apptest.Now
	node := func() *screening.Service {
		return &screening.Service{Pool: c.Pool, Feed: c.Writer, City: c.Code, Zone: c.Zone, Now: func() time.Time { return now }, Log: apptest.Quiet(), World: c.Screenings.World}
	}
	for i := range made {
		wg.Go(func() {
			var err error
			if made[i], err = node().Weekly(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := 0
	for _, m := range made {
		if m {
			n++
		}
	}
	runs, err := c.Screenings.Runs(t.Context(), 0, 10)
	if err != nil || n != 1 || len(runs) != 1 {
		t.Fatalf("%d made, %+v, %v", n, runs, err)
	}
	// Up to Monday, 0 h in the city.
	if r := runs[0]; r.Week != "2026-W48" || r.Person != uuid.Nil || !r.To.Equal(time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC)) || !r.From.Equal(time.Date(2026, 10, 25, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", r)
	}
	now = now.AddDate(0, 0, 5) // Sunday
	if made, err := node().Weekly(t.Context()); made || err != nil {
		t.Errorf("twice in a week: %v", err)
	}
	now = now.AddDate(0, 0, 22) // three weeks later
	for _, want := range []bool{true, false} {
		if made, err := node().Weekly(t.Context()); made != want || err != nil {
			t.Errorf("made %v, want %v, %v", made, want, err)
		}
	}
	if runs, err := c.Screenings.Runs(t.Context(), 0, 10); err != nil || len(runs) != 2 || runs[0].Week != "2026-W52" {
		t.Errorf("%+v, %v", runs, err)
	}
}

// A service that runs makes the week's screening by itself, and two nodes make it once.
func TestAServiceScreensByItself(t *testing.T) {
	db, c := apptest.City(t)
	apptest.PublishWide(t, c)
	for range 2 {
		node := app.NewServer(db, c.Contacts.Ring, apptest.Quiet(), apptest.Clock)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { node.Run(ctx); close(done) }()
		t.Cleanup(func() { stop(); <-done })
	}
	await(t, "the week's screening is made", func() bool { return counted(t, c, `SELECT count(*) FROM screening WHERE week = '2026-W48'`) == 1 })
	await(t, "its job is done", func() bool {
		return counted(t, c, `SELECT count(*) FROM river_job WHERE kind = 'screen' AND state <> 'completed'`) == 0
	})
	if n := counted(t, c, `SELECT count(*) FROM screening`); n != 1 {
		t.Errorf("%d screenings were made", n)
	}
}

// The list's rule counts: its level, its days, and an item's own number.
func TestScreeningByTheListsRule(t *testing.T) {
	c := wide(t)
	apptest.Plant(t, c, 3, 3, 12, "01")
	list := func(level string, days, least, own int) {
		l := catalogue.Default()
		l.Screening = &catalogue.Screening{Level: level, Days: days, Least: least, Q: 0.05}
		l.Items[0].Least = own
		apptest.PublishRegime(t, c, regime.Catalogue, l)
	}
	now := apptest.Now
	for _, step := range []struct {
		level            string
		days, least, own int
		made, units      int
		why              screening.Why
	}{
		{"microgrid", 28, 12, 0, 0, 0, screening.NoLevel},
		{"village", 28, 12, 0, 0, 4, screening.NothingHot}, // of four villages none stands out
		{"town", 28, 12, 0, 0, 2, screening.NothingHot},
		{"grid", 28, 100, 0, 0, 160, screening.TooFew},
		{"grid", 28, 12, 53, 0, 160, screening.TooFew},
		{"grid", 28, 100, 52, 1, 160, ""},
	} {
		now = now.Add(time.Second) // each list from a moment of its own
		c.Regimes.Now = func() time.Time { return now }
		list(step.level, step.days, step.least, step.own)
		w, err := c.Regimes.InForce(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		s := &screening.Service{Pool: c.Pool, Feed: c.Writer, City: c.Code, Zone: c.Zone, Now: func() time.Time { return now }, Log: apptest.Quiet(), World: func(context.Context) (screening.World, error) {
			return screening.World{Layout: c.State().Layout, List: w.Catalogue, ListID: w.CatalogueID}, nil
		}}
		_, who := apptest.SignIn(t, c)
		run, _, err := s.Screen(audit.By(t.Context(), audit.Author{Person: who}))
		if err != nil || run.Made != step.made || run.Why != step.why || run.Units != step.units || run.Params.Level != step.level || run.List != int64(w.CatalogueID) {
			t.Errorf("%+v: %+v, %v", step, run, err)
		}
	}
}

// Who asks again where nothing has changed gets the same screening, and nothing more is kept; a report, a list and a day later it is another.
func TestScreeningAgainWhereNothingChanged(t *testing.T) {
	c := wide(t)
	apptest.Plant(t, c, 3, 3, 12, "01")
	now := apptest.Now
	c.Screenings.Now = func() time.Time { return now }
	_, who := apptest.SignIn(t, c, apptest.Post(policy.CentreHead, apptest.CityArea))
	ctx := audit.By(t.Context(), audit.Author{Person: who})
	var last screening.Run
	for i, step := range []struct {
		what   string
		before func()
		made   bool
	}{
		{"the first", func() {}, true},
		{"after proposals were made", func() {}, true},
		{"with nothing changed", func() { now = now.Add(time.Minute) }, false},
		{"with nothing changed still", func() {}, false},
		{"after a report", func() { apptest.Tell(t, c, 5, 5, 1, "02", "web", time.Hour) }, true},
		{"with nothing changed again", func() {}, false},
		{"under another list", func() {
			l := catalogue.Default()
			l.Screening = &catalogue.Screening{Level: "grid", Days: 28, Least: 10, Q: 0.05}
			apptest.PublishRegime(t, c, regime.Catalogue, l)
		}, true},
		{"a day later", func() { now = now.AddDate(0, 0, 1) }, true},
	} {
		step.before()
		run, made, err := c.Screenings.Screen(ctx)
		if err != nil || made != step.made || (run.ID == last.ID) != (i > 0 && !step.made) {
			t.Errorf("%s: screening %d after %d, made %v; %v", step.what, run.ID, last.ID, made, err)
		}
		last = run
	}
	runs, err := c.Screenings.Runs(ctx, 0, 10)
	if err != nil || len(runs) != 5 {
		t.Errorf("%d screenings are kept; %v", len(runs), err)
	}
}

// A city without a plan is screened as well: it says why there is nothing.
func TestScreeningWithoutAPlan(t *testing.T) {
	_, c := apptest.City(t)
	run := screen(t, c)
	if run.Why != screening.NoPlan || run.Plan != 0 {
		t.Errorf("%+v", run)
	}
	if same, _, err := c.Screenings.Again(t.Context(), run.ID); err != nil || !same {
		t.Errorf("%v, %v", same, err)
	}
}

// While a city is filled for the first time its week waits: an empty city would count as screened.
func TestAWeekWaitsForADemo(t *testing.T) {
	o := newOffice(t)
	filling := true
	o.c.Screenings.Filling = func(context.Context) (bool, error) { return filling, nil }
	w := &screening.Worker{Service: o.c.Screenings}
	var snooze *river.JobSnoozeError
	if err := w.Work(t.Context(), &river.Job[screening.Args]{}); !errors.As(err, &snooze) {
		t.Fatalf("while it is filled: %v", err)
	}
	if runs, err := o.c.Screenings.Runs(t.Context(), 0, 1); err != nil || len(runs) != 0 {
		t.Errorf("%d screenings, %v", len(runs), err)
	}
	filling = false
	if err := w.Work(t.Context(), &river.Job[screening.Args]{}); err != nil {
		t.Fatal(err)
	}
	if runs, err := o.c.Screenings.Runs(t.Context(), 0, 1); err != nil || len(runs) != 1 || runs[0].Week == "" {
		t.Errorf("%+v, %v", runs, err)
	}
}

// hotspotsOfHaining tells that what was planted into the demo, and lasted into the screening's window with enough, is proposed there, each with evidence of its
// own; and that little else is.
func hotspotsOfHaining(t *testing.T, c *app.City) {
	plan, err := haining.Boundaries()
	if err != nil {
		t.Fatal(err)
	}
	runs, err := c.Screenings.Runs(t.Context(), 0, 1)
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d screenings, %v", len(runs), err)
	}
	run := runs[0] // of the demo's own week
	t.Logf("%d reports of %d units, %d proposals, in %s", run.Reports, run.Units, run.Made, run.Took)
	list := slices.DeleteFunc(proposals(t, c), func(k screening.Kept) bool { return k.Screening != run.ID })
	looked := 0
	for _, h := range plan.Hotspots(apptest.Now.AddDate(0, 0, -1)) {
		var told, expected float64 // of the circle: what patrols found makes no hotspot
		if err := c.Pool.QueryRow(t.Context(), `
			SELECT count(*) FROM report WHERE item = $1 AND source <> 'patrol' AND captured_at >= $2 AND captured_at < $3
				AND ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint($4, $5)::geography, $6)`, h.Item, run.From, run.To, h.Lon, h.Lat, h.RadiusM).Scan(&told); err != nil {
			t.Fatal(err)
		}
		expected = h.Expected / (h.Until.Sub(h.From).Hours() / 24) * float64(run.Params.Days)
		t.Logf("%s about %s: %g told, %.1f would be without", h.Item, h.Name, told, expected)
		// A grid may be hot by those around it: the hot ones have by far not all that lies in the circle.
		if told < 3*float64(run.Params.Least) || told < 3*expected {
			continue
		}
		looked++
		i := slices.IndexFunc(list, func(k screening.Kept) bool { return k.Item == h.Item && slices.Contains(k.Place.Villages, h.Village) })
		if i < 0 {
			t.Errorf("%s about %s was planted, and is not proposed", h.Item, h.Name)
			continue
		}
		if n := len(evidenceOf(t, c, list[i].ID)); n < run.Params.Least {
			t.Errorf("%s about %s is proposed by %d reports", h.Item, h.Name, n)
		}
		t.Logf("%s about %s: %d told where %.1f are expected, in %d grids", h.Item, h.Name, list[i].Told, list[i].Expected, len(list[i].Place.Units))
	}
	if looked == 0 || run.Made > 4*looked {
		t.Errorf("%d proposals, of %d that were planted", run.Made, looked)
	}
	for _, k := range list {
		t.Logf("%s in %v: %d told, %.1f expected", k.Item, k.Place.Villages, k.Told, k.Expected)
	}
	if same, _, err := c.Screenings.Again(t.Context(), run.ID); err != nil || !same {
		t.Errorf("made again it is the same: %v, %v", same, err)
	}
}
