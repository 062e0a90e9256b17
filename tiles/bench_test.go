package tiles

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"

	"gridgov/internal/cube"
)

// What a heat tile costs after its cells are counted: writing, tagging, compressing; and writing by orb beside it.
func BenchmarkHeatTile(b *testing.B) {
	rows := sample(1, 200_000)
	view := load(rows)
	x, y := cellOf(rows[1], 11)
	a := Address{11, x / 64, y / 64}
	f := cube.Filter{Items: []uint16{1}}
	var m Maker
	tile := m.Heat(nil, view, a, f)
	b.Run("cells", func(b *testing.B) {
		var cells []cube.Cell
		for b.Loop() {
			cells = view.Heat(a.Z, a.X, a.Y, f, cells[:0])
		}
		b.ReportMetric(float64(len(cells)), "cells")
	})
	b.Run("tile", func(b *testing.B) {
		var out []byte
		for b.Loop() {
			out = m.Heat(out[:0], view, a, f)
		}
		b.ReportMetric(float64(len(out)), "bytes")
	})
	b.Run("etag", func(b *testing.B) {
		for b.Loop() {
			ETag(tile)
		}
	})
	b.Run("gzip", func(b *testing.B) {
		var out []byte
		for b.Loop() {
			out = AppendGzip(out[:0], tile)
		}
		b.ReportMetric(float64(len(out)), "bytes")
	})
	b.Run("library's gzip", func(b *testing.B) {
		var out bytes.Buffer
		z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			out.Reset()
			z.Reset(&out)
			z.Write(tile) //nolint:errcheck // into memory
			z.Close()
		}
		b.ReportMetric(float64(out.Len()), "bytes")
	})
	b.Run("orb", func(b *testing.B) {
		cells := view.Heat(a.Z, a.X, a.Y, f, nil)
		for b.Loop() {
			collection := geojson.NewFeatureCollection()
			for _, c := range cells {
				p := orb.Point{float64(c.X), float64(c.Y)}
				f := geojson.NewFeature(orb.Bound{Min: p, Max: orb.Point{p[0] + 1, p[1] + 1}}.ToPolygon())
				f.Properties["count"], f.Properties["per_km2"] = c.Count, float32(c.Count)/cellKM2
				collection.Append(f)
			}
			layer := mvt.NewLayer("heat", collection)
			layer.Version, layer.Extent = 2, 64
			if _, err := mvt.Marshal(mvt.Layers{layer}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

const cellKM2 = 0.05

func BenchmarkReportTile(b *testing.B) {
	rows := sample(1, 200_000)
	view := load(rows)
	x, y := cellOf(rows[1], 12)
	var m Maker
	var out []byte
	truncated := false
	for b.Loop() {
		out, truncated = m.Reports(out[:0], view, Address{12, x / 64, y / 64}, cube.Filter{}, names)
	}
	b.ReportMetric(float64(len(out)), "bytes")
	b.Logf("truncated: %v", truncated)
}

func BenchmarkBoundaryTile(b *testing.B) {
	bounds := newBoundaries(b, lattice(b))
	for _, z := range []uint32{8, 10, 12, 14, 16} {
		b.Run(fmt.Sprint("z", z), func(b *testing.B) {
			v := mercator(bounds.Bound().Center())
			a := Address{z, uint32(v.x * float64(uint32(1)<<z)), uint32(v.y * float64(uint32(1)<<z))}
			var out []byte
			for b.Loop() {
				out = bounds.Tile(out[:0], a)
			}
			b.ReportMetric(float64(len(out)), "bytes")
		})
	}
}
