package casework

import (
	"slices"
	"time"

	"gridgov/internal/assign"
)

// Conclude is the act by which the service keeps how a matter ended that came here with its end. It is in no line of the
// table: nobody can do it.
const Conclude Act = "conclude"

// OpenPast is the case of a matter that came with its end, as an import brings it. What was done on the way is not known and
// none of it is made up: it begins in disposal, so that the item's limit is counted from the moment it was opened, and
// [Concluded] ends it.
func OpenPast(c Case, d assign.Decision, t *Terms, at time.Time) (*Case, error) {
	c.State, c.OpenedAt, c.DispatchedAt = Disposing, at, at
	c.decided(&d)
	err := c.runClocks(t, Doing{At: at})
	c.countedBy(t.CalendarID, nil)
	return &c, err
}

// Concluded ends a case of [OpenPast] at the time that came with it. Who settled it is not known.
func Concluded(c *Case, t *Terms, at time.Time) (*Case, error) {
	n := c.clone()
	n.Version++
	n.State, n.ClosedAt = Closed, at
	err := n.runClocks(t, Doing{Act: Conclude, At: at})
	n.countedBy(t.CalendarID, c.Clocks)
	return n, err
}

// GatherParts is the act by which the service closes a case whose parts have all ended. It is in no line of the table either.
const GatherParts Act = "gather_parts"

// Gather closes a case that was split, once its parts have ended: settled by the highest of those that settled them.
func Gather(c *Case, t *Terms, settled []SettledBy, at time.Time) (*Case, error) {
	n := c.clone()
	n.Version++
	n.State, n.ClosedAt = Closed, at
	for _, by := range Settlers {
		if slices.Contains(settled, by) {
			n.SettledBy = by
		}
	}
	err := n.runClocks(t, Doing{Act: GatherParts, At: at})
	n.countedBy(t.CalendarID, c.Clocks)
	return n, err
}

// Supervised is a case that the service puts under the town's supervision, as [SuperviseBy] does it to its row.
func Supervised(c *Case, at time.Time) *Case {
	n := c.clone()
	n.Version++
	if n.SupervisedAt.IsZero() {
		n.SupervisedAt = at
	}
	return n
}
