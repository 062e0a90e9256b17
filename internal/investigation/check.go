package investigation

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"gridgov/internal/fault"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// The bounds of what is asked.
const (
	maxWords    = 2000 // characters
	maxObject   = 200
	maxObjects  = 50
	maxItems    = 50
	maxOfficers = 20
	maxWith     = 50
	maxAhead    = 366 // days
)

// checkWords refuses words that are none: a reason, what was found.
func checkWords(field, s string, needed bool) error {
	switch {
	case needed && strings.TrimSpace(s) == "":
		return fault.Invalid(field, "required", "is empty: say it in words")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }):
		return fault.Invalid(field, "control_character", "holds a control character: remove it")
	case utf8.RuneCountInString(s) > maxWords:
		return fault.Invalid(field, "too_long", "has more than %d characters", maxWords)
	}
	return nil
}

func checkObjects(field string, list []string) error {
	if len(list) > maxObjects {
		return fault.Invalid(field, "too_many", "at most %d", maxObjects)
	}
	for i, s := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case strings.TrimSpace(s) == "":
			return fault.Invalid(at, "required", "is empty")
		case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
			return fault.Invalid(at, "control_character", "holds a control character: remove it")
		case utf8.RuneCountInString(s) > maxObject:
			return fault.Invalid(at, "too_long", "has more than %d characters", maxObject)
		case slices.Contains(list[:i], s):
			return fault.Invalid(at, "twice", "%.40q is named twice", s)
		}
	}
	return nil
}

// checkDay reads a day that is not past.
func checkDay(field string, d Day, today time.Time) error {
	t, err := time.Parse(time.DateOnly, string(d))
	switch {
	case d == "":
		return fault.Invalid(field, "required", "say on which day, as 2026-12-03")
	case err != nil:
		return fault.Invalid(field, "bad_date", "%.40q is no date such as 2026-12-03", string(d))
	case t.Before(today):
		return fault.Invalid(field, "in_the_past", "%s is past: choose today or later", d)
	case t.After(today.AddDate(0, 0, maxAhead)):
		return fault.Invalid(field, "too_far", "%s is more than a year ahead", d)
	}
	return nil
}

// check refuses a decision that no proposal could have.
func (a *Ask) check(today time.Time) error {
	i := slices.IndexFunc(Decisions, func(d Decision) bool { return d.Act == a.Act && d.Action != "" })
	if i < 0 {
		return fault.Invalid("decision", "unknown_value", "%.40q is none of approve, decline, reconsider", string(a.Act))
	}
	d := &Decisions[i]
	if err := checkWords("reason", a.Reason, slices.Contains(d.Needs, NeedReason)); err != nil {
		return err
	}
	switch wanted := slices.Contains(d.Needs, NeedOrder); {
	case wanted && a.Order == nil:
		return fault.Invalid("order", "required", "is missing: say which unit goes on which day, by which officers")
	case !wanted && a.Order != nil:
		return fault.Invalid("order", "not_here", "only what is approved has an order")
	case wanted:
		return a.Order.check(today)
	}
	return nil
}

func (n *New) check(today time.Time) error {
	if n.Unit == 0 {
		return fault.Invalid("order.unit", "required", "say which unit goes")
	}
	if err := checkDay("order.day", n.Day, today); err != nil {
		return err
	}
	if err := checkOfficers("order.officers", n.Officers); err != nil {
		return err
	}
	if err := checkObjects("order.objects", n.Objects); err != nil {
		return err
	}
	if len(n.Items) > maxItems || len(n.With) > maxWith {
		return fault.Invalid("order", "too_many", "at most %d items and %d proposals", maxItems, maxWith)
	}
	for i, item := range n.Items {
		if slices.Contains(n.Items[:i], item) {
			return fault.Invalid(fmt.Sprintf("order.items[%d]", i), "twice", "%.40q is named twice", item)
		}
	}
	return nil
}

