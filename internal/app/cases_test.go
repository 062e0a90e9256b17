package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/casework"
	"gridgov/internal/catalogue"
	"gridgov/internal/contact"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// manned makes a unit with somebody in it.
func manned(t testing.TB, c *app.City, kind policy.UnitKind, name string, area policy.Area) policy.UnitID {
	t.Helper()
	u, err := c.People.CreateUnit(t.Context(), person.Unit{Kind: kind, Name: name, NameEN: name + " (en)", Area: area})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.People.Create(t.Context(), person.New{Name: "head of " + name})
	if err == nil {
		_, err = c.People.CreatePost(t.Context(), person.Post{Person: p.ID, Role: policy.UnitHead, Unit: u.ID, Begins: "2026-01-01"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

// at is a report in the middle of a grid.
func at(x, y int, item string) report.New {
	p := apptest.Center(x, y)
	return report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: "web", CapturedAt: apptest.Now.Add(-time.Hour), Item: item, X: &p[0], Y: &p[1]}
}

func caseOf(t testing.TB, c *app.City, num report.Num) *casework.Case {
	t.Helper()
	k, err := c.Cases.Get(t.Context(), casework.Ref{Report: num})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// wholeCases tells that each report has one case, that its row and its clocks' are what folding what was kept gives, and
// that a case which is open has a due.
func wholeCases(t testing.TB, c *app.City) (n int) {
	t.Helper()
	documents := map[regime.ID]any{}
	document := func(kind regime.Kind, id regime.ID) any {
		if documents[id] == nil {
			d, err := c.Regimes.Get(t.Context(), kind, id)
			if err != nil {
				t.Fatal(err)
			}
			if kind == regime.Catalogue {
				documents[id], err = catalogue.Parse(d.Content)
			} else {
				documents[id], err = assign.Parse(d.Content)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return documents[id]
	}
	cal, calID := c.Regime().Calendar, c.Regime().CalendarID
	err := pgx.BeginTxFunc(t.Context(), c.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error { // nodes may be at work meanwhile
		kept := tableRows(t, tx, `SELECT `+strings.Join(casework.Columns, ", ")+` FROM cases ORDER BY report_num, part`)
		keptClocks := tableRows(t, tx, `SELECT `+strings.Join(casework.ClockColumns, ", ")+` FROM clock ORDER BY report_num, part, n`)
		type deed struct {
			casework.ActRow
			person uuid.UUID
			reason string
		}
		acts := map[report.Num][]deed{}
		rows, err := tx.Query(t.Context(), `SELECT report_num, n, at, act, was, is_now, coalesce(person_id, '00000000-0000-0000-0000-000000000000'), coalesce(reason, '')
			FROM case_act ORDER BY report_num, n`)
		if err != nil {
			t.Fatal(err)
		}
		var num report.Num
		var a deed
		if _, err := pgx.ForEachRow(rows, []any{&num, &a.N, &a.At, &a.Act, &a.Was, &a.Is, &a.person, &a.reason}, func() error { acts[num] = append(acts[num], a); return nil }); err != nil {
			t.Fatal(err)
		}
		// What the fold gives goes through tables of the same types.
		for _, sql := range []string{`CREATE TEMP TABLE fold_case (LIKE cases) ON COMMIT DROP`, `CREATE TEMP TABLE fold_clock (LIKE clock) ON COMMIT DROP`,
			`ALTER TABLE fold_clock ALTER told_round DROP NOT NULL, ALTER told_step DROP NOT NULL`} {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				return err
			}
		}
		var cases, clocks [][]any
		for page := (report.Page{Next: "first"}); page.Next != ""; {
			q := report.Query{Limit: 5000}
			if page.Next != "first" {
				q.After = page.Next
			}
			var err error
			if page, err = c.Reports.List(t.Context(), q); err != nil {
				return err
			}
			for i := range page.Reports {
				r := &page.Reports[i]
				n++
				k := caseRow(kept, r.Num)
				if k == nil {
					t.Errorf("report %d has no case", r.Num)
					continue
				}
				list := document(regime.Catalogue, k.CatalogueID).(*catalogue.Catalogue)
				d := assign.Decision{Unit: k.Unit, Supporting: k.Supporting, Rule: k.Rule, Words: k.Words}
				if d.Rule > 0 {
					d.Dispatch = document(regime.Rules, k.RulesID).(*assign.Rules).Rules[d.Rule-1].Dispatch
				}
				terms := casework.TermsOf(&regime.Regime{Catalogue: list, Calendar: cal, CalendarID: calID}, r.Item)
				m := &report.Matter{Source: r.Source, CapturedAt: r.CapturedAt, ReceivedAt: r.ReceivedAt, Generated: r.Generated}
				first := casework.Case{Ref: casework.Ref{Report: r.Num}, Item: r.Item, CatalogueID: k.CatalogueID, RulesID: k.RulesID}
				fold, err := casework.Open(first, d, terms, casework.OpenedAt(m))
				if r.ClosedAt != nil {
					if fold, err = casework.OpenPast(first, d, terms, casework.OpenedAt(m)); err == nil {
						fold, err = casework.Concluded(fold, terms, acts[r.Num][0].At)
					}
				}
				if err != nil {
					return err
				}
				for _, a := range acts[r.Num] {
					switch {
					case a.Act == casework.Conclude:
					case a.person == uuid.Nil: // of the service, where a node is at work
						fold = casework.Supervised(fold, a.At)
					default: // of a demo's people
						fold, err = casework.Apply(fold, terms, casework.Doing{Act: a.Act, At: a.At, Person: a.person, Reason: a.reason, Decision: d,
							May: func(policy.Action) bool { return true }})
						if err != nil {
							return fmt.Errorf("case %s, %s: %w", r.ID, a.Act, err)
						}
					}
				}
				if fold.Version != len(acts[r.Num]) {
					t.Errorf("case %s is of version %d and has %d acts", fold.Ref, fold.Version, len(acts[r.Num]))
				}
				if _, due := fold.Due(cal); fold.State.Open() == due.IsZero() || fold.Unit == 0 || fold.Words.ZH == "" || fold.Words.EN == "" {
					t.Errorf("case %s is %s, due %s, unit %d, %q", fold.Ref, fold.State, due, fold.Unit, fold.Words)
				}
				row, err := fold.Values(cal)
				if err != nil {
					return err
				}
				more, err := fold.ClockValues(cal)
				if err != nil {
					return err
				}
				cases, clocks = append(cases, row), append(clocks, more...)
			}
		}
		if _, err := tx.CopyFrom(t.Context(), pgx.Identifier{"fold_case"}, casework.Columns, pgx.CopyFromRows(cases)); err != nil {
			return err
		}
		if _, err := tx.CopyFrom(t.Context(), pgx.Identifier{"fold_clock"}, casework.ClockColumns, pgx.CopyFromRows(clocks)); err != nil {
			return err
		}
		for table, want := range map[string]int{"case": len(kept), "clock": len(keptClocks)} {
			real := map[string]string{"case": "cases", "clock": "clock"}[table]
			columns := strings.Join(casework.Columns, ", ")
			if table == "clock" { // when it is told of next, the sweep says
				columns = strings.Join(slices.DeleteFunc(slices.Clone(casework.ClockColumns), func(c string) bool { return c == "next_at" }), ", ")
			}
			var differ int
			err := tx.QueryRow(t.Context(), `SELECT count(*) FROM (SELECT `+columns+` FROM `+real+` EXCEPT ALL SELECT `+columns+` FROM fold_`+table+`) d`).Scan(&differ)
			if err != nil {
				return err
			}
			var folded int
			if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM fold_`+table).Scan(&folded); err != nil {
				return err
			}
			if differ > 0 || folded != want {
				t.Errorf("%d rows of %s are not the fold; %d kept, %d folded", differ, real, want, folded)
			}
		}
		if n != len(kept) {
			t.Errorf("%d reports, %d cases", n, len(kept))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func tableRows(t testing.TB, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, sql string) [][]any {
	t.Helper()
	rows, err := q.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// caseRow is what of a case's row its fold begins with.
func caseRow(rows [][]any, num report.Num) *casework.Case {
	i, ok := slices.BinarySearchFunc(rows, int64(num), func(row []any, num int64) int { return int(row[0].(int64) - num) })
	if !ok {
		return nil
	}
	row := rows[i]
	k := &casework.Case{CatalogueID: regime.ID(row[7].(int64)), RulesID: regime.ID(row[8].(int64)), Rule: int(row[9].(int32)),
		Unit: policy.UnitID(row[10].(int64)), Words: worktime.Words{ZH: row[12].(string), EN: row[13].(string)}}
	for _, u := range row[11].([]any) {
		k.Supporting = append(k.Supporting, policy.UnitID(u.(int64)))
	}
	return k
}

func counted(t testing.TB, c *app.City, sql string) (n int) {
	t.Helper()
	if err := c.Pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A report that is filed is a case at once: by the first rule that fits, with its words and its clocks, and one event.
func TestEachReportIsACase(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	team := manned(t, c, policy.TownTeam, "许村队", apptest.TownArea)
	bureau := manned(t, c, policy.LineDepartment, "水利局", apptest.CityArea)
	empty := apptest.Unit(t, c, policy.LineDepartment, apptest.CityArea)
	apptest.Rules(t, c, assign.Rule{Items: []string{"01"}, Areas: []assign.Area{{Level: policy.Grid, Code: apptest.GridCode(3, 3)}}, Lead: assign.Party{Unit: empty}},
		assign.Rule{Items: []string{"02"}, Lead: assign.Party{Unit: bureau}, Support: []assign.Party{{Kind: policy.TownTeam}}, Dispatch: true})

	first := at(0, 0, "02")
	k := caseOf(t, c, file(t, c, first))
	if k.State != casework.Dispatched || k.Unit != bureau || !slices.Equal(k.Supporting, []policy.UnitID{team}) || k.Rule != 2 || !k.OpenedAt.Equal(apptest.Now) || len(k.Clocks) != 2 {
		t.Errorf("%+v", k)
	}
	if want := "规则 2：事项 02 河道倾倒、漂浮物，许村镇村00，由水利局负责（人员 1 人，在办 0 件），许村队协同。"; k.Words.ZH != want {
		t.Errorf("%s\nwant %s", k.Words.ZH, want)
	}
	// Again, the same is the same; with other content it is refused; neither opens anything.
	if again, existed, err := c.Reports.File(t.Context(), first); err != nil || !existed || again != k.Report {
		t.Errorf("%d, %v, %v", again, existed, err)
	}
	changed := first
	changed.Title = "changed"
	if _, _, err := c.Reports.File(t.Context(), changed); faultCode(err) != "other_content" {
		t.Error(err)
	}
	// An item that the city does not have is refused, and nothing of it is kept.
	if _, _, err := c.Reports.File(t.Context(), at(0, 0, "99")); faultCode(err) != "unknown_item" {
		t.Error(err)
	}
	// A unit without members is passed over, and it is said.
	k = caseOf(t, c, file(t, c, at(3, 3, "01")))
	if k.State != casework.Reported || k.Unit != team || k.Rule != 0 || !strings.Contains(k.Words.ZH, "没有在任人员，跳过") || len(k.Clocks) != 1 {
		t.Errorf("%+v", k)
	}
	// What lies nowhere is the city's command centre's, which no one is in yet: a case never is without an owner.
	nowhere := at(0, 0, "01")
	nowhere.X, nowhere.Y, nowhere.Address = nil, nil, "a place that no gazetteer has"
	if k = caseOf(t, c, file(t, c, nowhere)); k.Words.EN != "No rule decides, so by territory, in no grid: Test city Command Centre leads (0 people, 0 open)." {
		t.Errorf("%+v", k)
	}
	// Told by somebody, the case is the same.
	told := at(1, 1, "01")
	told.Reporter = &report.Reporter{Name: "王芳", Phone: "13800138000"}
	toldNum := file(t, c, told)
	more := at(1, 1, "01")
	more.Reporter = &report.Reporter{Name: "王芳", Phone: "13800138000", Email: "x@example.org"} // something new of a known person: by the other way
	file(t, c, more)
	// With its end.
	done := at(2, 2, "01")
	done.Source, done.ExternalID, done.ClosedAt = "import", "E1", new(apptest.Now.Add(-time.Minute))
	if k = caseOf(t, c, file(t, c, done)); k.State != casework.Closed || !k.OpenedAt.Equal(done.CapturedAt) || !k.ClosedAt.Equal(*done.ClosedAt) || k.Version != 1 {
		t.Errorf("%+v", k)
	}
	var batch []report.New
	for i := range 100 {
		batch = append(batch, at(i%4, i/4%4, []string{"01", "02", "99"}[i%3]))
	}
	batch = append(batch, batch[0], batch[1])
	for i, f := range c.Reports.FileAll(t.Context(), batch) {
		if (f.Err != nil) != (i < 100 && i%3 == 2) || f.Existed != (i >= 100) {
			t.Errorf("%d: %+v", i, f)
		}
	}
	if n := wholeCases(t, c); n != 6+67 {
		t.Errorf("%d reports", n)
	}
	if n := counted(t, c, `SELECT count(*) FROM event WHERE type = 'report.filed' AND jsonb_array_length(data -> 'units') > 0`); n != 6+67 {
		t.Errorf("%d events", n)
	}
	// Who told it is erased: the case stays.
	var teller uuid.UUID
	if err := c.Pool.QueryRow(t.Context(), `SELECT contact_id FROM reporter WHERE report_num = $1`, toldNum).Scan(&teller); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Contacts.Erase(t.Context(), teller, contact.EraseOptions{}); err != nil {
		t.Fatal(err)
	}
	if k := caseOf(t, c, toldNum); k.Unit != team {
		t.Errorf("%+v", k)
	}
	wholeCases(t, c)
}

// A city whose last unit is closed gets a command centre: a case never is without an owner.
func TestACityIsNeverWithoutAUnit(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	units, err := c.People.Units(t.Context())
	if err != nil || len(units) != 1 || units[0].Kind != policy.CommandCenter {
		t.Fatalf("%+v, %v", units, err)
	}
	if _, err := c.People.CloseUnit(t.Context(), units[0].ID, 1); err != nil {
		t.Fatal(err)
	}
	if k := caseOf(t, c, file(t, c, at(0, 0, "01"))); k.Unit != units[0].ID {
		t.Errorf("before it is known: %+v", k)
	}
	if err := c.LoadDesk(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k := caseOf(t, c, file(t, c, at(0, 0, "01"))); k.Unit == units[0].ID {
		t.Errorf("%+v", k)
	}
	wholeCases(t, c)
}

// What is imported counts from when it was made; with its end it is a closed case whose disposal was in time or late; run
// again it opens nothing twice.
func TestImportedReportsAreCases(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	monday := time.Date(2026, 11, 16, 2, 0, 0, 0, time.UTC) // 10:00
	rows := func(yield func(report.Row, *report.Reject) bool) {
		for i, end := range []*time.Time{nil, new(monday.Add(4 * time.Hour)), new(monday.Add(4*time.Hour + time.Second)), new(monday.Add(-time.Hour))} {
			n := at(i, i, "01")
			n.ID, n.Source, n.ExternalID, n.CapturedAt, n.ClosedAt = report.ID{}, "import", fmt.Sprint("E", i), monday, end
			if !yield(report.Row{Line: i + 2, New: n}, nil) {
				return
			}
		}
	}
	for run, want := range []report.Imported{{Added: 4}, {Present: 4}} {
		if out, err := c.Reports.Import(t.Context(), rows, report.ImportOptions{}); err != nil || out != want {
			t.Errorf("run %d: %+v, %v", run, out, err)
		}
	}
	for num, want := range map[report.Num]struct {
		state  casework.State
		closed time.Time
		late   bool
	}{1: {casework.Reported, time.Time{}, false}, 2: {casework.Closed, monday.Add(4 * time.Hour), false}, 3: {casework.Closed, monday.Add(4*time.Hour + time.Second), true},
		4: {casework.Closed, monday, false}} { // it ended before it began
		k := caseOf(t, c, num)
		if k.State != want.state || !k.OpenedAt.Equal(monday) || !k.ClosedAt.Equal(want.closed) {
			t.Errorf("%d: %+v", num, k)
		}
		last := k.Clocks[len(k.Clocks)-1]
		if s := last.State(c.Regime().Calendar); s.Phase == worktime.Stopped && s.Late(s.Stopped) != want.late || (s.Phase == worktime.Stopped) != (want.state == casework.Closed) {
			t.Errorf("%d: %+v", num, s)
		}
	}
	if n := counted(t, c, `SELECT count(*) FROM clock WHERE late`); n != 1 {
		t.Errorf("%d clocks are late", n)
	}
	wholeCases(t, c)
}

// Reports of any kind, filed and imported by two nodes at once, while rules and units change: each has its case, and each
// case is the fold of what was kept.
func TestACaseIsTheFoldOfWhatWasKept(t *testing.T) {
	db, city := apptest.City(t)
	apptest.Publish(t, city, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	nodes := []*app.Live{node(t, db.URL(), apptest.Clock), node(t, db.URL(), apptest.Clock)}
	var wg sync.WaitGroup
	for i, l := range nodes {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		var list []report.New
		for range 150 {
			n := random(rng)
			if n.Source == "import" {
				n.ExternalID = n.ID.String()
				if rng.IntN(2) == 0 {
					n.ClosedAt = new(n.CapturedAt.Add(time.Duration(rng.IntN(1e6)-1e4) * time.Second))
				}
			}
			list = append(list, n)
		}
		wg.Go(func() {
			for _, n := range list {
				if _, _, err := l.Reports.File(t.Context(), n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	bureau := manned(t, city, policy.LineDepartment, "水利局", apptest.CityArea)
	team := manned(t, city, policy.TownTeam, "许村队", apptest.TownArea)
	apptest.Rules(t, city, assign.Rule{Kinds: []string{"problem"}, Lead: assign.Party{Unit: bureau}, Dispatch: true},
		assign.Rule{Hours: assign.OffWork, Lead: assign.Party{Unit: team}, Support: []assign.Party{{Unit: bureau}}})
	city.Announce()
	for _, l := range nodes {
		await(t, "the node knows the rules", func() bool { return l.Regime().RulesID == city.Regime().RulesID })
		for rng := range rand.N(uint64(20)) + 20 {
			if _, _, err := l.Reports.File(t.Context(), random(rand.New(rand.NewPCG(rng, uint64(l.Feed.Head().Seq))))); err != nil {
				t.Error(err)
			}
		}
	}
	wg.Wait()
	if n := wholeCases(t, city); n < 340 {
		t.Errorf("%d reports", n)
	}
	if n := counted(t, city, `SELECT count(DISTINCT rules_id) FROM cases`); n != 2 {
		t.Errorf("cases of %d rules", n)
	}
	if n := counted(t, city, `SELECT count(*) FROM cases WHERE rule > 0`); n == 0 {
		t.Error("no rule decided")
	}
}

// What is published for later decides from its very moment on, without anybody telling.
func TestARegimeComesInForceAtItsMoment(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	now := newClock(apptest.Now)
	c.Cases.Intake.Now = now.now
	bureau := manned(t, c, policy.LineDepartment, "水利局", apptest.CityArea)
	later := apptest.Now.Add(time.Hour)
	d, err := c.Regimes.Save(t.Context(), regime.Rules, fmt.Appendf(nil, `{"rules": [{"lead": {"unit": %d}}]}`, bureau), regime.Seen{}, uuid.Nil)
	if err == nil {
		_, err = c.Regimes.Publish(t.Context(), regime.Rules, regime.Seen{ID: d.ID, Edits: d.Edits}, later)
	}
	if err == nil {
		err = c.LoadDesk(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	now.leap(later.Add(-time.Second))
	if k := caseOf(t, c, file(t, c, at(0, 0, "01"))); k.Rule != 0 {
		t.Errorf("before: %+v", k)
	}
	now.leap(later)
	if k := caseOf(t, c, file(t, c, at(0, 0, "01"))); k.Rule != 1 || k.Unit != bureau {
		t.Errorf("from then on: %+v", k)
	}
}

// A city with reports that comes from the version before has all its cases opened, once each, by two nodes that start at once.
func TestEarlierReportsGetTheirCases(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := random(rng)
		if n.Source == "import" && rng.IntN(2) == 0 {
			n.ClosedAt = new(n.CapturedAt.Add(time.Hour))
		}
		file(t, c, n)
	}
	want := tableRows(t, c.Pool, `SELECT report_num, state, unit_id, opened_at, closed_at, due_at FROM cases ORDER BY report_num`)
	for _, sql := range []string{`DROP TABLE testcity.river_job, testcity.river_leader, testcity.river_queue, testcity.river_notification, testcity.anonymised, testcity.late_act, testcity.notice, testcity.notice_choice,
			testcity.webhook_delivery, testcity.webhook, testcity.push_subscription, testcity.push_key`, `DROP FUNCTION testcity.river_job_state_in_bitmask`, `DROP TYPE testcity.river_job_state`,
		`DROP TABLE testcity.unit_hours, testcity.shift_swap, testcity.shift, testcity.leave, testcity.person_skill, testcity.vehicle, testcity.last_position, testcity.position_consent, testcity.calendar_feed`,
		`DROP TABLE testcity.patrol_visit, testcity.patrol_point, testcity.proposal_act, testcity.proposal_related, testcity.proposal_evidence, testcity.proposal, testcity.order_act, testcity.order_officer, testcity.investigation_order, testcity.screening`,
		`ALTER TABLE testcity.post DROP CONSTRAINT post_certified, DROP COLUMN certified_until`,
		`ALTER TABLE testcity.post DROP COLUMN station`,
		`DROP TABLE testcity.report_device, testcity.report_words, testcity.queue_view, testcity.batch_case, testcity.batch, testcity.photo_use, testcity.photo_file, testcity.photo, testcity.photo_blob, testcity.case_opening, testcity.recount, testcity.clock, testcity.case_act, testcity.cases, testcity.regime`,
		`UPDATE testcity.schema_version SET version = 7`} {
		if _, err := db.Owner().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	// Two commands at once, of which one is interrupted; then a service goes on.
	var wg sync.WaitGroup
	for i := range 2 {
		other := open(t, db, apptest.Clock)
		t.Cleanup(other.Close)
		other.Cases.Batch = 17 + i
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		wg.Go(func() {
			n, err := other.Cases.OpenEarlier(ctx, func(context.Context) error {
				if counted(t, c, `SELECT count(*) FROM cases`) > 150 {
					stop()
				}
				return nil
			})
			if err == nil || n == 300 {
				t.Errorf("%d cases were opened, %v", n, err)
			}
		})
	}
	wg.Wait()
	if n := counted(t, c, `SELECT count(*) FROM cases`); n <= 150 || n >= 300 {
		t.Errorf("%d cases are open", n)
	}
	nodes := []*app.Live{node(t, db.URL(), apptest.Clock), node(t, db.URL(), apptest.Clock)}
	await(t, "all cases are open", func() bool { return counted(t, c, `SELECT count(*) FROM cases`) == 300 })
	for _, l := range nodes {
		file(t, l.City, at(0, 0, "01"))
	}
	await(t, "it is kept that they are", func() bool { return counted(t, c, `SELECT next_num::int FROM case_opening`) > 300 })
	for _, l := range nodes { // what was opened later is in the cube of each
		recount(t, l)
	}
	if err := c.LoadDesk(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := wholeCases(t, c); n != 302 {
		t.Errorf("%d reports", n)
	}
	got := tableRows(t, c.Pool, `SELECT report_num, state, unit_id, opened_at, closed_at, due_at FROM cases WHERE report_num IN (SELECT num FROM report ORDER BY num LIMIT 300) ORDER BY report_num`)
	if !reflect.DeepEqual(got, want) {
		t.Error("cases that are opened later are others than those that were opened at once")
	}
	if n := counted(t, c, `SELECT sum((after ->> 'count')::int)::int FROM audit WHERE act = 'case.open'`); n != 300 {
		t.Errorf("%d cases are on record as opened", n)
	}
	if n, err := c.OpenEarlier(t.Context()); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}
