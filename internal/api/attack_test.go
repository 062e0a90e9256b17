package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"gridgov/internal/api"
	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// with is a request with headers as they are; the session's cookie is not added.
func (s *site) with(method, path, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/"+s.live.Code+"/v1"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	return s.as("").send(req)
}

// What a phone kept for one person is not taken from whoever has signed in on it since.
func TestNobodyTellsAnothersAsTheirs(t *testing.T) {
	s := newSite(t)
	token, worker := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	other, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	told, err := json.Marshal(aReport(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	tell := func(session, named string) answer {
		return s.with("POST", "/reports", string(told), "Cookie: gridgov="+session, "Content-Type: application/json", "Gridgov-Person: "+named)
	}
	tell(other, worker.String()).problem(401, "somebody_else", "")
	tell(token, "nobody").problem(401, "somebody_else", "")
	tell(token, worker.String()).want(201)
}

// A cookie that is none of ours, however long, or that comes twice, makes a visitor and no fault of the service's.
func TestOddCookies(t *testing.T) {
	s := newSite(t)
	s.with("GET", "/account", "", "Cookie: gridgov="+s.token).want(200)
	for name, cookies := range map[string][]string{
		"a header of 20 kB": {"Cookie: gridgov=" + strings.Repeat("x", 20_000)},
		"of many names":     {"Cookie: " + strings.Repeat("a=b; ", 2_000) + "gridgov=x"},
		"a value of 5 kB":   {"Cookie: gridgov=" + s.token + strings.Repeat("x", 5_000)},
		"twice":             {"Cookie: gridgov=" + s.token + "; gridgov=" + s.token},
		"in two headers":    {"Cookie: gridgov=" + s.token, "Cookie: gridgov=" + strings.Repeat("y", 43)},
		"empty":             {"Cookie: gridgov="},
		"empty and ours":    {"Cookie: gridgov=; gridgov=" + s.token},
		"no name":           {"Cookie: =" + s.token},
		"no header at all":  {"Cookie: "},
		"no UTF-8":          {"Cookie: gridgov=\xff\xfe" + s.token},
		"of SQL":            {"Cookie: gridgov=' OR 1=1 --"},
		"all of ours":       {"Cookie: gridgov=" + strings.Repeat("x", 5_000) + "; gridgov_device=" + strings.Repeat("x", 5_000) + "; gridgov_oidc=" + strings.Repeat("x", 5_000)},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			var in api.Session
			s.with("GET", "/session", "", cookies...).want(200).into(&in)
			if in.SignedIn {
				t.Error("somebody is signed in")
			}
			s.with("GET", "/account", "", cookies...).problem(401, "sign_in", "")
			s.with("GET", "/reports", "", cookies...).problem(401, "sign_in", "")
			s.with("POST", "/session", fmt.Sprintf(`{"login":"nobody%d","password":"no such password"}`, len(name)), cookies...).want(401)
			s.with("POST", "/session/oidc", `{"code":"123456"}`, cookies...).want(401)
			s.with("GET", "/session/oidc/callback?state=x&code=y", "", cookies...).want(303)
			s.with("DELETE", "/session", "", cookies...).want(204)
		})
	}
	s.with("GET", "/account", "", "Cookie: gridgov="+s.token).want(200) // nobody else signed out
}

