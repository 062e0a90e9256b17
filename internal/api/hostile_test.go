package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
)

// Text that no database takes is refused by the parameter's name, wherever it stands.
func TestTextThatIsNoText(t *testing.T) {
	s := newSite(t)
	for _, bad := range []string{"%00", "%FF", "a%0Ab", "%ED%A0%80", "%1b"} {
		for _, path := range []string{"/reports?grid=", "/reports?item=", "/reports?bbox=120,30,121,31&village=", "/counts?item=", "/search?q=", "/tiles/heat/1/0/0?item=", "/reports?after="} {
			name := path[strings.LastIndexAny(path, "?&")+1 : len(path)-1]
			s.do("GET", path+bad, nil).problem(400, "bad_encoding", name)
		}
		s.do("GET", "/reports?"+bad+"=1", nil).problem(400, "bad_encoding", "query")
		s.do("GET", "/jurisdictions/town/"+bad, nil).want(404)
		s.do("GET", "/reports/"+bad, nil).want(400)
		s.do("GET", "/plans?x="+bad, nil).want(400)
	}
}

// A method that a path does not take is answered with those that it does; a path that is none, with 404 for any method.
func TestMethodsAndPaths(t *testing.T) {
	s := newSite(t)
	for request, allow := range map[string]string{
		"DELETE /reports": "GET, HEAD, POST", "OPTIONS /reports": "GET, HEAD, POST", "GET /reports/1/position": "PUT", "PUT /reports/1": "GET, HEAD",
		"POST /": "GET, HEAD", "POST /tiles/heat/1/0/0": "GET, HEAD", "PATCH /reports/batch": "POST, GET, HEAD",
	} {
		method, path, _ := strings.Cut(request, " ")
		a := s.do(method, path, nil)
		a.problem(405, "method_not_allowed", "")
		if got := a.header.Get("Allow"); got != allow {
			t.Errorf("%s: Allow is %q, want %q", request, got, allow)
		}
	}
	for _, request := range []string{"POST /nothing", "GET /nothing", "DELETE /reports/1/position/2", "GET /tiles/heat/1"} {
		method, path, _ := strings.Cut(request, " ")
		s.do(method, path, nil).problem(404, "not_found", "")
	}
}

// Only JSON in UTF-8 as it is: all else is refused by name.
func TestFormsOfBodies(t *testing.T) {
	s := newSite(t)
	for header, field := range map[string]string{
		"Content-Type: text/plain": "Content-Type", "Content-Type: application/json; charset=gbk": "Content-Type", "Content-Type: ;": "Content-Type",
		"Content-Encoding: gzip":                        "Content-Encoding",
		"Content-Type: application/json; charset=UTF-8": "", "Content-Type: application/json": "", "Content-Encoding: identity": "",
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/"+s.live.Code+"/v1/reports", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
		a := s.send(req)
		if field == "" {
			a.want(400) // it was read
			continue
		}
		var p api.Problem
		a.want(415).into(&p)
		if p.Field == nil || *p.Field != field {
			t.Errorf("%s: %s", header, a.body)
		}
	}
	s.do("POST", "/reports", `{"id":"0198c0de-0000-7000-8000-000000000001","lon":1e999}`).problem(400, "out_of_range", "lon")
}

// A report that cannot even be read holds up none of the others.
func TestBatchWithWhatIsNoReport(t *testing.T) {
	s := newSite(t)
	bad := map[string]any{
		"captured_at": aReport(0, 0, filing{"captured_at": "2016-08-01 12:00"}), "colour": aReport(0, 0, filing{"colour": "red"}),
		"lon": aReport(0, 0, filing{"lon": "east"}), "": 7,
	}
	reports, fields := []any{aReport(1, 1)}, []string{"-"}
	for field, r := range bad {
		reports, fields = append(reports, r), append(fields, field)
	}
	reports, fields = append(reports, aReport(2, 2)), append(fields, "-")
	var out struct{ Results []api.BatchResult }
	s.do("POST", "/reports/batch", map[string]any{"reports": reports}).want(200).into(&out)
	for i, field := range fields {
		r := out.Results[i]
		switch {
		case field == "-":
			if r.Status != 201 {
				t.Errorf("the good one at %d: %d", i, r.Status)
			}
		case r.Status != 400 || r.Problem == nil || (field != "") != (r.Problem.Field != nil) || field != "" && *r.Problem.Field != field:
			t.Errorf("%s: %d %+v", field, r.Status, r.Problem)
		}
	}
	s.do("POST", "/reports/batch", `{"reports":[{"id":"1","id":"2"}]}`).problem(400, "duplicate_key", "reports[0].id")
}

