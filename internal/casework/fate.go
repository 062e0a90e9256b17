package casework

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// Fate is what has become of a report, as far as maps and counts tell it apart: the state and the end of its own case, and of all
// its cases the units and the clocks.
type Fate struct {
	Report    report.Num
	State     State
	SettledBy SettledBy // "": nobody yet, or it is not known who
	Lead      policy.UnitID
	Others    []policy.UnitID // that support it, or lead or support a part; sorted, each once, without the lead
	// AmberAt and DueAt are when the first of the clocks turns, in seconds since 1970; 0: none runs. What turns amber within a
	// second has turned at its end, what is due within a second is overdue in the next.
	AmberAt, DueAt int64
}

// Fates calls yield for the reports with from ≤ number ≤ to that have a case, by number. The fate is valid during the call only. It
// reads the wire's bytes itself, as those of a million reports are read at each start.
func (s *Service) Fates(ctx context.Context, from, to report.Num, yield func(*Fate)) error {
	return s.fates(ctx, yield, `report_num BETWEEN $1 AND $2`, int64(from), int64(to))
}

// FatesOf is Fates for single reports.
func (s *Service) FatesOf(ctx context.Context, nums []report.Num, yield func(*Fate)) error {
	if len(nums) == 0 {
		return nil
	}
	list := make([]int64, len(nums))
	for i, n := range nums {
		list[i] = int64(n)
	}
	return s.fates(ctx, yield, `report_num = ANY ($1)`, list)
}

func (s *Service) fates(ctx context.Context, yield func(*Fate), where string, args ...any) error {
	rows, err := s.Pool.Query(ctx, `
		SELECT report_num, part, state, settled_by, unit_id, supporting, ceil(extract(epoch FROM amber_at))::bigint, floor(extract(epoch FROM due_at))::bigint
		FROM cases WHERE `+where+` ORDER BY report_num, part`, append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)...)
	if err != nil {
		return fmt.Errorf("read what has become of reports: %w", err)
	}
	defer rows.Close()
	var f Fate
	some := false
	end := func() {
		if some {
			f.Others = slices.DeleteFunc(f.Others, func(u policy.UnitID) bool { return u == f.Lead })
			slices.Sort(f.Others)
			f.Others = slices.Compact(f.Others)
			yield(&f)
		}
	}
	for rows.Next() {
		v := rows.RawValues()
		if num := report.Num(binary.BigEndian.Uint64(v[0])); !some || num != f.Report {
			end()
			some, f = true, Fate{Report: num, Others: f.Others[:0]}
		}
		unit := policy.UnitID(binary.BigEndian.Uint64(v[4]))
		if part := binary.BigEndian.Uint16(v[1]); part == 0 {
			f.State, f.SettledBy, f.Lead = stateNamed(v[2]), settlerNamed(v[3]), unit
		} else {
			f.Others = append(f.Others, unit)
		}
		f.Others = appendUnits(f.Others, v[5])
		f.AmberAt, f.DueAt = firstOf(f.AmberAt, v[6]), firstOf(f.DueAt, v[7])
	}
	end()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read what has become of reports: %w", err)
	}
	return nil
}

// firstOf is the earlier of a moment and of one on the wire; 0 and null are none.
func firstOf(at int64, wire []byte) int64 {
	if wire == nil {
		return at
	}
	if t := int64(binary.BigEndian.Uint64(wire)); at == 0 || t < at {
		return t
	}
	return at
}

// appendUnits appends the numbers of a bigint[] as the wire has it: dimensions, a flag, the type; of the one dimension its length
// and first index; each number with its length. The column holds no nulls.
func appendUnits(dst []policy.UnitID, wire []byte) []policy.UnitID {
	const head, each = 20, 12
	for at := head; at+each <= len(wire); at += each {
		dst = append(dst, policy.UnitID(binary.BigEndian.Uint64(wire[at+4:])))
	}
	return dst
}

func stateNamed(wire []byte) State {
	for _, s := range States {
		if string(wire) == string(s) {
			return s
		}
	}
	return ""
}

func settlerNamed(wire []byte) SettledBy {
	for _, s := range Settlers {
		if string(wire) == string(s) {
			return s
		}
	}
	return ""
}

// Number is the state's place among States from 1; 0 for none.
func (s State) Number() int { return slices.Index(States, s) + 1 }

// Number is the settler's place among Settlers from 1; 0 for none.
func (s SettledBy) Number() int { return slices.Index(Settlers, s) + 1 }
