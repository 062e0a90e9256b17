package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/batch"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// What of batches is listed.
const (
	batchesFor   = 24 * time.Hour // since they ended
	maxBatches   = 20
	maxCasesSize = 256 << 10 // bytes of a new one
)

func (a *api) makeBatch(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if c.who.Token != uuid.Nil { // its scopes would have to hold when it is carried out
		return fault.Forbidden("not_by_token", "what has a token does one act at a time")
	}
	var in NewBatch
	if err := decode(r, maxCasesSize, &in); err != nil {
		return err
	}
	b, err := c.batchOf(r, &in)
	if err != nil {
		return err
	}
	if err := c.seesAll(r.Context(), &b); err != nil {
		return err
	}
	b, existed, err := c.Batches.Make(r.Context(), b)
	if err != nil {
		return err
	}
	out, err := c.showBatches(r.Context(), b)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if existed {
		status = http.StatusOK
	}
	return writeJSON(w, status, out[0])
}

// batchOf reads a batch that somebody asks for.
func (c *call) batchOf(r *http.Request, in *NewBatch) (batch.Batch, error) {
	b := batch.Batch{ID: batch.ID(in.Id), MadeBy: c.who.Person, Address: clientAddress(r), Area: c.territoryOf(c.reach.Post)}
	if in.Id == uuid.Nil {
		return b, fault.Invalid("id", "bad_uuid", "make a UUID for each batch")
	}
	one := NewAct{Acts: &in.Acts, Reason: in.Reason, Unit: in.Unit, Supporting: in.Supporting, Target: in.Target, Verdict: in.Verdict, Object: in.Object}
	ask, err := askOf(&one, new(0))
	if err != nil {
		return b, err
	}
	b.Ask = batch.Ask{Acts: append(ask.Before, ask.Act), Reason: strings.TrimSpace(ask.Reason), Unit: ask.Unit, Supporting: ask.Supporting, Target: ask.Target,
		Verdict: ask.Verdict, Object: ask.Object}
	for i, k := range in.Cases {
		ref, ok := casework.ParseRef(k.Case)
		if !ok {
			return b, fault.Invalid("cases["+strconv.Itoa(i)+"].case", "bad_case", "%.40q is not what a case is called, such as 1234 or 1234-2", k.Case)
		}
		b.Cases = append(b.Cases, batch.Case{Ref: ref, Version: k.Version})
		if i == batch.MaxCases {
			break // Make says that there are too many
		}
	}
	return b, nil
}

// territoryOf is the territory of one of the actor's posts.
func (c *call) territoryOf(post policy.PostID) policy.Area {
	for i := range c.actor.Posts {
		if c.actor.Posts[i].ID == post {
			return c.actor.Posts[i].Area
		}
	}
	return policy.Area{}
}

// seesAll refuses a batch in which there is a case that who makes it does not see: that there is one is nobody's business.
func (c *call) seesAll(ctx context.Context, b *batch.Batch) error {
	view := c.may(policy.ReportView)
	var nums []report.Num
	for i := range b.Cases[:min(len(b.Cases), batch.MaxCases)] {
		nums = append(nums, b.Cases[i].Report)
	}
	if b.Ask.Target != nil {
		nums = append(nums, b.Ask.Target.Report)
	}
	if len(nums) == 0 {
		return nil
	}
	slices.Sort(nums)
	nums = slices.Compact(nums)
	found, err := c.Reports.List(ctx, report.Query{Nums: nums, Limit: len(nums)})
	if err != nil {
		return err
	}
	subjects, err := c.Subjects(ctx, found.Reports, &view)
	if err != nil {
		return err
	}
	seen := map[report.Num]bool{}
	for i := range found.Reports {
		seen[found.Reports[i].Num] = view.Covers(&subjects[i]) != policy.Hidden
	}
	for _, num := range nums {
		if !seen[num] {
			return fault.NotFound("there is no case %d", num)
		}
	}
	return nil
}

func (a *api) listBatches(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	desk := c.may(policy.CaseTriage)
	list, err := c.Batches.List(r.Context(), c.at.Add(-batchesFor), c.actor.Person, desk.Areas, wholeCity(&desk), maxBatches)
	if err != nil {
		return err
	}
	out := Batches{Batches: []Batch{}}
	if out.Batches, err = c.showBatches(r.Context(), list...); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// wholeCity tells whether a reach has the whole city.
func wholeCity(r *policy.Reach) bool {
	return r.City || slices.ContainsFunc(r.Areas, func(a policy.Area) bool { return a.Level == policy.City })
}

func (a *api) cancelBatch(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	none := fault.NotFound("there is no batch %.40q", r.PathValue("id"))
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return none
	}
	b, err := c.Batches.Get(r.Context(), batch.ID(id))
	if fault.Is(err, fault.KindNotFound) {
		return none
	}
	if err != nil {
		return err
	}
	desk := c.may(policy.CaseTriage)
	if b.MadeBy != c.who.Person && !wholeCity(&desk) && !slices.Contains(desk.Areas, b.Area) {
		return none
	}
	if b, err = c.Batches.Cancel(r.Context(), b.ID, c.who.Person); err != nil {
		return err
	}
	out, err := c.showBatches(r.Context(), b)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out[0])
}

// showBatches shows batches to who asks: people by name where they may be known.
func (c *call) showBatches(ctx context.Context, list ...batch.Batch) ([]Batch, error) {
	var people []uuid.UUID
	for i := range list {
		people = append(people, list[i].MadeBy, list[i].CancelledBy)
	}
	reach := c.may(policy.PersonView)
	names, err := c.People.NamesWithin(ctx, slices.DeleteFunc(people, func(id uuid.UUID) bool { return id == uuid.Nil }), &reach)
	if err != nil {
		return nil, err
	}
	actor := func(id uuid.UUID) Actor {
		return Actor{Name: optional(names[id]), Me: optional(c.who != nil && id == c.who.Person)}
	}
	out := []Batch{}
	for i := range list {
		b := &list[i]
		one := Batch{Id: uuid.UUID(b.ID), State: BatchState(b.State), Acts: []string{}, Reason: optional(b.Ask.Reason), MadeAt: utc(b.MadeAt), By: actor(b.MadeBy),
			StartsAt: utc(b.StartsAt), EndedAt: moment(b.EndedAt), Total: len(b.Cases), Cases: []BatchCase{}}
		if b.State == batch.Waiting {
			one.StartsInS = max(0, b.StartsAt.Sub(c.at).Seconds())
		}
		if b.CancelledBy != uuid.Nil {
			one.CancelledBy = new(actor(b.CancelledBy))
		}
		for _, act := range b.Ask.Acts {
			one.Acts = append(one.Acts, string(act))
		}
		if b.Ask.Unit != 0 {
			one.Unit = new(c.caseUnit(b.Ask.Unit))
		}
		if b.Ask.Target != nil {
			one.Target = new(b.Ask.Target.String())
		}
		one.Done, one.LeftOut, one.Failed = b.Tally()
		for k := range b.Cases {
			one.Cases = append(one.Cases, BatchCase{Case: b.Cases[k].Ref.String(), Outcome: optional(BatchCaseOutcome(b.Cases[k].Outcome)),
				Why: optional(b.Cases[k].Why), Words: optional(b.Cases[k].Words)})
		}
		out = append(out, one)
	}
	return out, nil
}
