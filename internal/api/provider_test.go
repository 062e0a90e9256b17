package api_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/policy"
)

const providerPath = "/settings/identity-provider"

func providerForm(issuer string, more ...obj) obj {
	in := obj{"issuer": issuer, "client_id": clientID, "client_secret": clientSecret, "name": "统一认证", "name_en": "City account"}
	for _, m := range more {
		for k, v := range m {
			if v == nil {
				delete(in, k)
			} else {
				in[k] = v
			}
		}
	}
	return in
}

// signedIn makes somebody who holds the posts at the door's time, and gives the session.
func (d *door) signedIn(posts ...policy.Post) string {
	d.t.Helper()
	for i := range posts {
		posts[i].From = d.now().AddDate(0, 0, -2)
	}
	token, _ := apptest.SignInAt(d.t, d.live.Pool, d.now(), posts...)
	return token
}

// The provider is set on the page as by the command line; its secret is told nowhere, and stays for the same issuer alone.
func TestProviderSettings(t *testing.T) {
	d := &door{}
	d.site = newSiteAt(t, d.now)
	d.provider = newProvider(t, d.callback(d.live.Code))
	s := d.site
	s.token = d.signedIn(apptest.Everything()...)
	var set api.IdentityProviderSettings
	read := func(a answer) api.IdentityProviderSettings {
		t.Helper()
		set = api.IdentityProviderSettings{}
		a.into(&set)
		if bytes.Contains(a.body, []byte(clientSecret)) || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %v", a.body, a.header)
		}
		return set
	}
	if read(s.do("GET", providerPath, nil).want(200)); set.Provider != nil || set.Check != nil || set.KeyMissing != nil || set.Callback != d.callback(d.live.Code) {
		t.Errorf("%+v", set)
	}
	s.do("DELETE", providerPath, nil).want(204) // there is none

	s.do("PUT", providerPath, providerForm(d.provider.URL, obj{"client_secret": nil})).problem(400, "required", "client_secret")
	read(s.do("PUT", providerPath, providerForm(d.provider.URL, obj{"link_email": true, "mfa": []string{"mfa"}})).want(200))
	want := api.IdentityProvider{Issuer: d.provider.URL, ClientId: clientID, HasSecret: true, Name: "统一认证", NameEn: "City account", Claim: "sub", LinkEmail: true,
		Scopes: []string{"email"}, Mfa: []string{"mfa"}}
	if set.Provider == nil || !reflect.DeepEqual(*set.Provider, want) {
		t.Errorf("%+v", set.Provider)
	}
	if set.Check == nil || !set.Check.Ok || set.Check.Code != nil {
		t.Errorf("%+v", set.Check)
	}
	d.user("wang", "")
	b := d.browser()
	b.in(b.signIn(d.live.Code, "wang", ""), "/"+d.live.Code, "wang") // by the e-mail address

	// Left out, the secret stays; all else is replaced.
	read(s.do("PUT", providerPath, providerForm(d.provider.URL, obj{"client_secret": nil, "name_en": "Card"})).want(200))
	if set.Provider.NameEn != "Card" || set.Provider.LinkEmail || len(set.Provider.Scopes) != 0 || len(set.Provider.Mfa) != 0 || !set.Provider.HasSecret {
		t.Errorf("%+v", set.Provider)
	}
	b2 := d.browser()
	b2.in(b2.signIn(d.live.Code, "wang", ""), "/"+d.live.Code, "wang")
	s.do("PUT", providerPath, providerForm("https://other.example", obj{"client_secret": nil})).problem(400, "required", "client_secret")
	s.do("PUT", providerPath, providerForm("https://other.example", obj{"client_secret": ""})).problem(400, "required", "client_secret")
	s.do("PUT", providerPath, providerForm(d.provider.URL+"/", obj{"client_secret": nil})).problem(400, "required", "client_secret")

	// Sessions that came of the provider end with it.
	if read(s.do("GET", providerPath, nil).want(200)); set.Provider == nil || set.Provider.NameEn != "Card" || set.Check != nil {
		t.Errorf("%+v", set)
	}
	s.do("DELETE", providerPath, nil).want(204)
	for _, b := range []*browser{b, b2} {
		if b.session().SignedIn {
			t.Error("a session of the provider goes on")
		}
	}
	if read(s.do("GET", providerPath, nil).want(200)); set.Provider != nil {
		t.Errorf("%+v", set)
	}
	var acts string
	d.ok(d.live.Pool.QueryRow(t.Context(), `SELECT string_agg(a::text, ' ') FROM audit a WHERE subject = 'setting:oidc'`).Scan(&acts))
	if strings.Contains(acts, clientSecret) || !strings.Contains(acts, d.provider.URL) {
		t.Error(acts)
	}
}

