package report

import (
	"crypto/sha256"
	"encoding/binary"
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

// digest stands for what an answer tells the people concerned: the areas, by which method and rule, and the neighbours.
// A new plan under which it stays the same changes nothing for them; the distance to a border may change within the same
// grid. It is kept in placement.answer, so what it is made of never changes.
func (p *Placement) digest() int64 {
	b := make([]byte, 0, 256)
	for _, s := range [...]string{string(p.Method), p.Rule, p.Town, p.Village, p.Grid, p.Microgrid, p.Nearest} {
		b = append(append(b, s...), 0)
	}
	for _, set := range [...][]string{p.Near, p.Candidates} {
		b = append(b, 0xff) // in no code, as these are UTF-8
		for _, s := range slices.Sorted(slices.Values(set)) {
			b = append(append(b, s...), 0)
		}
	}
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:]))
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
	p.name(&out, a.Faces)
	switch located {
	case LocatedAddress:
		out.Method, out.Rule = placement.MethodGeocoded, RuleGeocoded
	case LocatedHand:
		out.Method, out.Rule = placement.MethodManual, RuleManual
	}
	return out
}

// name fills in the codes of faces.
func (p *Placer) name(out *Placement, faces placement.Faces) {
	out.Town, out.Village = p.code("town", faces), p.code("village", faces)
	out.Grid, out.Microgrid = p.code("grid", faces), p.code("microgrid", faces)
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
