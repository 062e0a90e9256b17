package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/casework"
	"gridgov/internal/catalogue"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// drafted is a draft of a document, and the change to it over a month.
func drafted(t testing.TB, c *app.City, kind regime.Kind, content any) *casework.Change {
	t.Helper()
	b, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	var seen regime.Seen
	if d, err := c.Regimes.Draft(t.Context(), kind); err == nil {
		seen = regime.Seen{ID: d.ID, Edits: d.Edits}
	}
	d, err := c.Regimes.Save(t.Context(), kind, b, seen, uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Content = b
	ch, err := c.ChangeTo(t.Context(), &d, apptest.Now.AddDate(0, -1, 0), apptest.Now.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// effectOf is an effect, held against the list of what is moved, which is read by pages.
func effectOf(t testing.TB, c *app.City, ch *casework.Change) (*casework.Effect, []casework.Moved) {
	t.Helper()
	var done, total int
	e, err := c.Cases.EffectOf(t.Context(), ch, func(d, all int) { done, total = d, all })
	if err != nil {
		t.Fatal(err)
	}
	if done != total || total != e.Looked && ch.Kind != regime.Rules {
		t.Errorf("%d of %d were told of, %d looked at", done, total, e.Looked)
	}
	var all []casework.Moved
	for after := (casework.Ref{}); ; {
		var page []casework.Moved
		if err := c.Cases.MovedBy(t.Context(), ch, after, func(m *casework.Moved) bool { page = append(page, *m); return len(page) < 3 }); err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		all, after = append(all, page...), page[len(page)-1].Ref
	}
	refs := map[casework.Ref]bool{}
	ways := map[casework.Way]int{}
	for i := range all {
		refs[all[i].Ref] = true
		ways[all[i].Way()]++
	}
	for _, w := range e.Ways {
		if n := max(w.Clocks, w.Cases); ways[w.Way] != n {
			t.Errorf("%+v: %d in the list", w, ways[w.Way])
		}
		delete(ways, w.Way)
	}
	if len(ways) > 0 {
		t.Errorf("moved and not counted: %v", ways)
	}
	if ch.Kind != regime.Rules && len(refs) != e.Moved {
		t.Errorf("%d cases in the list, %d counted", len(refs), e.Moved)
	}
	return e, all
}

// A rule for one item of one place: who would have got last month's cases, each against the decision of publishing it.
func TestEffectOfRules(t *testing.T) {
	o := newOffice(t)
	c := o.c
	apptest.Rules(t, c, assign.Rule{Items: []string{"2"}, Lead: assign.Party{Unit: o.bureau}})
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 90 {
		n := at(rng.IntN(4), rng.IntN(4), []string{"1", "2"}[i%2])
		if i%3 == 0 { // of before: some within the month, some not
			n.Source, n.ExternalID = "import", fmt.Sprint("E", i)
			n.CapturedAt = apptest.Now.AddDate(0, 0, -i)
			if i%2 == 0 {
				n.ClosedAt = new(n.CapturedAt.Add(time.Hour))
			}
		}
		num := file(t, c, n)
		if i%10 == 1 {
			o.do(casework.Ref{Report: num}, casework.Accept, casework.File, casework.Dispatch, casework.Return)
		}
	}
	rules := []assign.Rule{{Items: []string{"1"}, Areas: []assign.Area{{Level: policy.Village, Code: apptest.VillageCode(0, 0)}}, Lead: assign.Party{Unit: o.bureau}},
		{Items: []string{"2"}, Lead: assign.Party{Unit: o.bureau}, Support: []assign.Party{{Kind: policy.TownTeam}}}}
	ch := drafted(t, c, regime.Rules, assign.Rules{Rules: rules})
	ch.From, ch.To = apptest.Now.AddDate(0, -1, 0), apptest.Now.Add(time.Second)
	e, all := effectOf(t, c, ch)
	inSpan := counted(t, c, `SELECT count(*) FROM cases WHERE opened_at >= '2026-10-24 08:00Z'`)
	want := counted(t, c, `SELECT count(*) FROM cases c JOIN placement p USING (report_num) WHERE item = '1' AND village = '`+apptest.VillageCode(0, 0)+`' AND opened_at >= '2026-10-24 08:00Z'`)
	if e.Looked != inSpan || e.Moved != want || want == 0 {
		t.Errorf("%d of %d move, want %d of %d", e.Moved, e.Looked, want, inSpan)
	}
	if want := counted(t, c, `SELECT count(*) FROM cases WHERE item = '2' AND opened_at >= '2026-10-24 08:00Z'`); e.Aside != want {
		t.Errorf("%d get support, want %d", e.Aside, want)
	}
	if want := counted(t, c, fmt.Sprintf(`SELECT count(*) FROM cases c JOIN placement p USING (report_num) WHERE item = '1' AND village = '%s' AND closed_at IS NULL AND unit_id <> %d`,
		apptest.VillageCode(0, 0), o.bureau)); e.Redecided != want {
		t.Errorf("%d open cases would go elsewhere, want %d", e.Redecided, want)
	}
	for i := range all {
		m := &all[i]
		if m.Item != "1" || m.After.Unit != o.bureau || m.Before.Unit == o.bureau {
			t.Errorf("%+v", m)
		}
		if err := ch.Explain(m); err != nil || m.After.Words.ZH == "" || m.Before.Words == m.After.Words {
			t.Errorf("%+v, %v", m, err)
		}
	}
	// What is the same moves nothing.
	same := drafted(t, c, regime.Rules, c.Regime().Rules)
	if e, all := effectOf(t, c, same); e.Moved+e.Redecided+e.Aside+len(all) != 0 {
		t.Errorf("%+v", e)
	}
}

// What is foretold of a calendar is what happens when it comes in force: clock by clock.
func TestEffectOfACalendarIsWhatHappens(t *testing.T) {
	o := newOffice(t)
	c := o.c
	o.someCases(50)
	document := otherDays(t, c, 9)
	ch := drafted(t, c, regime.Calendar, document)
	e, all := effectOf(t, c, ch)
	type key struct {
		casework.Ref
		kind casework.ClockKind
	}
	dues := func() map[key]string {
		out := map[key]string{}
		for _, row := range tableRows(t, c.Pool, `SELECT report_num, part, kind, amber_at, due_at FROM clock WHERE stopped_at IS NULL`) {
			out[key{casework.Ref{Report: report.Num(row[0].(int64)), Part: int(row[1].(int16))}, casework.ClockKind(row[2].(string))}] = fmt.Sprint(row[3:])
		}
		return out
	}
	before := dues()
	draft, err := c.Regimes.Draft(t.Context(), regime.Calendar)
	if err == nil {
		_, err = c.Regimes.Publish(t.Context(), regime.Calendar, regime.Seen{ID: draft.ID, Edits: draft.Edits}, time.Time{})
	}
	if err == nil {
		err = c.LoadDesk(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	moved, err := c.RecountCases(t.Context())
	if err != nil || moved.Clocks != int64(e.ClocksMoved) || moved.Cases != int64(e.Moved) || e.Moved == 0 || e.Later != e.ClocksMoved || e.Earlier != 0 {
		t.Errorf("%+v moved, foretold %+v; %v", moved, e, err)
	}
	after := dues()
	for k, was := range before {
		foretold := slices.IndexFunc(all, func(m casework.Moved) bool { return key{m.Ref, m.Clock} == k })
		if (after[k] != was) != (foretold >= 0) {
			t.Errorf("%v was %s, is %s; foretold: %v", k, was, after[k], foretold >= 0)
		}
	}
	for i := range all {
		var due time.Time
		m := &all[i]
		if err := c.Pool.QueryRow(t.Context(), `SELECT due_at FROM clock WHERE report_num = $1 AND kind = $2 AND stopped_at IS NULL`, m.Report, m.Clock).Scan(&due); err != nil || !due.Equal(m.After.Due) {
			t.Errorf("%+v: due %s, %v", m, due, err)
		}
	}
	if again, _ := effectOf(t, c, drafted(t, c, regime.Calendar, document)); again.Moved != 0 {
		t.Errorf("the calendar in force moves %+v", again)
	}
}

// A list by itself moves no open case; what it would do to them if they were taken over is foretold.
func TestEffectOfAList(t *testing.T) {
	o := newOffice(t)
	c := o.c
	o.someCases(50)
	list := *c.Regime().Catalogue
	list.Other.First = worktime.Minutes(10)
	list.Other.Stages = []catalogue.Stage{{Limit: worktime.WorkDays(9)}}
	e, all := effectOf(t, c, drafted(t, c, regime.Catalogue, &list))
	open := counted(t, c, `SELECT count(*) FROM cases WHERE state NOT IN ('closed', 'voided')`)
	if e.Looked != open || e.Differ != open || e.Kept != 0 || e.Moved == 0 || e.Moved == open || e.Earlier == 0 || e.Later == 0 {
		t.Errorf("%+v; %d open", e, open)
	}
	for i := range all {
		if m := &all[i]; m.Clock == casework.DisposalClock && m.After.Limit != worktime.WorkDays(9) || m.Before.Limit == m.After.Limit {
			t.Errorf("%+v", m)
		}
	}
	list.Other.Stages = []catalogue.Stage{{Name: worktime.Words{ZH: "一"}, Limit: worktime.WorkDays(1)}, {Name: worktime.Words{ZH: "二"}, Limit: worktime.WorkDays(2)}}
	staged, _ := effectOf(t, c, drafted(t, c, regime.Catalogue, &list))
	if inDisposal := counted(t, c, `SELECT count(DISTINCT report_num) FROM clock JOIN cases USING (report_num, part) WHERE kind = 'disposal' AND state NOT IN ('closed', 'voided')`); staged.Kept != inDisposal {
		t.Errorf("%d keep theirs, %d are in disposal", staged.Kept, inDisposal)
	}
}

// Who publishes a list may ask for open cases to be taken over to it: what was foretold happens, killed in the middle or not;
// each case that has other limits keeps an act of theirs, the others keep their list.
func TestOpenCasesAreTakenOverToAList(t *testing.T) {
	o := newOffice(t)
	c := o.c
	refs := o.someCases(40)
	extended := o.ask(refs[4], casework.Extend)
	if _, err := c.Cases.Do(t.Context(), extended); err != nil {
		t.Fatal(err)
	}
	before := map[casework.Ref]*casework.Case{}
	for _, ref := range refs {
		before[ref] = caseOf2(t, c, ref)
	}
	list := *c.Regime().Catalogue
	list.Other.First = worktime.Minutes(10)
	list.Other.Stages = []catalogue.Stage{{Limit: worktime.WorkDays(9)}}
	e, all := effectOf(t, c, drafted(t, c, regime.Catalogue, &list))
	draft, err := c.Regimes.Draft(t.Context(), regime.Catalogue)
	if err == nil {
		_, err = c.Regimes.Publish(t.Context(), regime.Catalogue, regime.Seen{ID: draft.ID, Edits: draft.Edits}, time.Time{}, c.Cases.AskRelimit(o.worker))
	}
	if err == nil {
		err = c.LoadDesk(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	c.Cases.Batch = 3
	lists := func(id regime.ID) (*catalogue.Catalogue, error) { return c.ListUnder(t.Context(), id) }
	older := []regime.ID{before[refs[0]].CatalogueID}
	batches := 0
	ctx, kill := context.WithCancel(t.Context())
	if _, err := c.Cases.TakeOver(ctx, casework.Taking{ID: draft.ID, By: o.worker}, c.Regime(), older, lists, func(context.Context) error {
		if batches++; batches > 3 {
			kill()
		}
		return nil
	}); err == nil {
		t.Fatal("it was not killed")
	}
	if n := counted(t, c, `SELECT count(*) FROM case_act WHERE act = 'relimit'`); n == 0 || n == e.Differ {
		t.Errorf("%d cases were taken over", n)
	}
	for range 2 {
		if err := c.TakeCasesOver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := counted(t, c, `SELECT (after ->> 'cases')::int FROM audit WHERE act = 'regime.relimit'`); n != e.Differ {
		t.Errorf("%d cases are on record, %d were foretold", n, e.Differ)
	}
	countedRight(t, c)
	for _, ref := range refs {
		was, is := before[ref], caseOf2(t, c, ref)
		o.whole(is)
		if !was.State.Open() {
			if is.Version != was.Version || is.CatalogueID != was.CatalogueID {
				t.Errorf("case %s has ended, and is %+v", ref, is)
			}
			continue
		}
		history, err := c.Cases.History(t.Context(), ref)
		if last := history[len(history)-1]; err != nil || last.Act != casework.Relimit || last.Person != o.worker || is.CatalogueID != draft.ID || is.State != was.State {
			t.Errorf("case %s: %+v, %+v, %v", ref, last, is, err)
		}
		for i := range is.Clocks {
			k := &is.Clocks[i]
			s := k.State(c.Regime().Calendar)
			at := slices.IndexFunc(all, func(m casework.Moved) bool {
				return m.Ref == ref && m.Clock == k.Kind && k.Phase() != worktime.Stopped
			})
			if moved := len(k.Marks()) != len(was.Clocks[i].Marks()); moved != (at >= 0) || moved && !s.Due.Equal(all[at].After.Due) {
				t.Errorf("case %s: clock %d is due %s, foretold: %v", ref, i, s.Due, at >= 0)
			}
		}
	}
	k := caseOf2(t, c, refs[4])
	last := k.Clocks[len(k.Clocks)-1]
	if s := last.State(c.Regime().Calendar); s.Budget != worktime.WorkDays(9).Seconds(c.Regime().Calendar)+extended.By.Seconds(c.Regime().Calendar) {
		t.Errorf("what was granted besides is gone: %+v", s)
	}
}
