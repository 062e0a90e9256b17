package worktime

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gridgov/internal/fault"
)

// Act is what happens to a clock.
type Act string

// The acts, and what they need of a clock.
const (
	ActStart   Act = "start"   // the first: begins to count towards a limit
	ActPause   Act = "pause"   // a running clock stands still (挂账), with a reason
	ActResume  Act = "resume"  // a paused clock runs on with what was left
	ActExtend  Act = "extend"  // a running or paused clock gets more (延期)
	ActStop    Act = "stop"    // a running or paused clock has done its duty
	ActReopen  Act = "reopen"  // a stopped clock runs on with what was left, at least half the limit
	ActRework  Act = "rework"  // a stopped clock runs on with half the limit (返工)
	ActRelimit Act = "relimit" // a running or paused clock gets another limit, perhaps in another unit: the case turned out to be of another item
)

// Mark is one act on a clock: what the clock's owner keeps, and all it has to keep.
type Mark struct {
	At     time.Time `json:"at"` // in whole seconds
	Act    Act       `json:"act"`
	Limit  Budget    `json:"limit,omitzero"`  // of start and relimit the limit, of extend what is added
	Reason Words     `json:"reason,omitzero"` // of pause compulsory
}

// Phase is what a clock does.
type Phase string

// The phases.
const (
	Running Phase = "running"
	Paused  Phase = "paused"
	Stopped Phase = "stopped"
)

// Clock is one deadline: the marks on it, from which all the rest follows. So no figure goes stale when a calendar is
// mended, and the same clock can be read in another calendar. A Clock is a value: its methods return another one and leave
// the receiver as it was. The zero Clock has not been started and refuses all acts.
type Clock struct {
	marks []Mark
}

// Start is a clock that begins to count at a moment. Faults are those of Restore.
func Start(at time.Time, limit Budget) (Clock, error) {
	return Restore([]Mark{{At: at, Act: ActStart, Limit: limit}})
}

// maxMarks keeps a clock readable; a case has a handful.
const maxMarks = 1000

// Restore makes a clock of the marks that were kept of it. It refuses marks that no clock can have, with a fault whose
// field is "marks[i]" and whose codes are no_start, clock_phase (the act does not fit what the clock does), clock_order (the
// mark lies before the one before it), reason_missing, limit_missing, limit_not_allowed, unknown_act, unit_mismatch,
// too_many and those of a limit.
func Restore(marks []Mark) (Clock, error) {
	var c Clock
	if len(marks) == 0 {
		return Clock{}, fault.Invalid("marks", "no_start", "a clock begins with its start")
	}
	for i, m := range marks {
		next, err := c.apply(m)
		if err != nil {
			named := *err
			named.Field = fmt.Sprintf("marks[%d]", i)
			return Clock{}, &named
		}
		c = next
	}
	return c, nil
}

// Marks are the clock's marks, in order. The copy is the caller's.
func (c Clock) Marks() []Mark { return slices.Clone(c.marks) }

// Phase is what the clock does after its last mark; "" before its start.
func (c Clock) Phase() Phase {
	if len(c.marks) == 0 {
		return ""
	}
	for _, m := range slices.Backward(c.marks) {
		if phase := transitions[m.Act].to; phase != "" {
			return phase
		}
	}
	return ""
}

// Limit is the limit last set.
func (c Clock) Limit() Budget {
	for _, m := range slices.Backward(c.marks) {
		if m.Act == ActStart || m.Act == ActRelimit {
			return m.Limit
		}
	}
	return Budget{}
}

// transition is an act's line in the clock's state machine.
type transition struct {
	from   []Phase // "" is before the start
	to     Phase   // "": the phase stays
	limit  bool    // it carries a budget
	reason bool    // it needs one
}

var transitions = map[Act]transition{
	ActStart:   {from: []Phase{""}, to: Running, limit: true},
	ActPause:   {from: []Phase{Running}, to: Paused, reason: true},
	ActResume:  {from: []Phase{Paused}, to: Running},
	ActExtend:  {from: []Phase{Running, Paused}, limit: true},
	ActStop:    {from: []Phase{Running, Paused}, to: Stopped},
	ActReopen:  {from: []Phase{Stopped}, to: Running},
	ActRework:  {from: []Phase{Stopped}, to: Running},
	ActRelimit: {from: []Phase{Running, Paused}, limit: true},
}

// Apply adds a mark. What does not fit the clock is refused: codes clock_phase and clock_order as conflicts, the others of
// Restore as invalid.
func (c Clock) Apply(m Mark) (Clock, error) {
	next, err := c.apply(m)
	if err != nil {
		return c, err
	}
	return next, nil
}

