package auth

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/oauth2"

	"gridgov/internal/auth/idp"
	"gridgov/internal/fault"
)

// How somebody signs in by the city's identity provider: BeginOIDC sends the browser away, FinishOIDC takes it back, and
// GiveCode where the account has a second factor. What they say to who fails is a code and nothing else; the error that they
// return has the reason besides, for the log.
var (
	errOIDCRefused = fault.Forbidden("oidc_refused", "the identity provider did not let you in, or what it said cannot be relied on")
	errOIDCExpired = fault.Unauthenticated("oidc_expired", "it took too long, or was done before: begin again")
	errOIDCUnknown = fault.Forbidden("oidc_unknown_person", "the identity provider knows you, the city does not: ask the administrator")
	errOIDCDown    = fault.Unavailable("oidc_provider_down", "the identity provider does not answer; try again in a moment")
)

const (
	flowAge    = 10 * time.Minute // from leaving for the provider to coming back
	pendingAge = 5 * time.Minute  // for giving the code
)

// FlowAge is how long the browser keeps the cookie of Begun and Vouched.
const FlowAge = flowAge

// Begun is the way to the provider.
type Begun struct {
	URL     string // where the browser is sent
	Browser string // its cookie until it is back
}

// Callback is what the browser came back with.
type Callback struct {
	State, Code string
	Error       string // of the provider, in the place of a code
	Issuer      string // "" where the answer names none
	Browser     string // the cookie of Begun
	Attempt     Attempt
}

// Vouched is what came of it: a session, or with the error code_needed a cookie with which GiveCode takes the code. To is
// where the person wanted to go, also where it failed.
type Vouched struct {
	SignedIn SignedIn
	Pending  string
	To       string
}

// voucher says by which identity somebody is vouched for; realm "": by whom it may be.
type voucher struct {
	realm, subject string
	link           bool   // the account has no identity yet: this one becomes its
	mfa            bool   // the provider has asked for a second factor, and that will do
	pending        []byte // the hash of the row that is used up; nil: none
}

// openProvider reads the city's provider with its secret.
func (s *Service) openProvider(ctx context.Context) (*storedProvider, idp.Config, error) {
	p, err := decodeProvider(s.cfg.Pool.QueryRow(ctx, readProvider))
	switch {
	case err != nil:
		return nil, idp.Config{}, err
	case p == nil:
		return nil, idp.Config{}, fmt.Errorf("%w: the city has no identity provider", errOIDCRefused)
	case s.cfg.Sealer == nil:
		return nil, idp.Config{}, fmt.Errorf("%w: the key is missing", errOIDCDown)
	}
	secret, err := s.cfg.Sealer.Open(p.label(), p.Sealed)
	if err != nil {
		return nil, idp.Config{}, fmt.Errorf("%w: open the client's secret: %w", errOIDCDown, err)
	}
	return p, idp.Config{Issuer: p.Issuer, ClientID: p.ClientID, Secret: string(secret), Scopes: p.Scopes, Claim: p.Claim, Email: p.LinkEmail, MFA: p.MFA}, nil
}

// told gives an error of the provider's the code that is told.
func told(err error) error {
	switch {
	case errors.Is(err, idp.ErrDown):
		return fmt.Errorf("%w: %w", errOIDCDown, err)
	case errors.Is(err, idp.ErrRefused):
		return fmt.Errorf("%w: %w", errOIDCRefused, err)
	}
	return err
}

func flowLabel(hash []byte) string { return "oidc-flow:" + hex.EncodeToString(hash) }

