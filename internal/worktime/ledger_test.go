package worktime_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/worktime"
)

// written is a ledger as text, one line each.
func written(lines []worktime.Line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s – %s %s\n", l.From.Format("01-02 15:04"), l.To.Format("01-02 15:04"), l.Words().EN)
	}
	return b.String()
}

func TestLedgers(t *testing.T) {
	cal := must(worktime.New(haining()))
	for _, c := range []struct {
		why, limit, start string
		acts              []string
		until             string
		fold              bool
		want              string
	}{
		{"a day, its noon break and the night", "1 wd", "2025-06-11 10:00", nil, "2025-06-12 10:00", false, `
06-11 10:00 – 06-11 12:00 counted 2 h
06-11 12:00 – 06-11 13:30 outside working hours
06-11 13:30 – 06-11 17:00 counted 3 h 30 min
06-11 17:00 – 06-12 08:30 outside working hours
06-12 08:30 – 06-12 10:00 counted 1 h 30 min
`},
		{"folded it is one line", "1 wd", "2025-06-11 10:00", nil, "2025-06-12 10:00", true, `
06-11 10:00 – 06-12 10:00 counted 7 h
`},
		{"a weekend begins with Friday's evening", "2 wh", "2025-06-13 16:00", nil, "2025-06-16 09:30", false, `
06-13 16:00 – 06-13 17:00 counted 1 h
06-13 17:00 – 06-16 08:30 weekend
06-16 08:30 – 06-16 09:30 counted 1 h
`},
		{"twenty working days over the Spring Festival", "20 wd", "2025-01-20 08:30", nil, "2025-02-20 17:00", true, `
01-20 08:30 – 01-24 17:00 counted 35 h
01-24 17:00 – 01-26 08:30 weekend
01-26 08:30 – 01-26 17:00 shifted workday: Spring Festival, counted 7 h
01-26 17:00 – 01-27 08:30 outside working hours
01-27 08:30 – 01-27 17:00 counted 7 h
01-27 17:00 – 02-05 08:30 holiday: Spring Festival
02-05 08:30 – 02-07 17:00 counted 21 h
02-07 17:00 – 02-08 08:30 outside working hours
02-08 08:30 – 02-08 17:00 shifted workday: Spring Festival, counted 7 h
02-08 17:00 – 02-10 08:30 weekend
02-10 08:30 – 02-14 17:00 counted 35 h
02-14 17:00 – 02-17 08:30 weekend
02-17 08:30 – 02-20 17:00 counted 28 h
`},
		{"two holidays in a row are told apart", "1 wd", "2025-09-30 16:00", nil, "2025-10-09 09:30", false, `
09-30 16:00 – 09-30 17:00 counted 1 h
09-30 17:00 – 10-06 00:00 holiday: National Day
10-06 00:00 – 10-07 00:00 holiday: Mid-autumn Festival
10-07 00:00 – 10-09 08:30 holiday: National Day
10-09 08:30 – 10-09 09:30 counted 1 h
`},
		{"a pause is one line with its reason, an extension one without length", "1 wd", "2025-06-13 08:30",
			[]string{"pause 2025-06-13 10:00", "extend 2025-06-16 10:00 2 wh", "resume 2025-06-17 16:00"}, "2025-06-18 08:30", false, `
06-13 08:30 – 06-13 10:00 counted 1 h 30 min
06-13 10:00 – 06-16 10:00 paused: season
06-16 10:00 – 06-16 10:00 extended, adds 2 h
06-16 10:00 – 06-17 16:00 paused: season
06-17 16:00 – 06-17 17:00 counted 1 h
06-17 17:00 – 06-18 08:30 outside working hours
`},
		{"stopped and opened again", "1 wd", "2025-06-11 08:30", []string{"stop 2025-06-11 12:00", "reopen 2025-06-12 09:00"}, "2025-06-12 10:00", false, `
06-11 08:30 – 06-11 12:00 counted 3 h 30 min
06-11 12:00 – 06-12 09:00 stopped
06-12 09:00 – 06-12 09:00 opened again, left 3 h 30 min
06-12 09:00 – 06-12 10:00 counted 1 h
`},
		{"a stop ends it", "1 wd", "2025-06-11 08:30", []string{"stop 2025-06-11 12:00"}, "2025-06-12 10:00", false, `
06-11 08:30 – 06-11 12:00 counted 3 h 30 min
`},
		{"clock time knows no night", "24 ch", "2025-06-13 16:00", nil, "2025-06-14 16:00", false, `
06-13 16:00 – 06-14 16:00 counted 24 h
`},
		{"another limit", "24 ch", "2025-06-13 16:00", []string{"relimit 2025-06-13 16:30 1 wd"}, "2025-06-14 08:30", false, `
06-13 16:00 – 06-13 16:30 counted 30 min
06-13 16:30 – 06-13 16:30 another limit, left 6 h 30 min
06-13 16:30 – 06-13 17:00 counted 30 min
06-13 17:00 – 06-14 08:30 weekend
`},
		{"what comes later is left out", "1 wd", "2025-06-11 08:30", []string{"pause 2025-06-11 10:00"}, "2025-06-11 09:00", false, `
06-11 08:30 – 06-11 09:00 counted 30 min
`},
		{"before its start there is none", "1 wd", "2025-06-11 08:30", nil, "2025-06-11 08:29", false, "\n"},
	} {
		lines := worktime.Ledger(cal, play(t, c.limit, c.start, c.acts...), at(c.until))
		if c.fold {
			lines = worktime.Fold(lines)
		}
		if got := "\n" + written(lines); got != c.want {
			t.Errorf("%s:%s\nwant%s", c.why, got, c.want)
		}
	}
}

