package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"gridgov/internal/fault"
)

// Edge says what stands between the service and its clients.
type Edge struct {
	// Hosts are the names the service answers to; nil: to any. Where only this machine is served, a name that resolves to
	// it would let any website in (DNS rebinding), so there the names are this machine's own: [LocalHosts].
	Hosts []string
	// Proxies are trusted to tell the client's address and the scheme, by X-Forwarded-For and X-Forwarded-Proto.
	Proxies []netip.Prefix
	// PublicURL is where people find the service, such as https://grid.example.org, for links that are sent to them. "": by
	// the name that a request came by, where Hosts bounds the names.
	PublicURL string
	Limits    Limits
}

// LocalHosts stands for localhost and all loopback addresses in [Edge.Hosts].
const LocalHosts = "localhost"

// guard stands before everything: who asks for a host that is not ours is sent away, another site's page may change nothing
// here, and the page may ask nothing of other hosts.
func (a *api) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problemOf(fault.Forbidden("cross_origin", "another site's page may not change anything here"), ""))
	}))
	inner := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = headerNosniff
		h["Referrer-Policy"] = headerNoReferrer // redirects to and from an identity provider, too
		h["Cross-Origin-Resource-Policy"] = headerSameOrigin
		h["Content-Security-Policy"] = headerNothing // a page sets its own, and what else is a page's
		r = a.behindProxies(r)
		if scheme(r) == "https" {
			h["Strict-Transport-Security"] = headerHSTS
		}
		if !a.answersTo(r.Host) {
			writeProblem(w, problemOf(fault.Forbidden("foreign_host", "this service does not answer to that name"), ""))
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// document sets what only a page that is shown has use for.
func document(h http.Header, contentPolicy string) {
	h.Set("Content-Security-Policy", contentPolicy)
	h["X-Frame-Options"] = headerDeny
	h["Cross-Origin-Opener-Policy"] = headerSameOrigin
	h["Permissions-Policy"] = headerPermissions
}

// Headers are shared slices: every answer has some of them, and a tile takes less time than making them.
var (
	headerNosniff     = []string{"nosniff"}
	headerNoReferrer  = []string{"no-referrer"}
	headerDeny        = []string{"DENY"}
	headerSameOrigin  = []string{"same-origin"}
	headerNothing     = []string{"default-src 'none'; frame-ancestors 'none'"}
	headerHSTS        = []string{"max-age=31536000"}
	headerPermissions = []string{"geolocation=(self), camera=(self), microphone=(), payment=(), usb=(), browsing-topics=()"}
	// Of the one page in which somebody speaks.
	headerHears = []string{"geolocation=(self), camera=(self), microphone=(self), payment=(), usb=(), browsing-topics=()"}
)

// forPages are the headers of every answer that say nothing of what is no page.
var forPages = []string{"Content-Security-Policy", "Referrer-Policy"}

func (a *api) answersTo(hostport string) bool {
	if a.Edge.Hosts == nil {
		return true
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if strings.ContainsFunc(port, func(r rune) bool { return r < '0' || r > '9' }) {
		return false // in an address, "grid.example.org:x@evil.example" leads to evil.example
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if slices.Contains(a.Edge.Hosts, host) {
		return true
	}
	return slices.Contains(a.Edge.Hosts, LocalHosts) && isLoopback(host)
}

func isLoopback(host string) bool {
	if len(host) > 1 && host[0] == '[' {
		host = host[1 : len(host)-1]
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// behindProxies puts the client's own address and scheme into a request that a trusted proxy has handed on. Of the
// addresses that proxies have added, the last one that is not a proxy's own counts: what stands before it, anybody may have
// written.
func (a *api) behindProxies(r *http.Request) *http.Request {
	if len(a.Edge.Proxies) == 0 || !a.trusted(addressOf(r.RemoteAddr)) {
		r.Header.Del("X-Forwarded-Proto") // so that nobody else reads it
		return r
	}
	var hops []string
	for _, line := range r.Header["X-Forwarded-For"] {
		hops = append(hops, strings.Split(line, ",")...)
	}
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		r.RemoteAddr = netip.AddrPortFrom(addr.Unmap().WithZone(""), 0).String()
		if !a.trusted(addr.Unmap()) {
			break
		}
	}
	return r
}

func (a *api) trusted(addr netip.Addr) bool {
	return addr.IsValid() && slices.ContainsFunc(a.Edge.Proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// scheme is the scheme that the client speaks; guard has taken away what only a proxy may say.
func scheme(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https"
	}
	return "http"
}

// sentURL is where the service is, for a link that is sent to somebody: never by a name that was not checked, as whoever asks
// chooses it. It is the fault no_public_url where the service knows none.
func (a *api) sentURL(r *http.Request) (string, error) {
	switch {
	case a.Edge.PublicURL != "":
		return a.Edge.PublicURL, nil
	case a.Edge.Hosts == nil:
		return "", errNoPublicURL
	}
	return scheme(r) + "://" + r.Host, nil
}

var errNoPublicURL = fault.Unavailable("no_public_url", "residents' reports need a link, and the service does not know its own name: whoever runs it gives serve --public-url, or --host")

// addressOf is the address of host:port; the zero address where it is none.
func addressOf(hostport string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// clientAddress is the address that the request came from.
func clientAddress(r *http.Request) string {
	if addr := addressOf(r.RemoteAddr); addr.IsValid() {
		return addr.String()
	}
	return ""
}
