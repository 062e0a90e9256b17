package geofile

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// headRecords is how many features of a GeoJSON file are looked at for the names of its columns.
const headRecords = 1000

func openTable(ctx context.Context, path string, opts Options) (*Table, error) {
	in, err := openInput(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	t := &Table{input: in, notes: &notes{}, crs: func() string { return "" }, closes: []func() error{in.close}}
	if err := t.start(opts); err != nil {
		t.Close() // the first error counts
		return nil, err
	}
	return t, nil
}

func (t *Table) start(opts Options) error {
	if t.input.dir {
		return fault.Invalid("", "unknown_format", "%s is a folder; a CSV or GeoJSON file is expected", t.input.path)
	}
	head, err := t.input.head()
	if err != nil {
		return err
	}
	what := sniff(head, "") // a table's name says nothing
	switch what {
	case kindEmpty:
		return fault.Invalid("", "empty", "the file is empty")
	case kindZip, kindOGR:
		return fault.Invalid("", "unknown_format", "this is no text; give reports as CSV or GeoJSON, also compressed by gzip")
	}
	txt, err := newText(t.input.raw, opts.Encoding)
	if err != nil {
		return err
	}
	t.encoding = txt.encoding
	if what == kindJSON {
		return t.startPoints(txt, opts)
	}
	return t.startCSV(txt, opts)
}

func (t *Table) startCSV(txt *text, opts Options) error {
	t.format = "CSV"
	br := bufio.NewReaderSize(txt, headBytes)
	delim := byte(opts.Delimiter)
	if opts.Delimiter == 0 {
		head, err := br.Peek(headBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		delim = chooseDelimiter(head)
	} else if opts.Delimiter > '~' || strings.ContainsRune("\"\r\n\x00", opts.Delimiter) {
		return fault.Invalid("delimiter", "wrong_delimiter", "the delimiter must be one ASCII character, such as a comma, a semicolon or a tab")
	}
	c := newCSVReader(br, delim, opts.MaxRow)
	fields, p, err := c.read()
	switch {
	case errors.Is(err, io.EOF):
		return fault.Invalid("", "empty", "the file is empty")
	case err != nil:
		return err
	case p == nil:
		p = checkText(fields, nil, txt.lossy())
	}
	if p != nil {
		return fault.Invalid("", p.code, "the header cannot be read: %s", p.reason).AtLine(c.start)
	}
	if err := t.setHeader(fields, c.start); err != nil {
		return err
	}
	record := 0
	t.next = func() (Row, error) {
		fields, p, err := c.read()
		if err != nil {
			return Row{}, err
		}
		record++
		if p != nil {
			fields = c.skipped()
		} else if len(fields) != len(t.header) {
			p = bad("wrong_field_count", "", "has %d fields where the header has %d", len(fields), len(t.header))
		}
		if p == nil {
			p = checkText(fields, t.header, txt.lossy())
		}
		if p != nil {
			bad := p.at(c.start, record)
			bad.Fields = fields
			return Row{}, bad
		}
		return Row{Line: c.start, Record: record, Fields: fields}, nil
	}
	return nil
}

// setHeader checks the names of the columns.
func (t *Table) setHeader(fields []string, line int) error {
	seen := map[string]bool{}
	for i, f := range fields {
		name := strings.TrimSpace(f)
		switch {
		case name == "" && i == len(fields)-1 && i > 0: // spreadsheets end lines with a delimiter
		case name == "":
			return fault.Invalid("", "empty_column_name", "column %d of the header has no name", i+1).AtLine(line)
		case strings.ContainsAny(name, "\r\n"):
			return fault.Invalid(clip(name, 60), "wrong_column_name", "a column name spans lines; end lines with a line feed").AtLine(line)
		case seen[name]:
			return fault.Invalid(clip(name, 60), "duplicate_column", "the header names this column twice").AtLine(line)
		}
		seen[name] = true
		t.header = append(t.header, name)
	}
	return nil
}

// startPoints makes a table of GeoJSON points. Its columns are those of the first features; a feature without one of
// them has an empty field, a later one that adds a column has it ignored, with a note.
func (t *Table) startPoints(txt *text, opts Options) error {
	src, err := newRecords(txt, opts, t.notes)
	if err != nil {
		return err
	}
	t.format = src.format()
	v := &pointView{src: src, table: t}
	names := []string{"id", "lon", "lat"}
	seen := map[string]bool{"id": true, "lon": true, "lat": true}
	for len(v.waiting) < headRecords {
		o, record, err := src.nextObject()
		v.waiting = append(v.waiting, pending{o, record, err})
		if row := (*RowError)(nil); err != nil && !errors.As(err, &row) {
			break // also the end; Next gives it
		}
		if o == nil {
			continue
		}
		for _, c := range o.columns {
			if !seen[c] {
				seen[c] = true
				names = append(names, c)
			}
		}
	}
	t.format, t.crs = src.format(), src.crs
	t.header = names
	v.known = seen
	t.next = v.next
	return nil
}

// pointView turns features into rows.
type pointView struct {
	src     records
	table   *Table
	waiting []pending
	known   map[string]bool
}

type pending struct {
	o      *object
	record int
	err    error
}

func (v *pointView) next() (Row, error) {
	var p pending
	if len(v.waiting) > 0 {
		p, v.waiting = v.waiting[0], v.waiting[1:]
	} else {
		p.o, p.record, p.err = v.src.nextObject()
	}
	if p.err != nil {
		return Row{}, p.err
	}
	o := p.o
	row := Row{Line: o.line, Record: p.record, Fields: make([]string, len(v.table.header))}
	lon, lat, err := v.point(o, p.record)
	for i, name := range v.table.header {
		value, ok := o.properties[name]
		switch {
		case name == "lon":
			row.Fields[i] = lon
		case name == "lat":
			row.Fields[i] = lat
		case name == "id" && !ok:
			row.Fields[i] = o.id
		default:
			row.Fields[i] = value
		}
	}
	if bad := (*RowError)(nil); errors.As(err, &bad) {
		bad.Fields = row.Fields
	}
	if err != nil {
		return Row{}, err
	}
	for _, c := range o.columns {
		switch {
		case c == "lon" || c == "lat":
			v.table.notes.add("the property %s was ignored: the geometry says where the point is", c)
		case !v.known[c]:
			v.table.notes.add("the property %s was ignored: it does not appear in the first %d features", clip(c, 40), headRecords)
		}
	}
	if unfit := checkText(row.Fields, v.table.header, false); unfit != nil {
		bad := unfit.at(o.line, p.record)
		bad.Fields = row.Fields
		return Row{}, bad
	}
	return row, nil
}

// point is a feature's position as text, empty when it has no geometry: a report may have an address only.
func (v *pointView) point(o *object, record int) (lon, lat string, err error) {
	none := o.kind == "Feature" && (o.geometry == nil || o.geometry.null) || o.nullKind
	if none && o.problem == nil {
		return "", "", nil
	}
	f, err := o.feature(record)
	if err != nil {
		return "", "", err
	}
	p, ok := f.Shape.(orb.Point)
	if !ok {
		return "", "", bad("no_point", "geometry", "the geometry is a %s; a report needs a Point", f.Shape.GeoJSONType()).at(o.line, record)
	}
	return strconv.FormatFloat(p[0], 'f', -1, 64), strconv.FormatFloat(p[1], 'f', -1, 64), nil
}
