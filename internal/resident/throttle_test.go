package resident

import (
	"fmt"
	"testing"
	"time"
)

// A counter lets its burst through at once and then one every while, whenever it is asked; what is refused takes nothing.
func TestThrottle(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	th := newThrottle()
	c := func() []counter { return []counter{{"m" + "x", perRecipient[0]}, {"h" + "x", perRecipient[1]}} }
	let := func(span time.Duration) (n int) {
		for end := now.Add(span); now.Before(end); now = now.Add(time.Second) {
			if th.take(now, c()...) == 0 {
				n++
			}
		}
		return n
	}
	if n := let(time.Minute); n != 1 {
		t.Errorf("%d codes in the first minute", n)
	}
	if n := let(9 * time.Minute); n != 4 {
		t.Errorf("%d codes in the nine minutes after", n)
	}
	if n := let(50 * time.Minute); n > 4 {
		t.Errorf("%d codes in the rest of the hour", n)
	}
	now = now.Add(-24 * time.Hour) // the clock was set back
	if wait := th.take(now, c()...); wait > 12*time.Minute {
		t.Errorf("after the clock was set back one waits for %s", wait)
	}
}

func TestThrottleGivesBack(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	th := newThrottle()
	for range 100 {
		if wait := th.take(now, counter{"t", tellAddress}); wait > 0 {
			t.Fatalf("what was given back is missing for %s", wait)
		}
		th.give(now, counter{"t", tellAddress})
	}
}

// However many ask, the memory is bounded, and who is known goes on.
func TestThrottleIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	th := newThrottle()
	for i := range mostCounters + 100 {
		th.take(now, counter{fmt.Sprintf("a%d", i), perAddress})
	}
	if len(th.full) > mostCounters+1 {
		t.Errorf("%d counters", len(th.full))
	}
	if wait := th.take(now, counter{"a0", perAddress}); wait > 0 {
		t.Errorf("who is known waits for %s", wait)
	}
}

func TestHost(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "": "?", "x": "?"} {
		if got := host(address); got != want {
			t.Errorf("%q is %q, want %q", address, got, want)
		}
	}
}

func TestRecipients(t *testing.T) {
	for phone, want := range map[string]bool{"13800138000": true, "+12025550123": true, "110": false, "057387001234": false, "12800138000": false,
		"1380013800": false, "13800138000#5": false, "+1": false, "+1234567890123456": false, "": false} {
		if mobile(phone) != want {
			t.Errorf("mobile %q is %v", phone, !want)
		}
	}
	for address, want := range map[string]bool{"li@example.org": true, "a.b+c@mail.example.org": true, "li@localhost": false, `"a b"@example.org`: false,
		"li@example.org>": false, "a,b@example.org": false, "李@example.org": false, "li@[127.0.0.1]": false, "@example.org": false, "li": false, "a@b@c.d": false} {
		if mailbox(address) != want {
			t.Errorf("mailbox %q is %v", address, !want)
		}
	}
}
