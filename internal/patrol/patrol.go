// Package patrol holds the points that somebody is to go by in a rhythm of days, and the visits to them. Nobody is followed: a visit is
// one position, told by who was there, and nothing of the way is kept.
//
// A visit is never refused for what it says: one that is too far, inaccurate or late is kept, and told as such. It counts when its
// position lies no further than ReachM from the point and the point was there at that time. How accurate the position is adds nothing: a
// wide circle would reach any point.
package patrol

import (
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// PointID is a point's number.
type PointID int64

// VisitID is made by the client (UUIDv7), so that a retry is harmless.
type VisitID uuid.UUID

func (id VisitID) String() string { return uuid.UUID(id).String() }

// ParseVisitID reads a UUID in its usual form.
func ParseVisitID(s string) (VisitID, *fault.Error) {
	id, err := uuid.Parse(s)
	if err != nil || id == uuid.Nil || id.String() != s {
		return VisitID{}, fault.Invalid("id", "bad_uuid", "%.40q is no UUID such as 0198c0de-…; make a UUIDv7 for each visit", s)
	}
	return VisitID(id), nil
}

const (
	// ReachM is how far from a point one may be to have been there. A visit keeps the one by which it was told.
	ReachM = 50
	// MaxPoints is how many points a city has at once.
	MaxPoints = 10_000
	// MaxRhythmDays is the longest rhythm: once a year.
	MaxRhythmDays = 366
)

const (
	maxName      = 100 // characters
	maxNote      = 500
	maxAccuracyM = 100_000
	inaccurateM  = 100                 // from here on a position tells little
	lateAfter    = 30 * 24 * time.Hour // a phone that was that long without a line
	clockOff     = 5 * time.Minute     // how far ahead a clock may be that was put right
	clockAhead   = 24 * time.Hour      // as for reports: a clock may be off by hours, not by days
)

// Point is a place that somebody is to go by, as it is now.
type Point struct {
	ID         PointID
	Name       string
	Note       string    // what to look after; ""
	Place      orb.Point // lon, lat in degrees
	RhythmDays int
	Generated  bool // of a demo
	MadeAt     time.Time
	MadeBy     uuid.UUID
	Version    int
	ChangedAt  time.Time
	ChangedBy  uuid.UUID
	RemovedAt  time.Time   // zero: it is there
	Cell       policy.Cell // by the plan in force; without a grid: in none, any more
	Last       time.Time   // when it was visited last, of visits that count; zero: never
}

// was tells whether the point was there at a moment: from when it was made until it was removed.
func (p *Point) was(at time.Time) bool {
	return !at.Before(p.MadeAt) && (p.RemovedAt.IsZero() || at.Before(p.RemovedAt))
}

// check trims a point's words and refuses what can be no point.
func (p *Point) check() *fault.Error {
	p.Name, p.Note = strings.TrimSpace(p.Name), strings.TrimSpace(p.Note)
	switch {
	case p.Name == "":
		return fault.Invalid("name", "required", "give the point a name")
	case !isText(p.Name, maxName, ""):
		return fault.Invalid("name", "bad_text", "has at most %d characters, without control characters", maxName)
	case !isText(p.Note, maxNote, breaks):
		return fault.Invalid("note", "bad_text", "has at most %d characters, without control characters", maxNote)
	case p.RhythmDays < 1 || p.RhythmDays > MaxRhythmDays:
		return fault.Invalid("rhythm_days", "out_of_range", "%d is not a number of days from 1 to %d", p.RhythmDays, MaxRhythmDays)
	}
	return checkPlace(p.Place)
}

func checkPlace(p orb.Point) *fault.Error {
	switch {
	case !(math.Abs(p[0]) <= 180):
		return fault.Invalid("lon", "out_of_range", "is no longitude in degrees")
	case !(math.Abs(p[1]) <= 90):
		return fault.Invalid("lat", "out_of_range", "is no latitude in degrees")
	}
	return nil
}

// breaks are the control characters that text of several lines has.
const breaks = "\n\r\t"

func isText(s string, most int, controls string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(controls, r) })
}

// Change is what to change of a point; nil leaves it as it is.
type Change struct {
	Name       *string
	Note       *string
	Lon, Lat   *float64
	RhythmDays *int
}

// of is the point as it will be.
func (c *Change) of(p Point) Point {
	set(&p.Name, c.Name)
	set(&p.Note, c.Note)
	set(&p.Place[0], c.Lon)
	set(&p.Place[1], c.Lat)
	set(&p.RhythmDays, c.RhythmDays)
	return p
}

func set[T any](field, v *T) {
	if v != nil {
		*field = *v
	}
}

