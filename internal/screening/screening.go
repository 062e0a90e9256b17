// Package screening finds high-frequency matters: where an item was told of more than chance would have it, and often enough. From that
// come proposals of investigations, each with the reports that are its evidence.
//
// [Screen] is pure: a [Cut], which is what is read at one position of the feed, and [Params] give a [Result], the same bytes whenever it is
// asked. [Service] reads cuts, keeps what came of them, and makes a screening again from what it kept.
package screening

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gridgov/internal/hotspot"
)

// ID is a screening's number.
type ID int64

// ProposalID is a proposal's number.
type ProposalID int64

// Params say what is high-frequency; they are those of the one-stop list in force.
type Params struct {
	Level string  `json:"level"` // of the units that are tested
	Days  int     `json:"days"`
	Least int     `json:"least"` // reports in a place that served for no proposal; an item may have its own
	Q     float64 `json:"q"`     // false discovery rate
	Seed  uint64  `json:"seed"`  // of draws; the statistics that are asked for today make none
}

// trendWeeks are the weeks before the window over which a trend is looked for.
const trendWeeks = 12

const (
	day  = 24 * 60 * 60
	week = 7 * day
)

// Cut is all that a screening is made of: numbers and codes, nobody's words.
type Cut struct {
	Epoch    int   `json:"epoch"` // with Seq, the feed's position
	Seq      int64 `json:"seq"`
	Plan     int64 `json:"plan"` // 0: none is in force
	List     int64 `json:"list"`
	HasLevel bool  `json:"has_level"` // the plan has the level
	// Reports from From on are looked at; those before, back to Since, tell how it was. Seconds since 1970; To is excluded.
	Since      int64     `json:"since"`
	From       int64     `json:"from"`
	To         int64     `json:"to"`
	Items      []Item    `json:"items"` // in the order of their codes
	Units      []Unit    `json:"units"` // likewise
	Neighbours [][]int32 `json:"-"`     // of each unit, ascending
	Crews      []Crew    `json:"crews"` // of the reports' cases
	Open       []Open    `json:"open"`  // proposals that nobody has decided about, by number
	Elsewhere  int       `json:"elsewhere"`
	Reports    []Report  `json:"-"` // by number
}

// Item is an item of the list, or one that reports name.
type Item struct {
	Code   string `json:"code"`
	Aspect string `json:"aspect,omitempty"`
	Least  int    `json:"least,omitempty"` // of its own; 0: the parameters'
}

// Unit is a jurisdiction of the level, with what it lies in as far as the plan has it.
type Unit struct {
	Code    string `json:"code"`
	Town    string `json:"town,omitempty"`
	Village string `json:"village,omitempty"`
	Grid    string `json:"grid,omitempty"`
}

// Crew are the units at work on a case: who leads it, and who supports.
type Crew struct {
	Lead    int64   `json:"lead"`
	Support []int64 `json:"support,omitempty"`
}

// Open is a proposal of before.
type Open struct {
	ID      ProposalID `json:"id"`
	Item    string     `json:"item"`
	Units   []string   `json:"units"`
	Lead    int64      `json:"lead"`
	Objects []uint32   `json:"objects"` // as those of reports
}

// Report is a report that lies in a unit. Those whose case was refused, voided or merged into another are none.
type Report struct {
	Num    uint32
	Unit   int32 // index
	Item   int32 // index
	Crew   int32 // index; −1: none
	At     int64
	Object uint32 // the first report whose case names the same object; 0: none is named
	Patrol bool   // found by a patrol; else somebody told it
	Used   bool   // it is evidence of a proposal
}

// Result is what came of a screening.
type Result struct {
	Why       Why        `json:"why,omitempty"` // why there are no proposals
	Reports   int        `json:"reports"`       // told, in the window
	Units     int        `json:"units"`
	Elsewhere int        `json:"elsewhere"` // reports of the window that lie in no unit of the plan
	Items     []Screened `json:"items"`
	Proposals []Proposal `json:"proposals"`
}

