package auth_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/auth"
	"gridgov/internal/person"
)

func aProvider() auth.Provider {
	return auth.Provider{Issuer: "https://id.haining.example", ClientID: "gridgov", Secret: "canary-secret", Name: "统一认证", NameEN: "City account"}
}

// A provider is kept without a word of its client's secret, which nobody reads again.
func TestProviderOfACity(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	if p, err := w.Provider(ctx); p != nil || err != nil {
		t.Fatalf("%+v %v", p, err)
	}
	w.ok(w.SetProvider(ctx, nil))
	p := aProvider()
	p.LinkEmail, p.MFA = true, []string{"mfa"}
	w.ok(w.SetProvider(ctx, &p))
	got, err := w.Provider(ctx)
	w.ok(err)
	if got.Issuer != p.Issuer || got.ClientID != "gridgov" || got.Secret != "" || got.Name != "统一认证" || got.NameEN != "City account" || got.Claim != "sub" ||
		!got.LinkEmail || len(got.Scopes) != 1 || got.Scopes[0] != "email" || len(got.MFA) != 1 {
		t.Errorf("%+v", got)
	}
	var kept, acts string
	w.ok(w.pool.QueryRow(ctx, `SELECT value::text FROM setting WHERE key = 'oidc'`).Scan(&kept))
	w.ok(w.pool.QueryRow(ctx, `SELECT string_agg(a::text, ' ') FROM audit a`).Scan(&acts))
	if strings.Contains(kept, "canary") || strings.Contains(acts, "canary") || strings.Contains(acts, `"sealed"`) || !strings.Contains(acts, "setting:oidc") {
		t.Errorf("%s %s", kept, acts)
	}
	// The secret stays for the same issuer, and for no other.
	p.Secret, p.NameEN = "", "Sign in of the city"
	w.ok(w.SetProvider(ctx, &p))
	p.Issuer = "https://other.example"
	w.refused(w.SetProvider(ctx, &p), "required")
	n, err := w.Reseal(ctx)
	w.ok(err)
	if n != 1 {
		t.Errorf("%d secrets are sealed anew", n)
	}
	// Without the key the secret cannot be read: there is no such way in.
	keyless := w.cfg
	keyless.Sealer = nil
	other := auth.New(keyless).Cheap()
	defer other.Close()
	if p, err := other.Provider(ctx); p != nil || err != nil {
		t.Errorf("%+v %v", p, err)
	}
	p = aProvider()
	w.refused(other.SetProvider(ctx, &p), "key_missing")
	_, err = other.BeginOIDC(ctx, "http://localhost/", "/")
	w.refused(err, "oidc_provider_down")
	w.ok(other.SetProvider(ctx, nil))
	if p, err := w.Provider(ctx); p != nil || err != nil {
		t.Errorf("%+v %v", p, err)
	}
	_, err = w.BeginOIDC(ctx, "http://localhost/", "/")
	w.refused(err, "oidc_refused")
}

func TestProvidersThatAreRefused(t *testing.T) {
	w := newWorld(t)
	for field, change := range map[string]func(p *auth.Provider){
		"issuer bad_issuer":        func(p *auth.Provider) { p.Issuer = "http://id.haining.example" },
		"client_id required":       func(p *auth.Provider) { p.ClientID = "" },
		"client_secret required":   func(p *auth.Provider) { p.Secret = "" },
		"client_secret too_long":   func(p *auth.Provider) { p.Secret = strings.Repeat("a", 1001) },
		"name bad_button":          func(p *auth.Provider) { p.Name = "" },
		"name_en bad_button":       func(p *auth.Provider) { p.NameEN = "a\nb" },
		"claim bad_claim":          func(p *auth.Provider) { p.Claim = "a b" },
		"scopes bad_scope":         func(p *auth.Provider) { p.Scopes = []string{"a b"} },
		"mfa bad_scope of amr":     func(p *auth.Provider) { p.MFA = []string{""} },
		"scopes too_many":          func(p *auth.Provider) { p.Scopes = make([]string, 21) },
		"name_en bad_button of 41": func(p *auth.Provider) { p.NameEN = strings.Repeat("a", 41) },
		"client_id required of 99": func(p *auth.Provider) { p.ClientID = strings.Repeat("a", 256) },
	} {
		p := aProvider()
		change(&p)
		words := strings.Fields(field)
		if f := w.heard(w.SetProvider(t.Context(), &p), words[1]); f.Field != words[0] {
			t.Errorf("%s: field %q", field, f.Field)
		}
	}
}

