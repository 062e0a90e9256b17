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
func (c *call) caseOf(ctx context.Context, num report.Num) (*Case, error) {
	k, err := c.Cases.Get(ctx, casework.Ref{Report: num})
	if fault.Is(err, fault.KindNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := c.ListUnder(ctx, k.CatalogueID)
	if err != nil {
		return nil, err
	}
	limits, listed := list.LimitsOf(k.Item)
	cal := c.Regime().Calendar
	out := &Case{State: CaseState(k.State), Version: k.Version, Unit: c.caseUnit(k.Unit), Supporting: []CaseUnit{}, Rule: k.Rule,
		Why: wordsOf(k.Words), OpenedAt: utc(k.OpenedAt), DispatchedAt: moment(k.DispatchedAt), ClosedAt: moment(k.ClosedAt), Clocks: []CaseClock{}}
	if !listed {
		out.Unlisted = new(true)
	}
	if k.SettledBy != "" {
		out.SettledBy = new(CaseSettledBy(k.SettledBy))
	}
	for _, id := range k.Supporting {
		out.Supporting = append(out.Supporting, c.caseUnit(id))
	}
	amber, due := k.Due(cal)
	out.AmberAt, out.DueAt = moment(amber), moment(due)
	for i := range k.Clocks {
		clock := clockOf(&k.Clocks[i], cal, c.at)
		if n := k.Clocks[i].Stage; k.Clocks[i].Kind == casework.DisposalClock && n < len(limits.Stages) && limits.Stages[n].Name != (worktime.Words{}) {
			clock.StageName = new(wordsOf(limits.Stages[n].Name))
		}
		out.Clocks = append(out.Clocks, clock)
	}
	return out, nil
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

func wordsOf(w worktime.Words) BothWords { return BothWords{Zh: w.ZH, En: w.EN} }

// moment is a time, or nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(utc(t))
}
