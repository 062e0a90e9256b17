package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/api"
	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// site is the API over a small city; every answer is held against openapi.yaml.
type site struct {
	t      *testing.T
	url    string
	server *app.Server
	live   *app.Live
	router routers.Router
	token  string // of the session that requests come with; "": a visitor's
}

func newSite(t *testing.T) *site { return newSiteAt(t, apptest.Clock) }

func newSiteAt(t *testing.T, clock func() time.Time) *site {
	t.Helper()
	server, live := apptest.ServerAt(t, clock)
	return siteOf(t, server, live, clock)
}

func siteOf(t *testing.T, server *app.Server, live *app.Live, clock func() time.Time) *site {
	t.Helper()
	stop := make(chan struct{})
	h := httptest.NewServer(newHandler(t, api.Config{Server: server, Log: apptest.Quiet(), Now: clock, Stop: stop, Edge: api.Edge{Hosts: []string{api.LocalHosts}, Limits: api.NoLimits}}))
	t.Cleanup(func() { close(stop); h.Close() })
	s := &site{t: t, url: h.URL, server: server, live: live}
	s.router = specRouter(t, h.URL+"/"+live.Code+"/v1")
	s.token, _ = apptest.SignIn(t, live.City, apptest.Everything()...)
	return s
}

// as is the site for somebody else.
func (s *site) as(token string) *site {
	other := *s
	other.token = token
	return &other
}

func newHandler(t *testing.T, cfg api.Config) http.Handler {
	t.Helper()
	h, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func specRouter(t *testing.T, base string) routers.Router {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	doc.Servers = openapi3.Servers{{URL: base}}
	r, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answer is a response read to its end.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

func (s *site) do(method, path string, body any) answer {
	s.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		r = bytes.NewReader(j)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/"+s.live.Code+"/v1"+path, r)
	if err != nil {
		s.t.Fatal(err)
	}
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return s.send(req)
}

// asIs gives answers as they are, also those that lead elsewhere.
var asIs = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (s *site) send(req *http.Request) answer {
	s.t.Helper()
	if s.token != "" {
		req.Header.Set("Cookie", "gridgov="+s.token)
	}
	resp, err := asIs.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.conform(req, resp, b)
	return answer{s.t, resp.StatusCode, resp.Header, b}
}

// conform holds an answer against the description.
func (s *site) conform(req *http.Request, resp *http.Response, body []byte) {
	s.t.Helper()
	route, params, err := s.router.FindRoute(req)
	if err != nil {
		return // outside of what is described, on purpose
	}
	err = openapi3filter.ValidateResponse(s.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route, PathParams: params},
		Status:                 resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: strings.Contains(resp.Header.Get("Content-Type"), "mapbox") || strings.HasPrefix(resp.Header.Get("Content-Type"), "image/") || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/calendar") || slices.Contains([]string{"application/yaml", "application/vnd.pmtiles", "application/x-ndjson"}, resp.Header.Get("Content-Type"))},
	})
	if err != nil {
		s.t.Errorf("%s %s: %v", req.Method, req.URL, err)
	}
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
}

func (a answer) problem(status int, code, field string) {
	a.t.Helper()
	a.want(status)
	var p api.Problem
	a.into(&p)
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		a.t.Errorf("content type %q", ct)
	}
	got := ""
	if p.Field != nil {
		got = *p.Field
	}
	if p.Code != code || got != field || p.Status != status {
		a.t.Errorf("problem %d %q field %q, want %d %q field %q: %s", p.Status, p.Code, got, status, code, field, a.body)
	}
}

// filing is a report as a client writes it.
type filing map[string]any

func aReport(x, y int, more ...filing) filing {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err)
	}
	p := apptest.Center(x, y)
	f := filing{"id": id.String(), "source": "web", "captured_at": "2026-11-24T07:00:00Z", "item": "01", "lon": p[0], "lat": p[1]}
	for _, m := range more {
		for k, v := range m {
			if v == nil {
				delete(f, k)
			} else {
				f[k] = v
			}
		}
	}
	return f
}

func (s *site) file(f filing) api.Report {
	s.t.Helper()
	var r api.Report
	s.do("POST", "/reports", f).want(http.StatusCreated).into(&r)
	return r
}

func TestRoutesAreThoseDescribed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	for _, r := range api.Routes() {
		if r == "GET /docs" || r == "GET /tiles/jurisdictions/{z}/{x}/{y}" { // the description's own page; one of the layers
			continue
		}
		if !described[r] {
			t.Errorf("%s is served but not described", r)
		}
		delete(described, r)
	}
	for r := range described {
		t.Errorf("%s is described but not served", r)
	}
}

