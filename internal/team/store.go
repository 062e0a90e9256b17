package team

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/worktime"
)

// Service keeps how one city's units work.
type Service struct {
	Pool     *pgxpool.Pool
	Feed     *feed.Writer
	Now      func() time.Time
	Zone     *time.Location            // the city's: its midnights begin and end posts
	Calendar func() *worktime.Calendar // that in force
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// work is a transaction and what it leaves on record.
type work struct {
	*Service
	ctx     context.Context
	tx      pgx.Tx
	at      time.Time
	unit    policy.UnitID // whose team is another now; 0: none's
	records []audit.Record
}

func (w *work) record(act, subject string, before, after any) {
	w.records = append(w.records, audit.Record{Act: act, Subject: subject, Before: before, After: after})
}

func subjectOfUnit(id policy.UnitID) string { return fmt.Sprintf("unit:%d", id) }

func subjectOf(id uuid.UUID) string { return "person:" + id.String() }

// transact runs do in a transaction; what it did goes on record, and pages are told that the unit's team is another.
func (s *Service) transact(ctx context.Context, unit policy.UnitID, do func(w *work) error) error {
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		w := &work{Service: s, ctx: ctx, tx: tx, at: s.Now().UTC(), unit: unit}
		if err := do(w); err != nil || len(w.records) == 0 {
			return err
		}
		var events []feed.Event
		if w.unit != 0 {
			events = []feed.Event{{Type: feed.TeamChanged, Data: feed.Team{Unit: int64(w.unit)}}}
		}
		_, err := w.Feed.Append(ctx, tx, w.at, events, w.records...)
		return err
	})
}

