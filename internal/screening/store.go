package screening

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
)

// Service screens one city's matters, and keeps what came of it.
type Service struct {
	Pool *pgxpool.Pool
	Feed *feed.Writer
	City string
	Zone *time.Location
	Now  func() time.Time
	Log  *slog.Logger
	// World is what decides now: the plan in force, and the list.
	World     func(context.Context) (World, error)
	Committed func() // something was committed that the feed tells of; may be nil
	// Filling tells that the city is being filled for the first time, as a demo is: its week waits until it is. May be nil.
	Filling func(context.Context) (bool, error)

	busy sync.Mutex
}

// Run is a screening that was kept.
type Run struct {
	ID             ID
	Week           string // as 2026-W48; "": somebody asked for it
	At             time.Time
	Person         uuid.UUID // nil: nobody asked, it is the week's
	Epoch          int
	Seq            int64
	Plan           int64 // 0: none was in force
	List           int64
	Params         Params
	From, To       time.Time
	Reports, Units int
	Proposals      int // found
	Made           int // kept: of the others another screening had the evidence first
	Why            Why
	Took           time.Duration
	Digest         []byte // SHA-256 of the result
	cut, result    []byte
}

// Screen makes a screening of the days up to now, for who acts in the context, and tells whether it did: where nothing has changed since
// the last one of the day, it is that. While another is under way here it is a conflict.
func (s *Service) Screen(ctx context.Context) (run Run, made bool, err error) {
	return s.run(ctx, "", s.Now())
}

