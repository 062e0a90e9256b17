package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"gridgov/internal/audit"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
)

// rewrite writes the answers of a plan for reports that have others, in transactions of at most replaceWrite, each with
// its event, and returns how many were written. Under a plan that another has followed none are.
func (s *Service) rewrite(ctx context.Context, placer *Placer, stale []asked) (changed int, err error) {
	for part := range slices.Chunk(stale, replaceWrite) {
		var nums []uint32
		next := newAnswers(placer, part)
		err := postgres.Transact(ctx, s.Pool, func(tx pgx.Tx) (err error) {
			at := s.Now().UTC()
			if passed, err := planPassed(ctx, tx, placer.PlanID, at); err != nil || passed {
				return err
			}
			if nums, err = next.write(ctx, tx, at); err != nil || len(nums) == 0 {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE replacing SET changed = changed + $2 WHERE plan_id = $1`, placer.PlanID, len(nums)); err != nil {
				return err
			}
			_, err = s.Feed.Append(ctx, tx, at, []feed.Event{{Type: feed.ReportReplaced, Data: feed.Replaced{Plan: placer.PlanID, Nums: nums}}},
				audit.Record{Act: "report.replace", Subject: fmt.Sprintf("plan:%d", placer.PlanID), After: span{nums[0], nums[len(nums)-1], len(nums)}})
			return err
		})
		if err != nil {
			return changed, fmt.Errorf("write new answers: %w", err)
		}
		changed += len(nums)
	}
	return changed, nil
}

// span is what a record keeps of a batch of reports.
type span struct {
	FromNum uint32 `json:"from_num"`
	ToNum   uint32 `json:"to_num"`
	Count   int    `json:"count"`
}

// planPassed tells whether a later plan is in force. A report that has the same answer under that one still names the plan
// before as its own, so a node that is behind would take it for one to write anew, and it would change its grid twice.
func planPassed(ctx context.Context, tx pgx.Tx, plan int64, at time.Time) (passed bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM plan WHERE state = 'published' AND in_force_from <= $2
			AND in_force_from > (SELECT in_force_from FROM plan WHERE id = $1))`, plan, at).Scan(&passed)
	return passed, err
}

// answers are new answers as columns, which a statement takes as arrays.
type answers struct {
	plan                               int64
	num, digest                        []int64
	since                              []time.Time // of the answers that they replace
	method, rule                       []string
	town, village, grid, micro, beside []*string
	distanceM, borderM                 []*float64
	near, candidates                   [][]string
}

func newAnswers(placer *Placer, stale []asked) *answers {
	a := &answers{plan: placer.PlanID}
	for i := range stale {
		p := stale[i].under(placer)
		a.num, a.digest, a.since = append(a.num, int64(stale[i].num)), append(a.digest, p.digest()), append(a.since, stale[i].since)
		a.method, a.rule = append(a.method, string(p.Method)), append(a.rule, p.Rule)
		a.town, a.village, a.grid = append(a.town, null(p.Town)), append(a.village, null(p.Village)), append(a.grid, null(p.Grid))
		a.micro, a.beside = append(a.micro, null(p.Microgrid)), append(a.beside, null(p.Nearest))
		a.distanceM, a.borderM = append(a.distanceM, p.DistanceM), append(a.borderM, p.BorderM)
		a.near, a.candidates = append(a.near, p.Near), append(a.candidates, p.Candidates)
	}
	return a
}

// write writes the answers whose report still has the answer that was read (a position set meanwhile wins), all in one
// statement, and returns their numbers, sorted.
func (a *answers) write(ctx context.Context, tx pgx.Tx, at time.Time) ([]uint32, error) {
	near, err := literals(tx.Conn().TypeMap(), a.near)
	if err != nil {
		return nil, err
	}
	candidates, err := literals(tx.Conn().TypeMap(), a.candidates)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, rewriteAnswers, at, a.plan, slices.Min(a.num), slices.Max(a.num), a.num, a.since, a.method, a.rule, a.town, a.village,
		a.grid, a.micro, a.beside, a.distanceM, a.borderM, near, candidates, a.digest)
	if err != nil {
		return nil, err
	}
	nums, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	out := make([]uint32, len(nums))
	for i, n := range nums {
		out[i] = uint32(n)
	}
	slices.Sort(out)
	return out, nil
}

// literals writes lists of codes as PostgreSQL's literals of text[]: an array of arrays of different lengths has no other form.
func literals(types *pgtype.Map, lists [][]string) ([]string, error) {
	out := make([]string, len(lists))
	for i, list := range lists {
		if len(list) == 0 {
			out[i] = "{}"
			continue
		}
		b, err := types.Encode(pgtype.TextArrayOID, pgtype.TextFormatCode, list, nil)
		if err != nil {
			return nil, err
		}
		out[i] = string(b)
	}
	return out, nil
}

// rewritten are the columns that a plan's answer sets; what the gazetteer matched stays.
var rewritten = []string{"plan_id", "method", "rule", "town", "village", "grid", "microgrid", "nearest", "distance_m", "border_m",
	"near", "candidates", "answer"}

// begins is when a new answer of placement p begins: at the moment given, but a microsecond after the one before it at the
// least, whatever the clocks say. So a report's answers have an order, and since tells whether one is still what was read.
func begins(at string) string {
	return `greatest(` + at + `::timestamptz, p.since + interval '1 microsecond')`
}

// rewriteAnswers moves answers to the past and puts the new ones in their place. The rows are locked in the order of their
// numbers, and the bounds on the numbers keep the planner within them.
var rewriteAnswers = func() string {
	var read, set []string
	for _, c := range rewritten {
		read = append(read, "n."+c+" AS new_"+c)
		set = append(set, c+" = b.new_"+c)
	}
	return `
		WITH n AS MATERIALIZED (
			SELECT $2::bigint AS plan_id, num, old, method, rule, town, village, grid, microgrid, nearest, distance_m, border_m,
				near::text[] AS near, candidates::text[] AS candidates, answer
			FROM unnest($5::bigint[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
				$13::text[], $14::double precision[], $15::double precision[], $16::text[], $17::text[], $18::bigint[])
				AS u (num, old, method, rule, town, village, grid, microgrid, nearest, distance_m, border_m, near, candidates, answer)
		), before AS MATERIALIZED (
			SELECT p.*, ` + begins("$1") + ` AS until, ` + strings.Join(read, ", ") + `
			FROM n JOIN placement p ON p.report_num = n.num AND p.since = n.old
			WHERE p.report_num BETWEEN $3 AND $4
			ORDER BY p.report_num FOR UPDATE OF p
		), past AS (
			INSERT INTO placement_past (report_num, until, ` + pastList + `) SELECT report_num, until, ` + pastList + ` FROM before
		)
		UPDATE placement p SET since = b.until, ` + strings.Join(set, ", ") + `
		FROM before b
		WHERE p.report_num = b.report_num AND p.report_num BETWEEN $3 AND $4
		RETURNING p.report_num`
}()
