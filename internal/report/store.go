package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
)

// reportColumns in the order of reportValues; num is given by the database, or by Import ahead of the copy.
var reportColumns = []string{"id", "source", "external_id", "captured_at", "received_at", "closed_at", "lon", "lat", "crs",
	"raw_x", "raw_y", "located", "accuracy_m", "position_source", "address", "item", "kind", "title", "text", "generated", "filed_by", "content"}

func (r *ready) reportValues() []any {
	return []any{r.ID, string(r.Source), null(r.ExternalID), r.CapturedAt.UTC(), r.receivedAt, r.ClosedAt, r.lon, r.lat, r.crs.String(),
		r.rawX, r.rawY, string(r.located), r.AccuracyM, null(r.PositionSource), null(r.Address), r.Item, null(string(r.Kind)),
		null(r.Title), null(r.Text), r.Generated, r.FiledBy, r.content}
}

// placementColumns in the order of placementValues; report_num comes beside them.
var placementColumns = append([]string{"answer"}, pastColumns...)

// pastColumns are those of an answer that is no longer in force; report_num and until come beside them.
var pastColumns = []string{"plan_id", "method", "rule", "town", "village", "grid", "microgrid", "nearest",
	"distance_m", "border_m", "near", "candidates", "score", "matched", "since"}

var pastList = strings.Join(pastColumns, ", ")

func placementValues(p *Placement) []any {
	var plan *int64
	if p.PlanID != 0 {
		plan = &p.PlanID
	}
	return []any{p.digest(), plan, string(p.Method), p.Rule, null(p.Town), null(p.Village), null(p.Grid), null(p.Microgrid), null(p.Nearest),
		p.DistanceM, p.BorderM, p.Near, p.Candidates, p.Score, null(p.Matched), p.Since}
}

// The types of reportColumns and placementColumns.
var (
	reportTypes = []string{"uuid", "text", "text", "timestamptz", "timestamptz", "timestamptz", "float8", "float8", "text",
		"float8", "float8", "text", "float8", "text", "text", "text", "text", "text", "text", "boolean", "uuid", "bytea"}
	placementTypes = []string{"bigint", "bigint", "text", "text", "text", "text", "text", "text", "text",
		"float8", "float8", "text[]", "text[]", "float8", "text", "timestamptz"}
)

// together is how many reports one statement keeps at most.
const together = 64

// insertion writes the statement that keeps reports with cases of one shape. Its arguments are those of each report's
// insertArgs, one after the other, and it is read as feed.NewForm says.
type insertion struct {
	cases Cases
	shape int
}

// Where a report's arguments begin, counted from 1: its row, its placement's, its words, its case's.
var (
	argReport    = 1
	argPlacement = argReport + len(reportColumns)
	argWords     = argPlacement + len(placementColumns)
	argCase      = argWords + 1
)

// types are those of a report's arguments.
func (in *insertion) types() []string {
	return slices.Concat(reportTypes, placementTypes, []string{"text"}, in.cases.Types(in.shape))
}

// given is the CTE that has a row for each of n reports: which it is, from 0, and its arguments as c1, c2, …
func (in *insertion) given(n int) string {
	types := in.types()
	names, rows := make([]string, len(types)), make([]string, n)
	for i := range types {
		names[i] = fmt.Sprintf("c%d", i+1)
	}
	for r := range rows {
		args := make([]string, len(types))
		for i := range args {
			args[i] = fmt.Sprintf("$%d", r*len(types)+i+1)
			if r == 0 {
				args[i] += "::" + types[i] // the other rows' are of these types too
			}
		}
		rows[r] = fmt.Sprintf("(%d, %s)", r, strings.Join(args, ", "))
	}
	return "given (ord, " + strings.Join(names, ", ") + ") AS MATERIALIZED (VALUES " + strings.Join(rows, ", ") + ")"
}

