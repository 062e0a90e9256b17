package idp_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gridgov/internal/auth/idp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

const (
	clientID = "gridgov"
	nonce    = "the nonce of the flow"
	verifier = "the verifier of the flow, of at least 43 characters"
)

// forger is a provider that signs whatever it is told to.
type forger struct {
	*httptest.Server
	t       *testing.T
	key     *rsa.PrivateKey
	other   *rsa.PrivateKey // not among its keys
	meta    map[string]any
	claims  map[string]any
	info    map[string]any
	sign    func(payload []byte) string
	token   http.HandlerFunc // in the place of its own
	asked   atomic.Int32     // for the metadata
	expects string           // the code verifier
}

func newForger(t *testing.T) *forger {
	t.Helper()
	f := &forger{t: t, expects: verifier}
	f.key, f.other = ownKey(), otherKey()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		f.asked.Add(1)
		f.json(w, f.meta)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		f.json(w, map[string]any{"keys": []any{map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": b64(f.key.N.Bytes()), "e": b64(big.NewInt(int64(f.key.E)).Bytes())}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if f.token != nil {
			f.token(w, r)
			return
		}
		user, password, _ := r.BasicAuth()
		if user != clientID || password != "secret" || r.FormValue("code") != "good" || r.FormValue("code_verifier") != f.expects || r.FormValue("redirect_uri") != "http://localhost/back" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
			return
		}
		f.answer(w)
	})
	mux.HandleFunc("GET /info", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" || f.info == nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		f.json(w, f.info)
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	f.meta = map[string]any{"issuer": f.URL, "authorization_endpoint": f.URL + "/auth", "token_endpoint": f.URL + "/token", "jwks_uri": f.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "none", "HS256"}}
	f.claims = map[string]any{"iss": f.URL, "aud": clientID, "sub": "id-1", "nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	f.sign = func(payload []byte) string { return rs256(t, f.key, `{"alg":"RS256","kid":"1"}`, payload) }
	return f
}

// Keys take long to make.
var ownKey, otherKey = sync.OnceValue(newKey), sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rs256(t *testing.T, k *rsa.PrivateKey, head string, payload []byte) string {
	t.Helper()
	text := b64([]byte(head)) + "." + b64(payload)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + b64(sig)
}

func (f *forger) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		f.t.Error(err)
	}
}

