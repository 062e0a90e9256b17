package photo

import (
	"math"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"gridgov/internal/fault"
)

// pace bounds how many uploads a person begins in an hour, whatever becomes of them: what is refused or removed was read all
// the same. It is kept in memory, as what it guards is this process' time.
type pace struct {
	mu    sync.Mutex
	of    map[uuid.UUID]*rate.Limiter // who is not in it has begun nothing lately
	swept time.Time
}

// begin counts an upload, or tells how long to wait with the next.
func (p *pace) begin(by uuid.UUID, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = map[uuid.UUID]*rate.Limiter{}
	}
	if now.Sub(p.swept) > time.Hour {
		p.swept = now
		for who, l := range p.of {
			if l.TokensAt(now) >= MaxHourly {
				delete(p.of, who)
			}
		}
	}
	l := p.of[by]
	if l == nil {
		l = rate.NewLimiter(rate.Every(time.Hour/MaxHourly), MaxHourly)
		p.of[by] = l
	}
	if l.AllowN(now, 1) {
		return nil
	}
	wait := time.Duration(math.Ceil((1-l.TokensAt(now))/float64(l.Limit()))) * time.Second
	return fault.TooMany("too_many_requests", wait, "you have begun %d uploads within an hour, those that were removed too: wait %.0f s before the next", MaxHourly, wait.Seconds())
}
