package voice

import "encoding/binary"

// writeMP4 writes AAC with its length and a table of its packets, which lie in one row.
func writeMP4(s *sound) []byte {
	var data []byte
	sizes := numbers(0, 0, len(s.packets))
	for _, p := range s.packets {
		sizes = binary.BigEndian.AppendUint32(sizes, uint32(len(p)))
		data = append(data, p...)
	}
	frames := len(s.packets)
	unity := numbers(0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000)
	config := s.head
	esds := tagged(3, []byte{0, 1, 0}, tagged(4, []byte{0x40, 0x15, 0, 0, 0}, numbers(0, 0), tagged(5, config)), tagged(6, []byte{2}))
	entry := wrapBox("mp4a", numbers(0, 1, 0, 0), []byte{0, config[1] >> 3 & 15, 0, 16, 0, 0, 0, 0}, numbers(min(s.rate, 0xffff)<<16), wrapBox("esds", numbers(0), esds))
	moov := func(at int) []byte {
		table := wrapBox("stbl", wrapBox("stsd", numbers(0, 1), entry), wrapBox("stts", numbers(0, 1, frames, aacFrame)), wrapBox("stsc", numbers(0, 1, 1, frames, 1)),
			wrapBox("stsz", sizes), wrapBox("stco", numbers(0, 1, at)))
		media := wrapBox("mdia", wrapBox("mdhd", numbers(0, 0, 0, s.rate, s.samples, 0x55c40000)), wrapBox("hdlr", numbers(0, 0), []byte("soun"), numbers(0, 0, 0), []byte{0}),
			wrapBox("minf", wrapBox("smhd", numbers(0, 0)), wrapBox("dinf", wrapBox("dref", numbers(0, 1), wrapBox("url ", numbers(1)))), table))
		return wrapBox("moov", wrapBox("mvhd", numbers(0, 0, 0, s.rate, s.samples, 0x00010000, 0x01000000, 0, 0), unity, numbers(0, 0, 0, 0, 0, 0, 2)),
			wrapBox("trak", wrapBox("tkhd", numbers(3, 0, 0, 1, 0, s.samples, 0, 0, 0, 0x01000000), unity, numbers(0, 0)), media))
	}
	kind := wrapBox("ftyp", []byte("M4A "), numbers(0), []byte("M4A isommp42"))
	at := len(kind) + len(moov(0)) + 8
	return append(append(kind, moov(at)...), wrapBox("mdat", data)...)
}

// numbers writes four bytes each.
func numbers(list ...int) (b []byte) {
	for _, n := range list {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func wrapBox(kind string, parts ...[]byte) []byte {
	b := append(make([]byte, 4), kind...)
	for _, p := range parts {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func tagged(tag byte, parts ...[]byte) []byte {
	b := []byte{tag, 0}
	for _, p := range parts {
		b = append(b, p...)
	}
	b[1] = byte(len(b) - 2)
	return b
}
