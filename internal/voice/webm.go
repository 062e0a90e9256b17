package voice

import (
	"encoding/binary"
	"math"
	"math/bits"

	"gridgov/internal/fault"
)

// Elements of WebM (RFC 9559), by their ids with the marker.
const (
	idEBML        = 0x1A45DFA3
	idDocType     = 0x4282
	idSegment     = 0x18538067
	idInfo        = 0x1549A966
	idTracks      = 0x1654AE6B
	idTrack       = 0xAE
	idNumber      = 0xD7
	idType        = 0x83
	idCodec       = 0x86
	idPrivate     = 0x63A2
	idEncodings   = 0x6D80
	idCluster     = 0x1F43B675
	idSimpleBlock = 0xA3
	idBlockGroup  = 0xA0
	idBlock       = 0xA1
	idCues        = 0x1C53BB6B
)

// element is one of EBML (RFC 8794). One of unknown length has no data: what follows it is in it, until something else says otherwise.
type element struct {
	id      uint32
	data    []byte
	unknown bool
}

// elements walks over those that lie in a row.
type elements struct{ rest []byte }

// next reads an element. ok is false at the end.
func (e *elements) next() (el element, ok bool, err *fault.Error) {
	b := e.rest
	if len(b) == 0 {
		return el, false, nil
	}
	cut := damaged("it is not whole")
	n := bits.LeadingZeros8(b[0]) + 1
	if n > 4 || n > len(b) {
		return el, false, cut
	}
	for _, c := range b[:n] {
		el.id = el.id<<8 | uint32(c)
	}
	b = b[n:]
	if len(b) == 0 {
		return el, false, cut
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > 8 || n > len(b) {
		return el, false, cut
	}
	length := uint64(b[0]) & (1<<(8-n) - 1)
	for _, c := range b[1:n] {
		length = length<<8 | uint64(c)
	}
	b = b[n:]
	if el.unknown = length == 1<<(7*n)-1; el.unknown {
		e.rest = b
		return el, true, nil
	}
	if length > uint64(len(b)) {
		// A segment and its clusters may be said longer than what has come of them; nothing else may.
		if el.id != idSegment && el.id != idCluster {
			return el, false, cut
		}
		length = uint64(len(b))
	}
	el.data, e.rest = b[:length], b[length:]
	return el, true, nil
}

// number reads an unsigned number of at most eight bytes.
func number(b []byte) (n uint64) {
	if len(b) > 8 {
		return math.MaxUint64
	}
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// webm is a file that is being read.
type webm struct {
	sound
	track uint64 // 0: none yet
}

// readWebM reads the one track of Opus. Segment and clusters may have no length, as in what is recorded while it is spoken; so they are
// stepped into, and what lies in them is looked at wherever it stands.
func readWebM(file []byte) (*sound, *fault.Error) {
	in := elements{file}
	first, _, err := in.next()
	if err != nil {
		return nil, err
	}
	if first.unknown || !isWebM(first.data) {
		return nil, errNoVoice
	}
	w := webm{sound: sound{rate: opusRate}}
	if err := w.read(in, 0); err != nil {
		return nil, err
	}
	if w.track == 0 {
		return nil, errNoVoice
	}
	return &w.sound, nil
}

func isWebM(head []byte) bool {
	for in := (elements{head}); ; {
		el, ok, err := in.next()
		if err != nil || !ok {
			return false
		}
		if el.id == idDocType {
			return string(el.data) == "webm"
		}
	}
}

// read reads what lies in the file (depth 0), in its segment (1) or in a cluster (2). Inside of what has no length it goes on to the end.
func (w *webm) read(in elements, depth int) *fault.Error {
	for {
		el, ok, err := in.next()
		if err != nil || !ok {
			return err
		}
		switch el.id {
		case idSegment, idCluster:
			if el.unknown {
				continue // what follows is in it
			}
			if depth == 2 {
				return damaged("its parts lie in each other")
			}
			err = w.read(elements{el.data}, depth+1)
		case idTracks:
			err = w.readTracks(el)
		case idSimpleBlock:
			err = w.readBlock(el.data)
		case idBlockGroup:
			err = w.readGroup(el)
		case idEBML:
			err = damaged("it is two files in one")
		default:
			if el.unknown {
				err = damaged("a part of it has no length")
			}
		}
		if err != nil {
			return err
		}
	}
}

func (w *webm) readTracks(tracks element) *fault.Error {
	if w.track != 0 {
		return errTracks
	}
	for in := (elements{tracks.data}); ; {
		el, ok, err := in.next()
		switch {
		case err != nil:
			return err
		case !ok:
			return nil
		case el.id != idTrack:
			continue
		case w.track != 0:
			return errTracks
		}
		if err := w.readTrack(el.data); err != nil {
			return err
		}
	}
}

func (w *webm) readTrack(b []byte) *fault.Error {
	var kind, track uint64
	var codec string
	for in := (elements{b}); ; {
		el, ok, err := in.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch el.id {
		case idNumber:
			track = number(el.data)
		case idType:
			kind = number(el.data)
		case idCodec:
			codec = string(el.data)
		case idPrivate:
			w.head = el.data
		case idEncodings:
			return errCodec
		}
	}
	switch {
	case kind != 2:
		return refuse("not_a_voice", "the file holds more than sound: send a recording of a voice alone")
	case track < 1 || track > 127:
		return damaged("its track has no number")
	case codec != "A_OPUS":
		return errCodec
	}
	w.track = track
	return checkOpusHead(w.head)
}

// readBlock reads a block: the track's number, a time that is not asked, flags, one packet.
func (w *webm) readBlock(b []byte) *fault.Error {
	switch {
	case w.track == 0:
		return damaged("sound comes before it is said what it is")
	case len(b) < 5 || uint64(b[0]) != 0x80|w.track:
		return damaged("a block is wrong")
	case b[3]&0x06 != 0: // several packets in one
		return errCodec
	}
	return w.addOpus(b[4:])
}

func (w *webm) readGroup(group element) *fault.Error {
	for in := (elements{group.data}); ; {
		el, ok, err := in.next()
		if err != nil || !ok {
			return err
		}
		if el.id == idBlock {
			if err := w.readBlock(el.data); err != nil {
				return err
			}
		}
	}
}

// app is said to have written a file, as a place for that has to be filled.
const app = "gridgov"

// clusterMs is how long a cluster is: a player goes to the nearest one.
const clusterMs = 5000

// writeWebM writes Opus with its length, and with a table of where each cluster lies.
func writeWebM(s *sound) []byte {
	var clusters [][]byte
	var starts []uint64 // of clusters, in ms
	var cluster []byte
	var samples int
	var start uint64
	end := func() {
		if cluster != nil {
			clusters = append(clusters, wrap(idCluster, cluster))
		}
	}
	for _, p := range s.packets {
		at := uint64(samples) * 1000 / opusRate
		if cluster == nil || at-start >= clusterMs {
			end()
			start = at
			starts = append(starts, at)
			cluster = wrap(0xE7, unsigned(at))
		}
		block := binary.BigEndian.AppendUint16([]byte{0x81}, uint16(at-start))
		cluster = append(cluster, wrap(idSimpleBlock, append(append(block, 0x80), p...))...)
		samples += opusSamples(p)
	}
	end()
	delay := uint64(binary.LittleEndian.Uint16(s.head[10:])) * 1_000_000_000 / opusRate // samples that a player leaves out, in ns
	info := wrap(idInfo, wrap(0x2AD7B1, unsigned(1_000_000)), wrap(0x4489, binary.BigEndian.AppendUint64(nil, math.Float64bits(s.duration().Seconds()*1000))),
		wrap(0x4D80, []byte(app)), wrap(0x5741, []byte(app)))
	tracks := wrap(idTracks, wrap(idTrack, wrap(idNumber, []byte{1}), wrap(0x73C5, []byte{1}), wrap(idType, []byte{2}), wrap(0x9C, []byte{0}),
		wrap(idCodec, []byte("A_OPUS")), wrap(idPrivate, s.head), wrap(0x56AA, unsigned(delay)), wrap(0x56BB, unsigned(80_000_000)),
		wrap(0xE1, wrap(0xB5, binary.BigEndian.AppendUint32(nil, math.Float32bits(opusRate))), wrap(0x9F, s.head[9:10]))))
	// The table says where clusters lie behind it, so its own length has to be known: it is the same whatever stands in it.
	cues := cuesOf(starts, clusters, 0)
	cues = cuesOf(starts, clusters, len(info)+len(tracks)+len(cues))
	segment := [][]byte{info, tracks, cues}
	return append(wrap(idEBML, wrap(0x4286, []byte{1}), wrap(0x42F7, []byte{1}), wrap(0x42F2, []byte{4}), wrap(0x42F3, []byte{8}),
		wrap(idDocType, []byte("webm")), wrap(0x4287, []byte{4}), wrap(0x4285, []byte{2})), wrap(idSegment, append(segment, clusters...)...)...)
}

func cuesOf(starts []uint64, clusters [][]byte, first int) []byte {
	var points [][]byte
	for i, at := range starts {
		points = append(points, wrap(0xBB, wrap(0xB3, unsigned(at)),
			wrap(0xB7, wrap(0xF7, []byte{1}), wrap(0xF1, binary.BigEndian.AppendUint32(nil, uint32(first))))))
		first += len(clusters[i])
	}
	return wrap(idCues, points...)
}

// wrap makes an element of what lies in it, its length in four bytes.
func wrap(id uint32, parts ...[]byte) []byte {
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	out := make([]byte, 0, 8+length)
	for shift := 24; shift >= 0; shift -= 8 {
		if c := byte(id >> shift); c != 0 || len(out) > 0 {
			out = append(out, c)
		}
	}
	out = binary.BigEndian.AppendUint32(out, 0x10000000|uint32(length))
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// unsigned is a number in as few bytes as it takes.
func unsigned(n uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, n)
	return b[min(7, bits.LeadingZeros64(n)/8):]
}
