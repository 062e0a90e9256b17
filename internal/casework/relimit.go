package casework

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/catalogue"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// Relimit is the act by which the service takes an open case over to another one-stop list, where who published it asked for
// that. It is in no line of the table: a case keeps the list it was opened under, unless somebody decides otherwise for all.
const Relimit Act = "relimit"

var anotherList = worktime.Words{ZH: "一站式清单换版", EN: "another one-stop list"}

// Relimited is an open case under another list, from a moment on: what has been used stays used, what was granted besides
// stays granted, and at least half of each new limit is left. It is nil where the list gives the same limits. fits is false
// where the case is in disposal and the list has another number of stages: it keeps its list then.
func Relimited(c *Case, was, is *Terms, list regime.ID, at time.Time) (n *Case, fits bool, err error) {
	if was.First == is.First && slices.Equal(was.Stages, is.Stages) && was.Steps == is.Steps {
		return nil, true, nil
	}
	if len(was.Stages) != len(is.Stages) && slices.ContainsFunc(c.Clocks, func(k Clock) bool { return k.Kind == DisposalClock }) {
		return nil, false, nil
	}
	n = c.clone()
	n.Version++
	n.CatalogueID = list
	for i := range n.Clocks {
		k := &n.Clocks[i]
		limit := is.limitOf(k.Kind, k.Stage)
		if k.Phase() == worktime.Stopped || limit.IsZero() || limit == k.Limit() {
			continue
		}
		if k.Clock, err = relimit(k.Clock, limit, at); err != nil {
			return nil, true, err
		}
	}
	n.countedBy(is.CalendarID, c.Clocks)
	return n, true, nil
}

// limitOf is the limit of a kind of clock; none where the item has no such stage.
func (t *Terms) limitOf(kind ClockKind, stage int) worktime.Budget {
	for i := range lives {
		if l := &lives[i]; l.kind == kind {
			if limits := l.limit(t); stage < len(limits) {
				return limits[stage]
			}
		}
	}
	return worktime.Budget{}
}

// relimit gives a clock another limit, and what had been added to the old one again.
func relimit(k worktime.Clock, limit worktime.Budget, at time.Time) (worktime.Clock, error) {
	marks := k.Marks()
	if last := marks[len(marks)-1].At; at.Before(last) {
		at = last
	}
	n, err := k.Relimit(at, limit, anotherList)
	if err != nil {
		return k, err
	}
	var added []worktime.Mark
	for _, m := range marks {
		switch m.Act {
		case worktime.ActStart, worktime.ActRelimit:
			added = added[:0]
		case worktime.ActExtend:
			added = append(added, m)
		}
	}
	for _, m := range added {
		if m.Limit.Unit().Working() != limit.Unit().Working() {
			continue // the one cannot be added to the other
		}
		if n, err = n.Extend(at, m.Limit, m.Reason); err != nil {
			return k, err
		}
	}
	return n, nil
}

// Taking is a list to which open cases are to be taken over.
type Taking struct {
	ID regime.ID
	By uuid.UUID
}

// AskRelimit keeps, with the publishing of a list, that a person wants open cases to be taken over to it when it is in force.
func (s *Service) AskRelimit(by uuid.UUID) regime.Along {
	return func(ctx context.Context, tx pgx.Tx, d *regime.Document) error {
		_, err := tx.Exec(ctx, `INSERT INTO recount (regime_id, person_id, begun_at, cases, clocks) VALUES ($1, $2, $3, 0, 0)`, d.ID, orNull(by), s.Now().UTC())
		if err != nil {
			return fmt.Errorf("ask for open cases to be taken over: %w", err)
		}
		return nil
	}
}

