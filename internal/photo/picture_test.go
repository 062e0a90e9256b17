package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"gridgov/internal/fault"
)

var (
	testNow  = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	testZone = time.FixedZone("CST", 8*3600)
)

func newWork(t testing.TB) *Workshop {
	t.Helper()
	return NewWorkshop(DefaultMemory)
}

// colours are those of the four quarters' middles, as letters.
func colours(t testing.TB, picture []byte) string {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	out := ""
	for _, at := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {3, 3}} {
		r, g, bl, _ := m.At(b.Dx()*at[0]/4, b.Dy()*at[1]/4).RGBA()
		switch {
		case r>>8 > 150 && g>>8 > 150 && bl>>8 > 150:
			out += "W"
		case r > g && r > bl:
			out += "R"
		case g > r && g > bl:
			out += "G"
		default:
			out += "B"
		}
	}
	return out
}

// All that phones send becomes two upright JPEGs without a word of metadata.
func TestWhatPhonesSend(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 40, 30))
	deep := image.NewNRGBA64(image.Rect(0, 0, 96, 64))
	cmyk := image.NewCMYK(image.Rect(0, 0, 96, 64))
	for y := range 64 {
		for x := range 96 {
			deep.Set(x, y, four(96, 64).At(x, y))
			cmyk.Set(x, y, four(96, 64).At(x, y))
		}
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	work := newWork(t)
	for _, c := range []struct {
		name, mime string
		file       []byte
		w, h       int
		colours    string
	}{
		{"JPEG", jpegType, asJPEG(four(96, 64)), 96, 64, "RGBW"},
		{"JPEG of a phone", jpegType, asJPEG(four(4000, 3000)), 4000, 3000, "RGBW"},
		{"JPEG with thumbnails behind it", jpegType, append(asJPEG(four(96, 64)), asJPEG(four(16, 16))...), 96, 64, "RGBW"},
		{"JPEG with HTML behind it", jpegType, append(asJPEG(four(96, 64)), "<html><script>alert(1)</script>"...), 96, 64, "RGBW"},
		{"PNG", pngType, asPNG(four(96, 64)), 96, 64, "RGBW"},
		{"PNG of 16 bits", pngType, asPNG(deep), 96, 64, "RGBW"},
		{"grey PNG", pngType, asPNG(gray), 40, 30, ""},
		{"transparent PNG", pngType, asPNG(clear), 8, 8, "WWWW"},
		{"HEIC", heicType, fourHEIC(t), 96, 64, "RGBW"},
		{"WebP", webpType, onePixelWebP, 1, 1, ""},
		{"one pixel", pngType, asPNG(four(1, 1)), 1, 1, ""},
		{"a strip", pngType, asPNG(four(5000, 2)), 5000, 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := work.work(t.Context(), c.file, testZone, testNow)
			if err != nil {
				t.Fatal(err)
			}
			if m.mime != c.mime || m.w != c.w || m.h != c.h {
				t.Errorf("%s, %d × %d", m.mime, m.w, m.h)
			}
			for side, b := range map[int][]byte{LargeSide: m.large, ThumbnailSide: m.thumbnail} {
				published(t, b, c.w, c.h, side)
				if got := colours(t, b); c.colours != "" && got != c.colours {
					t.Errorf("at %d it shows %s", side, got)
				}
			}
		})
	}
}

// published holds a picture against what may be published: a JPEG of the right size with the segments that it takes and no other.
func published(t testing.TB, b []byte, w, h, side int) {
	t.Helper()
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	scale := math.Min(1, float64(side)/float64(max(w, h)))
	if math.Abs(float64(cfg.Width)-math.Max(1, scale*float64(w))) > 1 || math.Abs(float64(cfg.Height)-math.Max(1, scale*float64(h))) > 1 {
		t.Errorf("%d × %d became %d × %d", w, h, cfg.Width, cfg.Height)
	}
	for i := 2; i < len(b); {
		marker := b[i+1]
		if b[i] != 0xff || marker != 0xdb && marker != 0xc0 && marker != 0xc4 && marker != 0xda {
			t.Fatalf("the published picture has a segment %x", b[i:i+2])
		}
		if marker == 0xda {
			return
		}
		i += 2 + int(binary.BigEndian.Uint16(b[i+2:]))
	}
}

