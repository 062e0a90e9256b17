package casework

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/assign"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// Ref names a case.
type Ref struct {
	Report report.Num
	Part   int // 0: the report's own case
}

// Case is what has become of a report, or of a part that was split off it. A Case is a value: [Apply] returns another one.
type Case struct {
	Ref
	Parent int  // the part that this one was split off; 0 of the report's own case, too
	Task   bool // it was given out as a task, to be done beside others
	State  State
	// Version is the number of acts that were done with it. An act that saw another version comes too late.
	Version int

	Item        string
	CatalogueID regime.ID     // the one-stop list that it was opened under
	RulesID     regime.ID     // the rules that found the unit
	Rule        int           // their line, from 1; 0: none fitted, or somebody chose
	Unit        policy.UnitID // responsible: a case never is without an owner
	Supporting  []policy.UnitID
	Words       worktime.Words  // why that unit
	ReturnedBy  []policy.UnitID // units that gave it back
	Handler     uuid.UUID       // who has claimed it; nil: nobody
	DoneBy      uuid.UUID       // who fed back last

	OpenedAt, DispatchedAt, ClosedAt time.Time
	SettledBy                        SettledBy
	Extensions                       int
	Asked                            *Extension // a second extension that was asked for
	MergedInto                       *Ref
	Object                           string    // the shop, site or household it is about
	Rating                           int       // 1 to 5; 0: none
	Clocks                           []Clock   // in the order in which they were started
	SupervisedAt                     time.Time // since when the town looks after it; zero: it does not
}

// Extension is time asked for.
type Extension struct {
	Stage  int
	By     worktime.Budget
	Reason string
}

// Terms are what the regime says of a case: that in force when it was opened.
type Terms struct {
	Calendar   *worktime.Calendar
	CalendarID regime.ID
	First      worktime.Budget // the item's first response
	Stages     []Stage         // the item's disposal: at least one
	MaySettle  bool            // whoever finds it may settle it at once
	Steps      Steps
}

// Stage is a limit of the disposal; those of one item run side by side.
type Stage struct {
	Name  worktime.Words
	Limit worktime.Budget
}

// Steps are the limits that are no item's. Zero: none.
type Steps struct {
	Dispatch, Confirm, SelfSettle, Receive, Return, Verify, Review worktime.Budget
}

// Open is a new case of an item, as the decision has it. A part begins where the desk sends it to a unit, a task with its unit.
func Open(c Case, d assign.Decision, t *Terms, at time.Time) (*Case, error) {
	c.State, c.OpenedAt = Reported, at
	c.decided(&d)
	switch {
	case d.Dispatch || c.Task:
		c.State, c.DispatchedAt = Dispatched, at
	case c.Part > 0:
		c.State = Accepted
	}
	err := c.runClocks(t, Doing{At: at})
	c.countedBy(t.CalendarID, nil)
	return &c, err
}

// decided takes over which unit answers, and why.
func (c *Case) decided(d *assign.Decision) {
	c.Unit, c.Supporting, c.Rule, c.Words = d.Unit, slices.Clone(d.Supporting), d.Rule, d.Words
}

// Due is when the first of its running clocks is due, and amber when the first of them turns; zero without one.
func (c *Case) Due(cal *worktime.Calendar) (amber, due time.Time) {
	first := func(a, b time.Time) time.Time {
		if a.IsZero() || !b.IsZero() && b.Before(a) {
			return b
		}
		return a
	}
	for i := range c.Clocks {
		if s := c.Clocks[i].State(cal); s.Phase == worktime.Running {
			amber, due = first(amber, s.Amber), first(due, s.Due)
		}
	}
	return amber, due
}

func (c *Case) clone() *Case {
	n := *c
	n.Supporting, n.ReturnedBy, n.Clocks = slices.Clone(c.Supporting), slices.Clone(c.ReturnedBy), slices.Clone(c.Clocks)
	return &n
}
