// Package idp speaks OpenID Connect with a city's identity provider: the code flow with PKCE. It knows no accounts, and keeps
// nothing but the provider's metadata and keys.
package idp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

var (
	// ErrDown says that the provider cannot be asked: it does not answer, or not as a provider does.
	ErrDown = errors.New("the identity provider cannot be asked")
	// ErrRefused says that the provider, or what it said of somebody, is not to be believed.
	ErrRefused = errors.New("the identity provider's answer is refused")
)

// How ErrDown came about, where the provider did answer.
var (
	ErrAnotherIssuer = errors.New("its metadata name another issuer")
	ErrMetadata      = errors.New("its metadata lack an endpoint or name one without https")
)

// Config is a city's registration with a provider.
type Config struct {
	Issuer   string
	ClientID string
	Secret   string
	Scopes   []string // besides openid
	Claim    string   // which claim is the person's key
	Email    bool     // the e-mail address is wanted
	MFA      []string // values of amr or acr that say that the provider has asked for a second factor
}

// Request is what is sent along with a browser to the provider.
type Request struct {
	Redirect string // where the provider sends it back to
	State    string
	Nonce    string
	Verifier string // of PKCE: its digest is sent
}

// Answer is what the browser comes back with.
type Answer struct {
	Code   string
	Issuer string // that the answer names; "": none
}

// Subject is somebody for whom the provider vouches.
type Subject struct {
	Key   string // the value of the claim
	Email string // "" unless the provider says that it is verified
	MFA   bool
}

// Bounds of what a provider may cost.
const (
	timeout     = 5 * time.Second // of one request
	mostTime    = 10 * time.Second
	mostBytes   = 1 << 20 // of one answer
	goodFor     = time.Hour
	mostHops    = 3
	mostSubject = 255 // characters, as OpenID Connect has it
)

// Skew is how far the provider's clock and ours may be apart.
const Skew = time.Minute

// Client asks providers.
type Client struct {
	now     func() time.Time
	http    *http.Client
	flights singleflight.Group

	mu    sync.Mutex
	known *provider // the last that was asked: a city has one
}

// provider is a provider's metadata.
type provider struct {
	*oidc.Provider
	issuer string
	style  oauth2.AuthStyle
	named  bool // it names itself in its answers (RFC 9207)
	at     time.Time
}

// New makes a client. Close it.
func New(now func() time.Time) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2
	return &Client{now: now, http: &http.Client{Timeout: timeout, Transport: bounded{transport}, CheckRedirect: sameHost}}
}

// Close gives connections back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// sameHost follows a redirect within a host only: another one is not what the city has named.
func sameHost(r *http.Request, via []*http.Request) error {
	if first := via[0].URL; r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		return errors.New("it redirects to another host")
	}
	if len(via) > mostHops {
		return errors.New("it redirects too often")
	}
	return nil
}

// bounded cuts answers that are too long.
type bounded struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.Transport.RoundTrip(r)
	if err == nil {
		resp.Body = &boundedBody{resp.Body, mostBytes}
	}
	return resp, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("its answer is too long")
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// CheckIssuer tells why an issuer cannot be one, nil where it can: it is a URL with https, or with http of this very machine.
func CheckIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("it is no URL")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("it has a user, a query or a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u)):
		return errors.New("it does not begin with https://")
	case len(issuer) > 500:
		return errors.New("it is too long")
	}
	return nil
}

func isLoopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// provider gives a provider's metadata, from memory where it is younger than an hour.
func (c *Client) provider(ctx context.Context, issuer string) (*provider, error) {
	c.mu.Lock()
	p := c.known
	c.mu.Unlock()
	if p != nil && p.issuer == issuer && c.now().Sub(p.at).Abs() < goodFor {
		return p, nil
	}
	answer := c.flights.DoChan(issuer, func() (any, error) { return c.discover(context.WithoutCancel(ctx), issuer) })
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrDown, ctx.Err())
	case a := <-answer:
		if a.Err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDown, a.Err)
		}
		return a.Val.(*provider), nil
	}
}

func (c *Client) discover(ctx context.Context, issuer string) (*provider, error) {
	if err := CheckIssuer(issuer); err != nil {
		return nil, err
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, c.http), issuer)
	if errors.As(err, new(*oidc.IssuerMismatchError)) {
		return nil, fmt.Errorf("%w: %w", ErrAnotherIssuer, err)
	} else if err != nil {
		return nil, err
	}
	var meta struct {
		Auth     string   `json:"authorization_endpoint"`
		Token    string   `json:"token_endpoint"`
		Keys     string   `json:"jwks_uri"`
		UserInfo string   `json:"userinfo_endpoint"`
		Methods  []string `json:"token_endpoint_auth_methods_supported"`
		Named    bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&meta); err != nil {
		return nil, err
	}
	of, _ := url.Parse(issuer) // CheckIssuer has
	endpoints := []string{meta.Auth, meta.Token, meta.Keys}
	if meta.UserInfo != "" {
		endpoints = append(endpoints, meta.UserInfo)
	}
	for _, endpoint := range endpoints {
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(of) || !isLoopback(u)) {
			return nil, fmt.Errorf("%w: %.200q", ErrMetadata, endpoint)
		}
	}
	p := &provider{Provider: found, issuer: issuer, style: oauth2.AuthStyleInHeader, named: meta.Named, at: c.now()}
	if len(meta.Methods) > 0 && !slices.Contains(meta.Methods, "client_secret_basic") {
		p.style = oauth2.AuthStyleInParams
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = p
	return p, nil
}

// Check asks for the provider's metadata.
func (c *Client) Check(ctx context.Context, issuer string) error {
	_, err := c.provider(ctx, issuer)
	return err
}

func (p *provider) oauth(cfg Config, redirect string) *oauth2.Config {
	endpoint := p.Endpoint()
	endpoint.AuthStyle = p.style
	return &oauth2.Config{ClientID: cfg.ClientID, ClientSecret: cfg.Secret, Endpoint: endpoint, RedirectURL: redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, cfg.Scopes...)}
}

// AuthURL is where the browser is sent to.
func (c *Client) AuthURL(ctx context.Context, cfg Config, r Request) (string, error) {
	p, err := c.provider(ctx, cfg.Issuer)
	if err != nil {
		return "", err
	}
	return p.oauth(cfg, r.Redirect).AuthCodeURL(r.State, oauth2.S256ChallengeOption(r.Verifier), oidc.Nonce(r.Nonce)), nil
}
