package app_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/casework"
	"gridgov/internal/contact"
	"gridgov/internal/cube"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
	"gridgov/internal/search"
)

// written is what people wrote about a report.
type written struct {
	told, notes []string
	items       []string
}

var (
	tellers = []string{"墙面张贴小广告", "占道经营 noise at night", "楼道堆物", "小区噪声", "垃圾桶 3号楼 满溢", "路灯不亮 light broken"}
	workers = []string{"已联系物业", "现场清除完毕", "二次张贴，复查", "phoned the owner"}
)

// looking is a city with reports, notes about some of them, and who reads what.
type looking struct {
	db      *postgres.Database
	c       *app.City // with keys
	l       *app.Live
	all     []report.Report
	about   map[report.Num]*written
	reaches map[string]policy.Reach
}

func newLooking(t *testing.T) *looking {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	l := node(t, db.URL(), newClock(apptest.Now).now)
	bureau := manned(t, c, policy.LineDepartment, "水利局", apptest.CityArea)
	apptest.Rules(t, c, assign.Rule{Items: []string{"02"}, Lead: assign.Party{Unit: bureau}})
	c.Announce()
	await(t, "the node knows the rules", func() bool { return l.Regime().RulesID == c.Regime().RulesID })
	o := &looking{db: db, c: c, l: l, about: map[report.Num]*written{}}
	me := uuid.New()
	rng := rand.New(rand.NewPCG(7, 0))
	for range 240 {
		r := random(rng)
		r.Title, r.Text = tellers[rng.IntN(len(tellers))], ""
		if rng.IntN(3) == 0 {
			r.Text = tellers[rng.IntN(len(tellers))]
		}
		if rng.IntN(2) == 0 && r.X != nil {
			r.AccuracyM = new(float64(rng.IntN(900)))
		}
		if rng.IntN(4) == 0 {
			r.FiledBy = &me
		}
		num := file(t, l.City, r)
		w := &written{told: []string{r.Title, r.Text, r.Address, r.ExternalID}, items: []string{r.Item}}
		if rng.IntN(3) == 0 {
			note := workers[rng.IntN(len(workers))]
			ask := casework.Ask{Ref: casework.Ref{Report: num}, Act: casework.Note, Version: -1, May: anything, Reason: note}
			if _, err := l.Cases.Do(t.Context(), ask); err == nil {
				w.notes = append(w.notes, note)
			} else if code(err) != "wrong_state" {
				t.Fatal(err)
			}
		}
		if rng.IntN(3) == 0 {
			why := workers[rng.IntN(len(workers))]
			ask := casework.Ask{Ref: casework.Ref{Report: num}, Act: casework.Reject, Version: -1, May: anything, Reason: why}
			if _, err := l.Cases.Do(t.Context(), ask); err == nil {
				w.notes = append(w.notes, why)
			} else if code(err) != "wrong_state" {
				t.Fatal(err)
			}
		}
		o.about[num] = w
	}
	village, grid := apptest.VillageArea(0, 1), apptest.GridArea(1, 2)
	o.reaches = map[string]policy.Reach{
		"everything": {City: true}, "nothing": {}, "what lies somewhere": {Areas: []policy.Area{{Level: policy.City, Code: "330481"}}},
		"a village": {Areas: []policy.Area{village}}, "a grid": {Areas: []policy.Area{grid}}, "one's own": {Own: true, Me: me},
		"a unit's": {Units: []policy.UnitID{bureau}}, "a grid, a unit's and one's own": {Areas: []policy.Area{grid}, Units: []policy.UnitID{bureau}, Own: true, Me: me},
	}
	o.read(t)
	return o
}

func (o *looking) read(t *testing.T) {
	t.Helper()
	caughtUp(t, o.l)
	all, err := o.l.Reports.List(t.Context(), report.Query{Limit: 1000})
	if err != nil || all.Next != "" {
		t.Fatal(err)
	}
	o.all = all.Reports
}

// finds tells whether a reader finds a report by a term, from what was written.
func (o *looking) finds(t *testing.T, reach *policy.Reach, r *report.Report, term string) bool {
	t.Helper()
	s := apptest.Subject(t, o.l.City, r)
	w, sight := o.about[r.Num], reach.Covers(&s)
	if sight == policy.Hidden {
		return false
	}
	if fmt.Sprint(r.Num) == term {
		return true
	}
	for _, i := range o.l.Names().Items {
		if slices.Contains(w.items, i.Code) && (strings.Contains(i.Name, term) || i.Code == term) {
			return true
		}
	}
	has := func(text string) bool { return strings.Contains(text, term) }
	if sight != policy.Whole {
		return false
	}
	byPart := *reach
	byPart.Own = false
	return slices.ContainsFunc(w.told, has) || byPart.Covers(&s) == policy.Whole && slices.ContainsFunc(w.notes, has)
}

func (o *looking) query(t *testing.T, text string) *report.Search {
	t.Helper()
	var items []search.Item
	for _, i := range o.l.Names().Items {
		items = append(items, search.Item{Code: i.Code, Name: i.Name})
	}
	q, trouble := search.Parse(text, items)
	if trouble != "" {
		t.Fatalf("%q: %s", text, trouble)
	}
	return &report.Search{Query: q}
}

func (o *looking) listed(t *testing.T, text string, reach *policy.Reach) (nums []report.Num) {
	t.Helper()
	for q := (report.Query{Search: o.query(t, text), Limit: 5}); ; {
		page, err := o.l.List(t.Context(), q, cube.Filter{}, reach)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Reports {
			nums = append(nums, r.Num)
		}
		if q.After = page.Next; q.After == "" {
			return nums
		}
	}
}

