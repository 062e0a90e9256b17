package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/auth/idp"
	"gridgov/internal/fault"
)

// Provider is a city's own identity provider, by which people may sign in.
type Provider struct {
	Issuer    string // as its metadata has it
	ClientID  string
	Secret    string // of the client; never read back, and "" leaves the one that is kept for the issuer
	HasSecret bool   // read only: one is kept
	Name      string // of the button
	NameEN    string
	Claim     string   // by which people are known; "": sub. It must be one that nobody can choose
	LinkEmail bool     // somebody unknown whose verified e-mail address is one person's is that person from then on
	Scopes    []string // besides openid; nil: email, where that is wanted
	MFA       []string // values of amr or acr that stand for the account's second factor; none: the code is asked for
}

// storedProvider is a Provider as the setting has it.
type storedProvider struct {
	Issuer    string   `json:"issuer"`
	ClientID  string   `json:"client_id"`
	Sealed    []byte   `json:"sealed,omitempty"` // the secret of the client
	Name      string   `json:"name"`
	NameEN    string   `json:"name_en"`
	Claim     string   `json:"claim"`
	LinkEmail bool     `json:"link_email"`
	Scopes    []string `json:"scopes"`
	MFA       []string `json:"mfa"`
}

func (p *storedProvider) label() string { return "oidc:" + p.Issuer }

// realm is within which a person's key is unique: the issuer, and the claim where it is not sub.
func (p *storedProvider) realm() string { return realmOf(p.Issuer, p.Claim) }

// Realm is what an account's Issuer is while it is linked to this provider.
func (p *Provider) Realm() string { return realmOf(p.Issuer, p.Claim) }

func realmOf(issuer, claim string) string {
	if claim == "" || claim == "sub" {
		return issuer
	}
	return issuer + "#" + claim
}

const readProvider = `SELECT value FROM setting WHERE key = 'oidc'`

// decodeProvider reads the setting; nil: the city has no provider.
func decodeProvider(row pgx.Row) (p *storedProvider, err error) {
	var value []byte
	if err = row.Scan(&value); errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is none
	} else if err != nil {
		return nil, fmt.Errorf("read setting: %w", err)
	}
	if err = json.Unmarshal(value, &p); err != nil {
		return nil, fmt.Errorf("read setting: %w", err)
	}
	return p, nil
}

// Provider reads the city's identity provider, without the secret; nil: it has none, or the service cannot open its secret.
func (s *Service) Provider(ctx context.Context) (*Provider, error) {
	p, err := decodeProvider(s.cfg.Pool.QueryRow(ctx, readProvider))
	if err != nil || p == nil || s.cfg.Sealer == nil {
		return nil, err
	}
	return &Provider{Issuer: p.Issuer, ClientID: p.ClientID, HasSecret: p.Sealed != nil, Name: p.Name, NameEN: p.NameEN, Claim: p.Claim, LinkEmail: p.LinkEmail,
		Scopes: p.Scopes, MFA: p.MFA}, nil
}

