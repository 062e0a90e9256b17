package coverage

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// split leads edges through the points found for them. A crossing waits for the next round when one of its edges is led
// elsewhere in this one. It reports whether anything changed.
func (n *noder) split(snaps []snap, crossings []crossing) bool {
	via := map[int32][]snap{} // per edge, sorted along it
	if len(snaps) > 0 && n.around.first == nil {
		n.around = facesAt(len(n.points), n.traces)
	}
	for i := 0; i < len(snaps); {
		k := i
		for k < len(snaps) && snaps[k].edge == snaps[i].edge {
			k++
		}
		chain := n.chain(snaps[i].edge, snaps[i:k])
		via[snaps[i].edge] = chain
		for _, s := range chain {
			n.splits++
			if s.distM > n.farM {
				n.farM, n.farAt = s.distM, n.points[s.point]
			}
			for _, t := range n.traces[n.edges[s.edge].first:n.edges[s.edge].last] {
				if n.around.has(s.point, t.face) {
					n.folded(t.face, s.point)
				}
			}
		}
		i = k
	}
	n.cross(crossings, via)

	var pieces []trace
	for e, chain := range via {
		ed := n.edges[e]
		for k := ed.first; k < ed.last; k++ {
			t := &n.traces[k]
			from := ed.u
			for _, s := range chain {
				pieces = append(pieces, newTrace(from, s.point, t.face, t.wind))
				from = s.point
			}
			pieces = append(pieces, newTrace(from, ed.v, t.face, t.wind))
			t.wind = 0 // replaced
		}
	}
	if len(pieces) == 0 {
		return false
	}
	kept := slices.DeleteFunc(n.traces, func(t trace) bool { return t.wind == 0 })
	n.traces = mergeTraces(kept, sumTraces(pieces, n.folded), n.folded)
	return true
}

// chain takes all points of an edge at once when that leaves only pieces shorter than the edge, else the nearest alone.
func (n *noder) chain(e int32, snaps []snap) []snap {
	ed := n.edges[e]
	length := lengthM(n.points[ed.u], n.points[ed.v])
	from, fits := ed.u, true
	for _, s := range snaps {
		fits = fits && lengthM(n.points[from], n.points[s.point]) < length
		from = s.point
	}
	if len(snaps) == 1 || fits && lengthM(n.points[from], n.points[ed.v]) < length {
		return snaps
	}
	return []snap{slices.MinFunc(snaps, func(a, b snap) int {
		return cmp.Or(cmp.Compare(a.distM, b.distM), cmp.Compare(a.point, b.point))
	})}
}

// cross adds the nodes of crossings whose edges are not led elsewhere.
func (n *noder) cross(crossings []crossing, via map[int32][]snap) {
	crossings = slices.DeleteFunc(crossings, func(c crossing) bool { return via[c.e] != nil || via[c.f] != nil })
	if len(crossings) == 0 {
		return
	}
	known := make(map[orb.Point]int32, len(n.points))
	for i, p := range n.points {
		known[p] = int32(i)
	}
	near := map[[2]int64][]int32{} // the new nodes of this round by cells of the tolerance
	for _, c := range crossings {
		e, f := n.edges[c.e], n.edges[c.f]
		x := n.meeting(e, f)
		node, ok := known[x]
		if !ok {
			node, ok = n.nearNew(near, x, e, f)
		}
		if !ok {
			node = int32(len(n.points))
			n.points = append(n.points, x)
			known[x] = node
			key := n.cell(x)
			near[key] = append(near[key], node)
			n.added++
		}
		for _, i := range [...]int32{c.e, c.f} {
			ed := n.edges[i]
			if node != ed.u && node != ed.v && !slices.ContainsFunc(via[i], func(s snap) bool { return s.point == node }) {
				via[i] = append(via[i], snap{edge: i, point: node, at: n.along(ed, node)})
			}
		}
	}
	for _, c := range crossings {
		for _, i := range [...]int32{c.e, c.f} {
			slices.SortFunc(via[i], func(a, b snap) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.point, b.point)) })
		}
	}
}

// meeting computes where two crossing edges meet, on the grid. The shorter one is followed, so that the point lies beside
// it even where the two are nearly parallel. Where the grid is coarser than the edge the double itself is taken.
func (n *noder) meeting(e, f edge) orb.Point {
	a, b, c, d := n.points[e.u], n.points[e.v], n.points[f.u], n.points[f.v]
	if lengthM(a, b) > lengthM(c, d) {
		a, b, c, d = c, d, a, b
	}
	side := func(p orb.Point) float64 { return (d[0]-c[0])*(p[1]-c[1]) - (d[1]-c[1])*(p[0]-c[0]) }
	sa, sb := side(a), side(b)
	t := sa / (sa - sb)
	if !(t >= 0 && t <= 1) {
		t = 0.5
	}
	x := orb.Point{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1])}
	grid := orb.Point{math.Round(x[0]*gridPerDegree) / gridPerDegree, math.Round(x[1]*gridPerDegree) / gridPerDegree}
	if grid == a || grid == b || grid == c || grid == d {
		return x
	}
	return grid
}

// nearNew finds a node of this round within the tolerance that shortens both edges.
func (n *noder) nearNew(near map[[2]int64][]int32, x orb.Point, e, f edge) (int32, bool) {
	key := n.cell(x)
	for dx := int64(-1); dx <= 1; dx++ {
		for dy := int64(-1); dy <= 1; dy++ {
			for _, node := range near[[2]int64{key[0] + dx, key[1] + dy}] {
				if lengthM(n.points[node], x) <= n.toleranceM && n.shortens(e, node) && n.shortens(f, node) {
					return node, true
				}
			}
		}
	}
	return 0, false
}

func (n *noder) shortens(e edge, node int32) bool {
	length := lengthM(n.points[e.u], n.points[e.v])
	return lengthM(n.points[e.u], n.points[node]) < length && lengthM(n.points[node], n.points[e.v]) < length
}

// cell is the square that a point falls in, wide enough that what lies within the tolerance is in the same or in the next
// one up to 63° of latitude; beyond, close crossings may get a node each.
func (n *noder) cell(p orb.Point) [2]int64 {
	size := n.toleranceM / 50_000
	return [2]int64{int64(math.Floor(p[0] / size)), int64(math.Floor(p[1] / size))}
}

// along is the place of a point along an edge, 0 to 1.
func (n *noder) along(e edge, point int32) float64 {
	a, b, p := n.points[e.u], n.points[e.v], n.points[point]
	s := scaleAt(p[1])
	dx, dy := (b[0]-a[0])*s.lon, (b[1]-a[1])*s.lat
	return ((p[0]-a[0])*s.lon*dx + (p[1]-a[1])*s.lat*dy) / (dx*dx + dy*dy)
}
