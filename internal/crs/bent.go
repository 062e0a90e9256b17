package crs

import (
	"math"

	"github.com/paulmach/orb"
)

// The constants of GCJ-02 (Krassovsky 1940, in metres) and BD-09, as in domain.md "Codes".
const (
	axisM        = 6378245.0
	eccentricity = 0.00669342162296594323 // squared, first
	bdPi         = math.Pi * 3000 / 180
	bdLon, bdLat = 0.0065, 0.006
)

// inChina is the rectangle in which GCJ-02 bends at all; outside it equals WGS 84.
func inChina(p orb.Point) bool {
	return p[0] >= 72.004 && p[0] <= 137.8347 && p[1] >= 0.8293 && p[1] <= 55.8271
}

// shift is how far GCJ-02 moves the WGS 84 point, in degrees, without regard to the rectangle.
func shift(p orb.Point) (dLon, dLat float64) {
	x, y := p[0]-105, p[1]-35
	common := (20*math.Sin(6*x*math.Pi) + 20*math.Sin(2*x*math.Pi)) * 2 / 3
	root := math.Sqrt(math.Abs(x))
	dLat = -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*root + common +
		(20*math.Sin(y*math.Pi)+40*math.Sin(y/3*math.Pi))*2/3 +
		(160*math.Sin(y/12*math.Pi)+320*math.Sin(y*math.Pi/30))*2/3
	dLon = 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*root + common +
		(20*math.Sin(x*math.Pi)+40*math.Sin(x/3*math.Pi))*2/3 +
		(150*math.Sin(x/12*math.Pi)+300*math.Sin(x/30*math.Pi))*2/3
	lat := p[1] / 180 * math.Pi
	magic := 1 - eccentricity*math.Sin(lat)*math.Sin(lat)
	meridianM := axisM * (1 - eccentricity) / (magic * math.Sqrt(magic))
	normalM := axisM / math.Sqrt(magic)
	return dLon * 180 / (normalM * math.Cos(lat) * math.Pi), dLat * 180 / (meridianM * math.Pi)
}

// ToGCJ02 bends a WGS 84 point; outside China's rectangle it is the identity.
func ToGCJ02(p orb.Point) orb.Point {
	if !inChina(p) {
		return p
	}
	dLon, dLat := shift(p)
	return orb.Point{p[0] + dLon, p[1] + dLat}
}

// FromGCJ02 is the inverse of ToGCJ02, iterated until a step is below 1e-11 degrees (a thousandth of a millimetre; four
// or five steps, as the shift changes by less than 1 % of the way moved). Outside the rectangle it is the identity.
//
// Within a kilometre of the rectangle's edge, far from any Chinese city, the two are no exact inverses: ToGCJ02 jumps there.
func FromGCJ02(g orb.Point) orb.Point {
	if !inChina(g) {
		return g
	}
	w := g
	for range 20 {
		dLon, dLat := shift(w)
		next := orb.Point{g[0] - dLon, g[1] - dLat}
		step := math.Max(math.Abs(next[0]-w[0]), math.Abs(next[1]-w[1]))
		w = next
		if step < 1e-11 {
			break
		}
	}
	return w
}

// ToBD09 bends a GCJ-02 point once more, by Baidu's formula. It knows no border.
func ToBD09(g orb.Point) orb.Point {
	r := math.Hypot(g[0], g[1]) + 0.00002*math.Sin(g[1]*bdPi)
	theta := math.Atan2(g[1], g[0]) + 0.000003*math.Cos(g[0]*bdPi)
	return orb.Point{r*math.Cos(theta) + bdLon, r*math.Sin(theta) + bdLat}
}

// FromBD09 takes BD-09 to GCJ-02 by the formula in general use. It is off the inverse of ToBD09 by up to 2e-7 degrees.
func FromBD09(b orb.Point) orb.Point {
	x, y := b[0]-bdLon, b[1]-bdLat
	r := math.Hypot(x, y) - 0.00002*math.Sin(y*bdPi)
	theta := math.Atan2(y, x) - 0.000003*math.Cos(x*bdPi)
	return orb.Point{r * math.Cos(theta), r * math.Sin(theta)}
}

// undoBD09 is the inverse of ToBD09 itself, to 1e-11 degrees: a position within centimetres of a border is ordinary.
func undoBD09(b orb.Point) orb.Point {
	g := FromBD09(b)
	for range 20 {
		bent := ToBD09(g)
		dLon, dLat := b[0]-bent[0], b[1]-bent[1]
		g = orb.Point{g[0] + dLon, g[1] + dLat}
		if math.Max(math.Abs(dLon), math.Abs(dLat)) < 1e-11 {
			break
		}
	}
	return g
}
