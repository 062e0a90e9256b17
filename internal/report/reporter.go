package report

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// Reporter is who told a report. It is kept apart from the report, sealed, and is in no list, tile or event.
type Reporter struct {
	Name  string
	Phone string
	Email string
	Home  *orb.Point // lon, lat, EPSG:4490
}

// Contacts keeps who told reports; package contact does.
type Contacts interface {
	// Prepare checks who told a report and seals it, without SQL. The error is a fault where it cannot be: what was told is
	// no phone number, or the key is missing. What holds nothing is nil.
	Prepare(Reporter) (*Sealed, error)
	// Link keeps in the transaction who told reports that are in it, and what was told anew of a person who is known.
	Link(ctx context.Context, tx pgx.Tx, told []Told) error
}

// Told says who told a report.
type Told struct {
	Num Num
	By  *Sealed
	At  time.Time
}

// Sealed is a row of table contact to come, for a person who is not known yet.
type Sealed struct {
	Of Reporter // in the clear, each field in its normal form; it is nowhere but in memory

	ID                       uuid.UUID
	DataKey                  []byte
	KeyID                    string
	Name, Phone, Email, Home []byte
	PhoneIndex, EmailIndex   []byte
	Told                     [][]byte // MACs of the fields

	Digest []byte // a MAC of all that was told: whoever has not the key cannot try phone numbers against a report's digest
}

// Limits of what is told of a person.
const (
	maxReporterName  = 100
	maxReporterPhone = 40
	maxReporterEmail = 254
)

func (r *Reporter) check() *fault.Error {
	for _, f := range []struct {
		name, value string
		limit       int
	}{
		{"reporter.name", r.Name, maxReporterName}, {"reporter.phone", r.Phone, maxReporterPhone}, {"reporter.email", r.Email, maxReporterEmail},
	} {
		if err := checkText(f.name, f.value, f.limit, false); err != nil {
			return err
		}
	}
	// Both comparisons are false for what is no number.
	if h := r.Home; h != nil && !(math.Abs(h[0]) <= 180 && math.Abs(h[1]) <= 90) {
		return fault.Invalid("reporter.home", "out_of_range", "is no point: give lon between -180 and 180, lat between -90 and 90")
	}
	return nil
}

// seal seals who told the report, if anybody is told.
func (s *Service) seal(r *Reporter) (*Sealed, error) {
	if r == nil || *r == (Reporter{}) {
		return nil, nil
	}
	if s.Contacts == nil {
		return nil, fault.Unavailable("key_missing", "who told a report is kept sealed, and the service has no key: make the key file, or send the report without reporter")
	}
	return s.Contacts.Prepare(*r)
}

// contactColumns in the order of ContactValues.
var contactColumns = []string{"id", "data_key", "key_id", "name", "phone", "email", "home", "phone_index", "email_index", "told", "created_at"}

// InsertContact keeps a person who is not known yet. Its arguments are ContactValues.
var InsertContact = fmt.Sprintf(`INSERT INTO contact (%s) VALUES (%s) ON CONFLICT DO NOTHING`,
	strings.Join(contactColumns, ", "), listed("$", 1, len(contactColumns)))

// ContactValues are a row of table contact.
func ContactValues(c *Sealed, at time.Time) []any {
	return []any{c.ID, c.DataKey, c.KeyID, c.Name, c.Phone, c.Email, c.Home, c.PhoneIndex, c.EmailIndex, c.Told, at}
}

// told keeps one report that somebody told: a person who is not known yet is kept with it, one who is known is linked. It
// keeps nothing where something new is told of a person who is known. Where others keep the same person at the same time
// it fails. Its arguments are insertArgs and ContactValues.
//
// Who erases a person locks the whole row: that is waited for, and then the person is known no more.
func (in *insertion) told(int) string {
	contact := 1 + len(in.types())
	arg := func(column string) string {
		for i, c := range contactColumns {
			if c == column {
				return fmt.Sprintf("$%d", contact+i)
			}
		}
		panic("no column " + column)
	}
	return fmt.Sprintf(`
	WITH known AS MATERIALIZED (
		SELECT id, told FROM contact WHERE phone_index = %[1]s OR email_index = %[2]s
		ORDER BY phone_index = %[1]s DESC NULLS LAST LIMIT 1 FOR KEY SHARE
	), %[4]s, r AS (
		INSERT INTO report (%[5]s) SELECT %[6]s FROM given WHERE NOT EXISTS (SELECT FROM known WHERE NOT told @> %[3]s)
		ON CONFLICT DO NOTHING
		RETURNING num, id
	), added AS (
		INSERT INTO contact (%[7]s) SELECT %[8]s FROM r WHERE NOT EXISTS (SELECT FROM known)
		ON CONFLICT DO NOTHING
		RETURNING id
	), link AS (
		INSERT INTO reporter (report_num, contact_id) SELECT num, coalesce((SELECT id FROM known), (SELECT id FROM added)) FROM r
	), %[9]s`,
		arg("phone_index"), arg("email_index"), arg("told"), in.given(1),
		strings.Join(reportColumns, ", "), listed("c", argReport, len(reportColumns)),
		strings.Join(contactColumns, ", "), listed("$", contact, len(contactColumns)), in.kept())
}
