package photo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/audit"
	"gridgov/internal/blob"
	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// querier is what reading needs of a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

const selectPhoto = `
	SELECT id, kind, coalesce(uploaded_by, '00000000-0000-0000-0000-000000000000'), coalesce(told_with, 0), state, coalesce(refusal, ''), length, received, made_at, changed_at, coalesce(mime, ''), coalesce(width, 0),
		coalesce(height, 0), coalesce(ms, 0), taken_at, coalesce(timed, ''), lon, lat, taken_digest
	FROM photo `

func scanPhoto(row pgx.CollectableRow) (Photo, error) {
	var p Photo
	var taken *time.Time
	var lon, lat *float64
	var ms int64
	err := row.Scan(&p.ID, &p.Kind, &p.UploadedBy, &p.ToldWith, &p.State, &p.Refusal, &p.Length, &p.Received, &p.MadeAt, &p.ChangedAt, &p.MIME, &p.Width, &p.Height,
		&ms, &taken, &p.Facts.Timed, &lon, &lat, &p.Taken)
	p.Duration = time.Duration(ms) * time.Millisecond
	if taken != nil {
		p.Facts.TakenAt = taken.UTC()
	}
	if lon != nil {
		p.Facts.Place = &orb.Point{*lon, *lat}
	}
	return p, err
}

// read reads one photo, without its files and uses.
func read(ctx context.Context, q querier, where string, args ...any) (Photo, error) {
	rows, err := q.Query(ctx, selectPhoto+where, args...)
	if err != nil {
		return Photo{}, fmt.Errorf("read photo: %w", err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPhoto)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, errUnknown
	} else if err != nil {
		return p, fmt.Errorf("read photo: %w", err)
	}
	return p, nil
}

// Get reads a photo with its files and uses. Who may see it is the caller's to know.
func (s *Service) Get(ctx context.Context, id ID) (Photo, error) {
	p, err := read(ctx, s.Pool, `WHERE id = $1`, id)
	if err != nil {
		return p, err
	}
	rows, err := s.Pool.Query(ctx, `SELECT kind, size, digest FROM photo_file WHERE photo_id = $1 AND kind <> 'part' ORDER BY kind`, id)
	if err == nil {
		p.Files, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f File, err error) {
			var digest []byte
			if err = row.Scan(&f.Size, &f.Bytes, &digest); err == nil {
				f.Digest, _ = blob.DigestOf(digest) // the table holds nothing else
			}
			return f, err
		})
	}
	if err != nil {
		return p, fmt.Errorf("read a photo's files: %w", err)
	}
	rows, err = s.Pool.Query(ctx, `SELECT report_num, part, n FROM photo_use WHERE photo_id = $1 ORDER BY report_num, part, n`, id)
	if err == nil {
		p.Uses, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Use])
	}
	if err != nil {
		return p, fmt.Errorf("read a photo's uses: %w", err)
	}
	return p, nil
}

