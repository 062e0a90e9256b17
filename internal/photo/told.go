package photo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/report"
)

// What may come with one report that is told without an account. A phone makes its photos smaller than a megabyte; one that
// cannot read its own camera's format sends it as it is.
const (
	MaxTold      = 3
	MaxToldBytes = 8 << 20
	ToldAge      = 7 * 24 * time.Hour // an announced photo that gets nothing for so long is not waited for any more
)

// Announced is a photo that is to come with a report.
type Announced struct {
	ID    ID
	Bytes int64
}

// CheckTold checks what is announced, before anything is written. Faults: too_many, repeated, out_of_range, too_large;
// no_photo_store.
func (s *Service) CheckTold(list []Announced) error {
	if len(list) == 0 {
		return nil
	}
	if err := s.ready(); err != nil {
		return err
	}
	if len(list) > MaxTold {
		return fault.Invalid("photos", "too_many", "are %d; %d may come with a report", len(list), MaxTold)
	}
	for i, a := range list {
		switch field := fmt.Sprintf("photos[%d]", i); {
		case slices.ContainsFunc(list[:i], func(b Announced) bool { return a.ID == b.ID }):
			return fault.Invalid(field, "repeated", "is there twice")
		case a.Bytes < 1:
			return fault.Invalid(field, "out_of_range", "has %d bytes: an empty file is no photo", a.Bytes)
		case a.Bytes > MaxToldBytes:
			return fault.TooLarge(field, "has %d bytes; a photo may have %d: make it smaller", a.Bytes, MaxToldBytes)
		}
	}
	return nil
}

// Announce makes room for the photos of a report, in the transaction that confirms who told it. Announcing the same again changes
// nothing. Faults: id_taken, too_many.
func (s *Service) Announce(ctx context.Context, tx pgx.Tx, num report.Num, list []Announced) error {
	if len(list) == 0 {
		return nil
	}
	now := s.Now().UTC()
	for _, a := range list {
		if _, err := tx.Exec(ctx, `
			INSERT INTO photo (id, told_with, state, length, received, made_at, changed_at) VALUES ($1, $2, 'uploading', $3, 0, $4, $4)
			ON CONFLICT DO NOTHING`, a.ID, num, a.Bytes, now); err != nil {
			return fmt.Errorf("announce a photo: %w", err)
		}
		p, err := read(ctx, tx, `WHERE id = $1`, a.ID)
		if err != nil {
			return err
		}
		if p.ToldWith != num || p.Length != a.Bytes {
			return &fault.Error{Kind: fault.KindConflict, Code: "id_taken", Field: "photos", Message: "the id of a photo is another photo's: make a UUIDv7 for each"}
		}
	}
	var all int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM photo WHERE told_with = $1`, num).Scan(&all); err != nil {
		return fmt.Errorf("count a report's photos: %w", err)
	}
	if all > MaxTold {
		return fault.Conflict("too_many", "other photos were announced with this report before; %d may come in all", MaxTold)
	}
	return nil
}

// FindTold reads a photo that was announced with a report. One that is not waited for any more is gone, swept or not.
func (s *Service) FindTold(ctx context.Context, num report.Num, id ID) (Photo, error) {
	return s.find(ctx, id, func(p *Photo) bool { return p.ToldWith == num && num != 0 })
}

// AppendTold adds a part to a photo that was announced with a report; else it is as [Service.Append].
func (s *Service) AppendTold(ctx context.Context, num report.Num, id ID, part Part) (Photo, error) {
	return s.add(ctx, id, part, func(p *Photo) bool { return p.ToldWith == num && num != 0 })
}

// Told counts the photos that were announced with a report, by their state.
func (s *Service) Told(ctx context.Context, num report.Num) (map[State]int, error) {
	rows, err := s.Pool.Query(ctx, `SELECT state, count(*) FROM photo WHERE told_with = $1 GROUP BY state ORDER BY state`, num)
	if err != nil {
		return nil, fmt.Errorf("count a report's photos: %w", err)
	}
	all := map[State]int{}
	var state State
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		all[state] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count a report's photos: %w", err)
	}
	return all, nil
}
