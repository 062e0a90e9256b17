package api

import (
	"context"
	"math"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/fault"
	"gridgov/internal/investigation"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

func (a *api) listInvestigations(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	of := investigation.Query{Within: screening.Of(&c.reach), Before: investigation.ID(q.integer("before", 1, math.MaxInt64, 0))}
	for _, s := range q.list("state") {
		if !slices.Contains(investigation.States, investigation.State(s)) {
			q.fail(fault.Invalid("state", "unknown_value", "%.40q is none of ordered, done, cancelled", s))
		}
		of.States = append(of.States, investigation.State(s))
	}
	limit := q.integer("limit", 1, 200, 50)
	if err := q.done(); err != nil {
		return err
	}
	of.Limit = limit + 1
	list, err := c.Investigations.List(r.Context(), of)
	if err != nil {
		return err
	}
	out := InvestigationPage{}
	if len(list) > limit {
		list = list[:limit]
		out.Next = new(int(list[limit-1].ID))
	}
	if out.Investigations, err = c.investigationsOf(r.Context(), list); err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, out)
}

func (a *api) getInvestigationRates(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	rates, err := c.Investigations.Rates(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, InvestigationRates{Ordered: rates.Ordered, Done: rates.Done, Cancelled: rates.Cancelled, Found: rateOf(rates.Found)})
}

// orderNamed finds the investigation of the path, as far as who asks may see it.
func (c *call) orderNamed(r *http.Request) (investigation.Order, error) {
	id, err := numbered(r, "id", "investigation")
	if err != nil {
		return investigation.Order{}, err
	}
	view := c.may(policy.InvestigationView)
	return c.Investigations.Get(r.Context(), investigation.ID(id), screening.Of(&view))
}

func (a *api) getInvestigation(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	o, err := c.orderNamed(r)
	if err != nil {
		return err
	}
	return c.writeInvestigation(w, r, &o)
}

func (c *call) writeInvestigation(w http.ResponseWriter, r *http.Request, o *investigation.Order) error {
	list, err := c.investigationsOf(r.Context(), []investigation.Order{*o})
	if err != nil {
		return err
	}
	out := &list[0]
	if o.State == investigation.Done { // of a page of them it would take too long
		effects, err := c.Effects(r.Context(), o)
		if err != nil {
			return err
		}
		out.Effects = new([]Effect{})
		for i := range effects {
			*out.Effects = append(*out.Effects, c.measuredOf(&effects[i]))
		}
	}
	deeds, err := c.Investigations.Deeds(r.Context(), o.ID)
	if err != nil {
		return err
	}
	acts, err := c.deedsOf(r.Context(), deeds)
	if err != nil {
		return err
	}
	out.Acts = &acts
	return writePrivate(w, http.StatusOK, out)
}

// mayWith tells whether who asks may do an action with an order.
func (c *call) mayWith(action policy.Action, o *investigation.Order) bool {
	reach := c.may(action)
	in := screening.Of(&reach)
	return o.Lies(&in)
}

func (c *call) investigationsOf(ctx context.Context, list []investigation.Order) ([]Investigation, error) {
	ids := make([]uuid.UUID, len(list))
	for i := range list {
		ids[i] = list[i].OrderedBy
	}
	n, err := c.People.Names(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Investigation, len(list))
	for i := range list {
		out[i] = c.investigationOf(&list[i], n)
	}
	return out, nil
}

func (c *call) measuredOf(m *app.Measured) Effect {
	out := Effect{Proposal: int(m.Proposal), Item: PlaceRef{Code: m.Item, Words: wordsOf(c.ItemNamed(m.Item))}, Reading: m.Unreadable, Before: m.Chosen + m.Waited,
		BeforeDays: m.ChosenDays + m.WaitedDays, After: m.After, AfterDays: m.AfterDays, FoundBefore: m.FoundBefore, FoundAfter: m.FoundAfter, Alike: m.Alike,
		From: utc(m.From), Since: utc(m.Since), Until: utc(m.Until)}
	if m.Unreadable != "" {
		return out
	}
	out.Reading = string(m.Change.Reading)
	out.Least, out.AlikeBefore, out.AlikeAfter = &m.Least, &m.AlikeBefore, &m.AlikeAfter
	if m.Change.High > 0 {
		out.Ratio, out.Low, out.High, out.Usual = &m.Change.Ratio, &m.Change.Low, &m.Change.High, &m.Change.Usual
	}
	if m.Around.Reading != "" {
		out.Around = new(string(m.Around.Reading))
		if m.Around.High > 0 {
			out.AroundLow, out.AroundHigh = &m.Around.Low, &m.Around.High
		}
	}
	return out
}

func (c *call) investigationOf(o *investigation.Order, n names) Investigation {
	out := Investigation{Id: int(o.ID), State: string(o.State), Version: o.Version, Unit: c.caseUnit(o.Unit), Supporting: []CaseUnit{}, Day: string(o.Day), Level: o.Level,
		Places: c.placeRefs(o.Level, o.Places), Items: []PlaceRef{}, Objects: o.Objects, Officers: c.investigators(o.Officers), Proposals: []int{}, OrderedAt: utc(o.OrderedAt),
		OrderedBy: n.of(o.OrderedBy), EndedAt: when(o.EndedAt), Found: o.Found, Findings: optional(o.Findings), AnonymisedAt: when(o.AnonymisedAt), ObjectsGone: o.ObjectsGone, VisitedGone: o.VisitedGone, May: []string{}}
	for _, u := range o.Supporting {
		out.Supporting = append(out.Supporting, c.caseUnit(u))
	}
	for _, item := range o.Items {
		out.Items = append(out.Items, PlaceRef{Code: item, Words: wordsOf(c.ItemNamed(item))})
	}
	for _, p := range o.Proposals {
		out.Proposals = append(out.Proposals, int(p))
	}
	if o.State == investigation.Done {
		out.Visited = &o.Visited
	}
	for _, act := range investigation.Acts(o.State, func(action policy.Action) bool { return c.mayWith(action, o) }) {
		out.May = append(out.May, string(act))
	}
	return out
}

func (a *api) actOnInvestigation(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var in InvestigationAct
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	o, err := c.orderNamed(r)
	if err != nil {
		return err
	}
	for _, t := range investigation.Table {
		if t.Act == investigation.Act(in.Act) && !c.mayWith(t.Action, &o) {
			return refusal(c.who)
		}
	}
	d := investigation.Doing{Act: investigation.Act(in.Act), Version: in.Version, Found: in.Found}
	for _, f := range []struct {
		to   *string
		from *string
	}{{&d.Reason, in.Reason}, {&d.Findings, in.Findings}, {(*string)(&d.Day), in.Day}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if in.Visited != nil {
		d.Visited = append([]string{}, *in.Visited...)
	}
	if in.Officers != nil {
		d.Officers = append([]policy.PostID{}, postIDs(*in.Officers)...)
	}
	if err := c.Investigations.Do(r.Context(), o.ID, d); err != nil {
		return err
	}
	if o, err = c.orderNamed(r); err != nil {
		return err
	}
	return c.writeInvestigation(w, r, &o)
}

func (a *api) listOfficersOf(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	on := investigation.Day(q.get("day"))
	if err := q.done(); err != nil {
		return err
	}
	o, err := c.orderNamed(r)
	if err != nil {
		return err
	}
	if !c.mayWith(policy.InvestigationRecord, &o) {
		return refusal(c.who)
	}
	if on == "" {
		on = o.Day
	}
	return c.writeOfficers(w, r, append([]policy.UnitID{o.Unit}, o.Supporting...), on)
}
