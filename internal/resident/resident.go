// Package resident lets those who live in a city report without an account: a code confirms a phone number or an e-mail
// address, the report is filed, and a secret link tells what becomes of it.
//
// Photos come after the report: nothing is taken in of somebody whom no code has confirmed. The report announces them, and the
// link's secret lets those come, and no others.
//
// Nobody is told whether a number or an address is known here: a code is sent to any, and every question for one is
// answered alike.
package resident

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/mail"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/contact"
	"gridgov/internal/fault"
	"gridgov/internal/keyring"
	"gridgov/internal/message"
	"gridgov/internal/photo"
	"gridgov/internal/report"
)

// Service takes one city's residents' reports. Make it with [New].
type Service struct {
	Config
	throttle *throttle
}

// Config is what a Service is made of.
type Config struct {
	Pool     *pgxpool.Pool
	Ring     *keyring.Ring // nil: nothing can be told
	City     string        // its code
	Name     string        // as messages call it
	NameEN   func() string
	Contacts *contact.Service
	Reports  *report.Service
	Messages *message.Queue
	Photos   *photo.Service
	Now      func() time.Time
}

// New makes a city's service.
func New(c Config) *Service { return &Service{Config: c, throttle: newThrottle()} }

// What a code is bounded by.
const (
	CodeAge    = 10 * time.Minute
	CodeTries  = 5
	CodeDigits = 6
	// AskAgain is how long after one code another is sent.
	AskAgain = time.Minute
)

// answerTime is how long asking for a code takes, whether one is sent or not.
const answerTime = 250 * time.Millisecond

// Languages that messages are written in.
const (
	Chinese = "zh"
	English = "en"
)

// Ask is somebody who asks for a code.
type Ask struct {
	Channel  message.Channel
	To       string
	Language string // "": Chinese
	Address  string // of the client
}

// Telling is a report that a resident tells.
type Telling struct {
	ID             report.ID
	Channel        message.Channel
	To, Code       string
	Language       string
	Address        string // of the client
	Lon, Lat       *float64
	AccuracyM      *float64
	PositionSource string
	Place          string // in words
	Item, Text     string
	Name           string
	Photos         []photo.Announced          // that are to come, once the report is filed
	Link           func(secret string) string // the page that follows the report
}

// Filed is a report that was filed, with the secret of its link.
type Filed struct {
	Report  report.Report
	Secret  string
	Existed bool // it was filed before: the link is another
}

// Channels are those that a code can be sent by.
func (s *Service) Channels(ctx context.Context) ([]message.Channel, error) {
	if s.Ring == nil {
		return nil, nil
	}
	senders, err := s.Messages.Senders(ctx)
	if err != nil {
		return nil, err
	}
	var list []message.Channel
	for _, c := range []message.Channel{message.SMS, message.Email} {
		if senders[c] != nil {
			list = append(list, c)
		}
	}
	return list, nil
}

// recipient reads whom to write to. The channel has to be set up.
func (s *Service) recipient(ctx context.Context, channel message.Channel, to string) (r contact.Recipient, normal string, err error) {
	channels, err := s.Channels(ctx)
	if err != nil {
		return r, "", err
	}
	offered := false
	for _, c := range channels {
		offered = offered || c == channel
	}
	if !offered {
		return r, "", fault.Invalid("channel", "channel_not_offered", "this city sends no codes by %.20q", string(channel))
	}
	switch channel {
	case message.SMS:
		if r, err = s.Contacts.Recipient(to, ""); err == nil && !mobile(r.Reporter.Phone) {
			err = fault.Invalid("to", "bad_phone", "is no mobile number that a code can be sent to: write 138 0013 8000, or + and the country's code first")
		}
		normal = r.Reporter.Phone
	case message.Email:
		if r, err = s.Contacts.Recipient("", to); err == nil && !mailbox(r.Reporter.Email) {
			err = fault.Invalid("to", "bad_email", "is no e-mail address that a code can be sent to, such as name@example.com")
		}
		normal = r.Reporter.Email
	}
	if f, ok := fault.As(err); ok && strings.HasPrefix(f.Field, "reporter") {
		named := *f
		named.Field = "to"
		err = &named
	}
	return r, normal, err
}

// mobile tells numbers that SMS can reach: China's mobile numbers, and any of another country.
func mobile(phone string) bool {
	if rest, ok := strings.CutPrefix(phone, "+"); ok {
		return digits(rest) && len(rest) >= 8 && len(rest) <= 15
	}
	return digits(phone) && len(phone) == 11 && phone[0] == '1' && phone[1] >= '3'
}

func digits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// mailbox tells addresses that can stand in a mail's header as they are.
func mailbox(address string) bool {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return false
	}
	_, domain, _ := strings.Cut(address, "@")
	plain := func(r rune) bool { return r > ' ' && r < 0x7f && !strings.ContainsRune(`"(),:;<>[\]`, r) }
	return strings.Contains(domain, ".") && !strings.ContainsFunc(address, func(r rune) bool { return !plain(r) })
}

// newCode makes a code; each is as likely as any other.
func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%0*d", CodeDigits, n), nil
}

// mac is what is kept of a code. A million hashes would be tried in no time: so the key is not in the database.
func (s *Service) mac(to contact.Recipient, code string) ([]byte, error) {
	ids := s.Ring.IDs()
	if len(ids) == 0 {
		return nil, fault.Unavailable("key_missing", "codes cannot be made: the service has no key")
	}
	h := hmac.New(sha256.New, s.Ring.Derive(ids[0], "resident code "+s.City))
	_, _ = h.Write(to.MAC) // it never fails
	_, _ = h.Write([]byte(code))
	return h.Sum(nil), nil
}

// newSecret makes 256 random bits as text, and what is kept of them.
func newSecret() (secret string, hash []byte) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, hashOf(secret)
}

func hashOf(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// secretLength is that of a link's secret.
const secretLength = 43
