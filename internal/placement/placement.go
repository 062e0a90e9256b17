// Package placement answers which jurisdictions a point belongs to, in memory, with PostGIS's answer on the faces as stored.
//
// The rule, level by level, for the faces of one level that does not nest in a finer one:
//
//  1. Among the faces for which PostGIS's ST_Covers(face, point) is true, the one with the smallest code (byte order).
//  2. Where ST_Covers is false for all faces only because its arithmetic rounds (a crack between two faces that share the
//     edge the point lies at), the smallest code among the faces that contain the point by exact arithmetic.
//  3. None.
//
// ST_Covers is reproduced operation by operation, so the first rule holds for every pair of doubles, also for a point
// within an ulp of a slanted edge; docs/decisions/placement-equals-postgis.md tells how and why. A level that nests is
// not searched: its face is the parent of the face found in the finer level.
//
// Coordinates are lon, lat in degrees. An edge is straight in lon/lat, as it is for PostGIS's geometry type. Distances are
// metres on the ellipsoid. The package has no state but the Index, which never changes once built and may be used by any
// number of goroutines.
package placement

import (
	"math"
	"runtime"
	"sort"
	"sync"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// MaxLevels is the number of levels an Index can hold: city, town, village, grid, microgrid.
const MaxLevels = 5

// None stands for "no face" wherever a face is an index.
const None int32 = -1

// Faces holds one face a level, top first, as an index into Level.Faces; None where no face was found and for levels the
// Index does not have.
type Faces [MaxLevels]int32

// nowhere is the empty box.
var nowhere = orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}

var noFaces = Faces{None, None, None, None, None}

// Face is one jurisdiction of a level as stored: rings closed, doubles untouched. Ring directions and the order of
// vertices do not change an answer except within rounding of an edge, where they decide as they do in PostGIS.
type Face struct {
	Code  string
	Shape orb.MultiPolygon
}

// Level is a set of faces of one role. Faces may come in any order; answers refer to that order.
type Level struct {
	Role  string
	Faces []Face
	// Parent holds for each face its face in the next upper level (None: it has none). It is nil when the level does not
	// nest in the next upper one, which then is placed by itself.
	Parent []int32
}

// Index places points. Build it with New.
type Index struct {
	levels []level
	grid   int // the level distances are told for: role "grid", else the last
	bound  orb.Bound
	bytes  int
}

// level is a Level prepared.
type level struct {
	role   string
	codes  []string
	parent []int32
	order  []int32 // faces by code
	plane  *plane  // nil: answered through the finer level's parents and never measured
	placed bool    // answered by its own plane
}

// New prepares the levels, top first. The result refers to no memory of the caller but the codes. It refuses, as a fault,
// more than MaxLevels levels, duplicate codes in a level, parents out of range, and rings that are open, shorter than four
// points or not within lon ±180, lat ±90.
func New(levels []Level) (*Index, error) {
	if len(levels) == 0 || len(levels) > MaxLevels {
		return nil, fault.Invalid("levels", "level_count", "a plan has 1 to %d levels, not %d", MaxLevels, len(levels))
	}
	x := &Index{levels: make([]level, len(levels)), grid: len(levels) - 1, bound: nowhere}
	for i, l := range levels {
		if l.Role == "grid" {
			x.grid = i
		}
	}
	for i, l := range levels {
		prepared, err := prepare(levels, i)
		if err != nil {
			return nil, err
		}
		prepared.placed = i == len(levels)-1 || levels[i+1].Parent == nil //nolint:gosec // the last one is taken out before
		x.levels[i] = prepared
		for _, f := range l.Faces {
			for _, p := range f.Shape {
				for _, r := range p {
					x.extend(r.Bound())
				}
			}
		}
	}
	x.build(levels)
	return x, nil
}

func (x *Index) extend(b orb.Bound) {
	if x.bound.IsEmpty() {
		x.bound = b
		return
	}
	x.bound = x.bound.Union(b)
}

// prepare checks a level and sorts its codes.
func prepare(levels []Level, i int) (level, error) {
	l := levels[i]
	out := level{role: l.Role, codes: make([]string, len(l.Faces)), order: make([]int32, len(l.Faces))}
	for k, f := range l.Faces {
		out.codes[k], out.order[k] = f.Code, int32(k)
		if err := checkShape(f); err != nil {
			return out, err
		}
	}
	sort.Slice(out.order, func(a, b int) bool { return out.codes[out.order[a]] < out.codes[out.order[b]] })
	for k := 1; k < len(out.order); k++ {
		if code := out.codes[out.order[k]]; code == out.codes[out.order[k-1]] {
			return out, fault.Invalid("code", "duplicate_code", "%s %q occurs more than once in the plan: codes are unique in a level", l.Role, code)
		}
	}
	if l.Parent == nil {
		return out, nil
	}
	if i == 0 || len(l.Parent) != len(l.Faces) {
		return out, fault.Invalid("parent", "parent_count", "level %s has %d faces and %d parents", l.Role, len(l.Faces), len(l.Parent))
	}
	for k, p := range l.Parent {
		if p < None || int(p) >= len(levels[i-1].Faces) {
			return out, fault.Invalid("parent", "unknown_parent", "%s %q has parent %d of %d", l.Role, l.Faces[k].Code, p, len(levels[i-1].Faces))
		}
	}
	out.parent = append([]int32(nil), l.Parent...)
	return out, nil
}

