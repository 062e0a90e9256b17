package coverage

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gridgov/internal/fault"
	"gridgov/internal/robust"

	"github.com/paulmach/orb"
)

const (
	// gridPerDegree is the grid that new nodes are put on: 1e-10°, about 0.01 mm.
	gridPerDegree = 1e10
	// maxRounds bounds the comparison of edges; real data takes three to six.
	maxRounds = 60
	// maxPasses bounds how often new nodes are joined; after that some lie closer than the tolerance, which harms nothing.
	maxPasses = 8
)

// noder splits edges until they meet at common points only: where a point lies within the tolerance of an edge the edge
// is led through the point, and where two edges cross both are led through a new point.
type noder struct {
	points     []orb.Point
	traces     []trace                 // sorted and summed
	toleranceM float64                 // 0: exact, for what must be noded already
	folded     func(face, point int32) // an outline runs back along itself, or was led through a vertex of its own

	given  int   // points that were there from the start
	limit  int64 // of edges and crossings in all: beyond it this is no set of boundaries
	edges  []edge
	tree   *boxTree
	around pointFaces
	splits int     // edges led through a point
	added  int     // points made for crossings
	farM   float64 // the farthest any edge was led
	farAt  orb.Point
}

// snap leads an edge through a point beside it; at is the place along the edge (0 to 1).
type snap struct {
	edge, point int32
	at, distM   float64
}

// crossing is two edges that cross inside both.
type crossing struct{ e, f int32 }

// run splits to the fixpoint, and again where new nodes came to lie within the tolerance of other points and were joined
// to them. It fails when ctx ends and on input that keeps producing crossings.
func (n *noder) run(ctx context.Context) error {
	n.limit = int64(4*len(n.traces) + 1_000_000)
	n.given = len(n.points)
	for pass := 1; ; pass++ {
		if err := n.splitAll(ctx); err != nil {
			return err
		}
		if pass == maxPasses || !n.rejoin() {
			return nil
		}
	}
}

func (n *noder) splitAll(ctx context.Context) error {
	for round := 0; ; round++ {
		snaps, crossings, err := n.compare(ctx)
		if err != nil {
			return err
		}
		if len(snaps) == 0 && len(crossings) == 0 {
			return nil
		}
		if round == maxRounds {
			at := n.points[n.edges[firstEdge(snaps, crossings)].u]
			return fault.Invalid("shape", "unresolvable", "The outlines near (%.7f, %.7f) cross again and again within a few hundredths of a millimetre. Mend them there.", at[0], at[1])
		}
		if !n.split(snaps, crossings) {
			at := n.points[n.edges[firstEdge(snaps, crossings)].u]
			return fault.Invalid("shape", "unresolvable", "Two outlines near (%.7f, %.7f) cross between neighbouring coordinates. Mend them there.", at[0], at[1])
		}
	}
}

func firstEdge(snaps []snap, crossings []crossing) int32 {
	if len(snaps) > 0 {
		return snaps[0].edge
	}
	return crossings[0].e
}

