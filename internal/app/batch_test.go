package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/batch"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// bulk is an office with a desk whose posts decide, and nodes that carry batches out when the test says so.
type bulk struct {
	*office
	clock *clock
	desk  uuid.UUID
}

func newBulk(t *testing.T) *bulk {
	b := &bulk{office: newOffice(t), clock: newClock(apptest.Now)}
	_, b.desk = apptest.SignIn(t, b.c, apptest.Post(policy.Desk, apptest.CityArea))
	return b
}

// node is a worker as another process would have it. do may be nil: acts are done as they are in the service.
func (b *bulk) node(do func(context.Context, string, casework.Ask) error) *batch.Service {
	if do == nil {
		do = func(ctx context.Context, address string, a casework.Ask) error {
			return app.ActFor(ctx, b.c, address, a)
		}
	}
	return batch.New(batch.Config{Pool: b.c.Pool, Committer: b.c.Reports.Committer, Do: do, Log: apptest.Quiet(), Now: b.clock.now})
}

// of is a batch of the cases as they are.
func (b *bulk) of(ask batch.Ask, refs ...casework.Ref) batch.Batch {
	b.t.Helper()
	out := batch.Batch{ID: batch.ID(uuid.New()), Ask: ask, MadeBy: b.desk, Address: "192.0.2.1", Area: apptest.CityArea}
	for _, ref := range refs {
		out.Cases = append(out.Cases, batch.Case{Ref: ref, Version: caseOf2(b.t, b.c, ref).Version})
	}
	return out
}

func (b *bulk) filedMany(n int) (refs []casework.Ref) {
	for range n {
		refs = append(refs, casework.Ref{Report: b.filed()})
	}
	return refs
}

func (b *bulk) made(s *batch.Service, of batch.Batch) batch.Batch {
	b.t.Helper()
	out, existed, err := s.Make(b.t.Context(), of)
	if err != nil || existed {
		b.t.Fatalf("%v, %v", existed, err)
	}
	return out
}

func (b *bulk) round(s *batch.Service, want bool) {
	b.t.Helper()
	if did, err := s.Round(b.t.Context()); err != nil || did != want {
		b.t.Fatalf("did %v, %v; want %v", did, err, want)
	}
}

