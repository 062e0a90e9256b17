package investigation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// Decide decides about a proposal, for who acts in the context. Of two who decide at once the first one does, and the second is told who it was
// and what. What does not lie in the reach is not found.
func (s *Service) Decide(ctx context.Context, id screening.ProposalID, a Ask) (ordered ID, err error) {
	if err := a.check(s.day(s.Now())); err != nil {
		return 0, err
	}
	err = s.transact(ctx, func(w *work) error {
		ordered, err = w.decide(id, &a)
		return err
	})
	return ordered, err
}

func (w *work) decide(id screening.ProposalID, a *Ask) (ordered ID, err error) {
	ids := []screening.ProposalID{id}
	if a.Order != nil {
		for i, with := range a.Order.With {
			if slices.Contains(ids, with) {
				return 0, fault.Invalid(fmt.Sprintf("order.with[%d]", i), "twice", "the proposal %d is named twice", with)
			}
			ids = append(ids, with)
		}
	}
	list, err := screening.Read(w.ctx, w.tx, ids, `FOR UPDATE`)
	if err != nil {
		return 0, err
	}
	at := func(id screening.ProposalID) *screening.Kept {
		i := slices.IndexFunc(list, func(k screening.Kept) bool { return k.ID == id && a.Within.Has(&k.Place) })
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	main := at(id)
	if main == nil {
		return 0, fault.NotFound("there is no proposal %d", id)
	}
	d := decision(a.Act, main.State)
	if d == nil || main.Version != a.Version {
		return 0, w.decided(main)
	}
	for i, with := range ids[1:] {
		other := at(with)
		field := fmt.Sprintf("order.with[%d]", i)
		switch {
		case other == nil:
			return 0, fault.Invalid(field, "unknown_proposal", "there is no proposal %d", with)
		case decision(a.Act, other.State) == nil:
			return 0, w.decided(other)
		case other.Place.Level != main.Place.Level:
			return 0, fault.Invalid(field, "not_related", "the proposal %d is of another level", with)
		}
	}
	if a.Act == Approve {
		if ordered, err = w.order(list, a.Order); err != nil {
			return 0, err
		}
	}
	w.record = audit.Record{Act: "proposal." + string(a.Act), Subject: fmt.Sprintf("proposal:%d", id), Before: proposalRecord{State: main.State}, After: proposalRecord{
		State: d.To, Order: ordered, With: ids[1:]}}
	return ordered, w.move(list, d.Act, d.To, ordered, a.Reason)
}

type proposalRecord struct {
	State screening.State        `json:"state"`
	Order ID                     `json:"order,omitempty"`
	With  []screening.ProposalID `json:"with,omitempty"`
}

// move has proposals be in another state, with an act each.
func (w *work) move(list []screening.Kept, act Act, to screening.State, ordered ID, reason string) error {
	ids, versions := make([]int64, len(list)), make([]int32, len(list))
	for i := range list {
		ids[i], versions[i] = int64(list[i].ID), int32(list[i].Version+1)
		w.events = append(w.events, feed.Event{Type: feed.ProposalChanged, Data: feed.Proposal{ID: ids[i], State: string(to), Version: list[i].Version + 1, Item: list[i].Item,
			Towns: []string{list[i].Place.Town}, Villages: list[i].Place.Villages}})
	}
	_, err := w.tx.Exec(w.ctx, `UPDATE proposal SET state = $2, version = version + 1, order_id = nullif($3::bigint, 0) WHERE id = ANY ($1)`, ids, to, ordered)
	if err != nil {
		return fmt.Errorf("change proposals: %w", err)
	}
	_, err = w.tx.Exec(w.ctx, `
		INSERT INTO proposal_act (proposal_id, n, at, act, person_id, post_id, reason)
		SELECT id, n, $3, $4, $5, $6, nullif($7, '') FROM unnest($1::bigint[], $2::integer[]) AS t (id, n)`, ids, versions, w.at, act, w.by.Person, w.post(), strings.TrimSpace(reason))
	if err != nil {
		return fmt.Errorf("write down a decision: %w", err)
	}
	return nil
}

var past = map[Act]string{Approve: "approved", Decline: "declined", Reconsider: "reopened", Finish: "closed", reopen: "reopened", order: "ordered", Change: "changed", Cancel: "cancelled"}

// decided tells who has decided about a proposal meanwhile, and what.
func (w *work) decided(k *screening.Kept) error {
	return w.meanwhile(`SELECT a.act, a.at, p.name FROM proposal_act a JOIN person p ON p.id = a.person_id WHERE a.proposal_id = $1 ORDER BY a.n DESC LIMIT 1`, int64(k.ID),
		fmt.Sprintf("proposal %d", k.ID), string(k.State))
}

func (w *work) meanwhile(sql string, id int64, what, state string) error {
	var act Act
	var at time.Time
	var name string
	err := w.tx.QueryRow(w.ctx, sql, id).Scan(&act, &at, &name)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Conflict("decided_meanwhile", "%s is %s: read it again", what, state)
	}
	if err != nil {
		return fmt.Errorf("read what was decided: %w", err)
	}
	if name == "" {
		name = "somebody"
	}
	return fault.Conflict("decided_meanwhile", "%s %s %s at %s: read it again", name, past[act], what, at.In(w.Zone).Format("15:04 on 2 January"))
}

