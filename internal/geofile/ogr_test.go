package geofile_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/geofile"
)

// two parishes, one in two parts with a hole; doubles that need all their digits.
const parishes = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"001","name":"褚石村","people":1234},"geometry":{"type":"MultiPolygon","coordinates":[[[[120.1,30.2],[120.30000000000001,30.2],[120.3,30.400000000000002],[120.1,30.2]]]]}},
{"type":"Feature","properties":{"code":"002","name":"新民村","people":null},"geometry":{"type":"MultiPolygon","coordinates":[[[[121,31],[122,31],[122,32],[121,32],[121,31]],[[121.2,31.2],[121.2,31.4],[121.4,31.4],[121.2,31.2]]],[[[123,31],[124,31],[124,32],[123,31]]]]}}]}`

// ogr2ogr makes a file of another format by GDAL itself.
func ogr2ogr(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("ogr2ogr", args...).CombinedOutput(); err != nil {
		t.Fatalf("ogr2ogr %v: %v\n%s", args, err, out)
	}
}

func TestFormatsOfGDAL(t *testing.T) {
	source := write(t, "parishes.geojson", parishes)
	want := readPath(t, source, geofile.Options{})
	if want.err != nil || len(want.features) != 2 {
		t.Fatalf("%+v", want)
	}
	dir := t.TempDir()
	for _, c := range []struct{ driver, file string }{
		{"ESRI Shapefile", "p.shp"}, {"GPKG", "p.gpkg"}, {"FlatGeobuf", "p.fgb"}, {"KML", "p.kml"}, {"GML", "p.gml"}, {"MapInfo File", "p.mif"}, {"OpenFileGDB", "p.gdb"},
	} {
		file := filepath.Join(dir, c.file)
		args := []string{"-f", c.driver, file, source, "-nlt", "MULTIPOLYGON", "-nln", "p"}
		switch c.driver {
		case "KML":
			args = append(args, "-dsco", "NameField=code")
		case "ESRI Shapefile":
			args = append(args, "-lco", "ENCODING=UTF-8")
		case "FlatGeobuf": // an index would order the features anew
			args = append(args, "-lco", "SPATIAL_INDEX=NO")
		}
		ogr2ogr(t, args...)
		got := readPath(t, file, geofile.Options{})
		if got.err != nil || got.format != "OGR" || len(got.features) != 2 || len(got.rows) != 0 || got.crs != "EPSG:4326" {
			t.Errorf("%s: %+v", c.driver, got)
			continue
		}
		for i, f := range got.features {
			tolerant := c.driver == "KML" || c.driver == "GML" || c.driver == "MapInfo File" || c.driver == "OpenFileGDB" // fewer digits
			a, b := rings(t, f.Shape), rings(t, want.features[i].Shape)
			if !tolerant && !slices.Equal(a, b) || len(a) != len(b) {
				t.Errorf("%s: feature %d is %v, want %v", c.driver, i+1, a, b)
			}
			name := f.Properties["name"]
			if c.driver == "KML" { // its own Name column takes the place
				name = want.features[i].Properties["name"]
			}
			if f.Record != i+1 || f.Line != 0 || name != want.features[i].Properties["name"] {
				t.Errorf("%s: feature %d is %+v", c.driver, i+1, f)
			}
		}
		if _, has := got.features[1].Properties["people"]; has && c.driver == "GPKG" {
			t.Errorf("%s: null came as %q", c.driver, got.features[1].Properties["people"])
		}
	}
	// Compressed and by a pipe.
	content, err := os.ReadFile(filepath.Join(dir, "p.gpkg"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"piped": string(content), "piped and compressed": zipped(t, string(content))} {
		if got := readAll(t, text, geofile.Options{}); got.err != nil || len(got.features) != 2 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := readPath(t, write(t, "p.gpkg.gz", zipped(t, string(content))), geofile.Options{}); got.err != nil || len(got.features) != 2 {
		t.Errorf("compressed: %+v", got)
	}
}

// Shapefiles travel as archives of their parts, geodatabases as archives of a folder, KML as KMZ.
func TestArchivesOfGDAL(t *testing.T) {
	source := write(t, "parishes.geojson", parishes)
	for _, c := range []struct{ driver, file string }{{"ESRI Shapefile", "p.shp"}, {"OpenFileGDB", "p.gdb"}} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "maps", "deep"), 0o700); err != nil {
			t.Fatal(err)
		}
		ogr2ogr(t, "-f", c.driver, filepath.Join(dir, "maps", "deep", c.file), source, "-nlt", "MULTIPOLYGON", "-nln", "p")
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		if err := w.AddFS(os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]result{
			"file": readPath(t, write(t, "p.zip", b.String()), geofile.Options{}), "pipe": readAll(t, b.String(), geofile.Options{}),
		} {
			if got.err != nil || got.format != "OGR" || len(got.features) != 2 || got.features[1].Properties["code"] != "002" {
				t.Errorf("%s by a %s: %+v", c.driver, name, got)
			}
		}
	}
	kmz := filepath.Join(t.TempDir(), "p.kmz")
	ogr2ogr(t, "-f", "LIBKML", kmz, source)
	if got := readPath(t, kmz, geofile.Options{}); got.err != nil || len(got.features) != 2 {
		t.Errorf("KMZ: %+v", got)
	}
}

// A projected file arrives in degrees; without a declared system the numbers pass and are named by --crs.
func TestSystemsOfGDAL(t *testing.T) {
	source := write(t, "parishes.geojson", parishes)
	want := readPath(t, source, geofile.Options{})
	file := filepath.Join(t.TempDir(), "p.shp")
	ogr2ogr(t, "-f", "ESRI Shapefile", file, source, "-t_srs", "EPSG:4549")
	near := func(name string, got result) {
		t.Helper()
		if got.err != nil || len(got.features) != 2 {
			t.Errorf("%s: %+v", name, got)
			return
		}
		a, b := got.features[0].Shape.Bound(), want.features[0].Shape.Bound()
		if math.Abs(a.Min[0]-b.Min[0]) > 1e-9 || math.Abs(a.Max[1]-b.Max[1]) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, a, b)
		}
	}
	near("declared", readPath(t, file, geofile.Options{}))
	if err := os.Remove(strings.TrimSuffix(file, "shp") + "prj"); err != nil {
		t.Fatal(err)
	}
	bare := readPath(t, file, geofile.Options{})
	if bare.err != nil || bare.crs != "" || bare.features[0].Shape.Bound().Min[0] < 1000 || len(bare.notes) == 0 {
		t.Errorf("undeclared: %+v", bare)
	}
	near("named", readPath(t, file, geofile.Options{CRS: "EPSG:4549"}))
	wantFault(t, "no code", readPath(t, file, geofile.Options{CRS: "+proj=longlat"}).err, "unknown_crs", 0)
	wantFault(t, "unknown code", readPath(t, file, geofile.Options{CRS: "EPSG:999998"}).err, "gdal_failed", 0)
}

func TestLayersOfGDAL(t *testing.T) {
	source := write(t, "parishes.geojson", parishes)
	file := filepath.Join(t.TempDir(), "p.gpkg")
	ogr2ogr(t, "-f", "GPKG", file, source, "-nln", "areas", "-nlt", "MULTIPOLYGON")
	ogr2ogr(t, "-update", file, write(t, "pt.geojson", `{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2,3]}}`), "-nln", "points")
	if got := readPath(t, file, geofile.Options{}); got.err != nil || len(got.features) != 2 {
		t.Errorf("the only layer with polygons: %+v", got)
	}
	if got := readPath(t, file, geofile.Options{Layer: "points"}); got.err != nil || len(got.features) != 1 || !slices.Contains(got.notes, "the third dimension was dropped") {
		t.Errorf("by name: %+v", got)
	}
	ogr2ogr(t, "-update", file, source, "-nln", "more areas", "-nlt", "MULTIPOLYGON")
	err := readPath(t, file, geofile.Options{}).err
	wantFault(t, "two", err, "several_layers", 0)
	if err == nil || !strings.Contains(err.Error(), "“more areas”") {
		t.Errorf("%v lists no layers", err)
	}
	if got := readPath(t, file, geofile.Options{Layer: "more areas"}); got.err != nil || len(got.features) != 2 {
		t.Errorf("a name with a space: %+v", got)
	}
}

func TestGDALIsMissing(t *testing.T) {
	file := write(t, "p.gpkg", "SQLite format 3\x00")
	err := readPath(t, file, geofile.Options{GDALDir: t.TempDir()}).err
	wantFault(t, "missing", err, "gdal_missing", 0)
	if err == nil || !strings.Contains(err.Error(), "gdal-bin") {
		t.Errorf("%v does not say what to install", err)
	}
	got := readPath(t, write(t, "p.geojson", parishes), geofile.Options{GDALDir: t.TempDir()})
	if got.err != nil || len(got.features) != 2 {
		t.Errorf("GeoJSON needs GDAL: %+v", got)
	}
}

// fakeGDAL puts scripts in the place of the programs.
func fakeGDAL(t *testing.T, ogr2ogr string) string {
	t.Helper()
	dir := t.TempDir()
	info := "#!/bin/sh\nif [ \"$1\" = --formats ]; then echo '  WFS -vector- (rov): x'; else printf 'Layer name: x\\nGeometry: Polygon\\nLayer SRS WKT:\\n(unknown)\\n'; fi\n"
	for name, script := range map[string]string{"ogrinfo": info, "ogr2ogr": "#!/bin/sh\n" + ogr2ogr} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil { // it has to run
			t.Fatal(err)
		}
	}
	return dir
}

// However the process ends, the layer does not pass for complete.
func TestGDALBreaksOff(t *testing.T) {
	feature := `{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}}`
	for _, c := range []struct {
		name, script, code string
		features           int
	}{
		{"fails", "echo '" + feature + "'; echo 'ERROR 1: no more disk' >&2; exit 1", "gdal_failed", 1},
		{"crashes", "echo '" + feature + "'; kill -SEGV $$", "gdal_failed", 1},
		{"out of memory", "echo 'terminate called: std::bad_alloc' >&2; kill -ABRT $$", "too_large", 0},
		{"too much memory", "x=$(head -c 400000000 /dev/zero | tr '\\0' x); echo \"$x\"", "too_large", 0},
		{"writes too much", "head -c 100000000 /dev/zero > big || { echo 'ERROR 3: write failed' >&2; exit 1; }", "gdal_failed", 0},
		{"speaks nonsense", "echo nonsense; exit 2", "gdal_failed", 0},
		{"nothing", "exit 0", "empty", 0},
	} {
		got := readPath(t, write(t, "p.gpkg", "SQLite format 3\x00"),
			geofile.Options{GDALDir: fakeGDAL(t, c.script), MaxMemory: 256 << 20, MaxBytes: 50 << 20})
		f, ok := fault.As(got.err)
		if c.name == "too much memory" && ok && f.Code == "gdal_failed" { // a shell has words of its own for it
			f.Code = c.code
		}
		if !ok || f.Code != c.code || len(got.features) != c.features {
			t.Errorf("%s: %d features, %v; want %d and %s", c.name, len(got.features), got.err, c.features, c.code)
		}
	}
}

// Time runs out, or nobody wants the answer any more: the process and what it started end.
func TestGDALIsEnded(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	hang := "sleep 1000 & echo $! > " + pids + `; echo '{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1,2]}}'; wait`
	file, dir := write(t, "p.gpkg", "SQLite format 3\x00"), fakeGDAL(t, hang)
	for _, cancelled := range []bool{true, false} {
		ctx, cancel := context.WithCancel(context.Background())
		var r *geofile.Reader
		for timeout := time.Second; ; timeout *= 2 { // the first feature has to come in time, on a busy machine too
			opts := geofile.Options{GDALDir: dir, TempDir: t.TempDir(), Timeout: timeout}
			if cancelled {
				opts.Timeout = time.Hour
			}
			var err error
			if r, err = geofile.Open(ctx, file, opts); err == nil {
				if _, err = r.Next(); err == nil {
					break
				}
				r.Close() // tried again
			}
			if !fault.Is(err, fault.KindTooLarge) || timeout > time.Minute {
				t.Fatal(err)
			}
		}
		if cancelled {
			cancel()
		}
		if _, err := r.Next(); cancelled && !errors.Is(err, context.Canceled) || !cancelled && !fault.Is(err, fault.KindTooLarge) {
			t.Errorf("cancelled %v: %v", cancelled, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		cancel()
		pid, err := os.ReadFile(pids)
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); alive(strings.TrimSpace(string(pid))); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("cancelled %v: the process %s lives on", cancelled, pid)
			}
		}
	}
}

// alive reports whether a process runs; one that ended and was not yet collected does not.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}

// Chinese offices write the table of a Shapefile in GBK, often without saying so.
func TestShapefileInGBK(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.shp")
	ogr2ogr(t, "-f", "ESRI Shapefile", file, write(t, "p.geojson", parishes), "-lco", "ENCODING=CP936")
	declared := readPath(t, file, geofile.Options{})
	if declared.err != nil || declared.features[0].Properties["name"] != "褚石村" {
		t.Errorf("declared: %+v", declared)
	}
	undeclare(t, file, 0)
	named := readPath(t, file, geofile.Options{Encoding: "gbk"})
	if named.err != nil || named.features[0].Properties["name"] != "褚石村" {
		t.Errorf("named: %+v", named)
	}
}

// undeclare takes away what says in which encoding a Shapefile's table is.
func undeclare(t *testing.T, file string, language byte) {
	t.Helper()
	if err := os.Remove(strings.TrimSuffix(file, "shp") + "cpg"); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(strings.TrimSuffix(file, "shp")+"dbf", os.O_RDWR, 0)
	if err == nil {
		_, err = f.WriteAt([]byte{language}, 29)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The encoding of a table that does not name it is found by what stands in it, its columns' names included, also where a
// column's end cuts a character in two.
func TestShapefileThatNamesNoEncoding(t *testing.T) {
	source := write(t, "p.geojson", strings.ReplaceAll(parishes, `"name"`, `"名称"`))
	for _, c := range []struct {
		encoding string
		language byte
		said     string
	}{{"CP936", 0, "GBK"}, {"CP936", 0x57, "GBK"}, {"UTF-8", 0, "UTF-8"}, {"UTF-8", 0x57, "UTF-8"}} {
		for _, folder := range []bool{false, true} {
			dir := t.TempDir()
			file := filepath.Join(dir, "p.shp")
			ogr2ogr(t, "-f", "ESRI Shapefile", file, source, "-nlt", "MULTIPOLYGON", "-lco", "ENCODING="+c.encoding)
			undeclare(t, file, c.language)
			if folder {
				file = dir
			}
			got := readPath(t, file, geofile.Options{})
			if got.err != nil || len(got.features) != 2 || len(got.rows) != 0 || got.features[0].Properties["名称"] != "褚石村" {
				t.Errorf("%+v: %+v", c, got)
			}
			if !slices.ContainsFunc(got.notes, func(n string) bool { return strings.Contains(n, c.said) }) {
				t.Errorf("%+v: no note among %q", c, got.notes)
			}
		}
	}
	cut := filepath.Join(t.TempDir(), "p.shp")
	ogr2ogr(t, "-f", "ESRI Shapefile", cut, source, "-nlt", "MULTIPOLYGON", "-lco", "ENCODING=CP936")
	undeclare(t, cut, 0)
	table := strings.TrimSuffix(cut, "shp") + "dbf"
	whole, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	name := gbk(t, "新民村")
	if err := os.WriteFile(table, bytes.Replace(whole, []byte(name), []byte(name[:5]+" "), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := readPath(t, cut, geofile.Options{}); got.err != nil || len(got.features) != 2 || !strings.HasPrefix(got.features[1].Properties["名称"], "新民") {
		t.Errorf("cut: %+v", got)
	}
	big5 := filepath.Join(t.TempDir(), "p.shp")
	ogr2ogr(t, "-f", "ESRI Shapefile", big5, write(t, "b.geojson", strings.ReplaceAll(parishes, "褚石村", "國姓鄉")), "-nlt", "MULTIPOLYGON", "-lco", "ENCODING=CP950")
	undeclare(t, big5, 0)
	wantFault(t, "Big5", readPath(t, big5, geofile.Options{}).err, "unknown_encoding", 0)
	if got := readPath(t, big5, geofile.Options{Encoding: "cp950"}); got.err != nil || got.features[0].Properties["name"] != "國姓鄉" {
		t.Errorf("Big5, named: %+v", got)
	}
}

// What is missing beside a Shapefile, or in a folder, is told in words that help.
func TestIncompleteShapefile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "p.shp")
	ogr2ogr(t, "-f", "ESRI Shapefile", file, write(t, "p.geojson", parishes), "-nlt", "MULTIPOLYGON")
	remove := func(ext string) {
		if err := os.Remove(filepath.Join(dir, "p"+ext)); err != nil {
			t.Fatal(err)
		}
	}
	remove(".dbf")
	bare := readPath(t, file, geofile.Options{})
	if bare.err != nil || len(bare.features) != 2 || !slices.ContainsFunc(bare.notes, func(n string) bool { return strings.Contains(n, "no .dbf beside p.shp") }) {
		t.Errorf("without its table: %+v", bare)
	}
	remove(".shx")
	err := readPath(t, file, geofile.Options{}).err
	wantFault(t, "without its index", err, "incomplete_shapefile", 0)
	if err != nil && (strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), ".shx")) {
		t.Errorf("%v", err)
	}
	wantFault(t, "its folder", readPath(t, dir, geofile.Options{}).err, "incomplete_shapefile", 0)
	remove(".shp")
	err = readPath(t, dir, geofile.Options{}).err
	wantFault(t, "a folder without maps", err, "unknown_format", 0)
	if err != nil && !strings.Contains(err.Error(), ".shp") {
		t.Errorf("%v does not say what was looked for", err)
	}
}

// Formats that would ask the network, a database or another file are not among the drivers, whatever the file is called.
func TestGDALAsksNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // nothing was written
	called := make(chan string, 10)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			called <- c.RemoteAddr().String()
			c.Close() // it should never have been opened
		}
	}()
	url := "http://" + listener.Addr().String()
	secret := write(t, "secret.csv", "id,WKT\n1,POINT(1 2)\n")
	for name, content := range map[string]string{
		"a.kml":  `<OGRWFSDataSource><URL>` + url + `</URL></OGRWFSDataSource>`,
		"b.gml":  `<?xml version="1.0"?><ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://ogr.maptools.org/ ` + url + `/a.xsd"><gml:featureMember><ogr:a fid="1"><ogr:g><gml:Point xlink:href="` + url + `/p" xmlns:xlink="http://www.w3.org/1999/xlink"><gml:coordinates>1,2</gml:coordinates></gml:Point></ogr:g></ogr:a></gml:featureMember></ogr:FeatureCollection>`,
		"c.kml":  `<kml><Document><NetworkLink><Link><href>` + url + `/x.kml</href></Link></NetworkLink></Document></kml>`,
		"d.gml":  `<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>` + secret + `</SrcDataSource><GeometryType>wkbPoint</GeometryType></OGRVRTLayer></OGRVRTDataSource>`,
		"e.gpkg": "PG:host=127.0.0.1 port=" + strings.Split(listener.Addr().String(), ":")[1],
		"f.tab":  "/vsicurl/" + url + "/x",
		"g.kml":  `<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY x SYSTEM "` + url + `/x">]><kml><Document><Placemark><name>&x;</name><Point><coordinates>1,2</coordinates></Point></Placemark></Document></kml>`,
	} {
		got := readPath(t, write(t, name, content), geofile.Options{Timeout: time.Minute})
		for _, f := range got.features {
			if f.Properties["id"] == "1" {
				t.Errorf("%s read the other file: %+v", name, f)
			}
		}
	}
	select {
	case from := <-called:
		t.Errorf("GDAL called from %s", from)
	default:
	}
}

