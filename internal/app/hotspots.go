package app

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/fault"
	"gridgov/internal/hotspot"
	"gridgov/internal/jurisdiction"
)

// Mapped is a level of the plan in force with what was counted in each of its units.
type Mapped struct {
	Units      []jurisdiction.Unit
	Counts     []float64 // reports
	Base       []float64 // households, else people; nil: the plan has none of either for all units
	Neighbours hotspot.Neighbours
}

// Counted says which reports count.
type Counted struct {
	Level    string // a role, or the city's own name for it
	Item     string // a code; "": all
	From, To time.Time
	Rule     hotspot.Rule
}

// counting is a level of the plan in force, and which reports count there.
type counting struct {
	*jurisdiction.LayoutLevel
	from string // SQL: FROM and WHERE, of report r and placement p, with args
	unit string // the column of p
	args []any
}

// counting looks up what is counted. Faults: no_plan, unknown_level, unknown_item, empty_window, future_window.
func (c *City) counting(ctx context.Context, q Counted) (*counting, error) {
	switch {
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return nil, fault.Invalid("to", "empty_window", "no day is from %s on and before %s", q.From.Format(time.DateOnly), q.To.Format(time.DateOnly))
	case q.From.After(c.now()):
		return nil, fault.Invalid("from", "future_window", "%s is to come: nothing has been reported since", q.From.Format(time.DateOnly))
	}
	if _, err := c.Reload(ctx); err != nil {
		return nil, err
	}
	l := c.layout()
	if l == nil {
		return nil, fault.Unavailable("no_plan", "city %s has no plan in force: publish one first", c.Code)
	}
	level := -1
	var names []string
	for i, lv := range l.Levels {
		names = append(names, string(lv.Role))
		if q.Level == string(lv.Role) || q.Level == lv.Name {
			level = i
		}
	}
	if level < 0 {
		return nil, fault.Invalid("level", "unknown_level", "%.40q is no level of the plan in force; it has %s", q.Level, strings.Join(names, ", "))
	}
	out := &counting{LayoutLevel: &l.Levels[level]}
	if q.Item != "" {
		var known bool
		if err := c.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM item WHERE code = $1)`, q.Item).Scan(&known); err != nil {
			return nil, fmt.Errorf("look for an item: %w", err)
		}
		if !known {
			return nil, fault.Invalid("item", "unknown_item", "%.40q is no item of city %s", q.Item, c.Code)
		}
	}
	column, ok := map[jurisdiction.Role]string{jurisdiction.RoleTown: "town", jurisdiction.RoleVillage: "village", jurisdiction.RoleGrid: "grid", jurisdiction.RoleMicrogrid: "microgrid"}[out.Role]
	if !ok {
		return nil, fault.Invalid("level", "unknown_level", "the city as a whole has no neighbours: name a level below it")
	}
	to := q.To
	if to.IsZero() {
		to = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	out.unit = "p." + column
	out.from = `
		FROM report r JOIN placement p ON p.report_num = r.num
		WHERE ` + out.unit + ` IS NOT NULL AND r.captured_at >= $1 AND r.captured_at < $2 AND ($3 = '' OR r.item = $3) `
	out.args = []any{q.From, to, q.Item}
	return out, nil
}

// Map counts reports by the units of a level, and tells who neighbours whom. Faults: those of counting, bad_weights.
func (c *City) Map(ctx context.Context, q Counted) (*Mapped, error) {
	lv, err := c.counting(ctx, q)
	if err != nil {
		return nil, err
	}
	m := &Mapped{Units: lv.Units, Counts: make([]float64, len(lv.Units)), Base: bases(lv.Units)}
	rows, err := c.Pool.Query(ctx, `SELECT `+lv.unit+`, count(*) `+lv.from+`GROUP BY 1`, lv.args...)
	if err != nil {
		return nil, fmt.Errorf("count reports: %w", err)
	}
	var code string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&code, &n}, func() error {
		if i := lv.Coverage.Index(code); i >= 0 {
			m.Counts[i] = float64(n)
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("count reports: %w", err)
	}
	middles := make([]orb.Point, len(lv.Units))
	for i, u := range lv.Units {
		middles[i] = u.Center
	}
	if m.Neighbours, err = q.Rule.Of(lv.Coverage, middles); err != nil {
		return nil, fault.Invalid("weights", "bad_weights", "%v", err)
	}
	return m, nil
}

// bases are what rates are counted for: households where all units have them, else people.
func bases(units []jurisdiction.Unit) []float64 {
	for _, of := range []func(jurisdiction.Unit) *int{
		func(u jurisdiction.Unit) *int { return u.Households }, func(u jurisdiction.Unit) *int { return u.Population }} {
		base := make([]float64, len(units))
		all := len(units) > 0
		for i, u := range units {
			n := of(u)
			all = all && n != nil
			base[i] = float64(*cmp.Or(n, new(0)))
		}
		if all {
			return base
		}
	}
	return nil
}