func checkOfficers(field string, posts []policy.PostID) error {
	if len(posts) < 2 {
		return fault.Invalid(field, "two_officers", "an investigation needs two officers at least")
	}
	if len(posts) > maxOfficers {
		return fault.Invalid(field, "too_many", "at most %d", maxOfficers)
	}
	for i, p := range posts {
		if slices.Contains(posts[:i], p) {
			return fault.Invalid(fmt.Sprintf("%s[%d]", field, i), "same_officer", "the post %d is named twice", p)
		}
	}
	return nil
}

// holder is a post as it is when somebody is to be put on an order by it.
type holder struct {
	Officer
	begins Day
	erased bool // or a machine
}

// certified tells whether the post's certificate is in force on a day.
func (h *holder) certified(on Day) bool { return h.Until != "" && on >= h.begins && on <= h.Until }

// checkHolders refuses posts by which nobody may go, naming which.
func checkHolders(field string, asked []policy.PostID, found []holder, units []int64, on Day) error {
	people := map[uuid.UUID]bool{}
	for i, id := range asked {
		at := fmt.Sprintf("%s[%d]", field, i)
		k := slices.IndexFunc(found, func(h holder) bool { return h.Post == id })
		if k < 0 {
			return fault.Invalid(at, "unknown_post", "there is no post %d: choose of those who can go", id)
		}
		h := &found[k]
		switch {
		case h.erased || !slices.Contains(policy.OfficerRoles, h.Role):
			return fault.Invalid(at, "no_officer", "the post %d is no officer's: auxiliaries and others do not investigate", id)
		case !slices.Contains(units, int64(h.Unit)):
			return fault.Invalid(at, "other_unit", "the post %d is of a unit that neither goes nor supports it", id)
		case people[h.Person]:
			return fault.Invalid(at, "same_officer", "the post %d is of somebody who is on the order already: two officers are two people", id)
		case !h.certified(on):
			return fault.Invalid(at, "not_certificated", "the certificate of post %d is not in force on %s", id, on)
		case h.Away:
			return fault.Invalid(at, "on_leave", "who holds the post %d is on leave on %s", id, on)
		}
		people[h.Person] = true
	}
	return nil
}

// connected tells whether proposals belong together, each with another of them.
func connected(ids []screening.ProposalID, related map[screening.ProposalID][]screening.ProposalID) bool {
	reached := map[screening.ProposalID]bool{ids[0]: true}
	for again := true; again; {
		again = false
		for _, id := range ids {
			if reached[id] {
				continue
			}
			if slices.ContainsFunc(related[id], func(o screening.ProposalID) bool { return reached[o] }) {
				reached[id], again = true, true
			}
		}
	}
	return len(reached) == len(ids)
}

// check refuses an act that no order could have.
func (d *Doing) check(today time.Time) error {
	i := slices.IndexFunc(Table, func(t Transition) bool { return t.Act == d.Act })
	if i < 0 {
		return fault.Invalid("act", "unknown_value", "%.40q is none of done, cancel, change", string(d.Act))
	}
	needs := Table[i].Needs
	if err := checkWords("reason", d.Reason, slices.Contains(needs, NeedReason)); err != nil {
		return err
	}
	wanted := slices.Contains(needs, NeedFindings)
	switch {
	case wanted && d.Found == nil:
		return fault.Invalid("found", "required", "say whether anything was found")
	case !wanted && (d.Found != nil || d.Findings != "" || d.Visited != nil):
		return fault.Invalid("found", "not_here", "only of what is done is said what was found")
	case wanted:
		if err := checkWords("findings", d.Findings, true); err != nil {
			return err
		}
		if err := checkObjects("visited", d.Visited); err != nil {
			return err
		}
	}
	changes := slices.Contains(needs, NeedChange)
	switch {
	case !changes && (d.Day != "" || d.Officers != nil):
		return fault.Invalid("day", "not_here", "day and officers are changed by the act change")
	case changes && d.Day == "" && d.Officers == nil:
		return fault.Invalid("day", "required", "say what is to be another: the day, the officers, or both")
	case changes && d.Officers != nil:
		if err := checkOfficers("officers", d.Officers); err != nil {
			return err
		}
	}
	if changes && d.Day != "" {
		return checkDay("day", d.Day, today)
	}
	return nil
}
