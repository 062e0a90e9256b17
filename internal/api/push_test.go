package api_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/notice"
	"gridgov/internal/policy"
	"gridgov/internal/push/pushtest"
)

// A browser subscribes by the key that is told, is named, tested and removed, by its owner alone; its address and keys are in no answer.
func TestDevicesByTheAPI(t *testing.T) {
	s := newSite(t)
	out := pushtest.New(t)
	s.live.Push.Guard = out.Guard()
	var p api.Push
	s.do("GET", "/account/push", nil).want(200).into(&p)
	if !p.Available || p.Why != nil || p.Key == nil || len(p.Devices) != 0 {
		t.Fatalf("%+v", p)
	}
	key, err := base64.RawURLEncoding.DecodeString(*p.Key)
	if err != nil {
		t.Fatal(err)
	}
	b := out.Browser(key)
	body := func(more map[string]any) map[string]any {
		in := map[string]any{"endpoint": b.Endpoint, "keys": map[string]any{"p256dh": b.P256dh, "auth": b.Auth}, "language": "zh"}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	var d, again api.PushDevice
	s.do("PUT", "/account/push", body(nil)).want(200).into(&d)
	s.do("PUT", "/account/push", body(map[string]any{"language": "en"})).want(200).into(&again)
	if again.Id != d.Id || !d.Current || again.Language != "en" || d.Host != strings.TrimPrefix(out.URL, "https://") {
		t.Errorf("%+v, then %+v", d, again)
	}
	var tested api.PushTested
	s.do("POST", "/account/push/test", map[string]any{"id": d.Id}).want(200).into(&tested)
	got := b.Got()
	if !tested.Sent || len(got) != 1 || !strings.HasPrefix(got[0].Subject, "https://127.0.0.1:") {
		t.Fatalf("%+v, %+v", tested, got)
	}
	var shown notice.Shown
	if err := json.Unmarshal(got[0].Payload, &shown); err != nil || !shown.Test || shown.Tag != "test" || shown.City != s.live.Code || shown.Language != "en" || shown.Body == "" {
		t.Errorf("%s, %v", got[0].Payload, err)
	}
	if a := s.do("POST", "/account/push/test", map[string]any{"id": d.Id}); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("at once again: %d %s", a.status, a.body)
	}
	answers := string(s.do("GET", "/account/push", nil).want(200).body) + string(s.do("GET", "/audit?limit=100", nil).want(200).body)
	for _, secret := range []string{b.Endpoint[len(out.URL)+6:], b.P256dh, b.Auth} {
		if strings.Contains(answers, secret) {
			t.Errorf("%s is told", secret)
		}
	}

	// Somebody else has none of it.
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	other := s.as(token)
	other.do("POST", "/account/push/test", map[string]any{"id": d.Id}).problem(404, "not_found", "")
	other.do("DELETE", "/account/push/"+d.Id.String(), nil).problem(404, "not_found", "")
	other.do("GET", "/account/push", nil).want(200).into(&p)
	if len(p.Devices) != 0 {
		t.Errorf("%+v", p)
	}
	for _, r := range [][2]string{{"GET", "/account/push"}, {"PUT", "/account/push"}, {"POST", "/account/push/test"}, {"DELETE", "/account/push/" + d.Id.String()}} {
		s.as("").do(r[0], r[1], nil).problem(401, "sign_in", "")
	}

	for code, bad := range map[string]map[string]any{
		"not_https": {"endpoint": "http://push.example.com/x"}, "own_network": {"endpoint": "https://10.0.0.1/x"}, "url_with_user": {"endpoint": "https://a:b@push.example.com/"},
		"unknown_value": {"language": "fr"},
	} {
		for field := range bad {
			s.do("PUT", "/account/push", body(bad)).problem(400, code, field)
		}
	}
	s.do("PUT", "/account/push", body(map[string]any{"keys": map[string]any{"p256dh": b.P256dh, "auth": b.Auth + "AA"}})).problem(400, "bad_key", "keys.auth")
	s.do("PUT", "/account/push", body(map[string]any{"keys": map[string]any{"p256dh": b.Auth, "auth": b.Auth}})).problem(400, "bad_key", "keys.p256dh")

	for _, id := range []string{"x", uuid.NewString()} {
		s.do("DELETE", "/account/push/"+id, nil).problem(404, "not_found", "")
	}
	s.do("DELETE", "/account/push/"+d.Id.String(), nil).want(204)
	s.do("GET", "/account/push", nil).want(200).into(&p)
	if len(p.Devices) != 0 {
		t.Errorf("%+v", p)
	}
	s.do("PUT", "/account/push", body(nil)).want(200)
	s.do("DELETE", "/session", nil).want(204)
	var left int
	if err := s.live.Pool.QueryRow(t.Context(), `SELECT count(*) FROM push_subscription`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d devices are left of who has signed out, %v", left, err)
	}
}

// Where devices cannot be told the page says why, and shows notices as ever.
func TestNoDevicesToTell(t *testing.T) {
	s := newSite(t)
	says := func(s *site, why, code string, status int) {
		t.Helper()
		var p api.Push
		s.do("GET", "/account/push", nil).want(200).into(&p)
		if p.Available || p.Key != nil || p.Why == nil || string(*p.Why) != why {
			t.Errorf("%s: %+v", why, p)
		}
		s.do("PUT", "/account/push", map[string]any{"endpoint": "https://push.example.com/x", "keys": map[string]any{"p256dh": "", "auth": ""}, "language": "zh"}).problem(status, code, "")
		s.do("GET", "/notices", nil).want(200)
	}
	s.live.Push.Demo = true
	says(s, "demo", "demo", 403)
	s.live.Push.Demo = false
	ring := s.live.Push.Ring
	s.live.Push.Ring = nil
	says(s, "key_missing", "key_missing", 503)
	s.live.Push.Ring = ring
	h := httptest.NewServer(newHandler(t, api.Config{Server: s.server, Log: apptest.Quiet(), Now: apptest.Clock, Edge: api.Edge{Limits: api.NoLimits}}))
	t.Cleanup(h.Close)
	nameless := *s
	nameless.url = h.URL
	nameless.router = specRouter(t, h.URL+"/"+s.live.Code+"/v1")
	says(&nameless, "no_public_url", "no_public_url", 503)
}

// What somebody wants to be told on devices is apart from e-mail, and stays where a page does not speak of it.
func TestChoiceOfDevices(t *testing.T) {
	s := newSite(t)
	var c api.NoticeChoice
	s.do("GET", "/account/notices", nil).want(200).into(&c)
	if c.Push != (api.NoticeWish{Late: true, Red: true, Supervise: true}) {
		t.Errorf("at first: %+v", c)
	}
	mail := map[string]any{"language": "zh", "amber": false, "late": true, "red": false, "supervise": false,
		"push": map[string]any{"amber": true, "late": false, "red": true, "supervise": false}}
	s.do("PUT", "/account/notices", mail).want(200).into(&c)
	delete(mail, "push")
	mail["red"] = true
	s.do("PUT", "/account/notices", mail).want(200).into(&c)
	if c.Push != (api.NoticeWish{Amber: true, Red: true}) || !c.Red || !c.Late || c.Supervise {
		t.Errorf("%+v", c)
	}
}
