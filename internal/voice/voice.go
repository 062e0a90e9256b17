// Package voice reads what somebody has spoken, and writes it down anew.
//
// Phones record Opus in WebM or Ogg (Chromium, Firefox), or AAC in MP4 (Safari). Of such a file the packets of sound are taken and
// nothing else, and are put into a container that is made here: Opus into WebM, AAC into MP4. Nothing is decoded. So no name, place or
// picture that came along is kept, whatever it was called; how long it is, is counted from the packets and not believed; and a browser
// can tell its length and go to any place in it, which it cannot in a file that was recorded as it was spoken.
//
// A file lies in memory. Nothing is allocated by what it claims: packets are parts of it.
package voice

import (
	"bytes"
	"time"

	"gridgov/internal/fault"
)

// Limits of a note.
const (
	MaxBytes = 2 << 20          // of the file; a minute has about 250 kB
	MaxTime  = 60 * time.Second // that may be spoken
	slack    = 2 * time.Second  // a recorder stops a little late
)

// The types that a note is kept as.
const (
	WebM = "audio/webm" // Opus
	MP4  = "audio/mp4"  // AAC
)

// Note is what was spoken, ready to be played.
type Note struct {
	Type     string // WebM or MP4
	Duration time.Duration
	Bytes    []byte
}

// sound is one stream of packets, each a part of the file that it was read from.
type sound struct {
	head    []byte // Opus: its identification header (RFC 7845, 5.1); AAC: its AudioSpecificConfig (ISO 14496-3, 1.6.2.1)
	packets [][]byte
	samples int // of all packets
	rate    int // samples a second
}

func (s *sound) duration() time.Duration {
	return time.Duration(s.samples) * time.Second / time.Duration(s.rate)
}

// refuse says why a file is no note that is kept. The codes are part of the interface.
func refuse(code, format string, args ...any) *fault.Error {
	return fault.Invalid("", code, format, args...)
}

func damaged(what string) *fault.Error {
	return refuse("damaged", "the recording cannot be read: %s; speak it again", what)
}

var (
	errNoVoice = refuse("not_a_voice", "the file is no recording of a voice in WebM, Ogg or MP4")
	errCodec   = refuse("unsupported", "the recording is neither Opus nor AAC, or is made in an unusual way")
	errTracks  = refuse("not_a_voice", "the file holds more than one track of sound: send a recording of a voice alone")
)

// Read reads a file by its content: what a client or a name says of it is not asked. Faults: not_a_voice, damaged, unsupported,
// too_long, too_large.
func Read(file []byte) (*Note, *fault.Error) {
	if len(file) > MaxBytes {
		return nil, refuse("too_large", "the recording has %d bytes; %d are taken: record less finely", len(file), MaxBytes)
	}
	var s *sound
	var err *fault.Error
	n := &Note{Type: WebM}
	write := writeWebM
	switch {
	case bytes.HasPrefix(file, []byte("\x1a\x45\xdf\xa3")):
		s, err = readWebM(file)
	case bytes.HasPrefix(file, []byte("OggS")):
		s, err = readOgg(file)
	case len(file) >= 12 && string(file[4:8]) == "ftyp":
		n.Type, write = MP4, writeMP4
		s, err = readMP4(file)
	default:
		err = errNoVoice
	}
	if err != nil {
		return nil, err
	}
	if len(s.packets) == 0 {
		return nil, damaged("nothing is to be heard in it")
	}
	n.Duration, n.Bytes = s.duration(), write(s)
	return n, nil
}

// add takes a packet of so many samples.
func (s *sound) add(packet []byte, samples int) *fault.Error {
	s.packets = append(s.packets, packet)
	s.samples += samples
	if s.duration() > MaxTime+slack {
		return refuse("too_long", "the recording is longer than %.0f s: say it shorter, or in two reports", MaxTime.Seconds())
	}
	return nil
}
