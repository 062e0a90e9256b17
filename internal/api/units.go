package api

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/auth"
	"gridgov/internal/fault"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

func (c *call) unitOf(u *person.Unit) Unit {
	return Unit{Id: int(u.ID), Kind: UnitKind(u.Kind), Name: u.Name, NameEn: optional(u.NameEN), Area: c.areaOf(u.Area), Closed: u.ClosedAt != nil, Version: u.Version}
}

func (a *api) listUnits(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	units, err := c.People.Units(r.Context())
	if err != nil {
		return err
	}
	out := UnitList{Units: make([]Unit, len(units))}
	for i := range units {
		out.Units[i] = c.unitOf(&units[i])
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) createUnit(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in NewUnit
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	u, err := c.People.CreateUnit(r.Context(), person.Unit{Kind: policy.UnitKind(in.Kind), Name: in.Name, NameEN: text(in.NameEn),
		Area: policy.Area{Level: policy.Level(text(in.Level)), Code: text(in.Code)}})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, c.unitOf(&u))
}

func (a *api) changeUnit(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return fault.NotFound("there is no unit %.40q", r.PathValue("id"))
	}
	var in UnitChange
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	var u person.Unit
	switch change := (in.Name != nil || in.NameEn != nil || in.Level != nil || in.Code != nil); {
	case in.Closed != nil && !*in.Closed:
		return fault.Invalid("closed", "closed_for_good", "a unit that was closed stays so: make another")
	case in.Closed != nil && change:
		return fault.Invalid("closed", "closed_alone", "close the unit by itself, not along with other changes")
	case in.Closed != nil:
		u, err = c.People.CloseUnit(r.Context(), policy.UnitID(id), in.Version)
	case (in.Level == nil) != (in.Code == nil):
		return fault.Invalid("code", "half_a_place", "give level and code together")
	default:
		c2 := person.UnitChange{Name: in.Name, NameEN: in.NameEn}
		if in.Level != nil {
			c2.Area = &policy.Area{Level: policy.Level(*in.Level), Code: *in.Code}
		}
		u, err = c.People.ChangeUnit(r.Context(), policy.UnitID(id), in.Version, c2)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c.unitOf(&u))
}

func (c *call) tokenOf(t *auth.Token, names map[uuid.UUID]string) Token {
	out := Token{Id: t.ID, Person: t.Person, PersonName: names[t.Person], Name: t.Name, Scopes: []string{}, MadeAt: utc(t.MadeAt), ExpiresAt: utc(t.ExpiresAt), State: TokenValid}
	for _, s := range t.Scopes {
		out.Scopes = append(out.Scopes, string(s))
	}
	if t.SeenAt != nil {
		out.SeenAt = new(utc(*t.SeenAt))
	}
	switch {
	case t.RevokedAt != nil:
		out.State = TokenRevoked
	case !t.ExpiresAt.After(c.at):
		out.State = TokenExpired
	}
	return out
}

// machineScopes are the actions that a machine's post may allow.
func machineScopes() []string {
	list := []string{}
	for _, rule := range policy.Rules {
		machines := slices.ContainsFunc(rule.Roles, func(r policy.Role) bool { return r.IsMachine() || r == policy.SignedIn })
		if machines && rule.Action != policy.AccountOwn && !slices.Contains(list, string(rule.Action)) {
			list = append(list, string(rule.Action))
		}
	}
	return list
}

func (a *api) listTokens(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	tokens, err := c.Auth.Tokens(r.Context(), uuid.Nil)
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(tokens))
	for i := range tokens {
		ids[i] = tokens[i].Person
	}
	names, err := c.People.Names(r.Context(), ids)
	if err != nil {
		return err
	}
	out := TokenList{Tokens: make([]Token, len(tokens)), Scopes: machineScopes(), LongestDays: int(auth.DefaultLimits.Token / (24 * time.Hour))}
	for i := range tokens {
		out.Tokens[i] = c.tokenOf(&tokens[i], names)
	}
	return writeJSON(w, http.StatusOK, out)
}

func (a *api) createToken(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in NewToken
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	id, err := uuid.Parse(in.Person)
	if err != nil {
		return fault.Invalid("person", "bad_uuid", "%.40q is no machine's id", in.Person)
	}
	n := auth.NewToken{Person: id, Name: in.Name, ExpiresAt: in.ExpiresAt}
	for _, s := range in.Scopes {
		if !slices.Contains(machineScopes(), s) {
			return fault.Invalid("scopes", "unknown_scope", "no machine's post allows %.60q: see the scopes in the list of tokens", s)
		}
		n.Scopes = append(n.Scopes, policy.Action(s))
	}
	secret, t, err := c.Auth.CreateToken(r.Context(), n)
	if err != nil {
		return err
	}
	names, err := c.People.Names(r.Context(), []uuid.UUID{id})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, IssuedToken{Token: c.tokenOf(&t, names), Secret: secret})
}

func (a *api) revokeToken(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return fault.NotFound("there is no token %.40q", r.PathValue("id"))
	}
	if err := c.Auth.RevokeToken(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) getSettings(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	set, err := c.Auth.Settings(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, Settings{PublicMap: set.PublicMap, RequireSecondFactor: set.RequireTOTPAdmin})
}

func (a *api) changeSettings(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in SettingsChange
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	change := map[string]bool{}
	if in.PublicMap != nil {
		change["public_map"] = *in.PublicMap
	}
	if in.RequireSecondFactor != nil {
		change["require_totp_admin"] = *in.RequireSecondFactor
	}
	if err := c.Auth.ChangeSettings(r.Context(), change); err != nil {
		return err
	}
	set, err := c.Auth.Settings(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, Settings{PublicMap: set.PublicMap, RequireSecondFactor: set.RequireTOTPAdmin})
}
