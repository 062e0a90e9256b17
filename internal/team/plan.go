package team

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// What goes on record: ids and times.
type (
	shiftRecord struct {
		Shift  ShiftID   `json:"shift"`
		Person uuid.UUID `json:"person"`
		From   time.Time `json:"from"`
		To     time.Time `json:"to"`
		Kind   ShiftKind `json:"kind"`
	}
	swapRecord struct {
		Swap       SwapID    `json:"swap"`
		Shift      ShiftID   `json:"shift"`
		Person     uuid.UUID `json:"person"`
		Other      uuid.UUID `json:"other"`
		OtherShift ShiftID   `json:"other_shift,omitempty"`
	}
	leaveRecord struct {
		Leave   LeaveID   `json:"leave"`
		Person  uuid.UUID `json:"person"`
		From    time.Time `json:"from"`
		To      time.Time `json:"to"`
		Granted bool      `json:"granted"`
	}
	vehicleRecord struct {
		Vehicle   VehicleID   `json:"vehicle"`
		Kind      VehicleKind `json:"kind"`
		Seats     int         `json:"seats"`
		InService bool        `json:"in_service"`
	}
)

func (s *Shift) record() shiftRecord { return shiftRecord{s.ID, s.Person, s.From, s.To, s.Kind} }

func (s *Swap) record() swapRecord {
	return swapRecord{s.ID, s.Shift, s.Person, s.Other, s.OtherShift}
}

func (l *Leave) record() leaveRecord {
	return leaveRecord{l.ID, l.Person, l.From.UTC(), l.To.UTC(), l.Granted}
}

func (v *Vehicle) record() vehicleRecord { return vehicleRecord{v.ID, v.Kind, v.Seats, v.InService} }

// overlap says that somebody is on duty already.
func overlap(at string) *fault.Error {
	f := fault.Conflict("shift_overlaps", "is on another shift at the time: end that one first, or change the times")
	f.Field = at + "person"
	return f
}

// notAway refuses a shift while its person is on leave. The person is held.
func (w *work) notAway(at string, s *Shift) error {
	var away bool
	err := w.tx.QueryRow(w.ctx, `SELECT EXISTS (SELECT FROM leave WHERE person_id = $1 AND granted AND from_at < $3 AND to_at > $2)`, s.Person, s.From, s.To).Scan(&away)
	if err != nil {
		return fmt.Errorf("read leave: %w", err)
	}
	if away {
		f := fault.Conflict("on_leave", "is on leave at the time: name somebody else, or take the leave back first")
		f.Field = at + "person"
		return f
	}
	return nil
}

