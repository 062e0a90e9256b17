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
	items   []uint64 // item → index of its name + 1; so the others
	kinds   [cube.MaxKinds]uint64
	sources [cube.MaxSources]uint64
	grids   []uint64
	states  [cube.MaxStates]uint64
	colours [len(colourNames)]uint64
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
	t.reset(names)
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
		dst = t.tags(dst, p, names)
		if truncated {
			dst = protowire.AppendVarint(append(dst, keyTruncated), yes)
		}
		dst = endPoint(dst, p, a.Z, at, tags)
	}
	keys := []string{keyItem: "item", keyKind: "kind", keySource: "source", keyAt: "at", keyGrid: "grid", keyTruncated: "truncated"}
	return endLayer(dst, start, "reports", keys, t.values, Extent), truncated
}

// beginPoint starts a feature; its tags follow, from tags on.
func beginPoint(dst []byte, p *cube.Point) (out []byte, at, tags int) {
	at = len(dst)
	dst = append(dst, tagLayerFeature, 0, tagFeatureID)
	dst = protowire.AppendVarint(dst, uint64(p.Num))
	dst = append(dst, tagFeatureTags, 0)
	return dst, at, len(dst)
}

// endPoint finishes it with its point.
func endPoint(dst []byte, p *cube.Point, z uint32, at, tags int) []byte {
	dst[tags-1] = byte(len(dst) - tags)
	dst = append(dst, tagFeatureType, typePoint, tagFeatureGeometry, 0, 1<<3|moveTo)
	geometry := len(dst) - 1
	x, y := p.World()
	dst = protowire.AppendVarint(dst, zigzag(local(x, z)))
	dst = protowire.AppendVarint(dst, zigzag(local(y, z)))
	dst[geometry-1] = byte(len(dst) - geometry)
	dst[at+1] = byte(len(dst) - at - 2) // always below 128
	return dst
}

// local is the unit within its tile of a 32-bit cell; from zoom 21 on, where units are finer, that in the cell's middle.
func local(world, z uint32) int {
	if z <= 20 {
		return int(world >> (20 - z) & (Extent - 1))
	}
	return int((world<<(z-20) | 1<<(z-21)) & (Extent - 1))
}

func (t *reportTile) reset(names *Names) {
	t.values, t.next = t.values[:0], 0
	t.items, t.grids = zeroes(t.items, len(names.Items)), zeroes(t.grids, len(names.Grids))
	clear(t.kinds[:])
	clear(t.sources[:])
	clear(t.states[:])
	clear(t.colours[:])
}

// zeroes returns n zeroes, in the memory of list if that is large enough.
func zeroes(list []uint64, n int) []uint64 {
	if cap(list) < n {
		return make([]uint64, n)
	}
	list = list[:n]
	clear(list)
	return list
}

// tags appends the pairs of a report's properties.
func (t *reportTile) tags(dst []byte, p *cube.Point, names *Names) []byte {
	dst = t.named(dst, keyItem, uint32(p.Item), t.items, names.Items)
	dst = t.named(dst, keyKind, uint32(p.Kind), t.kinds[:], names.Kinds)
	dst = t.named(dst, keySource, uint32(p.Source), t.sources[:], names.Sources)
	t.values = appendUintValue(t.values, uint64(p.At))
	dst = protowire.AppendVarint(append(dst, keyAt), t.next)
	t.next++
	if uint64(p.Face) >= uint64(len(names.Faces)) || names.Grids[names.Faces[p.Face]] == "" {
		return dst
	}
	return t.named(dst, keyGrid, names.Faces[p.Face], t.grids, names.Grids)
}

// named appends the pair of a code, if it has a name, and adds the name to the layer the first time.
func (t *reportTile) named(dst []byte, key byte, code uint32, known []uint64, names []string) []byte {
	if uint64(code) >= uint64(len(names)) {
		return dst
	}
	if known[code] == 0 {
		t.values = appendStringValue(t.values, names[code])
		t.next++
		known[code] = t.next
	}
	return protowire.AppendVarint(append(dst, key), known[code]-1)
}
