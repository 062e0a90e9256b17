package beidou_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridgov/internal/beidou"
)

// The vectors of GB/T 39409-2020 and of domain.md.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		lon, lat float64
		level    int
		want     string
	}{
		{116 + 18.0/60 + 45.37/3600, 39 + 59.0/60 + 35.38/3600, 10, "N50J47539B8255346152"},
		{116.315222, 39.910278, 4, "N50J47534"},
		{116.3974, 39.9093, 6, "N50J47584C81"},
		{0, 0, 1, "N31A"},
		{math.Nextafter(180, 0), math.Nextafter(88, 0), 1, "N60V"},
		{math.Nextafter(180, 0), math.Nextafter(88, 0), 10, "N60VB75E9EE377777777"},
	} {
		got, ok := beidou.Encode(c.lon, c.lat, c.level)
		if !ok || got != c.want {
			t.Errorf("Encode(%v, %v, %d) = %q, %v; want %q", c.lon, c.lat, c.level, got, ok, c.want)
		}
	}
}

func TestOutside(t *testing.T) {
	for _, c := range []struct {
		lon, lat float64
		level    int
	}{
		{-77, 38.9, 5},
		{-1e-300, 1, 5},
		{1, -1e-300, 5},
		{180, 1, 5},
		{1, 88, 5},
		{1, 90, 5},
		{math.NaN(), 1, 5},
		{1, math.NaN(), 5},
		{math.Inf(1), 1, 5},
		{120, 30, 0},
		{120, 30, 11},
		{120, 30, -1},
	} {
		if code, ok := beidou.Encode(c.lon, c.lat, c.level); ok || code != "" {
			t.Errorf("Encode(%v, %v, %d) = %q", c.lon, c.lat, c.level, code)
		}
	}
}

// sizes of the cells in arc-seconds as the standard's table gives them, and how many digits each part has.
var steps = []struct {
	lon, lat *big.Rat
	base     int64 // of the pair's digits; 0: zone and letter; 2: one digit of 2·row + column
}{
	{big.NewRat(6*3600, 1), big.NewRat(4*3600, 1), 0},
	{big.NewRat(1800, 1), big.NewRat(1800, 1), 16},
	{big.NewRat(900, 1), big.NewRat(600, 1), 2},
	{big.NewRat(60, 1), big.NewRat(60, 1), 16},
	{big.NewRat(4, 1), big.NewRat(4, 1), 16},
	{big.NewRat(2, 1), big.NewRat(2, 1), 2},
	{big.NewRat(1, 4), big.NewRat(1, 4), 16},
	{big.NewRat(1, 32), big.NewRat(1, 32), 16},
	{big.NewRat(1, 256), big.NewRat(1, 256), 16},
	{big.NewRat(1, 2048), big.NewRat(1, 2048), 16},
}

// byTheTable encodes with exact fractions, level by level, as the standard's text goes.
func byTheTable(lon, lat *big.Rat, level int) string {
	code := "N"
	second := big.NewRat(3600, 1)
	x, y := new(big.Rat).Mul(lon, second), new(big.Rat).Mul(lat, second)
	take := func(rest, size *big.Rat) int64 {
		q := new(big.Rat).Quo(rest, size)
		n := new(big.Int).Quo(q.Num(), q.Denom())
		rest.Sub(rest, new(big.Rat).Mul(new(big.Rat).SetInt(n), size))
		return n.Int64()
	}
	for _, s := range steps[:level] {
		col, row := take(x, s.lon), take(y, s.lat)
		switch s.base {
		case 0:
			code += fmt.Sprintf("%02d%c", col+31, 'A'+rune(row))
		case 2:
			code += fmt.Sprint(2*row + col)
		default:
			code += fmt.Sprintf("%X%X", col, row)
		}
	}
	return code
}

// Inside a cell, away from the 15 nm of grace at its lines, the code is the table's.
func TestAgreesWithTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// The middle of a finest cell: units of 1/2048 arc-second, plus a half.
		const perDegree = 3600 * 2048
		x := rapid.Int64Range(0, 180*perDegree-1).Draw(t, "x")
		y := rapid.Int64Range(0, 88*perDegree-1).Draw(t, "y")
		level := rapid.IntRange(1, beidou.MaxLevel).Draw(t, "level")
		lon, lat := big.NewRat(2*x+1, 2*perDegree), big.NewRat(2*y+1, 2*perDegree)
		lonF, _ := lon.Float64()
		latF, _ := lat.Float64()
		got, ok := beidou.Encode(lonF, latF, level)
		if want := byTheTable(lon, lat, level); !ok || got != want {
			t.Fatalf("Encode(%v, %v, %d) = %q, %v; the table gives %q", lonF, latF, level, got, ok, want)
		}
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lon := rapid.Float64Range(0, math.Nextafter(180, 0)).Draw(t, "lon")
		lat := rapid.Float64Range(0, math.Nextafter(88, 0)).Draw(t, "lat")
		var parent string
		for level := 1; level <= beidou.MaxLevel; level++ {
			code, ok := beidou.Encode(lon, lat, level)
			if !ok {
				t.Fatalf("%v, %v has no code at level %d", lon, lat, level)
			}
			if !strings.HasPrefix(code, parent) {
				t.Fatalf("the code %q does not begin with its parent's, %q", code, parent)
			}
			parent = code
			cell, ok := beidou.Decode(code)
			if !ok || cell.Level != level {
				t.Fatalf("Decode(%q) = %v, %v", code, cell, ok)
			}
			const grace = 1e-6/(3600*2048) + 1e-13 // a millionth of a unit, and the doubles' own rounding
			b := cell.Bound
			if lon < b.Min[0]-grace || lon >= b.Max[0]+grace || lat < b.Min[1]-grace || lat >= b.Max[1]+grace {
				t.Fatalf("%v, %v is not in %q = %v", lon, lat, code, b)
			}
			if again, ok := beidou.Encode((b.Min[0]+b.Max[0])/2, (b.Min[1]+b.Max[1])/2, level); !ok || again != code {
				t.Fatalf("the middle of %q has the code %q", code, again)
			}
			if again, ok := beidou.Encode(b.Min[0], b.Min[1], level); !ok || again != code {
				t.Fatalf("the south-western corner of %q has the code %q", code, again)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"N50J47539B8255346152", "N50J", "N50J47584C81", "N61A", "N50W", "N30A", "n50J", "S50J", "N50J4753G", "N50JC8", "N50J476", "N5ÿJ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, code string) {
		cell, ok := beidou.Decode(code)
		if !ok {
			return
		}
		b := cell.Bound
		if again, ok := beidou.Encode((b.Min[0]+b.Max[0])/2, (b.Min[1]+b.Max[1])/2, cell.Level); !ok || again != code {
			t.Fatalf("%q is the cell %v, whose middle has the code %q", code, b, again)
		}
	})
}
