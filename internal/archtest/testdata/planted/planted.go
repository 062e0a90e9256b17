// Package planted breaks each rule of portable SQL, one a line.
package planted

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

const columns = "id, name"

func sent(ctx context.Context, pool *pgxpool.Pool, conn *pgx.Conn, q querier, tx pgx.Tx, table string) {
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO item (id) VALUES ($1)`, 1)
	_ = pool.SendBatch(ctx, b).Close()                                       // broken: transaction
	_ = conn.SendBatch(ctx, b).Close()                                       // broken: transaction
	_, _ = pool.Exec(ctx, `UPDATE item SET name = $1`, "x")                  // broken: transaction
	_, _ = conn.Exec(ctx, "DELETE FROM "+"item")                             // broken: transaction
	_ = q.QueryRow(ctx, `INSERT INTO item (id) VALUES ($1) RETURNING id`, 1) // broken: transaction
	_, _ = pool.CopyFrom(ctx, pgx.Identifier{"item"}, nil, nil)              // broken: transaction
	_, _ = pool.Exec(ctx, "INSERT INTO "+table+" (id) VALUES ($1)", 1)       // broken: transaction
	_ = tx.SendBatch(ctx, b).Close()
	_, _ = tx.Exec(ctx, `UPDATE item SET name = $1`, "x")
	_, _ = pool.Query(ctx, `SELECT id FROM item WHERE at < now() FOR UPDATE`)
}

func opened(ctx context.Context, conn *pgx.Conn) {
	b := &pgx.Batch{}
	b.BeginTx(pgx.TxOptions{})
	_ = conn.SendBatch(ctx, b).Close()
}

func written(ctx context.Context, tx pgx.Tx) {
	_, _ = tx.Exec(ctx, `UPDATE item SET at = now()`)                                                            // broken: volatile
	_, _ = tx.Exec(ctx, `INSERT INTO item (id) SELECT gen_random_uuid()`)                                        // broken: volatile
	_, _ = tx.Exec(ctx, `DELETE FROM item WHERE day < CURRENT_DATE`)                                             // broken: volatile
	_, _ = tx.Exec(ctx, `INSERT INTO item (`+columns+`) VALUES ($1, $2) RETURNING id, upper(name)`)              // broken: returning
	_, _ = tx.Exec(ctx, `WITH d AS (DELETE FROM item RETURNING *) SELECT count(*) FROM d`)                       // broken: returning
	_, _ = tx.Exec(ctx, `INSERT INTO item (id, n) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET n = item.n + 1`) // broken: upsert
	_, _ = tx.Exec(ctx, `INSERT INTO item (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET id = excluded.id, n = $2 WHERE item.n <> $2 RETURNING id`)
	_, _ = tx.Exec(ctx, `WITH d AS (DELETE FROM item RETURNING id, item.name) SELECT count(*) FROM d`)
}

func shared(ctx context.Context, tx pgx.Tx, city string) {
	_, _ = tx.Exec(ctx, `SELECT a.id FROM item a JOIN othercity.item b USING (id)`) // broken: schema
	_, _ = tx.Exec(ctx, `SELECT pg_advisory_xact_lock(42)`)                         // broken: lock
	_, _ = tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext($1))`, city)
}

func known(err *pgconn.PgError) bool {
	switch err.ConstraintName { // broken: constraint
	case "item_pkey":
		return true
	}
	return err.ConstraintName == "item_name_key" // broken: constraint
}
