package casework

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"gridgov/internal/assign"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/soak"
	"gridgov/internal/worktime"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 20_000)
	m.Run()
}

var (
	monday   = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC) // 9:00 in Haining
	calendar = func() *worktime.Calendar {
		h := func(s string) (h worktime.Hours) {
			if err := h.UnmarshalText([]byte(s)); err != nil {
				panic(err)
			}
			return h
		}
		c, err := worktime.New(worktime.Document{Zone: "Asia/Shanghai", Week: worktime.WorkingWeek(h("08:30-12:00"), h("13:30-17:00")), DayMinutes: 420})
		if err != nil {
			panic(err)
		}
		return c
	}()
	terms = &Terms{Calendar: calendar, First: worktime.WorkHours(1), Stages: []Stage{{Limit: worktime.WorkHours(4)}}, MaySettle: true,
		Steps: Steps{Dispatch: worktime.WorkHours(1), Confirm: worktime.WorkHours(4), SelfSettle: worktime.WorkDays(1), Receive: worktime.WorkHours(1),
			Return: worktime.WorkHours(4), Verify: worktime.WorkDays(1), Review: worktime.ClockHours(720)}}
	staged = func() *Terms {
		t := *terms
		t.Stages = []Stage{{worktime.Words{ZH: "停工", EN: "stop"}, worktime.WorkHours(4)}, {worktime.Words{ZH: "处罚", EN: "penalty"}, worktime.WorkDays(7)},
			{worktime.Words{ZH: "拆除", EN: "demolition"}, worktime.WorkDays(20)}}
		return &t
	}()
	anybody = func(policy.Action) bool { return true }
	worker  = uuid.MustParse("01980000-0000-7000-8000-000000000001")
	other   = uuid.MustParse("01980000-0000-7000-8000-000000000002")
)

// full is an act that carries whatever an act may need.
func full(act Act, at time.Time) Doing {
	yes := true
	return Doing{Act: act, At: at, Person: worker, May: anybody, Reason: "because", Evidence: 1, Decision: assign.Decision{Unit: 7}, Target: &Case{Ref: Ref{Report: 99}, State: Reported}, Verdict: &yes,
		Rating: 4, By: worktime.WorkHours(2), SettledBy: TownTeam, Measure: Guided, Parts: 2, Object: "shop:1"}
}

