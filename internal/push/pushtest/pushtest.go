// Package pushtest is a push service and browsers for tests: RFC 8030's POST by TLS on this machine. It holds each message against the RFCs,
// and decrypts it by its own reading of RFC 8291: none of the code that it tests is used.
package pushtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gridgov/internal/egress"
)

var encode = base64.RawURLEncoding.EncodeToString

// Service is a push service.
type Service struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	browsers map[string]*Browser // by the path of their endpoints
}

// New starts one.
func New(t testing.TB) *Service {
	s := &Service{t: t, browsers: map[string]*Browser{}}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.take))
	t.Cleanup(s.Close)
	return s
}

// Guard lets the service be called although it is on this machine.
func (s *Service) Guard() egress.Guard {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return egress.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Roots: roots}
}

// Message is what a browser was sent.
type Message struct {
	Payload        []byte
	TTL            time.Duration
	Topic, Urgency string
	Subject        string // whom the push service may ask
	Length         int    // as it was encrypted
}

// Browser is one that has subscribed: with Endpoint, P256dh and Auth it is told.
type Browser struct {
	Endpoint, P256dh, Auth string

	private *ecdh.PrivateKey
	auth    []byte
	server  []byte // the key that it lets write to it

	mu     sync.Mutex
	answer http.HandlerFunc
	asked  int
	got    []Message
}

// Browser subscribes one that lets the holder of a key write to it.
func (s *Service) Browser(key []byte) *Browser {
	s.t.Helper()
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &Browser{private: private, auth: make([]byte, 16), server: key}
	_, _ = rand.Read(b.auth)
	path := "/send/" + encode(sum(private.PublicKey().Bytes()))
	b.Endpoint, b.P256dh, b.Auth = s.URL+path, encode(private.PublicKey().Bytes()), encode(b.auth)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.browsers[path] = b
	return b
}

func sum(b []byte) []byte { h := sha256.Sum256(b); return h[:] }

// Answer has messages answered by h, as they come; nil: they are taken.
func (b *Browser) Answer(h http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = h
}

// Status has messages answered by a status, and what is to be said besides of when to try again.
func (b *Browser) Status(status int, retryAfter string) {
	b.Answer(func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	})
}