// BeginOIDC begins to sign somebody in who is to come back to redirect, and to go on to the page to.
func (s *Service) BeginOIDC(ctx context.Context, redirect, to string) (Begun, error) {
	p, cfg, err := s.openProvider(ctx)
	if err != nil {
		return Begun{}, err
	}
	state, hash := newSecret("")
	browser, browserHash := newSecret("")
	nonce, _ := newSecret("")
	verifier := oauth2.GenerateVerifier()
	url, err := s.idp.AuthURL(ctx, cfg, idp.Request{Redirect: redirect, State: state, Nonce: nonce, Verifier: verifier})
	if err != nil {
		return Begun{}, told(err)
	}
	secrets, err := s.cfg.Sealer.Seal(flowLabel(hash), secretsOf(nonce, verifier))
	if err != nil {
		return Begun{}, fmt.Errorf("seal a flow: %w", err)
	}
	err = s.transact(ctx, func(w *work) error {
		for _, sql := range []string{`DELETE FROM oidc_flow WHERE ends_at <= $1`, `DELETE FROM oidc_pending WHERE ends_at <= $1`} {
			if _, err := w.exec(ctx, "sweep", sql, w.at); err != nil {
				return err
			}
		}
		_, err := w.exec(ctx, "keep flow", `INSERT INTO oidc_flow (hash, browser, secrets, issuer, redirect, target, made_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			hash, browserHash, secrets, p.Issuer, redirect, to, w.at, w.at.Add(flowAge))
		return err
	})
	return Begun{URL: url, Browser: browser}, err
}

// flow is a row of oidc_flow.
type flow struct {
	browser, secrets         []byte
	issuer, redirect, target string
	endsAt                   time.Time
}

// takeFlow reads a flow as it deletes it: a state is good once.
func (s *Service) takeFlow(ctx context.Context, hash []byte) (f flow, err error) {
	err = s.transact(ctx, func(w *work) error {
		err := w.tx.QueryRow(ctx, `DELETE FROM oidc_flow WHERE hash = $1 RETURNING browser, secrets, issuer, redirect, target, ends_at`, hash).
			Scan(&f.browser, &f.secrets, &f.issuer, &f.redirect, &f.target, &f.endsAt)
		if errors.Is(err, pgx.ErrNoRows) {
			return errOIDCExpired
		} else if err != nil {
			return fmt.Errorf("take flow: %w", err)
		}
		return nil
	})
	return f, err
}

// FinishOIDC takes back who left with BeginOIDC. Faults: oidc_expired (the state is unknown, was used, is too old or another
// browser's), oidc_refused, oidc_provider_down, oidc_unknown_person, account_disabled, too_many_attempts, and code_needed.
func (s *Service) FinishOIDC(ctx context.Context, b Callback) (out Vouched, err error) {
	if !wellFormed(b.State) {
		return out, fmt.Errorf("%w: there is no state", errOIDCExpired)
	}
	hash := hashOf(b.State)
	f, err := s.takeFlow(ctx, hash)
	if err != nil {
		return out, err
	}
	switch {
	case subtle.ConstantTimeCompare(f.browser, hashOf(b.Browser)) != 1:
		return out, fmt.Errorf("%w: another browser came back", errOIDCExpired)
	case !s.cfg.Now().Before(f.endsAt):
		return out, errOIDCExpired
	}
	out.To = f.target
	p, cfg, err := s.openProvider(ctx)
	if err != nil {
		return out, err
	}
	if p.Issuer != f.issuer {
		return out, fmt.Errorf("%w: the city has another provider now", errOIDCExpired)
	}
	if b.Error != "" || b.Code == "" {
		return out, fmt.Errorf("%w: it says %.60q", errOIDCRefused, clean(b.Error, 60))
	}
	secrets, err := s.cfg.Sealer.Open(flowLabel(hash), f.secrets)
	if err != nil {
		return out, fmt.Errorf("open a flow: %w", err)
	}
	r := idp.Request{Redirect: f.redirect}
	r.Nonce, r.Verifier = splitSecrets(secrets)
	subject, err := s.idp.Redeem(ctx, cfg, r, idp.Answer{Code: b.Code, Issuer: b.Issuer})
	if err != nil {
		return out, told(err)
	}
	person, v, err := s.whoIs(ctx, p, subject)
	if err != nil {
		return out, err
	}
	if person == uuid.Nil {
		b.Attempt.Address = address(b.Attempt.Address)
		return out, s.refused(ctx, b.Attempt, candidate{}, errOIDCUnknown)
	}
	out.SignedIn, err = s.vouch(ctx, person, b.Attempt, v)
	if errors.Is(err, errNeedCode) {
		if out.Pending, err = s.keepPending(ctx, person, v); err == nil {
			err = errNeedCode
		}
	}
	return out, err
}

// whoIs finds the person whom a provider's subject stands for; a zero id: nobody.
func (s *Service) whoIs(ctx context.Context, p *storedProvider, subject idp.Subject) (person uuid.UUID, v voucher, err error) {
	v = voucher{realm: p.realm(), subject: subject.Key, mfa: subject.MFA}
	err = s.cfg.Pool.QueryRow(ctx, `SELECT person_id FROM account WHERE issuer = $1 AND subject = $2`, v.realm, v.subject).Scan(&person)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return person, v, err
	}
	if !p.LinkEmail || subject.Email == "" {
		return uuid.Nil, v, nil
	}
	// Two people of one address are nobody, and who has an identity keeps it.
	v.link = true
	rows, err := s.cfg.Pool.Query(ctx, `
		SELECT p.id, a.person_id IS NOT NULL AND a.issuer IS NULL AND NOT a.demo AND NOT p.machine
		FROM person p LEFT JOIN account a ON a.person_id = p.id
		WHERE lower(p.email) = lower($1) AND p.erased_at IS NULL ORDER BY p.id LIMIT 2`, subject.Email)
	if err != nil {
		return uuid.Nil, v, fmt.Errorf("look for an address: %w", err)
	}
	var free bool
	found, id := 0, uuid.Nil
	_, err = pgx.ForEachRow(rows, []any{&id, &free}, func() error { found++; return nil })
	if err != nil {
		return uuid.Nil, v, fmt.Errorf("look for an address: %w", err)
	}
	if found != 1 || !free {
		return uuid.Nil, v, nil
	}
	return id, v, nil
}

func (s *Service) keepPending(ctx context.Context, person uuid.UUID, v voucher) (pending string, err error) {
	pending, hash := newSecret("")
	err = s.transact(ctx, func(w *work) error {
		_, err := w.exec(ctx, "keep pending", `INSERT INTO oidc_pending (hash, person_id, issuer, subject, link, ends_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			hash, person, v.realm, v.subject, v.link, w.at.Add(pendingAge))
		return err
	})
	return pending, err
}

// GiveCode opens the session that waits for the attempt's code. Faults: those of SignIn, and oidc_expired.
func (s *Service) GiveCode(ctx context.Context, pending string, a Attempt) (SignedIn, error) {
	if !wellFormed(pending) {
		return SignedIn{}, errOIDCExpired
	}
	if a.Code == "" {
		return SignedIn{}, errNeedCode
	}
	v := voucher{pending: hashOf(pending)}
	var person uuid.UUID
	err := s.cfg.Pool.QueryRow(ctx, `SELECT person_id, issuer, subject, link FROM oidc_pending WHERE hash = $1 AND ends_at > $2`, v.pending, s.cfg.Now()).
		Scan(&person, &v.realm, &v.subject, &v.link)
	if errors.Is(err, pgx.ErrNoRows) {
		return SignedIn{}, errOIDCExpired
	} else if err != nil {
		return SignedIn{}, fmt.Errorf("read pending: %w", err)
	}
	return s.vouch(ctx, person, a, v)
}

// OpenSession opens a session for somebody whom an identity provider vouches for; login and password of the attempt say
// nothing. A second factor that the account has is asked for as SignIn does, with the same faults.
func (s *Service) OpenSession(ctx context.Context, person uuid.UUID, a Attempt) (SignedIn, error) {
	return s.vouch(ctx, person, a, voucher{})
}

func (s *Service) vouch(ctx context.Context, person uuid.UUID, a Attempt, v voucher) (SignedIn, error) {
	acc, err := s.Account(ctx, person)
	if err != nil {
		return SignedIn{}, err
	}
	a.Address = address(a.Address)
	a.Login = acc.Login
	c, err := s.candidate(ctx, a)
	if err != nil {
		return SignedIn{}, err
	}
	c.by = &v
	g := Guess{Login: acc.Login, Device: "vouched " + person.String()} // strangers do not get here
	switch wait, ok := s.throttle.Take(s.cfg.Now(), g); {
	case !ok:
		return SignedIn{}, tooMany(wait)
	case c.person != person || c.demo:
		return SignedIn{}, s.refused(ctx, a, c, errWrong)
	case c.disabled:
		return SignedIn{}, s.refused(ctx, a, c, errDisabled)
	case c.asksCode() && a.Code == "":
		s.throttle.Give(s.cfg.Now(), g)
		return SignedIn{}, errNeedCode
	}
	return s.enter(ctx, a, c, g)
}

// asksCode tells whether a code has to be given.
func (c *candidate) asksCode() bool { return c.confirmed && (c.by == nil || !c.by.mfa) }

// admit looks, with the account's row held, whether the account is still the identity's, makes it its where it was nobody's,
// and uses the pending row up.
func (w *work) admit(ctx context.Context, person uuid.UUID, l lockedAccount, v *voucher) error {
	if v.pending != nil {
		n, err := w.exec(ctx, "use pending", `DELETE FROM oidc_pending WHERE hash = $1 AND ends_at > $2`, v.pending, w.at)
		if err == nil && n == 0 {
			return errOIDCExpired
		} else if err != nil {
			return err
		}
	}
	switch {
	case v.realm == "" || l.is(v.realm, v.subject):
		return nil
	case !v.link || l.issuer != "":
		return errOIDCUnknown
	}
	if err := w.link(ctx, person, v.realm, v.subject); err != nil {
		if fault.Is(err, fault.KindConflict) {
			return errOIDCUnknown
		}
		return err
	}
	w.people = true
	w.record("identity.link", person, nil, identityRecord{v.realm, true})
	return nil
}
