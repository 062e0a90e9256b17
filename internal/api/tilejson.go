package api

import (
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/policy"
	"gridgov/tiles"
)

// tileJSON describes a layer; ok is false when there is none of the name.
func tileJSON(c *app.Live, layer, url string) (doc tiles.Document, ok bool) {
	state := c.State()
	s := tiles.Source{City: c.Name, URL: url, Attribution: strings.Join(c.Attribution(), "; "), Generated: c.Generated}
	if state.Layout != nil {
		s.Bound = state.Layout.Bound
	} else {
		s.Bound = orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}
	}
	names := c.Names()
	words := tiles.Names{Kinds: append(slices.Clone(names.Kinds[1:]), "none"), Sources: names.Sources, States: names.States[1:], Settlers: append(settlerNames(), none)}
	for _, i := range names.Items {
		words.Items = append(words.Items, i.Code)
	}
	switch layer {
	case "jurisdictions":
		if state.Layout == nil {
			return (&tiles.Boundaries{}).Document(s), true
		}
		s.Version = state.Layout.Plan.Version
		s.URL += "?plan=" + s.Version
		return state.Boundaries.Document(s), true
	case "heat":
		s.Names = &words
		return tiles.HeatDocument(s), true
	case "reports":
		s.Names = &words
		return tiles.ReportsDocument(s), true
	case "cases":
		s.Names = &words
		return tiles.CasesDocument(s), true
	case "hotspots":
		s.Names = &words
		var levels []string
		if state.Layout != nil {
			for _, role := range state.Layout.Roles() {
				if role != string(policy.City) {
					levels = append(levels, role)
				}
			}
		}
		return tiles.HotspotsDocument(s, levels), true
	}
	return doc, false
}
