package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"gridgov/internal/api"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

// said is what a command under way has said so far.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// until polls a condition.
func until(t *testing.T, what func() bool, explain func() string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !what(); {
		if time.Now().After(deadline) {
			t.Fatal(explain())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// serving is the service as `gridgov serve` runs it, on a database of its own with the cities that lines have made.
type serving struct {
	t    *testing.T
	data string // folder
	base string // URL
	said said

	database string
}

func startServing(t *testing.T, change func(*edge), lines ...string) *serving {
	t.Helper()
	s := &serving{t: t, data: t.TempDir(), database: pgtest.URL(t)}
	t.Setenv("GRIDGOV_KEY_FILE", filepath.Join(s.data, "keys"))
	for _, l := range lines {
		line{args: l}.run(t, s.database)
	}
	var at edge
	at.flags(pflag.NewFlagSet("serve", pflag.ContinueOnError))
	at.addr, at.adminAddr = "127.0.0.1:0", "127.0.0.1:0"
	if change != nil {
		change(&at)
	}
	config, err := at.config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tl := &tool{out: io.Discard, err: &s.said, now: time.Now, database: s.database, data: s.data, keyFile: filepath.Join(s.data, "keys")}
	load, err := tl.demoLoader("", "", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tl.runServer(ctx, &at, config, "", nil, nil, load) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	address := regexp.MustCompile(`gridgov serves on (\S+)`)
	until(t, func() bool {
		if m := address.FindStringSubmatch(s.said.String()); m != nil {
			s.base = m[1]
		}
		return s.base != ""
	}, s.said.String)
	return s
}

func (s *serving) ready(city string) {
	s.t.Helper()
	until(s.t, func() bool { return strings.Contains(s.said.String(), `msg="city ready" city=`+city) }, s.said.String)
}

func (s *serving) signIn(client *http.Client, city, login, password string) *http.Response {
	s.t.Helper()
	b, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(client, http.MethodPost, "/"+city+"/v1/session", bytes.NewReader(b))
}

// send gives the answer with its body read.
func (s *serving) send(client *http.Client, method, path string, body io.Reader) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp
}

// The first administrator's password is where only the service's user reads it, until it has been used.
// A demo has accounts that everybody knows: no administrator is made for it.
func TestFirstPassword(t *testing.T) {
	s := startServing(t, nil, "city create tc "+create)
	s.ready("tc")
	db, err := postgres.Connect(t.Context(), s.database, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	levels, err := postgres.ParseLevels("city,grid")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateCity(t.Context(), postgres.City{Code: "show", Name: "S", Timezone: "Asia/Shanghai", SRID: 4549, Levels: levels, Demo: true}); err != nil {
		t.Fatal(err)
	}
	s.ready("show") // a new city is found as the service goes
	absent(filepath.Join(s.data, "first-password-show"))(t)
	file := filepath.Join(s.data, "first-password-tc")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err, s.said.String())
	}
	if info.Mode() != 0o600 {
		t.Errorf("the file's mode is %v", info.Mode())
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(b))
	if len(words) != 2 || string(b) != words[0]+"\n"+words[1]+"\n" {
		t.Fatalf("the file holds %q", b)
	}
	if said := s.said.String(); strings.Contains(said, words[1]) || !strings.Contains(said, file) {
		t.Errorf("said\n%s", said)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if resp := s.signIn(client, "tc", words[0], words[1]+"x"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong password is answered %d", resp.StatusCode)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("after a wrong password: %v", err)
	}
	resp := s.signIn(client, "tc", words[0], words[1])
	var in struct {
		SignedIn bool `json:"signed_in"`
		Must     bool `json:"must_change_password"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&in); err != nil || resp.StatusCode != http.StatusOK || !in.SignedIn || !in.Must {
		t.Errorf("%d %+v %v", resp.StatusCode, in, err)
	}
	absent(file)(t)
	for _, c := range resp.Cookies() {
		if c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("over HTTP: %v", c)
		}
	}
}

// issue writes a new certificate for 127.0.0.1 that signs itself.
func issue(t *testing.T, cert, key string, serial int64) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "gridgov"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	put(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	put(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	at := time.Unix(1_700_000_000+serial, 0) // another time than the one before, however fast the test is
	if err := os.Chtimes(cert, at, at); err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}

func secure(pool *x509.CertPool) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
}

// With a certificate the service speaks TLS, tells browsers to stay with it, and takes up a new one as it goes.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := issue(t, cert, key, 1)
	s := startServing(t, func(e *edge) { e.tlsCert, e.tlsKey, e.lookAgain = cert, key, 0 }, "city create tc "+create)
	s.ready("tc")
	client := secure(pool)
	b, err := os.ReadFile(filepath.Join(s.data, "first-password-tc"))
	if err != nil {
		t.Fatal(err)
	}
	login, password, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	resp := s.signIn(client, "tc", login, password)
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || !strings.HasPrefix(s.base, "https://") {
		t.Fatalf("%s: %d %s", s.base, resp.StatusCode, resp.Proto)
	}
	if hsts := resp.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(hsts, "max-age=") {
		t.Errorf("HSTS %q", hsts)
	}
	cookies := resp.Cookies()
	if len(cookies) < 2 {
		t.Errorf("cookies %v", cookies)
	}
	for _, c := range cookies {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/tc/" {
			t.Errorf("over TLS: %v", c)
		}
	}

	dial := func(c *tls.Config) (serial int64, err error) {
		d := tls.Dialer{Config: c}
		conn, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.base, "https://"))
		if err != nil {
			return 0, err
		}
		defer func() { _ = conn.Close() }()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
	}
	old := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if _, err := dial(old); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if _, err := dial(&tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS12, MinVersion: tls.VersionTLS12}); err != nil {
		t.Errorf("TLS 1.2: %v", err)
	}
	if resp, err := http.Get("http://" + strings.TrimPrefix(s.base, "https://") + "/tc/v1/session"); err == nil {
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP is answered %d", resp.StatusCode)
		}
	}

	// What was no handshake is in the service's own log, in its form.
	until(t, func() bool { return strings.Contains(s.said.String(), `level=WARN msg="http: TLS handshake error`) }, s.said.String)

	// Half written, or gone for a moment: the one before stays.
	put(t, cert, "-----BEGIN CERT")
	if serial, err := dial(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}); serial != 1 || err != nil {
		t.Errorf("half a certificate: serial %d, %v", serial, err)
	}
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if serial, err := dial(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}); serial != 1 || err != nil {
		t.Errorf("no certificate: serial %d, %v", serial, err)
	}
	next := issue(t, cert, key, 2)
	if serial, err := dial(&tls.Config{RootCAs: next, MinVersion: tls.VersionTLS12}); serial != 2 || err != nil {
		t.Errorf("renewed: serial %d, %v", serial, err)
	}
}

// Who sends a request byte by byte holds a connection no longer than a header may take, nor sends a longer one.
func TestSlowClients(t *testing.T) {
	s := startServing(t, func(e *edge) { e.headerTime = 300 * time.Millisecond }, "city create tc "+create)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	began := time.Now()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, conn) // until the service hangs up
	}()
	drip := time.NewTicker(20 * time.Millisecond)
	defer drip.Stop()
	header := strings.NewReader("GET /tc/v1/session HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + strings.Repeat("x", 1000))
	for open := true; open; {
		select {
		case <-closed:
			open = false
		case <-drip.C:
			c, _ := header.ReadByte()
			_, _ = conn.Write([]byte{c})
			if time.Since(began) > 10*time.Second {
				t.Fatal("the connection is still open")
			}
		}
	}
	if took := time.Since(began); took < 250*time.Millisecond {
		t.Errorf("closed after %v", took)
	}

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+"/tc/v1/session", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", "a="+strings.Repeat("x", 64<<10))
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB is answered %d", resp.StatusCode)
	}
}

