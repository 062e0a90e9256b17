package app

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/maypok86/otter/v2"
	"github.com/paulmach/orb"

	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/hotspot"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// SpotQuery says of which reports and places hot and cold spots are asked.
type SpotQuery struct {
	Level  string      // a role, or the city's own name for it
	Filter cube.Filter // not cut to the reach; From and To are left out of account
	Key    string      // says the same as Filter
	Rule   hotspot.Rule
	Rates  bool     // matters by households, else by people, and not their number
	Edges  []uint32 // of the steps of time, seconds since 1970; two at least: the window
	Whole  [2]int   // the steps that are over and not cut by the window, from and up to: the trend goes by these; none: by all
}

// Spots are hot and cold spots among the places of a level that a reach covers.
//
// What residents told and what patrols found are kept apart: where the filter names no source, the counts are of what was told, and
// Found stands beside, so that more patrols make no hotspot.
type Spots struct {
	hotspot.Spots
	Layout  *jurisdiction.Layout
	Level   *jurisdiction.LayoutLevel
	Units   []int   // of each place: which unit of the level it is, ascending
	places  []int32 // of each unit: which place it is, −1 for none
	Steps   int
	Whole   [2]int   // the steps that the trend goes by
	Series  []uint64 // place·Steps + step
	N       []uint64 // over all steps
	Found   []uint64 // by patrols; nil where the filter names sources
	Around  []uint64 // N of the place and its neighbours
	Value   []float64
	Mean    float64   // of Value
	Rate    []float64 // matters by 1,000 households, else people, drawn towards that of all; nil: the plan has neither for all units
	ByHouse bool      // Rate is by households
	Emerged []hotspot.Emerged
	base    []float64      // of Rate
	heat    []hotspot.Heat // as Series
	z       []float32      // likewise
	Seq     feed.ID        // everything up to here is counted
	hotspot.Neighbours
}

// The share of false discoveries at which a spot is one: what is drawn in three strengths, and what a class over time goes by.
const (
	SpotAlpha  = 0.1
	ClassAlpha = 0.05
)

// FewMatters is below how many matters a rate is not told.
const FewMatters = 20

// Place is the place of a unit, −1 for none.
func (s *Spots) Place(unit int) int { return int(s.places[unit]) }

// Of lists the neighbours of a place among the places.
func (s *Spots) Of(place int) []int32 { return s.Neighbours.Of(place) }

// Step is what a place was in a step of time.
func (s *Spots) Step(place, step int) hotspot.Step {
	at := place*s.Steps + step
	return hotspot.Step{Heat: s.heat[at], Z: float64(s.z[at])}
}

// spotRoom keeps what hot spots are made of, and those of late.
type spotRoom struct {
	mu         sync.Mutex
	layout     *jurisdiction.Layout // that the faces are of
	faces      map[int][]int32      // by level: of each face of the cube its unit, −1 for none
	neighbours *otter.Cache[neighbourKey, hotspot.Neighbours]
	kept       *otter.Cache[spotKey, *Spots]
	last       *otter.Cache[spotKey, *Spots] // the last answer to a question, whatever its seq, which the key leaves out
	ground     *groundOf
	densities  *otter.Cache[densityKey, *Density]
	measured   *otter.Cache[measuredKey, []Measured]
	working    chan struct{} // whoever works something out: each takes memory, of which there is so much
}

type neighbourKey struct {
	layout *jurisdiction.Layout
	level  int
	rule   hotspot.Rule
}

type spotKey struct {
	neighbourKey
	seq                  feed.ID
	filter, reach, edges string
	whole                [2]int
	rates                bool
}

// How many are kept: a command centre looks at some maps, and drags a slider.
const (
	keptNeighbours = 16
	keptSpots      = 64 << 20 // bytes; those of late likewise, which are mostly the same
	keptDensities  = 16
	atOnce         = 4 // questions that are worked out, each on all cores
)

func newSpotRoom() spotRoom {
	room := func() *otter.Cache[spotKey, *Spots] {
		return otter.Must(&otter.Options[spotKey, *Spots]{MaximumWeight: keptSpots, Weigher: func(_ spotKey, s *Spots) uint32 { return s.bytes() }})
	}
	return spotRoom{
		neighbours: otter.Must(&otter.Options[neighbourKey, hotspot.Neighbours]{MaximumSize: keptNeighbours}),
		kept:       room(),
		last:       room(),
		densities:  otter.Must(&otter.Options[densityKey, *Density]{MaximumSize: keptDensities}),
		measured:   otter.Must(&otter.Options[measuredKey, []Measured]{MaximumSize: keptMeasured}),
		working:    make(chan struct{}, atOnce),
	}
}

