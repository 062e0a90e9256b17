package catalogue

import (
	"encoding/json"
	"strings"
	"testing"

	"gridgov/internal/fault"
	"gridgov/internal/worktime"
)

// The list as it stands in the domain: code, aspect, first response, disposal.
const domain = `01 A 30 min/4 ch|02 A 2 wh/5 wd|03 A 4 wh/5 wd|04 A 2 wh/1 wd|05 B 2 wh/3 wd|06 B 30 min/1 wd|07 C 4 wh/10 wd|08 C 2 wh/5 wd|09 C 1 wd/7 wd|10 D 1 wh/4 wh|` +
	`11 D 1 wh/3 ch|12 D 4 wh/2 wd|13 E 4 wh/4 wh, 7 wd, 20 wd|14 E 4 wh/15 wd|15 F 30 min/1 wd|16 F 2 wh/5 wd`

func TestDefault(t *testing.T) {
	c := Default()
	lines := strings.Split(domain, "|")
	if len(c.Items) != 16 || len(c.Aspects) != 6 || len(lines) != 16 {
		t.Fatalf("%d items, %d aspects", len(c.Items), len(c.Aspects))
	}
	for n, line := range lines {
		head, disposal, _ := strings.Cut(line[5:], "/")
		i := c.Items[n]
		var limits []string
		for _, s := range i.Stages {
			limits = append(limits, s.Limit.String())
		}
		if i.Code != line[:2] || i.Aspect != line[3:4] || i.First.String() != head || strings.Join(limits, ", ") != disposal {
			t.Errorf("%s: %s %s %s/%v", line, i.Code, i.Aspect, i.First, limits)
		}
		for _, w := range []worktime.Words{i.Name, i.Responders, i.Evidence, i.SelfHelp, i.Whistle} {
			if w.ZH == "" || w.EN == "" {
				t.Errorf("item %s: %+v", i.Code, w)
			}
		}
		if i.Basis == "" {
			t.Errorf("item %s names no law", i.Code)
		}
	}
	if l, listed := c.LimitsOf("13"); !listed || len(l.Stages) != 3 {
		t.Errorf("%+v", l)
	}
	if l, listed := c.LimitsOf("S0031"); listed || l.First != worktime.WorkHours(4) || c.Item("S0031") != nil {
		t.Errorf("an item that the list does not have: %+v", l)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if b2, _ := json.Marshal(again); string(b2) != string(b) {
		t.Error("written and read again, the list is another")
	}
}

// A list that says nothing of screenings has the usual rule, and is kept as it was; an item may have a number of its own.
func TestScreened(t *testing.T) {
	c := Default()
	if c.Screening != nil || c.Screened() != (Screening{"grid", 28, 12, 0.05}) || c.LeastOf("01") != 12 || c.LeastOf("S0031") != 12 {
		t.Errorf("%+v, %d", c.Screened(), c.LeastOf("01"))
	}
	said := strings.Replace(string(defaultJSON), `"aspects": [`, `"screening": {"level": "village", "days": 56, "least": 20, "q": 0.1}, "aspects": [`, 1)
	c, err := Parse([]byte(strings.Replace(said, `"may_settle": true`, `"may_settle": true, "least": 5`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if c.Screened() != (Screening{"village", 56, 20, 0.1}) || c.LeastOf("01") != 5 || c.LeastOf("02") != 20 || c.LeastOf("S0031") != 20 {
		t.Errorf("%+v, %d", c.Screened(), c.LeastOf("01"))
	}
}

// What is no list is refused, by field and code.
func TestHostileLists(t *testing.T) {
	for _, c := range []struct{ old, new, field, code string }{
		{`"code": "02"`, `"code": "01"`, "items[1].code", "duplicate_code"},
		{`"code": "02"`, `"code": ""`, "items[1].code", "bad_code"},
		{`"code": "02"`, `"code": "0,2"`, "items[1].code", "bad_code"},
		{`"code": "B", "name"`, `"code": "A", "name"`, "aspects[1].code", "duplicate_code"},
		{`"code": "02", "aspect": "A"`, `"code": "02", "aspect": "Z"`, "items[1].aspect", "unknown_aspect"},
		{`"zh": "露天焚烧"`, `"zh": ""`, "items[0].name", "missing"},
		{`"zh": "露天焚烧"`, `"zh": "露天\n焚烧"`, "items[0].name", "bad_text"},
		{`"zh": "露天焚烧"`, `"zh": "` + strings.Repeat("焚", 501) + `"`, "items[0].name", "too_long"},
		{`"first": "30 min", "stages": [{"limit": "4 ch"}]`, `"stages": [{"limit": "4 ch"}]`, "items[0].first", "limit_missing"},
		{`"first": "30 min", "stages": [{"limit": "4 ch"}]`, `"first": "30 min", "stages": []`, "items[0].stages", "limit_missing"},
		{`"first": "30 min", "stages": [{"limit": "4 ch"}]`, `"first": "30 min", "stages": [{"limit": "4 ch"}, {"limit": "5 ch"}]`, "items[0].stages[0].name", "missing"},
		{`"first": "30 min"`, `"first": "0 min"`, "items[0].first", "out_of_range"},
		{`"first": "30 min"`, `"first": "30 moons"`, "items[0].first", "wrong_budget"},
		{`"first": "30 min"`, `"first": -30`, "items[0].first", "wrong_type"},
		{`"dispatch": "1 wh", `, ``, "steps.dispatch", "limit_missing"},
		{`"aspects": [`, `"more": 1, "aspects": [`, "more", "unknown_field"},
		{`"aspects": [`, `"screening": {"level": "city", "days": 28, "least": 12, "q": 0.05}, "aspects": [`, "screening.level", "unknown_level"},
		{`"aspects": [`, `"screening": {"level": "grid", "days": 6, "least": 12, "q": 0.05}, "aspects": [`, "screening.days", "out_of_range"},
		{`"aspects": [`, `"screening": {"level": "grid", "days": 367, "least": 12, "q": 0.05}, "aspects": [`, "screening.days", "out_of_range"},
		{`"aspects": [`, `"screening": {"level": "grid", "days": 28, "least": 1, "q": 0.05}, "aspects": [`, "screening.least", "out_of_range"},
		{`"aspects": [`, `"screening": {"level": "grid", "days": 28, "q": 0.05}, "aspects": [`, "screening.least", "out_of_range"},
		{`"aspects": [`, `"screening": {"level": "grid", "days": 28, "least": 12, "q": 0.5}, "aspects": [`, "screening.q", "out_of_range"},
		{`"aspects": [`, `"screening": {"level": "grid", "days": 28, "least": 12}, "aspects": [`, "screening.q", "out_of_range"},
		{`"aspects": [`, `"screening": {"level": "grid", "days": 2.5, "least": 12, "q": 0.05}, "aspects": [`, "screening.days", "wrong_type"},
		{`"may_settle": true`, `"may_settle": true, "least": -3`, "items[0].least", "out_of_range"},
		{`"may_settle": true`, `"may_settle": true, "least": 10001`, "items[0].least", "out_of_range"},
		{`"may_settle": true`, `"may_settle": true, "may_settle": false`, "items[0].may_settle", "duplicate_key"},
	} {
		if strings.Count(string(defaultJSON), c.old) == 0 {
			t.Fatalf("the list has no %s", c.old)
		}
		_, err := Parse([]byte(strings.Replace(string(defaultJSON), c.old, c.new, 1)))
		f, ok := fault.As(err)
		if !ok || f.Field != c.field || f.Code != c.code {
			t.Errorf("%s: %v, field %q, code %q; want %s, %s", c.new, err, f.Field, f.Code, c.field, c.code)
		}
	}
}

// Whatever is read is a list, or refused by a fault; what is taken can be written and read again.
func FuzzParse(f *testing.F) {
	f.Add(defaultJSON)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatalf("no fault: %v", err)
			}
			return
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(b); err != nil {
			t.Fatalf("written, it is not read: %v", err)
		}
	})
}
