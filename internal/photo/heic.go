package photo

import (
	"encoding/binary"

	"gridgov/internal/fault"
)

// A HEIC file is boxes in boxes (ISO/IEC 14496-12, 23008-12). Three places say how large the picture is, and a decoder may
// believe any: the property ispe, the payload of a grid, and the parameter sets of the coded pictures. All are read.

const (
	maxBoxes = 4096
	maxItems = 1024 // 48 megapixels are some 200 tiles
)

// box is one box's type and what is in it.
type box struct {
	kind string
	data []byte
}

// boxes cuts data into boxes; false where it cannot be cut.
func boxes(data []byte) (list []box, ok bool) {
	for len(data) > 0 {
		if len(data) < 8 || len(list) == maxBoxes {
			return nil, false
		}
		size, head := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		switch size {
		case 0: // to the end
			size = uint64(len(data))
		case 1:
			if len(data) < 16 {
				return nil, false
			}
			size, head = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < head || size > uint64(len(data)) {
			return nil, false
		}
		list = append(list, box{string(data[4:8]), data[head:size]})
		data = data[size:]
	}
	return list, true
}

func find(list []box, kind string) []byte {
	for _, b := range list {
		if b.kind == kind {
			return b.data
		}
	}
	return nil
}

// full cuts off a full box's version and flags.
func full(data []byte) (version byte, rest []byte, ok bool) {
	if len(data) < 4 {
		return 0, nil, false
	}
	return data[0], data[4:], true
}

// reader reads big-endian numbers; past the end it reads zeros and is bad.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) uint(bytes int) (v uint64) {
	if bytes > len(r.data) {
		r.bad, r.data = true, nil
		return 0
	}
	for _, b := range r.data[:bytes] {
		v = v<<8 | uint64(b)
	}
	r.data = r.data[bytes:]
	return v
}

// item is one thing in the file: a picture, a grid of pictures, Exif.
type item struct {
	kind    string
	extents [][2]uint64 // from, length
	inIDAT  bool
}

// heic is what was read of a file.
type heic struct {
	file  []byte
	idat  []byte
	items map[uint64]*item
	props []box
	left  int // bytes of items that are looked at, so that items that lie over each other cost no more than a file that is honest
}

func parseHEIC(b []byte) (*heic, *fault.Error) {
	wrong := damaged("its structure is wrong")
	top, ok := boxes(b)
	if !ok {
		return nil, damaged("it is not whole")
	}
	_, meta, ok := full(find(top, "meta"))
	if !ok {
		return nil, wrong
	}
	inner, ok := boxes(meta)
	if !ok {
		return nil, wrong
	}
	h := &heic{file: b, idat: find(inner, "idat"), items: map[uint64]*item{}, left: 2 * len(b)}
	if h.props, ok = h.properties(find(inner, "iprp")); !ok || !h.readInfos(find(inner, "iinf")) || !h.readPlaces(find(inner, "iloc")) {
		return nil, wrong
	}
	return h, nil
}

func (h *heic) properties(iprp []byte) ([]box, bool) {
	list, ok := boxes(iprp)
	if !ok {
		return nil, false
	}
	return boxes(find(list, "ipco"))
}

func (h *heic) readInfos(iinf []byte) bool {
	version, data, ok := full(iinf)
	if !ok {
		return false
	}
	r := reader{data: data}
	if version == 0 {
		r.uint(2)
	} else {
		r.uint(4)
	}
	infos, ok := boxes(r.data)
	if r.bad || !ok || len(infos) > maxItems {
		return false
	}
	for _, i := range infos {
		version, data, ok := full(i.data)
		if !ok || i.kind != "infe" || version < 2 {
			return false
		}
		r := reader{data: data}
		id := r.uint(2)
		if version > 2 {
			id = id<<16 | r.uint(2)
		}
		r.uint(2)
		kind := r.uint(4)
		if r.bad {
			return false
		}
		h.items[id] = &item{kind: string(binary.BigEndian.AppendUint32(nil, uint32(kind)))}
	}
	return true
}