// Of lists the photos of one use, that of a report or of one act on a part of it, in the order in which they were linked.
func (s *Service) Of(ctx context.Context, u Use) ([]ID, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT u.photo_id FROM photo_use u JOIN photo p ON p.id = u.photo_id AND p.kind = 'photo'
		WHERE u.report_num = $1 AND u.part = $2 AND u.n = $3 ORDER BY u.used_at, u.photo_id`, u.Report, u.Part, u.N)
	if err == nil {
		var ids []ID
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[ID]); err == nil {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("read a case's photos: %w", err)
}

// Use links photos to what they show, in the transaction of the act that they are evidence of. They have to be the person's
// own and ready, and show nothing of another report: whoever names a photo comes to see it. Linking again changes nothing.
// A photo that is linked stays. Faults: unknown_photo, photo_not_ready, photo_used.
func (s *Service) Use(ctx context.Context, tx pgx.Tx, by uuid.UUID, what Use, ids ...ID) error {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b ID) int { return slices.Compare(a[:], b[:]) }) // locked in one order
	for _, id := range slices.Compact(ids) {
		p, err := read(ctx, tx, `WHERE id = $1 FOR NO KEY UPDATE`, id) // or a sweep could remove it meanwhile
		switch {
		case fault.Is(err, fault.KindNotFound) || err == nil && (p.UploadedBy != by || p.Kind != Picture):
			return fault.Invalid("photos", "unknown_photo", "there is no photo %s of yours: upload it first", id)
		case err != nil:
			return err
		case p.State != Ready:
			return fault.Conflict("photo_not_ready", "photo %s is %s: wait until it is ready, or send another", id, p.State)
		}
		if err := s.link(ctx, tx, by, what, &p); err != nil {
			return err
		}
	}
	return nil
}

// UseVoice links a voice note to the report that it tells of, as Use does. Faults: unknown_voice, voice_not_ready, voice_used.
func (s *Service) UseVoice(ctx context.Context, tx pgx.Tx, by uuid.UUID, num report.Num, id ID) error {
	p, err := read(ctx, tx, `WHERE id = $1 FOR NO KEY UPDATE`, id)
	switch {
	case fault.Is(err, fault.KindNotFound) || err == nil && (p.UploadedBy != by || p.Kind != Spoken):
		return fault.Invalid("voice", "unknown_voice", "there is no voice note %s of yours: upload it first", id)
	case err != nil:
		return err
	case p.State != Ready:
		return fault.Conflict("voice_not_ready", "voice note %s is %s: wait until it is ready, or send another", id, p.State)
	}
	return s.link(ctx, tx, by, Use{Report: num}, &p)
}

// link links what is locked to what it shows, unless that is another report's.
func (s *Service) link(ctx context.Context, tx pgx.Tx, by uuid.UUID, what Use, p *Photo) error {
	var elsewhere bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM photo_use WHERE photo_id = $1 AND report_num <> $2)`, p.ID, what.Report).Scan(&elsewhere); err != nil {
		return fmt.Errorf("read a photo's uses: %w", err)
	}
	if elsewhere {
		return p.Kind.used("is of another matter: take one for each")
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO photo_use (photo_id, report_num, part, n, used_by, used_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, p.ID, what.Report, what.Part, what.N, by, s.Now().UTC()); err != nil {
		return fmt.Errorf("link a photo: %w", err)
	}
	return nil
}

// ErrFileMissing says that a photo is known and its file is not there: the files did not come back with a backup.
var ErrFileMissing = errors.New("photo: the file is missing")

// Open opens one of a photo's files. Errors: ErrFileMissing; not_found for a photo that is not ready.
func (s *Service) Open(ctx context.Context, p *Photo, size Size) (io.ReadCloser, File, error) {
	f, ok := p.File(size)
	if !ok {
		return nil, f, errUnknown
	}
	if err := s.ready(); err != nil {
		return nil, f, err
	}
	r, bytes, err := s.Store.Open(ctx, f.Digest)
	if errors.Is(err, blob.ErrMissing) {
		return nil, f, ErrFileMissing
	} else if err != nil {
		return nil, f, fmt.Errorf("open photo %s: %w", p.ID, err)
	}
	if bytes != f.Bytes { // a disk that ran full, a copy that broke off
		_ = r.Close()
		return nil, f, ErrFileMissing
	}
	return r, f, nil
}

// Missing lists the sizes of a photo whose files are not there.
func (s *Service) Missing(ctx context.Context, p *Photo) (list []Size, err error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	for _, f := range p.Files {
		ok, err := s.Store.Has(ctx, f.Digest)
		if err != nil {
			return nil, fmt.Errorf("look for photo %s: %w", p.ID, err)
		}
		if !ok {
			list = append(list, f.Size)
		}
	}
	return list, nil
}

