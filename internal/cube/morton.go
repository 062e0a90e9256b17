package cube

import "math"

const worldCells = 1 << 32

// project returns the 32-bit web-mercator cell of a position and whether it has one: false for NaN and infinities.
// x grows eastward from -180°, y southward from +85.0511°; what lies outside is moved to the nearest cell.
func project(lon, lat float64) (x, y uint32, ok bool) {
	if math.IsNaN(lon-lon) || math.IsNaN(lat-lat) {
		return 0, 0, false
	}
	fx := (lon + 180) / 360
	lat = max(-89.9, min(89.9, lat)) // keeps the tangent finite; still beyond the square
	fy := 0.5 - math.Log(math.Tan(math.Pi/4+lat*math.Pi/360))/(2*math.Pi)
	return cellOf(fx), cellOf(fy), true
}

func cellOf(f float64) uint32 {
	return uint32(max(0, min(worldCells-1, math.Floor(f*worldCells))))
}

// unproject returns the middle of a cell in degrees.
func unproject(x, y uint32) (lon, lat float64) {
	lon = (float64(x)+0.5)/worldCells*360 - 180
	lat = math.Atan(math.Sinh(math.Pi*(1-2*(float64(y)+0.5)/worldCells))) * 180 / math.Pi
	return lon, lat
}

// interleave puts the bits of x at even places and those of y at odd ones.
func interleave(x, y uint32) uint64 { return spread(x) | spread(y)<<1 }

func deinterleave(code uint64) (x, y uint32) { return squeeze(code), squeeze(code >> 1) }

func spread(v uint32) uint64 {
	w := uint64(v)
	w = (w | w<<16) & 0x0000ffff0000ffff
	w = (w | w<<8) & 0x00ff00ff00ff00ff
	w = (w | w<<4) & 0x0f0f0f0f0f0f0f0f
	w = (w | w<<2) & 0x3333333333333333
	return (w | w<<1) & 0x5555555555555555
}

func squeeze(w uint64) uint32 {
	w &= 0x5555555555555555
	w = (w | w>>1) & 0x3333333333333333
	w = (w | w>>2) & 0x0f0f0f0f0f0f0f0f
	w = (w | w>>4) & 0x00ff00ff00ff00ff
	w = (w | w>>8) & 0x0000ffff0000ffff
	return uint32(w | w>>16)
}

// span is a range of Morton codes, both ends included. Rows of a span that is not whole may lie outside the area asked.
type span struct {
	first, last uint64
	whole       bool
}

// tileSpan is the range of a map tile. z is at most 32.
func tileSpan(z, x, y uint32) span {
	first := interleave(x, y) << (64 - 2*z) // z = 0: a shift by 64 gives 0
	return span{first, first | (1<<(64-2*z) - 1), true}
}