// Visit is somebody's having been at a point.
type Visit struct {
	ID        VisitID
	Point     PointID
	Person    uuid.UUID
	Post      policy.PostID // by which it was told; 0: none
	At        time.Time     // by the phone's clock, put right
	ToldAt    time.Time
	Place     *orb.Point // lon, lat in degrees; nil: forgotten, with the note
	AccuracyM float64
	DistanceM float64 // from the point, where it was then
	Within    bool    // the distance was near enough
	There     bool    // the point was there at that time
	Note      string
	Generated bool
}

// Counts tells whether it makes its point visited.
func (v *Visit) Counts() bool { return v.Within && v.There }

// Flag is something about a visit that who reads it should know.
type Flag string

// The flags. By the first two a visit does not count.
const (
	TooFar     Flag = "too_far"
	NotThere   Flag = "not_there"  // the point was not set yet, or was removed before
	ExactZero  Flag = "exact_zero" // an accuracy of 0 is what made-up positions have
	Inaccurate Flag = "inaccurate" // by more than 100 m
	Late       Flag = "late"       // told more than 30 days after
	ClockOff   Flag = "clock_off"  // it lies ahead of when it was told
)

// Flags are those of a visit. They are not kept: each follows from what is.
func (v *Visit) Flags() []Flag {
	flags := []Flag{}
	for _, f := range []struct {
		flag Flag
		is   bool
	}{
		{TooFar, !v.Within}, {NotThere, !v.There}, {ExactZero, v.AccuracyM == 0}, {Inaccurate, v.AccuracyM > inaccurateM},
		{Late, v.ToldAt.Sub(v.At) > lateAfter}, {ClockOff, v.At.Sub(v.ToldAt) > clockOff},
	} {
		if f.is {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

// check trims a visit's words, cuts its time as it is kept, and refuses what can be no visit.
func (v *Visit) check(now time.Time) *fault.Error {
	v.Note, v.At = strings.TrimSpace(v.Note), v.At.UTC().Truncate(time.Microsecond)
	switch {
	case v.ID == VisitID{}:
		return fault.Invalid("id", "required", "is missing: make a UUIDv7 for each visit")
	case v.At.IsZero():
		return fault.Invalid("at", "required", "say when it was")
	case v.At.Year() < 1970 || v.At.Year() > 2100:
		return fault.Invalid("at", "out_of_range", "%s is outside 1970–2100", v.At.Format(time.RFC3339))
	case v.At.After(now.Add(clockAhead)):
		return fault.Invalid("at", "in_the_future", "%s is more than a day ahead: check the device's clock", v.At.Format(time.RFC3339))
	case !(v.AccuracyM >= 0 && v.AccuracyM <= maxAccuracyM):
		return fault.Invalid("accuracy_m", "out_of_range", "is not a number of metres from 0 to 100,000")
	case !isText(v.Note, maxNote, breaks):
		return fault.Invalid("note", "bad_text", "has at most %d characters, without control characters", maxNote)
	case v.Place == nil:
		return fault.Invalid("lon", "required", "say where it was")
	}
	return checkPlace(*v.Place)
}

// same tells whether a visit that is kept is what is sent again. One whose position is forgotten has nothing left to hold it against
// but the rest.
func (v *Visit) same(sent *Visit) bool {
	if v.Point != sent.Point || v.Person != sent.Person || !v.At.Equal(sent.At) || v.AccuracyM != sent.AccuracyM {
		return false
	}
	return v.Place == nil || *v.Place == *sent.Place && v.Note == sent.Note
}

// State is how a point stands to its rhythm.
type State string

// The states, by the city's days.
const (
	OK      State = "ok"      // not due before tomorrow
	Due     State = "due"     // due today
	Overdue State = "overdue" // since yesterday, or longer
	Never   State = "never"   // nobody was there yet, whenever it is due
)

// States are all of them.
var States = []State{OK, Due, Overdue, Never}

// Standing is how a point stands to its rhythm on a day.
type Standing struct {
	State       State
	Due         string // the day on which somebody is to be there, as 2026-12-01
	OverdueDays int    // days since then; 0: it is not over
}

// Standing tells how the point stands at a moment. It is due a rhythm after the day of the last visit that counts; one that nobody has
// visited, a rhythm after the day on which it was set.
func (p *Point) Standing(now time.Time, zone *time.Location) Standing {
	since, visited := p.MadeAt, !p.Last.IsZero()
	if visited {
		since = p.Last
	}
	due := day(since, zone).AddDate(0, 0, p.RhythmDays)
	over := int(day(now, zone).Sub(due) / (24 * time.Hour))
	s := Standing{State: OK, Due: due.Format(time.DateOnly), OverdueDays: max(over, 0)}
	switch {
	case !visited:
		s.State = Never
	case over == 0:
		s.State = Due
	case over > 0:
		s.State = Overdue
	}
	return s
}

// day is the day that it is in the zone, as midnight UTC: days between two of them are 24 hours each.
func day(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
