package team

import (
	"fmt"
	"io"

	ics "github.com/arran4/golang-ical"

	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// Behind is how far back a calendar tells of shifts.
const Behind = maxBehind

var kindWords = map[ShiftKind]worktime.Words{
	OnDuty:  {ZH: "值班", EN: "On duty"},
	Leads:   {ZH: "带班", EN: "Duty leader"},
	Standby: {ZH: "备勤", EN: "Standby"},
}

// WriteCalendar writes shifts as iCalendar (RFC 5545). Times are UTC: a calendar shows them in its reader's own zone. An event keeps
// its UID as long as its shift is there, and its SEQUENCE counts the changes. city names what the numbers belong to.
func WriteCalendar(w io.Writer, city string, name worktime.Words, shifts []Shift, unit func(policy.UnitID) worktime.Words) error {
	cal := ics.NewCalendarFor("gridgov")
	cal.SetMethod(ics.MethodPublish)
	cal.SetXWRCalName(name.ZH + " / " + name.EN)
	cal.SetRefreshInterval("PT1H")
	cal.SetXPublishedTTL("PT1H")
	for i := range shifts {
		s := &shifts[i]
		u, kind := unit(s.Unit), kindWords[s.Kind]
		e := cal.AddEvent(fmt.Sprintf("shift-%d@%s.gridgov", s.ID, city))
		e.SetDtStampTime(s.Changed)
		e.SetModifiedAt(s.Changed)
		e.SetSequence(s.Version - 1)
		e.SetStartAt(s.From)
		e.SetEndAt(s.To)
		e.SetSummary(kind.ZH + " · " + u.ZH)
		e.SetDescription(kind.EN + ", " + english(u))
		if s.Kind == Standby {
			e.SetTimeTransparency(ics.TransparencyTransparent)
		}
	}
	return cal.SerializeTo(w, ics.WithNewLineWindows)
}

// english is the English words, or the Chinese ones where there are none.
func english(w worktime.Words) string {
	if w.EN != "" {
		return w.EN
	}
	return w.ZH
}
