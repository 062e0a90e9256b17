package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
)

// late is an act that is kept where it comes too late, with a key of its own.
func (s *site) late(ref, act string, version int, more ...obj) (body obj) {
	body = obj{"act": act, "version": version, "keep_late": true, "key": uuid.NewString()}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return body
}

func (s *site) ask(ref string, body obj) answer {
	s.t.Helper()
	return s.do("POST", "/cases/"+ref+"/acts", body)
}

// workerIn is another grid worker of a grid.
func (b *bureau) workerIn(x int) *site {
	token, _ := apptest.SignIn(b.t, b.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(x, 1)))
	return b.as(token)
}

// Two look at one matter, one of them without a line: who comes second changes nothing, and what they say is kept, with their photo, beside
// what was done; who was quicker is told.
func TestTheSlowerOfTwoIsKept(t *testing.T) {
	var later atomic.Int64
	b := newBureauAt(t, func() time.Time { return apptest.Now.Add(time.Duration(later.Load())) })
	other := b.workerIn(1)
	ref := b.told()
	b.desk.acts(ref, nil, "ask_confirm")
	seen := b.worker.matter(ref).Case.Version
	later.Store(int64(time.Minute))
	other.act(ref, "confirm", obj{"verdict": true}).want(200)
	before := b.desk.matter(ref)

	picture := b.worker.photo()
	done := apptest.Now.Add(30 * time.Second).UTC().Format(time.RFC3339)
	body := b.worker.late(ref, "confirm", seen, obj{"verdict": false, "reason": "只有一张，已经掉了", "evidence": []string{picture}, "done_at": done})
	b.worker.ask(ref, body).problem(409, "kept_late", "")
	b.worker.ask(ref, body).problem(409, "kept_late", "") // its answer was lost

	after := b.desk.matter(ref)
	if len(after.Late) != 1 || len(after.Photos) != len(before.Photos)+1 {
		t.Fatalf("%+v", after)
	}
	l := after.Late[0]
	if l.N != 1 || l.Act != "confirm" || l.Seen != seen || l.After != seen+1 || l.Was != "confirming" || l.Verdict == nil || *l.Verdict || *l.Reason != "只有一张，已经掉了" || len(*l.Evidence) != 1 ||
		l.DoneAt == nil || l.DoneAt.Format(time.RFC3339) != done {
		t.Errorf("%+v", l)
	}
	if p := after.Photos[len(after.Photos)-1]; p.Act != -1 || p.Id.String() != picture {
		t.Errorf("its photo is %+v", p)
	}
	// Nothing else is another than it was.
	after.Late, after.Photos = before.Late, before.Photos
	if a, c := asText(t, before), asText(t, after); a != c {
		t.Errorf("the case was\n%s\nis\n%s", a, c)
	}
	b.desk.do("GET", "/photos/"+picture, nil).want(200)
	b.neighbour.do("GET", "/photos/"+picture, nil).want(404)

	var page api.NoticePage
	other.do("GET", "/notices", nil).want(200).into(&page)
	if len(page.Notices) != 1 || page.Unread != 1 {
		t.Fatalf("who was quicker is told %+v", page)
	}
	if n := page.Notices[0]; n.Step != "late" || n.Why != "quicker" || n.Case == nil || *n.Case != ref || n.Clock != nil || strings.Contains(n.Words.Zh, "只有一张") {
		t.Errorf("%+v", n)
	}
	for who, s := range map[string]*site{"who was slower": b.worker, "the desk": b.desk} {
		s.do("GET", "/notices", nil).want(200).into(&page)
		if len(page.Notices) != 0 {
			t.Errorf("%s is told %+v", who, page)
		}
	}
	b.member.do("GET", "/cases/"+ref, nil).want(200).into(&after)
	if by := after.Late[0].By; by.Name != nil || by.Role == nil || *by.Role != "grid_worker" {
		t.Errorf("a member is told that it was %+v", by)
	}
	var n int
	if err := b.live.Pool.QueryRow(t.Context(), `SELECT count(*) FROM audit WHERE act = 'case.late' AND subject = $1`, "case:"+ref).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d on record, %v", n, err)
	}
}

func asText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Of several that race one is done; each of the others is kept once, however often it is sent at once.
func TestRacingActsAreKeptOnce(t *testing.T) {
	b := newBureau(t)
	people := []*site{b.worker, b.workerIn(1), b.workerIn(1)}
	for range 3 {
		ref := b.told()
		b.desk.acts(ref, nil, "ask_confirm")
		seen := b.worker.matter(ref).Case.Version
		var mu sync.Mutex
		got := map[int][]int{}
		var wg sync.WaitGroup
		for i, who := range people {
			body := who.late(ref, "confirm", seen, obj{"verdict": true, "reason": fmt.Sprint(i)})
			for range 2 {
				wg.Go(func() {
					a := who.ask(ref, body)
					mu.Lock()
					got[i] = append(got[i], a.status)
					mu.Unlock()
				})
			}
		}
		wg.Wait()
		won := 0
		for i, list := range got {
			if list[0] != list[1] || list[0] != 200 && list[0] != 409 {
				t.Errorf("%d was answered %v", i, list)
			}
			if list[0] == 200 {
				won++
			}
		}
		k := b.desk.matter(ref)
		if won != 1 || len(k.Late) != 2 || k.Case.Version != seen+1 || len(k.Acts) != seen+1 {
			t.Errorf("%d won; %+v", won, k)
		}
	}
}

