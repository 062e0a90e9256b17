package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// What bounds a call.
const (
	callTime   = 15 * time.Second
	dialTime   = 5 * time.Second
	maxAnswer  = 64 << 10 // bytes that are read of an answer, and thrown away
	maxHeaders = 32 << 10
)

// errOwnNetwork says that a name leads into the own network.
var errOwnNetwork = errors.New("webhook: the address lies in the own network")

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

// mayCall tells whether an address may be called: one of the open network, encrypted, or one that was allowed.
func (s *Service) mayCall(ip netip.Addr, encrypted bool) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range s.Allowed {
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

// client calls endpoints. The address is looked at when it is dialled: what the name was resolved to before may have changed.
func (s *Service) client(encrypted bool) *http.Client {
	dialer := &net.Dialer{Timeout: dialTime, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !s.mayCall(at.Addr(), encrypted) {
			return errOwnNetwork
		}
		return nil
	}}
	return &http.Client{
		Timeout: callTime,
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: dialTime, ResponseHeaderTimeout: callTime,
			MaxResponseHeaderBytes: maxHeaders, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.Roots}, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
