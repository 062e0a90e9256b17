package report

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
)

// reportColumns in the order of reportValues; num is given by the database, or by Import ahead of the copy.
var reportColumns = []string{"id", "source", "external_id", "captured_at", "received_at", "closed_at", "lon", "lat", "crs",
	"raw_x", "raw_y", "located", "accuracy_m", "position_source", "address", "item", "kind", "title", "text", "generated", "content"}

func (r *ready) reportValues() []any {
	return []any{r.ID, string(r.Source), null(r.ExternalID), r.CapturedAt.UTC(), r.receivedAt, r.ClosedAt, r.lon, r.lat, r.crs.String(),
		r.rawX, r.rawY, string(r.located), r.AccuracyM, null(r.PositionSource), null(r.Address), r.Item, null(string(r.Kind)),
		null(r.Title), null(r.Text), r.Generated, r.content}
}

// placementColumns in the order of placementValues and of scanPlacement; report_num and since or until come beside them.
var placementColumns = []string{"plan_id", "method", "rule", "town", "village", "grid", "microgrid", "nearest",
	"distance_m", "border_m", "near", "candidates", "score", "matched", "since"}

func placementValues(p *Placement) []any {
	var plan *int64
	if p.PlanID != 0 {
		plan = &p.PlanID
	}
	return []any{plan, string(p.Method), p.Rule, null(p.Town), null(p.Village), null(p.Grid), null(p.Microgrid), null(p.Nearest),
		p.DistanceM, p.BorderM, p.Near, p.Candidates, p.Score, null(p.Matched), p.Since}
}

// insertReport keeps a report that is not there yet, with its placement and who told it, and returns its number. Its
// arguments are insertArgs.
var insertReport = fmt.Sprintf(`
	WITH r AS (
		INSERT INTO report (%s) VALUES (%s)
		ON CONFLICT DO NOTHING
		RETURNING num
	), told AS (
		INSERT INTO reporter (report_num, name, phone)
		SELECT num, $1, $2 FROM r WHERE $1::text IS NOT NULL OR $2::text IS NOT NULL
	)
	INSERT INTO placement (report_num, %s)
	SELECT num, %s FROM r
	RETURNING report_num`,
	strings.Join(reportColumns, ", "), numbered(3, len(reportColumns)),
	strings.Join(placementColumns, ", "), numbered(3+len(reportColumns), len(placementColumns)))

// numbered lists n parameters from $first.
func numbered(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(list, ", ")
}

func (r *ready) insertArgs() []any {
	var told Reporter
	if r.Reporter != nil {
		told = *r.Reporter
	}
	args := append([]any{null(told.Name), null(told.Phone)}, r.reportValues()...)
	return append(args, placementValues(&r.placement)...)
}

// queueReplace moves the answer in force to the past and puts the new one in its place.
func queueReplace(b *pgx.Batch, num Num, p *Placement, at time.Time) {
	cols := strings.Join(placementColumns, ", ")
	b.Queue(`INSERT INTO placement_past (report_num, until, `+cols+`) SELECT report_num, $2, `+cols+` FROM placement WHERE report_num = $1`, num, at)
	set := make([]string, len(placementColumns))
	args := append([]any{num}, placementValues(p)...)
	for i, c := range placementColumns {
		set[i] = fmt.Sprintf("%s = $%d", c, i+2)
	}
	b.Queue(`UPDATE placement SET `+strings.Join(set, ", ")+` WHERE report_num = $1`, args...)
}

const selectReport = `
	SELECT r.num, r.id, r.external_id, r.source, r.captured_at, r.received_at, r.closed_at, r.lon, r.lat, r.crs, r.located,
		r.accuracy_m, r.position_source, r.address, r.item, r.kind, r.title, r.text, r.generated,
		coalesce(p.plan_id, 0), p.method, p.rule, coalesce(p.town, ''), coalesce(p.village, ''), coalesce(p.grid, ''),
		coalesce(p.microgrid, ''), coalesce(p.nearest, ''), p.distance_m, p.border_m, p.near, p.candidates, p.score,
		coalesce(p.matched, ''), p.since
	FROM report r JOIN placement p ON p.report_num = r.num
	WHERE `

func scanReport(row pgx.CollectableRow) (Report, error) {
	var r Report
	p := &r.Placement
	err := row.Scan(&r.Num, &r.ID, &r.ExternalID, &r.Source, &r.CapturedAt, &r.ReceivedAt, &r.ClosedAt, &r.Lon, &r.Lat, &r.CRS, &r.Located,
		&r.AccuracyM, &r.PositionSource, &r.Address, &r.Item, &r.Kind, &r.Title, &r.Text, &r.Generated,
		&p.PlanID, &p.Method, &p.Rule, &p.Town, &p.Village, &p.Grid, &p.Microgrid, &p.Nearest, &p.DistanceM, &p.BorderM,
		&p.Near, &p.Candidates, &p.Score, &p.Matched, &p.Since)
	return r, err
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func get(ctx context.Context, q querier, where string, args ...any) (Report, error) {
	rows, err := q.Query(ctx, selectReport+where, args...)
	if err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanReport)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, fault.NotFound("there is no such report")
	}
	if err != nil {
		return r, fmt.Errorf("read report: %w", err)
	}
	return r, nil
}

// Get reads one report by its number.
func (s *Service) Get(ctx context.Context, num Num) (Report, error) {
	return get(ctx, s.Pool, `r.num = $1`, num)
}

// GetByID reads one report by its id.
func (s *Service) GetByID(ctx context.Context, id ID) (Report, error) {
	return get(ctx, s.Pool, `r.id = $1`, id)
}
