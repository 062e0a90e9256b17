package voice

import (
	"encoding/binary"

	"gridgov/internal/fault"
)

// aacFrame is how many samples a packet of AAC has.
const aacFrame = 1024

// box is one of ISO 14496-12.
type box struct {
	kind string
	at   int // in the file, of its first byte
	end  int
	data []byte
}

// boxes walks over those that lie in a row; at is where the first lies in the file.
type boxes struct {
	rest []byte
	at   int
}

func (in *boxes) next() (b box, ok bool, err *fault.Error) {
	if len(in.rest) == 0 {
		return b, false, nil
	}
	cut := damaged("it is not whole")
	if len(in.rest) < 8 {
		return b, false, cut
	}
	length, head := uint64(binary.BigEndian.Uint32(in.rest)), 8
	switch length {
	case 0: // to the end
		length = uint64(len(in.rest))
	case 1:
		if len(in.rest) < 16 {
			return b, false, cut
		}
		length, head = binary.BigEndian.Uint64(in.rest[8:]), 16
	}
	if length < uint64(head) || length > uint64(len(in.rest)) {
		return b, false, cut
	}
	end := in.at + int(length)
	b = box{string(in.rest[4:8]), in.at, end, in.rest[head:length]}
	in.rest, in.at = in.rest[length:], end
	return b, true, nil
}

// each reads the boxes of those kinds in a row of them; what else lies there is left out.
func each(in boxes, kinds map[string]func(box) *fault.Error) *fault.Error {
	for {
		b, ok, err := in.next()
		if err != nil || !ok {
			return err
		}
		if read := kinds[b.kind]; read != nil {
			if err := read(b); err != nil {
				return err
			}
		}
	}
}

// inside reads the boxes of those kinds that lie in a box.
func inside(kinds map[string]func(box) *fault.Error) func(box) *fault.Error {
	return func(b box) *fault.Error { return each(boxes{b.data, 0}, kinds) }
}

// mp4 is a file that is being read.
type mp4 struct {
	sound
	file   []byte
	tracks int
	kind   string // what the track is
	size   uint32 // of each packet, where all are as long; else
	sizes  []byte // four bytes each
	count  uint32 // packets
	chunks []byte // where rows of packets begin, wide bytes each
	wide   int
	perRow []byte // three times four bytes: from which row on, how many packets, which description
	byTrex uint32 // how long packets of fragments are that do not say it
	pieces bool   // it has fragments
	end    uint64 // of the packet that was taken last
	data   []span // where sound may lie, in order
}

// span is a part of the file.
type span struct{ from, to uint64 }

// readMP4 reads the one track of AAC, whether its packets lie in one place or in fragments. Their times are not asked.
func readMP4(file []byte) (*sound, *fault.Error) {
	m := &mp4{file: file}
	err := each(boxes{file, 0}, map[string]func(box) *fault.Error{"mdat": m.noteData})
	if err == nil {
		err = each(boxes{file, 0}, map[string]func(box) *fault.Error{"moov": m.readMovie, "moof": m.readFragment})
	}
	if err != nil {
		return nil, err
	}
	if m.tracks == 0 {
		return nil, errNoVoice
	}
	if m.pieces {
		return &m.sound, nil
	}
	return &m.sound, m.readRows()
}

// noteData remembers where sound may lie. What is elsewhere in the file is never taken for it.
func (m *mp4) noteData(b box) *fault.Error {
	end := uint64(b.end)
	m.data = append(m.data, span{end - uint64(len(b.data)), end})
	return nil
}

func (m *mp4) readMovie(b box) *fault.Error {
	if m.tracks > 0 {
		return errTracks
	}
	track := func(b box) *fault.Error {
		if m.tracks++; m.tracks > 1 {
			return errTracks
		}
		table := inside(map[string]func(box) *fault.Error{"stsd": m.readDescription, "stsz": m.readSizes, "stsc": m.readPerRow, "stco": m.readChunks, "co64": m.readChunks})
		media := inside(map[string]func(box) *fault.Error{"hdlr": m.readHandler, "minf": inside(map[string]func(box) *fault.Error{"stbl": table})})
		return inside(map[string]func(box) *fault.Error{"mdia": media})(b)
	}
	err := inside(map[string]func(box) *fault.Error{"trak": track, "mvex": inside(map[string]func(box) *fault.Error{"trex": m.readTrex})})(b)
	if err != nil {
		return err
	}
	switch {
	case m.tracks == 0 || m.kind == "":
		return errNoVoice
	case m.head == nil:
		return errCodec
	}
	return nil
}

