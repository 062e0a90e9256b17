package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"gridgov/internal/api"
	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

const (
	clientID     = "gridgov"
	clientSecret = "a secret of the client's"
)

// provider is a real identity provider, with a login page.
type provider struct {
	*httptest.Server
	users map[string]*storage.User // by id
	down  atomic.Bool              // answers 500 to everything
}

func (p *provider) GetUserByID(id string) *storage.User { return p.users[id] }

func (p *provider) GetUserByUsername(name string) *storage.User {
	for _, u := range p.users {
		if u.Username == name {
			return u
		}
	}
	return nil
}

func (p *provider) ExampleClientID() string { return "service" }

// newProvider starts one at which the city of each callback is registered.
func newProvider(t *testing.T, callbacks ...string) *provider {
	t.Helper()
	p := &provider{users: map[string]*storage.User{}}
	for _, name := range []string{"wang", "li", "zhao"} {
		p.users["id-"+name] = &storage.User{ID: "id-" + name, Username: name, Password: "password of " + name, Email: name + "@haining.example", EmailVerified: name != "zhao"}
	}
	p.Server = httptest.NewUnstartedServer(nil)
	issuer := "http://" + p.Listener.Addr().String()
	store := storage.NewStorageWithClients(p, map[string]*storage.Client{clientID: storage.WebClient(clientID, clientSecret, callbacks...)})
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	real := exampleop.SetupServer(issuer, store, apptest.Quiet(), false)
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		real.ServeHTTP(w, r)
	})
	p.Start()
	t.Cleanup(p.Close)
	return p
}

// door is a site whose city has an identity provider, and whose clock can be moved.
type door struct {
	*site
	*provider
	ahead atomic.Int64 // of the site's clock
	set   auth.Provider
}

func newDoor(t *testing.T, change ...func(*auth.Provider)) *door {
	t.Helper()
	d := &door{}
	d.site = newSiteAt(t, d.now)
	d.provider = newProvider(t, d.callback(d.live.Code))
	d.set = auth.Provider{Issuer: d.provider.URL, ClientID: clientID, Secret: clientSecret, Name: "统一认证", NameEN: "City account"}
	d.with(change...)
	return d
}

func (d *door) now() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }

func (d *door) callback(city string) string {
	return d.site.url + "/" + city + "/v1/session/oidc/callback"
}

// with changes the city's setting.
func (d *door) with(change ...func(*auth.Provider)) {
	d.t.Helper()
	for _, f := range change {
		f(&d.set)
	}
	d.ok(d.live.Auth.SetProvider(d.t.Context(), &d.set))
}

func (d *door) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// user makes a person with an account, linked to the subject unless that is "".
func (d *door) user(login, subject string) uuid.UUID {
	d.t.Helper()
	c := d.live
	who, _, err := c.Auth.CreateUser(d.t.Context(), person.New{Name: "人 " + login, Email: login + "@haining.example"}, auth.NewAccount{Login: login},
		person.Post{Role: policy.GridWorker, Area: apptest.GridArea(0, 0)})
	d.ok(err)
	if subject != "" {
		d.ok(c.Auth.LinkIdentity(d.t.Context(), who, "", subject))
	}
	return who
}

