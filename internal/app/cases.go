package app

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/casework"
	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/kpi"
	"gridgov/internal/photo"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// ListUnder is the one-stop list that a case was opened under. A published one never changes, so it is kept once it was read.
func (c *City) ListUnder(ctx context.Context, id regime.ID) (*catalogue.Catalogue, error) {
	if r := c.Regime(); r.CatalogueID == id {
		return r.Catalogue, nil
	}
	if known, ok := c.lists.Load(id); ok {
		return known.(*catalogue.Catalogue), nil
	}
	d, err := c.Regimes.Get(ctx, regime.Catalogue, id)
	if err != nil {
		return nil, err
	}
	list, err := catalogue.Parse(d.Content)
	if err == nil {
		c.lists.Store(id, list)
	}
	return list, err
}

// termsOf are what holds for a case: the list that it was opened under, by the calendar in force now.
func (c *City) termsOf(ctx context.Context, k *casework.Case) (*casework.Terms, error) {
	list, err := c.ListUnder(ctx, k.CatalogueID)
	if err != nil {
		return nil, err
	}
	now := c.Regime()
	return casework.TermsOf(&regime.Regime{Catalogue: list, Calendar: now.Calendar, CalendarID: now.CalendarID}, k.Item), nil
}

// CalendarOf is the calendar by which a clock counts: that of now, but of one that is stopped the one by which it was kept.
func (c *City) CalendarOf(ctx context.Context, k *casework.Clock) (*worktime.Calendar, error) {
	now := c.Regime()
	if k.Phase() != worktime.Stopped || k.Calendar == 0 || k.Calendar == now.CalendarID {
		return now.Calendar, nil
	}
	if known, ok := c.calendars.Load(k.Calendar); ok {
		return known.(*worktime.Calendar), nil
	}
	d, err := c.Regimes.Get(ctx, regime.Calendar, k.Calendar)
	if err != nil {
		return nil, err
	}
	calendar, err := worktime.Parse(d.Content)
	if err == nil {
		c.calendars.Store(k.Calendar, calendar)
	}
	return calendar, err
}

// usePhotos links photos to a report that is filed.
func (c *City) usePhotos(ctx context.Context, tx pgx.Tx, by uuid.UUID, num report.Num, photos []uuid.UUID) error {
	return c.Photos.Use(ctx, tx, by, photo.Use{Report: num}, photoIDs(photos)...)
}

// useVoice links a voice note to a report that is filed.
func (c *City) useVoice(ctx context.Context, tx pgx.Tx, by uuid.UUID, num report.Num, id uuid.UUID) error {
	return c.Photos.UseVoice(ctx, tx, by, num, photo.ID(id))
}

func photoIDs(list []uuid.UUID) []photo.ID {
	ids := make([]photo.ID, len(list))
	for i, id := range list {
		ids[i] = photo.ID(id)
	}
	return ids
}

// useEvidence links photos to the act of a case.
func (c *City) useEvidence(ctx context.Context, tx pgx.Tx, by uuid.UUID, of casework.Ref, n int, photos []uuid.UUID) error {
	err := c.Photos.Use(ctx, tx, by, photo.Use{Report: of.Report, Part: of.Part, N: n}, photoIDs(photos)...)
	if f, ok := fault.As(err); ok && f.Field == "photos" {
		return fault.Invalid("evidence", f.Code, "%s", f.Message)
	}
	return err
}

// MayOn is what an actor may do at a moment with cases of some reports, as [casework.Ask] asks it.
func MayOn(actor *policy.Actor, at time.Time, subjects map[report.Num]policy.Subject) func(policy.Action, report.Num, []policy.UnitID) (policy.PostID, bool) {
	return func(action policy.Action, of report.Num, units []policy.UnitID) (policy.PostID, bool) {
		s, reach := subjects[of], actor.Reach(action, at)
		s.Units = units
		sight := reach.Covers(&s)
		if action == policy.ReportView {
			return reach.Post, sight != policy.Hidden
		}
		return reach.Post, sight == policy.Whole
	}
}

// PostOf is the post that is on record for an act with a case: the one that allows it, by the case as it was seen.
func PostOf(a *casework.Ask, k *casework.Case) (post policy.PostID) {
	for i := range casework.Table {
		if line := &casework.Table[i]; line.Act == a.Act {
			if by, may := a.May(line.Action, k.Report, k.Units()); may {
				post = by
			}
		}
	}
	return post
}

// actFor does an act for somebody who is not here to ask, by the posts that they hold now. Whose account was taken out of use
// has none.
func (c *City) actFor(ctx context.Context, address string, a casework.Ask) error {
	actor := &policy.Actor{Person: a.Person}
	inUse, err := c.Auth.InUse(ctx, a.Person)
	if err != nil {
		return err
	}
	if inUse {
		if actor.Posts, err = c.People.PostsOf(ctx, c.Pool, a.Person); err != nil {
			return err
		}
	}
	at := c.now()
	view := actor.Reach(policy.ReportView, at)
	subjects := map[report.Num]policy.Subject{}
	refs := []casework.Ref{a.Ref}
	if a.Target != nil {
		refs = append(refs, *a.Target)
	}
	for _, ref := range refs {
		rep, err := c.Reports.Get(ctx, ref.Report)
		if err != nil {
			return err
		}
		list, err := c.Subjects(ctx, []report.Report{rep}, &view)
		if err != nil {
			return err
		}
		subjects[ref.Report] = list[0]
	}
	a.May = MayOn(actor, at, subjects)
	k, err := c.Cases.Get(ctx, a.Ref)
	if err != nil {
		return err
	}
	_, err = c.Cases.Do(audit.By(ctx, audit.Author{Person: a.Person, Post: int64(PostOf(&a, k)), Address: address}), a)
	return err
}

// Subjects are reports as rights see them. Which units lead or support their cases is asked where a reach goes by units.
func (c *City) Subjects(ctx context.Context, reports []report.Report, reaches ...*policy.Reach) ([]policy.Subject, error) {
	out := make([]policy.Subject, len(reports))
	nums := make([]report.Num, len(reports))
	for i := range reports {
		out[i], nums[i] = c.subjectOf(&reports[i]), reports[i].Num
	}
	if !slices.ContainsFunc(reaches, func(r *policy.Reach) bool { return len(r.Units) > 0 }) {
		return out, nil
	}
	units, err := c.Cases.UnitsOf(ctx, nums)
	for i := range out {
		out[i].Units = units[nums[i]]
	}
	return out, err
}

// Rates counts the cases of the reports that a reach covers.
func (l *Live) Rates(ctx context.Context, q casework.RateQuery, reach *policy.Reach) (kpi.Tally, error) {
	l.readBy(&q.Query, reach)
	if len(reach.Areas) > 0 {
		q.Within = l.State().within(reach)
	}
	return l.Cases.Rates(ctx, q)
}
