package patrol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/placement"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
)

// Service keeps one city's points and visits. Who acts is the author in the context.
type Service struct {
	Pool *pgxpool.Pool
	Feed *feed.Writer
	Now  func() time.Time
	Zone *time.Location
	// Cell is where a place lies by the plan in force; without a grid: in none.
	Cell      func(orb.Point) policy.Cell
	Committed func() // something was committed that the feed tells of; may be nil
}

// May says why somebody may not do something with a point; nil: they may. It is asked within a transaction, of the point as it is there.
type May func(*Point) error

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// work is a transaction and what it leaves behind.
type work struct {
	*Service
	ctx     context.Context
	tx      pgx.Tx
	at      time.Time
	by      audit.Author
	events  []feed.Event
	records []audit.Record
}

func (s *Service) transact(ctx context.Context, do func(w *work) error) error {
	told := false
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		w := &work{Service: s, ctx: ctx, tx: tx, at: s.Now().UTC().Truncate(time.Microsecond), by: audit.AuthorOf(ctx)}
		if err := do(w); err != nil {
			return err
		}
		told = len(w.events) > 0
		_, err := s.Feed.Append(ctx, tx, w.at, w.events, w.records...)
		return err
	})
	if err == nil && told && s.Committed != nil {
		s.Committed()
	}
	return err
}

// tell has pages told that a point, or what is known of its visits, is another. Where it lay before hears of it too.
func (w *work) tell(points ...*Point) {
	for i, p := range points {
		if i == 0 || p.Cell != points[0].Cell {
			w.events = append(w.events, feed.Event{Type: feed.PatrolChanged, Data: feed.Patrol{Point: int64(p.ID), Version: points[0].Version,
				Town: p.Cell.Town, Village: p.Cell.Village, Grid: p.Cell.Grid, Microgrid: p.Cell.Microgrid}})
		}
	}
}

// record keeps an act with a point: where it lies, its rhythm, whether it moved.
func (w *work) record(act string, was, is *Point) {
	r := audit.Record{Act: act, Subject: fmt.Sprintf("patrol:%d", is.ID), After: recordOf(is)}
	if was != nil {
		r.Before = recordOf(was)
	}
	w.records = append(w.records, r)
}

type pointRecord struct {
	Version    int    `json:"version"`
	Grid       string `json:"grid"`
	RhythmDays int    `json:"rhythm_days"`
	Removed    bool   `json:"removed,omitempty"`
}

func recordOf(p *Point) pointRecord {
	return pointRecord{p.Version, p.Cell.Grid, p.RhythmDays, !p.RemovedAt.IsZero()}
}

// counts is the condition under which a visit v to a point p counts: [Visit.Counts] in SQL.
const counts = `v.within AND v.at >= p.made_at AND (p.removed_at IS NULL OR v.at < p.removed_at)`

const selectPoint = `
	SELECT p.id, p.name, coalesce(p.note, ''), p.lon, p.lat, p.rhythm_days, p.generated, p.made_at, p.made_by, p.version, p.changed_at, p.changed_by, p.removed_at,
		(SELECT max(v.at) FROM patrol_visit v WHERE v.point_id = p.id AND ` + counts + `)
	FROM patrol_point p WHERE `

func (s *Service) points(ctx context.Context, q querier, where string, args ...any) ([]Point, error) {
	rows, err := q.Query(ctx, selectPoint+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read points of patrols: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Point, err error) {
		var removed, last *time.Time
		err = row.Scan(&p.ID, &p.Name, &p.Note, &p.Place[0], &p.Place[1], &p.RhythmDays, &p.Generated, &p.MadeAt, &p.MadeBy, &p.Version, &p.ChangedAt, &p.ChangedBy, &removed, &last)
		p.RemovedAt, p.Last = deref(removed), deref(last)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read points of patrols: %w", err)
	}
	for i := range list {
		list[i].Cell = s.Cell(list[i].Place)
	}
	return list, nil
}

func deref[T any](v *T) (out T) {
	if v != nil {
		out = *v
	}
	return out
}

// Points are all that are there, in the order in which they were made.
func (s *Service) Points(ctx context.Context) ([]Point, error) {
	return s.points(ctx, s.Pool, `p.removed_at IS NULL ORDER BY p.id`)
}

// Point reads one, also one that was removed.
func (s *Service) Point(ctx context.Context, id PointID) (Point, error) {
	return s.point(ctx, s.Pool, id, "")
}

