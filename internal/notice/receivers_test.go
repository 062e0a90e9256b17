package notice_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"gridgov/internal/casework"
	"gridgov/internal/notice"
	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// who is the person of a name, the same each time.
func who(name string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(name)) }

const (
	team, bureau, empty policy.UnitID = 1, 2, 3
)

var (
	city  = policy.Area{Level: policy.City, Code: "330481"}
	town  = policy.Area{Level: policy.Town, Code: "330481101"}
	other = policy.Area{Level: policy.Town, Code: "330481102"}
	grid  = policy.Area{Level: policy.Grid, Code: "330481101001001"}
	here  = policy.Cell{Town: town.Code, Village: "330481101001", Grid: grid.Code}
)

func everybody() *notice.Staff {
	return notice.NewStaff([]person.Holder{
		{Person: who("head"), Role: policy.UnitHead, Unit: team, Area: town}, {Person: who("duty"), Role: policy.DutyLeader, Unit: team, Area: town},
		{Person: who("officer"), Role: policy.Officer, Unit: team, Area: town}, {Person: who("chief"), Role: policy.UnitHead, Unit: bureau},
		{Person: who("clerk"), Role: policy.UnitMember, Unit: empty},
		{Person: who("desk"), Role: policy.Desk, Area: city}, {Person: who("town desk"), Role: policy.Desk, Area: town}, {Person: who("centre"), Role: policy.CentreHead, Area: city},
		{Person: who("mayor"), Role: policy.TownLeader, Area: town}, {Person: who("other mayor"), Role: policy.TownLeader, Area: other},
		{Person: who("worker"), Role: policy.GridWorker, Area: grid}, {Person: who("admin"), Role: policy.Administrator, Area: city},
	}, nil)
}

// Where a unit keeps a roster, who leads the shift is told, whatever posts others hold; where it has a hole, the head is.
func TestTheRosterSaysWhoIsTold(t *testing.T) {
	posts := []person.Holder{{Person: who("head"), Role: policy.UnitHead, Unit: team, Area: town}, {Person: who("day"), Role: policy.DutyLeader, Unit: team, Area: town},
		{Person: who("night"), Role: policy.DutyLeader, Unit: team, Area: town}, {Person: who("officer"), Role: policy.Officer, Unit: team, Area: town}}
	for _, c := range []struct {
		leads         string
		onShift, kept bool
		amber, red    string
	}{
		{"officer", true, true, "officer: duty_leader", "head: unit_head, officer: duty_leader"},
		{"night", true, true, "night: duty_leader", "head: unit_head, night: duty_leader"},
		{"head", false, true, "head: unit_head", "head: unit_head"},
		{"head", false, false, "day: duty_leader, night: duty_leader", "head: unit_head, day: duty_leader, night: duty_leader"},
	} {
		staff := notice.NewStaff(posts, func(policy.UnitID) (uuid.UUID, bool, bool) { return who(c.leads), c.onShift, c.kept })
		for step, want := range map[notice.Step]string{notice.Amber: c.amber, notice.Red: c.red} {
			if got := spoken(notice.Receivers(&notice.Facts{Step: step, Clock: casework.ReceiveClock, Unit: team, Cell: here}, staff)); got != want {
				t.Errorf("%+v, %s: %s", c, step, got)
			}
		}
	}
}

