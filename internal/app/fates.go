package app

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"gridgov/internal/casework"
	"gridgov/internal/cube"
	"gridgov/internal/policy"
)

// Crew are the units at work on a report: who leads its case, and who supports it or has a part in it.
type Crew struct {
	Lead   policy.UnitID
	Others []policy.UnitID
}

// crewsNamed are the crews met so far, by number. The list only grows, so readers share its beginnings.
type crewsNamed struct {
	crews []Crew
	known map[string]uint32
	key   []byte
}

func (n *crewsNamed) number(f *casework.Fate) uint32 {
	n.key = binary.BigEndian.AppendUint64(n.key[:0], uint64(f.Lead))
	for _, u := range f.Others {
		n.key = binary.BigEndian.AppendUint64(n.key, uint64(u))
	}
	crew, ok := n.known[string(n.key)]
	if !ok {
		if n.known == nil {
			n.known = map[string]uint32{}
		}
		crew = uint32(len(n.crews))
		n.crews = append(n.crews, Crew{f.Lead, slices.Clone(f.Others)})
		n.known[string(n.key)] = crew
	}
	return crew
}

// seal says in a row of the cube what has become of the report.
func (l *Live) seal(row *cube.Row, f *casework.Fate) {
	row.State, row.End, row.Crew = uint8(f.State.Number()), uint8(f.SettledBy.Number()), l.crews.number(f)
	row.Amber, row.Due = uint32(min(max(f.AmberAt, 0), math.MaxUint32)), uint32(min(max(f.DueAt, 0), math.MaxUint32))
}

// sealAll does so for rows in the order of their numbers.
func (l *Live) sealAll(ctx context.Context, rows []cube.Row) error {
	at := 0
	return l.Cases.Fates(ctx, 0, math.MaxUint32, func(f *casework.Fate) {
		for at < len(rows) && rows[at].Num < uint32(f.Report) {
			at++
		}
		if at < len(rows) && rows[at].Num == uint32(f.Report) {
			l.seal(&rows[at], f)
		}
	})
}

// fatesOf are changes of the cube that tell what has become of some reports. A report in whole among the changes is completed.
func (l *Live) fatesOf(ctx context.Context, n *news, changes []cube.Change) ([]cube.Change, error) {
	whole := make(map[uint32]int, len(changes))
	for i := range changes {
		whole[changes[i].Row.Num] = i
	}
	take := func(f *casework.Fate) {
		if i, ok := whole[uint32(f.Report)]; ok {
			l.seal(&changes[i].Row, f)
			return
		}
		ch := cube.Change{Row: cube.Row{Num: uint32(f.Report)}, Set: cube.FieldCase}
		l.seal(&ch.Row, f)
		changes = append(changes, ch)
	}
	nums := append(slices.Clone(n.nums), n.cases...)
	slices.Sort(nums)
	if err := l.Cases.FatesOf(ctx, slices.Compact(nums), take); err != nil {
		return nil, err
	}
	for _, r := range append(slices.Clone(n.ranges), n.opened...) {
		if err := l.Cases.Fates(ctx, r.from, r.to, take); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// publishCrews lets readers name the crews met so far.
func (l *Live) publishCrews() {
	old := l.names.Load()
	if len(old.Crews) == len(l.crews.crews) {
		return
	}
	next := *old
	next.Crews = l.crews.crews
	next.Units = make([]int64, len(next.Crews))
	for i, c := range next.Crews {
		next.Units[i] = int64(c.Lead)
	}
	l.names.Store(&next)
}

// LedBy returns the crews that one of the units leads.
func (l *Live) LedBy(units []policy.UnitID) *cube.FaceSet {
	return l.crewsWhere("led", units, func(c *Crew) bool { return slices.Contains(units, c.Lead) })
}

// OfUnits returns the crews that one of the units is in; nil: there are no units.
func (l *Live) OfUnits(units []policy.UnitID) *cube.FaceSet {
	if len(units) == 0 {
		return nil
	}
	return l.crewsWhere("of", units, func(c *Crew) bool {
		return slices.Contains(units, c.Lead) || slices.ContainsFunc(c.Others, func(u policy.UnitID) bool { return slices.Contains(units, u) })
	})
}

// crewsWhere returns the crews for which holds is true, and keeps them. Only what came since is looked at.
func (l *Live) crewsWhere(what string, units []policy.UnitID, holds func(*Crew) bool) *cube.FaceSet {
	names := l.Names()
	parts := []string{"crews", what}
	for _, u := range slices.Sorted(slices.Values(units)) {
		parts = append(parts, strconv.FormatInt(int64(u), 10))
	}
	return l.reaches.where(strings.Join(parts, "\x03"), nil, len(names.Crews), func(i int) bool { return holds(&names.Crews[i]) })
}

// Cut narrows a filter of the cube to what a reach covers, in whole or at a glimpse, but for what a person filed: that is known by
// number alone.
func (l *Live) Cut(f cube.Filter, r *policy.Reach) cube.Filter {
	if !r.City {
		f.Within, f.Also = l.Faces(r), l.OfUnits(r.Units)
	}
	return f
}
