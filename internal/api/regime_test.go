package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/catalogue"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// ensureRegime publishes a city's first documents, where it has none.
func (s *site) ensureRegime() {
	s.t.Helper()
	week := worktime.WorkingWeek(worktime.Hours{From: 9 * 60, To: 17 * 60})
	for kind, first := range map[regime.Kind]any{regime.Catalogue: catalogue.Default(), regime.Rules: &assign.Rules{Rules: []assign.Rule{}},
		regime.Calendar: worktime.Document{Zone: "Asia/Shanghai", Week: week, DayMinutes: 480, Years: []int{2026}, Days: []worktime.Day{}}} {
		if _, err := s.live.Regimes.Ensure(s.t.Context(), kind, first); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) versions(kind string) []api.RegimeVersion {
	s.t.Helper()
	var list api.RegimeVersions
	s.do("GET", "/regime/"+kind, nil).want(http.StatusOK).into(&list)
	return list.Versions
}

func (s *site) draft(kind string, content any, seen *api.RegimeSeen) api.RegimeDocument {
	s.t.Helper()
	var d api.RegimeDocument
	s.do("PUT", "/regime/"+kind+"/draft", map[string]any{"content": content, "seen": seen}).want(http.StatusOK).into(&d)
	return d
}

func seenOf(v *api.RegimeVersion) *api.RegimeSeen { return &api.RegimeSeen{Id: v.Id, Edits: v.Edits} }

// administrator is somebody who may edit; reader is somebody who works here and may not.
func regimeSite(t *testing.T) (admin, reader, visitor *site) {
	t.Helper()
	s := newSite(t)
	s.ensureRegime()
	token, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.Administrator, apptest.CityArea))
	worker, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	return s.as(token), s.as(worker), s.as("")
}

func TestRegimeIsDraftedCheckedAndPublished(t *testing.T) {
	admin, reader, visitor := regimeSite(t)
	list := catalogue.Default()
	list.Items[0].First = worktime.WorkHours(1)
	list.Items = list.Items[:15]
	d := admin.draft("catalogue", list, nil)
	if d.Version.State != api.RegimeDraftState || d.Version.Edits != 1 || d.Version.ChangedBy == nil {
		t.Fatalf("%+v", d.Version)
	}
	if len(admin.versions("catalogue")) != 2 || len(reader.versions("catalogue")) != 1 {
		t.Error("the draft is for those alone who edit")
	}
	path := fmt.Sprintf("/regime/catalogue/%d", d.Version.Id)
	admin.do("GET", path, nil).want(http.StatusOK)
	reader.do("GET", path, nil).problem(http.StatusNotFound, "not_found", "")
	reader.do("GET", path+"/table", nil).problem(http.StatusNotFound, "not_found", "")
	admin.do("GET", strings.Replace(path, "catalogue", "rules", 1), nil).problem(http.StatusNotFound, "not_found", "")

	var found api.RegimeFindings
	admin.do("GET", "/regime/catalogue/draft/findings", nil).want(http.StatusOK).into(&found)
	if len(found.Findings) != 1 || found.Findings[0].Kind != string(regime.ItemGone) || *found.Findings[0].What != "16" || found.Findings[0].Refused {
		t.Errorf("%+v", found)
	}

	// Published for later, it is to come; the list in force stays what it was.
	later := apptest.Now.Add(48 * time.Hour)
	admin.do("POST", "/regime/catalogue/draft/publish", map[string]any{"id": d.Version.Id, "edits": 1, "in_force_from": apptest.Now.Add(-time.Hour)}).
		problem(http.StatusBadRequest, "in_the_past", "in_force_from")
	var published api.RegimeDocument
	admin.do("POST", "/regime/catalogue/draft/publish", map[string]any{"id": d.Version.Id, "edits": 1, "in_force_from": later}).want(http.StatusOK).into(&published)
	if published.Version.State != api.RegimeToCome || !published.Version.InForceFrom.Equal(later) {
		t.Errorf("%+v", published.Version)
	}
	if n := len(visitor.public().List.Items); n != 16 {
		t.Errorf("a visitor is shown %d items before their time", n)
	}
	// Another one now: the first is past, what a visitor sees has fifteen items.
	again := admin.draft("catalogue", list, nil)
	admin.do("POST", "/regime/catalogue/draft/publish", map[string]any{"id": again.Version.Id, "edits": 1}).want(http.StatusOK).into(&published)
	if published.Version.State != api.RegimeInForce {
		t.Errorf("%+v", published.Version)
	}
	states := ""
	for _, v := range reader.versions("catalogue") {
		states += string(v.State) + " "
		if v.ChangedBy != nil {
			t.Error("a reader is told who saved it")
		}
	}
	if states != "to_come in_force past " {
		t.Errorf("versions: %s", states)
	}
	if now := visitor.public(); len(now.List.Items) != 15 || now.List.Items[0].First.String() != "1 wh" || now.Version != again.Version.Id {
		t.Errorf("a visitor is shown %+v", now)
	}
	// Each act is on record.
	for _, act := range []string{"regime.save", "regime.publish"} {
		if a := admin.do("GET", "/audit?act="+act, nil).want(http.StatusOK); !bytes.Contains(a.body, []byte(fmt.Sprintf("regime:%d", again.Version.Id))) {
			t.Errorf("%s is not on record: %s", act, a.body)
		}
	}
}