// begin waits for its turn to work something out.
func (r *spotRoom) begin(ctx context.Context) error {
	select {
	case r.working <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *spotRoom) end() { <-r.working }

// Spots finds hot and cold spots. The same question is answered once until a report or a case changes. Faults: no_plan, unknown_level,
// no_base, bad_weights.
func (l *Live) Spots(ctx context.Context, q *SpotQuery, reach *policy.Reach) (*Spots, error) {
	at, layout := l.Applied(), l.State().Layout
	level, err := levelOf(layout, q.Level, l.Code)
	if err != nil {
		return nil, err
	}
	key := spotKey{neighbourKey{layout, level, q.Rule}, at, q.Key, reachKey(reach), fmt.Sprint(q.Edges), q.Whole, q.Rates}
	return l.spots.kept.Get(ctx, key, otter.LoaderFunc[spotKey, *Spots](func(ctx context.Context, _ spotKey) (*Spots, error) {
		if err := l.spots.begin(ctx); err != nil {
			return nil, err
		}
		defer l.spots.end()
		question := key
		question.seq = feed.ID{}
		before, _ := l.spots.last.GetIfPresent(question)
		s, err := l.findSpots(q, reach, at, layout, level, before)
		if err == nil {
			l.spots.last.Set(question, s)
		}
		return s, err
	}))
}

func reachKey(r *policy.Reach) string {
	if r.City {
		return "city"
	}
	return keyOf(r.Areas) + "\x04" + fmt.Sprint(slices.Sorted(slices.Values(r.Units)))
}

// levelOf finds a level below the city by its role or its name.
func levelOf(l *jurisdiction.Layout, name, city string) (int, error) {
	if l == nil {
		return 0, fault.Unavailable("no_plan", "city %s has no plan in force: publish one first", city)
	}
	var names []string
	for i, lv := range l.Levels {
		if lv.Role == jurisdiction.RoleCity {
			continue
		}
		if name == string(lv.Role) || name == lv.Name {
			return i, nil
		}
		names = append(names, string(lv.Role))
	}
	return 0, fault.Invalid("level", "unknown_level", "%.40q is no level below the city in the plan in force; it has %s", name, strings.Join(names, ", "))
}

// findSpots finds spots; before is what the same question was answered with of late, nil: nothing.
func (l *Live) findSpots(q *SpotQuery, reach *policy.Reach, at feed.ID, layout *jurisdiction.Layout, level int, before *Spots) (*Spots, error) {
	lv := &layout.Levels[level]
	s := &Spots{Layout: layout, Level: lv, Steps: len(q.Edges) - 1, Whole: q.Whole, Seq: at, places: make([]int32, len(lv.Units))}
	for i := range lv.Units {
		s.places[i] = -1
		if spotsIn(reach, layout, level, i) {
			s.places[i] = int32(len(s.Units))
			s.Units = append(s.Units, i)
		}
	}
	all, err := l.neighbours(layout, level, q.Rule)
	if err != nil {
		return nil, err
	}
	s.Neighbours = all
	if len(s.Units) < len(lv.Units) {
		s.Neighbours = all.Among(s.Units)
	}
	l.count(s, q, reach, level)
	if err := s.values(q.Rates); err != nil {
		return nil, err
	}
	if s.Spots, err = hotspot.FindSpots(s.Value, s.Neighbours); err != nil {
		return nil, err
	}
	if s.Whole[0] >= s.Whole[1] {
		s.Whole = [2]int{0, s.Steps}
	}
	return s, s.emerge(q.Rates, before)
}

// Reaches tells whether a unit of the plan in force lies in the territory of a reach, or the reach is of the whole city.
func (l *Live) Reaches(reach *policy.Reach, role, code string) bool {
	layout := l.State().Layout
	if reach.City || layout == nil {
		return reach.City
	}
	level, unit, ok := layout.Unit(jurisdiction.Role(role), code)
	return ok && len(reach.Areas) > 0 && spotsIn(reach, layout, level, unit)
}

// spotsIn tells whether a unit is among the places of a reach: it lies in its territory; who has none, but sees what their units lead or
// support, sees it everywhere.
func spotsIn(reach *policy.Reach, l *jurisdiction.Layout, level, unit int) bool {
	if reach.City || len(reach.Areas) == 0 {
		return reach.City || len(reach.Units) > 0
	}
	around := append(l.Around(level, unit), jurisdiction.Ref{Level: l.Levels[level].Role, Unit: &l.Levels[level].Units[unit]})
	return slices.ContainsFunc(reach.Areas, func(a policy.Area) bool {
		return a.Level == policy.City || slices.ContainsFunc(around, func(r jurisdiction.Ref) bool { return a.Level == policy.Level(r.Level) && a.Code == r.Code })
	})
}

// maxLinks bounds the links between neighbours.
const maxLinks = 4 << 20

// neighbours tells who neighbours whom in a level.
func (l *Live) neighbours(layout *jurisdiction.Layout, level int, rule hotspot.Rule) (hotspot.Neighbours, error) {
	key := neighbourKey{layout, level, rule}
	if n, ok := l.spots.neighbours.GetIfPresent(key); ok {
		return n, nil
	}
	lv := &layout.Levels[level]
	middles, areaM2 := make([]orb.Point, len(lv.Units)), 0.0
	for i, u := range lv.Units {
		middles[i] = u.Center
		areaM2 += u.AreaM2
	}
	// About how many links there will be: anybody may ask for many neighbours, and all of them are kept.
	links, units := 0.0, float64(len(lv.Units))
	switch rule.Kind {
	case "knn":
		links = units * float64(rule.K)
	case "band":
		links = units * units * min(1, math.Pi*rule.Metres*rule.Metres/areaM2)
	}
	if links > maxLinks {
		return hotspot.Neighbours{}, tooManyLinks(len(lv.Units))
	}
	n, err := rule.Of(lv.Coverage, middles)
	if err != nil {
		return n, fault.Invalid("weights", "bad_weights", "%v", err)
	}
	if n.Links() > 2*maxLinks { // where units crowd
		return hotspot.Neighbours{}, tooManyLinks(len(lv.Units))
	}
	l.spots.neighbours.Set(key, n)
	return n, nil
}

func tooManyLinks(units int) error {
	return fault.Invalid("weights", "too_many", "so many neighbours of %d units are too many: take fewer, or a narrower band", units)
}

// count counts by place and step.
func (l *Live) count(s *Spots, q *SpotQuery, reach *policy.Reach, level int) {
	view, names := l.View(), l.Names() // in this order: what the view holds has names
	units := l.spots.unitsOf(s.Layout, level, names.Cells)
	places := make([]int32, len(units))
	for face, unit := range units {
		if places[face] = -1; unit >= 0 {
			places[face] = s.places[unit]
		}
	}
	f := l.Cut(q.Filter, reach)
	f.From, f.To = 0, 0
	s.Series, s.N = make([]uint64, len(s.Units)*s.Steps), make([]uint64, len(s.Units))
	var patrols sync.WaitGroup
	if f.Sources == 0 {
		patrol := uint8(1) << report.Patrol.Number()
		found := f
		found.Sources, f.Sources = patrol, ^patrol
		s.Found = make([]uint64, len(s.Units))
		patrols.Go(func() { view.CountByPlace(found, places, []uint32{q.Edges[0], q.Edges[s.Steps]}, s.Found) })
	}
	view.CountByPlace(f, places, q.Edges, s.Series)
	patrols.Wait()
	for i := range s.N {
		for _, n := range s.Series[i*s.Steps : (i+1)*s.Steps] {
			s.N[i] += n
		}
	}
	s.Around = slices.Clone(s.N)
	for i := range s.N {
		for _, j := range s.Of(i) {
			s.Around[i] += s.N[j]
		}
	}
}

// unitsOf tells of each face of the cube which unit of a level it lies in. What was found once is kept; under another plan all is
// looked for anew.
func (r *spotRoom) unitsOf(layout *jurisdiction.Layout, level int, cells []Cell) []int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.layout != layout {
		r.layout, r.faces = layout, map[int][]int32{}
	}
	lv := &layout.Levels[level]
	known := r.faces[level]
	for face := len(known); face < len(cells); face++ {
		unit := int32(-1)
		if code := codeIn(&cells[face].Cell, lv.Role); code != "" {
			unit = int32(lv.Coverage.Index(code))
		}
		known = append(known, unit)
	}
	r.faces[level] = known
	return known[:len(cells):len(cells)]
}

