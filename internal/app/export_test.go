package app

import (
	"context"

	"gridgov/internal/casework"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// Within is a reach as a condition of lists.
func Within(l *Live, reach *policy.Reach) *report.Within { return l.State().within(reach) }

// ActFor does an act for somebody who is not here to ask.
func ActFor(ctx context.Context, c *City, address string, a casework.Ask) error {
	return c.actFor(ctx, address, a)
}

// RefreshDesk is what is done each time the desk is loaded.
func RefreshDesk(ctx context.Context, c *City) error { return c.refreshDesk(ctx) }
