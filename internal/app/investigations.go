package app

import (
	"context"

	"gridgov/internal/screening"
)

// openInvestigations makes what finds high-frequency matters, and what is done about them.
func (c *City) openInvestigations() {
	c.Screenings = &screening.Service{Pool: c.Pool, Feed: c.Writer, City: c.Code, Zone: c.Zone, Now: c.now, Log: c.log, World: c.screened, Committed: c.hasCommitted}
}

// screened is what decides about a screening now.
func (c *City) screened(ctx context.Context) (screening.World, error) {
	if _, err := c.Reload(ctx); err != nil {
		return screening.World{}, err
	}
	r := c.Regime()
	return screening.World{Layout: c.layout(), List: r.Catalogue, ListID: r.CatalogueID}, nil
}