// shapefile writes one polygon whose ring is given, as the format's specification lays it out.
func shapefile(t testing.TB, ring []orb.Point) string {
	t.Helper()
	words := (44 + 4 + 16*len(ring)) / 2 // of the record's content: type, box, counts, one part, points
	header := func(size int) []byte {
		h := make([]byte, 100)
		binary.BigEndian.PutUint32(h, 9994)
		binary.BigEndian.PutUint32(h[24:], uint32(size/2))
		binary.LittleEndian.PutUint32(h[28:], 1000)
		binary.LittleEndian.PutUint32(h[32:], 5)
		return h
	}
	record := binary.BigEndian.AppendUint32(nil, 1)
	record = binary.BigEndian.AppendUint32(record, uint32(words))
	record = binary.LittleEndian.AppendUint32(record, 5)
	for range 4 {
		record = binary.LittleEndian.AppendUint64(record, math.Float64bits(0))
	}
	for _, n := range []int{1, len(ring), 0} {
		record = binary.LittleEndian.AppendUint32(record, uint32(n))
	}
	for _, p := range ring {
		record = binary.LittleEndian.AppendUint64(record, math.Float64bits(p[0]))
		record = binary.LittleEndian.AppendUint64(record, math.Float64bits(p[1]))
	}
	index := binary.BigEndian.AppendUint32(header(108), 50)
	index = binary.BigEndian.AppendUint32(index, uint32(words))
	path := write(t, "n.shp", string(append(header(100+len(record)), record...)))
	if err := os.WriteFile(strings.TrimSuffix(path, "shp")+"shx", index, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Binary formats can hold what JSON cannot.
func TestNumbersThatAreNone(t *testing.T) {
	good := []orb.Point{{0, 0}, {0, 1}, {1, 1}, {0, 0}}
	if got := readPath(t, shapefile(t, good), geofile.Options{}); got.err != nil || len(got.features) != 1 {
		t.Fatalf("a good ring: %+v", got)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		ring := slices.Clone(good)
		ring[1][1] = v
		got := readPath(t, shapefile(t, ring), geofile.Options{})
		if len(got.features) != 0 || len(got.rows) != 1 && got.err == nil {
			t.Errorf("%v passed: %+v", v, got)
		}
	}
}
