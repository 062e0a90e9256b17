package cube

const (
	heatBits  = 6 // an axis: a tile has 64 × 64 cells
	heatCells = 1 << (2 * heatBits)

	// MaxZoom is the deepest zoom a tile may be asked of.
	MaxZoom = 22
)

// Cell is one of the 64 × 64 squares of a tile; x grows eastward, y southward.
type Cell struct {
	X, Y  uint8
	Count uint32
}

// Heat appends the cells of a tile that have reports, in Morton order, and returns dst. Every report with a position
// lies in exactly one cell of exactly one tile of a zoom. z is at most MaxZoom, x and y below 2^z; else there are no cells.
func (v View) Heat(z, x, y uint32, f Filter, dst []Cell) []Cell {
	if z > MaxZoom || x>>z != 0 || y>>z != 0 {
		return dst
	}
	s := v.scratch.Get().(*scratch)
	defer v.scratch.Put(s)
	clear(s.heat[:])
	m := v.compile(f)
	shift := 64 - 2*(z+heatBits)
	s.spans = append(s.spans[:0], tileSpan(z, x, y))
	v.runs(&m, s.spans, func(r *run) {
		switch {
		case m.cut && !r.negative && (r.byItem || r.anyItem):
			heatCut(&m, r.code[r.lo:r.hi], r.at[r.lo:r.hi], r.face[r.lo:r.hi], shift, &s.heat)
		case m.cut && !r.negative && m.mask != 0:
			heatCutMasked(&m, r, shift, &s.heat)
		case !m.plain || r.negative:
			heatAny(&m, r, shift, &s.heat)
		case r.byItem || r.anyItem:
			heatPlain(&m, r.code[r.lo:r.hi], r.at[r.lo:r.hi], shift, &s.heat)
		case m.mask != 0:
			heatMasked(&m, r.code[r.lo:r.hi], r.at[r.lo:r.hi], r.columns.item[r.lo:r.hi], shift, &s.heat)
		default:
			heatAny(&m, r, shift, &s.heat)
		}
	})
	return collect(&s.heat, dst)
}

// collect appends the cells that are not empty. Most are, so eight are passed over at a time.
func collect(counts *[heatCells]uint32, dst []Cell) []Cell {
	for i := 0; i < heatCells; i += 8 {
		c := counts[i : i+8 : i+8]
		if c[0]|c[1]|c[2]|c[3]|c[4]|c[5]|c[6]|c[7] == 0 {
			continue
		}
		for k, n := range c {
			if n != 0 {
				x, y := deinterleave(uint64(i + k))
				dst = append(dst, Cell{uint8(x), uint8(y), n})
			}
		}
	}
	return dst
}

// heatPlain counts rows by the time window alone.
func heatPlain(m *matcher, codes []uint64, ats []uint32, shift uint32, counts *[heatCells]uint32) {
	const block = 16
	from, width := m.from, m.width
	ats = ats[:len(codes)]
	for len(codes) >= block {
		c, t := codes[:block], ats[:block]
		if first := c[0] >> shift; first == c[block-1]>>shift { // sorted: so are all between
			n := uint64(0)
			for _, at := range t {
				n += (uint64(at-from) - width) >> 63
			}
			counts[first&(heatCells-1)] += uint32(n)
		} else {
			for i, code := range c {
				counts[code>>shift&(heatCells-1)] += uint32((uint64(t[i]-from) - width) >> 63)
			}
		}
		codes, ats = codes[block:], ats[block:]
	}
	for i, code := range codes {
		counts[code>>shift&(heatCells-1)] += uint32((uint64(ats[i]-from) - width) >> 63)
	}
}

// heatCut counts rows by the time window and by faces, as everyone's tiles are who sees a part of the city only.
func heatCut(m *matcher, codes []uint64, ats, faces []uint32, shift uint32, counts *[heatCells]uint32) {
	const block = 16
	from, width := m.from, m.width
	words := m.faces.words
	last := uint64(len(words) - 1)
	ats, faces = ats[:len(codes)], faces[:len(codes)]
	for len(codes) >= block {
		c, t, f := codes[:block], ats[:block], faces[:block]
		if first := c[0] >> shift; first == c[block-1]>>shift { // sorted: so are all between
			n := uint64(0)
			for i, at := range t {
				n += (uint64(at-from) - width) >> 63 & (words[min(uint64(f[i]/64), last)] >> (f[i] & 63))
			}
			counts[first&(heatCells-1)] += uint32(n)
		} else {
			for i, code := range c {
				in := words[min(uint64(f[i]/64), last)] >> (f[i] & 63)
				counts[code>>shift&(heatCells-1)] += uint32((uint64(t[i]-from) - width) >> 63 & in)
			}
		}
		codes, ats, faces = codes[block:], ats[block:], faces[block:]
	}
	for i, code := range codes {
		in := words[min(uint64(faces[i]/64), last)] >> (faces[i] & 63)
		counts[code>>shift&(heatCells-1)] += uint32((uint64(ats[i]-from) - width) >> 63 & in)
	}
}

// heatCutMasked is heatCut for items below 64.
func heatCutMasked(m *matcher, r *run, shift uint32, counts *[heatCells]uint32) {
	codes, ats, faces, items := r.code[r.lo:r.hi], r.at[r.lo:r.hi], r.face[r.lo:r.hi], r.columns.item[r.lo:r.hi]
	words, mask := m.faces.words, m.mask
	last := uint64(len(words) - 1)
	for i, code := range codes {
		face, item := faces[i], uint64(items[i])
		in := words[min(uint64(face/64), last)] >> (face & 63) & (mask >> (item & 63)) & ((item - 64) >> 63)
		counts[code>>shift&(heatCells-1)] += m.inWindow(ats[i]) & uint32(in)
	}
}

// heatMasked counts rows by the time window and by items below 64.
func heatMasked(m *matcher, codes []uint64, ats []uint32, items []uint16, shift uint32, counts *[heatCells]uint32) {
	mask := m.mask
	ats, items = ats[:len(codes)], items[:len(codes)]
	for i, code := range codes {
		item := uint64(items[i])
		wanted := uint32(mask>>(item&63)) & uint32((item-64)>>63)
		counts[code>>shift&(heatCells-1)] += m.inWindow(ats[i]) & wanted
	}
}

// heatAny counts rows by the whole filter; rows taken away count backwards.
func heatAny(m *matcher, r *run, shift uint32, counts *[heatCells]uint32) {
	one := uint32(1)
	if r.negative {
		one = ^uint32(0)
	}
	simple := m.faces == nil && m.hours == nil && m.deep == nil && (r.byItem || r.anyItem)
	codes, ats, attrs := r.code[r.lo:r.hi], r.at[r.lo:r.hi], r.attr[r.lo:r.hi]
	for i, code := range codes {
		n := m.inWindow(ats[i]) & uint32(m.attrs>>(attrs[i]&63)) & 1
		if !simple && n != 0 && !r.matches(m, r.lo+i) {
			continue
		}
		counts[code>>shift&(heatCells-1)] += n * one
	}
}
