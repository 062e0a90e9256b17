package report

import (
	"testing"
	"time"
)

// A cursor that is taken is one that was given out, to the letter.
func FuzzParseCursor(f *testing.F) {
	f.Add(cursor(time.Date(2026, 11, 24, 8, 0, 0, 1000, time.UTC), 7))
	f.Add(cursor(time.Time{}, 0))
	f.Add(cursor(time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), 1<<32-1))
	for _, s := range []string{"", "MS4y", "KzEuMg", "MS4yeA", "MDEuMg", "====", "MS4tMg"} { // 1.2, +1.2, 1.2x, 01.2, none, 1.-2
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, num, err := parseCursor(s)
		if err != nil {
			return
		}
		if again := cursor(at, num); again != s {
			t.Fatalf("%q is taken for %v, %d, whose cursor is %q", s, at, num, again)
		}
	})
}
