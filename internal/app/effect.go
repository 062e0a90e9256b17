package app

import (
	"context"
	"time"

	"gridgov/internal/assign"
	"gridgov/internal/casework"
	"gridgov/internal/catalogue"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// ChangeTo sets a document beside those in force. from and to are of rules alone.
func (c *City) ChangeTo(ctx context.Context, d *regime.Document, from, to time.Time) (*casework.Change, error) {
	at := c.now()
	s := c.standing(at)
	before, err := c.Regimes.InForce(ctx, at) // as the database has it: this node may hear of it a moment later
	if err != nil {
		return nil, err
	}
	after := *before
	switch d.Kind {
	case regime.Catalogue:
		after.CatalogueID = d.ID
		after.Catalogue, err = catalogue.Parse(d.Content)
	case regime.Rules:
		after.RulesID = d.ID
		after.Rules, err = assign.Parse(d.Content)
	case regime.Calendar:
		after.CalendarID = d.ID
		after.Calendar, err = worktime.Parse(d.Content)
	}
	if err != nil {
		return nil, err
	}
	return &casework.Change{Kind: d.Kind, Before: before, After: &after, World: s.World, ItemName: s.ItemName, At: at.UTC().Truncate(time.Microsecond), From: from, To: to,
		List: func(id regime.ID) (*catalogue.Catalogue, error) { return c.ListUnder(ctx, id) }}, nil
}
