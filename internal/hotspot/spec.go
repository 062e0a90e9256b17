package hotspot

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
)

// Rule says who is whose neighbour, as it is written: queen, rook, knn:K or band:METRES.
type Rule struct {
	Kind   string
	K      int
	Metres float64
}

// ParseRule reads a rule.
func ParseRule(s string) (Rule, error) {
	kind, number, has := strings.Cut(s, ":")
	r := Rule{Kind: kind}
	switch {
	case (kind == "queen" || kind == "rook") && !has:
		return r, nil
	case kind == "knn" && has:
		if k, err := strconv.Atoi(number); err == nil && k >= 1 && k <= 1000 {
			r.K = k
			return r, nil
		}
	case kind == "band" && has:
		if m, err := strconv.ParseFloat(number, 64); err == nil && m > 0 && m <= 1e6 {
			r.Metres = m
			return r, nil
		}
	}
	return Rule{}, fmt.Errorf("neighbours are queen, rook, knn:K (1 to 1000) or band:METRES (above 0, at most 1,000,000), not %.40q", s)
}

// Of tells who is whose neighbour among the faces of a coverage; middles are points within them, lon and lat.
func (r Rule) Of(c *coverage.Coverage, middles []orb.Point) (Neighbours, error) {
	switch r.Kind {
	case "rook":
		return Rook(c), nil
	case "knn":
		return Nearest(Plane(middles), r.K)
	case "band":
		return Within(Plane(middles), r.Metres)
	default:
		return Queen(c), nil
	}
}

// Plane puts points, lon and lat, into a plane in metres: cylindrical about their middle latitude, on GRS80. Within a city lengths are good to
// one part in some thousand.
func Plane(points []orb.Point) []orb.Point {
	if len(points) == 0 {
		return nil
	}
	south, north := points[0][1], points[0][1]
	for _, p := range points {
		south, north = min(south, p[1]), max(north, p[1])
	}
	const major, ecc2 = 6378137.0, 0.006694380022903416 // CGCS2000's ellipsoid
	sin, cos := math.Sincos((south + north) / 2 * math.Pi / 180)
	w2 := 1 - ecc2*sin*sin
	perLon := major / math.Sqrt(w2) * cos * math.Pi / 180
	perLat := major * (1 - ecc2) / (w2 * math.Sqrt(w2)) * math.Pi / 180
	out := make([]orb.Point, len(points))
	for i, p := range points {
		out[i] = orb.Point{p[0] * perLon, p[1] * perLat}
	}
	return out
}
