// Package jurisdiction keeps a city's levels and its boundary plans: what is imported, checked, published from a date,
// and in force.
//
// A plan holds one coverage a level. It goes draft → checked → published and never changes once published; the one in
// force is the published plan with the latest date that has come. A plan is called retired once a later one is in force.
package jurisdiction

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
)

// Role is what a level is for; a city has its own name for each.
type Role string

// The roles, top first. The lowest that reports are placed in by duty is the grid.
const (
	RoleCity      Role = "city"
	RoleTown      Role = "town"
	RoleVillage   Role = "village"
	RoleGrid      Role = "grid"
	RoleMicrogrid Role = "microgrid"
)

// Level is one of a city's levels.
type Level struct {
	Role Role
	Name string // the city's own name, for instance ANC
}

// State of a plan.
type State string

// The states. Retired is not stored: it follows from a later plan being in force.
const (
	Draft     State = "draft"
	Checked   State = "checked"
	Published State = "published"
	Retired   State = "retired"
)

// PlanID is a plan's number in its city.
type PlanID int64

// subject names a plan on record.
func (id PlanID) subject() string { return "plan:" + strconv.FormatInt(int64(id), 10) }

// Plan is a set of boundaries under one name.
type Plan struct {
	ID           PlanID
	Name         string
	State        State
	Version      string // names the published content, for URLs; "" before publishing
	AcceptedGaps string // the reasons why gaps in its levels are meant, joined by "; "
	InForceFrom  *time.Time
	CreatedAt    time.Time
	Findings     map[coverage.Severity]int
}

// Face is one jurisdiction's boundary on its way into a plan.
type Face struct {
	Code, Name, NameLatin string
	Parent                string
	Households            *int
	Population            *int
	Line                  int
	Shape                 orb.MultiPolygon
}

// Check validates the words and numbers of a face; its shape is the coverage's matter.
func (f *Face) Check() *fault.Error {
	for _, t := range []struct {
		field, value string
		limit        int
		required     bool
	}{{"code", f.Code, 64, true}, {"name", f.Name, 200, true}, {"name_latin", f.NameLatin, 200, false}, {"parent", f.Parent, 64, false}} {
		switch {
		case t.required && t.value == "":
			return fault.Invalid(t.field, "required", "is empty: each face needs a %s", t.field).AtLine(f.Line)
		case !utf8.ValidString(t.value):
			return fault.Invalid(t.field, "bad_encoding", "is not UTF-8").AtLine(f.Line)
		case utf8.RuneCountInString(t.value) > t.limit:
			return fault.Invalid(t.field, "too_long", "has more than %d characters", t.limit).AtLine(f.Line)
		case strings.IndexFunc(t.value, unicode.IsControl) >= 0:
			return fault.Invalid(t.field, "control_character", "holds a control character: remove it").AtLine(f.Line)
		}
	}
	if f.Households != nil && (*f.Households < 0 || *f.Households > 10_000_000) {
		return fault.Invalid("households", "out_of_range", "%d is not a number of households", *f.Households).AtLine(f.Line)
	}
	if f.Population != nil && (*f.Population < 0 || *f.Population > 100_000_000) {
		return fault.Invalid("population", "out_of_range", "%d is not a number of people", *f.Population).AtLine(f.Line)
	}
	return nil
}

// Service keeps one city's plans.
type Service struct {
	Pool   *pgxpool.Pool
	Feed   *feed.Writer
	Levels []Level // the city's, top first
	SRID   int     // the city's projected system, which tells where faces may lie; 0 when not known
	Now    func() time.Time
}

func (s *Service) at() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