func (w *work) exec(what, sql string, args ...any) (int64, error) {
	tag, err := w.tx.Exec(w.ctx, sql, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return tag.RowsAffected(), nil
}

// Of what kind a constraint is that was broken.
const (
	taken    = "23505" // unique
	overlaps = "23P01" // exclusion
)

// broke tells whether an error is of a broken constraint of a kind.
func broke(err error, kind string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == kind
}

// hold keeps a person's duty to oneself until the transaction ends: shifts and leave are held against each other.
func (w *work) hold(people ...uuid.UUID) error {
	_, err := w.tx.Exec(w.ctx, `SELECT id FROM person WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, people)
	if err != nil {
		return fmt.Errorf("lock people: %w", err)
	}
	return nil
}

// member refuses who holds no post in the unit at a moment. Who has left may keep shifts of before.
func (w *work) member(field string, id uuid.UUID, at time.Time) error {
	var name string
	var held bool
	err := w.tx.QueryRow(w.ctx, `SELECT p.name, EXISTS (SELECT FROM post o WHERE o.person_id = p.id AND o.unit_id = $2
			AND $3::text::date BETWEEN o.begins AND coalesce(o.ends, 'infinity')) FROM person p WHERE p.id = $1 AND NOT p.machine AND p.erased_at IS NULL`,
		id, w.unit, at.In(w.Zone).Format(time.DateOnly)).Scan(&name, &held)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !held {
		return fault.Invalid(field, "not_in_unit", "holds no post in the unit on %s: give the post first", at.In(w.Zone).Format(time.DateOnly))
	}
	if err != nil {
		return fmt.Errorf("read whether somebody is of the unit: %w", err)
	}
	return nil
}

// open refuses a unit that is not there, or closed.
func (w *work) open() error {
	var closed bool
	err := w.tx.QueryRow(w.ctx, `SELECT closed_at IS NOT NULL FROM unit WHERE id = $1`, w.unit).Scan(&closed)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fault.NotFound("there is no unit %d", w.unit)
	case err != nil:
		return fmt.Errorf("read unit: %w", err)
	case closed:
		return fault.Conflict("unit_closed", "the unit is closed")
	}
	return nil
}

const selectShift = `SELECT s.id, s.unit_id, s.person_id, s.kind, s.version, s.changed_at, s.from_at, s.to_at FROM shift s `

func scanShift(row pgx.CollectableRow) (s Shift, err error) {
	err = row.Scan(&s.ID, &s.Unit, &s.Person, &s.Kind, &s.Version, &s.Changed, &s.From, &s.To)
	return s, err
}

const selectLeave = `SELECT l.id, l.unit_id, l.person_id, l.kind, l.granted, l.from_at, l.to_at FROM leave l `

func scanLeave(row pgx.CollectableRow) (l Leave, err error) {
	err = row.Scan(&l.ID, &l.Unit, &l.Person, &l.Kind, &l.Granted, &l.From, &l.To)
	return l, err
}

const selectSwap = `SELECT w.id, w.unit_id, coalesce(w.shift_id, 0), w.person_id, w.from_at, w.to_at, w.other_id, coalesce(w.other_shift_id, 0), w.other_from, w.other_to,
	w.state, w.asked_at, w.answered_at FROM shift_swap w `

func scanSwap(row pgx.CollectableRow) (s Swap, err error) {
	var otherFrom, otherTo, answered *time.Time
	err = row.Scan(&s.ID, &s.Unit, &s.Shift, &s.Person, &s.From, &s.To, &s.Other, &s.OtherShift, &otherFrom, &otherTo, &s.State, &s.AskedAt, &answered)
	s.OtherSpan, s.AnsweredAt = Span{deref(otherFrom), deref(otherTo)}, deref(answered)
	return s, err
}

func deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

const selectVehicle = `SELECT v.id, v.unit_id, v.plate, v.kind, v.seats, v.in_service, v.version FROM vehicle v `

func scanVehicle(row pgx.CollectableRow) (v Vehicle, err error) {
	err = row.Scan(&v.ID, &v.Unit, &v.Plate, &v.Kind, &v.Seats, &v.InService, &v.Version)
	return v, err
}

// collect reads rows.
func collect[T any](ctx context.Context, q querier, what string, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err == nil {
		var list []T
		if list, err = pgx.CollectRows(rows, scan); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("read %s: %w", what, err)
}

// one reads a row of the unit that is there, or it is not found.
func one[T any](w *work, what string, scan pgx.RowToFunc[T], sql string, args ...any) (T, error) {
	list, err := collect(w.ctx, w.tx, what, scan, sql, args...)
	if err == nil && len(list) == 0 {
		err = fault.NotFound("the unit has no such %s", what)
	}
	if err != nil {
		return *new(T), err
	}
	return list[0], nil
}

// shift reads and holds a shift of the unit.
func (w *work) shift(id ShiftID) (Shift, error) {
	return one(w, "shift", scanShift, selectShift+`WHERE s.id = $1 AND s.unit_id = $2 FOR UPDATE`, id, w.unit)
}

// Roster reads who is on duty within a window: of some units, or of all.
func (s *Service) Roster(ctx context.Context, window Span, units ...policy.UnitID) (*Roster, error) {
	return s.RosterBy(ctx, s.Calendar(), window, units...)
}

// RosterBy reads likewise, by another calendar.
func (s *Service) RosterBy(ctx context.Context, cal *worktime.Calendar, window Span, units ...policy.UnitID) (*Roster, error) {
	q := s.Pool
	plans := map[policy.UnitID]Plan{}
	var id policy.UnitID
	var hours string
	var first, last *time.Time
	rows, err := q.Query(ctx, `
		SELECT u.id, coalesce(h.hours, 'work'), (SELECT s.from_at FROM shift s WHERE s.unit_id = u.id ORDER BY s.to_at LIMIT 1),
			(SELECT s.to_at FROM shift s WHERE s.unit_id = u.id ORDER BY s.to_at DESC LIMIT 1)
		FROM unit u LEFT JOIN unit_hours h ON h.unit_id = u.id WHERE $1::bigint[] IS NULL OR u.id = ANY ($1)`, units)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&id, &hours, &first, &last}, func() error {
			plans[id] = Plan{Hours(hours), keptOf(deref(first), deref(last))}
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read when units have rosters: %w", err)
	}
	members, err := s.members(ctx, window, units)
	if err != nil {
		return nil, err
	}
	// Those that begin before the window may reach into it.
	shifts, err := collect(ctx, q, "shifts", scanShift, selectShift+`WHERE s.to_at > $1 AND s.to_at < $2 AND s.from_at < $3 AND ($4::bigint[] IS NULL OR s.unit_id = ANY ($4)) ORDER BY s.from_at, s.id`,
		window.From, window.To.Add(MaxShift+time.Second), window.To, units)
	if err != nil {
		return nil, err
	}
	// Leave holds in all units, whichever was asked.
	leaves, err := collect(ctx, q, "leave", scanLeave, selectLeave+`WHERE l.to_at > $1 AND l.from_at < $2 AND l.granted`, window.From, window.To)
	if err != nil {
		return nil, err
	}
	return NewRoster(window, cal, members, shifts, leaves, plans), nil
}

// members reads who holds posts in units within a window. Machines, people who are erased and those whose account was taken out of
// use are on no duty.
func (s *Service) members(ctx context.Context, window Span, units []policy.UnitID) ([]Member, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT o.person_id, coalesce(o.certificate, ''), to_char(o.certificate_until, 'YYYY-MM-DD'), `+person.HeldColumns+`
		FROM post o JOIN person p ON p.id = o.person_id JOIN unit u ON u.id = o.unit_id LEFT JOIN account a ON a.person_id = p.id
		WHERE NOT p.machine AND p.erased_at IS NULL AND a.disabled_at IS NULL AND ($1::bigint[] IS NULL OR o.unit_id = ANY ($1))
			AND o.begins <= $2::text::date AND coalesce(o.ends, 'infinity') >= greatest(o.begins, $3::text::date)
		ORDER BY o.id`, units, window.To.In(s.Zone).Format(time.DateOnly), window.From.In(s.Zone).Format(time.DateOnly))
	if err != nil {
		return nil, fmt.Errorf("read who is in units: %w", err)
	}
	var list []Member
	var m Member
	var until *string
	var held person.Held
	_, err = pgx.ForEachRow(rows, append([]any{&m.Person, &m.Certificate, &until}, held.Dest()...), func() error {
		p, ok := held.Post(s.Zone)
		if !ok {
			return nil
		}
		of := Member{Unit: p.Unit, Person: m.Person, Role: p.Role, From: p.From, Until: p.Until, Certificate: m.Certificate}
		if until != nil {
			day, err := time.ParseInLocation(time.DateOnly, *until, s.Zone)
			if err != nil {
				return err
			}
			of.CertifiedUntil = time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, s.Zone)
		}
		list = append(list, of)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who is in units: %w", err)
	}
	return list, nil
}

// LeavesOf are a unit's leave within a span, asked and granted: of those who asked it, and of those who hold posts in it.
func (s *Service) LeavesOf(ctx context.Context, unit policy.UnitID, in Span) ([]Leave, error) {
	return collect(ctx, s.Pool, "leave", scanLeave, selectLeave+`WHERE l.to_at > $2 AND l.from_at < $3 AND (l.unit_id = $1 OR l.granted AND EXISTS (
		SELECT FROM post o WHERE o.person_id = l.person_id AND o.unit_id = $1 AND coalesce(o.ends, 'infinity') >= greatest(o.begins, $4::text::date))) ORDER BY l.from_at, l.id`,
		unit, in.From, in.To, in.From.In(s.Zone).Format(time.DateOnly))
}

// SwapsOf are a unit's swaps of shifts within a span, the newest first.
func (s *Service) SwapsOf(ctx context.Context, unit policy.UnitID, in Span) ([]Swap, error) {
	return collect(ctx, s.Pool, "swaps", scanSwap, selectSwap+`WHERE w.unit_id = $1 AND w.to_at > $2 AND w.from_at < $3 ORDER BY w.id DESC LIMIT 500`, unit, in.From, in.To)
}

// VehiclesOf are a unit's vehicles.
func (s *Service) VehiclesOf(ctx context.Context, unit policy.UnitID) ([]Vehicle, error) {
	return collect(ctx, s.Pool, "vehicles", scanVehicle, selectVehicle+`WHERE v.unit_id = $1 ORDER BY v.plate`, unit)
}

// SkillsOf are what people can do.
func (s *Service) SkillsOf(ctx context.Context, people []uuid.UUID) (map[uuid.UUID][]string, error) {
	out := map[uuid.UUID][]string{}
	var id uuid.UUID
	var skill string
	rows, err := s.Pool.Query(ctx, `SELECT person_id, skill FROM person_skill WHERE person_id = ANY ($1) ORDER BY person_id, skill`, people)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&id, &skill}, func() error { out[id] = append(out[id], skill); return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("read skills: %w", err)
	}
	return out, nil
}