// queued are the cases that a query with words finds, page by page, in its order.
func (o *looking) queued(t *testing.T, text string, q casework.Query, reach *policy.Reach) (refs []casework.Ref) {
	t.Helper()
	for q.Search = o.query(t, text); ; {
		page, err := o.l.ListCases(t.Context(), q, reach, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			refs = append(refs, r.Ref)
		}
		if q.After = page.Next; q.After == "" {
			return refs
		}
	}
}

// queues are some of the ways in which cases are asked for, each with all that there are, in its order.
func (o *looking) queues(t *testing.T) map[*casework.Query][]casework.Ref {
	t.Helper()
	all := map[*casework.Query][]casework.Ref{}
	for _, q := range []*casework.Query{{Limit: 7}, {Limit: 7, Last: true}, {Limit: 7, Order: casework.ByOpened}, {Limit: 7, Items: []string{"01", "02"}},
		{Limit: 4, Nums: []report.Num{1, 5, 9, 13, 40, 41, 42, 43, 44, 45, 46, 47, 90, 91, 92, 93, 150, 200, 239}, Order: casework.ByOpened, Last: true},
		{Limit: 3, States: []casework.State{casework.Closed, casework.Rejected}}, {Limit: 23, States: casework.States}} {
		whole := *q
		whole.Limit = 1000
		page, err := o.l.ListCases(t.Context(), whole, &policy.Reach{City: true}, false)
		if err != nil || len(page.Rows) == 0 || page.Next != "" {
			t.Fatal(page, err)
		}
		for _, r := range page.Rows {
			all[q] = append(all[q], r.Ref)
		}
	}
	return all
}

// What somebody looks for is found, newest first, among what that person may see and by what that person may read, in the list and in the
// queue: as by a scan of what was written.
func TestFoundIsWhatMayBeRead(t *testing.T) {
	o := newLooking(t)
	terms := []string{"张贴", "小广告", "noise", "3号楼", "物业", "完毕", "楼", "owner", "复查", fmt.Sprint(o.all[17].Num), "02", "没有这样的字"}
	for _, i := range o.l.Names().Items {
		terms = append(terms, i.Name)
	}
	few, queues := map[string]int{}, o.queues(t)
	for _, through := range []int{3, 40, 160, 5000} { // by the index of words, by both, by looking through the newest
		o.l.LookThrough = through
		for name, reach := range o.reaches {
			for _, term := range terms {
				var want []report.Num
				for i := range o.all {
					if o.finds(t, &reach, &o.all[i], term) {
						want = append(want, o.all[i].Num)
					}
				}
				few[name] += len(want)
				if got := o.listed(t, term, &reach); !slices.Equal(got, want) {
					t.Errorf("%s looks through %d for %s: %v, want %v", name, through, term, got, want)
				}
				slices.Sort(want)
				for q, all := range queues {
					var these []casework.Ref
					for _, ref := range all {
						if _, found := slices.BinarySearch(want, ref.Report); found {
							these = append(these, ref)
						}
					}
					if got := o.queued(t, term, *q, &reach); !slices.Equal(got, these) {
						t.Errorf("%s looks through %d for cases by %s, %+v: %v, want %v", name, through, term, q, got, these)
					}
				}
			}
		}
	}
	for name, n := range few {
		if (n == 0) != (name == "nothing") {
			t.Errorf("%s finds %d: the test tells little", name, n)
		}
	}
}

// Reports of before get the same words as those that are filed; who was erased is found by nothing that was told.
func TestWordsComeAndGo(t *testing.T) {
	o := newLooking(t)
	c := o.c
	words := func() [][]any {
		return tableRows(t, c.Pool, `SELECT report_num, array_to_string(ARRAY(SELECT l.lexeme || ' ' || array_to_string(l.weights, '') FROM unnest(words) l ORDER BY 1), ' ') FROM report_words ORDER BY report_num`)
	}
	before := words()
	everything := o.reaches["everything"]
	if _, err := c.Pool.Exec(t.Context(), `DELETE FROM report_words`); err == nil {
		t.Error("a city's role deletes words")
	}
	if _, err := o.db.Owner().Exec(t.Context(), `DELETE FROM testcity.report_words WHERE report_num % 3 > 0`); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Reports.FindWords(t.Context()); err != nil || n < 100 {
		t.Fatal(n, err)
	}
	if after := words(); !reflect.DeepEqual(after, before) {
		t.Errorf("other words:\n%v\n%v", after[:3], before[:3])
	}
	if n, err := c.Reports.FindWords(t.Context()); err != nil || n != 0 {
		t.Error("again:", n, err)
	}
	teller := at(1, 1, "01")
	teller.Title, teller.Reporter = "独一无二的话", &report.Reporter{Name: "欧阳先生", Phone: "13912345678"}
	num := file(t, c, teller)
	caughtUp(t, o.l)
	if got := o.listed(t, "独一无二", &everything); !slices.Equal(got, []report.Num{num}) {
		t.Error("found:", got)
	}
	for _, personal := range []string{"欧阳", "13912345678", "139*"} {
		if got := o.listed(t, personal, &everything); len(got) > 0 {
			t.Errorf("who told it is found by %s: %v", personal, got)
		}
	}
	id, err := c.Contacts.Find(t.Context(), teller.Reporter.Phone)
	if err == nil {
		_, err = c.Contacts.Erase(t.Context(), id, contact.EraseOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := o.listed(t, "独一无二", &everything); len(got) > 0 {
		t.Error("after it was erased:", got)
	}
	if got := o.listed(t, fmt.Sprint(num), &everything); !slices.Contains(got, num) {
		t.Error("by its number:", got)
	}
}