func TestFilingPlacesAndIsIdempotent(t *testing.T) {
	s := newSite(t)
	f := aReport(1, 2, filing{"title": "秸秆焚烧", "kind": "problem",
		"reporter": filing{"name": "王某", "phone": "13800000000", "email": "wang@example.com", "home": []float64{120.61, 30.52}}})
	a := s.do("POST", "/reports", f).want(http.StatusCreated)
	var r api.Report
	a.into(&r)
	if r.Placement.Method != "inside" || r.Placement.Grid == nil || r.Placement.Grid.Code != apptest.GridCode(1, 2) ||
		r.Placement.Village.Code != apptest.VillageCode(0, 1) || r.Placement.Town.Name != "许村镇" || r.Placement.Rule != "inside" || r.Placement.Plan != "first" {
		t.Errorf("placement %+v", r.Placement)
	}
	if r.Beidou == nil || len(*r.Beidou) != 20 {
		t.Errorf("beidou %v", r.Beidou)
	}
	if loc := a.header.Get("Location"); loc != "/testcity/v1/reports/"+f["id"].(string) {
		t.Errorf("location %q", loc)
	}
	if strings.Contains(string(a.body), "王某") || strings.Contains(string(a.body), "1380000") {
		t.Error("the reporter is shown")
	}
	who, err := s.live.Contacts.Unmask(t.Context(), report.Num(r.Num), "a test looks")
	if err != nil || who.Name != "王某" || who.Phone != "13800000000" || who.Email != "wang@example.com" || who.Home == nil || *who.Home != (orb.Point{120.61, 30.52}) {
		t.Errorf("told by %+v, %v", who, err)
	}
	var again api.Report
	s.do("POST", "/reports", f).want(http.StatusOK).into(&again)
	if again.Num != r.Num {
		t.Errorf("sent again it became number %d, was %d", again.Num, r.Num)
	}
	f["title"] = "另一件事"
	s.do("POST", "/reports", f).problem(http.StatusConflict, "other_content", "id")

	var byNum, byID api.Report
	s.do("GET", "/reports/"+f["id"].(string), nil).want(200).into(&byID)
	s.do("GET", "/reports/1", nil).want(200).into(&byNum)
	if byID.Num != r.Num || byNum.Id != r.Id || *byID.Title != "秸秆焚烧" {
		t.Errorf("read back %+v, %+v", byID, byNum)
	}
	s.do("GET", "/reports/999", nil).problem(404, "not_found", "")
	s.do("GET", "/reports/nonsense", nil).problem(400, "bad_uuid", "id")
}

