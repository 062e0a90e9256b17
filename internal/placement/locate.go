package placement

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// Method says how a report came to its place.
type Method string

// The methods. Locate answers the first four; the others are given to a report by the gazetteer and by people.
const (
	MethodInside   Method = "inside"   // in the grid
	MethodEdge     Method = "edge"     // on a border; the smallest code of those that share the point
	MethodNearest  Method = "nearest"  // in no grid, but one is within the report's accuracy
	MethodUnplaced Method = "unplaced" // in no grid, and none is near enough
	MethodGeocoded Method = "geocoded"
	MethodManual   Method = "manual"
)

const (
	// DefaultAccuracyM is how far a grid may be from a report that does not tell its accuracy.
	DefaultAccuracyM = 50
	// NearBorderM is the near-border mark: grids within it are offered as neighbours.
	NearBorderM = 50
	// MaxAccuracyM is the largest accuracy that is believed: a wider circle meets everything and tells nothing.
	MaxAccuracyM = 5000
	// MaxCandidates bounds Near and Candidates; the nearest are kept.
	MaxCandidates = 32
)

// Answer is where a point belongs and why. "Grid" is the level Index.Grid.
type Answer struct {
	Method Method
	// Faces are the faces placed in. With MethodNearest they are the nearest grid and its parents; a level that does not nest
	// keeps the face that holds the point and, if none does, takes its nearest within the same distance. With MethodUnplaced
	// they are those of the other levels that hold the point, perhaps none.
	Faces Faces
	// Nearest is the grid nearest to a point outside all grids, also of an unplaced one; None for a point in a grid, or that
	// is no place on earth, or without grids.
	Nearest int32
	// DistanceM is the distance to Nearest; 0 for a point in a grid, NaN where Nearest has nothing to name.
	DistanceM float64
	// BorderM is the distance to the border of the grid found, holes included; with MethodNearest and MethodUnplaced it is
	// DistanceM. It is not rounded: 0 means that the point has the very coordinates of the border.
	BorderM float64
	// Near are the other grids within NearBorderM of a placed point, nearest first, equal ones by code.
	Near []int32
	// Candidates are the other grids that the report's own accuracy circle meets, in the order of Near; Ambiguous says that
	// there are some. Both stay empty for a report without accuracy.
	Candidates []int32
	Ambiguous  bool
}

// Locate places a point. accuracyM is the radius of the report's accuracy circle; NaN, negative or infinite: not known.
// A radius over MaxAccuracyM counts as that. A point that is NaN, infinite or out of range is unplaced.
func (x *Index) Locate(p orb.Point, accuracyM float64) Answer {
	a := Answer{Method: MethodUnplaced, Faces: noFaces, Nearest: None, DistanceM: math.NaN(), BorderM: math.NaN()}
	if !onEarth(p) {
		return a
	}
	known := accuracyM >= 0 && !math.IsInf(accuracyM, 0)
	radiusM := DefaultAccuracyM + 0.0
	if known {
		radiusM = min(accuracyM, MaxAccuracyM)
	}
	plane := x.levels[x.grid].plane
	m := metricAt(p)
	a.Faces = x.At(p)
	if found := a.Faces[x.grid]; found >= 0 {
		n := plane.number(found)
		a.Method, a.DistanceM, a.BorderM = MethodInside, 0, plane.borderM(n, m)
		if a.BorderM < certainM {
			if _, border := plane.decide(p); border {
				a.Method = MethodEdge
			}
		}
		x.surround(&a, m, found, radiusM, known)
		return a
	}
	a.Nearest, a.DistanceM = plane.nearest(m)
	a.BorderM = a.DistanceM
	if a.Nearest < 0 || !(a.DistanceM <= radiusM) {
		return a
	}
	a.Method = MethodNearest
	x.adopt(&a, m, radiusM)
	x.surround(&a, m, a.Nearest, radiusM, known)
	return a
}

// Deep returns the faces that p belongs to, and whether p lies in a grid and further than reachM from its border, so that
// Locate with an accuracy up to reachM, which is at least NearBorderM, would say MethodInside, these faces and nobody near.
// It looks no further than it must: false is told of a few points that do lie so deep, by a billionth of reachM.
func (x *Index) Deep(p orb.Point, reachM float64) (faces Faces, deep bool) {
	if !onEarth(p) {
		return noFaces, false
	}
	faces = x.At(p)
	found := faces[x.grid]
	if found < 0 {
		return faces, false
	}
	plane := x.levels[x.grid].plane
	return faces, plane.clear(plane.number(found), metricAt(p), reachM)
}

// certainM is further from a border than any rounding can reach: 250 ulps of 180 degrees are a few micrometres.
const certainM = 1e-4

// adopt fills in the faces of a point that is placed in the nearest grid.
func (x *Index) adopt(a *Answer, m metric, radiusM float64) {
	up := x.Up(x.grid, a.Nearest)
	for i := x.grid; i >= 0; i-- {
		switch {
		case up[i] >= 0:
			a.Faces[i] = up[i]
		case a.Faces[i] < 0 && x.levels[i].placed:
			if face, distanceM := x.levels[i].plane.nearest(m); distanceM <= radiusM {
				a.Faces[i] = face
			}
		case a.Faces[i] < 0 && i < x.grid && a.Faces[i+1] >= 0 && x.levels[i+1].parent != nil:
			a.Faces[i] = x.levels[i+1].parent[a.Faces[i+1]]
		}
	}
}

// surround fills in Near and Candidates.
func (x *Index) surround(a *Answer, m metric, found int32, radiusM float64, known bool) {
	reachM := NearBorderM + 0.0
	if known {
		reachM = max(reachM, radiusM)
	}
	if a.Method == MethodInside && a.BorderM > reachM {
		return // the circle lies in the grid
	}
	for _, o := range x.levels[x.grid].plane.within(m, reachM) {
		if o.face == found {
			continue
		}
		if o.distanceM <= NearBorderM && len(a.Near) < MaxCandidates {
			a.Near = append(a.Near, o.face)
		}
		if known && o.distanceM <= radiusM && len(a.Candidates) < MaxCandidates {
			a.Candidates = append(a.Candidates, o.face)
		}
	}
	a.Ambiguous = len(a.Candidates) > 0
}

// reached is a face and its distance.
type reached struct {
	face      int32
	distanceM float64
}

// within returns the faces no further than reachM, nearest first, then by code. reachM is at most MaxAccuracyM.
func (p *plane) within(m metric, reachM float64) []reached {
	var found []reached
	p.bucket.meeting(m.box(reachM), p, func(n int32) {
		if m.boxM(p.faces[n].bound) > reachM {
			return
		}
		if d := p.distanceM(n, m); d <= reachM {
			found = append(found, reached{n, d})
		}
	})
	slices.SortFunc(found, func(a, b reached) int {
		return cmp.Or(cmp.Compare(a.distanceM, b.distanceM), cmp.Compare(a.face, b.face))
	})
	for i := range found {
		found[i].face = p.ids[found[i].face]
	}
	return found
}

// distanceM is 0 for a point that the face holds, else the distance to its border.
func (p *plane) distanceM(face int32, m metric) float64 {
	if near(p.faces[face].bound, m.at, p.slack) && p.where(face, m.at, asPostGIS) != outside {
		return 0
	}
	return p.borderM(face, m)
}

// number is the plane's own number of a face.
func (p *plane) number(face int32) int32 { return p.ranks[face] }
