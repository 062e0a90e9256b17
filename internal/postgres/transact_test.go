package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

// raise ends a transaction with an error of the given SQLSTATE.
func raise(ctx context.Context, tx pgx.Tx, state string) error {
	_, err := tx.Exec(ctx, `DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''`+state+`''; END'`)
	return err
}

func TestTransactRunsAgainAfterAConflict(t *testing.T) {
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), `CREATE TABLE kept (n int PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"40001", "40P01", "55P03"} {
		for fails := range 7 {
			tries := 0
			err := postgres.Transact(t.Context(), pool, func(tx pgx.Tx) error {
				tries++
				if _, err := tx.Exec(t.Context(), `INSERT INTO kept VALUES ($1)`, tries); err != nil {
					return err
				}
				if tries <= fails {
					return raise(t.Context(), tx, state)
				}
				return nil
			})
			f, _ := fault.As(err)
			if fails < 5 && (err != nil || tries != fails+1) || fails >= 5 && (f == nil || f.Code != "database_busy" || tries != 5) {
				t.Errorf("%s %d times: %d tries, %v", state, fails, tries, err)
			}
			var n int
			if err := pool.QueryRow(t.Context(), `WITH d AS (DELETE FROM kept RETURNING n) SELECT coalesce(sum(n), 0) FROM d`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{true: fails + 1}[fails < 5]; n != want {
				t.Errorf("%s %d times: %d was kept, not %d", state, fails, n, want)
			}
		}
	}
}

func TestTransactTellsOtherErrorsAtOnce(t *testing.T) {
	pool := pgtest.New(t)
	for _, state := range []string{"23505", "22012", "57014"} {
		tries := 0
		err := postgres.Transact(t.Context(), pool, func(tx pgx.Tx) error {
			tries++
			return raise(t.Context(), tx, state)
		})
		if err == nil || tries != 1 || postgres.Conflict(err) {
			t.Errorf("%s: %d tries, %v", state, tries, err)
		}
	}
}
