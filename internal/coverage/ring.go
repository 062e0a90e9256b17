package coverage

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gridgov/internal/fault"
	"gridgov/internal/robust"

	"github.com/paulmach/orb"
)

// maxVertices bounds what one coverage may hold; a country's villages have some millions.
const maxVertices = 8_000_000

// face is a polygon that can be read: rings open (last point not repeated), shells counter-clockwise, holes clockwise.
type face struct {
	Polygon
	rings [][]orb.Point
}

// readFaces sorts polygons by code and leaves out what cannot be placed in the plane at all. What is merely wrong stays
// in, so that a draft can be looked at, and has its finding.
func readFaces(polygons []Polygon, toleranceM float64) ([]face, []Finding, error) {
	vertices := 0
	for _, p := range polygons {
		for _, poly := range p.Shape {
			for _, ring := range poly {
				vertices += len(ring)
			}
		}
	}
	if vertices > maxVertices {
		return nil, nil, fault.TooLarge("shape", "The boundaries have %d vertices; at most %d are taken. Split the area or simplify the outlines.", vertices, maxVertices)
	}
	order := make([]int, len(polygons))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(polygons[a].Code, polygons[b].Code) })

	var faces []face
	var findings []Finding
	for k, i := range order {
		p := polygons[i]
		told := func(kind Kind, severity Severity, place orb.Point, format string, args ...any) {
			findings = append(findings, Finding{Kind: kind, Severity: severity, Codes: []string{p.Code}, Line: p.Line, Place: place, Message: fmt.Sprintf(format, args...)})
		}
		if p.Code == "" {
			told(InvalidRing, Refused, somePoint(p.Shape), "The boundary has no code. Every boundary needs one.")
			continue
		}
		if k > 0 && polygons[order[k-1]].Code == p.Code {
			told(Duplicate, Refused, somePoint(p.Shape), "The code %s came before%s. Each boundary needs a code of its own; several rows of one boundary must be one multipolygon.", p.Code, onLine(polygons[order[k-1]].Line))
			continue
		}
		f := face{Polygon: p}
		if f.read(toleranceM, told) {
			faces = append(faces, f)
		}
	}
	return faces, findings, nil
}

func onLine(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf(" on line %d", line)
}

func (f *face) read(toleranceM float64, told func(Kind, Severity, orb.Point, string, ...any)) bool {
	for _, poly := range f.Shape {
		for _, ring := range poly {
			if why := outside(ring); why != "" {
				told(InvalidRing, Refused, somePoint(f.Shape), "The boundary %s %s", f.Code, why)
				return false
			}
		}
	}
	for _, poly := range f.Shape {
		for n, ring := range poly {
			if len(ring) == 0 {
				continue
			}
			open := []orb.Point(ring)
			if first, last := ring[0], ring[len(ring)-1]; first == last {
				open = ring[:len(ring)-1]
			} else if gap := lengthM(first, last); gap <= toleranceM {
				told(InvalidRing, Repaired, last, "A ring of %s ended %.2g m beside its start and was closed.", f.Code, gap)
			} else {
				told(InvalidRing, Refused, last, "A ring of %s is not closed: it ends %.2f m from its start.", f.Code, gap)
			}
			if len(open) < 3 {
				told(InvalidRing, Refused, ring[0], "A ring of %s has %d points; a closed ring has at least 4, the first repeated as the last.", f.Code, len(ring))
				continue
			}
			open = slices.Clone(open)
			for i := range open {
				open[i][0] += 0 // −0 becomes 0: equal places are equal bits
				open[i][1] += 0
			}
			if runsCounterClockwise(open) != (n == 0) {
				slices.Reverse(open)
			}
			f.rings = append(f.rings, open)
		}
	}
	if len(f.rings) == 0 {
		told(Empty, Refused, orb.Point{}, "The boundary %s has no geometry.", f.Code)
		return false
	}
	return true
}

// outside says why a ring does not lie on the map; "" when it does.
func outside(ring orb.Ring) string {
	for _, p := range ring {
		x, y := math.Abs(p[0]), math.Abs(p[1])
		switch {
		case onMap(p):
			continue
		case math.IsNaN(x) || math.IsNaN(y) || math.IsInf(x, 0) || math.IsInf(y, 0):
			return "has a coordinate that is not a finite number."
		case x <= 90 && y <= 180:
			return fmt.Sprintf("has the point (%g, %g): longitude and latitude look swapped.", p[0], p[1])
		default:
			return fmt.Sprintf("has the point (%g, %g), which is not in degrees: name the coordinate system on import.", p[0], p[1])
		}
	}
	return ""
}

func onMap(p orb.Point) bool { return math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90 }

// somePoint is a place to show for a shape that is not read any further: its first vertex on the map, else (0, 0).
func somePoint(shape orb.MultiPolygon) orb.Point {
	for _, poly := range shape {
		for _, ring := range poly {
			for _, p := range ring {
				if onMap(p) {
					return p
				}
			}
		}
	}
	return orb.Point{}
}

// runsCounterClockwise is the sense that the larger part of a ring's area has. For rings so thin that rounding could decide
// it is the exact turn at the lowest point, which is right for every ring that does not cross itself.
func runsCounterClockwise(open []orb.Point) bool {
	origin, lowest := open[0], 0
	var twice float64
	bounds := boxOf(origin, origin)
	last := open[len(open)-1]
	for i, p := range open {
		twice += (last[0]-origin[0])*(p[1]-origin[1]) - (last[1]-origin[1])*(p[0]-origin[0])
		last = p
		bounds = bounds.union(boxOf(p, p))
		if comparePoints(p, open[lowest]) < 0 {
			lowest = i
		}
	}
	if math.Abs(twice) > 1e-8*(bounds[2]-bounds[0])*(bounds[3]-bounds[1]) {
		return twice > 0
	}
	n := len(open)
	return robust.Orient2D(open[(lowest+n-1)%n], open[lowest], open[(lowest+1)%n]) > 0
}
