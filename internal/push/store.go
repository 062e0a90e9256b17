package push

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres"
)

// querier is a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (s *Service) label(id uuid.UUID) string { return "push " + s.City + " " + id.String() }

// maxAgent is how many characters of a User-Agent are kept.
const maxAgent = 300

func clean(agent string) string {
	r := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(agent, "")))
	return string(r[:min(len(r), maxAgent)])
}

// Add keeps a device, or what is new of one that is there; a page names its own at each start. A device that was another person's is this
// one's from then on, by another id, so that what was on its way to the other is not shown to this one. Who has the most gives up the one
// that was named the longest ago. Faults: those of Ready, no_session, and by field.
func (s *Service) Add(ctx context.Context, n New) (d Device, err error) {
	if f := s.Ready(); f != nil {
		return d, f
	}
	u, plain, f := s.check(&n)
	if f != nil {
		return d, f
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return d, err
	}
	hash := sha256.Sum256([]byte(n.Endpoint))
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		at := s.Now().UTC()
		d = Device{Person: n.Person, Session: n.Session, Host: strings.ToLower(u.Host), Agent: clean(n.Agent), Language: n.Language, MadeAt: at, SaidAt: at}
		if err := holdSession(ctx, tx, n.Person, n.Session); err != nil {
			return err
		}
		var owner uuid.UUID
		err := tx.QueryRow(ctx, `SELECT id, person_id, made_at FROM push_subscription WHERE endpoint = $1 FOR UPDATE`, hash[:]).Scan(&d.ID, &owner, &d.MadeAt)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if owner == n.Person {
			return s.renew(ctx, tx, &d, text)
		}
		if d.ID, err = uuid.NewV7(); err != nil {
			return err
		}
		d.MadeAt = at
		if d.sealed, err = s.seal(d.ID, text); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO push_subscription (id, person_id, session_id, endpoint, sealed, host, agent, language, made_at, said_at, failures)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0)
			ON CONFLICT (endpoint) DO UPDATE SET id = excluded.id, person_id = excluded.person_id, session_id = excluded.session_id, sealed = excluded.sealed,
				host = excluded.host, agent = excluded.agent, language = excluded.language, made_at = excluded.made_at, said_at = excluded.said_at,
				sent_at = excluded.sent_at, failing_since = excluded.failing_since, failures = excluded.failures, why = excluded.why`,
			d.ID, d.Person, d.Session, hash[:], d.sealed, d.Host, d.Agent, d.Language, at)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			DELETE FROM push_subscription WHERE person_id = $1 AND id NOT IN
				(SELECT o.id FROM push_subscription o WHERE o.person_id = $1 ORDER BY o.said_at DESC, o.id DESC LIMIT $2)`, n.Person, Most)
		if err != nil {
			return err
		}
		_, err = s.Feed.Append(ctx, tx, at, nil, record("push.add", n.Person, d.Host))
		return err
	})
	if err != nil {
		return Device{}, fmt.Errorf("keep a device: %w", err)
	}
	return d, nil
}

// holdSession holds account and session until the transaction ends: a device comes before what ends them, or not at all. It also has those
// wait that one person adds at once.
func holdSession(ctx context.Context, tx pgx.Tx, person, session uuid.UUID) error {
	var lasts bool
	err := tx.QueryRow(ctx, `SELECT disabled_at IS NULL FROM account WHERE person_id = $1 FOR UPDATE`, person).Scan(&lasts)
	if err == nil && lasts {
		err = tx.QueryRow(ctx, `SELECT true FROM session WHERE id = $1 AND person_id = $2 FOR SHARE`, session, person).Scan(&lasts)
	}
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !lasts {
		return fault.Unauthenticated("no_session", "sign in: the session has ended meanwhile")
	}
	return err
}

// renew keeps what is new of one's own device.
func (s *Service) renew(ctx context.Context, tx pgx.Tx, d *Device, text []byte) (err error) {
	if d.sealed, err = s.seal(d.ID, text); err != nil {
		return err
	}
	var why *string
	err = tx.QueryRow(ctx, `
		UPDATE push_subscription SET session_id = $2, sealed = $3, agent = $4, language = $5, said_at = $6 WHERE id = $1
		RETURNING sent_at, failing_since, why`, d.ID, d.Session, d.sealed, d.Agent, d.Language, d.SaidAt).Scan(&d.SentAt, &d.FailingSince, &why)
	if why != nil {
		d.Why = *why
	}
	return err
}

