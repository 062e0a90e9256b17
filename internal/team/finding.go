package team

import (
	"time"

	"github.com/google/uuid"

	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// Finding is something amiss with a unit's roster.
type Finding struct {
	Span
	Kind   FindingKind
	Person uuid.UUID // whom it is about; nil: nobody
	Shift  ShiftID   // likewise
	Words  worktime.Words
}

// FindingKind says what is amiss.
type FindingKind string

// The kinds of findings.
const (
	NoMembers          FindingKind = "no_members"          // rules pass the unit over
	NoHead             FindingKind = "no_head"             // nobody answers where there is a hole
	FoundHole          FindingKind = "hole"                // nobody is on duty, though somebody should be
	FoundNoLeader      FindingKind = "no_leader"           // nobody leads who is on duty
	NotMember          FindingKind = "not_member"          // a shift of somebody who holds no post in the unit then
	CertificateExpired FindingKind = "certificate_expired" // of somebody who holds an officer's post
)

// maxFindings bounds what is told at once: a roster of a few shifts in many weeks has holes without end.
const maxFindings = 200

// Findings tell what is amiss with a unit's roster within a span, in order. name gives people's names.
func (r *Roster) Findings(unit policy.UnitID, in Span, zone *time.Location, name func(uuid.UUID) string) (list []Finding) {
	add := func(kind FindingKind, in Span, id uuid.UUID, shift ShiftID, zh, en string) {
		if len(list) < maxFindings {
			list = append(list, Finding{in, kind, id, shift, worktime.Words{ZH: zh, EN: en}})
		}
	}
	people := r.People(unit, in.From)
	if len(people) == 0 {
		add(NoMembers, in, uuid.Nil, 0, "单位没有在任人员，派单规则会跳过它。", "Nobody holds a post in the unit: rules pass it over.")
		return list
	}
	if _, ok := r.Head(unit, in.From); !ok {
		add(NoHead, in, uuid.Nil, 0, "单位没有负责人：值班空缺时无人接办。", "The unit has no head: nobody answers where the roster has a hole.")
	}
	for _, m := range people {
		if m.Role == policy.Officer && !m.Certified(in.From) {
			n := name(m.Person)
			add(CertificateExpired, in, m.Person, 0, n+"的执法证已过期。", n+"'s certificate has expired.")
		}
	}
	for _, s := range r.Shifts(unit) {
		if s.Meets(in) && !r.units[unit].holds(s.Person, s.From) {
			n := name(s.Person)
			add(NotMember, s.Span, s.Person, s.ID, n+"在这个班次时不在本单位任职，不计入值班。", n+" holds no post in the unit at this shift: it does not count.")
		}
	}
	for _, s := range r.Stretches(unit, in) {
		when := SpanWords(s.Span, zone)
		who := worktime.Words{ZH: "无人接办", EN: "nobody answers"}
		if id, ok := r.Head(unit, s.From); ok {
			n := name(id)
			who = worktime.Words{ZH: "由负责人" + n + "接办", EN: n + ", the unit's head, answers"}
		}
		switch s.State {
		case Hole:
			add(FoundHole, s.Span, uuid.Nil, 0, when.ZH+"无人值班，"+who.ZH+"。", "Nobody is on duty "+when.EN+": "+who.EN+".")
		case NoLeader:
			add(FoundNoLeader, s.Span, uuid.Nil, 0, when.ZH+"无人带班，"+who.ZH+"。", "Nobody leads the shift "+when.EN+": "+who.EN+".")
		case NoRoster, Led, OffHours:
		}
	}
	return list
}

// SpanWords tells a span in the city's time.
func SpanWords(s Span, zone *time.Location) worktime.Words {
	from, to := s.From.In(zone), s.To.In(zone)
	zh, en := "1月2日 15:04", "2 January 15:04"
	w := worktime.Words{ZH: from.Format(zh) + "至" + to.Format(zh), EN: "from " + from.Format(en) + " to " + to.Format(en)}
	if from.Format(time.DateOnly) == to.Format(time.DateOnly) {
		w = worktime.Words{ZH: from.Format(zh) + "至" + to.Format("15:04"), EN: "on " + from.Format(en) + " to " + to.Format("15:04")}
	}
	return w
}

// LeaderWords tell why somebody leads a unit at a moment.
func LeaderWords(by By, state State) worktime.Words {
	if by == ByShift {
		return worktime.Words{ZH: "当班带班", EN: "leads the shift"}
	}
	switch state {
	case Hole:
		return worktime.Words{ZH: "此刻值班空缺，由负责人接办", EN: "nobody is on duty: the unit's head answers"}
	case NoLeader:
		return worktime.Words{ZH: "此刻无人带班，由负责人带班", EN: "nobody leads the shift: the unit's head does"}
	case OffHours:
		return worktime.Words{ZH: "非值班时间，由负责人接办", EN: "outside of the unit's hours: its head answers"}
	case NoRoster, Led:
	}
	return worktime.Words{ZH: "没有值班表，由负责人接办", EN: "the unit keeps no roster: its head answers"}
}
