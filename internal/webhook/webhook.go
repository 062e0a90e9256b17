// Package webhook tells machines elsewhere what happened here, by the Standard Webhooks scheme: a JSON body, signed with a secret that
// both sides know. What is sent holds ids, codes and times: never a name, a phone number or what somebody wrote.
//
// An address is an administrator's to choose, and the server calls it: so it is called as package egress does, and what answers is neither
// kept nor shown.
package webhook

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/egress"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/job"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres"
)

// Event is something an endpoint may be told of.
type Event string

// The events.
const (
	Amber     Event = "escalation.amber"
	Red       Event = "escalation.red"
	Supervise Event = "escalation.supervise"
	Test      Event = "test" // sent by hand; not chosen
)

// Events are those that may be chosen.
var Events = []Event{Amber, Red, Supervise}

// Endpoint is an address that is told.
type Endpoint struct {
	ID         int64
	Name, URL  string
	Events     []Event
	MadeAt     time.Time
	DisabledAt *time.Time
	Version    int
	Waiting    int       // deliveries that were not sent yet
	Last       *Delivery // the newest; nil: none
}

// State is what became of a delivery.
type State string

// The states. Dropped: there was no more reason to send it, as the matter was settled or the endpoint taken out of use.
const (
	Waiting State = "waiting"
	Sent    State = "sent"
	Failed  State = "failed"
	Dropped State = "dropped"
)

// Delivery is one message to one endpoint.
type Delivery struct {
	ID      uuid.UUID
	Event   Event
	MadeAt  time.Time
	State   State
	Tries   int
	TriedAt *time.Time
	Status  int    // HTTP's, of the last answer; 0: none came
	Why     string // the last failure, a code; "": none
}

// Service keeps a city's endpoints and sends to them.
type Service struct {
	Pool *pgxpool.Pool
	Ring *keyring.Ring // nil: nothing can be added
	City string
	Feed *feed.Writer
	Now  func() time.Time
	Log  *slog.Logger
	Jobs func() *job.Queue
	egress.Guard
	Demo bool // the city is a demo, where anybody is an administrator: nobody is called
	// Still tells whether a matter that was to be told of is still worth it; nil: always.
	Still func(ctx context.Context, about About) (bool, error)
	// GaveUp is told of an endpoint to which a message could not be sent, in the transaction that writes it down.
	GaveUp func(ctx context.Context, tx pgx.Tx, e *Endpoint) ([]feed.Event, error)
	// Committed is called when something was committed that the feed tells of; may be nil.
	Committed func()
}

// Edit is what an administrator says of an endpoint.
type Edit struct {
	Name, URL string
	Events    []Event
	Disabled  bool
}

// Most is how many endpoints a city has at most.
const Most = 20

// check refuses what cannot work: by field name, url, events.
func (s *Service) check(e *Edit) error {
	e.Name, e.URL = strings.TrimSpace(e.Name), strings.TrimSpace(e.URL)
	if n := utf8.RuneCountInString(e.Name); n < 1 || n > 100 || strings.ContainsFunc(e.Name, unicode.IsControl) {
		return fault.Invalid("name", "bad_name", "give it a name of 1 to 100 characters")
	}
	if _, err := s.CheckURL("url", e.URL); err != nil {
		if err.Code == "own_network" {
			err.Message += ": who runs the service may allow it by --webhook-allow"
		}
		return err
	}
	if len(e.Events) == 0 {
		return fault.Invalid("events", "missing", "choose at least one event")
	}
	for _, v := range e.Events {
		if !slices.Contains(Events, v) {
			return fault.Invalid("events", "unknown_value", "%.40q is none of %v", string(v), Events)
		}
	}
	slices.Sort(e.Events)
	e.Events = slices.Compact(e.Events)
	return nil
}

func label(city string, id int64) string { return fmt.Sprintf("webhook %s %d", city, id) }

// secretBytes is how long a secret is.
const secretBytes = 32

// prefix marks a secret, as the scheme has it.
const prefix = "whsec_"

// Secret writes a secret as it is shown.
func Secret(b []byte) string { return prefix + base64.StdEncoding.EncodeToString(b) }

func (s *Service) newSecret(id int64) (plain, sealed []byte, err error) {
	plain = make([]byte, secretBytes)
	_, _ = rand.Read(plain) // never fails
	if s.Ring == nil {
		return nil, nil, errNoKey
	}
	sealed, err = s.Ring.Seal(label(s.City, id), plain)
	if err != nil {
		return nil, nil, errNoKey
	}
	return plain, sealed, nil
}

var errNoKey = fault.Unavailable("key_missing", "secrets are kept sealed, and the service has no key: make the key file first")