func (s *Service) point(ctx context.Context, q querier, id PointID, lock string) (Point, error) {
	list, err := s.points(ctx, q, `p.id = $1 `+lock, id)
	if err == nil && len(list) == 0 {
		err = NoPointAt(id)
	}
	if err != nil {
		return Point{}, err
	}
	return list[0], nil
}

// NoPointAt is the fault of a number that no point has, or none that who asks may see.
func NoPointAt(id PointID) error { return fault.NotFound("there is no point %d", id) }

// placed refuses a point that lies in no grid, or where one may not have it.
func (p *Point) placed(may May) error {
	if p.Cell.Grid == "" {
		return fault.Invalid("lon", "outside", "lies in no grid of the plan in force: a point is somebody's to go by")
	}
	if may(p) != nil {
		return &fault.Error{Kind: fault.KindForbidden, Code: "not_allowed", Field: "lon", Message: "lies outside of where your posts let you set points"}
	}
	return nil
}

// Set makes a point of its name, note, place and rhythm.
func (s *Service) Set(ctx context.Context, p Point, may May) (out Point, err error) {
	if f := p.check(); f != nil {
		return Point{}, f
	}
	err = s.transact(ctx, func(w *work) error {
		out = p
		out.Version, out.MadeAt, out.MadeBy, out.ChangedAt, out.ChangedBy = 1, w.at, w.by.Person, w.at, w.by.Person
		out.Cell = s.Cell(out.Place)
		if err := out.placed(may); err != nil {
			return err
		}
		err := w.tx.QueryRow(w.ctx, `
			INSERT INTO patrol_point (name, note, lon, lat, rhythm_days, generated, made_at, made_by, version, changed_at, changed_by)
			SELECT $1, nullif($2, ''), $3, $4, $5, $6, $7, $8, 1, $7, $8
			WHERE (SELECT count(*) FROM patrol_point WHERE removed_at IS NULL) < $9
			RETURNING id`,
			out.Name, out.Note, out.Place[0], out.Place[1], out.RhythmDays, out.Generated, w.at, w.by.Person, MaxPoints).Scan(&out.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return tooMany()
		}
		if err != nil {
			return fmt.Errorf("set a point: %w", err)
		}
		w.record("patrol.set", nil, &out)
		w.tell(&out)
		return nil
	})
	return out, err
}

// Change changes a point whose version is the one given, else it is a conflict, point_changed. Where it will lie has to be in one's
// territory as well as where it lies.
func (s *Service) Change(ctx context.Context, id PointID, version int, c Change, may May) (out Point, err error) {
	err = s.transact(ctx, func(w *work) error {
		was, err := w.hold(id, may)
		if err != nil {
			return err
		}
		if was.Version != version || !was.RemovedAt.IsZero() {
			return w.meanwhile(&was)
		}
		out = c.of(was)
		if f := out.check(); f != nil {
			return f
		}
		if out == was {
			return nil
		}
		if out.Place != was.Place { // what lies in no grid any more may still be given another rhythm
			out.Cell = s.Cell(out.Place)
			if err := out.placed(may); err != nil {
				return err
			}
		}
		out.Version, out.ChangedAt, out.ChangedBy = was.Version+1, w.changed(&was), w.by.Person
		_, err = w.tx.Exec(w.ctx, `
			UPDATE patrol_point SET name = $2, note = nullif($3, ''), lon = $4, lat = $5, rhythm_days = $6, version = $7, changed_at = $8, changed_by = $9 WHERE id = $1`,
			id, out.Name, out.Note, out.Place[0], out.Place[1], out.RhythmDays, out.Version, out.ChangedAt, out.ChangedBy)
		if err != nil {
			return fmt.Errorf("change a point: %w", err)
		}
		w.record("patrol.change", &was, &out)
		w.tell(&out, &was)
		return nil
	})
	return out, err
}

// Remove takes a point off the map; its visits stay. Of one that is removed already nothing is done.
func (s *Service) Remove(ctx context.Context, id PointID, version int, may May) error {
	return s.transact(ctx, func(w *work) error {
		was, err := w.hold(id, may)
		if err != nil || !was.RemovedAt.IsZero() {
			return err
		}
		if was.Version != version {
			return w.meanwhile(&was)
		}
		out := was
		out.Version, out.RemovedAt = was.Version+1, w.changed(&was)
		_, err = w.tx.Exec(w.ctx, `UPDATE patrol_point SET version = $2, changed_at = $3, changed_by = $4, removed_at = $3 WHERE id = $1`, id, out.Version, out.RemovedAt, w.by.Person)
		if err != nil {
			return fmt.Errorf("remove a point: %w", err)
		}
		w.record("patrol.remove", &was, &out)
		w.tell(&out)
		return nil
	})
}

