package person

import (
	"context"
	"fmt"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// checkArea refuses a jurisdiction that the plan in force does not have.
func (s *Service) checkArea(a policy.Area) *fault.Error {
	if plan := s.plan(); plan != nil && !plan.Has(a) {
		return fault.Invalid("code", "unknown_jurisdiction", "the plan in force has no %s: look the code up on the map or in `export`", words(a))
	}
	return nil
}

// CreateUnit adds a unit.
func (s *Service) CreateUnit(ctx context.Context, u Unit) (out Unit, err error) {
	err = s.transact(ctx, func(w *work) error {
		out, err = w.createUnit(ctx, u)
		return err
	})
	return out, err
}

func (w *work) createUnit(ctx context.Context, u Unit) (Unit, error) {
	if f := u.check(); f != nil {
		return Unit{}, f
	}
	if u.Area.Level != "" {
		if f := w.checkArea(u.Area); f != nil {
			return Unit{}, f
		}
	}
	u.Version, u.ClosedAt = 1, nil
	err := w.tx.QueryRow(ctx, `
		INSERT INTO unit (kind, name, name_en, level, code, version) VALUES ($1, $2, $3, $4, $5, 1) RETURNING id`,
		u.Kind, u.Name, null(u.NameEN), null(u.Area.Level), null(u.Area.Code)).Scan(&u.ID)
	if err != nil {
		return Unit{}, unitFault(err, u)
	}
	w.record("unit.create", subjectOfUnit(u.ID), nil, u.record())
	return u, nil
}

func unitFault(err error, u Unit) error {
	if state(err) == "23505" {
		f := fault.Conflict("unit_exists", "there is a %s of this name already: choose another", u.Kind)
		f.Field = "name"
		return f
	}
	return fmt.Errorf("write unit: %w", err)
}

// ChangeUnit changes a unit whose version is the one given, else it is a conflict.
func (s *Service) ChangeUnit(ctx context.Context, id policy.UnitID, version int, c UnitChange) (out Unit, err error) {
	err = s.transact(ctx, func(w *work) error {
		u, err := w.lockUnit(ctx, id, version)
		if err != nil {
			return err
		}
		out = u
		set(&out.Name, c.Name)
		set(&out.NameEN, c.NameEN)
		set(&out.Area, c.Area)
		if f := out.check(); f != nil {
			return f
		}
		if out.Area != u.Area && out.Area.Level != "" {
			if f := s.checkArea(out.Area); f != nil {
				return f
			}
		}
		var changed []string
		if out.Name != u.Name || out.NameEN != u.NameEN {
			changed = append(changed, "name")
		}
		if out.Area != u.Area {
			changed = append(changed, "area")
		}
		if len(changed) == 0 {
			return nil
		}
		_, err = w.tx.Exec(ctx, `UPDATE unit SET name = $2, name_en = $3, level = $4, code = $5, version = version + 1 WHERE id = $1`,
			id, out.Name, null(out.NameEN), null(out.Area.Level), null(out.Area.Code))
		if err != nil {
			return unitFault(err, out)
		}
		out.Version++
		after := out.record()
		after.Changed = changed
		w.record("unit.change", subjectOfUnit(id), u.record(), after)
		return nil
	})
	return out, err
}

func (w *work) lockUnit(ctx context.Context, id policy.UnitID, version int) (Unit, error) {
	u, err := unit(ctx, w.tx, id, ` FOR UPDATE`)
	switch {
	case err != nil:
		return u, err
	case u.Version != version:
		return u, stale("unit")
	case u.ClosedAt != nil:
		return u, fault.Conflict("unit_closed", "the unit is closed")
	}
	return u, nil
}

// CloseUnit closes a unit in which nobody holds a post any more.
func (s *Service) CloseUnit(ctx context.Context, id policy.UnitID, version int) (out Unit, err error) {
	err = s.transact(ctx, func(w *work) error {
		u, err := w.lockUnit(ctx, id, version)
		if err != nil {
			return err
		}
		var left int
		// Who gives a post in the unit holds its row: after this nobody comes.
		err = w.tx.QueryRow(ctx, `SELECT count(*) FROM post WHERE unit_id = $1 AND (ends IS NULL OR ends >= greatest(begins, $2::date))`,
			id, string(dayOf(w.at, s.Zone))).Scan(&left)
		if err != nil {
			return fmt.Errorf("count the unit's posts: %w", err)
		}
		if left > 0 {
			return fault.Conflict("unit_has_posts", "%d posts in the unit have not ended: end them first", left)
		}
		if _, err := w.tx.Exec(ctx, `UPDATE unit SET closed_at = $2, version = version + 1 WHERE id = $1`, id, w.at); err != nil {
			return fmt.Errorf("close unit: %w", err)
		}
		before := u.record()
		u.ClosedAt, u.Version = &w.at, u.Version+1
		out = u
		w.record("unit.close", subjectOfUnit(id), before, u.record())
		return nil
	})
	return out, err
}