// AddShifts plans shifts of a unit, all or none.
func (s *Service) AddShifts(ctx context.Context, unit policy.UnitID, list []Shift) (out []Shift, err error) {
	switch {
	case len(list) == 0:
		return nil, fault.Invalid("shifts", "required", "name at least one shift")
	case len(list) > MaxShifts:
		return nil, fault.Invalid("shifts", "too_many", "at most %d shifts at once", MaxShifts)
	}
	err = s.transact(ctx, unit, func(w *work) error {
		out = make([]Shift, len(list))
		copy(out, list)
		people := make([]uuid.UUID, len(list))
		for i := range out {
			if f := out[i].check(fmt.Sprintf("shifts[%d].", i), w.at, w.Zone); f != nil {
				return f
			}
			people[i] = out[i].Person
		}
		if err := w.open(); err != nil {
			return err
		}
		if err := w.hold(people...); err != nil {
			return err
		}
		for i := range out {
			if err := w.addShift(fmt.Sprintf("shifts[%d].", i), &out[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (w *work) addShift(at string, s *Shift) error {
	if err := w.member(at+"person", s.Person, s.From); err != nil {
		return err
	}
	if err := w.notAway(at, s); err != nil {
		return err
	}
	s.Unit, s.Version, s.Changed = w.unit, 1, w.at
	err := w.tx.QueryRow(w.ctx, `INSERT INTO shift (unit_id, person_id, from_at, to_at, kind, version, changed_at) VALUES ($1, $2, $3, $4, $5, 1, $6) RETURNING id`,
		s.Unit, s.Person, s.From, s.To, s.Kind, s.Changed).Scan(&s.ID)
	if broke(err, overlaps) {
		return overlap(at)
	} else if err != nil {
		return fmt.Errorf("write shift: %w", err)
	}
	w.record("shift.create", subjectOfUnit(w.unit), nil, s.record())
	return nil
}

// ShiftChange is what to change of a shift; nil leaves it as it is.
type ShiftChange struct {
	Person   *uuid.UUID
	From, To *time.Time
	Kind     *ShiftKind
}

// ChangeShift changes a shift whose version is the one given, else it is a conflict. A swap that is asked of it is overtaken.
func (s *Service) ChangeShift(ctx context.Context, unit policy.UnitID, id ShiftID, version int, c ShiftChange) (out Shift, err error) {
	err = s.transact(ctx, unit, func(w *work) error {
		was, err := w.shift(id)
		if err != nil {
			return err
		}
		if was.Version != version {
			return fault.Conflict("stale", "somebody else has changed the shift meanwhile: read it again")
		}
		out = was
		set(&out.Person, c.Person)
		set(&out.From, c.From)
		set(&out.To, c.To)
		set(&out.Kind, c.Kind)
		if f := out.check("", w.at, w.Zone); f != nil {
			return f
		}
		if out.Person == was.Person && out.Kind == was.Kind && out.From.Equal(was.From) && out.To.Equal(was.To) {
			return nil
		}
		if err := w.hold(out.Person); err != nil {
			return err
		}
		if err := w.member("person", out.Person, out.From); err != nil {
			return err
		}
		if err := w.notAway("", &out); err != nil {
			return err
		}
		if err := w.overtake(id); err != nil {
			return err
		}
		out.Version++
		out.Changed = w.at
		_, err = w.exec("write shift", `UPDATE shift SET person_id = $2, from_at = $3, to_at = $4, kind = $5, version = version + 1, changed_at = $6 WHERE id = $1`,
			id, out.Person, out.From, out.To, out.Kind, out.Changed)
		if broke(err, overlaps) {
			return overlap("")
		}
		w.record("shift.change", subjectOfUnit(unit), was.record(), out.record())
		return err
	})
	return out, err
}

func set[T any](field *T, v *T) {
	if v != nil {
		*field = *v
	}
}

// overtake ends the swaps that are asked of a shift, or for it.
func (w *work) overtake(id ShiftID) error {
	_, err := w.exec("overtake swaps", `UPDATE shift_swap SET state = 'overtaken', answered_at = $2 WHERE state = 'asked' AND (shift_id = $1 OR other_shift_id = $1)`, id, w.at)
	return err
}

// RemoveShift takes a shift off the roster.
func (s *Service) RemoveShift(ctx context.Context, unit policy.UnitID, id ShiftID) error {
	return s.transact(ctx, unit, func(w *work) error {
		was, err := w.shift(id)
		if err == nil {
			err = w.overtake(id)
		}
		if err == nil {
			_, err = w.exec("remove shift", `DELETE FROM shift WHERE id = $1`, id)
		}
		w.record("shift.remove", subjectOfUnit(unit), was.record(), nil)
		return err
	})
}

// SetHours says when a unit is to have somebody on duty.
func (s *Service) SetHours(ctx context.Context, unit policy.UnitID, hours Hours) error {
	if hours != Always && hours != AtWork {
		return fault.Invalid("hours", "unknown_value", "%.40q is neither %s nor %s", string(hours), Always, AtWork)
	}
	return s.transact(ctx, unit, func(w *work) error {
		if err := w.open(); err != nil {
			return err
		}
		_, err := w.exec("set hours", `INSERT INTO unit_hours (unit_id, hours) VALUES ($1, $2) ON CONFLICT (unit_id) DO UPDATE SET hours = excluded.hours`, unit, hours)
		w.record("hours.set", subjectOfUnit(unit), nil, map[string]Hours{"hours": hours})
		return err
	})
}

// AskSwap asks a colleague to take a shift of one's own, maybe for one of theirs.
func (s *Service) AskSwap(ctx context.Context, unit policy.UnitID, by uuid.UUID, shift ShiftID, other uuid.UUID, otherShift ShiftID) (out Swap, err error) {
	err = s.transact(ctx, unit, func(w *work) error {
		mine, err := w.shift(shift)
		switch {
		case err != nil:
			return err
		case mine.Person != by:
			return fault.Forbidden("not_yours", "only who has the shift can ask somebody else to take it")
		case other == by:
			return fault.Invalid("other", "is_oneself", "name a colleague")
		case !mine.To.After(w.at):
			return fault.Conflict("shift_over", "the shift is over")
		}
		if err := w.member("other", other, mine.From); err != nil {
			return err
		}
		out = Swap{Unit: unit, Shift: shift, Person: by, Other: other, OtherShift: otherShift, State: Asked, AskedAt: w.at, Span: mine.Span}
		var from, to *time.Time
		var given *ShiftID
		if otherShift != 0 {
			theirs, err := w.shift(otherShift)
			switch {
			case fault.Is(err, fault.KindNotFound) || err == nil && theirs.Person != other:
				return fault.Invalid("other_shift", "not_theirs", "is no shift of the colleague in this unit")
			case err != nil:
				return err
			case !theirs.From.After(w.at):
				return fault.Conflict("shift_over", "the colleague's shift has begun")
			}
			out.OtherSpan, given, from, to = theirs.Span, &otherShift, &theirs.From, &theirs.To
		}
		err = w.tx.QueryRow(w.ctx, `
			INSERT INTO shift_swap (unit_id, shift_id, person_id, from_at, to_at, other_id, other_shift_id, other_from, other_to, state, asked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'asked', $10) RETURNING id`,
			unit, shift, by, out.From, out.To, other, given, from, to, w.at).Scan(&out.ID)
		if broke(err, taken) {
			return fault.Conflict("swap_asked", "somebody is asked to take this shift already: withdraw that first")
		} else if err != nil {
			return fmt.Errorf("write swap: %w", err)
		}
		w.record("swap.ask", subjectOfUnit(unit), nil, out.record())
		return nil
	})
	return out, err
}

// swap reads and holds a swap of the unit that is not answered yet, after its shifts, which all hold first.
func (w *work) swap(id SwapID) (Swap, error) {
	s, err := one(w, "swap", scanSwap, selectSwap+`WHERE w.id = $1 AND w.unit_id = $2`, id, w.unit)
	if err != nil {
		return s, err
	}
	if _, err := w.exec("lock shifts", `SELECT id FROM shift WHERE id IN ($1, $2) ORDER BY id FOR UPDATE`, s.Shift, s.OtherShift); err != nil {
		return s, err
	}
	if s, err = one(w, "swap", scanSwap, selectSwap+`WHERE w.id = $1 AND w.unit_id = $2 FOR UPDATE`, id, w.unit); err != nil {
		return s, err
	}
	if s.State != Asked {
		return s, fault.Conflict("swap_over", "the swap is %s: nothing is left to be done", s.State)
	}
	return s, nil
}

func (w *work) conclude(s *Swap, state SwapState) error {
	s.State, s.AnsweredAt = state, w.at
	_, err := w.exec("answer swap", `UPDATE shift_swap SET state = $2, answered_at = $3 WHERE id = $1`, s.ID, state, w.at)
	return err
}

// AnswerSwap takes the shift that somebody was asked to take, or refuses. Only who was asked can.
func (s *Service) AnswerSwap(ctx context.Context, unit policy.UnitID, by uuid.UUID, id SwapID, accept bool) (out Swap, err error) {
	err = s.transact(ctx, unit, func(w *work) error {
		if out, err = w.swap(id); err != nil {
			return err
		}
		if out.Other != by {
			return fault.Forbidden("not_asked", "somebody else was asked to take this shift")
		}
		if !accept {
			w.record("swap.refuse", subjectOfUnit(unit), nil, out.record())
			return w.conclude(&out, Refused)
		}
		if err := w.exchange(&out); err != nil {
			return err
		}
		w.record("swap.accept", subjectOfUnit(unit), nil, out.record())
		return w.conclude(&out, Accepted)
	})
	return out, err
}

// exchange hands the shifts of a swap over.
func (w *work) exchange(s *Swap) error {
	if !s.To.After(w.at) {
		return fault.Conflict("shift_over", "the shift is over")
	}
	if err := w.hold(s.Person, s.Other); err != nil {
		return err
	}
	if err := w.member("other", s.Other, s.From); err != nil {
		return err
	}
	if err := w.notAway("", &Shift{Person: s.Other, Span: s.Span}); err != nil {
		return err
	}
	if s.OtherShift != 0 {
		if !s.OtherSpan.To.After(w.at) {
			return fault.Conflict("shift_over", "the shift that was to be given for it is over")
		}
		if err := w.member("person", s.Person, s.OtherSpan.From); err != nil {
			return err
		}
		if err := w.notAway("", &Shift{Person: s.Person, Span: s.OtherSpan}); err != nil {
			return err
		}
	}
	// What else was asked of either shift is overtaken, but for this.
	if _, err := w.exec("overtake swaps", `UPDATE shift_swap SET state = 'overtaken', answered_at = $3 WHERE state = 'asked' AND id <> $4
			AND (shift_id IN ($1, $2) OR other_shift_id IN ($1, $2))`, s.Shift, s.OtherShift, w.at, s.ID); err != nil {
		return err
	}
	_, err := w.exec("swap shifts", `UPDATE shift SET person_id = CASE WHEN id = $1 THEN $3::uuid ELSE $4::uuid END, version = version + 1, changed_at = $5 WHERE id IN ($1, $2)`,
		s.Shift, s.OtherShift, s.Other, s.Person, w.at)
	if broke(err, overlaps) {
		return overlap("")
	}
	return err
}

// WithdrawSwap asks no more. Only who asked can.
func (s *Service) WithdrawSwap(ctx context.Context, unit policy.UnitID, by uuid.UUID, id SwapID) error {
	return s.transact(ctx, unit, func(w *work) error {
		out, err := w.swap(id)
		if err != nil {
			return err
		}
		if out.Person != by {
			return fault.Forbidden("not_yours", "only who asked can withdraw the swap")
		}
		w.record("swap.withdraw", subjectOfUnit(unit), nil, out.record())
		return w.conclude(&out, Withdrawn)
	})
}

// AskLeave asks for leave, or grants it at once.
func (s *Service) AskLeave(ctx context.Context, l Leave) (out Leave, err error) {
	err = s.transact(ctx, l.Unit, func(w *work) error {
		out = l
		if f := out.check(w.at); f != nil {
			return f
		}
		if err := w.open(); err != nil {
			return err
		}
		if err := w.hold(out.Person); err != nil {
			return err
		}
		if err := w.member("person", out.Person, w.at); err != nil {
			return err
		}
		if out.Granted {
			if err := w.meetsNoShift(&out); err != nil {
				return err
			}
		}
		err := w.tx.QueryRow(w.ctx, `INSERT INTO leave (unit_id, person_id, from_at, to_at, kind, granted, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
			out.Unit, out.Person, out.From, out.To, out.Kind, out.Granted, w.at).Scan(&out.ID)
		if broke(err, overlaps) {
			f := fault.Conflict("leave_overlaps", "leave was asked for already that shares some of this time: take that back first")
			f.Field = "from"
			return f
		} else if err != nil {
			return fmt.Errorf("write leave: %w", err)
		}
		if out.Granted {
			w.record("leave.grant", subjectOfUnit(out.Unit), nil, out.record())
		} else {
			w.record("leave.ask", subjectOfUnit(out.Unit), nil, out.record())
		}
		return nil
	})
	return out, err
}

// meetsNoShift refuses to grant leave in which its person is on a shift, in whichever unit. The person is held.
func (w *work) meetsNoShift(l *Leave) error {
	shifts, err := collect(w.ctx, w.tx, "shifts", scanShift, selectShift+`WHERE s.person_id = $1 AND s.from_at < $3 AND s.to_at > $2 ORDER BY s.from_at`, l.Person, l.From, l.To)
	if err != nil || len(shifts) == 0 {
		return err
	}
	f := fault.Conflict("leave_meets_shifts", "there are %d shifts in this time, the first from %s: give them to somebody else first", len(shifts),
		shifts[0].From.In(w.Zone).Format("2006-01-02 15:04"))
	f.Field = "from"
	return f
}

func (w *work) leave(id LeaveID) (Leave, error) {
	return one(w, "leave", scanLeave, selectLeave+`WHERE l.id = $1 AND l.unit_id = $2 FOR UPDATE`, id, w.unit)
}

// GrantLeave grants leave that was asked for; granted again it stays so.
func (s *Service) GrantLeave(ctx context.Context, unit policy.UnitID, id LeaveID) (out Leave, err error) {
	err = s.transact(ctx, unit, func(w *work) error {
		if out, err = w.leave(id); err != nil || out.Granted {
			return err
		}
		if err := w.hold(out.Person); err != nil {
			return err
		}
		if err := w.meetsNoShift(&out); err != nil {
			return err
		}
		out.Granted = true
		w.record("leave.grant", subjectOfUnit(unit), nil, out.record())
		_, err := w.exec("grant leave", `UPDATE leave SET granted = true WHERE id = $1`, id)
		return err
	})
	return out, err
}

// RemoveLeave refuses leave, or takes it back. by is whose asked leave alone may go; nil: any.
func (s *Service) RemoveLeave(ctx context.Context, unit policy.UnitID, id LeaveID, by uuid.UUID) error {
	return s.transact(ctx, unit, func(w *work) error {
		l, err := w.leave(id)
		switch {
		case err != nil:
			return err
		case by != uuid.Nil && l.Person != by:
			return fault.NotFound("the unit has no such leave")
		case by != uuid.Nil && l.Granted:
			return fault.Forbidden("leave_granted", "the leave is granted: who plans the roster takes it back")
		}
		w.record("leave.remove", subjectOfUnit(unit), l.record(), nil)
		_, err = w.exec("remove leave", `DELETE FROM leave WHERE id = $1`, id)
		return err
	})
}

// SetSkills says what somebody of the unit can do.
func (s *Service) SetSkills(ctx context.Context, unit policy.UnitID, id uuid.UUID, skills []string) error {
	skills, f := checkSkills(skills)
	if f != nil {
		return f
	}
	return s.transact(ctx, unit, func(w *work) error {
		if err := w.hold(id); err != nil {
			return err
		}
		if err := w.member("person", id, w.at); err != nil {
			return fault.NotFound("the unit has no such person")
		}
		if _, err := w.exec("forget skills", `DELETE FROM person_skill WHERE person_id = $1`, id); err != nil {
			return err
		}
		_, err := w.exec("write skills", `INSERT INTO person_skill (person_id, skill) SELECT $1, unnest($2::text[])`, id, skills)
		w.record("skills.set", subjectOf(id), nil, map[string]int{"skills": len(skills)})
		return err
	})
}

func vehicleFault(err error) error {
	if broke(err, taken) {
		f := fault.Conflict("vehicle_exists", "the unit has a vehicle of this plate already")
		f.Field = "plate"
		return f
	}
	return err
}

// AddVehicle adds a vehicle to a unit.
func (s *Service) AddVehicle(ctx context.Context, v Vehicle) (out Vehicle, err error) {
	if f := v.check(); f != nil {
		return v, f
	}
	err = s.transact(ctx, v.Unit, func(w *work) error {
		if err := w.open(); err != nil {
			return err
		}
		out = v
		out.Version = 1
		err := w.tx.QueryRow(w.ctx, `INSERT INTO vehicle (unit_id, plate, kind, seats, in_service, version) VALUES ($1, $2, $3, $4, $5, 1) RETURNING id`,
			v.Unit, v.Plate, v.Kind, v.Seats, v.InService).Scan(&out.ID)
		if err != nil {
			return vehicleFault(fmt.Errorf("write vehicle: %w", err))
		}
		w.record("vehicle.create", subjectOfUnit(v.Unit), nil, out.record())
		return nil
	})
	return out, err
}

// VehicleChange is what to change of a vehicle; nil leaves it as it is.
type VehicleChange struct {
	Plate     *string
	Kind      *VehicleKind
	Seats     *int
	InService *bool
}

func (w *work) vehicle(id VehicleID) (Vehicle, error) {
	return one(w, "vehicle", scanVehicle, selectVehicle+`WHERE v.id = $1 AND v.unit_id = $2 FOR UPDATE`, id, w.unit)
}

// ChangeVehicle changes a vehicle whose version is the one given, else it is a conflict.
func (s *Service) ChangeVehicle(ctx context.Context, unit policy.UnitID, id VehicleID, version int, c VehicleChange) (out Vehicle, err error) {
	err = s.transact(ctx, unit, func(w *work) error {
		was, err := w.vehicle(id)
		if err != nil {
			return err
		}
		if was.Version != version {
			return fault.Conflict("stale", "somebody else has changed the vehicle meanwhile: read it again")
		}
		out = was
		set(&out.Plate, c.Plate)
		set(&out.Kind, c.Kind)
		set(&out.Seats, c.Seats)
		set(&out.InService, c.InService)
		if f := out.check(); f != nil {
			return f
		}
		if out == was {
			return nil
		}
		out.Version++
		w.record("vehicle.change", subjectOfUnit(unit), was.record(), out.record())
		_, err = w.exec("write vehicle", `UPDATE vehicle SET plate = $2, kind = $3, seats = $4, in_service = $5, version = version + 1 WHERE id = $1`,
			id, out.Plate, out.Kind, out.Seats, out.InService)
		return vehicleFault(err)
	})
	return out, err
}

// RemoveVehicle takes a vehicle off the unit's list.
func (s *Service) RemoveVehicle(ctx context.Context, unit policy.UnitID, id VehicleID) error {
	return s.transact(ctx, unit, func(w *work) error {
		was, err := w.vehicle(id)
		if err != nil {
			return err
		}
		w.record("vehicle.remove", subjectOfUnit(unit), was.record(), nil)
		_, err = w.exec("remove vehicle", `DELETE FROM vehicle WHERE id = $1`, id)
		return err
	})
}
