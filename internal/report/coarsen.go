package report

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
)

// Coarse is how far points are rounded whose reports are made anonymous, in degrees: some fifty metres, about a block.
const Coarse = 0.0005

// Coarsen empties what reports say in words and rounds where they were, in the caller's transaction: title, text and address go, the
// digest by which a retry is known, the point as it came, and what was filed by whom. Where rounding would bring a report into another
// grid it is rounded less, or lies at a point of its grid: so what is counted by grid stays. at is when the answer is from.
//
// Time, item, kind, source and the id under which another system knows it stay.
func (s *Service) Coarsen(ctx context.Context, tx pgx.Tx, nums []int64, at time.Time) error {
	rows, err := tx.Query(ctx, `SELECT num, lon, lat, accuracy_m, located FROM report WHERE num = ANY ($1) ORDER BY num FOR UPDATE`, nums)
	if err != nil {
		return fmt.Errorf("read reports to be made anonymous: %w", err)
	}
	type point struct {
		num       int64
		lon, lat  *float64
		accuracyM *float64
		located   Located
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p point, err error) {
		err = row.Scan(&p.num, &p.lon, &p.lat, &p.accuracyM, &p.located)
		return p, err
	})
	if err != nil {
		return fmt.Errorf("read reports to be made anonymous: %w", err)
	}
	placer := s.Placer()
	var b pgx.Batch
	b.Queue(`UPDATE report SET title = NULL, text = NULL, address = CASE WHEN lon IS NULL THEN '' END, content = '', raw_x = NULL, raw_y = NULL, filed_by = NULL
		WHERE num = ANY ($1)`, nums)
	b.Queue(`DELETE FROM report_device WHERE report_num = ANY ($1)`, nums)
	b.Queue(`UPDATE report_words SET words = ts_filter(words, '{b}') WHERE report_num = ANY ($1)`, nums)
	b.Queue(`UPDATE placement SET matched = NULL, score = NULL WHERE report_num = ANY ($1)`, nums)
	b.Queue(`UPDATE placement_past SET matched = NULL, distance_m = NULL, border_m = NULL WHERE report_num = ANY ($1)`, nums)
	b.Queue(`UPDATE position_set SET reason = NULL, lon = round(lon / $2) * $2, lat = round(lat / $2) * $2, lon_before = round(lon_before / $2) * $2,
		lat_before = round(lat_before / $2) * $2 WHERE report_num = ANY ($1)`, nums, Coarse)
	for _, p := range list {
		if p.lon == nil {
			continue
		}
		accuracy := math.NaN()
		if p.accuracyM != nil {
			accuracy = *p.accuracyM
		}
		to, pl := placer.coarse(orb.Point{*p.lon, *p.lat}, accuracy, p.located)
		if pl.Grid != placer.At(orb.Point{*p.lon, *p.lat}, accuracy, p.located).Grid {
			// A grid that is narrower than a few metres there, or an edge: some point of it, the same for all.
			inside, err := pointOf(ctx, tx, placer, orb.Point{*p.lon, *p.lat}, accuracy, p.located)
			if err != nil {
				return err
			}
			to, pl = inside, placer.At(inside, accuracy, p.located)
		}
		pl.Since, pl.Matched, pl.Score = at, "", nil
		b.Queue(`UPDATE report SET lon = $2, lat = $3 WHERE num = $1`, p.num, to[0], to[1])
		b.Queue(coarsenPlacement, append([]any{p.num}, placementValues(&pl)...)...)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("make reports anonymous: %w", err)
	}
	return nil
}

// coarsenPlacement puts another answer in the place of the one in force, which does not go to the past: it told more of the place.
var coarsenPlacement = func() string {
	set := make([]string, len(placementColumns))
	for i, c := range placementColumns {
		set[i] = fmt.Sprintf("%s = $%d", c, i+2)
	}
	return `UPDATE placement SET ` + strings.Join(set, ", ") + ` WHERE report_num = $1`
}()

// coarse rounds a point as far as its grid allows.
func (p *Placer) coarse(pt orb.Point, accuracyM float64, located Located) (to orb.Point, pl Placement) {
	was := p.At(pt, accuracyM, located)
	for _, step := range []float64{Coarse, Coarse / 2, Coarse / 5} {
		to = orb.Point{math.Round(pt[0]/step) * step, math.Round(pt[1]/step) * step}
		if pl = p.At(to, accuracyM, located); pl.Grid == was.Grid {
			break
		}
	}
	return to, pl
}

// pointOf is a point that PostGIS finds within the grid that a point lies in; of one that lies in none, the point rounded.
func pointOf(ctx context.Context, tx pgx.Tx, placer *Placer, pt orb.Point, accuracyM float64, located Located) (orb.Point, error) {
	was := placer.At(pt, accuracyM, located)
	to := orb.Point{math.Round(pt[0]/Coarse) * Coarse, math.Round(pt[1]/Coarse) * Coarse}
	if was.Grid == "" {
		return to, nil
	}
	err := tx.QueryRow(ctx, `
		SELECT ST_X(g), ST_Y(g) FROM (SELECT ST_PointOnSurface(geom) AS g FROM boundary WHERE plan_id = $1 AND role = 'grid' AND code = $2) b`,
		was.PlanID, was.Grid).Scan(&to[0], &to[1])
	if err != nil {
		return to, fmt.Errorf("find a point of grid %s: %w", was.Grid, err)
	}
	return to, nil
}

// StillKept is a conflict anonymised of a report that was made anonymous: what is written about it from then on nobody would take away.
// Whoever asks holds the report or a case of it.
func StillKept(ctx context.Context, tx pgx.Tx, num Num) error {
	var gone bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM anonymised WHERE report_num = $1)`, num).Scan(&gone); err != nil {
		return fmt.Errorf("ask whether report %d was made anonymous: %w", num, err)
	}
	if gone {
		return fault.Conflict("anonymised", "the city's time for keeping this matter is over and it was made anonymous: file a new report")
	}
	return nil
}
