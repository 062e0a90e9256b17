package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/policy"
)

// webhook adds an endpoint, and returns its number.
func (s *site) webhook() int {
	s.t.Helper()
	var made api.WebhookSecret
	s.do("POST", "/webhooks", map[string]any{"name": "board", "url": "https://example.com/hook", "events": []string{"escalation.red"}}).want(201).into(&made)
	return made.Id
}

// late is a site whose clock goes on when the test says so, with a desk and its people.
type late struct {
	*site
	offset atomic.Int64
}

func newLate(t *testing.T) *late {
	l := &late{}
	l.site = newSiteAt(t, func() time.Time { return apptest.Now.Add(time.Duration(l.offset.Load())) })
	return l
}

// pass lets time go by; what is due is told of by the site's own sweep.
func (l *late) pass(d time.Duration) { l.offset.Add(int64(d)) }

func (l *late) notices(token string) (page api.NoticePage) {
	l.t.Helper()
	l.as(token).do("GET", "/notices", nil).want(200).into(&page)
	return page
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// The desk is told that its hour is over, on the page and live; nobody else hears of it, whatever they may see; read on one page it is
// read on the others.
func TestNoticesAreOnesOwn(t *testing.T) {
	l := newLate(t)
	centre := apptest.Unit(t, l.live.City, policy.CommandCenter, apptest.CityArea)
	post := apptest.Post(policy.Desk, apptest.CityArea)
	post.Unit = centre
	desk, _ := apptest.SignIn(t, l.live.City, post)
	admin, _ := apptest.SignIn(t, l.live.City, apptest.Post(policy.Administrator, apptest.CityArea))
	worker, _ := apptest.SignIn(t, l.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	streams := map[string]<-chan [3]string{"desk": l.as(desk).stream(t.Context(), ""), "admin": l.as(admin).stream(t.Context(), ""), "worker": l.as(worker).stream(t.Context(), "")}
	rep := l.file(aReport(0, 0))
	l.settle()
	l.pass(50 * time.Minute)
	if n, err := l.live.Notices.Round(t.Context()); err != nil || n > 1 { // or the site's own was quicker
		t.Fatal(n, err)
	}
	heard(t, streams["desk"], "notice.made")
	page := l.notices(desk)
	if len(page.Notices) != 1 || page.Unread != 1 || page.Notices[0].Step != "amber" || page.Notices[0].Why != "desk" || *page.Notices[0].Report != rep.Num || page.Notices[0].Read ||
		!strings.Contains(page.Notices[0].Words.Zh, fmt.Sprint(rep.Num)) || !strings.Contains(page.Notices[0].Words.En, "Case ") {
		t.Fatalf("%+v", page)
	}
	id := page.Notices[0].Id
	for name, token := range map[string]string{"admin": admin, "worker": worker, "everybody else": l.token} {
		if other := l.notices(token); name != "everybody else" && (len(other.Notices) > 0 || other.Unread > 0) {
			t.Errorf("%s is told %+v", name, other)
		}
	}
	// Another's is passed over.
	l.as(admin).do("POST", "/notices/read", map[string]any{"ids": []int{id}}).want(204)
	l.as(admin).do("POST", "/notices/read", map[string]any{"up_to": id + 1000}).want(204)
	if page = l.notices(desk); page.Unread != 1 {
		t.Errorf("somebody else has read it: %+v", page)
	}
	l.as(desk).do("POST", "/notices/read", map[string]any{"up_to": id}).want(204)
	heard(t, streams["desk"], "notice.made")
	if page = l.notices(desk); page.Unread != 0 || !page.Notices[0].Read {
		t.Errorf("%+v", page)
	}
	var fresh api.NoticePage
	l.as(desk).do("GET", "/notices?unread=true", nil).want(200).into(&fresh)
	if len(fresh.Notices) != 0 {
		t.Errorf("%+v", fresh)
	}
	// A canary after it all: until it comes the others have heard nothing of notices.
	l.file(aReport(0, 0))
	for _, name := range []string{"admin", "worker"} {
		before, _ := heard(t, streams[name], "report.filed")
		more, _ := heard(t, streams[name], "report.filed")
		for _, e := range append(before, more...) {
			if e[1] == "notice.made" {
				t.Errorf("%s hears of what somebody else was told: %v", name, e)
			}
		}
	}
	for _, bad := range []any{map[string]any{}, map[string]any{"ids": []int{}}} {
		l.as(desk).do("POST", "/notices/read", bad).problem(400, "required", "ids")
	}
	l.as("").do("GET", "/notices", nil).problem(401, "sign_in", "")
	l.as("").do("POST", "/notices/read", map[string]any{"up_to": 1}).problem(401, "sign_in", "")
}

// Pages go on where the one before ended; a territory that is gone takes what was told of it along.
func TestNoticesByPages(t *testing.T) {
	l := newLate(t)
	token, person := apptest.SignIn(t, l.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	var here []int
	for i := range 7 {
		x := 0
		if i%2 == 1 {
			x = 3 // elsewhere: as if the post had been another then
		}
		rep := l.file(aReport(x, x))
		if x == 0 {
			here = append(here, rep.Num)
		}
		l.told(person, rep.Num)
	}
	l.settle()
	var got []int
	for path := "/notices?limit=2"; path != ""; {
		var page api.NoticePage
		l.as(token).do("GET", path, nil).want(200).into(&page)
		if page.Unread != len(here) {
			t.Errorf("%d unread", page.Unread)
		}
		for _, n := range page.Notices {
			got = append([]int{*n.Report}, got...)
		}
		path = ""
		if page.Next != nil {
			path = fmt.Sprintf("/notices?limit=2&before=%d", *page.Next)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(here) {
		t.Errorf("told are %v, want %v", got, here)
	}
	l.as(token).do("GET", "/notices?limit=0", nil).problem(400, "out_of_range", "limit")
	l.as(token).do("GET", "/notices?unread=maybe", nil).problem(400, "unknown_value", "unread")
}

// told writes a notice of a report's first clock.
func (s *site) told(person uuid.UUID, num int) {
	s.t.Helper()
	tx, err := s.live.Pool.Begin(s.t.Context())
	if err == nil {
		_, err = tx.Exec(s.t.Context(), `INSERT INTO notice (person_id, step, why, report_num, part, clock, round, words_zh, words_en, at)
			VALUES ($1, 'amber', 'grid', $2, 0, 0, 1, '案件', 'Case', $3)`, person, num, apptest.Now)
	}
	if err == nil {
		err = tx.Commit(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestNoticeChoice(t *testing.T) {
	s := newSite(t)
	var c api.NoticeChoice
	s.do("GET", "/account/notices", nil).want(200).into(&c)
	if c.Language != "zh" || c.Amber || !c.Red || !c.Supervise || c.Address || c.Mail {
		t.Errorf("at first: %+v", c)
	}
	s.do("PUT", "/account/notices", map[string]any{"language": "en", "amber": true, "red": false, "supervise": true}).want(200).into(&c)
	if c.Language != "en" || !c.Amber || c.Red || !c.Supervise {
		t.Errorf("%+v", c)
	}
	s.do("PUT", "/account/notices", map[string]any{"language": "fr", "amber": true, "red": false, "supervise": true}).problem(400, "unknown_value", "language")
}

func TestEscalationSettings(t *testing.T) {
	s := newSite(t)
	var e api.Escalation
	s.do("GET", "/settings/escalation", nil).want(200).into(&e)
	if e != (api.Escalation{Grace: "1 wd", QuietFrom: "22:00", QuietUntil: "07:00"}) {
		t.Errorf("at first: %+v", e)
	}
	set := func(more map[string]any) answer {
		body := map[string]any{"grace": "4 wh", "quiet_from": "21:30", "quiet_until": "06:45", "retention_days": 730}
		for k, v := range more {
			body[k] = v
		}
		return s.do("PUT", "/settings/escalation", body)
	}
	set(nil).want(200).into(&e)
	if e != (api.Escalation{Grace: "4 wh", QuietFrom: "21:30", QuietUntil: "06:45", RetentionDays: 730}) {
		t.Errorf("%+v", e)
	}
	for field, bad := range map[string]any{"grace": "soon", "quiet_from": "25:00", "quiet_until": "", "retention_days": 30} {
		if a := set(map[string]any{field: bad}); a.status != 400 || !strings.Contains(string(a.body), `"field":"`+field+`"`) {
			t.Errorf("%s = %v: %d %s", field, bad, a.status, a.body)
		}
	}
	s.do("PUT", "/settings/escalation", map[string]any{"grace": "4 wh", "quiet_from": "21:30", "quiet_until": "06:45"}).problem(400, "required", "retention_days")
	var p api.RetentionPreview
	s.do("GET", "/settings/escalation/preview?days=730", nil).want(200).into(&p)
	if p.Reports != 0 || p.First != nil {
		t.Errorf("%+v", p)
	}
	s.do("GET", "/settings/escalation/preview?days=30", nil).problem(400, "out_of_range", "days")
	s.do("GET", "/settings/escalation/preview", nil).problem(400, "required", "days")
}

// A webhook is added, tested, changed, given another secret and removed by an administrator; its secret is told once and is in no other
// answer.
func TestWebhooksByTheAPI(t *testing.T) {
	s := newSite(t)
	asked := make(chan http.Header, 10)
	machine := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header }))
	t.Cleanup(machine.Close)
	body := map[string]any{"name": "大屏", "url": machine.URL, "events": []string{"escalation.red"}}
	s.do("POST", "/webhooks", body).problem(400, "not_https", "url")
	s.live.Webhooks.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	var made, renewed api.WebhookSecret
	s.do("POST", "/webhooks", body).want(201).into(&made)
	path := fmt.Sprintf("/webhooks/%d", made.Id)
	s.do("POST", path+"/test", nil).want(202)
	select {
	case h := <-asked:
		if h.Get("Webhook-Id") == "" || !strings.HasPrefix(h.Get("Webhook-Signature"), "v1,") {
			t.Errorf("asked with %v", h)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it was not called")
	}
	var list api.WebhookDeliveries
	until(t, "the test is written down", func() bool {
		s.do("GET", path+"/deliveries", nil).want(200).into(&list)
		return len(list.Deliveries) == 1 && list.Deliveries[0].State == "sent"
	})
	body["version"], body["events"], body["disabled"] = 1, []string{"escalation.supervise"}, true
	s.do("PUT", path, body).want(204)
	s.do("PUT", path, body).problem(409, "stale", "")
	s.do("POST", path+"/test", nil).problem(409, "disabled", "")
	s.do("POST", path+"/secret", nil).want(200).into(&renewed)
	if renewed.Secret == made.Secret || !strings.HasPrefix(renewed.Secret, "whsec_") {
		t.Errorf("%+v", renewed)
	}
	all := s.do("GET", "/webhooks", nil).want(200)
	record := s.do("GET", "/audit?limit=100", nil).want(200)
	for _, secret := range []string{made.Secret, renewed.Secret} {
		if strings.Contains(string(all.body)+string(record.body), secret) {
			t.Error("the secret is told again")
		}
	}
	var hooks api.WebhookList
	if all.into(&hooks); len(hooks.Webhooks) != 1 || !hooks.Webhooks[0].Disabled || hooks.Webhooks[0].Last == nil || hooks.Webhooks[0].Version != 3 {
		t.Errorf("%s", all.body)
	}
	s.do("DELETE", path, nil).want(204)
	for _, r := range [][2]string{{"DELETE", path}, {"POST", path + "/test"}, {"POST", path + "/secret"}, {"GET", path + "/deliveries"}, {"GET", "/webhooks/x/deliveries"}} {
		s.do(r[0], r[1], nil).problem(404, "not_found", "")
	}
	for code, bad := range map[string]map[string]any{"bad_url": {"url": "x"}, "missing": {"events": []string{}}, "unknown_value": {"events": []string{"test"}}, "bad_name": {"name": ""}} {
		in := map[string]any{"name": "x", "url": "https://example.com", "events": []string{"escalation.red"}}
		for k, v := range bad {
			in[k] = v
		}
		for field := range bad {
			s.do("POST", "/webhooks", in).problem(400, code, field)
		}
	}
}

// Nobody but an administrator says where the city's events go, when the town is told and what is made anonymous.
func TestForbiddenEscalation(t *testing.T) {
	s := newSite(t)
	id := s.webhook()
	for _, role := range []policy.Role{policy.CentreHead, policy.Desk, policy.TownLeader, policy.UnitHead, policy.GridWorker, policy.Planner, policy.Machine} {
		token, _ := apptest.SignIn(t, s.live.City, apptest.Post(role, apptest.CityArea))
		other := s.as(token)
		other.do("POST", "/webhooks", map[string]any{"name": "x", "url": "https://example.com", "events": []string{"escalation.red"}}).problem(403, "not_allowed", "")
		other.do("GET", "/webhooks", nil).problem(403, "not_allowed", "")
		other.do("POST", fmt.Sprintf("/webhooks/%d/secret", id), nil).problem(403, "not_allowed", "")
		other.do("GET", fmt.Sprintf("/webhooks/%d/deliveries", id), nil).problem(403, "not_allowed", "")
		other.do("PUT", "/settings/escalation", map[string]any{"grace": "1 wd", "quiet_from": "22:00", "quiet_until": "07:00", "retention_days": 90}).problem(403, "not_allowed", "")
		other.do("GET", "/settings/escalation/preview?days=90", nil).problem(403, "not_allowed", "")
	}
}
