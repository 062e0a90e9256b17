package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/time/rate"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/policy"
)

// edge is a service behind an edge, asked without a network.
type edge struct {
	t *testing.T
	h http.Handler
}

func (e edge) ask(method, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	e.t.Helper()
	r := httptest.NewRequestWithContext(e.t.Context(), method, "http://localhost"+path, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "192.0.2.1:1234"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	e.h.ServeHTTP(w, r)
	return w
}

// Every answer, of whatever kind, tells browsers what they may not do with it.
func TestSecurityHeaders(t *testing.T) {
	server, live := apptest.Server(t)
	token, _ := apptest.SignIn(t, live.City, apptest.Everything()...)
	e := edge{t, newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock,
		Page: fstest.MapFS{"index.html": {Data: []byte("<html>the page")}, "assets/a.js": {Data: []byte("0")}}})}
	signed := func(r *http.Request) { r.Header.Set("Cookie", "gridgov="+token) }
	for path, status := range map[string]int{"/": 200, "/testcity/": 200, "/assets/a.js": 200, "/assets/none": 404, "/cities": 200, "/nowhere/v1/": 404,
		"/testcity/v1/": 200, "/testcity/v1/docs": 200, "/testcity/v1/openapi.yaml": 200, "/testcity/v1/reports": 200, "/testcity/v1/reports?x=1": 400,
		"/testcity/v1/tiles/heat/99/0/0": 404, "/testcity/v1/tiles/jurisdictions/8/213/105": 200, "/testcity/v1/tiles/heat/8/213/105": 204, "/testcity": 307} {
		w := e.ask("GET", path, signed)
		h := w.Header()
		if w.Code != status {
			t.Errorf("%s: status %d, want %d", path, w.Code, status)
		}
		page := strings.HasPrefix(h.Get("Content-Type"), "text/html") && w.Code == 200
		tile := strings.Contains(path, "/tiles/") && w.Code < 300
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": ""} {
			if !page && slices.Contains([]string{"X-Frame-Options", "Cross-Origin-Opener-Policy"}, name) || tile && name == "Referrer-Policy" {
				want = "" // what is no page has no use for it
			}
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		csp := h.Get("Content-Security-Policy")
		if tile {
			if csp != "" {
				t.Errorf("%s: policy %q of what is no page", path, csp)
			}
			continue
		}
		if len(h["Content-Security-Policy"]) != 1 || !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

// Only a trusted proxy says who the client is; what the client itself wrote before it counts for nothing.
func TestProxies(t *testing.T) {
	server, live := apptest.Server(t)
	e := edge{t, newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock,
		Edge: api.Edge{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}}})}
	token, person := apptest.SignIn(t, live.City, apptest.Post(policy.Desk, apptest.CityArea), apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	for i, c := range []struct{ remote, forwarded, proto, want, scheme string }{
		{"192.0.2.1:1", "", "", "192.0.2.1", "http"},
		{"192.0.2.1:1", "198.51.100.7", "https", "192.0.2.1", "http"}, // nobody's proxy
		{"10.1.1.1:1", "198.51.100.7", "https", "198.51.100.7", "https"},
		{"10.1.1.1:1", "1.2.3.4, 198.51.100.7, 10.2.2.2", "http", "198.51.100.7", "http"}, // two proxies; the first hop is the client's word
		{"10.1.1.1:1", "1.2.3.4, nonsense", "", "10.1.1.1", "http"},
		{"10.1.1.1:1", "", "https", "10.1.1.1", "https"},
		{"[2001:db8:1::5]:1", "2001:db8:9::1", "", "2001:db8:9::1", "http"},
		{"[::ffff:10.1.1.1]:1", "::ffff:198.51.100.7", "", "198.51.100.7", "http"},
	} {
		set := func(r *http.Request) {
			r.RemoteAddr = c.remote
			r.Header.Set("Cookie", "gridgov="+token)
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
		}
		if w := e.ask("DELETE", "/testcity/v1/account/sessions", set); w.Code != http.StatusNoContent {
			t.Fatalf("%d: %d %s", i, w.Code, w.Body)
		}
		page := e.ask("GET", "/testcity/v1/tiles/heat", set).Body.String()
		if !strings.Contains(page, `"`+c.scheme+`://`) {
			t.Errorf("%d: the scheme is not %s: %.200s", i, c.scheme, page)
		}
		if w := e.ask("GET", "/testcity/v1/", set); (w.Header().Get("Strict-Transport-Security") != "") != (c.scheme == "https") {
			t.Errorf("%d: HSTS %q", i, w.Header().Get("Strict-Transport-Security"))
		}
		// The address is on record with what the person does.
		w := e.ask("POST", "/testcity/v1/reports", set, func(r *http.Request) { r.Body = body(aReport(0, 0)) })
		if w.Code != http.StatusCreated {
			t.Fatalf("%d: %d %s", i, w.Code, w.Body)
		}
		list, err := audit.List(t.Context(), live.Pool, audit.Query{Person: person, Act: "report.file", Limit: 1})
		if err != nil || len(list.Rows) != 1 || list.Rows[0].Address != c.want {
			t.Errorf("%d: on record from %+v, want %s (%v)", i, list.Rows, c.want, err)
		}
	}
}

