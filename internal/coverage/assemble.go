package coverage

import (
	"slices"
	"strings"

	"gridgov/internal/robust"

	"github.com/paulmach/orb"
)

// border is an edge with what lies on its sides: indices of faces, −1 for none. u < v, left is that of u→v.
type border struct{ u, v, left, right int32 }

// assemble makes the coverage of borders whose sides differ. points are sorted by lon, then lat; those without a border
// are left out. faces come in order, without parts; one that no border names keeps none.
func assemble(points []orb.Point, borders []border, faces []Face) *Coverage {
	used := make([]int32, len(points))
	for _, b := range borders {
		used[b.u], used[b.v] = 1, 1
	}
	var kept []orb.Point
	for i, p := range points {
		if used[i] == 1 {
			used[i] = int32(len(kept))
			kept = append(kept, p)
		}
	}
	edges := make([][2]int32, len(borders))
	owner := make([]int32, 2*len(borders)) // by half-edge: the face on its left
	for i, b := range borders {
		edges[i] = [2]int32{used[b.u], used[b.v]}
		owner[2*i], owner[2*i+1] = b.left, b.right
	}
	a := &assembly{graph: newGraph(kept, edges), owner: owner, c: &Coverage{Faces: faces}}
	a.arcs()
	a.faces()
	a.c.measure()
	return a.c
}

type assembly struct {
	*graph
	owner []int32
	c     *Coverage
	node  []int32  // by point: its index in Nodes, or −1
	ref   []ArcRef // by half-edge that starts an arc: which one
}

// arcs strings edges together between nodes: points where not exactly two edges meet, and the lowest point of a loop
// without any. An arc starts at its lower node; one that returns to it starts with the lower of its two directions.
func (a *assembly) arcs() {
	degree := func(p int32) int32 { return a.first[p+1] - a.first[p] }
	isNode := make([]bool, len(a.points))
	onArc := make([]bool, len(a.ends)/2)
	for p := range isNode {
		isNode[p] = degree(int32(p)) != 2
	}
	// Mark what is reached from branching points; what remains are loops, each met first at its lowest point.
	follow := func(h int32) {
		for {
			onArc[h/2] = true
			if isNode[a.ends[twin(h)]] {
				return
			}
			h = a.next[h]
		}
	}
	for _, branching := range [...]bool{true, false} {
		for p := range isNode {
			for _, h := range a.out[a.first[p]:a.first[p+1]] {
				if isNode[p] == branching && !onArc[h/2] {
					isNode[p] = true
					follow(h)
				}
			}
		}
	}
	a.node = make([]int32, len(a.points))
	for p, is := range isNode {
		if a.node[p] = -1; is {
			a.node[p] = int32(len(a.c.Nodes))
			a.c.Nodes = append(a.c.Nodes, a.points[p])
		}
	}
	a.ref = make([]ArcRef, len(a.ends))
	clear(onArc)
	for p := range a.points {
		if a.node[p] < 0 {
			continue
		}
		for _, h := range a.out[a.first[p]:a.first[p+1]] {
			if onArc[h/2] {
				continue
			}
			arc := Arc{From: a.node[p], Points: []orb.Point{a.points[p]}, Left: a.owner[h], Right: a.owner[twin(h)]}
			index := ArcRef(len(a.c.Arcs))
			a.ref[h] = index
			for {
				onArc[h/2] = true
				end := a.ends[twin(h)]
				arc.Points = append(arc.Points, a.points[end])
				if a.node[end] >= 0 {
					arc.To = a.node[end]
					break
				}
				h = a.next[h]
			}
			a.ref[twin(h)] = ^index
			a.c.Arcs = append(a.c.Arcs, arc)
		}
	}
}

