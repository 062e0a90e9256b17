package investigation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// did writes down an act on an order, and tells of it.
func (w *work) did(o *Order, act Act, reason string, detail Detail) error {
	b, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	_, err = w.tx.Exec(w.ctx, `INSERT INTO order_act (order_id, n, at, act, person_id, post_id, reason, detail) VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8)`,
		o.ID, o.Version, w.at, act, w.by.Person, w.post(), strings.TrimSpace(reason), b)
	if err != nil {
		return fmt.Errorf("write down what was done with an order: %w", err)
	}
	w.events = append(w.events, feed.Event{Type: feed.OrderChanged, Data: feed.Order{ID: int64(o.ID), State: string(o.State), Version: o.Version, Units: o.units(), Towns: o.Towns,
		Villages: o.Villages}})
	return nil
}

// Do does an act on an order, for who acts in the context.
func (s *Service) Do(ctx context.Context, id ID, d Doing) error {
	if err := d.check(s.day(s.Now())); err != nil {
		return err
	}
	return s.transact(ctx, func(w *work) error { return w.do(id, &d) })
}

func (w *work) do(id ID, d *Doing) error {
	if _, err := w.tx.Exec(w.ctx, `SELECT FROM investigation_order WHERE id = $1 FOR UPDATE`, id); err != nil {
		return fmt.Errorf("hold an order: %w", err)
	}
	o, err := w.get(w.ctx, w.tx, id)
	if err != nil {
		return err
	}
	t := transition(d.Act, o.State)
	if t == nil || o.Version != d.Version {
		return w.meanwhile(`SELECT a.act, a.at, p.name FROM order_act a JOIN person p ON p.id = a.person_id WHERE a.order_id = $1 ORDER BY a.n DESC LIMIT 1`, int64(id),
			fmt.Sprintf("investigation %d", id), string(o.State))
	}
	before := orderRecord{State: o.State, Day: o.Day, Officers: postsOf(o.Officers)}
	today := Day(w.today.Format(time.DateOnly))
	detail := Detail{}
	o.Version++
	switch d.Act {
	case Finish:
		if today < o.Day {
			return fault.Conflict("too_early", "it is ordered for %s: what was found is said from then on", o.Day)
		}
		detail.Found = d.Found
		err = w.finish(&o, d)
	case Cancel:
		detail.Proposals = o.Proposals
		err = w.cancel(&o, d.Reason)
	case Change:
		if today > o.Day {
			return fault.Conflict("day_past", "its day, %s, is past: say what was found, or cancel it", o.Day)
		}
		detail.Day, detail.Officers, err = w.change(&o, d)
	}
	if err != nil {
		return err
	}
	o.State = t.To
	after := orderRecord{State: o.State, Day: o.Day, Officers: detail.Officers, Found: d.Found}
	w.record = audit.Record{Act: "investigation." + string(d.Act), Subject: fmt.Sprintf("investigation:%d", id), Before: before, After: after}
	return w.did(&o, d.Act, d.Reason, detail)
}

type orderRecord struct {
	State    State           `json:"state"`
	Day      Day             `json:"day"`
	Officers []policy.PostID `json:"officers,omitempty"`
	Found    *bool           `json:"found,omitempty"`
}

func postsOf(list []Officer) (posts []policy.PostID) {
	for i := range list {
		posts = append(posts, list[i].Post)
	}
	return posts
}

func (w *work) finish(o *Order, d *Doing) error {
	_, err := w.tx.Exec(w.ctx, `UPDATE investigation_order SET state = 'done', version = $2, ended_at = $3, found = $4, findings = $5, visited = $6 WHERE id = $1`,
		o.ID, o.Version, w.at, *d.Found, strings.TrimSpace(d.Findings), each(d.Visited))
	if err != nil {
		return fmt.Errorf("write down what was found: %w", err)
	}
	return w.follow(o, Finish, o.ID, "")
}

func (w *work) cancel(o *Order, reason string) error {
	_, err := w.tx.Exec(w.ctx, `
		UPDATE investigation_order SET state = 'cancelled', version = $2, ended_at = $3,
			officer1_begins = NULL, officer1_until = NULL, officer2_begins = NULL, officer2_until = NULL WHERE id = $1`, o.ID, o.Version, w.at)
	if err != nil {
		return fmt.Errorf("cancel an order: %w", err)
	}
	if _, err := w.tx.Exec(w.ctx, `UPDATE order_officer SET begins = NULL, until = NULL WHERE order_id = $1`, o.ID); err != nil {
		return fmt.Errorf("cancel an order: %w", err)
	}
	return w.follow(o, reopen, 0, reason)
}

// follow has the order's proposals follow it.
func (w *work) follow(o *Order, act Act, ordered ID, reason string) error {
	list, err := screening.Read(w.ctx, w.tx, o.Proposals, `FOR UPDATE`)
	if err != nil {
		return err
	}
	to := decision(act, screening.IsOrdered).To
	return w.move(list, act, to, ordered, reason)
}

func (w *work) change(o *Order, d *Doing) (Day, []policy.PostID, error) {
	on, posts := o.Day, postsOf(o.Officers)
	if d.Day != "" {
		on = d.Day
	}
	if d.Officers != nil {
		posts = d.Officers
	}
	officers, err := w.officers("officers", posts, o.units(), on)
	if err != nil {
		return "", nil, err
	}
	if _, err := w.tx.Exec(w.ctx, `DELETE FROM order_officer WHERE order_id = $1`, o.ID); err != nil {
		return "", nil, fmt.Errorf("change an order: %w", err)
	}
	a, b := &officers[0], &officers[1]
	_, err = w.tx.Exec(w.ctx, `
		UPDATE investigation_order SET version = $2, day = $3::text::date, officer1_post = $4, officer1 = $5, officer1_begins = $6::text::date, officer1_until = $7::text::date,
			officer2_post = $8, officer2 = $9, officer2_begins = $10::text::date, officer2_until = $11::text::date WHERE id = $1`,
		o.ID, o.Version, string(on), a.Post, a.Person, string(a.begins), string(a.Until), b.Post, b.Person, string(b.begins), string(b.Until))
	if err != nil {
		return "", nil, refusedBy(err)
	}
	o.Day = on
	return on, posts, w.others(o.ID, on, officers[2:])
}
