package assign

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/soak"
	"gridgov/internal/worktime"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 20_000)
	m.Run()
}

func world() *World {
	town := func(code string) policy.Area { return policy.Area{Level: policy.Town, Code: code} }
	return &World{Units: []Unit{
		{ID: 1, Kind: policy.CommandCenter, Name: worktime.Words{ZH: "指挥中心", EN: "Command centre"}, Area: policy.Area{Level: policy.City, Code: "0"}, Members: 4, OnShift: -1},
		{ID: 2, Kind: policy.TownTeam, Name: worktime.Words{ZH: "许村执法队", EN: "Xucun team"}, Area: town("101"), Members: 9, OnShift: -1},
		{ID: 3, Kind: policy.TownTeam, Name: worktime.Words{ZH: "长安执法队", EN: "Chang'an team"}, Area: town("103"), Members: 5, OnShift: 3},
		{ID: 4, Kind: policy.LineDepartment, Name: worktime.Words{ZH: "市场监管局"}, Members: 8, OnShift: -1},
		{ID: 5, Kind: policy.LineDepartment, Name: worktime.Words{ZH: "生态环境分局", EN: "Ecology"}, OnShift: -1},
		{ID: 6, Kind: policy.LineDepartment, Name: worktime.Words{ZH: "旧局", EN: "Old bureau"}, Members: 3, OnShift: -1, Closed: true},
	}, Name: func(a policy.Area) worktime.Words {
		return map[string]worktime.Words{"103": {ZH: "长安镇", EN: "Chang'an"}, "101": {ZH: "许村镇", EN: "Xucun"}, "103200": {ZH: "褚石村", EN: "Chushi"}}[a.Code]
	}, Load: func(id policy.UnitID) int { return map[policy.UnitID]int{2: 2, 3: 3}[id] }}
}

var rules = &Rules{[]Rule{
	{Items: []string{"07", "08"}, Lead: Party{Unit: 4}, Support: []Party{{Kind: policy.TownTeam}}},
	{Items: []string{"02"}, Lead: Party{Unit: 5}},
	{Items: []string{"02"}, Hours: OffWork, Lead: Party{Unit: 6}},
	{Aspects: []string{"F"}, Kinds: []string{"conflict"}, Areas: []Area{{policy.Town, "101"}}, Lead: Party{Kind: policy.TownTeam}, Dispatch: true},
	{Items: []string{"12"}, Lead: Party{Kind: policy.TownTeam}, Support: []Party{{Unit: 4}, {Unit: 5}}},
}}

var chushi = policy.Cell{Town: "103", Village: "103200", Grid: "103200001"}

