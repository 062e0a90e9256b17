package geofile

import (
	"context"
	"io"
	"strings"

	"gridgov/internal/fault"
)

// Table gives the rows of a CSV file, or of a GeoJSON file of points seen as one (columns lon and lat come from the
// geometry, the others from the properties, and id from the feature's own id where no property has that name).
type Table struct {
	format   string
	encoding func() string
	crs      func() string
	input    *input
	header   []string
	next     func() (Row, error)
	notes    *notes
	done     error
	closes   []func() error
}

// Row is one record. Fields are as many as the header's and keep their spaces.
type Row struct {
	Line   int // physical line on which the record starts, from 1; the header is line 1 as a rule
	Record int // number of the row below the header, from 1, rejected ones included
	Fields []string
}

// OpenTable starts reading the file at path, "-" being standard input. Column names lose their surrounding spaces;
// an empty file, an empty or a repeated column name are refused.
func OpenTable(ctx context.Context, path string, opts Options) (*Table, error) {
	return openTable(ctx, path, opts.withDefaults())
}

// Header is the names of the columns, in order.
func (t *Table) Header() []string { return append([]string(nil), t.header...) }

// Columns finds the places of columns by exact name, else by a name that differs in case only. The fault names all that
// are missing and what the file has; its field is the first missing one.
func (t *Table) Columns(names ...string) ([]int, *fault.Error) {
	places := make([]int, len(names))
	var missing []string
	for i, name := range names {
		places[i] = -1
		for j, h := range t.header {
			if h == name || places[i] < 0 && strings.EqualFold(h, name) {
				places[i] = j
				if h == name {
					break
				}
			}
		}
		if places[i] < 0 {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return nil, fault.Invalid(missing[0], "missing_column", "the file has no column %s; it has %s",
			quoteList(missing), quoteList(t.header))
	}
	return places, nil
}

// Next gives the next row; io.EOF, *RowError and other errors as for Reader.Next. Blank lines are passed over. The
// fields are the caller's to keep.
func (t *Table) Next() (Row, error) {
	if t.done != nil {
		return Row{}, t.done
	}
	row, err := t.next()
	if err == nil {
		return row, nil
	}
	if _, bad := err.(*RowError); !bad { //nolint:errorlint // a row error is never wrapped
		t.done = err
	}
	return Row{}, err
}

// Format is "CSV" or "GeoJSON" and its kin.
func (t *Table) Format() string { return t.format }

// Encoding is the text's encoding as found so far: "UTF-8", "UTF-16LE", "UTF-16BE" or "GB18030".
func (t *Table) Encoding() string { return t.encoding() }

// CRS is the system that a GeoJSON file declares for lon and lat, for crs.Parse, as found so far; "" if it declares none.
func (t *Table) CRS() string { return t.crs() }

// Notes say what was left out on the way, each once.
func (t *Table) Notes() []string { return t.notes.list() }

// Progress is how much of the input was read, in bytes as stored on disk; total is 0 when it is not known.
func (t *Table) Progress() (read, total int64) { return t.input.progress() }

// Close ends reading.
func (t *Table) Close() error {
	var first error
	for i := len(t.closes) - 1; i >= 0; i-- {
		if err := t.closes[i](); err != nil && first == nil {
			first = err
		}
	}
	t.closes = nil
	if t.done == nil {
		t.done = io.ErrClosedPipe
	}
	return first
}

// quoteList writes names for a message, the first thirty of them.
func quoteList(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == 30 {
			b.WriteString("…")
			break
		}
		b.WriteString("“" + clip(n, 40) + "”")
	}
	return b.String()
}

// clip shortens hostile text for a message, at a rune's border.
func clip(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	count := 0
	for i := range s {
		if count == limit {
			return s[:i] + "…"
		}
		count++
	}
	return s
}