func checkShape(f Face) error {
	for _, polygon := range f.Shape {
		for _, ring := range polygon {
			if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
				return fault.Invalid("geometry", "open_ring", "face %q has a ring that is not closed or has fewer than four points", f.Code)
			}
			for _, p := range ring {
				if !onEarth(p) {
					return fault.Invalid("geometry", "out_of_range", "face %q has a vertex at lon %v, lat %v, outside ±180, ±90", f.Code, p[0], p[1])
				}
			}
		}
	}
	return nil
}

// onEarth is false for NaN, infinities and degrees out of range.
func onEarth(p orb.Point) bool { return math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90 }

// build prepares the planes: of levels placed by themselves and of the level distances are told for.
func (x *Index) build(levels []Level) {
	placed := 0
	for i := range x.levels {
		if x.levels[i].placed {
			placed++
		}
	}
	for i := range x.levels {
		l := &x.levels[i]
		if l.placed || i == x.grid {
			l.plane = newPlane(levels[i].Faces, l.order)
			x.bytes += l.plane.bytes()
		}
		if l.placed {
			l.plane.rasterise(rasterBudget / placed)
			x.bytes += l.plane.raster.bytes()
		}
		x.bytes += 4 * (len(l.parent) + len(l.order))
		for _, c := range l.codes {
			x.bytes += 16 + len(c)
		}
	}
}

// At returns the faces that p belongs to by the package's rule. It allocates nothing and never fails: a NaN, infinite or
// far coordinate belongs to no face.
func (x *Index) At(p orb.Point) Faces {
	faces := noFaces
	for i := len(x.levels) - 1; i >= 0; i-- {
		l := &x.levels[i]
		if l.placed {
			faces[i] = l.plane.at(p)
		} else if below := faces[i+1]; below >= 0 {
			faces[i] = x.levels[i+1].parent[below]
		}
	}
	return faces
}

// AtAll places the points lon[i], lat[i] into dst[i], on all processors. The three have the same length.
func (x *Index) AtAll(lon, lat []float64, dst []Faces) {
	const block = 1 << 14
	var wg sync.WaitGroup
	blocks := make(chan int)
	for range min(runtime.GOMAXPROCS(0), len(lon)/block+1) {
		wg.Go(func() {
			for from := range blocks {
				for i := from; i < min(from+block, len(lon)); i++ {
					dst[i] = x.At(orb.Point{lon[i], lat[i]})
				}
			}
		})
	}
	for from := 0; from < len(lon); from += block {
		blocks <- from
	}
	close(blocks)
	wg.Wait()
}

// Levels returns the roles, top first.
func (x *Index) Levels() []string {
	roles := make([]string, len(x.levels))
	for i, l := range x.levels {
		roles[i] = l.role
	}
	return roles
}

// Grid returns the level that Answer's distances, Near and Candidates speak of: the one of role "grid", else the last.
func (x *Index) Grid() int { return x.grid }

// Codes returns the codes of a level in the order of Level.Faces. The caller must not change them.
func (x *Index) Codes(level int) []string { return x.levels[level].codes }

// Find returns the face of a level by its code.
func (x *Index) Find(level int, code string) (face int32, ok bool) {
	l := &x.levels[level]
	i := sort.Search(len(l.order), func(i int) bool { return l.codes[l.order[i]] >= code })
	if i == len(l.order) || l.codes[l.order[i]] != code {
		return None, false
	}
	return l.order[i], true
}

// Up returns the face with its parents filled in, as far as the levels above nest; the others are None.
func (x *Index) Up(level int, face int32) Faces {
	faces := noFaces
	faces[level] = face
	for i := level; i > 0 && faces[i] >= 0 && x.levels[i].parent != nil; i-- {
		faces[i-1] = x.levels[i].parent[faces[i]]
	}
	return faces
}

// Bound returns the box around all faces; it is empty when there are none.
func (x *Index) Bound() orb.Bound { return x.bound }

// Bytes estimates the memory the Index holds.
func (x *Index) Bytes() int { return x.bytes }
