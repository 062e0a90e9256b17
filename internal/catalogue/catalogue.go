// Package catalogue keeps a city's one-stop list: which matters may be reported, what the law is, who is responsible, what
// evidence is wanted, how much time there is, what whoever finds a matter may do at once, when to whistle, and when a matter is
// high-frequency. A list is a document; a published one never changes, and a case keeps the one it was opened under.
package catalogue

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"

	"gridgov/internal/fault"
	"gridgov/internal/strictjson"
	"gridgov/internal/worktime"
)

// Catalogue is a one-stop list. It is not changed once it was made.
type Catalogue struct {
	Aspects []Aspect `json:"aspects"`
	Items   []Item   `json:"items"`
	Other   Limits   `json:"other"` // of items that reports name and the list does not
	Steps   Steps    `json:"steps"`
	// Screening is nil in lists that were written before there was any; [Catalogue.Screened] has what holds then.
	Screening *Screening `json:"screening,omitempty"`
}

// Screening says when an item is high-frequency in a place, so that an investigation is proposed there.
type Screening struct {
	Level string  `json:"level"` // of the units that are tested: town, village, grid, microgrid
	Days  int     `json:"days"`  // so many days are looked back
	Least int     `json:"least"` // so many reports that served for no proposal before, or none is made
	Q     float64 `json:"q"`     // how many of the units that are found may be found falsely, as a share
}

// Aspect is a group of items.
type Aspect struct {
	Code string         `json:"code"`
	Name worktime.Words `json:"name"`
}

// Item is a line of the list.
type Item struct {
	Code       string         `json:"code"`
	Aspect     string         `json:"aspect"`
	Name       worktime.Words `json:"name"`
	Responders worktime.Words `json:"responders"` // as people read it; who it is sent to, the rules of assignment say
	Basis      string         `json:"basis"`      // the law, in its own language
	Limits
	MaySettle bool           `json:"may_settle"` // whoever finds it may settle it at once
	Evidence  worktime.Words `json:"evidence"`
	SelfHelp  worktime.Words `json:"self_help"`       // what a grid worker may do
	Whistle   worktime.Words `json:"whistle"`         // when a village whistles
	Least     int            `json:"least,omitempty"` // of its own, for a screening; 0: the list's
}

// Limits are how much time there is.
type Limits struct {
	First  worktime.Budget `json:"first"`  // until somebody is on the scene
	Stages []Stage         `json:"stages"` // of the disposal, side by side; the last one ends with the feedback
}

// Stage is one limit of a disposal.
type Stage struct {
	Name  worktime.Words  `json:"name,omitzero"` // needed where there are several
	Limit worktime.Budget `json:"limit"`
}

// Steps are the limits that are no item's.
type Steps struct {
	Dispatch   worktime.Budget `json:"dispatch"`    // the desk's, from the report to the unit
	Confirm    worktime.Budget `json:"confirm"`     // a grid worker's, to look on the spot
	SelfSettle worktime.Budget `json:"self_settle"` // of who settles it at once
	Receive    worktime.Budget `json:"receive"`     // the unit's, to take it up
	Return     worktime.Budget `json:"return"`      // within which the unit may give it back
	Verify     worktime.Budget `json:"verify"`      // to look whether it is done
	Review     worktime.Budget `json:"review"`      // of what is suspended
}

//go:embed default.json
var defaultJSON []byte

// Default is the list that a city begins with: sixteen items in six aspects.
func Default() *Catalogue {
	c, err := Parse(defaultJSON)
	if err != nil {
		panic(err) // it is part of the program, and a test reads it
	}
	return c
}

// The bounds of a list.
const (
	maxBytes   = 2 << 20
	maxItems   = 2000
	maxAspects = 100
	maxStages  = 6
	maxText    = 500 // characters

	minScreened, maxScreened = 7, 366 // days
	minLeast, maxLeast       = 2, 10_000
	minQ, maxQ               = 0.001, 0.2
)

// screenedLevels are those that a screening can test, the finest first.
var screenedLevels = []string{"microgrid", "grid", "village", "town"}

// DefaultScreening holds for a list that says nothing.
var DefaultScreening = Screening{Level: "grid", Days: 28, Least: 12, Q: 0.05}

// Screened is the rule by which the list is screened.
func (c *Catalogue) Screened() Screening {
	if c.Screening == nil {
		return DefaultScreening
	}
	return *c.Screening
}

// LeastOf is how many reports of an item make it high-frequency in a place.
func (c *Catalogue) LeastOf(code string) int {
	if i := c.Item(code); i != nil && i.Least > 0 {
		return i.Least
	}
	return c.Screened().Least
}

