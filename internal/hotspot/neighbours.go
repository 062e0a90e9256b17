package hotspot

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
)

// Neighbours are, for each of n places 0 … n−1, the indices of others, ascending, and never its own. They are immutable.
type Neighbours struct {
	start []int32 // n+1; those of place i are to[start[i]:start[i+1]]
	to    []int32
}

// Len is the number of places.
func (n Neighbours) Len() int { return max(0, len(n.start)-1) }

// Of lists the neighbours of a place. The slice belongs to n.
func (n Neighbours) Of(i int) []int32 { return n.to[n.start[i]:n.start[i+1]] }

// Links counts pairs (i, j), each direction by itself.
func (n Neighbours) Links() int { return len(n.to) }

// Islands lists the places without neighbours.
func (n Neighbours) Islands() []int {
	var list []int
	for i := range n.Len() {
		if len(n.Of(i)) == 0 {
			list = append(list, i)
		}
	}
	return list
}

// links tells whether j is a neighbour of i.
func (n Neighbours) links(i int, j int32) bool {
	_, there := slices.BinarySearch(n.Of(i), j)
	return there
}

// Symmetric tells that each neighbour of a place has that place as a neighbour.
func (n Neighbours) Symmetric() bool {
	for i := range n.Len() {
		for _, j := range n.Of(i) {
			if !n.links(int(j), int32(i)) {
				return false
			}
		}
	}
	return true
}

// Lists makes neighbours of lists in any order. A place that is named twice counts once. It is an error when a list names its own
// place, or one that there is not.
func Lists(lists [][]int) (Neighbours, error) {
	sets := make([][]int32, len(lists))
	for i, list := range lists {
		for _, j := range list {
			if j < 0 || j >= len(lists) || j == i {
				return Neighbours{}, fmt.Errorf("place %d of %d has a neighbour %d: give others, from 0 on", i, len(lists), j)
			}
			sets[i] = append(sets[i], int32(j))
		}
	}
	return gather(sets), nil
}

// gather packs sets, each of which it sorts.
func gather(sets [][]int32) Neighbours {
	n := Neighbours{start: make([]int32, 1, len(sets)+1)}
	for _, set := range sets {
		slices.Sort(set)
		n.to = append(n.to, slices.Compact(set)...)
		n.start = append(n.start, int32(len(n.to)))
	}
	return n
}

// Rook are the faces that share a border with a face.
func Rook(c *coverage.Coverage) Neighbours {
	sets := make([][]int32, c.Len())
	for i := range sets {
		for _, j := range c.Neighbours(i) {
			sets[i] = append(sets[i], int32(j))
		}
	}
	return gather(sets)
}

// Queen are the faces that share a border with a face, or a point alone.
func Queen(c *coverage.Coverage) Neighbours {
	at := make([][]int32, len(c.Nodes)) // faces around each node
	for _, a := range c.Arcs {
		for _, node := range [2]int32{a.From, a.To} {
			for _, face := range [2]int32{a.Left, a.Right} {
				if face >= 0 && !slices.Contains(at[node], face) {
					at[node] = append(at[node], face)
				}
			}
		}
	}
	sets := make([][]int32, c.Len())
	for _, faces := range at {
		for _, i := range faces {
			for _, j := range faces {
				if i != j {
					sets[i] = append(sets[i], j)
				}
			}
		}
	}
	return gather(sets)
}

// Nearest are the k places whose points lie nearest to a place's, of equally near ones those of lower index; all others where there are
// no more than k. Points are in a plane, in metres. Who is near to whom need not be the same in both directions.
func Nearest(points []orb.Point, k int) (Neighbours, error) {
	if k < 1 {
		return Neighbours{}, fmt.Errorf("%d nearest places are none: ask for 1 at least", k)
	}
	index, err := newBuckets(points)
	if err != nil {
		return Neighbours{}, err
	}
	sets := make([][]int32, len(points))
	for i, p := range points {
		// Rings of buckets around the place's own, until what lies further out cannot be nearer than the k-th.
		var found []distant
		for ring := 0; ring <= index.span; ring++ {
			if len(found) >= k {
				slices.SortFunc(found, nearer)
				if found = found[:k]; found[k-1].d2 < sq(index.side*float64(ring-1)) {
					break
				}
			}
			index.ring(p, ring, func(j int32) {
				if int(j) != i {
					found = append(found, distant{j, dist2(p, points[j])})
				}
			})
		}
		slices.SortFunc(found, nearer)
		for _, f := range found[:min(k, len(found))] {
			sets[i] = append(sets[i], f.at)
		}
	}
	return gather(sets), nil
}

