package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"

	"gridgov/internal/audit"
	"gridgov/internal/crs"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
)

// Row is one report of a bulk import, from one line of a file.
type Row struct {
	Line     int
	New      New
	ItemName string   // names the item when the import creates it; "" leaves the code as its name
	Fields   []string // as they stand in the file, for a Reject; may be nil
}

// Reject is a line that did not go in, and why.
type Reject struct {
	Line   int
	Reason *fault.Error
	Fields []string // of the row
}

// ImportOptions steer an import.
type ImportOptions struct {
	CreateItems bool             // unknown items are created; else their rows are rejected
	Reject      func(Reject)     // called for each row that is refused, in no fixed order, never twice at once
	Progress    func(rows int64) // called after each batch with the rows seen so far
}

// Imported counts what an import did. Present were there before, with the same content.
type Imported struct {
	Added, Present, Rejected int64
	Unplaced                 int64 // among the added
}

const (
	importBatch   = 5000 // rows in one transaction: the feed's lock is held for one batch's last step only
	importWriters = 2
	maxNewItems   = 1000 // that one import creates; more are texts or numbers, not items
)

// Import files many reports. It is idempotent by (source, external id), so an import that was interrupted is simply run
// again: rows that are there with the same content are passed over, rows with other content are rejected. Each batch
// is one transaction with one event, which creates its items too; a bad row is rejected alone.
func (s *Service) Import(ctx context.Context, rows iter.Seq2[Row, *Reject], opt ImportOptions) (Imported, error) {
	im := &importer{Service: s, opt: opt}
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan []Row)
	group.Go(func() error {
		defer close(batches)
		return im.read(ctx, rows, batches)
	})
	for range importWriters {
		group.Go(func() error {
			for batch := range batches {
				if err := im.batch(ctx, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return im.sum, err
}

type importer struct {
	*Service
	opt ImportOptions

	mu      sync.Mutex
	sum     Imported
	seen    int64
	items   map[string]bool // known to be in the database
	claimed map[string]bool // created by this import, or about to be
}

func (im *importer) read(ctx context.Context, rows iter.Seq2[Row, *Reject], batches chan<- []Row) error {
	batch := make([]Row, 0, importBatch)
	send := func() error {
		select {
		case batches <- batch:
			batch = make([]Row, 0, importBatch)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for row, bad := range rows {
		if bad != nil {
			im.reject(*bad)
			continue
		}
		if batch = append(batch, row); len(batch) == importBatch {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(batch) > 0 {
		return send()
	}
	return nil
}

func (im *importer) reject(r Reject) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.sum.Rejected++
	im.seen++
	if im.opt.Reject != nil {
		im.opt.Reject(r)
	}
}

func (im *importer) batch(ctx context.Context, rows []Row) error {
	ready, err := im.prepareAll(ctx, rows)
	if err != nil {
		return err
	}
	if err := im.readItems(ctx); err != nil {
		return err
	}
	names := itemNames(rows)
	for try := 0; ; try++ {
		added, present, unplaced, rejects, err := im.write(ctx, ready, names)
		if isUnique(err) && try < 5 {
			continue // another import was quicker with the same rows: look again
		}
		if err != nil {
			return err
		}
		for _, r := range rejects {
			im.reject(r)
		}
		im.mu.Lock()
		im.sum.Added += added
		im.sum.Present += present
		im.sum.Unplaced += unplaced
		im.seen += added + present
		seen := im.seen
		im.mu.Unlock()
		if im.opt.Progress != nil {
			im.opt.Progress(seen)
		}
		return nil
	}
}

func isUnique(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}

type readyRow struct {
	line   int
	fields []string
	*ready
}

// prepareAll checks, converts and places a batch. Projected coordinates are converted in one statement.
func (im *importer) prepareAll(ctx context.Context, rows []Row) ([]readyRow, error) {
	projected, err := im.projectRows(ctx, rows)
	if err != nil {
		return nil, err
	}
	out := make([]*ready, len(rows))
	errs := make([]error, len(rows))
	placer := im.Placer() // one plan for the whole batch: its event names it
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(rows); i += workers {
				if rows[i].New.ID == (ID{}) {
					rows[i].New.ID = importID(rows[i].New)
				}
				out[i], errs[i] = im.prepare(ctx, placer, rows[i].New, projected[i])
			}
		})
	}
	wg.Wait()
	good := make([]readyRow, 0, len(rows))
	for i, err := range errs {
		if err == nil {
			good = append(good, readyRow{rows[i].Line, rows[i].Fields, out[i]})
			continue
		}
		f, ok := fault.As(err)
		if !ok || f.Kind == fault.KindUnavailable {
			return nil, err
		}
		im.reject(Reject{rows[i].Line, f.AtLine(rows[i].Line), rows[i].Fields})
	}
	return good, nil
}

// projectRows brings a batch's coordinates that need PROJ to lon, lat, all of a system at once; by index, nil where there
// was nothing to do.
func (im *importer) projectRows(ctx context.Context, rows []Row) ([]*projected, error) {
	out := make([]*projected, len(rows))
	bySystem := map[crs.System][]int{}
	for i := range rows {
		n := &rows[i].New
		sys, err := crs.Parse(n.CRS)
		if n.CRS == "" || err != nil || !sys.NeedsProj() || n.X == nil || n.Y == nil || !finite(*n.X) || !finite(*n.Y) {
			continue
		}
		bySystem[sys] = append(bySystem[sys], i)
	}
	for sys, idx := range bySystem {
		points := make([]orb.Point, len(idx))
		for k, i := range idx {
			points[k] = orb.Point{*rows[i].New.X, *rows[i].New.Y}
		}
		at, err := im.projectAll(ctx, sys, points)
		if err != nil {
			return nil, err
		}
		for k, i := range idx {
			out[i] = &at[k]
		}
	}
	return out, nil
}

// importID derives a report's id from its source and external id: the capture time first, as in UUIDv7, so that ids
// stay in order on disk; then a digest, so that the same row always has the same id.
func importID(n New) ID {
	sum := sha256.Sum256([]byte(string(n.Source) + "\x00" + n.ExternalID))
	var id ID
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(n.CapturedAt.UnixMilli(), 0)))
	copy(id[:6], ms[2:])
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x80 // version 8: custom
	id[8] = id[8]&0x3f | 0x80
	return id
}

// write keeps one batch in one transaction.
func (im *importer) write(ctx context.Context, batch []readyRow, names map[string]string) (added, present, unplaced int64, rejects []Reject, err error) {
	known, err := im.present(ctx, batch)
	if err != nil {
		return 0, 0, 0, nil, err
	}
	fresh := make([]readyRow, 0, len(batch))
	for _, r := range batch {
		key := r.key()
		content, ok := known[key]
		switch {
		case ok && sameContent(content, r.content):
			present++
			continue
		case ok:
			rejects = append(rejects, Reject{r.line, conflict("id", "other_content",
				"%s %q was imported before with other content", r.Source, clip(r.ExternalID)).AtLine(r.line), r.fields})
			continue
		case !im.opt.CreateItems && !im.known(r.Item):
			rejects = append(rejects, Reject{r.line, fault.Invalid("item", "unknown_item",
				"the city has no item %q: add it, or import with --items create", clip(r.Item)).AtLine(r.line), r.fields})
			continue
		}
		known[key] = r.content
		fresh = append(fresh, r)
		if r.placement.Grid == "" {
			unplaced++
		}
	}
	if len(fresh) == 0 {
		return 0, present, 0, rejects, nil
	}
	items, err := im.claim(fresh)
	if err != nil {
		return 0, 0, 0, nil, err
	}
	cases, err := im.openCases(fresh)
	if err != nil {
		return 0, 0, 0, nil, err
	}
	if err := im.copy(ctx, fresh, cases, items, names); err != nil {
		return 0, 0, 0, nil, err
	}
	im.created(items)
	return int64(len(fresh)), present, unplaced, rejects, nil
}

// key identifies a report across imports: its external id, or its own id when it has none.
func (r *ready) key() string {
	if r.ExternalID != "" {
		return string(r.Source) + "\x01" + r.ExternalID
	}
	return r.ID.String()
}

func (im *importer) present(ctx context.Context, batch []readyRow) (map[string][]byte, error) {
	var ids []ID
	ext := map[Source][]string{}
	for _, r := range batch {
		if r.ExternalID != "" {
			ext[r.Source] = append(ext[r.Source], r.ExternalID)
		} else {
			ids = append(ids, r.ID)
		}
	}
	known := map[string][]byte{}
	read := func(sql string, args ...any) error {
		rows, err := im.Pool.Query(ctx, sql, args...)
		if err != nil {
			return fmt.Errorf("look for rows imported before: %w", err)
		}
		var key string
		var content []byte
		_, err = pgx.ForEachRow(rows, []any{&key, &content}, func() error {
			known[key] = bytes.Clone(content)
			return nil
		})
		return err
	}
	for src, list := range ext {
		err := read(`SELECT source || chr(1) || external_id, content FROM report WHERE source = $1 AND external_id = ANY ($2)`, src, list)
		if err != nil {
			return nil, err
		}
	}
	if len(ids) > 0 {
		if err := read(`SELECT id::text, content FROM report WHERE id = ANY ($1)`, ids); err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (im *importer) copy(ctx context.Context, rows []readyRow, cases []Opened, items []string, names map[string]string) error {
	return postgres.Transact(ctx, im.Pool, func(tx pgx.Tx) error {
		if err := createItems(ctx, tx, items, names); err != nil {
			return err
		}
		nums, err := reserve(ctx, tx, len(rows))
		if err != nil {
			return err
		}
		since := im.Now().UTC().Truncate(time.Microsecond)
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"report"}, append([]string{"num"}, reportColumns...),
			pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
				return append([]any{int64(nums[i])}, rows[i].reportValues()...), nil
			}))
		if err != nil {
			return fmt.Errorf("copy reports: %w", err)
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"placement"}, append([]string{"report_num"}, placementColumns...),
			pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
				rows[i].placement.Since = since
				return append([]any{int64(nums[i])}, placementValues(&rows[i].placement)...), nil
			}))
		if err != nil {
			return fmt.Errorf("copy placements: %w", err)
		}
		if err := copyWords(ctx, tx, nums, rows); err != nil {
			return err
		}
		if err := im.Cases.Copy(ctx, tx, nums, cases); err != nil {
			return err
		}
		if err := im.link(ctx, tx, nums, rows); err != nil {
			return err
		}
		batch := span{uint32(nums[0]), uint32(nums[len(nums)-1]), len(nums)}
		_, err = im.Feed.Append(ctx, tx, since, []feed.Event{{Type: feed.ReportImported, Data: feed.Range{
			FromNum: batch.FromNum, ToNum: batch.ToNum, Count: batch.Count, Plan: rows[0].placement.PlanID}}},
			audit.Record{Act: "report.import", Subject: "reports", After: batch})
		return err
	})
}

