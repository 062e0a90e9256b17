package tiles

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"gridgov/internal/cube"
)

// Surface is a number for each of some squares, none of them below 0, and the largest of them.
type Surface struct {
	cube.Squares
	Values []float32 // row by row
	Peak   float32
}

// densitySide is the number of squares a side of a tile of a density has: a surface is drawn finer than what is counted by squares.
const densitySide = 128

// densitySteps are in how many steps of the peak a density is drawn.
const densitySteps = 100

// Density appends the heat tile of a surface: one layer `heat` of strips of squares, 1/128 of the tile a side, with `density`, in steps of a
// hundredth of the peak, and `share`, of the peak. What is below half a step is left out. An empty tile, or an address that is not valid:
// nothing is appended.
func (m *Maker) Density(dst []byte, a Address, s *Surface) []byte {
	if !a.Valid() || !(s.Peak > 0) {
		return dst
	}
	b := m.take()
	defer m.buffers.Put(b)
	t := &b.heat
	t.values = t.values[:0]
	var known [densitySteps + 1]uint64 // step → index of its two values, + 1
	next := uint64(0)
	dst, start := beginLayer(dst)
	empty := len(dst)
	scale := math.Exp2(float64(s.Z)-float64(a.Z)) / densitySide
	for row := range densitySide {
		y := (float64(a.Y)*densitySide+float64(row)+0.5)*scale - float64(s.Y)
		var line [densitySide + 1]uint8 // the last one is 0 and ends what is under way
		for col := range densitySide {
			x := (float64(a.X)*densitySide+float64(col)+0.5)*scale - float64(s.X)
			line[col] = uint8(math.Round(float64(s.at(x, y)) / float64(s.Peak) * densitySteps))
		}
		for from, col := 0, 1; col <= densitySide; col++ {
			if line[col] == line[from] {
				continue
			}
			if step := line[from]; step > 0 {
				if known[step] == 0 {
					t.values = appendFloatValue(t.values, s.Peak*float32(step)/densitySteps)
					t.values = appendFloatValue(t.values, float32(step)/densitySteps)
					next += 2
					known[step] = next - 1
				}
				dst = appendStrip(dst, from, row, col-from, known[step]-1)
			}
			from = col
		}
	}
	if len(dst) == empty {
		return dst[:start]
	}
	return endLayer(dst, start, "heat", []string{"density", "share"}, t.values, densitySide)
}

// at is the value at a place, by columns and rows, between the middles of the squares around it; of a square without a value, none.
func (s *Surface) at(x, y float64) float32 {
	value := func(col, row int) float64 {
		if col < 0 || row < 0 || col >= s.Cols || row >= s.Rows {
			return 0
		}
		return float64(s.Values[row*s.Cols+col])
	}
	if value(int(math.Floor(x)), int(math.Floor(y))) == 0 {
		return 0
	}
	x, y = x-0.5, y-0.5
	col, row := int(math.Floor(x)), int(math.Floor(y))
	u, v := x-float64(col), y-float64(row)
	return float32((1-v)*((1-u)*value(col, row)+u*value(col+1, row)) + v*((1-u)*value(col, row+1)+u*value(col+1, row+1)))
}

// appendStrip appends a rectangle of one row, with two values that stand side by side.
func appendStrip(dst []byte, x, y, width int, value uint64) []byte {
	at := len(dst)
	dst = append(dst, tagLayerFeature, 0, tagFeatureTags, 0, 0)
	dst = protowire.AppendVarint(dst, value)
	dst = append(dst, 1)
	dst = protowire.AppendVarint(dst, value+1)
	dst[at+3] = byte(len(dst) - at - 4)
	dst = append(dst, tagFeatureType, typePolygon, tagFeatureGeometry, 0, 1<<3|moveTo)
	geometry := len(dst) - 1
	dst = protowire.AppendVarint(dst, zigzag(x))
	dst = protowire.AppendVarint(dst, zigzag(y))
	// Right, down, left: positive area where y grows downwards.
	dst = protowire.AppendVarint(append(dst, 3<<3|lineTo), zigzag(width))
	dst = protowire.AppendVarint(append(dst, 0, 0, 2), zigzag(-width))
	dst = append(dst, 0, 1<<3|closePath)
	dst[geometry-1] = byte(len(dst) - geometry)
	dst[at+1] = byte(len(dst) - at - 2) // always below 128
	return dst
}
