package geofile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gridgov/internal/fault"
)

// drivers are the formats that GDAL may read for us, and the one it writes. All others, above all those that ask the
// network or a database or that point to other files, are switched off: the list is of what is wanted, so that a newer
// GDAL with more of them stays closed.
var drivers = [...]string{
	"ESRI Shapefile", "MapInfo File", "GPKG", "KML", "LIBKML", "GML", "GPX", "DXF", "FlatGeobuf", "OpenFileGDB", "DGN", "GeoJSONSeq",
}

// startOGR reads a file or folder by GDAL.
func (r *Reader) startOGR(ctx context.Context, opts Options) error {
	if r.input.dir {
		abs, err := filepath.Abs(r.input.path)
		if err != nil {
			return err
		}
		if err := mapsIn(abs, r.input.path); err != nil {
			return err
		}
		return r.readOGR(ctx, opts, abs)
	}
	dir, err := r.privateDir(opts)
	if err != nil {
		return err
	}
	head, err := r.input.head()
	if err != nil {
		return err
	}
	file, err := r.onDisk(opts, dir, ogrExt(head))
	if err != nil {
		return err
	}
	return r.readOGR(ctx, opts, file)
}

// mapsIn refuses a folder that GDAL does not open as one data set.
func mapsIn(dir, shown string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return openFault(shown, err)
	}
	bare := "" // GDAL passes over a Shapefile without its index
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".shp":
			if beside(filepath.Join(dir, e.Name()), ".shx") != "" {
				return nil
			}
			bare = e.Name()
		case ".tab", ".mif", ".gdbtable":
			return nil
		}
	}
	if bare != "" {
		return noIndex(bare)
	}
	return fault.Invalid("", "unknown_format",
		"the folder %s is no file geodatabase and holds no Shapefile (.shp) and no MapInfo file (.tab, .mif); of other formats name the file itself", shown)
}

// ogrExt is the ending by which GDAL knows some formats, for content that came without a name.
func ogrExt(head []byte) string {
	lower := bytes.ToLower(bytes.TrimLeft(head[:min(len(head), 4096)], "\xef\xbb\xbf \t\r\n"))
	switch {
	case bytes.HasPrefix(head, []byte("SQLite")):
		return ".gpkg"
	case bytes.HasPrefix(head, []byte("fgb")):
		return ".fgb"
	case bytes.HasPrefix(head, []byte("\x00\x00\x27\x0a")):
		return ".shp"
	case bytes.Contains(lower, []byte("<kml")):
		return ".kml"
	case bytes.Contains(lower, []byte("<gpx")):
		return ".gpx"
	case bytes.HasPrefix(lower, []byte("<")):
		return ".gml"
	case bytes.HasPrefix(lower, []byte("!table")):
		return ".tab"
	case bytes.HasPrefix(lower, []byte("version")):
		return ".mif"
	}
	return ".dxf"
}

