package api_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
)

func TestSignInByProvider(t *testing.T) {
	d := newDoor(t)
	d.user("wang", "id-wang")
	b := d.browser()
	before := b.session()
	if before.SignedIn || before.SignIn == nil || *before.SignIn.Oidc != (api.ProviderName{Name: "统一认证", NameEn: "City account"}) {
		t.Errorf("%+v", before.SignIn)
	}
	// The way there shows nothing that could be used by somebody else.
	b.halt = func(u *url.URL) bool { return u.Port() != "" && "http://"+u.Host == d.provider.URL }
	way, _ := b.get(d.site.url + "/" + d.live.Code + "/v1/session/oidc")
	b.halt = nil
	q := way.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || len(q.Get("state")) < 40 || len(q.Get("nonce")) < 40 ||
		q.Get("response_type") != "code" || q.Get("client_id") != clientID || q.Get("redirect_uri") != d.callback(d.live.Code) || q.Get("scope") != "openid" {
		t.Errorf("%s", way)
	}
	if set := b.last.Get("Set-Cookie"); !strings.Contains(set, "Path=/"+d.live.Code+"/v1/session;") || !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Lax") {
		t.Errorf("%s", set)
	}
	if b.last.Get("Cache-Control") != "no-store" || b.last.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%v", b.last)
	}
	var kept string
	d.ok(d.live.Pool.QueryRow(t.Context(), `SELECT string_agg(f::text || encode(f.secrets, 'escape') || encode(f.browser, 'escape'), '') FROM oidc_flow f`).Scan(&kept))
	for _, secret := range []string{q.Get("state"), q.Get("nonce"), b.cookies()["gridgov_oidc"]} {
		if secret == "" || strings.Contains(kept, secret) {
			t.Error("a secret is kept as it is, or there is none")
		}
	}

	s := b.in(b.signIn(d.live.Code, "wang", "/"+d.live.Code+"?at=1#x"), "/"+d.live.Code+"?at=1", "wang")
	if len(s.Posts) != 1 || s.SignIn != nil || s.MustChangePassword != nil {
		t.Errorf("%+v", s)
	}
	if c := b.cookies(); c["gridgov_oidc"] != "" || c["gridgov_device"] == "" {
		t.Errorf("%v", c)
	}
	if n := d.rows("oidc_flow"); n != 1 { // the one that went to the provider and no further
		t.Errorf("%d flows are left", n)
	}
	d.ahead.Store(int64(10 * time.Minute))
	_, err := d.live.Auth.BeginOIDC(t.Context(), "http://localhost/", "/")
	d.ok(err)
	if n := d.rows("oidc_flow"); n != 1 { // that one
		t.Errorf("%d flows are left", n)
	}
}

// A callback is good once, in the browser that began it, for ten minutes.
func TestCallbackIsGoodOnce(t *testing.T) {
	d := newDoor(t)
	d.user("wang", "id-wang")
	b := d.browser()
	address := b.toCallback("wang").String()
	if d.rows("oidc_flow") != 1 {
		t.Error("there is no flow")
	}
	at, _ := b.get(address)
	b.in(at, "/"+d.live.Code, "wang")
	if d.rows("oidc_flow") != 0 {
		t.Error("the flow is still there")
	}
	token := b.cookies()["gridgov"]
	sessions := d.rows("session")
	at, _ = b.get(address)
	if at.Query().Get("error") != "oidc_expired" || b.cookies()["gridgov"] != token || d.rows("session") != sessions {
		t.Errorf("again: %s", at)
	}
	other := d.browser()
	at, _ = other.get(address)
	other.refused(at, "oidc_expired")

	// Two at once: one of them is in.
	b = d.browser()
	address = b.toCallback("wang").String()
	sessions = d.rows("session")
	cookie := "gridgov_oidc=" + b.cookies()["gridgov_oidc"]
	led := make(chan string)
	for range 4 {
		go func() {
			r := httptest.NewRequest(http.MethodGet, address, http.NoBody)
			r.RequestURI = ""
			r.Header.Set("Cookie", cookie)
			c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableKeepAlives: true}}
			resp, err := c.Do(r)
			if err != nil {
				led <- err.Error()
				return
			}
			_ = resp.Body.Close()
			led <- resp.Header.Get("Location")
		}()
	}
	var all []string
	for range 4 {
		all = append(all, <-led)
	}
	slices.Sort(all)
	if all[0] != "/"+d.live.Code || all[1] != "/"+d.live.Code+"/sign-in?error=oidc_expired" || all[3] != all[1] || d.rows("session") != sessions+1 {
		t.Errorf("%q", all)
	}

	// Another browser's, which also uses it up; one without a state, with a wrong one, and one that is too old.
	b, other = d.browser(), d.browser()
	address = b.toCallback("wang").String()
	at, _ = other.get(address)
	other.refused(at, "oidc_expired")
	at, _ = b.get(address)
	b.refused(at, "oidc_expired")

	other.toCallback("wang") // has a cookie of its own
	theirs := b.toCallback("wang")
	at, _ = other.get(theirs.String())
	other.refused(at, "oidc_expired")

	for _, state := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 9000), "%00", "%ff"} {
		back := b.toCallback("wang")
		at, _ = b.get(d.callback(d.live.Code) + "?code=" + back.Query().Get("code") + "&state=" + state)
		b.refused(at, "oidc_expired")
	}
	back := b.toCallback("wang")
	at, _ = b.get(back.String() + "&state=" + back.Query().Get("state"))
	b.refused(at, "oidc_refused")

	address = b.toCallback("wang").String()
	d.ahead.Store(int64(10 * time.Minute))
	at, _ = b.get(address)
	b.refused(at, "oidc_expired")
}

