package geofile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"gridgov/internal/fault"
)

// The encodings that are read, by the names they are reported with.
const (
	encUTF8    = "UTF-8"
	encUTF16LE = "UTF-16LE"
	encUTF16BE = "UTF-16BE"
	encGB18030 = "GB18030" // GBK and GB 2312 are parts of it
)

// text turns the bytes of a file into UTF-8. The encoding is decided by a byte order mark, by UTF-16's zero bytes, or at
// the first byte that is no ASCII, wherever in the file that stands: a table whose first megabytes are plain numbers is
// still read rightly.
//
// UTF-8 passes through unchecked: the readers above refuse bad bytes with the record in which they stand.
type text struct {
	raw     *bufio.Reader
	name    string
	decided bool
	lines   int // newlines passed while undecided
	decoded io.Reader
}

// newText looks at the beginning; forced is Options.Encoding.
func newText(raw *bufio.Reader, forced string) (*text, error) {
	t := &text{raw: raw, name: encUTF8}
	if forced != "" {
		name, ok := map[string]string{
			"utf8": encUTF8, "utf16le": encUTF16LE, "utf16be": encUTF16BE, "gb18030": encGB18030, "gbk": encGB18030, "gb2312": encGB18030,
		}[strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(forced))]
		if !ok {
			return nil, fault.Invalid("encoding", "unknown_encoding", "encoding %.40q is not known; use utf-8, utf-16le, utf-16be or gb18030", forced)
		}
		t.decide(name)
	}
	head, err := raw.Peek(1024)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for mark, name := range map[string]string{"\xef\xbb\xbf": encUTF8, "\xff\xfe": encUTF16LE, "\xfe\xff": encUTF16BE} {
		if bytes.HasPrefix(head, []byte(mark)) && (!t.decided || t.name == name) {
			raw.Discard(len(mark)) //nolint:errcheck // it was peeked
			t.decide(name)
			return t, nil
		}
	}
	if !t.decided {
		t.guessUTF16(head)
	}
	return t, nil
}

// guessUTF16 knows UTF-16 without a mark by the zero bytes of its ASCII: they stand on one side only.
func (t *text) guessUTF16(head []byte) {
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	half := len(head) / 2
	switch {
	case half < 2:
	case zeros[1] > half/4 && zeros[0] <= half/50:
		t.decide(encUTF16LE)
	case zeros[0] > half/4 && zeros[1] <= half/50:
		t.decide(encUTF16BE)
	}
}

func (t *text) decide(name string) {
	t.name, t.decided = name, true
	switch name {
	case encUTF8:
		t.decoded = t.raw
	case encUTF16LE:
		t.decode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM))
	case encUTF16BE:
		t.decode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM))
	case encGB18030:
		t.decode(simplifiedchinese.GB18030)
	}
}

func (t *text) decode(e encoding.Encoding) { t.decoded = transform.NewReader(t.raw, e.NewDecoder()) }

// encoding is the name as known so far; a file without any byte above ASCII is UTF-8.
func (t *text) encoding() string { return t.name }

// lossy reports whether U+FFFD in the text means that bytes could not be decoded.
func (t *text) lossy() bool { return t.name != encUTF8 }

func (t *text) Read(p []byte) (int, error) {
	for !t.decided {
		if _, err := t.raw.Peek(1); err != nil {
			return 0, err
		}
		chunk, _ := t.raw.Peek(min(t.raw.Buffered(), len(p)))
		if high := asciiPrefix(chunk); high > 0 {
			n := copy(p, chunk[:high])
			t.lines += bytes.Count(p[:n], []byte{'\n'})
			t.raw.Discard(n) //nolint:errcheck // it was peeked
			return n, nil
		}
		sample, err := t.raw.Peek(headBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		switch {
		case mostlyUTF8(sample):
			t.decide(encUTF8)
		case plausibleGB(sample):
			t.decide(encGB18030)
		default:
			return 0, fault.Invalid("", "unknown_encoding",
				"the text is not UTF-8, nor UTF-16, nor GB18030 (GBK); save the file as UTF-8").AtLine(t.lines + 1)
		}
	}
	return t.decoded.Read(p)
}

// asciiPrefix is how many bytes come before the first one above ASCII.
func asciiPrefix(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return len(b)
}

// mostlyUTF8 reports whether what is above ASCII is UTF-8, up to a few broken places that are the reader's to refuse.
func mostlyUTF8(sample []byte) bool {
	var good, bad int
	for i := 0; i < len(sample); {
		if sample[i] < utf8.RuneSelf {
			i++
			continue
		}
		if !utf8.FullRune(sample[i:]) {
			break // cut by the sample's end
		}
		r, size := utf8.DecodeRune(sample[i:])
		if r == utf8.RuneError && size == 1 {
			bad++
		} else {
			good++
		}
		i += size
	}
	return bad == 0 || good >= 4*bad
}

// plausibleGB reports whether the sample is Chinese in GB18030. Western and Big5 texts are often valid GB18030 too, as
// rare characters; real Chinese is nearly all in the two thousand common ones of GB 2312, whose second byte is above 0xA0.
func plausibleGB(sample []byte) bool {
	var common, rare int
	for i := 0; i < len(sample); {
		lead := sample[i]
		if lead < 0x80 {
			i++
			continue
		}
		if i+1 == len(sample) {
			break // cut by the sample's end
		}
		trail := sample[i+1]
		switch {
		case lead == 0x80 || lead == 0xff:
			return false
		case trail >= '0' && trail <= '9':
			rare++
			i += 4
		case trail < 0x40 || trail == 0x7f || trail == 0xff:
			return false
		case trail >= 0xa1 && lead >= 0xa1 && lead <= 0xf7:
			common++
			i += 2
		default:
			rare++
			i += 2
		}
	}
	return common*100 >= (common+rare)*85 && common > 0
}
