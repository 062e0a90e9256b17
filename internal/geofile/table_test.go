package geofile_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"gridgov/internal/geofile"
	"gridgov/internal/soak"
)

func gbk(t testing.TB, s string) string {
	t.Helper()
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

type tableResult struct {
	header   []string
	rows     []geofile.Row
	rejects  []*geofile.RowError
	err      error
	encoding string
	notes    []string
}

func readTable(t testing.TB, in io.Reader, opts geofile.Options) tableResult {
	t.Helper()
	opts.Stdin = in
	table, err := geofile.OpenTable(context.Background(), "-", opts)
	if err != nil {
		return tableResult{err: err}
	}
	defer table.Close() // standard input
	got := tableResult{header: table.Header()}
	for {
		row, err := table.Next()
		bad := (*geofile.RowError)(nil)
		switch {
		case err == nil:
			got.rows = append(got.rows, row)
			continue
		case errors.As(err, &bad):
			got.rejects = append(got.rejects, bad)
			continue
		case !errors.Is(err, io.EOF):
			got.err = err
		}
		got.encoding, got.notes = table.Encoding(), table.Notes()
		return got
	}
}

func (r tableResult) lines() (rows, rejects []string) {
	for _, row := range r.rows {
		rows = append(rows, fmt.Sprintf("%d/%d %s", row.Line, row.Record, strings.Join(row.Fields, "|")))
	}
	for _, bad := range r.rejects {
		rejects = append(rejects, fmt.Sprintf("%d/%d %s %s", bad.Line, bad.Record, bad.Field, bad.Code))
	}
	return rows, rejects
}

func TestTable(t *testing.T) {
	got := readTable(t, strings.NewReader("\ufeffid, lon ,title\r\n1,120.5,\"a \"\"b\"\", c\"\r\n\r\n2,,\"two\nlines\"\n3,1\n4,1,x\"y\n5,1,\"x\"y\n6,1,z,\n"+
		"7,1,\x00\n8,1,\xff\n9,\"\",\"\"\n10,1,\"never closed\n11,1,x\n"), geofile.Options{})
	rows, rejects := got.lines()
	if got.err != nil || !slices.Equal(got.header, []string{"id", "lon", "title"}) {
		t.Fatalf("%+v", got)
	}
	if want := []string{"2/1 1|120.5|a \"b\", c", "4/2 2||two\nlines", "12/9 9||", "14/11 11|1|x"}; !slices.Equal(rows, want) {
		t.Errorf("rows %q\nwant %q", rows, want)
	}
	if want := []string{"6/3  wrong_field_count", "7/4  wrong_quote", "8/5  wrong_quote", "9/6  wrong_field_count", "10/7 title zero_byte", "11/8 title wrong_encoding", "13/10  wrong_quote"}; !slices.Equal(rejects, want) {
		t.Errorf("rejects %q\nwant %q", rejects, want)
	}
}

func TestColumns(t *testing.T) {
	table, err := geofile.OpenTable(context.Background(), "-", geofile.Options{Stdin: strings.NewReader("ID;Lon;lon\n")})
	if err != nil {
		t.Fatal(err)
	}
	if got, f := table.Columns("lon", "Lon", "id"); f != nil || !slices.Equal(got, []int{2, 1, 0}) {
		t.Errorf("%v, %v", got, f)
	}
	_, f := table.Columns("id", "at", "item")
	if f == nil || f.Field != "at" || f.Code != "missing_column" || !strings.Contains(f.Message, "“at”, “item”") || !strings.Contains(f.Message, "“Lon”") {
		t.Errorf("%+v", f)
	}
}

func TestTableHeaders(t *testing.T) {
	for _, c := range []struct{ name, content, code string }{
		{"empty", "", "empty"},
		{"blank", "\n\r\n\n", "empty"},
		{"twice", "a,b,a\n", "duplicate_column"},
		{"without name", "a,,b\n", "empty_column_name"},
		{"open quote", "\"a,b\n1,2\n", "wrong_quote"},
		{"old Macintosh", "a,b\r1,2\r", "wrong_column_name"},
		{"a Shapefile", "\x00\x00\x27\x0a" + strings.Repeat("\x00", 100), "unknown_format"},
		{"an archive", "PK\x03\x04xxxxxxxx", "unknown_format"},
		{"long", strings.Repeat("x", 3<<20), "too_large"},
	} {
		got := readTable(t, strings.NewReader(c.content), geofile.Options{})
		line := 1
		if c.code == "empty" || c.code == "unknown_format" {
			line = 0
		}
		wantFault(t, c.name, got.err, c.code, line)
	}
	if got := readTable(t, strings.NewReader("a,b,\n1,2,\n"), geofile.Options{}); got.err != nil || len(got.rows) != 1 {
		t.Errorf("a trailing delimiter: %+v", got)
	}
}

func TestDelimiters(t *testing.T) {
	for _, content := range []string{"a,b;x,c\n1,\"2\",3\n", "a;b,x;c\n1;\"2\";3\n", "\"a,,,,\"\tb\tc\n1\t\"2\"\t3\n"} {
		got := readTable(t, strings.NewReader(content), geofile.Options{})
		if got.err != nil || len(got.rows) != 1 || len(got.header) != 3 || got.rows[0].Fields[1] != "2" {
			t.Errorf("%q: %+v", content, got)
		}
	}
	got := readTable(t, strings.NewReader("a|b\n1|2\n"), geofile.Options{Delimiter: '|'})
	if got.err != nil || len(got.header) != 2 || len(got.rows) != 1 {
		t.Errorf("%+v", got)
	}
	got = readTable(t, strings.NewReader("a|b\n1|2\n"), geofile.Options{Delimiter: '，'})
	wantFault(t, "full-width comma", got.err, "wrong_delimiter", 0)
}

func TestEncodings(t *testing.T) {
	const content = "编号,名称,地址\n1,褚石村,浙江省海宁市长安镇褚石村十二组\n2,新民村,许村镇新民村委会旁边的小路\n"
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy) string {
		s, err := unicode.UTF16(e, bom).NewEncoder().String(content)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	gb18030, err := simplifiedchinese.GB18030.NewEncoder().String(content)
	if err != nil {
		t.Fatal(err)
	}
	plain := "id,x\n" + strings.Repeat("1,2\n", 200_000) // nothing but ASCII for 800 kB
	for _, c := range []struct{ name, text, forced, encoding string }{
		{"UTF-8", content, "", "UTF-8"},
		{"UTF-8 with mark", "\ufeff" + content, "", "UTF-8"},
		{"GBK", gbk(t, content), "", "GB18030"},
		{"GB18030", gb18030, "", "GB18030"},
		{"GBK by name", gbk(t, content), "gbk", "GB18030"},
		{"UTF-16LE", utf16(unicode.LittleEndian, unicode.UseBOM), "", "UTF-16LE"},
		{"UTF-16BE", utf16(unicode.BigEndian, unicode.UseBOM), "", "UTF-16BE"},
		{"UTF-16LE by name", utf16(unicode.LittleEndian, unicode.IgnoreBOM), "utf-16le", "UTF-16LE"},
	} {
		got := readTable(t, strings.NewReader(c.text), geofile.Options{Encoding: c.forced})
		if got.err != nil || got.encoding != c.encoding || len(got.rows) != 2 || got.rows[0].Fields[1] != "褚石村" || got.rows[1].Line != 3 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	late := readTable(t, strings.NewReader(plain+gbk(t, "1,褚石村\n")), geofile.Options{})
	if late.err != nil || late.encoding != "GB18030" || len(late.rows) != 200_001 || late.rows[200_000].Fields[1] != "褚石村" {
		t.Errorf("Chinese after 800 kB of numbers: %v, %s, %d rows", late.err, late.encoding, len(late.rows))
	}
}

func TestEncodingsRefused(t *testing.T) {
	latin, err := charmap.Windows1252.NewEncoder().String("id,name\n1,Café Müller\n2,Façade über Jérôme\n")
	if err != nil {
		t.Fatal(err)
	}
	big5, err := traditionalchinese.Big5.NewEncoder().String("id,name\n1,雲林縣二崙鄉三和村\n2,雲林縣麥寮鄉後安村\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"Windows-1252": latin, "Big5": big5} {
		got := readTable(t, strings.NewReader(text), geofile.Options{})
		wantFault(t, name, got.err, "unknown_encoding", 2)
	}
	got := readTable(t, strings.NewReader("id\n"), geofile.Options{Encoding: "ebcdic"})
	wantFault(t, "unknown name", got.err, "unknown_encoding", 0)
	broken := readTable(t, strings.NewReader(gbk(t, "id,name\n1,褚石村长安镇许村镇\n")+"2,\xff\xff\n"), geofile.Options{Encoding: "gbk"})
	if _, rejects := broken.lines(); broken.err != nil || !slices.Equal(rejects, []string{"3/2 name wrong_encoding"}) {
		t.Errorf("%+v", broken)
	}
}

// A line without an end is passed over in a window of the limit's size; the next one is read.
func TestEndlessLine(t *testing.T) {
	size := soak.Or(1<<27, 1<<30)
	for name, in := range map[string]io.Reader{
		"plain":  repeat("id,x\n1,a\n2,", "b", size, "\n3,c\n"),
		"quoted": repeat("id,x\n1,a\n2,\"", "b", size, "\"\n3,c\n"),
		"fields": repeat("id,x\n1,a\n2,", "b,", size/2, "\n3,c\n"),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := readTable(t, in, geofile.Options{})
		runtime.ReadMemStats(&after)
		if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 32 {
			t.Errorf("%s: %d MiB were allocated for a limit of 1", name, mb)
		}
		rows, rejects := got.lines()
		if got.err != nil || !slices.Equal(rows, []string{"2/1 1|a", "4/3 3|c"}) || !slices.Equal(rejects, []string{"3/2  too_large"}) {
			t.Errorf("%s: %v, rows %q, rejects %q", name, got.err, rows, rejects)
		}
	}
}

// A quote that is never closed costs its own line, not the rest of the file.
func TestOpenQuote(t *testing.T) {
	got := readTable(t, repeat("id,x\n1,a\n2,\"b\n", "3,c\n", 400_000, ""), geofile.Options{})
	if _, rejects := got.lines(); got.err != nil || len(got.rows) != 400_001 || !slices.Equal(rejects, []string{"3/2  wrong_quote"}) {
		t.Errorf("%v, %d rows, rejects %q", got.err, len(got.rows), rejects)
	}
}

func TestCompressedTables(t *testing.T) {
	whole := zipped(t, "id,x\n"+strings.Repeat("1,2\n", 100_000))
	if got := readTable(t, strings.NewReader(whole), geofile.Options{}); got.err != nil || len(got.rows) != 100_000 {
		t.Errorf("%v, %d rows", got.err, len(got.rows))
	}
	wantFault(t, "cut off", readTable(t, strings.NewReader(whole[:len(whole)-20]), geofile.Options{}).err, "damaged_gzip", 0)
	wantFault(t, "no gzip", readTable(t, strings.NewReader("\x1f\x8bnothing of the kind"), geofile.Options{}).err, "damaged_gzip", 0)
	wantFault(t, "bomb", readTable(t, strings.NewReader(whole), geofile.Options{MaxBytes: 1000}).err, "too_large", 0)
	exact := readTable(t, strings.NewReader(zipped(t, "id,x\n1,2\n")), geofile.Options{MaxBytes: 9})
	if exact.err != nil || len(exact.rows) != 1 {
		t.Errorf("exactly the limit: %+v", exact)
	}
}

func TestPointTable(t *testing.T) {
	got := readTable(t, strings.NewReader(`{"type":"FeatureCollection","features":[
{"type":"Feature","id":"r1","properties":{"item":"01","lon":"x"},"geometry":{"type":"Point","coordinates":[120.5,30.400000000000002]}},
{"type":"Feature","id":"r2","properties":{"at":"2026-03-01T08:00:00Z","item":null},"geometry":null},
{"type":"Feature","id":"r3","properties":{},"geometry":`+square+`},
{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[null,1]}},
{"type":"Feature","id":5,"properties":{"id":"own"},"geometry":{"type":"Point","coordinates":[1e2,-0.5]}}]}`), geofile.Options{})
	rows, rejects := got.lines()
	if got.err != nil || !slices.Equal(got.header, []string{"id", "lon", "lat", "item", "at"}) {
		t.Fatalf("%+v", got)
	}
	if want := []string{"2/1 r1|120.5|30.400000000000002|01|", "3/2 r2||||2026-03-01T08:00:00Z", "6/5 own|100|-0.5||"}; !slices.Equal(rows, want) {
		t.Errorf("rows %q\nwant %q", rows, want)
	}
	if want := []string{"4/3 geometry no_point", "5/4 geometry.coordinates not_a_number"}; !slices.Equal(rejects, want) {
		t.Errorf("rejects %q", rejects)
	}
	if len(got.notes) != 1 || !strings.Contains(got.notes[0], "lon") {
		t.Errorf("notes %q", got.notes)
	}
	if bad := got.rejects[0].Fields; !slices.Equal(bad, []string{"r3", "", "", "", ""}) {
		t.Errorf("the fields of a feature that is no point: %q", bad)
	}
}

// A table of points tells the system that its file declares; the numbers are as they stand.
func TestProjectedPointTable(t *testing.T) {
	table, err := geofile.OpenTable(t.Context(), "-", geofile.Options{Stdin: strings.NewReader(`{"type":"FeatureCollection",
"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::4549"}},
"features":[{"type":"Feature","id":"r1","properties":{},"geometry":{"type":"Point","coordinates":[560000.5,3376000]}}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close() // read only
	row, err := table.Next()
	if err != nil || table.CRS() != "urn:ogc:def:crs:EPSG::4549" || !slices.Equal(row.Fields, []string{"r1", "560000.5", "3376000"}) {
		t.Errorf("%q, %+v, %v", table.CRS(), row, err)
	}
}

// What is left out is told as it stands, so that it can be mended.
func TestBadRowIsKept(t *testing.T) {
	got := readTable(t, strings.NewReader("id,x\n1,a,b\n2\n3,\"a\" b\r\n4,\xff\n5,a \"b\""), geofile.Options{Encoding: "utf-8"})
	var kept []string
	for _, bad := range got.rejects {
		kept = append(kept, strings.Join(bad.Fields, "|"))
	}
	if want := []string{"1|a|b", "2", `3,"a" b`, "4|\xff", `5,a "b"`}; got.err != nil || len(got.rows) != 0 || !slices.Equal(kept, want) {
		t.Errorf("%v, %d rows, kept %q", got.err, len(got.rows), kept)
	}
	long := readTable(t, strings.NewReader("id,x\n1,\""+strings.Repeat("a", 5000)+"\n2,b\n"), geofile.Options{MaxRow: 1000})
	if len(long.rejects) != 1 || long.rejects[0].Fields != nil || len(long.rows) != 1 {
		t.Errorf("a line that is too long: %+v", long)
	}
}

// Tables that a writer wrote come back as they were, whatever is in them.
func TestTableRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringMatching(`[a-z"',;\n\t 长安镇村é-]{0,8}`)
		width := rapid.IntRange(2, 5).Draw(t, "width")
		want := rapid.SliceOfN(rapid.SliceOfN(cell, width, width), 0, 20).Draw(t, "rows")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(t, "CRLF")
		header := []string{"a", "b", "c", "d", "e"}[:width]
		if err := w.WriteAll(append([][]string{header}, want...)); err != nil {
			t.Fatal(err)
		}
		table, err := geofile.OpenTable(context.Background(), "-", geofile.Options{Stdin: &b, Delimiter: ','})
		if err != nil {
			t.Fatal(err)
		}
		for i, fields := range want {
			row, err := table.Next()
			for k := range row.Fields { // encoding/csv writes line feeds inside quotes as CRLF too
				row.Fields[k] = strings.ReplaceAll(row.Fields[k], "\r\n", "\n")
			}
			if err != nil || !slices.Equal(row.Fields, fields) || row.Record != i+1 {
				t.Fatalf("row %d is %q (%v), want %q", i+1, row.Fields, err, fields)
			}
		}
		if _, err := table.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last row: %v", err)
		}
	})
}
