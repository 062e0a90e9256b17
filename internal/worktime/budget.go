package worktime

import (
	"strconv"
	"strings"
	"time"

	"gridgov/internal/fault"
)

// Unit is what a limit is counted in.
type Unit string

// The units of limits.
const (
	ClockHour Unit = "clock_hour" // 紧急工作时: all time, day and night
	WorkHour  Unit = "work_hour"  // 工作时: an hour of the calendar's working time
	WorkDay   Unit = "work_day"   // 工作日: as much working time as the calendar's nominal day has
)

// Working reports whether the unit counts working time; the other one counts all time.
func (u Unit) Working() bool { return u == WorkHour || u == WorkDay }

// Budget is an amount of time in a unit: whole minutes of hours, or half days. The zero Budget is none. Budgets are
// compared with ==; 60 working minutes are one working hour.
type Budget struct {
	unit   Unit
	amount int64 // minutes, of work_day half days
}

// maxBudgetDays keeps a budget within ten years.
const maxBudgetDays = 3660

// Minutes is a budget of clock minutes.
func Minutes(n int) Budget { return Budget{ClockHour, int64(n)} }

// ClockHours is a budget of hours that run day and night.
func ClockHours(n int) Budget { return Budget{ClockHour, int64(n) * 60} }

// WorkHours is a budget of working hours.
func WorkHours(n int) Budget { return Budget{WorkHour, int64(n) * 60} }

// WorkDays is a budget of working days.
func WorkDays(n int) Budget { return Budget{WorkDay, int64(n) * 2} }

// Unit is what the budget is counted in.
func (b Budget) Unit() Unit { return b.unit }

// IsZero reports whether there is no budget.
func (b Budget) IsZero() bool { return b == Budget{} }

// Seconds is the budget in seconds of the unit's time: of working time, in the calendar, or of all time.
func (b Budget) Seconds(c *Calendar) int64 {
	if b.unit == WorkDay {
		return b.amount * c.DaySeconds() / 2 // a day is whole minutes
	}
	return b.amount * 60
}

// check refuses what no limit is: a fault of code out_of_range, or unknown_unit.
func (b Budget) check() error {
	perDay := int64(24 * 60)
	switch b.unit {
	case WorkDay:
		perDay = 2
	case ClockHour, WorkHour:
	default:
		return fault.Invalid("", "unknown_unit", "a limit has a unit: min, ch, d, wmin, wh or wd")
	}
	if b.amount < 1 || b.amount > maxBudgetDays*perDay {
		return fault.Invalid("", "out_of_range", "a limit is more than 0 and at most %d days", maxBudgetDays)
	}
	return nil
}

// form is one way to write an amount.
type form struct {
	code   string
	unit   Unit
	steps  int64 // the budget's amount that one of it is
	zh     string
	en     string // plural
	enOne  string
	spoken []string // what ParseBudget reads besides
}

var forms = []form{
	{"min", ClockHour, 1, "分钟", "minutes", "minute", []string{"分"}},
	{"ch", ClockHour, 60, "小时", "hours running", "hour running", []string{"h", "hour", "hours", "紧急工作时", "紧急小时"}},
	{"d", ClockHour, 24 * 60, "天", "days running", "day running", []string{"day", "days", "自然日", "日"}},
	{"wmin", WorkHour, 1, "工作分钟", "working minutes", "working minute", nil},
	{"wh", WorkHour, 60, "工作时", "working hours", "working hour", []string{"工作小时"}},
	{"wd", WorkDay, 2, "工作日", "working days", "working day", nil},
}

// form picks how the budget is written: days running from two whole ones, hours that are whole or half, else minutes.
func (b Budget) form() form {
	code := "wd"
	switch {
	case b.unit == ClockHour && b.amount >= 2*24*60 && b.amount%(24*60) == 0:
		code = "d"
	case b.unit == ClockHour && b.amount >= 60 && b.amount%30 == 0:
		code = "ch"
	case b.unit == ClockHour:
		code = "min"
	case b.unit == WorkHour && b.amount%30 == 0:
		code = "wh"
	case b.unit == WorkHour:
		code = "wmin"
	}
	for _, f := range forms {
		if f.code == code {
			return f
		}
	}
	panic("worktime: no form " + code)
}

