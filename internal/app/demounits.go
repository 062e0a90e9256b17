package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"gridgov/internal/assign"
	"gridgov/internal/catalogue"
	"gridgov/internal/demo/dc"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/worktime"
)

// staffed is a unit of a demo with those who hold posts in it. All names are made up.
type staffed struct {
	person.Unit
	people []member
}

type member struct {
	name  string
	role  policy.Role
	until person.Day // of the certificate; "": there is none
}

// makeUnits makes a demo's units and their people, as far as they are not there.
func makeUnits(ctx context.Context, c *City, units []staffed) (map[string]policy.UnitID, error) {
	there, err := c.People.Manned(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]policy.UnitID{}
	members := map[policy.UnitID]int{}
	for _, u := range there {
		ids[string(u.Kind)+u.Name], members[u.ID] = u.ID, u.Members
	}
	out := map[string]policy.UnitID{}
	for _, u := range units {
		id := ids[string(u.Kind)+u.Name]
		if id == 0 {
			made, err := c.People.CreateUnit(ctx, u.Unit)
			if f, ok := fault.As(err); ok && f.Code == "unit_exists" {
				return nil, errors.New("another process is loading the demo: wait for it and load it again")
			}
			if err != nil {
				return nil, fmt.Errorf("unit %s: %w", u.Name, err)
			}
			id = made.ID
		}
		out[u.Name] = id
		if members[id] > 0 {
			continue
		}
		for _, m := range u.people {
			p, err := c.People.Create(ctx, person.New{Name: m.name})
			if err == nil {
				_, err = c.People.CreatePost(ctx, m.post(p.ID, id))
			}
			if err != nil {
				return nil, fmt.Errorf("people of %s: %w", u.Name, err)
			}
		}
	}
	return out, nil
}

// post is a member's post; certificates are numbered by their holders.
func (m *member) post(id uuid.UUID, unit policy.UnitID) person.Post {
	p := person.Post{Person: id, Role: m.role, Unit: unit, Begins: "2026-01-01"}
	if m.until != "" {
		p.Certificate, p.CertificateUntil = "DEMO-"+id.String()[28:], m.until
	}
	return p
}

// given are given names of the people of Haining's units; family are family names. Who is called how follows from the
// unit's place in the list.
var (
	family = []string{"沈", "陆", "朱", "徐", "顾", "金", "周", "吴", "许", "俞", "褚", "钱", "蒋", "范", "方", "章", "马", "陈", "高", "曹", "冯", "祝"}
	given  = []string{"建明", "丽萍", "志强", "晓燕", "海峰", "雪芬", "国华", "云飞", "佳慧", "永根", "文斌", "美娟", "俊杰"}
)

func madeUp(i int) string { return family[i%len(family)] + given[(i*7+3)%len(given)] }

// hainingDepartments are the departments of the one-stop list's responders, of the whole city.
var hainingDepartments = []struct {
	kind   policy.UnitKind
	zh, en string
	role   policy.Role // of its head
	others int
}{
	{policy.LineDepartment, "生态环境局", "Ecology and Environment Bureau", policy.UnitHead, 1},
	{policy.LineDepartment, "水利局", "Water Bureau", policy.UnitHead, 1},
	{policy.LineDepartment, "公安局", "Police", policy.UnitHead, 2},
	{policy.LineDepartment, "市场监督管理局", "Market Bureau", policy.UnitHead, 2},
	{policy.LineDepartment, "自然资源和规划局", "Natural Resources and Planning Bureau", policy.UnitHead, 1},
	{policy.LineDepartment, "消防救援大队", "Fire Service", policy.UnitHead, 2},
	{policy.XForce, "人民调解委员会", "Mediation Committee", policy.Mediator, 1},
}

// hainingUnits are a team for each town and the city's departments. Those of them that makeAccounts makes have the same names.
func hainingUnits(c *City) []staffed {
	l := c.State().Layout
	var units []staffed
	n := 0
	add := func(u person.Unit, head policy.Role, others int) {
		s := staffed{Unit: u, people: []member{{name: madeUp(n), role: head}}}
		for range others {
			n++
			role := policy.UnitMember
			if head == policy.Mediator {
				role = policy.Mediator
			}
			s.people = append(s.people, member{name: madeUp(n), role: role})
		}
		n++
		if u.Kind == policy.TownTeam {
			s.people = enlist(s.people, len(units))
		}
		units = append(units, s)
	}
	for _, level := range l.Levels {
		if level.Role != jurisdiction.RoleTown {
			continue
		}
		for i := range level.Units {
			t := &level.Units[i]
			add(person.Unit{Kind: policy.TownTeam, Name: t.Name + "综合行政执法队", NameEN: t.NameLatin + " Enforcement Team",
				Area: policy.Area{Level: policy.Town, Code: t.Code}}, policy.UnitHead, 2+i%3)
		}
	}
	city := c.areaName(c.Area())
	for _, d := range hainingDepartments {
		add(person.Unit{Kind: d.kind, Name: city.ZH + d.zh, NameEN: city.EN + " " + d.en, Area: c.Area()}, d.role, d.others)
	}
	return units
}