// Within are the places whose points lie no further than so many metres from a place's. Points are in a plane, in metres.
func Within(points []orb.Point, metres float64) (Neighbours, error) {
	if !(metres > 0) || math.IsInf(metres, 1) {
		return Neighbours{}, fmt.Errorf("a band of %g m holds no neighbour: give a distance above 0", metres)
	}
	index, err := newBuckets(points)
	if err != nil {
		return Neighbours{}, err
	}
	sets := make([][]int32, len(points))
	for i, p := range points {
		for ring := 0; ring <= index.span && (ring == 0 || index.side*float64(ring-1) <= metres); ring++ {
			index.ring(p, ring, func(j int32) {
				if int(j) != i && dist2(p, points[j]) <= sq(metres) {
					sets[i] = append(sets[i], j)
				}
			})
		}
	}
	return gather(sets), nil
}

type distant struct {
	at int32
	d2 float64
}

func nearer(a, b distant) int { return cmp.Or(cmp.Compare(a.d2, b.d2), cmp.Compare(a.at, b.at)) }

func sq(x float64) float64 { return x * x }

func dist2(a, b orb.Point) float64 { return sq(a[0]-b[0]) + sq(a[1]-b[1]) }

// buckets are points by the squares of a lattice in which they lie, some two a square.
type buckets struct {
	west, south, side float64
	cols, rows, span  int // span: so many rings reach from one corner to the other
	start, at         []int32
}

func newBuckets(points []orb.Point) (*buckets, error) {
	box := orb.Bound{Min: orb.Point{math.Inf(1), math.Inf(1)}, Max: orb.Point{math.Inf(-1), math.Inf(-1)}}
	for i, p := range points {
		if math.IsNaN(p[0]+p[1]) || math.IsInf(p[0]+p[1], 0) {
			return nil, fmt.Errorf("place %d lies at %v, which is no point", i, p)
		}
		box.Min = orb.Point{min(box.Min[0], p[0]), min(box.Min[1], p[1])}
		box.Max = orb.Point{max(box.Max[0], p[0]), max(box.Max[1], p[1])}
	}
	b := &buckets{west: box.Min[0], south: box.Min[1], side: 1, cols: 1, rows: 1}
	if len(points) == 0 {
		b.start = make([]int32, 2)
		return b, nil
	}
	w, h := box.Max[0]-box.Min[0], box.Max[1]-box.Min[1]
	b.side = max(math.Sqrt(w*h*2/float64(len(points))), max(w, h)*2/float64(len(points)+1), math.SmallestNonzeroFloat64)
	b.cols, b.rows = int(w/b.side)+1, int(h/b.side)+1
	b.span = max(b.cols, b.rows)
	b.start = make([]int32, b.cols*b.rows+1)
	for _, p := range points {
		x, y := b.square(p)
		b.start[y*b.cols+x+1]++
	}
	for s := range b.cols * b.rows {
		b.start[s+1] += b.start[s]
	}
	b.at = make([]int32, len(points))
	next := slices.Clone(b.start)
	for i, p := range points {
		x, y := b.square(p)
		s := y*b.cols + x
		b.at[next[s]] = int32(i)
		next[s]++
	}
	return b, nil
}

func (b *buckets) square(p orb.Point) (x, y int) {
	return min(int((p[0]-b.west)/b.side), b.cols-1), min(int((p[1]-b.south)/b.side), b.rows-1)
}

// ring calls f with the points of the squares that lie so many squares from p's own.
func (b *buckets) ring(p orb.Point, ring int, f func(int32)) {
	cx, cy := b.square(p)
	for y := max(0, cy-ring); y <= min(b.rows-1, cy+ring); y++ {
		step := 2 * ring
		if y == cy-ring || y == cy+ring || ring == 0 {
			step = 1
		}
		for x := cx - ring; x <= cx+ring; x += step {
			if x < 0 || x >= b.cols {
				continue
			}
			s := y*b.cols + x
			for _, j := range b.at[b.start[s]:b.start[s+1]] {
				f(j)
			}
		}
	}
}
