package app

import (
	"context"
	"time"
)

// PlanOnAt plans the rosters of a demo on as if it were another time.
func (c *City) PlanOnAt(ctx context.Context, at time.Time) error {
	now, teams := c.now, c.Teams.Now
	c.now, c.Teams.Now = func() time.Time { return at }, func() time.Time { return at }
	defer func() { c.now, c.Teams.Now = now, teams }()
	return c.planOn(ctx, false)
}
