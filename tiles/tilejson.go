package tiles

import (
	"strings"

	"github.com/paulmach/orb"
)

// Document is a TileJSON 3.0.0 document. Filters is a member of our own: the query parameters that the tiles take.
type Document struct {
	TileJSON     string            `json:"tilejson"`
	Name         string            `json:"name"`
	Description  string            `json:"description"`
	Scheme       string            `json:"scheme"`
	Tiles        []string          `json:"tiles"`
	VectorLayers []VectorLayer     `json:"vector_layers"`
	MinZoom      uint32            `json:"minzoom"`
	MaxZoom      uint32            `json:"maxzoom"`
	Bounds       [4]float64        `json:"bounds"` // west, south, east, north in degrees
	Attribution  string            `json:"attribution,omitempty"`
	Version      string            `json:"version,omitempty"`
	Filters      []FilterParameter `json:"filters,omitempty"`
}

// VectorLayer describes one layer: its id is the layer's name in the tiles, Fields the properties and what they say.
type VectorLayer struct {
	ID          string            `json:"id"`
	Description string            `json:"description"`
	MinZoom     uint32            `json:"minzoom"`
	MaxZoom     uint32            `json:"maxzoom"`
	Fields      map[string]string `json:"fields"`
}

// FilterParameter is a query parameter of a tile's URL. Values, if any, are all that it may be.
type FilterParameter struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Values      []string `json:"values,omitempty"`
}

// Source is what all documents of a city have in common.
type Source struct {
	City        string // the city's name
	URL         string // with {z}, {x} and {y}
	Attribution string
	Version     string // changes when the tiles do; may be empty
	Generated   bool   // the city's lines and reports are made up: each document says so
	Bound       orb.Bound
	Names       *Names // for the values of filters; nil for jurisdictions
}

// madeUp is what documents of a generated city say besides. Maps show the attribution, so it stands there too.
const madeUp = "generated for demonstration"

func (s Source) document(name, description string, minZoom uint32, layers ...VectorLayer) Document {
	if s.Generated {
		description += "; the city's lines and reports are " + madeUp
		s.Attribution = strings.TrimPrefix(s.Attribution+"; "+madeUp, "; ")
	}
	return Document{
		TileJSON: "3.0.0", Scheme: "xyz", Name: s.City + ": " + name, Description: description,
		Tiles: []string{s.URL}, VectorLayers: layers, MinZoom: minZoom, MaxZoom: MaxZoom,
		Bounds:      worldBounds(s.Bound),
		Attribution: s.Attribution, Version: s.Version, Filters: s.filters(),
	}
}

// worldBounds are the bounds of a document, inside the world and in order, whatever the bound is.
func worldBounds(b orb.Bound) [4]float64 {
	if b.IsEmpty() || !(b.Min[0] <= b.Max[0] && b.Min[1] <= b.Max[1]) {
		return [4]float64{-180, -85.051129, 180, 85.051129}
	}
	return [4]float64{
		max(-180, b.Min[0]), max(-85.051129, b.Min[1]), min(180, b.Max[0]), min(85.051129, b.Max[1]),
	}
}

func (s Source) filters() []FilterParameter {
	if s.Names == nil {
		return nil
	}
	return []FilterParameter{
		{"item", "item code; several separated by commas; without it all", s.Names.Items},
		{"kind", "kind of report; several separated by commas; without it all", s.Names.Kinds},
		{"source", "how the report came in; several separated by commas; without it all", s.Names.Sources},
		{"aspect", "code of an aspect of the one-stop list in force; several separated by commas; without it all", nil},
		{"state", "state of the report's case; several separated by commas; without it all, in the layer cases open ones", s.Names.States},
		{"settled_by", "who settled it; several separated by commas; without it all", s.Names.Settlers},
		{"team", "number of the unit that leads it; several separated by commas; without it all", nil},
		{"colour", "what its clocks say; several separated by commas; without it all", colourNames[:]},
		{"from", "RFC 3339 time; reports captured then or later", nil},
		{"to", "RFC 3339 time; reports captured before then", nil},
		{"hour", "hour of the day, 0 to 23, by the city's clocks; several separated by commas; without it all", nil},
	}
}

