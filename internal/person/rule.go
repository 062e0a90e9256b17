package person

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

// rule says where a role is held: in a jurisdiction of one of the levels, or in a unit of one of the kinds.
type rule struct {
	levels []policy.Level
	units  []policy.UnitKind
}

var anyLevel = []policy.Level{policy.City, policy.Town, policy.Village, policy.Grid, policy.Microgrid}

// rules has a line for each role. A special grid (a market, a school) is a grid. Roles of machines are held by machines
// alone, and machines hold no others.
var rules = map[policy.Role]rule{
	policy.Resident:         {levels: []policy.Level{policy.City}},
	policy.Volunteer:        {levels: anyLevel, units: []policy.UnitKind{policy.XForce}},
	policy.MicrogridLeader:  {levels: []policy.Level{policy.Microgrid}},
	policy.GridLeader:       {levels: []policy.Level{policy.Grid}},
	policy.GridWorker:       {levels: []policy.Level{policy.Grid}},
	policy.Auxiliary:        {units: policy.UnitKinds},
	policy.Officer:          {units: policy.UnitKinds},
	policy.UnitMember:       {units: policy.UnitKinds},
	policy.UnitHead:         {units: policy.UnitKinds},
	policy.DutyLeader:       {units: policy.UnitKinds},
	policy.VillageSecretary: {levels: []policy.Level{policy.Village}},
	policy.StationedOfficer: {levels: []policy.Level{policy.Village}},
	policy.Desk:             {units: []policy.UnitKind{policy.CommandCenter}},
	policy.CentreHead:       {units: []policy.UnitKind{policy.CommandCenter}},
	policy.Planner:          {levels: []policy.Level{policy.City}},
	policy.Committee:        {units: []policy.UnitKind{policy.EnforcementCommittee}},
	policy.TownLeader:       {levels: []policy.Level{policy.Town}},
	policy.ProBonoLawyer:    {levels: anyLevel, units: []policy.UnitKind{policy.XForce}},
	policy.Mediator:         {levels: anyLevel, units: []policy.UnitKind{policy.XForce}},
	policy.Administrator:    {levels: []policy.Level{policy.City}},
	policy.Hotline:          {levels: anyLevel},
	policy.Sensor:           {levels: anyLevel},
	policy.Machine:          {levels: anyLevel},
}

// where says in words where a role is held.
func (r rule) where() string {
	var parts []string
	switch {
	case len(r.levels) == len(anyLevel):
		parts = append(parts, "a jurisdiction of any level")
	case len(r.levels) > 0:
		parts = append(parts, "a jurisdiction of level "+join(r.levels))
	}
	switch {
	case len(r.units) == len(policy.UnitKinds):
		parts = append(parts, "a unit")
	case len(r.units) > 0:
		parts = append(parts, "a unit of kind "+join(r.units))
	}
	return strings.Join(parts, " or ")
}

func join[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

// checkPlace tells whether a role may be held there by a machine or by a human being. unit is nil for a post in area.
func checkPlace(role policy.Role, machine bool, unit *Unit, area policy.Area) *fault.Error {
	r, ok := rules[role]
	switch {
	case !ok:
		return fault.Invalid("role", "unknown_role", "there is no role %.60q: use one of %s", role, join(policy.Roles))
	case role.IsMachine() && !machine:
		return fault.Invalid("role", "role_of_machines", "%s is a role of machines: make a machine and give the post to that", role)
	case machine && !role.IsMachine():
		return fault.Invalid("role", "role_of_people", "a machine cannot be %s: give it hotline, sensor or machine", role)
	case unit == nil && area.Level == "":
		return fault.Invalid("level", "no_place", "a post needs a place: the role %s is held in %s", role, r.where())
	case unit != nil && area.Level != "":
		return fault.Invalid("level", "two_places", "name a unit or a jurisdiction, not both: the role %s is held in %s", role, r.where())
	case unit != nil && unit.ClosedAt != nil:
		return fault.Conflict("unit_closed", "the unit %d is closed: name one that works", unit.ID)
	case unit != nil && !slices.Contains(r.units, unit.Kind):
		return fault.Invalid("unit", "wrong_unit", "the role %s is held in %s, and unit %d is a %s", role, r.where(), unit.ID, unit.Kind)
	case unit == nil && !slices.Contains(anyLevel, area.Level):
		return fault.Invalid("level", "unknown_level", "there is no level %.60q: use one of %s", area.Level, join(anyLevel))
	case unit == nil && !slices.Contains(r.levels, area.Level):
		return fault.Invalid("level", "wrong_level", "the role %s is held in %s, not of level %s", role, r.where(), area.Level)
	}
	return nil
}

// checkTerm checks a post's days and certificate.
func (p *Post) checkTerm() *fault.Error {
	begins, f := p.Begins.check("begins")
	if f != nil {
		return f
	}
	ends, f := p.Ends.check("ends")
	if f != nil {
		return f
	}
	until, f := p.CertificateUntil.check("certificate_until")
	if f != nil {
		return f
	}
	switch {
	case begins.IsZero():
		return fault.Invalid("begins", "required", "a post needs its first day, as 2026-12-01")
	case !ends.IsZero() && ends.Before(begins.AddDate(0, 0, -1)):
		return fault.Invalid("ends", "ends_before_begin", "the last day %s lies before the first, %s; the day before the first takes the post back", p.Ends, p.Begins)
	case p.Role == policy.Officer && strings.TrimSpace(p.Certificate) == "":
		return fault.Invalid("certificate", "no_certificate", "an officer needs the number of the enforcement certificate; who has none is an auxiliary")
	case p.Role == policy.Officer && until.IsZero():
		return fault.Invalid("certificate_until", "required", "an officer's certificate needs the last day on which it is good, as 2027-12-31")
	case p.Station != "" && p.Role != policy.StationedOfficer:
		return fault.Invalid("station", "not_stationed", "only a stationed officer is stationed in a village")
	case p.Station != "" && !slices.Contains(Stations, p.Station):
		return fault.Invalid("station", "unknown_value", "%.40q is none of %s", string(p.Station), join(Stations))
	}
	return checkText("certificate", p.Certificate, 64, false)
}

// check gives the day as midnight UTC; zero is none.
func (d Day) check(field string) (time.Time, *fault.Error) {
	if d == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return time.Time{}, fault.Invalid(field, "bad_date", "%.40q is no date such as 2026-12-01 between 1900 and 2200", string(d))
	}
	return t, nil
}

