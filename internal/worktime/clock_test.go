package worktime_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/fault"
	"gridgov/internal/worktime"
)

// at is a moment of Haining's wall clock.
func at(text string) time.Time {
	return must(time.ParseInLocation("2006-01-02 15:04", text, must(time.LoadLocation("Asia/Shanghai"))))
}

var season = worktime.Words{ZH: "等候汛期结束", EN: "season"}

// play starts a clock and acts on it: "pause 2025-06-11 10:00", "extend 2025-06-11 10:00 1 wd".
func play(t testing.TB, limit, start string, acts ...string) worktime.Clock {
	t.Helper()
	c := must(worktime.Start(at(start), must(worktime.ParseBudget(limit))))
	for _, text := range acts {
		parts := strings.SplitN(text, " ", 4)
		m := worktime.Mark{Act: worktime.Act(parts[0]), At: at(parts[1] + " " + parts[2])}
		if len(parts) == 4 {
			m.Limit = must(worktime.ParseBudget(parts[3]))
		}
		if m.Act == worktime.ActPause {
			m.Reason = season
		}
		next, err := c.Apply(m)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		c = next
	}
	return c
}

func TestClocks(t *testing.T) {
	cal := must(worktime.New(haining()))
	const h = 3600
	for _, c := range []struct {
		why, limit, start string
		acts              []string
		phase             worktime.Phase
		used, budget      int64
		amber, due        string
	}{
		{"a clock runs", "5 wd", "2025-06-09 08:30", nil, worktime.Running, 0, 35 * h, "2025-06-12 17:00", "2025-06-13 17:00"},
		{"a pause stands still", "2 wd", "2025-06-09 08:30", []string{"pause 2025-06-09 12:00"}, worktime.Paused, 3.5 * h, 14 * h, "", ""},
		{"what was left survives it", "2 wd", "2025-06-09 08:30", []string{"pause 2025-06-09 12:00", "resume 2025-06-30 13:30"},
			worktime.Running, 3.5 * h, 14 * h, "2025-07-01 14:12", "2025-07-01 17:00"},
		{"a pause at night costs nothing", "1 wd", "2025-06-09 10:00", []string{"pause 2025-06-09 20:00", "resume 2025-06-09 23:00"},
			worktime.Running, 5.5 * h, 7 * h, "2025-06-10 08:36", "2025-06-10 10:00"},
		{"due on Friday at five, paused on Saturday, it stays due on Friday", "1 wd", "2025-06-13 08:30", []string{"pause 2025-06-14 10:00", "resume 2025-06-16 10:00"},
			worktime.Running, 7 * h, 7 * h, "2025-06-13 15:36", "2025-06-13 17:00"},
		{"an extension adds", "1 wd", "2025-06-09 08:30", []string{"extend 2025-06-09 16:00 4 wh"}, worktime.Running, 6 * h, 11 * h, "2025-06-10 10:18", "2025-06-10 14:00"},
		{"also while paused", "1 wd", "2025-06-09 08:30", []string{"pause 2025-06-09 16:00", "extend 2025-06-10 08:30 1 wd", "resume 2025-06-11 08:30"},
			worktime.Running, 6 * h, 14 * h, "2025-06-11 15:12", "2025-06-12 09:30"},
		{"stopped in time, the due is what it would have been", "2 wd", "2025-06-09 08:30", []string{"stop 2025-06-09 12:00"},
			worktime.Stopped, 3.5 * h, 14 * h, "2025-06-10 14:12", "2025-06-10 17:00"},
		{"reopened with what was left, more than half", "2 wd", "2025-06-09 08:30", []string{"stop 2025-06-09 12:00", "reopen 2025-06-16 08:30"},
			worktime.Running, 3.5 * h, 14 * h, "2025-06-17 09:54", "2025-06-17 12:00"},
		{"reopened with half the limit, where less was left", "2 wd", "2025-06-09 08:30", []string{"stop 2025-06-10 16:00", "reopen 2025-06-16 08:30"},
			worktime.Running, 13 * h, 20 * h, "2025-06-16 15:36", "2025-06-16 17:00"},
		{"reopened after it was late: half the limit", "1 wd", "2025-06-09 08:30", []string{"stop 2025-06-12 17:00", "reopen 2025-06-16 08:30"},
			worktime.Running, 28 * h, 31.5 * h, "2025-06-16 11:18", "2025-06-16 12:00"},
		{"rework has half the limit, whatever was left", "2 wd", "2025-06-09 08:30", []string{"stop 2025-06-09 12:00", "rework 2025-06-10 08:30"},
			worktime.Running, 3.5 * h, 10.5 * h, "2025-06-10 15:36", "2025-06-10 17:00"},
		{"another limit of the same time keeps what was used", "5 wd", "2025-06-09 08:30", []string{"relimit 2025-06-09 12:00 8 wh"},
			worktime.Running, 3.5 * h, 8 * h, "2025-06-09 16:24", "2025-06-10 09:30"},
		{"of all time: what was used is counted anew, pauses left out", "5 wd", "2025-06-09 08:30",
			[]string{"pause 2025-06-09 10:00", "resume 2025-06-10 10:00", "relimit 2025-06-10 18:00 24 ch"},
			worktime.Running, 9.5 * h, 24 * h, "2025-06-11 03:42", "2025-06-11 08:30"},
		{"at least half of it is left", "5 wd", "2025-06-09 08:30", []string{"relimit 2025-06-12 08:30 4 ch"},
			worktime.Running, 72 * h, 74 * h, "2025-06-12 10:06", "2025-06-12 10:30"},
		{"clock hours know no night", "24 ch", "2025-06-13 16:00", nil, worktime.Running, 0, 24 * h, "2025-06-14 11:12", "2025-06-14 16:00"},
	} {
		clock := play(t, c.limit, c.start, c.acts...)
		s := clock.State(cal)
		show := func(at time.Time) string {
			if at.IsZero() {
				return ""
			}
			return at.Format("2006-01-02 15:04")
		}
		if s.Phase != c.phase || clock.Phase() != c.phase || s.Used != c.used || s.Budget != c.budget || show(s.Amber) != c.amber || show(s.Due) != c.due {
			t.Errorf("%s: %s, used %d of %d, amber %s, due %s\nwant %s, used %d of %d, amber %s, due %s", c.why,
				s.Phase, s.Used, s.Budget, show(s.Amber), show(s.Due), c.phase, c.used, c.budget, c.amber, c.due)
		}
		if (s.Phase == worktime.Running) != !s.Since.IsZero() || (s.Phase == worktime.Stopped) != !s.Stopped.IsZero() || !s.Started.Equal(at(c.start)) {
			t.Errorf("%s: started %s, since %s, stopped %s", c.why, s.Started, s.Since, s.Stopped)
		}
	}
}

