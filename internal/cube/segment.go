package cube

import "sort"

// columns are rows side by side, in the order of one layout.
type columns struct {
	code []uint64 // Morton code
	at   []uint32
	num  []uint32
	face []uint32
	lot  []uint32 // crew | end<<25 | state<<27
	attr []uint8  // kind | source<<3
	item []uint16 // nil in the layout by item, whose groups say it
}

func (c *columns) len() int { return len(c.code) }

func (c *columns) bytes() int {
	return 8*cap(c.code) + 4*(cap(c.at)+cap(c.num)+cap(c.face)+cap(c.lot)) + cap(c.attr) + 2*cap(c.item)
}

// Within a layout, rows of one stretch of time stand together: 2²² seconds, 48.5 days. A query for a window looks at the
// stretches it meets and passes over the rest.
const (
	stretchBits = 22
	stretchKeys = 1 << (32 - stretchBits)
)

// group is the rows of one key: a stretch of time, or an item and a stretch of time.
type group struct {
	key        uint32
	start, end int
}

func timeKey(at uint32) uint32 { return at >> stretchBits }

func itemKey(item uint16, at uint32) uint32 { return uint32(item)*stretchKeys | timeKey(at) }

// layout is rows sorted by group, code and number.
type layout struct {
	columns
	groups []group // by key
}

// segment is an immutable set of rows in both layouts.
type segment struct {
	flat  layout   // by stretch of time, code
	split layout   // by item, stretch of time, code
	byNum []uint32 // places in flat, by number
}

// record is a row with its position as a code.
type record struct {
	code          uint64
	at, num, face uint32
	lot           uint32
	item          uint16
	attr          uint8
}

func (r record) row() Row {
	x, y := deinterleave(r.code)
	lon, lat := unproject(x, y)
	return Row{Num: r.num, Lon: lon, Lat: lat, At: r.at, Item: r.item, Kind: r.attr & 7, Source: r.attr >> 3, Face: r.face,
		State: stateOf(r.lot), End: endOf(r.lot), Crew: crewOf(r.lot)}
}

func recordOf(r Row) (record, bool) {
	x, y, ok := project(r.Lon, r.Lat)
	return record{
		code: interleave(x, y), at: r.At, num: r.Num, face: r.Face, item: r.Item, lot: lotOf(r.State, r.End, r.Crew),
		attr: r.Kind&(MaxKinds-1) | r.Source&(MaxSources-1)<<3,
	}, ok
}

func (s *segment) len() int { return len(s.byNum) }

func (s *segment) bytes() int {
	return s.flat.bytes() + s.split.bytes() + 24*(cap(s.flat.groups)+cap(s.split.groups)) + 4*cap(s.byNum)
}

func (s *segment) record(place int) record {
	c := &s.flat.columns
	return record{c.code[place], c.at[place], c.num[place], c.face[place], c.lot[place], c.item[place], c.attr[place]}
}

// rank returns how many rows have a smaller number.
func (s *segment) rank(num uint32) int {
	return sort.Search(len(s.byNum), func(i int) bool { return s.flat.num[s.byNum[i]] >= num })
}

// find returns the row of a number.
func (s *segment) find(num uint32) (record, bool) {
	i := s.rank(num)
	if i == len(s.byNum) || s.flat.num[s.byNum[i]] != num {
		return record{}, false
	}
	return s.record(int(s.byNum[i])), true
}

// group returns the rows of a key; of one that is not there, the empty range where it would stand.
func (l *layout) group(key uint32) (start, end int) {
	i := sort.Search(len(l.groups), func(i int) bool { return l.groups[i].key >= key })
	if i == len(l.groups) {
		return l.len(), l.len()
	}
	if l.groups[i].key != key {
		return l.groups[i].start, l.groups[i].start
	}
	return l.groups[i].start, l.groups[i].end
}

// lowerCode returns the first place in [lo, hi) whose code is at least the given one, else hi.
func lowerCode(codes []uint64, lo, hi int, code uint64) int {
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if codes[mid] < code {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// lowerRow returns the first place in [lo, hi) whose (code, number) is at least the given one, else hi.
func (c *columns) lowerRow(lo, hi int, code uint64, num uint32) int {
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if c.code[mid] < code || c.code[mid] == code && c.num[mid] < num {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// within returns the places of a span in [lo, hi).
func (c *columns) within(lo, hi int, s span) (int, int) {
	start := lowerCode(c.code, lo, hi, s.first)
	// A tile is mostly far smaller than what follows: gallop before halving.
	step, end := 64, start
	for end+step < hi && c.code[end+step] <= s.last {
		end += step
		step *= 4
	}
	hi = min(hi, end+step)
	if s.last == ^uint64(0) {
		return start, hi
	}
	return start, lowerCode(c.code, end, hi, s.last+1)
}
