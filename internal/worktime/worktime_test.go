package worktime_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/soak"
	"gridgov/internal/worktime"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 20_000)
	m.Run()
}

// must is for what the test itself makes right.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func hours(texts ...string) []worktime.Hours {
	out := make([]worktime.Hours, len(texts))
	for i, text := range texts {
		if err := out[i].UnmarshalText([]byte(text)); err != nil {
			panic(err)
		}
	}
	return out
}

func date(text string) worktime.Date {
	var d worktime.Date
	if err := d.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return d
}

// haining is an office with a noon break, and China's days.
func haining() worktime.Document {
	china := worktime.China()
	return worktime.Document{
		Zone: "Asia/Shanghai", Week: worktime.WorkingWeek(hours("08:30-12:00", "13:30-17:00")...), DayMinutes: 420,
		Years: china.Years, Days: china.Days,
	}
}

// newYork is an office from nine to five, with the federal holidays.
func newYork() worktime.Document {
	federal := must(worktime.USFederal(2016, 2017, true))
	return worktime.Document{
		Zone: "America/New_York", Week: worktime.WorkingWeek(hours("09:00-17:00")...), DayMinutes: 480,
		Years: federal.Years, Days: federal.Days,
	}
}

// always is an office that never closes.
func always(zone string) worktime.Document {
	day := hours("00:00-24:00")
	week := worktime.WorkingWeek(day...)
	week.Sat, week.Sun = day, day
	return worktime.Document{Zone: zone, Week: week, DayMinutes: 1440}
}

// night is an office open over midnight, in New York.
func night() worktime.Document {
	day := hours("00:00-06:00", "22:00-24:00")
	week := worktime.WorkingWeek(day...)
	week.Sat, week.Sun = day, day
	return worktime.Document{Zone: "America/New_York", Week: week, DayMinutes: 480}
}

