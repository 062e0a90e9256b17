package person

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// errLast refuses what would leave the city to nobody.
var errLast = fault.Conflict("last_administrator", "nobody else administers the city: give another person an administrator's post and an account first, then do this")

// KeepAdministratorIn runs an act, inside of another use case's transaction, that may take a post or the way to sign in from
// an administrator. It refuses the act, as last_administrator, where by it today or tomorrow loses the last who administers the
// city: who holds the post on that day and has an account that is in use. Of tomorrow, as a post that ends today is held until
// midnight; no further, as an end that is further away is a term, in which another can be named. What nobody does, a post that
// runs out, is no act.
//
// Such acts wait for each other: of two who take each other's post, one is refused.
func (s *Service) KeepAdministratorIn(ctx context.Context, tx pgx.Tx, act func() error) error {
	if err := lockAdministrators(ctx, tx); err != nil {
		return err
	}
	today := s.Today()
	before, err := s.administered(ctx, tx, today)
	if err != nil {
		return err
	}
	if err := act(); err != nil {
		return err
	}
	after, err := s.administered(ctx, tx, today)
	if err != nil {
		return err
	}
	if before.today && !after.today || before.tomorrow && !after.tomorrow {
		return errLast
	}
	return nil
}

// lockAdministrators holds the posts of all administrators, the ended ones too. Who is to change one of them, or an account,
// takes them first: locked the other way round, two would stand in each other's way.
func lockAdministrators(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT id FROM post WHERE role = $1 ORDER BY id FOR UPDATE`, policy.Administrator); err != nil {
		return fmt.Errorf("lock the administrators' posts: %w", err)
	}
	return nil
}

// Administered tells whether somebody administers the city today, and tomorrow.
func (s *Service) Administered(ctx context.Context) (bool, error) {
	on, err := s.administered(ctx, s.Pool, s.Today())
	return on.today && on.tomorrow, err
}

// days are those on which somebody administers the city.
type days struct{ today, tomorrow bool }

func (s *Service) administered(ctx context.Context, q Querier, today Day) (on days, err error) {
	err = q.QueryRow(ctx, `
		SELECT coalesce(bool_or($1::text::date BETWEEN o.begins AND coalesce(o.ends, 'infinity')), false),
			coalesce(bool_or($2::text::date BETWEEN o.begins AND coalesce(o.ends, 'infinity')), false)
		FROM post o JOIN account a ON a.person_id = o.person_id
		WHERE o.role = $3 AND a.disabled_at IS NULL AND (a.password IS NOT NULL OR a.issuer IS NOT NULL) AND (NOT a.demo OR $4)`,
		string(today), string(today.plus(1)), policy.Administrator, s.Demo).Scan(&on.today, &on.tomorrow)
	if err != nil {
		return days{}, fmt.Errorf("look for administrators: %w", err)
	}
	return on, nil
}
