package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"gridgov/internal/audit"
	"gridgov/internal/casework"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// holder is who holds a post, and may act by it.
type holder struct {
	Post   policy.PostID
	Person uuid.UUID
	Role   policy.Role
	Unit   policy.UnitID
}

// demoWorkers are the people of a demo who work on its cases.
type demoWorkers struct {
	desk, centre holder
	heads        map[policy.UnitID]holder // who takes a unit's cases on
	hands        map[policy.UnitID][]holder
}

// workDemo has a demo's people work on what is open, each act at its time by the city's calendar: so a queue has what is new, under way,
// given back, at rest and late, as a city's has. What happens with a case follows from its number. A case that
// somebody has worked on is left alone.
func workDemo(ctx context.Context, c *City) error {
	who, err := demoWorkersOf(ctx, c)
	if err != nil {
		return err
	}
	open, err := c.Cases.OpenCases(ctx)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8) // they share the committer's transactions
	for _, e := range open {
		if e.Version > 0 {
			continue
		}
		g.Go(func() error {
			if err := who.work(ctx, c, e); err != nil {
				return fmt.Errorf("work on case %s: %w", e.Ref, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func demoWorkersOf(ctx context.Context, c *City) (*demoWorkers, error) {
	rows, err := c.Pool.Query(ctx, `SELECT id, person_id, role, coalesce(unit_id, 0) FROM post WHERE ends IS NULL ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("who works in the demo: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[holder])
	if err != nil {
		return nil, fmt.Errorf("who works in the demo: %w", err)
	}
	who := &demoWorkers{heads: map[policy.UnitID]holder{}, hands: map[policy.UnitID][]holder{}}
	for _, h := range all {
		switch h.Role {
		case policy.Desk:
			who.desk = h
		case policy.CentreHead:
			who.centre = h
		case policy.UnitHead:
			who.heads[h.Unit] = h
		case policy.Mediator, policy.Officer, policy.UnitMember:
			if _, led := who.heads[h.Unit]; h.Role == policy.Mediator && !led {
				who.heads[h.Unit] = h
			}
			who.hands[h.Unit] = append(who.hands[h.Unit], h)
		}
	}
	return who, nil
}

// turn is one step of the demo's work on a case.
type turn struct {
	by      holder
	minutes int // of working time after the one before
	acts    []casework.Act
	reason  string
}

// course is what becomes of a case, as its number has it.
func (w *demoWorkers) course(e *casework.Entry, rng *rand.Rand) (list []turn) {
	head, hands := w.heads[e.Unit], w.hands[e.Unit]
	if head.Person == uuid.Nil || w.desk.Person == uuid.Nil || w.centre.Person == uuid.Nil {
		return nil // a demo that somebody has changed meanwhile
	}
	u, between := rng.Float64(), func(from, to int) int { return from + rng.IntN(to-from) }
	if e.State == casework.Reported {
		if u < 0.05 {
			return nil // nobody has looked at it
		}
		list = append(list, turn{w.desk, between(2, 26), []casework.Act{casework.Accept, casework.File, casework.Dispatch}, ""})
	}
	switch {
	case u < 0.09: // it lies with the unit
		return list
	case u < 0.13 && head.Role == policy.UnitHead:
		return append(list, turn{head, between(8, 40), []casework.Act{casework.Return}, "不属本单位职责，建议转属地"})
	}
	list = append(list, turn{head, between(6, 110), []casework.Act{casework.Receive}, ""})
	hand := head
	if len(hands) > 0 {
		hand = hands[rng.IntN(len(hands))]
	}
	list = append(list, turn{hand, between(15, 240), []casework.Act{casework.Begin}, ""})
	if rest := rng.Float64(); rest < 0.3 {
		list = append(list, turn{w.centre, between(2*480, 6*480), []casework.Act{casework.Suspend}, "需等管线改造完工，已告知来电人"})
	}
	return list
}

// work does with a case what its course has, as far as it is today.
func (w *demoWorkers) work(ctx context.Context, c *City, e *casework.Entry) error {
	rng := rand.New(rand.NewPCG(uint64(e.Report), 1)) //nolint:gosec // what a demo does with a case is to be the same each time
	calendar := c.Regime().Calendar
	at, now := e.OpenedAt, c.now()
	for _, t := range w.course(e, rng) {
		if at = calendar.Due(at, int64(t.minutes)*60); at.After(now) {
			return nil
		}
		then := *c.Cases
		then.Now = func() time.Time { return at }
		last := len(t.acts) - 1
		_, err := then.Do(audit.By(ctx, audit.Author{Person: t.by.Person, Post: int64(t.by.Post)}), casework.Ask{Ref: e.Ref, Before: t.acts[:last], Act: t.acts[last],
			Version: -1, Person: t.by.Person, Reason: t.reason,
			May: func(policy.Action, report.Num, []policy.UnitID) (policy.PostID, bool) { return t.by.Post, true }})
		if err != nil {
			return fmt.Errorf("%v: %w", t.acts, err)
		}
	}
	return nil
}
