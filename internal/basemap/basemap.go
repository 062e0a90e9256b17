// Package basemap serves one PMTiles archive as the map's ground: a file of tiles that the operator chose, read by the page
// a range at a time.
package basemap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"

	"gridgov/internal/fault"
)

// Archive is the path of a PMTiles file. It is opened anew for each request, so that a file replaced by a rename is served
// from then on, under another ETag.
type Archive struct{ path string }

// The header's layout and its limits, by the PMTiles specification, version 3.
const (
	headerSize  = 127
	rootWithin  = 16384 // the root directory lies in the first 16 KiB, with the header
	magic       = "PMTiles"
	compression = 2 // the highest that a browser undoes: 0 unknown, 1 none, 2 gzip
	widest      = 26
)

// pieces are the parts of an archive, each an offset and a length in bytes, and whether it must not be empty.
var pieces = []struct {
	name   string
	at     int
	needed bool
}{{"root directory", 8, true}, {"metadata", 24, false}, {"leaf directories", 40, false}, {"tile data", 56, true}}

// Open checks that the file is a PMTiles archive, version 3, that a browser can draw: its header, and that no part of it
// reaches beyond the file. The tiles themselves are not read. Its errors name the file and say what to do.
func Open(path string) (*Archive, error) {
	f, info, err := open(path)
	if err != nil {
		return nil, refuse(path, reason(err))
	}
	defer func() { _ = f.Close() }()
	header := make([]byte, headerSize)
	n, err := io.ReadFull(f, header)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, refuse(path, reason(err))
	}
	if why := check(header[:n], info.Size()); why != "" {
		return nil, refuse(path, why)
	}
	return &Archive{path}, nil
}

// open looks before it opens: opening a named pipe would wait until someone writes to it.
func open(path string) (*os.File, fs.FileInfo, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, nil, err
	} else if !info.Mode().IsRegular() {
		return nil, nil, errors.New("it is not a file")
	}
	f, err := os.Open(path) // the operator names the file
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func refuse(path, why string) error {
	return fault.Invalid("", "bad_basemap", "%s: %s; give a PMTiles archive (version 3), or leave the option out", path, why)
}

// reason is an error of the file system without the path, which is said already.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return err.Error()
}

// check says what is wrong with a header of a file of size bytes; "" when nothing is.
func check(h []byte, size int64) string {
	switch {
	case len(h) < len(magic)+1 || string(h[:len(magic)]) != magic:
		return "it is not a PMTiles archive"
	case h[7] != 3:
		return fmt.Sprintf("it is PMTiles version %d", h[7])
	case len(h) < headerSize:
		return "it ends within its header"
	}
	for _, p := range pieces {
		offset, length := binary.LittleEndian.Uint64(h[p.at:]), binary.LittleEndian.Uint64(h[p.at+8:])
		switch {
		case length == 0 && !p.needed:
		case length == 0:
			return "its " + p.name + " is empty"
		case offset < headerSize || offset > uint64(size) || length > uint64(size)-offset: // a size is ≥ 0
			return "its " + p.name + " reaches beyond the file: it was cut short or is damaged"
		}
	}
	root := binary.LittleEndian.Uint64(h[8:]) + binary.LittleEndian.Uint64(h[16:])
	internal, tiles, kind, low, high := h[97], h[98], h[99], h[100], h[101]
	switch {
	case root > rootWithin:
		return "its root directory does not lie in the first 16 KiB"
	case internal > compression || tiles > compression:
		return "it is compressed by a method that browsers cannot undo; make it with gzip"
	case kind < 1 || kind > 5:
		return fmt.Sprintf("its tiles are of type %d and not MVT, PNG, JPEG, WebP or AVIF", kind)
	case low > high || high > widest:
		return fmt.Sprintf("its zooms %d to %d make no sense", low, high)
	}
	return ""
}

// Serve answers with the archive or with ranges of it. The strong ETag changes with the file, so that a reader never mixes
// parts of two. A file that cannot be opened any more is not found; nothing is written then.
func (a *Archive) Serve(w http.ResponseWriter, r *http.Request) error {
	f, info, err := open(a.path)
	if err != nil {
		return fault.NotFound("the basemap's file cannot be read any more")
	}
	defer func() { _ = f.Close() }()
	h := w.Header()
	h.Set("Content-Type", "application/vnd.pmtiles")
	h.Set("Cache-Control", "no-cache") // the browser keeps what it has read and asks whether it still holds
	h.Set("Etag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}