// Got are the messages that were taken.
func (b *Browser) Got() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// Asked is how often the push service was asked to take one.
func (b *Browser) Asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// take is RFC 8030, 5.
func (s *Service) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	b := s.browsers[r.URL.Path]
	s.mu.Unlock()
	if b == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	m, err := b.read(r, s.URL)
	if err != nil {
		s.t.Errorf("no message as the RFCs have it: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.asked++
	answer := b.answer
	if answer == nil {
		b.got = append(b.got, m)
	}
	b.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Location", s.URL+"/message/1")
	w.WriteHeader(http.StatusCreated)
}

var (
	topicPattern   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	urgencyPattern = regexp.MustCompile(`^(very-low|low|normal|high)$`)
)

func (b *Browser) read(r *http.Request, origin string) (m Message, err error) {
	body, err := io.ReadAll(r.Body)
	switch ttl, bad := strconv.Atoi(r.Header.Get("TTL")); {
	case err != nil:
		return m, err
	case r.Method != http.MethodPost:
		return m, fmt.Errorf("by %s", r.Method)
	case bad != nil || ttl < 0:
		return m, fmt.Errorf("TTL is %q", r.Header.Get("TTL"))
	case r.Header.Get("Content-Encoding") != "aes128gcm":
		return m, fmt.Errorf("the encoding is %q", r.Header.Get("Content-Encoding"))
	case len(body) > 4096:
		return m, fmt.Errorf("%d bytes", len(body))
	default:
		m.TTL, m.Length = time.Duration(ttl)*time.Second, len(body)
	}
	if m.Topic = r.Header.Get("Topic"); m.Topic != "" && !topicPattern.MatchString(m.Topic) {
		return m, fmt.Errorf("the topic is %q", m.Topic)
	}
	if m.Urgency = r.Header.Get("Urgency"); m.Urgency != "" && !urgencyPattern.MatchString(m.Urgency) {
		return m, fmt.Errorf("the urgency is %q", m.Urgency)
	}
	if m.Subject, err = b.verify(r.Header.Get("Authorization"), origin); err != nil {
		return m, err
	}
	m.Payload, err = Decrypt(b.private, b.auth, body)
	return m, err
}

var authorization = regexp.MustCompile(`^vapid t=([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+), k=([A-Za-z0-9_-]+)$`)

// verify reads who sends, by RFC 8292, and whom to ask of it. A token lasts by this machine's clock.
func (b *Browser) verify(header, origin string) (subject string, err error) {
	part := authorization.FindStringSubmatch(header)
	if part == nil {
		return "", fmt.Errorf("the authorization is %q", header)
	}
	var raw [5][]byte
	for i := 1; i < 5; i++ {
		if raw[i], err = base64.RawURLEncoding.DecodeString(part[i]); err != nil {
			return "", err
		}
	}
	var head struct{ Typ, Alg string }
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := errors.Join(json.Unmarshal(raw[1], &head), json.Unmarshal(raw[2], &claims)); err != nil {
		return "", err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw[4])
	now := time.Now()
	switch ends := time.Unix(claims.Exp, 0); {
	case err != nil:
		return "", err
	case !slices.Equal(raw[4], b.server):
		return "", errors.New("another key than the one that the browser lets write to it")
	case head.Alg != "ES256":
		return "", fmt.Errorf("signed by %s", head.Alg)
	case len(raw[3]) != 64:
		return "", fmt.Errorf("a signature of %d bytes", len(raw[3]))
	case !ecdsa.Verify(public, sum([]byte(part[1]+"."+part[2])), new(big.Int).SetBytes(raw[3][:32]), new(big.Int).SetBytes(raw[3][32:])):
		return "", errors.New("not signed by its key")
	case claims.Aud != origin:
		return "", fmt.Errorf("for %q", claims.Aud)
	case !ends.After(now) || ends.After(now.Add(24*time.Hour)):
		return "", fmt.Errorf("until %s, now is %s", ends, now)
	case !strings.HasPrefix(claims.Sub, "https://") && !strings.HasPrefix(claims.Sub, "mailto:"):
		return "", fmt.Errorf("of %q", claims.Sub)
	}
	return claims.Sub, nil
}

// Decrypt reads a message for a browser by RFC 8291, 3.4, of one record by RFC 8188, 2.
func Decrypt(private *ecdh.PrivateKey, auth, body []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("no header")
	}
	salt, size, sender, record := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:21+int(body[20])], body[21+int(body[20]):]
	if len(record) < 18 || uint32(len(record)) > size {
		return nil, fmt.Errorf("%d bytes in a record of %d", len(record), size)
	}
	public, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := private.ECDH(public)
	if err != nil {
		return nil, err
	}
	hash := func(key []byte, parts ...[]byte) []byte {
		m := hmac.New(sha256.New, key)
		for _, p := range parts {
			_, _ = m.Write(p)
		}
		return m.Sum(nil)
	}
	one := []byte{1}
	input := hash(hash(auth, shared), []byte("WebPush: info\x00"), private.PublicKey().Bytes(), sender, one)
	pseudo := hash(salt, input)
	block, err := aes.NewCipher(hash(pseudo, []byte("Content-Encoding: aes128gcm\x00"), one)[:16])
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, hash(pseudo, []byte("Content-Encoding: nonce\x00"), one)[:12], record, nil)
	if err != nil {
		return nil, err
	}
	end := len(plain) - 1
	for end >= 0 && plain[end] == 0 {
		end--
	}
	if end < 0 || plain[end] != 2 {
		return nil, errors.New("the last record does not end as one")
	}
	return plain[:end], nil
}
