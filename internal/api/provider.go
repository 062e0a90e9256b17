package api

import (
	"net/http"

	"gridgov/internal/auth"
	"gridgov/internal/fault"
)

func (a *api) getProvider(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	out, err := a.providerSettings(r, c)
	if err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, out)
}

// providerSettings tells all of the city's identity provider but its client's secret.
func (a *api) providerSettings(r *http.Request, c *call) (IdentityProviderSettings, error) {
	out := IdentityProviderSettings{Callback: a.callbackOf(r, c), KeyMissing: optional(!c.Auth.CanSeal())}
	p, err := c.Auth.Provider(r.Context())
	if err != nil || p == nil {
		return out, err
	}
	out.Provider = &IdentityProvider{Issuer: p.Issuer, ClientId: p.ClientID, HasSecret: p.HasSecret, Name: p.Name, NameEn: p.NameEN, Claim: p.Claim,
		LinkEmail: p.LinkEmail, Scopes: listed(p.Scopes), Mfa: listed(p.MFA)}
	return out, nil
}

// listed is a list that is never null.
func listed(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (a *api) setProvider(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in IdentityProviderChange
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	p := auth.Provider{Issuer: in.Issuer, ClientID: in.ClientId, Secret: text(in.ClientSecret), Name: in.Name, NameEN: in.NameEn, Claim: text(in.Claim),
		LinkEmail: in.LinkEmail != nil && *in.LinkEmail}
	if in.Scopes != nil {
		p.Scopes = listed(*in.Scopes)
	}
	if in.Mfa != nil {
		p.MFA = *in.Mfa
	}
	if err := c.Auth.SetProvider(r.Context(), &p); err != nil {
		return err
	}
	out, err := a.providerSettings(r, c)
	if err != nil {
		return err
	}
	if out.Check, err = a.checkProvider(r, c); err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, out)
}

// checkProvider asks the provider that is set. What it said goes to the log, and no word of it to who asks.
func (a *api) checkProvider(r *http.Request, c *call) (*ProviderCheck, error) {
	err := c.Auth.CheckProvider(r.Context())
	if err == nil {
		return &ProviderCheck{Ok: true}, nil
	}
	f, ok := fault.As(err)
	if !ok {
		return nil, err
	}
	a.Log.InfoContext(r.Context(), "the identity provider does not answer as it should", "city", c.Code, "code", f.Code, "err", shorten(err.Error(), 500))
	return &ProviderCheck{Code: new(ProviderCheckCode(f.Code)), Detail: &f.Message}, nil
}

func (a *api) removeProvider(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if err := c.Auth.SetProvider(r.Context(), nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) linkIdentity(w http.ResponseWriter, r *http.Request, c *call) error {
	var in IdentityLink
	p, err := c.edited(r, &in)
	if err != nil {
		return err
	}
	if err := c.Auth.LinkIdentity(r.Context(), p.ID, "", in.Subject); err != nil {
		return err
	}
	account, err := c.account(r, p.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, account)
}

func (a *api) unlinkIdentity(w http.ResponseWriter, r *http.Request, c *call) error {
	p, err := c.edited(r, nil)
	if err != nil {
		return err
	}
	if err := c.Auth.UnlinkIdentity(r.Context(), p.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
