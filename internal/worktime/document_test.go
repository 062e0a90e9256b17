package worktime_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"gridgov/internal/fault"
	"gridgov/internal/strictjson"
	"gridgov/internal/worktime"
)

const office = `{
	"zone": "Asia/Shanghai",
	"week": {"mon": ["08:30-12:00", "13:30-17:00"], "sat": ["9:00–12:00"]},
	"day_minutes": 420,
	"years": [2024, 2025],
	"days": [
		{"date": "2024-12-24", "kind": "hours", "en": "Christmas Eve", "hours": ["08:30-12:00"]},
		{"date": "2024-02-10", "kind": "holiday", "zh": "春节"},
		{"date": "2024-02-04", "kind": "workday"}
	]
}`

func TestACalendarIsReadAndWritten(t *testing.T) {
	cal := must(worktime.Parse([]byte(office)))
	doc := cal.Document()
	if cal.Zone().String() != "Asia/Shanghai" || cal.DaySeconds() != 420*60 || doc.Days[0].Date != date("2024-02-04") || doc.Days[2].Hours[0].String() != "08:30-12:00" {
		t.Errorf("%+v", doc)
	}
	back := must(worktime.Parse(must(json.Marshal(doc))))
	if !reflect.DeepEqual(back.Document(), doc) {
		t.Errorf("read back as %+v", back.Document())
	}
	for day, want := range map[string]worktime.Day{
		"2024-02-10": {Kind: worktime.KindHoliday, Words: worktime.Words{ZH: "春节"}},
		"2024-02-04": {Kind: worktime.KindWorkday, Hours: hours("08:30-12:00", "13:30-17:00")}, // a Sunday, with Monday's hours
		"2024-12-24": {Kind: worktime.KindHours, Words: worktime.Words{EN: "Christmas Eve"}, Hours: hours("08:30-12:00")},
		"2024-02-03": {Hours: hours("09:00-12:00")}, // a Saturday
		"2024-02-11": {},
	} {
		want.Date = date(day)
		got := cal.DayOf(want.Date)
		if len(got.Hours) == 0 {
			got.Hours = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", day, got, want)
		}
	}
	// What the caller does with a copy, or with what it gave, is its own matter.
	doc.Days[0].Kind, doc.Week.Mon[0].From, doc.Years[0] = worktime.KindHoliday, 0, 1999
	if again := cal.Document(); again.Days[0].Kind != worktime.KindWorkday || again.Week.Mon[0].From != 510 || again.Years[0] != 2024 {
		t.Error("a calendar changes with its copy")
	}
}

