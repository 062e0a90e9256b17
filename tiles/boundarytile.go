package tiles

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// Keys of the layers of jurisdictions, by their index.
const (
	keyCode = iota
	keyName
	keyNameLatin
	keyLevel
	keyRank
	keyParent
	keyGenerated
)

func unitKeys() []string {
	return []string{
		keyCode: "code", keyName: "name", keyNameLatin: "name_latin", keyLevel: "level", keyRank: "rank",
		keyParent: "parent", keyGenerated: "generated",
	}
}

// boundaryTile is the memory of one tile of jurisdictions in the making.
type boundaryTile struct {
	clip     clipper
	geometry []byte
	tags     []byte
	values   []byte
	next     uint64
	level    uint64   // index of the level's name; its rank, false and true follow
	parents  []uint64 // by number of the parent: index of its code + 1
}

// Tile appends the tile of the jurisdictions that its zoom shows:
//
//   - per level a layer of polygons named by its role, with the properties code, name, name_latin, level, rank, parent and
//     generated; the id is the face's index plus one;
//   - `borders`: one line feature a level with level and rank, in which each border stands once, with the highest level it
//     bounds; lower levels first, so that the higher ones are drawn over them;
//   - `labels`: a point inside each face with the same properties as the polygon, in exactly one tile of the zoom.
//
// Polygons and lines reach Buffer units beyond the tile. Nothing is appended for an empty tile or an address that is not
// valid.
func (b *Boundaries) Tile(dst []byte, a Address) []byte {
	if !a.Valid() {
		return dst
	}
	levels := b.zoom(a.Z)
	t := b.take()
	defer b.clippers.Put(t)
	t.clip.aim(a)
	for _, l := range levels {
		dst = t.polygons(dst, l)
	}
	dst = t.borders(dst, levels)
	return t.labels(dst, levels)
}

func (b *Boundaries) take() *boundaryTile {
	if t, ok := b.clippers.Get().(*boundaryTile); ok {
		return t
	}
	return new(boundaryTile)
}

// polygons appends the layer of one level.
func (t *boundaryTile) polygons(dst []byte, l *zoomLevel) []byte {
	dst, start := beginLayer(dst)
	empty := len(dst)
	t.values, t.next = t.values[:0], 0
	t.beginLevel(l)
	t.eachFace(l, func(face int) { dst = t.unit(dst, l, face, typePolygon) })
	if len(dst) == empty {
		return dst[:start]
	}
	return endLayer(dst, start, roles[l.rank].Name, unitKeys(), t.values, Extent)
}

// eachFace calls visit for the faces of a level that the tile shows, with their geometry in t.geometry.
func (t *boundaryTile) eachFace(l *zoomLevel, visit func(face int)) {
	for k, block := range l.blocks {
		if !block.meets(t.clip.bound) {
			continue
		}
		from := k * blockFaces
		for i := range l.faces[from:min(from+blockFaces, len(l.faces))] {
			face := &l.faces[from+i]
			if face.box.meets(t.clip.bound) && t.clip.polygon(face) {
				t.geometry = t.clip.encode(t.geometry[:0])
				visit(from + i)
			}
		}
	}
}

// beginLevel adds the values that the features of a level share.
func (t *boundaryTile) beginLevel(l *zoomLevel) {
	t.level = t.next
	t.values = appendStringValue(t.values, roles[l.rank].Name)
	t.values = appendUintValue(t.values, uint64(l.rank))
	t.values = appendBoolValue(t.values, false)
	t.values = appendBoolValue(t.values, true)
	t.next += 4
	t.parents = zeroes(t.parents, len(l.units))
}

// unit appends the feature of a face with t.geometry.
func (t *boundaryTile) unit(dst []byte, l *zoomLevel, face int, geometryType byte) []byte {
	u := &l.units[face]
	t.tags = t.tags[:0]
	t.text(keyCode, u.Code)
	if u.Name != "" {
		t.text(keyName, u.Name)
	}
	if u.NameLatin != "" {
		t.text(keyNameLatin, u.NameLatin)
	}
	t.tag(keyLevel, t.level)
	t.tag(keyRank, t.level+1)
	if parent := l.parents[face]; parent >= 0 {
		if t.parents[parent] == 0 {
			t.values = appendStringValue(t.values, u.Parent)
			t.next++
			t.parents[parent] = t.next
		}
		t.tag(keyParent, t.parents[parent]-1)
	}
	if u.Generated {
		t.tag(keyGenerated, t.level+3)
	} else {
		t.tag(keyGenerated, t.level+2)
	}
	return t.feature(dst, uint64(face)+1, geometryType)
}

func (t *boundaryTile) tag(key byte, value uint64) {
	t.tags = protowire.AppendVarint(append(t.tags, key), value)
}

func (t *boundaryTile) text(key byte, text string) {
	t.values = appendStringValue(t.values, text)
	t.tag(key, t.next)
	t.next++
}

// feature appends a feature of t.tags and t.geometry.
func (t *boundaryTile) feature(dst []byte, id uint64, geometryType byte) []byte {
	size := 1 + protowire.SizeVarint(id) + 1 + protowire.SizeBytes(len(t.tags)) + 2 + 1 + protowire.SizeBytes(len(t.geometry))
	dst = protowire.AppendVarint(append(dst, tagLayerFeature), uint64(size))
	dst = protowire.AppendVarint(append(dst, tagFeatureID), id)
	dst = protowire.AppendBytes(append(dst, tagFeatureTags), t.tags)
	dst = append(dst, tagFeatureType, geometryType, tagFeatureGeometry)
	return protowire.AppendBytes(dst, t.geometry)
}

