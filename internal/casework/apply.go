package casework

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/assign"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// Doing is an act about to be done, with what it carries.
type Doing struct {
	Act    Act
	At     time.Time
	Person uuid.UUID
	// May tells whether the person may do an action with this case.
	May func(policy.Action) bool

	Reason    string
	Evidence  int             // pictures that come with it
	Decision  assign.Decision // of dispatch and transfer: the unit, and why
	Target    *Case           // of merge
	Verdict   *bool           // of confirm: whether it is so
	Rating    int             // of evaluate: 1 to 5
	By        worktime.Budget
	Stage     int // of finish_stage and extensions, from 0
	SettledBy SettledBy
	Measure   Measure
	Officers  int // certificated on the day, of those that it names
	Parts     int // of split and task: how many
	Object    string
	OpenParts int  // of the case, as it is now
	Waits     bool // for parts that it was split into
}

// Measure is what was done with a matter.
type Measure string

// The measures. Inspection and penalty are the law's: two officers with certificates do them, nobody else.
const (
	Dissuaded  Measure = "dissuaded"
	Guided     Measure = "guided"
	Mediated   Measure = "mediated"
	Cleaned    Measure = "cleaned"
	Ordered    Measure = "ordered" // to put it right
	Inspected  Measure = "inspected"
	Penalised  Measure = "penalised"
	NothingHas Measure = "nothing_found"
)

// Measures are all of them.
var Measures = []Measure{Dissuaded, Guided, Mediated, Cleaned, Ordered, Inspected, Penalised, NothingHas}

// Settlers are the three levels.
var Settlers = []SettledBy{VillageOnsite, TownTeam, ByCommittee}

// lines are the lines of the table for an act in a state.
func lines(act Act, s State) (all []*Transition) {
	for i := range Table {
		if t := &Table[i]; t.Act == act && slices.Contains(t.From, s) {
			all = append(all, t)
		}
	}
	return all
}

// Allowed are the acts that may be done with the case now, in the order of the table: those whose line has the state, whose
// action the person may do, and whose guards hold as far as they do not ask what the act will carry.
func Allowed(c *Case, t *Terms, d Doing) (acts []Act) {
	for i := range Table {
		line := &Table[i]
		if !slices.Contains(line.From, c.State) || slices.Contains(acts, line.Act) || !d.May(line.Action) {
			continue
		}
		if !slices.ContainsFunc(line.Guards, func(g Guard) bool { return guards[g].before && guards[g].ask(c, t, &d) != nil }) {
			acts = append(acts, line.Act)
		}
	}
	return acts
}

// Needs are what an act has to carry when the person does it with the case now, and nil where no line allows it.
func Needs(c *Case, act Act, may func(policy.Action) bool) []Need {
	for _, line := range lines(act, c.State) {
		if may(line.Action) {
			return line.Needs
		}
	}
	return nil
}

// Apply does an act: it returns what the case is then, and leaves c as it was. Faults: a conflict case_state where no line of
// the table fits, with the state in its words; not_allowed; what the act needs and lacks by the need's name; what a guard
// holds against it by the guard's name; and clock_order for an act before the one before it.
func Apply(c *Case, t *Terms, d Doing) (*Case, error) {
	fits := lines(d.Act, c.State)
	if len(fits) == 0 {
		return nil, fault.Conflict("case_state", "the case is %s, where nobody can %s", c.State, d.Act)
	}
	line := slices.IndexFunc(fits, func(t *Transition) bool { return d.May(t.Action) })
	if line < 0 {
		return nil, fault.Forbidden("not_allowed", "none of your posts in force allows this with the case")
	}
	for _, n := range fits[line].Needs {
		if missing := n.missing(t, &d); missing != nil {
			return nil, missing
		}
	}
	for _, g := range fits[line].Guards {
		if against := guards[g].ask(c, t, &d); against != nil {
			return nil, against
		}
	}
	n := c.clone()
	n.Version++
	if to := fits[line].To; to != "" {
		n.State = to
	}
	if err := n.effect(t, &d); err != nil {
		return nil, err
	}
	d.Waits = d.Waits || d.Act == Split
	if err := n.runClocks(t, d); err != nil {
		return nil, err
	}
	n.countedBy(t.CalendarID, c.Clocks)
	return n, nil
}

