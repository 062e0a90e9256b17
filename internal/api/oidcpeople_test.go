package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"gridgov/internal/api"
	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

func TestWhoTheProviderKnows(t *testing.T) {
	d := newDoor(t)
	b := d.browser()
	wang := d.user("wang", "")
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_unknown_person")

	// By the address only where the city says so, and only where the provider has verified it.
	d.with(func(p *auth.Provider) { p.LinkEmail = true })
	d.user("zhao", "")
	b.refused(b.signIn(d.live.Code, "zhao", ""), "oidc_unknown_person")
	twin, _, err := d.live.Auth.CreateUser(t.Context(), person.New{Name: "又一个", Email: "WANG@haining.example"}, auth.NewAccount{Login: "twin"}, person.Post{})
	d.ok(err)
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_unknown_person") // which of the two?
	d.ok(d.live.Auth.Erase(t.Context(), twin))
	d.ok(d.live.Auth.Disable(t.Context(), wang))
	b.refused(b.signIn(d.live.Code, "wang", ""), "account_disabled")
	if acc, err := d.live.Auth.Account(t.Context(), wang); err != nil || acc.Subject != "" {
		t.Errorf("an account that is disabled was linked: %+v %v", acc, err)
	}
	d.ok(d.live.Auth.Enable(t.Context(), wang))
	b.in(b.signIn(d.live.Code, "wang", ""), "/"+d.live.Code, "wang")
	acc, err := d.live.Auth.Account(t.Context(), wang)
	d.ok(err)
	if acc.Subject != "id-wang" || acc.Issuer != d.provider.URL {
		t.Errorf("%+v", acc)
	}
	// It stays linked when that is no longer allowed, and whatever the address becomes.
	d.with(func(p *auth.Provider) { p.LinkEmail = false })
	d.users["id-wang"].Email = "li@haining.example"
	d.user("li", "")
	b = d.browser()
	b.in(b.signIn(d.live.Code, "wang", ""), "/"+d.live.Code, "wang")
	// Another subject of the same address does not take the account over.
	d.with(func(p *auth.Provider) { p.LinkEmail = true })
	d.users["id-li"].Email = "wang@haining.example"
	b = d.browser()
	b.refused(b.signIn(d.live.Code, "li", ""), "oidc_unknown_person")

	d.ok(d.live.Auth.Disable(t.Context(), wang))
	b.refused(b.signIn(d.live.Code, "wang", ""), "account_disabled")
	d.ok(d.live.Auth.Enable(t.Context(), wang))
	d.ok(d.live.Auth.UnlinkIdentity(t.Context(), wang))
	d.with(func(p *auth.Provider) { p.LinkEmail = false })
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_unknown_person")
	// Another claim is another key, though its value be the same.
	d.ok(d.live.Auth.LinkIdentity(t.Context(), wang, "", "wang"))
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_unknown_person")
	d.with(func(p *auth.Provider) { p.Claim, p.Scopes = "preferred_username", []string{"profile"} })
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_unknown_person")
	d.ok(d.live.Auth.LinkIdentity(t.Context(), wang, d.provider.URL, "wang"))
	b.in(b.signIn(d.live.Code, "wang", ""), "/"+d.live.Code, "wang")
}