type publicList struct {
	Version int                 `json:"version"`
	Takes   bool                `json:"takes_reports"`
	List    catalogue.Catalogue `json:"list"`
}

func (s *site) public() (p publicList) {
	s.t.Helper()
	s.do("GET", "/public/catalogue", nil).want(http.StatusOK).into(&p)
	return p
}

func TestStaleDraftsAreRefused(t *testing.T) {
	admin, _, _ := regimeSite(t)
	list := catalogue.Default()
	first := admin.draft("catalogue", list, nil)
	put := func(seen any) answer {
		return admin.do("PUT", "/regime/catalogue/draft", map[string]any{"content": list, "seen": seen})
	}
	put(nil).problem(http.StatusConflict, "draft_changed", "")
	second := admin.draft("catalogue", list, seenOf(&first.Version))
	put(seenOf(&first.Version)).problem(http.StatusConflict, "draft_changed", "")
	put(map[string]int{"id": second.Version.Id, "edits": 0}).problem(http.StatusBadRequest, "out_of_range", "seen")
	admin.do("POST", "/regime/catalogue/draft/publish", seenOf(&first.Version)).problem(http.StatusConflict, "draft_changed", "")
	admin.do("DELETE", fmt.Sprintf("/regime/catalogue/draft?id=%d&edits=1", first.Version.Id), nil).problem(http.StatusConflict, "draft_changed", "")
	// The draft of another kind is not this one's.
	admin.do("DELETE", fmt.Sprintf("/regime/rules/draft?id=%d&edits=2", second.Version.Id), nil).problem(http.StatusConflict, "draft_changed", "")
	admin.do("POST", "/regime/rules/draft/publish", seenOf(&second.Version)).problem(http.StatusConflict, "draft_changed", "")
	admin.do("DELETE", fmt.Sprintf("/regime/catalogue/draft?id=%d&edits=2", second.Version.Id), nil).want(http.StatusNoContent)
	admin.do("GET", "/regime/catalogue/draft/findings", nil).problem(http.StatusNotFound, "not_found", "")
	// What is published stays.
	v := admin.versions("catalogue")[0]
	put(seenOf(&v)).problem(http.StatusBadRequest, "out_of_range", "seen")
	put(map[string]int{"id": v.Id, "edits": 1}).problem(http.StatusConflict, "draft_changed", "")
}

