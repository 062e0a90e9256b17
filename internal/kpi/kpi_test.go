package kpi

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// The vector that the practice publishes.
func TestPublishedVector(t *testing.T) {
	v := Tally{Due: 972, Closed: 911, OnTime: 737}
	if c, o := v.Closure(), v.OnTimeRate(); c.Percent() != 93.72 || o.Percent() != 75.82 || c.N != 972 || c.TooFew() {
		t.Errorf("%v %v, %v %v", c, c.Percent(), o, o.Percent())
	}
}

func TestTooFew(t *testing.T) {
	for n, few := range map[int]bool{0: true, 19: true, 20: false} {
		if r := (Tally{Due: n + 3, Suspended: 3}).Closure(); r.TooFew() != few || r.N != n {
			t.Errorf("%d: %+v", n, r)
		}
	}
	if (Rate{}).Percent() != 0 {
		t.Error("a rate of none")
	}
}

func TestRates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		due := rapid.IntRange(0, 1<<31).Draw(t, "due")
		v := Tally{Due: due, Suspended: rapid.IntRange(0, due).Draw(t, "suspended")}
		v.Closed = rapid.IntRange(0, v.Due-v.Suspended).Draw(t, "closed")
		v.OnTime = rapid.IntRange(0, v.Closed).Draw(t, "on time")
		c, o := v.Closure(), v.OnTimeRate()
		if c.Percent() < 0 || c.Percent() > 100 || o.Percent() > c.Percent() {
			t.Fatalf("%+v: %v, %v", v, c.Percent(), o.Percent())
		}
		if c.N > 0 { // it is the nearest hundredth, by exact fractions
			exact, _ := new(big.Rat).Mul(big.NewRat(int64(c.Part), int64(c.N)), big.NewRat(100, 1)).Float64()
			if math.Abs(exact-c.Percent()) > 0.005+1e-9 {
				t.Fatalf("%+v: %v, exactly %v", c, c.Percent(), exact)
			}
		}
		// A suspended case is in no rate.
		more := v.Add(Tally{Due: 1, Suspended: 1})
		if more.Closure() != c || more.OnTimeRate() != o {
			t.Fatalf("%+v, %+v", v, more)
		}
	})
}
