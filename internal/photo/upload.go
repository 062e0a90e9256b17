package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/blob"
	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/voice"
)

const (
	keepTime   = 30 * time.Second // for what was received, though who sent it has gone
	settleTime = 3 * time.Minute  // for reading a photo; then another process may
)

// Begin is an upload that is announced.
type Begin struct {
	ID     ID
	Kind   Kind
	Length int64
	// Taken is the SHA-256 of the picture as the camera took it, by the word of who sends it; nil: not told. It is kept of the first beginning.
	Taken []byte
}

// Create begins an upload. Beginning again with the same id, kind and length gives the upload as it is; existed
// tells. Faults: out_of_range, too_large, id_taken, too_many_uploads, too_many_requests.
func (s *Service) Create(ctx context.Context, by uuid.UUID, b Begin) (p Photo, existed bool, err error) {
	id, kind, length := b.ID, b.Kind, b.Length
	switch {
	case s.ready() != nil:
		return p, false, s.ready()
	case length < 1:
		return p, false, fault.Invalid("Upload-Length", "out_of_range", "is %d: an empty file is no %s", length, kind)
	case length > kind.most():
		return p, false, fault.TooLarge("Upload-Length", "is %d bytes; a %s may have %d: make it smaller", length, kind, kind.most())
	}
	counted := false
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		// One upload of a person is begun at a time, so that the count is right.
		if _, err := tx.Exec(ctx, `SELECT FROM person WHERE id = $1 FOR NO KEY UPDATE`, by); err != nil {
			return fmt.Errorf("lock who uploads: %w", err)
		}
		p, err = read(ctx, tx, `WHERE id = $1`, id)
		if existed = err == nil; existed {
			if p.UploadedBy != by || p.Kind != kind || p.Length != length {
				return &fault.Error{Kind: fault.KindConflict, Code: "id_taken", Field: "id", Message: "this id is another photo's: make a UUIDv7 for each"}
			}
			return nil
		}
		if !fault.Is(err, fault.KindNotFound) {
			return err
		}
		var unfinished, unused int
		if err := tx.QueryRow(ctx, `
			SELECT count(*) FILTER (WHERE state = 'uploading'), count(*) FILTER (WHERE state = 'ready')
			FROM photo p WHERE uploaded_by = $1 AND (state = 'uploading' OR state = 'ready' AND NOT EXISTS (SELECT FROM photo_use u WHERE u.photo_id = p.id))`,
			by).Scan(&unfinished, &unused); err != nil {
			return fmt.Errorf("count uploads: %w", err)
		}
		if unfinished >= MaxUnfinished || unused >= MaxUnused {
			return fault.TooMany("too_many_uploads", time.Minute, "%d uploads are under way and %d photos are not used yet; %d and %d are allowed: finish or remove some first", unfinished, unused, MaxUnfinished, MaxUnused)
		}
		now := s.Now().UTC()
		if !counted { // once, however often the transaction is run
			if err := s.pace.begin(by, now); err != nil {
				return err
			}
			counted = true
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO photo (id, kind, uploaded_by, state, length, received, made_at, changed_at, taken_digest) VALUES ($1, $2, $3, 'uploading', $4, 0, $5, $5, $6)
			ON CONFLICT DO NOTHING`, id, kind, by, length, now, b.Taken)
		if err != nil {
			return fmt.Errorf("begin an upload: %w", err)
		}
		if tag.RowsAffected() == 0 { // another person's, in this moment
			return &fault.Error{Kind: fault.KindConflict, Code: "id_taken", Field: "id", Message: "this id is another photo's: make a UUIDv7 for each"}
		}
		p = Photo{ID: id, Kind: kind, UploadedBy: by, State: Uploading, Length: length, MadeAt: now, ChangedAt: now, Taken: b.Taken}
		return nil
	})
	return p, existed, err
}

// Find reads an upload of the person's own. One that has expired is gone, swept or not.
func (s *Service) Find(ctx context.Context, by uuid.UUID, id ID) (Photo, error) {
	return s.find(ctx, id, uploadedBy(by))
}

// uploadedBy tells a person's own photos. Nobody's are nobody's own.
func uploadedBy(person uuid.UUID) func(*Photo) bool {
	return func(p *Photo) bool { return p.UploadedBy == person && person != uuid.Nil }
}

func (s *Service) find(ctx context.Context, id ID, mine func(*Photo) bool) (Photo, error) {
	p, err := read(ctx, s.Pool, `WHERE id = $1`, id)
	if err == nil && (!mine(&p) || p.State == Uploading && !s.Now().Before(p.Expires())) {
		err = errUnknown
	}
	return p, err
}

// Part is a piece of an upload.
type Part struct {
	Offset int64
	Body   io.Reader
	// Sum, where it is set, is told all of the body; Good then says whether it is what it should be.
	Sum  io.Writer
	Good func() bool
}

// hearer reads to the end of a body, or to where the line broke: what came until then is kept.
type hearer struct {
	r      io.Reader
	broken error
}

func (h *hearer) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		h.broken, err = err, io.EOF
	}
	return n, err
}

// Append adds a part to an upload of the person's own. What was received is on disk when it returns, also of a line that
// broke; with a checksum a part is taken whole or not at all. Of two parts for the same place the first one is taken. When all
// is there the photo is read, and is ready or refused. Faults: not_found, upload_finished, wrong_offset, too_large,
// too_many_parts; ErrChecksum.
func (s *Service) Append(ctx context.Context, by uuid.UUID, id ID, part Part) (Photo, error) {
	return s.add(ctx, id, part, uploadedBy(by))
}

func (s *Service) add(ctx context.Context, id ID, part Part, mine func(*Photo) bool) (Photo, error) {
	if err := s.ready(); err != nil {
		return Photo{}, err
	}
	p, err := s.find(ctx, id, mine)
	switch {
	case err != nil:
		return p, err
	case p.State != Uploading:
		return p, fault.Conflict("upload_finished", "all of the %s is here, and it is %s", p.Kind, p.State)
	case part.Offset != p.Received:
		return p, wrongOffset(p.Received)
	}
	body := &hearer{r: part.Body}
	var r io.Reader = body
	if part.Sum != nil {
		r = io.TeeReader(body, part.Sum)
	}
	// Who sent it may have gone: then what came is kept all the same, so that they go on from there.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	staged, err := s.Store.Stage(ctx, r, p.Length-p.Received)
	if errors.Is(err, blob.ErrTooLong) {
		return p, fault.TooLarge("body", "the part goes beyond the %d bytes that were announced: send no more than that", p.Length)
	} else if err != nil {
		return p, err
	}
	defer staged.Discard()
	switch {
	case part.Sum != nil && body.broken != nil:
		return p, fmt.Errorf("read a part: %w", body.broken) // whether it is right cannot be known
	case part.Sum != nil && !part.Good():
		return p, ErrChecksum
	case staged.Size == 0 && body.broken != nil:
		return p, fmt.Errorf("read a part: %w", body.broken)
	case staged.Size < minPart && body.broken == nil && p.Received+staged.Size < p.Length && staged.Size > 0:
		return p, fault.Invalid("body", "part_too_small", "the part has %d bytes; send %d at least, but for the last", staged.Size, minPart)
	}
	kept, done := context.WithTimeout(ctx, keepTime)
	defer done()
	if staged.Size > 0 {
		if err := s.keep(kept, staged); err != nil {
			return p, err
		}
		if p, err = s.addPart(kept, id, part.Offset, staged); err != nil {
			return p, err
		}
	}
	if body.broken != nil {
		return p, fmt.Errorf("read a part: %w", body.broken)
	}
	if p.Received == p.Length {
		return s.settle(ctx, id)
	}
	return p, nil
}

// keep puts a file into its place, once nobody is deleting the same.
func (s *Service) keep(ctx context.Context, staged *blob.Staged) error {
	if err := s.claim(ctx, staged.Digest); err != nil {
		return err
	}
	return staged.Keep(ctx)
}

// claim says that a file is wanted, before it is put. While it is being deleted it waits.
func (s *Service) claim(ctx context.Context, d blob.Digest) error {
	for pause := 10 * time.Millisecond; ; pause *= 2 {
		var claimed bool
		err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `
				INSERT INTO photo_blob (digest, claimed_at) VALUES ($1, $2)
				ON CONFLICT (digest) DO UPDATE SET claimed_at = excluded.claimed_at WHERE photo_blob.going_until IS NULL`, d[:], s.Now().UTC())
			claimed = err == nil && tag.RowsAffected() > 0
			return err
		})
		switch {
		case err != nil:
			return fmt.Errorf("claim a file: %w", err)
		case claimed:
			return nil
		case pause > 5*time.Second:
			return errGoing
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

var errGoing = fault.Unavailable("photo_busy", "the same photo is being removed at this moment; try again in a moment")

// hold makes sure in a transaction that files are kept from here on: a row is about to name them.
func hold(ctx context.Context, tx pgx.Tx, digests [][]byte) error {
	rows, err := tx.Query(ctx, `SELECT digest FROM photo_blob WHERE digest = ANY ($1) AND going_until IS NULL ORDER BY digest FOR SHARE`, digests)
	if err != nil {
		return fmt.Errorf("hold files: %w", err)
	}
	held, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return fmt.Errorf("hold files: %w", err)
	}
	want := map[string]bool{}
	for _, d := range digests {
		want[string(d)] = true
	}
	if len(held) != len(want) {
		return errGoing
	}
	return nil
}

// addPart moves the offset on, where it still is where the part begins.
func (s *Service) addPart(ctx context.Context, id ID, offset int64, f *blob.Staged) (p Photo, err error) {
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		if p, err = read(ctx, tx, `WHERE id = $1 FOR NO KEY UPDATE`, id); err != nil {
			return err
		}
		if p.State != Uploading || p.Received != offset {
			return wrongOffset(p.Received)
		}
		if err := hold(ctx, tx, [][]byte{f.Digest[:]}); err != nil {
			return err
		}
		var parts int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM photo_file WHERE photo_id = $1`, id).Scan(&parts); err != nil {
			return fmt.Errorf("count parts: %w", err)
		}
		if parts >= maxParts {
			return fault.Conflict("too_many_parts", "the upload has %d parts: remove it, and send it in larger ones", parts)
		}
		p.Received, p.ChangedAt = offset+f.Size, s.Now().UTC()
		b := &pgx.Batch{}
		b.Queue(`INSERT INTO photo_file (photo_id, kind, at_byte, size, digest) VALUES ($1, 'part', $2, $3, $4)`, id, offset, f.Size, f.Digest[:])
		b.Queue(`UPDATE photo SET received = $2, changed_at = $3 WHERE id = $1`, id, p.Received, p.ChangedAt)
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return fmt.Errorf("keep a part: %w", err)
		}
		return nil
	})
	return p, err
}