func TestTheDueItselfIsInTime(t *testing.T) {
	cal := must(worktime.New(haining()))
	clock := play(t, "1 wd", "2025-06-13 08:30")
	s := clock.State(cal)
	if s.Late(at("2025-06-13 17:00")) || !s.Late(at("2025-06-13 17:00").Add(time.Second)) {
		t.Error("late begins a second after the due")
	}
	if left := s.Remaining(cal, at("2025-06-13 16:00")); left != 3600 {
		t.Errorf("%d seconds left", left)
	}
	if left := s.Remaining(cal, at("2025-06-16 09:30")); left != -3600 {
		t.Errorf("%d seconds left on Monday", left)
	}
	if s := play(t, "1 wd", "2025-06-13 08:30", "stop 2025-06-14 09:00").State(cal); !s.Late(at("2025-06-13 12:00")) {
		t.Error("stopped on Saturday, it is late for ever")
	}
	if s := play(t, "1 wd", "2025-06-13 08:30", "stop 2025-06-13 17:00").State(cal); s.Late(at("2026-01-01 12:00")) {
		t.Error("stopped in time, it never is late")
	}
	if s := play(t, "1 wd", "2025-06-13 08:30", "pause 2025-06-13 09:00", "stop 2025-07-13 17:00").State(cal); s.Late(at("2026-01-01 12:00")) || !s.Due.IsZero() {
		t.Error("stopped while paused, it never is late")
	}
}