// compare finds what new edges have to do with all others. The order of the answer does not depend on the number of
// processors.
func (n *noder) compare(ctx context.Context) ([]snap, []crossing, error) {
	n.edges = edgesOf(n.traces)
	n.tree = newBoxTree(len(n.edges), func(i int32) box { return boxOf(n.points[n.edges[i].u], n.points[n.edges[i].v]) })
	var fresh []int32
	isFresh := make([]bool, len(n.edges))
	for i, e := range n.edges {
		if isFresh[i] = n.traces[e.first].fresh; isFresh[i] {
			for k := e.first; k < e.last; k++ {
				isFresh[i] = isFresh[i] && n.traces[k].fresh
			}
		}
		if isFresh[i] {
			fresh = append(fresh, int32(i))
		}
	}
	workers := runtime.GOMAXPROCS(0)
	const chunk = 1024
	var met, looked atomic.Int64
	mostMet, mostLooked := n.limit-int64(len(n.traces)), 50_000_000+1000*int64(len(n.edges))
	chunks := (len(fresh) + chunk - 1) / chunk
	found := make([]comparison, chunks)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for c := w; c < chunks; c += workers {
				found[c] = comparison{noder: n}
				for _, e := range fresh[c*chunk : min((c+1)*chunk, len(fresh))] {
					if ctx.Err() != nil || met.Load() > mostMet || looked.Load() > mostLooked {
						return
					}
					before := len(found[c].snaps) + len(found[c].crossings)
					looked.Add(found[c].around(e, isFresh))
					met.Add(int64(len(found[c].snaps) + len(found[c].crossings) - before))
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if met.Load() > mostMet || looked.Load() > mostLooked {
		return nil, nil, fault.TooLarge("shape", "The outlines meet or cross each other more than %d times. This is not a set of boundaries.", mostMet)
	}
	for i := range n.traces {
		n.traces[i].fresh = false
	}
	var snaps []snap
	var crossings []crossing
	for _, c := range found {
		snaps = append(snaps, c.snaps...)
		crossings = append(crossings, c.crossings...)
	}
	slices.SortFunc(snaps, func(a, b snap) int {
		return cmp.Or(cmp.Compare(a.edge, b.edge), cmp.Compare(a.at, b.at), cmp.Compare(a.point, b.point))
	})
	snaps = slices.CompactFunc(snaps, func(a, b snap) bool { return a.edge == b.edge && a.point == b.point })
	slices.SortFunc(crossings, func(a, b crossing) int { return cmp.Or(cmp.Compare(a.e, b.e), cmp.Compare(a.f, b.f)) })
	return snaps, crossings, nil
}

// comparison gathers what one worker finds.
type comparison struct {
	*noder
	snaps     []snap
	crossings []crossing
}

// around compares an edge with those near it and tells how many it looked at.
func (c *comparison) around(e int32, isFresh []bool) (looked int64) {
	a, b := c.points[c.edges[e].u], c.points[c.edges[e].v]
	c.tree.search(boxOf(a, b).grown(c.toleranceM), func(f int32) bool {
		looked++
		if f == e || isFresh[f] && f < e { // the pair was looked at from the other side
			return true
		}
		c.pair(e, f)
		return true
	})
	return looked
}

func (c *comparison) pair(e, f int32) {
	ee, ff := c.edges[e], c.edges[f]
	c.near(e, ff.u)
	c.near(e, ff.v)
	c.near(f, ee.u)
	c.near(f, ee.v)
	if ee.u == ff.u || ee.u == ff.v || ee.v == ff.u || ee.v == ff.v {
		return
	}
	p, q, r, s := c.points[ee.u], c.points[ee.v], c.points[ff.u], c.points[ff.v]
	if !boxOf(p, q).meets(boxOf(r, s)) {
		return
	}
	if robust.Orient2D(p, q, r)*robust.Orient2D(p, q, s) < 0 && robust.Orient2D(r, s, p)*robust.Orient2D(r, s, q) < 0 {
		c.crossings = append(c.crossings, crossing{e, f})
	}
}

// near notes a snap when the point lies beside the inside of the edge within the tolerance, or exactly on it, and both
// pieces would be shorter than the edge: lengths can only fall, so splitting comes to an end.
func (c *comparison) near(e, v int32) {
	ed := c.edges[e]
	if v == ed.u || v == ed.v {
		return
	}
	a, b, p := c.points[ed.u], c.points[ed.v], c.points[v]
	bounds := boxOf(a, b)
	if !bounds.grown(c.toleranceM).meets(boxOf(p, p)) {
		return
	}
	s := scaleAt(p[1])
	ax, ay := (a[0]-p[0])*s.lon, (a[1]-p[1])*s.lat
	bx, by := (b[0]-p[0])*s.lon, (b[1]-p[1])*s.lat
	dx, dy := bx-ax, by-ay
	length2 := dx*dx + dy*dy
	at := -(ax*dx + ay*dy) / length2
	distM := math.Abs(ax*by-ay*bx) / math.Sqrt(length2)
	on := bounds.meets(boxOf(p, p)) && robust.Orient2D(a, b, p) == 0
	if !on {
		if c.toleranceM == 0 || !(at > 0 && at < 1) || distM > c.toleranceM {
			return
		}
		if ax*ax+ay*ay >= length2 || bx*bx+by*by >= length2 {
			return
		}
	}
	c.snaps = append(c.snaps, snap{e, v, at, distM})
}
