// Package egress calls machines elsewhere whose addresses somebody chose who does not run the service: an administrator a webhook's, a
// browser that of its push service. They are called only outside of the own network, after the name was resolved, at the moment of
// dialling; no redirect is followed, no proxy asked, and what answers is bounded.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"gridgov/internal/fault"
)

// What bounds a call.
const (
	DialTime   = 5 * time.Second
	maxAnswer  = 64 << 10 // bytes that are read of an answer, and thrown away
	maxHeaders = 32 << 10
	maxURL     = 2000
)

// errOwnNetwork says that a name leads into the own network.
var errOwnNetwork = errors.New("egress: the address lies in the own network")

// special are networks that are nobody's, everybody's, or the own: IANA's registries of special purposes.
var special = func() (list []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
		"192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"::/127", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7",
		"fe80::/10", "fec0::/10", "ff00::/8",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// Guard says who may be called. The zero value lets all of the open network be called, encrypted.
type Guard struct {
	// Allowed are networks of the own house that may be called all the same, by HTTP too. Set it before anything is sent.
	Allowed []netip.Prefix
	Roots   *x509.CertPool // nil: the system's
}

// MayCall tells whether an address may be called: one of the open network, encrypted, or one that was allowed.
func (g *Guard) MayCall(ip netip.Addr, encrypted bool) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range g.Allowed {
		if p.Contains(ip) {
			return true
		}
	}
	if !encrypted || !ip.IsValid() {
		return false
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// CheckURL refuses, by the field, what is no address that may be called. Where a name leads is found out when it is dialled.
func (g *Guard) CheckURL(field, address string) (*url.URL, *fault.Error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || len(address) > maxURL || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return nil, fault.Invalid(field, "bad_url", "is no address such as https://example.com/path")
	case u.User != nil:
		return nil, fault.Invalid(field, "url_with_user", "must not hold a user or a password: what is sent tells by itself whom it is from")
	case u.Fragment != "":
		return nil, fault.Invalid(field, "bad_url", "must not have a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || len(g.Allowed) == 0):
		return nil, fault.Invalid(field, "not_https", "has to begin with https://")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !g.MayCall(ip, u.Scheme == "https") {
		return nil, fault.Invalid(field, "own_network", "lies in the own network")
	}
	return u, nil
}

// Client calls for at most so long. The address is looked at when it is dialled: what the name was resolved to before may have changed.
func (g *Guard) Client(encrypted bool, most time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: DialTime, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !g.MayCall(at.Addr(), encrypted) {
			return errOwnNetwork
		}
		return nil
	}}
	return &http.Client{
		Timeout: most,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: DialTime, ResponseHeaderTimeout: most,
			MaxResponseHeaderBytes: maxHeaders, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: g.Roots}, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Drain reads an answer, as far as one is read: what it says is nobody's business.
func Drain(body io.Reader) { _, _ = io.Copy(io.Discard, io.LimitReader(body, maxAnswer)) }

// WhyNot is the code of a call's failure: no words of the other side's.
func WhyNot(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, errOwnNetwork):
		return "own_network"
	case errors.As(err, &dns):
		return "unknown_host"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:"):
		return "tls"
	case errors.As(err, &op):
		return "unreachable"
	}
	return "no_answer"
}
