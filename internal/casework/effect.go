package casework

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/assign"
	"gridgov/internal/catalogue"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// Change is another document beside those in force: what would it do?
type Change struct {
	Kind     regime.Kind
	Before   *regime.Regime // in force
	After    *regime.Regime // the same, but for the document of the kind
	World    *assign.World
	ItemName func(code string) worktime.Words
	// List is the one-stop list that a case was opened under.
	List func(regime.ID) (*catalogue.Catalogue, error)
	At   time.Time
	// From and To are when the cases were opened of which is asked who would have got them; of rules alone.
	From, To time.Time
}

// Side is one side of a comparison: who answers, or when a clock is due.
type Side struct {
	assign.Decision
	Amber, Due time.Time // zero: not known, as it stands still
	Colour     Colour
	Limit      worktime.Budget
}

// Moved is a case that the change moves, or one clock of it.
type Moved struct {
	Ref
	ID            uuid.UUID // of its report
	Item          string
	Kind          string
	Town          string
	State         State
	Unit          policy.UnitID // that has it now
	OpenedAt      time.Time
	Clock         ClockKind // "": it is about who answers
	Stage         int
	Before, After Side
	// InSpan tells that it was opened in the span that is asked of, Redecided that it is open and would go from the unit that
	// has it to another if it were decided now. Of rules alone.
	InSpan, Redecided bool

	cell policy.Cell
	not  []policy.UnitID // that gave it back, where it was decided without them
}

// Way is from where to where a change moves something: units, or colours.
type Way struct {
	FromUnit, ToUnit     policy.UnitID
	FromColour, ToColour Colour
}

// Way is where the change moves it.
func (m *Moved) Way() Way {
	return Way{m.Before.Unit, m.After.Unit, m.Before.Colour, m.After.Colour}
}

// Ways counts what is moved in one way.
type Ways struct {
	Way
	Cases, Clocks     int
	InSpan, Redecided int            // cases, of rules: as [Moved] has it
	Items, Towns      map[string]int // cases, by code; "": in no town
	last              Ref
}

// Effect is what a change would do, counted.
type Effect struct {
	Looked int // cases: of rules those opened in the span, else those that are open
	Moved  int // of them go to another unit, or have a clock with other times
	// Of rules: open cases looked at; those that would go to another unit if they were decided now; and those of the span that
	// stay with the unit, but with others that support it, or are sent at once where the desk was asked, or the reverse.
	Open, Redecided, Aside int
	// Of lists and calendars: clocks that are not stopped; those with other times; those due earlier, and later.
	Clocks, ClocksMoved, Earlier, Later int
	// Of lists: open cases to which the list gives other limits than the one they were opened under; and of them those in
	// disposal that keep theirs in any case, as the list has another number of stages.
	Differ, Kept int
	Ways         []*Ways // the most cases first
	byWay        map[Way]*Ways
}

// count takes one that is moved into the effect. What is moved comes case by case.
func (e *Effect) count(m *Moved) {
	if e.byWay == nil {
		e.byWay = map[Way]*Ways{}
	}
	w := e.byWay[m.Way()]
	if w == nil {
		w = &Ways{Way: m.Way(), Items: map[string]int{}, Towns: map[string]int{}}
		e.byWay[m.Way()] = w
		e.Ways = append(e.Ways, w)
	}
	if m.Clock != "" {
		w.Clocks++
		if w.last == m.Ref {
			return
		}
	}
	w.last = m.Ref
	w.Cases++
	if m.InSpan {
		w.InSpan++
	}
	if m.Redecided {
		w.Redecided++
	}
	w.Items[m.Item]++
	w.Towns[m.Town]++
}

func (e *Effect) sort() {
	slices.SortStableFunc(e.Ways, func(a, b *Ways) int {
		return cmp.Or(b.Cases-a.Cases, cmp.Compare(a.FromUnit, b.FromUnit), cmp.Compare(a.ToUnit, b.ToUnit),
			cmp.Compare(a.FromColour, b.FromColour), cmp.Compare(a.ToColour, b.ToColour))
	})
}

// seen is a case as an effect looks at it.
type seen struct {
	Case
	ID   uuid.UUID
	Kind string
	Cell policy.Cell
}

func (k *seen) moved() Moved {
	return Moved{Ref: k.Ref, ID: k.ID, Item: k.Item, Kind: k.Kind, Town: k.Cell.Town, State: k.State, Unit: k.Unit, OpenedAt: k.OpenedAt, cell: k.Cell}
}

// look compares one case, and tells each of what is moved.
func (ch *Change) look(e *Effect, k *seen, each func(*Moved)) error {
	switch ch.Kind {
	case regime.Rules:
		return ch.lookAtRules(e, k, each)
	case regime.Calendar:
		e.Looked++
		ch.compare(e, k, k.Clocks, ch.Before.Calendar, ch.After.Calendar, each)
		return nil
	case regime.Catalogue:
		return ch.lookAtList(e, k, each)
	}
	return nil
}

