package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gridgov/internal/auth"
	"gridgov/internal/fault"
)

// oidcCookie binds a sign-in by the city's identity provider to the browser that began it. It goes only where that is done.
const oidcCookie = "gridgov_oidc"

const (
	maxTarget = 2000 // bytes of the page to go on to
	maxCode   = 4096 // bytes of a provider's code
)

// signInWays tells who has not signed in by what the city lets people in besides a password.
func (c *call) signInWays(r *http.Request) (*SignInWays, error) {
	p, err := c.Auth.Provider(r.Context())
	if err != nil || p == nil {
		return nil, err
	}
	return &SignInWays{Oidc: &ProviderName{Name: p.Name, NameEn: p.NameEN}}, nil
}

// beginOIDC sends the browser to the city's identity provider.
func (a *api) beginOIDC(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	to := pageOf(c.Code, q.get("to"))
	if err := q.done(); err != nil {
		return err
	}
	begun, err := c.Auth.BeginOIDC(r.Context(), a.callbackOf(r, c), to)
	if err != nil {
		return a.notSignedIn(w, r, c, to, err)
	}
	a.setOIDCCookie(w, r, c, begun.Browser, auth.FlowAge)
	return seeOther(w, begun.URL)
}

// callbackOf is where the provider leads back to: the city, by the service's public name, or else by the one that the browser
// has for it. A provider takes none but those that were registered there.
func (a *api) callbackOf(r *http.Request, c *call) string {
	base := a.Edge.PublicURL
	if base == "" {
		base = scheme(r) + "://" + r.Host
	}
	return base + "/" + c.Code + "/v1/session/oidc/callback"
}

// finishOIDC takes the browser back from it. What else a provider adds to the query is not read.
func (a *api) finishOIDC(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	back := auth.Callback{State: q.get("state"), Code: q.get("code"), Error: q.get("error"), Issuer: q.get("iss"), Browser: cookie(r, oidcCookie)}
	back.Attempt = auth.Attempt{Device: cookie(r, deviceCookie), Address: clientAddress(r), Agent: r.UserAgent(), OldToken: cookie(r, sessionCookie)}
	if q.err != nil || len(back.Code) > maxCode {
		back.Code = ""
	}
	done, err := c.Auth.FinishOIDC(r.Context(), back)
	to := pageOf(c.Code, done.To)
	switch {
	case done.Pending != "":
		a.setOIDCCookie(w, r, c, done.Pending, auth.FlowAge)
		return seeOther(w, signInPage(c, "step", "code", to))
	case err != nil:
		a.setOIDCCookie(w, r, c, "", 0)
		return a.notSignedIn(w, r, c, to, err)
	}
	a.setOIDCCookie(w, r, c, "", 0)
	a.letIn(w, r, c, done.SignedIn)
	return seeOther(w, to)
}

// giveCode takes the code of the second factor from somebody for whom the identity provider has vouched.
func (a *api) giveCode(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in Code
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	signed, err := c.Auth.GiveCode(r.Context(), cookie(r, oidcCookie), auth.Attempt{Code: in.Code, Device: cookie(r, deviceCookie),
		Address: clientAddress(r), Agent: r.UserAgent(), OldToken: cookie(r, sessionCookie)})
	if err != nil {
		return err
	}
	a.setOIDCCookie(w, r, c, "", 0)
	a.letIn(w, r, c, signed)
	c.who, c.actor = signed.Identity, signed.Identity.Actor
	out, err := c.session(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// letIn sets the cookies of a new session.
func (a *api) letIn(w http.ResponseWriter, r *http.Request, c *call, signed auth.SignedIn) {
	a.setCookie(w, r, c, sessionCookie, signed.Token, auth.DefaultLimits.Absolute)
	a.setCookie(w, r, c, deviceCookie, signed.Device, auth.DeviceAge)
}

func (a *api) setOIDCCookie(w http.ResponseWriter, r *http.Request, c *call, value string, age time.Duration) {
	a.setCookieAt(w, r, "/"+c.Code+"/v1/session", oidcCookie, value, age)
}

// toldCodes are the reasons that the sign-in page has words for.
var toldCodes = []string{"oidc_refused", "oidc_expired", "oidc_unknown_person", "oidc_provider_down", "account_disabled", "too_many_attempts"}

// notSignedIn sends a browser that was not let in to the sign-in page, with a code; the reason goes to the log.
func (a *api) notSignedIn(w http.ResponseWriter, r *http.Request, c *call, to string, err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	code := f.Code
	if !slices.Contains(toldCodes, code) {
		code = "oidc_refused"
	}
	a.Log.InfoContext(r.Context(), "the identity provider let nobody in", "city", c.Code, "code", code, "err", shorten(err.Error(), 500))
	return seeOther(w, signInPage(c, "error", code, to))
}

func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// signInPage is the page's, with one more word for it, and where to go on to unless that is the home.
func signInPage(c *call, name, value, to string) string {
	page := "/" + c.Code + "/sign-in?" + name + "=" + value
	if to != "/"+c.Code {
		page += "&next=" + url.QueryEscape(to)
	}
	return page
}

// seeOther sends a browser on. Nothing on the way is kept.
func seeOther(w http.ResponseWriter, to string) error {
	h := w.Header()
	h.Set("Location", to)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// pageOf gives back a path of the city's pages, and the city's home for anything else: another site, another city, what is no
// page, or the page from which one signs in. Browsers read \ as /, and drop control characters before they read.
func pageOf(city, to string) string {
	home := "/" + city
	if len(to) > maxTarget || !strings.HasPrefix(to, "/") || !utf8.ValidString(to) ||
		strings.ContainsFunc(to, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }) {
		return home
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return home
	}
	parts := strings.Split(strings.TrimSuffix(u.Path[1:], "/"), "/") // decoded: browsers take %2e for a dot
	for _, p := range parts {
		if p == "" || p == "." || p == ".." || strings.ContainsAny(p, "\\\x7f") || strings.ContainsFunc(p, unicode.IsControl) {
			return home
		}
	}
	if parts[0] != city || len(parts) > 1 && (parts[1] == "v1" || strings.HasPrefix(parts[1], "sign-in")) {
		return home
	}
	return u.String()
}
