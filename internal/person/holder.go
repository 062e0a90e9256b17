package person

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/policy"
)

// Holder is a person who holds a post at a moment.
type Holder struct {
	Person uuid.UUID
	Role   policy.Role
	Unit   policy.UnitID // 0: a post in a jurisdiction
	Area   policy.Area   // the post's, or that of its unit where the unit's kind has territory; zero: none
}

// Holders are the people who hold posts at a moment, a post each. Machines, people who are erased and those whose account was
// taken out of use are nobody to be told anything.
func Holders(ctx context.Context, q Querier, zone *time.Location, at time.Time) ([]Holder, error) {
	rows, err := q.Query(ctx, `
		SELECT o.person_id, `+HeldColumns+`
		FROM post o JOIN person p ON p.id = o.person_id LEFT JOIN unit u ON u.id = o.unit_id LEFT JOIN account a ON a.person_id = p.id
		WHERE NOT p.machine AND p.erased_at IS NULL AND a.disabled_at IS NULL AND $1::text::date BETWEEN o.begins AND coalesce(o.ends, 'infinity')
		ORDER BY o.id`, string(dayOf(at, zone)))
	if err != nil {
		return nil, fmt.Errorf("read who holds posts: %w", err)
	}
	var list []Holder
	var id uuid.UUID
	var held Held
	_, err = pgx.ForEachRow(rows, append([]any{&id}, held.Dest()...), func() error {
		if p, ok := held.Post(zone); ok && p.InForce(at) {
			list = append(list, Holder{id, p.Role, p.Unit, p.Area})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who holds posts: %w", err)
	}
	return list, nil
}
