package coverage

import (
	"context"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// FromFaces makes the coverage of faces as stored, in any order: the same doubles, nothing joined and nothing repaired.
// What Polygons returns comes back as the same coverage. It is an error when the faces are not a coverage: unreadable,
// with a code twice, without area, overlapping, or with borders that cross or pass a vertex without having it.
func FromFaces(polygons []Polygon) (*Coverage, error) {
	faces, findings, err := readFaces(polygons, 0)
	if err != nil {
		return nil, err
	}
	if len(findings) > 0 {
		return nil, fmt.Errorf("coverage: stored faces: %s", findings[0].Message)
	}
	rings := make([][][]orb.Point, len(faces))
	for i, f := range faces {
		rings[i] = f.rings
	}
	o := outline(rings, 0, func(int, orb.Point) {})
	n := &noder{points: o.points, limit: math.MaxInt64 / 2}
	var folded error
	n.traces = sumTraces(o.traces, func(face, point int32) {
		folded = fmt.Errorf("coverage: stored face %s runs along an edge at %v twice", faces[face].Code, o.points[point])
	})
	if folded != nil {
		return nil, folded
	}
	snaps, crossings, err := n.compare(context.Background())
	if err != nil {
		return nil, err
	}
	if len(snaps)+len(crossings) > 0 {
		e := n.edges[firstEdge(snaps, crossings)]
		return nil, fmt.Errorf("coverage: stored face %s has an edge from %v to %v that meets another between its ends",
			faces[n.traces[e.first].face].Code, n.points[e.u], n.points[e.v])
	}
	a, err := arrange(context.Background(), n.points, n.traces)
	if err != nil {
		return nil, err
	}
	b := &builder{faces: faces, a: a, owner: a.only}
	for cell := int32(1); int(cell) < len(a.only); cell++ {
		if l := a.other[cell]; l.count > 0 {
			return nil, fmt.Errorf("coverage: stored face %s overlaps another or itself at %v", faces[l.faces[0]].Code, innerPoint(a.rings(cell)))
		}
	}
	c := b.assemble()
	if len(b.findings) > 0 {
		return nil, fmt.Errorf("coverage: stored faces: %s", b.findings[0].Message)
	}
	return c, nil
}
