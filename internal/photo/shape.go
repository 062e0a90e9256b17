package photo

import (
	"bytes"
	"encoding/binary"

	"gridgov/internal/fault"
)

// What a picture may be.
const (
	MaxBytes  = 20 << 20   // of a file
	MaxPixels = 60_000_000 // 48 megapixels is what phones make
	MaxSide   = 20_000
	maxScans  = 100 // of a progressive JPEG, which has about ten; each is a walk over the whole picture
)

// The types that are read. What a client or a file's name says is not asked.
const (
	jpegType = "image/jpeg"
	pngType  = "image/png"
	webpType = "image/webp"
	heicType = "image/heic"
)

// shape is what is known of a picture before any of it is decoded.
type shape struct {
	mime   string
	w, h   int
	memory int64 // bytes that decoding takes, at most
}

// refuse says why a file is no photo that is kept. The codes are part of the interface.
func refuse(code, format string, args ...any) *fault.Error {
	return fault.Invalid("", code, format, args...)
}

func damaged(what string) *fault.Error {
	return refuse("damaged", "the picture cannot be read: %s; send it again as it came from the camera", what)
}

var errAnimated = refuse("animated", "the file holds several pictures: send one")

// look finds out what a file is by its bytes, and how large, without decoding.
func look(b []byte) (shape, *fault.Error) {
	var s shape
	var err *fault.Error
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		s, err = lookJPEG(b)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		s, err = lookPNG(b)
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		s, err = lookWebP(b)
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		s, err = lookHEIC(b)
	default:
		return s, refuse("not_a_photo", "the file is no JPEG, PNG, WebP or HEIC picture")
	}
	if err != nil {
		return shape{}, err
	}
	return s, s.check()
}

func (s *shape) check() *fault.Error {
	if s.w <= 0 || s.h <= 0 {
		return damaged("it has no size")
	}
	if s.w > MaxSide || s.h > MaxSide || int64(s.w)*int64(s.h) > MaxPixels {
		return refuse("too_many_pixels", "the picture is %d × %d pixels; %d million pixels are taken, and %d along a side: make it smaller", s.w, s.h, MaxPixels/1_000_000, MaxSide)
	}
	return nil
}

// lookJPEG walks over the segments to the end of the picture. What follows it is not looked at: it is never published.
func lookJPEG(b []byte) (shape, *fault.Error) {
	s := shape{mime: jpegType}
	scans, perPixel := 0, int64(0)
	var colours, named, adobe bool
	for i := 2; ; {
		for i+1 < len(b) && (b[i] != 0xff || b[i+1] == 0xff) {
			i++ // filled up, or what does not belong there, over which decoders step
		}
		if i+1 >= len(b) {
			break
		}
		marker := b[i+1]
		i += 2
		if marker == 0xd9 {
			break
		}
		if marker <= 0x01 || marker >= 0xd0 && marker <= 0xd7 {
			continue
		}
		if i+2 > len(b) {
			break
		}
		length := int(binary.BigEndian.Uint16(b[i:]))
		if length < 2 || i+length > len(b) {
			break
		}
		segment := b[i+2 : i+length]
		i += length
		switch {
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			if marker > 0xc2 {
				return s, refuse("unsupported", "this kind of JPEG is not read: save it as an ordinary JPEG")
			}
			if len(segment) < 6 || s.w > 0 {
				return s, damaged("its header is wrong")
			}
			s.h, s.w = int(binary.BigEndian.Uint16(segment[1:])), int(binary.BigEndian.Uint16(segment[3:]))
			components := int64(segment[5])
			if components == 0 || components > 4 {
				return s, damaged("its header is wrong")
			}
			perPixel = components
			if components == 4 {
				perPixel = 8 // what is decoded, and what is made of it
			}
			colours, named = components == 3, len(segment) >= 15 && string([]byte{segment[6], segment[9], segment[12]}) == "RGB"
			if marker == 0xc2 { // progressive: all coefficients are kept until the end
				perPixel += 4 * components
			}
		case marker == 0xee:
			adobe = true
		case marker == 0xda:
			if scans++; scans > maxScans {
				return s, refuse("unsupported", "the JPEG has more than %d scans: save it as an ordinary JPEG", maxScans)
			}
			for i+1 < len(b) && (b[i] != 0xff || b[i+1] == 0 || b[i+1] >= 0xd0 && b[i+1] <= 0xd7) {
				i++
			}
		}
	}
	if s.w == 0 || scans == 0 {
		return s, damaged("it is not whole")
	}
	if colours && (adobe || named) { // it is RGB, of which another picture is made
		perPixel += 4
	}
	s.memory = perPixel * int64(s.w) * int64(s.h)
	return s, nil
}

