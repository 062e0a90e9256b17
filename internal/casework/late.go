package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
)

// Late is an act that came when the case had moved on. It changed nothing: neither state, nor clock, nor version; the fold of the case does
// not know it. What it says is kept beside what was done. Of what it has of [Done], N counts the late acts of the case, Was is the state on
// which it was done, and Is is empty.
type Late struct {
	Done
	Seen   int   // the version on which it was done
	After  int   // the version that the case had when it came
	Before []Act // acts that were done with it, before it, and came too late as well
}

// Lateable are the acts that may be kept where they come too late: those that say what somebody found or did. What sends a case somewhere, or
// gives it time, says nothing once it was not done.
var Lateable = []Act{Confirm, SelfSettle, Settle, FeedBack, Verify, SendBack, Note}

// MaxLate is how many late acts of one person are kept of a case.
const MaxLate = 10

// Skew is how far the clock by which an act was done may differ from the service's, put right or not.
const Skew = 5 * time.Minute

// CameLate is what whoever is told of a late act has to know of it.
type CameLate struct {
	Ref
	Item    string
	Unit    policy.UnitID // of the case now
	Cell    policy.Cell   // where it lies; zero: nowhere
	Act     Act
	By      uuid.UUID // whose it is
	Quicker uuid.UUID // who did the first act that it had not seen; nil: the service itself
}

// errKeptLate answers an act that came too late and was kept; the same each time it is sent.
func errKeptLate() error {
	return fault.Conflict("kept_late", "somebody was quicker: what you did changed nothing, and is kept with the case as having come too late; read it again")
}

// errChanged answers an act that saw another version than there is.
func errChanged(c *Case) error {
	return fault.Conflict("case_changed", "somebody was quicker: the case is %s now; read it again", c.State)
}

// doneAt is when an act was done, as far as that can be true: not before the case was opened and not after it came. Within [Skew] of these
// it is taken for them.
func (d *deed) doneAt() *time.Time {
	done, opened := d.ask.DoneAt.UTC().Truncate(time.Microsecond), d.was.OpenedAt
	switch {
	case d.ask.DoneAt.IsZero() || done.Before(opened.Add(-Skew)) || done.After(d.at.Add(Skew)):
		return nil
	case done.Before(opened):
		done = opened
	}
	if done.After(d.at) {
		done = d.at
	}
	return &done
}

// late keeps acts that came too late, where who sends them could have done them then; else it tells that the case has moved on.
func (d *deed) late(ctx context.Context, acts []Ask) error {
	a := &acts[len(acts)-1]
	if !a.KeepLate || a.Version > d.was.Version {
		return errChanged(d.was)
	}
	if again, err := d.lateAgain(ctx, a); err != nil || again {
		return err
	}
	var n, own int
	err := d.tx.QueryRow(ctx, `SELECT coalesce(max(n), 0), count(*) FILTER (WHERE person_id = $3) FROM late_act WHERE report_num = $1 AND part = $2`,
		d.was.Report, d.was.Part, a.Person).Scan(&n, &own)
	if err != nil {
		return fmt.Errorf("count what came too late for case %s: %w", d.was.Ref, err)
	}
	if own >= MaxLate {
		return errChanged(d.was)
	}
	then, err := d.then(ctx, a.Version)
	if err != nil {
		return err
	}
	post, may, err := d.couldHave(ctx, then, acts)
	if err != nil {
		return err
	}
	if !may {
		return errChanged(d.was)
	}
	n++
	if err := d.keepLate(ctx, n, then.State, post, acts); err != nil {
		return err
	}
	return d.tellLate(ctx, a)
}

// lateAgain finds a late act that was kept under the ask's key before.
func (d *deed) lateAgain(ctx context.Context, a *Ask) (bool, error) {
	var ref Ref
	var act Act
	var by uuid.UUID
	err := d.tx.QueryRow(ctx, `SELECT report_num, part, act, person_id FROM late_act WHERE key = $1`, a.Key).Scan(&ref.Report, &ref.Part, &act, &by)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for an act that came too late before: %w", err)
	}
	if ref != a.Ref || act != a.Act || by != a.Person {
		return false, errKeyTaken()
	}
	d.keptLate = true
	return true, nil
}