// order orders an investigation of proposals.
func (w *work) order(list []screening.Kept, n *New) (ID, error) {
	o := Order{State: Ordered, Supporting: []policy.UnitID{}, Unit: n.Unit, Day: n.Day, Objects: n.Objects, Items: n.Items, Level: list[0].Place.Level}
	related, err := w.related(list)
	if err != nil {
		return 0, err
	}
	var ids []screening.ProposalID
	villages, grids := true, true
	for i := range list {
		k := &list[i]
		ids = append(ids, k.ID)
		o.Places, o.Towns = append(o.Places, k.Place.Units...), append(o.Towns, k.Place.Town)
		villages, grids = villages && len(k.Place.Villages) > 0, grids && len(k.Place.Grids) > 0
		o.Villages, o.Grids = append(o.Villages, k.Place.Villages...), append(o.Grids, k.Place.Grids...)
		if n.Items == nil {
			o.Items = append(o.Items, k.Item)
		}
		facts, err := k.Facts()
		if err != nil {
			return 0, err
		}
		for _, d := range facts.Crews {
			if u := policy.UnitID(d.Unit); u != n.Unit && !slices.Contains(o.Supporting, u) {
				o.Supporting = append(o.Supporting, u)
			}
		}
	}
	if !connected(ids, related) {
		return 0, fault.Invalid("order.with", "not_related", "they do not all belong together: those are merged that touch, and share aspect, department or object")
	}
	if !villages { // where one is not known, it is not known of the whole
		o.Villages = nil
	}
	if !grids {
		o.Grids = nil
	}
	slices.Sort(o.Supporting)
	for _, codes := range []*[]string{&o.Places, &o.Towns, &o.Villages, &o.Grids, &o.Items, &o.Objects} {
		*codes = each(*codes)
	}
	if err := w.checkOrder(&o); err != nil {
		return 0, err
	}
	officers, err := w.officers("order.officers", n.Officers, o.units(), n.Day)
	if err != nil {
		return 0, err
	}
	a, b := &officers[0], &officers[1]
	err = w.tx.QueryRow(w.ctx, `
		INSERT INTO investigation_order (state, version, unit_id, supporting, day, level, units, towns, villages, grids, objects, items,
			officer1_post, officer1, officer1_begins, officer1_until, officer2_post, officer2, officer2_begins, officer2_until, ordered_at, ordered_by)
		VALUES ('ordered', 1, $1, $2, $3::text::date, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::date, $14::text::date, $15, $16, $17::text::date, $18::text::date, $19, $20)
		RETURNING id`,
		o.Unit, o.Supporting, string(o.Day), o.Level, o.Places, o.Towns, o.Villages, o.Grids, o.Objects, o.Items,
		a.Post, a.Person, string(a.begins), string(a.Until), b.Post, b.Person, string(b.begins), string(b.Until), w.at, w.by.Person).Scan(&o.ID)
	if err != nil {
		return 0, refusedBy(err)
	}
	if err := w.others(o.ID, o.Day, officers[2:]); err != nil {
		return 0, err
	}
	o.Version = 1
	return o.ID, w.did(&o, order, "", Detail{Day: o.Day, Officers: n.Officers, Proposals: ids})
}

// each are codes, each once, in order.
func each(codes []string) []string {
	out := append([]string{}, codes...)
	slices.Sort(out)
	return slices.Compact(out)
}

