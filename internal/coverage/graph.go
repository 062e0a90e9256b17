package coverage

import (
	"cmp"
	"slices"

	"gridgov/internal/robust"

	"github.com/paulmach/orb"
)

// graph is a planar graph of straight edges as half-edges: edge e gives 2e from its lower to its higher point and 2e+1
// back. Points are sorted by lon, then lat, and each has an edge; edges meet at points only. Every half-edge has the cell
// on its left; cell 0 is the outside.
type graph struct {
	points []orb.Point
	ends   []int32 // by half-edge: the point it starts from; it ends where its twin starts
	out    []int32 // half-edges by the point they start from, counter-clockwise from the direction of −x
	first  []int32 // where each point's begin in out; one more entry at the end
	next   []int32 // by half-edge: the next one around the cell on the left
	cell   []int32 // by half-edge

	// loops holds, by cell, one half-edge of each of its borders: for a bounded cell the outer one first, then those of
	// what lies in it.
	loops [][]int32
}

func twin(h int32) int32 { return h ^ 1 }

// newGraph takes edges as pairs of points, lower first.
func newGraph(points []orb.Point, edges [][2]int32) *graph {
	g := &graph{points: points, ends: make([]int32, 2*len(edges))}
	for i, e := range edges {
		g.ends[2*i], g.ends[2*i+1] = e[0], e[1]
	}
	g.fan()
	g.link()
	g.nest()
	return g
}

// fan sorts the half-edges around each point.
func (g *graph) fan() {
	g.first = make([]int32, len(g.points)+1)
	for _, p := range g.ends {
		g.first[p+1]++
	}
	for i := range g.points {
		g.first[i+1] += g.first[i]
	}
	g.out = make([]int32, len(g.ends))
	fill := slices.Clone(g.first)
	for h, p := range g.ends {
		g.out[fill[p]] = int32(h)
		fill[p]++
	}
	for p := range g.points {
		around := g.out[g.first[p]:g.first[p+1]]
		center := g.points[p]
		slices.SortFunc(around, func(a, b int32) int {
			return compareDirections(center, g.points[g.ends[twin(a)]], g.points[g.ends[twin(b)]])
		})
	}
}

// compareDirections orders p→a and p→b by angle in (−π, π], exactly.
func compareDirections(p, a, b orb.Point) int {
	upper := func(q orb.Point) int {
		if q[1] >= p[1] {
			return 1
		}
		return 0
	}
	if c := cmp.Compare(upper(a), upper(b)); c != 0 {
		return c
	}
	if side := robust.Orient2D(p, a, b); side != 0 {
		return -side
	}
	return cmp.Compare(b[0], a[0]) // opposite along the x axis: 0 before π
}

// link finds the next half-edge around each cell: at its end, the first one clockwise from where it came.
func (g *graph) link() {
	g.next = make([]int32, len(g.ends))
	for p := range g.points {
		around := g.out[g.first[p]:g.first[p+1]]
		for i, h := range around {
			before := around[(i+len(around)-1)%len(around)]
			g.next[twin(h)] = before
		}
	}
}

// nest numbers the cells and finds out which cell each connected component lies in.
func (g *graph) nest() {
	const none = -1
	component := g.components()
	g.cell = make([]int32, len(g.ends))
	for h := range g.cell {
		g.cell[h] = none
	}
	g.loops = [][]int32{nil}
	// The last half-edge of a component's lowest point has the component's outside on its left: all others there point
	// to the right of it, so the direction of −x lies between it and the first.
	var outer []int32
	for p := range g.points {
		if int(component[p]) == p {
			outer = append(outer, g.out[g.first[p+1]-1])
		}
	}
	onOuter := make([]bool, len(g.ends))
	for _, h := range outer {
		for k := h; ; {
			onOuter[k] = true
			if k = g.next[k]; k == h {
				break
			}
		}
	}
	// Cells are numbered by their lowest point, so that numbers do not depend on the order of edges.
	for _, h := range g.out {
		if g.cell[h] == none && !onOuter[h] {
			g.mark(h, int32(len(g.loops)))
			g.loops = append(g.loops, []int32{h})
		}
	}
	below := g.edgeBelow()
	for i, h := range outer { // by lowest point: what lies below was dealt with before, and nothing lies below the first
		in := int32(0)
		if i > 0 {
			if under := below(g.ends[h]); under >= 0 {
				in = g.cell[under]
			}
		}
		g.mark(h, in)
		g.loops[in] = append(g.loops[in], h)
	}
}

func (g *graph) mark(h, cell int32) {
	for k := h; ; {
		g.cell[k] = cell
		if k = g.next[k]; k == h {
			return
		}
	}
}

// components gives each point the lowest point of its connected component.
func (g *graph) components() []int32 {
	root := make([]int32, len(g.points))
	for i := range root {
		root[i] = int32(i)
	}
	find := func(i int32) int32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for h := 0; h < len(g.ends); h += 2 {
		a, b := find(g.ends[h]), find(g.ends[h+1])
		root[max(a, b)] = min(a, b)
	}
	for i := range root {
		root[i] = find(int32(i))
	}
	return root
}

// edgeBelow returns a lookup of the nearest edge below a component's lowest point, as the half-edge that has the point's
// side on its left, or −1. Edges count from after their left end to their right end, as seen just left of the point; none
// of the point's own component does.
func (g *graph) edgeBelow() func(point int32) int32 {
	var tree *boxTree
	return func(point int32) int32 {
		if tree == nil {
			tree = newBoxTree(len(g.ends)/2, func(e int32) box { return boxOf(g.points[g.ends[2*e]], g.points[g.ends[2*e+1]]) })
		}
		p := g.points[point]
		best := int32(-1)
		floor := p[1] - 1e3 // below all
		tree.topmost(p, func(e int32) float64 {
			l, r := g.points[g.ends[2*e]], g.points[g.ends[2*e+1]]
			if l[0] < p[0] && p[0] <= r[0] && robust.Orient2D(l, r, p) > 0 && (best < 0 || g.above(2*e, best)) {
				best, floor = 2*e, min(l[1], r[1])
			}
			return floor
		})
		return best
	}
}

// above tells whether half-edge a, which runs to the right, lies above b where both are to be seen.
func (g *graph) above(a, b int32) bool {
	al, ar := g.points[g.ends[a]], g.points[g.ends[twin(a)]]
	bl, br := g.points[g.ends[b]], g.points[g.ends[twin(b)]]
	if al[0] >= bl[0] {
		if side := robust.Orient2D(bl, br, al); side != 0 {
			return side > 0
		}
	}
	if bl[0] >= al[0] {
		if side := robust.Orient2D(al, ar, bl); side != 0 {
			return side < 0
		}
	}
	// They start at one point.
	if ar[0] <= br[0] {
		return robust.Orient2D(bl, br, ar) > 0
	}
	return robust.Orient2D(al, ar, br) < 0
}

// walk visits the half-edges of the loop that h is on.
func (g *graph) walk(h int32, visit func(h int32)) {
	for k := h; ; {
		visit(k)
		if k = g.next[k]; k == h {
			return
		}
	}
}

// rings returns the borders of a cell as rings, the outer one first: counter-clockwise outside, clockwise inside.
func (g *graph) rings(cell int32) orb.Polygon {
	var rings orb.Polygon
	for _, h := range g.loops[cell] {
		var ring orb.Ring
		g.walk(h, func(h int32) { ring = append(ring, g.points[g.ends[h]]) })
		rings = append(rings, ring)
	}
	return rings
}
