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
