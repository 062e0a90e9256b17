// Package beidou computes BeiDou grid location codes (GB/T 39409-2020, the two-dimensional ones).
//
// A code names a cell of the globe; cutting it at a level's length names the cell's parent. All arithmetic is on whole
// units of 1/2048 arc-second. Only the north-eastern quadrant below 88° is coded: that is where the standard's polar and
// mirrored cells are not needed, and all of China.
package beidou

import (
	"math"
	"strings"

	"github.com/paulmach/orb"
)

// MaxLevel is the finest level: 1/2048 arc-second, 1.5 cm.
const MaxLevel = 10

// perDegree is the number of units in a degree.
const perDegree = 3600 * 2048

// maxLon and maxLat are the first units that are not coded.
const maxLon, maxLat = 180 * perDegree, 88 * perDegree

// level is one step of the division: the size of its cells in units, how its two indices are written, the code's length.
type level struct {
	lon, lat int64
	form     form
	length   int
}

// form is how a level writes the column and the row of a cell inside its parent.
type form uint8

const (
	formZone  form = iota // two digits from 31, then a letter
	formPair              // one upper-case hexadecimal digit each, longitude first
	formSplit             // 2·row + column in one digit: the parent has two columns
)

var levels = [MaxLevel]level{
	{6 * perDegree, 4 * perDegree, formZone, 4},
	{30 * 60 * 2048, 30 * 60 * 2048, formPair, 6},
	{15 * 60 * 2048, 10 * 60 * 2048, formSplit, 7},
	{60 * 2048, 60 * 2048, formPair, 9},
	{4 * 2048, 4 * 2048, formPair, 11},
	{2 * 2048, 2 * 2048, formSplit, 12},
	{512, 512, formPair, 14},
	{64, 64, formPair, 16},
	{8, 8, formPair, 18},
	{1, 1, formPair, 20},
}

// units counts whole units in an angle. The millionth of a unit (15 nm) keeps decimals such as 116.3 = 116°18′ on the
// line that they mean: their nearest double may lie just below it.
func units(deg float64, end int64) (int64, bool) {
	if !(deg >= 0) { // NaN too
		return 0, false
	}
	u := math.Floor(deg*perDegree + 1e-6)
	if u > float64(end) || deg*perDegree >= float64(end) {
		return 0, false
	}
	return min(int64(u), end-1), true // just below the end belongs to the last cell
}

// Encode is the code of the cell that holds the point, at a level from 1 (6° × 4°) to 10 (1.5 cm). A point on the line
// between two cells belongs to the eastern and northern one. ok is false outside 0° ≤ lon < 180°, 0° ≤ lat < 88°, for
// NaN and for other levels.
func Encode(lon, lat float64, lvl int) (code string, ok bool) {
	x, okX := units(lon, maxLon)
	y, okY := units(lat, maxLat)
	if !okX || !okY || lvl < 1 || lvl > MaxLevel {
		return "", false
	}
	const hex = "0123456789ABCDEF"
	buf := make([]byte, 1, 20)
	buf[0] = 'N'
	for _, l := range levels[:lvl] {
		col, row := x/l.lon, y/l.lat
		x, y = x%l.lon, y%l.lat
		switch l.form {
		case formZone:
			zone := col + 31
			buf = append(buf, byte('0'+zone/10), byte('0'+zone%10), byte('A'+row))
		case formSplit:
			buf = append(buf, byte('0'+2*row+col))
		case formPair:
			buf = append(buf, hex[col], hex[row])
		}
	}
	return string(buf), true
}

// Cell is the box that a code names.
type Cell struct {
	Level int
	Bound orb.Bound // degrees; west and south edges belong to the cell, east and north ones do not
}

// Decode finds the cell of a code as Encode writes it; ok is false for anything else (other quadrants, a length between
// two levels, digits that the level does not have).
func Decode(code string) (cell Cell, ok bool) {
	if len(code) == 0 || code[0] != 'N' {
		return Cell{}, false
	}
	var x, y int64
	for i, l := range levels {
		start := 1
		parentLon, parentLat := int64(maxLon), int64(maxLat)
		if i > 0 {
			start = levels[i-1].length
			parentLon, parentLat = levels[i-1].lon, levels[i-1].lat
		}
		if len(code) < l.length {
			return Cell{}, false
		}
		col, row := l.read(code[start:l.length])
		if col < 0 || row < 0 || col*l.lon >= parentLon || row*l.lat >= parentLat {
			return Cell{}, false
		}
		x, y = x+col*l.lon, y+row*l.lat
		if len(code) == l.length {
			return Cell{Level: i + 1, Bound: orb.Bound{
				Min: orb.Point{float64(x) / perDegree, float64(y) / perDegree},
				Max: orb.Point{float64(x+l.lon) / perDegree, float64(y+l.lat) / perDegree},
			}}, true
		}
	}
	return Cell{}, false
}

// read gives the column and row that a part of a code writes, -1 where it has none.
func (l level) read(part string) (col, row int64) {
	digit := func(c byte) int64 { return int64(strings.IndexByte("0123456789ABCDEF", c)) }
	switch l.form {
	case formZone:
		if tens, ones := digit(part[0]), digit(part[1]); tens >= 0 && tens < 10 && ones >= 0 && ones < 10 {
			return tens*10 + ones - 31, int64(part[2]) - 'A'
		}
		return -1, -1
	case formSplit:
		d := digit(part[0])
		if d < 0 {
			return -1, -1
		}
		return d % 2, d / 2
	}
	return digit(part[0]), digit(part[1])
}
