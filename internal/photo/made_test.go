package photo

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"testing"
)

// The pictures of the tests are made here, but for HEIC and WebP, which Go does not write: testdata/four.heic is four's PNG by
// heif-enc, where.heic its JPEG with whereAndWhen, and a WebP is a few bytes.

// four is a picture of four colours: red, green / blue, white.
func four(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{200, 30, 30, 255}
			switch {
			case x >= w/2 && y < h/2:
				c = color.NRGBA{30, 200, 30, 255}
			case x < w/2 && y >= h/2:
				c = color.NRGBA{30, 30, 200, 255}
			case x >= w/2:
				c = color.NRGBA{220, 220, 220, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func asJPEG(m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func asPNG(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func fourHEIC(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/four.heic")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fourWebP is a lossless picture of one pixel.
var onePixelWebP = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")

// tag is one entry of a directory: a type of TIFF, how many, and the bytes (little-endian).
type tag struct {
	id, kind uint16
	count    uint32
	data     []byte
}

func short(id uint16, v uint16) tag {
	return tag{id, 3, 1, binary.LittleEndian.AppendUint16(nil, v)}
}

func ascii(id uint16, s string) tag { return tag{id, 2, uint32(len(s) + 1), []byte(s + "\x00")} }

func rationals(id uint16, v ...uint32) tag {
	t := tag{id, 5, uint32(len(v) / 2), nil}
	for _, n := range v {
		t.data = binary.LittleEndian.AppendUint32(t.data, n)
	}
	return t
}

// tiff writes three directories: the picture's, Exif's and the satellites'.
func tiff(ifd0, exifTags, gps []tag) []byte {
	le := binary.LittleEndian
	out := append([]byte("II*\x00"), 8, 0, 0, 0)
	size := func(tags []tag) int {
		n := 2 + 12*len(tags) + 4
		for _, t := range tags {
			if len(t.data) > 4 {
				n += len(t.data)
			}
		}
		return n
	}
	ifd0 = append(append([]tag(nil), ifd0...), tag{0x8769, 4, 1, make([]byte, 4)}, tag{0x8825, 4, 1, make([]byte, 4)})
	exifAt := 8 + size(ifd0)
	gpsAt := exifAt + size(exifTags)
	le.PutUint32(ifd0[len(ifd0)-2].data, uint32(exifAt))
	le.PutUint32(ifd0[len(ifd0)-1].data, uint32(gpsAt))
	for _, tags := range [][]tag{ifd0, exifTags, gps} {
		at := len(out) + 2 + 12*len(tags) + 4
		var more []byte
		out = le.AppendUint16(out, uint16(len(tags)))
		for _, t := range tags {
			out = le.AppendUint16(out, t.id)
			out = le.AppendUint16(out, t.kind)
			out = le.AppendUint32(out, t.count)
			if len(t.data) > 4 {
				out = le.AppendUint32(out, uint32(at+len(more)))
				more = append(more, t.data...)
			} else {
				out = append(out, append(t.data, make([]byte, 4-len(t.data))...)...)
			}
		}
		out = append(append(out, 0, 0, 0, 0), more...)
	}
	return out
}

// withTIFF puts Exif into a JPEG.
func withTIFF(picture, tiff []byte) []byte {
	body := append([]byte("Exif\x00\x00"), tiff...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	return append(append([]byte{0xff, 0xd8}, append(segment, body...)...), picture[2:]...)
}

// whereAndWhen is the Exif of a camera that knows both: 30°31′30″ N 120°39′E at 07:30 in China, and who made it.
func whereAndWhen(orientation uint16) []byte {
	return tiff([]tag{ascii(0x010f, "CanaryCamera"), short(0x0112, orientation)},
		[]tag{ascii(0x9003, "2026:11:24 15:30:00"), ascii(0x9011, "+08:00")},
		[]tag{ascii(0x0001, "N"), rationals(0x0002, 30, 1, 31, 1, 30, 1), ascii(0x0003, "E"), rationals(0x0004, 120, 1, 39, 1, 0, 1)})
}

// chunk is a part of a PNG.
func chunk(kind string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// pngHead is a PNG up to its pixels.
func pngHead(w, h uint32, depth, colour byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, w)
	head = binary.BigEndian.AppendUint32(head, h)
	return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, depth, colour, 0, 0, 0))...)
}

// jpegOfSize changes the size that a JPEG says.
func jpegOfSize(picture []byte, w, h uint16) []byte {
	out := bytes.Clone(picture)
	i := bytes.Index(out, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(out[i+5:], h)
	binary.BigEndian.PutUint16(out[i+7:], w)
	return out
}
