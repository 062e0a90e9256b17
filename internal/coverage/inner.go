package coverage

import (
	"slices"

	"github.com/paulmach/orb"
)

// innerPoint returns a point inside a polygon: the middle of its widest stretch on a line of latitude near its middle.
// Rings may be given in any direction; a point outside holes is meant. For areas so thin that no double lies inside, the
// nearest double is returned.
func innerPoint(rings orb.Polygon) orb.Point {
	var lats []float64
	for _, ring := range rings {
		for _, p := range ring {
			lats = append(lats, p[1])
		}
	}
	if len(lats) == 0 {
		return orb.Point{}
	}
	slices.Sort(lats)
	lats = slices.Compact(lats)
	if len(lats) == 1 {
		return rings[0][0]
	}
	// Between two neighbouring latitudes of vertices no vertex lies on the line, so crossings pair up.
	middle := (lats[0] + lats[len(lats)-1]) / 2
	k, _ := slices.BinarySearch(lats, middle)
	k = min(max(k, 1), len(lats)-1)
	lat := lats[k-1] + (lats[k]-lats[k-1])/2

	var crossings []float64
	for _, ring := range rings {
		for i := range ring {
			a, b := ring[i], ring[(i+1)%len(ring)]
			if (a[1] <= lat) == (b[1] <= lat) {
				continue
			}
			crossings = append(crossings, a[0]+(lat-a[1])/(b[1]-a[1])*(b[0]-a[0]))
		}
	}
	slices.Sort(crossings)
	best, width := rings[0][0][0], -1.0
	for i := 0; i+1 < len(crossings); i += 2 {
		if w := crossings[i+1] - crossings[i]; w > width {
			best, width = crossings[i]+w/2, w
		}
	}
	return orb.Point{best, lat}
}
