package app

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/maypok86/otter/v2"

	"gridgov/internal/casework"
	"gridgov/internal/cube"
	"gridgov/internal/hotspot"
	"gridgov/internal/investigation"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/report"
	"gridgov/internal/screening"
)

// Measured is what became of the matters of a proposal since somebody went. Counts are of what was told; what patrols found stands beside.
type Measured struct {
	Proposal screening.ProposalID
	Item     string
	hotspot.Compared
	Change Change
	// Around is the same of the neighbours, on whom nobody called: whether matters have gone there, or are fewer there too.
	Around                  Change
	FoundBefore, FoundAfter int
	From, To                time.Time // the screening's window
	Since, Until            time.Time // after
	Unreadable              string    // why nothing can be read: plan_changed, too_many; "": it can
}

// Change is what may be said of it.
type Change = hotspot.Change

// What keeps an effect from being read, beside what the counts say.
const (
	PlanChanged = "plan_changed" // the plan in force does not have the places any more
	TooMany     = "too_many"     // matters to be compared in reasonable time
)

// measuredKey is an order on a day: what is counted ends with the day before.
type measuredKey struct {
	order   investigation.ID
	version int
	today   int64
	layout  *jurisdiction.Layout
}

const keptMeasured = 500

// Effects tells what became of the matters of an order that was carried out, proposal by proposal: before and after, in the place against
// grids alike (docs/investigations.md). Of other orders there is nothing to tell. It is worked out once a day.
func (l *Live) Effects(ctx context.Context, o *investigation.Order) ([]Measured, error) {
	layout := l.State().Layout
	if o.State != investigation.Done || layout == nil {
		return nil, nil
	}
	now := l.now().In(l.Zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, l.Zone)
	key := measuredKey{o.ID, o.Version, today.Unix(), layout}
	return l.spots.measured.Get(ctx, key, otter.LoaderFunc[measuredKey, []Measured](func(ctx context.Context, _ measuredKey) ([]Measured, error) {
		return l.measure(ctx, o, layout, today)
	}))
}

func (l *Live) measure(ctx context.Context, o *investigation.Order, layout *jurisdiction.Layout, today time.Time) ([]Measured, error) {
	kept, err := screening.Read(ctx, l.Pool, o.Proposals, "")
	if err != nil {
		return nil, err
	}
	ordered, err := l.orderedUnits(ctx)
	if err != nil {
		return nil, err
	}
	day, err := time.ParseInLocation(time.DateOnly, string(o.Day), l.Zone)
	if err != nil {
		return nil, err
	}
	var out []Measured
	for i := range kept {
		m, err := l.measureOne(ctx, &kept[i], layout, day, today, ordered)
		if err != nil {
			return nil, err
		}
		out = append(out, *m)
	}
	return out, nil
}

// orderedUnits are the units, with an item each, that an order was about: none of them is what it would have been without.
func (l *Live) orderedUnits(ctx context.Context) (map[string]bool, error) {
	all := map[string]bool{}
	q := investigation.Query{Within: screening.Within{All: true}, States: []investigation.State{investigation.Ordered, investigation.Done}, Limit: 1000}
	for {
		list, err := l.Investigations.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			for _, unit := range o.Places {
				for _, item := range o.Items {
					all[unit+"\x00"+item] = true
				}
			}
		}
		if len(list) < q.Limit {
			return all, nil
		}
		q.Before = list[len(list)-1].ID
	}
}

