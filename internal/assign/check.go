package assign

import (
	"slices"

	"gridgov/internal/policy"
)

// Finding is what is to be said of a rule before it is in force. Refused ones keep the rules from being published.
type Finding struct {
	Rule    int // from 1
	Kind    FindingKind
	Refused bool
	What    string // the code, or the unit's number
}

// FindingKind says what was found.
type FindingKind string

// The kinds of findings.
const (
	UnknownUnit   FindingKind = "unknown_unit"
	ClosedUnit    FindingKind = "closed_unit"
	EmptyUnit     FindingKind = "empty_unit" // passed over until somebody holds a post in it
	UnknownItem   FindingKind = "unknown_item"
	UnknownAspect FindingKind = "unknown_aspect"
	UnknownArea   FindingKind = "unknown_area"
	NoUnitOfKind  FindingKind = "no_unit_of_kind" // no open unit is of it: the rule never decides
	NeverReached  FindingKind = "never_reached"   // a rule before it fits whatever it fits
)

// Known tells what the city has.
type Known struct {
	Item, Aspect func(string) bool
	Area         func(policy.Area) bool
}

// Check looks whether what the rules name is there, and whether each can ever decide.
func (r *Rules) Check(w *World, known Known) (found []Finding) {
	told := map[policy.UnitKind]bool{} // of which units without members were told, at the first rule that leads to them
	for i := range r.Rules {
		rule := &r.Rules[i]
		add := func(kind FindingKind, refused bool, what string) {
			found = append(found, Finding{Rule: i + 1, Kind: kind, Refused: refused, What: what})
		}
		for _, p := range append([]Party{rule.Lead}, rule.Support...) {
			if p.Kind != "" && !told[p.Kind] {
				told[p.Kind] = true
				w.checkKind(p.Kind, func(kind FindingKind, what string) { add(kind, false, what) })
			}
			if kind := w.checkParty(p); kind != "" {
				add(kind, kind == UnknownUnit, p.name())
			}
		}
		for _, code := range rule.Items {
			if !known.Item(code) {
				add(UnknownItem, false, code) // reports may bring it
			}
		}
		for _, code := range rule.Aspects {
			if !known.Aspect(code) {
				add(UnknownAspect, true, code)
			}
		}
		for _, a := range rule.Areas {
			if !known.Area(policy.Area(a)) {
				add(UnknownArea, false, a.Code) // a plan to come may have it
			}
		}
		if slices.ContainsFunc(r.Rules[:i], func(earlier Rule) bool { return earlier.covers(rule) }) {
			add(NeverReached, false, "")
		}
	}
	return found
}

// checkKind tells of open units of a kind in which nobody holds a post, and where there is none at all.
func (w *World) checkKind(kind policy.UnitKind, add func(FindingKind, string)) {
	none := true
	for i := range w.Units {
		if u := &w.Units[i]; u.Kind == kind && !u.Closed {
			none = false
			if u.Members == 0 {
				add(EmptyUnit, itoa(int64(u.ID)))
			}
		}
	}
	if none {
		add(NoUnitOfKind, string(kind))
	}
}

func (w *World) checkParty(p Party) FindingKind {
	if p.Unit == 0 {
		return ""
	}
	i := slices.IndexFunc(w.Units, func(u Unit) bool { return u.ID == p.Unit })
	switch {
	case i < 0:
		return UnknownUnit
	case w.Units[i].Closed:
		return ClosedUnit
	case w.Units[i].Members == 0:
		return EmptyUnit
	}
	return ""
}

func (p Party) name() string {
	if p.Kind != "" {
		return string(p.Kind)
	}
	return itoa(int64(p.Unit))
}

// covers tells that whatever fits o fits r, as far as their lists show. Whether r's unit can answer is another matter.
func (r *Rule) covers(o *Rule) bool {
	return within(o.Items, r.Items) && within(o.Aspects, r.Aspects) && within(o.Kinds, r.Kinds) && within(o.Areas, r.Areas) && (r.Hours == "" || r.Hours == o.Hours)
}

// within tells that a list lets through no more than another one; an empty one lets everything through.
func within[T comparable](list, wider []T) bool {
	return len(wider) == 0 || len(list) > 0 && !slices.ContainsFunc(list, func(v T) bool { return !slices.Contains(wider, v) })
}
