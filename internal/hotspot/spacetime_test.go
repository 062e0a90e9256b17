package hotspot_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/hotspot"
)

// Pairs are those that a look at each finds, what is expected is the mean of draws, and p is small where events repeat nearby alone.
func TestKnox(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	var events []hotspot.Event
	for range 120 {
		events = append(events, hotspot.Event{At: orb.Point{float64(rng.IntN(60)) * 10, float64(rng.IntN(60)) * 10}, Day: float64(rng.IntN(100))})
	}
	metres, days := []float64{0, 50, 100}, []float64{2, 7}
	chance := must(hotspot.Knox(t.Context(), events, metres, days, 999, 1))
	for i := range 40 { // something follows nearby soon
		e := events[i]
		events = append(events, hotspot.Event{At: orb.Point{e.At[0] + 30, e.At[1]}, Day: e.Day + 1})
	}
	repeats := must(hotspot.Knox(t.Context(), events, metres, days, 999, 1))
	seen := map[[2]int]int{}
	for i, a := range events {
		for _, b := range events[:i] {
			far, apart := math.Hypot(a.At[0]-b.At[0], a.At[1]-b.At[1]), math.Abs(a.Day-b.Day)
			s, d := 0, 0
			for s < len(metres) && far > metres[s] {
				s++
			}
			for d < len(days) && apart > days[d] {
				d++
			}
			seen[[2]int{s, d}]++
		}
	}
	for s := range metres {
		inBand := seen[[2]int{s, 0}] + seen[[2]int{s, 1}] + seen[[2]int{s, 2}]
		for d := range days {
			if got := repeats.Seen[s][d]; got != seen[[2]int{s, d}] {
				t.Errorf("%d pairs in band %d, %d, want %d", got, s, d, seen[[2]int{s, d}])
			}
			inTime := 0
			for other := range len(metres) + 1 {
				inTime += seen[[2]int{other, d}]
			}
			want := float64(inBand) * float64(inTime) / float64(len(events)*(len(events)-1)/2)
			if got := repeats.Expected[s][d]; math.Abs(got-want) > 1e-9 {
				t.Errorf("%g expected in band %d, %d, want %g", got, s, d, want)
			}
			if p := chance.P[s][d]; p < 0.005 || p > 1 {
				t.Errorf("by chance alone p is %g in band %d, %d", p, s, d)
			}
		}
	}
	if p := repeats.P[1][0]; p != 0.001 {
		t.Errorf("p of what repeats nearby is %g", p)
	}
	again := must(hotspot.Knox(t.Context(), events, metres, days, 999, 1))
	for s := range metres {
		for d := range days {
			if again.P[s][d] != repeats.P[s][d] {
				t.Error("the same seed gives another answer")
			}
		}
	}
	for _, bad := range [][]float64{nil, {-1}, {5, 5}, {math.NaN()}} {
		if _, err := hotspot.Knox(t.Context(), events, bad, days, 9, 1); err == nil {
			t.Errorf("limits of %v are taken", bad)
		}
	}
	if _, err := hotspot.Knox(t.Context(), make([]hotspot.Event, hotspot.MaxEvents+1), metres, days, 9, 1); err == nil {
		t.Error("more events than may be are taken")
	}
	if none := must(hotspot.Knox(t.Context(), nil, metres, days, 9, 1)); none.P[0][0] != 1 || none.Seen[0][0] != 0 {
		t.Errorf("%+v", none)
	}
}
