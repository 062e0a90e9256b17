package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// What may be wrong with a chain.
const (
	Altered    = "altered"      // the row is not what was written
	Missing    = "missing"      // the row that is due is not there
	Inserted   = "inserted"     // the row was not written by the service
	OutOfOrder = "out of order" // the row and the next one have changed places
	UnknownKey = "unknown key"  // nobody here has the key of the row, so nothing can be said of it
	WrongHead  = "wrong head"   // the rows are whole, yet the chain's head is of another chain: rows at its end were removed
	NotAnchor  = "not anchored" // the row is another than the one that was anchored
)

// Fault is the first thing wrong with a chain.
type Fault struct {
	Seq  int64
	What string
}

func (f Fault) String() string { return fmt.Sprintf("row %d: %s", f.Seq, f.What) }

// Range is rows with numbers from From to To.
type Range struct{ From, To int64 }

// Report is what Verify found.
type Report struct {
	Rows    int64   // that were checked and are whole
	Head    Head    // of the chain as it is stored
	Unkeyed []Range // rows that were written without a key: they are whole, but anybody could have written them
	Fault   *Fault  // nil: there is none
}

// WithoutKey counts the rows that were written without a key.
func (r *Report) WithoutKey() (n int64) {
	for _, u := range r.Unkeyed {
		n += u.To - u.From + 1
	}
	return n
}

// beginner is what Verify needs of a pool or a connection.
type beginner interface {
	BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error)
}

// Verify reads a city's chain from its beginning, as it is at one moment, and tells the first fault. keys finds the secrets
// of keys by their ids. Each row is compared with the anchors of its number. The error is of the reading alone.
func Verify(ctx context.Context, db beginner, keys func(id string) []byte, anchors ...Anchor) (Report, error) {
	v := verifier{keys: keys, secrets: map[string][]byte{"": nil}, anchors: map[int64][][]byte{}}
	for _, a := range anchors {
		v.anchors[a.Seq] = append(v.anchors[a.Seq], a.MAC)
	}
	err := pgx.BeginTxFunc(ctx, db, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		if v.report.Head, err = HeadOf(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+columns+` FROM audit ORDER BY seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for v.report.Fault == nil && rows.Next() {
			row, err := scan(rows)
			if err != nil {
				return err
			}
			v.read(&row)
		}
		if v.report.Fault == nil && rows.Err() == nil {
			v.read(nil)
		}
		rows.Close() // what is left is of no interest after a fault
		return rows.Err()
	})
	if err != nil {
		return v.report, fmt.Errorf("verify the audit: %w", err)
	}
	if v.report.Fault == nil {
		v.end()
	}
	return v.report, nil
}

// verifier goes along a chain. It judges a row when it has seen the next one, which helps to tell what happened.
type verifier struct {
	keys    func(id string) []byte
	secrets map[string][]byte // found so far, by the id of their key
	anchors map[int64][][]byte
	at      Head // behind the last row that is whole
	held    *Row
	report  Report
}

// read takes the next row, nil after the last.
func (v *verifier) read(next *Row) {
	if v.held != nil {
		if what := v.judge(v.held, next); what != "" {
			v.report.Fault = &Fault{v.at.Seq + 1, what}
			return
		}
	}
	v.held = next
}

func (v *verifier) judge(row, next *Row) string {
	due := v.at.Seq + 1
	if row.Seq != due {
		return Missing
	}
	secret, known := v.secret(row.Key)
	if !known {
		return UnknownKey
	}
	if !v.fits(row, due, v.at.MAC) {
		switch {
		case next != nil && v.fits(next, due, v.at.MAC) && v.fits(row, due+1, next.MAC):
			return OutOfOrder
		case next != nil && v.fits(next, due, v.at.MAC):
			return Inserted
		}
		return Altered
	}
	if due > v.report.Head.Seq {
		return Inserted
	}
	for _, mac := range v.anchors[due] {
		if !bytes.Equal(mac, row.MAC) {
			return NotAnchor
		}
	}
	v.at = v.at.behind(row, secret)
	v.report.Rows++
	if row.Key == "" {
		if u := v.report.Unkeyed; len(u) > 0 && u[len(u)-1].To == due-1 {
			u[len(u)-1].To = due
		} else {
			v.report.Unkeyed = append(v.report.Unkeyed, Range{due, due})
		}
	}
	return ""
}

// fits tells whether a row's MAC is that of its content as row seq, behind a row with the MAC before.
func (v *verifier) fits(row *Row, seq int64, before []byte) bool {
	secret, known := v.secret(row.Key)
	as := *row
	as.Seq = seq
	return known && hmac.Equal(as.mac(secret, before), row.MAC)
}

func (v *verifier) secret(id string) (secret []byte, known bool) {
	if secret, known = v.secrets[id]; known {
		return secret, true
	}
	if secret = v.keys(id); secret == nil {
		return nil, false
	}
	v.secrets[id] = secret
	return secret, true
}

// end compares the whole chain with its head and with the anchors behind it.
func (v *verifier) end() {
	head := v.report.Head
	fault := func(seq int64, what string) { v.report.Fault = &Fault{seq, what} }
	switch {
	case v.at.Seq < head.Seq:
		fault(v.at.Seq+1, Missing)
	case !bytes.Equal(v.at.MAC, head.MAC), !bytes.Equal(v.at.Sum, head.Sum):
		fault(head.Seq, WrongHead)
	default:
		var last int64
		for seq := range v.anchors {
			last = max(last, seq)
		}
		if last > head.Seq {
			fault(head.Seq+1, Missing)
		}
	}
}
