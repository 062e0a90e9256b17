package app_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/investigation"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// later has the house keep matters for 90 days, and half a year go by.
func (h *house) later() {
	h.t.Helper()
	if err := h.c.Retention.SetDays(h.t.Context(), 90); err != nil {
		h.t.Fatal(err)
	}
	h.c.Retention.Now = func() time.Time { return apptest.Now.AddDate(0, 0, 200) }
}

// over ends the cases of reports, half a year before.
func (h *house) over(nums []uint32) {
	h.t.Helper()
	list := make([]int64, len(nums))
	for i, n := range nums {
		list[i] = int64(n)
	}
	if err := sql(h.t, h.c, `UPDATE cases SET state = 'voided' WHERE report_num = ANY ($1)`, list); err != nil {
		h.t.Fatal(err)
	}
}

// retain runs the retention, which makes so many reports anonymous.
func (h *house) retain(want int) {
	h.t.Helper()
	if n, err := h.c.Retention.Run(h.t.Context()); err != nil || n != want {
		h.t.Fatalf("%d reports were made anonymous, want %d, %v", n, want, err)
	}
}

// decide decides about a proposal as it is.
func (h *house) decide(id screening.ProposalID, a investigation.Ask) investigation.ID {
	h.t.Helper()
	a.Version, a.Within = h.proposal(id).Version, screening.Within{All: true}
	order, err := h.c.Investigations.Decide(h.ctx, id, a)
	if err != nil {
		h.t.Fatal(err)
	}
	return order
}

