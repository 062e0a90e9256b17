package api_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/casework"
	"gridgov/internal/catalogue"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// effect reads the lines of what a version would do: how far it has come, and the effect at the end.
func (s *site) effect(path string) (e api.RegimeEffect) {
	s.t.Helper()
	a := s.do("GET", path, nil).want(http.StatusOK)
	if ct := a.header.Get("Content-Type"); ct != "application/x-ndjson" {
		s.t.Errorf("content type %q", ct)
	}
	lines := bytes.Split(bytes.TrimSpace(a.body), []byte("\n"))
	for i, l := range lines {
		var line api.RegimeEffectLine
		d := json.NewDecoder(bytes.NewReader(l))
		d.DisallowUnknownFields()
		if err := d.Decode(&line); err != nil || (line.Effect != nil) != (i == len(lines)-1) || line.Effect == nil && (line.Done == nil || line.Total == nil || *line.Done > *line.Total) {
			s.t.Fatalf("line %d of %d: %s, %v", i, len(lines), l, err)
		}
		if line.Effect != nil {
			e = *line.Effect
		}
	}
	return e
}

// all reads the whole list of what moves, by pages.
func (s *site) moved(path string) (all []api.RegimeEffectCase) {
	s.t.Helper()
	for after := ""; ; {
		var page api.RegimeEffectPage
		s.do("GET", path+"&limit=2&after="+after, nil).want(http.StatusOK).into(&page)
		if all = append(all, page.Cases...); page.Next == nil {
			return all
		}
		after = *page.Next
	}
}

