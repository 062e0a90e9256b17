package notice

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
	"gridgov/internal/worktime"
)

// Notice is what somebody was told.
type Notice struct {
	ID     int64
	Step   Step
	Why    Why
	Case   *casework.Ref // nil: it is of none
	Clock  casework.ClockKind
	Words  worktime.Words
	At     time.Time
	ReadAt *time.Time
}

// Page is some of a person's notices, the newest first.
type Page struct {
	Notices []Notice
	Next    int64 // Before of the next page; 0: this is the last one
}

// Query asks for notices of a person.
type Query struct {
	Person uuid.UUID
	Unread bool  // these alone
	Before int64 // Next of the page before; 0: the newest
	Limit  int   // 1 to 200
}

// List reads a page of somebody's own notices.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	before := q.Before
	if before == 0 {
		before = 1<<63 - 1
	}
	rows, err := s.Pool.Query(ctx, `
		SELECT n.id, n.step, n.why, n.report_num, n.part, coalesce(k.kind, ''), n.words_zh, n.words_en, n.at, n.read_at
		FROM notice n LEFT JOIN clock k ON k.report_num = n.report_num AND k.part = n.part AND k.n = n.clock
		WHERE n.person_id = $1 AND n.id < $2 AND (NOT $3 OR n.read_at IS NULL) ORDER BY n.id DESC LIMIT $4`, q.Person, before, q.Unread, q.Limit+1)
	if err != nil {
		return Page{}, fmt.Errorf("read notices: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n Notice, err error) {
		var num *int64
		var part *int
		err = row.Scan(&n.ID, &n.Step, &n.Why, &num, &part, &n.Clock, &n.Words.ZH, &n.Words.EN, &n.At, &n.ReadAt)
		if num != nil {
			n.Case = &casework.Ref{Report: report.Num(*num), Part: *part}
		}
		return n, err
	})
	if err != nil {
		return Page{}, fmt.Errorf("read notices: %w", err)
	}
	p := Page{Notices: list}
	if len(list) > q.Limit {
		p.Notices = list[:q.Limit]
		p.Next = p.Notices[q.Limit-1].ID
	}
	return p, nil
}

// MaxRead is how many notices are named at once.
const MaxRead = 500

// Read marks notices as read: those that are named, or all up to one. Another's and those that there are not are passed over.
func (s *Service) Read(ctx context.Context, who uuid.UUID, ids []int64, upTo int64) error {
	if len(ids) > MaxRead {
		return fault.Invalid("ids", "too_many", "at most %d at once", MaxRead)
	}
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		at := s.Now().UTC()
		tag, err := tx.Exec(ctx, `UPDATE notice SET read_at = $4 WHERE person_id = $1 AND read_at IS NULL AND (id = ANY ($2) OR id <= $3)`, who, ids, upTo, at)
		if err != nil {
			return fmt.Errorf("mark notices as read: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		_, err = s.Feed.Append(ctx, tx, at, []feed.Event{{Type: feed.NoticeMade, Data: feed.Notice{Person: who}}}) // to other pages of the same person
		return err
	})
	if err == nil && s.Committed != nil {
		s.Committed()
	}
	return err
}

// Keep is how long a notice is kept.
const Keep = 90 * 24 * time.Hour