// encode appends the commands of the clipper's loops: each shell with the holes in it.
func (c *clipper) encode(dst []byte) []byte {
	var at pixel
	shells := 0
	for _, l := range c.loops {
		if l.area2 > 0 {
			shells++
		}
	}
	for i, l := range c.loops {
		if l.area2 < 0 {
			continue
		}
		dst = c.encodeRing(dst, l, &at)
		for _, hole := range c.loops {
			if hole.area2 < 0 && (shells == 1 || c.shellOf(hole) == i) {
				dst = c.encodeRing(dst, hole, &at)
			}
		}
	}
	return dst
}

// shellOf returns the smallest shell around the middle of a hole's edge, or -1.
func (c *clipper) shellOf(hole loop) int {
	best := -1
	p, q := c.pixels[hole.lo], c.pixels[hole.lo+1]
	x, y := float64(p.x+q.x)/2, float64(p.y+q.y)/2
	for i, shell := range c.loops {
		if shell.area2 < 0 || best >= 0 && c.loops[best].area2 <= shell.area2 {
			continue
		}
		odd := false
		last := c.pixels[shell.hi-1]
		for _, v := range c.pixels[shell.lo:shell.hi] {
			if (float64(v.y) > y) != (float64(last.y) > y) &&
				x < float64(v.x)+(y-float64(v.y))/float64(last.y-v.y)*float64(last.x-v.x) {
				odd = !odd
			}
			last = v
		}
		if odd {
			best = i
		}
	}
	return best
}

func (c *clipper) encodeRing(dst []byte, l loop, at *pixel) []byte {
	dst = encodeLine(dst, c.pixels[l.lo:l.hi], at)
	return append(dst, 1<<3|closePath)
}

// encodeLine appends MoveTo and LineTo for at least two pixels and moves the cursor.
func encodeLine(dst []byte, pixels []pixel, at *pixel) []byte {
	for i, p := range pixels {
		switch i {
		case 0:
			dst = append(dst, 1<<3|moveTo)
		case 1:
			dst = protowire.AppendVarint(dst, command(lineTo, len(pixels)-1))
		}
		dst = protowire.AppendVarint(dst, zigzag(int(p.x-at.x)))
		dst = protowire.AppendVarint(dst, zigzag(int(p.y-at.y)))
		*at = p
	}
	return dst
}

// borders appends the layer of lines.
func (t *boundaryTile) borders(dst []byte, levels []*zoomLevel) []byte {
	dst, start := beginLayer(dst)
	empty := len(dst)
	t.values, t.next = t.values[:0], 0
	for i := len(levels) - 1; i >= 0; i-- {
		l := levels[i]
		if t.geometry = t.lines(t.geometry[:0], l); len(t.geometry) == 0 {
			continue
		}
		t.values = appendStringValue(t.values, roles[l.rank].Name)
		t.values = appendUintValue(t.values, uint64(l.rank))
		t.tags = t.tags[:0]
		t.tag(0, t.next)
		t.tag(1, t.next+1)
		t.next += 2
		dst = t.feature(dst, uint64(l.rank)+1, typeLine)
	}
	if len(dst) == empty {
		return dst[:start]
	}
	return endLayer(dst, start, "borders", []string{"level", "rank"}, t.values, Extent)
}

// lines appends the commands of a level's borders.
func (t *boundaryTile) lines(dst []byte, l *zoomLevel) []byte {
	c := &t.clip
	var at pixel
	for i := range l.borders {
		if !l.borders[i].box.meets(c.bound) {
			continue
		}
		c.start()
		c.cut(&l.borders[i], false)
		for _, ch := range c.chains {
			c.pixels = c.pixels[:0]
			for _, s := range c.spots[ch.lo:ch.hi] {
				if p := s.pixel(); len(c.pixels) == 0 || c.pixels[len(c.pixels)-1] != p {
					c.pixels = append(c.pixels, p)
				}
			}
			if len(c.pixels) > 1 {
				dst = encodeLine(dst, c.pixels, &at)
			}
		}
	}
	return dst
}

// labels appends the layer of points, the highest level first.
func (t *boundaryTile) labels(dst []byte, levels []*zoomLevel) []byte {
	dst, start := beginLayer(dst)
	empty := len(dst)
	t.values, t.next = t.values[:0], 0
	for _, l := range levels {
		begun := false
		for k, place := range l.places {
			if !place.meets(t.clip.bound) {
				continue
			}
			from := k * blockFaces
			for j, v := range l.boundaryLevel.labels[from:min(from+blockFaces, len(l.units))] {
				s := t.clip.at(v)
				if s.x < 0 || s.x >= Extent || s.y < 0 || s.y >= Extent {
					continue
				}
				if !begun {
					t.beginLevel(l)
					begun = true
				}
				p := s.pixel()
				t.geometry = append(t.geometry[:0], 1<<3|moveTo)
				t.geometry = protowire.AppendVarint(t.geometry, zigzag(int(p.x)))
				t.geometry = protowire.AppendVarint(t.geometry, zigzag(int(p.y)))
				dst = t.unit(dst, l, from+j, typePoint)
			}
		}
	}
	if len(dst) == empty {
		return dst[:start]
	}
	return endLayer(dst, start, "labels", unitKeys(), t.values, Extent)
}