func TestHostileReportsAreRefusedByField(t *testing.T) {
	s := newSite(t)
	for name, c := range map[string]struct {
		body        any
		status      int
		code, field string
	}{
		"not JSON":        {"{", 400, "not_json", ""},
		"duplicate key":   {`{"id":"a","id":"b"}`, 400, "duplicate_key", "id"},
		"unknown field":   {aReport(0, 0, filing{"colour": "red"}), 400, "unknown_field", "colour"},
		"NaN":             {`{"id":"0198c0de-0000-7000-8000-000000000001","source":"web","captured_at":"2026-11-24T07:00:00Z","item":"01","lon":NaN,"lat":30.5}`, 400, "not_json", "lon"},
		"swapped":         {aReport(0, 0, filing{"lon": 30.51, "lat": 120.61}), 400, "swapped", "lon"},
		"out of range":    {aReport(0, 0, filing{"lon": 190.0, "lat": 30.5}), 400, "out_of_range", "lon"},
		"projected":       {aReport(0, 0, filing{"lon": 40560000.0, "lat": 3376000.0}), 400, "projected", "lon"},
		"half a point":    {aReport(0, 0, filing{"lat": nil}), 400, "half_a_point", "lat"},
		"no place":        {aReport(0, 0, filing{"lon": nil, "lat": nil}), 400, "no_place", "lon"},
		"unknown item":    {aReport(0, 0, filing{"item": "99"}), 400, "unknown_item", "item"},
		"unknown source":  {aReport(0, 0, filing{"source": "pigeon"}), 400, "unknown_value", "source"},
		"unknown kind":    {aReport(0, 0, filing{"kind": "wish"}), 400, "unknown_value", "kind"},
		"unknown crs":     {aReport(0, 0, filing{"crs": "EPSG:999999"}), 400, "unknown_crs", "crs"},
		"NUL in text":     {aReport(0, 0, filing{"text": "a\x00b"}), 400, "control_character", "text"},
		"long title":      {aReport(0, 0, filing{"title": strings.Repeat("长", 201)}), 400, "too_long", "title"},
		"far future":      {aReport(0, 0, filing{"captured_at": "2027-01-01T00:00:00Z"}), 400, "in_the_future", "captured_at"},
		"no number":       {aReport(0, 0, filing{"reporter": filing{"phone": "ask my wife"}}), 400, "bad_phone", "reporter.phone"},
		"no address":      {aReport(0, 0, filing{"reporter": filing{"email": "wang"}}), 400, "bad_email", "reporter.email"},
		"half a home":     {aReport(0, 0, filing{"reporter": filing{"home": []float64{30.5}}}), 400, "bad_point", "reporter.home"},
		"no home":         {aReport(0, 0, filing{"reporter": filing{"home": []float64{1, 91}}}), 400, "out_of_range", "reporter.home"},
		"unknown of whom": {aReport(0, 0, filing{"reporter": filing{"id_card": "1"}}), 400, "unknown_field", "reporter.id_card"},
		"negative radius": {aReport(0, 0, filing{"accuracy_m": -1}), 400, "out_of_range", "accuracy_m"},
		"too large":       {`{"text":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "too_large", ""},
		"bad id":          {aReport(0, 0, filing{"id": "00000000-0000-0000-0000-000000000000"}), 400, "bad_uuid", "id"},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			s.do("POST", "/reports", c.body).problem(c.status, c.code, c.field)
		})
	}
	var page api.ReportPage
	s.do("GET", "/reports", nil).want(200).into(&page)
	if len(page.Reports) != 0 {
		t.Errorf("%d reports are kept of refused ones", len(page.Reports))
	}
}

func TestBatchStandsEachForItself(t *testing.T) {
	s := newSite(t)
	good, bad := aReport(0, 0), aReport(0, 0, filing{"item": "99"})
	var out struct{ Results []api.BatchResult }
	s.do("POST", "/reports/batch", map[string]any{"reports": []any{good, bad, good, aReport(3, 3)}}).want(200).into(&out)
	if len(out.Results) != 4 {
		t.Fatalf("%d results", len(out.Results))
	}
	first, third := out.Results[0].Status, out.Results[2].Status
	if first != 201 || third != 200 || out.Results[1].Status != 400 || out.Results[3].Status != 201 {
		t.Errorf("statuses %v %v %v %v", first, out.Results[1].Status, third, out.Results[3].Status)
	}
	if p := out.Results[1].Problem; p == nil || p.Code != "unknown_item" {
		t.Errorf("problem %+v", p)
	}
	if got := out.Results[3].Report.Placement.Grid.Code; got != apptest.GridCode(3, 3) {
		t.Errorf("the fourth lies in %s", got)
	}
	many := make([]any, 501)
	for i := range many {
		many[i] = aReport(0, 0)
	}
	s.do("POST", "/reports/batch", map[string]any{"reports": many}).problem(400, "out_of_range", "reports")
}

func TestListFiltersAndPages(t *testing.T) {
	s := newSite(t)
	for i := range 10 {
		s.file(aReport(i%4, i/4, filing{"captured_at": time.Date(2026, 11, 1+i/2, 0, 0, 0, 0, time.UTC).Format(time.RFC3339), "item": []string{"01", "02"}[i%2]}))
	}
	seen := map[int]bool{}
	path, pages, lastAt := "/reports?limit=3", 0, time.Now().AddDate(10, 0, 0)
	for {
		var page api.ReportPage
		s.do("GET", path, nil).want(200).into(&page)
		for _, r := range page.Reports {
			if seen[r.Num] || r.CapturedAt.After(lastAt) {
				t.Errorf("number %d comes again or out of order", r.Num)
			}
			seen[r.Num], lastAt = true, r.CapturedAt
		}
		pages++
		if page.Next == nil {
			break
		}
		path = "/reports?limit=3&after=" + url.QueryEscape(*page.Next)
	}
	if len(seen) != 10 || pages != 4 {
		t.Errorf("%d reports on %d pages", len(seen), pages)
	}
	s.settle() // a part of the map is listed by the cube's help
	for query, want := range map[string]int{
		"item=01": 5, "item=01,02": 10, "item=77": 0, "kind=none": 10, "kind=conflict": 0, "source=web": 10, "source=phone": 0,
		"from=2026-11-02": 8 /* midnight in Shanghai */, "from=2026-11-02T00:00:00Z": 8, "to=2026-11-02T00:00:00Z": 2,
		"grid=" + apptest.GridCode(0, 0): 1, "village=" + apptest.VillageCode(0, 0): 4, "town=330481101": 10,
		"method=inside": 10, "method=unplaced": 0, "bbox=120.6,30.5,120.61,30.6": 3, "id=1,2": 2,
	} {
		var page api.ReportPage
		s.do("GET", "/reports?limit=500&"+query, nil).want(200).into(&page)
		if len(page.Reports) != want {
			t.Errorf("%s gives %d, want %d", query, len(page.Reports), want)
		}
	}
	for query, field := range map[string]string{
		"color=red": "color", "q=%26%7C%21": "q", "q=%00": "q", "q=" + strings.Repeat("x", 10_000): "q", "q=" + strings.Repeat("a+", 17): "q", "q=%ff": "q", "q=%27%29+%7C+%28%27": "q", "colour=blue": "colour", "state=done": "state", "settled_by=me": "settled_by", "team=x": "team", "team=0": "team", "limit=0": "limit", "limit=x": "limit", "item=01&item=02": "item", "from=yesterday": "from",
		"bbox=1,2,3": "bbox", "bbox=NaN,1,2,3": "bbox", "bbox=0x1,1,2,3": "bbox", "bbox=1_0,1,20,3": "bbox", "kind=": "", "after=!!": "after", "method=magic": "method", "from=2026-11-02T00:00:00.5Z": "from",
	} {
		a := s.do("GET", "/reports?"+query, nil)
		if field == "" {
			a.want(200)
			continue
		}
		var p api.Problem
		a.want(400).into(&p)
		if p.Field == nil || *p.Field != field {
			t.Errorf("%s: %s", query, a.body)
		}
	}
}
