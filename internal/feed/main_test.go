package feed

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"gridgov/internal/postgres/pgtest"
)

// With GRIDGOV_SOAK=1 properties are tried two thousand times instead of forty.
func TestMain(m *testing.M) {
	checks := "40"
	if os.Getenv("GRIDGOV_SOAK") != "" {
		checks = "2000"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err)
	}
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

// addItem is an act that adds an item and says so.
func addItem(n int) Act {
	return func(ctx context.Context, tx pgx.Tx) ([]Event, error) {
		_, err := tx.Exec(ctx, `INSERT INTO item (code, name) VALUES ($1, 'x')`, fmt.Sprint(n))
		return []Event{event(n)}, err
	}
}

// itemStatement is addItem as a statement; an item that is there is no error and no event.
func itemStatement(n int) Statement {
	return Statement{
		SQL: `INSERT INTO item (code, name) VALUES ($1, 'x') ON CONFLICT DO NOTHING RETURNING code`, Args: []any{fmt.Sprint(n)},
		Read: func(row pgx.Row) ([]Event, error) {
			var code string
			err := row.Scan(&code)
			return []Event{event(n)}, err
		},
		Otherwise: func(ctx context.Context, tx pgx.Tx) ([]Event, error) {
			tag, err := tx.Exec(ctx, `INSERT INTO item (code, name) VALUES ($1, 'x') ON CONFLICT DO NOTHING`, fmt.Sprint(n))
			if err != nil || tag.RowsAffected() == 0 {
				return nil, err
			}
			return []Event{event(n)}, nil
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
