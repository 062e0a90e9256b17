package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/policy"
)

func (a *api) listViews(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	var roles []policy.Role
	for i := range c.actor.Posts {
		if p := &c.actor.Posts[i]; p.InForce(c.at) {
			roles = append(roles, p.Role)
		}
	}
	mine := c.mine()
	out := QueueViews{Views: []QueueView{}}
	var filters []casework.Filter
	for i, v := range casework.RoleViews(roles) {
		out.Views = append(out.Views, QueueView{Id: v.Name, Owner: QueueViewOwnerRole, Filter: filterAs(&v.Filter), Place: i})
		filters = append(filters, v.Filter)
	}
	if c.who != nil {
		kept, err := c.Cases.Views(r.Context(), c.who.Person, mine.Units)
		if err != nil {
			return err
		}
		for i := range kept {
			out.Views = append(out.Views, c.viewAs(&kept[i]))
			filters = append(filters, kept[i].Filter)
		}
	}
	c.countViews(r.Context(), filters, out.Views)
	return writeJSON(w, http.StatusOK, out)
}

// countViews tells how many open cases views show who asks; -1 of those that show such as have ended.
func (c *call) countViews(ctx context.Context, filters []casework.Filter, views []QueueView) {
	queries := make([]casework.Query, len(filters))
	for i := range filters {
		queries[i] = filters[i].Query(c.mine(), c.at, c.Zone, c.Regime().Catalogue)
	}
	counts := c.CountCases(ctx, queries, &c.reach)
	for i := range views {
		if views[i].Count = counts[i]; !queries[i].OnBoard() {
			views[i].Count = -1
		}
	}
}

// mayKeep tells whether who asks may keep, change or remove a view. Another's own is not there.
func (c *call) mayKeep(v *casework.View) error {
	share := c.may(policy.QueueShare)
	switch {
	case v.Person == c.who.Person:
		return nil
	case v.Person != uuid.Nil:
		return fault.NotFound("there is no view %s", v.ID)
	case wholeCity(&share), v.Unit != 0 && slices.Contains(share.Units, v.Unit):
		return nil
	case v.Unit != 0:
		return fault.Forbidden("not_allowed", "the unit's head and its duty leaders keep its views")
	}
	return fault.Forbidden("not_allowed", "the centre's head keeps the views for all")
}

func (c *call) viewAs(v *casework.View) QueueView {
	out := QueueView{Id: v.ID.String(), Name: &v.Name, Owner: QueueViewOwnerCity, Filter: filterAs(&v.Filter), Place: v.Place, MayChange: c.mayKeep(v) == nil}
	switch {
	case v.Person != uuid.Nil:
		out.Owner = QueueViewOwnerMe
	case v.Unit != 0:
		out.Owner, out.Unit = QueueViewOwnerUnit, new(c.caseUnit(v.Unit))
	}
	return out
}

// viewID reads the id of the path.
func viewID(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil || id == uuid.Nil || id.String() != r.PathValue("id") {
		return id, fault.Invalid("id", "bad_uuid", "%.40q is no UUID", r.PathValue("id"))
	}
	return id, nil
}

func (a *api) saveView(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := viewID(r)
	if err != nil {
		return err
	}
	var in NewQueueView
	if err := decode(r, maxForm, &in); err != nil {
		return err
	}
	if in.Filter.Order != nil && !in.Filter.Order.Valid() {
		return fault.Invalid("filter.order", "unknown_value", "%.40q is neither asc nor desc", string(*in.Filter.Order))
	}
	v := casework.View{ID: id, Name: in.Name, Filter: filterOf(&in.Filter)}
	if in.Place != nil {
		v.Place = *in.Place
	}
	switch {
	case in.Owner != NewQueueViewOwnerUnit && in.Unit != nil:
		return fault.Invalid("unit", "not_here", "only a unit's view names a unit")
	case in.Owner == NewQueueViewOwnerMe:
		v.Person = c.who.Person
	case in.Owner == NewQueueViewOwnerCity:
	case in.Owner == NewQueueViewOwnerUnit && in.Unit != nil && *in.Unit > 0:
		v.Unit = policy.UnitID(*in.Unit)
	case in.Owner == NewQueueViewOwnerUnit:
		return fault.Invalid("unit", "required", "say which unit's it is")
	default:
		return fault.Invalid("owner", "unknown_value", "%.40q is none of me, unit, city", string(in.Owner))
	}
	existed, err := c.Cases.SaveView(r.Context(), v, c.who.Person, c.mayKeep)
	if err != nil {
		return err
	}
	out := []QueueView{c.viewAs(&v)}
	view := *c
	view.reach = c.may(policy.ReportView)
	view.countViews(r.Context(), []casework.Filter{v.Filter}, out)
	status := http.StatusCreated
	if existed {
		status = http.StatusOK
	}
	return writeJSON(w, status, out[0])
}

