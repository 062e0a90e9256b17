package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// byAction are the rules of each action; those of CaseAct are the rules of all that is done with cases.
var byAction = func() map[Action][]Rule {
	m := map[Action][]Rule{}
	for _, r := range Rules {
		m[r.Action] = append(m[r.Action], r)
		if strings.HasPrefix(string(r.Action), "case.") {
			m[CaseAct] = append(m[CaseAct], r)
		}
	}
	return m
}()

// Known tells whether the table has rules for an action: a route without them must not be served.
func Known(a Action) bool { return len(byAction[a]) > 0 }

// Actions are all actions of the table, in its order.
func Actions() (all []Action) {
	for _, r := range Rules {
		if !slices.Contains(all, r.Action) {
			all = append(all, r.Action)
		}
	}
	return all
}

// Reach tells how far an action of the actor goes at a moment. Empty: it is not allowed.
func (a *Actor) Reach(action Action, at time.Time) Reach {
	var r Reach
	r.Me = a.Person
	for _, rule := range byAction[action] {
		if a.Only != nil && !slices.Contains(a.Only, rule.Action) {
			continue
		}
		if slices.Contains(rule.Roles, Visitor) || a.Public && slices.Contains(rule.Roles, Public) ||
			a.Told && slices.Contains(rule.Roles, Telling) ||
			a.Person != uuid.Nil && slices.Contains(rule.Roles, SignedIn) {
			r.City = true
		}
		for i := range a.Posts {
			if p := &a.Posts[i]; p.InForce(at) && slices.Contains(rule.Roles, p.Role) {
				r.widen(rule.Relation, p)
			}
		}
	}
	if onReports(action) && r.whole() { // reports that lie in no grid are a right of their own
		nowhere := r
		if action != ReportViewUnplaced {
			nowhere = a.Reach(ReportViewUnplaced, at)
		}
		r.City = r.City || nowhere.whole()
	}
	return r
}

// onReports tells of actions on reports that are there, and on their cases: they reach to those that lie nowhere for who may see these.
func onReports(a Action) bool {
	return a == ReportView || a == ReportViewUnplaced || a == ReportPosition || a == ReportUnmask || a == PhotoView || a == PhotoOriginal ||
		strings.HasPrefix(string(a), "case.")
}

// whole tells that the reach has the whole city as an area.
func (r *Reach) whole() bool {
	return r.City || slices.ContainsFunc(r.Areas, func(a Area) bool { return a.Level == City })
}

func (r *Reach) widen(relation Relation, p *Post) {
	if r.Post == 0 {
		r.Post = p.ID
	}
	switch relation {
	case Own:
		r.Own = true
	case OwnGrid:
		if p.Area.Level == Grid || p.Area.Level == Microgrid {
			r.add(p.Area)
		}
	case Subtree:
		if p.Area.Level != "" {
			r.add(p.Area)
		}
	case MyUnit:
		if p.Unit != 0 && !slices.Contains(r.Units, p.Unit) {
			r.Units = append(r.Units, p.Unit)
		}
	case InCity:
		r.City = true
	}
}

func (r *Reach) add(a Area) {
	if !slices.Contains(r.Areas, a) {
		r.Areas = append(r.Areas, a)
	}
}