// hainingRules send the sixteen items to the responders that the one-stop list names. What is urgent, and what a team on its
// round puts right at once, goes without the desk.
func hainingRules(city string, unit map[string]policy.UnitID) assign.Rules {
	team := assign.Party{Kind: policy.TownTeam}
	dept := func(name string) assign.Party { return assign.Party{Unit: unit[city+name]} }
	return assign.Rules{Rules: []assign.Rule{
		{Items: []string{"01"}, Lead: team, Support: []assign.Party{dept("生态环境局")}, Dispatch: true},
		{Items: []string{"02"}, Lead: dept("生态环境局"), Support: []assign.Party{dept("水利局")}},
		{Items: []string{"06"}, Lead: team, Support: []assign.Party{dept("公安局")}, Dispatch: true},
		{Items: []string{"07", "08", "09"}, Lead: dept("市场监督管理局")},
		{Items: []string{"10"}, Lead: team, Dispatch: true},
		{Items: []string{"11"}, Lead: team, Support: []assign.Party{dept("公安局")}, Dispatch: true},
		{Items: []string{"13"}, Lead: team, Support: []assign.Party{dept("自然资源和规划局")}},
		{Items: []string{"14"}, Lead: dept("自然资源和规划局")},
		{Items: []string{"15"}, Lead: dept("消防救援大队"), Dispatch: true},
		{Items: []string{"16"}, Lead: dept("人民调解委员会"), Support: []assign.Party{dept("公安局")}},
		{Items: []string{"03", "04", "05", "12"}, Lead: team},
	}}
}

// hainingDesk makes Haining's units and rules.
func hainingDesk(ctx context.Context, c *City) error {
	unit, err := makeUnits(ctx, c, hainingUnits(c))
	if err != nil {
		return err
	}
	if err := c.replaceFirst(ctx, regime.Rules, hainingRules(c.areaName(c.Area()).ZH, unit)); err != nil {
		return err
	}
	if err := hainingTeams(ctx, c); err != nil {
		return err
	}
	return c.LoadDesk(ctx)
}

// dcDesk makes Washington's agencies, the limits of its service codes, its calendar, and the rules that send a code to the
// agency whose reports have it. The code decides, as it does there: no desk stands between.
func dcDesk(ctx context.Context, c *City) error {
	var units []staffed
	for _, a := range dc.Agencies() {
		units = append(units, staffed{person.Unit{Kind: policy.LineDepartment, Name: a.Code + " " + a.ZH, NameEN: a.Name, Area: c.Area()},
			[]member{{name: a.Code + " desk", role: policy.UnitHead}, {name: a.Code + " crew", role: policy.UnitMember}}})
	}
	unit, err := makeUnits(ctx, c, units)
	if err != nil {
		return err
	}
	list, err := dcList()
	if err != nil {
		return err
	}
	calendar := worktime.Document{Zone: dc.Timezone, Week: worktime.WorkingWeek(worktime.Hours{From: 9 * 60, To: 17 * 60}), DayMinutes: 8 * 60,
		Years: []int{2016, 2017}, Days: []worktime.Day{{Date: worktime.DateOf(2016, 11, 11), Kind: worktime.KindHoliday,
			Words: worktime.Words{ZH: "退伍军人节", EN: "Veterans Day"}}}}
	rules := assign.Rules{}
	for _, a := range dc.Agencies() {
		r := assign.Rule{Lead: assign.Party{Unit: unit[a.Code+" "+a.ZH]}, Dispatch: true}
		for _, s := range dc.Services() {
			if s.Agency == a.Code {
				r.Items = append(r.Items, s.Code)
			}
		}
		rules.Rules = append(rules.Rules, r)
	}
	for _, d := range []struct {
		kind    regime.Kind
		content any
	}{{regime.Catalogue, list}, {regime.Calendar, calendar}, {regime.Rules, rules}} {
		if err := c.replaceFirst(ctx, d.kind, d.content); err != nil {
			return err
		}
	}
	return c.LoadDesk(ctx)
}

// dcList is Washington's list: a service code each, under its agency, with the limit that its dues were found to have. The
// city gave a report one due, so the first response has the same limit.
func dcList() (*catalogue.Catalogue, error) {
	list := catalogue.Default()
	list.Aspects, list.Items = nil, nil
	name := map[string]worktime.Words{}
	for _, a := range dc.Agencies() {
		name[a.Code] = worktime.Words{ZH: a.ZH, EN: a.Name}
		list.Aspects = append(list.Aspects, catalogue.Aspect{Code: a.Code, Name: name[a.Code]})
	}
	for _, s := range dc.Services() {
		if s.Limit == "" {
			continue // no due was given: the other limits hold
		}
		limit, err := worktime.ParseBudget(s.Limit)
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", s.Code, err)
		}
		list.Items = append(list.Items, catalogue.Item{Code: s.Code, Aspect: s.Agency, Name: worktime.Words{ZH: s.Name, EN: s.Name},
			Responders: name[s.Agency], Limits: catalogue.Limits{First: limit, Stages: []catalogue.Stage{{Limit: limit}}}})
	}
	return list, nil
}