func (h *heic) readPlaces(iloc []byte) bool {
	version, data, ok := full(iloc)
	if !ok || version > 2 {
		return false
	}
	r := reader{data: data}
	sizes := r.uint(2)
	offsetSize, lengthSize, baseSize, indexSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		indexSize = 0
	}
	idSize := 2
	if version == 2 {
		idSize = 4
	}
	count := r.uint(idSize)
	if r.bad || count > maxItems || offsetSize > 8 || lengthSize > 8 || baseSize > 8 || indexSize > 8 {
		return false
	}
	for range count {
		it := h.items[r.uint(idSize)]
		method := uint64(0)
		if version > 0 {
			method = r.uint(2) & 15
		}
		r.uint(2) // the file that holds it: this one
		base := r.uint(baseSize)
		extents := r.uint(2)
		if r.bad || extents > maxItems || method > 1 {
			return false
		}
		for range extents {
			r.uint(indexSize)
			from, length := base+r.uint(offsetSize), r.uint(lengthSize)
			if it != nil {
				it.extents, it.inIDAT = append(it.extents, [2]uint64{from, length}), method == 1
			}
		}
		if r.bad {
			return false
		}
	}
	return true
}

// payload is an item's bytes; false where they are not in the file.
func (h *heic) payload(it *item) (data []byte, ok bool) {
	from := h.file
	if it.inIDAT {
		from = h.idat
	}
	for _, e := range it.extents {
		if e[0] > uint64(len(from)) || e[1] > uint64(len(from))-e[0] || e[1] > uint64(h.left) {
			return nil, false
		}
		h.left -= int(e[1])
		if len(it.extents) == 1 {
			return from[e[0] : e[0]+e[1]], true
		}
		data = append(data, from[e[0]:e[0]+e[1]]...)
	}
	return data, true
}

func lookHEIC(b []byte) (shape, *fault.Error) {
	s := shape{mime: heicType}
	size := binary.BigEndian.Uint32(b)
	if size < 16 || uint64(size) > uint64(len(b)) {
		return s, damaged("its header is wrong")
	}
	still := false
	for brands := append(append([]byte(nil), b[8:12]...), b[16:size]...); len(brands) >= 4; brands = brands[4:] {
		switch string(brands[:4]) {
		case "heic", "heix", "heim", "heis":
			still = true
		case "avif", "avis", "isom", "mp41", "mp42", "qt  ", "M4V ":
			if string(b[8:12]) == string(brands[:4]) {
				return s, refuse("not_a_photo", "the file is no JPEG, PNG, WebP or HEIC picture")
			}
		}
	}
	if !still {
		return s, refuse("not_a_photo", "the file is no JPEG, PNG, WebP or HEIC picture")
	}
	h, err := parseHEIC(b)
	if err != nil {
		return s, err
	}
	s.w, s.h, err = h.bounds()
	if err != nil {
		return s, err
	}
	s.memory = 16 * int64(s.w) * int64(s.h) // planes, tiles and the copy out of the sandbox
	return s, nil
}

// bounds is the largest size that any part of the file says; each is held against the limits.
func (h *heic) bounds() (w, hh int, err *fault.Error) {
	said := func(width, height uint64) {
		one := shape{w: int(min(width, 1<<31-1)), h: int(min(height, 1<<31-1))}
		if e := one.check(); e != nil && err == nil {
			err = e
		}
		if int64(one.w)*int64(one.h) > int64(w)*int64(hh) {
			w, hh = one.w, one.h
		}
	}
	lengthSizes := map[int]bool{}
	for _, p := range h.props {
		switch p.kind {
		case "ispe":
			_, data, ok := full(p.data)
			r := reader{data: data}
			width, height := r.uint(4), r.uint(4)
			if !ok || r.bad {
				return 0, 0, damaged("its structure is wrong")
			}
			said(width, height)
		case "hvcC":
			lengthSize, sets, ok := parameterSets(p.data)
			if !ok {
				return 0, 0, damaged("its parameter sets are wrong")
			}
			lengthSizes[lengthSize] = true
			for _, sps := range sets {
				width, height, ok := sizeOfSPS(sps)
				if !ok {
					return 0, 0, damaged("its parameter sets are wrong")
				}
				said(width, height)
			}
		}
	}
	if w == 0 && err == nil {
		return 0, 0, damaged("it has no size")
	}
	for _, it := range h.items {
		switch it.kind {
		case "grid":
			data, ok := h.payload(it)
			r := reader{data: data}
			r.uint(1)
			bytes := 2 << (r.uint(1) & 1)
			r.uint(2) // rows and columns
			width, height := r.uint(bytes), r.uint(bytes)
			if !ok || r.bad {
				return 0, 0, damaged("its structure is wrong")
			}
			said(width, height)
		case "iovl":
			return 0, 0, refuse("unsupported", "the picture is laid over others: save it as one picture")
		case "hvc1", "hev1":
			data, ok := h.payload(it)
			if !ok {
				return 0, 0, damaged("it is not whole")
			}
			for lengthSize := range lengthSizes {
				if !soundUnits(data, lengthSize) {
					return 0, 0, refuse("unsupported", "the picture changes its size on the way: save it as JPEG")
				}
			}
		}
	}
	return w, hh, err
}