// effect is what an act does besides changing the state and the clocks that go with it.
func (c *Case) effect(t *Terms, d *Doing) (err error) {
	switch d.Act {
	case Dispatch, Transfer:
		c.decided(&d.Decision)
		c.Handler, c.DispatchedAt = uuid.Nil, d.At
	case Return:
		c.ReturnedBy, c.Handler = append(c.ReturnedBy, c.Unit), uuid.Nil
	case Claim:
		c.Handler = d.Person
	case Begin:
		if c.Handler == uuid.Nil {
			c.Handler = d.Person
		}
	case FinishStage:
		k := c.latest(DisposalClock, d.Stage)
		if k == nil || k.Phase() != worktime.Running {
			return fault.Conflict("stage_finished", "stage %d is finished", d.Stage+1)
		}
		k.Clock, err = k.Stop(d.At)
	case Extend:
		c.Extensions++
		err = c.extend(d.Stage, d.By, d.Reason, d.At)
	case AskExtension:
		c.Asked = &Extension{Stage: d.Stage, By: d.By, Reason: d.Reason}
	case ExtendAgain:
		c.Extensions++
		err = c.extend(c.Asked.Stage, c.Asked.By, c.Asked.Reason, d.At)
		c.Asked = nil
	case FeedBack:
		c.DoneBy, c.SettledBy = d.Person, d.SettledBy
	case Settle:
		c.DoneBy, c.SettledBy, c.ClosedAt = d.Person, VillageOnsite, d.At
	case Close:
		c.ClosedAt = d.At
	case Merge:
		c.MergedInto = &Ref{d.Target.Report, d.Target.Part}
	case Relate:
		c.Object = d.Object
	case Supervise:
		if c.SupervisedAt.IsZero() {
			c.SupervisedAt = d.At
		}
	case Evaluate:
		c.Rating = d.Rating
	case Reopen:
		c.ClosedAt, c.SettledBy, c.Rating, c.SupervisedAt = time.Time{}, "", 0, time.Time{}
	}
	return err
}

func (c *Case) extend(stage int, by worktime.Budget, reason string, at time.Time) (err error) {
	k := c.latest(DisposalClock, stage)
	if k == nil || k.Phase() == worktime.Stopped {
		return fault.Conflict("stage_finished", "stage %d is finished: its limit cannot be extended", stage+1)
	}
	k.Clock, err = k.Extend(at, by, sameWords(reason))
	return err
}

// missing tells what the act does not carry.
func (n Need) missing(t *Terms, d *Doing) error {
	lacks := func(bad bool, format string, args ...any) error {
		if bad {
			return fault.Invalid(string(n), "missing", format, args...)
		}
		return nil
	}
	switch n {
	case NeedReason:
		return lacks(d.Reason == "", "give a reason")
	case NeedEvidence:
		return lacks(d.Evidence == 0, "add at least one photo")
	case NeedUnit:
		return lacks(d.Decision.Unit == 0, "say which unit")
	case NeedTarget:
		return lacks(d.Target == nil, "say which case it is the same as")
	case NeedVerdict:
		return lacks(d.Verdict == nil, "say whether it is so")
	case NeedRating:
		return lacks(d.Rating < 1 || d.Rating > 5, "rate it from 1 to 5")
	case NeedBudget:
		return lacks(d.By.IsZero(), "say how much more time")
	case NeedStage:
		return lacks(d.Stage < 0 || d.Stage >= len(t.Stages), "say which of the %d stages", len(t.Stages))
	case NeedSettler:
		return lacks(!slices.Contains(Settlers, d.SettledBy), "say who settled it: %v", Settlers)
	case NeedParts:
		return lacks(d.Parts == 0, "say into what")
	case NeedObject:
		return lacks(d.Object == "", "say which shop, site or household")
	}
	panic("casework: no need " + string(n))
}

