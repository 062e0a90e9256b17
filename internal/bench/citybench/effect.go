package citybench

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/assign"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// Foretold is how long it took to say what a document would do, the best of the rounds.
type Foretold struct {
	Kind          regime.Kind
	Looked, Moved int // cases
	Took          time.Duration
}

// Effects asks what three documents would do to a city's cases: rules, to all that were ever opened; a list and a calendar, to
// those that are open.
func (b *Bench) Effects(ctx context.Context, c *app.City) ([]Foretold, error) {
	in := c.Regime()
	rules := assign.Rules{Rules: append([]assign.Rule{{Items: []string{itemCode(1)}, Lead: assign.Party{Kind: policy.CommandCenter}}}, in.Rules.Rules...)}
	list := *in.Catalogue
	list.Items = slices.Clone(list.Items)
	for i := range list.Items {
		list.Items[i].First = worktime.Minutes(10)
	}
	list.Other.First = worktime.Minutes(10)
	calendar := in.Calendar.Document()
	calendar.Years, calendar.Days = nil, nil // no holidays
	var out []Foretold
	for _, d := range []struct {
		kind    regime.Kind
		content any
	}{{regime.Rules, rules}, {regime.Catalogue, &list}, {regime.Calendar, calendar}} {
		content, err := json.Marshal(d.content)
		if err != nil {
			return nil, err
		}
		f := Foretold{Kind: d.kind}
		for range b.Rounds {
			change, err := c.ChangeTo(ctx, &regime.Document{Kind: d.kind, Content: content}, time.Unix(0, 0), time.Now().AddDate(1, 0, 0))
			if err != nil {
				return nil, err
			}
			began := time.Now()
			e, err := c.Cases.EffectOf(ctx, change, func(int, int) {})
			if err != nil {
				return nil, err
			}
			took := time.Since(began)
			if f.Took == 0 || took < f.Took {
				f.Looked, f.Moved, f.Took = e.Looked, e.Moved, took
			}
		}
		out = append(out, f)
	}
	return out, nil
}
