package geofile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// csvReader splits RFC 4180 text into records. The standard library's reader holds a record of any length, and a quote
// that is never closed makes it one record out of the rest of the file; here a record has a limit, and after a bad one
// reading goes on at the line after the one on which it began.
type csvReader struct {
	r     io.Reader
	delim byte
	max   int // bytes of a record

	store []byte // what buf lies in
	buf   []byte // read and not yet used
	eof   bool
	err   error // of r
	line  int   // of buf[0]
	start int   // line of the last record

	text []byte // the fields of the record so far, without quotes, one after another
	ends []int  // where each ends in text
	bad  string // the line of the last record that could not be read
}

func newCSVReader(r io.Reader, delim byte, limit int) *csvReader {
	return &csvReader{r: r, delim: delim, max: limit, line: 1}
}

// fill reads more; ok is false at the end of the input or when reading failed.
func (c *csvReader) fill() bool {
	if c.eof {
		return false
	}
	if cap(c.buf)-len(c.buf) < headBytes {
		if 2*len(c.buf)+headBytes > len(c.store) {
			c.store = make([]byte, 2*len(c.buf)+4*headBytes)
		}
		c.buf = c.store[:copy(c.store, c.buf)]
	}
	for range 100 { // a reader may give nothing, but not for ever
		n, err := c.r.Read(c.buf[len(c.buf) : len(c.buf)+headBytes])
		c.buf = c.buf[:len(c.buf)+n]
		if err != nil {
			c.eof = true
			if !errors.Is(err, io.EOF) {
				c.err = err
			}
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	c.eof, c.err = true, io.ErrNoProgress
	return false
}

// use drops n bytes of the buffer.
func (c *csvReader) use(n int) {
	c.line += bytes.Count(c.buf[:n], []byte{'\n'})
	c.buf = c.buf[n:]
}

// read gives the next record that is not blank. A problem concerns one record; err ends reading (io.EOF at the end).
func (c *csvReader) read() (fields []string, p *problem, err error) {
	for {
		if len(c.buf) == 0 && !c.fill() {
			if c.err != nil {
				return nil, nil, c.err
			}
			return nil, nil, io.EOF
		}
		c.start = c.line
		fields, size, p := c.record()
		if c.err != nil { // the record may be cut off by it
			return nil, nil, c.err
		}
		if p != nil {
			c.skipLine()
			return nil, p, nil
		}
		c.use(size)
		if len(fields) == 1 && fields[0] == "" {
			continue // a blank line
		}
		return fields, nil, nil
	}
}

// record parses from the start of the buffer and reports how many bytes it took, its line end included.
func (c *csvReader) record() (fields []string, size int, p *problem) {
	c.text, c.ends = c.text[:0], c.ends[:0]
	at := 0
	for {
		var end int
		if b, ok := c.at(at); ok && b == '"' {
			end, p = c.quoted(at + 1)
		} else {
			end, p = c.plain(at)
		}
		if p != nil {
			return nil, 0, p
		}
		c.ends = append(c.ends, len(c.text))
		b, ok := c.at(end)
		switch {
		case !ok:
			return c.fields(), end, nil
		case b == c.delim:
			at = end + 1
		case b == '\n':
			return c.fields(), end + 1, nil
		default: // '\r' before '\n', as plain and quoted make sure
			return c.fields(), end + 2, nil
		}
	}
}

// fields cuts the record's text, which is copied once for all of them.
func (c *csvReader) fields() []string {
	text, from := string(c.text), 0
	fields := make([]string, len(c.ends))
	for i, end := range c.ends {
		fields[i], from = text[from:end], end
	}
	return fields
}

// at is the byte at a place of the buffer, read if need be; ok is false behind the end of the input.
func (c *csvReader) at(i int) (b byte, ok bool) {
	for i >= len(c.buf) {
		if !c.fill() {
			return 0, false
		}
	}
	return c.buf[i], true
}

// plain reads a field without quotes and returns where it ends: at a delimiter or the end of the line.
func (c *csvReader) plain(from int) (int, *problem) {
	for i := from; ; {
		for ; i < len(c.buf); i++ {
			switch b := c.buf[i]; {
			case b == c.delim, b == '\n', b == '\r' && c.lineEnd(i):
				if i > c.max {
					return 0, c.tooLong()
				}
				c.text = append(c.text, c.buf[from:i]...)
				return i, nil
			case b == '"':
				return 0, bad("wrong_quote", "", "a quote stands inside a field that does not begin with one; put the field in quotes and double the quotes in it")
			}
		}
		if i > c.max {
			return 0, c.tooLong()
		}
		if !c.fill() {
			c.text = append(c.text, c.buf[from:i]...)
			return i, nil
		}
	}
}

// lineEnd reports whether the carriage return at i is part of a line end.
func (c *csvReader) lineEnd(i int) bool {
	b, ok := c.at(i + 1)
	return ok && b == '\n'
}

// quoted reads a field after its opening quote and returns the place behind the closing one.
func (c *csvReader) quoted(from int) (int, *problem) {
	for i := from; ; i++ {
		if i > c.max {
			if bytes.IndexByte(c.buf[from:i], '\n') >= 0 {
				return 0, bad("wrong_quote", "", "the quote that opens a field on this line is not closed within %d bytes", c.max)
			}
			return 0, c.tooLong()
		}
		b, ok := c.at(i)
		if !ok {
			return 0, bad("wrong_quote", "", "the quote that opens a field on this line is never closed")
		}
		if b != '"' {
			continue
		}
		c.text = append(c.text, c.buf[from:i]...)
		next, ok := c.at(i + 1)
		switch {
		case !ok, next == c.delim, next == '\n', next == '\r' && c.lineEnd(i+1):
			return i + 1, nil
		case next != '"':
			return 0, bad("wrong_quote", "", "text follows the closing quote of a field that begins on this line or above; double the quotes inside a field")
		}
		c.text = append(c.text, '"')
		i++
		from = i + 1
	}
}

func (c *csvReader) tooLong() *problem {
	return bad("too_large", "", "the record has more than %d bytes", c.max)
}

// skipped is the line of the last record that could not be read as one field, or no field where it is too long to keep.
func (c *csvReader) skipped() []string {
	if c.bad == "" {
		return nil
	}
	return []string{c.bad}
}

// skipLine drops the physical line at the start of the buffer, however long. It keeps one of a record's size at most.
func (c *csvReader) skipLine() {
	c.bad = ""
	for bytes.IndexByte(c.buf, '\n') < 0 && len(c.buf) <= c.max && c.fill() {
		continue
	}
	if line, _, _ := bytes.Cut(c.buf, []byte{'\n'}); len(line) <= c.max {
		c.bad = string(bytes.TrimSuffix(line, []byte{'\r'}))
	}
	for {
		if i := bytes.IndexByte(c.buf, '\n'); i >= 0 {
			c.use(i + 1)
			return
		}
		c.buf = c.store[:0]
		if !c.fill() {
			return
		}
	}
}

// chooseDelimiter counts the candidates outside quotes on the first line that is not blank.
func chooseDelimiter(head []byte) byte {
	var counts [128]int
	quoted, any := false, false
	for _, b := range head {
		switch {
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '\n' && any:
			goto counted
		case b == ',' || b == ';' || b == '\t':
			counts[b]++
		}
		any = any || b > ' '
	}
counted:
	best := byte(',')
	for _, b := range []byte{';', '\t'} {
		if counts[b] > counts[best] {
			best = b
		}
	}
	return best
}

// checkText refuses what no column can hold: zero bytes (PostgreSQL has no place for them) and broken characters.
func checkText(fields, header []string, lossy bool) *problem {
	for i, f := range fields {
		if strings.IndexByte(f, 0) >= 0 {
			return bad("zero_byte", nameOf(header, i), "the field holds a zero byte")
		}
		if !utf8.ValidString(f) || lossy && strings.ContainsRune(f, utf8.RuneError) {
			return bad("wrong_encoding", nameOf(header, i), "the field holds bytes that are not text in the file's encoding")
		}
	}
	return nil
}

func nameOf(header []string, i int) string {
	if i < len(header) {
		return header[i]
	}
	return ""
}
