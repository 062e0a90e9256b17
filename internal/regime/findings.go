package regime

import (
	"context"
	"slices"
	"strconv"
	"time"

	"gridgov/internal/assign"
	"gridgov/internal/catalogue"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/worktime"
)

// Finding is what is to be said of a document before it is in force. A refused one keeps it from being published.
type Finding struct {
	At      int // the line of the rules, from 1; 0: the whole document
	Kind    FindingKind
	Refused bool
	What    string // a code, a unit's number or a year
}

// FindingKind says what was found: one of assign's, or one of these.
type FindingKind string

// The kinds of findings of lists and calendars.
const (
	EmptyList   FindingKind = "empty_list"
	EmptyAspect FindingKind = "empty_aspect" // no item is of it
	ItemGone    FindingKind = "item_gone"    // in force it is listed; reports that name it will have the limits of unlisted ones
	NoEnglish   FindingKind = "no_english"   // an item has no English name
	YearUnknown FindingKind = "year_unknown" // this year or the next: the week alone decides
	YearGone    FindingKind = "year_gone"    // in force it is known
	YearEmpty   FindingKind = "year_empty"   // it is listed, this year or later, without a day off: its list is missing
)

// City is what rules are held against.
type City struct {
	Units   []assign.Unit
	HasArea func(policy.Area) bool
}

// Findings looks through a document.
func (s *Service) Findings(ctx context.Context, d *Document, city *City) ([]Finding, error) {
	v, err := parse(d.Kind, d.Content)
	if err != nil {
		return nil, err
	}
	now := s.at()
	switch v := v.(type) {
	case *catalogue.Catalogue:
		before, err := inForce[*catalogue.Catalogue](ctx, s, Catalogue, now)
		return ofCatalogue(v, before), err
	case *assign.Rules:
		list, err := inForce[*catalogue.Catalogue](ctx, s, Catalogue, now)
		if err != nil {
			return nil, err
		}
		if list == nil {
			list = new(catalogue.Catalogue)
		}
		return ofRules(v, list, city), nil
	case *worktime.Calendar:
		before, err := inForce[*worktime.Calendar](ctx, s, Calendar, now)
		return ofCalendar(v, before, now), err
	}
	return nil, nil
}

// inForce is the document of a kind that is in force, nil where there is none.
func inForce[T any](ctx context.Context, s *Service, kind Kind, at time.Time) (v T, err error) {
	d, err := s.Current(ctx, kind, at)
	if fault.Is(err, fault.KindNotFound) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	got, err := parse(kind, d.Content)
	if err != nil {
		return v, err
	}
	return got.(T), nil
}

func ofCatalogue(list, before *catalogue.Catalogue) (found []Finding) {
	if len(list.Items) == 0 {
		found = append(found, Finding{Kind: EmptyList})
	}
	for _, a := range list.Aspects {
		if !slices.ContainsFunc(list.Items, func(i catalogue.Item) bool { return i.Aspect == a.Code }) {
			found = append(found, Finding{Kind: EmptyAspect, What: a.Code})
		}
	}
	for i := range list.Items {
		if list.Items[i].Name.EN == "" {
			found = append(found, Finding{Kind: NoEnglish, What: list.Items[i].Code})
		}
	}
	if before != nil {
		for i := range before.Items {
			if list.Item(before.Items[i].Code) == nil {
				found = append(found, Finding{Kind: ItemGone, What: before.Items[i].Code})
			}
		}
	}
	return found
}

func ofRules(r *assign.Rules, list *catalogue.Catalogue, city *City) (found []Finding) {
	known := assign.Known{
		Item: func(code string) bool { return list.Item(code) != nil },
		Aspect: func(code string) bool {
			return slices.ContainsFunc(list.Aspects, func(a catalogue.Aspect) bool { return a.Code == code })
		},
		Area: city.HasArea,
	}
	for _, f := range r.Check(&assign.World{Units: city.Units}, known) {
		found = append(found, Finding{At: f.Rule, Kind: FindingKind(f.Kind), Refused: f.Refused, What: f.What})
	}
	return found
}

func ofCalendar(c, before *worktime.Calendar, now time.Time) (found []Finding) {
	year := now.In(c.Zone()).Year()
	for _, y := range []int{year, year + 1} {
		if !c.Knows(y) {
			found = append(found, Finding{Kind: YearUnknown, What: strconv.Itoa(y)})
		}
	}
	off := map[int]bool{}
	for _, d := range c.Document().Days {
		off[d.Date.Year()] = off[d.Date.Year()] || d.Kind == worktime.KindHoliday
	}
	for _, y := range c.Document().Years {
		if y >= year && !off[y] {
			found = append(found, Finding{Kind: YearEmpty, What: strconv.Itoa(y)})
		}
	}
	if before != nil {
		for _, y := range before.Document().Years {
			if !c.Knows(y) && y >= year {
				found = append(found, Finding{Kind: YearGone, What: strconv.Itoa(y)})
			}
		}
	}
	return found
}

// Refused is the conflict of a document that must not be published, nil where it may.
func Refused(found []Finding) error {
	n := 0
	for _, f := range found {
		if f.Refused {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fault.Conflict("findings_refused", "%d of what was found keeps the draft from being published: see its findings", n)
}
