package report

import (
	"time"

	"gridgov/internal/policy"
)

// Fate selects reports by what has become of them; a nil field does not filter. State, end and team are those of a report's own
// case, the colour is that of the clock of all its cases that turns first.
type Fate struct {
	States  []string
	Ends    []string // who settled it; "none": nobody yet, or it is not known who
	Teams   []policy.UnitID
	Colours []string  // red, amber, green or none
	At      time.Time // of the colours, in whole seconds
}

// Any tells that something is asked.
func (f *Fate) Any() bool {
	return f.States != nil || f.Ends != nil || f.Teams != nil || f.Colours != nil
}

func (f *Fate) where(add func(cond, name string, value any)) {
	if f.States != nil {
		add(`EXISTS (SELECT FROM cases c WHERE c.report_num = r.num AND c.part = 0 AND c.state = ANY (@states))`, "states", f.States)
	}
	if f.Ends != nil {
		add(`coalesce((SELECT c.settled_by FROM cases c WHERE c.report_num = r.num AND c.part = 0), 'none') = ANY (@ends)`, "ends", f.Ends)
	}
	if f.Teams != nil {
		add(`EXISTS (SELECT FROM cases c WHERE c.report_num = r.num AND c.part = 0 AND c.unit_id = ANY (@teams))`, "teams", f.Teams)
	}
	if f.Colours != nil {
		add(`(SELECT CASE WHEN min(c.due_at) IS NULL THEN 'none' WHEN min(c.due_at) < @colours_at THEN 'red'
				WHEN coalesce(min(c.amber_at) > @colours_at, true) THEN 'green' ELSE 'amber' END
			FROM cases c WHERE c.report_num = r.num) = ANY (@colours)`, "colours", f.Colours)
		add(`true`, "colours_at", f.At)
	}
}