// Why says why there are no proposals.
type Why string

// The reasons. Overtaken is said where a screening is kept, not by [Screen].
const (
	NoPlan     Why = "no_plan"     // no plan is in force
	NoLevel    Why = "no_level"    // the plan in force does not have the level
	NoReports  Why = "no_reports"  // nobody told anything in the window
	NothingHot Why = "nothing_hot" // nothing stands out from chance
	TooFew     Why = "too_few"     // what stands out is of fewer reports that served for no proposal than it takes
	Overtaken  Why = "overtaken"   // another screening had the evidence first
)

// Screened is what came of one item.
type Screened struct {
	Item   string `json:"item"`
	Told   int    `json:"told"`
	Tested int    `json:"tested"` // units; 0: all have as many, or none has neighbours
	Hot    int    `json:"hot"`    // units
	Places int    `json:"places"` // of hot units that touch, within a town
}

// Proposal is a place in which an item is high-frequency.
type Proposal struct {
	Item     string         `json:"item"`
	Town     string         `json:"town"` // "": the plan names none
	Units    []Found        `json:"units"`
	Told     int            `json:"told"`     // in the window
	Found    int            `json:"found"`    // likewise, by patrols
	Expected float64        `json:"expected"` // told, had all been drawn at random
	Around   []Neighbour    `json:"around"`   // units that touch the place
	Weeks    []Week         `json:"weeks"`    // the oldest first; those of the window at the end
	Trend    Trend          `json:"trend"`    // of what was told, in the weeks before the window
	Evidence []uint32       `json:"evidence"` // reports that were told, and served for no proposal
	Objects  []Object       `json:"objects"`  // named by two reports of the evidence at least, those seen most first
	Crews    []Department   `json:"departments"`
	Related  []int          `json:"related"` // proposals of this screening, by index
	Open     []ProposalID   `json:"open"`    // likewise, of before
	unit     map[int32]bool // the indices of Units
}

// Found is a hot unit.
type Found struct {
	Code  string  `json:"code"`
	Told  int     `json:"told"`
	Found int     `json:"found"`
	Z     float64 `json:"z"` // of Gi*: of the unit together with its neighbours
	Q     float64 `json:"q"`
}

// Neighbour is a unit beside a place.
type Neighbour struct {
	Code string `json:"code"`
	Told int    `json:"told"`
}

// Week is a week of a place; From is its first second. The last one of the window may be shorter.
type Week struct {
	From  int64 `json:"from"`
	Told  int   `json:"told"`
	Found int   `json:"found"`
}

// Trend is Mann and Kendall's; p is two-sided.
type Trend struct {
	Verdict hotspot.Verdict `json:"verdict"`
	S       int             `json:"s"`
	Z       float64         `json:"z"`
	P       float64         `json:"p"`
}

// Object is a shop, site or household, by the first report whose case names it: its words stay with the case.
type Object struct {
	Report uint32 `json:"report"`
	N      int    `json:"n"`
}

// Department is a unit at work on the evidence's cases.
type Department struct {
	Unit     int64 `json:"unit"`
	Leads    int   `json:"leads"`
	Supports int   `json:"supports,omitempty"`
}

// Lead is the unit that leads most of the evidence's cases; 0: there are none.
func (p *Proposal) Lead() int64 {
	if len(p.Crews) == 0 || p.Crews[0].Leads == 0 {
		return 0
	}
	return p.Crews[0].Unit
}

// Bytes are the result as it is kept: the same for the same result.
func (r *Result) Bytes() ([]byte, error) { return json.Marshal(r) }

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
	p.Weeks = make([]Week, before+int((s.To-s.From+week-1)/week))
	for i := range p.Weeks {
		p.Weeks[i].From = begin + int64(i)*week
	}
	for _, i := range reports {
		r := &s.Reports[i]
		if r.At < begin || r.At >= s.To {
			continue
		}
		if w := &p.Weeks[(r.At-begin)/week]; r.Patrol {
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