// TestByHand are deadlines worked out by hand, with a calendar on the wall.
func TestByHand(t *testing.T) {
	calendars := map[string]*worktime.Calendar{
		"haining": must(worktime.New(haining())), "new york": must(worktime.New(newYork())),
		"always": must(worktime.New(always("America/New_York"))), "night": must(worktime.New(night())),
	}
	for _, c := range []struct {
		why, calendar, from, budget, due string
	}{
		{"within the morning", "haining", "2025-06-11 09:00", "2 wh", "2025-06-11 11:00"},
		{"to the very end of the morning, not to the afternoon's beginning", "haining", "2025-06-11 10:00", "2 wh", "2025-06-11 12:00"},
		{"over the noon break", "haining", "2025-06-11 11:00", "2 wh", "2025-06-11 14:30"},
		{"from within the noon break", "haining", "2025-06-11 12:40", "1 wh", "2025-06-11 14:30"},
		{"to the very end of the day", "haining", "2025-06-11 16:00", "1 wh", "2025-06-11 17:00"},
		{"one minute more is tomorrow's first", "haining", "2025-06-11 16:00", "61 wmin", "2025-06-12 08:31"},
		{"taken up at the end of the day", "haining", "2025-06-11 17:00", "1 wh", "2025-06-12 09:30"},
		{"a working day ends at the same hour of the next", "haining", "2025-06-11 10:00", "1 wd", "2025-06-12 10:00"},
		{"taken up at night, it ends with the next working day", "haining", "2025-06-11 22:15", "1 wd", "2025-06-12 17:00"},
		{"taken up before the doors open, with that day", "haining", "2025-06-11 07:00", "1 wd", "2025-06-11 17:00"},
		{"half a working day is its morning", "haining", "2025-06-11 08:30", "0.5 wd", "2025-06-11 12:00"},
		{"over a weekend", "haining", "2025-06-13 16:00", "2 wh", "2025-06-16 09:30"},
		{"from a Saturday", "haining", "2025-06-14 10:00", "1 wd", "2025-06-16 17:00"},
		{"over the week of the National Day and Mid-Autumn, 1 to 8 October 2025", "haining", "2025-09-30 16:30", "1 wh", "2025-10-09 09:00"},
		{"2 October takes a budget to the day after the holiday", "haining", "2025-10-02 09:00", "2 wd", "2025-10-10 17:00"},
		{"11 October 2025, a Saturday, is worked", "haining", "2025-10-10 15:00", "3 wh", "2025-10-11 09:30"},
		{"Sunday 4 February 2024 is worked before the Spring Festival", "haining", "2024-02-03 12:00", "1 wd", "2024-02-04 17:00"},
		{"Sunday 18 February 2024 is worked after it", "haining", "2024-02-09 16:00", "2 wh", "2024-02-18 09:30"},
		{"Sunday 26 January 2025 is worked", "haining", "2025-01-24 13:30", "1 wd", "2025-01-26 12:00"},
		{"29 February", "haining", "2024-02-28 16:00", "1 wd", "2024-02-29 16:00"},
		{"no 29 February", "haining", "2025-02-28 16:00", "2 wh", "2025-03-03 09:30"},
		{"New Year", "haining", "2024-12-31 16:30", "1 wh", "2025-01-02 09:00"},
		{"twenty working days over a Spring Festival", "haining", "2025-01-20 08:30", "20 wd", "2025-02-20 17:00"},
		{"a clock hour needs no calendar", "haining", "2025-10-01 23:30", "30 min", "2025-10-02 00:00"},
		{"nor do days running", "haining", "2025-09-30 10:00", "30 d", "2025-10-30 10:00"},

		{"Independence Day", "new york", "2016-07-01 16:00", "2 wh", "2016-07-05 10:00"},
		{"Christmas 2016, a Sunday, is kept on the Monday", "new york", "2016-12-23 16:00", "1 wd", "2016-12-27 16:00"},
		{"Inauguration Day in Washington", "new york", "2017-01-19 12:00", "1 wd", "2017-01-23 12:00"},
		{"over the night on which spring begins, working time is the wall clock's", "new york", "2017-03-10 16:00", "2 wh", "2017-03-13 10:00"},
		{"and clock time is not", "new york", "2017-03-11 12:00", "24 ch", "2017-03-12 13:00"},
		{"autumn gives the hour back", "new york", "2016-11-05 12:00", "24 ch", "2016-11-06 11:00"},
		{"a day of 23 hours", "always", "2017-03-12 00:00", "23 wh", "2017-03-13 00:00"},
		{"a day of 25 hours", "always", "2016-11-06 00:00", "25 wh", "2016-11-07 00:00"},
		{"an office open at night works an hour less in spring", "night", "2017-03-11 22:00", "7 wh", "2017-03-12 06:00"},
		{"and an hour more in autumn", "night", "2016-11-05 22:00", "9 wh", "2016-11-06 06:00"},
		{"the last day of a leap year far ahead, where the zone's rule is all that is known", "new york", "2040-12-31 09:00", "1 wd", "2040-12-31 17:00"},
		{"no minute is lost at midnight", "night", "2016-07-01 23:59", "2 wmin", "2016-07-02 00:01"},
	} {
		cal := calendars[c.calendar]
		from := must(time.ParseInLocation("2006-01-02 15:04", c.from, cal.Zone()))
		budget := must(worktime.ParseBudget(c.budget))
		clock := must(worktime.Start(from, budget))
		state := clock.State(cal)
		if got := state.Due.Format("2006-01-02 15:04"); got != c.due {
			t.Errorf("%s: %s of %s from %s is due %s, want %s", c.why, c.budget, c.calendar, c.from, got, c.due)
		}
		if budget.Unit() != worktime.ClockHour {
			if got := cal.Between(from, state.Due); got != state.Budget {
				t.Errorf("%s: %d seconds lie between, want %d", c.why, got, state.Budget)
			}
		}
	}
}

func TestFractionsOfASecondAreCutOff(t *testing.T) {
	cal := must(worktime.New(newYork()))
	from := time.Date(2016, 7, 6, 16, 59, 59, 999_999_999, cal.Zone())
	if due := cal.Due(from, 1); !due.Equal(time.Date(2016, 7, 6, 17, 0, 0, 0, cal.Zone())) {
		t.Errorf("due %s", due)
	}
	if n := cal.Between(from, from.Add(2)); n != 1 {
		t.Errorf("%d seconds, want the one of the end of day", n)
	}
	if due := cal.Due(from, 0); !due.Equal(from.Truncate(time.Second)) {
		t.Errorf("nothing is due at %s", due)
	}
}

