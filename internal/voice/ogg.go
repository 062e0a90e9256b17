package voice

import (
	"encoding/binary"
	"slices"

	"gridgov/internal/fault"
)

// oggCRC is the checksum of RFC 3533, 6: the polynomial 0x04c11db7, neither reflected nor turned over.
var oggCRC = func() (table [256]uint32) {
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ oggPolynomial
			} else {
				r <<= 1
			}
		}
		table[i] = r
	}
	return table
}()

const oggPolynomial = 0x04c11db7

// readOgg reads one stream of Opus (RFC 3533, RFC 7845): its header, its comments, which are left out, and its packets.
func readOgg(file []byte) (*sound, *fault.Error) {
	s := sound{rate: opusRate}
	var packet []byte // that goes on with the next page
	var open bool
	var serial, page uint32
	var count int
	for b := file; len(b) > 0; page++ {
		if len(b) < 27 || string(b[:4]) != "OggS" || b[4] != 0 || len(b) < 27+int(b[26]) {
			return nil, damaged("a page is wrong")
		}
		flags, table := b[5], b[27:27+int(b[26])]
		length := 27 + len(table)
		for _, n := range table {
			length += int(n)
		}
		if length > len(b) {
			return nil, damaged("it is not whole")
		}
		whole := b[:length]
		switch {
		case oggSum(whole) != binary.LittleEndian.Uint32(b[22:]):
			return nil, damaged("a page is not what its checksum says")
		case page == 0:
			serial = binary.LittleEndian.Uint32(b[14:])
		case flags&2 != 0 || binary.LittleEndian.Uint32(b[14:]) != serial:
			return nil, errTracks
		}
		if (flags&1 != 0) != open || binary.LittleEndian.Uint32(b[18:]) != page {
			return nil, damaged("pages are missing")
		}
		data := whole[27+len(table):]
		for _, n := range table {
			packet = append(packet, data[:n]...)
			data = data[n:]
			if open = n == 255; open {
				continue
			}
			if err := s.addOgg(count, slices.Clip(packet)); err != nil {
				return nil, err
			}
			packet = nil
			count++
		}
		b = b[length:]
	}
	if open {
		return nil, damaged("it is not whole")
	}
	return &s, nil
}

// addOgg takes the packet of a number: the header, the comments, then sound.
func (s *sound) addOgg(n int, packet []byte) *fault.Error {
	switch {
	case n == 0 && len(packet) >= 8 && string(packet[:8]) != "OpusHead":
		return errCodec
	case n == 0:
		s.head = packet
		return checkOpusHead(packet)
	case n == 1 && (len(packet) < 8 || string(packet[:8]) != "OpusTags"):
		return damaged("its comments are missing")
	case n == 1:
		return nil
	}
	return s.addOpus(packet)
}

// oggSum is the checksum of a page, whose own place counts as zero.
func oggSum(page []byte) (sum uint32) {
	for i, c := range page {
		if i >= 22 && i < 26 {
			c = 0
		}
		sum = sum<<8 ^ oggCRC[byte(sum>>24)^c]
	}
	return sum
}