// What no provider can be is refused by its field, and nothing else is taken than what the form has.
func TestProviderSettingsThatAreRefused(t *testing.T) {
	s := newSite(t)
	long := func(n int) string { return strings.Repeat("a", n) }
	for what, in := range map[string]obj{
		"issuer bad_issuer http":         {"issuer": "http://id.haining.example"},
		"issuer bad_issuer address":      {"issuer": "http://169.254.169.254/latest/meta-data"},
		"issuer bad_issuer file":         {"issuer": "file:///etc/passwd"},
		"issuer bad_issuer gopher":       {"issuer": "gopher://127.0.0.1:6379/_x"},
		"issuer bad_issuer user":         {"issuer": "https://a:b@id.example"},
		"issuer bad_issuer query":        {"issuer": "https://id.example?x=1"},
		"issuer bad_issuer like local":   {"issuer": "http://localhost.evil.example"},
		"issuer bad_issuer local user":   {"issuer": "http://127.0.0.1@evil.example"},
		"issuer bad_issuer decimal":      {"issuer": "http://2130706433"},
		"issuer bad_issuer unspecified":  {"issuer": "http://0.0.0.0:80"},
		"issuer bad_issuer long":         {"issuer": "https://id.example/" + long(500)},
		"issuer bad_issuer none":         {"issuer": nil},
		"client_id required":             {"client_id": ""},
		"client_id required long":        {"client_id": long(256)},
		"client_secret too_long":         {"client_secret": long(1001)},
		"name bad_button":                {"name": long(41)},
		"name_en bad_button":             {"name_en": "a\nb"},
		"claim bad_claim":                {"claim": "a b"},
		"claim bad_claim long":           {"claim": long(100)},
		"scopes bad_scope":               {"scopes": []string{"a b"}},
		"scopes too_many":                {"scopes": strings.Split(strings.Repeat("a ", 20)+"a", " ")},
		"mfa bad_scope":                  {"mfa": []string{long(101)}},
		"mfa too_many":                   {"mfa": strings.Split(strings.Repeat("a ", 20)+"a", " ")},
		"issuer wrong_type":              {"issuer": 1},
		"client_secret wrong_type":       {"client_secret": []string{"a"}},
		"link_email wrong_type":          {"link_email": "true"},
		"scopes wrong_type":              {"scopes": "email"},
		"mfa[0] wrong_type":              {"mfa": []any{1}},
		"sealed unknown_field":           {"sealed": "AAAA"},
		"has_secret unknown_field":       {"has_secret": true},
		"callback unknown_field":         {"callback": "https://evil.example"},
		"provider unknown_field":         {"provider": obj{}},
		"Issuer unknown_field of a case": {"Issuer": "https://id.example"},
	} {
		words := strings.Fields(what)
		a := s.do("PUT", providerPath, providerForm("https://id.example", in))
		var p api.Problem
		if a.status != 400 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
			continue
		}
		if a.into(&p); p.Code != words[1] || p.Field == nil || *p.Field != words[0] {
			t.Errorf("%s: %s", what, a.body)
		}
		if bytes.Contains(a.body, []byte(clientSecret)) {
			t.Errorf("%s: the secret is in the answer", what)
		}
	}
	s.do("PUT", providerPath, strings.Repeat(" ", 20<<10)+"{}").problem(413, "too_large", "")
	s.do("PUT", providerPath+"?force=1", providerForm("https://id.example")).want(400)
	s.do("DELETE", providerPath+"?force=1", nil).want(400)
	var set api.IdentityProviderSettings
	s.do("GET", providerPath, nil).want(200).into(&set)
	if set.Provider != nil {
		t.Errorf("%+v", set.Provider)
	}
	desk, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.Desk, apptest.CityArea))
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		var body any
		if method == "PUT" {
			body = providerForm("https://id.example")
		}
		s.as("").do(method, providerPath, body).problem(401, "sign_in", "")
		s.as(desk).do(method, providerPath, body).problem(403, "not_allowed", "")
	}
}

