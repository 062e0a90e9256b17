package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/audit"
)

// Step is what a transaction leaves behind beside its rows: events, and records of acts.
type Step struct {
	Events  []Event
	Records []audit.Record
}

// Writer writes what a city's transactions leave behind. There is one a city and process: it remembers where the chain of
// the city's records ends, so that a transaction goes on from there without asking. Other processes may go on too; then
// the database refuses what was made for another end, and the writer asks.
type Writer struct {
	Key audit.Key // of the records' MACs

	once sync.Once
	turn chan struct{} // holds who extends the chain, from before the MACs until the commit's answer

	// For who has the turn alone.
	head     audit.Head
	known    bool
	lockNext int // so many transactions lock the feed before they compute, as another process extends the chain too
}

// lockAfter is how many transactions lock first after one met another process's. Locking first takes a round trip more, but
// cannot fail.
const lockAfter = 64

// setLockTimeout bounds the wait for each lock in a transaction that takes the feed: one that cannot have it in time
// fails and lets the others go on.
const setLockTimeout = `SET LOCAL lock_timeout = '2s'`

// Append writes events with the next numbers, and records as the acts of who acts in the context, and returns the last
// event's number, 0 without one. It must be the transaction's last step: from here to the commit every other writer of the
// city waits.
func (w *Writer) Append(ctx context.Context, tx pgx.Tx, at time.Time, events []Event, records ...audit.Record) (Seq, error) {
	if len(events)+len(records) == 0 {
		return 0, nil
	}
	signed, err := audit.Sign(audit.AuthorOf(ctx), records...)
	if err != nil {
		return 0, err
	}
	p := page{at: at, events: events, records: signed}
	// Whoever has the turn may not keep it for ever, be its connection as dead as it may.
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	var b pgx.Batch
	if len(records) == 0 {
		b.Queue(setLockTimeout)
	} else {
		if err := w.take(ctx); err != nil {
			return 0, err
		}
		defer w.give()
		// Whether the transaction commits is not seen here: who comes next asks the database, and so waits for it.
		w.known = false
	}
	if err := w.queue(ctx, tx, &b, &p); err != nil {
		return 0, err
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return 0, fmt.Errorf("append to the feed: %w", err)
	}
	return p.last, nil
}

// take waits for the turn to extend the chain; give hands it on.
func (w *Writer) take(ctx context.Context) error {
	w.once.Do(func() { w.turn = make(chan struct{}, 1) })
	select {
	case w.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Writer) give() { <-w.turn }

// page is what one transaction writes.
type page struct {
	at      time.Time
	events  []Event
	records []audit.Signed

	head  audit.Head // of the chain, after the page
	last  Seq        // set when the batch is read
	moved bool       // likewise: the chain ended elsewhere than was known here, so nothing is kept and another try is worth it
}

// queue queues all that a page takes, so that it travels at once, and the feed's lock is held for no round trip but the
// commit's. With records it must be the writer's turn; when the chain's end is not known here, it asks first, and has the
// lock from then on. Without events and records it queues nothing.
func (w *Writer) queue(ctx context.Context, tx pgx.Tx, b *pgx.Batch, p *page) error {
	types := make([]string, len(p.events))
	data := make([][]byte, len(p.events))
	for i, e := range p.events {
		d, err := json.Marshal(e.Data)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.Type, err)
		}
		types[i], data[i] = e.Type, d
	}
	number := func(row pgx.Row) error {
		var seq Seq
		err := row.Scan(&seq)
		if len(p.events) > 0 {
			p.last = seq
		}
		p.moved = isNull(err)
		return err
	}
	switch {
	case len(p.records) > 0:
		if !w.known || w.lockNext > 0 {
			if err := w.ask(ctx, tx); err != nil {
				return err
			}
		}
		w.known = false // until the commit's answer
		var rows []audit.Row
		rows, p.head = w.head.Extend(w.Key, p.at, p.records)
		// Where the chain ends elsewhere it is set to NULL, which the column does not take: nothing of the batch is done.
		b.Queue(`
			UPDATE feed SET seq = seq + $1, audit_seq = CASE WHEN audit_seq = $2 AND audit_sum = $3 THEN $4::bigint END,
				audit_mac = $5, audit_sum = $6
			RETURNING seq`, len(p.events), w.head.Seq, w.head.Sum, p.head.Seq, p.head.MAC, p.head.Sum).QueryRow(number)
		audit.Queue(b, rows)
	case len(p.events) > 0:
		b.Queue(`UPDATE feed SET seq = seq + $1 RETURNING seq`, len(p.events)).QueryRow(number)
	}
	if len(p.events) > 0 {
		b.Queue(`
			INSERT INTO event (seq, at, type, data)
			SELECT f.seq - $1 + e.ord, $2, e.type, e.data
			FROM feed f, unnest($3::text[], $4::jsonb[]) WITH ORDINALITY AS e (type, data, ord)`,
			len(p.events), p.at, types, data)
	}
	return nil
}

// ask locks the feed and reads where the chain ends.
func (w *Writer) ask(ctx context.Context, tx pgx.Tx) error {
	w.lockNext = max(0, w.lockNext-1)
	var b pgx.Batch
	b.Queue(setLockTimeout)
	var h audit.Head
	b.Queue(`SELECT audit_seq, audit_mac, audit_sum FROM feed FOR NO KEY UPDATE`).QueryRow(func(row pgx.Row) error {
		return row.Scan(&h.Seq, &h.MAC, &h.Sum)
	})
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("lock the feed: %w", err)
	}
	w.head = h
	return nil
}

// kept remembers the chain's end, after the commit of a page.
func (w *Writer) kept(p *page) {
	if len(p.records) > 0 {
		w.head, w.known = p.head, true
	}
}

func isNull(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23502" // not_null_violation
}
