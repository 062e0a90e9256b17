// Package policy says who may do what: one table of action × role × relation, and what follows from it for a person's
// posts at a moment. It is pure: no SQL, no HTTP, no clock of its own.
//
// An action reaches as far as the relations of its rules: to what the person filed, to the part of the city a post is
// for, to what a unit leads or supports, or to the whole city. [Actor.Reach] collects that; everything that shows or
// changes something asks the reach, in memory ([Reach.Covers]) or by what is compiled from it (SQL, sets of faces).
package policy

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Action is something that may be done. A route names the one it needs.
type Action string

// Role is what a post makes of a person (domain.md's roles).
type Role string

// The roles of posts.
const (
	Resident         Role = "resident"
	Volunteer        Role = "volunteer"
	MicrogridLeader  Role = "microgrid_leader"
	GridLeader       Role = "grid_leader"
	GridWorker       Role = "grid_worker"
	Auxiliary        Role = "auxiliary"
	Officer          Role = "officer" // with a certificate
	UnitMember       Role = "unit_member"
	UnitHead         Role = "unit_head"
	DutyLeader       Role = "duty_leader"
	VillageSecretary Role = "village_secretary"
	StationedOfficer Role = "stationed_officer"
	Desk             Role = "desk"
	CentreHead       Role = "centre_head"
	Planner          Role = "planner"
	Committee        Role = "committee"
	TownLeader       Role = "town_leader"
	ProBonoLawyer    Role = "pro_bono_lawyer"
	Mediator         Role = "mediator"
	Administrator    Role = "administrator"
	Hotline          Role = "hotline" // machine accounts, from here on
	Sensor           Role = "sensor"
	Machine          Role = "machine"
)

// OfficerRoles are of who may be sent to a matter as an officer, if the post has a certificate.
var OfficerRoles = []Role{Officer, UnitHead, DutyLeader}

// What a request is without any post.
const (
	Visitor  Role = "visitor"   // anybody, signed in or not
	Public   Role = "public"    // anybody, where the city has opened its map
	Telling  Role = "telling"   // anybody, where the city takes residents' reports
	SignedIn Role = "signed_in" // whoever has signed in, with or without a post
)

// Roles are those a post can have, in the order of the domain.
var Roles = []Role{Resident, Volunteer, MicrogridLeader, GridLeader, GridWorker, Auxiliary, Officer, UnitMember, UnitHead, DutyLeader,
	VillageSecretary, StationedOfficer, Desk, CentreHead, Planner, Committee, TownLeader, ProBonoLawyer, Mediator, Administrator,
	Hotline, Sensor, Machine}

// IsMachine tells whether the role is a machine account's.
func (r Role) IsMachine() bool { return r == Hotline || r == Sensor || r == Machine }

// Level is the level of a jurisdiction.
type Level string

// The levels, top first.
const (
	City      Level = "city"
	Town      Level = "town"
	Village   Level = "village"
	Grid      Level = "grid"
	Microgrid Level = "microgrid"
)

// Area is a jurisdiction: a part of the city.
type Area struct {
	Level Level
	Code  string
}

// UnitKind is what a unit is.
type UnitKind string

// The kinds of units.
const (
	TownTeam             UnitKind = "town_team"
	LineDepartment       UnitKind = "line_department"
	EnforcementCommittee UnitKind = "enforcement_committee"
	CommandCenter        UnitKind = "command_center"
	XForce               UnitKind = "x_force"
)

// UnitKinds are all of them.
var UnitKinds = []UnitKind{TownTeam, LineDepartment, EnforcementCommittee, CommandCenter, XForce}

// HasTerritory tells whether people of such a unit answer for a part of the city. A line department and an X force do not:
// they see what the unit leads or supports, wherever it lies.
func (k UnitKind) HasTerritory() bool { return k != LineDepartment && k != XForce }

// UnitID is a unit's number.
type UnitID int64

