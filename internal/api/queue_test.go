package api_test

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/policy"
)

// east and north are so many metres from the middle of grid (1, 1), in degrees.
func east(m float64) float64 {
	return apptest.Center(1, 1)[0] + m/(111320*math.Cos(30.515*math.Pi/180))
}
func north(m float64) float64 { return apptest.Center(1, 1)[1] + m/110858 }

// Who triages a part of the city is told of no duplicate that lies in another, not even that there is one.
func TestDuplicatesOfOthersAreNotCounted(t *testing.T) {
	b := newBureau(t)
	border, metre := (apptest.Center(1, 1)[0]+apptest.Center(2, 1)[0])/2, 1/(111320*math.Cos(30.515*math.Pi/180))
	file := func(east float64) string {
		return fmt.Sprint(b.file(aReport(1, 1, filing{"item": "01", "lon": border + east*metre, "lat": north(0)})).Num)
	}
	here := file(-10)
	file(10)
	b.settle()
	post := apptest.Post(policy.Desk, apptest.GridArea(1, 1))
	post.Unit = apptest.Unit(t, b.live.City, policy.CommandCenter, apptest.GridArea(1, 1))
	token, _ := apptest.SignIn(t, b.live.City, post)
	for who, want := range map[*site]int{b.desk: 1, b.as(token): 0} {
		var page api.CasePage
		who.do("GET", "/cases?num="+here, nil).want(200).into(&page)
		var out api.Duplicates
		who.do("GET", "/cases/"+here+"/duplicates", nil).want(200).into(&out)
		told := 0
		if len(page.Cases) == 1 && page.Cases[0].Duplicates != nil {
			told = *page.Cases[0].Duplicates
		}
		if len(page.Cases) != 1 || told != want || len(out.Duplicates) != want {
			t.Errorf("%d duplicates in the list, %d in the queue, want %d", len(out.Duplicates), told, want)
		}
	}
}

