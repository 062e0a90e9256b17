// Package assign decides which unit answers for a case. The rules are a document: ordered lines, of which the first that
// fits decides; what no line fits falls to the territory's own team, so that a case never is without an owner. Each
// decision says in words, in both languages, why. It is pure: no SQL, no HTTP, no clock of its own.
package assign

import (
	"bytes"
	"fmt"
	"slices"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/strictjson"
	"gridgov/internal/worktime"
)

// Rules are a city's rules of assignment. They are not changed once they were made.
type Rules struct {
	Rules []Rule `json:"rules"`
}

// Rule is one line: whatever it names has to hold, what it leaves out holds always.
type Rule struct {
	Items   []string `json:"items,omitempty"` // codes
	Aspects []string `json:"aspects,omitempty"`
	Kinds   []string `json:"kinds,omitempty"` // of reports
	Areas   []Area   `json:"areas,omitempty"` // it lies in one of them
	Hours   Hours    `json:"hours,omitempty"`

	Lead     Party   `json:"lead"`
	Support  []Party `json:"support,omitempty"`
	Dispatch bool    `json:"dispatch,omitempty"` // it is sent at once, without the desk
}

// Area is a jurisdiction.
type Area struct {
	Level policy.Level `json:"level"`
	Code  string       `json:"code"`
}

// Hours tell when a rule holds.
type Hours string

// The hours of the working calendar, and those outside; "" is always.
const (
	AtWork  Hours = "work"
	OffWork Hours = "off"
)

// Party is a unit by its number, or the unit of a kind in whose territory the case lies: the one closest to it.
type Party struct {
	Unit policy.UnitID   `json:"unit,omitempty"`
	Kind policy.UnitKind `json:"kind,omitempty"`
}

// The bounds of a document.
const (
	maxBytes = 2 << 20
	maxRules = 2000
	maxNames = 500
)

