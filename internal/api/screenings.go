package api

import (
	"context"
	"encoding/hex"
	"math"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// numbered is the number in the path of something.
func numbered(r *http.Request, part, what string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue(part), 10, 64)
	if err != nil {
		return 0, fault.NotFound("there is no %s %.40q", what, r.PathValue(part))
	}
	return id, nil
}

// mostProposals is how many proposals of a screening are told with it.
const mostProposals = 500

func (a *api) listScreenings(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	before, limit := q.integer("before", 1, math.MaxInt64, 0), q.integer("limit", 1, 100, 20)
	if err := q.done(); err != nil {
		return err
	}
	runs, err := c.Screenings.Runs(r.Context(), screening.ID(before), limit+1)
	if err != nil {
		return err
	}
	rule := c.Regime().Catalogue.Screened()
	out := ScreeningList{MayRun: c.mayScreen(), Rule: &rule}
	if len(runs) > limit {
		runs = runs[:limit]
		out.Next = new(int(runs[limit-1].ID))
	}
	if out.Screenings, err = c.screeningsOf(r.Context(), runs); err != nil {
		return err
	}
	return writePrivate(w, http.StatusOK, out)
}

// mayScreen tells whether who asks may make a screening: it is of the whole city.
func (c *call) mayScreen() bool {
	reach := c.may(policy.ScreeningRun)
	return screening.Of(&reach).All
}

func (a *api) runScreening(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	if !c.mayScreen() {
		return fault.Forbidden("not_the_city", "a screening is of the whole city, and your post is for a part of it")
	}
	run, made, err := c.Screenings.Screen(r.Context())
	if err != nil {
		return err
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	return c.writeScreening(w, r, run.ID, status, nil)
}

func (a *api) getScreening(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	again := q.get("again")
	if again != "" && again != "true" && again != "false" {
		q.fail(fault.Invalid("again", "unknown_value", "%.20q is neither true nor false", again))
	}
	if err := q.done(); err != nil {
		return err
	}
	id, err := numbered(r, "run", "screening")
	if err != nil {
		return err
	}
	var compared *ScreeningAgain
	if again == "true" {
		same, took, err := c.Screenings.Again(r.Context(), screening.ID(id))
		if err != nil {
			return err
		}
		compared = &ScreeningAgain{Same: same, TookMs: int(took.Milliseconds())}
	}
	return c.writeScreening(w, r, screening.ID(id), http.StatusOK, compared)
}

func (c *call) writeScreening(w http.ResponseWriter, r *http.Request, id screening.ID, status int, again *ScreeningAgain) error {
	run, result, err := c.Screenings.Get(r.Context(), id)
	if err != nil {
		return err
	}
	list, err := c.screeningsOf(r.Context(), []screening.Run{run})
	if err != nil {
		return err
	}
	out := &list[0]
	out.Again = again
	view := c.may(policy.ScreeningView)
	proposals, err := c.Screenings.Proposals(r.Context(), screening.Query{Within: screening.Of(&view), Screening: run.ID, Limit: mostProposals})
	if err != nil {
		return err
	}
	rows, err := c.proposalRows(r.Context(), proposals)
	if err != nil {
		return err
	}
	out.Proposals = &rows
	if out.Whole != nil {
		out.Whole.Elsewhere = optional(result.Elsewhere)
		items := []ScreenedItem{}
		for _, i := range result.Items {
			items = append(items, ScreenedItem{Item: i.Item, Words: wordsOf(c.ItemNamed(i.Item)), Told: i.Told, Tested: i.Tested, Hot: i.Hot, Places: i.Places})
		}
		out.Whole.Items = &items
	}
	return writePrivate(w, status, out)
}

// screeningsOf tells of screenings: of the whole city to who sees all of it, else of what lies within reach.
func (c *call) screeningsOf(ctx context.Context, runs []screening.Run) ([]Screening, error) {
	view := c.may(policy.ScreeningView)
	in := screening.Of(&view)
	people, ids := make([]uuid.UUID, len(runs)), make([]screening.ID, len(runs))
	for i := range runs {
		people[i], ids[i] = runs[i].Person, runs[i].ID
	}
	n, err := c.People.Names(ctx, people)
	if err != nil {
		return nil, err
	}
	made, err := c.Screenings.MadeIn(ctx, in, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Screening, len(runs))
	for i := range runs {
		run := &runs[i]
		p := &run.Params
		out[i] = Screening{Id: int(run.ID), Week: optional(run.Week), At: utc(run.At), Position: feed.ID{Epoch: run.Epoch, Seq: feed.Seq(run.Seq)}.String(), Plan: optional(int(run.Plan)), List: int(run.List),
			Level: p.Level, Days: p.Days, Least: p.Least, Q: p.Q, Seed: int64(p.Seed), From: utc(run.From), To: utc(run.To), Made: made[run.ID], TookMs: int(run.Took.Milliseconds()),
			Digest: hex.EncodeToString(run.Digest)}
		if run.Person != uuid.Nil {
			out[i].By = new(names(n).of(run.Person))
		}
		if in.All {
			out[i].Why, out[i].Whole = optional(string(run.Why)), &ScreeningWhole{Reports: run.Reports, Units: run.Units, Found: run.Proposals}
		}
	}
	return out, nil
}
