package regime_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/assign"
	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var someone = uuid.MustParse("01980000-0000-7000-8000-000000000001")

type office struct {
	*regime.Service
	t   *testing.T
	now time.Time
}

func newOffice(t *testing.T) *office {
	_, city, _ := pgtest.City(t)
	o := &office{t: t, now: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)}
	o.Service = &regime.Service{Pool: city, Feed: &feed.Writer{}, Now: func() time.Time { return o.now }}
	o.ensure()
	return o
}

func (o *office) ensure() (made int) {
	o.t.Helper()
	week := worktime.WorkingWeek(hours(o.t, "09:00-17:00"))
	for kind, first := range map[regime.Kind]any{regime.Catalogue: catalogue.Default(), regime.Rules: &assign.Rules{},
		regime.Calendar: worktime.Document{Zone: "Asia/Shanghai", Week: week, DayMinutes: 480}} {
		ok, err := o.Ensure(o.t.Context(), kind, first)
		if err != nil {
			o.t.Fatal(err)
		}
		if ok {
			made++
		}
	}
	return made
}

func hours(t *testing.T, s string) (h worktime.Hours) {
	t.Helper()
	if err := h.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return h
}

func code(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// A list is drafted, published for later, and in force from then on; the first one stays what it was.
func TestVersions(t *testing.T) {
	o := newOffice(t)
	if made := o.ensure(); made != 0 {
		t.Errorf("%d documents were made twice", made)
	}
	list := catalogue.Default()
	list.Items = list.Items[:3]
	content, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.Save(t.Context(), regime.Catalogue, content, regime.Seen{}, someone)
	if err != nil || !d.Draft || d.Edits != 1 || d.ChangedBy != someone {
		t.Fatalf("%+v, %v", d, err)
	}
	seen := func(edits int) regime.Seen { return regime.Seen{ID: d.ID, Edits: edits} }
	if d, err = o.Save(t.Context(), regime.Catalogue, content, seen(1), someone); err != nil || d.Edits != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, other := range []regime.Seen{{}, seen(1), seen(3), {ID: d.ID + 1, Edits: 2}} {
		if _, err := o.Save(t.Context(), regime.Catalogue, content, other, someone); code(err) != "draft_changed" {
			t.Errorf("saved over %+v: %v", other, err)
		}
	}
	if _, err := o.Save(t.Context(), regime.Catalogue, []byte(`{"items": 1}`), seen(2), someone); code(err) != "wrong_type" {
		t.Errorf("no list: %v", err)
	}
	if _, err := o.Publish(t.Context(), regime.Catalogue, seen(2), o.now.Add(-time.Second)); code(err) != "in_the_past" {
		t.Errorf("published for yesterday: %v", err)
	}
	if _, err := o.Publish(t.Context(), regime.Catalogue, seen(1), time.Time{}); code(err) != "draft_changed" {
		t.Errorf("published what was not seen: %v", err)
	}
	april := o.now.Add(30 * 24 * time.Hour)
	if d, err = o.Publish(t.Context(), regime.Catalogue, seen(2), april); err != nil || d.Draft || !d.InForceFrom.Equal(april) {
		t.Fatalf("%+v, %v", d, err)
	}
	if _, err := o.Save(t.Context(), regime.Catalogue, content, seen(2), someone); code(err) != "draft_changed" {
		t.Errorf("saved what was published: %v", err)
	}
	before, err := o.InForce(t.Context(), o.now)
	if err != nil || len(before.Catalogue.Items) != 16 || !before.Until.Equal(april) {
		t.Fatalf("%+v, %v", before, err)
	}
	after, err := o.InForce(t.Context(), april)
	if err != nil || len(after.Catalogue.Items) != 3 || after.CatalogueID != d.ID || !after.Until.IsZero() || after.CalendarID != before.CalendarID {
		t.Fatalf("%+v, %v", after, err)
	}
	all, err := o.List(t.Context(), regime.Catalogue)
	if err != nil || len(all) != 2 || all[0].ID != d.ID || all[1].InForceFrom.Unix() != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	got, err := o.Get(t.Context(), regime.Catalogue, d.ID)
	if again, e := catalogue.Parse(got.Content); err != nil || e != nil || len(again.Items) != 3 {
		t.Errorf("%s, %v, %v", got.Content, err, e)
	}
	if _, err := o.Get(t.Context(), regime.Rules, d.ID); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a list as rules: %v", err)
	}
	if _, err := o.List(t.Context(), regime.Rules); err != nil {
		t.Error(err)
	}
}

func TestDiscard(t *testing.T) {
	o := newOffice(t)
	d, err := o.Save(t.Context(), regime.Rules, []byte(`{"rules": []}`), regime.Seen{}, someone)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Discard(t.Context(), regime.Rules, regime.Seen{ID: d.ID, Edits: 7}); code(err) != "draft_changed" {
		t.Errorf("thrown away unseen: %v", err)
	}
	if err := o.Discard(t.Context(), regime.Rules, regime.Seen{ID: d.ID, Edits: d.Edits}); err != nil {
		t.Fatal(err)
	}
	if all, err := o.List(t.Context(), regime.Rules); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := o.Publish(t.Context(), regime.Rules, regime.Seen{ID: d.ID, Edits: d.Edits}, time.Time{}); code(err) != "draft_changed" {
		t.Errorf("published what is gone: %v", err)
	}
}

