package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"gridgov/internal/api"
)

// edge is how the service is reached.
type edge struct {
	addr, adminAddr string
	hosts, proxies  []string
	publicURL       string
	rate            float64
	tlsCert, tlsKey string
	headerTime      time.Duration // how long a client may take to send a request's header, TLS handshake included
	lookAgain       time.Duration // how often the certificate's file is looked at
}

func (e *edge) flags(f *pflag.FlagSet) {
	e.headerTime, e.lookAgain = 10*time.Second, time.Minute
	f.StringVar(&e.addr, "addr", "127.0.0.1:8080", "address of the service")
	f.StringVar(&e.adminAddr, "admin-addr", "127.0.0.1:8081", "address of health, readiness and metrics; loopback only")
	f.StringSliceVar(&e.hosts, "host", nil, "name that the service answers to, as browsers ask for it; repeat it for several (any, unless --addr is a loopback address)")
	f.StringVar(&e.publicURL, "public-url", os.Getenv("GRIDGOV_PUBLIC_URL"), "where people find the service, such as https://grid.example.org, for links that are sent to them (env GRIDGOV_PUBLIC_URL; the name they asked for, of those that --host names)")
	f.StringSliceVar(&e.proxies, "trusted-proxy", nil, "address or network (10.0.0.0/8) of a proxy that tells the client's address and scheme; repeat it for several")
	f.Float64Var(&e.rate, "rate", float64(api.DefaultLimits.Rate), "requests a second that one person may make, beside tiles; a machine may make twenty times as many; 0: no limit")
	f.StringVar(&e.tlsCert, "tls-cert", "", "certificate chain in PEM: the service speaks HTTPS; a new file is taken up within a minute")
	f.StringVar(&e.tlsKey, "tls-key", "", "private key of --tls-cert in PEM")
}

// config checks the flags.
func (e *edge) config(ctx context.Context) (api.Edge, error) {
	var out api.Edge
	if err := loopbackOnly(ctx, "--admin-addr", e.adminAddr); err != nil {
		return out, err
	}
	if _, _, err := net.SplitHostPort(e.addr); err != nil {
		return out, usagef("--addr %q is not host:port", e.addr)
	}
	if (e.tlsCert == "") != (e.tlsKey == "") {
		return out, usagef("--tls-cert and --tls-key go together")
	}
	switch {
	case !(e.rate >= 0) || e.rate > 1e6:
		return out, usagef("--rate %v is no number of requests a second", e.rate)
	case e.rate == 0:
		out.Limits = api.NoLimits
	default:
		out.Limits = api.LimitsOf(e.rate)
	}
	for _, h := range e.hosts {
		out.Hosts = append(out.Hosts, strings.ToLower(strings.TrimSuffix(h, ".")))
	}
	if loopbackOnly(ctx, "--addr", e.addr) == nil {
		out.Hosts = append(out.Hosts, api.LocalHosts)
	}
	var err error
	if out.PublicURL, err = readPublicURL(e.publicURL); err != nil {
		return out, err
	}
	if u, err := url.Parse(out.PublicURL); err == nil && u.Hostname() != "" && out.Hosts != nil {
		out.Hosts = append(out.Hosts, strings.ToLower(u.Hostname())) // a proxy may pass the name on
	}
	for _, p := range e.proxies {
		prefix, err := netip.ParsePrefix(p)
		if addr, e := netip.ParseAddr(p); e == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return out, usagef("--trusted-proxy %q is neither an address nor a network such as 10.0.0.0/8", p)
		}
		out.Proxies = append(out.Proxies, prefix.Masked())
	}
	return out, nil
}

// readPublicURL reads an address without path, query and password; the / in its end may be there.
func readPublicURL(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", usagef("--public-url %.200q is no address such as https://grid.example.org, without a path", s)
	}
	return u.Scheme + "://" + u.Host, nil
}

// certificate reads the certificate, and again when its file has changed: one that is renewed needs no restart.
type certificate struct {
	cert, key string
	lookAgain time.Duration

	mu     sync.Mutex
	loaded *tls.Certificate
	of     time.Time // the file's
	looked time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded != nil && time.Since(c.looked) < c.lookAgain {
		return c.loaded, nil
	}
	c.looked = time.Now()
	info, err := os.Stat(c.cert)
	if err == nil && c.loaded != nil && info.ModTime().Equal(c.of) {
		return c.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		if c.loaded != nil {
			return c.loaded, nil // half written, or gone for a moment
		}
		return nil, err
	}
	c.loaded = &pair
	if info != nil {
		c.of = info.ModTime()
	}
	return c.loaded, nil
}

// tls makes the listener speak TLS where a certificate is given.
func (e *edge) tls(l net.Listener) (net.Listener, error) {
	if e.tlsCert == "" {
		return l, nil
	}
	c := &certificate{cert: e.tlsCert, key: e.tlsKey, lookAgain: e.lookAgain}
	if _, err := c.get(nil); err != nil {
		return nil, usagef("--tls-cert, --tls-key: %w", err)
	}
	return tls.NewListener(l, &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}), nil
}
