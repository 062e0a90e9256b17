package api_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
)

// One line a request, with the status and without query or body; of tiles only what went wrong, unless one asks for more.
func TestLogOfRequests(t *testing.T) {
	server, live := apptest.Server(t)
	token, _ := apptest.SignIn(t, live.City, apptest.Everything()...)
	for level, want := range map[slog.Level]string{
		slog.LevelInfo:  "GET / 200,GET /tiles/{layer}/{z}/{x}/{y} 404,GET /reports 400,",
		slog.LevelDebug: "GET / 200,GET /tiles/jurisdictions/{z}/{x}/{y} 200,GET /tiles/{layer}/{z}/{x}/{y} 404,GET /reports 400,",
	} {
		var log bytes.Buffer
		h := newHandler(t, api.Config{Server: server, Now: apptest.Clock, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == "route" || a.Key == "status" {
					return a
				}
				if strings.Contains(a.Value.String(), "secret") {
					t.Errorf("the log holds %v", a)
				}
				return slog.Attr{}
			}}))})
		for _, path := range []string{"/", "/tiles/jurisdictions/0/0/0", "/tiles/heat/99/0/0?item=secret", "/reports?secret=1"} {
			r := httptest.NewRequest(http.MethodGet, "/"+live.Code+"/v1"+path, http.NoBody)
			r.Host = "localhost"
			r.AddCookie(&http.Cookie{Name: "gridgov", Value: token})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			_, _ = io.Copy(io.Discard, w.Body)
		}
		got := strings.NewReplacer(`route="`, "", `" status=`, " ", "\n", ",").Replace(log.String())
		if got != want {
			t.Errorf("%v: %s\nwant %s", level, got, want)
		}
	}
}
