package investigation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/kpi"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/screening"
)

// Service keeps one city's decisions and orders.
type Service struct {
	Pool      *pgxpool.Pool
	Feed      *feed.Writer
	Zone      *time.Location
	Now       func() time.Time
	Committed func() // something was committed that the feed tells of; may be nil
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// work is a transaction and what it leaves behind.
type work struct {
	*Service
	ctx    context.Context
	tx     pgx.Tx
	at     time.Time
	today  time.Time // as midnight UTC
	by     audit.Author
	events []feed.Event
	record audit.Record
}

func (s *Service) transact(ctx context.Context, do func(w *work) error) error {
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		at := s.Now().UTC().Truncate(time.Microsecond)
		w := &work{Service: s, ctx: ctx, tx: tx, at: at, today: s.day(at), by: audit.AuthorOf(ctx)}
		if err := do(w); err != nil {
			return err
		}
		_, err := s.Feed.Append(ctx, tx, at, w.events, w.record)
		return err
	})
	if err == nil && s.Committed != nil {
		s.Committed()
	}
	return err
}

// day is the day that it is in the city, as midnight UTC.
func (s *Service) day(at time.Time) time.Time {
	y, m, d := at.In(s.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// post is the post by which somebody acts; nil: none was needed.
func (w *work) post() *int64 {
	if w.by.Post == 0 {
		return nil
	}
	return &w.by.Post
}

const orderColumns = `
	o.id, o.state, o.version, o.unit_id, o.supporting, to_char(o.day, 'YYYY-MM-DD'), o.level, o.units, o.towns, o.villages, o.grids, o.items, o.objects,
	o.ordered_at, o.ordered_by, o.ended_at, o.found, coalesce(o.findings, ''), coalesce(o.visited, '{}'),
	o.anonymised_at, o.objects_gone, o.visited_gone,
	ARRAY(SELECT jsonb_array_elements_text(a.detail -> 'proposals')::bigint FROM order_act a WHERE a.order_id = o.id AND a.n = 1)`

func scanOrder(row pgx.CollectableRow) (o Order, err error) {
	err = row.Scan(&o.ID, &o.State, &o.Version, &o.Unit, &o.Supporting, &o.Day, &o.Level, &o.Places, &o.Towns, &o.Villages, &o.Grids, &o.Items, &o.Objects,
		&o.OrderedAt, &o.OrderedBy, &o.EndedAt, &o.Found, &o.Findings, &o.Visited, &o.AnonymisedAt, &o.ObjectsGone, &o.VisitedGone, &o.Proposals)
	return o, err
}

func (s *Service) orders(ctx context.Context, q querier, where string, args ...any) ([]Order, error) {
	rows, err := q.Query(ctx, `SELECT `+orderColumns+` FROM investigation_order o WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanOrder)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = int64(list[i].ID)
	}
	rows, err = q.Query(ctx, `
		SELECT t.order_id, t.post_id, o.person_id, p.name, coalesce(o.unit_id, 0), o.role, coalesce(to_char(t.until, 'YYYY-MM-DD'), '') FROM (
			SELECT id AS order_id, 1 AS n, officer1_post AS post_id, officer1_until AS until FROM investigation_order WHERE id = ANY ($1)
			UNION ALL SELECT id, 2, officer2_post, officer2_until FROM investigation_order WHERE id = ANY ($1)
			UNION ALL SELECT order_id, 3, post_id, until FROM order_officer WHERE order_id = ANY ($1)) t
			JOIN post o ON o.id = t.post_id JOIN person p ON p.id = o.person_id
		ORDER BY t.order_id, t.n, t.post_id`, ids)
	if err != nil {
		return nil, fmt.Errorf("read who goes: %w", err)
	}
	var id int64
	var one Officer
	_, err = pgx.ForEachRow(rows, []any{&id, &one.Post, &one.Person, &one.Name, &one.Unit, &one.Role, &one.Until}, func() error {
		i := slices.Index(ids, id)
		list[i].Officers = append(list[i].Officers, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who goes: %w", err)
	}
	return list, nil
}

func (s *Service) get(ctx context.Context, q querier, id ID) (Order, error) {
	list, err := s.orders(ctx, q, `o.id = $1`, id)
	if err != nil {
		return Order{}, err
	}
	if len(list) == 0 {
		return Order{}, fault.NotFound("there is no investigation %d", id)
	}
	return list[0], nil
}

// Get reads an order; what does not lie in a reach is not found.
func (s *Service) Get(ctx context.Context, id ID, in screening.Within) (Order, error) {
	o, err := s.get(ctx, s.Pool, id)
	if err == nil && !o.Lies(&in) {
		err = fault.NotFound("there is no investigation %d", id)
	}
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

// Query asks for orders.
type Query struct {
	Within screening.Within
	States []State // nil: any
	Before ID      // 0: the newest
	Limit  int
}

// List are some orders, the newest first.
func (s *Service) List(ctx context.Context, q Query) ([]Order, error) {
	return s.orders(ctx, s.Pool, `
		($1 OR cardinality(o.towns) > 0 AND o.towns <@ $2 OR cardinality(o.villages) > 0 AND o.villages <@ $3 OR cardinality(o.grids) > 0 AND o.grids <@ $4
			OR o.unit_id = ANY ($5) OR o.supporting && $5)
		AND ($6::text[] IS NULL OR o.state = ANY ($6)) AND ($7::bigint = 0 OR o.id < $7) ORDER BY o.id DESC LIMIT $8`,
		q.Within.All, q.Within.Towns, q.Within.Villages, q.Within.Grids, q.Within.Units, q.States, q.Before, q.Limit)
}

// Deeds are what was done with an order, in order.
func (s *Service) Deeds(ctx context.Context, id ID) ([]Deed, error) {
	return s.deeds(ctx, `SELECT n, at, act, person_id, coalesce(reason, ''), detail FROM order_act WHERE order_id = $1 ORDER BY n`, int64(id))
}

// DecisionsAbout are what was decided about a proposal, in order.
func (s *Service) DecisionsAbout(ctx context.Context, id screening.ProposalID) ([]Deed, error) {
	return s.deeds(ctx, `SELECT n, at, act, person_id, coalesce(reason, ''), '{}'::jsonb FROM proposal_act WHERE proposal_id = $1 ORDER BY n`, int64(id))
}

func (s *Service) deeds(ctx context.Context, sql string, id int64) ([]Deed, error) {
	rows, err := s.Pool.Query(ctx, sql, id)
	if err != nil {
		return nil, fmt.Errorf("read what was done: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Deed, err error) {
		err = row.Scan(&d.N, &d.At, &d.Act, &d.Person, &d.Reason, &d.Detail)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read what was done: %w", err)
	}
	return list, nil
}

// Rates count the orders of the whole city; the share that found something, of those done, is of too few below 20.
type Rates struct {
	Ordered, Done, Cancelled int
	Found                    kpi.Rate
}

// Rates counts them.
func (s *Service) Rates(ctx context.Context) (r Rates, err error) {
	err = s.Pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE state = 'ordered'), count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'cancelled'), count(*) FILTER (WHERE found)
		FROM investigation_order`).Scan(&r.Ordered, &r.Done, &r.Cancelled, &r.Found.Part)
	if err != nil {
		return r, fmt.Errorf("count investigations: %w", err)
	}
	r.Found.N = r.Done
	return r, nil
}

// Holding is an order that needs a post's certificate.
type Holding struct {
	ID   ID
	Day  Day
	Done bool
}

// Holds finds the first order that a post could not be on any more, were its certificate in force from begins to until; until "": never. ok is
// false where there is none.
func Holds(ctx context.Context, q querier, post policy.PostID, begins, until Day) (h Holding, ok bool, err error) {
	err = q.QueryRow(ctx, `
		SELECT o.id, to_char(o.day, 'YYYY-MM-DD'), o.state = 'done' FROM investigation_order o
		WHERE o.state <> 'cancelled' AND (o.officer1_post = $1 OR o.officer2_post = $1 OR EXISTS (SELECT FROM order_officer x WHERE x.order_id = o.id AND x.post_id = $1))
			AND NOT coalesce(o.day BETWEEN $2::text::date AND nullif($3, '')::date, false)
		ORDER BY o.day, o.id LIMIT 1`, post, string(begins), string(until)).Scan(&h.ID, &h.Day, &h.Done)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, false, nil
	}
	if err != nil {
		return h, false, fmt.Errorf("read which orders a post is on: %w", err)
	}
	return h, true, nil
}
