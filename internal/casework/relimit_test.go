package casework

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/assign"
	"gridgov/internal/worktime"
)

// Taken over to another list, wherever its acts have brought it, a case is where it was; what is stopped stays, what is not has
// the new limit with at least half of it left, and whatever was granted besides.
func TestRelimited(t *testing.T) {
	limits := []worktime.Budget{worktime.Minutes(30), worktime.ClockHours(4), worktime.WorkHours(2), worktime.WorkHours(9), worktime.WorkDays(5)}
	rapid.Check(t, func(t *rapid.T) {
		c, err := Open(Case{Ref: Ref{Report: 1}, CatalogueID: 1}, assign.Decision{Unit: 3}, terms, monday)
		if err != nil {
			t.Fatal(err)
		}
		at := monday
		for range rapid.IntRange(0, 25).Draw(t, "acts") {
			at = at.Add(time.Duration(rapid.IntRange(0, 6*3600).Draw(t, "wait")) * time.Second)
			d := full(rapid.SampledFrom(Table).Draw(t, "act").Act, at)
			if rapid.Bool().Draw(t, "another") {
				d.Person = other
			}
			if n, err := Apply(c, terms, d); err == nil {
				c = n
			}
		}
		next := *terms
		next.CalendarID = 7
		next.First = rapid.SampledFrom(limits).Draw(t, "first")
		next.Stages = []Stage{{Limit: rapid.SampledFrom(limits).Draw(t, "disposal")}}
		next.Steps.Dispatch = rapid.SampledFrom(limits).Draw(t, "dispatch")
		n, fits, err := Relimited(c, terms, &next, 2, at.Add(time.Hour))
		if err != nil || !fits {
			t.Fatalf("%v, %v", fits, err)
		}
		if n == nil {
			if next.First != terms.First || !slices.Equal(next.Stages, terms.Stages) || next.Steps != terms.Steps {
				t.Fatal("other limits, and nothing is another")
			}
			return
		}
		if n.State != c.State || n.Unit != c.Unit || n.Version != c.Version+1 || n.CatalogueID != 2 || len(n.Clocks) != len(c.Clocks) {
			t.Fatalf("%+v", n)
		}
		for i := range n.Clocks {
			was, is := &c.Clocks[i], &n.Clocks[i]
			if was.Phase() == worktime.Stopped {
				if len(was.Marks()) != len(is.Marks()) || was.Calendar != is.Calendar {
					t.Fatalf("a stopped clock is another: %+v", is.Marks())
				}
				continue
			}
			want := next.limitOf(is.Kind, is.Stage)
			s := is.State(calendar)
			if is.Limit() != want || is.Phase() != was.Phase() {
				t.Fatalf("%s: %s and %s, want %s and %s", is.Kind, is.Limit(), is.Phase(), want, was.Phase())
			}
			if was.Limit() != want && s.Remaining(calendar, at.Add(time.Hour)) < s.Limit/2 {
				t.Fatalf("%s: %d s are left of %d", is.Kind, s.Remaining(calendar, at.Add(time.Hour)), s.Limit)
			}
		}
	})
}

// An item in disposal keeps its list where the other one has another number of stages; before that it takes it.
func TestRelimitedInStages(t *testing.T) {
	for s, want := range map[State]bool{Reported: true, Dispatched: true, Received: false, Disposing: false, FedBack: false} {
		if _, fits, err := Relimited(at(t, terms, s), terms, staged, 2, monday.Add(time.Hour)); fits != want || err != nil {
			t.Errorf("%s: %v, %v", s, fits, err)
		}
	}
}
