package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/auth"
	"gridgov/internal/demo/haining"
	"gridgov/internal/investigation"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// hainingOrders screens Haining as it would have been screened in the weeks before the investigations that the demo's truth knows of, has the
// city's committee order these, and the town's team carry them out; what else was proposed then is declined. So there is an effect to read of each
// kind. Then the week of the demo's day is screened, of which the proposals are open. Where anything was ordered nothing is done.
func hainingOrders(ctx context.Context, c *City, truth []haining.Hotspot, until time.Time) error {
	var done bool
	if err := c.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM investigation_order)`).Scan(&done); err != nil || done {
		return err
	}
	committee, err := c.Auth.AccountNamed(ctx, auth.CityCommittee)
	if err != nil {
		return fmt.Errorf("who decides in the demo: %w", err)
	}
	by := holder{Person: committee.Person}
	if err := c.Pool.QueryRow(ctx, `SELECT id FROM post WHERE person_id = $1 AND ends IS NULL`, by.Person).Scan(&by.Post); err != nil {
		return fmt.Errorf("who decides in the demo: %w", err)
	}
	truth = slices.Clone(truth)
	slices.SortFunc(truth, func(a, b haining.Hotspot) int { return a.Investigated.Compare(b.Investigated) })
	for i := range truth {
		if h := &truth[i]; !h.Investigated.IsZero() {
			if err := c.investigateInDemo(ctx, by, h); err != nil {
				return fmt.Errorf("the investigation of item %s in %s: %w", h.Item, h.Name, err)
			}
		}
	}
	if err := c.declineInDemo(ctx, by); err != nil {
		return err
	}
	last := until.AddDate(0, 0, 1)
	if last.After(c.now()) {
		last = c.now()
	}
	_, err = c.screenedAt(func() time.Time { return last }).Weekly(ctx)
	return err
}

func (h *holder) author(ctx context.Context) context.Context {
	return audit.By(ctx, audit.Author{Person: h.Person, Post: int64(h.Post)})
}

// declineInDemo declines what is open, two days after it was proposed.
func (c *City) declineInDemo(ctx context.Context, by holder) error {
	open, err := c.openProposals(ctx)
	if err != nil {
		return err
	}
	for i := range open {
		k := &open[i]
		_, err := c.decidedAt(func() time.Time { return k.MadeAt.AddDate(0, 0, 2) }).Decide(by.author(ctx), k.ID, investigation.Ask{Act: investigation.Decline,
			Reason: "属地日常巡查已能处置，暂不单独组织", Version: k.Version, Within: screening.Within{All: true}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *City) openProposals(ctx context.Context) ([]screening.Kept, error) {
	return c.Screenings.Proposals(ctx, screening.Query{Within: screening.Within{All: true}, States: []screening.State{screening.IsOpen}, Limit: 1000})
}

// screenedAt is what screens at another time, and decidedAt what decides then.
func (c *City) screenedAt(now func() time.Time) *screening.Service {
	return &screening.Service{Pool: c.Pool, Feed: c.Writer, City: c.Code, Zone: c.Zone, Now: now, Log: c.log, World: c.screened, Committed: c.hasCommitted}
}

func (c *City) decidedAt(now func() time.Time) *investigation.Service {
	return &investigation.Service{Pool: c.Pool, Feed: c.Writer, Zone: c.Zone, Now: now, Committed: c.hasCommitted}
}

// investigateInDemo has a hot spot of the truth screened in the week before, ordered on the next day, and investigated on its day.
func (c *City) investigateInDemo(ctx context.Context, by holder, h *haining.Hotspot) error {
	day := h.Investigated.In(c.Zone)
	monday := day.AddDate(0, 0, -7-(int(day.Weekday())+6)%7)
	screened, ordered, ended := monday.Add(6*time.Hour), monday.AddDate(0, 0, 1).Add(10*time.Hour), day.Add(17*time.Hour)
	at := func(t time.Time) func() time.Time { return func() time.Time { return t } }
	if _, err := c.screenedAt(at(screened)).Weekly(ctx); err != nil {
		return err
	}
	open, err := c.openProposals(ctx)
	if err != nil {
		return err
	}
	best := -1
	for i := range open {
		k := &open[i]
		if k.Item == h.Item && k.Place.Town == h.Village[:9] && (best < 0 || k.Told > open[best].Told) {
			best = i
		}
	}
	if best < 0 {
		return errors.New("the screening did not propose it")
	}
	author := by.author(ctx)
	var unit policy.UnitID
	err = c.Pool.QueryRow(ctx, `SELECT id FROM unit WHERE kind = 'town_team' AND code = $1 AND closed_at IS NULL ORDER BY id LIMIT 1`, open[best].Place.Town).Scan(&unit)
	if errors.Is(err, pgx.ErrNoRows) {
		return errors.New("the town has no team")
	}
	if err != nil {
		return err
	}
	on := investigation.Day(day.Format(time.DateOnly))
	officers, err := c.decidedAt(at(ordered)).Officers(ctx, []policy.UnitID{unit}, on)
	if err != nil {
		return err
	}
	var posts []policy.PostID
	for _, o := range officers {
		if !o.Away && len(posts) < 3 {
			posts = append(posts, o.Post)
		}
	}
	facts, err := open[best].Facts()
	if err != nil {
		return err
	}
	id, err := c.decidedAt(at(ordered)).Decide(author, open[best].ID, investigation.Ask{Act: investigation.Approve, Reason: "高频且集中，组织一次综合查一次", Version: open[best].Version,
		Within: screening.Within{All: true}, Order: &investigation.New{Unit: unit, Day: on, Officers: posts}})
	if err != nil {
		return err
	}
	order, err := c.Investigations.Get(ctx, id, screening.Within{All: true})
	if err != nil {
		return err
	}
	head := holder{Person: order.Officers[0].Person, Post: order.Officers[0].Post}
	found := h.Effect < 0
	words := "现场未见新的违法行为，已向周边商户再次告知。"
	if found {
		words = fmt.Sprintf("查处 %d 处，当场整改 %d 处，其余限期整改。", int(math.Ceil(float64(len(facts.Evidence))/20)), int(math.Ceil(float64(len(facts.Evidence))/30)))
	}
	return c.decidedAt(at(ended)).Do(head.author(ctx), id, investigation.Doing{Act: investigation.Finish, Version: order.Version, Found: &found, Findings: words, Visited: []string{}})
}
