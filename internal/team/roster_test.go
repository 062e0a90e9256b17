package team

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	ical "github.com/emersion/go-ical"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"gridgov/internal/policy"
	"gridgov/internal/soak"
	"gridgov/internal/worktime"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 20_000)
	m.Run()
}

func zoneOf(t interface{ Fatal(...any) }, name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func calendarIn(t interface{ Fatal(...any) }, zone string) *worktime.Calendar {
	doc := worktime.Document{Zone: zone, Week: worktime.WorkingWeek(worktime.Hours{From: 9 * 60, To: 17 * 60}), DayMinutes: 8 * 60}
	cal, err := worktime.New(doc)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

var (
	head   = uuid.MustParse("00000000-0000-0000-0000-0000000000a0")
	people = []uuid.UUID{head, uuid.MustParse("00000000-0000-0000-0000-0000000000a1"), uuid.MustParse("00000000-0000-0000-0000-0000000000a2")}
)

// A shift may last from one time of day to the same of the next, 25 hours when clocks are set back, and 24 hours at any time.
func TestLongestShift(t *testing.T) {
	for _, c := range []struct {
		zone, from, to string
		refused        bool
	}{
		{"America/New_York", "2026-10-31T08:00:00-04:00", "2026-11-01T08:00:00-05:00", false},
		{"America/New_York", "2026-10-31T08:00:00-04:00", "2026-11-01T08:00:01-05:00", true},
		{"America/New_York", "2026-11-01T08:00:00-05:00", "2026-11-02T08:00:01-05:00", true},
		{"America/New_York", "2026-03-07T08:00:00-05:00", "2026-03-08T09:00:00-04:00", false},
		{"America/New_York", "2026-03-07T08:00:00-05:00", "2026-03-08T09:00:01-04:00", true},
		{"Asia/Shanghai", "2026-10-31T08:00:00+08:00", "2026-11-01T08:00:00+08:00", false},
		{"Asia/Shanghai", "2026-10-31T08:00:00+08:00", "2026-11-01T08:00:01+08:00", true},
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := time.Parse(time.RFC3339, c.to)
		if err != nil {
			t.Fatal(err)
		}
		s := Shift{Kind: OnDuty, Span: Span{from, to}}
		if f := s.check("", from, zoneOf(t, c.zone)); (f != nil) != c.refused || f != nil && f.Code != "too_long" {
			t.Errorf("%s from %s to %s: %v", c.zone, c.from, c.to, f)
		}
	}
}

// Whatever the shifts, the leave and the hours, over days with a change of daylight time too: the stretches touch and fill the whole
// span, and each minute stands as a count by hand has it.
func TestStretchesFillTheSpan(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom([]string{"Asia/Shanghai", "America/New_York"}).Draw(r, "zone")
		zone, cal := zoneOf(r, name), calendarIn(r, name)
		// New York's clocks go back on 6 November 2016, and forward on 12 March 2017.
		day := rapid.SampledFrom([]time.Time{time.Date(2016, 11, 5, 0, 0, 0, 0, zone), time.Date(2017, 3, 11, 0, 0, 0, 0, zone), time.Date(2016, 6, 1, 0, 0, 0, 0, zone)}).Draw(r, "day")
		in := Span{day, day.AddDate(0, 0, 3)}
		moment := func(label string) time.Time {
			return in.From.Add(time.Duration(rapid.IntRange(-20, 90).Draw(r, label)) * time.Hour)
		}
		var shifts []Shift
		for i := range rapid.IntRange(0, 6).Draw(r, "shifts") {
			from := moment("shift from")
			shifts = append(shifts, Shift{ID: ShiftID(i + 1), Unit: 1, Person: rapid.SampledFrom(people).Draw(r, "person"), Kind: rapid.SampledFrom(ShiftKinds).Draw(r, "kind"),
				Span: Span{from, from.Add(time.Duration(rapid.IntRange(1, 25).Draw(r, "hours")) * time.Hour)}})
		}
		var leaves []Leave
		for range rapid.IntRange(0, 2).Draw(r, "leaves") {
			from := moment("leave from")
			leaves = append(leaves, Leave{Person: rapid.SampledFrom(people).Draw(r, "away"), Granted: rapid.Bool().Draw(r, "granted"), Span: Span{from, from.Add(30 * time.Hour)}})
		}
		hours := rapid.SampledFrom([]Hours{Always, AtWork}).Draw(r, "unit's hours")
		plan := Plan{hours, Span{in.From.Add(-48 * time.Hour), in.To.Add(48 * time.Hour)}}
		members := []Member{{Unit: 1, Person: people[0], Role: policy.UnitHead}, {Unit: 1, Person: people[1], Role: policy.DutyLeader},
			{Unit: 1, Person: people[2], Role: policy.Officer, Until: in.From.Add(30 * time.Hour)}}
		ros := NewRoster(Span{in.From.Add(-48 * time.Hour), in.To.Add(48 * time.Hour)}, cal, members, shifts, leaves, map[policy.UnitID]Plan{1: plan})
		list := ros.Stretches(1, in)
		at := in.From
		for i, s := range list {
			if !s.From.Equal(at) || !s.To.After(s.From) || i > 0 && list[i-1].State == s.State {
				r.Fatalf("stretch %d is %v after %v: %v", i, s, at, list)
			}
			at = s.To
		}
		if !at.Equal(in.To) {
			r.Fatalf("ends at %v, not %v", at, in.To)
		}
		for at := in.From; at.Before(in.To); at = at.Add(30 * time.Minute) {
			on, leads := 0, false
			for _, s := range shifts {
				away := slices.ContainsFunc(leaves, func(l Leave) bool { return l.Granted && l.Person == s.Person && !at.Before(l.From) && at.Before(l.To) })
				gone := s.Person == people[2] && !at.Before(in.From.Add(30*time.Hour))
				if s.Kind != Standby && !at.Before(s.From) && at.Before(s.To) && !away && !gone {
					on++
					leads = leads || s.Kind == Leads || s.Person == people[1]
				}
			}
			want := Hole
			switch local := at.In(zone); {
			case on > 0 && leads:
				want = Led
			case on > 0:
				want = NoLeader
			case hours == AtWork && (local.Hour() < 9 || local.Hour() >= 17 || local.Weekday() == time.Saturday || local.Weekday() == time.Sunday):
				want = OffHours
			}
			i := slices.IndexFunc(list, func(s Stretch) bool { return s.Has(at) })
			if list[i].State != want || ros.Standing(1, at).OnDuty != on {
				r.Fatalf("at %v: %v with %d on duty, want %v with %d", at, list[i].State, ros.Standing(1, at).OnDuty, want, on)
			}
			// Somebody always answers: who leads the shift, or the head, on leave or not.
			if id, by, ok := ros.Leader(1, at); !ok || (by == ByShift) != (want == Led) || by == ByHead && id != head {
				r.Fatalf("at %v %v leads by %v", at, id, by)
			}
			if s := ros.Steady(at); !s.Has(at) {
				r.Fatalf("%v is not steady in %v", at, s)
			}
		}
	})
}