// ToRelimit are the lists in force at a moment to which open cases are still to be taken over, in the order in which they came
// in force.
func (s *Service) ToRelimit(ctx context.Context, at time.Time) ([]Taking, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT r.regime_id, r.person_id FROM recount r JOIN regime d ON d.id = r.regime_id
		WHERE d.kind = 'catalogue' AND r.done_at IS NULL AND d.in_force_from <= $1 ORDER BY d.in_force_from`, at)
	if err != nil {
		return nil, fmt.Errorf("find lists that open cases are to be taken over to: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Taking, err error) {
		var by *uuid.UUID
		err = row.Scan(&a.ID, &by)
		a.By = deref(by)
		return a, err
	})
}

// TakeOver takes the open cases that were opened under the older lists over to another one, as [Relimited] says; each that has
// other limits then keeps an act of the person who asked. As [Service.Recount] it goes on where somebody stopped, by any node,
// under the locks of acts, and is on record once. list finds the lists that cases were opened under, calendar is the one in
// force. before may be nil.
func (s *Service) TakeOver(ctx context.Context, to Taking, now *regime.Regime, older []regime.ID, list func(regime.ID) (*catalogue.Catalogue, error), before func(context.Context) error) (moved Recounted, err error) {
	last := Ref{}
	for {
		if before != nil {
			if err := before(ctx); err != nil {
				return moved, err
			}
		}
		n, some, err := s.takeOverSome(ctx, to, now, older, list, &last)
		moved.Cases, moved.Clocks = moved.Cases+n.Cases, moved.Clocks+n.Clocks
		if err != nil {
			return moved, fmt.Errorf("take open cases over to list %d: %w", to.ID, err)
		}
		if !some {
			return moved, s.endRecount(ctx, to.ID, regime.Catalogue, audit.Record{Act: "regime.relimit"})
		}
	}
}

func (s *Service) takeOverSome(ctx context.Context, to Taking, now *regime.Regime, older []regime.ID, list func(regime.ID) (*catalogue.Catalogue, error), last *Ref) (moved Recounted, some bool, err error) {
	var end Ref
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		moved, some = Recounted{}, false
		refs, err := s.claimRecount(ctx, tx, to.ID, `
			SELECT report_num, part FROM cases WHERE state = ANY ($1) AND catalogue_id = ANY ($2) AND (report_num, part) > ($3, $4)
			ORDER BY report_num, part LIMIT $5`, open, older, last.Report, last.Part, cmp.Or(s.Batch, recountBatch))
		if err != nil || len(refs) == 0 {
			return err
		}
		some, end = true, refs[len(refs)-1]
		cases, err := s.lockWhole(ctx, tx, refs)
		if err != nil {
			return err
		}
		at := s.Now().UTC().Truncate(time.Microsecond)
		var b pgx.Batch
		var events []feed.Event
		for _, c := range cases {
			if !c.State.Open() || !slices.Contains(older, c.CatalogueID) {
				continue // it has ended, or was taken over, since it was found
			}
			n, err := takeOver(c, to.ID, now, list, at)
			if err != nil {
				return fmt.Errorf("case %s: %w", c.Ref, err)
			}
			if n == nil {
				continue
			}
			clocks, err := queueRelimit(&b, c, n, now.Calendar, to.By, at)
			if err != nil {
				return err
			}
			moved.Cases, moved.Clocks = moved.Cases+1, moved.Clocks+clocks
			events = append(events, feed.Event{Type: feed.CaseChanged, Data: feed.Case{Num: uint32(n.Report), Part: n.Part, Version: n.Version,
				State: string(n.State), Units: unitNumbers(n.Units())}})
		}
		if err := tx.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("keep cases: %w", err)
		}
		return s.keepRecount(ctx, tx, to.ID, at, moved, nil, events...)
	})
	if err == nil && some {
		*last = end
	}
	return moved, some, err
}

// takeOver is a case under a list; nil where nothing is another.
func takeOver(c *Case, id regime.ID, now *regime.Regime, list func(regime.ID) (*catalogue.Catalogue, error), at time.Time) (*Case, error) {
	old, err := list(c.CatalogueID)
	if err != nil {
		return nil, err
	}
	next, err := list(id)
	if err != nil {
		return nil, err
	}
	under := func(l *catalogue.Catalogue) *Terms {
		return TermsOf(&regime.Regime{Catalogue: l, Calendar: now.Calendar, CalendarID: now.CalendarID}, c.Item)
	}
	n, _, err := Relimited(c, under(old), under(next), id, at)
	return n, err
}

// queueRelimit queues what keeps a case that was taken over, and tells how many of its clocks have another limit.
func queueRelimit(b *pgx.Batch, was, now *Case, calendar *worktime.Calendar, by uuid.UUID, at time.Time) (clocks int64, err error) {
	values, err := now.Values(calendar)
	if err != nil {
		return 0, err
	}
	b.Queue(updateCase, values...)
	rows, err := now.ClockValues(calendar)
	if err != nil {
		return 0, err
	}
	for i := range rows {
		if w, k := &was.Clocks[i], &now.Clocks[i]; len(w.Marks()) != len(k.Marks()) || w.Calendar != k.Calendar {
			b.Queue(updateClock, rows[i]...)
			if len(w.Marks()) != len(k.Marks()) {
				clocks++
			}
		}
	}
	b.Queue(`INSERT INTO case_act (report_num, part, n, at, act, was, is_now, person_id, detail) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)`,
		now.Report, now.Part, now.Version, at, Relimit, now.State, orNull(by), json.RawMessage(`{}`))
	return clocks, nil
}

// lockWhole holds cases in their order, and reads all of each.
func (s *Service) lockWhole(ctx context.Context, tx pgx.Tx, refs []Ref) ([]*Case, error) {
	nums, parts := make([]int64, len(refs)), make([]int16, len(refs))
	for i, r := range refs {
		nums[i], parts[i] = int64(r.Report), int16(r.Part)
	}
	rows, err := tx.Query(ctx, `SELECT `+strings.Join(Columns, ", ")+` FROM cases WHERE (report_num, part) IN (SELECT * FROM unnest($1::bigint[], $2::smallint[]))
		ORDER BY report_num, part FOR UPDATE`, nums, parts)
	if err != nil {
		return nil, fmt.Errorf("hold cases: %w", err)
	}
	cases, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("hold cases: %w", err)
	}
	kept, err := clocksOf(ctx, tx, nums, parts)
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		for _, k := range kept[c.Ref] {
			c.Clocks = append(c.Clocks, k.Clock)
		}
	}
	return cases, nil
}
