package api_test

import (
	"slices"
	"strings"
	"testing"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/policy"
)

// Who told a report is shown masked, unmasked for a reason that goes on record, and to nobody else; lists, events and the
// record have none of it.
func TestReporterIsMasked(t *testing.T) {
	s := newSite(t)
	told := map[string]any{"name": "王小明", "phone": "138 0573 1234", "email": "xiaoming@example.com", "home": []float64{120.611, 30.512}}
	r := s.file(aReport(0, 0, filing{"reporter": told}))
	if r.Reporter != nil {
		t.Errorf("filing answers with %+v", r.Reporter)
	}
	worker, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	desk, person := apptest.SignIn(t, s.live.City, apptest.Post(policy.Desk, apptest.CityArea))
	path := "/reports/" + r.Id.String()
	var seen api.Report
	s.as(worker).do("GET", path, nil).want(200).into(&seen)
	if m := seen.Reporter; m == nil || *m.Name != "王**" || *m.Phone != "138****1234" || *m.Email != "x***@example.com" || m.Home == nil || !*m.Home {
		t.Errorf("masked: %+v", m)
	}
	if len(*seen.Allowed) != 1 || (*seen.Allowed)[0] != "report.position" {
		t.Errorf("a grid's worker may %v", *seen.Allowed)
	}
	s.as(worker).do("POST", path+"/reporter", map[string]any{"reason": "calls back"}).problem(403, "not_allowed", "")
	s.as(desk).do("POST", path+"/reporter", map[string]any{"reason": " "}).problem(400, "required", "reason")
	s.as(desk).do("POST", path+"/reporter", map[string]any{"reason": strings.Repeat("x", 501)}).problem(400, "too_long", "reason")
	var who api.UnmaskedReporter
	s.as(desk).do("POST", path+"/reporter", map[string]any{"reason": "the place is not clear"}).want(200).into(&who)
	if *who.Name != "王小明" || *who.Phone != "13805731234" && *who.Phone != "+8613805731234" || *who.Email != "xiaoming@example.com" || (*who.Home)[0] != 120.611 {
		t.Errorf("unmasked: %+v %s", who, *who.Phone)
	}
	list, err := audit.List(t.Context(), s.live.Pool, audit.Query{Act: "report.unmask", Limit: 10})
	if err != nil || len(list.Rows) != 1 || list.Rows[0].Person != person || !strings.Contains(string(list.Rows[0].After), "not clear") {
		t.Errorf("on record: %+v %v", list.Rows, err)
	}
	for _, body := range []string{string(s.do("GET", "/reports", nil).want(200).body), string(list.Rows[0].After), string(list.Rows[0].Before)} {
		for _, word := range []string{"王小明", "1234", "xiaoming", "120.611"} {
			if strings.Contains(body, word) {
				t.Errorf("%q is told in %.200s", word, body)
			}
		}
	}
	s.do("POST", "/reports/"+s.file(aReport(1, 1)).Id.String()+"/reporter", map[string]any{"reason": "nobody told it"}).problem(404, "not_found", "")
}

// Who files what callers tell is told so, and nobody else: the page has a place for the caller by it.
func TestSourcesAreTold(t *testing.T) {
	s := newSite(t)
	worker, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.GridWorker, apptest.GridArea(0, 0)))
	desk, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.Desk, apptest.CityArea))
	planner, _ := apptest.SignIn(t, s.live.City, apptest.Post(policy.Planner, apptest.CityArea))
	for token, want := range map[string][]api.Source{worker: {"phone", "web", "patrol"}, desk: {"phone", "web", "hotline"}, planner: {}} {
		var in api.Session
		s.as(token).do("GET", "/session", nil).want(200).into(&in)
		if in.Sources == nil || !slices.Equal(*in.Sources, want) {
			t.Errorf("%v instead of %v", in.Sources, want)
		}
	}
	var out api.Session
	s.as("").do("GET", "/session", nil).want(200).into(&out)
	if out.Sources != nil {
		t.Errorf("nobody files %v", *out.Sources)
	}
}