func TestHostileRegimes(t *testing.T) {
	admin, reader, visitor := regimeSite(t)
	list := marshalled(t, catalogue.Default())
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		code, field        string
	}{
		"another kind":        {"GET", "/regime/laws", "", 404, "not_found", ""},
		"no number":           {"GET", "/regime/catalogue/1e3", "", 404, "not_found", ""},
		"nobody's number":     {"GET", "/regime/catalogue/999999", "", 404, "not_found", ""},
		"a huge number":       {"GET", "/regime/catalogue/99999999999999999999", "", 404, "not_found", ""},
		"nothing":             {"PUT", "/regime/catalogue/draft", `{}`, 400, "required", "content"},
		"null":                {"PUT", "/regime/catalogue/draft", `{"content": null}`, 400, "", ""},
		"mass assignment":     {"PUT", "/regime/catalogue/draft", `{"content": ` + list + `, "state": "published"}`, 400, "unknown_field", "state"},
		"a state inside":      {"PUT", "/regime/catalogue/draft", `{"content": {"state": "published"}}`, 400, "unknown_field", "state"},
		"rules as a list":     {"PUT", "/regime/catalogue/draft", `{"content": {"rules": []}}`, 400, "unknown_field", "rules"},
		"a list as rules":     {"PUT", "/regime/rules/draft", `{"content": ` + list + `}`, 400, "unknown_field", ""},
		"no limit":            {"PUT", "/regime/catalogue/draft", `{"content": ` + strings.Replace(list, `"first":"30 min"`, `"first":"soon"`, 1) + `}`, 400, "wrong_budget", "items[0].first"},
		"repeated keys":       {"PUT", "/regime/catalogue/draft", `{"content": {"items": [], "items": []}}`, 400, "duplicate_key", ""},
		"an unknown unit":     {"PUT", "/regime/rules/draft", `{"content": {"rules": [{"lead": {"unit": -1}}]}}`, 400, "unknown_unit", "rules[0].lead"},
		"an empty week":       {"PUT", "/regime/calendar/draft", `{"content": {"zone": "Asia/Shanghai", "week": {}, "day_minutes": 480, "years": [], "days": []}}`, 400, "empty_week", "week"},
		"NUL in a list":       {"PUT", "/regime/catalogue/draft", `{"content": ` + strings.Replace(list, `"zh":"`, `"zh":"\u0000`, 1) + `}`, 400, "bad_text", "aspects[0].name.zh"},
		"NUL in rules":        {"PUT", "/regime/rules/draft", `{"content": {"rules": [{"items": ["a\u0000b"], "lead": {"unit": 1}}]}}`, 400, "bad_text", "rules[0].items[0]"},
		"NUL in a calendar":   {"PUT", "/regime/calendar/draft", `{"content": {"zone": "Asia/Shanghai", "week": {"mon": ["09:00–17:00"]}, "day_minutes": 480, "years": [], "days": [{"date": "2026-10-01", "kind": "holiday", "zh": "a\u0000b"}]}}`, 400, "bad_text", "days[0].zh"},
		"NUL in a key":        {"PUT", "/regime/rules/draft", `{"content": {"rules": [], "a\u0000": 1}}`, 400, "", ""},
		"seen as text":        {"PUT", "/regime/catalogue/draft", `{"content": {}, "seen": "1"}`, 400, "wrong_type", "seen"},
		"publish, no draft":   {"POST", "/regime/rules/draft/publish", `{"id": 1, "edits": 1}`, 409, "draft_changed", ""},
		"edits beyond any":    {"POST", "/regime/catalogue/draft/publish", `{"id": 1, "edits": 4611686018427387904}`, 400, "out_of_range", "edits"},
		"seen beyond any":     {"PUT", "/regime/catalogue/draft", `{"content": {}, "seen": {"id": 1, "edits": 4611686018427387904}}`, 400, "out_of_range", "seen"},
		"in force in 30000":   {"POST", "/regime/catalogue/draft/publish", `{"id": 1, "edits": 1, "in_force_from": "29999-01-01T00:00:00Z"}`, 400, "", ""},
		"publish by kind":     {"POST", "/regime/catalogue/draft/publish", `{"id": 1, "edits": 1, "kind": "rules"}`, 400, "unknown_field", "kind"},
		"discard by nothing":  {"DELETE", "/regime/catalogue/draft", "", 409, "draft_changed", ""},
		"a table of rules":    {"POST", "/regime/rules/read", "a,b\n", 404, "not_found", ""},
		"no table":            {"POST", "/regime/catalogue/read", "", 400, "empty", ""},
		"an unknown column":   {"POST", "/regime/catalogue/read", "编号,密码\n1,2\n", 400, "unknown_column", ""},
		"days without header": {"POST", "/regime/calendar/read", "2026-01-01,holiday\n", 400, "header_missing", "date"},
		"an unknown format":   {"GET", "/regime/catalogue/1/table?format=pdf", "", 400, "unknown_value", "format"},
		"an unknown question": {"GET", "/regime/catalogue?all=1", "", 400, "unknown_parameter", "all"},
		"no village":          {"GET", "/public/villages/" + apptest.GridCode(0, 0), "", 404, "not_found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := *admin
			s.t = t
			var body any
			if c.method != http.MethodGet && c.method != http.MethodDelete {
				body = c.body
			}
			a := s.do(c.method, c.path, body)
			var p api.Problem
			a.want(c.status).into(&p)
			field := ""
			if p.Field != nil {
				field = *p.Field
			}
			if c.code != "" && p.Code != c.code || c.field != "" && field != c.field {
				t.Errorf("%s", a.body)
			}
		})
	}
	if n := len(admin.versions("catalogue")); n != 1 {
		t.Errorf("%d versions are kept of refused ones", n)
	}
	for _, s := range []*site{reader, visitor} {
		for _, r := range []struct{ method, path string }{{"PUT", "/regime/catalogue/draft"}, {"DELETE", "/regime/catalogue/draft?id=1&edits=1"},
			{"POST", "/regime/catalogue/draft/publish"}, {"GET", "/regime/catalogue/draft/findings"}, {"POST", "/regime/catalogue/read"}, {"GET", "/regime/calendar/holidays"}} {
			var body any
			if r.method == http.MethodPut || r.method == http.MethodPost {
				body = map[string]any{}
			}
			if a := s.do(r.method, r.path, body); !a.refused() {
				t.Errorf("%s %s: %d %s", r.method, r.path, a.status, a.body)
			}
		}
	}
	visitor.do("GET", "/regime/catalogue", nil).problem(http.StatusUnauthorized, "sign_in", "")
}

