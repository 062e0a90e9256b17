// Package notice tells people in time: the handler when a clock turns amber, the leader when it falls due, the town when it stays
// overdue. Each is told once of each grant of time. What is told is a row that the page shows; what goes out of the house, by
// e-mail or to machines, follows as a job that was inserted in the same transaction.
package notice

import (
	"slices"

	"github.com/google/uuid"

	"gridgov/internal/casework"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// Step is how far it has come with a clock.
type Step string

// The steps, in their order. Two are of no clock: Webhook, an endpoint was given up; Late, an act came too late for a case.
const (
	Amber     Step = "amber"     // 80 % of the time is used
	Red       Step = "red"       // all of it
	Supervise Step = "supervise" // and the city's grace too
	Webhook   Step = "webhook"
	Late      Step = "late"
)

// Steps are those of a clock.
var Steps = []Step{Amber, Red, Supervise}

// Why says why somebody is told.
type Why string

// The reasons.
const (
	Handler    Why = "handler"     // has claimed it
	DutyLeader Why = "duty_leader" // leads the shift of the responsible unit
	UnitHead   Why = "unit_head"   // of the responsible unit
	UnitPeople Why = "unit_member" // works in it, and nobody leads it
	OnTheSpot  Why = "grid"        // looks after the grid
	Village    Why = "village"
	DeskPeople Why = "desk" // of the command centre
	CentreHead Why = "centre_head"
	TownLeader Why = "town_leader"
	Runs       Why = "administrator" // runs the service, and nobody else is there
	Quicker    Why = "quicker"       // did what an act came too late for
)

// Whys are all of them.
var Whys = []Why{Handler, DutyLeader, UnitHead, UnitPeople, OnTheSpot, Village, DeskPeople, CentreHead, TownLeader, Runs, Quicker}

// Facts are what decides who is told.
type Facts struct {
	Step    Step
	Clock   casework.ClockKind
	Handler uuid.UUID // nil: nobody
	Unit    policy.UnitID
	Cell    policy.Cell // where it lies; zero: nowhere
}

// Receiver is somebody who is told, and why.
type Receiver struct {
	Person uuid.UUID
	Why    Why
}

// Staff are the people who hold posts at the moment.
type Staff struct {
	posts []person.Holder
	leads Leads
}

// Leads tells who leads a unit now by its roster: who leads the shift, else its head. kept is false where the unit keeps no roster; then
// posts alone say it.
type Leads func(unit policy.UnitID) (person uuid.UUID, onShift, kept bool)

// NewStaff are the holders of posts. leads may be nil: no unit keeps a roster.
func NewStaff(posts []person.Holder, leads Leads) *Staff { return &Staff{posts, leads} }

// Receivers are who is told of a step, each once, by the first reason. It is never nobody as long as the city has anybody: where
// a unit has no leader its people are told, then the desk, its head, and whoever runs the service.
//
//	             clocks of a unit                        of the desk, verification    looking on the spot    review
//	amber        handler, else who leads the unit        the desk                     the grid's people      the centre's head
//	red          who leads the unit, and the handler     the centre's head, the desk  and the desk           and the desk
//	supervise    the leaders of the town and the centre's head, of all clocks
func Receivers(f *Facts, s *Staff) []Receiver {
	l := &list{}
	switch f.Step {
	case Supervise:
		l.all(TownLeader, s.nearest(policy.TownLeader, f.Cell))
		l.all(CentreHead, s.nearest(policy.CentreHead, f.Cell))
	default:
		l.clock(f, s)
	}
	// Nobody is there for it: who is next to it.
	l.otherwise(DeskPeople, s.nearest(policy.Desk, f.Cell))
	l.otherwise(CentreHead, s.nearest(policy.CentreHead, f.Cell))
	l.otherwise(Runs, s.of(policy.Administrator))
	return l.receivers
}

// clock adds who is told of a clock that is amber or red.
func (l *list) clock(f *Facts, s *Staff) {
	red := f.Step == Red
	desk, head := s.nearest(policy.Desk, f.Cell), s.nearest(policy.CentreHead, f.Cell)
	switch f.Clock {
	case casework.DeskClock, casework.VerifyClock:
		if red {
			l.all(CentreHead, head)
		}
		l.all(DeskPeople, desk)
	case casework.ReviewClock:
		l.all(CentreHead, head)
		if red {
			l.all(DeskPeople, desk)
		}
	case casework.ConfirmClock, casework.SelfClock:
		l.one(Handler, f.Handler)
		l.all(OnTheSpot, s.nearest(policy.GridWorker, f.Cell))
		l.all(OnTheSpot, s.nearest(policy.GridLeader, f.Cell))
		l.otherwise(Village, s.nearest(policy.VillageSecretary, f.Cell))
		if red {
			l.all(DeskPeople, desk)
		}
	default: // receive, first, disposal: a unit's
		if !red && f.Handler != uuid.Nil {
			l.one(Handler, f.Handler)
			return
		}
		why, leads := s.LeadersOf(f.Unit)
		if red { // the head of the unit answers for it, whoever leads the shift
			l.all(UnitHead, s.in(f.Unit, policy.UnitHead))
		}
		l.all(why, leads)
		l.otherwise(UnitPeople, s.in(f.Unit, policy.Officer, policy.UnitMember, policy.Auxiliary))
		l.one(Handler, f.Handler)
	}
}

// LateReceivers are who is told that an act came too late: who was quicker; where they are gone, or it was the service itself, who leads the
// unit that the case is with, as of a clock. Nobody is told of what they did themselves on another device.
func LateReceivers(c *casework.CameLate, s *Staff) []Receiver {
	if c.Quicker == c.By {
		return nil
	}
	l := &list{}
	if slices.ContainsFunc(s.posts, func(p person.Holder) bool { return p.Person == c.Quicker }) {
		l.one(Quicker, c.Quicker)
		return l.receivers
	}
	all := Receivers(&Facts{Step: Amber, Clock: casework.DisposalClock, Unit: c.Unit, Cell: c.Cell}, s)
	return slices.DeleteFunc(all, func(r Receiver) bool { return r.Person == c.By })
}

// LeadersOf are who leads a unit now. By its roster that is who leads the shift, else the head; where it keeps none, the duty leaders,
// where there are any, else the head.
func (s *Staff) LeadersOf(unit policy.UnitID) (Why, []uuid.UUID) {
	if s.leads != nil {
		switch id, onShift, kept := s.leads(unit); {
		case onShift:
			return DutyLeader, []uuid.UUID{id}
		case kept && id != uuid.Nil:
			return UnitHead, []uuid.UUID{id}
		}
	}
	if list := s.in(unit, policy.DutyLeader); len(list) > 0 {
		return DutyLeader, list
	}
	return UnitHead, s.in(unit, policy.UnitHead)
}

// in are the people of a unit with one of the roles.
func (s *Staff) in(unit policy.UnitID, roles ...policy.Role) (out []uuid.UUID) {
	for i := range s.posts {
		if p := &s.posts[i]; p.Unit == unit && slices.Contains(roles, p.Role) {
			out = append(out, p.Person)
		}
	}
	return out
}

// of are all people with a role.
func (s *Staff) of(role policy.Role) (out []uuid.UUID) {
	for i := range s.posts {
		if s.posts[i].Role == role {
			out = append(out, s.posts[i].Person)
		}
	}
	return out
}

var depth = map[policy.Level]int{policy.City: 1, policy.Town: 2, policy.Village: 3, policy.Grid: 4, policy.Microgrid: 5}

// nearest are the people with a role whose area holds the place, of the smallest such area: a town's desk, else the city's. What
// lies nowhere is the city's.
func (s *Staff) nearest(role policy.Role, at policy.Cell) (out []uuid.UUID) {
	best := 1
	for i := range s.posts {
		p := &s.posts[i]
		if p.Role != role || p.Area.Level != policy.City && !at.In(p.Area) {
			continue
		}
		switch d := depth[p.Area.Level]; {
		case d > best:
			best, out = d, []uuid.UUID{p.Person}
		case d == best:
			out = append(out, p.Person)
		}
	}
	return out
}

type list struct{ receivers []Receiver }

func (l *list) one(why Why, id uuid.UUID) {
	if id != uuid.Nil && !slices.ContainsFunc(l.receivers, func(r Receiver) bool { return r.Person == id }) {
		l.receivers = append(l.receivers, Receiver{id, why})
	}
}

func (l *list) all(why Why, ids []uuid.UUID) {
	for _, id := range ids {
		l.one(why, id)
	}
}

// otherwise adds people where there is nobody yet.
func (l *list) otherwise(why Why, ids []uuid.UUID) {
	if len(l.receivers) == 0 {
		l.all(why, ids)
	}
}