func (s *Service) seal(id uuid.UUID, text []byte) ([]byte, error) {
	sealed, err := s.Ring.Seal(s.label(id), text)
	if errors.Is(err, keyring.ErrNoKey) {
		return nil, errNoKey
	}
	return sealed, err
}

func record(act string, person uuid.UUID, host string) audit.Record {
	return audit.Record{Act: act, Subject: "person:" + person.String(), After: map[string]string{"host": host}}
}

const selectDevice = `SELECT id, person_id, session_id, host, agent, language, made_at, said_at, sent_at, failing_since, coalesce(why, ''), sealed FROM push_subscription`

func scanDevice(row pgx.CollectableRow) (d Device, err error) {
	err = row.Scan(&d.ID, &d.Person, &d.Session, &d.Host, &d.Agent, &d.Language, &d.MadeAt, &d.SaidAt, &d.SentAt, &d.FailingSince, &d.Why, &d.sealed)
	return d, err
}

func (s *Service) devices(ctx context.Context, q querier, where string, args ...any) ([]Device, error) {
	rows, err := q.Query(ctx, selectDevice+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanDevice)
	if err != nil {
		return nil, fmt.Errorf("read devices: %w", err)
	}
	return list, nil
}

// List lists a person's devices, the one that was named last first.
func (s *Service) List(ctx context.Context, person uuid.UUID) ([]Device, error) {
	return s.devices(ctx, s.Pool, ` WHERE person_id = $1 ORDER BY said_at DESC, id DESC`, person)
}

// Device reads one of a person's devices. Fault: not_found.
func (s *Service) Device(ctx context.Context, person, id uuid.UUID) (Device, error) {
	list, err := s.devices(ctx, s.Pool, ` WHERE person_id = $1 AND id = $2`, person, id)
	if err == nil && len(list) == 0 {
		err = fault.NotFound("you have no such device")
	}
	if err != nil {
		return Device{}, err
	}
	return list[0], nil
}

// DevicesOf are the devices of those people whose accounts are in use, in the order of their ids.
func (s *Service) DevicesOf(ctx context.Context, tx pgx.Tx, people []uuid.UUID) (map[uuid.UUID][]uuid.UUID, error) {
	rows, err := tx.Query(ctx, `
		SELECT d.person_id, d.id FROM push_subscription d JOIN account a ON a.person_id = d.person_id AND a.disabled_at IS NULL
		WHERE d.person_id = ANY ($1) ORDER BY d.id`, people)
	if err != nil {
		return nil, fmt.Errorf("read whose devices are told: %w", err)
	}
	out := map[uuid.UUID][]uuid.UUID{}
	var person, id uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&person, &id}, func() error {
		out[person] = append(out[person], id)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read whose devices are told: %w", err)
	}
	return out, nil
}

// Remove removes one of a person's devices.
func (s *Service) Remove(ctx context.Context, person, id uuid.UUID) error {
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		var host string
		err := tx.QueryRow(ctx, `DELETE FROM push_subscription WHERE person_id = $1 AND id = $2 RETURNING host`, person, id).Scan(&host)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.NotFound("you have no such device")
		} else if err != nil {
			return err
		}
		_, err = s.Feed.Append(ctx, tx, s.Now().UTC(), nil, record("push.remove", person, host))
		return err
	})
	if err != nil {
		return fmt.Errorf("remove a device: %w", err)
	}
	return nil
}

// EndSessions removes what was named in sessions that were ended; with a next one it goes on in that.
func EndSessions(ctx context.Context, tx pgx.Tx, sessions []uuid.UUID, next uuid.UUID) error {
	sql, args := `DELETE FROM push_subscription WHERE session_id = ANY ($1)`, []any{sessions}
	if next != uuid.Nil {
		sql, args = `UPDATE push_subscription SET session_id = $2 WHERE session_id = ANY ($1)`, append(args, next)
	}
	if _, err := tx.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("remove the devices of sessions that ended: %w", err)
	}
	return nil
}