// Where, when and by what a photo was taken is read, and is in nothing that is published; it is turned upright.
func TestOrientationAndMetadata(t *testing.T) {
	work := newWork(t)
	// What the eye sees of RG/BW stored as it is, for each orientation.
	for orientation, want := range map[uint16]string{0: "RGBW", 1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB", 9: "RGBW", 0xffff: "RGBW"} {
		m, err := work.work(t.Context(), withTIFF(asJPEG(four(96, 64)), whereAndWhen(orientation)), testZone, testNow)
		if err != nil {
			t.Fatal(err)
		}
		w, h := 96, 64
		if orientation >= 5 && orientation <= 8 {
			w, h = h, w
		}
		if got := colours(t, m.large); got != want || m.w != w || m.h != h {
			t.Errorf("orientation %d: %s, %d × %d, want %s", orientation, got, m.w, m.h, want)
		}
		published(t, m.large, w, h, LargeSide)
		for _, b := range [][]byte{m.large, m.thumbnail} {
			if bytes.Contains(b, []byte("Exif")) || bytes.Contains(b, []byte("Canary")) || bytes.Contains(b, []byte("2026")) {
				t.Error("metadata are published")
			}
		}
		f := m.facts
		if f.Timed != ByOffset || !f.TakenAt.Equal(time.Date(2026, 11, 24, 7, 30, 0, 0, time.UTC)) || f.Place == nil || math.Abs(f.Place[0]-120.65) > 1e-9 || math.Abs(f.Place[1]-30.525) > 1e-9 {
			t.Errorf("orientation %d: %+v %v", orientation, f, f.Place)
		}
	}
}

// HEIC says where and when too. Which way is up its own structure says; Exif's orientation is not asked (ISO/IEC 23008-12, 6.5.10).
func TestHEICMetadata(t *testing.T) {
	b, err := os.ReadFile("testdata/where.heic")
	if err != nil {
		t.Fatal(err)
	}
	m, err := newWork(t).work(t.Context(), b, testZone, testNow)
	if err != nil {
		t.Fatal(err)
	}
	f := m.facts
	if f.Timed != ByOffset || !f.TakenAt.Equal(time.Date(2026, 11, 24, 7, 30, 0, 0, time.UTC)) || f.Place == nil || math.Abs(f.Place[0]-120.65) > 1e-9 || math.Abs(f.Place[1]-30.525) > 1e-9 {
		t.Errorf("%+v %v", f, f.Place)
	}
	if got := colours(t, m.large); got != "RGBW" || m.w != 96 || m.h != 64 {
		t.Errorf("%s, %d × %d", got, m.w, m.h)
	}
}

