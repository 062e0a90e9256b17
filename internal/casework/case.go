package casework

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/worktime"
)

// Case is what has become of a report, or of a part that was split off it. A Case is a value: [Apply] returns another one.
type Case struct {
	Report uint32
	Part   int // 0: the report's own case
	State  State
	// Version is the number of acts that were done with it. An act that saw another version comes too late.
	Version int

	Unit       int64 // responsible: a case never is without an owner
	Supporting []int64
	ReturnedBy []int64   // units that gave it back
	Handler    uuid.UUID // who has claimed it; nil: nobody
	DoneBy     uuid.UUID // who fed back last

	OpenedAt, DispatchedAt, ClosedAt time.Time
	SettledBy                        SettledBy
	Extensions                       int
	Asked                            *Extension // a second extension that was asked for
	Clocks                           []Clock    // in the order in which they were started
}

// Extension is time asked for.
type Extension struct {
	Stage  int
	By     worktime.Budget
	Reason string
}

// Terms are what the regime says of a case: that in force when it was opened.
type Terms struct {
	Calendar  *worktime.Calendar
	First     worktime.Budget // the item's first response
	Stages    []Stage         // the item's disposal: at least one
	MaySettle bool            // whoever finds it may settle it at once
	Steps     Steps
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

// Open is the case of a new report. Where the rules dispatch by themselves, dispatched is true.
func Open(report uint32, part int, unit int64, supporting []int64, t *Terms, at time.Time, dispatched bool) (*Case, error) {
	c := &Case{Report: report, Part: part, State: Reported, Unit: unit, Supporting: supporting, OpenedAt: at}
	if part > 0 {
		c.State = Accepted
	}
	if dispatched {
		c.State, c.DispatchedAt = Dispatched, at
	}
	return c, c.runClocks(t, Doing{At: at})
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