// typeSPS is the NAL unit type of a sequence parameter set (H.265, 7.4.2.2).
const typeSPS = 33

// parameterSets gives the sequence parameter sets of a decoder configuration record (ISO/IEC 14496-15, 8.3.3.1).
func parameterSets(hvcC []byte) (lengthSize int, sets [][]byte, ok bool) {
	if len(hvcC) < 23 {
		return 0, nil, false
	}
	lengthSize = int(hvcC[21]&3) + 1
	r := reader{data: hvcC[23:]}
	for range hvcC[22] {
		kind := r.uint(1) & 0x3f
		for range r.uint(2) {
			n := int(r.uint(2))
			if r.bad || n > len(r.data) {
				return 0, nil, false
			}
			if kind == typeSPS {
				sets = append(sets, r.data[:n])
			}
			r.data = r.data[n:]
		}
	}
	return lengthSize, sets, !r.bad && len(sets) > 0
}

// soundUnits tells whether coded data brings no parameter sets of its own that are larger than allowed.
func soundUnits(data []byte, lengthSize int) bool {
	r := reader{data: data}
	for len(r.data) > 0 {
		n := r.uint(lengthSize)
		if r.bad || n > uint64(len(r.data)) {
			return true // cut off: the decoder sees no more than that
		}
		unit := r.data[:n]
		r.data = r.data[n:]
		if len(unit) < 2 || unit[0]>>1&0x3f != typeSPS {
			continue
		}
		w, h, ok := sizeOfSPS(unit)
		one := shape{w: int(min(w, 1<<31-1)), h: int(min(h, 1<<31-1))}
		if !ok || one.check() != nil {
			return false
		}
	}
	return true
}

// sizeOfSPS reads the size of the coded picture from a sequence parameter set (H.265, 7.3.2.2).
func sizeOfSPS(unit []byte) (w, h uint64, ok bool) {
	if len(unit) < 2 {
		return 0, 0, false
	}
	b := bits{data: unescape(unit[2:])}
	b.read(4) // video parameter set
	layers := b.read(3)
	b.read(1)
	b.skip(88 + 8) // general profile, tier, level
	var profile, level [8]bool
	for i := range layers {
		profile[i], level[i] = b.read(1) == 1, b.read(1) == 1
	}
	if layers > 0 {
		b.skip(2 * (8 - int(layers)))
	}
	for i := range layers {
		if profile[i] {
			b.skip(88)
		}
		if level[i] {
			b.skip(8)
		}
	}
	b.golomb() // id
	if b.golomb() == 3 {
		b.read(1)
	}
	w, h = b.golomb(), b.golomb()
	return w, h, !b.bad && w > 0 && h > 0
}

// unescape takes out the bytes that keep start codes from appearing (H.265, 7.3.1.1).
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	zeros := 0
	for _, c := range b {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// bits reads bit by bit; past the end it reads zeros and is bad.
type bits struct {
	data []byte
	at   int
	bad  bool
}

func (b *bits) read(n int) (v uint64) {
	for range n {
		if b.at>>3 >= len(b.data) {
			b.bad = true
			return 0
		}
		v = v<<1 | uint64(b.data[b.at>>3]>>(7-b.at&7)&1)
		b.at++
	}
	return v
}

func (b *bits) skip(n int) { b.at += n }

// golomb reads an unsigned Exp-Golomb code (H.265, 9.2).
func (b *bits) golomb() uint64 {
	zeros := 0
	for b.read(1) == 0 {
		if zeros++; b.bad || zeros > 32 {
			b.bad = true
			return 0
		}
	}
	return 1<<zeros - 1 + b.read(zeros)
}
