package app

import (
	"slices"

	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
)

const (
	// GroundAroundM is how far around the own grids others are held: whoever's position is no worse than that is told all grids that
	// it may be.
	GroundAroundM = 250
	// maxGround bounds the grids of one's own that are held: a phone is for who works on the ground, not for a whole city.
	maxGround = 100
)

// Ground is what a phone holds of the plan in force, so that it places reports as the service does: faces of levels by their place in
// the layout.
type Ground struct {
	Layout     *jurisdiction.Layout
	Level      int   // of Own and Around
	Own        []int // in which one works
	Around     []int // that come within GroundAroundM of these
	Micro      int   // the level of Microgrids; -1: the plan has none
	Microgrids []int // of all these: where they nest, a point on a border belongs to the grid of the smallest microgrid
	TooMany    bool  // the territory has more than maxGround grids: nothing is held
}

// Ground is the ground that a reach goes over; nil where no plan is in force.
func (s *State) Ground(reach *policy.Reach) *Ground {
	l := s.Layout
	if l == nil {
		return nil
	}
	g := &Ground{Layout: l, Level: l.Index.Grid(), Micro: -1}
	if last := len(l.Levels) - 1; l.Levels[last].Role == jurisdiction.RoleMicrogrid {
		g.Micro = last
	}
	mine := func(c policy.Cell) bool { return reach.City || slices.ContainsFunc(reach.Areas, c.In) }
	own := map[string]bool{}
	if g.Micro >= 0 {
		for _, u := range l.Levels[g.Micro].Units {
			c := s.cellOf(u.Parent)
			c.Microgrid = u.Code
			own[u.Parent] = own[u.Parent] || mine(c)
		}
	}
	for k, u := range l.Levels[g.Level].Units {
		if own[u.Code] || mine(s.cellOf(u.Code)) {
			own[u.Code] = true
			g.Own = append(g.Own, k)
		}
	}
	if len(g.Own) > maxGround {
		return &Ground{Layout: l, Level: g.Level, Micro: g.Micro, TooMany: true}
	}
	for _, k := range g.Own {
		for _, n := range l.Index.Around(int32(k), GroundAroundM) {
			if !slices.Contains(g.Own, int(n)) && !slices.Contains(g.Around, int(n)) {
				g.Around = append(g.Around, int(n))
			}
		}
	}
	slices.Sort(g.Around)
	if g.Micro >= 0 {
		held := map[string]bool{}
		for _, k := range append(slices.Clone(g.Own), g.Around...) {
			held[l.Levels[g.Level].Units[k].Code] = true
		}
		for k, u := range l.Levels[g.Micro].Units {
			if held[u.Parent] {
				g.Microgrids = append(g.Microgrids, k)
			}
		}
	}
	return g
}