// What lies within 50 m and 24 h, is of the item or of its aspect, and open, may be the same; the nearest comes first. It is a
// proposal to who may merge, and nobody else.
func TestDuplicatesAreProposed(t *testing.T) {
	b := newBureau(t)
	at := func(h float64) string {
		return apptest.Now.Add(-30*time.Hour + time.Duration(h*float64(time.Hour))).Format(time.RFC3339)
	}
	file := func(item string, e, n, hours float64) string {
		return fmt.Sprint(b.file(aReport(1, 1, filing{"item": item, "lon": east(e), "lat": north(n), "captured_at": at(hours)})).Num)
	}
	here := file("01", 0, 0, 0)
	far := file("01", 0, 49.5, 2)
	near := file("01", 21, 0, -3)
	aspect := file("02", 10, 0, 0)
	latest := file("01", 5, 5, 24)
	file("01", 0, 51, 0)     // too far
	file("01", 36, 36, 0)    // in the square, not in the circle
	file("01", 1, 0, 24.001) // too late
	rejected := file("01", 2, 0, 0)
	b.desk.act(rejected, "reject", obj{"reason": "nothing is there"}).want(200)
	gone := file("01", 3, 0, 0)
	b.desk.act(gone, "merge", obj{"target": far}).want(200)
	b.settle()
	var out api.Duplicates
	b.desk.do("GET", "/cases/"+here+"/duplicates", nil).want(200).into(&out)
	var got []string
	for _, d := range out.Duplicates {
		got = append(got, fmt.Sprintf("%s %.0f m %d min %v", d.Case.Ref, d.DistanceM, d.ApartS/60, d.SameItem))
	}
	want := []string{latest + " 7 m 1440 min true", aspect + " 10 m 0 min false", near + " 21 m -180 min true", far + " 50 m 120 min true"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if d := out.Duplicates[2].DistanceM; math.Abs(d-21) > 0.15 {
		t.Errorf("21 m away, and told %v", d)
	}
	var page api.CasePage
	b.desk.do("GET", "/cases?num="+here+","+rejected+"&count=true", nil).want(200).into(&page)
	if len(page.Cases) != 1 || page.Cases[0].Duplicates == nil || *page.Cases[0].Duplicates != 3 || *page.Total != 1 {
		t.Errorf("%+v", page)
	}
	page = api.CasePage{}
	b.worker.do("GET", "/cases?num="+here, nil).want(200).into(&page)
	if page.Cases[0].Duplicates != nil {
		t.Errorf("a grid worker is told of %d", *page.Cases[0].Duplicates)
	}
	b.worker.do("GET", "/cases/"+here+"/duplicates", nil).problem(403, "not_allowed", "")
	b.neighbour.do("GET", "/cases/"+here+"/duplicates", nil).problem(403, "not_allowed", "")
	b.as("").do("GET", "/cases/"+here+"/duplicates", nil).problem(401, "sign_in", "")
	b.desk.do("GET", "/cases/"+here+"/duplicates?limit=1", nil).problem(400, "unknown_parameter", "limit")
	b.desk.do("GET", "/cases/99999/duplicates", nil).problem(404, "not_found", "")
	out = api.Duplicates{}
	nowhere := b.file(aReport(0, 0, filing{"lon": nil, "lat": nil, "address": "somewhere"}))
	b.desk.do("GET", fmt.Sprintf("/cases/%d/duplicates", nowhere.Num), nil).want(200).into(&out)
	if len(out.Duplicates) != 0 {
		t.Errorf("what lies nowhere is the same as %+v", out)
	}
}

// At a border the grid next door is offered with who answers there and why; one step gives the case to them, and its clocks keep
// what they counted.
func TestTheNeighboursTeamInOneStep(t *testing.T) {
	next := apptest.GridArea(2, 1)
	b := newBureau(t, func(b *bureau) assign.Rule {
		return assign.Rule{Areas: []assign.Area{{Level: next.Level, Code: next.Code}}, Lead: assign.Party{Unit: b.other}}
	})
	border := apptest.West + 2*apptest.Step
	r := b.file(aReport(1, 1, filing{"lon": border - 18/(111320*math.Cos(30.515*math.Pi/180))}))
	ref := fmt.Sprint(r.Num)
	var out api.Neighbours
	b.desk.do("GET", "/cases/"+ref+"/neighbours", nil).want(200).into(&out)
	if out.Grid.Code != apptest.GridCode(1, 1) || out.BorderM == nil || math.Abs(*out.BorderM-18) > 0.3 || len(out.Neighbours) != 1 {
		t.Fatalf("%+v", out)
	}
	n := out.Neighbours[0]
	if n.Grid.Code != next.Code || n.Unit.Id != int(b.other) || n.Same || n.Village.Code != apptest.VillageCode(1, 0) || !strings.Contains(n.Why.En, "Rule 1") {
		t.Errorf("%+v", n)
	}
	var page api.CasePage
	b.desk.do("GET", "/cases", nil).want(200).into(&page)
	if m := page.Cases[0].BorderM; m == nil || math.Abs(*m-18) > 0.3 {
		t.Errorf("%+v", page.Cases[0])
	}
	b.desk.do("POST", "/cases/"+ref+"/acts", obj{"acts": []string{"accept", "file", "dispatch"}, "version": 0}).want(200)
	b.leader.acts(ref, nil, "receive")
	before := b.desk.matter(ref)
	var after api.CaseDetail
	b.desk.act(ref, "transfer", obj{"unit": int(b.other), "reason": "18 m from the border"}).want(200).into(&after)
	if after.Case.Unit.Id != int(b.other) || after.Case.State != "dispatched" {
		t.Errorf("%+v", after.Case)
	}
	for _, k := range before.Case.Clocks { // none of them is lost or begun anew
		if !slices.ContainsFunc(after.Case.Clocks, func(o api.CaseClock) bool {
			return o.Kind == k.Kind && o.StartedAt.Equal(k.StartedAt) && o.UsedS >= k.UsedS
		}) {
			t.Errorf("%s, begun %s, is not among %+v", k.Kind, k.StartedAt, after.Case.Clocks)
		}
	}
	out = api.Neighbours{}
	b.desk.do("GET", "/cases/"+ref+"/neighbours", nil).want(200).into(&out)
	if !out.Neighbours[0].Same {
		t.Errorf("the unit that has it is offered again: %+v", out.Neighbours)
	}
	b.worker.do("GET", "/cases/"+ref+"/neighbours", nil).problem(403, "not_allowed", "")
	middle := b.told()
	out = api.Neighbours{}
	b.desk.do("GET", "/cases/"+middle+"/neighbours", nil).want(200).into(&out)
	if len(out.Neighbours) != 0 {
		t.Errorf("in the middle of a grid: %+v", out)
	}
}

// Closing a case closes what was merged into it, and into that; who told one of them by a link is told, and nobody reads
// another's words.
func TestClosingClosesDuplicates(t *testing.T) {
	b := newBureau(t)
	post := startReceivers(t)
	b.do("PUT", "/settings/messages", post.settings()).want(200)
	visitor := b.as("")
	visitor.do("POST", "/public/codes", filing{"channel": "sms", "to": phone}).want(202)
	var told api.ToldReport
	visitor.do("POST", "/public/reports", telling("sms", phone, sixDigits.FindString(post.next(0).text))).want(201).into(&told)
	follow := func() (out api.FollowedReport) {
		visitor.do("POST", "/public/follow", filing{"secret": told.Secret}).want(200).into(&out)
		return out
	}
	mine, second, last := fmt.Sprint(told.Report.Num), b.told(), b.told()
	if f := follow(); f.State != "received" || f.Merged != nil {
		t.Errorf("%+v", f)
	}
	b.desk.act(mine, "merge", obj{"target": second}).want(200)
	if f := follow(); f.State != "received" || f.Merged == nil || !*f.Merged {
		t.Errorf("%+v", f)
	}
	b.desk.acts(second, nil, "accept")
	if f := follow(); f.State != "in_hand" {
		t.Errorf("%+v", f)
	}
	b.desk.act(second, "merge", obj{"target": last}).want(200)
	events := b.desk.stream(t.Context(), "")
	b.desk.acts(last, nil, "accept", "file", "dispatch")
	b.leader.acts(last, nil, "receive", "begin")
	b.leader.acts(last, b.leader.done(), "feed_back")
	b.worker.acts(last, nil, "verify")
	b.desk.acts(last, nil, "close")
	for _, ref := range []string{mine, second} {
		k := b.desk.matter(ref)
		a := k.Acts[len(k.Acts)-1]
		if k.Case.State != "merged" || a.Act != "end_with" || a.Was != "merged" || a.By != nil || a.N != k.Case.Version {
			t.Errorf("%s: %+v, %+v", ref, k.Case, a)
		}
		for {
			if _, e := heard(t, events, "case.changed"); strings.Contains(e[2], `"num": `+ref) || strings.Contains(e[2], `"num":`+ref+",") {
				break
			}
		}
	}
	if f := follow(); f.State != "closed" || f.ClosedAt == nil || *f.Merged != true {
		t.Errorf("%+v", f)
	}
	// Why another report was rejected is not told; why one's own was, is.
	b.desk.act(last, "reopen", obj{"reason": "not settled"}).want(200)
	if f := follow(); f.State != "in_hand" {
		t.Errorf("reopened: %+v", f)
	}
	other := b.told()
	visitor.do("POST", "/public/codes", filing{"channel": "email", "to": inbox}).want(202)
	var code string
	for n := 1; code == ""; n++ {
		if text := post.next(n).text; !strings.Contains(text, "/r#") {
			code = sixDigits.FindString(text)
		}
	}
	visitor.do("POST", "/public/reports", telling("email", inbox, code)).want(201).into(&told)
	mine = fmt.Sprint(told.Report.Num)
	b.desk.act(mine, "merge", obj{"target": other}).want(200)
	b.desk.act(other, "reject", obj{"reason": "Mrs Li has told this before"}).want(200)
	if f := follow(); f.State != "rejected" || f.Reason != nil {
		t.Errorf("%+v", f)
	}
}

// Whoever reads the queue by another's filter gets what both allow, and what is no filter is refused by its name.
func TestTheQueueIsFiltered(t *testing.T) {
	b := newBureau(t)
	ref, other := b.told(), fmt.Sprint(b.file(aReport(3, 3, filing{"item": "02"})).Num)
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	fed := b.told()
	b.desk.acts(fed, nil, "accept", "file")
	b.desk.act(fed, "dispatch", obj{"unit": int(b.other), "supporting": []int{int(b.led)}, "reason": "theirs"}).want(200)
	b.stranger.acts(fed, nil, "receive", "begin")
	b.stranger.act(fed, "feed_back", b.stranger.done(), obj{"settled_by": "committee"}).want(200)
	aspect := b.live.Regime().Catalogue.Item("02").Aspect
	for query, want := range map[string]string{
		"":                                 ref + " " + other + " " + fed,
		"state=reported":                   other,
		"colour=green":                     ref + " " + other + " " + fed,
		"colour=red,amber,none":            "",
		"due=overdue":                      "",
		"due=today":                        ref + " " + other,
		"due=2h":                           ref + " " + other,
		"town=330481101":                   ref + " " + other + " " + fed,
		"town=330481102":                   "",
		"sort=opened":                      ref + " " + other + " " + fed,
		"sort=opened&order=desc":           fed + " " + other + " " + ref,
		"num=" + other:                     other,
		"unit=" + fmt.Sprint(int(b.led)):   ref + " " + other + " " + fed,
		"unit=" + fmt.Sprint(int(b.other)): fed,
		"team=" + fmt.Sprint(int(b.led)):   ref + " " + other,
		"team=" + fmt.Sprintf("%d,%d", b.led, b.other): ref + " " + other + " " + fed,
		"team=99999":           "",
		"settled_by=committee": fed,
		"settled_by=none":      ref + " " + other,
		"settled_by=none,committee&state=fed_back,reported": other + " " + fed,
		"settled_by=town_team":                              "",
		"aspect=" + aspect:                                  ref + " " + other + " " + fed,
		"aspect=" + aspect + "&item=02":                     other,
		"aspect=nothing,neither":                            "",
		"state=closed":                                      "",
		"item=02&num=" + ref:                                "",
	} {
		var page api.CasePage
		b.desk.do("GET", "/cases?"+query, nil).want(http.StatusOK).into(&page)
		var got []string
		for _, r := range page.Cases {
			got = append(got, r.Ref)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
	for query, field := range map[string]string{"colour=blue": "colour", "due=never": "due", "num=0": "num", "num=4294967296": "num", "num=1x": "num", "order=up": "order",
		"sort=newest": "sort", "team=0": "team", "team=x": "team", "settled_by=me": "settled_by", "aspect=,": "aspect", "team=" + strings.Repeat("1,", 200) + "1": "team", "count=1": "count", "town=,": "town", "item=": "", "num=" + strings.Repeat("1,", 200) + "1": "num",
		"state=closed&sort=opened": "sort", "state=closed,reported&order=desc": "sort"} {
		got := b.desk.do("GET", "/cases?"+query, nil)
		if field == "" {
			got.want(200)
			continue
		}
		var p api.Problem
		got.want(400).into(&p)
		if p.Field == nil || *p.Field != field {
			t.Errorf("%s: %s", query, got.body)
		}
	}
}

// Views are one's own, a unit's or everybody's; each shows its count for who asks; who may not share is told, and another's own is
// not there.
func TestViews(t *testing.T) {
	b := newBureau(t)
	ref := b.told()
	b.told()
	b.desk.acts(ref, nil, "accept", "file", "dispatch")
	list := func(s *site) (out []string) {
		var views api.QueueViews
		s.do("GET", "/views", nil).want(200).into(&views)
		for _, v := range views.Views {
			name := v.Id
			if v.Name != nil {
				name = *v.Name
			}
			out = append(out, fmt.Sprintf("%s %s %d", v.Owner, name, v.Count))
		}
		return out
	}
	desk := []string{"role to_triage 1", "role returned 0", "role due_2h 2", "role overdue 0", "role suspended 0", "role to_verify 0", "role all_open 2"}
	if got := list(b.desk); !slices.Equal(got, desk) {
		t.Errorf("the desk has %q", got)
	}
	unit := []string{"role to_receive 1", "role in_hand 0", "role due_today 2", "role all_open 2"}
	if got := list(b.leader); !slices.Equal(got, unit) {
		t.Errorf("the unit has %q", got)
	}
	if got := list(b.neighbour); !slices.Equal(got, []string{"role to_verify 0", "role all_open 0"}) {
		t.Errorf("a grid worker next door has %q", got)
	}
	id := func() string { return "/views/" + uuid.NewString() }
	view := func(owner string, more ...obj) obj {
		v := obj{"name": owner + "'s", "owner": owner, "filter": obj{"states": []string{"dispatched"}, "sort": "opened", "order": "desc"}}
		for _, m := range more {
			maps.Copy(v, m)
		}
		return v
	}
	own, units, all := id(), id(), id()
	var kept api.QueueView
	b.leader.do("PUT", own, view("me")).want(201).into(&kept)
	if kept.Count != 1 || !kept.MayChange || *kept.Filter.Order != "desc" || (*kept.Filter.States)[0] != "dispatched" {
		t.Errorf("%+v", kept)
	}
	b.leader.do("PUT", units, view("unit", obj{"unit": int(b.led), "place": 2})).want(201)
	b.head.do("PUT", all, view("city")).want(201)
	if got := list(b.leader); !slices.Equal(got[4:], []string{"me me's 1", "unit unit's 1", "city city's 1"}) {
		t.Errorf("the leader has %q", got)
	}
	if got := list(b.member); !slices.Equal(got[4:], []string{"unit unit's 1", "city city's 1"}) {
		t.Errorf("the member has %q", got)
	}
	if got := list(b.stranger); !slices.Equal(got, []string{"role to_receive 0", "role in_hand 0", "role due_today 0", "role all_open 0", "city city's 0"}) {
		t.Errorf("another department has %q", got)
	}
	b.leader.do("PUT", own, view("me", obj{"name": "mine", "filter": obj{"states": []string{"closed"}}})).want(200).into(&kept)
	if kept.Count != -1 || *kept.Name != "mine" {
		t.Errorf("%+v", kept)
	}
	filter := obj{"teams": []int{int(b.led)}, "settled_by": []string{"none"}, "aspects": []string{b.live.Regime().Catalogue.Item("01").Aspect}}
	kept = api.QueueView{}
	b.leader.do("PUT", own, view("me", obj{"filter": filter})).want(200).into(&kept)
	if f := kept.Filter; kept.Count != 2 || (*f.Teams)[0] != int(b.led) || (*f.SettledBy)[0] != "none" || len(*f.Aspects) != 1 {
		t.Errorf("%+v", kept)
	}
	// Who may not.
	b.member.do("PUT", id(), view("unit", obj{"unit": int(b.led)})).problem(403, "not_allowed", "")
	b.leader.do("PUT", id(), view("unit", obj{"unit": int(b.other)})).problem(403, "not_allowed", "")
	b.leader.do("PUT", id(), view("city")).problem(403, "not_allowed", "")
	b.desk.do("PUT", id(), view("city")).problem(403, "not_allowed", "")
	b.member.do("PUT", units, view("me")).problem(403, "not_allowed", "")
	b.member.do("DELETE", units, nil).problem(403, "not_allowed", "")
	b.member.do("PUT", own, view("me")).problem(404, "not_found", "")
	b.head.do("DELETE", own, nil).problem(404, "not_found", "")
	b.as("").do("PUT", id(), view("me")).problem(401, "sign_in", "")
	// Removed and kept again.
	b.leader.do("DELETE", own, nil).want(204)
	b.leader.do("DELETE", own, nil).problem(404, "not_found", "")
	b.leader.do("PUT", own, view("me")).want(201)
	for field, bad := range map[string]obj{"name": {"name": " "}, "owner": {"owner": "us"}, "unit": {"owner": "unit"}, "place": {"place": 1000}, "filter.states": {"filter": obj{"states": []string{"gone"}}},
		"filter.items": {"filter": obj{"items": []string{"a\x00"}}}, "filter.towns": {"filter": obj{"towns": []string{""}}}, "filter.units": {"filter": obj{"units": []int{0}}},
		"filter.colours": {"filter": obj{"colours": []string{"blue"}}}, "filter.due": {"filter": obj{"due": "soon"}}, "filter.sort": {"filter": obj{"sort": "up"}},
		"filter.order": {"filter": obj{"order": "up"}}, "filter.teams": {"filter": obj{"teams": []int{-1}}}, "filter.settled_by": {"filter": obj{"settled_by": []string{"me"}}},
		"filter.aspects": {"filter": obj{"aspects": []string{""}}}} {
		got := b.leader.do("PUT", id(), view("me", bad))
		var p api.Problem
		got.want(400).into(&p)
		if p.Field == nil || *p.Field != field {
			t.Errorf("%v: %s", bad, got.body)
		}
	}
	b.leader.do("PUT", id(), view("me", obj{"name": strings.Repeat("长", 61)})).problem(400, "bad_text", "name")
	b.leader.do("PUT", id(), view("me", obj{"name": "a\u0085b"})).problem(400, "bad_text", "name")
	b.leader.do("PUT", id(), view("me", obj{"filter": obj{"units": slices.Repeat([]int{1}, 201)}})).problem(400, "too_many", "filter.units")
	b.leader.do("PUT", "/views/1", view("me")).problem(400, "bad_uuid", "id")
	b.head.do("PUT", id(), view("unit", obj{"unit": 9999})).problem(400, "unknown_unit", "unit")
	for n := 1; n < 30; n++ {
		b.leader.do("PUT", id(), view("me")).want(201)
	}
	b.leader.do("PUT", id(), view("me")).problem(409, "too_many_views", "")
}

// A batch over HTTP: it waits and may be seen and cancelled by its maker and by the desk, by nobody else; nobody makes one of what
// they do not see.
func TestBatches(t *testing.T) {
	var mu sync.Mutex
	now := apptest.Now
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	b := newBureauAt(t, clock)
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	var refs []string
	for range 3 {
		refs = append(refs, b.told())
	}
	batchOf := func(act string, refs ...string) obj {
		cases := []obj{}
		for _, ref := range refs {
			cases = append(cases, obj{"case": ref, "version": b.desk.matter(ref).Case.Version})
		}
		return obj{"id": uuid.NewString(), "acts": strings.Split(act, " "), "cases": cases}
	}
	events := b.head.stream(t.Context(), "")
	sent := batchOf("accept file dispatch", refs...)
	var made api.Batch
	b.desk.do("POST", "/batches", sent).want(201).into(&made)
	if made.State != "waiting" || made.StartsInS != 10 || made.Total != 3 || made.By.Me == nil || made.By.Name == nil {
		t.Errorf("%+v", made)
	}
	b.desk.do("POST", "/batches", sent).want(200)
	if _, e := heard(t, events, "batch.changed"); !strings.Contains(e[2], made.Id.String()) || !strings.Contains(e[2], "waiting") {
		t.Errorf("heard %v", e)
	}
	seen := func(s *site) int {
		var list api.Batches
		s.do("GET", "/batches", nil).want(200).into(&list)
		return len(list.Batches)
	}
	if seen(b.desk) != 1 || seen(b.head) != 1 || seen(b.leader) != 0 || seen(b.worker) != 0 {
		t.Errorf("the desk sees %d, the head %d, a leader %d, a worker %d", seen(b.desk), seen(b.head), seen(b.leader), seen(b.worker))
	}
	path := "/batches/" + made.Id.String()
	b.leader.do("DELETE", path, nil).problem(404, "not_found", "")
	b.as("").do("GET", "/batches", nil).problem(401, "sign_in", "")
	b.head.do("DELETE", path, nil).want(200).into(&made)
	if made.State != "cancelled" || made.CancelledBy == nil || made.CancelledBy.Me == nil {
		t.Errorf("%+v", made)
	}
	pass(time.Minute)
	sent = batchOf("accept file dispatch", refs...)
	b.desk.do("POST", "/batches", sent).want(201).into(&made)
	b.desk.act(refs[1], "note", obj{"reason": "wait"}).want(200)
	pass(11 * time.Second)
	for deadline := time.Now().Add(30 * time.Second); made.State != "done"; {
		var list api.Batches
		b.desk.do("GET", "/batches", nil).want(200).into(&list)
		if made = list.Batches[0]; time.Now().After(deadline) {
			t.Fatalf("%+v", made)
		}
	}
	if made.Done != 2 || made.LeftOut != 1 || *made.Cases[1].Why != "case_changed" || *made.Cases[1].Words == "" || made.EndedAt == nil {
		t.Errorf("%+v", made)
	}
	if k := b.desk.matter(refs[0]); k.Case.State != "dispatched" || k.Acts[0].By.Me == nil {
		t.Errorf("%+v", k)
	}
	b.desk.do("DELETE", "/batches/"+made.Id.String(), nil).problem(409, "batch_started", "")
	// A unit receives what was sent to it in one go, and nobody what they do not see.
	b.leader.do("POST", "/batches", batchOf("receive", refs[0], refs[2])).want(201)
	b.stranger.do("POST", "/batches", batchOf("receive", refs[0])).problem(404, "not_found", "")
	b.neighbour.do("POST", "/batches", batchOf("confirm", refs[0])).problem(404, "not_found", "")
	for field, bad := range map[string]obj{"id": {"id": uuid.Nil.String()}, "acts": {"acts": []string{"feed_back"}}, "cases[0].case": {"cases": []obj{{"case": "01", "version": 0}}},
		"cases": {"cases": []obj{}}, "cases[0].version": {"cases": []obj{{"case": refs[0], "version": -1}}}, "target": {"target": "x"}, "unit": {"unit": 0}} {
		body := batchOf("accept", refs[1])
		maps.Copy(body, bad)
		got := b.desk.do("POST", "/batches", body)
		var p api.Problem
		got.want(400).into(&p)
		if p.Field == nil || *p.Field != field {
			t.Errorf("%v: %s", bad, got.body)
		}
	}
	b.desk.do("DELETE", "/batches/1", nil).problem(404, "not_found", "")
}
