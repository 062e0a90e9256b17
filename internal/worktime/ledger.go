package worktime

import (
	"strconv"
	"strings"
	"time"
)

// What is what a line of a ledger is about.
type What string

// The kinds of lines.
const (
	Counted    What = "counted"    // counted
	Shifted    What = "shifted"    // counted, on a day off that is worked in exchange; Name is its name
	Night      What = "night"      // outside the hours of working days: nights and breaks
	Weekend    What = "weekend"    // weekdays without hours, and the nights beside them
	Holiday    What = "holiday"    // days without work by name, and the nights beside them
	OnHold     What = "paused"     // the clock stood still; Name is the reason
	Ended      What = "stopped"    // the clock was stopped, before it was opened again
	Extension  What = "extension"  // more was granted: a line without length
	Reopening  What = "reopening"  // opened again, or sent back for rework: a line without length
	Relimiting What = "relimiting" // another limit: a line without length
)

// Line is one line of a ledger. Lines touch: each begins where the one before it ended.
type Line struct {
	From    time.Time
	To      time.Time
	What    What
	Name    Words // of a holiday or a shifted workday, or the reason of an act
	Seconds int64 // counted; 0 unless What is Counted or Shifted
	Left    int64 // of a line without length: what is left just after the act, in seconds
	Added   int64 // of an extension: what it added, in seconds
}

// counts reports whether the line holds counted time.
func (l Line) counts() bool { return l.What == Counted || l.What == Shifted }

// Ledger writes down how a clock came to what it has used at a moment: lines from the start to the moment, or to the stop
// where that came before. The seconds of its lines sum up to what was used in the clock's present unit. Acts after the
// moment are left out. A moment in the future, such as the due, is told as if the clock ran on. Times are in the
// calendar's zone.
func Ledger(cal *Calendar, c Clock, until time.Time) []Line {
	end := time.Unix(until.Unix(), 0).In(cal.zone)
	upTo := c
	for i, m := range c.marks {
		if m.At.After(end) {
			upTo.marks = c.marks[:i]
			break
		}
	}
	if len(upTo.marks) == 0 {
		return nil
	}
	unit := upTo.Limit().unit
	var lines []Line
	for i, m := range upTo.marks {
		from, to := m.At.In(cal.zone), end
		if i+1 < len(upTo.marks) {
			to = upTo.marks[i+1].At.In(cal.zone)
		}
		now := Clock{marks: upTo.marks[:i+1]}
		if what, told := actLines[m.Act]; told {
			s := now.State(cal)
			l := Line{From: from, To: from, What: what, Name: m.Reason, Left: s.Budget - s.Used}
			if m.Act == ActExtend {
				l.Added = m.Limit.Seconds(cal)
			}
			lines = append(lines, l)
		}
		switch now.Phase() {
		case Running:
			lines = append(lines, running(cal, unit, from, to)...)
		case Paused:
			if from.Before(to) {
				lines = append(lines, Line{From: from, To: to, What: OnHold, Name: now.pauseReason()})
			}
		case Stopped:
			if from.Before(to) && i+1 < len(upTo.marks) {
				lines = append(lines, Line{From: from, To: to, What: Ended})
			}
		}
	}
	return join(lines)
}

// actLines are the acts that have a line of their own.
var actLines = map[Act]What{ActExtend: Extension, ActReopen: Reopening, ActRework: Reopening, ActRelimit: Relimiting}

func (c Clock) pauseReason() Words {
	for i := len(c.marks) - 1; i >= 0; i-- {
		if c.marks[i].Act == ActPause {
			return c.marks[i].Reason
		}
	}
	return Words{}
}

// running is the time [from, to) of a clock that runs.
func running(cal *Calendar, u Unit, from, to time.Time) []Line {
	if !from.Before(to) {
		return nil
	}
	if !u.Working() {
		return []Line{{From: from, To: to, What: Counted, Seconds: to.Unix() - from.Unix()}}
	}
	var lines []Line
	for s := range cal.stretches(from.Unix(), to.Unix()) {
		l := Line{From: time.Unix(s.from, 0).In(cal.zone), To: time.Unix(s.to, 0).In(cal.zone)}
		l.What, l.Name = cal.what(s)
		if s.work {
			l.Seconds = s.to - s.from
		}
		lines = append(lines, l)
	}
	return absorb(join(lines))
}