// What a client sends comes back in no header, whatever ends of lines it holds.
func TestHeadersAreNotInjected(t *testing.T) {
	d := newDoor(t)
	e := edge{t, newHandler(t, api.Config{Server: d.server, Log: apptest.Quiet(), Now: d.now})}
	const evil = "x\r\nX-Evil: 1\r\n\r\n<html>"
	quoted := url.QueryEscape(evil)
	signed := func(r *http.Request) {
		r.Header.Set("Cookie", "gridgov="+d.token)
		r.Header.Set("User-Agent", evil)
		r.Header.Set("X-Forwarded-For", evil)
		r.Header.Set("X-Forwarded-Proto", evil)
		r.Header.Set("X-Forwarded-Host", evil)
		r.Header.Set("Origin", "http://localhost")
		r.Header.Set("If-None-Match", evil)
		r.Header.Set("Accept-Encoding", evil)
		r.Header.Set("Content-Disposition", `attachment; filename="`+evil+`"`)
	}
	hosted := func(r *http.Request) { r.Host = "localhost" + evil; r.Header.Del("Origin") }
	home := "/" + d.live.Code
	login, _ := json.Marshal(map[string]string{"login": evil, "password": evil, "code": evil})
	for _, request := range []string{"GET " + home + "/v1/session/oidc", "GET " + home + "/v1/session/oidc?to=" + quoted, "GET " + home + "/v1/session/oidc?to=" + home + "/" + quoted,
		"GET " + home + "/v1/session/oidc?to=" + home + "/" + url.QueryEscape(quoted), "GET " + home + "/v1/session/oidc/callback?state=" + quoted + "&code=" + quoted + "&error=" + quoted + "&iss=" + quoted,
		"POST " + home + "/v1/session", "POST " + home + "/v1/session/oidc", "GET " + home + "/v1/audit.csv?act=" + quoted, "GET " + home + "/v1/people/template.csv?lang=" + quoted,
		"POST " + home + "/v1/people/import?preview=true", "GET /" + url.PathEscape(evil), "GET /" + url.PathEscape(evil) + "/", "GET /" + url.PathEscape(evil) + "/v1", "GET /assets/" + url.PathEscape(evil),
		"GET " + home + "/v1/reports/" + url.PathEscape(evil), "DELETE " + home + "/v1/" + url.PathEscape(evil), "GET " + home + "/v1/tiles/heat", "GET " + home + "/" + url.PathEscape(evil),
		"GET " + home + "//" + url.PathEscape(evil), "GET " + home + "/./" + url.PathEscape(evil), "GET " + home + "/v1/session", "GET " + home + "/v1/basemap.pmtiles"} {
		method, path, _ := strings.Cut(request, " ")
		for _, change := range []func(*http.Request){signed, func(r *http.Request) { signed(r); hosted(r) }} {
			w := e.ask(method, path, change, func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader(login)) })
			if w.Code >= 500 {
				t.Errorf("%s: %d %.200s", request, w.Code, w.Body)
			}
			for name, values := range w.Header() {
				if text := name + strings.Join(values, "|"); strings.ContainsAny(text, "\r\n") || name == "X-Evil" {
					t.Errorf("%s: the header %s: %q", request, name, values)
				}
			}
		}
	}
}

// Text that is no text in a header or a form is refused or cleaned before the database sees it.
func TestSignInWithWhatIsNoText(t *testing.T) {
	d := newDoor(t)
	_, password, err := d.live.Auth.CreateUser(t.Context(), person.New{Name: "人"}, auth.NewAccount{Login: "wang"}, person.Post{Role: policy.GridWorker, Area: apptest.GridArea(0, 0)})
	d.ok(err)
	for _, agent := range []string{"\xff\xfe", "a\tb", strings.Repeat("长", 5_000), "' OR 1=1 --"} {
		in, _ := json.Marshal(map[string]string{"login": "wang", "password": password})
		d.site.with("POST", "/session", string(in), "User-Agent: "+agent).want(200)
	}
	for _, login := range []string{`\u0000`, `wang\u0000`, `\ud800`, "wang\xff", `' OR 1=1 --`, `wang' --`, `%`, `_ang`, strings.Repeat("w", 10_000)} {
		for _, in := range []string{`{"login":"` + login + `","password":"x"}`, `{"login":"wang","password":"` + login + `"}`, `{"login":"wang","password":"x","code":"` + login + `"}`} {
			if a := d.site.with("POST", "/session", in); a.status != 400 && a.status != 401 && a.status != 429 {
				t.Errorf("%.80s: %d %s", in, a.status, a.body)
			}
		}
	}
}

