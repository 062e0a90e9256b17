// Package sheet reads a table that somebody made in a spreadsheet: a CSV file in UTF-8, UTF-16 or GB18030, or an XLSX
// workbook, whose first sheet counts. What its columns mean is the caller's matter.
package sheet

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"gridgov/internal/fault"
	"gridgov/internal/geofile"
)

// MaxBytes is how many bytes a file may have.
const MaxBytes = 4 << 20

const (
	// maxUnzipped bounds what a workbook unpacks to; one of 5,000 full rows has 4 MiB.
	maxUnzipped = 32 << 20
	maxParts    = 200
	maxLines    = 20_000 // rows of a sheet, blank ones too
	maxCells    = 100    // of a row
)

// Table is a file's rows as text. Blank ones are left out.
type Table struct {
	Header []string // without spaces around, and without a byte order mark
	Line   int      // of the header
	Rows   []Row
}

// Row is one line; with Bad it could not be read and has no cells.
type Row struct {
	Line  int
	Cells []string // as many as the line has, with their spaces
	Bad   *fault.Error
}

// Options say what is read.
type Options struct {
	MaxRows int // more are refused
	// Dates tells by the header which columns hold days; nil: none do. In a workbook a number there is a day.
	Dates func(header []string) []bool
}

// Read reads a file. What makes it no table is a fault; a row that cannot be read is one with Bad.
func Read(ctx context.Context, file []byte, o Options) (*Table, error) {
	switch {
	case len(file) > MaxBytes:
		return nil, fault.TooLarge("", "the file is larger than %d MiB: part it", MaxBytes>>20)
	case bytes.HasPrefix(file, []byte("PK")):
		return readWorkbook(ctx, file, o)
	case bytes.HasPrefix(file, []byte("\xd0\xcf\x11\xe0")):
		return nil, fault.Unsupported("", "old_workbook", "this is an old or an encrypted workbook: save it as .xlsx without a password, or as CSV")
	}
	return readCSV(ctx, file, o)
}

func tooManyRows(most int) error {
	return fault.TooLarge("", "the file has more than %d rows: part it", most)
}

func header(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
	}
	return out
}

func filled(cells []string) bool {
	return slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}

func readCSV(ctx context.Context, file []byte, o Options) (table *Table, err error) {
	t, err := geofile.OpenTable(ctx, "-", geofile.Options{Stdin: bytes.NewReader(file), MaxBytes: 4 * MaxBytes, MaxRow: 64 << 10})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if t.Format() != "CSV" {
		return nil, fault.Unsupported("", "not_a_table", "this is %s: give a CSV file or an XLSX workbook", t.Format())
	}
	table = &Table{Header: header(t.Header()), Line: 1}
	for {
		row, err := t.Next()
		var bad *geofile.RowError
		switch {
		case errors.Is(err, io.EOF):
			return table, nil
		case errors.As(err, &bad):
			table.Rows = append(table.Rows, Row{Line: bad.Line, Bad: bad.Fault()})
		case err != nil:
			return nil, err
		case filled(row.Fields):
			table.Rows = append(table.Rows, Row{Line: row.Line, Cells: row.Fields})
		}
		if len(table.Rows) > o.MaxRows {
			return nil, tooManyRows(o.MaxRows)
		}
	}
}

// readWorkbook reads the first sheet. Cells are read as they are stored: how a date is shown is the spreadsheet's matter.
func readWorkbook(ctx context.Context, file []byte, o Options) (table *Table, err error) {
	if err := checkZip(file); err != nil {
		return nil, err
	}
	damaged := fault.Invalid("", "damaged", "the workbook cannot be read: save it again as .xlsx, or as CSV")
	book, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, damaged // the library's words tell a user nothing
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return nil, damaged
	}
	from1904 := false
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		from1904 = *props.Date1904
	}
	lines, err := book.Rows(sheets[0])
	if err != nil {
		return nil, damaged
	}
	defer func() { err = errors.Join(err, lines.Close()) }()
	var dates []bool
	for line := 1; lines.Next(); line++ {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		cells, cellErr := lines.Columns()
		switch {
		case cellErr != nil:
			return nil, damaged
		case line > maxLines:
			return nil, tooManyRows(o.MaxRows)
		case !filled(cells):
			continue
		case len(cells) > maxCells:
			return nil, fault.TooLarge("", "row %d has more than %d cells", line, maxCells)
		case table == nil:
			table = &Table{Header: header(cells), Line: line}
			if o.Dates != nil {
				dates = o.Dates(table.Header)
			}
			continue
		}
		for i := range cells {
			cells[i] = cellText(cells[i], i < len(dates) && dates[i], from1904)
		}
		if table.Rows = append(table.Rows, Row{Line: line, Cells: cells}); len(table.Rows) > o.MaxRows {
			return nil, tooManyRows(o.MaxRows)
		}
	}
	if lines.Error() != nil {
		return nil, damaged
	}
	if table == nil {
		return nil, fault.Invalid("", "empty", "the first sheet is empty")
	}
	return table, nil
}

// cellText is a stored cell as text: a number in a column of dates is a day, and long numbers lose their exponent.
func cellText(text string, date, from1904 bool) string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || strings.HasPrefix(text, "0") {
		return text
	}
	switch {
	case date && n >= 1 && n < 100_000:
		if t, err := excelize.ExcelDateToTime(n, from1904); err == nil {
			return t.Format(time.DateOnly)
		}
	case !date && strings.ContainsAny(text, "eE") && n == math.Trunc(n) && math.Abs(n) < 1e18:
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return text
}

// checkZip looks at an archive's directory before anything is unpacked.
func checkZip(file []byte) *fault.Error {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return fault.Invalid("", "damaged", "the workbook cannot be read: save it again as .xlsx, or as CSV")
	}
	var total uint64
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return fault.Unsupported("", "old_workbook", "this is an old or an encrypted workbook: save it as .xlsx without a password, or as CSV")
		}
		if total += min(f.UncompressedSize64, maxUnzipped+1); total > maxUnzipped || len(z.File) > maxParts {
			return fault.TooLarge("", "the workbook unpacks to more than %d MiB: save the table alone, or as CSV", maxUnzipped>>20)
		}
	}
	if !slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == "[Content_Types].xml" }) {
		return fault.Unsupported("", "not_a_table", "this archive is no XLSX workbook")
	}
	return nil
}

// BadText tells why a cell's text is not taken: it is no text, or a spreadsheet takes it for a formula. The codes are
// control_character and formula.
func BadText(field, text string) *fault.Error {
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return fault.Invalid(field, "control_character", "holds a control character, or bytes that are no text: remove them")
	case text != "" && strings.ContainsAny(text[:1], "=@+-"):
		return fault.Invalid(field, "formula", "begins like a formula: give the value itself")
	}
	return nil
}

// formulaSigns begin what a spreadsheet takes for a formula.
const formulaSigns = "=+-@\t\r"

// Guard keeps spreadsheets from taking a text for a formula; Unguard takes it back.
func Guard(cell string) string {
	if cell != "" && strings.ContainsAny(cell[:1], formulaSigns) {
		return "'" + cell
	}
	return cell
}

// Unguard gives a cell as it was before Guard.
func Unguard(cell string) string {
	if bare, marked := strings.CutPrefix(cell, "'"); marked && bare != "" && strings.ContainsAny(bare[:1], formulaSigns) {
		return bare
	}
	return cell
}