func (m *mp4) readHandler(b box) *fault.Error {
	if len(b.data) < 12 {
		return damaged("its header is wrong")
	}
	if m.kind = string(b.data[8:12]); m.kind != "soun" {
		return refuse("not_a_voice", "the file holds more than sound: send a recording of a voice alone")
	}
	return nil
}

// readDescription reads what the track is made of: one description, of AAC-LC as phones record it.
func (m *mp4) readDescription(b box) *fault.Error {
	wrong := damaged("its description is wrong")
	if len(b.data) < 8 || binary.BigEndian.Uint32(b.data[4:]) != 1 || m.head != nil {
		return wrong
	}
	in := boxes{b.data[8:], 0}
	entry, ok, err := in.next()
	switch {
	case err != nil || !ok:
		return wrong
	case entry.kind != "mp4a":
		return errCodec
	case len(entry.data) < 28 || binary.BigEndian.Uint16(entry.data[8:]) != 0: // of QuickTime, which has more fields
		return errCodec
	}
	return each(boxes{entry.data[28:], 0}, map[string]func(box) *fault.Error{"esds": m.readESDS})
}

// readESDS finds the AudioSpecificConfig in its descriptors (ISO 14496-1, 7.2.6).
func (m *mp4) readESDS(b box) *fault.Error {
	wrong := damaged("its description is wrong")
	if len(b.data) < 4 {
		return wrong
	}
	es, _ := descriptor(b.data[4:], 3)
	if len(es) < 3 {
		return wrong
	}
	if es[2]&0xe0 != 0 { // depends on another, lies elsewhere, or has another clock
		return errCodec
	}
	decoder, _ := descriptor(es[3:], 4)
	if len(decoder) < 13 {
		return wrong
	}
	if decoder[0] != 0x40 { // MPEG-4 audio
		return errCodec
	}
	config, ok := descriptor(decoder[13:], 5)
	if !ok {
		return wrong
	}
	return m.readConfig(config)
}

// descriptor reads one of a tag, its length in up to four bytes of seven bits.
func descriptor(b []byte, tag byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, false
	}
	length := 0
	for i := 1; i < len(b) && i <= 4; i++ {
		length = length<<7 | int(b[i]&0x7f)
		if b[i]&0x80 == 0 {
			rest := b[i+1:]
			if length > len(rest) {
				return nil, false
			}
			return rest[:length], true
		}
	}
	return nil, false
}

// aacRates are the rates of sampling by their index (ISO 14496-3, 1.6.3.4).
var aacRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// readConfig takes AAC-LC of one or two channels in frames of 1,024 samples.
func (m *mp4) readConfig(b []byte) *fault.Error {
	if len(b) < 2 || m.head != nil {
		return damaged("its description is wrong")
	}
	kind, rate, channels, short := b[0]>>3, int(b[0]&7)<<1|int(b[1]>>7), b[1]>>3&15, b[1]&4 != 0
	if kind != 2 || rate >= len(aacRates) || channels < 1 || channels > 2 || short || b[1]&3 != 0 {
		return errCodec
	}
	m.head, m.rate = b[:2], aacRates[rate]
	return nil
}

func (m *mp4) readSizes(b box) *fault.Error {
	if len(b.data) < 12 {
		return damaged("its table is wrong")
	}
	m.size, m.count, m.sizes = binary.BigEndian.Uint32(b.data[4:]), binary.BigEndian.Uint32(b.data[8:]), b.data[12:]
	return nil
}

func (m *mp4) readPerRow(b box) *fault.Error {
	if len(b.data) < 8 {
		return damaged("its table is wrong")
	}
	m.perRow = b.data[8:]
	return nil
}

func (m *mp4) readChunks(b box) *fault.Error {
	if len(b.data) < 8 {
		return damaged("its table is wrong")
	}
	m.chunks, m.wide = b.data[8:], 4
	if b.kind == "co64" {
		m.wide = 8
	}
	return nil
}

