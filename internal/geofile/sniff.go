package geofile

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"

	"gridgov/internal/fault"
)

// kind is what the beginning of a file says it is.
type kind uint8

const (
	kindUnknown kind = iota
	kindEmpty
	kindJSON
	kindZip
	kindOGR // a format that GDAL reads
)

// record separator of RFC 8142, before each value of a GeoJSON text sequence.
const recordSeparator = 0x1e

// sniff tells a file by its first bytes; the name helps only with formats that have no mark of their own.
func sniff(head []byte, path string) kind {
	start := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(start) == 0 {
		return kindEmpty
	}
	if start[0] == '{' || start[0] == '[' || start[0] == recordSeparator {
		return kindJSON
	}
	if len(head) >= 4 { // UTF-16: a mark, or the zero byte beside the first brace
		switch string(head[:4]) {
		case "\xff\xfe{\x00", "\xfe\xff\x00{":
			return kindJSON
		}
		switch string(head[:2]) {
		case "{\x00", "\x00{":
			return kindJSON
		}
	}
	for _, magic := range []string{"PK\x03\x04", "PK\x05\x06"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return kindZip
		}
	}
	for _, magic := range []string{"\x00\x00\x27\x0a", "SQLite format 3\x00", "fgb\x03", "AutoCAD Binary DXF"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return kindOGR
		}
	}
	lower := bytes.ToLower(start[:min(len(start), 4096)])
	for _, mark := range []string{"<kml", "<gpx", "featurecollection", "opengis.net/gml"} {
		if lower[0] == '<' && bytes.Contains(lower, []byte(mark)) {
			return kindOGR
		}
	}
	if bytes.HasPrefix(lower, []byte("!table")) || bytes.HasPrefix(lower, []byte("version ")) || dxf(lower) {
		return kindOGR
	}
	switch strings.ToLower(filepath.Ext(strings.TrimSuffix(path, ".gz"))) {
	case ".shp", ".dbf", ".gpkg", ".kml", ".kmz", ".gml", ".gpx", ".tab", ".mif", ".dxf", ".fgb", ".dgn":
		return kindOGR
	}
	return kindUnknown
}

// dxf knows the text form of DXF: group code 0 or 999 on the first line.
func dxf(lower []byte) bool {
	first, rest, ok := bytes.Cut(lower, []byte("\n"))
	if !ok {
		return false
	}
	switch string(bytes.TrimSpace(first)) {
	case "0":
		return bytes.HasPrefix(bytes.TrimSpace(rest), []byte("section"))
	case "999":
		return true
	}
	return false
}

func open(ctx context.Context, path string, opts Options) (*Reader, error) {
	in, err := openInput(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	r := &Reader{input: in, notes: &notes{}, crs: func() string { return "" }, encoding: func() string { return encUTF8 }, closes: []func() error{in.close}}
	if err := r.start(ctx, opts); err != nil {
		r.Close() // the first error counts
		return nil, err
	}
	return r, nil
}

// start chooses the reader for what the file is.
func (r *Reader) start(ctx context.Context, opts Options) error {
	if r.input.dir {
		return r.startOGR(ctx, opts)
	}
	head, err := r.input.head()
	if err != nil {
		return err
	}
	switch sniff(head, r.input.path) {
	case kindEmpty:
		return fault.Invalid("", "empty", "the file is empty")
	case kindJSON:
		t, err := newText(r.input.raw, opts.Encoding)
		if err != nil {
			return err
		}
		return r.startJSON(t, opts)
	case kindZip:
		return r.startZip(ctx, opts)
	case kindOGR:
		return r.startOGR(ctx, opts)
	}
	return fault.Invalid("", "unknown_format",
		"this is no format that is known here; give GeoJSON, TopoJSON, a Shapefile (with its .shx, .dbf and .prj, or zipped), GeoPackage, KML, GML, MapInfo TAB or MIF, DXF or FlatGeobuf")
}
