package message

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres"
)

// Settings say how a city sends; nil: not at all.
type Settings struct {
	SMTP *SMTP
	SMS  *Gateway
}

// Check refuses settings that cannot work.
func (s *Settings) Check() *fault.Error {
	if s.SMTP != nil {
		if err := s.SMTP.Check(); err != nil {
			return err
		}
	}
	if s.SMS != nil {
		return s.SMS.Check()
	}
	return nil
}

// Senders are the channels that are set up.
func (s *Settings) Senders() map[Channel]Sender {
	m := map[Channel]Sender{}
	if s.SMTP != nil {
		m[Email] = s.SMTP
	}
	if s.SMS != nil {
		m[SMS] = s.SMS
	}
	return m
}

// Store keeps a city's settings in table setting, under smtp and sms, each sealed as a whole: gateways want secrets in
// headers, in bodies and in addresses.
type Store struct {
	Pool *pgxpool.Pool
	Ring *keyring.Ring // nil: nothing can be set, nor read
	City string
	Feed *feed.Writer
	Now  func() time.Time
}

const (
	keySMTP = "smtp"
	keySMS  = "sms"
)

// sealedSetting is a value of table setting; null: none.
type sealedSetting struct {
	Sealed []byte `json:"sealed"`
}

func (s *Store) label(key string) string { return "setting " + key + " " + s.City }

// Read reads the settings. Fault: key_missing.
func (s *Store) Read(ctx context.Context) (set Settings, err error) {
	rows, err := s.Pool.Query(ctx, `SELECT key, value FROM setting WHERE key IN ($1, $2) AND value <> 'null' ORDER BY key`, keySMTP, keySMS)
	if err != nil {
		return set, fmt.Errorf("read how messages are sent: %w", err)
	}
	var key string
	var value sealedSetting
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		plain, err := s.Ring.Open(s.label(key), value.Sealed)
		if errors.Is(err, keyring.ErrNoKey) {
			return fault.Unavailable("key_missing", "how messages are sent is sealed, and the key is not in the key file: put the file in its place")
		} else if err != nil {
			return err
		}
		if key == keySMTP {
			return json.Unmarshal(plain, &set.SMTP)
		}
		return json.Unmarshal(plain, &set.SMS)
	})
	if err != nil {
		return Settings{}, fmt.Errorf("read how messages are sent: %w", err)
	}
	return set, nil
}

// Write keeps settings that were checked. It goes on record that they changed, not what they are.
func (s *Store) Write(ctx context.Context, set Settings) error {
	if err := set.Check(); err != nil {
		return err
	}
	values := map[string]*sealedSetting{}
	for key, v := range map[string]any{keySMTP: set.SMTP, keySMS: set.SMS} {
		plain, err := json.Marshal(v)
		if err != nil {
			return err
		}
		values[key] = nil
		if string(plain) == "null" {
			continue
		}
		sealed, err := s.Ring.Seal(s.label(key), plain)
		if err != nil {
			return fault.Unavailable("key_missing", "how messages are sent is kept sealed, and the service has no key: make the key file first")
		}
		values[key] = &sealedSetting{sealed}
	}
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		var records []audit.Record
		for _, key := range []string{keySMS, keySMTP} {
			var before bool
			err := tx.QueryRow(ctx, `SELECT value <> 'null' FROM setting WHERE key = $1 FOR UPDATE`, key).Scan(&before)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return fmt.Errorf("read setting: %w", err)
			}
			if !before && values[key] == nil {
				continue
			}
			value, err := json.Marshal(values[key])
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO setting (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
			if err != nil {
				return fmt.Errorf("write setting: %w", err)
			}
			records = append(records, audit.Record{Act: "setting.change", Subject: "setting:" + key,
				Before: map[string]bool{"set": before}, After: map[string]bool{"set": values[key] != nil}})
		}
		_, err := s.Feed.Append(ctx, tx, s.Now().UTC(), nil, records...)
		return err
	})
}

// Rewrap seals the settings anew where another key than the current one has sealed them.
func (s *Store) Rewrap(ctx context.Context) error {
	rows, err := s.Pool.Query(ctx, `SELECT value FROM setting WHERE key IN ($1, $2) AND value <> 'null' ORDER BY key`, keySMTP, keySMS)
	if err != nil {
		return fmt.Errorf("read how messages are sent: %w", err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[sealedSetting])
	if err != nil {
		return fmt.Errorf("read how messages are sent: %w", err)
	}
	for _, v := range values {
		if by, ok := keyring.SealedBy(v.Sealed); ok && by == s.Ring.Current() {
			continue
		}
		set, err := s.Read(ctx)
		if err != nil {
			return err
		}
		return s.Write(ctx, set)
	}
	return nil
}
