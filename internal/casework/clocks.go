package casework

import (
	"slices"
	"time"

	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// ClockKind says what a clock of a case measures.
type ClockKind string

// The clocks.
const (
	DeskClock     ClockKind = "desk"    // until it is dispatched
	ConfirmClock  ClockKind = "confirm" // until somebody has looked
	SelfClock     ClockKind = "self_settle"
	ReceiveClock  ClockKind = "receive" // until the unit has it
	FirstClock    ClockKind = "first"   // until somebody is on the scene
	DisposalClock ClockKind = "disposal"
	VerifyClock   ClockKind = "verify"
	ReviewClock   ClockKind = "review" // of a suspended case
)

// Clock is a clock of a case. Disposal has one for each stage.
type Clock struct {
	Kind  ClockKind
	Stage int
	worktime.Clock
	// Calendar is the one by which its times were kept last: of a clock that is stopped the one in force then, and what was
	// in time by it stays in time. 0: not known.
	Calendar regime.ID
}

// countedBy keeps by which calendar the clocks are counted: those that are not stopped, and those that something was done
// with since they were as they were.
func (c *Case) countedBy(calendar regime.ID, were []Clock) {
	for i := range c.Clocks {
		k := &c.Clocks[i]
		if i >= len(were) || k.Phase() != worktime.Stopped || len(k.Marks()) != len(were[i].Marks()) {
			k.Calendar = calendar
		}
	}
}

// life is what a kind of clock does by the case's state: runs, stands still, or is stopped in all other states.
type life struct {
	kind  ClockKind
	runs  []State
	holds []State
	once  bool                           // it is not started anew once it was stopped
	limit func(*Terms) []worktime.Budget // a stage each
}

func step(of func(*Steps) worktime.Budget) func(*Terms) []worktime.Budget {
	return func(t *Terms) []worktime.Budget { return []worktime.Budget{of(&t.Steps)} }
}

// lives is the table of clocks.
var lives = []life{
	{DeskClock, in(Reported, Accepted, Filed, Returned), in(Confirming), false, step(func(s *Steps) worktime.Budget { return s.Dispatch })},
	{ConfirmClock, in(Confirming), nil, false, step(func(s *Steps) worktime.Budget { return s.Confirm })},
	{SelfClock, in(SelfSettled), nil, false, step(func(s *Steps) worktime.Budget { return s.SelfSettle })},
	{ReceiveClock, in(Dispatched), nil, false, step(func(s *Steps) worktime.Budget { return s.Receive })},
	{FirstClock, in(Dispatched, Received), in(Returned), true, func(t *Terms) []worktime.Budget { return []worktime.Budget{t.First} }},
	{DisposalClock, in(Received, Disposing, Rework), in(Dispatched, Returned, Suspended), true, func(t *Terms) (all []worktime.Budget) {
		for _, s := range t.Stages {
			all = append(all, s.Limit)
		}
		return all
	}},
	{VerifyClock, in(FedBack), nil, false, step(func(s *Steps) worktime.Budget { return s.Verify })},
	{ReviewClock, in(Suspended), nil, false, step(func(s *Steps) worktime.Budget { return s.Review })},
}

// latest is the last clock of a kind and stage, or nil.
func (c *Case) latest(kind ClockKind, stage int) *Clock {
	for i := len(c.Clocks) - 1; i >= 0; i-- {
		if k := &c.Clocks[i]; k.Kind == kind && k.Stage == stage {
			return k
		}
	}
	return nil
}

// runClocks lets each clock do what the state that the case has come to asks for.
func (c *Case) runClocks(t *Terms, d Doing) error {
	for _, l := range lives {
		limits := l.limit(t)
		for stage, limit := range limits {
			if limit.IsZero() {
				continue
			}
			if err := c.runClock(&l, stage, limit, stage == len(limits)-1, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Case) runClock(l *life, stage int, limit worktime.Budget, last bool, d Doing) (err error) {
	k := c.latest(l.kind, stage)
	phase := worktime.Phase("")
	if k != nil {
		phase = k.Phase()
	}
	switch {
	case d.Waits && (slices.Contains(l.runs, c.State) || slices.Contains(l.holds, c.State)): // nobody has anything to do with it but in its parts
		if phase == worktime.Running {
			k.Clock, err = k.Pause(d.At, worktime.Words{ZH: "已拆分，待各部分办结", EN: "split, waiting for its parts"})
		}
	case l.kind == ReceiveClock && d.Act == Transfer && phase == worktime.Running: // the next unit has its own hour
		if k.Clock, err = k.Stop(d.At); err != nil {
			return err
		}
		return c.start(l.kind, stage, limit, d.At)
	case slices.Contains(l.runs, c.State):
		switch {
		case phase == worktime.Paused:
			k.Clock, err = k.Resume(d.At)
		case phase == worktime.Running:
		case phase == worktime.Stopped && l.once:
			if last && d.Act == SendBack {
				k.Clock, err = k.Rework(d.At, sameWords(d.Reason))
			} else if last && d.Act == Reopen {
				k.Clock, err = k.Reopen(d.At, sameWords(d.Reason))
			}
		default:
			return c.start(l.kind, stage, limit, d.At)
		}
	case slices.Contains(l.holds, c.State):
		if phase == worktime.Running {
			k.Clock, err = k.Pause(d.At, heldFor(c.State, d.Reason))
		}
	case phase == worktime.Running || phase == worktime.Paused:
		k.Clock, err = k.Stop(d.At)
	}
	return err
}

func (c *Case) start(kind ClockKind, stage int, limit worktime.Budget, at time.Time) error {
	k, err := worktime.Start(at, limit)
	c.Clocks = append(c.Clocks, Clock{Kind: kind, Stage: stage, Clock: k})
	return err
}

// sameWords are somebody's own words, which nobody translates.
func sameWords(s string) worktime.Words { return worktime.Words{ZH: s, EN: s} }

// heldFor tells why a clock stands still.
func heldFor(s State, reason string) worktime.Words {
	if reason != "" {
		return sameWords(reason)
	}
	switch s {
	case Confirming:
		return worktime.Words{ZH: "现场核实", EN: "being looked at on the spot"}
	case Returned:
		return worktime.Words{ZH: "退回待派", EN: "given back, waiting for another unit"}
	}
	return worktime.Words{ZH: "待签收", EN: "waiting for the unit to take it up"}
}