func TestHosts(t *testing.T) {
	server, _ := apptest.Server(t)
	for _, c := range []struct {
		hosts []string
		host  string
		ok    bool
	}{
		{nil, "anything.example", true},
		{[]string{api.LocalHosts}, "localhost:8080", true},
		{[]string{api.LocalHosts}, "[::1]", true},
		{[]string{api.LocalHosts}, "127.9.9.9:80", true},
		{[]string{api.LocalHosts}, "LOCALHOST", true},
		{[]string{api.LocalHosts}, "localhost.evil.example", false},
		{[]string{api.LocalHosts}, "evil.example", false},
		{[]string{api.LocalHosts}, "localhost:", true},
		{[]string{api.LocalHosts}, "localhost:80@evil.example", false}, // evil.example's, in an address
		{[]string{api.LocalHosts}, "localhost:@evil.example", false},
		{[]string{api.LocalHosts}, "localhost:x", false},
		{[]string{"grid.haining.example"}, "grid.haining.example:443", true},
		{[]string{"grid.haining.example"}, "GRID.haining.example.", true},
		{[]string{"grid.haining.example"}, "127.0.0.1", false},
		{[]string{"grid.haining.example"}, "", false},
	} {
		e := edge{t, newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock, Edge: api.Edge{Hosts: c.hosts}})}
		w := e.ask("GET", "/cities", func(r *http.Request) { r.Host = c.host })
		if (w.Code == 200) != c.ok {
			t.Errorf("%v, %q: status %d", c.hosts, c.host, w.Code)
		}
	}
}

// Who asks too much waits; others do not. Of people each is counted, of those who have not signed in each address.
func TestLimits(t *testing.T) {
	s := newSite(t)
	stop := make(chan struct{})
	limits := api.Limits{Rate: rate.Every(time.Hour), Burst: 3, Masses: rate.Every(time.Hour), MassBurst: 5, AtOnce: 4, Streams: 2}
	h := httptest.NewServer(newHandler(t, api.Config{Server: s.server, Log: apptest.Quiet(), Now: apptest.Clock, Stop: stop, Edge: api.Edge{Limits: limits}}))
	t.Cleanup(func() { close(stop); h.Close() })
	slow := *s
	slow.url = h.URL
	slow.router = specRouter(t, h.URL+"/"+s.live.Code+"/v1")
	other, _ := apptest.SignIn(t, s.live.City, apptest.Everything()...)
	for range 3 {
		slow.do("GET", "/", nil).want(200)
	}
	late := slow.do("GET", "/", nil)
	late.problem(429, "too_many_requests", "")
	if late.header.Get("Retry-After") == "" {
		t.Error("nobody tells how long to wait")
	}
	slow.as(other).do("GET", "/", nil).want(200)
	for range 5 {
		slow.do("GET", "/tiles/heat/8/213/105", nil).want(204)
	}
	slow.do("GET", "/tiles/heat/8/213/105", nil).want(429)
	visitor := slow.as("")
	for range 3 {
		visitor.do("GET", "/session", nil).want(200)
	}
	visitor.do("GET", "/session", nil).want(429)
	// A cookie that is none makes a visitor, and so does not help; nor does a token that is none.
	slow.as(strings.Repeat("x", 43)).do("GET", "/session", nil).want(429)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", h.URL+"/testcity/v1/session", nil)
	req.Header.Set("Authorization", "Bearer ggt_"+strings.Repeat("x", 43))
	visitor.send(req).want(429)

	third, _ := apptest.SignIn(t, s.live.City, apptest.Everything()...)
	fourth := slow.as(third)
	for range 2 {
		fourth.stream(t.Context(), "")
	}
	fourth.do("GET", "/events", nil).problem(429, "too_many_requests", "")
	fourth.do("GET", "/", nil).want(200)
	fourth.do("GET", "/", nil).want(429) // the streams took two of three
}

func body(v any) io.ReadCloser {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return io.NopCloser(bytes.NewReader(b))
}
