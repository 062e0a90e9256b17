// Package feed is a city's one gapless feed of events.
//
// Every change appends its events in its own transaction, as the last statement before the commit. A Writer takes the
// numbers from the one row of table feed and so holds its lock through the commit: the order of seq is the order of
// commits, and there are no holes. Whoever follows by seq misses nothing; a wake-up only makes it quicker.
//
// Under the same lock it moves the chain of the city's record of acts (package audit).
package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Seq is an event's place in the city's feed; the first event has 1.
type Seq int64

// Types of events. Their data holds ids, numbers and codes, never names, phones, free text or points.
const (
	ReportFiled      = "report.filed"          // Filed
	ReportImported   = "report.imported"       // Range
	ReportPositioned = "report.positioned"     // Filed
	ReportReplaced   = "report.replaced"       // Replaced
	ReportErased     = "report.erased"         // Erased
	CaseChanged      = "case.changed"          // Case
	TeamChanged      = "team.changed"          // Team
	CasesRecounted   = "cases.recounted"       // Recounted
	CasesOpened      = "cases.opened"          // Opened
	BatchChanged     = "batch.changed"         // Batch
	PlanPublished    = "plan.published"        // Published
	CityChanged      = "city.changed"          // Changed
	NoticeMade       = "notice.made"           // Notice
	ProposalChanged  = "proposal.changed"      // Proposal
	OrderChanged     = "investigation.changed" // Order
	PatrolChanged    = "patrol.changed"        // Patrol
)

// Filed is the data of report.filed and report.positioned. Plan is the plan the placement was made under, 0 without. Units are
// those to which a report that was filed goes: who leads its case, then who supports.
type Filed struct {
	Num    uint32  `json:"num"`
	ID     string  `json:"id"`
	Item   string  `json:"item"`
	Kind   string  `json:"kind,omitempty"`
	Source string  `json:"source"`
	Grid   string  `json:"grid,omitempty"`
	Plan   int64   `json:"plan,omitempty"`
	Units  []int64 `json:"units,omitempty"`
}

// Case is the data of case.changed: what a case is now. Units are those that lead or support it, or did until now.
type Case struct {
	Num     uint32  `json:"num"`
	Part    int     `json:"part,omitempty"`
	Version int     `json:"version"`
	State   string  `json:"state"`
	Units   []int64 `json:"units"`
}

// Team is the data of team.changed: a unit's roster, people's skills or vehicles are others.
type Team struct {
	Unit int64 `json:"unit"`
}

// Recounted is the data of cases.recounted: reports of one batch whose cases have other times since a document is in force.
type Recounted struct {
	Regime int64    `json:"regime"`
	Nums   []uint32 `json:"nums"`
}

// Batch is the data of batch.changed: an act on many cases waits, runs, is done or was cancelled.
type Batch struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// Opened is the data of cases.opened: the cases of earlier reports, of the numbers FromNum to ToNum, that were opened later.
type Opened struct {
	FromNum uint32 `json:"from_num"`
	ToNum   uint32 `json:"to_num"`
	Count   int    `json:"count"`
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

// Erased is the data of report.erased: reports whose words are gone, with who told them.
type Erased struct {
	Nums []uint32 `json:"nums"`
}

// Published is the data of plan.published.
type Published struct {
	Plan        int64     `json:"plan"`
	Version     string    `json:"version"`
	InForceFrom time.Time `json:"in_force_from"`
}

// Changed is the data of city.changed: something that all nodes keep in memory is another.
type Changed struct {
	What string `json:"what"` // items, places, attribution, people or regime
}

// Notice is the data of notice.made: somebody was told something, or has read it. It is sent to nobody else.
type Notice struct {
	Person uuid.UUID `json:"person"`
}

// Proposal is the data of proposal.changed: a screening has proposed an investigation, or somebody has decided about one. Towns and
// villages are where it lies.
type Proposal struct {
	ID       int64    `json:"id"`
	State    string   `json:"state"`
	Version  int      `json:"version"`
	Item     string   `json:"item"`
	Towns    []string `json:"towns"`
	Villages []string `json:"villages,omitempty"`
}

// Order is the data of investigation.changed. Units are the one that goes and those that support it.
type Order struct {
	ID       int64    `json:"id"`
	State    string   `json:"state"`
	Version  int      `json:"version"`
	Units    []int64  `json:"units"`
	Towns    []string `json:"towns"`
	Villages []string `json:"villages,omitempty"`
}

// Patrol is the data of patrol.changed: a point was set, changed or removed, or somebody was there; who, is not said. The codes are of
// where it lies, or lay.
type Patrol struct {
	Point     int64  `json:"point"`
	Version   int    `json:"version"`
	Town      string `json:"town,omitempty"`
	Village   string `json:"village,omitempty"`
	Grid      string `json:"grid,omitempty"`
	Microgrid string `json:"microgrid,omitempty"`
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

// Read returns up to limit events after seq, in order, and the feed's head, all of one moment.
func Read(ctx context.Context, q querier, after Seq, limit int) (events []Stored, head ID, err error) {
	rows, err := q.Query(ctx, `
		SELECT f.epoch, f.seq, e.seq, e.at, e.type, e.data
		FROM feed f LEFT JOIN (SELECT seq, at, type, data FROM event WHERE seq > $1 ORDER BY seq LIMIT $2) e ON true
		ORDER BY e.seq`, after, limit)
	if err != nil {
		return nil, ID{}, fmt.Errorf("read the feed: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq *Seq // null when there is no event
		var at *time.Time
		var typ *string
		var data json.RawMessage
		if err := rows.Scan(&head.Epoch, &head.Seq, &seq, &at, &typ, &data); err != nil {
			return nil, ID{}, fmt.Errorf("read the feed: %w", err)
		}
		if seq != nil {
			events = append(events, Stored{*seq, *at, *typ, data})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, ID{}, fmt.Errorf("read the feed: %w", err)
	}
	return events, head, nil
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
