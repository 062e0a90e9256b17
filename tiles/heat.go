package tiles

import (
	"math"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"

	"gridgov/internal/cube"
)

// heatSide is the number of cells a side of a tile has, and the extent of the layer.
const heatSide = 64

// heatTile is the memory of one heat tile in the making.
type heatTile struct {
	cells  []cube.Cell
	values []byte
	next   uint64 // index of the next value

	counts   [256]uint16           // count → index of its value + 1
	density  [heatSide * 64]uint16 // row class, count → likewise
	rare     map[uint64]uint64     // the same for large counts
	haveRare bool
}

// Heat appends the heat tile: one layer `heat` of square cells, 1/64 of the tile a side, that hold at least one report of
// the filter. Their properties are `count` and `per_km2`, the count by the cell's area on the ellipsoid. Each report with a
// position is counted in exactly one cell of a zoom. The bytes depend on the counts alone. Without a cell, or for an
// address that is not valid, nothing is appended.
func (m *Maker) Heat(dst []byte, v cube.View, a Address, f cube.Filter) []byte {
	b := m.take()
	defer m.buffers.Put(b)
	t := &b.heat
	t.cells = v.Heat(a.Z, a.X, a.Y, f, t.cells[:0])
	return t.write(dst, a)
}

// PublicHeat is Heat of counts that anybody may see.
func (m *Maker) PublicHeat(dst []byte, p *cube.Published, a Address) []byte {
	b := m.take()
	defer m.buffers.Put(b)
	b.heat.cells = p.Heat(a.Z, a.X, a.Y, b.heat.cells[:0])
	return b.heat.write(dst, a)
}

// write appends the tile of the cells at hand.
func (t *heatTile) write(dst []byte, a Address) []byte {
	if len(t.cells) == 0 {
		return dst
	}
	t.reset()
	rows := heatRowsOf(a.Z, a.Y)
	dst, start := beginLayer(dst)
	for _, cell := range t.cells {
		count, density := t.indexes(rows, cell)
		at := len(dst)
		dst = append(dst, tagLayerFeature, 0, tagFeatureTags, 0, 0)
		dst = protowire.AppendVarint(dst, count)
		dst = append(dst, 1)
		dst = protowire.AppendVarint(dst, density)
		dst[at+3] = byte(len(dst) - at - 4)
		dst = append(dst, tagFeatureType, typePolygon, tagFeatureGeometry, 0, 1<<3|moveTo)
		geometry := len(dst) - 1
		dst = protowire.AppendVarint(dst, zigzag(int(cell.X)))
		dst = protowire.AppendVarint(dst, zigzag(int(cell.Y)))
		// Right, down, left: positive area where y grows downwards.
		dst = append(dst, 3<<3|lineTo, 2, 0, 0, 2, 1, 0, 1<<3|closePath)
		dst[geometry-1] = byte(len(dst) - geometry)
		dst[at+1] = byte(len(dst) - at - 2) // always below 128
	}
	return endLayer(dst, start, "heat", []string{"count", "per_km2"}, t.values, heatSide)
}

func (t *heatTile) reset() {
	t.values, t.next = t.values[:0], 0
	clear(t.counts[:])
	clear(t.density[:])
	if t.haveRare {
		clear(t.rare)
		t.haveRare = false
	}
}

// indexes returns the places of the cell's two values in the layer, which it adds where they are new.
func (t *heatTile) indexes(rows *heatRows, cell cube.Cell) (count, density uint64) {
	class := int(rows.class[cell.Y])
	n := int(cell.Count)
	if n < len(t.counts) {
		if t.counts[n] == 0 {
			t.values = appendUintValue(t.values, uint64(n))
			t.next++
			t.counts[n] = uint16(t.next)
		}
		count = uint64(t.counts[n]) - 1
	} else {
		count = t.rareIndex(uint64(n), func() { t.values = appendUintValue(t.values, uint64(n)) })
	}
	value := float32(float64(n) * rows.perKM2[class])
	if n < 64 {
		slot := &t.density[class*64+n]
		if *slot == 0 {
			t.values = appendFloatValue(t.values, value)
			t.next++
			*slot = uint16(t.next)
		}
		return count, uint64(*slot) - 1
	}
	return count, t.rareIndex(1<<32|uint64(math.Float32bits(value)), func() { t.values = appendFloatValue(t.values, value) })
}

func (t *heatTile) rareIndex(key uint64, add func()) uint64 {
	if t.rare == nil {
		t.rare = map[uint64]uint64{}
	}
	t.haveRare = true
	i, ok := t.rare[key]
	if !ok {
		add()
		i = t.next
		t.rare[key] = i
		t.next++
	}
	return i
}

// heatRows tells the area of a cell in each row of the tiles of one height. Rows are of one class as far as a float32 does
// not tell their areas apart.
type heatRows struct {
	z, y   uint32
	class  [heatSide]uint8   // by row
	perKM2 [heatSide]float64 // by class: 1 / the area of a cell
}

// keptRows are rows worked out before: those of a city's tiles at all zooms it is looked at. One in the place of another
// is no loss but of time.
var keptRows [1024]atomic.Pointer[heatRows]

func heatRowsOf(z, y uint32) *heatRows {
	place := &keptRows[(y^z*0x9e3779b1>>20)%uint32(len(keptRows))]
	if r := place.Load(); r != nil && r.z == z && r.y == y {
		return r
	}
	r := &heatRows{z: z, y: y}
	classes := 0
	for row := range uint32(heatSide) {
		per := float64(float32(1e6 / cellAreaM2(z+6, y*heatSide+row)))
		c := 0
		for c < classes && r.perKM2[c] != per {
			c++
		}
		if c == classes {
			r.perKM2[c] = per
			classes++
		}
		r.class[row] = uint8(c)
	}
	place.Store(r)
	return r
}

// GRS80, the ellipsoid of CGCS2000 (EPSG:4490).
const (
	semiMajorM = 6378137.0
	flattening = 1 / 298.257222101
	ecc2       = flattening * (2 - flattening)
)

// cellAreaM2 is the area on the ellipsoid of a web-mercator cell in row y of the 2^z rows of a zoom.
func cellAreaM2(z, y uint32) float64 {
	n := math.Exp2(float64(z))
	north := math.Tanh(math.Pi * (1 - 2*float64(y)/n))
	south := math.Tanh(math.Pi * (1 - 2*float64(y+1)/n))
	return zoneM2(south, north) / n
}

// zoneM2 is the area of the zone between two parallels, given by the sines of their latitudes: the integral of
// 2π·a²(1−e²)/(1−e²s²)², as a series (the terms left out are below 1e-14). The difference of the sines stays a factor, so
// that the narrowest zones keep their digits.
func zoneM2(s0, s1 float64) float64 {
	// (s1^n − s0^n) = (s1 − s0)·h(n−1), where h(n) = s1^n + s0·h(n−1).
	sum, factor := 1.0, 1.0
	power, h := 1.0, 1.0
	for k := 1; k < 6; k++ {
		for range 2 {
			power *= s1
			h = power + s0*h
		}
		factor *= ecc2
		sum += float64(k+1) / float64(2*k+1) * factor * h
	}
	return 2 * math.Pi * semiMajorM * semiMajorM * (1 - ecc2) * (s1 - s0) * sum
}
