package resident

import (
	"context"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/message"
	"gridgov/internal/postgres"
)

// SendTest sends a message at once, so that whoever sets up how messages are sent sees whether they come. It goes on record,
// without the recipient. Why it was not sent is a [message.Failure]; faults as of SendCode.
func (s *Service) SendTest(ctx context.Context, channel message.Channel, to, language string) error {
	r, normal, err := s.recipient(ctx, channel, to)
	if err != nil {
		return err
	}
	senders, err := s.Messages.Senders(ctx)
	if err != nil {
		return err
	}
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		_, err := s.Reports.Feed.Append(ctx, tx, s.Now().UTC(), nil, audit.Record{Act: "message.test", Subject: "city:" + s.City, After: map[string]string{"channel": string(channel)}})
		return err
	})
	if err != nil {
		return err
	}
	m := s.testMessage(language)
	m.Channel, m.To, m.Recipient = channel, normal, r.MAC
	return senders[channel].Send(ctx, m)
}
