package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/assign"
	"gridgov/internal/policy"
)

// A report's detail tells what has become of it; a list does not.
func TestAReportShowsItsCase(t *testing.T) {
	s := newSite(t)
	city := s.live.City
	team := s.unit("town_team", obj{"name": "许村队", "name_en": "Xucun team", "level": "town", "code": apptest.TownArea.Code})
	s.addPost(s.addPerson(nil), obj{"role": "unit_head", "unit": team.Id, "begins": "2026-01-01"})
	apptest.Rules(t, city, assign.Rule{Items: []string{"02"}, Lead: assign.Party{Unit: policy.UnitID(team.Id)}, Dispatch: true})
	r := s.file(aReport(1, 1, filing{"item": "02"}))
	if r.Case != nil {
		t.Errorf("what is filed is answered with %+v", r.Case)
	}
	var got api.Report
	s.do("GET", fmt.Sprint("/reports/", r.Num), nil).want(http.StatusOK).into(&got)
	k := got.Case
	if k == nil || k.State != api.CaseStateDispatched || k.Unit.Name != "许村队" || *k.Unit.NameEn != "Xucun team" || k.Unit.Kind != "town_team" || k.Rule != 1 || k.Unlisted != nil ||
		k.Version != 0 || !k.OpenedAt.Equal(got.ReceivedAt) || k.DispatchedAt == nil || k.ClosedAt != nil || k.DueAt == nil || k.AmberAt == nil || !k.AmberAt.Before(*k.DueAt) {
		t.Fatalf("%+v", k)
	}
	if k.Why.Zh != "规则 1：事项 02 河道倾倒、漂浮物，许村镇村00，由许村队负责（人员 1 人，在办 0 件）。" ||
		k.Why.En != "Rule 1: item 02 River dumping, floating waste, in 村00, Xucun Town: Xucun team leads (1 people, 0 open)." {
		t.Errorf("%+v", k.Why)
	}
	// 16:00 in Haining: one working hour is over at 17:00, two at 09:30 of the next day.
	if len(k.Clocks) != 2 || k.Clocks[0].Kind != api.CaseClockKindReceive || k.Clocks[0].Limit != "1 wh" || k.Clocks[0].LimitWords.Zh != "1 工作时" ||
		k.Clocks[0].DueAt.In(city.Zone).Format("2006-01-02 15:04") != "2026-11-24 17:00" || k.Clocks[1].Kind != api.CaseClockKindFirst ||
		k.Clocks[1].DueAt.In(city.Zone).Format("2006-01-02 15:04") != "2026-11-25 09:30" || k.Clocks[0].Late || k.Clocks[0].UsedS != 0 || k.Clocks[0].BudgetS != 3600 {
		t.Errorf("%+v", k.Clocks)
	}
	if !k.DueAt.Equal(*k.Clocks[0].DueAt) {
		t.Errorf("the case is due at %s", k.DueAt)
	}
	var page api.ReportPage
	s.do("GET", "/reports", nil).want(http.StatusOK).into(&page)
	if len(page.Reports) != 1 || page.Reports[0].Case != nil {
		t.Errorf("%+v", page)
	}
}

// Whoever is of a unit sees what it leads or supports, in the list and in detail, and hears of it when it comes.
func TestAUnitsPeopleSeeWhatItLeads(t *testing.T) {
	s := newSite(t)
	lead := apptest.Unit(t, s.live.City, policy.LineDepartment, apptest.CityArea)
	helps := apptest.Unit(t, s.live.City, policy.LineDepartment, apptest.CityArea)
	other := apptest.Unit(t, s.live.City, policy.LineDepartment, apptest.CityArea)
	tokens := map[policy.UnitID]string{}
	for _, u := range []policy.UnitID{lead, helps, other} {
		post := apptest.Post(policy.UnitMember, policy.Area{})
		post.Unit = u
		tokens[u], _ = apptest.SignIn(t, s.live.City, post)
	}
	apptest.Rules(t, s.live.City, assign.Rule{Items: []string{"02"}, Lead: assign.Party{Unit: lead}, Support: []assign.Party{{Unit: helps}}})
	events := s.as(tokens[helps]).stream(t.Context(), "")
	s.file(aReport(0, 0, filing{"item": "01"}))
	ours := s.file(aReport(3, 3, filing{"item": "02", "title": "ours"}))
	if _, e := heard(t, events, "report.filed"); !strings.Contains(e[2], ours.Id.String()) {
		t.Errorf("heard %v", e)
	}
	for u, token := range tokens {
		as := s.as(token)
		var page api.ReportPage
		as.do("GET", "/reports", nil).want(http.StatusOK).into(&page)
		one := as.do("GET", fmt.Sprint("/reports/", ours.Num), nil)
		if u == other {
			if len(page.Reports) != 0 || one.status != http.StatusNotFound {
				t.Errorf("another department sees %+v, %d", page, one.status)
			}
			continue
		}
		if len(page.Reports) != 1 || page.Reports[0].Num != ours.Num || one.status != http.StatusOK || page.Reports[0].Title == nil {
			t.Errorf("unit %d sees %+v, %d", u, page, one.status)
		}
	}
}
