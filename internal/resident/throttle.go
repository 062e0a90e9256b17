package resident

import (
	"net/netip"
	"sync"
	"time"
)

// rate allows burst at once, and from then on one every every.
type rate struct {
	burst int
	every time.Duration
}

// The rates. A recipient gets a code a minute and five an hour, an address asks for twenty an hour, and the city sends
// so many as its gateway's bill can bear. Many residents share one address of a mobile network: what is told is bounded
// more widely than what is asked.
var (
	perRecipient = []rate{{1, AskAgain}, {5, 12 * time.Minute}}
	perAddress   = rate{20, 3 * time.Minute}
	perCity      = rate{200, 6 * time.Second}
	tellAddress  = rate{40, time.Minute}
)

// throttle counts in memory: each node by itself. When more is going on than it can tell apart, newcomers share a counter.
type throttle struct {
	mu   sync.Mutex
	full map[string]time.Time // by counter: when it is full again; no entry: it is
}

const mostCounters = 100_000

func newThrottle() *throttle { return &throttle{full: map[string]time.Time{}} }

type counter struct {
	key  string
	rate rate
}

// take takes one from each counter, or from none where one is empty, and tells how long to wait.
func (t *throttle) take(now time.Time, all ...counter) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range all {
		c := &all[i]
		c.key = t.room(now, c.key)
		wait = max(wait, t.at(now, *c).Add(c.rate.every).Sub(now)-time.Duration(c.rate.burst)*c.rate.every)
	}
	if wait > 0 {
		return wait
	}
	for _, c := range all {
		t.full[c.key] = t.at(now, c).Add(c.rate.every)
	}
	return 0
}

// give gives back what take took.
func (t *throttle) give(now time.Time, c counter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if key := t.room(now, c.key); !t.full[key].IsZero() {
		t.full[key] = t.full[key].Add(-c.rate.every)
	}
}

// at is when a counter is full again: now at the earliest, and not later than from empty, wherever the clock was.
func (t *throttle) at(now time.Time, c counter) time.Time {
	full, empty := t.full[c.key], now.Add(time.Duration(c.rate.burst)*c.rate.every)
	switch {
	case full.Before(now):
		return now
	case full.After(empty):
		return empty
	}
	return full
}

func (t *throttle) room(now time.Time, key string) string {
	if _, ok := t.full[key]; ok || len(t.full) < mostCounters {
		return key
	}
	for k, full := range t.full {
		if !full.After(now) {
			delete(t.full, k)
		}
	}
	if len(t.full) < mostCounters {
		return key
	}
	return key[:1]
}

// host is an IPv4 address, or the /64 of an IPv6 address: a host has all of that.
func host(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "?"
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}