// Claims counts the open cases that people have claimed.
func (s *Service) Claims(ctx context.Context, people []uuid.UUID) (map[uuid.UUID]int, error) {
	out := map[uuid.UUID]int{}
	var id uuid.UUID
	var n int
	rows, err := s.Pool.Query(ctx, `SELECT handler, count(*) FROM cases WHERE handler IS NOT NULL AND due_at IS NOT NULL AND handler = ANY ($1) GROUP BY handler`, people)
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error { out[id] = n; return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("count claims: %w", err)
	}
	return out, nil
}

// Forget deletes what is held of somebody who is erased; shifts, leave and swaps name the id alone.
func (s *Service) Forget(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
	for _, sql := range []string{`DELETE FROM position_consent WHERE person_id = $1`, `DELETE FROM person_skill WHERE person_id = $1`, `DELETE FROM calendar_feed WHERE person_id = $1`} {
		if _, err := tx.Exec(ctx, sql, id); err != nil {
			return fmt.Errorf("erase what a team has of somebody: %w", err)
		}
	}
	return nil
}

// AreaPost is a post in a jurisdiction of somebody who works in a town.
type AreaPost struct {
	Person  uuid.UUID
	Role    policy.Role
	Area    policy.Area
	Station person.Station
	Unit    policy.UnitID // in which the person works besides; 0: none
}