func TestBeyondTheHorizonNothingIsDue(t *testing.T) {
	cal := must(worktime.New(newYork()))
	from := time.Date(2016, 7, 6, 9, 0, 0, 0, time.UTC)
	for name, due := range map[string]time.Time{
		"a budget of all working time and more": cal.Due(from, cal.Between(from, worktime.Horizon)+1),
		"the greatest number":                   cal.Due(from, 1<<62),
		"from the Horizon":                      cal.Due(worktime.Horizon, 1),
	} {
		if !due.Equal(worktime.Horizon) {
			t.Errorf("%s: %s", name, due)
		}
	}
	late := worktime.Horizon.AddDate(1, 0, 0)
	if due := cal.Due(late, 1); !due.Equal(late) || cal.AtWork(late) || cal.Between(late, late.AddDate(1, 0, 0)) != 0 {
		t.Errorf("after the Horizon: due %s", due)
	}
	early := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	if n := cal.Between(early, time.Unix(0, 0)); n != 0 {
		t.Errorf("%d seconds before 1970", n)
	}
	if due := cal.Due(early, 1); due.Before(time.Unix(0, 0)) {
		t.Errorf("due %s", due)
	}
	if n := cal.Between(time.Unix(0, 0), worktime.Horizon); cal.Between(time.Unix(0, 0), cal.Due(time.Unix(0, 0), n)) != n {
		t.Error("all working time there is does not come")
	}
}

func TestYearsThatAreNotKnown(t *testing.T) {
	cal := must(worktime.New(haining()))
	day := func(text string) time.Time { return must(time.ParseInLocation(time.DateOnly, text, cal.Zone())) }
	for _, c := range []struct {
		a, b string
		want []int
	}{
		{"2024-01-01", "2026-12-31", nil},
		{"2026-12-31", "2027-01-01", []int{2027}},
		{"2027-01-01", "2026-12-31", []int{2027}},
		{"2023-12-31", "2028-02-01", []int{2023, 2027, 2028}},
		{"2300-01-01", "2400-01-01", nil},
	} {
		if got := cal.UnknownYears(day(c.a), day(c.b)); !slices.Equal(got, c.want) {
			t.Errorf("%s to %s: %v, want %v", c.a, c.b, got, c.want)
		}
	}
	// At midnight in Haining it still is the old year in Greenwich.
	if got := cal.UnknownYears(day("2027-01-01").UTC(), day("2027-01-01").UTC()); !slices.Equal(got, []int{2027}) {
		t.Errorf("the year is that of the zone: %v", got)
	}
	if cal.Knows(2023) || !cal.Knows(2024) || cal.Knows(0) {
		t.Error("the years known are 2024 to 2026")
	}
	if must(worktime.New(always("UTC"))).Knows(0) {
		t.Error("a calendar without years knows none")
	}
}

// Zones with what may go wrong: half an hour of summer time, changes at midnight, a date left out (Apia, 30 December 2011),
// two hours of summer time, offsets of quarters, changes in China (1986 to 1991), a winter that is the lesser time.
var zones = []string{"UTC", "Asia/Shanghai", "America/New_York", "Europe/London", "Europe/Dublin", "Australia/Lord_Howe", "Pacific/Apia",
	"America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca", "Antarctica/Troll", "America/St_Johns", "Pacific/Chatham", "Asia/Gaza"}

func drawHours(t *rapid.T, label string) []worktime.Hours {
	var out []worktime.Hours
	at := 0
	for range rapid.IntRange(0, 3).Draw(t, label) {
		from := rapid.IntRange(at, 24*60).Draw(t, label+" from")
		to := rapid.IntRange(from, 24*60).Draw(t, label+" to")
		if from < to {
			out = append(out, worktime.Hours{From: from, To: to})
			at = to
		}
	}
	return out
}

// drawCalendar makes a calendar, days that differ about a given moment, and its document.
func drawCalendar(t *rapid.T) (*worktime.Calendar, worktime.Document) {
	doc := worktime.Document{Zone: rapid.SampledFrom(zones).Draw(t, "zone"), DayMinutes: rapid.IntRange(1, 1440).Draw(t, "day")}
	for _, day := range []*[]worktime.Hours{&doc.Week.Mon, &doc.Week.Tue, &doc.Week.Wed, &doc.Week.Thu, &doc.Week.Fri, &doc.Week.Sat, &doc.Week.Sun} {
		*day = drawHours(t, "hours")
	}
	if rapid.Bool().Draw(t, "never closed") || doc.Week.Wed == nil {
		doc.Week.Wed = hours("00:00-24:00")
		doc.Week.Thu = hours("00:00-24:00")
	}
	for y := 1970; y <= 2241; y++ {
		doc.Years = append(doc.Years, y)
	}
	return must(worktime.New(doc)), doc
}

