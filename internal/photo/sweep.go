package photo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/blob"
	"gridgov/internal/fault"
	"gridgov/internal/postgres"
)

const (
	sweepMost  = 100              // rows at a time
	unclaimed  = time.Hour        // a file that somebody put lately may be about to be named
	goingFor   = 10 * time.Minute // deleting a file takes no longer; after that another process may
	deleteTime = time.Minute
)

// Sweep reads what has come whole and was not read, removes what nobody wants any more, rows first, and deletes the files that
// no row names. It may be broken off anywhere, and several processes may sweep at once.
func (s *Service) Sweep(ctx context.Context) error {
	if err := s.ready(); err != nil {
		return err
	}
	return errors.Join(s.sweepRows(ctx), s.sweepFiles(ctx), s.sweepUnread(ctx))
}

func (s *Service) sweepUnread(ctx context.Context) error {
	// A while after the last part: whoever took it in is at it.
	now := s.Now().UTC()
	rows, err := s.Pool.Query(ctx, `
		SELECT id FROM photo WHERE state = 'uploading' AND received = length AND changed_at < $1 AND (settling_until IS NULL OR settling_until <= $2)
		ORDER BY changed_at, id LIMIT $3`, now.Add(-sweepEach/2), now, sweepMost)
	if err != nil {
		return fmt.Errorf("look for photos that are not read: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return fmt.Errorf("look for photos that are not read: %w", err)
	}
	for _, id := range ids {
		if _, err := s.settle(ctx, id); err != nil && !fault.Is(err, fault.KindNotFound) { // it may have been removed meanwhile
			return err
		}
	}
	return nil
}

// unwanted holds of a photo p to which nothing has come for so long ($1; of one that comes with a report, $2), that was refused as
// long ago, or that nothing uses ($3).
const unwanted = `
	(state IN ('uploading', 'refused') AND changed_at <= CASE WHEN told_with IS NULL THEN $1::timestamptz ELSE $2::timestamptz END
		OR state = 'ready' AND changed_at <= $3)
	AND NOT EXISTS (SELECT FROM photo_use u WHERE u.photo_id = p.id)`

// sweepRows removes uploads to which nothing has come, photos that were refused, and those that nothing uses.
func (s *Service) sweepRows(ctx context.Context) error {
	now := s.Now().UTC()
	for ctx.Err() == nil {
		n := 0
		err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
			upload, told, unused := now.Add(-UploadAge), now.Add(-ToldAge), now.Add(-UnusedAge)
			rows, err := tx.Query(ctx, `SELECT id FROM photo p WHERE `+unwanted+` ORDER BY changed_at, id LIMIT $4 FOR UPDATE SKIP LOCKED`, upload, told, unused, sweepMost)
			if err != nil {
				return err
			}
			ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
			if err != nil || len(ids) == 0 {
				n = 0
				return err
			}
			// Asked again, now that they are locked: one may have been put to use before.
			rows, err = tx.Query(ctx, `SELECT id FROM photo p WHERE `+unwanted+` AND id = ANY ($4)`, upload, told, unused, ids)
			if err != nil {
				return err
			}
			if ids, err = pgx.CollectRows(rows, pgx.RowTo[ID]); err != nil {
				return err
			}
			n = len(ids)
			return drop(ctx, tx, ids)
		})
		if err != nil {
			return fmt.Errorf("remove photos that nobody wants: %w", err)
		}
		if n > 0 {
			s.Log.Info("photos removed that nobody wants", "photos", n)
		}
		if n < sweepMost {
			return nil
		}
	}
	return ctx.Err()
}

// sweepFiles deletes the files that no row names. First they are marked, and nobody can come to rely on them; then they are
// deleted, without a transaction; then the marks go, and the same content may be put anew.
func (s *Service) sweepFiles(ctx context.Context) error {
	for ctx.Err() == nil {
		marked, until, err := s.mark(ctx)
		if err != nil {
			return fmt.Errorf("look for files that nobody wants: %w", err)
		}
		var gone, rest [][]byte
		for i, b := range marked {
			if !s.Now().Before(until.Add(-2 * deleteTime)) { // a database or a store that is slow must not outlast the mark
				rest = marked[i:]
				break
			}
			d, _ := blob.DigestOf(b)
			one, cancel := context.WithTimeout(ctx, deleteTime)
			err := s.Store.Delete(one, d)
			cancel()
			if err != nil {
				s.Log.Warn("a file could not be deleted, will try again", "file", d.String(), "err", err)
				rest = marked[i+1:] // this one stays marked: what was asked for may still happen
				break
			}
			gone = append(gone, b)
		}
		if len(gone)+len(rest) > 0 {
			err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
				b := &pgx.Batch{}
				b.Queue(`DELETE FROM photo_blob WHERE digest = ANY ($1) AND going_until = $2`, gone, until)
				b.Queue(`UPDATE photo_blob SET going_until = NULL WHERE digest = ANY ($1) AND going_until = $2`, rest, until)
				return tx.SendBatch(ctx, b).Close()
			})
			if err != nil {
				return fmt.Errorf("write down that files are deleted: %w", err)
			}
		}
		if len(gone) < sweepMost {
			return nil
		}
	}
	return ctx.Err()
}

// mark chooses files to be deleted. They are locked before it is asked whether a row names them: whoever is about to name one
// holds it until the row is there.
func (s *Service) mark(ctx context.Context) (marked [][]byte, until time.Time, err error) {
	now := s.Now().UTC().Truncate(time.Microsecond) // as the database keeps it
	until = now.Add(goingFor)
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		marked = nil
		rows, err := tx.Query(ctx, `
			SELECT digest FROM photo_blob b
			WHERE claimed_at <= $1 AND (going_until IS NULL OR going_until <= $2) AND NOT EXISTS (SELECT FROM photo_file f WHERE f.digest = b.digest)
			ORDER BY claimed_at, digest LIMIT $3 FOR UPDATE SKIP LOCKED`, now.Add(-unclaimed), now, sweepMost)
		if err != nil {
			return err
		}
		digests, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil || len(digests) == 0 {
			return err
		}
		rows, err = tx.Query(ctx, `
			UPDATE photo_blob SET going_until = $2
			WHERE digest = ANY ($1) AND NOT EXISTS (SELECT FROM photo_file f WHERE f.digest = photo_blob.digest)
			RETURNING digest`, digests, until)
		if err != nil {
			return err
		}
		marked, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
		return err
	})
	return marked, until, err
}