// Parse reads a list. Faults name the field by its path, as "items[3].first".
func Parse(data []byte) (*Catalogue, error) {
	c := new(Catalogue)
	if err := strictjson.Decode(bytes.NewReader(data), maxBytes, c); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

var code = regexp.MustCompile(`^[^[:cntrl:],]{1,64}$`) // as the database has it

func (c *Catalogue) check() error {
	if len(c.Aspects) > maxAspects || len(c.Items) > maxItems {
		return fault.Invalid("items", "too_many", "a list has at most %d aspects and %d items", maxAspects, maxItems)
	}
	aspects, items := map[string]bool{}, map[string]bool{}
	for i, a := range c.Aspects {
		at := fmt.Sprintf("aspects[%d]", i)
		if err := checkCode(at+".code", a.Code, aspects); err != nil {
			return err
		}
		if err := checkWords(at+".name", a.Name, true); err != nil {
			return err
		}
	}
	for i := range c.Items {
		if err := c.Items[i].check(fmt.Sprintf("items[%d].", i), aspects, items); err != nil {
			return err
		}
	}
	if err := c.Other.check("other."); err != nil {
		return err
	}
	for name, limit := range c.Steps.byName() {
		if limit.IsZero() {
			return fault.Invalid("steps."+name, "limit_missing", "give a limit, as 1 wh")
		}
	}
	if c.Screening != nil {
		return c.Screening.check("screening.")
	}
	return nil
}

func (s *Screening) check(at string) error {
	switch {
	case !slices.Contains(screenedLevels, s.Level):
		return fault.Invalid(at+"level", "unknown_level", "a screening is of one of %v, not of %.40q", screenedLevels, s.Level)
	case s.Days < minScreened || s.Days > maxScreened:
		return fault.Invalid(at+"days", "out_of_range", "a screening looks back %d to %d days", minScreened, maxScreened)
	case s.Q < minQ || s.Q > maxQ:
		return fault.Invalid(at+"q", "out_of_range", "of what is found, a share of %g to %g may be found falsely", minQ, maxQ)
	}
	return checkLeast(at+"least", s.Least)
}

func checkLeast(field string, n int) error {
	if n < minLeast || n > maxLeast {
		return fault.Invalid(field, "out_of_range", "%d to %d reports of an item make it high-frequency", minLeast, maxLeast)
	}
	return nil
}

func (s *Steps) byName() map[string]worktime.Budget {
	return map[string]worktime.Budget{"dispatch": s.Dispatch, "confirm": s.Confirm, "self_settle": s.SelfSettle, "receive": s.Receive, "return": s.Return,
		"verify": s.Verify, "review": s.Review}
}

func (i *Item) check(at string, aspects, known map[string]bool) error {
	if err := checkCode(at+"code", i.Code, known); err != nil {
		return err
	}
	if !aspects[i.Aspect] {
		return fault.Invalid(at+"aspect", "unknown_aspect", "item %s is of aspect %.40q, which the list does not have", i.Code, i.Aspect)
	}
	if err := checkWords(at+"name", i.Name, true); err != nil {
		return err
	}
	for name, w := range map[string]worktime.Words{"responders": i.Responders, "evidence": i.Evidence, "self_help": i.SelfHelp, "whistle": i.Whistle} {
		if err := checkWords(at+name, w, false); err != nil {
			return err
		}
	}
	if err := checkText(at+"basis", i.Basis); err != nil {
		return err
	}
	if i.Least != 0 {
		if err := checkLeast(at+"least", i.Least); err != nil {
			return err
		}
	}
	return i.Limits.check(at)
}

func (l *Limits) check(at string) error {
	if l.First.IsZero() {
		return fault.Invalid(at+"first", "limit_missing", "give the limit of the first response, as 2 wh")
	}
	if len(l.Stages) == 0 || len(l.Stages) > maxStages {
		return fault.Invalid(at+"stages", "limit_missing", "give one to %d limits of the disposal, as 5 wd", maxStages)
	}
	for i, s := range l.Stages {
		field := fmt.Sprintf("%sstages[%d]", at, i)
		if s.Limit.IsZero() {
			return fault.Invalid(field+".limit", "limit_missing", "give the limit, as 5 wd")
		}
		if err := checkWords(field+".name", s.Name, len(l.Stages) > 1); err != nil {
			return err
		}
	}
	return nil
}

func checkCode(field, s string, known map[string]bool) error {
	switch {
	case !code.MatchString(s) || !utf8.ValidString(s):
		return fault.Invalid(field, "bad_code", "%.40q is no code: 1 to 64 characters without commas", s)
	case known[s]:
		return fault.Invalid(field, "duplicate_code", "%.40q stands in the list twice", s)
	}
	known[s] = true
	return nil
}

func checkWords(field string, w worktime.Words, needed bool) error {
	if needed && w.ZH == "" {
		return fault.Invalid(field, "missing", "give a name")
	}
	for _, s := range []string{w.ZH, w.EN} {
		if err := checkText(field, s); err != nil {
			return err
		}
	}
	return nil
}

var control = regexp.MustCompile(`[[:cntrl:]]`)

func checkText(field, s string) error {
	switch {
	case utf8.RuneCountInString(s) > maxText:
		return fault.Invalid(field, "too_long", "at most %d characters", maxText)
	case control.MatchString(s):
		return fault.Invalid(field, "bad_text", "the text has line breaks or other control characters")
	}
	return nil
}

// Item is the line of a code, or nil.
func (c *Catalogue) Item(code string) *Item {
	i := slices.IndexFunc(c.Items, func(i Item) bool { return i.Code == code })
	if i < 0 {
		return nil
	}
	return &c.Items[i]
}

// nothing is no item's code.
var nothing = []string{""}

// Under are the codes to look for, nil for all: of the items asked for those that the list has under one of the aspects asked for.
// A nil list asks for any. Where none is left it is a code that no item has.
func (c *Catalogue) Under(aspects, items []string) []string {
	if aspects == nil {
		return items
	}
	var both []string
	for i := range c.Items {
		if line := &c.Items[i]; slices.Contains(aspects, line.Aspect) && (items == nil || slices.Contains(items, line.Code)) {
			both = append(both, line.Code)
		}
	}
	if both == nil {
		return nothing
	}
	return both
}

// LimitsOf are those of a code, or of items that the list does not have; listed tells which.
func (c *Catalogue) LimitsOf(code string) (l Limits, listed bool) {
	if i := c.Item(code); i != nil {
		return i.Limits, true
	}
	return c.Other, false
}