func (c Clock) apply(m Mark) (Clock, *fault.Error) {
	t, known := transitions[m.Act]
	switch {
	case !known:
		return c, fault.Invalid("act", "unknown_act", "%.40q is not an act on a clock", string(m.Act))
	case len(c.marks) == 0 && m.Act != ActStart:
		return c, fault.Invalid("act", "no_start", "a clock begins with its start")
	case !slices.Contains(t.from, c.Phase()):
		return c, fault.Conflict("clock_phase", "the clock is %s: %s does not fit", c.Phase(), m.Act)
	case len(c.marks) > 0 && m.At.Unix() < c.marks[len(c.marks)-1].At.Unix():
		return c, fault.Conflict("clock_order", "%s at %s lies before the clock's last act at %s",
			m.Act, m.At.Format(time.RFC3339), c.marks[len(c.marks)-1].At.Format(time.RFC3339))
	case len(c.marks) >= maxMarks:
		return c, fault.Invalid("act", "too_many", "a clock takes at most %d acts", maxMarks)
	case t.reason && m.Reason == (Words{}):
		return c, fault.Invalid("reason", "reason_missing", "%s needs a reason", m.Act)
	case t.limit && m.Limit.IsZero():
		return c, fault.Invalid("limit", "limit_missing", "%s needs a limit", m.Act)
	case !t.limit && !m.Limit.IsZero():
		return c, fault.Invalid("limit", "limit_not_allowed", "%s takes no limit", m.Act)
	case m.Act == ActExtend && m.Limit.unit.Working() != c.Limit().unit.Working():
		return c, fault.Invalid("limit", "unit_mismatch", "%s cannot be added to a limit of %s: one counts working time, the other all time", m.Limit, c.Limit())
	}
	if t.limit {
		if err := m.Limit.check(); err != nil {
			f, _ := fault.As(err)
			return c, fault.Invalid("limit", f.Code, "%s", f.Message)
		}
	}
	m.At = time.Unix(m.At.Unix(), 0).UTC()
	return Clock{marks: append(slices.Clip(c.marks), m)}, nil
}

// Pause stands the clock still until Resume.
func (c Clock) Pause(at time.Time, reason Words) (Clock, error) {
	return c.Apply(Mark{At: at, Act: ActPause, Reason: reason})
}

// Resume lets a paused clock run on with what was left.
func (c Clock) Resume(at time.Time) (Clock, error) { return c.Apply(Mark{At: at, Act: ActResume}) }

// Extend adds to the budget. Working hours and working days may be added to each other, clock hours to clock hours alone.
func (c Clock) Extend(at time.Time, by Budget, reason Words) (Clock, error) {
	return c.Apply(Mark{At: at, Act: ActExtend, Limit: by, Reason: reason})
}

// Stop ends the count.
func (c Clock) Stop(at time.Time) (Clock, error) { return c.Apply(Mark{At: at, Act: ActStop}) }

// Reopen lets a stopped clock run on with what was left, at least half the limit.
func (c Clock) Reopen(at time.Time, reason Words) (Clock, error) {
	return c.Apply(Mark{At: at, Act: ActReopen, Reason: reason})
}

// Rework lets a stopped clock run on with half the limit, whatever was left.
func (c Clock) Rework(at time.Time, reason Words) (Clock, error) {
	return c.Apply(Mark{At: at, Act: ActRework, Reason: reason})
}

// Relimit puts another limit, perhaps of another unit, in the place of the present one. What was used so far is counted
// anew in the new unit and stays used; what was added to the old limit goes with it. At least half the new limit is left,
// so that a case is not late at the moment in which it turns out to be a more urgent one.
func (c Clock) Relimit(at time.Time, limit Budget, reason Words) (Clock, error) {
	return c.Apply(Mark{At: at, Act: ActRelimit, Limit: limit, Reason: reason})
}

// MarshalJSON writes the marks; a clock that was not started is null.
func (c Clock) MarshalJSON() ([]byte, error) { return json.Marshal(c.marks) }

// UnmarshalJSON reads marks as Restore does.
func (c *Clock) UnmarshalJSON(data []byte) error {
	var marks []Mark
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&marks); err != nil {
		return fmt.Errorf("read a clock's marks: %w", err)
	}
	if marks == nil {
		*c = Clock{}
		return nil
	}
	got, err := Restore(marks)
	if err != nil {
		return err
	}
	*c = got
	return nil
}

// amberPercent is the share of the time granted after which a clock turns amber: 80 %.
const amberPercent = 80

