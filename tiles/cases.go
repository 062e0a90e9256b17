package tiles

import (
	"google.golang.org/protobuf/encoding/protowire"

	"gridgov/internal/cube"
)

// MinCaseZoom is the first zoom whose tiles hold cases: a city's open ones are few.
const MinCaseZoom = 8

// Keys of the layer `cases`, by their index.
const (
	caseItem = iota
	caseState
	caseUnit
	caseColour
	caseDue
	caseTruncated
)

// colourNames are the colours of clocks, by the order of their bits.
var colourNames = [...]string{"none", "green", "amber", "red"}

// Cases appends the tile of the cases of reports from zoom MinCaseZoom on: one layer `cases` of points, one for each report that
// matches, in exactly one tile, with the report's number as id and the properties item, state, unit (the number of who leads it),
// colour (of its clocks at the filter's moment) and due (seconds since 1970; absent where none runs). It is thinned like the tile of
// reports. A report whose case is not opened yet is left out, whatever the filter says.
func (m *Maker) Cases(dst []byte, v cube.View, a Address, f cube.Filter, names *Names) (tile []byte, truncated bool) {
	if a.Z < MinCaseZoom {
		return dst, false
	}
	if f.States &^= 1; f.States == 0 {
		f.States = ^uint32(1)
	}
	b := m.take()
	defer m.buffers.Put(b)
	t := &b.reports
	t.points, truncated = v.Points(a.Z, a.X, a.Y, f, MaxPoints, t.points[:0])
	if len(t.points) == 0 {
		return dst, truncated
	}
	t.reset(names)
	units := map[uint32]uint64{} // crew → index of its unit's number + 1
	numbers := map[int64]uint64{}
	yes := uint64(0)
	if truncated {
		t.values = appendBoolValue(t.values, true)
		yes = t.next
		t.next++
	}
	dst, start := beginLayer(dst)
	for i := range t.points {
		p := &t.points[i]
		var at, tags int
		dst, at, tags = beginPoint(dst, p)
		dst = t.named(dst, caseItem, uint32(p.Item), t.items, names.Items)
		dst = t.named(dst, caseState, uint32(p.State()), t.states[:], names.States)
		if crew := p.Crew(); uint64(crew) < uint64(len(names.Units)) {
			if units[crew] == 0 {
				n := names.Units[crew]
				if numbers[n] == 0 {
					t.values = appendUintValue(t.values, uint64(n))
					t.next++
					numbers[n] = t.next
				}
				units[crew] = numbers[n]
			}
			dst = protowire.AppendVarint(append(dst, caseUnit), units[crew]-1)
		}
		amber, due := v.Clock(p.Num)
		dst = t.named(dst, caseColour, colourIndex(cube.ColourOf(amber, due, f.Now)), t.colours[:], colourNames[:])
		if due != 0 {
			t.values = appendUintValue(t.values, uint64(due))
			dst = protowire.AppendVarint(append(dst, caseDue), t.next)
			t.next++
		}
		if truncated {
			dst = protowire.AppendVarint(append(dst, caseTruncated), yes)
		}
		dst = endPoint(dst, p, a.Z, at, tags)
	}
	keys := []string{caseItem: "item", caseState: "state", caseUnit: "unit", caseColour: "colour", caseDue: "due", caseTruncated: "truncated"}
	return endLayer(dst, start, "cases", keys, t.values, Extent), truncated
}

func colourIndex(c cube.Clocks) (i uint32) {
	for c > 1 {
		c >>= 1
		i++
	}
	return i
}
