package contact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// kept is a contact as it lies in the database.
type kept struct {
	num       report.Num // of the report by which it was found
	id        uuid.UUID
	dataKey   []byte
	sealed    fields
	createdAt time.Time
	erasedAt  *time.Time

	phoneIndex, emailIndex []byte // MACs by which the person is found
}

const selectContact = `SELECT c.id, c.data_key, c.name, c.phone, c.email, c.home, c.created_at, c.erased_at, c.phone_index, c.email_index`

func (k *kept) targets() []any {
	return []any{&k.id, &k.dataKey, &k.sealed.name, &k.sealed.phone, &k.sealed.email, &k.sealed.home, &k.createdAt, &k.erasedAt, &k.phoneIndex, &k.emailIndex}
}

func (s *Service) open(k *kept) (Contact, error) {
	c := Contact{ID: k.id, CreatedAt: k.createdAt}
	b, err := s.openKey(k.id, k.dataKey)
	if err != nil {
		return c, fmt.Errorf("contact %s: %w", k.id, unsealed(err))
	}
	r, err := b.openAll(k.sealed)
	if err != nil {
		return c, fmt.Errorf("contact %s: %w", k.id, err)
	}
	c.Name, c.Phone, c.Email, c.Home = r.Name, r.Phone, r.Email, r.Home
	return c, nil
}

// Masked tells who told reports, masked; a report that nobody told is not in it. Of a person whose data does not open only
// Known is told.
func (s *Service) Masked(ctx context.Context, nums []report.Num) (map[report.Num]Masked, error) {
	out := map[report.Num]Masked{}
	if len(nums) == 0 {
		return out, nil
	}
	list := make([]int64, len(nums))
	for i, n := range nums {
		list[i] = int64(n)
	}
	rows, err := s.Pool.Query(ctx, selectContact+`, r.report_num FROM reporter r JOIN contact c ON c.id = r.contact_id
		WHERE r.report_num = ANY ($1) ORDER BY r.report_num`, list)
	if err != nil {
		return nil, fmt.Errorf("read who told reports: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k kept, err error) {
		err = row.Scan(append(k.targets(), &k.num)...)
		return k, err
	})
	if err != nil {
		return nil, fmt.Errorf("read who told reports: %w", err)
	}
	for i := range all {
		out[all[i].num] = s.mask(&all[i])
	}
	return out, nil
}

func (s *Service) mask(k *kept) Masked {
	if k.erasedAt != nil {
		return Masked{Erased: true}
	}
	c, err := s.open(k)
	if err != nil {
		return Masked{Known: true} // Unmask tells why
	}
	return Masked{Known: true, Name: MaskName(c.Name), Phone: MaskPhone(c.Phone), Email: MaskEmail(c.Email), Home: c.Home != nil}
}

// Unmask tells who told a report, for a reason that goes on record before anything is told. Faults: reason (too short, too
// long), not_found, person_erased, key_missing.
func (s *Service) Unmask(ctx context.Context, num report.Num, reason string) (Contact, error) {
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case !utf8.ValidString(reason) || strings.ContainsRune(reason, 0):
		return Contact{}, fault.Invalid("reason", "bad_encoding", "is no text")
	case n < MinReason:
		return Contact{}, fault.Invalid("reason", "required", "is missing: say in at least %d characters why the person must be known; it goes on record", MinReason)
	case n > MaxReason:
		return Contact{}, fault.Invalid("reason", "too_long", "has %d characters; %d are allowed", n, MaxReason)
	}
	k, err := s.one(ctx, ` FROM reporter r JOIN contact c ON c.id = r.contact_id WHERE r.report_num = $1`, num)
	if errors.Is(err, pgx.ErrNoRows) {
		return Contact{}, fault.NotFound("nobody is known to have told report %d", num)
	} else if err != nil {
		return Contact{}, fmt.Errorf("read who told report %d: %w", num, err)
	}
	if k.erasedAt != nil {
		f := fault.NotFound("who told report %d was erased", num)
		f.Code = "person_erased"
		return Contact{}, f
	}
	c, err := s.open(&k)
	if err != nil {
		return Contact{}, err
	}
	err = s.record(ctx, audit.Record{Act: "report.unmask", Subject: fmt.Sprintf("report:%d", num), After: map[string]string{"reason": reason}})
	if err != nil {
		return Contact{}, err
	}
	return c, nil
}