// words are what is tried on a database.
var words = []string{`' OR 1=1 --`, `x' OR 'x'='x`, `1) OR (1=1`, `1; DROP TABLE report; --`, `" OR ""="`, `' UNION SELECT login, hash FROM account --`, `%`, `_`, `%' OR name LIKE '%`,
	`\' OR 1=1 --`, `$1`, `'::int`, `pg_sleep(9)`, `{"$ne":null}`, `-1`, `0`, `9223372036854775807`, `9223372036854775808`, `2147483648`, `1e9`}

// elements counts the objects in the lists of an answer, however deep.
func elements(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, w := range v {
			n += elements(w)
		}
	case []any:
		for _, w := range v {
			if _, ok := w.(map[string]any); ok {
				n++
			}
			n += elements(w)
		}
	}
	return n
}

func rows(body []byte) int {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return bytes.Count(body, []byte("\n")) // a table
	}
	return elements(v)
}

// plainAnswer asks without holding the answer against the description; of a stream it reads nothing.
func (s *site) plainAnswer(method, path, body string, unending bool) (status int, text []byte) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+"/"+s.live.Code+"/v1"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Cookie", "gridgov="+s.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := asIs.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if !unending {
		if text, err = io.ReadAll(resp.Body); err != nil {
			s.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return resp.StatusCode, text
}

func description(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// queryOf are the names of the query's parameters of a route, as described.
func queryOf(doc *openapi3.T, r api.Route) (names []string) {
	item := doc.Paths.Value(r.Path)
	if item == nil || item.GetOperation(r.Method) == nil {
		return nil
	}
	for _, list := range []openapi3.Parameters{item.Parameters, item.GetOperation(r.Method).Parameters} {
		for _, p := range list {
			if p.Value.In == "query" {
				names = append(names, p.Value.Name)
			}
		}
	}
	return names
}

// Words of SQL in any parameter and any part of any path are a value like others: never a fault of the service's, never a
// row more than the same request gives without them, and nothing done.
func TestWordsOfSQL(t *testing.T) {
	s := newSite(t)
	const canary = "elsewhere-canary"
	s.file(aReport(0, 0, filing{"title": "here"}))
	far := s.file(aReport(3, 3, filing{"title": canary, "text": canary}))
	p := s.addPerson(nil)
	s.addPost(p, gridPost(3, 3))
	s.settle()
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)), apptest.Post(policy.Administrator, apptest.CityArea))
	narrow, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	doc, asked := description(t), 0
	valid := strings.NewReplacer("{level}", "grid", "{code}", apptest.GridCode(0, 0), "{kind}", "catalogue", "{layer}", "heat", "{size}", "large", "{month}", "2026-10", "{z}", "8", "{x}", "213", "{y}", "105", "{id}", "0", "{run}", "1", "{post}", "0")
	needs := map[string]string{"/locate": "lon=120.605&lat=30.505", "/search": "q=" + url.QueryEscape("网格")}
	type one struct {
		route   api.Route
		path    string
		without string // the same, without the words
		word    string
	}
	var all []one
	for _, r := range api.RouteTable() {
		parts := strings.Split(r.Path, "/")
		for i, part := range parts {
			if !strings.HasPrefix(part, "{") {
				continue
			}
			for _, w := range words {
				changed := append([]string(nil), parts...)
				changed[i] = url.PathEscape(w)
				all = append(all, one{r, valid.Replace(strings.Join(changed, "/")), "", w})
			}
		}
		for _, name := range queryOf(doc, r) {
			for _, w := range words {
				var rest []string
				for _, kv := range strings.Split(needs[r.Path], "&") {
					if kv != "" && !strings.HasPrefix(kv, name+"=") {
						rest = append(rest, kv)
					}
				}
				query := strings.Join(append(rest, name+"="+url.QueryEscape(w)), "&")
				all = append(all, one{r, valid.Replace(r.Path) + "?" + query, valid.Replace(r.Path) + "?" + needs[r.Path], w})
			}
		}
	}
	type key struct{ token, path string }
	before := map[key]int{}
	for _, o := range all {
		for _, token := range []string{token, narrow} {
			as := s.as(token)
			body := ""
			if o.route.Method != http.MethodGet {
				body = "{}"
			}
			status, text := as.plainAnswer(o.route.Method, o.path, body, o.route.Unending)
			asked++
			if status >= 500 {
				t.Errorf("%s %s: %d %.200s", o.route.Method, o.path, status, text)
			}
			if o.without == "" { // a path
				if status < 300 && o.route.Method != http.MethodGet {
					t.Errorf("%s %s was done: %d", o.route.Method, o.path, status)
				}
			} else if o.route.Method == http.MethodGet && !o.route.Unending && status == http.StatusOK {
				k := key{token, o.without}
				if _, ok := before[k]; !ok {
					_, plain := as.plainAnswer(o.route.Method, o.without, "", false)
					before[k] = rows(plain)
				}
				if n := rows(text); n > before[k] {
					t.Errorf("GET %s gives %d rows, %d without it", o.path, n, before[k])
				}
			}
			if token == narrow && (bytes.Contains(text, []byte(canary)) || bytes.Contains(text, []byte(far.Id.String()))) {
				t.Errorf("%s %s tells of a report elsewhere: %.300s", o.route.Method, o.path, text)
			}
		}
	}
	// Those that no number is, filter everything away.
	for _, w := range words[:14] {
		for path, list := range map[string]string{"/reports?item=": "reports", "/reports?grid=": "reports", "/reports?town=": "reports", "/people?search=": "people", "/search?q=": "found", "/audit?act=": "rows", "/audit?subject=": "rows"} {
			status, text := s.plainAnswer("GET", path+url.QueryEscape(w), "", false)
			if status == http.StatusOK && rows(text) > 0 && path+w != "/search?q=$1" { // a search for 1 finds names with it
				t.Errorf("%s%s gives %s: %.200s", path, w, list, text)
			}
		}
	}
	s.do("GET", "/reports/"+far.Id.String(), nil).want(200) // the tables stand
	if asked < 1000 {
		t.Errorf("only %d were asked", asked)
	}
}

