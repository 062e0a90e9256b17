package idp

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func refusef(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// judge tells a provider that is down from one that refuses.
func judge(err error) error {
	var answer *oauth2.RetrieveError
	var transport *url.Error
	switch {
	case errors.As(err, &answer):
		if answer.Response != nil && (answer.Response.StatusCode >= 500 || answer.Response.StatusCode == http.StatusTooManyRequests) {
			return fmt.Errorf("%w: it answers %d", ErrDown, answer.Response.StatusCode)
		}
		return refusef("%.100s", answer.ErrorCode) // never its body
	case errors.As(err, &transport), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", ErrDown, err)
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// Redeem turns what a browser came back with into who it is, within 10 s. The errors are ErrDown and ErrRefused.
func (c *Client) Redeem(ctx context.Context, cfg Config, r Request, a Answer) (Subject, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, c.http), mostTime)
	defer cancel()
	p, err := c.provider(ctx, cfg.Issuer)
	if err != nil {
		return Subject{}, err
	}
	if a.Issuer == "" && p.named || a.Issuer != "" && a.Issuer != cfg.Issuer {
		return Subject{}, refusef("the answer names %.200q as its issuer", a.Issuer)
	}
	token, err := p.oauth(cfg, r.Redirect).Exchange(ctx, a.Code, oauth2.VerifierOption(r.Verifier))
	if err != nil {
		return Subject{}, judge(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Subject{}, refusef("there is no ID token in it")
	}
	// go-oidc looks at signature, algorithm, issuer and audience; our clock is not its.
	id, err := p.Verifier(&oidc.Config{ClientID: cfg.ClientID, SkipExpiryCheck: true}).Verify(ctx, raw)
	if err != nil {
		return Subject{}, judge(err)
	}
	claims, err := c.check(cfg, id, token, r.Nonce)
	if err != nil {
		return Subject{}, err
	}
	if claims.lack(cfg) && p.UserInfoEndpoint() != "" {
		info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return Subject{}, judge(err)
		}
		if info.Subject != id.Subject {
			return Subject{}, refusef("the ID token and the user info tell of two people")
		}
		if err := info.Claims(&claims.besides); err != nil {
			return Subject{}, judge(err)
		}
	}
	return claims.subject(cfg)
}

// claimSet is what the ID token says, and what the user info says besides.
type claimSet struct{ token, besides map[string]json.RawMessage }

// get reads a claim; false where it is absent or something else.
func (s *claimSet) get(name string, into any) bool {
	raw, ok := s.token[name]
	if !ok {
		raw, ok = s.besides[name]
	}
	return ok && string(raw) != "null" && json.Unmarshal(raw, into) == nil
}

// check holds an ID token's times, nonce and bindings against what was asked.
func (c *Client) check(cfg Config, id *oidc.IDToken, token *oauth2.Token, nonce string) (*claimSet, error) {
	set := &claimSet{}
	if err := id.Claims(&set.token); err != nil {
		return nil, judge(err)
	}
	now := c.now()
	var notBefore json.Number
	var party string
	switch {
	case id.Subject == "":
		return nil, refusef("the ID token has no subject")
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, refusef("the ID token has another nonce")
	case !now.Before(id.Expiry.Add(Skew)):
		return nil, refusef("the ID token expired %v ago: are both clocks right?", now.Sub(id.Expiry).Round(time.Second))
	case id.IssuedAt.After(now.Add(Skew)):
		return nil, refusef("the ID token was issued %v in the future: are both clocks right?", id.IssuedAt.Sub(now).Round(time.Second))
	}
	if set.get("nbf", &notBefore) {
		if at, err := notBefore.Float64(); err != nil || at > float64(now.Add(Skew).Unix()) {
			return nil, refusef("the ID token is not good yet")
		}
	}
	if set.get("azp", &party) && party != cfg.ClientID || party == "" && len(id.Audience) > 1 {
		return nil, refusef("the ID token was made for another party")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, judge(err)
		}
	}
	return set, nil
}

// lack tells whether something is wanted that the ID token does not say.
func (s *claimSet) lack(cfg Config) bool {
	_, key := s.token[cfg.Claim]
	_, email := s.token["email"]
	return !key || cfg.Email && !email
}

func (s *claimSet) subject(cfg Config) (Subject, error) {
	var out Subject
	var number json.Number
	switch {
	case s.get(cfg.Claim, &out.Key):
	case s.get(cfg.Claim, &number): // as numbers of staff are
		out.Key = number.String()
	}
	if out.Key == "" || utf8.RuneCountInString(out.Key) > mostSubject || slices.ContainsFunc([]rune(out.Key), unicode.IsControl) {
		return Subject{}, refusef("it says nothing usable as %q", cfg.Claim)
	}
	var verified bool
	var text string
	if !s.get("email_verified", &verified) && s.get("email_verified", &text) {
		verified = text == "true" // some write it so
	}
	if cfg.Email && verified {
		_ = s.get("email", &out.Email)
	}
	var methods []string
	var class string
	if s.get("acr", &class) {
		methods = append(methods, class)
	}
	var used []string
	if s.get("amr", &used) {
		methods = append(methods, used...)
	}
	out.MFA = slices.ContainsFunc(methods, func(m string) bool { return m != "" && slices.Contains(cfg.MFA, m) })
	return out, nil
}
