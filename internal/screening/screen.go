package screening

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gridgov/internal/hotspot"
)

// Screen looks for places where an item is high-frequency: units that are hot by Gi* of what was told in the window, with queen
// neighbours and the place itself, looking for more alone, at a false discovery rate of Q by the cautious p, each item's map by itself;
// that touch, within one town; and that have at least Least reports which served for no proposal before.
func Screen(cut *Cut, p Params) (*Result, error) {
	r := &Result{Units: len(cut.Units), Elsewhere: cut.Elsewhere, Items: []Screened{}, Proposals: []Proposal{}}
	switch {
	case cut.Plan == 0:
		r.Why = NoPlan
		return r, nil
	case !cut.HasLevel:
		r.Why = NoLevel
		return r, nil
	}
	s, err := newScreen(cut, p)
	if err != nil {
		return nil, err
	}
	hot := 0
	for item := range cut.Items {
		told := s.told(item)
		if told == 0 {
			continue
		}
		r.Reports += told
		one, err := s.item(item, r)
		if err != nil {
			return nil, err
		}
		one.Told = told
		hot += one.Hot
		r.Items = append(r.Items, one)
	}
	s.relate(r.Proposals)
	switch {
	case len(r.Proposals) > 0:
	case r.Reports == 0:
		r.Why = NoReports
	case hot == 0:
		r.Why = NothingHot
	default:
		r.Why = TooFew
	}
	return r, nil
}

// screen is one run of Screen.
type screen struct {
	*Cut
	Params
	w      hotspot.Weights
	byItem [][]int32 // reports of each item, by index
	x      []float64 // of the item at hand: told in the window, by unit
	hot    []bool
	seen   []bool
}

func newScreen(cut *Cut, p Params) (*screen, error) {
	lists := make([][]int, len(cut.Units))
	for i, list := range cut.Neighbours {
		for _, j := range list {
			lists[i] = append(lists[i], int(j))
		}
	}
	near, err := hotspot.Lists(lists)
	if err != nil {
		return nil, err
	}
	n := len(cut.Units)
	s := &screen{Cut: cut, Params: p, w: near.Weighted(hotspot.Binary).WithSelf(), byItem: make([][]int32, len(cut.Items)),
		x: make([]float64, n), hot: make([]bool, n), seen: make([]bool, n)}
	for i := range cut.Reports {
		one := &cut.Reports[i]
		if one.Unit < 0 || int(one.Unit) >= n || one.Item < 0 || int(one.Item) >= len(cut.Items) || int(one.Crew) >= len(cut.Crews) {
			return nil, fmt.Errorf("report %d of a cut names what the cut does not have", one.Num)
		}
		s.byItem[one.Item] = append(s.byItem[one.Item], int32(i))
	}
	return s, nil
}

func (s *screen) inWindow(r *Report) bool { return r.At >= s.From && r.At < s.To }

// told counts what was told of an item in the window, by unit.
func (s *screen) told(item int) (n int) {
	clear(s.x)
	for _, i := range s.byItem[item] {
		if r := &s.Reports[i]; !r.Patrol && s.inWindow(r) {
			s.x[r.Unit]++
			n++
		}
	}
	return n
}

func (s *screen) least(item int) int { return cmp.Or(s.Items[item].Least, s.Least) }

// item finds the places of an item and adds those that are proposals.
func (s *screen) item(item int, r *Result) (Screened, error) {
	out := Screened{Item: s.Items[item].Code}
	l, q, err := s.test(s.x)
	if err != nil {
		return out, err
	}
	for i := range s.hot {
		s.seen[i] = false
		if l.Verdict[i] == hotspot.Tested {
			out.Tested++
		}
		if s.hot[i] {
			out.Hot++
		}
	}
	if out.Hot == 0 {
		return out, nil
	}
	of := map[int32][]int32{} // reports of the item, by unit
	for _, i := range s.byItem[item] {
		of[s.Reports[i].Unit] = append(of[s.Reports[i].Unit], i)
	}
	for i := range s.hot {
		if !s.hot[i] || s.seen[i] {
			continue
		}
		out.Places++
		place := s.grow(int32(i))
		if p := s.propose(item, place, of); p != nil {
			for _, u := range place {
				p.Units = append(p.Units, Found{Code: s.Units[u].Code, Told: int(s.x[u]), Found: s.patrolled(of[u]), Z: digits(l.Z[u], 6), Q: digits(q[u], 6)})
			}
			r.Proposals = append(r.Proposals, *p)
		}
	}
	return out, nil
}

