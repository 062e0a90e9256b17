package auth_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/auth"
)

var start = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// Strangers, however many and however fast, never stop the person's own device; and what they may guess about one login is
// bounded over every stretch of time.
func TestStrangersStopNoKnownDeviceAndGuessSlowly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		th := auth.NewThrottle(auth.DefaultRates)
		now := start
		var taken []time.Time
		from := map[string][]time.Time{}
		own := auth.Guess{Login: "wang", Address: "10.0.0.1", Device: "phone"}
		for range rapid.IntRange(1, 400).Draw(t, "acts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60_000).Draw(t, "ms")) * time.Millisecond)
			g := auth.Guess{Login: "wang", Address: fmt.Sprintf("10.0.%d.%d", rapid.IntRange(0, 30).Draw(t, "net"), rapid.IntRange(0, 3).Draw(t, "host"))}
			if th.Wait(now, own) != 0 {
				t.Fatal("the known device has to wait")
			}
			wait := th.Wait(now, g)
			took, ok := th.Take(now, g)
			if wait != took || ok != (took == 0) {
				t.Fatalf("Wait says %v, Take %v %v", wait, took, ok)
			}
			if ok {
				taken = append(taken, now)
				from[g.Address] = append(from[g.Address], now)
				continue
			}
			if later, ok := th.Take(now.Add(wait), g); ok { // exactly then: give it back
				th.Give(now.Add(wait), g)
			} else {
				t.Fatalf("told to wait %v, then %v more", wait, later)
			}
			if wait > time.Nanosecond {
				if _, ok := th.Take(now.Add(wait-time.Nanosecond), g); ok {
					t.Fatal("told to wait longer than needed")
				}
			}
		}
		bound(t, taken, auth.DefaultRates.Login)
		for _, list := range from {
			bound(t, list, auth.DefaultRates.Prefix)
		}
	})
}

// bound holds each stretch between two guesses against a rate.
func bound(t *rapid.T, taken []time.Time, r auth.Rate) {
	for i := range taken {
		for k := i; k < len(taken); k++ {
			if most := r.Burst + int(taken[k].Sub(taken[i])/r.Every); k-i+1 > most {
				t.Fatalf("%d guesses in %v, at most %d", k-i+1, taken[k].Sub(taken[i]), most)
			}
		}
	}
}

func TestTheOwnersDeviceHasItsOwnCounter(t *testing.T) {
	th := auth.NewThrottle(auth.DefaultRates)
	own := auth.Guess{Login: "wang", Address: "10.0.0.1", Device: "phone"}
	stranger := auth.Guess{Login: "wang", Address: "10.0.0.1"}
	for range auth.DefaultRates.Device.Burst {
		if _, ok := th.Take(start, own); !ok {
			t.Fatal("refused within the burst")
		}
	}
	if wait, ok := th.Take(start, own); ok || wait != auth.DefaultRates.Device.Every {
		t.Errorf("after the burst: %v %v", wait, ok)
	}
	if _, ok := th.Take(start, stranger); !ok {
		t.Error("the device's counter is taken for the strangers'")
	}
	if _, ok := th.Take(start, auth.Guess{Login: "wang", Address: "10.0.0.1", Device: "tablet"}); !ok {
		t.Error("two devices share a counter")
	}
}

func TestAHostsAddressesAreOne(t *testing.T) {
	for a, b := range map[string]string{"2001:db8::1": "2001:db8::ffff", "::ffff:10.0.0.1": "10.0.0.1", "fe80::1%eth0": "fe80::2", "nonsense": ""} {
		th := auth.NewThrottle(auth.DefaultRates)
		for i := range auth.DefaultRates.Address.Burst {
			if _, ok := th.Take(start, auth.Guess{Login: fmt.Sprint(i), Address: a}); !ok {
				t.Fatal("refused within the burst")
			}
		}
		if _, ok := th.Take(start, auth.Guess{Login: "other", Address: b}); ok {
			t.Errorf("%s and %s count apart", a, b)
		}
	}
}

func TestTheClockMayGoBack(t *testing.T) {
	th := auth.NewThrottle(auth.DefaultRates)
	g := auth.Guess{Login: "wang", Address: "10.0.0.1"}
	for range 5 {
		th.Take(start.AddDate(1, 0, 0), g)
	}
	if wait := th.Wait(start, g); wait > auth.DefaultRates.Prefix.Every*time.Duration(auth.DefaultRates.Prefix.Burst) {
		t.Errorf("a clock that went back a year locks for %v", wait)
	}
}
