package message

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/postgres"
)

// Outbox is the sender of a demo: it keeps messages to be read by administrators, and sends nothing.
type Outbox struct {
	Pool *pgxpool.Pool
	Now  func() time.Time
}

// Kept is a message that went into the outbox.
type Kept struct {
	ID      int64
	At      time.Time
	Channel Channel
	To      string
	Subject string
	Text    string
}

// mostKept is how many messages an outbox keeps.
const mostKept = 200

// Send implements [Sender].
func (o *Outbox) Send(ctx context.Context, m Message) error {
	err := postgres.Transact(ctx, o.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO outbox (at, channel, recipient, address, subject, words) VALUES ($1, $2, $3, $4, $5, $6)`,
			o.Now().UTC(), m.Channel, m.Recipient, m.To, m.Subject, m.Text)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM outbox WHERE id <= (SELECT max(id) FROM outbox) - $1`, mostKept)
		return err
	})
	if err != nil {
		return &Failure{What: "the outbox", cause: err}
	}
	return nil
}

// List gives what the outbox keeps, the newest first.
func (o *Outbox) List(ctx context.Context) ([]Kept, error) {
	rows, err := o.Pool.Query(ctx, `SELECT id, at, channel, address, subject, words FROM outbox ORDER BY id DESC LIMIT $1`, mostKept)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Kept])
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return list, nil
}
