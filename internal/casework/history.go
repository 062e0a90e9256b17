package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/assign"
	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// Done is an act that was done with a case.
type Done struct {
	N       int // the version that it made
	At      time.Time
	DoneAt  time.Time // by who did it; zero: they did not say, or it cannot be true
	Act     Act
	Was, Is State
	Person  uuid.UUID     // nil: the service itself
	Role    policy.Role   // of the post by which it was done; "": none is known
	Of      policy.UnitID // the post's unit; 0: none
	Reason  string

	Unit      policy.UnitID // that it was sent to; 0: it was not
	Target    string        // the case that it was merged into, as Ref.String writes it
	Verdict   *bool
	Rating    int
	By        *worktime.Budget
	Stage     *int
	SettledBy SettledBy
	Measure   Measure
	Parts     int
	Evidence  []uuid.UUID
}

// History are the acts that were done with a case, in order.
func (s *Service) History(ctx context.Context, ref Ref) ([]Done, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT a.n, a.at, a.act, a.was, a.is_now, a.person_id, p.role, p.unit_id, a.reason, a.detail, a.done_at
		FROM case_act a LEFT JOIN post p ON p.id = a.post_id
		WHERE a.report_num = $1 AND a.part = $2 ORDER BY a.n`, ref.Report, ref.Part)
	if err != nil {
		return nil, fmt.Errorf("read what was done with case %s: %w", ref, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Done, err error) {
		var person *uuid.UUID
		var role *policy.Role
		var unit *policy.UnitID
		var reason *string
		var kept []byte
		var done *time.Time
		if err := row.Scan(&d.N, &d.At, &d.Act, &d.Was, &d.Is, &person, &role, &unit, &reason, &kept, &done); err != nil {
			return d, err
		}
		var more detail
		if err := json.Unmarshal(kept, &more); err != nil {
			return d, err
		}
		d.At, d.DoneAt, d.Person, d.Role, d.Of, d.Reason = d.At.UTC(), deref(done).UTC(), deref(person), deref(role), deref(unit), deref(reason)
		d.Unit, d.Target, d.Verdict, d.Rating, d.By, d.Stage = more.Unit, more.Target, more.Verdict, more.Rating, more.By, more.Stage
		d.SettledBy, d.Measure, d.Parts, d.Evidence = more.SettledBy, more.Measure, more.Parts, more.Evidence
		return d, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was done with case %s: %w", ref, err)
	}
	return list, nil
}

// Parts are the cases that were split off a case or given out as its tasks, without their clocks' marks.
func (s *Service) Parts(ctx context.Context, ref Ref) ([]Row, error) {
	return s.rows(ctx, `SELECT `+rowColumns+` FROM cases c WHERE c.report_num = @num AND c.parent = @part ORDER BY c.part`,
		pgx.NamedArgs{"num": ref.Report, "part": ref.Part})
}

// Propose is the unit that the rules name for a case now, those left out that gave it back.
func (s *Service) Propose(ctx context.Context, c *Case) (assign.Decision, error) {
	list, err := s.ProposeIn(ctx, c, nil)
	if err != nil {
		return assign.Decision{}, err
	}
	return list[0], nil
}

// ProposeIn are the units that the rules would name for a case in each of some places; cells nil: where it lies.
func (s *Service) ProposeIn(ctx context.Context, c *Case, cells []policy.Cell) ([]assign.Decision, error) {
	list, err := matters(ctx, s.Pool, `r.num = $1`, int64(c.Report))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errNoCase(c.Ref)
	}
	at := s.Now()
	standing := s.Intake.At(at)
	m := list[0]
	m.Item = c.Item
	if cells == nil {
		cells = []policy.Cell{m.Cell}
	}
	out := make([]assign.Decision, len(cells))
	for i, cell := range cells {
		m.Cell = cell
		if out[i], err = decide(&standing, &m, at, c.ReturnedBy...); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// OpenPartsOf counts the parts of a case in which somebody still has to do something.
func OpenPartsOf(parts []Row) (n int) {
	for i := range parts {
		if parts[i].State.Open() {
			n++
		}
	}
	return n
}
