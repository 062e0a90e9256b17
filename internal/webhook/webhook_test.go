package webhook

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/egress"
	"gridgov/internal/fault"
)

// The vector of the Standard Webhooks specification.
func TestSignatureOfTheStandard(t *testing.T) {
	secret, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), `{"test": 2432232314}`)
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
}

func TestEndpointsAreChecked(t *testing.T) {
	s := &Service{}
	good := Edit{Name: "machine", URL: "https://example.com/hook?key=1", Events: []Event{Red, Amber, Red}}
	if err := s.check(&good); err != nil || len(good.Events) != 2 {
		t.Errorf("%v, %v", good, err)
	}
	for code, e := range map[string]Edit{
		"bad_name":      {Name: "\n", URL: "https://example.com", Events: Events},
		"bad_url":       {Name: "x", URL: "https://", Events: Events},
		"not_https":     {Name: "x", URL: "http://example.com", Events: Events},
		"url_with_user": {Name: "x", URL: "https://user:pass@example.com", Events: Events},
		"own_network":   {Name: "x", URL: "https://[::1]/", Events: Events},
		"missing":       {Name: "x", URL: "https://example.com"},
		"unknown_value": {Name: "x", URL: "https://example.com", Events: []Event{Test}},
	} {
		if f, ok := fault.As(s.check(&e)); !ok || f.Code != code {
			t.Errorf("%+v: %v, want %s", e, f, code)
		}
	}
	for _, u := range []string{"https://127.0.0.1/", "https://10.0.0.1:8443/x", "https://[::ffff:192.168.0.1]/", "ftp://example.com/", "javascript:alert(1)", "https:example.com", "https://a/#f"} {
		if err := s.check(&Edit{Name: "x", URL: u, Events: Events}); err == nil {
			t.Errorf("%s was taken", u)
		}
	}
}

// endpoint is a server on this machine's loopback address, which a service is allowed to call, or not.
func endpoint(t *testing.T, h http.HandlerFunc) (url string, allowed, not *Service) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	now := func() time.Time { return time.Unix(1770000000, 0) }
	return server.URL, &Service{Now: now, Guard: egress.Guard{Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}, &Service{Now: now}
}

func call(t *testing.T, s *Service, url string) (int, string) {
	t.Helper()
	return s.call(t.Context(), &Endpoint{URL: url}, &Delivery{ID: uuid.UUID{1}}, []byte("secret"), `{"type":"test"}`)
}

func TestCallIsSigned(t *testing.T) {
	var got *http.Request
	var body strings.Builder
	url, s, _ := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		b := make([]byte, 100)
		n, _ := r.Body.Read(b)
		body.Write(b[:n])
		w.WriteHeader(http.StatusNoContent)
	})
	if status, why := call(t, s, url+"/hook"); status != 204 || why != "" {
		t.Fatalf("%d %s", status, why)
	}
	id := uuid.UUID{1}.String()
	if got.Header.Get("Webhook-Id") != id || got.Header.Get("Webhook-Timestamp") != "1770000000" || got.Method != http.MethodPost || got.URL.Path != "/hook" ||
		got.Header.Get("Webhook-Signature") != Sign([]byte("secret"), id, s.Now(), body.String()) || body.String() != `{"type":"test"}` {
		t.Errorf("%s %s %v %q", got.Method, got.URL, got.Header, body.String())
	}
}

// A name that leads into the own network is not called, whatever was thought of it before: what counts is where it leads when it is
// dialled. Nothing is sent there.
func TestOwnNetworkIsNotCalled(t *testing.T) {
	called := false
	url, _, s := endpoint(t, func(http.ResponseWriter, *http.Request) { called = true })
	for _, u := range []string{url, strings.Replace(url, "127.0.0.1", "localhost", 1), strings.Replace(url, "http://", "https://", 1)} {
		if _, why := call(t, s, u); why != "own_network" {
			t.Errorf("%s: %s", u, why)
		}
	}
	if called {
		t.Error("it was called")
	}
}

// A redirect is not followed: it could lead anywhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	url, s, _ := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if status, why := call(t, s, url); status != 307 || why != "redirect" || asked != 1 {
		t.Errorf("%d %s, asked %d times", status, why, asked)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	url, s, _ := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/endless": // more than is read
			for range 1000 {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}
	})
	for path, want := range map[string]string{"/gone": "gone", "/busy": "refused", "/endless": ""} {
		if _, why := call(t, s, url+path); why != want {
			t.Errorf("%s: %q, want %q", path, why, want)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	if _, why := call(t, s, "http://"+address); why != "unreachable" {
		t.Errorf("nobody listens: %s", why)
	}
	if _, why := call(t, s, "https://name.invalid/"); why != "unknown_host" && why != "timeout" {
		t.Errorf("a name that there is not: %s", why)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, why := s.call(ctx, &Endpoint{URL: url}, &Delivery{}, nil, ""); why == "" {
		t.Error("broken off, and sent all the same")
	}
}