// neighbours are two cities of one service; the site is the first's.
func neighbours(t *testing.T) (*site, *app.Live) {
	t.Helper()
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	info := c.City
	info.Code, info.Name = "second", "第二"
	if _, err := db.CreateCity(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, server: app.NewServer(db, c.Contacts.Ring, apptest.Quiet(), apptest.Clock)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.server.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	for deadline := time.Now().Add(30 * time.Second); s.server.Ready() != nil; {
		if time.Now().After(deadline) {
			t.Fatal(s.server.Ready())
		}
		time.Sleep(5 * time.Millisecond) // polls a condition
	}
	s.live, _ = s.server.City(c.Code)
	second, _ := s.server.City("second")
	if err := second.Reports.SetItems(t.Context(), s.live.Names().Items); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(newHandler(t, api.Config{Server: s.server, Log: apptest.Quiet(), Now: apptest.Clock, Edge: api.Edge{Limits: api.NoLimits}}))
	t.Cleanup(h.Close)
	s.url, s.router = h.URL, specRouter(t, h.URL+"/"+c.Code+"/v1")
	s.token, _ = apptest.SignIn(t, c, apptest.Everything()...)
	return s, second
}

// What another city knows by an id is not found here, and its sessions and tokens are worth nothing.
func TestIDsOfAnotherCity(t *testing.T) {
	s, second := neighbours(t)
	there := *s
	there.live, there.router = second, specRouter(t, s.url+"/second/v1")
	var theirs uuid.UUID
	there.token, theirs = apptest.SignIn(t, second.City, apptest.Everything()...)
	who := there.addPerson(obj{"machine": true})
	unit := apptest.Unit(t, second.City, policy.TownTeam, apptest.TownArea)
	post := there.addPost(who, obj{"role": "sensor", "level": "city", "code": apptest.CityArea.Code, "begins": "2026-11-01"})
	there.do("POST", "/people/"+who.Id.String()+"/account", obj{"login": "box"}).want(201)
	var token api.IssuedToken
	there.do("POST", "/tokens", obj{"person": who.Id, "name": "box", "scopes": []string{"report.file"}, "expires_at": "2026-12-24T08:00:00Z"}).want(201).into(&token)
	rep := there.file(aReport(0, 0))
	var account api.Account
	there.do("GET", "/account", nil).want(200).into(&account)
	session := account.Sessions[0].Id

	for _, id := range []uuid.UUID{who.Id, theirs} {
		at := "/people/" + id.String()
		for request, body := range map[string]any{"GET " + at: nil, "PUT " + at: obj{"version": 1, "name": "x"}, "POST " + at + "/posts": gridPost(0, 0), fmt.Sprintf("PUT %s/posts/%d", at, post.Id): obj{"version": 1, "ends": "2026-11-02"},
			"POST " + at + "/account": obj{"login": "mine"}, "PUT " + at + "/account": obj{"disabled": true}, "POST " + at + "/account/password": nil, "DELETE " + at + "/account/second-factor": nil,
			"PUT " + at + "/account/identity": obj{"subject": "7"}, "DELETE " + at + "/account/identity": nil} {
			method, path, _ := strings.Cut(request, " ")
			s.do(method, path, body).problem(404, "not_found", "")
		}
	}
	for request, body := range map[string]any{
		fmt.Sprintf("PUT /units/%d", unit): obj{"version": 1, "name": "x"}, "DELETE /tokens/" + token.Token.Id.String(): nil, "DELETE /account/sessions/" + session.String(): nil,
		"GET /reports/" + rep.Id.String(): nil, fmt.Sprintf("GET /reports/%d", rep.Num): nil, "PUT /reports/" + rep.Id.String() + "/position": obj{"lon": 120.605, "lat": 30.505},
		"POST /reports/" + rep.Id.String() + "/reporter": obj{"reason": "a test looks"},
	} {
		method, path, _ := strings.Cut(request, " ")
		s.do(method, path, body).problem(404, "not_found", "")
	}
	s.do("POST", "/tokens", obj{"person": who.Id, "name": "box", "scopes": []string{"report.file"}, "expires_at": "2026-12-24T08:00:00Z"}).want(404)
	s.do("POST", "/people/"+s.addPerson(nil).Id.String()+"/posts", obj{"role": "team_member", "unit": unit, "begins": "2026-11-01"}).want(400)
	var acts api.AuditPage
	s.do("GET", "/audit?person="+theirs.String(), nil).want(200).into(&acts)
	if len(acts.Rows) > 0 {
		t.Errorf("acts of another city's: %+v", acts.Rows)
	}

	s.as(there.token).do("GET", "/account", nil).problem(401, "sign_in", "")
	s.with("POST", "/reports", "{}", "Authorization: Bearer "+token.Secret).want(401)

	// There, all is as it was.
	var after api.Person
	there.do("GET", "/people/"+who.Id.String(), nil).want(200).into(&after)
	if after.Version != who.Version || after.Posts[0].Version != post.Version {
		t.Errorf("%+v", after)
	}
	there.with("POST", "/reports", "{}", "Authorization: Bearer "+token.Secret).want(400)
	list, err := audit.List(t.Context(), s.live.Pool, audit.Query{Person: theirs, Limit: 1})
	if err != nil || len(list.Rows) > 0 {
		t.Errorf("%+v %v", list, err)
	}
}

// A field that a body does not have is refused by its name: nobody gives themselves what the form does not offer.
func TestMassAssignment(t *testing.T) {
	s := newSite(t)
	p := s.addPerson(nil)
	post := s.addPost(p, gridPost(0, 0))
	unit := s.unit("town_team")
	crew := s.hand(t, policy.UnitHead, policy.UnitID(unit.Id), policy.Area{})
	rep, hook, point := s.file(aReport(0, 0)), s.webhook(), s.point(0, 0)
	doc, tried := description(t), 0
	s.do("PUT", "/settings/messages", map[string]any{"resident_reports": true}).want(200)
	for _, r := range api.RouteTable() {
		item := doc.Paths.Value(r.Path)
		if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodDelete || item == nil {
			continue
		}
		op := item.GetOperation(r.Method)
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
			continue
		}
		path := strings.NewReplacer("/people/{id}", "/people/"+p.Id.String(), "/units/{id}", fmt.Sprintf("/units/%d", unit.Id), "/reports/{id}", "/reports/"+rep.Id.String(),
			"/views/{id}", "/views/"+uuid.NewString(), "/teams/{unit}", fmt.Sprintf("/teams/%d", unit.Id), "{person}", p.Id.String(), "/webhooks/{id}", fmt.Sprintf("/webhooks/%d", hook), "/points/{id}", fmt.Sprintf("/points/%d", point.Id), "{post}", fmt.Sprint(post.Id), "{kind}", "catalogue").Replace(r.Path)
		s := s
		if strings.HasPrefix(path, "/public/") {
			s = s.as("")
		}
		if strings.HasPrefix(path, "/duty") || strings.HasPrefix(path, "/teams") {
			s = crew.site
		}
		known := op.RequestBody.Value.Content["application/json"].Schema.Value.Properties
		for _, field := range []string{"person_id", "filed_by", "demo", "role", "must_change", "id", "version_", "allowed", "made_at", "__proto__"} {
			if known[field] != nil {
				continue
			}
			tried++
			a := s.do(r.Method, path, map[string]any{field: "administrator"})
			var prob api.Problem
			if a.status != 400 {
				t.Errorf("%s %s with %s: %d %s", r.Method, r.Path, field, a.status, a.body)
				continue
			}
			if a.into(&prob); prob.Code != "unknown_field" || prob.Field == nil || *prob.Field != field {
				t.Errorf("%s %s with %s: %s", r.Method, r.Path, field, a.body)
			}
			// Nor in another writing of a field's name.
			for name := range known {
				if a := s.do(r.Method, path, map[string]any{strings.ToUpper(name): 1}); a.status != 400 {
					t.Errorf("%s %s with %s: %d %s", r.Method, r.Path, strings.ToUpper(name), a.status, a.body)
				}
				break
			}
		}
	}
	if tried < 150 {
		t.Errorf("only %d were tried", tried)
	}
	// The one form that has such a field, as it is sent back as it was read, does not read it.
	s.do("PUT", "/settings/messages", map[string]any{"resident_reports": false, "demo": true}).want(200)
	var set api.MessageSettings
	s.do("GET", "/settings/messages", nil).want(200).into(&set)
	if set.Demo != nil && *set.Demo {
		t.Error("the city became a demo")
	}
}