// TestRequestsAreReadAlike: the bodies of requests come through strictjson.
func TestRequestsAreReadAlike(t *testing.T) {
	var doc worktime.Document
	if err := strictjson.Decode(strings.NewReader(office), 1<<20, &doc); err != nil {
		t.Fatal(err)
	}
	if got, want := must(worktime.New(doc)).Document(), must(worktime.Parse([]byte(office))).Document(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for old, want := range map[string]string{`"13:30-17:00"`: "week.mon[1]", `"2024-02-04"`: "days[2].date"} {
		err := strictjson.Decode(strings.NewReader(strings.Replace(office, old, `"noon"`, 1)), 1<<20, new(worktime.Document))
		if err == nil || err.Field != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	var clock worktime.Clock
	body := `[{"at":"2025-06-11T08:30:00+08:00","act":"start","limit":"5 weeks"}]`
	if err := strictjson.Decode(strings.NewReader(body), 1<<20, &clock); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("a clock's limit: %v", err)
	}
}

// TestEachErrorNamesItsField makes one mistake at a time.
func TestEachErrorNamesItsField(t *testing.T) {
	for _, c := range []struct{ old, text, field, code string }{
		{`"Asia/Shanghai"`, `"Asia/Haining"`, "zone", "unknown_zone"},
		{`"Asia/Shanghai"`, `""`, "zone", "unknown_zone"},
		{`"Asia/Shanghai"`, `"Local"`, "zone", "unknown_zone"},
		{`"Asia/Shanghai"`, `"../etc/passwd"`, "zone", "unknown_zone"},
		{`{"mon": ["08:30-12:00", "13:30-17:00"], "sat": ["9:00–12:00"]}`, `{}`, "week", "empty_week"},
		{`"13:30-17:00"`, `"11:30-17:00"`, "week.mon[1]", "overlapping_hours"},
		{`"08:30-12:00", "13:30-17:00"`, `"13:30-17:00", "08:30-12:00"`, "week.mon[1]", "overlapping_hours"},
		{`"13:30-17:00"`, `"13:30-25:00"`, "week.mon[1]", "hours_outside_day"},
		{`"13:30-17:00"`, `"13:30-24:01"`, "week.mon[1]", "hours_outside_day"},
		{`"13:30-17:00"`, `"22:00-06:00"`, "week.mon[1]", "empty_hours"},
		{`"13:30-17:00"`, `"13:30-13:30"`, "week.mon[1]", "empty_hours"},
		{`"13:30-17:00"`, `"13:30"`, "week.mon[1]", "wrong_hours"},
		{`"13:30-17:00"`, `"13:70-17:00"`, "week.mon[1]", "wrong_hours"},
		{`"13:30-17:00"`, `"half past one"`, "week.mon[1]", "wrong_hours"},
		{`"13:30-17:00"`, strings.TrimSuffix(strings.Repeat(`"00:00-00:01",`, 13), ","), "week.mon", "too_many"},
		{`420`, `0`, "day_minutes", "out_of_range"},
		{`420`, `1441`, "day_minutes", "out_of_range"},
		{`420`, `-1`, "day_minutes", "out_of_range"},
		{`[2024, 2025]`, `[2024, 2026]`, "years[1]", "year_gap"},
		{`[2024, 2025]`, `[2024, 2024]`, "years[1]", "year_gap"},
		{`[2024, 2025]`, `[2025, 2024]`, "years[1]", "year_gap"},
		{`[2024, 2025]`, `[1969]`, "years[0]", "out_of_range"},
		{`[2024, 2025]`, `[2242]`, "years[0]", "out_of_range"},
		{`[2024, 2025]`, `[2025]`, "days[0].date", "day_outside_years"},
		{`"2024-02-04"`, `"2023-12-31"`, "days[2].date", "day_outside_years"},
		{`"2024-02-04"`, `"2024-02-10"`, "days[2].date", "duplicate_day"},
		{`"2024-02-04"`, `"2024-02-30"`, "days[2].date", "wrong_date"},
		{`"2024-02-04"`, `"4 Feb 2024"`, "days[2].date", "wrong_date"},
		{`"kind": "workday"`, `"kind": "sunday"`, "days[2].kind", "unknown_kind"},
		{`"kind": "workday"`, `"kind": ""`, "days[2].kind", "unknown_kind"},
		{`, "zh": "春节"`, ``, "days[1].zh", "name_missing"},
		{`"春节"`, `"` + strings.Repeat("节", 81) + `"`, "days[1].zh", "name_too_long"},
		{`"zh": "春节"`, `"zh": "春节", "hours": ["08:30-12:00"]`, "days[1].hours", "hours_not_allowed"},
		{`, "hours": ["08:30-12:00"]`, ``, "days[0].hours", "hours_missing"},
		{`, "hours": ["08:30-12:00"]`, `, "hours": ["08:30-12:00", "11:00-13:00"]`, "days[0].hours[1]", "overlapping_hours"},
		{`"day_minutes"`, `"day_seconds"`, "day_seconds", "not_json"},
		{`420`, `"420"`, "day_minutes", "not_json"},
		{`"kind": "workday"`, `"kind": "workday", "kind": "workday"`, "days[2].kind", "not_json"},
		{`{"date": "2024-02-04", "kind": "workday"}`, `{`, "days[2]", "not_json"},
	} {
		if !strings.Contains(office, c.old) {
			t.Fatalf("%s is not in the document", c.old)
		}
		_, err := worktime.Parse([]byte(strings.Replace(office, c.old, c.text, 1)))
		f, ok := fault.As(err)
		if !ok || f.Field != c.field || f.Code != c.code || f.Message == "" {
			t.Errorf("%s for %s: %v (%+v), want %s in %s", c.text, c.old, err, f, c.code, c.field)
		}
	}
}

func TestHoursThatTouch(t *testing.T) {
	doc := newYork()
	doc.Week = worktime.WorkingWeek(hours("00:00-12:00", "12:00-24:00")...)
	cal := must(worktime.New(doc))
	monday := time.Date(2016, 7, 11, 0, 0, 0, 0, cal.Zone())
	if due := cal.Due(monday, 5*86400); !due.Equal(monday.AddDate(0, 0, 5)) {
		t.Errorf("five whole days are due %s", due)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(office))
	f.Add(must(json.Marshal(haining())))
	f.Add(must(json.Marshal(always("Pacific/Apia"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		cal, err := worktime.Parse(data)
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatalf("no fault: %v", err)
			}
			return
		}
		back, err := worktime.Parse(must(json.Marshal(cal.Document())))
		if err != nil {
			t.Fatalf("what was read is not written: %v", err)
		}
		from := time.Unix(1_700_000_000, 0)
		due := cal.Due(from, 3600)
		if !back.Due(from, 3600).Equal(due) || cal.Between(from, due) != 3600 {
			t.Fatalf("an hour is due %s, of which %d seconds are work", due, cal.Between(from, due))
		}
	})
}