// drawMoment picks a moment of the counted time, often near a change of the zone's clocks, and now and then near a
// boundary of the tables.
func drawMoment(t *rapid.T, cal *worktime.Calendar, label string) time.Time {
	at := time.Unix(rapid.Int64Range(86400*30, worktime.Horizon.Unix()-86400*400).Draw(t, label), 0).In(cal.Zone())
	switch rapid.IntRange(0, 3).Draw(t, label+" near") {
	case 0:
		if _, end := at.ZoneBounds(); !end.IsZero() && end.Before(worktime.Horizon.AddDate(-2, 0, 0)) {
			at = end
		}
		at = at.Add(time.Duration(rapid.IntRange(-200_000, 200_000).Draw(t, label+" off")) * time.Second)
	case 1:
		at = time.Unix(at.Unix()>>25<<25, 0).Add(time.Duration(rapid.IntRange(-100_000, 100_000).Draw(t, label+" off")) * time.Second).In(cal.Zone())
	}
	if rapid.IntRange(0, 4).Draw(t, label+" new year") == 0 {
		at = time.Date(at.Year()-1, 12, 31, 0, 0, rapid.IntRange(-200_000, 200_000).Draw(t, label+" off"), 0, time.UTC).In(cal.Zone())
	}
	if at.Unix() < 86400*30 {
		return time.Unix(86400*30, 0).In(cal.Zone())
	}
	return at
}

// differ gives the document some days that differ about a moment.
func differ(t *rapid.T, doc worktime.Document, about time.Time) (*worktime.Calendar, worktime.Document) {
	first := worktime.DateAt(about) - 5
	for i := range 14 {
		d := worktime.Day{Date: first + worktime.Date(i)}
		switch rapid.IntRange(0, 8).Draw(t, "differs") {
		case 0:
			d.Kind, d.ZH = worktime.KindHoliday, "节"
		case 1:
			d.Kind, d.EN = worktime.KindWorkday, "shift"
		case 2:
			d.Kind, d.Hours = worktime.KindHours, drawHours(t, "other")
			if d.Hours == nil {
				continue
			}
		default:
			continue
		}
		doc.Days = append(doc.Days, d)
	}
	return must(worktime.New(doc)), doc
}

// atWork is the oracle: the definition, read off the document and the wall clock. It shares no code with the package.
func atWork(doc worktime.Document, zone *time.Location, at time.Time) bool {
	local := at.In(zone)
	week := map[time.Weekday][]worktime.Hours{time.Monday: doc.Week.Mon, time.Tuesday: doc.Week.Tue, time.Wednesday: doc.Week.Wed,
		time.Thursday: doc.Week.Thu, time.Friday: doc.Week.Fri, time.Saturday: doc.Week.Sat, time.Sunday: doc.Week.Sun}
	open := week[local.Weekday()]
	today := local.Format("2006-01-02")
	for _, d := range doc.Days {
		if d.Date.String() != today {
			continue
		}
		open = d.Hours
		if d.Kind == worktime.KindWorkday && d.Hours == nil {
			for _, w := range []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday} {
				if len(week[w]) > 0 {
					open = week[w]
					break
				}
			}
		}
	}
	minute := local.Hour()*60 + local.Minute()
	for _, h := range open {
		if h.From <= minute && minute < h.To {
			return true
		}
	}
	return false
}

func TestCountsAsTheWallClockDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cal, doc := drawCalendar(t)
		a := drawMoment(t, cal, "a")
		cal, doc = differ(t, doc, a)
		step, span := time.Minute, 7*24*60
		if rapid.Bool().Draw(t, "by the second") {
			step, span = time.Second, 2*60*60
		}
		a = a.Truncate(step)
		n := rapid.IntRange(0, span).Draw(t, "steps")
		want := int64(0)
		half := int64(-1) // steps of work after which the due is looked for
		var due time.Time
		ask := rapid.Int64Range(1, int64(n)+1).Draw(t, "ask")
		for i := range n {
			at := a.Add(time.Duration(i) * step)
			if atWork(doc, cal.Zone(), at) {
				want++
			}
			if i%97 == 0 && cal.AtWork(at) != atWork(doc, cal.Zone(), at) {
				t.Fatalf("at work at %s: %v", at, cal.AtWork(at))
			}
			if want == ask && half < 0 {
				half, due = want, at.Add(step)
			}
		}
		unit := int64(step / time.Second)
		if got := cal.Between(a, a.Add(time.Duration(n)*step)); got != want*unit {
			t.Fatalf("%d seconds, want %d", got, want*unit)
		}
		if got := cal.Due(a, ask*unit); half > 0 && !got.Equal(due) {
			t.Fatalf("due %s, want %s", got, due)
		} else if half < 0 && !got.After(a.Add(time.Duration(n)*step)) {
			t.Fatalf("due %s, and only %d of %d have passed at %s", got, want, ask, a.Add(time.Duration(n)*step))
		}
	})
}