// readOGR lists the layers, chooses one and lets ogr2ogr write it to a pipe as GeoJSON texts.
func (r *Reader) readOGR(ctx context.Context, opts Options, file string) error {
	if strings.HasPrefix(file, "/vsi") {
		return fault.Invalid("", "unsafe_path", "a path that begins with /vsi is not read; move the file")
	}
	if opts.CRS != "" && !epsgCode.MatchString(opts.CRS) {
		return fault.Invalid("crs", "unknown_crs", "%q is no EPSG code", clip(opts.CRS, 40))
	}
	dir, err := r.privateDir(opts)
	if err != nil {
		return err
	}
	if !r.input.dir {
		if opts.Encoding, err = r.readyShapefile(file, opts); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	r.closes = append(r.closes, func() error { cancel(); return nil })
	g := &gdal{dir: dir, opts: opts, file: file}
	if err := g.find(ctx); err != nil {
		return err
	}
	layers, err := g.layers(ctx)
	if err != nil {
		return err
	}
	names, areas := make([]string, len(layers)), make([]bool, len(layers))
	for i, l := range layers {
		names[i], areas[i] = l.name, l.areas
	}
	i, err := chooseLayer(opts.Layer, names, areas)
	if err != nil {
		return err
	}
	chosen := layers[i]
	if shp := filepath.Join(file, chosen.name+".shp"); r.input.dir && exists(shp) {
		if g.opts.Encoding, err = r.readyShapefile(shp, opts); err != nil {
			return err
		}
	}
	if chosen.thick {
		r.notes.add("the third dimension was dropped")
	}
	// GeoJSON texts are WGS 84 by definition, which equals CGCS2000 at any map's accuracy; GDAL leaves the doubles of both
	// as they are. Without a declared system the numbers pass as they are too, and the caller finds metres out.
	args := []string{"-f", "GeoJSONSeq", "/vsistdout/", file, chosen.name,
		"-lco", "COORDINATE_PRECISION=17", "-lco", "RS=NO", "-dim", "XY", "-nlt", "CONVERT_TO_LINEAR"}
	declared := ""
	switch {
	case opts.CRS != "":
		args = append(args, "-s_srs", "EPSG:"+epsgCode.FindStringSubmatch(opts.CRS)[1], "-t_srs", "EPSG:4326")
		declared = "EPSG:4326"
	case chosen.system:
		args = append(args, "-t_srs", "EPSG:4326")
		declared = "EPSG:4326"
	default:
		r.notes.add("the file names no coordinate system")
	}
	out, err := g.start(ctx, "ogr2ogr", args...)
	if err != nil {
		return err
	}
	r.closes = append(r.closes, out.close)
	seq := newSequence(bufio.NewReaderSize(&bounded{r: out, left: opts.maxStream(), limit: opts.maxStream()}, headBytes), '\n', opts, r.notes)
	r.format, r.crs, r.encoding = "OGR", func() string { return declared }, func() string { return encUTF8 }
	r.next = func() (Feature, error) { return nextOGR(seq, out) }
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

var epsgCode = regexp.MustCompile(`^(?:EPSG:)?([0-9]{1,6})$`)

// nextOGR reads a feature from the pipe; its line there means nothing to the user.
func nextOGR(seq *sequence, out *child) (Feature, error) {
	o, record, err := seq.nextObject()
	var f Feature
	if err == nil {
		f, err = o.feature(record)
	}
	f.Line = 0
	row := (*RowError)(nil)
	switch {
	case err == nil:
		return f, nil
	case errors.As(err, &row):
		row.Line = 0
		return f, row
	}
	// The end of the pipe is the end of the layer only if the process says so.
	if failed := out.wait(); failed != nil {
		return f, failed
	}
	return f, err
}

// gdal runs GDAL's programs on one file.
type gdal struct {
	dir  string // private, the programs' working folder
	opts Options
	file string
	skip string // drivers switched off
}

type ogrLayer struct {
	name   string
	areas  bool
	thick  bool // 3-D
	system bool // a coordinate system is declared
}

// program is the path of one of GDAL's programs.
func (g *gdal) program(name string) (string, error) {
	if g.opts.GDALDir != "" {
		name = filepath.Join(g.opts.GDALDir, name)
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", fault.Unavailable("gdal_missing",
			"this format is read by GDAL, which is not installed: install it (Debian, Ubuntu: apt install gdal-bin) or convert the file to GeoJSON")
	}
	return filepath.Abs(found)
}

// find asks GDAL for its drivers and decides which to switch off.
func (g *gdal) find(ctx context.Context) error {
	out, err := g.output(ctx, "ogrinfo", "--formats")
	if err != nil {
		return err
	}
	var off []string
	for line := range strings.Lines(out) {
		if m := driverLine.FindStringSubmatch(line); m != nil && !slices.Contains(drivers[:], m[1]) {
			off = append(off, m[1])
		}
	}
	if len(off) == 0 {
		return fault.Unavailable("gdal_missing", "the GDAL that is installed does not list its formats; install version 3.4 or later")
	}
	g.skip = strings.Join(off, ",")
	return nil
}

var driverLine = regexp.MustCompile(`^\s+(\S.*?) -(?:raster|vector|multidimensional raster|network|geography network)[a-z, ]*-? ?`)

// layers reads ogrinfo's summary. Layers without geometry are left out.
func (g *gdal) layers(ctx context.Context) ([]ogrLayer, error) {
	out, err := g.output(ctx, "ogrinfo", "-ro", "-so", "-al", "-nocount", "-noextent", "-nomd", "-wkt_format", "WKT1", g.file)
	if err != nil {
		return nil, err
	}
	var all []ogrLayer
	lines := strings.Split(out, "\n")
	for i, line := range lines {
		if name, ok := strings.CutPrefix(line, "Layer name: "); ok {
			all = append(all, ogrLayer{name: name})
			continue
		}
		if len(all) == 0 {
			continue
		}
		last := &all[len(all)-1]
		if kind, ok := strings.CutPrefix(line, "Geometry: "); ok {
			if kind == "None" {
				all = all[:len(all)-1]
				continue
			}
			last.thick = strings.Contains(kind, "3D")
			last.areas = strings.Contains(kind, "Polygon") || strings.Contains(kind, "Surface") || strings.Contains(kind, "Unknown")
		}
		if line == "Layer SRS WKT:" && i+1 < len(lines) {
			last.system = lines[i+1] != "(unknown)"
		}
	}
	return all, nil
}

// output runs a program to its end and returns what it printed, up to 4 MiB.
func (g *gdal) output(ctx context.Context, name string, args ...string) (string, error) {
	c, err := g.start(ctx, name, args...)
	if err != nil {
		return "", err
	}
	defer c.close() // wait says how it ended
	out, err := io.ReadAll(io.LimitReader(c, 4<<20))
	if err != nil {
		return "", err
	}
	if failed := c.wait(); failed != nil {
		return "", failed
	}
	return string(out), nil
}

// environment is all that a program sees of ours: where its own files lie, no network, no cache of another user.
func (g *gdal) environment() []string {
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + g.dir, "TMPDIR=" + g.dir, "LC_ALL=C.UTF-8",
		"OGR_SKIP=" + g.skip, "GDAL_DRIVER_PATH=disable", "PROJ_NETWORK=OFF", "GDAL_NUM_THREADS=1",
		"CPL_VSIL_CURL_ALLOWED_FILENAME=/nothing", "GDAL_HTTP_TIMEOUT=1", "GDAL_HTTP_MAX_RETRY=0",
		"GML_DOWNLOAD_SCHEMA=NO", "GML_SKIP_RESOLVE_ELEMS=ALL", "GML_SAVE_RESOLVED_TO=", "GML_USE_OLD_FID_FORMAT=NO",
		"GDAL_PAM_ENABLED=NO", "CPL_DEBUG=OFF",
	}
	switch strings.ToLower(g.opts.Encoding) {
	case "":
	case "gbk", "gb2312", "gb18030":
		env = append(env, "SHAPE_ENCODING=CP936")
	default:
		env = append(env, "SHAPE_ENCODING="+strings.ToUpper(g.opts.Encoding))
	}
	for _, keep := range []string{"GDAL_DATA", "PROJ_DATA", "PROJ_LIB", "LD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(keep); ok {
			env = append(env, keep+"="+v)
		}
	}
	return env
}

// message makes one line for a user of what a program wrote about its failure.
func (g *gdal) message(stderr string) string {
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "ERROR "); ok {
			if _, after, ok := strings.Cut(text, ": "); ok {
				line = after
			}
		} else if !strings.Contains(line, "FAILURE") && !strings.Contains(line, "bad_alloc") {
			continue
		}
		line = strings.ReplaceAll(line, g.file, filepath.Base(g.file))
		line = strings.ReplaceAll(line, filepath.Dir(g.file)+string(filepath.Separator), "")
		return clip(strings.ReplaceAll(line, g.dir, ""), 300)
	}
	return "it gave no reason"
}

// seconds for ulimit -t, at least one.
func seconds(opts Options) string { return strconv.Itoa(max(1, int(opts.Timeout.Seconds()))) }
