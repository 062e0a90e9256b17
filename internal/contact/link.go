package contact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/fault"
	"gridgov/internal/report"
)

// maxPasses bounds how often Link looks again after others have kept or erased the same people.
const maxPasses = 5

// errMoved says that people were erased, or kept by others, between two statements.
var errMoved = errors.New("contact: people were kept or erased meanwhile")

// Link keeps who told reports. A person is known by the phone number, else by the e-mail address. What is new of one who
// is known takes the place of what was told before: a name, a home point, an address, and the number of one who is known
// by the address. But a number or an address of another person stays that person's alone, so that whoever is found by it
// is everybody of whom it is held.
//
// Several rows are locked in the order of their ids.
func (s *Service) Link(ctx context.Context, tx pgx.Tx, told []report.Told) error {
	index, err := s.indexer()
	if err != nil {
		return err
	}
	for range maxPasses {
		err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			p := pass{Service: s, index: index, byPhone: map[string]*row{}, byEmail: map[string]*row{}}
			return p.run(ctx, tx, told)
		})
		if !errors.Is(err, errMoved) && !isUnique(err) {
			return err
		}
	}
	return fmt.Errorf("%w (%w)", err, fault.Unavailable("database_busy", "others were writing the same person all the time; try again in a moment"))
}

func isUnique(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

// row is a person who is known.
type row struct {
	id                     uuid.UUID
	dataKey                []byte
	sealed                 fields
	phoneIndex, emailIndex []byte
	told                   [][]byte

	box     *box // once opened
	open    report.Reporter
	changed bool
}

// pass is one try to link reports.
type pass struct {
	*Service
	index            indexer
	byPhone, byEmail map[string]*row
}

func (p *pass) run(ctx context.Context, tx pgx.Tx, told []report.Told) error {
	if err := p.add(ctx, tx, told); err != nil {
		return err
	}
	if err := p.read(ctx, tx, told); err != nil {
		return err
	}
	nums, ids := make([]int64, len(told)), make([]uuid.UUID, len(told))
	var changed []*row
	for i, t := range told {
		nums[i], ids[i] = int64(t.Num), t.By.ID
		if t.By.PhoneIndex == nil && t.By.EmailIndex == nil {
			continue // a name is nobody's alone
		}
		r := p.find(t.By)
		if r == nil {
			return errMoved
		}
		was := r.changed
		if err := p.merge(r, t.By); err != nil {
			return err
		}
		if r.changed && !was {
			changed = append(changed, r)
		}
		ids[i] = r.id
	}
	if err := p.write(ctx, tx, changed); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO reporter (report_num, contact_id) SELECT * FROM unnest($1::bigint[], $2::uuid[])`, nums, ids)
	if err != nil {
		return fmt.Errorf("keep who told reports: %w", err)
	}
	return nil
}

// add keeps those who are not known yet, in the order of their indexes, so that those who do the same do not stand in each
// other's way.
func (p *pass) add(ctx context.Context, tx pgx.Tx, told []report.Told) error {
	told = slices.Clone(told)
	slices.SortStableFunc(told, func(a, b report.Told) int {
		if c := bytes.Compare(a.By.PhoneIndex, b.By.PhoneIndex); c != 0 {
			return c
		}
		return bytes.Compare(a.By.EmailIndex, b.By.EmailIndex)
	})
	b := &pgx.Batch{}
	for _, t := range told {
		b.Queue(report.InsertContact, report.ContactValues(t.By, t.At)...)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("keep contacts: %w", err)
	}
	return nil
}

// read reads and locks all who have one of the numbers or addresses.
func (p *pass) read(ctx context.Context, tx pgx.Tx, told []report.Told) error {
	var phones, emails [][]byte
	for _, t := range told {
		if t.By.PhoneIndex != nil {
			phones = append(phones, t.By.PhoneIndex)
		}
		if t.By.EmailIndex != nil {
			emails = append(emails, t.By.EmailIndex)
		}
	}
	if len(phones)+len(emails) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT id, data_key, name, phone, email, home, phone_index, email_index, told FROM contact
		WHERE phone_index = ANY ($1) OR email_index = ANY ($2)
		ORDER BY id FOR NO KEY UPDATE`, phones, emails)
	if err != nil {
		return fmt.Errorf("read contacts: %w", err)
	}
	known, err := pgx.CollectRows(rows, func(rows pgx.CollectableRow) (*row, error) {
		var r row
		err := rows.Scan(&r.id, &r.dataKey, &r.sealed.name, &r.sealed.phone, &r.sealed.email, &r.sealed.home, &r.phoneIndex, &r.emailIndex, &r.told)
		return &r, err
	})
	if err != nil {
		return fmt.Errorf("read contacts: %w", err)
	}
	for _, r := range known {
		p.enter(r)
	}
	return nil
}