func TestLinkedIdentities(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	wang, li := w.user("wang"), w.user("li")
	w.refused(w.LinkIdentity(ctx, wang, "", "7"), "no_provider")
	p := aProvider()
	w.ok(w.SetProvider(ctx, &p))
	w.refused(w.LinkIdentity(ctx, wang, "https://other.example", "7"), "unknown_issuer")
	for _, bad := range []string{"", "a\x00", "a\nb", strings.Repeat("a", 256), "\xff"} {
		w.refused(w.LinkIdentity(ctx, wang, "", bad), "bad_subject")
	}
	w.refused(w.LinkIdentity(ctx, uuid.New(), "", "7"), "not_found")
	w.ok(w.LinkIdentity(ctx, wang, p.Issuer, "canary-7"))
	w.ok(w.LinkIdentity(ctx, wang, "", "canary-7"))
	w.refused(w.LinkIdentity(ctx, li, "", "canary-7"), "identity_taken")
	machine, err := w.people.Create(ctx, person.New{Name: "12345", Machine: true})
	w.ok(err)
	_, err = w.CreateAccount(ctx, auth.NewAccount{Person: machine.ID, Login: "line"})
	w.ok(err)
	w.refused(w.LinkIdentity(ctx, machine.ID, "", "8"), "not_a_person")

	// Sessions that came of an identity end with it, and others do not.
	own := w.in("wang")
	open := func() auth.SignedIn {
		t.Helper()
		in, err := w.OpenSession(ctx, wang, auth.Attempt{})
		w.ok(err)
		return in
	}
	ended := func(in auth.SignedIn) {
		t.Helper()
		_, err := w.Identify(ctx, in.Token)
		w.refused(err, "no_session")
		_, err = w.Identify(ctx, own.Token)
		w.ok(err)
	}
	in := open()
	w.ok(w.LinkIdentity(ctx, wang, "", "canary-8"))
	ended(in)
	in = open()
	w.ok(w.UnlinkIdentity(ctx, wang))
	w.ok(w.UnlinkIdentity(ctx, wang))
	ended(in)
	w.refused(w.UnlinkIdentity(ctx, uuid.New()), "not_found")
	in = open()
	p.NameEN, p.Secret = "Another name", ""
	w.ok(w.SetProvider(ctx, &p))
	_, err = w.Identify(ctx, in.Token)
	w.ok(err)
	p.Issuer, p.Secret = "https://new.example", "s"
	w.ok(w.SetProvider(ctx, &p))
	ended(in)
	in = open()
	w.ok(w.SetProvider(ctx, nil))
	ended(in)

	// Nothing of it is left of who is erased, and none of it was put on record.
	w.ok(w.SetProvider(ctx, &p))
	w.ok(w.LinkIdentity(ctx, wang, "", "canary-9"))
	w.ok(w.Erase(ctx, wang))
	var kept, acts string
	w.ok(w.pool.QueryRow(ctx, `SELECT string_agg(a::text, ' ') FROM account a`).Scan(&kept))
	w.ok(w.pool.QueryRow(ctx, `SELECT string_agg(a::text, ' ') FROM audit a`).Scan(&acts))
	if strings.Contains(kept, "canary") || strings.Contains(acts, "canary") || !strings.Contains(acts, "identity.link") || !strings.Contains(acts, "identity.unlink") {
		t.Errorf("%s %s", kept, acts)
	}
	w.ok(w.LinkIdentity(ctx, li, "", "canary-9"))
}

// What became of asking a provider has words for who asked, and the reason besides for the log.
func TestCheckProvider(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.ok(w.CheckProvider(ctx))
	p := auth.Provider{Issuer: "http://127.0.0.1:1", ClientID: "gridgov", Secret: "s", Name: "统一认证", NameEN: "City account"}
	w.ok(w.SetProvider(ctx, &p))
	f := w.heard(w.CheckProvider(ctx), "provider_no_answer")
	if f.Message == "" {
		t.Error("there are no words")
	}
}