// Findings of a made-up week, in words: people act on them.
func TestFindings(t *testing.T) {
	zone := zoneOf(t, "Asia/Shanghai")
	at := func(d, h int) time.Time { return time.Date(2026, 11, d, h, 0, 0, 0, zone) }
	names := map[uuid.UUID]string{people[0]: "陈建军", people[1]: "周海波", people[2]: "李正平"}
	members := []Member{{Unit: 1, Person: people[0], Role: policy.UnitHead}, {Unit: 1, Person: people[1], Role: policy.DutyLeader},
		{Unit: 1, Person: people[2], Role: policy.Officer, CertifiedUntil: at(1, 0)}}
	stranger := uuid.New()
	names[stranger] = "外人"
	shifts := []Shift{{ID: 1, Unit: 1, Person: people[1], Kind: Leads, Span: Span{at(24, 8), at(24, 20)}}, {ID: 2, Unit: 1, Person: people[2], Kind: OnDuty, Span: Span{at(24, 20), at(25, 8)}},
		{ID: 3, Unit: 1, Person: stranger, Kind: OnDuty, Span: Span{at(25, 8), at(25, 20)}}}
	r := NewRoster(Span{at(24, 0), at(27, 0)}, nil, members, shifts, nil, map[policy.UnitID]Plan{1: {Always, Span{at(24, 8), at(30, 0)}}})
	var got []string
	for _, f := range r.Findings(1, Span{at(24, 8), at(25, 20)}, zone, func(id uuid.UUID) string { return names[id] }) {
		got = append(got, string(f.Kind)+" "+f.Words.ZH+" "+f.Words.EN)
	}
	want := []string{
		"certificate_expired 李正平的执法证已过期。 李正平's certificate has expired.",
		"not_member 外人在这个班次时不在本单位任职，不计入值班。 外人 holds no post in the unit at this shift: it does not count.",
		"no_leader 11月24日 20:00至11月25日 08:00无人带班，由负责人陈建军接办。 Nobody leads the shift from 24 November 20:00 to 25 November 08:00: 陈建军, the unit's head, answers.",
		"hole 11月25日 08:00至20:00无人值班，由负责人陈建军接办。 Nobody is on duty on 25 November 08:00 to 20:00: 陈建军, the unit's head, answers.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	empty := NewRoster(Span{at(24, 0), at(27, 0)}, nil, nil, nil, nil, map[policy.UnitID]Plan{1: {}})
	if f := empty.Findings(1, Span{at(24, 8), at(25, 20)}, zone, nil); len(f) != 1 || f[0].Kind != NoMembers {
		t.Errorf("a unit without people: %+v", f)
	}
}

// Officers by hand: the nearest free one first, then those with a claim, off duty, away, and without a certificate.
func TestOfficers(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	var members []Member
	var ids []uuid.UUID
	add := func(certified time.Time) uuid.UUID {
		id := uuid.New()
		ids = append(ids, id)
		members = append(members, Member{Unit: 1, Person: id, Role: policy.Officer, CertifiedUntil: certified})
		return id
	}
	good := now.AddDate(1, 0, 0)
	far, near, busy, off, away, expired, unseen := add(good), add(good), add(good), add(good), add(good), add(now), add(good)
	members = append(members, Member{Unit: 1, Person: uuid.New(), Role: policy.UnitHead}) // has no certificate: nobody to send
	shift := Span{now.Add(-time.Hour), now.Add(time.Hour)}
	var shifts []Shift
	for _, id := range []uuid.UUID{far, near, busy, away, expired, unseen} {
		shifts = append(shifts, Shift{Unit: 1, Person: id, Kind: OnDuty, Span: shift})
	}
	leave := []Leave{{Person: away, Granted: true, Span: shift}, {Person: near, Span: shift}} // asked for is not granted
	r := NewRoster(Span{now.Add(-30 * time.Hour), now.Add(30 * time.Hour)}, nil, members, shifts, leave, map[policy.UnitID]Plan{1: {Always, Span{shift.From, good}}})
	scene := &Scene{Unit: 1, At: now, Case: &Place{120.5, 30.5}, Territory: &Place{120.5, 30.6}, Claims: map[uuid.UUID]int{busy: 2},
		Positions: map[uuid.UUID]Position{far: {Lon: 120.5, Lat: 30.55}, near: {Lon: 120.5, Lat: 30.501}, busy: {Lon: 120.5, Lat: 30.5}, off: {Lon: 120.5, Lat: 30.5}}}
	list := r.Officers(scene)
	want := []uuid.UUID{near, far, unseen, busy, off, away, expired}
	if len(list) != len(want) {
		t.Fatalf("%d officers, want %d", len(list), len(want))
	}
	words := []string{"在岗，手头没有案件，最后位置距此约 100 米", "在岗，手头没有案件，最后位置距此约 5.6 公里", "在岗，手头没有案件，位置未知，按辖区中心约 11.1 公里",
		"在岗，手头 2 件，最后位置距此约 50 米", "不在岗，手头没有案件，位置未知，按辖区中心约 11.1 公里", "请假，手头没有案件，位置未知，按辖区中心约 11.1 公里",
		"在岗，手头没有案件，位置未知，按辖区中心约 11.1 公里，执法证已过期"}
	for i, c := range list {
		if c.Person != want[i] || c.Free() != (i < 3) || c.Why.ZH != words[i] || c.Why.EN == "" {
			t.Errorf("%d: %v free %v %s, want %v %s", i, c.Person, c.Free(), c.Why.ZH, want[i], words[i])
		}
	}
	scene.Case = nil
	if c := r.Officers(scene)[0]; !strings.Contains(c.Why.EN, "distance unknown") {
		t.Errorf("a case that lies nowhere: %s", c.Why.EN)
	}
}

// A written calendar is read by another library than the one that wrote it: each shift is there with its moments, kind and words, and
// no line is longer than 75 octets.
func TestCalendarIsReadElsewhere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var shifts []Shift
		from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for i := range rapid.IntRange(0, 5).Draw(r, "shifts") {
			from = from.Add(time.Duration(rapid.IntRange(0, 1_000_000).Draw(r, "seconds")) * time.Second)
			shifts = append(shifts, Shift{ID: ShiftID(i + 1), Unit: 7, Kind: rapid.SampledFrom(ShiftKinds).Draw(r, "kind"), Version: rapid.IntRange(1, 9).Draw(r, "version"),
				Changed: from.Add(-time.Hour), Span: Span{from, from.Add(time.Duration(rapid.IntRange(1, 86_400).Draw(r, "length")) * time.Second)}})
		}
		name := worktime.Words{ZH: rapid.StringMatching(`[^\x00-\x1f\x7f-\x{9f}]{1,60}`).Draw(r, "name"), EN: rapid.SampledFrom([]string{"", "Chang'an; team, \\n \"a\": b"}).Draw(r, "English")}
		var b bytes.Buffer
		if err := WriteCalendar(&b, "haining", worktime.Words{ZH: "我的值班", EN: "My duty"}, shifts, func(policy.UnitID) worktime.Words { return name }); err != nil {
			r.Fatal(err)
		}
		for line := range strings.SplitSeq(b.String(), "\r\n") {
			if len(line) > 75 || strings.Contains(line, "\n") {
				r.Fatalf("a line of %d octets: %q", len(line), line)
			}
		}
		if len(shifts) == 0 { // that library refuses a calendar without events
			return
		}
		cal, err := ical.NewDecoder(&b).Decode()
		if err != nil {
			r.Fatalf("%v", err)
		}
		events := cal.Events()
		if len(events) != len(shifts) {
			r.Fatalf("%d events of %d shifts", len(events), len(shifts))
		}
		for i, e := range events {
			s := &shifts[i]
			start, err := e.DateTimeStart(time.UTC)
			end, err2 := e.DateTimeEnd(time.UTC)
			summary, err3 := e.Props.Text(ical.PropSummary)
			about, err4 := e.Props.Text(ical.PropDescription)
			uid, err5 := e.Props.Text(ical.PropUID)
			sequence := e.Props.Get(ical.PropSequence).Value
			for _, err := range []error{err, err2, err3, err4, err5} {
				if err != nil {
					r.Fatal(err)
				}
			}
			if !start.Equal(s.From) || !end.Equal(s.To) || summary != kindWords[s.Kind].ZH+" · "+name.ZH || about != kindWords[s.Kind].EN+", "+english(name) ||
				uid != fmt.Sprintf("shift-%d@haining.gridgov", s.ID) || sequence != fmt.Sprint(s.Version-1) {
				r.Fatalf("%v %v %q %q %s %s of %+v", start, end, summary, about, uid, sequence, s)
			}
		}
	})
}

func BenchmarkStanding(b *testing.B) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	var members []Member
	var shifts []Shift
	plans := map[policy.UnitID]Plan{}
	for u := range policy.UnitID(250) {
		plans[u] = Plan{Always, Span{now.AddDate(0, -1, 0), now.AddDate(0, 1, 0)}}
		for range 20 {
			id := uuid.New()
			members = append(members, Member{Unit: u, Person: id, Role: policy.Officer})
			for d := range 4 {
				from := now.Add(time.Duration(d-2) * 24 * time.Hour)
				shifts = append(shifts, Shift{Unit: u, Person: id, Kind: OnDuty, Span: Span{from, from.Add(12 * time.Hour)}})
			}
		}
	}
	r := NewRoster(Span{now.Add(-50 * time.Hour), now.Add(50 * time.Hour)}, nil, members, shifts, nil, plans)
	for b.Loop() {
		if s := r.Standing(7, now); s.OnDuty != 20 {
			b.Fatal(s)
		}
	}
}