func (d *door) rows(table string) (n int) {
	d.t.Helper()
	d.ok(d.live.Pool.QueryRow(d.t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// browser is somebody's, with cookies.
type browser struct {
	*door
	client *http.Client
	halt   func(*url.URL) bool // where it does not go
	last   http.Header
}

func (d *door) browser() *browser {
	jar, err := cookiejar.New(nil)
	d.ok(err)
	b := &browser{door: d}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if b.halt != nil && b.halt(r.URL) || len(via) > 10 {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	b.t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// open opens an address and gives where it led to, and what was there.
func (b *browser) open(r *http.Request, err error) (at *url.URL, body string) {
	b.t.Helper()
	b.ok(err)
	resp, err := b.client.Do(r)
	b.ok(err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	b.ok(err)
	b.last = resp.Header
	at = resp.Request.URL
	if to := resp.Header.Get("Location"); to != "" {
		at, err = at.Parse(to)
		b.ok(err)
	}
	return at, string(text)
}

func (b *browser) get(address string) (*url.URL, string) {
	b.t.Helper()
	return b.open(http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, http.NoBody))
}

var formID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// signIn presses the button and fills the provider's form, and gives where that led to.
func (b *browser) signIn(city, user, to string) *url.URL {
	b.t.Helper()
	address := b.site.url + "/" + city + "/v1/session/oidc"
	if to != "" {
		address += "?to=" + url.QueryEscape(to)
	}
	at, page := b.get(address)
	m := formID.FindStringSubmatch(page)
	if m == nil {
		return at // it did not come to the provider's form
	}
	form := url.Values{"username": {user}, "password": {"password of " + user}, "id": {m[1]}}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.provider.URL+"/login/username", strings.NewReader(form.Encode()))
	b.ok(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	at, _ = b.open(r, nil)
	return at
}

func isCallback(u *url.URL) bool { return strings.HasSuffix(u.Path, "/session/oidc/callback") }

// toCallback is signIn up to the address by which the provider sends the browser back, which is not opened.
func (b *browser) toCallback(user string) *url.URL {
	b.t.Helper()
	b.halt = isCallback
	at := b.signIn(b.live.Code, user, "")
	b.halt = nil
	if !isCallback(at) {
		b.t.Fatalf("no callback: %s", at)
	}
	return at
}

func (b *browser) cookies() map[string]string {
	u, err := url.Parse(b.callback(b.live.Code))
	b.ok(err)
	out := map[string]string{}
	for _, c := range b.client.Jar.Cookies(u) {
		out[c.Name] = c.Value
	}
	return out
}

func (b *browser) session() (out api.Session) {
	b.t.Helper()
	_, text := b.get(b.site.url + "/" + b.live.Code + "/v1/session")
	b.ok(json.Unmarshal([]byte(text), &out))
	return out
}

// refused looks for the code on the sign-in page, and that nobody is in.
func (b *browser) refused(at *url.URL, code string) {
	b.t.Helper()
	if at.Path != "/"+b.live.Code+"/sign-in" || at.Query().Get("error") != code {
		b.t.Errorf("led to %s, want the sign-in page with %s", at, code)
	}
	if s := b.session(); s.SignedIn {
		b.t.Errorf("and is in as %s", s.Person.Login)
	}
	if c := b.cookies(); c["gridgov"] != "" || c["gridgov_oidc"] != "" {
		b.t.Errorf("and has the cookies %v", c)
	}
}

// in looks where it led to, and who is in. The home has a slash in the end, to which the service itself leads.
func (b *browser) in(at *url.URL, path, login string) api.Session {
	b.t.Helper()
	s := b.session()
	home := "/" + b.live.Code
	if rest, ok := strings.CutPrefix(path, home); ok && (rest == "" || rest[0] == '?') {
		path = home + "/" + rest
	}
	if at.RequestURI() != path || !s.SignedIn || s.Person.Login != login {
		b.t.Fatalf("led to %s, want %s; %+v", at, path, s)
	}
	return s
}

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

func TestWhoTheProviderKnows(t *testing.T) {
	d := newDoor(t)
	b := d.browser()
	wang := d.user("wang", "")
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_unknown_person")

	// By the address only where the city says so, and only where the provider has verified it.
	d.with(func(p *auth.Provider) { p.LinkEmail = true })
	d.user("zhao", "")
	b.refused(b.signIn(d.live.Code, "zhao", ""), "oidc_unknown_person")
	twin, err := d.live.People.Create(t.Context(), person.New{Name: "又一个", Email: "WANG@haining.example"})
	d.ok(err)
	b.refused(b.signIn(d.live.Code, "wang", ""), "oidc_unknown_person") // which of the two?
	d.ok(d.live.Auth.Erase(t.Context(), twin.ID))
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
