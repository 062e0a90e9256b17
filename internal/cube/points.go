package cube

import "cmp"

// Point is a report for drawing.
type Point struct {
	Code          uint64 // Morton code of its 32-bit web-mercator cell
	Num, At, Face uint32
	lot           uint32
	Item          uint16
	Kind, Source  uint8
}

// World returns the point's cell: 32 bits an axis, x from -180° eastward, y from +85.0511° southward.
func (p Point) World() (x, y uint32) { return deinterleave(p.Code) }

// State is the state of its case, 0 for none.
func (p Point) State() uint8 { return stateOf(p.lot) }

// Crew names the units at work on its case.
func (p Point) Crew() uint32 { return crewOf(p.lot) }

// thinBuckets is how finely a tile is thinned: in steps of 1/65536 of its reports.
const thinBuckets = 1 << 16

// Points appends the reports of a tile to dst, in the order of (Code, Num). Where more than limit match, an even sample
// of at most limit is taken and truncated is true: which reports stay depends on their numbers alone, so the same tile
// always shows the same ones, and a sample of fewer is part of a sample of more.
func (v View) Points(z, x, y uint32, f Filter, limit int, dst []Point) (points []Point, truncated bool) {
	if z > MaxZoom || x>>z != 0 || y>>z != 0 || limit <= 0 {
		return dst, false
	}
	s := v.scratch.Get().(*scratch)
	defer v.scratch.Put(s)
	m := v.compile(f)
	s.spans = append(s.spans[:0], tileSpan(z, x, y))
	s.dead = v.casualties(&m, s.spans, s.dead)

	cut := uint32(thinBuckets)
	if upper := v.upper(&m, s.spans); upper > limit {
		if s.thin == nil {
			s.thin = make([]uint32, thinBuckets)
		}
		clear(s.thin)
		total := 0
		v.live(&m, s.spans, s.dead, func(r *run, i int) {
			s.thin[thinBucket(r.num[i])]++
			total++
		})
		if truncated = total > limit; truncated {
			kept := 0
			for cut = 0; kept+int(s.thin[cut]) <= limit; cut++ {
				kept += int(s.thin[cut])
			}
		}
	}
	begin := len(dst)
	s.runs = s.runs[:0]
	var last run
	v.live(&m, s.spans, s.dead, func(r *run, i int) {
		if thinBucket(r.num[i]) >= cut {
			return
		}
		if r.columns != last.columns || r.lo != last.lo { // another sorted run begins
			last = *r
			s.runs = append(s.runs, len(dst)-begin)
		}
		dst = append(dst, Point{
			Code: r.code[i], Num: r.num[i], At: r.at[i], Face: r.face[i], lot: r.lot[i],
			Item: r.itemAt(i), Kind: r.attr[i] & 7, Source: r.attr[i] >> 3,
		})
	})
	s.spare = mergeRuns(dst[begin:], s.spare, s.runs)
	return dst, truncated
}

// upper bounds the number of matching rows from above, by the slices' lengths alone.
func (v View) upper(m *matcher, spans []span) int {
	n := 0
	v.runs(m, spans, func(r *run) {
		if !r.negative {
			n += r.hi - r.lo
		}
	})
	return n
}

// live calls visit for each row that matches and has not been taken away.
func (v View) live(m *matcher, spans []span, dead []casualty, visit func(r *run, i int)) {
	v.runs(m, spans, func(r *run) {
		if r.negative {
			return
		}
		for i := r.lo; i < r.hi; i++ {
			if r.matches(m, i) && (len(dead) == 0 || !takenAway(dead, r.num[i], r.tier)) {
				visit(r, i)
			}
		}
	})
}

// thinBucket spreads report numbers evenly: the top bits of a multiplication by the golden ratio would line up with
// numbers that rise by one, so the bits are mixed first (the finaliser of MurmurHash3).
func thinBucket(num uint32) uint32 {
	num ^= num >> 16
	num *= 0x85ebca6b
	num ^= num >> 13
	num *= 0xc2b2ae35
	num ^= num >> 16
	return num >> 16
}

// mergeRuns sorts points that consist of sorted runs beginning at starts, pair by pair, with spare as the second buffer,
// which it returns for the next time.
func mergeRuns(points, spare []Point, starts []int) []Point {
	if len(starts) < 2 {
		return spare
	}
	if cap(spare) < len(points) {
		spare = make([]Point, len(points))
	}
	a, b := points, spare[:len(points)]
	for len(starts) > 1 {
		kept := starts[:0]
		for i := 0; i < len(starts); i += 2 {
			lo, mid, hi := starts[i], len(a), len(a)
			if i+1 < len(starts) {
				mid = starts[i+1]
			}
			if i+2 < len(starts) {
				hi = starts[i+2]
			}
			mergeTwo(b[lo:hi], a[lo:mid], a[mid:hi])
			kept = append(kept, lo)
		}
		starts = kept
		a, b = b, a
	}
	if &a[0] != &points[0] {
		copy(points, a)
	}
	return spare
}

func mergeTwo(dst, a, b []Point) {
	for i := range dst {
		if len(b) == 0 || len(a) > 0 && before(&a[0], &b[0]) {
			dst[i], a = a[0], a[1:]
		} else {
			dst[i], b = b[0], b[1:]
		}
	}
}

func before(a, b *Point) bool {
	return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Num, b.Num)) < 0
}
