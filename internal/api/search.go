package api

import (
	"gridgov/internal/fault"
	"gridgov/internal/report"
	"gridgov/internal/search"
)

// search reads what somebody looks for; nil: nothing.
func (q *query) search(on known) *report.Search {
	text := q.get("q")
	if text == "" {
		return nil
	}
	found, trouble := search.Parse(text, itemsOf(on))
	switch trouble {
	case "":
		return &report.Search{Query: found}
	case search.BadText:
		q.fail(fault.Invalid("q", string(trouble), "holds a control character or is not UTF-8: write what you look for as text"))
	case search.TooLong:
		q.fail(fault.Invalid("q", string(trouble), "has more than %d characters: a few words find more", search.MaxLength))
	case search.TooMany:
		q.fail(fault.Invalid("q", string(trouble), "has more than %d words: a few of them find more", search.MaxTerms))
	case search.NoWords:
		q.fail(fault.Invalid("q", string(trouble), "%.40q has neither letter nor digit: signs are not looked for", text))
	}
	return nil
}

// itemsOf are the items by the names that they have in the city, and in the list in force.
func itemsOf(on known) (items []search.Item) {
	for _, i := range on.Names().Items {
		items = append(items, search.Item{Code: i.Code, Name: i.Name, NameEN: i.NameEN})
	}
	for _, i := range on.Regime().Catalogue.Items {
		items = append(items, search.Item{Code: i.Code, Name: i.Name.ZH, NameEN: i.Name.EN})
	}
	return items
}