// Add adds an endpoint and returns its secret, which is shown once.
func (s *Service) Add(ctx context.Context, e Edit) (id int64, secret string, err error) {
	if err := s.check(&e); err != nil {
		return 0, "", err
	}
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		var n int
		// The table is locked: two who add at once would both be the last that fits.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('gridgov webhook ' || $1, 0))`, s.City); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM webhook WHERE removed_at IS NULL`).Scan(&n); err != nil {
			return err
		}
		if n >= Most {
			return fault.Conflict("too_many", "a city has at most %d webhooks: remove one first", Most)
		}
		at := s.Now().UTC()
		if err := tx.QueryRow(ctx, `
			INSERT INTO webhook (url, name, events, secret, made_at, disabled_at, version) VALUES ($1, $2, $3, '', $4, $5, 1) RETURNING id`,
			e.URL, e.Name, e.Events, at, disabledAt(e.Disabled, at)).Scan(&id); err != nil {
			return err
		}
		plain, sealed, err := s.newSecret(id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE webhook SET secret = $2 WHERE id = $1`, id, sealed); err != nil {
			return err
		}
		secret = Secret(plain)
		return s.keep(ctx, tx, at, record("webhook.add", id, nil, &e))
	})
	if err != nil {
		return 0, "", fmt.Errorf("add a webhook: %w", err)
	}
	return id, secret, nil
}

func disabledAt(disabled bool, at time.Time) *time.Time {
	if disabled {
		return &at
	}
	return nil
}

// told is what the record of acts keeps of an endpoint: its host, as the path may be a secret.
type told struct {
	Host     string  `json:"host"`
	Events   []Event `json:"events"`
	Disabled bool    `json:"disabled,omitempty"`
}

func record(act string, id int64, before, after *Edit) audit.Record {
	of := func(e *Edit) any {
		if e == nil {
			return nil
		}
		host := ""
		if u, err := url.Parse(e.URL); err == nil {
			host = u.Host
		}
		return told{host, e.Events, e.Disabled}
	}
	return audit.Record{Act: act, Subject: fmt.Sprintf("webhook:%d", id), Before: of(before), After: of(after)}
}

func (s *Service) keep(ctx context.Context, tx pgx.Tx, at time.Time, r audit.Record) error {
	_, err := s.Feed.Append(ctx, tx, at, nil, r)
	return err
}

// locked reads an endpoint that is about to be changed.
func locked(ctx context.Context, tx pgx.Tx, id int64, version int) (Edit, error) {
	var e Edit
	var have int
	err := tx.QueryRow(ctx, `SELECT name, url, events, disabled_at IS NOT NULL, version FROM webhook WHERE id = $1 AND removed_at IS NULL FOR UPDATE`, id).
		Scan(&e.Name, &e.URL, &e.Events, &e.Disabled, &have)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return e, errUnknown(id)
	case err != nil:
		return e, err
	case version != 0 && have != version:
		return e, fault.Conflict("stale", "somebody changed it meanwhile: read it again")
	}
	return e, nil
}

func errUnknown(id int64) error { return fault.NotFound("there is no webhook %d", id) }

// Change replaces what is said of an endpoint whose version was seen.
func (s *Service) Change(ctx context.Context, id int64, version int, e Edit) error {
	if err := s.check(&e); err != nil {
		return err
	}
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		before, err := locked(ctx, tx, id, version)
		if err != nil {
			return err
		}
		at := s.Now().UTC()
		_, err = tx.Exec(ctx, `
			UPDATE webhook SET name = $2, url = $3, events = $4, disabled_at = CASE WHEN $5::timestamptz IS NULL THEN NULL ELSE coalesce(disabled_at, $5) END,
				version = version + 1 WHERE id = $1`, id, e.Name, e.URL, e.Events, disabledAt(e.Disabled, at))
		if err != nil {
			return err
		}
		return s.keep(ctx, tx, at, record("webhook.change", id, &before, &e))
	})
	if err != nil {
		return fmt.Errorf("change webhook %d: %w", id, err)
	}
	return nil
}

// Renew gives an endpoint another secret, which is shown once; the one before is worth nothing from then on.
func (s *Service) Renew(ctx context.Context, id int64) (secret string, err error) {
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		if _, err := locked(ctx, tx, id, 0); err != nil {
			return err
		}
		plain, sealed, err := s.newSecret(id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE webhook SET secret = $2, version = version + 1 WHERE id = $1`, id, sealed); err != nil {
			return err
		}
		secret = Secret(plain)
		return s.keep(ctx, tx, s.Now().UTC(), record("webhook.renew", id, nil, nil))
	})
	if err != nil {
		return "", fmt.Errorf("renew the secret of webhook %d: %w", id, err)
	}
	return secret, nil
}

