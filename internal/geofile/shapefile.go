package geofile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"gridgov/internal/fault"
)

// readyShapefile looks at what stands beside a .shp: GDAL's own words about what is missing help nobody, and of a table
// that does not name its encoding it hands on the bytes as they are. It returns the encoding to read the table in, "" as
// GDAL finds.
func (r *Reader) readyShapefile(shp string, opts Options) (string, error) {
	if !strings.EqualFold(filepath.Ext(shp), ".shp") {
		return opts.Encoding, nil
	}
	name := filepath.Base(shp)
	if beside(shp, ".shx") == "" {
		return "", noIndex(name)
	}
	table := beside(shp, ".dbf")
	if table == "" {
		r.notes.add("there is no .dbf beside %s, so that its features have no properties: copy it there", name)
		return opts.Encoding, nil
	}
	if opts.Encoding != "" || beside(shp, ".cpg") != "" {
		return opts.Encoding, nil
	}
	f, err := os.Open(table)
	if err != nil {
		return "", openFault(table, err)
	}
	defer f.Close() // read only
	s, err := sampleTable(f)
	if err != nil || len(s.text) == 0 || s.language != 0 && s.language != ansi {
		return "", err // plain ASCII, or the table names its encoding, or GDAL will say what is wrong with it
	}
	switch {
	case mostlyUTF8(s.text):
		r.notes.add("the table of %s names no encoding and was read as UTF-8", name)
		return "UTF-8", nil
	case plausibleGB(s.gb):
		r.notes.add("the table of %s names no encoding and was read as GBK; name another with --encoding", name)
		return "gbk", nil
	case s.language == ansi:
		return "", nil
	}
	return "", fault.Invalid("encoding", "unknown_encoding",
		"the table of %s is neither UTF-8 nor GBK and does not name its encoding: name it, for example --encoding CP950 or ISO-8859-1", name)
}

func noIndex(shp string) error {
	return fault.Invalid("", "incomplete_shapefile",
		"a Shapefile is several files, and the index of %s is missing: copy its .shx, .dbf and .prj beside it, or give a zip of them all", shp)
}

// beside is the file of a Shapefile with another ending, "" if there is none.
func beside(shp, ext string) string {
	entries, err := os.ReadDir(filepath.Dir(shp))
	want := strings.TrimSuffix(filepath.Base(shp), filepath.Ext(shp)) + ext
	for _, e := range entries {
		if strings.EqualFold(e.Name(), want) {
			return filepath.Join(filepath.Dir(shp), e.Name())
		}
	}
	if err != nil { // the folder may be entered and not listed
		return strings.TrimSuffix(shp, filepath.Ext(shp)) + ext
	}
	return ""
}

// ansi is the language byte that says "as on the writer's Windows", which in China is GBK.
const ansi = 0x57

// tableSample is the text above ASCII at the beginning of a dBASE table, its names included. A column's end may cut a
// character in two: text and gb are without such halves, as UTF-8 and as GBK have them.
type tableSample struct {
	language byte // 0 when the table names no encoding
	text, gb []byte
}

// sampleTable reads as far as it needs. A table that is cut off or damaged gives what it has.
func sampleTable(f io.Reader) (s tableSample, err error) {
	r := bufio.NewReaderSize(f, headBytes)
	var head [32]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return s, ended(err)
	}
	s.language = head[29]
	header, record := int(binary.LittleEndian.Uint16(head[8:])), int(binary.LittleEndian.Uint16(head[10:]))
	rest := make([]byte, max(header-len(head), 0))
	if _, err := io.ReadFull(r, rest); err != nil {
		return s, ended(err)
	}
	type column struct{ from, to int }
	var columns []column
	at := 1 // behind the mark of deletion
	for ; len(rest) >= 32 && rest[0] != '\r'; rest = rest[32:] {
		name, _, _ := bytes.Cut(rest[:11], []byte{0})
		s.add(name)
		width := int(rest[16])
		if rest[11] == 'C' && at+width <= record {
			columns = append(columns, column{at, at + width})
		}
		at += width
	}
	row := make([]byte, record)
	for len(columns) > 0 && len(s.text) < headBytes {
		if _, err := io.ReadFull(r, row); err != nil {
			return s, ended(err)
		}
		for _, c := range columns {
			s.add(row[c.from:c.to])
		}
	}
	return s, nil
}

func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func (s *tableSample) add(value []byte) {
	value = bytes.TrimRight(value, " \x00")
	if asciiPrefix(value) == len(value) {
		return
	}
	whole := value
	for i := len(value) - 1; i >= max(0, len(value)-utf8.UTFMax); i-- {
		if utf8.RuneStart(value[i]) {
			if !utf8.FullRune(value[i:]) {
				whole = value[:i]
			}
			break
		}
	}
	s.text = append(append(s.text, whole...), '\n')
	for i := 0; i < len(value); {
		switch {
		case value[i] < 0x80:
			i++
		case i+1 == len(value):
			value = value[:i]
		default:
			i += 2
		}
	}
	s.gb = append(append(s.gb, value...), '\n')
}