// A code that was given to somebody else does not open the door: it belongs to the flow that has its verifier.
func TestCodeOfAnotherIsRefused(t *testing.T) {
	d := newDoor(t)
	d.user("wang", "id-wang")
	d.user("li", "id-li")
	thief, b := d.browser(), d.browser()
	stolen := thief.toCallback("li").Query().Get("code")
	own := b.toCallback("wang")
	q := own.Query()
	q.Set("code", stolen)
	own.RawQuery = q.Encode()
	at, _ := b.get(own.String())
	b.refused(at, "oidc_refused")
}

func TestProviderThatRefusesOrIsDown(t *testing.T) {
	d := newDoor(t)
	d.user("wang", "id-wang")
	b := d.browser()
	back := b.toCallback("wang")
	at, _ := b.get(d.callback(d.live.Code) + "?error=access_denied&error_description=no&state=" + back.Query().Get("state"))
	b.refused(at, "oidc_refused")
	at, _ = b.get(back.String()) // the state was used
	b.refused(at, "oidc_expired")

	at, _ = b.get(b.toCallback("wang").String() + "&iss=https://other.example")
	b.refused(at, "oidc_refused")
	at, _ = b.get(b.toCallback("wang").String() + "&iss=" + url.QueryEscape(d.provider.URL) + "&session_state=1")
	b.in(at, "/"+d.live.Code, "wang")

	b = d.browser()
	back = b.toCallback("wang")
	d.down.Store(true)
	at, _ = b.get(back.String())
	b.refused(at, "oidc_provider_down")
	d.ahead.Store(int64(2 * time.Hour)) // the metadata are old by now
	at = b.signIn(d.live.Code, "wang", "/"+d.live.Code+"/account")
	b.refused(at, "oidc_provider_down")
	if at.Query().Get("next") != "/"+d.live.Code+"/account" {
		t.Errorf("%s", at)
	}
	d.ahead.Store(0)
	d.down.Store(false)
	d.with(func(p *auth.Provider) { p.Secret = "another" })
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_refused")
	d.ok(d.live.Auth.SetProvider(t.Context(), nil))
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_refused")
	if s := b.session(); s.SignIn != nil {
		t.Errorf("%+v", s.SignIn)
	}
}

// Why somebody was not let in stands in the log, and nothing by which somebody could be.
func TestLogOfProvider(t *testing.T) {
	d := newDoor(t)
	b := d.browser()
	var log bytes.Buffer
	h := newHandler(t, api.Config{Server: d.server, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: d.now})
	for _, c := range []struct{ secret, code, why string }{{clientSecret, "oidc_unknown_person", "the city does not"}, {"another", "oidc_refused", "invalid_client"}} {
		d.with(func(p *auth.Provider) { p.Secret = c.secret })
		back := b.toCallback("wang")
		r := httptest.NewRequest(http.MethodGet, back.String(), http.NoBody)
		r.AddCookie(&http.Cookie{Name: "gridgov_oidc", Value: b.cookies()["gridgov_oidc"]})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if want := "/" + d.live.Code + "/sign-in?error=" + c.code; w.Code != http.StatusSeeOther || w.Header().Get("Location") != want || w.Body.Len() != 0 {
			t.Errorf("%d %v, want %s", w.Code, w.Header(), want)
		}
		if !strings.Contains(log.String(), "code="+c.code) || !strings.Contains(log.String(), c.why) {
			t.Errorf("the log does not say why: %s", &log)
		}
		for _, secret := range []string{back.Query().Get("state"), back.Query().Get("code"), b.cookies()["gridgov_oidc"], clientSecret, "another", "id-wang"} {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds %q: %s", secret, &log)
			}
		}
		log.Reset()
	}
}

