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

// Map counts reports by the units of a level, and tells who neighbours whom. Faults: no_plan, unknown_level, unknown_item.
func (c *City) Map(ctx context.Context, q Counted) (*Mapped, error) {
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
	lv := &l.Levels[level]
	m := &Mapped{Units: lv.Units, Counts: make([]float64, len(lv.Units)), Base: bases(lv.Units)}
	if q.Item != "" {
		var known bool
		if err := c.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM item WHERE code = $1)`, q.Item).Scan(&known); err != nil {
			return nil, fmt.Errorf("look for an item: %w", err)
		}
		if !known {
			return nil, fault.Invalid("item", "unknown_item", "%.40q is no item of city %s", q.Item, c.Code)
		}
	}
	column, ok := map[jurisdiction.Role]string{jurisdiction.RoleTown: "town", jurisdiction.RoleVillage: "village", jurisdiction.RoleGrid: "grid", jurisdiction.RoleMicrogrid: "microgrid"}[lv.Role]
	if !ok {
		return nil, fault.Invalid("level", "unknown_level", "the city as a whole has no neighbours: name a level below it")
	}
	to := q.To
	if to.IsZero() {
		to = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	rows, err := c.Pool.Query(ctx, `
		SELECT p.`+column+`, count(*) FROM report r JOIN placement p ON p.report_num = r.num
		WHERE p.`+column+` IS NOT NULL AND r.captured_at >= $1 AND r.captured_at < $2 AND ($3 = '' OR r.item = $3) GROUP BY 1`, q.From, to, q.Item)
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
