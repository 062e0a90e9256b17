// Package regime keeps what decides about cases: the one-stop list, the rules of assignment and the working calendar. Each is
// a document in versions, as a boundary plan is: a draft is edited and published from a moment on; what is published never
// changes. A case keeps the list it was opened under; the calendar counts for all open cases as it is now.
package regime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/assign"
	"gridgov/internal/audit"
	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
	"gridgov/internal/strictjson"
	"gridgov/internal/worktime"
)

// Kind is what a document decides.
type Kind string

// The kinds.
const (
	Catalogue Kind = "catalogue"
	Rules     Kind = "rules"
	Calendar  Kind = "calendar"
)

// Kinds are all of them.
var Kinds = []Kind{Catalogue, Rules, Calendar}

// ID is a document's number.
type ID int64

func (id ID) subject() string { return fmt.Sprintf("regime:%d", id) }

// Document is a version of a kind.
type Document struct {
	ID          ID
	Kind        Kind
	Draft       bool
	Content     json.RawMessage // nil in lists
	Edits       int             // how often the draft was saved
	ChangedAt   time.Time
	ChangedBy   uuid.UUID // nil: the service itself
	PublishedAt time.Time
	InForceFrom time.Time
}

// Regime is what is in force at a moment. It is immutable.
type Regime struct {
	Catalogue   *catalogue.Catalogue
	CatalogueID ID
	Rules       *assign.Rules
	RulesID     ID
	Calendar    *worktime.Calendar
	CalendarID  ID
	Until       time.Time // when another document is in force; zero: none is published for later
}

// Service keeps a city's documents.
type Service struct {
	Pool *pgxpool.Pool
	Feed *feed.Writer
	Now  func() time.Time
}

func (s *Service) at() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// parse reads a document of a kind, and so tells whether it is one that can be kept.
func parse(kind Kind, content []byte) (any, error) {
	if f := strictjson.CheckText(content); f != nil {
		return nil, f
	}
	switch kind {
	case Catalogue:
		return catalogue.Parse(content)
	case Rules:
		return assign.Parse(content)
	case Calendar:
		return worktime.Parse(content)
	}
	return nil, fault.NotFound("there is no kind %.40q of documents; there are %v", string(kind), Kinds)
}

const columns = `id, kind, state = 'draft', edits, changed_at, coalesce(changed_by, '00000000-0000-0000-0000-000000000000'), published_at, in_force_from`

func scan(row pgx.CollectableRow, more ...any) (d Document, err error) {
	var published, from *time.Time
	err = row.Scan(append([]any{&d.ID, &d.Kind, &d.Draft, &d.Edits, &d.ChangedAt, &d.ChangedBy, &published, &from}, more...)...)
	d.ChangedAt = d.ChangedAt.UTC()
	if published != nil {
		d.PublishedAt, d.InForceFrom = published.UTC(), from.UTC()
	}
	return d, err
}

// List tells of all documents of a kind without their contents: the draft, then the published ones, the latest first.
func (s *Service) List(ctx context.Context, kind Kind) ([]Document, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+columns+` FROM regime WHERE kind = $1 ORDER BY state, in_force_from DESC`, kind)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", kind, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Document, error) { return scan(row) })
}

