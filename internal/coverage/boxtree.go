package coverage

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// box is min lon, min lat, max lon, max lat; its borders belong to it.
type box [4]float64

func boxOf(a, b orb.Point) box {
	return box{min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])}
}

func (b box) meets(o box) bool { return b[0] <= o[2] && o[0] <= b[2] && b[1] <= o[3] && o[1] <= b[3] }

// grown widens a box by metres, rounding outward.
func (b box) grown(m float64) box {
	s := scaleAt(math.Max(math.Abs(b[1]), math.Abs(b[3])))
	dx, dy := m/s.lon*1.01, m/s.lat*1.01
	return box{b[0] - dx, b[1] - dy, b[2] + dx, b[3] + dy}
}

// fanout is the number of children of a tree node: a few cache lines of boxes.
const fanout = 16

// boxTree is a static R-tree over boxes, packed along a Morton curve. Unlike a grid it does not mind where the data are
// dense. Building is n log n; it may be searched by many goroutines.
type boxTree struct {
	items []int32 // in tree order
	boxes []box   // level by level, leaves first
	start []int   // where each level begins in boxes; one more entry at the end
}

func newBoxTree(n int, of func(i int32) box) *boxTree {
	t := &boxTree{items: make([]int32, n)}
	if n == 0 {
		return t
	}
	own := make([]box, n)
	all := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for i := range own {
		b := of(int32(i))
		own[i] = b
		all = all.union(b)
	}
	type keyed struct {
		key  uint64
		item int32
	}
	keys := make([]keyed, n)
	sx, sy := math.MaxUint32/math.Max(all[2]-all[0], math.SmallestNonzeroFloat64), math.MaxUint32/math.Max(all[3]-all[1], math.SmallestNonzeroFloat64)
	for i, b := range own {
		x := (b[0]/2 + b[2]/2 - all[0]) * sx
		y := (b[1]/2 + b[3]/2 - all[1]) * sy
		keys[i] = keyed{spread(clampUint32(x)) | spread(clampUint32(y))<<1, int32(i)}
	}
	slices.SortFunc(keys, func(a, b keyed) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.item, b.item)) })
	t.boxes = make([]box, 0, n+n/(fanout-1)+2)
	for i, k := range keys {
		t.items[i] = k.item
		t.boxes = append(t.boxes, own[k.item])
	}
	t.start = []int{0}
	for from, to := 0, n; ; {
		t.start = append(t.start, to)
		if to-from == 1 {
			break
		}
		for i := from; i < to; i += fanout {
			b := t.boxes[i]
			for _, o := range t.boxes[i+1 : min(i+fanout, to)] {
				b = b.union(o)
			}
			t.boxes = append(t.boxes, b)
		}
		from, to = to, len(t.boxes)
	}
	return t
}

func (b box) union(o box) box {
	return box{min(b[0], o[0]), min(b[1], o[1]), max(b[2], o[2]), max(b[3], o[3])}
}

func clampUint32(v float64) uint32 {
	switch {
	case !(v > 0): // also what is not a number
		return 0
	case v >= math.MaxUint32:
		return math.MaxUint32
	}
	return uint32(v)
}

// spread puts the bits of v on even places.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000FFFF0000FFFF
	x = (x | x<<8) & 0x00FF00FF00FF00FF
	x = (x | x<<4) & 0x0F0F0F0F0F0F0F0F
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}

// search visits every item whose box meets b, in tree order, until visit returns false.
func (t *boxTree) search(b box, visit func(item int32) bool) {
	if len(t.items) == 0 {
		return
	}
	t.descend(len(t.start)-2, 0, b, visit)
}

func (t *boxTree) descend(level, i int, b box, visit func(int32) bool) bool {
	if !t.boxes[t.start[level]+i].meets(b) {
		return true
	}
	if level == 0 {
		return visit(t.items[i])
	}
	below := t.start[level] - t.start[level-1]
	for k := i * fanout; k < min((i+1)*fanout, below); k++ {
		if !t.descend(level-1, k, b, visit) {
			return false
		}
	}
	return true
}

// topmost walks the items whose box meets the vertical ray from p down, higher boxes first. visit returns the latitude
// below which nothing matters any more.
func (t *boxTree) topmost(p orb.Point, visit func(item int32) float64) {
	if len(t.items) == 0 {
		return
	}
	floor := math.Inf(-1)
	var walk func(level, i int)
	walk = func(level, i int) {
		b := t.boxes[t.start[level]+i]
		if p[0] < b[0] || p[0] > b[2] || b[1] > p[1] || b[3] < floor {
			return
		}
		if level == 0 {
			floor = math.Max(floor, visit(t.items[i]))
			return
		}
		below := t.start[level] - t.start[level-1]
		var order [fanout]int
		n := 0
		for k := i * fanout; k < min((i+1)*fanout, below); k++ {
			order[n] = k
			n++
		}
		high := t.boxes[t.start[level-1]:]
		slices.SortFunc(order[:n], func(a, b int) int { return cmp.Compare(high[b][3], high[a][3]) })
		for _, k := range order[:n] {
			walk(level-1, k)
		}
	}
	walk(len(t.start)-2, 0)
}
