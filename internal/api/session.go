package api

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/auth"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
)

// maxForm is the limit of a form's body in bytes.
const maxForm = 16 << 10

func (a *api) getSession(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	out, err := c.session(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// session tells who asks, what they may do, and to who has not signed in how to.
func (c *call) session(r *http.Request) (Session, error) {
	out := Session{Allowed: c.allowed(), Posts: []HeldPost{}, PublicMap: c.actor.Public}
	if c.who == nil {
		demo, err := c.Auth.DemoAccounts(r.Context())
		if err != nil {
			return out, err
		}
		if len(demo) > 0 {
			list := make([]DemoAccount, len(demo))
			for i, d := range demo {
				list[i] = DemoAccount{Login: d.Login, Role: string(d.Role), Name: d.Name, Place: c.placeName(d.Place), Password: app.DemoPassword}
			}
			out.DemoAccounts = &list
		}
		out.SignIn, err = c.signInWays(r)
		return out, err
	}
	out.SignedIn = true
	sources := []Source{}
	for _, s := range c.actor.Sources(c.at) {
		sources = append(sources, Source(s))
	}
	out.Sources = &sources
	out.Person = &SessionPerson{Id: c.who.Person, Name: c.who.Name, Login: c.who.Login}
	out.MustChangePassword, out.NeedsSecondFactor = optional(c.who.MustChange), optional(c.who.NeedsTOTP)
	out.SecondFactor, out.Demo, out.Ends = optional(c.who.TOTP), optional(c.who.Demo), new(utc(c.who.Ends))
	for i := range c.actor.Posts {
		if p := &c.actor.Posts[i]; p.InForce(c.at) {
			out.Posts = append(out.Posts, c.heldPost(p))
		}
	}
	return out, nil
}

// placeName names a jurisdiction of the plan in force by its code; what is no code, such as a unit's name, stands for itself.
func (c *call) placeName(place string) string {
	if l := c.State().Layout; l != nil {
		for i := range l.Levels {
			if _, unit, ok := l.Unit(l.Levels[i].Role, place); ok {
				return l.Levels[i].Units[unit].Name
			}
		}
	}
	return place
}

func (c *call) heldPost(p *policy.Post) HeldPost {
	out := HeldPost{Id: int(p.ID), Role: string(p.Role)}
	if p.Area.Level != "" {
		ref := unitRef(c.State().Layout, jurisdiction.Role(p.Area.Level), p.Area.Code)
		out.Area = &ref
		if l := c.State().Layout; l != nil {
			if level, unit, ok := l.Unit(jurisdiction.Role(p.Area.Level), p.Area.Code); ok {
				out.Bbox = new(box(l.Levels[level].Units[unit].Bound))
			}
		}
	}
	if p.Unit != 0 {
		out.Unit = new(int(p.Unit))
	}
	if !p.Until.IsZero() {
		out.Until = new(utc(p.Until))
	}
	return out
}

// allowed lists the actions that reach anywhere.
func (c *call) allowed() []string {
	list := []string{}
	for _, action := range policy.Actions() {
		if reach := c.may(action); !reach.Empty() {
			list = append(list, string(action))
		}
	}
	return list
}

func (a *api) signIn(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in Credentials
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	attempt := auth.Attempt{Login: in.Login, Password: in.Password, Device: cookie(r, deviceCookie), Address: clientAddress(r),
		Agent: r.UserAgent(), OldToken: cookie(r, sessionCookie)}
	if in.Code != nil {
		attempt.Code = *in.Code
	}
	signed, err := c.Auth.SignIn(r.Context(), attempt)
	if err != nil {
		return err
	}
	a.letIn(w, r, c, signed)
	if a.SignedIn != nil {
		a.SignedIn(c.Code, signed.Identity.Login)
	}
	c.who, c.actor = signed.Identity, signed.Identity.Actor
	out, err := c.session(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) signOut(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if token := cookie(r, sessionCookie); token != "" {
		if err := c.Auth.SignOut(r.Context(), token); err != nil {
			return err
		}
	}
	a.setCookie(w, r, c, sessionCookie, "", 0)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// setCookie sets a cookie of the city; an empty value takes it away. Scripts cannot read it, other sites' requests that
// change something do not carry it, and it travels encrypted where the request did.
func (a *api) setCookie(w http.ResponseWriter, r *http.Request, c *call, name, value string, age time.Duration) {
	a.setCookieAt(w, r, "/"+c.Code+"/", name, value, age)
}

func (a *api) setCookieAt(w http.ResponseWriter, r *http.Request, path, name, value string, age time.Duration) {
	seconds := int(age.Seconds())
	if value == "" {
		seconds = -1
	}
	//nolint:gosec // Secure is set where the connection is: a service on this machine alone speaks HTTP
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: path, MaxAge: seconds,
		HttpOnly: true, Secure: scheme(r) == "https", SameSite: http.SameSiteLaxMode})
}

func (a *api) getAccount(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	account, err := c.Auth.Account(r.Context(), c.who.Person)
	if err != nil {
		return err
	}
	sessions, err := c.Auth.Sessions(r.Context(), c.who.Person)
	if err != nil {
		return err
	}
	out := Account{Login: account.Login, Name: account.Name, SecondFactor: account.TOTP, MustChangePassword: account.MustChange, Sessions: []AccountSession{}}
	for _, s := range sessions {
		out.Sessions = append(out.Sessions, AccountSession{Id: s.ID, Began: utc(s.MadeAt), Seen: utc(s.SeenAt), Ends: utc(s.Ends),
			Address: s.Address, Agent: s.Agent, Current: s.ID == c.who.Session})
	}
	return writeJSON(w, http.StatusOK, out)
}

// personally refuses machines: what follows is a person's at a screen.
func (c *call) personally() error {
	if c.who.Session == uuid.Nil {
		return fault.Forbidden("not_a_person", "a token cannot do this: sign in with a password")
	}
	return nil
}

func (a *api) changePassword(w http.ResponseWriter, r *http.Request, c *call) error {
	var in PasswordChange
	if err := a.form(r, c, &in); err != nil {
		return err
	}
	if err := c.Auth.ChangePassword(r.Context(), c.who, clientAddress(r), in.Current, in.New); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// form reads the body of a request that a person makes for their own account.
func (a *api) form(r *http.Request, c *call, into any) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if err := c.personally(); err != nil || into == nil {
		return err
	}
	return decode(r, maxForm, into)
}

func (a *api) beginTOTP(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := a.form(r, c, nil); err != nil {
		return err
	}
	setup, err := c.Auth.BeginTOTP(r.Context(), c.who)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, SecondFactorSetup{Secret: setup.Secret, Url: setup.URL})
}

func (a *api) confirmTOTP(w http.ResponseWriter, r *http.Request, c *call) error {
	var in Code
	if err := a.form(r, c, &in); err != nil {
		return err
	}
	codes, err := c.Auth.ConfirmTOTP(r.Context(), c.who, in.Code)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, RecoveryCodes{Codes: codes})
}

func (a *api) newRecoveryCodes(w http.ResponseWriter, r *http.Request, c *call) error {
	var in Code
	if err := a.form(r, c, &in); err != nil {
		return err
	}
	codes, err := c.Auth.NewRecoveryCodes(r.Context(), c.who, in.Code)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, RecoveryCodes{Codes: codes})
}

func (a *api) removeTOTP(w http.ResponseWriter, r *http.Request, c *call) error {
	var in Password
	if err := a.form(r, c, &in); err != nil {
		return err
	}
	if err := c.Auth.RemoveTOTP(r.Context(), c.who, clientAddress(r), in.Password); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) endOtherSessions(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := a.form(r, c, nil); err != nil {
		return err
	}
	if _, err := c.Auth.EndOthers(r.Context(), c.who.Person, c.who.Session); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) endSession(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := a.form(r, c, nil); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return fault.NotFound("you have no such session")
	}
	if err := c.Auth.EndSession(r.Context(), c.who.Person, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
