// Package investigation is what becomes of proposals: a committee orders an investigation, by two certificated officers at least, or declines
// it; who went says what was found. That officers are two, and their certificates in force on the day, the database itself holds.
//
// What an investigation is beyond that (the notice to whom it is of, checklists, rectification, how often one is visited) is to come: an
// order's acts are the place for it.
package investigation

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// ID is an order's number.
type ID int64

// State is how an order stands.
type State string

// The states.
const (
	Ordered   State = "ordered"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// States are all of them.
var States = []State{Ordered, Done, Cancelled}

// Act is something that is done with a proposal or with an order.
type Act string

// The acts on proposals, then those on orders. What is done with an order is done with its proposals too: order is an act of both.
const (
	Decline    Act = "decline"
	Reconsider Act = "reconsider"
	Approve    Act = "approve"

	Change Act = "change"
	Finish Act = "done"
	Cancel Act = "cancel"
)

// reopen and order are what follows from another act.
const (
	reopen Act = "reopen"
	order  Act = "order"
)

// Need is what an act has to carry.
type Need string

// What acts carry.
const (
	NeedReason   Need = "reason"
	NeedOrder    Need = "order" // a unit, a day, officers
	NeedFindings Need = "findings"
	NeedChange   Need = "change" // a day, officers, or both
)

// Guard is a condition beyond state, right and needs.
type Guard string

// The guards.
const (
	TwoOfficers Guard = "two_officers" // each with a certificate in force on the day, of the unit or one that supports it, and not on leave
	NotPast     Guard = "not_past"     // the day is today or to come
	DayHasCome  Guard = "day_has_come"
)

// Decision is a line of the table of a proposal.
type Decision struct {
	Act    Act
	From   screening.State
	To     screening.State
	Action policy.Action
	Needs  []Need
	Guards []Guard
	Why    string
}

// Decisions are the whole machine of a proposal. What no line allows is refused.
var Decisions = []Decision{
	{Approve, screening.IsOpen, screening.IsOrdered, policy.ProposalDecide, []Need{NeedOrder}, []Guard{TwoOfficers, NotPast}, "the committee sends somebody"},
	{Decline, screening.IsOpen, screening.IsDeclined, policy.ProposalDecide, []Need{NeedReason}, nil, "not worth going, and why"},
	{Reconsider, screening.IsDeclined, screening.IsOpen, policy.ProposalDecide, []Need{NeedReason}, nil, "worth going after all"},
	{Finish, screening.IsOrdered, screening.IsDone, "", nil, nil, "its order is done"},
	{reopen, screening.IsOrdered, screening.IsOpen, "", nil, nil, "its order is cancelled"},
}

// Transition is a line of the table of an order.
type Transition struct {
	Act    Act
	From   State
	To     State
	Action policy.Action
	Needs  []Need
	Guards []Guard
	Why    string
}

// Table is the whole machine of an order. What no line allows is refused.
var Table = []Transition{
	{Change, Ordered, Ordered, policy.InvestigationRecord, []Need{NeedChange}, []Guard{TwoOfficers, NotPast}, "somebody falls ill, or it rains"},
	{Finish, Ordered, Done, policy.InvestigationRecord, []Need{NeedFindings}, []Guard{DayHasCome}, "who was there says what was found, or that nothing was"},
	{Cancel, Ordered, Cancelled, policy.ProposalDecide, []Need{NeedReason}, nil, "who ordered it calls it off; its proposals are open again"},
}

// Acts are those that may be done with an order in a state by who may do an action.
func Acts(in State, may func(policy.Action) bool) (list []Act) {
	for _, t := range Table {
		if t.From == in && may(t.Action) {
			list = append(list, t.Act)
		}
	}
	return list
}

// DecisionsOn are those that may be made about a proposal in a state by who may decide.
func DecisionsOn(in screening.State, may func(policy.Action) bool) (list []Act) {
	for _, d := range Decisions {
		if d.From == in && d.Action != "" && may(d.Action) {
			list = append(list, d.Act)
		}
	}
	return list
}

func decision(act Act, from screening.State) *Decision {
	i := slices.IndexFunc(Decisions, func(d Decision) bool { return d.Act == act && d.From == from })
	if i < 0 {
		return nil
	}
	return &Decisions[i]
}

func transition(act Act, from State) *Transition {
	i := slices.IndexFunc(Table, func(t Transition) bool { return t.Act == act && t.From == from })
	if i < 0 {
		return nil
	}
	return &Table[i]
}

// Write writes both tables in Markdown.
func Write(w io.Writer) {
	head := func(of string) {
		fmt.Fprintf(w, "| %s | from | to | action | carries | if | why |\n|---|---|---|---|---|---|---|\n", of)
	}
	line := func(act Act, from, to string, action policy.Action, needs []Need, guards []Guard, why string) {
		by := "follows"
		if action != "" {
			by = "`" + string(action) + "`"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s | %s | %s |\n", act, from, to, by, words(needs), words(guards), why)
	}
	head("proposal")
	for _, d := range Decisions {
		line(d.Act, string(d.From), string(d.To), d.Action, d.Needs, d.Guards, d.Why)
	}
	fmt.Fprintln(w)
	head("order")
	for _, t := range Table {
		line(t.Act, string(t.From), string(t.To), t.Action, t.Needs, t.Guards, t.Why)
	}
}

func words[T ~string](list []T) string {
	s := make([]string, len(list))
	for i, v := range list {
		s[i] = string(v)
	}
	return strings.Join(s, ", ")
}

// Day is a calendar day of the city, as 2026-12-01.
type Day string

// Officer is somebody on an order, by the post that carries the certificate.
type Officer struct {
	Post   policy.PostID
	Person uuid.UUID
	Name   string // "": erased
	Unit   policy.UnitID
	Role   policy.Role
	Until  Day  // the last day on which the certificate is in force; "": the order holds nobody any more
	Away   bool // on leave on the day; of who could go
}

// Order is an investigation that was ordered.
type Order struct {
	ID         ID
	State      State
	Version    int
	Unit       policy.UnitID
	Supporting []policy.UnitID // those at work on the evidence's cases
	Day        Day
	Level      string
	Places     []string // units of the level
	Towns      []string
	Villages   []string
	Grids      []string
	Items      []string
	Objects    []string
	Officers   []Officer
	Proposals  []screening.ProposalID // of which it was ordered; those of a cancelled one are open again
	OrderedAt  time.Time
	OrderedBy  uuid.UUID
	EndedAt    *time.Time
	Found      *bool
	Findings   string
	Visited    []string
	// When its words were emptied, as all its evidence is anonymous: then there is nothing in Objects, Findings and Visited, nor a reason in its
	// deeds. Gone are how many objects there were; nil: it has its words.
	AnonymisedAt             *time.Time
	ObjectsGone, VisitedGone *int
}

// Lies tells whether all of the order's places lie in a reach, or one of its units is of it.
func (o *Order) Lies(in *screening.Within) bool {
	if in.HasAll(o.Towns, o.Villages, o.Grids) {
		return true
	}
	return slices.ContainsFunc(o.units(), func(u int64) bool { return slices.Contains(in.Units, u) })
}

// units are those that go, or help.
func (o *Order) units() []int64 {
	list := []int64{int64(o.Unit)}
	for _, u := range o.Supporting {
		list = append(list, int64(u))
	}
	return list
}

// Deed is an act that was done with an order, or a decision about a proposal.
type Deed struct {
	N      int
	At     time.Time
	Act    Act
	Person uuid.UUID
	Reason string
	Detail Detail // of an order
}

// Detail is what an act on an order changed: days and numbers.
type Detail struct {
	Day       Day                    `json:"day,omitempty"`
	Officers  []policy.PostID        `json:"officers,omitempty"`
	Proposals []screening.ProposalID `json:"proposals,omitempty"`
	Found     *bool                  `json:"found,omitempty"`
}

// Ask is a decision about a proposal.
type Ask struct {
	Act     Act
	Reason  string
	Version int  // of the proposal, as it was seen
	Order   *New // of Approve
	// Within is how far who decides reaches: all that is decided about lies there.
	Within screening.Within
}

// New is an order to be made.
type New struct {
	Unit     policy.UnitID
	Day      Day
	Officers []policy.PostID
	Objects  []string
	Items    []string               // nil: those of the proposals
	With     []screening.ProposalID // merged into it
}

// Doing is an act on an order.
type Doing struct {
	Act      Act
	Reason   string
	Version  int             // of the order, as it was seen
	Found    *bool           // of Finish
	Findings string          // likewise, in words
	Visited  []string        // likewise: which shops, sites or households
	Day      Day             // of Change; "": as it was
	Officers []policy.PostID // likewise; nil: as they were
}
