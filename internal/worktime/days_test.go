package worktime_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gridgov/internal/fault"
	"gridgov/internal/worktime"
)

const list = "\ufeffdate,kind,name,name_en,hours\n" +
	"2024-02-10,holiday,春节,Spring Festival,\n" +
	"2024-02-04,workday,春节,Spring Festival,\n" +
	"2024-12-24,hours,平安夜,\"Christmas Eve, short\",08:30-12:00 13:00-15:00\n"

func TestAListOfDays(t *testing.T) {
	days := must(worktime.ReadDays(strings.NewReader(list)))
	want := []worktime.Day{
		{Date: date("2024-02-10"), Kind: worktime.KindHoliday, Words: worktime.Words{ZH: "春节", EN: "Spring Festival"}},
		{Date: date("2024-02-04"), Kind: worktime.KindWorkday, Words: worktime.Words{ZH: "春节", EN: "Spring Festival"}},
		{Date: date("2024-12-24"), Kind: worktime.KindHours, Words: worktime.Words{ZH: "平安夜", EN: "Christmas Eve, short"}, Hours: hours("08:30-12:00", "13:00-15:00")},
	}
	if !reflect.DeepEqual(days, want) {
		t.Errorf("%+v", days)
	}
	var out bytes.Buffer
	if err := worktime.WriteDays(&out, days); err != nil || out.String() != strings.TrimPrefix(list, "\ufeff") {
		t.Errorf("written as %s, %v", out.String(), err)
	}
	short := must(worktime.ReadDays(strings.NewReader("name_en,name,date,kind\nSpring Festival,春节,2024-02-10,holiday\n")))
	if !reflect.DeepEqual(short, want[:1]) {
		t.Errorf("%+v", short)
	}
}

func TestListsThatAreRefused(t *testing.T) {
	head := "date,kind,name,name_en,hours\n2024-02-10,holiday,春节,,\n"
	for _, c := range []struct {
		text, field, code string
		line              int
	}{
		{"", "", "header_missing", 0},
		{"date,kind,name\n", "name_en", "header_missing", 1},
		{"date,date,kind,name,name_en\n", "date", "header_missing", 1},
		{head + "10.2.2024,holiday,春节,,\n", "date", "wrong_date", 3},
		{head + "2024-02-11,rest,春节,,\n", "kind", "unknown_kind", 3},
		{head + "2024-02-11,hours,春节,,8-12\n", "hours", "wrong_hours", 3},
		{head + "2024-02-11,hours,春节,,08:00-25:00\n", "hours", "hours_outside_day", 3},
		{head + "2024-02-11,holiday\n", "", "not_csv", 3},
		{head + "2024-02-11,holiday,\"春节,,\n", "", "not_csv", 3},
	} {
		_, err := worktime.ReadDays(strings.NewReader(c.text))
		if f, ok := fault.As(err); !ok || f.Field != c.field || f.Code != c.code || f.Line != c.line {
			t.Errorf("%q: %v (%+v)", c.text, err, f)
		}
	}
}

func FuzzReadDays(f *testing.F) {
	f.Add([]byte(list))
	f.Add([]byte("date,kind,name,name_en\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		days, err := worktime.ReadDays(bytes.NewReader(data))
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatalf("no fault: %v", err)
			}
			return
		}
		var out bytes.Buffer
		if err := worktime.WriteDays(&out, days); err != nil {
			t.Fatal(err)
		}
		if back, err := worktime.ReadDays(&out); err != nil || !reflect.DeepEqual(back, days) {
			t.Fatalf("%+v is read back as %+v, %v", days, back, err)
		}
	})
}

