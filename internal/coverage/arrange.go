package coverage

import (
	"context"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// outlines are the vertices and traces of faces before they are noded.
type outlines struct {
	points []orb.Point // distinct, sorted
	traces []trace
	joined int // vertices that went to another one
	farM   float64
	farAt  orb.Point
}

// outline numbers the vertices of all rings, joins those within the tolerance (0: none) and traces the rings. touches is
// called for a ring that comes back to a vertex, once for each time.
func outline(rings [][][]orb.Point, toleranceM float64, touches func(face int, at orb.Point)) *outlines {
	type vertex struct {
		orb.Point
		at int32
	}
	total := 0
	for _, face := range rings {
		for _, ring := range face {
			total += len(ring)
		}
	}
	vertices := make([]vertex, 0, total)
	for _, face := range rings {
		for _, ring := range face {
			for _, p := range ring {
				vertices = append(vertices, vertex{p, int32(len(vertices))})
			}
		}
	}
	slices.SortFunc(vertices, func(a, b vertex) int { return comparePoints(a.Point, b.Point) })
	o := &outlines{}
	id := make([]int32, total)
	for _, v := range vertices {
		if n := len(o.points); n == 0 || o.points[n-1] != v.Point {
			o.points = append(o.points, v.Point)
		}
		id[v.at] = int32(len(o.points) - 1)
	}
	var rep []int32
	if toleranceM > 0 {
		rep = joinVertices(o.points, toleranceM)
		for i, r := range rep {
			if int(r) == i {
				continue
			}
			o.joined++
			if d := lengthM(o.points[i], o.points[r]); d > o.farM {
				o.farM, o.farAt = d, o.points[r]
			}
		}
	}
	seenIn := make([]int32, len(o.points)) // the last ring that visited the point, from 1
	at, number := 0, int32(0)
	var path []int32
	for f, face := range rings {
		for _, ring := range face {
			number++
			path = path[:0]
			for range ring {
				v := id[at]
				at++
				if rep != nil {
					v = rep[v]
				}
				if len(path) == 0 || path[len(path)-1] != v {
					path = append(path, v)
				}
			}
			for len(path) > 1 && path[0] == path[len(path)-1] {
				path = path[:len(path)-1]
			}
			for i, v := range path {
				if seenIn[v] == number {
					touches(f, o.points[v])
				}
				seenIn[v] = number
				if to := path[(i+1)%len(path)]; to != v {
					o.traces = append(o.traces, newTrace(v, to, int32(f), 1))
				}
			}
		}
	}
	return o
}

// arrangement is the plane cut along outlines: its cells and which faces cover each.
type arrangement struct {
	*graph
	edges  []edge // in the graph's order
	traces []trace
	labelling
}

// arrange makes the arrangement of noded traces.
func arrange(ctx context.Context, points []orb.Point, traces []trace) (*arrangement, error) {
	points, traces = renumber(points, traces)
	edges := edgesOf(traces)
	pairs := make([][2]int32, len(edges))
	for i, e := range edges {
		pairs[i] = [2]int32{e.u, e.v}
	}
	a := &arrangement{graph: newGraph(points, pairs), edges: edges, traces: traces}
	var err error
	a.labelling, err = labelCells(ctx, a.graph, edges, traces)
	return a, err
}

// renumber leaves out points without a trace and sorts the others, as the graph wants them.
func renumber(points []orb.Point, traces []trace) ([]orb.Point, []trace) {
	number := make([]int32, len(points))
	for _, t := range traces {
		number[t.u], number[t.v] = 1, 1
	}
	var order []int32
	for i, used := range number {
		if used == 1 {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return comparePoints(points[a], points[b]) })
	sorted := make([]orb.Point, len(order))
	for i, old := range order {
		sorted[i] = points[old]
		number[old] = int32(i)
	}
	out := make([]trace, len(traces))
	for i, t := range traces {
		out[i] = newTrace(number[t.u], number[t.v], t.face, t.wind)
	}
	slices.SortFunc(out, compareTraces)
	return sorted, out
}

// extent is a cell's area and its mean width, 2·area/perimeter: the width of a long strip.
func (a *arrangement) extent(cell int32) (areaM2, widthM float64) {
	var perimeter float64
	for _, ring := range a.rings(cell) {
		areaM2 += ringAreaM2(ring)
		perimeter += perimeterM(ring)
	}
	areaM2 = math.Max(areaM2, 0) // below what doubles resolve
	return areaM2, 2 * areaM2 / perimeter
}
