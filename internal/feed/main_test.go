package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"gridgov/internal/audit"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/soak"
)

func TestMain(m *testing.M) {
	soak.Checks(40, 2000)
	pgtest.Main(m, pgtest.CheckLeaks())
}

var start = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func clock() time.Time { return start }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// event is an event that the tests tell from all others by its number.
func event(n int) Event { return Event{Type: ReportFiled, Data: Filed{Num: uint32(n)}} }

// numbers are the events' numbers as event made them.
func numbers(t rapid.TB, events []Stored) []int {
	t.Helper()
	out := make([]int, len(events))
	for i, e := range events {
		var d Filed
		if err := json.Unmarshal(e.Data, &d); err != nil {
			t.Fatalf("event %d: %s: %v", e.Seq, e.Data, err)
		}
		out[i] = int(d.Num)
	}
	return out
}

// whole reads the feed to its end; it fails the test on a hole.
func whole(t rapid.TB, pool *pgxpool.Pool) []Stored {
	t.Helper()
	var all []Stored
	for {
		events, head, err := Read(context.Background(), pool, Seq(len(all)), 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Seq != Seq(len(all)+1) {
				t.Fatalf("event %d stands where %d is due", e.Seq, len(all)+1)
			}
			all = append(all, e)
		}
		if len(events) == 0 {
			if head.Seq != Seq(len(all)) {
				t.Fatalf("the feed's head is %s, with %d events", head, len(all))
			}
			return all
		}
	}
}

// step is what an act with the number leaves behind.
func step(n int) Step {
	return Step{Events: []Event{event(n)}, Records: []audit.Record{{Act: "item.add", Subject: fmt.Sprintf("item:%d", n)}}}
}

// checkChain verifies the record of acts: it has the acts with the numbers, once each, in any order.
func checkChain(t rapid.TB, pool *pgxpool.Pool, numbers []int) {
	t.Helper()
	ctx := context.Background()
	report, err := audit.Verify(ctx, pool, func(string) []byte { return key.Secret })
	if err != nil || report.Fault != nil || report.Rows != int64(len(numbers)) {
		t.Fatalf("the chain of %d records: %d whole, %v, %v", len(numbers), report.Rows, report.Fault, err)
	}
	rows, err := pool.Query(ctx, `SELECT split_part(subject, ':', 2)::int FROM audit ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if want := slices.Sorted(slices.Values(numbers)); err != nil || !slices.Equal(got, want) {
		t.Fatalf("acts %v are on record, want %v, %v", got, want, err)
	}
}

var key = audit.Key{ID: "0123abcd", Secret: []byte("secret")}

// addItem is an act that adds an item and says so.
func addItem(n int) Act {
	return func(ctx context.Context, tx pgx.Tx) (Step, error) {
		_, err := tx.Exec(ctx, `INSERT INTO item (code, name) VALUES ($1, 'x')`, fmt.Sprint(n))
		return step(n), err
	}
}

var itemForm = NewForm(8, func(n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("(%d, $%d::text)", i, i+1)
	}
	return `WITH given (ord, code) AS (VALUES ` + strings.Join(rows, ", ") + `),
		kept AS (INSERT INTO item (code, name) SELECT code, 'x' FROM given ON CONFLICT DO NOTHING RETURNING code, num)
		SELECT DISTINCT ON (code) ord, num::bigint FROM given JOIN kept USING (code) ORDER BY code, ord`
})

// itemStatement is addItem as a statement; an item that is there is no error and no event.
func itemStatement(n int) Statement {
	return Statement{
		Form: itemForm, Args: []any{fmt.Sprint(n)},
		Read: func(int64) (Step, error) { return step(n), nil },
		Otherwise: func(ctx context.Context, tx pgx.Tx) (Step, error) {
			tag, err := tx.Exec(ctx, `INSERT INTO item (code, name) VALUES ($1, 'x') ON CONFLICT DO NOTHING`, fmt.Sprint(n))
			if err != nil || tag.RowsAffected() == 0 {
				return Step{}, err
			}
			return step(n), nil
		},
	}
}

func items(t rapid.TB, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(context.Background(), `SELECT code FROM item ORDER BY num`)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return codes
}
