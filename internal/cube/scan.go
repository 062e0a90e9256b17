package cube

import "slices"

// run is a stretch of rows in one layout of one segment that a query has to look at.
type run struct {
	*columns
	lo, hi   int
	item     uint16 // when byItem: the item of all rows
	byItem   bool   // the rows' item is known and wanted
	anyItem  bool   // rows of every item are wanted
	whole    bool   // all rows lie in the area
	negative bool   // rows taken away
	tier     int    // 0 base, then the deltas
}

// runs calls visit for each stretch of rows in the spans that may match, in a fixed order: base first.
func (v View) runs(m *matcher, spans []span, visit func(r *run)) {
	segmentRuns(v.s.base, m, spans, run{}, visit)
	for i, d := range v.s.deltas {
		segmentRuns(d.plus, m, spans, run{tier: i + 1}, visit)
		segmentRuns(d.minus, m, spans, run{tier: i + 1, negative: true}, visit)
	}
}

func segmentRuns(s *segment, m *matcher, spans []span, r run, visit func(r *run)) {
	for _, g := range s.flat.groups {
		if g.key < m.first || g.key > m.last {
			continue
		}
		if len(m.items) != 1 {
			lo, hi := s.flat.within(g.start, g.end, span{first: spans[0].first, last: spans[len(spans)-1].last})
			// Finding an item's slice costs about as much as looking at some hundred rows.
			if m.items == nil || hi-lo <= 128*len(m.items) {
				r.columns, r.byItem, r.anyItem = &s.flat.columns, false, m.items == nil
				spanRuns(&r, lo, hi, spans, visit)
				continue
			}
		}
		r.columns, r.byItem, r.anyItem = &s.split.columns, true, false
		for _, item := range m.items {
			lo, hi := s.split.group(uint32(item)*stretchKeys | g.key)
			r.item = item
			spanRuns(&r, lo, hi, spans, visit)
		}
	}
}

// spanRuns visits the rows of [lo, hi) of one group in the spans. Where there are few rows for many spans, all are visited
// and have to be looked at one by one.
func spanRuns(r *run, lo, hi int, spans []span, visit func(r *run)) {
	if len(spans) > 1 {
		lo, hi = r.within(lo, hi, span{first: spans[0].first, last: spans[len(spans)-1].last})
		if hi-lo <= 64*len(spans) {
			r.lo, r.hi, r.whole = lo, hi, false
			if lo < hi {
				visit(r)
			}
			return
		}
	}
	for _, sp := range spans {
		r.lo, r.hi = r.within(lo, hi, sp)
		if r.whole = sp.whole; r.lo < r.hi {
			visit(r)
		}
		lo = r.hi // the next span lies behind
	}
}

// itemAt returns the item of a row of the run.
func (r *run) itemAt(i int) uint16 {
	if r.byItem {
		return r.item
	}
	return r.columns.item[i]
}

// matches reports whether a row passes everything but the area.
func (r *run) matches(m *matcher, i int) bool {
	return m.inWindow(r.at[i]) == 1 && m.attrs>>(r.attr[i]&63)&1 == 1 && m.faces.Has(r.face[i]) &&
		(r.byItem || r.anyItem || m.hasItem(r.columns.item[i])) && (m.hours == nil || m.hours.has(r.at[i])) && (m.deep == nil || m.deep.has(r.lot[i], r.num[i], r.face[i]))
}

// scratch is what a query needs in passing.
type scratch struct {
	heat  [heatCells]uint32
	thin  []uint32
	dead  []casualty
	spans []span
	spare []Point
	runs  []int
}

// casualty is a report that a delta has taken away from the tiers below it.
type casualty struct {
	num  uint32
	tier int
}

// casualties lists what was taken away inside the spans, by number; of one number the highest tier.
func (v View) casualties(m *matcher, spans []span, dst []casualty) []casualty {
	dst = dst[:0]
	all := Filter{}.compile(nil)
	all.items = m.items
	for i, d := range v.s.deltas {
		segmentRuns(d.minus, &all, spans, run{}, func(r *run) {
			for _, num := range r.num[r.lo:r.hi] {
				dst = append(dst, casualty{num, i + 1})
			}
		})
	}
	slices.SortFunc(dst, func(a, b casualty) int {
		if a.num != b.num {
			return int(int64(a.num) - int64(b.num))
		}
		return b.tier - a.tier
	})
	return slices.CompactFunc(dst, func(a, b casualty) bool { return a.num == b.num })
}

// takenAway reports whether a row of the tier is no longer there.
func takenAway(dead []casualty, num uint32, tier int) bool {
	i, ok := slices.BinarySearchFunc(dead, num, func(c casualty, num uint32) int {
		return int(int64(c.num) - int64(num))
	})
	return ok && dead[i].tier > tier
}