// Of many who save over the same draft one wins; the others are told.
func TestConcurrentSaves(t *testing.T) {
	o := newOffice(t)
	d, err := o.Save(t.Context(), regime.Rules, []byte(`{"rules": []}`), regime.Seen{}, someone)
	if err != nil {
		t.Fatal(err)
	}
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := o.Save(t.Context(), regime.Rules, []byte(`{"rules": []}`), regime.Seen{ID: d.ID, Edits: 1}, someone)
			switch {
			case err == nil:
				won.Add(1)
			case code(err) == "draft_changed":
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 7 {
		t.Errorf("%d won, %d were told", won.Load(), lost.Load())
	}
}

// Several nodes open a city at once: the first document is made once.
func TestFirstIsEnsuredOnce(t *testing.T) {
	_, city, _ := pgtest.City(t)
	s := &regime.Service{Pool: city, Feed: &feed.Writer{}, Now: time.Now}
	if _, err := s.InForce(t.Context(), time.Now()); !fault.Is(err, fault.KindNotFound) || !strings.Contains(err.Error(), "catalogue") {
		t.Errorf("a city without: %v", err)
	}
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			ok, err := s.Ensure(t.Context(), regime.Rules, &assign.Rules{Rules: []assign.Rule{}})
			if err != nil {
				t.Error(err)
			}
			if ok {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times", made.Load())
	}
}

// What is wrong with a draft is told: at once where it cannot be kept, else before it is published.
func TestBadInputIsTold(t *testing.T) {
	o := newOffice(t)
	list := marshal(t, catalogue.Default())
	plain := worktime.Document{Zone: "Asia/Shanghai", Week: worktime.WorkingWeek(hours(t, "09:00-17:00")), DayMinutes: 480, Years: []int{2026, 2027}}
	calendar := marshal(t, plain)
	for line, c := range map[string]struct {
		kind        regime.Kind
		content     string
		code, field string
	}{
		"a first response of 0":      {regime.Catalogue, strings.Replace(list, `"first":"30 min"`, `"first":"0 min"`, 1), "out_of_range", "items[0].first"},
		"a disposal of 0":            {regime.Catalogue, strings.Replace(list, `"limit":"4 ch"`, `"limit":"0 ch"`, 1), "out_of_range", "items[0].stages[0].limit"},
		"a step of 0":                {regime.Catalogue, strings.Replace(list, `"dispatch":"1 wh"`, `"dispatch":"0 wh"`, 1), "out_of_range", "steps.dispatch"},
		"no limit":                   {regime.Catalogue, strings.Replace(list, `"dispatch":"1 wh"`, `"dispatch":""`, 1), "limit_missing", "steps.dispatch"},
		"years with a gap":           {regime.Calendar, strings.Replace(calendar, `[2026,2027]`, `[2026,2028]`, 1), "year_gap", "years[1]"},
		"a day of a year not listed": {regime.Calendar, strings.Replace(calendar, `"days":null`, `"days":[{"date":"2028-01-01","kind":"holiday","zh":"元旦"}]`, 1), "day_outside_years", "days[0].date"},
		"a working day of 0":         {regime.Calendar, strings.Replace(calendar, `"day_minutes":480`, `"day_minutes":0`, 1), "out_of_range", "day_minutes"},
	} {
		_, err := o.Save(t.Context(), c.kind, []byte(c.content), regime.Seen{}, someone)
		if f, ok := fault.As(err); !ok || f.Code != c.code || f.Field != c.field {
			t.Errorf("%s: %v", line, err)
		}
	}
	city := &regime.City{Units: []assign.Unit{{ID: 1, Kind: policy.TownTeam}, {ID: 2, Kind: policy.LineDepartment}, {ID: 3, Kind: policy.LineDepartment, Members: 1}},
		HasArea: func(policy.Area) bool { return true }}
	newYear := worktime.Day{Kind: worktime.KindHoliday, Words: worktime.Words{ZH: "元旦"}}
	if err := newYear.Date.UnmarshalText([]byte("2026-01-01")); err != nil {
		t.Fatal(err)
	}
	gap := plain
	gap.Days = []worktime.Day{newYear}
	unknown := plain
	unknown.Years = []int{}
	for line, c := range map[string]struct {
		kind    regime.Kind
		content any
		want    string
	}{
		"a year without a day off":        {regime.Calendar, gap, "0 year_empty 2027 false"},
		"a list that ends":                {regime.Calendar, unknown, "0 year_unknown 2026 false, 0 year_unknown 2027 false"},
		"a unit without members":          {regime.Rules, assign.Rules{Rules: []assign.Rule{{Lead: assign.Party{Unit: 2}}}}, "1 empty_unit 2 false"},
		"a town's team without members":   {regime.Rules, assign.Rules{Rules: []assign.Rule{{Lead: assign.Party{Unit: 3}}, {Kinds: []string{"x"}, Lead: assign.Party{Kind: policy.TownTeam}}}}, "2 empty_unit 1 false, 2 never_reached  false"},
		"no unit of the kind":             {regime.Rules, assign.Rules{Rules: []assign.Rule{{Lead: assign.Party{Kind: policy.CommandCenter}}}}, "1 no_unit_of_kind command_center false"},
		"a unit that is not there":        {regime.Rules, assign.Rules{Rules: []assign.Rule{{Lead: assign.Party{Unit: 9}}}}, "1 unknown_unit 9 true"},
		"an item that the list has not":   {regime.Rules, assign.Rules{Rules: []assign.Rule{{Items: []string{"99"}, Lead: assign.Party{Unit: 3}}}}, "1 unknown_item 99 false"},
		"an aspect that the list has not": {regime.Rules, assign.Rules{Rules: []assign.Rule{{Aspects: []string{"Z"}, Lead: assign.Party{Unit: 3}}}}, "1 unknown_aspect Z true"},
	} {
		found, err := o.Findings(t.Context(), &regime.Document{Kind: c.kind, Content: []byte(marshal(t, c.content))}, city)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprint(f.At, " ", f.Kind, " ", f.What, " ", f.Refused))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