// Remove removes an endpoint; what waits is not sent. That there was one is kept, without its secret and address.
func (s *Service) Remove(ctx context.Context, id int64) error {
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		before, err := locked(ctx, tx, id, 0)
		if err != nil {
			return err
		}
		at := s.Now().UTC()
		_, err = tx.Exec(ctx, `UPDATE webhook SET removed_at = $2, secret = '', url = '-', version = version + 1 WHERE id = $1`, id, at)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE webhook_delivery SET state = 'dropped' WHERE webhook_id = $1 AND state = 'waiting'`, id); err != nil {
			return err
		}
		return s.keep(ctx, tx, at, record("webhook.remove", id, &before, nil))
	})
	if err != nil {
		return fmt.Errorf("remove webhook %d: %w", id, err)
	}
	return nil
}

// List lists the endpoints, each with its newest delivery.
func (s *Service) List(ctx context.Context) ([]Endpoint, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT w.id, w.name, w.url, w.events, w.made_at, w.disabled_at, w.version,
			(SELECT count(*) FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'waiting'),
			d.id, d.event, d.made_at, d.state, d.tries, d.tried_at, coalesce(d.status, 0), coalesce(d.why, '')
		FROM webhook w LEFT JOIN LATERAL (SELECT * FROM webhook_delivery WHERE webhook_id = w.id ORDER BY made_at DESC, id DESC LIMIT 1) d ON true
		WHERE w.removed_at IS NULL ORDER BY w.id`)
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Endpoint, err error) {
		var d Delivery
		var id *uuid.UUID
		var event, state *string
		var made *time.Time
		var tries *int
		err = row.Scan(&e.ID, &e.Name, &e.URL, &e.Events, &e.MadeAt, &e.DisabledAt, &e.Version, &e.Waiting,
			&id, &event, &made, &state, &tries, &d.TriedAt, &d.Status, &d.Why)
		if id != nil {
			d.ID, d.Event, d.MadeAt, d.State, d.Tries = *id, Event(*event), *made, State(*state), *tries
			e.Last = &d
		}
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	return list, nil
}

// Deliveries lists the newest messages to an endpoint.
func (s *Service) Deliveries(ctx context.Context, id int64, most int) ([]Delivery, error) {
	var there bool
	if err := s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM webhook WHERE id = $1 AND removed_at IS NULL)`, id).Scan(&there); err != nil {
		return nil, fmt.Errorf("read webhook %d: %w", id, err)
	}
	if !there {
		return nil, errUnknown(id)
	}
	rows, err := s.Pool.Query(ctx, `
		SELECT id, event, made_at, state, tries, tried_at, coalesce(status, 0), coalesce(why, '')
		FROM webhook_delivery WHERE webhook_id = $1 ORDER BY made_at DESC, id DESC LIMIT $2`, id, most)
	if err != nil {
		return nil, fmt.Errorf("read the deliveries of webhook %d: %w", id, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Delivery])
	if err != nil {
		return nil, fmt.Errorf("read the deliveries of webhook %d: %w", id, err)
	}
	return list, nil
}

// Keep is how long a delivery is kept.
const Keep = 30 * 24 * time.Hour

// Sweep removes deliveries that are older than that.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		var n int64
		err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery WHERE made_at < $1 ORDER BY made_at LIMIT 5000)`,
				s.Now().UTC().Add(-Keep))
			n = tag.RowsAffected()
			return err
		})
		if err != nil {
			return fmt.Errorf("remove old deliveries: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

// Rewrap seals the secrets anew that another key than the current one has sealed.
func (s *Service) Rewrap(ctx context.Context) error {
	rows, err := s.Pool.Query(ctx, `SELECT id, secret FROM webhook WHERE removed_at IS NULL ORDER BY id`)
	if err != nil {
		return fmt.Errorf("read webhooks: %w", err)
	}
	type kept struct {
		ID     int64
		Secret []byte
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[kept])
	if err != nil {
		return fmt.Errorf("read webhooks: %w", err)
	}
	for _, k := range list {
		if by, ok := keyring.SealedBy(k.Secret); ok && by == s.Ring.Current() {
			continue
		}
		plain, err := s.Ring.Open(label(s.City, k.ID), k.Secret)
		if err != nil {
			return fmt.Errorf("open the secret of webhook %d: %w", k.ID, err)
		}
		sealed, err := s.Ring.Seal(label(s.City, k.ID), plain)
		if err != nil {
			return err
		}
		err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE webhook SET secret = $3 WHERE id = $1 AND secret = $2`, k.ID, k.Secret, sealed)
			return err
		})
		if err != nil {
			return fmt.Errorf("seal the secret of webhook %d: %w", k.ID, err)
		}
	}
	return nil
}