// faces gives each face its parts. A cell is connected, so it is one part; where its border touches itself in a node, it
// is cut there into simple rings: one shell and, touching it or each other in single points, holes. That is what the
// OGC's rules ask for.
func (a *assembly) faces() {
	for cell := int32(1); int(cell) < len(a.loops); cell++ {
		f := a.owner[a.loops[cell][0]]
		if f < 0 {
			continue
		}
		var shell []ArcRef
		var part [][]ArcRef
		for _, h := range a.loops[cell] {
			for _, ring := range a.simpleRings(h) {
				if a.c.counterClockwise(ring) {
					shell = ring
				} else {
					part = append(part, ring)
				}
			}
		}
		face := &a.c.Faces[f]
		face.Parts = append(face.Parts, slices.Insert(part, 0, shell))
	}
}

// simpleRings cuts the loop through h wherever it comes back to a node.
func (a *assembly) simpleRings(h int32) [][]ArcRef {
	for a.node[a.ends[h]] < 0 {
		h = a.next[h]
	}
	var rings [][]ArcRef
	var open []ArcRef
	startsAt := map[int32]int{} // node → the place in open of the arc that starts there
	a.walk(h, func(h int32) {
		if node := a.node[a.ends[h]]; node >= 0 {
			if at, again := startsAt[node]; again {
				rings = append(rings, slices.Clone(open[at:]))
				for _, r := range open[at:] {
					delete(startsAt, a.c.startNode(r))
				}
				open = open[:at]
			}
			startsAt[node] = len(open)
			open = append(open, a.ref[h])
		}
	})
	return append(rings, open)
}

func (c *Coverage) startNode(r ArcRef) int32 {
	index, reversed := r.Arc()
	if reversed {
		return c.Arcs[index].To
	}
	return c.Arcs[index].From
}

// counterClockwise looks at the turn at the lowest point, which is exact.
func (c *Coverage) counterClockwise(refs []ArcRef) bool {
	ring := c.ring(refs)
	return robust.Orient2D(ring[len(ring)-2], ring[0], ring[1]) > 0
}

// measure fills in what is asked for often.
func (c *Coverage) measure() {
	for i := range c.Faces {
		f := &c.Faces[i]
		f.areaM2, f.neighbours = 0, nil
		for _, part := range f.Parts {
			for _, refs := range part {
				f.areaM2 += ringAreaM2(c.ring(refs))
			}
		}
	}
	for _, a := range c.Arcs {
		if a.Left >= 0 && a.Right >= 0 {
			c.Faces[a.Left].neighbours = append(c.Faces[a.Left].neighbours, int(a.Right))
			c.Faces[a.Right].neighbours = append(c.Faces[a.Right].neighbours, int(a.Left))
		}
	}
	for i := range c.Faces {
		n := c.Faces[i].neighbours
		slices.Sort(n)
		c.Faces[i].neighbours = slices.Compact(n)
	}
}

// borders takes arcs apart into edges between sorted points, leaving out those that have the same on both sides.
func (c *Coverage) borders(sides func(Arc) (left, right int32)) ([]orb.Point, []border) {
	var points []orb.Point
	for _, a := range c.Arcs {
		points = append(points, a.Points...)
	}
	slices.SortFunc(points, comparePoints)
	points = slices.Compact(points)
	find := func(p orb.Point) int32 {
		i, _ := slices.BinarySearchFunc(points, p, comparePoints)
		return int32(i)
	}
	var borders []border
	for _, a := range c.Arcs {
		left, right := sides(a)
		if left == right {
			continue
		}
		from := find(a.Points[0])
		for _, p := range a.Points[1:] {
			to := find(p)
			if from < to {
				borders = append(borders, border{from, to, left, right})
			} else {
				borders = append(borders, border{to, from, right, left})
			}
			from = to
		}
	}
	return points, borders
}

// distinctFaces sorts faces by code and leaves out repeated codes and the code "".
func distinctFaces(faces []Face) []Face {
	slices.SortFunc(faces, func(a, b Face) int { return strings.Compare(a.Code, b.Code) })
	faces = slices.CompactFunc(faces, func(a, b Face) bool { return a.Code == b.Code })
	return slices.DeleteFunc(faces, func(f Face) bool { return f.Code == "" })
}
