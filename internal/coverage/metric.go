package coverage

import (
	"math"

	"github.com/paulmach/orb"
)

// GRS80, the ellipsoid of CGCS2000 (EPSG:4490); WGS84 differs by 0.1 mm in its minor axis.
const (
	semiMajorM   = 6378137.0
	eccentricity = 0.08181919104281579 // √(2f − f²), f = 1/298.257222101
	ecc2         = eccentricity * eccentricity
	degree       = math.Pi / 180

	// minCos keeps a tolerance in degrees finite near the poles, where a degree of longitude has no length.
	minCos = 1e-3
)

// scale is metres per degree of lon and lat at a latitude.
type scale struct{ lon, lat float64 }

// scaleAt is good to the square of the distance over the earth's radius: for tolerances and for edges.
func scaleAt(latDeg float64) scale {
	sin, cos := math.Sincos(latDeg * degree)
	w2 := 1 - ecc2*sin*sin
	w := math.Sqrt(w2)
	return scale{
		lon: semiMajorM / w * math.Max(cos, minCos) * degree,
		lat: semiMajorM * (1 - ecc2) / (w2 * w) * degree,
	}
}

// lengthM is the length of a short edge.
func lengthM(a, b orb.Point) float64 {
	s := scaleAt((a[1] + b[1]) / 2)
	return math.Hypot((b[0]-a[0])*s.lon, (b[1]-a[1])*s.lat)
}

// equalArea projects to the cylindrical equal-area plane of the ellipsoid, in metres.
// Snyder, Map Projections — A Working Manual, USGS 1395, 1987, equations 3-12 and 10-14 to 10-16.
func equalArea(p orb.Point) orb.Point {
	sin := math.Sin(p[1] * degree)
	es := eccentricity * sin
	q := (1 - ecc2) * (sin/(1-es*es) + math.Atanh(es)/eccentricity)
	return orb.Point{semiMajorM * degree * p[0], semiMajorM / 2 * q}
}

// ringAreaM2 is positive for a counter-clockwise ring; ring may be closed or open. It is the area on the ellipsoid of the
// ring with edges straight in lon/lat: under each edge Simpson's rule integrates the equal-area plane's y, whose error
// is beyond doubles for edges of kilometres. Edges seen from both sides cancel, so areas add up. PostGIS's geography has
// geodesic edges; the two differ by less than 0.5 % for faces of up to some hundred kilometres.
func ringAreaM2(ring []orb.Point) float64 {
	if len(ring) < 3 {
		return 0
	}
	base := equalArea(ring[0])[1]
	height := func(p orb.Point) float64 { return equalArea(p)[1] - base }
	var area float64
	last := ring[len(ring)-1]
	lastY := height(last)
	for _, p := range ring {
		y := height(p)
		if p[0] != last[0] {
			middle := height(orb.Point{0, last[1] + (p[1]-last[1])/2})
			area -= (p[0] - last[0]) * (lastY + 4*middle + y) / 6
		}
		last, lastY = p, y
	}
	return area * semiMajorM * degree
}

func polygonAreaM2(p orb.Polygon) float64 {
	var m2 float64
	for _, ring := range p {
		m2 += ringAreaM2(ring)
	}
	return m2
}

// perimeterM is the length of a ring, closed or open.
func perimeterM(ring []orb.Point) float64 {
	if len(ring) == 0 {
		return 0
	}
	m := lengthM(ring[len(ring)-1], ring[0])
	for i := 1; i < len(ring); i++ {
		m += lengthM(ring[i-1], ring[i])
	}
	return m
}
