package tiles

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
)

// Unit is what a map says of one jurisdiction.
type Unit struct {
	Code, Name string
	NameLatin  string // "" when unknown
	Parent     string // the code of the unit above, "" for none
	Generated  bool   // its lines were generated for a demo
}

// Level is one level of a plan: its role, its faces and, by index of the face, their units.
type Level struct {
	Role     string // one of Roles
	Coverage *coverage.Coverage
	Units    []Unit
}

// Role is a kind of level, with the zoom from which it is on the map.
type Role struct {
	Name    string
	MinZoom uint32
}

// Roles are the levels there may be, top first. The index of a role is its rank.
var roles = [...]Role{{"city", 0}, {"town", 7}, {"village", 10}, {"grid", 12}, {"microgrid", 15}}

// Roles returns the levels there may be, top first; the index of a role is its rank in the layers.
func Roles() []Role { return roles[:] }

// fullZoom is the first zoom at which lines are drawn with every vertex: a unit is a quarter of a metre there.
const fullZoom = 17

// Boundaries makes the `jurisdictions` tiles of one plan. It is built once a plan; many goroutines may use it.
type Boundaries struct {
	levels []boundaryLevel
	bound  orb.Bound
	zooms  [fullZoom + 1][len(roles)]struct { // by place in levels
		once  sync.Once
		level zoomLevel
	}
	clippers sync.Pool
	kept     *keptTiles
}

type boundaryLevel struct {
	rank     int
	minZoom  uint32
	coverage *coverage.Coverage
	units    []Unit
	labels   []vertex // by face: a point inside
	places   []box    // of labels [i·blockFaces, (i+1)·blockFaces)
	hidden   []bool   // by arc: a level above draws this border
	parents  []int    // by face: the same number for the same parent; -1: none
}

// zoomLevel is a level as one zoom draws it.
type zoomLevel struct {
	*boundaryLevel
	faces   []shape
	blocks  []box // of faces [i·blockFaces, (i+1)·blockFaces)
	borders []path
}

// blockFaces is how many faces, next to one another by code, share a box.
const blockFaces = 16

// NewBoundaries takes the levels of a plan, top first: each role at most once, units by index of the face.
func NewBoundaries(levels []Level) (*Boundaries, error) {
	b := &Boundaries{kept: newKeptTiles()}
	drawn := map[[2]orb.Point]struct{}{} // segments of the levels above
	for _, l := range levels {
		rank := slices.IndexFunc(roles[:], func(r Role) bool { return r.Name == l.Role })
		switch {
		case rank < 0:
			return nil, fmt.Errorf("boundaries: no role %q", l.Role)
		case len(b.levels) > 0 && b.levels[len(b.levels)-1].rank >= rank:
			return nil, fmt.Errorf("boundaries: level %s stands below %s", l.Role, roles[b.levels[len(b.levels)-1].rank].Name)
		case len(l.Units) != l.Coverage.Len():
			return nil, fmt.Errorf("boundaries: level %s has %d faces and %d units", l.Role, l.Coverage.Len(), len(l.Units))
		}
		level := boundaryLevel{
			rank: rank, minZoom: roles[rank].MinZoom, coverage: l.Coverage, units: l.Units,
			hidden: make([]bool, len(l.Coverage.Arcs)),
		}
		if l.Coverage.Len() > 0 {
			if b.bound == (orb.Bound{}) {
				b.bound = l.Coverage.Bound()
			}
			b.bound = b.bound.Union(l.Coverage.Bound())
		}
		for i, arc := range l.Coverage.Arcs {
			level.hidden[i] = allDrawn(drawn, arc.Points)
		}
		for _, arc := range l.Coverage.Arcs {
			for k := 1; k < len(arc.Points); k++ {
				drawn[segment(arc.Points[k-1], arc.Points[k])] = struct{}{}
			}
		}
		known := map[string]int{}
		for i, u := range l.Units {
			level.label(mercator(l.Coverage.InnerPoint(i)))
			number, ok := known[u.Parent]
			if !ok {
				number = len(known)
				known[u.Parent] = number
			}
			if u.Parent == "" {
				number = -1
			}
			level.parents = append(level.parents, number)
		}
		b.levels = append(b.levels, level)
	}
	return b, nil
}

func (l *boundaryLevel) label(v vertex) {
	if len(l.labels)%blockFaces == 0 {
		l.places = append(l.places, emptyBox)
	}
	last := &l.places[len(l.places)-1]
	*last = last.with(v)
	l.labels = append(l.labels, v)
}

func segment(p, q orb.Point) [2]orb.Point {
	if q[0] < p[0] || q[0] == p[0] && q[1] < p[1] {
		p, q = q, p
	}
	return [2]orb.Point{p, q}
}

func allDrawn(drawn map[[2]orb.Point]struct{}, points []orb.Point) bool {
	for k := 1; k < len(points); k++ {
		if _, ok := drawn[segment(points[k-1], points[k])]; !ok {
			return false
		}
	}
	return true
}

// Bound is the box around all levels in degrees.
func (b *Boundaries) Bound() orb.Bound { return b.bound }

// Levels are the levels that the tiles show, as they were given.
func (b *Boundaries) Levels() []Level {
	var all []Level
	for i := range b.levels {
		l := &b.levels[i]
		all = append(all, Level{Role: roles[l.rank].Name, Coverage: l.coverage, Units: l.units})
	}
	return all
}

// Warm prepares all zooms, which otherwise the first tile of each zoom does.
func (b *Boundaries) Warm() {
	for z := range uint32(fullZoom + 1) {
		b.zoom(z)
	}
}

// zoom returns the levels that a zoom shows, simplified for it, top first.
func (b *Boundaries) zoom(z uint32) (levels []*zoomLevel) {
	for i := range b.levels {
		if z >= b.levels[i].minZoom {
			levels = append(levels, b.level(z, i))
		}
	}
	return levels
}

// level returns a level simplified for a zoom, whether the zoom shows it or not.
func (b *Boundaries) level(z uint32, i int) *zoomLevel {
	made := &b.zooms[min(z, fullZoom)][i]
	made.once.Do(func() { made.level = b.levels[i].at(min(z, fullZoom)) })
	return &made.level
}

// toleranceM is a quarter of a pixel, two units, on the ground at the latitude.
func toleranceM(z uint32, latDeg float64) float64 {
	unitM := 2 * math.Pi * semiMajorM * math.Cos(latDeg*math.Pi/180) / (math.Exp2(float64(z)) * Extent)
	return 2 * unitM
}

func (l *boundaryLevel) at(z uint32) zoomLevel {
	c := l.coverage
	if z < fullZoom && c.Len() > 0 {
		c = c.Simplify(toleranceM(z, c.Bound().Center()[1]))
	}
	zl := zoomLevel{boundaryLevel: l}
	for i := range c.Faces {
		s := newShape(c.Shape(i))
		zl.faces = append(zl.faces, s)
		if i%blockFaces == 0 {
			zl.blocks = append(zl.blocks, emptyBox)
		}
		zl.blocks[i/blockFaces] = zl.blocks[i/blockFaces].union(s.box)
	}
	for i, arc := range c.Arcs {
		if l.hidden[i] {
			continue
		}
		line := make([]vertex, len(arc.Points))
		for k, p := range arc.Points {
			line[k] = mercator(p)
		}
		zl.borders = append(zl.borders, newPath(line))
	}
	return zl
}
