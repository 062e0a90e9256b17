package regime_test

import (
	"encoding/json"
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