func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cal, doc := drawCalendar(t)
		a := drawMoment(t, cal, "a")
		cal, _ = differ(t, doc, a)
		b, c := drawMoment(t, cal, "b"), drawMoment(t, cal, "c")
		if ab, bc, ac := cal.Between(a, b), cal.Between(b, c), cal.Between(a, c); ab+bc != ac {
			t.Fatalf("not additive: %d + %d, %d", ab, bc, ac)
		}
		if cal.Between(a, b) != -cal.Between(b, a) {
			t.Fatal("not antisymmetric")
		}
		if b.Before(a) {
			a, b = b, a
		}
		if n := cal.Between(a, b); n < 0 || n > b.Unix()-a.Unix() {
			t.Fatalf("%d seconds of work in %d", n, b.Unix()-a.Unix())
		}
		if due := cal.Due(a, cal.Between(a, b)); due.After(b) {
			t.Fatalf("the work until %s is due later, %s", b, due)
		}
		s, u := rapid.Int64Range(0, 3_000_000).Draw(t, "s"), rapid.Int64Range(0, 3_000_000).Draw(t, "t")
		due := cal.Due(a, s+u)
		if due.Equal(worktime.Horizon) {
			t.Skip("beyond the Horizon")
		}
		if got := cal.Between(a, cal.Due(a, s)); got != s {
			t.Fatalf("%d seconds until the due of %d", got, s)
		}
		if got := cal.Due(cal.Due(a, s), u); !got.Equal(due) {
			t.Fatalf("%d and then %d are due %s, together %s", s, u, got, due)
		}
		if later := cal.Due(a, s+1); !later.After(cal.Due(a, s)) {
			t.Fatal("a greater budget is not due later")
		}
		if later := cal.Due(b, s); later.Before(cal.Due(a, s)) {
			t.Fatal("what begins later is due earlier")
		}
		if s > 0 && !cal.AtWork(cal.Due(a, s).Add(-time.Second)) {
			t.Fatal("the second before a due is not working time")
		}
	})
}

func TestTablesAreSharedBetweenGoroutines(t *testing.T) {
	cal := must(worktime.New(newYork()))
	want := must(worktime.New(newYork()))
	done := make(chan bool)
	for g := range 8 {
		go func() {
			defer func() { done <- true }()
			for i := range 200 {
				from := time.Unix(int64(i)*20_000_000+int64(g), 0)
				if got := cal.Due(from, 1_000_000); !got.Equal(want.Due(from, 1_000_000)) {
					t.Errorf("due %s", got)
				}
			}
		}()
	}
	for range 8 {
		<-done
	}
}

func BenchmarkDue(b *testing.B) {
	cal := must(worktime.New(haining()))
	from := time.Date(2025, 1, 20, 2, 0, 0, 0, time.UTC)
	for name, seconds := range map[string]int64{"4wh": 4 * 3600, "20wd": 20 * 420 * 60, "250wd": 250 * 420 * 60} {
		b.Run(name, func(b *testing.B) {
			i := int64(0)
			for b.Loop() {
				i = (i + 7919) % 20_000_000
				cal.Due(time.Unix(from.Unix()+i, 0), seconds)
			}
		})
	}
}

func BenchmarkBetween(b *testing.B) {
	cal := must(worktime.New(haining()))
	from := time.Date(2025, 1, 20, 2, 0, 0, 0, time.UTC)
	for name, length := range map[string]time.Duration{"day": 24 * time.Hour, "year": 365 * 24 * time.Hour} {
		b.Run(name, func(b *testing.B) {
			i := int64(0)
			for b.Loop() {
				i = (i + 7919) % 20_000_000
				at := time.Unix(from.Unix()+i, 0)
				cal.Between(at, at.Add(length))
			}
		})
	}
}

func BenchmarkNewAndFirstDue(b *testing.B) {
	doc := haining()
	from := time.Date(2025, 1, 20, 2, 0, 0, 0, time.UTC)
	for b.Loop() {
		must(worktime.New(doc)).Due(from, 3600)
	}
}

func BenchmarkState(b *testing.B) {
	cal := must(worktime.New(haining()))
	at := time.Date(2025, 1, 20, 2, 0, 0, 0, time.UTC)
	clock := must(worktime.Start(at, worktime.WorkDays(5)))
	clock = must(clock.Pause(at.Add(30*time.Hour), worktime.Words{EN: "season"}))
	clock = must(clock.Resume(at.Add(300 * time.Hour)))
	for b.Loop() {
		clock.State(cal)
	}
}
