package cube

// What has become of a report is one number: its crew, how it ended and its state, from the lowest bit up. Crews are the
// most, and are compared the most.
const (
	crewBits = 25
	endBits  = 2
)

func lotOf(state, end uint8, crew uint32) uint32 {
	return min(crew, CrewNone) | uint32(end&(MaxEnds-1))<<crewBits | uint32(state&(MaxStates-1))<<(crewBits+endBits)
}

func crewOf(lot uint32) uint32 { return lot & CrewNone }
func endOf(lot uint32) uint8   { return uint8(lot >> crewBits & (MaxEnds - 1)) }
func stateOf(lot uint32) uint8 { return uint8(lot >> (crewBits + endBits)) }

// Clocks is a set of colours that a case's clocks may have.
type Clocks uint8

// The colours. Stopped: none of its clocks runs.
const (
	Stopped Clocks = 1 << iota
	Green
	Amber
	Red
)

// ColourOf is the colour at a moment of clocks that turn amber and fall due then; all are seconds since 1970, 0 is never. What
// turns amber in the moment is amber, what falls due in the moment is in time.
func ColourOf(amber, due, now uint32) Clocks {
	switch {
	case due == 0:
		return Stopped
	case due < now:
		return Red
	case amber == 0 || amber > now:
		return Green
	}
	return Amber
}

// fateful is the part of a filter that asks for a report's case.
type fateful struct {
	fates  [2]uint64 // bit end | state<<2
	crews  *FaceSet
	within *FaceSet
	also   *FaceSet // nil: within was asked before
	colour Clocks   // 0: any
	now    uint32
	times  *clocks
}

// fateful is nil when nothing of the case is asked for.
func (f *Filter) fateful(times *clocks) *fateful {
	if f.States == 0 && f.Ends == 0 && f.Crews == nil && f.Also == nil && f.Clocks == 0 {
		return nil
	}
	d := &fateful{crews: f.Crews, within: f.Within, also: f.Also, colour: f.Clocks, now: f.Now, times: times}
	for fate := range uint(MaxStates * MaxEnds) {
		end, state := fate&(MaxEnds-1), fate>>endBits
		if (f.States == 0 || f.States>>state&1 == 1) && (f.Ends == 0 || f.Ends>>end&1 == 1) {
			d.fates[fate>>6] |= 1 << (fate & 63)
		}
	}
	return d
}

func (d *fateful) has(lot, num, face uint32) bool {
	fate := lot >> crewBits
	if d.fates[fate>>6]>>(fate&63)&1 == 0 || d.crews != nil && !d.crews.holds(lot) {
		return false
	}
	if d.also != nil && !d.also.holds(lot) && !d.within.Has(face) {
		return false
	}
	if d.colour == 0 {
		return true
	}
	c := d.times.at(num)
	return d.colour&ColourOf(c.amber, c.due, d.now) != 0
}

// holds tells whether the crew of a lot is in a set of crews. No crew is in none: a set says who may see what.
func (s *FaceSet) holds(lot uint32) bool {
	crew := crewOf(lot)
	return crew != CrewNone && s.bit(crew) == 1
}

// Clock tells when the clocks of a report's case turn amber and fall due, 0 for never.
func (v View) Clock(num uint32) (amber, due uint32) {
	c := v.s.clocks.at(num)
	return c.amber, c.due
}

// clock is when a case's clocks turn.
type clock struct{ amber, due uint32 }

// clocks are those of all reports by number, in pages of pages: a change copies two pages and shares the others. A page
// without a clock is nil, as of most reports all is done.
type clocks struct{ books []*book }

const (
	pageBits = 9
	bookBits = 11
)

type (
	page [1 << pageBits]clock
	book [1 << bookBits]*page
)

func (c *clocks) at(num uint32) clock {
	if b := num >> (pageBits + bookBits); c != nil && int(b) < len(c.books) && c.books[b] != nil {
		if p := c.books[b][num>>pageBits&(1<<bookBits-1)]; p != nil {
			return p[num&(1<<pageBits-1)]
		}
	}
	return clock{}
}

func (c *clocks) bytes() (n int) {
	for _, b := range c.books {
		if b == nil {
			continue
		}
		n += 8 << bookBits
		for _, p := range b {
			if p != nil {
				n += 8 << pageBits
			}
		}
	}
	return n + 8*cap(c.books)
}

// clocksEdit makes other clocks of some; what it has copied once it writes to.
type clocksEdit struct {
	*clocks
	books map[*book]bool
	pages map[*page]bool
}

func (c *clocks) edit() *clocksEdit { return &clocksEdit{clocks: c} }

func (e *clocksEdit) set(num uint32, to clock) {
	if e.at(num) == to {
		return
	}
	if e.books == nil {
		e.clocks = &clocks{books: append([]*book(nil), e.clocks.books...)}
		e.books, e.pages = map[*book]bool{}, map[*page]bool{}
	}
	at, in := int(num>>(pageBits+bookBits)), num>>pageBits&(1<<bookBits-1)
	for len(e.clocks.books) <= at {
		e.clocks.books = append(e.clocks.books, nil)
	}
	e.clocks.books[at] = own(e.clocks.books[at], e.books)
	b := e.clocks.books[at]
	b[in] = own(b[in], e.pages)
	b[in][num&(1<<pageBits-1)] = to
}

// own returns a part that may be written to: itself if it was copied before, else a copy of it, or a new one of nil.
func own[T any](part *T, owned map[*T]bool) *T {
	if part != nil && owned[part] {
		return part
	}
	next := new(T)
	if part != nil {
		*next = *part
	}
	owned[next] = true
	return next
}
