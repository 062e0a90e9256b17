// Package feed is a city's one gapless feed of events.
//
// Every change appends its events in its own transaction, as the last statement before the commit. Append takes the
// numbers from the one row of table feed and so holds its lock through the commit: the order of seq is the order of
// commits, and there are no holes. Whoever follows by seq misses nothing; a wake-up only makes it quicker.
package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Seq is an event's place in the city's feed; the first event has 1.
type Seq int64

// Types of events. Their data holds ids, numbers and codes, never names, phones, free text or points.
const (
	ReportFiled      = "report.filed"      // Filed
	ReportImported   = "report.imported"   // Range
	ReportPositioned = "report.positioned" // Filed
	ReportReplaced   = "report.replaced"   // Replaced
	PlanPublished    = "plan.published"    // Published
)

// Filed is the data of report.filed and report.positioned. Plan is the plan the placement was made under, 0 without.
type Filed struct {
	Num    uint32 `json:"num"`
	ID     string `json:"id"`
	Item   string `json:"item"`
	Kind   string `json:"kind,omitempty"`
	Source string `json:"source"`
	Grid   string `json:"grid,omitempty"`
	Plan   int64  `json:"plan,omitempty"`
}

// Range is the data of report.imported: one batch, with the numbers FromNum to ToNum, both among them.
type Range struct {
	FromNum uint32 `json:"from_num"`
	ToNum   uint32 `json:"to_num"`
	Count   int    `json:"count"`
	Plan    int64  `json:"plan,omitempty"`
}

// Replaced is the data of report.replaced: the reports of one batch whose answer changed under a plan.
type Replaced struct {
	Plan int64    `json:"plan"`
	Nums []uint32 `json:"nums"`
}

// Published is the data of plan.published.
type Published struct {
	Plan        int64     `json:"plan"`
	Version     string    `json:"version"`
	InForceFrom time.Time `json:"in_force_from"`
}

// Event is what is appended.
type Event struct {
	Type string
	Data any // one of the types above
}

// Stored is an event as read back.
type Stored struct {
	Seq  Seq
	At   time.Time
	Type string
	Data json.RawMessage
}

// ID names an event across restores: a restored or promoted database has another epoch.
type ID struct {
	Epoch int
	Seq   Seq
}

func (id ID) String() string { return fmt.Sprintf("%d-%d", id.Epoch, id.Seq) }

// ParseID reads what String wrote.
func ParseID(s string) (ID, bool) {
	e, q, ok := strings.Cut(s, "-")
	epoch, err := strconv.ParseInt(e, 10, 32)
	seq, err2 := strconv.ParseInt(q, 10, 64)
	if !ok || err != nil || err2 != nil || epoch < 1 || seq < 0 {
		return ID{}, false
	}
	return ID{int(epoch), Seq(seq)}, true
}

// Append writes the events with the next numbers and returns the last one. It must be the transaction's last statement:
// from here to the commit every other writer of the city waits.
func Append(ctx context.Context, tx pgx.Tx, at time.Time, events []Event) (Seq, error) {
	if len(events) == 0 {
		return 0, nil
	}
	// Encoded before the lock is taken.
	types := make([]string, len(events))
	data := make([][]byte, len(events))
	for i, e := range events {
		b, err := json.Marshal(e.Data)
		if err != nil {
			return 0, fmt.Errorf("event %s: %w", e.Type, err)
		}
		types[i], data[i] = e.Type, b
	}
	var last int64
	if err := tx.QueryRow(ctx, `UPDATE feed SET seq = seq + $1 RETURNING seq`, len(events)).Scan(&last); err != nil {
		return 0, fmt.Errorf("take the feed: %w", err)
	}
	seqs := make([]int64, len(events))
	for i := range seqs {
		seqs[i] = last - int64(len(events)) + int64(i) + 1
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO event (seq, at, type, data)
		SELECT e.seq, $1, e.type, e.data
		FROM unnest($2::bigint[], $3::text[], $4::jsonb[]) AS e (seq, type, data)`,
		at, seqs, types, data)
	if err != nil {
		return 0, fmt.Errorf("append to the feed: %w", err)
	}
	return Seq(last), nil
}

// querier is what reading needs of a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Head returns the epoch and the last number given out.
func Head(ctx context.Context, q querier) (ID, error) {
	var id ID
	err := q.QueryRow(ctx, `SELECT epoch, seq FROM feed`).Scan(&id.Epoch, &id.Seq)
	if err != nil {
		return ID{}, fmt.Errorf("read the feed's head: %w", err)
	}
	return id, nil
}

// Oldest returns the first number still kept, or head+1 when nothing is.
func Oldest(ctx context.Context, q querier) (Seq, error) {
	var s Seq
	err := q.QueryRow(ctx, `SELECT coalesce((SELECT min(seq) FROM event), (SELECT seq + 1 FROM feed))`).Scan(&s)
	if err != nil {
		return 0, fmt.Errorf("read the feed's oldest event: %w", err)
	}
	return s, nil
}

// Read returns up to limit events after seq, in order.
func Read(ctx context.Context, q querier, after Seq, limit int) ([]Stored, error) {
	rows, err := q.Query(ctx, `SELECT seq, at, type, data FROM event WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the feed: %w", err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Stored])
	if err != nil {
		return nil, fmt.Errorf("read the feed: %w", err)
	}
	return events, nil
}

// PartitionSize is the number of events in one partition of table event.
const PartitionSize = 4 << 20

// EnsurePartitions makes the partitions that the next 2 × PartitionSize events need. It runs as the schema's owner, in
// the city's schema: the serving role cannot create tables.
func EnsurePartitions(ctx context.Context, conn *pgx.Conn, schema string) error {
	s := pgx.Identifier{schema}.Sanitize()
	var seq int64
	if err := conn.QueryRow(ctx, `SELECT seq FROM `+s+`.feed`).Scan(&seq); err != nil {
		return fmt.Errorf("read the feed's head: %w", err)
	}
	for n := seq / PartitionSize; n <= seq/PartitionSize+2; n++ {
		_, err := conn.Exec(ctx, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s.event_%d PARTITION OF %s.event FOR VALUES FROM (%d) TO (%d)`,
			s, n, s, n*PartitionSize, (n+1)*PartitionSize))
		if err != nil {
			return fmt.Errorf("make partition %d of the feed: %w", n, err)
		}
	}
	return nil
}

// channel is the NOTIFY channel of a city.
func channel(city string) string { return "gridgov_feed_" + city }

// executor is what Notify needs.
type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Notify wakes the followers of a city's feed on all nodes. It runs after the commit, outside of the transaction: inside,
// every commit of the whole server would queue for the one lock of NOTIFY.
func Notify(ctx context.Context, db executor, city string) error {
	_, err := db.Exec(ctx, `SELECT pg_notify($1, '')`, channel(city))
	return err
}
