package jurisdiction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"

	"gridgov/internal/coverage"
	"gridgov/internal/fault"
)

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Level finds a level by its role or by the city's own name, ignoring case.
func (s *Service) Level(name string) (Level, error) {
	var known []string
	for _, l := range s.Levels {
		if strings.EqualFold(string(l.Role), name) || strings.EqualFold(l.Name, name) {
			return l, nil
		}
		known = append(known, fmt.Sprintf("%s (%s)", l.Role, l.Name))
	}
	return Level{}, fault.Invalid("level", "unknown_level", "the city has no level %q; it has %s", name, strings.Join(known, ", "))
}

// rank is a role's place among the city's levels, top first.
func (s *Service) rank(r Role) int {
	return slices.IndexFunc(s.Levels, func(l Level) bool { return l.Role == r })
}

const selectPlan = `
	SELECT p.id, p.name,
		CASE WHEN p.state = 'published' AND p.in_force_from < max(p.in_force_from) FILTER (WHERE p.state = 'published' AND p.in_force_from <= $1) OVER ()
			THEN 'retired' ELSE p.state END,
		coalesce(p.version, ''), coalesce((SELECT string_agg(DISTINCT l.accepted_gaps, '; ') FROM plan_level l WHERE l.plan_id = p.id), ''),
		p.in_force_from, p.created_at,
		(SELECT count(*) FROM finding f WHERE f.plan_id = p.id AND f.severity = 'repaired'),
		(SELECT count(*) FROM finding f WHERE f.plan_id = p.id AND f.severity = 'warning'),
		(SELECT count(*) FROM finding f WHERE f.plan_id = p.id AND f.severity = 'refused')
	FROM plan p`

func scanPlan(row pgx.CollectableRow) (Plan, error) {
	var p Plan
	var repaired, warning, refused int
	err := row.Scan(&p.ID, &p.Name, &p.State, &p.Version, &p.AcceptedGaps, &p.InForceFrom, &p.CreatedAt, &repaired, &warning, &refused)
	p.Findings = map[coverage.Severity]int{coverage.Repaired: repaired, coverage.Warning: warning, coverage.Refused: refused}
	return p, err
}

// Plans lists the city's plans, the newest first.
func (s *Service) Plans(ctx context.Context) ([]Plan, error) {
	rows, err := s.Pool.Query(ctx, selectPlan+` ORDER BY p.created_at DESC, p.id DESC`, s.at())
	if err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanPlan)
	if err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	return list, nil
}

// Plan finds a plan by name; "" means the only draft or checked plan.
func (s *Service) Plan(ctx context.Context, name string) (Plan, error) {
	list, err := s.Plans(ctx)
	if err != nil {
		return Plan{}, err
	}
	var open []Plan
	for _, p := range list {
		if p.Name == name {
			return p, nil
		}
		if p.State == Draft || p.State == Checked {
			open = append(open, p)
		}
	}
	switch {
	case name != "":
		return Plan{}, fault.NotFound("there is no plan %q; see `plan list`", name)
	case len(open) == 1:
		return open[0], nil
	case len(open) == 0:
		return Plan{}, fault.NotFound("there is no draft; import boundaries first, or name the plan")
	}
	return Plan{}, fault.Invalid("plan", "several_drafts", "there are %d drafts: name one with --plan", len(open))
}

// InForce is the plan in force now, and false when none is.
func (s *Service) InForce(ctx context.Context) (Plan, bool, error) {
	list, err := s.Plans(ctx)
	if err != nil {
		return Plan{}, false, err
	}
	i := slices.IndexFunc(list, func(p Plan) bool {
		return p.State == Published && !p.InForceFrom.After(s.Now())
	})
	if i < 0 {
		return Plan{}, false, nil
	}
	return list[i], true, nil
}

