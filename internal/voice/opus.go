package voice

import (
	"gridgov/internal/fault"
)

// opusRate is that of Opus' own clock, whatever was recorded.
const opusRate = 48_000

// checkOpusHead holds an identification header against RFC 7845, 5.1: one or two channels, which need no mapping.
func checkOpusHead(b []byte) *fault.Error {
	if len(b) != 19 || string(b[:8]) != "OpusHead" {
		return damaged("its header is wrong")
	}
	if b[8]>>4 != 0 || b[9] < 1 || b[9] > 2 || b[18] != 0 {
		return errCodec
	}
	return nil
}

// addOpus takes a packet, which may last 120 ms.
func (s *sound) addOpus(packet []byte) *fault.Error {
	samples := opusSamples(packet)
	if samples == 0 || samples > opusRate*120/1000 {
		return damaged("a packet is wrong")
	}
	return s.add(packet, samples)
}

// opusSamples is how long a packet is, by its first bytes (RFC 6716, 3.1 and 3.2); 0: it is none.
func opusSamples(packet []byte) int {
	if len(packet) == 0 {
		return 0
	}
	frames := 1
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = int(packet[1] & 63)
	}
	return frames * opusFrame(packet[0]>>3)
}

// opusFrame is how many samples a frame of a configuration has (RFC 6716, table 2).
func opusFrame(config byte) int {
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		return [4]int{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		return [2]int{480, 960}[config&1]
	}
	return 120 << (config & 3) // CELT: 2.5, 5, 10, 20 ms
}