func (f *forger) answer(w http.ResponseWriter) {
	payload, err := json.Marshal(f.claims)
	if err != nil {
		f.t.Error(err)
	}
	f.json(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": f.sign(payload)})
}

func (f *forger) config() idp.Config {
	return idp.Config{Issuer: f.URL, ClientID: clientID, Secret: "secret", Claim: "sub"}
}

func client(t *testing.T) *idp.Client {
	c := idp.New(func() time.Time { return now })
	t.Cleanup(c.Close)
	return c
}

var aRequest = idp.Request{Redirect: "http://localhost/back", Nonce: nonce, Verifier: verifier}

func redeem(t *testing.T, f *forger, cfg idp.Config) (idp.Subject, error) {
	t.Helper()
	c := client(t)
	defer c.Close()
	return c.Redeem(t.Context(), cfg, aRequest, idp.Answer{Code: "good"})
}

// What an ID token may say and what not.
func TestIDTokens(t *testing.T) {
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	plain := func(f *forger) {}
	for name, c := range map[string]struct {
		forge func(f *forger)
		good  bool
	}{
		"as it should be":                 {plain, true},
		"another nonce":                   {func(f *forger) { f.claims["nonce"] = "another" }, false},
		"no nonce":                        {func(f *forger) { delete(f.claims, "nonce") }, false},
		"another audience":                {func(f *forger) { f.claims["aud"] = "other" }, false},
		"no audience":                     {func(f *forger) { delete(f.claims, "aud") }, false},
		"another issuer":                  {func(f *forger) { f.claims["iss"] = "https://other.example" }, false},
		"the issuer with a slash":         {func(f *forger) { f.claims["iss"] = f.URL + "/" }, false},
		"no subject":                      {func(f *forger) { delete(f.claims, "sub") }, false},
		"an empty subject":                {func(f *forger) { f.claims["sub"] = "" }, false},
		"a subject that is too long":      {func(f *forger) { f.claims["sub"] = strings.Repeat("a", 256) }, false},
		"a subject of control characters": {func(f *forger) { f.claims["sub"] = "a\x00b" }, false},

		"two audiences":                        {func(f *forger) { f.claims["aud"] = []string{clientID, "other"} }, false},
		"two audiences, made for us":           {func(f *forger) { f.claims["aud"], f.claims["azp"] = []string{clientID, "other"}, clientID }, true},
		"two audiences, made for another":      {func(f *forger) { f.claims["aud"], f.claims["azp"] = []string{clientID, "other"}, "other" }, false},
		"our audience, made for another party": {func(f *forger) { f.claims["azp"] = "other" }, false},

		"expired, within the skew":         {func(f *forger) { f.claims["exp"] = at(-59 * time.Second) }, true},
		"expired":                          {func(f *forger) { f.claims["exp"] = at(-60 * time.Second) }, false},
		"expired long ago":                 {func(f *forger) { f.claims["exp"] = at(-time.Hour) }, false},
		"never expires":                    {func(f *forger) { delete(f.claims, "exp") }, false},
		"from the future, within the skew": {func(f *forger) { f.claims["iat"] = at(60 * time.Second) }, true},
		"from the future":                  {func(f *forger) { f.claims["iat"] = at(61 * time.Second) }, false},
		"not good yet, within the skew":    {func(f *forger) { f.claims["nbf"] = at(60 * time.Second) }, true},
		"not good yet":                     {func(f *forger) { f.claims["nbf"] = at(61 * time.Second) }, false},
		"an access token that it binds":    {func(f *forger) { s := sha256.Sum256([]byte("access")); f.claims["at_hash"] = b64(s[:16]) }, true},
		"an access token that it does not": {func(f *forger) { f.claims["at_hash"] = b64(make([]byte, 16)) }, false},

		"alg none": {func(f *forger) {
			f.sign = func(p []byte) string { return b64([]byte(`{"alg":"none"}`)) + "." + b64(p) + "." }
		}, false},
		"alg None with a signature": {func(f *forger) {
			f.sign = func(p []byte) string { return rs256(f.t, f.key, `{"alg":"None","kid":"1"}`, p) }
		}, false},
		"unsigned": {func(f *forger) {
			f.sign = func(p []byte) string { return b64([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + b64(p) + "." }
		}, false},
		"two parts": {func(f *forger) {
			f.sign = func(p []byte) string { return b64([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + b64(p) }
		}, false},
		"another's key under its id": {func(f *forger) {
			f.sign = func(p []byte) string { return rs256(f.t, f.other, `{"alg":"RS256","kid":"1"}`, p) }
		}, false},
		"a key of another id": {func(f *forger) {
			f.sign = func(p []byte) string { return rs256(f.t, f.other, `{"alg":"RS256","kid":"2"}`, p) }
		}, false},
		"a key that it brings along": {func(f *forger) {
			f.sign = func(p []byte) string {
				return rs256(f.t, f.other, `{"alg":"RS256","jwk":{"kty":"RSA","n":"`+b64(f.other.N.Bytes())+`","e":"AQAB"}}`, p)
			}
		}, false},
		"the public key as a secret": {func(f *forger) {
			f.sign = func(p []byte) string {
				text := b64([]byte(`{"alg":"HS256","kid":"1"}`)) + "." + b64(p)
				h := hmac.New(sha256.New, x509.MarshalPKCS1PublicKey(&f.key.PublicKey))
				h.Write([]byte(text))
				return text + "." + b64(h.Sum(nil))
			}
		}, false},
		"changed after it was signed": {func(f *forger) {
			f.sign = func(p []byte) string {
				good := strings.Split(rs256(f.t, f.key, `{"alg":"RS256","kid":"1"}`, p), ".")
				return good[0] + "." + b64(bytes.Replace(p, []byte("id-1"), []byte("id-2"), 1)) + "." + good[2]
			}
		}, false},
		"no token": {func(f *forger) { f.sign = func([]byte) string { return "" } }, false},
		"no ID token": {func(f *forger) {
			f.token = func(w http.ResponseWriter, _ *http.Request) {
				f.json(w, map[string]any{"access_token": "access", "token_type": "Bearer"})
			}
		}, false},
		"an ID token that is no text": {func(f *forger) {
			f.token = func(w http.ResponseWriter, _ *http.Request) {
				f.json(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": 7})
			}
		}, false},
		"another verifier": {func(f *forger) { f.expects = "another" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForger(t)
			c.forge(f)
			got, err := redeem(t, f, f.config())
			switch {
			case c.good && (err != nil || got != idp.Subject{Key: "id-1"}):
				t.Errorf("%+v %v", got, err)
			case !c.good && (!errors.Is(err, idp.ErrRefused) || got != idp.Subject{}):
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}

// What is read of somebody, from the ID token and from the user info.
func TestSubjects(t *testing.T) {
	for name, c := range map[string]struct {
		claims, info map[string]any
		cfg          idp.Config
		want         idp.Subject
		bad          bool
	}{
		"the address, verified":           {map[string]any{"email": "a@b", "email_verified": true}, nil, idp.Config{Email: true}, idp.Subject{Key: "id-1", Email: "a@b"}, false},
		"verified as text":                {map[string]any{"email": "a@b", "email_verified": "true"}, nil, idp.Config{Email: true}, idp.Subject{Key: "id-1", Email: "a@b"}, false},
		"not verified":                    {map[string]any{"email": "a@b", "email_verified": false}, nil, idp.Config{Email: true}, idp.Subject{Key: "id-1"}, false},
		"nothing said of it":              {map[string]any{"email": "a@b"}, nil, idp.Config{Email: true}, idp.Subject{Key: "id-1"}, false},
		"verified as something else":      {map[string]any{"email": "a@b", "email_verified": 1}, nil, idp.Config{Email: true}, idp.Subject{Key: "id-1"}, false},
		"not asked for":                   {map[string]any{"email": "a@b", "email_verified": true}, nil, idp.Config{}, idp.Subject{Key: "id-1"}, false},
		"of the user info":                {nil, map[string]any{"sub": "id-1", "email": "a@b", "email_verified": true}, idp.Config{Email: true}, idp.Subject{Key: "id-1", Email: "a@b"}, false},
		"of another's user info":          {nil, map[string]any{"sub": "id-2", "email": "a@b", "email_verified": true}, idp.Config{Email: true}, idp.Subject{}, true},
		"the ID token goes first":         {map[string]any{"staff": "7"}, map[string]any{"sub": "id-1", "staff": "8", "email": "a@b"}, idp.Config{Claim: "staff", Email: true}, idp.Subject{Key: "7"}, false},
		"another claim":                   {map[string]any{"staff": "7"}, nil, idp.Config{Claim: "staff"}, idp.Subject{Key: "7"}, false},
		"a number":                        {map[string]any{"staff": 90071992547409930}, nil, idp.Config{Claim: "staff"}, idp.Subject{Key: "90071992547409930"}, false},
		"a claim of the user info":        {nil, map[string]any{"sub": "id-1", "staff": "7"}, idp.Config{Claim: "staff"}, idp.Subject{Key: "7"}, false},
		"a claim that is absent":          {nil, map[string]any{"sub": "id-1"}, idp.Config{Claim: "staff"}, idp.Subject{}, true},
		"a claim that is a list":          {map[string]any{"staff": []string{"7"}}, nil, idp.Config{Claim: "staff"}, idp.Subject{}, true},
		"a claim that is null":            {map[string]any{"staff": nil}, nil, idp.Config{Claim: "staff"}, idp.Subject{}, true},
		"a second factor":                 {map[string]any{"amr": []string{"pwd", "mfa"}}, nil, idp.Config{MFA: []string{"mfa"}}, idp.Subject{Key: "id-1", MFA: true}, false},
		"a second factor by acr":          {map[string]any{"acr": "gold"}, nil, idp.Config{MFA: []string{"mfa", "gold"}}, idp.Subject{Key: "id-1", MFA: true}, false},
		"none":                            {map[string]any{"amr": []string{"pwd"}, "acr": "0"}, nil, idp.Config{MFA: []string{"mfa"}}, idp.Subject{Key: "id-1"}, false},
		"one that the city does not take": {map[string]any{"amr": []string{"mfa"}}, nil, idp.Config{}, idp.Subject{Key: "id-1"}, false},
		"amr as text":                     {map[string]any{"amr": "mfa"}, nil, idp.Config{MFA: []string{"mfa"}}, idp.Subject{Key: "id-1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForger(t)
			maps.Copy(f.claims, c.claims)
			if f.info = c.info; c.info != nil {
				f.meta["userinfo_endpoint"] = f.URL + "/info"
			}
			cfg := f.config()
			if cfg.Email, cfg.MFA = c.cfg.Email, c.cfg.MFA; c.cfg.Claim != "" {
				cfg.Claim = c.cfg.Claim
			}
			got, err := redeem(t, f, cfg)
			if got != c.want || (err != nil) != c.bad || err != nil && !errors.Is(err, idp.ErrRefused) {
				t.Errorf("%+v %v, want %+v", got, err, c.want)
			}
		})
	}
}

// A provider costs time and memory within bounds, and leads nowhere else.
func TestProvidersThatCannotBeAsked(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was followed elsewhere") }))
	defer elsewhere.Close()
	fill := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"`))
		for range 3 << 10 {
			if _, err := w.Write(bytes.Repeat([]byte("a"), 1<<10)); err != nil {
				return
			}
		}
		_, _ = w.Write([]byte(`"}`))
	}
	for name, c := range map[string]struct {
		forge func(f *forger)
		want  error
	}{
		"another issuer in its metadata": {func(f *forger) { f.meta["issuer"] = "https://other.example" }, idp.ErrDown},
		"tokens without https":           {func(f *forger) { f.meta["token_endpoint"] = "http://192.0.2.1/token" }, idp.ErrDown},
		"keys without https":             {func(f *forger) { f.meta["jwks_uri"] = "http://192.0.2.1/keys" }, idp.ErrDown},
		"keys of a file":                 {func(f *forger) { f.meta["jwks_uri"] = "file:///etc/passwd" }, idp.ErrDown},
		"user info without https":        {func(f *forger) { f.meta["userinfo_endpoint"] = "http://192.0.2.1/info" }, idp.ErrDown},
		"no token endpoint":              {func(f *forger) { delete(f.meta, "token_endpoint") }, idp.ErrDown},
		"a way in that is a script":      {func(f *forger) { f.meta["authorization_endpoint"] = "javascript:alert(1)" }, idp.ErrDown},
		"its token endpoint fails":       {func(f *forger) { f.token = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) } }, idp.ErrDown},
		"it has enough":                  {func(f *forger) { f.token = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) } }, idp.ErrDown},
		"it hangs up": {func(f *forger) {
			f.token = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		}, idp.ErrDown},
		"it leads elsewhere": {func(f *forger) {
			f.token = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			}
		}, idp.ErrDown},
		"it goes round in circles": {func(f *forger) {
			f.token = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/token", http.StatusTemporaryRedirect)
			}
		}, idp.ErrDown},
		"it says too much": {func(f *forger) { f.token = fill }, idp.ErrRefused},
		"it speaks in HTML": {func(f *forger) {
			f.token = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }
		}, idp.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForger(t)
			c.forge(f)
			if got, err := redeem(t, f, f.config()); !errors.Is(err, c.want) || got != (idp.Subject{}) {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
	closed := newForger(t)
	closed.Close()
	if err := client(t).Check(t.Context(), closed.URL); !errors.Is(err, idp.ErrDown) {
		t.Error(err)
	}
}

// A provider that does not answer is waited for 5 s at most, by all who ask together.
func TestProviderThatIsSlow(t *testing.T) {
	hold := make(chan struct{})
	f := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer f.Close()
	defer close(hold)
	began := time.Now()
	if err := client(t).Check(t.Context(), f.URL); !errors.Is(err, idp.ErrDown) {
		t.Error(err)
	}
	if took := time.Since(began); took < 4*time.Second || took > 9*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestMetadataAreKept(t *testing.T) {
	f := newForger(t)
	at := now
	c := idp.New(func() time.Time { return at })
	defer c.Close()
	ask := func(want int32) {
		t.Helper()
		if err := c.Check(t.Context(), f.URL); err != nil || f.asked.Load() != want {
			t.Errorf("%v, asked %d times, want %d", err, f.asked.Load(), want)
		}
	}
	ask(1)
	at = now.Add(time.Hour - time.Second)
	ask(1)
	at = now.Add(time.Hour)
	ask(2)
	at = now.Add(-time.Hour) // the clock was set back
	ask(3)
	if err := c.Check(t.Context(), f.URL+"/other"); !errors.Is(err, idp.ErrDown) { // another issuer's are not this one's
		t.Error(err)
	}
}

func TestAuthURL(t *testing.T) {
	f := newForger(t)
	cfg := f.config()
	cfg.Scopes = []string{"email", "staff"}
	text, err := client(t).AuthURL(t.Context(), cfg, idp.Request{Redirect: "https://city/back", State: "s", Nonce: nonce, Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(verifier))
	for name, want := range map[string]string{"scope": "openid email staff", "state": "s", "nonce": nonce, "code_challenge": b64(sum[:]), "code_challenge_method": "S256",
		"redirect_uri": "https://city/back", "client_id": clientID, "response_type": "code"} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, url.QueryEscape(verifier)) {
		t.Error("a secret is in the address")
	}
}

// Who says in advance to name itself has to; whose name is another's is not believed.
func TestNamesItself(t *testing.T) {
	f := newForger(t)
	for _, c := range []struct {
		says  bool
		named string
		good  bool
	}{{false, "", true}, {false, f.URL, true}, {false, "https://other.example", false}, {true, "", false}, {true, f.URL, true}, {true, f.URL + "/", false}} {
		f.meta["authorization_response_iss_parameter_supported"] = c.says
		_, err := client(t).Redeem(t.Context(), f.config(), aRequest, idp.Answer{Code: "good", Issuer: c.named})
		if (err == nil) != c.good || err != nil && !errors.Is(err, idp.ErrRefused) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestIssuers(t *testing.T) {
	for issuer, ok := range map[string]bool{
		"https://id.haining.example": true, "https://id.haining.example/realms/city": true, "https://id.haining.example:8443/": true,
		"http://127.0.0.1:8080": true, "http://localhost:9000": true, "http://[::1]:9": true,
		"": false, "id.haining.example": false, "http://id.haining.example": false, "http://192.0.2.1": false, "ftp://id.example": false,
		"https://user@id.example": false, "https://id.example?x=1": false, "https://id.example?": false, "https://id.example#x": false,
		"https:id.example": false, "https://": false, "http://localhost.evil.example": false, "file:///etc/passwd": false, "https://id.example/" + strings.Repeat("a", 500): false,
	} {
		if err := idp.CheckIssuer(issuer); (err == nil) != ok {
			t.Errorf("%q: %v", issuer, err)
		}
	}
}
