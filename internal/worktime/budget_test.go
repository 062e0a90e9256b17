package worktime_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"gridgov/internal/fault"
	"gridgov/internal/worktime"
)

func TestBudgetsAsTheyAreWritten(t *testing.T) {
	cal := must(worktime.New(haining())) // a day of seven hours
	for _, c := range []struct {
		text    string
		seconds int64
		zh, en  string
	}{
		{"30 min", 1800, "30 分钟", "30 minutes"},
		{"1 min", 60, "1 分钟", "1 minute"},
		{"90 min", 5400, "紧急 1.5 小时", "1.5 hours running"},
		{"1 ch", 3600, "紧急 1 小时", "1 hour running"},
		{"3 ch", 3 * 3600, "紧急 3 小时", "3 hours running"},
		{"24 ch", 24 * 3600, "紧急 24 小时", "24 hours running"},
		{"30 d", 30 * 86400, "30 天", "30 days running"},
		{"1 wmin", 60, "1 工作分钟", "1 working minute"},
		{"45 wmin", 2700, "45 工作分钟", "45 working minutes"},
		{"0.5 wh", 1800, "0.5 工作时", "0.5 working hours"},
		{"4 wh", 4 * 3600, "4 工作时", "4 working hours"},
		{"0.5 wd", 7 * 1800, "0.5 工作日", "0.5 working days"},
		{"1 wd", 7 * 3600, "1 工作日", "1 working day"},
		{"5 wd", 35 * 3600, "5 工作日", "5 working days"},
	} {
		b, err := worktime.ParseBudget(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := b.Seconds(cal); got != c.seconds {
			t.Errorf("%s: %d seconds, want %d", c.text, got, c.seconds)
		}
		if b.Words() != (worktime.Words{ZH: c.zh, EN: c.en}) {
			t.Errorf("%s: %+v", c.text, b.Words())
		}
		for _, text := range []string{b.String(), c.zh, c.en} {
			if back, err := worktime.ParseBudget(text); err != nil || back != b {
				t.Errorf("%s is read back from %q as %v, %v", c.text, text, back, err)
			}
		}
	}
	for text, want := range map[string]worktime.Budget{
		"5个工作日": worktime.WorkDays(5), "30分钟": worktime.Minutes(30), "紧急3小时": worktime.ClockHours(3), " 1.5H ": worktime.Minutes(90),
		"60 wmin": worktime.WorkHours(1), "0.25 wh": must(worktime.ParseBudget("15 wmin")), "2 Working Days": worktime.WorkDays(2), "1 d": worktime.ClockHours(24),
		"1.50 wd": must(worktime.ParseBudget("1.5 wd")), "紧急工作时": {},
	} {
		got, err := worktime.ParseBudget(text)
		if got != want || (err == nil) != (want != worktime.Budget{}) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestBudgetsThatAreRefused(t *testing.T) {
	for text, code := range map[string]string{
		"": "wrong_budget", "5": "wrong_budget", "wd": "wrong_budget", "-1 wd": "wrong_budget", "1..5 wd": "wrong_budget", ".5 wd": "wrong_budget",
		"1. wd": "wrong_budget", "5 weeks": "wrong_budget", "紧急 3 工作时": "wrong_budget", "12345678 wd": "wrong_budget", "1e3 wd": "wrong_budget",
		"0.25 wd": "inexact_budget", "0.33 wh": "inexact_budget", "0.5 min": "inexact_budget",
		"0 wd": "out_of_range", "0.0 wh": "out_of_range", "3661 wd": "out_of_range", "3660.5 wd": "out_of_range", "9999999 min": "out_of_range",
	} {
		_, err := worktime.ParseBudget(text)
		if f, ok := fault.As(err); !ok || f.Code != code {
			t.Errorf("%q: %v, want %s", text, err, code)
		}
	}
}

func TestBudgetsInJSON(t *testing.T) {
	type limits struct {
		First worktime.Budget `json:"first"`
		None  worktime.Budget `json:"none,omitzero"`
	}
	data := must(json.Marshal(limits{First: worktime.Minutes(30)}))
	if string(data) != `{"first":"30 min"}` {
		t.Errorf("%s", data)
	}
	var back limits
	if err := json.Unmarshal([]byte(`{"first":"4 wh","none":""}`), &back); err != nil || back.First != worktime.WorkHours(4) || !back.None.IsZero() {
		t.Errorf("%+v, %v", back, err)
	}
	if none := (worktime.Budget{}); none.String() != "" || none.Words() != (worktime.Words{}) {
		t.Error("no budget is written as something")
	}
}

func TestEveryBudgetIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{"min", "wmin", "d", "wh", "wd"}).Draw(t, "unit")
		n := rapid.IntRange(1, 3000).Draw(t, "n")
		b := must(worktime.ParseBudget(rapid.SampledFrom([]string{"", "0"}).Draw(t, "zero") + strconv.Itoa(n) + unit))
		for _, text := range []string{b.String(), b.Words().ZH, b.Words().EN} {
			if back, err := worktime.ParseBudget(text); err != nil || back != b {
				t.Fatalf("%q: %v, %v, want %v", text, back, err, b)
			}
		}
	})
}

func FuzzParseBudget(f *testing.F) {
	for _, text := range []string{"30 min", "0.5 wd", "紧急 3 小时", "1.50 wh", "个", "5个工作日", "\xff 3 wd"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := worktime.ParseBudget(text)
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatalf("no fault: %v", err)
			}
			return
		}
		if back, err := worktime.ParseBudget(b.String()); err != nil || back != b {
			t.Fatalf("%q is read as %q, which is read as %v, %v", text, b, back, err)
		}
	})
}
