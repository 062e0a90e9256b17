package app

import (
	"github.com/paulmach/orb"

	"gridgov/internal/jurisdiction"
	"gridgov/internal/patrol"
	"gridgov/internal/policy"
)

// openPatrols makes what keeps points and visits.
func (c *City) openPatrols() {
	c.Patrols = &patrol.Service{Pool: c.Pool, Feed: c.Writer, Now: c.now, Zone: c.Zone, Committed: c.hasCommitted,
		Cell: func(p orb.Point) policy.Cell { return c.State().cellAt(p) }}
}

// cellAt is where a point lies by the plan in force, without any leeway: outside of all grids it is in none.
func (s *State) cellAt(p orb.Point) (cell policy.Cell) {
	if s.Layout == nil {
		return cell
	}
	for i, face := range s.Layout.Index.At(p) {
		if face < 0 {
			continue
		}
		level := &s.Layout.Levels[i]
		switch code := level.Units[face].Code; level.Role {
		case jurisdiction.RoleTown:
			cell.Town = code
		case jurisdiction.RoleVillage:
			cell.Village = code
		case jurisdiction.RoleGrid:
			cell.Grid = code
		case jurisdiction.RoleMicrogrid:
			cell.Microgrid = code
		case jurisdiction.RoleCity:
		}
	}
	return cell
}

// GridCells are all grids of the plan in force, each with what its inner point lies in.
func (c *City) GridCells() []policy.Cell {
	s := c.State()
	if s.Layout == nil {
		return nil
	}
	var cells []policy.Cell
	for i := range s.Layout.Levels {
		if s.Layout.Levels[i].Role != jurisdiction.RoleGrid {
			continue
		}
		for k := range s.Layout.Levels[i].Units {
			cell := s.cellAt(s.Layout.Levels[i].Units[k].Center)
			cell.Microgrid = "" // one of several
			cells = append(cells, cell)
		}
	}
	return cells
}