func (l *Live) measureOne(ctx context.Context, k *screening.Kept, layout *jurisdiction.Layout, day, today time.Time, ordered map[string]bool) (*Measured, error) {
	run, selection, err := l.Screenings.Select(ctx, k)
	if err != nil {
		return nil, err
	}
	m := &Measured{Proposal: k.ID, Item: k.Item, From: run.From, To: run.To, Since: day.AddDate(0, 0, 1), Until: today}
	if m.Until.Before(m.Since) {
		m.Until = m.Since
	}
	level := slices.IndexFunc(layout.Levels, func(lv jurisdiction.LayoutLevel) bool { return string(lv.Role) == k.Place.Level })
	place := unitsNamed(layout, level, k.Place.Units)
	if place == nil {
		m.Unreadable = PlanChanged
		return m, nil
	}
	near, err := l.neighbours(layout, level, hotspot.Rule{Kind: "queen"})
	if err != nil {
		return nil, err
	}
	w, patrols := l.watch(m, layout, level, day)
	w.Neighbours = near
	m.FoundBefore, m.FoundAfter = total(patrols.Chosen, place)+total(patrols.Waited, place), total(patrols.After, place)
	hot := selection.Hot()
	units := layout.Levels[level].Units
	alike, err := hotspot.Alike(w.Months, place, near, func(unit int) bool {
		code := units[unit].Code
		return !hot[code] && !ordered[code+"\x00"+k.Item]
	})
	if err != nil {
		return nil, err
	}
	least, err := selection.Least()
	if err != nil {
		return nil, err
	}
	around, err := selection.LeastAround()
	if err != nil {
		return nil, err
	}
	beside := besides(place, near)
	// Of what was told in the window some may have been refused, or merged, since: by so many the least is smaller too.
	least = leastNow(least, k.Told, w.Chosen, place)
	around = min(around, total(w.Chosen, beside))
	m.Compared = hotspot.Compared{Chosen: total(w.Chosen, place), ChosenDays: w.ChosenDays, Least: least, Waited: total(w.Waited, place), WaitedDays: w.WaitedDays,
		After: total(w.After, place), AfterDays: w.AfterDays, Alike: len(alike), AlikeBefore: total(w.Chosen, alike) + total(w.Waited, alike), AlikeAfter: total(w.After, alike)}
	if m.Chosen+m.Waited+m.After > hotspot.MaxCompared || total(w.Chosen, beside)+total(w.Waited, beside)+total(w.After, beside) > hotspot.MaxCompared {
		m.Unreadable = TooMany
		return m, nil
	}
	if m.Change, err = w.Effect(place, alike, least); err != nil {
		return nil, err
	}
	if len(beside) > 0 {
		if m.Around, err = w.Displacement(place, alike, around); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// watch counts the matters of an item by unit: in twelve months before the window, in the window, while the order was waited for, and after;
// what was told, and what patrols found.
func (l *Live) watch(m *Measured, layout *jurisdiction.Layout, level int, day time.Time) (told, found *hotspot.Watched) {
	from := m.From.In(l.Zone)
	var edges []uint32
	add := func(t time.Time) { edges = append(edges, uint32(min(max(t.Unix(), 0), math.MaxUint32))) }
	for month := -hotspot.Months; month <= 0; month++ {
		add(from.AddDate(0, month, 0))
	}
	add(m.To)
	waited, after := -1, -1 // which steps they are
	if day.After(m.To) {
		waited = len(edges) - 1
		add(day)
	}
	if m.Since.After(m.To) {
		add(m.Since)
	}
	if m.Until.After(m.Since) {
		after = len(edges) - 1
		add(m.Until)
	}
	view, names := l.View(), l.Names() // in this order: what the view holds has names
	places := l.spots.unitsOf(layout, level, names.Cells)
	wide := len(edges) - 1
	counts := func(sources uint8) []uint64 {
		f := cube.Filter{Sources: sources}
		for _, s := range casework.States {
			if s != casework.Rejected && s != casework.Merged && s != casework.Voided {
				f.States |= 1 << s.Number()
			}
		}
		f.States |= 1 // without a case
		item, ok := names.Item(m.Item)
		if !ok {
			item = math.MaxUint16
		}
		f.Items = []uint16{item}
		out := make([]uint64, len(layout.Levels[level].Units)*wide)
		view.CountByPlace(f, places, edges, out)
		return out
	}
	days := func(a, b time.Time) float64 { return b.Sub(a).Hours() / 24 }
	watched := func(sources uint8) *hotspot.Watched {
		list := counts(sources)
		w := &hotspot.Watched{ChosenDays: days(m.From, m.To)}
		step := func(unit, step int) int {
			if step < 0 {
				return 0
			}
			return int(list[unit*wide+step])
		}
		if waited >= 0 {
			w.WaitedDays = days(m.To, day)
		}
		if after >= 0 {
			w.AfterDays = days(m.Since, m.Until)
		}
		for unit := range layout.Levels[level].Units {
			months := make([]int, hotspot.Months)
			for i := range months {
				months[i] = step(unit, i)
			}
			w.Months = append(w.Months, months)
			w.Chosen, w.Waited, w.After = append(w.Chosen, step(unit, hotspot.Months)), append(w.Waited, step(unit, waited)), append(w.After, step(unit, after))
		}
		return w
	}
	patrol := uint8(1) << report.Patrol.Number()
	return watched(^patrol), watched(patrol)
}

// unitsNamed are the units of some codes, nil where one of them is not in the plan.
func unitsNamed(l *jurisdiction.Layout, level int, codes []string) (units []int) {
	if level < 0 {
		return nil
	}
	for _, code := range codes {
		unit := l.Levels[level].Coverage.Index(code)
		if unit < 0 {
			return nil
		}
		units = append(units, unit)
	}
	return units
}

func total(counts, units []int) (n int) {
	for _, u := range units {
		n += counts[u]
	}
	return n
}

// besides are the units that touch a place.
func besides(place []int, n hotspot.Neighbours) (units []int) {
	for _, u := range place {
		for _, j := range n.Of(u) {
			if !slices.Contains(place, int(j)) {
				units = append(units, int(j))
			}
		}
	}
	slices.Sort(units)
	return slices.Compact(units)
}

func leastNow(least, told int, chosen, place []int) int {
	now := total(chosen, place)
	return min(now, max(0, least-max(0, told-now)))
}