// An administrator names what the server asks. What answers there, and how, is told by one of three codes and by no word of it:
// nobody reads the server's network through this form.
func TestProviderThatDoesNotAnswer(t *testing.T) {
	s := newSite(t)
	var log bytes.Buffer
	h := httptest.NewServer(newHandler(t, api.Config{Server: s.server, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: apptest.Clock,
		Edge: api.Edge{Hosts: []string{api.LocalHosts}, Limits: api.NoLimits}}))
	t.Cleanup(h.Close)
	s.url, s.router = h.URL, specRouter(t, h.URL+"/"+s.live.Code+"/v1")
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Add(1)
		_, _ = w.Write([]byte("canary-elsewhere"))
	}))
	t.Cleanup(other.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	say := func(status int, text string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, me string) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Canary", "canary-header")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(strings.ReplaceAll(text, "ME", me)))
		}
	}
	lead := func(to string) func(http.ResponseWriter, string) {
		return func(w http.ResponseWriter, _ string) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	}
	const rest = `"authorization_endpoint":"ME/auth","token_endpoint":"ME/token","jwks_uri":"ME/keys"`
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, me string)
		code   api.ProviderCheckCode
	}{
		"a page":               {say(200, "<html>canary-page</html>"), "provider_no_answer"},
		"an error":             {say(500, "canary-error of a database"), "provider_no_answer"},
		"nothing there":        {say(404, "canary-missing"), "provider_no_answer"},
		"a redirect elsewhere": {lead(other.URL + "/canary"), "provider_no_answer"},
		"a redirect to a file": {lead("file:///etc/passwd"), "provider_no_answer"},
		"too much":             {say(200, `{"issuer":"ME",`+rest+`,"x":"`+strings.Repeat("canary", 400_000)+`"}`), "provider_no_answer"},
		"it hangs up":          {func(http.ResponseWriter, string) { panic(http.ErrAbortHandler) }, "provider_no_answer"},
		"another issuer":       {say(200, `{"issuer":"https://canary.example",`+rest+`}`), "provider_another_issuer"},
		"a slash more":         {say(200, `{"issuer":"ME/",`+rest+`}`), "provider_another_issuer"},
		"no endpoint":          {say(200, `{"issuer":"ME","authorization_endpoint":"ME/auth"}`), "provider_bad_metadata"},
		"an endpoint elsewhere": {say(200, `{"issuer":"ME","authorization_endpoint":"ME/auth","token_endpoint":"http://canary.example/token","jwks_uri":"ME/keys"}`),
			"provider_bad_metadata"},
		"as it should be": {say(200, `{"issuer":"ME",`+rest+`}`), ""},
		"closed":          {nil, "provider_no_answer"},
	} {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.t = t
			issuer := closed.URL
			if c.answer != nil {
				var me string
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.answer(w, me) }))
				t.Cleanup(srv.Close)
				me = srv.URL
				issuer = me
			}
			a := s.do("PUT", providerPath, providerForm(issuer)).want(200)
			var set api.IdentityProviderSettings
			a.into(&set)
			if set.Provider == nil || set.Provider.Issuer != issuer || set.Check == nil {
				t.Fatalf("it is not set: %s", a.body)
			}
			ok := c.code == ""
			if set.Check.Ok != ok || !ok && (set.Check.Code == nil || *set.Check.Code != c.code || set.Check.Detail == nil || *set.Check.Detail == "") {
				t.Errorf("%s", a.body)
			}
			for _, inner := range []string{"canary", "refused", "dial", "EOF", "127.0.0.1:1", "oidc:", "status", "passwd"} {
				if set.Check.Detail != nil && strings.Contains(*set.Check.Detail, inner) || strings.Contains(string(a.body), "canary") {
					t.Errorf("it tells of %s: %s", inner, a.body)
				}
			}
		})
	}
	if elsewhere.Load() > 0 {
		t.Error("it was followed elsewhere")
	}
	if !strings.Contains(log.String(), "provider_no_answer") || strings.Contains(log.String(), clientSecret) {
		t.Errorf("the log: %s", &log)
	}
}