// Sweep removes notices that are older than that.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		var n int64
		err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE at < $1 ORDER BY at LIMIT 5000)`, s.Now().UTC().Add(-Keep))
			n = tag.RowsAffected()
			return err
		})
		if err != nil {
			return fmt.Errorf("remove old notices: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

// Choice is of what somebody wants to be told beside the page, and in which language e-mail is.
type Choice struct {
	Language string // zh, en
	Mail     Wish
	Push     Wish // on the devices that were named
}

// Wish are the steps of which somebody wants to be told by some way.
type Wish struct{ Amber, Late, Red, Supervise bool }

// DefaultChoice holds for who has chosen nothing.
func DefaultChoice(zone string) Choice {
	lang := "en"
	if worktime.InChina(zone) {
		lang = "zh"
	}
	return Choice{Language: lang, Mail: Wish{Red: true, Supervise: true}, Push: Wish{Late: true, Red: true, Supervise: true}}
}

// Has tells whether a step is wanted.
func (w *Wish) Has(s Step) bool {
	switch s {
	case Amber:
		return w.Amber
	case Red:
		return w.Red
	case Supervise:
		return w.Supervise
	case Late:
		return w.Late
	}
	return false
}

// choice is a Choice with where mail goes; "": nowhere.
type choice struct {
	Choice
	email string
}

// choicesOf are the choices of those people whose accounts are not out of use.
func choicesOf(ctx context.Context, q querier, people []uuid.UUID) (map[uuid.UUID]choice, error) {
	rows, err := q.Query(ctx, `
		SELECT p.id, coalesce(p.email, ''), c.language, c.amber, c.late, c.red, c.supervise, c.push_amber, c.push_late, c.push_red, c.push_supervise
		FROM person p LEFT JOIN notice_choice c ON c.person_id = p.id LEFT JOIN account a ON a.person_id = p.id
		WHERE p.id = ANY ($1) AND p.erased_at IS NULL AND a.disabled_at IS NULL`, people)
	if err != nil {
		return nil, fmt.Errorf("read of what people want to be told: %w", err)
	}
	out := map[uuid.UUID]choice{}
	var id uuid.UUID
	var email string
	var language *string
	var wishes [8]*bool
	_, err = pgx.ForEachRow(rows, []any{&id, &email, &language, &wishes[0], &wishes[1], &wishes[2], &wishes[3], &wishes[4], &wishes[5], &wishes[6], &wishes[7]}, func() error {
		c := choice{DefaultChoice(""), email}
		c.Language = "" // the city's
		if language != nil {
			c.Choice = Choice{*language, Wish{*wishes[0], *wishes[1], *wishes[2], *wishes[3]}, Wish{*wishes[4], *wishes[5], *wishes[6], *wishes[7]}}
		}
		out[id] = c
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read of what people want to be told: %w", err)
	}
	return out, nil
}

// ChoiceOf is somebody's own choice, and whether an address is known.
func (s *Service) ChoiceOf(ctx context.Context, who uuid.UUID) (c Choice, address bool, err error) {
	list, err := choicesOf(ctx, s.Pool, []uuid.UUID{who})
	if err != nil {
		return c, false, err
	}
	known, there := list[who]
	if !there {
		return DefaultChoice(s.Zone.String()), false, nil
	}
	if c = known.Choice; c.Language == "" {
		c.Language = DefaultChoice(s.Zone.String()).Language
	}
	return c, known.email != "", nil
}

// Choose keeps somebody's own choice.
func (s *Service) Choose(ctx context.Context, who uuid.UUID, c Choice) error {
	if c.Language != "zh" && c.Language != "en" {
		return fault.Invalid("language", "unknown_value", "%.10q is neither zh nor en", c.Language)
	}
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO notice_choice (person_id, language, amber, late, red, supervise, push_amber, push_late, push_red, push_supervise)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (person_id) DO UPDATE SET language = excluded.language, amber = excluded.amber, late = excluded.late, red = excluded.red,
				supervise = excluded.supervise, push_amber = excluded.push_amber, push_late = excluded.push_late, push_red = excluded.push_red,
				push_supervise = excluded.push_supervise`,
			who, c.Language, c.Mail.Amber, c.Mail.Late, c.Mail.Red, c.Mail.Supervise, c.Push.Amber, c.Push.Late, c.Push.Red, c.Push.Supervise)
		if err != nil {
			return fmt.Errorf("keep of what somebody wants to be told: %w", err)
		}
		_, err = s.Feed.Append(ctx, tx, s.Now().UTC(), nil, audit.Record{Act: "notice.choose", Subject: "person:" + who.String(), After: map[string]any{
			"language": c.Language, "amber": c.Mail.Amber, "late": c.Mail.Late, "red": c.Mail.Red, "supervise": c.Mail.Supervise, "push": map[string]bool{
				"amber": c.Push.Amber, "late": c.Push.Late, "red": c.Push.Red, "supervise": c.Push.Supervise}}})
		return err
	})
}

// TellAdministrators tells who runs the service that an endpoint was given up, in the caller's transaction.
func (s *Service) TellAdministrators(ctx context.Context, tx pgx.Tx, words worktime.Words, at time.Time, holders []uuid.UUID) ([]feed.Event, error) {
	if len(holders) == 0 {
		return nil, nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO notice (person_id, step, why, words_zh, words_en, at) SELECT person, 'webhook', 'administrator', $2, $3, $4 FROM unnest($1::uuid[]) AS person`,
		holders, words.ZH, words.EN, at)
	if err != nil {
		return nil, fmt.Errorf("tell administrators: %w", err)
	}
	events := make([]feed.Event, len(holders))
	for i, id := range holders {
		events[i] = feed.Event{Type: feed.NoticeMade, Data: feed.Notice{Person: id}}
	}
	return events, nil
}

// Forget deletes what somebody who is erased was told, and by which way they wanted to be.
func Forget(ctx context.Context, tx pgx.Tx, person uuid.UUID) error {
	for _, sql := range []string{`DELETE FROM notice WHERE person_id = $1`, `DELETE FROM notice_choice WHERE person_id = $1`} {
		if _, err := tx.Exec(ctx, sql, person); err != nil {
			return fmt.Errorf("erase what somebody was told: %w", err)
		}
	}
	return nil
}
