package report

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// Query selects reports; a nil or zero field does not filter. Items, Kinds and Sources are unions; a Kind "" means
// reports without a kind. From ≤ captured_at < To.
type Query struct {
	Items     []string
	Kinds     []Kind
	Sources   []Source
	From, To  time.Time
	Hours     uint32         // bit h: captured in hour h of the day of Zone; 0: any
	Zone      *time.Location // of Hours
	Bound     *orb.Bound
	Town      string
	Village   string
	Grid      string
	Microgrid string
	Methods   []string
	Within    *Within         // nil: the whole city
	FiledBy   *uuid.UUID      // by this person's account only
	Units     []policy.UnitID // whose case, or a part of it, one of these units leads or supports; nil: any
	Nums      []Num           // these reports only
	OrNowhere bool            // and those without a point, where Nums are given
	IDs       []ID
	Nowhere   bool // those without a point only
	Fate      Fate // what has become of them
	Search    *Search
	After     string // the cursor of the page before
	Limit     int
}

// Within cuts a list to parts of the city: a report is in it that lies in one of the jurisdictions, or may lie in one of
// the grids Near. Empty, it cuts to nothing.
type Within struct {
	Placed                             bool // whatever lies in a grid, or may
	Towns, Villages, Grids, Microgrids []string
	Near                               []string
}

// Condition is that a placement p lies within, or may, in SQL; its values are added to the arguments.
func (w *Within) Condition(args pgx.NamedArgs) string {
	args["placed"], args["towns"], args["villages"], args["grids"], args["microgrids"], args["near_grids"] = w.Placed, w.Towns, w.Villages, w.Grids, w.Microgrids, w.Near
	return `(` + w.Whole() + ` OR @placed AND p.candidates <> '{}' OR p.candidates && @near_grids::text[])`
}

// Whole is that it lies within; the values are those of Condition.
func (w *Within) Whole() string {
	return `(@placed AND p.grid IS NOT NULL OR p.town = ANY (@towns) OR p.village = ANY (@villages)
			OR p.grid = ANY (@grids) OR p.microgrid = ANY (@microgrids))`
}

// Page is one page of a list, the newest first.
type Page struct {
	Reports []Report
	Next    string // "" on the last page
}

// List reads one page, ordered by (captured_at, num) descending; pages neither skip nor repeat while reports come in.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	where, args := q.where()
	args["limit"] = q.Limit + 1
	if q.After != "" {
		at, num, err := parseCursor(q.After)
		if err != nil {
			return Page{}, err
		}
		where += ` AND (r.captured_at, r.num) < (@cursor_at, @cursor_num)`
		args["cursor_at"], args["cursor_num"] = at, num
	}
	sql := selectReport + where + ` ORDER BY r.captured_at DESC, r.num DESC LIMIT @limit`
	if q.Search != nil {
		sql = found(where)
	}
	rows, err := s.Pool.Query(ctx, sql, args)
	if err != nil {
		return Page{}, fmt.Errorf("list reports: %w", err)
	}
	reports, err := pgx.CollectRows(rows, scanReport)
	if err != nil {
		return Page{}, fmt.Errorf("list reports: %w", err)
	}
	page := Page{Reports: reports}
	if len(reports) > q.Limit {
		page.Reports = reports[:q.Limit]
		last := page.Reports[q.Limit-1]
		page.Next = cursor(last.CapturedAt, last.Num)
	}
	return page, nil
}

// Count counts the reports that the query selects, whatever its page.
func (s *Service) Count(ctx context.Context, q Query) (int, error) {
	where, args := q.where()
	var n int
	err := s.Pool.QueryRow(ctx, `SELECT count(*) FROM report r JOIN placement p ON p.report_num = r.num WHERE `+where, args).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count reports: %w", err)
	}
	return n, nil
}