// UploadedBy lists the photos of a person, or the voice notes, the newest first.
func (s *Service) UploadedBy(ctx context.Context, person uuid.UUID, kind Kind) ([]ID, error) {
	rows, err := s.Pool.Query(ctx, `SELECT id FROM photo WHERE uploaded_by = $1 AND kind = $2 ORDER BY made_at DESC, id`, person, kind)
	if err == nil {
		var ids []ID
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[ID]); err == nil {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("read a person's photos: %w", err)
}

// Remove removes a photo of the person's own that nothing uses, or ends its upload. Faults: not_found, photo_used, voice_used.
func (s *Service) Remove(ctx context.Context, by uuid.UUID, id ID) error {
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		p, err := read(ctx, tx, `WHERE id = $1 FOR UPDATE`, id)
		if err == nil && p.UploadedBy != by {
			err = errUnknown
		}
		if err != nil {
			return err
		}
		var used bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM photo_use WHERE photo_id = $1)`, id).Scan(&used); err != nil {
			return fmt.Errorf("read a photo's uses: %w", err)
		}
		if used {
			return p.Kind.used("is evidence: it stays with its case")
		}
		if err := drop(ctx, tx, []ID{id}); err != nil {
			return err
		}
		record := audit.Record{Act: "photo.remove", Subject: subject(p)}
		if p.Kind == Spoken {
			record = audit.Record{Act: "voice.remove", Subject: subject(p)}
		}
		_, err = s.Feed.Append(ctx, tx, s.Now().UTC(), nil, record)
		return err
	})
}

// drop removes rows; their files go with the next sweep.
func drop(ctx context.Context, tx pgx.Tx, ids []ID) error {
	for _, sql := range []string{`DELETE FROM photo_use WHERE photo_id = ANY ($1)`, `DELETE FROM photo_file WHERE photo_id = ANY ($1)`, `DELETE FROM photo WHERE id = ANY ($1)`} {
		if _, err := tx.Exec(ctx, sql, ids); err != nil {
			return fmt.Errorf("remove photos: %w", err)
		}
	}
	return nil
}

// Forget removes, in the transaction that erases who told reports, the photos and voice notes that came with these reports, and those that were
// still to come. What others took as evidence of what they did stays.
func Forget(ctx context.Context, tx pgx.Tx, reports []int64) error {
	rows, err := tx.Query(ctx, `
		SELECT p.id FROM photo p WHERE p.told_with = ANY ($1) OR p.id IN (SELECT u.photo_id FROM photo_use u WHERE u.n = 0 AND u.report_num = ANY ($1))
		ORDER BY p.id FOR UPDATE`, reports)
	if err != nil {
		return fmt.Errorf("read photos of reports: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return fmt.Errorf("read photos of reports: %w", err)
	}
	return drop(ctx, tx, ids)
}

// ForgetSpoken removes, in the transaction that erases somebody, what is to be heard of them: a voice is known again.
func ForgetSpoken(ctx context.Context, tx pgx.Tx, person uuid.UUID) error {
	rows, err := tx.Query(ctx, `SELECT id FROM photo WHERE uploaded_by = $1 AND kind = 'voice' ORDER BY id FOR UPDATE`, person)
	if err != nil {
		return fmt.Errorf("read a person's voice notes: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return fmt.Errorf("read a person's voice notes: %w", err)
	}
	return drop(ctx, tx, ids)
}

// ForgetAll removes all photos and voice notes of reports, those that are evidence too; their files go with the next sweeps.
func ForgetAll(ctx context.Context, tx pgx.Tx, reports []int64) (int, error) {
	rows, err := tx.Query(ctx, `
		SELECT p.id FROM photo p WHERE p.told_with = ANY ($1) OR p.id IN (SELECT u.photo_id FROM photo_use u WHERE u.report_num = ANY ($1))
		ORDER BY p.id FOR UPDATE`, reports)
	if err != nil {
		return 0, fmt.Errorf("read photos of reports: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return 0, fmt.Errorf("read photos of reports: %w", err)
	}
	return len(ids), drop(ctx, tx, ids)
}
