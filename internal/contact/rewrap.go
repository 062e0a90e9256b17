package contact

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres"
)

// rewrapBatch is how many data keys one transaction seals anew.
const rewrapBatch = 1000

// Rewrap seals all data keys that another master key has sealed anew, under the current one. What is sealed by the data keys
// stays as it is, and so do the indexes, whose key is that of the first master key. It goes by batches, each of which
// is kept for itself: after an interruption the rest is done by calling it again. How many it were goes on record in the
// end. progress may be nil.
//
// Data keys that do not open, as their master key is not in the ring, are passed over and told in the end: key_missing.
func (s *Service) Rewrap(ctx context.Context, progress func(done int)) (done int, err error) {
	current := s.Ring.Current()
	if current == "" {
		return 0, errNoRing
	}
	missing := 0
	for after := uuid.Nil; ; {
		batch, err := s.otherwiseSealed(ctx, current, after)
		if err != nil {
			return done, err
		}
		if len(batch) == 0 {
			break
		}
		after = batch[len(batch)-1].id
		n, closed, err := s.rewrap(ctx, batch)
		if err != nil {
			return done, err
		}
		done, missing = done+n, missing+closed
		if progress != nil {
			progress(done)
		}
	}
	if done > 0 {
		after := map[string]any{"key": string(current), "people": done}
		if err := s.record(ctx, audit.Record{Act: "key.rewrap", Subject: "city:" + s.City, After: after}); err != nil {
			return done, err
		}
	}
	if missing > 0 {
		return done, keyMissing("%d people's data keys are sealed by a key that is not in the key file: put the file with all keys in its place, and run it again", missing)
	}
	return done, nil
}

type wrapped struct {
	id     uuid.UUID
	sealed []byte
}

func (s *Service) otherwiseSealed(ctx context.Context, current keyring.ID, after uuid.UUID) ([]wrapped, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT id, data_key FROM contact WHERE key_id IS NOT NULL AND key_id <> $1 AND id > $2 ORDER BY id LIMIT $3`, string(current), after, rewrapBatch)
	if err != nil {
		return nil, fmt.Errorf("read data keys: %w", err)
	}
	batch, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (w wrapped, err error) {
		err = row.Scan(&w.id, &w.sealed)
		return w, err
	})
	if err != nil {
		return nil, fmt.Errorf("read data keys: %w", err)
	}
	return batch, nil
}

// rewrap seals a batch anew; closed are those that did not open.
func (s *Service) rewrap(ctx context.Context, batch []wrapped) (done, closed int, err error) {
	var ids []uuid.UUID
	var old, sealed [][]byte
	var by []string
	for _, w := range batch {
		key, err := s.Ring.Open(s.label(w.id), w.sealed)
		if errors.Is(err, keyring.ErrNoKey) {
			closed++
			continue
		}
		if err != nil {
			return 0, 0, fmt.Errorf("data key of contact %s: %w", w.id, err)
		}
		again, err := s.Ring.Seal(s.label(w.id), key)
		if err != nil {
			return 0, 0, err
		}
		id, _ := keyring.SealedBy(again)
		ids, old, sealed, by = append(ids, w.id), append(old, w.sealed), append(sealed, again), append(by, string(id))
	}
	if len(ids) == 0 {
		return 0, closed, nil
	}
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		// Who was erased or wrapped anew since has another key, or none.
		tag, err := tx.Exec(ctx, `
			UPDATE contact c SET data_key = u.sealed, key_id = u.by
			FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::text[]) AS u (id, old, sealed, by)
			WHERE c.id = u.id AND c.data_key = u.old`, ids, old, sealed, by)
		done = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return 0, closed, fmt.Errorf("keep data keys: %w", err)
	}
	return done, closed, nil
}
