package app

import (
	"context"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/keyring"
	"gridgov/internal/message"
	"gridgov/internal/photo"
	"gridgov/internal/resident"
)

// openMessages makes what sends to people, and what residents report by.
func (c *City) openMessages(keys *keyring.Ring) {
	c.Sending = &message.Store{Pool: c.Pool, Ring: keys, City: c.Code, Feed: c.Writer, Now: c.now}
	c.Messages = message.NewQueue(message.Queue{Pool: c.Pool, Ring: keys, City: c.Code, Senders: c.Senders, Log: c.log, Now: c.now})
	c.Contacts.Erasing, c.Contacts.Holding = forget, resident.Hold
	c.Residents = resident.New(resident.Config{Pool: c.Pool, Ring: keys, City: c.Code, Name: c.Name, NameEN: func() string {
		if l := c.layout(); l != nil && len(l.Levels) > 0 && len(l.Levels[0].Units) == 1 {
			return l.Levels[0].Units[0].NameLatin
		}
		return ""
	}, Contacts: c.Contacts, Reports: c.Reports, Messages: c.Messages, Photos: c.Photos, Now: c.now})
}

// forget removes what others keep of who told reports, in the transaction that erases them.
func forget(ctx context.Context, tx pgx.Tx, reports []int64, recipients [][]byte) error {
	if err := resident.Forget(ctx, tx, reports, recipients); err != nil {
		return err
	}
	return photo.Forget(ctx, tx, reports)
}

// Outbox is where a demo's messages go; nil in a city that sends them.
func (c *City) Outbox() *message.Outbox {
	if !c.Demo {
		return nil
	}
	return &message.Outbox{Pool: c.Pool, Now: c.now}
}

// Senders are the channels that messages go by. A demo writes to nobody, whatever is set up.
func (c *City) Senders(ctx context.Context) (map[message.Channel]message.Sender, error) {
	if box := c.Outbox(); box != nil {
		return map[message.Channel]message.Sender{message.SMS: box, message.Email: box}, nil
	}
	set, err := c.Sending.Read(ctx)
	if err != nil {
		return nil, err
	}
	return set.Senders(), nil
}