// Restore puts a point that was removed back on the map as it was, its visits with it. The version is the one that it was removed as, else
// it is a conflict, point_changed. Of one that is there already nothing is done.
func (s *Service) Restore(ctx context.Context, id PointID, version int, may May) (out Point, err error) {
	err = s.transact(ctx, func(w *work) error {
		was, err := w.hold(id, may)
		if out = was; err != nil || was.RemovedAt.IsZero() {
			return err
		}
		if was.Version != version {
			return w.meanwhile(&was)
		}
		out.Version, out.ChangedAt, out.ChangedBy, out.RemovedAt = was.Version+1, w.changed(&was), w.by.Person, time.Time{}
		tag, err := w.tx.Exec(w.ctx, `
			UPDATE patrol_point SET version = $2, changed_at = $3, changed_by = $4, removed_at = NULL
			WHERE id = $1 AND (SELECT count(*) FROM patrol_point WHERE removed_at IS NULL) < $5`, id, out.Version, out.ChangedAt, out.ChangedBy, MaxPoints)
		if err != nil {
			return fmt.Errorf("restore a point: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return tooMany()
		}
		w.record("patrol.restore", &was, &out)
		w.tell(&out)
		// Visits that were told in between count again.
		out, err = w.point(w.ctx, w.tx, id, "")
		return err
	})
	return out, err
}

func tooMany() error {
	return fault.Conflict("too_many_points", "the city has %d points: remove one first", MaxPoints)
}

// changed is when a point changes: not before it was made, whatever the clock of the node that made it says.
func (w *work) changed(p *Point) time.Time {
	if w.at.Before(p.MadeAt) {
		return p.MadeAt.UTC()
	}
	return w.at
}

// hold reads a point and keeps others from changing it until the transaction ends.
func (w *work) hold(id PointID, may May) (Point, error) {
	p, err := w.point(w.ctx, w.tx, id, `FOR UPDATE OF p`)
	if err == nil {
		err = may(&p)
	}
	return p, err
}

// meanwhile tells who has changed a point since it was read.
func (w *work) meanwhile(p *Point) error {
	var name string
	if err := w.tx.QueryRow(w.ctx, `SELECT name FROM person WHERE id = $1`, p.ChangedBy).Scan(&name); err != nil {
		return fmt.Errorf("read who has changed a point: %w", err)
	}
	if name == "" {
		name = "somebody"
	}
	did := "changed"
	if !p.RemovedAt.IsZero() {
		did = "removed"
	}
	return fault.Conflict("point_changed", "%s %s the point at %s: read it again", name, did, p.ChangedAt.In(w.Zone).Format("15:04 on 2 January"))
}

// Tell keeps a visit of who acts. Told again it changes nothing, and existed is true; the same id with other content is a conflict.
func (s *Service) Tell(ctx context.Context, v Visit, may May) (out Visit, existed bool, err error) {
	if f := v.check(s.Now()); f != nil {
		return Visit{}, false, f
	}
	err = s.transact(ctx, func(w *work) error {
		out, existed = v, false
		out.Person, out.Post, out.ToldAt = w.by.Person, policy.PostID(w.by.Post), w.at
		if known, err := w.known(&out); err != nil || known {
			existed = known
			return err
		}
		p, err := w.point(w.ctx, w.tx, v.Point, "")
		if err == nil {
			err = may(&p)
		}
		if err != nil {
			return err
		}
		out.DistanceM = placement.DistanceM(p.Place, *v.Place)
		out.Within, out.There = out.DistanceM <= ReachM, p.was(out.At)
		tag, err := w.tx.Exec(w.ctx, `
			INSERT INTO patrol_visit (id, point_id, person_id, post_id, at, told_at, lon, lat, accuracy_m, distance_m, reach_m, note, generated)
			VALUES ($1, $2, $3, nullif($4::bigint, 0), $5, $6, $7, $8, $9, $10, $11, nullif($12, ''), $13) ON CONFLICT DO NOTHING`,
			uuid.UUID(out.ID), out.Point, out.Person, out.Post, out.At, out.ToldAt, out.Place[0], out.Place[1], out.AccuracyM, out.DistanceM, ReachM, out.Note, out.Generated)
		if err != nil {
			return fmt.Errorf("keep a visit: %w", err)
		}
		if tag.RowsAffected() == 0 { // told twice at once: the other has committed
			existed, err = w.known(&out)
			return err
		}
		w.tell(&p)
		return nil
	})
	return out, existed, err
}

// known finds the visit that was told before by the same id, and puts it in the place of the one sent.
func (w *work) known(sent *Visit) (bool, error) {
	list, err := visits(w.ctx, w.tx, `v.id = $1`, uuid.UUID(sent.ID))
	if err != nil || len(list) == 0 {
		return false, err
	}
	kept := &list[0]
	var f *fault.Error
	switch {
	case kept.Person != sent.Person:
		f = fault.Conflict("id_taken", "this id is another visit's: make a UUIDv7 for each visit")
	case !kept.same(sent):
		f = fault.Conflict("other_content", "visit %s was told before with other content: give another visit an id of its own", kept.ID)
	default:
		*sent = *kept
		return true, nil
	}
	f.Field = "id"
	return false, f
}

func visits(ctx context.Context, q querier, where string, args ...any) ([]Visit, error) {
	rows, err := q.Query(ctx, `
		SELECT v.id, v.point_id, v.person_id, coalesce(v.post_id, 0), v.at, v.told_at, v.lon, v.lat, v.accuracy_m, v.distance_m, v.within,
			v.at >= p.made_at AND (p.removed_at IS NULL OR v.at < p.removed_at), coalesce(v.note, ''), v.generated
		FROM patrol_visit v JOIN patrol_point p ON p.id = v.point_id WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read visits: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Visit, err error) {
		var lon, lat *float64
		err = row.Scan((*uuid.UUID)(&v.ID), &v.Point, &v.Person, &v.Post, &v.At, &v.ToldAt, &lon, &lat, &v.AccuracyM, &v.DistanceM, &v.Within, &v.There, &v.Note, &v.Generated)
		if lon != nil {
			v.Place = &orb.Point{*lon, *lat}
		}
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read visits: %w", err)
	}
	return list, nil
}

// Visits are the last ones to a point, the newest first; those that do not count among them.
func (s *Service) Visits(ctx context.Context, id PointID, limit int) ([]Visit, error) {
	return visits(ctx, s.Pool, `v.point_id = $1 ORDER BY v.at DESC, v.id LIMIT $2`, id, limit)
}

// Tallies count the visits of from ≤ at < to, by the points that were there in that time.
func (s *Service) Tallies(ctx context.Context, from, to time.Time) ([]Tally, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT p.lon, p.lat, count(v.id), max(v.at)
		FROM patrol_point p LEFT JOIN patrol_visit v ON v.point_id = p.id AND v.at >= $1 AND v.at < $2 AND `+counts+`
		WHERE p.made_at < $2 AND (p.removed_at IS NULL OR p.removed_at > $1)
		GROUP BY p.id ORDER BY p.id`, from, to)
	if err != nil {
		return nil, fmt.Errorf("count visits: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Tally, err error) {
		var at orb.Point
		var last *time.Time
		err = row.Scan(&at[0], &at[1], &t.Visits, &last)
		t.Cell, t.Last = s.Cell(at), deref(last)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("count visits: %w", err)
	}
	return list, nil
}

// Forget empties the visits of somebody who is erased: where exactly they stood, and their words. That a point was visited stays, as
// coverage counts it; the row names the id alone.
func Forget(ctx context.Context, tx pgx.Tx, person uuid.UUID) error {
	if _, err := tx.Exec(ctx, `UPDATE patrol_visit SET lon = NULL, lat = NULL, note = NULL WHERE person_id = $1 AND lon IS NOT NULL`, person); err != nil {
		return fmt.Errorf("erase where somebody was on patrol: %w", err)
	}
	return nil
}

// ForgetBefore empties, in the caller's transaction, at most so many visits that were told before a moment, the oldest first, as Forget
// does; it returns how many. A phone that tells one of them again is still answered that it is known.
func ForgetBefore(ctx context.Context, tx pgx.Tx, before time.Time, most int) (int64, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE patrol_visit SET lon = NULL, lat = NULL, note = NULL
		WHERE id IN (SELECT id FROM patrol_visit WHERE told_at < $1 AND lon IS NOT NULL ORDER BY told_at, id LIMIT $2 FOR UPDATE)`, before, most)
	if err != nil {
		return 0, fmt.Errorf("forget where people were on patrol: %w", err)
	}
	return tag.RowsAffected(), nil
}
