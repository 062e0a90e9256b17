package cube

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Hours are those of the clocks on the wall, in zones that are set forward and back, by half an hour, and never.
func TestHoursAreThoseOnTheWall(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		d := DialOf(zone)
		for range 20_000 {
			at := rng.Uint32()
			if hour := time.Unix(int64(at), 0).In(zone).Hour(); !d.Hours(1<<hour).has(at) || d.Hours(^(1 << hour)).has(at) {
				t.Fatalf("%s: %s is not in hour %d", name, time.Unix(int64(at), 0).In(zone), hour)
			}
		}
		for _, turn := range d.turns[1:] { // the seconds before and after
			for _, at := range []uint32{turn.from - 1, turn.from, turn.from + 1} {
				if hour := time.Unix(int64(at), 0).In(zone).Hour(); !d.Hours(1 << hour).has(at) {
					t.Fatalf("%s: %d is not in hour %d", name, at, hour)
				}
			}
		}
		if !d.Hours(0).has(math.MaxUint32) || d.Hours(1<<24-1) != nil {
			t.Fatal("no hour, or each, is all")
		}
	}
}
