package report

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/search"
)

// Search selects reports by words that stand in them, or in what was done with their cases.
type Search struct {
	search.Query
	Own  bool // only what was told: who told it does not read what those who work with it write
	Last Num  // not 0: only what is later than this report's second, and than 1970
}

func (s *Search) where(w *Within, add func(cond, name string, value any)) {
	if s.Own {
		add(`w.words @@ @words::text::tsquery`, "words", s.InTold())
	} else {
		add(`w.words @@ @words::text::tsquery`, "words", s.InAll())
	}
	if w != nil { // of what only may lie there codes are told, and no words
		add(`(`+w.Whole()+` OR w.words @@ @codes::text::tsquery)`, "codes", s.InCodes())
	}
	if s.Last != 0 {
		add(`r.captured_at >= greatest(date_trunc('second', (SELECT captured_at FROM report WHERE num = @last)), 'epoch') + interval '1 second'`, "last", s.Last)
	}
}

// Having tells which reports have words, all of them, told or worked with, in no order.
func (s *Service) Having(ctx context.Context, q search.Query) ([]Num, error) {
	rows, err := s.Pool.Query(ctx, `SELECT report_num FROM report_words WHERE words @@ $1::text::tsquery`, q.TSQuery())
	if err != nil {
		return nil, fmt.Errorf("look for words: %w", err)
	}
	nums, err := pgx.CollectRows(rows, pgx.RowTo[Num])
	if err != nil {
		return nil, fmt.Errorf("look for words: %w", err)
	}
	return nums, nil
}

// InAll is the query for who reads all.
func (s *Search) InAll() string { return s.TSQuery() }

// InTold is the query for who reads what was told.
func (s *Search) InTold() string { return s.TSQuery(search.Told, search.Coded) }

// InCodes is the query for who reads no more than codes.
func (s *Search) InCodes() string { return s.TSQuery(search.Coded) }

// found reads a page by words: which reports are on it is known before anything else is read of them. All that have the words are sorted,
// by an order that no index has: a walk down the newest reports, which PostgreSQL takes for quicker where a word is frequent, is done
// before, within bounds, by who asks; going on with it takes seconds for what was frequent years ago.
func found(where string) string {
	placed := ""
	if strings.Contains(where, "p.") {
		placed = ` JOIN placement p ON p.report_num = r.num`
	}
	return `WITH hit AS MATERIALIZED (
			SELECT r.num FROM report_words w JOIN report r ON r.num = w.report_num` + placed + `
			WHERE ` + where + ` ORDER BY r.captured_at + interval '0' DESC, r.num DESC LIMIT @limit
		) ` + strings.TrimSpace(selectReport) + ` r.num IN (SELECT num FROM hit) ORDER BY r.captured_at DESC, r.num DESC`
}
