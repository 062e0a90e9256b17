// Package push tells people's devices by Web Push: a browser's push service (RFC 8030) takes messages for it, which are encrypted for that
// browser alone (RFC 8291) and signed by the city (VAPID, RFC 8292). What a message says is the caller's to choose: a lock screen shows it.
//
// The push service's address comes from the browser, so whoever has signed in may name one: it is called as package egress does, and
// never in the own network. It is a secret too, as who has it and the keys could write to the device: both are kept sealed.
package push

import (
	"crypto/ecdh"
	"encoding/base64"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/egress"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/keyring"
)

// Most is how many devices a person has at most: those that were named last.
const Most = 10

// MaxPayload is how many bytes a message holds at most; push services take 4096, encrypted.
const MaxPayload = 3000

// Service keeps a city's devices and sends to them.
type Service struct {
	egress.Guard // of push services: nobody but a test allows anything
	Pool         *pgxpool.Pool
	Ring         *keyring.Ring // nil: no device can be told
	City         string
	Feed         *feed.Writer
	Now          func() time.Time
	Log          *slog.Logger
	Demo         bool // the city is a demo, whose accounts are anybody's: nobody is told

	patience time.Duration // with one call; 0: callTime

	mu     sync.Mutex
	key    *keyPair                // once it was read: it stays what it is
	silent map[string]silence      // push services that did not answer
	tested map[uuid.UUID]time.Time // who had a test sent lately, and when
}

// New is a device as its browser tells of it.
type New struct {
	Person, Session uuid.UUID
	Endpoint        string // the push service's address for it
	P256dh, Auth    string // base64, as the Push API has them
	Language        string // zh, en
	Agent           string // User-Agent
	Origin          string // where people find the service, for who runs a push service and has something to ask
}

// Device is one that is told.
type Device struct {
	ID           uuid.UUID
	Person       uuid.UUID
	Session      uuid.UUID // in which it was last named; it may have run out
	Host         string    // of its push service, with the port where that is another than https'
	Agent        string
	Language     string
	MadeAt       time.Time
	SaidAt       time.Time  // when the browser last named it
	SentAt       *time.Time // the last message that the push service took
	FailingSince *time.Time
	Why          string // the last failure, a code; "": none
	sealed       []byte
}

// Ready is nil where the city can tell devices. Faults: demo, key_missing.
func (s *Service) Ready() *fault.Error {
	switch {
	case s.Demo:
		return fault.Forbidden("demo", "the city is a demo, which calls nobody: notices are shown on the page")
	case s.Ring == nil:
		return errNoKey
	}
	return nil
}

var errNoKey = fault.Unavailable("key_missing", "what devices are told by is kept sealed, and the service has no key: make the key file first, or put its copy in its place")

// secrets are what of a device is sealed.
type secrets struct {
	Endpoint string `json:"endpoint"`
	P256dh   string `json:"p256dh"` // base64url
	Auth     string `json:"auth"`
	Origin   string `json:"origin"`
}

// check refuses what cannot be sent to: by field endpoint, keys.p256dh, keys.auth, language.
func (s *Service) check(n *New) (*url.URL, secrets, *fault.Error) {
	var out secrets
	u, f := s.CheckURL("endpoint", n.Endpoint)
	switch {
	case f != nil:
		return nil, out, f
	case u.Scheme != "https":
		return nil, out, fault.Invalid("endpoint", "not_https", "has to begin with https://")
	}
	public, err := decodeKey(n.P256dh)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(public) // uncompressed, and on the curve
	}
	if err != nil {
		return nil, out, fault.Invalid("keys.p256dh", "bad_key", "is no public key of the curve P-256, 65 bytes in base64")
	}
	auth, err := decodeKey(n.Auth)
	if err != nil || len(auth) != 16 {
		return nil, out, fault.Invalid("keys.auth", "bad_key", "has to be 16 bytes in base64")
	}
	if n.Language != "zh" && n.Language != "en" {
		return nil, out, fault.Invalid("language", "unknown_value", "%.10q is neither zh nor en", n.Language)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return u, secrets{n.Endpoint, encode(public), encode(auth), n.Origin}, nil
}

// decodeKey reads base64 of either alphabet, padded or not.
func decodeKey(s string) ([]byte, error) {
	if len(s) > 100 {
		return nil, base64.CorruptInputError(100)
	}
	return base64.RawURLEncoding.Strict().DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "=")))
}
