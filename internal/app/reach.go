package app

import (
	"slices"
	"strings"
	"sync"

	"gridgov/internal/cube"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// Cell is where the reports lie that share a face of the cube: the jurisdictions that hold them, and the grids that they
// may lie in as well.
type Cell struct {
	policy.Cell
	Candidates []string // codes of grids
}

// reaches keeps the sets of faces, and of crews, that reaches were turned into.
type reaches struct {
	mu    sync.Mutex
	known map[string]reached
}

// reached is a set of faces, and what it was made of.
type reached struct {
	state *State // nil for crews, which are the same under any
	done  int    // so many faces were looked at
	list  []uint32
	faces *cube.FaceSet
}

// maxReaches bounds the sets kept; a city has about as many as it has jurisdictions.
const maxReaches = 20_000

// Faces returns the faces of the cube that a reach covers, in whole or at a glimpse; nil for all. What a person filed or a
// unit leads is known by number and not by face, and is not among them.
func (l *Live) Faces(r *policy.Reach) *cube.FaceSet {
	if r.City {
		return nil
	}
	areas := policy.Reach{Areas: r.Areas}
	return l.facesWhere(keyOf(r.Areas), func(s *policy.Subject) bool { return areas.Covers(s) != policy.Hidden })
}

// FacesIn returns the faces that lie in a jurisdiction.
func (l *Live) FacesIn(area policy.Area) *cube.FaceSet {
	return l.facesWhere("in\x02"+keyOf([]policy.Area{area}), func(s *policy.Subject) bool { return s.Cell.In(area) })
}

// facesWhere returns the faces for which holds is true, and keeps them under the key. Only what came since is looked at.
func (l *Live) facesWhere(key string, holds func(*policy.Subject) bool) *cube.FaceSet {
	names, state := l.Names(), l.State()
	return l.reaches.where(key, state, len(names.Cells), func(i int) bool {
		s := state.subject(&names.Cells[i])
		return holds(&s)
	})
}

// where returns the numbers below n for which holds is true under a state, of those that were kept under the key and what came since.
func (r *reaches) where(key string, state *State, n int, holds func(i int) bool) *cube.FaceSet {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.known[key]
	if k.faces != nil && k.state == state && k.done >= n {
		return k.faces
	}
	if k.state != state { // candidates lie elsewhere under another plan
		k = reached{state: state}
	}
	for ; k.done < n; k.done++ {
		if holds(k.done) {
			k.list = append(k.list, uint32(k.done))
		}
	}
	k.faces = cube.FacesOf(k.list...)
	if r.known == nil || len(r.known) >= maxReaches {
		r.known = map[string]reached{}
	}
	r.known[key] = k
	return k.faces
}

func keyOf(areas []policy.Area) string {
	parts := make([]string, len(areas))
	for i, a := range areas {
		parts[i] = string(a.Level) + "\x00" + a.Code
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x01")
}

// subject is the cell as rights see it.
func (s *State) subject(c *Cell) policy.Subject {
	out := policy.Subject{Cell: c.Cell}
	for _, grid := range c.Candidates {
		out.Candidates = append(out.Candidates, s.cellOf(grid))
	}
	return out
}

// cellOf is where a grid of the plan in force lies. One of an older plan lies in itself alone.
func (s *State) cellOf(grid string) policy.Cell {
	if c, ok := s.grids[grid]; ok {
		return c
	}
	return policy.Cell{Grid: grid}
}

// cellsOfGrids lists the grids of a plan with what holds them, as far as the levels name their parents.
func cellsOfGrids(l *jurisdiction.Layout) map[string]policy.Cell {
	out := map[string]policy.Cell{}
	if l == nil {
		return out
	}
	for i := range l.Levels {
		if l.Levels[i].Role != jurisdiction.RoleGrid {
			continue
		}
		for k := range l.Levels[i].Units {
			c := policy.Cell{Grid: l.Levels[i].Units[k].Code}
			for _, p := range l.Parents(i, k) {
				switch p.Level {
				case jurisdiction.RoleVillage:
					c.Village = p.Code
				case jurisdiction.RoleTown:
					c.Town = p.Code
				}
			}
			out[c.Grid] = c
		}
	}
	return out
}

// subjectOf is a report as rights see it, but for the units of its case.
func (c *City) subjectOf(r *report.Report) policy.Subject {
	p := &r.Placement
	s := c.State().subject(&Cell{policy.Cell{Town: p.Town, Village: p.Village, Grid: p.Grid, Microgrid: p.Microgrid}, p.Candidates})
	if r.FiledBy != nil {
		s.Filer = *r.FiledBy
	}
	return s
}

// within is a reach as a condition of lists; nil for no condition.
func (s *State) within(r *policy.Reach) *report.Within {
	if r.City {
		return nil
	}
	w := &report.Within{}
	for _, a := range r.Areas {
		switch a.Level {
		case policy.City:
			w.Placed = true
		case policy.Town:
			w.Towns = append(w.Towns, a.Code)
		case policy.Village:
			w.Villages = append(w.Villages, a.Code)
		case policy.Grid:
			w.Grids = append(w.Grids, a.Code)
		case policy.Microgrid:
			w.Microgrids = append(w.Microgrids, a.Code)
		}
	}
	for grid, cell := range s.grids {
		if slices.ContainsFunc(r.Areas, func(a policy.Area) bool { return a.Level != policy.City && cell.In(a) }) {
			w.Near = append(w.Near, grid)
		}
	}
	w.Near = append(w.Near, w.Grids...) // of an older plan too
	slices.Sort(w.Near)
	w.Near = slices.Compact(w.Near)
	return w
}
