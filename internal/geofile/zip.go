package geofile

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"gridgov/internal/fault"
)

const (
	maxZipEntries = 10_000
	// maxZipRatio is above what any map reaches (a table of blanks shrinks to a 300th) and below what deflate can make
	// of nothing but zeros, a 1,032nd; it counts from ratioFrom bytes on.
	maxZipRatio = 500
	ratioFrom   = 16 << 20
)

// zipEntry is a file of an archive that passed the guard.
type zipEntry struct {
	file *zip.File
	name string // clean, relative, with forward slashes
}

// guardZip looks at an archive's directory before anything is unpacked. It refuses names that lead out of the folder,
// links and devices, encrypted files, names given twice, too many files, and sizes that only a bomb declares.
func guardZip(z *zip.Reader, limit int64) ([]zipEntry, error) {
	if len(z.File) > maxZipEntries {
		return nil, fault.TooLarge("", "the archive has %d files; %d are allowed", len(z.File), maxZipEntries)
	}
	var entries []zipEntry
	var total uint64
	seen := map[string]bool{}
	for _, f := range z.File {
		name := zipName(f)
		shown := clip(name, 80)
		mode := f.Mode()
		if mode.IsDir() || strings.HasSuffix(name, "/") {
			name = strings.TrimSuffix(name, "/")
			if !safeName(name) {
				return nil, fault.Invalid("", "unsafe_archive", "the archive holds the folder “%s”, which leads out of it", shown)
			}
			continue
		}
		switch {
		case !safeName(name):
			return nil, fault.Invalid("", "unsafe_archive", "the archive holds “%s”, a name that leads out of its folder", shown)
		case !mode.IsRegular():
			return nil, fault.Invalid("", "unsafe_archive", "the archive holds “%s”, a link or device; pack plain files only", shown)
		case f.Flags&1 != 0:
			return nil, fault.Invalid("", "encrypted_archive", "the archive's “%s” is encrypted; pack it without a password", shown)
		case seen[strings.ToLower(name)]:
			return nil, fault.Invalid("", "unsafe_archive", "the archive holds “%s” twice", shown)
		case f.UncompressedSize64 > ratioFrom && f.UncompressedSize64/maxZipRatio > f.CompressedSize64:
			return nil, fault.Invalid("", "archive_bomb", "the archive's “%s” unpacks to more than %d times its size", shown, maxZipRatio)
		}
		seen[strings.ToLower(name)] = true
		if total += f.UncompressedSize64; f.UncompressedSize64 > uint64(limit) || total > uint64(limit) {
			return nil, fault.TooLarge("", "the archive unpacks to more than %d MiB; split it", limit>>20)
		}
		entries = append(entries, zipEntry{f, name})
	}
	return entries, nil
}

// zipName is the name in UTF-8: Chinese Windows writes GBK without saying so.
func zipName(f *zip.File) string {
	if !utf8.ValidString(f.Name) {
		if s, err := simplifiedchinese.GB18030.NewDecoder().String(f.Name); err == nil {
			return s
		}
	}
	return f.Name
}

// safeName accepts relative names of ordinary parts.
func safeName(name string) bool {
	return fs.ValidPath(name) && name != "." && len(name) <= 1024 && utf8.ValidString(name) && filepath.IsLocal(filepath.FromSlash(name)) &&
		!strings.ContainsAny(name, "\\:") && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError })
}

// unpack writes the entries into the folder, never more than they declare.
func unpack(ctx context.Context, entries []zipEntry, dir string) error {
	root, err := os.OpenRoot(dir) // no name can leave it, whatever the checks above missed
	if err != nil {
		return err
	}
	defer root.Close() // nothing was written through it itself
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := unpackOne(root, e); err != nil {
			if _, ok := fault.As(err); ok || errors.Is(err, fs.ErrPermission) {
				return err
			}
			return fault.Invalid("", "damaged_archive", "the archive's “%s” cannot be unpacked: the archive is damaged", clip(e.name, 80))
		}
	}
	return nil
}

func unpackOne(root *os.Root, e zipEntry) error {
	if err := root.MkdirAll(path.Dir(e.name), 0o700); err != nil {
		return err
	}
	r, err := e.file.Open()
	if err != nil {
		return err
	}
	defer r.Close() // read only
	w, err := root.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, io.LimitReader(r, int64(e.file.UncompressedSize64)+1))
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err == nil && n != int64(e.file.UncompressedSize64) {
		err = zip.ErrFormat
	}
	return err
}

// geographic are the endings of files that are a data set by themselves.
var geographic = [...]string{".shp", ".gpkg", ".geojson", ".topojson", ".json", ".geojsonl", ".geojsons", ".kml", ".gml", ".tab", ".mif", ".dxf", ".fgb", ".gpx"}

