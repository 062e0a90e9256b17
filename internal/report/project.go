package report

import (
	"context"
	"math"

	"github.com/paulmach/orb"

	"gridgov/internal/crs"
	"gridgov/internal/fault"
)

// projected is what became of a point of a system that needs PROJ: where it lies in lon, lat, or why nowhere.
type projected struct {
	at  orb.Point
	bad *fault.Error
}

func (p *projected) err() error {
	if p.bad != nil {
		return p.bad
	}
	return nil
}

// nearDeg is how far outside the city's bound a point still passes without a closer look, as in crs.Validate.
const nearDeg = 0.5

// maxMetres is beyond what any projected system measures; eastings that begin with a zone's number are below it.
const maxMetres = 1e8

// projectAll brings points of one system to lon, lat and finds out what is wrong with those that come to lie far from the
// city: swapped, zero, degrees where metres are asked for, or outside of what the system covers. The order is east, north.
func (s *Service) projectAll(ctx context.Context, sys crs.System, points []orb.Point) ([]projected, error) {
	degrees, err := s.Project.Degrees(ctx, sys.EPSG())
	if err != nil {
		return nil, err
	}
	at, err := s.transform(ctx, sys, points)
	if err != nil {
		return nil, err
	}
	out := make([]projected, len(points))
	city := s.Bound()
	var doubtful []int
	var turned []orb.Point // the doubtful ones read the other way round
	for i, p := range at {
		if out[i].at = p; !near(p, city) {
			doubtful, turned = append(doubtful, i), append(turned, orb.Point{points[i][1], points[i][0]}) //nolint:gosec // i counts points
		}
	}
	if len(doubtful) == 0 {
		return out, nil
	}
	if turned, err = s.transform(ctx, sys, turned); err != nil {
		return nil, err
	}
	for k, i := range doubtful {
		out[i].bad = doubt(sys, degrees, points[i], at[i], near(turned[k], city), city)
	}
	return out, nil
}

func (s *Service) transform(ctx context.Context, sys crs.System, points []orb.Point) ([]orb.Point, error) {
	xs, ys := make([]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		xs[i], ys[i] = p[0], p[1]
	}
	lon, lat, err := s.Project.LonLat(ctx, sys.EPSG(), xs, ys)
	if err != nil {
		return nil, err
	}
	out := make([]orb.Point, len(points))
	for i := range out {
		out[i] = orb.Point{lon[i], lat[i]}
	}
	return out, nil
}

func near(p orb.Point, city orb.Bound) bool {
	return city.Max[0] > city.Min[0] && city.Max[1] > city.Min[1] && city.Pad(nearDeg).Contains(p)
}

// doubt says what is wrong with a point xy that the system puts at, far from the city; nil when nothing is.
func doubt(sys crs.System, degrees bool, xy, at orb.Point, swapped bool, city orb.Bound) *fault.Error {
	switch {
	case swapped && degrees:
		return fault.Invalid("lon", "swapped", "longitude and latitude are swapped: %g, %g lies in the city the other way round; give longitude first", xy[0], xy[1])
	case swapped:
		return fault.Invalid("lon", "swapped", "easting and northing are swapped: %g, %g lies in the city the other way round; give the easting first", xy[0], xy[1])
	case degrees:
		// They differ from EPSG:4490 by their datum alone.
		if bad := crs.Validate(xy, city); bad != nil {
			return bad
		}
	case xy == orb.Point{}:
		return fault.Invalid("lon", "zero", "0, 0 is no position in this city: leave both empty when there is none")
	case math.Abs(xy[0]) <= 180 && math.Abs(xy[1]) <= 180:
		return fault.Invalid("crs", "degrees", "%g, %g are degrees, and %s is a projected system: name the system of the coordinates, such as EPSG:4490", xy[0], xy[1], sys)
	case math.Abs(xy[0]) > maxMetres || math.Abs(xy[1]) > maxMetres:
		return notProjectable(sys, xy)
	}
	if crs.Validate(at, orb.Bound{}) != nil {
		return notProjectable(sys, xy)
	}
	return nil
}

func notProjectable(sys crs.System, xy orb.Point) *fault.Error {
	return fault.Invalid("lon", "not_projectable", "(%g, %g) lies outside of what %s covers", xy[0], xy[1], sys)
}