func TestChinasDays(t *testing.T) {
	china := worktime.China()
	if china.Publisher == "" || china.Source == "" || china.Version != "1.5.7" || !strings.HasPrefix(china.Licence, "MIT") {
		t.Errorf("%s, %s, %s, %s", china.Publisher, china.Source, china.Version, china.Licence)
	}
	counts := map[int][2]int{}
	for _, d := range china.Days {
		n := counts[d.Date.Year()]
		if d.Kind == worktime.KindHoliday {
			n[0]++
		} else {
			n[1]++
			if w := d.Date.Weekday(); w != time.Saturday && w != time.Sunday {
				t.Errorf("%s is a %s and no shifted workday", d.Date, w)
			}
		}
		counts[d.Date.Year()] = n
		if d.ZH == "" || d.EN == "" {
			t.Errorf("%s has not both names", d.Date)
		}
	}
	if want := map[int][2]int{2024: {28, 8}, 2025: {28, 5}, 2026: {33, 6}}; !reflect.DeepEqual(counts, want) {
		t.Errorf("holidays and workdays: %v, want %v", counts, want)
	}
	cal := must(worktime.New(haining()))
	for day, kind := range map[string]worktime.Kind{
		"2024-02-09": worktime.KindOrdinary, "2024-02-10": worktime.KindHoliday, "2024-02-17": worktime.KindHoliday, "2024-02-04": worktime.KindWorkday,
		"2024-02-18": worktime.KindWorkday, "2025-01-26": worktime.KindWorkday, "2025-01-27": worktime.KindOrdinary, "2025-01-28": worktime.KindHoliday,
		"2025-09-30": worktime.KindOrdinary, "2025-10-01": worktime.KindHoliday, "2025-10-06": worktime.KindHoliday, "2025-10-08": worktime.KindHoliday,
		"2025-10-09": worktime.KindOrdinary, "2025-10-11": worktime.KindWorkday, "2026-02-14": worktime.KindWorkday, "2026-02-15": worktime.KindHoliday,
		"2026-02-23": worktime.KindHoliday, "2026-02-28": worktime.KindWorkday, "2026-10-07": worktime.KindHoliday, "2026-10-10": worktime.KindWorkday,
	} {
		if got := cal.DayOf(date(day)); got.Kind != kind {
			t.Errorf("%s is %q, want %q", day, got.Kind, kind)
		}
	}
	if got := cal.DayOf(date("2025-10-06")).ZH; got != "中秋" {
		t.Errorf("6 October 2025 is %s", got)
	}
	// The government's own count of working days: 251 in 2024 (366 - 104 - 11 statutory days), 248 in 2025, 248 in 2026, when
	// eleven and thirteen days are statutory.
	for year, want := range map[int]int64{2024: 251, 2025: 248, 2026: 248} {
		from := time.Date(year, 1, 1, 0, 0, 0, 0, cal.Zone())
		if got := cal.Between(from, from.AddDate(1, 0, 0)) / cal.DaySeconds(); got != want {
			t.Errorf("%d has %d working days, want %d", year, got, want)
		}
	}
}

func TestFederalHolidays(t *testing.T) {
	list := must(worktime.USFederal(2016, 2017, true))
	var got []string
	for _, d := range list.Days {
		got = append(got, d.Date.String())
	}
	want := []string{"2016-01-01", "2016-01-18", "2016-02-15", "2016-05-30", "2016-07-04", "2016-09-05", "2016-10-10", "2016-11-11", "2016-11-24", "2016-12-26",
		"2017-01-02", "2017-01-16", "2017-01-20", "2017-02-20", "2017-05-29", "2017-07-04", "2017-09-04", "2017-10-09", "2017-11-10", "2017-11-23", "2017-12-25"}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if others := must(worktime.USFederal(2016, 2017, false)); len(others.Days) != len(want)-1 {
		t.Errorf("%d days outside Washington", len(others.Days))
	}
	for _, c := range []struct {
		from, to int
		day      string
		in       bool
	}{
		{2021, 2021, "2021-12-31", true}, // New Year 2022 is a Saturday
		{2022, 2022, "2022-01-01", false},
		{2020, 2020, "2020-06-19", false}, {2021, 2021, "2021-06-18", true}, // Juneteenth, a Saturday
		{2013, 2013, "2013-01-21", true}, // Inauguration Day and Martin Luther King's
		{2018, 2018, "2018-01-20", false},
	} {
		list := must(worktime.USFederal(c.from, c.to, true))
		in := slices.ContainsFunc(list.Days, func(d worktime.Day) bool { return d.Date == date(c.day) })
		if in != c.in {
			t.Errorf("%s in %d to %d: %v", c.day, c.from, c.to, in)
		}
		doc := newYork()
		doc.Years, doc.Days = list.Years, list.Days
		must(worktime.New(doc))
	}
	for _, years := range [][2]int{{1985, 1990}, {2017, 2016}, {2200, 2242}} {
		if _, err := worktime.USFederal(years[0], years[1], false); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%v: %v", years, err)
		}
	}
}