// dataSets lists what can be opened among the unpacked names: files, and folders that are file geodatabases.
func dataSets(entries []zipEntry) []string {
	var found []string
	for _, e := range entries {
		if base := path.Base(e.name); strings.HasPrefix(base, ".") || strings.HasPrefix(e.name, "__MACOSX/") {
			continue
		}
		inGeodatabase := false
		for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
			if strings.EqualFold(path.Ext(dir), ".gdb") {
				inGeodatabase = true
				if !slices.Contains(found, dir) {
					found = append(found, dir)
				}
			}
		}
		if !inGeodatabase && slices.Contains(geographic[:], strings.ToLower(path.Ext(e.name))) {
			found = append(found, e.name)
		}
	}
	slices.Sort(found)
	return found
}

// mainOfKMZ settles which file of a KMZ counts: its doc.kml, unless that holds no place and only points to the others.
func mainOfKMZ(sets []string, content string) []string {
	const main = "doc.kml"
	if len(sets) < 2 || !slices.Contains(sets, main) {
		return sets
	}
	f, err := os.Open(filepath.Join(content, main))
	if err != nil {
		return sets
	}
	defer f.Close() // read only
	if head, err := io.ReadAll(io.LimitReader(f, 1<<20)); err == nil && bytes.Contains(head, []byte("<Placemark")) {
		return []string{main}
	}
	return slices.DeleteFunc(sets, func(s string) bool { return s == main })
}

// startZip unpacks an archive into a private folder and reads the data set in it.
func (r *Reader) startZip(ctx context.Context, opts Options) error {
	dir, err := r.privateDir(opts)
	if err != nil {
		return err
	}
	file, err := r.onDisk(opts, dir, ".zip")
	if err != nil {
		return err
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		return fault.Invalid("", "damaged_archive", "the zip archive is damaged or cut off; pack it again")
	}
	defer z.Close() // read only
	entries, err := guardZip(&z.Reader, opts.maxUnpacked())
	if err != nil {
		return err
	}
	content := filepath.Join(dir, "content")
	if err := os.Mkdir(content, 0o700); err != nil {
		return err
	}
	if err := unpack(ctx, entries, content); err != nil {
		return err
	}
	sets := mainOfKMZ(dataSets(entries), content)
	if len(sets) == 0 {
		return fault.Invalid("", "unknown_format", "the archive holds no geographic file (Shapefile, GeoPackage, GeoJSON, KML, …)")
	}
	chosen := sets[0]
	if len(sets) > 1 {
		names := make([]string, len(sets))
		for i, s := range sets {
			names[i] = strings.TrimSuffix(path.Base(s), path.Ext(s))
		}
		i, err := chooseLayer(opts.Layer, names, make([]bool, len(names)))
		if err != nil {
			return err
		}
		chosen, opts.Layer = sets[i], ""
	}
	return r.startUnpacked(ctx, opts, filepath.Join(content, filepath.FromSlash(chosen)))
}

// startUnpacked reads a file of an archive: text in Go, everything else by GDAL.
func (r *Reader) startUnpacked(ctx context.Context, opts Options, file string) error {
	inner, err := openInput(ctx, file, opts)
	if err != nil {
		return err
	}
	r.closes = append(r.closes, inner.close)
	if inner.dir {
		return r.readOGR(ctx, opts, file)
	}
	head, err := inner.head()
	if err != nil {
		return err
	}
	switch sniff(head, file) {
	case kindJSON:
		if name := filepath.Base(file); opts.Layer == strings.TrimSuffix(name, filepath.Ext(name)) {
			opts.Layer = "" // of an archive the files are the layers
		}
		t, err := newText(inner.raw, opts.Encoding)
		if err != nil {
			return err
		}
		return r.startJSON(t, opts)
	case kindOGR:
		return r.readOGR(ctx, opts, file)
	}
	return fault.Invalid("", "unknown_format", "the archive's “%s” is not what its name says", clip(filepath.Base(file), 80))
}

// privateDir makes a folder that only this process may enter, removed by Close.
func (r *Reader) privateDir(opts Options) (string, error) {
	dir, err := os.MkdirTemp(opts.TempDir, "gridgov-import-")
	if err != nil {
		return "", err
	}
	r.closes = append(r.closes, func() error { return os.RemoveAll(dir) })
	return dir, nil
}

// onDisk is the input as a file that can be read at any place: itself, or a copy of what comes compressed or by a pipe.
func (r *Reader) onDisk(opts Options, dir, ext string) (string, error) {
	if r.input.file != nil && r.input.size > 0 && !r.input.gz {
		return filepath.Abs(r.input.path)
	}
	file := filepath.Join(dir, "input"+ext)
	w, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	limit := opts.maxUnpacked()
	_, err = io.Copy(w, &bounded{r: r.input.raw, left: limit, limit: limit})
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	return file, err
}