// A line a case of who is told: the step, the clock, who has it in hand, whose it is; then who, and why.
func TestReceivers(t *testing.T) {
	for _, c := range []struct {
		step    notice.Step
		clock   casework.ClockKind
		handler string
		unit    policy.UnitID
		cell    policy.Cell
		want    string
	}{
		{notice.Amber, casework.DisposalClock, "officer", team, here, "officer: handler"},
		{notice.Amber, casework.DisposalClock, "", team, here, "duty: duty_leader"},
		{notice.Amber, casework.ReceiveClock, "", bureau, here, "chief: unit_head"},
		{notice.Amber, casework.FirstClock, "", empty, here, "clerk: unit_member"},
		{notice.Amber, casework.FirstClock, "", 99, here, "town desk: desk"},
		{notice.Red, casework.DisposalClock, "officer", team, here, "head: unit_head, duty: duty_leader, officer: handler"},
		{notice.Red, casework.DisposalClock, "chief", bureau, here, "chief: unit_head"},
		{notice.Red, casework.ReceiveClock, "", empty, here, "clerk: unit_member"},
		{notice.Amber, casework.DeskClock, "", team, here, "town desk: desk"},
		{notice.Amber, casework.DeskClock, "", team, policy.Cell{}, "desk: desk"}, // it lies nowhere: the city's
		{notice.Red, casework.DeskClock, "", team, here, "centre: centre_head, town desk: desk"},
		{notice.Amber, casework.VerifyClock, "officer", team, here, "town desk: desk"},
		{notice.Amber, casework.ConfirmClock, "", team, here, "worker: grid"},
		{notice.Red, casework.ConfirmClock, "", team, here, "worker: grid, town desk: desk"},
		{notice.Amber, casework.SelfClock, "worker", team, here, "worker: handler"},
		{notice.Amber, casework.ReviewClock, "officer", team, here, "centre: centre_head"},
		{notice.Supervise, casework.DisposalClock, "officer", team, here, "mayor: town_leader, centre: centre_head"},
		{notice.Supervise, casework.DeskClock, "", team, policy.Cell{}, "centre: centre_head"},
	} {
		f := notice.Facts{Step: c.step, Clock: c.clock, Unit: c.unit, Cell: c.cell}
		if c.handler != "" {
			f.Handler = who(c.handler)
		}
		if got := spoken(notice.Receivers(&f, everybody())); got != c.want {
			t.Errorf("%s, %s, in hand of %q, unit %d, in %q: told are %q, want %q", c.step, c.clock, c.handler, c.unit, c.cell.Grid, got, c.want)
		}
	}
}

func spoken(list []notice.Receiver) string {
	parts := make([]string, len(list))
	for i, r := range list {
		name := "?"
		for _, n := range []string{"head", "duty", "officer", "chief", "clerk", "desk", "town desk", "centre", "mayor", "other mayor", "worker", "admin", "day", "night"} {
			if who(n) == r.Person {
				name = n
			}
		}
		parts[i] = fmt.Sprintf("%s: %s", name, r.Why)
	}
	return strings.Join(parts, ", ")
}

// Whatever the clock and whoever is there: nobody twice, each with a reason, and somebody as long as a desk, a head or an administrator
// is there.
func TestSomebodyIsToldOnce(t *testing.T) {
	kinds := []casework.ClockKind{casework.DeskClock, casework.ConfirmClock, casework.SelfClock, casework.ReceiveClock, casework.FirstClock, casework.DisposalClock,
		casework.VerifyClock, casework.ReviewClock}
	areas := []policy.Area{city, town, other, grid, {}}
	rapid.Check(t, func(t *rapid.T) {
		var posts []person.Holder
		for range rapid.IntRange(0, 12).Draw(t, "posts") {
			posts = append(posts, person.Holder{Person: who(fmt.Sprint(rapid.IntRange(1, 6).Draw(t, "person"))), Role: rapid.SampledFrom(policy.Roles).Draw(t, "role"),
				Unit: policy.UnitID(rapid.IntRange(0, 3).Draw(t, "unit")), Area: rapid.SampledFrom(areas).Draw(t, "area")})
		}
		posts = append(posts, person.Holder{Person: who("admin"), Role: policy.Administrator, Area: city})
		f := notice.Facts{Step: rapid.SampledFrom(notice.Steps).Draw(t, "step"), Clock: rapid.SampledFrom(kinds).Draw(t, "clock"),
			Unit: policy.UnitID(rapid.IntRange(1, 4).Draw(t, "of"))}
		if rapid.Bool().Draw(t, "placed") {
			f.Cell = here
		}
		if rapid.Bool().Draw(t, "in hand") {
			f.Handler = who(fmt.Sprint(rapid.IntRange(1, 6).Draw(t, "handler")))
		}
		got := notice.Receivers(&f, notice.NewStaff(posts, nil))
		if len(got) == 0 {
			t.Fatal("nobody is told")
		}
		for i, r := range got {
			if r.Person == uuid.Nil || !slices.Contains(notice.Whys, r.Why) {
				t.Fatalf("%+v", r)
			}
			if slices.ContainsFunc(got[:i], func(o notice.Receiver) bool { return o.Person == r.Person }) {
				t.Fatalf("%v is told twice", r.Person)
			}
		}
		if f.Step == notice.Red && f.Handler != uuid.Nil && f.Clock == casework.DisposalClock &&
			!slices.ContainsFunc(got, func(r notice.Receiver) bool { return r.Person == f.Handler }) {
			t.Fatal("whoever has it in hand is not told that it is overdue")
		}
	})
}
