package coverage

import (
	"container/heap"
	"math"
	"slices"

	"gridgov/internal/robust"

	"github.com/paulmach/orb"
)

// Simplify drops vertices whose triangle with their neighbours on the arc has an area below toleranceM², smallest first
// (Visvalingam and Whyatt, Line generalisation by repeated elimination of points, 1993; the area weights vertices, so long
// gentle bends stay and short zigzags go). Each arc is simplified once and both its faces follow, nodes stay, and a vertex
// goes only if no other vertex lies in its triangle and no arc runs along its base: so no two borders cross or meet anew,
// every ring keeps at least three points and every face stays. Arcs keep their indices. A tolerance that is not above 0 drops nothing.
func (c *Coverage) Simplify(toleranceM float64) *Coverage {
	if !(toleranceM > 0) {
		return c
	}
	s := newSimplifier(c)
	for len(s.queue) > 0 {
		v := heap.Pop(s).(candidate)
		if v.areaM2 >= toleranceM*toleranceM {
			break
		}
		if v.stamp == s.stamp[v.vertex] && s.removable(v.vertex) {
			s.remove(v.vertex, v.areaM2)
		}
	}
	out := &Coverage{Nodes: c.Nodes, Arcs: slices.Clone(c.Arcs), Faces: slices.Clone(c.Faces)}
	for i := range out.Arcs {
		first := s.first[i]
		points := make([]orb.Point, 0, s.left[i])
		for v := first; ; v = s.after[v] {
			points = append(points, s.points[v])
			if v == s.last[i] {
				break
			}
		}
		out.Arcs[i].Points = points
	}
	out.measure()
	return out
}

// simplifier holds all arcs' vertices in a row, each arc a linked list.
type simplifier struct {
	points        []orb.Point
	flat          []orb.Point // the same in the equal-area plane, in metres
	before, after []int32     // −1 at the ends of arcs
	arc           []int32     // by vertex
	stamp         []int32     // by vertex: counts its candidates, so that outdated ones are known
	first, last   []int32     // by arc
	left          []int32     // by arc: how many vertices remain
	nodes         []Arc       // for From and To
	straight      map[[2]int32]bool
	tree          *boxTree
	alive         []int32 // by tree node: how many vertices below it remain
	slot          []int32 // by vertex: its place in the tree
	queue         []candidate
}

type candidate struct {
	areaM2        float64
	vertex, stamp int32
}

func newSimplifier(c *Coverage) *simplifier {
	s := &simplifier{nodes: c.Arcs, straight: map[[2]int32]bool{}}
	for i, a := range c.Arcs {
		s.first = append(s.first, int32(len(s.points)))
		for k, p := range a.Points {
			v := int32(len(s.points))
			s.points = append(s.points, p)
			s.flat = append(s.flat, equalArea(p))
			s.arc = append(s.arc, int32(i))
			s.before, s.after = append(s.before, v-1), append(s.after, v+1)
			if k == 0 {
				s.before[v] = -1
			}
			if k == len(a.Points)-1 {
				s.after[v] = -1
			}
		}
		s.last = append(s.last, int32(len(s.points)-1))
		s.left = append(s.left, int32(len(a.Points)))
		if len(a.Points) == 2 {
			s.straight[ends(a)] = true
		}
	}
	s.stamp = make([]int32, len(s.points))
	s.tree = newBoxTree(len(s.points), func(i int32) box { return boxOf(s.points[i], s.points[i]) })
	s.alive = make([]int32, len(s.tree.boxes))
	s.slot = make([]int32, len(s.points))
	for i, v := range s.tree.items {
		s.slot[v] = int32(i)
	}
	for v := range s.points {
		s.count(int32(v), 1)
		s.offer(int32(v), 0)
	}
	heap.Init(s)
	return s
}

func ends(a Arc) [2]int32 { return [2]int32{min(a.From, a.To), max(a.From, a.To)} }

// count adds to the vertex's tree nodes.
func (s *simplifier) count(v, by int32) {
	i := int(s.slot[v])
	for level := range len(s.tree.start) - 1 {
		s.alive[s.tree.start[level]+i] += by
		i /= fanout
	}
}

// offer puts an inner vertex into the queue with the area of its triangle, not below least: a vertex must not go before
// one that had to go first.
func (s *simplifier) offer(v int32, least float64) {
	a, b := s.before[v], s.after[v]
	if a < 0 || b < 0 {
		return
	}
	p, q, r := s.flat[a], s.flat[v], s.flat[b]
	area := math.Abs((q[0]-p[0])*(r[1]-p[1])-(q[1]-p[1])*(r[0]-p[0])) / 2
	s.stamp[v]++
	s.queue = append(s.queue, candidate{math.Max(area, least), v, s.stamp[v]})
}

func (s *simplifier) Len() int      { return len(s.queue) }
func (s *simplifier) Swap(i, k int) { s.queue[i], s.queue[k] = s.queue[k], s.queue[i] }
func (s *simplifier) Less(i, k int) bool {
	if s.queue[i].areaM2 != s.queue[k].areaM2 {
		return s.queue[i].areaM2 < s.queue[k].areaM2
	}
	return s.queue[i].vertex < s.queue[k].vertex
}
func (s *simplifier) Push(x any) { s.queue = append(s.queue, x.(candidate)) }
func (s *simplifier) Pop() any {
	last := s.queue[len(s.queue)-1]
	s.queue = s.queue[:len(s.queue)-1]
	return last
}

// removable keeps what the coverage needs.
func (s *simplifier) removable(v int32) bool {
	arc := s.arc[v]
	a := s.nodes[arc]
	if a.From == a.To && s.left[arc] <= 4 { // a ring of three points
		return false
	}
	if s.left[arc] == 3 && s.straight[ends(a)] { // another arc runs straight between the same nodes
		return false
	}
	p, q, r := s.points[s.before[v]], s.points[v], s.points[s.after[v]]
	turn := robust.Orient2D(p, q, r)
	bounds := boxOf(p, r).union(boxOf(q, q))
	return s.empty(len(s.tree.start)-2, 0, bounds, func(x orb.Point) bool {
		if x == p || x == q || x == r {
			return false
		}
		// On the border counts: a base must not run through a vertex. For a straight triangle only what lies on it does.
		return robust.Orient2D(p, q, x)*turn >= 0 && robust.Orient2D(q, r, x)*turn >= 0 && robust.Orient2D(r, p, x)*turn >= 0 &&
			(turn != 0 || robust.Orient2D(p, r, x) == 0)
	})
}

// empty tells whether no remaining vertex in the box is inside.
func (s *simplifier) empty(level, i int, b box, inside func(orb.Point) bool) bool {
	at := s.tree.start[level] + i
	if s.alive[at] == 0 || !s.tree.boxes[at].meets(b) {
		return true
	}
	if level == 0 {
		return !inside(s.points[s.tree.items[i]])
	}
	below := s.tree.start[level] - s.tree.start[level-1]
	for k := i * fanout; k < min((i+1)*fanout, below); k++ {
		if !s.empty(level-1, k, b, inside) {
			return false
		}
	}
	return true
}

func (s *simplifier) remove(v int32, areaM2 float64) {
	a, b, arc := s.before[v], s.after[v], s.arc[v]
	s.after[a], s.before[b] = b, a
	s.stamp[v]++
	s.count(v, -1)
	if s.left[arc]--; s.left[arc] == 2 {
		s.straight[ends(s.nodes[arc])] = true
	}
	for _, w := range [...]int32{a, b} {
		n := len(s.queue)
		s.offer(w, areaM2)
		if len(s.queue) > n {
			heap.Fix(s, n)
		}
	}
}
