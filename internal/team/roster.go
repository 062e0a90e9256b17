package team

import (
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// Member is a post in a unit, as far as duty asks for it. A person may be in a unit by several.
type Member struct {
	Unit           policy.UnitID
	Person         uuid.UUID
	Role           policy.Role
	From, Until    time.Time // a zero Until has no end
	Certificate    string
	CertifiedUntil time.Time // until when the certificate is good; zero: there is none
}

// InForce tells whether the post is held at a moment.
func (m *Member) InForce(at time.Time) bool {
	return !at.Before(m.From) && (m.Until.IsZero() || at.Before(m.Until))
}

// Certified tells whether the post's certificate is good at a moment.
func (m *Member) Certified(at time.Time) bool { return at.Before(m.CertifiedUntil) }

// afterLast is how long a unit is taken to have a roster after its last shift: then nobody plans it any more.
const afterLast = 7 * 24 * time.Hour

// keptOf is from when to when a unit has a roster, by its first and last shift; the zero span: never.
func keptOf(first, last time.Time) Span {
	if first.IsZero() {
		return Span{}
	}
	return Span{first, last.Add(afterLast)}
}

// Plan is when a unit is to have somebody on duty, and from when to when it has a roster.
type Plan struct {
	Hours Hours
	Kept  Span
}

// Roster is who is on duty within a window of time. It is immutable, and knows nothing outside of the window.
type Roster struct {
	Window Span
	cal    *worktime.Calendar
	units  map[policy.UnitID]*unitRoster
	leaves map[uuid.UUID][]Span
	turns  []time.Time // when anything of it changes, in order; but for working time
}

type unitRoster struct {
	Plan
	shifts  []Shift // by From
	members []Member
}

// NewRoster makes a roster of what a window has: units' posts, their shifts, granted leave, and what is planned. cal is what tells
// working time.
func NewRoster(window Span, cal *worktime.Calendar, members []Member, shifts []Shift, leaves []Leave, plans map[policy.UnitID]Plan) *Roster {
	r := &Roster{Window: window, cal: cal, units: map[policy.UnitID]*unitRoster{}, leaves: map[uuid.UUID][]Span{}}
	unit := func(id policy.UnitID) *unitRoster {
		u := r.units[id]
		if u == nil {
			u = &unitRoster{Plan: plans[id]}
			if u.Hours == "" {
				u.Hours = AtWork
			}
			r.units[id] = u
			r.turns = append(r.turns, u.Kept.From, u.Kept.To)
		}
		return u
	}
	for id := range plans {
		unit(id)
	}
	for _, m := range members {
		u := unit(m.Unit)
		u.members = append(u.members, m)
		r.turns = append(r.turns, m.From, m.Until, m.CertifiedUntil)
	}
	for _, s := range shifts {
		u := unit(s.Unit)
		u.shifts = append(u.shifts, s)
		r.turns = append(r.turns, s.From, s.To)
	}
	for _, l := range leaves {
		if l.Granted {
			r.leaves[l.Person] = append(r.leaves[l.Person], l.Span)
			r.turns = append(r.turns, l.From, l.To)
		}
	}
	for _, u := range r.units {
		slices.SortStableFunc(u.shifts, func(a, b Shift) int { return a.From.Compare(b.From) })
	}
	r.turns = inOrder(append(r.turns, window.From, window.To))
	return r
}

// inOrder sorts moments; each is there once, and none that is zero.
func inOrder(turns []time.Time) []time.Time {
	turns = slices.DeleteFunc(turns, func(t time.Time) bool { return t.IsZero() })
	slices.SortFunc(turns, time.Time.Compare)
	return slices.CompactFunc(turns, time.Time.Equal)
}

// Steady is the span around a moment in which nobody's duty changes, but for working time; it is a day long at most.
func (r *Roster) Steady(at time.Time) Span {
	i := sort.Search(len(r.turns), func(i int) bool { return r.turns[i].After(at) })
	s := Span{time.Time{}, at.Add(24 * time.Hour)}
	if i > 0 {
		s.From = r.turns[i-1]
	}
	if i < len(r.turns) {
		s.To = r.turns[i]
	}
	return s
}

// Away tells whether somebody is on leave at a moment.
func (r *Roster) Away(person uuid.UUID, at time.Time) bool {
	return slices.ContainsFunc(r.leaves[person], func(s Span) bool { return s.Has(at) })
}

// Keeps tells whether a unit has a roster at a moment.
func (r *Roster) Keeps(unit policy.UnitID, at time.Time) bool {
	u := r.units[unit]
	return u != nil && r.Window.Has(at) && u.Kept.Has(at)
}

// Ever tells whether a unit has, or had, a shift at any time.
func (r *Roster) Ever(unit policy.UnitID) bool {
	u := r.units[unit]
	return u != nil && !u.Kept.From.IsZero()
}

// Hours are when a unit is to have somebody on duty.
func (r *Roster) Hours(unit policy.UnitID) Hours {
	if u := r.units[unit]; u != nil {
		return u.Plan.Hours
	}
	return AtWork
}

// Shifts are the shifts of a unit within the window, in order.
func (r *Roster) Shifts(unit policy.UnitID) []Shift {
	if u := r.units[unit]; u != nil {
		return u.shifts
	}
	return nil
}

// working tells whether it is working time. Without a calendar it always is.
func (r *Roster) working(at time.Time) bool { return r.cal == nil || r.cal.AtWork(at) }

// holds tells whether somebody holds a post in the unit.
func (u *unitRoster) holds(person uuid.UUID, at time.Time, roles ...policy.Role) bool {
	return slices.ContainsFunc(u.members, func(m Member) bool {
		return m.Person == person && m.InForce(at) && (len(roles) == 0 || slices.Contains(roles, m.Role))
	})
}

// OnShift are the shifts under way in a unit, of those who hold a post in it and are not away; who leads comes first. Who only
// stands by is not among them.
func (r *Roster) OnShift(unit policy.UnitID, at time.Time) (on []Shift) {
	if !r.Keeps(unit, at) {
		return nil
	}
	u := r.units[unit]
	// No shift is longer than MaxShift: those that begin earlier are over.
	first := sort.Search(len(u.shifts), func(i int) bool { return u.shifts[i].From.After(at.Add(-MaxShift)) })
	for i := max(0, first-1); i < len(u.shifts) && !u.shifts[i].From.After(at); i++ {
		if s := &u.shifts[i]; s.Kind != Standby && s.Has(at) && u.holds(s.Person, at) && !r.Away(s.Person, at) {
			on = append(on, *s)
		}
	}
	rank := func(s *Shift) int {
		switch {
		case s.Kind == Leads:
			return 0
		case u.holds(s.Person, at, policy.DutyLeader):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(on, func(a, b Shift) int { return rank(&a) - rank(&b) })
	return on
}

// Duty tells how a person stands in a unit at a moment.
type Duty struct {
	On    bool
	Until time.Time // of the shift; zero: as long as working time lasts, as the unit has no roster
	Away  bool      // on leave
}

// Of tells whether somebody of a unit is on duty: on a shift, or, where the unit has no roster, in working time.
func (r *Roster) Of(unit policy.UnitID, person uuid.UUID, at time.Time) Duty {
	u := r.units[unit]
	if u == nil || !u.holds(person, at) {
		return Duty{}
	}
	if r.Away(person, at) {
		return Duty{Away: true}
	}
	if !r.Keeps(unit, at) {
		return Duty{On: r.working(at)}
	}
	for i := range u.shifts {
		if s := &u.shifts[i]; s.Person == person && s.Kind != Standby && s.Has(at) {
			return Duty{On: true, Until: s.To}
		}
	}
	return Duty{}
}

// Anywhere tells whether somebody is on duty in any unit.
func (r *Roster) Anywhere(person uuid.UUID, at time.Time) (d Duty) {
	for id := range r.units {
		if of := r.Of(id, person, at); of.On && (!d.On || of.Until.After(d.Until)) {
			d = of
		} else if of.Away && !d.On {
			d.Away = true
		}
	}
	return d
}

// State is how a unit's duty stands at a moment.
type State string

// The states.
const (
	NoRoster State = "no_roster" // it keeps none
	Led      State = "led"       // somebody is on duty, and leads
	NoLeader State = "no_leader" // somebody is on duty, nobody leads
	Hole     State = "hole"      // nobody is on duty, though somebody should be
	OffHours State = "off_hours" // nobody is on duty, and nobody need be
)

// Standing is how a unit stands at a moment.
type Standing struct {
	State  State
	OnDuty int // people on shift; -1: there is no roster
	Away   int // of its people on leave
}

// Standing tells how a unit stands at a moment.
func (r *Roster) Standing(unit policy.UnitID, at time.Time) Standing {
	s := Standing{State: NoRoster, OnDuty: -1}
	u := r.units[unit]
	if u == nil {
		return s
	}
	for _, m := range r.People(unit, at) {
		if r.Away(m.Person, at) {
			s.Away++
		}
	}
	if !r.Keeps(unit, at) {
		return s
	}
	on := r.OnShift(unit, at)
	s.OnDuty = len(on)
	switch {
	case len(on) > 0 && r.leads(u, &on[0], at):
		s.State = Led
	case len(on) > 0:
		s.State = NoLeader
	case u.Plan.Hours == AtWork && !r.working(at):
		s.State = OffHours
	default:
		s.State = Hole
	}
	return s
}

func (r *Roster) leads(u *unitRoster, s *Shift, at time.Time) bool {
	return s.Kind == Leads || u.holds(s.Person, at, policy.DutyLeader)
}

// By tells by what somebody leads a unit at a moment.
type By string

// How a unit is led: by who leads the shift, or by its head.
const (
	ByShift By = "shift"
	ByHead  By = "head"
)

// headRoles are those of who answers for a unit, by which it is asked in this order.
var headRoles = []policy.Role{policy.UnitHead, policy.CentreHead, policy.Committee, policy.Mediator}

// Leader is who leads a unit at a moment: the duty leader of the shift under way, else the unit's head. ok is false where the unit
// has neither.
func (r *Roster) Leader(unit policy.UnitID, at time.Time) (person uuid.UUID, by By, ok bool) {
	u := r.units[unit]
	if u == nil {
		return uuid.Nil, "", false
	}
	if on := r.OnShift(unit, at); len(on) > 0 && r.leads(u, &on[0], at) {
		return on[0].Person, ByShift, true
	}
	person, ok = r.Head(unit, at)
	return person, ByHead, ok
}

// DutyLeader is who is to be told of what a unit has to do now: who leads the shift, else its head; nil where it has neither. kept tells
// whether the unit keeps a roster.
func (r *Roster) DutyLeader(unit policy.UnitID, at time.Time) (person uuid.UUID, onShift, kept bool) {
	id, by, ok := r.Leader(unit, at)
	return id, ok && by == ByShift, r.Keeps(unit, at)
}

// Head is a unit's head: one who is there before one who is away.
func (r *Roster) Head(unit policy.UnitID, at time.Time) (uuid.UUID, bool) {
	u := r.units[unit]
	if u == nil {
		return uuid.Nil, false
	}
	for _, away := range []bool{false, true} {
		for _, role := range headRoles {
			for i := range u.members {
				if m := &u.members[i]; m.Role == role && m.InForce(at) && r.Away(m.Person, at) == away {
					return m.Person, true
				}
			}
		}
	}
	return uuid.Nil, false
}

// Posts are the posts that are held in a unit at a moment.
func (r *Roster) Posts(unit policy.UnitID, at time.Time) (list []Member) {
	if u := r.units[unit]; u != nil {
		for i := range u.members {
			if u.members[i].InForce(at) {
				list = append(list, u.members[i])
			}
		}
	}
	return list
}

// People are the people of a unit at a moment, each once, with the best of their posts' certificates.
func (r *Roster) People(unit policy.UnitID, at time.Time) (list []Member) {
	seen := map[uuid.UUID]int{}
	for _, m := range r.Posts(unit, at) {
		n, again := seen[m.Person]
		if !again {
			seen[m.Person] = len(list)
			list = append(list, m)
		} else if m.CertifiedUntil.After(list[n].CertifiedUntil) {
			list[n].Certificate, list[n].CertifiedUntil = m.Certificate, m.CertifiedUntil
		}
	}
	return list
}

// Stretch is a span in which a unit's state is the same.
type Stretch struct {
	Span
	State State
}

// Stretches tell how a unit stands over a span, gaplessly and in order; neighbours differ. What lies outside of the window is told
// as without a roster.
func (r *Roster) Stretches(unit policy.UnitID, in Span) (list []Stretch) {
	turns := []time.Time{in.From, in.To}
	add := func(at time.Time) {
		if at.After(in.From) && at.Before(in.To) {
			turns = append(turns, at)
		}
	}
	for _, at := range r.turns {
		add(at)
	}
	if r.cal != nil && r.Hours(unit) == AtWork {
		for from, to := range r.cal.Spells(in.From, in.To) {
			add(from)
			add(to)
		}
	}
	turns = inOrder(turns)
	for i := 0; i+1 < len(turns); i++ {
		state := r.Standing(unit, turns[i]).State
		if n := len(list); n > 0 && list[n-1].State == state {
			list[n-1].To = turns[i+1]
			continue
		}
		list = append(list, Stretch{Span{turns[i], turns[i+1]}, state})
	}
	return list
}
