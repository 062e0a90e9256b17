package worktime

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"gridgov/internal/fault"
)

// Document is a calendar as it is written, kept and shown:
//
//	{
//	  "zone": "Asia/Shanghai",
//	  "week": {"mon": ["08:30-12:00", "13:30-17:00"], "tue": ["08:30-12:00", "13:30-17:00"]},
//	  "day_minutes": 420,
//	  "years": [2024, 2025],
//	  "days": [
//	    {"date": "2024-02-04", "kind": "workday", "zh": "春节", "en": "Spring Festival"},
//	    {"date": "2024-02-10", "kind": "holiday", "zh": "春节", "en": "Spring Festival"},
//	    {"date": "2024-12-24", "kind": "hours", "en": "Christmas Eve", "hours": ["08:30-12:00"]}
//	  ]
//	}
//
// Days may come in any order. A weekday without hours is a day off.
type Document struct {
	Zone       string `json:"zone"` // IANA name
	Week       Week   `json:"week"`
	DayMinutes int    `json:"day_minutes"` // what one work_day counts
	Years      []int  `json:"years"`       // whose days that differ are all listed; in order, without a gap
	Days       []Day  `json:"days"`
}

// Week holds the hours of each weekday, in order.
type Week struct {
	Mon []Hours `json:"mon,omitempty"`
	Tue []Hours `json:"tue,omitempty"`
	Wed []Hours `json:"wed,omitempty"`
	Thu []Hours `json:"thu,omitempty"`
	Fri []Hours `json:"fri,omitempty"`
	Sat []Hours `json:"sat,omitempty"`
	Sun []Hours `json:"sun,omitempty"`
}

// WorkingWeek is a week with the same hours from Monday to Friday, and none on the other days.
func WorkingWeek(hours ...Hours) Week {
	return Week{Mon: hours, Tue: hours, Wed: hours, Thu: hours, Fri: hours}
}

// byWeekday orders the hours as time.Weekday does.
func (w Week) byWeekday() [7][]Hours {
	return [7][]Hours{w.Sun, w.Mon, w.Tue, w.Wed, w.Thu, w.Fri, w.Sat}
}

var weekdayKeys = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Hours are working hours of one date, [From, To) in minutes since its midnight on the wall clock, written 08:30-12:00.
// 24:00 is the date's end; hours over midnight are written as those of two days.
type Hours struct {
	From, To int
}

// String writes 08:30-12:00.
func (h Hours) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60)
}

// MarshalText writes 08:30-12:00.
func (h Hours) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText writes, also with one digit for the hour or an en dash. The faults' codes are
// wrong_hours (it reads otherwise), hours_outside_day and empty_hours.
func (h *Hours) UnmarshalText(text []byte) error {
	from, to, ok := strings.Cut(strings.ReplaceAll(string(text), "–", "-"), "-")
	a, okA := minuteOfDay(from)
	b, okB := minuteOfDay(to)
	if !ok || !okA || !okB {
		return fault.Invalid("", "wrong_hours", "%.40q is not hours such as 08:30-12:00", text)
	}
	got := Hours{From: a, To: b}
	if err := got.check(); err != nil {
		return err
	}
	*h = got
	return nil
}

func (h Hours) check() error {
	switch {
	case h.From < 0 || h.To > 24*60 || h.From > 24*60 || h.To < 0:
		return fault.Invalid("", "hours_outside_day", "a day's hours lie between 00:00 and 24:00")
	case h.From >= h.To:
		return fault.Invalid("", "empty_hours", "%s ends before it begins; hours over midnight are written as those of two days", h)
	}
	return nil
}

// minuteOfDay reads H:MM or HH:MM; hours beyond the day are read, so that they can be refused by name.
func minuteOfDay(text string) (int, bool) {
	hour, minute, ok := strings.Cut(strings.TrimSpace(text), ":")
	if !ok || len(hour) < 1 || len(hour) > 2 || len(minute) != 2 || !digits(hour) || !digits(minute) {
		return 0, false
	}
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	return h*60 + m, m < 60
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// Date is a day of the Gregorian calendar, as days since 1970-01-01; written 2024-02-10.
type Date int32

// DateOf is a date by its parts.
func DateOf(year int, month time.Month, day int) Date {
	return dateOfLocal(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix())
}

// DateAt is the date of a moment in its own zone.
func DateAt(t time.Time) Date {
	_, offset := t.Zone()
	return dateOfLocal(t.Unix() + int64(offset))
}

func (d Date) utc() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// Weekday is the date's day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

// Year is the date's year.
func (d Date) Year() int { return d.utc().Year() }

// String writes 2024-02-10.
func (d Date) String() string { return d.utc().Format(time.DateOnly) }

// MarshalText writes 2024-02-10.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes; the fault's code is wrong_date.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fault.Invalid("", "wrong_date", "%.40q is not a date such as 2024-02-10", text)
	}
	*d = DateAt(t)
	return nil
}

