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
	if s.len() == 0 {
		return
	}
	for _, sp := range spans {
		r.whole = sp.whole
		if len(m.items) != 1 {
			lo, hi := s.flat.within(0, s.flat.len(), sp)
			if lo == hi {
				continue
			}
			// Finding an item's slice costs about as much as looking at some hundred rows.
			if m.items == nil || hi-lo <= 128*len(m.items) {
				r.columns, r.lo, r.hi = &s.flat, lo, hi
				r.byItem, r.anyItem = false, m.items == nil
				visit(&r)
				continue
			}
		}
		r.columns, r.byItem, r.anyItem = &s.split, true, false
		for _, item := range m.items {
			start, end := s.group(item)
			if r.lo, r.hi = s.split.within(start, end, sp); r.lo < r.hi {
				r.item = item
				visit(&r)
			}
		}
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
	return m.inWindow(r.at[i]) == 1 && m.attrs>>(r.attr[i]&63)&1 == 1 && m.inFaces(r.face[i]) &&
		(r.byItem || r.anyItem || m.hasItem(r.columns.item[i]))
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
	all := matcher{width: 1 << 32, attrs: ^uint64(0), items: m.items}
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
