package casework

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/report"
)

// Whatever goes and comes, the lists are those that sorting would make.
func TestEntriesAreInTheirPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &Board{of: map[report.Num][]*Entry{}}
		there := map[Ref]*Entry{}
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			nums := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) report.Num { return report.Num(rapid.IntRange(1, 60).Draw(t, "num")) }), 0, 40,
				func(n report.Num) report.Num { return n }).Draw(t, "nums")
			var come []*Entry
			for _, num := range nums {
				for part := range 3 {
					ref := Ref{Report: num, Part: part}
					delete(there, ref)
					if part < rapid.IntRange(0, 3).Draw(t, "parts") {
						e := &Entry{}
						e.Ref = ref
						e.OpenedAt = time.Unix(int64(rapid.IntRange(0, 5).Draw(t, "opened")), 0)
						if due := rapid.IntRange(0, 5).Draw(t, "due"); due > 0 {
							e.DueAt = time.Unix(int64(due), 0)
						}
						there[ref], come = e, append(come, e)
					}
				}
			}
			b.Put(nums, come)
			var all []*Entry
			for _, e := range there {
				all = append(all, e)
			}
			for name, l := range map[string]struct {
				got   []*Entry
				order func(a, b *Entry) int
			}{"byDue": {b.byDue, byDue}, "byOpened": {b.byOpened, byOpened}} {
				if want := slices.SortedFunc(slices.Values(all), l.order); !slices.Equal(l.got, want) {
					t.Fatalf("%s has %d entries, sorted there are %d, or they lie otherwise", name, len(l.got), len(want))
				}
			}
		}
	})
}
