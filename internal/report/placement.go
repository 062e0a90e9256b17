package report

import (
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/place"
	"gridgov/internal/placement"
)

// Rules say in one word why a report lies where it lies; the page puts them into a sentence.
const (
	RuleInside           = "inside"
	RuleEdge             = "edge_smallest_code"
	RuleNearest          = "nearest_within_accuracy"
	RuleGeocoded         = "geocoded"
	RuleManual           = "manual"
	RuleOutside          = "outside_all_grids"
	RuleNoPosition       = "no_position"
	RuleAmbiguousAddress = "ambiguous_address"
	RuleNoPlan           = "no_plan"
)

// Placement is the answer in force: where a report lies, under which plan, by which rule. Codes are empty where the
// city has no such level or the report is unplaced.
type Placement struct {
	PlanID     int64 // 0: made without a plan
	Method     placement.Method
	Rule       string
	Town       string
	Village    string
	Grid       string
	Microgrid  string
	Nearest    string   // of an unplaced report: the nearest grid, DistanceM away
	DistanceM  *float64 // to the grid when the point lies outside it
	BorderM    *float64 // from the point to its grid's border
	Near       []string // other grids within the near-border mark, nearest first
	Candidates []string // other grids that the report's own accuracy circle meets; any: ambiguous
	Score      *float64 // of the gazetteer's match
	Matched    string   // the gazetteer's name that matched
	Since      time.Time
}

// sameAnswer tells whether a new plan changes nothing for the people concerned: the same areas by the same method with
// the same neighbours. The distance to a border may change within the same grid; that is no new answer.
func (p *Placement) sameAnswer(q *Placement) bool {
	return p.Method == q.Method && p.Rule == q.Rule && p.Grid == q.Grid && p.Village == q.Village && p.Town == q.Town &&
		p.Microgrid == q.Microgrid && p.Nearest == q.Nearest &&
		sameSet(p.Near, q.Near) && sameSet(p.Candidates, q.Candidates)
}

func sameSet(a, b []string) bool {
	if len(a) != len(b) || slices.Equal(a, b) {
		return len(a) == len(b)
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// Placer answers where a report lies under one plan. It is immutable; a new plan is a new Placer.
type Placer struct {
	PlanID int64
	index  *placement.Index // nil: no plan is in force
	places *place.Gazetteer
	roles  map[string]int // role → level of the index
}

// NewPlacer makes a placer. index may be nil (no plan in force); roles are the index's levels, top first.
func NewPlacer(planID int64, index *placement.Index, roles []string, places *place.Gazetteer) *Placer {
	p := &Placer{PlanID: planID, index: index, places: places, roles: map[string]int{}}
	for i, r := range roles {
		p.roles[r] = i
	}
	return p
}

// At places a point. accuracyM is NaN when the report does not know its accuracy. located decides the method's name:
// a geocoded or hand-set point keeps that method wherever it lies.
func (p *Placer) At(pt orb.Point, accuracyM float64, located Located) Placement {
	if p.index == nil {
		return Placement{Method: placement.MethodUnplaced, Rule: RuleNoPlan, Near: []string{}, Candidates: []string{}}
	}
	a := p.index.Locate(pt, accuracyM)
	out := Placement{PlanID: p.PlanID, Method: a.Method, Near: p.grids(a.Near), Candidates: p.grids(a.Candidates)}
	if !math.IsNaN(a.BorderM) && a.Method != placement.MethodUnplaced {
		out.BorderM = &a.BorderM
	}
	if a.Method == placement.MethodNearest || a.Method == placement.MethodUnplaced {
		out.DistanceM = &a.DistanceM
	}
	switch a.Method {
	case placement.MethodInside:
		out.Rule = RuleInside
	case placement.MethodEdge:
		out.Rule = RuleEdge
	case placement.MethodNearest:
		out.Rule = RuleNearest
	default:
		out.Rule = RuleOutside
		if a.Nearest >= 0 {
			out.Nearest = p.index.Codes(p.index.Grid())[a.Nearest]
		} else {
			out.DistanceM = nil
		}
		return out
	}
	out.Town, out.Village = p.code("town", a.Faces), p.code("village", a.Faces)
	out.Grid, out.Microgrid = p.code("grid", a.Faces), p.code("microgrid", a.Faces)
	switch located {
	case LocatedAddress:
		out.Method, out.Rule = placement.MethodGeocoded, RuleGeocoded
	case LocatedHand:
		out.Method, out.Rule = placement.MethodManual, RuleManual
	}
	return out
}

func (p *Placer) code(role string, faces placement.Faces) string {
	lvl, ok := p.roles[role]
	if !ok || faces[lvl] < 0 {
		return ""
	}
	return p.index.Codes(lvl)[faces[lvl]]
}

func (p *Placer) grids(faces []int32) []string {
	out := make([]string, len(faces))
	for i, f := range faces {
		out[i] = p.index.Codes(p.index.Grid())[f]
	}
	return out
}

// Address looks the address up. It returns the point with its placement, or an unplaced placement and no point when
// nothing matches well enough or several places match as well.
func (p *Placer) Address(address string) (*orb.Point, Placement) {
	best, ok := p.places.Geocode(address)
	if !ok {
		none := Placement{PlanID: p.PlanID, Method: placement.MethodUnplaced, Rule: RuleNoPosition, Near: []string{}, Candidates: []string{}}
		if best.Score >= place.Accept {
			none.Rule = RuleAmbiguousAddress
		}
		return nil, none
	}
	pt := orb.Point{best.Entry.Lon, best.Entry.Lat}
	out := p.At(pt, math.NaN(), LocatedAddress)
	out.Score, out.Matched = &best.Score, best.On
	return &pt, out
}