// settle reads a photo that has come whole. One process does; for others it is still uploading. What goes wrong and is not the
// file's fault is tried again by a sweep.
func (s *Service) settle(ctx context.Context, id ID) (Photo, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	mine := false
	now := s.Now().UTC()
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			UPDATE photo SET settling_until = $2
			WHERE id = $1 AND state = 'uploading' AND received = length AND (settling_until IS NULL OR settling_until <= $3)`, id, now.Add(settleTime), now)
		mine = err == nil && tag.RowsAffected() > 0
		return err
	})
	if err != nil {
		return Photo{}, fmt.Errorf("take up photo %s: %w", id, err)
	}
	if mine {
		if err := s.read(ctx, id); err != nil {
			s.Log.Warn("a photo could not be read, will try again", "photo", id.String(), "err", err)
			s.letGo(ctx, id)
		}
	}
	return read(ctx, s.Pool, `WHERE id = $1`, id)
}

// letGo lets the next sweep take a photo up again.
func (s *Service) letGo(ctx context.Context, id ID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE photo SET settling_until = NULL WHERE id = $1 AND state = 'uploading'`, id)
		return err
	})
	if err != nil {
		s.Log.Warn("a photo is left alone until its time is over", "photo", id.String(), "err", err)
	}
}

// read makes a photo, or a voice note, of the parts, and writes down what became of it.
func (s *Service) read(ctx context.Context, id ID) error {
	p, err := read(ctx, s.Pool, `WHERE id = $1`, id)
	if err != nil {
		return err
	}
	parts, length, err := s.parts(ctx, id)
	if err != nil {
		return err
	}
	// A file lies in memory until all of it is kept: first there is room for it, then it is read.
	done, err := s.Workshop.shelve(ctx, length)
	if err != nil {
		return err
	}
	defer done()
	file, err := s.join(ctx, parts, length)
	if errors.Is(err, blob.ErrMissing) { // a restored database whose files did not come back
		return s.refused(ctx, id, "file_missing")
	} else if err != nil {
		return err
	}
	var m *made
	if p.Kind == Spoken {
		m, err = hear(file)
	} else {
		m, err = s.Workshop.work(ctx, file, s.Zone, s.Now())
	}
	if f, ok := fault.As(err); ok {
		s.Log.Info(string(p.Kind)+" refused", "photo", id.String(), "code", f.Code, "err", err)
		return s.refused(ctx, id, f.Code)
	} else if err != nil {
		return err
	}
	var files []*blob.Staged
	contents := [][]byte{file, m.large, m.thumbnail}
	if p.Kind == Spoken {
		contents = [][]byte{m.sound}
	}
	for _, content := range contents {
		staged, err := s.Store.Stage(ctx, bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return err
		}
		defer staged.Discard()
		if err := s.keep(ctx, staged); err != nil {
			return err
		}
		files = append(files, staged)
	}
	return s.accepted(ctx, id, m, files)
}