// Weekly makes the screening of this week, up to its first midnight, and tells whether it did: once, whatever nodes ask. Of weeks in which
// nobody asked none is made up for.
func (s *Service) Weekly(ctx context.Context) (made bool, err error) {
	now := s.Now().In(s.Zone)
	year, number := now.ISOWeek()
	week := fmt.Sprintf("%04d-W%02d", year, number)
	var there bool
	if err := s.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM screening WHERE week = $1)`, week).Scan(&there); err != nil || there {
		return false, err
	}
	monday := time.Date(now.Year(), now.Month(), now.Day()-(int(now.Weekday())+6)%7, 0, 0, 0, 0, s.Zone)
	_, made, err = s.run(ctx, week, monday)
	return made, err
}

func (s *Service) run(ctx context.Context, week string, to time.Time) (run Run, made bool, err error) {
	if !s.busy.TryLock() {
		return run, false, fault.Conflict("screening_running", "a screening is under way: see what comes of it first")
	}
	defer s.busy.Unlock()
	began := time.Now()
	w, err := s.World(ctx)
	if err != nil {
		return run, false, err
	}
	at := s.Now().UTC().Truncate(time.Microsecond)
	p := w.params(uint64(at.Unix()))
	cut, err := s.read(ctx, &w, &p, to)
	if err != nil {
		return run, false, err
	}
	if week == "" {
		if last, same, err := s.unchanged(ctx, cut); err != nil || same {
			return last, false, err
		}
	}
	result, err := Screen(cut, p)
	if err != nil {
		return run, false, fmt.Errorf("screen: %w", err)
	}
	run = Run{Week: week, At: at, Epoch: cut.Epoch, Seq: cut.Seq, Plan: cut.Plan, List: cut.List, Params: p, From: time.Unix(cut.From, 0).UTC(),
		To: time.Unix(cut.To, 0).UTC(), Reports: result.Reports, Units: result.Units, Proposals: len(result.Proposals)}
	if week == "" {
		run.Person = audit.AuthorOf(ctx).Person
	}
	if run.result, err = result.Bytes(); err != nil {
		return run, false, err
	}
	if run.cut, err = cut.pack(); err != nil {
		return run, false, err
	}
	digest := sha256.Sum256(run.result)
	run.Digest, run.Took = digest[:], time.Since(began)
	err = postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) error {
		made, err = s.keep(ctx, tx, &run, cut, result)
		return err
	})
	if err != nil {
		return run, false, err
	}
	if made {
		s.Log.Info("matters were screened", "screening", run.ID, "proposals", run.Made, "why", string(run.Why), "ms", run.Took.Milliseconds())
		if s.Committed != nil {
			s.Committed()
		}
	}
	return run, made, nil
}

// unchanged finds the last screening, and tells whether it was asked for today, and made of all that a cut is made of. That of a week goes
// up to a midnight, and knows nothing of the hours since.
func (s *Service) unchanged(ctx context.Context, cut *Cut) (last Run, same bool, err error) {
	runs, err := s.Runs(ctx, 0, 1)
	if err != nil || len(runs) == 0 {
		return last, false, err
	}
	last = runs[0]
	date := func(t time.Time) string { return t.In(s.Zone).Format(time.DateOnly) }
	return last, last.Week == "" && last.Epoch == cut.Epoch && last.Seq == cut.Seq && last.Plan == cut.Plan && last.List == cut.List &&
		date(last.To) == date(time.Unix(cut.To, 0)), nil
}

// keep writes a screening with its proposals. One screening of a city is kept at a time: what another had as evidence meanwhile is taken from
// the proposals, and those that are left with too little are none.
func (s *Service) keep(ctx context.Context, tx pgx.Tx, run *Run, cut *Cut, result *Result) (made bool, err error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('gridgov screening ' || $1, 0))`, s.City); err != nil {
		return false, fmt.Errorf("wait for another screening: %w", err)
	}
	var nums []int64
	for i := range result.Proposals {
		for _, n := range result.Proposals[i].Evidence {
			nums = append(nums, int64(n))
		}
	}
	rows, err := tx.Query(ctx, `SELECT report_num FROM proposal_evidence WHERE report_num = ANY ($1)`, nums)
	if err != nil {
		return false, fmt.Errorf("read what served as evidence: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return false, fmt.Errorf("read what served as evidence: %w", err)
	}
	served := make(map[int64]bool, len(list))
	for _, n := range list {
		served[n] = true
	}
	least := map[string]int{}
	for _, i := range cut.Items {
		least[i.Code] = i.Least
	}
	evidence := make([][]int64, len(result.Proposals)) // nil: another had it
	run.Made = 0
	for i := range result.Proposals {
		p := &result.Proposals[i]
		var fresh []int64
		for _, n := range p.Evidence {
			if !served[int64(n)] {
				fresh = append(fresh, int64(n))
			}
		}
		need := run.Params.Least
		if own := least[p.Item]; own > 0 {
			need = own
		}
		if len(fresh) >= need {
			evidence[i] = fresh
			run.Made++
		}
	}
	if run.Why = result.Why; run.Why == "" && run.Made == 0 {
		run.Why = Overtaken
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO screening (week, at, person_id, epoch, seq, plan_id, list_id, level, days, least, q, seed, from_at, to_at, reports, units, proposals, made, why,
			took_ms, cut, result, digest)
		VALUES (nullif($1, ''), $2, nullif($3, '00000000-0000-0000-0000-000000000000'::uuid), $4, $5, nullif($6::bigint, 0), $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
			nullif($19, ''), $20, $21, $22, $23)
		ON CONFLICT (week) DO NOTHING RETURNING id`,
		run.Week, run.At, run.Person, run.Epoch, run.Seq, run.Plan, run.List, run.Params.Level, run.Params.Days, run.Params.Least, run.Params.Q, int64(run.Params.Seed),
		run.From, run.To, run.Reports, run.Units, run.Proposals, run.Made, string(run.Why), run.Took.Milliseconds(), run.cut, run.result, run.Digest).Scan(&run.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil // another node has made this week's
	}
	if err != nil {
		return false, fmt.Errorf("keep a screening: %w", err)
	}
	events, err := s.propose(ctx, tx, run, cut, result, evidence)
	if err != nil {
		return false, err
	}
	if run.Made == 0 && run.Person == uuid.Nil { // the row tells of it
		return true, nil
	}
	_, err = s.Feed.Append(ctx, tx, run.At, events, audit.Record{Act: "screening.run", Subject: fmt.Sprintf("screening:%d", run.ID),
		After: runRecord{run.Week, run.Seq, run.Plan, run.List, run.Made, run.Why}})
	return true, err
}

type runRecord struct {
	Week string `json:"week,omitempty"`
	Seq  int64  `json:"seq"`
	Plan int64  `json:"plan,omitempty"`
	List int64  `json:"list"`
	Made int    `json:"made"`
	Why  Why    `json:"why,omitempty"`
}

// propose writes the proposals that have evidence.
func (s *Service) propose(ctx context.Context, tx pgx.Tx, run *Run, cut *Cut, result *Result, evidence [][]int64) ([]feed.Event, error) {
	units := make(map[string]*Unit, len(cut.Units))
	for i := range cut.Units {
		units[cut.Units[i].Code] = &cut.Units[i]
	}
	ids := make([]ProposalID, len(result.Proposals))
	var events []feed.Event
	var of, nums []int64
	for i := range result.Proposals {
		if evidence[i] == nil {
			continue
		}
		p := &result.Proposals[i]
		place := placeOf(run.Params.Level, p, units)
		facts, err := json.Marshal(p)
		if err != nil {
			return nil, err
		}
		err = tx.QueryRow(ctx, `
			INSERT INTO proposal (screening_id, n, item, level, town, villages, grids, units, told, found, expected, facts, made_at, state, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'open', 0) RETURNING id`,
			run.ID, i, p.Item, place.Level, place.Town, place.Villages, place.Grids, place.Units, p.Told, p.Found, p.Expected, facts, run.At).Scan(&ids[i])
		if err != nil {
			return nil, fmt.Errorf("keep a proposal: %w", err)
		}
		for _, n := range evidence[i] {
			of, nums = append(of, int64(ids[i])), append(nums, n)
		}
		events = append(events, feed.Event{Type: feed.ProposalChanged, Data: feed.Proposal{ID: int64(ids[i]), State: string(IsOpen), Item: p.Item, Towns: []string{place.Town},
			Villages: place.Villages}})
	}
	if len(events) == 0 {
		return nil, nil
	}
	if _, err := tx.Exec(ctx, `INSERT INTO proposal_evidence (proposal_id, report_num) SELECT * FROM unnest($1::bigint[], $2::bigint[])`, of, nums); err != nil {
		return nil, fmt.Errorf("keep the evidence: %w", err)
	}
	var from, to []int64
	both := func(a, b ProposalID) { from, to = append(from, int64(a), int64(b)), append(to, int64(b), int64(a)) }
	for i := range result.Proposals {
		if ids[i] == 0 {
			continue
		}
		for _, k := range result.Proposals[i].Related {
			if k > i && ids[k] != 0 {
				both(ids[i], ids[k])
			}
		}
		for _, before := range result.Proposals[i].Open {
			both(ids[i], before)
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO proposal_related (proposal_id, other_id) SELECT * FROM unnest($1::bigint[], $2::bigint[]) ON CONFLICT DO NOTHING`, from, to)
	if err != nil {
		return nil, fmt.Errorf("keep which proposals belong together: %w", err)
	}
	return events, nil
}

