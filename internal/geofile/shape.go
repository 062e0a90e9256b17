package geofile

import (
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// maxCollectionDepth is how deep GeometryCollections may nest; RFC 7946 advises against any nesting.
const maxCollectionDepth = 4

// coords is the value of a "coordinates" member before its type is known: members of an object come in any order.
// A position is held by its parent in points, so that a ring costs 16 bytes a vertex.
type coords struct {
	pos    orb.Point   // of a position by itself
	points []orb.Point // if the children are positions
	kids   []coords    // if they are arrays of something else
	depth  int         // 0 a position (pos), 1 a list of positions, 2 a list of such lists, … ; -1 an empty array
}

// rawShape is a geometry as it stands in a file, unchecked.
type rawShape struct {
	null   bool
	kind   string
	coords *coords
	arcs   *arcList   // of TopoJSON
	shapes []rawShape // of a collection
	listed bool       // "geometries" was there
}

// problem is what is wrong with a record; the reader adds where it stands.
type problem struct{ code, field, reason string }

func bad(code, field, format string, args ...any) *problem {
	return &problem{code, field, fmt.Sprintf(format, args...)}
}

func (p *problem) at(line, record int) *RowError {
	return &RowError{Line: line, Record: record, Code: p.code, Field: p.field, Reason: p.reason}
}

// build makes the checked geometry. PostGIS and the coverage only ever see what passes here: an empty member of a
// MultiPoint, for one, ends a PostGIS 3.3 server.
func (s *rawShape) build() (orb.Geometry, *problem) { return s.buildAt(0) }

func (s *rawShape) buildAt(depth int) (orb.Geometry, *problem) {
	switch {
	case s.null:
		return nil, bad("no_geometry", "geometry", "there is no geometry")
	case s.kind == "":
		return nil, bad("no_type", "geometry.type", "the geometry has no type")
	case s.kind == "GeometryCollection":
		return s.collection(depth)
	}
	want, known := map[string]int{
		"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3,
	}[s.kind]
	if !known {
		return nil, bad("unknown_type", "geometry.type", "%q is no type of geometry", clip(s.kind, 40))
	}
	c := s.coords
	if c == nil {
		return nil, bad("no_coordinates", "geometry.coordinates", "the %s has no coordinates", s.kind)
	}
	if c.depth < 0 {
		return nil, bad("empty", "geometry.coordinates", "the %s is empty", s.kind)
	}
	if p := c.nested(want); p != nil {
		return nil, p
	}
	switch s.kind {
	case "Point":
		return c.pos, nil
	case "MultiPoint":
		return orb.MultiPoint(c.points), nil
	case "LineString":
		return lineString(c.points)
	case "MultiLineString":
		lines := make(orb.MultiLineString, len(c.kids))
		for i, k := range c.kids {
			line, p := lineString(k.points)
			if p != nil {
				return nil, p
			}
			lines[i] = line
		}
		return lines, nil
	case "Polygon":
		return polygon(c.kids)
	}
	polygons := make(orb.MultiPolygon, len(c.kids))
	for i, k := range c.kids {
		one, p := polygon(k.kids)
		if p != nil {
			p.reason = fmt.Sprintf("polygon %d: %s", i+1, p.reason)
			return nil, p
		}
		polygons[i] = one
	}
	return polygons, nil
}

func (s *rawShape) collection(depth int) (orb.Geometry, *problem) {
	if depth >= maxCollectionDepth {
		return nil, bad("too_deep", "geometry", "collections of geometries nest deeper than %d", maxCollectionDepth)
	}
	if !s.listed {
		return nil, bad("no_coordinates", "geometry.geometries", "the collection has no geometries")
	}
	if len(s.shapes) == 0 {
		return nil, bad("empty", "geometry.geometries", "the collection is empty")
	}
	all := make(orb.Collection, len(s.shapes))
	for i := range s.shapes {
		g, p := s.shapes[i].buildAt(depth + 1)
		if p != nil {
			return nil, p
		}
		all[i] = g
	}
	return all, nil
}

// nested checks that the arrays nest as the type wants it, without empty ones, and that every number is finite.
func (c *coords) nested(want int) *problem {
	switch {
	case c.depth < 0:
		return bad("empty", "geometry.coordinates", "a part of the geometry is empty")
	case c.depth != want:
		return bad("wrong_nesting", "geometry.coordinates", "the coordinates nest %d arrays deep where the type has %d", c.depth+1, want+1)
	}
	if !finite(c.pos) || slices.ContainsFunc(c.points, func(p orb.Point) bool { return !finite(p) }) {
		return bad("not_finite", "geometry.coordinates", "a coordinate is not a finite number")
	}
	for i := range c.kids {
		if p := c.kids[i].nested(want - 1); p != nil {
			return p
		}
	}
	return nil
}

func finite(p orb.Point) bool {
	return !math.IsNaN(p[0]-p[0]) && !math.IsNaN(p[1]-p[1]) // infinity minus itself is no number
}

func lineString(points []orb.Point) (orb.LineString, *problem) {
	if len(points) < 2 {
		return nil, bad("too_few_points", "geometry.coordinates", "a line has %d point where it needs 2", len(points))
	}
	return orb.LineString(points), nil
}

func polygon(rings []coords) (orb.Polygon, *problem) {
	out := make(orb.Polygon, len(rings))
	for i, r := range rings {
		if p := checkRing(r.points); p != nil {
			p.reason = fmt.Sprintf("ring %d %s", i+1, p.reason)
			return nil, p
		}
		out[i] = orb.Ring(r.points)
	}
	return out, nil
}

// checkRing wants four positions, the last equal to the first, and three that differ.
func checkRing(ring []orb.Point) *problem {
	const field = "geometry.coordinates"
	first, last := ring[0], ring[len(ring)-1]
	if first != last {
		return bad("not_closed", field, "is not closed: it starts at %v, %v and ends at %v, %v", first[0], first[1], last[0], last[1])
	}
	if len(ring) < 4 {
		return bad("too_few_points", field, "has %d points where it needs 4", len(ring))
	}
	second := -1
	for i, p := range ring {
		switch {
		case p == first:
		case second < 0:
			second = i
		case p != ring[second]:
			return nil
		}
	}
	return bad("too_few_points", field, "has no three points that differ")
}

// Polygonal gives the polygons of a shape: a Polygon, a MultiPolygon, or a collection of nothing else. The shape's
// memory is shared. ok is false for every other shape.
func Polygonal(shape orb.Geometry) (polygons orb.MultiPolygon, ok bool) {
	switch s := shape.(type) {
	case orb.Polygon:
		return orb.MultiPolygon{s}, true
	case orb.MultiPolygon:
		return s, true
	case orb.Collection:
		for _, g := range s {
			part, ok := Polygonal(g)
			if !ok {
				return nil, false
			}
			polygons = append(polygons, part...)
		}
		return polygons, len(polygons) > 0
	}
	return nil, false
}
