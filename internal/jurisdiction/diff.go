package jurisdiction

import (
	"context"
	"fmt"
	"slices"
)

// Change is one jurisdiction that differs between two plans.
type Change struct {
	Role  Role
	Code  string
	Name  string
	What  string // added, removed, renamed, moved (its parent), reshaped; several joined by "+"
	AreaA float64
	AreaB float64 // m², 0 where it is not
}

// Diff compares two plans by code, level by level, in the order of levels and codes.
func (s *Service) Diff(ctx context.Context, a, b Plan) ([]Change, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT coalesce(a.role, b.role), coalesce(a.code, b.code), coalesce(b.name, a.name), coalesce(a.area_m2, 0), coalesce(b.area_m2, 0),
			a.code IS NOT NULL, b.code IS NOT NULL, a.name IS DISTINCT FROM b.name, a.parent IS DISTINCT FROM b.parent,
			ST_AsBinary(a.geom) IS DISTINCT FROM ST_AsBinary(b.geom)
		FROM (SELECT * FROM boundary WHERE plan_id = $1) a
		FULL JOIN (SELECT * FROM boundary WHERE plan_id = $2) b ON b.role = a.role AND b.code = a.code
		ORDER BY array_position(ARRAY['city', 'town', 'village', 'grid', 'microgrid'], coalesce(a.role, b.role)), coalesce(a.code, b.code) COLLATE "C"`, a.ID, b.ID)
	if err != nil {
		return nil, fmt.Errorf("compare plans: %w", err)
	}
	defer rows.Close()
	var out []Change
	for rows.Next() {
		var c Change
		var inA, inB, renamed, moved, reshaped bool
		if err := rows.Scan(&c.Role, &c.Code, &c.Name, &c.AreaA, &c.AreaB, &inA, &inB, &renamed, &moved, &reshaped); err != nil {
			return nil, fmt.Errorf("compare plans: %w", err)
		}
		switch {
		case !inA:
			c.What = "added"
		case !inB:
			c.What = "removed"
		default:
			for _, w := range []struct {
				is   bool
				word string
			}{{renamed, "renamed"}, {moved, "moved"}, {reshaped, "reshaped"}} {
				if !w.is {
					continue
				}
				if c.What != "" {
					c.What += "+"
				}
				c.What += w.word
			}
		}
		if c.What != "" {
			out = append(out, c)
		}
	}
	return slices.Clip(out), rows.Err()
}
