package screening

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/catalogue"
	"gridgov/internal/feed"
	"gridgov/internal/hotspot"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/regime"
)

// World is what decides at a moment.
type World struct {
	Layout *jurisdiction.Layout // nil: no plan is in force
	List   *catalogue.Catalogue
	ListID regime.ID
}

func (w *World) params(seed uint64) Params {
	rule := w.List.Screened()
	return Params{Level: rule.Level, Days: rule.Days, Least: rule.Least, Q: rule.Q, Seed: seed}
}

// read reads a cut: the days before a moment and the weeks before these, all of it at one position of the feed.
func (s *Service) read(ctx context.Context, w *World, p *Params, to time.Time) (*Cut, error) {
	to = to.Truncate(time.Second)
	from := to.In(s.Zone).AddDate(0, 0, -p.Days)
	c := &Cut{List: int64(w.ListID), Since: from.Unix() - trendWeeks*week, From: from.Unix(), To: to.Unix(), Items: []Item{}, Units: []Unit{}, Crews: []Crew{}, Open: []Open{}}
	level := w.units(c, p.Level)
	err := pgx.BeginTxFunc(ctx, s.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		head, err := feed.Head(ctx, tx)
		if err != nil {
			return err
		}
		c.Epoch, c.Seq = head.Epoch, int64(head.Seq)
		if !c.HasLevel {
			return nil
		}
		r := &reading{Cut: c, ctx: ctx, tx: tx, world: w, objects: map[uint32]string{}}
		if err := r.reports(level); err != nil {
			return err
		}
		if err := r.open(); err != nil {
			return err
		}
		r.nameObjects()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is to be screened: %w", err)
	}
	return c, nil
}

// units takes the units of a level from the plan in force; their column in placement.
func (w *World) units(c *Cut, level string) (column string) {
	if w.Layout == nil {
		return ""
	}
	c.Plan = int64(w.Layout.Plan.ID)
	at := slices.IndexFunc(w.Layout.Levels, func(l jurisdiction.LayoutLevel) bool { return string(l.Role) == level })
	if at < 0 {
		return ""
	}
	c.HasLevel = true
	lv := &w.Layout.Levels[at]
	near := hotspot.Queen(lv.Coverage)
	for i := range lv.Units {
		u := Unit{Code: lv.Units[i].Code}
		refs := append([]jurisdiction.Ref{{Level: lv.Role, Unit: &lv.Units[i]}}, w.Layout.Around(at, i)...)
		for _, r := range refs {
			switch r.Level {
			case jurisdiction.RoleTown:
				u.Town = r.Code
			case jurisdiction.RoleVillage:
				u.Village = r.Code
			case jurisdiction.RoleGrid:
				u.Grid = r.Code
			}
		}
		c.Units = append(c.Units, u)
		c.Neighbours = append(c.Neighbours, near.Of(i))
	}
	return level
}

// reading is a cut as it is read.
type reading struct {
	*Cut
	ctx     context.Context
	tx      pgx.Tx
	world   *World
	objects map[uint32]string // what the case of a report is about; it stays here
}

// columnOf are the columns of placement by level.
var columnOf = map[string]string{"town": "town", "village": "village", "grid": "grid", "microgrid": "microgrid"}

