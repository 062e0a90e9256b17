// Package team holds how units work: who is on duty when, who is away, what people can do beside their posts, what they drive,
// and where those who consent were seen last. Who is in a unit is a matter of posts (package person); what is here adds when.
//
// A unit has a roster from its first shift until a week after its last one. Whoever of its people is on a shift and not away is
// on duty. A unit without a roster is on duty as a whole in working time. In its hours, around the clock or in working time, a
// unit with a roster is to have somebody on duty: where nobody is, its head answers, and that is told.
package team

import (
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

// Numbers of what a team has.
type (
	// ShiftID is a shift's.
	ShiftID int64
	// SwapID is a swap's.
	SwapID int64
	// LeaveID is a leave's.
	LeaveID int64
	// VehicleID is a vehicle's.
	VehicleID int64
)

// Span is a stretch of time: From ≤ t < To.
type Span struct{ From, To time.Time }

// Has tells whether a moment lies in the span.
func (s Span) Has(at time.Time) bool { return !at.Before(s.From) && at.Before(s.To) }

// Meets tells whether two spans share a moment.
func (s Span) Meets(o Span) bool { return s.From.Before(o.To) && o.From.Before(s.To) }

// Hours are when a unit is to have somebody on duty.
type Hours string

// Around the clock, or in working time.
const (
	Always Hours = "always"
	AtWork Hours = "work"
)

// ShiftKind is as what somebody is on a shift.
type ShiftKind string

// The kinds of shifts. Who stands by is to be called, and not on duty.
const (
	OnDuty  ShiftKind = "duty"
	Leads   ShiftKind = "leader"
	Standby ShiftKind = "standby"
)

// ShiftKinds are all of them.
var ShiftKinds = []ShiftKind{OnDuty, Leads, Standby}

// Shift is one person on duty in a unit.
type Shift struct {
	ID      ShiftID
	Unit    policy.UnitID
	Person  uuid.UUID
	Kind    ShiftKind
	Version int
	Changed time.Time
	Span
}

// LeaveKind is why somebody is away.
type LeaveKind string

// LeaveKinds are all of them.
var LeaveKinds = []LeaveKind{"annual", "sick", "training", "other"}

// Leave is a time in which somebody is away, in all units. Only what is granted counts.
type Leave struct {
	ID      LeaveID
	Unit    policy.UnitID // whose head is asked
	Person  uuid.UUID
	Kind    LeaveKind
	Granted bool
	Span
}

// SwapState is what has become of a swap.
type SwapState string

// The states of a swap. All but the first are its last: overtaken is one whose shift was changed, or taken off, before it was
// answered.
const (
	Asked     SwapState = "asked"
	Accepted  SwapState = "accepted"
	Refused   SwapState = "refused"
	Withdrawn SwapState = "withdrawn"
	Overtaken SwapState = "overtaken"
)

// Swap is a shift that somebody wants to hand to another one of the unit, with the times that were meant.
type Swap struct {
	ID         SwapID
	Unit       policy.UnitID
	Shift      ShiftID // 0: gone
	Person     uuid.UUID
	Other      uuid.UUID // who is to take it
	OtherShift ShiftID   // what the other gives for it; 0: nothing, or gone
	OtherSpan  Span      // likewise
	State      SwapState
	AskedAt    time.Time
	AnsweredAt time.Time
	Span
}

// Vehicle is what a unit drives.
type Vehicle struct {
	ID        VehicleID
	Unit      policy.UnitID
	Plate     string // or what it is called
	Kind      VehicleKind
	Seats     int
	InService bool
	Version   int
}

// VehicleKind is what a vehicle is.
type VehicleKind string

// VehicleKinds are all of them.
var VehicleKinds = []VehicleKind{"car", "van", "motorcycle", "electric", "truck", "boat", "drone", "other"}

// Skill is a line of the short list of what people can do. Beside it they have words of their own.
type Skill struct {
	Code string
	Name worktime.Words
}

// Skills are the short list.
var Skills = []Skill{
	{"law", worktime.Words{ZH: "法律", EN: "Law"}},
	{"mediation", worktime.Words{ZH: "调解", EN: "Mediation"}},
	{"first_aid", worktime.Words{ZH: "急救", EN: "First aid"}},
	{"drone", worktime.Words{ZH: "无人机", EN: "Drone pilot"}},
	{"driving", worktime.Words{ZH: "驾驶", EN: "Driving"}},
	{"boat", worktime.Words{ZH: "驾船", EN: "Boat"}},
	{"food_safety", worktime.Words{ZH: "食品安全", EN: "Food safety"}},
	{"environment", worktime.Words{ZH: "环境监测", EN: "Environment"}},
	{"construction", worktime.Words{ZH: "建筑规划", EN: "Construction"}},
	{"fire_safety", worktime.Words{ZH: "消防", EN: "Fire safety"}},
	{"animals", worktime.Words{ZH: "动物管理", EN: "Animals"}},
	{"dialect", worktime.Words{ZH: "本地方言", EN: "Local dialect"}},
	{"sign_language", worktime.Words{ZH: "手语", EN: "Sign language"}},
	{"english", worktime.Words{ZH: "英语", EN: "English"}},
}

// MaxSkills bounds what one person can do.
const MaxSkills = 20

// Position is where somebody was seen last.
type Position struct {
	Lon, Lat  float64 // degrees, CGCS2000
	AccuracyM float64
	At        time.Time
}

// The bounds of what is planned and told.
const (
	MaxShift    = 25 * time.Hour // a day on which clocks are set back; of others it is 24 hours
	MaxLeave    = 366 * 24 * time.Hour
	MaxShifts   = 200                  // at once
	maxAhead    = 400 * 24 * time.Hour // how far ahead is planned
	maxBehind   = 35 * 24 * time.Hour  // how long ago a shift may be written down
	maxPosition = 5 * time.Minute      // how old a position may be when it is told, and how far a phone's clock may be ahead
)

// check refuses a span that nobody can mean. at is the path of what it belongs to.
func (s Span) check(at string, now time.Time, most time.Duration) *fault.Error {
	switch {
	case s.From.IsZero():
		return fault.Invalid(at+"from", "required", "say from when")
	case s.To.IsZero():
		return fault.Invalid(at+"to", "required", "say until when")
	case !s.To.After(s.From):
		return fault.Invalid(at+"to", "ends_before_begin", "the end lies before the beginning")
	case s.To.Sub(s.From) > most:
		return fault.Invalid(at+"to", "too_long", "at most %.0f hours in one: plan several", most.Hours())
	case s.From.After(now.Add(maxAhead)):
		return fault.Invalid(at+"from", "too_far", "lies more than %.0f days ahead", maxAhead.Hours()/24)
	case s.From.Before(now.Add(-maxBehind)):
		return fault.Invalid(at+"from", "too_long_ago", "lies more than %.0f days back", maxBehind.Hours()/24)
	}
	return nil
}

// whole cuts times to whole seconds, as they are kept.
func (s Span) whole() Span {
	return Span{s.From.UTC().Truncate(time.Second), s.To.UTC().Truncate(time.Second)}
}

// check refuses a shift that nobody can mean. It may last 24 hours, or until the same time of the next day by the city's clocks.
func (s *Shift) check(at string, now time.Time, zone *time.Location) *fault.Error {
	s.Span = s.whole()
	if !slices.Contains(ShiftKinds, s.Kind) {
		return fault.Invalid(at+"kind", "unknown_value", "%.40q is none of %v", string(s.Kind), ShiftKinds)
	}
	day := s.From.In(zone).AddDate(0, 0, 1).Sub(s.From)
	return s.Span.check(at, now, min(max(day, 24*time.Hour), MaxShift))
}

func (l *Leave) check(now time.Time) *fault.Error {
	l.Span = l.whole()
	if !slices.Contains(LeaveKinds, l.Kind) {
		return fault.Invalid("kind", "unknown_value", "%.40q is none of %v", string(l.Kind), LeaveKinds)
	}
	return l.Span.check("", now, MaxLeave)
}

func (v *Vehicle) check() *fault.Error {
	v.Plate = strings.TrimSpace(v.Plate)
	switch {
	case v.Plate == "":
		return fault.Invalid("plate", "required", "a vehicle needs its plate, or a name")
	case !isText(v.Plate, 40):
		return fault.Invalid("plate", "bad_text", "at most 40 characters, without control characters")
	case !slices.Contains(VehicleKinds, v.Kind):
		return fault.Invalid("kind", "unknown_value", "%.40q is none of %v", string(v.Kind), VehicleKinds)
	case v.Seats < 0 || v.Seats > 60:
		return fault.Invalid("seats", "out_of_range", "%d is not a number from 0 to 60", v.Seats)
	}
	return nil
}

// checkSkills gives the skills trimmed, each once and in order.
func checkSkills(list []string) ([]string, *fault.Error) {
	if len(list) > MaxSkills {
		return nil, fault.Invalid("skills", "too_many", "at most %d", MaxSkills)
	}
	out := make([]string, 0, len(list))
	for _, s := range list {
		s = strings.TrimSpace(s)
		if s == "" || !isText(s, 30) {
			return nil, fault.Invalid("skills", "bad_text", "a skill has 1 to 30 characters, without control characters")
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func isText(s string, most int) bool {
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
