// Package person holds who works in a city: people, the units they work in, and their posts. A right is a post: what
// people may do follows from the posts that are in force, and ends with them.
//
// All changes are optimistic: who changes something names the version that was read, and is refused when another came
// between.
package person

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
)

// Service keeps one city's people, units and posts.
type Service struct {
	Pool *pgxpool.Pool
	Feed *feed.Writer
	Now  func() time.Time
	Zone *time.Location // the city's: its midnights begin and end posts
	Plan func() Plan    // the plan in force; nil, or giving nil: none, so codes are not checked
	Demo bool           // the city is a demo: its demo accounts may sign in
	// Needed, where it is set, refuses that a post's certificate be in force from begins to until alone ("": never), as somebody counts on it.
	Needed func(ctx context.Context, tx pgx.Tx, post policy.PostID, begins, until Day) error
}

// Plan is what is asked of the boundaries in force.
type Plan interface {
	Has(policy.Area) bool
	Below(policy.Area) []policy.Area // all jurisdictions that lie in it, itself among them
}

// Day is a calendar day of the city as 2026-12-01; "" is none.
type Day string

// Person is somebody, or a machine, who works here. An erased one has neither name nor phone nor e-mail.
type Person struct {
	ID                 uuid.UUID
	Name, Phone, Email string
	Machine            bool
	Login              string // "": has no account
	CreatedAt          time.Time
	ErasedAt           *time.Time
	Version            int
	Posts              []Post // past and future ones too, the newest first
}

// New is a person to come.
type New struct {
	ID                 uuid.UUID // zero: a UUID v7 made here
	Name, Phone, Email string
	Machine            bool
}

// Change is what to change of a person; nil leaves it as it is, "" empties it.
type Change struct{ Name, Phone, Email *string }

// Unit is where people work together.
type Unit struct {
	ID           policy.UnitID
	Kind         policy.UnitKind
	Name, NameEN string
	Area         policy.Area // where it works; may be zero for a kind without territory
	ClosedAt     *time.Time
	Version      int
}

// UnitChange is what to change of a unit; nil leaves it as it is. Its kind stays what it is.
type UnitChange struct {
	Name, NameEN *string
	Area         *policy.Area
}

// Post is a role that a person holds, in a jurisdiction or in a unit.
type Post struct {
	ID               policy.PostID
	Person           uuid.UUID
	Role             policy.Role
	Unit             policy.UnitID // 0: in a jurisdiction
	UnitName         string        // read only
	Area             policy.Area   // of a post in a unit, read only: that of the unit, where its kind has territory
	Begins           Day
	Ends             Day // the last day; "" has none. The day before Begins: it was taken back
	Certificate      string
	CertificateUntil Day
	Station          Station // as what an officer is stationed in a village
	Version          int
}

// Station is as what an officer is stationed in a village; "": it was not said.
type Station string

// Stations are all of them: deputy secretary, or assistant to the director of the villagers' committee.
var Stations = []Station{"deputy_secretary", "assistant_director"}

// PostChange is what to change of a post; nil leaves it as it is. Role and place are what the post is: for others, end it
// and make another.
type PostChange struct {
	Begins, Ends     *Day
	Certificate      *string
	CertificateUntil *Day
	Station          *Station
}

// Query asks for people.
type Query struct {
	Reach  *policy.Reach // only those whom it covers by a post that has not ended; nil: all
	Search string        // part of a name, or a whole phone number or post's code
	Logins bool          // the search looks at logins too
	Unit   policy.UnitID // with a post in this unit; 0: any
	Role   policy.Role   // with such a post of this role; "": any
	State  State         // with such a post in this state; "": one that has not ended, where Unit or Role is given
	Kind   Kind          // people or machines; 0: both
	After  string        // Next of the page before; "": the first page
	Limit  int           // 1 to 200; 0: 50
}

// Kind tells people from machines.
type Kind uint8

// The kinds.
const (
	Humans Kind = iota + 1
	Machines
)

// State is where a post stands on a day.
type State string

// The states. Nobody ever held a post that was taken back; NoPost is said of people, who hold none and will not.
const (
	InForce   State = "in_force"
	ToCome    State = "to_come"
	Ended     State = "ended"
	TakenBack State = "taken_back"
	NoPost    State = "none"
)

// State tells where the post stands on a day.
func (p *Post) State(today Day) State {
	switch {
	case p.Ends != "" && p.Ends < p.Begins:
		return TakenBack
	case p.Ends != "" && p.Ends < today:
		return Ended
	case p.Begins > today:
		return ToCome
	}
	return InForce
}

// CertifiedUntil is the last day on which the post carries a certificate that is good, as the database has it; "": it carries none, or one
// without an end.
func (p *Post) CertifiedUntil() Day {
	switch {
	case p.Certificate == "" || p.CertificateUntil == "":
		return ""
	case p.Ends != "" && p.Ends < p.CertificateUntil:
		return p.Ends
	}
	return p.CertificateUntil
}

// Today is the day that it is in the city.
func (s *Service) Today() Day { return dayOf(s.Now(), s.Zone) }

// Page is one page of people, by name.
type Page struct {
	People []Person
	Next   string // "": this is the last one
}

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Row is one line of an import: a person and, with a role, one post.
type Row struct {
	Line               int       // of the file
	ID                 uuid.UUID // zero: the person is found by phone, else by name
	Name, Phone, Email string
	Role               string
	Unit               string // a unit's name or number
	Level, Code        string // or a jurisdiction
	Begins, Ends       string // dates as 2026-12-01; no begin: today
	Certificate        string
	CertificateUntil   string

	Bad *fault.Error // the line could not be read: its fields say nothing
}

// Outcome is what an import does with a row.
type Outcome string

// The outcomes.
const (
	OutcomeNew       Outcome = "new"
	OutcomeChanged   Outcome = "changed"
	OutcomeUnchanged Outcome = "unchanged"
	OutcomeError     Outcome = "error"
)

// Planned is what becomes of one row. Changed names the fields that are or would be others; Was has what those of the
// person and of the post are before.
type Planned struct {
	Line    int
	Outcome Outcome
	Person  uuid.UUID
	Changed []string
	Was     map[string]string
	Err     error // a fault, with Line
}
