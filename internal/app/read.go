package app

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/cube"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/report"
)

// Attribution lists whom the city's lines and reports are from, as shown on its map.
func (c *City) Attribution() []string { return c.state.Load().Attribution }

// PlanName names a plan by its number, "" for none.
func (c *City) PlanName(id int64) string { return c.state.Load().planNames[jurisdiction.PlanID(id)] }

// loadWords reads attributions and plan names.
func (c *City) loadWords(ctx context.Context, s *State) error {
	plans, err := c.Plans.Plans(ctx)
	if err != nil {
		return err
	}
	s.planNames = map[jurisdiction.PlanID]string{}
	for _, p := range plans {
		s.planNames[p.ID] = p.Name
	}
	rows, err := c.Pool.Query(ctx, `SELECT text FROM attribution ORDER BY ord`)
	if err != nil {
		return fmt.Errorf("read attributions: %w", err)
	}
	if s.Attribution, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return fmt.Errorf("read attributions: %w", err)
	}
	return nil
}

// SetAttribution replaces the city's attributions.
func (c *City) SetAttribution(ctx context.Context, lines []string) error {
	return pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		b.Queue(`DELETE FROM attribution`)
		for i, text := range lines {
			b.Queue(`INSERT INTO attribution (ord, text) VALUES ($1, $2)`, i, text)
		}
		return tx.SendBatch(ctx, b).Close()
	})
}

// Span returns the times of the earliest and the latest report in the cube, in whole seconds; any is false without one.
func (l *Live) Span() (first, last time.Time, any bool) {
	s := l.span.Load()
	if s == nil {
		return first, last, false
	}
	return time.Unix(int64(s[0]), 0), time.Unix(int64(s[1]), 0), true
}

// widen takes the follower's rows into the span. It never narrows: reports are not unmade.
func (l *Live) widen(at uint32) {
	s := l.span.Load()
	switch {
	case s == nil:
		l.span.Store(&[2]uint32{at, at})
	case at < s[0] || at > s[1]:
		l.span.Store(&[2]uint32{min(at, s[0]), max(at, s[1])})
	}
}

// Totals counts the city's reports: all of them, and those without a point, which the cube does not hold.
func (l *Live) Totals(ctx context.Context) (all, nowhere int, err error) {
	if nowhere, err = l.Reports.Nowhere(ctx); err != nil {
		return 0, 0, err
	}
	return l.View().Len() + nowhere, nowhere, nil
}

// CountIn counts the reports of a jurisdiction. Where its level nests down to the grid the cube answers, else the database.
func (l *Live) CountIn(ctx context.Context, role jurisdiction.Role, code string, q report.Query, f cube.Filter) (int, error) {
	layout, names := l.State().Layout, l.Names()
	grids, ok := layout.GridsOf(role, code)
	if !ok {
		switch role {
		case jurisdiction.RoleCity:
			return int(l.View().Count(f, nil)), nil
		case jurisdiction.RoleTown:
			q.Town = code
		case jurisdiction.RoleVillage:
			q.Village = code
		case jurisdiction.RoleMicrogrid:
			q.Microgrid = code
		}
		return l.Reports.Count(ctx, q)
	}
	for _, g := range grids {
		if face, ok := names.face[g]; ok {
			f.Faces = append(f.Faces, face)
		}
	}
	if len(f.Faces) == 0 {
		return 0, nil // no report was ever placed there
	}
	return int(l.View().Count(f, nil)), nil
}

// List reads a page of reports.
func (l *Live) List(ctx context.Context, q report.Query) (report.Page, error) {
	return l.Reports.List(ctx, q)
}