// what says why a stretch is counted or not.
func (c *Calendar) what(s stretch) (What, Words) {
	differs := c.days[s.date]
	switch {
	case s.work && differs != nil && differs.kind == KindWorkday:
		return Shifted, differs.name
	case s.work:
		return Counted, Words{}
	case differs != nil && differs.kind == KindHoliday:
		return Holiday, differs.name
	case len(c.hoursOf(s.date)) == 0:
		return Weekend, Words{}
	}
	return Night, Words{}
}

// join makes one line of neighbours that say the same.
func join(lines []Line) []Line {
	var out []Line
	for _, l := range lines {
		if n := len(out); n > 0 && out[n-1].What == l.What && out[n-1].Name == l.Name && l.From.Before(l.To) && out[n-1].From.Before(out[n-1].To) {
			out[n-1].To = l.To
			out[n-1].Seconds += l.Seconds
			continue
		}
		out = append(out, l)
	}
	return out
}

// absorb gives the nights beside days off to them: Friday 17:00 to Monday 08:30 is one weekend.
func absorb(lines []Line) []Line {
	off := func(i int) bool {
		return i >= 0 && i < len(lines) && (lines[i].What == Weekend || lines[i].What == Holiday)
	}
	for i, l := range lines {
		if l.What != Night {
			continue
		}
		switch {
		case off(i - 1):
			lines[i].What, lines[i].Name = lines[i-1].What, lines[i-1].Name
		case off(i + 1):
			lines[i].What, lines[i].Name = lines[i+1].What, lines[i+1].Name
		}
	}
	return join(lines)
}

// Fold shortens a ledger for reading: the nights and breaks between two counted lines of one kind go into one line from
// the first to the last, so that an ordinary week has one line and its weekend another. What lines touch and sum up to
// stays.
func Fold(lines []Line) []Line {
	var out []Line
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		for l.counts() && i+2 < len(lines) && lines[i+1].What == Night && lines[i+2].What == l.What && lines[i+2].Name == l.Name {
			l.To = lines[i+2].To
			l.Seconds += lines[i+2].Seconds
			i += 2
		}
		out = append(out, l)
	}
	return out
}

// Words says in both languages what the line is about and what it counted. The times are the caller's to show.
func (l Line) Words() Words {
	named := func(zh, en string) Words {
		if l.Name == (Words{}) {
			return Words{ZH: zh, EN: en}
		}
		return Words{ZH: zh + "：" + l.Name.In("zh"), EN: en + ": " + l.Name.In("en")}
	}
	amount := func(w Words, verbZH, verbEN string, seconds int64) Words {
		return Words{ZH: w.ZH + "，" + verbZH + " " + span(seconds, unitsZH), EN: w.EN + ", " + verbEN + " " + span(seconds, unitsEN)}
	}
	switch l.What {
	case Counted:
		return Words{ZH: "计时 " + span(l.Seconds, unitsZH), EN: "counted " + span(l.Seconds, unitsEN)}
	case Shifted:
		return amount(named("调休上班", "shifted workday"), "计时", "counted", l.Seconds)
	case Night:
		return Words{ZH: "非工作时间", EN: "outside working hours"}
	case Weekend:
		return Words{ZH: "周末", EN: "weekend"}
	case Holiday:
		return named("节假日", "holiday")
	case OnHold:
		return named("挂账停计", "paused")
	case Ended:
		return Words{ZH: "已停止计时", EN: "stopped"}
	case Extension:
		return amount(named("延期", "extended"), "增加", "adds", l.Added)
	case Reopening:
		return amount(named("重新计时", "opened again"), "剩余", "left", l.Left)
	case Relimiting:
		return amount(named("时限变更", "another limit"), "剩余", "left", l.Left)
	}
	return Words{ZH: string(l.What), EN: string(l.What)}
}

var (
	unitsZH = [3]string{" 小时", " 分", " 秒"}
	unitsEN = [3]string{" h", " min", " s"}
)

// span writes seconds as hours, minutes and seconds, those that are there: 12 h 30 min.
func span(seconds int64, units [3]string) string {
	if seconds == 0 {
		return "0" + units[1]
	}
	var parts []string
	for i, n := range []int64{seconds / 3600, seconds / 60 % 60, seconds % 60} {
		if n > 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+units[i])
		}
	}
	return strings.Join(parts, " ")
}