func opened(t testing.TB, terms *Terms) *Case {
	t.Helper()
	c, err := Open(Case{Ref: Ref{Report: 1}}, assign.Decision{Unit: 3}, terms, monday)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// at brings a new case to a state by the shortest way through the table.
func at(t testing.TB, terms *Terms, want State) *Case {
	t.Helper()
	type way struct {
		c    *Case
		acts int
	}
	for next := []way{{opened(t, terms), 0}}; len(next) > 0; next = next[1:] {
		w := next[0]
		if w.c.State == want {
			return w.c
		}
		if w.acts > 12 {
			break
		}
		for _, line := range Table {
			if line.To == "" || !slices.Contains(line.From, w.c.State) {
				continue
			}
			d := full(line.Act, monday.Add(time.Duration(w.acts+1)*time.Minute))
			if line.Act == Verify || line.Act == SendBack {
				d.Person = other
			}
			if n, err := Apply(w.c, terms, d); err == nil {
				next = append(next, way{n, w.acts + 1})
			}
		}
	}
	t.Fatalf("no way leads to %s", want)
	return nil
}

// The lines of the domain's table of a case, copied from it by hand, and whether an act leads there.
func TestDomainTable(t *testing.T) {
	for _, line := range strings.Fields(`
		reported>self_settled:self_settle self_settled>closed:settle reported>accepted:accept reported>rejected:reject reported>merged:merge
		reported>confirming:ask_confirm confirming>reported:confirm accepted>filed:file filed>dispatched:dispatch dispatched>received:receive
		dispatched>returned:return returned>dispatched:dispatch received>disposing:begin disposing>fed_back:feed_back disposing>disposing:extend
		disposing>suspended:suspend suspended>disposing:resume fed_back>verified:verify verified>closed:close fed_back>rework:send_back
		rework>disposing:redo closed>evaluated:evaluate closed>disposing:reopen
		reported>voided:void confirming>voided:void self_settled>voided:void accepted>voided:void filed>voided:void dispatched>voided:void
		returned>voided:void received>voided:void disposing>voided:void suspended>voided:void fed_back>voided:void rework>voided:void verified>voided:void`) {
		states, act, _ := strings.Cut(line, ":")
		from, to, _ := strings.Cut(states, ">")
		d := full(Act(act), monday.Add(20*time.Minute))
		d.Person = other
		n, err := Apply(at(t, terms, State(from)), terms, d)
		if err != nil || n.State != State(to) {
			t.Errorf("%s: %+v, %v", line, n, err)
		}
	}
}

// Each state with each act: either a line of the table has it, and it leads where the line says, or it is refused, with the
// state in the words.
func TestAllPairs(t *testing.T) {
	var acts []Act
	for _, line := range Table {
		if !slices.Contains(acts, line.Act) {
			acts = append(acts, line.Act)
		}
	}
	for _, s := range States {
		c := at(t, terms, s)
		for _, act := range acts {
			d := full(act, monday.Add(30*time.Minute))
			d.Person = other
			switch act {
			case ExtendAgain, AskExtension:
				c = c.clone()
				c.Extensions, c.Asked = 1, &Extension{By: worktime.WorkHours(1), Reason: "rain"}
			case Extend:
				c.Extensions = 0
			}
			before := fmt.Sprintf("%+v", c)
			fits := lines(act, s)
			n, err := Apply(c, terms, d)
			if after := fmt.Sprintf("%+v", c); after != before {
				t.Fatalf("%s of %s changed the case it was asked of", act, s)
			}
			if len(fits) == 0 {
				if f, ok := fault.As(err); !ok || f.Kind != fault.KindConflict || f.Code != "case_state" || !strings.Contains(f.Message, string(s)) {
					t.Errorf("%s of %s: %+v, %v", act, s, n, err)
				}
				continue
			}
			want := fits[0].To
			if want == "" {
				want = s
			}
			if err != nil || n.State != want || n.Version != c.Version+1 {
				t.Errorf("%s of %s: %+v, %v", act, s, n, err)
			}
			if !slices.Contains(Allowed(c, terms, d), act) {
				t.Errorf("%s of %s is not told to be allowed", act, s)
			}
			if none := Allowed(c, terms, Doing{At: d.At, May: func(policy.Action) bool { return false }}); len(none) > 0 {
				t.Errorf("%s: nobody may %v", s, none)
			}
		}
	}
}

// What ends a case stops every clock; each open state of a case with limits has one that runs.
func TestOpenStatesHaveClocks(t *testing.T) {
	for _, s := range States {
		c := at(t, terms, s)
		_, due := c.Due(calendar)
		if wants := s.Open() && s != Verified; wants != !due.IsZero() {
			t.Errorf("%s: due %v", s, due)
		}
		if !s.Open() {
			for _, k := range c.Clocks {
				if k.Phase() != worktime.Stopped {
					t.Errorf("%s: the %s clock is %s", s, k.Kind, k.Phase())
				}
			}
		}
	}
}

// Each act without what it needs, and each guard, by hand.
func TestRefusals(t *testing.T) {
	long := monday.Add(8 * 24 * time.Hour)
	for _, c := range []struct {
		name  string
		from  State
		act   Act
		alter func(*Case, *Doing)
		code  string
	}{
		{"no reason", Reported, Reject, func(_ *Case, d *Doing) { d.Reason = "" }, "missing"},
		{"no picture", Disposing, FeedBack, func(_ *Case, d *Doing) { d.Evidence = 0 }, "missing"},
		{"no unit", Filed, Dispatch, func(_ *Case, d *Doing) { d.Decision.Unit = 0 }, "missing"},
		{"no target", Reported, Merge, func(_ *Case, d *Doing) { d.Target = nil }, "missing"},
		{"no verdict", Confirming, Confirm, func(_ *Case, d *Doing) { d.Verdict = nil }, "missing"},
		{"no rating", Closed, Evaluate, func(_ *Case, d *Doing) { d.Rating = 6 }, "missing"},
		{"no time", Disposing, Extend, func(_ *Case, d *Doing) { d.By = worktime.Budget{} }, "missing"},
		{"no stage", Disposing, FinishStage, func(_ *Case, d *Doing) { d.Stage = 1 }, "missing"},
		{"nobody settled it", Disposing, FeedBack, func(_ *Case, d *Doing) { d.SettledBy = "me" }, "missing"},
		{"no parts", Accepted, Split, func(_ *Case, d *Doing) { d.Parts = 0 }, "missing"},
		{"no object", Accepted, Relate, func(_ *Case, d *Doing) { d.Object = "" }, "missing"},
		{"verified by who did it", FedBack, Verify, func(_ *Case, d *Doing) { d.Person = worker }, "other_person"},
		{"sent back by who did it", FedBack, SendBack, func(_ *Case, d *Doing) { d.Person = worker }, "other_person"},
		{"parts are open", Verified, Close, func(_ *Case, d *Doing) { d.OpenParts = 1 }, "parts_done"},
		{"extended twice by the duty leader", Disposing, Extend, func(c *Case, _ *Doing) { c.Extensions = 1 }, "first_extension"},
		{"a second time first", Disposing, AskExtension, func(*Case, *Doing) {}, "second_extension"},
		{"a third time", Disposing, AskExtension, func(c *Case, _ *Doing) { c.Extensions = 2 }, "second_extension"},
		{"granted unasked", Disposing, ExtendAgain, func(c *Case, _ *Doing) { c.Extensions = 1 }, "extension_asked"},
		{"to the same unit again", Returned, Dispatch, func(c *Case, d *Doing) { c.ReturnedBy, d.Reason = []policy.UnitID{7}, "" }, "other_unit"},
		{"rated late", Closed, Evaluate, func(_ *Case, d *Doing) { d.At = long }, "within_week"},
		{"merged into itself", Reported, Merge, func(_ *Case, d *Doing) { d.Target = &Case{Ref: Ref{1, 1}} }, "not_itself"},
		{"merged into what is merged", Reported, Merge, func(_ *Case, d *Doing) { d.Target = &Case{Ref: Ref{2, 0}, State: Merged} }, "not_itself"},
		{"merged into what has ended", Reported, Merge, func(_ *Case, d *Doing) { d.Target = &Case{Ref: Ref{2, 0}, State: Closed} }, "not_itself"},
		{"one officer", Disposing, FeedBack, func(_ *Case, d *Doing) { d.Measure, d.Officers = Penalised, 1 }, "two_certificated"},
		{"returned after four hours", Received, Return, func(_ *Case, d *Doing) { d.At = monday.Add(26 * time.Hour) }, "in_return_time"},
		{"no right", Reported, Accept, func(_ *Case, d *Doing) { d.May = func(a policy.Action) bool { return a != policy.CaseTriage } }, "not_allowed"},
	} {
		d := full(c.act, monday.Add(30*time.Minute))
		d.Person = other
		k := at(t, terms, c.from)
		if _, err := Apply(k, terms, d); err != nil && c.act != AskExtension && c.act != ExtendAgain {
			t.Errorf("%s: refused as it is: %v", c.name, err)
		}
		c.alter(k, &d)
		if _, err := Apply(k, terms, d); faultCode(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	// A right to one of two lines is enough for that one: the reporter reopens within a week, the desk at any time.
	d := full(Reopen, long)
	d.May = func(a policy.Action) bool { return a == policy.CaseEvaluate }
	if _, err := Apply(at(t, terms, Closed), terms, d); faultCode(err) != "within_week" {
		t.Errorf("reopened by the reporter after eight days: %v", err)
	}
	d.May = func(a policy.Action) bool { return a == policy.CaseTriage }
	if n, err := Apply(at(t, terms, Closed), terms, d); err != nil || n.State != Disposing {
		t.Errorf("reopened by the desk: %v", err)
	}
	nobody := *terms
	nobody.MaySettle = false
	if _, err := Apply(opened(t, &nobody), &nobody, full(SelfSettle, monday)); faultCode(err) != "may_settle" {
		t.Errorf("settled at once: %v", err)
	}
}

func faultCode(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	return f.Code
}

// What was split has nothing to do but wait: its clocks stand still whatever is noted about it, and it is in time once its parts have ended.
func TestASplitCaseWaits(t *testing.T) {
	k := do(t, opened(t, terms), terms, monday, 5, Accept, 10, Split)
	noon := monday.Add(15 * time.Minute)
	if d := k.latest(DeskClock, 0); d.Phase() != worktime.Paused || left(k, DeskClock, 0, noon) != 45 {
		t.Fatalf("%s with %d minutes left of the hour", d.Phase(), left(k, DeskClock, 0, noon))
	}
	late := monday.Add(30 * 24 * time.Hour)
	d := full(Note, late)
	d.Waits = true
	k, err := Apply(k, terms, d)
	if err != nil || k.latest(DeskClock, 0).Phase() != worktime.Paused {
		t.Fatal("a note starts its clocks:", err)
	}
	k, err = Gather(k, terms, []SettledBy{TownTeam}, late.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for i := range k.Clocks {
		if s := k.Clocks[i].State(calendar); k.Clocks[i].Phase() != worktime.Stopped || s.Late(late.Add(time.Hour)) {
			t.Errorf("%s is %s, late %t", k.Clocks[i].Kind, k.Clocks[i].Phase(), s.Late(late.Add(time.Hour)))
		}
	}
}

// do applies acts, each some working minutes after the one before, and returns the case.
func do(t testing.TB, c *Case, terms *Terms, from time.Time, acts ...any) *Case {
	t.Helper()
	for i := 0; i < len(acts); i += 2 {
		from = calendar.Due(from, int64(acts[i].(int))*60)
		d := full(acts[i+1].(Act), from)
		if d.Act == Verify || d.Act == SendBack {
			d.Person = other
		}
		n, err := Apply(c, terms, d)
		if err != nil {
			t.Fatalf("%s: %v", d.Act, err)
		}
		c = n
	}
	return c
}

// left is what a clock has left at a moment, in minutes.
func left(c *Case, kind ClockKind, stage int, at time.Time) int64 {
	return c.latest(kind, stage).State(calendar).Remaining(calendar, at) / 60
}

// A day by hand: four hours of disposal survive a pause, a transfer, a rework and a re-opening as the domain says.
func TestDisposalByHand(t *testing.T) {
	c := do(t, opened(t, terms), terms, monday, 5, Accept, 0, File, 5, Dispatch, 10, Receive)
	received := calendar.Due(monday, 20*60)
	if got := left(c, DisposalClock, 0, received); got != 240 {
		t.Errorf("received: %d minutes left", got)
	}
	c = do(t, c, terms, received, 10, Begin, 50, Suspend)
	suspended := calendar.Due(received, 60*60)
	if got := left(c, DisposalClock, 0, suspended.Add(48*time.Hour)); got != 180 {
		t.Errorf("suspended: %d minutes left after two days", got)
	}
	resumed := suspended.Add(48 * time.Hour)
	c = do(t, c, terms, resumed, 0, Resume, 60, Transfer)
	moved := calendar.Due(resumed, 60*60)
	if c.Unit != 7 || c.State != Dispatched || left(c, DisposalClock, 0, moved.Add(time.Hour)) != 120 {
		t.Errorf("transferred: %+v, %d left", c, left(c, DisposalClock, 0, moved.Add(time.Hour)))
	}
	c = do(t, c, terms, moved, 30, Receive, 0, Begin, 20, Extend, 40, FeedBack)
	fed := calendar.Due(moved, 90*60)
	if got := left(c, DisposalClock, 0, fed); got != 120-60+120 {
		t.Errorf("fed back: %d minutes left", got)
	}
	c = do(t, c, terms, fed, 30, SendBack)
	again := calendar.Due(fed, 30*60)
	if got := left(c, DisposalClock, 0, again); got != 120 { // half the limit of 4 hours
		t.Errorf("rework: %d minutes left", got)
	}
	c = do(t, c, terms, again, 10, Redo, 20, FeedBack, 30, Verify, 0, Close)
	closed := calendar.Due(again, 60*60)
	if got := left(c, DisposalClock, 0, closed); got != 90 || !c.ClosedAt.Equal(closed) || c.SettledBy != TownTeam {
		t.Errorf("closed: %d minutes left, %+v", got, c)
	}
	c = do(t, c, terms, closed, 60, Reopen)
	if got := left(c, DisposalClock, 0, calendar.Due(closed, 60*60)); got != 120 || !c.ClosedAt.IsZero() { // 90 left, but at least half the limit
		t.Errorf("reopened: %d minutes left", got)
	}
}

// A unit that is handed a transferred case has its own hour to take it up; the desk's second clock is its own too.
func TestNextUnitHasItsOwnHour(t *testing.T) {
	c := do(t, opened(t, terms), terms, monday, 10, Accept, 0, File, 10, Dispatch, 50, Transfer)
	moved := calendar.Due(monday, 70*60)
	if got := left(c, ReceiveClock, 0, moved); got != 60 {
		t.Errorf("%d minutes to take it up", got)
	}
	if got := left(c, FirstClock, 0, moved); got != 10 {
		t.Errorf("%d minutes to the first response", got)
	}
	c = do(t, c, terms, moved, 5, Return)
	returned := calendar.Due(moved, 5*60)
	if got := left(c, DeskClock, 0, returned); got != 60 || !slices.Equal(c.ReturnedBy, []policy.UnitID{7}) {
		t.Errorf("the desk has %d minutes; %+v", got, c)
	}
}

func TestStages(t *testing.T) {
	c := do(t, opened(t, staged), staged, monday, 0, Accept, 0, File, 0, Dispatch, 0, Receive, 30, Begin)
	feed := full(FeedBack, monday.Add(time.Hour))
	if _, err := Apply(c, staged, feed); faultCode(err) != "stages_done" || !strings.Contains(err.Error(), "stop") {
		t.Errorf("fed back before the stages: %v", err)
	}
	for stage := range 2 {
		d := full(FinishStage, monday.Add(time.Hour))
		d.Stage = stage
		n, err := Apply(c, staged, d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Apply(n, staged, d); faultCode(err) != "stage_finished" {
			t.Errorf("finished twice: %v", err)
		}
		c = n
	}
	n, err := Apply(c, staged, feed)
	if err != nil {
		t.Fatal(err)
	}
	// Sent back, the last stage alone is done again.
	n = do(t, n, staged, monday.Add(2*time.Hour), 0, SendBack)
	for stage, want := range []worktime.Phase{worktime.Stopped, worktime.Stopped, worktime.Running} {
		if got := n.latest(DisposalClock, stage).Phase(); got != want {
			t.Errorf("stage %d is %s, want %s", stage, got, want)
		}
	}
}

// The table is whole: each state but the first is led to and, unless it ends a case, left again; actions are known; whatever
// is named is used.
func TestTableIsWhole(t *testing.T) {
	to, from := map[State]bool{Reported: true}, map[State]bool{}
	asked := map[Guard]bool{}
	for _, line := range Table {
		if line.Why == "" || len(line.From) == 0 || !policy.Known(line.Action) {
			t.Errorf("%+v", line)
		}
		to[line.To] = true
		for _, s := range line.From {
			from[s] = from[s] || line.To != ""
		}
		for _, g := range line.Guards {
			asked[g] = true
			if guards[g].ask == nil {
				t.Errorf("%s: no guard %s", line.Act, g)
			}
		}
	}
	for _, s := range States {
		if !to[s] || from[s] != !slices.Contains([]State{Rejected, Merged, Voided}, s) {
			t.Errorf("%s: led to %t, left %t", s, to[s], from[s])
		}
	}
	for g := range guards {
		if !asked[g] {
			t.Errorf("nobody asks for %s", g)
		}
	}
}

// Whatever is done in whatever order: clocks run, stand still and are stopped by the state; what was used never shrinks; what
// the disposal has left is spent by nothing but its unit's own time; and the same acts give the same case.
func TestRandomCases(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		terms := rapid.SampledFrom([]*Terms{terms, staged}).Draw(r, "terms")
		c, err := Open(Case{Ref: Ref{Report: 1}}, assign.Decision{Unit: 3, Dispatch: rapid.Bool().Draw(r, "dispatched")}, terms, monday)
		if err != nil {
			r.Fatal(err)
		}
		first, now := c, monday
		var done []Doing
		waits := false // for what it was split into
		for range rapid.IntRange(0, 40).Draw(r, "acts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30*3600).Draw(r, "seconds")) * time.Second)
			d := full("", now)
			d.Person, d.Waits = rapid.SampledFrom([]uuid.UUID{worker, other}).Draw(r, "who"), waits
			d.Stage = rapid.IntRange(0, len(terms.Stages)-1).Draw(r, "stage")
			d.Decision.Unit = policy.UnitID(rapid.Int64Range(1, 3).Draw(r, "unit"))
			allowed := Allowed(c, terms, d)
			if len(allowed) == 0 {
				break
			}
			d.Act = rapid.SampledFrom(allowed).Draw(r, "act")
			if d.Act == Void || d.Act == Reject || d.Act == Merge {
				if rapid.IntRange(0, 5).Draw(r, "end") > 0 {
					continue
				}
			}
			n, err := Apply(c, terms, d)
			if err != nil {
				if code := faultCode(err); code != "stage_finished" && code != "unit_mismatch" {
					r.Fatalf("%s of %s was allowed: %v", d.Act, c.State, err)
				}
				continue
			}
			if n.Version != c.Version+1 || len(n.Clocks) < len(c.Clocks) || n.Unit == 0 {
				r.Fatalf("%s: %+v", d.Act, n)
			}
			for i := range c.Clocks {
				if a, b := c.Clocks[i].State(calendar), n.Clocks[i].State(calendar); b.UsedAt(calendar, now) < a.Used {
					r.Fatalf("%s: the %s clock had used %d, and %d after", d.Act, c.Clocks[i].Kind, a.Used, b.Used)
				}
			}
			waits = waits || d.Act == Split
			checkClocks(r, n, waits)
			c, done = n, append(done, d)
		}
		again := first
		for _, d := range done {
			if again, err = Apply(again, terms, d); err != nil {
				r.Fatal(err)
			}
		}
		if !reflect.DeepEqual(c, again) {
			r.Fatalf("the same acts give\n%+v\n%+v", c, again)
		}
	})
}

// checkClocks holds the clocks against the state, said anew and not by the table of lives.
func checkClocks(r *rapid.T, c *Case, waits bool) {
	if waits {
		for i := range c.Clocks {
			if c.Clocks[i].Phase() == worktime.Running {
				r.Fatalf("%s: the %s clock of what waits for its parts runs", c.State, c.Clocks[i].Kind)
			}
		}
		return
	}
	runs := map[ClockKind]string{DeskClock: "reported accepted filed returned", ConfirmClock: "confirming", SelfClock: "self_settled", ReceiveClock: "dispatched",
		VerifyClock: "fed_back", ReviewClock: "suspended"}
	for kind, states := range runs {
		k := c.latest(kind, 0)
		running := k != nil && k.Phase() == worktime.Running
		if want := slices.Contains(strings.Fields(states), string(c.State)); running != want {
			r.Fatalf("%s: the %s clock runs: %t", c.State, kind, running)
		}
	}
	if k := c.latest(DisposalClock, 0); k != nil {
		paused := k.Phase() == worktime.Paused
		if want := slices.Contains([]State{Dispatched, Returned, Suspended}, c.State); paused && !want {
			r.Fatalf("%s: the disposal's clock is paused", c.State)
		}
	}
}

var update = flag.Bool("update", false, "write what is printed from the tables")

func TestCasesArePrinted(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Cases\n\nWritten by `go test ./internal/casework -run TestCasesArePrinted -update` from the tables in the code; do not edit. What\nthey mean: [from report to settled matter](matters.md).\n\n")
	Write(&b)
	const path = "../../docs/cases.md"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is another than the tables: run this test with -update", path)
	}
}
