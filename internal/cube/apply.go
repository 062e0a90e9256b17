package cube

// Fields says which parts of a report a change sets.
type Fields uint8

// The parts; FieldPosition is Lon and Lat, FieldCase is State, End, Crew, Amber and Due.
const (
	FieldPosition Fields = 1 << iota
	FieldAt
	FieldItem
	FieldKind
	FieldSource
	FieldFace
	FieldCase

	AllFields = FieldPosition | FieldAt | FieldItem | FieldKind | FieldSource | FieldFace | FieldCase
)

// Change is one change of one report, named by Row.Num. With AllFields the report is inserted or replaced; with fewer
// it must be there. A report whose position becomes one that is not finite leaves the cube, as one removed does.
type Change struct {
	Row    Row
	Set    Fields
	Remove bool
}

// Sizes of the deltas. The small one is copied with every Apply, the middle one each time the small one is full.
const (
	smallRows = 1024
	midRows   = 32 << 10
)

// delta is a change of the tiers below it: rows added, and rows taken away from below. Of one report at most one row is
// in plus and at most one in minus.
type delta struct{ plus, minus *segment }

func (d delta) len() int { return d.plus.len() + d.minus.len() }

// Apply makes the changes in their order and publishes them together: a reader sees all or none. It returns the number
// of changes that name a report the cube does not hold and do not set all fields; those do nothing. Applying the same
// changes again changes nothing.
//
// A call costs some ten microseconds and a copy of at most a thousand rows. Call [Cube.Merge] when [Cube.MergeDue]
// says so; if nobody does, Apply folds the deltas in by itself before they become a burden to readers.
func (c *Cube) Apply(changes []Change) (missed int) {
	c.write.Lock()
	defer c.write.Unlock()
	old := c.state.Load()
	batch, times, missed := old.difference(changes)
	if batch.len() == 0 && times == old.clocks {
		return missed
	}
	next := &state{base: old.base, clocks: times, frozen: old.frozen}
	next.deltas = append(next.deltas, old.deltas...)
	if batch.len() > 0 {
		next.push(batch)
	}
	if next.frozen == 0 && next.pending() > 4*mergeAt(next.base.len()) {
		next = next.folded()
	}
	c.state.Store(next)
	return missed
}

// push puts a batch on top and keeps the tiers few: a middle one, and a small one above it.
func (s *state) push(batch delta) {
	s.deltas = append(s.deltas, batch)
	for top := len(s.deltas) - 1; top > s.frozen; top-- {
		lower, upper := s.deltas[top-1], s.deltas[top]
		if lower.len() > smallRows && upper.len() <= smallRows {
			return
		}
		s.deltas[top-1] = lower.with(upper)
		s.deltas = s.deltas[:top]
	}
}

func (s *state) pending() int {
	n := 0
	for _, d := range s.deltas {
		n += d.len()
	}
	return n
}

// mergeAt is how many pending rows call for a merge: few enough that readers hardly see them, and so many that the
// copies of the base are rare.
func mergeAt(base int) int { return max(midRows, base/32) }

// difference turns changes into rows added and rows taken away, and the clocks as they are then.
func (s *state) difference(changes []Change) (d delta, times *clocks, missed int) {
	type pair struct {
		was, is  record
		had, has bool
		clock    clock
	}
	touched := make(map[uint32]int, len(changes))
	pairs := make([]pair, 0, len(changes))
	for _, ch := range changes {
		i, seen := touched[ch.Row.Num]
		if !seen {
			i = len(pairs)
			touched[ch.Row.Num] = i
			r, ok := s.lookup(ch.Row.Num)
			pairs = append(pairs, pair{r, r, ok, ok, s.clocks.at(ch.Row.Num)})
		}
		p := &pairs[i]
		switch {
		case ch.Remove:
			p.has = false
		case ch.Set == AllFields:
			p.is, p.has = recordOf(ch.Row)
		case p.has:
			p.is, p.has = p.is.set(ch)
		default:
			missed++
		}
		if ch.Set&FieldCase != 0 {
			p.clock = clock{ch.Row.Amber, ch.Row.Due}
		}
	}
	edit := s.clocks.edit()
	var plus, minus builder
	for num, i := range touched {
		if !pairs[i].has {
			pairs[i].clock = clock{}
		}
		edit.set(num, pairs[i].clock)
	}
	for _, p := range pairs {
		if p.had == p.has && (!p.had || p.was == p.is) {
			continue
		}
		if p.had {
			minus.put(p.was)
		}
		if p.has {
			plus.put(p.is)
		}
	}
	return delta{plus.segment(), minus.segment()}, edit.clocks, missed
}

// set returns the record with the change's fields, and false if it loses its position.
func (r record) set(ch Change) (record, bool) {
	n, placed := recordOf(ch.Row)
	if ch.Set&FieldPosition != 0 {
		r.code = n.code
	} else {
		placed = true
	}
	if ch.Set&FieldAt != 0 {
		r.at = n.at
	}
	if ch.Set&FieldItem != 0 {
		r.item = n.item
	}
	if ch.Set&FieldKind != 0 {
		r.attr = r.attr&^7 | n.attr&7
	}
	if ch.Set&FieldSource != 0 {
		r.attr = r.attr&7 | n.attr&^7
	}
	if ch.Set&FieldFace != 0 {
		r.face = n.face
	}
	if ch.Set&FieldCase != 0 {
		r.lot = n.lot
	}
	return r, placed
}

// lookup returns the report's row as it is now.
func (s *state) lookup(num uint32) (record, bool) {
	for i := len(s.deltas) - 1; i >= 0; i-- {
		if r, ok := s.deltas[i].plus.find(num); ok {
			return r, true
		}
		if _, gone := s.deltas[i].minus.find(num); gone {
			return record{}, false
		}
	}
	return s.base.find(num)
}

// with returns the one delta that does what d and then upper do.
func (d delta) with(upper delta) delta {
	var cancelled, rest builder // of upper's minus: rows of d.plus, and rows from below d
	for i := range upper.minus.len() {
		r := upper.minus.record(i)
		if _, ok := d.plus.find(r.num); ok {
			cancelled.put(r)
		} else {
			rest.put(r)
		}
	}
	none := &segment{}
	return delta{
		plus:  d.plus.splice(cancelled.segment(), upper.plus),
		minus: d.minus.splice(none, rest.segment()),
	}
}