// HeatDocument describes the tiles of [Maker.Heat].
func HeatDocument(s Source) Document {
	return s.document("heat", "Reports counted in squares of 1/64 of a tile a side", 0, VectorLayer{
		ID: "heat", Description: "squares that hold at least one report", MaxZoom: MaxZoom,
		Fields: map[string]string{
			"count":   "Number: reports in the square",
			"per_km2": "Number: reports by square kilometre on the ground",
			"density": "Number: in their place, where a kernel or a bandwidth is asked for: reports by square kilometre, smoothed, in steps of 1/100 of the peak",
			"share":   "Number: density by the peak",
		},
	}).with(FilterParameter{"kernel", "smooths the reports: how each is spread", []string{"gaussian", "quartic"}},
		FilterParameter{"bandwidth", "smooths the reports: how far, in metres from 10 to 20000, or rule (Silverman's)", nil})
}

// ReportsDocument describes the tiles of [Maker.Reports].
func ReportsDocument(s Source) Document {
	return s.document("reports", "Single reports; a tile of more than 20,000 is thinned evenly and says so", MinPointZoom, VectorLayer{
		ID: "reports", Description: "reports as points; the feature's id is the report's number", MinZoom: MinPointZoom, MaxZoom: MaxZoom,
		Fields: map[string]string{
			"item":      "String: item code",
			"kind":      "String: inquiry, problem or conflict",
			"source":    "String: how the report came in",
			"at":        "Number: when it was captured, seconds since 1970",
			"grid":      "String: code of the grid it is placed in; absent for none",
			"truncated": "Boolean: true where the tile was thinned; else absent",
		},
	})
}

// CasesDocument describes the tiles of [Maker.Cases].
func CasesDocument(s Source) Document {
	return s.document("cases", "Cases of reports, open ones where no state is asked for; a tile of more than 20,000 is thinned evenly and says so", MinCaseZoom, VectorLayer{
		ID: "cases", Description: "cases as points; the feature's id is the number of report and case", MinZoom: MinCaseZoom, MaxZoom: MaxZoom,
		Fields: map[string]string{
			"item":      "String: item code",
			"state":     "String: state of the case",
			"unit":      "Number: of the unit that leads it",
			"colour":    "String: red (overdue), amber, green, or none where no clock runs",
			"due":       "Number: when the first of its clocks is due, seconds since 1970; absent where none runs",
			"truncated": "Boolean: true where the tile was thinned; else absent",
		},
	})
}

// Document describes the tiles of [Boundaries.Tile].
func (b *Boundaries) Document(s Source) Document {
	s.Names = nil
	s.Bound = b.bound
	fields := func() map[string]string {
		return map[string]string{
			"code":       "String: code of the jurisdiction",
			"name":       "String: its name",
			"name_latin": "String: its name in Latin letters; absent where unknown",
			"level":      "String: role of its level",
			"rank":       "Number: rank of its level, 0 the highest",
			"parent":     "String: code of the jurisdiction above; absent for none",
			"generated":  "Boolean: its lines were generated for a demonstration",
		}
	}
	var layers []VectorLayer
	minZoom := uint32(MaxZoom)
	for _, l := range b.levels {
		minZoom = min(minZoom, l.minZoom)
		layers = append(layers, VectorLayer{
			ID: roles[l.rank].Name, Description: "areas of level " + roles[l.rank].Name, MinZoom: l.minZoom, MaxZoom: MaxZoom, Fields: fields(),
		})
	}
	layers = append(layers, VectorLayer{
		ID: "borders", Description: "each border once, with the highest level that it bounds", MinZoom: minZoom, MaxZoom: MaxZoom,
		Fields: map[string]string{"level": "String: role of the level", "rank": "Number: rank of the level, 0 the highest"},
	}, VectorLayer{
		ID: "labels", Description: "a point inside each area, once a zoom", MinZoom: minZoom, MaxZoom: MaxZoom, Fields: fields(),
	})
	return s.document("jurisdictions", "Areas, borders and labels of the plan in force, each level from its own zoom on", minZoom, layers...)
}