// lockDraft finds the plan that an edit goes to, creating it when it is new, and holds it for the transaction.
func (s *Service) lockDraft(ctx context.Context, tx pgx.Tx, name string) (PlanID, error) {
	_, err := tx.Exec(ctx, `INSERT INTO plan (name, state, created_at) VALUES ($1, 'draft', $2) ON CONFLICT (name) DO NOTHING`, name, s.at())
	if err != nil {
		return 0, fmt.Errorf("open draft: %w", err)
	}
	var id PlanID
	var state State
	if err := tx.QueryRow(ctx, `SELECT id, state FROM plan WHERE name = $1 FOR UPDATE`, name).Scan(&id, &state); err != nil {
		return 0, fmt.Errorf("open draft: %w", err)
	}
	if state == Published {
		return 0, fault.Conflict("plan_published", "plan %q is published and never changes; give the import another --plan", name)
	}
	return id, nil
}

// stored is one level of a plan as it lies in the database.
type stored struct {
	Level
	WithParent   bool
	Nests        bool
	Dissolved    bool   // made by the check
	AcceptedGaps string // the reason why gaps are meant
	File         string
	Generated    bool
	faces        []Face // sorted by code
}

// read loads the levels of a plan, top first.
func (s *Service) read(ctx context.Context, q querier, plan PlanID) ([]stored, error) {
	rows, err := q.Query(ctx, `
		SELECT role, with_parent, nests, dissolved, coalesce(accepted_gaps, ''), file
		FROM plan_level WHERE plan_id = $1 ORDER BY role`, plan)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (stored, error) {
		var l stored
		err := row.Scan(&l.Role, &l.WithParent, &l.Nests, &l.Dissolved, &l.AcceptedGaps, &l.File)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	slices.SortFunc(list, func(a, b stored) int { return s.rank(a.Role) - s.rank(b.Role) })
	for i := range list {
		list[i].Level = s.Levels[s.rank(list[i].Role)]
		if err := list[i].readFaces(ctx, q, plan); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (l *stored) readFaces(ctx context.Context, q querier, plan PlanID) error {
	rows, err := q.Query(ctx, `
		SELECT code, name, coalesce(name_latin, ''), coalesce(parent, ''), households, population, line, generated, ST_AsBinary(geom)
		FROM boundary WHERE plan_id = $1 AND role = $2 ORDER BY code COLLATE "C"`, plan, l.Role)
	if err != nil {
		return fmt.Errorf("read boundaries: %w", err)
	}
	l.faces, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Face, error) {
		var f Face
		var generated bool
		var geom []byte
		if err := row.Scan(&f.Code, &f.Name, &f.NameLatin, &f.Parent, &f.Households, &f.Population, &f.Line, &generated, &geom); err != nil {
			return f, err
		}
		l.Generated = l.Generated || generated
		g, err := wkb.Unmarshal(geom)
		if err != nil {
			return f, fmt.Errorf("%s %s: %w", l.Role, f.Code, err)
		}
		shape, ok := g.(orb.MultiPolygon)
		if !ok {
			return f, fmt.Errorf("%s %s: stored as %s", l.Role, f.Code, g.GeoJSONType())
		}
		f.Shape = shape
		return f, nil
	})
	if err != nil {
		return fmt.Errorf("read boundaries: %w", err)
	}
	return nil
}

// polygons turns the faces into what the coverage takes.
func (l *stored) polygons() []coverage.Polygon {
	out := make([]coverage.Polygon, len(l.faces))
	for i, f := range l.faces {
		out[i] = coverage.Polygon{Code: f.Code, Parent: f.Parent, Line: f.Line, Shape: f.Shape}
	}
	return out
}

// dropDissolved takes out the levels that a check made: a changed plan has others, or none.
func (s *Service) dropDissolved(ctx context.Context, tx pgx.Tx, plan PlanID) error {
	b := &pgx.Batch{}
	for _, sql := range []string{
		`DELETE FROM finding WHERE plan_id = $1 AND role IN (SELECT role FROM plan_level WHERE plan_id = $1 AND dissolved)`,
		`DELETE FROM boundary WHERE plan_id = $1 AND role IN (SELECT role FROM plan_level WHERE plan_id = $1 AND dissolved)`,
		`DELETE FROM plan_level WHERE plan_id = $1 AND dissolved`,
	} {
		b.Queue(sql, plan)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("drop dissolved levels: %w", err)
	}
	return nil
}

// write replaces a level of a draft: its faces, as the coverage has them, and what there is to say of the polygons as they
// came and of the coverage.
func (l *stored) write(ctx context.Context, tx pgx.Tx, s *Service, plan PlanID, cov *coverage.Coverage, ofInput, ofCoverage []coverage.Finding) error {
	b := &pgx.Batch{}
	b.Queue(`DELETE FROM finding WHERE plan_id = $1 AND role = $2`, plan, l.Role)
	b.Queue(`DELETE FROM boundary WHERE plan_id = $1 AND role = $2`, plan, l.Role)
	b.Queue(`
		INSERT INTO plan_level (plan_id, role, with_parent, nests, dissolved, accepted_gaps, file, imported_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (plan_id, role) DO UPDATE SET with_parent = excluded.with_parent, nests = excluded.nests,
			dissolved = excluded.dissolved, accepted_gaps = excluded.accepted_gaps, file = excluded.file, imported_at = excluded.imported_at`,
		plan, l.Role, l.WithParent, l.Nests, l.Dissolved, null(l.AcceptedGaps), l.File, s.at())
	byCode := make(map[string]*Face, len(l.faces))
	for i := range l.faces {
		byCode[l.faces[i].Code] = &l.faces[i]
	}
	for i := range cov.Len() {
		f := byCode[cov.Faces[i].Code]
		geom, err := wkb.Marshal(cov.Shape(i))
		if err != nil {
			return fmt.Errorf("%s %s: %w", l.Role, f.Code, err)
		}
		b.Queue(`
			INSERT INTO boundary (plan_id, role, code, name, name_latin, parent, households, population, generated, line, area_m2, geom)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, ST_GeomFromWKB($12, 4490))`,
			plan, l.Role, f.Code, f.Name, null(f.NameLatin), null(f.Parent), f.Households, f.Population, l.Generated, f.Line, cov.AreaM2(i), geom)
	}
	for n, f := range slices.Concat(ofInput, ofCoverage) {
		b.Queue(`
			INSERT INTO finding (plan_id, role, num, of_input, kind, severity, codes, line, lon, lat, area_m2, width_m, message)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			plan, l.Role, n, n < len(ofInput), string(f.Kind), string(f.Severity), noNil(f.Codes), f.Line, f.Place[0], f.Place[1], f.AreaM2, f.WidthM, f.Message)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("write level %s: %w", l.Role, err)
	}
	return nil
}

// Findings reads what there is to say of a plan since its imports and its last check, by level, in the coverage's order.
func (s *Service) Findings(ctx context.Context, plan PlanID) (map[Role][]coverage.Finding, error) {
	return findings(ctx, s.Pool, plan, false)
}

// findings reads those of all levels, or only those of the polygons as they came.
func findings(ctx context.Context, q querier, plan PlanID, ofInput bool) (map[Role][]coverage.Finding, error) {
	rows, err := q.Query(ctx, `
		SELECT role, kind, severity, codes, line, lon, lat, area_m2, width_m, message
		FROM finding WHERE plan_id = $1 AND (of_input OR NOT $2) ORDER BY role, num`, plan, ofInput)
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	out := map[Role][]coverage.Finding{}
	var role Role
	var f coverage.Finding
	_, err = pgx.ForEachRow(rows, []any{&role, &f.Kind, &f.Severity, &f.Codes, &f.Line, &f.Place[0], &f.Place[1], &f.AreaM2, &f.WidthM, &f.Message}, func() error {
		c := f
		c.Codes = slices.Clone(f.Codes)
		out[role] = append(out[role], c)
		return nil
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	for _, f := range out {
		coverage.SortFindings(f)
	}
	return out, nil
}

func null(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func noNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
