package person

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// MaxRows is how many rows one import takes: it is one transaction.
const MaxRows = 5000

var errPreview = errors.New("person: only a preview")

// Preview tells what Apply would do. It keeps nothing.
func (s *Service) Preview(ctx context.Context, rows []Row) (out []Planned, err error) {
	err = s.transact(ctx, func(w *work) error {
		if out, err = w.rows(ctx, rows); err != nil {
			return err
		}
		return errPreview // rolls back
	})
	if errors.Is(err, errPreview) {
		err = nil
	}
	return out, err
}

// Apply imports the rows in one transaction: all, or where one of them has an error, none. What became of each, or of the
// first that failed, the answer tells; the error then is the conflict rows_rejected.
func (s *Service) Apply(ctx context.Context, rows []Row) (out []Planned, err error) {
	err = s.transact(ctx, func(w *work) error {
		if out, err = w.rows(ctx, rows); err != nil {
			return err
		}
		bad := 0
		for _, p := range out {
			if p.Err != nil {
				bad++
			}
		}
		if bad > 0 {
			return fault.Conflict("rows_rejected", "%d of %d rows have an error: mend them; nothing was imported", bad, len(rows))
		}
		return nil
	})
	return out, err
}

func (w *work) rows(ctx context.Context, rows []Row) ([]Planned, error) {
	if len(rows) > MaxRows {
		return nil, fault.TooLarge("", "the import has %d rows: part it into files of at most %d", len(rows), MaxRows)
	}
	out := make([]Planned, len(rows))
	for i, r := range rows {
		records := len(w.records)
		err := pgx.BeginFunc(ctx, w.tx, func(tx pgx.Tx) error { // a savepoint
			in := *w
			in.tx = tx
			var err error
			out[i], err = in.row(ctx, r)
			w.records = in.records
			return err
		})
		f, ok := fault.As(err)
		switch {
		case err == nil:
		case ok:
			w.records = w.records[:records]
			out[i] = Planned{Line: r.Line, Outcome: OutcomeError, Person: out[i].Person, Err: f.AtLine(r.Line)}
		default:
			return nil, err
		}
	}
	return out, nil
}

// row imports one row.
func (w *work) row(ctx context.Context, r Row) (Planned, error) {
	p := Planned{Line: r.Line, Outcome: OutcomeUnchanged, Was: map[string]string{}}
	if r.Bad != nil {
		return p, r.Bad
	}
	n := New{ID: r.ID, Name: r.Name, Phone: r.Phone, Email: r.Email, Machine: policy.Role(strings.TrimSpace(r.Role)).IsMachine()}
	if f := n.check(); f != nil {
		return p, f
	}
	who, known, err := w.find(ctx, n)
	if err != nil {
		return p, err
	}
	if known {
		c := Change{Name: &n.Name}
		if n.Phone != "" {
			c.Phone = &n.Phone
		}
		if n.Email != "" {
			c.Email = &n.Email
		}
		if p.Changed, err = w.change(ctx, who, c); err != nil {
			return p, err
		}
		if len(p.Changed) > 0 {
			p.Outcome = OutcomeChanged
		}
		p.was(map[string]string{"name": who.Name, "phone": who.Phone, "email": who.Email}, p.Changed)
	} else {
		if who, err = w.create(ctx, n); err != nil {
			return p, err
		}
		p.Outcome = OutcomeNew
	}
	p.Person = who.ID
	if strings.TrimSpace(r.Role) == "" {
		return p, nil
	}
	created, held, changed, err := w.rowPost(ctx, who.ID, r)
	if err != nil {
		return p, err
	}
	p.was(map[string]string{"begins": string(held.Begins), "ends": string(held.Ends), "certificate": held.Certificate,
		"certificate_until": string(held.CertificateUntil)}, changed)
	switch {
	case created && p.Outcome != OutcomeNew:
		p.Outcome, p.Changed = OutcomeNew, append(p.Changed, "post")
	case len(changed) > 0:
		p.Outcome, p.Changed = OutcomeChanged, append(p.Changed, changed...)
	}
	return p, nil
}

func (p *Planned) was(values map[string]string, changed []string) {
	for _, field := range changed {
		p.Was[field] = values[field]
	}
}

