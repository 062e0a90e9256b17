package jurisdiction

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
	"gridgov/internal/placement"
)

// Unit is one jurisdiction as it stands in a plan.
type Unit struct {
	Code, Name, NameLatin string
	Parent                string // code in the next upper level of the plan, "" when the level names none
	Households            *int
	Population            *int
	AreaM2                float64
	Bound                 orb.Bound
	Center                orb.Point // inside the unit
}

// LayoutLevel is one level of a plan in memory; Units, Coverage.Faces and the faces of the placement index have the same
// order, by code.
type LayoutLevel struct {
	Level
	Units      []Unit
	Coverage   *coverage.Coverage
	WithParent bool
	Nests      bool // in the level before it
}

// Layout is a plan in memory, as placement, tiles and pages use it. It is immutable.
type Layout struct {
	Plan      Plan
	Levels    []LayoutLevel // top first, only those the plan has
	Generated bool
	Bound     orb.Bound
	Index     *placement.Index
}

// Load reads a plan into memory.
func (s *Service) Load(ctx context.Context, p Plan) (*Layout, error) {
	list, err := s.read(ctx, s.Pool, p.ID)
	if err != nil {
		return nil, err
	}
	out := &Layout{Plan: p}
	var index []placement.Level
	for i, l := range list {
		cov, err := coverage.FromFaces(l.polygons())
		if err != nil {
			return nil, fmt.Errorf("plan %s, level %s as stored: %w", p.Name, l.Role, err)
		}
		level := LayoutLevel{Level: l.Level, Coverage: cov, WithParent: l.WithParent, Nests: l.Nests && i > 0}
		pl := placement.Level{Role: string(l.Role)}
		for k, f := range l.faces {
			b := f.Shape.Bound()
			level.Units = append(level.Units, Unit{Code: f.Code, Name: f.Name, NameLatin: f.NameLatin, Parent: f.Parent,
				Households: f.Households, Population: f.Population, AreaM2: cov.AreaM2(k), Bound: b, Center: cov.InnerPoint(k)})
			pl.Faces = append(pl.Faces, placement.Face{Code: f.Code, Shape: f.Shape})
			if len(out.Levels) == 0 && k == 0 {
				out.Bound = b
			}
			out.Bound = out.Bound.Union(b)
		}
		if level.Nests {
			pl.Parent = parents(level.Units, out.Levels[i-1].Units)
		}
		out.Generated = out.Generated || l.Generated
		out.Levels = append(out.Levels, level)
		index = append(index, pl)
	}
	if out.Index, err = placement.New(index); err != nil {
		return nil, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	return out, nil
}

func parents(units, upper []Unit) []int32 {
	out := make([]int32, len(units))
	for i, u := range units {
		k, ok := find(upper, u.Parent)
		if !ok {
			k = int(placement.None)
		}
		out[i] = int32(k)
	}
	return out
}

func find(units []Unit, code string) (int, bool) {
	return slices.BinarySearchFunc(units, code, func(u Unit, code string) int { return strings.Compare(u.Code, code) })
}

// Roles are the levels' roles, top first.
func (l *Layout) Roles() []string {
	out := make([]string, len(l.Levels))
	for i, lv := range l.Levels {
		out[i] = string(lv.Role)
	}
	return out
}

// Unit finds a jurisdiction: its level's and its own place in the layout.
func (l *Layout) Unit(role Role, code string) (level, unit int, ok bool) {
	for i := range l.Levels {
		if l.Levels[i].Role == role {
			k, ok := find(l.Levels[i].Units, code)
			return i, k, ok
		}
	}
	return 0, 0, false
}

// Has tells whether any level has a unit of the code.
func (l *Layout) Has(code string) bool {
	for i := range l.Levels {
		if _, ok := find(l.Levels[i].Units, code); ok {
			return true
		}
	}
	return false
}

// Ref names a unit.
type Ref struct {
	Level Role
	*Unit
}

// Parents lists what a unit lies in, the nearest first, as far as the levels name their parents.
func (l *Layout) Parents(level, unit int) []Ref {
	var out []Ref
	for ; level > 0 && l.Levels[level].WithParent; level-- {
		up := &l.Levels[level-1]
		k, ok := find(up.Units, l.Levels[level].Units[unit].Parent)
		if !ok {
			break
		}
		out = append(out, Ref{up.Role, &up.Units[k]})
		unit = k
	}
	return out
}

// Around lists what a unit lies in, the nearest first: its parents, and above a level that names none what its inner point lies in, though
// other parts of it may lie elsewhere.
func (l *Layout) Around(level, unit int) []Ref {
	out := l.Parents(level, unit)
	at := l.Index.At(l.Levels[level].Units[unit].Center)
	for up := level - 1 - len(out); up >= 0; up-- {
		if k := at[up]; k != placement.None {
			out = append(out, Ref{l.Levels[up].Role, &l.Levels[up].Units[k]})
		}
	}
	return out
}

// Neighbours lists the units that share a border with a unit.
func (l *Layout) Neighbours(level, unit int) []Ref {
	lv := &l.Levels[level]
	out := make([]Ref, 0, 8)
	for _, k := range lv.Coverage.Neighbours(unit) {
		out = append(out, Ref{lv.Role, &lv.Units[k]})
	}
	return out
}

// GridsOf lists the codes of the grids that make up a unit, and false when its level does not nest down to the grid.
func (l *Layout) GridsOf(role Role, code string) (grids []string, ok bool) {
	level, unit, ok := l.Unit(role, code)
	if !ok || role == RoleMicrogrid {
		return nil, false
	}
	in := map[string]bool{l.Levels[level].Units[unit].Code: true}
	for ; l.Levels[level].Role != RoleGrid; level++ {
		if level+1 == len(l.Levels) || !l.Levels[level+1].Nests {
			return nil, false
		}
		below := map[string]bool{}
		for _, u := range l.Levels[level+1].Units {
			if in[u.Parent] {
				below[u.Code] = true
			}
		}
		in = below
	}
	for code := range in {
		grids = append(grids, code)
	}
	slices.Sort(grids)
	return grids, true
}