// lookAtRules asks who would have got a case, and who would get an open one now. Units are as they are now: who was a member
// and how much they had to do then is not kept.
func (ch *Change) lookAtRules(e *Effect, k *seen, each func(*Moved)) error {
	f := ch.facts(k)
	m := k.moved()
	var err error
	if m.Before.Decision, err = ch.Before.Rules.Foretell(ch.World, f); err != nil {
		return err
	}
	if m.After.Decision, err = ch.After.Rules.Foretell(ch.World, f); err != nil {
		return err
	}
	m.InSpan = !k.OpenedAt.Before(ch.From) && k.OpenedAt.Before(ch.To)
	other := m.Before.Unit != m.After.Unit
	if m.InSpan {
		e.Looked++
		switch {
		case other:
			e.Moved++
		case m.Before.Dispatch != m.After.Dispatch || !slices.Equal(m.Before.Supporting, m.After.Supporting):
			e.Aside++
		}
	}
	if k.State.Open() {
		e.Open++
		before, after := m.Before.Decision, m.After.Decision
		if len(k.ReturnedBy) > 0 {
			f.Not = k.ReturnedBy
			if before, err = ch.Before.Rules.Foretell(ch.World, f); err != nil {
				return err
			}
			if after, err = ch.After.Rules.Foretell(ch.World, f); err != nil {
				return err
			}
		}
		if m.Redecided = before.Unit != after.Unit && after.Unit != k.Unit; m.Redecided {
			e.Redecided++
			if !other || !m.InSpan {
				m.Before.Decision, m.After.Decision, m.not = before, after, f.Not
			}
		}
	}
	if m.InSpan && other || m.Redecided {
		e.count(&m)
		each(&m)
	}
	return nil
}

func (ch *Change) facts(k *seen) *assign.Facts {
	f := &assign.Facts{Item: k.Item, Kind: k.Kind, Cell: k.Cell, AtWork: ch.Before.Calendar.AtWork(k.OpenedAt)}
	if item := ch.Before.Catalogue.Item(k.Item); item != nil {
		f.ItemName, f.Aspect = item.Name, item.Aspect
	} else {
		f.ItemName = ch.ItemName(k.Item)
	}
	return f
}

// Explain gives both sides of a case that rules move their words.
func (ch *Change) Explain(m *Moved) error {
	k := seen{Case: Case{Ref: m.Ref, Item: m.Item, OpenedAt: m.OpenedAt}, Kind: m.Kind, Cell: m.cell}
	f := ch.facts(&k)
	f.Not = m.not
	var err error
	if m.Before.Decision, err = ch.Before.Rules.Decide(ch.World, f); err != nil {
		return err
	}
	m.After.Decision, err = ch.After.Rules.Decide(ch.World, f)
	return err
}

// compare tells of the clocks of a case that are not stopped and have other times in after, by another calendar or with other
// marks.
func (ch *Change) compare(e *Effect, k *seen, after []Clock, before, by *worktime.Calendar, each func(*Moved)) {
	moved := false
	for i := range k.Clocks {
		was, is := &k.Clocks[i], &after[i]
		if was.Phase() == worktime.Stopped {
			continue
		}
		e.Clocks++
		a, b := was.State(before), is.State(by)
		if a.Due.Equal(b.Due) && a.Amber.Equal(b.Amber) && was.Limit() == is.Limit() { // one that stands still may have another limit, and no due
			continue
		}
		moved = true
		e.ClocksMoved++
		switch {
		case a.Due.IsZero() || b.Due.IsZero() || a.Due.Equal(b.Due):
		case b.Due.Before(a.Due):
			e.Earlier++
		default:
			e.Later++
		}
		m := k.moved()
		m.Clock, m.Stage = was.Kind, was.Stage
		m.Before = Side{Amber: a.Amber, Due: a.Due, Colour: ColourOf(&a, ch.At), Limit: was.Limit()}
		m.After = Side{Amber: b.Amber, Due: b.Due, Colour: ColourOf(&b, ch.At), Limit: is.Limit()}
		e.count(&m)
		each(&m)
	}
	if moved {
		e.Moved++
	}
}

// lookAtList asks what an open case would be like under the list. By itself a list moves no open case.
func (ch *Change) lookAtList(e *Effect, k *seen, each func(*Moved)) error {
	e.Looked++
	list, err := ch.List(k.CatalogueID)
	if err != nil {
		return err
	}
	was := TermsOf(&regime.Regime{Catalogue: list, Calendar: ch.Before.Calendar, CalendarID: ch.Before.CalendarID}, k.Item)
	is := TermsOf(&regime.Regime{Catalogue: ch.After.Catalogue, Calendar: ch.Before.Calendar, CalendarID: ch.Before.CalendarID}, k.Item)
	after := &k.Case
	switch n, fits, err := Relimited(&k.Case, was, is, ch.After.CatalogueID, ch.At); {
	case err != nil:
		return err
	case !fits:
		e.Differ++
		e.Kept++
	case n != nil:
		e.Differ++
		after = n
	}
	ch.compare(e, k, after.Clocks, ch.Before.Calendar, ch.Before.Calendar, each)
	return nil
}
