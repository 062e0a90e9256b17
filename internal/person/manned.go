package person

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Manned is a unit with how many people hold a post in it today, who can sign in or never could: see [Holders].
type Manned struct {
	Unit
	Members int
}

// Manned lists all units, closed ones too, by number.
func (s *Service) Manned(ctx context.Context) ([]Manned, error) {
	rows, err := s.Pool.Query(ctx, selectUnit+` ORDER BY u.id`)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	units, err := pgx.CollectRows(rows, scanUnit)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	rows, err = s.Pool.Query(ctx, `
		SELECT o.unit_id, count(DISTINCT o.person_id) FROM post o JOIN person p ON p.id = o.person_id LEFT JOIN account a ON a.person_id = p.id
		WHERE o.unit_id IS NOT NULL AND NOT p.machine AND p.erased_at IS NULL AND a.disabled_at IS NULL AND $1::text::date BETWEEN o.begins AND coalesce(o.ends, 'infinity')
		GROUP BY o.unit_id`, string(s.Today()))
	if err != nil {
		return nil, fmt.Errorf("count the units' people: %w", err)
	}
	members := map[int64]int{}
	var id int64
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { members[id] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count the units' people: %w", err)
	}
	list := make([]Manned, len(units))
	for i, u := range units {
		list[i] = Manned{u, members[int64(u.ID)]}
	}
	return list, nil
}
