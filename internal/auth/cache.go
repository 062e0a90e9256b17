package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// goodFor is how long an identity that was read is good, counted from before it was read.
const goodFor = 4 * time.Second

// mostCached bounds the cache to some 10 MB.
const mostCached = 10_000

// digest is the SHA-256 of a token.
type digest = [sha256.Size]byte

// cache keeps identities that were read a moment ago.
type cache struct {
	mu      sync.Mutex
	entries map[digest]cached
	era     uint64 // grows when all is dropped
}

type cached struct {
	identity *Identity
	at       time.Time // before it was read
}

func (e *cached) good(now time.Time) bool {
	return !now.Before(e.at) && now.Sub(e.at) < goodFor && now.Before(e.identity.Ends)
}

// get finds what is still good, and the era of who is to read it where there is nothing.
func (c *cache) get(key digest, now time.Time) (*Identity, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	switch {
	case !ok:
	case e.good(now):
		return e.identity, c.era
	default:
		delete(c.entries, key)
	}
	return nil, c.era
}

// put keeps what was read in an era that is not over.
func (c *cache) put(key digest, id *Identity, at time.Time, era uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if era != c.era {
		return
	}
	if c.entries == nil {
		c.entries = map[digest]cached{}
	}
	if len(c.entries) >= mostCached {
		for k, e := range c.entries {
			if !e.good(at) {
				delete(c.entries, k)
			}
		}
		for k := range c.entries { // whichever: it is read again
			if len(c.entries) < mostCached {
				break
			}
			delete(c.entries, k)
		}
	}
	c.entries[key] = cached{id, at}
}

// remove drops one, and what is being read.
func (c *cache) remove(key digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
	c.era++
}

func (c *cache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = nil
	c.era++
}