func (r *reading) reports(level string) error {
	rows, err := r.tx.Query(r.ctx, `
		SELECT r.num, r.item, floor(date_part('epoch', r.captured_at))::bigint, r.source = 'patrol', p.`+columnOf[level]+`, coalesce(k.unit_id, 0), k.supporting, k.object,
			e.report_num IS NOT NULL
		FROM report r JOIN placement p ON p.report_num = r.num LEFT JOIN cases k ON k.report_num = r.num AND k.part = 0
			LEFT JOIN proposal_evidence e ON e.report_num = r.num
		WHERE r.captured_at >= $1 AND r.captured_at < $2 AND (k.state IS NULL OR k.state NOT IN ('rejected', 'merged', 'voided'))
		ORDER BY r.num`, time.Unix(r.Since, 0).UTC(), time.Unix(r.To, 0).UTC())
	if err != nil {
		return err
	}
	units := make(map[string]int32, len(r.Units))
	for i := range r.Units {
		units[r.Units[i].Code] = int32(i)
	}
	items, crews := map[string]int32{}, map[string]int32{}
	var codes []string
	var one Report
	var item string
	var unit, object *string
	var lead int64
	var support []int64
	_, err = pgx.ForEachRow(rows, []any{&one.Num, &item, &one.At, &one.Patrol, &unit, &lead, &support, &object, &one.Used}, func() error {
		var at int32
		known := false
		if unit != nil {
			at, known = units[*unit]
		}
		if !known {
			if one.At >= r.From {
				r.Elsewhere++
			}
			return nil
		}
		out := one
		out.Unit, out.Crew = at, -1
		if out.Item, known = items[item]; !known {
			out.Item = int32(len(codes))
			items[item], codes = out.Item, append(codes, item)
		}
		if lead != 0 {
			key := fmt.Sprint(lead, support)
			if out.Crew, known = crews[key]; !known {
				out.Crew = int32(len(r.Crews))
				crews[key], r.Crews = out.Crew, append(r.Crews, Crew{lead, slices.Clone(support)})
			}
		}
		if object != nil && out.At >= r.From {
			r.objects[out.Num] = *object
		}
		r.Reports = append(r.Reports, out)
		return nil
	})
	if err != nil {
		return err
	}
	r.sortItems(codes)
	return nil
}

// sortItems puts items in the order of their codes.
func (r *reading) sortItems(codes []string) {
	order := make([]int32, len(codes))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(codes[a], codes[b]) })
	place := make([]int32, len(codes))
	for k, i := range order {
		place[i] = int32(k)
		one := Item{Code: codes[i]}
		if line := r.world.List.Item(codes[i]); line != nil {
			one.Aspect, one.Least = line.Aspect, line.Least
		}
		r.Items = append(r.Items, one)
	}
	for i := range r.Reports {
		r.Reports[i].Item = place[r.Reports[i].Item]
	}
}

// open reads the proposals that nobody has decided about, and what their objects are called.
func (r *reading) open() error {
	rows, err := r.tx.Query(r.ctx, `SELECT id, item, units, facts FROM proposal WHERE state = 'open' ORDER BY id`)
	if err != nil {
		return err
	}
	var o Open
	var facts []byte
	var nums []int64
	_, err = pgx.ForEachRow(rows, []any{&o.ID, &o.Item, &o.Units, &facts}, func() error {
		var p Proposal
		if err := json.Unmarshal(facts, &p); err != nil {
			return fmt.Errorf("proposal %d: %w", o.ID, err)
		}
		out := Open{ID: o.ID, Item: o.Item, Units: slices.Clone(o.Units), Lead: p.Lead(), Objects: []uint32{}}
		for _, object := range p.Objects {
			out.Objects = append(out.Objects, object.Report)
			nums = append(nums, int64(object.Report))
		}
		r.Open = append(r.Open, out)
		return nil
	})
	if err != nil {
		return err
	}
	rows, err = r.tx.Query(r.ctx, `SELECT report_num, object FROM cases WHERE report_num = ANY ($1) AND part = 0 AND object IS NOT NULL`, nums)
	if err != nil {
		return err
	}
	var num uint32
	var object string
	_, err = pgx.ForEachRow(rows, []any{&num, &object}, func() error { r.objects[num] = object; return nil })
	return err
}

// nameObjects calls each object by the first report that names it: what it is called stays with the cases.
func (r *reading) nameObjects() {
	first := make(map[string]uint32, len(r.objects))
	for num, object := range r.objects {
		if n, ok := first[object]; !ok || num < n {
			first[object] = num
		}
	}
	for i := range r.Reports {
		one := &r.Reports[i]
		one.Object = 0
		if object, ok := r.objects[one.Num]; ok {
			one.Object = first[object]
		}
	}
	for i := range r.Open {
		for k, num := range r.Open[i].Objects {
			if object, ok := r.objects[num]; ok {
				r.Open[i].Objects[k] = first[object]
			}
		}
	}
}
