package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
)

// Transform turns points of the system EPSG:epsg into lon, lat (EPSG:4490) by PROJ, in PostGIS. The points must be finite.
// A code PROJ does not know, or a point outside of what the system covers, is a fault of kind Invalid.
func Transform(ctx context.Context, pool *pgxpool.Pool, epsg int, xs, ys []float64) (lon, lat []float64, err error) {
	rows, err := pool.Query(ctx, `
		SELECT ST_X(g), ST_Y(g)
		FROM unnest($1::double precision[], $2::double precision[]) WITH ORDINALITY AS p (x, y, n),
			ST_Transform(ST_MakePoint(x, y), $3::text, 'EPSG:4490') AS g
		ORDER BY n`, xs, ys, fmt.Sprintf("EPSG:%d", epsg))
	if err == nil {
		lon, lat = make([]float64, 0, len(xs)), make([]float64, 0, len(xs))
		var x, y float64
		_, err = pgx.ForEachRow(rows, []any{&x, &y}, func() error {
			lon, lat = append(lon, x), append(lat, y)
			return nil
		})
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "XX000" || pg.Code == "22023") {
		return nil, nil, fault.Invalid("crs", "not_projectable",
			"EPSG:%d cannot be turned into longitude and latitude: PROJ does not know it, or a point lies outside of what it covers", epsg)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("transform EPSG:%d: %w", epsg, err)
	}
	return lon, lat, nil
}
