package report

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/postgres"
	"gridgov/internal/search"
)

// words are what a new report is found by, but for its number.
func (n *New) words() string { return wordsOf(n.Item, n.Title, n.Text, n.Address, n.ExternalID) }

func wordsOf(item string, told ...string) string {
	var w search.Words
	w.Item(item)
	for _, text := range told {
		w.Add(search.Told, text)
	}
	return w.String()
}

// numberedWords are a report's words as SQL: its number num, which is not known before, and the others.
func numberedWords(others string) string {
	return `('#' || num || ':1B')::tsvector || ` + others + `::tsvector`
}

// copyWords keeps the words of reports that were copied.
func copyWords(ctx context.Context, tx pgx.Tx, nums []Num, rows []readyRow) error {
	words := make([]string, len(rows))
	for i := range rows {
		words[i] = rows[i].words()
	}
	return keepWords(ctx, tx, nums, words)
}

func keepWords(ctx context.Context, tx pgx.Tx, nums []Num, words []string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO report_words (report_num, words)
		SELECT num, `+numberedWords("others")+` FROM unnest($1::bigint[], $2::text[]) AS n (num, others)
		ON CONFLICT DO NOTHING`, nums, words)
	if err != nil {
		return fmt.Errorf("keep the words of reports: %w", err)
	}
	return nil
}

// wordBatch is how many reports get their words in one transaction.
const wordBatch = 1000

// FindWords gives words to reports that have none, as those of earlier versions, and returns how many got some here. It may be stopped at
// any moment and goes on when it is called again.
func (s *Service) FindWords(ctx context.Context) (given int64, err error) {
	for after := int64(0); ; {
		var nums []int64
		err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) (err error) {
			nums, err = wordless(ctx, tx, after)
			if err != nil || len(nums) == 0 {
				return err
			}
			return giveWords(ctx, tx, nums)
		})
		if err != nil || len(nums) == 0 {
			return given, err
		}
		given += int64(len(nums))
		after = nums[len(nums)-1]
	}
}

func wordless(ctx context.Context, tx pgx.Tx, after int64) ([]int64, error) {
	rows, err := tx.Query(ctx, `
		SELECT r.num FROM report r WHERE r.num > $1 AND NOT EXISTS (SELECT FROM report_words w WHERE w.report_num = r.num)
		ORDER BY r.num LIMIT $2`, after, wordBatch)
	if err != nil {
		return nil, fmt.Errorf("look for reports without words: %w", err)
	}
	nums, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("look for reports without words: %w", err)
	}
	return nums, nil
}

// giveWords reads what stands in reports and their cases' acts while nobody can erase it or write more: an act holds its case, and
// finds no words to add its own to.
func giveWords(ctx context.Context, tx pgx.Tx, nums []int64) error {
	for _, lock := range []string{
		`SELECT FROM cases WHERE report_num = ANY ($1) ORDER BY report_num, part FOR SHARE`,
		`SELECT FROM report WHERE num = ANY ($1) ORDER BY num FOR SHARE`,
	} {
		if _, err := tx.Exec(ctx, lock, nums); err != nil {
			return fmt.Errorf("hold reports without words: %w", err)
		}
	}
	rows, err := tx.Query(ctx, `
		SELECT r.num, r.item, coalesce(r.title, ''), coalesce(r.text, ''), coalesce(r.address, ''), coalesce(r.external_id, ''),
			(SELECT array_agg(a.reason ORDER BY a.at, a.part, a.n) FROM case_act a WHERE a.report_num = r.num AND a.reason IS NOT NULL),
			(SELECT array_agg(DISTINCT c.item) FROM cases c WHERE c.report_num = r.num AND c.item <> r.item)
		FROM report r WHERE r.num = ANY ($1) ORDER BY r.num`, nums)
	if err != nil {
		return fmt.Errorf("read what has no words: %w", err)
	}
	var of []Num
	var all []string
	for rows.Next() {
		var num Num
		var item, title, text, address, external string
		var notes, items []string
		if err := rows.Scan(&num, &item, &title, &text, &address, &external, &notes, &items); err != nil {
			rows.Close()
			return fmt.Errorf("read what has no words: %w", err)
		}
		var w search.Words
		w.Item(item)
		for _, code := range items {
			w.Item(code)
		}
		for _, told := range []string{title, text, address, external} {
			w.Add(search.Told, told)
		}
		for _, note := range notes {
			w.Add(search.Worked, note)
		}
		of, all = append(of, num), append(all, w.String())
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read what has no words: %w", err)
	}
	return keepWords(ctx, tx, of, all)
}

// AddWords adds to a report's words what was done with one of its cases: a note, and the code of the item that the case has now; each
// may be "". Words without bound are none: who has written half a million letters about one matter is found by those.
func AddWords(ctx context.Context, tx pgx.Tx, num Num, note, item string) error {
	var w search.Words
	if item != "" {
		w.Item(item)
	}
	w.Add(search.Worked, note)
	if w.String() == "" {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE report_words SET words = words || $2::text::tsvector WHERE report_num = $1 AND octet_length(words::text) < 500000`, num, w.String())
	if err != nil {
		return fmt.Errorf("add words to report %d: %w", num, err)
	}
	return nil
}
