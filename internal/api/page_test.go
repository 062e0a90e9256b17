package api_test

import (
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