// good are values that fields of forms take.
var good = obj{"item": "01", "level": "grid", "code": apptest.GridCode(0, 0), "role": "grid_worker", "begins": "2026-11-02", "ends": "2026-12-02", "lon": 120.605, "lat": 30.505,
	"crs": "EPSG:4326", "home": []float64{120.605, 30.505}, "phone": "13800000000", "email": "a@haining.example", "accuracy_m": 5, "address": nil, "captured_at": "2026-11-24T07:00:00Z"}

// filled is a value of a schema with the text in each string; "" puts in what is good.
func filled(schema *openapi3.Schema, text string) any {
	switch {
	case schema.Type.Is("object"):
		out := map[string]any{}
		for name, p := range schema.Properties {
			v, ok := good[name]
			switch {
			case text != "" || !ok:
				out[name] = filled(p.Value, text)
			case v != nil:
				out[name] = v
			}
		}
		return out
	case schema.Type.Is("array"):
		return []any{filled(schema.Items.Value, text)}
	case schema.Type.Is("integer"):
		return 1
	case schema.Type.Is("number"):
		return 30.5
	case schema.Type.Is("boolean"):
		return false
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Format == "date-time":
		return "2026-11-24T07:00:00Z"
	case schema.Format == "date":
		return "2026-11-24"
	case schema.Format == "uuid":
		return uuid.NewString()
	case text == "":
		return "x " + uuid.NewString()[:8]
	}
	return text
}