// TestEachActFitsSomePhases goes through all pairs.
func TestEachActFitsSomePhases(t *testing.T) {
	clocks := map[worktime.Phase]worktime.Clock{
		"":               {},
		worktime.Running: play(t, "1 wd", "2025-06-09 08:30"),
		worktime.Paused:  play(t, "1 wd", "2025-06-09 08:30", "pause 2025-06-09 09:00"),
		worktime.Stopped: play(t, "1 wd", "2025-06-09 08:30", "stop 2025-06-09 09:00"),
	}
	fits := map[worktime.Act]string{
		worktime.ActStart: "", worktime.ActPause: "running", worktime.ActResume: "paused", worktime.ActExtend: "running paused",
		worktime.ActStop: "running paused", worktime.ActReopen: "stopped", worktime.ActRework: "stopped", worktime.ActRelimit: "running paused",
	}
	for phase, clock := range clocks {
		before := len(clock.Marks())
		for act, in := range fits {
			m := worktime.Mark{At: at("2025-06-09 10:00"), Act: act}
			switch act {
			case worktime.ActStart, worktime.ActExtend, worktime.ActRelimit:
				m.Limit = worktime.WorkHours(1)
			case worktime.ActPause:
				m.Reason = season
			}
			got, err := clock.Apply(m)
			ok := phase == "" && act == worktime.ActStart || phase != "" && strings.Contains(in, string(phase))
			if (err == nil) != ok {
				t.Errorf("%s of a clock that is %q: %v", act, phase, err)
			}
			if err != nil && len(got.Marks()) != before || len(clock.Marks()) != before {
				t.Errorf("%s of a clock that is %q changed it", act, phase)
			}
			if _, is := fault.As(err); err != nil && !is {
				t.Errorf("%s of a clock that is %q: no fault: %v", act, phase, err)
			}
		}
	}
}

func TestMarksThatNoClockHas(t *testing.T) {
	start := worktime.Mark{At: at("2025-06-09 08:30"), Act: worktime.ActStart, Limit: worktime.WorkDays(1)}
	later := at("2025-06-09 09:30")
	for code, m := range map[string]worktime.Mark{
		"clock_order":       {At: start.At.Add(-time.Second), Act: worktime.ActStop},
		"clock_phase":       {At: later, Act: worktime.ActResume},
		"reason_missing":    {At: later, Act: worktime.ActPause},
		"limit_missing":     {At: later, Act: worktime.ActExtend},
		"limit_not_allowed": {At: later, Act: worktime.ActStop, Limit: worktime.WorkDays(1)},
		"unknown_act":       {At: later, Act: "explode"},
		"unit_mismatch":     {At: later, Act: worktime.ActExtend, Limit: worktime.Minutes(30)},
		"out_of_range":      {At: later, Act: worktime.ActRelimit, Limit: worktime.WorkDays(-1)},
	} {
		_, err := worktime.Restore([]worktime.Mark{start, m})
		if f, ok := fault.As(err); !ok || f.Code != code || f.Field != "marks[1]" {
			t.Errorf("%s: %v", code, err)
		}
	}
	for _, marks := range [][]worktime.Mark{nil, {{At: later, Act: worktime.ActStop}}} {
		if _, err := worktime.Restore(marks); err == nil || !strings.Contains(err.Error(), "begins with its start") {
			t.Errorf("%v: %v", marks, err)
		}
	}
	if _, err := worktime.Start(later, worktime.WorkHours(0)); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a limit of nothing: %v", err)
	}
}

