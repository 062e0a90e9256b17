package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Queue queues the insert of rows. They lie behind the chain's head, which moves in the same transaction.
func Queue(b *pgx.Batch, rows []Row) {
	var seqs, posts []int64
	var ats []time.Time
	var persons []*uuid.UUID
	var acts, subjects, keys []string
	var befores, afters, addresses []*string
	var macs [][]byte
	for i := range rows {
		r := &rows[i]
		var person *uuid.UUID
		if r.Person != uuid.Nil {
			person = &r.Person
		}
		seqs, posts, ats, persons = append(seqs, r.Seq), append(posts, r.Post), append(ats, r.At), append(persons, person)
		acts, subjects, keys, macs = append(acts, r.Act), append(subjects, r.Subject), append(keys, r.Key), append(macs, r.MAC)
		befores, afters = append(befores, null(string(r.Before))), append(afters, null(string(r.After)))
		addresses = append(addresses, null(r.Address))
	}
	b.Queue(`
		INSERT INTO audit (seq, at, person, post, act, subject, before, after, address, key, mac)
		SELECT r.seq, r.at, r.person, nullif(r.post, 0), r.act, r.subject, r.before::json, r.after::json, r.address, r.key, r.mac
		FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
			$10::text[], $11::bytea[]) AS r (seq, at, person, post, act, subject, before, after, address, key, mac)`,
		seqs, ats, persons, posts, acts, subjects, befores, afters, addresses, keys, macs)
}

// null turns "", which is no JSON and no address, into NULL.
func null(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// querier is what reading needs of a pool, a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// HeadOf reads where a city's chain ends.
func HeadOf(ctx context.Context, q querier) (Head, error) {
	var h Head
	if err := q.QueryRow(ctx, `SELECT audit_seq, audit_mac, audit_sum FROM feed`).Scan(&h.Seq, &h.MAC, &h.Sum); err != nil {
		return Head{}, fmt.Errorf("read the head of the audit: %w", err)
	}
	return h, nil
}

// HasKeys tells whether a row of the city was written with a key.
func HasKeys(ctx context.Context, q querier) (has bool, err error) {
	err = q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM audit WHERE key <> '')`).Scan(&has)
	return has, err
}

// columns are those that scan reads; the JSON is read as it was written.
const columns = `seq, at, person, coalesce(post, 0), act, subject, before::text, after::text, coalesce(address, ''), key, mac`

func scan(rows pgx.CollectableRow) (Row, error) {
	var r Row
	var person *uuid.UUID
	var before, after *string
	err := rows.Scan(&r.Seq, &r.At, &person, &r.Post, &r.Act, &r.Subject, &before, &after, &r.Address, &r.Key, &r.MAC)
	if person != nil {
		r.Person = *person
	}
	if before != nil {
		r.Before = []byte(*before)
	}
	if after != nil {
		r.After = []byte(*after)
	}
	r.At = r.At.UTC()
	return r, err
}

// Query asks for rows. Zero fields ask for all.
type Query struct {
	Person   uuid.UUID
	Act      string // what the act begins with, as "plan."
	Subject  string
	From, To time.Time // From ≤ at < To
	Before   int64     // of a page before: rows with a smaller seq
	Limit    int
}

// Page is rows, the newest first.
type Page struct {
	Rows []Row
	Next int64 // Before of the page that follows; 0 after the last
}

// List reads a page.
func List(ctx context.Context, q querier, ask Query) (Page, error) {
	where := []string{"true"}
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	if ask.Person != uuid.Nil {
		add("person = ?", ask.Person)
	}
	if ask.Act != "" {
		add("act >= ?", ask.Act)
		add("act < ?", ask.Act+"~") // acts are of letters, digits, _ and dots, which all come before it
	}
	if ask.Subject != "" {
		add("subject = ?", ask.Subject)
	}
	if !ask.From.IsZero() {
		add("at >= ?", ask.From)
	}
	if !ask.To.IsZero() {
		add("at < ?", ask.To)
	}
	if ask.Before > 0 {
		add("seq < ?", ask.Before)
	}
	args = append(args, ask.Limit+1)
	rows, err := q.Query(ctx, `SELECT `+columns+` FROM audit WHERE `+strings.Join(where, " AND ")+
		fmt.Sprintf(` ORDER BY seq DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return Page{}, fmt.Errorf("list the audit: %w", err)
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return Page{}, fmt.Errorf("list the audit: %w", err)
	}
	p := Page{Rows: list}
	if len(list) > ask.Limit {
		p.Rows = list[:ask.Limit]
		p.Next = p.Rows[ask.Limit-1].Seq
	}
	return p, nil
}
