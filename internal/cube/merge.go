package cube

// MergeDue reports whether enough changes are pending for a merge to be worth its copy of the base.
func (c *Cube) MergeDue() bool {
	s := c.state.Load()
	return s.pending() >= mergeAt(s.base.len())
}

// Merge folds the pending changes into the base. It runs beside readers and Apply, needs the base's memory a second
// time while it runs, and takes about 50 ms for a million reports. While another merge is under way it returns at once.
func (c *Cube) Merge() {
	if !c.merge.TryLock() {
		return
	}
	defer c.merge.Unlock()

	c.write.Lock()
	old := c.state.Load()
	if len(old.deltas) == 0 {
		c.write.Unlock()
		return
	}
	part := &state{base: old.base, deltas: old.deltas}
	c.state.Store(&state{base: old.base, clocks: old.clocks, deltas: old.deltas, frozen: len(old.deltas)})
	c.write.Unlock()

	merged := part.folded()

	c.write.Lock()
	now := c.state.Load()
	later := append([]delta(nil), now.deltas[now.frozen:]...)
	c.state.Store(&state{base: merged.base, clocks: now.clocks, deltas: later})
	c.write.Unlock()
}

// folded returns the state with all deltas in its base.
func (s *state) folded() *state {
	if len(s.deltas) == 0 {
		return s
	}
	d := s.deltas[0]
	for _, upper := range s.deltas[1:] {
		d = d.with(upper)
	}
	return &state{base: s.base.splice(d.minus, d.plus), clocks: s.clocks}
}

// stretch is a range of rows to copy, from the old columns or from the added ones.
type stretch struct {
	added  bool
	lo, hi int
}

// splice returns the segment without the rows of drop, all of which it must hold, and with those of add, whose numbers
// it must not hold otherwise. It copies stretches, so that a few changes of a large segment cost little more than memory
// bandwidth.
func (s *segment) splice(drop, add *segment) *segment {
	if drop.len() == 0 && add.len() == 0 {
		return s
	}
	if s.len() == drop.len() { // nothing stays
		return add
	}
	n := s.len() - drop.len() + add.len()
	next := &segment{}
	var plan planner
	next.flat = plan.splice(&s.flat, &drop.flat, &add.flat, n)
	next.byNum = plan.order(s, drop, add, n)
	plan = planner{}
	next.split = plan.splice(&s.split, &drop.split, &add.split, n)
	return next
}

// splice plans one layout, group by group, and copies it.
func (p *planner) splice(old, drop, add *layout, n int) layout {
	var next layout
	i, j := 0, 0
	for i < len(old.groups) || j < len(add.groups) {
		key := ^uint32(0)
		if i < len(old.groups) {
			key = old.groups[i].key
		}
		if j < len(add.groups) {
			key = min(key, add.groups[j].key)
		}
		lo, hi := old.group(key)
		dropLo, dropHi := drop.group(key)
		addLo, addHi := add.group(key)
		begin := p.rows
		p.walk(&old.columns, lo, hi, &drop.columns, dropLo, dropHi, &add.columns, addLo, addHi)
		if p.rows > begin {
			next.groups = append(next.groups, group{key, begin, p.rows})
		}
		if i < len(old.groups) && old.groups[i].key == key {
			i++
		}
		if j < len(add.groups) && add.groups[j].key == key {
			j++
		}
	}
	next.columns = p.columns(&old.columns, &add.columns, n)
	return next
}

// planner notes which stretches make up the new columns.
type planner struct {
	stretches []stretch
	rows      int
}

func (p *planner) take(added bool, lo, hi int) {
	if lo == hi {
		return
	}
	p.rows += hi - lo
	if last := len(p.stretches) - 1; last >= 0 && p.stretches[last].added == added && p.stretches[last].hi == lo {
		p.stretches[last].hi = hi
		return
	}
	p.stretches = append(p.stretches, stretch{added, lo, hi})
}

// walk plans one sorted range: the old rows without those dropped, the added ones in between.
func (p *planner) walk(old *columns, lo, hi int, drop *columns, dropLo, dropHi int, add *columns, addLo, addHi int) {
	for dropLo < dropHi || addLo < addHi {
		dropNext := addLo == addHi || dropLo < dropHi && (drop.code[dropLo] < add.code[addLo] ||
			drop.code[dropLo] == add.code[addLo] && drop.num[dropLo] <= add.num[addLo])
		if dropNext {
			at := old.lowerRow(lo, hi, drop.code[dropLo], drop.num[dropLo])
			p.take(false, lo, at)
			lo = at + 1
			dropLo++
			continue
		}
		at := old.lowerRow(lo, hi, add.code[addLo], add.num[addLo])
		p.take(false, lo, at)
		p.take(true, addLo, addLo+1)
		lo = at
		addLo++
	}
	p.take(false, lo, hi)
}

func (p *planner) columns(old, add *columns, n int) columns {
	c := columns{
		code: copyStretches(p.stretches, old.code, add.code, n),
		at:   copyStretches(p.stretches, old.at, add.at, n),
		num:  copyStretches(p.stretches, old.num, add.num, n),
		face: copyStretches(p.stretches, old.face, add.face, n),
		lot:  copyStretches(p.stretches, old.lot, add.lot, n),
		attr: copyStretches(p.stretches, old.attr, add.attr, n),
	}
	if old.item != nil {
		c.item = copyStretches(p.stretches, old.item, add.item, n)
	}
	return c
}

func copyStretches[T any](stretches []stretch, old, add []T, n int) []T {
	dst := make([]T, 0, n)
	for _, s := range stretches {
		if s.added {
			dst = append(dst, add[s.lo:s.hi]...)
		} else {
			dst = append(dst, old[s.lo:s.hi]...)
		}
	}
	return dst
}

// order returns the new places by number, from the old ones and the plan of the flat layout.
func (p *planner) order(s, drop, add *segment, n int) []uint32 {
	oldPlace, addPlace := make([]uint32, s.len()), make([]uint32, add.len())
	place := uint32(0)
	for _, st := range p.stretches {
		places := oldPlace
		if st.added {
			places = addPlace
		}
		for i := st.lo; i < st.hi; i++ {
			places[i] = place
			place++
		}
	}
	order := make([]uint32, 0, n)
	from := 0
	until := func(rank int) {
		rank = max(rank, from) // a dropped row's number may be added again
		for _, old := range s.byNum[from:rank] {
			order = append(order, oldPlace[old])
		}
		from = rank
	}
	i, j := 0, 0
	for i < drop.len() || j < add.len() {
		if j == add.len() || i < drop.len() && drop.flat.num[drop.byNum[i]] <= add.flat.num[add.byNum[j]] {
			until(s.rank(drop.flat.num[drop.byNum[i]]))
			from++ // the dropped row
			i++
			continue
		}
		until(s.rank(add.flat.num[add.byNum[j]]))
		order = append(order, addPlace[add.byNum[j]])
		j++
	}
	until(s.len())
	return order
}