// placeOf is where a proposal lies.
func placeOf(level string, p *Proposal, units map[string]*Unit) Place {
	out := Place{Level: level, Town: p.Town, Units: []string{}}
	var villages, grids []string
	for _, found := range p.Units {
		u := units[found.Code]
		out.Units = append(out.Units, u.Code)
		villages, grids = append(villages, u.Village), append(grids, u.Grid)
	}
	out.Villages, out.Grids = whole(villages), whole(grids)
	return out
}

// whole are codes, each once in order; none, where one of them is not known.
func whole(codes []string) []string {
	if slices.Contains(codes, "") {
		return []string{}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

const runColumns = `
	id, coalesce(week, ''), at, coalesce(person_id, '00000000-0000-0000-0000-000000000000'), epoch, seq, coalesce(plan_id, 0), list_id, level, days, least, q, seed,
	from_at, to_at, reports, units, proposals, made, coalesce(why, ''), took_ms, digest`

func scanRun(row pgx.CollectableRow, more ...any) (r Run, err error) {
	var ms, seed int64
	p := &r.Params
	err = row.Scan(append([]any{&r.ID, &r.Week, &r.At, &r.Person, &r.Epoch, &r.Seq, &r.Plan, &r.List, &p.Level, &p.Days, &p.Least, &p.Q, &seed,
		&r.From, &r.To, &r.Reports, &r.Units, &r.Proposals, &r.Made, &r.Why, &ms, &r.Digest}, more...)...)
	p.Seed, r.Took = uint64(seed), time.Duration(ms)*time.Millisecond
	return r, err
}

// Runs are the screenings before one, the newest first; before 0: the newest of all.
func (s *Service) Runs(ctx context.Context, before ID, limit int) ([]Run, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+runColumns+` FROM screening WHERE $1::bigint = 0 OR id < $1 ORDER BY id DESC LIMIT $2`, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list screenings: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Run, error) { return scanRun(row) })
	if err != nil {
		return nil, fmt.Errorf("list screenings: %w", err)
	}
	return list, nil
}

