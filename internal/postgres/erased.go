package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// keepErased erases in the restored cities who was erased in the cities that lie aside: a backup from before must not bring
// them back. What was erased in a database that is gone, nobody knows here.
func (r *restoring) keepErased(ctx context.Context, tx pgx.Tx) error {
	for _, c := range r.manifest.Cities {
		both := true
		for _, schema := range []string{c.Code, aside + c.Code} {
			var has bool
			if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", ident(schema)+".contact").Scan(&has); err != nil {
				return err
			}
			both = both && has
		}
		if !both {
			continue // new here, or older than contacts
		}
		people, err := keepErasedIn(ctx, tx, c.Code)
		if err != nil {
			return fmt.Errorf("erase in city %s who was erased before: %w", c.Code, err)
		}
		if people > 0 {
			r.erased = append(r.erased, c.Code)
			r.opts.say("city %s: %d people who were erased since the backup stay erased", c.Code, people)
		}
	}
	return nil
}

// keepErasedIn does what (*contact.Service).Erase did. A report's empty digest tells that its words were erased too, or kept on
// purpose: it gets what is left of them.
func keepErasedIn(ctx context.Context, tx pgx.Tx, city string) (people int64, err error) {
	schemas := strings.NewReplacer("{now}", ident(city), "{was}", ident(aside+city))
	statements := []string{
		`UPDATE {now}.contact c SET data_key = NULL, key_id = NULL, name = NULL, phone = NULL, email = NULL, home = NULL,
			phone_index = NULL, email_index = NULL, told = NULL, erased_at = w.erased_at
		FROM {was}.contact w WHERE w.id = c.id AND w.erased_at IS NOT NULL AND c.erased_at IS NULL`,
		`UPDATE {now}.position_set p SET reason = w.reason
		FROM {was}.position_set w JOIN {was}.report o ON o.num = w.report_num JOIN {now}.report r ON r.id = o.id
		WHERE o.content = '' AND p.report_num = r.num AND p.at = w.at`,
		`UPDATE {now}.report r SET title = w.title, text = w.text, address = CASE WHEN r.lon IS NULL THEN coalesce(w.address, '') ELSE w.address END,
			content = ''
		FROM {was}.report w WHERE w.id = r.id AND w.content = ''`,
	}
	// What a report is found by: of what was told what is left of it, and what those who worked with it wrote.
	var words, known bool
	if err := tx.QueryRow(ctx, schemas.Replace(`SELECT to_regclass('{now}.report_words') IS NOT NULL, to_regclass('{was}.report_words') IS NOT NULL`)).Scan(&words, &known); err != nil {
		return 0, err
	}
	if words {
		statements = append(statements, `UPDATE {now}.report_words n SET words = ts_filter(n.words, '{b,d}')
			FROM {was}.report w JOIN {now}.report r ON r.id = w.id WHERE n.report_num = r.num AND w.content = ''`)
	}
	if words && known {
		statements = append(statements, `UPDATE {now}.report_words n SET words = n.words || ts_filter(w.words, '{a}')
			FROM {was}.report o JOIN {was}.report_words w ON w.report_num = o.num JOIN {now}.report r ON r.id = o.id
			WHERE n.report_num = r.num AND o.content = ''`)
	}
	for i, sql := range statements {
		tag, err := tx.Exec(ctx, schemas.Replace(sql))
		if err != nil {
			return 0, err
		}
		if i == 0 {
			people = tag.RowsAffected()
		}
	}
	return people, nil
}