// The account's second factor is asked for after the provider too, unless the city takes the provider's.
func TestSecondFactorAfterProvider(t *testing.T) {
	d := newDoor(t, func(p *auth.Provider) { p.LinkEmail = true })
	who := d.user("wang", "")
	in, err := d.live.Auth.OpenSession(t.Context(), who, auth.Attempt{})
	d.ok(err)
	setup, err := d.live.Auth.BeginTOTP(t.Context(), in.Identity)
	d.ok(err)
	code := func() string {
		c, err := totp.GenerateCode(setup.Secret, d.now())
		d.ok(err)
		return c
	}
	_, err = d.live.Auth.ConfirmTOTP(t.Context(), in.Identity, code())
	d.ok(err)
	d.ahead.Store(int64(30 * time.Second))

	b := d.browser()
	give := func(b *browser, code string) (int, string) {
		t.Helper()
		body, err := json.Marshal(map[string]string{"code": code})
		d.ok(err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.site.url+"/"+d.live.Code+"/v1/session/oidc", bytes.NewReader(body))
		d.ok(err)
		r.Header.Set("Content-Type", "application/json")
		resp, err := b.client.Do(r)
		d.ok(err)
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		d.ok(err)
		b.conform(r, resp, text)
		var p api.Problem
		_ = json.Unmarshal(text, &p)
		return resp.StatusCode, p.Code
	}
	if status, problem := give(b, code()); status != http.StatusUnauthorized || problem != "oidc_expired" {
		t.Errorf("without the provider: %d %s", status, problem)
	}
	at := b.signIn(d.live.Code, "wang", "/"+d.live.Code+"/account")
	if at.RequestURI() != "/"+d.live.Code+"/sign-in?step=code&next="+url.QueryEscape("/"+d.live.Code+"/account") || b.session().SignedIn {
		t.Fatalf("led to %s", at)
	}
	if acc, err := d.live.Auth.Account(t.Context(), who); err != nil || acc.Subject != "" {
		t.Errorf("the account is linked before the code was given: %+v %v", acc, err)
	}
	other := d.browser()
	if status, problem := give(other, code()); status != http.StatusUnauthorized || problem != "oidc_expired" {
		t.Errorf("another browser: %d %s", status, problem)
	}
	if status, problem := give(b, "000000"); status != http.StatusUnauthorized || problem != "wrong_credentials" || b.session().SignedIn {
		t.Errorf("a wrong code: %d %s", status, problem)
	}
	if status, problem := give(b, ""); status != http.StatusUnauthorized || problem != "code_needed" {
		t.Errorf("no code: %d %s", status, problem)
	}
	marker := b.cookies()["gridgov_oidc"]
	if status, problem := give(b, code()); status != http.StatusOK || !b.session().SignedIn || d.rows("oidc_pending") != 0 {
		t.Errorf("the code: %d %s", status, problem)
	}
	if acc, err := d.live.Auth.Account(t.Context(), who); err != nil || acc.Subject != "id-wang" {
		t.Errorf("%+v %v", acc, err)
	}
	d.ahead.Store(int64(60 * time.Second))
	if _, err := d.live.Auth.GiveCode(t.Context(), marker, auth.Attempt{Code: code()}); err == nil {
		t.Error("the marker is good twice")
	}
	// It is good for five minutes.
	b = d.browser()
	b.signIn(d.live.Code, "wang", "")
	d.ahead.Store(int64(6*time.Minute + 10*time.Second))
	if status, problem := give(b, code()); status != http.StatusUnauthorized || problem != "oidc_expired" {
		t.Errorf("late: %d %s", status, problem)
	}

	// This provider says pwd of everybody. Where the city takes that, an administrator needs no code of the city's either.
	d.with(func(p *auth.Provider) { p.MFA = []string{"pwd"} })
	b = d.browser()
	b.in(b.signIn(d.live.Code, "wang", ""), "/"+d.live.Code, "wang")
	d.ok(d.live.Auth.SetSettings(t.Context(), auth.Settings{RequireTOTPAdmin: true}))
	chief, _, err := d.live.Auth.CreateUser(t.Context(), person.New{Name: "主任"}, auth.NewAccount{Login: "chief"}, person.Post{Role: policy.Administrator, Area: apptest.CityArea})
	d.ok(err)
	d.ok(d.live.Auth.LinkIdentity(t.Context(), chief, "", "id-li"))
	b = d.browser()
	if s := b.in(b.signIn(d.live.Code, "li", ""), "/"+d.live.Code, "chief"); s.NeedsSecondFactor != nil || s.MustChangePassword != nil {
		t.Errorf("%+v", s)
	}
	d.with(func(p *auth.Provider) { p.MFA = nil })
	b = d.browser()
	if s := b.in(b.signIn(d.live.Code, "li", ""), "/"+d.live.Code, "chief"); s.NeedsSecondFactor == nil {
		t.Error("the administrator needs no second factor")
	}
}

// A city's provider is no other city's, nor is what it sends back.
func TestProvidersOfTwoCities(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	info := c.City
	info.Code, info.Name = "second", "第二"
	if _, err := db.CreateCity(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	d := &door{site: &site{t: t}}
	d.server = app.NewServer(db, c.Contacts.Ring, apptest.Quiet(), d.now)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { d.server.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	for deadline := time.Now().Add(30 * time.Second); d.server.Ready() != nil; {
		if time.Now().After(deadline) {
			t.Fatal(d.server.Ready())
		}
		time.Sleep(5 * time.Millisecond) // polls a condition
	}
	d.live, _ = d.server.City(c.Code)
	second, _ := d.server.City("second")
	h := httptest.NewServer(newHandler(t, api.Config{Server: d.server, Log: apptest.Quiet(), Now: d.now}))
	t.Cleanup(h.Close)
	d.site.url = h.URL

	d.provider = newProvider(t, d.callback(d.live.Code))
	d.set = auth.Provider{Issuer: d.provider.URL, ClientID: clientID, Secret: clientSecret, Name: "甲", NameEN: "A"}
	d.with()
	other := newProvider(t, d.callback("second"))
	d.ok(second.Auth.SetProvider(t.Context(), &auth.Provider{Issuer: other.URL, ClientID: clientID, Secret: clientSecret, Name: "乙", NameEN: "B"}))
	d.user("wang", "id-wang")
	elsewhere, _, err := second.Auth.CreateUser(t.Context(), person.New{Name: "乙"}, auth.NewAccount{Login: "wang"},
		person.Post{Role: policy.Administrator, Area: second.Area()})
	d.ok(err)
	d.ok(second.Auth.LinkIdentity(t.Context(), elsewhere, other.URL, "id-wang")) // the same subject, of another issuer

	b := d.browser()
	address := b.toCallback("wang").String()
	at, _ := b.get(strings.Replace(address, "/"+d.live.Code+"/", "/second/", 1))
	if at.RequestURI() != "/second/sign-in?error=oidc_expired" {
		t.Errorf("led to %s", at)
	}
	at, _ = b.get(address) // it was nobody else's to use up
	b.in(at, "/"+d.live.Code, "wang")
	var s api.Session
	_, text := b.get(d.site.url + "/second/v1/session")
	d.ok(json.Unmarshal([]byte(text), &s))
	if s.SignedIn || s.SignIn.Oidc.NameEn != "B" {
		t.Errorf("%+v", s)
	}

	b = d.browser()
	b.provider = other
	b.signIn("second", "wang", "")
	_, text = b.get(d.site.url + "/second/v1/session")
	d.ok(json.Unmarshal([]byte(text), &s))
	if !s.SignedIn || s.Person.Id != elsewhere || b.session().SignedIn {
		t.Errorf("%+v", s)
	}
}
