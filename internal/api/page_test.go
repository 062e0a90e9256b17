package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
)

// Who opens a city that is none gets the page, which says so, and 404; a program gets a problem document.
func TestPageOfNoCity(t *testing.T) {
	server, live := apptest.Server(t)
	h := newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock, Page: fstest.MapFS{"index.html": {Data: []byte("<html>the page")}}})
	for _, c := range []struct {
		path, accept string
		status       int
		page         bool
	}{
		{"/" + live.Code + "/", "text/html,*/*", 200, true},
		{"/" + live.Code + "/", "", 200, true},
		{"/nowhere/", "text/html,application/xhtml+xml", 404, true},
		{"/nowhere/reports/1", "text/html", 404, true},
		{"/nowhere/", "application/json", 404, false},
		{"/nowhere/", "", 404, false},
		{"/nowhere/v1/reports", "text/html", 404, false},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, http.NoBody)
		r.Host = "localhost"
		r.Header.Set("Accept", c.accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if page := strings.Contains(w.Body.String(), "the page"); w.Code != c.status || page != c.page {
			t.Errorf("%s for %q: %d, the page: %v", c.path, c.accept, w.Code, page)
		}
	}
}

// The phone app is a page of its own; its worker answers for its folder alone, and both are asked for anew each time.
func TestFieldPage(t *testing.T) {
	server, live := apptest.Server(t)
	h := newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock, Page: fstest.MapFS{
		"index.html": {Data: []byte("<html>the page")}, "field.html": {Data: []byte("<html>the phone")}, "field-worker.js": {Data: []byte("/*the worker*/")}}})
	for path, want := range map[string]struct {
		status           int
		body, mime, rule string
	}{
		"/" + live.Code + "/field/":          {200, "the phone", "text/html; charset=utf-8", "manifest-src 'self'"},
		"/" + live.Code + "/field":           {308, "", "", ""},
		"/" + live.Code + "/field/worker.js": {200, "/*the worker*/", "text/javascript; charset=utf-8", "default-src 'none'; script-src 'self'; connect-src 'self'"},
		"/" + live.Code + "/fields":          {200, "the page", "text/html; charset=utf-8", ""},
		"/nowhere/field/":                    {404, "the phone", "text/html; charset=utf-8", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		r.Host = "localhost"
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.body) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if want.status == 308 {
			continue
		}
		if head := w.Header(); head.Get("Content-Type") != want.mime || !strings.Contains(head.Get("Content-Security-Policy"), want.rule) || head.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", path, head)
		}
	}
	bare := newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock})
	r := httptest.NewRequest(http.MethodGet, "/"+live.Code+"/field/worker.js", http.NoBody)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	if bare.ServeHTTP(w, r); w.Code != 404 {
		t.Errorf("a worker of no page: %d", w.Code)
	}
}

// A phone that has the app installed calls it by the city's name, in the city's own writing.
func TestFieldManifest(t *testing.T) {
	server, live := apptest.Server(t)
	h := newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock})
	get := func(city string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/"+city+"/field/manifest.webmanifest", http.NoBody)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	w := get(live.Code)
	var m struct {
		ID, Name, Scope string
		Start           string `json:"start_url"`
		Short           string `json:"short_name"`
		Icons           []struct{ Src, Sizes, Purpose string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/manifest+json" {
		t.Fatalf("%v: %d %v %s", err, w.Code, w.Header(), w.Body)
	}
	at := "/" + live.Code + "/field/"
	if m.ID != at || m.Start != at || m.Scope != at || m.Name != live.Name || m.Short != live.Name || len(m.Icons) != 3 {
		t.Errorf("%+v of %q", m, live.Name)
	}
	if w := get("nowhere"); w.Code != 404 {
		t.Errorf("of no city: %d", w.Code)
	}
}