// About reads a screening without what came of it.
func (s *Service) About(ctx context.Context, id ID) (Run, error) {
	return s.get(ctx, id, `''::bytea, ''::bytea`)
}

// Get reads a screening with what came of it.
func (s *Service) Get(ctx context.Context, id ID) (Run, *Result, error) {
	run, err := s.get(ctx, id, `''::bytea, result`)
	if err != nil {
		return run, nil, err
	}
	result := new(Result)
	if err := json.Unmarshal(run.result, result); err != nil {
		return run, nil, fmt.Errorf("read screening %d: %w", id, err)
	}
	return run, result, nil
}

// get reads a screening with two columns more: its cut, and its result.
func (s *Service) get(ctx context.Context, id ID, more string) (Run, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+runColumns+`, `+more+` FROM screening WHERE id = $1`, id)
	if err != nil {
		return Run{}, fmt.Errorf("read a screening: %w", err)
	}
	run, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (Run, error) {
		var cut, result []byte
		r, err := scanRun(row, &cut, &result)
		r.cut, r.result = cut, result
		return r, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return run, fault.NotFound("there is no screening %d", id)
	}
	if err != nil {
		return run, fmt.Errorf("read a screening: %w", err)
	}
	return run, nil
}

// Again makes a screening once more, of the cut that was kept, and tells whether the same came of it, byte by byte.
func (s *Service) Again(ctx context.Context, id ID) (same bool, took time.Duration, err error) {
	run, err := s.get(ctx, id, `cut, result`)
	if err != nil {
		return false, 0, err
	}
	if !s.busy.TryLock() {
		return false, 0, fault.Conflict("screening_running", "a screening is under way: see what comes of it first")
	}
	defer s.busy.Unlock()
	began := time.Now()
	cut, err := unpack(run.cut)
	if err != nil {
		return false, 0, fmt.Errorf("screening %d: %w", id, err)
	}
	result, err := Screen(cut, run.Params)
	if err != nil {
		return false, 0, fmt.Errorf("screening %d: %w", id, err)
	}
	b, err := result.Bytes()
	if err != nil {
		return false, 0, err
	}
	digest := sha256.Sum256(b)
	return bytes.Equal(b, run.result) && bytes.Equal(digest[:], run.Digest), time.Since(began), nil
}

// Select asks a screening that was kept how a proposal of it came to be.
func (s *Service) Select(ctx context.Context, k *Kept) (Run, *Selection, error) {
	run, err := s.get(ctx, k.Screening, `cut, ''::bytea`)
	if err != nil {
		return run, nil, err
	}
	cut, err := unpack(run.cut)
	if err != nil {
		return run, nil, fmt.Errorf("screening %d: %w", k.Screening, err)
	}
	facts, err := k.Facts()
	if err != nil {
		return run, nil, err
	}
	selection, err := Select(cut, run.Params, facts)
	if err != nil {
		return run, nil, fmt.Errorf("proposal %d: %w", k.ID, err)
	}
	return run, selection, nil
}