// Parse reads rules. Faults name the field by its path, as "rules[3].lead". Whether units, items and jurisdictions are
// there, [Rules.Check] says.
func Parse(data []byte) (*Rules, error) {
	r := new(Rules)
	if err := strictjson.Decode(bytes.NewReader(data), maxBytes, r); err != nil {
		return nil, err
	}
	if len(r.Rules) > maxRules {
		return nil, fault.Invalid("rules", "too_many", "at most %d rules", maxRules)
	}
	for i := range r.Rules {
		if err := r.Rules[i].check(fmt.Sprintf("rules[%d].", i)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Rule) check(at string) error {
	if n := len(r.Items) + len(r.Aspects) + len(r.Kinds) + len(r.Areas) + len(r.Support); n > maxNames {
		return fault.Invalid(at+"items", "too_many", "a rule names at most %d things", maxNames)
	}
	if !slices.Contains([]Hours{"", AtWork, OffWork}, r.Hours) {
		return fault.Invalid(at+"hours", "unknown_value", "%.40q is neither %s nor %s", string(r.Hours), AtWork, OffWork)
	}
	for i, a := range r.Areas {
		if !slices.Contains([]policy.Level{policy.City, policy.Town, policy.Village, policy.Grid, policy.Microgrid}, a.Level) || a.Code == "" {
			return fault.Invalid(fmt.Sprintf("%sareas[%d]", at, i), "unknown_area", "%.40s %.40q is no jurisdiction", a.Level, a.Code)
		}
	}
	if err := r.Lead.check(at + "lead"); err != nil {
		return err
	}
	for i, p := range r.Support {
		if err := p.check(fmt.Sprintf("%ssupport[%d]", at, i)); err != nil {
			return err
		}
		if p == r.Lead || slices.Contains(r.Support[:i], p) {
			return fault.Invalid(fmt.Sprintf("%ssupport[%d]", at, i), "named_twice", "a unit is named once: one leads, others support")
		}
	}
	return nil
}

func (p Party) check(field string) error {
	switch {
	case (p.Unit == 0) == (p.Kind == ""):
		return fault.Invalid(field, "missing", "name a unit, or the kind of the territory's own")
	case p.Unit < 0:
		return fault.Invalid(field, "unknown_unit", "there is no unit %d", p.Unit)
	case p.Kind != "" && (!slices.Contains(policy.UnitKinds, p.Kind) || !p.Kind.HasTerritory()):
		return fault.Invalid(field, "no_territory", "units of the kind %.40q have no territory: name the unit", string(p.Kind))
	}
	return nil
}

// Unit is a unit as it stands when a case is decided.
type Unit struct {
	ID      policy.UnitID
	Kind    policy.UnitKind
	Name    worktime.Words
	Area    policy.Area // zero: none
	Closed  bool
	Members int // whose posts are in force
	OnShift int // of them now on duty; -1: no roster is kept
	Away    int // of them on leave now
	Duty    Duty
}

// Duty is how a unit that keeps a roster stands now.
type Duty string

// The words of the explanation say which: who leads the shift takes the case, else the unit's head.
const (
	Led      Duty = ""
	NoLeader Duty = "no_leader" // nobody leads who is on shift
	Hole     Duty = "hole"      // nobody is on shift, though somebody should be
	OffHours Duty = "off_hours" // nobody is on shift, and nobody need be
)

// Facts are what is known of a case.
type Facts struct {
	Item     string
	ItemName worktime.Words
	Aspect   string
	Kind     string
	Cell     policy.Cell // where it lies; the zero cell: nowhere
	AtWork   bool        // it came within working hours
	Not      []policy.UnitID
}

// Decision is which unit answers for a case.
type Decision struct {
	Unit       policy.UnitID
	Supporting []policy.UnitID
	Rule       int  // its line, from 1; 0: none fits
	Dispatch   bool // it is sent at once
	Words      worktime.Words
}

// World is what rules are read in: the units, and the names of jurisdictions.
type World struct {
	Units []Unit // in the order of their numbers
	Name  func(policy.Area) worktime.Words
	Load  func(policy.UnitID) int // open cases that a unit leads, about: it is for the words alone
}

// Decide finds the unit. Lines whose unit is closed, has no members or gave the case back are passed over, and the words say
// so. Where no line fits, the town's team answers, or else the command centre, the closest first, or else any unit with
// members. The error is a fault no_unit, where the city has no open unit at all.
func (r *Rules) Decide(w *World, f *Facts) (Decision, error) {
	c := r.choose(w, f)
	if c.lead == nil {
		return Decision{}, errNoUnit()
	}
	d := c.decision()
	var rule *Rule
	if c.rule > 0 {
		rule = &r.Rules[c.rule-1]
	}
	d.Words = w.explain(c.rule, rule, f, c.lead, c.support, c.passed)
	return d, nil
}

// Foretell is Decide without the words, for a look at many cases.
func (r *Rules) Foretell(w *World, f *Facts) (Decision, error) {
	c := r.choose(w, f)
	if c.lead == nil {
		return Decision{}, errNoUnit()
	}
	d := c.decision()
	return d, nil
}

func errNoUnit() error {
	return fault.Conflict("no_unit", "the city has no unit that could answer for a case: make its command centre first")
}

// choice is who answers, by which rule, and what was passed over on the way.
type choice struct {
	lead     *Unit // nil: there is no open unit at all
	support  []*Unit
	rule     int // from 1; 0: none decided
	dispatch bool
	passed   []passing
}

func (c *choice) decision() Decision {
	d := Decision{Unit: c.lead.ID, Rule: c.rule, Dispatch: c.dispatch}
	for _, u := range c.support {
		d.Supporting = append(d.Supporting, u.ID)
	}
	return d
}

func (r *Rules) choose(w *World, f *Facts) (c choice) {
	for i := range r.Rules {
		rule := &r.Rules[i]
		if !rule.fits(f) {
			continue
		}
		lead, why := w.find(rule.Lead, f)
		if why != "" {
			c.passed = append(c.passed, passing{i + 1, rule.Lead, lead, why})
			continue
		}
		c.lead, c.rule, c.dispatch = lead, i+1, rule.Dispatch
		for _, p := range rule.Support {
			u, why := w.find(p, f)
			if why == "" && u != lead && !slices.Contains(c.support, u) {
				c.support = append(c.support, u)
			}
		}
		return c
	}
	for _, kind := range []policy.UnitKind{policy.TownTeam, policy.CommandCenter} {
		if u, why := w.find(Party{Kind: kind}, f); why == "" {
			c.lead = u
			return c
		}
	}
	c.lead = w.last(f)
	return c
}

// fromLarge are the levels of territories.
var fromLarge = []policy.Level{policy.City, policy.Town, policy.Village, policy.Grid, policy.Microgrid}

// last is who answers when nobody else does: the command centre of the largest territory, whether or not it has members, or
// any other open unit.
func (w *World) last(f *Facts) *Unit {
	var best *Unit
	worth := func(u *Unit) (n int) {
		if u.Kind == policy.CommandCenter {
			n = 4 * (len(fromLarge) - slices.Index(fromLarge, u.Area.Level))
		}
		if u.Members > 0 {
			n += 2
		}
		if !slices.Contains(f.Not, u.ID) {
			n++
		}
		return n
	}
	for i := range w.Units {
		if u := &w.Units[i]; !u.Closed && (best == nil || worth(u) > worth(best)) {
			best = u
		}
	}
	return best
}

func (r *Rule) fits(f *Facts) bool {
	return among(r.Items, f.Item) && among(r.Aspects, f.Aspect) && among(r.Kinds, f.Kind) &&
		(r.Hours == "" || (r.Hours == AtWork) == f.AtWork) &&
		(len(r.Areas) == 0 || slices.ContainsFunc(r.Areas, func(a Area) bool { return f.Cell.In(policy.Area(a)) }))
}

func among(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }

// whyNot tells why a party cannot answer; "" where it can.
type whyNot string

const (
	notThere  whyNot = "not_there" // no such unit, or none in whose territory the case lies
	isClosed  whyNot = "closed"
	noMembers whyNot = "no_members"
	gaveBack  whyNot = "gave_back"
)

// find is the unit of a party for a case. Of several of a kind the one with the smallest territory answers.
func (w *World) find(p Party, f *Facts) (*Unit, whyNot) {
	var best *Unit
	why := notThere
	for i := range w.Units {
		u := &w.Units[i]
		if p.Unit != 0 && u.ID != p.Unit || p.Kind != "" && (u.Kind != p.Kind || !f.Cell.In(u.Area)) {
			continue
		}
		not := whyNot("")
		switch {
		case u.Closed:
			not = isClosed
		case u.Members == 0:
			not = noMembers
		case slices.Contains(f.Not, u.ID):
			not = gaveBack
		}
		if best == nil || not == "" && (why != "" || depth(u.Area.Level) > depth(best.Area.Level)) {
			best, why = u, not
		}
	}
	return best, why
}

// depth orders levels, the city first.
func depth(l policy.Level) int {
	return slices.Index([]policy.Level{policy.City, policy.Town, policy.Village, policy.Grid, policy.Microgrid}, l)
}
