// Package keyring holds the service's master keys, which lie in one file outside of the database: what the database has
// is sealed and MACed with keys derived from them, so that neither it nor its backups are enough to read or to forge it.
//
// The last key of the file is current: it seals. The older ones open what they sealed.
package keyring

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

var (
	// ErrMissing says that there is no key file.
	ErrMissing = errors.New("keyring: no key file")
	// ErrNoKey says that a key is not in the ring, or that there is no ring.
	ErrNoKey = errors.New("keyring: no such key")
	// ErrForged says that sealed bytes are not what was sealed under this label.
	ErrForged = errors.New("keyring: not what was sealed")
)

// ID names a key: 8 hexadecimal digits of the SHA-256 of its secret. It is no secret itself.
type ID string

const (
	secretSize = 32
	idSize     = 4 // bytes
)

func idOf(secret []byte) ID {
	sum := sha256.Sum256(secret)
	return ID(hex.EncodeToString(sum[:idSize]))
}

// key is one master key.
type key struct {
	id      ID
	created time.Time
	secret  []byte
}

func newKey(now time.Time) key {
	k := key{created: now.UTC().Truncate(time.Second), secret: make([]byte, secretSize)}
	_, _ = rand.Read(k.secret) // it never fails
	k.id = idOf(k.secret)
	return k
}

// Ring is the keys of one file. It is safe for concurrent use. A nil Ring has no keys: it answers ErrNoKey to everything.
type Ring struct {
	path string

	mu   sync.RWMutex
	keys []key // the last is current
	read stamp // of the file, when it was read
}

// Current is the key that seals; "" without a ring.
func (r *Ring) Current() ID {
	k, _ := r.current()
	return k.id
}

// IDs lists the keys, the current one last.
func (r *Ring) IDs() []ID {
	if r == nil {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := make([]ID, len(r.keys))
	for i, k := range r.keys {
		ids[i] = k.id
	}
	return ids
}

// Has tells whether a key is in the ring.
func (r *Ring) Has(id ID) bool {
	_, ok := r.find(id)
	return ok
}

// Derive returns 32 bytes that only who has the key can make, others for each label; nil when the key is not in the ring.
func (r *Ring) Derive(id ID, label string) []byte {
	k, ok := r.find(id)
	if !ok {
		return nil
	}
	return k.derive("derive " + label)
}

// derive is HKDF-SHA256.
func (k key) derive(info string) []byte {
	out, err := hkdf.Key(sha256.New, k.secret, nil, info, sha256.Size)
	if err != nil {
		panic(err) // only for lengths that it cannot give
	}
	return out
}

func (r *Ring) current() (key, bool) {
	if r == nil {
		return key{}, false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.keys[len(r.keys)-1], true
}

// find looks for a key, in the file too when that was rotated by another process meanwhile.
func (r *Ring) find(id ID) (key, bool) {
	if r == nil {
		return key{}, false
	}
	if k, ok := r.known(id); ok {
		return k, true
	}
	r.refresh()
	return r.known(id)
}

func (r *Ring) known(id ID) (key, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, k := range r.keys {
		if k.id == id {
			return k, true
		}
	}
	return key{}, false
}

// heading is the first line of a key file.
const heading = "# gridgov keys, version 1. Keep a copy apart from the backups of the database: without these keys what they sealed is lost."

// encode writes a key file: a heading, and a line a key, "ID TIME SECRET".
func encode(keys []key) []byte {
	var b bytes.Buffer
	b.WriteString(heading + "\n")
	for _, k := range keys {
		fmt.Fprintf(&b, "%s %s %s\n", k.id, k.created.Format(time.RFC3339), hex.EncodeToString(k.secret))
	}
	return b.Bytes()
}

// decode reads what encode wrote. Its errors hold nothing of the file.
func decode(file []byte) ([]key, error) {
	text, ok := strings.CutPrefix(string(file), heading+"\n")
	if !ok || !strings.HasSuffix(text, "\n") {
		return nil, errors.New("it is no key file of this version, or it was cut off")
	}
	var keys []key
	seen := map[ID]bool{}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		k, ok := decodeLine(line)
		if !ok || seen[k.id] {
			return nil, fmt.Errorf("line %d is damaged or there twice", i+2)
		}
		seen[k.id] = true
		keys = append(keys, k)
	}
	return keys, nil
}

func decodeLine(line string) (key, bool) {
	id, rest, _ := strings.Cut(line, " ")
	at, secret, _ := strings.Cut(rest, " ")
	created, err := time.Parse(time.RFC3339, at)
	k := key{id: ID(id), created: created.UTC()}
	if err != nil || k.created.Format(time.RFC3339) != at || len(secret) != 2*secretSize {
		return k, false
	}
	k.secret, err = hex.DecodeString(secret)
	return k, err == nil && idOf(k.secret) == k.id
}