// Get returns a document with its contents.
func (s *Service) Get(ctx context.Context, kind Kind, id ID) (Document, error) {
	return s.one(ctx, s.Pool, `id = $1 AND kind = $2`, id, kind)
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (s *Service) one(ctx context.Context, q querier, where string, args ...any) (Document, error) {
	rows, err := q.Query(ctx, `SELECT `+columns+`, content FROM regime WHERE `+where, args...)
	if err != nil {
		return Document{}, fmt.Errorf("read a document: %w", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Document, error) {
		var content json.RawMessage
		d, err := scan(row, &content)
		d.Content = content
		return d, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return d, fault.NotFound("there is no such document")
	}
	return d, err
}

// InForce is the regime at a moment. It is an error where a kind has none: a city is opened with all of them ([Service.Ensure]).
func (s *Service) InForce(ctx context.Context, at time.Time) (*Regime, error) {
	r := new(Regime)
	for _, kind := range Kinds {
		d, err := s.Current(ctx, kind, at)
		if err != nil {
			return nil, fmt.Errorf("%s in force: %w", kind, err)
		}
		if err := r.set(d); err != nil {
			return nil, err
		}
	}
	var until *time.Time
	if err := s.Pool.QueryRow(ctx, `SELECT min(in_force_from) FROM regime WHERE state = 'published' AND in_force_from > $1`, at).Scan(&until); err != nil {
		return nil, fmt.Errorf("the next documents: %w", err)
	}
	if until != nil {
		r.Until = until.UTC()
	}
	return r, nil
}

func (r *Regime) set(d Document) error {
	v, err := parse(d.Kind, d.Content)
	if err != nil {
		return fmt.Errorf("%s %d: %w", d.Kind, d.ID, err)
	}
	switch v := v.(type) {
	case *catalogue.Catalogue:
		r.Catalogue, r.CatalogueID = v, d.ID
	case *assign.Rules:
		r.Rules, r.RulesID = v, d.ID
	case *worktime.Calendar:
		r.Calendar, r.CalendarID = v, d.ID
	}
	return nil
}

// Current is the document of a kind that is in force at a moment; a fault not_found where there is none.
func (s *Service) Current(ctx context.Context, kind Kind, at time.Time) (Document, error) {
	return s.one(ctx, s.Pool, `kind = $1 AND state = 'published' AND in_force_from <= $2 ORDER BY in_force_from DESC LIMIT 1`, kind, at)
}

// Draft is the draft of a kind; a fault not_found where there is none.
func (s *Service) Draft(ctx context.Context, kind Kind) (Document, error) {
	return s.one(ctx, s.Pool, `kind = $1 AND state = 'draft'`, kind)
}

// Ensure publishes a document of a kind from the beginning of time where there is none, and tells whether it did.
func (s *Service) Ensure(ctx context.Context, kind Kind, content any) (made bool, err error) {
	b, err := json.Marshal(content)
	if err != nil {
		return false, err
	}
	if _, err := parse(kind, b); err != nil {
		return false, err
	}
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		made = false
		at := s.at()
		var id ID
		err := tx.QueryRow(ctx, `
			INSERT INTO regime (kind, state, content, edits, changed_at, published_at, in_force_from)
			SELECT $1, 'published', $2, 0, $3, $3, $4 WHERE NOT EXISTS (SELECT FROM regime WHERE kind = $1 AND state = 'published')
			ON CONFLICT DO NOTHING RETURNING id`, kind, b, at, time.Unix(0, 0).UTC()).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("make the first %s: %w", kind, err)
		}
		made = true
		_, err = s.Feed.Append(ctx, tx, at, published(), audit.Record{Act: "regime.publish", Subject: id.subject(), After: documentRecord{Kind: kind}})
		return err
	})
	return made, err
}

// What goes on record of a document. What it says is kept in the document itself.
type documentRecord struct {
	Kind        Kind       `json:"kind"`
	Edits       int        `json:"edits,omitempty"`
	InForceFrom *time.Time `json:"in_force_from,omitempty"`
	OpenCases   bool       `json:"open_cases,omitempty"` // who published it asked for open cases to be taken over to it
}

// published tells all nodes that another document is in force, now or later.
func published() []feed.Event {
	return []feed.Event{{Type: feed.CityChanged, Data: feed.Changed{What: "regime"}}}
}

// Seen is the draft that somebody looked at; the zero value: none was there.
type Seen struct {
	ID    ID
	Edits int
}