// Decisions by hand, words included: people act on them.
func TestDecide(t *testing.T) {
	for _, c := range []struct {
		f      Facts
		unit   policy.UnitID
		rule   int
		zh, en string
	}{
		{Facts{Item: "12", Aspect: "D", ItemName: worktime.Words{ZH: "乱张贴", EN: "Posters"}, Cell: chushi, AtWork: true}, 3, 5,
			"规则 5：事项 12 乱张贴，长安镇褚石村，由长安执法队负责（在岗 3 人，在办 3 件），市场监管局协同。",
			"Rule 5: item 12 Posters, in Chushi, Chang'an: Chang'an team leads (3 on shift, 3 open); 市场监管局 supports."},
		{Facts{Item: "07", Aspect: "C", ItemName: worktime.Words{ZH: "无证无照经营", EN: "Unlicensed trade"}, Cell: chushi}, 4, 1,
			"规则 1：事项 07 无证无照经营，长安镇褚石村，由市场监管局负责（人员 8 人，在办 0 件），长安执法队协同。",
			"Rule 1: item 07 Unlicensed trade, in Chushi, Chang'an: 市场监管局 leads (8 people, 0 open); Chang'an team supports."},
		{Facts{Item: "02", Aspect: "A", ItemName: worktime.Words{ZH: "河道倾倒", EN: "River dumping"}, Cell: chushi}, 3, 0,
			"规则 2：生态环境分局没有在任人员，跳过。规则 3：旧局已撤销，跳过。没有可用的规则，按属地，长安镇褚石村，由长安执法队负责（在岗 3 人，在办 3 件）。",
			"Rule 2: Ecology has no members, passed over. Rule 3: Old bureau is closed, passed over. No rule decides, so by territory, in Chushi, Chang'an: Chang'an team leads (3 on shift, 3 open)."},
		{Facts{Item: "16", Aspect: "F", Kind: "conflict", Cell: policy.Cell{Town: "101", Grid: "101201002"}}, 2, 4,
			"规则 4：类别 F，矛盾，许村镇，由许村执法队负责（人员 9 人，在办 2 件）。",
			"Rule 4: aspect F, conflict, in Xucun: Xucun team leads (9 people, 2 open)."},
		{Facts{Item: "12", Aspect: "D", ItemName: worktime.Words{ZH: "乱张贴", EN: "Posters"}}, 1, 0,
			"规则 5：此处没有辖区执法队，跳过。没有可用的规则，按属地，未归入网格，由指挥中心负责（人员 4 人，在办 0 件）。",
			"Rule 5: the territory's town team is not there, passed over. No rule decides, so by territory, in no grid: Command centre leads (4 people, 0 open)."},
		{Facts{Item: "12", Aspect: "D", ItemName: worktime.Words{ZH: "乱张贴", EN: "Posters"}, Cell: chushi, Not: []policy.UnitID{3}}, 1, 0,
			"规则 5：长安执法队已退回本件，跳过。没有可用的规则，按属地，长安镇褚石村，由指挥中心负责（人员 4 人，在办 0 件）。",
			"Rule 5: Chang'an team gave the case back, passed over. No rule decides, so by territory, in Chushi, Chang'an: Command centre leads (4 people, 0 open)."},
	} {
		d, err := rules.Decide(world(), &c.f)
		if err != nil || d.Unit != c.unit || d.Rule != c.rule || d.Words.ZH != c.zh || d.Words.EN != c.en || d.Dispatch != (c.rule == 4) {
			t.Errorf("%+v: %+v, %v\nwant %d by rule %d\n%s\n%s", c.f, d, err, c.unit, c.rule, c.zh, c.en)
		}
	}
	w := world()
	w.Units = nil
	if _, err := rules.Decide(w, &Facts{Item: "12"}); faultCode(err) != "no_unit" {
		t.Errorf("a city without units: %v", err)
	}
}

func faultCode(err error) string {
	f, _ := fault.As(err)
	if f == nil {
		return ""
	}
	return f.Code
}

// Whatever the rules and the facts: somebody answers, is open and, where anybody is, not without members; the line named is
// the first that fits and whose unit can answer; who supports is not who leads.
func TestSomebodyAnswers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := world()
		for i := range w.Units {
			w.Units[i].Closed = rapid.IntRange(0, 4).Draw(r, "closed") == 0
			w.Units[i].Members = rapid.IntRange(0, 2).Draw(r, "members")
		}
		party := rapid.OneOf(rapid.Map(rapid.Int64Range(1, 8), func(n int64) Party { return Party{Unit: policy.UnitID(n)} }),
			rapid.Map(rapid.SampledFrom([]policy.UnitKind{policy.TownTeam, policy.CommandCenter}), func(k policy.UnitKind) Party { return Party{Kind: k} }))
		some := func(of ...string) *rapid.Generator[[]string] {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, 2, rapid.ID[string])
		}
		var rs Rules
		for range rapid.IntRange(0, 8).Draw(r, "rules") {
			rule := Rule{Items: some("01", "02", "03").Draw(r, "items"), Aspects: some("A", "B").Draw(r, "aspects"), Kinds: some("problem", "conflict").Draw(r, "kinds"),
				Hours: rapid.SampledFrom([]Hours{"", AtWork, OffWork}).Draw(r, "hours"), Lead: party.Draw(r, "lead"), Support: rapid.SliceOfN(party, 0, 3).Draw(r, "support")}
			if rapid.Bool().Draw(r, "in areas") {
				rule.Areas = []Area{{policy.Town, rapid.SampledFrom([]string{"101", "103"}).Draw(r, "town")}}
			}
			rs.Rules = append(rs.Rules, rule)
		}
		f := Facts{Item: rapid.SampledFrom([]string{"01", "02", "09"}).Draw(r, "item"), Aspect: rapid.SampledFrom([]string{"A", "C"}).Draw(r, "aspect"),
			Kind: rapid.SampledFrom([]string{"", "problem"}).Draw(r, "kind"), AtWork: rapid.Bool().Draw(r, "at work"),
			Cell: rapid.SampledFrom([]policy.Cell{{}, chushi, {Town: "101", Grid: "101201002"}}).Draw(r, "cell"), Not: []policy.UnitID{policy.UnitID(rapid.Int64Range(1, 8).Draw(r, "not"))}}
		able := func(u *Unit) bool { return !u.Closed && u.Members > 0 && !slices.Contains(f.Not, u.ID) }
		d, err := rs.Decide(w, &f)
		if err != nil {
			if slices.ContainsFunc(w.Units, func(u Unit) bool { return !u.Closed }) {
				r.Fatal(err)
			}
			return
		}
		u := &w.Units[d.Unit-1]
		if u.Closed || d.Rule > 0 && !able(u) || d.Words.ZH == "" || d.Words.EN == "" || slices.Contains(d.Supporting, d.Unit) {
			r.Fatalf("%+v of %+v", d, u)
		}
		// The line by another way: each condition asked one by one, each party tried by hand.
		first := 0
		for i := len(rs.Rules); i > 0; i-- {
			x := rs.Rules[i-1]
			ok := true
			for _, c := range []struct {
				list []string
				has  string
			}{{x.Items, f.Item}, {x.Aspects, f.Aspect}, {x.Kinds, f.Kind}} {
				ok = ok && (len(c.list) == 0 || strings.Contains(" "+strings.Join(c.list, " ")+" ", " "+c.has+" ") && c.has != "")
			}
			ok = ok && (x.Hours != AtWork || f.AtWork) && (x.Hours != OffWork || !f.AtWork) && (x.Areas == nil || x.Areas[0].Code == f.Cell.Town)
			lead := false
			for k := range w.Units {
				u := &w.Units[k]
				mine := x.Lead.Unit == u.ID || x.Lead.Kind == u.Kind && f.Cell.Grid != "" && (u.Area.Level == policy.City || u.Area.Code == f.Cell.Town)
				lead = lead || mine && able(u)
			}
			if ok && lead {
				first = i
			}
		}
		if d.Rule != first {
			r.Fatalf("rule %d, want %d: %+v", d.Rule, first, d)
		}
	})
}

