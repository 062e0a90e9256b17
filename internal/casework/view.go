package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
)

// View is a way to look at the queue that is kept: a person's own, a unit's, or everybody's.
type View struct {
	ID     uuid.UUID
	Person uuid.UUID     // whose own it is; nil: it is shared
	Unit   policy.UnitID // of a unit's; 0 with a nil Person: everybody's
	Name   string
	Filter Filter
	Place  int // its order among those of the same owner
}

// maxViews is how many of one owner there may be: each is counted whenever a queue is looked at.
const maxViews = 30

func (v *View) check() error {
	v.Name = strings.TrimSpace(v.Name)
	switch {
	case v.Name == "" || utf8.RuneCountInString(v.Name) > 60 || strings.ContainsFunc(v.Name, unicode.IsControl):
		return fault.Invalid("name", "bad_text", "a name has 1 to 60 characters, and no control characters")
	case v.Place < 0 || v.Place > 999:
		return fault.Invalid("place", "out_of_range", "%d is not a number from 0 to 999", v.Place)
	}
	if err := v.Filter.Check(); err != nil {
		if f, ok := fault.As(err); ok {
			named := *f
			named.Field = "filter." + f.Field
			return &named
		}
		return err
	}
	return nil
}

const selectView = `SELECT id, person_id, coalesce(unit_id, 0), name, content, place FROM queue_view `

func scanView(row pgx.CollectableRow) (v View, err error) {
	var person *uuid.UUID
	var content []byte
	if err := row.Scan(&v.ID, &person, &v.Unit, &v.Name, &content, &v.Place); err != nil {
		return v, err
	}
	v.Person = deref(person)
	return v, json.Unmarshal(content, &v.Filter)
}

// Views are those of a person, then those of some units, then everybody's.
func (s *Service) Views(ctx context.Context, person uuid.UUID, units []policy.UnitID) ([]View, error) {
	rows, err := s.Pool.Query(ctx, selectView+`
		WHERE person_id = $1 OR unit_id = ANY ($2) OR person_id IS NULL AND unit_id IS NULL
		ORDER BY person_id IS NULL, unit_id IS NULL, unit_id, place, name, id`, person, units)
	if err == nil {
		var list []View
		if list, err = pgx.CollectRows(rows, scanView); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("read views of the queue: %w", err)
}

// SaveView keeps a view, or changes the one that is there. may says whether who saves it may, of the view as it will be and of the
// one that is there. Faults: those of its fields, too_many_views, and whatever may says.
func (s *Service) SaveView(ctx context.Context, v View, by uuid.UUID, may func(*View) error) (existed bool, err error) {
	if err := v.check(); err != nil {
		return false, err
	}
	if err := may(&v); err != nil {
		return false, err
	}
	content, err := json.Marshal(v.Filter)
	if err != nil {
		return false, err
	}
	err = s.Committer.Do(ctx, func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		before, err := lockView(ctx, tx, v.ID)
		existed = err == nil
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return feed.Step{}, err
		}
		if existed {
			if err := may(&before); err != nil {
				return feed.Step{}, err
			}
		}
		sql := `INSERT INTO queue_view (id, person_id, unit_id, name, content, place, changed_at, changed_by)
			SELECT $1, $2, $3, $4, $5, $6, $7, $8
			WHERE (SELECT count(*) FROM queue_view WHERE person_id IS NOT DISTINCT FROM $2 AND unit_id IS NOT DISTINCT FROM $3) < $9`
		args := []any{v.ID, orNull(v.Person), orNull(v.Unit), v.Name, content, v.Place, s.Now().UTC().Truncate(time.Microsecond), by}
		if existed {
			sql = `UPDATE queue_view SET person_id = $2, unit_id = $3, name = $4, content = $5, place = $6, changed_at = $7, changed_by = $8 WHERE id = $1`
		} else {
			args = append(args, maxViews)
		}
		tag, err := tx.Exec(ctx, sql, args...)
		switch pg := new(pgconn.PgError); {
		case errors.As(err, &pg) && pg.Code == "23503":
			return feed.Step{}, fault.Invalid("unit", "unknown_unit", "there is no unit %d", v.Unit)
		case errors.As(err, &pg) && pg.Code == "23505":
			return feed.Step{}, fault.Conflict("id_taken", "it is being kept by another request: ask again")
		case err != nil:
			return feed.Step{}, fmt.Errorf("keep a view: %w", err)
		case tag.RowsAffected() == 0:
			return feed.Step{}, fault.Conflict("too_many_views", "there are %d views of this owner: remove one first", maxViews)
		}
		return feed.Step{Records: []audit.Record{{Act: "view.save", Subject: "view:" + v.ID.String(), After: v.recorded()}}}, nil
	})
	return existed, err
}

