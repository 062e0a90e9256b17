package message

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/keyring"
	"gridgov/internal/postgres"
)

// Queue is a city's messages on their way. Make it with [NewQueue].
type Queue struct {
	Pool    *pgxpool.Pool
	Ring    *keyring.Ring // nil: nothing can be queued
	City    string
	Senders func(ctx context.Context) (map[Channel]Sender, error) // asked again for each round
	Log     *slog.Logger
	Now     func() time.Time

	wake chan struct{}
}

// NewQueue makes a queue; Run sends what is in it.
func NewQueue(q Queue) *Queue {
	q.wake = make(chan struct{}, 1)
	return &q
}

// What trying again is bounded by.
const (
	MaxAge   = 15 * time.Minute
	MaxTries = 5
	lease    = time.Minute // a message that was taken up is not taken up again within
	atOnce   = 8
	pollEach = 5 * time.Second
	keepFor  = 7 * 24 * time.Hour // that there was a message
)

// pauses before the second try and those after it.
var pauses = [MaxTries - 1]time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute}

// sealedWords are what of a message is sealed.
type sealedWords struct {
	To      string `json:"to"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
}

func (q *Queue) label(id uuid.UUID) string { return "message " + q.City + " " + id.String() }

// Add queues a message in the caller's transaction. It is given up at until, at the latest MaxAge from now. Wake the queue
// after the commit.
func (q *Queue) Add(ctx context.Context, tx pgx.Tx, m Message, until time.Time) error {
	now := q.Now().UTC()
	if last := now.Add(MaxAge); until.After(last) {
		until = last
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	plain, err := json.Marshal(sealedWords{m.To, m.Subject, m.Text})
	if err != nil {
		return err
	}
	sealed, err := q.Ring.Seal(q.label(id), plain)
	if err != nil {
		return fmt.Errorf("seal a message: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO message (id, channel, recipient, sealed, made_at, next_at, until, tries) VALUES ($1, $2, $3, $4, $5, $5, $6, 0)`,
		id, m.Channel, m.Recipient, sealed, now, until.UTC())
	if err != nil {
		return fmt.Errorf("queue a message: %w", err)
	}
	return nil
}

// Wake tells the worker that something was queued.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Forget removes what is queued or kept for people who are erased, in the caller's transaction.
func Forget(ctx context.Context, tx pgx.Tx, recipients [][]byte) error {
	for _, sql := range []string{`DELETE FROM message WHERE recipient = ANY ($1)`, `DELETE FROM outbox WHERE recipient = ANY ($1)`} {
		if _, err := tx.Exec(ctx, sql, recipients); err != nil {
			return fmt.Errorf("forget messages: %w", err)
		}
	}
	return nil
}

// Run sends what is due until ctx ends. Several processes may: each message is taken up by one of them.
func (q *Queue) Run(ctx context.Context) {
	var swept time.Time
	for ctx.Err() == nil {
		n, err := q.round(ctx)
		if err != nil && ctx.Err() == nil {
			q.Log.Warn("messages could not be taken up, will try again", "err", err)
		}
		if n == atOnce && err == nil {
			continue
		}
		if now := q.Now(); now.Sub(swept) > time.Hour {
			if err := q.sweep(ctx, now); err == nil {
				swept = now
			}
		}
		t := time.NewTimer(pollEach)
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// due is a message that was taken up.
type due struct {
	ID        uuid.UUID
	Channel   Channel
	Recipient []byte
	Sealed    []byte
	Until     time.Time
	Tries     int
}

// round takes up some messages and sends them side by side.
func (q *Queue) round(ctx context.Context) (int, error) {
	now := q.Now().UTC()
	var list []due
	err := postgres.Transact(ctx, q.Pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			WITH taken AS (
				SELECT id FROM message WHERE sealed IS NOT NULL AND next_at <= $1 ORDER BY next_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
			)
			UPDATE message m SET tries = m.tries + 1, next_at = $3 FROM taken WHERE m.id = taken.id
			RETURNING m.id, m.channel, m.recipient, m.sealed, m.until, m.tries`, now, atOnce, now.Add(lease))
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[due])
		return err
	})
	if err != nil || len(list) == 0 {
		return 0, err
	}
	senders, err := q.Senders(ctx)
	if err != nil {
		q.Log.Warn("how messages are sent cannot be read", "err", err)
	}
	var all sync.WaitGroup
	for i := range list {
		all.Go(func() { q.settle(ctx, &list[i], q.try(ctx, &list[i], senders)) })
	}
	all.Wait()
	return len(list), nil
}

var errLate = &Failure{What: "it came too late to be sent", Final: true}

func (q *Queue) try(ctx context.Context, d *due, senders map[Channel]Sender) error {
	if !q.Now().Before(d.Until) || d.Tries > MaxTries { // tries are counted before they are made
		return errLate
	}
	sender := senders[d.Channel]
	if sender == nil {
		return &Failure{What: "the channel " + string(d.Channel) + " is not set up"}
	}
	plain, err := q.Ring.Open(q.label(d.ID), d.Sealed)
	if errors.Is(err, keyring.ErrNoKey) {
		return &Failure{What: "its key is not in the key file"}
	} else if err != nil {
		return &Failure{What: "it is not what was sealed", Final: true}
	}
	var w sealedWords
	if err := json.Unmarshal(plain, &w); err != nil {
		return &Failure{What: "it is not what was sealed", Final: true}
	}
	return sender.Send(ctx, Message{Channel: d.Channel, To: w.To, Subject: w.Subject, Text: w.Text, Recipient: d.Recipient})
}

// settle writes down what became of a try; the message is wiped where there will be no other.
func (q *Queue) settle(ctx context.Context, d *due, failed error) {
	now := q.Now().UTC()
	over := failed == nil || isFinal(failed) || d.Tries >= MaxTries
	sql, args := `UPDATE message SET next_at = $2 WHERE id = $1 AND sealed IS NOT NULL`, []any{d.ID, now}
	switch {
	case failed == nil:
		sql = `UPDATE message SET sealed = NULL, recipient = NULL, sent_at = $2 WHERE id = $1 AND sealed IS NOT NULL`
	case over:
		sql = `UPDATE message SET sealed = NULL, recipient = NULL, failed_at = $2 WHERE id = $1 AND sealed IS NOT NULL`
	default:
		args[1] = now.Add(pauses[d.Tries-1])
	}
	// What was sent is written down though the service is being stopped.
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	err := postgres.Transact(write, q.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(write, sql, args...)
		return err
	})
	if err != nil {
		q.Log.Error("what became of a message could not be written down", "message", d.ID, "err", err)
	}
	switch {
	case failed == nil:
		q.Log.Info("message sent", "message", d.ID, "channel", string(d.Channel), "tries", d.Tries)
	case over:
		q.Log.Error("message given up", "message", d.ID, "channel", string(d.Channel), "tries", d.Tries, "err", failed)
	default:
		q.Log.Warn("message not sent, will be tried again", "message", d.ID, "channel", string(d.Channel), "tries", d.Tries, "err", failed)
	}
}

func (q *Queue) sweep(ctx context.Context, now time.Time) error {
	return postgres.Transact(ctx, q.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM message WHERE made_at < $1`, now.Add(-keepFor).UTC())
		return err
	})
}