// Whatever names the service answers to, a public address is one of them, and nothing but an address is one.
func TestPublicURL(t *testing.T) {
	for _, c := range []struct {
		addr, host, url string
		public          string // "": refused
		hosts           []string
	}{
		{"127.0.0.1:0", "", "https://Grid.example.org/", "https://Grid.example.org", []string{api.LocalHosts, "grid.example.org"}},
		{"0.0.0.0:0", "grid.example.org", "https://www.example.org:8443", "https://www.example.org:8443", []string{"grid.example.org", "www.example.org"}},
		{"0.0.0.0:0", "", "http://10.0.0.5:8080", "http://10.0.0.5:8080", nil},
		{addr: "0.0.0.0:0", url: "grid.example.org"},
		{addr: "0.0.0.0:0", url: "ftp://grid.example.org"},
		{addr: "0.0.0.0:0", url: "https://grid.example.org/haining"},
		{addr: "0.0.0.0:0", url: "https://grid.example.org?a=1"},
		{addr: "0.0.0.0:0", url: "https://grid.example.org#r"},
		{addr: "0.0.0.0:0", url: "https://me@grid.example.org"},
		{addr: "0.0.0.0:0", url: "https://"},
		{addr: "0.0.0.0:0", url: "https://:443"},
	} {
		var at edge
		at.flags(pflag.NewFlagSet("serve", pflag.ContinueOnError))
		at.addr, at.publicURL = c.addr, c.url
		if c.host != "" {
			at.hosts = []string{c.host}
		}
		config, err := at.config(t.Context())
		var usage *usageError
		if c.public == "" {
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), "--public-url") {
				t.Errorf("%s: %+v, %v", c.url, config, err)
			}
			continue
		}
		slices.Sort(config.Hosts)
		slices.Sort(c.hosts)
		if err != nil || config.PublicURL != c.public || !slices.Equal(config.Hosts, c.hosts) || (config.Hosts == nil) != (c.hosts == nil) {
			t.Errorf("%s: %+v, %v", c.url, config, err)
		}
	}
}