func (s *Service) one(ctx context.Context, from string, args ...any) (k kept, err error) {
	err = s.Pool.QueryRow(ctx, selectContact+from, args...).Scan(k.targets()...)
	return k, err
}

// record keeps an act; when it returns without error the act is on disk.
func (s *Service) record(ctx context.Context, r audit.Record) error {
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		_, err := s.Feed.Append(ctx, tx, s.Now().UTC(), nil, r)
		return err
	})
}

// Find finds the person of a phone number or an e-mail address, however it is written.
func (s *Service) Find(ctx context.Context, phoneOrEmail string) (uuid.UUID, error) {
	told := report.Reporter{Phone: phoneOrEmail}
	if strings.Contains(phoneOrEmail, "@") {
		told = report.Reporter{Email: phoneOrEmail}
	}
	of, err := normal(told)
	if err != nil {
		return uuid.Nil, err
	}
	index, err := s.indexer()
	if err != nil {
		return uuid.Nil, err
	}
	var id uuid.UUID
	err = s.Pool.QueryRow(ctx, `SELECT id FROM contact WHERE phone_index = $1 OR email_index = $2`, index.phone(of.Phone), index.email(of.Email)).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return id, fault.NotFound("nobody is known by this number or address")
	}
	if err != nil {
		return id, fmt.Errorf("find a contact: %w", err)
	}
	return id, nil
}

// Export gives all that is held of a person, the reports among it. It goes on record. Of a person who was erased the reports
// are left, which it still names.
func (s *Service) Export(ctx context.Context, id uuid.UUID) (Held, error) {
	k, err := s.one(ctx, ` FROM contact c WHERE c.id = $1`, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return Held{}, errNobody(id)
	} else if err != nil {
		return Held{}, fmt.Errorf("read contact %s: %w", id, err)
	}
	h := Held{ID: id, City: s.City, CreatedAt: k.createdAt.UTC(), ErasedAt: k.erasedAt}
	if k.erasedAt == nil {
		c, err := s.open(&k)
		if err != nil {
			return Held{}, err
		}
		h.Name, h.Phone, h.Email = c.Name, c.Phone, c.Email
		if c.Home != nil {
			h.Home = &Point{c.Home[0], c.Home[1]}
		}
	}
	if h.Reports, err = s.heldReports(ctx, id); err != nil {
		return Held{}, err
	}
	if s.Holding != nil {
		if err := s.Holding(ctx, s.Pool, &h, recipients(k.phoneIndex, k.emailIndex)); err != nil {
			return Held{}, err
		}
	}
	if err := s.record(ctx, audit.Record{Act: "person.export", Subject: subject(id)}); err != nil {
		return Held{}, err
	}
	return h, nil
}

func errNobody(id uuid.UUID) error { return fault.NotFound("there is no contact %s", id) }

func subject(id uuid.UUID) string { return "contact:" + id.String() }

func (s *Service) heldReports(ctx context.Context, id uuid.UUID) ([]HeldReport, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT r.num, r.id, r.external_id, r.source, r.captured_at, r.received_at, r.item, r.lon, r.lat, r.address, r.title, r.text,
			(SELECT jsonb_agg(jsonb_build_object('at', p.at, 'lon', p.lon, 'lat', p.lat, 'reason', p.reason) ORDER BY p.at)
			FROM position_set p WHERE p.report_num = r.num)
		FROM reporter w JOIN report r ON r.num = w.report_num WHERE w.contact_id = $1 ORDER BY r.num`, id)
	if err != nil {
		return nil, fmt.Errorf("read a contact's reports: %w", err)
	}
	held := []HeldReport{}
	for rows.Next() {
		var r HeldReport
		var of uuid.UUID
		var positions *json.RawMessage
		err := rows.Scan(&r.Num, &of, &r.ExternalID, &r.Source, &r.CapturedAt, &r.ReceivedAt, &r.Item, &r.Lon, &r.Lat, &r.Address, &r.Title, &r.Text, &positions)
		if err != nil {
			rows.Close()
			return nil, fmt.Errorf("read a contact's reports: %w", err)
		}
		r.ID, r.CapturedAt, r.ReceivedAt = of.String(), r.CapturedAt.UTC(), r.ReceivedAt.UTC()
		if positions != nil {
			r.Positions = *positions
		}
		held = append(held, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read a contact's reports: %w", err)
	}
	return held, nil
}
