package api

import (
	"context"
	"time"

	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// caseOf shows the case of a report that may be seen. Of one whose case is still to be opened it is nil.
func (c *call) caseOf(ctx context.Context, num report.Num, sight caseSight) (*Case, error) {
	k, err := c.Cases.Get(ctx, casework.Ref{Report: num})
	if fault.Is(err, fault.KindNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return c.caseAs(ctx, k, sight, false)
}

// caseSight is how much of a case somebody is shown.
type caseSight uint8

const (
	partly   caseSight = iota // it only may lie in one's territory: nothing that a person wrote
	asTeller                  // one told it and has no other part in it: not what those who work with it write to each other
	inWhole
)

// sightOf is how much a reach that covers a report shows of its cases.
func sightOf(reach policy.Reach, s *policy.Subject) caseSight {
	if reach.Covers(s) != policy.Whole {
		return partly
	}
	if reach.Own = false; reach.Covers(s) != policy.Whole {
		return asTeller
	}
	return inWhole
}

// caseAs shows a case, with or without the ledgers of its clocks.
func (c *call) caseAs(ctx context.Context, k *casework.Case, sight caseSight, ledgers bool) (*Case, error) {
	list, err := c.ListUnder(ctx, k.CatalogueID)
	if err != nil {
		return nil, err
	}
	limits, listed := list.LimitsOf(k.Item)
	cal := c.Regime().Calendar
	out := &Case{State: CaseState(k.State), Version: k.Version, Unit: c.caseUnit(k.Unit), Supporting: c.caseUnits(k.Supporting), Rule: k.Rule,
		Why: wordsOf(k.Words), OpenedAt: utc(k.OpenedAt), DispatchedAt: moment(k.DispatchedAt), ClosedAt: moment(k.ClosedAt), Clocks: []CaseClock{}}
	if sight != inWhole && k.Rule == 0 { // who chose the unit by hand gave a reason in words
		out.Why = BothWords{Zh: "由" + out.Unit.Name + "负责。", En: out.Unit.Name + " leads."}
		if out.Unit.NameEn != nil {
			out.Why.En = *out.Unit.NameEn + " leads."
		}
	}
	if !listed {
		out.Unlisted = new(true)
	}
	if k.SettledBy != "" {
		out.SettledBy = new(CaseSettledBy(k.SettledBy))
	}
	amber, due := k.Due(cal)
	out.AmberAt, out.DueAt = moment(amber), moment(due)
	for i := range k.Clocks {
		cal, err := c.CalendarOf(ctx, &k.Clocks[i])
		if err != nil {
			return nil, err
		}
		clock := clockOf(&k.Clocks[i], cal, c.at)
		if n := k.Clocks[i].Stage; k.Clocks[i].Kind == casework.DisposalClock && n < len(limits.Stages) && limits.Stages[n].Name != (worktime.Words{}) {
			clock.StageName = new(wordsOf(limits.Stages[n].Name))
		}
		if ledgers {
			clock.Ledger = new(ledgerOf(&k.Clocks[i], cal, c.at, sight))
		}
		out.Clocks = append(out.Clocks, clock)
	}
	return out, nil
}

// ledgerOf tells how a clock came to what it has used.
func ledgerOf(k *casework.Clock, cal *worktime.Calendar, now time.Time, sight caseSight) []LedgerLine {
	out := []LedgerLine{}
	for _, l := range worktime.Fold(worktime.Ledger(cal, k.Clock, now)) {
		switch l.What {
		case worktime.OnHold, worktime.Extension, worktime.Reopening, worktime.Relimiting:
			if sight != inWhole { // the reason is somebody's own words
				l.Name = worktime.Words{}
			}
		case worktime.Counted, worktime.Shifted, worktime.Night, worktime.Weekend, worktime.Holiday, worktime.Ended:
		}
		out = append(out, LedgerLine{From: utc(l.From), To: utc(l.To), What: LedgerLineWhat(l.What), Words: wordsOf(l.Words()), Seconds: int(l.Seconds)})
	}
	return out
}

func clockOf(k *casework.Clock, cal *worktime.Calendar, now time.Time) CaseClock {
	s := k.State(cal)
	limit := k.Limit()
	out := CaseClock{Kind: CaseClockKind(k.Kind), Stage: k.Stage, Phase: CaseClockPhase(s.Phase), Limit: limit.String(), LimitWords: wordsOf(limit.Words()),
		BudgetS: int(s.Budget), UsedS: int(s.UsedAt(cal, now)), StartedAt: utc(s.Started), StoppedAt: moment(s.Stopped), AmberAt: moment(s.Amber),
		DueAt: moment(s.Due), UnknownYears: []int{}}
	if s.Phase == worktime.Stopped {
		now = s.Stopped
	}
	out.Late = s.Late(now)
	if limit.Unit().Working() && !s.Due.IsZero() {
		out.UnknownYears = append(out.UnknownYears, cal.UnknownYears(s.Started, s.Due)...)
	}
	return out
}

func (c *call) caseUnit(id policy.UnitID) CaseUnit {
	u, _ := c.UnitNamed(id) // one that was made just now may not be known yet: its number is
	return CaseUnit{Id: int(id), Kind: CaseUnitKind(u.Kind), Name: u.Name.ZH, NameEn: optional(u.Name.EN)}
}

func (c *call) caseUnits(ids []policy.UnitID) []CaseUnit {
	out := []CaseUnit{}
	for _, id := range ids {
		out = append(out, c.caseUnit(id))
	}
	return out
}

func wordsOf(w worktime.Words) BothWords { return BothWords{Zh: w.ZH, En: w.EN} }

// moment is a time, or nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(utc(t))
}