// What is not kept: of who may not do it, or could not have done it then; of what nobody sees; of too much; and what says nothing.
func TestWhatIsNotKeptLate(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	b.desk.acts(ref, nil, "ask_confirm")
	seen := b.worker.matter(ref).Case.Version
	b.worker.act(ref, "confirm", obj{"verdict": true}).want(200)
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	b.leader.acts(ref, nil, "receive")
	b.member.acts(ref, nil, "begin")
	b.member.acts(ref, b.member.done(), "feed_back")
	fed := b.member.matter(ref).Case.Version
	b.worker.act(ref, "verify").want(200)
	yes := obj{"verdict": true}

	b.neighbour.ask(ref, b.neighbour.late(ref, "confirm", seen, yes)).problem(404, "not_found", "")
	b.stranger.ask(ref, b.stranger.late(ref, "note", seen, obj{"reason": "x"})).problem(404, "not_found", "")
	b.leader.ask(ref, b.leader.late(ref, "confirm", seen, yes)).problem(409, "case_changed", "") // no unit's to do
	b.member.ask(ref, b.member.late(ref, "verify", fed)).problem(409, "case_changed", "")        // who fed it back
	b.worker.ask(ref, b.worker.late(ref, "verify", seen)).problem(409, "case_changed", "")       // not in that state
	b.worker.ask(ref, b.worker.late(ref, "verify", fed+99)).problem(409, "case_changed", "")     // of a version that there is not
	b.worker.ask(ref, b.worker.late(ref, "confirm", seen)).problem(400, "missing", "verdict")    // never could be done
	b.worker.ask(ref, b.worker.late(ref, "confirm", seen, yes, obj{"evidence": []string{uuid.NewString()}})).problem(400, "unknown_photo", "evidence")
	b.desk.ask(ref, b.desk.late(ref, "accept", 0)).problem(400, "not_here", "keep_late")
	b.worker.ask(ref, obj{"act": "confirm", "version": seen, "verdict": true, "keep_late": true}).problem(400, "required", "key")
	b.worker.ask(ref, obj{"act": "confirm", "version": seen, "verdict": true, "key": uuid.NewString()}).problem(409, "case_changed", "") // nobody asked
	if k := b.desk.matter(ref); len(k.Late) != 0 {
		t.Fatalf("%+v", k.Late)
	}

	// One's key is one's own, and names one thing.
	body := b.worker.late(ref, "confirm", seen, yes)
	b.worker.ask(ref, body).problem(409, "kept_late", "")
	other := b.workerIn(1)
	other.ask(ref, body).problem(409, "key_taken", "")
	body["act"] = "note"
	body["reason"] = "x"
	b.worker.ask(ref, body).problem(409, "key_taken", "")

	for range 9 {
		b.worker.ask(ref, b.worker.late(ref, "note", seen, obj{"reason": "again"})).problem(409, "kept_late", "")
	}
	b.worker.ask(ref, b.worker.late(ref, "note", seen, obj{"reason": "again"})).problem(409, "case_changed", "")
	other.ask(ref, other.late(ref, "note", seen, obj{"reason": "mine"})).problem(409, "kept_late", "")
	if k := b.desk.matter(ref); len(k.Late) != 11 || k.Case.Version != fed+1 {
		t.Errorf("%d are kept, version %d", len(k.Late), k.Case.Version)
	}
}

// What was done after another as that had come too late comes with it: settled on the spot, while the desk took the matter on.
func TestAChainComesTooLate(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	seen := b.worker.matter(ref).Case.Version
	b.desk.acts(ref, nil, "accept")
	body := obj{"acts": []string{"self_settle", "settle"}, "version": seen, "keep_late": true, "key": uuid.NewString(), "evidence": []string{b.worker.photo()}, "measure": "dissuaded"}
	got := b.worker.ask(ref, body)
	k := b.desk.matter(ref)
	if got.status != 409 || len(k.Late) != 1 {
		t.Fatalf("%d %s, %+v", got.status, got.body, k.Late)
	}
	if l := k.Late[0]; l.Act != "settle" || !slices.Equal(l.Before, []api.CaseActName{"self_settle"}) || l.Measure == nil || *l.Measure != "dissuaded" || k.Case.State != "accepted" {
		t.Errorf("%+v", l)
	}
}

// When an act was done is told as far as it can be true.
func TestWhenAnActWasDone(t *testing.T) {
	b := newBureau(t)
	opened := apptest.Now
	for name, c := range map[string]struct{ done, want time.Time }{
		"an hour before it was opened": {opened.Add(-time.Hour), time.Time{}},
		"a little before":              {opened.Add(-time.Minute), opened},
		"a little ahead":               {opened.Add(time.Minute), opened},
		"tomorrow":                     {opened.Add(24 * time.Hour), time.Time{}},
	} {
		ref := b.told()
		b.desk.act(ref, "note", obj{"reason": "x", "done_at": c.done.Format(time.RFC3339Nano)}).want(200)
		got := b.desk.matter(ref).Acts[0].DoneAt
		if c.want.IsZero() != (got == nil) || got != nil && !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	b.desk.act(b.told(), "note", obj{"reason": "x", "done_at": "yesterday"}).want(400)
}