// dayOf is the day of a moment in a zone.
func dayOf(at time.Time, zone *time.Location) Day { return Day(at.In(zone).Format(time.DateOnly)) }

// plus is the day so many days later.
func (d Day) plus(days int) Day {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return d
	}
	return Day(t.AddDate(0, 0, days).Format(time.DateOnly))
}

// midnight is when a day, given as midnight UTC, begins in the zone.
func midnight(day time.Time, zone *time.Location) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

func checkText(field, s string, most int, required bool) *fault.Error {
	switch {
	case required && strings.TrimSpace(s) == "":
		return fault.Invalid(field, "required", "is empty: fill it in")
	case !utf8.ValidString(s):
		return fault.Invalid(field, "bad_encoding", "is not UTF-8")
	case utf8.RuneCountInString(s) > most:
		return fault.Invalid(field, "too_long", "has more than %d characters", most)
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		return fault.Invalid(field, "control_character", "holds a control character: remove it")
	}
	return nil
}

// check tidies and checks what a person is called and how it is reached.
func (n *New) check() *fault.Error {
	n.Name, n.Phone, n.Email = strings.TrimSpace(n.Name), strings.TrimSpace(n.Phone), strings.TrimSpace(n.Email)
	if f := checkText("name", n.Name, 100, true); f != nil {
		return f
	}
	if n.Phone != "" && !isPhone(n.Phone) {
		return fault.Invalid("phone", "bad_phone", "is no phone number: use 3 to 31 digits, blanks and hyphens, with + before a country's code")
	}
	if n.Email != "" && !isEmail(n.Email) {
		return fault.Invalid("email", "bad_email", "is no e-mail address such as name@example.org")
	}
	return nil
}

func isPhone(s string) bool {
	for i, r := range s {
		if !(r >= '0' && r <= '9') && !(i == 0 && r == '+') && !(i > 0 && (r == ' ' || r == '-')) {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= 31
}

func isEmail(s string) bool {
	name, host, ok := strings.Cut(s, "@")
	return ok && name != "" && host != "" && len(s) <= 254 && utf8.ValidString(s) && !strings.Contains(host, "@") &&
		strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) < 0
}

// check tidies and checks a unit.
func (u *Unit) check() *fault.Error {
	u.Name, u.NameEN = strings.TrimSpace(u.Name), strings.TrimSpace(u.NameEN)
	if f := checkText("name", u.Name, 100, true); f != nil {
		return f
	}
	if f := checkText("name_en", u.NameEN, 200, false); f != nil {
		return f
	}
	switch {
	case !slices.Contains(policy.UnitKinds, u.Kind):
		return fault.Invalid("kind", "unknown_kind", "there is no kind of unit %.60q: use one of %s", u.Kind, join(policy.UnitKinds))
	case u.Area.Level == "" && u.Area.Code == "" && u.Kind.HasTerritory():
		return fault.Invalid("level", "no_place", "a %s works in a jurisdiction: give its level and code", u.Kind)
	case u.Area.Level == "" && u.Area.Code == "":
		return nil
	case !slices.Contains(anyLevel, u.Area.Level):
		return fault.Invalid("level", "unknown_level", "there is no level %.60q: use one of %s", u.Area.Level, join(anyLevel))
	}
	return checkText("code", u.Area.Code, 64, true)
}

// unitNumber reads a unit's number; 0 where it is a name.
func unitNumber(s string) policy.UnitID {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return policy.UnitID(n)
}

// words names a jurisdiction for a message.
func words(a policy.Area) string { return fmt.Sprintf("%s %s", a.Level, a.Code) }
