package patrol

import (
	"cmp"
	"slices"
	"time"

	"gridgov/internal/kpi"
	"gridgov/internal/policy"
)

// Tally is what was counted of a point in a window of time in which it was there.
type Tally struct {
	Cell   policy.Cell // by the plan in force
	Visits int         // that count
	Last   time.Time   // of those; zero: there is none
}

// GridState is how a grid stands in a window.
type GridState string

// The states of grids. A gap is of one of two kinds: nobody went, or there was nowhere to go.
const (
	Visited GridState = "visited"
	Missed  GridState = "missed"
	NoPoint GridState = "no_point"
)

// GridCover is a grid with what was counted in it.
type GridCover struct {
	policy.Cell
	State  GridState
	Points int // that were there within the window
	Visits int // that count
	Last   time.Time
}

// AreaCover is how many grids of an area were visited, of all that it has.
type AreaCover struct {
	policy.Area
	Visited kpi.Rate
	NoPoint int // of those that were not
}

// Coverage is how far a city was gone by in a window: grids visited by grids.
type Coverage struct {
	Grids []GridCover // those that may be seen, by code
	Areas []AreaCover // those of which all grids may be seen: the city, towns, villages, each by code
	Total AreaCover   // of Grids; it has no area
}

// Cover counts which of a plan's grids were visited. It tells of those that are seen, and of the areas that are seen whole: a share of a
// town that is told to who sees a part of it would be of that part. What lies in none of the grids is left out.
func Cover(city policy.Area, grids []policy.Cell, seen func(*policy.Cell) bool, tallies []Tally) Coverage {
	byGrid := make(map[string]*GridCover, len(grids))
	var c Coverage
	hidden := map[policy.Area]bool{}
	for _, cell := range grids {
		if seen(&cell) {
			c.Grids = append(c.Grids, GridCover{Cell: cell})
			continue
		}
		for _, a := range around(city, &cell) {
			hidden[a] = true
		}
	}
	slices.SortFunc(c.Grids, func(a, b GridCover) int { return cmp.Compare(a.Grid, b.Grid) })
	for i := range c.Grids {
		byGrid[c.Grids[i].Grid] = &c.Grids[i]
	}
	for i := range tallies {
		if g := byGrid[tallies[i].Cell.Grid]; g != nil {
			g.Points, g.Visits = g.Points+1, g.Visits+tallies[i].Visits
			if tallies[i].Last.After(g.Last) {
				g.Last = tallies[i].Last
			}
		}
	}
	areas := map[policy.Area]*AreaCover{}
	for i := range c.Grids {
		g := &c.Grids[i]
		g.State = g.state()
		c.Total.add(g.State)
		for _, a := range around(city, &g.Cell) {
			if hidden[a] {
				continue
			}
			if areas[a] == nil {
				areas[a] = &AreaCover{Area: a}
			}
			areas[a].add(g.State)
		}
	}
	for _, a := range areas {
		c.Areas = append(c.Areas, *a)
	}
	slices.SortFunc(c.Areas, func(a, b AreaCover) int {
		return cmp.Or(slices.Index(upper, a.Level)-slices.Index(upper, b.Level), cmp.Compare(a.Code, b.Code))
	})
	return c
}

func (g *GridCover) state() GridState {
	switch {
	case g.Visits > 0:
		return Visited
	case g.Points > 0:
		return Missed
	}
	return NoPoint
}

func (a *AreaCover) add(s GridState) {
	a.Visited.N++
	switch s {
	case Visited:
		a.Visited.Part++
	case NoPoint:
		a.NoPoint++
	case Missed:
	}
}

// upper are the levels that have grids, top first.
var upper = []policy.Level{policy.City, policy.Town, policy.Village}

// around are the areas that hold a grid.
func around(city policy.Area, c *policy.Cell) []policy.Area {
	list := []policy.Area{city}
	for _, a := range []policy.Area{{Level: policy.Town, Code: c.Town}, {Level: policy.Village, Code: c.Village}} {
		if a.Code != "" {
			list = append(list, a)
		}
	}
	return list
}