// number writes the amount in the form's steps: whole, or with .5.
func (b Budget) number(f form) string {
	text := strconv.FormatInt(b.amount/f.steps, 10)
	if b.amount%f.steps != 0 {
		text += ".5"
	}
	return text
}

// String writes the budget as limits are written in a catalogue: "30 min", "4 ch", "30 d" (clock time), "45 wmin", "4 wh",
// "0.5 wd" (working time). ParseBudget reads it back. No budget is "".
func (b Budget) String() string {
	if b.IsZero() {
		return ""
	}
	f := b.form()
	return b.number(f) + " " + f.code
}

// Words writes the budget for people: 30 分钟, 紧急 3 小时, 4 工作时, 5 工作日.
func (b Budget) Words() Words {
	if b.IsZero() {
		return Words{}
	}
	f := b.form()
	n := b.number(f)
	w := Words{ZH: n + " " + f.zh, EN: n + " " + f.en}
	if n == "1" {
		w.EN = n + " " + f.enOne
	}
	if f.code == "ch" {
		w.ZH = "紧急 " + w.ZH
	}
	return w
}

// ParseBudget reads an amount and a unit: what String and Words write, without regard to spaces, letters' case and 个. The
// amount may have decimals as long as it comes to whole minutes of hours or half days. The faults' codes are wrong_budget
// (it reads otherwise), inexact_budget and out_of_range.
func ParseBudget(text string) (Budget, error) {
	rest := strings.TrimPrefix(strings.TrimSpace(text), "紧急")
	urgent := rest != strings.TrimSpace(text)
	rest = strings.TrimSpace(rest)
	end := 0
	for end < len(rest) && (rest[end] >= '0' && rest[end] <= '9' || rest[end] == '.') {
		end++
	}
	whole, decimals, dotted := strings.Cut(rest[:end], ".")
	name := strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimSpace(rest[end:]), "个")), " "))
	f, ok := formNamed(name)
	if !ok || !digits(whole) || len(whole) > 7 || dotted && !digits(decimals) || len(decimals) > 4 || urgent && f.unit != ClockHour {
		return Budget{}, fault.Invalid("", "wrong_budget", `%.40q is not a limit such as "30 min", "4 ch", "30 d", "4 wh" or "0.5 wd"`, text)
	}
	amount, _ := strconv.ParseInt(whole+decimals, 10, 64)
	amount *= f.steps
	for range decimals {
		if amount%10 != 0 {
			return Budget{}, fault.Invalid("", "inexact_budget", "%.40q does not come to whole minutes, or half days", text)
		}
		amount /= 10
	}
	b := Budget{f.unit, amount}
	if err := b.check(); err != nil {
		return Budget{}, err
	}
	return b, nil
}

func formNamed(name string) (form, bool) {
	for _, f := range forms {
		if name == f.code || name == f.zh || name == f.en || name == f.enOne {
			return f, true
		}
		for _, s := range f.spoken {
			if name == s {
				return f, true
			}
		}
	}
	return form{}, false
}

// MarshalText writes String.
func (b Budget) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is ParseBudget; an empty text is no budget.
func (b *Budget) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*b = Budget{}
		return nil
	}
	got, err := ParseBudget(string(text))
	if err != nil {
		return err
	}
	*b = got
	return nil
}

// between is what the unit counts in [a, b), in seconds.
func (u Unit) between(c *Calendar, a, b time.Time) int64 {
	if u.Working() {
		return c.Between(a, b)
	}
	return b.Unix() - a.Unix()
}

// due is the first moment at which the unit has counted so many seconds since from.
func (u Unit) due(c *Calendar, from time.Time, seconds int64) time.Time {
	if u.Working() {
		return c.Due(from, seconds)
	}
	return time.Unix(from.Unix()+max(seconds, 0), 0).In(c.zone)
}
