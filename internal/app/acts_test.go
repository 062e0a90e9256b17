package app_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/person"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
	"gridgov/internal/team"
	"gridgov/internal/worktime"
)

// office is a city with two teams and a department, in which anybody may do anything.
type office struct {
	t                 testing.TB
	db                *postgres.Database
	c                 *app.City
	near, far, bureau policy.UnitID
	worker, other     uuid.UUID
}

func newOffice(t testing.TB) *office {
	db, c := apptest.City(t)
	t.Cleanup(c.Close)
	apptest.Publish(t, c, "first", 0, apptest.Now.Add(-time.Hour))
	if _, err := c.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, db: db, c: c, near: manned(t, c, policy.TownTeam, "近队", policy.Area{Level: policy.Town, Code: "330481101"}),
		far: manned(t, c, policy.TownTeam, "远队", policy.Area{Level: policy.Village, Code: apptest.VillageCode(1, 1)}), bureau: manned(t, c, policy.LineDepartment, "局", policy.Area{})}
	err := c.Reports.SetItems(t.Context(), []report.Item{{Code: "1", Name: "一"}, {Code: "2", Name: "二"}})
	if err == nil {
		err = c.LoadDesk(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []*uuid.UUID{&o.worker, &o.other} {
		p, err := c.People.Create(t.Context(), person.New{Name: "somebody"})
		if err != nil {
			t.Fatal(err)
		}
		*who = p.ID
	}
	return o
}

func (o *office) filed() report.Num {
	o.t.Helper()
	num, _, err := o.c.Reports.File(o.t.Context(), at(0, 0, "1"))
	if err != nil {
		o.t.Fatal(err)
	}
	return num
}

func anything(policy.Action, report.Num, []policy.UnitID) (policy.PostID, bool) { return 0, true }

// ask is an act of the worker's that carries what most acts need.
func (o *office) ask(ref casework.Ref, act casework.Act) casework.Ask {
	yes := true
	var evidence []uuid.UUID
	if act == casework.FeedBack {
		evidence = append(evidence, apptest.Photo(o.t, o.c, o.worker))
	}
	return casework.Ask{Ref: ref, Act: act, Version: -1, Person: o.worker, May: anything, Reason: "because", Evidence: evidence, Verdict: &yes, Rating: 5,
		By: worktime.WorkHours(1), SettledBy: casework.TownTeam, Measure: casework.Guided, Object: "shop"}
}

func (o *office) do(ref casework.Ref, acts ...casework.Act) *casework.Case {
	o.t.Helper()
	var c *casework.Case
	for _, act := range acts {
		a := o.ask(ref, act)
		if act == casework.Verify {
			a.Person = o.other
		}
		var err error
		if c, err = o.c.Cases.Do(o.t.Context(), a); err != nil {
			o.t.Fatalf("%s: %v", act, err)
		}
	}
	return c
}

// whole holds a case as it is kept against what Do returned, and its history against its version.
func (o *office) whole(c *casework.Case) {
	o.t.Helper()
	kept := caseOf2(o.t, o.c, c.Ref)
	if a, b := text(o.t, c), text(o.t, kept); a != b {
		o.t.Errorf("kept is\n%s\nnot\n%s", b, a)
	}
	var acts, last int
	if err := o.c.Pool.QueryRow(o.t.Context(), `SELECT count(*), coalesce(max(n), 0) FROM case_act WHERE report_num = $1 AND part = $2`, c.Report, c.Part).Scan(&acts, &last); err != nil {
		o.t.Fatal(err)
	}
	if acts != c.Version || last != c.Version {
		o.t.Errorf("case %s: %d acts up to %d, version %d", c.Ref, acts, last, c.Version)
	}
}

func caseOf2(t testing.TB, c *app.City, ref casework.Ref) *casework.Case {
	t.Helper()
	k, err := c.Cases.Get(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// From report to closed as the desk and two people of the unit do it; each step is on record and in the feed.
func TestCaseIsDisposedOf(t *testing.T) {
	o := newOffice(t)
	ref := casework.Ref{Report: o.filed()}
	c := o.do(ref, casework.Accept, casework.File, casework.Dispatch)
	if c.State != casework.Dispatched || c.Unit != o.near || c.Rule != 0 || c.Words.ZH == "" {
		t.Errorf("%+v", c)
	}
	c = o.do(ref, casework.Receive, casework.Claim, casework.Begin, casework.FeedBack, casework.Verify, casework.Close)
	o.whole(c)
	if c.State != casework.Closed || c.SettledBy != casework.TownTeam || c.DoneBy != o.worker || c.Version != 9 {
		t.Errorf("%+v", c)
	}
	var records, events int
	if err := o.c.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM audit WHERE subject = $1), (SELECT count(*) FROM event WHERE type = 'case.changed' AND (data->>'num')::bigint = $2)`,
		"case:"+ref.String(), ref.Report).Scan(&records, &events); err != nil || records != 9 || events != 9 {
		t.Errorf("%d records, %d events, %v", records, events, err)
	}
	var due *time.Time
	if err := o.c.Pool.QueryRow(t.Context(), `SELECT due_at FROM cases WHERE report_num = $1`, ref.Report).Scan(&due); err != nil || due != nil {
		t.Errorf("a closed case is due %v, %v", due, err)
	}
}

// An act that is sent twice is done once; another one under its key is refused.
func TestActsAreIdempotent(t *testing.T) {
	o := newOffice(t)
	ref := casework.Ref{Report: o.filed()}
	a := o.ask(ref, casework.Accept)
	a.Key = uuid.New()
	first, err := o.c.Cases.Do(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.c.Cases.Do(t.Context(), a)
	if err != nil || again.Version != first.Version || again.State != casework.Accepted {
		t.Errorf("%+v, %v", again, err)
	}
	a.Act = casework.File
	if _, err := o.c.Cases.Do(t.Context(), a); code(err) != "key_taken" {
		t.Errorf("another act: %v", err)
	}
	o.whole(again)
}

// A node whose clock is a little behind that of another goes on from where that one was; one that is far behind is refused.
func TestActsOfAClockThatIsBehind(t *testing.T) {
	o := newOffice(t)
	now := apptest.Now.Add(time.Hour)
	o.c.Cases.Now = func() time.Time { return now }
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept, casework.File, casework.Dispatch)
	ahead := now
	now = now.Add(-9 * time.Second)
	c := o.do(ref, casework.Receive)
	o.whole(c)
	var at time.Time
	if err := o.c.Pool.QueryRow(t.Context(), `SELECT at FROM case_act WHERE report_num = $1 AND n = $2`, ref.Report, c.Version).Scan(&at); err != nil || !at.Equal(ahead) {
		t.Errorf("received at %v, not at %v: %v", at, ahead, err)
	}
	now = now.Add(-time.Minute)
	if _, err := o.c.Cases.Do(t.Context(), o.ask(ref, casework.Begin)); code(err) != "clock_order" {
		t.Errorf("a minute behind: %v", err)
	}

	// So does the case that ends with the last of its parts.
	now = ahead
	whole := casework.Ref{Report: o.filed()}
	o.do(whole, casework.Accept)
	split := o.ask(whole, casework.Split)
	split.Parts = []casework.Part{{Item: "1"}}
	now = now.Add(-9 * time.Second)
	if _, err := o.c.Cases.Do(t.Context(), split); err != nil {
		t.Fatal(err)
	}
	o.do(casework.Ref{Report: whole.Report, Part: 1}, casework.Void)
	if c := caseOf2(t, o.c, whole); c.State != casework.Closed || !c.ClosedAt.Equal(ahead) {
		t.Errorf("%s at %v", c.State, c.ClosedAt)
	}
}

// Of many who do something with one case at once, having seen the same, one does; the others are told the state it has now.
func TestOneActWins(t *testing.T) {
	o := newOffice(t)
	for range 5 {
		ref := casework.Ref{Report: o.filed()}
		var won, told atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				a := o.ask(ref, []casework.Act{casework.Accept, casework.Reject, casework.Void, casework.AskConfirm}[i%4])
				a.Version = 0
				_, err := o.c.Cases.Do(t.Context(), a)
				switch f, ok := fault.As(err); {
				case err == nil:
					won.Add(1)
				case ok && f.Code == "case_changed" && f.Kind == fault.KindConflict:
					told.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || told.Load() != 7 {
			t.Fatalf("%d won, %d were told", won.Load(), told.Load())
		}
		o.whole(caseOf2(t, o.c, ref))
	}
}

// What a unit gives back is proposed to it no more: sent there again it needs a reason, and a unit that cannot answer is named.
func TestReturnedCase(t *testing.T) {
	o := newOffice(t)
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Return)
	a := o.ask(ref, casework.Dispatch)
	for unit, want := range map[policy.UnitID]string{0: "missing", 999: "unknown_unit"} {
		if a.Unit = unit; code(second(o.c.Cases.Do(t.Context(), a))) != want {
			t.Errorf("unit %d: %v", unit, second(o.c.Cases.Do(t.Context(), a)))
		}
	}
	a.Unit, a.Reason = o.near, ""
	if err := second(o.c.Cases.Do(t.Context(), a)); code(err) != "missing" {
		t.Errorf("to the same without a reason: %v", err)
	}
	a.Unit, a.Reason, a.Supporting = o.bureau, "it is theirs", []policy.UnitID{o.near}
	c, err := o.c.Cases.Do(t.Context(), a)
	if err != nil || c.Unit != o.bureau || !slices.Equal(c.Supporting, a.Supporting) || c.Words.ZH != "人工指定由局负责，近队协同。理由：it is theirs" ||
		c.Words.EN != "局 (en) leads, chosen by hand, with 近队 (en). Reason: it is theirs" {
		t.Errorf("%+v, %v", c, err)
	}
	o.whole(c)
	var was struct{ Was struct{ Unit policy.UnitID } }
	var detail []byte
	if err := o.c.Pool.QueryRow(t.Context(), `SELECT detail FROM case_act WHERE report_num = $1 AND act = 'dispatch' ORDER BY n DESC LIMIT 1`, ref.Report).Scan(&detail); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(detail, &was); err != nil || was.Was.Unit != o.near {
		t.Errorf("%s, %v", detail, err)
	}
}

func second(_ *casework.Case, err error) error { return err }

func code(err error) string {
	f, _ := fault.As(err)
	if f == nil {
		return ""
	}
	return f.Code
}

// Split in three, the case waits for its parts; when the last has ended it is closed by the highest of who settled them.
func TestParts(t *testing.T) {
	o := newOffice(t)
	apptest.Rules(t, o.c, assign.Rule{Items: []string{"2"}, Lead: assign.Party{Unit: o.bureau}})
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept)
	a := o.ask(ref, casework.Split)
	a.Parts = []casework.Part{{}, {Item: "2"}, {Item: "nothing"}}
	if err := second(o.c.Cases.Do(t.Context(), a)); code(err) != "unknown_item" {
		t.Errorf("an item that is not there: %v", err)
	}
	a.Parts = a.Parts[:2]
	if _, err := o.c.Cases.Do(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	one, two := casework.Ref{Report: ref.Report, Part: 1}, casework.Ref{Report: ref.Report, Part: 2}
	if c := caseOf2(t, o.c, two); c.State != casework.Accepted || c.Unit != o.bureau || c.Rule != 1 || c.Item != "2" || c.Parent != 0 {
		t.Errorf("%+v", c)
	}
	o.do(one, casework.File, casework.Dispatch, casework.Receive, casework.Begin, casework.FeedBack, casework.Verify, casework.Close)
	if c := caseOf2(t, o.c, ref); c.State != casework.Accepted {
		t.Errorf("closed with an open part: %+v", c)
	}
	o.do(two, casework.Void)
	c := caseOf2(t, o.c, ref)
	if c.State != casework.Closed || c.SettledBy != casework.TownTeam {
		t.Errorf("%+v", c)
	}
	o.whole(c)

	// Tasks are the unit's: it feeds back itself once they are done.
	ref = casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin)
	a = o.ask(ref, casework.Task)
	a.Parts = []casework.Part{{Unit: o.bureau}, {Unit: o.far}}
	if _, err := o.c.Cases.Do(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := second(o.c.Cases.Do(t.Context(), o.ask(ref, casework.FeedBack))); code(err) != "parts_done" {
		t.Errorf("fed back with open tasks: %v", err)
	}
	for part := 1; part <= 2; part++ {
		task := casework.Ref{Report: ref.Report, Part: part}
		if c := caseOf2(t, o.c, task); c.State != casework.Dispatched || !c.Task {
			t.Errorf("%+v", c)
		}
		o.whole(o.do(task, casework.Receive, casework.Begin, casework.FeedBack, casework.Verify, casework.Close))
	}
	o.whole(o.do(ref, casework.FeedBack, casework.Verify, casework.Close))
}

// A part may be split again: what waited is closed from below up. Of parts that end at the same moment one ends the whole.
func TestPartsOfParts(t *testing.T) {
	o := newOffice(t)
	split := func(ref casework.Ref, n int) {
		a := o.ask(ref, casework.Split)
		a.Parts = make([]casework.Part, n)
		if _, err := o.c.Cases.Do(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	part := func(ref casework.Ref, n int) casework.Ref { return casework.Ref{Report: ref.Report, Part: n} }
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept)
	split(ref, 2)
	split(part(ref, 1), 2)
	due := caseOf2(t, o.c, ref)
	for i := range due.Clocks {
		if due.Clocks[i].Phase() == worktime.Running {
			t.Errorf("the %s clock of what waits for its parts runs", due.Clocks[i].Kind)
		}
	}
	o.do(part(ref, 2), casework.Void)
	o.do(part(ref, 3), casework.Void)
	if c := caseOf2(t, o.c, ref); !c.State.Open() {
		t.Errorf("closed with an open part: %+v", c)
	}
	o.do(part(ref, 4), casework.Void)
	for _, r := range []casework.Ref{part(ref, 1), ref} {
		c := caseOf2(t, o.c, r)
		if c.State != casework.Closed {
			t.Errorf("%s is %s though all its parts have ended", r, c.State)
		}
		o.whole(c)
	}

	for range 8 {
		ref := casework.Ref{Report: o.filed()}
		o.do(ref, casework.Accept)
		split(ref, 3)
		for n := 1; n <= 3; n++ {
			o.do(part(ref, n), casework.File, casework.Dispatch, casework.Receive, casework.Begin, casework.FeedBack, casework.Verify)
		}
		var wg sync.WaitGroup
		for n := 1; n <= 3; n++ {
			wg.Go(func() {
				a := o.ask(part(ref, n), casework.Close)
				a.Reason = "" // words would let one wait for the other
				if _, err := o.c.Cases.Do(t.Context(), a); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if c := caseOf2(t, o.c, ref); c.State != casework.Closed || c.SettledBy != casework.TownTeam {
			t.Fatalf("all parts have ended and it is %s, settled by %q", c.State, c.SettledBy)
		}
	}
}

// Two who split and give out tasks of one report's parts at once do not take each other's numbers.
func TestPartsAreNumberedAtOnce(t *testing.T) {
	o := newOffice(t)
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept)
	a := o.ask(ref, casework.Split)
	a.Parts = make([]casework.Part, 6)
	if _, err := o.c.Cases.Do(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := 1; n <= 6; n++ {
		wg.Go(func() {
			a := o.ask(casework.Ref{Report: ref.Report, Part: n}, casework.Split)
			a.Parts = make([]casework.Part, 2)
			if _, err := o.c.Cases.Do(t.Context(), a); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var parts int
	if err := o.c.Pool.QueryRow(t.Context(), `SELECT count(*) FROM cases WHERE report_num = $1`, ref.Report).Scan(&parts); err != nil || parts != 19 {
		t.Errorf("%d parts, %v", parts, err)
	}
}

// What is sent to the unit that was proposed goes nowhere where that has been closed meanwhile, and who else is named is on the case.
func TestDispatchedToAClosedUnit(t *testing.T) {
	o := newOffice(t)
	with := casework.Ref{Report: o.filed()}
	o.do(with, casework.Accept, casework.File)
	a := o.ask(with, casework.Dispatch)
	a.Supporting = []policy.UnitID{o.bureau}
	if c, err := o.c.Cases.Do(t.Context(), a); err != nil || c.Unit != o.near || !slices.Equal(c.Supporting, []policy.UnitID{o.bureau}) {
		t.Errorf("%+v, %v", c, err)
	}
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept, casework.File)
	if _, err := o.db.Owner().Exec(t.Context(), `UPDATE testcity.unit SET closed_at = now() WHERE id = $1`, int64(o.near)); err != nil {
		t.Fatal(err)
	}
	if err := o.c.LoadDesk(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second(o.c.Cases.Do(t.Context(), o.ask(ref, casework.Dispatch))); code(err) != "missing" {
		t.Errorf("sent to a unit that is closed: %v", err)
	}
	a = o.ask(ref, casework.Dispatch)
	a.Unit = o.far
	if c, err := o.c.Cases.Do(t.Context(), a); err != nil || c.Unit != o.far {
		t.Errorf("%+v, %v", c, err)
	}
}

// Two merge two cases into each other at once: one does, the other is told; nobody waits for ever.
func TestMerge(t *testing.T) {
	o := newOffice(t)
	for range 5 {
		a, b := casework.Ref{Report: o.filed()}, casework.Ref{Report: o.filed()}
		var won atomic.Int32
		var wg sync.WaitGroup
		for _, pair := range [][2]casework.Ref{{a, b}, {b, a}} {
			wg.Go(func() {
				ask := o.ask(pair[0], casework.Merge)
				ask.Target = &pair[1]
				_, err := o.c.Cases.Do(t.Context(), ask)
				if err == nil {
					won.Add(1)
				} else if code(err) != "not_itself" {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d merged", won.Load())
		}
		for _, r := range []casework.Ref{a, b} {
			o.whole(caseOf2(t, o.c, r))
		}
	}
	ask := o.ask(casework.Ref{Report: o.filed()}, casework.Merge)
	ask.Target = &casework.Ref{Report: 99999}
	if err := second(o.c.Cases.Do(t.Context(), ask)); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("into nothing: %v", err)
	}
}

// Who may not see a case is told that it is not there; who sees it and may not do the act, that it is not allowed; both leave
// it as it was.
func TestActsNeedRights(t *testing.T) {
	o := newOffice(t)
	ref := casework.Ref{Report: o.filed()}
	before := caseOf2(t, o.c, ref)
	a := o.ask(ref, casework.Accept)
	a.May = func(policy.Action, report.Num, []policy.UnitID) (policy.PostID, bool) { return 0, false }
	if err := second(o.c.Cases.Do(t.Context(), a)); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("unseen: %v", err)
	}
	a.May = func(action policy.Action, num report.Num, units []policy.UnitID) (policy.PostID, bool) {
		if num != ref.Report || !slices.Contains(units, o.near) {
			t.Errorf("asked of %d and %v", num, units)
		}
		return 0, action == policy.ReportView
	}
	if err := second(o.c.Cases.Do(t.Context(), a)); code(err) != "not_allowed" {
		t.Errorf("seen: %v", err)
	}
	if after := caseOf2(t, o.c, ref); !reflect.DeepEqual(before, after) {
		t.Errorf("%+v", after)
	}
}

// Evidence is a photo of one's own that is ready and shows no other matter; one that is not leaves the case as it was.
func TestEvidenceIsOnesOwn(t *testing.T) {
	o := newOffice(t)
	ref := casework.Ref{Report: o.filed()}
	o.do(ref, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin)
	elsewhere := casework.Ref{Report: o.filed()}
	o.do(elsewhere, casework.Accept, casework.File, casework.Dispatch, casework.Receive, casework.Begin)
	used := o.ask(elsewhere, casework.FeedBack)
	if err := second(o.c.Cases.Do(t.Context(), used)); err != nil {
		t.Fatal(err)
	}
	a := o.ask(ref, casework.FeedBack)
	mine := a.Evidence
	for what, c := range map[string]struct {
		photos []uuid.UUID
		code   string
	}{
		"none":             {nil, "missing"},
		"one that is not":  {[]uuid.UUID{uuid.New()}, "unknown_photo"},
		"another's":        {[]uuid.UUID{apptest.Photo(t, o.c, o.other)}, "unknown_photo"},
		"another matter's": {used.Evidence, "photo_used"},
		"one good one bad": {append(slices.Clone(mine), uuid.New()), "unknown_photo"},
	} {
		a.Evidence = c.photos
		if err := second(o.c.Cases.Do(t.Context(), a)); code(err) != c.code {
			t.Errorf("%s: %v, want %s", what, err, c.code)
		}
	}
	if c := caseOf2(t, o.c, ref); c.State != casework.Disposing {
		t.Errorf("%+v", c)
	}
	a.Evidence = mine
	c, err := o.c.Cases.Do(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := o.c.Photos.Of(t.Context(), photo.Use{Report: ref.Report, N: c.Version})
	if err != nil || len(shown) != 1 || uuid.UUID(shown[0]) != mine[0] {
		t.Errorf("%v, %v", shown, err)
	}
}

// Where somebody was is forgotten after duty, also while rosters cannot be read.
func TestPositionsAreForgottenWithoutARoster(t *testing.T) {
	o := newOffice(t)
	ctx := t.Context()
	if err := o.c.Teams.SetConsent(ctx, o.worker, true); err != nil {
		t.Fatal(err)
	}
	if err := o.c.Teams.TellPosition(ctx, o.worker, team.Position{Lon: 120.6, Lat: 30.5, AccuracyM: 10, At: apptest.Now}, team.Duty{On: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.db.Owner().Exec(ctx, `ALTER TABLE testcity.shift RENAME TO lost`); err != nil {
		t.Fatal(err)
	}
	if err := app.RefreshDesk(ctx, o.c); err == nil || !strings.Contains(err.Error(), "have rosters") {
		t.Errorf("what could not be read is not told: %v", err)
	}
	if left, err := o.c.Teams.Positions(ctx, []uuid.UUID{o.worker}); err != nil || len(left) != 0 {
		t.Errorf("%v is still there, %v", left, err)
	}
}
