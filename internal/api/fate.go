package api

import (
	"strconv"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/casework"
	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
)

// known is what a city makes of the words of a filter.
type known interface {
	Names() *app.Names
	Regime() *regime.Regime
	LedBy(units []policy.UnitID) *cube.FaceSet
	Dial() *cube.Dial
}

// none stands in a filter for what a report has not.
const none = "none"

// colours are those of clocks, by their names.
var colours = map[string]cube.Clocks{"red": cube.Red, "amber": cube.Amber, "green": cube.Green, none: cube.Stopped}

func settlerNames() (names []string) {
	for _, by := range casework.Settlers {
		names = append(names, string(by))
	}
	return names
}

// maxTeams bounds the units that a filter names.
const maxTeams = 200

// fate reads what is asked of a report's case.
func (q *query) fate(f *filter, at time.Time) {
	f.fate.At = at.UTC().Truncate(time.Second)
	for _, s := range q.list("state") {
		state, ok := casework.ParseState(s)
		if !ok {
			q.fail(fault.Invalid("state", "unknown_value", "%.40q is none of %v", s, casework.States))
			continue
		}
		f.state(state)
	}
	for _, s := range q.list("settled_by") {
		by := casework.SettledBy(s)
		if s != none && by.Number() == 0 {
			q.fail(fault.Invalid("settled_by", "unknown_value", "%.40q is none of %v, %s", s, casework.Settlers, none))
			continue
		}
		f.fate.Ends, f.ends = append(f.fate.Ends, s), f.ends|1<<by.Number()
	}
	for _, s := range q.list("team") {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil || id < 1 {
			q.fail(fault.Invalid("team", "unknown_value", "%.40q is not the number of a unit", s))
		}
		f.fate.Teams = append(f.fate.Teams, policy.UnitID(id))
	}
	if len(f.fate.Teams) > maxTeams {
		q.fail(fault.Invalid("team", "too_many", "names %d units; %d are allowed", len(f.fate.Teams), maxTeams))
		f.fate.Teams = f.fate.Teams[:maxTeams]
	}
	for _, s := range q.list("colour") {
		colour, ok := colours[s]
		if !ok {
			q.fail(fault.Invalid("colour", "unknown_value", "%.40q is none of red, amber, green, none", s))
		}
		f.fate.Colours, f.colours = append(f.fate.Colours, s), f.colours|colour
	}
}

func (f *filter) state(s casework.State) {
	f.fate.States, f.states = append(f.fate.States, string(s)), f.states|1<<s.Number()
}

// onlyOpen asks for open cases where no state is asked for.
func (f *filter) onlyOpen() {
	if f.states != 0 {
		return
	}
	for _, s := range casework.States {
		if s.Open() {
			f.state(s)
		}
	}
}

// ofAspects is a filter of the cube with the items of the aspects asked for, whichever of them are asked for.
func (f *filter) ofAspects(c known, all cube.Filter) cube.Filter {
	whichever := *f
	whichever.items = nil
	all.Items = whichever.cube(c).Items
	return all
}

// countFates counts by aspect, state, end, team and colour: each as if it were not asked for itself.
func (c *call) countFates(out *Counts, view cube.View, f filter, bound *orb.Bound) {
	without := func(leave func(*filter)) cube.Filter {
		g := f
		leave(&g)
		return c.cut(g.cube(c))
	}
	names := c.Names()
	out.ByAspect, out.ByState, out.BySettledBy, out.ByTeam, out.ByColour = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	items := make([]uint64, len(names.Names.Items))
	view.CountByItem(without(func(g *filter) { g.aspects = nil }), bound, items)
	list := c.Regime().Catalogue
	for _, a := range list.Aspects {
		out.ByAspect[a.Code] = 0
	}
	for _, i := range list.Items {
		if num, ok := names.Item(i.Code); ok {
			out.ByAspect[i.Aspect] += int(items[num])
		}
	}
	states, _ := view.CountByFate(without(func(g *filter) { g.states = 0 }), bound)
	for _, s := range casework.States {
		out.ByState[string(s)] = int(states[s.Number()])
	}
	_, ends := view.CountByFate(without(func(g *filter) { g.ends = 0 }), bound)
	out.BySettledBy[none] = int(ends[0])
	for _, s := range casework.Settlers {
		out.BySettledBy[string(s)] = int(ends[s.Number()])
	}
	crews := make([]uint64, len(names.Crews))
	view.CountByCrew(without(func(g *filter) { g.fate.Teams = nil }), bound, crews)
	for i, n := range crews {
		if n > 0 {
			out.ByTeam[strconv.FormatInt(int64(names.Crews[i].Lead), 10)] += int(n)
		}
	}
	for name, colour := range colours {
		out.ByColour[name] = int(view.Count(without(func(g *filter) { g.colours = colour }), bound))
	}
}

// itemsAsked are the items that pass, nil for all: those asked for that the one-stop list in force has under an aspect asked for.
func (f *filter) itemsAsked(c known) []string { return c.Regime().Catalogue.Under(f.aspects, f.items) }