// kept are the CTEs that keep what goes with the reports that CTE r has kept, and the statement's end. Of two with one id the
// first was kept.
func (in *insertion) kept() string {
	return fmt.Sprintf(`n AS MATERIALIZED (
		SELECT DISTINCT ON (c1) r.num, given.* FROM given JOIN r ON r.id = c1 ORDER BY c1, ord
	), worded AS (
		INSERT INTO report_words (report_num, words) SELECT num, %s FROM n
	), %s, placed AS (
		INSERT INTO placement (report_num, %s) SELECT num, %s FROM n
	)
	SELECT ord, num FROM n`, numberedWords(fmt.Sprintf("c%d", argWords)),
		in.cases.With(in.shape, func(i int) string { return fmt.Sprintf("c%d", argCase+i) }),
		strings.Join(placementColumns, ", "), listed("c", argPlacement, len(placementColumns)))
}

// reports keeps reports that are not there yet.
func (in *insertion) reports(n int) string {
	return fmt.Sprintf(`
	WITH %s, r AS (
		INSERT INTO report (%s) SELECT %s FROM given
		ON CONFLICT DO NOTHING
		RETURNING num, id
	), %s`, in.given(n), strings.Join(reportColumns, ", "), listed("c", argReport, len(reportColumns)), in.kept())
}

// listed lists n names from the first: $7, $8, …
func listed(prefix string, first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s%d", prefix, first+i)
	}
	return strings.Join(list, ", ")
}

func (r *ready) insertArgs(c Opened) []any {
	args := append(append(r.reportValues(), placementValues(&r.placement)...), r.words())
	return append(args, c.Args()...)
}

// setPosition sets a point by hand: it keeps on record what was before, moves the answer in force to the past and puts the
// new one in its place. Its arguments are the report, the point (lon, lat), the reason, and placementValues.
var setPosition = func() string {
	const first = 5
	since := ""
	set := make([]string, len(placementColumns))
	for i, c := range placementColumns {
		set[i] = fmt.Sprintf("%s = $%d", c, i+first)
		if c == "since" {
			since = fmt.Sprintf("$%d", i+first)
			set[i] = "since = b.until"
		}
	}
	return `
		WITH before AS MATERIALIZED (
			SELECT p.*, ` + begins(since) + ` AS until FROM placement p WHERE p.report_num = $1 FOR UPDATE
		), past AS (
			INSERT INTO placement_past (report_num, until, ` + pastList + `) SELECT report_num, until, ` + pastList + ` FROM before
		), record AS (
			INSERT INTO position_set (report_num, at, lon, lat, lon_before, lat_before, reason)
			SELECT r.num, b.until, $2, $3, r.lon, r.lat, $4 FROM report r JOIN before b ON b.report_num = r.num
		), moved AS (
			UPDATE report SET lon = $2, lat = $3, located = 'hand' WHERE num = $1
		)
		UPDATE placement p SET ` + strings.Join(set, ", ") + `
		FROM before b WHERE p.report_num = b.report_num`
}()

const selectReport = `
	SELECT r.num, r.id, r.external_id, r.source, r.captured_at, r.received_at, r.closed_at, r.lon, r.lat, r.crs, r.located,
		r.accuracy_m, r.position_source, r.address, r.item, r.kind, r.title, r.text, r.generated, r.filed_by,
		coalesce(p.plan_id, 0), p.method, p.rule, coalesce(p.town, ''), coalesce(p.village, ''), coalesce(p.grid, ''),
		coalesce(p.microgrid, ''), coalesce(p.nearest, ''), p.distance_m, p.border_m, p.near, p.candidates, p.score,
		coalesce(p.matched, ''), p.since
	FROM report r JOIN placement p ON p.report_num = r.num
	WHERE `

func scanReport(row pgx.CollectableRow) (Report, error) {
	var r Report
	p := &r.Placement
	err := row.Scan(&r.Num, &r.ID, &r.ExternalID, &r.Source, &r.CapturedAt, &r.ReceivedAt, &r.ClosedAt, &r.Lon, &r.Lat, &r.CRS, &r.Located,
		&r.AccuracyM, &r.PositionSource, &r.Address, &r.Item, &r.Kind, &r.Title, &r.Text, &r.Generated, &r.FiledBy,
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