func codeIn(c *policy.Cell, role jurisdiction.Role) string {
	switch role {
	case jurisdiction.RoleTown:
		return c.Town
	case jurisdiction.RoleVillage:
		return c.Village
	case jurisdiction.RoleGrid:
		return c.Grid
	case jurisdiction.RoleMicrogrid:
		return c.Microgrid
	}
	return ""
}

// values are what is tested: counts, or how far rates are from what is to be expected.
func (s *Spots) values(rates bool) error {
	s.Value = make([]float64, len(s.Units))
	for i, n := range s.N {
		s.Value[i] = float64(n)
	}
	units := make([]jurisdiction.Unit, len(s.Units))
	for i, u := range s.Units {
		units[i] = s.Level.Units[u]
	}
	base := bases(units)
	switch {
	case base == nil && rates && len(units) > 0:
		return fault.Invalid("value", "no_base", "the plan has neither households nor population for every unit: import them, or take counts")
	case base != nil:
		r, err := hotspot.EmpiricalBayes(s.Value, base)
		if err != nil {
			return fmt.Errorf("rates: %w", err)
		}
		s.Rate = r.Shrunk
		for i := range s.Rate {
			if s.Rate[i] *= 1000; r.Verdict[i] == hotspot.Alone { // nobody lives there: it has none of its own
				s.Rate[i] = math.NaN()
			}
		}
		s.base = base
		s.ByHouse = !slices.ContainsFunc(units, func(u jurisdiction.Unit) bool { return u.Households == nil })
		if rates {
			s.Value = r.Standard
		}
	}
	for i, v := range s.Value {
		s.Mean += (v - s.Mean) / float64(i+1)
	}
	return nil
}