// test tells which units are hot, by counts.
func (s *screen) test(x []float64) (l hotspot.Local, q []float64, err error) {
	if l, err = hotspot.Getis(x, s.w, hotspot.Greater); err != nil {
		return l, nil, err
	}
	q = hotspot.FDR(l.Cautious, func(i int) bool { return l.Verdict[i] == hotspot.Tested })
	for i := range s.hot {
		s.hot[i] = l.Verdict[i] == hotspot.Tested && q[i] <= s.Q && l.Z[i] > 0
	}
	return l, q, nil
}

// grow takes a hot unit with those that it touches, of the same town, and those that these touch: a place, in the order of its units.
func (s *screen) grow(from int32) []int32 {
	place := []int32{from}
	s.seen[from] = true
	for k := 0; k < len(place); k++ {
		for _, j := range s.Neighbours[place[k]] {
			if s.hot[j] && !s.seen[j] && s.Units[j].Town == s.Units[from].Town {
				s.seen[j] = true
				place = append(place, j)
			}
		}
	}
	slices.Sort(place)
	return place
}

func (s *screen) patrolled(reports []int32) (n int) {
	for _, i := range reports {
		if r := &s.Reports[i]; r.Patrol && s.inWindow(r) {
			n++
		}
	}
	return n
}

// propose tells of a place, but for its units; nil where too few reports of it are fresh.
func (s *screen) propose(item int, place []int32, of map[int32][]int32) *Proposal {
	p := &Proposal{Item: s.Items[item].Code, Town: s.Units[place[0]].Town, Units: []Found{}, Around: []Neighbour{}, Evidence: []uint32{}, Objects: []Object{},
		Crews: []Department{}, Related: []int{}, Open: []ProposalID{}, unit: map[int32]bool{}}
	var reports []int32
	for _, u := range place {
		p.unit[u] = true
		reports = append(reports, of[u]...)
		p.Told += int(s.x[u])
		p.Found += s.patrolled(of[u])
	}
	slices.Sort(reports) // by number
	crews, objects := map[int64]*Department{}, map[uint32]int{}
	for _, i := range reports {
		r := &s.Reports[i]
		if r.Patrol || r.Used || !s.inWindow(r) {
			continue
		}
		p.Evidence = append(p.Evidence, r.Num)
		if r.Object != 0 {
			objects[r.Object]++
		}
		if r.Crew >= 0 {
			s.count(crews, &s.Crews[r.Crew])
		}
	}
	if len(p.Evidence) < s.least(item) {
		return nil
	}
	var all float64
	for _, n := range s.x {
		all += n
	}
	p.Expected = digits(all*float64(len(place))/float64(len(s.Units)), 6)
	s.around(p, place)
	s.weeks(p, reports)
	for first, n := range objects {
		if n > 1 {
			p.Objects = append(p.Objects, Object{first, n})
		}
	}
	slices.SortFunc(p.Objects, func(a, b Object) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Report, b.Report)) })
	for _, d := range crews {
		p.Crews = append(p.Crews, *d)
	}
	slices.SortFunc(p.Crews, func(a, b Department) int {
		return cmp.Or(b.Leads-a.Leads, b.Supports-a.Supports, cmp.Compare(a.Unit, b.Unit))
	})
	return p
}

func (s *screen) count(crews map[int64]*Department, c *Crew) {
	at := func(unit int64) *Department {
		if crews[unit] == nil {
			crews[unit] = &Department{Unit: unit}
		}
		return crews[unit]
	}
	at(c.Lead).Leads++
	for _, unit := range c.Support {
		at(unit).Supports++
	}
}

