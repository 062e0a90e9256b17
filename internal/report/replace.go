package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/feed"
	"gridgov/internal/placement"
)

// Replacing is how far the re-placement under a plan has come, in report numbers.
type Replacing struct {
	Done, Total int64
	Changed     int64
}

const (
	replaceRead  = 50_000 // reports evaluated at a time
	replaceWrite = 5_000  // answers written in one transaction, as the feed's lock is held for its last step
)

// Replace evaluates all reports under a plan and writes a new answer where it differs from the one in force. It goes on
// from where an interrupted run of the same plan stopped, and two nodes may run it at once. Reports filed under an older
// plan while it runs are not its matter: their events name that plan, and ReplaceRange is called for them.
func (s *Service) Replace(ctx context.Context, placer *Placer, progress func(Replacing)) (Replacing, error) {
	last, err := s.LastNum(ctx)
	if err != nil {
		return Replacing{}, err
	}
	err = pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO replacing (plan_id, next_num, last_num, changed, started_at) VALUES ($1, 1, $2, 0, $3)
			ON CONFLICT (plan_id) DO NOTHING`, placer.PlanID, int64(last), s.Now().UTC())
		return err
	})
	if err != nil {
		return Replacing{}, fmt.Errorf("start re-placement: %w", err)
	}
	for {
		var next, last, changed int64
		err := s.Pool.QueryRow(ctx, `SELECT next_num, last_num, changed FROM replacing WHERE plan_id = $1`, placer.PlanID).Scan(&next, &last, &changed)
		if err != nil {
			return Replacing{}, fmt.Errorf("read re-placement: %w", err)
		}
		at := Replacing{Done: min(next-1, last), Total: last, Changed: changed}
		if progress != nil {
			progress(at)
		}
		if next > last {
			return at, nil
		}
		to := min(next+replaceRead-1, last)
		answers, err := s.evaluate(ctx, placer, Num(next), Num(to))
		if err != nil {
			return at, err
		}
		if err := s.writeAnswers(ctx, placer, answers, func(ctx context.Context, tx pgx.Tx, n int) error {
			return s.advance(ctx, tx, placer.PlanID, next, to, last, n)
		}); err != nil && !errors.Is(err, errOvertaken) {
			return at, err
		}
	}
}

// errOvertaken: another node has done this range.
var errOvertaken = errors.New("overtaken")

func (s *Service) advance(ctx context.Context, tx pgx.Tx, plan, next, to, last int64, changed int) error {
	var finished *time.Time
	if to == last {
		finished = new(s.Now().UTC())
	}
	tag, err := tx.Exec(ctx, `
		UPDATE replacing SET next_num = $3, changed = changed + $4, finished_at = $5
		WHERE plan_id = $1 AND next_num = $2`, plan, next, to+1, changed, finished)
	if err == nil && tag.RowsAffected() == 0 {
		return errOvertaken
	}
	return err
}

// ReplaceRange evaluates the reports from ≤ num ≤ to under a plan.
func (s *Service) ReplaceRange(ctx context.Context, placer *Placer, from, to Num) (int, error) {
	answers, err := s.evaluate(ctx, placer, from, to)
	if err != nil {
		return 0, err
	}
	return len(answers), s.writeAnswers(ctx, placer, answers, func(context.Context, pgx.Tx, int) error { return nil })
}

// Evaluate places the reports from ≤ num ≤ to under a plan, writes nothing, and returns how many would have a new answer.
func (s *Service) Evaluate(ctx context.Context, placer *Placer, from, to Num) (int, error) {
	changed := 0
	for at := int64(from); at <= int64(to); at += replaceRead {
		answers, err := s.evaluate(ctx, placer, Num(at), Num(min(at+replaceRead-1, int64(to))))
		if err != nil {
			return 0, err
		}
		changed += len(answers)
	}
	return changed, nil
}

// answer is a report's new placement, and the time of the one it replaces.
type answer struct {
	num   Num
	since time.Time
	Placement
}

// evaluate finds the new answers, by number. An answer given under a later plan stands: a node that has not seen that plan
// yet does not undo it. Reports are read on one side and placed on the other at the same time.
func (s *Service) evaluate(ctx context.Context, placer *Placer, from, to Num) ([]answer, error) {
	chunks := make(chan []old, 4)
	var mu sync.Mutex
	var out []answer
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for chunk := range chunks {
				var found []answer
				for i := range chunk {
					o := &chunk[i]
					if p := o.under(placer); !p.sameAnswer(&o.Placement) {
						found = append(found, answer{o.num, o.Since, p})
					}
				}
				mu.Lock()
				out = append(out, found...)
				mu.Unlock()
			}
		})
	}
	err := s.readOld(ctx, placer.PlanID, from, to, chunks)
	close(chunks)
	wg.Wait()
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	slices.SortFunc(out, func(a, b answer) int { return cmp.Compare(a.num, b.num) })
	return out, nil
}

// under places the report anew. A report without a point stays as it is: the gazetteer's answer does not hang on a plan.
func (o *old) under(placer *Placer) Placement {
	if math.IsNaN(o.lon) {
		p := Placement{PlanID: placer.PlanID, Method: placement.MethodUnplaced, Rule: o.Rule, Near: []string{}, Candidates: []string{}}
		if o.Rule == RuleNoPlan {
			p.Rule = RuleNoPosition
		}
		return p
	}
	accuracyM := math.NaN()
	if o.located == LocatedPoint {
		accuracyM = o.accuracyM
	}
	p := placer.At(orb.Point{o.lon, o.lat}, accuracyM, o.located)
	p.Score, p.Matched = o.Score, o.Matched
	return p
}

// writeAnswers writes new answers in transactions of at most replaceWrite, each with its event; last runs in the last
// of them, which exists even when there is no answer to write.
func (s *Service) writeAnswers(ctx context.Context, placer *Placer, answers []answer, last func(context.Context, pgx.Tx, int) error) error {
	total := len(answers)
	for {
		n := min(len(answers), replaceWrite)
		part := answers[:n]
		answers = answers[n:]
		err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
			at := s.Now().UTC().Truncate(time.Microsecond)
			nums, err := s.writePart(ctx, tx, part, at)
			if err != nil {
				return err
			}
			if len(answers) == 0 {
				if err := last(ctx, tx, total); err != nil {
					return err
				}
			}
			if len(nums) == 0 {
				return nil
			}
			_, err = feed.Append(ctx, tx, at, []feed.Event{{Type: feed.ReportReplaced, Data: feed.Replaced{Plan: placer.PlanID, Nums: nums}}})
			return err
		})
		if err != nil || len(answers) == 0 {
			return err
		}
	}
}

// writePart writes the answers whose report still has the answer that was read (a position set meanwhile wins), all in
// one statement, and returns their numbers.
func (s *Service) writePart(ctx context.Context, tx pgx.Tx, part []answer, at time.Time) ([]uint32, error) {
	type row struct {
		Num        Num              `json:"num"`
		Old        time.Time        `json:"old"`
		PlanID     *int64           `json:"plan_id"`
		Method     placement.Method `json:"method"`
		Rule       string           `json:"rule"`
		Town       *string          `json:"town"`
		Village    *string          `json:"village"`
		Grid       *string          `json:"grid"`
		Microgrid  *string          `json:"microgrid"`
		Nearest    *string          `json:"nearest"`
		DistanceM  *float64         `json:"distance_m"`
		BorderM    *float64         `json:"border_m"`
		Near       []string         `json:"near"`
		Candidates []string         `json:"candidates"`
		Score      *float64         `json:"score"`
		Matched    *string          `json:"matched"`
		Since      time.Time        `json:"since"`
	}
	list := make([]row, len(part))
	for i, a := range part {
		list[i] = row{Num: a.num, Old: a.since.UTC(), Method: a.Method, Rule: a.Rule, Town: null(a.Town), Village: null(a.Village), Grid: null(a.Grid),
			Microgrid: null(a.Microgrid), Nearest: null(a.Nearest), DistanceM: a.DistanceM, BorderM: a.BorderM, Near: a.Near,
			Candidates: a.Candidates, Score: a.Score, Matched: null(a.Matched), Since: at}
		if a.PlanID != 0 {
			list[i].PlanID = &part[i].PlanID
		}
	}
	rows, err := tx.Query(ctx, replaceAnswers, list, at)
	if err != nil {
		return nil, fmt.Errorf("write answers: %w", err)
	}
	nums, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (uint32, error) {
		var n int64
		err := row.Scan(&n)
		return uint32(n), err
	})
	if err != nil {
		return nil, fmt.Errorf("write answers: %w", err)
	}
	slices.Sort(nums)
	return nums, nil
}

// replaceAnswers moves answers to the past and puts the new ones in their place. Its rows come as JSON, since arrays in
// arrays have no other form that a set of rows can be made of.
var replaceAnswers = func() string {
	set := make([]string, len(placementColumns))
	for i, c := range placementColumns {
		set[i] = c + " = n." + c
	}
	cols := strings.Join(placementColumns, ", ")
	return `
		WITH n AS MATERIALIZED (
			SELECT * FROM jsonb_to_recordset($1::jsonb) AS n (num bigint, old timestamptz, plan_id bigint, method text, rule text, town text,
				village text, grid text, microgrid text, nearest text, distance_m double precision, border_m double precision,
				near text[], candidates text[], score double precision, matched text, since timestamptz)
		), before AS MATERIALIZED (
			SELECT p.* FROM placement p JOIN n ON n.num = p.report_num AND n.old = p.since FOR UPDATE OF p
		), past AS (
			INSERT INTO placement_past (report_num, until, ` + cols + `) SELECT report_num, $2, ` + cols + ` FROM before
		)
		UPDATE placement p SET ` + strings.Join(set, ", ") + `
		FROM n JOIN before b ON b.report_num = n.num
		WHERE p.report_num = n.num
		RETURNING p.report_num`
}()
