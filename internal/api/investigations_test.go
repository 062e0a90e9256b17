package api_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// bench is the wide city with a proposal of item 01 and one of 02 in the west, which belong together, and one of 01 in the east; and who decides
// there, goes there, or looks on.
type bench struct {
	*site
	team, bureau              policy.UnitID
	officers                  []int // posts: two of the team, one of the bureau
	city, west, east          *site // committees
	officer, desk, head       *site // of the team; of the city; of the team
	run                       api.Screening
	first, second, elsewhere  int // proposals
	eastern                   policy.UnitID
	administrator, gridWorker *site
}

func newBench(t *testing.T) *bench {
	server, live := apptest.WideServer(t)
	b := &bench{site: siteOf(t, server, live, apptest.Clock)}
	city := live.City
	b.team = apptest.Unit(t, city, policy.TownTeam, apptest.WideTown(0))
	b.eastern = apptest.Unit(t, city, policy.TownTeam, apptest.WideTown(12))
	b.bureau = apptest.Unit(t, city, policy.LineDepartment, policy.Area{})
	sign := func(role policy.Role, kind policy.UnitKind, unit policy.UnitID, area policy.Area) *site {
		if unit == 0 && kind != "" {
			unit = apptest.Unit(t, city, kind, area)
		}
		post := apptest.Post(role, area)
		post.Unit = unit
		token, _ := apptest.SignIn(t, city, post)
		return b.as(token)
	}
	b.city = sign(policy.Committee, policy.EnforcementCommittee, 0, apptest.CityArea)
	b.west = sign(policy.Committee, policy.EnforcementCommittee, 0, apptest.WideTown(0))
	b.east = sign(policy.Committee, policy.EnforcementCommittee, 0, apptest.WideTown(12))
	b.desk = sign(policy.Desk, policy.CommandCenter, 0, apptest.CityArea)
	b.officer = sign(policy.Officer, "", b.team, policy.Area{})
	b.head = sign(policy.UnitHead, "", b.eastern, policy.Area{})
	b.administrator = sign(policy.Administrator, "", 0, apptest.CityArea)
	b.gridWorker = sign(policy.GridWorker, "", 0, policy.Area{Level: policy.Grid, Code: apptest.WideGrid(3, 3)})
	for i, unit := range []policy.UnitID{b.team, b.team, b.bureau} {
		p, err := city.People.Create(t.Context(), person.New{Name: fmt.Sprint("执法员", i)})
		if err != nil {
			t.Fatal(err)
		}
		post, err := city.People.CreatePost(t.Context(), person.Post{Person: p.ID, Role: policy.Officer, Unit: unit, Begins: "2026-01-01", Certificate: "ZJ-1", CertificateUntil: "2027-06-30"})
		if err != nil {
			t.Fatal(err)
		}
		b.officers = append(b.officers, int(post.ID))
	}
	apptest.Plant(t, city, 3, 3, 12, "01")
	apptest.Plant(t, city, 3, 3, 12, "02")
	apptest.Plant(t, city, 8, 6, 12, "01") // at the border of the towns
	err := pgx.BeginFunc(t.Context(), city.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE cases SET unit_id = $1, supporting = $2, object = CASE WHEN report_num % 2 = 0 THEN '大桥排档' END`, b.team, []int64{int64(b.bureau)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.city.do("POST", "/screenings", nil).want(201).into(&b.run)
	for _, p := range *b.run.Proposals {
		switch {
		case p.Town.Code == apptest.WideTown(12).Code:
			b.elsewhere = p.Id
		case p.Item == "01":
			b.first = p.Id
		default:
			b.second = p.Id
		}
	}
	if b.first == 0 || b.second == 0 || b.elsewhere == 0 {
		t.Fatalf("%+v", b.run)
	}
	b.settle()
	return b
}

func proposalAt(id int, more ...string) string {
	return fmt.Sprintf("/proposals/%d%s", id, strings.Join(more, ""))
}

func (b *bench) approval(change obj) obj {
	order := obj{"unit": b.team, "day": "2026-12-03", "officers": b.officers[:2]}
	for k, v := range change {
		order[k] = v
	}
	return obj{"decision": "approve", "version": 0, "order": order}
}

// From a screening to what was found, and all that is told on the way.
func TestInvestigationsOverHTTP(t *testing.T) {
	b := newBench(t)
	if b.run.Made != 3 || b.run.Whole == nil || b.run.Whole.Reports != 3*208 || b.run.Whole.Units != 160 || len(*b.run.Whole.Items) != 2 || b.run.By == nil || b.run.Why != nil || b.run.Level != "grid" {
		t.Errorf("%+v", b.run)
	}
	var p api.Proposal
	b.west.do("GET", proposalAt(b.first), nil).want(200).into(&p)
	// Item 01 was planted twice: two reports in each grid, and 48 more in the place's four.
	if p.Row.Told != 56 || p.Row.Evidence != 56 || len(p.Reports) != 56 || p.Row.State != "open" || len(p.Units) != 4 || len(p.Around) != 12 || len(p.Weeks) != 16 || !p.Weeks[15].InWindow || p.Weeks[11].InWindow {
		t.Errorf("%+v", p)
	}
	if len(p.Related) != 1 || p.Related[0].Id != b.second || !slices.Equal(p.May, []string{"approve", "decline"}) || len(p.Departments) != 2 || p.Departments[0].Unit.Id != int(b.team) || p.Departments[0].Leads != 56 || p.Departments[1].Supports != 56 {
		t.Errorf("related %+v, may %v, departments %+v", p.Related, p.May, p.Departments)
	}
	even := len(slices.DeleteFunc(slices.Clone(p.Reports), func(num int) bool { return num%2 == 1 }))
	if len(p.Objects) != 1 || p.Objects[0].N != even || p.Objects[0].Words == nil || *p.Objects[0].Words != "大桥排档" || !strings.Contains(p.Why.Zh, "56 件") || !strings.Contains(p.Why.En, "56 reports in 28 days") {
		t.Errorf("objects %+v, why %+v", p.Objects, p.Why)
	}
	var again api.Screening
	b.desk.do("GET", fmt.Sprintf("/screenings/%d?again=true", b.run.Id), nil).want(200).into(&again)
	if again.Again == nil || !again.Again.Same || again.Digest != b.run.Digest {
		t.Errorf("%+v", again.Again)
	}
	var could api.InvestigatorList
	b.west.do("GET", proposalAt(b.first, "/officers?day=2026-12-03&unit=", fmt.Sprint(b.team)), nil).want(200).into(&could)
	var posts []int
	for _, o := range could.Officers {
		posts = append(posts, o.Post)
	}
	for _, post := range b.officers {
		if !slices.Contains(posts, post) {
			t.Errorf("%d could go, and is not among %v", post, posts)
		}
	}
	b.west.do("GET", proposalAt(b.first, "/officers?day=2031-12-03&unit=", fmt.Sprint(b.team)), nil).want(200).into(&could)
	if len(could.Officers) != 0 {
		t.Errorf("after all certificates %+v could go", could.Officers)
	}

	b.west.do("POST", proposalAt(b.first, "/decision"), b.approval(obj{"with": []int{b.second}, "objects": []string{"大桥排档"}, "officers": b.officers})).want(200).into(&p)
	if p.Row.State != "ordered" || p.Row.Order == nil || p.Row.Version != 1 || len(p.Decisions) != 1 || p.Decisions[0].Act != "approve" || p.Decisions[0].By.Name != "王小明" || len(p.May) != 0 {
		t.Fatalf("%+v", p)
	}
	at := fmt.Sprintf("/investigations/%d", *p.Row.Order)
	var o api.Investigation
	b.officer.do("GET", at, nil).want(200).into(&o)
	if o.State != "ordered" || o.Unit.Id != int(b.team) || len(o.Officers) != 3 || o.Day != "2026-12-03" || !slices.Equal(o.Proposals, []int{min(b.first, b.second), max(b.first, b.second)}) ||
		len(o.Places) != 4 || !slices.Equal(o.May, []string{"change", "done"}) || *o.Officers[0].CertificateUntil != "2027-06-30" {
		t.Errorf("%+v", o)
	}
	b.west.do("GET", at, nil).want(200).into(&o)
	if !slices.Equal(o.May, []string{"change", "done", "cancel"}) {
		t.Errorf("the committee may %v", o.May)
	}
	b.officer.do("POST", at+"/acts", obj{"act": "cancel", "version": 1, "reason": "下雨"}).problem(403, "not_allowed", "")
	b.officer.do("POST", at+"/acts", obj{"act": "done", "version": 1, "found": true, "findings": "x"}).problem(409, "too_early", "")
	b.officer.do("POST", at+"/acts", obj{"act": "change", "version": 1, "day": "2026-11-24"}).want(200).into(&o)
	if o.Day != "2026-11-24" || o.Version != 2 || len(*o.Acts) != 2 || (*o.Acts)[1].Act != "change" || *(*o.Acts)[1].Day != "2026-11-24" {
		t.Errorf("%+v", o)
	}
	b.west.do("POST", at+"/acts", obj{"act": "cancel", "version": 1, "reason": "下雨"}).problem(409, "decided_meanwhile", "")
	b.officer.do("POST", at+"/acts", obj{"act": "done", "version": 2, "found": true, "findings": "三家未装净化设施", "visited": []string{"大桥排档"}}).want(200).into(&o)
	if o.State != "done" || !*o.Found || *o.Findings != "三家未装净化设施" || len(*o.Visited) != 1 || len(o.May) != 0 {
		t.Errorf("%+v", o)
	}
	var rates api.InvestigationRates
	b.as("").do("GET", "/investigations/rates", nil).problem(401, "sign_in", "") // the city's map is not open
	if err := b.live.Auth.SetSettings(t.Context(), auth.Settings{PublicMap: true}); err != nil {
		t.Fatal(err)
	}
	b.as("").do("GET", "/investigations/rates", nil).want(200)
	b.as("").do("GET", "/investigations", nil).problem(401, "sign_in", "")
	b.gridWorker.do("GET", "/investigations/rates", nil).want(200).into(&rates)
	if rates.Done != 1 || rates.Found.Part != 1 || rates.Found.N != 1 || !rates.Found.TooFew || rates.Found.Percent != nil {
		t.Errorf("%+v", rates)
	}
}

// Once all evidence was made anonymous no word is left of what was typed, how many objects it were is told, and the rest stays as it was.
func TestInvestigationsWithoutWords(t *testing.T) {
	b := newBench(t)
	var p api.Proposal
	order := b.approval(obj{"objects": []string{"大桥排档"}})
	order["reason"] = "高频"
	b.west.do("POST", proposalAt(b.first, "/decision"), order).want(200).into(&p)
	at := fmt.Sprintf("/investigations/%d", *p.Row.Order)
	b.officer.do("POST", at+"/acts", obj{"act": "change", "version": 1, "day": "2026-11-24", "reason": "早去"}).want(200)
	b.officer.do("POST", at+"/acts", obj{"act": "done", "version": 2, "found": true, "findings": "三家未装净化设施", "visited": []string{"大桥排档", "小桥排档"}}).want(200)
	b.east.do("POST", proposalAt(b.elsewhere, "/decision"), obj{"decision": "decline", "version": 0, "reason": "已整治"}).want(200)
	read := func() (o api.Investigation, ordered, declined api.Proposal) {
		b.west.do("GET", at, nil).want(200).into(&o)
		b.west.do("GET", proposalAt(b.first), nil).want(200).into(&ordered)
		b.east.do("GET", proposalAt(b.elsewhere), nil).want(200).into(&declined)
		return o, ordered, declined
	}
	o, ordered, declined := read()
	if o.AnonymisedAt != nil || o.ObjectsGone != nil || o.VisitedGone != nil || ordered.AnonymisedAt != nil || *declined.Decisions[0].Reason != "已整治" {
		t.Errorf("%+v", o)
	}
	err := pgx.BeginFunc(t.Context(), b.live.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO anonymised (report_num, at) SELECT report_num, $1 FROM proposal_evidence`, apptest.Now)
		return err
	})
	if err == nil {
		err = b.live.Retention.SetDays(t.Context(), 90)
	}
	if err == nil {
		_, err = b.live.Retention.Run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	o2, ordered2, declined2 := read()
	if o2.AnonymisedAt == nil || ordered2.AnonymisedAt == nil || declined2.AnonymisedAt == nil || *o2.ObjectsGone != 1 || *o2.VisitedGone != 2 {
		t.Errorf("%+v", o2)
	}
	// All else is as it was, number by number.
	o.Objects, o.Visited, o.Findings = []string{}, new([]string{}), nil
	o.AnonymisedAt, o.ObjectsGone, o.VisitedGone = o2.AnonymisedAt, o2.ObjectsGone, o2.VisitedGone
	ordered.AnonymisedAt, declined.AnonymisedAt = ordered2.AnonymisedAt, declined2.AnonymisedAt
	for _, deeds := range [][]api.DecisionMade{*o.Acts, ordered.Decisions, declined.Decisions} {
		for i := range deeds {
			deeds[i].Reason = nil
		}
	}
	for _, both := range [][2]any{{o, o2}, {ordered, ordered2}, {declined, declined2}} {
		if !reflect.DeepEqual(both[0], both[1]) {
			t.Errorf("it was %+v, and is %+v", both[0], both[1])
		}
	}
}