func (m *mp4) readTrex(b box) *fault.Error {
	if len(b.data) < 24 {
		return damaged("its table is wrong")
	}
	m.byTrex = binary.BigEndian.Uint32(b.data[16:])
	return nil
}

// take takes a packet from where it lies in the file, and tells where it ends. Packets stand in the order in which they are played, one
// behind the other: so none is taken twice, however many a table says there are.
func (m *mp4) take(at uint64, size uint32) (end uint64, err *fault.Error) {
	end = at + uint64(size)
	for len(m.data) > 0 && m.data[0].to <= at {
		m.data = m.data[1:]
	}
	if size == 0 || at < m.end || len(m.data) == 0 || at < m.data[0].from || end < at || end > m.data[0].to {
		return end, damaged("a packet is wrong")
	}
	m.end = end
	return end, m.add(m.file[at:end], aacFrame)
}

// readRows takes the packets of a file without fragments.
func (m *mp4) readRows() *fault.Error {
	wrong := damaged("its table is wrong")
	n, rule, perRow := uint32(0), 0, uint32(0)
	for row := 1; n < m.count; row++ {
		if len(m.chunks) < m.wide || m.wide == 0 {
			return wrong
		}
		for len(m.perRow) >= 12*(rule+1) && binary.BigEndian.Uint32(m.perRow[12*rule:]) == uint32(row) {
			if binary.BigEndian.Uint32(m.perRow[12*rule+8:]) != 1 {
				return wrong
			}
			perRow = binary.BigEndian.Uint32(m.perRow[12*rule+4:])
			rule++
		}
		at := number(m.chunks[:m.wide])
		m.chunks = m.chunks[m.wide:]
		for range min(perRow, m.count-n) {
			size := m.size
			if size == 0 {
				if len(m.sizes) < 4 {
					return wrong
				}
				size, m.sizes = binary.BigEndian.Uint32(m.sizes), m.sizes[4:]
			}
			var err *fault.Error
			if at, err = m.take(at, size); err != nil {
				return err
			}
			n++
		}
	}
	return nil
}

// readFragment takes the packets of a fragment.
func (m *mp4) readFragment(moof box) *fault.Error {
	if m.tracks == 0 {
		return damaged("sound comes before it is said what it is")
	}
	m.pieces = true
	runs := 0
	traf := func(b box) *fault.Error {
		if runs++; runs > 1 {
			return errTracks
		}
		size, base, next := m.byTrex, uint64(moof.at), uint64(0)
		head := func(b box) *fault.Error {
			f := fields{b.data, false}
			flags := f.four() & 0xffffff
			f.four() // the track, of which there is one
			if flags&0x01 != 0 {
				base = uint64(f.four())<<32 | uint64(f.four())
			}
			if flags&0x02 != 0 {
				f.four()
			}
			if flags&0x08 != 0 {
				f.four()
			}
			if flags&0x10 != 0 {
				size = f.four()
			}
			if f.cut {
				return damaged("its table is wrong")
			}
			return nil
		}
		run := func(b box) *fault.Error {
			f := fields{b.data, false}
			flags, count := f.four()&0xffffff, f.four()
			at := next
			if flags&0x01 != 0 {
				at = base + uint64(int64(int32(f.four())))
			} else if at == 0 {
				return damaged("its table is wrong")
			}
			if flags&0x04 != 0 {
				f.four()
			}
			for range count {
				one := size
				if flags&0x100 != 0 {
					f.four()
				}
				if flags&0x200 != 0 {
					one = f.four()
				}
				if flags&0x400 != 0 {
					f.four()
				}
				if flags&0x800 != 0 {
					f.four()
				}
				if f.cut {
					return damaged("its table is wrong")
				}
				var err *fault.Error
				if at, err = m.take(at, one); err != nil {
					return err
				}
			}
			next = at
			return nil
		}
		return inside(map[string]func(box) *fault.Error{"tfhd": head, "trun": run})(b)
	}
	return inside(map[string]func(box) *fault.Error{"traf": traf})(moof)
}

// fields reads numbers of four bytes, zeros where there are none any more.
type fields struct {
	rest []byte
	cut  bool
}

func (f *fields) four() uint32 {
	if len(f.rest) < 4 {
		f.cut = true
		return 0
	}
	n := binary.BigEndian.Uint32(f.rest)
	f.rest = f.rest[4:]
	return n
}