// A report is in a list of its part of the map as soon as it was acknowledged, while others are filed all the time.
func TestListOfAPartHasWhatWasAcknowledged(t *testing.T) {
	s := newSite(t)
	done := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
					s.file(aReport(w, i%4))
				}
			}
		})
	}
	for range 40 {
		r := s.file(aReport(3, 3))
		p := apptest.Center(3, 3)
		var page api.ReportPage
		s.do("GET", fmt.Sprintf("/reports?limit=5&bbox=%f,%f,%f,%f&from=2026-11-24T06:59:59Z", p[0]-.001, p[1]-.001, p[0]+.001, p[1]+.001), nil).want(200).into(&page)
		if len(page.Reports) == 0 || page.Reports[0].Num != r.Num {
			t.Errorf("report %d is not the first of its part", r.Num)
		}
	}
	close(done)
	writers.Wait()
}

// Reports without a point are counted under the same filters, by themselves: with them a list is as long as the counts say.
func TestCountsTellOfReportsWithoutAPoint(t *testing.T) {
	s := newSite(t)
	for i := range 6 {
		f := aReport(i%4, 1, filing{"item": []string{"01", "02"}[i%2]})
		if i < 4 {
			f["lon"], f["lat"], f["address"] = nil, nil, "no such place"
			delete(f, "lon")
			delete(f, "lat")
		}
		s.file(f)
	}
	s.settle()
	for _, query := range []string{"", "item=01", "item=02", "kind=none", "kind=conflict", "source=phone", "to=2026-11-24T07:00:00Z", "from=2026-11-24T07:00:00Z"} {
		var counts api.Counts
		var page api.ReportPage
		s.do("GET", "/counts?"+query, nil).want(200).into(&counts)
		s.do("GET", "/reports?limit=500&"+query, nil).want(200).into(&page)
		if counts.Total+counts.Nowhere != len(page.Reports) {
			t.Errorf("%q: %d and %d without a point are counted, %d listed", query, counts.Total, counts.Nowhere, len(page.Reports))
		}
	}
}

// A HEAD of the stream ends with its headers.
func TestHeadOfTheStreamEnds(t *testing.T) {
	s := newSite(t)
	client := &http.Client{Timeout: 10 * time.Second}
	for range 2 { // the second on the same connection
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, s.url+"/"+s.live.Code+"/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", "gridgov="+s.token)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
	}
}

// What asks the database is answered in time though it stands still; tiles need none.
func TestAnswersWhileTheDatabaseStandsStill(t *testing.T) {
	server, live := apptest.Server(t)
	h := newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: apptest.Clock, AnswerTime: 300 * time.Millisecond})
	token, _ := apptest.SignIn(t, live.City, apptest.Everything()...)
	tx, err := live.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `LOCK TABLE report, placement IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	for path, status := range map[string]int{"/reports": 503, "/reports/1": 503, "/counts": 503, "/tiles/heat/1/0/0": 204, "/search?q=" + url.QueryEscape("村"): 200} {
		r := httptest.NewRequest(http.MethodGet, "/"+live.Code+"/v1"+path, http.NoBody)
		r.Host = "localhost"
		r.AddCookie(&http.Cookie{Name: "gridgov", Value: token})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%s: %d, want %d: %s", path, w.Code, status, w.Body)
		}
	}
}

// A report in another quadrant has no BeiDou code: null, not another quadrant's.
func TestBeidouCodeIsNullElsewhere(t *testing.T) {
	s := newSite(t)
	for lon, want := range map[float64]bool{-77.03: false, 120.605: true} {
		r := s.file(aReport(0, 0, filing{"lon": lon, "lat": 38.9}))
		if (r.Beidou != nil) != want {
			t.Errorf("at %v the code is %v", lon, r.Beidou)
		}
	}
}
