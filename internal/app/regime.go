package app

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/assign"
	"gridgov/internal/catalogue"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// ensureRegime publishes a city's first documents, each from the beginning of time, where there are none.
func (c *City) ensureRegime(ctx context.Context) error {
	items, err := c.Reports.Items(ctx)
	if err != nil {
		return err
	}
	calendar, err := firstCalendar(c.Timezone)
	if err != nil {
		return err
	}
	for _, d := range []struct {
		kind    regime.Kind
		content any
	}{{regime.Catalogue, firstList(c.Timezone, items)}, {regime.Rules, &assign.Rules{Rules: []assign.Rule{}}}, {regime.Calendar, calendar}} {
		if _, err := c.Regimes.Ensure(ctx, d.kind, d.content); err != nil {
			return err
		}
	}
	return nil
}

// firstList is the one-stop list that a city begins with: that of the sixteen items where the city has no others, in China.
// Elsewhere, and where items have other codes, it is empty: the sixteen say nothing about another city's matters, even where
// a code is the same by chance. Items that are not listed have the list's other limits.
func firstList(zone string, items []report.Item) *catalogue.Catalogue {
	list := catalogue.Default()
	other := func(i report.Item) bool { return list.Item(i.Code) == nil }
	if !worktime.InChina(zone) || slices.ContainsFunc(items, other) {
		list.Aspects, list.Items = []catalogue.Aspect{}, []catalogue.Item{}
	}
	return list
}

// inTheStates are zones of the United States that are named after a place; those that begin with US/ are too.
var inTheStates = []string{"America/New_York", "America/Detroit", "America/Chicago", "America/Menominee", "America/Denver", "America/Boise",
	"America/Phoenix", "America/Los_Angeles", "America/Anchorage", "America/Juneau", "America/Nome", "America/Sitka", "America/Adak", "Pacific/Honolulu"}

// The years whose federal holidays a calendar begins with. They are by rule, so any would do.
const firstFederal, lastFederal = 2000, 2050

// firstCalendar is the working calendar that a city begins with, by its zone: China's hours with its holidays and shifted
// workdays, the federal holidays of the United States, or elsewhere a plain week, of which no year's holidays are known;
// each deadline then says so.
func firstCalendar(zone string) (worktime.Document, error) {
	nine := worktime.Hours{From: 9 * 60, To: 17 * 60}
	d := worktime.Document{Zone: zone, Week: worktime.WorkingWeek(nine), DayMinutes: 8 * 60, Years: []int{}, Days: []worktime.Day{}}
	switch {
	case worktime.InChina(zone):
		d.Week, d.DayMinutes = worktime.WorkingWeek(worktime.Hours{From: 8*60 + 30, To: 12 * 60}, worktime.Hours{From: 13*60 + 30, To: 17 * 60}), 7*60
		h := worktime.China()
		d.Years, d.Days = h.Years, h.Days
	case slices.Contains(inTheStates, zone), strings.HasPrefix(zone, "US/"), strings.HasPrefix(zone, "America/Indiana/"),
		strings.HasPrefix(zone, "America/Kentucky/"), strings.HasPrefix(zone, "America/North_Dakota/"):
		h, err := worktime.USFederal(firstFederal, lastFederal, false)
		if err != nil {
			return d, err
		}
		d.Years, d.Days = h.Years, h.Days
	}
	return d, nil
}

// replaceFirst publishes a demo's own document in the place of the one that the city began with. What somebody has published
// since stays.
func (c *City) replaceFirst(ctx context.Context, kind regime.Kind, content any) error {
	all, err := c.Regimes.List(ctx, kind)
	if err != nil {
		return err
	}
	if len(all) != 1 || all[0].Draft {
		return nil
	}
	b, err := json.Marshal(content)
	if err != nil {
		return err
	}
	draft, err := c.Regimes.Save(ctx, kind, bytes.TrimSpace(b), regime.Seen{}, uuid.Nil)
	if err != nil {
		return err
	}
	_, err = c.Regimes.Publish(ctx, kind, regime.Seen{ID: draft.ID, Edits: draft.Edits}, time.Time{})
	return err
}