// Save keeps a draft in the place of the one that was seen, or a new one. Where somebody has saved, published or thrown it
// away meanwhile, it is a conflict draft_changed.
func (s *Service) Save(ctx context.Context, kind Kind, content []byte, seen Seen, by uuid.UUID) (Document, error) {
	if _, err := parse(kind, content); err != nil {
		return Document{}, err
	}
	var d Document
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		at := s.at()
		id := seen.ID
		var err error
		if seen == (Seen{}) {
			err = tx.QueryRow(ctx, `
				INSERT INTO regime (kind, state, content, edits, changed_at, changed_by) VALUES ($1, 'draft', $2, 1, $3, $4)
				ON CONFLICT DO NOTHING RETURNING id`, kind, content, at, by).Scan(&id)
		} else {
			err = tx.QueryRow(ctx, `
				UPDATE regime SET content = $4, edits = $5, changed_at = $6, changed_by = $7
				WHERE id = $1 AND kind = $2 AND state = 'draft' AND edits = $3 RETURNING id`,
				seen.ID, kind, seen.Edits, content, seen.Edits+1, at, by).Scan(&id)
		}
		if errors.Is(err, pgx.ErrNoRows) {
			return errDraftChanged()
		}
		if err != nil {
			return fmt.Errorf("save a draft: %w", err)
		}
		if d, err = s.one(ctx, tx, `id = $1`, id); err != nil {
			return err
		}
		_, err = s.Feed.Append(ctx, tx, at, nil, audit.Record{Act: "regime.save", Subject: id.subject(), After: documentRecord{Kind: kind, Edits: d.Edits}})
		return err
	})
	return d, err
}

func errDraftChanged() error {
	return fault.Conflict("draft_changed", "somebody has saved, published or thrown away this draft meanwhile: read it again")
}

// Discard throws the draft away.
func (s *Service) Discard(ctx context.Context, kind Kind, seen Seen) error {
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		var id ID
		err := tx.QueryRow(ctx, `DELETE FROM regime WHERE kind = $1 AND state = 'draft' AND id = $2 AND edits = $3 RETURNING id`, kind, seen.ID, seen.Edits).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return errDraftChanged()
		}
		if err != nil {
			return fmt.Errorf("throw a draft away: %w", err)
		}
		_, err = s.Feed.Append(ctx, tx, s.at(), nil, audit.Record{Act: "regime.discard", Subject: id.subject(), Before: documentRecord{Kind: kind, Edits: seen.Edits}})
		return err
	})
}

// Along is what is done in the transaction in which a document is published.
type Along func(ctx context.Context, tx pgx.Tx, d *Document) error

// Publish puts the draft in force from a moment that is not past; the zero time is now. along takes open cases over to it,
// where that is asked for.
func (s *Service) Publish(ctx context.Context, kind Kind, seen Seen, from time.Time, along ...Along) (Document, error) {
	var d Document
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		at := s.at()
		begin := from.UTC().Truncate(time.Microsecond)
		if from.IsZero() {
			begin = at
		}
		if begin.Before(at) {
			return fault.Invalid("in_force_from", "in_the_past", "%s is past: what was decided stays decided; choose now or later", begin.Format(time.RFC3339))
		}
		var id ID
		err := tx.QueryRow(ctx, `
			UPDATE regime SET state = 'published', published_at = $4, in_force_from = $5
			WHERE kind = $1 AND state = 'draft' AND id = $2 AND edits = $3 RETURNING id`, kind, seen.ID, seen.Edits, at, begin).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return errDraftChanged()
		}
		if pg := new(pgconn.PgError); errors.As(err, &pg) && pg.Code == "23505" {
			return fault.Conflict("same_moment", "another version is in force from exactly %s: choose another moment", begin.Format(time.RFC3339))
		}
		if err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		if d, err = s.one(ctx, tx, `id = $1`, id); err != nil {
			return err
		}
		for _, do := range along {
			if err := do(ctx, tx, &d); err != nil {
				return err
			}
		}
		_, err = s.Feed.Append(ctx, tx, at, published(), audit.Record{Act: "regime.publish", Subject: id.subject(),
			After: documentRecord{Kind: kind, Edits: d.Edits, InForceFrom: &d.InForceFrom, OpenCases: len(along) > 0}})
		return err
	})
	return d, err
}
