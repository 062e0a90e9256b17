package person

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
)

// work is a transaction and what it leaves on record.
type work struct {
	*Service
	tx      pgx.Tx
	at      time.Time
	records []audit.Record
	erasing bool // the last administrator's post may end too
}

func (w *work) record(act, subject string, before, after any) {
	w.records = append(w.records, audit.Record{Act: act, Subject: subject, Before: before, After: after})
}

// transact runs do in a transaction; what it did goes on record, and all nodes are told that people have changed.
func (s *Service) transact(ctx context.Context, do func(w *work) error) error {
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		w := &work{Service: s, tx: tx, at: s.Now().UTC()}
		if err := do(w); err != nil {
			return err
		}
		return w.finish(ctx)
	})
}

func (w *work) finish(ctx context.Context) error {
	if len(w.records) == 0 {
		return nil
	}
	events := []feed.Event{{Type: feed.CityChanged, Data: feed.Changed{What: "people"}}}
	_, err := w.Feed.Append(ctx, w.tx, w.at, events, w.records...)
	return err
}

// What goes on record: never names, phones or e-mail addresses.
type (
	personRecord struct {
		Machine bool     `json:"machine,omitempty"`
		Changed []string `json:"changed,omitempty"`
	}
	unitRecord struct {
		Kind    policy.UnitKind `json:"kind"`
		Level   policy.Level    `json:"level,omitempty"`
		Code    string          `json:"code,omitempty"`
		Closed  bool            `json:"closed,omitempty"`
		Changed []string        `json:"changed,omitempty"`
	}
	postRecord struct {
		Post             policy.PostID `json:"post"`
		Role             policy.Role   `json:"role"`
		Unit             policy.UnitID `json:"unit,omitempty"`
		Level            policy.Level  `json:"level,omitempty"`
		Code             string        `json:"code,omitempty"`
		Begins           Day           `json:"begins"`
		Ends             Day           `json:"ends,omitempty"`
		CertificateUntil Day           `json:"certificate_until,omitempty"`
		Station          Station       `json:"station,omitempty"`
	}
)

func (p *Post) record() postRecord {
	return postRecord{p.ID, p.Role, p.Unit, p.Area.Level, p.Area.Code, p.Begins, p.Ends, p.CertificateUntil, p.Station}
}

func (u *Unit) record() unitRecord {
	return unitRecord{Kind: u.Kind, Level: u.Area.Level, Code: u.Area.Code, Closed: u.ClosedAt != nil}
}

func subjectOf(person uuid.UUID) string { return "person:" + person.String() }

func subjectOfUnit(id policy.UnitID) string { return fmt.Sprintf("unit:%d", id) }

func stale(what string) *fault.Error {
	return fault.Conflict("stale", "somebody has changed the %s meanwhile: look at it again, then change it", what)
}

// CreateIn adds a person inside of another use case's transaction, which then appends the record to the feed.
func (s *Service) CreateIn(ctx context.Context, tx pgx.Tx, n New) (Person, []audit.Record, error) {
	w := &work{Service: s, tx: tx, at: s.Now().UTC()}
	p, err := w.create(ctx, n)
	return p, w.records, err
}

// CreateUnitIn does what CreateUnit does, inside of another use case's transaction.
func (s *Service) CreateUnitIn(ctx context.Context, tx pgx.Tx, u Unit) (Unit, []audit.Record, error) {
	w := &work{Service: s, tx: tx, at: s.Now().UTC()}
	u, err := w.createUnit(ctx, u)
	return u, w.records, err
}

// CreatePostIn does what CreatePost does, inside of another use case's transaction.
func (s *Service) CreatePostIn(ctx context.Context, tx pgx.Tx, p Post) (Post, []audit.Record, error) {
	w := &work{Service: s, tx: tx, at: s.Now().UTC()}
	p, err := w.createPost(ctx, p)
	return p, w.records, err
}

// Create adds a person.
func (s *Service) Create(ctx context.Context, n New) (p Person, err error) {
	err = s.transact(ctx, func(w *work) error {
		p, err = w.create(ctx, n)
		return err
	})
	return p, err
}