// lookPNG walks over the chunks before the first with pixels.
func lookPNG(b []byte) (shape, *fault.Error) {
	s := shape{mime: pngType}
	for i := 8; i+12 <= len(b); {
		length, kind := int64(binary.BigEndian.Uint32(b[i:])), string(b[i+4:i+8])
		if (kind == "IHDR") != (i == 8) {
			break
		}
		switch kind {
		case "IHDR":
			if length != 13 || i+8+13 > len(b) {
				return s, damaged("its header is wrong")
			}
			w, h := binary.BigEndian.Uint32(b[i+8:]), binary.BigEndian.Uint32(b[i+12:])
			if w > 1<<31-1 || h > 1<<31-1 {
				return s, damaged("its header is wrong")
			}
			s.w, s.h = int(w), int(h)
			perPixel := int64(4)
			if b[i+16] == 16 {
				perPixel = 8
			}
			s.memory = perPixel * int64(min(s.w, MaxSide+1)) * int64(min(s.h, MaxSide+1))
			if b[i+20] != 0 { // interlaced: each pass is a picture of its own
				s.memory *= 2
			}
		case "acTL":
			return s, errAnimated
		case "IDAT":
			return s, nil
		}
		if length > int64(len(b)-i-12) {
			break
		}
		i += 12 + int(length)
	}
	return s, damaged("it is not whole")
}

// lookWebP reads the frame's own size too: the decoder makes room for that, whatever the canvas says.
func lookWebP(b []byte) (shape, *fault.Error) {
	s := shape{mime: webpType}
	var canvasW, canvasH int
	for i := 12; i+8 <= len(b); {
		kind, length := string(b[i:i+4]), int64(binary.LittleEndian.Uint32(b[i+4:]))
		data := b[i+8:]
		if length < int64(len(data)) {
			data = data[:length]
		}
		switch kind {
		case "VP8X":
			if len(data) < 10 {
				return s, damaged("its header is wrong")
			}
			if data[0]&2 != 0 {
				return s, errAnimated
			}
			canvasW, canvasH = 1+uint24(data[4:]), 1+uint24(data[7:])
		case "ANIM", "ANMF":
			return s, errAnimated
		case "VP8 ":
			if len(data) < 10 || data[0]&1 != 0 || data[3] != 0x9d || data[4] != 0x01 || data[5] != 0x2a {
				return s, damaged("its header is wrong")
			}
			s.w, s.h = int(binary.LittleEndian.Uint16(data[6:])&0x3fff), int(binary.LittleEndian.Uint16(data[8:])&0x3fff)
		case "VP8L":
			if len(data) < 5 || data[0] != 0x2f {
				return s, damaged("its header is wrong")
			}
			bits := binary.LittleEndian.Uint32(data[1:])
			s.w, s.h = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
		}
		if s.w > 0 {
			if canvasW > 0 && (canvasW != s.w || canvasH != s.h) {
				return s, damaged("it says two sizes")
			}
			s.memory = 8 * int64(s.w) * int64(s.h)
			return s, nil
		}
		step := 8 + length + length&1
		if step > int64(len(b)-i) {
			break
		}
		i += int(step)
	}
	return s, damaged("it is not whole")
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
