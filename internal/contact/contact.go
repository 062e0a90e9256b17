// Package contact keeps who told reports: names, phone numbers, e-mail addresses and home points, apart from what was told.
//
// Each person has a data key of its own, which is sealed by the city's master key; what is known of the person is sealed
// by the data key. So the database and its backups are not enough to read it, and a person is erased by destroying the
// data key. A person is found by a MAC of the phone number or the e-mail address.
package contact

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/keyring"
	"gridgov/internal/report"
)

// Service keeps one city's contacts.
type Service struct {
	Pool *pgxpool.Pool
	Ring *keyring.Ring // nil: the key is missing, nothing can be sealed or opened
	City string        // its code
	Feed *feed.Writer
	Now  func() time.Time

	// Erasing, where it is set, removes in the transaction that erases a person what others keep of the person's reports,
	// and of the recipients ([Service.Recipient]) that the person was.
	Erasing func(ctx context.Context, tx pgx.Tx, reports []int64, recipients [][]byte) error
	// Holding, where it is set, adds to an export what others keep of the person: its counterpart.
	Holding func(ctx context.Context, pool *pgxpool.Pool, h *Held, recipients [][]byte) error
}

var _ report.Contacts = (*Service)(nil)

// Contact is a person who told reports, in the clear.
type Contact struct {
	ID        uuid.UUID
	Name      string
	Phone     string // normal, as NormalPhone gives it
	Email     string // likewise
	Home      *orb.Point
	CreatedAt time.Time
}

// Masked is what is shown of a person without a reason given.
type Masked struct {
	Known  bool   `json:"known"`            // somebody told it; without the key that is all there is to say
	Erased bool   `json:"erased,omitempty"` // the person was erased
	Name   string `json:"name,omitempty"`   // "王**"
	Phone  string `json:"phone,omitempty"`  // "138****1234"
	Email  string `json:"email,omitempty"`  // "a***@example.com"
	Home   bool   `json:"home,omitempty"`   // a home point is kept
}

// Held is all that is held of a person, to be handed out.
type Held struct {
	ID        uuid.UUID    `json:"id"`
	City      string       `json:"city"`
	CreatedAt time.Time    `json:"created_at"`
	ErasedAt  *time.Time   `json:"erased_at,omitempty"`
	Name      string       `json:"name,omitempty"`
	Phone     string       `json:"phone,omitempty"`
	Email     string       `json:"email,omitempty"`
	Home      *Point       `json:"home,omitempty"`
	Reports   []HeldReport `json:"reports"`

	Links       []HeldLink    `json:"links,omitempty"`         // by which reports are followed
	CodeAskedAt *time.Time    `json:"code_asked_at,omitempty"` // the last code that was asked for, while it is kept
	Messages    []HeldMessage `json:"messages,omitempty"`      // on their way, or in a demo's outbox
	Photos      []HeldPhoto   `json:"photos,omitempty"`        // that came with the reports, or are to come
}

// HeldPhoto is a photo that came with a report, and where and when it was taken by its own word.
type HeldPhoto struct {
	Report  report.Num `json:"report"`
	ID      uuid.UUID  `json:"id"`
	MadeAt  time.Time  `json:"made_at"`
	TakenAt *time.Time `json:"taken_at,omitempty"`
	Lon     *float64   `json:"lon,omitempty"`
	Lat     *float64   `json:"lat,omitempty"`
}

// HeldLink is a secret link, of which only a digest is kept.
type HeldLink struct {
	Report report.Num `json:"report"`
	MadeAt time.Time  `json:"made_at"`
}

// HeldMessage is a message to the person. Its words are those of the report and of the code that it carries.
type HeldMessage struct {
	Channel string    `json:"channel"`
	MadeAt  time.Time `json:"made_at"`
	Outbox  bool      `json:"outbox,omitempty"`
}

// Point is a position, EPSG:4490.
type Point struct {
	Lon float64 `json:"lon"`
	Lat float64 `json:"lat"`
}

// HeldReport is a report that the person told.
type HeldReport struct {
	Num        report.Num      `json:"num"`
	ID         string          `json:"id"`
	ExternalID *string         `json:"external_id,omitempty"`
	Source     report.Source   `json:"source"`
	CapturedAt time.Time       `json:"captured_at"`
	ReceivedAt time.Time       `json:"received_at"`
	Item       string          `json:"item"`
	Lon        *float64        `json:"lon,omitempty"`
	Lat        *float64        `json:"lat,omitempty"`
	Address    *string         `json:"address,omitempty"`
	Title      *string         `json:"title,omitempty"`
	Text       *string         `json:"text,omitempty"`
	Positions  json.RawMessage `json:"positions,omitempty"` // set by hand, each with its reason
}

// MinReason and MaxReason bound the reason that unmasking takes, in characters.
const (
	MinReason = 3
	MaxReason = 500
)

func keyMissing(format string, args ...any) *fault.Error {
	return fault.Unavailable("key_missing", format, args...)
}

// errNoRing is for what cannot be sealed or looked for.
var errNoRing = keyMissing("who tells reports is kept sealed, and the service has no key: put the key file in its place, or send the report without reporter")

// unsealed makes what a ring answers a fault where somebody can do something about it.
func unsealed(err error) error {
	if errors.Is(err, keyring.ErrNoKey) {
		return keyMissing("the key by which this person's data is sealed is not in the key file: put the file with all keys in its place")
	}
	return err
}
