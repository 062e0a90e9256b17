package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/fault"
)

// Querier is what a pool, a connection and a transaction have in common.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Projector converts coordinates of any system that PROJ knows, by PostGIS's PROJ. It remembers what the systems asked for
// are. DB is a pool or a connection outside a transaction, as a failed attempt would end the transaction.
type Projector struct {
	DB    Querier
	kinds sync.Map // EPSG code → whether it is measured in degrees
}

// LonLat converts points of the system EPSG:from, given in the order east, north (or longitude, latitude), to longitude
// and latitude in degrees, EPSG:4490. A point that is not finite, or that the projection cannot turn back, comes out as
// NaN, NaN. A code that PROJ does not know, or that is no system of positions on a map, is a fault in field crs.
func (p *Projector) LonLat(ctx context.Context, from int, xs, ys []float64) (lons, lats []float64, err error) {
	if _, err := p.Degrees(ctx, from); err != nil {
		return nil, nil, err
	}
	lons, lats = make([]float64, len(xs)), make([]float64, len(xs))
	var index []int // of the points that go to the database
	for i := range xs {
		lons[i], lats[i] = math.NaN(), math.NaN()
		if finite(xs[i]) && finite(ys[i]) {
			index = append(index, i)
		}
	}
	t := transformer{ctx: ctx, db: p.DB, from: epsgName(from), xs: xs, ys: ys, lons: lons, lats: lats}
	for part := range slices.Chunk(index, atOnce) {
		if err := t.convert(part); err != nil {
			return nil, nil, err
		}
	}
	return lons, lats, nil
}

// Degrees tells whether the system is measured in degrees, or in their like; else it is projected. Its faults are LonLat's.
func (p *Projector) Degrees(ctx context.Context, from int) (bool, error) {
	if known, ok := p.kinds.Load(from); ok {
		return known.(bool), nil
	}
	degrees, err := p.kindOf(ctx, epsgName(from))
	if err == nil {
		p.kinds.Store(from, degrees)
	}
	return degrees, err
}

func epsgName(code int) string { return "EPSG:" + strconv.Itoa(code) }

// kindOf asks PROJ, which has no word for what a system is in PostGIS 3.3 (spatial_ref_sys lacks the vertical systems and
// the latest ones): by how it deals with points.
func (p *Projector) kindOf(ctx context.Context, name string) (degrees bool, err error) {
	code := strings.TrimPrefix(name, "EPSG:")
	// Only a system of heights is the second half of a compound one whatever the first; one with latitudes of its own is
	// taken for heights above the first's ellipsoid where both are of one datum.
	switch vertical, err := p.takes(ctx, "EPSG:4326+"+code, "EPSG:4258+"+code); {
	case err != nil:
		return false, err
	case vertical:
		return false, fault.Invalid("crs", "unusable_crs", "%s is a system of heights, in which no position can be told: give the system of the coordinates", name)
	}
	switch known, err := p.takes(ctx, name, name); {
	case err != nil:
		return false, err
	case !known:
		return false, fault.Invalid("crs", "unknown_crs", "PROJ knows no coordinate system %s: give another EPSG code, gcj02 or bd09", name)
	}
	// A step of one along both axes is about a degree on a globe, next to nothing on a map; the earth's centre is a point of
	// geocentric systems alone.
	var dLon, dLat, z *float64
	err = p.DB.QueryRow(ctx, `SELECT ST_X(b) - ST_X(a), ST_Y(b) - ST_Y(a), ST_Z(a)
		FROM ST_Transform(ST_MakePoint(0, 0, 0), $1::text, 4490) a, ST_Transform(ST_MakePoint(1, 1, 0), $1::text, 4490) b`, name).
		Scan(&dLon, &dLat, &z)
	switch {
	case state(err) == "XX000":
		return false, nil // cannot turn its own origin back, as some projections cannot
	case err != nil:
		return false, err
	case z != nil && *z < -6e6:
		return false, fault.Invalid("crs", "unusable_crs", "%s counts metres from the earth's centre, which two coordinates cannot tell: give longitude and latitude, or a projected system", name)
	}
	return dLon != nil && dLat != nil && math.Abs(*dLon) > .5 && math.Abs(*dLat) > .5, nil
}

// takes tells whether PROJ makes systems of both names, by a point without coordinates, which nothing but the name can spoil.
func (p *Projector) takes(ctx context.Context, a, b string) (bool, error) {
	var empty bool
	err := p.DB.QueryRow(ctx, `SELECT ST_IsEmpty(ST_Transform(e, $1::text, 4490)) AND ST_IsEmpty(ST_Transform(e, $2::text, 4490))
		FROM (SELECT 'POINT EMPTY'::geometry AS e) point`, a, b).Scan(&empty)
	if state(err) == "XX000" { // internal_error, as PostGIS reports whatever PROJ refuses
		return false, nil
	}
	return err == nil, err
}

// atOnce is how many points a statement converts.
const atOnce = 20_000

type transformer struct {
	ctx        context.Context
	db         Querier
	from       string
	xs, ys     []float64
	lons, lats []float64
}

// convert converts the points at the indexes. One point that PROJ refuses fails its whole statement: the points are then
// halved until it stands alone.
func (t transformer) convert(index []int) error {
	if len(index) == 0 {
		return nil
	}
	err := t.convertAll(index)
	if state(err) != "XX000" {
		return err
	}
	if len(index) == 1 {
		return nil // stays NaN
	}
	half := len(index) / 2
	if err := t.convert(index[:half]); err != nil {
		return err
	}
	return t.convert(index[half:])
}

func (t transformer) convertAll(index []int) error {
	xs, ys := make([]float64, len(index)), make([]float64, len(index))
	for k, i := range index {
		xs[k], ys[k] = t.xs[i], t.ys[i]
	}
	// All in one geometry: a transformation by name is set up anew at each call, which takes a hundredth of a second.
	rows, err := t.db.Query(t.ctx, `SELECT ST_X(p.geom), ST_Y(p.geom)
		FROM ST_DumpPoints(ST_Transform((
			SELECT ST_Collect(ST_MakePoint(x, y) ORDER BY k) FROM unnest($1::float8[], $2::float8[]) WITH ORDINALITY AS u (x, y, k)
		), $3::text, 4490)) AS p
		ORDER BY p.path`, xs, ys, t.from)
	if err != nil {
		return err
	}
	k := 0
	var lon, lat float64
	_, err = pgx.ForEachRow(rows, []any{&lon, &lat}, func() error {
		if i := index[k]; finite(lon) && finite(lat) {
			t.lons[i], t.lats[i] = lon, lat
		}
		k++
		return nil
	})
	if err == nil && k != len(index) {
		err = fmt.Errorf("%d of %d points came back from the transformation", k, len(index))
	}
	return err
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
