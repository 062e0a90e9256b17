package team

import (
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/policy"
)

// Member is a post in a unit, as far as duty asks for it. A person may be in a unit by several.
type Member struct {
	Unit           policy.UnitID
	Person         uuid.UUID
	Role           policy.Role
	From, Until    time.Time // a zero Until has no end
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

// Kept is from when to when a unit has a roster, by its first and last shift; the zero span: never.
func Kept(first, last time.Time) Span {
	if first.IsZero() {
		return Span{}
	}
	return Span{first, last.Add(afterLast)}
}

// Roster is who is on duty within a window of time. It is immutable, and knows nothing outside of the window.
type Roster struct {
	window Span
	units  map[policy.UnitID]*unitRoster
	leaves map[uuid.UUID][]Span
	turns  []time.Time // when anything of it changes, in order
}

type unitRoster struct {
	kept    Span
	shifts  []Shift // by From
	members []Member
}

// NewRoster makes a roster of what a window has: units' posts, their shifts, granted leave, and from when to when units have
// a roster.
func NewRoster(window Span, members []Member, shifts []Shift, leaves []Leave, kept map[policy.UnitID]Span) *Roster {
	r := &Roster{window: window, units: map[policy.UnitID]*unitRoster{}, leaves: map[uuid.UUID][]Span{}}
	unit := func(id policy.UnitID) *unitRoster {
		u := r.units[id]
		if u == nil {
			u = &unitRoster{kept: kept[id]}
			r.units[id] = u
			r.turns = append(r.turns, u.kept.From, u.kept.To)
		}
		return u
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
	r.turns = slices.DeleteFunc(append(r.turns, window.From, window.To), func(t time.Time) bool { return t.IsZero() })
	slices.SortFunc(r.turns, time.Time.Compare)
	r.turns = slices.CompactFunc(r.turns, time.Time.Equal)
	return r
}

// Steady is the span around a moment in which nobody's duty changes.
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
	return u != nil && r.window.Has(at) && u.kept.Has(at)
}

// holds tells whether somebody holds a post in the unit.
func (u *unitRoster) holds(person uuid.UUID, at time.Time, roles ...policy.Role) bool {
	return slices.ContainsFunc(u.members, func(m Member) bool {
		return m.Person == person && m.InForce(at) && (len(roles) == 0 || slices.Contains(roles, m.Role))
	})
}

// OnShift are the shifts under way in a unit, of those who hold a post in it and are not away; the duty leader's first.
func (r *Roster) OnShift(unit policy.UnitID, at time.Time) (on []Shift) {
	if !r.Keeps(unit, at) {
		return nil
	}
	u := r.units[unit]
	here := u.here(at)
	// No shift is longer than MaxShift: those that begin earlier are over.
	first := sort.Search(len(u.shifts), func(i int) bool { return u.shifts[i].From.After(at.Add(-MaxShift)) })
	for i := max(0, first-1); i < len(u.shifts) && !u.shifts[i].From.After(at); i++ {
		if s := &u.shifts[i]; s.Has(at) && here[s.Person] && !r.Away(s.Person, at) {
			on = append(on, *s)
		}
	}
	slices.SortStableFunc(on, func(a, b Shift) int {
		switch {
		case a.Leads && !b.Leads:
			return -1
		case b.Leads && !a.Leads:
			return 1
		}
		return 0
	})
	return on
}

// here are those who hold a post in the unit at a moment.
func (u *unitRoster) here(at time.Time) map[uuid.UUID]bool {
	here := make(map[uuid.UUID]bool, len(u.members))
	for i := range u.members {
		if u.members[i].InForce(at) {
			here[u.members[i].Person] = true
		}
	}
	return here
}

// Duty tells how a person stands in a unit at a moment.
type Duty struct {
	On    bool
	Until time.Time // of the shift; zero: as long as working time lasts, as the unit has no roster
	Away  bool      // on leave
}

// Of tells whether somebody of a unit is on duty; working says whether it is working time.
func (r *Roster) Of(unit policy.UnitID, person uuid.UUID, at time.Time, working bool) Duty {
	u := r.units[unit]
	if u == nil || !u.holds(person, at) {
		return Duty{}
	}
	if r.Away(person, at) {
		return Duty{Away: true}
	}
	if !r.Keeps(unit, at) {
		return Duty{On: working}
	}
	for i := range u.shifts {
		if s := &u.shifts[i]; s.Person == person && s.Has(at) {
			return Duty{On: true, Until: s.To}
		}
	}
	return Duty{}
}

// Led tells by what somebody leads a unit at a moment.
type Led string

// How a unit is led: by who leads the shift, or by its head, as there is no roster, nobody on shift, or nobody who leads it.
const (
	ByShift Led = "shift"
	ByHead  Led = "head"
)

// headRoles are those of who answers for a unit, by which it is asked in this order.
var headRoles = []policy.Role{policy.UnitHead, policy.CentreHead, policy.Committee, policy.Mediator}

// Leader is who leads a unit at a moment: the duty leader of the shift under way, else the unit's head, one who is there before
// one who is away. ok is false where the unit has neither.
func (r *Roster) Leader(unit policy.UnitID, at time.Time) (person uuid.UUID, by Led, ok bool) {
	u := r.units[unit]
	if u == nil {
		return uuid.Nil, "", false
	}
	on := r.OnShift(unit, at)
	if len(on) > 0 && on[0].Leads {
		return on[0].Person, ByShift, true
	}
	for i := range on {
		if u.holds(on[i].Person, at, policy.DutyLeader) {
			return on[i].Person, ByShift, true
		}
	}
	for _, away := range []bool{false, true} {
		for _, role := range headRoles {
			for i := range u.members {
				if m := &u.members[i]; m.Role == role && m.InForce(at) && r.Away(m.Person, at) == away {
					return m.Person, ByHead, true
				}
			}
		}
	}
	return uuid.Nil, "", false
}

// People are the people of a unit at a moment, each once, with the best of their posts' certificates.
func (r *Roster) People(unit policy.UnitID, at time.Time) (list []Member) {
	u := r.units[unit]
	if u == nil {
		return nil
	}
	seen := make(map[uuid.UUID]int, len(u.members))
	for i := range u.members {
		m := &u.members[i]
		if !m.InForce(at) {
			continue
		}
		n, again := seen[m.Person]
		if !again {
			seen[m.Person] = len(list)
			list = append(list, *m)
		} else if m.CertifiedUntil.After(list[n].CertifiedUntil) {
			list[n].CertifiedUntil = m.CertifiedUntil
		}
	}
	return list
}

// Holes are the parts of a span in which nobody is on shift who is not away. Shifts that touch leave none.
func Holes(in Span, shifts []Shift, leaves []Leave) (holes []Span) {
	var manned []Span
	for _, s := range shifts {
		for _, part := range without(s.Span, s.Person, leaves) {
			if part.From = later(part.From, in.From); part.To.After(in.To) {
				part.To = in.To
			}
			if part.To.After(part.From) {
				manned = append(manned, part)
			}
		}
	}
	slices.SortFunc(manned, func(a, b Span) int { return a.From.Compare(b.From) })
	at := in.From
	for _, m := range manned {
		if m.From.After(at) {
			holes = append(holes, Span{at, m.From})
		}
		at = later(at, m.To)
	}
	if in.To.After(at) {
		holes = append(holes, Span{at, in.To})
	}
	return holes
}

// without is a span less the granted leave of a person.
func without(s Span, person uuid.UUID, leaves []Leave) []Span {
	parts := []Span{s}
	for _, l := range leaves {
		if l.Person != person || !l.Granted {
			continue
		}
		var left []Span
		for _, p := range parts {
			if !l.To.After(p.From) || !l.From.Before(p.To) {
				left = append(left, p)
				continue
			}
			if l.From.After(p.From) {
				left = append(left, Span{p.From, l.From})
			}
			if l.To.Before(p.To) {
				left = append(left, Span{l.To, p.To})
			}
		}
		parts = left
	}
	return parts
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