// What metadata say is believed as far as it can be true.
func TestFacts(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name  string
		e     exif
		at    string
		timed Timed
		place string
	}{
		{"nothing", exif{}, "", "", ""},
		{"the camera's clock", exif{original: "2026:11:24 15:30:00"}, "2026-11-24T07:30:00Z", ByZone, ""},
		{"with its zone", exif{original: "2026:11:24 15:30:00", offset: "-05:00"}, "2026-11-24T20:30:00Z", ByOffset, ""},
		{"a zone that is none", exif{original: "2026:11:24 15:30:00", offset: "elsewhere"}, "2026-11-24T07:30:00Z", ByZone, ""},
		{"the satellites' first", exif{original: "2026:11:24 15:30:00", gpsDate: "2026:11:24", gpsTime: "07:29:58"}, "2026-11-24T07:29:58Z", ByGPS, ""},
		{"half of theirs", exif{original: "2026:11:24 15:30:00", gpsTime: "07:29:58"}, "2026-11-24T07:30:00Z", ByZone, ""},
		{"a clock that was never set", exif{original: "0000:00:00 00:00:00"}, "", "", ""},
		{"nor this one", exif{original: "2000:01:01 00:00:00"}, "", "", ""},
		{"a clock a day ahead", exif{original: "2026:11:25 15:30:00"}, "2026-11-25T07:30:00Z", ByZone, ""},
		{"of the future", exif{original: "2036:11:25 15:30:00"}, "", "", ""},
		{"a month 13", exif{original: "2026:13:01 15:30:00"}, "", "", ""},
		{"a place", exif{lon: 120.5, lat: 30.5, hasLon: true, hasLat: true}, "", "", "120.5 30.5"},
		{"in the south and west", exif{lon: 70.5, lat: 33.5, lonRef: "W", latRef: "S", hasLon: true, hasLat: true}, "", "", "-70.5 -33.5"},
		{"half a place", exif{lon: 120.5, hasLon: true}, "", "", ""},
		{"nowhere", exif{hasLon: true, hasLat: true}, "", "", ""},
		{"out of range", exif{lon: 190, lat: 30, hasLon: true, hasLat: true}, "", "", ""},
		{"beyond the pole", exif{lon: 19, lat: 90.5, hasLon: true, hasLat: true}, "", "", ""},
		{"no number", exif{lon: math.NaN(), lat: 30, hasLon: true, hasLat: true}, "", "", ""},
		{"endless", exif{lon: math.Inf(1), lat: 30, hasLon: true, hasLat: true}, "", "", ""},
	} {
		f := c.e.facts(testZone, testNow)
		place := ""
		if f.Place != nil {
			place = fmt.Sprintf("%v %v", f.Place[0], f.Place[1])
		}
		if c.at == "" && !f.TakenAt.IsZero() || c.at != "" && !f.TakenAt.Equal(at(c.at)) || f.Timed != c.timed || place != c.place {
			t.Errorf("%s: %v %s, at %q", c.name, f.TakenAt, f.Timed, place)
		}
	}
}

