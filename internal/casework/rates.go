package casework

import (
	"context"
	"fmt"
	"time"

	"gridgov/internal/kpi"
	"gridgov/internal/policy"
)

// RateQuery selects what is counted: cases that are due in [From, To).
type RateQuery struct {
	Query // of which Units, Items and what the reader sees count
	From  time.Time
	To    time.Time
	Area  *policy.Area // nil: everywhere
}

// Rates counts the cases that are due in a span, as they stand now. A case is due when the last limit of its disposal runs out,
// or, as long as it has not come to that, when the last of its clocks does: what nobody takes up is due too. One that stands
// suspended would have been due, had it not been; it is counted by when it was suspended. Closed on time is one none of whose
// limits of the disposal was missed. Rejected, merged and voided cases are not counted, and no tasks: their case is.
func (s *Service) Rates(ctx context.Context, q RateQuery) (kpi.Tally, error) {
	q.States = append(append([]State{}, open...), Closed, Evaluated)
	where, args := q.where()
	args["from"], args["to"] = q.From, q.To
	if q.Area != nil {
		where += ` AND ` + areaCondition(*q.Area)
		args["area"] = q.Area.Code
	}
	var t kpi.Tally
	err := s.Pool.QueryRow(ctx, `
		WITH near AS ( -- few of a big city's: the rest is asked of these alone
			SELECT DISTINCT report_num, part FROM clock WHERE due_at >= @from AND due_at < @to
			UNION
			SELECT report_num, part FROM cases WHERE state = 'suspended'
		), due AS (
			SELECT c.report_num, c.part, c.state, coalesce(
					max(k.due_at) FILTER (WHERE k.kind = 'disposal'),
					max(k.started_at) FILTER (WHERE k.kind = 'review' AND k.stopped_at IS NULL), -- suspended: what it would be is not known
					max(k.due_at) FILTER (WHERE k.kind = 'self_settle'),
					max(k.due_at)) AS at,
				coalesce(bool_or(k.late) FILTER (WHERE k.kind IN ('disposal', 'self_settle')), bool_or(k.late)) AS late
			FROM near n JOIN cases c USING (report_num, part) JOIN clock k USING (report_num, part)
			JOIN report r ON r.num = c.report_num JOIN placement p ON p.report_num = c.report_num
			WHERE `+where+` AND NOT c.task
			GROUP BY c.report_num, c.part, c.state
		)
		SELECT count(*), count(*) FILTER (WHERE state IN ('closed', 'evaluated')), count(*) FILTER (WHERE state IN ('closed', 'evaluated') AND NOT late),
			count(*) FILTER (WHERE state = 'suspended')
		FROM due WHERE at >= @from AND at < @to`, args).Scan(&t.Due, &t.Closed, &t.OnTime, &t.Suspended)
	if err != nil {
		return t, fmt.Errorf("count cases that are due: %w", err)
	}
	return t, nil
}

// areaCondition is that a placement p lies in a jurisdiction.
func areaCondition(a policy.Area) string {
	switch a.Level {
	case policy.City:
		return `@area::text IS NOT NULL AND p.grid IS NOT NULL`
	case policy.Town:
		return `p.town = @area`
	case policy.Village:
		return `p.village = @area`
	case policy.Microgrid:
		return `p.microgrid = @area`
	case policy.Grid:
	}
	return `p.grid = @area`
}