// words are the planted ones that stand in tables of investigations, each once, in order.
func (h *house) words() (found []string) {
	h.t.Helper()
	for _, row := range h.rows(`
		SELECT row_to_json(t)::text FROM investigation_order t UNION ALL SELECT row_to_json(t)::text FROM order_act t
		UNION ALL SELECT row_to_json(t)::text FROM proposal t UNION ALL SELECT row_to_json(t)::text FROM proposal_act t ORDER BY 1`) {
		for _, w := range strings.FieldsFunc(row, func(r rune) bool { return r < 'a' || r > 'z' }) {
			if name, ok := strings.CutPrefix(w, "canary"); ok {
				found = append(found, name)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (h *house) rows(query string, args ...any) []string {
	h.t.Helper()
	rows, err := h.c.Pool.Query(h.t.Context(), query, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// figures are what is kept of investigations beside words: who, when, where, what was done, and whether it found anything.
func (h *house) figures() []string {
	h.t.Helper()
	return h.rows(`
		SELECT (to_jsonb(t) - '{objects,visited,findings,anonymised_at,objects_gone,visited_gone}'::text[])::text
			|| coalesce(nullif(cardinality(objects), 0), objects_gone, 0) || ' ' || coalesce(nullif(cardinality(visited), 0), visited_gone, -1) FROM investigation_order t
		UNION ALL SELECT (to_jsonb(t) - 'reason')::text FROM order_act t UNION ALL SELECT (to_jsonb(t) - 'anonymised_at')::text FROM proposal t
		UNION ALL SELECT (to_jsonb(t) - 'reason')::text FROM proposal_act t ORDER BY 1`)
}

// forgotten are the orders and proposals that are on record as emptied, as often as they are.
func (h *house) forgotten() (f investigation.Forgotten) {
	h.t.Helper()
	for _, row := range h.rows(`SELECT after::text FROM audit WHERE act = 'investigation.anonymise' ORDER BY seq`) {
		var one investigation.Forgotten
		if err := json.Unmarshal([]byte(row), &one); err != nil {
			h.t.Fatal(err)
		}
		f.Orders, f.Proposals = append(f.Orders, one.Orders...), append(f.Proposals, one.Proposals...)
	}
	return f
}

// What was typed into an investigation goes with the last of its evidence, and not before it has ended; all that is counted stays.
func TestWordsOfInvestigationsGoWithTheirEvidence(t *testing.T) {
	h := newHouse(t)
	all := func(words ...string) []string { slices.Sort(words); return words }
	has := func(when string, want []string) {
		t.Helper()
		if got := h.words(); !slices.Equal(got, want) {
			t.Errorf("%s: there are %v, want %v", when, got, want)
		}
	}
	// One of both western proposals, done; one of the eastern, called off, and the proposal declined.
	o := h.ordered(func(a *investigation.Ask) {
		a.Reason, a.Order.With, a.Order.Objects = "canaryapprove", []screening.ProposalID{h.beside}, []string{"canaryobject", "canaryother"}
	})
	if err := h.do(&o, investigation.Doing{Act: investigation.Change, Day: "2026-12-02", Reason: "canarychange"}); err != nil {
		t.Fatal(err)
	}
	off := h.get(h.decide(h.east, investigation.Ask{Act: investigation.Approve, Order: &investigation.New{Unit: h.team, Day: "2026-12-03",
		Officers: []policy.PostID{h.officers[0].ID, h.officers[1].ID}, Objects: []string{"canarysite"}}}))
	if err := h.do(&off, investigation.Doing{Act: investigation.Cancel, Reason: "canarycancel"}); err != nil {
		t.Fatal(err)
	}
	h.decide(h.east, investigation.Ask{Act: investigation.Decline, Reason: "canarydecline"})
	h.clock.days = 9
	done := finding()
	done.Findings, done.Visited = "canaryfindings", []string{"canaryvisited", "canaryobject", "canarythird"}
	if err := h.do(&o, done); err != nil {
		t.Fatal(err)
	}
	western, eastern := all("approve", "object", "other", "change", "findings", "visited", "third"), all("site", "cancel", "decline")
	whole := all(append(slices.Clone(western), eastern...)...)
	has("planted", whole)
	counted := h.figures()
	rates, err := h.c.Investigations.Rates(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	h.later()
	west, beside, east := evidenceOf(t, h.c, h.west), evidenceOf(t, h.c, h.beside), evidenceOf(t, h.c, h.east)
	h.retain(0)
	has("nothing is over", whole)
	h.over(slices.Concat(west, beside[1:], east[:len(east)-1])) // all but one of each
	h.retain(len(west) + len(beside) + len(east) - 2)
	has("one report of each is left", whole)
	h.over(east[len(east)-1:])
	h.retain(1)
	has("all of the east's are gone", western)
	h.over(beside[:1])
	h.retain(1)
	has("all are gone", nil)

	if got := h.figures(); !slices.Equal(got, counted) {
		t.Errorf("it is kept of it\n%s\nand was\n%s", strings.Join(got, "\n"), strings.Join(counted, "\n"))
	}
	if got, err := h.c.Investigations.Rates(t.Context()); err != nil || got != rates || got.Done != 1 || got.Found.Part != 1 {
		t.Errorf("%+v, was %+v, %v", got, rates, err)
	}
	o, off = h.get(o.ID), h.get(off.ID)
	if o.State != investigation.Done || !*o.Found || o.Findings != "" || len(o.Objects)+len(o.Visited) != 0 || o.AnonymisedAt == nil || *o.ObjectsGone != 2 || *o.VisitedGone != 3 {
		t.Errorf("%+v", o)
	}
	if off.State != investigation.Cancelled || len(off.Objects) != 0 || off.AnonymisedAt == nil || *off.ObjectsGone != 1 || off.VisitedGone != nil {
		t.Errorf("%+v", off)
	}
	if a, b, c := h.proposal(h.west), h.proposal(h.east), h.proposal(h.beside); a.AnonymisedAt == nil || b.AnonymisedAt == nil || c.AnonymisedAt == nil {
		t.Errorf("%+v %+v %+v", a, b, c)
	}
	f := h.forgotten()
	if slices.Sort(f.Proposals); !slices.Equal(f.Orders, []investigation.ID{off.ID, o.ID}) || len(f.Proposals) != 3 || len(slices.Compact(f.Proposals)) != 3 {
		t.Errorf("on record are %+v", f)
	}
	if res, err := audit.Verify(t.Context(), h.c.Pool, audit.Keys(h.c.Contacts.Ring, h.c.Code)); err != nil || res.Fault != nil {
		t.Errorf("the record of acts: %+v, %v", res, err)
	}
}

// What is taken up again keeps what is said then until it ends again, though all evidence is gone; a run that finds nothing changes nothing.
func TestWhatIsOpenKeepsItsWords(t *testing.T) {
	h := newHouse(t)
	h.later()
	h.decide(h.east, investigation.Ask{Act: investigation.Decline, Reason: "canarydecline"})
	nums := evidenceOf(t, h.c, h.east)
	h.over(nums)
	h.retain(len(nums))
	if got := h.words(); len(got) != 0 {
		t.Fatalf("there are %v", got)
	}
	stays := func(when string, want ...string) {
		t.Helper()
		slices.Sort(want)
		h.retain(0)
		if got := h.words(); !slices.Equal(got, want) {
			t.Errorf("%s: there are %v, want %v", when, got, want)
		}
	}
	h.decide(h.east, investigation.Ask{Act: investigation.Reconsider, Reason: "canaryagain"})
	stays("open", "again")
	o := h.get(h.decide(h.east, investigation.Ask{Act: investigation.Approve, Reason: "canaryapprove", Order: &investigation.New{Unit: h.team, Day: "2026-12-03",
		Officers: []policy.PostID{h.officers[0].ID, h.officers[1].ID}, Objects: []string{"canaryobject"}}}))
	stays("ordered", "again", "approve", "object")
	h.clock.days = 9
	if err := h.do(&o, investigation.Doing{Act: investigation.Finish, Found: new(false), Findings: "canaryfindings"}); err != nil {
		t.Fatal(err)
	}
	stays("done")
	if o = h.get(o.ID); *o.Found || *o.ObjectsGone != 1 || *o.VisitedGone != 0 {
		t.Errorf("%+v", o)
	}
	state := func() []string {
		return h.rows(`SELECT t::text FROM investigation_order t UNION ALL SELECT t::text FROM order_act t UNION ALL SELECT t::text FROM proposal t UNION ALL SELECT t::text FROM proposal_act t
			UNION ALL SELECT t::text FROM audit t ORDER BY 1`)
	}
	before := state()
	h.c.Retention.Now = func() time.Time { return apptest.Now.AddDate(0, 0, 300) }
	h.retain(0)
	if after := state(); !slices.Equal(after, before) {
		t.Errorf("a second run made\n%s\nof\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	// The database itself lets no words back in, nor takes them from what is open.
	for _, statement := range []string{`UPDATE investigation_order SET findings = 'x'`, `UPDATE investigation_order SET objects = '{x}'`, `UPDATE investigation_order SET visited = '{x}'`,
		`UPDATE investigation_order SET objects_gone = NULL`, `UPDATE investigation_order SET state = 'ordered', ended_at = NULL, found = NULL, findings = NULL, visited = NULL, visited_gone = NULL`} {
		if err := sql(t, h.c, statement); sqlState(err) != "23514" {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// Two runs at once, one by one, and a committee that takes a proposal up again meanwhile: each is emptied once, and what is open keeps
// its reason.
func TestForgettingBesideDecisions(t *testing.T) {
	h := newHouse(t)
	h.later()
	h.c.Retention.Batch = 1
	second := *h.c.Retention
	again := func(runs ...func(context.Context) (int, error)) {
		t.Helper()
		var wg sync.WaitGroup
		for _, run := range runs {
			wg.Go(func() {
				if _, err := run(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	nums := slices.Concat(evidenceOf(t, h.c, h.west), evidenceOf(t, h.c, h.beside), evidenceOf(t, h.c, h.east))
	h.over(nums)
	again(h.c.Retention.Run, second.Run)
	for round := range 12 {
		var orders []investigation.ID
		for _, id := range []screening.ProposalID{h.west, h.beside} {
			o := h.get(h.decide(id, investigation.Ask{Act: investigation.Approve, Order: h.approval().Order}))
			if err := h.do(&o, investigation.Doing{Act: investigation.Cancel, Reason: "canarycancel"}); err != nil {
				t.Fatal(err)
			}
			orders = append(orders, o.ID)
		}
		h.decide(h.east, investigation.Ask{Act: investigation.Decline, Reason: "canarydecline"})
		version := h.proposal(h.east).Version
		before := len(h.forgotten().Orders)
		again(h.c.Retention.Run, second.Run, func(context.Context) (int, error) {
			_, err := h.c.Investigations.Decide(h.ctx, h.east, investigation.Ask{Act: investigation.Reconsider, Reason: "canaryagain", Version: version, Within: screening.Within{All: true}})
			return 0, err
		})
		deeds, err := h.c.Investigations.DecisionsAbout(t.Context(), h.east)
		if err != nil || deeds[len(deeds)-1].Reason != "canaryagain" {
			t.Fatalf("round %d: %+v, %v", round, deeds, err)
		}
		got := h.forgotten().Orders[before:]
		if slices.Sort(got); !slices.Equal(got, orders) {
			t.Fatalf("round %d: %v were emptied, want %v", round, got, orders)
		}
	}
}
