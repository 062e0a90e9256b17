package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// grant is one right of a city's role on a table of its schema, on one column of it, or on a sequence. A backup keeps them by themselves, since
// a restore gives the city a role of another name when its old one is another database's.
type grant struct {
	Table     string `json:"table"`
	Column    string `json:"column,omitempty"`
	Privilege string `json:"privilege"`
	Sequence  bool   `json:"sequence,omitempty"`
}

// The rights that a restore gives: a backup file cannot ask for others.
var (
	tablePrivileges    = []string{"SELECT", "INSERT", "UPDATE", "DELETE"}
	sequencePrivileges = []string{"SELECT", "UPDATE", "USAGE"}
)

func readGrants(ctx context.Context, tx pgx.Tx, schema, role string) ([]grant, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.relname, '', a.privilege_type, c.relkind = 'S'
		FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.relnamespace = $1::regnamespace AND a.grantee = $2::regrole
		UNION ALL
		SELECT c.relname, k.attname, a.privilege_type, false
		FROM pg_class c JOIN pg_attribute k ON k.attrelid = c.oid, aclexplode(k.attacl) a
		WHERE c.relnamespace = $1::regnamespace AND a.grantee = $2::regrole
		ORDER BY 1, 2, 3`, ident(schema), ident(role))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[grant])
}

func giveGrants(ctx context.Context, tx pgx.Tx, schema, role string, grants []grant) error {
	if _, err := tx.Exec(ctx, fmt.Sprintf("GRANT USAGE ON SCHEMA %s, public TO %s", ident(schema), ident(role))); err != nil {
		return err
	}
	for _, g := range grants {
		kind, allowed := "TABLE", tablePrivileges
		if g.Sequence {
			kind, allowed = "SEQUENCE", sequencePrivileges
		}
		if !slices.Contains(allowed, g.Privilege) {
			return fmt.Errorf("the backup grants %.40q on %s", g.Privilege, g.Table)
		}
		column := ""
		if g.Column != "" {
			column = " (" + ident(g.Column) + ")"
		}
		sql := fmt.Sprintf("GRANT %s%s ON %s %s TO %s", g.Privilege, column, kind, pgx.Identifier{schema, g.Table}.Sanitize(), ident(role))
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// countRows counts the rows of each of the schema's tables, partitioned ones whole.
func countRows(ctx context.Context, tx pgx.Tx, schema string) (map[string]int64, error) {
	rows, err := tx.Query(ctx, `SELECT relname FROM pg_class
		WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname`, ident(schema))
	if err != nil {
		return nil, err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int64, len(tables))
	for _, table := range tables {
		var n int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+pgx.Identifier{schema, table}.Sanitize()).Scan(&n); err != nil {
			return nil, err
		}
		counts[table] = n
	}
	return counts, nil
}
