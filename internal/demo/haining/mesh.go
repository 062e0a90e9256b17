package haining

// mesh is a planar subdivision as half-edges. A face is only ever made by a path that cuts another in two, so faces have no
// holes, every edge has exactly two sides, and a place where a line ends on another is a vertex of both.
type mesh struct {
	at    []vec // vertices
	fixed int   // the first vertices are the outline's
	edges []halfEdge
	faces []int32 // one half-edge of each face
}

type halfEdge struct {
	from, next, prev, twin, face int32
}

const outside = -1

// newMesh makes one face of a counter-clockwise ring (not closed).
func newMesh(ring []vec) *mesh {
	n := int32(len(ring))
	m := &mesh{at: append([]vec(nil), ring...), fixed: len(ring), edges: make([]halfEdge, 2*n), faces: []int32{0}}
	for i := range n {
		j, h := (i+1)%n, (i+n-1)%n
		m.edges[i] = halfEdge{from: i, next: j, prev: h, twin: n + i, face: 0}
		m.edges[n+i] = halfEdge{from: j, next: n + h, prev: n + j, twin: i, face: outside}
	}
	return m
}

func (m *mesh) to(e int32) int32 { return m.edges[m.edges[e].twin].from }

// ring is the face's half-edges, counter-clockwise.
func (m *mesh) ring(face int32, dst []int32) []int32 {
	first := m.faces[face]
	for e := first; ; {
		dst = append(dst, e)
		if e = m.edges[e].next; e == first {
			return dst
		}
	}
}

// cutEdge puts a vertex on an edge and returns it; e keeps its first half.
func (m *mesh) cutEdge(e int32, p vec) int32 {
	v, t := int32(len(m.at)), m.edges[e].twin
	m.at = append(m.at, p)
	e2, t2 := int32(len(m.edges)), int32(len(m.edges))+1
	m.edges = append(m.edges,
		halfEdge{from: v, next: m.edges[e].next, prev: e, twin: t, face: m.edges[e].face},
		halfEdge{from: v, next: m.edges[t].next, prev: t, twin: e, face: m.edges[t].face})
	m.edges[m.edges[e].next].prev = e2
	m.edges[m.edges[t].next].prev = t2
	m.edges[e].next, m.edges[e].twin = e2, t2
	m.edges[t].next, m.edges[t].twin = t2, e2
	return v
}

// cutFace cuts the face by a path from the origin of half-edge a to the origin of half-edge b, both on its ring. What lies
// right of the path keeps the face's number; what lies left of it is the new face, which is returned.
func (m *mesh) cutFace(face, a, b int32, path []vec) int32 {
	fresh := int32(len(m.faces))
	from, end := m.edges[a].from, m.edges[b].from
	beforeA, beforeB := m.edges[a].prev, m.edges[b].prev
	first := int32(len(m.edges))
	chain := []int32{from}
	for _, p := range path {
		chain = append(chain, int32(len(m.at)))
		m.at = append(m.at, p)
	}
	chain = append(chain, end)
	n := int32(len(chain) - 1)
	for i := range n { // forward edges have the new face on their left, backward ones the old
		f := first + 2*i
		m.edges = append(m.edges,
			halfEdge{from: chain[i], next: f + 2, prev: f - 2, twin: f + 1, face: fresh},
			halfEdge{from: chain[i+1], next: f - 1, prev: f + 3, twin: f, face: face})
	}
	last := first + 2*(n-1)
	link := func(e, next int32) { m.edges[e].next, m.edges[next].prev = next, e }
	link(beforeA, first)
	link(last, b)
	link(beforeB, last+1)
	link(first+1, a)
	m.faces[face] = first + 1
	m.faces = append(m.faces, first)
	for e := first; ; {
		m.edges[e].face = fresh
		if e = m.edges[e].next; e == first {
			return fresh
		}
	}
}

// degree counts the edges that meet at the origin of e.
func (m *mesh) degree(e int32) int {
	n := 0
	for h := e; ; n++ {
		if h = m.edges[m.edges[h].twin].next; h == e {
			return n + 1
		}
	}
}

// outline walks around the union of all faces for which in is true, from half-edge e on its border, and gives the vertices
// in order, counter-clockwise.
func (m *mesh) outline(e int32, in func(face int32) bool) []int32 {
	var out []int32
	for h := e; ; {
		out = append(out, m.edges[h].from)
		h = m.edges[h].next
		for f := m.edges[m.edges[h].twin].face; f != outside && in(f); f = m.edges[m.edges[h].twin].face {
			h = m.edges[m.edges[h].twin].next
		}
		if h == e {
			return out
		}
	}
}