// The clocks may be a minute apart. The provider's tokens are good for an hour.
func TestProvidersClock(t *testing.T) {
	d := newDoor(t)
	d.user("wang", "id-wang")
	for _, c := range []struct {
		ahead time.Duration
		code  string
	}{{-50 * time.Second, ""}, {-70 * time.Second, "oidc_refused"}, {time.Hour + 50*time.Second, ""}, {time.Hour + 70*time.Second, "oidc_refused"}} {
		b := d.browser()
		d.ahead.Store(int64(c.ahead))
		at := b.signIn(d.live.Code, "wang", "")
		if c.code != "" {
			b.refused(at, c.code)
		} else {
			b.in(at, "/"+d.live.Code, "wang")
		}
	}
}

// Wherever one wants to go on to, it is a page of the city's.
func TestGoesOnWithinTheCity(t *testing.T) {
	d := newDoor(t)
	d.user("wang", "id-wang")
	home := "/" + d.live.Code
	for to, want := range map[string]string{
		home + "/account?a=b": home + "/account?a=b", home + "/": home + "/", home: home, home + "?x=%E6%9D%91": home + "?x=%E6%9D%91",
		"": home, "https://evil.example/": home, "//evil.example/": home, `/\evil.example`: home, `\\evil.example`: home, "/\t/evil.example": home,
		"javascript:alert(1)": home, "/other": home, "/": home, home + "x": home, home + "/../other": home, home + "/%2e%2e/other": home,
		home + "/v1/docs": home, home + "/sign-in?next=1": home, home + "//evil": home, home + "/%5c%5cevil": home, "/%2fevil.example": home,
		home + "@evil.example": home, "/./" + d.live.Code: home, home + "/" + strings.Repeat("a", 2000): home, "http:" + home: home, home + "/%00": home,
	} {
		b := d.browser()
		b.halt = func(u *url.URL) bool { return "http://"+u.Host != d.site.url && "http://"+u.Host != d.provider.URL }
		at := b.signIn(d.live.Code, "wang", to)
		if to == "/\t/evil.example" { // no query has control characters
			if at.Path != home+"/v1/session/oidc" || b.session().SignedIn {
				t.Errorf("%q led to %s", to, at)
			}
			continue
		}
		b.in(at, want, "wang")
	}
	// What the link says is not taken from the callback again.
	b := d.browser()
	at, _ := b.get(b.toCallback("wang").String() + "&to=" + url.QueryEscape(home+"/account"))
	b.in(at, home, "wang")
}

// The session that was in the browser before ends, and the new one has another token: one that was planted is worth nothing.
func TestPlantedSessionEnds(t *testing.T) {
	d := newDoor(t)
	d.user("wang", "id-wang")
	who := d.user("li", "id-li")
	planted, err := d.live.Auth.OpenSession(t.Context(), who, auth.Attempt{Address: "192.0.2.1"})
	d.ok(err)
	b := d.browser()
	u, err := url.Parse(d.site.url + "/" + d.live.Code + "/")
	d.ok(err)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "gridgov", Value: planted.Token, Path: "/" + d.live.Code + "/"}})
	if s := b.session(); s.Person == nil || s.Person.Login != "li" {
		t.Fatalf("%+v", s)
	}
	b.in(b.signIn(d.live.Code, "wang", ""), "/"+d.live.Code, "wang")
	if got := b.cookies()["gridgov"]; got == planted.Token || got == "" {
		t.Error("the token stays")
	}
	if _, err := d.live.Auth.Identify(t.Context(), planted.Token); err == nil {
		t.Error("the planted session goes on")
	}
	// A cookie of the flow that was planted is not that of the one that begins.
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "gridgov_oidc", Value: strings.Repeat("A", 43), Path: "/" + d.live.Code + "/v1/session"}})
	b.toCallback("wang")
	if b.cookies()["gridgov_oidc"] == strings.Repeat("A", 43) {
		t.Error("the flow has the cookie that was planted")
	}
}

// A service with a public name has the provider lead back to that one, whatever name it was asked by.
func TestProviderLeadsBackToThePublicName(t *testing.T) {
	d := newDoor(t)
	h := newHandler(t, api.Config{Server: d.server, Log: apptest.Quiet(), Now: d.now, Edge: api.Edge{PublicURL: "https://grid.example"}})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/"+d.live.Code+"/v1/session/oidc", http.NoBody)
	r.Host = "evil.example"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	way, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || way.Query().Get("redirect_uri") != "https://grid.example/"+d.live.Code+"/v1/session/oidc/callback" {
		t.Errorf("status %d, to %s, %v", w.Code, way, err)
	}
}
