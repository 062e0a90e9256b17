package person

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
	}
)

func (p *Post) record() postRecord {
	return postRecord{p.ID, p.Role, p.Unit, p.Area.Level, p.Area.Code, p.Begins, p.Ends, p.CertificateUntil}
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
// refers to the person keeps the id.
func (s *Service) EraseIn(ctx context.Context, tx pgx.Tx, id uuid.UUID) ([]audit.Record, error) {
	w := &work{Service: s, tx: tx, at: s.Now().UTC()}
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

// checkArea refuses a jurisdiction that the plan in force does not have.
func (s *Service) checkArea(a policy.Area) *fault.Error {
	if plan := s.plan(); plan != nil && !plan.Has(a) {
		return fault.Invalid("code", "unknown_jurisdiction", "the plan in force has no %s: look the code up on the map or in `export`", words(a))
	}
	return nil
}

// CreateUnit adds a unit.
func (s *Service) CreateUnit(ctx context.Context, u Unit) (out Unit, err error) {
	err = s.transact(ctx, func(w *work) error {
		out, err = w.createUnit(ctx, u)
		return err
	})
	return out, err
}

func (w *work) createUnit(ctx context.Context, u Unit) (Unit, error) {
	if f := u.check(); f != nil {
		return Unit{}, f
	}
	if u.Area.Level != "" {
		if f := w.checkArea(u.Area); f != nil {
			return Unit{}, f
		}
	}
	u.Version, u.ClosedAt = 1, nil
	err := w.tx.QueryRow(ctx, `
		INSERT INTO unit (kind, name, name_en, level, code, version) VALUES ($1, $2, $3, $4, $5, 1) RETURNING id`,
		u.Kind, u.Name, null(u.NameEN), null(u.Area.Level), null(u.Area.Code)).Scan(&u.ID)
	if err != nil {
		return Unit{}, unitFault(err, u)
	}
	w.record("unit.create", subjectOfUnit(u.ID), nil, u.record())
	return u, nil
}

func unitFault(err error, u Unit) error {
	if state(err) == "23505" {
		f := fault.Conflict("unit_exists", "there is a %s of this name already: choose another", u.Kind)
		f.Field = "name"
		return f
	}
	return fmt.Errorf("write unit: %w", err)
}

// ChangeUnit changes a unit whose version is the one given, else it is a conflict.
func (s *Service) ChangeUnit(ctx context.Context, id policy.UnitID, version int, c UnitChange) (out Unit, err error) {
	err = s.transact(ctx, func(w *work) error {
		u, err := w.lockUnit(ctx, id, version)
		if err != nil {
			return err
		}
		out = u
		set(&out.Name, c.Name)
		set(&out.NameEN, c.NameEN)
		set(&out.Area, c.Area)
		if f := out.check(); f != nil {
			return f
		}
		if out.Area != u.Area && out.Area.Level != "" {
			if f := s.checkArea(out.Area); f != nil {
				return f
			}
		}
		var changed []string
		if out.Name != u.Name || out.NameEN != u.NameEN {
			changed = append(changed, "name")
		}
		if out.Area != u.Area {
			changed = append(changed, "area")
		}
		if len(changed) == 0 {
			return nil
		}
		_, err = w.tx.Exec(ctx, `UPDATE unit SET name = $2, name_en = $3, level = $4, code = $5, version = version + 1 WHERE id = $1`,
			id, out.Name, null(out.NameEN), null(out.Area.Level), null(out.Area.Code))
		if err != nil {
			return unitFault(err, out)
		}
		out.Version++
		after := out.record()
		after.Changed = changed
		w.record("unit.change", subjectOfUnit(id), u.record(), after)
		return nil
	})
	return out, err
}

func (w *work) lockUnit(ctx context.Context, id policy.UnitID, version int) (Unit, error) {
	u, err := unit(ctx, w.tx, id, ` FOR UPDATE`)
	switch {
	case err != nil:
		return u, err
	case u.Version != version:
		return u, stale("unit")
	case u.ClosedAt != nil:
		return u, fault.Conflict("unit_closed", "the unit is closed")
	}
	return u, nil
}

// CloseUnit closes a unit in which nobody holds a post any more.
func (s *Service) CloseUnit(ctx context.Context, id policy.UnitID, version int) (out Unit, err error) {
	err = s.transact(ctx, func(w *work) error {
		u, err := w.lockUnit(ctx, id, version)
		if err != nil {
			return err
		}
		var left int
		// Who gives a post in the unit holds its row: after this nobody comes.
		err = w.tx.QueryRow(ctx, `SELECT count(*) FROM post WHERE unit_id = $1 AND (ends IS NULL OR ends >= greatest(begins, $2::date))`,
			id, string(dayOf(w.at, s.Zone))).Scan(&left)
		if err != nil {
			return fmt.Errorf("count the unit's posts: %w", err)
		}
		if left > 0 {
			return fault.Conflict("unit_has_posts", "%d posts in the unit have not ended: end them first", left)
		}
		if _, err := w.tx.Exec(ctx, `UPDATE unit SET closed_at = $2, version = version + 1 WHERE id = $1`, id, w.at); err != nil {
			return fmt.Errorf("close unit: %w", err)
		}
		before := u.record()
		u.ClosedAt, u.Version = &w.at, u.Version+1
		out = u
		w.record("unit.close", subjectOfUnit(id), before, u.record())
		return nil
	})
	return out, err
}

// CreatePost gives a person a post. The same post twice at a time is a conflict.
func (s *Service) CreatePost(ctx context.Context, p Post) (out Post, err error) {
	err = s.transact(ctx, func(w *work) error {
		out, err = w.createPost(ctx, p)
		return err
	})
	return out, err
}

func (w *work) createPost(ctx context.Context, p Post) (Post, error) {
	holder, err := person(ctx, w.tx, p.Person, true)
	if err != nil {
		return Post{}, err
	}
	if holder.ErasedAt != nil {
		return Post{}, fault.Conflict("person_erased", "the person was erased and holds no posts")
	}
	var in *Unit
	if p.Unit != 0 {
		u, err := unit(ctx, w.tx, p.Unit, ` FOR SHARE`)
		if fault.Is(err, fault.KindNotFound) {
			return Post{}, fault.Invalid("unit", "unknown_unit", "there is no unit %d: see the list of units", p.Unit)
		} else if err != nil {
			return Post{}, err
		}
		in = &u
	}
	if f := checkPlace(p.Role, holder.Machine, in, p.Area); f != nil {
		return Post{}, f
	}
	if f := p.checkTerm(); f != nil {
		return Post{}, f
	}
	if in == nil {
		if f := checkText("code", p.Area.Code, 64, true); f != nil {
			return Post{}, f
		}
		if f := w.checkArea(p.Area); f != nil {
			return Post{}, f
		}
	}
	var unitID *policy.UnitID
	if in != nil {
		unitID = &in.ID
	}
	var id policy.PostID
	err = w.tx.QueryRow(ctx, `
		INSERT INTO post (person_id, role, unit_id, level, code, begins, ends, certificate, certificate_until, version)
		VALUES ($1, $2, $3, $4, $5, $6::text::date, $7::text::date, $8, $9::text::date, 1) RETURNING id`,
		p.Person, p.Role, unitID, null(p.Area.Level), null(p.Area.Code), string(p.Begins), null(p.Ends), null(p.Certificate), null(p.CertificateUntil)).Scan(&id)
	if err != nil {
		return Post{}, postFault(err, &p)
	}
	out, err := post(ctx, w.tx, id, false)
	if err != nil {
		return Post{}, err
	}
	w.record("post.create", subjectOf(p.Person), nil, out.record())
	return out, nil
}

func postFault(err error, p *Post) error {
	if state(err) == "23P01" { // exclusion_violation
		f := fault.Conflict("post_overlaps", "the person holds this post (%s, same place) on some of these days already: end that one first, or change its days", p.Role)
		f.Field = "begins"
		return f
	}
	return fmt.Errorf("write post: %w", err)
}

// ChangePost changes a post whose version is the one given, else it is a conflict.
func (s *Service) ChangePost(ctx context.Context, id policy.PostID, version int, c PostChange) (Post, error) {
	return s.changePost(ctx, id, version, c, "post.change")
}

// EndPost makes last the post's last day. A day before the first takes the post back: it is never held.
func (s *Service) EndPost(ctx context.Context, id policy.PostID, version int, last Day) (Post, error) {
	if last == "" {
		return Post{}, fault.Invalid("ends", "required", "give the post's last day, as 2026-12-31")
	}
	return s.changePost(ctx, id, version, PostChange{Ends: &last}, "post.end")
}

func (s *Service) changePost(ctx context.Context, id policy.PostID, version int, c PostChange, act string) (out Post, err error) {
	err = s.transact(ctx, func(w *work) error {
		p, err := post(ctx, w.tx, id, true)
		if err != nil {
			return err
		}
		if p.Version != version {
			return stale("post")
		}
		out, _, err = w.changePost(ctx, p, c, act)
		return err
	})
	return out, err
}

// changePost changes a post that is locked, and names what is another now.
func (w *work) changePost(ctx context.Context, p Post, c PostChange, act string) (out Post, changed []string, err error) {
	out = p
	set(&out.Begins, c.Begins)
	set(&out.Ends, c.Ends)
	set(&out.Certificate, c.Certificate)
	set(&out.CertificateUntil, c.CertificateUntil)
	out.Certificate = strings.TrimSpace(out.Certificate)
	if _, f := out.Ends.check("ends"); f != nil {
		return out, nil, f
	}
	if act == "post.end" && out.Ends < out.Begins { // it never was
		out.Ends = out.Begins.plus(-1)
	}
	if f := out.checkTerm(); f != nil {
		return out, nil, f
	}
	for _, f := range []struct {
		field string
		other bool
	}{{"begins", out.Begins != p.Begins}, {"ends", out.Ends != p.Ends}, {"certificate", out.Certificate != p.Certificate},
		{"certificate_until", out.CertificateUntil != p.CertificateUntil}} {
		if f.other {
			changed = append(changed, f.field)
		}
	}
	if len(changed) == 0 {
		return out, nil, nil
	}
	if p.Unit != 0 && slices.Contains(changed, "ends") { // a closed unit gets no posts back
		u, err := unit(ctx, w.tx, p.Unit, ` FOR SHARE`)
		if err != nil {
			return out, nil, err
		}
		if u.ClosedAt != nil && (out.Ends == "" || p.Ends != "" && out.Ends > p.Ends) {
			return out, nil, fault.Conflict("unit_closed", "the post's unit is closed: the post cannot last longer")
		}
	}
	_, err = w.tx.Exec(ctx, `
		UPDATE post SET begins = $2::text::date, ends = $3::text::date, certificate = $4, certificate_until = $5::text::date, version = version + 1 WHERE id = $1`,
		p.ID, string(out.Begins), null(out.Ends), null(out.Certificate), null(out.CertificateUntil))
	if err != nil {
		return out, nil, postFault(err, &out)
	}
	out.Version++
	w.record(act, subjectOf(p.Person), p.record(), out.record())
	return out, changed, nil
}
