package tiles

import (
	"google.golang.org/protobuf/encoding/protowire"

	"gridgov/internal/cube"
)

// reportTile is the memory of one tile of reports in the making.
type reportTile struct {
	points  []cube.Point
	values  []byte
	next    uint64
	items   map[uint16]uint64 // item → index of its name
	kinds   [cube.MaxKinds]uint64
	sources [cube.MaxSources]uint64
	faces   map[uint32]uint64
}

// Keys of the layer `reports`, by their index.
const (
	keyItem = iota
	keyKind
	keySource
	keyAt
	keyGrid
	keyTruncated
)

// Reports appends the tile of single reports from zoom MinPointZoom on: one layer `reports` of points, each in exactly one
// tile, with the report's number as id and the properties item, kind, source, at (seconds since 1970) and grid. Where more
// than MaxPoints match, an even sample is drawn, truncated is true and each feature says so too. No report, a smaller zoom
// or an address that is not valid: nothing is appended.
func (m *Maker) Reports(dst []byte, v cube.View, a Address, f cube.Filter, names *Names) (tile []byte, truncated bool) {
	if a.Z < MinPointZoom {
		return dst, false
	}
	b := m.take()
	defer m.buffers.Put(b)
	t := &b.reports
	t.points, truncated = v.Points(a.Z, a.X, a.Y, f, MaxPoints, t.points[:0])
	if len(t.points) == 0 {
		return dst, truncated
	}
	t.reset()
	yes := uint64(0)
	if truncated {
		t.values = appendBoolValue(t.values, true)
		yes = t.next
		t.next++
	}
	dst, start := beginLayer(dst)
	for i := range t.points {
		p := &t.points[i]
		at := len(dst)
		dst = append(dst, tagLayerFeature, 0, tagFeatureID)
		dst = protowire.AppendVarint(dst, uint64(p.Num))
		dst = append(dst, tagFeatureTags, 0)
		tags := len(dst)
		dst = t.tags(dst, p, names)
		if truncated {
			dst = protowire.AppendVarint(append(dst, keyTruncated), yes)
		}
		dst[tags-1] = byte(len(dst) - tags)
		dst = append(dst, tagFeatureType, typePoint, tagFeatureGeometry, 0, 1<<3|moveTo)
		geometry := len(dst) - 1
		x, y := p.World()
		dst = protowire.AppendVarint(dst, zigzag(local(x, a.Z)))
		dst = protowire.AppendVarint(dst, zigzag(local(y, a.Z)))
		dst[geometry-1] = byte(len(dst) - geometry)
		dst[at+1] = byte(len(dst) - at - 2) // always below 128
	}
	keys := []string{keyItem: "item", keyKind: "kind", keySource: "source", keyAt: "at", keyGrid: "grid", keyTruncated: "truncated"}
	return endLayer(dst, start, "reports", keys, t.values, Extent), truncated
}

// local is the unit within its tile of a 32-bit cell; from zoom 21 on, where units are finer, that in the cell's middle.
func local(world, z uint32) int {
	if z <= 20 {
		return int(world >> (20 - z) & (Extent - 1))
	}
	return int((world<<(z-20) | 1<<(z-21)) & (Extent - 1))
}

func (t *reportTile) reset() {
	t.values, t.next = t.values[:0], 0
	if t.items == nil {
		t.items, t.faces = map[uint16]uint64{}, map[uint32]uint64{}
	}
	clear(t.items)
	clear(t.faces)
	clear(t.kinds[:])
	clear(t.sources[:])
}

// tags appends the pairs of a report's properties. Indexes are kept plus one, so that zero means not yet there.
func (t *reportTile) tags(dst []byte, p *cube.Point, names *Names) []byte {
	if int(p.Item) < len(names.Items) {
		i := t.items[p.Item]
		if i == 0 {
			i = t.add(names.Items[p.Item])
			t.items[p.Item] = i
		}
		dst = protowire.AppendVarint(append(dst, keyItem), i-1)
	}
	dst = t.small(dst, keyKind, p.Kind, t.kinds[:], names.Kinds)
	dst = t.small(dst, keySource, p.Source, t.sources[:], names.Sources)
	t.values = appendUintValue(t.values, uint64(p.At))
	dst = protowire.AppendVarint(append(dst, keyAt), t.next)
	t.next++
	if uint64(p.Face) < uint64(len(names.Faces)) {
		i := t.faces[p.Face]
		if i == 0 {
			i = t.add(names.Faces[p.Face])
			t.faces[p.Face] = i
		}
		dst = protowire.AppendVarint(append(dst, keyGrid), i-1)
	}
	return dst
}

func (t *reportTile) small(dst []byte, key byte, code uint8, known []uint64, names []string) []byte {
	if int(code) >= len(names) {
		return dst
	}
	if known[code] == 0 {
		known[code] = t.add(names[code])
	}
	return protowire.AppendVarint(append(dst, key), known[code]-1)
}

func (t *reportTile) add(text string) uint64 {
	t.values = appendStringValue(t.values, text)
	t.next++
	return t.next
}