// SetProvider makes it the city's; nil: the city has none any more. When another issuer's or none comes into its place, the
// sessions that the former one vouched for end.
func (s *Service) SetProvider(ctx context.Context, p *Provider) error {
	var next *storedProvider
	if p != nil {
		var err error
		if next, err = s.storeProvider(p); err != nil {
			return err
		}
	}
	return s.transact(ctx, func(w *work) error {
		before, err := decodeProvider(w.tx.QueryRow(ctx, readProvider+` FOR UPDATE`))
		if err != nil {
			return err
		}
		if next != nil && next.Sealed == nil {
			if before == nil || before.Issuer != next.Issuer {
				return fault.Invalid("client_secret", "required", "give the secret of the client: there is none for this issuer yet")
			}
			next.Sealed = before.Sealed
		}
		if before == nil && next == nil {
			return nil
		}
		value, err := json.Marshal(next)
		if err != nil {
			return err
		}
		_, err = w.exec(ctx, "write setting", `INSERT INTO setting (key, value) VALUES ('oidc', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, value)
		if err != nil {
			return err
		}
		if err := w.endVouching(ctx, before != nil && (next == nil || next.Issuer != before.Issuer)); err != nil {
			return err
		}
		w.people = true
		w.records = append(w.records, audit.Record{Act: "setting.change", Subject: "setting:oidc", Before: before.public(), After: next.public()})
		return nil
	})
}

// endVouching ends what is on the way to a session, and on demand the sessions.
func (w *work) endVouching(ctx context.Context, sessions bool) error {
	for _, sql := range []string{`DELETE FROM oidc_flow`, `DELETE FROM oidc_pending`} {
		if _, err := w.exec(ctx, "end sign-ins", sql); err != nil {
			return err
		}
	}
	if !sessions {
		return nil
	}
	return w.endWhere(ctx, `DELETE FROM session WHERE vouched RETURNING id`)
}

// endWhere ends the sessions that the statement deletes.
func (w *work) endWhere(ctx context.Context, sql string, args ...any) error {
	rows, err := w.tx.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return w.ended(ctx, Ended{Sessions: ids})
}

// public is what goes on record of a provider.
func (p *storedProvider) public() any {
	if p == nil {
		return nil
	}
	out := *p
	out.Sealed = nil
	return out
}

var (
	claimPattern = regexp.MustCompile(`^[A-Za-z0-9_.:/-]{1,99}$`)
	scopePattern = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]{1,100}$`) // RFC 6749
	namePattern  = regexp.MustCompile(`^[^\pC]{1,40}$`)
)

// storeProvider checks a provider and seals its secret; Sealed nil: none was given.
func (s *Service) storeProvider(p *Provider) (*storedProvider, error) {
	out := &storedProvider{Issuer: p.Issuer, ClientID: p.ClientID, Name: strings.TrimSpace(p.Name), NameEN: strings.TrimSpace(p.NameEN), Claim: p.Claim,
		LinkEmail: p.LinkEmail, Scopes: p.Scopes, MFA: p.MFA}
	if out.Claim == "" {
		out.Claim = "sub"
	}
	if out.Scopes == nil {
		out.Scopes = []string{}
		if out.LinkEmail {
			out.Scopes = []string{"email"}
		}
	}
	if out.MFA == nil {
		out.MFA = []string{}
	}
	if err := idp.CheckIssuer(p.Issuer); err != nil {
		return nil, fault.Invalid("issuer", "bad_issuer", "%.100q cannot be an issuer: %v", p.Issuer, err)
	}
	switch {
	case s.cfg.Sealer == nil:
		return nil, errNoKey
	case p.ClientID == "" || len(p.ClientID) > 255 || !utf8.ValidString(p.ClientID):
		return nil, fault.Invalid("client_id", "required", "give the id under which the provider knows this service")
	case len(p.Secret) > 1000:
		return nil, fault.Invalid("client_secret", "too_long", "the secret of the client has more than 1000 bytes")
	case !namePattern.MatchString(out.Name):
		return nil, fault.Invalid("name", "bad_button", "the button needs a name of 1 to 40 characters")
	case !namePattern.MatchString(out.NameEN):
		return nil, fault.Invalid("name_en", "bad_button", "the button needs an English name of 1 to 40 characters")
	case !claimPattern.MatchString(out.Claim):
		return nil, fault.Invalid("claim", "bad_claim", "%.99q cannot be the name of a claim", out.Claim)
	}
	for _, list := range []struct {
		field string
		texts []string
	}{{"scopes", out.Scopes}, {"mfa", out.MFA}} {
		if len(list.texts) > 20 {
			return nil, fault.Invalid(list.field, "too_many", "there are more than 20 of them")
		}
		for _, text := range list.texts {
			if !scopePattern.MatchString(text) {
				return nil, fault.Invalid(list.field, "bad_scope", "%.99q cannot be a scope, nor a value of amr or acr", text)
			}
		}
	}
	if p.Secret == "" {
		return out, nil
	}
	var err error
	if out.Sealed, err = s.cfg.Sealer.Seal(out.label(), []byte(p.Secret)); err != nil {
		return nil, fmt.Errorf("seal the client's secret: %w", err)
	}
	return out, nil
}

// resealProvider seals the client's secret anew.
func (w *work) resealProvider(ctx context.Context) (resealed int, err error) {
	p, err := decodeProvider(w.tx.QueryRow(ctx, readProvider+` FOR UPDATE`))
	if err != nil || p == nil {
		return 0, err
	}
	plain, err := w.cfg.Sealer.Open(p.label(), p.Sealed)
	if err != nil {
		return 0, fmt.Errorf("open the client's secret: %w", err)
	}
	if p.Sealed, err = w.cfg.Sealer.Seal(p.label(), plain); err != nil {
		return 0, fmt.Errorf("seal the client's secret: %w", err)
	}
	value, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	_, err = w.exec(ctx, "write setting", `UPDATE setting SET value = $1 WHERE key = 'oidc'`, value)
	return 1, err
}

// What CheckProvider finds, with what to do. What the provider said, or why it could not be asked, is for the log alone: an
// administrator's page must not tell what answers in the server's network.
var (
	errNoAnswer = fault.Unavailable("provider_no_answer",
		"no identity provider answers there: see that the issuer is written as the provider has it, that this server reaches it, and that its certificate is one that this server trusts")
	errAnotherIssuer = fault.Conflict("provider_another_issuer",
		"the provider that answers there calls itself by another issuer: write it as the provider has it, to the slash in the end")
	errBadMetadata = fault.Conflict("provider_bad_metadata",
		"the provider that answers there lacks an endpoint for signing in, or has one without https: ask who runs it")
)

// CheckProvider asks the city's provider for its metadata: whether it answers, and is who it should be. The faults are
// provider_no_answer, provider_another_issuer and provider_bad_metadata; the error has the reason besides, for the log.
func (s *Service) CheckProvider(ctx context.Context) error {
	p, err := s.Provider(ctx)
	if err != nil || p == nil {
		return err
	}
	err = s.idp.Check(ctx, p.Issuer)
	switch {
	case errors.Is(err, idp.ErrAnotherIssuer):
		return fmt.Errorf("%w: %w", errAnotherIssuer, err)
	case errors.Is(err, idp.ErrMetadata):
		return fmt.Errorf("%w: %w", errBadMetadata, err)
	case err != nil:
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return nil
}

// CanSeal tells whether the service has its master key: without it there is neither a provider nor a second factor.
func (s *Service) CanSeal() bool { return s.cfg.Sealer != nil }

// LinkIdentity says by which subject the city's provider knows a person, from then on. issuer "" stands for the city's.
func (s *Service) LinkIdentity(ctx context.Context, person uuid.UUID, issuer, subject string) error {
	if !subjectPattern.MatchString(subject) || !utf8.ValidString(subject) {
		return fault.Invalid("subject", "bad_subject", "give the subject by which the provider knows the person: 1 to 255 characters")
	}
	return s.transact(ctx, func(w *work) error {
		p, err := decodeProvider(w.tx.QueryRow(ctx, readProvider))
		if err != nil {
			return err
		}
		if p == nil {
			return fault.Conflict("no_provider", "the city has no identity provider: name it first")
		}
		if issuer != "" && issuer != p.Issuer {
			return fault.Invalid("issuer", "unknown_issuer", "the city's identity provider is %s", p.Issuer)
		}
		l, err := w.lock(ctx, person)
		if err != nil {
			return err
		}
		if l.is(p.realm(), subject) {
			return nil
		}
		var machine bool
		if err := w.tx.QueryRow(ctx, `SELECT machine FROM person WHERE id = $1`, person).Scan(&machine); err != nil {
			return fmt.Errorf("read person: %w", err)
		}
		switch {
		case l.demo:
			return errDemo
		case machine:
			return fault.Invalid("person", "not_a_person", "a machine does not sign in: give it a token")
		}
		if err := w.link(ctx, person, p.realm(), subject); err != nil {
			return err
		}
		w.people = true
		w.record("identity.link", person, nil, identityRecord{Issuer: p.Issuer})
		return w.endVouched(ctx, person) // of the one it was before
	})
}

var subjectPattern = regexp.MustCompile(`^[^\pC]{1,255}$`)

// identityRecord is what goes on record of a link: not the subject, which may be a name.
type identityRecord struct {
	Issuer string `json:"issuer"`
	Email  bool   `json:"email,omitempty"` // found by the e-mail address
}

func (w *work) link(ctx context.Context, person uuid.UUID, realm, subject string) error {
	_, err := w.exec(ctx, "link identity", `UPDATE account SET issuer = $2, subject = $3 WHERE person_id = $1`, person, realm, subject)
	if state(err) == "23505" { // unique_violation
		f := fault.Conflict("identity_taken", "another account has this subject already: take it from there first")
		f.Field = "subject"
		return f
	}
	return err
}

// endVouched ends the sessions that a provider vouched for.
func (w *work) endVouched(ctx context.Context, person uuid.UUID) error {
	if _, err := w.exec(ctx, "end sign-ins", `DELETE FROM oidc_pending WHERE person_id = $1`, person); err != nil {
		return err
	}
	return w.endWhere(ctx, `DELETE FROM session WHERE person_id = $1 AND vouched RETURNING id`, person)
}

// UnlinkIdentity ends what LinkIdentity began, and the sessions that came of it. Where it is the only way to sign in that the
// last administrator has, it stays: the fault is last_administrator.
func (s *Service) UnlinkIdentity(ctx context.Context, person uuid.UUID) error {
	return s.transact(ctx, func(w *work) error {
		return w.cfg.People.KeepAdministratorIn(ctx, w.tx, func() error { return w.unlink(ctx, person) })
	})
}

func (w *work) unlink(ctx context.Context, person uuid.UUID) error {
	l, err := w.lock(ctx, person)
	if err != nil || l.issuer == "" {
		return err
	}
	if _, err := w.exec(ctx, "unlink identity", `UPDATE account SET issuer = NULL, subject = NULL WHERE person_id = $1`, person); err != nil {
		return err
	}
	w.people = true
	w.record("identity.unlink", person, identityRecord{Issuer: l.issuer}, nil)
	return w.endVouched(ctx, person)
}

// secretsOf packs a flow's nonce and verifier; neither holds a line break.
func secretsOf(nonce, verifier string) []byte { return []byte(nonce + "\n" + verifier) }

func splitSecrets(b []byte) (nonce, verifier string) {
	n, v, _ := bytes.Cut(b, []byte("\n"))
	return string(n), string(v)
}