// Text in a form that no database takes, or takes for its own, is refused or kept as it is: no form of any route makes a
// fault of the service's, one field at a time and all together.
func TestFormsOfText(t *testing.T) {
	s := newSite(t)
	s.do("PUT", "/settings/messages", map[string]any{"resident_reports": true}).want(200)
	p := s.addPerson(nil)
	post := s.addPost(p, gridPost(0, 0))
	unit := s.unit("town_team")
	crew := s.hand(t, policy.UnitHead, policy.UnitID(unit.Id), policy.Area{})
	rep, hook, point := s.file(aReport(0, 0)), s.webhook(), s.point(0, 0)
	doc := description(t)
	for _, r := range api.RouteTable() {
		item := doc.Paths.Value(r.Path)
		if item == nil || item.GetOperation(r.Method) == nil {
			continue
		}
		op := item.GetOperation(r.Method)
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil || r.Path == "/settings/messages/test" { // which asks the network
			continue
		}
		path := strings.NewReplacer("/people/{id}", "/people/"+p.Id.String(), "/units/{id}", fmt.Sprintf("/units/%d", unit.Id), "/reports/{id}", "/reports/"+rep.Id.String(),
			"/views/{id}", "/views/"+uuid.NewString(), "/teams/{unit}", fmt.Sprintf("/teams/%d", unit.Id), "{person}", p.Id.String(), "/webhooks/{id}", fmt.Sprintf("/webhooks/%d", hook), "/points/{id}", fmt.Sprintf("/points/%d", point.Id), "{post}", fmt.Sprint(post.Id), "{kind}", "catalogue").Replace(r.Path)
		schema := op.RequestBody.Value.Content["application/json"].Schema.Value
		as := s
		if strings.HasPrefix(path, "/public/") {
			as = s.as("")
		}
		if strings.HasPrefix(path, "/duty") || strings.HasPrefix(path, "/teams") {
			as = crew.site
		}
		for _, text := range []string{"a\x00b", "\u2028\u202e", "' OR 1=1 --", strings.Repeat("长", 3_000), "-1", "2026-11-24"} {
			whole, ok := filled(schema, text).(map[string]any)
			if !ok {
				t.Fatalf("%s %s takes no object", r.Method, r.Path)
			}
			bodies := []map[string]any{whole}
			for name := range whole {
				for _, v := range []any{text, nil, 1 << 62, -1, 1e300, []any{}, map[string]any{}} {
					one := map[string]any{}
					for k, w := range filled(schema, "").(map[string]any) {
						one[k] = w
					}
					if one[name] = v; v == nil {
						delete(one, name)
					}
					bodies = append(bodies, one)
				}
			}
			for _, body := range bodies {
				b, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				if status, answer := as.plainAnswer(r.Method, path, string(b), false); status >= 500 {
					t.Errorf("%s %s with %.300s: %d %s", r.Method, r.Path, b, status, answer)
				}
			}
			if r.Action == policy.SessionOpen || strings.HasPrefix(path, "/account") {
				break // each takes the time of a password's check
			}
		}
	}
}

// A phone's clock may be wrong by some hours, not by days.
func TestPhonesClock(t *testing.T) {
	s := newSite(t)
	at := func(ahead time.Duration) filing {
		return aReport(0, 0, filing{"source": "phone", "captured_at": apptest.Now.Add(ahead).Format(time.RFC3339)})
	}
	s.file(at(time.Hour))
	s.file(at(-48 * time.Hour))
	s.do("POST", "/reports", at(48*time.Hour)).problem(400, "in_the_future", "captured_at")
	var out struct{ Results []api.BatchResult }
	s.do("POST", "/reports/batch", map[string]any{"reports": []any{at(48 * time.Hour), at(time.Hour)}}).want(200).into(&out)
	if out.Results[0].Status != 400 || out.Results[1].Status != 201 {
		t.Errorf("%d %d", out.Results[0].Status, out.Results[1].Status)
	}
}
