// Package team holds how units work: who is on duty when, who is away, what people can do beside their posts, what they drive,
// and where those who consent were seen last. Who is in a unit is a matter of posts (package person); what is here adds when.
//
// A unit has a roster from its first shift until a week after its last one. Whoever of its people is on a shift and not away is
// on duty. A unit without a roster is on duty as a whole in working time.
package team

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// ShiftID is a shift's number, and so on.
type (
	ShiftID   int64
	SwapID    int64
	LeaveID   int64
	VehicleID int64
)

// Span is a stretch of time: From ≤ t < To.
type Span struct{ From, To time.Time }

// Has tells whether a moment lies in the span.
func (s Span) Has(at time.Time) bool { return !at.Before(s.From) && at.Before(s.To) }

// Shift is one person on duty in a unit.
type Shift struct {
	ID      ShiftID
	Unit    policy.UnitID
	Person  uuid.UUID
	Leads   bool // as the duty leader
	Version int
	Changed time.Time
	Span
}

// Leave is a time in which somebody is away, in all units. Only what is granted counts.
type Leave struct {
	ID      LeaveID
	Unit    policy.UnitID // whose head is asked
	Person  uuid.UUID
	Granted bool
	Span
}

// Swap is a shift that somebody wants to hand to another one of the unit.
type Swap struct {
	ID         SwapID
	Unit       policy.UnitID
	Shift      ShiftID
	Person     uuid.UUID // whose shift it is
	Other      uuid.UUID // who is to take it
	OtherShift ShiftID   // what the other gives for it; 0: nothing
	AskedAt    time.Time
}

// Vehicle is what a unit drives.
type Vehicle struct {
	ID        VehicleID
	Unit      policy.UnitID
	Name      string // a plate, or what it is called
	Kind      VehicleKind
	Seats     int
	InService bool
	Version   int
}

// VehicleKind is what a vehicle is.
type VehicleKind string

// VehicleKinds are all of them.
var VehicleKinds = []VehicleKind{"car", "van", "motorcycle", "electric", "truck", "boat", "drone", "other"}

// Skill is one line of the city's short list.
type Skill struct {
	Code string
	Name worktime.Words
}

// MaxSkills bounds the city's list.
const MaxSkills = 40

// Position is where somebody was seen last.
type Position struct {
	Lon, Lat  float64 // degrees, CGCS2000
	AccuracyM float64
	At        time.Time
}

// The bounds of what is planned and told.
const (
	MaxShift    = 24 * time.Hour
	MaxLeave    = 366 * 24 * time.Hour
	maxAhead    = 400 * 24 * time.Hour // how far ahead is planned
	maxBehind   = 35 * 24 * time.Hour  // how long ago a shift may be written down
	maxPosition = 5 * time.Minute      // how old a position may be when it is told, and how far a phone's clock may be ahead
)

// check refuses a span that nobody can mean.
func (s Span) check(now time.Time, most time.Duration) *fault.Error {
	switch {
	case s.From.IsZero():
		return fault.Invalid("from", "required", "say from when")
	case s.To.IsZero():
		return fault.Invalid("to", "required", "say until when")
	case !s.To.After(s.From):
		return fault.Invalid("to", "ends_before_begin", "the end lies before the beginning")
	case s.To.Sub(s.From) > most:
		return fault.Invalid("to", "too_long", "at most %.0f hours in one: plan several", most.Hours())
	case s.From.After(now.Add(maxAhead)):
		return fault.Invalid("from", "too_far", "lies more than %.0f days ahead", maxAhead.Hours()/24)
	case s.From.Before(now.Add(-maxBehind)):
		return fault.Invalid("from", "too_long_ago", "lies more than %.0f days back", maxBehind.Hours()/24)
	}
	return nil
}

func (v *Vehicle) check() *fault.Error {
	v.Name = strings.TrimSpace(v.Name)
	switch {
	case v.Name == "":
		return fault.Invalid("name", "required", "a vehicle needs its plate, or a name")
	case !text(v.Name, 40):
		return fault.Invalid("name", "bad_text", "at most 40 characters, without control characters")
	case !slices.Contains(VehicleKinds, v.Kind):
		return fault.Invalid("kind", "unknown_value", "%.40q is none of %v", string(v.Kind), VehicleKinds)
	case v.Seats < 0 || v.Seats > 60:
		return fault.Invalid("seats", "out_of_range", "%d is not a number from 0 to 60", v.Seats)
	}
	return nil
}

func checkSkills(list []Skill) *fault.Error {
	if len(list) > MaxSkills {
		return fault.Invalid("skills", "too_many", "at most %d skills", MaxSkills)
	}
	for i := range list {
		s := &list[i]
		s.Name.ZH, s.Name.EN = strings.TrimSpace(s.Name.ZH), strings.TrimSpace(s.Name.EN)
		at := fmt.Sprintf("skills[%d].", i)
		switch {
		case !isCode(s.Code):
			return fault.Invalid(at+"code", "bad_code", "%.40q: use up to 32 lower-case letters, digits and _, a letter first", s.Code)
		case slices.ContainsFunc(list[:i], func(o Skill) bool { return o.Code == s.Code }):
			return fault.Invalid(at+"code", "named_twice", "%s stands in the list twice", s.Code)
		case s.Name.ZH == "":
			return fault.Invalid(at+"name", "required", "a skill needs a name")
		case !text(s.Name.ZH, 60):
			return fault.Invalid(at+"name", "bad_text", "at most 60 characters, without control characters")
		case !text(s.Name.EN, 60):
			return fault.Invalid(at+"name_en", "bad_text", "at most 60 characters, without control characters")
		}
	}
	return nil
}

func isCode(s string) bool {
	for i, r := range s {
		if !(r >= 'a' && r <= 'z') && !(i > 0 && (r >= '0' && r <= '9' || r == '_')) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 32
}

func text(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

// check refuses a position that cannot be one of now.
func (p *Position) check(now time.Time) *fault.Error {
	switch {
	case !(p.Lon >= -180 && p.Lon <= 180):
		return fault.Invalid("lon", "out_of_range", "is no longitude in degrees")
	case !(p.Lat >= -90 && p.Lat <= 90):
		return fault.Invalid("lat", "out_of_range", "is no latitude in degrees")
	case !(p.AccuracyM >= 0 && p.AccuracyM <= 100_000):
		return fault.Invalid("accuracy_m", "out_of_range", "is not a number of metres from 0 to 100,000")
	case p.At.IsZero():
		return fault.Invalid("at", "required", "say when it was")
	case p.At.After(now.Add(maxPosition)):
		return fault.Invalid("at", "in_the_future", "lies ahead: set the phone's clock")
	case p.At.Before(now.Add(-maxPosition)):
		return fault.Invalid("at", "too_old", "is older than %.0f minutes: only where you are now is kept", maxPosition.Minutes())
	}
	return nil
}
