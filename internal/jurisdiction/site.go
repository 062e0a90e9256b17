package jurisdiction

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"gridgov/internal/fault"
)

const (
	// smallestM is the least width or height of a level. Degrees taken for metres make a city of centimetres.
	smallestM = 10
	// Transverse projections are for a strip along their meridian, of any latitude.
	stripM, stripDeg = 1_000_000, 20
	// Others are for a country about their centre, at the widest.
	countryM = 2_500_000
)

// sited takes the faces that lie where the city's projected system is meant for. Before the first plan is in force nothing
// else knows where the city is. The others are rejects, each with its line; when all of them are, or the level is far too
// small, that is a fault. Codes: swapped, far_away, too_small.
func (s *Service) sited(ctx context.Context, faces []Face) (good []Face, rejects []*fault.Error, err error) {
	if s.SRID == 0 {
		return faces, nil, nil
	}
	var proj string
	err = s.Pool.QueryRow(ctx, `SELECT coalesce(proj4text, '') FROM spatial_ref_sys WHERE srid = $1`, s.SRID).Scan(&proj)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, fmt.Errorf("the city's system: %w", err)
	}
	if bad := tooSmall(faces); bad != nil {
		return nil, nil, bad
	}
	h, known := homeOf(proj)
	if !known {
		return faces, nil, nil
	}
	for _, f := range faces {
		if bad := s.misplaced(h, f); bad != nil {
			rejects = append(rejects, bad.AtLine(f.Line))
			continue
		}
		good = append(good, f)
	}
	if len(good) == 0 && len(rejects) > 0 {
		return nil, nil, rejects[0] // the file's matter, not the face's
	}
	return good, rejects, nil
}

func (s *Service) misplaced(h home, f Face) *fault.Error {
	b := f.Shape.Bound()
	if !degrees(b) {
		return nil // the coverage's to tell
	}
	p := b.Center()
	if h.fits(p) {
		return nil
	}
	if q := (orb.Point{p[1], p[0]}); math.Abs(q[1]) <= 90 && h.fits(q) {
		return fault.Invalid("lon", "swapped", "longitude and latitude are swapped: %.4f, %.4f lies in the city the other way round; give longitude first", p[0], p[1])
	}
	return fault.Invalid("crs", "far_away", "%s lies at %.4f, %.4f (lon, lat), %.0f km from where the city's system EPSG:%d is meant for: name the file's own system with --crs; "+
		"if the city does lie there, create it with the EPSG code of its own projected system", f.Code, p[0], p[1], h.awayM(p)/1000, s.SRID)
}

// degrees tells whether a box can be one of degrees; that of no points cannot.
func degrees(b orb.Bound) bool {
	return b.Min[0] <= b.Max[0] && b.Min[1] <= b.Max[1] && b.Min[0] >= -180 && b.Max[0] <= 180 && b.Min[1] >= -90 && b.Max[1] <= 90
}

func tooSmall(faces []Face) *fault.Error {
	var all orb.Bound
	n := 0
	for _, f := range faces {
		if b := f.Shape.Bound(); degrees(b) {
			if n++; n == 1 {
				all = b
			}
			all = all.Union(b)
		}
	}
	if n == 0 {
		return nil
	}
	widthM, heightM := geo.BoundWidth(all), geo.BoundHeight(all)
	if widthM >= smallestM || heightM >= smallestM {
		return nil
	}
	return fault.Invalid("crs", "too_small", "the whole level is %.2g m wide and %.2g m high, at %.4f, %.4f (lon, lat): were degrees taken for metres? leave out --crs, or name the file's own system",
		widthM, heightM, all.Center()[0], all.Center()[1])
}

// home is where a projected system is meant for.
type home struct {
	at    orb.Point // its centre
	strip bool      // along the meridian of at, at any latitude
}

// homeOf reads it from the system's PROJ text; not known for projections of the whole world.
func homeOf(proj string) (home, bool) {
	words := map[string]string{}
	for _, w := range strings.Fields(proj) {
		k, v, _ := strings.Cut(strings.TrimPrefix(w, "+"), "=")
		words[k] = v
	}
	number := func(keys ...string) float64 {
		for _, k := range keys {
			if v, err := strconv.ParseFloat(words[k], 64); err == nil {
				return v
			}
		}
		return 0
	}
	switch words["proj"] {
	case "utm":
		return home{at: orb.Point{6*number("zone") - 183, 0}, strip: true}, true
	case "tmerc", "etmerc", "gstmerc", "cass", "poly":
		return home{at: orb.Point{number("lon_0"), 0}, strip: true}, true
	case "lcc", "aea", "eqdc": // between the two parallels that are true; lcc may have one
		first := number("lat_1", "lat_0")
		second := first
		if words["lat_2"] != "" {
			second = number("lat_2")
		}
		return home{at: orb.Point{number("lon_0"), (first + second) / 2}}, true
	case "laea", "aeqd", "stere", "sterea", "omerc", "somerc", "krovak", "nzmg", "bonne":
		return home{at: orb.Point{number("lonc", "lon_0"), number("lat_0")}}, true
	}
	return home{}, false
}

// awayM is how far a point is from it, along the parallel for a strip.
func (h home) awayM(p orb.Point) float64 {
	if h.strip {
		return geo.DistanceHaversine(orb.Point{h.at[0], p[1]}, p)
	}
	return geo.DistanceHaversine(h.at, p)
}

func (h home) fits(p orb.Point) bool {
	if !h.strip {
		return h.awayM(p) <= countryM
	}
	return h.awayM(p) <= stripM && math.Abs(math.Remainder(p[0]-h.at[0], 360)) <= stripDeg
}
