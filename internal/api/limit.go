package api

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"gridgov/internal/fault"
)

// Limits bound what one person, or one address of those who have not signed in, may ask. An office shares an address, and a
// map asks for dozens of tiles at once: they are wide, and stop what runs away.
type Limits struct {
	Rate      rate.Limit // requests a second that ask the database
	Burst     int
	Masses    rate.Limit // requests a second that do not: tiles
	MassBurst int
	AtOnce    int // requests under way
	Streams   int // of them streams
}

// DefaultLimits are some ten times what the page asks for at its busiest.
var DefaultLimits = Limits{Rate: 50, Burst: 200, Masses: 1000, MassBurst: 4000, AtOnce: 64, Streams: 8}

// LimitsOf are the default ones, scaled to so many requests a second.
func LimitsOf(perSecond float64) Limits {
	l := DefaultLimits
	l.Rate, l.Burst = rate.Limit(perSecond), int(4*perSecond)+1
	l.Masses, l.MassBurst = 20*l.Rate, 20*l.Burst
	return l
}

// NoLimits are for measurements.
var NoLimits = Limits{Rate: rate.Inf, Masses: rate.Inf, AtOnce: math.MaxInt, Streams: math.MaxInt}

// limiter keeps who has asked lately.
type limiter struct {
	Limits
	now func() time.Time

	mu    sync.Mutex
	known map[client]*asking
	swept time.Time
}

// asking is what somebody has under way, and may still ask.
type asking struct {
	few, masses     *rate.Limiter
	atOnce, streams int
	last            time.Time
}

func newLimiter(l Limits, now func() time.Time) *limiter {
	if l == (Limits{}) {
		l = DefaultLimits
	}
	return &limiter{Limits: l, now: now, known: map[client]*asking{}, swept: now()}
}

// forgetAfter is how long who asks nothing is remembered; by then all buckets are full again.
const forgetAfter = 5 * time.Minute

// of returns the entry of a client; the limiter is locked.
func (l *limiter) of(who client, at time.Time) *asking {
	if at.Sub(l.swept) > time.Minute {
		l.swept = at
		for k, a := range l.known {
			if a.atOnce == 0 && at.Sub(a.last) > forgetAfter {
				delete(l.known, k)
			}
		}
	}
	a := l.known[who]
	if a == nil {
		a = &asking{few: rate.NewLimiter(l.Rate, l.Burst), masses: rate.NewLimiter(l.Masses, l.MassBurst)}
		l.known[who] = a
	}
	a.last = at
	return a
}

// enter takes a request in, or refuses it; done gives its place back. A machine, that tells what many have told it, may
// ask as often as a map does.
func (l *limiter) enter(who client, kind routeKind, machine bool) (done func(), err error) {
	at := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(who, at)
	if a.atOnce >= l.AtOnce || kind == unending && a.streams >= l.Streams {
		return nil, tooMany(time.Second)
	}
	bucket := a.few
	if kind == inMasses || machine {
		bucket = a.masses
	}
	if !bucket.AllowN(at, 1) {
		return nil, tooMany(wait(bucket, at))
	}
	a.atOnce++
	if kind == unending {
		a.streams++
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.atOnce--
		if kind == unending {
			a.streams--
		}
	}, nil
}

func wait(b *rate.Limiter, at time.Time) time.Duration {
	missing := 1 - b.TokensAt(at)
	return max(time.Second, time.Duration(missing/float64(b.Limit())*float64(time.Second)))
}

func tooMany(wait time.Duration) error {
	return &fault.Error{Kind: fault.KindTooMany, Code: "too_many_requests", RetryAfter: wait,
		Message: "too many requests; wait " + strconv.Itoa(int(wait.Seconds())) + " s and ask less often"}
}

// client is who is counted: the person, or the address of who has not signed in; a whole /64 of IPv6 is one, as one client
// has it.
type client struct {
	person  uuid.UUID
	network netip.Prefix
}

// clientOf tells who is counted for a request of the person, nil: of nobody who has signed in.
func clientOf(person uuid.UUID, r *http.Request) client {
	if person != uuid.Nil {
		return client{person: person}
	}
	addr := addressOf(r.RemoteAddr)
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	network, _ := addr.Prefix(bits) // of no address: the zero network, which all of them share
	return client{network: network}
}
