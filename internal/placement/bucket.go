package placement

import (
	"math"

	"github.com/paulmach/orb"
)

// buckets is a coarse grid over a plane: each cell lists the faces whose box, widened by the slack, meets it, in order of
// code. It serves the rare questions that need a face itself; the raster serves the others.
type buckets struct {
	minX, minY, perX, perY float64 // origin, buckets a degree
	nx, ny                 int
	start                  []uint32 // faces of cell i: list[start[i]:start[i+1]]
	list                   []int32
}

// maxListed bounds the list's length per face: boxes that overlap more get a coarser grid.
const maxListed = 24

func newBuckets(p *plane) buckets {
	if p.bound.IsEmpty() {
		return buckets{}
	}
	for n := len(p.faces); ; n /= 2 {
		b := buckets{minX: p.bound.Min[0] - p.slack, minY: p.bound.Min[1] - p.slack}
		w, h := p.bound.Max[0]+p.slack-b.minX, p.bound.Max[1]+p.slack-b.minY
		b.nx, b.ny = divide(w, h, n)
		b.perX, b.perY = float64(b.nx)/w, float64(b.ny)/h
		if b.fill(p, maxListed*len(p.faces)+64) {
			return b
		}
	}
}

// divide splits a box of w × h degrees into about n cells, as square as they can be in degrees.
func divide(w, h float64, n int) (nx, ny int) {
	nx = int(math.Round(math.Sqrt(float64(n) * w / h)))
	nx = min(max(nx, 1), max(n, 1))
	return nx, max(n/nx, 1)
}

// fill lists the faces, or returns false when the lists would hold more than limit in all.
func (b *buckets) fill(p *plane, limit int) bool {
	b.start = make([]uint32, b.nx*b.ny+1)
	total := 0
	for n := range p.faces {
		x0, y0, x1, y1, some := b.box(p.faces[n].bound, p.slack)
		if !some {
			continue
		}
		if total += (x1 - x0 + 1) * (y1 - y0 + 1); total > limit && b.nx*b.ny > 1 {
			return false
		}
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				b.start[y*b.nx+x+1]++
			}
		}
	}
	for i := 1; i < len(b.start); i++ {
		b.start[i] += b.start[i-1]
	}
	b.list = make([]int32, total)
	next := append([]uint32(nil), b.start...)
	for n := range p.faces {
		x0, y0, x1, y1, some := b.box(p.faces[n].bound, p.slack)
		for y := y0; some && y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				c := y*b.nx + x
				b.list[next[c]] = int32(n)
				next[c]++
			}
		}
	}
	return true
}

// box is the range of cells that a box widened by d degrees meets; some is false when there is none.
func (b *buckets) box(o orb.Bound, d float64) (x0, y0, x1, y1 int, some bool) {
	if o.IsEmpty() || b.nx == 0 {
		return 0, 0, 0, 0, false
	}
	x0, x1 = index((o.Min[0]-d-b.minX)*b.perX, b.nx), index((o.Max[0]+d-b.minX)*b.perX, b.nx)
	y0, y1 = index((o.Min[1]-d-b.minY)*b.perY, b.ny), index((o.Max[1]+d-b.minY)*b.perY, b.ny)
	return x0, y0, x1, y1, true
}

// index clamps to a cell of n. Widened boxes and points go through the same monotone arithmetic, so that none is missed.
func index(v float64, n int) int {
	if !(v > 0) {
		return 0
	}
	if v >= float64(n) {
		return n - 1
	}
	return int(v)
}

// at returns the faces whose box may hold q. The caller tests the box.
func (b *buckets) at(q orb.Point) []int32 {
	if b.nx == 0 {
		return nil
	}
	c := index((q[1]-b.minY)*b.perY, b.ny)*b.nx + index((q[0]-b.minX)*b.perX, b.nx)
	return b.list[b.start[c]:b.start[c+1]]
}

// meeting calls yield once for each face whose box may meet o.
func (b *buckets) meeting(o orb.Bound, p *plane, yield func(face int32)) {
	x0, y0, x1, y1, some := b.box(o, 0)
	for y := y0; some && y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			c := y*b.nx + x
			for _, n := range b.list[b.start[c]:b.start[c+1]] {
				fx, fy, _, _, _ := b.box(p.faces[n].bound, p.slack)
				if x == max(x0, fx) && y == max(y0, fy) { // the first of the cells shared by both
					yield(n)
				}
			}
		}
	}
}

func (b *buckets) bytes() int { return 4 * (len(b.start) + len(b.list)) }