// drawClock plays random acts that fit.
func drawClock(t *rapid.T, cal *worktime.Calendar) (worktime.Clock, time.Time) {
	limit := rapid.SampledFrom([]worktime.Budget{worktime.Minutes(30), worktime.ClockHours(24), worktime.WorkHours(2), worktime.WorkDays(1),
		worktime.WorkDays(5), worktime.WorkDays(20)})
	now := drawMoment(t, cal, "start")
	c := must(worktime.Start(now, limit.Draw(t, "limit")))
	acts := []worktime.Act{worktime.ActPause, worktime.ActResume, worktime.ActExtend, worktime.ActStop, worktime.ActReopen, worktime.ActRework, worktime.ActRelimit}
	for range rapid.IntRange(0, 10).Draw(t, "acts") {
		now = now.Add(time.Duration(rapid.IntRange(0, 400_000).Draw(t, "later")) * time.Second)
		m := worktime.Mark{At: now, Act: rapid.SampledFrom(acts).Draw(t, "act"), Reason: season}
		if m.Act == worktime.ActExtend || m.Act == worktime.ActRelimit {
			m.Limit = limit.Draw(t, "limit")
		}
		next, err := c.Apply(m)
		if err == nil {
			c = next
		}
	}
	return c, now
}

func TestClocksKeepTheirLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cal, doc := drawCalendar(t)
		c, now := drawClock(t, cal)
		cal, _ = differ(t, doc, c.Marks()[0].At)
		s := c.State(cal)

		data := must(json.Marshal(c))
		var back worktime.Clock
		if err := json.Unmarshal(data, &back); err != nil || back.State(cal) != s {
			t.Fatalf("%s: %v", data, err)
		}
		if s.Phase == worktime.Running {
			if s.Due.IsZero() || s.Amber.IsZero() || s.Amber.After(s.Due) {
				t.Fatalf("amber %s, due %s", s.Amber, s.Due)
			}
			if s.Due.After(now) && s.Due.Before(worktime.Horizon) {
				if left := s.Remaining(cal, s.Due); left != 0 {
					t.Fatalf("%d seconds are left at the due", left)
				}
				// A pause and its end at once change nothing; nor does one until the due.
				paused := must(must(c.Pause(now, season)).Resume(now))
				if !paused.State(cal).Due.Equal(s.Due) {
					t.Fatal("a pause of no length moves the due")
				}
				stood := must(must(c.Pause(now, season)).Resume(s.Due))
				if left, want := stood.State(cal).Remaining(cal, s.Due), s.Remaining(cal, now); left != want {
					t.Fatalf("%d seconds are left after a pause, %d before", left, want)
				}
			}
		}
		if s.Phase == worktime.Stopped {
			for act, reopen := range map[string]worktime.Clock{
				"reopen": must(c.Reopen(now, season)), "rework": must(c.Rework(now, season)),
			} {
				left := reopen.State(cal).Remaining(cal, now)
				want := s.Limit / 2
				if act == "reopen" {
					want = max(want, s.Remaining(cal, now))
				}
				if left != want {
					t.Fatalf("%s leaves %d, want %d", act, left, want)
				}
			}
		}
		if s.Phase != worktime.Stopped {
			stopped := must(c.Stop(now)).State(cal)
			if stopped.Used != s.UsedAt(cal, now) || !stopped.Due.Equal(s.Due) {
				t.Fatalf("stopped: used %d, due %s", stopped.Used, stopped.Due)
			}
		}
	})
}

func FuzzClock(f *testing.F) {
	f.Add([]byte(`[{"at":"2025-06-11T08:30:00+08:00","act":"start","limit":"5 wd"},{"at":"2025-06-11T09:30:00Z","act":"pause","reason":{"en":"season"}}]`))
	f.Add([]byte(`[{"at":"2025-06-11T08:30:00Z","act":"start","limit":"24 ch"},{"at":"2025-06-12T08:30:00Z","act":"relimit","limit":"1 wd"}]`))
	f.Add([]byte(`null`))
	cal := must(worktime.New(haining()))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c, back worktime.Clock
		if err := json.Unmarshal(data, &c); err != nil {
			return
		}
		if err := json.Unmarshal(must(json.Marshal(c)), &back); err != nil || back.State(cal) != c.State(cal) {
			t.Fatalf("read back as %+v, %v", back, err)
		}
		worktime.Ledger(cal, c, at("2025-06-30 09:00"))
	})
}
