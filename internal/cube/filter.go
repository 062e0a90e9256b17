package cube

import "slices"

// Filter says which reports count. The zero value takes all.
type Filter struct {
	Items   []uint16 // any of these; empty: all. Codes that no report has are allowed and match nothing
	Kinds   uint8    // bit k: kind k; 0: all
	Sources uint8    // bit s: source s; 0: all
	From    uint32   // seconds since 1970; reports with From <= At count
	To      uint32   // reports with At < To count; 0: no end
	Faces   *FaceSet // any of these faces; nil: all
	Hours   *Hours   // any of these hours of the day; nil: all

	States uint32   // bit s: state s of the case; 0: all
	Ends   uint8    // bit e: end e; 0: all
	Crews  *FaceSet // any of these crews; nil: all
	Clocks Clocks   // bit c: clock c at the moment Now; 0: all
	Now    uint32   // seconds since 1970
	// Within cuts to what somebody may see: a report counts whose face is in Within, or whose crew is in Also. Without Also
	// it is a set of faces like any other; nil: all.
	Within, Also *FaceSet
}

// matcher is a filter made ready for scans.
type matcher struct {
	from  uint32
	width uint64   // at-from < width, at-from taken modulo 2³²
	attrs uint64   // bit kind|source<<3
	items []uint16 // sorted, each once; nil: all
	mask  uint64   // the items as bits, if all are below 64; else 0
	faces *FaceSet // nil: all
	first uint32   // the stretches of time that the window meets, first to last
	last  uint32
	plain bool     // only the time window is to be checked
	cut   bool     // only the time window and faces, FaceNone not among them, are to be checked
	hours *Hours   // nil: all
	deep  *fateful // nil: nothing of the case is to be checked
}

func (v View) compile(f Filter) matcher { return f.compile(v.s.clocks) }

func (f Filter) compile(times *clocks) matcher {
	m := matcher{from: f.From, width: 1<<32 - uint64(f.From)}
	if f.To != 0 {
		m.width = uint64(max(f.To, f.From) - f.From)
	}
	m.first, m.last = timeKey(m.from), timeKey(uint32(uint64(m.from)+max(1, m.width)-1))
	for attr := range uint64(64) {
		kind, source := attr&7, attr>>3
		if (f.Kinds == 0 || f.Kinds>>kind&1 == 1) && (f.Sources == 0 || f.Sources>>source&1 == 1) {
			m.attrs |= 1 << attr
		}
	}
	if len(f.Items) > 0 {
		m.items = f.Items
		if !slices.IsSorted(f.Items) || hasTwins(f.Items) {
			m.items = slices.Compact(slices.Sorted(slices.Values(f.Items)))
		}
	}
	if len(m.items) > 0 && m.items[len(m.items)-1] < 64 {
		for _, item := range m.items {
			m.mask |= 1 << item
		}
	}
	m.faces = f.Faces
	if f.Also == nil || f.Also.Empty() {
		m.faces, f.Within, f.Also = m.faces.And(f.Within), nil, nil
	}
	m.deep, m.hours = f.fateful(times), f.Hours
	m.plain = m.attrs == ^uint64(0) && m.faces == nil && m.hours == nil && m.deep == nil
	m.cut = m.attrs == ^uint64(0) && m.faces != nil && !m.faces.none && m.hours == nil && m.deep == nil
	return m
}

func hasTwins(sorted []uint16) bool {
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return true
		}
	}
	return false
}

// inWindow is 1 when the time lies in the window, else 0, without a branch.
func (m *matcher) inWindow(at uint32) uint32 {
	return uint32((uint64(at-m.from) - m.width) >> 63)
}

func (m *matcher) hasItem(item uint16) bool {
	if m.mask != 0 {
		return item < 64 && m.mask>>item&1 == 1
	}
	_, ok := slices.BinarySearch(m.items, item)
	return ok
}
