package report

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/placement"
)

// asked is what a report's place hangs on, and the time of the answer in force.
type asked struct {
	num       Num
	lon, lat  float64 // NaN: no point
	accuracyM float64 // NaN: not known
	located   Located
	since     time.Time
}

// evaluate finds the reports from ≤ num ≤ to, by number, whose answer is another under a plan. An answer given under a
// later plan stands: a node that has not seen that plan yet does not undo it. A million reports are read for each new
// plan, so it takes the little that it needs from the wire's bytes.
func (s *Service) evaluate(ctx context.Context, placer *Placer, from, to Num) ([]asked, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT r.num, r.lon, r.lat, r.accuracy_m, r.located, p.since, p.answer
		FROM report r JOIN placement p ON p.report_num = r.num
		WHERE r.num BETWEEN $1 AND $2 AND p.report_num BETWEEN $1 AND $2
			AND (r.lon IS NOT NULL OR p.rule = 'no_plan')
			AND (p.plan_id IS NULL OR p.plan_id <> ALL (ARRAY(
				SELECT id FROM plan WHERE in_force_from >= (SELECT in_force_from FROM plan WHERE id = $3))))
		ORDER BY r.num`, pgx.QueryResultFormats{pgx.BinaryFormatCode}, int64(from), int64(to), placer.PlanID)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	defer rows.Close()
	var stale []asked
	e := evaluator{placer: placer, inside: map[placement.Faces]int64{}}
	for rows.Next() {
		v := rows.RawValues()
		q := asked{num: Num(binary.BigEndian.Uint64(v[0])), lon: float(v[1]), lat: float(v[2]), accuracyM: float(v[3]), located: located(v[4])}
		if e.answer(&q) != int64(binary.BigEndian.Uint64(v[6])) {
			q.since = time.UnixMicro(int64(binary.BigEndian.Uint64(v[5])) + pgEpoch).UTC()
			stale = append(stale, q)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return stale, nil
}

func located(b []byte) Located {
	switch Located(b) {
	case LocatedPoint:
		return LocatedPoint
	case LocatedAddress:
		return LocatedAddress
	case LocatedHand:
		return LocatedHand
	}
	return LocatedNowhere
}

// evaluator finds answers under one plan, for one goroutine.
type evaluator struct {
	placer *Placer
	inside map[placement.Faces]int64 // answers met for points that nothing is near to
}

// answer returns the digest of under's answer. Most points lie far from any border: no distance need be known of them.
func (e *evaluator) answer(q *asked) int64 {
	if q.located == LocatedPoint && e.placer.index != nil {
		reachM := placement.NearBorderM + 0.0
		if q.accuracyM > reachM {
			reachM = min(q.accuracyM, placement.MaxAccuracyM)
		}
		if faces, deep := e.placer.index.Deep(orb.Point{q.lon, q.lat}, reachM); deep {
			answer, known := e.inside[faces]
			if !known {
				p := Placement{Method: placement.MethodInside, Rule: RuleInside}
				e.placer.name(&p, faces)
				answer = p.digest()
				e.inside[faces] = answer
			}
			return answer
		}
	}
	p := q.under(e.placer)
	return p.digest()
}

// under places the report anew. One without a point stays without: the gazetteer's answer does not hang on a plan.
func (q *asked) under(placer *Placer) Placement {
	if math.IsNaN(q.lon) {
		return Placement{PlanID: placer.PlanID, Method: placement.MethodUnplaced, Rule: RuleNoPosition, Near: []string{}, Candidates: []string{}}
	}
	accuracyM := math.NaN() // of a point that was set or looked up the accuracy reported says nothing
	if q.located == LocatedPoint {
		accuracyM = q.accuracyM
	}
	return placer.At(orb.Point{q.lon, q.lat}, accuracyM, q.located)
}