func TestEffectIsToldBeforePublishing(t *testing.T) {
	admin, reader, _ := regimeSite(t)
	token, _ := apptest.SignIn(t, admin.live.City, apptest.Everything()...)
	teller := admin.as(token)
	for i := range 7 {
		teller.file(aReport(i%4, 0, filing{"item": []string{"01", "02"}[i%2]}))
	}
	unit := apptest.Unit(t, admin.live.City, policy.LineDepartment, policy.Area{})
	_, err := admin.live.Pool.Exec(t.Context(), `INSERT INTO post (person_id, role, unit_id, begins, version) SELECT person_id, 'unit_member', $1, '2026-01-01', 1 FROM account LIMIT 1`, unit)
	if err == nil {
		err = admin.live.LoadDesk(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}

	// Rules: the cases of one item go to the unit; nothing is published by looking.
	d := admin.draft("rules", map[string]any{"rules": []any{map[string]any{"items": []string{"02"}, "lead": map[string]any{"unit": unit}}}}, nil)
	path := fmt.Sprintf("/regime/rules/%d/effect", d.Version.Id)
	e := admin.effect(path)
	if e.Looked != 7 || e.Moved != 3 || e.Redecided != 3 || e.Open != 7 || len(e.Ways) != 1 || e.Ways[0].ToUnit.Id != int(unit) || e.Ways[0].Cases != 3 ||
		e.Ways[0].Items[0].Code != "02" || e.Ways[0].Towns[0].Name.Zh != "许村镇" || len(e.Assumed) != 3 {
		t.Errorf("%+v", e)
	}
	all := admin.moved(path + "/cases?way=" + e.Ways[0].Way)
	if len(all) != 3 || all[0].Item != "02" || all[0].After.Unit.Id != int(unit) || !strings.HasPrefix(all[0].After.Why.Zh, "规则 1：事项 02") || !*all[0].Redecided {
		t.Errorf("%+v", all)
	}
	if other := admin.moved(path + "/cases?way=1>1"); len(other) != 0 {
		t.Errorf("%+v", other)
	}
	if past := admin.effect(path + "?from=2026-01-01&to=2026-02-01"); past.Looked != 0 || past.Moved != 0 || past.Redecided != 3 {
		t.Errorf("%+v", past)
	}
	for _, lang := range []string{"zh", "en"} {
		file := admin.do("GET", path+".csv?lang="+lang, nil).want(http.StatusOK)
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.body, []byte("\ufeff")))).ReadAll()
		if err != nil || len(rows) != 4 || len(rows[1]) != len(rows[0]) || rows[1][2] != "02" {
			t.Errorf("%s: %v, %v", lang, rows, err)
		}
	}
	if n := len(reader.versions("rules")); n != 1 {
		t.Errorf("%d versions", n)
	}

	// A calendar: a week off from today on.
	calendar := admin.live.Regime().Calendar.Document()
	for i := range 7 {
		day := worktime.Day{Kind: worktime.KindHoliday, Words: worktime.Words{ZH: "停"}}
		if err := day.Date.UnmarshalText([]byte(apptest.Now.AddDate(0, 0, i).Format(time.DateOnly))); err != nil {
			t.Fatal(err)
		}
		calendar.Days = append(calendar.Days, day)
	}
	d = admin.draft("calendar", calendar, nil)
	path = fmt.Sprintf("/regime/calendar/%d/effect", d.Version.Id)
	if e = admin.effect(path); e.Looked != 7 || e.Moved != 7 || e.Later != 7 || e.ClocksMoved != 7 || e.Against == d.Version.Id {
		t.Errorf("%+v", e)
	}
	clocks := admin.moved(path + "/cases?")
	if len(clocks) != 7 || *clocks[0].Clock != api.RegimeEffectCaseClock(casework.DeskClock) || !clocks[0].After.DueAt.After(*clocks[0].Before.DueAt) {
		t.Errorf("%+v", clocks)
	}
	admin.do("POST", "/regime/calendar/draft/publish", seenOf(&d.Version)).want(http.StatusOK)
	deadline := time.Now().Add(30 * time.Second)
	for again := clocks; len(again) > 0; time.Sleep(20 * time.Millisecond) { // polls a condition
		if again = admin.moved(path + "/cases?"); time.Now().After(deadline) {
			t.Fatalf("in force it moves %+v", again)
		}
	}

	// A list moves open cases where that is asked for alone.
	list := catalogue.Default()
	list.Steps.Dispatch = worktime.WorkDays(3)
	d = admin.draft("catalogue", list, nil)
	path = fmt.Sprintf("/regime/catalogue/%d/effect", d.Version.Id)
	if e = admin.effect(path); e.Differ != 7 || e.ClocksMoved != 7 {
		t.Errorf("%+v", e)
	}
	admin.do("POST", "/regime/catalogue/draft/publish", map[string]any{"id": d.Version.Id, "edits": 1, "recount_open": true}).want(http.StatusOK)
	for {
		var n int
		if err := admin.live.Pool.QueryRow(t.Context(), `SELECT count(*) FROM case_act WHERE act = 'relimit'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n == 7 {
			break
		}
		if time.Now().After(deadline.Add(30 * time.Second)) {
			t.Fatalf("%d cases were taken over", n)
		}
		time.Sleep(20 * time.Millisecond) // polls a condition
	}
	var row api.CaseDetail
	teller.do("GET", "/cases/"+clocks[0].Ref, nil).want(http.StatusOK).into(&row)
	if last := row.Acts[len(row.Acts)-1]; last.Act != "relimit" || row.Case.Clocks[0].Limit != "3 wd" {
		t.Errorf("%+v", row)
	}
}

func TestHostileEffects(t *testing.T) {
	admin, reader, visitor := regimeSite(t)
	d := admin.draft("rules", map[string]any{"rules": []any{}}, nil)
	path := fmt.Sprintf("/regime/rules/%d/effect", d.Version.Id)
	for query, want := range map[string][2]string{
		"?from=2026-02-01&to=2026-01-01":  {"empty_span", "to"},
		"?from=2024-01-01&to=2026-01-01":  {"span_too_long", "from"},
		"?from=2025-10-01&to=2026-11-03":  {"span_too_long", "from"},
		"?from=yesterday":                 {"bad_time", "from"},
		"?page=1":                         {"unknown_parameter", "page"},
		"/cases?limit=501":                {"out_of_range", "limit"},
		"/cases?after=x":                  {"bad_cursor", "after"},
		"/cases?after=-1":                 {"bad_cursor", "after"},
		"/cases?after=99999999999999999":  {"bad_cursor", "after"},
		".csv?lang=fr":                    {"unknown_value", "lang"},
		".csv?from=2026-02-01&to=2026-01": {"bad_time", "to"},
	} {
		admin.do("GET", path+query, nil).problem(http.StatusBadRequest, want[0], want[1])
	}
	admin.do("GET", "/regime/rules/999999/effect", nil).problem(http.StatusNotFound, "not_found", "")
	admin.do("GET", "/regime/laws/1/effect", nil).problem(http.StatusNotFound, "not_found", "")
	admin.do("GET", strings.Replace(path, "rules", "calendar", 1), nil).problem(http.StatusNotFound, "not_found", "")
	admin.do("POST", "/regime/rules/draft/publish", map[string]any{"id": d.Version.Id, "edits": 1, "recount_open": true}).problem(http.StatusBadRequest, "not_a_list", "recount_open")
	for _, what := range []string{"", "/cases", ".csv"} {
		for _, s := range []*site{reader, visitor} {
			if a := s.do("GET", path+what, nil); !a.refused() {
				t.Errorf("%s: %d %s", what, a.status, a.body)
			}
		}
	}
	// Moves nothing: that is said, too.
	if e := admin.effect(path); e.Moved != 0 || len(e.Ways) != 0 {
		t.Errorf("%+v", e)
	}
}

// Who leaves while it is counted ends it: nothing is left running.
func TestEffectEndsWhenTheClientLeaves(t *testing.T) {
	admin, _, _ := regimeSite(t)
	token, _ := apptest.SignIn(t, admin.live.City, apptest.Everything()...)
	teller := admin.as(token)
	for range 3 {
		teller.file(aReport(0, 0))
	}
	d, err := admin.live.Regimes.Current(t.Context(), regime.Rules, apptest.Now)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := admin.live.ChangeTo(t.Context(), &d, apptest.Now.AddDate(0, -1, 0), apptest.Now.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	if _, err := admin.live.Cases.EffectOf(ctx, ch, func(done, _ int) { leave() }); err == nil {
		t.Error("it was counted to its end")
	}
}

func TestRates(t *testing.T) {
	admin, reader, visitor := regimeSite(t)
	token, _ := apptest.SignIn(t, admin.live.City, apptest.Everything()...)
	teller := admin.as(token)
	for i := range 25 {
		teller.file(aReport(i%4, 0))
	}
	var r api.CaseRates
	span := "?from=2026-11-01&to=2027-01-01"
	admin.do("GET", "/cases/rates"+span, nil).want(http.StatusOK).into(&r)
	if r.Due != 25 || r.Closed != 0 || r.Closure.N != 25 || r.Closure.TooFew || *r.Closure.Percent != 0 {
		t.Errorf("%+v", r)
	}
	r = api.CaseRates{}
	reader.do("GET", "/cases/rates"+span, nil).want(http.StatusOK).into(&r) // of grid (0, 0)
	if r.Due != 7 || !r.Closure.TooFew || r.Closure.Percent != nil {
		t.Errorf("%+v", r)
	}
	admin.do("GET", "/cases/rates"+span+"&village="+apptest.VillageCode(1, 0), nil).want(http.StatusOK).into(&r)
	if r.Due != 12 {
		t.Errorf("%+v", r)
	}
	for query, want := range map[string][2]string{
		"?from=2026-02-01&to=2026-01-01": {"empty_span", "to"},
		"?from=2024-01-01&to=2026-01-01": {"span_too_long", "from"},
		"?unit=x":                        {"unknown_value", "unit"},
		"?town=1&grid=2":                 {"both_given", "grid"},
		"?who=1":                         {"unknown_parameter", "who"},
	} {
		admin.do("GET", "/cases/rates"+query, nil).problem(http.StatusBadRequest, want[0], want[1])
	}
	if a := visitor.do("GET", "/cases/rates", nil); !a.refused() {
		t.Errorf("%d %s", a.status, a.body)
	}
}