// A town's committee sees and decides its own, and nobody who has nothing to do with it sees anything; who goes sees the order.
func TestInvestigationsAreCutByReach(t *testing.T) {
	b := newBench(t)
	events := b.east.stream(t.Context(), "")
	west := b.west.stream(t.Context(), "")
	order := b.approval(obj{})
	// Of the other town there is nothing.
	for _, request := range []string{"GET " + proposalAt(b.first), "GET " + proposalAt(b.first, "/officers?day=2026-12-03")} {
		method, path, _ := strings.Cut(request, " ")
		b.east.do(method, path, nil).problem(404, "not_found", "")
	}
	b.east.do("POST", proposalAt(b.first, "/decision"), order).problem(404, "not_found", "")
	b.east.do("POST", proposalAt(b.elsewhere, "/decision"), b.approval(obj{"unit": b.eastern, "with": []int{b.first}, "officers": b.officers[:2]})).problem(400, "unknown_proposal", "order.with[0]")
	b.east.do("POST", proposalAt(b.elsewhere, "/decision"), b.approval(obj{"unit": apptest.Unit(t, b.live.City, policy.TownTeam, apptest.WideTown(0))})).problem(400, "unknown_unit", "order.unit")
	for who, want := range map[*site][]int{b.city: {b.first, b.second, b.elsewhere}, b.desk: {b.first, b.second, b.elsewhere}, b.administrator: {b.first, b.second, b.elsewhere}, b.west: {b.first, b.second}, b.east: {b.elsewhere}} {
		var page api.ProposalPage
		who.do("GET", "/proposals", nil).want(200).into(&page)
		var run api.Screening
		who.do("GET", fmt.Sprintf("/screenings/%d", b.run.Id), nil).want(200).into(&run)
		var list api.ScreeningList
		who.do("GET", "/screenings", nil).want(200).into(&list)
		for what, rows := range map[string][]api.ProposalRow{"list": page.Proposals, "screening": *run.Proposals} {
			var got []int
			for _, p := range rows {
				got = append(got, p.Id)
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		whole := len(want) == 3
		if run.Made != len(want) || list.Screenings[0].Made != len(want) || (run.Whole != nil) != whole || (list.Screenings[0].Whole != nil) != whole {
			t.Errorf("%d made of %d, whole %v", run.Made, len(want), run.Whole)
		}
	}
	// The place touches the border: what lies beyond is told to who sees it.
	var seen, all api.Proposal
	b.east.do("GET", proposalAt(b.elsewhere), nil).want(200).into(&seen)
	b.city.do("GET", proposalAt(b.elsewhere), nil).want(200).into(&all)
	for _, n := range seen.Around {
		if !strings.HasPrefix(n.Code, apptest.WideTown(12).Code) {
			t.Errorf("who sees the east is told of %s", n.Code)
		}
	}
	if len(seen.Around) == 0 || len(seen.Around) >= len(all.Around) || seen.Row.Neighbours != len(seen.Around) || seen.Why == all.Why {
		t.Errorf("%d neighbours of %d are told of, the row has %d; %v", len(seen.Around), len(all.Around), seen.Row.Neighbours, seen.Why)
	}
	// Who looks on decides nothing; who has nothing to do with it is refused.
	b.desk.do("POST", proposalAt(b.first, "/decision"), order).problem(403, "not_allowed", "")
	for _, who := range []*site{b.officer, b.head, b.gridWorker} {
		who.do("GET", "/proposals", nil).problem(403, "not_allowed", "")
		who.do("GET", proposalAt(b.first), nil).problem(403, "not_allowed", "")
	}
	b.gridWorker.do("GET", "/investigations", nil).problem(403, "not_allowed", "")
	b.west.do("POST", "/screenings", nil).problem(403, "not_the_city", "")
	b.desk.do("POST", "/screenings", nil).problem(403, "not_allowed", "")

	var p api.Proposal
	b.west.do("POST", proposalAt(b.first, "/decision"), order).want(200).into(&p)
	at := fmt.Sprintf("/investigations/%d", *p.Row.Order)
	for who, sees := range map[*site]bool{b.city: true, b.desk: true, b.administrator: true, b.west: true, b.officer: true, b.east: false, b.head: false} {
		var page api.InvestigationPage
		who.do("GET", "/investigations", nil).want(200).into(&page)
		if (len(page.Investigations) == 1) != sees {
			t.Errorf("%d are listed, sees it: %v", len(page.Investigations), sees)
		}
		if sees {
			who.do("GET", at, nil).want(200)
		} else {
			who.do("GET", at, nil).problem(404, "not_found", "")
		}
	}
	for _, who := range []*site{b.east, b.head} {
		who.do("POST", at+"/acts", obj{"act": "done", "version": 1, "found": true, "findings": "x"}).problem(404, "not_found", "")
		who.do("GET", at+"/officers", nil).problem(404, "not_found", "")
	}
	b.desk.do("POST", at+"/acts", obj{"act": "done", "version": 1, "found": true, "findings": "x"}).problem(403, "not_allowed", "")
	var could api.InvestigatorList
	b.officer.do("GET", at+"/officers", nil).want(200).into(&could)
	if could.Day != "2026-12-03" || len(could.Officers) < 3 {
		t.Errorf("%+v", could)
	}
	// The feed tells the west, and says nothing to the east until something is there.
	if _, e := heard(t, west, "investigation.changed"); !strings.Contains(e[2], fmt.Sprintf(`"id": %d`, *p.Row.Order)) && !strings.Contains(e[2], fmt.Sprintf(`"id":%d`, *p.Row.Order)) {
		t.Errorf("%v", e)
	}
	b.east.do("POST", proposalAt(b.elsewhere, "/decision"), obj{"decision": "decline", "version": 0, "reason": "已整治"}).want(200)
	before, e := heard(t, events, "proposal.changed")
	if !strings.Contains(e[2], "declined") || slices.ContainsFunc(before, func(e [3]string) bool { return e[1] == "investigation.changed" }) {
		t.Errorf("%v, before it %v", e, before)
	}
}

// Pages of proposals hold each once, the newest first.
func TestPagesOfProposals(t *testing.T) {
	b := newBench(t)
	var got []int
	for before := ""; ; {
		var page api.ProposalPage
		b.city.do("GET", "/proposals?limit=2"+before, nil).want(200).into(&page)
		for _, p := range page.Proposals {
			got = append(got, p.Id)
		}
		if page.Next == nil {
			break
		}
		before = fmt.Sprintf("&before=%d", *page.Next)
	}
	want := []int{b.first, b.second, b.elsewhere}
	slices.Sort(want)
	slices.Reverse(want)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	var page api.ProposalPage
	for query, n := range map[string]int{"?state=open": 3, "?state=declined,done": 0, "?item=02": 1, "?item=99": 0, "?item=01&state=open": 2, fmt.Sprintf("?screening=%d", b.run.Id): 3, "?screening=999999": 0} {
		if b.city.do("GET", "/proposals"+query, nil).want(200).into(&page); len(page.Proposals) != n {
			t.Errorf("%s: %d, want %d", query, len(page.Proposals), n)
		}
	}
	b.city.do("GET", "/proposals?state=burnt", nil).problem(400, "unknown_value", "state")
	b.city.do("GET", "/investigations?state=open", nil).problem(400, "unknown_value", "state")
	b.city.do("GET", "/screenings/1?again=maybe", nil).problem(400, "unknown_value", "again")
	b.city.do("GET", "/screenings/4711", nil).problem(404, "not_found", "")
}

// Bodies that nobody means are refused by field and code, and change nothing.
func TestHostileDecisions(t *testing.T) {
	b := newBench(t)
	post := func(body any) answer { return b.city.do("POST", proposalAt(b.first, "/decision"), body) }
	post(`{"decision": "decline", "reason": "x", "version": 0, "state": "done"}`).problem(400, "unknown_field", "state")
	post(`{"decision": "decline", "reason": "x", "version": "0"}`).problem(400, "wrong_type", "version")
	post(`{"decision": "decline", "decision": "approve", "version": 0}`).problem(400, "duplicate_key", "decision")
	post(`{"decision": "decline", "reason": null, "version": 0}`).problem(400, "required", "reason")
	post(obj{"decision": "decline", "version": 0, "reason": "   "}).problem(400, "required", "reason")
	post(obj{"decision": "decline", "version": 0, "reason": "a\u0007"}).problem(400, "control_character", "reason")
	post(obj{"decision": "burn", "version": 0}).problem(400, "unknown_value", "decision")
	post(obj{"decision": "approve", "version": 0}).problem(400, "required", "order")
	post(b.approval(obj{"day": "2026-11-23"})).problem(400, "in_the_past", "order.day")
	post(b.approval(obj{"day": "soon"})).problem(400, "bad_date", "order.day")
	post(b.approval(obj{"officers": []int{b.officers[0], b.officers[0]}})).problem(400, "same_officer", "order.officers[1]")
	post(b.approval(obj{"officers": []int{b.officers[0]}})).problem(400, "two_officers", "order.officers")
	post(b.approval(obj{"officers": []int{b.officers[0], -1}})).problem(400, "unknown_post", "order.officers[1]")
	post(b.approval(obj{"day": "2027-07-01"})).problem(400, "not_certificated", "order.officers[0]")
	post(b.approval(obj{"unit": 4711})).problem(400, "unknown_unit", "order.unit")
	post(b.approval(obj{"unit": b.eastern, "officers": []int{b.officers[0], b.officers[1]}})).want(200) // the team is at work on the evidence's cases
	post(b.approval(obj{})).problem(409, "decided_meanwhile", "")
	b.city.do("POST", proposalAt(b.second, "/decision"), b.approval(obj{"with": []int{b.first}})).problem(409, "decided_meanwhile", "")
	b.city.do("POST", proposalAt(b.second, "/decision"), b.approval(obj{"with": []int{b.elsewhere}})).problem(400, "not_related", "order.with")
	b.city.do("POST", proposalAt(4711, "/decision"), b.approval(obj{})).problem(404, "not_found", "")
	b.city.do("GET", proposalAt(b.second, "/officers"), nil).problem(400, "required", "day")
	b.city.do("GET", proposalAt(b.second, "/officers?day=2026-02-30"), nil).problem(400, "bad_date", "day")
	b.city.do("GET", proposalAt(b.second, "/officers?day=2026-12-03&unit=4711"), nil).problem(400, "unknown_unit", "unit")
	var p api.Proposal
	b.city.do("GET", proposalAt(b.second), nil).want(200).into(&p)
	if p.Row.State != "open" || p.Row.Version != 0 || len(p.Decisions) != 0 {
		t.Errorf("%+v", p.Row)
	}
}

// Each role, in the city, in a town of either side, in a village and in a grid, against the table of rights: what lies wholly within reach is
// seen, decided and recorded by who may, and of the rest there is nothing.
func TestMatrixOfInvestigations(t *testing.T) {
	b := newBench(t)
	var p api.Proposal
	b.city.do("POST", proposalAt(b.second, "/decision"), b.approval(obj{})).want(200).into(&p)
	order := fmt.Sprintf("/investigations/%d", *p.Row.Order)
	cells := map[int][]policy.Cell{}
	for _, x := range []int{3, 4} {
		for _, y := range []int{3, 4} {
			c := policy.Cell{Town: apptest.WideTown(x).Code, Village: apptest.WideVillage(x, y).Code, Grid: apptest.WideGrid(x, y)}
			cells[b.first], cells[b.second] = append(cells[b.first], c), append(cells[b.second], c)
		}
	}
	for _, x := range []int{12, 13} {
		for _, y := range []int{6, 7} {
			cells[b.elsewhere] = append(cells[b.elsewhere], policy.Cell{Town: apptest.WideTown(x).Code, Village: apptest.WideVillage(x, y).Code, Grid: apptest.WideGrid(x, y)})
		}
	}
	covers := func(r policy.Reach, id int, units ...policy.UnitID) bool {
		return !slices.ContainsFunc(cells[id], func(c policy.Cell) bool { return r.Covers(&policy.Subject{Cell: c, Units: units}) != policy.Whole })
	}
	asked, seen, decided := 0, 0, 0
	for _, role := range policy.Roles {
		for name, post := range map[string]policy.Post{"the city": {Area: apptest.CityArea}, "the west": {Area: apptest.WideTown(3)}, "the east": {Area: apptest.WideTown(12)},
			"a village": {Area: apptest.WideVillage(3, 3)}, "another village": {Area: apptest.WideVillage(3, 8)}, "a grid": {Area: policy.Area{Level: policy.Grid, Code: apptest.WideGrid(3, 3)}},
			"the team": {Unit: b.team}, "the bureau": {Unit: b.bureau}, "another team": {Unit: b.eastern}} {
			p := apptest.Post(role, post.Area)
			p.Unit = post.Unit
			switch post.Unit {
			case b.team:
				p.Area = apptest.WideTown(0)
			case b.eastern:
				p.Area = apptest.WideTown(12)
			}
			token, person := apptest.SignIn(t, b.live.City, p)
			who, actor := b.as(token), policy.Actor{Person: person, Posts: []policy.Post{p}}
			reach := func(a policy.Action) policy.Reach { return actor.Reach(a, apptest.Now) }
			want := func(what string, a answer, view, act policy.Action, id, done int, units ...policy.UnitID) {
				asked++
				r, may := reach(view), reach(act)
				status := done
				switch {
				case may.Empty():
					status = 403
				case !covers(r, id, units...):
					status = 404
				case !covers(may, id, units...):
					status = 403
				}
				if a.status != status {
					t.Errorf("%s of %s: %s: %d, want %d: %.200s", role, name, what, a.status, status, a.body)
				}
				if status == done {
					seen++
				}
				if status == done && act == policy.ProposalDecide {
					decided++
				}
			}
			view := reach(policy.ScreeningView)
			for _, id := range []int{b.first, b.second, b.elsewhere} {
				want("a proposal", who.do("GET", proposalAt(id), nil), policy.ScreeningView, policy.ScreeningView, id, 200)
				want("a decision", who.do("POST", proposalAt(id, "/decision"), obj{"decision": "burn", "version": 0}), policy.ScreeningView, policy.ProposalDecide, id, 400)
				want("officers", who.do("GET", proposalAt(id, "/officers?day=2026-12-03"), nil), policy.ScreeningView, policy.ProposalDecide, id, 200)
			}
			if !view.Empty() {
				var page api.ProposalPage
				who.do("GET", "/proposals", nil).want(200).into(&page)
				for _, id := range []int{b.first, b.second, b.elsewhere} {
					if got := slices.ContainsFunc(page.Proposals, func(p api.ProposalRow) bool { return p.Id == id }); got != covers(view, id) {
						t.Errorf("%s of %s: the list has %d: %v", role, name, id, got)
					}
				}
			}
			units := []policy.UnitID{b.team, b.bureau}
			want("an order", who.do("GET", order, nil), policy.InvestigationView, policy.InvestigationView, b.second, 200, units...)
			want("what was found", who.do("POST", order+"/acts", obj{"act": "done", "version": 1}), policy.InvestigationView, policy.InvestigationRecord, b.second, 400, units...)
			want("who goes instead", who.do("GET", order+"/officers", nil), policy.InvestigationView, policy.InvestigationRecord, b.second, 200, units...)
			if orders := reach(policy.InvestigationView); !orders.Empty() {
				var page api.InvestigationPage
				who.do("GET", "/investigations", nil).want(200).into(&page)
				if (len(page.Investigations) == 1) != covers(orders, b.second, units...) {
					t.Errorf("%s of %s: %d orders are listed", role, name, len(page.Investigations))
				}
			}
		}
	}
	if asked < 2000 || seen < 100 || decided < 10 {
		t.Errorf("%d asked, %d seen, %d decided", asked, seen, decided)
	}
}