// where builds the conditions from constants; values go in as parameters only.
func (q *Query) where() (string, pgx.NamedArgs) {
	where := []string{"true"}
	args := pgx.NamedArgs{}
	add := func(cond, name string, value any) {
		where = append(where, cond)
		args[name] = value
	}
	if len(q.Items) > 0 {
		add(`r.item = ANY (@items)`, "items", q.Items)
	}
	if len(q.Sources) > 0 {
		add(`r.source = ANY (@sources)`, "sources", q.Sources)
	}
	if len(q.Kinds) > 0 {
		add(`coalesce(r.kind, '') = ANY (@kinds)`, "kinds", q.Kinds)
	}
	if !q.From.IsZero() {
		add(`r.captured_at >= @from`, "from", q.From)
	}
	if !q.To.IsZero() {
		add(`r.captured_at < @to`, "to", q.To)
	}
	if q.Hours != 0 {
		add(`(@hours::bigint >> date_part('hour', r.captured_at AT TIME ZONE @zone)::integer) & 1 = 1`, "hours", int64(q.Hours))
		args["zone"] = q.Zone.String()
	}
	if q.Bound != nil {
		add(`r.lon BETWEEN @west AND @east AND r.lat BETWEEN @south AND @north`, "west", q.Bound.Min[0])
		args["south"], args["east"], args["north"] = q.Bound.Min[1], q.Bound.Max[0], q.Bound.Max[1]
	}
	for _, a := range q.Areas() {
		add(`p.`+a.Role+` = @`+a.Role, a.Role, a.Code)
	}
	if w := q.Within; w != nil {
		where = append(where, w.Condition(args))
	}
	if q.FiledBy != nil {
		add(`r.filed_by = @filed_by`, "filed_by", *q.FiledBy)
	}
	if q.Units != nil {
		add(`EXISTS (SELECT FROM cases c WHERE c.report_num = r.num AND (c.unit_id = ANY (@units) OR c.supporting && @units::bigint[]))`, "units", q.Units)
	}
	if len(q.Methods) > 0 {
		add(`p.method = ANY (@methods)`, "methods", q.Methods)
	}
	if q.Nums != nil || q.IDs != nil {
		add(`(r.num = ANY (@nums) OR r.id = ANY (@ids) OR @or_nowhere AND r.lon IS NULL)`, "nums", q.Nums)
		args["ids"], args["or_nowhere"] = q.IDs, q.OrNowhere
	}
	if q.Nowhere {
		where = append(where, `r.lon IS NULL`)
	}
	q.Fate.where(add)
	if q.Search != nil {
		q.Search.where(q.Within, add)
	}
	return strings.Join(where, " AND "), args
}

// Before is the time of the cursor, if there is one: the page holds nothing later.
func (q *Query) Before() (time.Time, bool) {
	if q.After == "" {
		return time.Time{}, false
	}
	at, _, err := parseCursor(q.After)
	return at, err == nil
}

// Area is a jurisdiction that a query asks for.
type Area struct{ Role, Code string }

// Areas are the jurisdictions that the query asks for; a report has to lie in all of them.
func (q *Query) Areas() (areas []Area) {
	for _, a := range []Area{{"town", q.Town}, {"village", q.Village}, {"grid", q.Grid}, {"microgrid", q.Microgrid}} {
		if a.Code != "" {
			areas = append(areas, a)
		}
	}
	return areas
}

// Merge makes one page of two of the same cursor: what is on both comes once.
func (p Page) Merge(other Page, limit int) Page {
	all := append(slices.Clone(p.Reports), other.Reports...)
	slices.SortFunc(all, func(a, b Report) int {
		return cmp.Or(b.CapturedAt.Compare(a.CapturedAt), cmp.Compare(b.Num, a.Num))
	})
	all = slices.CompactFunc(all, func(a, b Report) bool { return a.Num == b.Num })
	out := Page{Reports: all}
	if len(all) > limit {
		out.Reports = all[:limit]
	}
	if len(all) > limit || p.Next != "" || other.Next != "" {
		last := out.Reports[len(out.Reports)-1]
		out.Next = cursor(last.CapturedAt, last.Num)
	}
	return out
}

func cursor(at time.Time, num Num) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", at.UnixMicro(), num))
}

func parseCursor(s string) (time.Time, Num, error) {
	bad := fault.Invalid("after", "bad_cursor", "is not the `next` of a page; start again without it")
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return time.Time{}, 0, bad
	}
	var micro int64
	var num uint32
	if _, err := fmt.Sscanf(string(b), "%d.%d", &micro, &num); err != nil || micro < -62135596800e6 || micro > 253402300799e6 {
		return time.Time{}, 0, bad
	}
	at := time.UnixMicro(micro).UTC()
	if cursor(at, Num(num)) != s { // Sscanf passes over signs, zeros and what follows
		return time.Time{}, 0, bad
	}
	return at, Num(num), nil
}

// Placed is one line of the export of placements.
type Placed struct {
	ID                          string // the external id, or the report's own
	Lon, Lat                    *float64
	Grid, Village, Town, Method string
	DistanceM                   *float64
	PlanID                      int64
}

// Placements calls yield for every report by number, from one state of the database.
func (s *Service) Placements(ctx context.Context, yield func(Placed) error) error {
	rows, err := s.Pool.Query(ctx, `
		SELECT coalesce(r.external_id, r.id::text), r.lon, r.lat, coalesce(p.grid, ''), coalesce(p.village, ''), coalesce(p.town, ''),
			p.method, p.distance_m, coalesce(p.plan_id, 0)
		FROM report r JOIN placement p ON p.report_num = r.num ORDER BY r.num`)
	if err != nil {
		return fmt.Errorf("read placements: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		p, err := pgx.RowToStructByPos[Placed](rows)
		if err != nil {
			return fmt.Errorf("read placements: %w", err)
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read placements: %w", err)
	}
	return nil
}
