package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/policy"
)

// Service keeps a city's batches and carries them out. Make it with [New].
type Service struct {
	Config
	node uuid.UUID // this process, as who holds a batch
	wake chan struct{}
}

// Config is what a Service is made of.
type Config struct {
	Pool      *pgxpool.Pool
	Committer *feed.Committer
	// Do does an act for somebody who is not here to ask, by the posts that they hold now.
	Do  func(ctx context.Context, address string, a casework.Ask) error
	Log *slog.Logger
	Now func() time.Time
}

// New makes a city's service.
func New(c Config) *Service {
	return &Service{Config: c, node: uuid.New(), wake: make(chan struct{}, 1)}
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Make keeps a new batch, which is begun with in [Wait]. The same batch sent again is the one that is there. Faults: those of
// its fields, too_many_batches, id_taken.
func (s *Service) Make(ctx context.Context, b Batch) (made Batch, existed bool, err error) {
	if err := b.check(); err != nil {
		return b, false, err
	}
	content, err := b.digest()
	if err != nil {
		return b, false, err
	}
	ask, err := json.Marshal(b.Ask)
	if err != nil {
		return b, false, err
	}
	err = s.Committer.Do(ctx, func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		made, existed = b, false
		if same, ok, err := s.same(ctx, tx, &b, content); err != nil || ok {
			made, existed = same, ok
			return feed.Step{}, err
		}
		made.State, made.MadeAt = Waiting, s.Now().UTC().Truncate(time.Microsecond)
		made.StartsAt = made.MadeAt.Add(Wait)
		tag, err := tx.Exec(ctx, `
			INSERT INTO batch (id, acts, ask, content, state, made_at, made_by, address, level, code, starts_at)
			SELECT $1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), nullif($10, ''), $11
			WHERE (SELECT count(*) FROM batch WHERE made_by = $7 AND state IN ('waiting', 'running')) < $12
			ON CONFLICT (id) DO NOTHING`,
			b.ID, b.Ask.Acts, ask, content, made.State, made.MadeAt, b.MadeBy, b.Address, b.Area.Level, b.Area.Code, made.StartsAt, MaxWaiting)
		if err != nil {
			return feed.Step{}, fmt.Errorf("keep a batch: %w", err)
		}
		if tag.RowsAffected() == 0 {
			if same, ok, err := s.same(ctx, tx, &b, content); err != nil || ok { // it was sent twice at once
				made, existed = same, ok
				return feed.Step{}, err
			}
			return feed.Step{}, fault.TooMany("too_many_batches", Wait, "%d batches of yours wait or run: let one of them end first", MaxWaiting)
		}
		if err := keepCases(ctx, tx, &made); err != nil {
			return feed.Step{}, err
		}
		return made.step(audit.Record{Act: "batch.make", Subject: b.ID.subject(), After: map[string]any{"acts": b.Ask.Acts, "cases": len(b.Cases)}}), nil
	})
	return made, existed, err
}

// same is the batch that was made by the same ask before, if it was.
func (s *Service) same(ctx context.Context, tx pgx.Tx, b *Batch, content []byte) (Batch, bool, error) {
	before, kept, err := get(ctx, tx, b.ID, " FOR UPDATE")
	switch {
	case fault.Is(err, fault.KindNotFound):
		return *b, false, nil
	case err != nil:
		return *b, false, err
	case before.MadeBy != b.MadeBy || !bytes.Equal(kept, content):
		return *b, false, errTaken
	}
	return before, true, nil
}

var errTaken = &fault.Error{Kind: fault.KindConflict, Code: "id_taken", Field: "id", Message: "this id is another batch's: make a UUID for each"}

func keepCases(ctx context.Context, tx pgx.Tx, b *Batch) error {
	rows := make([][]any, len(b.Cases))
	for n := range b.Cases {
		c := &b.Cases[n]
		rows[n] = []any{b.ID, n, int64(c.Report), c.Part, c.Version}
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"batch_case"}, []string{"batch_id", "n", "report_num", "part", "version"}, pgx.CopyFromRows(rows))
	if pg := new(pgconn.PgError); errors.As(err, &pg) && pg.Code == "23503" {
		return fault.NotFound("a case of the batch is not there")
	}
	if err != nil {
		return fmt.Errorf("keep the cases of a batch: %w", err)
	}
	return nil
}

// step is what a change of a batch leaves behind.
func (b *Batch) step(records ...audit.Record) feed.Step {
	return feed.Step{Events: []feed.Event{{Type: feed.BatchChanged, Data: feed.Batch{ID: b.ID.String(), State: string(b.State)}}}, Records: records}
}

const selectBatch = `SELECT id, acts, ask, content, state, made_at, made_by, address, coalesce(level, ''), coalesce(code, ''), starts_at, ended_at, cancelled_by FROM batch `

