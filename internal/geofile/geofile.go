// Package geofile reads other people's geographic files: boundaries as features, reports as tables.
//
// GeoJSON, newline-delimited GeoJSON, TopoJSON and CSV are read here, streamed, each also compressed by gzip; everything
// else (Shapefile, GeoPackage, KML, MapInfo TAB, DXF, …, also zipped) is read by GDAL's ogr2ogr in a child process with
// limits. A file is told by its content, not by its name. All input is taken as hostile: sizes, nesting and every
// coordinate are checked in Go before anything else sees them, and a bad record is a *RowError after which reading goes on.
package geofile

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// Options say how to read; the zero value reads with the defaults named at each field.
type Options struct {
	Layer    string // of a file with several; default: the only one, or the only one with polygons
	CRS      string // EPSG:n in which the coordinates are, where the file does not say or says it wrongly; GDAL converts by it, text is given as it stands
	Encoding string // of text files: utf-8, utf-16le, utf-16be, gb18030, of Shapefiles any that GDAL knows; default: found out

	Delimiter rune // of a CSV file; default: comma, semicolon or tab, whichever the first line has most of

	MaxBytes    int64         // of the unpacked file; default 16 GiB for streams, 2 GiB for zip archives and what GDAL reads
	MaxVertices int           // of one feature; default 10,000,000
	MaxRow      int           // bytes of a CSV record or of a feature's properties; default 1 MiB
	Timeout     time.Duration // of GDAL's processes; default 10 minutes
	MaxMemory   int64         // address space of GDAL's processes, bytes; default 4 GiB

	Stdin   io.Reader // what "-" reads; default os.Stdin
	TempDir string    // where private folders are made; default os.TempDir
	GDALDir string    // folder of ogr2ogr and ogrinfo; default: found on PATH
}

const (
	defaultMaxBytes    = 16 << 30
	defaultMaxUnpacked = 2 << 30
	defaultMaxVertices = 10_000_000
	defaultMaxRow      = 1 << 20
	defaultTimeout     = 10 * time.Minute
	defaultMaxMemory   = 4 << 30
)

// Feature is one record of a file, its geometry checked: finite coordinates, closed rings of three different points or
// more, no empty part. Rings may still cross themselves or each other; that is the coverage's matter.
type Feature struct {
	Line       int               // in the text where the feature starts, from 1; 0 for files that are no text
	Record     int               // number in the file or layer, from 1, rejected ones included
	ID         string            // the feature's own id, if any
	Properties map[string]string // numbers as their literal text, null absent, objects and arrays as JSON
	Columns    []string          // names of all properties in their order, those that are null too
	Shape      orb.Geometry      // lon, lat or x, y as in the file; a third and fourth dimension are dropped and noted
}

// Reader gives the features of a file in their order. It is not safe for concurrent use.
type Reader struct {
	format   string
	encoding func() string
	input    *input
	next     func() (Feature, error)
	crs      func() string
	notes    *notes
	done     error
	closes   []func() error
}

// Open starts reading the file at path, "-" being standard input. The error is a fault that says what to do where the
// user can do something: a format that is not known, a missing GDAL, several layers. Close frees everything, also while
// the context lives on; cancelling the context ends a child process.
func Open(ctx context.Context, path string, opts Options) (*Reader, error) {
	return open(ctx, path, opts.withDefaults())
}

// Next gives the next feature. It returns io.EOF at the end, a *RowError for a record that cannot be used (reading goes
// on with the next call), and any other error once and for all.
func (r *Reader) Next() (Feature, error) {
	if r.done != nil {
		return Feature{}, r.done
	}
	f, err := r.next()
	if err == nil {
		return f, nil
	}
	if _, row := err.(*RowError); !row { //nolint:errorlint // a row error is never wrapped
		r.done = err
	}
	return Feature{}, err
}

// Format is the name of the format found: "GeoJSON", "GeoJSONSeq", "TopoJSON", or "OGR" for what GDAL reads.
func (r *Reader) Format() string { return r.format }

// CRS is the system the file declares for the coordinates delivered, for crs.Parse; "" if it declares none, which for
// GeoJSON means lon, lat. What GDAL reads is delivered as EPSG:4326. A GeoJSON file that names another system
// only after its features is refused by Next, as they would have been misread.
func (r *Reader) CRS() string { return r.crs() }

// Encoding is the text's encoding as found so far, as Table.Encoding; "UTF-8" for what GDAL reads.
func (r *Reader) Encoding() string { return r.encoding() }

// Notes say what was left out on the way, each once, for example a third dimension.
func (r *Reader) Notes() []string { return r.notes.list() }

// Progress is how much of the input was read, in bytes as stored on disk; total is 0 when it is not known.
func (r *Reader) Progress() (read, total int64) { return r.input.progress() }

// Close ends reading and removes private folders.
func (r *Reader) Close() error {
	var first error
	for i := len(r.closes) - 1; i >= 0; i-- {
		if err := r.closes[i](); err != nil && first == nil {
			first = err
		}
	}
	r.closes = nil
	if r.done == nil {
		r.done = io.ErrClosedPipe
	}
	return first
}

// RowError is one record that was not taken, and why. Reading goes on after it.
type RowError struct {
	Line   int    // as in Feature and Row; 0 where the file is no text
	Record int    // as in Feature and Row
	Code   string // machine-readable, snake_case
	Field  string // column or member, "" for the whole record
	Reason string // complete: what is wrong

	ID         string            // of a feature, as in Feature
	Properties map[string]string // of a feature, where they could be read
	Fields     []string          // of a table's row as they stand there, be they too few or too many; the line whole where its quotes are wrong
}

func (e *RowError) Error() string {
	where := fmt.Sprintf("record %d", e.Record)
	if e.Line > 0 {
		where = fmt.Sprintf("line %d, %s", e.Line, where)
	}
	if e.Field != "" {
		where += ", " + e.Field
	}
	return where + ": " + e.Reason
}

// Fault is the error for a user. Where the line says nothing, in files without lines or with all on the first one, its
// line is the record's number.
func (e *RowError) Fault() *fault.Error {
	line := e.Line
	if line <= 1 {
		line = e.Record
	}
	return fault.Invalid(e.Field, e.Code, "%s", e.Reason).AtLine(line)
}

// maxNotes is how many remarks are kept: a file can give cause for any number.
const maxNotes = 20

// notes collects remarks, each once, in the order of their first appearance.
type notes struct{ texts []string }

func (n *notes) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if len(n.texts) < maxNotes && !slices.Contains(n.texts, text) {
		n.texts = append(n.texts, text)
	}
}

func (n *notes) list() []string { return slices.Clone(n.texts) }

func (o Options) withDefaults() Options {
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.MaxMemory, defaultMaxMemory)
	if o.MaxVertices <= 0 {
		o.MaxVertices = defaultMaxVertices
	}
	if o.MaxRow <= 0 {
		o.MaxRow = defaultMaxRow
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	return o
}

// maxStream and maxUnpacked are MaxBytes with the default of what is read piece by piece, and of what lands on the disk.
func (o Options) maxStream() int64 { return o.maxBytes(defaultMaxBytes) }

func (o Options) maxUnpacked() int64 { return o.maxBytes(defaultMaxUnpacked) }

func (o Options) maxBytes(d int64) int64 {
	if o.MaxBytes > 0 {
		return o.MaxBytes
	}
	return d
}
