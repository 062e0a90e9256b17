package casework

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// Filter is what a view of a queue shows, as it is kept: whatever depends on who asks and when is worked out by Query.
type Filter struct {
	States  []State         `json:"states,omitempty"` // none: those that are open
	Units   []policy.UnitID `json:"units,omitempty"`  // that lead or support it
	Teams   []policy.UnitID `json:"teams,omitempty"`  // that lead it
	Settled []SettledBy     `json:"settled_by,omitempty"`
	Aspects []string        `json:"aspects,omitempty"`
	Items   []string        `json:"items,omitempty"`
	Towns   []string        `json:"towns,omitempty"`
	Colours []Colour        `json:"colours,omitempty"`
	Due     Due             `json:"due,omitempty"`
	Mine    bool            `json:"mine,omitempty"`
	Sort    Order           `json:"sort,omitempty"`
	Last    bool            `json:"last,omitempty"`
}

// Due is when the first clock of a case is due, as seen from now.
type Due string

// The dues.
const (
	AnyDue   Due = ""
	Overdue  Due = "overdue"
	Within2h Due = "2h"
	Today    Due = "today" // by the city's day, overdue or not
)

// Dues are all of them.
var Dues = []Due{Overdue, Within2h, Today}

// NoSettler stands in a filter for what nobody has settled yet, or nobody knows who has.
const NoSettler SettledBy = "none"

// maxNamed bounds how many of each a filter names.
const maxNamed = 200

// Check says what is wrong with a filter. Items, towns and units that are not there select nothing.
func (f *Filter) Check() error {
	for field, n := range map[string]int{"states": len(f.States), "units": len(f.Units), "teams": len(f.Teams), "settled_by": len(f.Settled),
		"aspects": len(f.Aspects), "items": len(f.Items), "towns": len(f.Towns), "colours": len(f.Colours)} {
		if n > maxNamed {
			return fault.Invalid(field, "too_many", "at most %d of each", maxNamed)
		}
	}
	for _, s := range f.States {
		if !slices.Contains(States, s) {
			return fault.Invalid("states", "unknown_value", "%.40q is none of %v", string(s), States)
		}
	}
	for field, list := range map[string][]policy.UnitID{"units": f.Units, "teams": f.Teams} {
		for _, u := range list {
			if u < 1 {
				return fault.Invalid(field, "unknown_value", "%d is not the number of a unit", u)
			}
		}
	}
	for _, by := range f.Settled {
		if by != NoSettler && !slices.Contains(Settlers, by) {
			return fault.Invalid("settled_by", "unknown_value", "%.40q is none of %v, %s", string(by), Settlers, NoSettler)
		}
	}
	for _, c := range f.Colours {
		if !slices.Contains(Colours, c) {
			return fault.Invalid("colours", "unknown_value", "%.40q is none of %v", string(c), Colours)
		}
	}
	for field, list := range map[string][]string{"aspects": f.Aspects, "items": f.Items, "towns": f.Towns} {
		for _, code := range list {
			if code == "" || len(code) > 256 || strings.ContainsFunc(code, unicode.IsControl) {
				return fault.Invalid(field, "bad_code", "a code has 1 to 256 bytes, and no control characters")
			}
		}
	}
	switch {
	case f.Due != AnyDue && !slices.Contains(Dues, f.Due):
		return fault.Invalid("due", "unknown_value", "%.40q is none of %v", string(f.Due), Dues)
	case f.Sort != ByDue && f.Sort != ByOpened:
		return fault.Invalid("sort", "unknown_value", "%.40q is neither due nor opened", string(f.Sort))
	}
	return nil
}

// Query is what the filter selects for somebody at a moment, by the city's zone. An aspect is that of the list: the one in force.
func (f *Filter) Query(mine *Mine, at time.Time, zone *time.Location, list *catalogue.Catalogue) Query {
	q := Query{States: f.States, Units: f.Units, Teams: f.Teams, Items: list.Under(f.Aspects, f.Items), Towns: f.Towns, Colours: f.Colours, At: at, Order: f.Sort, Last: f.Last}
	for _, by := range f.Settled {
		if by == NoSettler {
			by = ""
		}
		q.Settled = append(q.Settled, by)
	}
	if f.Mine {
		q.Mine = mine
	}
	switch f.Due {
	case AnyDue:
	case Overdue:
		q.DueBefore = at
	case Within2h:
		q.DueFrom, q.DueBefore = at, at.Add(2*time.Hour)
	case Today:
		y, m, d := at.In(zone).Date()
		q.DueFrom, q.DueBefore = time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	}
	return q
}