// PostID is a post's number.
type PostID int64

// Post is one post of a person. From ≤ now < Until; a zero Until has no end.
type Post struct {
	ID          PostID
	Role        Role
	Area        Area   // its jurisdiction, or that of its unit where the unit's kind has one; zero: none
	Unit        UnitID // 0: a post in a jurisdiction
	From, Until time.Time
}

// InForce tells whether the post is held at a moment.
func (p *Post) InForce(at time.Time) bool {
	return !at.Before(p.From) && (p.Until.IsZero() || at.Before(p.Until))
}

// Actor is who asks. The zero value is a visitor of a city that has not opened its map. It is immutable.
type Actor struct {
	Person uuid.UUID // nil: not signed in
	Public bool      // the city has opened its map
	Told   bool      // the city takes residents' reports
	Posts  []Post    // past and future ones too
	Only   []Action  // a token's scopes: nothing else; nil: no such limit
}

// Until returns the first moment after at when the actor's posts in force are others; zero: never.
func (a *Actor) Until(at time.Time) time.Time {
	var first time.Time
	for i := range a.Posts {
		for _, t := range []time.Time{a.Posts[i].From, a.Posts[i].Until} {
			if t.After(at) && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
	}
	return first
}

// Reach is how far an action of an actor goes.
type Reach struct {
	City  bool     // everywhere, to what lies in no grid too
	Areas []Area   // each with all below it
	Units []UnitID // what these units lead or support
	Own   bool     // what the person filed
	Me    uuid.UUID
	Post  PostID // the first post that allows it; 0: none was needed
}

// Empty tells that the action is not allowed at all.
func (r *Reach) Empty() bool { return !r.City && len(r.Areas) == 0 && len(r.Units) == 0 && !r.Own }

// Equal tells whether two reaches go equally far.
func (r *Reach) Equal(o *Reach) bool {
	return r.City == o.City && r.Own == o.Own && r.Me == o.Me && sameSet(r.Areas, o.Areas) && sameSet(r.Units, o.Units)
}

func sameSet[T comparable](a, b []T) bool { // each holds nothing twice
	return len(a) == len(b) && !slices.ContainsFunc(a, func(v T) bool { return !slices.Contains(b, v) })
}

// Cell is where something lies, level by level; "" where it lies in none.
type Cell struct{ Town, Village, Grid, Microgrid string }

// In tells whether the cell lies in the area. A cell without a grid lies nowhere.
func (c *Cell) In(a Area) bool {
	switch {
	case c.Grid == "":
		return false
	case a.Level == City:
		return true
	case a.Level == Town:
		return c.Town == a.Code
	case a.Level == Village:
		return c.Village == a.Code
	case a.Level == Grid:
		return c.Grid == a.Code
	case a.Level == Microgrid:
		return c.Microgrid == a.Code
	}
	return false
}

// Subject is what an action is done to.
type Subject struct {
	Cell       Cell
	Candidates []Cell    // where else it may lie, as its accuracy has it
	Filer      uuid.UUID // who filed it; nil: nobody here
	Units      []UnitID  // which lead or support it
}

// Sight is how much of a subject may be seen.
type Sight uint8

// From nothing to everything.
const (
	Hidden  Sight = iota
	Glimpse       // it may lie in one's territory: without personal data
	Whole
)

// Covers tells how much of a subject the reach covers.
func (r *Reach) Covers(s *Subject) Sight {
	if r.City || r.Own && s.Filer != uuid.Nil && s.Filer == r.Me {
		return Whole
	}
	for _, u := range s.Units {
		if slices.Contains(r.Units, u) {
			return Whole
		}
	}
	sight := Hidden
	for _, a := range r.Areas {
		if s.Cell.In(a) {
			return Whole
		}
		for i := range s.Candidates {
			if s.Candidates[i].In(a) {
				sight = Glimpse
			}
		}
	}
	return sight
}