func (w *work) create(ctx context.Context, n New) (Person, error) {
	if f := n.check(); f != nil {
		return Person{}, f
	}
	if n.ID == uuid.Nil {
		var err error
		if n.ID, err = uuid.NewV7(); err != nil {
			return Person{}, err
		}
	}
	_, err := w.tx.Exec(ctx, `
		INSERT INTO person (id, name, phone, email, machine, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, 1)`,
		n.ID, n.Name, null(n.Phone), null(n.Email), n.Machine, w.at)
	if state(err) == "23505" { // unique_violation
		return Person{}, fault.Conflict("person_exists", "there is a person %s already", n.ID)
	} else if err != nil {
		return Person{}, fmt.Errorf("insert person: %w", err)
	}
	w.record("person.create", subjectOf(n.ID), nil, personRecord{Machine: n.Machine})
	return Person{ID: n.ID, Name: n.Name, Phone: n.Phone, Email: n.Email, Machine: n.Machine, CreatedAt: w.at, Version: 1}, nil
}

// Change changes a person whose version is the one given, else it is a conflict.
func (s *Service) Change(ctx context.Context, id uuid.UUID, version int, c Change) (Person, error) {
	err := s.transact(ctx, func(w *work) error {
		p, err := person(ctx, w.tx, id, true)
		if err != nil {
			return err
		}
		if p.Version != version {
			return stale("person")
		}
		_, err = w.change(ctx, p, c)
		return err
	})
	if err != nil {
		return Person{}, err
	}
	return s.Get(ctx, id, nil)
}

// change changes a person that is locked, and names what is another now.
func (w *work) change(ctx context.Context, p Person, c Change) (changed []string, err error) {
	if p.ErasedAt != nil {
		return nil, fault.Conflict("person_erased", "the person was erased: nothing can be changed any more")
	}
	n := New{Name: p.Name, Phone: p.Phone, Email: p.Email}
	set(&n.Name, c.Name)
	set(&n.Phone, c.Phone)
	set(&n.Email, c.Email)
	if f := n.check(); f != nil {
		return nil, f
	}
	for _, f := range []struct{ field, before, after string }{{"name", p.Name, n.Name}, {"phone", p.Phone, n.Phone}, {"email", p.Email, n.Email}} {
		if f.before != f.after {
			changed = append(changed, f.field)
		}
	}
	if len(changed) == 0 {
		return nil, nil
	}
	_, err = w.tx.Exec(ctx, `UPDATE person SET name = $2, phone = $3, email = $4, version = version + 1 WHERE id = $1`,
		p.ID, n.Name, null(n.Phone), null(n.Email))
	if err != nil {
		return nil, fmt.Errorf("change person: %w", err)
	}
	w.record("person.change", subjectOf(p.ID), nil, personRecord{Changed: changed})
	return changed, nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// EraseIn takes every word of a person out of the row, and ends the posts, inside of another use case's transaction. What
// refers to the person keeps the id. Who is the last to administer the city has the right to it too.
func (s *Service) EraseIn(ctx context.Context, tx pgx.Tx, id uuid.UUID) ([]audit.Record, error) {
	w := &work{Service: s, tx: tx, at: s.Now().UTC(), erasing: true}
	p, err := person(ctx, tx, id, true)
	if err != nil || p.ErasedAt != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `UPDATE person SET name = '', phone = NULL, email = NULL, erased_at = $2, version = version + 1 WHERE id = $1`, id, w.at)
	if err != nil {
		return nil, fmt.Errorf("erase person: %w", err)
	}
	w.record("person.erase", subjectOf(id), nil, nil)
	today := dayOf(w.at, s.Zone)
	held, err := postsWhere(ctx, tx, selectPost+` WHERE o.person_id = $1 ORDER BY o.id FOR UPDATE OF o`, id)
	if err != nil {
		return nil, err
	}
	for _, o := range held {
		last, erased := today.plus(-1), "erased"
		if o.Ends != "" && o.Ends <= last {
			last = o.Ends
		}
		c := PostChange{Ends: &last}
		if o.Certificate != "" {
			c.Certificate = &erased
		}
		if _, _, err := w.changePost(ctx, o, c, "post.end"); err != nil {
			return nil, err
		}
	}
	return w.records, nil
}