// find looks for the person that a row means: by id; by phone, when the name fits; by name, when the row or the person has
// no phone. Namesakes with other phones are other people.
func (w *work) find(ctx context.Context, n New) (p Person, known bool, err error) {
	if n.ID != uuid.Nil {
		p, err = person(ctx, w.tx, n.ID, true)
		if fault.Is(err, fault.KindNotFound) {
			return p, false, nil
		}
		return p, err == nil, err
	}
	rows, err := w.tx.Query(ctx, selectPerson+`
		WHERE p.erased_at IS NULL AND (p.phone = $1 OR p.name = $2 AND (p.phone IS NULL OR $1 = '')) ORDER BY p.id FOR UPDATE OF p`, n.Phone, n.Name)
	if err != nil {
		return p, false, fmt.Errorf("find person: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanPerson)
	if err != nil {
		return p, false, fmt.Errorf("find person: %w", err)
	}
	if n.Phone != "" {
		same := slices.DeleteFunc(slices.Clone(list), func(p Person) bool { return p.Phone != n.Phone })
		if len(same) > 0 {
			same = slices.DeleteFunc(same, func(p Person) bool { return p.Name != n.Name })
			if len(same) == 0 {
				return p, false, fault.Invalid("phone", "phone_of_another", "the phone is that of a person of another name: mend it, or give the person's id")
			}
			list = same
		}
	}
	switch len(list) {
	case 0:
		return p, false, nil
	case 1:
		return list[0], true, nil
	}
	return p, false, fault.Invalid("name", "several_people", "%d people have this name: give the phone or the person's id", len(list))
}

// rowPost gives the row's post, or changes the one that is held at the time, which was as it returns it.
func (w *work) rowPost(ctx context.Context, holder uuid.UUID, r Row) (created bool, was Post, changed []string, err error) {
	p := Post{Person: holder, Role: policy.Role(strings.TrimSpace(r.Role)), Begins: Day(strings.TrimSpace(r.Begins)), Ends: Day(strings.TrimSpace(r.Ends)),
		Area:        policy.Area{Level: policy.Level(strings.TrimSpace(r.Level)), Code: strings.TrimSpace(r.Code)},
		Certificate: strings.TrimSpace(r.Certificate), CertificateUntil: Day(strings.TrimSpace(r.CertificateUntil))}
	for _, f := range []struct{ field, text string }{{"role", string(p.Role)}, {"unit", r.Unit}, {"level", string(p.Area.Level)}, {"code", p.Area.Code}} {
		if f := checkText(f.field, f.text, 100, false); f != nil {
			return false, was, nil, f
		}
	}
	if name := strings.TrimSpace(r.Unit); name != "" {
		if p.Unit, err = w.unitNamed(ctx, name); err != nil {
			return false, was, nil, err
		}
	}
	for _, d := range []struct {
		field string
		day   Day
	}{{"begins", p.Begins}, {"ends", p.Ends}, {"certificate_until", p.CertificateUntil}} {
		if _, f := d.day.check(d.field); f != nil {
			return false, was, nil, f
		}
	}
	from := p.Begins
	if from == "" {
		from = dayOf(w.at, w.Zone)
	}
	if p.Role == policy.Administrator {
		if err := lockAdministrators(ctx, w.tx); err != nil {
			return false, was, nil, err
		}
	}
	held, err := postsWhere(ctx, w.tx, selectPost+`
		WHERE o.person_id = $1 AND o.role = $2 AND coalesce(o.unit_id, 0) = $3 AND ($3 <> 0 OR (o.level = $4 AND o.code = $5))
			AND coalesce(o.ends, 'infinity') >= greatest(o.begins, $6::text::date) AND o.begins <= coalesce($7::text::date, 'infinity')
		ORDER BY o.begins FOR UPDATE OF o`, holder, p.Role, p.Unit, p.Area.Level, p.Area.Code, string(from), null(p.Ends))
	if err != nil {
		return false, was, nil, err
	}
	if len(held) == 0 {
		p.Begins = from
		_, err := w.createPost(ctx, p)
		return err == nil, was, nil, err
	}
	var c PostChange
	for _, f := range []struct {
		to   **Day
		from *Day
	}{{&c.Begins, &p.Begins}, {&c.Ends, &p.Ends}, {&c.CertificateUntil, &p.CertificateUntil}} {
		if *f.from != "" {
			*f.to = f.from
		}
	}
	if p.Certificate != "" {
		c.Certificate = &p.Certificate
	}
	_, changed, err = w.changePost(ctx, held[0], c, "post.change")
	return false, held[0], changed, err
}

func (w *work) unitNamed(ctx context.Context, name string) (policy.UnitID, error) {
	rows, err := w.tx.Query(ctx, selectUnit+` WHERE u.closed_at IS NULL AND (u.id = $1 OR u.name = $2) ORDER BY u.id`, unitNumber(name), name)
	if err != nil {
		return 0, fmt.Errorf("find unit: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanUnit)
	switch {
	case err != nil:
		return 0, fmt.Errorf("find unit: %w", err)
	case len(list) == 0:
		return 0, fault.Invalid("unit", "unknown_unit", "there is no unit %.60q: give a unit's name or number", name)
	case len(list) > 1:
		return 0, fault.Invalid("unit", "several_units", "%d units are called %.60q: give the number", len(list), name)
	}
	return list[0].ID, nil
}