// emerge finds the spots of each step, and how those of the last whole one have come about: on a Monday hardly anything is hot yet. Steps
// in which nothing has changed since before are what they were: a new report is mostly of the last one.
func (s *Spots) emerge(rates bool, before *Spots) error {
	s.heat, s.z, s.Emerged = make([]hotspot.Heat, len(s.Series)), make([]float32, len(s.Series)), make([]hotspot.Emerged, len(s.Units))
	changed := make([]bool, s.Steps)
	err := hotspot.Each(s.Steps, func(step int) error {
		if before.has(s, step) {
			for at := step; at < len(s.Series); at += s.Steps {
				s.heat[at], s.z[at] = before.heat[at], before.z[at]
			}
			return nil
		}
		changed[step] = true
		x := make([]float64, len(s.Units))
		for i := range x {
			x[i] = float64(s.Series[i*s.Steps+step])
		}
		if rates && s.base != nil {
			r, err := hotspot.EmpiricalBayes(x, s.base)
			if err != nil {
				return fmt.Errorf("rates: %w", err)
			}
			x = r.Standard
		}
		found, err := hotspot.FindSpots(x, s.Neighbours)
		if err != nil {
			return err
		}
		for i := range x {
			at := i*s.Steps + step
			s.heat[at], s.z[at] = found.Heat(i, ClassAlpha), float32(found.Z[i])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !slices.Contains(changed[s.Whole[0]:s.Whole[1]], true) {
		s.Emerged = before.Emerged
		return nil
	}
	return hotspot.Each(len(s.Units), func(i int) error {
		steps := make([]hotspot.Step, 0, s.Whole[1]-s.Whole[0])
		for step := s.Whole[0]; step < s.Whole[1]; step++ {
			steps = append(steps, s.Step(i, step))
		}
		s.Emerged[i] = hotspot.Emerge(steps, ClassAlpha)
		return nil
	})
}

// has tells whether other, of the same question, counted the same in a step.
func (s *Spots) has(other *Spots, step int) bool {
	if s == nil {
		return false
	}
	for at := step; at < len(s.Series); at += s.Steps {
		if s.Series[at] != other.Series[at] {
			return false
		}
	}
	return true
}

// bytes is about the memory of it.
func (s *Spots) bytes() uint32 {
	return uint32(min(13*len(s.Series)+250*len(s.Units)+4*len(s.places)+4*s.Links()+1000, math.MaxUint32))
}

// Expected is how many matters would lie around a place, itself and its neighbours, if all places had the same.
func (s *Spots) Expected(place int) float64 {
	var all uint64
	for _, n := range s.N {
		all += n
	}
	return float64(all) / float64(len(s.N)) * float64(1+len(s.Of(place)))
}

// RateOf is a place's rate; false where there is none, or it is of too few matters to be told.
func (s *Spots) RateOf(place int) (float64, bool) {
	if s.Rate == nil || s.N[place] < FewMatters || math.IsNaN(s.Rate[place]) {
		return 0, false
	}
	return s.Rate[place], true
}