// What lies nowhere, or was given back by all, is the centre's of the whole city, manned or not; a town's centre does not see it.
func TestTheLargestCentreIsTheLast(t *testing.T) {
	w := World{Units: []Unit{
		{ID: 1, Kind: policy.TownTeam, Members: 9}, {ID: 2, Kind: policy.CommandCenter, Area: policy.Area{Level: policy.Town, Code: "1"}, Members: 2},
		{ID: 3, Kind: policy.CommandCenter, Area: policy.Area{Level: policy.City, Code: "0"}}, {ID: 4, Kind: policy.CommandCenter, Area: policy.Area{Level: policy.City, Code: "0"}, Closed: true},
	}}
	for _, not := range [][]policy.UnitID{nil, {3}, {1, 2, 3}} {
		if u := w.last(&Facts{Not: not}); u.ID != 3 {
			t.Errorf("given back by %v it is unit %d's", not, u.ID)
		}
	}
	w.Units[2].Closed = true
	if u := w.last(&Facts{}); u.ID != 2 {
		t.Errorf("without a city's centre it is unit %d's", u.ID)
	}
}

func TestHostileRules(t *testing.T) {
	good := `{"rules": [{"items": ["12"], "lead": {"kind": "town_team"}, "support": [{"unit": 4}]}]}`
	r, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(r); err != nil || string(b) != `{"rules":[{"items":["12"],"lead":{"kind":"town_team"},"support":[{"unit":4}]}]}` {
		t.Errorf("%s, %v", b, err)
	}
	for _, c := range []struct{ old, new, field, code string }{
		{`{"kind": "town_team"}`, `{}`, "rules[0].lead", "missing"},
		{`{"kind": "town_team"}`, `{"kind": "town_team", "unit": 1}`, "rules[0].lead", "missing"},
		{`{"kind": "town_team"}`, `{"kind": "line_department"}`, "rules[0].lead", "no_territory"},
		{`{"kind": "town_team"}`, `{"kind": "heaven"}`, "rules[0].lead", "no_territory"},
		{`{"kind": "town_team"}`, `{"unit": -1}`, "rules[0].lead", "unknown_unit"},
		{`{"kind": "town_team"}`, `{"unit": 4}`, "rules[0].support[0]", "named_twice"},
		{`[{"unit": 4}]`, `[{"unit": 4}, {"unit": 4}]`, "rules[0].support[1]", "named_twice"},
		{`"items": ["12"]`, `"areas": [{"level": "moon", "code": "1"}]`, "rules[0].areas[0]", "unknown_area"},
		{`"items": ["12"]`, `"hours": "night"`, "rules[0].hours", "unknown_value"},
		{`"items": ["12"]`, `"colour": "red"`, "rules[0].colour", "unknown_field"},
		{`"items": ["12"]`, `"items": ["` + strings.Repeat(`1","`, 501) + `"]`, "rules[0].items", "too_many"},
	} {
		_, err := Parse([]byte(strings.Replace(good, c.old, c.new, 1)))
		f, ok := fault.As(err)
		if !ok || f.Field != c.field || f.Code != c.code {
			t.Errorf("%s: %v, %+v", c.new, err, f)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	w := world()
	r := &Rules{}
	for i := range 40 {
		r.Rules = append(r.Rules, Rule{Items: []string{fmt.Sprint(i)}, Lead: Party{Unit: 4}})
	}
	r.Rules = append(r.Rules, rules.Rules...)
	f := Facts{Item: "12", Aspect: "D", ItemName: worktime.Words{ZH: "乱张贴", EN: "Posters"}, Cell: chushi}
	for b.Loop() {
		if _, err := r.Decide(w, &f); err != nil {
			b.Fatal(err)
		}
	}
}

// What rules name and the city does not have, and rules that nothing ever reaches.
func TestCheck(t *testing.T) {
	known := Known{Item: func(c string) bool { return c < "17" }, Aspect: func(c string) bool { return c < "G" }, Area: func(a policy.Area) bool { return a.Code == "101" }}
	r := &Rules{[]Rule{
		{Items: []string{"07", "99"}, Lead: Party{Unit: 9}},
		{Aspects: []string{"Z"}, Lead: Party{Unit: 6}, Support: []Party{{Unit: 5}}},
		{Aspects: []string{"A"}, Areas: []Area{{policy.Town, "101"}, {policy.Town, "999"}}, Lead: Party{Kind: policy.TownTeam}},
		{Aspects: []string{"A"}, Items: []string{"01"}, Areas: []Area{{policy.Town, "101"}}, Hours: AtWork, Lead: Party{Unit: 4}},
		{Aspects: []string{"A"}, Lead: Party{Unit: 4}},
	}}
	var got []string
	for _, f := range r.Check(world(), known) {
		got = append(got, fmt.Sprint(f.Rule, " ", f.Kind, " ", f.What, " ", f.Refused))
	}
	want := []string{"1 unknown_unit 9 true", "1 unknown_item 99 false", "2 closed_unit 6 false", "2 empty_unit 5 false", "2 unknown_aspect Z true",
		"3 unknown_area 999 false", "4 never_reached  false"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// What is foretold of a case is what is decided, but for the words.
func TestForetellIsDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := world()
		party := rapid.SampledFrom([]Party{{Unit: 1}, {Unit: 2}, {Unit: 4}, {Unit: 5}, {Unit: 6}, {Unit: 99}, {Kind: policy.TownTeam}, {Kind: policy.CommandCenter}})
		var r Rules
		for range rapid.IntRange(0, 6).Draw(t, "rules") {
			rule := Rule{Lead: party.Draw(t, "lead"), Dispatch: rapid.Bool().Draw(t, "dispatch"), Support: rapid.SliceOfN(party, 0, 3).Draw(t, "support")}
			if rapid.Bool().Draw(t, "of items") {
				rule.Items = rapid.SliceOfN(rapid.SampledFrom([]string{"01", "02"}), 1, 2).Draw(t, "items")
			}
			r.Rules = append(r.Rules, rule)
		}
		f := &Facts{Item: rapid.SampledFrom([]string{"01", "02", "03"}).Draw(t, "item"), AtWork: rapid.Bool().Draw(t, "at work"),
			Cell: rapid.SampledFrom([]policy.Cell{{}, {Town: "101", Village: "1", Grid: "1"}, {Town: "102", Village: "2", Grid: "2"}}).Draw(t, "cell"),
			Not:  rapid.SliceOfN(rapid.Map(rapid.Int64Range(1, 6), func(n int64) policy.UnitID { return policy.UnitID(n) }), 0, 2).Draw(t, "not")}
		decided, err := r.Decide(w, f)
		foretold, err2 := r.Foretell(w, f)
		decided.Words = worktime.Words{}
		if fmt.Sprint(decided, err) != fmt.Sprint(foretold, err2) {
			t.Fatalf("%+v, %v; foretold %+v, %v", decided, err, foretold, err2)
		}
	})
}