// hear reads a voice note. A reader that trips over a file is that file's fault.
func hear(file []byte) (m *made, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("%w (%v)", damaged("the reader gave up"), p)
		}
	}()
	n, refused := voice.Read(file)
	if refused != nil {
		return nil, refused
	}
	return &made{mime: n.Type, duration: n.Duration, sound: n.Bytes}, nil
}

// positive is a number that a row has, or nothing.
func positive(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// piece is a part that was kept.
type piece struct {
	Size   int64
	Digest []byte
}

// parts lists the parts in their order, and how long they are together.
func (s *Service) parts(ctx context.Context, id ID) (list []piece, length int64, err error) {
	rows, err := s.Pool.Query(ctx, `SELECT size, digest FROM photo_file WHERE photo_id = $1 AND kind = 'part' ORDER BY at_byte`, id)
	if err == nil {
		list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[piece])
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read parts: %w", err)
	}
	for _, p := range list {
		length += p.Size
	}
	return list, length, nil
}

// join reads the parts one after the other.
func (s *Service) join(ctx context.Context, parts []piece, length int64) ([]byte, error) {
	file := make([]byte, length)
	rest := file
	for _, p := range parts {
		d, _ := blob.DigestOf(p.Digest)
		r, size, err := s.Store.Open(ctx, d)
		if err != nil {
			return nil, err
		}
		if size == p.Size {
			_, err = io.ReadFull(r, rest[:size])
		} else { // a disk that ran full, a copy that broke off
			err = fmt.Errorf("it has %d bytes instead of %d", size, p.Size)
		}
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("read part %s: %w", d, err)
		}
		rest = rest[size:]
	}
	return file, nil
}

