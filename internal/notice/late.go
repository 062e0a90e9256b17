package notice

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/casework"
	"gridgov/internal/feed"
	"gridgov/internal/person"
)

// TellLate tells, in the caller's transaction, that an act came too late for a case, and returns the events of it. It is told once, as the
// act is kept once.
func (s *Service) TellLate(ctx context.Context, tx pgx.Tx, at time.Time, came casework.CameLate) ([]feed.Event, error) {
	posts, err := person.Holders(ctx, tx, s.Zone, at)
	if err != nil {
		return nil, err
	}
	to := LateReceivers(&came, NewStaff(posts, s.Leads))
	if len(to) == 0 {
		return nil, nil
	}
	who, whys := make([]uuid.UUID, len(to)), make([]string, len(to))
	for i, r := range to {
		who[i], whys[i] = r.Person, string(r.Why)
	}
	words := lateWords(came.Ref, s.item(came.Item), came.Act)
	rows, err := tx.Query(ctx, `
		INSERT INTO notice (person_id, step, why, report_num, part, words_zh, words_en, at)
		SELECT person, 'late', why, $3, $4, $5, $6, $7 FROM unnest($1::uuid[], $2::text[]) AS t (person, why) RETURNING id, person_id, step`,
		who, whys, int64(came.Report), came.Part, words.ZH, words.EN, at)
	if err != nil {
		return nil, fmt.Errorf("tell of what came too late: %w", err)
	}
	jobs, people, err := s.sent(ctx, tx, true, rows) // where the city sends no mail, the job finds that out
	if err != nil {
		return nil, err
	}
	if err := s.Jobs().Insert(ctx, tx, jobs...); err != nil {
		return nil, err
	}
	events := make([]feed.Event, len(people))
	for i, id := range people {
		events[i] = feed.Event{Type: feed.NoticeMade, Data: feed.Notice{Person: id}}
	}
	return events, nil
}