func TestLinesInChinese(t *testing.T) {
	cal := must(worktime.New(haining()))
	clock := play(t, "20 wd", "2025-01-24 16:00", "pause 2025-02-06 08:30", "extend 2025-02-06 08:31 1 wd", "resume 2025-02-07 08:30", "stop 2025-02-07 09:00", "rework 2025-02-07 09:01")
	var got []string
	for _, l := range worktime.Fold(worktime.Ledger(cal, clock, at("2025-02-07 09:02"))) {
		got = append(got, l.Words().ZH)
	}
	want := "计时 1 小时|周末|调休上班：春节，计时 7 小时|非工作时间|计时 7 小时|节假日：春节|计时 7 小时|非工作时间|挂账停计：等候汛期结束|延期，增加 7 小时|" +
		"挂账停计：等候汛期结束|计时 30 分|已停止计时|重新计时，剩余 70 小时|计时 1 分"
	if strings.Join(got, "|") != want {
		t.Errorf("%s", strings.Join(got, "|"))
	}
}

func TestAYearsLedgerIsReadable(t *testing.T) {
	cal := must(worktime.New(haining()))
	clock := play(t, "248 wd", "2025-01-01 00:00")
	until := clock.State(cal).Due
	lines := worktime.Ledger(cal, clock, until)
	folded := worktime.Fold(lines)
	if until.Format(time.DateOnly) != "2025-12-31" || len(lines) < 700 || len(folded) > 130 {
		t.Errorf("until %s, %d lines, folded %d", until, len(lines), len(folded))
	}
}

// holds checks what every ledger keeps to.
func holds(t *rapid.T, lines []worktime.Line, from, to time.Time, used int64) {
	var sum int64
	for i, l := range lines {
		if i == 0 && !l.From.Equal(from) || i > 0 && !l.From.Equal(lines[i-1].To) || l.To.Before(l.From) {
			t.Fatalf("line %d from %s to %s does not touch", i, l.From, l.To)
		}
		if l.Seconds < 0 || l.Seconds > l.To.Unix()-l.From.Unix() {
			t.Fatalf("line %d counts %d seconds", i, l.Seconds)
		}
		if w := l.Words(); w.ZH == "" || w.EN == "" || w.EN == string(l.What) && l.What != worktime.Weekend && l.What != worktime.Ended {
			t.Fatalf("line %d of %s has no words: %+v", i, l.What, w)
		}
		sum += l.Seconds
	}
	if sum != used {
		t.Fatalf("the lines sum up to %d, %d are used", sum, used)
	}
	if len(lines) > 0 && !lines[len(lines)-1].To.Equal(to) {
		t.Fatalf("the last line ends at %s, not at %s", lines[len(lines)-1].To, to)
	}
	if len(lines) == 0 && from.Before(to) {
		t.Fatal("there are no lines")
	}
}

func TestLedgersTouchAndSumUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cal, doc := drawCalendar(t)
		c, now := drawClock(t, cal)
		cal, _ = differ(t, doc, c.Marks()[0].At)
		s := c.State(cal)
		until := now.Add(time.Duration(rapid.IntRange(0, 2_000_000).Draw(t, "until")) * time.Second)
		if rapid.Bool().Draw(t, "to the due") && s.Due.After(now) && s.Due.Before(now.AddDate(1, 0, 0)) {
			until = s.Due
		}
		end := until
		if s.Phase == worktime.Stopped {
			end = s.Stopped
		}
		lines := worktime.Ledger(cal, c, until)
		holds(t, lines, s.Started, end, s.UsedAt(cal, until))
		holds(t, worktime.Fold(lines), s.Started, end, s.UsedAt(cal, until))

		// In the middle it is what a clock of the marks until then has used.
		middle := s.Started.Add(now.Sub(s.Started) / 2)
		var marks []worktime.Mark
		for _, m := range c.Marks() {
			if !m.At.After(middle) {
				marks = append(marks, m)
			}
		}
		then := must(worktime.Restore(marks)).State(cal)
		end = middle.Truncate(time.Second)
		if then.Phase == worktime.Stopped {
			end = then.Stopped
		}
		holds(t, worktime.Ledger(cal, c, middle), s.Started, end, then.UsedAt(cal, middle))
	})
}

func BenchmarkLedger(b *testing.B) {
	cal := must(worktime.New(haining()))
	clock := play(b, "20 wd", "2025-01-20 08:30")
	until := clock.State(cal).Due
	for b.Loop() {
		worktime.Fold(worktime.Ledger(cal, clock, until))
	}
}
