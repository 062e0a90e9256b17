package photo

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/report"
)

// Shown is a photo beside what it shows.
type Shown struct {
	ID
	Use
	UsedAt time.Time
	Facts  Facts
}

// OfReport lists the photos of a report and of all its cases' acts, in the order in which they were used; one that shows two
// acts comes twice. Who may see them is the caller's to know.
func (s *Service) OfReport(ctx context.Context, num report.Num) ([]Shown, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT u.photo_id, u.report_num, u.part, u.n, u.used_at, p.taken_at, coalesce(p.timed, ''), p.lon, p.lat
		FROM photo_use u JOIN photo p ON p.id = u.photo_id
		WHERE u.report_num = $1 AND p.state = 'ready' ORDER BY u.used_at, u.part, u.n, u.photo_id`, num)
	if err != nil {
		return nil, fmt.Errorf("read a report's photos: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (out Shown, err error) {
		var taken *time.Time
		var lon, lat *float64
		err = row.Scan(&out.ID, &out.Report, &out.Part, &out.N, &out.UsedAt, &taken, &out.Facts.Timed, &lon, &lat)
		if taken != nil {
			out.Facts.TakenAt = taken.UTC()
		}
		if lon != nil {
			out.Facts.Place = &orb.Point{*lon, *lat}
		}
		return out, err
	})
	if err != nil {
		return nil, fmt.Errorf("read a report's photos: %w", err)
	}
	return list, nil
}
