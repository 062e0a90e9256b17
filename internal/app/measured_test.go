package app_test

import (
	"slices"
	"testing"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/demo/haining"
	"gridgov/internal/hotspot"
	"gridgov/internal/investigation"
	"gridgov/internal/postgres"
	"gridgov/internal/screening"
)

// effectsInHaining reads the effects of the demo's three investigations from its reports, and holds them against what was planted: each
// interval has the truth, a half is read as a fall, and nothing is read where nothing was changed.
func effectsInHaining(t *testing.T, c *app.City, db *postgres.Database) {
	plan, err := haining.Boundaries()
	if err != nil {
		t.Fatal(err)
	}
	l, err := openCity(t, db, haining.Code).Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	orders, err := l.Investigations.List(t.Context(), investigation.Query{Within: screening.Within{All: true}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, h := range plan.Hotspots(apptest.Now.AddDate(0, 0, -1)) {
		if h.Investigated.IsZero() {
			continue
		}
		i := slices.IndexFunc(orders, func(o investigation.Order) bool {
			return slices.Contains(o.Items, h.Item) && slices.Contains(o.Towns, h.Village[:9]) && string(o.Day) == h.Investigated.Format("2006-01-02")
		})
		if i < 0 {
			t.Errorf("%s about %s was not investigated", h.Item, h.Name)
			continue
		}
		seen++
		o := &orders[i]
		if o.State != investigation.Done || len(o.Officers) < 2 || o.Found == nil || *o.Found != (h.Effect < 0) {
			t.Errorf("the order is %+v", o)
		}
		list, err := l.Effects(t.Context(), o)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d effects, %v", len(list), err)
		}
		m := list[0]
		t.Logf("%s about %s (%g): %s, %.2f (%.2f–%.2f); %+v; around %s %.2f (%.2f–%.2f); patrols %d, %d", h.Item, h.Name, h.Effect, m.Change.Reading, m.Change.Ratio, m.Change.Low,
			m.Change.High, m.Compared, m.Around.Reading, m.Around.Ratio, m.Around.Low, m.Around.High, m.FoundBefore, m.FoundAfter)
		if truth := 1 + h.Effect; m.Change.Low > truth || m.Change.High < truth {
			t.Errorf("%s about %s: the interval %.2f–%.2f does not have %.2f", h.Item, h.Name, m.Change.Low, m.Change.High, truth)
		}
		if h.Effect == 0 && m.Change.Reading != hotspot.ReadNoChange || h.Effect == -0.5 && m.Change.Reading != hotspot.ReadFell {
			t.Errorf("%s about %s reads %s", h.Item, h.Name, m.Change.Reading)
		}
		// Counted anew by the tables, for the place.
		var before, after int
		err = c.Pool.QueryRow(t.Context(), `
			SELECT count(*) FILTER (WHERE r.captured_at >= $3 AND r.captured_at < $4), count(*) FILTER (WHERE r.captured_at >= $5 AND r.captured_at < $6)
			FROM report r JOIN placement p ON p.report_num = r.num JOIN cases k ON k.report_num = r.num AND k.part = 0
			WHERE r.item = $1 AND p.grid = ANY ($2) AND r.source <> 'patrol' AND k.state NOT IN ('rejected', 'merged', 'voided')`,
			h.Item, o.Places, m.From, h.Investigated, m.Since, m.Until).Scan(&before, &after)
		if err != nil || before != m.Chosen+m.Waited || after != m.After {
			t.Errorf("%s about %s: %d before and %d after, by the tables %d and %d; %v", h.Item, h.Name, m.Chosen+m.Waited, m.After, before, after, err)
		}
	}
	if seen != 3 {
		t.Errorf("%d investigations were planted", seen)
	}
}
