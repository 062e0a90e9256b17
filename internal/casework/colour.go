package casework

import (
	"time"

	"gridgov/internal/worktime"
)

// Colour is what a clock says, or the first of a case's clocks.
type Colour string

// The colours. A clock that stands still has one of its own; a case of which no clock runs has none.
const (
	Red      Colour = "red"   // it is due
	Amber    Colour = "amber" // most of the time is over
	Green    Colour = "green" // there is time
	OnPause  Colour = "paused"
	NoClock  Colour = "none"
	NoColour Colour = "" // not known
)

// Colours are those of cases.
var Colours = []Colour{Red, Amber, Green, NoClock}

// ColourOf is how a clock stands at a moment.
func ColourOf(s *worktime.State, at time.Time) Colour {
	switch {
	case s.Late(at):
		return Red
	case s.Phase == worktime.Paused:
		return OnPause
	case !s.Amber.IsZero() && !at.Before(s.Amber):
		return Amber
	}
	return Green
}

// ColourAt is what the clocks of a case say at a moment: whoever acts in the moment of the due is in time.
func (r *Row) ColourAt(at time.Time) Colour {
	switch {
	case r.DueAt.IsZero():
		return NoClock
	case r.DueAt.Before(at):
		return Red
	case r.AmberAt.IsZero() || r.AmberAt.After(at):
		return Green
	}
	return Amber
}