// hostile are files that are refused, by code.
func hostile(t testing.TB) map[string]struct {
	code string
	file []byte
} {
	t.Helper()
	good := asJPEG(four(96, 64))
	head, _, _ := bytes.Cut(good, []byte{0xff, 0xda})
	scan := good[len(head):]
	many := append([]byte(nil), head...)
	for range maxScans + 1 {
		many = append(many, scan[:len(scan)-2]...)
	}
	_, table, _ := bytes.Cut(head, []byte{0xff, 0xc4})
	table = append([]byte{0xff, 0xc4}, table[:binary.BigEndian.Uint16(table)]...)
	strewn := append(append(append([]byte(nil), head...), scan[:len(scan)-2]...), table...)
	strewn = append(append(strewn, 0), many[len(head):]...) // a byte that decoders step over
	heic := fourHEIC(t)
	ispe := bytes.Index(heic, []byte("ispe"))
	big := bytes.Clone(heic)
	binary.BigEndian.PutUint32(big[ispe+8:], 30_000)
	hidden := bytes.Clone(heic)
	sps := bytes.Index(hidden, []byte{0x42, 0x01}) // the coded size is no longer what it was, whatever it is now
	for i := sps + 15; i < sps+20; i++ {
		hidden[i] = 0
	}
	type one = struct {
		code string
		file []byte
	}
	vp8x := func(flags byte, w, h int) []byte {
		return append([]byte("RIFF\xff\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), flags, 0, 0, 0, byte(w-1), byte((w-1)>>8), byte((w-1)>>16), byte(h-1), byte((h-1)>>8), byte((h-1)>>16))
	}
	return map[string]one{
		"nothing":                    {"not_a_photo", nil},
		"HTML":                       {"not_a_photo", []byte("<!doctype html><script>alert(1)</script>")},
		"HTML that says JPEG":        {"not_a_photo", []byte("<!-- \xff\xd8\xff JFIF -->")},
		"SVG":                        {"not_a_photo", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)},
		"GIF":                        {"not_a_photo", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;")},
		"PDF":                        {"not_a_photo", []byte("%PDF-1.7")},
		"zip":                        {"not_a_photo", []byte("PK\x03\x04")},
		"a film":                     {"not_a_photo", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")},
		"AVIF":                       {"not_a_photo", []byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif")},
		"JPEG's first bytes":         {"damaged", []byte("\xff\xd8\xff")},
		"JPEG without pixels":        {"damaged", head},
		"JPEG cut off":               {"damaged", good[:len(good)/2]},
		"JPEG of zeros":              {"damaged", append([]byte("\xff\xd8\xff\xe0"), make([]byte, 1000)...)},
		"JPEG of many scans":         {"unsupported", many},
		"… after what is no segment": {"unsupported", strewn},
		"JPEG of two sizes":          {"damaged", append(append([]byte(nil), head...), good[2:]...)},
		"lossless JPEG":              {"unsupported", bytes.Replace(good, []byte{0xff, 0xc0}, []byte{0xff, 0xc3}, 1)},
		"JPEG without height":        {"damaged", jpegOfSize(good, 96, 0)},
		"huge JPEG, tiny body":       {"too_many_pixels", jpegOfSize(good, 60_000, 60_000)},
		"wide JPEG":                  {"too_many_pixels", jpegOfSize(good, 20_001, 1)},
		"PNG's first bytes":          {"damaged", []byte("\x89PNG\r\n\x1a\n")},
		"PNG without pixels":         {"damaged", append(pngHead(10, 10, 8, 2), chunk("IEND", nil)...)},
		"PNG bomb":                   {"too_many_pixels", append(pngHead(1<<31-1, 1<<31-1, 8, 2), chunk("IDAT", nil)...)},
		"PNG beyond all numbers":     {"damaged", append(pngHead(1<<32-1, 1<<32-1, 8, 2), chunk("IDAT", nil)...)},
		"PNG with a wrong sum":       {"damaged", append(pngHead(10, 10, 8, 2), append([]byte("\x00\x00\x00\x01IDATx"), 0, 0, 0, 0)...)},
		"PNG of endless chunk":       {"damaged", append(pngHead(10, 10, 8, 2), []byte("\xff\xff\xff\xfftEXtxxxxxxxx")...)},
		"animated PNG":               {"animated", append(append(pngHead(10, 10, 8, 2), chunk("acTL", make([]byte, 8))...), chunk("IDAT", nil)...)},
		"animated WebP":              {"animated", vp8x(2, 10, 10)},
		"WebP with frames":           {"animated", append(vp8x(0, 10, 10), []byte("ANMF\x10\x00\x00\x00................")...)},
		"WebP bomb":                  {"too_many_pixels", []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\xff\xff\xff\x0f........")},
		"WebP bomb in small canvas":  {"damaged", append(vp8x(0, 10, 10), []byte("VP8L\x0d\x00\x00\x00\x2f\xff\xff\xff\x0f........")...)},
		"WebP cut off":               {"damaged", []byte("RIFF\x1a\x00\x00\x00WEBPVP8L")},
		"HEIC cut off":               {"damaged", heic[:len(heic)/2]},
		"HEIC bomb":                  {"too_many_pixels", big},
		"HEIC of other sets":         {"damaged", hidden},
		"HEIC's first bytes":         {"damaged", heic[:24]},
		"HEIC of zeros":              {"damaged", append(append([]byte(nil), heic[:24]...), make([]byte, 1000)...)},
	}
}

// Whatever is no photo is refused by its code, and before much memory is taken.
func TestHostileFiles(t *testing.T) {
	work := newWork(t)
	for name, c := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m, err := work.work(t.Context(), c.file, testZone, testNow)
			runtime.ReadMemStats(&after)
			var f *fault.Error
			if m != nil || !errors.As(err, &f) || f.Code != c.code {
				t.Errorf("%v, %v, want %s", m, err, c.code)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 && c.code == "too_many_pixels" {
				t.Errorf("it took %d MB", took>>20)
			}
		})
	}
}

// Metadata that are made to hurt leave the picture as it is.
func TestHostileMetadata(t *testing.T) {
	work := newWork(t)
	loop := whereAndWhen(6)
	binary.LittleEndian.PutUint32(loop[8+2+12*4:], 8) // the next directory is the first
	self := tiff(nil, nil, nil)
	binary.LittleEndian.PutUint32(self[8+2+8:], 8) // Exif's directory is the first
	binary.LittleEndian.PutUint32(self[8+2+12+8:], 8)
	endless := whereAndWhen(1)
	binary.LittleEndian.PutUint16(endless[8:], 0xffff)
	far := whereAndWhen(1)
	binary.LittleEndian.PutUint32(far[4:], 0xfffffff0)
	for name, b := range map[string][]byte{"loop": loop, "itself": self, "endless": endless, "far": far, "empty": {}, "junk": []byte("II*\x00junkjunkjunk"), "big": bytes.Repeat([]byte("II*\x00"), 16_000)} {
		m, err := work.work(t.Context(), withTIFF(asJPEG(four(96, 64)), b), testZone, testNow)
		if err != nil || m.w*m.h != 96*64 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A profile of colours that is none, in each format that carries one.
	icc := append([]byte("ICC_PROFILE\x00\x01\x01"), bytes.Repeat([]byte("junk"), 1000)...)
	segment := append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe2}, uint16(len(icc)+2)), icc...)
	picture := asJPEG(four(96, 64))
	if _, err := work.work(t.Context(), append(append([]byte{0xff, 0xd8}, segment...), picture[2:]...), testZone, testNow); err != nil {
		t.Error(err)
	}
	drawn := asPNG(four(96, 64))
	for _, c := range [][]byte{chunk("iCCP", []byte("junk\x00\x00junk")), chunk("eXIf", loop), chunk("zTXt", bytes.Repeat([]byte{0}, 100_000))} {
		if _, err := work.work(t.Context(), append(append(append([]byte(nil), drawn[:33]...), c...), drawn[33:]...), testZone, testNow); err != nil {
			t.Error(err)
		}
	}
}

// A decoder that cannot be begun is no fault of a picture, which is read once it can be.
func TestADecoderThatDoesNotStart(t *testing.T) {
	work := newWork(t)
	begin := work.open
	work.open = func(context.Context) (*heif, error) { return nil, errors.New("no memory to run in") }
	var f *fault.Error
	if _, err := work.work(t.Context(), fourHEIC(t), testZone, testNow); err == nil || errors.As(err, &f) {
		t.Errorf("the picture is at fault: %v", err)
	}
	work.open = begin
	if _, err := work.work(t.Context(), fourHEIC(t), testZone, testNow); err != nil {
		t.Error("and is read no more:", err)
	}
}

// The memory of what is decoded is counted by its colours, wherever the file says them.
func TestMemoryOfColours(t *testing.T) {
	plain := asJPEG(four(96, 64))
	adobe := append([]byte{0xff, 0xee, 0, 14}, "Adobe\x00\x64\x00\x00\x00\x00\x00"...)
	at := bytes.Index(plain, []byte{0xff, 0xda})
	if at < 0 {
		t.Fatal("no scan")
	}
	late := append(append(append([]byte(nil), plain[:at]...), adobe...), plain[at:]...)
	for name, c := range map[string]struct {
		file []byte
		want int64
	}{"YCbCr": {plain, 3}, "Adobe before": {append(append(append([]byte(nil), plain[:2]...), adobe...), plain[2:]...), 7}, "Adobe after the size": {late, 7}} {
		s, err := look(c.file)
		if err != nil || s.memory != c.want*96*64 {
			t.Errorf("%s: %d bytes a pixel, %v", name, s.memory/(96*64), err)
		}
	}
}

// Who waits for no answer any more takes no room, and what does not fit waits for its turn.
func TestWorkshopIsBounded(t *testing.T) {
	work := NewWorkshop(1) // one at a time
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := work.work(ctx, asJPEG(four(4000, 3000)), testZone, testNow); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := work.work(t.Context(), asJPEG(four(400, 300)), testZone, testNow)
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestHEICDecoder(t *testing.T) {
	h, err := openHEIF(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.decode(t.Context(), fourHEIC(t))
	if err != nil || m.Bounds() != image.Rect(0, 0, 96, 64) {
		t.Errorf("%v", err)
	}
	for n := range len(fourHEIC(t)) { // cut off anywhere it is refused or decoded, and the next one is not hurt
		_, _ = h.decode(t.Context(), fourHEIC(t)[:n])
	}
	if _, err := h.decode(t.Context(), fourHEIC(t)); err != nil {
		t.Error(err)
	}
}

// HEIC whose decoders do not end takes nothing from others.
func TestStuckHEICTakesNothingFromOthers(t *testing.T) {
	work := newWork(t)
	if err := work.lane.Acquire(t.Context(), heicAtOnce); err != nil {
		t.Fatal(err)
	}
	if _, err := work.work(t.Context(), asJPEG(four(400, 300)), testZone, testNow); err != nil {
		t.Error(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := work.work(soon, fourHEIC(t), testZone, testNow); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	work.lane.Release(heicAtOnce)
	if _, err := work.work(t.Context(), fourHEIC(t), testZone, testNow); err != nil {
		t.Error(err)
	}
}

func TestMeanIsTheMean(t *testing.T) {
	m := image.NewGray(image.Rect(3, 5, 7, 8)) // 4 × 3, not at the origin
	for i := range m.Pix {
		m.Pix[i] = uint8(10 * i)
	}
	got := mean(m, 2)
	if got.Bounds() != image.Rect(0, 0, 2, 2) {
		t.Fatal(got.Bounds())
	}
	for i, want := range []uint8{25, 45, 85, 105} {
		if c := got.RGBAAt(i%2, i/2); c != (color.RGBA{want, want, want, 255}) {
			t.Errorf("pixel %d is %v, want %d", i, c, want)
		}
	}
}

func FuzzLook(f *testing.F) {
	for _, c := range hostile(f) {
		f.Add(c.file)
	}
	f.Add(asJPEG(four(16, 16)))
	f.Add(asPNG(four(16, 16)))
	f.Add(onePixelWebP)
	f.Add(fourHEIC(f))
	f.Add(withTIFF(asJPEG(four(16, 16)), whereAndWhen(6)))
	work := newWork(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, refused := look(b)
		if refused != nil {
			if !slices.Contains([]string{"not_a_photo", "damaged", "animated", "too_many_pixels", "unsupported"}, refused.Code) || refused.Message == "" {
				t.Fatalf("refused as %q", refused.Code)
			}
			return
		}
		if s.w <= 0 || s.h <= 0 || s.w > MaxSide || s.h > MaxSide || s.w*s.h > MaxPixels || s.memory <= 0 {
			t.Fatalf("%+v", s)
		}
		if s.w*s.h > 1<<20 {
			return // the rest is slow with these, not different
		}
		m, err := work.work(t.Context(), b, testZone, testNow)
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatalf("an error that is no fault: %v", err)
			}
			return
		}
		published(t, m.large, m.w, m.h, LargeSide)
		published(t, m.thumbnail, m.w, m.h, ThumbnailSide)
	})
}