// openCases opens the rows' cases.
func (im *importer) openCases(rows []readyRow) (cases []Opened, err error) {
	cases = make([]Opened, len(rows))
	for i, r := range rows {
		if cases[i], err = im.Cases.Open(r.matter()); err != nil {
			return nil, fmt.Errorf("line %d: %w", r.line, err)
		}
	}
	return cases, nil
}

// link keeps who told the rows' reports.
func (im *importer) link(ctx context.Context, tx pgx.Tx, nums []Num, rows []readyRow) error {
	var told []Told
	for i, r := range rows {
		if r.told != nil {
			told = append(told, Told{Num: nums[i], By: r.told, At: r.receivedAt})
		}
	}
	if len(told) == 0 {
		return nil
	}
	return im.Contacts.Link(ctx, tx, told)
}

// reserve takes n report numbers, in order; other writers may take numbers between them.
func reserve(ctx context.Context, tx pgx.Tx, n int) ([]Num, error) {
	rows, err := tx.Query(ctx, `SELECT nextval(pg_get_serial_sequence('report', 'num')) FROM generate_series(1, $1)`, n)
	if err != nil {
		return nil, fmt.Errorf("reserve numbers: %w", err)
	}
	nums, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Num, error) {
		var v int64
		err := row.Scan(&v)
		if err == nil && v > math.MaxUint32 {
			err = errors.New("the city has run out of report numbers")
		}
		return Num(v), err
	})
	if err != nil {
		return nil, fmt.Errorf("reserve numbers: %w", err)
	}
	slices.Sort(nums)
	return nums, nil
}