// then is what a case was at an earlier version, as far as that decides who may do what with it: state, units, and who fed back last.
func (d *deed) then(ctx context.Context, version int) (*Case, error) {
	c := Case{Ref: d.was.Ref, Item: d.was.Item, Unit: d.was.Unit, Supporting: d.was.Supporting}
	rows, err := d.tx.Query(ctx, `SELECT n, act, was, person_id, detail FROM case_act WHERE report_num = $1 AND part = $2 ORDER BY n DESC`, c.Report, c.Part)
	if err != nil {
		return nil, fmt.Errorf("read what was done with case %s: %w", c.Ref, err)
	}
	var n int
	var act Act
	var was State
	var by *uuid.UUID
	var kept []byte
	known := false // which units it had
	// From the last act back: what each of those after the version changed is undone.
	_, err = pgx.ForEachRow(rows, []any{&n, &act, &was, &by, &kept}, func() error {
		var more detail
		if err := json.Unmarshal(kept, &more); err != nil {
			return err
		}
		if n > version {
			c.State = was
			if more.Was != nil {
				c.Unit, c.Supporting = more.Was.Unit, more.Was.Supporting
			}
			return nil
		}
		if more.Unit != 0 && !known {
			c.Unit, c.Supporting, known = more.Unit, more.Supporting, true
		}
		if (act == FeedBack || act == Settle) && c.DoneBy == uuid.Nil {
			c.DoneBy = deref(by)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was done with case %s: %w", c.Ref, err)
	}
	return &c, nil
}

// couldHave tells whether the person could have done acts with a case as it was then, and by which post. What the last act has to carry and
// does not is a fault, as ever. Of the guards those are asked that say who may do it; the others are about the case's work.
func (d *deed) couldHave(ctx context.Context, then *Case, acts []Ask) (post policy.PostID, may bool, err error) {
	terms, err := d.Terms(ctx, d.was)
	if err != nil {
		return 0, false, err
	}
	state := then.State
	for i := range acts {
		a := &acts[i]
		doing := Doing{Act: a.Act, Person: a.Person, Reason: strings.TrimSpace(a.Reason), Evidence: len(a.Evidence), Verdict: a.Verdict, SettledBy: a.SettledBy}
		var line *Transition
		for _, one := range lines(a.Act, state) {
			if post, may = a.May(one.Action, then.Report, then.Units()); may {
				line = one
				break
			}
		}
		if line == nil {
			return 0, false, nil
		}
		for _, g := range line.Guards {
			if (g == OtherPerson || g == MayBeSettled) && guards[g].ask(then, terms, &doing) != nil {
				return 0, false, nil
			}
		}
		if i == len(acts)-1 {
			for _, n := range line.Needs {
				if missing := n.missing(terms, &doing); missing != nil {
					return 0, false, missing
				}
			}
		}
		if line.To != "" {
			state = line.To
		}
	}
	return post, true, nil
}

// keepLate writes a late act, links its photos and puts it on record. The case's pages are told that there is something new.
func (d *deed) keepLate(ctx context.Context, n int, was State, post policy.PostID, acts []Ask) error {
	a, c := &acts[len(acts)-1], d.was
	more := detail{Verdict: a.Verdict, Evidence: a.Evidence}
	if a.Act == FeedBack || a.Act == Settle {
		more.SettledBy, more.Measure = a.SettledBy, a.Measure
	}
	for i := range acts[:len(acts)-1] {
		more.Before = append(more.Before, acts[i].Act)
	}
	kept, err := json.Marshal(more)
	if err != nil {
		return err
	}
	_, err = d.tx.Exec(ctx, `
		INSERT INTO late_act (report_num, part, n, at, done_at, seen, was, after, act, person_id, post_id, reason, detail, key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		c.Report, c.Part, n, d.at, d.doneAt(), a.Version, was, c.Version, a.Act, a.Person, orNull(int64(post)), orNull(strings.TrimSpace(a.Reason)), kept, a.Key)
	if err != nil {
		return fmt.Errorf("keep what came too late for case %s: %w", c.Ref, err)
	}
	if len(a.Evidence) > 0 {
		if err := d.Evidence(ctx, d.tx, a.Person, c.Ref, -n, a.Evidence); err != nil {
			return err
		}
	}
	d.step.Records = append(d.step.Records, audit.Record{Act: "case.late", Subject: c.subject(), After: map[string]any{"act": a.Act, "seen": a.Version, "after": c.Version}})
	d.step.Events = append(d.step.Events, feed.Event{Type: feed.CaseChanged, Data: feed.Case{Num: uint32(c.Report), Part: c.Part, Version: c.Version,
		State: string(c.State), Units: unitNumbers(c.Units())}})
	d.keptLate = true
	return nil
}

// tellLate tells who was quicker.
func (d *deed) tellLate(ctx context.Context, a *Ask) error {
	c := d.was
	list, err := matters(ctx, d.tx, `r.num = $1`, int64(c.Report))
	if err != nil {
		return err
	}
	came := CameLate{Ref: c.Ref, Item: c.Item, Unit: c.Unit, Act: a.Act, By: a.Person}
	if len(list) > 0 {
		came.Cell = list[0].Cell
	}
	var quicker *uuid.UUID
	if err := d.tx.QueryRow(ctx, `SELECT person_id FROM case_act WHERE report_num = $1 AND part = $2 AND n = $3`, c.Report, c.Part, a.Version+1).Scan(&quicker); err != nil {
		return fmt.Errorf("read who was quicker with case %s: %w", c.Ref, err)
	}
	came.Quicker = deref(quicker)
	events, err := d.TellLate(ctx, d.tx, d.at, came)
	d.step.Events = append(d.step.Events, events...)
	return err
}

// LateActs are the acts that came too late for a case, in the order in which they came.
func (s *Service) LateActs(ctx context.Context, ref Ref) ([]Late, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT a.n, a.at, a.done_at, a.seen, a.was, a.after, a.act, a.person_id, p.role, p.unit_id, a.reason, a.detail
		FROM late_act a LEFT JOIN post p ON p.id = a.post_id
		WHERE a.report_num = $1 AND a.part = $2 ORDER BY a.n`, ref.Report, ref.Part)
	if err != nil {
		return nil, fmt.Errorf("read what came too late for case %s: %w", ref, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Late, err error) {
		var done *time.Time
		var role *policy.Role
		var unit *policy.UnitID
		var reason *string
		var kept []byte
		if err := row.Scan(&l.N, &l.At, &done, &l.Seen, &l.Was, &l.After, &l.Act, &l.Person, &role, &unit, &reason, &kept); err != nil {
			return l, err
		}
		var more detail
		if err := json.Unmarshal(kept, &more); err != nil {
			return l, err
		}
		l.At, l.DoneAt, l.Role, l.Of, l.Reason = l.At.UTC(), deref(done).UTC(), deref(role), deref(unit), deref(reason)
		l.Verdict, l.SettledBy, l.Measure, l.Evidence, l.Before = more.Verdict, more.SettledBy, more.Measure, more.Evidence, more.Before
		return l, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what came too late for case %s: %w", ref, err)
	}
	return list, nil
}

// checkLate tells what is wrong with an ask that is to be kept where it comes too late.
func (a *Ask) checkLate() error {
	switch {
	case !a.KeepLate:
		return nil
	case a.Key == uuid.Nil:
		return fault.Invalid("key", "required", "what is to be kept where it comes too late needs a key, so that it is kept once")
	case a.Version < 0:
		return fault.Invalid("version", "required", "say which version of the case was seen")
	}
	for _, act := range append(slices.Clone(a.Before), a.Act) {
		if !slices.Contains(Lateable, act) {
			return fault.Invalid("keep_late", "not_here", "only what somebody found or did is kept where it comes too late: %v", Lateable)
		}
	}
	return nil
}