// Kind is how a day differs from its weekday.
type Kind string

// The kinds of days.
const (
	KindOrdinary Kind = ""        // it does not differ
	KindHoliday  Kind = "holiday" // no work
	KindWorkday  Kind = "workday" // a day off that is worked in exchange for another (调休); without hours, those of the week's first working day
	KindHours    Kind = "hours"   // other hours than its weekday's
)

// Words is one text in the two languages; an empty one is shown in the other language.
type Words struct {
	ZH string `json:"zh,omitempty"`
	EN string `json:"en,omitempty"`
}

// In is the text in a language, "zh" or any other for English.
func (w Words) In(lang string) string {
	if lang == "zh" {
		return cmp.Or(w.ZH, w.EN)
	}
	return cmp.Or(w.EN, w.ZH)
}

// Day is a day that differs.
type Day struct {
	Date Date `json:"date"`
	Kind Kind `json:"kind"`
	Words
	Hours []Hours `json:"hours,omitempty"`
}

// Limits of a document, far above any real one.
const (
	maxHoursADay = 12
	maxDays      = 20000
	maxName      = 80 // characters
)

// Parse reads a Document as JSON and prepares it. Unknown and repeated fields are refused. Faults are those of New, and
// not_json.
func Parse(data []byte) (*Calendar, error) {
	var doc Document
	if err := json.Unmarshal(data, &doc, json.RejectUnknownMembers(true)); err != nil {
		if f, ok := fault.As(err); ok {
			named := *f
			if sem := (*json.SemanticError)(nil); errors.As(err, &sem) {
				named.Field = fieldPath(sem.JSONPointer)
			}
			return nil, &named
		}
		var at jsontext.Pointer
		sem, syn := (*json.SemanticError)(nil), (*jsontext.SyntacticError)(nil)
		if errors.As(err, &sem) {
			at = sem.JSONPointer
		} else if errors.As(err, &syn) {
			at = syn.JSONPointer
		}
		return nil, fault.Invalid(fieldPath(at), "not_json", "is not a calendar's JSON: check names, types and commas")
	}
	return New(doc)
}