// Forget removes all devices of a person but those of the session to keep; nil: none.
func Forget(ctx context.Context, tx pgx.Tx, person, keep uuid.UUID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM push_subscription WHERE person_id = $1 AND session_id <> $2`, person, keep); err != nil {
		return fmt.Errorf("remove somebody's devices: %w", err)
	}
	return nil
}

// keyPair is the city's, by which push services know it.
type keyPair struct{ public, private []byte }

func (s *Service) keyLabel() string { return "push key " + s.City }

// Key is the city's public key, uncompressed. It is made where there is none yet: by whoever of several is first.
func (s *Service) Key(ctx context.Context) ([]byte, error) {
	if f := s.Ready(); f != nil {
		return nil, f
	}
	k, err := s.pair(ctx)
	if err != nil {
		return nil, err
	}
	return k.public, nil
}

func (s *Service) pair(ctx context.Context) (*keyPair, error) {
	s.mu.Lock()
	known := s.key
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	k := &keyPair{}
	var sealed []byte
	read := func(q querier) error {
		return q.QueryRow(ctx, `SELECT public, secret FROM push_key`).Scan(&k.public, &sealed)
	}
	err := read(s.Pool)
	if errors.Is(err, pgx.ErrNoRows) {
		err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
			fresh, secret, err := s.newPair()
			if err != nil {
				return err
			}
			at := s.Now().UTC()
			tag, err := tx.Exec(ctx, `INSERT INTO push_key (n, public, secret, made_at) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING`, fresh.public, secret, at)
			if err != nil {
				return err
			}
			if tag.RowsAffected() > 0 {
				if _, err := s.Feed.Append(ctx, tx, at, nil, audit.Record{Act: "push.key", Subject: "city:" + s.City}); err != nil {
					return err
				}
			}
			return read(tx)
		})
	}
	if err == nil {
		k.private, err = s.Ring.Open(s.keyLabel(), sealed)
	}
	if errors.Is(err, keyring.ErrNoKey) {
		return nil, errNoKey
	} else if err != nil {
		return nil, fmt.Errorf("the key by which push services know the city: %w", err)
	}
	s.mu.Lock()
	s.key = k
	s.mu.Unlock()
	return k, nil
}

// Rewrap seals anew what another key than the current one has sealed. The pair itself stays.
func (s *Service) Rewrap(ctx context.Context) error {
	var public, secret []byte
	err := s.Pool.QueryRow(ctx, `SELECT public, secret FROM push_key`).Scan(&public, &secret)
	if err == nil {
		err = s.rewrap(ctx, s.keyLabel(), secret, `UPDATE push_key SET secret = $3 WHERE public = $1 AND secret = $2`, public)
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("seal the key by which push services know the city: %w", err)
	}
	list, err := s.devices(ctx, s.Pool, ` ORDER BY id`)
	if err != nil {
		return err
	}
	for i := range list {
		d := &list[i]
		if err := s.rewrap(ctx, s.label(d.ID), d.sealed, `UPDATE push_subscription SET sealed = $3 WHERE id = $1 AND sealed = $2`, d.ID); err != nil {
			return fmt.Errorf("seal device %s: %w", d.ID, err)
		}
	}
	return nil
}

func (s *Service) rewrap(ctx context.Context, label string, sealed []byte, sql string, of any) error {
	if by, ok := keyring.SealedBy(sealed); ok && by == s.Ring.Current() {
		return nil
	}
	plain, err := s.Ring.Open(label, sealed)
	if err != nil {
		return err
	}
	again, err := s.Ring.Seal(label, plain)
	if err != nil {
		return err
	}
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sql, of, sealed, again)
		return err
	})
}

// settle writes down whether the push service took a message. What failed for long is removed: the device is told again
// when its browser names it once more.
func (s *Service) settle(ctx context.Context, d *Device, failed *Failure) error {
	// What was sent is written down though the service is being stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	at := s.Now().UTC()
	removed := int64(0)
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		removed = 0
		if failed == nil {
			_, err := tx.Exec(ctx, `UPDATE push_subscription SET sent_at = $2, failing_since = NULL, failures = 0, why = NULL WHERE id = $1`, d.ID, at)
			return err
		}
		if !failed.Gone {
			_, err := tx.Exec(ctx, `UPDATE push_subscription SET failing_since = coalesce(failing_since, $2), failures = failures + 1, why = $3 WHERE id = $1`, d.ID, at, failed.Why)
			if err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, `DELETE FROM push_subscription WHERE id = $1 AND ($2 OR failing_since <= $3)`, d.ID, failed.Gone, at.Add(-failsFor))
		removed = tag.RowsAffected()
		return err
	})
	if err != nil {
		return fmt.Errorf("write down what became of a message to a device: %w", err)
	}
	if removed > 0 {
		s.Log.Info("device removed", "device", d.ID, "host", d.Host, "why", failed.Why)
	}
	return nil
}

const writeTime = 5 * time.Second
