package casework

import (
	"slices"
	"time"

	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// Relimit is the act by which the service takes an open case over to another one-stop list, where who published it asked for
// that. It is in no line of the table: a case keeps the list it was opened under, unless somebody decides otherwise for all.
const Relimit Act = "relimit"

var anotherList = worktime.Words{ZH: "一站式清单换版", EN: "another one-stop list"}

// Relimited is an open case under another list, from a moment on: what has been used stays used, what was granted besides
// stays granted, and at least half of each new limit is left. It is nil where the list gives the same limits. fits is false
// where the case is in disposal and the list has another number of stages: it keeps its list then.
func Relimited(c *Case, was, is *Terms, list regime.ID, at time.Time) (n *Case, fits bool, err error) {
	if was.First == is.First && slices.Equal(was.Stages, is.Stages) && was.Steps == is.Steps {
		return nil, true, nil
	}
	if len(was.Stages) != len(is.Stages) && slices.ContainsFunc(c.Clocks, func(k Clock) bool { return k.Kind == DisposalClock }) {
		return nil, false, nil
	}
	n = c.clone()
	n.Version++
	n.CatalogueID = list
	for i := range n.Clocks {
		k := &n.Clocks[i]
		limit := is.limitOf(k.Kind, k.Stage)
		if k.Phase() == worktime.Stopped || limit.IsZero() || limit == k.Limit() {
			continue
		}
		if k.Clock, err = relimit(k.Clock, limit, at); err != nil {
			return nil, true, err
		}
	}
	n.countedBy(is.CalendarID, c.Clocks)
	return n, true, nil
}

// limitOf is the limit of a kind of clock; none where the item has no such stage.
func (t *Terms) limitOf(kind ClockKind, stage int) worktime.Budget {
	for i := range lives {
		if l := &lives[i]; l.kind == kind {
			if limits := l.limit(t); stage < len(limits) {
				return limits[stage]
			}
		}
	}
	return worktime.Budget{}
}

// relimit gives a clock another limit, and what had been added to the old one again.
func relimit(k worktime.Clock, limit worktime.Budget, at time.Time) (worktime.Clock, error) {
	marks := k.Marks()
	if last := marks[len(marks)-1].At; at.Before(last) {
		at = last
	}
	n, err := k.Relimit(at, limit, anotherList)
	if err != nil {
		return k, err
	}
	var added []worktime.Mark
	for _, m := range marks {
		switch m.Act {
		case worktime.ActStart, worktime.ActRelimit:
			added = added[:0]
		case worktime.ActExtend:
			added = append(added, m)
		}
	}
	for _, m := range added {
		if m.Limit.Unit().Working() != limit.Unit().Working() {
			continue // the one cannot be added to the other
		}
		if n, err = n.Extend(at, m.Limit, m.Reason); err != nil {
			return k, err
		}
	}
	return n, nil
}