// accepted writes down that a photo is ready.
func (s *Service) accepted(ctx context.Context, id ID, m *made, files []*blob.Staged) error {
	return s.finish(ctx, id, "ready", func(tx pgx.Tx) error {
		digests := make([][]byte, len(files))
		for i, f := range files {
			digests[i] = f.Digest[:]
		}
		if err := hold(ctx, tx, digests); err != nil {
			return err
		}
		var taken *time.Time
		var timed *Timed
		if !m.facts.TakenAt.IsZero() {
			taken, timed = new(m.facts.TakenAt.UTC()), &m.facts.Timed
		}
		var lon, lat *float64
		if p := m.facts.Place; p != nil {
			lon, lat = &p[0], &p[1]
		}
		sizes := Sizes
		if m.sound != nil {
			sizes = []Size{Sound}
		}
		b := &pgx.Batch{}
		for i, size := range sizes {
			b.Queue(`INSERT INTO photo_file (photo_id, kind, at_byte, size, digest) VALUES ($1, $2, 0, $3, $4)`, id, size, files[i].Size, digests[i])
		}
		b.Queue(`
			UPDATE photo SET state = 'ready', mime = $2, width = $3, height = $4, taken_at = $5, timed = $6, lon = $7, lat = $8, changed_at = $9, ms = $10, settling_until = NULL
			WHERE id = $1`, id, m.mime, positive(m.w), positive(m.h), taken, timed, lon, lat, s.Now().UTC(), positive(int(m.duration.Milliseconds())))
		// What came with a report shows it from now on: nobody is there to say so.
		b.Queue(`
			INSERT INTO photo_use (photo_id, report_num, part, n, used_at) SELECT id, told_with, 0, 0, $2 FROM photo WHERE id = $1 AND told_with IS NOT NULL
			ON CONFLICT DO NOTHING`, id, s.Now().UTC())
		return tx.SendBatch(ctx, b).Close()
	})
}

// refused writes down why a photo is none. Nothing of it is kept.
func (s *Service) refused(ctx context.Context, id ID, code string) error {
	return s.finish(ctx, id, code, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE photo SET state = 'refused', refusal = $2, changed_at = $3, settling_until = NULL WHERE id = $1`, id, code, s.Now().UTC())
		return err
	})
}

// finish ends an upload once: it may have been ended or removed meanwhile.
func (s *Service) finish(ctx context.Context, id ID, became string, write func(tx pgx.Tx) error) error {
	err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		p, err := read(ctx, tx, `WHERE id = $1 FOR NO KEY UPDATE`, id)
		if fault.Is(err, fault.KindNotFound) || err == nil && p.State != Uploading {
			return nil
		} else if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM photo_file WHERE photo_id = $1`, id); err != nil {
			return err
		}
		if err := write(tx); err != nil {
			return err
		}
		after := map[string]any{"state": became, "bytes": p.Length}
		record := audit.Record{Act: "photo.upload", Subject: subject(p), After: after}
		if p.Kind == Spoken {
			record = audit.Record{Act: "voice.upload", Subject: subject(p), After: after}
		}
		_, err = s.Feed.Append(ctx, tx, s.Now().UTC(), nil, record)
		return err
	})
	if err != nil {
		return fmt.Errorf("write down what became of photo %s: %w", id, err)
	}
	return nil
}
