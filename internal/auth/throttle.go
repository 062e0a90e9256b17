package auth

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Rate allows Burst guesses at once, and from then on one every Every.
type Rate struct {
	Burst int
	Every time.Duration
}

// Rates are how often may be guessed. A device from which the person has signed in before has a counter of its own and
// none else: strangers can empty all the others and do not hold it up. What everybody else may guess about one login is
// bounded by Login, from however many addresses they come.
type Rates struct {
	Device  Rate // about one login, from one device that is known
	Prefix  Rate // about one login, from one /24 or /64
	Address Rate // about all logins, from one IPv4 address or one /64
	Login   Rate // about one login, from all devices that are not known
}

// DefaultRates let a person mistype, and a guesser try 500 passwords a day.
var DefaultRates = Rates{
	Device:  Rate{10, time.Minute},
	Prefix:  Rate{5, 2 * time.Minute},
	Address: Rate{30, 10 * time.Second},
	Login:   Rate{20, 3 * time.Minute},
}

// Guess is an attempt at a login.
type Guess struct {
	Login   string
	Address string // of the client
	Device  string // "": not known as one from which the person has signed in
}

// Throttle counts guesses, in memory: each node of a service by itself. Its memory is bounded: when more is going on than
// it can tell apart, newcomers share one counter of each kind.
type Throttle struct {
	rates Rates
	most  int

	mu   sync.Mutex
	full map[string]time.Time // by counter: when it will be full again; no entry: it is
}

// mostCounters bound a throttle to some 20 MB.
const mostCounters = 100_000

// NewThrottle makes one whose counters are full.
func NewThrottle(r Rates) *Throttle {
	return &Throttle{rates: r, most: mostCounters, full: map[string]time.Time{}}
}

type counter struct {
	key  string
	rate Rate
}

// counters are those that a guess takes from.
func (t *Throttle) counters(g Guess) []counter {
	if g.Device != "" {
		return []counter{{"d\x00" + g.Login + "\x00" + g.Device, t.rates.Device}}
	}
	prefix, address := network(g.Address)
	return []counter{{"p\x00" + g.Login + "\x00" + prefix, t.rates.Prefix}, {"a\x00" + address, t.rates.Address}, {"l\x00" + g.Login, t.rates.Login}}
}

// network gives the /24 or /64 that an address lies in, and the address itself, of IPv6 the /64: a host has all of that.
func network(address string) (prefix, host string) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "?", "?"
	}
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p := netip.PrefixFrom(a, bits).Masked().String()
	if a.Is4() {
		return p, a.String()
	}
	return p, p
}

// Take takes a guess from each of its counters, or where one of them is empty, from none, and tells how long to wait.
func (t *Throttle) Take(now time.Time, g Guess) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.counters(g)
	for i := range all {
		all[i].key = t.room(now, all[i].key)
		wait = max(wait, all[i].wait(now, t.full[all[i].key]))
	}
	if wait > 0 {
		return wait, false
	}
	for _, c := range all {
		t.full[c.key] = c.clamp(now, t.full[c.key]).Add(c.rate.Every)
	}
	return 0, true
}

// Wait tells how long Take would have to wait, without taking.
func (t *Throttle) Wait(now time.Time, g Guess) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.counters(g) {
		wait = max(wait, c.wait(now, t.full[t.room(now, c.key)]))
	}
	return wait
}

// Give gives back what Take took: it was no wrong guess.
func (t *Throttle) Give(now time.Time, g Guess) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.counters(g) {
		key := t.room(now, c.key)
		if full, ok := t.full[key]; ok {
			if full = full.Add(-c.rate.Every); full.After(now) {
				t.full[key] = full
			} else {
				delete(t.full, key)
			}
		}
	}
}

// clamp mends a counter's time: it is full now at the earliest, and empty now at the latest, wherever the clock was.
func (c *counter) clamp(now, full time.Time) time.Time {
	empty := now.Add(time.Duration(c.rate.Burst) * c.rate.Every)
	switch {
	case full.Before(now):
		return now
	case full.After(empty):
		return empty
	}
	return full
}

// wait tells how long until the counter has one to take.
func (c *counter) wait(now, full time.Time) time.Duration {
	return max(0, c.clamp(now, full).Add(c.rate.Every).Sub(now)-time.Duration(c.rate.Burst)*c.rate.Every)
}

// room gives the key under which a counter is kept: its own, or where there is no room for a new one, that of all
// newcomers of its kind. Known devices always have room: their number is that of people, not of strangers.
func (t *Throttle) room(now time.Time, key string) string {
	if _, ok := t.full[key]; ok || len(t.full) < t.most || strings.HasPrefix(key, "d") {
		return key
	}
	for k, full := range t.full {
		if !full.After(now) {
			delete(t.full, k)
		}
	}
	if len(t.full) < t.most {
		return key
	}
	return key[:1]
}
