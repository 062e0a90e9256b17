package api_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"gridgov/internal/api"
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
