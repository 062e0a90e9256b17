package geofile_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"gridgov/internal/geofile"
)

// BenchmarkTable reads 100,000 rows of reports, beside the standard library's reader of the same text.
func BenchmarkTable(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("id,service,created,status,address,lon,lat,ward\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "16-%08d,Streetlight Repair,2016-07-08T00:19:28Z,OPEN,\"%d PITTS PLACE, SE\",-76.98602%04d,38.85918%04d,%d\n", i, i%3000, i%9973, i%9967, i%8)
	}
	b.Run("geofile", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			table, err := geofile.OpenTable(context.Background(), "-", geofile.Options{Stdin: bytes.NewReader(text.Bytes())})
			if err != nil {
				b.Fatal(err)
			}
			for {
				if _, err := table.Next(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("encoding-csv", func(b *testing.B) {
		b.SetBytes(int64(text.Len()))
		for b.Loop() {
			r := csv.NewReader(bytes.NewReader(text.Bytes()))
			for {
				if _, err := r.Read(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkGeoJSON reads 200 polygons of 1,000 vertices, beside encoding/json into structures of the same.
func BenchmarkGeoJSON(b *testing.B) {
	var ring strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&ring, "[%.14f,%.14f],", 120+float64(i)/7e3, 30+float64(i*i%977)/9e3)
	}
	feature := `{"type":"Feature","properties":{"code":"330481","name":"褚石村"},"geometry":{"type":"Polygon","coordinates":[[[119,29],` + ring.String() + `[119,29]]]}}`
	text := `{"type":"FeatureCollection","features":[` + feature + strings.Repeat(","+feature, 199) + `]}`
	b.Run("geofile", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			r, err := geofile.Open(context.Background(), "-", geofile.Options{Stdin: strings.NewReader(text)})
			if err != nil {
				b.Fatal(err)
			}
			for {
				if _, err := r.Next(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			var all struct {
				Features []struct {
					Properties map[string]any
					Geometry   struct {
						Type        string
						Coordinates [][][2]float64
					}
				}
			}
			if err := json.Unmarshal([]byte(text), &all); err != nil {
				b.Fatal(err)
			}
		}
	})
}