func marshalled(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheListAsATable(t *testing.T) {
	admin, reader, _ := regimeSite(t)
	id := admin.versions("catalogue")[0].Id
	for _, how := range []string{"?lang=zh", "?lang=en", "?format=xlsx", "?format=xlsx&lang=en"} {
		file := reader.do("GET", fmt.Sprintf("/regime/catalogue/%d/table%s", id, how), nil).want(http.StatusOK)
		if !strings.Contains(file.header.Get("Content-Disposition"), fmt.Sprintf("catalogue-%d.", id)) {
			t.Errorf("%s: %s", how, file.header.Get("Content-Disposition"))
		}
		var read struct {
			Aspects []catalogue.Aspect
			Items   []catalogue.Item
			Lines   []api.TableLine
		}
		admin.do("POST", "/regime/catalogue/read", string(file.body)).want(http.StatusOK).into(&read)
		if got, want := marshalled(t, read.Items), marshalled(t, catalogue.Default().Items); got != want {
			t.Errorf("%s: %s, want %s", how, got, want)
		}
		if len(read.Lines) != 16 || read.Lines[3].Line != 5 || read.Lines[3].Code != "04" {
			t.Errorf("%s: %+v", how, read.Lines)
		}
	}
	var read api.RegimeTable
	admin.do("POST", "/regime/catalogue/read", "编号,类别编号,事项,首次响应,处置时限\n01,A,焚烧,soon,5 wd\n").want(http.StatusOK).into(&read)
	if len(read.Lines) != 1 || read.Lines[0].Problem == nil || read.Lines[0].Problem.Code != "wrong_budget" || len(*read.Items) != 0 {
		t.Errorf("%+v", read)
	}
	if n := len(admin.versions("catalogue")); n != 1 {
		t.Error("what is read is kept")
	}
}

func TestRulesAreCheckedBeforeTheyArePublished(t *testing.T) {
	admin, reader, _ := regimeSite(t)
	unit := apptest.Unit(t, admin.live.City, policy.LineDepartment, policy.Area{})
	rules := func(unit policy.UnitID) map[string]any {
		return map[string]any{"rules": []any{
			map[string]any{"items": []string{"01"}, "lead": map[string]any{"unit": unit}, "areas": []any{map[string]any{"level": "town", "code": apptest.TownArea.Code}}},
			map[string]any{"lead": map[string]any{"kind": "town_team"}},
			map[string]any{"items": []string{"99"}, "lead": map[string]any{"kind": "command_center"}},
		}}
	}
	d := admin.draft("rules", rules(9999), nil)
	var found api.RegimeFindings
	admin.do("GET", "/regime/rules/draft/findings", nil).want(http.StatusOK).into(&found)
	got := ""
	for _, f := range found.Findings {
		got += fmt.Sprintf("%d %s %v, ", f.At, f.Kind, f.Refused)
	}
	if got != "1 unknown_unit true, 2 no_unit_of_kind false, 3 empty_unit false, 3 unknown_item false, 3 never_reached false, " {
		t.Errorf("found %s", got)
	}
	admin.do("POST", "/regime/rules/draft/publish", seenOf(&d.Version)).problem(http.StatusConflict, "findings_refused", "")
	d = admin.draft("rules", rules(unit), seenOf(&d.Version))
	admin.do("POST", "/regime/rules/draft/publish", seenOf(&d.Version)).want(http.StatusOK)
	var read api.RegimeDocument
	reader.do("GET", fmt.Sprintf("/regime/rules/%d", d.Version.Id), nil).want(http.StatusOK).into(&read)
	if len(*read.Units) != 1 || (*read.Units)[0].Id != int(unit) || len(*read.Areas) != 1 || (*read.Areas)[0].Name != "许村镇" {
		t.Errorf("%+v, %+v", read.Units, read.Areas)
	}
}

func TestTheCalendarAsATable(t *testing.T) {
	admin, reader, _ := regimeSite(t)
	var china struct {
		Years []int
		Days  []worktime.Day
	}
	admin.do("GET", "/regime/calendar/holidays", nil).want(http.StatusOK).into(&china)
	if len(china.Years) < 3 || len(china.Days) < 60 {
		t.Fatalf("%d years, %d days", len(china.Years), len(china.Days))
	}
	china.Days[0].ZH, china.Days[0].EN = `=HYPERLINK("https://example.com")`, "@SUM(1)"
	d := admin.draft("calendar", worktime.Document{Zone: "Asia/Shanghai", Week: worktime.WorkingWeek(worktime.Hours{From: 540, To: 1020}), DayMinutes: 480,
		Years: china.Years, Days: china.Days}, nil)
	var found api.RegimeFindings
	admin.do("GET", "/regime/calendar/draft/findings", nil).want(http.StatusOK).into(&found)
	if len(found.Findings) != 1 || found.Findings[0].Kind != string(regime.YearUnknown) || *found.Findings[0].What != "2027" {
		t.Errorf("%+v", found)
	}
	admin.do("POST", "/regime/calendar/draft/publish", seenOf(&d.Version)).want(http.StatusOK)
	file := reader.do("GET", fmt.Sprintf("/regime/calendar/%d/table", d.Version.Id), nil).want(http.StatusOK)
	var read struct{ Days []worktime.Day }
	admin.do("POST", "/regime/calendar/read", string(file.body)).want(http.StatusOK).into(&read)
	if !reflect.DeepEqual(read.Days, china.Days) {
		t.Errorf("%+v, want %+v", read.Days, china.Days)
	}
	if text := string(file.body); strings.Contains(text, ",@SUM") || !strings.Contains(text, `"'=HYPERLINK(`) || !strings.Contains(text, ",'@SUM(1)") {
		t.Errorf("a spreadsheet would take a name for a formula: %s", text[:200])
	}
	reader.do("GET", fmt.Sprintf("/regime/calendar/%d/table?format=xlsx", d.Version.Id), nil).problem(http.StatusNotFound, "not_found", "")
}

func TestPublicListTellsOfNobody(t *testing.T) {
	admin, _, visitor := regimeSite(t)
	if p := visitor.public(); p.Takes || len(p.List.Items) != 16 {
		t.Errorf("%+v", p)
	}
	a := visitor.do("GET", "/public/catalogue", nil)
	if c := a.header.Get("Cache-Control"); c != "public, max-age=60" {
		t.Errorf("kept as %q", c)
	}
	// What is kept for all is the same for all.
	if b := admin.do("GET", "/public/catalogue", nil); !bytes.Equal(a.body, b.body) {
		t.Errorf("%s for a visitor, %s for the administrator", a.body, b.body)
	}
	var v api.PublicVillage
	visitor.do("GET", "/public/villages/"+apptest.VillageCode(1, 0), nil).want(http.StatusOK).into(&v)
	if v.Code != apptest.VillageCode(1, 0) || v.Town == nil || v.Town.Name != "许村镇" || len(v.Bbox) != 4 {
		t.Errorf("%+v", v)
	}
}
