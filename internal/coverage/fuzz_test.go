package coverage

import (
	"context"
	"encoding/binary"
	"math"
	"reflect"
	"testing"
	"time"

	"gridgov/internal/fault"

	"github.com/paulmach/orb"
)

// polygonsOf reads polygons from bytes: any doubles at all, or (even first byte) points of a small lattice, where
// coincidences are the rule.
func polygonsOf(data []byte) []Polygon {
	if len(data) == 0 {
		return nil
	}
	lattice, data := data[0]%2 == 0, data[1:]
	var polygons []Polygon
	var ring orb.Ring
	end := func() {
		if len(ring) > 0 {
			ring = append(ring, ring[0])
			last := &polygons[len(polygons)-1]
			last.Shape[len(last.Shape)-1] = append(last.Shape[len(last.Shape)-1], ring)
			ring = nil
		}
	}
	open := func() {
		code := string(rune('a' + len(polygons)%5))
		polygons = append(polygons, Polygon{Code: code, Line: len(polygons) + 1, Shape: orb.MultiPolygon{{}}})
	}
	open()
	for len(data) > 0 {
		op := data[0]
		data = data[1:]
		switch op % 16 {
		case 0:
			end()
			open()
		case 1:
			end()
			last := &polygons[len(polygons)-1]
			last.Shape = append(last.Shape, orb.Polygon{})
		case 2:
			end()
		default:
			if lattice {
				ring = append(ring, orb.Point{120 + float64(op>>4)*1e-8*float64(op%16), 30 + float64(op%16)*1e-8})
				continue
			}
			if len(data) < 16 {
				data = nil
				continue
			}
			ring = append(ring, orb.Point{
				math.Float64frombits(binary.LittleEndian.Uint64(data)),
				math.Float64frombits(binary.LittleEndian.Uint64(data[8:])),
			})
			data = data[16:]
		}
	}
	end()
	return polygons
}

func FuzzBuild(f *testing.F) {
	seed := func(lattice byte, points ...float64) {
		data := []byte{lattice}
		for i := 0; i+1 < len(points); i += 2 {
			data = append(data, 3)
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(points[i]))
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(points[i+1]))
		}
		f.Add(data)
	}
	seed(1, 120, 30, 121, 30, 121, 31, 120, 31)
	seed(1, 120, 30, 121, 31, 121, 30, 120, 31)
	seed(1, 0, 0, 5e-324, 0, 5e-324, 5e-324)
	seed(1, 180, 90, -180, 90, -180, -90, 180, -90)
	seed(1, math.NaN(), 0, math.Inf(1), 0, 1e300, 1)
	f.Add([]byte{0, 0x13, 0x35, 0x57, 0x79, 0, 0x13, 0x9b, 0x57, 2, 0x44, 0x88, 0x4c})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		c, findings, err := Build(ctx, polygonsOf(data), Options{})
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		for _, f := range findings {
			if f.Message == "" || !(f.AreaM2 >= 0) || math.IsInf(f.AreaM2, 0) || !(math.Abs(f.Place[0]) <= 180 && math.Abs(f.Place[1]) <= 90) {
				t.Fatalf("finding %+v", f)
			}
		}
		again, err := FromFaces(c.Polygons())
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("what came out is no coverage: %v", err)
		}
		checkSimplified(t, c, 10)
	})
}
