package voice

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// The files of testdata are two seconds of Chromium's made-up microphone, a beep a second. chromium.webm, chromium-opus.mp4 and
// video.webm are as its MediaRecorder wrote them; tagged.webm (with a title) and opus.ogg (with an artist) are chromium.webm's packets put
// anew by ffmpeg. aac.m4a (with a title) and aac-frag.mp4 (in fragments, as Safari writes them) are the same sound as AAC;
// vorbis.ogg as Vorbis.

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatPhonesRecord(t *testing.T) {
	for _, c := range []struct {
		name, mime string
		duration   time.Duration
		same       string // what the same packets came in, too
	}{
		{"chromium.webm", WebM, 1920 * time.Millisecond, "chromium.webm"},
		{"tagged.webm", WebM, 1920 * time.Millisecond, "chromium.webm"},
		{"opus.ogg", WebM, 1920 * time.Millisecond, "chromium.webm"},
		{"aac.m4a", MP4, 91 * 1024 * time.Second / 48000, "aac.m4a"},
		{"aac-frag.mp4", MP4, 91 * 1024 * time.Second / 48000, "aac.m4a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := Read(file(t, c.name))
			if err != nil {
				t.Fatal(err)
			}
			if n.Type != c.mime || n.Duration != c.duration {
				t.Errorf("%s of %v, want %s of %v", n.Type, n.Duration, c.mime, c.duration)
			}
			other, err := Read(file(t, c.same))
			if err != nil || !bytes.Equal(n.Bytes, other.Bytes) {
				t.Errorf("it is not what %s becomes: %v", c.same, err)
			}
			again, err := Read(n.Bytes)
			if err != nil || !bytes.Equal(n.Bytes, again.Bytes) {
				t.Errorf("what was written is not read as itself: %v", err)
			}
			for _, word := range []string{"家在长安", "我", "Chrome", "Lavf"} {
				if bytes.Contains(n.Bytes, []byte(word)) {
					t.Errorf("%q is kept", word)
				}
			}
		})
	}
	for name, word := range map[string]string{"tagged.webm": "家在长安", "opus.ogg": "我", "aac.m4a": "家在长安"} { // or nothing was taken out
		if !bytes.Contains(file(t, name), []byte(word)) {
			t.Errorf("%s has no %q", name, word)
		}
	}
}

// spoken is Opus of so many packets of 20 ms, and of as many bytes each.
func spoken(packets, size int) *sound {
	s := &sound{head: []byte("OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"), rate: opusRate}
	for range packets {
		p := make([]byte, size)
		p[0] = 0x48 | 1<<3 // SILK, 20 ms, one frame
		s.packets = append(s.packets, p)
		s.samples += 960
	}
	return s
}

func TestLimits(t *testing.T) {
	n, err := Read(writeWebM(spoken(3000, 80)))
	if err != nil || n.Duration != time.Minute {
		t.Fatalf("a minute: %v, %v", n, err)
	}
	if got := bytes.Count(n.Bytes, []byte{0x1f, 0x43, 0xb6, 0x75}); got != 12 {
		t.Errorf("a minute has %d clusters", got)
	}
	if _, err := Read(writeWebM(spoken(3101, 80))); err == nil || err.Code != "too_long" {
		t.Errorf("62.02 s: %v", err)
	}
	if _, err := Read(writeWebM(spoken(3000, 700))); err == nil || err.Code != "too_large" {
		t.Errorf("2.1 MB: %v", err)
	}
}

// with puts other bytes in the place of what there is once.
func with(t *testing.T, b []byte, old, replacement string) []byte {
	t.Helper()
	if n := bytes.Count(b, []byte(old)); n < 1 {
		t.Fatalf("%q is not there", old)
	}
	return bytes.Replace(b, []byte(old), []byte(replacement), 1)
}