func (p *pass) enter(r *row) {
	if r.phoneIndex != nil {
		p.byPhone[string(r.phoneIndex)] = r
	}
	if r.emailIndex != nil {
		p.byEmail[string(r.emailIndex)] = r
	}
}

func (p *pass) find(c *report.Sealed) *row {
	if c.PhoneIndex != nil {
		if r := p.byPhone[string(c.PhoneIndex)]; r != nil {
			return r
		}
	}
	if c.EmailIndex != nil {
		return p.byEmail[string(c.EmailIndex)]
	}
	return nil
}

// merge takes into a person what is told anew.
func (p *pass) merge(r *row, c *report.Sealed) error {
	if r.id == c.ID && !r.changed || contains(r.told, c.Told) {
		return nil
	}
	if r.box == nil {
		b, err := p.openKey(r.id, r.dataKey)
		if err != nil {
			return fmt.Errorf("contact %s: %w", r.id, unsealed(err))
		}
		if r.open, err = b.openAll(r.sealed); err != nil {
			return fmt.Errorf("contact %s: %w", r.id, err)
		}
		r.box = &b
	}
	if c.Of.Name != "" && c.Of.Name != r.open.Name {
		r.open.Name, r.changed = c.Of.Name, true
	}
	if c.Of.Home != nil && (r.open.Home == nil || *c.Of.Home != *r.open.Home) {
		r.open.Home, r.changed = c.Of.Home, true
	}
	if c.PhoneIndex != nil && c.Of.Phone != r.open.Phone && p.byPhone[string(c.PhoneIndex)] == nil {
		delete(p.byPhone, string(r.phoneIndex))
		r.open.Phone, r.phoneIndex, r.changed = c.Of.Phone, c.PhoneIndex, true
	}
	if c.EmailIndex != nil && c.Of.Email != r.open.Email && p.byEmail[string(c.EmailIndex)] == nil {
		delete(p.byEmail, string(r.emailIndex))
		r.open.Email, r.emailIndex, r.changed = c.Of.Email, c.EmailIndex, true
	}
	if r.changed {
		r.told = p.index.told(&r.open)
		p.enter(r)
	}
	return nil
}

func contains(all, some [][]byte) bool {
	for _, m := range some {
		if !slices.ContainsFunc(all, func(n []byte) bool { return bytes.Equal(m, n) }) {
			return false
		}
	}
	return true
}

func (p *pass) write(ctx context.Context, tx pgx.Tx, changed []*row) error {
	if len(changed) == 0 {
		return nil
	}
	slices.SortFunc(changed, func(a, b *row) int { return bytes.Compare(a.id[:], b.id[:]) })
	b := &pgx.Batch{}
	for _, r := range changed {
		f := r.box.sealAll(&r.open)
		b.Queue(`
			UPDATE contact SET name = $2, phone = $3, email = $4, home = $5, phone_index = $6, email_index = $7, told = $8
			WHERE id = $1`, r.id, f.name, f.phone, f.email, f.home, r.phoneIndex, r.emailIndex, r.told)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("keep what was told of a contact: %w", err)
	}
	return nil
}