// fieldPath writes /days/3/date as days[3].date.
func fieldPath(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		switch {
		case b.Len() > 0 && digits(token):
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return strings.ToValidUTF8(b.String(), "?")
}

// New prepares a calendar, or refuses it with a fault that names the field. Codes: unknown_zone, empty_week,
// hours_outside_day, empty_hours, overlapping_hours, too_many, out_of_range (day_minutes, years), year_gap (years that are
// out of order, repeated or have a gap), unknown_kind, duplicate_day, day_outside_years, name_missing, name_too_long,
// hours_missing and hours_not_allowed.
func New(doc Document) (*Calendar, error) {
	c := &Calendar{days: make(map[Date]*dayRule, len(doc.Days))}
	zone, err := time.LoadLocation(doc.Zone)
	if err != nil || doc.Zone == "" || doc.Zone == "Local" {
		return nil, fault.Invalid("zone", "unknown_zone", "%.60q is not a zone such as Asia/Shanghai", doc.Zone)
	}
	c.zone = zone
	if err := c.setWeek(doc.Week); err != nil {
		return nil, err
	}
	if doc.DayMinutes < 1 || doc.DayMinutes > 24*60 {
		return nil, fault.Invalid("day_minutes", "out_of_range", "a working day has 1 to 1440 minutes, not %d", doc.DayMinutes)
	}
	if err := c.setYears(doc.Years); err != nil {
		return nil, err
	}
	if len(doc.Days) > maxDays {
		return nil, fault.Invalid("days", "too_many", "%d days are listed; at most %d are taken", len(doc.Days), maxDays)
	}
	listed := make(map[Date]int, len(doc.Days))
	for i, d := range doc.Days {
		field := fmt.Sprintf("days[%d]", i)
		if first, twice := listed[d.Date]; twice {
			return nil, fault.Invalid(field+".date", "duplicate_day", "%s is listed twice, first as days[%d]", d.Date, first)
		}
		listed[d.Date] = i
		rule, err := c.rule(d, field)
		if err != nil {
			return nil, err
		}
		c.days[d.Date] = rule
	}
	c.doc = doc.clone()
	slices.SortFunc(c.doc.Days, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
	return c, nil
}

// Document is what the calendar was made of, its days in order. The copy is the caller's.
func (c *Calendar) Document() Document { return c.doc.clone() }

// clone copies down to the slices, so that a prepared calendar shares nothing with its caller.
func (doc Document) clone() Document {
	week := doc.Week
	for _, hours := range []*[]Hours{&week.Mon, &week.Tue, &week.Wed, &week.Thu, &week.Fri, &week.Sat, &week.Sun} {
		*hours = slices.Clone(*hours)
	}
	doc.Week = week
	doc.Years = slices.Clone(doc.Years)
	doc.Days = slices.Clone(doc.Days)
	for i := range doc.Days {
		doc.Days[i].Hours = slices.Clone(doc.Days[i].Hours)
	}
	return doc
}

func (c *Calendar) setWeek(week Week) error {
	work := false
	for day, hours := range week.byWeekday() {
		if err := checkHours(hours, "week."+weekdayKeys[day]); err != nil {
			return err
		}
		c.week[day] = slices.Clone(hours)
		work = work || len(hours) > 0
	}
	if !work {
		return fault.Invalid("week", "empty_week", "no weekday has hours: no deadline would ever come")
	}
	return nil
}

func checkHours(hours []Hours, field string) error {
	if len(hours) > maxHoursADay {
		return fault.Invalid(field, "too_many", "a day has at most %d intervals of hours, not %d", maxHoursADay, len(hours))
	}
	for i, h := range hours {
		at := fmt.Sprintf("%s[%d]", field, i)
		if err := h.check(); err != nil {
			f, _ := fault.As(err)
			return fault.Invalid(at, f.Code, "%s", f.Message)
		}
		if i > 0 && h.From < hours[i-1].To {
			return fault.Invalid(at, "overlapping_hours", "%s begins before %s ends; list hours in order, without overlap", h, hours[i-1])
		}
	}
	return nil
}

func (c *Calendar) setYears(years []int) error {
	for i, y := range years {
		field := fmt.Sprintf("years[%d]", i)
		if y < 1970 || y >= Horizon.Year() {
			return fault.Invalid(field, "out_of_range", "years from 1970 to %d are taken, not %d", Horizon.Year()-1, y)
		}
		if i > 0 && y != years[i-1]+1 {
			return fault.Invalid(field, "year_gap", "%d follows %d; list the years in order, each once, without a gap", y, years[i-1])
		}
	}
	if len(years) > 0 {
		c.known = [2]int{years[0], years[len(years)-1]}
	}
	return nil
}

// rule checks one day that differs; the week and the years are set.
func (c *Calendar) rule(d Day, field string) (*dayRule, error) {
	if err := checkHours(d.Hours, field+".hours"); err != nil {
		return nil, err
	}
	for _, n := range []struct{ key, text string }{{"zh", d.ZH}, {"en", d.EN}} {
		if utf8.RuneCountInString(n.text) > maxName {
			return nil, fault.Invalid(field+"."+n.key, "name_too_long", "a name has at most %d characters", maxName)
		}
	}
	if !c.Knows(d.Date.Year()) {
		return nil, fault.Invalid(field+".date", "day_outside_years", "%s lies in none of the years listed; add the year and all its days", d.Date)
	}
	rule := &dayRule{kind: d.Kind, name: d.Words, hours: slices.Clone(d.Hours)}
	switch d.Kind {
	case KindHoliday:
		if len(d.Hours) > 0 {
			return nil, fault.Invalid(field+".hours", "hours_not_allowed", "a holiday has no hours; a day with shorter hours is of kind hours")
		}
		if d.Words == (Words{}) {
			return nil, fault.Invalid(field+".zh", "name_missing", "a holiday has a name, in Chinese, English or both")
		}
	case KindWorkday:
		if len(d.Hours) == 0 {
			rule.hours = c.firstHours()
		}
	case KindHours:
		if len(d.Hours) == 0 {
			return nil, fault.Invalid(field+".hours", "hours_missing", "a day of kind hours lists them; a day without work is of kind holiday")
		}
	default:
		return nil, fault.Invalid(field+".kind", "unknown_kind", "%.40q is not a kind: holiday, workday or hours", d.Kind)
	}
	return rule, nil
}

// firstHours are those of the first weekday from Monday that has any.
func (c *Calendar) firstHours() []Hours {
	for i := range c.week {
		if hours := c.week[(int(time.Monday)+i)%7]; len(hours) > 0 {
			return hours
		}
	}
	return nil
}