func TestRefused(t *testing.T) {
	webm, m4a, frag, ogg := file(t, "chromium.webm"), file(t, "aac.m4a"), file(t, "aac-frag.mp4"), file(t, "opus.ogg")
	clean := writeWebM(spoken(10, 20))
	track := wrap(idTrack, wrap(idNumber, []byte{2}), wrap(idType, []byte{2}), wrap(idCodec, []byte("A_OPUS")), wrap(idPrivate, spoken(0, 0).head))
	both := slices.Concat(clean, wrap(idTracks, track))
	cut := func(b []byte) []byte { return b[:len(b)-3] }
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"nothing":                  {nil, "not_a_voice"},
		"words":                    {[]byte("看这里"), "not_a_voice"},
		"a picture":                {[]byte("\xff\xd8\xff\xe0"), "not_a_voice"},
		"moving pictures":          {file(t, "video.webm"), "not_a_voice"},
		"only pictures":            {with(t, webm, "\x83\x81\x02", "\x83\x81\x01"), "not_a_voice"},
		"only pictures (MP4)":      {with(t, m4a, "soun", "vide"), "not_a_voice"},
		"another codec":            {with(t, webm, "A_OPUS", "A_FLAC"), "unsupported"},
		"Vorbis":                   {file(t, "vorbis.ogg"), "unsupported"},
		"Opus in MP4":              {file(t, "chromium-opus.mp4"), "unsupported"},
		"another EBML":             {with(t, webm, "webm", "mkvv"), "not_a_voice"},
		"two tracks":               {both, "not_a_voice"},
		"two files":                {slices.Concat(clean, clean), "damaged"},
		"no track":                 {clean[:40], "damaged"},
		"without a packet":         {writeWebM(spoken(0, 0)), "damaged"},
		"five channels":            {with(t, webm, "OpusHead\x01\x01", "OpusHead\x01\x05"), "unsupported"},
		"several packets a block":  {with(t, clean, "\xa3\x10\x00\x00\x18\x81\x00\x00\x80", "\xa3\x10\x00\x00\x18\x81\x00\x00\x86"), "unsupported"},
		"of another track":         {with(t, clean, "\xa3\x10\x00\x00\x18\x81", "\xa3\x10\x00\x00\x18\x82"), "damaged"},
		"a cut block":              {cut(webm), "damaged"},
		"cut MP4":                  {cut(m4a), "damaged"},
		"cut fragments":            {cut(frag), "damaged"},
		"a cut page":               {cut(ogg), "damaged"},
		"a page that was changed":  {with(t, ogg, "OpusHead\x01\x01", "OpusHead\x01\x02"), "damaged"},
		"an MP4 of nothing":        {[]byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"), "not_a_voice"},
		"another object type":      {with(t, m4a, "\x17\x40\x15", "\x17\x6b\x15"), "unsupported"},
		"a description too many":   {with(t, m4a, "stsd\x00\x00\x00\x00\x00\x00\x00\x01", "stsd\x00\x00\x00\x00\x00\x00\x00\x02"), "damaged"},
		"an endless row":           {endless(t, m4a), "damaged"},
		"a packet from elsewhere":  {with(t, frag, "trun\x00\x00\x02\x01\x00\x00\x00\x18\x00\x00\x00\xcc", "trun\x00\x00\x02\x01\x00\x00\x00\x18\xff\xff\xff\xcc"), "damaged"},
		"an element too long":      {with(t, webm, "\xa3\x8c\x81", "\xa3\xfe\x81"), "damaged"},
		"an element of 2⁵⁶ bytes":  {slices.Concat(webm[:0x30], []byte("\xec\x01\xff\xff\xff\xff\xff\xff\xfe")), "damaged"},
		"a box of 2⁶³ bytes":       {slices.Concat(m4a[:28], []byte("\x00\x00\x00\x01moov\x80\x00\x00\x00\x00\x00\x00\x00")), "damaged"},
		"sound before its heading": {slices.Concat(webm[:0x30], wrap(idSimpleBlock, []byte{0x81, 0, 0, 0x80, 0x48})), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(c.file); err == nil || err.Code != c.code {
				t.Errorf("%v; want %s", err, c.code)
			} else if err.Message == "" || strings.Contains(err.Message, "%!") {
				t.Errorf("said %q", err.Message)
			}
		})
	}
}

// endless says that all packets are as long as a byte, and that there are as many as a number holds.
func endless(t *testing.T, m4a []byte) []byte {
	t.Helper()
	b := bytes.Clone(m4a)
	i := bytes.Index(b, []byte("stsz"))
	binary.BigEndian.PutUint32(b[i+8:], 0)
	binary.BigEndian.PutUint32(b[i+12:], 1<<32-1)
	return b
}

// Whatever was lost or changed, a file is refused or is a shorter note; and none takes memory by what it claims.
func TestAnyPartOfAFile(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.*")
	for _, name := range names {
		b := file(t, filepath.Base(name))
		whole, _ := Read(b)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tries := 0
		for i := range b {
			tries++
			n, err := Read(b[:i])
			if err == nil && (whole == nil || n.Duration > whole.Duration) {
				t.Fatalf("%s: %d bytes are a note", name, i)
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / uint64(tries); each > 1<<17 {
			t.Errorf("%s: %d bytes were taken for each part", name, each)
		}
	}
}

func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil || len(names) < 8 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		f.Add(file(f, filepath.Base(name)))
	}
	f.Add(writeWebM(spoken(3, 4)))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := Read(b)
		if err != nil {
			if n != nil || err.Code == "" {
				t.Fatal(n, err)
			}
			return
		}
		if n.Duration <= 0 || n.Duration > MaxTime+slack {
			t.Fatalf("%v", n.Duration)
		}
		if len(n.Bytes) > 16*len(b)+4096 { // a packet of a byte has a heading
			t.Fatalf("%d bytes become %d", len(b), len(n.Bytes))
		}
		again, err := Read(n.Bytes)
		if err != nil || !bytes.Equal(n.Bytes, again.Bytes) {
			t.Fatal(fmt.Errorf("what was written is not read as itself: %w", err))
		}
	})
}
