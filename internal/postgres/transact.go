package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/fault"
)

// maxTries bounds how often Transact runs a transaction that meets others.
const maxTries = 5

// Transact runs work in a transaction and commits it. Where it met another transaction (see Conflict) it runs again, up
// to five times in all, so work sets its results anew each time and has no other effect than SQL. What then still fails
// is a fault that tells the caller to try again.
func Transact(ctx context.Context, pool *pgxpool.Pool, work func(tx pgx.Tx) error) error {
	var err error
	for range maxTries {
		if err = pgx.BeginFunc(ctx, pool, work); !Conflict(err) {
			return err
		}
	}
	return fmt.Errorf("%w (%w)", err, fault.Unavailable("database_busy", "others were writing the same all the time; try again in a moment"))
}

// Conflict reports whether the error says that other transactions were in the way and the same transaction may succeed
// when it is run again: a serialization failure, a deadlock, a lock that was not to be had in time.
func Conflict(err error) bool {
	switch state(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	return false
}