func (a *api) removeView(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	id, err := viewID(r)
	if err != nil {
		return err
	}
	if err := c.Cases.RemoveView(r.Context(), id, c.mayKeep); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// filterOf reads a filter; what is wrong with it, its Check says.
func filterOf(in *QueueFilter) (f casework.Filter) {
	if in.States != nil {
		for _, s := range *in.States {
			f.States = append(f.States, casework.State(s))
		}
	}
	if in.Units != nil {
		for _, u := range *in.Units {
			f.Units = append(f.Units, policy.UnitID(u))
		}
	}
	if in.Teams != nil {
		for _, u := range *in.Teams {
			f.Teams = append(f.Teams, policy.UnitID(u))
		}
	}
	if in.SettledBy != nil {
		for _, by := range *in.SettledBy {
			f.Settled = append(f.Settled, casework.SettledBy(by))
		}
	}
	if in.Aspects != nil {
		f.Aspects = *in.Aspects
	}
	if in.Colours != nil {
		for _, k := range *in.Colours {
			f.Colours = append(f.Colours, casework.Colour(k))
		}
	}
	if in.Items != nil {
		f.Items = *in.Items
	}
	if in.Towns != nil {
		f.Towns = *in.Towns
	}
	if in.Due != nil {
		f.Due = casework.Due(*in.Due)
	}
	if in.Sort != nil && *in.Sort != QueueFilterSortDue {
		f.Sort = casework.Order(*in.Sort)
	}
	f.Mine = in.Mine != nil && *in.Mine
	f.Last = in.Order != nil && *in.Order == QueueFilterOrderDesc
	return f
}

func filterAs(f *casework.Filter) (out QueueFilter) {
	if f.States != nil {
		out.States = new([]CaseState)
		for _, s := range f.States {
			*out.States = append(*out.States, CaseState(s))
		}
	}
	if f.Units != nil {
		out.Units = new([]int)
		for _, u := range f.Units {
			*out.Units = append(*out.Units, int(u))
		}
	}
	if f.Teams != nil {
		out.Teams = new([]int)
		for _, u := range f.Teams {
			*out.Teams = append(*out.Teams, int(u))
		}
	}
	if f.Settled != nil {
		out.SettledBy = new([]QueueFilterSettledBy)
		for _, by := range f.Settled {
			*out.SettledBy = append(*out.SettledBy, QueueFilterSettledBy(by))
		}
	}
	if f.Aspects != nil {
		out.Aspects = &f.Aspects
	}
	if f.Colours != nil {
		out.Colours = new([]QueueFilterColours)
		for _, k := range f.Colours {
			*out.Colours = append(*out.Colours, QueueFilterColours(k))
		}
	}
	if f.Items != nil {
		out.Items = &f.Items
	}
	if f.Towns != nil {
		out.Towns = &f.Towns
	}
	out.Due, out.Mine = optional(QueueFilterDue(f.Due)), optional(f.Mine)
	if f.Sort == casework.ByOpened {
		out.Sort = new(QueueFilterSortOpened)
	}
	if f.Last {
		out.Order = new(QueueFilterOrderDesc)
	}
	return out
}