// told are the outcomes of a batch in one line.
func (b *bulk) told(s *batch.Service, id batch.ID) string {
	b.t.Helper()
	now, err := s.Get(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	out := string(now.State)
	for _, c := range now.Cases {
		out += " " + strings.TrimSuffix(string(c.Outcome)+":"+c.Why, ":")
	}
	return out
}

func (b *bulk) passed() { b.clock.leap(b.clock.now().Add(batch.Wait)) }

// A batch waits; then it is done, case by case: what changed meanwhile, and what may not be done, is left out and told, and stops
// nothing else. Each act is the maker's, and the maker's alone.
func TestABatchWaitsAndIsDone(t *testing.T) {
	b := newBulk(t)
	s := b.node(nil)
	refs := b.filedMany(5)
	sent := b.of(batch.Ask{Acts: []casework.Act{casework.Accept, casework.File, casework.Dispatch}}, refs...)
	made := b.made(s, sent)
	if again, existed, err := s.Make(t.Context(), sent); err != nil || !existed || again.ID != made.ID || !again.StartsAt.Equal(made.StartsAt) {
		t.Errorf("sent again: %+v, %v, %v", again, existed, err)
	}
	other := sent
	other.Ask.Reason = "another"
	if _, _, err := s.Make(t.Context(), other); code(err) != "id_taken" {
		t.Errorf("another batch under the id: %v", err)
	}
	b.round(s, false)
	b.clock.leap(made.StartsAt.Add(-time.Millisecond))
	b.round(s, false)
	b.do(refs[1], casework.Note)
	b.do(refs[3], casework.Reject)
	b.passed()
	b.round(s, true)
	if got := b.told(s, made.ID); got != "done done left_out:case_changed done left_out:case_changed done" {
		t.Error(got)
	}
	for i, ref := range refs {
		k := caseOf2(t, b.c, ref)
		b.whole(k)
		if dispatched := k.State == casework.Dispatched; dispatched == (i == 1 || i == 3) {
			t.Errorf("case %d is %s", i, k.State)
		}
	}
	history, err := b.c.Cases.History(t.Context(), refs[0])
	if err != nil || len(history) != 3 || history[2].Person != b.desk || history[2].Role != policy.Desk {
		t.Errorf("%+v, %v", history, err)
	}
	var acts string
	err = b.c.Pool.QueryRow(t.Context(), `SELECT string_agg(act || ' ' || coalesce(after::text, ''), '; ' ORDER BY seq) FROM audit WHERE subject = $1`, "batch:"+made.ID.String()).Scan(&acts)
	if err != nil || !strings.Contains(acts, "batch.make") || !strings.Contains(acts, "batch.carry_out") {
		t.Errorf("on record: %s, %v", acts, err)
	}
	b.round(s, false)
	if _, err := s.Cancel(t.Context(), made.ID, b.desk); code(err) != "batch_started" {
		t.Errorf("cancelled when it was done: %v", err)
	}
}

// Who lost the post, or the account, does nothing with a batch that was made before.
func TestABatchIsJudgedWhenItIsDone(t *testing.T) {
	for what, lose := range map[string]string{
		"the post":    `UPDATE post SET ends = '2026-11-23' WHERE person_id = $1`,
		"the account": `UPDATE account SET disabled_at = made.at FROM (SELECT min(created_at) AS at FROM account) made WHERE person_id = $1`,
	} {
		b := newBulk(t)
		s := b.node(nil)
		refs := b.filedMany(2)
		made := b.made(s, b.of(batch.Ask{Acts: []casework.Act{casework.Accept}}, refs...))
		if _, err := b.c.Pool.Exec(t.Context(), lose, b.desk); err != nil {
			t.Fatal(err)
		}
		b.passed()
		b.round(s, true)
		if got := b.told(s, made.ID); got != "done left_out:not_found left_out:not_found" {
			t.Errorf("%s: %s", what, got)
		}
		for _, ref := range refs {
			if k := caseOf2(t, b.c, ref); k.Version != 0 {
				t.Errorf("%s: %+v", what, k)
			}
		}
	}
}

// Of a worker and who cancels at the last moment one wins, and both know which.
func TestABatchCancelledAtTheLastMoment(t *testing.T) {
	b := newBulk(t)
	s := b.node(nil)
	done, cancelled := 0, 0
	for range 12 {
		ref := casework.Ref{Report: b.filed()}
		made := b.made(s, b.of(batch.Ask{Acts: []casework.Act{casework.Accept}}, ref))
		b.passed()
		var both sync.WaitGroup
		var did bool
		var err, against error
		both.Go(func() { did, err = b.node(nil).Round(t.Context()) })
		both.Go(func() { _, against = s.Cancel(t.Context(), made.ID, b.desk) })
		both.Wait()
		if err != nil {
			t.Fatal(err)
		}
		k := caseOf2(t, b.c, ref)
		switch got := b.told(s, made.ID); {
		case got == "done done" && did && code(against) == "batch_started" && k.State == casework.Accepted:
			done++
		case got == "cancelled " && !did && against == nil && k.Version == 0:
			cancelled++
		default:
			t.Fatalf("%q, did %v, %v, case %s at %d", got, did, against, k.State, k.Version)
		}
	}
	t.Logf("%d done, %d cancelled", done, cancelled)
	// Before its time there is nothing to race with.
	ref := casework.Ref{Report: b.filed()}
	made := b.made(s, b.of(batch.Ask{Acts: []casework.Act{casework.Accept}}, ref))
	for range 2 {
		if out, err := s.Cancel(t.Context(), made.ID, b.desk); err != nil || out.State != batch.Cancelled || out.CancelledBy != b.desk {
			t.Errorf("%+v, %v", out, err)
		}
	}
	b.passed()
	b.round(s, false)
	if k := caseOf2(t, b.c, ref); k.Version != 0 {
		t.Errorf("%+v", k)
	}
}

// A node that dies with a batch half done, after an act and before it has written that down, leaves it to the other: the rest is
// done, and nothing twice.
func TestABatchSurvivesItsNode(t *testing.T) {
	b := newBulk(t)
	refs := b.filedMany(6)
	dying, cancel := context.WithCancel(t.Context())
	calls := 0
	first := b.node(func(ctx context.Context, address string, a casework.Ask) error {
		err := app.ActFor(ctx, b.c, address, a)
		if calls++; calls == 3 {
			cancel() // the act is on disk; what became of it is not
		}
		return err
	})
	second := b.node(nil)
	made := b.made(first, b.of(batch.Ask{Acts: []casework.Act{casework.Accept, casework.File}}, refs...))
	b.passed()
	if _, err := first.Round(dying); !errors.Is(err, context.Canceled) {
		t.Fatalf("the dying node: %v", err)
	}
	if got := b.told(second, made.ID); got != "running done done    " {
		t.Errorf("left behind: %q", got)
	}
	b.round(second, false) // the first one may be at work yet
	if _, err := second.Cancel(t.Context(), made.ID, b.desk); code(err) != "batch_started" {
		t.Errorf("cancelled half done: %v", err)
	}
	// What its maker may no longer do was done all the same.
	if _, err := b.c.Pool.Exec(t.Context(), `UPDATE post SET ends = '2026-11-23' WHERE person_id = $1`, b.desk); err != nil {
		t.Fatal(err)
	}
	b.clock.leap(b.clock.now().Add(time.Minute))
	b.round(second, true)
	if got := b.told(second, made.ID); got != "done done done done left_out:not_found left_out:not_found left_out:not_found" {
		t.Error(got)
	}
	for i, ref := range refs {
		k := caseOf2(t, b.c, ref)
		b.whole(k)
		if want := map[bool]int{true: 2, false: 0}[i < 3]; k.Version != want {
			t.Errorf("case %d is at %d", i, k.Version)
		}
	}
}

// A node that took longer than it may finds that another has the batch, and leaves it alone; each act was done once.
func TestASlowNodeLosesItsBatch(t *testing.T) {
	b := newBulk(t)
	refs := b.filedMany(4)
	var slow, quick *batch.Service
	calls := 0
	slow = b.node(func(ctx context.Context, address string, a casework.Ask) error {
		if calls++; calls == 2 {
			b.clock.leap(b.clock.now().Add(2 * time.Minute))
			if did, err := quick.Round(ctx); err != nil || !did {
				t.Errorf("the other node: %v, %v", did, err)
			}
		}
		return app.ActFor(ctx, b.c, address, a)
	})
	quick = b.node(nil)
	made := b.made(slow, b.of(batch.Ask{Acts: []casework.Act{casework.Accept}}, refs...))
	b.passed()
	if _, err := slow.Round(t.Context()); err == nil || !strings.Contains(err.Error(), "taken the batch over") {
		t.Errorf("the slow node: %v", err)
	}
	if got := b.told(slow, made.ID); got != "done done done done done" {
		t.Error(got)
	}
	for _, ref := range refs {
		if k := caseOf2(t, b.c, ref); k.Version != 1 {
			t.Errorf("%+v", k)
		}
	}
}

// What fails through nobody's fault is told as that and stops nothing; a database that is away stops it until it is back.
func TestABatchWithFailures(t *testing.T) {
	b := newBulk(t)
	refs := b.filedMany(4)
	away := true
	s := b.node(func(ctx context.Context, address string, a casework.Ask) error {
		switch a.Ref {
		case refs[1]:
			return errors.New("a mistake")
		case refs[2]:
			if away {
				return fault.Unavailable("database_unavailable", "not now")
			}
		}
		return app.ActFor(ctx, b.c, address, a)
	})
	made := b.made(s, b.of(batch.Ask{Acts: []casework.Act{casework.Reject}, Reason: "nothing is there"}, refs...))
	b.passed()
	if _, err := s.Round(t.Context()); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("%v", err)
	}
	away = false
	b.clock.leap(b.clock.now().Add(time.Minute))
	b.round(s, true)
	if got := b.told(s, made.ID); got != "done done failed:internal done done" {
		t.Error(got)
	}
	now, err := s.Get(t.Context(), made.ID)
	if err != nil || strings.Contains(fmt.Sprint(now.Cases), "mistake") {
		t.Errorf("%+v, %v", now, err)
	}
}

