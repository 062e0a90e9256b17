package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Row is an act as it is kept. Times have microseconds.
type Row struct {
	Seq           int64 // from 1, without holes
	At            time.Time
	Person        uuid.UUID // zero: the system
	Post          int64     // 0: none
	Act, Subject  string
	Before, After json.RawMessage // nil: nothing
	Address       string
	Key           string // id of the key of its MAC; "": there was none, and the MAC is a plain digest
	MAC           []byte
}

// Head is where a chain ends. The zero Head is the beginning of every chain.
type Head struct {
	Seq int64
	MAC []byte // of the last row
	// Sum chains the MACs once more. As it lies in the head alone, nobody can set the head back to an earlier row without
	// knowing what it was then, or the key; and whoever goes on from a wrong one passes on that it was wrong.
	Sum []byte
}

// Extend makes the next rows of a chain, and the head after them.
func (h Head) Extend(k Key, at time.Time, records []Signed) ([]Row, Head) {
	rows := make([]Row, len(records))
	for i, r := range records {
		row := &rows[i]
		*row = Row{Seq: h.Seq + 1, At: at.UTC().Truncate(time.Microsecond), Person: r.by.Person, Post: r.by.Post, Act: r.act, Subject: r.subject,
			Before: r.before, After: r.after, Address: r.by.Address, Key: k.ID}
		row.MAC = row.mac(k.Secret, h.MAC)
		h = h.behind(row, k.Secret)
	}
	return rows, h
}

// behind is the head after one more row.
func (h Head) behind(row *Row, secret []byte) Head {
	return Head{Seq: row.Seq, MAC: row.MAC, Sum: sum(secret, h.Sum, row.MAC)}
}

// mac is what the MAC of a row with this content is, after a row with the MAC before.
func (r *Row) mac(secret, before []byte) []byte {
	var e encoder
	e.text("gridgov audit row 1")
	e.number(r.Seq)
	e.number(r.At.UnixMicro())
	e.optional(r.Person != uuid.Nil, r.Person[:])
	e.number(r.Post)
	e.text(r.Act)
	e.text(r.Subject)
	e.optional(r.Before != nil, r.Before)
	e.optional(r.After != nil, r.After)
	e.text(r.Address)
	e.text(r.Key)
	e.bytes(before)
	return digest(secret, e)
}

func sum(secret, before, mac []byte) []byte {
	var e encoder
	e.text("gridgov audit head 1")
	e.bytes(before)
	e.bytes(mac)
	return digest(secret, e)
}

// digest is HMAC-SHA256, or plain SHA-256 without a secret.
func digest(secret []byte, b []byte) []byte {
	if secret == nil {
		d := sha256.Sum256(b)
		return d[:]
	}
	h := hmac.New(sha256.New, secret)
	_, _ = h.Write(b) // a hash takes everything
	return h.Sum(nil)
}

// encoder writes fields so that no two lists of fields give the same bytes: each with its length before it.
type encoder []byte

func (e *encoder) bytes(b []byte) {
	*e = binary.BigEndian.AppendUint64(*e, uint64(len(b)))
	*e = append(*e, b...)
}

func (e *encoder) text(s string) { e.bytes([]byte(s)) }

func (e *encoder) number(n int64) { *e = binary.BigEndian.AppendUint64(*e, uint64(n)) }

// optional tells nothing from what is empty.
func (e *encoder) optional(there bool, b []byte) {
	if !there {
		*e = append(*e, 0)
		return
	}
	*e = append(*e, 1)
	e.bytes(b)
}