// State is a clock read in a calendar: the figures that lists and sweeps keep. Seconds are of the unit's time.
type State struct {
	Phase   Phase
	Unit    Unit
	Limit   int64     // the limit, in seconds
	Budget  int64     // in all: the limit, what was added, and what re-openings granted
	Granted int64     // what was used when the present grant began: 0, or at the last re-opening or rework
	Started time.Time // of the first run
	Since   time.Time // where it runs, the last mark: what came after is not in Used; else zero
	Stopped time.Time // zero unless it is stopped
	Used    int64     // up to Since where it runs, else in all
	// Amber is the first moment at which 80 % of the present grant are used, Due that at which all of it is. Both are
	// foretold as if a running clock ran on, also one that was stopped while it ran. A clock that was paused last has a
	// zero there unless the moment had come before: when it will come is not known.
	Amber, Due time.Time
}

// Remaining is what is left at a moment not before the last mark, in seconds; negative once more than the budget is used,
// which a clock only does in its own time: at night nothing is used.
func (s State) Remaining(c *Calendar, at time.Time) int64 { return s.Budget - s.UsedAt(c, at) }

// UsedAt is what is used at a moment not before the last mark, in seconds.
func (s State) UsedAt(c *Calendar, at time.Time) int64 {
	if s.Phase != Running {
		return s.Used
	}
	return s.Used + s.Unit.between(c, s.Since, at)
}

// Late reports whether the deadline is missed at a moment: the moment of Due itself is still in time. A stopped clock was
// late, or not, when it was stopped.
func (s State) Late(at time.Time) bool {
	if s.Phase == Stopped {
		at = s.Stopped
	}
	return !s.Due.IsZero() && at.Unix() > s.Due.Unix()
}

// run is a stretch of time in which a clock ran; the last one of a running clock has no end.
type run struct {
	from, to time.Time
}

// State reads the clock in a calendar, mark by mark. The times are in the calendar's zone.
func (c Clock) State(cal *Calendar) State {
	var s State
	var runs []run
	foretold := false // whether the last run tells when the moments come
	for _, m := range c.marks {
		at := m.At.In(cal.zone)
		if s.Phase == Running { // what ran until this mark is used
			s.Used += s.Unit.between(cal, s.Since, at)
			s.Since = at
		}
		switch m.Act {
		case ActStart:
			s.Unit, s.Limit, s.Started = m.Limit.unit, m.Limit.Seconds(cal), at
			s.Budget = s.Limit
		case ActExtend:
			s.Budget += m.Limit.Seconds(cal)
		case ActReopen:
			s.Granted, s.Budget = s.Used, max(s.Budget, s.Used+s.Limit/2)
		case ActRework:
			s.Granted, s.Budget = s.Used, s.Used+s.Limit/2
		case ActRelimit:
			s.Unit, s.Limit = m.Limit.unit, m.Limit.Seconds(cal)
			s.Used = used(cal, s.Unit, runs, at)
			s.Granted, s.Budget = 0, s.Limit
			if least := s.Used + s.Limit/2; least > s.Budget {
				s.Granted, s.Budget = s.Used, least
			}
		}
		phase := transitions[m.Act].to
		if phase != "" {
			foretold = phase == Running || phase == Stopped && s.Phase == Running
		}
		switch {
		case phase == Running:
			s.Since, s.Stopped = at, time.Time{}
			runs = append(runs, run{from: at})
		case phase != "" && s.Phase == Running:
			s.Since = time.Time{}
			runs[len(runs)-1].to = at
		}
		if phase == Stopped {
			s.Stopped = at
		}
		if phase != "" {
			s.Phase = phase
		}
	}
	if s.Phase != "" {
		s.Amber = reach(cal, s.Unit, runs, foretold, s.Granted+(s.Budget-s.Granted)*amberPercent/100)
		s.Due = reach(cal, s.Unit, runs, foretold, s.Budget)
	}
	return s
}

// used counts what ran before a moment.
func used(cal *Calendar, u Unit, runs []run, until time.Time) int64 {
	var sum int64
	for _, r := range runs {
		to := r.to
		if to.IsZero() || to.After(until) {
			to = until
		}
		if r.from.Before(to) {
			sum += u.between(cal, r.from, to)
		}
	}
	return sum
}

// reach is the first moment at which the runs have used so many seconds, zero where they end before; with onward the last
// one is taken to have no end.
func reach(cal *Calendar, u Unit, runs []run, onward bool, seconds int64) time.Time {
	for i, r := range runs {
		due := u.due(cal, r.from, seconds)
		if onward && i == len(runs)-1 || !due.After(r.to) {
			return due
		}
		seconds -= u.between(cal, r.from, r.to)
	}
	return time.Time{}
}
