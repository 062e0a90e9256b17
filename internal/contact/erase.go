package contact

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
)

// EraseOptions steer Erase.
type EraseOptions struct {
	KeepText bool // titles, texts, addresses and reasons of the person's reports stay: somebody saw that they name nobody
}

// Erased tells what Erase did.
type Erased struct {
	Reports int // that the person told
}

// eraseEvent is how many reports one event names.
const eraseEvent = 5000

// Erase destroys the data key of a person, all that was sealed with it, and the MACs by which the person was found. What
// the person's reports say in words may name the person: title, text and address are emptied, and the reasons for
// which points were set by hand. Where and when a report was made stays, and what it was about. The digests of what was
// sent are emptied too, as words could be tried against them; a retry of such a report is taken for it.
//
// The reports stay linked to what is left of the person, so that it can be told that somebody was erased. Erasing again
// does what was not done before. It goes on record by ids alone.
//
// PostgreSQL keeps what was in a row until the table is cleaned: see (*postgres.Database).Scrub.
func (s *Service) Erase(ctx context.Context, id uuid.UUID, opt EraseOptions) (Erased, error) {
	var out Erased
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		out = Erased{}
		at := s.Now().UTC()
		// The lock first: who files a report of the person meanwhile is waited for, and comes too late from here on.
		var known bool
		var phone, email []byte
		err := tx.QueryRow(ctx, `SELECT erased_at IS NULL, phone_index, email_index FROM contact WHERE id = $1 FOR UPDATE`, id).Scan(&known, &phone, &email)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNobody(id)
		} else if err != nil {
			return fmt.Errorf("lock contact %s: %w", id, err)
		}
		rows, err := tx.Query(ctx, `SELECT report_num FROM reporter WHERE contact_id = $1 ORDER BY report_num`, id)
		if err != nil {
			return fmt.Errorf("read a contact's reports: %w", err)
		}
		nums, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return fmt.Errorf("read a contact's reports: %w", err)
		}
		out.Reports = len(nums)
		b := &pgx.Batch{}
		if known {
			b.Queue(`
				UPDATE contact SET data_key = NULL, key_id = NULL, name = NULL, phone = NULL, email = NULL, home = NULL,
					phone_index = NULL, email_index = NULL, told = NULL, erased_at = $2
				WHERE id = $1`, id, at)
		}
		if opt.KeepText {
			b.Queue(`UPDATE report SET content = '' WHERE num = ANY ($1)`, nums)
		} else {
			// A report has a point or an address.
			b.Queue(`
				UPDATE report SET title = NULL, text = NULL, address = CASE WHEN lon IS NULL THEN '' END, content = ''
				WHERE num = ANY ($1)`, nums)
			b.Queue(`UPDATE report_words SET words = ts_filter(words, '{b,d}') WHERE report_num = ANY ($1)`, nums)
			b.Queue(`UPDATE position_set SET reason = NULL WHERE report_num = ANY ($1) AND reason IS NOT NULL`, nums)
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return fmt.Errorf("erase contact %s: %w", id, err)
		}
		if s.Erasing != nil {
			if err := s.Erasing(ctx, tx, nums, recipients(phone, email)); err != nil {
				return fmt.Errorf("erase contact %s: %w", id, err)
			}
		}
		_, err = s.Feed.Append(ctx, tx, at, erasedEvents(nums), audit.Record{Act: "person.erase", Subject: subject(id),
			After: map[string]any{"reports": len(nums), "text_kept": opt.KeepText}})
		return err
	})
	return out, err
}

func recipients(indexes ...[]byte) [][]byte {
	return slices.DeleteFunc(indexes, func(x []byte) bool { return x == nil })
}

func erasedEvents(nums []int64) []feed.Event {
	var events []feed.Event
	for part := range slices.Chunk(nums, eraseEvent) {
		list := make([]uint32, len(part))
		for i, n := range part {
			list[i] = uint32(n)
		}
		events = append(events, feed.Event{Type: feed.ReportErased, Data: feed.Erased{Nums: list}})
	}
	return events
}
