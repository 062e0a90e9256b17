package postgres

import (
	"context"
	"math"
	"strconv"

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

// Transform converts points of the system EPSG:from, given in the order east, north (or longitude, latitude), to longitude
// and latitude in degrees, EPSG:4490, by PostGIS's PROJ. A point that is not finite, or that the projection cannot turn
// back, comes out as NaN, NaN. A code that PROJ does not know is a fault in field crs. db is a pool or a connection outside
// a transaction, as a failed attempt would end the transaction.
func Transform(ctx context.Context, db Querier, from int, xs, ys []float64) (lons, lats []float64, err error) {
	lons, lats = make([]float64, len(xs)), make([]float64, len(xs))
	var index []int // of the points that go to the database
	for i := range xs {
		lons[i], lats[i] = math.NaN(), math.NaN()
		if finite(xs[i]) && finite(ys[i]) {
			index = append(index, i)
		}
	}
	t := transformer{ctx: ctx, db: db, from: "EPSG:" + strconv.Itoa(from), xs: xs, ys: ys, lons: lons, lats: lats}
	if err := t.known(); err != nil {
		return nil, nil, err
	}
	return lons, lats, t.convert(index)
}

type transformer struct {
	ctx        context.Context
	db         Querier
	from       string
	xs, ys     []float64
	lons, lats []float64
}

// known asks for the system by a point without coordinates, which nothing but the system's name can spoil.
func (t transformer) known() error {
	var empty bool
	err := t.db.QueryRow(t.ctx, "SELECT ST_IsEmpty(ST_Transform('POINT EMPTY'::geometry, $1::text, 4490))", t.from).Scan(&empty)
	if state(err) == "XX000" { // internal_error, as PostGIS reports whatever PROJ refuses
		return fault.Invalid("crs", "unknown_crs", "PROJ knows no coordinate system %s: give another EPSG code, gcj02 or bd09", t.from)
	}
	return err
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
	rows, err := t.db.Query(t.ctx, `SELECT ST_X(p), ST_Y(p)
		FROM unnest($1::float8[], $2::float8[]) WITH ORDINALITY AS u (x, y, k),
			ST_Transform(ST_MakePoint(x, y), $3::text, 4490) AS p
		ORDER BY k`, xs, ys, t.from)
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
	return err
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
