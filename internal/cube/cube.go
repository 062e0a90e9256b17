// Package cube holds every report of a city in memory, so that any filtered count over any tile costs microseconds.
//
// Reports are columns in two sorted layouts: by Morton code, and by item and Morton code, each within stretches of 48 days.
// The Morton code interleaves 32 bits of web-mercator x and y, so a map tile is one slice of each stretch that the window
// meets, a heat cell is the next bits of the code, and a filter is a scan without branches. Changes go into small sorted deltas of rows added and rows taken away; a count is
// the sum over all of them with their signs, so that nothing in the large base is ever touched. [Cube.Merge] folds the
// deltas into a new base while readers and writers go on.
//
// What has become of a report (state, end, the crew of units at work on it) is one more column. When its clocks turn lies
// beside, by number, as few filters ask for it and a layout by place gains nothing from it.
//
// The cube knows no SQL, no HTTP and no clock. One goroutine or many may call [Cube.Apply]; any number may read through
// [Cube.View], which never blocks and never changes under the reader.
package cube

import (
	"iter"
	"sync"
	"sync/atomic"
)

// FaceNone is the face of a report that lies in no face of the plan.
const FaceNone = ^uint32(0)

// Limits of the small codes: both share one byte, three bits each.
const (
	MaxKinds   = 8
	MaxSources = 8
)

// Limits of what is kept of a report's case, whose three parts share one number of 32 bits.
const (
	MaxStates = 32
	MaxEnds   = 4
	// CrewNone is the crew of a report whose case is not opened yet; those that are numbered from here on are taken for it.
	CrewNone = 1<<25 - 1
)

// Row is one report as the cube keeps it, 26 bytes a layout, and 8 bytes once for the times of its case.
//
// Lon and lat are degrees; they are kept as 32 bits an axis of the web-mercator square (about 1 cm at the equator). A
// latitude beyond ±85.0511° is counted in the outermost row, a longitude beyond ±180° in the outermost column. A row
// whose position is not finite has no place on a map: the cube does not hold it.
type Row struct {
	Num      uint32 // the report's number, unique in the city
	Lon, Lat float64
	At       uint32 // seconds since 1970
	Item     uint16
	Kind     uint8 // below MaxKinds
	Source   uint8 // below MaxSources
	Face     uint32

	// What has become of it. State 0 and End 0 stand for none, Crew names the units that are at work on it.
	State, End uint8 // below MaxStates and MaxEnds
	Crew       uint32
	Amber, Due uint32 // when its clocks turn amber and fall due, seconds since 1970; 0: never
}

// Cube is the set of reports and its changes. Make one with [Load].
type Cube struct {
	state   atomic.Pointer[state]
	write   sync.Mutex // held by whoever publishes a new state
	merge   sync.Mutex // held by the one merge under way
	scratch *sync.Pool // *scratch
}

// state is what a reader sees: never changed once published.
type state struct {
	base   *segment
	clocks *clocks
	deltas []delta // older first; each one's minus refers to rows of the base or of older deltas
	frozen int     // so many of deltas belong to a merge under way and are not extended any more
}

// Load builds a cube from rows in any order. Of rows with the same number the last one counts.
func Load(rows iter.Seq[Row]) *Cube {
	var b builder
	edit := (&clocks{}).edit()
	for r := range rows {
		b.add(r)
		edit.set(r.Num, clock{r.Amber, r.Due})
	}
	c := &Cube{scratch: &sync.Pool{New: func() any { return new(scratch) }}}
	c.state.Store(&state{base: b.segment(), clocks: edit.clocks})
	return c
}

// View returns the reports as they are now. It is a pointer's copy: take one per request and ask it everything.
func (c *Cube) View() View { return View{s: c.state.Load(), scratch: c.scratch} }

// View is the cube between two changes. All its methods may be called from many goroutines.
type View struct {
	s       *state
	scratch *sync.Pool
}

// Len returns the number of reports that have a position.
func (v View) Len() int {
	n := v.s.base.len()
	for _, d := range v.s.deltas {
		n += d.plus.len() - d.minus.len()
	}
	return n
}

// Bytes returns the memory of the columns and indexes, without what a merge under way needs in passing.
func (v View) Bytes() int {
	n := v.s.base.bytes() + v.s.clocks.bytes()
	for _, d := range v.s.deltas {
		n += d.plus.bytes() + d.minus.bytes()
	}
	return n
}

// Pending returns the number of rows, added and taken away, that wait for a merge.
func (v View) Pending() int {
	n := 0
	for _, d := range v.s.deltas {
		n += d.len()
	}
	return n
}

// Get returns the report of the number as the cube holds it: its position is the middle of its 32-bit cell.
func (v View) Get(num uint32) (Row, bool) {
	r, ok := v.s.lookup(num)
	row := r.row()
	if ok {
		row.Amber, row.Due = v.Clock(num)
	}
	return row, ok
}
