package geofile_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/geofile"
)

// fuzzOptions are small limits, and no GDAL: what is fuzzed is read here.
func fuzzOptions(content []byte) geofile.Options {
	return geofile.Options{
		Stdin: bytes.NewReader(content), MaxBytes: 1 << 20, MaxRow: 1 << 12, MaxVertices: 1 << 12, GDALDir: "/nonexistent",
	}
}

// read goes through a file to its end and checks what is promised of each feature.
func read(t *testing.T, content []byte) {
	r, err := geofile.Open(context.Background(), "-", fuzzOptions(content))
	if err != nil {
		if f, ok := fault.As(err); !ok || f.Message == "" || f.Code == "" {
			t.Fatalf("an error without words: %v", err)
		}
		return
	}
	defer r.Close() // read only
	last := 0
	for range len(content) + 2 {
		f, err := r.Next()
		row := (*geofile.RowError)(nil)
		record, line := f.Record, f.Line
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &row):
			record, line = row.Record, row.Line
			if row.Code == "" || row.Reason == "" {
				t.Fatalf("a reject without words: %+v", row)
			}
		case err != nil:
			if f, ok := fault.As(err); !ok || f.Message == "" || f.Code == "" {
				t.Fatalf("an error without words: %v", err)
			}
			return
		default:
			sound(t, f.Shape)
		}
		if record != last+1 || line < 1 || line > bytes.Count(content, []byte{'\n'})+1 {
			t.Fatalf("record %d at line %d follows record %d", record, line, last)
		}
		last = record
	}
	t.Fatal("reading does not end")
}

// sound is what every later reader of a shape relies on.
func sound(t *testing.T, g orb.Geometry) {
	line := func(points []orb.Point, least int) {
		if len(points) < least {
			t.Fatalf("%d points: %v", len(points), g)
		}
		for _, p := range points {
			if math.IsNaN(p[0]) || math.IsInf(p[0], 0) || math.IsNaN(p[1]) || math.IsInf(p[1], 0) {
				t.Fatalf("not finite: %v", g)
			}
		}
	}
	polygon := func(p orb.Polygon) {
		if len(p) == 0 {
			t.Fatalf("empty polygon: %v", g)
		}
		for _, r := range p {
			line(r, 4)
			distinct := slices.Compact(slices.SortedFunc(slices.Values(r), func(a, b orb.Point) int { return slices.Compare(a[:], b[:]) }))
			if r[0] != r[len(r)-1] || len(distinct) < 3 {
				t.Fatalf("no ring: %v", r)
			}
		}
	}
	switch s := g.(type) {
	case orb.Point:
		line([]orb.Point{s}, 1)
	case orb.MultiPoint:
		line(s, 1)
	case orb.LineString:
		line(s, 2)
	case orb.MultiLineString:
		if len(s) == 0 {
			t.Fatal("empty")
		}
		for _, l := range s {
			line(l, 2)
		}
	case orb.Polygon:
		polygon(s)
	case orb.MultiPolygon:
		if len(s) == 0 {
			t.Fatal("empty")
		}
		for _, p := range s {
			polygon(p)
		}
	case orb.Collection:
		if len(s) == 0 {
			t.Fatal("empty")
		}
		for _, part := range s {
			sound(t, part)
		}
	default:
		t.Fatalf("a shape of type %T", g)
	}
}