func scanBatch(row pgx.CollectableRow) (k kept, err error) {
	var ask []byte
	var ended *time.Time
	var cancelled *uuid.UUID
	b := &k.batch
	err = row.Scan(&b.ID, &b.Ask.Acts, &ask, &k.content, &b.State, &b.MadeAt, &b.MadeBy, &b.Address, &b.Area.Level, &b.Area.Code, &b.StartsAt, &ended, &cancelled)
	if err != nil {
		return k, err
	}
	acts := b.Ask.Acts
	if err := json.Unmarshal(ask, &b.Ask); err != nil {
		return k, err
	}
	b.Ask.Acts, b.MadeAt, b.StartsAt = acts, b.MadeAt.UTC(), b.StartsAt.UTC()
	if ended != nil {
		b.EndedAt = ended.UTC()
	}
	if cancelled != nil {
		b.CancelledBy = *cancelled
	}
	return k, nil
}

// kept is a batch with the digest of what was sent.
type kept struct {
	batch   Batch
	content []byte
}

// get reads a batch with its cases; lock may be " FOR UPDATE".
func get(ctx context.Context, q querier, id ID, lock string) (Batch, []byte, error) {
	rows, err := q.Query(ctx, selectBatch+`WHERE id = $1`+lock, id)
	if err != nil {
		return Batch{}, nil, fmt.Errorf("read batch %s: %w", id, err)
	}
	k, err := pgx.CollectExactlyOneRow(rows, scanBatch)
	if errors.Is(err, pgx.ErrNoRows) {
		return Batch{}, nil, errNoBatch(id)
	}
	if err != nil {
		return Batch{}, nil, fmt.Errorf("read batch %s: %w", id, err)
	}
	err = fillIn(ctx, q, &k.batch)
	return k.batch, k.content, err
}

func errNoBatch(id ID) error { return fault.NotFound("there is no batch %s", id) }

// fillIn reads the cases of some batches.
func fillIn(ctx context.Context, q querier, list ...*Batch) error {
	of := make(map[ID]*Batch, len(list))
	ids := make([]ID, len(list))
	for i, b := range list {
		of[b.ID], ids[i] = b, b.ID
	}
	rows, err := q.Query(ctx, `
		SELECT batch_id, report_num, part, version, coalesce(outcome, ''), coalesce(why, ''), coalesce(words, '')
		FROM batch_case WHERE batch_id = ANY ($1) ORDER BY batch_id, n`, ids)
	if err != nil {
		return fmt.Errorf("read the cases of batches: %w", err)
	}
	var id ID
	var c Case
	_, err = pgx.ForEachRow(rows, []any{&id, &c.Report, &c.Part, &c.Version, &c.Outcome, &c.Why, &c.Words}, func() error {
		of[id].Cases = append(of[id].Cases, c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the cases of batches: %w", err)
	}
	return nil
}

// Get reads a batch.
func (s *Service) Get(ctx context.Context, id ID) (Batch, error) {
	b, _, err := get(ctx, s.Pool, id, "")
	return b, err
}

// List reads the batches that wait, run, or have ended since a moment, the newest first; at most limit. By a person, or by a post
// for one of the areas; whole: by anybody.
func (s *Service) List(ctx context.Context, since time.Time, by uuid.UUID, areas []policy.Area, whole bool, limit int) ([]Batch, error) {
	levels, codes := make([]string, len(areas)), make([]string, len(areas))
	for i, a := range areas {
		levels[i], codes[i] = string(a.Level), a.Code
	}
	rows, err := s.Pool.Query(ctx, selectBatch+`
		WHERE (state IN ('waiting', 'running') OR ended_at >= $1)
			AND ($2 OR made_by = $3 OR (level, code) IN (SELECT * FROM unnest($4::text[], $5::text[])))
		ORDER BY made_at DESC, id LIMIT $6`, since, whole, by, levels, codes, limit)
	if err != nil {
		return nil, fmt.Errorf("list batches: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanBatch)
	if err != nil {
		return nil, fmt.Errorf("list batches: %w", err)
	}
	list, of := make([]Batch, len(found)), make([]*Batch, len(found))
	for i := range found {
		list[i] = found[i].batch
		of[i] = &list[i]
	}
	return list, fillIn(ctx, s.Pool, of...)
}

// Cancel takes back a batch that nobody has begun with. Faults: not found; batch_started; of one that was cancelled before nothing
// changes.
func (s *Service) Cancel(ctx context.Context, id ID, by uuid.UUID) (out Batch, err error) {
	err = s.Committer.Do(ctx, func(ctx context.Context, tx pgx.Tx) (feed.Step, error) {
		if out, _, err = get(ctx, tx, id, " FOR UPDATE"); err != nil {
			return feed.Step{}, err
		}
		switch out.State {
		case Cancelled:
			return feed.Step{}, nil
		case Running, Done:
			return feed.Step{}, fault.Conflict("batch_started", "it was begun with: what is done can be undone case by case")
		case Waiting:
		}
		out.State, out.EndedAt, out.CancelledBy = Cancelled, s.Now().UTC().Truncate(time.Microsecond), by
		if _, err := tx.Exec(ctx, `UPDATE batch SET state = $2, ended_at = $3, cancelled_by = $4 WHERE id = $1`, id, out.State, out.EndedAt, by); err != nil {
			return feed.Step{}, fmt.Errorf("cancel batch %s: %w", id, err)
		}
		return out.step(audit.Record{Act: "batch.cancel", Subject: id.subject()}), nil
	})
	return out, err
}