// related are which of some proposals belong together.
func (w *work) related(list []screening.Kept) (map[screening.ProposalID][]screening.ProposalID, error) {
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = int64(list[i].ID)
	}
	rows, err := w.tx.Query(w.ctx, `SELECT proposal_id, other_id FROM proposal_related WHERE proposal_id = ANY ($1) AND other_id = ANY ($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read what belongs together: %w", err)
	}
	out := map[screening.ProposalID][]screening.ProposalID{}
	var id, other screening.ProposalID
	if _, err := pgx.ForEachRow(rows, []any{&id, &other}, func() error { out[id] = append(out[id], other); return nil }); err != nil {
		return nil, fmt.Errorf("read what belongs together: %w", err)
	}
	return out, nil
}

// checkOrder refuses a unit that does not work any more, and items that there are not.
func (w *work) checkOrder(o *Order) error {
	var closed bool
	err := w.tx.QueryRow(w.ctx, `SELECT closed_at IS NOT NULL FROM unit WHERE id = $1`, o.Unit).Scan(&closed)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Invalid("order.unit", "unknown_unit", "there is no unit %d", o.Unit)
	}
	if err != nil {
		return fmt.Errorf("read a unit: %w", err)
	}
	if closed {
		return fault.Invalid("order.unit", "unit_closed", "the unit %d is closed: name one that works", o.Unit)
	}
	rows, err := w.tx.Query(w.ctx, `SELECT t.code FROM unnest($1::text[]) AS t (code) WHERE NOT EXISTS (SELECT FROM item i WHERE i.code = t.code)`, o.Items)
	if err != nil {
		return fmt.Errorf("look for items: %w", err)
	}
	unknown, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for items: %w", err)
	}
	if len(unknown) > 0 || len(o.Items) == 0 {
		return fault.Invalid("order.items", "unknown_item", "there is no item %.40q", strings.Join(unknown, ", "))
	}
	return nil
}

// officers are those who hold posts, checked, in the order in which they were asked for.
func (w *work) officers(field string, posts []policy.PostID, units []int64, on Day) ([]holder, error) {
	found, err := w.holders(w.ctx, w.tx, `o.id = ANY ($2)`, on, posts)
	if err != nil {
		return nil, err
	}
	if err := checkHolders(field, posts, found, units, on); err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b holder) int { return slices.Index(posts, a.Post) - slices.Index(posts, b.Post) })
	return found, nil
}

// holders reads posts with who holds them, and who is on leave on a day; where is a condition on a post o.
func (s *Service) holders(ctx context.Context, q querier, where string, on Day, arg any) ([]holder, error) {
	from, err := time.ParseInLocation(time.DateOnly, string(on), s.Zone)
	if err != nil {
		return nil, fault.Invalid("day", "bad_date", "%.40q is no date such as 2026-12-03", string(on))
	}
	rows, err := q.Query(ctx, `
		SELECT o.id, o.person_id, p.name, coalesce(o.unit_id, 0), o.role, to_char(o.begins, 'YYYY-MM-DD'), coalesce(to_char(o.certified_until, 'YYYY-MM-DD'), ''),
			p.erased_at IS NOT NULL OR p.machine,
			EXISTS (SELECT FROM leave l WHERE l.person_id = o.person_id AND l.granted AND l.from_at < $1::timestamptz + interval '24 hours' AND l.to_at > $1)
		FROM post o JOIN person p ON p.id = o.person_id WHERE `+where+` ORDER BY p.name, o.id`, from, arg)
	if err != nil {
		return nil, fmt.Errorf("read who could go: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h holder, err error) {
		err = row.Scan(&h.Post, &h.Person, &h.Name, &h.Unit, &h.Role, &h.begins, &h.Until, &h.erased, &h.Away)
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("read who could go: %w", err)
	}
	return list, nil
}

// Officers are those of units who could go on a day: by posts whose certificate is in force then. Who is on leave is told of as such.
func (s *Service) Officers(ctx context.Context, units []policy.UnitID, on Day) ([]Officer, error) {
	list, err := s.holders(ctx, s.Pool, `o.unit_id = ANY ($2)`, on, units)
	if err != nil {
		return nil, err
	}
	out := []Officer{}
	for i := range list {
		if h := &list[i]; !h.erased && slices.Contains(policy.OfficerRoles, h.Role) && h.certified(on) {
			out = append(out, h.Officer)
		}
	}
	return out, nil
}

// others writes the officers beyond the two.
func (w *work) others(id ID, on Day, list []holder) error {
	for i := range list {
		h := &list[i]
		_, err := w.tx.Exec(w.ctx, `INSERT INTO order_officer (order_id, person_id, post_id, begins, until, day, live) VALUES ($1, $2, $3, $4::text::date, $5::text::date, $6::text::date, true)`,
			id, h.Person, h.Post, string(h.begins), string(h.Until), string(on))
		if err != nil {
			return refusedBy(err)
		}
	}
	return nil
}

// refusedBy turns what the database refuses of officers into a fault: a post was changed at the same moment.
func refusedBy(err error) error {
	if pg := new(pgconn.PgError); errors.As(err, &pg) && (pg.Code == "23503" || pg.Code == "23514") {
		return fault.Conflict("officer_changed", "a post or a certificate of who is to go was changed at this moment: choose the officers again")
	}
	return fmt.Errorf("write an order: %w", err)
}