// recorded is what the record of acts keeps of a view: whose it is.
func (v *View) recorded() map[string]any {
	switch {
	case v.Person != uuid.Nil:
		return map[string]any{"owner": "me"}
	case v.Unit != 0:
		return map[string]any{"owner": "unit", "unit": v.Unit}
	}
	return map[string]any{"owner": "city"}
}

func lockView(ctx context.Context, tx pgx.Tx, id uuid.UUID) (View, error) {
	rows, err := tx.Query(ctx, selectView+`WHERE id = $1 FOR UPDATE`, id)
	if err != nil {
		return View{}, fmt.Errorf("read a view: %w", err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, scanView)
	if errors.Is(err, pgx.ErrNoRows) {
		return v, fault.NotFound("there is no view %s", id)
	}
	if err != nil {
		return v, fmt.Errorf("read a view: %w", err)
	}
	return v, nil
}

// RemoveView removes a view, where may lets it.
func (s *Service) RemoveView(ctx context.Context, id uuid.UUID, may func(*View) error) error {
	return s.Committer.Do(ctx, func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		v, err := lockView(ctx, tx, id)
		if err != nil {
			return feed.Step{}, err
		}
		if err := may(&v); err != nil {
			return feed.Step{}, err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM queue_view WHERE id = $1`, id); err != nil {
			return feed.Step{}, fmt.Errorf("remove a view: %w", err)
		}
		return feed.Step{Records: []audit.Record{{Act: "view.remove", Subject: "view:" + id.String(), Before: v.recorded()}}}, nil
	})
}

// RoleView is a view that roles bring along.
type RoleView struct {
	Name   string
	Filter Filter
	roles  []policy.Role
}

var (
	desks = []policy.Role{policy.Desk, policy.CentreHead}
	teams = []policy.Role{policy.Auxiliary, policy.Officer, policy.UnitMember, policy.UnitHead, policy.DutyLeader}
)

// roleViews are those of the desk, of units and of who verifies, in the order in which they are shown.
var roleViews = []RoleView{
	{"to_triage", Filter{States: in(Reported, Accepted, Filed)}, desks},
	{"returned", Filter{States: in(Returned)}, desks},
	{"due_2h", Filter{Due: Within2h}, desks},
	{"overdue", Filter{Due: Overdue}, desks},
	{"suspended", Filter{States: in(Suspended)}, desks},
	{"to_receive", Filter{States: in(Dispatched), Mine: true}, teams},
	{"in_hand", Filter{States: in(Received, Disposing, Rework), Mine: true}, teams},
	{"due_today", Filter{Due: Today, Mine: true}, teams},
	{"to_verify", Filter{States: in(FedBack)}, slices.Concat(desks, []policy.Role{policy.GridLeader, policy.GridWorker, policy.VillageSecretary, policy.StationedOfficer})},
	{"all_open", Filter{}, policy.Roles},
}

// RoleViews are the views that some roles bring along, each once.
func RoleViews(roles []policy.Role) (list []RoleView) {
	for _, v := range roleViews {
		if meet(v.roles, roles) {
			list = append(list, v)
		}
	}
	return list
}

// ForgetViews deletes the views of somebody who is erased; those of a unit and of everybody stay.
func ForgetViews(ctx context.Context, tx pgx.Tx, person uuid.UUID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM queue_view WHERE person_id = $1`, person); err != nil {
		return fmt.Errorf("erase somebody's views of the queue: %w", err)
	}
	return nil
}
