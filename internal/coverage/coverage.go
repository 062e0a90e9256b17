// Package coverage keeps polygons that tile an area as nodes, arcs and faces, so that a shared border exists once.
//
// Build makes a coverage from polygons as they come, dirt included: it joins what lies within the tolerance, repairs what
// is thinner than it, and tells everything else as a Finding with its place and area. FromFaces reads a coverage back from
// faces as stored, to the same doubles. Dissolve, Simplify and Neighbours work on arcs, so neighbours cannot drift apart.
//
// Coordinates are lon, lat in degrees; an edge is a straight line in that plane, as PostGIS's geometry has it. The plane
// ends at ±180° and ±90°: a face across the antimeridian is given as two parts. Sides and crossings are decided exactly;
// lengths and areas are those of the GRS80 ellipsoid (see metric.go).
package coverage

import (
	"slices"
	"strings"

	"github.com/paulmach/orb"
)

// Polygon is one face on its way in or out: its code, the code of its parent ("" when it names none), the line of the
// file it came from (0 when unknown), and its shape.
type Polygon struct {
	Code, Parent string
	Line         int
	Shape        orb.MultiPolygon
}

// Coverage is a set of faces without overlap, with each border once. It is immutable after it was made and may be read
// by any number of goroutines.
type Coverage struct {
	Nodes []orb.Point // where arcs meet, sorted by lon, then lat; a border without any branch has one node of its own
	Arcs  []Arc
	Faces []Face // sorted by code, bytewise
}

// Arc is a border between two sides, from node to node. Left and Right are indices of Faces, −1 where no face lies.
type Arc struct {
	From, To    int32 // indices of Nodes
	Points      []orb.Point
	Left, Right int32
}

// ArcRef names an arc of a ring: index i ≥ 0 as it runs, ^i (negative) reversed.
type ArcRef int32

// Arc returns the index of the arc and whether it runs backwards.
func (r ArcRef) Arc() (index int32, reversed bool) {
	if r < 0 {
		return int32(^r), true
	}
	return int32(r), false
}

// Face is one member of the coverage. Parts are polygons, each a list of rings of which the first is the shell; a ring is
// a list of arcs that keep the face on their left, so shells run counter-clockwise and holes clockwise (RFC 7946).
type Face struct {
	Code, Parent string
	Line         int
	Parts        [][][]ArcRef
	areaM2       float64
	neighbours   []int
}

// Len is the number of faces.
func (c *Coverage) Len() int { return len(c.Faces) }

// Index finds a face by its code: its index in Faces, or −1.
func (c *Coverage) Index(code string) int {
	i, ok := slices.BinarySearchFunc(c.Faces, code, func(f Face, code string) int { return strings.Compare(f.Code, code) })
	if !ok {
		return -1
	}
	return i
}

// AreaM2 is the area of face i on the ellipsoid in square metres. Areas of the faces add up to that of their union.
func (c *Coverage) AreaM2(i int) float64 { return c.Faces[i].areaM2 }

// Neighbours lists the faces that share an arc with face i, ascending. A common node alone makes no neighbour. The slice
// belongs to the coverage.
func (c *Coverage) Neighbours(i int) []int { return c.Faces[i].neighbours }

// Bound is the box around all faces; an empty coverage has an empty one.
func (c *Coverage) Bound() orb.Bound {
	b := orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	for i, a := range c.Arcs {
		for j, p := range a.Points {
			if i == 0 && j == 0 {
				b = p.Bound()
				continue
			}
			b = b.Extend(p)
		}
	}
	return b
}

// Shape returns face i as a valid OGC multipolygon: closed rings, shells counter-clockwise, holes clockwise, each from
// its smallest vertex (lon, then lat), parts and holes in the order of those vertices. It is a fresh copy.
func (c *Coverage) Shape(i int) orb.MultiPolygon {
	shape := make(orb.MultiPolygon, 0, len(c.Faces[i].Parts))
	for _, part := range c.Faces[i].Parts {
		poly := make(orb.Polygon, 0, len(part))
		for _, refs := range part {
			poly = append(poly, c.ring(refs))
		}
		slices.SortFunc(poly[1:], compareRings)
		shape = append(shape, poly)
	}
	slices.SortFunc(shape, func(a, b orb.Polygon) int { return compareRings(a[0], b[0]) })
	return shape
}

// Polygons returns all faces in order, as FromFaces takes them.
func (c *Coverage) Polygons() []Polygon {
	out := make([]Polygon, len(c.Faces))
	for i, f := range c.Faces {
		out[i] = Polygon{Code: f.Code, Parent: f.Parent, Line: f.Line, Shape: c.Shape(i)}
	}
	return out
}

// InnerPoint returns a point inside the largest part of face i, for labels and for lookups.
func (c *Coverage) InnerPoint(i int) orb.Point {
	var best orb.Polygon
	var bestM2 float64
	for _, poly := range c.Shape(i) {
		if m2 := polygonAreaM2(poly); best == nil || m2 > bestM2 {
			best, bestM2 = poly, m2
		}
	}
	return innerPoint(best)
}

// ring strings the arcs together and turns the ring to its smallest vertex.
func (c *Coverage) ring(refs []ArcRef) orb.Ring {
	var open []orb.Point
	for _, r := range refs {
		index, reversed := r.Arc()
		points := c.Arcs[index].Points
		if reversed {
			for k := len(points) - 1; k > 0; k-- {
				open = append(open, points[k])
			}
			continue
		}
		open = append(open, points[:len(points)-1]...)
	}
	start := 0
	for k := range open {
		if comparePoints(open[k], open[start]) < 0 {
			start = k
		}
	}
	ring := make(orb.Ring, 0, len(open)+1)
	ring = append(ring, open[start:]...)
	ring = append(ring, open[:start]...)
	return append(ring, ring[0])
}

// comparePoints orders by lon, then lat.
func comparePoints(a, b orb.Point) int {
	switch {
	case a[0] < b[0]:
		return -1
	case a[0] > b[0]:
		return 1
	case a[1] < b[1]:
		return -1
	case a[1] > b[1]:
		return 1
	}
	return 0
}

// compareRings orders rings that start at their smallest vertex; rings may share it, so the next vertices decide.
func compareRings(a, b orb.Ring) int { return slices.CompareFunc(a, b, comparePoints) }
