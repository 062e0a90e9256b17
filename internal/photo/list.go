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
		WHERE u.report_num = $1 AND p.state = 'ready' AND p.kind = 'photo' ORDER BY u.used_at, u.part, u.n, u.photo_id`, num)
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

// Voice is a voice note beside the report that it came with.
type Voice struct {
	ID       ID
	Report   report.Num
	MIME     string
	Duration time.Duration
}

// VoicesOf lists the voice notes of reports. Who may hear them is the caller's to know.
func (s *Service) VoicesOf(ctx context.Context, nums []report.Num) ([]Voice, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT p.id, u.report_num, p.mime, p.ms FROM photo_use u JOIN photo p ON p.id = u.photo_id
		WHERE u.report_num = ANY ($1) AND u.part = 0 AND u.n = 0 AND p.kind = 'voice' AND p.state = 'ready' ORDER BY u.report_num, p.id`, nums)
	if err != nil {
		return nil, fmt.Errorf("read reports' voice notes: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Voice, err error) {
		var ms int64
		err = row.Scan(&v.ID, &v.Report, &v.MIME, &ms)
		v.Duration = time.Duration(ms) * time.Millisecond
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read reports' voice notes: %w", err)
	}
	return list, nil
}