func FuzzGeoJSON(f *testing.F) {
	f.Add([]byte(parishes))
	for _, s := range []string{
		square, `{"features":[{"type":"Feature","geometry":` + square + `}],"type":"FeatureCollection","crs":null}`,
		`{"type":"FeatureCollection","features":[null,{"type":"Feature","properties":{"a":[1,{"b":null}]},"geometry":{"type":"MultiPoint","coordinates":[[],[80,20]]}}]}`,
		`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2,3]},{"type":"LineString","coordinates":[[1,2],[1e308,4]]}]}`,
		"\xff\xfe{\x00}\x00", "{\"type\":\"Feature\",\n\"geometry\":null}", `{"a":"b"}`, `{"type":"MultiPolygon","coordinates":[[[[0,0],[0,1],[1,1],[0,0]]]]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(read)
}

func FuzzGeoJSONSeq(f *testing.F) {
	line := `{"type":"Feature","id":1,"properties":{"a":"b"},"geometry":{"type":"Point","coordinates":[1,2]}}`
	for _, s := range []string{line + "\n" + line, "\x1e" + line + "\n\x1e{}\n", line + "\n{\n" + line, line + "\n\n" + `{"type":"Feature","a":1,"a":2}` + "\r\n", line + line} {
		f.Add([]byte(s))
	}
	f.Fuzz(read)
}

func FuzzTopoJSON(f *testing.F) {
	for _, s := range []string{
		quantised, plainTopology, `{"type":"Topology","objects":{"a":{"type":null}},"arcs":[]}`,
		`{"type":"Topology","objects":{"x":{"type":"GeometryCollection","geometries":[{"type":"Polygon","arcs":[[0,-1,2147483647]]}]}},"arcs":[[[1,0],[1,1]]]}`,
		`{"arcs":[[]],"transform":{"scale":[1e308,1],"translate":[1e308,0]},"type":"Topology","objects":{"x":{"type":"LineString","arcs":[0]}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(read)
}

// What our reader of tables takes, the standard library's takes the same; what it refuses, that one has a reason to refuse.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a,b\r\n\"1\n\",\"\"\"\"\r\n", "a,b\n1,\"2\n3,4\n", "a,b\n1,2\"\n3,4", "a;b\n1;2", "\xef\xbb\xbfa,b\n\xff,\x00\n", "a,b\n\n1,2,3\n", "a,b\n\r1,2\r\r\n",
		"\xb3\xa4,b\n\xb0\xb2,2\n", "a\tb\n\"x\"y\t\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		opts := fuzzOptions(content)
		opts.Delimiter, opts.Encoding = ',', "utf-8"
		table, err := geofile.OpenTable(context.Background(), "-", opts)
		if err != nil {
			if f, ok := fault.As(err); !ok || f.Message == "" {
				t.Fatalf("an error without words: %v", err)
			}
			return
		}
		if table.Format() != "CSV" {
			return
		}
		header := table.Header()
		var ours [][]string
		clean := true
		for range len(content) + 2 {
			row, err := table.Next()
			bad := (*geofile.RowError)(nil)
			if errors.As(err, &bad) {
				clean = false
				if bad.Line < 1 || bad.Record < 1 || bad.Reason == "" {
					t.Fatalf("%+v", bad)
				}
				continue
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(row.Fields) != len(header) {
				t.Fatalf("%d fields under %d columns", len(row.Fields), len(header))
			}
			for _, v := range row.Fields {
				if !utf8.ValidString(v) || bytes.IndexByte([]byte(v), 0) >= 0 {
					t.Fatalf("passed %q", v)
				}
			}
			ours = append(ours, row.Fields)
		}
		if !clean || bytes.ContainsRune(content, '\r') { // where a carriage return is no line end the two differ on purpose
			return
		}
		theirs := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))))
		theirs.FieldsPerRecord = -1
		all, err := theirs.ReadAll()
		if err != nil || len(all) == 0 {
			t.Fatalf("encoding/csv refuses what was taken: %v", err)
		}
		all = slices.DeleteFunc(all[1:], func(r []string) bool { return len(r) == 1 && r[0] == "" })
		if !slices.EqualFunc(ours, all, slices.Equal) {
			t.Fatalf("read %q, by encoding/csv %q", ours, all)
		}
	})
}

// Any text in any encoding gives rows or words, never a panic.
func FuzzTable(f *testing.F) {
	f.Add([]byte(gbk(f, "编号,名称\n1,褚石村\n")))
	f.Add([]byte("\xff\xfei\x00d\x00\n\x001\x00"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},"geometry":null}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		got := readTable(t, bytes.NewReader(content), geofile.Options{MaxBytes: 1 << 20, MaxRow: 1 << 12})
		if got.err != nil {
			if f, ok := fault.As(got.err); !ok || f.Message == "" {
				t.Fatalf("an error without words: %v", got.err)
			}
		}
	})
}