// What is no batch is refused by the name of what is wrong; and one person's wait in turn.
func TestHostileBatches(t *testing.T) {
	b := newBulk(t)
	s := b.node(nil)
	refs := b.filedMany(2)
	many := make([]batch.Case, batch.MaxCases+1)
	for i := range many {
		many[i].Report = 1
		many[i].Part = i
	}
	accept := []casework.Act{casework.Accept}
	for what, c := range map[string]struct {
		change func(*batch.Batch)
		want   string
	}{
		"nothing to do":    {func(n *batch.Batch) { n.Ask.Acts = nil }, "required"},
		"with pictures":    {func(n *batch.Batch) { n.Ask.Acts = []casework.Act{casework.FeedBack} }, "not_in_bulk"},
		"with parts":       {func(n *batch.Batch) { n.Ask.Acts = []casework.Act{casework.Split} }, "not_in_bulk"},
		"the service's":    {func(n *batch.Batch) { n.Ask.Acts = []casework.Act{casework.GatherParts} }, "not_in_bulk"},
		"eleven acts":      {func(n *batch.Batch) { n.Ask.Acts = slices.Repeat(accept, 11) }, "too_many"},
		"no case":          {func(n *batch.Batch) { n.Cases = nil }, "out_of_range"},
		"501 cases":        {func(n *batch.Batch) { n.Cases = many }, "out_of_range"},
		"one twice":        {func(n *batch.Batch) { n.Cases = append(n.Cases, n.Cases[0]) }, "named_twice"},
		"a version of -1":  {func(n *batch.Batch) { n.Cases[0].Version = -1 }, "out_of_range"},
		"a long reason":    {func(n *batch.Batch) { n.Ask.Reason = strings.Repeat("长", 2001) }, "bad_text"},
		"a NUL":            {func(n *batch.Batch) { n.Ask.Reason = "a\x00b" }, "bad_text"},
		"into one of them": {func(n *batch.Batch) { n.Ask.Target = &refs[1] }, "not_itself"},
		"one that is not":  {func(n *batch.Batch) { n.Cases[1].Report = 99999 }, "not_found"},
	} {
		n := b.of(batch.Ask{Acts: accept}, refs...)
		c.change(&n)
		if _, _, err := s.Make(t.Context(), n); code(err) != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	for range batch.MaxWaiting {
		b.made(s, b.of(batch.Ask{Acts: accept}, refs...))
	}
	if _, _, err := s.Make(t.Context(), b.of(batch.Ask{Acts: accept}, refs...)); code(err) != "too_many_batches" {
		t.Errorf("one more: %v", err)
	}
	b.passed()
	for range batch.MaxWaiting {
		b.round(s, true)
	}
	b.round(s, false)
	for _, ref := range refs {
		if k := caseOf2(t, b.c, ref); k.Version != 1 {
			t.Errorf("%+v", k)
		}
	}
}
