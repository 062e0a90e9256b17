package resident

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/contact"
	"gridgov/internal/fault"
	"gridgov/internal/message"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// File files a report for whoever has the code, and makes a link by which it is followed, which is sent to them too. The
// same report again, with the same code, gives another link. Faults: those of filing, wrong_code, those of SendCode, and those of
// announcing photos.
func (s *Service) File(ctx context.Context, t Telling) (Filed, error) {
	to, normal, err := s.recipient(ctx, t.Channel, t.To)
	if err != nil {
		return Filed{}, err
	}
	now := s.Now()
	n := t.report(to, now)
	if err := n.Check(now); err != nil {
		return Filed{}, err
	}
	if err := s.Photos.CheckTold(t.Photos); err != nil {
		return Filed{}, err
	}
	from := counter{"t" + host(t.Address), tellAddress}
	if wait := s.throttle.take(now, from); wait > 0 {
		return Filed{}, fault.TooMany("too_many_reports", wait, "too many reports came from here; wait, and send it again")
	}
	if err := s.useCode(ctx, to, t.Code, t.ID); err != nil {
		return Filed{}, err
	}
	s.throttle.give(now, from)
	num, existed, err := s.file(ctx, n)
	if err != nil {
		return Filed{}, err
	}
	secret, err := s.link(ctx, &t, num, to, normal)
	if err != nil {
		return Filed{}, err
	}
	rep, err := s.Reports.Get(ctx, num)
	return Filed{Report: rep, Secret: secret, Existed: existed}, err
}

// report is the report as others are filed. Its time is when it came: nobody's clock has to be right.
func (t *Telling) report(to contact.Recipient, now time.Time) report.New {
	by := to.Reporter
	by.Name = t.Name
	return report.New{ID: t.ID, Source: "web", CapturedAt: now, X: t.Lon, Y: t.Lat, AccuracyM: t.AccuracyM, PositionSource: t.PositionSource,
		Address: t.Place, Item: t.Item, Text: t.Text, Reporter: &by}
}

// file files the report. One that is there keeps the time that it has.
func (s *Service) file(ctx context.Context, n report.New) (num report.Num, existed bool, err error) {
	for range 2 {
		before, err := s.Reports.GetByID(ctx, n.ID)
		switch {
		case err == nil:
			n.CapturedAt = before.CapturedAt
		case !fault.Is(err, fault.KindNotFound):
			return 0, false, err
		}
		num, existed, err = s.Reports.File(ctx, n)
		if err == nil || !fault.Is(err, fault.KindConflict) {
			return num, existed, err
		}
	}
	return 0, false, errTaken
}

var errTaken = &fault.Error{Kind: fault.KindConflict, Code: "id_taken", Field: "id",
	Message: "this id is another report's: make a UUIDv7 for each report, and another one for a report that has changed"}

// link makes a link to a report of the recipient's. The first is sent to the recipient.
func (s *Service) link(ctx context.Context, t *Telling, num report.Num, to contact.Recipient, normal string) (string, error) {
	secret, hash := newSecret()
	m := s.linkMessage(t.Language, num, t.Link(secret))
	m.Channel, m.To, m.Recipient = t.Channel, normal, to.MAC
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		mine, err := contact.HoldTold(ctx, tx, num, to)
		if err != nil {
			return err
		}
		if !mine {
			return errTaken
		}
		var linked bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM follow WHERE report_num = $1)`, num).Scan(&linked); err != nil {
			return fmt.Errorf("look for a report's links: %w", err)
		}
		now := s.Now().UTC()
		if _, err := tx.Exec(ctx, `INSERT INTO follow (hash, report_num, made_at) VALUES ($1, $2, $3)`, hash, num, now); err != nil {
			return fmt.Errorf("keep a report's link: %w", err)
		}
		if err := s.Photos.Announce(ctx, tx, num, t.Photos); err != nil {
			return err
		}
		if linked {
			return nil
		}
		return s.Messages.Add(ctx, tx, m, now.Add(message.MaxAge))
	})
	if err != nil {
		return "", err
	}
	s.Messages.Wake()
	return secret, nil
}

// Follow finds the report of a link. Fault: not_found, whatever is wrong.
func (s *Service) Follow(ctx context.Context, secret string) (report.Report, error) {
	num, err := s.Linked(ctx, secret)
	if err != nil {
		return report.Report{}, err
	}
	return s.Reports.Get(ctx, num)
}

// Linked tells which report a link's secret is of. Fault: not_found, whatever is wrong.
func (s *Service) Linked(ctx context.Context, secret string) (report.Num, error) {
	unknown := fault.NotFound("this link leads to no report: it is not whole, or the report's teller was erased")
	if len(secret) != secretLength {
		return 0, unknown
	}
	var num report.Num
	err := s.Pool.QueryRow(ctx, `SELECT report_num FROM follow WHERE hash = $1`, hashOf(secret)).Scan(&num)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, unknown
	} else if err != nil {
		return 0, fmt.Errorf("read a report's link: %w", err)
	}
	return num, nil
}