func (s *screen) around(p *Proposal, place []int32) {
	var list []int32
	for _, u := range place {
		for _, j := range s.Neighbours[u] {
			if !p.unit[j] {
				list = append(list, j)
			}
		}
	}
	slices.Sort(list)
	for _, j := range slices.Compact(list) {
		p.Around = append(p.Around, Neighbour{s.Units[j].Code, int(s.x[j])})
	}
}

// weeks counts the place's reports of the item by weeks: those before the window end with it, those of the window begin with it. The
// place was chosen for what lies in the window, so that does not count for the trend.
func (s *screen) weeks(p *Proposal, reports []int32) {
	before := min(trendWeeks, int((s.From-s.Since)/week))
	begin := s.From - int64(before)*week
	// Where clocks are set back within the window it is an hour longer, which is no week.
	const hour = 60 * 60
	p.Weeks = make([]Week, before+int((s.To-s.From-hour+week-1)/week))
	for i := range p.Weeks {
		p.Weeks[i].From = begin + int64(i)*week
	}
	for _, i := range reports {
		r := &s.Reports[i]
		if r.At < begin || r.At >= s.To {
			continue
		}
		if w := &p.Weeks[min(int((r.At-begin)/week), len(p.Weeks)-1)]; r.Patrol {
			w.Found++
		} else {
			w.Told++
		}
	}
	series := make([]float64, before)
	for i := range series {
		series[i] = float64(p.Weeks[i].Told)
	}
	t := hotspot.MannKendall(series, hotspot.TwoSided)
	p.Trend = Trend{t.Verdict, t.S, digits(t.Z, 6), digits(t.P, 6)}
}

// relate finds the proposals that are to be merged: a unit of theirs is the same or touches, and they have the same aspect, leading unit
// or object.
func (s *screen) relate(list []Proposal) {
	aspects, index := map[string]string{}, map[string]int32{}
	for _, i := range s.Items {
		aspects[i.Code] = i.Aspect
	}
	for i := range s.Units {
		index[s.Units[i].Code] = int32(i)
	}
	in := map[int32][]int{} // proposals of this screening by the units they have
	for k := range list {
		for u := range list[k].unit {
			in[u] = append(in[u], k)
		}
	}
	open := map[int32][]int{} // those of before likewise
	for k := range s.Open {
		for _, code := range s.Open[k].Units {
			if u, ok := index[code]; ok {
				open[u] = append(open[u], k)
			}
		}
	}
	for i := range list {
		p := &list[i]
		alike := func(item string, lead int64, names func(object uint32) bool) bool {
			return item == p.Item || aspects[item] != "" && aspects[item] == aspects[p.Item] || lead != 0 && lead == p.Lead() ||
				slices.ContainsFunc(p.Objects, func(o Object) bool { return names(o.Report) })
		}
		var here, before []int
		for u := range p.unit {
			for _, j := range append([]int32{u}, s.Neighbours[u]...) {
				here, before = append(here, in[j]...), append(before, open[j]...)
			}
		}
		slices.Sort(here)
		for _, k := range slices.Compact(here) {
			o := &list[k]
			if k != i && alike(o.Item, o.Lead(), func(object uint32) bool {
				return slices.ContainsFunc(o.Objects, func(x Object) bool { return x.Report == object })
			}) {
				p.Related = append(p.Related, k)
			}
		}
		slices.Sort(before)
		for _, k := range slices.Compact(before) {
			if o := &s.Open[k]; alike(o.Item, o.Lead, func(object uint32) bool { return slices.Contains(o.Objects, object) }) {
				p.Open = append(p.Open, o.ID)
			}
		}
	}
}

// digits keeps so many digits of a number: the last ones are not the same on all machines.
func digits(x float64, n int) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	v, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', n, 64), 64)
	if err != nil {
		return x
	}
	return v
}