// StaffIn are the grid staff and the stationed officers of some jurisdictions at a moment.
func (s *Service) StaffIn(ctx context.Context, areas []policy.Area) ([]AreaPost, error) {
	levels, codes := make([]string, len(areas)), make([]string, len(areas))
	for i, a := range areas {
		levels[i], codes[i] = string(a.Level), a.Code
	}
	return collect(ctx, s.Pool, "who works in a town", func(row pgx.CollectableRow) (p AreaPost, err error) {
		err = row.Scan(&p.Person, &p.Role, &p.Area.Level, &p.Area.Code, &p.Station, &p.Unit)
		return p, err
	}, `SELECT o.person_id, o.role, o.level, o.code, coalesce(o.station, ''), coalesce((SELECT min(h.unit_id) FROM post h WHERE h.person_id = o.person_id AND h.unit_id IS NOT NULL
			AND $3::text::date BETWEEN h.begins AND coalesce(h.ends, 'infinity')), 0)
		FROM post o JOIN person p ON p.id = o.person_id
		WHERE o.role IN ('grid_leader', 'grid_worker', 'microgrid_leader', 'stationed_officer') AND p.erased_at IS NULL
			AND $3::text::date BETWEEN o.begins AND coalesce(o.ends, 'infinity') AND (o.level, o.code) IN (SELECT level, code FROM unnest($1::text[], $2::text[]) AS a (level, code))
		ORDER BY o.id`, levels, codes, s.Now().In(s.Zone).Format(time.DateOnly))
}
