package coverage

import (
	"math"

	"github.com/paulmach/orb"
)

// joinVertices finds the vertices that lie within the tolerance of another. points are distinct and sorted; the answer
// gives each one's representative, itself for most. Vertices are taken in order and go to the nearest representative so
// far, or become one: the result depends on where vertices lie and not on the order they came in, a string of close
// vertices does not collapse into one, no vertex moves by more than the tolerance, and representatives are farther apart.
func joinVertices(points []orb.Point, toleranceM float64) []int32 {
	rep := make([]int32, len(points))
	tree := newBoxTree(len(points), func(i int32) box { return boxOf(points[i], points[i]) })
	for i, p := range points {
		rep[i] = int32(i)
		s := scaleAt(p[1])
		nearest := math.Inf(1)
		tree.search(boxOf(p, p).grown(toleranceM), func(j int32) bool {
			if int(j) >= i || rep[j] != j {
				return true
			}
			q := points[j]
			d := math.Hypot((p[0]-q[0])*s.lon, (p[1]-q[1])*s.lat)
			if d <= toleranceM && (d < nearest || d == nearest && j < rep[i]) {
				nearest, rep[i] = d, j
			}
			return true
		})
	}
	return rep
}

// rejoin sends nodes made for crossings to a point within the tolerance, given ones before new ones, and tells whether
// any went. Given points stay where they are.
func (n *noder) rejoin() bool {
	if len(n.points) == n.given {
		return false
	}
	used := make([]bool, len(n.points))
	for _, t := range n.traces {
		used[t.u], used[t.v] = true, true
	}
	var here []int32
	for i, is := range used {
		if is {
			here = append(here, int32(i))
		}
	}
	rep := make([]int32, len(n.points))
	for i := range rep {
		rep[i] = int32(i)
	}
	tree := newBoxTree(len(here), func(k int32) box { return boxOf(n.points[here[k]], n.points[here[k]]) })
	joined := false
	for _, i := range here {
		if int(i) < n.given {
			continue
		}
		p, nearest := n.points[i], math.Inf(1)
		tree.search(boxOf(p, p).grown(n.toleranceM), func(k int32) bool {
			j := here[k]
			if int(j) >= n.given && j >= i || rep[j] != j {
				return true
			}
			if d := lengthM(p, n.points[j]); d <= n.toleranceM && (d < nearest || d == nearest && j < rep[i]) {
				nearest, rep[i], joined = d, j, true
			}
			return true
		})
	}
	if !joined {
		return false
	}
	moved := n.traces[:0]
	for _, t := range n.traces {
		u, v := rep[t.u], rep[t.v]
		switch {
		case u == t.u && v == t.v:
			moved = append(moved, t)
		case u != v:
			moved = append(moved, newTrace(u, v, t.face, t.wind))
		}
	}
	n.traces = sumTraces(moved, n.folded)
	return true
}
