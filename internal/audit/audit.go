// Package audit is the record of acts: who did what to what, when and from where.
//
// A city's rows are a chain: each has a MAC over its own content and the MAC of the row before it, under a key that the
// database does not have. The chain's head lies in the row of the feed, with a sum over all MACs so far, and moves under
// the feed's lock. So a row that was altered, removed, inserted or moved is found by whoever has the key, and so are
// rows that are missing at the end. Who kept an old head may still set the whole database back to that moment: against
// that, heads are written down elsewhere now and then (Anchor).
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"gridgov/internal/keyring"
)

// Author is who acts. The zero value is the system itself, or the command line.
type Author struct {
	Person  uuid.UUID
	Post    int64  // the post by which the act was allowed; 0: none
	Address string // the client's address
}

type authorKey struct{}

// By returns a context whose acts are the author's.
func By(ctx context.Context, a Author) context.Context { return context.WithValue(ctx, authorKey{}, a) }

// AuthorOf returns who acts in a context.
func AuthorOf(ctx context.Context) Author {
	a, _ := ctx.Value(authorKey{}).(Author)
	return a
}

// Record is an act to be kept. Subject names what was acted on by kind and id, as "person:0198…" or "report:1234"; Before
// and After are what changed, as JSON: ids, codes and dates, never names, phones or free text. Act is of lower-case
// letters, digits, _ and dots, as "plan.publish".
type Record struct {
	Act           string
	Subject       string
	Before, After any
}

// Signed is a record with who did it, checked and encoded.
type Signed struct {
	by            Author
	act, subject  string
	before, after json.RawMessage
}

var actPattern = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,63}$`)

// Sign makes records the acts of an author. The error is a mistake in the program.
func Sign(by Author, records ...Record) ([]Signed, error) {
	signed := make([]Signed, len(records))
	for i, r := range records {
		s := Signed{by: by, act: r.Act, subject: r.Subject}
		var err, err2 error
		s.before, err = encode(r.Before)
		s.after, err2 = encode(r.After)
		switch n := utf8.RuneCountInString(r.Subject); {
		case !actPattern.MatchString(r.Act) || n < 1 || n > 200 || !plain(r.Subject):
			return nil, fmt.Errorf("audit: no act can be %.100q on %.300q", r.Act, r.Subject)
		case len(by.Address) > 100 || !plain(by.Address):
			return nil, fmt.Errorf("audit: %s: no address can be %.200q", r.Act, by.Address)
		case err != nil || err2 != nil:
			return nil, fmt.Errorf("audit: %s: %w", r.Act, errors.Join(err, err2))
		}
		signed[i] = s
	}
	return signed, nil
}

// plain tells whether the database takes a text.
func plain(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

func encode(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}

// Key is what a city's rows are MACed with. The zero Key makes a chain of plain digests.
type Key struct {
	ID     string
	Secret []byte
}

// KeyOf derives a city's key from the current master key; it is the zero Key without a ring.
func KeyOf(ring *keyring.Ring, city string) Key {
	id := ring.Current()
	return Key{ID: string(id), Secret: ring.Derive(id, label(city))}
}

// Keys finds the secrets of a city's rows by the id of their key; nil when the ring has no such key.
func Keys(ring *keyring.Ring, city string) func(id string) []byte {
	return func(id string) []byte { return ring.Derive(keyring.ID(id), label(city)) }
}

func label(city string) string { return "audit " + city }
