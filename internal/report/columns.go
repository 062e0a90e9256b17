package report

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
)

// Column is what the cube needs of a report. Lon and Lat are NaN when it has no point.
type Column struct {
	Num      Num
	Lon, Lat float64
	At       int64 // captured_at in unix seconds, rounded down
	Item     int16 // the item's number in table item
	Kind     uint8 // Kind.Number
	Source   uint8 // Source.Number

	// Where it lies, as the wire has it, valid during the call only; nil: nowhere.
	Town, Village, Grid, Microgrid []byte
	candidates                     []byte // text[] in binary
	cell                           []byte // room for Cell
}

// noCandidates is as long as an empty array is on the wire.
const noCandidates = 12

// Cell is a key of where the report lies and may lie, equal for equal places; nil when it lies nowhere and may not lie
// anywhere either. It is valid until the next call.
func (c *Column) Cell() []byte {
	if c.Grid == nil && len(c.candidates) <= noCandidates {
		return nil
	}
	key := c.cell[:0]
	for _, part := range [][]byte{c.Town, c.Village, c.Grid, c.Microgrid} {
		key = append(append(key, part...), 0)
	}
	if len(c.candidates) > noCandidates {
		key = append(key, c.candidates...)
	}
	c.cell = key
	return key
}

// Candidates are the grids that the report may lie in.
func (c *Column) Candidates() []string {
	if len(c.candidates) <= noCandidates {
		return nil
	}
	var list []string
	if err := pgtype.NewMap().Scan(pgtype.TextArrayOID, pgtype.BinaryFormatCode, c.candidates, &list); err != nil {
		return nil // the database sent no array: it cannot be
	}
	return list
}

// pgEpoch is PostgreSQL's zero of timestamps, 2000-01-01, in unix microseconds.
var pgEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// Columns calls yield for the reports with from ≤ num ≤ to, ordered by number. The column is valid
// during the call only. It reads the wire's bytes itself, as a million rows are read at each start.
func (s *Service) Columns(ctx context.Context, from, to Num, yield func(*Column)) error {
	return s.columns(ctx, yield, `r.num BETWEEN $1 AND $2`, int64(from), int64(to))
}

// ColumnsOf is Columns for single reports.
func (s *Service) ColumnsOf(ctx context.Context, nums []Num, yield func(*Column)) error {
	if len(nums) == 0 {
		return nil
	}
	list := make([]int64, len(nums))
	for i, n := range nums {
		list[i] = int64(n)
	}
	return s.columns(ctx, yield, `r.num = ANY ($1) AND p.report_num = ANY ($1)`, list)
}

func (s *Service) columns(ctx context.Context, yield func(*Column), where string, args ...any) error {
	rows, err := s.Pool.Query(ctx, `
		SELECT r.num, r.lon, r.lat, r.captured_at, i.num,
			coalesce(array_position(ARRAY['inquiry', 'problem', 'conflict'], r.kind), 0),
			array_position(ARRAY['phone', 'hotline', 'web', 'sensor', 'import', 'patrol'], r.source) - 1, p.town, p.village, p.grid, p.microgrid, p.candidates
		FROM report r JOIN placement p ON p.report_num = r.num JOIN item i ON i.code = r.item
		WHERE `+where+` ORDER BY r.num`,
		append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)...)
	if err != nil {
		return fmt.Errorf("read reports: %w", err)
	}
	defer rows.Close()
	var c Column
	for rows.Next() {
		v := rows.RawValues()
		c.Num, c.Lon, c.Lat = Num(binary.BigEndian.Uint64(v[0])), float(v[1]), float(v[2])
		c.Town, c.Village, c.Grid, c.Microgrid, c.candidates = v[7], v[8], v[9], v[10], v[11]
		c.At = floorDiv(int64(binary.BigEndian.Uint64(v[3]))+pgEpoch, 1e6)
		c.Item = int16(binary.BigEndian.Uint16(v[4]))
		c.Kind = uint8(binary.BigEndian.Uint32(v[5]))
		c.Source = uint8(binary.BigEndian.Uint32(v[6]))
		yield(&c)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read reports: %w", err)
	}
	return nil
}

func float(b []byte) float64 {
	if b == nil {
		return math.NaN()
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// LastNum is the highest number given so far, 0 without reports.
func (s *Service) LastNum(ctx context.Context) (Num, error) {
	var n int64
	if err := s.Pool.QueryRow(ctx, `SELECT coalesce(max(num), 0) FROM report`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read the last number: %w", err)
	}
	return Num(n), nil
}

// Unplaced counts the reports that lie in no grid.
func (s *Service) Unplaced(ctx context.Context) (int, error) {
	var n int
	if err := s.Pool.QueryRow(ctx, `SELECT count(*) FROM placement WHERE method = 'unplaced'`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count unplaced reports: %w", err)
	}
	return n, nil
}

// Nowhere counts the reports without a point.
func (s *Service) Nowhere(ctx context.Context) (int, error) {
	var n int
	if err := s.Pool.QueryRow(ctx, `SELECT count(*) FROM report WHERE lon IS NULL`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count reports without a point: %w", err)
	}
	return n, nil
}

// Item is a kind of matter that reports are about.
type Item struct {
	Code, Name, NameEN, Aspect string
	Num                        int16 // in the cube
}

// Items lists the city's items by code.
func (s *Service) Items(ctx context.Context) ([]Item, error) {
	rows, err := s.Pool.Query(ctx, `SELECT code, name, coalesce(name_en, ''), coalesce(aspect, ''), num FROM item ORDER BY code COLLATE "C"`)
	if err != nil {
		return nil, fmt.Errorf("list items: %w", err)
	}
	items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Item])
	if err != nil {
		return nil, fmt.Errorf("list items: %w", err)
	}
	return items, nil
}

// SetItems adds items and renames those that are there. No item is ever removed: reports name them.
func (s *Service) SetItems(ctx context.Context, items []Item) error {
	for _, i := range items {
		if err := checkItem(i.Code); err != nil {
			return err
		}
	}
	return postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		for _, i := range items {
			args := []any{i.Code, i.Name, null(i.NameEN), null(i.Aspect)}
			b.Queue(`UPDATE item SET name = $2, name_en = $3, aspect = $4 WHERE code = $1`, args...)
			// Only where it is missing, as a conflict would use up a number.
			b.Queue(`
				INSERT INTO item (code, name, name_en, aspect) SELECT $1::text, $2::text, $3::text, $4::text
				WHERE NOT EXISTS (SELECT FROM item WHERE code = $1::text)
				ON CONFLICT (code) DO UPDATE SET name = excluded.name, name_en = excluded.name_en, aspect = excluded.aspect`, args...)
		}
		if err := itemsFull(tx.SendBatch(ctx, b).Close()); err != nil {
			return err
		}
		codes := make([]string, len(items))
		for i := range items {
			codes[i] = items[i].Code
		}
		_, err := s.Feed.Append(ctx, tx, s.Now().UTC(), []feed.Event{{Type: feed.CityChanged, Data: feed.Changed{What: "items"}}},
			audit.Record{Act: "items.set", Subject: "items", After: map[string]any{"codes": codes}})
		return err
	})
}

// itemsFull makes the end of the items' numbers a fault.
func itemsFull(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "2200H" { // sequence_generator_limit_exceeded
		return fault.Invalid("item", "too_many_items", "the city has no number left for another item; there are %d", math.MaxInt16)
	}
	if err != nil {
		return fmt.Errorf("keep items: %w", err)
	}
	return nil
}
