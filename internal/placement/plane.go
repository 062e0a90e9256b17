package placement

import (
	"math"

	"github.com/paulmach/orb"
)

// plane is a level's geometry: the rings of its faces, found by place.
type plane struct {
	ids   []int32 // plane's number of a face, by code → index into Level.Faces
	ranks []int32 // and back
	faces []outline
	rings []ring
	runs  []run
	balls []ball // of the faces, for what is far
	pts   []orb.Point
	bound orb.Bound // of all faces; empty without any
	// slack is a distance in degrees far above the rounding of any predicate here and far below a micrometre times the
	// level's size: a point further than that from an edge along its parallel is on the side that it seems to be on.
	slack  float64
	bucket buckets
	raster raster
}

// outline is one face: rings[from:to], and the box around them.
type outline struct {
	from, to uint32
	bound    orb.Bound
}

// ring is runs[from:to].
type ring struct {
	from, to uint32
	outer    bool // it begins a polygon; the holes of it follow
}

// run is a chain of edges pts[from] … pts[to] and the box around it.
type run struct {
	minX, minY, maxX, maxY float64
	from, to               uint32
}

// runEdges is the length of a run: short enough that its box leaves few edges to look at, long enough that boxes are few.
const runEdges = 12

// newPlane copies the faces, in order of code.
func newPlane(faces []Face, order []int32) *plane {
	p := &plane{ids: order, faces: make([]outline, 0, len(faces)), bound: nowhere}
	points := 0
	for _, f := range faces {
		for _, polygon := range f.Shape {
			for _, r := range polygon {
				points += len(r)
			}
		}
	}
	p.ranks = make([]int32, len(order))
	for n, id := range order {
		p.ranks[id] = int32(n)
	}
	p.pts = make([]orb.Point, 0, points)
	p.runs = make([]run, 0, points/runEdges+len(faces))
	for _, id := range order {
		p.add(faces[id].Shape)
	}
	p.balls = make([]ball, len(p.faces))
	for i, f := range p.faces {
		p.bound = union(p.bound, f.bound)
		p.balls[i] = ballAround(f.bound)
	}
	size := 0.0
	if !p.bound.IsEmpty() {
		size = max(math.Abs(p.bound.Min[0]), math.Abs(p.bound.Min[1]), math.Abs(p.bound.Max[0]), math.Abs(p.bound.Max[1]))
	}
	p.slack = max(slackUlps*0x1p-53*size, slackLeast)
	p.bucket = newBuckets(p)
	return p
}

const (
	// slackUlps times half an ulp of the largest coordinate is the slack. The rounded side of an edge is right beyond 12,
	// the abscissa of an edge in a slab is computed within 24 (see rasterise); the rest is room.
	slackUlps = 512
	// slackLeast keeps products of differences larger than the slack from underflowing.
	slackLeast = 0x1p-400
)

func (p *plane) add(shape orb.MultiPolygon) {
	f := outline{from: uint32(len(p.rings)), bound: nowhere}
	for _, polygon := range shape {
		for i, points := range polygon {
			r := ring{from: uint32(len(p.runs)), outer: i == 0}
			first := uint32(len(p.pts))
			p.pts = append(p.pts, points...)
			last := uint32(len(p.pts)) - 1
			for from := first; from < last; from += runEdges {
				part := run{from: from, to: min(from+runEdges, last)}
				b := orb.LineString(p.pts[part.from : part.to+1]).Bound()
				part.minX, part.minY, part.maxX, part.maxY = b.Min[0], b.Min[1], b.Max[0], b.Max[1]
				p.runs = append(p.runs, part)
				f.bound = union(f.bound, b)
			}
			r.to = uint32(len(p.runs))
			p.rings = append(p.rings, r)
		}
	}
	f.to = uint32(len(p.rings))
	p.faces = append(p.faces, f)
}

func union(a, b orb.Bound) orb.Bound {
	switch {
	case a.IsEmpty():
		return b
	case b.IsEmpty():
		return a
	}
	return a.Union(b)
}

// near tells whether q is in the box or within d degrees of it.
func near(b orb.Bound, q orb.Point, d float64) bool {
	return q[0] >= b.Min[0]-d && q[0] <= b.Max[0]+d && q[1] >= b.Min[1]-d && q[1] <= b.Max[1]+d
}

// at is the hot path: the raster's answer where it is sure, decide's elsewhere.
func (p *plane) at(q orb.Point) int32 {
	face, sure := p.raster.at(q, p.slack)
	if sure {
		return face
	}
	n, _ := p.decide(q)
	if n < 0 {
		return None
	}
	return p.ids[n]
}

// decide applies the package's rule by looking at the faces themselves. The face is the plane's own number of it; border is
// true when the point is on the face's border, or was given to it by the second rule.
func (p *plane) decide(q orb.Point) (face int32, border bool) {
	around := p.bucket.at(q)
	for _, n := range around {
		if near(p.faces[n].bound, q, p.slack) {
			if w := p.where(n, q, asPostGIS); w != outside {
				return n, w == onBorder
			}
		}
	}
	for _, n := range around {
		if near(p.faces[n].bound, q, p.slack) && p.where(n, q, exactly) != outside && p.inCrack(n, q) {
			return n, true
		}
	}
	return None, false
}

func (p *plane) bytes() int {
	return 8*len(p.ids) + (40+32)*len(p.faces) + 12*len(p.rings) + 40*len(p.runs) + 16*len(p.pts) + p.bucket.bytes()
}
