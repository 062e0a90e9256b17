package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// scrubbed are the tables of a city that hold who people are and what they say.
var scrubbed = []string{"report", "report_device", "report_words", "position_set", "contact", "reporter", "person", "post", "account", "session", "device", "token", "push_subscription"}

// Scrub removes what a city's tables still hold of rows that were changed, as after a person was erased, and samples their
// columns anew, so that the planner's statistics quote nobody. Work goes on meanwhile.
//
// What PostgreSQL has removed may stay in unused parts of the tables' files. With rewrite the files are made anew, and the
// city's reports wait until it is done. The write-ahead log keeps what was written until its segments are used again.
func (d *Database) Scrub(ctx context.Context, city City, rewrite bool) error {
	conn, err := connectTo(ctx, d.ownerURL(city), city.Code)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	how := "ANALYZE"
	if rewrite {
		how = "FULL, ANALYZE"
	}
	for _, table := range scrubbed {
		if _, err := conn.Exec(ctx, fmt.Sprintf("VACUUM (%s) %s", how, pgx.Identifier{city.Code, table}.Sanitize())); err != nil {
			return fmt.Errorf("clean %s: %w", table, err)
		}
	}
	if rewrite {
		how = "FULL"
	} else {
		how = "SKIP_LOCKED"
	}
	// Of a catalogue that is another's PostgreSQL warns, and leaves it to its own cleaning.
	if _, err := conn.Exec(ctx, fmt.Sprintf("VACUUM (%s) pg_catalog.pg_statistic", how)); err != nil {
		return fmt.Errorf("clean the statistics: %w", err)
	}
	return nil
}
