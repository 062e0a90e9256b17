package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/singleflight"

	"gridgov/internal/audit"
	"gridgov/internal/auth/idp"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
)

// Service signs people in and tells who asks.
type Service struct {
	cfg      Config
	throttle *Throttle
	hasher   *hasher
	idp      *idp.Client
	cache    cache
	visitor  atomic.Pointer[visitor]
	flights  singleflight.Group
	writing  sync.WaitGroup
}

// New makes a city's service. Close it.
func New(cfg Config) *Service {
	if cfg.Limits == (Limits{}) {
		cfg.Limits = DefaultLimits
	}
	return &Service{cfg: cfg, throttle: NewThrottle(DefaultRates), hasher: newHasher(hashing), idp: idp.New(cfg.Now)}
}

// Close waits for what is being written.
func (s *Service) Close() {
	s.writing.Wait()
	s.idp.Close()
}

// work is a transaction and what it leaves behind.
type work struct {
	*Service
	tx      pgx.Tx
	at      time.Time
	records []audit.Record
	people  bool // what all nodes have in memory of people has changed
	forget  bool // what this node has in memory has changed
}

func (w *work) record(act string, person uuid.UUID, before, after any) {
	w.records = append(w.records, audit.Record{Act: act, Subject: subjectOf(person), Before: before, After: after})
}

func subjectOf(person uuid.UUID) string {
	if person == uuid.Nil {
		return "account:unknown"
	}
	return "account:" + person.String()
}

// transact runs do in a transaction; what it did goes on record.
func (s *Service) transact(ctx context.Context, do func(w *work) error) error {
	var w *work
	err := postgres.Transact(ctx, s.cfg.Pool, func(tx pgx.Tx) error {
		w = &work{Service: s, tx: tx, at: s.cfg.Now().UTC()}
		if err := do(w); err != nil {
			return err
		}
		var events []feed.Event
		if w.people {
			events = append(events, feed.Event{Type: feed.CityChanged, Data: feed.Changed{What: "people"}})
		}
		if len(events) == 0 && len(w.records) == 0 {
			return nil
		}
		_, err := s.cfg.Feed.Append(ctx, tx, w.at, events, w.records...)
		return err
	})
	if err == nil && (w.people || w.forget) {
		s.Forget()
	}
	return err
}

func state(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// exec runs a statement of the transaction.
func (w *work) exec(ctx context.Context, what, sql string, args ...any) (rows int64, err error) {
	tag, err := w.tx.Exec(ctx, sql, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return tag.RowsAffected(), nil
}