// A person is linked to the identity at the provider, and unlinked, by who may edit people; others hear nothing of it.
func TestIdentityOfAPerson(t *testing.T) {
	d := newDoor(t)
	s := d.site
	s.token = d.signedIn(apptest.Everything()...)
	d.ok(d.live.Auth.SetProvider(t.Context(), nil))
	wang, li := d.user("wang", ""), d.user("li", "")
	at := func(id uuid.UUID) string { return "/people/" + id.String() + "/account/identity" }
	detail := func(id uuid.UUID) api.PersonAccount {
		t.Helper()
		var p api.Person
		s.do("GET", "/people/"+id.String(), nil).want(200).into(&p)
		return *p.Account
	}
	if a := detail(wang); a.Linkable || a.Identity != nil {
		t.Errorf("%+v", a)
	}
	s.do("PUT", at(wang), obj{"subject": "id-wang"}).problem(409, "no_provider", "")
	d.with()
	if a := detail(wang); !a.Linkable || a.Identity != nil {
		t.Errorf("%+v", a)
	}
	var account api.PersonAccount
	s.do("PUT", at(wang), obj{"subject": "id-wang"}).want(200).into(&account)
	if account.Identity == nil || *account.Identity != (api.AccountIdentity{Subject: "id-wang", Current: true}) || account.Login != "wang" {
		t.Errorf("%+v", account)
	}
	s.do("PUT", at(wang), obj{"subject": "id-wang"}).want(200)
	if a := detail(wang); a.Identity == nil || a.Identity.Subject != "id-wang" {
		t.Errorf("%+v", a)
	}
	b := d.browser()
	b.in(b.signIn(d.live.Code, "wang", ""), "/"+d.live.Code, "wang")

	s.do("PUT", at(li), obj{"subject": "id-wang"}).problem(409, "identity_taken", "subject")
	for what, in := range map[string]obj{
		"subject bad_subject": {}, "subject bad_subject empty": {"subject": ""}, "subject bad_subject long": {"subject": strings.Repeat("a", 256)},
		"subject bad_subject line": {"subject": "a\nb"}, "subject wrong_type": {"subject": 7}, "subject wrong_type null": {"subject": nil},
		"issuer unknown_field": {"subject": "7", "issuer": "https://evil.example"}, "link unknown_field": {"subject": "7", "link": true},
		"person unknown_field": {"subject": "7", "person": li.String()},
	} {
		words := strings.Fields(what)
		s.do("PUT", at(li), in).problem(400, words[1], words[0])
	}
	if a := detail(li); a.Identity != nil {
		t.Errorf("%+v", a)
	}
	machine := s.addPerson(obj{"name": "探头", "machine": true})
	s.do("PUT", at(machine.Id), obj{"subject": "7"}).problem(404, "not_found", "") // it has no account
	s.do("POST", "/people/"+machine.Id.String()+"/account", obj{"login": "box"}).want(201)
	s.do("PUT", at(machine.Id), obj{"subject": "7"}).problem(400, "not_a_person", "person")
	if a := detail(machine.Id); a.Linkable {
		t.Errorf("%+v", a)
	}
	for _, id := range []string{uuid.NewString(), "x", "1"} {
		s.do("PUT", "/people/"+id+"/account/identity", obj{"subject": "7"}).problem(404, "not_found", "")
		s.do("DELETE", "/people/"+id+"/account/identity", nil).problem(404, "not_found", "")
	}

	// Who may see people hears nothing of it, and may not change it.
	leader := s.as(d.signedIn(apptest.Post(policy.TownLeader, apptest.TownArea)))
	if a := leader.do("GET", "/people/"+wang.String(), nil).want(200); bytes.Contains(a.body, []byte("id-wang")) || bytes.Contains(a.body, []byte("identity")) {
		t.Errorf("%s", a.body)
	}
	leader.do("PUT", at(wang), obj{"subject": "7"}).problem(403, "not_allowed", "")
	leader.do("DELETE", at(wang), nil).problem(403, "not_allowed", "")
	s.as("").do("DELETE", at(wang), nil).problem(401, "sign_in", "")

	// A link of another claim lets nobody in, and says so.
	d.with(func(p *auth.Provider) { p.Claim = "preferred_username" })
	if a := detail(wang); a.Identity == nil || a.Identity.Current {
		t.Errorf("%+v", a)
	}
	d.with(func(p *auth.Provider) { p.Claim = "" })

	if !b.session().SignedIn {
		t.Fatal("the session has ended too early")
	}
	s.do("DELETE", at(wang), nil).want(204)
	s.do("DELETE", at(wang), nil).want(204)
	if b.session().SignedIn {
		t.Error("the session goes on")
	}
	if a := detail(wang); a.Identity != nil || !a.Linkable {
		t.Errorf("%+v", a)
	}
	var acts string
	d.ok(d.live.Pool.QueryRow(t.Context(), `SELECT string_agg(a::text, ' ') FROM audit a WHERE act LIKE 'identity.%'`).Scan(&acts))
	if strings.Contains(acts, "id-wang") || !strings.Contains(acts, "identity.link") || !strings.Contains(acts, "identity.unlink") {
		t.Error(acts)
	}
}
