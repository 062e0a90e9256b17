package app

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/investigation"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// openInvestigations makes what finds high-frequency matters, and what is done about them.
func (c *City) openInvestigations() {
	c.Screenings = &screening.Service{Pool: c.Pool, Feed: c.Writer, City: c.Code, Zone: c.Zone, Now: c.now, Log: c.log, World: c.screened, Committed: c.hasCommitted,
		Filling: c.demoLoading}
	c.Investigations = &investigation.Service{Pool: c.Pool, Feed: c.Writer, Zone: c.Zone, Now: c.now, Committed: c.hasCommitted}
	c.People.Needed = neededForOrders
}

// neededForOrders refuses what would take the certificate of a post away from an investigation.
func neededForOrders(ctx context.Context, tx pgx.Tx, post policy.PostID, begins, until person.Day) error {
	h, is, err := investigation.Holds(ctx, tx, post, investigation.Day(begins), investigation.Day(until))
	if err != nil || !is {
		return err
	}
	day := string(h.Day)
	if t, err := time.Parse(time.DateOnly, day); err == nil {
		day = t.Format("2 January 2006")
	}
	if h.Done {
		return fault.Conflict("investigated", "an investigation was made by this post's certificate on %s: it has to have been in force until then", day)
	}
	return fault.Conflict("on_order", "this post is on the order of %s, investigation %d: put somebody else on it first", day, h.ID)
}

// screened is what decides about a screening now.
func (c *City) screened(ctx context.Context) (screening.World, error) {
	if _, err := c.Reload(ctx); err != nil {
		return screening.World{}, err
	}
	r := c.Regime()
	return screening.World{Layout: c.layout(), List: r.Catalogue, ListID: r.CatalogueID}, nil
}

// demoLoading tells that the city is a generated demo of which not all is there yet.
func (c *City) demoLoading(ctx context.Context) (loading bool, err error) {
	if !c.Demo || !c.Generated {
		return false, nil
	}
	err = c.Pool.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM demo WHERE loaded)`).Scan(&loading)
	return loading, err
}
