package message_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"gridgov/internal/message"
)

// mailServer is a small mail server that takes what it is given.
type mailServer struct {
	host  string
	port  int
	roots *x509.CertPool

	mu       sync.Mutex
	received []received
	refuse   string // the answer to RCPT TO, "": taken
}

type received struct {
	from, to, data, user, password string
	encrypted                      bool
}

// startMail listens on loopback. With offer it speaks STARTTLS by a certificate of its own authority; with atOnce TLS is
// spoken from the first byte.
func startMail(t *testing.T, offer, atOnce bool) *mailServer {
	t.Helper()
	s := &mailServer{host: "127.0.0.1"}
	cert, roots := certificate(t)
	s.roots = roots
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if atOnce {
		l = tls.NewListener(l, conf)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(c, offer, conf) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return s
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func (s *mailServer) serve(c net.Conn, offer bool, conf *tls.Config) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, encrypted := c.(*tls.Conn)
	var got received
	text := textproto.NewConn(c)
	say := func(line string) { _ = text.PrintfLine("%s", line) }
	say("220 ready")
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		word, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(word) {
		case "EHLO", "HELO":
			say("250-here")
			if offer && !encrypted {
				say("250-STARTTLS")
			}
			if encrypted {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(c, conf)
			if secure.Handshake() != nil {
				return
			}
			c, encrypted = secure, true
			text = textproto.NewConn(c)
		case "AUTH":
			plain, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			if parts := strings.Split(string(plain), "\x00"); len(parts) == 3 {
				got.user, got.password = parts[1], parts[2]
			}
			if got.password != "right" {
				say("535 no")
				continue
			}
			say("235 welcome")
		case "MAIL":
			got.from = rest
			say("250 ok")
		case "RCPT":
			s.mu.Lock()
			refuse := s.refuse
			s.mu.Unlock()
			if refuse != "" {
				say(refuse)
				continue
			}
			got.to += rest
			say("250 ok")
		case "DATA":
			say("354 go on")
			data, err := io.ReadAll(text.DotReader())
			if err != nil {
				return
			}
			got.data, got.encrypted = string(data), encrypted
			s.mu.Lock()
			s.received = append(s.received, got)
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *mailServer) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.received...)
}

func (s *mailServer) settings(mode string) message.SMTP {
	return message.SMTP{Host: s.host, Port: s.port, TLS: mode, From: "海宁网格 <grid@example.com>", Roots: s.roots}
}

// read decodes a mail's subject and text.
func read(t *testing.T, data string) (subject, text string, header mail.Header) {
	t.Helper()
	m, err := mail.ReadMessage(bufio.NewReader(strings.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	body := m.Body
	switch m.Header.Get("Content-Transfer-Encoding") {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return subject, strings.ReplaceAll(string(b), "\r\n", "\n"), m.Header
}

var aMail = message.Message{Channel: message.Email, To: "li@example.org", Subject: "海宁市：验证码", Text: "验证码是 123456。\n.\n点"}

// Mail arrives as it was written, by STARTTLS and by TLS from the start, with a password; and to this machine unencrypted.
func TestMailArrives(t *testing.T) {
	for mode, server := range map[string]*mailServer{message.TLSStart: startMail(t, true, false), message.TLSImplicit: startMail(t, false, true), message.TLSNone: startMail(t, false, false)} {
		s := server.settings(mode)
		if mode != message.TLSNone {
			s.User, s.Password = "grid", "right"
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		if err := s.Send(t.Context(), aMail); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		got := server.all()
		if len(got) != 1 || got[0].encrypted != (mode != message.TLSNone) || got[0].user != s.User || !strings.Contains(got[0].to, "<li@example.org>") || !strings.Contains(got[0].from, "<grid@example.com>") {
			t.Fatalf("%s: %+v", mode, got)
		}
		subject, text, header := read(t, got[0].data)
		if subject != aMail.Subject || strings.TrimSuffix(text, "\n") != aMail.Text || header.Get("To") != "<li@example.org>" || header.Get("Auto-Submitted") != "auto-generated" || header.Get("Message-Id") == "" {
			t.Errorf("%s: %q %q %v", mode, subject, text, header)
		}
	}
}

// Nothing is sent to who cannot prove to be the server, or who does not encrypt; no password either.
func TestMailIsNotSentInTheClear(t *testing.T) {
	plain := startMail(t, false, false)
	s := plain.settings(message.TLSStart)
	s.User, s.Password = "grid", "right"
	if err := s.Send(t.Context(), aMail); err == nil {
		t.Error("mail was sent to a server without STARTTLS")
	}
	strange := startMail(t, true, false)
	s = strange.settings(message.TLSStart)
	s.Roots = nil
	if err := s.Send(t.Context(), aMail); err == nil {
		t.Error("mail was sent to a server that nobody vouches for")
	}
	if n := len(plain.all()) + len(strange.all()); n != 0 {
		t.Errorf("%d mails arrived", n)
	}
	for _, mode := range []string{message.TLSNone, "", "opportunistic"} {
		s := message.SMTP{Host: "smtp.example.com", Port: 25, TLS: mode, From: "grid@example.com"}
		if s.Check() == nil {
			t.Errorf("TLS %q to another machine is taken", mode)
		}
	}
}

// Whatever is put in for an address or a subject, it adds no header, no recipient and no mail.
func TestMailHeadersCannotBeInjected(t *testing.T) {
	server := startMail(t, true, false)
	s := server.settings(message.TLSStart)
	for _, m := range []message.Message{
		{To: "li@example.org\r\nBcc: all@example.org", Subject: "a", Text: "b"},
		{To: "li@example.org\nRCPT TO:<all@example.org>", Subject: "a", Text: "b"},
		{To: "li@example.org>,<all@example.org", Subject: "a", Text: "b"},
		{To: "li@example.org, all@example.org", Subject: "a", Text: "b"},
		{To: "Li <li@example.org>", Subject: "a", Text: "b"},
		{To: "li@example.org", Subject: "a\r\nBcc: all@example.org", Text: "b"},
		{To: "", Subject: "a", Text: "b"},
	} {
		err := s.Send(t.Context(), m)
		var f *message.Failure
		if !errors.As(err, &f) || !f.Final {
			t.Errorf("%q: %v", m.To, err)
		}
	}
	m := aMail
	m.Text = "a\r\n.\r\nMAIL FROM:<x@example.org>\r\nBcc: all@example.org"
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := server.all()
	if len(got) != 1 || strings.Contains(got[0].to, "all@") {
		t.Fatalf("%+v", got)
	}
	if _, text, header := read(t, got[0].data); header.Get("Bcc") != "" || !strings.Contains(text, "Bcc: all@example.org") {
		t.Errorf("%q %v", text, header)
	}
}

// What a server says is told apart: a recipient that is refused for good, and what may mend. It is not in the words that go
// into a log.
func TestMailFailures(t *testing.T) {
	server := startMail(t, true, false)
	s := server.settings(message.TLSStart)
	for answer, final := range map[string]bool{"550 no such user li@example.org": true, "451 later, li@example.org": false} {
		server.mu.Lock()
		server.refuse = answer
		server.mu.Unlock()
		err := s.Send(t.Context(), aMail)
		var f *message.Failure
		if !errors.As(err, &f) || f.Final != final || f.Code != map[bool]int{true: 550, false: 451}[final] || strings.Contains(err.Error(), "li@") {
			t.Errorf("%s: %+v %v", answer, f, err)
		}
	}
	s.User, s.Password = "grid", "wrong"
	if err := s.Send(t.Context(), aMail); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	s = message.SMTP{Host: "127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port, TLS: message.TLSNone, From: "grid@example.com"}
	began := time.Now()
	if err := s.Send(ctx, aMail); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