// week is how long who told a report may say that it is not settled.
const week = 7 * 24 * time.Hour

// guards are what is asked of each. before: it can be asked before the act is there.
var guards = map[Guard]struct {
	before bool
	ask    func(*Case, *Terms, *Doing) error
}{
	OtherPerson: {true, func(c *Case, _ *Terms, d *Doing) error {
		return holds(d.Person != c.DoneBy, OtherPerson, "who fed it back does not verify it: ask a colleague")
	}},
	PartsDone: {true, func(_ *Case, _ *Terms, d *Doing) error {
		return holds(d.OpenParts == 0, PartsDone, "%d parts of it are open: they come first", d.OpenParts)
	}},
	StagesDone: {true, func(c *Case, t *Terms, _ *Doing) error {
		for stage := range len(t.Stages) - 1 { // the last one ends with the feedback
			if k := c.latest(DisposalClock, stage); k != nil && k.Phase() != worktime.Stopped {
				return holds(false, StagesDone, "stage %d, %s, is not finished", stage+1, t.Stages[stage].Name.EN)
			}
		}
		return nil
	}},
	FirstTime: {true, func(c *Case, _ *Terms, _ *Doing) error {
		return holds(c.Extensions == 0, FirstTime, "it was extended before: the unit's head asks, the head of the centre grants")
	}},
	SecondTime: {true, func(c *Case, _ *Terms, _ *Doing) error {
		return holds(c.Extensions == 1, SecondTime, "it was extended %d times; there is a first and a second time", c.Extensions)
	}},
	Asked: {true, func(c *Case, _ *Terms, _ *Doing) error {
		return holds(c.Asked != nil, Asked, "the unit's head has not asked for it")
	}},
	WithinWeek: {true, func(c *Case, _ *Terms, d *Doing) error {
		return holds(!d.At.After(c.ClosedAt.Add(week)), WithinWeek, "it was closed more than seven days ago: ask the command centre")
	}},
	MayBeSettled: {true, func(_ *Case, t *Terms, _ *Doing) error {
		return holds(t.MaySettle, MayBeSettled, "the one-stop list does not let this item be settled on the spot")
	}},
	InReturnTime: {true, func(c *Case, t *Terms, d *Doing) error {
		limit := t.Steps.Return
		if limit.IsZero() {
			return nil
		}
		k, err := worktime.Start(c.DispatchedAt, limit)
		if err != nil {
			return err
		}
		return holds(!k.State(t.Calendar).Late(d.At), InReturnTime, "it can be given back within %s of being dispatched: ask the command centre", limit)
	}},
	OtherUnit: {false, func(c *Case, _ *Terms, d *Doing) error {
		return holds(d.Reason != "" || !slices.Contains(c.ReturnedBy, d.Decision.Unit), OtherUnit, "that unit gave it back: choose another, or say why it is theirs")
	}},
	NotItself: {false, func(c *Case, _ *Terms, d *Doing) error {
		return holds(d.Target.Report != c.Report && d.Target.State.Open(), NotItself, "a case is merged into another report's that is open: this one is %s", d.Target.State)
	}},
	Certificated: {false, func(_ *Case, _ *Terms, d *Doing) error {
		legal := d.Measure == Inspected || d.Measure == Penalised
		return holds(!legal || d.Officers >= 2, Certificated, "an inspection or a penalty names two officers with certificates in force")
	}},
}

func holds(ok bool, g Guard, format string, args ...any) error {
	if ok {
		return nil
	}
	return fault.Conflict(string(g), format, args...)
}
